//! Permission to change services for a while: given by operations, or taken by breaking the glass (rule 7).
//!
//! Whoever is outside operations asks, and operations give a permission that is bounded by services and minutes, or say no.
//! Within its bounds a change is one of operations. When there is nobody to ask, or no time, anybody may *break the glass*
//! with a reason: the same bounds, announced as loudly as a change of command, and what is changed then is uncoordinated
//! until operations sort it.

use std::collections::BTreeSet;

use jiff::ToSpan;
use serde::{Deserialize, Serialize};

use crate::authority::Act;
use crate::event::{Event, Recorded};
use crate::facts::Facts;
use crate::id::{Entry, PersonId, ServiceName, Time, Who};
use crate::incident::{Asking, Decision, Incident};
use crate::next::Next;
use crate::refusal::{Code, Refusal, Remedy};
use crate::role::{Duty, RolePath};
use crate::text::{Line, Prose, Text};

const OPERATIONS: Act = Act::Duty(Duty::Operations);

/// The longest that a permission lasts, in minutes.
pub const MINUTES_MAX: u16 = 240;
/// How long it lasts unless somebody says so, in minutes; and how long broken glass does, always.
pub const MINUTES: u16 = 30;
/// So many services one permission is for, at the most, and one asking for it.
pub const SERVICES_MAX: usize = 20;
/// So many permissions hold at once, at the most. Who gives out more has no operations any more.
const PERMISSIONS_MAX: usize = 50;
/// So many people wait for one at once, at the most.
const ASKS_MAX: usize = 50;
/// So often one person has broken the glass at once, at the most: nobody else is kept from theirs.
const GLASS_MAX: usize = 3;
/// Between what somebody asks for and what they ask for besides, in one line.
const BESIDE: &str = "; ";
/// So many permissions are known, at the most, with those that are over: what was done within one may be told of after it.
const KNOWN_MAX: usize = 200 + PERMISSIONS_MAX;

/// Who may change which services, until when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Permission {
    /// Its number in this incident, counted from 1.
    pub id: u32,
    /// Who has it.
    pub person: PersonId,
    /// What they may change.
    pub services: BTreeSet<ServiceName>,
    /// Since when.
    pub since: Time,
    /// Until when; at that moment it is over.
    pub until: Time,
    /// Who gave it; nobody, if they broke the glass.
    pub by: Option<PersonId>,
    /// Why they broke the glass.
    pub reason: Option<Text>,
}

/// Somebody outside operations would change something.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PermissionAsk {
    /// Of which services.
    pub services: BTreeSet<ServiceName>,
    /// What they would do.
    pub what: Text,
    /// Since when they wait.
    pub at: Time,
    /// The entry that asked.
    pub entry: Entry,
}

/// By what somebody may change a service.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Hands {
    /// They are of operations, or have a permission of theirs.
    Coordinated,
    /// They broke the glass.
    Glass,
}

impl Permission {
    /// Whether it holds at a time.
    #[must_use]
    pub fn holds(&self, at: Time) -> bool {
        self.since <= at && at < self.until
    }

    /// It is over by then at the latest.
    fn end(&mut self, at: Time) {
        self.until = self.until.min(at);
    }

    /// Whether it was taken, and not given.
    #[must_use]
    pub fn is_glass(&self) -> bool {
        self.by.is_none()
    }
}

/// So many minutes later. A log can tell of times at the very end of what a time can be.
fn later(at: Time, minutes: i64) -> Time {
    at.checked_add(minutes.minutes()).unwrap_or(Time::MAX)
}

/// Several services, as a sentence lists them: each once.
#[must_use]
pub fn list<'a>(services: impl IntoIterator<Item = &'a ServiceName>) -> String {
    let mut all: Vec<&str> = services.into_iter().map(ServiceName::as_str).collect();
    all.sort_unstable();
    all.dedup();
    all.join(", ")
}

impl Incident {
    /// By what a person may change a service at a time, if they may.
    #[must_use]
    pub fn hands(&self, person: PersonId, service: &ServiceName, at: Time) -> Option<Hands> {
        if self.may(person, &OPERATIONS) {
            return Some(Hands::Coordinated);
        }
        self.permitted(person, service, at)
    }

    /// By which permission a person may change a service at a time, or might, if they had one.
    pub(crate) fn permitted(&self, person: PersonId, service: &ServiceName, at: Time) -> Option<Hands> {
        let theirs =
            |known: &&Permission| known.person == person && known.services.contains(service) && known.holds(at);
        let mut holding = self.permissions.iter().filter(theirs).peekable();
        holding.peek()?;
        Some(if holding.any(|known| !known.is_glass()) { Hands::Coordinated } else { Hands::Glass })
    }

    /// Who waits for a permission that they still need, the longest first.
    #[must_use]
    pub fn waiting(&self, now: Time) -> Vec<(PersonId, &PermissionAsk)> {
        let needs = |by: PersonId, asked: &PermissionAsk| {
            !asked.services.iter().all(|name| self.hands(by, name, now) == Some(Hands::Coordinated))
        };
        let all = self.permission_asks.iter().map(|(by, asked)| (*by, asked));
        let mut waiting: Vec<_> = all.filter(|(by, asked)| needs(*by, asked)).collect();
        waiting.sort_unstable_by_key(|(_, asked)| asked.entry);
        waiting
    }

    /// Whether the asker may announce changes, of some services at least.
    #[must_use]
    pub fn may_change_services(&self, person: PersonId, now: Time) -> bool {
        let permitted = || self.permissions.iter().any(|known| known.person == person && known.holds(now));
        self.takes_changes() && (self.may(person, &OPERATIONS) || permitted())
    }

    /// The permissions that hold at a time.
    pub fn live_permissions(&self, now: Time) -> impl Iterator<Item = &Permission> {
        self.permissions.iter().filter(move |known| known.holds(now))
    }

    /// The asker, if they may change this service now.
    pub(crate) fn require_hands(&self, ask: &Asking<'_>, service: &ServiceName) -> Result<PersonId, Refusal> {
        let person = ask.active_person()?;
        match self.hands(person, service, ask.now) {
            Some(_) => Ok(person),
            None => Err(self.not_their_hands(ask, Some(service))),
        }
    }

    /// That it is for operations to change services, and what the asker can do.
    pub(crate) fn not_their_hands(&self, ask: &Asking<'_>, service: Option<&ServiceName>) -> Refusal {
        let could = self.who_may(&OPERATIONS);
        let what = service.map_or("services", ServiceName::as_str);
        let names = ask.facts.names(&could);
        let sentence =
            format!("Only operations change {what} now: that is {names}. Ask them for permission, or for the role.");
        let services = service.cloned().into_iter().collect();
        Refusal::new(Code::NotYours, sentence).who_could(could).remedy(Remedy::AskPermission { services })
    }

    /// Whether a service is known to the directory, or affected here.
    fn knows(&self, facts: &Facts, service: &ServiceName) -> bool {
        self.services.contains(service) || facts.services.contains_key(service)
    }

    /// Some services, each known: a name that nobody knows bounds nothing.
    fn known_services(&self, facts: &Facts, services: &BTreeSet<ServiceName>) -> Result<(), Refusal> {
        if services.is_empty() {
            return Err(Refusal::new(Code::Invalid, "Name the services that it is for."));
        }
        if services.len() > SERVICES_MAX {
            let sentence = format!("A permission is for {SERVICES_MAX} services at the most. Name those that matter.");
            return Err(Refusal::new(Code::TooMany, sentence));
        }
        match services.iter().find(|name| !self.knows(facts, name)) {
            None => Ok(()),
            Some(name) => Err(facts.no_such_service(name)),
        }
    }

    /// What somebody asks for with what they wait for already and still need: one answer is for all of it, and nothing that
    /// was asked for is lost because more was.
    fn with_what_waits(
        &self,
        ask: &Asking<'_>,
        person: PersonId,
        mut services: BTreeSet<ServiceName>,
        what: Line,
    ) -> (BTreeSet<ServiceName>, Line) {
        let Some(waits) = self.permission_asks.get(&person) else { return (services, what) };
        let needs = |name: &&ServiceName| {
            self.knows(ask.facts, name) && self.hands(person, name, ask.now) != Some(Hands::Coordinated)
        };
        let before = services.len();
        services.extend(waits.services.iter().filter(needs).cloned());
        if services.len() == before {
            return (services, what);
        }
        let words = waits.what.words().unwrap_or_default();
        let both = match words.split(BESIDE).any(|one| one == what.as_str()) {
            true => words.parse(),
            false => format!("{words}{BESIDE}{}", what.as_str()).parse(),
        };
        // What does not fit into a line stands in the timeline.
        (services, both.ok().filter(|_| !words.is_empty()).unwrap_or(what))
    }

    /// Whoever asks joins by it: operations have to be able to find them.
    pub(crate) fn ask_permission(
        &self,
        ask: &Asking<'_>,
        services: BTreeSet<ServiceName>,
        what: Line,
    ) -> Result<Decision, Refusal> {
        let person = ask.active_person()?;
        self.known_services(ask.facts, &services)?;
        if services.iter().all(|name| self.hands(person, name, ask.now) == Some(Hands::Coordinated)) {
            let sentence = format!("You may change {} already: there is nothing to ask for.", list(&services));
            return Err(Refusal::new(Code::AlreadySo, sentence));
        }
        let (services, what) = self.with_what_waits(ask, person, services, what);
        self.known_services(ask.facts, &services)?;
        let known = self.permission_asks.get(&person);
        if known.is_some_and(|known| known.services == services && known.what.words() == Some(what.as_str())) {
            return Err(Refusal::new(
                Code::AlreadySo,
                "You have asked for this already. Operations have it before them.",
            ));
        }
        if known.is_none() && self.permission_asks.len() >= ASKS_MAX {
            let sentence = format!("{ASKS_MAX} people wait for a permission already. Speak to operations.");
            return Err(Refusal::new(Code::TooMany, sentence).who_could(self.who_may(&OPERATIONS)));
        }
        let mut events = self.join_unless_here(person);
        events.push(Event::PermissionAsked { by: person, services, what: what.into() });
        Ok(events.into())
    }

    /// Without services it is for those that were asked for.
    pub(crate) fn grant_permission(
        &self,
        ask: &Asking<'_>,
        person: &Who,
        services: Option<BTreeSet<ServiceName>>,
        minutes: Option<u16>,
    ) -> Result<Decision, Refusal> {
        let by = self.require(ask, &OPERATIONS)?;
        let person = self.who_is_here(ask, person)?;
        let minutes = minutes.unwrap_or(MINUTES);
        if !(1..=MINUTES_MAX).contains(&minutes) {
            let sentence =
                format!("A permission lasts 1 to {MINUTES_MAX} minutes. Who needs longer is of operations: add them.");
            return Err(Refusal::new(Code::Invalid, sentence));
        }
        let asked = || self.permission_asks.get(&person).map(|asked| asked.services.clone());
        let services = services.or_else(asked).unwrap_or_default();
        self.known_services(ask.facts, &services)?;
        if self.may(person, &OPERATIONS) {
            let sentence = format!("{} is of operations, and may change every service.", ask.facts.name(person));
            return Err(Refusal::new(Code::AlreadySo, sentence));
        }
        let permission = self.next_permission(ask.now)?;
        let until = later(ask.now, minutes.into());
        Ok(Event::PermissionGranted { permission, person, services, by, until }.into())
    }

    fn next_permission(&self, now: Time) -> Result<u32, Refusal> {
        if self.live_permissions(now).count() >= PERMISSIONS_MAX {
            let sentence =
                format!("{PERMISSIONS_MAX} permissions hold already. End some first, or add people to operations.");
            return Err(Refusal::new(Code::TooMany, sentence));
        }
        Ok(self.permissions_given + 1)
    }

    /// Operations say no, or whoever asked takes it back.
    pub(crate) fn decline_permission(
        &self,
        ask: &Asking<'_>,
        person: &Who,
        reason: Option<Prose>,
    ) -> Result<Decision, Refusal> {
        let by = self.require(ask, &Act::Respond)?;
        let person = ask.facts.find(person)?;
        if by != person {
            self.require(ask, &OPERATIONS)?;
        }
        if !self.permission_asks.contains_key(&person) {
            let sentence = format!("{} waits for no permission here.", ask.facts.name(person));
            return Err(Refusal::new(Code::NotThere, sentence));
        }
        Ok(Event::PermissionDeclined { person, by, reason: reason.map(Into::into) }.into())
    }

    /// Operations take it back, or whoever has it gives it back.
    pub(crate) fn end_permission(&self, ask: &Asking<'_>, permission: u32) -> Result<Decision, Refusal> {
        let by = self.require(ask, &Act::Respond)?;
        let mut live = self.live_permissions(ask.now);
        let Some(known) = live.find(|known| known.id == permission) else {
            let sentence = format!("No permission {permission} holds here: it is over, or there was none.");
            return Err(Refusal::new(Code::NotThere, sentence));
        };
        if known.person != by {
            self.require(ask, &OPERATIONS)?;
        }
        Ok(Event::PermissionEnded { permission, by }.into())
    }

    /// Anybody of the house who may know of this incident may, for its own sake. They join by it.
    pub(crate) fn break_glass(
        &self,
        ask: &Asking<'_>,
        services: BTreeSet<ServiceName>,
        reason: Prose,
    ) -> Result<Decision, Refusal> {
        let by = ask.active_person()?;
        self.known_services(ask.facts, &services)?;
        if services.iter().all(|name| self.hands(by, name, ask.now).is_some()) {
            let sentence = format!("You may change {} already: nothing has to be broken.", list(&services));
            return Err(Refusal::new(Code::AlreadySo, sentence));
        }
        let theirs = self.live_permissions(ask.now).filter(|known| known.is_glass() && known.person == by).count();
        if theirs >= GLASS_MAX {
            let sentence = format!(
                "You broke the glass {GLASS_MAX} times already. Speak to operations, or ask them for permission."
            );
            return Err(Refusal::new(Code::TooMany, sentence).who_could(self.who_may(&OPERATIONS)));
        }
        let permission = self.next_permission(ask.now)?;
        let until = later(ask.now, MINUTES.into());
        let mut events = self.join_unless_here(by);
        events.push(Event::GlassBroken { permission, by, services, until, reason: reason.into() });
        Ok(events.into())
    }

    /// Whoever has operations answers those who wait: not who has no account any more, whom nobody can let.
    pub(crate) fn next_about_permissions(&self, person: PersonId, facts: &Facts, now: Time) -> Vec<Next> {
        if self.permission_asks.is_empty() || self.effective_holder(&RolePath::of(Duty::Operations)) != Some(person) {
            return Vec::new();
        }
        let permit = |(by, asked): (PersonId, &PermissionAsk)| Next::Permit { by, services: asked.services.clone() };
        let waits = |(by, _): &(PersonId, &PermissionAsk)| *by != person && facts.active(*by);
        self.waiting(now).into_iter().filter(waits).map(permit).collect()
    }

    pub(crate) fn end_permissions(&mut self, at: Time) {
        self.permissions.iter_mut().for_each(|known| known.end(at));
        self.permission_asks.clear();
    }

    pub(crate) fn end_permissions_of(&mut self, person: PersonId, at: Time) {
        self.permissions.iter_mut().filter(|known| known.person == person).for_each(|known| known.end(at));
        self.permission_asks.remove(&person);
    }

    pub(crate) fn evolve_permissions(&mut self, recorded: &Recorded) {
        let at = recorded.at;
        match &recorded.event {
            Event::PermissionAsked { by, services, what } => {
                let asked = PermissionAsk { services: services.clone(), what: what.clone(), at, entry: recorded.entry };
                self.permission_asks.insert(*by, asked);
            }
            Event::PermissionDeclined { person, .. } => {
                self.permission_asks.remove(person);
            }
            Event::PermissionGranted { permission, person, services, by, until } => {
                self.permission_asks.remove(person);
                self.take_permission(Permission {
                    id: *permission,
                    person: *person,
                    services: services.clone(),
                    since: at,
                    until: *until,
                    by: Some(*by),
                    reason: None,
                });
            }
            Event::GlassBroken { permission, by, services, until, reason } => self.take_permission(Permission {
                id: *permission,
                person: *by,
                services: services.clone(),
                since: at,
                until: *until,
                by: None,
                reason: Some(reason.clone()),
            }),
            Event::PermissionEnded { permission, .. } => {
                let theirs = self.permissions.iter_mut().find(|known| known.id == *permission);
                theirs.into_iter().for_each(|known| known.end(at));
            }
            _ => {}
        }
    }

    fn take_permission(&mut self, new: Permission) {
        self.permissions_given = self.permissions_given.max(new.id);
        self.permissions.push(new);
        if self.permissions.len() > KNOWN_MAX
            && let Some(first) = (0..self.permissions.len()).min_by_key(|one| self.permissions[*one].until)
        {
            self.permissions.remove(first);
        }
    }
}

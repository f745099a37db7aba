//! The gate: whether a service may be changed now, as a pipeline, a cluster or a person asks (rule 7).
//!
//! An incident holds the gate of its services, and of what these need to work, from its declaration until it is resolved; a
//! planned operation holds it for its own services alone, a drill never (rule 11). Through it come operations, holders of
//! a permission, whoever broke the glass, and the owners of a service on their way back to its last known good version.
//! What comes through stands in the ledger by itself. A service's gate *observes*: it tells what it would have stopped, and
//! stops nothing, until it is said that it enforces, for which severities.
//!
//! Of a restricted incident the gate knows for those who may know of it, and for nobody else: a refusal would tell of it.

mod belonging;
mod ending;
mod found;
mod going_back;
mod once;
mod unread;

use jiff::ToSpan;

use crate::authority::Act;
use crate::change::{Change, ChangeState, NewChange};
use crate::event::Event;
use crate::facts::Facts;
use crate::id::{PersonId, ServiceName, Time};
use crate::incident::{Asking, Decision, Incident, Kind, Phase, Severity};
use crate::permission::Hands;
use crate::refusal::{Code, Refusal};
use crate::role::{Duty, RolePath};
use crate::text::{Line, Text};

use std::collections::BTreeSet;

pub use belonging::PASSES_MAX;
pub use ending::{Ended, Ending};
pub use found::{Found, Full, Stop};
pub use unread::{Circle, Doubt, Unread};

/// For so long the same, asked again by the same person, is the same change, in minutes.
const SAME_MINUTES: i64 = 10;

/// What somebody would do to some services.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passing {
    /// Which; at least one.
    pub services: BTreeSet<ServiceName>,
    /// What.
    pub what: Line,
    /// The version that it goes back to, if it is a rollback.
    pub back_to: Option<Line>,
    /// By what it came to the gate.
    pub through: Line,
    /// Whether it is as good as done, as in a cluster that only waits for this word; else it is announced.
    pub done: bool,
}

/// By what somebody comes through the gate.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum By {
    /// They may change the service.
    Hands(Hands),
    /// They own it, and go back to its last known good version.
    Rollback,
}

/// The severities at which a gate stops unless somebody says otherwise, once it enforces.
#[must_use]
pub fn severities() -> BTreeSet<Severity> {
    BTreeSet::from([Severity::Sev1, Severity::Sev2])
}

/// Whether such an incident holds any gate: from its declaration until it is resolved, and none that is practice.
#[must_use]
pub fn holds(kind: Kind, phase: Phase, example: bool) -> bool {
    matches!(phase, Phase::Active | Phase::Mitigated) && kind != Kind::Drill && !example
}

/// These services, and what they need to work; of a planned operation its own services alone.
#[must_use]
pub fn with_needs(kind: Kind, services: &BTreeSet<ServiceName>, facts: &Facts) -> BTreeSet<ServiceName> {
    let needs = |name: &ServiceName| facts.services.get(name).map(|service| service.depends_on.clone());
    let needed = services.iter().filter(|_| kind != Kind::Planned).filter_map(needs).flatten();
    services.iter().cloned().chain(needed).collect()
}

/// Why somebody is stopped, where the incident is not to be named.
fn unnamed(service: &ServiceName) -> String {
    format!("Only operations may change {service} now. Ask in Wardroom.")
}

impl Incident {
    /// Whether this holds any gate.
    #[must_use]
    pub fn holds_gates(&self) -> bool {
        holds(self.kind, self.phase, self.example.is_some())
    }

    /// Every service whose gate this holds, its own ones and what these need to work.
    #[must_use]
    pub fn held_services(&self, facts: &Facts) -> BTreeSet<ServiceName> {
        if self.holds_gates() { self.services_and_needs(facts) } else { BTreeSet::new() }
    }

    /// What is affected, and what that needs to work; of a planned operation its own services alone.
    pub(crate) fn services_and_needs(&self, facts: &Facts) -> BTreeSet<ServiceName> {
        with_needs(self.kind, &self.services, facts)
    }

    /// By what a person comes through, if they do.
    fn lets_through(
        &self,
        person: PersonId,
        service: &ServiceName,
        back_to: Option<&str>,
        (facts, now): (&Facts, Time),
    ) -> Option<By> {
        let hands = self.hands(person, service, now).map(By::Hands);
        hands.or_else(|| self.goes_back(person, service, back_to, facts).then_some(By::Rollback))
    }

    /// When this began, as far as anybody knows.
    pub(crate) fn began_at(&self) -> Time {
        self.began.unwrap_or(self.opened_at).min(self.opened_at)
    }

    /// Looks at somebody who would change a service that this holds. Nobody known is nobody of operations.
    pub fn look(
        &self,
        person: Option<PersonId>,
        service: &ServiceName,
        back_to: Option<&str>,
        facts: &Facts,
        now: Time,
        found: &mut Found,
    ) {
        if !self.holds_gates() || !self.gate_tells(person, facts) {
            return;
        }
        let now = self.not_before_last(now);
        let active = person.filter(|person| facts.active(*person));
        if active.is_some_and(|person| self.lets_through(person, service, back_to, (facts, now)).is_some()) {
            found.passes.push((self.number, service.clone()));
            return;
        }
        found.stops.push(self.stop(person, service, back_to, facts));
    }

    /// That this stops somebody at a service.
    fn stop(&self, person: Option<PersonId>, service: &ServiceName, back_to: Option<&str>, facts: &Facts) -> Stop {
        let restricted = self.is_unnamed_to(person, facts);
        // When one began that is not to be named is not said either.
        let back = person.filter(|person| facts.active(*person)).zip(back_to).filter(|_| !restricted);
        let back = back.and_then(|(person, to)| self.why_not_back(person, service, to, facts));
        let mut reason = self.stopping(person, service, facts);
        if let Some(back) = back {
            reason.extend([" ", &back]);
        }
        let enforced = self.enforced_at(service, facts);
        Stop { incident: self.number, service: service.clone(), enforced, restricted, reason }
    }

    /// Whether the gate acts on this incident for somebody: of a restricted one it knows for those alone who may. Everybody
    /// else is held by an open one, guests of another incident too, who are not told which.
    #[must_use]
    pub fn gate_tells(&self, person: Option<PersonId>, facts: &Facts) -> bool {
        !self.restricted || person.is_some_and(|person| self.visible_to(person, facts))
    }

    /// That so many changes more do not fit into the ledger, of which one would be of this service.
    #[must_use]
    pub fn full(&self, person: Option<PersonId>, service: &ServiceName, facts: &Facts, many: usize) -> Option<Full> {
        let changes = u32::try_from(many).unwrap_or(u32::MAX).saturating_add(self.changes_recorded);
        self.has_room_for_changes(changes).is_err().then(|| Full {
            incident: (!self.is_unnamed_to(person, facts)).then_some(self.number),
            service: service.clone(),
            enforced: self.enforced_at(service, facts),
        })
    }

    /// Whether a service's gate enforces what this incident says.
    fn enforced_at(&self, service: &ServiceName, facts: &Facts) -> bool {
        facts.services.get(service).is_some_and(|known| known.enforced.contains(&self.severity))
    }

    /// Whether this is not to be named at the gate: others may read along.
    fn is_unnamed_to(&self, person: Option<PersonId>, facts: &Facts) -> bool {
        self.restricted || person.is_some_and(|person| !self.visible_to(person, facts))
    }

    fn stopping(&self, person: Option<PersonId>, service: &ServiceName, facts: &Facts) -> String {
        if self.is_unnamed_to(person, facts) {
            return unnamed(service);
        }
        let (number, phase) = (self.number, self.phase.word());
        let what = if self.kind == Kind::Planned { "Planned operation" } else { "Incident" };
        let needs =
            |name: &&ServiceName| facts.services.get(*name).is_some_and(|known| known.depends_on.contains(service));
        let (place, affected, needs, needed) = match self.services.contains(service) {
            true => ("on", service, "", ""),
            false => match self.services.iter().find(needs) {
                Some(affected) => ("on", affected, ", which needs ", service.as_str()),
                None => ("that has to do with", service, "", ""),
            },
        };
        let lead = self.effective_holder(&RolePath::of(Duty::Operations)).map_or("nobody now", |lead| facts.name(lead));
        let post = self.posts.first().and_then(|post| post.label.words()).unwrap_or("its war room");
        format!(
            "{what} {number} is {phase} {place} {affected}{needs}{needed}. Only operations may change {service}; the \
             operations lead is {lead}. Ask in {post}."
        )
    }

    /// The change as which something came through the gate a moment ago, if it is the same.
    #[must_use]
    pub fn passed_already(&self, person: PersonId, service: &ServiceName, what: &str, now: Time) -> Option<u32> {
        let now = self.not_before_last(now);
        let since = now.checked_sub(SAME_MINUTES.minutes()).unwrap_or(Time::MIN);
        // What an incident brought along may have been written by a clock that ran ahead of all that stands here.
        let said = |words: &Text, at: Time| words.words() == Some(what) && since < at && at <= now;
        let same = |change: &&Change| {
            let itself = change.through.is_some() && said(&change.what, change.at);
            change.by == person
                && change.service == *service
                && matches!(change.stands.state, ChangeState::Announced | ChangeState::Done)
                && (itself || change.passed.iter().any(|line| said(&line.what, line.at)))
        };
        let lately = self.changes.iter().rev().find(same).map(|change| change.id);
        lately.or_else(|| self.has_this_line(person, service, what, now))
    }

    /// Records what comes through the gate: all of it, or nothing.
    pub(crate) fn pass_gate(&self, ask: &Asking<'_>, passing: Passing) -> Result<Decision, Refusal> {
        let by = ask.active_person()?;
        let Passing { services, what, back_to, through, done } = &passing;
        let back_to = back_to.as_ref().map(Line::as_str);
        let mut events = self.join_unless_here(by);
        let (joining, mut change) = (events.len(), self.changes_recorded);
        for service in services {
            let Some(let_by) = self.lets_through(by, service, back_to, (ask.facts, ask.now)) else {
                let could = self.who_may(&Act::Duty(Duty::Operations));
                return Err(Refusal::new(Code::NotYours, self.stopping(Some(by), service, ask.facts)).who_could(could));
            };
            if self.passed_already(by, service, what.as_str(), ask.now).is_some() {
                continue;
            }
            let under_way = match let_by {
                By::Hands(hands) => self.under_way(by, service, hands, ask.now).filter(|known| known.takes_a_line()),
                // They need nobody's hands for it: it is one of its own.
                By::Rollback => None,
            };
            if let Some(known) = under_way {
                events.push(known.passes(by, &passing));
                continue;
            }
            change += 1;
            events.push(Event::ChangeRecorded(Box::new(NewChange {
                change,
                unknown_service: !ask.facts.services.contains_key(service),
                service: service.clone(),
                what: Text::from(what.clone()),
                why: None,
                how: None,
                back: None,
                made_by: None,
                by,
                state: if *done { ChangeState::Done } else { ChangeState::Announced },
                happened_at: None,
                uncoordinated: let_by == By::Hands(Hands::Glass),
                through: Some(through.clone().into()),
                seen: None,
            })));
        }
        if events.len() == joining {
            return Err(Refusal::new(
                Code::AlreadySo,
                "This came through the gate a moment ago, and stands in the ledger.",
            ));
        }
        if change > self.changes_recorded {
            self.has_room_for_changes(change)?;
        }
        Ok(events.into())
    }
}

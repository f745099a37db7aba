//! How roles change hands: offers, asking, taking, declining, withdrawing, lapsing.
//!
//! Rule 3: a role changes hands only by the taking of an offer. A pending offer moves nothing. There is one
//! pending offer per role, and an ancestor's supersedes it. Rule 5: until it is taken, the outgoing holder
//! stays responsible. What whoever takes *command* has to know is in `briefing.rs`.

use std::collections::BTreeMap;

use jiff::ToSpan;
use serde::{Deserialize, Serialize};

use crate::authority::Act;
use crate::briefing::Briefed;
use crate::command::OfferTo;
use crate::deadline::is_late;
use crate::event::{Event, Recorded};
use crate::facts::Facts;
use crate::id::{Entry, PersonId, TeamName, Time, Who};
use crate::incident::{Asking, Decision, Incident};
use crate::refusal::{Code, Refusal, Remedy};
use crate::restriction::can_be_brought_in;
use crate::role::RolePath;
use crate::text::{Prose, Text};

/// How long an offer waits to be taken.
pub const LAPSES_AFTER_MINUTES: i64 = 10;

/// To whom an offer is made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// One person.
    Person(PersonId),
    /// Whoever of a team takes first.
    Team(TeamName),
}

/// A pending offer of a role.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Offer {
    /// The entry that made it.
    pub id: Entry,
    /// To whom.
    pub to: Recipient,
    /// Who made it.
    pub by: PersonId,
    /// How far up the tree they stood then: how many steps above this role the highest is that they held. They may
    /// have handed it over since, and their offer outlives that.
    pub height: Option<usize>,
    /// When.
    pub at: Time,
    /// From then on it cannot be taken, recorded or not.
    pub lapses_at: Time,
    /// A word to the recipient.
    pub note: Option<Text>,
    /// Who was held back once because the briefing was stale, and the newest entry they were shown then.
    pub held_back: BTreeMap<PersonId, Entry>,
}

impl Offer {
    /// Whether a person may take or decline it.
    #[must_use]
    pub fn is_to(&self, person: PersonId, facts: &Facts) -> bool {
        match &self.to {
            Recipient::Person(to) => *to == person,
            Recipient::Team(team) => facts.in_team(team, person),
        }
    }

    /// Whether it lapsed, recorded or not.
    #[must_use]
    pub fn lapsed(&self, now: Time) -> bool {
        now >= self.lapses_at
    }
}

impl Incident {
    /// The offer of this role that can still be taken.
    #[must_use]
    pub fn pending_offer(&self, role: &RolePath, now: Time) -> Option<&Offer> {
        self.offers.get(role).filter(|offer| !offer.lapsed(now))
    }

    pub(crate) fn offer_role(
        &self,
        ask: &Asking<'_>,
        role: RolePath,
        to: OfferTo,
        note: Option<Prose>,
    ) -> Result<Decision, Refusal> {
        self.known_role(&role)?;
        let by = self.require(ask, &Act::Manage(role.clone()))?;
        let to = self.recipient(ask, &role, to)?;
        let mut events = self.make_way(ask, &role, by)?;
        let lapses_at = ask.now + LAPSES_AFTER_MINUTES.minutes();
        events.push(Event::RoleOffered { role, to, by, lapses_at, note: note.map(Into::into) });
        Ok(events.into())
    }

    /// Checks that the recipient can take it at all.
    fn recipient(&self, ask: &Asking<'_>, role: &RolePath, to: OfferTo) -> Result<Recipient, Refusal> {
        match to {
            OfferTo::Person(who) => {
                let person = ask.facts.find_active(&who)?;
                let name = ask.facts.name(person);
                if self.holder(role) == Some(person) {
                    return Err(Refusal::new(Code::AlreadySo, format!("{name} holds “{role}” already.")));
                }
                can_be_brought_in(self, ask, person)?;
                if !self.visible_to(person, ask.facts) {
                    let sentence = format!("{name} is not invited into this restricted incident. Invite them first.");
                    return Err(Refusal::new(Code::NotThere, sentence)
                        .who_could(self.who_may(&Act::Command))
                        .remedy(Remedy::Invite { person }));
                }
                Ok(Recipient::Person(person))
            }
            OfferTo::Team(name) => {
                let team = ask.facts.team(&name)?;
                let can_take = |person: &PersonId| {
                    ask.facts.active(*person)
                        && self.visible_to(*person, ask.facts)
                        && self.holder(role) != Some(*person)
                };
                if !team.members.iter().any(can_take) {
                    return Err(Refusal::new(
                        Code::Inactive,
                        format!("Nobody in the team “{name}” could take “{role}”. Offer it to a person."),
                    ));
                }
                Ok(Recipient::Team(name))
            }
        }
    }

    /// Clears the way for a new offer of this role, or says what stands in it.
    ///
    /// A lapsed offer is recorded as such. An offer made from further down the tree than `by` stands is
    /// superseded; any other has to be withdrawn first.
    fn make_way(&self, ask: &Asking<'_>, role: &RolePath, by: PersonId) -> Result<Vec<Event>, Refusal> {
        let Some(pending) = self.pending_offer(role, ask.now) else { return Ok(self.lapse_offer(role, ask.now)) };
        let (role, offer) = (role.clone(), pending.id);
        if by != pending.by && self.height(by, &role) > pending.height {
            return Ok(vec![Event::OfferSuperseded { role, offer }]);
        }
        let to = match &pending.to {
            Recipient::Person(person) => ask.facts.name(*person).to_owned(),
            Recipient::Team(team) => format!("the team {team}"),
        };
        Err(Refusal::new(
            Code::OfferPending,
            format!(
                "“{role}” is offered to {to} until {}. Withdraw that offer first.",
                pending.lapses_at.strftime("%H:%M:%S UTC")
            ),
        )
        .remedy(Remedy::Withdraw { role }))
    }

    /// Whether an offer of this role by this person would be stopped by no other.
    pub(crate) fn way_is_free(&self, ask: &Asking<'_>, role: &RolePath, by: PersonId) -> bool {
        self.make_way(ask, role, by).is_ok()
    }

    /// Records that the offer of this role lapsed, if it did and nobody recorded it.
    pub(crate) fn lapse_offer(&self, role: &RolePath, now: Time) -> Vec<Event> {
        let lapsed = self.offers.get(role).filter(|offer| offer.lapsed(now));
        let record = |offer: &Offer| Event::OfferLapsed {
            role: role.clone(),
            offer: offer.id,
            late: is_late(now, offer.lapses_at),
        };
        lapsed.map(record).into_iter().collect()
    }

    /// How many steps above `role` the highest is that this person holds on the way to the root.
    fn height(&self, person: PersonId, role: &RolePath) -> Option<usize> {
        role.upward().enumerate().filter(|(_, above)| self.holder(above) == Some(person)).map(|(steps, _)| steps).last()
    }

    pub(crate) fn withdraw_offer(
        &self,
        ask: &Asking<'_>,
        role: RolePath,
        reason: Option<Prose>,
    ) -> Result<Decision, Refusal> {
        let offer = self.offer_of(&role, ask.now)?;
        if ask.actor.person() == Some(offer.by) {
            ask.active_person()?;
        } else {
            self.require(ask, &Act::Manage(role.clone()))?;
        }
        Ok(Event::OfferWithdrawn { role, offer: offer.id, reason: reason.map(Into::into) }.into())
    }

    pub(crate) fn decline_offer(
        &self,
        ask: &Asking<'_>,
        role: RolePath,
        reason: Option<Prose>,
    ) -> Result<Decision, Refusal> {
        let by = ask.active_person()?;
        let offer = self.offer_of(&role, ask.now)?;
        if !offer.is_to(by, ask.facts) {
            return Err(not_to_you(&role));
        }
        // One person's "no" does not answer for a team; it stays on offer to the others.
        if matches!(offer.to, Recipient::Team(_)) {
            return Err(Refusal::new(
                Code::NotOfferedToYou,
                "This is offered to your whole team, so you need not answer: others may take it, or it lapses.",
            ));
        }
        Ok(Event::OfferDeclined { role, offer: offer.id, by, reason: reason.map(Into::into) }.into())
    }

    pub(crate) fn take_role(
        &self,
        ask: &Asking<'_>,
        role: RolePath,
        briefed: Option<Briefed>,
    ) -> Result<Decision, Refusal> {
        let by = ask.active_person()?;
        self.known_role(&role)?;
        if self.holder(&role) == Some(by) {
            return Err(Refusal::new(Code::AlreadySo, format!("You hold “{role}” already.")));
        }
        let offer = self.offer_of(&role, ask.now)?;
        if !offer.is_to(by, ask.facts) {
            return Err(not_to_you(&role));
        }
        if let Some(Briefed::To(entry)) = briefed
            && entry > self.last_entry
        {
            return Err(Refusal::new(
                Code::FromTheFuture,
                format!("You name entry {entry}, and the newest is {}.", self.last_entry),
            )
            .remedy(Remedy::Brief { to: self.last_entry }));
        }
        let unseen = if role.is_command() {
            match self.check_briefing(offer, by, briefed)? {
                crate::briefing::Checked::Fresh { unseen } => unseen,
                crate::briefing::Checked::Stale(held_back) => return Ok((*held_back).into()),
            }
        } else {
            Vec::new()
        };
        let from = self.holder(&role);
        let mut events = self.join_unless_here(by);
        if role.is_command() {
            events.extend(self.overtake_proposal(ask.now));
        }
        events.push(Event::RoleTaken { role, offer: offer.id, by, from, briefed, unseen });
        Ok(events.into())
    }

    /// The pending offer of a role.
    fn offer_of(&self, role: &RolePath, now: Time) -> Result<&Offer, Refusal> {
        let Some(offer) = self.offers.get(role) else {
            return Err(Refusal::new(Code::NotThere, format!("“{role}” is not on offer. You can ask for it."))
                .remedy(Remedy::Ask { role: role.clone() }));
        };
        if offer.lapsed(now) {
            return Err(Refusal::new(
                Code::OfferLapsed,
                format!(
                    "The offer of “{role}” lapsed at {}. Ask for it again.",
                    offer.lapses_at.strftime("%H:%M:%S UTC")
                ),
            )
            .who_could(vec![offer.by])
            .remedy(Remedy::Ask { role: role.clone() }));
        }
        Ok(offer)
    }

    pub(crate) fn ask_role(&self, ask: &Asking<'_>, role: RolePath, note: Option<Prose>) -> Result<Decision, Refusal> {
        self.known_role(&role)?;
        let by = self.require(ask, &Act::Respond)?;
        if self.holder(&role) == Some(by) {
            return Err(Refusal::new(Code::AlreadySo, format!("You hold “{role}” already.")));
        }
        if self.pending_offer(&role, ask.now).is_some_and(|offer| offer.is_to(by, ask.facts)) {
            return Err(Refusal::new(Code::AlreadySo, format!("“{role}” is on offer to you. Take it."))
                .remedy(Remedy::Take { role }));
        }
        if self.asks.get(&role).is_some_and(|asks| asks.contains_key(&by)) {
            return Err(Refusal::new(Code::AlreadySo, format!("You asked for “{role}” already."))
                .who_could(self.who_may(&Act::Manage(role))));
        }
        Ok(Event::RoleAsked { role, by, note: note.map(Into::into) }.into())
    }

    pub(crate) fn decline_ask(
        &self,
        ask: &Asking<'_>,
        role: RolePath,
        who: &Who,
        reason: Option<Prose>,
    ) -> Result<Decision, Refusal> {
        self.require(ask, &Act::Manage(role.clone()))?;
        let person = ask.facts.find(who)?;
        if !self.asks.get(&role).is_some_and(|asks| asks.contains_key(&person)) {
            let name = ask.facts.name(person);
            return Err(Refusal::new(Code::NotThere, format!("{name} does not ask for “{role}”.")));
        }
        Ok(Event::AskDeclined { role, person, reason: reason.map(Into::into) }.into())
    }

    pub(crate) fn take_back_ask(&self, ask: &Asking<'_>, role: RolePath) -> Result<Decision, Refusal> {
        let person = ask.active_person()?;
        if !self.asks.get(&role).is_some_and(|asks| asks.contains_key(&person)) {
            return Err(Refusal::new(Code::NotThere, format!("You do not ask for “{role}”.")));
        }
        Ok(Event::AskTakenBack { role, person }.into())
    }

    pub(crate) fn evolve_offers(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::RoleOffered { role, to, by, lapses_at, note } => {
                if let Recipient::Person(person) = to {
                    self.forget_ask(role, *person);
                }
                let offer = Offer {
                    id: recorded.entry,
                    to: to.clone(),
                    by: *by,
                    height: self.height(*by, role),
                    at: recorded.at,
                    lapses_at: *lapses_at,
                    note: note.clone(),
                    held_back: BTreeMap::new(),
                };
                self.offers.insert(role.clone(), offer);
            }
            Event::RoleTaken { role, by, .. } => {
                self.offers.remove(role);
                self.forget_ask(role, *by);
            }
            Event::OfferDeclined { role, .. }
            | Event::OfferWithdrawn { role, .. }
            | Event::OfferLapsed { role, .. }
            | Event::OfferSuperseded { role, .. } => {
                self.offers.remove(role);
            }
            Event::TakingHeldBack { role, by, .. } => {
                if let Some(offer) = self.offers.get_mut(role) {
                    offer.held_back.insert(*by, recorded.entry);
                }
            }
            Event::RoleAsked { role, by, .. } => {
                self.asks.entry(role.clone()).or_default().insert(*by, recorded.entry);
            }
            Event::AskDeclined { role, person, .. } | Event::AskTakenBack { role, person } => {
                self.forget_ask(role, *person);
            }
            _ => {}
        }
    }

    fn forget_ask(&mut self, role: &RolePath, person: PersonId) {
        if let Some(asks) = self.asks.get_mut(role) {
            asks.remove(&person);
        }
    }
}

fn not_to_you(role: &RolePath) -> Refusal {
    Refusal::new(Code::NotOfferedToYou, format!("“{role}” is offered to somebody else. You can ask for it."))
        .remedy(Remedy::Ask { role: role.clone() })
}

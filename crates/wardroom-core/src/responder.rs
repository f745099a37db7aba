//! Who is here: joining, leaving, and what one is doing now.
//!
//! Reading does not join; a note, taking a role, or "I'm here" does.

use serde::{Deserialize, Serialize};

use crate::authority::Act;
use crate::event::{Event, Recorded};
use crate::id::{Entry, PersonId, Time, Who};
use crate::incident::{Asking, Decision, Incident};
use crate::offer::Recipient;
use crate::refusal::{Code, Refusal};
use crate::role::{Fell, RolePath};
use crate::text::{Line, Text};

/// A person who joined.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Responder {
    /// When they joined.
    pub joined_at: Time,
    /// What they say they are doing, and since when.
    pub doing: Option<Doing>,
    /// The newest entry that they made: they have looked here then, and a briefing says what is new since.
    pub last_acted: Option<Entry>,
}

/// "Doing now": one line that a responder keeps about themselves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Doing {
    /// What.
    pub text: Text,
    /// Since when.
    pub since: Time,
}

impl Responder {
    pub(crate) fn new(joined_at: Time) -> Self {
        Self { joined_at, doing: None, last_acted: None }
    }
}

impl Incident {
    pub(crate) fn join(&self, ask: &Asking<'_>) -> Result<Decision, Refusal> {
        let person = ask.active_person()?;
        let events = self.join_unless_here(person);
        // "Still with us?" is answered by saying so once more: what is recorded then is the return.
        if events.is_empty() && self.returns(ask).is_none() {
            return Err(Refusal::new(Code::AlreadySo, "You are here already."));
        }
        Ok(events.into())
    }

    /// Leaving is a departure: roles held fall upward, memberships and offers to this person end.
    pub(crate) fn leave(&self, ask: &Asking<'_>) -> Result<Decision, Refusal> {
        let person = self.require(ask, &Act::Respond)?;
        if self.holder(&RolePath::command()) == Some(person) {
            return Err(self.hand_over_first());
        }
        let mut events = self.depart(person, ask.now);
        events.push(Event::Left { person });
        Ok(events.into())
    }

    /// What ends when somebody goes: offers to them, their roles but command, their proposal to assume command.
    pub(crate) fn depart(&self, person: PersonId, now: Time) -> Vec<Event> {
        let mut events = Vec::new();
        for (role, offer) in &self.offers {
            if offer.to == Recipient::Person(person) && !offer.lapsed(now) {
                events.push(Event::OfferDeclined { role: role.clone(), offer: offer.id, by: person, reason: None });
            }
        }
        let held = self.roles.keys().filter(|role| !role.is_command() && self.holder(role) == Some(person));
        for role in held {
            let to = role.upward().find_map(|above| self.holder(&above).filter(|holder| *holder != person));
            let to = to.unwrap_or_else(|| self.commander());
            events.push(Event::RoleFell { role: role.clone(), from: person, to, how: Fell::Departed });
        }
        if self.pending_proposal(now).is_some_and(|proposal| proposal.by == person) {
            events.extend(self.end_proposal(crate::absence::Ended::Dropped));
        }
        events
    }

    pub(crate) fn set_doing(&self, ask: &Asking<'_>, text: Option<Line>) -> Result<Decision, Refusal> {
        let person = self.require(ask, &Act::Respond)?;
        let doing = self.responders.get(&person).and_then(|responder| responder.doing.as_ref());
        if doing.and_then(|doing| doing.text.words()) == text.as_ref().map(Line::as_str) {
            return Err(Refusal::new(Code::AlreadySo, "That is what it says already."));
        }
        Ok(Event::DoingSet { person, doing: text.map(Into::into) }.into())
    }

    /// The joining that an act like a note brings with it.
    pub(crate) fn join_unless_here(&self, person: PersonId) -> Vec<Event> {
        if self.responders.contains_key(&person) { Vec::new() } else { vec![Event::Joined { person }] }
    }

    /// The person of that name, who has to be here to be given something to do.
    pub(crate) fn who_is_here(&self, ask: &Asking<'_>, who: &Who) -> Result<PersonId, Refusal> {
        let person = ask.facts.find_active(who)?;
        if self.responders.contains_key(&person) {
            return Ok(person);
        }
        let name = ask.facts.name(person);
        Err(Refusal::new(Code::NotThere, format!("{name} has not joined yet. Ask them to come.")))
    }

    /// When somebody who is here last did something here, as far as the log knows.
    #[must_use]
    pub fn last_acted(&self, person: PersonId) -> Option<Entry> {
        self.responders.get(&person)?.last_acted
    }

    pub(crate) fn forget_responder(&mut self, person: PersonId, at: Time) {
        self.responders.remove(&person);
        self.end_permissions_of(person, at);
        self.asks.values_mut().for_each(|asks| {
            asks.remove(&person);
        });
    }

    pub(crate) fn evolve_responders(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::Joined { person } => {
                self.responders.entry(*person).or_insert_with(|| Responder::new(recorded.at));
            }
            Event::Left { person } => self.forget_responder(*person, recorded.at),
            Event::DoingSet { person, doing } => {
                if let Some(responder) = self.responders.get_mut(person) {
                    responder.doing = doing.clone().map(|text| Doing { text, since: recorded.at });
                }
            }
            _ => {}
        }
        if let Some(responder) = recorded.actor.person().and_then(|person| self.responders.get_mut(&person)) {
            responder.last_acted = Some(recorded.entry);
        }
    }
}

//! Who may know: restricted incidents and their invitations.
//!
//! To everybody else a restricted incident is not there: the refusal is word for word the one for a number
//! that does not exist.

use std::collections::BTreeSet;

use crate::authority::Act;
use crate::event::Event;
use crate::facts::Facts;
use crate::id::{Actor, PersonId, Who};
use crate::incident::{Asking, Decision, Incident};
use crate::offer::{Offer, Recipient};
use crate::refusal::{Code, Refusal, Remedy};

impl Incident {
    /// Whether a person may know that this incident exists: of a restricted one the invited, and a guest of theirs
    /// alone.
    #[must_use]
    pub fn visible_to(&self, person: PersonId, facts: &Facts) -> bool {
        facts.guest_of(person).is_none_or(|only| only == self.number)
            && (!self.restricted || self.invited.contains(&person))
    }

    pub(crate) fn visible_to_asker(&self, ask: &Asking<'_>) -> Result<(), Refusal> {
        match ask.actor {
            Actor::Person(person) if !self.visible_to(person, ask.facts) => Err(Refusal::no_such_incident(self.number)),
            _ => Ok(()),
        }
    }

    /// Everybody who is part of it now stays part of it: responders, those with an offer to them, and an admin
    /// who proposes to assume command.
    pub(crate) fn restrict(&self, ask: &Asking<'_>) -> Result<Decision, Refusal> {
        let person = self.require_command_or_last(ask)?;
        if self.restricted {
            return Err(Refusal::new(Code::AlreadySo, "Only the invited can see this already."));
        }
        let mut invited: BTreeSet<PersonId> = self.responders.keys().copied().collect();
        invited.insert(person);
        let pending = self.offers.values().filter(|offer| !offer.lapsed(ask.now));
        invited.extend(pending.filter_map(|offer| match offer.to {
            Recipient::Person(person) => Some(person),
            Recipient::Team(_) => None,
        }));
        invited.extend(self.pending_proposal(ask.now).map(|proposal| proposal.by));
        Ok(Event::Restricted { invited }.into())
    }

    pub(crate) fn unrestrict(&self, ask: &Asking<'_>) -> Result<Decision, Refusal> {
        self.require(ask, &Act::Command)?;
        if !self.restricted {
            return Err(Refusal::new(Code::AlreadySo, "Everybody who is signed in can see this already."));
        }
        Ok(Event::Unrestricted {}.into())
    }

    pub(crate) fn invite(&self, ask: &Asking<'_>, who: &Who) -> Result<Decision, Refusal> {
        self.require_command_or_last(ask)?;
        let person = ask.facts.find_active(who)?;
        let name = ask.facts.name(person);
        can_be_brought_in(self, ask, person)?;
        if self.visible_to(person, ask.facts) {
            return Err(Refusal::new(Code::AlreadySo, format!("{name} can see this already.")));
        }
        Ok(Event::Invited { person }.into())
    }

    /// Somebody who takes part cannot be shut out of what they are doing.
    pub(crate) fn uninvite(&self, ask: &Asking<'_>, who: &Who) -> Result<Decision, Refusal> {
        self.require(ask, &Act::Command)?;
        let person = ask.facts.find(who)?;
        let name = ask.facts.name(person);
        if !self.restricted || !self.invited.contains(&person) {
            return Err(Refusal::new(Code::NotThere, format!("{name} has no invitation here.")));
        }
        let to_them = |offer: &Offer| offer.to == Recipient::Person(person) && !offer.lapsed(ask.now);
        let offered = self.offers.values().any(to_them);
        let proposes = self.pending_proposal(ask.now).is_some_and(|proposal| proposal.by == person);
        if self.responders.contains_key(&person) || offered || proposes {
            return Err(Refusal::new(
                Code::Unfinished,
                format!("{name} takes part here. They leave first, and offers to them are withdrawn."),
            ));
        }
        Ok(Event::Uninvited { person }.into())
    }

    /// After closing, whoever commanded last still says who may look.
    fn require_command_or_last(&self, ask: &Asking<'_>) -> Result<PersonId, Refusal> {
        match ask.actor.person() {
            Some(person) if !self.phase.is_open() && self.last_commander == Some(person) => ask.active_person(),
            Some(_) if !self.phase.is_open() => {
                ask.active_person()?;
                let last = self.commander();
                let name = ask.facts.name(last);
                Err(Refusal::new(
                    Code::NotYours,
                    format!("The incident is closed. {name}, who commanded last, says who may look."),
                )
                .who_could(vec![last])
                .remedy(Remedy::Reopen))
            }
            _ => self.require(ask, &Act::Command),
        }
    }

    pub(crate) fn evolve_restriction(&mut self, event: &Event) {
        match event {
            Event::Restricted { invited } => {
                self.restricted = true;
                self.invited = invited.clone();
            }
            Event::Unrestricted {} => self.restricted = false,
            Event::Invited { person } => {
                self.invited.insert(*person);
            }
            Event::Uninvited { person } => {
                self.invited.remove(person);
            }
            _ => {}
        }
    }
}

/// A guest is in one incident, and nobody else can bring them into another; the example's cast is in none but that.
pub(crate) fn can_be_brought_in(incident: &Incident, ask: &Asking<'_>, person: PersonId) -> Result<(), Refusal> {
    let name = ask.facts.name(person);
    if ask.facts.scripted(person) && incident.example.as_ref().is_none_or(|example| !example.plays(person)) {
        let sentence = format!("{name} is scripted, and is in the example incident alone.");
        return Err(Refusal::new(Code::UnknownPerson, sentence));
    }
    if ask.facts.guest_of(person).is_none_or(|only| only == incident.number) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::UnknownPerson,
        format!("{name} is not in this incident. Make an invite and send it to them."),
    ))
}

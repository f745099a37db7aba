//! What deciding is given besides the state, and what it gives back.

use crate::directory::DirectoryEvent;
use crate::document::Written;
use crate::event::{Event, Recorded};
use crate::facts::Facts;
use crate::id::{Actor, PersonId, Time};
use crate::incident::Incident;
use crate::refusal::{Code, Refusal, Remedy};

/// Who asks, when, and what is known besides the state.
#[derive(Copy, Clone, Debug)]
pub struct Asking<'a> {
    /// Who acts.
    pub actor: Actor,
    /// The time, as the node's clock has it.
    pub now: Time,
    /// The directory.
    pub facts: &'a Facts,
    /// The entry that the command cites ([`crate::command::Command::cites`]), if it exists.
    pub cited: Option<&'a Recorded>,
    /// The other incident of a merge ([`crate::command::Command::other_incident`]), if it exists.
    pub other: Option<&'a Incident>,
    /// What people have written in the state document, where that matters
    /// ([`crate::command::Command::needs_document`]).
    pub document: Option<&'a Written>,
}

/// What was decided: events for this incident, when two are merged for the other, and for the directory.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Decision {
    /// For the incident that was asked. Never empty.
    pub here: Vec<Event>,
    /// For the other incident of a merge.
    pub there: Vec<Event>,
    /// For the directory: the accounts of guests.
    pub directory: Vec<DirectoryEvent>,
}

impl From<Vec<Event>> for Decision {
    fn from(here: Vec<Event>) -> Self {
        Self { here, ..Self::default() }
    }
}

impl From<Event> for Decision {
    fn from(event: Event) -> Self {
        vec![event].into()
    }
}

impl Asking<'_> {
    /// The person who asks, if their account is active.
    pub(crate) fn active_person(&self) -> Result<PersonId, Refusal> {
        match self.actor.person() {
            Some(person) if self.facts.active(person) => Ok(person),
            Some(_) => {
                Err(Refusal::new(Code::NotActive, "Your account is not active. An admin can activate it again.")
                    .remedy(Remedy::AskAdmin))
            }
            None => Err(Refusal::new(Code::NotYours, "Only a person can do this.")),
        }
    }
}

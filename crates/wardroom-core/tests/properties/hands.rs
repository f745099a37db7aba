//! Who was of operations when, a second time: who is, looked up after every entry, and written down with the time.

use std::collections::BTreeSet;

use wardroom_core::event::{Event, Recorded};
use wardroom_core::id::{PersonId, Time};
use wardroom_core::incident::Incident;

use crate::changes::of_operations;

/// Everybody who was of operations from a time on, until the next.
#[derive(Default)]
pub struct Hands(Vec<(Time, BTreeSet<PersonId>)>);

impl Hands {
    /// As they are when somebody begins to look.
    pub fn of(incident: &Incident) -> Self {
        Self(vec![(incident.opened_at, all(incident))])
    }

    /// As they are after an entry. Who comes along with another incident was of operations there.
    pub fn note(&mut self, recorded: &Recorded, after: &Incident) {
        let now = all(after);
        if let (Event::Absorbed(_), Some((_, before))) = (&recorded.event, self.0.last()) {
            let along: Vec<PersonId> = now.difference(before).copied().collect();
            self.0.iter_mut().for_each(|(_, then)| then.extend(&along));
        }
        self.0.push((recorded.at, now));
    }

    /// Whether somebody was; before there were any, whether they are.
    pub fn were(&self, incident: &Incident, who: PersonId, at: Time) -> bool {
        if at < incident.opened_at {
            return of_operations(incident, who);
        }
        let then = self.0.iter().rev().find(|(since, _)| *since <= at);
        then.is_some_and(|(_, all)| all.contains(&who))
    }
}

fn all(incident: &Incident) -> BTreeSet<PersonId> {
    incident.responders.keys().copied().filter(|who| of_operations(incident, *who)).collect()
}

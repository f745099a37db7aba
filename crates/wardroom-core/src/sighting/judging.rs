//! What was seen is judged anew when the ledger says otherwise of the change that it was taken for.
//!
//! A change that was announced may be dropped, or fail, or turn out to be one of another service. What was seen of that service
//! at that time was then something else, and hides behind it no longer: it is sorted like any other, and operations and the
//! commander are told where nobody of operations made it. Said to be done after all, the change is what was seen again.

use super::{NewSighting, Sighting};
use crate::change::{Change, ChangeState, Coordination};
use crate::event::{Event, Recorded};
use crate::id::Entry;
use crate::incident::{Asking, Incident};
use crate::permission::Hands;

impl Incident {
    /// What is said of a change, and what then becomes of what was seen as it, or may be.
    pub(crate) fn and_what_was_seen(&self, ask: &Asking<'_>, change: u32, mut events: Vec<Event>) -> Vec<Event> {
        let concerns = |known: &Sighting| known.sorted.is_none() && (known.is(change) || known.is_unsorted());
        if self.sightings.iter().any(concerns) {
            let after = self.after(ask, &events);
            let judged = after.not_it_any_more(ask, change, self).or_else(|| after.it_after_all(change, self));
            events.extend(judged);
        }
        events
    }

    /// As this will be after these events.
    fn after(&self, ask: &Asking<'_>, events: &[Event]) -> Self {
        let mut after = self.clone();
        for event in events {
            let entry = Entry(after.last_entry.0 + 1);
            after.evolve(&Recorded { entry, at: ask.now, actor: ask.actor, event: event.clone() });
        }
        after
    }

    /// What was taken for a change that it cannot have been, by what is said now. It may be another one of the ledger instead.
    /// Where it could not have been that before, either, operations have said so by then: they dismissed the change, and what was
    /// seen of it is settled with it, whatever else is said of it later.
    fn not_it_any_more(&self, ask: &Asking<'_>, change: u32, before: &Self) -> Option<Event> {
        let was = self.changes.iter().find(|known| known.id == change)?;
        let is_it = |known: &&Sighting| known.sorted.is_none() && known.is(change);
        let seen = &self.sightings.iter().find(is_it)?.seen;
        if was.may_be(seen.marks()) || !before.may_have_seen(change, seen.sighting) {
            return None;
        }
        let is = self.known_as(seen.marks());
        let uncoordinated = is.is_none() && self.was_uncoordinated(ask, seen, was);
        Some(Event::SightingJudged { sighting: seen.sighting, was: Some(change), change: is, uncoordinated })
    }

    /// Whether a change may be what was seen.
    fn may_have_seen(&self, change: u32, sighting: u32) -> bool {
        let seen = self.sightings.iter().find(|known| known.seen.sighting == sighting);
        let change = self.changes.iter().find(|known| known.id == change);
        change.zip(seen).is_some_and(|(change, known)| change.may_be(known.seen.marks()))
    }

    /// Whether operations alone were to change that service when it was made, and its maker was not of them. Whoever announced
    /// the change that it was taken for, as one of operations, was.
    fn was_uncoordinated(&self, ask: &Asking<'_>, seen: &NewSighting, was: &Change) -> bool {
        let announced_it = |person| was.coordination == Coordination::ByOperations && was.by == person;
        let of_operations = |person| {
            announced_it(person) || self.hands_told(person, &seen.service, seen.at) == Some(Hands::Coordinated)
        };
        self.only_operations(&seen.service, seen.at, ask.facts) && !seen.person.is_some_and(of_operations)
    }

    /// What waits to be sorted since a change was said to have changed nothing, which it did.
    fn it_after_all(&self, change: u32, before: &Self) -> Option<Event> {
        let state = |incident: &Self| Some(incident.changes.iter().find(|known| known.id == change)?.stands.state);
        let revived =
            matches!(state(before)?, ChangeState::Failed | ChangeState::Dropped) && state(self)? == ChangeState::Done;
        let is_it = |known: &&Sighting| known.is_unsorted() && self.known_as(known.seen.marks()) == Some(change);
        let seen = &self.sightings.iter().find(is_it).filter(|_| revived)?.seen;
        let (sighting, change) = (seen.sighting, Some(change));
        Some(Event::SightingJudged { sighting, was: None, change, uncoordinated: false })
    }
}

impl Sighting {
    /// Whether it is taken for this change.
    fn is(&self, change: u32) -> bool {
        self.seen.change == Some(change)
    }
}

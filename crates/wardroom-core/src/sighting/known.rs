//! Which change of the ledger it is that was seen, and where its words stand.

use super::{NewSighting, Seen, Sighting, Stage, minutes};
use crate::change::{ANNOUNCED_MINUTES, Change, ChangeState, ChangeStep, Coordination, SeenAs};
use crate::event::{Event, Recorded};
use crate::id::{Number, PersonId, ServiceName, Time};
use crate::incident::Incident;
use crate::refusal::{Code, Refusal};

/// So far apart are the times at which something happened, here and as another system tells, in minutes: whoever starts a
/// pipeline announces it a moment later.
const APART_MINUTES: i64 = 10;

/// By what it is told which change of the ledger was seen.
#[derive(Copy, Clone)]
pub(super) struct Marks<'a> {
    pub service: &'a ServiceName,
    pub person: Option<PersonId>,
    pub stage: Stage,
    pub at: Time,
}

impl<'a> Marks<'a> {
    pub fn of(seen: &'a Seen, at: Time) -> Self {
        Self { service: &seen.service, person: seen.person, stage: seen.stage, at }
    }
}

impl NewSighting {
    pub(super) fn marks(&self) -> Marks<'_> {
        Marks { service: &self.service, person: self.person, stage: self.stage, at: self.at }
    }
}

impl Incident {
    /// The change of the ledger that was seen, as far as that can be told: of the same service, by the same person, a
    /// little while ago. Where nobody knows who it was, as of a robot, it is taken for what operations announced or made at
    /// that time, and is shown as no more than that: what is still to be sorted hides nothing, and what somebody else is
    /// known to have made is no robot's. A change of the ledger is seen once.
    pub(super) fn known_as(&self, seen: Marks<'_>) -> Option<u32> {
        let is_seen = |change: &Change| self.sightings.iter().any(|known| known.seen.change == Some(change.id));
        let is_it = |change: &&Change| change.may_be(seen) && !is_seen(change);
        self.changes.iter().rev().find(is_it).map(|change| change.id)
    }

    /// That an announced change is done by now, as another system tells of it. It has to name who announced it, and they
    /// no other of that service that waits: anything less is a guess, and the ledger claims nothing by guessing. Nor was
    /// the one that is announced over before it was announced.
    pub(super) fn told_done(
        &self,
        sighting: u32,
        (change, person): (Option<u32>, Option<PersonId>),
        (stage, at): (Stage, Time),
    ) -> Option<Event> {
        let by = person.filter(|_| stage == Stage::Done)?;
        let change = self.changes.iter().find(|known| Some(known.id) == change)?;
        let mut waiting = self.changes.iter().filter(|known| {
            known.is_announced() && known.by == by && known.maker.is_none() && known.service == change.service
        });
        let only = waiting.next().filter(|only| only.id == change.id && waiting.next().is_none() && only.at <= at)?;
        let (change, happened_at) = (only.id, Some(at));
        Some(Event::ChangeDone(ChangeStep {
            change,
            by,
            note: None,
            evidence: None,
            happened_at,
            seen: Some(sighting),
        }))
    }

    /// That a change is over which was taken in while it was under way. It is what was seen, and so nothing is guessed: whose
    /// it is and when it was over follow from there. What failed stands as done, with a note, as what is taken in once it has
    /// failed does, until somebody has looked.
    pub(super) fn taken_in_is_over(&self, known: &Sighting, stage: Stage, at: Time) -> Option<Event> {
        let is_it = |change: &&Change| known.taken_in_as() == Some(change.id) && change.is_announced();
        let change = self.changes.iter().find(is_it)?;
        let step = ChangeStep {
            change: change.id,
            by: change.who_made_it().unwrap_or(change.by),
            note: None,
            evidence: None,
            happened_at: Some(at),
            seen: Some(known.seen.sighting),
        };
        match stage {
            Stage::Begun => None,
            Stage::Failed => Some(Event::ChangeDone(step.broke_off())),
            Stage::Done => Some(Event::ChangeDone(step)),
        }
    }
}

impl Change {
    /// Whether it may be what was seen, as it stands. One that failed changed nothing, so that what was done is another.
    pub(super) fn may_be(&self, seen: Marks<'_>) -> bool {
        let changed_nothing = self.stands.state == ChangeState::Failed && seen.stage == Stage::Done;
        self.service == *seen.service
            && self.may_be_made_by(seen.person)
            && may_be_made_at(self, seen.at)
            && !changed_nothing
    }

    /// Whether it may have been made by somebody of whom another system tells, or by nobody that is known.
    fn may_be_made_by(&self, person: Option<PersonId>) -> bool {
        match person {
            Some(person) => self.who_made_it() == Some(person),
            None => self.maker.is_none() && self.coordination == Coordination::ByOperations,
        }
    }
}

/// Whether a change of the ledger may have been made at a time: about when somebody says that it was over, or from its
/// announcement on, as long as it was not over.
fn may_be_made_at(change: &Change, at: Time) -> bool {
    let over = match change.stands.state {
        ChangeState::Announced => None,
        // What is undone or settled by now was done once.
        ChangeState::Done | ChangeState::Reverted | ChangeState::Adopted | ChangeState::HandedOn => {
            Some(change.done_at.unwrap_or(change.at))
        }
        ChangeState::Failed => Some(change.stands.at),
        ChangeState::Dropped | ChangeState::Dismissed => return false,
    };
    let until = over.map_or(Time::MAX, |over| minutes(over, APART_MINUTES));
    // What was made after it was undone is another.
    let until = if change.stands.state == ChangeState::Reverted { until.min(change.stands.at) } else { until };
    let near = |over: Time| minutes(over, -APART_MINUTES) <= at;
    // What was told of after it happened was not announced.
    let announced = over.is_none_or(|over| change.at <= over)
        && minutes(change.at, -APART_MINUTES) <= at
        && at <= minutes(change.at, ANNOUNCED_MINUTES);
    at <= until && (announced || over.is_some_and(near))
}

impl Incident {
    /// The words of a change that was seen and taken in stand where it was told of, and are taken out there.
    pub(crate) fn words_stand_there(&self, cited: &Recorded) -> Result<(), Refusal> {
        let Event::ChangeRecorded(new) = &cited.event else { return Ok(()) };
        let there = |seen: SeenAs| self.sightings.iter().find(|known| known.seen.sighting == seen.sighting);
        let Some(known) = new.seen.and_then(there) else { return Ok(()) };
        let sentence = format!(
            "The words of change {} stand in entry {}, where it was seen. Redact that one: they go from both.",
            new.change, known.entry
        );
        Err(Refusal::new(Code::Invalid, sentence))
    }

    /// The incident that absorbed this one and has words of its own of what was seen here, or of the change as which that
    /// was taken in.
    pub(crate) fn has_what_was_seen(&self, event: &Event) -> Option<Number> {
        let Event::ChangeSeen(seen) = event else { return None };
        let known = self.sightings.iter().find(|known| known.seen.sighting == seen.sighting);
        let stayed = known.is_some_and(|known| {
            known.taken_in_as().is_none_or(|change| self.changes.iter().any(|stays| stays.id == change))
        });
        self.merged_into.filter(|_| !stayed)
    }
}

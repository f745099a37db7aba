//! How a change stands after its events.

use super::{Change, ChangePassed, ChangeState, ChangeStep, Coordination, Maker, NewChange, Passed, SeenAs, Stands};
use crate::event::{Event, Recorded};
use crate::incident::{Incident, Phase};
use crate::merge::Absorbed;
use crate::role::RolePath;
use crate::said::{Aspect, LastSaid};

impl Incident {
    pub(crate) fn evolve_changes(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::ChangeRecorded(new) => self.take_change(recorded, self.as_seen(new, new.as_recorded(recorded))),
            Event::Absorbed(Absorbed { changes, .. }) => {
                changes.iter().for_each(|change| self.take_change(recorded, change.clone()));
            }
            Event::ChangePassed(told) => {
                self.with_change(told.change, |change| change.passed.push(told.as_line(recorded)))
            }
            Event::SentBack(back) => {
                self.phase = Phase::Resolved;
                self.phase_since = recorded.at;
                // Whoever looked into it and closed it finds it an incident.
                self.declared_at.get_or_insert(recorded.at);
                self.hold(&RolePath::command(), back.commander, recorded);
            }
            Event::ChangeCorrected(told) => self.with_change(told.change, |change| {
                change.service = told.service.clone();
                change.unknown_service = told.unknown_service;
                change.what = told.what.clone();
                change.why = told.why.clone().or_else(|| change.why.take());
                change.how = told.how.clone().or_else(|| change.how.take());
                change.said.anew(Aspect::Text, recorded, change.by);
            }),
            Event::WayBackSaid(told) => self.with_change(told.change, |change| {
                change.back = told.back.clone();
                change.said.anew(Aspect::WayBack, recorded, change.by);
            }),
            Event::ChangeHandedOn(told) => self.with_change(told.change, |change| {
                change.stands =
                    Stands { bug: Some(told.bug.clone()), ..Stands::new(ChangeState::HandedOn, told.by, recorded.at) };
                change.sorted();
            }),
            Event::ChangeTakenIn(step) => self.with_change(step.change, Change::sorted),
            event => {
                let Some((state, step)) = steps(event) else { return };
                self.with_change(step.change, |change| change.step(recorded, state, step));
            }
        }
    }

    /// What was taken in says what was seen, in the very words: taken out there, they are gone here.
    fn as_seen(&self, new: &NewChange, change: Change) -> Change {
        let seen = |seen: SeenAs| self.sightings.iter().find(|known| known.seen.sighting == seen.sighting);
        let Some(known) = new.seen.and_then(seen) else { return change };
        let seen = &known.seen;
        Change {
            what: seen.what.clone(),
            how: seen.link.clone(),
            maker: Some(Maker { person: seen.person, who: seen.who.clone() }),
            ..change
        }
    }

    fn with_change(&mut self, id: u32, then: impl FnOnce(&mut Change)) {
        if let Some(change) = self.changes.iter_mut().find(|change| change.id == id) {
            then(change);
        }
    }

    /// One more, of this incident or of one that it absorbs.
    fn take_change(&mut self, recorded: &Recorded, change: Change) {
        let mut said = LastSaid::at_first(recorded, change.by, None, None);
        if change.back.is_some() {
            said.anew(Aspect::WayBack, recorded, change.by);
        }
        self.changes_recorded = self.changes_recorded.max(change.id);
        self.changes.push(Change { said, ..change });
    }
}

/// How a change stands after this, where the event's kind says so.
fn steps(event: &Event) -> Option<(ChangeState, &ChangeStep)> {
    Some(match event {
        Event::ChangeDone(step) | Event::ChangeDiffersAgain(step) => (ChangeState::Done, step),
        Event::ChangeFailed(step) => (ChangeState::Failed, step),
        Event::ChangeDropped(step) => (ChangeState::Dropped, step),
        Event::ChangeReverted(step) => (ChangeState::Reverted, step),
        Event::ChangeAdopted(step) => (ChangeState::Adopted, step),
        Event::ChangeDismissed(step) => (ChangeState::Dismissed, step),
        _ => return None,
    })
}

impl NewChange {
    fn as_recorded(&self, recorded: &Recorded) -> Change {
        let done = (self.state == ChangeState::Done).then(|| self.happened_at.unwrap_or(recorded.at));
        Change {
            id: self.change,
            service: self.service.clone(),
            unknown_service: self.unknown_service,
            what: self.what.clone(),
            why: self.why.clone(),
            how: self.how.clone(),
            back: self.back.clone(),
            through: self.through.clone(),
            passed: Vec::new(),
            maker: None,
            made_by: self.made_by,
            by: self.by,
            at: recorded.at,
            done_at: done,
            said: LastSaid::default(),
            coordination: if self.uncoordinated { Coordination::Uncoordinated } else { Coordination::ByOperations },
            stands: Stands::new(self.state, self.by, recorded.at),
        }
    }
}

impl Change {
    fn step(&mut self, recorded: &Recorded, state: ChangeState, step: &ChangeStep) {
        let (note, evidence, at) = (step.note.clone(), step.evidence, step.happened_at.unwrap_or(recorded.at));
        self.stands = Stands { note, evidence, ..Stands::new(state, step.by, at) };
        match state {
            // What was undone and differs again, does so from now on: it is undone before what was done in between.
            ChangeState::Done => self.done_at = Some(at),
            ChangeState::Failed | ChangeState::Dropped => self.done_at = None,
            _ => {}
        }
        if state != ChangeState::Done {
            self.sorted();
        }
    }

    /// Whoever says what becomes of it has sorted it.
    fn sorted(&mut self) {
        if self.coordination == Coordination::Uncoordinated {
            self.coordination = Coordination::Sorted;
        }
    }
}

impl ChangePassed {
    fn as_line(&self, recorded: &Recorded) -> Passed {
        Passed { what: self.what.clone(), through: self.through.clone(), done: self.done, at: recorded.at }
    }
}

impl Stands {
    fn new(state: ChangeState, by: crate::id::PersonId, at: crate::id::Time) -> Self {
        Self { state, by, at, note: None, bug: None, evidence: None }
    }
}

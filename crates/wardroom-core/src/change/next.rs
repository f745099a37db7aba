//! What changes ask of somebody next.

use jiff::ToSpan;

use super::{Change, ChangeState};
use crate::facts::Facts;
use crate::id::{PersonId, Time};
use crate::incident::Incident;
use crate::next::Next;
use crate::role::{Duty, RolePath};

/// So long after it was announced, somebody is reminded that nobody knows how a change went.
const UNCONFIRMED_MINUTES: i64 = 5;
/// So long after it was done, its recorder is asked how a change is undone: the hands come first.
const WAY_BACK_MINUTES: i64 = 10;

/// When somebody is reminded of a change that was announced then.
pub(crate) fn asked_after(announced_at: Time) -> Time {
    later(announced_at, UNCONFIRMED_MINUTES)
}

/// So many minutes later. A log can tell of times at the very end of what a time can be.
fn later(at: Time, minutes: i64) -> Time {
    at.checked_add(minutes.minutes()).unwrap_or(Time::MAX)
}

impl Incident {
    pub(crate) fn next_about_changes(&self, person: PersonId, facts: &Facts, now: Time) -> Vec<Next> {
        let operations = self.effective_holder(&RolePath::of(Duty::Operations)) == Some(person);
        let mut all: Vec<Next> = Vec::new();
        for change in &self.changes {
            // What nobody who is here recorded is for whoever has operations to see to.
            let here = self.responders.contains_key(&change.by) && facts.active(change.by);
            let mine = if here { change.by == person } else { operations };
            match change.stands.state {
                _ if change.is_unsorted() && operations => {
                    all.push(Next::SortChange { change: change.id, by: change.by });
                }
                ChangeState::Announced if mine => {
                    all.push(Next::ConfirmChange { change: change.id, announced_at: change.at });
                }
                ChangeState::Done if mine && !change.is_unsorted() => all.extend(change.way_back_due(now)),
                _ => {}
            }
        }
        all
    }
}

impl Change {
    /// Its way back is asked for later, and only once it is late: it is nobody's first thought.
    fn way_back_due(&self, now: Time) -> Option<Next> {
        let due_at = later(self.stands.at, WAY_BACK_MINUTES);
        (self.back.is_none() && due_at <= now).then_some(Next::SayWayBack { change: self.id, due_at })
    }
}

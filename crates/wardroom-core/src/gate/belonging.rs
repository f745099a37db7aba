//! What comes through the gate and belongs to a change that is under way already.
//!
//! Whoever announces a change and makes it comes to the gate with it, by a cluster or a pipeline that asks in their name. That
//! is one act, and stands in the ledger once: what the gate saw is kept as a line of that change. Nothing is hidden by that:
//! each line has its words and the way it came, a change takes so many and no more, and what is let through over broken glass
//! belongs to nothing that was coordinated, nor the other way round. If the change is then said to have changed nothing, what a
//! cluster let through meanwhile stands for itself.

use jiff::ToSpan;

use crate::change::{ANNOUNCED_MINUTES, Change, ChangePassed, ChangeState, Coordination, NewChange, Passed};
use crate::event::Event;
use crate::gate::Passing;
use crate::id::{PersonId, ServiceName, Time};
use crate::incident::Incident;
use crate::permission::Hands;

/// So many lines one change takes: about what one deployment changes of one service. What comes after that is a change of its
/// own, as of somebody who did not announce what they are at.
pub const PASSES_MAX: usize = 20;

impl Incident {
    /// The change to which belongs what a person does at a service, let through by these hands: the last one that they
    /// announced there by hand and have under way. Of several the last one is what they are at.
    pub(super) fn under_way(
        &self,
        person: PersonId,
        service: &ServiceName,
        hands: Hands,
        now: Time,
    ) -> Option<&Change> {
        let since = now.checked_sub(ANNOUNCED_MINUTES.minutes()).unwrap_or(Time::MIN);
        let coordination = match hands {
            Hands::Coordinated => Coordination::ByOperations,
            Hands::Glass => Coordination::Uncoordinated,
        };
        let is_it = |change: &&Change| {
            let by_hand = change.through.is_none() && change.maker.is_none();
            change.is_announced()
                && by_hand
                && change.by == person
                && change.service == *service
                && change.coordination == coordination
                && change.at > since
        };
        self.changes.iter().rev().find(is_it)
    }

    /// The change as a line of which the same came through already, however long ago, while that is under way.
    pub(super) fn has_this_line(&self, person: PersonId, service: &ServiceName, what: &str, now: Time) -> Option<u32> {
        let hands = self.hands(person, service, now)?;
        let change = self.under_way(person, service, hands, now)?;
        change.passed.iter().any(|line| line.what.words() == Some(what)).then_some(change.id)
    }

    /// Whether what comes through would be a line of a change that stands in the ledger, and so needs no room there.
    #[must_use]
    pub fn has_it_under_way(&self, person: PersonId, service: &ServiceName, now: Time) -> bool {
        let now = self.not_before_last(now);
        let hands = self.hands(person, service, now);
        let change = hands.and_then(|hands| self.under_way(person, service, hands, now));
        change.is_some_and(Change::takes_a_line)
    }

    /// What cannot be undone by saying that a change was not made: what a cluster let through as part of it, each
    /// a change of its own now, once. As many as fit.
    pub(crate) fn left_by(&self, known: &Change) -> Vec<Event> {
        let stands_already = |line: &Passed| {
            self.changes.iter().any(|other| {
                // What a merge made a part of this stood for nothing else.
                other.through.is_some()
                    && other.stands.state != ChangeState::Dismissed
                    && (other.by, &other.service, other.done_at) == (known.by, &known.service, Some(line.at))
                    && other.what.words() == line.what.words()
            })
        };
        let lines = known.passed.iter().filter(|line| line.done && !stands_already(line));
        let new = |(change, line): (u32, &Passed)| {
            Event::ChangeRecorded(Box::new(NewChange {
                change,
                service: known.service.clone(),
                unknown_service: known.unknown_service,
                what: line.what.anew(),
                why: None,
                how: None,
                back: None,
                made_by: None,
                by: known.by,
                state: ChangeState::Done,
                happened_at: Some(line.at),
                uncoordinated: known.is_unsorted(),
                through: Some(line.through.anew()),
                seen: None,
            }))
        };
        self.numbers_left().zip(lines).map(new).collect()
    }
}

impl Change {
    /// Whether it takes one line more.
    pub(super) fn takes_a_line(&self) -> bool {
        self.passed.len() < PASSES_MAX
    }

    /// As a line of this, that something came through the gate.
    pub(super) fn passes(&self, by: PersonId, passing: &Passing) -> Event {
        Event::ChangePassed(ChangePassed {
            change: self.id,
            what: passing.what.clone().into(),
            through: passing.through.clone().into(),
            done: passing.done,
            by,
        })
    }
}

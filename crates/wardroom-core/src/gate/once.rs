//! What came through the gates of several incidents, where one of these goes on as another: one act is taken once.
//!
//! Each of them recorded it, as a change of its own or as a line of one that its maker had announced there by hand
//! (`belonging.rs`). What was announced by hand has the words, and the way back, of whoever made it, and may be more than the gate
//! saw of it. So it is that which stays, whichever way they are merged: what stands for itself does not come along where it is a
//! line already, and is sorted as a part of what comes along where that brings the line.

use jiff::SignedDuration;

use super::SAME_MINUTES;
use crate::change::{Change, ChangeStep, Passed};
use crate::event::Event;
use crate::id::{PersonId, Time};
use crate::incident::Incident;
use crate::text::Text;

impl Incident {
    /// Whether a change of another incident came through the gate here as well, by the same answer or a moment apart, and
    /// what stands here of it is no less than what stands there.
    pub(crate) fn passed_here_too(&self, known: &Change) -> bool {
        self.changes.iter().any(|here| here.is_same_pass(known) || here.has_as_line(known))
    }

    /// What stands here for itself and is a line of what comes along: that is it from now on.
    pub(crate) fn are_lines_of(&self, along: &[Change], by: PersonId) -> Vec<Event> {
        let is_part = |own: &Change| {
            let whole = along.iter().find(|change| change.has_as_line(own))?;
            let note = Some(Text::said(format!("it is part of change {}, which came along", whole.id)));
            let step = ChangeStep { change: own.id, by, note, evidence: None, happened_at: None, seen: None };
            Some(Event::ChangeDismissed(step))
        };
        self.changes.iter().filter(|own| own.is_open()).filter_map(is_part).collect()
    }
}

impl Change {
    /// In which words it came through the gate, and when, where it stands for itself. What was left by another one came through
    /// before it stood here.
    fn pass(&self) -> Option<(&str, Time)> {
        let at = self.done_at.map_or(self.at, |done| done.min(self.at));
        Some((self.what.words().filter(|_| self.through.is_some())?, at))
    }

    fn is_same_pass(&self, known: &Self) -> bool {
        let same = self.pass().zip(known.pass()).is_some_and(|(here, there)| is_same(here, there));
        same && self.is_of_the_same(known) && (self.differs() || self.stands.state == known.stands.state)
    }

    /// Whether what stands for itself is a line of this, which is no less by it: as long as this may turn out not to have been
    /// made, a line is as good as done only where the cluster let it through.
    fn has_as_line(&self, known: &Self) -> bool {
        let Some(pass) = known.pass() else { return false };
        let same = |line: &Passed| line.what.words().is_some_and(|words| is_same((words, line.at), pass));
        let no_less = |line: &Passed| self.differs() || (self.is_announced() && (line.done || known.is_announced()));
        self.is_of_the_same(known) && self.passed.iter().any(|line| same(line) && no_less(line))
    }

    fn is_of_the_same(&self, known: &Self) -> bool {
        (self.by, &self.service) == (known.by, &known.service)
    }
}

fn is_same((what, at): (&str, Time), (words, then): (&str, Time)) -> bool {
    what == words && at.duration_since(then).abs() < SignedDuration::from_mins(SAME_MINUTES)
}

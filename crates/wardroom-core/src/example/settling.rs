//! How the cast sees to what the player changed, so that the example comes to its end.

use super::{Example, words};
use crate::change::Outcome;
use crate::command::Command;
use crate::id::PersonId;
use crate::incident::Incident;
use crate::role::{Duty, RolePath};

impl Incident {
    /// The player may have changed services, too. What they announced and have operations for is theirs to tell.
    pub(super) fn settles_changes(&self, example: &Example, by: PersonId) -> Option<(PersonId, Command)> {
        let operator = self.effective_holder(&RolePath::of(Duty::Operations)).filter(|one| example.plays(*one));
        if let Some(change) = self.changes.iter().find(|change| change.is_unsorted()) {
            return Some((operator?, Command::TakeInChange { change: change.id }));
        }
        if let Some(change) = self.changes.iter().find(|change| change.differs()) {
            let reason = words("the example ends here; in an incident of yours, undo it first");
            return Some((by, Command::AdoptChange { change: change.id, reason }));
        }
        let operator = operator?;
        let change = self.changes.iter().find(|change| change.is_announced())?.id;
        let outcome = Outcome::Dropped;
        Some((operator, Command::ConfirmChange { change, outcome, note: None, evidence: None, happened_at: None }))
    }
}

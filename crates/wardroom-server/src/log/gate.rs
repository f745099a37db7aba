//! What the gate stopped or would have stopped: ids and times beside the log, in no backup.

use wardroom_core::id::Time;

use super::{Log, LogError};
use crate::gate::Stopped;

/// So many are told of at once, the newest.
pub(super) const STOPS_TOLD: i64 = 20_000;

impl Log {
    /// Keeps these, and forgets what is older than a time.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn keep_gate_stops(&self, stopped: Vec<Stopped>, forget_before: Time) -> Result<(), LogError> {
        on_either!(self, store => store.keep_gate_stops(stopped, forget_before))
    }

    /// What was kept since a time, the newest first and 20,000 at the most.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn gate_stops(&self, since: Time) -> Result<Vec<Stopped>, LogError> {
        on_either!(self, store => store.gate_stops(since))
    }
}

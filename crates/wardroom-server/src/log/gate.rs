//! What the gate stopped or would have stopped, beside the log, and in no backup.

use uuid::Uuid;
use wardroom_core::id::{Number, Time};

use super::{Log, LogError};
use crate::gate::Stopped;

/// So many are told of at once, the newest.
pub(super) const STOPS_TOLD: i64 = 20_000;

impl Log {
    /// Keeps these; the same of the same person within ten minutes is counted with the first. If a time is given, forgets what
    /// is older, and the oldest of what is too much.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn keep_gate_stops(&self, stopped: Vec<Stopped>, forget: Option<Time>) -> Result<(), LogError> {
        on_either!(self, store => store.keep_gate_stops(stopped, forget))
    }

    /// What was kept since a time, of one incident or of all, the newest first and 20,000 at the most.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn gate_stops(&self, since: Time, incident: Option<Number>) -> Result<Vec<Stopped>, LogError> {
        on_either!(self, store => store.gate_stops(since, incident))
    }

    /// Takes out what somebody asked at the gate.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn take_gate_words(&self, ask: Uuid) -> Result<(), LogError> {
        on_either!(self, store => store.take_gate_words(ask))
    }
}

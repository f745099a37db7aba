//! What the gate stopped, and what it would have stopped, beside the log: a team sees what enforcing would have meant before
//! it enforces, and an incident what is being held back.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::mpsc;
use uuid::Uuid;
use wardroom_core::id::{Number, PersonId, ServiceName, Time};
use wardroom_core::text::Line;

use crate::clock;
use crate::log::{Log, LogError};

/// For so many days it is kept.
pub const STOPS_KEPT_DAYS: i64 = 30;
/// So many wait to be kept; what comes beyond that while the store is gone is not counted.
const QUEUE: usize = 4_096;
/// How long to wait after the store could not keep some.
const AGAIN: Duration = Duration::from_secs(2);
/// So many are kept together.
const BATCH: usize = 256;

/// Somebody was stopped at the gate, or would have been.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stopped {
    /// Which asking it was: who asks about several services, or is stopped by several incidents, asked once.
    pub ask: Uuid,
    /// When.
    pub at: Time,
    /// At which service.
    pub service: ServiceName,
    /// By which incident.
    pub incident: Number,
    /// Who, if anybody knows them.
    pub person: Option<PersonId>,
    /// Whether the gate enforced it; else it only observed.
    pub enforced: bool,
    /// What they would have done, in one line; nothing once it was taken out.
    pub what: Option<Line>,
}

/// Keeps them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stops {
    log: Log,
    waiting: mpsc::Sender<Stopped>,
}

impl Stops {
    pub(super) fn start(log: Log) -> Self {
        let (waiting, stopped) = mpsc::channel(QUEUE);
        tokio::spawn(keep(log.clone(), stopped));
        Self { log, waiting }
    }

    /// Has this kept, in the background: whoever was stopped waits for nothing more.
    pub fn note(&self, stopped: Stopped) {
        // Counting is no reason to answer later, or not at all.
        let _ = self.waiting.try_send(stopped);
    }

    /// What was kept since a time, of one incident or of all, the newest first, as far as there is a reasonable number of them.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn since(&self, since: Time, incident: Option<Number>) -> Result<Vec<Stopped>, LogError> {
        self.log.gate_stops(since, incident).await
    }

    /// Takes out what somebody asked.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn take_words(&self, ask: Uuid) -> Result<(), LogError> {
        self.log.take_gate_words(ask).await
    }
}

async fn keep(log: Log, mut stopped: mpsc::Receiver<Stopped>) {
    let mut batch = Vec::with_capacity(BATCH);
    while stopped.recv_many(&mut batch, BATCH).await > 0 {
        loop {
            let before = clock::now() - SignedDuration::from_hours(24 * STOPS_KEPT_DAYS);
            match log.keep_gate_stops(batch.clone(), before).await {
                Ok(()) => break,
                // It may have been kept after all, and is counted twice then: it is a count for people to judge by.
                Err(error) => tracing::warn!(%error, "what the gate stopped could not be kept; trying again"),
            }
            // Others are asked for the store meanwhile: this is the least of them.
            tokio::time::sleep(AGAIN).await;
        }
        batch.clear();
    }
}

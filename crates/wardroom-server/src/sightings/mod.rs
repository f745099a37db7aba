//! Changes of which other systems tell, on their way to the incidents that they may have to do with.
//!
//! What is told is kept beside the log before whoever tells it is answered, for a week: an incident that is declared
//! tomorrow may have begun today. From there each incident hears of what was made to its services since an hour before
//! impact began, as an ordinary order that is decided in the core; whatever is not known yet when an incident is opened,
//! gets other services, or is said to have begun earlier, is made up for. What an incident knows already is recorded once,
//! whichever node tells it, and however often.

mod kept;
mod refused;
mod share;
mod teller;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use tokio::sync::mpsc;
use tracing::Instrument;
use uuid::Uuid;
use wardroom_core::id::Time;
use wardroom_core::sighting::Seen;

use crate::clock;
use crate::execute::Executor;
use crate::log::{Log, LogError};
use crate::metrics::Metrics;
use crate::streams::Streams;
use crate::views::board::Board;
use crate::watch::Watch;

pub use kept::{Kept, Told};
use refused::Notes;
pub use refused::TooMuch;

/// For so many days what was told is kept beside the log.
pub const KEPT_DAYS: i64 = 7;
/// So many changes one teller may tell of within an hour, each counted once, of however many services it is and however often it
/// is told: whoever tells of more goes round in a loop, and what others tell is not to drown in that. One request may tell of
/// a tenth of it, so that whatever is refused is taken once its teller has waited.
pub const HOURLY_MAX: i64 = 1_000;
/// So many are kept of all tellers together. Beyond it, the oldest of whoever told of the most are forgotten.
pub const KEPT_MAX: i64 = 50_000;
/// For so many seconds whoever told of too much is asked to wait.
pub const WAIT: u64 = 600;

/// What a change did to one service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// The same for every service that it changed.
    pub change: Uuid,
    /// What was told of it.
    pub seen: Seen,
}

/// What came of keeping something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Keeping {
    /// It is kept.
    Kept {
        /// What was new, or further than it was.
        news: BTreeSet<Uuid>,
        /// How many others were forgotten for it.
        forgotten: u64,
    },
    /// Nothing of it is kept: its teller told of [`HOURLY_MAX`] changes within an hour.
    TooMany,
}

/// What is kept, within these bounds.
#[derive(Copy, Clone, Debug)]
pub struct Bounds {
    /// What came before this is forgotten.
    pub forget_before: Time,
    /// What one teller told since then is counted.
    pub count_from: Time,
}

/// Takes what is told. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sightings {
    log: Log,
    wake: mpsc::Sender<()>,
    notes: Notes,
}

impl Sightings {
    /// Starts telling the incidents.
    #[must_use]
    pub fn start(
        log: Log,
        streams: Streams,
        executor: Executor,
        watch: Watch,
        board: Board,
        metrics: &Metrics,
    ) -> Self {
        // One waking is as good as many: whoever is woken reads what is kept.
        let (wake, woken) = mpsc::channel(1);
        tokio::spawn(teller::run(log.clone(), streams, executor, watch, board, woken));
        Self { log, wake, notes: Notes::new(metrics) }
    }

    /// Keeps what was told, all of it or nothing; the incidents hear of it a moment later. Returns how much of it was new, or
    /// further than before; `None` when its teller told of too much already, and nothing of it was kept. It goes on when
    /// whoever asked for it does not wait: what was kept is heard of.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when nothing was kept, [`LogError::InDoubt`] when that is not known. Telling it again does
    /// no harm; what was kept after all is heard of, and is no news then.
    pub async fn keep(&self, teller: String, told: Vec<Part>) -> Result<Option<usize>, LogError> {
        let Self { log, wake, notes } = self.clone();
        let keeping = async move {
            let now = clock::now();
            let bounds = Bounds {
                forget_before: now - SignedDuration::from_hours(24 * KEPT_DAYS),
                count_from: now - SignedDuration::from_hours(1),
            };
            let kept = told.iter().map(|part| Kept::of(part, now, &teller)).collect();
            let keeping = log.keep_sightings(kept, bounds).await;
            // Whatever came of it: what is in doubt may be there. Where a waking waits already, that one is enough.
            let _ = wake.try_send(());
            keeping.map(|keeping| match keeping {
                Keeping::Kept { news, forgotten } => {
                    notes.forget(forgotten, now);
                    Some(news.len())
                }
                Keeping::TooMany => {
                    notes.refuse(&teller, now);
                    None
                }
            })
        };
        let ended = tokio::spawn(keeping.in_current_span()).await;
        ended.unwrap_or_else(|_| Err(LogError::InDoubt("keeping what was told broke off".to_owned())))
    }
    /// Who told of too much within the last hour, and what was forgotten for it.
    #[must_use]
    pub fn too_much(&self) -> TooMuch {
        self.notes.shown(clock::now())
    }
}

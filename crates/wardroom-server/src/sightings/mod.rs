//! Changes of which other systems tell, on their way to the incidents that they may have to do with.
//!
//! What is told is kept beside the log before whoever tells it is answered, for a week: an incident that is declared
//! tomorrow may have begun today. From there each incident hears of what was made to its services since an hour before
//! impact began, as an ordinary order that is decided in the core; whatever is not known yet when an incident is opened,
//! gets other services, or is said to have begun earlier, is made up for. What an incident knows already is recorded once,
//! whichever node tells it, and however often.

mod kept;
mod teller;

use jiff::SignedDuration;
use tokio::sync::mpsc;
use tracing::Instrument;
use wardroom_core::sighting::Seen;

use crate::clock;
use crate::execute::Executor;
use crate::log::{Log, LogError};
use crate::streams::Streams;
use crate::views::board::Board;
use crate::watch::Watch;

pub use kept::Kept;

/// For so many days what was told is kept beside the log.
pub const KEPT_DAYS: i64 = 7;

/// Takes what is told. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sightings {
    log: Log,
    wake: mpsc::Sender<()>,
}

impl Sightings {
    /// Starts telling the incidents.
    #[must_use]
    pub fn start(log: Log, streams: Streams, executor: Executor, watch: Watch, board: Board) -> Self {
        // One waking is as good as many: whoever is woken reads what is kept.
        let (wake, woken) = mpsc::channel(1);
        tokio::spawn(teller::run(log.clone(), streams, executor, watch, board, woken));
        Self { log, wake }
    }

    /// Keeps what was told, all of it or nothing; the incidents hear of it a moment later. Returns how much of it was new, or
    /// further than before. It goes on when whoever asked for it does not wait: what was kept is heard of.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when nothing was kept, [`LogError::InDoubt`] when that is not known. Telling it again does
    /// no harm; what was kept after all is heard of, and is no news then.
    pub async fn keep(&self, told: Vec<Seen>) -> Result<usize, LogError> {
        let Self { log, wake } = self.clone();
        let keeping = async move {
            let now = clock::now();
            let forget_before = now - SignedDuration::from_hours(24 * KEPT_DAYS);
            let kept = told.iter().map(|seen| Kept::of(seen, now)).collect();
            let news = log.keep_sightings(kept, forget_before).await;
            // Whatever came of it: what is in doubt may be there. Where a waking waits already, that one is enough.
            let _ = wake.try_send(());
            news.map(|news| news.len())
        };
        let ended = tokio::spawn(keeping.in_current_span()).await;
        ended.unwrap_or_else(|_| Err(LogError::InDoubt("keeping what was told broke off".to_owned())))
    }
}

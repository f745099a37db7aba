//! The gate on this node: which incidents hold which services, kept in memory so that whoever asks waits for nothing, and
//! what it stopped or would have stopped, kept beside the log.
//!
//! What is committed here stands in the book before its asker is answered; what other nodes commit follows the log. When the
//! store cannot be reached, the book goes on answering from what it knew last, and says how old that is.

mod book;
mod ending;
mod passing;
mod stops;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use wardroom_core::gate::Unread;
use wardroom_core::id::{Number, Time};

use crate::clock;
use crate::log::{Log, LogError};
use crate::stored::recorded;
use crate::streams::{Streams, stream_of};
use crate::views::board::Board;
use crate::watch::{Changed, Follower, Piece, Watch};

pub use book::{Asking, Book, Look, UnderWay};
pub use ending::NotHeard;
pub use passing::{Answer, Call, Unable, doubtful, filled};
pub use stops::{STOPS_KEPT, STOPS_KEPT_DAYS, STOPS_SAME_MINUTES, Stopped, Stops, same_since};

/// Entries of a broken incident that are read together.
const PIECE: usize = 512;
/// How often it is made sure that the log has no more than is known here.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait after the store could not be read.
const AGAIN: Duration = Duration::from_millis(500);

/// The gate. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate {
    /// What it decides by.
    pub book: Arc<Book>,
    /// What it stopped.
    pub stops: Stops,
}

impl Gate {
    /// Starts keeping the book of these streams; what it stops and cannot count is counted as lost.
    #[must_use]
    pub fn start(log: Log, streams: Streams, watch: Watch, board: Board, lost: Counter) -> Self {
        let gate = Self { book: Arc::clone(streams.book()), stops: Stops::start(log.clone(), lost) };
        let parts = BTreeMap::new();
        tokio::spawn(Keeper { log, streams, watch, board, book: Arc::clone(&gate.book), parts }.keep());
        gate
    }
}

struct Keeper {
    log: Log,
    streams: Streams,
    watch: Watch,
    board: Board,
    book: Arc<Book>,
    /// What is known of incidents that can be read in part, and up to which entry.
    parts: BTreeMap<Number, (u64, Unread)>,
}

impl Keeper {
    async fn keep(mut self) {
        let mut news = self.watch.subscribe();
        let mut follower = Follower::of(&self.watch);
        let mut wanted = false;
        loop {
            match self.round(&mut follower, wanted).await {
                Ok(()) => {}
                Err(error) => {
                    tracing::warn!(%error, "the gate goes on from what it knew last");
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
            }
            wanted = tokio::select! {
                changed = tokio::time::timeout(LOOK, news.changed()) => match changed {
                    Ok(Err(_)) => return,
                    _ => false,
                },
                () = self.book.wanted() => true,
            };
        }
    }

    /// Reads on from where the last round ended; the first one reads every open incident. Whether that is all that there is
    /// is looked at now and then, and when somebody waits for it.
    async fn round(&mut self, follower: &mut Follower, wanted: bool) -> Result<(), LogError> {
        // Before anything is read: what is committed meanwhile is for the next round.
        let now = clock::now();
        let fresh = !wanted && self.book.confirmed_at().is_some_and(|at| age(at, now, LOOK).is_none());
        let head = if fresh { None } else { Some(self.log.head().await?.position) };
        let Piece { changed, until } = follower.look();
        let changed = match changed {
            Changed::In { incidents, .. } => incidents,
            Changed::Anywhere => self.all().await?,
        };
        for number in changed {
            self.take(number).await?;
        }
        follower.done(until);
        if head.is_some_and(|head| head <= until) {
            self.book.confirm(now);
        }
        Ok(())
    }

    /// Every incident that may be open, and every one that the book has: one may have ended.
    async fn all(&self) -> Result<BTreeSet<Number>, LogError> {
        let open = self.board.may_be_open().await?;
        Ok(open.into_iter().chain(self.book.numbers()).collect())
    }

    async fn take(&mut self, number: Number) -> Result<(), LogError> {
        match self.streams.incident(number).await {
            Ok(Some(held)) if held.incident.unreadable.is_some() => {
                let (seq, remains) = self.remains(number, self.parts.get(&number).cloned()).await?;
                if self.parts.insert(number, (seq, remains.clone())).is_none() {
                    tracing::warn!(%number, certain = remains.is_certain(), "the gate reads an incident only in part");
                }
                self.book.take(&held);
                self.book.reads_in_part(remains);
            }
            Ok(Some(held)) => self.book.take(&held),
            Ok(None) => {}
            // Of one that is broken, what was known last goes on: a gate that falls open tells nobody.
            Err(error @ LogError::Damaged { .. }) => {
                tracing::error!(%number, %error, "the gate knows no more of an incident than before");
                let (known, as_read) = match self.book.broke(number) {
                    Some(known) => (Some(known), true),
                    None => (self.board.row(number).await?.map(|row| (row.last_entry.0, row.unread())), false),
                };
                let (_, remains) = self.remains(number, known.clone()).await?;
                // What was read here goes on as it was: only what came since is news.
                if !(as_read && known.is_some_and(|(_, known)| known == remains)) {
                    self.book.cannot_read(remains);
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// What was known of an incident up to an entry, and what those after it say that can be read by themselves; up to which
    /// entry that goes. What is not there may have changed anything.
    async fn remains(&self, number: Number, known: Option<(u64, Unread)>) -> Result<(u64, Unread), LogError> {
        let stream = stream_of(number);
        let (mut seq, mut unread) = known.unwrap_or_else(|| (0, Unread::unknown(number)));
        let tip = match self.log.tip(stream).await {
            Err(LogError::Damaged { .. }) => return Ok((seq, Unread::unknown(number))),
            tip => tip?.seq,
        };
        loop {
            let page = match self.log.read_stream(stream, seq, PIECE).await {
                Err(LogError::Damaged { .. }) => return Ok((seq, Unread::unknown(number))),
                page => page?,
            };
            for stored in &page {
                match recorded(stored) {
                    _ if stored.seq != seq + 1 => unread = Unread::unknown(number),
                    Ok(entry) => unread.evolve(&entry.event),
                    Err(why) => unread.evolve_unreadable(&why),
                }
                seq = stored.seq;
            }
            if page.len() < PIECE {
                return Ok((seq, if seq < tip { Unread::unknown(number) } else { unread }));
            }
        }
    }
}

/// How old what is known may be before that is said.
pub const FRESH: Duration = Duration::from_secs(10);

/// How old it is at a time, if that is older than so much.
#[must_use]
pub fn age(confirmed_at: Time, now: Time, than: Duration) -> Option<Duration> {
    let age = Duration::try_from(now.duration_since(confirmed_at)).unwrap_or_default();
    (age > than).then_some(age)
}

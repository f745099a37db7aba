//! The log: streams of events on SQLite or PostgreSQL. SQL and nothing but SQL; no rule of command lives here.
//!
//! - Positions are global, contiguous from 1 and without gaps, whatever fails: a reader of "everything after
//!   my cursor" can miss nothing.
//! - Each stream's events form a hash chain, and each append is linked to the one before it (`chain.rs`).
//! - Free text lies beside the chain in a table of its own and can be erased.
//! - Beside the log stand state documents (`documents.rs`), which object has which evidence (`evidence.rs`), and tables that are disposable (snapshots, the board), volatile (presence, prompts), secret
//!   (`credentials.rs`, `passkeys.rs`, `browsers.rs`), or say how far telling somebody is (`calls.rs`).

/// Passes a call on to whichever database it is; one that lies on the other side of a network has to answer in time.
macro_rules! on_either {
    ($log:expr, $store:ident => $call:expr) => {
        match $log {
            Log::Sqlite($store) => $call.await,
            Log::Postgres($store) => $store.answered($call).await,
        }
    };
}

mod backup;
mod browsers;
mod calls;
pub mod chain;
mod credentials;
mod documents;
mod error;
mod evidence;
mod gate;
mod passkeys;
mod postgres;
pub(crate) mod proof;
mod row;
mod sightings;
mod sqlite;
mod verify;

use std::path::PathBuf;
use std::time::Duration;

use uuid::Uuid;
use wardroom_core::id::{Number, PersonId, Time};

pub use backup::restore;
pub use browsers::{BROWSERS_MAX, BrowserRow};
pub use calls::{CallRow, DeliveryRow, Outcome, State, Told};
pub use credentials::{LinkRow, SessionRow};
pub use documents::{DocumentRow, DocumentWrite, PartChange};
pub use error::LogError;
pub use evidence::Claim;
pub use passkeys::PasskeyRow;
pub use proof::{Broken, What};
pub use row::{
    Append, BoardRow, Draft, Hash, Head, Remembered, Request, Snapshot, Span, Stored, StoredText, Stream, Tip, Words,
    Write,
};
pub(crate) use sqlite::make_folder;
pub use verify::{Report, Verification};

/// Where a log is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder on this machine, with an embedded database in it.
    Folder(PathBuf),
    /// A PostgreSQL database, by its URL. The URL may hold a password and is never printed.
    Postgres(String),
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "Folder({})", folder.display()),
            Self::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}

/// How long [`Log::wait_after`] waits before it returns without news, so that callers can look up.
pub const WAIT_MAX: Duration = Duration::from_secs(1);

/// For how long the last sign of life of a node that runs no more is kept, in microseconds: a day. Every start is
/// a node of its own.
const BEATS_KEPT: i64 = 24 * 60 * 60 * 1_000_000;

/// For how long what somebody was prompted of is kept, in microseconds: an hour, after which it holds nothing back.
const PROMPTS_KEPT: i64 = 60 * 60 * 1_000_000;

/// What is dated further ahead of this node's clock than this, in microseconds, was written by one that stood wrong,
/// and is taken as not there. Clocks that agree are much closer.
const AHEAD: i64 = 5_000_000;

/// The latest time, in microseconds, that something that has happened by `now` may be dated.
fn latest(now: Time) -> i64 {
    now.as_microsecond().saturating_add(AHEAD)
}

/// The log on one of its two databases. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Log {
    /// Embedded: one file, one process that serves.
    Sqlite(sqlite::Store),
    /// Scaled out: any number of nodes.
    Postgres(postgres::Store),
}

impl Log {
    /// Opens the log that is there: a place that was mistyped is no place to make one.
    ///
    /// # Errors
    /// [`LogError::NoStore`] when there is none, and as [`Log::open`].
    pub async fn open_existing(place: &Place) -> Result<Self, LogError> {
        match place {
            Place::Folder(folder) => sqlite::Store::look_for(folder)?,
            Place::Postgres(url) => postgres::Store::look_for(url).await?,
        }
        Self::open(place).await
    }

    /// Opens the log, and makes or migrates its tables.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the place cannot be reached or is newer than this Wardroom,
    /// [`LogError::NoStore`] when something else is there.
    pub async fn open(place: &Place) -> Result<Self, LogError> {
        Ok(match place {
            Place::Folder(folder) => Self::Sqlite(sqlite::Store::open(folder).await?),
            Place::Postgres(url) => Self::Postgres(postgres::Store::open(url).await?),
        })
    }

    /// Appends what was accepted, all of it or nothing, in one transaction; returns after the commit.
    /// For each append, one span per write.
    ///
    /// # Errors
    /// [`LogError::Conflict`] when a stream is not where it was expected, [`LogError::Duplicate`] when a
    /// request is remembered already, [`LogError::Unavailable`] when the database could not. Nothing is
    /// written then, and no position is used up. [`LogError::InDoubt`] when its answer got lost: then all of it
    /// is written or nothing.
    pub async fn append(&self, appends: Vec<Append>) -> Result<Vec<Vec<Span>>, LogError> {
        match self {
            Self::Sqlite(store) => store.append(appends).await,
            // Knows best until when it is not in doubt.
            Self::Postgres(store) => store.append(appends).await,
        }
    }

    /// Where a stream ends.
    ///
    /// # Errors
    /// [`LogError::Unavailable`], as for every reading method.
    pub async fn tip(&self, stream: Stream) -> Result<Tip, LogError> {
        on_either!(self, store => store.tip(stream))
    }

    /// The highest stream that has an event; 0 when only the directory has.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn highest_stream(&self) -> Result<Stream, LogError> {
        on_either!(self, store => store.highest_stream())
    }

    /// Where the whole log ends.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn head(&self) -> Result<Head, LogError> {
        on_either!(self, store => store.head())
    }

    /// At most `limit` events of a stream after `seq`, with their words.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn read_stream(&self, stream: Stream, after: u64, limit: usize) -> Result<Vec<Stored>, LogError> {
        on_either!(self, store => store.read_stream(stream, after, limit))
    }

    /// At most `limit` events of all streams after a position, with their words.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn read_all(&self, after: u64, limit: usize) -> Result<Vec<Stored>, LogError> {
        on_either!(self, store => store.read_all(after, limit))
    }

    /// One event of a stream.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn event(&self, stream: Stream, seq: u64) -> Result<Option<Stored>, LogError> {
        let Some(before) = seq.checked_sub(1) else { return Ok(None) };
        Ok(self.read_stream(stream, before, 1).await?.pop().filter(|stored| stored.seq == seq))
    }

    /// These events of a stream, with their words; those that are not there are left out.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn events(&self, stream: Stream, seqs: &[u64]) -> Result<Vec<Stored>, LogError> {
        on_either!(self, store => store.events(stream, seqs))
    }

    /// The words behind some commitments of a stream; those that were erased have none.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn words(&self, stream: Stream, commitments: &[Hash]) -> Result<Vec<StoredText>, LogError> {
        on_either!(self, store => store.words(stream, commitments))
    }

    /// What a request did, if it was accepted once.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn remembered(&self, actor: &str, id: Uuid) -> Result<Option<Remembered>, LogError> {
        let remembered = on_either!(self, store => store.remembered(actor, id))?;
        let Some(mut remembered) = remembered else { return Ok(None) };
        for span in &mut remembered.spans {
            span.position = self.event(span.stream, span.last).await?.map_or(0, |last| last.position);
        }
        Ok(Some(remembered))
    }

    /// Returns when there is more after `position`, or after [`WAIT_MAX`] without.
    ///
    /// Appends of other processes are noticed too, on SQLite by looking every 50 ms, on PostgreSQL by
    /// NOTIFY and, should that get lost, by looking every 500 ms.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn wait_after(&self, position: u64) -> Result<(), LogError> {
        on_either!(self, store => store.wait_after(position))
    }

    /// The newest snapshot of a stream's state under this version of the fold.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn snapshot(&self, stream: Stream, fold_version: u32) -> Result<Option<Snapshot>, LogError> {
        on_either!(self, store => store.snapshot(stream, fold_version))
    }

    /// Keeps a snapshot unless a newer one is there.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn put_snapshot(&self, stream: Stream, fold_version: u32, snapshot: Snapshot) -> Result<(), LogError> {
        on_either!(self, store => store.put_snapshot(stream, fold_version, snapshot))
    }

    /// When people were last seen, by their id. A time that has not come yet is left out.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn seen(&self, now: Time) -> Result<Vec<(String, Time)>, LogError> {
        on_either!(self, store => store.seen(latest(now)))
    }

    /// Keeps when people were seen; the latest wins, but for a time that has not come yet.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn put_seen(&self, seen: Vec<(String, Time)>, now: Time) -> Result<(), LogError> {
        on_either!(self, store => store.put_seen(seen, latest(now)))
    }

    /// What people were prompted of within the last hour, as it was kept.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn prompts(&self, now: Time) -> Result<Vec<(PersonId, String)>, LogError> {
        on_either!(self, store => store.prompts(now.as_microsecond().saturating_sub(PROMPTS_KEPT)))
    }

    /// What one person was prompted of, as it was kept.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn prompts_of(&self, person: PersonId) -> Result<Option<String>, LogError> {
        on_either!(self, store => store.prompts_of(person))
    }

    /// Keeps what somebody was prompted of, unless it is no longer as it was read before; says whether it did. What is
    /// long over goes.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn put_prompts(
        &self,
        person: PersonId,
        before: Option<String>,
        after: String,
        now: Time,
    ) -> Result<bool, LogError> {
        on_either!(self, store => store.put_prompts(person, before, after, now))
    }

    /// A node says that it is alive. Signs of life that are long past go, but never the newest. Those that are dated
    /// ahead stay: they may be of nodes whose clocks are right, where this one's is behind.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn beat(&self, node: Uuid, at: Time) -> Result<(), LogError> {
        on_either!(self, store => store.beat(node, at))
    }

    /// The last sign of life of any node; one that is dated ahead of `now` is none.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn last_beat(&self, now: Time) -> Result<Option<Time>, LogError> {
        on_either!(self, store => store.last_beat(latest(now)))
    }

    /// Keeps rows of the board, each unless a newer one is there, and how far the board has read.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn put_board(&self, rows: Vec<BoardRow>, cursor: u64) -> Result<(), LogError> {
        on_either!(self, store => store.put_board(rows, cursor))
    }

    /// How far the board has read.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn board_cursor(&self) -> Result<u64, LogError> {
        on_either!(self, store => store.board_cursor())
    }

    /// Every open incident's row, the highest number first.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn board_open(&self) -> Result<Vec<BoardRow>, LogError> {
        on_either!(self, store => store.board_open())
    }

    /// At most `limit` rows of ended incidents below a number, the highest first.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn board_ended(&self, below: u32, limit: usize) -> Result<Vec<BoardRow>, LogError> {
        on_either!(self, store => store.board_ended(below, limit))
    }

    /// Incidents in the log that have no row, or one that is behind the log.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn board_lacks(&self) -> Result<Vec<Number>, LogError> {
        on_either!(self, store => store.board_lacks())
    }

    /// The rows whose deadline has come.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn board_due(&self, now: Time) -> Result<Vec<BoardRow>, LogError> {
        on_either!(self, store => store.board_due(now))
    }

    /// Throws the disposable tables away; their readers make them anew.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn clear_views(&self) -> Result<(), LogError> {
        match self {
            Self::Sqlite(store) => store.clear_views().await,
            Self::Postgres(store) => store.clear_views().await, // However much there is.
        }
    }

    /// The quick check at a start: do the counter, the last event and every stream's tip agree?
    ///
    /// # Errors
    /// [`LogError::Damaged`] naming what does not, [`LogError::Unavailable`].
    pub async fn check_heads(&self) -> Result<(), LogError> {
        match self {
            Self::Sqlite(store) => store.check_heads().await,
            Self::Postgres(store) => store.check_heads().await, // However many streams there are.
        }
    }
}

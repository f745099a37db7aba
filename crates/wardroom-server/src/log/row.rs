//! What goes into the log and what comes out of it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wardroom_core::id::{Number, Time};

use super::LogError;

/// SHA-256.
pub type Hash = [u8; 32];

/// A stream of the log: 0 is the directory, n is incident n.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stream(pub u32);

impl Stream {
    /// The incident whose stream it is; the directory's is no incident's.
    #[must_use]
    pub const fn incident(self) -> Option<Number> {
        Number::new(self.0)
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.incident() {
            None => f.write_str("the directory"),
            Some(number) => write!(f, "incident {}", number.get()),
        }
    }
}

/// Where a stream ends: the number and the chain hash of its last event; all zero while it has none.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Tip {
    /// Counted from 1.
    pub seq: u64,
    /// Of the event of that number.
    pub hash: Hash,
}

/// Where the whole log ends.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// Changes whenever a backup is restored, so that cursors of another history are recognised.
    pub epoch: Uuid,
    /// The position of the last event; 0 while there is none.
    pub position: u64,
    /// The link of the last append.
    pub link: Hash,
}

/// Words that stand beside the chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    /// What stands for them in the chain.
    pub commitment: Hash,
    /// What keeps them from being guessed.
    pub salt: [u8; 16],
    /// The words.
    pub words: String,
}

/// An event about to be stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// What kind of event.
    pub kind: Cow<'static, str>,
    /// Of the kind's stored form.
    pub version: u16,
    /// When it is recorded, to the microsecond.
    pub at: Time,
    /// Who did it.
    pub actor: String,
    /// Sealed JSON, kept byte for byte.
    pub body: String,
    /// The words behind the body's seals.
    pub texts: Vec<Words>,
}

/// Events for one stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Write {
    /// Which.
    pub stream: Stream,
    /// Where the stream has to end for this to be right.
    pub expected: Tip,
    /// In order; never empty.
    pub drafts: Vec<Draft>,
    /// Commitments of this stream whose words go for ever. One that the stream does not have, or whose words
    /// are gone already, changes nothing: a text that was erased before a merge has no row to erase again.
    pub erase: Vec<Hash>,
}

/// By what an accepted command is remembered for ever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Whose request: the same id from two actors is two requests.
    pub actor: String,
    /// Drawn by whoever asks.
    pub id: Uuid,
    /// Of what was asked.
    pub digest: Hash,
}

/// One accepted command. Several in one batch may write to the same stream, each expecting the one before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Append {
    /// By what it is remembered.
    pub request: Request,
    /// All of them happen or none.
    pub writes: Vec<Write>,
}

/// The words of a commitment, as they are kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredText {
    /// What stands for them in the chain.
    pub commitment: Hash,
    /// `None` once they were erased.
    pub words: Option<String>,
}

/// An event as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// In the whole log, from 1 without gaps.
    pub position: u64,
    /// Whose event.
    pub stream: Stream,
    /// In its stream, from 1 without gaps.
    pub seq: u64,
    /// What kind.
    pub kind: String,
    /// Of the kind's stored form.
    pub version: u16,
    /// When it was recorded.
    pub at: Time,
    /// Who did it.
    pub actor: String,
    /// Sealed JSON.
    pub body: String,
    /// Its place in the chain.
    pub hash: Hash,
    /// The words behind the body's seals.
    pub texts: Vec<StoredText>,
    /// A column of its row that holds what Wardroom never writes, if one does: the column reads as nothing, and the
    /// event as one that cannot be read.
    pub odd: Option<&'static str>,
}

/// Reads the columns of one row. What Wardroom never writes is noted, and does not keep the rest from being read.
#[derive(Default)]
pub(super) struct Columns {
    pub odd: Option<&'static str>,
}

impl Columns {
    /// What a column holds, or nothing in its place.
    pub fn read<T: Default>(&mut self, column: &'static str, held: Option<T>) -> T {
        held.unwrap_or_else(|| {
            self.odd.get_or_insert(column);
            T::default()
        })
    }
}

/// A number on its way into a database, neither of which counts further than this: what lies beyond is never there.
pub(super) fn bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What an accepted command did in one stream.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Span {
    /// Which.
    pub stream: Stream,
    /// The number of its first event there.
    pub first: u64,
    /// The number of its last event there.
    pub last: u64,
    /// The position of that last event in the whole log. It is not remembered with a request, because the events
    /// tell it.
    #[serde(skip)]
    pub position: u64,
}

/// What is remembered of an accepted command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remembered {
    /// Of what was asked.
    pub digest: Hash,
    /// What it did.
    pub spans: Vec<Span>,
}

impl Remembered {
    /// From the two columns of its row, if they hold what Wardroom wrote.
    ///
    /// # Errors
    /// [`LogError::Damaged`] for anything else: also for nothing done, which nobody is remembered for.
    pub fn read(digest: Option<Hash>, spans: Option<&str>) -> Result<Self, LogError> {
        let spans: Option<Vec<Span>> = spans.and_then(|spans| serde_json::from_str(spans).ok());
        match (digest, spans.filter(|spans| !spans.is_empty())) {
            (Some(digest), Some(spans)) => Ok(Self { digest, spans }),
            _ => Err(LogError::damaged(Stream(0), "what it remembers of a request cannot be read")),
        }
    }
}

/// A folded state, kept so that opening an incident does not read its whole history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// Up to which event.
    pub seq: u64,
    /// That event's chain hash.
    pub hash: Hash,
    /// Sealed JSON.
    pub body: String,
}

/// One incident on the board.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BoardRow {
    /// The incident's number.
    pub number: Number,
    /// The newest event that it shows.
    pub seq: u64,
    /// Whether the incident is open.
    pub open: bool,
    /// When the clock has to look at it next.
    pub next_due: Option<Time>,
    /// Sealed JSON; whoever reads it opens it with the stream's words.
    pub body: String,
}

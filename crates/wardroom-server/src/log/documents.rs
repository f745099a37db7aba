//! State documents: what people write together, beside the log and in every backup.
//!
//! A document is its updates, one after the other and without gaps, and a snapshot in place of the oldest of them. Whose
//! a client is stands apart, so that compacting loses no authorship: what somebody wrote carries their client's number
//! for as long as it is there.

use std::collections::BTreeMap;

use tokio::sync::broadcast;
use wardroom_core::document::Part;
use wardroom_core::id::{PersonId, Time};

use super::{Log, LogError, Stream};

/// What is written to a document at once: one update, whoever it is of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DocumentWrite {
    /// As Yjs encodes it (version 1).
    pub update: Vec<u8>,
    /// When.
    pub at: Time,
    /// Clients that wrote for the first time, and whose they are from now on.
    pub clients: BTreeMap<u64, PersonId>,
    /// Parts that look different afterwards, and who wrote in them last.
    pub parts: BTreeMap<Part, PersonId>,
}

/// When a part last changed.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct PartChange {
    /// With which update.
    pub version: u64,
    /// When.
    pub at: Time,
    /// By whom.
    pub by: PersonId,
}

/// What is stored of a document, or what of it is later than somebody has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DocumentRow {
    /// The number of its newest update; 0 while nothing was written.
    pub version: u64,
    /// Everything up to an update, if that is newer than what was asked for.
    pub snapshot: Option<(u64, Vec<u8>)>,
    /// Each update after that, in order.
    pub updates: Vec<(u64, Vec<u8>)>,
    /// Whose each client is.
    pub clients: BTreeMap<u64, PersonId>,
    /// When each part last changed.
    pub parts: BTreeMap<Part, PartChange>,
}

impl DocumentRow {
    /// Takes in whose a client is, as a row says it; `None` when it says what Wardroom never writes.
    pub(super) fn own(&mut self, client: Option<u64>, owner: Option<PersonId>) -> Option<()> {
        self.clients.insert(client?, owner?);
        Some(())
    }

    /// Takes in when a part last changed, as a row says it; `None` when it says what Wardroom never writes.
    pub(super) fn change(
        &mut self,
        part: Option<Part>,
        version: Option<u64>,
        at: Option<Time>,
        by: Option<PersonId>,
    ) -> Option<()> {
        self.parts.insert(part?, PartChange { version: version?, at: at?, by: by? });
        Some(())
    }
}

/// What is said of a document with a row that Wardroom never writes.
pub(super) fn unreadable(stream: Stream) -> LogError {
    LogError::damaged(stream, "of its document, who wrote what or when cannot be read")
}

impl Log {
    /// Adds one update to a document, whole and with the next number, which it answers; `None`, with nothing written,
    /// when a client is somebody else's.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when nothing was written, [`LogError::InDoubt`] when that is not known: writing the
    /// same again does no harm then. [`LogError::Damaged`] when it never can be.
    pub async fn write_document(&self, stream: Stream, write: DocumentWrite) -> Result<Option<u64>, LogError> {
        match on_either!(self, store => store.write_document(stream, write)) {
            // Its next number is taken: what is stored of it does not agree.
            Err(LogError::Conflict) => Err(LogError::damaged(stream, "its document's updates contradict its version")),
            written => written.map_err(|error| error.at(stream)),
        }
    }

    /// What is stored of a document after an update; after 0, all of it.
    ///
    /// # Errors
    /// [`LogError::Unavailable`], [`LogError::Damaged`].
    pub async fn document(&self, stream: Stream, after: u64) -> Result<DocumentRow, LogError> {
        on_either!(self, store => store.document(stream, after)).map_err(|error| error.at(stream))
    }

    /// The number of a document's newest update.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn document_version(&self, stream: Stream) -> Result<u64, LogError> {
        on_either!(self, store => store.document_version(stream))
    }

    /// Puts a snapshot in place of every update up to this one, unless there is a newer one.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn compact_document(&self, stream: Stream, version: u64, state: Vec<u8>) -> Result<(), LogError> {
        on_either!(self, store => store.compact_document(stream, version, state))
    }

    /// What is heard of documents that other nodes wrote: which, and up to which update. It may get lost. `None` where
    /// there are no other nodes.
    #[must_use]
    pub fn document_news(&self) -> Option<broadcast::Receiver<(Stream, u64)>> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(store) => Some(store.document_news()),
        }
    }
}

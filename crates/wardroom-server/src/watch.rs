//! Watching: one reader per node follows the log and wakes everybody else.
//!
//! Watchers are woken and then read after their own cursor: from a ring of recent entries, each rendered once
//! for all readers, or from the log itself when they are further behind. Nobody trusts the waking to have
//! carried the data, and a reader that is slow costs the others nothing.

mod follower;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::sync::watch;
use uuid::Uuid;
use wardroom_core::facts::Facts;
use wardroom_core::id::Number;
use wardroom_core::incident::Kind;
use wardroom_core::seal;
use wardroom_core::telling::tell;

use crate::log::{Log, LogError, Stored, Stream};
use crate::stored::{opened, recorded};
use crate::streams::{DIRECTORY, Streams};

pub(crate) use follower::{Changed, Follower, Piece};

/// Recent entries that are kept rendered.
const RING: usize = 8_192;
/// What they may weigh together, in bytes: notes can be long, and nobody's notes may fill the memory.
const RING_BYTES: usize = 32 << 20;
/// What a reader is handed at once may weigh, in bytes; a single entry may weigh more.
pub const PIECE_BYTES: usize = 256 << 10;
/// Events read at once.
const PAGE: usize = 250;
/// How long the watcher rests after a round. An entry that comes alone is shown at once; under load, what is
/// appended meanwhile is read together, or reading would cost the store as much as appending.
const REST: Duration = Duration::from_millis(2);
/// How long to wait after the store could not be read.
const AGAIN: Duration = Duration::from_millis(500);

/// One entry, rendered once for all readers.
#[derive(Clone, Debug)]
pub struct Shown {
    /// In the whole log.
    pub position: u64,
    /// Whose entry.
    pub stream: Stream,
    /// As a server-sent event, its blank line included.
    pub frame: Bytes,
}

/// What a reader finds after its cursor.
pub enum After {
    /// These entries, in order; none means that it is up to date.
    Entries(Vec<Arc<Shown>>),
    /// It is further behind than the ring goes: read the log.
    Behind,
}

/// Recent entries, bounded in number and in bytes.
#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<Arc<Shown>>,
    bytes: usize,
}

impl Ring {
    fn clear(&mut self) {
        *self = Self::default();
    }

    fn push(&mut self, shown: Shown) {
        self.bytes += shown.frame.len();
        self.entries.push_back(Arc::new(shown));
        while self.entries.len() > RING || self.bytes > RING_BYTES {
            let Some(oldest) = self.entries.pop_front() else { return };
            self.bytes -= oldest.frame.len();
        }
    }

    /// From the entry after `position` on, at most `limit` and a piece's bytes, but at least one.
    fn after(&self, position: u64, limit: usize) -> After {
        let Some(first) = self.entries.front().filter(|first| first.position <= position + 1) else {
            return After::Behind;
        };
        let skip = usize::try_from(position + 1 - first.position).unwrap_or(usize::MAX);
        let mut bytes = 0;
        let fits = |shown: &&Arc<Shown>| {
            let fits = bytes < PIECE_BYTES;
            bytes += shown.frame.len();
            fits
        };
        After::Entries(self.entries.iter().skip(skip).take(limit).take_while(fits).cloned().collect())
    }
}

/// The node's view of the log's tail. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Watch {
    epoch: Uuid,
    ring: Arc<RwLock<Ring>>,
    position: Arc<watch::Sender<u64>>,
}

/// A cursor: an epoch and a position in it, as `epoch.position`.
#[must_use]
pub fn cursor(epoch: Uuid, position: u64) -> String {
    format!("{}.{position}", epoch.simple())
}

/// Renders an entry for readers: what happened, with its words as they are now.
pub(crate) fn render(epoch: Uuid, stored: &Stored, facts: &Facts) -> serde_json::Value {
    let incident = stored.stream.incident();
    let recorded = incident.and_then(|_| recorded(stored).ok());
    let mut body = opened(stored).unwrap_or_default();
    seal::reveal(&mut body);
    if let Some(parts) = body["parts"].as_object_mut().filter(|_| stored.kind == "document_marked") {
        // Whole texts, which each reader would be sent again and again: they are read where they are asked for.
        parts.values_mut().for_each(|part| drop(part.as_object_mut().map(|part| part.remove("text"))));
    }
    json!({
        "cursor": cursor(epoch, stored.position),
        "incident": incident,
        "entry": stored.seq,
        "at": stored.at,
        "actor": stored.actor,
        "kind": stored.kind,
        "body": body,
        "told": recorded.as_ref().map(|recorded| tell(recorded, facts)),
        "matters": recorded.as_ref().is_some_and(|recorded| recorded.event.matters()),
        "stands_out": recorded.as_ref().is_some_and(|recorded| recorded.event.stands_out()),
    })
}

/// Renders an entry as a server-sent event. JSON has no line breaks of its own, so one `data` line is enough.
pub(crate) fn frame(epoch: Uuid, stored: &Stored, facts: &Facts) -> Bytes {
    let id = cursor(epoch, stored.position);
    format!("id: {id}\nevent: entry\ndata: {}\n\n", render(epoch, stored, facts)).into()
}

impl Watch {
    /// Starts following the log from its present end.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the end cannot be read.
    pub async fn start(log: Log, streams: Streams) -> Result<Self, LogError> {
        let head = log.head().await?;
        streams.refresh_directory().await?;
        let watch =
            Self { epoch: head.epoch, ring: Arc::default(), position: Arc::new(watch::Sender::new(head.position)) };
        tokio::spawn(watch.clone().follow(log, streams, head.position));
        Ok(watch)
    }

    async fn follow(self, log: Log, streams: Streams, mut position: u64) {
        loop {
            let read = async {
                log.wait_after(position).await?;
                log.read_all(position, PAGE).await
            };
            match read.await {
                Ok(events) => {
                    if let Err(error) = self.take_in(&streams, &events).await {
                        tracing::warn!(%error, "the directory could not be read; trying again");
                        tokio::time::sleep(AGAIN).await;
                        continue;
                    }
                    position = events.last().map_or(position, |last| last.position);
                    if events.len() < PAGE {
                        tokio::time::sleep(REST).await;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the log could not be read; trying again");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Brings folded states up to date, then shows the entries: whoever is woken finds the state that goes
    /// with what woke them.
    async fn take_in(&self, streams: &Streams, events: &[Stored]) -> Result<(), LogError> {
        let Some(last) = events.last() else { return Ok(()) };
        if events.iter().any(|stored| stored.stream == DIRECTORY) {
            streams.refresh_directory().await?;
        }
        let mut by_incident: BTreeMap<Number, Vec<Stored>> = BTreeMap::new();
        for stored in events {
            if let Some(number) = stored.stream.incident() {
                by_incident.entry(number).or_default().push(stored.clone());
            }
        }
        for (number, events) in by_incident {
            streams.advance(number, &events);
        }
        let facts = streams.directory().directory.facts.clone();
        let shown = events.iter().map(|stored| Shown {
            position: stored.position,
            stream: stored.stream,
            frame: frame(self.epoch, stored, &facts),
        });
        {
            let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
            if events.iter().any(|stored| matches!(stored.kind.as_str(), "redacted" | "person_forgotten")) {
                ring.clear(); // What is rendered may hold words that are gone; readers turn to the log.
            }
            shown.for_each(|shown| ring.push(shown));
        }
        self.position.send_replace(last.position);
        Ok(())
    }

    /// The epoch that cursors of this log name.
    #[must_use]
    pub fn epoch(&self) -> Uuid {
        self.epoch
    }

    /// The newest position that can be read here.
    #[must_use]
    pub fn position(&self) -> u64 {
        *self.position.borrow()
    }

    /// Tells when there is more.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.position.subscribe()
    }

    /// At most `limit` entries after a position.
    #[must_use]
    pub fn after(&self, position: u64, limit: usize) -> After {
        if position >= self.position() {
            return After::Entries(Vec::new());
        }
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        ring.after(position, limit)
    }
}

/// Whether a stream's entries may be shown to somebody, looked up once per stream and reading.
#[derive(Default)]
pub struct Sight(HashMap<Stream, bool>);

/// Who looks, and at what.
#[derive(Clone, Copy, Debug)]
pub struct Viewer {
    /// Who.
    pub person: wardroom_core::id::PersonId,
    /// Sees the directory's stream too.
    pub admin: bool,
    /// Asked for drills (rule 11).
    pub drills: bool,
    /// Only this incident.
    pub only: Option<Number>,
}

impl Sight {
    /// Whether a viewer may see a stream now. A restricted incident shows nothing to the uninvited, not even
    /// what happened before it was restricted.
    ///
    /// # Errors
    /// [`LogError`] when the incident cannot be folded.
    pub async fn of(&mut self, streams: &Streams, viewer: Viewer, stream: Stream) -> Result<bool, LogError> {
        if let Some(known) = self.0.get(&stream) {
            return Ok(*known);
        }
        let sees = match (viewer.only, stream.incident()) {
            (Some(only), shown) if shown != Some(only) => false,
            (_, None) => viewer.admin,
            (_, Some(number)) => match streams.incident(number).await {
                Ok(held) => held.is_some_and(|held| {
                    let asked_for = held.incident.kind != Kind::Drill || viewer.drills || viewer.only.is_some();
                    asked_for && held.incident.visible_to(viewer.person, &streams.directory().directory.facts)
                }),
                // Who may know of it cannot be told any more; the others go on.
                Err(LogError::Damaged { .. }) => false,
                Err(error) => return Err(error),
            },
        };
        self.0.insert(stream, sees);
        Ok(sees)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(position: u64, bytes: usize) -> Shown {
        Shown { position, stream: Stream(1), frame: vec![b'x'; bytes].into() }
    }

    fn positions(after: After) -> Option<Vec<u64>> {
        match after {
            After::Entries(entries) => Some(entries.iter().map(|shown| shown.position).collect()),
            After::Behind => None,
        }
    }

    #[test]
    fn long_entries_do_not_fill_the_memory() {
        let mut ring = Ring::default();
        (1..=2_000).for_each(|position| ring.push(shown(position, 160_000)));
        assert!(ring.bytes <= RING_BYTES && ring.entries.len() > 100);
        assert_eq!(ring.bytes, ring.entries.iter().map(|shown| shown.frame.len()).sum::<usize>());
        assert_eq!(positions(ring.after(0, 512)), None, "a reader so far behind turns to the log");
        assert_eq!(positions(ring.after(1_990, 512)), Some(vec![1_991, 1_992]));
        ring.push(shown(2_001, RING_BYTES / 2));
        assert_eq!(positions(ring.after(2_000, 512)), Some(vec![2_001]), "one entry always fits");
        (2_002..=20_000).for_each(|position| ring.push(shown(position, 10)));
        assert_eq!(ring.entries.len(), RING);
        assert_eq!(positions(ring.after(19_900, 512)).map(|all| all.len()), Some(100));
        assert_eq!(positions(ring.after(12_000, 512)).map(|all| all.len()), Some(512));
    }
}

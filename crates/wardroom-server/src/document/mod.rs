//! The state document: what people write together, beside the log.
//!
//! [`wire`] and [`judge`] read what peers send, [`paper`] is the text, and a [`room`] is a document that is open on this
//! node. A document has no log position of its own: nothing of it passes through `decide`, but who may write in it.

pub mod close;
mod hearing;
pub mod judge;
pub mod limits;
pub mod load;
pub mod paper;
mod presences;
mod room;
pub mod seat;
mod storing;
mod waiting;
pub mod wire;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use wardroom_core::document::{Part, PartWritten, Written};
use wardroom_core::id::{Number, PersonId};

use crate::log::{Log, LogError, PartChange};
use crate::metrics::Gauge;
use crate::streams::{Streams, stream_of};
use limits::SOCKETS_MAX;
use load::{Load, Share};
use room::{Room, Word};
use seat::{Guest, Inbox};
use storing::paper_of;

/// Words that wait for a room; whoever says more waits with them.
const WORDS: usize = 1_024;

/// Every document that is open on this node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Documents(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    log: Log,
    streams: Streams,
    news: watch::Receiver<u64>,
    open: Mutex<Open>,
    peers: AtomicU64,
    damaged: Damaged,
    /// How many rooms and sockets there are.
    busy: watch::Sender<usize>,
}

/// Which documents are damaged, as far as anybody opened them here, and how many as health says it.
#[derive(Clone, Debug)]
struct Damaged(Arc<Mutex<BTreeSet<Number>>>, Gauge);

impl Damaged {
    fn set(&self, number: Number, damaged: bool) {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if damaged {
            numbers.insert(number)
        } else {
            numbers.remove(&number)
        };
        self.1.set(i64::try_from(numbers.len()).unwrap_or(i64::MAX));
    }
}

#[derive(Debug, Default)]
struct Open {
    rooms: HashMap<Number, Door>,
    sockets: HashMap<(Number, PersonId), usize>,
}

/// How one speaks to a room.
#[derive(Clone, Debug)]
struct Door {
    words: mpsc::Sender<Word>,
    load: Load,
}

/// Counts as busy until it is dropped: a server that stops waits for it.
#[derive(Debug)]
pub struct Busy(Documents);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.0.busy.send_modify(|busy| *busy -= 1);
    }
}

/// Somebody's place in a document; they leave when it is dropped.
#[derive(Debug)]
pub struct Place {
    documents: Documents,
    number: Number,
    person: PersonId,
    peer: u64,
    words: mpsc::Sender<Word>,
    share: Share,
    _busy: Busy,
}

impl Documents {
    /// None is open yet. `news` turns with every entry of the log; `damaged` says how many are found to be so.
    #[must_use]
    pub fn new(log: Log, streams: Streams, news: watch::Receiver<u64>, damaged: Gauge) -> Self {
        let damaged = Damaged(Arc::default(), damaged);
        let (open, peers, busy) = (Mutex::default(), AtomicU64::new(0), watch::Sender::new(0));
        Self(Arc::new(Shared { log, streams, news, open, peers, damaged, busy }))
    }

    /// Takes a place in an incident's document; `None` when this person has as many as they may.
    pub async fn join(&self, number: Number, guest: Guest, inbox: Inbox) -> Option<Place> {
        {
            let mut open = self.lock();
            let sockets = open.sockets.entry((number, guest.person)).or_default();
            if *sockets >= SOCKETS_MAX {
                return None;
            }
            *sockets += 1;
        }
        let (person, peer) = (guest.person, self.0.peers.fetch_add(1, Ordering::Relaxed));
        let busy = self.busy();
        let mut word = Word::Joins(peer, guest, inbox);
        loop {
            let Door { words, load } = self.room(number);
            match words.send(word).await {
                Ok(()) => {
                    let (documents, share) = (self.clone(), load.share());
                    return Some(Place { documents, number, person, peer, words, share, _busy: busy });
                }
                // It has just been closed: there is a new one.
                Err(mpsc::error::SendError(same)) => word = same,
            }
        }
    }

    fn room(&self, number: Number) -> Door {
        let mut open = self.lock();
        if let Some(door) = open.rooms.get(&number).filter(|door| !door.words.is_closed()) {
            return door.clone();
        }
        let (sender, words) = mpsc::channel(WORDS);
        let shared = &self.0;
        let room = Room::new(
            number,
            shared.log.clone(),
            shared.streams.clone(),
            shared.news.clone(),
            words,
            shared.damaged.clone(),
        );
        let door = Door { words: sender, load: Load::new() };
        open.rooms.insert(number, door.clone());
        let (documents, busy) = (self.clone(), self.busy());
        tokio::spawn(async move {
            room.hold(|words| documents.may_close(number, words)).await;
            drop(busy);
        });
        door
    }

    /// Forgets a room in which nobody is, unless somebody has just come.
    fn may_close(&self, number: Number, words: &mpsc::Receiver<Word>) -> bool {
        let mut open = self.lock();
        // Whoever may still say something holds a sender, which is had under this lock alone.
        let ends = words.is_empty() && open.rooms.get(&number).is_some_and(|door| door.words.strong_count() == 1);
        if ends {
            open.rooms.remove(&number);
        }
        ends
    }

    /// Keeps a server that stops waiting.
    #[must_use]
    pub fn busy(&self) -> Busy {
        self.0.busy.send_modify(|busy| *busy += 1);
        Busy(self.clone())
    }

    /// Returns when everybody has left and everything is kept.
    pub async fn ended(&self) {
        let _ = self.0.busy.subscribe().wait_for(|busy| *busy == 0).await;
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is written in an incident's document and kept, at this moment.
///
/// # Errors
/// Whatever kept it from being read.
pub async fn written(log: &Log, number: Number) -> Result<Written, LogError> {
    read(log, number).await.map(|(written, _)| written)
}

/// The same, and when each part last changed.
///
/// # Errors
/// Whatever kept it from being read: [`LogError::Damaged`] of the incident's stream when what is stored is none of what
/// is ever stored.
pub async fn read(log: &Log, number: Number) -> Result<(Written, BTreeMap<Part, PartChange>), LogError> {
    let row = log.document(stream_of(number), 0).await?;
    let paper = paper_of(&row).map_err(|why| LogError::damaged(stream_of(number), why))?;
    let changed = |part| row.parts.get(&part).map_or(0, |change| change.version);
    let words = paper.all_words().map_err(|_| LogError::damaged(stream_of(number), "its document cannot be read"))?;
    let parts = words.into_iter();
    let by = |part| row.parts.get(&part).map(|change| (change.by, change.at));
    let parts = parts.map(|(part, words)| (part, PartWritten { changed: changed(part), by: by(part), words }));
    Ok((Written { version: row.version, parts: parts.collect() }, row.parts))
}

impl Place {
    /// Says something, once there is room for what it weighs; false when the room is gone.
    pub async fn say(&self, message: Bytes) -> bool {
        let weight = self.share.take(message.len()).await;
        self.words.send(Word::Says(self.peer, message, weight)).await.is_ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(mpsc::error::TrySendError::Full(word)) = self.words.try_send(Word::Leaves(self.peer)) {
            let (words, busy) = (self.words.clone(), self.documents.busy());
            tokio::spawn(async move {
                let _ = words.send(word).await;
                drop(busy);
            });
        }
        let mut open = self.documents.lock();
        if let Some(sockets) = open.sockets.get_mut(&(self.number, self.person)) {
            *sockets -= 1;
            if *sockets == 0 {
                open.sockets.remove(&(self.number, self.person));
            }
        }
    }
}

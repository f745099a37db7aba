//! A room: one document that is open on this node, and everybody who has it open here.
//!
//! Between two writes to the store, what the room holds is exactly what is stored. Updates are gathered, judged and taken
//! in together, written in one go, and only then acknowledged and shown; whoever asks for the text meanwhile is answered
//! after that. So nothing is shown that a power cut could take back, and the store is asked once for all who typed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout_at};
use wardroom_core::document::Part;
use wardroom_core::id::{Number, PersonId};

use super::close::Close;
use super::judge::merged;
use super::limits::GATHER;
use super::paper::Paper;
use super::presences::Presences;
use super::seat::{Guest, Inbox, Seat};
use super::wire::{self, Clocks, Presence};
use crate::clock;
use crate::log::{DocumentRow, DocumentWrite, Log, LogError, PartChange, Stream};
use crate::streams::{Streams, stream_of};

/// How often a room looks around by itself: for rights that changed, and for other nodes.
const LOOK: Duration = Duration::from_millis(500);
/// How long to wait after the store could not.
const AGAIN: Duration = Duration::from_millis(500);
/// Words that are taken together.
const TOGETHER: usize = 512;
/// Updates after which they are put together, and what they may weigh until then, in bytes.
const COMPACT_AFTER: usize = 500;
const COMPACT_BYTES: usize = 512 << 10;
/// How far apart a page is told how old each part is.
const CLOCK_APART: Duration = Duration::from_secs(1);

/// What a room is told.
#[derive(Debug)]
pub(super) enum Word {
    /// Somebody takes a seat.
    Joins(u64, Guest, Inbox),
    /// Somebody says something.
    Says(u64, Bytes),
    /// Somebody is gone.
    Leaves(u64),
}

/// An open document.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) number: Number,
    pub(super) log: Log,
    pub(super) streams: Streams,
    pub(super) words: mpsc::Receiver<Word>,
    pub(super) news: watch::Receiver<u64>,
    pub(super) seats: BTreeMap<u64, Seat>,
    pub(super) presences: Presences,
    pub(super) paper: Paper,
    /// The update up to which it has everything.
    pub(super) version: u64,
    pub(super) clients: BTreeMap<u64, PersonId>,
    pub(super) parts: BTreeMap<Part, PartChange>,
    /// Updates since the last snapshot, and what they weigh.
    loose: (usize, usize),
    /// When pages were last told how old each part is, and whether that has changed.
    clock_told: Option<Instant>,
    clock_stale: bool,
}

/// What a round of words came to.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// What was taken in, exactly.
    pub(super) updates: Vec<Vec<u8>>,
    /// Clients that wrote for the first time.
    pub(super) clients: BTreeMap<u64, PersonId>,
    pub(super) parts: BTreeMap<Part, PersonId>,
    /// Who wrote.
    pub(super) writers: BTreeSet<u64>,
    /// Whose messages are kept once this is written, and up to which of them.
    pub(super) kept: BTreeMap<u64, u64>,
    /// Who joined.
    pub(super) joined: Vec<u64>,
    /// Who asked for what they have not, and what they have.
    pub(super) asked: BTreeMap<u64, Clocks>,
    /// Who is there, or is no more.
    pub(super) present: Vec<Presence>,
}

/// Waits until another node is heard of to have written more of a document than this.
async fn written_elsewhere(news: &mut Option<broadcast::Receiver<(Stream, u64)>>, stream: Stream, version: u64) {
    let Some(receiver) = news else { return std::future::pending().await };
    loop {
        match receiver.recv().await {
            Ok((of, up_to)) if of != stream || up_to <= version => {}
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
            Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
        }
    }
}

impl Room {
    /// An empty one; what is stored is read as its first act.
    pub(super) fn new(
        number: Number,
        log: Log,
        streams: Streams,
        news: watch::Receiver<u64>,
        words: mpsc::Receiver<Word>,
    ) -> Self {
        Self {
            number,
            log,
            streams,
            words,
            news,
            seats: BTreeMap::new(),
            presences: Presences::default(),
            paper: Paper::new(),
            version: 0,
            clients: BTreeMap::new(),
            parts: BTreeMap::new(),
            loose: (0, 0),
            clock_told: None,
            clock_stale: false,
        }
    }

    /// Holds the document for as long as anybody has it open. `close` is asked whether it may end: false, when somebody
    /// has just come.
    pub(super) async fn hold(mut self, close: impl Fn(&mpsc::Receiver<Word>) -> bool) {
        let mut elsewhere = self.log.document_news();
        self.read_anew().await;
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let stream = stream_of(self.number);
            tokio::select! {
                word = self.words.recv() => match word {
                    Some(word) => self.round(word).await,
                    None => return self.compact(1).await,
                },
                () = written_elsewhere(&mut elsewhere, stream, self.version) => self.catch_up().await,
                _ = self.news.changed() => self.tell_rights().await,
                _ = look.tick() => {
                    if elsewhere.is_some() {
                        self.catch_up().await;
                    }
                    self.take_what_waits().await;
                    self.tell_rights().await;
                    self.tell_clock();
                }
            }
            if self.seats.is_empty() {
                self.compact(1).await;
                if close(&self.words) {
                    return;
                }
            }
        }
    }

    /// Takes what is said, for a moment longer if it is written, and goes through all of it together.
    async fn round(&mut self, first: Word) {
        let writes = |word: &Word| matches!(word, Word::Says(_, message) if message.first() == Some(&0));
        let until = Instant::now() + GATHER;
        let mut gathers = writes(&first);
        let mut words = vec![first];
        while words.len() < TOGETHER {
            let next = match self.words.try_recv() {
                Ok(next) => next,
                Err(_) if gathers => match timeout_at(until, self.words.recv()).await {
                    Ok(Some(next)) => next,
                    Ok(None) | Err(_) => break,
                },
                Err(_) => break,
            };
            gathers |= writes(&next);
            words.push(next);
        }
        let mut round = Round::default();
        let rights = self.rights().await;
        for word in words {
            self.hear(&mut round, word, &rights).await;
        }
        self.end_round(round).await;
    }

    /// Writes what was taken in, and tells everybody.
    pub(super) async fn end_round(&mut self, mut round: Round) {
        if !round.updates.is_empty() && !self.write(&mut round).await {
            round.kept.clear();
        }
        for (peer, up_to) in std::mem::take(&mut round.kept) {
            let Some(seat) = self.seats.get_mut(&peer) else { continue };
            seat.saved = seat.saved.max(up_to);
            let saved = seat.saved;
            seat.tell(|| wire::saved(saved));
        }
        for peer in std::mem::take(&mut round.joined) {
            self.greet(peer).await;
        }
        for (peer, clocks) in std::mem::take(&mut round.asked) {
            if let Some(seat) = self.seats.get(&peer).filter(|seat| !seat.inbox.is_closing()) {
                seat.inbox.send(wire::answers(&self.paper.since(&clocks)).into());
            }
        }
        if !round.present.is_empty() {
            let message = Bytes::from(wire::present(round.present.iter()));
            self.seats.values().for_each(|seat| seat.inbox.send(message.clone()));
        }
        self.tell_clock();
        let closing: Vec<u64> =
            self.seats.iter().filter(|(_, seat)| seat.inbox.is_closing()).map(|(peer, _)| *peer).collect();
        for peer in closing {
            self.leave(peer);
        }
    }

    /// Somebody goes, and so does their cursor.
    pub(super) fn leave(&mut self, peer: u64) {
        self.seats.remove(&peer);
        let gone = self.presences.leave(peer);
        if !gone.is_empty() {
            let message = Bytes::from(wire::present(gone.iter()));
            self.seats.values().for_each(|seat| seat.inbox.send(message.clone()));
        }
    }

    /// Has a round's updates stored, however long that takes, and shows them. False when a client turned out to be
    /// somebody else's, on another node: nothing of the round is there then.
    async fn write(&mut self, round: &mut Round) -> bool {
        let Some(update) = merged(&round.updates) else {
            tracing::error!(number = %self.number, "updates do not follow on each other; this is a bug");
            self.begin_anew(round).await;
            return false;
        };
        let (clients, parts) = (round.clients.clone(), round.parts.clone());
        let write = DocumentWrite { update: update.clone(), at: clock::now(), clients, parts };
        let stream = stream_of(self.number);
        let version = loop {
            match self.log.write_document(stream, write.clone()).await {
                Ok(Some(version)) => break version,
                Ok(None) => {
                    self.begin_anew(round).await;
                    return false;
                }
                Err(error) => {
                    // Nobody is told that it is kept. Written twice it does no harm.
                    tracing::warn!(number = %self.number, %error, "what was written could not be kept yet");
                    sleep(AGAIN).await;
                }
            }
        };
        self.loose = (self.loose.0 + 1, self.loose.1 + update.len());
        let message = Bytes::from(wire::writes(&update));
        let only = if round.writers.len() == 1 { round.writers.first().copied() } else { None };
        for (_, seat) in self.seats.iter().filter(|(peer, _)| Some(**peer) != only) {
            seat.inbox.send(message.clone());
        }
        let authors = self.authors_of(&round.clients);
        self.clients.append(&mut round.clients);
        if let Some(authors) = authors {
            self.seats.values().for_each(|seat| seat.tell(|| wire::authors(&authors)));
        }
        for (part, by) in &round.parts {
            self.parts.insert(*part, PartChange { version, at: write.at, by: *by });
        }
        self.clock_stale = true;
        if version == self.version + 1 {
            self.version = version;
        } else {
            self.catch_up().await;
        }
        self.compact(COMPACT_AFTER).await;
        true
    }

    /// Throws away what could not be kept. Whoever wrote it is asked for everything again.
    pub(super) async fn begin_anew(&mut self, round: &mut Round) {
        self.read_anew().await;
        for peer in &round.writers {
            let Some(seat) = self.seats.get_mut(peer) else { continue };
            seat.gap = true;
            seat.inbox.send(wire::has(self.paper.clocks()).into());
        }
        round.updates.clear();
        for (client, by) in std::mem::take(&mut round.clients) {
            if self.clients.get(&client).is_none_or(|owner| *owner == by) {
                continue;
            }
            let writers =
                self.seats.iter().filter(|(peer, seat)| seat.guest.person == by && round.writers.contains(peer));
            writers.for_each(|(_, seat)| seat.inbox.close(Close::foreign_client()));
        }
    }

    /// Makes the text from what is stored, however long that takes, and shows all of it to whoever is here.
    pub(super) async fn read_anew(&mut self) {
        loop {
            match self.stored().await {
                Ok(()) if self.seats.is_empty() => return,
                Ok(()) => {
                    let message = Bytes::from(wire::writes(&self.paper.state()));
                    return self.seats.values().for_each(|seat| seat.inbox.send(message.clone()));
                }
                Err(error) => {
                    tracing::warn!(number = %self.number, %error, "a document could not be read");
                    sleep(AGAIN).await;
                }
            }
        }
    }

    async fn stored(&mut self) -> Result<(), LogError> {
        let stream = stream_of(self.number);
        let row = self.log.document(stream, 0).await?;
        self.paper = paper_of(&row).map_err(|why| LogError::damaged(stream, why))?;
        self.loose = (row.updates.len(), row.updates.iter().map(|(_, update)| update.len()).sum());
        (self.version, self.clients, self.parts) = (row.version, row.clients, row.parts);
        self.clock_stale = true;
        Ok(())
    }

    /// Takes in what other nodes wrote, and shows it.
    async fn catch_up(&mut self) {
        let stream = stream_of(self.number);
        let found = match self.log.document_version(stream).await {
            Ok(version) if version <= self.version => return,
            Ok(_) => self.log.document(stream, self.version).await,
            Err(error) => Err(error),
        };
        let row = match found {
            Ok(row) => row,
            Err(error) => return tracing::warn!(number = %self.number, %error, "a document could not be looked at"),
        };
        let mut taken = Vec::new();
        let snapshot = row.snapshot.iter().map(|(_, state)| state);
        for update in snapshot.chain(row.updates.iter().map(|(_, update)| update)) {
            match self.paper.take_in(update) {
                Ok(one) => taken.extend(one.map(|one| one.update)),
                Err(why) => {
                    tracing::error!(number = %self.number, ?why, "an update of another node does not fit");
                    return self.read_anew().await;
                }
            }
        }
        let news: BTreeMap<u64, PersonId> = row
            .clients
            .iter()
            .filter(|(client, _)| !self.clients.contains_key(client))
            .map(|(c, p)| (*c, *p))
            .collect();
        let authors = self.authors_of(&news);
        self.loose.0 += row.updates.len();
        (self.version, self.clients, self.parts) = (row.version, row.clients, row.parts);
        self.clock_stale = true;
        let together = merged(&taken).map(|update| vec![update]).unwrap_or(taken);
        for update in together.iter().filter(|update| **update != [0, 0]) {
            let message = Bytes::from(wire::writes(update));
            self.seats.values().for_each(|seat| seat.inbox.send(message.clone()));
        }
        if let Some(authors) = authors {
            self.seats.values().for_each(|seat| seat.tell(|| wire::authors(&authors)));
        }
        self.tell_clock();
    }

    /// Puts a snapshot in place of the updates, when there are so many or they weigh so much. What was deleted in the
    /// text leaves the store with them.
    async fn compact(&mut self, after: usize) {
        if self.loose.0 < after && self.loose.1 < COMPACT_BYTES {
            return;
        }
        if self.loose.0 == 0 {
            return;
        }
        match self.log.compact_document(stream_of(self.number), self.version, self.paper.state()).await {
            Ok(()) => self.loose = (0, 0),
            Err(error) => {
                // Nothing depends on it.
                tracing::warn!(number = %self.number, %error, "a document could not be put together");
                self.loose.1 = 0;
            }
        }
    }

    /// Tells pages how old each part is, if that has changed, and not too often.
    fn tell_clock(&mut self) {
        let told = self.clock_told.is_none_or(|told| told.elapsed() >= CLOCK_APART);
        if !self.clock_stale || !told || self.seats.is_empty() {
            return;
        }
        (self.clock_told, self.clock_stale) = (Some(Instant::now()), false);
        let clock = self.clock();
        self.seats.values().for_each(|seat| seat.tell(|| wire::clock(self.version, &clock)));
    }
}

/// The text of what is stored.
///
/// # Errors
/// What is wrong with it.
pub(super) fn paper_of(row: &DocumentRow) -> Result<Paper, &'static str> {
    let snapshot = row.snapshot.iter().map(|(_, state)| state.as_slice());
    let paper = Paper::of(snapshot.chain(row.updates.iter().map(|(_, update)| update.as_slice())));
    paper.map_err(|_| "an update of its document cannot be applied")
}

//! A room: one document that is open on this node, and everybody who has it open here.
//!
//! Between two writes to the store, what the room holds is exactly what is stored. Whoever writes alone is taken in at
//! once, and what comes within a moment of that together: judged, written in one go, and only then acknowledged and
//! shown; whoever asks for the text meanwhile is answered after that. So nothing is shown that a power cut could take
//! back, and the store is asked once for all who typed.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use wardroom_core::document::Part;
use wardroom_core::id::{Number, PersonId};

use super::Damaged;
use super::close::Close;
use super::hearing::Rights;
use super::limits::APART;
use super::load::Weight;
use super::paper::Paper;
use super::presences::Presences;
use super::seat::{Guest, Inbox, Seat};
use super::wire::{self, Clocks, Presence};
use crate::log::{Log, PartChange, Stream};
use crate::streams::{Streams, stream_of};

/// How often a room looks around by itself: for rights that changed, and for other nodes.
const LOOK: Duration = Duration::from_millis(500);
/// How long to wait after the store could not.
pub(super) const AGAIN: Duration = Duration::from_millis(500);
/// Words that are taken together.
const TOGETHER: usize = 512;
/// Updates after which they are put together, and what they may weigh until then, in bytes.
pub(super) const COMPACT_AFTER: usize = 500;
pub(super) const COMPACT_BYTES: usize = 512 << 10;
/// How far apart a page is told how old each part is.
const CLOCK_APART: Duration = Duration::from_secs(1);

/// What a room is told.
#[derive(Debug)]
pub(super) enum Word {
    /// Somebody takes a seat.
    Joins(u64, Guest, Inbox),
    /// Somebody says something.
    Says(u64, Bytes, Weight),
    /// Somebody is gone.
    Leaves(u64),
}

impl Word {
    /// Whether it may wait for others. Whoever comes sees nothing until what they ask first is answered.
    fn may_wait(&self, seats: &BTreeMap<u64, Seat>) -> bool {
        match self {
            Self::Joins(..) | Self::Leaves(_) => false,
            Self::Says(peer, message, _) => !seats.get(peer).is_some_and(|seat| seat.asks_first(message)),
        }
    }
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
    pub(super) loose: (usize, usize),
    pub(super) aside: Damaged,
    /// What is stored of it is damaged: it is not to be had.
    pub(super) damaged: bool,
    /// Before when nothing more is written and shown.
    next: Instant,
    /// When pages were last told how old each part is, and whether that has changed.
    clock_told: Option<Instant>,
    pub(super) clock_stale: bool,
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
    pub(super) writers: BTreeMap<u64, Guest>,
    /// By what it is decided who may write.
    pub(super) rights: Rights,
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
        aside: Damaged,
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
            next: Instant::now(),
            clock_told: None,
            clock_stale: false,
            aside,
            damaged: false,
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
                    self.let_go();
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

    /// Takes what is said, not too soon after what was said before, with all that has come meanwhile.
    async fn round(&mut self, first: Word) {
        if first.may_wait(&self.seats) && self.next > Instant::now() {
            sleep_until(self.next).await;
        }
        self.next = Instant::now() + APART;
        let mut words = vec![first];
        while words.len() < TOGETHER {
            let Ok(next) = self.words.try_recv() else { break };
            words.push(next);
        }
        let mut round = Round { rights: self.rights().await, ..Round::default() };
        for word in words {
            self.hear(&mut round, word).await;
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
            self.greet(peer, &round.rights);
        }
        for (peer, clocks) in std::mem::take(&mut round.asked) {
            let Some(seat) = self.seats.get(&peer).filter(|seat| !seat.inbox.is_closing()) else { continue };
            match self.paper.since(&clocks) {
                Ok(update) => seat.inbox.send(wire::answers(&update).into()),
                Err(_) => {
                    tracing::error!(number = %self.number, "a question broke the text, which is made anew");
                    seat.inbox.close(Close::malformed("it cannot be answered"));
                    self.read_anew().await;
                }
            }
        }
        if !round.present.is_empty() {
            let message = Bytes::from(wire::present(round.present.iter()));
            self.seats.values().for_each(|seat| seat.inbox.send(message.clone()));
        }
        self.tell_clock();
        self.let_go();
    }

    /// Whoever is being closed is gone.
    fn let_go(&mut self) {
        let closing = self.seats.iter().filter(|(_, seat)| seat.inbox.is_closing());
        for peer in closing.map(|(peer, _)| *peer).collect::<Vec<u64>>() {
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

    /// Tells pages how old each part is, if that has changed, and not too often.
    pub(super) fn tell_clock(&mut self) {
        let told = self.clock_told.is_none_or(|told| told.elapsed() >= CLOCK_APART);
        if !self.clock_stale || !told || self.seats.is_empty() {
            return;
        }
        (self.clock_told, self.clock_stale) = (Some(Instant::now()), false);
        let clock = self.clock();
        self.seats.values().for_each(|seat| seat.tell(|| wire::clock(self.version, &clock)));
    }
}

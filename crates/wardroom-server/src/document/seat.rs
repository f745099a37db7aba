//! A peer's place in a room: who it is, how far what they sent is kept, and what waits to be sent to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use wardroom_core::id::PersonId;

use super::close::Close;
use super::limits::{QUEUE_BYTES, QUEUE_MAX};
use super::waiting::Waiting;
use super::wire;

/// Updates of somebody who may not write before they are closed: a page that was told stops at once.
const REFUSED_MAX: u32 = 32;

/// How far apart somebody is asked for everything for whom there was no room.
const FULL_APART: Duration = Duration::from_secs(3);

/// Who takes a seat.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Who it is.
    pub person: PersonId,
    /// Whether what let them in allows to act at all.
    pub acts: bool,
    /// Whether it is a page that understands more than y-websocket.
    pub ours: bool,
}

/// What a socket has to send.
#[derive(Debug)]
pub struct Outbox {
    messages: mpsc::Receiver<Bytes>,
    bytes: Arc<AtomicUsize>,
    /// Why to close, as soon as there is a reason.
    pub closing: watch::Receiver<Option<Close>>,
}

/// A room's side of an outbox.
#[derive(Debug)]
pub struct Inbox {
    messages: mpsc::Sender<Bytes>,
    bytes: Arc<AtomicUsize>,
    closing: watch::Sender<Option<Close>>,
}

/// Both sides.
#[must_use]
pub fn boxes() -> (Inbox, Outbox) {
    let (sender, messages) = mpsc::channel(QUEUE_MAX);
    let (close, closing) = watch::channel(None);
    let bytes = Arc::new(AtomicUsize::new(0));
    (Inbox { messages: sender, bytes: Arc::clone(&bytes), closing: close }, Outbox { messages, bytes, closing })
}

impl Outbox {
    /// The next message, when there is one; `None` when the room is gone.
    pub async fn next(&mut self) -> Option<Bytes> {
        let message = self.messages.recv().await?;
        self.bytes.fetch_sub(message.len(), Ordering::Relaxed);
        Some(message)
    }

    /// One that is there already.
    pub fn ready(&mut self) -> Option<Bytes> {
        let message = self.messages.try_recv().ok()?;
        self.bytes.fetch_sub(message.len(), Ordering::Relaxed);
        Some(message)
    }
}

impl Inbox {
    /// Sends a message. Whoever has not taken what waits for them is closed: they come back and are told all of it.
    pub fn send(&self, message: Bytes) {
        let length = message.len();
        let waits = self.bytes.fetch_add(length, Ordering::Relaxed);
        if waits + length > QUEUE_BYTES || self.messages.try_send(message).is_err() {
            self.close(Close::too_slow());
        }
    }

    /// Has the socket closed; the first reason counts.
    pub fn close(&self, why: Close) {
        self.closing.send_if_modified(|closing| {
            let first = closing.is_none();
            closing.get_or_insert(why);
            first
        });
    }

    /// Whether it is being closed.
    pub fn is_closing(&self) -> bool {
        self.closing.borrow().is_some()
    }
}

/// How far a peer is along with the document.
#[derive(Debug)]
pub struct Seat {
    /// Who it is.
    pub guest: Guest,
    /// What is sent to them.
    pub inbox: Inbox,
    /// Messages of theirs that carried something to keep.
    pub came: u64,
    /// How many of these are kept, all before them too.
    pub saved: u64,
    /// Whether some of it was not taken in, so that nothing later counts as kept before a whole answer is.
    pub gap: bool,
    /// Whether some of it was left out because they may not write: what follows on that is left out as well.
    pub left_out: bool,
    /// Whether they have answered what was asked at the beginning: until then, what they write may follow on what only
    /// the answer brings.
    pub answered: bool,
    /// When they were last asked for everything, if there was no room for something that they wrote, and whether anything
    /// has changed since.
    pub full: Option<(Instant, bool)>,
    /// What waits for that answer.
    pub waiting: Waiting,
    /// Whether they have asked what there is.
    pub has_asked: bool,
    /// Whether they were asked again for everything because something was missing.
    pub asked_again: bool,
    /// Updates that came although they may not write.
    pub refused: u32,
    /// What they were last told of whether they may write.
    pub may: Option<Result<(), String>>,
}

impl Seat {
    /// A new one.
    #[must_use]
    pub fn new(guest: Guest, inbox: Inbox) -> Self {
        Self {
            guest,
            inbox,
            came: 0,
            saved: 0,
            gap: false,
            left_out: false,
            answered: false,
            full: None,
            waiting: Waiting::default(),
            has_asked: false,
            asked_again: false,
            refused: 0,
            may: None,
        }
    }

    /// Whether a message is their first question for the text: until it is answered, they see nothing.
    pub fn asks_first(&self, message: &[u8]) -> bool {
        !self.has_asked && wire::asks(message)
    }

    /// Tells them that they may not write, and why; whoever goes on is closed.
    pub fn refuse(&mut self, why: String) {
        self.refused += 1;
        self.tell(|| wire::may(false, &why));
        self.may = Some(Err(why));
        if self.refused > REFUSED_MAX {
            self.inbox.close(Close::may_not_write());
        }
    }

    /// Tells them that there is no room for what they wrote.
    pub fn is_full(&mut self, why: &str) {
        (self.gap, self.left_out) = (true, true);
        self.full.get_or_insert_with(|| (Instant::now(), false));
        self.tell(|| wire::full(why));
    }

    /// Whether it is time to ask whether there is room now: only after something has changed.
    pub fn may_fit(&mut self) -> bool {
        let may = self.full.is_some_and(|(asked, changed)| changed && asked.elapsed() >= FULL_APART);
        if may {
            self.full = Some((Instant::now(), false));
        }
        may
    }

    /// Tells our own page something.
    pub fn tell(&self, message: impl FnOnce() -> Vec<u8>) {
        if self.guest.ours {
            self.inbox.send(message().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What hurries starts a round at once, and whoever could hurry again and again would have no one wait for any.
    #[test]
    fn only_the_first_question_hurries() {
        let (inbox, _outbox) = boxes();
        let mut seat = Seat::new(Guest { person: PersonId(uuid::Uuid::nil()), acts: true, ours: true }, inbox);
        let question = wire::has(&wire::Clocks::new());
        for other in [wire::writes(&[0, 0]), wire::answers(&[0, 0]), wire::present([].iter()), vec![3], Vec::new()] {
            assert!(!seat.asks_first(&other), "{other:?}");
        }
        assert!(seat.asks_first(&question));
        seat.has_asked = true;
        assert!(!seat.asks_first(&question));
    }

    #[test]
    fn what_waits_for_a_peer_is_bounded_by_weight_and_by_number() {
        let (inbox, mut outbox) = boxes();
        let half = Bytes::from(vec![0; QUEUE_BYTES / 2]);
        inbox.send(half.clone());
        inbox.send(half.clone());
        outbox.ready();
        inbox.send(half);
        assert!(!inbox.is_closing(), "what they have taken makes room");
        inbox.send(Bytes::from_static(&[0]));
        assert!(inbox.is_closing());

        let (inbox, _outbox) = boxes();
        (0..QUEUE_MAX).for_each(|_| inbox.send(Bytes::new()));
        assert!(!inbox.is_closing());
        inbox.send(Bytes::new());
        assert!(inbox.is_closing());
    }
}

//! A body that arrives whole, or is said to be too large once most of it has come.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::problem::Problem;

/// How long what has to come in time may take: once for what comes at once, and once more for the rest when it has a turn.
/// GitHub and clusters send theirs in a fraction of that.
const PATIENCE: Duration = Duration::from_secs(3);
/// So many bytes are taken without a turn: most bodies are smaller, and whoever sends slowly is in nobody's way.
const AT_ONCE: usize = 64 << 10;

/// There is more of it than is read.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct TooLarge;

/// How many bytes a body says that it has. One that does not say may have as many as it likes, up to the bound.
pub(super) fn said(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The bytes of a body, at most so many. What is too large is taken for a while and thrown away: cut off at once, its
/// sender might never read why.
///
/// # Errors
/// [`TooLarge`].
async fn whole(said: Option<u64>, body: Body, most: usize) -> Result<Bytes, TooLarge> {
    if said.is_some_and(|said| usize::try_from(said).is_ok_and(|said| said > most)) {
        let mut pieces = body.into_data_stream();
        let mut left = 2 * most;
        while let (Some(Ok(piece)), 1..) = (pieces.next().await, left) {
            left = left.saturating_sub(piece.len());
        }
        return Err(TooLarge);
    }
    to_bytes(body, most).await.map_err(|_| TooLarge)
}

/// Why a body that has to come in time did not arrive.
#[derive(Debug)]
pub(super) enum Unarrived {
    /// There is more of it than is read.
    TooLarge,
    /// It was too slow, or there was no turn for it.
    Late(Problem),
}

impl From<TooLarge> for Unarrived {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

/// The bytes of a body, at most so many, that come in time, with the room that they have: in these `rooms` as they come, and
/// what is larger than most by the `turn` that it waits for. Nothing has room that has not come and has no turn, and nobody
/// has a turn for long.
///
/// # Errors
/// [`Unarrived`].
pub(super) async fn in_time(
    said: Option<u64>,
    body: Body,
    most: usize,
    rooms: &[&Arc<Semaphore>],
    turn: impl Future<Output = Result<Vec<OwnedSemaphorePermit>, Problem>>,
) -> Result<(Bytes, Vec<OwnedSemaphorePermit>), Unarrived> {
    let late = |_| {
        let sentence = "This took too long to arrive.";
        Unarrived::Late(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", sentence))
    };
    if said.is_some_and(|said| usize::try_from(said).is_ok_and(|said| said > most)) {
        let refused = timeout(PATIENCE, whole(said, body, most)).await.map_err(late)?;
        return Ok((refused?, Vec::new()));
    }
    let mut arriving = Arriving::new(body);
    if timeout(PATIENCE, arriving.is_whole_within(AT_ONCE.min(most), rooms)).await.map_err(late)?? {
        return Ok(arriving.taken());
    }
    let turn = turn.await.map_err(Unarrived::Late)?;
    match timeout(PATIENCE, arriving.is_whole_within(most, &[])).await.map_err(late)?? {
        true => Ok((arriving.taken().0, turn)),
        false => Err(Unarrived::TooLarge),
    }
}

/// A body that is taken as it comes, and only as far as there is room for it.
struct Arriving {
    pieces: BodyDataStream,
    taken: BytesMut,
    room: Vec<OwnedSemaphorePermit>,
}

impl Arriving {
    fn new(body: Body) -> Self {
        Self { pieces: body.into_data_stream(), taken: BytesMut::new(), room: Vec::new() }
    }

    /// Takes what comes until it is whole, or has more than so many bytes and a piece; `false` when there may be more. Each
    /// piece waits for room in each of these, in KiB of what has come so far.
    ///
    /// # Errors
    /// [`TooLarge`] also when the body breaks off: nobody is there to be told.
    async fn is_whole_within(&mut self, most: usize, rooms: &[&Arc<Semaphore>]) -> Result<bool, TooLarge> {
        while self.taken.len() <= most {
            let Some(piece) = self.pieces.next().await else { return Ok(true) };
            let piece = piece.map_err(|_| TooLarge)?;
            self.weigh(rooms, piece.len()).await;
            self.taken.extend_from_slice(&piece);
        }
        Ok(false)
    }

    async fn weigh(&mut self, rooms: &[&Arc<Semaphore>], more: usize) {
        let needed = (self.taken.len() + more).div_ceil(1024);
        for (nth, shared) in rooms.iter().enumerate() {
            let held = self.room.get(nth).map_or(0, OwnedSemaphorePermit::num_permits);
            let needed = u32::try_from(needed.saturating_sub(held)).unwrap_or(u32::MAX);
            let room = Arc::clone(shared).acquire_many_owned(needed).await.expect("the semaphore is never closed");
            match self.room.get_mut(nth) {
                Some(held) => held.merge(room),
                None => self.room.push(room),
            }
        }
    }

    /// What came, with the room that it has.
    fn taken(self) -> (Bytes, Vec<OwnedSemaphorePermit>) {
        (self.taken.freeze(), self.room)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, stream};

    use super::*;

    #[tokio::test]
    async fn what_comes_slowly_has_as_little_room_as_has_come() {
        let shared = Arc::new(Semaphore::new(3));
        let pieces = stream::iter(["a", "b", "c"].map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece))));
        let mut slow = Arriving::new(Body::from_stream(pieces));
        assert_eq!(slow.is_whole_within(1, &[&shared]).await, Ok(false));
        assert_eq!(shared.available_permits(), 2);
        let mut large = Arriving::new(Body::from(vec![0; 2_500]));
        assert!(large.is_whole_within(5_000, &[&shared]).now_or_never().is_none(), "there is no room for it");
        assert_eq!(slow.is_whole_within(5_000, &[]).await, Ok(true), "with a turn of its own it needs none");
        let (bytes, room) = slow.taken();
        assert_eq!((&bytes[..], shared.available_permits()), (&b"abc"[..], 2));
        drop(room);
        let mut large = Arriving::new(Body::from(vec![0; 2_500]));
        assert_eq!(large.is_whole_within(5_000, &[&shared]).await, Ok(true));
        let (bytes, room) = large.taken();
        assert_eq!((bytes.len(), shared.available_permits()), (2_500, 0));
        drop(room);
        assert_eq!(shared.available_permits(), 3);
    }

    /// A body that begins with so many bytes, and sends no more of them.
    fn stuck(bytes: usize) -> Body {
        let begun = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![0; bytes]))]);
        Body::from_stream(begun.chain(stream::pending()))
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_sends_slowly_has_no_turn_for_what_has_not_come_and_none_for_long() {
        let (small, large) = (Arc::new(Semaphore::new(64)), Arc::new(Semaphore::new(1)));
        let turn = async || Ok(vec![Arc::clone(&large).acquire_owned().await.unwrap()]);
        let rooms = [&small];
        let mut slow = Box::pin(in_time(Some(3 << 20), stuck(1), 3 << 20, &rooms, turn()));
        assert!(futures_util::poll!(&mut slow).is_pending());
        assert_eq!((small.available_permits(), large.available_permits()), (63, 1));
        let mut begun = Box::pin(in_time(Some(3 << 20), stuck(AT_ONCE + 1), 3 << 20, &[], turn()));
        assert!(futures_util::poll!(&mut begun).is_pending());
        assert_eq!(large.available_permits(), 0);
        // The next one waits, and has its turn when the slow one is done with.
        let next = in_time(None, Body::from(vec![0; AT_ONCE + 1]), 3 << 20, &[], turn());
        let (next, begun) = tokio::join!(next, begun);
        assert_eq!(next.unwrap().0.len(), AT_ONCE + 1);
        for late in [slow.await, begun] {
            assert!(matches!(late, Err(Unarrived::Late(problem)) if problem.code() == "too_slow"));
        }
        assert_eq!((small.available_permits(), large.available_permits()), (64, 1));
    }
}

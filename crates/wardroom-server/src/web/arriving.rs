//! A body that arrives whole, or is said to be too large once most of it has come.

use std::sync::Arc;

use axum::body::{Body, BodyDataStream, to_bytes};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// There is more of it than is read.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct TooLarge;

/// How many bytes a body says that it has. One that does not say may have as many as it likes, up to the bound.
pub(super) fn said(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The bytes of a body, at most so many. What is too large is taken for a while and thrown away: cut off at once, its
/// sender might never read why.
///
/// # Errors
/// [`TooLarge`].
pub(super) async fn whole(said: Option<u64>, body: Body, most: usize) -> Result<Bytes, TooLarge> {
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

/// A body that is taken as it comes, and only as far as there is room for it.
pub(super) struct Arriving {
    pieces: BodyDataStream,
    taken: BytesMut,
    room: Option<OwnedSemaphorePermit>,
}

impl Arriving {
    pub fn new(body: Body) -> Self {
        Self { pieces: body.into_data_stream(), taken: BytesMut::new(), room: None }
    }

    /// Takes what comes until it is whole, or has more than so many bytes and a piece; `false` when there may be more. Each
    /// piece waits for room among others, where there is one to share, in KiB of what has come so far.
    ///
    /// # Errors
    /// [`TooLarge`] also when the body breaks off: nobody is there to be told.
    pub async fn is_whole_within(&mut self, most: usize, shared: Option<&Arc<Semaphore>>) -> Result<bool, TooLarge> {
        while self.taken.len() <= most {
            let Some(piece) = self.pieces.next().await else { return Ok(true) };
            let piece = piece.map_err(|_| TooLarge)?;
            if let Some(shared) = shared {
                self.weigh(shared, piece.len()).await;
            }
            self.taken.extend_from_slice(&piece);
        }
        Ok(false)
    }

    async fn weigh(&mut self, shared: &Arc<Semaphore>, more: usize) {
        let held = self.room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let needed = (self.taken.len() + more).div_ceil(1024).saturating_sub(held);
        let needed = u32::try_from(needed).unwrap_or(u32::MAX);
        let room = Arc::clone(shared).acquire_many_owned(needed).await.expect("the semaphore is never closed");
        match &mut self.room {
            Some(held) => held.merge(room),
            None => self.room = Some(room),
        }
    }

    /// What came, with the room that it has.
    pub fn taken(self) -> (Bytes, Option<OwnedSemaphorePermit>) {
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
        assert_eq!(slow.is_whole_within(1, Some(&shared)).await, Ok(false));
        assert_eq!(shared.available_permits(), 2);
        let mut large = Arriving::new(Body::from(vec![0; 2_500]));
        assert!(large.is_whole_within(5_000, Some(&shared)).now_or_never().is_none(), "there is no room for it");
        assert_eq!(slow.is_whole_within(5_000, None).await, Ok(true), "with a turn of its own it needs none");
        let (bytes, room) = slow.taken();
        assert_eq!((&bytes[..], shared.available_permits()), (&b"abc"[..], 2));
        drop(room);
        let mut large = Arriving::new(Body::from(vec![0; 2_500]));
        assert_eq!(large.is_whole_within(5_000, Some(&shared)).await, Ok(true));
        let (bytes, room) = large.taken();
        assert_eq!((bytes.len(), shared.available_permits()), (2_500, 0));
        drop(room);
        assert_eq!(shared.available_permits(), 3);
    }
}

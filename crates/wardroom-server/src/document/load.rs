//! What waits for a room, by weight: whoever sends much waits until what they sent before is taken in.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::{HEARD_BYTES, HEARD_ROOM_BYTES};

/// How much may still wait for a room. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Load(Arc<Semaphore>);

/// One peer's part of it.
#[derive(Debug)]
pub struct Share {
    room: Load,
    own: Arc<Semaphore>,
}

/// Counts for as long as a message waits.
#[derive(Debug)]
pub struct Weight {
    _held: Option<[OwnedSemaphorePermit; 2]>,
}

impl Load {
    /// Nothing waits yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(HEARD_ROOM_BYTES)))
    }

    /// A peer's part.
    #[must_use]
    pub fn share(&self) -> Share {
        Share { room: self.clone(), own: Arc::new(Semaphore::new(HEARD_BYTES)) }
    }
}

impl Default for Load {
    fn default() -> Self {
        Self::new()
    }
}

impl Share {
    /// Waits until so many bytes may wait, first by what this peer has waiting and then by what all have: nobody takes
    /// from the others' room who waits for their own.
    pub async fn take(&self, bytes: usize) -> Weight {
        let weigh = |most: usize| u32::try_from(bytes.clamp(1, most)).unwrap_or(u32::MAX);
        let own = Arc::clone(&self.own).acquire_many_owned(weigh(HEARD_BYTES)).await;
        let room = Arc::clone(&self.room.0).acquire_many_owned(weigh(HEARD_ROOM_BYTES)).await;
        // Neither is ever closed.
        Weight { _held: own.ok().zip(room.ok()).map(|(own, room)| [own, room]) }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn what_waits_is_bounded_by_what_it_weighs() {
        let room = Load::new();
        let [mary, robin] = [room.share(), room.share()];
        let hers = mary.take(HEARD_BYTES).now_or_never().expect("it may wait");
        assert!(mary.take(1).now_or_never().is_none(), "she waits for what she sent before");
        assert!(
            robin.take(HEARD_BYTES * 2).now_or_never().is_some(),
            "others do not, and nothing is too large for ever"
        );
        let many: Vec<Share> = (0..HEARD_ROOM_BYTES / HEARD_BYTES).map(|_| room.share()).collect();
        let waits: Vec<Option<Weight>> = many.iter().map(|one| one.take(HEARD_BYTES).now_or_never()).collect();
        assert_eq!(waits.iter().filter(|one| one.is_none()).count(), 1, "together they fill it");
        drop(hers);
        assert!(many.last().unwrap().take(HEARD_BYTES).now_or_never().is_some());
    }
}

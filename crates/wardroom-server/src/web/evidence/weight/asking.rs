//! Room for what clusters ask, in which nobody is late for what others send slowly: what is not answered in time is let
//! through.
//!
//! Each token has a share of its own, so that whoever sends much with one keeps nobody waiting who has another. Within a share
//! what has come has room as it comes, up to where it is large; what is large waits for a turn.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{free, room};
use crate::web::problem::Problem;
use crate::web::who::By;

/// What has come without a turn, in KiB: of all tokens together, and of one.
const BEGINNING: (usize, usize) = (32 << 10, 16 << 10);
/// What has a turn, in KiB: of all tokens together, and of one.
const LARGE: (usize, usize) = (32 << 10, 16 << 10);

/// The room that there is for all.
#[derive(Debug)]
pub(super) struct Asking {
    all: Arc<Room>,
    shares: Mutex<HashMap<By, Arc<Room>>>,
}

#[derive(Debug)]
struct Room {
    beginning: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

/// The room that one token has.
#[derive(Clone, Debug)]
pub(in crate::web) struct Share {
    own: Arc<Room>,
    all: Arc<Room>,
}

impl Room {
    fn of(beginning: usize, large: usize) -> Arc<Self> {
        Arc::new(Self { beginning: free(beginning), large: free(large) })
    }

    /// Whether nothing is in it.
    fn is_idle(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) == 1
            && [(&self.beginning, BEGINNING.1), (&self.large, LARGE.1)]
                .iter()
                .all(|(room, most)| room.available_permits() == *most)
    }
}

impl Default for Asking {
    fn default() -> Self {
        Self { all: Room::of(BEGINNING.0, LARGE.0), shares: Mutex::default() }
    }
}

impl Asking {
    /// The share of whoever asks by this. It is remembered while anything is in it.
    pub fn share(&self, by: By) -> Share {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.retain(|known, share| *known == by || !share.is_idle());
        let own = shares.entry(by).or_insert_with(|| Room::of(BEGINNING.1, LARGE.1));
        Share { own: Arc::clone(own), all: Arc::clone(&self.all) }
    }
}

impl Share {
    /// Rooms for what has come and is not large, in KiB.
    pub fn beginning(&self) -> [&Arc<Semaphore>; 2] {
        [&self.own.beginning, &self.all.beginning]
    }

    /// A turn at asking so many bytes, for as long as what is returned lives.
    ///
    /// # Errors
    /// 503 when there is none for a while.
    pub async fn turn(&self, bytes: u64) -> Result<Vec<OwnedSemaphorePermit>, Problem> {
        let own = room(&self.own.large, bytes).await?;
        Ok(vec![own, room(&self.all.large, bytes).await?])
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use uuid::Uuid;
    use wardroom_core::id::TokenId;

    use super::*;

    const fn token(of: u128) -> By {
        By::Token(TokenId(Uuid::from_u128(of)))
    }

    #[tokio::test]
    async fn whoever_sends_much_with_one_token_keeps_nobody_waiting_who_has_another() {
        let asking = Asking::default();
        let mut there = Vec::new();
        while let Some(turn) = asking.share(token(1)).turn(3 << 20).now_or_never() {
            there.push(turn.unwrap());
        }
        assert_eq!(there.len(), 5);
        let large = asking.share(token(2)).turn(3 << 20).now_or_never();
        assert!(large.is_some_and(|turn| turn.is_ok()));
        there.pop();
        assert!(asking.share(token(1)).turn(3 << 20).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_share_is_remembered_while_anything_is_in_it() {
        let asking = Asking::default();
        let known = |asking: &Asking| asking.shares.lock().unwrap().len();
        let there = asking.share(token(1)).turn(1).await.unwrap();
        asking.share(token(2));
        asking.share(token(3));
        assert_eq!(known(&asking), 2, "the first and the last");
        drop(there);
        asking.share(token(3));
        assert_eq!(known(&asking), 1);
    }
}

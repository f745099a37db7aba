//! Room for what clusters ask and what others tell, in which nobody is late for what others send slowly: what is not answered
//! in time a cluster lets through.
//!
//! Each token has a share of its own, so that whoever sends much with one keeps nobody waiting who has another. Within a share
//! what has come has room as it comes, up to where it is large; what is large waits for a turn.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{free, room};
use crate::web::problem::Problem;
use crate::web::who::By;

/// The room that there is for all.
#[derive(Debug)]
pub(super) struct Shares {
    all: Arc<Room>,
    /// How much one token has, in KiB.
    each: usize,
    shares: Mutex<HashMap<By, Arc<Room>>>,
}

#[derive(Debug)]
struct Room {
    /// For what has come without a turn.
    beginning: Arc<Semaphore>,
    /// For what has a turn.
    large: Arc<Semaphore>,
    /// How much there is of either, in KiB.
    most: usize,
}

/// The room that one token has.
#[derive(Clone, Debug)]
pub(in crate::web) struct Share {
    own: Arc<Room>,
    all: Arc<Room>,
}

impl Room {
    fn of(most: usize) -> Arc<Self> {
        Arc::new(Self { beginning: free(most), large: free(most), most })
    }

    /// Whether nothing is in it.
    fn is_idle(self: &Arc<Self>) -> bool {
        let unused = |room: &Semaphore| room.available_permits() == self.most;
        Arc::strong_count(self) == 1 && unused(&self.beginning) && unused(&self.large)
    }
}

impl Shares {
    /// Room of so much, in KiB, once for what is beginning and once for what is large: for all tokens together, and for each.
    pub fn of(all: usize, each: usize) -> Self {
        Self { all: Room::of(all), each, shares: Mutex::default() }
    }

    /// The share of whoever comes by this. It is remembered while anything is in it.
    pub fn share(&self, by: By) -> Share {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.retain(|known, share| *known == by || !share.is_idle());
        let own = shares.entry(by).or_insert_with(|| Room::of(self.each));
        Share { own: Arc::clone(own), all: Arc::clone(&self.all) }
    }
}

impl Share {
    /// Rooms for what has come and is not large, in KiB.
    pub fn beginning(&self) -> [&Arc<Semaphore>; 2] {
        [&self.own.beginning, &self.all.beginning]
    }

    /// A turn at bringing so many bytes, for as long as what is returned lives.
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
        let shares = Shares::of(32 << 10, 16 << 10);
        let mut there = Vec::new();
        while let Some(turn) = shares.share(token(1)).turn(3 << 20).now_or_never() {
            there.push(turn.unwrap());
        }
        assert_eq!(there.len(), 5);
        let large = shares.share(token(2)).turn(3 << 20).now_or_never();
        assert!(large.is_some_and(|turn| turn.is_ok()));
        there.pop();
        assert!(shares.share(token(1)).turn(3 << 20).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_share_is_remembered_while_anything_is_in_it() {
        let shares = Shares::of(32 << 10, 16 << 10);
        let known = |shares: &Shares| shares.shares.lock().unwrap().len();
        let there = shares.share(token(1)).turn(1).await.unwrap();
        shares.share(token(2));
        shares.share(token(3));
        assert_eq!(known(&shares), 2, "the first and the last");
        drop(there);
        shares.share(token(3));
        assert_eq!(known(&shares), 1);
    }
}

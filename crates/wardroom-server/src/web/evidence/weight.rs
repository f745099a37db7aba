//! How much is in memory at once of what is larger than a command: evidence on its way in, evidence on its way out, what
//! clusters ask and what others tell. Each has room of its own, so that none keeps another waiting: whoever waits for much
//! stands before all who come later, however little these need.

mod shares;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wardroom_core::evidence::WHOLE_MAX;

use shares::{Share, Shares};

use crate::fetch::AT_ONCE;
use crate::web::problem::Problem;
use crate::web::who::By;

/// What is on its way in, in KiB.
const TAKING: usize = 64 << 10;
/// What is on its way out, in KiB.
const GIVING: usize = 128 << 10;
/// What a piece on its way out weighs at the most, in bytes, however large it is: it is read while it is sent.
const GIVEN: u64 = 1 << 20;
/// How many archives are made at once. Each holds a page of events, a sheet or a piece at a time.
const LEAVING: usize = 4;
/// How many large webhooks are read at once that nobody vouches for before they are read.
const HEARING: usize = 8;
/// What of webhooks is there before they have a turn, in KiB.
const BEGINNING: usize = 32 << 10;
/// What clusters ask, in KiB: of all tokens together, and of one.
const ASKING: [usize; 2] = [32 << 10, 16 << 10];
/// Changes that are told of with a token, on their way in, in KiB: of all tokens together, and of one.
const TELLING: [usize; 2] = [8 << 10, 4 << 10];
/// How long somebody waits for their turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much more evidence fits into memory.
#[derive(Clone, Debug)]
pub struct Weights {
    taking: Arc<Semaphore>,
    giving: Arc<Semaphore>,
    leaving: Arc<Semaphore>,
    hearing: Arc<Semaphore>,
    beginning: Arc<Semaphore>,
    fetching: Arc<Semaphore>,
    asking: Arc<Shares>,
    telling: Arc<Shares>,
}

impl Default for Weights {
    fn default() -> Self {
        let [taking, giving, leaving, hearing] = [TAKING, GIVING, LEAVING, HEARING].map(free);
        let [fetching, beginning] = [AT_ONCE, BEGINNING].map(free);
        let [asking, telling] = [ASKING, TELLING].map(|[all, each]| Arc::new(Shares::of(all, each)));
        Self { taking, giving, leaving, hearing, beginning, fetching, asking, telling }
    }
}

impl Weights {
    /// Room for so many bytes on their way in, for as long as what is returned lives.
    ///
    /// # Errors
    /// 503 when there is none for a while.
    pub(in crate::web) async fn to_take(&self, bytes: u64) -> Result<OwnedSemaphorePermit, Problem> {
        room(&self.taking, bytes).await
    }

    /// The same, for bytes on their way out.
    ///
    /// # Errors
    /// 503 when there is none for a while.
    pub(in crate::web) async fn to_give(&self, bytes: u64) -> Result<OwnedSemaphorePermit, Problem> {
        room(&self.giving, bytes.min(GIVEN)).await
    }

    /// A turn at making an archive, for as long as what is returned lives.
    ///
    /// # Errors
    /// 503 when there is none for a while.
    pub(in crate::web) async fn to_leave(&self) -> Result<OwnedSemaphorePermit, Problem> {
        turn(&self.leaving, 1).await
    }

    /// A turn at reading what may turn out to be signed, for as long as what is returned lives: strangers take no room of
    /// evidence.
    ///
    /// # Errors
    /// 503 when there is none for a while.
    pub(in crate::web) async fn to_hear(&self) -> Result<OwnedSemaphorePermit, Problem> {
        turn(&self.hearing, 1).await
    }

    /// Room, in KiB, for what may turn out to be signed and has no turn. Whoever sends slowly has little of it.
    pub(in crate::web) fn beginning(&self) -> &Arc<Semaphore> {
        &self.beginning
    }

    /// A turn at fetching something, with room for it, for as long as what is returned lives: whoever waits for their turn
    /// takes no room yet.
    ///
    /// # Errors
    /// 503 when there is none for a while.
    pub(in crate::web) async fn to_fetch(&self) -> Result<[OwnedSemaphorePermit; 2], Problem> {
        let turn = turn(&self.fetching, 1).await?;
        Ok([turn, self.to_take(WHOLE_MAX).await?])
    }

    /// Room for what is asked by this, as clusters ask: apart from all others.
    pub(in crate::web) fn asking(&self, by: By) -> Share {
        self.asking.share(by)
    }

    /// Room for what is told of changes by this, apart from what others tell.
    pub(in crate::web) fn telling(&self, by: By) -> Share {
        self.telling.share(by)
    }
}

fn free(most: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(most))
}

async fn room(weight: &Arc<Semaphore>, bytes: u64) -> Result<OwnedSemaphorePermit, Problem> {
    let kibibytes = u32::try_from(bytes.min(WHOLE_MAX).div_ceil(1024)).unwrap_or(u32::MAX);
    turn(weight, kibibytes).await
}

async fn turn(at: &Arc<Semaphore>, many: u32) -> Result<OwnedSemaphorePermit, Problem> {
    let turn = tokio::time::timeout(PATIENCE, Arc::clone(at).acquire_many_owned(many)).await;
    turn.ok().and_then(Result::ok).ok_or_else(Problem::busy)
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, poll};
    use std::pin::pin;
    use uuid::Uuid;
    use wardroom_core::id::TokenId;

    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_waits_until_something_has_gone() {
        let weights = Weights::default();
        let mut there = Vec::new();
        for _ in 0..6 {
            there.push(weights.to_take(WHOLE_MAX).await.unwrap());
        }
        let mut waiting = pin!(weights.to_take(WHOLE_MAX));
        assert!(poll!(&mut waiting).is_pending());
        assert!(weights.to_take(1).now_or_never().is_none(), "what comes later waits behind it");
        there.pop();
        assert!(poll!(&mut waiting).is_ready());
        assert!(weights.to_take(1).now_or_never().is_some());
    }

    #[tokio::test]
    async fn whoever_waits_for_much_keeps_nobody_waiting_who_brings_something_else() {
        let weights = Weights::default();
        let mut there = Vec::new();
        for _ in 0..6 {
            there.push(weights.to_take(WHOLE_MAX).await.unwrap());
        }
        let mut waiting = pin!(weights.to_take(WHOLE_MAX));
        assert!(poll!(&mut waiting).is_pending());
        let cluster = weights.asking(By::Token(TokenId(Uuid::from_u128(1))));
        assert!(cluster.turn(3 << 20).now_or_never().is_some(), "a cluster is answered");
        let pipeline = weights.telling(By::Token(TokenId(Uuid::from_u128(2))));
        assert!(pipeline.turn(1 << 20).now_or_never().is_some(), "changes are heard of");
        assert!(weights.to_give(WHOLE_MAX).now_or_never().is_some(), "reading waits for nobody who writes");
    }

    #[tokio::test]
    async fn whoever_waits_for_a_turn_at_fetching_takes_no_room() {
        let weights = Weights::default();
        let mut there = Vec::new();
        for _ in 0..AT_ONCE {
            there.push(weights.to_fetch().await.unwrap());
        }
        let mut waiting = [(); 4].map(|()| Box::pin(weights.to_fetch()));
        for one in &mut waiting {
            assert!(poll!(one).is_pending());
        }
        assert!(weights.to_take(WHOLE_MAX).now_or_never().is_some(), "there is room for what is sent");
        there.pop();
        assert!(poll!(&mut waiting[0]).is_ready());
    }
}

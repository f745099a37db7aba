//! How much evidence is in memory at once: it is bounded on its way in and, apart from that, on its way out, so that
//! neither keeps the other waiting.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wardroom_core::evidence::WHOLE_MAX;

use crate::web::problem::Problem;

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
}

impl Default for Weights {
    fn default() -> Self {
        let [taking, giving, leaving, hearing, beginning] =
            [TAKING, GIVING, LEAVING, HEARING, BEGINNING].map(|most| Arc::new(Semaphore::new(most)));
        Self { taking, giving, leaving, hearing, beginning }
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
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_waits_until_something_has_gone() {
        let weights = Weights::default();
        let mut there = Vec::new();
        for _ in 0..6 {
            there.push(weights.to_take(WHOLE_MAX).await.unwrap());
        }
        assert!(weights.to_take(WHOLE_MAX).now_or_never().is_none());
        assert!(weights.to_take(1).now_or_never().is_some(), "what is small still fits");
        assert!(weights.to_give(WHOLE_MAX).now_or_never().is_some(), "reading waits for nobody who writes");
        there.pop();
        assert!(weights.to_take(WHOLE_MAX).now_or_never().is_some());
    }
}

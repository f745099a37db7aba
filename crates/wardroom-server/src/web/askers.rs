//! How often the gate is asked by one token or session: whoever asks in a loop is told so, and keeps nobody else waiting.
//!
//! Who has not asked for a while may ask much at once, and after that as much as is answered in that time. What is remembered
//! is bounded; the least recent goes first. It is of this node alone.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tokio::time::Instant;

use super::who::By;

/// So often one may ask within a minute: more than a house's pipelines do together.
pub const MINUTELY_MAX: u32 = 600;
const MINUTE: Duration = Duration::from_secs(60);
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(10_000).expect("it is not 0");

/// Who asked lately.
#[derive(Debug)]
pub struct Askers {
    /// When each would be done, had what they asked come evenly.
    until: Mutex<LruCache<By, Instant>>,
}

impl Default for Askers {
    fn default() -> Self {
        Self { until: Mutex::new(LruCache::new(REMEMBERED)) }
    }
}

impl Askers {
    /// Somebody asks now.
    ///
    /// # Errors
    /// For how long they have to wait, who asked too often.
    pub fn ask(&self, by: By, now: Instant) -> Result<(), Duration> {
        let mut all = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let until = all.get_or_insert_mut(by, || now);
        let then = (*until).max(now) + MINUTE / MINUTELY_MAX;
        match then.duration_since(now).checked_sub(MINUTE) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                *until = then;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use wardroom_core::id::TokenId;

    use super::*;

    fn token(of: u128) -> By {
        By::Token(TokenId(Uuid::from_u128(of)))
    }

    #[test]
    fn whoever_asks_in_a_loop_waits_and_nobody_else_does() {
        let (askers, start) = (Askers::default(), Instant::now());
        let asked = |by: By, now: Instant| (0..2_000).take_while(|_| askers.ask(by, now).is_ok()).count();
        assert_eq!(asked(token(1), start), 600);
        assert_eq!(askers.ask(token(1), start), Err(Duration::from_millis(100)));
        assert_eq!(askers.ask(token(2), start), Ok(()));
        // What was refused counts for nothing.
        assert_eq!(asked(token(1), start + Duration::from_secs(1)), 10);
        assert_eq!(asked(token(1), start + Duration::from_secs(61)), 600);
    }

    #[test]
    fn memory_is_bounded() {
        let (askers, now) = (Askers::default(), Instant::now());
        (0..20_000).for_each(|of| assert_eq!(askers.ask(token(of), now), Ok(())));
        assert_eq!(askers.until.lock().unwrap().len(), REMEMBERED.get());
    }
}

//! How often the gate is asked by one token or session: whoever asks in a loop is told so, and keeps nobody else waiting.
//!
//! Who has not asked for a while may ask a minute's worth at once, and after that as much as is answered in that time. What is remembered
//! is bounded; the least recent goes first. It is of this node alone.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tokio::time::Instant;

use super::who::By;
use crate::config::AtMost;

const MINUTE: Duration = Duration::from_secs(60);
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(10_000).expect("it is not 0");

/// Who asked lately.
#[derive(Debug)]
pub struct Askers {
    /// How long one question takes of its asker's minute.
    each: Duration,
    /// When each would be done, had what they asked come evenly.
    until: Mutex<LruCache<By, Instant>>,
}

impl Askers {
    /// So often each may ask a second, and a minute's worth of that at once.
    #[must_use]
    pub fn new(per_second: AtMost) -> Self {
        let per_second = u32::try_from(per_second.get()).unwrap_or(u32::MAX);
        Self { each: Duration::from_secs(1) / per_second, until: Mutex::new(LruCache::new(REMEMBERED)) }
    }

    /// Somebody asks now.
    ///
    /// # Errors
    /// For how long they have to wait, who asked too often.
    pub fn ask(&self, by: By, now: Instant) -> Result<(), Duration> {
        let mut all = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let until = all.get_or_insert_mut(by, || now);
        let then = (*until).max(now) + self.each;
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
        let (askers, start) = (Askers::new("10".parse().unwrap()), Instant::now());
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
        let (askers, now) = (Askers::new("10".parse().unwrap()), Instant::now());
        (0..20_000).for_each(|of| assert_eq!(askers.ask(token(of), now), Ok(())));
        assert_eq!(askers.until.lock().unwrap().len(), REMEMBERED.get());
    }
}

//! What people have before their eyes: something is seen when somebody fetched it and was there.
//!
//! A page fetches by itself, so fetching is not enough, and being there is not either. An offer that is wrongly taken
//! for seen is told to nobody: when in doubt, it is not.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::SignedDuration;
use lru::LruCache;
use wardroom_core::id::{PersonId, Time};

/// Whoever was there so short a time before fetching something is still looking.
const LOOKING: SignedDuration = SignedDuration::from_secs(3);
/// Matters that are remembered as seen, so that they are not told to the store at each fetch.
const SEEN: NonZeroUsize = NonZeroUsize::new(10_000).expect("it is not 0");

/// How far apart tests of one person are.
const TESTS_APART: SignedDuration = SignedDuration::from_secs(10);
/// People whose last test is remembered.
const TESTED: NonZeroUsize = NonZeroUsize::new(1_000).expect("it is not 0");

/// What this node knows.
#[derive(Debug)]
pub struct Sight {
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    fetched: BTreeMap<PersonId, BTreeSet<String>>,
    seen: LruCache<(PersonId, String), ()>,
    tested: LruCache<PersonId, Time>,
}

impl Default for Sight {
    fn default() -> Self {
        Self {
            known: Mutex::new(Known {
                fetched: BTreeMap::new(),
                seen: LruCache::new(SEEN),
                tested: LruCache::new(TESTED),
            }),
        }
    }
}

impl Sight {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody fetched what these are about; returns those that they see by it, having been there a moment ago.
    pub fn fetched(&self, person: PersonId, calls: Vec<String>, there_at: Option<Time>, now: Time) -> Vec<String> {
        let mut known = self.lock();
        let new: Vec<String> = calls.into_iter().filter(|call| !known.seen.contains(&(person, call.clone()))).collect();
        if there_at.is_some_and(|at| now.duration_since(at) < LOOKING) {
            for call in &new {
                known.seen.put((person, call.clone()), ());
            }
            return new;
        }
        if !new.is_empty() {
            // Only what waits for them now: it never grows.
            known.fetched.insert(person, new.into_iter().collect());
        }
        Vec::new()
    }

    /// Whether somebody may send themselves a test now: a test asks addresses outside.
    pub fn may_test(&self, person: PersonId, now: Time) -> bool {
        let mut known = self.lock();
        if known.tested.get(&person).is_some_and(|at| now.duration_since(*at) < TESTS_APART) {
            return false;
        }
        known.tested.put(person, now);
        true
    }

    /// Somebody is there: what they fetched is seen.
    pub fn there(&self, person: PersonId) -> Vec<String> {
        let mut known = self.lock();
        let fetched = known.fetched.remove(&person).unwrap_or_default();
        for call in &fetched {
            known.seen.put((person, call.clone()), ());
        }
        fetched.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn it_takes_fetching_and_being_there() {
        let (sight, mary) = (Sight::default(), PersonId(Uuid::nil()));
        let now = Time::from_second(1_800_000_000).unwrap();
        let ago = |seconds| Some(now - SignedDuration::from_secs(seconds));
        let call = |n: u8| vec![format!("1.offer.{n}")];
        assert_eq!(sight.there(mary), [""; 0], "nothing was fetched");
        assert_eq!(sight.fetched(mary, call(1), ago(60), now), [""; 0], "a page that nobody looks at");
        assert_eq!(sight.there(mary), call(1));
        assert_eq!(sight.there(mary), [""; 0], "once");
        assert_eq!(sight.fetched(mary, call(1), ago(1), now), [""; 0], "and no more");
        assert_eq!(sight.fetched(mary, call(2), ago(1), now), call(2));
        assert_eq!(sight.fetched(mary, call(3), None, now), [""; 0]);
    }
}

//! Guessing passwords is made slow, in a way that cannot lock anybody out.
//!
//! Failures are counted for a handle *from an address*, and for an address alone. So whoever guesses at somebody's
//! password elsewhere does not keep that person from signing in. Where they share an address (an office, a proxy),
//! an address that this person signed in from before is let through while the others pause, a bounded number of
//! times a minute: there a right password gets in, and a wrong one is answered like every other. Pure: the time is
//! an argument. What is remembered is bounded; the least recent goes first.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use lru::LruCache;
use wardroom_core::id::PersonId;

/// Wrong passwords for one handle from one address before pauses begin, and for one address whatever the handle.
const FREE: u32 = 5;
const FREE_OF_AN_ADDRESS: u32 = 30;
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// After how long without a failure all is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(3_600);
/// Tries a minute, from an address that is pausing, for people who signed in from it before.
const SPARE: u32 = 30;
const MINUTE: Duration = Duration::from_secs(60);
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(10_000).expect("it is not 0");

/// From where somebody tries: one address, or the /64 that one household or office gets of IPv6.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Source(IpAddr);

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
            v4 => v4,
        })
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Copy, Clone, Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

/// What is remembered of failures and of addresses that people signed in from.
#[derive(Debug)]
pub struct Throttle {
    pairs: LruCache<(String, Source), Failures>,
    sources: LruCache<Source, Failures>,
    spare: LruCache<Source, Failures>,
    known: LruCache<(PersonId, Source), ()>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            pairs: LruCache::new(REMEMBERED),
            sources: LruCache::new(REMEMBERED),
            spare: LruCache::new(REMEMBERED),
            known: LruCache::new(REMEMBERED),
        }
    }
}

/// How long to pause after so many failures: 1 s, 2 s, 4 s, and so on.
fn pause(count: u32, free: u32) -> Duration {
    match count.checked_sub(free) {
        None => Duration::ZERO,
        Some(beyond) => Duration::from_secs(1 << beyond.min(16)).min(PAUSE_MAX),
    }
}

fn left<K: Hash + Eq>(of: &mut LruCache<K, Failures>, key: &K, free: u32, now: Instant) -> Duration {
    let Some(failures) = of.get(key) else { return Duration::ZERO };
    if now.duration_since(failures.last) >= FORGOTTEN {
        of.pop(key);
        return Duration::ZERO;
    }
    pause(failures.count, free).saturating_sub(now.duration_since(failures.last))
}

fn count<K: Hash + Eq>(of: &mut LruCache<K, Failures>, key: K, now: Instant) {
    let failures = of.get_or_insert_mut(key, || Failures { count: 0, last: now });
    *failures = Failures { count: failures.count.saturating_add(1), last: now };
}

impl Throttle {
    /// How long this handle has to pause from here; zero if it may be tried.
    pub fn pause(&mut self, handle: &str, from: Source, now: Instant) -> Duration {
        let pair = left(&mut self.pairs, &(handle.to_owned(), from), FREE, now);
        pair.max(left(&mut self.sources, &from, FREE_OF_AN_ADDRESS, now))
    }

    /// A password is about to be held against the right one. It counts as wrong until it is known to be right, so
    /// that many at once are no way around.
    pub fn trying(&mut self, handle: &str, from: Source, now: Instant) {
        count(&mut self.pairs, (handle.to_owned(), from), now);
        count(&mut self.sources, from, now);
    }

    /// It was right.
    pub fn right(&mut self, handle: &str, person: PersonId, from: Source) {
        self.pairs.pop(&(handle.to_owned(), from));
        if let Some(failures) = self.sources.get_mut(&from) {
            failures.count = failures.count.saturating_sub(1);
        }
        self.known.put((person, from), ());
    }

    /// It was not tried after all.
    pub fn not_tried(&mut self, handle: &str, from: Source) {
        if let Some(failures) = self.pairs.get_mut(&(handle.to_owned(), from)) {
            failures.count = failures.count.saturating_sub(1);
        }
        if let Some(failures) = self.sources.get_mut(&from) {
            failures.count = failures.count.saturating_sub(1);
        }
    }

    /// Whether this person signed in from here before, as far as this node remembers.
    pub fn knows(&mut self, person: PersonId, from: Source) -> bool {
        self.known.get(&(person, from)).is_some()
    }

    /// Whether a pausing address has a try to spare for somebody who signed in from it before.
    pub fn spares(&mut self, from: Source, now: Instant) -> bool {
        let spent = self.spare.get_or_insert_mut(from, || Failures { count: 0, last: now });
        if now.duration_since(spent.last) >= MINUTE {
            *spent = Failures { count: 0, last: now };
        }
        spent.count += 1;
        spent.count <= SPARE
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const MARY: PersonId = PersonId(Uuid::from_u128(1));

    fn source(address: &str) -> Source {
        address.parse::<IpAddr>().unwrap().into()
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn pauses_grow_and_end() {
        let (mut throttle, here, start) = (Throttle::default(), source("192.0.2.1"), Instant::now());
        for _ in 0..FREE {
            assert_eq!(throttle.pause("mary", here, start), Duration::ZERO);
            throttle.trying("mary", here, start);
        }
        let mut now = start;
        for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            assert_eq!(throttle.pause("mary", here, now), seconds(expected));
            now += seconds(expected);
            assert_eq!(throttle.pause("mary", here, now), Duration::ZERO);
            throttle.trying("mary", here, now);
        }
        assert_eq!(throttle.pause("mary", here, now + FORGOTTEN), Duration::ZERO);
        throttle.trying("mary", here, now + FORGOTTEN);
        assert_eq!(throttle.pause("mary", here, now + FORGOTTEN), Duration::ZERO);
    }

    #[test]
    fn guessing_elsewhere_keeps_nobody_out() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for n in 0..100 {
            (0..100).for_each(|_| throttle.trying("mary", source(&format!("192.0.2.{n}")), now));
        }
        assert_eq!(throttle.pause("mary", source("198.51.100.7"), now), Duration::ZERO);
    }

    #[test]
    fn one_address_cannot_try_everybody() {
        let (mut throttle, here, now) = (Throttle::default(), source("2001:db8::1"), Instant::now());
        (0..FREE_OF_AN_ADDRESS).for_each(|n| throttle.trying(&format!("person{n}"), here, now));
        assert!(throttle.pause("another", here, now) > Duration::ZERO);
        assert!(throttle.pause("another", source("2001:db8::2"), now) > Duration::ZERO, "the same household");
        assert_eq!(throttle.pause("another", source("2001:db8:0:1::1"), now), Duration::ZERO);
    }

    #[test]
    fn a_right_password_begins_anew() {
        let (mut throttle, here, now) = (Throttle::default(), source("192.0.2.1"), Instant::now());
        (0..FREE + 3).for_each(|_| throttle.trying("mary", here, now));
        assert!(!throttle.knows(MARY, here));
        throttle.right("mary", MARY, here);
        assert!(throttle.knows(MARY, here) && !throttle.knows(MARY, source("192.0.2.2")));
        assert_eq!(throttle.pause("mary", here, now), Duration::ZERO);
    }

    #[test]
    fn what_an_address_is_spared_is_bounded() {
        let (mut throttle, here, now) = (Throttle::default(), source("192.0.2.1"), Instant::now());
        assert_eq!((0..100).filter(|_| throttle.spares(here, now)).count(), SPARE as usize);
        assert!(throttle.spares(here, now + MINUTE));
    }

    #[test]
    fn memory_is_bounded() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        (0..50_000_u32).for_each(|n| throttle.trying("mary", IpAddr::from(n.to_be_bytes()).into(), now));
        assert_eq!((throttle.pairs.len(), throttle.sources.len()), (REMEMBERED.get(), REMEMBERED.get()));
    }
}

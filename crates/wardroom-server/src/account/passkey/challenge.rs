//! Challenges: drawn for one purpose, good for five minutes and for one use. Pure; the time and the key are arguments.
//!
//! Nobody keeps those that are given out, so nobody can fill a table with them: a challenge carries its own end and a seal
//! (HMAC-SHA-256) that every node can check. Only those that were used are remembered, until they would have ended.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use ring::hmac;
use wardroom_core::id::{SessionId, Time};

use crate::log::Hash;

/// How long one may take: to find the phone, and the finger.
pub const LASTS: SignedDuration = SignedDuration::from_mins(5);
const NONCE: usize = 16;
const END: usize = 8;
const SEAL: usize = 32;

/// What a challenge is for.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Signing in.
    SignIn,
    /// Adding a passkey, in this session.
    Add(SessionId),
    /// Showing anew who sits at this session.
    Prove(SessionId),
}

impl Purpose {
    fn bound(self) -> [u8; 17] {
        let (kind, session) = match self {
            Self::SignIn => (0, None),
            Self::Add(session) => (1, Some(session)),
            Self::Prove(session) => (2, Some(session)),
        };
        let mut bound = [kind; 17];
        bound[1..].copy_from_slice(&session.map_or([0; 16], |session| session.0.into_bytes()));
        bound
    }
}

fn message(purpose: Purpose, told: &[u8]) -> Vec<u8> {
    [&purpose.bound()[..], told].concat()
}

/// A challenge, as it is sent.
#[must_use]
pub fn make(key: &Hash, nonce: [u8; NONCE], purpose: Purpose, now: Time) -> String {
    let end = (now + LASTS).as_microsecond().to_be_bytes();
    let told = [&nonce[..], &end].concat();
    let seal = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &message(purpose, &told));
    URL_SAFE_NO_PAD.encode([&told[..], seal.as_ref()].concat())
}

/// Until when a challenge is good, if it is one of ours, for this purpose, and has not ended.
#[must_use]
pub fn good(key: &Hash, given: &str, purpose: Purpose, now: Time) -> Option<Time> {
    let bytes = URL_SAFE_NO_PAD.decode(given).ok().filter(|bytes| bytes.len() == NONCE + END + SEAL)?;
    let (told, seal) = bytes.split_at(NONCE + END);
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), &message(purpose, told), seal).ok()?;
    let end = Time::from_microsecond(i64::from_be_bytes(*told.last_chunk()?)).ok()?;
    (now < end).then_some(end)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_challenge_is_good_for_its_purpose_here_and_for_a_while() {
        let (key, now) = ([1; 32], Time::constant(1_800_000_000, 0));
        let [one, other] = [1, 2].map(|n| SessionId(Uuid::from_u128(n)));
        let purposes =
            [Purpose::SignIn, Purpose::Add(one), Purpose::Add(other), Purpose::Prove(one), Purpose::Prove(other)];
        for purpose in purposes {
            let made = make(&key, [7; 16], purpose, now);
            assert_eq!(good(&key, &made, purpose, now), Some(now + LASTS));
            assert_eq!(good(&key, &made, purpose, now + LASTS), None);
            assert_eq!(good(&[2; 32], &made, purpose, now), None, "of another store");
            for another in purposes.into_iter().filter(|another| *another != purpose) {
                assert_eq!(good(&key, &made, another, now), None, "{purpose:?} is not {another:?}");
            }
            for n in 0..made.len() {
                let mut changed = made.clone().into_bytes();
                changed[n] = if changed[n] == b'A' { b'B' } else { b'A' };
                let changed = String::from_utf8(changed).unwrap();
                assert_eq!(good(&key, &changed, purpose, now), None, "{changed}");
            }
        }
        for bad in ["", "A", "====", &"A".repeat(100_000)] {
            assert_eq!(good(&key, bad, Purpose::SignIn, now), None);
        }
    }
}

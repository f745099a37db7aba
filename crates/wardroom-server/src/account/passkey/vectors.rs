//! The standard's own test vectors: what it says of each registration and use, and that nothing of them can be changed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::ceremony::{self, Act};

const HOST: &str = "example.org";
const ORIGIN: &str = "https://example.org";

struct Vector {
    name: &'static str,
    credential: Vec<u8>,
    /// Challenge, client data, attestation.
    made: [Vec<u8>; 3],
    /// Challenge, authenticator data, client data, signature.
    used: [Vec<u8>; 4],
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|n| u8::from_str_radix(&text[n..n + 2], 16).unwrap()).collect()
}

fn vectors() -> Vec<Vector> {
    let lines = include_str!("vectors.txt").lines().filter(|line| !line.starts_with('#'));
    let vector = |line: &'static str| {
        let mut words = line.split(' ');
        let name = words.next().unwrap();
        let mut next = || unhex(words.next().unwrap());
        Vector { name, credential: next(), made: [next(), next(), next()], used: [next(), next(), next(), next()] }
    };
    lines.map(vector).collect()
}

/// Those with a kind of key that Wardroom does not ask for, and those from within a page of somebody else's.
const REFUSED: [(&str, &str); 5] = [
    ("packed-es384", "a kind that Wardroom did not ask for"),
    ("packed-es512", "a kind that Wardroom did not ask for"),
    ("packed-ed448", "a kind that Wardroom did not ask for"),
    ("none-es256-crossOrigin", "another page"),
    ("none-es256-topOrigin", "another page"),
];

/// A registration and its use, from the first byte to the last.
fn play(vector: &Vector) -> Result<(), ceremony::Wrong> {
    let [challenge, client_data, attestation] = &vector.made;
    assert_eq!(ceremony::challenge(client_data, Act::Create, ORIGIN)?, URL_SAFE_NO_PAD.encode(challenge));
    let (said, made) = ceremony::made(attestation, HOST)?;
    assert_eq!((made.credential, said.count, said.present), (&vector.credential[..], 0, true));
    let [challenge, data, client_data, signature] = &vector.used;
    assert_eq!(ceremony::challenge(client_data, Act::Get, ORIGIN)?, URL_SAFE_NO_PAD.encode(challenge));
    let said = ceremony::signed(made.key, data, client_data, signature, HOST)?;
    assert_eq!((said.count, said.present, said.made), (0, true, None));
    Ok(())
}

#[test]
fn the_vectors_of_the_standard_are_read_as_it_says() {
    let all = vectors();
    assert_eq!(all.len(), 15);
    for vector in all {
        let expected = REFUSED.iter().find(|(name, _)| *name == vector.name).map(|(_, why)| *why);
        match (play(&vector), expected) {
            (Ok(()), None) => {}
            (Err(why), Some(expected)) => assert!(why.contains(expected), "{}: {why}", vector.name),
            other => panic!("{}: {other:?}", vector.name),
        }
    }
}

#[test]
fn another_host_page_or_act_and_another_byte_are_refused() {
    let vector = vectors().remove(0);
    let [_, client_data, attestation] = &vector.made;
    assert!(ceremony::challenge(client_data, Act::Get, ORIGIN).is_err());
    for origin in ["https://example.org:8443", "http://example.org", "https://example.com", ""] {
        assert!(ceremony::challenge(client_data, Act::Create, origin).is_err(), "{origin}");
    }
    assert!(ceremony::challenge(&[b' '; 5_000], Act::Create, ORIGIN).is_err());
    assert!(ceremony::made(attestation, "example.com").is_err());
    let (_, made) = ceremony::made(attestation, HOST).unwrap();
    let [_, data, client_data, signature] = &vector.used;
    let good = [data, client_data, signature];
    for part in 0..3 {
        for n in 0..good[part].len() {
            let mut changed = good.map(Clone::clone);
            changed[part][n] ^= 1;
            let [data, client_data, signature] = &changed;
            assert!(ceremony::signed(made.key, data, client_data, signature, HOST).is_err(), "part {part}, byte {n}");
        }
    }
    for end in 0..attestation.len() {
        assert!(ceremony::made(&attestation[..end], HOST).is_err(), "cut off at {end}");
    }
}

#[test]
fn a_device_that_made_sure_of_nobody_is_not_enough() {
    let verified = |vector: &Vector| {
        let (said, _) = ceremony::made(&vector.made[2], HOST).unwrap();
        (said.verified, ceremony::by_somebody(&said).is_ok())
    };
    let all: Vec<_> = vectors().iter().filter(|vector| play(vector).is_ok()).map(verified).collect();
    assert!(all.contains(&(true, true)) && all.contains(&(false, false)), "{all:?}");
    assert!(all.iter().all(|(verified, enough)| verified == enough));
}

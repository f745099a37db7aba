//! The hash chain: what makes a record that was tampered with tell on itself.
//!
//! Each event's hash covers the one before it in its stream and everything that is stored of it but its words,
//! which are covered by their commitments in the body. Each append's link covers the one before it in the
//! whole log, the position of its first event and the hashes of its events, so that the order across streams
//! and the log's end are covered too.

use sha2::{Digest, Sha256};

use crate::log::{Draft, Hash, Stream, Tip};

/// The hash of an event that follows on `tip`.
#[must_use]
pub fn event_hash(tip: &Tip, stream: Stream, at_us: i64, kind: &str, version: u16, actor: &str, body: &str) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"wardroom event 1\0");
    hash.update(tip.hash);
    hash.update(stream.0.to_be_bytes());
    hash.update((tip.seq + 1).to_be_bytes());
    hash.update(at_us.to_be_bytes());
    hash.update(version.to_be_bytes());
    for part in [kind, actor, body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

/// Where a stream ends after a draft was appended to it.
#[must_use]
pub fn after(tip: &Tip, stream: Stream, draft: &Draft) -> Tip {
    let at = draft.at.as_microsecond();
    let hash = event_hash(tip, stream, at, &draft.kind, draft.version, &draft.actor, &draft.body);
    Tip { seq: tip.seq + 1, hash }
}

/// Collects the hashes of one append's events.
#[derive(Clone, Default)]
pub struct Batch(Sha256);

impl Batch {
    /// Adds the next event's hash.
    pub fn add(&mut self, hash: &Hash) {
        self.0.update(hash);
    }

    /// What stands for all of them.
    #[must_use]
    pub fn digest(&self) -> Hash {
        self.0.clone().finalize().into()
    }
}

/// The link of an append. PostgreSQL computes the same inside its statement.
#[must_use]
pub fn link(before: &Hash, first_position: u64, batch: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(first_position.to_be_bytes());
    hash.update(batch);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(hash: Hash) -> String {
        wardroom_core::seal::Seal(hash).to_string()
    }

    #[test]
    fn the_chain_is_pinned() {
        let first = event_hash(&Tip::default(), Stream(465), 1_763_900_000_000_000, "noted", 1, "clock", "{}");
        assert_eq!(hex(first), "7dda33a641a29a35f403a23b849cd028173db7ce1a7a75e8498658f60cae5fbf");
        let mut batch = Batch::default();
        batch.add(&first);
        assert_eq!(
            hex(link(&[0; 32], 1, &batch.digest())),
            "97fc590b91cebcd49fd067f8e60e0b6415d59fc8906e82d72bdb6d1db7ee6715"
        );
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let tip = Tip::default();
        let one = event_hash(&tip, Stream(1), 0, "ab", 1, "c", "");
        let other = event_hash(&tip, Stream(1), 0, "a", 1, "bc", "");
        assert_ne!(one, other);
    }
}

//! What a peer sent that follows on something missing, while the answer that brings it is on its way. Pure.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::limits::{WAITING_BYTES, WAITING_MAX};

/// How long the answer may take.
const ANSWER: Duration = Duration::from_secs(2);

/// What waits, in the order in which it came.
#[derive(Debug, Default)]
pub struct Waiting {
    updates: Vec<Bytes>,
    bytes: usize,
    since: Option<Instant>,
}

impl Waiting {
    /// Has an update wait; false when there is no room for it.
    pub fn push(&mut self, update: &[u8]) -> bool {
        let fits = self.updates.len() < WAITING_MAX && self.bytes + update.len() <= WAITING_BYTES;
        if fits {
            self.bytes += update.len();
            self.updates.push(Bytes::copy_from_slice(update));
            self.since.get_or_insert_with(Instant::now);
        }
        fits
    }

    /// Whether it has waited too long.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= ANSWER)
    }

    /// What waited; nothing does any more.
    pub fn take(&mut self) -> Vec<Bytes> {
        std::mem::take(self).updates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_by_number_and_by_weight() {
        let mut waiting = Waiting::default();
        assert!(waiting.push(&vec![0; WAITING_BYTES]));
        assert!(!waiting.push(&[0]), "it is as much as may wait");
        assert_eq!(waiting.take().len(), 1);
        assert!((0..WAITING_MAX).all(|_| waiting.push(&[0])));
        assert!(!waiting.push(&[0]), "they are as many as may wait");
        waiting.take();
        assert!(waiting.push(&[0]) && !waiting.is_over());
    }
}

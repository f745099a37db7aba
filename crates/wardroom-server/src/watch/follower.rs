//! Following the log by its incidents: in which of them something happened since somebody looked last.
//!
//! Whoever follows looks, does what there is to do, and says how far that was; what broke off before is looked at again. How
//! long it waits, what else wakes it, and what it does about trouble is its own: the gate may not wait for what is behind,
//! others may.

use std::collections::BTreeSet;

use wardroom_core::id::Number;

use super::{After, Watch};
use crate::streams::DIRECTORY;

/// Entries that are looked at together, at the most.
const PIECE: usize = 512;

/// How far somebody who follows has looked.
#[derive(Debug)]
pub(crate) struct Follower {
    watch: Watch,
    /// Nothing where everything is to be looked at.
    position: Option<u64>,
}

/// Where something happened.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Changed {
    /// In these incidents, and perhaps in the directory.
    In { incidents: BTreeSet<Number>, directory: bool },
    /// Anywhere: nobody looked before, or more happened since than is kept at hand.
    Anywhere,
}

/// What there is to look at, and how far that goes.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Piece {
    pub changed: Changed,
    /// A position of the log.
    pub until: u64,
}

impl Follower {
    /// Who has looked at nothing yet.
    pub fn of(watch: &Watch) -> Self {
        Self { watch: watch.clone(), position: None }
    }

    /// Everything is looked at anew.
    pub fn anew(&mut self) {
        self.position = None;
    }

    /// What is next: no more of it at once than a piece of the log.
    pub fn look(&self) -> Piece {
        // Before anything is read: what comes meanwhile is for the next look.
        let until = self.watch.position();
        match self.position.map_or(After::Behind, |position| self.watch.after(position, PIECE)) {
            After::Entries(entries) => {
                let incidents = entries.iter().filter_map(|shown| shown.stream.incident()).collect();
                let directory = entries.iter().any(|shown| shown.stream == DIRECTORY);
                let until = entries.last().map_or(until, |last| last.position);
                Piece { changed: Changed::In { incidents, directory }, until }
            }
            After::Behind => Piece { changed: Changed::Anywhere, until },
        }
    }

    /// All of a look was done. Whether there was no more than that.
    pub fn done(&mut self, until: u64) -> bool {
        self.position = Some(until);
        until >= self.watch.position()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::watch;
    use uuid::Uuid;

    use super::super::{RING, Shown};
    use super::*;
    use crate::log::Stream;

    /// Appends so many entries to a stream.
    fn append(watch: &Watch, stream: Stream, many: usize, bytes: usize) {
        let mut position = watch.position();
        for _ in 0..many {
            position += 1;
            let frame = vec![b'x'; bytes].into();
            watch.ring.write().unwrap().push(Shown { position, stream, frame });
        }
        watch.position.send_replace(position);
    }

    fn begun() -> (Watch, Follower) {
        let watch = Watch { epoch: Uuid::nil(), ring: Arc::default(), position: Arc::new(watch::Sender::new(0)) };
        append(&watch, Stream(1), 3, 10);
        let mut follower = Follower::of(&watch);
        assert_eq!(follower.look(), Piece { changed: Changed::Anywhere, until: 3 });
        assert!(follower.done(3));
        (watch, follower)
    }

    fn within(numbers: &[u32], directory: bool) -> Changed {
        let incidents = numbers.iter().map(|number| Stream(*number).incident().unwrap()).collect();
        Changed::In { incidents, directory }
    }

    #[test]
    fn what_is_not_done_is_looked_at_again() {
        let (watch, mut follower) = begun();
        assert_eq!(follower.look(), Piece { changed: within(&[], false), until: 3 });
        append(&watch, Stream(1), 1, 10);
        append(&watch, Stream(2), 1, 10);
        append(&watch, DIRECTORY, 1, 10);
        for _ in 0..2 {
            assert_eq!(follower.look(), Piece { changed: within(&[1, 2], true), until: 6 });
        }
        append(&watch, Stream(2), 1, 10);
        assert!(!follower.done(6), "more came meanwhile");
        assert_eq!(follower.look(), Piece { changed: within(&[2], false), until: 7 });
        assert!(follower.done(7));
        follower.anew();
        assert_eq!(follower.look().changed, Changed::Anywhere);
    }

    #[test]
    fn of_much_that_came_nothing_is_passed_over() {
        for bytes in [10, 4_000] {
            let (watch, mut follower) = begun();
            append(&watch, Stream(1), 2 * PIECE, bytes);
            append(&watch, Stream(2), 1, bytes);
            let (mut looks, mut seen) = (0, BTreeSet::new());
            loop {
                let Piece { changed: Changed::In { incidents, .. }, until } = follower.look() else {
                    panic!("it is there")
                };
                seen.extend(incidents);
                looks += 1;
                if follower.done(until) {
                    break;
                }
            }
            assert!(looks >= 3 && seen.len() == 2, "{looks} {seen:?}");
        }
    }

    #[test]
    fn whoever_is_too_far_behind_looks_at_everything() {
        let (watch, mut follower) = begun();
        append(&watch, Stream(1), RING + 1, 10);
        assert_eq!(follower.look(), Piece { changed: Changed::Anywhere, until: 3 + RING as u64 + 1 });
        assert!(follower.done(watch.position()));
        assert_eq!(follower.look().changed, within(&[], false));
    }
}

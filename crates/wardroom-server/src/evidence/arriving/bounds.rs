//! How much may be on its way at once. What is announced counts as if it had come.

use std::time::Duration;

use uuid::Uuid;

use super::{Announced, Uploads};
use crate::clock;

/// Pieces of one person, and their bytes.
const OF_ONE: (usize, u64) = (4, 4 << 30);
/// Pieces of everybody on this node, and their bytes.
const OF_ALL: (usize, u64) = (64, 32 << 30);
/// After this long without a part, one makes way for another: of the same person, and where all is full of anybody.
const IDLE: Duration = Duration::from_secs(60 * 60);

/// There is too much on its way.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum TooMany {
    /// Of this person.
    OfYours,
    /// Of everybody.
    OfAll,
}

fn fits(there: &[(Uuid, Announced)], said: &Announced, (many, bytes): (usize, u64)) -> bool {
    let sum = there.iter().map(|(_, known)| known.bytes).fold(said.bytes, u64::saturating_add);
    there.len() < many && sum <= bytes
}

impl Uploads {
    /// Whether one more fits. Those that rest longest make way, and none of them before it is known that it does then.
    pub(super) fn room_for(&self, said: &Announced, mut there: Vec<(Uuid, Announced)>) -> Result<(), TooMany> {
        let now = clock::now();
        let rests = |id: &Uuid| self.rests(*id, now).unwrap_or_default();
        there.sort_by_key(|(id, _)| std::cmp::Reverse(rests(id)));
        let (mut own, others): (Vec<_>, Vec<_>) = there.into_iter().partition(|(_, known)| known.by == said.by);
        let mut go = Vec::new();
        let mut make_way = |there: &mut Vec<(Uuid, Announced)>, bound| {
            while !fits(there, said, bound) {
                if there.first().is_none_or(|(id, _)| rests(id) < IDLE) {
                    return false;
                }
                go.push(there.remove(0).0);
            }
            true
        };
        if !make_way(&mut own, OF_ONE) {
            return Err(TooMany::OfYours);
        }
        let mut all = [others, own].concat();
        all.sort_by_key(|(id, _)| std::cmp::Reverse(rests(id)));
        if !make_way(&mut all, OF_ALL) {
            return Err(TooMany::OfAll);
        }
        // One of which a part has just begun to come stays: this is a bound of what is announced, not of the disk.
        for id in go {
            self.removed(id);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wardroom_core::evidence::Fingerprint;
    use wardroom_core::id::{Number, PersonId};

    use super::*;
    use crate::evidence::KeptAt;
    use crate::log::Place;

    #[tokio::test]
    async fn what_one_person_and_what_all_have_on_its_way_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::beside(&Place::Folder("unused".into()), &KeptAt::Folder(folder.path().to_owned()));
        let said = |by: u128, n: u8, bytes: u64| Announced {
            by: PersonId(Uuid::from_u128(by)),
            incident: Number::FIRST,
            name: "x".parse().unwrap(),
            why: None,
            bytes,
            sha256: Fingerprint::new([n; 32]),
        };
        let first = uploads.begin(said(1, 0, 9)).await.unwrap().unwrap();
        for n in 1..4 {
            uploads.begin(said(1, n, 9)).await.unwrap().unwrap();
        }
        assert_eq!(uploads.begin(said(1, 0, 9)).await.unwrap(), Ok(first), "the same goes on");
        assert_eq!(uploads.begin(said(1, 4, 9)).await.unwrap(), Err(TooMany::OfYours));
        // One that rests makes way.
        let long_ago = super::super::sweep::as_files_have_it(clock::now()) - IDLE;
        std::fs::File::open(uploads.said_of(first.0)).unwrap().set_modified(long_ago).unwrap();
        uploads.begin(said(1, 4, 9)).await.unwrap().unwrap();
        assert!(uploads.read(first.0).unwrap().is_none());
        assert_eq!(uploads.begin(said(2, 0, (4 << 30) + 1)).await.unwrap(), Err(TooMany::OfYours));
        for by in 2..9 {
            uploads.begin(said(by, 0, 4 << 30)).await.unwrap().unwrap();
        }
        assert_eq!(uploads.begin(said(9, 0, 4 << 30)).await.unwrap(), Err(TooMany::OfAll));
    }
}

//! Which of what was told an incident hears of: it has room for so many, and one teller takes half of that at the most.

use std::collections::{BTreeMap, BTreeSet};

use wardroom_core::sighting::{Seen, TELLER_MAX, TELLER_SORTED_MAX};

/// So many of one teller an incident hears of at the most.
pub(super) const SHARE: usize = TELLER_MAX as usize;

/// So many with what somebody is to sort, which a teller is heard of with beyond its share: what others tell has room left.
const SORTED: usize = TELLER_SORTED_MAX as usize;

/// What an incident has to have left for something to be heard of there.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Needs {
    /// It is known, and went on.
    Nothing,
    /// Somebody is to sort it: room, though its teller's share is used up.
    Room,
    /// Room, and something of its teller's share.
    Share,
}

/// Something that may be news to an incident.
pub(super) struct Offer<'a> {
    pub teller: &'a str,
    pub seen: &'a Seen,
    pub needs: Needs,
}

/// What of it is told.
pub(super) struct Chosen<'a> {
    /// In the order in which it was made; the last of whoever used up their share by it says so.
    pub told: Vec<Seen>,
    /// Of whom something is not told because they told too much.
    pub cut: BTreeSet<&'a str>,
}

/// Chooses in the order of what is offered, as far as there is room. So many of each teller were heard of before.
pub(super) fn choose<'a>(offers: &[Offer<'a>], mut room: usize, mut heard: BTreeMap<String, i64>) -> Chosen<'a> {
    let (mut told, mut cut, mut used) = (Vec::new(), BTreeSet::new(), Vec::new());
    for Offer { teller, seen, needs } in offers {
        if *needs != Needs::Nothing {
            if room == 0 {
                continue; // The incident itself says that it is full.
            }
            let heard = heard.entry((*teller).to_owned()).or_default();
            let most = if *needs == Needs::Share { SHARE } else { SORTED };
            if usize::try_from(*heard).is_ok_and(|heard| heard >= most) {
                cut.insert(*teller);
                continue;
            }
            *heard += 1;
            room -= 1;
            if usize::try_from(*heard).is_ok_and(|heard| heard == SHARE) {
                used.push(*teller);
            }
        }
        told.push((*teller, (*seen).clone(), *needs));
    }
    told.sort_by_key(|(_, seen, _)| seen.at);
    for teller in used {
        let last = told.iter_mut().rev().find(|(by, _, needs)| *by == teller && *needs != Needs::Nothing);
        if let Some((_, seen, _)) = last {
            seen.share_used = true;
        }
    }
    Chosen { told: told.into_iter().map(|(_, seen, _)| seen).collect(), cut }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;
    use wardroom_core::sighting::Stage;

    use super::*;

    fn seen(second: i64) -> Seen {
        Seen {
            key: Uuid::from_u128(u128::from(second.unsigned_abs())),
            service: "search".parse().unwrap(),
            what: "deploy".parse().unwrap(),
            who: None,
            person: None,
            told_by: None,
            source: "ci".parse().unwrap(),
            link: None,
            environment: None,
            stage: Stage::Done,
            at: Timestamp::from_second(second).unwrap(),
            share_used: false,
        }
    }

    fn seconds(chosen: &Chosen<'_>) -> Vec<i64> {
        chosen.told.iter().map(|seen| seen.at.as_second()).collect()
    }

    #[test]
    fn the_first_that_are_offered_are_told_in_the_order_in_which_they_were_made() {
        let all = [9, 4, 8, 3].map(seen);
        let mut offers: Vec<Offer<'_>> =
            all.iter().map(|seen| Offer { teller: "ci", seen, needs: Needs::Share }).collect();
        assert_eq!(seconds(&choose(&offers, 3, BTreeMap::new())), [4, 8, 9]);
        offers[3].needs = Needs::Nothing;
        let chosen = choose(&offers, 2, BTreeMap::new());
        assert_eq!(seconds(&chosen), [3, 4, 9], "what is known needs no room");
        assert!(chosen.cut.is_empty());
    }

    #[test]
    fn a_share_keeps_the_newest_and_is_said_to_be_used_up() {
        let all: Vec<Seen> = (0..1_000).rev().map(seen).collect();
        let mut offers: Vec<Offer<'_>> =
            all.iter().map(|seen| Offer { teller: "loop", seen, needs: Needs::Share }).collect();
        offers[999].needs = Needs::Room;
        offers[998].teller = "ci";
        let chosen = choose(&offers, 2 * SHARE, BTreeMap::from([("loop".to_owned(), 10)]));
        let expected: Vec<i64> = [0, 1].into_iter().chain(1_010 - SHARE as i64..1_000).collect();
        assert_eq!((seconds(&chosen), &chosen.cut), (expected, &BTreeSet::from(["loop"])));
        let said = chosen.told.iter().filter(|seen| seen.share_used).map(|seen| seen.at.as_second());
        assert_eq!(said.collect::<Vec<_>>(), [999], "with the last of them");
    }
    #[test]
    fn what_is_to_be_sorted_has_more_of_a_share_and_leaves_room_for_others() {
        let all: Vec<Seen> = (0..1_000).map(seen).collect();
        let mut offers: Vec<Offer<'_>> =
            all.iter().map(|seen| Offer { teller: "loop", seen, needs: Needs::Room }).collect();
        offers[999].teller = "ci";
        let chosen = choose(&offers, 2 * SHARE, BTreeMap::new());
        let expected: Vec<i64> = (0..SORTED as i64).chain([999]).collect();
        assert_eq!((seconds(&chosen), chosen.cut), (expected, BTreeSet::from(["loop"])));
    }
}

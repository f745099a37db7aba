//! What peers send of the state document.

use std::collections::BTreeMap;

use wardroom_core::document::Part;
use wardroom_server::document::judge::{self, first_words};
use wardroom_server::document::paper::{Paper, Refused};
use wardroom_server::document::wire::{self, Bytes, Malformed, Said};

/// One message, or a series of them behind their lengths: whatever they say, the text stays whole. What was taken in is
/// told to others so that they have the same, and what is stored can be read again.
pub fn document(bytes: &[u8]) {
    let mut paper = Paper::new();
    paper.take_in(&first_words(1, Part::Summary, "Search fails \u{1f600}")).expect("it is an update");
    paper.take_in(&first_words(77, Part::Notes, "D")).expect("it is an update");
    let mut other = Paper::of([state(&paper).as_slice()]).expect("it is a state");
    if wire::read(bytes).is_ok() {
        return message(&mut paper, &mut other, bytes);
    }
    let mut series = Bytes::new(bytes);
    while let Ok(next) = series.bytes() {
        message(&mut paper, &mut other, next);
        if series.rest().is_empty() {
            return;
        }
    }
}

fn words(paper: &Paper) -> BTreeMap<Part, String> {
    paper.all_words().expect("the text can be read")
}

fn state(paper: &Paper) -> Vec<u8> {
    paper.state().expect("the text can be told")
}

fn message(paper: &mut Paper, other: &mut Paper, message: &[u8]) {
    match wire::read(message) {
        Ok(Said::Has(clocks)) => {
            assert_eq!(wire::clocks(&wire::clocks_to_bytes(&clocks)), Ok(clocks.clone()));
            let answer = paper.since(&clocks).expect("the library does not break over a question");
            judge::read(&answer).expect("an answer is an update");
        }
        Ok(Said::Answers(update) | Said::Writes(update)) => offered(paper, other, update),
        Ok(Said::Present(presences)) => {
            let again = wire::present(presences.iter());
            assert_eq!(wire::read(&again), Ok(Said::Present(presences)));
        }
        Ok(Said::WhoIsThere | Said::Nothing) => {}
        Err(Malformed(why)) => super::can_be_shown(why),
    }
}

fn offered(paper: &mut Paper, other: &mut Paper, update: &[u8]) {
    let before = words(paper);
    match paper.offer(update) {
        Ok(Some(taken)) => {
            other.take_in(&taken.update).expect("what was taken in is told so that it can be");
            assert_eq!(words(other), words(paper));
            assert_eq!(other.clocks(), paper.clocks());
            let again = Paper::of([state(paper).as_slice()]).expect("what is stored is read again");
            assert_eq!(words(&again), words(paper));
            for part in Part::ALL {
                assert!(taken.parts.contains(&part) || words(paper)[&part] == before[&part], "{part:?} is told of");
            }
        }
        Ok(None) => assert_eq!(words(paper), before),
        Err(Refused::Broken) => panic!("the library broke over {update:?}"),
        Err(Refused::Malformed(why) | Refused::TooLarge(why) | Refused::Full(why)) => {
            super::can_be_shown(why);
            assert_eq!(words(paper), before);
        }
        Err(Refused::Missing) => assert_eq!(words(paper), before),
    }
}

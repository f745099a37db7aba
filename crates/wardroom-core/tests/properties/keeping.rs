//! What Wardroom keeps by itself: each thing is recorded once, however often and by whomever it is told.

use std::cell::RefCell;
use std::sync::Arc;

use proptest::prelude::*;
use wardroom_core::evidence::{Fingerprint, MediaType};
use wardroom_core::facts::Facts;
use wardroom_core::id::{Actor, Entry};
use wardroom_core::incident::{Asking, Kind};
use wardroom_core::preserve::{Preserving, Shows, Thing, Why, WorthId};
use wardroom_core::text::Text;

use crate::hold_on;
use crate::steps::{Step, WORD, step};
use crate::world::{Verdict, Watch, World};

const THINGS: u8 = 4;

/// A history in which what is kept by itself is told again and again.
pub fn preserved() -> impl Strategy<Value = Vec<Step>> {
    let told = (0..2_usize, 0..THINGS, prop::option::weighted(0.7, 0..6_u8))
        .prop_map(|(stream, nth, shown)| Step::Kept { stream, nth, shown });
    prop::collection::vec(prop_oneof![1 => told, 3 => step()], 10..60)
}

#[test]
fn each_thing_is_recorded_once() {
    hold_on([Kind::Incident, Kind::Planned], preserved(), &RefCell::new(Nobody));
}

/// What is kept looks on by itself.
struct Nobody;

impl Watch for Nobody {}

/// Things of search that are worth keeping.
pub fn known_to(facts: &mut Facts) {
    let thing = |place| {
        let id = WorthId { said: Entry(1), place };
        Thing { id, what: Text::said(WORD), how: Text::said("https://graphs.example.org/") }
    };
    let service = Arc::make_mut(&mut facts.services).entry("search".parse().expect("a good name")).or_default();
    service.worth = (0..THINGS).map(thing).collect();
}

impl World {
    /// A node tells what the n-th thing showed, or that it could not be kept.
    pub fn kept(&mut self, stream: usize, nth: u8, shown: Option<u8>, watch: &mut dyn Watch) -> Verdict {
        let thing = WorthId { said: Entry(1), place: nth };
        let shows = Shows { service: "search".parse().expect("a good name"), thing };
        let told = match shown {
            Some(print) => {
                let (fingerprint, media_type) = (Fingerprint::new([print; 32]), MediaType::Png);
                Preserving::Kept { shows, fingerprint, media_type, bytes: 9 }
            }
            None => Preserving::NotKept(vec![(shows, Why::Unreachable)]),
        };
        let (actor, now) = (Actor::Wardroom, self.now);
        let ask = Asking { actor, now, facts: &self.facts, cited: None, other: None, document: None };
        let Ok(decision) = self.streams[stream].head.preserve(&ask, told) else { return Ok(()) };
        if self.streams[stream].head.tried.iter().any(|tried| tried.thing == thing) {
            return Err(format!("thing {} is recorded twice", thing.place));
        }
        self.streams[stream].append((actor, now), decision.here, &self.facts, watch)
    }
}

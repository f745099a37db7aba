//! What is stored is what was decided: sealed, opened, folded again, and without its words.

use proptest::prelude::*;
use wardroom_core::event::{Event, Recorded, VERSION};
use wardroom_core::incident::Incident;
use wardroom_core::seal;

use crate::cases;
use crate::harness::{at, facts, person};
use crate::steps::{WORD, histories};
use crate::world::{Moment, Stream, Verdict, Watch, World};

/// What a reader is shown of an event.
fn shown(event: &Event) -> serde_json::Value {
    let (_, mut body) = event.to_stored();
    seal::reveal(&mut body);
    body
}

/// The log read back, with its words or without.
fn read_back(stream: &Stream, with_words: bool) -> Vec<Recorded> {
    let read = |(one, (kind, body)): (&Recorded, &(String, serde_json::Value))| {
        let mut body = body.clone();
        seal::open(&mut body, &|seal| stream.words.get(&seal).filter(|_| with_words).cloned());
        Recorded { event: Event::from_stored(kind, VERSION, body).unwrap(), ..one.clone() }
    };
    stream.log.iter().zip(&stream.stored).map(read).collect()
}

/// Who holds what, which redaction does not touch.
fn holders(incident: &Incident) -> Vec<Option<wardroom_core::id::PersonId>> {
    incident.roles.keys().map(|role| incident.holder(role)).collect()
}

struct Anything;
impl Watch for Anything {
    fn entry(&mut self, moment: &Moment<'_>) -> Verdict {
        let _ = wardroom_core::telling::tell(moment.recorded, moment.facts);
        Ok(())
    }
}

fn played(steps: Vec<crate::steps::Step>) -> Result<World, TestCaseError> {
    World::play(steps, &mut Anything).map_err(TestCaseError::fail)
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_log_read_back_folds_to_the_same(steps in histories()) {
        for stream in &played(steps)?.streams {
            let read = read_back(stream, true);
            prop_assert!(read.iter().map(|one| shown(&one.event)).eq(stream.log.iter().map(|one| shown(&one.event))));
            let folded = Incident::fold(&read);
            prop_assert_eq!(folded.as_ref(), Some(&stream.head));
        }
    }

    #[test]
    fn no_words_stand_in_the_chain_and_it_folds_without_them(steps in histories()) {
        for stream in &played(steps)?.streams {
            for (kind, body) in &stream.stored {
                prop_assert!(!body.to_string().contains(WORD), "{kind}: {body}");
            }
            let bare = Incident::fold(&read_back(stream, false)).unwrap();
            prop_assert_eq!(holders(&bare), holders(&stream.head));
            prop_assert_eq!(&bare.matters, &stream.head.matters);
        }
    }

    #[test]
    fn a_snapshot_is_the_state(steps in histories()) {
        for stream in &played(steps)?.streams {
            let snapshot = serde_json::to_string(&stream.head).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Incident>(&snapshot).unwrap(), &stream.head);
        }
    }

    /// History cannot be refused: any event can follow any other, and the state can still be read.
    #[test]
    fn any_event_can_follow_any_state(steps in histories(), other in histories(), keys in prop::collection::vec(any::<u16>(), 60)) {
        let (steps, other) = (played(steps)?, played(other)?);
        let mut incident = steps.streams[0].head.clone();
        let events: Vec<&Recorded> = other.streams.iter().flat_map(|stream| &stream.log).collect();
        let facts = facts(6);
        for key in keys {
            let one = events[usize::from(key) % events.len()];
            let recorded = Recorded { entry: wardroom_core::id::Entry(incident.last_entry.0 + 1), ..one.clone() };
            incident.evolve(&recorded);
            prop_assert_eq!(incident.last_entry, recorded.entry);
            prop_assert!(incident.last_at >= recorded.at);
        }
        for n in 0..6 {
            let _ = incident.next(person(n), &facts, at(60));
        }
        let _ = (incident.deadlines().count(), incident.wide_spans());
    }
}

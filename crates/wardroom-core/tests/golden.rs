//! The stored form of every kind of event, pinned: what stands in somebody's log can be read for ever.
//!
//! `golden/incident.txt` and `golden/directory.txt` hold one stored event a line: kind, version, and the
//! sealed body exactly as the log has it. Lines are added and never changed. A kind that must change gets
//! a new version, and the lines of the old one stay here and go on being read.

use std::collections::BTreeSet;
use std::fmt::Debug;

use serde_json::{Value, json};
use wardroom_core::directory::DirectoryEvent;
use wardroom_core::event::{Event, Recorded, Unreadable, VERSION};
use wardroom_core::id::{Actor, Entry, PersonId, Time};
use wardroom_core::incident::{FOLD_VERSION, Incident};
use wardroom_core::seal;

const INCIDENT: &str = include_str!("golden/incident.txt");
const DIRECTORY: &str = include_str!("golden/directory.txt");
const HISTORY: &str = include_str!("golden/history.txt");
const FOLDS: &str = include_str!("golden/fold.txt");

/// What every text of the golden events says, and the salt of its seal.
const WORDS: &str = "words";
const SALT: seal::Salt = [7; 16];

struct Golden {
    kind: String,
    version: u16,
    body: String,
}

fn goldens(file: &str) -> Vec<Golden> {
    let golden = |line: &str| {
        let mut parts = line.splitn(3, ' ').map(str::to_owned);
        let mut part = || parts.next().expect("kind, version and body");
        Golden { kind: part(), version: part().parse().expect("a version"), body: part() }
    };
    file.lines().map(golden).collect()
}

/// The two kinds of event look the same from outside.
struct Kept<E> {
    read: fn(&str, u16, Value) -> Result<E, Unreadable>,
    write: fn(&E) -> (String, Value),
    kinds: &'static [&'static str],
}

const INCIDENTS: Kept<Event> = Kept { read: Event::from_stored, write: Event::to_stored, kinds: Event::KINDS };
const DIRECTORIES: Kept<DirectoryEvent> =
    Kept { read: DirectoryEvent::from_stored, write: DirectoryEvent::to_stored, kinds: DirectoryEvent::KINDS };

impl<E: PartialEq + Debug> Kept<E> {
    fn read(&self, golden: &Golden, body: Value) -> E {
        (self.read)(&golden.kind, golden.version, body).unwrap_or_else(|bad| panic!("{}: {bad}", golden.kind))
    }

    fn every_kind_has_a_golden(&self, file: &str) {
        let pinned: BTreeSet<String> = goldens(file).into_iter().map(|golden| golden.kind).collect();
        let known: BTreeSet<String> = self.kinds.iter().map(|kind| (*kind).to_owned()).collect();
        assert_eq!(pinned, known);
        assert_eq!(known.len(), self.kinds.len(), "a kind is listed twice");
    }

    /// As the log has it, with its words gone: read and written again it is the same, byte for byte.
    fn reads_back(&self, file: &str) {
        for golden in goldens(file) {
            let event = self.read(&golden, serde_json::from_str(&golden.body).expect("JSON"));
            let (kind, body) = (self.write)(&event);
            assert_eq!((&kind, &body.to_string()), (&golden.kind, &golden.body));
            assert_eq!(self.read(&golden, body), event);
        }
    }

    /// With its words beside it, it reads as the same event, and the words do not enter the log again.
    fn reads_back_with_its_words(&self, file: &str) {
        for golden in goldens(file) {
            let mut body: Value = serde_json::from_str(&golden.body).expect("JSON");
            seal::open(&mut body, &|seal| (seal == seal::commit(&SALT, WORDS)).then(|| WORDS.to_owned()));
            let (_, mut body) = (self.write)(&self.read(&golden, body));
            assert_eq!(seal::seal(&mut body, &mut || unreachable!("it is sealed")), []);
            assert_eq!(body.to_string(), golden.body);
        }
    }

    /// Just decided and sealed for the first time, it gets the very form that is pinned.
    fn is_sealed_into_it(&self, file: &str) {
        for golden in goldens(file) {
            let mut body: Value = serde_json::from_str(&golden.body).expect("JSON");
            let texts = say(&mut body);
            let (_, mut body) = (self.write)(&self.read(&golden, body));
            let taken = seal::seal(&mut body, &mut || SALT);
            assert_eq!(body.to_string(), golden.body, "{}", golden.kind);
            assert_eq!(taken.len(), texts, "{}", golden.kind);
            assert!(taken.iter().all(|text| text.words == WORDS && text.salt == SALT));
        }
    }

    fn refuses_what_it_does_not_know(&self, file: &str) {
        for Golden { kind, version, body } in goldens(file) {
            let body: Value = serde_json::from_str(&body).expect("JSON");
            let newer = Unreadable::Unknown { kind: kind.clone(), version: VERSION + 1 };
            assert_eq!((self.read)(&kind, VERSION + 1, body.clone()), Err(newer));
            let elder = Unreadable::Unknown { kind: kind.clone(), version: 0 };
            assert_eq!((self.read)(&kind, 0, body.clone()), Err(elder));
            let strange = Unreadable::Unknown { kind: format!("{kind}_again"), version };
            assert_eq!((self.read)(&format!("{kind}_again"), version, body), Err(strange));
            let malformed = (self.read)(&kind, version, json!([1]));
            assert!(matches!(malformed, Err(Unreadable::Malformed { .. })), "{malformed:?}");
        }
    }
}

/// Puts what was said in the place of every seal, and counts them.
fn say(tree: &mut Value) -> usize {
    match tree {
        Value::Object(object) if object.contains_key("seal") => {
            *tree = json!({"said": WORDS});
            1
        }
        Value::Object(object) => object.values_mut().map(say).sum(),
        Value::Array(items) => items.iter_mut().map(say).sum(),
        _ => 0,
    }
}

#[test]
fn every_kind_of_an_incident_is_pinned() {
    INCIDENTS.every_kind_has_a_golden(INCIDENT);
}

#[test]
fn every_kind_of_the_directory_is_pinned() {
    DIRECTORIES.every_kind_has_a_golden(DIRECTORY);
}

#[test]
fn goldens_read_back_byte_for_byte() {
    INCIDENTS.reads_back(INCIDENT);
    DIRECTORIES.reads_back(DIRECTORY);
}

#[test]
fn goldens_read_back_with_their_words() {
    INCIDENTS.reads_back_with_its_words(INCIDENT);
    DIRECTORIES.reads_back_with_its_words(DIRECTORY);
}

#[test]
fn what_is_said_is_sealed_into_the_golden_form() {
    INCIDENTS.is_sealed_into_it(INCIDENT);
    DIRECTORIES.is_sealed_into_it(DIRECTORY);
}

#[test]
fn an_unknown_kind_or_version_is_from_a_newer_wardroom() {
    INCIDENTS.refuses_what_it_does_not_know(INCIDENT);
    DIRECTORIES.refuses_what_it_does_not_know(DIRECTORY);
}

/// Every state that a history leads through, as one digest. `golden/history.txt` is never changed, and a new kind needs
/// no line there.
fn folded() -> String {
    let mut states = String::new();
    let mut incident: Option<Incident> = None;
    for (entry, golden) in (1..).zip(goldens(HISTORY)) {
        let event = INCIDENTS.read(&golden, serde_json::from_str(&golden.body).expect("JSON"));
        let at = Time::constant(1_800_000_000 + 60 * entry, 0);
        let entry = Entry(entry.unsigned_abs());
        let recorded = Recorded { entry, at, actor: Actor::Person(PersonId(uuid::Uuid::from_u128(1))), event };
        match &mut incident {
            None => incident = Incident::begin(&recorded),
            Some(incident) => incident.evolve(&recorded),
        }
        states.push_str(&serde_json::to_string(&incident).expect("a state is plain data"));
    }
    seal::commit(&SALT, &states).to_string()
}

/// A snapshot of another fold must not be gone on from. `golden/fold.txt` has a line for each version of the fold, and
/// lines are only added.
#[test]
fn the_fold_is_pinned_to_its_version() {
    let now = format!("{FOLD_VERSION} {}", folded());
    let pinned = FOLDS.lines().last().unwrap_or_default();
    assert_eq!(
        pinned, now,
        "the state or its meaning has changed: raise FOLD_VERSION, and add its line to tests/golden/fold.txt"
    );
    let versions: Vec<u32> = FOLDS.lines().filter_map(|line| line.split(' ').next()?.parse().ok()).collect();
    assert!(
        (versions[0]..=FOLD_VERSION).eq(versions.iter().copied()),
        "one line each, since the first that was pinned"
    );
}

//! The directory: a harness like the incident's, and who may change it.

use std::collections::BTreeMap;

use serde_json::json;
use uuid::Uuid;
use wardroom_core::directory::{Directory, DirectoryAsking, DirectoryCommand, DirectoryEvent, DirectoryRecorded};
use wardroom_core::event::VERSION;
use wardroom_core::id::{Actor, Entry, PersonId, Time};
use wardroom_core::record::Unreadable;
use wardroom_core::refusal::{Code, Refusal, Remedy};
use wardroom_core::seal;

use crate::cast::{ADA, MARY, start};
use crate::words::{readable, text};

/// A directory with its history.
#[derive(Clone)]
pub struct Book {
    pub directory: Directory,
    pub now: Time,
    salts: u8,
}

/// What came of asking for a change.
pub struct Changed {
    before: Book,
    actor: Actor,
    outcome: Result<Vec<DirectoryEvent>, Refusal>,
}

/// A directory in which this happened.
pub fn book(events: impl IntoIterator<Item = DirectoryEvent>) -> Book {
    let mut book = Book { directory: Directory::default(), now: start(), salts: 0 };
    for event in events {
        book.record(Actor::Console, event);
    }
    book
}

/// Ada, who is an admin, and Mary, who is not.
pub fn ada_and_mary() -> Book {
    book([added(ADA, "ada", "Ada", true), added(MARY, "mary", "Mary", false)])
}

pub fn added(person: PersonId, handle: &str, name: &str, admin: bool) -> DirectoryEvent {
    DirectoryEvent::PersonAdded { person, handle: text(handle), name: text(name), email: None, admin }
}

/// A command as the API takes it.
#[track_caller]
pub fn change(name: &str, mut fields: serde_json::Value) -> DirectoryCommand {
    fields["command"] = json!(name);
    serde_json::from_value(fields).expect("a command")
}

impl Book {
    fn record(&mut self, actor: Actor, event: DirectoryEvent) {
        let (kind, mut body) = event.to_stored();
        let taken = seal::seal(&mut body, &mut || {
            self.salts += 1;
            [self.salts; 16]
        });
        let words: BTreeMap<_, _> = taken.into_iter().map(|text| (text.seal, text.words)).collect();
        seal::open(&mut body, &|seal| words.get(&seal).cloned());
        let event = DirectoryEvent::from_stored(&kind, VERSION, body).expect("what was written can be read");
        let entry = Entry(self.directory.last_entry.0 + 1);
        self.directory.evolve(&DirectoryRecorded { entry, at: self.now, actor, event });
    }

    /// Somebody wants this changed; new people get the ids 100, 101, …
    pub fn when(self, actor: impl Into<By>, command: DirectoryCommand) -> Changed {
        let By(actor) = actor.into();
        let mut fresh = (100..).map(Uuid::from_u128);
        let mut draw = || fresh.next().expect("there is always another");
        let ask = DirectoryAsking { actor, now: self.now };
        Changed { actor, outcome: self.directory.decide(ask, command, &mut draw), before: self }
    }
}

/// Whoever changes the directory.
pub struct By(Actor);

impl From<PersonId> for By {
    fn from(person: PersonId) -> Self {
        Self(Actor::Person(person))
    }
}

impl From<Actor> for By {
    fn from(actor: Actor) -> Self {
        Self(actor)
    }
}

impl Changed {
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = DirectoryEvent>) -> Book {
        let Self { before: mut book, actor, outcome } = self;
        let decided = outcome.unwrap_or_else(|refusal| panic!("refused as {:?}: {refusal}", refusal.code));
        assert_eq!(decided, events.into_iter().collect::<Vec<_>>());
        for event in decided {
            book.record(actor, event);
        }
        let kept = serde_json::to_value(&book.directory).expect("a directory can be written");
        assert_eq!(serde_json::from_value::<Directory>(kept).expect("and read"), book.directory);
        book
    }

    #[track_caller]
    pub fn accepted(self) -> Book {
        let events = self.outcome.clone().expect("accepted");
        self.then(events)
    }

    /// It is accepted, whatever of the settings a kept directory does not know.
    #[track_caller]
    pub fn decided(self) {
        self.outcome.expect("accepted");
    }

    #[track_caller]
    pub fn refused(self, code: Code) -> Book {
        let Err(refusal) = self.outcome else { panic!("accepted: {:?}", self.outcome) };
        assert_eq!(refusal.code, code, "{refusal}");
        readable(&refusal.sentence);
        self.before
    }

    #[track_caller]
    pub fn says(self, sentence: &str) -> Self {
        assert_eq!(self.outcome.as_ref().err().map(ToString::to_string).as_deref(), Some(sentence));
        self
    }

    /// The refusal itself.
    pub fn refusal(self) -> Refusal {
        self.outcome.expect_err("refused")
    }
}

#[test]
fn admins_and_the_console_change_the_directory() {
    let add = || change("add_person", json!({"handle": "robin", "name": "Robin"}));
    let refusal = ada_and_mary().when(MARY, add()).refusal();
    assert_eq!(
        (refusal.code, refusal.who_could, refusal.remedy),
        (Code::AdminsOnly, vec![ADA], Some(Remedy::AskAdmin))
    );
    ada_and_mary().when(Actor::Clock, add()).refused(Code::AdminsOnly);
    ada_and_mary().when(Actor::Console, add()).accepted();
    let gone = DirectoryEvent::PersonDeactivated { person: ADA };
    let book = ada_and_mary().when(Actor::Console, change("deactivate_person", json!({"person": "ada"}))).then([gone]);
    book.when(ADA, add()).refused(Code::AdminsOnly);
}

#[test]
fn somebody_is_left_who_is_an_admin() {
    let demote = || change("change_person", json!({"person": "ada", "admin": false}));
    ada_and_mary()
        .when(ADA, demote())
        .says("This would leave nobody who is an admin. Make somebody else an admin first.")
        .refused(Code::Unfinished)
        .when(ADA, change("deactivate_person", json!({"person": "ada"})))
        .refused(Code::Unfinished)
        .when(ADA, change("forget_person", json!({"person": "ada"})))
        .refused(Code::Unfinished)
        .when(ADA, change("change_person", json!({"person": "mary", "admin": true})))
        .accepted()
        .when(ADA, demote())
        .accepted();
    ada_and_mary().when(Actor::Console, demote()).accepted();
}

#[test]
fn a_directory_with_an_unknown_event_is_read_only_here() {
    let mut book = ada_and_mary();
    let unknown = Unreadable::Unknown { kind: "cloned".to_owned(), version: 2 };
    book.directory.evolve_unreadable(Entry(3), &unknown);
    book.when(ADA, change("add_person", json!({"handle": "x", "name": "X"}))).refused(Code::ReadOnly);
}

#[test]
fn what_only_the_edge_may_ask_for_does_not_come_over_the_wire() {
    for name in ["issue_token", "revoke_all_tokens"] {
        assert!(serde_json::from_value::<DirectoryCommand>(json!({"command": name})).is_err());
    }
    let odd = json!({"command": "remove_team", "team": "x", "really": true});
    assert!(serde_json::from_value::<DirectoryCommand>(odd).is_err());
}

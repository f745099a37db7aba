//! Given these events, when somebody asks for this, then these events happen, or it is refused so.
//!
//! Events go through sealing and opening before they are folded, as the log does it, so that a state here
//! is a state as it is read back. After every step the harness checks what must hold anywhere: an open
//! incident has one commander, and a state survives being kept as a snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::ToSpan;
use wardroom_core::command::{Command, Tick};
use wardroom_core::directory::{Directory, DirectoryEvent, DirectoryRecorded};
use wardroom_core::document::Written;
use wardroom_core::event::{Event, Recorded, VERSION};
use wardroom_core::facts::Facts;
use wardroom_core::id::{Actor, Entry, PersonId, Time};
use wardroom_core::incident::{Asking, Decision, Incident};
use wardroom_core::preserve::Preserving;
use wardroom_core::refusal::{Code, Refusal, Remedy};
use wardroom_core::seal;
use wardroom_core::sighting::Seen;

use crate::cast::{MARY, facts, start};
use crate::words::{readable, role};

/// An incident with its history, the time, and the directory.
#[derive(Clone)]
pub struct Given {
    pub history: Vec<Recorded>,
    pub facts: Facts,
    pub now: Time,
    other: Option<Incident>,
    document: Option<Written>,
    /// What the last decision changed in the directory.
    pub directory: Vec<DirectoryEvent>,
    salts: u128,
}

/// What came of asking.
pub struct Asked {
    before: Given,
    actor: Actor,
    outcome: Result<Decision, Refusal>,
}

/// An event of the past and who did it; Mary, unless a test says otherwise.
pub struct Past(Actor, Event);

impl From<Event> for Past {
    fn from(event: Event) -> Self {
        Self(Actor::Person(MARY), event)
    }
}

/// An event of the past that somebody else than Mary did.
pub fn by(person: PersonId, event: Event) -> Past {
    Past(Actor::Person(person), event)
}

/// An incident with these events, all of which happened at the start.
pub fn given<E: Into<Past>>(events: impl IntoIterator<Item = E>) -> Given {
    let given = Given {
        history: Vec::new(),
        facts: facts(),
        now: start(),
        other: None,
        document: None,
        directory: Vec::new(),
        salts: 0,
    };
    given.and(events)
}

impl Given {
    /// More events, which happen now.
    pub fn and<E: Into<Past>>(mut self, events: impl IntoIterator<Item = E>) -> Self {
        for event in events {
            let Past(actor, event) = event.into();
            self.record(actor, event);
        }
        self
    }

    fn record(&mut self, actor: Actor, event: Event) {
        let (kind, mut body) = event.to_stored();
        let taken = seal::seal(&mut body, &mut || {
            self.salts += 1;
            self.salts.to_be_bytes()
        });
        seal::open(&mut body, &|seal| taken.iter().find(|words| words.seal == seal).map(|w| w.words.clone()));
        let event = Event::from_stored(&kind, VERSION, body).expect("what was written can be read");
        let entry = Entry(self.history.len() as u64 + 1);
        self.history.push(Recorded { entry, at: self.now, actor, event });
    }

    /// The directory as it is after these events.
    fn settle(&mut self, events: Vec<DirectoryEvent>) {
        let mut directory = Directory { facts: self.facts.clone(), ..Directory::default() };
        for (entry, event) in (1..).zip(events) {
            let (entry, at, actor) = (Entry(entry), self.now, Actor::Console);
            directory.evolve(&DirectoryRecorded { entry, at, actor, event });
        }
        self.facts = directory.facts;
    }

    /// The directory has changed by these events.
    pub fn knowing(mut self, events: Vec<DirectoryEvent>) -> Self {
        self.settle(events);
        self
    }

    /// Time goes on.
    pub fn after(mut self, minutes: i64) -> Self {
        self.now += minutes.minutes();
        self
    }

    /// Time goes on, in small steps.
    pub fn after_seconds(mut self, seconds: i64) -> Self {
        self.now += seconds.seconds();
        self
    }

    /// Somebody's account is deactivated.
    pub fn deactivated(mut self, person: PersonId) -> Self {
        let mut people = BTreeMap::clone(&self.facts.people);
        people.get_mut(&person).expect("of the cast").active = false;
        self.facts.people = Arc::new(people);
        self
    }

    /// Another incident, for a merge.
    pub fn beside(mut self, other: &Self) -> Self {
        self.other = Some(other.state());
        self
    }

    /// This is written in the state document.
    pub fn written(mut self, document: Written) -> Self {
        self.document = Some(document);
        self
    }

    /// The folded state.
    pub fn state(&self) -> Incident {
        Incident::fold(&self.history).expect("the first event opens")
    }

    /// Somebody asks for this.
    pub fn when(self, person: PersonId, command: Command) -> Asked {
        self.ask(Actor::Person(person), command)
    }

    /// Any actor asks for this.
    pub fn ask(self, actor: Actor, command: Command) -> Asked {
        let state = self.state();
        let cited = command.cites().and_then(|entry| self.history.iter().find(|known| known.entry == entry));
        let other = self.other.as_ref().filter(|other| command.other_incident() == Some(other.number));
        let ask = Asking { actor, now: self.now, facts: &self.facts, cited, other, document: self.document.as_ref() };
        let outcome = state.decide(&ask, command);
        Asked { actor, outcome, before: self }
    }

    /// The clock speaks.
    pub fn tick(self, tick: Tick) -> Asked {
        let actor = Actor::Clock;
        let ask = Asking { actor, now: self.now, facts: &self.facts, cited: None, other: None, document: None };
        let outcome = self.state().tick(&ask, tick);
        Asked { actor, outcome, before: self }
    }
}

impl Given {
    /// Another system tells of a change.
    pub fn told(self, seen: Seen) -> Asked {
        let actor = Actor::Source;
        let ask = Asking { actor, now: self.now, facts: &self.facts, cited: None, other: None, document: None };
        let outcome = self.state().see(&ask, seen);
        Asked { actor, outcome, before: self }
    }
}

impl Given {
    /// Wardroom by itself tells what it tried to keep.
    pub fn kept(self, preserving: Preserving) -> Asked {
        let actor = Actor::Wardroom;
        let ask = Asking { actor, now: self.now, facts: &self.facts, cited: None, other: None, document: None };
        let outcome = self.state().preserve(&ask, preserving);
        Asked { actor, outcome, before: self }
    }
}

impl Asked {
    /// Exactly these events happen.
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = Event>) -> Given {
        self.then_there(events, [])
    }

    /// Exactly these events happen here, and those in the other incident.
    #[track_caller]
    pub fn then_there(self, here: impl IntoIterator<Item = Event>, there: impl IntoIterator<Item = Event>) -> Given {
        let Self { before: mut given, actor, outcome } = self;
        let Decision { here: decided, there: decided_there, directory } = match outcome {
            Ok(decision) => decision,
            Err(refusal) => panic!("refused as {:?}: {refusal}", refusal.code),
        };
        assert_eq!(decided, here.into_iter().collect::<Vec<_>>());
        assert_eq!(decided_there, there.into_iter().collect::<Vec<_>>());
        for event in decided {
            given.record(actor, event);
        }
        given.directory = directory.clone();
        given.settle(directory);
        holds_anywhere(&given);
        given
    }

    /// It is refused with this code; these people could; this is the remedy.
    #[track_caller]
    pub fn refused(self, code: Code, who_could: &[PersonId], remedy: Option<Remedy>) -> Given {
        let Err(refusal) = self.outcome else { panic!("accepted: {:?}", self.outcome) };
        assert_eq!(
            (refusal.code, refusal.who_could.as_slice(), &refusal.remedy),
            (code, who_could, &remedy),
            "{refusal}"
        );
        readable(&refusal.sentence);
        assert!(refusal.sentence.ends_with('.'), "no sentence: {refusal}");
        self.before
    }

    /// It is refused, and says so in these words.
    #[track_caller]
    pub fn says(self, sentence: &str) -> Self {
        let said = self.outcome.as_ref().err().map(ToString::to_string);
        assert_eq!(said.as_deref(), Some(sentence));
        self
    }

    /// It is accepted, and what was decided is looked at as a whole.
    #[track_caller]
    pub fn accepted_with(self, look: impl Fn(&Decision)) -> Given {
        look(self.outcome.as_ref().expect("accepted"));
        self.accepted()
    }

    /// It is accepted, whatever happens.
    #[track_caller]
    pub fn accepted(self) -> Given {
        let events = self.outcome.clone().map(|decision| decision.here).expect("accepted");
        let there = self.outcome.clone().map(|decision| decision.there).expect("accepted");
        self.then_there(events, there)
    }
}

/// Rules 1 and 2 at this position of the log, and that a snapshot of the state is the state.
#[track_caller]
fn holds_anywhere(given: &Given) {
    let state = given.state();
    assert_eq!(state.holder(&role("command")).is_some(), state.phase.is_open(), "rule 1");
    for path in state.roles.keys() {
        assert_eq!(state.effective_holder(path).is_some(), state.phase.is_open(), "rule 2 for {path}");
    }
    let kept = serde_json::to_value(&state).expect("a state can be written");
    assert_eq!(serde_json::from_value::<Incident>(kept).expect("a state can be read"), state);
}

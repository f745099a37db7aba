//! What the model and the properties share: people, facts, a clock, a log of one incident, and a ledger.

pub mod ledger;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, ToSpan};
use uuid::Uuid;
use wardroom_core::command::Opening;
use wardroom_core::event::{Event, Recorded};
use wardroom_core::facts::{Facts, Person, Service, Standing, Team};
use wardroom_core::id::{Actor, Entry, PersonId, TeamName, Time};
use wardroom_core::incident::{Asking, Incident, Kind, Severity};
use wardroom_core::role::RolePath;
use wardroom_core::text::{Prose, Text};

/// The one team of the tests.
pub const TEAM: &str = "search-sre";

/// When the first incident is opened.
pub const START: Time = Time::constant(1_800_000_000, 0);

/// Minutes after [`START`].
pub fn at(minutes: i64) -> Time {
    START + minutes.minutes()
}

/// The n-th person.
pub fn person(n: u8) -> PersonId {
    PersonId(Uuid::from_u128(u128::from(n) + 1))
}

/// A role by its path.
pub fn role(path: &str) -> RolePath {
    path.parse().expect("the tests name roles well")
}

/// Some words.
pub fn words(text: &str) -> Prose {
    text.parse().expect("the tests write well")
}

/// The team's name.
pub fn team() -> TeamName {
    TEAM.parse().expect("the tests name teams well")
}

/// A directory of `count` active people. The last is an admin; the second and third are the team.
pub fn facts(count: u8) -> Facts {
    let people: BTreeMap<PersonId, Person> = (0..count)
        .map(|n| {
            let (id, handle) = (person(n), Text::said(format!("p{n}")));
            (
                id,
                Person {
                    id,
                    name: handle.clone(),
                    handle,
                    email: None,
                    admin: n + 1 == count,
                    active: true,
                    standing: Standing::Member,
                },
            )
        })
        .collect();
    let members = BTreeSet::from([person(1), person(2)]);
    let teams = BTreeMap::from([(team(), Team { members })]);
    let services = BTreeMap::from([("search".parse().expect("a good name"), Service::default())]);
    Facts { people: Arc::new(people), teams: Arc::new(teams), services: Arc::new(services), ..Facts::default() }
}

/// Activates or deactivates an account.
pub fn set_active(facts: &mut Facts, who: PersonId, active: bool) {
    if let Some(person) = Arc::make_mut(&mut facts.people).get_mut(&who) {
        person.active = active;
    }
}

/// Somebody asks, with nothing cited and no other incident at hand.
pub fn asking(actor: Actor, now: Time, facts: &Facts) -> Asking<'_> {
    Asking { actor, now, facts, cited: None, other: None, document: None }
}

/// How an incident is opened in the tests.
pub fn opening(kind: Kind, investigate: bool, restricted: bool) -> Opening {
    Opening {
        title: "searches fail".parse().expect("the tests write well"),
        investigate,
        kind,
        severity: Severity::Sev2,
        services: BTreeSet::new(),
        began: None,
        restricted,
    }
}

/// Gives decided events their place and time, as whoever appends does.
pub fn record(after: Entry, not_before: Time, ask: (Actor, Time), events: Vec<Event>) -> Vec<Recorded> {
    let (actor, now) = ask;
    let at = now.max(not_before);
    (after.0 + 1..).zip(events).map(|(entry, event)| Recorded { entry: Entry(entry), at, actor, event }).collect()
}

/// Opens an incident and returns its first events, recorded.
pub fn opened(number: u32, by: PersonId, now: Time, facts: &Facts, opening: Opening) -> Vec<Recorded> {
    let actor = Actor::Person(by);
    let events =
        wardroom_core::incident::open(number.try_into().expect("a number"), &asking(actor, now, facts), opening);
    record(Entry(0), now, (actor, now), events.expect("an active person may open an incident"))
}

/// How long the commander has been unseen at `now`, if that was recorded.
pub fn unseen_for(incident: &Incident, now: Time) -> Option<SignedDuration> {
    incident.absence.unseen_since.map(|since| now.duration_since(since))
}

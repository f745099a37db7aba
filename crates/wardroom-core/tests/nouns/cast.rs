//! The cast: the people of the book's managed incident, an admin, somebody inactive, a team and two services.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::ToSpan;
use uuid::Uuid;
use wardroom_core::facts::{Facts, Person, Service, Standing, Team};
use wardroom_core::id::{PersonId, ServiceName, TeamName, Time};
use wardroom_core::text::Text;

/// Opens the incident and has command.
pub const MARY: PersonId = nth(1);
/// A responder in most tests, and of the team.
pub const SABRINA: PersonId = nth(2);
/// A responder in most tests.
pub const JOSEPHINE: PersonId = nth(3);
/// Not there until a test says so; of the team.
pub const ROBIN: PersonId = nth(4);
/// Not there until a test says so.
pub const MALCOLM: PersonId = nth(5);
/// The admin.
pub const ADA: PersonId = nth(6);
/// Whose account is not active.
pub const IVAN: PersonId = nth(7);
/// An id that nobody has.
pub const NOBODY: PersonId = nth(8);

/// Sabrina, Robin and the inactive Ivan.
pub const TEAM: &str = "search-sre";

const fn nth(n: u128) -> PersonId {
    PersonId(Uuid::from_u128(n))
}

/// When every incident of these tests begins: 2026-01-05, 03:00 UTC.
pub fn start() -> Time {
    "2026-01-05T03:00:00Z".parse().expect("a time")
}

/// So many minutes after the start.
pub fn at(minutes: i64) -> Time {
    start() + minutes.minutes()
}

/// The directory of all tests.
pub fn facts() -> Facts {
    let people = [
        (MARY, "Mary"),
        (SABRINA, "Sabrina"),
        (JOSEPHINE, "Josephine"),
        (ROBIN, "Robin"),
        (MALCOLM, "Malcolm"),
        (ADA, "Ada"),
        (IVAN, "Ivan"),
    ];
    let person = |(id, name): (PersonId, &str)| {
        let handle = Text::said(name.to_lowercase());
        let (admin, active) = (id == ADA, id != IVAN);
        (id, Person { id, handle, name: Text::said(name), email: None, admin, active, standing: Standing::Member })
    };
    let team: TeamName = TEAM.parse().expect("a team's name");
    Facts {
        people: Arc::new(people.map(person).into()),
        teams: Arc::new(BTreeMap::from([(team.clone(), Team { members: [SABRINA, ROBIN, IVAN].into() })])),
        services: Arc::new(BTreeMap::from([
            (
                service("search"),
                Service { owner: Some(team), depends_on: services(&["indexing"]), ..Service::default() },
            ),
            (service("indexing"), Service::default()),
        ])),
        ..Facts::default()
    }
}

/// A service's name.
pub fn service(name: &str) -> ServiceName {
    name.parse().expect("a service's name")
}

/// Several services' names.
pub fn services(names: &[&str]) -> BTreeSet<ServiceName> {
    names.iter().map(|name| service(name)).collect()
}

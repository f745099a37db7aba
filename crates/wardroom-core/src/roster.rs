//! A roster: people, teams and services from a TOML or CSV file, to be imported into the directory.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::directory::{Directory, DirectoryCommand, DirectoryEvent, DirectoryRecorded};
use crate::facts::Person;
use crate::id::{Actor, Entry, Handle, PersonId, ServiceName, TeamName, Who};
use crate::incident::Severity;
use crate::matching::Matching;
use crate::person::{Addresses, Email};
use crate::refusal::{Code, Refusal};
use crate::text::{Line, repeated};

/// The largest file that is read, in bytes.
pub const ROSTER_BYTES_MAX: usize = 4 << 20;
/// The most entries of one roster.
const ENTRIES_MAX: usize = 20_000;

/// What an organisation brings along. Whatever it does not name stays as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Roster {
    /// People, known by their handle.
    #[serde(default)]
    pub people: Vec<RosterPerson>,
    /// Teams.
    #[serde(default)]
    pub teams: Vec<RosterTeam>,
    /// Services.
    #[serde(default)]
    pub services: Vec<RosterService>,
}

/// A person of a roster.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RosterPerson {
    /// By which they are known.
    pub handle: Handle,
    /// How they are shown.
    pub name: Line,
    /// Where mail reaches them.
    pub email: Option<Email>,
    /// Left out: a new person is none, a known one stays as they are.
    pub admin: Option<bool>,
}

/// A team of a roster.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RosterTeam {
    /// What it is called.
    pub name: TeamName,
    /// All of its members, by handle.
    #[serde(default)]
    pub members: Vec<Handle>,
}

/// A service of a roster.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RosterService {
    /// What it is called.
    pub name: ServiceName,
    /// The team that answers for it.
    pub owner: Option<TeamName>,
    /// What it needs to work.
    #[serde(default)]
    pub depends_on: BTreeSet<ServiceName>,
    /// At which severities its gate stops people. Left out: as it is, and a new one only observes.
    pub enforce: Option<BTreeSet<Severity>>,
    /// Which objects of a cluster belong to it. Left out: as it is.
    pub matching: Option<Matching>,
}

/// Why a file could not be read as a roster, with the place in it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadRoster(pub String);

fn bounded(file: &str) -> Result<(), BadRoster> {
    if file.len() <= ROSTER_BYTES_MAX {
        return Ok(());
    }
    Err(BadRoster(format!("the file has {} bytes; at most {ROSTER_BYTES_MAX} are read", file.len())))
}

impl Roster {
    /// Reads `[[people]]`, `[[teams]]` and `[[services]]` from a TOML file.
    ///
    /// # Errors
    /// [`BadRoster`] with the line that does not fit.
    pub fn from_toml(file: &str) -> Result<Self, BadRoster> {
        bounded(file)?;
        toml::from_str(file).map_err(|error| BadRoster(repeated(&error.to_string())))
    }

    /// Reads people from a CSV file with a header: `handle,name` and, in any order, `email`, `admin`, `teams`
    /// (several separated by spaces).
    ///
    /// # Errors
    /// [`BadRoster`] with the line that does not fit.
    pub fn from_csv(file: &str) -> Result<Self, BadRoster> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Row {
            handle: Handle,
            name: Line,
            email: Option<Email>,
            admin: Option<bool>,
            teams: Option<String>,
        }
        bounded(file)?;
        let mut roster = Self::default();
        let mut places = BTreeMap::new();
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file.as_bytes());
        for row in reader.deserialize::<Row>() {
            let row = row.map_err(|error| BadRoster(repeated(&error.to_string())))?;
            for team in row.teams.as_deref().unwrap_or_default().split_whitespace() {
                let name: TeamName = team.parse().map_err(|bad| BadRoster(format!("{}: {bad}", row.handle)))?;
                let place = *places.entry(name).or_insert_with_key(|name| {
                    roster.teams.push(RosterTeam { name: name.clone(), members: Vec::new() });
                    roster.teams.len() - 1
                });
                roster.teams[place].members.push(row.handle.clone());
            }
            let Row { handle, name, email, admin, .. } = row;
            roster.people.push(RosterPerson { handle, name, email, admin });
        }
        Ok(roster)
    }
}

impl Directory {
    /// All of a roster or nothing: each entry is decided against what the earlier ones made of the directory.
    pub(crate) fn import(
        &self,
        roster: Roster,
        fresh: &mut dyn FnMut() -> Uuid,
    ) -> Result<Vec<DirectoryEvent>, Refusal> {
        if roster.people.len() + roster.teams.len() + roster.services.len() > ENTRIES_MAX {
            return Err(Refusal::new(Code::TooMany, format!("A roster has at most {ENTRIES_MAX} entries; split it.")));
        }
        let mut after = self.clone();
        let mut all = Vec::new();
        let mut apply = |after: &mut Self, events: Vec<DirectoryEvent>| {
            for event in events {
                let at = after.last_at.unwrap_or_default();
                after.evolve(&DirectoryRecorded { entry: Entry(0), at, actor: Actor::Console, event: event.clone() });
                all.push(event);
            }
        };
        // Looking everybody up among everybody would make twice the people take four times as long.
        let named = |(id, person): (&PersonId, &Person)| Some((person.handle.words()?.to_owned(), *id));
        let mut known: BTreeMap<String, PersonId> = self.facts.people.iter().filter_map(named).collect();
        let mut addresses = Addresses::of(self);
        for RosterPerson { handle, name, email, admin } in roster.people {
            let events = match known.get(handle.as_str()) {
                Some(person) => after.changes_of_person(&Who::Id(*person), None, Some(name), email, admin)?,
                None => {
                    let person = PersonId(fresh());
                    known.insert(handle.as_str().to_owned(), person);
                    vec![Self::added(person, handle, name, email, admin.unwrap_or(false))]
                }
            };
            addresses.take(&events)?;
            apply(&mut after, events);
        }
        for RosterTeam { name, members } in roster.teams {
            let who = |handle: Handle| known.get(handle.as_str()).map_or(Who::Handle(handle), |id| Who::Id(*id));
            let members: Vec<Who> = members.into_iter().map(who).collect();
            let events = after.set_team(name, &members)?;
            apply(&mut after, events);
        }
        for RosterService { name, owner, depends_on, enforce, matching } in roster.services {
            let events = after.set_service(name.clone(), owner, depends_on)?;
            apply(&mut after, events);
            if let Some(enforce) = enforce {
                let events = after.set_gate(name.clone(), enforce)?;
                apply(&mut after, events);
            }
            if matching.is_some() {
                let events = after.match_service(name, matching)?;
                apply(&mut after, events);
            }
        }
        Ok(all)
    }
}

impl From<Roster> for DirectoryCommand {
    fn from(roster: Roster) -> Self {
        Self::Import { roster }
    }
}

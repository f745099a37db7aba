//! What the organisation knows: people, teams and services, as a read-only snapshot for deciding.
//!
//! `facts` is folded from the directory's stream (`directory.rs`). Whatever fact decided something is copied
//! into the event, because the directory goes on changing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::evidence::Room;
use crate::example::Part;
use crate::id::{Handle, Number, PersonId, ServiceName, TeamName, Time, Who};
use crate::incident::Severity;
use crate::matching::Matching;
use crate::preserve::{CaptureName, Thing};
use crate::refusal::{Code, Refusal, Remedy};
use crate::text::{Text, repeated};

/// How somebody stands to the house.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Of the house: sees every incident that is not restricted.
    #[default]
    Member,
    /// Came by a link of a responder, and is in this one incident alone.
    Guest(Number),
    /// Of the example incident's cast: acts by a script, and is in nothing else.
    Scripted(Part),
}

/// One person of the directory.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Person {
    /// The opaque id by which events name this person.
    pub id: PersonId,
    /// What they are called on the command line; gone once they were forgotten.
    pub handle: Text,
    /// How they are shown.
    pub name: Text,
    /// Where mail reaches them.
    pub email: Option<Text>,
    /// May change the directory and the settings.
    pub admin: bool,
    /// Deactivated people keep their tenure and lose their access.
    pub active: bool,
    /// A member of the house, or somebody who is in one incident alone.
    #[serde(default)]
    pub standing: Standing,
}

/// A team: to whom a role may be offered as a whole, and who owns services.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Team {
    /// Its people.
    pub members: BTreeSet<PersonId>,
}

/// A service that can be affected, depend on others, and be changed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Service {
    /// Who answers for it.
    pub owner: Option<TeamName>,
    /// What it needs to work.
    pub depends_on: BTreeSet<ServiceName>,
    /// At which severities its gate stops people; at the others it observes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub enforced: BTreeSet<Severity>,
    /// Which objects of a cluster belong to it, where that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matching: Option<Matching>,
    /// The versions of it that its owners called good, each once, the newest first and at most [`GOODS_KEPT`]: one that is
    /// called good during an incident takes nothing from the one to which its owners may go back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub good: Vec<Good>,
    /// What of it is worth keeping when something is wrong with it, at most ten things.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worth: Vec<Thing>,
    /// What was named so before and is not any more, the last of it first: named again, it is the same thing, which an
    /// incident keeps once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worth_before: Vec<Thing>,
}

/// So many good versions of a service are remembered.
pub const GOODS_KEPT: usize = 5;
/// So often it is remembered of one of them that it was called good before.
pub const EARLIER_KEPT: usize = 4;

/// A version of a service that its owners say is good.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Good {
    /// What it is called.
    pub version: Text,
    /// Since when they say so.
    pub since: Time,
    /// When they said so before, with another one in between: the newest first and at most [`EARLIER_KEPT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Time>,
}

impl Good {
    /// When it was last called good, up to a time.
    #[must_use]
    pub fn called_by(&self, time: Time) -> Option<Time> {
        [self.since].iter().chain(&self.earlier).copied().find(|at| *at <= time)
    }
}

/// The directory as deciding sees it. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Facts {
    /// Everybody, active or not.
    pub people: Arc<BTreeMap<PersonId, Person>>,
    /// Every team.
    pub teams: Arc<BTreeMap<TeamName, Team>>,
    /// Every service.
    pub services: Arc<BTreeMap<ServiceName, Service>>,
    /// What all evidence of one incident may weigh: it stands in the server's settings and in no event.
    #[serde(skip)]
    pub room: Room,
    /// Which captures the server's settings name; nothing where nobody knows, as beside a server.
    #[serde(skip)]
    pub captures: Option<Arc<BTreeSet<CaptureName>>>,
}

impl Facts {
    /// The person that a command names.
    ///
    /// # Errors
    /// [`Code::UnknownPerson`] when nobody is called so.
    pub fn find(&self, who: &Who) -> Result<PersonId, Refusal> {
        let found = match who {
            Who::Id(id) => self.people.get(id).map(|person| person.id),
            Who::Handle(handle) => self.by_handle(handle).map(|person| person.id),
        };
        found.ok_or_else(|| Self::nobody_called(&who.to_string()))
    }

    /// That nobody is called so, whatever it is that somebody sent.
    #[must_use]
    pub fn nobody_called(called: &str) -> Refusal {
        let called = repeated(called);
        let sentence = format!("Nobody here is called “{called}”. An admin can add people to the directory.");
        Refusal::new(Code::UnknownPerson, sentence)
    }

    /// The person that a command names, if they are active.
    ///
    /// # Errors
    /// [`Code::UnknownPerson`] or [`Code::Inactive`].
    pub fn find_active(&self, who: &Who) -> Result<PersonId, Refusal> {
        let person = self.find(who)?;
        if self.active(person) {
            return Ok(person);
        }
        Err(Refusal::new(
            Code::Inactive,
            format!("{}'s account is not active, so they cannot take part.", self.name(person)),
        ))
    }

    /// The team that a command names.
    ///
    /// # Errors
    /// [`Code::UnknownTeam`].
    pub fn team(&self, name: &TeamName) -> Result<&Team, Refusal> {
        self.teams.get(name).ok_or_else(|| {
            Refusal::new(
                Code::UnknownTeam,
                format!("There is no team called “{name}”. An admin can add it to the directory."),
            )
        })
    }

    /// That nobody knows a service of this name, where it has to be known.
    #[must_use]
    pub fn no_such_service(&self, name: &ServiceName) -> Refusal {
        let sentence = format!("Nobody here knows a service “{name}”. An admin can add it to the directory.");
        Refusal::new(Code::UnknownService, sentence)
    }

    /// Who is called so, active or not.
    #[must_use]
    pub fn by_handle(&self, handle: &Handle) -> Option<&Person> {
        self.people.values().find(|person| person.handle.words() == Some(handle.as_str()))
    }

    /// How to show a person, even one who was forgotten.
    #[must_use]
    pub fn name(&self, person: PersonId) -> &str {
        self.people
            .get(&person)
            .map_or("somebody unknown", |person| person.name.words().unwrap_or("a forgotten person"))
    }

    /// Several people, as a sentence would list them.
    #[must_use]
    pub fn names(&self, people: &[PersonId]) -> String {
        let names: Vec<&str> = people.iter().map(|person| self.name(*person)).collect();
        match names.split_last() {
            None => "nobody".to_owned(),
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
        }
    }

    /// Whether this person may act.
    #[must_use]
    pub fn active(&self, person: PersonId) -> bool {
        self.people.get(&person).is_some_and(|person| person.active)
    }

    /// Whether this person may change the directory.
    #[must_use]
    pub fn admin(&self, person: PersonId) -> bool {
        self.people.get(&person).is_some_and(|person| person.active && person.admin)
    }

    /// The admins, as far as they are active.
    #[must_use]
    pub fn admins(&self) -> Vec<PersonId> {
        self.people.values().filter(|person| person.active && person.admin).map(|person| person.id).collect()
    }

    /// A refusal that names the admins, who could.
    #[must_use]
    pub fn admins_only(&self, sentence: &str) -> Refusal {
        Refusal::new(Code::AdminsOnly, sentence).who_could(self.admins()).remedy(Remedy::AskAdmin)
    }

    /// The one incident that somebody is bound to; nothing for members of the house.
    #[must_use]
    pub fn guest_of(&self, person: PersonId) -> Option<Number> {
        match self.people.get(&person)?.standing {
            Standing::Member | Standing::Scripted(_) => None,
            Standing::Guest(incident) => Some(incident),
        }
    }

    /// Whether this person is of the team that answers for a service.
    #[must_use]
    pub fn owns(&self, service: &ServiceName, person: PersonId) -> bool {
        let owner = self.services.get(service).and_then(|service| service.owner.as_ref());
        owner.is_some_and(|team| self.in_team(team, person))
    }

    /// Whether this person belongs to the team; nobody belongs to a team that does not exist.
    #[must_use]
    pub fn in_team(&self, team: &TeamName, person: PersonId) -> bool {
        self.teams.get(team).is_some_and(|team| team.members.contains(&person))
    }
}

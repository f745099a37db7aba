//! What somebody has to be told who may not be looking: a role that is offered to them, command that nobody exercises,
//! a duty that is overdue. What is said of it stands in `words.rs`.
//!
//! Derived from the state, as `next` is, and under ids that stay the same for as long as the matter is the same: what
//! was told can be told again and be recognised, and be withdrawn when it is done elsewhere. What whoever has the room
//! before them sees anyway (a roadblock, an ask, a hint) is not here.

mod words;

use serde::Serialize;

use crate::change::Change;
use crate::facts::Facts;
use crate::id::{Entry, Number, PersonId, ServiceName, Time};
use crate::incident::Incident;
use crate::next::Next;
use crate::offer::{Offer, Recipient};
use crate::role::{Duty, RolePath};
use crate::sighting::{NewSighting, Sighting};

/// What it is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub enum About {
    /// A role is offered to them.
    Offer {
        /// The entry that offered it.
        offer: Entry,
        /// Which role.
        role: RolePath,
        /// Who offers it.
        by: PersonId,
        /// Until when.
        lapses_at: Time,
    },
    /// They command, and nobody has seen them.
    StillWithUs {
        /// Since when.
        unseen_since: Time,
    },
    /// The commander is gone, and they could assume command.
    Absent {
        /// Who is gone.
        commander: PersonId,
        /// Since when they were not seen, or had command.
        since: Time,
    },
    /// Somebody proposes to assume command, and they could confirm it.
    Confirm {
        /// The entry that proposed it.
        proposal: Entry,
        /// Who proposes it.
        by: PersonId,
    },
    /// A change was told of from outside operations; they command, or have operations.
    Uncoordinated {
        /// Its number.
        change: u32,
        /// Of which service.
        service: ServiceName,
        /// Who told of it.
        by: PersonId,
    },
    /// Another system told of a change by somebody outside operations; they command, or have operations.
    Seen {
        /// With which one it began that some wait to be sorted. It is told once until all are.
        since: u32,
        /// The number of the one that waits the longest.
        sighting: u32,
        /// Of which service that is.
        service: ServiceName,
        /// Who made it, where the directory knows them.
        by: Option<PersonId>,
        /// How many more wait.
        more: usize,
    },
    /// They made a change that was seen, and are asked to come.
    AskedIn {
        /// The entry that asked.
        entry: Entry,
        /// Who asked.
        by: PersonId,
        /// Of which service the change is.
        service: ServiceName,
    },
    /// Somebody outside operations asks to change services; they have operations.
    Permit {
        /// The entry that asked.
        ask: Entry,
        /// Who asks.
        by: PersonId,
    },
    /// Somebody broke the glass and changes services on their own; they command, or have operations.
    Glass {
        /// The number of the permission that they took.
        permission: u32,
        /// Who.
        by: PersonId,
        /// Until when.
        until: Time,
    },
    /// Command came to them by what somebody else did, and they have done nothing here since.
    InCommand {
        /// The entry that gave it.
        entry: Entry,
        /// Since when.
        since: Time,
    },
    /// A clock of theirs rang.
    Clock {
        /// The entry that set it.
        clock: Entry,
        /// When it rang.
        rang_at: Time,
    },
}

/// Something that one person has to be told.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Call {
    /// In which incident.
    pub incident: Number,
    /// Whom.
    pub person: PersonId,
    /// What about.
    pub about: About,
}

/// What is said of a call: a line, and what to do. Nothing in it can be mistaken for another line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    /// What it is, in a line.
    pub line: String,
    /// What to do about it.
    pub help: String,
}

impl Call {
    /// Its name in its incident: the same for as long as the matter is the same, and of nothing else ever.
    #[must_use]
    pub fn id(&self) -> String {
        let number = self.incident.get();
        match &self.about {
            About::Offer { offer, .. } => Self::of_offer(self.incident, *offer),
            About::StillWithUs { unseen_since } => format!("{number}.here.{}", unseen_since.as_second()),
            About::Absent { since, .. } => format!("{number}.absent.{}", since.as_second()),
            About::Confirm { proposal, .. } => format!("{number}.confirm.{proposal}"),
            About::Uncoordinated { change, .. } => format!("{number}.change.{change}"),
            About::Seen { since, .. } => format!("{number}.seen.{since}"),
            About::AskedIn { entry, .. } => format!("{number}.in.{entry}"),
            About::Permit { ask, .. } => format!("{number}.permit.{ask}"),
            About::Glass { permission, .. } => format!("{number}.glass.{permission}"),
            About::InCommand { entry, .. } => format!("{number}.command.{entry}"),
            About::Clock { clock, rang_at } => format!("{number}.clock.{clock}.{}", rang_at.as_second()),
        }
    }

    /// The name of whatever tells of this offer, to whomever.
    #[must_use]
    pub fn of_offer(incident: Number, offer: Entry) -> String {
        format!("{}.offer.{offer}", incident.get())
    }

    /// Whether it is about having command oneself, or as loud as that: it goes past quiet hours.
    #[must_use]
    pub fn is_of_command(&self) -> bool {
        match &self.about {
            About::Offer { role, .. } => role.is_command(),
            About::StillWithUs { .. } | About::Glass { .. } | About::InCommand { .. } => true,
            About::Absent { .. }
            | About::Confirm { .. }
            | About::Uncoordinated { .. }
            | About::Seen { .. }
            | About::AskedIn { .. }
            | About::Permit { .. }
            | About::Clock { .. } => false,
        }
    }

    /// The page on which it is done, as the address begins after the server's own.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/incidents/{}", self.incident.get())
    }
}

impl Incident {
    /// Whom there is to tell of what, at this moment.
    #[must_use]
    pub fn calls(&self, facts: &Facts, now: Time) -> Vec<Call> {
        // Nobody waits in the example: whoever plays it looks at it, or does not.
        if !self.phase.is_open() || self.example.is_some() {
            return Vec::new();
        }
        let offered = self.offers.iter().flat_map(|(role, offer)| self.calls_about(role, offer, facts, now));
        let mut all: Vec<Call> = offered.collect();
        all.extend(self.calls_about_absence(facts, now));
        all.extend(self.calls_of_clocks(now));
        all.extend(self.calls_about_changes());
        all.extend(self.calls_about_sightings(now));
        all.extend(self.calls_about_permissions(now));
        all.extend(self.call_to_who_came_into_command());
        let tells = |call: &Call| {
            facts.active(call.person) && self.visible_to(call.person, facts) && self.calls_on(call.person)
        };
        all.retain(tells);
        all.sort();
        all.dedup();
        all
    }

    fn call(&self, person: PersonId, about: About) -> Call {
        Call { incident: self.number, person, about }
    }

    fn calls_about(&self, role: &RolePath, offer: &Offer, facts: &Facts, now: Time) -> Vec<Call> {
        if offer.lapsed(now) {
            return Vec::new();
        }
        let people: Vec<PersonId> = match &offer.to {
            Recipient::Person(person) => vec![*person],
            Recipient::Team(team) => {
                facts.teams.get(team).map_or_else(Vec::new, |team| Vec::from_iter(team.members.clone()))
            }
        };
        let about = About::Offer { offer: offer.id, role: role.clone(), by: offer.by, lapses_at: offer.lapses_at };
        let others = people.into_iter().filter(|person| self.holder(role) != Some(*person));
        others.map(|person| self.call(person, about.clone())).collect()
    }

    fn calls_about_absence(&self, facts: &Facts, now: Time) -> Vec<Call> {
        let commander = self.commander();
        let since = match self.roles.get(&RolePath::command()).and_then(|role| role.holder) {
            Some(tenure) => self.absence.unseen_since.unwrap_or(tenure.since),
            None => return Vec::new(),
        };
        let about = |person: PersonId| match self.next_about_absence(person, facts, now)? {
            Next::StillWithUs { unseen_since } => Some(About::StillWithUs { unseen_since }),
            Next::Confirm { proposal, by } => Some(About::Confirm { proposal, by }),
            Next::Assume { .. } => Some(About::Absent { commander, since }),
            _ => None,
        };
        let nobody_commands = self.absence.unseen_since.is_some() || !facts.active(commander);
        if !nobody_commands && self.pending_proposal(now).is_none() {
            return Vec::new(); // As nearly always: nobody has to be asked for.
        }
        // Somebody who is not here may be the one who can confirm.
        let anybody = facts.people.keys().copied();
        anybody.filter_map(|person| Some(self.call(person, about(person)?))).collect()
    }

    /// An uncoordinated change is told to the commander and to whoever has operations, until operations have sorted it.
    fn calls_about_changes(&self) -> Vec<Call> {
        let operations = self.effective_holder(&RolePath::of(Duty::Operations));
        let told = |change: &Change| {
            let about = About::Uncoordinated { change: change.id, service: change.service.clone(), by: change.by };
            let people = operations.into_iter().chain([self.commander()]).filter(|person| *person != change.by);
            people.map(|person| self.call(person, about.clone())).collect::<Vec<Call>>()
        };
        self.changes.iter().filter(|change| change.is_unsorted()).flat_map(told).collect()
    }

    /// Changes that were seen and not coordinated are told as one that somebody told of, all of them at once: machines tell
    /// of many. And their makers may be asked in.
    fn calls_about_sightings(&self, now: Time) -> Vec<Call> {
        if self.sightings.is_empty() {
            return Vec::new();
        }
        let operations = self.effective_holder(&RolePath::of(Duty::Operations));
        let seen = self.unsorted_since.into_iter().flat_map(|since| {
            let people = operations.into_iter().chain([self.commander()]);
            people.filter_map(move |person| Some(self.call(person, self.about_seen(person, since)?)))
        });
        let waited = self.waited_for(now).map(|(person, known, asked)| {
            let service = known.seen.service.clone();
            self.call(person, About::AskedIn { entry: asked.entry, by: asked.by, service })
        });
        seen.chain(waited).collect()
    }

    /// What others made that is to be sorted.
    fn about_seen(&self, person: PersonId, since: u32) -> Option<About> {
        let others = |known: &&Sighting| known.is_unsorted() && known.seen.person != Some(person);
        let mut unsorted = self.sightings.iter().filter(others);
        let NewSighting { sighting, service, person: by, .. } = &unsorted.next()?.seen;
        let (service, by) = (service.clone(), *by);
        Some(About::Seen { since, sighting: *sighting, service, by, more: unsorted.count() })
    }

    /// Whoever has operations answers who asks; whoever broke the glass is told of to the commander too.
    fn calls_about_permissions(&self, now: Time) -> Vec<Call> {
        let operations = self.effective_holder(&RolePath::of(Duty::Operations));
        let waiting = self.waiting(now).into_iter().filter(|(by, _)| operations != Some(*by));
        let asked = waiting
            .flat_map(|(by, asked)| operations.map(|person| self.call(person, About::Permit { ask: asked.entry, by })));
        let glass = self.live_permissions(now).filter(|known| known.is_glass()).flat_map(|known| {
            let about = About::Glass { permission: known.id, by: known.person, until: known.until };
            let people = operations.into_iter().chain([self.commander()]).filter(|person| *person != known.person);
            people.map(move |person| self.call(person, about.clone()))
        });
        asked.chain(glass).collect()
    }

    /// Who opened, took or reopened it has done that themselves. A late record, or the second person's word that an
    /// assumption of command needs, gives command to somebody who may be asleep.
    fn call_to_who_came_into_command(&self) -> Option<Call> {
        let tenure = self.roles.get(&RolePath::command()).and_then(|role| role.holder)?;
        let unaware = self.last_acted(tenure.person) < Some(tenure.entry);
        let about = About::InCommand { entry: tenure.entry, since: tenure.since };
        unaware.then(|| self.call(tenure.person, about))
    }

    fn calls_of_clocks(&self, now: Time) -> Vec<Call> {
        let commander = self.commander();
        let rang = |clock: &crate::deadline::Clock| {
            let due = clock.due_at <= now && (clock.rang_at.is_none() || clock.every_minutes.is_some());
            let rang_at = if due { Some(clock.due_at) } else { clock.rang_at };
            rang_at.map(|rang_at| self.call(commander, About::Clock { clock: clock.id, rang_at }))
        };
        self.clocks.iter().filter_map(rang).collect()
    }
}

//! What somebody has to be told who may not be looking: a role that is offered to them, command that nobody exercises,
//! a duty that is overdue.
//!
//! Derived from the state, as `next` is, and under ids that stay the same for as long as the matter is the same: what
//! was told can be told again and be recognised, and be withdrawn when it is done elsewhere. What whoever has the room
//! before them sees anyway (a roadblock, an ask, a hint) is not here.

use serde::Serialize;

use crate::change::Change;
use crate::facts::Facts;
use crate::id::{Entry, Number, PersonId, ServiceName, Time};
use crate::incident::Incident;
use crate::next::Next;
use crate::offer::{Offer, Recipient};
use crate::role::{Duty, RolePath};
use crate::telling::severity;

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
            | About::Permit { .. }
            | About::Clock { .. } => false,
        }
    }

    /// The page on which it is done, as the address begins after the server's own.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/incidents/{}", self.incident.get())
    }

    /// What to tell them. What leaves the house about a restricted incident does not say what that is about.
    #[must_use]
    pub fn words(&self, incident: &Incident, facts: &Facts) -> Words {
        let place = place(incident);
        let name = |person: PersonId| facts.name(person);
        let (line, help) = match &self.about {
            About::Offer { role, by, lapses_at, .. } => (
                format!("{} offers you {role} in {place}", name(*by)),
                format!(
                    "Take it or decline it by {}. Until you take it, nothing has moved; then the offer lapses.",
                    clock(*lapses_at)
                ),
            ),
            About::StillWithUs { unseen_since } => (
                format!("Still with us? You command {place}"),
                format!(
                    "Nobody has seen you since {}. Open the incident, or hand command over: others may assume it soon.",
                    clock(*unseen_since)
                ),
            ),
            About::Absent { commander, since } => (
                format!("{}, who commands {place}, is not there", name(*commander)),
                format!("Not seen since {}. You are here: assume command, or confirm whoever does.", clock(*since)),
            ),
            About::Confirm { by, .. } => (
                format!("{} wants to assume command of {place}", name(*by)),
                "It takes a second person's word, and yours would do. Open the incident and confirm it, or not.".into(),
            ),
            About::Uncoordinated { change, service, by } => {
                let of = if incident.restricted { String::new() } else { format!(" of {service}") };
                (
                    format!("{} tells of a change{of} that was not coordinated, in {place}", name(*by)),
                    format!(
                        "Operations take change {change} into the ledger, revert it, or dismiss it. Or ask them in."
                    ),
                )
            }
            About::Permit { by, .. } => (
                format!("{} asks you for permission to change something, in {place}", name(*by)),
                "You have operations: let them for a while, or say no. Until then the gate stops them.".into(),
            ),
            About::Glass { by, until, .. } => (
                format!("{} broke the glass in {place}", name(*by)),
                format!(
                    "They change services on their own until {}. Speak to them; operations sort what they change.",
                    clock(*until)
                ),
            ),
            About::InCommand { since, .. } => (
                format!("You have command of {place}"),
                format!("It came to you at {}. Open the incident: until you hand it over, it is yours.", clock(*since)),
            ),
            About::Clock { clock: id, rang_at } => (
                format!("A clock of yours rang in {place}{}", self.label(*id, incident)),
                format!("It rang at {}. Do what it reminds of, then stop it or set it anew.", clock(*rang_at)),
            ),
        };
        Words { line, help }
    }

    /// How it ended, once it is none any more: what somebody is told who was told of it before.
    #[must_use]
    pub fn done(id: &str, incident: &Incident, facts: &Facts) -> Words {
        let place = place(incident);
        let commander = facts.name(incident.commander());
        let mut parts = id.split('.').skip(1);
        let (about, of) = (parts.next(), parts.next().unwrap_or_default());
        let line = match about {
            _ if !incident.phase.is_open() => format!("Done: {place} is {}", incident.phase.word()),
            Some("offer") => format!("Done: what was offered to you in {place} is no longer on offer"),
            // Who only had the role until now is not told that it is settled.
            Some("change")
                if incident.changes.iter().any(|change| change.is_unsorted() && change.id.to_string() == of) =>
            {
                format!("Done: the change in {place} is for somebody else to sort now")
            }
            Some("change") => format!("Done: the change in {place} is sorted"),
            Some("permit") if incident.permission_asks.values().any(|asked| asked.entry.to_string() == of) => {
                format!("Done: who asks for permission in {place} is for somebody else to answer now")
            }
            Some("permit") => format!("Done: who asked for permission in {place} has their answer"),
            Some("glass")
                if incident
                    .permissions
                    .iter()
                    .any(|known| known.id.to_string() == of && known.until > incident.last_at) =>
            {
                format!("Done: the glass that was broken in {place} is for somebody else to see to now")
            }
            Some("glass") => format!("Done: the glass that was broken in {place} is whole again"),
            Some("clock") => format!("Done: the clock in {place} was seen to"),
            _ => format!("Done: {commander} has command of {place}"),
        };
        Words { line, help: format!("Nothing is left to do about it. {commander} has command.") }
    }

    fn label(&self, id: Entry, incident: &Incident) -> String {
        let label = incident.clocks.iter().find(|clock| clock.id == id).map(|clock| &clock.label);
        match label {
            Some(label) if !incident.restricted => format!(": {label}"),
            _ => String::new(),
        }
    }
}

fn clock(at: Time) -> String {
    at.strftime("%H:%M UTC").to_string()
}

/// The incident, as somebody is told of it who does not have it before them.
fn place(incident: &Incident) -> String {
    let severity = severity(incident.severity);
    if incident.restricted {
        return format!("incident {} ({severity}, restricted)", incident.number);
    }
    format!("incident {} “{}” ({severity})", incident.number, incident.title)
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

//! The timeline is the log, told to a person: one sentence per event, in the field's words.

mod changes;
mod kept;
mod moments;
mod permissions;
mod sightings;

use self::moments::clock;
use crate::absence::{Ended, Grounds};
use crate::briefing::Briefed;
use crate::document::Part;
use crate::event::{Event, Recorded};
use crate::facts::Facts;
use crate::guest::Gone;
use crate::id::{Actor, PersonId, Time};
use crate::incident::{Kind, Phase, Severity};
use crate::merge::Absorbed;
use crate::offer::Recipient;
use crate::role::{Fell, RolePath};
use crate::text::Text;

/// An event in one sentence, with the names as the directory has them now.
#[must_use]
pub fn tell(recorded: &Recorded, facts: &Facts) -> String {
    let who = match recorded.actor {
        Actor::Person(person) => facts.name(person),
        Actor::Clock => "The clock",
        Actor::Console => "Somebody at the machine",
        Actor::Source => "Another system",
        Actor::Wardroom => "Wardroom",
    };
    Teller { facts, who, at: recorded.at }.tell(&recorded.event)
}

struct Teller<'a> {
    facts: &'a Facts,
    who: &'a str,
    at: Time,
}

/// A reason in brackets, if one was given.
fn because(reason: Option<&Text>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Incident => "incident",
        Kind::Planned => "planned operation",
        Kind::Drill => "drill",
    }
}

/// How a severity is written.
#[must_use]
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Sev1 => "sev1",
        Severity::Sev2 => "sev2",
        Severity::Sev3 => "sev3",
        Severity::Sev4 => "sev4",
    }
}

impl Teller<'_> {
    fn name(&self, person: PersonId) -> &str {
        self.facts.name(person)
    }

    fn tell(&self, event: &Event) -> String {
        self.life(event)
            .or_else(|| self.people(event))
            .or_else(|| self.roles(event))
            .or_else(|| self.offers(event))
            .or_else(|| self.absence(event))
            .or_else(|| self.criteria(event))
            .or_else(|| self.todos(event))
            .or_else(|| self.changes(event))
            .or_else(|| self.sightings(event))
            .or_else(|| self.permissions(event))
            .or_else(|| self.document(event))
            .unwrap_or_else(|| self.rest(event))
    }

    fn life(&self, event: &Event) -> Option<String> {
        let who = self.who;
        Some(match event {
            Event::Opened { title, kind: k, phase: Phase::Investigating, .. } => {
                format!("{who} is looking into a possible {}: {title}", kind(*k))
            }
            Event::Opened { title, kind: k, severity: s, .. } => {
                format!("{who} declared a {} {} and has command: {title}", severity(*s), kind(*k))
            }
            Event::Declared { commander, .. } => {
                format!("{who} declared the incident; {} is the commander", self.name(*commander))
            }
            Event::PhaseSet { to, reason, .. } => {
                format!("{who} says that this is {}{}", to.word(), because(reason.as_ref()))
            }
            Event::Closed { reason, .. } => format!("{who} closed the incident{}", because(reason.as_ref())),
            Event::Reopened { reason, .. } => {
                format!("{who} reopened the incident and has command{}", because(reason.as_ref()))
            }
            Event::SeveritySet { from, to, reason } => format!(
                "{who} changed the severity from {} to {}{}",
                severity(*from),
                severity(*to),
                because(reason.as_ref())
            ),
            Event::KindSet { to, reason, .. } => {
                format!("{who} made this an actual {}{}", kind(*to), because(reason.as_ref()))
            }
            Event::TitleSet { title } => format!("{who} changed the title: {title}"),
            Event::ServicesSet { services, .. } => {
                let names: Vec<&str> = services.iter().map(crate::id::ServiceName::as_str).collect();
                let names = if names.is_empty() { "no service".to_owned() } else { names.join(", ") };
                format!("{who} says that this affects {names}")
            }
            Event::BeganSet { began } => format!("{who} says that impact began at {}", began.strftime("%F %H:%M UTC")),
            Event::PostAdded { post } => match &post.link {
                Some(link) => format!("{who} opened a command post: {} ({link})", post.label),
                None => format!("{who} opened a command post: {}", post.label),
            },
            Event::PostRemoved { post } => format!("{who} closed command post {post}"),
            Event::MergedInto { into, .. } => format!("{who} merged this incident into {into}"),
            Event::Absorbed(Absorbed { from, sightings, .. }) => {
                format!("{who} merged incident {from} into this one{}", sightings::fills(sightings))
            }
            _ => return None,
        })
    }

    fn people(&self, event: &Event) -> Option<String> {
        let who = self.who;
        Some(match event {
            Event::Restricted { .. } => format!("{who} restricted this incident to the invited"),
            Event::Unrestricted {} => format!("{who} opened this incident to everybody who is signed in"),
            Event::Invited { person } => format!("{who} invited {}", self.name(*person)),
            Event::Uninvited { person } => format!("{who} took back the invitation of {}", self.name(*person)),
            Event::GuestsInvited { by, expires_at, .. } => {
                format!("{} made an invite for guests, until {}", self.name(*by), expires_at.strftime("%F %H:%M UTC"))
            }
            Event::GuestInviteRevoked { .. } => format!("{who} took an invite for guests back"),
            Event::ExampleBegan { player, .. } => {
                format!("This is the example. Only {} sees it; everybody else in it is scripted", self.name(*player))
            }
            Event::GuestJoined { person, invited_by, .. } => {
                format!("{} is here, by an invite of {}", self.name(*person), self.name(*invited_by))
            }
            Event::GuestGone { person, why: Gone::TimeUp, .. } => {
                format!("The time of {} is up", self.name(*person))
            }
            Event::GuestGone { person, why: Gone::SentAway, reason } => {
                format!("{who} sent {} away{}", self.name(*person), because(reason.as_ref()))
            }
            Event::Joined { person } => format!("{} is here", self.name(*person)),
            Event::Left { person } => format!("{} left", self.name(*person)),
            Event::DoingSet { person, doing: Some(doing) } => format!("{} is doing: {doing}", self.name(*person)),
            Event::DoingSet { person, doing: None } => format!("{} is done with that", self.name(*person)),
            Event::MemberAdded { role, person } => format!("{} works in {role} now", self.name(*person)),
            Event::MemberReleased { role, person } => format!("{} works in {role} no more", self.name(*person)),
            _ => return None,
        })
    }

    fn roles(&self, event: &Event) -> Option<String> {
        let who = self.who;
        Some(match event {
            Event::RoleOpened { role } => format!("{who} opened the role {role}"),
            Event::RoleClosed { role } => format!("{who} closed the role {role}"),
            Event::RoleTaken { role, by, from, briefed, unseen, .. } => {
                self.taken(role, *by, *from, *briefed, unseen.len())
            }
            Event::RoleFell { role, from, to, how } => {
                let (from, to) = (self.name(*from), self.name(*to));
                match how {
                    Fell::Released => format!("{from} released {role}; it is with {to} now"),
                    Fell::TakenBack => format!("{who} took {role} back from {from}; it is with {to} now"),
                    Fell::Departed => format!("{from} left {role}; it is with {to} now"),
                }
            }
            _ => return None,
        })
    }

    fn taken(
        &self,
        role: &RolePath,
        by: PersonId,
        from: Option<PersonId>,
        briefed: Option<Briefed>,
        unseen: usize,
    ) -> String {
        let by = self.name(by);
        if !role.is_command() {
            return match from {
                Some(from) => format!("{by} took {role} over from {}", self.name(from)),
                None => format!("{by} took {role}"),
            };
        }
        let from = from.map(|from| format!(" from {}", self.name(from))).unwrap_or_default();
        let how = match briefed {
            Some(Briefed::ByVoice) => ", briefed by voice".to_owned(),
            Some(Briefed::To(entry)) if unseen == 0 => format!(", briefed up to entry {entry}"),
            Some(Briefed::To(entry)) => {
                let things = if unseen == 1 { "thing" } else { "things" };
                format!(", briefed up to entry {entry} with {unseen} newer {things} unseen")
            }
            None => String::new(),
        };
        format!("{by} has command{from}{how}")
    }

    fn offers(&self, event: &Event) -> Option<String> {
        let who = self.who;
        Some(match event {
            Event::RoleOffered { role, to, by, lapses_at, note } => {
                let to = match to {
                    Recipient::Person(person) => self.name(*person).to_owned(),
                    Recipient::Team(team) => format!("the team {team}"),
                };
                let until = clock(*lapses_at);
                format!("{} offers {role} to {to}, until {until}{}", self.name(*by), because(note.as_ref()))
            }
            Event::OfferDeclined { role, by, reason, .. } => {
                format!("{} declined {role}{}", self.name(*by), because(reason.as_ref()))
            }
            Event::OfferWithdrawn { role, reason, .. } => {
                format!("{who} withdrew the offer of {role}{}", because(reason.as_ref()))
            }
            Event::OfferLapsed { role, late: false, .. } => format!("The offer of {role} lapsed: nobody took it"),
            Event::OfferLapsed { role, late: true, .. } => {
                format!("The offer of {role} had lapsed; this is recorded late")
            }
            Event::OfferSuperseded { role, .. } => format!("The earlier offer of {role} is void"),
            Event::TakingHeldBack { role, by, unseen, .. } => format!(
                "{} was shown {} newer {} before taking {role}",
                self.name(*by),
                unseen.len(),
                if unseen.len() == 1 { "thing" } else { "things" }
            ),
            Event::RoleAsked { role, by, note } => {
                format!("{} asks for {role}{}", self.name(*by), because(note.as_ref()))
            }
            Event::AskDeclined { role, person, reason } => {
                format!("{who} said no to {} asking for {role}{}", self.name(*person), because(reason.as_ref()))
            }
            Event::AskTakenBack { role, person } => format!("{} no longer asks for {role}", self.name(*person)),
            _ => return None,
        })
    }

    fn absence(&self, event: &Event) -> Option<String> {
        Some(match event {
            Event::CommanderAbsent { person, deactivated: true, .. } => format!(
                "The account of {}, who commands, was deactivated. Any responder can assume command",
                self.name(*person)
            ),
            Event::CommanderAbsent { person, unseen_since, deactivated: false } => {
                format!("{}, who commands, has not been seen since {}", self.name(*person), clock(*unseen_since))
            }
            Event::CommanderReturned { person } => format!("{}, who commands, is back", self.name(*person)),
            Event::AssumptionProposed { by, grounds, reason, .. } => {
                let why = if *grounds == Grounds::Unseen { "is unseen" } else { "cannot go on" };
                format!("{} proposes to assume command, because the commander {why}: {reason}", self.name(*by))
            }
            Event::AssumptionEnded { why, .. } => match why {
                Ended::Returned => "The proposal to assume command ended: the commander is here".to_owned(),
                Ended::Lapsed => "The proposal to assume command lapsed: nobody confirmed it".to_owned(),
                Ended::Dropped => "The proposal to assume command was taken back".to_owned(),
                Ended::Overtaken => "The proposal to assume command was overtaken".to_owned(),
            },
            Event::CommandAssumed { by, from, reason, confirmed_by, .. } => {
                let confirmed =
                    confirmed_by.map(|person| format!(", confirmed by {}", self.name(person))).unwrap_or_default();
                let (by, from) = (self.name(*by), self.name(*from));
                format!("{by} ASSUMED COMMAND from {from}{confirmed}{}", because(reason.as_ref()))
            }
            _ => return None,
        })
    }

    fn criteria(&self, event: &Event) -> Option<String> {
        let who = self.who;
        Some(match event {
            Event::CriterionAdded { criterion, text, by } => {
                format!("{} added exit criterion {criterion}: {text}", self.name(*by))
            }
            Event::CriterionReworded { criterion, text } => {
                format!("{who} reworded exit criterion {criterion}: {text}")
            }
            Event::CriterionAssigned { criterion, owner } => self.given(&format!("exit criterion {criterion}"), *owner),
            Event::CriterionMet { criterion, by } => {
                format!("{} says that exit criterion {criterion} is met", self.name(*by))
            }
            Event::CriterionReopened { criterion, reason } => {
                format!("{who} reopened exit criterion {criterion}{}", because(reason.as_ref()))
            }
            Event::CriterionWaived { criterion, by, reason } => {
                format!("{} waived exit criterion {criterion}: {reason}", self.name(*by))
            }
            Event::CriterionLinked { criterion, bug: Some(bug) } => {
                format!("{who} linked exit criterion {criterion} to a bug: {bug}")
            }
            Event::CriterionLinked { criterion, bug: None } => {
                format!("{who} took the link to a bug off exit criterion {criterion}")
            }
            _ => return None,
        })
    }

    fn todos(&self, event: &Event) -> Option<String> {
        let who = self.who;
        Some(match event {
            Event::TodoAdded { todo, text, owner, bug, by } => {
                let whose = owner.map(|owner| format!(" for {}", self.name(owner))).unwrap_or_default();
                let bug = bug.as_ref().map(|bug| format!(" ({bug})")).unwrap_or_default();
                format!("{} added to-do {todo}{whose}: {text}{bug}", self.name(*by))
            }
            Event::TodoReworded { todo, text } => format!("{who} reworded to-do {todo}: {text}"),
            Event::TodoAssigned { todo, owner } => self.given(&format!("to-do {todo}"), *owner),
            Event::TodoFinished { todo, by } => format!("{} says that to-do {todo} is done", self.name(*by)),
            Event::TodoReopened { todo } => format!("{who} reopened to-do {todo}"),
            Event::TodoLinked { todo, bug: Some(bug) } => format!("{who} linked to-do {todo} to a bug: {bug}"),
            Event::TodoLinked { todo, bug: None } => format!("{who} took the link to a bug off to-do {todo}"),
            _ => return None,
        })
    }

    fn document(&self, event: &Event) -> Option<String> {
        let named = |parts: Vec<&Part>| {
            let words: Vec<&str> = parts.iter().map(|part| part.word()).collect();
            words.join(", ")
        };
        Some(match event {
            Event::StillTrue { parts, by } => {
                format!("{} says that this is still true: {}", self.name(*by), named(parts.iter().collect()))
            }
            Event::DocumentMarked { parts, .. } => {
                let new = parts.iter().filter(|(_, marked)| marked.text.is_some());
                let new = named(new.map(|(part, _)| part).collect());
                if new.is_empty() {
                    "The state document is kept as it stands".to_owned()
                } else {
                    format!("The state document is kept as it stands; new since last: {new}")
                }
            }
            _ => return None,
        })
    }

    fn given(&self, what: &str, owner: Option<PersonId>) -> String {
        let who = self.who;
        match owner.map(|owner| self.name(owner)) {
            Some(name) if name == who => format!("{who} took {what}"),
            Some(name) => format!("{who} gave {what} to {name}"),
            None => format!("{who} says that {what} is nobody's"),
        }
    }

    fn rest(&self, event: &Event) -> String {
        let who = self.who;
        match event {
            Event::Noted { text, happened_at, .. } => match happened_at {
                Some(at) => format!("{who} ({} back-dated): {text}", self.moment(*at)),
                None => format!("{who}: {text}"),
            },
            Event::NotePinned { entry } => format!("{who} pinned entry {entry}"),
            Event::NoteUnpinned { entry } => format!("{who} unpinned entry {entry}"),
            Event::NoteCorrected { entry, text } => format!("{who} corrected entry {entry}: {text}"),
            Event::Redacted { entry, reason, also_in, .. } => {
                let also = also_in.map(|other| format!(". Incident {other} took them along: redact them there too"));
                format!(
                    "{who} redacted the words of entry {entry}{}{}",
                    because(reason.as_ref()),
                    also.unwrap_or_default()
                )
            }
            Event::RoadblockRaised { roadblock, role, text, by } => {
                format!("{} raised roadblock {roadblock} for {role}: {text}", self.name(*by))
            }
            Event::RoadblockCleared { roadblock, how } => {
                format!("{who} cleared roadblock {roadblock}{}", because(how.as_ref()))
            }
            Event::EvidenceAttached(evidence) => self.attached(evidence),
            Event::NotKept { things } => kept::not_kept(things),
            Event::ClockSet { label, due_at, every_minutes } => {
                let again = every_minutes.map(|every| format!(", then every {every} min")).unwrap_or_default();
                format!("{who} set a clock for {}{again}: {label}", clock(*due_at))
            }
            Event::ClockRang { clock, .. } => format!("Clock {clock} rang"),
            Event::ClockStopped { clock } => format!("{who} stopped clock {clock}"),
            Event::OutageEnded { from, to, .. } => {
                format!("Wardroom was down from {} to {}; that time counts against nobody", clock(*from), clock(*to))
            }
            _ => who.to_owned(),
        }
    }
}

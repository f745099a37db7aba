//! An incident that cannot be read: what is known of it all the same, and where the gate cannot decide for that.
//!
//! What is known comes from a list that was made while it could be read, or from those of its entries that can be read by
//! themselves. What is not known is taken for what would hold the most: a gate that falls open tells nobody. Unless it is
//! known that everybody may know of it, and that it is there, it is not named.
//!
//! So it is with one that can be read in part. An entry that cannot be read says by its kind what it may have changed: a note
//! puts nothing in doubt, and services that were set may be any, until they are set again in words that can be read. To doubt
//! every service for every unreadable entry would shut all gates for one damaged note; to doubt none would let changes pass
//! into an incident that holds them. An entry of a kind that nobody here knows may have changed anything.

use std::collections::BTreeSet;

use super::with_needs;
use crate::event::{Event, Unreadable};
use crate::facts::Facts;
use crate::id::{Number, PersonId, ServiceName};
use crate::incident::{Incident, Kind, Phase, Severity};
use crate::merge::Absorbed;

/// That the gate cannot decide, as far as one incident and one service go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doubt {
    /// Which incident; nothing where it is not to be named.
    pub incident: Option<Number>,
    /// About which service.
    pub service: ServiceName,
    /// Whether that service's gate would enforce it; else it only observes, and lets everybody through.
    pub enforced: bool,
    /// Whether it can be read in part: then whoever is outside is stopped, and only what comes through is in doubt.
    pub partly: bool,
}

/// Who may know of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Circle {
    /// Nobody can tell.
    Unknown,
    /// Everybody of the house.
    House,
    /// Those who were invited.
    Invited(BTreeSet<PersonId>),
}

/// An incident that cannot be read. What is `None` is not known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unread {
    /// Its number.
    pub number: Number,
    /// Incident, planned or drill.
    pub kind: Option<Kind>,
    /// How far it was.
    pub phase: Option<Phase>,
    /// How bad it was.
    pub severity: Option<Severity>,
    /// What was affected.
    pub services: Option<BTreeSet<ServiceName>>,
    /// Whether it is the example, played for one person.
    pub example: bool,
    /// Who may know of it.
    pub circle: Circle,
}

impl Unread {
    /// One of which nothing is known.
    #[must_use]
    pub fn unknown(number: Number) -> Self {
        let circle = Circle::Unknown;
        Self { number, kind: None, phase: None, severity: None, services: None, example: false, circle }
    }

    /// Takes in what one of its entries says, in the order of the log.
    pub fn evolve(&mut self, event: &Event) {
        match event {
            Event::Opened { kind, phase, severity, services, restricted, by, .. } => {
                (self.kind, self.phase, self.severity) = (Some(*kind), Some(*phase), Some(*severity));
                self.services = Some(services.clone());
                self.circle = if *restricted { Circle::Invited(BTreeSet::from([*by])) } else { Circle::House };
            }
            Event::Declared { .. } | Event::Reopened { .. } => self.phase = Some(Phase::Active),
            Event::PhaseSet { to, .. } => self.phase = Some(*to),
            Event::Closed { .. } => self.phase = Some(Phase::Closed),
            Event::SentBack(_) => self.phase = Some(Phase::Resolved),
            Event::MergedInto { .. } => self.phase = Some(Phase::Merged),
            Event::SeveritySet { to, .. } => self.severity = Some(*to),
            Event::KindSet { to, .. } => self.kind = Some(*to),
            Event::ServicesSet { services, .. } => self.services = Some(services.clone()),
            Event::Absorbed(Absorbed { services, .. }) => {
                self.services.iter_mut().for_each(|known| known.extend(services.iter().cloned()));
            }
            Event::ExampleBegan { .. } => self.example = true,
            Event::Restricted { invited } => self.circle = Circle::Invited(invited.clone()),
            Event::Unrestricted {} => self.circle = Circle::House,
            Event::Invited { person } => self.circle.change(|invited| invited.insert(*person)),
            Event::Uninvited { person } => self.circle.change(|invited| invited.remove(person)),
            _ => {}
        }
    }

    /// Takes in that an entry cannot be read: what such an entry says is not known from then on.
    pub fn evolve_unreadable(&mut self, why: &Unreadable) {
        match why {
            Unreadable::Unknown { .. } => *self = Self::unknown(self.number),
            Unreadable::Malformed { kind, .. } => match kind.as_str() {
                "opened" => *self = Self::unknown(self.number),
                "declared" | "reopened" | "phase_set" | "closed" | "sent_back" | "merged_into" => self.phase = None,
                "severity_set" => self.severity = None,
                "kind_set" => self.kind = None,
                "services_set" | "absorbed" => self.services = None,
                "restricted" | "unrestricted" | "invited" | "uninvited" => self.circle = Circle::Unknown,
                _ => {}
            },
        }
    }

    /// Whether everything is known that the gate goes by.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        let Self { kind, phase, severity, services, circle, .. } = self;
        kind.is_some() && phase.is_some() && severity.is_some() && services.is_some() && *circle != Circle::Unknown
    }

    /// Whether it may hold any gate.
    #[must_use]
    pub fn may_hold(&self) -> bool {
        let (kind, phase) = (self.kind.unwrap_or(Kind::Incident), self.phase.unwrap_or(Phase::Active));
        super::holds(kind, phase, self.example)
    }

    /// Whether it may hold this service: any, if nobody knows which.
    fn may_hold_service(&self, service: &ServiceName, facts: &Facts) -> bool {
        let kind = self.kind.unwrap_or(Kind::Incident);
        self.may_hold() && self.services.as_ref().is_none_or(|known| with_needs(kind, known, facts).contains(service))
    }

    /// Looks at somebody who would change a service: who comes through is not known. Of one that is known to be restricted
    /// the uninvited are told nothing, as of any other.
    #[must_use]
    pub fn look(&self, person: Option<PersonId>, service: &ServiceName, facts: &Facts) -> Option<Doubt> {
        let told = match &self.circle {
            Circle::Unknown | Circle::House => true,
            Circle::Invited(invited) => person.is_some_and(|person| invited.contains(&person)),
        };
        if !told || !self.may_hold_service(service, facts) {
            return None;
        }
        let enforced = facts.services.get(service).is_some_and(|known| match self.severity {
            Some(severity) => known.enforced.contains(&severity),
            None => !known.enforced.is_empty(),
        });
        let named =
            self.circle == Circle::House && self.services.is_some() && !is_guest_elsewhere(person, self.number, facts);
        Some(Doubt { incident: named.then_some(self.number), service: service.clone(), enforced, partly: false })
    }
}

impl Circle {
    fn change(&mut self, change: impl FnOnce(&mut BTreeSet<PersonId>) -> bool) {
        if let Self::Invited(invited) = self {
            change(invited);
        }
    }
}

fn is_guest_elsewhere(person: Option<PersonId>, number: Number, facts: &Facts) -> bool {
    person.and_then(|person| facts.guest_of(person)).is_some_and(|only| only != number)
}

impl Incident {
    /// What is known of this once it cannot be read any more.
    #[must_use]
    pub fn unread(&self) -> Unread {
        Unread {
            number: self.number,
            kind: Some(self.kind),
            phase: Some(self.phase),
            severity: Some(self.severity),
            services: Some(self.services.clone()),
            example: self.example.is_some(),
            circle: if self.restricted { Circle::Invited(self.invited.clone()) } else { Circle::House },
        }
    }

    /// What keeps somebody who would come through here from being let through: an incident that can be read in part, or not
    /// any more (`broken`), takes nothing, so that it cannot be recorded, and whether they still may is not certain.
    #[must_use]
    pub fn doubt(&self, person: Option<PersonId>, service: &ServiceName, facts: &Facts, broken: bool) -> Option<Doubt> {
        let partly = self.unreadable.is_some();
        (partly || broken).then(|| Doubt {
            incident: (!self.is_unnamed_to(person, facts)).then_some(self.number),
            service: service.clone(),
            enforced: self.enforced_at(service, facts),
            partly: partly && !broken,
        })
    }
}

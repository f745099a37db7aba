//! What must I do next: one line per person, in the order that the design fixes.
//!
//! An offer to you; being asked to come; a change of yours that is not confirmed; a roadblock that only you can clear; a
//! permission that somebody asks for; a change that operations have to sort; doing two jobs at once; a clock. Being called and
//! overdue updates stand between these and join with their nouns.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::change::asked_after;
use crate::facts::Facts;
use crate::id::{Entry, Number, PersonId, ServiceName, Time};
use crate::incident::{Incident, Kind, Phase};
use crate::prompt::Bring;
use crate::role::{Duty, RolePath};

/// The one thing that a person should do next in an incident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Next {
    /// Take (or decline) a role that is offered to you.
    Take {
        /// Which.
        role: RolePath,
        /// The offer.
        offer: Entry,
        /// Who offers it.
        by: PersonId,
        /// Until when.
        #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
        lapses_at: Time,
    },
    /// The commander is absent and somebody proposes to assume command: confirm it.
    Confirm {
        /// The proposal.
        proposal: Entry,
        /// Who would take command.
        by: PersonId,
    },
    /// You are the commander and nobody has seen you: say that you are here.
    StillWithUs {
        /// Since when.
        #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
        unseen_since: Time,
    },
    /// You announced a change, and nobody has said how it went.
    ConfirmChange {
        /// Which.
        change: u32,
        /// Since when it is announced.
        #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
        announced_at: Time,
    },
    /// A change was told of from outside operations, and you have operations: take it in, revert it or dismiss it.
    SortChange {
        /// Which.
        change: u32,
        /// Who told of it.
        by: PersonId,
    },
    /// Another system told of a change by somebody outside operations, and you have operations: take it in or dismiss it.
    SortSighting {
        /// Which.
        sighting: u32,
        /// Of which service.
        service: ServiceName,
    },
    /// Another system told of a change by you, and you are asked to come and say what you did.
    ComeIn {
        /// Who asks.
        by: PersonId,
        /// About which.
        sighting: u32,
        /// Of which service.
        service: ServiceName,
    },
    /// Somebody outside operations asks to change services, and you have operations: let them for a while, or say no.
    Permit {
        /// Who asks.
        by: PersonId,
        /// What they would change.
        services: BTreeSet<ServiceName>,
    },
    /// You command, and what somebody outside operations changed waits to be sorted by those who have operations.
    SeeSorted {
        /// What was changed, where it has waited the longest.
        service: ServiceName,
        /// Who has operations.
        operations: PersonId,
        /// How many changes wait.
        waiting: usize,
    },
    /// Say how a change of yours is undone.
    SayWayBack {
        /// Which.
        change: u32,
        /// When you were to be asked.
        #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
        due_at: Time,
    },
    /// A roadblock that only you can clear.
    Clear {
        /// Which.
        roadblock: u32,
        /// Who is stopped.
        by: PersonId,
    },
    /// The commander is absent: any responder may assume command.
    Assume {
        /// Who is absent.
        commander: PersonId,
        /// Since when; unsaid of one whose account was deactivated.
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
        unseen_since: Option<Time>,
    },
    /// Somebody asks for a role that is yours to give.
    Answer {
        /// Which role.
        role: RolePath,
        /// Who asks.
        by: PersonId,
    },
    /// You command and do operations too, and others are here.
    OfferOperations {
        /// Who could take it.
        to: Vec<PersonId>,
    },
    /// A clock of yours rang or is running.
    Clock {
        /// Which.
        clock: Entry,
        /// When it is or was due.
        #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
        due_at: Time,
    },
    /// Say whether the state document is still true.
    StillTrue {
        /// When communications was to be asked.
        #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
        due_at: Time,
    },
    /// More than seven people report to you directly (rule 9).
    Delegate {
        /// In which role.
        role: RolePath,
        /// How many.
        reports: usize,
    },
}

impl Next {
    /// Where it stands in the order of urgency at a time; 0 comes first.
    #[must_use]
    pub fn rank(&self, now: Time) -> u8 {
        match self {
            Self::StillWithUs { .. } => 0,
            Self::Take { role, .. } => 1 + u8::from(!role.is_command()),
            Self::Confirm { .. } => 3,
            Self::Assume { .. } => 4,
            Self::ComeIn { .. } => 5,
            Self::ConfirmChange { announced_at, .. } if asked_after(*announced_at) <= now => 6,
            Self::Clear { .. } => 7,
            // A person waits for it, and nothing is changed until then.
            Self::Permit { .. } => 8,
            Self::SortChange { .. } | Self::SortSighting { .. } => 9,
            Self::Answer { .. } => 10,
            // Somebody else's hands are at it: what only the commander can do goes first.
            Self::SeeSorted { .. } => 11,
            Self::OfferOperations { .. } => 12,
            // It has just been announced: whatever somebody waits for goes first.
            Self::ConfirmChange { .. } => 13,
            Self::Clock { .. } => 14,
            Self::StillTrue { .. } => 15,
            Self::SayWayBack { .. } => 16,
            Self::Delegate { .. } => 17,
        }
    }
}

impl Incident {
    /// What this person should do next here, if anything.
    #[must_use]
    pub fn next(&self, person: PersonId, facts: &Facts, now: Time) -> Option<Next> {
        self.steps(person, facts, now).into_iter().min_by_key(|next| next.rank(now))
    }

    /// Everything that this person should do next here, in no particular order but that of one kind among themselves.
    pub(crate) fn steps(&self, person: PersonId, facts: &Facts, now: Time) -> Vec<Next> {
        if !self.phase.is_open() || !self.visible_to(person, facts) {
            return Vec::new();
        }
        let mut all = self.offers_to(person, facts, now);
        all.extend(self.next_about_absence(person, facts, now));
        all.extend(self.for_the_commander(person, facts, now));
        all.extend(self.next_about_changes(person, facts, now));
        all.extend(self.next_about_sightings(person, now));
        all.extend(self.next_about_permissions(person, facts, now));
        all.extend(self.asks_for(person));
        all.extend(self.next_about_document(person, now));
        all.extend(self.spans_of(person));
        all
    }

    /// Whether this may ask for somebody who has not opened it: a drill calls on nobody who did not join it (rule 11).
    #[must_use]
    pub fn calls_on(&self, person: PersonId) -> bool {
        self.kind != Kind::Drill || self.responders.contains_key(&person)
    }

    fn offers_to(&self, person: PersonId, facts: &Facts, now: Time) -> Vec<Next> {
        let open = self.offers.iter().filter(|(role, offer)| {
            !offer.lapsed(now) && offer.is_to(person, facts) && self.holder(role) != Some(person)
        });
        let take = |(role, offer): (&RolePath, &crate::offer::Offer)| Next::Take {
            role: role.clone(),
            offer: offer.id,
            by: offer.by,
            lapses_at: offer.lapses_at,
        };
        open.map(take).collect()
    }

    fn for_the_commander(&self, person: PersonId, facts: &Facts, now: Time) -> Vec<Next> {
        if self.commander() != person {
            return Vec::new();
        }
        let mut all: Vec<Next> =
            self.roadblocks.iter().map(|block| Next::Clear { roadblock: block.id, by: block.by }).collect();
        all.extend(self.see_sorted(person));
        let here = self.responders.keys().copied();
        let others: Vec<PersonId> = here.filter(|other| *other != person && facts.active(*other)).collect();
        let operations = RolePath::of(Duty::Operations);
        let both = self.effective_holder(&operations) == Some(person);
        if both
            && self.phase != Phase::Investigating
            && others.len() >= 2
            && self.pending_offer(&operations, now).is_none()
        {
            let idle = |other: &PersonId| !self.roles.keys().any(|role| self.holder(role) == Some(*other));
            let (idle, busy): (Vec<PersonId>, Vec<PersonId>) = others.into_iter().partition(idle);
            all.push(Next::OfferOperations { to: if idle.is_empty() { busy } else { idle } });
        }
        let mut clocks: Vec<(Time, Entry)> =
            self.clocks.iter().map(|clock| (clock.rang_at.unwrap_or(clock.due_at), clock.id)).collect();
        clocks.sort_unstable();
        all.extend(clocks.into_iter().map(|(due_at, clock)| Next::Clock { clock, due_at }));
        all
    }

    /// An uncoordinated change is the commander's to know of, too, where somebody else has operations.
    fn see_sorted(&self, commander: PersonId) -> Option<Next> {
        let operations =
            self.effective_holder(&RolePath::of(Duty::Operations)).filter(|holder| *holder != commander)?;
        let told = self.changes.iter().filter(|change| change.is_unsorted() && change.by != commander);
        let seen = self.sightings.iter().filter(|known| known.is_unsorted() && known.seen.person != Some(commander));
        let mut waiting = told.map(|change| &change.service).chain(seen.map(|known| &known.seen.service));
        let service = waiting.next()?.clone();
        Some(Next::SeeSorted { service, operations, waiting: 1 + waiting.count() })
    }

    fn asks_for(&self, person: PersonId) -> Vec<Next> {
        let asked = self.asks.iter().flat_map(|(role, asks)| asks.keys().map(move |by| (role, *by)));
        let mine = asked.filter(|(role, by)| *by != person && self.effective_holder(role) == Some(person));
        mine.map(|(role, by)| Next::Answer { role: role.clone(), by }).collect()
    }

    fn spans_of(&self, person: PersonId) -> Vec<Next> {
        let wide = self.wide_spans().into_iter();
        let mine = wide.filter(|(role, _)| self.effective_holder(role) == Some(person));
        mine.map(|(role, reports)| Next::Delegate { role, reports }).collect()
    }
}

/// A next step with the incident that it belongs to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NextIn {
    /// Where.
    pub incident: Number,
    /// What.
    pub next: Next,
    /// How it comes before somebody's eyes.
    pub prompt: Bring,
}

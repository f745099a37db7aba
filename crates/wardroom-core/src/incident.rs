//! The incident: its state, and its folding by the nouns. How its commands come to them stands in `deciding.rs`.
//!
//! [`Incident::decide`] is pure and may refuse; [`Incident::evolve`] is pure and total, because history
//! cannot be refused. The state holds what deciding needs and no more: no notes, and of past tenures only
//! who was of operations when.

mod deciding;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::absence::Absence;
pub use crate::asking::{Asking, Decision};
use crate::change::Change;
use crate::criterion::Criterion;
use crate::deadline::Clock;
use crate::document::Document;
use crate::event::{Event, Recorded, Unreadable};
use crate::evidence::Kept;
use crate::example::Example;
use crate::guest::Invite;
use crate::id::{Entry, InviteId, Number, PersonId, ServiceName, Time};
pub use crate::life::{Restored, open};
use crate::offer::Offer;
use crate::operations::Stint;
use crate::permission::{Permission, PermissionAsk};
use crate::preserve::Tried;
use crate::responder::Responder;
use crate::roadblock::Roadblock;
use crate::role::{Role, RolePath};
use crate::sighting::Sighting;
use crate::text::Text;
use crate::todo::Todo;

/// What sort of managed event this is. `drill` is fixed at birth; only planned → incident is allowed.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Kind {
    /// Something broke.
    #[default]
    Incident,
    /// An operation run under the same framework.
    Planned,
    /// Practice.
    Drill,
}

/// How far the incident is.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Phase {
    /// Not declared: someone is looking, the clock runs.
    Investigating,
    /// Declared.
    Active,
    /// The bleeding stopped.
    Mitigated,
    /// Service is restored.
    Resolved,
    /// Nothing differs from normal any more.
    Closed,
    /// Absorbed by another incident.
    Merged,
}

/// How bad it is; 1 is the worst.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Severity {
    /// Everybody is affected.
    Sev1,
    /// The default: declare early, lower it when you know.
    #[default]
    Sev2,
    /// Some are affected.
    Sev3,
    /// Hardly anybody is affected.
    Sev4,
}

/// Where to find the commander: the chat channel, a room, a call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Post {
    /// Its number in this incident, counted from 1.
    pub id: u32,
    /// What it is called.
    pub label: Text,
    /// Where it is, as an https, http, tel or mailto link.
    pub link: Option<Text>,
}

/// Everything that deciding about one incident needs, folded from its events.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Incident {
    /// What people call it by.
    pub number: Number,
    /// One line.
    pub title: Text,
    /// Incident, planned or drill.
    pub kind: Kind,
    /// How far it is.
    pub phase: Phase,
    /// How bad it is.
    pub severity: Severity,
    /// What is affected.
    pub services: BTreeSet<ServiceName>,
    /// Those of the affected that the directory did not know.
    pub unknown_services: BTreeSet<ServiceName>,
    /// When impact began, if somebody said so.
    pub began: Option<Time>,
    /// When it was opened.
    pub opened_at: Time,
    /// When it was declared.
    pub declared_at: Option<Time>,
    /// When its services were restored, as far as they still are.
    pub resolved_at: Option<Time>,
    /// Times at which they were taken for restored before it went on again, the first to come first.
    pub restored: Vec<Restored>,
    /// When the current phase was entered.
    pub phase_since: Time,
    /// Command posts.
    pub posts: Vec<Post>,
    /// Whether only the invited may know of it.
    pub restricted: bool,
    /// Who may know of a restricted incident.
    pub invited: BTreeSet<PersonId>,
    /// Who joined and has not left.
    pub responders: BTreeMap<PersonId, Responder>,
    /// Guests who are in it, and until when.
    #[serde(default)]
    pub guests: BTreeMap<PersonId, Time>,
    /// Links that let guests in.
    #[serde(default)]
    pub invites: BTreeMap<InviteId, Invite>,
    /// Who plays it for whom, if it is the example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<Example>,
    /// The command tree; `command` is its root.
    pub roles: BTreeMap<RolePath, Role>,
    /// At most one pending offer per role.
    pub offers: BTreeMap<RolePath, Offer>,
    /// Who asks for which role.
    pub asks: BTreeMap<RolePath, BTreeMap<PersonId, Entry>>,
    /// How many roadblocks were ever raised here; the next one gets the next number.
    pub roadblocks_raised: u32,
    /// How many command posts were ever added here.
    pub posts_added: u32,
    /// What stops somebody, until it is cleared.
    pub roadblocks: Vec<Roadblock>,
    /// What must be true before it is resolved, in the order in which it came.
    pub criteria: Vec<Criterion>,
    /// How many exit criteria were ever added here.
    pub criteria_added: u32,
    /// What there is to do besides, in the order in which it came.
    pub todos: Vec<Todo>,
    /// How many to-dos were ever added here.
    pub todos_added: u32,
    /// What was done to services, in the order in which it was told.
    pub changes: Vec<Change>,
    /// How many changes were ever told of here.
    pub changes_recorded: u32,
    /// Changes of which other systems told, in the order in which they did.
    pub sightings: Vec<Sighting>,
    /// How many of those were ever heard of here.
    pub sightings_seen: u32,
    /// With which of them it began that operations have to sort some, as long as they have to.
    pub unsorted_since: Option<u32>,
    /// Who is of operations and who was, the first to come first.
    pub stints: Vec<Stint>,
    /// Who else may change services for a while, and who might.
    pub permissions: Vec<Permission>,
    /// How many permissions were ever given here.
    pub permissions_given: u32,
    /// Who waits for one.
    pub permission_asks: BTreeMap<PersonId, PermissionAsk>,
    /// What is known here of the state document.
    pub document: Document,
    /// What evidence is kept, by the entry that brought it.
    pub evidence: BTreeMap<Entry, Kept>,
    /// What was tried to be kept by itself, once each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Tried>,
    /// The commander's clocks.
    pub clocks: Vec<Clock>,
    /// Whether the commander is gone, and who proposes to assume command.
    pub absence: Absence,
    /// Who held command when it was closed or merged.
    pub last_commander: Option<PersonId>,
    /// Into which incident it was merged.
    pub merged_into: Option<Number>,
    /// The entries of the closed list of what matters (rule 4), in order.
    pub matters: Vec<Entry>,
    /// Pinned notes.
    pub pinned: BTreeSet<Entry>,
    /// The newest entry folded in.
    pub last_entry: Entry,
    /// When it was recorded. `now` never runs behind it.
    pub last_at: Time,
    /// The first event that this Wardroom cannot read: from there on the incident is read-only here.
    pub unreadable: Option<String>,
}

/// Version of the fold: raise it whenever the state or its meaning changes, and old snapshots are ignored.
pub const FOLD_VERSION: u32 = 17;

impl Phase {
    /// Whether the incident still has a commander or a lead: from opening to closing.
    #[must_use]
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Closed | Self::Merged)
    }

    /// The phase as people say it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Investigating => "not declared",
            Self::Active => "active",
            Self::Mitigated => "mitigated",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
            Self::Merged => "merged",
        }
    }
}

impl Incident {
    /// Folds the stored events of one incident, from the first on; `None` for no events.
    #[must_use]
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a Recorded>) -> Option<Self> {
        let mut events = events.into_iter();
        let mut incident = Self::begin(events.next()?)?;
        events.for_each(|recorded| incident.evolve(recorded));
        Some(incident)
    }

    /// The state after the first event; `None` if that is not an opening.
    #[must_use]
    pub fn begin(first: &Recorded) -> Option<Self> {
        let Event::Opened { number, title, kind, phase, severity, services, unknown_services, began, restricted, by } =
            &first.event
        else {
            return None;
        };
        let mut incident = Self {
            number: *number,
            title: title.clone(),
            kind: *kind,
            phase: *phase,
            severity: *severity,
            services: services.clone(),
            unknown_services: unknown_services.clone(),
            began: *began,
            opened_at: first.at,
            declared_at: (*phase != Phase::Investigating).then_some(first.at),
            resolved_at: None,
            restored: Vec::new(),
            phase_since: first.at,
            posts: Vec::new(),
            restricted: *restricted,
            invited: BTreeSet::from([*by]),
            responders: BTreeMap::from([(
                *by,
                Responder { last_acted: Some(first.entry), ..Responder::new(first.at) },
            )]),
            guests: BTreeMap::new(),
            invites: BTreeMap::new(),
            example: None,
            roles: crate::role::standard_roles(),
            offers: BTreeMap::new(),
            asks: BTreeMap::new(),
            roadblocks_raised: 0,
            posts_added: 0,
            roadblocks: Vec::new(),
            criteria: Vec::new(),
            criteria_added: 0,
            todos: Vec::new(),
            todos_added: 0,
            changes: Vec::new(),
            changes_recorded: 0,
            sightings: Vec::new(),
            sightings_seen: 0,
            unsorted_since: None,
            stints: Vec::new(),
            permissions: Vec::new(),
            permissions_given: 0,
            permission_asks: BTreeMap::new(),
            document: Document::default(),
            evidence: BTreeMap::new(),
            tried: Vec::new(),
            clocks: Vec::new(),
            absence: Absence::default(),
            last_commander: None,
            merged_into: None,
            matters: vec![first.entry],
            pinned: BTreeSet::new(),
            last_entry: first.entry,
            last_at: first.at,
            unreadable: None,
        };
        incident.hold(&RolePath::command(), *by, first);
        incident.evolve_operations(first);
        Some(incident)
    }

    /// Folds one more event in. Total: whatever stands in the log has happened.
    pub fn evolve(&mut self, recorded: &Recorded) {
        if recorded.event.matters() {
            self.matters.push(recorded.entry);
        }
        self.evolve_life(recorded);
        self.evolve_guests(recorded);
        self.evolve_example(recorded);
        self.evolve_restriction(&recorded.event);
        self.evolve_responders(recorded);
        self.evolve_roles(recorded);
        self.evolve_offers(recorded);
        self.evolve_absence(recorded);
        self.evolve_timeline(recorded);
        self.evolve_roadblocks(recorded);
        self.evolve_criteria(recorded);
        self.evolve_todos(recorded);
        self.evolve_changes(recorded);
        self.evolve_sightings(recorded);
        self.evolve_permissions(recorded);
        self.evolve_document(recorded);
        self.evolve_evidence(recorded);
        self.evolve_preserving(recorded);
        self.evolve_clocks(recorded);
        self.evolve_merge(recorded);
        self.evolve_operations(recorded);
        self.last_entry = recorded.entry;
        self.last_at = self.last_at.max(recorded.at);
    }

    /// Notes that an event could not be read: the incident goes on being shown, and is read-only here.
    pub fn evolve_unreadable(&mut self, entry: Entry, at: Time, why: &Unreadable) {
        self.unreadable.get_or_insert_with(|| format!("entry {entry}: {why}"));
        self.last_entry = entry;
        self.last_at = self.last_at.max(at);
    }
}

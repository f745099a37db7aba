//! What the reading addresses answer, described to readers of the API. The answers themselves are put together where
//! they are sent; a story holds every real one against what stands here, in both directions.

#![allow(dead_code)] // Nothing is made of most of these: they are read by whoever writes a client.

mod account;
mod admin;
mod board;
mod changes;
mod evidence;
mod gate;
mod lists;
mod passkeys;
mod permissions;
mod reach;
mod sightings;
mod welcome;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use utoipa::ToSchema;
use wardroom_core::absence::Grounds;
use wardroom_core::authority::RoleAct;
use wardroom_core::id::{Entry, InviteId, Number, PersonId, ServiceName, TeamName};
use wardroom_core::incident::{Kind, Phase, Severity};
use wardroom_core::next::{Next, NextIn};
use wardroom_core::prompt::Bring;
use wardroom_core::refusal::Remedy;
use wardroom_core::role::RolePath;

pub(super) use self::admin::{AuditPage, People, Preview, SettingsView, TokenList, TokenMade};
pub(super) use self::board::Listed;
pub(super) use self::changes::Ledger;
use self::changes::{ChangeView, DifferingView};
pub(super) use self::gate::{CalledGood, GateAnswer, GateEnded, GateReport, PassedView, StopView, Stops};
use self::gate::{GoodView, MatchingView};
use self::lists::MarkedView;
use self::lists::{CriterionView, DocumentView, MayAdd, TodoView};
pub(super) use self::lists::{Marked, WrittenView};
use self::permissions::{PermissionAskView, PermissionView};
use self::sightings::{CutView, SightingView};
pub(super) use self::sightings::{Sightings, ToldAnswer};
pub(super) use account::{Me, Sessions};
pub(super) use evidence::EvidenceList;
use evidence::{WorthKeepingView, WorthView};
pub(super) use passkeys::{PasskeyView, Passkeys, ToMake, ToSign};
pub(super) use reach::{BrowserView, ReachView, Tested, ToldView};
pub(super) use welcome::{CameIn, InviteLooked, LinkView, NewInvite, NewLink};

/// Why something was not done: RFC 9457. Further members depend on the code.
#[derive(ToSchema)]
pub(super) struct ProblemDocument {
    /// `urn:wardroom:problem:` and the code.
    r#type: String,
    /// The status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// Stable: what programs go by.
    code: String,
    /// A sentence for a person.
    detail: String,
    /// Who could do it.
    who_could: Option<Vec<Named>>,
    /// What to do instead.
    remedy: Option<Remedy>,
    /// Entries that whoever takes command has to look at.
    unseen: Option<Vec<Entry>>,
    /// The same, as they are read.
    unseen_entries: Option<Vec<Happened>>,
}

/// A person, by name.
#[derive(ToSchema)]
pub(super) struct Named {
    id: PersonId,
    /// What to show; there is always something.
    name: String,
    /// Null once the person was forgotten.
    handle: Option<String>,
    /// Whether they are a guest, bound to one incident.
    guest: bool,
    /// Whether they are of the example incident's cast.
    scripted: bool,
}

/// An entry of an incident, or of the directory.
#[derive(ToSchema)]
pub(super) struct Happened {
    /// Reading after it begins with the next entry.
    cursor: String,
    /// Null for the directory.
    incident: Option<Number>,
    entry: Entry,
    #[schema(format = DateTime)]
    at: String,
    /// A person's id, `clock` or `console`.
    actor: String,
    /// What kind of event, and of what its body consists. Later versions know more.
    kind: String,
    #[schema(value_type = Value)]
    body: Value,
    /// In a sentence; null for the directory, and for what this Wardroom cannot read.
    told: Option<String>,
    /// Whether it is of what whoever takes command has to have seen (rule 4). What this Wardroom cannot read is not.
    matters: bool,
    /// Whether it is shown and read aloud as standing out: what matters, and a little more.
    stands_out: bool,
}

/// An incident, as one reader gets it.
#[derive(ToSchema)]
pub(super) struct IncidentView {
    number: Number,
    /// Null when it was redacted.
    title: Option<String>,
    kind: Kind,
    phase: Phase,
    severity: Severity,
    services: BTreeSet<ServiceName>,
    /// Those of them that the directory did not know.
    unknown_services: BTreeSet<ServiceName>,
    #[schema(format = DateTime)]
    began: Option<String>,
    #[schema(format = DateTime)]
    opened_at: String,
    #[schema(format = DateTime)]
    declared_at: Option<String>,
    #[schema(format = DateTime)]
    phase_since: String,
    restricted: bool,
    posts: Vec<PostView>,
    /// Who commands or leads, or did last.
    commander: Named,
    #[schema(format = DateTime)]
    commander_unseen_since: Option<String>,
    assumption: Option<AssumptionView>,
    roles: Vec<RoleView>,
    responders: Vec<ResponderView>,
    roadblocks: Vec<RoadblockView>,
    /// What must be true before it is resolved.
    criteria: Vec<CriterionView>,
    /// What there is to do besides.
    todos: Vec<TodoView>,
    /// What was done to services: all that is still to be seen to, and the newest of the others.
    changes: Vec<ChangeView>,
    /// How many changes were ever told of here.
    changes_recorded: u32,
    /// What differs from normal: the service that was changed last comes first.
    differing: Vec<DifferingView>,
    /// Whether the reader may announce changes: operations, and whoever may change something for a while; whoever tells of one that happened is heard.
    may_announce: bool,
    /// Whether the reader may keep evidence here, and if not, what they would be told.
    may_attach: bool,
    may_not_attach: Option<ProblemDocument>,
    /// Changes of which other systems told: all that operations have to sort, and the newest of the others.
    sightings: Vec<SightingView>,
    /// Of how many they told, and whether no more are kept.
    sightings_seen: u32,
    sightings_full: bool,
    /// Of whom no more is kept, because they told of too much.
    sightings_cut: Vec<CutView>,
    /// Who else may change services for a while.
    permissions: Vec<PermissionView>,
    /// Who asks to, the longest first.
    permission_asks: Vec<PermissionAskView>,
    /// Whether the reader is of operations, who let others change services.
    may_grant_permission: bool,
    /// What is worth keeping of the affected services before they are changed, for whoever may change them.
    worth_keeping: Vec<WorthKeepingView>,
    may_add: MayAdd,
    document: DocumentView,
    clocks: Vec<ClockView>,
    pinned: Vec<Entry>,
    /// The links by which guests could come in, for responders who are none themselves.
    invites: Vec<InviteView>,
    /// Whether the reader may let guests in, once they are here themselves.
    may_invite_guests: bool,
    merged_into: Option<Number>,
    /// Why nothing can be changed here, if so.
    read_only: Option<String>,
    /// What the reader should do next here.
    next: Option<Next>,
    /// How that may come before the reader's eyes.
    prompt: Option<Bring>,
    last_entry: Entry,
    #[schema(format = DateTime)]
    last_at: String,
    /// Reading on from it can only repeat, never miss.
    cursor: String,
}

/// Where to find the commander.
#[derive(ToSchema)]
pub(super) struct PostView {
    id: u32,
    label: Option<String>,
    link: Option<String>,
}

/// A proposal to assume command.
#[derive(ToSchema)]
pub(super) struct AssumptionView {
    by: Named,
    grounds: Grounds,
    reason: Option<String>,
    #[schema(format = DateTime)]
    lapses_at: String,
}

/// A post in the command tree.
#[derive(ToSchema)]
pub(super) struct RoleView {
    role: RolePath,
    holder: Option<Named>,
    #[schema(format = DateTime)]
    since: Option<String>,
    /// Who answers for it: its holder, or the holder of the nearest role above that somebody holds.
    effective_holder: Option<Named>,
    /// By holding which role they do.
    held_through: Option<RolePath>,
    /// What the reader may do with it now.
    may: Vec<RoleAct>,
    members: Vec<Named>,
    offer: Option<OfferView>,
    asked_by: Vec<Named>,
}

/// A pending offer.
#[derive(ToSchema)]
pub(super) struct OfferView {
    id: Entry,
    to: OfferedTo,
    by: Named,
    #[schema(format = DateTime)]
    at: String,
    #[schema(format = DateTime)]
    lapses_at: String,
    note: Option<String>,
    /// Whom it was told, and how far that is; empty for guests.
    told: Vec<ToldView>,
}

/// To whom a role is offered.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum OfferedTo {
    Person(Named),
    Team(TeamName),
}

/// A link for guests that is good.
#[derive(ToSchema)]
pub(super) struct InviteView {
    id: InviteId,
    by: Named,
    #[schema(format = DateTime)]
    made_at: String,
    #[schema(format = DateTime)]
    expires_at: String,
    /// How many came by it.
    used: u32,
    uses_max: u32,
}

/// Somebody who is here.
#[derive(ToSchema)]
pub(super) struct ResponderView {
    person: Named,
    active: bool,
    #[schema(format = DateTime)]
    joined_at: String,
    doing: Option<DoingView>,
    roles: Vec<RolePath>,
}

/// What somebody does now, in their own words.
#[derive(ToSchema)]
pub(super) struct DoingView {
    text: Option<String>,
    #[schema(format = DateTime)]
    since: String,
}

/// Something that stops a role from working.
#[derive(ToSchema)]
pub(super) struct RoadblockView {
    id: u32,
    role: RolePath,
    text: Option<String>,
    by: Named,
    #[schema(format = DateTime)]
    at: String,
}

/// A clock that the commander set.
#[derive(ToSchema)]
pub(super) struct ClockView {
    id: Entry,
    label: Option<String>,
    #[schema(format = DateTime)]
    due_at: String,
    every_minutes: Option<u32>,
    #[schema(format = DateTime)]
    rang_at: Option<String>,
}

/// Entries, the oldest first.
#[derive(ToSchema)]
pub(super) struct EntryPage {
    entries: Vec<Happened>,
    /// Whether there are further ones.
    more: bool,
}

/// What an incoming holder reads.
#[derive(ToSchema)]
pub(super) struct BriefingView {
    /// The entry to name when taking command.
    briefed_to: Entry,
    /// The reader's own newest entry here: what comes after it is new to them.
    you_last_acted: Option<Entry>,
    matters: Vec<Happened>,
    pinned: Vec<Happened>,
    /// The written parts as they were marked last; null when nothing was marked.
    document: Option<MarkedView>,
    state: IncidentView,
}

/// What to do next, the most urgent first.
#[derive(ToSchema)]
pub(super) struct Steps {
    next: Vec<NextIn>,
    /// Everybody whom these name, by id.
    people: BTreeMap<String, Named>,
}

/// Whether a surface may prompt its reader now.
#[derive(ToSchema)]
pub(super) struct PromptAnswer {
    prompted: bool,
    /// Until when there is nothing further about it; null when it is not to be done any more.
    #[schema(format = DateTime)]
    until: Option<String>,
}

/// People, teams and services.
#[derive(ToSchema)]
pub(super) struct DirectoryView {
    people: Vec<PersonView>,
    teams: BTreeMap<String, TeamView>,
    services: BTreeMap<String, ServiceView>,
}

/// Somebody in the directory.
#[derive(ToSchema)]
pub(super) struct PersonView {
    id: PersonId,
    handle: Option<String>,
    name: Option<String>,
    admin: bool,
    active: bool,
    /// The one incident that a guest may see; null for everybody else.
    guest_of: Option<Number>,
    /// For admins only.
    email: Option<String>,
}

/// A team.
#[derive(ToSchema)]
pub(super) struct TeamView {
    members: BTreeSet<PersonId>,
}

/// A service.
#[derive(ToSchema)]
pub(super) struct ServiceView {
    owner: Option<TeamName>,
    depends_on: BTreeSet<ServiceName>,
    /// At which severities its gate stops people; left out while it only observes.
    enforced: Option<Vec<Severity>>,
    /// Which objects of a cluster belong to it; left out where nobody said so.
    matching: Option<MatchingView>,
    /// The versions of it that its owners called good, the newest first and at most five; left out while nobody said so.
    good: Option<Vec<GoodView>>,
    /// What of it is worth keeping when something is wrong with it; left out where nobody said so.
    worth: Option<Vec<WorthView>>,
}

/// What a change of the directory wrote.
#[derive(ToSchema)]
pub(super) struct Changed {
    first_entry: Option<Entry>,
    last_entry: Option<Entry>,
}

/// Whether requests can be served.
#[derive(ToSchema)]
pub(super) struct Readiness {
    ready: bool,
    /// How many streams are set aside because their record is damaged.
    streams_quarantined: u64,
    /// How many state documents were found to be damaged, since this node started.
    documents_damaged: u64,
}

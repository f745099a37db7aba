//! What happened: every kind of event of an incident, as it is stored for ever.
//!
//! The stored form is pinned by golden tests (`tests/golden.rs`). A field is never renamed or given another
//! meaning; a kind that must change gets a new version and is read in both. Events carry whatever fact
//! decided them, name people by id, and hold free text as [`Text`] only.

mod stored;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::absence::Grounds;
use crate::briefing::Briefed;
use crate::change::{ChangeCorrected, ChangeHandedOn, ChangePassed, ChangeStep, NewChange, SentBack, WayBack};
use crate::document::{Part, PartMarked};
use crate::evidence::Evidence;
use crate::example;
use crate::guest::Gone;
use crate::id::{Entry, InviteId, Number, PersonId, ServiceName, Time};
use crate::incident::{Kind, Phase, Post, Severity};
use crate::merge::Absorbed;
use crate::offer::Recipient;
use crate::preserve::NotKept;
pub use crate::record::{Recorded, Unreadable, VERSION};
use crate::role::{Fell, RolePath};
use crate::seal::Seal;
use crate::sighting::{NewSighting, Stage};
use crate::text::Text;

/// Something that happened in an incident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", rename_all = "snake_case")]
#[allow(missing_docs)] // The fields say what they are; each kind says what it means.
#[rustfmt::skip] // One line per kind reads as the table that it is.
pub enum Event {
    // incident.rs: the life of the incident
    /// The first event: somebody opened it and leads it (`phase` is investigating or active).
    Opened {
        number: Number, title: Text, kind: Kind, phase: Phase, severity: Severity, services: BTreeSet<ServiceName>,
        unknown_services: BTreeSet<ServiceName>, began: Option<Time>, restricted: bool, by: PersonId,
    },
    /// An investigation became an incident; its lead became the commander.
    Declared { by: PersonId, commander: PersonId },
    PhaseSet { from: Phase, to: Phase, reason: Option<Text> },
    Closed { from: Phase, last_commander: PersonId, reason: Option<Text> },
    /// Whoever reopens takes command.
    Reopened { by: PersonId, reason: Option<Text> },
    SeveritySet { from: Severity, to: Severity, reason: Option<Text> },
    /// A planned operation became an incident.
    KindSet { from: Kind, to: Kind, reason: Option<Text> },
    TitleSet { title: Text },
    ServicesSet { services: BTreeSet<ServiceName>, unknown_services: BTreeSet<ServiceName> },
    BeganSet { began: Time },
    PostAdded { post: Post },
    PostRemoved { post: u32 },

    // restriction.rs: who may know
    Restricted { invited: BTreeSet<PersonId> },
    Unrestricted {},
    Invited { person: PersonId },
    Uninvited { person: PersonId },

    // guest.rs: who comes by a link
    GuestsInvited { invite: InviteId, by: PersonId, expires_at: Time },
    GuestInviteRevoked { invite: InviteId },
    GuestJoined { person: PersonId, invite: InviteId, invited_by: PersonId, until: Time },
    GuestGone { person: PersonId, why: Gone, reason: Option<Text> },

    // example.rs: the incident that a cast plays for one person
    ExampleBegan { player: PersonId, cast: BTreeMap<example::Part, PersonId> },

    // responder.rs: who is here
    Joined { person: PersonId },
    Left { person: PersonId },
    DoingSet { person: PersonId, doing: Option<Text> },

    // role.rs: the tree
    RoleOpened { role: RolePath },
    RoleClosed { role: RolePath },
    RoleTaken {
        role: RolePath,
        offer: Entry,
        by: PersonId,
        from: Option<PersonId>,
        briefed: Option<Briefed>,
        /// What mattered and was still unseen, to be shown first.
        unseen: Vec<Entry>,
    },
    /// A role lost its holder and fell upward, to `to`, who is told.
    RoleFell { role: RolePath, from: PersonId, to: PersonId, how: Fell },
    MemberAdded { role: RolePath, person: PersonId },
    MemberReleased { role: RolePath, person: PersonId },

    // offer.rs: how roles change hands
    RoleOffered { role: RolePath, to: Recipient, by: PersonId, lapses_at: Time, note: Option<Text> },
    OfferDeclined { role: RolePath, offer: Entry, by: PersonId, reason: Option<Text> },
    OfferWithdrawn { role: RolePath, offer: Entry, reason: Option<Text> },
    /// Nobody took it in time; `late` when Wardroom could not record it within a minute.
    OfferLapsed { role: RolePath, offer: Entry, late: bool },
    /// An ancestor's holder made another offer of the same role, or command was assumed.
    OfferSuperseded { role: RolePath, offer: Entry },
    /// The one refusal that is recorded: what mattered had happened after the briefing's position.
    TakingHeldBack { role: RolePath, offer: Entry, by: PersonId, briefed_to: Entry, unseen: Vec<Entry> },
    RoleAsked { role: RolePath, by: PersonId, note: Option<Text> },
    AskDeclined { role: RolePath, person: PersonId, reason: Option<Text> },
    AskTakenBack { role: RolePath, person: PersonId },

    // absence.rs: when the commander is gone
    CommanderAbsent {
        person: PersonId,
        unseen_since: Time,
        /// Their account was deactivated: they are not waited for.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        deactivated: bool,
    },
    CommanderReturned { person: PersonId },
    AssumptionProposed { by: PersonId, grounds: Grounds, reason: Text, lapses_at: Time },
    AssumptionEnded { proposal: Entry, why: crate::absence::Ended },
    CommandAssumed {
        by: PersonId,
        from: PersonId,
        grounds: Grounds,
        /// The reason of a proposal that was confirmed stands with the proposal.
        reason: Option<Text>,
        proposal: Option<Entry>,
        confirmed_by: Option<PersonId>,
    },

    // timeline.rs: what people said
    Noted { text: Text, happened_at: Option<Time>, pinned: bool },
    NotePinned { entry: Entry },
    NoteUnpinned { entry: Entry },
    NoteCorrected { entry: Entry, text: Text },
    /// The words of an entry were taken out for ever; their seals remain in the chain.
    Redacted {
        entry: Entry,
        seals: Vec<Seal>,
        reason: Option<Text>,
        /// The incident that absorbed this one, and has the words still.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        also_in: Option<Number>,
    },

    // roadblock.rs
    RoadblockRaised { roadblock: u32, role: RolePath, text: Text, by: PersonId },
    RoadblockCleared { roadblock: u32, how: Option<Text> },

    // criterion.rs: what must be true before it is resolved
    CriterionAdded { criterion: u32, text: Text, by: PersonId },
    CriterionReworded { criterion: u32, text: Text },
    CriterionAssigned { criterion: u32, owner: Option<PersonId> },
    CriterionMet { criterion: u32, by: PersonId },
    CriterionReopened { criterion: u32, reason: Option<Text> },
    CriterionWaived { criterion: u32, by: PersonId, reason: Text },
    CriterionLinked { criterion: u32, bug: Option<Text> },

    // todo.rs: what there is to do besides, and the bugs filed
    TodoAdded { todo: u32, text: Text, owner: Option<PersonId>, bug: Option<Text>, by: PersonId },
    TodoReworded { todo: u32, text: Text },
    TodoAssigned { todo: u32, owner: Option<PersonId> },
    TodoFinished { todo: u32, by: PersonId },
    TodoReopened { todo: u32 },
    TodoLinked { todo: u32, bug: Option<Text> },

    // change.rs: what was done to services
    ChangeRecorded(Box<NewChange>),
    /// What came through the gate belongs to one that is under way.
    ChangePassed(ChangePassed),
    ChangeDone(ChangeStep),
    ChangeFailed(ChangeStep),
    ChangeDropped(ChangeStep),
    ChangeCorrected(ChangeCorrected),
    WayBackSaid(WayBack),
    ChangeReverted(ChangeStep),
    ChangeAdopted(ChangeStep),
    ChangeHandedOn(ChangeHandedOn),
    ChangeDiffersAgain(ChangeStep),
    ChangeTakenIn(ChangeStep),
    ChangeDismissed(ChangeStep),
    /// A late record sends a closed incident back to resolved, under its last commander (rule 10).
    SentBack(SentBack),

    // sighting.rs: what other systems tell of
    ChangeSeen(Box<NewSighting>),
    /// It is further than it was when it was seen.
    SightingWent { sighting: u32, stage: Stage, at: Time },
    /// It was taken for a change of the ledger that it cannot be as that stands now; or it is one that stands otherwise now.
    SightingJudged { sighting: u32, was: Option<u32>, change: Option<u32>, uncoordinated: bool },
    /// Operations took it into their ledger.
    SightingTakenIn { sighting: u32, change: u32, by: PersonId },
    SightingDismissed { sighting: u32, by: PersonId, reason: Option<Text> },
    /// Several at once.
    SightingsDismissed { sightings: Vec<u32>, by: PersonId, reason: Option<Text> },
    /// Whoever made it is to come.
    AskedIn { sighting: u32, person: PersonId, by: PersonId },

    // permission.rs: who else may change services, for a while
    PermissionAsked { by: PersonId, services: BTreeSet<ServiceName>, what: Text },
    /// Operations said no, or whoever asked took it back.
    PermissionDeclined { person: PersonId, by: PersonId, reason: Option<Text> },
    PermissionGranted { permission: u32, person: PersonId, services: BTreeSet<ServiceName>, by: PersonId, until: Time },
    PermissionEnded { permission: u32, by: PersonId },
    /// Somebody outside operations changes these on their own.
    GlassBroken { permission: u32, by: PersonId, services: BTreeSet<ServiceName>, until: Time, reason: Text },

    // document.rs: the state document
    StillTrue { parts: BTreeSet<Part>, by: PersonId },
    /// The document as it stood then.
    DocumentMarked { version: u64, parts: BTreeMap<Part, PartMarked> },

    // evidence.rs: what is kept for root-causing
    /// The bytes lie beside the log.
    EvidenceAttached(Evidence),
    /// It is worth keeping, and could not be kept by itself.
    NotKept { things: Vec<NotKept> },

    // deadline.rs
    ClockSet { label: Text, due_at: Time, every_minutes: Option<NonZeroU32> },
    ClockRang { clock: Entry, due_at: Time, next_due_at: Option<Time>, late: bool },
    ClockStopped { clock: Entry },
    /// Wardroom itself was down: that time counts against nobody.
    OutageEnded { from: Time, to: Time, offers: BTreeMap<RolePath, Time>, unseen_since: Option<Time> },

    // merge.rs
    MergedInto { into: Number, commander: PersonId },
    /// What came along from an incident that was merged into this one.
    Absorbed(Absorbed),
}

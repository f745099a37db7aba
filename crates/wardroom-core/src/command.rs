//! What people ask for: every command, as the API's one write endpoint takes it.
//!
//! A command is parsed and bounded before it gets here; whether it is *allowed* is decided by the nouns.

mod named;
mod opening;
mod tick;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::absence::Grounds;
use crate::briefing::Briefed;
use crate::change::Outcome;
use crate::document::Part;
use crate::evidence::Piece;
use crate::gate::{Ending, Passing};
use crate::guest::Arrival;
use crate::id::{Entry, InviteId, Number, ServiceName, Time, Who};
use crate::incident::{Kind, Phase, Severity};
use crate::role::RolePath;
use crate::text::{Line, Prose};
use crate::token::Digest;

pub use opening::{OfferTo, Opening};
pub use tick::Tick;

/// Something a person wants done in an incident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[allow(missing_docs)] // The fields say what they are; each command says what it does.
#[rustfmt::skip] // One line per command reads as the table that it is.
pub enum Command {
    /// "I'm here."
    Join {},
    /// Leave; roles held fall upward. The commander hands over first.
    Leave {},
    /// Say what one is doing now; nothing clears it.
    Doing { text: Option<Line> },
    /// Make a running investigation an incident; its lead becomes the commander.
    Declare {},
    /// Move between active, mitigated and resolved; `closed` closes.
    SetPhase { phase: Phase, reason: Option<Prose> },
    /// Open a closed incident again and take command.
    Reopen { reason: Option<Prose> },
    SetSeverity { severity: Severity, reason: Option<Prose> },
    /// Planned → incident is the only way.
    SetKind { kind: Kind, reason: Option<Prose> },
    SetTitle { title: Line },
    SetServices { services: BTreeSet<ServiceName> },
    SetBegan {
        #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
        began: Time,
    },
    AddPost { label: Line, link: Option<Line> },
    RemovePost { post: u32 },
    /// From now on only the invited may know of it; those who joined are invited.
    Restrict {},
    Unrestrict {},
    Invite { person: Who },
    Uninvite { person: Who },
    /// Take a guest link back: nobody new comes by it.
    RevokeInvite { invite: InviteId },
    /// Ends a guest's part in this: their roles fall, and they are signed out.
    SendAway { person: Who, reason: Option<Prose> },
    /// A link that lets guests in. Made at the edge, which drew the secret and passes on only its digest.
    #[serde(skip)]
    MakeInvite { invite: InviteId, digest: Digest, hours: u8 },
    /// Somebody comes by an invite, as the edge has settled it.
    #[serde(skip)]
    Arrive(Arrival),
    OpenRole { role: RolePath },
    CloseRole { role: RolePath },
    OfferRole { role: RolePath, to: OfferTo, note: Option<Prose> },
    WithdrawOffer { role: RolePath, reason: Option<Prose> },
    DeclineOffer { role: RolePath, reason: Option<Prose> },
    /// The acknowledgement. Command needs `briefed`.
    TakeRole { role: RolePath, briefed: Option<Briefed> },
    /// Give a role up: it falls upward.
    ReleaseRole { role: RolePath },
    /// An ancestor's holder takes a role back.
    TakeBackRole { role: RolePath },
    AskRole { role: RolePath, note: Option<Prose> },
    DeclineAsk { role: RolePath, person: Who, reason: Option<Prose> },
    TakeBackAsk { role: RolePath },
    AddMember { role: RolePath, person: Who },
    ReleaseMember { role: RolePath, person: Who },
    /// Assume command: the commander is unseen, or here and unfit.
    AssumeCommand { grounds: Grounds, reason: Prose },
    ConfirmAssumption {},
    /// The proposer takes the proposal back, or a commander who is here sets it aside.
    DropAssumption {},
    Note {
        text: Prose,
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
        happened_at: Option<Time>,
        #[serde(default)]
        pin: bool,
    },
    PinNote { entry: Entry },
    UnpinNote { entry: Entry },
    CorrectNote { entry: Entry, text: Prose },
    /// Take the words of an entry out for ever.
    Redact { entry: Entry, reason: Option<Prose> },
    RaiseRoadblock { text: Prose, role: Option<RolePath> },
    ClearRoadblock { roadblock: u32, how: Option<Prose> },
    /// What must be true before this is resolved.
    AddCriterion { text: Line },
    RewordCriterion {
        criterion: u32,
        text: Line,
        /// The entry that said the words which this replaces, as they were read.
        replaces: Entry,
    },
    /// Nobody named: it is nobody's.
    AssignCriterion {
        criterion: u32,
        person: Option<Who>,
        /// The entry that said what this replaces, as it was read; nothing while nothing is said there.
        replaces: Option<Entry>,
    },
    /// It is true now.
    MeetCriterion { criterion: u32 },
    ReopenCriterion { criterion: u32, reason: Option<Prose> },
    /// Command goes on without it.
    WaiveCriterion { criterion: u32, reason: Prose },
    /// Where its bug is tracked, as an https link; none takes the link away.
    LinkCriterion {
        criterion: u32,
        bug: Option<Line>,
        /// The entry that said what this replaces, as it was read; nothing while nothing is said there.
        replaces: Option<Entry>,
    },
    /// Something to do besides the incident's own work; `bug` is where it is tracked, as an https link. Without one, an https
    /// link at the end of the line is taken for it.
    AddTodo { text: Line, person: Option<Who>, bug: Option<Line> },
    RewordTodo {
        todo: u32,
        text: Line,
        /// The entry that said the words which this replaces, as they were read.
        replaces: Entry,
    },
    /// Naming oneself takes it; nobody named: it is nobody's.
    AssignTodo {
        todo: u32,
        person: Option<Who>,
        /// The entry that said what this replaces, as it was read; nothing while nothing is said there.
        replaces: Option<Entry>,
    },
    FinishTodo { todo: u32 },
    ReopenTodo { todo: u32 },
    /// Where it is tracked, as an https link; none takes the link away.
    LinkTodo {
        todo: u32,
        bug: Option<Line>,
        /// The entry that said what this replaces, as it was read; nothing while nothing is said there.
        replaces: Option<Entry>,
    },
    /// Say what operations are about to change, before they do; then say how it went.
    AnnounceChange {
        /// Which service. Without it, the line says so before a colon, or only one is affected.
        service: Option<ServiceName>,
        what: Line,
        why: Option<Prose>,
        /// The command that does it, or a link to it.
        how: Option<Line>,
        /// How to undo it.
        back: Option<Prose>,
    },
    /// Tell of a change that has happened, whoever made it. From outside operations it is uncoordinated until they sort it.
    RecordChange {
        /// Which service. Without it, the line says so before a colon, or only one is affected.
        service: Option<ServiceName>,
        what: Line,
        why: Option<Prose>,
        /// The command that did it, or a link to it.
        how: Option<Line>,
        /// How to undo it.
        back: Option<Prose>,
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
        happened_at: Option<Time>,
        /// Who made it, if somebody else: their handle or id. Planning, operations and command are believed; of what anybody
        /// else says of another it is shown who made it, and operations sort it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made_by: Option<Who>,
        /// It was made outside operations, also where operations tell of it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        outside: bool,
    },
    /// Say how a change went that was announced. `evidence` is the entry that attached what shows it.
    ConfirmChange {
        change: u32,
        outcome: Outcome,
        note: Option<Prose>,
        evidence: Option<Entry>,
        /// When it was made or failed, if not now: not before it was announced.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
        happened_at: Option<Time>,
    },
    /// What is not named stays as it is.
    CorrectChange {
        change: u32,
        service: Option<ServiceName>,
        what: Option<Line>,
        why: Option<Prose>,
        /// The command that did it, or a link to it.
        how: Option<Line>,
        /// The entry that said what this replaces, as it was read.
        replaces: Entry,
    },
    /// How to undo it; none takes back what was said.
    SayWayBack {
        change: u32,
        back: Option<Prose>,
        /// The entry that said what this replaces, as it was read; nothing while nothing is said there.
        replaces: Option<Entry>,
    },
    /// It is undone: the service does not differ by it any more.
    RevertChange {
        change: u32,
        note: Option<Prose>,
        evidence: Option<Entry>,
        /// When it was undone, if not now: not before it was done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
        happened_at: Option<Time>,
    },
    /// It stays for good: this is the normal from now on.
    AdoptChange { change: u32, reason: Prose },
    /// It stays for now, and a bug sees to it: an https link.
    HandOnChange { change: u32, bug: Line },
    /// The service differs by it after all.
    DiffersAgain { change: u32, reason: Option<Prose> },
    /// Operations take an uncoordinated change into their ledger.
    TakeInChange { change: u32 },
    /// It is no change, or none of this incident.
    DismissChange { change: u32, reason: Option<Prose> },
    /// Take a change that another system told of into the ledger of operations: as done, or as announced while it is under way.
    TakeInSighting { sighting: u32 },
    /// Say that a change that another system told of has nothing to do with this incident.
    DismissSighting { sighting: u32, reason: Option<Prose> },
    /// Say the same of several at once. Those that somebody sorted in the meantime stay as they are.
    DismissSightings { sightings: BTreeSet<u32>, reason: Option<Prose> },
    /// Ask whoever made a change that another system told of to come and say what they did.
    AskIn { sighting: u32 },
    /// Ask operations to let one change these services.
    AskPermission {
        services: BTreeSet<ServiceName>,
        /// What one would do there.
        what: Line,
    },
    /// Let somebody outside operations change services for a while.
    GrantPermission {
        person: Who,
        /// Those that were asked for, unless others are named.
        services: Option<BTreeSet<ServiceName>>,
        /// At most 240; 30 unless said otherwise.
        minutes: Option<u16>,
    },
    /// Say no to somebody who asks for permission, or take back what one asked for.
    DeclinePermission { person: Who, reason: Option<Prose> },
    /// Take a permission back, or give it back, before its time is up.
    EndPermission { permission: u32 },
    /// Change services on one's own for half an hour, because it cannot wait: everybody is told, and operations sort it.
    BreakGlass { services: BTreeSet<ServiceName>, reason: Prose },
    /// Something comes through the gate, as the edge has been asked there.
    #[serde(skip)]
    PassGate(Passing),
    /// What somebody came through the gate with has ended, as the edge has been told there.
    #[serde(skip)]
    EndPassing(Ending),
    /// These parts of the state document are still true.
    StillTrue {
        parts: BTreeSet<Part>,
        /// The version of the document that was read: what its socket tells, or `…/written`. 0 is before the first word.
        version: u64,
    },
    /// Bytes to be kept, which the edge has taken and looked at.
    #[serde(skip)]
    Attach(Piece),
    SetClock {
        label: Line,
        in_minutes: u32,
        #[serde(default)]
        repeat: bool,
    },
    StopClock { clock: Entry },
    /// This incident is absorbed by another.
    Merge { into: Number },
}

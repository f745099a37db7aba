//! Verbs that are one command in an incident.

mod changes;
mod lists;
mod permission;
mod sighting;

use clap::Subcommand;
use wardroom_core::document::Part;
use wardroom_core::id::{Entry, Number, ServiceName, TeamName, Time, Who};
use wardroom_core::incident::{Kind, Phase, Severity};
use wardroom_core::role::RolePath;
use wardroom_core::text::{Line, Prose};

use super::word;
pub use changes::{Change, Told};
pub use lists::{Criterion, Todo};
pub use permission::Permission;
pub use sighting::Sighting;

/// Verbs that are one command in an incident.
#[derive(Subcommand, Debug)]
pub enum Act {
    /// Say "I'm here": wardroom join 465
    Join { number: Number },
    /// Leave; roles fall upward: wardroom leave 465
    Leave { number: Number },
    /// Say what you are doing now: wardroom doing 465 "reindexing eu-1"; nothing clears it
    Doing { number: Number, text: Option<Line> },
    /// Write into the timeline: wardroom note 465 "First cluster is warm" --at 2026-11-23T15:20:00Z
    Note {
        number: Number,
        text: Prose,
        /// When it happened, if not now
        #[arg(long, value_name = "TIME")]
        at: Option<Time>,
        /// Keep it at the top
        #[arg(long)]
        pin: bool,
    },
    /// Pin a note: wardroom pin 465 12
    Pin { number: Number, entry: Entry },
    /// Unpin a note: wardroom unpin 465 12
    Unpin { number: Number, entry: Entry },
    /// Correct a note of yours: wardroom correct 465 12 "Both clusters are warm"
    Correct { number: Number, entry: Entry, text: Prose },
    /// Take the words of an entry out for ever: wardroom redact 465 12 --reason "a password"
    Redact {
        number: Number,
        entry: Entry,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Declare a running investigation: wardroom declare-investigation 465
    DeclareInvestigation { number: Number },
    /// Offer a role: wardroom offer 465 operations marty
    Offer {
        number: Number,
        role: RolePath,
        #[arg(required_unless_present = "team")]
        person: Option<Who>,
        /// To whoever of a team takes first
        #[arg(long, conflicts_with = "person")]
        team: Option<TeamName>,
        #[arg(long)]
        note: Option<Prose>,
    },
    /// Ask for a role: wardroom ask 465 communications
    Ask {
        number: Number,
        role: RolePath,
        #[arg(long)]
        note: Option<Prose>,
    },
    /// Take a role that is offered to you: wardroom take 465 command; for command, read the briefing first
    Take {
        number: Number,
        role: RolePath,
        /// The outgoing commander told you everything; skips the briefing
        #[arg(long)]
        briefed_by_voice: bool,
        /// Show the briefing and do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Decline an offer: wardroom decline 465 operations --reason "at lunch"
    Decline {
        number: Number,
        role: RolePath,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Withdraw an offer: wardroom withdraw 465 operations
    Withdraw {
        number: Number,
        role: RolePath,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Say no to somebody who asks for a role: wardroom decline-ask 465 operations marty
    DeclineAsk {
        number: Number,
        role: RolePath,
        person: Who,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Give a role up: wardroom release 465 operations; it falls upward
    Release { number: Number, role: RolePath },
    /// Take a role back from its holder: wardroom take-back 465 operations
    TakeBack { number: Number, role: RolePath },
    /// Open a role under another: wardroom open-role 465 operations/database
    OpenRole { number: Number, role: RolePath },
    /// Close a role that nobody works in: wardroom close-role 465 operations/database
    CloseRole { number: Number, role: RolePath },
    /// Have somebody work in a role: wardroom member 465 operations marty
    Member {
        number: Number,
        role: RolePath,
        person: Who,
        /// Release them from it
        #[arg(long)]
        release: bool,
    },
    /// Assume command when the commander is unseen, or unfit: wardroom assume 465 --reason "unseen for 20 minutes"
    Assume {
        number: Number,
        #[arg(long)]
        reason: Prose,
        /// The commander is here and cannot go on
        #[arg(long)]
        unfit: bool,
    },
    /// Confirm that somebody else assumes command: wardroom confirm 465
    Confirm { number: Number },
    /// Take your proposal to assume command back: wardroom drop 465; a commander who is here sets it aside
    Drop { number: Number },
    /// Ask for a role no more: wardroom take-back-ask 465 operations
    TakeBackAsk { number: Number, role: RolePath },
    /// Raise a roadblock: wardroom roadblock 465 "Quota for eu needs the capacity desk"
    Roadblock {
        number: Number,
        text: Prose,
        #[arg(long)]
        role: Option<RolePath>,
    },
    /// Clear a roadblock: wardroom clear 465 1 "the quota was raised"
    Clear { number: Number, roadblock: u32, how: Option<Prose> },
    /// Change the severity: wardroom severity 465 sev1 --reason "all users"
    Severity {
        number: Number,
        #[arg(value_parser = word::<Severity>)]
        severity: Severity,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Change the phase to active, mitigated, resolved or closed: wardroom phase 465 mitigated
    Phase {
        number: Number,
        #[arg(value_parser = word::<Phase>)]
        phase: Phase,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Reopen a closed incident: wardroom reopen 465; you take command
    Reopen {
        number: Number,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Make a planned operation an incident: wardroom kind 465 incident
    Kind {
        number: Number,
        #[arg(value_parser = word::<Kind>)]
        kind: Kind,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Change the title: wardroom title 465 "Search is failing in eu-1"
    Title { number: Number, title: Line },
    /// Say which services are affected: wardroom services 465 search frontend
    Services { number: Number, services: Vec<ServiceName> },
    /// Say when impact began: wardroom began 465 2026-11-23T14:51:00Z
    Began { number: Number, at: Time },
    /// Open a command post: wardroom post 465 "#inc-465" https://chat.example.org/inc-465
    Post { number: Number, label: Line, link: Option<Line> },
    /// Close a command post: wardroom remove-post 465 1
    RemovePost { number: Number, post: u32 },
    /// Only the invited may know of it from now on: wardroom restrict 465
    Restrict { number: Number },
    /// Everybody who is signed in may know of it: wardroom unrestrict 465
    Unrestrict { number: Number },
    /// Make a link for guests: wardroom invite 465 --hours 1; or name who may see a restricted incident
    Invite {
        number: Number,
        /// Somebody with an account, into a restricted incident
        person: Option<Who>,
        /// How long the link lasts, up to 72
        #[arg(long, default_value_t = 12, conflicts_with = "person")]
        hours: u8,
    },
    /// Take an invitation back: wardroom uninvite 465 marty; or a link for guests by its id, which `show` lists
    Uninvite {
        number: Number,
        #[arg(required_unless_present = "link")]
        person: Option<Who>,
        #[arg(long, value_name = "ID", conflicts_with = "person")]
        link: Option<uuid::Uuid>,
    },
    /// Send a guest away, who is signed out at once: wardroom send-away 465 guest-marty
    SendAway {
        number: Number,
        person: Who,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// What must be true before it is resolved: wardroom criterion 465 add "Errors below 0.1 %"
    Criterion {
        number: Number,
        #[command(subcommand)]
        verb: Criterion,
    },
    /// What there is to do besides: wardroom todo 465 add "Warm the cache"
    Todo {
        number: Number,
        #[command(subcommand)]
        verb: Todo,
    },
    /// What was done to services, and what becomes of it: wardroom change 465 record "search: rolled back to v11"
    Change {
        number: Number,
        #[command(subcommand)]
        verb: Change,
    },
    /// Who else may change services for a while: wardroom permission 465 grant marty
    Permission {
        number: Number,
        #[command(subcommand)]
        verb: Permission,
    },
    /// Changes of which other systems told, and what becomes of them: wardroom sighting 465 take-in 1
    Sighting {
        number: Number,
        #[command(subcommand)]
        verb: Sighting,
    },
    /// Change services on your own for half an hour, because it cannot wait; everybody is told: wardroom break-glass 465
    /// "the disk fills" --service search
    BreakGlass {
        number: Number,
        reason: Prose,
        /// What you change; can be repeated
        #[arg(long = "service", value_name = "NAME", required = true)]
        services: Vec<ServiceName>,
    },
    /// Say that the state document is still true: wardroom still-true 465; or a part of it: summary, status or notes
    StillTrue {
        number: Number,
        #[arg(value_parser = word::<Part>)]
        parts: Vec<Part>,
        /// The version that you have read, as `…/written` has it; otherwise what is written now
        #[arg(long)]
        version: Option<u64>,
    },
    /// Set a clock: wardroom clock 465 "Consider alternatives" --in 15 --repeat
    Clock {
        number: Number,
        label: Line,
        /// Minutes
        #[arg(long = "in", value_name = "MINUTES")]
        in_minutes: u32,
        #[arg(long)]
        repeat: bool,
    },
    /// Stop a clock: wardroom stop-clock 465 10
    StopClock { number: Number, clock: Entry },
    /// Merge an incident into another: wardroom merge 465 466
    Merge { number: Number, into: Number },
}

//! Verbs that are one command in an incident.

use clap::Subcommand;
use wardroom_core::id::{ServiceName, TeamName, Time, Who};
use wardroom_core::incident::{Kind, Phase, Severity};
use wardroom_core::role::RolePath;
use wardroom_core::text::{Line, Prose};

use super::word;

/// Verbs that are one command in an incident.
#[derive(Subcommand, Debug)]
pub enum Act {
    /// Say "I'm here": wardroom join 465
    Join { number: u32 },
    /// Leave; roles fall upward
    Leave { number: u32 },
    /// Say what you are doing now: wardroom doing 465 "reindexing eu-1"; nothing clears it
    Doing { number: u32, text: Option<Line> },
    /// Write into the timeline: wardroom note 465 "First cluster is warm" --at 2026-11-23T15:20:00Z
    Note {
        number: u32,
        text: Prose,
        /// When it happened, if not now
        #[arg(long, value_name = "TIME")]
        at: Option<Time>,
        /// Keep it at the top
        #[arg(long)]
        pin: bool,
    },
    /// Pin a note
    Pin { number: u32, entry: u64 },
    /// Unpin a note
    Unpin { number: u32, entry: u64 },
    /// Correct a note of yours
    Correct { number: u32, entry: u64, text: Prose },
    /// Take the words of an entry out for ever: wardroom redact 465 12 --reason "a password"
    Redact {
        number: u32,
        entry: u64,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Declare a running investigation
    DeclareInvestigation { number: u32 },
    /// Offer a role: wardroom offer 465 operations marty
    Offer {
        number: u32,
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
        number: u32,
        role: RolePath,
        #[arg(long)]
        note: Option<Prose>,
    },
    /// Take a role that is offered to you; for command, read the briefing first
    Take {
        number: u32,
        role: RolePath,
        /// The outgoing commander told you everything; skips the briefing
        #[arg(long)]
        briefed_by_voice: bool,
        /// Show the briefing and do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Decline an offer
    Decline {
        number: u32,
        role: RolePath,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Withdraw an offer
    Withdraw {
        number: u32,
        role: RolePath,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Say no to somebody who asks for a role
    DeclineAsk {
        number: u32,
        role: RolePath,
        person: Who,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Give a role up; it falls upward
    Release { number: u32, role: RolePath },
    /// Take a role back from its holder
    TakeBack { number: u32, role: RolePath },
    /// Open a role under another: wardroom open-role 465 operations/database
    OpenRole { number: u32, role: RolePath },
    /// Close a role that nobody works in
    CloseRole { number: u32, role: RolePath },
    /// Have somebody work in a role: wardroom member 465 operations marty
    Member {
        number: u32,
        role: RolePath,
        person: Who,
        /// Release them from it
        #[arg(long)]
        release: bool,
    },
    /// Assume command when the commander is unseen, or unfit
    Assume {
        number: u32,
        #[arg(long)]
        reason: Prose,
        /// The commander is here and cannot go on
        #[arg(long)]
        unfit: bool,
    },
    /// Confirm that somebody else assumes command
    Confirm { number: u32 },
    /// Take your proposal to assume command back; a commander who is here sets it aside
    Drop { number: u32 },
    /// Ask for a role no more
    TakeBackAsk { number: u32, role: RolePath },
    /// Raise a roadblock: wardroom roadblock 465 "Quota for eu needs the capacity desk"
    Roadblock {
        number: u32,
        text: Prose,
        #[arg(long)]
        role: Option<RolePath>,
    },
    /// Clear a roadblock
    Clear { number: u32, roadblock: u32, how: Option<Prose> },
    /// Change the severity: wardroom severity 465 sev1 --reason "all users"
    Severity {
        number: u32,
        #[arg(value_parser = word::<Severity>)]
        severity: Severity,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Change the phase: active, mitigated, resolved or closed
    Phase {
        number: u32,
        #[arg(value_parser = word::<Phase>)]
        phase: Phase,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Reopen a closed incident; you take command
    Reopen {
        number: u32,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Make a planned operation an incident
    Kind {
        number: u32,
        #[arg(value_parser = word::<Kind>)]
        kind: Kind,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Change the title
    Title { number: u32, title: Line },
    /// Say which services are affected
    Services { number: u32, services: Vec<ServiceName> },
    /// Say when impact began
    Began { number: u32, at: Time },
    /// Open a command post: wardroom post 465 "#inc-465" https://chat.example.org/inc-465
    Post { number: u32, label: Line, link: Option<Line> },
    /// Close a command post
    RemovePost { number: u32, post: u32 },
    /// Only the invited may know of it from now on
    Restrict { number: u32 },
    /// Everybody who is signed in may know of it
    Unrestrict { number: u32 },
    /// Make a link for guests: wardroom invite 465 --hours 1; or name who may see a restricted incident
    Invite {
        number: u32,
        /// Somebody with an account, into a restricted incident
        person: Option<Who>,
        /// How long the link lasts, up to 72
        #[arg(long, default_value_t = 12, conflicts_with = "person")]
        hours: u8,
    },
    /// Take an invitation back: of a person, or a link for guests by its id (`wardroom show 465` lists them)
    Uninvite {
        number: u32,
        #[arg(required_unless_present = "link")]
        person: Option<Who>,
        #[arg(long, value_name = "ID", conflicts_with = "person")]
        link: Option<uuid::Uuid>,
    },
    /// Send a guest away: they are signed out at once
    SendAway {
        number: u32,
        person: Who,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Set a clock: wardroom clock 465 "Consider alternatives" --in 15 --repeat
    Clock {
        number: u32,
        label: Line,
        /// Minutes
        #[arg(long = "in", value_name = "MINUTES")]
        in_minutes: u32,
        #[arg(long)]
        repeat: bool,
    },
    /// Stop a clock
    StopClock { number: u32, clock: u64 },
    /// Merge an incident into another: wardroom merge 465 466
    Merge { number: u32, into: u32 },
}

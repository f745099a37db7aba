//! What can be typed. Each verb's help has an example.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use wardroom_core::id::{Handle, ServiceName, TeamName, Time, Who};
use wardroom_core::person::Email;
use wardroom_core::role::RolePath;
use wardroom_core::text::{Line, Prose};
use wardroom_server::config::{ServeArgs, StoreArgs};

/// Incident command: declare early, separate the roles, hand command over by a clear acknowledgement.
#[derive(Parser, Debug)]
#[command(
    name = "wardroom",
    version,
    max_term_width = 100,
    after_help = "\
Exit codes: 0 done, 1 refused, 2 wrong usage, 3 not signed in, 4 not reachable, 5 the record does not verify.

First steps:
  wardroom serve                                        start a server on ./data
  wardroom person add ada --name \"Ada\" --admin          add yourself, on the same machine
  export WARDROOM_TOKEN=$(wardroom token create ada | awk '{print $NF}')
  wardroom declare \"Search is failing\" --severity sev1
  wardroom demo                                         see a whole incident, and take command in it"
)]
pub struct Arguments {
    #[command(subcommand)]
    pub verb: Verb,
    #[command(flatten)]
    pub remote: Remote,
}

/// Which server the client verbs speak to.
#[derive(Args, Debug, Clone)]
pub struct Remote {
    /// The server
    #[arg(long, env = "WARDROOM_URL", default_value = "http://127.0.0.1:8080", global = true)]
    pub url: String,
    /// Your token
    #[arg(
        long,
        env = "WARDROOM_TOKEN",
        default_value = "",
        hide_env_values = true,
        hide_default_value = true,
        global = true
    )]
    pub token: String,
    /// Print what the API answered
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Start a server
    Serve(ServeArgs),
    /// Play the book's managed incident and take command in it
    Demo(Demo),

    /// Declare an incident: wardroom declare "Search is failing" --severity sev1 --service search
    Declare(Declare),
    /// Look into something without declaring it yet: wardroom investigate "Search feels slow"
    Investigate(Declare),
    /// What must I do next
    Next,
    /// List incidents
    List {
        /// Also drills
        #[arg(long)]
        drills: bool,
        /// Also the ended ones
        #[arg(long)]
        all: bool,
    },
    /// Show an incident: wardroom show 465
    Show { number: u32 },
    /// Show what happened: wardroom timeline 465 --follow
    Timeline {
        number: u32,
        /// Stay, and show what happens next
        #[arg(long, short)]
        follow: bool,
    },
    /// Show the briefing of an incident
    Briefing { number: u32 },
    #[command(flatten)]
    Act(Act),

    /// Verify the whole record, and name the first event altered, removed, reordered or cut off
    Verify(StoreArgs),
    /// Write a backup beside a running server: wardroom backup wardroom-monday.backup
    Backup {
        file: PathBuf,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Restore a backup into an empty place; every token issued before is revoked
    Restore {
        file: PathBuf,
        /// Let tokens of the backup live on
        #[arg(long)]
        keep_tokens: bool,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// People, on the machine itself: wardroom person add marty --name "Marty" --email marty@example.org
    #[command(subcommand)]
    Person(Person),
    /// Teams, on the machine itself
    #[command(subcommand)]
    Team(Team),
    /// Services, on the machine itself
    #[command(subcommand)]
    Service(Service),
    /// Tokens, on the machine itself: wardroom token create marty
    #[command(subcommand)]
    Token(Token),
    /// Completions for a shell: wardroom completions bash
    Completions { shell: clap_complete::Shell },
    /// Print the description of the API
    #[command(hide = true)]
    Openapi,
}

#[derive(Args, Debug)]
pub struct Demo {
    /// Let the script take your part too
    #[arg(long)]
    pub watch: bool,
}

#[derive(Args, Debug)]
pub struct Declare {
    /// What is wrong, in one line
    pub title: Line,
    /// sev1 (everybody is affected) to sev4
    #[arg(long, default_value = "sev2")]
    pub severity: String,
    /// What is affected; can be repeated
    #[arg(long = "service", value_name = "NAME")]
    pub services: Vec<ServiceName>,
    /// When impact began: 2026-11-23T14:51:00Z
    #[arg(long, value_name = "TIME")]
    pub began: Option<Time>,
    /// incident, planned or drill
    #[arg(long, default_value = "incident")]
    pub kind: String,
    /// Only the invited may know of it
    #[arg(long)]
    pub restricted: bool,
}

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
        severity: String,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Change the phase: active, mitigated, resolved or closed
    Phase {
        number: u32,
        phase: String,
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
        kind: String,
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
    /// Invite somebody into a restricted incident
    Invite { number: u32, person: Who },
    /// Take an invitation back
    Uninvite { number: u32, person: Who },
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

#[derive(Subcommand, Debug)]
pub enum Person {
    /// Add a person
    Add {
        handle: Handle,
        #[arg(long)]
        name: Line,
        #[arg(long)]
        email: Option<Email>,
        /// May change the directory
        #[arg(long)]
        admin: bool,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Change a person; what is left out stays
    Change {
        person: Who,
        #[arg(long)]
        handle: Option<Handle>,
        #[arg(long)]
        name: Option<Line>,
        #[arg(long)]
        email: Option<Email>,
        #[arg(long)]
        admin: Option<bool>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// End a person's access; their roles stay until somebody assumes them
    Deactivate {
        person: Who,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Give the access back
    Activate {
        person: Who,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Take a person's name and address out for ever
    Forget {
        person: Who,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Import people, teams and services from a .toml or .csv file
    Import {
        file: PathBuf,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List everybody
    List(StoreArgs),
}

#[derive(Subcommand, Debug)]
pub enum Team {
    /// Add a team, or replace its members: wardroom team set search-sre marty lorraine
    Set {
        team: TeamName,
        members: Vec<Who>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Remove a team
    Remove {
        team: TeamName,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List the teams
    List(StoreArgs),
}

#[derive(Subcommand, Debug)]
pub enum Service {
    /// Add or change a service: wardroom service set search --owner search-sre --depends-on index
    Set {
        service: ServiceName,
        #[arg(long)]
        owner: Option<TeamName>,
        #[arg(long = "depends-on", value_name = "SERVICE")]
        depends_on: Vec<ServiceName>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Remove a service
    Remove {
        service: ServiceName,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List the services
    List(StoreArgs),
}

#[derive(Subcommand, Debug)]
pub enum Token {
    /// Make a token; it is shown once, as the last word
    Create {
        person: Who,
        /// read, respond or admin
        #[arg(long, default_value = "respond")]
        scope: String,
        /// What it is for
        #[arg(long, default_value = "command line")]
        label: Line,
        /// Days until it expires; left out, it lasts until it is revoked
        #[arg(long)]
        days: Option<u32>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List the live tokens
    List(StoreArgs),
    /// Revoke a token by its id: its open streams end within a second
    Revoke {
        token: uuid::Uuid,
        #[command(flatten)]
        store: StoreArgs,
    },
}

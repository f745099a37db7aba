//! What is done with changes to services.

use clap::Subcommand;
use wardroom_core::id::{Entry, ServiceName, Time, Who};
use wardroom_core::text::{Line, Prose};

/// What is told of a change, beside what it is.
#[derive(clap::Args, Debug)]
pub struct Told {
    /// What was done. Name the service before a colon, unless only one is affected: "search: rolled back to v11"
    pub what: Line,
    /// Which service
    #[arg(long, value_name = "NAME")]
    pub service: Option<ServiceName>,
    /// Why
    #[arg(long)]
    pub why: Option<Prose>,
    /// The command that does it, or a link to it
    #[arg(long, value_name = "COMMAND")]
    pub how: Option<Line>,
    /// How to undo it
    #[arg(long, value_name = "HOW")]
    pub undo: Option<Prose>,
}

/// What is done with a change.
#[derive(Subcommand, Debug)]
pub enum Change {
    /// Tell of one that happened: wardroom change 465 record "search: rolled back to v11" --undo "deploy v12"
    Record {
        #[command(flatten)]
        told: Told,
        /// When it was made, if not now
        #[arg(long, value_name = "TIME")]
        at: Option<Time>,
        /// Who made it, if not you: wardroom change 465 record "search: rolled back to v11" --by sabrina
        #[arg(long, value_name = "PERSON")]
        by: Option<Who>,
    },
    /// Say what operations are about to do: wardroom change 465 announce "search: roll back to v11"
    Announce {
        #[command(flatten)]
        told: Told,
    },
    /// It was made: wardroom change 465 done 1
    Done {
        change: u32,
        note: Option<Prose>,
        /// The entry that attached what shows it
        #[arg(long, value_name = "ENTRY")]
        evidence: Option<Entry>,
        /// When it was made, if not now
        #[arg(long, value_name = "TIME")]
        at: Option<Time>,
    },
    /// It did not work, and changed nothing: wardroom change 465 failed 1 "no quota"
    Failed {
        change: u32,
        note: Option<Prose>,
        /// The entry that attached what shows it
        #[arg(long, value_name = "ENTRY")]
        evidence: Option<Entry>,
        /// When it failed, if not now
        #[arg(long, value_name = "TIME")]
        at: Option<Time>,
    },
    /// It is not made after all: wardroom change 465 drop 1
    Drop { change: u32, note: Option<Prose> },
    /// Say it in other words, or of another service: wardroom change 465 correct 1 "rolled back to v10"
    Correct {
        change: u32,
        what: Option<Line>,
        /// Which service it was
        #[arg(long, value_name = "NAME")]
        service: Option<ServiceName>,
        /// Why
        #[arg(long)]
        why: Option<Prose>,
        /// The command that did it, or a link to it
        #[arg(long, value_name = "COMMAND")]
        how: Option<Line>,
        /// The entry that said what you have read and replace; otherwise what stands there now
        #[arg(long, value_name = "ENTRY")]
        replaces: Option<Entry>,
    },
    /// Say how to undo it: wardroom change 465 way-back 1 "deploy v12"; saying nothing takes back what was said
    WayBack {
        change: u32,
        back: Option<Prose>,
        /// The entry that said what you have read and replace; otherwise what stands there now
        #[arg(long, value_name = "ENTRY")]
        replaces: Option<Entry>,
    },
    /// It is undone: wardroom change 465 revert 1
    Revert {
        change: u32,
        note: Option<Prose>,
        /// The entry that attached what shows it
        #[arg(long, value_name = "ENTRY")]
        evidence: Option<Entry>,
        /// When it was undone, if not now
        #[arg(long, value_name = "TIME")]
        at: Option<Time>,
    },
    /// It stays for good: wardroom change 465 adopt 1 "v11 is better"
    Adopt { change: u32, reason: Prose },
    /// It stays for now, and a bug sees to it: wardroom change 465 hand-on 1 https://bugs.example.org/7
    HandOn { change: u32, bug: Line },
    /// The service differs by it after all: wardroom change 465 differs-again 1
    DiffersAgain { change: u32, reason: Option<Prose> },
    /// Take an uncoordinated one into the ledger of operations: wardroom change 465 take-in 1
    TakeIn { change: u32 },
    /// It is no change, or none of this incident: wardroom change 465 dismiss 1
    Dismiss { change: u32, reason: Option<Prose> },
}

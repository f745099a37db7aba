//! What the gate is asked.

use clap::{Args, ValueEnum};
use wardroom_core::id::ServiceName;
use wardroom_core::text::Line;

/// What becomes of something that cannot be decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum OnFailure {
    /// It is done all the same: exit code 0
    Open,
    /// It is not done: exit code 4
    Closed,
}

/// How that went with which somebody came through the gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Ended {
    /// It was made
    #[value(alias = "success")]
    Done,
    /// It broke off: what it left behind is not known, and so it stands as done until operations say otherwise
    #[value(aliases = ["failure", "cancelled", "canceled"])]
    Failed,
    /// It was not begun
    #[value(alias = "skipped")]
    Dropped,
}

impl Ended {
    /// As the server calls it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

/// What the gate is asked.
#[derive(Args, Debug)]
pub struct Gate {
    /// What would be changed; can be repeated
    #[arg(long = "service", value_name = "NAME", required = true)]
    pub services: Vec<ServiceName>,
    /// What would be done, in a line
    #[arg(long, value_name = "WORDS")]
    pub action: Line,
    /// On whose behalf, by handle or mail: a pipeline with a gate's token says so
    #[arg(long, env = "WARDROOM_ON_BEHALF_OF", value_name = "PERSON")]
    pub on_behalf_of: Option<String>,
    /// The version that this goes back to: the owners of a service may go back to its last known good one
    #[arg(long, value_name = "VERSION")]
    pub back_to: Option<Line>,
    /// Only ask: nothing is recorded, and nothing is counted
    #[arg(long)]
    pub dry_run: bool,
    /// Tell how it went instead of asking: what came through in these words stands in the ledger as that. Asks nothing, and
    /// is no failure where nothing waits for it; with --on-failure open nor is anything else that the server says to it
    #[arg(long, value_enum, value_name = "HOW", conflicts_with_all = ["dry_run", "back_to"])]
    pub ended: Option<Ended>,
    /// What becomes of it when the gate cannot decide, because it is not reachable or cannot record what is allowed; with
    /// --ended, when it was not told, for whatever reason
    #[arg(long, value_enum, default_value_t = OnFailure::Closed, env = "WARDROOM_ON_FAILURE")]
    pub on_failure: OnFailure,
}

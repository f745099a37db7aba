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
    /// What becomes of it when the gate cannot decide, because it is not reachable or cannot record what is allowed
    #[arg(long, value_enum, default_value_t = OnFailure::Closed, env = "WARDROOM_ON_FAILURE")]
    pub on_failure: OnFailure,
}

//! Changes of which other systems told.

use clap::Subcommand;
use wardroom_core::command::Command;
use wardroom_core::text::Prose;

/// What is done with what was seen.
#[derive(Subcommand, Debug)]
pub enum Sighting {
    /// Take it into the ledger of operations: wardroom sighting 465 take-in 1
    TakeIn { sighting: u32 },
    /// Say that it has nothing to do with this incident: wardroom sighting 465 dismiss 1 --reason "another region"
    Dismiss {
        sighting: u32,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// Ask whoever made it to come and say what they did: wardroom sighting 465 ask-in 1
    AskIn { sighting: u32 },
}

impl From<Sighting> for Command {
    fn from(verb: Sighting) -> Self {
        match verb {
            Sighting::TakeIn { sighting } => Self::TakeInSighting { sighting },
            Sighting::Dismiss { sighting, reason } => Self::DismissSighting { sighting, reason },
            Sighting::AskIn { sighting } => Self::AskIn { sighting },
        }
    }
}

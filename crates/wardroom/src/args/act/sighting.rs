//! Changes of which other systems told.

use clap::Subcommand;
use wardroom_core::command::Command;
use wardroom_core::text::Prose;

/// What is done with what was seen.
#[derive(Subcommand, Debug)]
pub enum Sighting {
    /// Take it into the ledger of operations: wardroom sighting 465 take-in 1
    TakeIn { sighting: u32 },
    /// Say that it has nothing to do with this incident, of several at once too: wardroom sighting 465 dismiss 3 4 5 --reason "another region"
    Dismiss {
        #[arg(required = true)]
        sightings: Vec<u32>,
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
            Sighting::Dismiss { sightings, reason } => match sightings[..] {
                [sighting] => Self::DismissSighting { sighting, reason },
                _ => Self::DismissSightings { sightings: sightings.into_iter().collect(), reason },
            },
            Sighting::AskIn { sighting } => Self::AskIn { sighting },
        }
    }
}

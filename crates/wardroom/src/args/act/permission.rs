//! Who else may change services for a while.

use clap::Subcommand;
use wardroom_core::id::{ServiceName, Who};
use wardroom_core::text::{Line, Prose};

/// What is done with permissions.
#[derive(Subcommand, Debug)]
pub enum Permission {
    /// Ask operations to let you change something: wardroom permission 465 ask "restart the indexer" --service search
    Ask {
        what: Line,
        /// What you would change; can be repeated
        #[arg(long = "service", value_name = "NAME", required = true)]
        services: Vec<ServiceName>,
    },
    /// Let somebody change services for a while: wardroom permission 465 grant marty --minutes 30
    Grant {
        person: Who,
        /// Which ones; left out, those that they asked for
        #[arg(long = "service", value_name = "NAME")]
        services: Vec<ServiceName>,
        /// For how long, 240 at the most; 30 unless you say so
        #[arg(long)]
        minutes: Option<u16>,
    },
    /// Say no, or take back what you asked for: wardroom permission 465 decline marty --reason "not during the reindex"
    Decline {
        person: Who,
        #[arg(long)]
        reason: Option<Prose>,
    },
    /// End one before its time is up: wardroom permission 465 end 1
    End { permission: u32 },
}

//! What of a service is worth keeping, as it is typed: by its owners in their own name, and by an admin at the store.

use clap::Args;
use wardroom_core::id::ServiceName;
use wardroom_core::preserve::Template;

// Its documentation would become the verb's.
#[derive(Args, Debug)]
pub struct WorthKeeping {
    pub service: ServiceName,
    /// What it shows, and its URL, capture:NAME, or a command that changes nothing; all there is, from now on
    #[arg(value_name = "WHAT=HOW", required_unless_present = "nothing")]
    pub keep: Vec<Template>,
    /// Nothing is, from now on
    #[arg(long, conflicts_with = "keep")]
    pub nothing: bool,
}

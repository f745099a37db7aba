//! What is taken along, and how it is checked.

use std::path::PathBuf;

use clap::Args;
use wardroom_core::id::Number;
use wardroom_core::seal::Seal;
use wardroom_server::config::StoreArgs;

/// What `wardroom export` is given.
#[derive(Args, Debug)]
pub struct Export {
    pub number: Number,
    /// Into this file, instead of incident-N.tar
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Also over a file that is there
    #[arg(long)]
    pub force: bool,
}

/// What `wardroom verify` is given.
#[derive(Args, Debug)]
pub struct Verify {
    /// An archive that `wardroom export` made, instead of a store
    pub archive: Option<PathBuf>,
    /// The hash of its last event, as somebody wrote it down
    #[arg(long, value_name = "HASH", requires = "archive")]
    pub head: Option<Seal>,
    #[command(flatten)]
    pub store: StoreArgs,
}

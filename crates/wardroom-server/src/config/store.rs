//! Which store is meant: of `serve`, and of every command that works on one directly.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches};

use crate::log::Place;

/// Where the log is kept: for `serve` and for every command that works on the store directly. One of the two, or
/// neither.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StoreArgs {
    /// A folder.
    pub data: Option<PathBuf>,
    /// A database.
    pub database: Option<String>,
}

/// The flags and variables that name a store.
#[derive(clap::Args)]
struct Named {
    /// Folder of the embedded store [default: ./data]
    #[arg(long, env = "WARDROOM_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// PostgreSQL database instead of a folder: postgres://user:password@host/name
    #[arg(long, env = "WARDROOM_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
}

/// Both name the same thing, so that a flag goes before the *other* one's variable too.
impl FromArgMatches for StoreArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let Named { mut data, mut database } = Named::from_arg_matches(matches)?;
        let typed = |flag| matches.value_source(flag) == Some(ValueSource::CommandLine);
        match (typed("data"), typed("database")) {
            (true, false) => database = None,
            (false, true) => data = None,
            _ => {}
        }
        if data.is_some() && database.is_some() {
            let both = "--data (or WARDROOM_DATA) names a folder and --database (or WARDROOM_DATABASE) a database: \
                        name one of them\n";
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, both));
        }
        Ok(Self { data, database })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for StoreArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        Named::augment_args(command)
    }
    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Named::augment_args_for_update(command)
    }
}

impl StoreArgs {
    /// The place that these name; `./data` when they name none.
    #[must_use]
    pub fn place(&self) -> Place {
        match (&self.database, &self.data) {
            (Some(url), _) => Place::Postgres(url.clone()),
            (None, Some(folder)) => Place::Folder(folder.clone()),
            (None, None) => Place::Folder(PathBuf::from("./data")),
        }
    }
}

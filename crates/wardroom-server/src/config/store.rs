//! Which store is meant: of `serve`, and of every command that works on one directly.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches};

use crate::evidence::{FOLDER, KeptAt};
use crate::log::Place;

/// Where the log is kept: for `serve` and for every command that works on the store directly. One of the two, or
/// neither.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StoreArgs {
    /// A folder.
    pub data: Option<PathBuf>,
    /// A database.
    pub database: Option<String>,
    /// Where evidence lies, as it was written.
    pub evidence: Option<String>,
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
    /// Where evidence is kept: a folder, which all nodes share, or s3://BUCKET/PREFIX?endpoint=URL&region=NAME with its keys in
    /// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY [default: the folder `evidence` in the data folder; none with a database]
    #[arg(long, env = "WARDROOM_EVIDENCE", value_name = "PLACE")]
    evidence: Option<String>,
}

/// Both name the same thing, so that a flag goes before the *other* one's variable too.
impl FromArgMatches for StoreArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let Named { mut data, mut database, evidence } = Named::from_arg_matches(matches)?;
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
        Ok(Self { data, database, evidence })
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

    /// Where evidence is kept: beside an embedded store unless it is said. Of a database that several nodes may serve,
    /// nobody but who runs them knows a place that all of them see.
    ///
    /// # Errors
    /// A sentence that says what is no such place.
    pub fn kept_at(&self) -> anyhow::Result<KeptAt> {
        match (&self.evidence, self.place()) {
            (Some(said), _) => said.parse().map_err(|why| anyhow::anyhow!("--evidence does not fit: {why}")),
            (None, Place::Folder(folder)) => Ok(KeptAt::Folder(folder.join(FOLDER))),
            (None, Place::Postgres(_)) => Ok(KeptAt::Nowhere),
        }
    }
}

//! Verbs that work on the store directly.

use std::path::PathBuf;

use clap::Subcommand;
use wardroom_core::id::{Handle, ServiceName, TeamName, Who};
use wardroom_core::incident::Severity;
use wardroom_core::matching::{Label, Pattern};
use wardroom_core::person::Email;
use wardroom_core::text::Line;
use wardroom_core::token::Scope;
use wardroom_server::config::StoreArgs;

use super::{WorthKeeping, word};

#[derive(Subcommand, Debug)]
pub enum Person {
    /// Add a person: wardroom person add marty --name "Marty" --email marty@example.org
    Add {
        handle: Handle,
        #[arg(long)]
        name: Line,
        #[arg(long)]
        email: Option<Email>,
        /// May change the directory
        #[arg(long)]
        admin: bool,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Change a person: wardroom person change marty --admin true; what is left out stays
    Change {
        person: Who,
        #[arg(long)]
        handle: Option<Handle>,
        #[arg(long)]
        name: Option<Line>,
        #[arg(long)]
        email: Option<Email>,
        #[arg(long)]
        admin: Option<bool>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// End a person's access: wardroom person deactivate marty; their roles stay until somebody assumes them
    Deactivate {
        person: Who,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Give the access back: wardroom person activate marty
    Activate {
        person: Who,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Take a person's name and address out for ever: wardroom person forget marty
    Forget {
        person: Who,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Make a one-time link through which a person chooses a password: wardroom person link mary
    Link {
        person: Who,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Import people, teams and services from a .toml or .csv file: wardroom person import people.toml
    Import {
        file: PathBuf,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List everybody: wardroom person list
    List(StoreArgs),
}

#[derive(Subcommand, Debug)]
pub enum Team {
    /// Add a team, or replace its members: wardroom team set search-sre marty lorraine
    Set {
        team: TeamName,
        members: Vec<Who>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Remove a team: wardroom team remove search-sre
    Remove {
        team: TeamName,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List the teams: wardroom team list
    List(StoreArgs),
}

#[derive(Subcommand, Debug)]
pub enum Service {
    /// Add or change a service: wardroom service set search --owner search-sre --depends-on index
    Set {
        service: ServiceName,
        #[arg(long)]
        owner: Option<TeamName>,
        #[arg(long = "depends-on", value_name = "SERVICE")]
        depends_on: Vec<ServiceName>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Remove a service: wardroom service remove search
    Remove {
        service: ServiceName,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Have the gate of a service stop people, or only observe: wardroom service gate search --enforce sev1 --enforce sev2
    Gate {
        service: ServiceName,
        /// At which severity it stops people; can be repeated. Without one, at sev1 and sev2
        #[arg(
            long,
            value_name = "SEVERITY",
            num_args = 0..=1,
            value_parser = word::<Severity>,
            required_unless_present = "observe"
        )]
        enforce: Vec<Severity>,
        /// Stop nobody, and count what would have been stopped
        #[arg(long, conflicts_with = "enforce")]
        observe: bool,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Say which objects of a cluster belong to a service: wardroom service match search --namespace "search*" --label
    /// app=search
    Match {
        service: ServiceName,
        /// By their name; * stands for any characters; can be repeated
        #[arg(long = "name", value_name = "PATTERN")]
        names: Vec<Pattern>,
        /// By their namespace
        #[arg(long = "namespace", value_name = "PATTERN")]
        namespaces: Vec<Pattern>,
        /// By a label; all that are given have to fit
        #[arg(long = "label", value_name = "NAME=PATTERN")]
        labels: Vec<Label>,
        /// None does, from now on
        #[arg(long, conflicts_with_all = ["names", "namespaces", "labels"])]
        nothing: bool,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Say what is worth keeping when something is wrong with a service: wardroom service preserve search
    /// "graphs=https://graphs.example.org/search.png" "pods=kubectl get pods -n search"
    Preserve {
        #[command(flatten)]
        worth: WorthKeeping,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List the services: wardroom service list
    List(StoreArgs),
}

#[derive(Subcommand, Debug)]
pub enum Token {
    /// Make a token: wardroom token create marty --scope read --days 30; it is shown once, as the last word
    Create {
        person: Who,
        /// read, respond or admin; gate for a pipeline, which may ask the gate on anybody's behalf and nothing else
        #[arg(long, default_value = "respond", value_parser = word::<Scope>)]
        scope: Scope,
        /// What it is for
        #[arg(long, default_value = "command line")]
        label: Line,
        /// Days until it expires; left out, it lasts until it is revoked
        #[arg(long)]
        days: Option<u32>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List the live tokens: wardroom token list
    List(StoreArgs),
    /// Revoke a token by its id, which ends its open streams within a second: wardroom token revoke
    /// 019ac1f0-8a4e-7c63-9d5b-3a1f0c2e4b77
    Revoke {
        id: uuid::Uuid,
        #[command(flatten)]
        store: StoreArgs,
    },
}

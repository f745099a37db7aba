//! What can be typed. Each verb's help has an example.

mod act;
mod archive;
mod evidence;
mod gate;
mod remote;
mod run;
mod store;
mod worth;

use std::path::PathBuf;
use std::str::FromStr;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use wardroom_core::audit::Topic;
use wardroom_core::id::{Number, ServiceName, Time, Who};
use wardroom_core::incident::{Kind, Severity};
use wardroom_core::text::Line;
use wardroom_server::config::{ServeArgs, StoreArgs};

pub use act::{Act, Change, Criterion, Permission, Todo, Told};
pub use archive::{Export, Verify};
pub use evidence::{Beginning, Evidence};
pub use gate::{Ended, Gate, OnFailure};
pub use remote::{Remote, Secret};
pub use run::Run;
pub use store::{Person, Service, Team, Token};
pub use worth::WorthKeeping;

/// How much of a timeline: `all`, or a number of entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent(String);

impl Extent {
    /// As the API takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Extent {
    type Err = &'static str;
    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let fits = given == "all" || given.parse::<u32>().is_ok();
        fits.then(|| Self(given.to_owned())).ok_or("it is a number of entries, or all")
    }
}

/// Reads a word such as `sev1` or `resolved` as what the API calls it.
fn word<T: serde::de::DeserializeOwned>(given: &str) -> Result<T, serde_json::Error> {
    serde_json::from_value(serde_json::Value::String(given.to_lowercase()))
}

/// Incident command: declare early, separate the roles, hand command over by a clear acknowledgement.
#[derive(Parser, Debug)]
#[command(
    name = "wardroom",
    version,
    max_term_width = 100,
    after_help = "\
Exit codes: 0 done, 1 refused, 2 wrong usage, 3 not signed in, 4 not reachable, 5 the record does not verify.
run ends as what it ran did.

First steps:
  wardroom serve                                        start a server on ./data
  wardroom person add ada --name \"Ada\" --admin          add yourself, on the same machine
  export WARDROOM_TOKEN=$(wardroom token create ada | awk '{print $NF}')
  wardroom declare \"Search is failing\" --severity sev1
  wardroom demo                                         see a whole incident, and take command in it"
)]
pub struct Arguments {
    #[command(subcommand)]
    pub verb: Verb,
    #[command(flatten)]
    pub remote: Remote,
}

impl Arguments {
    /// What was typed, or what is wrong with it: then the program ends here, and says so.
    pub fn typed() -> Self {
        let matches = Self::command().get_matches();
        Self::of(&matches).unwrap_or_else(|wrong| wrong.exit())
    }

    fn of(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let arguments = Self::from_arg_matches(matches)?;
        // Nor do they name another store than the archive: whoever types both means one of them.
        if let Some(("verify", verify)) = matches.subcommand() {
            let store = ["data", "database"].iter().any(|id| verify.value_source(id) == Some(ValueSource::CommandLine));
            if store && verify.contains_id("archive") {
                let why = "an archive is checked with nothing else at hand: leave --data and --database out";
                return Err(Self::command().error(ErrorKind::ArgumentConflict, why));
            }
        }
        // The variables may be set for the other verbs. Who names a server here takes the demo for one of theirs.
        let named = ["url", "token"].iter().any(|id| matches.value_source(id) == Some(ValueSource::CommandLine));
        if named && matches!(arguments.verb, Verb::Demo(_)) {
            let why = "the demo starts a server of its own, and plays on no other: leave --url and --token out";
            return Err(Self::command().error(ErrorKind::ArgumentConflict, why));
        }
        Ok(arguments)
    }
}

#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Start a server: wardroom serve --data ./data --listen 127.0.0.1:8080
    Serve(Box<ServeArgs>),
    /// Play the book's managed incident and take command in it: wardroom demo --data ./demo
    Demo(Demo),

    /// Declare an incident: wardroom declare "Search is failing" --severity sev1 --service search
    Declare(Declare),
    /// Look into something without declaring it yet: wardroom investigate "Search feels slow"
    Investigate(Declare),
    /// What must I do next: wardroom next
    Next,
    /// List incidents: wardroom list --all
    List {
        /// Also drills
        #[arg(long)]
        drills: bool,
        /// Also the ended ones
        #[arg(long)]
        all: bool,
    },
    /// Show an incident, with what is written in its state document: wardroom show 465
    Show { number: Number },
    /// Get the whole state document as Markdown, or as a page to print or mail: wardroom document 465 --html -o 465.html
    Document {
        number: Number,
        /// As a page of its own
        #[arg(long)]
        html: bool,
        /// How many of the newest entries of the timeline, or all
        #[arg(long, value_name = "COUNT|all", default_value = "200")]
        timeline: Extent,
        /// Into this file, instead of printing it
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Show what happened: wardroom timeline 465 --follow; as JSON it is one entry per line
    Timeline {
        number: Number,
        /// Stay, and show what happens next
        #[arg(long, short)]
        follow: bool,
    },
    /// Run a command of operations: announced, seen, and told how it went: wardroom run 465 -- kubectl rollout undo search
    Run(Run),
    /// Ask whether something may be changed now, for pipelines: wardroom gate --service search --action "deploy v12"; it
    /// ends with 0 allowed, 1 denied, 4 not decided
    Gate(Gate),
    /// Show which services the gate holds, and what it stopped: wardroom gates --stops
    Gates {
        /// Also what was asked there last: who would have done what
        #[arg(long)]
        stops: bool,
    },
    /// Say which version of a service of yours is good: wardroom good search v11; its owners may go back to it
    Good {
        service: ServiceName,
        version: Line,
        /// On whose behalf, by handle or mail: a pipeline with a gate's token says so
        #[arg(long, env = "WARDROOM_ON_BEHALF_OF", value_name = "PERSON")]
        on_behalf_of: Option<String>,
    },
    /// Say what of a service of yours is worth keeping when something is wrong with it: wardroom preserve search
    /// "graphs=https://graphs.example.org/search.png" "pods=capture:pods"
    Preserve {
        #[command(flatten)]
        worth: WorthKeeping,
    },
    /// Show what was done to services, and what differs from normal: wardroom changes 465
    Changes { number: Number },
    /// Show of which changes other systems told, from an hour before impact began: wardroom sightings 465
    Sightings { number: Number },
    /// Show in which order everything that differs from normal is undone: wardroom undo 465
    Undo { number: Number },
    /// Show the briefing of an incident: wardroom briefing 465
    Briefing { number: Number },
    /// What changed in the directory, the newest last, for admins: wardroom audit --person mary
    Audit {
        /// Only what this person did, or what was done to them
        #[arg(long, value_name = "HANDLE")]
        person: Option<Who>,
        /// Only what is about this: people, teams, tokens, access or guests
        #[arg(long, value_parser = word::<Topic>)]
        topic: Option<Topic>,
        /// Only what stands before this entry
        #[arg(long, value_name = "ENTRY")]
        before: Option<u64>,
    },
    /// What is kept as evidence: wardroom evidence add 465 pods.txt
    #[command(subcommand)]
    Evidence(Evidence),
    /// Take an incident along in one archive that proves itself, its log, document and evidence: wardroom export 465 -o
    /// 465.tar
    Export(Export),
    #[command(flatten)]
    Act(Act),

    /// Verify the whole record, or an archive, and name what was altered, removed, reordered or cut off: wardroom verify
    /// incident-465.tar
    Verify(Verify),
    /// Write a backup beside a running server, one file with everything but what lets people in, evidence included: wardroom
    /// backup wardroom-monday.backup
    Backup {
        file: PathBuf,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Restore a backup into an empty place; every token issued before is revoked: wardroom restore
    /// wardroom-monday.backup --data ./restored
    Restore {
        file: PathBuf,
        /// Let tokens of the backup live on
        #[arg(long)]
        keep_tokens: bool,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// People, on the machine itself: wardroom person add marty --name "Marty" --email marty@example.org
    #[command(subcommand)]
    Person(Person),
    /// Teams, on the machine itself: wardroom team list
    #[command(subcommand)]
    Team(Team),
    /// Services, on the machine itself: wardroom service list
    #[command(subcommand)]
    Service(Service),
    /// Tokens, on the machine itself: wardroom token create marty
    #[command(subcommand)]
    Token(Token),
    /// Completions for a shell: wardroom completions bash
    Completions { shell: clap_complete::Shell },
    /// Print the description of the API
    #[command(hide = true)]
    Openapi,
}

#[derive(Args, Debug)]
pub struct Demo {
    /// Let the script take your part too
    #[arg(long)]
    pub watch: bool,
    /// Without pauses to read along in
    #[arg(long)]
    pub quick: bool,
    /// Keep the record in this folder, which may not hold one yet, instead of throwing it away
    // Without the variables of the other verbs: those name the store that is not to be played in.
    #[arg(long, value_name = "DIR", conflicts_with = "database")]
    pub data: Option<PathBuf>,
    /// Keep the record in this PostgreSQL database: postgres://user:password@host/name
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// Keep evidence in this folder or bucket, as `serve` does
    #[arg(long, value_name = "PLACE")]
    pub evidence: Option<String>,
}

#[derive(Args, Debug)]
pub struct Declare {
    /// What is wrong, in one line
    pub title: Line,
    /// sev1 (everybody is affected) to sev4
    #[arg(long, default_value = "sev2", value_parser = word::<Severity>)]
    pub severity: Severity,
    /// What is affected; can be repeated
    #[arg(long = "service", value_name = "NAME")]
    pub services: Vec<ServiceName>,
    /// When impact began: 2026-11-23T14:51:00Z
    #[arg(long, value_name = "TIME")]
    pub began: Option<Time>,
    /// incident, planned or drill
    #[arg(long, default_value = "incident", value_parser = word::<Kind>)]
    pub kind: Kind,
    /// Only the invited may know of it
    #[arg(long)]
    pub restricted: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_can_be_parsed() {
        Arguments::command().debug_assert();
    }

    /// It took them, and played somewhere else than they said.
    #[test]
    fn the_demo_takes_no_server() {
        let typed = |words: &str| Arguments::of(&Arguments::command().get_matches_from(words.split(' ')));
        for flags in ["--url http://127.0.0.1:8080", "--token wr_0"] {
            for words in [format!("wardroom demo {flags}"), format!("wardroom {flags} demo")] {
                assert_eq!(typed(&words).unwrap_err().kind(), ErrorKind::ArgumentConflict, "{words}");
            }
            assert!(typed(&format!("wardroom list {flags}")).is_ok());
        }
        assert!(typed("wardroom demo --quick --json").is_ok());
    }

    /// The words of a line, as a shell takes them.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut quoted) = (vec![String::new()], false);
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                c if c.is_whitespace() && !quoted => words.push(String::new()),
                c => words.last_mut().expect("there is one").push(c),
            }
        }
        assert!(!quoted, "{line}");
        words.retain(|word| !word.is_empty());
        words
    }

    /// The example in a verb's help: from the program's name on.
    fn example(told: &str) -> Option<Vec<String>> {
        let (_, typed) = told.split_once(": wardroom ")?;
        let typed = typed.split_once(';').map_or(typed, |(typed, _)| typed);
        Some(words(&format!("wardroom {typed}")))
    }

    fn every_one_has_an_example_that_it_takes(command: &clap::Command, path: &[&str]) {
        for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help") {
            let path = [path, &[verb.get_name()]].concat();
            let told = verb.get_about().map(ToString::to_string).unwrap_or_default();
            let typed = example(&told).unwrap_or_else(|| panic!("{path:?} has no example: {told}"));
            let verbs = typed[1..].iter().filter(|word| word.parse::<u32>().is_err()); // What is between names an incident.
            assert!(verbs.zip(&path).all(|(typed, named)| typed == named), "{path:?}: {typed:?}");
            Arguments::try_parse_from(&typed).unwrap_or_else(|error| panic!("{typed:?}: {error}"));
            every_one_has_an_example_that_it_takes(verb, &path);
        }
    }

    #[test]
    fn every_verb_has_an_example_that_can_be_typed() {
        every_one_has_an_example_that_it_takes(&Arguments::command(), &[]);
    }
}

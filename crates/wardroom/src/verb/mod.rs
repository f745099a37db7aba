//! What each verb does.

mod act;
mod demo;
mod read;
mod serve;
mod store;
mod take;

use clap::CommandFactory;
use serde_json::Value;

use crate::args::{Act, Arguments, Remote, Verb};
use crate::client::Client;

/// Reads a word such as `sev1` or `resolved` as what the API calls it.
fn word<T: serde::de::DeserializeOwned>(what: &str, given: &str) -> anyhow::Result<T> {
    serde_json::from_value(Value::String(given.to_lowercase()))
        .map_err(|error| anyhow::anyhow!("“{given}” is no {what}: {error}"))
}

fn client(remote: &Remote) -> Client {
    Client::new(&remote.url, &remote.token)
}

/// Prints what the API answered, as it is.
fn print_json(answer: &Value) {
    println!("{}", serde_json::to_string_pretty(answer).expect("an answer is plain data"));
}

/// Runs a verb.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { verb, remote } = arguments;
    match verb {
        Verb::Serve(serve) => serve::serve(serve),
        Verb::Demo(demo) => demo::demo(&demo),
        Verb::Declare(declare) => act::open(&client(&remote), &remote, declare, false),
        Verb::Investigate(declare) => act::open(&client(&remote), &remote, declare, true),
        Verb::Next => read::next(&client(&remote), &remote),
        Verb::List { drills, all } => read::list(&client(&remote), &remote, drills, all),
        Verb::Show { number } => read::show(&client(&remote), &remote, number),
        Verb::Timeline { number, follow } => read::timeline(&client(&remote), &remote, number, follow),
        Verb::Briefing { number } => read::briefing(&client(&remote), &remote, number),
        Verb::Act(Act::Take { number, role, briefed_by_voice, yes }) => {
            take::take(&client(&remote), &remote, number, role, briefed_by_voice, yes)
        }
        Verb::Act(act) => act::act(&client(&remote), &remote, act),
        Verb::Verify(store) => store::verify(&store, remote.json),
        Verb::Backup { file, store } => store::backup(&store, &file),
        Verb::Restore { file, keep_tokens, store } => store::restore(&store, &file, keep_tokens),
        Verb::Person(person) => store::person(person, remote.json),
        Verb::Team(team) => store::team(team, remote.json),
        Verb::Service(service) => store::service(service, remote.json),
        Verb::Token(token) => store::token(token, remote.json),
        Verb::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "wardroom", &mut std::io::stdout());
            Ok(())
        }
        Verb::Openapi => {
            println!("{}", wardroom_server::web::router::openapi());
            Ok(())
        }
    }
}

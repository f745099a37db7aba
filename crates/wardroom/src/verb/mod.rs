//! What each verb does.

mod act;
mod archive;
mod changes;
mod demo;
mod evidence;
mod gate;
mod lists;
mod read;
mod run;
mod serve;
mod store;
mod take;

use std::process::ExitCode;

use clap::CommandFactory;
use serde_json::{Value, json};
use wardroom_server::file;

use crate::args::{Act, Arguments, Remote, Verb, Verify};
use crate::client::Client;
use crate::exit::Failure;
use crate::show;

/// The largest file of authorities that is read, in bytes: all that the web trusts are half of it.
const CA_BYTES_MAX: u64 = 1 << 20;

fn client(remote: &Remote) -> anyhow::Result<Client> {
    let token = remote.token.token().map_err(Failure::misused)?;
    let client = Client::new(remote.url.as_str(), token);
    let Some(ca) = &remote.ca else { return Ok(client) };
    let refused =
        |why: &dyn std::fmt::Display| Failure::misused(format!("{} (--ca or WARDROOM_CA) {why}", ca.display()));
    let pem = file::read(ca, CA_BYTES_MAX).map_err(|error| refused(&format!("cannot be read: {error}")))?;
    Ok(client.trusting(&pem).map_err(|why| refused(&why))?)
}

/// Does what a verb does, and when the server was there and all is said, delivers what ran without it.
fn then_deliver(remote: &Remote, verb: impl FnOnce(&Client) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let client = client(remote)?;
    verb(&client)?;
    run::later::by_itself(&client, remote);
    Ok(())
}

/// Prints what the API answered, as it is.
fn print_json(answer: &Value) {
    println!("{}", serde_json::to_string_pretty(answer).expect("an answer is plain data"));
}

/// Runs a verb. The exit code is that of what it ran, for the one that runs something.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { verb, remote } = arguments;
    let done = match verb {
        Verb::Gate(typed) => return gate::ask(&client(&remote)?, &remote, &typed),
        Verb::Gates { stops } => gate::report(&client(&remote)?, &remote, stops),
        Verb::Good { service, version, on_behalf_of } => {
            let (service, version) = (service.as_str(), version.as_str());
            gate::good(&client(&remote)?, &remote, service, version, on_behalf_of.as_deref())
        }
        Verb::Preserve { worth } => evidence::preserve(&client(&remote)?, &remote, &worth.service, &worth.keep),
        Verb::Run(typed) => return run::run(&client(&remote)?, &remote, typed),
        Verb::Serve(serve) => serve::serve(*serve, remote.json),
        Verb::Demo(demo) => demo::demo(demo, remote.json),
        Verb::Declare(declare) => act::open(&client(&remote)?, &remote, declare, false),
        Verb::Investigate(declare) => act::open(&client(&remote)?, &remote, declare, true),
        Verb::Next => then_deliver(&remote, |client| read::next(client, &remote)),
        Verb::List { drills, all } => read::list(&client(&remote)?, &remote, drills, all),
        Verb::Show { number } => then_deliver(&remote, |client| read::show(client, &remote, number)),
        Verb::Document { number, html, timeline, output } => {
            read::document(&client(&remote)?, &remote, number, html, &timeline, output.as_deref())
        }
        Verb::Timeline { number, follow } => read::timeline(&client(&remote)?, &remote, number, follow),
        Verb::Changes { number } => changes::ledger(&client(&remote)?, &remote, number, show::ledger),
        Verb::Sightings { number } => changes::sightings(&client(&remote)?, &remote, number, show::all_sightings),
        Verb::Undo { number } => changes::ledger(&client(&remote)?, &remote, number, show::undoing),
        Verb::Audit { person, topic, before } => {
            read::audit(&client(&remote)?, &remote, person.as_ref(), topic, before)
        }
        Verb::Briefing { number } => read::briefing(&client(&remote)?, &remote, number),
        Verb::Evidence(verb) => evidence::evidence(&client(&remote)?, &remote, verb),
        Verb::Export(export) => archive::export(&client(&remote)?, &remote, export),
        Verb::Act(Act::Take { number, role, briefed_by_voice, yes }) => {
            take::take(&client(&remote)?, &remote, number, role, briefed_by_voice, yes)
        }
        Verb::Act(Act::Invite { number, person: None, hours }) => {
            act::invite(&client(&remote)?, &remote, number.get(), hours)
        }
        Verb::Act(Act::Criterion { number, verb }) => lists::criterion(&client(&remote)?, &remote, number, verb),
        Verb::Act(Act::Todo { number, verb }) => lists::todo(&client(&remote)?, &remote, number, verb),
        Verb::Act(Act::Change { number, verb }) => changes::change(&client(&remote)?, &remote, number, verb),
        Verb::Act(Act::StillTrue { number, parts, version }) => {
            act::still_true(&client(&remote)?, &remote, number, parts, version)
        }
        Verb::Act(act) => act::act(&client(&remote)?, &remote, act),
        Verb::Verify(Verify { archive: Some(file), head, .. }) => archive::verify(&remote, &file, head),
        Verb::Verify(Verify { store, .. }) => store::verify(&store, remote.json),
        Verb::Backup { file, store } => store::backup(&store, &file, remote.json),
        Verb::Restore { file, keep_tokens, store } => store::restore(&store, &file, keep_tokens, remote.json),
        Verb::Person(person) => store::person(person, &remote),
        Verb::Team(team) => store::team(team, remote.json),
        Verb::Service(service) => store::service(service, remote.json),
        Verb::Token(token) => store::token(token, remote.json),
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "wardroom", &mut script);
            let script = String::from_utf8(script)?;
            if remote.json {
                print_json(&json!({ "shell": shell.to_string(), "script": script }));
            } else {
                print!("{script}");
            }
            Ok(())
        }
        Verb::Openapi => {
            println!("{}", wardroom_server::web::router::openapi());
            Ok(())
        }
    };
    done.map(|()| ExitCode::SUCCESS)
}

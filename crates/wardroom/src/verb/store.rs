//! Verbs that work on the store directly, beside a running server too, so that a script or a locked-out admin
//! can get in from the machine itself.

use std::path::Path;

use serde_json::{Value, json};
use uuid::Uuid;
use wardroom_core::directory::{Directory, DirectoryCommand};
use wardroom_core::facts::Person as FactsPerson;
use wardroom_core::gate;
use wardroom_core::id::{Actor, TokenId, Who};
use wardroom_core::matching::Matching;
use wardroom_core::roster::{ROSTER_BYTES_MAX, Roster};
use wardroom_core::seal;
use wardroom_core::token::Token as FactsToken;
use wardroom_server::account::link;
use wardroom_server::clock;
use wardroom_server::config::StoreArgs;
use wardroom_server::evidence::Keep;
use wardroom_server::execute::{self, Asked, Executor, NotDone, Order};
use wardroom_server::file::read;
use wardroom_server::log::{Log, LogError};
use wardroom_server::streams::Streams;
use wardroom_server::web::who::new_secret;

use super::print_json;
use crate::args::{Person, Remote, Service, Team, Token, WorthKeeping};
use crate::exit::Failure;
use crate::show::counted;

/// How often a command that met others at the directory, again and again, is tried anew: a script that adds many
/// people at once shall not have to.
const AGAIN: usize = 20;

fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(work)
}

/// Opens the store that is there. One that is mistyped is not made: it would verify, and its backup hold nothing.
async fn open(store: &StoreArgs) -> anyhow::Result<Log> {
    Log::open_existing(&store.place()).await.map_err(|error| Failure::of_the_store(error).into())
}

/// Opens the store for a command; who adds the first people may do so before the first server.
async fn open_for(store: &StoreArgs, command: &DirectoryCommand) -> anyhow::Result<Log> {
    match command {
        DirectoryCommand::AddPerson { .. } | DirectoryCommand::Import { .. } => {
            Log::open(&store.place()).await.map_err(|error| Failure::of_the_store(error).into())
        }
        _ => open(store).await,
    }
}

/// Has the console's command decided and recorded like anybody's; answers as the API does.
async fn change(log: &Log, command: DirectoryCommand) -> anyhow::Result<Value> {
    let streams = Streams::new(log.clone());
    streams.refresh_directory().await?;
    let executor = Executor::start(log.clone(), streams);
    let asked = Asked { request: Uuid::now_v7(), actor: Actor::Console, order: Order::Directory(command) };
    let mut answer = executor.execute(asked.clone()).await;
    for _ in 0..AGAIN {
        if !matches!(answer, Err(NotDone::Busy)) {
            break;
        }
        answer = executor.execute(asked.clone()).await;
    }
    match answer {
        Ok(done) => {
            let span = done.spans.first();
            Ok(json!({ "first_entry": span.map(|span| span.first), "last_entry": span.map(|span| span.last) }))
        }
        Err(error) => Err(not_done(error)),
    }
}

fn not_done(error: NotDone) -> anyhow::Error {
    let failure = match error {
        NotDone::Refused(refusal) => {
            let code = serde_json::to_value(refusal.code).expect("codes are plain data");
            Failure::Refused(json!({ "code": code, "detail": refusal.sentence }))
        }
        error => Failure::unreachable(error),
    };
    failure.into()
}

fn change_one(store: &StoreArgs, json: bool, command: DirectoryCommand, said: &str) -> anyhow::Result<()> {
    let answer = change_quietly(store, command)?;
    say(json, &answer, said);
    Ok(())
}

/// As [`change_one`], without a word.
pub fn change_quietly(store: &StoreArgs, command: DirectoryCommand) -> anyhow::Result<Value> {
    block_on(async { change(&open_for(store, &command).await?, command).await })
}

/// The answer for a script, or the sentence for a person.
fn say(json: bool, answer: &Value, said: &str) {
    if json {
        print_json(answer);
    } else {
        println!("{said}");
    }
}

/// Whether nothing was recorded there yet.
pub fn is_empty(store: &StoreArgs) -> anyhow::Result<bool> {
    block_on(async {
        match Log::open_existing(&store.place()).await {
            Ok(log) => Ok(log.head().await?.position == 0),
            Err(LogError::NoStore(_)) => Ok(true),
            Err(error) => Err(Failure::of_the_store(error).into()),
        }
    })
}

/// The flag that names the same store again, as a person would type it behind another verb. A database's address
/// is left out: it may hold a password.
pub fn flag(store: &StoreArgs) -> String {
    match (&store.database, &store.data) {
        (Some(_), _) => " --database …".to_owned(),
        (None, Some(folder)) => format!(" --data {}", quoted(&folder.display().to_string())),
        (None, None) => String::new(),
    }
}

/// A word as a shell takes it for one.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+@:,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

async fn directory(store: &StoreArgs) -> anyhow::Result<std::sync::Arc<Directory>> {
    let streams = Streams::new(open(store).await?);
    Ok(streams.refresh_directory().await?.directory)
}

/// `wardroom person …`
pub fn person(person: Person, remote: &Remote) -> anyhow::Result<()> {
    let json = remote.json;
    match person {
        Person::Add { handle, name, email, admin, store } => {
            let said =
                format!("Added {handle}. A link that lets them in: wardroom person link {handle}{}", flag(&store));
            change_one(&store, json, DirectoryCommand::AddPerson { handle, name, email, admin }, &said)
        }
        Person::Change { person, handle, name, email, admin, store } => {
            let said = format!("Changed {person}.");
            change_one(&store, json, DirectoryCommand::ChangePerson { person, handle, name, email, admin }, &said)
        }
        Person::Deactivate { person, store } => {
            let said =
                format!("Deactivated {person}: their access has ended, their roles stay until they are assumed.");
            change_one(&store, json, DirectoryCommand::DeactivatePerson { person }, &said)
        }
        Person::Activate { person, store } => {
            let said = format!("Activated {person}. They need a new link, or a new token.");
            change_one(&store, json, DirectoryCommand::ActivatePerson { person }, &said)
        }
        Person::Forget { person, store } => {
            let said = "Forgotten: the name and address are gone from the record; the chain still verifies.";
            change_one(&store, json, DirectoryCommand::ForgetPerson { person }, said)
        }
        Person::Link { person, store } => link(&store, person, remote),
        Person::Import { file, store } => import(&store, &file, json),
        Person::List(store) => {
            let directory = block_on(directory(&store))?;
            if json {
                let row = |person: &FactsPerson| {
                    json!({ "id": person.id, "handle": person.handle.words(), "name": person.name.words(),
                        "email": person.email.as_ref().and_then(|email| email.words()),
                        "admin": person.admin, "active": person.active })
                };
                print_json(&directory.facts.people.values().map(row).collect());
                return Ok(());
            }
            for person in directory.facts.people.values() {
                let marks = match (person.active, person.admin) {
                    _ if directory.facts.scripted(person.id) => "  (scripted, of the example)",
                    (false, _) => "  (not active)",
                    (true, true) => "  (admin)",
                    (true, false) => "",
                };
                println!("{:<20} {}{marks}", person.handle, person.name);
            }
            Ok(())
        }
    }
}

fn link(store: &StoreArgs, person: Who, remote: &Remote) -> anyhow::Result<()> {
    let made = block_on(async {
        let log = open(store).await?;
        let streams = Streams::new(log.clone());
        streams.refresh_directory().await?;
        let executor = Executor::start(log.clone(), streams.clone());
        let made = link::make(&log, &streams, &executor, Actor::Console, Some(person.clone())).await;
        made.map_err(not_done)
    })?;
    let url = format!("{}{}", remote.url.as_str(), made.path);
    let said = format!(
        "Give this link to {person}; it is good once, and for a day. Through it they choose a password:\n{url}"
    );
    say(remote.json, &json!({ "link": url, "expires_at": made.expires_at }), &said);
    Ok(())
}

fn import(store: &StoreArgs, file: &Path, json: bool) -> anyhow::Result<()> {
    let text = read(file, ROSTER_BYTES_MAX as u64)
        .map_err(|error| anyhow::anyhow!("{} cannot be read: {error}", file.display()))?;
    let roster = match file.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => Roster::from_csv(&text),
        Some("toml") => Roster::from_toml(&text),
        _ => anyhow::bail!("name a .toml or a .csv file"),
    };
    let roster = roster.map_err(|bad| anyhow::anyhow!("{} does not fit: {bad}", file.display()))?;
    let counts = (roster.people.len(), roster.teams.len(), roster.services.len());
    let said = format!(
        "Imported {}, {} and {}.",
        counted(counts.0, "person", "people"),
        counted(counts.1, "team", "teams"),
        counted(counts.2, "service", "services")
    );
    change_one(store, json, roster.into(), &said)
}

/// `wardroom team …`
pub fn team(team: Team, json: bool) -> anyhow::Result<()> {
    match team {
        Team::Set { team, members, store } => {
            let said = format!("Team {team} has {}.", counted(members.len(), "member", "members"));
            change_one(&store, json, DirectoryCommand::SetTeam { team, members }, &said)
        }
        Team::Remove { team, store } => {
            let said = format!("Removed the team {team}.");
            change_one(&store, json, DirectoryCommand::RemoveTeam { team }, &said)
        }
        Team::List(store) => {
            let directory = block_on(directory(&store))?;
            if json {
                print_json(&serde_json::to_value(&directory.facts.teams)?);
                return Ok(());
            }
            for (name, team) in directory.facts.teams.iter() {
                let members: Vec<&str> = team.members.iter().map(|person| directory.facts.name(*person)).collect();
                println!("{name:<20} {}", members.join(", "));
            }
            Ok(())
        }
    }
}

/// `wardroom service …`
pub fn service(service: Service, json: bool) -> anyhow::Result<()> {
    match service {
        Service::Set { service, owner, depends_on, store } => {
            let said = format!("The directory knows the service {service}.");
            let depends_on = depends_on.into_iter().collect();
            change_one(&store, json, DirectoryCommand::SetService { service, owner, depends_on }, &said)
        }
        Service::Remove { service, store } => {
            let said = format!("Removed the service {service}.");
            change_one(&store, json, DirectoryCommand::RemoveService { service }, &said)
        }
        Service::Gate { service, enforce, observe, store } => {
            let enforce = match enforce.as_slice() {
                [] if !observe => gate::severities(),
                named => named.iter().copied().collect(),
            };
            let said = if observe {
                format!("The gate of {service} only observes.")
            } else {
                format!("The gate of {service} stops people at these severities.")
            };
            change_one(&store, json, DirectoryCommand::SetGate { service, enforce }, &said)
        }
        Service::Match { service, names, namespaces, labels, nothing, store } => {
            let matching =
                if nothing { None } else { Some(Matching::new(names, namespaces, labels).map_err(Failure::misused)?) };
            let said = format!("The directory knows which objects of a cluster belong to {service}.");
            change_one(&store, json, DirectoryCommand::MatchService { service, matching }, &said)
        }
        Service::Preserve { worth: WorthKeeping { service, keep, nothing: _ }, store } => {
            let said = format!("The directory knows what of {service} is worth keeping.");
            change_one(&store, json, DirectoryCommand::PreserveService { service, keep }, &said)
        }
        Service::List(store) => {
            let directory = block_on(directory(&store))?;
            let mut services = serde_json::to_value(&directory.facts.services)?;
            // As they stand in the log, words have their seals beside them.
            seal::reveal(&mut services);
            match json {
                true => print_json(&services),
                false => print!("{}", crate::show::services(&services)),
            }
            Ok(())
        }
    }
}

/// `wardroom token …`
pub fn token(token: Token, json: bool) -> anyhow::Result<()> {
    match token {
        Token::Create { person, scope, label, days, store } => {
            let secret = create_token(&store, &person, scope, label, days)?;
            if json {
                print_json(&json!({ "token": secret }));
            } else {
                println!("A token for {person}; it is shown this once: {secret}");
            }
            Ok(())
        }
        Token::List(store) => {
            let directory = block_on(directory(&store))?;
            let now = clock::now();
            let live = directory.tokens.values().filter(|token| directory.live(token, now));
            if json {
                let row = |token: &FactsToken| {
                    json!({ "id": token.id, "person": directory.facts.name(token.person), "scope": token.scope,
                        "label": token.label.words(), "issued_at": token.issued_at, "expires_at": token.expires_at })
                };
                print_json(&live.map(row).collect());
                return Ok(());
            }
            for token in live {
                let scope = serde_json::to_value(token.scope)?;
                let until = token.expires_at.map_or("until revoked".to_owned(), |at| format!("until {at}"));
                let (name, scope) = (directory.facts.name(token.person), scope.as_str().unwrap_or_default());
                println!("{}  {name:<20} {scope:<8} {until}  {}", token.id, token.label);
            }
            Ok(())
        }
        Token::Revoke { id, store } => {
            let command = DirectoryCommand::RevokeToken { token: TokenId(id) };
            change_one(&store, json, command, "Revoked. Its open streams end within a second.")
        }
    }
}

/// Draws a token's secret here and records only its digest.
pub fn create_token(
    store: &StoreArgs,
    person: &Who,
    scope: wardroom_core::token::Scope,
    label: wardroom_core::text::Line,
    days: Option<u32>,
) -> anyhow::Result<String> {
    let (secret, digest) = new_secret();
    let expires_at = days.map(|days| wardroom_core::token::end_after(days, clock::now())).transpose()?;
    let command = DirectoryCommand::IssueToken {
        token: TokenId(Uuid::now_v7()),
        person: person.clone(),
        scope,
        label,
        expires_at,
        digest,
    };
    change_quietly(store, command)?;
    Ok(secret)
}

/// `wardroom verify`
pub fn verify(store: &StoreArgs, json: bool) -> anyhow::Result<()> {
    let report = block_on(async {
        let log = open(store).await?;
        let keep = Keep::of(&log, &store.kept_at()?);
        Ok(log.verify(Some(&keep), |_| ()).await.map_err(Failure::of_the_store)?)
    })?;
    let broken: Vec<String> = report.broken.iter().map(ToString::to_string).collect();
    let mut told = json!({ "events": report.events, "streams": report.streams, "epoch": report.head.epoch,
        "position": report.head.position, "holds": broken.is_empty(), "broken": broken });
    let Some(first) = broken.first() else {
        let said = format!("The record holds: {} events in {} streams.", report.events, report.streams);
        say(json, &told, &said);
        return Ok(());
    };
    let more = broken.len() - 1;
    let more = if more == 0 { String::new() } else { format!(" ({more} more findings follow from there)") };
    told["code"] = json!("broken");
    told["detail"] = json!(format!("the record does not hold: {first}{more}"));
    Err(Failure::Broken(told).into())
}

/// `wardroom backup`
pub fn backup(store: &StoreArgs, file: &Path, json: bool) -> anyhow::Result<()> {
    block_on(async {
        let log = open(store).await?;
        let keep = Keep::of(&log, &store.kept_at()?);
        log.backup_to(file, &keep).await.map_err(Failure::of_the_store)?;
        Ok(())
    })?;
    say(json, &json!({ "file": file }), &format!("The backup is in {}, evidence included.", file.display()));
    Ok(())
}

/// `wardroom restore`
pub fn restore(store: &StoreArgs, file: &Path, keep_tokens: bool, json: bool) -> anyhow::Result<()> {
    let epoch = block_on(async {
        let restored = execute::restore(file, &store.place(), &store.kept_at()?, keep_tokens).await;
        let log = restored.map_err(Failure::of_the_store)?;
        Ok(log.head().await?.epoch)
    })?;
    let mut said = "Restored, under a new epoch: cursors from before are told so.\n\
         No password is in a backup. Let people choose new ones with: wardroom person link HANDLE"
        .to_owned();
    said.push_str(&flag(store));
    if !keep_tokens {
        said.push_str("\nTokens issued before are revoked. Make new ones with: wardroom token create HANDLE");
        said.push_str(&flag(store));
    }
    say(json, &json!({ "epoch": epoch, "tokens_revoked": !keep_tokens }), &said);
    Ok(())
}

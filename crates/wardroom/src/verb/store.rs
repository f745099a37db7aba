//! Verbs that work on the store directly, beside a running server too, so that a script or a locked-out admin
//! can get in from the machine itself.

use std::path::Path;

use serde_json::json;
use uuid::Uuid;
use wardroom_core::directory::{Directory, DirectoryCommand};
use wardroom_core::id::{Actor, TokenId, Who};
use wardroom_core::roster::Roster;
use wardroom_server::clock;
use wardroom_server::config::StoreArgs;
use wardroom_server::execute::{Asked, Executor, NotDone, Order};
use wardroom_server::log::{self, Log};
use wardroom_server::streams::Streams;
use wardroom_server::web::who::new_secret;

use super::{print_json, word};
use crate::args::{Person, Service, Team, Token};
use crate::exit::Failure;

fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(work)
}

async fn open(store: &StoreArgs) -> anyhow::Result<Log> {
    Log::open(&store.place()).await.map_err(|error| Failure::Unreachable(error.to_string()).into())
}

/// Has the console's commands decided and recorded like anybody's.
async fn change(log: &Log, commands: Vec<DirectoryCommand>) -> anyhow::Result<()> {
    let streams = Streams::new(log.clone());
    streams.refresh_directory().await?;
    let executor = Executor::start(log.clone(), streams);
    for command in commands {
        let asked = Asked { request: Uuid::now_v7(), actor: Actor::Console, order: Order::Directory(command) };
        match executor.execute(asked).await {
            Ok(_) => {}
            Err(NotDone::Refused(refusal)) => {
                let code = serde_json::to_value(refusal.code)?;
                return Err(Failure::Refused(json!({ "code": code, "detail": refusal.sentence })).into());
            }
            Err(error) => return Err(Failure::Unreachable(error.to_string()).into()),
        }
    }
    Ok(())
}

fn change_one(store: &StoreArgs, command: DirectoryCommand, said: &str) -> anyhow::Result<()> {
    change_quietly(store, command)?;
    println!("{said}");
    Ok(())
}

/// As [`change_one`], without a word.
pub fn change_quietly(store: &StoreArgs, command: DirectoryCommand) -> anyhow::Result<()> {
    block_on(async { change(&open(store).await?, vec![command]).await })
}

async fn directory(store: &StoreArgs) -> anyhow::Result<std::sync::Arc<Directory>> {
    let streams = Streams::new(open(store).await?);
    Ok(streams.refresh_directory().await?.directory)
}

/// `wardroom person …`
pub fn person(person: Person, json: bool) -> anyhow::Result<()> {
    match person {
        Person::Add { handle, name, email, admin, store } => {
            let said = format!("Added {handle}. A token for them: wardroom token create {handle}");
            change_one(&store, DirectoryCommand::AddPerson { handle, name, email, admin }, &said)
        }
        Person::Change { person, handle, name, email, admin, store } => {
            let said = format!("Changed {person}.");
            change_one(&store, DirectoryCommand::ChangePerson { person, handle, name, email, admin }, &said)
        }
        Person::Deactivate { person, store } => {
            let said =
                format!("Deactivated {person}: their access has ended, their roles stay until they are assumed.");
            change_one(&store, DirectoryCommand::DeactivatePerson { person }, &said)
        }
        Person::Activate { person, store } => {
            let said = format!("Activated {person}. They need a new token.");
            change_one(&store, DirectoryCommand::ActivatePerson { person }, &said)
        }
        Person::Forget { person, store } => {
            let said = "Forgotten: the name and address are gone from the record; the chain still verifies.";
            change_one(&store, DirectoryCommand::ForgetPerson { person }, said)
        }
        Person::Import { file, store } => import(&store, &file),
        Person::List(store) => {
            let directory = block_on(directory(&store))?;
            for person in directory.facts.people.values() {
                if json {
                    print_json(&json!({ "id": person.id, "handle": person.handle.words(), "name": person.name.words(),
                        "email": person.email.as_ref().and_then(|email| email.words()),
                        "admin": person.admin, "active": person.active }));
                    continue;
                }
                let marks = match (person.active, person.admin) {
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

fn import(store: &StoreArgs, file: &Path) -> anyhow::Result<()> {
    let text =
        std::fs::read_to_string(file).map_err(|error| anyhow::anyhow!("{} cannot be read: {error}", file.display()))?;
    let roster = match file.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => Roster::from_csv(&text),
        Some("toml") => Roster::from_toml(&text),
        _ => anyhow::bail!("name a .toml or a .csv file"),
    };
    let roster = roster.map_err(|bad| anyhow::anyhow!("{} does not fit: {bad}", file.display()))?;
    let counts = (roster.people.len(), roster.teams.len(), roster.services.len());
    let said = format!("Imported {} people, {} teams and {} services.", counts.0, counts.1, counts.2);
    change_one(store, roster.into(), &said)
}

/// `wardroom team …`
pub fn team(team: Team, json: bool) -> anyhow::Result<()> {
    match team {
        Team::Set { team, members, store } => {
            let said = format!("Team {team} has {} members.", members.len());
            change_one(&store, DirectoryCommand::SetTeam { team, members }, &said)
        }
        Team::Remove { team, store } => {
            let said = format!("Removed the team {team}.");
            change_one(&store, DirectoryCommand::RemoveTeam { team }, &said)
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
            change_one(&store, DirectoryCommand::SetService { service, owner, depends_on }, &said)
        }
        Service::Remove { service, store } => {
            let said = format!("Removed the service {service}.");
            change_one(&store, DirectoryCommand::RemoveService { service }, &said)
        }
        Service::List(store) => {
            let directory = block_on(directory(&store))?;
            if json {
                print_json(&serde_json::to_value(&directory.facts.services)?);
                return Ok(());
            }
            for (name, service) in directory.facts.services.iter() {
                let owner = service.owner.as_ref().map(|owner| format!("owned by {owner}")).unwrap_or_default();
                println!("{name:<30} {owner}");
            }
            Ok(())
        }
    }
}

/// `wardroom token …`
pub fn token(token: Token, json: bool) -> anyhow::Result<()> {
    match token {
        Token::Create { person, scope, label, days, store } => {
            let secret = create_token(&store, &person, word("scope", &scope)?, label, days)?;
            if json {
                print_json(&json!({ "token": secret }));
            } else {
                println!("A token for {person}; it is shown this once: {secret}");
            }
            Ok(())
        }
        Token::List(store) => {
            let directory = block_on(directory(&store))?;
            for token in directory.tokens.values() {
                let scope = serde_json::to_value(token.scope)?;
                let until = token.expires_at.map_or("until revoked".to_owned(), |at| format!("until {at}"));
                if json {
                    print_json(&json!({ "id": token.id, "person": directory.facts.name(token.person), "scope": scope,
                        "label": token.label.words(), "issued_at": token.issued_at, "expires_at": token.expires_at }));
                    continue;
                }
                let (name, scope) = (directory.facts.name(token.person), scope.as_str().unwrap_or_default());
                println!("{}  {name:<20} {scope:<8} {until}  {}", token.id, token.label);
            }
            Ok(())
        }
        Token::Revoke { id, store } => {
            let command = DirectoryCommand::RevokeToken { token: TokenId(id) };
            change_one(&store, command, "Revoked. Its open streams end within a second.")
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
    let after = |days| clock::now().checked_add(jiff::SignedDuration::from_hours(24 * i64::from(days)));
    let expires_at = days.map(after).transpose().map_err(|_| anyhow::anyhow!("no calendar has that many days"))?;
    let command = DirectoryCommand::IssueToken {
        token: TokenId(Uuid::now_v7()),
        person: person.clone(),
        scope,
        label,
        expires_at,
        digest,
    };
    block_on(async { change(&open(store).await?, vec![command]).await })?;
    Ok(secret)
}

/// `wardroom verify`
pub fn verify(store: &StoreArgs, json: bool) -> anyhow::Result<()> {
    let report = block_on(async {
        let log = open(store).await?;
        Ok(log.verify(|_| ()).await?)
    })?;
    let first = report.broken.first().map(ToString::to_string);
    if json {
        print_json(&json!({ "events": report.events, "streams": report.streams, "epoch": report.head.epoch,
            "position": report.head.position, "holds": first.is_none(),
            "broken": report.broken.iter().map(ToString::to_string).collect::<Vec<_>>() }));
    }
    match first {
        None if json => Ok(()),
        None => {
            println!("The record holds: {} events in {} streams.", report.events, report.streams);
            Ok(())
        }
        Some(first) => {
            let more = report.broken.len() - 1;
            let more = if more == 0 { String::new() } else { format!(" ({more} more findings follow from there)") };
            Err(Failure::Broken(format!("the record does not hold: {first}{more}")).into())
        }
    }
}

/// `wardroom backup`
pub fn backup(store: &StoreArgs, file: &Path) -> anyhow::Result<()> {
    block_on(async {
        let log = open(store).await?;
        log.backup_to(file).await.map_err(|error| Failure::Unreachable(error.to_string()))?;
        Ok(())
    })?;
    println!("The backup is in {}.", file.display());
    Ok(())
}

/// `wardroom restore`
pub fn restore(store: &StoreArgs, file: &Path, keep_tokens: bool) -> anyhow::Result<()> {
    block_on(async {
        let log = log::restore(file, &store.place()).await.map_err(|error| Failure::Unreachable(error.to_string()))?;
        if !keep_tokens {
            let revoked = change(&log, vec![DirectoryCommand::RevokeAllTokens {}]).await;
            // A backup without a live token has none to revoke.
            match revoked {
                Err(error) if !matches!(error.downcast_ref(), Some(Failure::Refused(_))) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    })?;
    println!("Restored, under a new epoch: cursors from before are told so.");
    if !keep_tokens {
        println!("Tokens issued before are revoked. Make new ones with: wardroom token create HANDLE");
    }
    Ok(())
}

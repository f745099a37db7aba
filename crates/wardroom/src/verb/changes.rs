//! `wardroom change`, `wardroom changes` and `wardroom undo`: the ledger of changes.

use serde_json::Value;
use wardroom_core::change::Outcome;
use wardroom_core::command::Command;
use wardroom_core::id::Number;

use super::lists::{List, Standing};
use super::print_json;
use crate::args::{Change, Remote, Told};
use crate::client::Client;

/// Tells of a change, or does something with one.
pub fn change(client: &Client, remote: &Remote, number: Number, verb: Change) -> anyhow::Result<()> {
    let list = List { client, number, name: "changes" };
    let (command, before) = command(&list, verb)?;
    list.done(remote, &command, before)
}

fn announce(Told { what, service, why, how, undo }: Told) -> Command {
    Command::AnnounceChange { service, what, why, how, back: undo }
}

/// What is asked for, and what stood there before, where that is said anew.
fn command(list: &List<'_>, verb: Change) -> anyhow::Result<(Command, Option<String>)> {
    let command = match verb {
        Change::Record { told: Told { what, service, why, how, undo }, at, by: made_by } => {
            Command::RecordChange { service, what, why, how, back: undo, happened_at: at, made_by, outside: false }
        }
        Change::Announce { told } => announce(told),
        Change::Done { change, note, evidence, at } => {
            Command::ConfirmChange { change, outcome: Outcome::Done, note, evidence, happened_at: at }
        }
        Change::Failed { change, note, evidence, at } => {
            Command::ConfirmChange { change, outcome: Outcome::Failed, note, evidence, happened_at: at }
        }
        Change::Drop { change, note } => {
            Command::ConfirmChange { change, outcome: Outcome::Dropped, note, evidence: None, happened_at: None }
        }
        Change::Correct { change, what, service, why, how, replaces } => {
            let before = Standing::read(list, change, "what", replaces)?;
            let command = Command::CorrectChange { change, service, what, why, how, replaces: before.said() };
            return Ok((command, before.words));
        }
        Change::WayBack { change, back, replaces } => {
            let before = Standing::read(list, change, "back", replaces)?;
            return Ok((Command::SayWayBack { change, back, replaces: before.entry }, before.words));
        }
        Change::Revert { change, note, evidence, at } => {
            Command::RevertChange { change, note, evidence, happened_at: at }
        }
        Change::Adopt { change, reason } => Command::AdoptChange { change, reason },
        Change::HandOn { change, bug } => Command::HandOnChange { change, bug },
        Change::DiffersAgain { change, reason } => Command::DiffersAgain { change, reason },
        Change::TakeIn { change } => Command::TakeInChange { change },
        Change::Dismiss { change, reason } => Command::DismissChange { change, reason },
    };
    Ok((command, None))
}

/// Shows the ledger, as it is told or as it is undone.
pub fn ledger(client: &Client, remote: &Remote, number: Number, shown: fn(&Value) -> String) -> anyhow::Result<()> {
    read(client, remote, number, "changes", shown)
}

/// Shows what other systems told of.
pub fn sightings(client: &Client, remote: &Remote, number: Number, shown: fn(&Value) -> String) -> anyhow::Result<()> {
    read(client, remote, number, "sightings", shown)
}

fn read(
    client: &Client,
    remote: &Remote,
    number: Number,
    what: &str,
    shown: fn(&Value) -> String,
) -> anyhow::Result<()> {
    let answer = client.get(&format!("/api/v1/incidents/{}/{what}", number.get()))?;
    if remote.json {
        print_json(&answer);
    } else {
        println!("{}", shown(&answer));
    }
    Ok(())
}

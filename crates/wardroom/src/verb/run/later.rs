//! Running without the server: where it cannot be reached and the person insists, the command runs unannounced, and is
//! recorded later.
//!
//! Being offline is no way around a no: the server is tried first, and what it refuses is refused. What is kept meanwhile
//! stands in `kept.rs`, how the server
//! is told of it in `telling.rs`, and when in `delivery.rs`.

mod delivery;
mod kept;
mod telling;

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;
use wardroom_core::id::Time;
use wardroom_core::text::shortened;
use wardroom_server::clock;
use wardroom_server::mask::Mask;

use super::child::{self, Ended, Steadfast};
use crate::args::{Remote, Run};
use crate::exit::Failure;
use crate::verb::print_json;

pub use delivery::{by_itself, deliver};
use kept::{End, Made, Pending, Record, Requests, Store, Told, asker};

/// For so long the server is tried where somebody would run without it.
pub const REACH: Duration = Duration::from_secs(5);
/// So much of a command is kept in the record, in characters. What it said has all of it.
const TYPED_MAX: usize = 16_000;

/// Whether the server could not be reached, as against one that says no.
pub fn is_out_of_reach(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(Failure::Unreachable(_)))
}

/// Says to whoever could not reach the server how they can insist.
pub fn or_offline(error: anyhow::Error) -> anyhow::Error {
    match error.downcast() {
        Ok(Failure::Unreachable(mut problem)) => {
            let why = problem["detail"].as_str().unwrap_or("The server cannot be reached.").to_owned();
            problem["detail"] =
                json!(format!("{why} Nothing was run. To run it all the same, and have it recorded later: --offline"));
            Failure::Unreachable(problem).into()
        }
        Ok(other) => other.into(),
        Err(other) => other,
    }
}

/// No folder can be named in which something is kept.
fn nowhere() -> Failure {
    Failure::misused("There is no place to keep it until the server is back. Name a folder: WARDROOM_STATE=DIR")
}

/// What is told of it later, as far as it is known before it begins. `request` is the one under which it may have been
/// announced: whether it was is found out then.
fn record(remote: &Remote, run: &Run, typed: &str, (id, request): (Uuid, Uuid), began: Time) -> anyhow::Result<Record> {
    let (Some(number), true) = (run.number, run.look || run.service.is_some()) else {
        let sentence = "The server cannot be reached, so it cannot be asked which incident and which service are meant. \
                        Name them: wardroom run N --offline --service NAME -- …, or --look where it changes nothing.";
        return Err(Failure::misused(sentence).into());
    };
    let change = if run.look { None } else { Some(Made::of(super::announcing(run, typed)?)?) };
    let token = remote.token.token().map_err(Failure::misused)?;
    Ok(Record {
        form: Record::FORM,
        url: remote.url.as_str().to_owned(),
        asker: asker(id, token),
        number,
        change,
        glass: run.break_glass.clone(),
        typed: shortened(typed, TYPED_MAX),
        began,
        ended: None,
        requests: Requests { change: request, evidence: Uuid::now_v7(), outcome: Uuid::now_v7() },
        told: Told::default(),
        refused: None,
    })
}

/// Runs it without the server, and ends as it did.
pub fn run(remote: &Remote, run: &Run, typed: &str, mask: &Mask, request: Uuid) -> anyhow::Result<ExitCode> {
    let id = Uuid::now_v7();
    let record = record(remote, run, typed, (id, request), clock::now())?;
    let number = record.number;
    let store = Store::find().ok_or_else(nowhere)?;
    // From here on an interrupt is the command's to answer.
    let steadfast = Steadfast::new()?;
    let mut kept = store.begin(id, record).map_err(|why| {
        Failure::unreachable(format!(
            "The server cannot be reached, and what ran could not be kept here until it is ({why}). Nothing was run. \
             Name another folder: WARDROOM_STATE=DIR"
        ))
    })?;
    eprintln!("wardroom: The server cannot be reached. This runs unannounced and is recorded later.");
    let ended = match child::run(&run.command, remote.json) {
        Ok(ended) => ended,
        Err(error) => {
            if matches!(error.downcast_ref(), Some(Failure::Misused(_))) {
                kept.forget()?; // Nothing was done.
            }
            return Err(error);
        }
    };
    keep(&mut kept, typed, &ended, mask).map_err(|why| {
        Failure::unreachable(format!(
            "the command ran ({}), and that could not be kept ({why}). It will be told as one whose end nobody saw: {}",
            ended.how(),
            kept.folder.display()
        ))
    })?;
    drop(steadfast);
    if remote.json {
        print_json(&json!({
            "incident": number, "change": null, "outcome": null, "evidence": null, "address": null,
            "exit_code": ended.code(), "milliseconds": u64::try_from(ended.took.as_millis()).unwrap_or(u64::MAX),
            "recorded_later": id,
        }));
    } else {
        eprintln!(
            "wardroom: kept on this machine. The next run, next or show that reaches the server records it, or wardroom \
             run --deliver"
        );
    }
    Ok(ExitCode::from(ended.code()))
}

fn keep(kept: &mut Pending, typed: &str, ended: &Ended, mask: &Mask) -> std::io::Result<()> {
    let at = clock::now();
    let head = headed(kept.record.began, Some(at));
    let output = [head.into_bytes(), super::transcript(typed, ended, mask)].concat();
    let by_itself = ended.status.code().is_some();
    kept.ended(End { at, code: ended.code(), by_itself, how: ended.how() }, &output)
}

/// The first line of what is kept as evidence. To the last digit of the clock, so that two runs which say the same are two
/// pieces of it.
fn headed(began: Time, ended: Option<Time>) -> String {
    let ended = ended.map(|at| format!(" to {at}")).unwrap_or_default();
    format!("Recorded later: it ran without the server, from {began}{ended}\n")
}

/// A time by this machine's clock, for a person.
fn moment(at: Time) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

//! Running without the server: where it cannot be reached and the person insists, the command runs unannounced, and is
//! recorded later.
//!
//! Being offline is no way around a no: the server is tried first, and what it refuses is refused. What is kept meanwhile
//! stands in `kept.rs`, how the server
//! is told of it in `telling.rs`, and when in `delivery.rs`.

mod begun;
mod delivery;
mod kept;
mod merged;
mod telling;

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;
use wardroom_core::change::{Outcome, broke_off};
use wardroom_core::id::{Number, Time};
use wardroom_core::text::shortened;
use wardroom_server::clock;
use wardroom_server::mask::Mask;

use super::child::{self, Ended};
use super::steadfast::Steadfast;
use super::{answer, say, tell_json};
use crate::args::{Remote, Run};
use crate::exit::Failure;

pub use begun::Begun;
pub use delivery::{by_itself, deliver};
pub use kept::{End, Record};
use kept::{Made, Pending, Requests, Store, Told, asker};
pub use merged::moved;
pub use telling::{kept_where, may_have_changed, with_evidence};

/// For so long the server is tried where somebody would run without it.
pub const REACH: Duration = Duration::from_secs(5);
/// So much of a command is kept in the record, in characters. What it said has all of it.
const TYPED_MAX: usize = 16_000;

/// When what is kept is recorded.
const RECORDS: &str = "The next run, next or show that reaches the server records it, or wardroom run --deliver";

/// Whether the server could not be reached, as against one that says no.
pub fn is_out_of_reach(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(Failure::Unreachable(_)))
}

/// Whether a command could not even be begun.
pub fn nothing_was_run(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(Failure::Misused(_)))
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

/// What is told of a run, as far as it is known before it begins: as which change of which incident, if the server knows it.
/// `request` is the one under which it may have been announced: whether it was is found out then.
pub fn record(
    remote: &Remote,
    run: &Run,
    typed: &str,
    (number, known): (Number, Option<Option<u32>>),
    (id, request): (Uuid, Uuid),
) -> anyhow::Result<Record> {
    let made = if run.look { None } else { Some(Made::of(super::announcing(run, typed)?)?) };
    let change = known.flatten();
    let token = remote.token.token().map_err(Failure::misused)?;
    Ok(Record {
        form: Record::FORM,
        url: remote.url.as_str().to_owned(),
        asker: asker(id, token),
        number,
        left: None,
        with_server: known.is_some(),
        change: made,
        glass: run.break_glass.clone(),
        typed: shortened(typed, TYPED_MAX),
        began: clock::now(),
        ended: None,
        requests: Requests { change: request, evidence: Uuid::now_v7(), outcome: Uuid::now_v7() },
        told: Told { change, announced: change.is_some(), ..Told::default() },
        refused: None,
    })
}

/// The incident that is named, where nobody can be asked which one is meant.
fn named(run: &Run) -> Result<Number, Failure> {
    run.number.filter(|_| run.look || run.service.is_some()).ok_or_else(|| {
        Failure::misused(
            "The server cannot be reached, so it cannot be asked which incident and which service are meant. Name them: \
             wardroom run N --offline --service NAME -- …, or --look where it changes nothing.",
        )
    })
}

/// Runs it without the server, and ends as it did.
pub fn run(remote: &Remote, run: &Run, typed: &str, mask: &Mask, request: Uuid) -> anyhow::Result<ExitCode> {
    let (id, number) = (Uuid::now_v7(), named(run)?);
    let record = record(remote, run, typed, (number, None), (id, request))?;
    let store = Store::find().ok_or_else(nowhere)?;
    // From here on an interrupt is the command's to answer.
    let mut steadfast = Steadfast::new()?;
    let mut kept = store.begin(id, record).map_err(|why| {
        Failure::unreachable(format!(
            "The server cannot be reached, and what ran could not be kept here until it is ({why}). Nothing was run. \
             Name another folder: WARDROOM_STATE=DIR"
        ))
    })?;
    say("The server cannot be reached. This runs unannounced and is recorded later.");
    let ended = match child::run(&mut steadfast, &run.command, remote.json, || {}) {
        Ok(ended) => ended,
        Err(error) => {
            if nothing_was_run(&error) {
                kept.forget()?;
            }
            return Err(error);
        }
    };
    let mut answer = answer(&kept.record, &ended, None, Some(id));
    let told = match keep(&mut kept, typed, &ended, mask) {
        Ok(()) => format!("kept on this machine. {RECORDS}"),
        Err(why) => {
            answer["not_kept"] = json!({ "why": why.to_string(), "here": kept.folder });
            let (how, folder, n) = (ended.how(), kept.folder.display(), number.get());
            format!(
                "the command ran ({how}), and that could not be kept in {folder}: {why}. It is recorded as one whose end \
                 nobody saw. {RECORDS}. Say then how it ended: wardroom note {n} \"{how}\""
            )
        }
    };
    if remote.json {
        tell_json(&answer);
    }
    if !remote.json || answer["not_kept"].is_object() {
        say(&told);
    }
    Ok(ExitCode::from(ended.code()))
}

fn keep(kept: &mut Pending, typed: &str, ended: &Ended, mask: &Mask) -> std::io::Result<()> {
    let at = clock::now();
    let head = headed(kept.record.began, Some(at)).into_bytes();
    let output = [head, super::transcript(typed, ended, None, mask)].concat();
    kept.ended(end(ended, at), &output)
}

/// It ran, and the server does not know how it went: that is kept here until it does, and where it cannot be, whoever ran it
/// is told what to say. Ends as the command did, whatever became of the telling.
pub fn untold(remote: &Remote, mut begun: Begun, (ended, said): (&Ended, &[u8]), error: &anyhow::Error) -> ExitCode {
    begun.record.refused = telling::refused(error);
    let (id, record) = (begun.id, begun.record.clone());
    let ran = format!("the command ran ({}), and that could not be told: {error:#}", ended.how());
    let (told, answer) = match begun.keep_all(said) {
        Ok(()) => (
            format!("it is kept on this machine. {}", what_records(&record, error)),
            answer(&record, ended, None, Some(id)),
        ),
        Err(why) => {
            let mut answer = answer(&record, ended, None, None);
            answer["not_kept"] = json!({ "why": why.to_string(), "here": null });
            (format!("nor could it be kept on this machine: {why}. {}", by_hand(&record)), answer)
        }
    };
    if remote.json {
        tell_json(&answer);
    }
    if !remote.json || answer["not_kept"].is_object() {
        say(&format!("{ran}\nwardroom: {told}"));
    }
    ExitCode::from(ended.code())
}

/// What has it recorded. What was refused, and what is told with another token, nobody tells unasked.
fn what_records(record: &Record, error: &anyhow::Error) -> &'static str {
    match error.downcast_ref() {
        Some(Failure::NotSignedIn(_)) => "With a token that is good, tell it: wardroom run --deliver",
        _ if record.refused.is_some() => "See to that, and tell it then: wardroom run --deliver",
        _ => RECORDS,
    }
}

/// What whoever ran it types once the server is back, where nobody else tells it.
fn by_hand(record: &Record) -> String {
    let (n, end) = (record.number.get(), record.ended.as_ref());
    let said = if record.told.evidence.is_some() { "" } else { "What it said is here alone. " };
    let typed = match (record.told.change, end) {
        (Some(change), Some(end)) if end.outcome() == Outcome::BrokeOff => format!(
            "wardroom change {n} done {change} \"{}\", or, if it changed nothing, wardroom change {n} failed {change}",
            end.told()
        ),
        (Some(change), _) => format!("wardroom change {n} done {change}"),
        (None, _) => format!("wardroom note {n} \"what you saw\""),
    };
    format!("{said}Once the server is back, say it: {typed}")
}

impl End {
    /// How what was run went. Of what did not end well, or was interrupted, nobody knows what it left behind.
    pub fn outcome(&self) -> Outcome {
        if self.code == 0 { Outcome::Done } else { Outcome::BrokeOff }
    }

    /// How it ended and, where nobody knows what it left behind, that.
    pub fn told(&self) -> String {
        if self.code == 0 { self.how.clone() } else { broke_off(&self.how) }
    }
}

/// How it ended.
pub fn end(ended: &Ended, at: Time) -> End {
    End { at, code: ended.code(), how: ended.how() }
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

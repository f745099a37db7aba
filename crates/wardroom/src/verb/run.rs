//! `wardroom run`: a command of operations is announced before it starts, seen while it runs, and told when it has ended.
//!
//! Whoever is not of operations is refused before anything is done. What the command said is kept as evidence, with what
//! looks like a secret masked on this machine.

mod child;
pub mod later;
mod permission;
mod steadfast;

use std::io::Write;
use std::process::ExitCode;

use serde_json::{Value, json};
use uuid::Uuid;
use wardroom_core::change::Outcome;
use wardroom_core::command::Command;
use wardroom_core::evidence::WHOLE_MAX;
use wardroom_core::id::{Entry, Number, Time};
use wardroom_core::text::{LINE_MAX, Line, PROSE_MAX, Prose, misleads, shortened};
use wardroom_server::clock;
use wardroom_server::mask::Mask;

use self::child::Ended;
use self::later::{Begun, End, Record};
use self::steadfast::Steadfast;
use crate::args::{Remote, Run};
use crate::client::Client;
use crate::exit::Failure;
use crate::show;

/// Runs a command, and ends as it did.
pub fn run(client: &Client, remote: &Remote, mut run: Run) -> anyhow::Result<ExitCode> {
    if run.deliver {
        return later::deliver(client, remote, run.number);
    }
    let token = remote.token.token().map_err(Failure::misused)?;
    let mask = Mask::new(&run.mask, token).map_err(Failure::misused)?;
    let (typed, id, request) = (mask.text(&words(&run)), Uuid::now_v7(), Uuid::now_v7());
    masked(&mut run, &mask)?;
    let (number, change) = match begin(client, &run, &typed, request) {
        Err(error) if run.offline && later::is_out_of_reach(&error) => {
            return later::run(remote, &run, &typed, &mask, request);
        }
        begun => begun.map_err(later::or_offline)?,
    };
    if let Some(change) = change {
        say(&format!("change {change} of incident #{} is announced", number.get()));
    }
    let mut begun = Begun::new(id, later::record(remote, &run, &typed, (number, Some(change)), (id, request))?);
    let ran = Steadfast::new().and_then(|mut steadfast| {
        Ok((child::run(&mut steadfast, &run.command, remote.json, || begun.keep())?, steadfast))
    });
    let (ended, mut steadfast) = match ran {
        Ok(ran) => ran,
        Err(error) => {
            if let Some(change) = change.filter(|_| later::nothing_was_run(&error)) {
                // Nobody should wait to hear how it went. That it changed nothing is certain here alone.
                let note = format!("{error:#}").parse().ok();
                client.command(number, &confirmed(change, Outcome::Failed, note, None))?;
            }
            return Err(error);
        }
    };
    let at = clock::now();
    let said = transcript(&typed, &ended, Some(at), &mask);
    begun.ended(later::end(&ended, at), &said);
    let address = match begun.tell(&mut steadfast, client, &said) {
        Ok(address) => address,
        Err(error) => return Ok(later::untold(remote, begun, (&ended, &said), &error)),
    };
    let record = begun.told();
    if remote.json {
        tell_json(&answer(&record, &ended, address.as_deref(), None));
    } else {
        say(&sentence(&record));
    }
    let (client, remote) = (client.clone(), remote.clone());
    // What is not delivered by then stays.
    steadfast.unless_ended(move || later::by_itself(&client, &remote));
    Ok(ExitCode::from(ended.code()))
}

/// Says something to whoever looks: the terminal of what was hung up is gone.
fn say(words: &str) {
    let _ = writeln!(std::io::stderr(), "wardroom: {words}");
}

/// Tells a script something, as far as it still reads: what ran has ended as it did.
fn tell_json(answer: &Value) {
    let _ = writeln!(std::io::stdout(), "{answer:#}");
}

/// In which incident it runs, and as which change of it: whoever is not of operations is refused here, before anything
/// starts, and so is whoever does not insist where the server cannot be reached.
fn begin(client: &Client, run: &Run, typed: &str, request: Uuid) -> anyhow::Result<(Number, Option<u32>)> {
    let tried = if run.offline { client.within(later::REACH) } else { client.clone() };
    let number = match run.number {
        Some(number) => number,
        None => the_only_one(&tried)?,
    };
    if run.offline || run.look {
        let state = tried.get(&format!("/api/v1/incidents/{}", number.get()))?;
        if run.look {
            may_look(number, &state)?;
        }
    }
    let change = if run.look { None } else { Some(permitted(client, number, run, typed, request)?) };
    Ok((number, change))
}

/// Refuses whoever could not keep what they see, in the words of whoever decides it: nothing is run for nothing.
fn may_look(number: Number, state: &Value) -> anyhow::Result<()> {
    // A server from before it said so is asked once there is something to keep.
    if state["may_attach"] != false {
        return Ok(());
    }
    let mut problem = state["may_not_attach"].clone();
    let why = problem["detail"].as_str().unwrap_or("You may keep nothing here.");
    problem["detail"] = json!(format!("{why} Nothing was run."));
    problem["incident"] = json!(number);
    Err(Failure::Refused(problem).into())
}

/// What is said beside the command leaves this machine without secrets, too.
fn masked(run: &mut Run, mask: &Mask) -> anyhow::Result<()> {
    if let Some(what) = &mut run.what {
        *what = line(&mask.text(what.as_str()))?;
    }
    for words in [&mut run.why, &mut run.undo, &mut run.break_glass].into_iter().flatten() {
        let kept = shortened(&mask.text(words.as_str()), PROSE_MAX);
        *words = kept.parse().map_err(|why| Failure::misused(format!("“{kept}” cannot be written down: {why}")))?;
    }
    Ok(())
}

/// What was typed, as somebody would type it again.
fn words(run: &Run) -> String {
    let quoted = |word: &std::ffi::OsString| {
        let word = word.to_string_lossy();
        let plain = |c: char| c.is_alphanumeric() || "-_./:=,@%+".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.into_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    run.command.iter().map(quoted).collect::<Vec<String>>().join(" ")
}

/// As much of some words as fits a line, with a mark in the place of what nobody could read there: a command may be given a
/// colour's escape, and runs with it.
fn line(words: &str) -> anyhow::Result<Line> {
    let one: String = words.split_whitespace().collect::<Vec<&str>>().join(" ");
    let line = shortened(&one.replace(misleads, "\u{FFFD}"), LINE_MAX - 1);
    line.parse().map_err(|why| Failure::misused(format!("“{line}” cannot be written down: {why}")).into())
}

/// The incident that is meant by whoever names none.
fn the_only_one(client: &Client) -> anyhow::Result<Number> {
    let answer = client.get("/api/v1/incidents")?;
    let open: Vec<&Value> = answer["incidents"].as_array().into_iter().flatten().collect();
    let number =
        |incident: &Value| incident["number"].as_u64().and_then(|number| Number::new(u32::try_from(number).ok()?));
    match open.as_slice() {
        [only] => number(only).ok_or_else(|| anyhow::anyhow!("the server names no incident")),
        [] => Err(Failure::misused("No incident is open. To declare one: wardroom declare \"what is wrong\"").into()),
        several => {
            let named: Vec<String> = several
                .iter()
                .map(|incident| format!("#{} {}", incident["number"], incident["title"].as_str().unwrap_or_default()))
                .collect();
            let sentence = format!("Several are open; name one: wardroom run N -- …\n  {}", named.join("\n  "));
            Err(Failure::misused(sentence).into())
        }
    }
}

/// Announces it, with permission if whoever runs it has to ask for that first, or over broken glass.
fn permitted(client: &Client, number: Number, run: &Run, typed: &str, request: Uuid) -> anyhow::Result<u32> {
    let refused = match announce(client, number, run, typed, request) {
        Ok(change) => return Ok(change),
        Err(refused) => refused,
    };
    let Some(services) = permission::services(&refused) else { return Err(refused) };
    match &run.break_glass {
        Some(reason) => permission::break_glass(client, number, services, reason.clone())?,
        None if run.ask => {
            let what = run.what.clone().map_or_else(|| line(typed), Ok)?;
            return permission::ask(client, number, services, what, || announce(client, number, run, typed, request));
        }
        None => return Err(refused),
    }
    announce(client, number, run, typed, request)
}

/// The command that announces it.
fn announcing(run: &Run, typed: &str) -> anyhow::Result<Command> {
    let how = line(typed)?;
    let (what, how) = match &run.what {
        Some(what) => (what.clone(), Some(how)),
        None => (how, None),
    };
    Ok(Command::AnnounceChange {
        service: run.service.clone(),
        what,
        why: run.why.clone(),
        how,
        back: run.undo.clone(),
    })
}

/// Announces it. The number of the change.
fn announce(client: &Client, number: Number, run: &Run, typed: &str, request: Uuid) -> anyhow::Result<u32> {
    let answer = client.command_as(request, number, &announcing(run, typed)?)?;
    number_of(client, number, &answer)
}

/// The number of the change that was recorded with this answer.
fn number_of(client: &Client, number: Number, answer: &Value) -> anyhow::Result<u32> {
    let (first, last) = (answer["first_entry"].as_u64().unwrap_or(0), answer["last_entry"].as_u64().unwrap_or(0));
    let entries = show::entries(client, number, first, last)?;
    let change = entries.iter().find(|entry| entry["kind"] == "change_recorded").map(|entry| &entry["body"]["change"]);
    let change = change.and_then(Value::as_u64).and_then(|change| u32::try_from(change).ok());
    change.ok_or_else(|| anyhow::anyhow!("the server does not say under which number it is recorded"))
}

/// The command that says how a change went.
fn confirmed(change: u32, outcome: Outcome, note: Option<Prose>, evidence: Option<Entry>) -> Command {
    Command::ConfirmChange { change, outcome, note, evidence, happened_at: None }
}

/// What is told of it to a script; with the id of what is kept here, where some of it is told later.
fn answer(record: &Record, ended: &Ended, address: Option<&str>, later: Option<Uuid>) -> Value {
    let told = &record.told;
    let mut answer = json!({
        "incident": record.number, "change": told.change, "outcome": outcome(record), "evidence": told.evidence,
        "address": address, "exit_code": ended.code(),
        "milliseconds": u64::try_from(ended.took.as_millis()).unwrap_or(u64::MAX),
    });
    if let Some(unkept) = &told.unkept {
        answer["not_kept"] = json!({ "why": unkept.why, "here": unkept.here });
    }
    if let Some(later) = later {
        answer["recorded_later"] = json!(later);
    }
    answer
}

/// How it went, where that is told.
fn outcome(record: &Record) -> Option<Outcome> {
    record.ended.as_ref().filter(|_| record.told.outcome).map(End::outcome)
}

/// What is kept: the command, how it ended, and what it said over each of its channels.
///
/// With when that was, to the last digit of the clock: two who look at the same and see the same are two pieces of evidence.
fn transcript(typed: &str, ended: &Ended, at: Option<Time>, mask: &Mask) -> Vec<u8> {
    let at = at.map(|at| format!(", at {at}")).unwrap_or_default();
    let mut whole = format!("$ {typed}\n{}{at}\n", ended.how()).into_bytes();
    for (channel, said) in [("output", &ended.out), ("errors", &ended.errors)] {
        if !said.is_empty() {
            whole.extend_from_slice(format!("\n--- {channel} ---\n").as_bytes());
            whole.extend_from_slice(&mask.bytes(said));
        }
    }
    // What is masked may be longer than it was.
    whole.truncate(usize::try_from(WHOLE_MAX).unwrap_or(usize::MAX));
    whole
}

/// What whoever ran it should know, and do.
fn sentence(record: &Record) -> String {
    let (n, evidence) = (record.number.get(), later::with_evidence(record));
    let told = match (record.told.change, outcome(record)) {
        (None, _) => later::kept_where(record),
        (Some(change), Some(Outcome::Done)) => {
            format!("change {change} is done, {evidence}. Undone? wardroom change {n} revert {change}")
        }
        (Some(change), Some(_)) => {
            let how = record.ended.as_ref().map_or("it ended badly", |end| &end.how);
            format!(
                "change {change} stands as done, {evidence}: {how}. {}",
                later::may_have_changed(record.number, change)
            )
        }
        // It is not announced any more.
        (Some(change), None) => format!(
            "somebody has said by now how change {change} went, {evidence} of what it said: wardroom changes {n}"
        ),
    };
    let unkept =
        record.told.unkept.as_ref().filter(|_| record.told.change.is_some()).map(|_| later::kept_where(record));
    let lines: Vec<String> = later::moved(record).into_iter().chain(unkept).chain([told]).collect();
    lines.join("\nwardroom: ")
}

//! Telling the server of what ran without it: the change is recorded, what the command said is kept as evidence, and of a
//! change that was announced it is said how it went.
//!
//! The change comes first. Telling of one is never refused: it joins whoever tells it, and opens again what was closed
//! meanwhile, and both have to be before evidence is taken. After each step the record is saved with what the server
//! acknowledged, and each step has its request id: a delivery that is killed and done again records once.

use serde_json::Value;
use wardroom_core::change::Outcome;
use wardroom_core::command::Command;
use wardroom_core::id::{Entry, Number, Time};
use wardroom_core::text::{PROSE_MAX, Prose, repeated, shortened};

use super::super::{line, number_of};
use super::kept::{End, Left, Made, No, Pending, Record, Store, Unkept};
use super::merged::{followed, goes_on, moved};
use super::{headed, moment};
use crate::client::Client;
use crate::exit::Failure;

/// So much of a no is kept, in characters.
const NO_MAX: usize = 1_000;
/// So much of a command is shown in a line, in characters.
const SHOWN: usize = 80;

/// Whether a run is told with the token with which it ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Token {
    Same,
    /// Another person's, or one that was replaced since: nobody knows which.
    Another,
}

impl Token {
    fn other(self) -> Self {
        match self {
            Self::Same => Self::Another,
            Self::Another => Self::Same,
        }
    }
}

/// What was told of a run.
pub struct Delivered {
    pub number: Number,
    pub change: Option<u32>,
    pub evidence: Option<Entry>,
    /// For a person.
    pub sentence: String,
}

/// What the server said no with, if it did.
pub fn no(error: &anyhow::Error) -> Option<&Value> {
    match error.downcast_ref() {
        Some(Failure::Refused(problem)) => Some(problem),
        _ => None,
    }
}

/// Whether that stays so until somebody has seen to it. What the server could not do just then says nothing of the run.
fn lasts(problem: &Value) -> bool {
    !matches!(problem["status"].as_u64(), Some(408 | 429 | 500..))
}

fn says(error: &anyhow::Error, codes: &[&str]) -> bool {
    no(error).and_then(|problem| problem["code"].as_str()).is_some_and(|code| codes.contains(&code))
}

/// Tells the server all that it does not know yet of a run. What it has acknowledged is on disk when this returns.
fn tell(client: &Client, pending: &mut Pending, mut token: Token) -> anyhow::Result<Delivered> {
    if let Some(made) = pending.record.change.clone() {
        token = record(client, pending, made, token)?;
    }
    let told = &pending.record.told;
    if told.evidence.is_none() && told.unkept.is_none() {
        let said = pending.output()?.unwrap_or_else(|| unseen(&pending.record));
        attach(client, &mut pending.record, &said)?;
        pending.save()?;
    }
    confirm_late(client, &mut pending.record)?;
    pending.save()?;
    let record = &pending.record;
    let (number, change, evidence) = (record.number, record.told.change, record.told.evidence);
    Ok(Delivered { number, change, evidence, sentence: sentence(record, token) })
}

/// Records the change, unless that is done. With which token it was told.
fn record(client: &Client, pending: &mut Pending, made: Made, mut token: Token) -> anyhow::Result<Token> {
    if pending.record.told.change.is_some() {
        return Ok(token);
    }
    let (id, number) = (pending.record.requests.change, pending.record.number);
    let mut turned = false;
    let answer = loop {
        match client.command_as(id, number, &recorded(&pending.record, made.clone(), token)) {
            // It was told with the other token, and the answer was lost: nothing more is recorded under the same id.
            Err(error) if says(&error, &["request_reused"]) && !turned => {
                (turned, token) = (true, token.other());
            }
            // The server was lost while it was announced, and had heard it all the same.
            Err(error) if says(&error, &["request_reused"]) => {
                pending.record.told.announced = true;
                break client.command_as(id, number, &made.announced())?;
            }
            // One of the two clocks is wrong. Under which form the id was used is known before it is.
            Err(error) if says(&error, &["invalid"]) && !pending.record.told.undated => {
                pending.record.told.undated = true;
                pending.save()?;
            }
            answer => break answer?,
        }
    };
    pending.record.told.change = Some(number_of(client, number, &answer)?);
    pending.save()?;
    Ok(token)
}

/// Whether operations have to sort it: what was run over broken glass, or with another token than it is told with, is not
/// the change of whoever tells of it.
fn is_outside(record: &Record, token: Token) -> bool {
    record.glass.is_some() || token == Token::Another
}

/// The change, told as one that was made.
fn recorded(record: &Record, made: Made, token: Token) -> Command {
    let at = record.ended.as_ref().map_or(record.began, |end| end.at);
    let Made { service, what, why, how, back } = made;
    let ran = match token {
        Token::Same => "it ran without the server",
        Token::Another => "it ran with another token without the server",
    };
    let later = match &record.ended {
        Some(end) => format!("ecorded later: {ran} until {}, {}", moment(at), end.told()),
        None => format!("ecorded later: {ran} from {} on, and nobody saw its end", moment(at)),
    };
    let glass = record.glass.as_ref().map(|why| format!("Over broken glass: {}", why.as_str().trim_end_matches('.')));
    let said: Vec<String> = glass.into_iter().chain(why.map(|why| why.as_str().to_owned())).collect();
    let why = match said.join(". ") {
        none if none.is_empty() => format!("R{later}"),
        said => format!("{} (r{later})", shortened(&said, PROSE_MAX.saturating_sub(later.chars().count() + 5))),
    };
    let happened_at = (!record.told.undated).then_some(at);
    let outside = is_outside(record, token);
    Command::RecordChange { service, what, why: why.parse().ok(), how, back, happened_at, made_by: None, outside }
}

/// What is kept of a run whose end nobody saw.
fn unseen(record: &Record) -> Vec<u8> {
    let head = if record.with_server { String::new() } else { headed(record.began, None) };
    let typed = &record.typed;
    format!("{head}$ {typed}\ndid not end here: nobody saw its end\n").into_bytes()
}

/// Keeps what it said as evidence. Where there is no room or no place for that, it is laid aside on this machine: how a
/// change went does not wait for it. The address of its bytes, if it is kept.
fn attach(client: &Client, record: &mut Record, said: &[u8]) -> anyhow::Result<Option<String>> {
    let later = if record.with_server { "" } else { "-recorded-later" };
    let name = match (record.told.change, &record.left) {
        (Some(change), _) => format!("change-{change}{later}.txt"),
        (None, Some(Left { number, change: Some(change) })) => {
            format!("change-{change}-of-{}{later}.txt", number.get())
        }
        (None, _) => format!("look{later}.txt"),
    };
    let (id, from) = (record.requests.evidence, line(&record.typed).ok());
    let kept = match client.attach_as(id, record.number, &name.parse()?, from.as_ref(), said) {
        Ok(kept) => kept,
        Err(error) => {
            let Some(why) = no_room(&error).filter(|_| record.change.is_some() || record.with_server) else {
                return Err(error);
            };
            let here = Store::find().and_then(|store| store.lay_aside(id, said).ok());
            record.told.unkept = Some(Unkept { why: shortened(&repeated(&why), NO_MAX), here });
            return Ok(None);
        }
    };
    let entry = kept["entry"].as_u64().map(Entry);
    record.told.evidence = Some(entry.ok_or_else(|| anyhow::anyhow!("the server names no entry"))?);
    Ok(kept["address"].as_str().map(str::to_owned))
}

/// Why evidence is not taken, if that is for want of room or of a place: whatever else is told is.
pub fn no_room(error: &anyhow::Error) -> Option<String> {
    let (Failure::Refused(problem) | Failure::Unreachable(problem)) = error.downcast_ref()? else { return None };
    let wants = ["no_store", "no_room", "too_many", "too_large"].contains(&problem["code"].as_str()?);
    wants.then(|| problem["detail"].as_str().unwrap_or_default().to_owned())
}

/// Says how it went, unless that is done: what is recorded stands as done already, with how it ended as its reason.
fn confirm(client: &Client, record: &mut Record) -> anyhow::Result<()> {
    confirm_as_of(client, record, None)
}

/// As [`confirm`], of when it ended: that is told later. Where one of the two clocks is wrong, it stands as of now.
fn confirm_late(client: &Client, record: &mut Record) -> anyhow::Result<()> {
    let ended = record.ended.as_ref().map(|end| end.at).filter(|_| !record.told.undated);
    match confirm_as_of(client, record, ended) {
        Err(error) if ended.is_some() && says(&error, &["invalid"]) => {
            record.told.undated = true;
            confirm_as_of(client, record, None)
        }
        // The server heard it when it ended, and its answer was lost.
        Err(error) if says(&error, &["request_reused"]) => {
            record.told.outcome = true;
            Ok(())
        }
        confirmed => confirmed,
    }
}

fn confirm_as_of(client: &Client, record: &mut Record, at: Option<Time>) -> anyhow::Result<()> {
    let (Some(change), Some(outcome), false) = (record.told.change, outcome(record), record.told.outcome) else {
        return Ok(());
    };
    let unkept = if record.told.unkept.is_some() { " (what it said is not kept as evidence)" } else { "" };
    let note = record.ended.as_ref().and_then(|end| format!("{}{unkept}", end.how).parse::<Prose>().ok());
    let command = Command::ConfirmChange { change, outcome, note, evidence: record.told.evidence, happened_at: at };
    match client.command_as(record.requests.outcome, record.number, &command) {
        // It is somebody else's to say: of another's change, or of one that is done by now.
        Err(error) if says(&error, &["not_yours"]) => return Ok(()),
        // Somebody has said by now how it went.
        Err(error) if says(&error, &["already_so"]) => {}
        answer => drop(answer?),
    }
    record.told.outcome = true;
    Ok(())
}

/// How it went, where that is not said by recording it.
fn outcome(record: &Record) -> Option<Outcome> {
    record.ended.as_ref().filter(|_| record.told.announced).map(End::outcome)
}

/// As much of what was typed as fits a line of a terminal, with nothing that moves in it.
pub fn shown(record: &Record) -> String {
    let one = repeated(&record.typed).split_whitespace().collect::<Vec<&str>>().join(" ");
    format!("`{}`, which ran {}", shortened(&one, SHOWN), moment(record.began))
}

/// What is recorded of a run, for a person, and what is left for them to say.
fn sentence(record: &Record, token: Token) -> String {
    let (n, evidence) = (record.number.get(), with_evidence(record));
    let told = moved(record).unwrap_or_else(|| format!("incident #{n}"));
    let Some(change) = record.told.change else {
        return format!("{told}: {}: {}", kept_where(record), shown(record));
    };
    let unkept = record.told.unkept.as_ref().map(|_| format!(" {}.", kept_where(record))).unwrap_or_default();
    let what = format!("{told}: change {change} is recorded, {evidence}: {}", shown(record));
    let undated = match (record.told.undated, record.with_server) {
        (false, _) => "",
        (true, false) => " When it ran is in its reason alone: the clocks differ.",
        (true, true) => " It stands as of now: the clocks differ.",
    };
    let still = match record.ended.as_ref().map(End::outcome) {
        _ if record.told.announced && !record.told.outcome => {
            format!(" Say how far it came: wardroom change {n} done {change}, failed {change} or drop {change}")
        }
        Some(Outcome::Done) => String::new(),
        _ => format!(" {}", may_have_changed(record.number, change)),
    };
    let sort = match is_outside(record, token) && !record.told.announced {
        true => format!(" Operations sort it (wardroom change {n} take-in {change}, or dismiss {change})."),
        false => String::new(),
    };
    format!("{what}.{unkept}{undated}{sort}{still}")
}

/// What is to be done about a change of which nobody knows what it left behind.
pub fn may_have_changed(number: Number, change: u32) -> String {
    let n = number.get();
    format!(
        "It may have changed something. If it changed nothing, operations say so: wardroom change {n} failed {change}. \
         Undone? wardroom change {n} revert {change}"
    )
}

/// With which evidence a run is told, in words.
pub fn with_evidence(record: &Record) -> String {
    record
        .told
        .evidence
        .map_or_else(|| "without evidence".to_owned(), |entry| format!("with entry {entry} as evidence"))
}

/// Where what a command said is kept, in words: as evidence, or why not, and where it lies on this machine.
pub fn kept_where(record: &Record) -> String {
    match (&record.told.unkept, record.told.evidence) {
        (None, entry) => format!("kept as evidence, with entry {}", entry.unwrap_or_default()),
        (Some(Unkept { why, here }), _) => {
            let here = here.as_ref().map_or_else(String::new, |file| format!(", it is in {}", file.display()));
            format!("what it said is not kept as evidence{here}: {}", why.trim_end_matches('.'))
        }
    }
}

/// Tells of a run. It is for its caller to take it away then; a no is kept with it.
///
/// # Errors
/// What the server said no with ([`no`]), or what kept it from being told: then it stays as it is.
pub fn deliver_one(client: &Client, pending: &mut Pending, token: Token) -> anyhow::Result<Delivered> {
    let told = tell_where_it_goes_on(client, pending, token);
    if let Some(refused) = told.as_ref().err().and_then(refused) {
        pending.record.refused = Some(refused);
        pending.save()?;
    }
    told
}

/// Tells a run, and where its incident was merged meanwhile, tells it there.
fn tell_where_it_goes_on(client: &Client, pending: &mut Pending, token: Token) -> anyhow::Result<Delivered> {
    loop {
        match tell(client, pending, token) {
            Err(error) if followed(client, &mut pending.record, &error)? => pending.save()?,
            told => return told,
        }
    }
}

/// The same of a run of which nothing need be kept: what was said as evidence, and how it went. The address of what was said.
///
/// # Errors
/// What kept the server from having all of it.
pub fn attach_and_confirm(client: &Client, record: &mut Record, said: &[u8]) -> anyhow::Result<Option<String>> {
    loop {
        let told = attach(client, record, said).and_then(|address| confirm(client, record).map(|()| address));
        match told {
            Err(error) if is_here_again(client, record, &error)? => {}
            Err(error) if followed(client, record, &error)? => {}
            told => return told,
        }
    }
}

/// Whoever left while it ran is here again by telling how it went, as by telling of any change.
fn is_here_again(client: &Client, record: &Record, error: &anyhow::Error) -> anyhow::Result<bool> {
    if !says(error, &["not_a_responder"]) {
        return Ok(false);
    }
    client.command(record.number, &Command::Join {}).map(|_| true)
}

/// What is kept of a no that stays one.
pub fn refused(error: &anyhow::Error) -> Option<No> {
    let problem = no(error).filter(|problem| lasts(problem))?;
    Some(No { said: shortened(&repeated(&error.to_string()), NO_MAX), goes_on: goes_on(problem) })
}

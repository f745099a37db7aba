//! Where what is told goes once its incident was merged into another: what the server knows of it went along, and gets the rest
//! there.
//!
//! A change has another number there. Which one is known exactly: what came along says when each change was told of, and by whom.

use serde_json::{Value, json};
use uuid::Uuid;
use wardroom_core::id::{Number, Time};

use super::kept::{Left, Record};
use super::telling::no;
use crate::client::Client;
use crate::exit::Failure;

/// What a change is told by from others, wherever it goes: when it was told of, by whom, and then its words.
struct Known {
    at: Option<Time>,
    by: Value,
    words: [Value; 2],
}

impl Known {
    fn of(change: &Value, at: &Value) -> Self {
        let at = at.as_str().and_then(|at| at.parse().ok());
        Self { at, by: change["by"].clone(), words: ["service", "what"].map(|word| change[word].clone()) }
    }

    fn is_the_same(&self, other: &Self) -> bool {
        self.at.is_some() && (self.at, &self.by) == (other.at, &other.by)
    }
}

/// Where the incident goes on that this says no for, if it was merged.
pub fn goes_on(problem: &Value) -> Option<Number> {
    let remedy = &problem["remedy"];
    let number = remedy["incident"].as_u64().filter(|_| remedy["do"] == "see")?;
    Number::new(u32::try_from(number).ok()?)
}

/// Has a run told where its incident goes on, if that is why it was not taken and the server knows of the run. What the server
/// has never heard of is told there only by whoever says so: it did not go along.
///
/// # Errors
/// What kept it from being known what it is there.
pub fn followed(client: &Client, record: &mut Record, error: &anyhow::Error) -> anyhow::Result<bool> {
    let into = no(error).and_then(goes_on).filter(|into| *into != record.number);
    let Some(into) = into.filter(|_| record.with_server || record.told.change.is_some()) else { return Ok(false) };
    follow(client, record, into).map_err(|error| match error.downcast() {
        Ok(Failure::Refused(mut problem)) => {
            let why = problem["detail"].as_str().unwrap_or_default().to_owned();
            problem["detail"] = json!(format!("Incident {} goes on as {into}. {why}", record.number));
            Failure::Refused(problem).into()
        }
        Ok(other) => other.into(),
        Err(other) => other,
    })?;
    Ok(true)
}

fn follow(client: &Client, record: &mut Record, into: Number) -> anyhow::Result<()> {
    let (from, was) = (record.number, record.told.change);
    if let Some(was) = was {
        record.told.change = there(client, (from, was), into)?;
        if record.told.change.is_none() {
            // It was settled before, and is nothing to be told of any more.
            record.change = None;
        }
    }
    record.left.get_or_insert(Left { number: from, change: was });
    record.number = into;
    record.refused = None;
    // What is kept as evidence stays with its incident, under the id that was drawn for it.
    record.told.evidence = None;
    record.requests.evidence = Uuid::now_v7();
    Ok(())
}

/// As which change of `into` this one goes on there; nothing where somebody had settled it: it stayed.
fn there(client: &Client, (from, change): (Number, u32), into: Number) -> anyhow::Result<Option<u32>> {
    let missing = |what: String| Failure::Refused(json!({ "code": "not_there", "detail": what }));
    let known = find(client, from, |entry| known_as(entry, change))?
        .ok_or_else(|| missing(format!("Nothing tells of change {change} of incident {from}.")))?;
    let came = find(client, into, |entry| {
        let body = &entry["body"];
        (entry["kind"] == "absorbed" && body["from"] == json!(from)).then(|| body["changes"].clone())
    })?;
    let came = came.ok_or_else(|| missing(format!("Nothing tells what came along from incident {from}.")))?;
    let same: Vec<(&Value, Known)> = came
        .as_array()
        .into_iter()
        .flatten()
        .map(|change| (change, Known::of(change, &change["at"])))
        .filter(|(_, other)| known.is_the_same(other))
        .collect();
    // Two of one moment, as where a clock stood still, are told apart by their words.
    let one = same.iter().find(|(_, other)| other.words == known.words).or(same.first());
    Ok(one.and_then(|(change, _)| u32::try_from(change["id"].as_u64()?).ok()))
}

/// A change of this number, where this entry brought it into its incident.
fn known_as(entry: &Value, change: u32) -> Option<Known> {
    let body = &entry["body"];
    match entry["kind"].as_str()? {
        "change_recorded" if body["change"] == change => Some(Known::of(body, &entry["at"])),
        "absorbed" => {
            let came = body["changes"].as_array()?.iter().find(|came| came["id"] == change)?;
            Some(Known::of(came, &came["at"]))
        }
        _ => None,
    }
}

/// Reads something; once more where the connection was lost: a server that says no to evidence before all of it came closes the
/// one that it came over, which may be seen only as something else is asked over it.
fn page(client: &Client, path: &str) -> anyhow::Result<Value> {
    match client.get(path) {
        Err(error) if matches!(error.downcast_ref(), Some(Failure::Unreachable(why)) if why["code"] == "unreachable") => {
            client.get(path)
        }
        read => read,
    }
}

/// What is looked for in the first entry of an incident that has it.
fn find<T>(client: &Client, number: Number, look: impl Fn(&Value) -> Option<T>) -> anyhow::Result<Option<T>> {
    let mut after = 0;
    loop {
        let page = page(client, &format!("/api/v1/incidents/{}/events?after_entry={after}", number.get()))?;
        let entries = page["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        if let Some(found) = entries.iter().find_map(&look) {
            return Ok(Some(found));
        }
        match entries.last().and_then(|last| last["entry"].as_u64()).filter(|last| *last > after) {
            Some(last) if page["more"] == true => after = last,
            _ => return Ok(None),
        }
    }
}

/// That it is told where its incident goes on, in words, if it is.
pub fn moved(record: &Record) -> Option<String> {
    let Left { number, change } = record.left.as_ref()?;
    let went = format!("incident {number} goes on as {}", record.number);
    Some(match (change, record.told.change) {
        (None, _) => went,
        (Some(was), Some(is)) => format!("{went}, and its change {was} as change {is}"),
        (Some(was), None) => format!("{went}; how its change {was} went had been said there"),
    })
}

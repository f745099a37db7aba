//! Verbs that read.

use std::io::IsTerminal;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::NamedTempFile;
use wardroom_core::audit::Topic;
use wardroom_core::id::{Number, Who};

use super::print_json;
use crate::args::{Extent, Remote};
use crate::client::Client;
use crate::exit::Failure;
use crate::plain::plain;
use crate::show;

/// Entries of the timeline below an incident that is shown.
const NEWEST: u64 = 20;

/// Somebody at a terminal is there; a script is not.
fn here(client: &Client) {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        client.present();
    }
}

/// `wardroom next`: one line.
pub fn next(client: &Client, remote: &Remote) -> anyhow::Result<()> {
    here(client);
    let answer = client.get("/api/v1/next")?;
    if remote.json {
        print_json(&answer);
    } else {
        println!("{}", show::next(&answer));
    }
    Ok(())
}

/// `wardroom list`.
pub fn list(client: &Client, remote: &Remote, drills: bool, all: bool) -> anyhow::Result<()> {
    let ended = if all { format!("&ended_below={}", u32::MAX) } else { String::new() };
    let answer = client.get(&format!("/api/v1/incidents?drills={drills}{ended}"))?;
    if remote.json {
        print_json(&answer);
    } else {
        println!("{}", show::list(&answer));
    }
    Ok(())
}

/// `wardroom show N`.
pub fn show(client: &Client, remote: &Remote, number: Number) -> anyhow::Result<()> {
    here(client);
    if remote.json {
        print_json(&client.get(&format!("/api/v1/incidents/{n}", n = number.get()))?);
        return Ok(());
    }
    // The briefing holds the words of the pinned notes too, which the state does not.
    let briefing = client.get(&format!("/api/v1/incidents/{n}/briefing?since={}", u32::MAX, n = number.get()))?;
    let written = client.get(&format!("/api/v1/incidents/{n}/written", n = number.get()))?;
    let last = briefing["briefed_to"].as_u64().unwrap_or_default();
    let newest = show::entries(client, number, last.saturating_sub(NEWEST - 1).max(1), last)?;
    println!("{}", show::whole(&briefing, &written, &newest));
    Ok(())
}

/// `wardroom document N`: the sheet, as the server makes it.
pub fn document(
    client: &Client,
    remote: &Remote,
    number: Number,
    html: bool,
    timeline: &Extent,
    output: Option<&Path>,
) -> anyhow::Result<()> {
    here(client);
    let ending = if html { "html" } else { "md" };
    let path = format!("/api/v1/incidents/{}/document.{ending}?timeline={}", number.get(), timeline.as_str());
    if let Some(file) = output {
        // What is there already is kept until all of the new is here.
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let unwritable = |error: &dyn std::fmt::Display| Failure::misused(format!("{}: {error}", file.display()));
        let mut new = NamedTempFile::new_in(folder).map_err(|error| unwritable(&error))?;
        client.copy(&path, &mut new)?;
        new.persist(file).map_err(|error| unwritable(&error))?;
        if remote.json {
            print_json(&json!({ "incident": number, "file": file }));
        } else {
            println!("The state document of {number} is in {}.", file.display());
        }
        return Ok(());
    }
    let mut sheet = Vec::new();
    client.copy(&path, &mut sheet)?;
    let mut sheet = json!({ "document": String::from_utf8_lossy(&sheet) });
    plain(&mut sheet);
    if remote.json {
        print_json(&sheet);
    } else {
        print!("{}", sheet["document"].as_str().unwrap_or_default());
    }
    Ok(())
}

/// `wardroom briefing N`.
pub fn briefing(client: &Client, remote: &Remote, number: Number) -> anyhow::Result<()> {
    here(client);
    let answer = client.get(&format!("/api/v1/incidents/{n}/briefing", n = number.get()))?;
    if remote.json {
        print_json(&answer);
    } else {
        println!("{}", show::briefing(&answer));
    }
    Ok(())
}

/// `wardroom audit`: a page of the directory's stream, the newest last.
pub fn audit(
    client: &Client,
    remote: &Remote,
    person: Option<&Who>,
    topic: Option<Topic>,
    before: Option<u64>,
) -> anyhow::Result<()> {
    let topic = topic.and_then(|topic| Some(serde_json::to_value(topic).ok()?.as_str()?.to_owned()));
    let asked = [("person", person.map(Who::to_string)), ("topic", topic), ("before", before.map(|n| n.to_string()))];
    let asked: String = asked.iter().filter_map(|(name, value)| Some(format!("&{name}={}", value.as_ref()?))).collect();
    let answer = client.get(&format!("/api/v1/audit?limit=100{asked}"))?;
    if remote.json {
        print_json(&answer);
        return Ok(());
    }
    let entries = answer["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    if let Some(oldest) = entries.last().filter(|_| answer["more"] == true) {
        println!("There is more before this: wardroom audit --before {}", oldest["entry"]);
    }
    let mut day = "";
    for entry in entries.iter().rev() {
        let date = entry["at"].as_str().and_then(|at| at.get(..10)).unwrap_or_default();
        if date != day {
            day = date;
            println!("{}", show::day(date));
        }
        println!("{}", show::line(entry));
    }
    Ok(())
}

/// `wardroom timeline N`, oldest first; with `--follow` it stays.
pub fn timeline(client: &Client, remote: &Remote, number: Number, follow: bool) -> anyhow::Result<()> {
    let mut day = String::new();
    let mut print = |entry: &Value| {
        if remote.json {
            println!("{entry}");
            return;
        }
        // An incident goes on over midnight: an hour alone would not say when.
        let date = entry["at"].as_str().and_then(|at| at.get(..10)).unwrap_or_default();
        if date != day {
            date.clone_into(&mut day);
            println!("{}", show::day(date));
        }
        println!("{}", show::line(entry));
    };
    let mut cursor = String::new();
    loop {
        let after = if cursor.is_empty() { String::new() } else { format!("?after={cursor}") };
        let page = client.get(&format!("/api/v1/incidents/{n}/events{after}", n = number.get()))?;
        for entry in page["entries"].as_array().into_iter().flatten() {
            print(entry);
            cursor = entry["cursor"].as_str().unwrap_or(&cursor).to_owned();
        }
        if page["more"] != true {
            break;
        }
    }
    if !follow {
        return Ok(());
    }
    client.follow(number, &cursor, |entry| {
        print(entry);
        Ok(true)
    })
}

//! What stands in the state document, in a terminal.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::Value;

use super::width::{width, wrapped};
use super::{ago, day, line, name, soft, text};

/// Who it is with, and where its bug is tracked.
fn beside(item: &Value) -> String {
    let owner = (!item["owner"].is_null()).then(|| name(&item["owner"]).to_owned());
    let bug = item["bug"].as_str().map(str::to_owned);
    let all: Vec<String> = [owner, bug].into_iter().flatten().collect();
    if all.is_empty() { String::new() } else { format!(" {}", soft(&all.join(", "))) }
}

/// Exit criteria: open, met or waived.
pub fn criteria(out: &mut String, state: &Value) {
    let all = state["criteria"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !all.is_empty() {
        let _ = writeln!(out, "\n{}", soft("EXIT CRITERIA"));
    }
    for criterion in all {
        let who = || format!("{}, {} ago", name(&criterion["settled_by"]), ago(&criterion["settled_at"]));
        let stands = match criterion["state"].as_str() {
            Some("met") => format!("met  {}", soft(&who())),
            Some("waived") => format!("waived: {} {}", text(&criterion["reason"]), soft(&who())),
            _ => "open".to_owned(),
        };
        let _ = writeln!(out, "  {}. {}{}  {stands}", criterion["id"], text(&criterion["text"]), beside(criterion));
    }
}

/// To-dos and bugs filed.
pub fn todos(out: &mut String, state: &Value) {
    let all = state["todos"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !all.is_empty() {
        let _ = writeln!(out, "\n{}", soft("TO-DO LIST AND BUGS FILED"));
    }
    for todo in all {
        let done = if todo["done_at"].is_null() { "" } else { "  done" };
        let _ = writeln!(out, "  {}. {}{}{done}", todo["id"], text(&todo["text"]), beside(todo));
    }
}

fn moment(at: &Value) -> Option<Timestamp> {
    at.as_str().and_then(|at| at.parse().ok())
}

fn heading(part: &str) -> &'static str {
    match part {
        "summary" => "SUMMARY",
        "status" => "DETAILED STATUS",
        _ => "WORKING NOTES",
    }
}

/// A part as it is written now, with its age.
pub fn written(out: &mut String, state: &Value, written: &Value, part: &str) {
    if written["damaged"] == true {
        let _ = writeln!(out, "\n{}", soft(heading(part)));
        let _ = writeln!(out, "  It cannot be read: its record is damaged. On the server: wardroom verify");
        return;
    }
    let of = |all: &Value| all.as_array().into_iter().flatten().find(|one| one["part"] == part).cloned();
    let now = of(&written["parts"]).unwrap_or_default();
    let mut ages = Vec::new();
    if now["changed_at"].is_string() {
        ages.push(format!("last updated {} ago by {}", ago(&now["changed_at"]), name(&now["changed_by"])));
    }
    if let Some(stamp) = of(&state["document"]["stamps"]) {
        ages.push(format!("still true {} ago, says {}", ago(&stamp["at"]), name(&stamp["by"])));
        if moment(&now["changed_at"]) > moment(&stamp["at"]) {
            ages.push("changed since".to_owned());
        }
    }
    let due = &state["document"]["parts_due"][part];
    if moment(due).is_some_and(|due| due <= Timestamp::now()) {
        ages.push(format!("to be confirmed for {}", ago(due)));
    }
    let words = now["text"].as_str().unwrap_or_default().trim_end();
    if words.trim().is_empty() && ages.is_empty() {
        return;
    }
    let age = if ages.is_empty() { String::new() } else { format!(", {}", ages.join("; ")) };
    let _ = writeln!(out, "\n{}", soft(&format!("{}{age}", heading(part))));
    let fits = width().map(|width| width.saturating_sub(2));
    for line in words.lines() {
        for piece in wrapped(line, fits) {
            let _ = writeln!(out, "  {piece}");
        }
    }
}

/// Who commands next, if it is offered.
pub fn next_commander(out: &mut String, state: &Value) {
    let command = state["roles"].as_array().into_iter().flatten().find(|role| role["role"] == "command");
    let Some(offer) = command.map(|role| &role["offer"]).filter(|offer| offer.is_object()) else { return };
    let to = match offer["to"]["team"].as_str() {
        Some(team) => format!("somebody of the team {team}"),
        None => name(&offer["to"]["person"]).to_owned(),
    };
    let _ = writeln!(out, "\n{}\n  {to}, once they take it", soft("NEXT COMMANDER"));
}

/// The newest entries, the newest first.
pub fn timeline(out: &mut String, state: &Value, newest: &[Value]) {
    let (number, all, shown) = (state["number"].as_u64().unwrap_or_default(), &state["last_entry"], newest.len());
    let more = newest.first().is_some_and(|oldest| oldest["entry"].as_u64() > Some(1));
    let what = if more {
        format!("TIMELINE, the newest {shown} of {all}, newest first; all of it: wardroom timeline {number}")
    } else {
        "TIMELINE, newest first".to_owned()
    };
    let _ = writeln!(out, "\n{}", soft(&what));
    let mut last = "";
    for entry in newest.iter().rev() {
        let date = entry["at"].as_str().and_then(|at| at.get(..10)).unwrap_or_default();
        if date != last {
            last = date;
            let _ = writeln!(out, "{}", day(date));
        }
        let _ = writeln!(out, "{}", line(entry));
    }
}

/// The written parts as they were marked last, and which of them the reader has not seen.
pub fn marked(out: &mut String, document: &Value) {
    for part in document["parts"].as_array().into_iter().flatten() {
        let heading = heading(part["part"].as_str().unwrap_or_default());
        let new = if part["new"] == true { ", new to you" } else { "" };
        let _ = writeln!(out, "\n{}", soft(&format!("{heading}, as of entry {}{new}", document["entry"])));
        for line in text(&part["text"]).lines() {
            let _ = writeln!(out, "  {line}");
        }
    }
}

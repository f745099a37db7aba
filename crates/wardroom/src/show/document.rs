//! What stands in the state document, in a terminal.

use std::fmt::Write;

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

/// The heading of a list, and what is in it; that there is nothing, if there is not.
fn listed<'a>(out: &mut String, heading: &str, list: &'a Value, nothing: &str) -> &'a [Value] {
    let all = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let _ = writeln!(out, "\n{}", soft(heading));
    if all.is_empty() {
        let _ = writeln!(out, "  {nothing}");
    }
    all
}

/// Exit criteria: open, met or waived.
pub fn criteria(out: &mut String, state: &Value) {
    let all = listed(out, "EXIT CRITERIA", &state["criteria"], "None is written down.");
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
    let all = listed(out, "TO-DO LIST AND BUGS FILED", &state["todos"], "Nothing is on it.");
    for todo in all {
        let done = if todo["done_at"].is_null() { "" } else { "  done" };
        let _ = writeln!(out, "  {}. {}{}{done}", todo["id"], text(&todo["text"]), beside(todo));
    }
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
    }
    if now["changed_since"] == true {
        ages.push("changed since".to_owned());
    }
    if now["late_since"].is_string() {
        ages.push(format!("to be confirmed for {}", ago(&now["late_since"])));
    }
    let words = now["text"].as_str().unwrap_or_default().trim_end();
    let words = if words.trim().is_empty() { "Nothing is written here." } else { words };
    let age = if ages.is_empty() { String::new() } else { format!(", {}", ages.join("; ")) };
    let _ = writeln!(out, "\n{}", soft(&format!("{}{age}", heading(part))));
    let fits = width().map(|width| width.saturating_sub(2));
    for line in words.lines() {
        for piece in wrapped(line, fits) {
            let _ = writeln!(out, "  {piece}");
        }
    }
}

/// Who commands next.
pub fn next_commander(out: &mut String, state: &Value) {
    let command = state["roles"].as_array().into_iter().flatten().find(|role| role["role"] == "command");
    let offer = command.map(|role| &role["offer"]).filter(|offer| offer.is_object());
    let to = match offer.map(|offer| &offer["to"]) {
        None => "to be determined".to_owned(),
        Some(to) => match to["team"].as_str() {
            Some(team) => format!("somebody of the team {team}, once they take it"),
            None => format!("{}, once they take it", name(&to["person"])),
        },
    };
    let _ = writeln!(out, "\n{}\n  {to}", soft("NEXT COMMANDER"));
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

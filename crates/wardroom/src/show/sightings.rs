//! Changes of which other systems told, in a terminal.

use std::fmt::Write;

use serde_json::Value;

use super::{ago, all, name, soft, text};

/// Who made it, as far as anybody knows.
fn who(seen: &Value) -> String {
    match (&seen["person"], &seen["who"]) {
        (Value::Null, Value::Null) => String::new(),
        (Value::Null, who) => format!(" by {}", text(who)),
        (person, _) => format!(" by {}", name(person)),
    }
}

/// What is to be done about it, or what became of it.
fn stands(seen: &Value, number: &Value) -> String {
    let id = &seen["id"];
    let asked = match &seen["asked_in_by"] {
        Value::Null => String::new(),
        by => format!(", asked in by {}", name(by)),
    };
    match (&seen["change"], &seen["sorted_by"]) {
        _ if seen["unsorted"] == true => {
            format!("uncoordinated{asked}: wardroom sighting {number} take-in {id}, or dismiss {id}")
        }
        (Value::Null, Value::Null) => format!("told by {}{asked}", text(&seen["source"])),
        (Value::Null, by) => format!("dismissed by {}", name(by)),
        (change, _) => format!("change {change} of the ledger"),
    }
}

fn line(out: &mut String, seen: &Value, number: &Value) {
    let stage = match seen["stage"].as_str() {
        Some("begun") => " (under way)",
        Some("failed") => " (failed)",
        _ => "",
    };
    let place = seen["environment"].as_str().map(|place| format!(" in {place}")).unwrap_or_default();
    let (id, service, what, ago) = (&seen["id"], text(&seen["service"]), text(&seen["what"]), ago(&seen["at"]));
    let _ = writeln!(out, "  {id}. {ago} ago  {service}: {what}{stage}{}{place}", who(seen));
    let _ = writeln!(out, "     {}", soft(&stands(seen, number)));
    if let Some(link) = seen["link"].as_str() {
        let _ = writeln!(out, "     {}", soft(link));
    }
}

/// "3 changes in the hour before impact began", if there were any.
fn before(seen: &[Value]) -> Option<String> {
    match seen.iter().filter(|one| one["before_impact"] == true).count() {
        0 => None,
        1 => Some("1 change in the hour before impact began".to_owned()),
        many => Some(format!("{many} changes in the hour before impact began")),
    }
}

/// What an incident's view has of it; nothing where nothing was told.
pub fn sightings(out: &mut String, state: &Value) {
    let seen = all(&state["sightings"]);
    if seen.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", soft("SEEN FROM OUTSIDE"));
    if let Some(before) = before(seen) {
        let _ = writeln!(out, "  {before}: wardroom sightings {}", state["number"]);
    }
    for one in seen.iter().filter(|one| one["unsorted"] == true) {
        line(out, one, &state["number"]);
    }
}

/// `wardroom sightings`: every one.
pub fn all_sightings(told: &Value) -> String {
    let seen = all(&told["sightings"]);
    if seen.is_empty() {
        return "No other system told of a change to what this incident is about.".to_owned();
    }
    let mut out = String::new();
    if let Some(before) = before(seen) {
        let _ = writeln!(out, "{before}.");
    }
    for one in seen {
        line(&mut out, one, &told["incident"]);
    }
    out.trim_end().to_owned()
}

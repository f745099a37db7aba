//! Changes of which other systems told, in a terminal.

use std::fmt::Write;

use serde_json::Value;
use wardroom_core::sighting::says;

use super::{ago, all, name, soft, text};

/// So many that operations have to sort stand where an incident is shown; the rest is a verb away.
const FEW: usize = 5;

/// Who made it, as far as anybody knows: what another system says is nobody's name here.
pub(super) fn maker(of: &Value) -> Option<String> {
    match (&of["person"], &of["who"]) {
        (Value::Null, Value::Null) => None,
        (Value::Null, who) => Some(format!("“{}” (nobody here is called that)", text(who))),
        (person, _) => Some(name(person).to_owned()),
    }
}

/// Whose word that is: GitHub's, or somebody's who told of another's change, or names another as the maker of their own.
fn word(seen: &Value) -> String {
    let (by, person) = (&seen["told_by"], &seen["person"]);
    match seen["who"].as_str() {
        _ if seen["told_by_github"] == true => ", told by GitHub".to_owned(),
        _ if by.is_null() => String::new(),
        _ if by["id"] != person["id"] => format!(", with a token of {}", name(by)),
        Some(who) if ["handle", "name"].iter().all(|key| !is(&person[*key], who)) => format!(", who names “{who}”"),
        _ => String::new(),
    }
}

fn is(name: &Value, who: &str) -> bool {
    name.as_str().is_some_and(|name| name.to_lowercase() == who.to_lowercase())
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
        (change, Value::Null) if seen["person"].is_null() => format!("taken for change {change} of the ledger"),
        (change, Value::Null) => format!("change {change} of the ledger"),
        (change, by) => format!("change {change} of the ledger, taken in by {}", name(by)),
    }
}

fn line(out: &mut String, seen: &Value, number: &Value) {
    let stage = match seen["stage"].as_str() {
        Some("begun") => " (under way)",
        Some("failed") => " (failed)",
        _ => "",
    };
    let place = seen["environment"].as_str().filter(|place| !says(text(&seen["what"]), place));
    let place = place.map(|place| format!(" in {place}")).unwrap_or_default();
    let who = maker(seen).map(|who| format!(" by {who}")).unwrap_or_default();
    let (id, service, what, ago) = (&seen["id"], text(&seen["service"]), text(&seen["what"]), ago(&seen["at"]));
    let _ = writeln!(out, "  {id}. {ago} ago  {service}: {what}{stage}{who}{}{place}", word(seen));
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
    let number = &state["number"];
    let unsorted: Vec<&Value> = seen.iter().filter(|one| one["unsorted"] == true).collect();
    for one in unsorted.iter().take(FEW) {
        line(out, one, number);
    }
    if let more @ 1.. = unsorted.len().saturating_sub(FEW) {
        let _ = writeln!(out, "  {more} more to sort: wardroom sightings {number}");
    }
    if let [.., before, last] = &unsorted[..] {
        let (before, last) = (&before["id"], &last["id"]);
        let hint = format!("several at once: wardroom sighting {number} dismiss {before} {last}");
        let _ = writeln!(out, "  {}", soft(&hint));
    }
    cut(out, &state["sightings_cut"]);
    full(out, &state["sightings_full"], &state["sightings_seen"]);
}

/// Of whom no more is kept.
fn cut(out: &mut String, tellers: &Value) {
    for teller in all(tellers) {
        let _ = writeln!(
            out,
            "  {} changes told by {} were heard of; more of these are kept only to be sorted, up to {}.",
            teller["heard"],
            text(&teller["source"]),
            teller["at_most"]
        );
    }
}

/// That no more are kept, once it is so.
fn full(out: &mut String, full: &Value, many: &Value) {
    if *full == true {
        let _ = writeln!(out, "  {many} changes were heard of; more are not kept here.");
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
    cut(&mut out, &told["cut"]);
    full(&mut out, &told["full"], &Value::from(seen.len()));
    out.trim_end().to_owned()
}

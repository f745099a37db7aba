//! The ledger of changes, in a terminal.

use std::fmt::Write;

use serde_json::Value;

use super::{ago, all, name, soft, text};

fn of(state: &Value, id: &Value) -> Value {
    all(&state["changes"]).iter().find(|change| change["id"] == *id).cloned().unwrap_or_default()
}

fn unsorted(change: &Value) -> &'static str {
    if change["coordination"] == "uncoordinated" { "uncoordinated: operations have not sorted it" } else { "" }
}

/// Several lines under each other, so that none passes for one of ours.
fn under(words: &str, indent: usize) -> String {
    words.trim_end().replace('\n', &format!("\n{}", " ".repeat(indent)))
}

/// Who told of it, and who made it where that is somebody else.
fn whose(change: &Value) -> String {
    let by = name(&change["by"]);
    match &change["maker"] {
        Value::Null if !change["made_by"].is_null() => {
            format!("made by {}, written down by {by}", name(&change["made_by"]))
        }
        Value::Null => by.to_owned(),
        maker => format!("made by {}, taken in by {by}", super::sightings::maker(maker).unwrap_or("somebody".into())),
    }
}

/// Who said how it stands, when, in which words, and which entry shows it; nothing where that is what was told at first.
fn stands(change: &Value) -> Option<String> {
    let state = change["state"].as_str().unwrap_or("?");
    let at_first = change["state_at"] == change["at"] && change["state_by"]["id"] == change["by"]["id"];
    if state == "announced" || at_first {
        return None;
    }
    let state = match state {
        "reverted" => "reverted by",
        "adopted" => "kept for good by",
        "handed_on" => "handed to a bug by",
        "dismissed" => "dismissed by",
        "failed" => "failed and changed nothing, says",
        "dropped" => "not made after all, says",
        _ => "done, says",
    };
    let mut out = format!("{state} {}, {} ago", name(&change["state_by"]), ago(&change["state_at"]));
    let beside = ["note", "bug"].map(|key| change[key].as_str());
    for (at, words) in beside.into_iter().flatten().enumerate() {
        let _ = write!(out, "{} {}", if at == 0 { ":" } else { ";" }, under(words, 9));
    }
    if let Some(entry) = change["evidence"].as_u64() {
        let _ = write!(out, " (evidence: entry {entry})");
    }
    Some(out)
}

/// What the gate saw of it, a line each.
fn passed(out: &mut String, change: &Value, indent: usize) {
    for line in all(&change["passed"]) {
        let told = format!("passed the gate as: {}, by {}", text(&line["what"]), text(&line["through"]));
        let _ = writeln!(out, "{:indent$}{}", "", soft(&told));
    }
}

/// What differs from normal right now, service by service, the newest first.
pub fn differing(out: &mut String, state: &Value) {
    let services = all(&state["differing"]);
    let _ = writeln!(out, "\n{}", soft("DIFFERS FROM NORMAL"));
    if services.is_empty() {
        let _ = writeln!(out, "  Nothing.");
    }
    for service in services {
        let unknown = if service["unknown"] == true { "  unknown to the directory" } else { "" };
        let _ = writeln!(out, "  {}{}", text(&service["service"]), soft(unknown));
        for change in all(&service["changes"]).iter().map(|id| of(state, id)) {
            let when = soft(&format!("{}, {} ago", whose(&change), ago(&change["done_at"])));
            let _ = writeln!(out, "    {}. {}  {when}", change["id"], text(&change["what"]));
            if !unsorted(&change).is_empty() {
                let _ = writeln!(out, "       {}", unsorted(&change));
            }
            if let Some(stands) = stands(&change) {
                let _ = writeln!(out, "       {}", soft(&stands));
            }
            passed(out, &change, 7);
            match change["back"].as_str() {
                Some(back) => {
                    let _ = writeln!(out, "       to undo it: {}", under(back, 19));
                }
                None => {
                    let _ = writeln!(out, "       {}", soft("nobody has said how to undo it"));
                }
            }
        }
    }
    let announced = all(&state["changes"]).iter().filter(|change| change["state"] == "announced");
    for change in announced {
        let told = format!("announced by {}, {} ago", whose(change), ago(&change["at"]));
        let what = format!("{}: {}", text(&change["service"]), text(&change["what"]));
        let _ = writeln!(out, "  {}. {what}  {}", change["id"], soft(&told));
        passed(out, change, 5);
    }
}

/// `wardroom changes`: what differs, and everything that was told of.
pub fn ledger(ledger: &Value) -> String {
    let mut out = String::new();
    differing(&mut out, ledger);
    let changes = all(&ledger["changes"]);
    let _ = writeln!(out, "\n{}", soft("CHANGES, in the order in which they were told"));
    if changes.is_empty() {
        let _ = writeln!(out, "  None. To tell of one: wardroom change {} record \"…\"", ledger["incident"]);
    }
    for change in changes {
        let what = format!("{}. {}: {}", change["id"], text(&change["service"]), text(&change["what"]));
        let (when, unsorted) = (soft(&format!("{}, {} ago", whose(change), ago(&change["at"]))), unsorted(change));
        let unsorted = if unsorted.is_empty() { String::new() } else { format!(": {unsorted}") };
        match stands(change) {
            Some(stands) => {
                let _ = writeln!(out, "  {what}  {when}\n     {stands}{unsorted}");
            }
            None => {
                let _ = writeln!(out, "  {what}  {}{unsorted}  {when}", text(&change["state"]));
            }
        }
        passed(&mut out, change, 5);
    }
    out.trim().to_owned()
}

/// `wardroom undo`: everything that differs, in the order in which it is undone.
pub fn undoing(ledger: &Value) -> String {
    let services = all(&ledger["differing"]);
    if services.is_empty() {
        return "Nothing differs from normal.".to_owned();
    }
    let mut out = String::from("Undo it in this order, and say of each when it is done:\n");
    let mut step = 0;
    for change in services.iter().flat_map(|service| all(&service["changes"])).map(|id| of(ledger, id)) {
        step += 1;
        let _ = writeln!(out, "\n{step}. {}: {}", text(&change["service"]), text(&change["what"]));
        let back = change["back"].as_str().map_or("nobody has said how", |back| back);
        let _ = writeln!(out, "   to undo it: {}", under(back, 15));
        let _ = writeln!(out, "   then: wardroom change {} revert {}", ledger["incident"], change["id"]);
    }
    out.trim_end().to_owned()
}

//! The ledger of changes, in a terminal.

use std::fmt::Write;

use serde_json::Value;

use super::{ago, name, soft, text};

fn all(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn of(state: &Value, id: &Value) -> Value {
    all(&state["changes"]).iter().find(|change| change["id"] == *id).cloned().unwrap_or_default()
}

fn unsorted(change: &Value) -> &'static str {
    if change["coordination"] == "uncoordinated" { "uncoordinated: operations have not sorted it" } else { "" }
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
            let when = soft(&format!("{}, {} ago", name(&change["by"]), ago(&change["done_at"])));
            let _ = writeln!(out, "    {}. {}  {when}", change["id"], text(&change["what"]));
            if !unsorted(&change).is_empty() {
                let _ = writeln!(out, "       {}", unsorted(&change));
            }
            match change["back"].as_str() {
                Some(back) => {
                    let _ = writeln!(out, "       to undo it: {back}");
                }
                None => {
                    let _ = writeln!(out, "       {}", soft("nobody has said how to undo it"));
                }
            }
        }
    }
    let announced = all(&state["changes"]).iter().filter(|change| change["state"] == "announced");
    for change in announced {
        let told = format!("announced by {}, {} ago", name(&change["by"]), ago(&change["at"]));
        let what = format!("{}: {}", text(&change["service"]), text(&change["what"]));
        let _ = writeln!(out, "  {}. {what}  {}", change["id"], soft(&told));
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
        let state = if change["state"] == "handed_on" { "handed to a bug" } else { text(&change["state"]) };
        let beside: Vec<&str> = [text(&change["note"]), text(&change["bug"]), unsorted(change)]
            .into_iter()
            .filter(|words| !words.is_empty())
            .collect();
        let beside = if beside.is_empty() { String::new() } else { format!(": {}", beside.join("; ")) };
        let when = soft(&format!("{}, {} ago", name(&change["by"]), ago(&change["at"])));
        let what = format!("{}. {}: {}", change["id"], text(&change["service"]), text(&change["what"]));
        let _ = writeln!(out, "  {what}  {state}{beside}  {when}");
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
        let _ = writeln!(out, "   to undo it: {back}");
        let _ = writeln!(out, "   then: wardroom change {} revert {}", ledger["incident"], change["id"]);
    }
    out.trim_end().to_owned()
}

//! What is kept as evidence, in a terminal.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::Value;
use wardroom_core::evidence::size;

use super::{name, soft, text};

/// What is worth keeping before something is changed, with what to type for it; nothing where there is nothing.
pub fn worth(out: &mut String, state: &Value) {
    let all = state["worth_keeping"].as_array().map(Vec::as_slice).unwrap_or_default();
    if all.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", soft("WORTH KEEPING"));
    for one in all {
        let (number, how) = (&state["number"], text(&one["how"]));
        let typed = if how.starts_with("https://") || how.starts_with("http://") {
            format!("wardroom evidence fetch {number} '{}'", how.replace('\'', "%27"))
        } else {
            format!("wardroom run {number} --look -- {how}")
        };
        let _ = writeln!(out, "  {} of {}: {typed}", text(&one["what"]), text(&one["service"]));
    }
}

/// `wardroom evidence list`: each piece with its digest below it, so that both can be read and copied.
pub fn evidence(answer: &Value) -> String {
    let pieces = answer["evidence"].as_array().map(Vec::as_slice).unwrap_or_default();
    if pieces.is_empty() {
        let number = &answer["incident"];
        return format!("Nothing is kept as evidence. To attach a file: wardroom evidence add {number} FILE");
    }
    let mut out = String::new();
    for piece in pieces {
        let at = piece["at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let at = at.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default();
        let bytes = size(piece["bytes"].as_u64().unwrap_or_default());
        let about = format!("{bytes}, {}, by {}, {at}", text(&piece["media_type"]), name(&piece["by"]));
        let entry = piece["entry"].as_u64().unwrap_or_default();
        let _ =
            writeln!(out, "{entry:>4}  {}  {}\n      {}", text(&piece["name"]), soft(&about), text(&piece["sha256"]));
        if let Some(why) = piece["why"].as_str() {
            let _ = writeln!(out, "      {why}");
        }
    }
    out.trim_end().to_owned()
}

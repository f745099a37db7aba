//! What is kept as evidence, in a terminal.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::Value;
use wardroom_core::evidence::size;
use wardroom_core::preserve::Way;

use super::{name, soft, text};

/// What is worth keeping before something is changed, with what to type for it; nothing where there is nothing.
pub fn worth(out: &mut String, state: &Value) {
    let all = state["worth_keeping"].as_array().map(Vec::as_slice).unwrap_or_default();
    if all.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", soft("WORTH KEEPING"));
    for one in all {
        let _ =
            writeln!(out, "  {} of {}: {}", text(&one["what"]), text(&one["service"]), to_do(&state["number"], one));
    }
}

/// What is to be typed, if anything is.
fn to_do(number: &Value, one: &Value) -> String {
    let how = text(&one["how"]);
    let typed = match Way::of(how) {
        Ok(Way::Url(url)) => format!("wardroom evidence fetch {number} '{}'", url.replace('\'', "%27")),
        Ok(Way::Capture(name)) => format!("the capture {name}"),
        Ok(Way::ByHand) | Err(_) => format!("wardroom run {number} --look -- {how}"),
    };
    match one["stands"].as_str() {
        Some("under_way") => "Wardroom is keeping it".to_owned(),
        Some("when_declared") => format!("{typed} (Wardroom keeps it once this is declared)"),
        Some("only_shown") => format!("{typed} (in an incident, Wardroom would keep it)"),
        Some("not_kept") => format!("{typed} (not kept by itself: {})", text(&one["why"])),
        _ => typed,
    }
}

/// Who brought it.
fn by(who: &Value) -> String {
    if who.is_null() { "Wardroom itself".to_owned() } else { name(who).to_string() }
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
        let about = format!("{bytes}, {}, by {}, {at}", text(&piece["media_type"]), by(&piece["by"]));
        let entry = piece["entry"].as_u64().unwrap_or_default();
        let _ =
            writeln!(out, "{entry:>4}  {}  {}\n      {}", text(&piece["name"]), soft(&about), text(&piece["sha256"]));
        if let Some(why) = piece["why"].as_str() {
            let _ = writeln!(out, "      {why}");
        }
    }
    out.trim_end().to_owned()
}

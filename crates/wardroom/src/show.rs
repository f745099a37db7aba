//! How things look in a terminal: for a person who is tired and in a hurry. Colours only on a terminal.

mod changes;
mod document;
mod evidence;
mod next;
mod permissions;
mod services;
mod sightings;
mod width;

pub use changes::{ledger, undoing};
pub use evidence::evidence;
pub use next::next;
pub use permissions::gates;
pub use services::{counted, services};
pub use sightings::all_sightings;

use std::fmt::Write;
use std::io::IsTerminal;

use comfy_table::{ContentArrangement, Table, presets};
use jiff::{Timestamp, Unit};
use serde_json::Value;
use wardroom_core::id::Number;

use crate::client::Client;

/// Whether what goes there may be coloured: a terminal that wants colours (`NO_COLOR`).
pub fn colours(on: &impl IsTerminal) -> bool {
    on.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Wraps text in a colour, where there may be any.
fn paint(code: &str, text: &str) -> String {
    if colours(&std::io::stdout()) { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

fn bold(text: &str) -> String {
    paint("1", text)
}

fn soft(text: &str) -> String {
    paint("2", text)
}

fn all(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("(redacted)")
}

fn name(person: &Value) -> &str {
    person["name"].as_str().unwrap_or("nobody")
}

/// How long ago, in the largest unit that says enough.
fn ago(at: &Value) -> String {
    let Some(at) = at.as_str().and_then(|at| at.parse::<Timestamp>().ok()) else { return "?".to_owned() };
    span(Timestamp::now().duration_since(at).as_secs())
}

/// How long until then; late when it has passed.
fn until(at: &Value) -> String {
    let Some(at) = at.as_str().and_then(|at| at.parse::<Timestamp>().ok()) else { return "?".to_owned() };
    match at.duration_since(Timestamp::now()).as_secs() {
        left if left >= 0 => format!("in {}", span(left)),
        late => format!("{} late", span(-late)),
    }
}

fn span(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// What stands above the things that a new commander has not seen.
pub const FIRST: &str = "Look at this first. It matters, and you had not seen it when you took command:";

/// Between the entries of one day and those of the next.
pub fn day(day: &str) -> String {
    soft(&format!("{day}, times in UTC"))
}

/// One entry of the timeline.
pub fn line(entry: &Value) -> String {
    let at = entry["at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    let at = at.map(|at| at.round(Unit::Second).unwrap_or(at).strftime("%H:%M:%S").to_string()).unwrap_or_default();
    let told = entry["told"].as_str().or(entry["kind"].as_str()).unwrap_or_default();
    let loud = matches!(
        entry["kind"].as_str(),
        Some("opened" | "declared" | "role_taken" | "command_assumed" | "phase_set" | "closed" | "commander_absent")
    );
    let number = entry["entry"].as_u64().unwrap_or_default();
    // A carriage return would let a note write over what stands before it in its line.
    let told = told.replace('\r', "").replace('\n', "\n               ");
    format!("{} {}  {}", soft(&at), soft(&format!("{number:>4}")), if loud { bold(&told) } else { told })
}

/// Entries `first` to `last` of an incident.
pub fn entries(client: &Client, number: Number, first: u64, last: u64) -> anyhow::Result<Vec<Value>> {
    let (after, count) = (first.saturating_sub(1), last.saturating_sub(first) + 1);
    let page =
        client.get(&format!("/api/v1/incidents/{n}/events?after_entry={after}&limit={count}", n = number.get()))?;
    Ok(page["entries"].as_array().cloned().unwrap_or_default())
}

/// `wardroom list`.
pub fn list(answer: &Value) -> String {
    let rows = answer["incidents"].as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        return "Nothing is open. To declare early: wardroom declare \"what is wrong\"".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["", "", "phase", "commander", "open for", "next due", ""]);
    for row in rows {
        let due = if row["next_due"].is_null() { String::new() } else { until(&row["next_due"]) };
        let unseen = row["commander_unseen_since"].is_string();
        let commander = format!("{}{}", name(&row["commander"]), if unseen { " (unseen)" } else { "" });
        let phase = if row["phase"] == "investigating" { "not declared" } else { text(&row["phase"]) };
        table.add_row([
            text(&row["severity"]),
            &format!("#{}", row["number"]),
            phase,
            &commander,
            &ago(&row["opened_at"]),
            &due,
            text(&row["title"]),
        ]);
    }
    table.to_string()
}

/// How an incident stands, as the briefing and the demo show it.
pub fn incident(state: &Value) -> String {
    let mut out = head(state);
    command(&mut out, state);
    changes::differing(&mut out, state);
    sightings::sightings(&mut out, state);
    permissions::permissions(&mut out, state);
    evidence::worth(&mut out, state);
    document::criteria(&mut out, state);
    document::todos(&mut out, state);
    lists(&mut out, state);
    out.trim_end().to_owned()
}

/// `wardroom show N`: the whole state document, in the order of the page.
pub fn whole(briefing: &Value, written: &Value, newest: &[Value]) -> String {
    let state = &briefing["state"];
    let mut out = head(state);
    document::written(&mut out, state, written, "summary");
    command(&mut out, state);
    document::next_commander(&mut out, state);
    document::written(&mut out, state, written, "status");
    changes::differing(&mut out, state);
    sightings::sightings(&mut out, state);
    permissions::permissions(&mut out, state);
    evidence::worth(&mut out, state);
    document::criteria(&mut out, state);
    document::todos(&mut out, state);
    document::written(&mut out, state, written, "notes");
    lists(&mut out, state);
    pinned(&mut out, &briefing["pinned"]);
    document::timeline(&mut out, state, newest);
    out.trim_end().to_owned()
}

/// What stands above everything: where it stands, and what is next.
fn head(state: &Value) -> String {
    let mut out = String::new();
    let title = format!("{} #{} {}", text(&state["severity"]), state["number"], text(&state["title"]));
    let _ = writeln!(out, "{}", bold(&title));
    let phase = if state["phase"] == "investigating" { "not declared" } else { text(&state["phase"]) };
    let lead = if state["declared_at"].is_null() { "lead" } else { "commander" };
    let _ = writeln!(
        out,
        "{}, {} for {}; {lead} {}",
        text(&state["kind"]),
        phase,
        ago(&state["phase_since"]),
        bold(name(&state["commander"]))
    );
    if state["commander_unseen_since"].is_string() {
        let unseen = ago(&state["commander_unseen_since"]);
        let _ = writeln!(out, "{}", bold(&format!("The {lead} has not been seen for {unseen}.")));
    }
    if state["assumption"].is_object() {
        let proposal = &state["assumption"];
        let why = if proposal["grounds"] == "unseen" { "unseen" } else { "unfit" };
        let words = format!(
            "{} would assume command ({why}: {}), unless it lapses {}. Confirm it with: wardroom confirm {}",
            name(&proposal["by"]),
            text(&proposal["reason"]),
            until(&proposal["lapses_at"]),
            state["number"]
        );
        let _ = writeln!(out, "{}", bold(&words));
    }
    if state["read_only"].is_string() {
        let _ = writeln!(out, "Read-only here: {}", text(&state["read_only"]));
    }
    facts(&mut out, state);
    if let Some(next) = state.get("next").filter(|next| !next.is_null()) {
        let _ = writeln!(out, "\n{} {}", bold("Next:"), next::step(next, state["number"].as_u64(), &known(state)));
    }
    out
}

fn command(out: &mut String, state: &Value) {
    let _ = writeln!(out, "\n{}", soft("COMMAND"));
    for role in state["roles"].as_array().into_iter().flatten() {
        tree_line(out, role);
    }
    people(out, state);
}

/// Everybody whom the state names and a next step can name, by id.
fn known(state: &Value) -> Value {
    let responders = state["responders"].as_array().into_iter().flatten().map(|responder| &responder["person"]);
    let all = responders.chain([&state["commander"], &state["assumption"]["by"]]);
    all.filter_map(|person| Some((person["id"].as_str()?.to_owned(), person.clone()))).collect()
}

/// How far telling somebody of an offer is.
fn reached(told: &Value) -> String {
    let who = name(&told["person"]);
    if told["seen_at"].is_string() {
        return format!("{who} saw it {} ago", ago(&told["seen_at"]));
    }
    let way = |way: &Value| {
        let state = match text(&way["state"]) {
            "accepted" if way["channel"] == "mail" => format!("accepted by the relay {} ago", ago(&way["at"])),
            "accepted" => format!("accepted {} ago", ago(&way["at"])),
            "quiet" => "waits for the end of their quiet hours".to_owned(),
            "refused" => format!("{}; tried {} times, and again", text(&way["why"]), way["attempts"]),
            "failed" => format!("{}; it is not tried again", text(&way["why"])),
            _ => "on its way".to_owned(),
        };
        format!("{}: {state}", text(&way["channel"]))
    };
    match told["ways"].as_array().map(Vec::as_slice).unwrap_or_default() {
        [] => format!("{who} cannot be reached outside the page, and has not seen it yet"),
        ways => format!("{who}, {}; not seen yet", ways.iter().map(way).collect::<Vec<_>>().join(", ")),
    }
}

fn facts(out: &mut String, state: &Value) {
    let services: Vec<&str> = state["services"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !services.is_empty() {
        let _ = writeln!(out, "affects {}", services.join(", "));
    }
    if state["began"].is_string() {
        let _ = writeln!(out, "impact began {} ({} ago)", text(&state["began"]), ago(&state["began"]));
    }
    for post in state["posts"].as_array().into_iter().flatten() {
        let link = post["link"].as_str().map(|link| format!("  {link}")).unwrap_or_default();
        let _ = writeln!(out, "command post {}{link}", text(&post["label"]));
    }
    if state["restricted"] == true {
        let _ = writeln!(out, "restricted: only the invited know of it");
    }
}

fn tree_line(out: &mut String, role: &Value) {
    let path = text(&role["role"]);
    let depth = if path == "command" { 0 } else { 1 + path.matches('/').count() };
    let label = path.rsplit('/').next().unwrap_or(path);
    let holder = if role["holder"].is_null() {
        soft(&format!("with {}", name(&role["effective_holder"])))
    } else {
        format!("{} {}", bold(name(&role["holder"])), soft(&ago(&role["since"])))
    };
    let indent = "  ".repeat(depth + 1);
    let _ = writeln!(out, "{indent}{label:<16} {holder}");
    let members: Vec<&str> = role["members"].as_array().into_iter().flatten().map(name).collect();
    if !members.is_empty() {
        let _ = writeln!(out, "{indent}  with them: {}", members.join(", "));
    }
    if let Some(offer) = role.get("offer").filter(|offer| !offer.is_null()) {
        let to = offer["to"]["team"].as_str().map_or_else(|| name(&offer["to"]["person"]).to_owned(), str::to_owned);
        let _ = writeln!(out, "{indent}  offered to {to}, lapses {}", until(&offer["lapses_at"]));
        for told in offer["told"].as_array().into_iter().flatten() {
            let _ = writeln!(out, "{indent}    {}", soft(&reached(told)));
        }
    }
    for asker in role["asked_by"].as_array().into_iter().flatten() {
        let _ = writeln!(out, "{indent}  asked for by {}", name(asker));
    }
}

fn people(out: &mut String, state: &Value) {
    let _ = writeln!(out, "\n{}", soft("HERE"));
    for responder in state["responders"].as_array().into_iter().flatten() {
        let doing = &responder["doing"];
        let doing = doing["text"].as_str().map(|what| format!("  {what} {}", soft(&ago(&doing["since"]))));
        let _ = writeln!(out, "  {}{}", name(&responder["person"]), doing.unwrap_or_default());
    }
}

fn lists(out: &mut String, state: &Value) {
    let rows = |key: &str| state[key].as_array().cloned().unwrap_or_default();
    if !rows("roadblocks").is_empty() {
        let _ = writeln!(out, "\n{}", soft("ROADBLOCKS"));
    }
    for block in rows("roadblocks") {
        let (by, role) = (name(&block["by"]), text(&block["role"]));
        let _ = writeln!(
            out,
            "  {}. {} {}",
            block["id"],
            text(&block["text"]),
            soft(&format!("{by}, {role}, {}", ago(&block["at"])))
        );
    }
    if !rows("invites").is_empty() {
        let _ = writeln!(out, "\n{}", soft("INVITES FOR GUESTS"));
    }
    for invite in rows("invites") {
        let (by, used, id) = (name(&invite["by"]), &invite["used"], text(&invite["id"]));
        let _ = writeln!(out, "  by {by}, {used} came, ends {} {}", until(&invite["expires_at"]), soft(id));
    }
    if !rows("clocks").is_empty() {
        let _ = writeln!(out, "\n{}", soft("CLOCKS"));
    }
    for clock in rows("clocks") {
        let _ = writeln!(out, "  {}. {} {}", clock["id"], text(&clock["label"]), until(&clock["due_at"]));
    }
}

/// The briefing: what matters that happened, before and after the reader last did something here, then the state.
pub fn briefing(briefing: &Value) -> String {
    let mut out = format!("{}\n", bold(&format!("Briefing, up to entry {}", briefing["briefed_to"])));
    let _ = writeln!(out, "{}", soft("WHAT MATTERS, SO FAR"));
    let last = briefing["you_last_acted"].as_u64();
    let mut new = last.is_none();
    for entry in briefing["matters"].as_array().into_iter().flatten() {
        if !new && entry["entry"].as_u64() > last {
            new = true;
            let _ = writeln!(out, "{}", soft("SINCE YOU LAST DID SOMETHING HERE"));
        }
        let _ = writeln!(out, "{}", line(entry));
    }
    pinned(&mut out, &briefing["pinned"]);
    document::marked(&mut out, &briefing["document"]);
    let _ = writeln!(out, "\n{}", incident(&briefing["state"]));
    out
}

/// The notes that everybody should read.
pub fn pinned(out: &mut String, notes: &Value) {
    let notes = notes.as_array().map(Vec::as_slice).unwrap_or_default();
    if !notes.is_empty() {
        let _ = writeln!(out, "\n{}", soft("PINNED"));
    }
    for note in notes {
        let _ = writeln!(out, "{}", line(note));
    }
}

/// Why somebody was held back from taking command, and exactly what they have not seen.
pub fn held_back(problem: &Value) -> String {
    let mut out = format!("\n{}", bold(text(&problem["detail"])));
    for entry in problem["unseen_entries"].as_array().into_iter().flatten() {
        let _ = write!(out, "\n{}", line(entry));
    }
    out
}

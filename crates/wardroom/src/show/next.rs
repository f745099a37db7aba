//! `wardroom next`, in a terminal: a line for each thing to do, with what to type.

use serde_json::Value;

use super::{ago, text, until};

/// `wardroom next`: one line.
pub fn next(answer: &Value) -> String {
    match answer["next"].as_array().and_then(|all| all.first()) {
        None => "Nothing waits for you.".to_owned(),
        Some(first) => step(&first["next"], first["incident"].as_u64(), &answer["people"]),
    }
}

pub fn step(next: &Value, incident: Option<u64>, people: &Value) -> String {
    let n = incident.unwrap_or_default();
    let who = |id: &Value| {
        let handle = id.as_str().and_then(|id| people[id]["handle"].as_str());
        handle.unwrap_or("somebody").to_owned()
    };
    let role = next["role"].as_str().unwrap_or_default();
    match next["do"].as_str().unwrap_or_default() {
        "take" => format!(
            "#{n}: {} offers you {role}, which lapses {}: wardroom take {n} {role}",
            who(&next["by"]),
            until(&next["lapses_at"])
        ),
        "confirm" => format!("#{n}: {} would assume command: wardroom confirm {n}", who(&next["by"])),
        "still_with_us" => {
            format!("#{n}: still with us? Nobody has seen you for {}: wardroom join {n}", ago(&next["unseen_since"]))
        }
        "clear" => {
            format!("#{n}: clear roadblock {0} of {1}: wardroom clear {n} {0}", next["roadblock"], who(&next["by"]))
        }
        "assume" => {
            format!("#{n}: {} commands and is not here: wardroom assume {n} --reason \"why\"", who(&next["commander"]))
        }
        "answer" => format!("#{n}: {0} asks for {role}: wardroom offer {n} {role} {0}", who(&next["by"])),
        "offer_operations" => {
            let to = next["to"].as_array().and_then(|to| to.first()).map(who).unwrap_or_default();
            format!("#{n}: you are doing both, command and operations: wardroom offer {n} operations {to}")
        }
        "clock" => format!("#{n}: clock {} is due {}", next["clock"], until(&next["due_at"])),
        "still_true" => format!("#{n}: is the state document still true? If so: wardroom still-true {n}"),
        "confirm_change" => {
            let (id, ago) = (&next["change"], ago(&next["announced_at"]));
            format!("#{n}: you announced change {id} {ago} ago; say how it went: wardroom change {n} done {id}")
        }
        "sort_change" => {
            let (id, who) = (&next["change"], who(&next["by"]));
            format!(
                "#{n}: {who} tells of an uncoordinated change: wardroom change {n} take-in {id}, revert {id} or dismiss {id}"
            )
        }
        "sort_sighting" => {
            let (id, service) = (&next["sighting"], text(&next["service"]));
            format!(
                "#{n}: an uncoordinated change of {service} was seen: wardroom sighting {n} take-in {id}, or dismiss {id}"
            )
        }
        "see_sorted" => {
            let (what, who) = (unsorted(next), who(&next["operations"]));
            format!("#{n}: {what} for {who}, who has operations, to sort: wardroom show {n}")
        }
        "come_in" => {
            let (who, service) = (who(&next["by"]), text(&next["service"]));
            format!(
                "#{n}: {who} asks you to come in, about a change of {service} by you that was seen: wardroom join {n}"
            )
        }
        "permit" => {
            let services: Vec<&str> =
                next["services"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let (who, services) = (who(&next["by"]), services.join(", "));
            format!("#{n}: {who} asks to change {services}: wardroom permission {n} grant {who}, or decline {who}")
        }
        "say_way_back" => {
            format!("#{n}: say how change {0} is undone: wardroom change {n} way-back {0} \"how\"", next["change"])
        }
        "delegate" => format!("#{n}: {} people report to {role}; open a role under it", next["reports"]),
        other => format!("#{n}: {other}"),
    }
}

/// What operations have not sorted, as far as it is told to somebody else.
fn unsorted(next: &Value) -> String {
    match next["waiting"].as_u64() {
        Some(many @ 2..) => format!("{many} uncoordinated changes wait"),
        _ => format!("an uncoordinated change of {} waits", text(&next["service"])),
    }
}

//! Permissions and the gate, in a terminal.

use std::fmt::Write;

use serde_json::Value;

use super::{ago, all, name, soft, text, until};

fn listed(values: &Value) -> String {
    all(values).iter().map(text).collect::<Vec<_>>().join(", ")
}

/// Who else may change services for a while, and who asks to; nothing where there is nobody.
pub fn permissions(out: &mut String, state: &Value) {
    let (given, asked) = (all(&state["permissions"]), all(&state["permission_asks"]));
    if given.is_empty() && asked.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", soft("PERMISSIONS"));
    for one in given {
        let (who, services, ends) = (name(&one["person"]), listed(&one["services"]), until(&one["until"]));
        let how = if one["glass"] == true {
            format!("broke the glass: {}", text(&one["reason"]))
        } else {
            format!("by {}", name(&one["by"]))
        };
        let _ = writeln!(out, "  {}. {who} may change {services}, ends {ends}  {}", one["id"], soft(&how));
    }
    for one in asked {
        let (who, services) = (name(&one["person"]), listed(&one["services"]));
        let told = format!("asks for {services}: {}", text(&one["what"]));
        let _ = writeln!(out, "  {who} {told}  {}", soft(&format!("{} ago", ago(&one["at"]))));
    }
}

/// `wardroom gates`: which services are held, and what was stopped.
pub fn gates(report: &Value, stops: bool) -> String {
    let mut out = String::new();
    let services = all(&report["services"]);
    if services.is_empty() {
        return "No gate is held, none enforces anything, and none stopped anybody lately.".to_owned();
    }
    let _ = writeln!(out, "{}", soft(&format!("GATES, and what they did in the last {} days", report["days"])));
    for service in services {
        let enforced = listed(&service["enforced"]);
        let mode = if enforced.is_empty() { "observes".to_owned() } else { format!("enforces at {enforced}") };
        let held: Vec<String> = all(&service["held_by"]).iter().map(|number| format!("#{number}")).collect();
        let held = if held.is_empty() { "not held".to_owned() } else { format!("held by {}", held.join(", ")) };
        let _ = writeln!(out, "  {:<24} {mode}, {held}", text(&service["service"]));
        let _ = writeln!(
            out,
            "  {:<24} {} stopped, {} would have been stopped, {} of all these uncoordinated changes afterwards",
            "", service["stopped"], service["observed"], service["uncoordinated"]
        );
        if stops {
            all(&service["last"]).iter().for_each(|stop| stopped(&mut out, stop));
        }
    }
    out.trim_end().to_owned()
}

/// Who would have done what, what became of that, and for the sake of which incident.
fn stopped(out: &mut String, stop: &Value) {
    let who = if stop["person"].is_null() { "somebody whom nobody here knows" } else { name(&stop["person"]) };
    let what = stop["what"].as_str().unwrap_or("(taken out)");
    let did = if stop["enforced"] == true { "stopped" } else { "would have been stopped" };
    let after = match stop["uncoordinated"].as_bool() {
        Some(true) => "; an uncoordinated change afterwards",
        Some(false) => "",
        None => "; what came of it cannot be read",
    };
    let about = soft(&format!("{did} by #{}{after}", stop["incident"]));
    let _ = writeln!(out, "    {} ago  {who}: {what}  {about}", ago(&stop["at"]));
}

//! The services of the directory, in a terminal: a line each, and below it what else is known of it.

use std::fmt::Write;

use serde_json::Value;

/// `wardroom service list`
pub fn services(all: &Value) -> String {
    let mut out = String::new();
    for (name, service) in all.as_object().into_iter().flatten() {
        let owner = service["owner"].as_str().map(|owner| format!("owned by {owner}")).unwrap_or_default();
        let good = words(&service["good"], "version");
        let good = if good.is_empty() { String::new() } else { format!("  good: {}", good.join(", ")) };
        let _ = writeln!(out, "{}", format!("{name:<30} {owner}{good}").trim_end());
        for (what, of) in [
            ("needs", strings(&service["depends_on"])),
            ("its gate stops at", strings(&service["enforced"])),
            ("matches the names", strings(&service["matching"]["names"])),
            ("matches the namespaces", strings(&service["matching"]["namespaces"])),
            ("matches the labels", strings(&service["matching"]["labels"])),
        ] {
            if !of.is_empty() {
                let _ = writeln!(out, "  {what} {}", of.join(", "));
            }
        }
        for thing in service["worth"].as_array().into_iter().flatten() {
            if let (Some(what), Some(how)) = (thing["what"].as_str(), thing["how"].as_str()) {
                let _ = writeln!(out, "  worth keeping: {what}: {how}");
            }
        }
    }
    out
}

/// So many of something, in words.
pub fn counted(many: usize, one: &str, more: &str) -> String {
    format!("{many} {}", if many == 1 { one } else { more })
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn words<'a>(list: &'a Value, of: &str) -> Vec<&'a str> {
    list.as_array().into_iter().flatten().filter_map(|one| one[of].as_str()).collect()
}

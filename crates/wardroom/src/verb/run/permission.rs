//! Whoever is outside operations asks for permission and waits, or breaks the glass; then it is announced as ever.

use std::collections::BTreeSet;

use wardroom_core::command::Command;
use wardroom_core::id::{Number, ServiceName};
use wardroom_core::text::{Line, Prose};

use crate::client::Client;
use crate::exit::Failure;

/// The services for which a refusal says that permission can be asked.
pub fn services(error: &anyhow::Error) -> Option<BTreeSet<ServiceName>> {
    let Failure::Refused(problem) = error.downcast_ref()? else { return None };
    let remedy = problem.get("remedy").filter(|remedy| remedy["do"] == "ask_permission")?;
    let named = remedy["services"].as_array()?.iter().filter_map(|name| name.as_str()?.parse().ok());
    Some(named.collect()).filter(|services: &BTreeSet<_>| !services.is_empty())
}

/// Takes it: everybody is told, and operations sort what comes of it.
pub fn break_glass(
    client: &Client,
    number: Number,
    services: BTreeSet<ServiceName>,
    reason: Prose,
) -> anyhow::Result<()> {
    client.command(number, &Command::BreakGlass { services, reason })?;
    eprintln!("wardroom: the glass is broken; everybody in incident #{number} is told", number = number.get());
    Ok(())
}

/// Asks for it, and waits until somebody answers.
///
/// # Errors
/// A refusal, if the answer is no.
pub fn ask(client: &Client, number: Number, services: BTreeSet<ServiceName>, what: Line) -> anyhow::Result<()> {
    let me = client.get("/api/v1/me")?["person"]["id"].clone();
    let asked = match client.command(number, &Command::AskPermission { services, what }) {
        // Whoever gave up waiting waits on for the same answer; and it may have come meanwhile.
        Err(refused) if is_waiting(&refused) => {
            let state = client.get(&format!("/api/v1/incidents/{}", number.get()))?;
            if state["may_announce"] == true {
                return Ok(());
            }
            state
        }
        asked => asked?,
    };
    eprintln!("wardroom: operations are asked for permission; this waits for their answer, Ctrl+C to give up");
    let cursor = asked["cursor"].as_str().unwrap_or_default();
    let mut refused = None;
    client.follow(number, cursor, |entry| {
        let body = &entry["body"];
        let told = entry["told"].as_str().unwrap_or_default();
        match entry["kind"].as_str().unwrap_or_default() {
            "permission_granted" if body["person"] == me => {
                eprintln!("wardroom: {told}");
                Ok(false)
            }
            // Another way of letting them: they are of operations, perhaps.
            "member_added" if body["person"] == me => Ok(false),
            "role_taken" if body["by"] == me => Ok(false),
            "permission_declined" if body["person"] == me => {
                refused = Some(told.to_owned());
                Ok(false)
            }
            "closed" | "merged_into" => {
                refused = Some(told.to_owned());
                Ok(false)
            }
            _ => Ok(true),
        }
    })?;
    match refused {
        None => Ok(()),
        Some(told) => {
            let problem = serde_json::json!({ "code": "not_yours", "detail": format!("{told}. Nothing was run.") });
            Err(Failure::Refused(problem).into())
        }
    }
}

/// Whether the same was asked for before, and nobody has answered yet.
fn is_waiting(refused: &anyhow::Error) -> bool {
    matches!(refused.downcast_ref(), Some(Failure::Refused(problem)) if problem["code"] == "already_so")
}

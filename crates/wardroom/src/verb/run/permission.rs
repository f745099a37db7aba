//! Whoever is outside operations asks for permission and waits, or breaks the glass; then it is announced as ever.

use std::collections::BTreeSet;

use serde_json::Value;
use wardroom_core::command::Command;
use wardroom_core::id::{Number, ServiceName};
use wardroom_core::text::{Line, Prose};

use super::say;
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
    say(&format!("the glass is broken; everybody in incident #{} is told", number.get()));
    Ok(())
}

/// Asks for it, and waits until it may be announced: by permission, or because they are of operations by now. Then it is.
///
/// # Errors
/// A refusal, if the answer is no.
pub fn ask(
    client: &Client,
    number: Number,
    services: BTreeSet<ServiceName>,
    what: Line,
    announce: impl Fn() -> anyhow::Result<u32>,
) -> anyhow::Result<u32> {
    let person = client.get("/api/v1/me")?["person"].take();
    let me = person["id"].clone();
    let cursor = |answer: &Value| answer["cursor"].as_str().unwrap_or_default().to_owned();
    // Before it is asked: whoever gave up waiting waits on for the same answer, which may come while they are told so.
    let before = cursor(&client.get(&format!("/api/v1/incidents/{}", number.get()))?);
    let asking = Command::AskPermission { services, what };
    let cursor = asked(client, number, &asking)?.map_or(before, |answer| cursor(&answer));
    // It may have come meanwhile.
    if let Some(change) = unless_refused(announce())? {
        return Ok(change);
    }
    say(&format!(
        "operations are asked for permission; this waits for their answer. After Ctrl+C the question stands; to take it back: \
         wardroom permission {} decline {}",
        number.get(),
        person["handle"].as_str().unwrap_or("HANDLE")
    ));
    let mut came = None;
    client.follow(number, &cursor, |entry| {
        let told = entry["told"].as_str().unwrap_or_default();
        let kind = entry["kind"].as_str().unwrap_or_default();
        let no = match kind {
            "permission_declined" => entry["body"]["person"] == me,
            "closed" | "merged_into" => true,
            _ => false,
        };
        if no {
            let problem = serde_json::json!({ "code": "not_yours", "detail": format!("{told}. Nothing was run.") });
            return Err(Failure::Refused(problem).into());
        }
        // Whoever has which role decides it, and that is asked where it is decided.
        if ["permission_", "role_", "member_", "command_"].iter().any(|sort| kind.starts_with(sort)) {
            came = unless_refused(announce())?;
            // Any permission answers what was asked; this one is for something else.
            if came.is_none() && kind == "permission_granted" && entry["body"]["person"] == me {
                asked(client, number, &asking)?;
                say(&format!("{told}. That is not what this changes: operations are asked again"));
            }
            if came.is_some() {
                say(told);
            }
        }
        Ok(came.is_none())
    })?;
    came.ok_or_else(|| anyhow::anyhow!("the incident says no more, and nobody has answered"))
}

/// What was announced; nothing as long as that takes permission.
fn unless_refused(announced: anyhow::Result<u32>) -> anyhow::Result<Option<u32>> {
    match announced {
        Err(error) if services(&error).is_some() => Ok(None),
        announced => announced.map(Some),
    }
}

/// Asks; nothing comes of it where the same was asked for before, and nobody has answered yet.
fn asked(client: &Client, number: Number, asking: &Command) -> anyhow::Result<Option<Value>> {
    match client.command(number, asking) {
        Err(refused) if is_already_so(&refused) => Ok(None),
        asked => asked.map(Some),
    }
}

fn is_already_so(refused: &anyhow::Error) -> bool {
    matches!(refused.downcast_ref(), Some(Failure::Refused(problem)) if problem["code"] == "already_so")
}

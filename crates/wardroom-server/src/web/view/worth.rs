//! What is worth keeping of the services that an incident affects, for whoever may change them.

use serde_json::{Value, json};
use wardroom_core::incident::{Asking, Incident};

/// Each thing with its service and how it is kept; nothing for everybody else.
pub fn keeping(incident: &Incident, ask: &Asking<'_>) -> Vec<Value> {
    let Some(reader) = ask.actor.person() else { return Vec::new() };
    let all = incident.worth_keeping(reader, ask.facts, ask.now).into_iter();
    all.map(|(service, worth)| json!({ "service": service, "what": worth.what, "how": worth.how })).collect()
}

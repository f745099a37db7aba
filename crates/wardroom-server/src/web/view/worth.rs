//! What is worth keeping of the services that an incident affects, for whoever may change them.

use serde_json::{Value, json};
use wardroom_core::incident::{Asking, Incident};
use wardroom_core::preserve::Why;

/// Each thing that is not kept, with its service, how it is kept and what becomes of it by itself; nothing for everybody
/// else.
pub fn keeping(incident: &Incident, ask: &Asking<'_>) -> Vec<Value> {
    let Some(reader) = ask.actor.person() else { return Vec::new() };
    let all = incident.worth_keeping(reader, ask.facts, ask.now).into_iter();
    let shown = all.map(|one| {
        let (what, how) = (&one.thing.what, &one.thing.how);
        json!({ "service": one.service, "what": what, "how": how, "stands": one.stands, "why": one.why.map(Why::words) })
    });
    shown.collect()
}

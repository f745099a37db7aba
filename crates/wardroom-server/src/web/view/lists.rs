//! What stands in the state document beside its written parts, as a reader gets it: with names, and with what the reader
//! may do there.

use serde_json::{Value, json};
use wardroom_core::criterion::CriterionState;
use wardroom_core::document::{Part, Stamp};
use wardroom_core::facts::Facts;
use wardroom_core::id::PersonId;
use wardroom_core::incident::{Asking, Incident};
use wardroom_core::said::Aspect;

use crate::web::problem::named;

/// The exit criteria, in the order in which they came.
pub fn criteria(incident: &Incident, ask: &Asking<'_>) -> Vec<Value> {
    let shown = incident.criteria.iter().map(|criterion| {
        let (state, settled, reason) = match &criterion.state {
            CriterionState::Open => ("open", None, None),
            CriterionState::Met { by, at } => ("met", Some((by, at)), None),
            CriterionState::Waived { by, at, reason } => ("waived", Some((by, at)), Some(reason)),
        };
        json!({
            "id": criterion.id,
            "text": criterion.text,
            "text_entry": criterion.said.entry(Aspect::Text),
            "owner": criterion.owner.map(|owner| named(ask.facts, owner)),
            "owner_entry": criterion.said.entry(Aspect::Owner),
            "bug": criterion.bug,
            "bug_entry": criterion.said.entry(Aspect::Bug),
            "by": named(ask.facts, criterion.by),
            "at": criterion.at,
            "state": state,
            "settled_by": settled.map(|(by, _)| named(ask.facts, *by)),
            "settled_at": settled.map(|(_, at)| at),
            "reason": reason,
            "may": incident.may_with_criterion(ask, criterion.id),
        })
    });
    shown.collect()
}

/// The to-dos, in the order in which they came.
pub fn todos(incident: &Incident, ask: &Asking<'_>) -> Vec<Value> {
    let shown = incident.todos.iter().map(|todo| {
        json!({
            "id": todo.id,
            "text": todo.text,
            "text_entry": todo.said.entry(Aspect::Text),
            "owner": todo.owner.map(|owner| named(ask.facts, owner)),
            "owner_entry": todo.said.entry(Aspect::Owner),
            "bug": todo.bug,
            "bug_entry": todo.said.entry(Aspect::Bug),
            "by": named(ask.facts, todo.by),
            "at": todo.at,
            "done_by": todo.done.map(|done| named(ask.facts, done.by)),
            "done_at": todo.done.map(|done| done.at),
            "may": incident.may_with_todo(ask, todo.id),
        })
    });
    shown.collect()
}

/// What the reader may add.
pub fn may_add(incident: &Incident, ask: &Asking<'_>) -> Value {
    json!({ "criteria": incident.may_add_criterion(ask), "todos": incident.may_add_todo(ask) })
}

/// What the log knows of the written parts. What they say lies beside it.
pub fn document(incident: &Incident, reader: PersonId, facts: &Facts) -> Value {
    let stamp = |(part, stamp): (&Part, &Stamp)| json!({ "part": part, "by": named(facts, stamp.by), "at": stamp.at });
    json!({
        "stamps": incident.document.stamps.iter().map(stamp).collect::<Vec<_>>(),
        "may_write": incident.may_write(reader, facts).is_ok(),
        "may_stamp": incident.may_stamp(reader),
        "due": incident.document_due(),
        "parts_due": incident.parts_due(),
    })
}

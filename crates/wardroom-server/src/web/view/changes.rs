//! The ledger of changes as a reader gets it: with names, and with what the reader may do there.

use serde_json::{Value, json};
use wardroom_core::change::{Change, Differing};
use wardroom_core::id::PersonId;
use wardroom_core::incident::{Asking, Incident};
use wardroom_core::said::Aspect;

use crate::web::problem::named;

/// So many changes of which nothing is left to do stand in an incident's view, the newest. The ledger itself has all.
const OVER: usize = 50;

fn change(incident: &Incident, change: &Change, ask: &Asking<'_>) -> Value {
    json!({
        "id": change.id,
        "service": change.service,
        "unknown_service": change.unknown_service,
        "what": change.what,
        "what_entry": change.said.entry(Aspect::Text),
        "why": change.why,
        "how": change.how,
        "back": change.back,
        "through": change.through,
        "passed": change.passed,
        "back_entry": change.said.entry(Aspect::WayBack),
        "maker": change.maker.as_ref().map(|maker| {
            json!({ "person": maker.person.map(|person| named(ask.facts, person)), "who": maker.who })
        }),
        "made_by": change.made_by.map(|maker| named(ask.facts, maker)),
        "by": named(ask.facts, change.by),
        "at": change.at,
        "done_at": change.done_at,
        "coordination": change.coordination,
        "state": change.stands.state,
        "state_by": named(ask.facts, change.stands.by),
        "state_at": change.stands.at,
        "note": change.stands.note,
        "bug": change.stands.bug,
        "evidence": change.stands.evidence,
        "may": incident.may_with_change(ask, change),
    })
}

/// Puts what an incident's view has of the ledger into it.
pub fn put_into(view: &mut Value, incident: &Incident, ask: &Asking<'_>, reader: PersonId) {
    view["changes"] = json!(recent(incident, ask));
    view["changes_recorded"] = json!(incident.changes_recorded);
    view["differing"] = json!(differing(incident));
    super::sightings::put_into(view, incident, ask);
    view["may_announce"] = json!(incident.may_change_services(reader, ask.now));
}

/// Changes that are still to be seen to, and the newest of the others, in the order in which they were told.
fn recent(incident: &Incident, ask: &Asking<'_>) -> Vec<Value> {
    let over = incident.changes.iter().filter(|change| !change.is_open()).count();
    let mut left = over.saturating_sub(OVER);
    let shown = incident.changes.iter().filter(|change| {
        let hidden = !change.is_open() && left > 0;
        left -= usize::from(hidden);
        !hidden
    });
    shown.map(|one| change(incident, one, ask)).collect()
}

/// Every change, in the order in which they were told.
pub fn all(incident: &Incident, ask: &Asking<'_>) -> Vec<Value> {
    incident.changes.iter().map(|one| change(incident, one, ask)).collect()
}

/// What differs from normal: service by service, and what was done to it, in the order in which it is undone.
pub fn differing(incident: &Incident) -> Vec<Value> {
    let one = |differing: Differing<'_>| {
        let changes: Vec<u32> = differing.changes.iter().map(|change| change.id).collect();
        json!({ "service": differing.service, "unknown": differing.unknown, "changes": changes })
    };
    incident.differing().into_iter().map(one).collect()
}

//! Who else may change services for a while, and who asks to, as a reader gets it.

use serde_json::{Value, json};
use wardroom_core::authority::Act;
use wardroom_core::id::PersonId;
use wardroom_core::incident::{Asking, Incident};
use wardroom_core::permission::{Permission, PermissionAsk};
use wardroom_core::role::Duty;

use crate::web::problem::named;

/// Puts what an incident's view has of permissions into it.
pub fn put_into(view: &mut Value, incident: &Incident, ask: &Asking<'_>, reader: PersonId) {
    let operations = incident.phase.is_open() && incident.may(reader, &Act::Duty(Duty::Operations));
    let permission = |known: &Permission| {
        json!({
            "id": known.id,
            "person": named(ask.facts, known.person),
            "services": known.services,
            "since": known.since,
            "until": known.until,
            "by": known.by.map(|by| named(ask.facts, by)),
            "glass": known.is_glass(),
            "reason": known.reason,
            "may_end": operations || known.person == reader,
        })
    };
    let asked = |(person, asked): (PersonId, &PermissionAsk)| {
        json!({
            "person": named(ask.facts, person),
            "services": asked.services,
            "what": asked.what,
            "at": asked.at,
            "may_grant": operations && person != reader,
            "may_decline": operations || person == reader,
        })
    };
    let waiting = incident.waiting(ask.now);
    view["permissions"] = json!(incident.live_permissions(ask.now).map(permission).collect::<Vec<_>>());
    view["permission_asks"] = json!(waiting.into_iter().map(asked).collect::<Vec<_>>());
    view["may_grant_permission"] = json!(operations);
}

//! Whether a reader may keep evidence in an incident, and why not: for whoever would look at something to keep it.

use serde_json::{Value, json};
use wardroom_core::facts::Facts;
use wardroom_core::id::PersonId;
use wardroom_core::incident::Incident;

use crate::web::problem::Problem;

/// Puts what an incident's view has of it into it.
pub fn put_into(view: &mut Value, incident: &Incident, facts: &Facts, reader: PersonId) {
    let refused = incident.may_attach(reader, facts, 0).err();
    view["may_attach"] = json!(refused.is_none());
    view["may_not_attach"] = json!(refused.map(|refusal| Problem::refused(&refusal, facts).document()));
}

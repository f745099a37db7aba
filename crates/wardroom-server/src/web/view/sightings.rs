//! What other systems told of, as a reader gets it.

use serde_json::{Value, json};
use wardroom_core::incident::{Asking, Incident};
use wardroom_core::sighting::Sighting;

use crate::web::problem::named;

/// So many sightings that nobody has to sort stand in an incident's view, the newest. Its own address has all.
const OTHERS: usize = 20;

fn sighting(incident: &Incident, known: &Sighting, ask: &Asking<'_>) -> Value {
    let seen = &known.seen;
    json!({
        "id": seen.sighting,
        "service": seen.service,
        "what": seen.what,
        "who": seen.who,
        "person": seen.person.map(|person| named(ask.facts, person)),
        "told_by": seen.told_by.map(|person| named(ask.facts, person)),
        "source": seen.source,
        "link": seen.link,
        "environment": seen.environment,
        "stage": seen.stage,
        "at": seen.at,
        "entry": known.entry,
        "before_impact": incident.is_before_impact(known),
        "uncoordinated": seen.uncoordinated,
        "unsorted": known.is_unsorted(),
        "change": seen.change,
        "sorted_by": known.sorted.map(|(by, _)| named(ask.facts, by)),
        "asked_in_by": known.asked_in.map(|asked| named(ask.facts, asked.by)),
        "may": incident.may_with_sighting(ask, known),
    })
}

/// Puts what an incident's view has of it into it: all that is to be sorted, and the newest of the others.
pub fn put_into(view: &mut Value, incident: &Incident, ask: &Asking<'_>) {
    let others = incident.sightings.iter().filter(|known| !known.is_unsorted()).count();
    let mut left = others.saturating_sub(OTHERS);
    let shown = incident.sightings.iter().filter(|known| {
        let hidden = !known.is_unsorted() && left > 0;
        left -= usize::from(hidden);
        !hidden
    });
    view["sightings"] = json!(shown.map(|known| sighting(incident, known, ask)).collect::<Vec<_>>());
    view["sightings_seen"] = json!(incident.sightings_seen);
}

/// Every one, in the order in which they were told.
pub fn all(incident: &Incident, ask: &Asking<'_>) -> Vec<Value> {
    incident.sightings.iter().map(|known| sighting(incident, known, ask)).collect()
}

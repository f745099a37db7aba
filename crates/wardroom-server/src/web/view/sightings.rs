//! What other systems told of, as a reader gets it.

use serde_json::{Value, json};
use wardroom_core::incident::{Asking, Incident};
use wardroom_core::sighting::{NewSighting, SIGHTINGS_MAX, Sighting, TELLER_MAX, TELLER_SORTED_MAX};

use crate::web::problem::named;

/// So many sightings that nobody has to sort stand in an incident's view, the newest of those from before impact and of
/// those since: whatever is told while it goes on hides nothing of what may have begun it. Its own address has all.
const EACH: usize = 20;

fn sighting(incident: &Incident, known: &Sighting, ask: &Asking<'_>) -> Value {
    let seen = &known.seen;
    json!({
        "id": seen.sighting,
        "service": seen.service,
        "what": seen.what,
        "who": seen.who,
        "person": seen.person.map(|person| named(ask.facts, person)),
        "told_by": seen.told_by.map(|person| named(ask.facts, person)),
        // Without a token nobody but GitHub is heard, whose signature is checked.
        "told_by_github": seen.told_by.is_none(),
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
    let sorted = |known: &&Sighting| !known.is_unsorted();
    let before = incident.sightings.iter().filter(sorted).filter(|known| incident.is_before_impact(known)).count();
    let since = incident.sightings.iter().filter(sorted).count() - before;
    let mut left = [before, since].map(|many| many.saturating_sub(EACH));
    let shown = incident.sightings.iter().filter(|known| {
        let left = &mut left[usize::from(!incident.is_before_impact(known))];
        let hidden = !known.is_unsorted() && *left > 0;
        *left -= usize::from(hidden);
        !hidden
    });
    view["sightings"] = json!(shown.map(|known| sighting(incident, known, ask)).collect::<Vec<_>>());
    view["sightings_seen"] = json!(incident.sightings_seen);
    view["sightings_full"] = json!(is_full(incident));
    view["sightings_cut"] = cut(incident, ask);
}

/// Of whom no more is kept, because they told of too much.
pub fn cut(incident: &Incident, ask: &Asking<'_>) -> Value {
    let teller = |seen: &NewSighting| {
        let by = seen.told_by.map(|person| named(ask.facts, person));
        json!({ "source": seen.source, "told_by": by, "heard": TELLER_MAX, "at_most": TELLER_SORTED_MAX })
    };
    incident.tellers_cut().into_iter().map(teller).collect()
}

/// Whether it keeps no more.
pub fn is_full(incident: &Incident) -> bool {
    incident.sightings_seen >= SIGHTINGS_MAX
}

/// Every one, in the order in which they were told.
pub fn all(incident: &Incident, ask: &Asking<'_>) -> Vec<Value> {
    incident.sightings.iter().map(|known| sighting(incident, known, ask)).collect()
}

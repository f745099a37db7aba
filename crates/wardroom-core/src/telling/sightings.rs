//! Changes that another system told of, told to a person.

use super::{Teller, because, clock};
use crate::event::Event;
use crate::sighting::NewSighting;

impl Teller<'_> {
    pub(super) fn sightings(&self, event: &Event) -> Option<String> {
        Some(match event {
            Event::ChangeSeen(seen) => self.seen(seen),
            Event::SightingWent { sighting, stage, at } => {
                format!("What was seen as {sighting} is {} since {}", stage.word(), clock(*at))
            }
            Event::SightingTakenIn { sighting, change, by } => {
                format!("{} took what was seen as {sighting} into the ledger, as change {change}", self.name(*by))
            }
            Event::SightingDismissed { sighting, by, reason } => format!(
                "{} says that what was seen as {sighting} has nothing to do with this{}",
                self.name(*by),
                because(reason.as_ref())
            ),
            Event::AskedIn { sighting, person, by } => {
                format!("{} asks {} in about what was seen as {sighting}", self.name(*by), self.name(*person))
            }
            _ => return None,
        })
    }

    fn seen(&self, seen: &NewSighting) -> String {
        let how = if seen.uncoordinated { "An uncoordinated change was seen" } else { "A change was seen" };
        let who = match (seen.person, &seen.who) {
            (Some(person), _) => format!(" by {}", self.name(person)),
            (None, Some(who)) => format!(" by {who}"),
            (None, None) => String::new(),
        };
        let place = seen.environment.as_ref().map(|environment| format!(" in {environment}")).unwrap_or_default();
        let known = seen.change.map(|change| format!(", which is change {change}")).unwrap_or_default();
        format!(
            "{how} ({}), {} at {}: {}: {}{who}{place}, told by {}{known}",
            seen.sighting,
            seen.stage.word(),
            clock(seen.at),
            seen.service,
            seen.what,
            seen.source
        )
    }
}

//! Changes that another system told of, told to a person.

use super::{Teller, because};
use crate::event::Event;
use crate::sighting::{NewSighting, SIGHTINGS_MAX, TELLER_MAX, TELLER_SORTED_MAX};

impl Teller<'_> {
    pub(super) fn sightings(&self, event: &Event) -> Option<String> {
        Some(match event {
            Event::ChangeSeen(seen) => self.seen(seen),
            Event::SightingWent { sighting, stage, at } => {
                format!("What was seen as {sighting} is {} since {}", stage.word(), self.moment(*at))
            }
            Event::SightingJudged { sighting, was, change, uncoordinated } => {
                judged(*sighting, (*was, *change), *uncoordinated)
            }
            Event::SightingTakenIn { sighting, change, by } => {
                format!("{} took what was seen as {sighting} into the ledger, as change {change}", self.name(*by))
            }
            Event::SightingDismissed { sighting, by, reason } => format!(
                "{} says that what was seen as {sighting} has nothing to do with this{}",
                self.name(*by),
                because(reason.as_ref())
            ),
            Event::SightingsDismissed { sightings, by, reason } => format!(
                "{} says that what was seen as {} has nothing to do with this{}",
                self.name(*by),
                numbers(sightings),
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
            (None, Some(who)) => format!(" by “{who}” (nobody here is called that)"),
            (None, None) => String::new(),
        };
        let place = seen.place().map(|place| format!(" in {place}")).unwrap_or_default();
        let is = if seen.person.is_some() { "which is" } else { "taken for" };
        let known = seen.change.map(|change| format!(", {is} change {change}")).unwrap_or_default();
        // Whoever speaks for themselves is named already.
        let with = seen.told_by.filter(|by| seen.person != Some(*by));
        let with = with.map(|by| format!(" (a token of {})", self.name(by))).unwrap_or_default();
        let share = format!(
            ". {TELLER_MAX} changes that it told of were heard of; more of these are kept only to be sorted, up to \
             {TELLER_SORTED_MAX}"
        );
        let share = if seen.share_used { share } else { String::new() };
        let full = if seen.sighting == SIGHTINGS_MAX { full() } else { String::new() };
        format!(
            "{how} ({}), {} at {}: {}: {}{who}{place}, told by {}{with}{known}{share}{full}",
            seen.sighting,
            seen.stage.word(),
            self.moment(seen.at),
            seen.service,
            seen.what,
            seen.source
        )
    }
}

/// What was seen turns out to be something else than it was taken for.
fn judged(sighting: u32, (was, change): (Option<u32>, Option<u32>), uncoordinated: bool) -> String {
    let mut told = format!("What was seen as {sighting}");
    told += &was.map(|was| format!(" was not change {was}")).unwrap_or_default();
    told += &match (change, was) {
        (Some(change), None) => format!(" is taken for change {change} after all"),
        (Some(change), Some(_)) => format!(", and is taken for change {change}"),
        (None, _) if uncoordinated => ", and was not coordinated: operations take it in or dismiss it".to_owned(),
        (None, _) => String::new(),
    };
    told
}

/// So many numbers stand in a line, at the most.
const NAMED: usize = 10;

fn numbers(sightings: &[u32]) -> String {
    let named: Vec<String> = sightings.iter().take(NAMED).map(u32::to_string).collect();
    match (sightings.len().saturating_sub(NAMED), named.split_last()) {
        (0, Some((last, rest @ [_, ..]))) => format!("{} and {last}", rest.join(", ")),
        (0, _) => named.concat(),
        (more, _) => format!("{} and {more} more", named.join(", ")),
    }
}

/// Said once, with the last one that is kept.
fn full() -> String {
    format!(". {SIGHTINGS_MAX} changes were heard of; more are not kept here")
}

/// The same, where that came from another incident.
pub(super) fn fills(sightings: &[NewSighting]) -> String {
    let last = sightings.iter().any(|seen| seen.sighting == SIGHTINGS_MAX);
    if last { full() } else { String::new() }
}

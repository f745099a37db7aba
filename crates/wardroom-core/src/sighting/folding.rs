//! How sightings stand after their events.

use super::{AskedIn, NewSighting, Sighting};
use crate::event::{Event, Recorded};
use crate::incident::Incident;
use crate::merge::Absorbed;

impl Incident {
    pub(crate) fn evolve_sightings(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::ChangeSeen(seen) => self.take_sighting(recorded, seen),
            Event::Absorbed(Absorbed { sightings, .. }) => {
                sightings.iter().for_each(|seen| self.take_sighting(recorded, seen));
            }
            Event::SightingWent { sighting, stage, .. } => {
                self.with_sighting(*sighting, |known| known.seen.stage = *stage);
            }
            Event::SightingJudged { sighting, change, uncoordinated, .. } => self.with_sighting(*sighting, |known| {
                (known.seen.change, known.seen.uncoordinated) = (*change, *uncoordinated);
            }),
            Event::SightingTakenIn { sighting, change, by } => self.with_sighting(*sighting, |known| {
                known.seen.change = Some(*change);
                known.sorted = Some((*by, recorded.at));
            }),
            Event::SightingDismissed { sighting, by, .. } => {
                self.with_sighting(*sighting, |known| known.sorted = Some((*by, recorded.at)));
            }
            Event::SightingsDismissed { sightings, by, .. } => {
                for sighting in sightings {
                    self.with_sighting(*sighting, |known| known.sorted = Some((*by, recorded.at)));
                }
            }
            Event::AskedIn { sighting, by, .. } => {
                let asked = AskedIn { entry: recorded.entry, by: *by, at: recorded.at };
                self.with_sighting(*sighting, |known| known.asked_in = Some(asked));
            }
            // What was to be sorted is for the other incident.
            Event::MergedInto { .. } => return self.unsorted_since = None,
            _ => return,
        }
        let mut unsorted = self.sightings.iter().filter(|known| known.is_unsorted());
        self.unsorted_since = unsorted.next().map(|oldest| self.unsorted_since.unwrap_or(oldest.seen.sighting));
    }

    fn take_sighting(&mut self, recorded: &Recorded, seen: &NewSighting) {
        self.sightings_seen = self.sightings_seen.max(seen.sighting);
        self.sightings.push(Sighting { seen: seen.clone(), entry: recorded.entry, sorted: None, asked_in: None });
    }

    fn with_sighting(&mut self, sighting: u32, then: impl FnOnce(&mut Sighting)) {
        if let Some(known) = self.sightings.iter_mut().find(|known| known.seen.sighting == sighting) {
            then(known);
        }
    }
}

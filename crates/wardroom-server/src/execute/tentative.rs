//! What a batch of commands would leave behind: thrown away whole when the append fails.

use std::collections::{HashMap, HashSet};

use wardroom_core::directory::DirectoryEvent;
use wardroom_core::event::{Event, Recorded};
use wardroom_core::id::{Actor, Entry, Number, Time};
use wardroom_core::incident::{Decision, Incident};
use wardroom_core::refusal::Refusal;

use super::NotDone;
use crate::log::{Stream, Tip, Write, chain};
use crate::stored::{Kept, draft};
use crate::streams::{Age, DIRECTORY, Held, HeldDirectory, stream_of};

/// What a batch would leave behind, if it were committed.
pub(super) struct Tentative {
    pub now: Time,
    pub began: Age,
    pub incidents: HashMap<Number, (Option<Held>, Incident, Tip)>,
    pub directory: (HeldDirectory, bool),
    pub highest: Option<Number>,
    pub erased: HashSet<Stream>,
}

/// Drafts events, chained on a tip; returns them as they will read back.
fn drafts<E: Kept>(stream: Stream, expected: Tip, actor: Actor, at: Time, events: &[E]) -> (Write, Vec<E>, Tip) {
    let mut write = Write { stream, expected, drafts: Vec::new(), erase: Vec::new() };
    let (mut tip, mut read_back) = (expected, Vec::new());
    for event in events {
        write.erase.extend(event.erases().iter().map(|seal| seal.0));
        let (draft, event) = draft(event, at, actor);
        tip = chain::after(&tip, stream, &draft);
        write.drafts.push(draft);
        read_back.push(event);
    }
    (write, read_back, tip)
}

/// Drafts what was decided in the directory, and folds it in.
pub(super) fn write_directory(held: &mut HeldDirectory, actor: Actor, now: Time, events: &[DirectoryEvent]) -> Write {
    let before = held.tip;
    let at = held.directory.last_at.map_or(now, |last| last.max(now));
    let (write, events, tip) = drafts(DIRECTORY, before, actor, at, events);
    let directory = std::sync::Arc::make_mut(&mut held.directory);
    numbered(before.seq, at, actor, events).iter().for_each(|recorded| directory.evolve(recorded));
    held.tip = tip;
    write
}

impl Tentative {
    pub(super) fn write_new(&mut self, number: Number, actor: Actor, events: &[Event]) -> Write {
        let (write, events, tip) = drafts(stream_of(number), Tip::default(), actor, self.now, events);
        let recorded: Vec<Recorded> = numbered(0, self.now, actor, events);
        let incident = Incident::fold(&recorded).expect("opening begins an incident");
        self.incidents.insert(number, (None, incident, tip));
        write
    }

    pub(super) fn write_decision(
        &mut self,
        actor: Actor,
        number: Number,
        other: Option<Number>,
        decision: Decision,
    ) -> Result<(Vec<Write>, Option<Refusal>), NotDone> {
        let mut writes = Vec::new();
        let mut held_back = None;
        // First, so that whoever reads on finds the people whom the incident's entries name.
        if !decision.directory.is_empty() {
            writes.push(self.write_directory(actor, &decision.directory));
        }
        for (number, events) in [(Some(number), decision.here), (other, decision.there)] {
            let Some(number) = number.filter(|_| !events.is_empty()) else { continue };
            let Some((_, incident, tip)) = self.incidents.get(&number) else { continue };
            // `now` never runs behind the incident's last event, whatever this node's clock says.
            let (at, before) = (self.now.max(incident.last_at), *tip);
            let (write, events, tip) = drafts(stream_of(number), before, actor, at, &events);
            if !write.erase.is_empty() {
                self.erased.insert(stream_of(number));
            }
            let recorded = numbered(before.seq, at, actor, events);
            if let Some((_, incident, known)) = self.incidents.get_mut(&number) {
                recorded.iter().for_each(|recorded| incident.evolve(recorded));
                *known = tip;
            }
            held_back = held_back.or(recorded.last().and_then(|last| last.event.as_refusal(last.entry)));
            writes.push(write);
        }
        Ok((writes, held_back))
    }

    pub(super) fn write_directory(&mut self, actor: Actor, events: &[DirectoryEvent]) -> Write {
        let write = write_directory(&mut self.directory.0, actor, self.now, events);
        if !write.erase.is_empty() {
            self.erased.insert(DIRECTORY);
        }
        self.directory.1 = true;
        write
    }
}

fn numbered<E>(before: u64, at: Time, actor: Actor, events: Vec<E>) -> Vec<Recorded<E>> {
    (before + 1..).zip(events).map(|(seq, event)| Recorded { entry: Entry(seq), at, actor, event }).collect()
}

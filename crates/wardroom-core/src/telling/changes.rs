//! Changes, told to a person.

use super::{Teller, because};
use crate::change::{ChangeState, ChangeStep, NewChange};
use crate::event::Event;

impl Teller<'_> {
    pub(super) fn changes(&self, event: &Event) -> Option<String> {
        let who = self.who;
        let step = |step: &ChangeStep, says: &str| {
            let (by, change, note) = (self.name(step.by), step.change, because(step.note.as_ref()));
            let at = step.happened_at.map(|at| format!(", at {}", self.moment(at))).unwrap_or_default();
            format!("{by} says that change {change} {says}{at}{note}")
        };
        Some(match event {
            Event::ChangeRecorded(new) => self.new_change(new),
            Event::ChangePassed(told) => {
                let (by, change) = (self.name(told.by), told.change);
                format!("Change {change} of {by} passed the gate as: {}, by {}", told.what, told.through)
            }
            Event::ChangeDone(ChangeStep { change, by, seen: Some(sighting), happened_at, note, .. }) => {
                let at = happened_at.map(|at| format!(" since {}", self.moment(at))).unwrap_or_default();
                let (by, note) = (self.name(*by), because(note.as_ref()));
                format!("Change {change} of {by} is done{at}, as was seen as {sighting}{note}")
            }
            Event::ChangeDone(told) => step(told, "is done"),
            Event::ChangeFailed(told) => step(told, "failed and changed nothing"),
            Event::ChangeDropped(told) => step(told, "is not made after all"),
            Event::ChangeReverted(told) => step(told, "is reverted"),
            Event::ChangeAdopted(told) => step(told, "stays for good"),
            Event::ChangeDiffersAgain(told) => step(told, "differs from normal after all"),
            Event::ChangeDismissed(told) => step(told, "is no change of this incident"),
            Event::ChangeTakenIn(told) => {
                format!("{} took change {} into the ledger of operations", self.name(told.by), told.change)
            }
            Event::ChangeHandedOn(told) => {
                format!("{} handed change {} to a bug: {}", self.name(told.by), told.change, told.bug)
            }
            Event::ChangeCorrected(told) => {
                format!("{who} corrected change {}: {}: {}", told.change, told.service, told.what)
            }
            Event::WayBackSaid(told) => match &told.back {
                Some(back) => format!("{who} says how change {} is undone: {back}", told.change),
                None => format!("{who} took the way back of change {} away", told.change),
            },
            Event::SentBack(back) => format!(
                "Change {} was recorded late: this is resolved and no longer closed, and {} has command",
                back.change,
                self.name(back.commander)
            ),
            _ => return None,
        })
    }

    fn new_change(&self, new: &NewChange) -> String {
        let by = self.name(new.by);
        let (change, service, what) = (new.change, &new.service, &new.what);
        let why = because(new.why.as_ref());
        if let Some(seen) = new.seen {
            let by = seen.by.map(|by| format!(" by {}", self.name(by))).unwrap_or_default();
            let made = new.happened_at.map(|at| format!("made{by} at {}", self.moment(at)));
            let made = made.unwrap_or_else(|| format!("under way{by}"));
            return format!("Change {change} of {service}, {made}, is {what}");
        }
        let at = new.happened_at.map(|at| format!(", made at {},", self.moment(at))).unwrap_or_default();
        let (maker, by) = match new.made_by.map(|maker| self.name(maker)) {
            Some(maker) if new.uncoordinated => (format!(" by {maker}"), by.to_owned()),
            Some(maker) => (String::new(), format!("{maker}, written down by {by},")),
            None => (String::new(), by.to_owned()),
        };
        match (new.uncoordinated, new.state) {
            (true, _) => format!("{by} tells of uncoordinated change {change}{maker}{at} of {service}: {what}{why}"),
            (false, ChangeState::Announced) => format!("{by} is about to change {service} ({change}): {what}{why}"),
            (false, _) => format!("{by} changed {service} ({change}){}: {what}{why}", at.trim_end_matches(',')),
        }
    }
}

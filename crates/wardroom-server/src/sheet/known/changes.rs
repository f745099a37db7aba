//! What was done to services, and what differs from normal by it, on the sheet.

use wardroom_core::change::{Change, ChangeState, Differing};
use wardroom_core::text::Text;

use super::{Block, Item, Line, Section, Span, Teller, item, listed, moment, one_line, said, strong};

impl Teller<'_> {
    /// What is not as it should be, in the order in which it would be undone.
    pub(super) fn differing(&self) -> Section {
        let one = |differing: Differing<'_>| {
            let unknown = if differing.unknown { " (unknown to the directory)" } else { "" };
            let service = item(vec![strong(differing.service.as_str()), said(unknown)]);
            let changes = differing.changes.into_iter().map(|change| Item { depth: 1, ..item(self.undoing(change)) });
            std::iter::once(service).chain(changes).collect::<Vec<Item>>()
        };
        let items = self.incident.differing().into_iter().flat_map(one).collect();
        Section { title: "Differs from normal", blocks: vec![listed(items, "Nothing differs from normal.")] }
    }

    fn undoing(&self, change: &Change) -> Line {
        let what = one_line(&change.what.to_string());
        let unsorted = if change.is_unsorted() { ", uncoordinated" } else { "" };
        let when = moment(change.done_at.unwrap_or(change.at));
        let mut line = vec![said(format!("{}. {what} ({}, {when}{unsorted})", change.id, self.whose(change)))];
        line.push(said(match change.back.as_ref().and_then(Text::words) {
            Some(back) => format!(" — to undo it: {}", one_line(back)),
            None => " — nobody has said yet how to undo it".to_owned(),
        }));
        line
    }

    /// Who told of it, and who made it where that is somebody else.
    fn whose(&self, change: &Change) -> String {
        let by = self.name(change.by);
        let told = match (&change.maker, change.made_by) {
            (Some(_), _) => "taken in",
            (None, Some(_)) => "written down",
            (None, None) => return by,
        };
        // What another system says is nobody's name here.
        let theirs = || change.maker.as_ref()?.who.as_ref()?.words();
        let maker = match (change.who_made_it(), theirs()) {
            (Some(person), _) => self.name(person),
            (None, Some(who)) => format!("“{}” (nobody here is called that)", one_line(who)),
            (None, None) => "somebody".to_owned(),
        };
        format!("made by {maker}, {told} by {by}")
    }

    /// The whole ledger, if there is anything in it.
    pub(super) fn changes(&self) -> Option<Section> {
        let items: Vec<Item> = self.incident.changes.iter().map(|change| item(self.change(change))).collect();
        (!items.is_empty()).then(|| Section { title: "Changes to services", blocks: vec![Block::Items(items)] })
    }

    fn change(&self, change: &Change) -> Line {
        let what = one_line(&change.what.to_string());
        let told = format!("{}. {}: {what} ({}, {})", change.id, change.service, self.whose(change), moment(change.at));
        let mut line = vec![said(told)];
        for (before, text) in [("because ", &change.why), ("by ", &change.how)] {
            if let Some(words) = text.as_ref().and_then(Text::words) {
                line.push(said(format!(", {before}{}", one_line(words))));
            }
        }
        for passed in &change.passed {
            let (what, through) = (one_line(&passed.what.to_string()), one_line(&passed.through.to_string()));
            line.push(said(format!(", passed the gate as: {what}, by {through}")));
        }
        let stands = &change.stands;
        let unsorted = if change.is_unsorted() { ", uncoordinated" } else { "" };
        line.push(said(format!(" — {}{unsorted}", stands.state.word())));
        // What was told at first stands before it already.
        let at_first = stands.at == change.at && stands.by == change.by;
        if stands.state != ChangeState::Announced && !at_first {
            line.push(said(format!(", says {}, {}", self.name(stands.by), moment(stands.at))));
        }
        if let Some(note) = stands.note.as_ref().and_then(Text::words) {
            line.push(said(format!(": {}", one_line(note))));
        }
        if let Some(bug) = stands.bug.as_ref().and_then(Text::words).map(one_line) {
            line.push(said(" "));
            line.push(Span::Link(bug.clone(), bug));
        }
        if let Some(entry) = stands.evidence {
            line.push(said(format!(" (evidence: entry {})", entry.0)));
        }
        line
    }
}

//! How events tell of a change. A field is never renamed or given another meaning (`event.rs`).

use serde::{Deserialize, Serialize};

use super::{ChangeState, broke_off};
use crate::id::{Entry, PersonId, ServiceName, Time};
use crate::text::Text;

/// A change that was announced, or recorded after it happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewChange {
    /// Its number.
    pub change: u32,
    /// What was changed.
    pub service: ServiceName,
    /// Whether the directory did not know that service.
    pub unknown_service: bool,
    /// What was done.
    pub what: Text,
    /// Why.
    pub why: Option<Text>,
    /// The command that did it, or a link to it.
    pub how: Option<Text>,
    /// How to undo it.
    pub back: Option<Text>,
    /// Who made it, where that is somebody else than who tells of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<PersonId>,
    /// Who tells of it.
    pub by: PersonId,
    /// Announced, or done.
    pub state: ChangeState,
    /// When it was done, where that was said.
    pub happened_at: Option<Time>,
    /// Whether it is told of from outside operations.
    pub uncoordinated: bool,
    /// By what it came to the gate, if it was recorded there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Text>,
    /// What was seen and is taken in as this. What was done, and by whom, stands there and nowhere else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<SeenAs>,
}

/// A sighting that is taken into the ledger.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SeenAs {
    /// Its number in this incident.
    pub sighting: u32,
    /// Who made the change, where the directory knew them.
    pub by: Option<PersonId>,
}

/// What came through the gate belongs to a change that is under way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangePassed {
    /// Which.
    pub change: u32,
    /// What the gate was asked.
    pub what: Text,
    /// By what that came.
    pub through: Text,
    /// Whether it is as good as done.
    pub done: bool,
    /// Who came through.
    pub by: PersonId,
}

/// A change stands otherwise now; the event's kind says how.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangeStep {
    /// Which.
    pub change: u32,
    /// Who said so; where another system told it, whose change it is.
    pub by: PersonId,
    /// What they said of it.
    pub note: Option<Text>,
    /// The entry that attached what shows it.
    pub evidence: Option<Entry>,
    /// When that was, where it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happened_at: Option<Time>,
    /// The sighting by which another system told it, where no person said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<u32>,
}

impl ChangeStep {
    /// The same of what ended badly: its note says so.
    pub(crate) fn broke_off(self) -> Self {
        let said = self.note.as_ref().and_then(Text::words).map(|said| said.trim_end_matches('.'));
        Self { note: Some(Text::said(broke_off(said.unwrap_or("it ended badly")))), ..self }
    }
}

/// A change is told in other words now, or of another service.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangeCorrected {
    /// Which.
    pub change: u32,
    /// What was changed.
    pub service: ServiceName,
    /// Whether the directory did not know that service.
    pub unknown_service: bool,
    /// What was done.
    pub what: Text,
    /// Why, if that is said anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Text>,
    /// The command that did it, or a link to it, if that is said anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<Text>,
}

/// How a change is undone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WayBack {
    /// Which.
    pub change: u32,
    /// How; nothing takes back what was said.
    pub back: Option<Text>,
}

/// A change stays for now, and a bug sees to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangeHandedOn {
    /// Which.
    pub change: u32,
    /// Who said so.
    pub by: PersonId,
    /// Where it is tracked: an https link.
    pub bug: Text,
}

/// A closed incident is resolved again, because a change was recorded late.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SentBack {
    /// Who has command again: whoever had it last, or whoever recorded the change if they are gone.
    pub commander: PersonId,
    /// The change.
    pub change: u32,
}

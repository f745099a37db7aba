//! Changes: what was done to services during the incident, and what differs from normal by it (rules 7 and 10).
//!
//! Only operations changes services. A change is announced and then said to be done, failed or dropped; or it is recorded
//! once it has happened. **The truth is never refused:** whoever tells of a change that happened is heard, from outside
//! operations as *uncoordinated* until operations sorts it. Done, a change keeps its service different from normal until
//! it is reverted, adopted for good, or handed to a bug; while anything differs, the incident cannot be closed, and a late
//! record sends a closed one back to resolved.
//!
//! Read on in `told.rs` (how events tell of it), `deciding.rs` (who may do what with it), `behalf.rs` (for whom), `folding.rs`, and `differing.rs`
//! (what differs right now, and in which order it is undone).

mod behalf;
mod deciding;
mod differing;
mod folding;
mod next;
mod told;

use serde::{Deserialize, Serialize};

pub(crate) use deciding::{Beside, Made, Reworded};
pub use differing::Differing;
pub(crate) use next::asked_after;
pub use told::{ChangeCorrected, ChangeHandedOn, ChangePassed, ChangeStep, NewChange, SeenAs, SentBack, WayBack};

use crate::id::{Entry, PersonId, ServiceName, Time};
use crate::said::LastSaid;
use crate::text::Text;

/// So long after it was announced, a change may still be made, in minutes: what is seen of that service and person until then
/// is taken for it. Whoever is at it for longer has said meanwhile how far they are.
pub(crate) const ANNOUNCED_MINUTES: i64 = 60;

/// A modification of a service.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Change {
    /// Its number in this incident, counted from 1.
    pub id: u32,
    /// What was changed.
    pub service: ServiceName,
    /// Whether the directory did not know that service.
    pub unknown_service: bool,
    /// What was done, in one line.
    pub what: Text,
    /// Why, if somebody said so.
    pub why: Option<Text>,
    /// The command that did it or a link to it, if somebody said so.
    pub how: Option<Text>,
    /// How to undo it, if somebody said so.
    pub back: Option<Text>,
    /// By what it came to the gate, if it was recorded there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Text>,
    /// What the gate saw of it, where it was announced by hand, the oldest first; each once, and
    /// [`PASSES_MAX`](crate::gate::PASSES_MAX) at the most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<Passed>,
    /// Who made it, where another system told of it and operations took it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker: Option<Maker>,
    /// Who made it, where somebody else wrote it down for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<PersonId>,
    /// Who announced or recorded it.
    pub by: PersonId,
    /// When they did.
    pub at: Time,
    /// When it was done, as far as it was: as somebody said, else when that was recorded.
    pub done_at: Option<Time>,
    /// Who said last what stands here. Events do not carry it: it follows from where they stand.
    #[serde(default, skip_serializing_if = "LastSaid::is_empty")]
    pub said: LastSaid,
    /// Whether operations have it in hand.
    pub coordination: Coordination,
    /// How it stands, and who said so.
    pub stands: Stands,
}

/// What the gate saw of a change that was under way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Passed {
    /// What it was asked.
    pub what: Text,
    /// By what that came.
    pub through: Text,
    /// Whether it is as good as done, as in a cluster that only waited for the gate's word.
    pub done: bool,
    /// When.
    pub at: Time,
}

/// Who made a change of which another system told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Maker {
    /// Who that is, where the directory knew them.
    pub person: Option<PersonId>,
    /// As the other system calls them.
    pub who: Option<Text>,
}

/// Whether a change was one of operations.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Coordination {
    /// Operations announced or recorded it.
    ByOperations,
    /// It was told of from outside operations, or announced over broken glass, and operations have not sorted it yet.
    Uncoordinated,
    /// It was told of from outside operations, and is sorted.
    Sorted,
}

/// How a change stands.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ChangeState {
    /// Operations are about to make it.
    Announced,
    /// It was made: the service differs from normal by it.
    Done,
    /// It did not work, and changed nothing.
    Failed,
    /// It was announced and not made.
    Dropped,
    /// It is undone.
    Reverted,
    /// It stays for good: this is the normal now.
    Adopted,
    /// It stays for now, and a bug sees to it.
    HandedOn,
    /// It was no change, or none of this incident.
    Dismissed,
}

/// How an announced change went.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Outcome {
    /// It was made.
    Done,
    /// It was begun and ended badly. What it left behind is not known, and so it stands as done, with a note that says so,
    /// until operations say otherwise: what may differ is looked at, and what is taken for normal is not.
    BrokeOff,
    /// It did not work, and changed nothing.
    Failed,
    /// It was not made after all.
    Dropped,
}

/// Why something stands as done of which it is told that it ended badly.
#[must_use]
pub fn broke_off(told: &str) -> String {
    format!("{told}, and may have changed something")
}

/// How a change stands, since when, and who said so.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stands {
    /// How.
    pub state: ChangeState,
    /// Who said so.
    pub by: PersonId,
    /// Since when: as they said, else when they said so.
    pub at: Time,
    /// What they said of it: why it was adopted, how it was undone.
    pub note: Option<Text>,
    /// Where the bug is tracked that it was handed to: an https link.
    pub bug: Option<Text>,
    /// The entry that attached what shows it.
    pub evidence: Option<Entry>,
}

/// What can be done with a change, for surfaces that show what their reader may do there.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ChangeAct {
    /// Saying that it was made.
    Done,
    /// Saying that it did not work, and changed nothing.
    Failed,
    /// Saying that it was not made after all.
    Drop,
    /// Saying it in other words, or of another service.
    Correct,
    /// Saying how to undo it.
    SayWayBack,
    /// Saying that it is undone.
    Revert,
    /// Keeping it for good.
    Adopt,
    /// Keeping it for now, with a bug that sees to it.
    HandOn,
    /// Saying that the service differs by it after all.
    DiffersAgain,
    /// Taking it into the ledger of operations.
    TakeIn,
    /// Saying that it is no change, or none of this incident.
    Dismiss,
}

impl ChangeAct {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Done,
        Self::Failed,
        Self::Drop,
        Self::Correct,
        Self::SayWayBack,
        Self::Revert,
        Self::Adopt,
        Self::HandOn,
        Self::DiffersAgain,
        Self::TakeIn,
        Self::Dismiss,
    ];
}

impl From<Outcome> for ChangeAct {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done | Outcome::BrokeOff => Self::Done,
            Outcome::Failed => Self::Failed,
            Outcome::Dropped => Self::Drop,
        }
    }
}

impl ChangeState {
    /// As people say it, after "is": of what was handed on, with whom it is.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
            Self::Reverted => "reverted",
            Self::Adopted => "adopted",
            Self::HandedOn => "handed to a bug",
            Self::Dismissed => "dismissed",
        }
    }
}

impl Change {
    /// Who made it, where that is somebody whom the directory knew: whoever told of it, unless they wrote it down for somebody
    /// else or took it in from what was seen.
    #[must_use]
    pub fn who_made_it(&self) -> Option<PersonId> {
        match &self.maker {
            Some(maker) => maker.person,
            None => Some(self.made_by.unwrap_or(self.by)),
        }
    }

    /// Whether its service differs from normal by it.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.stands.state == ChangeState::Done
    }

    /// Whether nobody has said yet how it went.
    #[must_use]
    pub fn is_announced(&self) -> bool {
        self.stands.state == ChangeState::Announced
    }

    /// Whether operations still have to sort it: then it was done and differs, or is announced over broken glass.
    #[must_use]
    pub fn is_unsorted(&self) -> bool {
        self.coordination == Coordination::Uncoordinated
    }

    /// Whether something is still to be done about it, before the incident is closed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.differs() || self.is_announced()
    }
}

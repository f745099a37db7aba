//! What a command names, so that it is at hand when it is decided.

use super::{Command, OfferTo};
use crate::id::{Entry, Number, Who};

impl Command {
    /// The past entry that must be at hand to decide this, because the state keeps no notes.
    #[must_use]
    pub fn cites(&self) -> Option<Entry> {
        match self {
            Self::PinNote { entry }
            | Self::UnpinNote { entry }
            | Self::CorrectNote { entry, .. }
            | Self::Redact { entry, .. } => Some(*entry),
            _ => None,
        }
    }

    /// The person that this names, besides whoever asks.
    #[must_use]
    pub fn names_person(&self) -> Option<&Who> {
        match self {
            Self::OfferRole { to: OfferTo::Person(person), .. }
            | Self::Invite { person }
            | Self::Uninvite { person }
            | Self::SendAway { person, .. }
            | Self::DeclineAsk { person, .. }
            | Self::GrantPermission { person, .. }
            | Self::DeclinePermission { person, .. }
            | Self::AddMember { person, .. }
            | Self::ReleaseMember { person, .. } => Some(person),
            Self::AssignCriterion { person, .. } | Self::AssignTodo { person, .. } | Self::AddTodo { person, .. } => {
                person.as_ref()
            }
            _ => None,
        }
    }

    /// Whether this names a team.
    #[must_use]
    pub fn names_team(&self) -> bool {
        matches!(self, Self::OfferRole { to: OfferTo::Team(_), .. })
    }

    /// The other incident that must be at hand to decide this.
    #[must_use]
    pub fn other_incident(&self) -> Option<Number> {
        match self {
            Self::Merge { into } => Some(*into),
            _ => None,
        }
    }
}

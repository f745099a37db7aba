//! What the clock asks for.

use crate::id::{PersonId, Time};

/// Something the clock has to say about an incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tick {
    /// Record whatever deadlines have passed.
    Deadlines,
    /// Nobody has seen this person act since then.
    Unseen {
        /// The commander, or it is refused.
        person: PersonId,
        /// The last human activity, outages not counted.
        since: Time,
    },
    /// This person was seen again.
    Seen {
        /// Who.
        person: PersonId,
    },
    /// Wardroom was down for a while.
    WasDown {
        /// The last sign of life of any node.
        from: Time,
        /// When a node that tells of it last found that sign to be the last one. Until then it was down; it may be
        /// told a good while later.
        to: Time,
    },
}

//! What one server, address, person or incident may hold at once, and how often one token may ask.

use wardroom_core::evidence::Room;

use super::AtMost;

/// What may be held at once.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Connections; further ones wait to be accepted.
    pub connections: AtMost,
    /// Connections of one address that is not this machine's.
    pub connections_per_address: AtMost,
    /// Live streams of one person. One who holds as many as this keeps nobody else out.
    pub streams_per_person: AtMost,
    /// What all evidence of one incident may weigh together, in MiB.
    pub evidence_per_incident: AtMost,
    /// Questions to the gate by one token, a second, taken over a minute.
    pub gate_asks_per_second: AtMost,
}

impl Limits {
    /// What all evidence of one incident may weigh together.
    #[must_use]
    pub fn room(&self) -> Room {
        Room((self.evidence_per_incident.get() as u64) << 20)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: AtMost(4_096),
            connections_per_address: AtMost(1_024),
            streams_per_person: AtMost(1_000),
            evidence_per_incident: AtMost(10_240),
            gate_asks_per_second: AtMost(100),
        }
    }
}

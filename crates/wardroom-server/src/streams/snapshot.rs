//! What a snapshot's body holds. Pure: anything odd about it means folding anew.

use serde_json::Value;
use wardroom_core::id::Number;
use wardroom_core::incident::Incident;
use wardroom_core::seal;

/// The body as it was kept: JSON with seals, and without words.
#[must_use]
pub fn read(body: &str) -> Option<Value> {
    serde_json::from_str(body).ok().filter(|tree| !seal::holds_words(tree))
}

/// The state of this incident, once the words are back in their places. A state that no events lead to, because nobody
/// ever commanded it, is none.
#[must_use]
pub fn state(opened: Value, number: Number) -> Option<Incident> {
    let incident: Incident = serde_json::from_value(opened).ok()?;
    (incident.number == number && incident.known_commander().is_some()).then_some(incident)
}

//! Who may write in a document, asked of the core for each message.

use wardroom_core::facts::Facts;
use wardroom_core::id::PersonId;
use wardroom_core::incident::{Incident, Phase};

/// Whether somebody may write in an incident's document at this moment; if not, a sentence that says what to do.
///
/// # Errors
/// The sentence.
pub fn may_write(incident: &Incident, person: PersonId, facts: &Facts) -> Result<(), String> {
    if matches!(incident.phase, Phase::Closed | Phase::Merged) {
        return Err("This incident is over, and its document stays as it is.".to_owned());
    }
    if incident.unreadable.is_some() || !incident.visible_to(person, facts) {
        return Err("This incident can only be read at the moment.".to_owned());
    }
    if !incident.responders.contains_key(&person) {
        return Err("Say that you are here first: responders write in the document.".to_owned());
    }
    Ok(())
}

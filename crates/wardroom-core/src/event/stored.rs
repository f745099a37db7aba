//! An incident's events as they are stored, and every kind by its stored name, in the order of the enum.

use serde_json::Value;

use super::{Event, Unreadable};
use crate::record::{from_stored, to_stored};

impl Event {
    /// Every kind, as stored.
    pub const KINDS: &[&str] = &[
        "opened",
        "declared",
        "phase_set",
        "closed",
        "reopened",
        "severity_set",
        "kind_set",
        "title_set",
        "services_set",
        "began_set",
        "post_added",
        "post_removed",
        "restricted",
        "unrestricted",
        "invited",
        "uninvited",
        "guests_invited",
        "guest_invite_revoked",
        "guest_joined",
        "guest_gone",
        "example_began",
        "joined",
        "left",
        "doing_set",
        "role_opened",
        "role_closed",
        "role_taken",
        "role_fell",
        "member_added",
        "member_released",
        "role_offered",
        "offer_declined",
        "offer_withdrawn",
        "offer_lapsed",
        "offer_superseded",
        "taking_held_back",
        "role_asked",
        "ask_declined",
        "ask_taken_back",
        "commander_absent",
        "commander_returned",
        "assumption_proposed",
        "assumption_ended",
        "command_assumed",
        "noted",
        "note_pinned",
        "note_unpinned",
        "note_corrected",
        "redacted",
        "roadblock_raised",
        "roadblock_cleared",
        "criterion_added",
        "criterion_reworded",
        "criterion_assigned",
        "criterion_met",
        "criterion_reopened",
        "criterion_waived",
        "criterion_linked",
        "todo_added",
        "todo_reworded",
        "todo_assigned",
        "todo_finished",
        "todo_reopened",
        "todo_linked",
        "change_recorded",
        "change_passed",
        "change_done",
        "change_failed",
        "change_dropped",
        "change_corrected",
        "way_back_said",
        "change_reverted",
        "change_adopted",
        "change_handed_on",
        "change_differs_again",
        "change_taken_in",
        "change_dismissed",
        "sent_back",
        "change_seen",
        "sighting_went",
        "sighting_judged",
        "sighting_taken_in",
        "sighting_dismissed",
        "sightings_dismissed",
        "asked_in",
        "permission_asked",
        "permission_declined",
        "permission_granted",
        "permission_ended",
        "glass_broken",
        "still_true",
        "document_marked",
        "evidence_attached",
        "not_kept",
        "clock_set",
        "clock_rang",
        "clock_stopped",
        "outage_ended",
        "merged_into",
        "absorbed",
    ];

    /// The stored kind and body; texts in the body are in their unsealed form.
    #[must_use]
    pub fn to_stored(&self) -> (String, Value) {
        to_stored(self)
    }

    /// Reads a stored event back; texts in the body may have been opened before.
    ///
    /// # Errors
    /// [`Unreadable`] for kinds and versions from a newer Wardroom, and for bodies that do not fit.
    pub fn from_stored(kind: &str, version: u16, body: Value) -> Result<Self, Unreadable> {
        from_stored(kind, version, body, |kind| Self::KINDS.contains(&kind))
    }
}

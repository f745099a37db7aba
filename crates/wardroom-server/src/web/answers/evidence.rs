//! What evidence there is and what is worth keeping, described.

use utoipa::ToSchema;
use wardroom_core::evidence::MediaType;
use wardroom_core::id::{Entry, Number, ServiceName};

use super::Named;

/// Everything that is kept as evidence in an incident.
#[derive(ToSchema)]
pub(in crate::web) struct EvidenceList {
    incident: Number,
    /// The piece that was attached first comes first.
    evidence: Vec<EvidenceView>,
}

/// A piece of evidence.
#[derive(ToSchema)]
pub(super) struct EvidenceView {
    /// The entry that attached it.
    entry: Entry,
    /// Of its bytes, in 64 hexadecimal digits.
    sha256: String,
    /// Where it is read.
    address: String,
    /// What its owner called it.
    name: Option<String>,
    /// Why it is worth keeping, if somebody said so.
    why: Option<String>,
    /// What its bytes are by themselves.
    media_type: MediaType,
    bytes: u64,
    /// Who brought it.
    by: Named,
    #[schema(format = DateTime)]
    at: String,
}

/// Something that is worth keeping when something is wrong with a service.
#[derive(ToSchema)]
pub(super) struct WorthView {
    /// What it shows.
    what: Option<String>,
    /// A URL, or a command that changes nothing.
    how: Option<String>,
}

/// The same, of one of the affected services.
#[derive(ToSchema)]
pub(super) struct WorthKeepingView {
    service: ServiceName,
    /// What it shows.
    what: Option<String>,
    /// A URL, or a command that changes nothing.
    how: Option<String>,
}

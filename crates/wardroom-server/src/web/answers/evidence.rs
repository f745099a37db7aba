//! What evidence there is and what is worth keeping, described.

use utoipa::ToSchema;
use wardroom_core::evidence::MediaType;
use wardroom_core::id::{Entry, Number, ServiceName};
use wardroom_core::preserve::Stands;

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
    /// Who brought it; nobody, where it was kept by itself.
    by: Option<Named>,
    #[schema(format = DateTime)]
    at: String,
}

/// Something that is worth keeping when something is wrong with a service.
#[derive(ToSchema)]
pub(super) struct WorthView {
    /// By which it is known.
    id: WorthId,
    /// What it shows.
    what: Option<String>,
    /// A URL, `capture:NAME`, or a command that changes nothing.
    how: Option<String>,
}

/// By which it is known, as an entry of the directory names it.
#[derive(ToSchema)]
pub(super) struct WorthId {
    said: Entry,
    place: u8,
}

/// The same, of one of the affected services.
#[derive(ToSchema)]
pub(super) struct WorthKeepingView {
    service: ServiceName,
    /// What it shows.
    what: Option<String>,
    /// A URL, `capture:NAME`, or a command that changes nothing.
    how: Option<String>,
    /// What becomes of it by itself.
    stands: Stands,
    /// Why it was not kept by itself, in a few words.
    why: Option<String>,
}

//! What the ways in by a link answer: one-time links, and invites for guests.

use utoipa::ToSchema;
use wardroom_core::id::{InviteId, Number};

use super::Named;

/// Whom a one-time link lets in.
#[derive(ToSchema)]
pub(in crate::web) struct LinkView {
    kind: LinkKind,
    person: Option<Named>,
    #[schema(format = DateTime)]
    expires_at: String,
}

/// What a one-time link is for.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
enum LinkKind {
    FirstAdmin,
    Person,
}

/// A one-time link, shown this once.
#[derive(ToSchema)]
pub(in crate::web) struct NewLink {
    path: String,
    secret: String,
    #[schema(format = DateTime)]
    expires_at: String,
}

/// A link for guests, shown this once.
#[derive(ToSchema)]
pub(in crate::web) struct NewInvite {
    id: InviteId,
    path: String,
    secret: String,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// Who invites by a link for guests.
#[derive(ToSchema)]
pub(in crate::web) struct InviteLooked {
    invited_by: Inviting,
    #[schema(format = DateTime)]
    expires_at: String,
}

/// Somebody's name, as it is shown to whoever is not in yet.
#[derive(ToSchema)]
pub(in crate::web) struct Inviting {
    name: String,
}

/// Where a guest came in, and as whom.
#[derive(ToSchema)]
pub(in crate::web) struct CameIn {
    incident: Number,
    person: Named,
}

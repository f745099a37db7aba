//! Permissions to change services, described.

use utoipa::ToSchema;
use wardroom_core::id::ServiceName;

use super::Named;

/// Somebody outside operations may change services for a while.
#[derive(ToSchema)]
pub(super) struct PermissionView {
    id: u32,
    person: Named,
    services: Vec<ServiceName>,
    #[schema(format = DateTime)]
    since: String,
    #[schema(format = DateTime)]
    until: String,
    /// Who gave it; null where they broke the glass.
    by: Option<Named>,
    /// Whether they broke the glass.
    glass: bool,
    /// Why they did.
    reason: Option<String>,
    /// Whether the reader may end it.
    may_end: bool,
}

/// Somebody outside operations asks to.
#[derive(ToSchema)]
pub(super) struct PermissionAskView {
    person: Named,
    services: Vec<ServiceName>,
    /// What they would do.
    what: Option<String>,
    /// Since when they wait.
    #[schema(format = DateTime)]
    at: String,
    /// Whether the reader may let them.
    may_grant: bool,
    /// Whether the reader may say no, or take it back.
    may_decline: bool,
}

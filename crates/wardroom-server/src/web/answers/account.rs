//! Who one is, and where one is signed in.

use utoipa::ToSchema;
use wardroom_core::id::{Number, SessionId};
use wardroom_core::token::Scope;

use super::Named;

/// Who one is.
#[derive(ToSchema)]
pub(in crate::web) struct Me {
    person: Named,
    scope: Scope,
    admin: bool,
    /// Null for whoever came with a token.
    session: Option<OwnSession>,
    /// The one incident that a guest may see; null for everybody else.
    guest_of: Option<Number>,
}

/// By which session one is here.
#[derive(ToSchema)]
pub(in crate::web) struct OwnSession {
    id: SessionId,
    #[schema(format = DateTime)]
    opened_at: String,
}

/// Live sessions, the newest first.
#[derive(ToSchema)]
pub(in crate::web) struct Sessions {
    sessions: Vec<SessionView>,
}

/// A browser that somebody is signed in with.
#[derive(ToSchema)]
pub(in crate::web) struct SessionView {
    id: SessionId,
    device: String,
    #[schema(format = DateTime)]
    opened_at: String,
    #[schema(format = DateTime)]
    last_seen_at: String,
    /// Whether it is the one that asks.
    current: bool,
}

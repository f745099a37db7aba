//! Exit criteria and to-dos, described.

use utoipa::ToSchema;
use wardroom_core::criterion::CriterionAct;
use wardroom_core::todo::TodoAct;

use super::Named;

/// Something that must be true before the incident is resolved.
#[derive(ToSchema)]
pub(super) struct CriterionView {
    id: u32,
    text: Option<String>,
    /// Who sees to it.
    owner: Option<Named>,
    /// Where its bug is tracked: an https link.
    bug: Option<String>,
    by: Named,
    #[schema(format = DateTime)]
    at: String,
    state: Settled,
    /// Who says that it is met, or waived it.
    settled_by: Option<Named>,
    #[schema(format = DateTime)]
    settled_at: Option<String>,
    /// Why it was waived.
    reason: Option<String>,
    /// What the reader may do with it now.
    may: Vec<CriterionAct>,
}

/// How an exit criterion stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum Settled {
    Open,
    Met,
    Waived,
}

/// Something to do.
#[derive(ToSchema)]
pub(super) struct TodoView {
    id: u32,
    text: Option<String>,
    /// Who does it.
    owner: Option<Named>,
    /// Where it is tracked: an https link.
    bug: Option<String>,
    by: Named,
    #[schema(format = DateTime)]
    at: String,
    done_by: Option<Named>,
    #[schema(format = DateTime)]
    done_at: Option<String>,
    /// What the reader may do with it now.
    may: Vec<TodoAct>,
}

/// What the reader may add now.
#[derive(ToSchema)]
pub(super) struct MayAdd {
    criteria: bool,
    todos: bool,
}

//! What the board answers.

use std::collections::BTreeSet;

use utoipa::ToSchema;
use wardroom_core::id::{Entry, Number, PersonId, ServiceName};
use wardroom_core::incident::{Kind, Phase, Severity};

use super::Named;

/// Incidents, in a list.
#[derive(ToSchema)]
pub(in crate::web) struct Listed {
    incidents: Vec<Row>,
}

/// An incident in a list.
#[derive(ToSchema)]
pub(super) struct Row {
    number: Number,
    title: Option<String>,
    kind: Kind,
    phase: Phase,
    severity: Severity,
    services: BTreeSet<ServiceName>,
    commander: Named,
    #[schema(format = DateTime)]
    commander_unseen_since: Option<String>,
    #[schema(format = DateTime)]
    opened_at: String,
    #[schema(format = DateTime)]
    phase_since: String,
    #[schema(format = DateTime)]
    next_due: Option<String>,
    responders: u64,
    /// Who may know of it, if it is restricted.
    invited: Option<BTreeSet<PersonId>>,
    /// Whether it is the example, played for one person.
    example: bool,
    last_entry: Entry,
}

//! The ledger of changes, described.

use utoipa::ToSchema;
use wardroom_core::change::{ChangeAct, ChangeState, Coordination};
use wardroom_core::id::{Entry, Number, ServiceName};

use super::Named;

/// A modification of a service.
#[derive(ToSchema)]
pub(super) struct ChangeView {
    id: u32,
    service: ServiceName,
    /// Whether the directory did not know that service.
    unknown_service: bool,
    what: Option<String>,
    /// The entry that said these words, and of which service: what a command that corrects them names as what it replaces.
    what_entry: Entry,
    why: Option<String>,
    /// The command that did it, or a link to it.
    how: Option<String>,
    /// How to undo it.
    back: Option<String>,
    /// The entry that said so, for a command that replaces it; null while nobody said anything.
    back_entry: Option<Entry>,
    /// By what it came to the gate, if it was recorded there.
    through: Option<String>,
    /// What the gate saw of it, where it was announced by hand, the oldest first.
    passed: Vec<PassedView>,
    /// Who made it, where another system told of it and operations took it in.
    maker: Option<MakerView>,
    /// Who made it, where somebody else wrote it down for them.
    made_by: Option<Named>,
    /// Who told of it.
    by: Named,
    #[schema(format = DateTime)]
    at: String,
    /// When it was made, as far as it was.
    #[schema(format = DateTime)]
    done_at: Option<String>,
    coordination: Coordination,
    state: ChangeState,
    /// Who said that it stands so.
    state_by: Named,
    #[schema(format = DateTime)]
    state_at: String,
    /// What they said of it.
    note: Option<String>,
    /// Where the bug is tracked that it was handed to: an https link.
    bug: Option<String>,
    /// The entry that attached what shows it.
    evidence: Option<Entry>,
    /// What the reader may do with it now.
    may: Vec<ChangeAct>,
}

/// What the gate saw of a change that was under way.
#[derive(ToSchema)]
pub(super) struct PassedView {
    /// What it was asked.
    what: Option<String>,
    /// By what that came.
    through: Option<String>,
    /// Whether it was as good as done, as in a cluster that only waited for the gate's word.
    done: bool,
    #[schema(format = DateTime)]
    at: String,
}

/// Who made a change of which another system told.
#[derive(ToSchema)]
pub(super) struct MakerView {
    /// Who that is, where the directory knew them.
    person: Option<Named>,
    /// As the other system calls them.
    who: Option<String>,
}

/// A service that differs from normal.
#[derive(ToSchema)]
pub(super) struct DifferingView {
    service: ServiceName,
    /// Whether the directory did not know it.
    unknown: bool,
    /// By which changes, the newest first: in this order they are undone.
    changes: Vec<u32>,
}

/// Everything that was done to services, and what differs from normal by it.
#[derive(ToSchema)]
pub(in crate::web) struct Ledger {
    incident: Number,
    /// The service that was changed last comes first: service by service, this is the order of undoing it all.
    differing: Vec<DifferingView>,
    /// In the order in which they were told.
    changes: Vec<ChangeView>,
}

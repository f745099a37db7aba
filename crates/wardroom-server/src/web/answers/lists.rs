//! What stands in the state document beside its written parts, and their marks, described.

use utoipa::ToSchema;
use wardroom_core::criterion::CriterionAct;
use wardroom_core::document::Part;
use wardroom_core::id::Entry;
use wardroom_core::todo::TodoAct;

use super::Named;

/// Something that must be true before the incident is resolved.
#[derive(ToSchema)]
pub(super) struct CriterionView {
    id: u32,
    text: Option<String>,
    /// The entry that said these words: what a command that rewords them names as what it replaces.
    text_entry: Entry,
    /// Who sees to it.
    owner: Option<Named>,
    /// The entry that said so, for a command that replaces it; null while nobody said anything.
    owner_entry: Option<Entry>,
    /// Where its bug is tracked: an https link.
    bug: Option<String>,
    /// The entry that linked it or took the link away, for a command that replaces it; null while nobody did.
    bug_entry: Option<Entry>,
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
    /// The entry that said these words: what a command that rewords them names as what it replaces.
    text_entry: Entry,
    /// Who does it.
    owner: Option<Named>,
    /// The entry that said so, for a command that replaces it; null while nobody said anything.
    owner_entry: Option<Entry>,
    /// Where it is tracked: an https link.
    bug: Option<String>,
    /// The entry that linked it or took the link away, for a command that replaces it; null while nobody did.
    bug_entry: Option<Entry>,
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

/// What the log knows of the written parts.
#[derive(ToSchema)]
pub(super) struct DocumentView {
    /// Who said last that a part is still true.
    stamps: Vec<StampView>,
    /// Whether the reader may write in it now.
    may_write: bool,
    /// Whether the reader may say that it is still true.
    may_stamp: bool,
    /// When communications is asked whether it is still true.
    #[schema(format = DateTime)]
    due: Option<String>,
    /// When it is asked of each part; of those that nobody is asked about, nothing.
    parts_due: PartsDue,
}

/// When it is asked whether a part is still true.
#[derive(ToSchema)]
pub(super) struct PartsDue {
    #[schema(format = DateTime, required = false)]
    summary: String,
    #[schema(format = DateTime, required = false)]
    status: String,
}

/// That a part was still true then.
#[derive(ToSchema)]
pub(super) struct StampView {
    part: Part,
    by: Named,
    #[schema(format = DateTime)]
    at: String,
}

/// The state document as of an entry.
#[derive(ToSchema)]
pub(in crate::web) struct Marked {
    /// Null when nothing was marked until then.
    document: Option<MarkedView>,
}

/// The written parts as the log keeps them.
#[derive(ToSchema)]
pub(super) struct MarkedView {
    /// The entry that marked them.
    entry: Entry,
    /// Of which version of the document it is.
    version: u64,
    parts: Vec<MarkedPartView>,
}

/// A written part as it was marked.
#[derive(ToSchema)]
pub(super) struct MarkedPartView {
    part: Part,
    /// Its words; null when they were redacted.
    text: Option<String>,
    /// The entry in which these words stand: the mark, or one before it.
    marked_in: Entry,
    /// Whether the reader has not seen these words yet: they were marked after what they last looked at.
    new: bool,
    /// The words as they were marked before that; null when the part is not new, or was not marked then.
    before: Option<String>,
    /// Whether the part was written in after the mark: the document says what stands there now.
    changed_since: bool,
}

/// What people wrote in the state document, as it is now.
#[derive(ToSchema)]
pub(in crate::web) struct WrittenView {
    /// Whether it cannot be read, because its record is damaged.
    damaged: bool,
    /// Which version that is, for whoever says that it is still true.
    version: u64,
    parts: Vec<WrittenPartView>,
}

/// A written part as it is now.
#[derive(ToSchema)]
pub(super) struct WrittenPartView {
    part: Part,
    /// Markdown.
    text: String,
    #[schema(format = DateTime)]
    changed_at: Option<String>,
    changed_by: Option<Named>,
    /// Whether that was after somebody had said that it is still true.
    changed_since: bool,
    /// Since when somebody should have said again that it is still true.
    #[schema(format = DateTime)]
    late_since: Option<String>,
}

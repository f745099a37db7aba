//! What other systems told of, described.

use utoipa::ToSchema;
use wardroom_core::id::{Entry, Number, ServiceName};
use wardroom_core::sighting::{SightingAct, Stage};

use super::Named;

/// A change of which another system told.
#[derive(ToSchema)]
pub(super) struct SightingView {
    id: u32,
    service: ServiceName,
    what: Option<String>,
    /// Who made it, as the other system calls them.
    who: Option<String>,
    /// Who that is, where the directory knew them.
    person: Option<Named>,
    /// Whose token told of it, where it was told with one.
    told_by: Option<Named>,
    /// Whether GitHub told of it, which signs what it tells and has no token.
    told_by_github: bool,
    /// Who told of it.
    source: Option<String>,
    /// Where more of it stands: an https link.
    link: Option<String>,
    /// Where it was made, such as `production`.
    environment: Option<String>,
    /// How far it is.
    stage: Stage,
    #[schema(format = DateTime)]
    at: String,
    /// The entry that told of it.
    entry: Entry,
    /// Whether it was made before impact began.
    before_impact: bool,
    /// Whether it was made by somebody outside operations, while only they change that service.
    uncoordinated: bool,
    /// Whether operations still have to sort it.
    unsorted: bool,
    /// The change of the ledger that it is, as far as that can be told, or as which it was taken in.
    change: Option<u32>,
    /// Who took it in or dismissed it.
    sorted_by: Option<Named>,
    /// Who asked whoever made it to come.
    asked_in_by: Option<Named>,
    /// What the reader may do with it now.
    may: Vec<SightingAct>,
}

/// Everything that other systems told of, in the order in which they did.
#[derive(ToSchema)]
pub(in crate::web) struct Sightings {
    incident: Number,
    /// At most 500 are heard of.
    sightings: Vec<SightingView>,
    /// Whether no more are kept.
    full: bool,
    /// Of whom no more is kept.
    cut: Vec<CutView>,
}

/// A system of which no more is kept in an incident: it told of as many changes as any of them may.
#[derive(ToSchema)]
pub(super) struct CutView {
    /// As it calls itself.
    source: Option<String>,
    /// Whose token it tells with, where it has one.
    told_by: Option<Named>,
    /// So many were heard of.
    heard: u32,
    /// So many are at the very most, with those that are to be sorted.
    at_most: u32,
}

/// What came of telling.
#[derive(ToSchema)]
pub(in crate::web) struct ToldAnswer {
    /// How many changes were told of.
    heard: u32,
    /// How many of them were new, or further than before, by service.
    news: u32,
    /// How many events were not about a change, and were left alone.
    ignored: u32,
    /// Services that the directory does not know, as they were named. They are kept all the same.
    unknown_services: Vec<String>,
}

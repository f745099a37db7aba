//! What is answered at the gate, described.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use wardroom_core::id::{Entry, Number, ServiceName, TeamName, Time};
use wardroom_core::incident::Severity;

use super::Named;

/// Whether somebody may change some services. It is sent as it stands here: the gate is asked often, and by machines.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct GateAnswer {
    /// `allow` or `deny`.
    pub decision: &'static str,
    /// Why, for a person.
    pub reason: String,
    /// Whether it is allowed only because the gate observes, and enforces nothing yet.
    pub observed: bool,
    /// What stops it, or would if the gate enforced that.
    pub stops: Vec<StopView>,
    /// The changes as which it stands in the ledgers of incidents.
    pub changes: Vec<PassedView>,
    /// When what was decided by was last known to be all that there is: long ago while the store cannot be reached.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Time,
}

/// An incident that stops somebody.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct StopView {
    /// Null for one that only the invited may know of.
    pub incident: Option<Number>,
    pub service: ServiceName,
    /// Whether the service's gate enforces it.
    pub enforced: bool,
    pub reason: String,
    /// Where operations can be asked for permission, for every service at which this incident stops what was asked about.
    pub ask: Option<String>,
}

/// A change that came through the gate.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct PassedView {
    pub incident: Number,
    pub service: ServiceName,
    pub change: u32,
}

/// Of which changes it is known now how they went.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct GateEnded {
    /// What came of it, for a person.
    pub reason: String,
    /// The changes that were under way; none where nothing waited for this.
    pub changes: Vec<PassedView>,
}

/// What the gate holds, and what it stopped.
#[derive(ToSchema)]
pub(in crate::web) struct GateReport {
    /// Over so many days it is summed up.
    days: u32,
    /// Services whose gate is held, enforces, or stopped somebody.
    services: Vec<GatedView>,
    /// When what is known here was last all that there is; null while this node starts.
    #[schema(format = DateTime)]
    as_of: Option<String>,
}

/// The gate of a service.
#[derive(ToSchema)]
pub(super) struct GatedView {
    service: ServiceName,
    owner: Option<TeamName>,
    /// At which severities it stops people; at the others it observes.
    enforced: Vec<Severity>,
    /// By which incidents it is held now.
    held_by: Vec<Number>,
    /// How often it stopped somebody.
    stopped: u32,
    /// How often it would have.
    observed: u32,
    /// After how many of these whoever asked told of an uncoordinated change there, or was seen to make one.
    uncoordinated: u32,
    /// The last of these, at the most 5, the newest first.
    last: Vec<StoppedView>,
}

/// Somebody was stopped at a gate, or would have been.
#[derive(ToSchema)]
pub(super) struct StoppedView {
    /// Which asking it was: about several services, it is one.
    ask: Uuid,
    #[schema(format = DateTime)]
    at: String,
    /// Who asked, or for whom somebody did; null for somebody whom nobody here knows.
    person: Option<Named>,
    /// What they would have done; null once that was taken out.
    what: Option<String>,
    /// How often that was asked within ten minutes; told as one.
    times: u32,
    /// By which incident.
    incident: Number,
    /// Whether they were stopped; else it was only observed.
    enforced: bool,
    /// Whether they told of an uncoordinated change there afterwards, or were seen to make one; null while that incident cannot be read.
    uncoordinated: Option<bool>,
}

/// What the gate stopped for the sake of an incident, or would have.
#[derive(ToSchema)]
pub(in crate::web) struct Stops {
    incident: Number,
    /// In so many days.
    days: u32,
    /// How often somebody was stopped.
    stopped: u32,
    /// How often somebody would have been.
    observed: u32,
    /// The last of these, at the most 20, the newest first.
    last: Vec<StoppedHereView>,
}

/// Somebody was stopped for the sake of an incident, or would have been.
#[derive(ToSchema)]
pub(super) struct StoppedHereView {
    ask: Uuid,
    #[schema(format = DateTime)]
    at: String,
    /// Who asked, or for whom somebody did; null for somebody whom nobody here knows.
    person: Option<Named>,
    /// What they would have changed.
    services: Vec<ServiceName>,
    /// What they would have done; null once that was taken out.
    what: Option<String>,
    /// How often that was asked within ten minutes; told as one.
    times: u32,
    /// Whether they were stopped; else it was only observed.
    enforced: bool,
    /// Whether they told of an uncoordinated change there afterwards, or were seen to make one.
    uncoordinated: bool,
    /// Whether the reader may take out what was asked.
    may_redact: bool,
}

/// Which objects of a cluster belong to a service. What is left out is not asked.
#[derive(ToSchema)]
pub(super) struct MatchingView {
    /// Patterns, in which `*` stands for any characters.
    names: Option<Vec<String>>,
    namespaces: Option<Vec<String>>,
    /// `NAME=PATTERN`: each name has to be there.
    labels: Option<Vec<String>>,
}

/// What calling a version good wrote, and for which incidents it does not count.
#[derive(ToSchema)]
pub(in crate::web) struct CalledGood {
    first_entry: Option<Entry>,
    last_entry: Option<Entry>,
    /// The incidents that hold the service and began before: its owners may not go back to this version there.
    not_for: Vec<NotFor>,
}

/// An incident that began before a version was called good.
#[derive(ToSchema)]
pub(super) struct NotFor {
    incident: Number,
    /// The version to which the owners of the service may go back there; nothing where none was called good before.
    good: Option<String>,
}

/// A version of a service that is good, as its owners say.
#[derive(ToSchema)]
pub(super) struct GoodView {
    version: Option<String>,
    #[schema(format = DateTime)]
    since: String,
    /// When they said so before, with another one in between; left out where they did not.
    earlier: Option<Vec<String>>,
}

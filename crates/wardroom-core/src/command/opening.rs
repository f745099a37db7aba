//! Opening an incident, and to whom a role is offered: what a command carries that is more than a line.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::{ServiceName, TeamName, Time, Who};
use crate::incident::{Kind, Severity};
use crate::text::Line;

/// Opens an incident: `declare` at once, or `investigate` first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Opening {
    /// What is wrong, in one line.
    pub title: Line,
    /// `true` opens an investigation: someone is looking, the clock runs, nothing is declared.
    #[serde(default)]
    pub investigate: bool,
    /// `incident` unless said otherwise.
    #[serde(default)]
    pub kind: Kind,
    /// sev2 unless said otherwise: declare early, lower it when you know.
    #[serde(default)]
    pub severity: Severity,
    /// What is affected; unknown names may be used and are marked so.
    #[serde(default)]
    pub services: BTreeSet<ServiceName>,
    /// When impact began; it may lie before the declaration.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub began: Option<Time>,
    /// Only the invited may know of it.
    #[serde(default)]
    pub restricted: bool,
}

/// To whom a role is offered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum OfferTo {
    /// To one person.
    Person(Who),
    /// To a team: whoever of it takes first.
    Team(TeamName),
}

//! How that went with which somebody came through the gate, over HTTP.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::ToSchema;
use wardroom_core::facts::Facts;
use wardroom_core::gate::{Ended, Ending};
use wardroom_core::id::ServiceName;
use wardroom_core::text::Line;

use super::{SERVICES_MAX, too_often};
use crate::gate::{NotHeard, UnderWay};
use crate::server::Server;
use crate::web::answers::{self, GateEnded, PassedView};
use crate::web::parse::Plain;
use crate::web::problem::Problem;
use crate::web::who::AtGate;

/// What somebody came through with, and how it went.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Told {
    /// Which services, 1 to 50.
    services: BTreeSet<ServiceName>,
    /// What was done, in the words with which the gate was asked.
    what: Line,
    /// On whose behalf, by their handle or their address of mail, as the gate was asked.
    #[serde(default)]
    on_behalf_of: Option<String>,
    /// How it went.
    ended: Ended,
}

/// Tell how that went with which somebody came through the gate: nobody is asked then. Told again, or where nothing waits for
/// it, it is heard and nothing changes.
#[utoipa::path(
    post, path = "/api/v1/gate/ended", request_body = Told,
    responses((status = 200, description = "Heard", body = GateEnded),
              (status = 422, description = "Not on whose behalf", body = answers::ProblemDocument),
              (status = 429, description = "`asked_too_often` by one token, as at the gate: tell it again", body = answers::ProblemDocument),
              (status = 503, description = "`not_recorded`, or not everywhere: tell it again", body = answers::ProblemDocument)),
)]
pub(in crate::web) async fn tell(
    State(server): State<Server>,
    AtGate(reader): AtGate,
    Plain(told): Plain<Told>,
) -> Result<Json<GateEnded>, Problem> {
    server.askers.ask(reader.by, Instant::now()).map_err(too_often)?;
    let Told { services, what, on_behalf_of, ended } = told;
    if services.is_empty() || services.len() > SERVICES_MAX {
        return Err(Problem::malformed(format!("“services” names 1 to {SERVICES_MAX} services")));
    }
    let (person, through) = server.at_the_gate(&reader, on_behalf_of.as_deref())?;
    let ending = Ending { services, what, through, ended };
    let heard = match person {
        Some(person) => server.end_passing(person, &ending).await,
        None => Ok(Vec::new()),
    };
    let changes = heard.map_err(|NotHeard { heard }| not_everywhere(&shown(heard)))?;
    let changes = shown(changes);
    // Nobody was kept for a name that nobody knows, and nobody is failed for it: it is said, once the book has been read.
    let unknown = match (person, &on_behalf_of) {
        (None, Some(called)) => Some(Facts::nobody_called(called)),
        _ => ending
            .services
            .iter()
            .find(|name| !server.gate.book.knows(person, name))
            .map(|name| reader.facts.no_such_service(name)),
    };
    let mistyped = unknown.map_or_else(String::new, |refusal| format!(" {}", refusal.sentence));
    let reason = match changes.is_empty() {
        true => format!("Heard. Nothing that you may know of waits for this.{mistyped}"),
        false => format!("Heard: {}.", named(&changes)),
    };
    let view = |UnderWay { incident, service, change, .. }| PassedView { incident, service, change };
    Ok(Json(GateEnded { reason, changes: changes.into_iter().map(view).collect() }))
}

/// Others may read along: of an incident that only the invited may know of, nothing is said.
fn shown(changes: Vec<UnderWay>) -> Vec<UnderWay> {
    changes.into_iter().filter(|one| !one.restricted).collect()
}

fn named(changes: &[UnderWay]) -> String {
    let named = changes.iter().map(|one| format!("change {} of incident {}", one.change, one.incident));
    named.collect::<Vec<_>>().join(", ")
}

fn not_everywhere(heard: &[UnderWay]) -> Problem {
    let heard = match heard {
        [] => "How this went could not be recorded.".to_owned(),
        heard => format!("Heard: {}; elsewhere it could not be recorded.", named(heard)),
    };
    let sentence = format!("{heard} Tell it again, or tell the incident how it went.");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_recorded", sentence)
}

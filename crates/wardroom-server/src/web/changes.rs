//! Reading the ledger of changes, and what other systems told of.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use wardroom_core::id::{Actor, Number};
use wardroom_core::incident::{Asking, Incident};
use wardroom_core::seal;

use super::parse::InPath;
use super::problem::Problem;
use super::who::Reader;
use super::{answers, view};
use crate::clock;
use crate::server::Server;

impl Server {
    /// Something of an incident, as a reader gets it now.
    async fn read_of(
        &self,
        reader: &Reader,
        number: Number,
        read: impl FnOnce(&Incident, &Asking<'_>) -> Value,
    ) -> Result<Json<Value>, Problem> {
        let held = self.visible(reader, number).await?;
        let (actor, facts) = (Actor::Person(reader.person), &reader.facts);
        let ask = Asking { actor, now: clock::now(), facts, cited: None, other: None, document: None };
        let mut answer = read(&held.incident, &ask);
        seal::reveal(&mut answer);
        Ok(Json(answer))
    }
}

/// Read every change of an incident, and what differs from normal by them.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}/changes",
    params(("number" = u32, Path, description = "The incident's number")),
    responses((status = 200, body = answers::Ledger), (status = 404, body = answers::ProblemDocument)),
)]
pub(super) async fn ledger(
    State(server): State<Server>,
    reader: Reader,
    InPath(number): InPath,
) -> Result<Json<Value>, Problem> {
    let ledger = |incident: &Incident, ask: &Asking<'_>| {
        json!({
            "incident": number,
            "differing": view::differing(incident),
            "changes": view::all_changes(incident, ask),
        })
    };
    server.read_of(&reader, number, ledger).await
}

/// Read every change of which another system told an incident.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}/sightings",
    params(("number" = u32, Path, description = "The incident's number")),
    responses((status = 200, body = answers::Sightings), (status = 404, body = answers::ProblemDocument)),
)]
pub(super) async fn sightings(
    State(server): State<Server>,
    reader: Reader,
    InPath(number): InPath,
) -> Result<Json<Value>, Problem> {
    let sightings = |incident: &Incident, ask: &Asking<'_>| {
        json!({
            "incident": number,
            "sightings": view::all_sightings(incident, ask),
            "full": view::has_all_sightings(incident),
            "cut": view::sightings_cut(incident, ask),
        })
    };
    server.read_of(&reader, number, sightings).await
}

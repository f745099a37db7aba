//! Playing the example incident.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers;
use super::incidents::Accepted;
use super::parse::Body;
use super::problem::Problem;
use super::who::Responder;
use crate::execute::Order;
use crate::server::Server;

/// `{"request_id": …}`: there is nothing to choose.
#[derive(ToSchema)]
#[allow(dead_code)] // Describes the body to readers of the API; `parse::asked` reads it.
pub(super) struct PlayBody {
    /// Drawn for each command: the same one again gets the same answer.
    request_id: Uuid,
}

/// Nothing to choose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Play {}

/// Play the example incident: a drill that only you see, with people who are scripted. Within a minute they offer you
/// command. It ends when you have done nothing in it for 30 minutes.
#[utoipa::path(
    post, path = "/api/v1/example", request_body = PlayBody,
    responses((status = 201, body = Accepted), (status = "4XX", body = answers::ProblemDocument)),
)]
pub(super) async fn play(
    State(server): State<Server>,
    Responder(reader): Responder,
    Body(asked): Body<Play>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let Play {} = asked.order;
    let done = server.ask(&reader, asked.request_id, Order::Example).await?;
    let accepted = server.accepted(&done);
    server.examples.play(accepted.incident);
    Ok((StatusCode::CREATED, Json(accepted)))
}

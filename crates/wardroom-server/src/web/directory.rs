//! The directory: who one is, people, teams and services, and the one write endpoint for them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use wardroom_core::directory::DirectoryCommand;
use wardroom_core::id::ServiceName;
use wardroom_core::preserve::Template;
use wardroom_core::seal;

use super::answers;
use super::parse::Body;
use super::problem::{Problem, named};
use super::who::{Administrator, By, Member, Reader, Responder};
use crate::execute::Order;
use crate::server::Server;

/// `{"request_id": …, "command": …}` beside the fields of the command.
#[derive(ToSchema)]
#[allow(dead_code)] // Describes the body to readers of the API; `parse::asked` reads it.
pub(super) struct DirectoryBody {
    /// Drawn for each command: the same one again gets the same answer.
    request_id: Uuid,
    #[serde(flatten)]
    command: DirectoryCommand,
}

/// Who am I, what may I do, and by which session am I here.
#[utoipa::path(
    get, path = "/api/v1/me",
    responses((status = 200, body = answers::Me)),
)]
pub(super) async fn me(State(server): State<Server>, reader: Reader) -> Json<Value> {
    let admin = reader.facts.admin(reader.person);
    let directory = server.streams.directory().directory;
    let session = match reader.by {
        By::Session(id) => directory.sessions.get(&id),
        By::Token(_) => None,
    };
    let session = session.map(|session| json!({ "id": session.id, "opened_at": session.opened_at }));
    let person = named(&reader.facts, reader.person);
    let guest_of = reader.facts.guest_of(reader.person);
    Json(json!({ "person": person, "scope": reader.scope, "admin": admin, "session": session, "guest_of": guest_of }))
}

/// People, teams and services. Mail addresses are for admins.
#[utoipa::path(get, path = "/api/v1/directory", responses((status = 200, body = answers::DirectoryView)))]
pub(super) async fn read(Member(reader): Member) -> Json<Value> {
    let people: Vec<Value> = reader
        .facts
        .people
        .values()
        .filter(|person| !reader.facts.scripted(person.id)) // They are in nothing that anybody could bring them into.
        .map(|person| {
            let mut row = json!({
                "id": person.id, "handle": person.handle, "name": person.name,
                "admin": person.admin, "active": person.active, "guest_of": reader.facts.guest_of(person.id),
            });
            if reader.audits() {
                row["email"] = json!(person.email);
            }
            row
        })
        .collect();
    let mut directory = json!({ "people": people, "teams": reader.facts.teams, "services": reader.facts.services });
    seal::reveal(&mut directory);
    Json(directory)
}

/// What of a service is worth keeping.
#[derive(ToSchema)]
#[allow(dead_code)] // Describes the body to readers of the API; `parse::asked` reads it.
pub(super) struct PreserveBody {
    /// Drawn for each request: the same one again gets the same answer.
    request_id: Uuid,
    #[serde(flatten)]
    preserve: Preserve,
}

/// What of a service is worth keeping.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Preserve {
    /// All there is, from now on: at most ten things.
    keep: Vec<Template>,
}

/// Say what of a service is worth keeping when something is wrong with it: an admin, or somebody of the team that owns it.
#[utoipa::path(
    post, path = "/api/v1/services/{service}/preserve", request_body = PreserveBody,
    params(("service" = String, Path, description = "The service's name")),
    responses((status = 200, body = answers::Changed), (status = "4XX", body = answers::ProblemDocument)),
)]
pub(super) async fn preserve(
    State(server): State<Server>,
    _: Member,
    Responder(reader): Responder,
    Path(service): Path<ServiceName>,
    Body(asked): Body<Preserve>,
) -> Result<Json<Value>, Problem> {
    let command = DirectoryCommand::PreserveService { service, keep: asked.order.keep };
    let done = server.ask(&reader, asked.request_id, Order::Directory(command)).await?;
    let span = done.spans.first();
    Ok(Json(json!({ "first_entry": span.map(|span| span.first), "last_entry": span.map(|span| span.last) })))
}

/// Change the directory.
#[utoipa::path(
    post, path = "/api/v1/directory/commands", request_body = DirectoryBody,
    responses((status = 200, body = answers::Changed),
              (status = "4XX", body = answers::ProblemDocument)),
)]
pub(super) async fn command(
    State(server): State<Server>,
    Administrator(reader): Administrator,
    Body(asked): Body<DirectoryCommand>,
) -> Result<Json<Value>, Problem> {
    let signed_out = match &asked.order {
        DirectoryCommand::EndSessions { person } => reader.facts.find(person).ok(),
        _ => None,
    };
    let done = server.ask(&reader, asked.request_id, Order::Directory(asked.order)).await;
    // Also where there is no session left to end: push may have been turned on by one that ran out.
    let ended = match &done {
        Ok(_) => true,
        Err(problem) => problem.status() == StatusCode::CONFLICT,
    };
    if let Some(person) = signed_out.filter(|_| ended) {
        server.forget_browsers_signed_out(person).await?;
    }
    let done = done?;
    let span = done.spans.first();
    Ok(Json(json!({ "first_entry": span.map(|span| span.first), "last_entry": span.map(|span| span.last) })))
}

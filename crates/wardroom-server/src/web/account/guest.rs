//! Guest links: making one, looking at one, and coming in by it. What an invite is worth is decided in the core.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use wardroom_core::command::Command;
use wardroom_core::guest::{Arrival, Door};
use wardroom_core::id::{Actor, InviteId, PersonId, Time};
use wardroom_core::text::Line;
use wardroom_core::token::Digest;

use super::welcome::{Look, no_such_link};
use super::{From, Opening, cookie, origin};
use crate::account::secret::{Sort, digest};
use crate::clock;
use crate::execute::{Asked, Order};
use crate::server::Server;
use crate::web::parse::{Body, InPath, Plain};
use crate::web::problem::{Problem, named};
use crate::web::who::Responder;

/// `{"request_id": …}` beside how long an invite lasts.
#[derive(ToSchema)]
#[allow(dead_code)] // Describes the body to readers of the API; `parse::asked` reads it.
pub(in crate::web) struct InviteBody {
    /// Drawn for each: the same one again is refused, because a secret is told once.
    request_id: Uuid,
    #[serde(flatten)]
    invite: NewInvite,
}

/// How long an invite lasts.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct NewInvite {
    /// 1 to 72; 12 unless said otherwise.
    #[serde(default = "half_a_day")]
    hours: u8,
}

fn half_a_day() -> u8 {
    12
}

/// Who comes by an invite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct ComeIn {
    secret: String,
    /// What they are called, in at most 40 characters.
    name: Line,
}

/// A guest link that somebody holds.
struct Held {
    invite: InviteId,
    door: Door,
    invited_by: PersonId,
    expires_at: Time,
}

impl Server {
    /// The invite behind a secret, if it is good.
    async fn invite(&self, secret: &str) -> Result<Held, Problem> {
        if !Sort::Invite.fits(secret) {
            return Err(no_such_link());
        }
        let directory = self.streams.refresh_directory().await?.directory;
        let (invite, door) = directory.door(&Digest::new(digest(secret))).ok_or_else(no_such_link)?;
        let held = self.streams.incident(door.incident).await?.ok_or_else(no_such_link)?;
        let good = held.incident.good_invite(invite, &directory.facts, clock::now());
        let good = good.map_err(|refusal| Problem::refused(&refusal, &directory.facts))?;
        Ok(Held { invite, door: *door, invited_by: good.by, expires_at: good.expires_at })
    }
}

/// Make a link that lets guests into an incident: up to 50 people, until it ends.
#[utoipa::path(
    post, path = "/api/v1/incidents/{number}/invites", request_body = InviteBody,
    params(("number" = u32, Path, description = "The incident's number")),
    responses((status = 201, body = crate::web::answers::NewInvite),
              (status = "4XX", body = crate::web::answers::ProblemDocument)),
)]
pub(in crate::web) async fn make(
    State(server): State<Server>,
    Responder(reader): Responder,
    InPath(number): InPath,
    Body(asked): Body<NewInvite>,
) -> Result<Response, Problem> {
    let (secret, digest) = Sort::Invite.draw();
    let invite = InviteId(Uuid::now_v7());
    let command = Command::MakeInvite { invite, digest: Digest::new(digest), hours: asked.order.hours };
    server.ask(&reader, asked.request_id, Order::Incident(number, command)).await?;
    let expires_at = server.streams.directory().directory.invites.get(&invite).map(|door| door.expires_at);
    let body = json!({ "id": invite, "path": format!("/guest#{secret}"), "secret": secret, "expires_at": expires_at });
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// Look at a guest link, without using it: who invites, and until when. Of the incident it tells nothing.
#[utoipa::path(
    post, path = "/api/v1/guest/look", request_body = Look,
    responses((status = 200, body = crate::web::answers::InviteLooked),
              (status = 404, description = "`no_such_link`"), (status = 410, description = "`invite_ended`")),
)]
pub(in crate::web) async fn look(
    State(server): State<Server>,
    Plain(asked): Plain<Look>,
) -> Result<Json<Value>, Problem> {
    let held = server.invite(&asked.secret).await?;
    let invited_by = server.streams.directory().directory.facts.name(held.invited_by).to_owned();
    Ok(Json(json!({ "invited_by": { "name": invited_by }, "expires_at": held.expires_at })))
}

/// Come in by a guest link: a name, and one is in that incident.
#[utoipa::path(
    post, path = "/api/v1/guest", request_body = ComeIn,
    responses((status = 201, description = "In, with a cookie", body = crate::web::answers::CameIn),
              (status = 404, description = "`no_such_link`"), (status = 410, description = "`invite_ended`")),
)]
pub(in crate::web) async fn come_in(
    State(server): State<Server>,
    from: From,
    headers: HeaderMap,
    Plain(asked): Plain<ComeIn>,
) -> Result<Response, Problem> {
    if origin::asks(&headers) == origin::Asks::Foreign {
        return Err(origin::refused());
    }
    let held = server.invite(&asked.secret).await?;
    let person = PersonId(Uuid::now_v7());
    let mut opening = Opening::draw(person, from.0, &headers);
    opening.row.expires_at = held.expires_at;
    let arrival = Arrival { invite: held.invite, person, name: asked.name, session: opening.new.id };
    let order = Order::Incident(held.door.incident, Command::Arrive(arrival));
    let told = |error| Problem::not_done(&error, &server.streams.directory().directory.facts);
    server.ready_to_record().await.map_err(told)?;
    let asked = Asked { request: Uuid::now_v7(), actor: Actor::Person(person), order };
    server.executor.execute(asked).await.map_err(told)?;
    server.log.put_session(opening.row).await?;
    server.presence.saw(person);
    let body = json!({
        "incident": held.door.incident, "person": named(&server.streams.directory().directory.facts, person),
    });
    let cookie = cookie::set(&opening.secret, cookie::came_through_tls(&headers));
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(body)).into_response())
}

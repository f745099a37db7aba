//! One-time links: looking at one, coming through it, and making one for somebody.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use wardroom_core::account::{Link, Newcomer};
use wardroom_core::directory::{Directory, DirectoryCommand};
use wardroom_core::id::{Actor, Handle, PersonId, Who};
use wardroom_core::text::Line;

use super::{From, Opening, busy, not_acceptable, origin, with_cookie};
use crate::account::link;
use crate::account::password::Password;
use crate::account::secret::{Sort, digest};
use crate::clock;
use crate::execute::{Asked, NotDone, Order};
use crate::log::LinkRow;
use crate::server::Server;
use crate::web::parse::Plain;
use crate::web::problem::{Problem, named};
use crate::web::who::Administrator;

/// A link's secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Look {
    pub(super) secret: String,
}

/// Who comes through a link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Welcome {
    secret: String,
    #[schema(value_type = String)]
    password: Password,
    /// Only of the first admin.
    name: Option<Line>,
    /// Only of the first admin.
    handle: Option<Handle>,
}

pub(super) fn no_such_link() -> Problem {
    let sentence = "This link is not one of Wardroom's, or not complete. Copy it once more, as a whole.";
    Problem::new(StatusCode::NOT_FOUND, "no_such_link", sentence)
}

fn link_used(sentence: &str) -> Problem {
    Problem::new(StatusCode::GONE, "link_used", sentence)
}

/// What is wrong with a link, if anything.
fn good(directory: &Directory, row: &LinkRow) -> Result<Link, Problem> {
    let now = clock::now();
    let expired = || {
        let sentence = match row.person {
            Some(_) => "This link has expired. Ask an admin for a new one.",
            None => "This link has expired. Start Wardroom again: it prints a new one.",
        };
        Problem::new(StatusCode::GONE, "link_expired", sentence)
    };
    let link = match directory.links.get(&row.id) {
        Some(link) if link.used => {
            return Err(link_used("This link was used already. If it was you: sign in with your password."));
        }
        Some(link) if link.expires_at <= now => return Err(expired()),
        None if row.expires_at <= now => return Err(expired()),
        None => return Err(no_such_link()),
        Some(link) => link.clone(),
    };
    if link.person.is_none() && directory.an_admin_can_get_in(now) {
        return Err(link_used("There is an admin by now. Ask them for a link of your own."));
    }
    Ok(link)
}

impl Server {
    /// The link behind a secret, if it is good.
    async fn link(&self, secret: &str) -> Result<Link, Problem> {
        if !Sort::Link.fits(secret) {
            return Err(no_such_link());
        }
        let row = self.log.link(digest(secret)).await?.ok_or_else(no_such_link)?;
        // It may have been made on the machine itself a moment ago.
        let directory = self.streams.refresh_directory().await?.directory;
        good(&directory, &row)
    }
}

/// Look at a link, without using it.
#[utoipa::path(
    post, path = "/api/v1/welcome/look", request_body = Look,
    responses((status = 200, body = crate::web::answers::LinkView),
              (status = 404, description = "`no_such_link`"),
              (status = 410, description = "`link_used` or `link_expired`")),
)]
pub(in crate::web) async fn look(
    State(server): State<Server>,
    Plain(asked): Plain<Look>,
) -> Result<Json<Value>, Problem> {
    let link = server.link(&asked.secret).await?;
    let facts = &server.streams.directory().directory.facts;
    let kind = if link.person.is_some() { "person" } else { "first_admin" };
    let person = link.person.map(|person| named(facts, person));
    Ok(Json(json!({ "kind": kind, "person": person, "expires_at": link.expires_at })))
}

/// Come through a link: choose a password, and be signed in.
#[utoipa::path(
    post, path = "/api/v1/welcome", request_body = Welcome,
    responses((status = 204, description = "Signed in, with a cookie"),
              (status = 404, description = "`no_such_link`"),
              (status = 409, description = "`taken`: the handle belongs to somebody"),
              (status = 410, description = "`link_used` or `link_expired`"),
              (status = 422, description = "The password is not accepted; `detail` says why")),
)]
pub(in crate::web) async fn welcome(
    State(server): State<Server>,
    from: From,
    headers: HeaderMap,
    Plain(asked): Plain<Welcome>,
) -> Result<Response, Problem> {
    if origin::asks(&headers) == origin::Asks::Foreign {
        return Err(origin::refused());
    }
    let link = server.link(&asked.secret).await?;
    asked.password.check().map_err(not_acceptable)?;
    let newcomer = asked.handle.clone().zip(asked.name).map(|(handle, name)| Newcomer { handle, name });
    let hash = server.accounts.hasher.hash(asked.password).await.map_err(busy)?;
    let nobody_yet = PersonId(uuid::Uuid::nil());
    let mut opening = Opening::draw(link.person.unwrap_or(nobody_yet), from.0, &headers);
    let actor = link.person.map_or(Actor::Console, Actor::Person);
    let order = Order::Directory(DirectoryCommand::Welcome { link: link.id, newcomer, session: opening.new });
    let done = server.executor.execute(Asked { request: uuid::Uuid::now_v7(), actor, order }).await;
    let directory = server.streams.directory().directory;
    if let Err(error) = done {
        if let NotDone::Refused(_) = error {
            server.link(&asked.secret).await?; // Somebody was faster: that says it best.
        }
        return Err(Problem::not_done(&error, &directory.facts));
    }
    let newcomer = || asked.handle.as_ref().and_then(|handle| directory.facts.by_handle(handle));
    let person = link.person.or_else(|| Some(newcomer()?.id)).ok_or_else(no_such_link)?;
    opening.row.person = person;
    server.log.put_password(person, hash).await?;
    server.log.put_session(opening.row).await?;
    server.forget_browsers_signed_out(person).await?;
    server.presence.saw(person);
    Ok(with_cookie(&opening.secret, &headers))
}

/// Make a one-time link for somebody: through it they choose a password.
#[utoipa::path(
    post, path = "/api/v1/people/{handle}/link", params(("handle" = String, Path, description = "Whom it is for")),
    responses((status = 201, body = crate::web::answers::NewLink),
              (status = 403, description = "`admins_only`"), (status = 422, description = "Nobody is called so")),
)]
pub(in crate::web) async fn make(
    State(server): State<Server>,
    Administrator(reader): Administrator,
    Path(handle): Path<String>,
) -> Result<Response, Problem> {
    let handle: Handle = handle.parse().map_err(Problem::malformed)?;
    server.presence.saw(reader.person);
    let person = Some(Who::Handle(handle));
    reader.freshly_proven(&server.streams.directory().directory)?;
    let made = link::make(&server.log, &server.streams, &server.executor, reader.actor(), person);
    let made = made.await.map_err(|error| Problem::not_done(&error, &reader.facts))?;
    let body = json!({ "path": made.path, "secret": made.secret, "expires_at": made.expires_at });
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

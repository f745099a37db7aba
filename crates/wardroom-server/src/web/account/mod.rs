//! Signing in and out, one's sessions, and one's password. One-time links are in `welcome.rs`, those of guests in
//! `guest.rs`, passkeys in `passkey.rs`, showing anew who one is in `proof.rs`.

pub mod cookie;
pub mod guest;
pub mod origin;
pub mod passkey;
pub mod proof;
pub mod welcome;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use wardroom_core::account::NewSession;
use wardroom_core::directory::DirectoryCommand;
use wardroom_core::id::{Actor, Handle, PersonId, SessionId};
use wardroom_core::passkey::Proof;

use super::connection::Peer;
use super::parse::Plain;
use super::problem::Problem;
use super::who::{By, Reader, Responder};
use crate::account::password::{Busy, Password};
use crate::account::secret::Sort;
use crate::account::throttle::{Source, Throttle};
use crate::account::{SESSION_LASTS, device::device};
use crate::clock;
use crate::execute::{Asked, Done, Order};
use crate::log::{LogError, SessionRow};
use crate::server::Server;

/// From where somebody asks. A proxy on this machine is believed about whom it asks for; others are not.
#[derive(Copy, Clone, Debug)]
pub struct From(pub Source);

impl<S: Send + Sync> FromRequestParts<S> for From {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<Peer>>().map(|ConnectInfo(Peer(address))| address.ip());
        let peer = peer.unwrap_or(IpAddr::from([0, 0, 0, 0])).to_canonical();
        let told = forwarded_for(&parts.headers);
        Ok(Self(told.filter(|_| peer.is_loopback()).unwrap_or(peer).into()))
    }
}

/// For whom a proxy says that it asks: the last address that it named.
#[must_use]
pub fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let line = headers.get_all("x-forwarded-for").iter().next_back()?;
    line.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    handle: String,
    #[schema(value_type = String)]
    password: Password,
}

/// A new password, and the one before.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    #[schema(value_type = String)]
    current: Password,
    #[schema(value_type = String)]
    new: Password,
}

fn wrong_password() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "wrong_password",
        "This handle and this password do not belong together. If you cannot remember it, ask an admin for a link.",
    )
}

fn slow_down(pause: Duration) -> Problem {
    let seconds = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
    let sentence = format!("There were too many wrong passwords from where you are. Try again in {seconds} s.");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "slow_down", sentence).after(seconds.max(1))
}

fn busy(_: Busy) -> Problem {
    let sentence = "Too many people are signing in at once. Try again in a moment.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", sentence)
}

fn not_acceptable(why: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "password_not_accepted", why)
}

/// Done, with the cookie of a session.
fn with_cookie(secret: &str, headers: &HeaderMap) -> Response {
    let cookie = cookie::set(secret, cookie::came_through_tls(headers));
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
}

/// A session about to be opened: its name, its secret, and what is kept of it.
struct Opening {
    new: NewSession,
    secret: String,
    row: SessionRow,
}

impl Opening {
    fn draw(person: PersonId, from: Source, headers: &HeaderMap) -> Self {
        let (secret, digest) = Sort::Session.draw();
        let (id, now) = (SessionId(Uuid::now_v7()), clock::now());
        let expires_at = now + SESSION_LASTS;
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let (device, address) = (device(agent), from.to_string());
        let row = SessionRow { id, digest, person, device, address, opened_at: now, last_seen_at: now, expires_at };
        Self { new: NewSession { id, expires_at }, secret, row }
    }
}

impl Server {
    fn throttle(&self) -> std::sync::MutexGuard<'_, Throttle> {
        self.accounts.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has somebody's own way in changed, as the edge has settled it.
    async fn order(&self, person: PersonId, command: DirectoryCommand) -> Result<Done, Problem> {
        let asked = Asked { request: Uuid::now_v7(), actor: Actor::Person(person), order: Order::Directory(command) };
        let done = self.executor.execute(asked).await;
        done.map_err(|error| Problem::not_done(&error, &self.streams.directory().directory.facts))
    }

    /// Whether this is somebody's password, told no faster than guessing may go.
    async fn right_password(
        &self,
        (handle, person): (&str, Option<PersonId>),
        password: Password,
        from: Source,
    ) -> Result<PersonId, Problem> {
        let now = Instant::now();
        let pause = self.throttle().pause(handle, from, now);
        if !pause.is_zero() && !self.spared(person, from, now).await? {
            return Err(slow_down(pause));
        }
        let hash = match person {
            Some(person) => self.log.password(person).await?,
            None => None,
        };
        self.throttle().trying(handle, from, now);
        let right = self.accounts.hasher.verify(password, hash).await;
        match (right, person) {
            (Ok(true), Some(person)) => {
                self.throttle().right(handle, person, from);
                Ok(person)
            }
            (Ok(_), _) if !pause.is_zero() => Err(slow_down(pause)),
            (Ok(_), _) => Err(wrong_password()),
            (Err(why), _) => {
                self.throttle().not_tried(handle, from);
                Err(busy(why))
            }
        }
    }

    /// Whether somebody is let through although their address pauses: they signed in from it before.
    async fn spared(&self, person: Option<PersonId>, from: Source, now: Instant) -> Result<bool, LogError> {
        let Some(person) = person else { return Ok(false) };
        let mut knows = self.throttle().knows(person, from);
        if !knows {
            // Before this node was started, perhaps.
            knows = self.log.sessions_of(person).await?.iter().any(|row| row.address == from.to_string());
        }
        Ok(knows && self.throttle().spares(from, now))
    }
}

/// Sign in.
#[utoipa::path(
    post, path = "/api/v1/session", request_body = SignIn,
    responses((status = 204, description = "Signed in, with a cookie"),
              (status = 401, description = "`wrong_password`"), (status = 429, description = "`slow_down`")),
)]
pub(super) async fn sign_in(
    State(server): State<Server>,
    from: From,
    headers: HeaderMap,
    Plain(asked): Plain<SignIn>,
) -> Result<Response, Problem> {
    if origin::asks(&headers) == origin::Asks::Foreign {
        return Err(origin::refused());
    }
    let handle = asked.handle.trim().to_lowercase();
    let directory = server.streams.directory().directory;
    let person = handle.parse::<Handle>().ok().and_then(|handle| directory.facts.by_handle(&handle).map(|p| p.id));
    let person = person.filter(|person| directory.facts.active(*person) && directory.passwords.contains(person));
    // What cannot be a handle is nobody's: it is counted together.
    let counted = if handle.len() <= 32 { handle.as_str() } else { "" };
    let person = server.right_password((counted, person), asked.password, from.0).await?;
    let opening = Opening::draw(person, from.0, &headers);
    server.presence.saw(person);
    server.order(person, DirectoryCommand::SignIn { person, session: opening.new, by: Proof::Password }).await?;
    server.log.put_session(opening.row).await?;
    Ok(with_cookie(&opening.secret, &headers))
}

/// Sign out.
#[utoipa::path(delete, path = "/api/v1/session", responses((status = 204, description = "Signed out")))]
pub(super) async fn sign_out(
    State(server): State<Server>,
    reader: Result<Reader, Problem>,
) -> Result<impl IntoResponse, Problem> {
    match reader {
        Ok(Reader { by: By::Session(session), person, .. }) => {
            server.order(person, DirectoryCommand::EndSession { session }).await?;
        }
        Ok(_) => {}
        Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => {}
        Err(problem) => return Err(problem),
    }
    let cookies: [(HeaderName, _); 2] = cookie::taken_away().map(|cookie| (header::SET_COOKIE, cookie));
    Ok((StatusCode::NO_CONTENT, AppendHeaders(cookies)))
}

/// Where am I signed in.
#[utoipa::path(
    get, path = "/api/v1/sessions",
    responses((status = 200, body = crate::web::answers::Sessions)),
)]
pub(super) async fn list(State(server): State<Server>, reader: Reader) -> Result<Json<Value>, Problem> {
    let (directory, now) = (server.streams.directory().directory, clock::now());
    let rows = server.log.sessions_of(reader.person).await?;
    let live = rows.iter().filter_map(|row| Some((row, directory.session(row.id, now)?)));
    let sessions: Vec<Value> = live
        .map(|(row, session)| {
            json!({ "id": row.id, "device": row.device, "opened_at": session.opened_at,
                "last_seen_at": row.last_seen_at.max(session.opened_at), "current": reader.by == By::Session(row.id) })
        })
        .collect();
    Ok(Json(json!({ "sessions": sessions })))
}

/// End a session: its open streams end within a second.
#[utoipa::path(
    delete, path = "/api/v1/sessions/{id}", params(("id" = Uuid, Path, description = "Of the session")),
    responses((status = 204, description = "Ended"), (status = 404, description = "You have no such session")),
)]
pub(super) async fn end(
    State(server): State<Server>,
    Responder(reader): Responder,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    let (session, directory) = (SessionId(id), server.streams.directory().directory);
    let mine = directory.sessions.get(&session).is_some_and(|known| known.person == reader.person);
    if !mine && !reader.audits() {
        let sentence = "You have no such session: it has ended already, or it is not yours.";
        return Err(Problem::new(StatusCode::NOT_FOUND, "no_such_session", sentence));
    }
    server.ask(&reader, Uuid::now_v7(), Order::Directory(DirectoryCommand::EndSession { session })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Change my password: all my other sessions end.
#[utoipa::path(
    post, path = "/api/v1/me/password", request_body = NewPassword,
    responses((status = 204, description = "Changed"), (status = 401, description = "`wrong_password`"),
              (status = 422, description = "The new one is not accepted; `detail` says why")),
)]
pub(super) async fn change_password(
    State(server): State<Server>,
    Responder(reader): Responder,
    from: From,
    Plain(asked): Plain<NewPassword>,
) -> Result<StatusCode, Problem> {
    asked.new.check().map_err(not_acceptable)?;
    let person = reader.person;
    let handle = reader.facts.people.get(&person).and_then(|person| person.handle.words()).unwrap_or_default();
    server.right_password((handle, Some(person)), asked.current, from.0).await?;
    let hash = server.accounts.hasher.hash(asked.new).await.map_err(busy)?;
    let keep = match reader.by {
        By::Session(session) => Some(session),
        By::Token(_) => None,
    };
    let order = Order::Directory(DirectoryCommand::SetPassword { person, keep });
    server.ask(&reader, Uuid::now_v7(), order).await?;
    server.log.put_password(person, hash).await?;
    server.forget_browsers_signed_out(person).await?;
    Ok(StatusCode::NO_CONTENT)
}

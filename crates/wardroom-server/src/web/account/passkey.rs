//! Passkeys: making, listing and removing one, and signing in by one. What browsers say is taken apart in
//! `account/passkey/`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use wardroom_core::directory::DirectoryCommand;
use wardroom_core::id::{PasskeyId, PersonId};
use wardroom_core::passkey::{Passkey, Proof};
use wardroom_core::text::Line;

use super::{From, Opening, cookie, origin, with_cookie};
use crate::account::device::device;
use crate::account::passkey::ceremony::{self, Act};
use crate::account::passkey::challenge::{self, Purpose};
use crate::account::passkey::key::ALGORITHMS;
use crate::account::secret::digest;
use crate::clock;
use crate::execute::Order;
use crate::log::PasskeyRow;
use crate::public_url::PublicUrl;
use crate::server::Server;
use crate::stored::random;
use crate::web::parse::Plain;
use crate::web::problem::Problem;
use crate::web::who::{Member, Responder};

/// Bytes, in base64url without padding, as WebAuthn writes them.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Base64(Vec<u8>);

impl TryFrom<String> for Base64 {
    type Error = &'static str;
    fn try_from(given: String) -> Result<Self, Self::Error> {
        URL_SAFE_NO_PAD.decode(given).map(Self).map_err(|_| "bytes are written in base64url, without padding")
    }
}

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What a browser brings of a signature by a passkey.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Signature {
    /// What the authenticator calls the passkey.
    #[schema(value_type = String)]
    id: Base64,
    #[schema(value_type = String)]
    client_data: Base64,
    #[schema(value_type = String)]
    authenticator_data: Base64,
    #[schema(value_type = String)]
    signature: Base64,
    /// Whom the authenticator takes its owner for.
    #[schema(value_type = Option<String>)]
    user: Option<Base64>,
}

/// What a browser brings of a passkey that was made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct NewPasskey {
    #[schema(value_type = String)]
    client_data: Base64,
    #[schema(value_type = String)]
    attestation: Base64,
    /// What its owner calls it; left out, the browser's name.
    label: Option<Line>,
}

pub(super) fn not_accepted(why: &str) -> Problem {
    let sentence = format!("This passkey was not accepted: {why}.");
    Problem::new(StatusCode::UNAUTHORIZED, "passkey_not_accepted", sentence)
}

impl Server {
    /// Where the page is that asks: what passkeys are bound to.
    pub(super) fn site(&self, headers: &HeaderMap) -> Result<PublicUrl, Problem> {
        let found = || {
            let host = headers.get(header::HOST)?.to_str().ok()?;
            let scheme = if cookie::came_through_tls(headers) { "https" } else { "http" };
            format!("{scheme}://{host}").parse().ok()
        };
        self.public_url.clone().or_else(found).filter(PublicUrl::is_named).ok_or_else(|| {
            let sentence = "A passkey is bound to a name, and this address has none. Open Wardroom by its name, or by \
                            `localhost` on the machine itself.";
            Problem::new(StatusCode::CONFLICT, "no_name", sentence)
        })
    }

    pub(super) async fn challenge(&self, purpose: Purpose) -> Result<String, Problem> {
        let key = self.accounts.challenge_key(&self.log).await?;
        Ok(challenge::make(key, random(), purpose, clock::now()))
    }

    /// Uses up the challenge that a browser answered.
    async fn use_up(&self, given: &str, purpose: Purpose) -> Result<(), Problem> {
        let (key, now) = (self.accounts.challenge_key(&self.log).await?, clock::now());
        let end =
            challenge::good(key, given, purpose, now).ok_or_else(|| not_accepted("it took too long; try again"))?;
        if self.log.use_challenge(digest(given), end, now).await? {
            return Ok(());
        }
        Err(not_accepted("its signature was used before"))
    }

    /// Whose passkey has signed, and which: good, of somebody who may come in, and for the first time.
    pub(super) async fn signed(
        &self,
        site: &PublicUrl,
        purpose: Purpose,
        given: Signature,
    ) -> Result<(PersonId, PasskeyId), Problem> {
        let Signature { id: Base64(id), client_data: Base64(client), authenticator_data: Base64(data), .. } = given;
        let (Base64(signature), user) = (given.signature, given.user);
        let asked = ceremony::challenge(&client, Act::Get, site.origin()).map_err(not_accepted)?;
        let unknown = || not_accepted("Wardroom does not know it, or does not know it any more");
        if id.len() > ceremony::CREDENTIAL_MAX {
            return Err(unknown());
        }
        let row = self.log.passkey(&id).await?.filter(|row| row.host == site.host()).ok_or_else(unknown)?;
        let said = ceremony::signed(&row.key, &data, &client, &signature, site.host()).map_err(not_accepted)?;
        ceremony::by_somebody(&said).map_err(not_accepted)?;
        if user.is_some_and(|Base64(user)| user != row.person.0.as_bytes()) {
            return Err(not_accepted("it is somebody else's"));
        }
        let mut directory = self.streams.directory().directory;
        if !directory.passkeys.contains_key(&row.id) {
            // It may have been added on another node a moment ago.
            directory = self.streams.look_again().await?.directory;
        }
        let known = directory.passkeys.get(&row.id).filter(|passkey| passkey.person == row.person);
        if known.is_none() || !directory.facts.active(row.person) {
            return Err(unknown());
        }
        self.use_up(&asked, purpose).await?;
        if !self.log.used_passkey(row.id, said.count, clock::now()).await? {
            tracing::warn!(passkey = %row.id, person = %row.person, "a passkey counted backwards: there may be two of it");
            return Err(not_accepted("there may be two of it. Remove it, and make another one"));
        }
        Ok((row.person, row.id))
    }

    /// A passkey's own row, beside what the directory knows of it.
    fn shown(passkey: &Passkey, row: Option<&PasskeyRow>) -> Value {
        json!({ "id": passkey.id, "label": passkey.label.words(), "added_at": passkey.added_at,
            "used_at": row.and_then(|row| row.used_at), "host": row.map(|row| row.host.clone()) })
    }
}

/// Begin to sign in by a passkey: what it has to sign.
#[utoipa::path(
    post, path = "/api/v1/session/passkey/challenge",
    responses((status = 200, body = crate::web::answers::ToSign), (status = 409, description = "`no_name`")),
)]
pub(in crate::web) async fn challenge(
    State(server): State<Server>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let site = server.site(&headers)?;
    let challenge = server.challenge(Purpose::SignIn).await?;
    Ok(Json(json!({ "challenge": challenge, "host": site.host(), "passkeys": [] })))
}

/// Sign in by a passkey.
#[utoipa::path(
    post, path = "/api/v1/session/passkey", request_body = Signature,
    responses((status = 204, description = "Signed in, with a cookie"),
              (status = 401, description = "`passkey_not_accepted`"), (status = 409, description = "`no_name`")),
)]
pub(in crate::web) async fn sign_in(
    State(server): State<Server>,
    from: From,
    headers: HeaderMap,
    Plain(asked): Plain<Signature>,
) -> Result<Response, Problem> {
    if origin::asks(&headers) == origin::Asks::Foreign {
        return Err(origin::refused());
    }
    let (person, passkey) = server.signed(&server.site(&headers)?, Purpose::SignIn, asked).await?;
    let opening = Opening::draw(person, from.0, &headers);
    server.presence.saw(person);
    let by = Proof::Passkey(passkey);
    server.order(person, DirectoryCommand::SignIn { person, session: opening.new, by }).await?;
    server.log.put_session(opening.row).await?;
    Ok(with_cookie(&opening.secret, &headers))
}

/// My passkeys.
#[utoipa::path(get, path = "/api/v1/passkeys", responses((status = 200, body = crate::web::answers::Passkeys)))]
pub(in crate::web) async fn list(State(server): State<Server>, Member(reader): Member) -> Result<Json<Value>, Problem> {
    let directory = server.streams.directory().directory;
    let rows = server.log.passkeys_of(reader.person).await?;
    let mine = directory.passkeys.values().filter(|passkey| passkey.person == reader.person);
    let row = |passkey: &Passkey| rows.iter().find(|row| row.id == passkey.id);
    let passkeys: Vec<Value> = mine.map(|passkey| Server::shown(passkey, row(passkey))).collect();
    Ok(Json(json!({ "passkeys": passkeys })))
}

/// What the session that asks has to be proven for.
fn adding(passkey: PasskeyId, person: PersonId, label: Line) -> DirectoryCommand {
    DirectoryCommand::AddPasskey { passkey, person, label }
}

fn unnamed() -> Line {
    "Passkey".parse().expect("it is a line")
}

/// Begin to add a passkey: what a browser makes it of.
#[utoipa::path(
    post, path = "/api/v1/passkeys/challenge",
    responses((status = 200, body = crate::web::answers::ToMake), (status = 403, description = "`step_up`"),
              (status = 409, description = "`no_name`")),
)]
pub(in crate::web) async fn prepare(
    State(server): State<Server>,
    Member(reader): Member,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let session = reader.session()?;
    reader.freshly_proven(&server.streams.directory().directory)?;
    let site = server.site(&headers)?;
    let challenge = server.challenge(Purpose::Add(session)).await?;
    let known: Vec<String> =
        server.log.passkeys_of(reader.person).await?.iter().map(|row| base64(&row.credential)).collect();
    let handle = reader.facts.people.get(&reader.person).and_then(|person| person.handle.words());
    Ok(Json(json!({
        "challenge": challenge, "host": site.host(), "algorithms": ALGORITHMS, "known": known,
        "user": { "id": base64(reader.person.0.as_bytes()), "handle": handle, "name": reader.facts.name(reader.person) },
    })))
}

/// Add a passkey that a browser has made.
#[utoipa::path(
    post, path = "/api/v1/passkeys", request_body = NewPasskey,
    responses((status = 201, body = crate::web::answers::PasskeyView), (status = 401, description = "`passkey_not_accepted`"),
              (status = 403, description = "`step_up`"), (status = 409, description = "`taken` or `no_name`")),
)]
pub(in crate::web) async fn add(
    State(server): State<Server>,
    Member(reader): Member,
    headers: HeaderMap,
    Plain(asked): Plain<NewPasskey>,
) -> Result<Response, Problem> {
    let (session, person, site) = (reader.session()?, reader.person, server.site(&headers)?);
    let (Base64(client), Base64(attestation)) = (asked.client_data, asked.attestation);
    let answered = ceremony::challenge(&client, Act::Create, site.origin()).map_err(not_accepted)?;
    let (said, made) = ceremony::made(&attestation, site.host()).map_err(not_accepted)?;
    ceremony::by_somebody(&said).map_err(not_accepted)?;
    server.use_up(&answered, Purpose::Add(session)).await?;
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let label = asked.label.unwrap_or_else(|| device(agent).parse().unwrap_or_else(|_| unnamed()));
    let id = PasskeyId(Uuid::now_v7());
    let row = PasskeyRow {
        credential: made.credential.to_vec(),
        id,
        person,
        key: made.key.to_vec(),
        host: site.host().to_owned(),
        count: said.count,
        used_at: None,
    };
    // Its key first: one that nobody knows of opens nothing, and one without a key could not be used.
    if !server.log.put_passkey(row.clone()).await? {
        let sentence = "This passkey is known already. Use it to sign in, or make another one.";
        return Err(Problem::new(StatusCode::CONFLICT, "taken", sentence));
    }
    let done = server.ask(&reader, Uuid::now_v7(), Order::Directory(adding(id, person, label))).await;
    if let Err(problem) = done {
        if problem.status().is_client_error() {
            server.log.drop_passkey(id).await?;
        }
        return Err(problem);
    }
    let added = server.streams.directory().directory.passkeys.get(&id).map(|known| Server::shown(known, Some(&row)));
    Ok((StatusCode::CREATED, Json(added)).into_response())
}

/// Remove a passkey: it opens nothing any more. What it opened before goes on, and is listed among the sessions.
#[utoipa::path(
    delete, path = "/api/v1/passkeys/{id}", params(("id" = Uuid, Path, description = "Of the passkey")),
    responses((status = 204, description = "Removed"), (status = 403, description = "`step_up`"),
              (status = 404, description = "You have no such passkey")),
)]
pub(in crate::web) async fn remove(
    State(server): State<Server>,
    Responder(reader): Responder,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    let (passkey, directory) = (PasskeyId(id), server.streams.directory().directory);
    let mine = directory.passkeys.get(&passkey).is_some_and(|known| known.person == reader.person);
    if !reader.audits() {
        reader.session()?;
        if !mine {
            let sentence = "You have no such passkey: it was removed already, or it is not yours.";
            return Err(Problem::new(StatusCode::NOT_FOUND, "no_such_passkey", sentence));
        }
    }
    server.ask(&reader, Uuid::now_v7(), Order::Directory(DirectoryCommand::RemovePasskey { passkey })).await?;
    Ok(StatusCode::NO_CONTENT)
}

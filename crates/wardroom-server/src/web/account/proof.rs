//! Showing anew, from an open session, who one is: what an old session is asked for before it changes who gets in.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use wardroom_core::directory::DirectoryCommand;
use wardroom_core::passkey::Proof;

use super::From;
use super::passkey::{Signature, not_accepted};
use crate::account::passkey::challenge::Purpose;
use crate::account::password::Password;
use crate::server::Server;
use crate::web::parse::Plain;
use crate::web::problem::Problem;
use crate::web::who::Responder;

/// One of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Shown {
    #[schema(value_type = Option<String>)]
    password: Option<Password>,
    passkey: Option<Signature>,
}

/// Begin to show by a passkey who I am: what it has to sign.
#[utoipa::path(
    post, path = "/api/v1/session/proof/challenge",
    responses((status = 200, body = crate::web::answers::ToSign), (status = 409, description = "`no_name`")),
)]
pub(in crate::web) async fn challenge(
    State(server): State<Server>,
    Responder(reader): Responder,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let (session, site) = (reader.session()?, server.site(&headers)?);
    let mine = server.log.passkeys_of(reader.person).await?;
    let mine: Vec<String> =
        mine.iter().filter(|row| row.host == site.host()).map(|row| super::passkey::base64(&row.credential)).collect();
    let challenge = server.challenge(Purpose::Prove(session)).await?;
    Ok(Json(json!({ "challenge": challenge, "host": site.host(), "passkeys": mine })))
}

/// Show by my password or a passkey who I am. For a quarter of an hour this session may change who gets in.
#[utoipa::path(
    post, path = "/api/v1/session/proof", request_body = Shown,
    responses((status = 204, description = "Shown"),
              (status = 401, description = "`wrong_password` or `passkey_not_accepted`"),
              (status = 429, description = "`slow_down`")),
)]
pub(in crate::web) async fn prove(
    State(server): State<Server>,
    Responder(reader): Responder,
    from: From,
    headers: HeaderMap,
    Plain(asked): Plain<Shown>,
) -> Result<StatusCode, Problem> {
    let (session, person) = (reader.session()?, reader.person);
    let by = match (asked.password, asked.passkey) {
        (Some(password), None) => {
            let handle = reader.facts.people.get(&person).and_then(|person| person.handle.words()).unwrap_or_default();
            server.right_password((handle, Some(person)), password, from.0).await?;
            Proof::Password
        }
        (None, Some(signature)) => {
            let site = server.site(&headers)?;
            let (whose, passkey) = server.signed(&site, Purpose::Prove(session), signature).await?;
            if whose != person {
                return Err(not_accepted("it is somebody else's"));
            }
            Proof::Passkey(passkey)
        }
        _ => return Err(Problem::malformed("it brings either a password or a passkey")),
    };
    server.order(person, DirectoryCommand::ProveSession { session, by }).await?;
    Ok(StatusCode::NO_CONTENT)
}

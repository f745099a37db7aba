//! Personal tokens: everybody of the house looks after their own, and admins see all.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wardroom_core::directory::DirectoryCommand;
use wardroom_core::id::{Time, TokenId};
use wardroom_core::seal;
use wardroom_core::text::Line;
use wardroom_core::token::{Scope, Token, end_after};

use super::answers;
use super::parse::{Plain, Query};
use super::problem::{Problem, named};
use super::told::{OF_GITHUB, teller_of};
use super::who::{By, Member, Responder, new_secret};
use crate::clock;
use crate::execute::Order;
use crate::server::Server;

/// Whose tokens to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    /// Everybody's, for admins.
    #[serde(default)]
    all: bool,
}

/// A token that somebody wants for themselves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    /// What it is for, so that its owner knows it again.
    label: Line,
    scope: Scope,
    /// For how many days; left out, until it is revoked.
    days: Option<u32>,
}

/// List my live tokens, or everybody's.
#[utoipa::path(
    get, path = "/api/v1/tokens", params(Whose),
    responses((status = 200, body = answers::TokenList), (status = 403, description = "`admins_only` for everybody's")),
)]
pub(super) async fn list(
    State(server): State<Server>,
    Member(reader): Member,
    Query(whose): Query<Whose>,
) -> Result<Json<Value>, Problem> {
    if whose.all {
        reader.has_to_audit()?;
    }
    let (directory, now) = (server.streams.directory().directory, clock::now());
    let too_much = server.sightings.too_much();
    let shown = |token: &&Token| directory.live(token, now) && (whose.all || token.person == reader.person);
    let row = |token: &Token| {
        json!({
            "id": token.id, "person": named(&directory.facts, token.person), "scope": token.scope,
            "label": token.label, "issued_at": token.issued_at, "expires_at": token.expires_at,
            "current": reader.by == By::Token(token.id), "refused_at": too_much.refused.get(&teller_of(token.id)),
        })
    };
    let mut rows: Vec<Value> = directory.tokens.values().filter(shown).map(row).collect();
    rows.reverse(); // Their ids are in the order in which they were made.
    let of_github = |(teller, at): (&String, &Time)| {
        teller.strip_prefix(OF_GITHUB).map(|source| json!({ "source": source, "refused_at": at }))
    };
    let webhooks: Vec<Value> = too_much.refused.iter().filter_map(of_github).collect();
    let told = whose.all.then(|| json!({ "webhooks_refused": webhooks, "forgotten_at": too_much.forgotten_at }));
    let mut tokens = json!({ "tokens": rows, "told": told });
    seal::reveal(&mut tokens);
    Ok(Json(tokens))
}

/// Make a token for myself; its secret is shown this once.
#[utoipa::path(
    post, path = "/api/v1/tokens", request_body = NewToken,
    responses((status = 201, body = answers::TokenMade),
              (status = 403, description = "`not_by_token`: sign in on the page; or `not_for_guests`, `admins_only`")),
)]
pub(super) async fn make(
    State(server): State<Server>,
    Member(reader): Member,
    Plain(asked): Plain<NewToken>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    // Whoever finds a token shall not be able to make another one of it, which would outlive it.
    let By::Session(_) = reader.by else {
        let sentence = "A token cannot make tokens. Sign in on the page and make one there, or on the machine itself: \
                        `wardroom token create`.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_by_token", sentence));
    };
    let expires_at = asked.days.map(|days| end_after(days, clock::now())).transpose();
    let expires_at = expires_at.map_err(|refusal| Problem::refused(&refusal, &reader.facts))?;
    let (secret, digest) = new_secret();
    let token = TokenId(Uuid::now_v7());
    let (person, scope, label) = (reader.person.into(), asked.scope, asked.label);
    let order = DirectoryCommand::IssueToken { token, person, scope, label, expires_at, digest };
    server.ask(&reader, Uuid::now_v7(), Order::Directory(order)).await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": token, "secret": secret, "expires_at": expires_at }))))
}

/// Revoke a token, mine or, for admins, anybody's: its open streams end within a second.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{id}", params(("id" = Uuid, Path, description = "Of the token")),
    responses((status = 204, description = "Revoked"), (status = 404, description = "You have no such token")),
)]
pub(super) async fn revoke(
    State(server): State<Server>,
    Responder(reader): Responder,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    let (token, directory) = (TokenId(id), server.streams.directory().directory);
    let mine = directory.tokens.get(&token).is_some_and(|known| known.person == reader.person);
    if !mine && !reader.audits() {
        let sentence = "You have no such token: it was revoked, has expired, or is not yours.";
        return Err(Problem::new(StatusCode::NOT_FOUND, "no_such_token", sentence));
    }
    server.ask(&reader, Uuid::now_v7(), Order::Directory(DirectoryCommand::RevokeToken { token })).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! Who is asking: an extractor in every handler's signature. What they may do is decided in the core.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use sha2::{Digest as _, Sha256};
use wardroom_core::facts::Facts;
use wardroom_core::id::{Actor, PersonId, TokenId};
use wardroom_core::token::{Digest, Scope};

use super::problem::Problem;
use crate::clock;
use crate::server::Server;

/// Tokens are written `wr_` and 64 hexadecimal digits, so that scanners of leaked secrets can find them.
const TOKEN_PREFIX: &str = "wr_";

/// Somebody who is signed in and may read.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Who.
    pub person: PersonId,
    /// By which token.
    pub token: TokenId,
    /// What the token allows at the most.
    pub scope: Scope,
    /// The directory at this moment.
    pub facts: Facts,
}

/// Somebody whose token allows to act.
#[derive(Clone, Debug)]
pub struct Responder(pub Reader);

/// Somebody whose token allows to change the directory; whether they are an admin is decided in the core.
#[derive(Clone, Debug)]
pub struct Administrator(pub Reader);

impl Reader {
    /// As whom they act.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Person(self.person)
    }

    /// Whether they see the directory's audit stream: an admin with an admin's token.
    #[must_use]
    pub fn audits(&self) -> bool {
        self.scope == Scope::Admin && self.facts.admin(self.person)
    }
}

/// A new token's secret, as it is shown once, and its digest, which is kept.
#[must_use]
pub fn new_secret() -> (String, Digest) {
    let bytes = crate::stored::random::<32>();
    let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let secret = format!("{TOKEN_PREFIX}{secret}");
    let digest = digest_of(&secret);
    (secret, digest)
}

fn digest_of(secret: &str) -> Digest {
    Digest::new(Sha256::digest(secret.as_bytes()).into())
}

/// The bearer token of a request: bounded, and never echoed.
fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    let well_formed = scheme.eq_ignore_ascii_case("bearer") && secret.len() == 67 && secret.starts_with(TOKEN_PREFIX);
    well_formed.then_some(secret)
}

impl FromRequestParts<Server> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        let secret = bearer(parts).ok_or_else(Problem::unauthenticated)?;
        // Looked up by digest: the time it takes tells nothing about the secret.
        let digest = digest_of(secret);
        let mut directory = server.streams.directory().directory;
        if directory.token(&digest, clock::now()).is_none() {
            // It may have been made on the machine itself a moment ago: look once whether the log has more.
            directory = server.streams.refresh_directory().await?.directory;
        }
        let token = directory.token(&digest, clock::now()).ok_or_else(Problem::unauthenticated)?;
        Ok(Self { person: token.person, token: token.id, scope: token.scope, facts: directory.facts.clone() })
    }
}

fn allows(reader: Reader, scope: Scope, word: &str) -> Result<Reader, Problem> {
    if reader.scope >= scope {
        return Ok(reader);
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "token_scope",
        format!(
            "Your token does not allow to {word}. Make one with more scope on the machine: `wardroom token create`."
        ),
    ))
}

impl FromRequestParts<Server> for Responder {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        let reader = Reader::from_request_parts(parts, server).await?;
        allows(reader, Scope::Respond, "act").map(Self)
    }
}

impl FromRequestParts<Server> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        let reader = Reader::from_request_parts(parts, server).await?;
        allows(reader, Scope::Admin, "change the directory").map(Self)
    }
}

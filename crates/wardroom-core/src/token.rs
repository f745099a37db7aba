//! Personal tokens: 32 random bytes drawn at the edge, of which only the SHA-256 digest is ever kept.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::directory::{Directory, DirectoryEvent, DirectoryRecorded};
use crate::id::{PersonId, Time, TokenId};
use crate::refusal::{Code, Refusal};
use crate::seal::Seal;
use crate::text::Text;

/// What a token's bearer may do, at the most; what they may do within it is decided by the nouns.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Scope {
    /// Read, and nothing else.
    Read,
    /// Everything that a responder does.
    #[default]
    Respond,
    /// Also change the directory, if the person is an admin.
    Admin,
}

/// SHA-256 of a token's 32 random bytes.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(Seal);

impl Digest {
    /// Wraps a digest that was computed at the edge.
    #[must_use]
    pub fn new(sha256: [u8; 32]) -> Self {
        Self(Seal(sha256))
    }
}

/// Digests stay out of logs: they are no secret, but nobody needs them there.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// A token that was issued and not revoked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Token {
    /// Its public name.
    pub id: TokenId,
    /// Whose it is.
    pub person: PersonId,
    /// What it allows at the most.
    pub scope: Scope,
    /// What its owner calls it.
    pub label: Text,
    /// Since when.
    pub issued_at: Time,
    /// Until when; `None` lasts until it is revoked.
    pub expires_at: Option<Time>,
    /// Of the secret.
    pub digest: Digest,
}

/// More live tokens than this are a leak.
const TOKENS_MAX: usize = 10_000;

impl Directory {
    /// The token behind a digest, if it is live at `now` and its person is active.
    #[must_use]
    pub fn token(&self, digest: &Digest, now: Time) -> Option<&Token> {
        self.tokens.values().find(|token| token.digest == *digest).filter(|token| self.live(token, now))
    }

    /// Whether a token (still) lets its bearer in.
    #[must_use]
    pub fn live(&self, token: &Token, now: Time) -> bool {
        token.expires_at.is_none_or(|until| now < until) && self.facts.active(token.person)
    }

    pub(crate) fn issue_token(&self, now: Time, token: Token) -> Result<Vec<DirectoryEvent>, Refusal> {
        if token.expires_at.is_some_and(|until| until <= now) {
            return Err(Refusal::new(Code::Invalid, "A token expires in the future, or not at all."));
        }
        // Those that have expired let nobody in, and nobody is asked to tidy them up.
        if self.tokens.values().filter(|token| self.live(token, now)).count() >= TOKENS_MAX {
            return Err(Refusal::new(
                Code::TooMany,
                format!("{TOKENS_MAX} tokens are live already; revoke some first."),
            ));
        }
        let Token { id, person, scope, label, expires_at, digest, .. } = token;
        Ok(vec![DirectoryEvent::TokenIssued { token: id, person, scope, label, expires_at, digest }])
    }

    pub(crate) fn revoke_token(&self, token: TokenId) -> Result<Vec<DirectoryEvent>, Refusal> {
        if self.tokens.contains_key(&token) {
            return Ok(vec![DirectoryEvent::TokenRevoked { token }]);
        }
        Err(Refusal::new(Code::NotThere, "No such token is live: it was revoked, or never issued."))
    }

    pub(crate) fn revoke_all_tokens(&self) -> Vec<DirectoryEvent> {
        if self.tokens.is_empty() { Vec::new() } else { vec![DirectoryEvent::AllTokensRevoked {}] }
    }

    pub(crate) fn evolve_tokens(&mut self, recorded: &DirectoryRecorded) {
        match &recorded.event {
            DirectoryEvent::TokenIssued { token, person, scope, label, expires_at, digest } => {
                let issued = Token {
                    id: *token,
                    person: *person,
                    scope: *scope,
                    label: label.clone(),
                    issued_at: recorded.at,
                    expires_at: *expires_at,
                    digest: *digest,
                };
                Arc::make_mut(&mut self.tokens).insert(*token, issued);
            }
            DirectoryEvent::TokenRevoked { token } => {
                Arc::make_mut(&mut self.tokens).remove(token);
            }
            DirectoryEvent::AllTokensRevoked {} => self.tokens = Arc::default(),
            DirectoryEvent::PersonDeactivated { person } | DirectoryEvent::PersonForgotten { person, .. } => {
                Arc::make_mut(&mut self.tokens).retain(|_, token| token.person != *person);
            }
            _ => {}
        }
    }
}

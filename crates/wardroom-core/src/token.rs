//! Personal tokens: 32 random bytes drawn at the edge, of which only the SHA-256 digest is ever kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::directory::{Directory, DirectoryAsking, DirectoryEvent, DirectoryRecorded};
use crate::id::{Actor, PersonId, Time, TokenId};
use crate::refusal::{Code, Refusal};
use crate::seal::Seal;
use crate::text::Text;

/// What a token's bearer may do, at the most; what they may do within it is decided by the nouns.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Scope {
    /// Ask the gate, on behalf of whomever it names, and nothing else: for pipelines and clusters.
    Gate,
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

/// The longest that a token may be asked to last, in days: ten years. Without an end it lasts until it is revoked.
pub const DAYS_MAX: u32 = 3_660;

/// When a token ends that is made now, for so many days.
///
/// # Errors
/// [`Code::Invalid`] for none, or for more than [`DAYS_MAX`].
pub fn end_after(days: u32, now: Time) -> Result<Time, Refusal> {
    if !(1..=DAYS_MAX).contains(&days) {
        let sentence = format!("A token lasts for 1 to {DAYS_MAX} days, or until it is revoked.");
        return Err(Refusal::new(Code::Invalid, sentence));
    }
    Ok(now + SignedDuration::from_hours(24 * i64::from(days)))
}

/// More live tokens than this are a leak.
const TOKENS_MAX: usize = 10_000;

/// Tokens that were issued and not revoked. Those that have expired go when the next one is issued, so that there
/// are never more than may be live.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Token>", into = "Vec<Token>")]
pub struct Tokens {
    by_id: BTreeMap<TokenId, Token>,
    by_digest: BTreeMap<Digest, TokenId>,
    by_end: BTreeSet<(Time, TokenId)>,
}

impl From<Vec<Token>> for Tokens {
    fn from(all: Vec<Token>) -> Self {
        let mut tokens = Self::default();
        all.into_iter().for_each(|token| tokens.insert(token));
        tokens
    }
}

impl From<Tokens> for Vec<Token> {
    fn from(tokens: Tokens) -> Self {
        tokens.by_id.into_values().collect()
    }
}

impl Tokens {
    /// The token of a public name.
    #[must_use]
    pub fn get(&self, id: &TokenId) -> Option<&Token> {
        self.by_id.get(id)
    }

    /// The token whose secret has this digest: every request asks for one.
    fn with(&self, digest: &Digest) -> Option<&Token> {
        self.by_id.get(self.by_digest.get(digest)?)
    }

    /// All of them.
    pub fn values(&self) -> impl Iterator<Item = &Token> {
        self.by_id.values()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    fn insert(&mut self, token: Token) {
        self.remove(&token.id);
        self.by_digest.insert(token.digest, token.id);
        self.by_end.extend(token.expires_at.map(|until| (until, token.id)));
        self.by_id.insert(token.id, token);
    }

    fn remove(&mut self, id: &TokenId) {
        let Some(token) = self.by_id.remove(id) else { return };
        if self.by_digest.get(&token.digest) == Some(id) {
            self.by_digest.remove(&token.digest);
        }
        if let Some(until) = token.expires_at {
            self.by_end.remove(&(until, *id));
        }
    }

    fn remove_all_of(&mut self, person: PersonId) {
        let theirs = self.values().filter(|token| token.person == person).map(|token| token.id);
        for id in theirs.collect::<Vec<_>>() {
            self.remove(&id);
        }
    }

    /// Drops those that let nobody in any more. Ends are in order: what lives on is not looked at.
    fn remove_expired(&mut self, now: Time) {
        while let Some((until, id)) = self.by_end.first().copied().filter(|(until, _)| *until <= now) {
            self.by_end.remove(&(until, id));
            self.remove(&id);
        }
    }
}

impl Directory {
    /// The token behind a digest, if it is live at `now` and its person is active.
    #[must_use]
    pub fn token(&self, digest: &Digest, now: Time) -> Option<&Token> {
        self.tokens.with(digest).filter(|token| self.live(token, now))
    }

    /// Whether a token (still) lets its bearer in.
    #[must_use]
    pub fn live(&self, token: &Token, now: Time) -> bool {
        token.expires_at.is_none_or(|until| now < until) && self.facts.active(token.person)
    }

    pub(crate) fn issue_token(&self, ask: DirectoryAsking, token: Token) -> Result<Vec<DirectoryEvent>, Refusal> {
        let now = ask.now;
        if token.expires_at.is_some_and(|until| until <= now) {
            return Err(Refusal::new(Code::Invalid, "A token expires in the future, or not at all."));
        }
        // Whoever becomes an admin one day should not find that an old token has become one with them.
        if token.scope == Scope::Admin && ask.actor != Actor::Console && !self.facts.admin(token.person) {
            return Err(Refusal::new(
                Code::AdminsOnly,
                "Only an admin's token can administer. Make one that responds.",
            ));
        }
        // It says of anybody that they ask: whoever has it is believed.
        if token.scope == Scope::Gate && ask.actor.person().is_some_and(|person| !self.facts.admin(person)) {
            let sentence = "A gate's token asks on anybody's behalf. An admin can make one.";
            return Err(self.facts.admins_only(sentence));
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
        if self.tokens.get(&token).is_some() {
            return Ok(vec![DirectoryEvent::TokenRevoked { token }]);
        }
        Err(Refusal::new(Code::NotThere, "No such token is live: it was revoked, has expired, or was never issued."))
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
                let tokens = Arc::make_mut(&mut self.tokens);
                // Nobody revokes what has ended by itself, and the event says when it is: folding depends on no clock.
                tokens.remove_expired(recorded.at);
                tokens.insert(issued);
            }
            DirectoryEvent::TokenRevoked { token } => {
                Arc::make_mut(&mut self.tokens).remove(token);
            }
            DirectoryEvent::AllTokensRevoked {} => self.tokens = Arc::default(),
            DirectoryEvent::PersonDeactivated { person } | DirectoryEvent::PersonForgotten { person, .. } => {
                Arc::make_mut(&mut self.tokens).remove_all_of(*person);
            }
            _ => {}
        }
    }
}

//! Who is asking, by a token or by the cookie of a session: an extractor in every handler's signature. What they may
//! do is decided in the core.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use uuid::Uuid;
use wardroom_core::directory::{Directory, DirectoryCommand};
use wardroom_core::facts::Facts;
use wardroom_core::id::{Actor, PersonId, SessionId, TokenId};
use wardroom_core::token::{Digest, Scope};

use super::account::{cookie, origin};
use super::problem::Problem;
use crate::account::secret::{Sort, digest};
use crate::clock;
use crate::server::Server;

/// The field in which a request says whom it means. A browser sends the cookie that it has: while a page is open, somebody
/// else may sign in beside it, and what was written before must not go out as theirs.
pub const AS: &str = "wardroom-as";

/// By what somebody is signed in.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum By {
    /// A personal token.
    Token(TokenId),
    /// A browser's session.
    Session(SessionId),
}

/// Somebody who is signed in and may read.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Who.
    pub person: PersonId,
    /// By what.
    pub by: By,
    /// What that allows at the most.
    pub scope: Scope,
    /// The directory at this moment.
    pub facts: Facts,
}

/// Somebody who may act.
#[derive(Clone, Debug)]
pub struct Responder(pub Reader);

/// Somebody of the house who asks at the gate: for themselves, or, with a gate's token, on somebody's behalf.
#[derive(Clone, Debug)]
pub struct AtGate(pub Reader);

/// Somebody of the house who may read: not a guest.
#[derive(Clone, Debug)]
pub struct Member(pub Reader);

/// Somebody who may change the directory, as far as their token goes; whether they are an admin is decided in the
/// core.
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

    /// Refuses whoever does not, with who could.
    ///
    /// # Errors
    /// `admins_only` with the admins, or what is wrong with an admin's token.
    pub fn has_to_audit(&self) -> Result<(), Problem> {
        if self.audits() {
            return Ok(());
        }
        if self.facts.admin(self.person) {
            return allows(self.clone(), Scope::Admin, "see what is for admins").map(drop);
        }
        Err(Problem::refused(
            &self.facts.admins_only("This is for admins, who look after people's access."),
            &self.facts,
        ))
    }
}

/// Somebody who sees what concerns everybody's access: an admin, with an admin's token or on the page.
#[derive(Clone, Debug)]
pub struct Auditor(pub Reader);
impl Reader {
    /// Whether this may be asked from where they sit, or they have to show first who sits there. A token is no session:
    /// whoever made it settled what it may do, and nobody sits at it who could be asked.
    ///
    /// # Errors
    /// The refusal, with what to do.
    pub fn proven_enough(&self, directory: &Directory, command: &DirectoryCommand) -> Result<(), Problem> {
        let By::Session(session) = self.by else { return Ok(()) };
        let enough = directory.proven_enough(session, command, clock::now());
        enough.map_err(|refusal| Problem::refused(&refusal, &directory.facts))
    }

    /// As [`Reader::proven_enough`], of what always asks for a proof and is drawn only after it.
    ///
    /// # Errors
    /// The refusal, with what to do.
    pub fn freshly_proven(&self, directory: &Directory) -> Result<(), Problem> {
        let By::Session(session) = self.by else { return Ok(()) };
        let proven = directory.freshly_proven(session, clock::now());
        proven.map_err(|refusal| Problem::refused(&refusal, &directory.facts))
    }

    /// The session that they sit at.
    ///
    /// # Errors
    /// For whoever has a token.
    pub fn session(&self) -> Result<SessionId, Problem> {
        match self.by {
            By::Session(session) => Ok(session),
            By::Token(_) => {
                let sentence = "This is for a browser that is signed in, and you have a token.";
                Err(Problem::new(StatusCode::FORBIDDEN, "sessions_only", sentence))
            }
        }
    }
}

/// A new token's secret, as it is shown once, and its digest, which is kept.
#[must_use]
pub fn new_secret() -> (String, Digest) {
    let (secret, digest) = Sort::Token.draw();
    (secret, Digest::new(digest))
}

/// The bearer token of a request: bounded, and never echoed.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && Sort::Token.fits(secret)).then_some(secret)
}

/// What a live token or session allows; `None` when it has ended.
fn scope_now(directory: &Directory, by: By) -> Option<(PersonId, Scope)> {
    let now = clock::now();
    match by {
        By::Token(id) => {
            let token = directory.tokens.get(&id).filter(|token| directory.live(token, now))?;
            Some((token.person, token.scope))
        }
        By::Session(id) => {
            let session = directory.session(id, now)?;
            Some((session.person, directory.scope_of_sessions(session.person)))
        }
    }
}

impl Reader {
    fn of(directory: &Directory, by: By) -> Option<Self> {
        let (person, scope) = scope_now(directory, by)?;
        Some(Self { person, by, scope, facts: directory.facts.clone() })
    }

    /// Whether this is who a request means: a person's id.
    ///
    /// # Errors
    /// For what is no person's id.
    pub fn is_meant_by(&self, meant: &str) -> Result<bool, Problem> {
        let id =
            Uuid::parse_str(meant).map_err(|_| Problem::malformed("whom it means is not said by a person's id"))?;
        Ok(self.person == PersonId(id))
    }

    /// Whether this is who the header means, if it says so.
    fn has_to_be_meant(&self, headers: &HeaderMap) -> Result<(), Problem> {
        for meant in headers.get_all(AS) {
            if !self.is_meant_by(meant.to_str().unwrap_or_default())? {
                return Err(Problem::somebody_else());
            }
        }
        Ok(())
    }

    /// Looks at the directory again, for whoever stays long; false when what let them in has ended.
    pub fn still_signed_in(&mut self, directory: &Directory) -> bool {
        let now = Self::of(directory, self.by);
        now.map(|reader| *self = reader).is_some()
    }
}

impl FromRequestParts<Server> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        let reader = Self::signed_in(parts, server).await?;
        reader.has_to_be_meant(&parts.headers)?;
        allows(reader, Scope::Read, "read")
    }
}

impl FromRequestParts<Server> for AtGate {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        let reader = Reader::signed_in(parts, server).await?;
        reader.has_to_be_meant(&parts.headers)?;
        // What they would ask and tell of concerns every incident, and the answer the directory.
        let Member(reader) = Member::of(reader)?;
        if reader.scope == Scope::Gate { Ok(Self(reader)) } else { allows(reader, Scope::Respond, "act").map(Self) }
    }
}

impl Reader {
    /// Who is signed in by what came with a request.
    async fn signed_in(parts: &Parts, server: &Server) -> Result<Self, Problem> {
        // A proxy may have credentials of its own in that header: only a token of ours goes before the cookie.
        let bearer = bearer(&parts.headers);
        if bearer.is_none()
            && let Some(secret) = cookie::secret(&parts.headers)
        {
            // A browser sends its cookie whoever's page asks: a write has to come from ours.
            let reads = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
            if !reads && origin::asks(&parts.headers) != origin::Asks::Ours {
                return Err(origin::refused());
            }
            let session = server.accounts.session(&server.log, &server.streams, secret).await?;
            let by = By::Session(session.ok_or_else(Problem::unauthenticated)?.id);
            return Self::of(&server.streams.directory().directory, by).ok_or_else(Problem::unauthenticated);
        }
        Self::with_token(server, bearer.ok_or_else(Problem::unauthenticated)?).await
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// 401 for what is none, or not any more.
    pub async fn with_secret(server: &Server, secret: &str) -> Result<Self, Problem> {
        if !Sort::Token.fits(secret) {
            return Err(Problem::unauthenticated());
        }
        Self::with_token(server, secret).await
    }

    /// The same, of what has the form of a token.
    async fn with_token(server: &Server, secret: &str) -> Result<Self, Problem> {
        // Looked up by digest: the time it takes tells nothing about the secret.
        let digest = Digest::new(digest(secret));
        let known = |directory: &Directory| {
            let token = directory.token(&digest, clock::now())?;
            Self::of(directory, By::Token(token.id))
        };
        if let Some(reader) = known(&server.streams.directory().directory) {
            return Ok(reader);
        }
        // It may have been made on the machine itself a moment ago: look whether the log has more.
        known(&server.streams.look_again().await?.directory).ok_or_else(Problem::unauthenticated)
    }
}

fn allows(reader: Reader, scope: Scope, word: &str) -> Result<Reader, Problem> {
    if reader.scope >= scope {
        return Ok(reader);
    }
    if let By::Session(_) = reader.by {
        let sentence = "Only an admin can change the directory.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "admins_only", sentence));
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

impl FromRequestParts<Server> for Member {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        Self::of(Reader::from_request_parts(parts, server).await?)
    }
}

impl Member {
    fn of(reader: Reader) -> Result<Self, Problem> {
        if reader.facts.guest_of(reader.person).is_none() {
            return Ok(Self(reader));
        }
        let sentence = "You are a guest here, in one incident. This is for people of the house.";
        Err(Problem::new(StatusCode::FORBIDDEN, "not_for_guests", sentence))
    }
}

impl FromRequestParts<Server> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        let reader = Reader::from_request_parts(parts, server).await?;
        allows(reader, Scope::Admin, "change the directory").map(Self)
    }
}

impl FromRequestParts<Server> for Auditor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        let Member(reader) = Member::from_request_parts(parts, server).await?;
        reader.has_to_audit().map(|()| Self(reader))
    }
}

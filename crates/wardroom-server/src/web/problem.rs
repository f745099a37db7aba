//! How the API says no: RFC 9457 problem documents with a stable code. The only place that turns errors into
//! responses.
//!
//! The core knows no HTTP: it refuses with a [`Refusal`], which says what was wrong, who could, and what to do
//! instead. Here that becomes a status and a document. What went wrong inside is logged, never told.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use wardroom_core::facts::Facts;
use wardroom_core::id::PersonId;
use wardroom_core::refusal::{Code, Refusal, Remedy};

use crate::execute::NotDone;
use crate::log::LogError;

/// Seconds after which a client may try again when the store could not.
const RETRY_AFTER: u64 = 2;
/// The code of what cannot be read because its record is damaged.
pub(super) const DAMAGED: &str = "damaged";

/// A problem document on its way to a client.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    body: Value,
    /// Seconds after which to try again.
    after: Option<u64>,
}

impl Problem {
    /// A problem with a stable code, and a sentence that a tired person understands.
    pub fn new(status: StatusCode, code: &str, sentence: impl Into<String>) -> Self {
        let body = json!({
            "type": format!("urn:wardroom:problem:{code}"),
            "title": status.canonical_reason().unwrap_or("Problem"),
            "status": status.as_u16(),
            "code": code,
            "detail": sentence.into(),
        });
        let after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER);
        Self { status, body, after }
    }

    /// Says after how many seconds to try again.
    #[must_use]
    pub fn after(mut self, seconds: u64) -> Self {
        self.after = Some(seconds);
        self
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Its sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }

    /// The document itself, where it is part of an answer.
    #[must_use]
    pub fn document(self) -> Value {
        self.body
    }

    /// Nobody is signed in, or the token is not (or no longer) good.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "not_signed_in",
            "Nobody is signed in here, or not any more. Sign in on the page, or send a token: “Authorization: Bearer \
             TOKEN”. `wardroom token create HANDLE` makes one on the machine itself.",
        )
    }

    /// Too much is going on.
    #[must_use]
    pub fn busy() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "Too much is going on at once. Nothing was recorded; try again in a moment.",
        )
    }

    /// The request means somebody else than who is signed in by what came with it. It is no lack of a right: what it was
    /// written on is not so any more, as with any other conflict.
    #[must_use]
    pub fn somebody_else() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "somebody_else",
            "Somebody else is signed in here by now, and this was not said by them. Nothing was recorded. Load the page \
             anew to see who it is.",
        )
    }

    /// The request itself could not be read.
    pub fn malformed(why: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", format!("This request could not be read: {why}."))
    }

    /// A refusal of the core, with the names of who could.
    #[must_use]
    pub fn refused(refusal: &Refusal, facts: &Facts) -> Self {
        let code = serde_json::to_value(refusal.code).expect("codes are plain data");
        let mut problem =
            Self::new(status_of(refusal.code), code.as_str().unwrap_or_default(), refusal.sentence.clone());
        if !refusal.who_could.is_empty() {
            problem = problem.who_could(&refusal.who_could, facts);
        }
        if let Some(remedy) = &refusal.remedy {
            problem = problem.remedy(remedy, facts);
        }
        if !refusal.unseen.is_empty() {
            problem.body["unseen"] = serde_json::to_value(&refusal.unseen).expect("entries are plain data");
        }
        problem
    }

    /// Adds who could do it.
    #[must_use]
    pub fn who_could(self, people: &[PersonId], facts: &Facts) -> Self {
        self.with("who_could", people.iter().map(|person| named(facts, *person)).collect())
    }

    /// Adds what the asker can do instead.
    #[must_use]
    pub fn remedy(self, remedy: &Remedy, facts: &Facts) -> Self {
        let mut told = serde_json::to_value(remedy).expect("remedies are plain data");
        if let Some(person) = remedy.person() {
            told["handle"] = named(facts, person)["handle"].take();
        }
        self.with("remedy", told)
    }

    /// Why an order was not done.
    #[must_use]
    pub fn not_done(error: &NotDone, facts: &Facts) -> Self {
        match error {
            NotDone::Refused(refusal) => Self::refused(refusal, facts),
            NotDone::RequestReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "request_reused",
                "This request id was used for another command. Draw a new one for each command.",
            ),
            NotDone::Busy => Self::busy(),
            NotDone::BrokeOff => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "broke_off",
                "Something went wrong inside Wardroom while it decided this, so it may have been recorded or not. Look \
                 before you ask again, and please report it: the server's own log says more.",
            ),
            NotDone::Store(error) => error.into(),
        }
    }

    /// Adds a member to the document.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.body[name] = value;
        self
    }
}

/// A person as documents show them.
#[must_use]
pub fn named(facts: &Facts, person: PersonId) -> Value {
    let handle = facts.people.get(&person).and_then(|person| person.handle.words());
    json!({
        "id": person, "name": facts.name(person), "handle": handle,
        "guest": facts.guest_of(person).is_some(), "scripted": facts.scripted(person),
    })
}

impl From<&LogError> for Problem {
    fn from(error: &LogError) -> Self {
        tracing::error!(%error, "a request met the store's limits");
        match error {
            LogError::Damaged { stream, .. } => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                DAMAGED,
                format!("The record of {stream} is damaged and was set aside. Run `wardroom verify` on the machine."),
            ),
            LogError::Full(_) => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "no_room",
                "The disk on which evidence is kept is full. Nothing of this was recorded; everything else goes on. Whoever \
                 runs this server makes room, then send it again.",
            ),
            LogError::NoStore(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "no_store",
                "Evidence cannot be kept or read here just now: its store was not named, is not there, or does not let \
                 Wardroom in. Everything else goes on. Whoever runs this server reads why in its log.",
            ),
            LogError::InDoubt(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "store_unavailable",
                "Wardroom's store did not answer, so this may have been recorded or not. Ask again with the same \
                 request id: it will be recorded once.",
            ),
            _ => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "store_unavailable",
                "Wardroom cannot reach its store at this moment. Try again in a moment, with the same request id: \
                 what was recorded after all is not recorded twice.",
            ),
        }
    }
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        (&error).into()
    }
}

fn status_of(code: Code) -> StatusCode {
    match code {
        Code::NoSuchIncident => StatusCode::NOT_FOUND,
        Code::InviteEnded => StatusCode::GONE,
        Code::NotActive
        | Code::NotAResponder
        | Code::NotYours
        | Code::AdminsOnly
        | Code::StepUp
        | Code::NotForGuests
        | Code::NotOfferedToYou
        | Code::NeedsAnother => StatusCode::FORBIDDEN,
        Code::UnknownPerson
        | Code::Inactive
        | Code::UnknownTeam
        | Code::UnknownService
        | Code::UnknownRole
        | Code::BriefingNeeded
        | Code::FromTheFuture
        | Code::Invalid
        | Code::TooMany => StatusCode::UNPROCESSABLE_ENTITY,
        Code::NotThere
        | Code::AlreadySo
        | Code::ChangedMeanwhile
        | Code::Taken
        | Code::WrongPhase
        | Code::WrongKind
        | Code::OfferPending
        | Code::OfferLapsed
        | Code::BriefingStale
        | Code::CommanderIsHere
        | Code::CommandMustBeHanded
        | Code::Unfinished
        | Code::CriteriaOpen
        | Code::DiffersFromNormal
        | Code::ReadOnly => StatusCode::CONFLICT,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

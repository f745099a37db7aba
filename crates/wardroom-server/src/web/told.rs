//! Other systems tell of changes: CloudEvents and CDEvents with a token, GitHub's deployments with a signature.
//!
//! What is told is kept before it is answered, and nobody who tells it learns of which incidents hear of it.

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;
use wardroom_core::facts::Facts;
use wardroom_core::id::{PersonId, ServiceName, TokenId};
use wardroom_core::sighting::{Seen, Stage};
use wardroom_core::text::Line;
use wardroom_core::token::Scope;

use super::answers;
use super::arriving::{Unarrived, in_time, said};
use super::problem::Problem;
use super::who::{AtGate, By, Reader};
use crate::clock;
use crate::intake::{self, BODY_MAX, Heard, Told, Unheard, cloudevents, github, spellings, words};
use crate::server::Server;
use crate::sightings::{HOURLY_MAX, Part, WAIT};

/// By this header GitHub says what it tells of.
const GITHUB: &str = "x-github-event";
/// By this one it shows that it is GitHub.
const SIGNATURE: &str = "x-hub-signature-256";

/// Stands before a repository, where its webhooks are named as a teller.
pub(super) const OF_GITHUB: &str = "github ";

/// How whatever has a token is named as a teller.
pub(super) fn teller_of(token: TokenId) -> String {
    format!("token {}", token.0)
}

/// Who tells of something.
enum Teller {
    /// Somebody, or something, with a token.
    Token(Box<Reader>),
    /// GitHub, which signed it.
    GitHub,
}

impl Teller {
    /// Whose telling is bounded together: what one token tells, and what one repository's webhooks do.
    fn named(&self, source: &str) -> String {
        match self {
            Self::Token(reader) => match reader.by {
                By::Token(token) => teller_of(token),
                By::Session(_) => format!("person {}", reader.person.0),
            },
            Self::GitHub => format!("{OF_GITHUB}{source}"),
        }
    }

    /// Whose word it is. What is told on somebody's own word never stands for what a pipeline or GitHub tells, whatever name
    /// and time it gives itself.
    fn word(&self) -> String {
        match self {
            Self::Token(reader) if reader.scope == Scope::Gate => "gate".to_owned(),
            Self::Token(reader) => format!("person {}", reader.person.0),
            Self::GitHub => "github".to_owned(),
        }
    }
}

/// Whoever tells of so much goes round in a loop, and is to know that nobody listens.
fn too_many() -> Problem {
    let sentence = format!(
        "With this you told of more than {HOURLY_MAX} changes within an hour, which is more than anybody makes. Nothing of \
         it was kept, and no incident hears of it. Look for a loop, and tell it again later."
    );
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "told_too_much", sentence).after(WAIT)
}

fn unheard(why: &Unheard) -> Problem {
    let (status, code) = match why.cause() {
        Unheard::TooLarge | Unheard::TooMany(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        Unheard::Sort(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unknown_sort"),
        Unheard::Unsigned | Unheard::BadSignature => (StatusCode::UNAUTHORIZED, "bad_signature"),
        Unheard::Unfit(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        Unheard::Malformed(_) | Unheard::InBatch { .. } => (StatusCode::BAD_REQUEST, "malformed"),
    };
    Problem::new(status, code, why.to_string())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Tell of changes that were made: a CloudEvent (1.0, in the body or in the headers, also many at once) with our own data
/// or CDEvents', or a deployment of GitHub's, which shows itself by its signature and needs no token.
#[utoipa::path(
    post, path = "/api/v1/changes",
    request_body(content = String, content_type = "application/cloudevents+json", description = "See docs/change-events.md"),
    responses((status = 200, description = "Heard", body = answers::ToldAnswer),
              (status = "4XX", body = answers::ProblemDocument)),
)]
pub(super) async fn tell(State(server): State<Server>, request: Request) -> Result<Json<Value>, Problem> {
    let (mut parts, body) = request.into_parts();
    let teller = match parts.headers.contains_key(GITHUB) {
        true => Teller::GitHub,
        false => Teller::Token(Box::new(AtGate::from_request_parts(&mut parts, &server).await?.0)),
    };
    let (body, _weight) = server.body(&teller, &parts.headers, body).await?;
    let heard = server.read(&teller, &parts.headers, &body).map_err(|why| unheard(&why))?;

    let facts = server.streams.directory().directory.facts.clone();
    let (mut seen, mut unknown) = (Vec::new(), BTreeSet::new());
    let (mut changes, mut ignored, mut source) = (0_usize, 0_usize, String::new());
    for one in heard {
        match one {
            Heard::Change(told) => {
                changes += 1;
                source.clone_from(&told.source);
                server.understand(&teller, *told, &facts, &mut seen, &mut unknown);
            }
            Heard::Ping | Heard::Other(_) => ignored += 1,
        }
    }
    let news = server.sightings.keep(teller.named(&source), seen).await?.ok_or_else(too_many)?;
    Ok(Json(json!({ "heard": changes, "news": news, "ignored": ignored, "unknown_services": unknown })))
}

impl Server {
    /// The body, with the room that it has. Nobody has much room for long who sends slowly, and one token none of another's.
    /// Whoever has none may be anybody: nothing of theirs is read that cannot be signed, and they have room for themselves
    /// alone.
    async fn body(
        &self,
        teller: &Teller,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<(Bytes, Vec<OwnedSemaphorePermit>), Problem> {
        let size = said(headers);
        let arrived = match teller {
            Teller::Token(reader) => {
                let (share, most) = (self.evidence.telling(reader.by), u64::try_from(BODY_MAX).unwrap_or(u64::MAX));
                let turn = share.turn(size.unwrap_or(most).min(most));
                in_time(size, body, BODY_MAX, &share.beginning(), turn).await
            }
            Teller::GitHub => {
                let signature = text(headers, SIGNATURE);
                github::may_be_signed(&self.secrets(), signature).map_err(|why| unheard(&why))?;
                let turn = async { Ok(vec![self.evidence.to_hear().await?]) };
                in_time(size, body, BODY_MAX, &[self.evidence.beginning()], turn).await
            }
        };
        arrived.map_err(|why| match why {
            Unarrived::TooLarge => unheard(&Unheard::TooLarge),
            Unarrived::Late(problem) => problem,
        })
    }

    fn secrets(&self) -> Vec<&[u8]> {
        self.github_secrets.iter().map(String::as_bytes).collect()
    }

    fn read(&self, teller: &Teller, headers: &HeaderMap, body: &[u8]) -> Result<Vec<Heard>, Unheard> {
        let content_type = text(headers, header::CONTENT_TYPE.as_str());
        match teller {
            Teller::GitHub => {
                let (event, signature) = (text(headers, GITHUB), text(headers, SIGNATURE));
                let delivery = github::Delivery { content_type, event, signature };
                github::heard(&self.secrets(), &delivery, body).map(|heard| vec![heard])
            }
            Teller::Token(_) => {
                let all: Vec<(&str, &[u8])> =
                    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
                cloudevents::heard(&cloudevents::Posted { content_type, headers: &all, body })
            }
        }
    }

    /// A part of each service that a change names; what is only intended has changed nothing yet.
    fn understand(
        &self,
        teller: &Teller,
        told: Told,
        facts: &Facts,
        seen: &mut Vec<Part>,
        unknown: &mut BTreeSet<String>,
    ) {
        let stage = match told.stage {
            intake::Stage::Intended => None,
            intake::Stage::Begun => Some(Stage::Begun),
            intake::Stage::Failed => Some(Stage::Failed),
            intake::Stage::Done => Some(Stage::Done),
        };
        let (person, told_by) = self.maker(teller, told.who.as_ref());
        let mut named = BTreeSet::new();
        for service in &told.services {
            let spelled = spellings(service.as_str());
            let known = spelled.iter().find(|name| facts.services.contains_key(*name));
            if known.is_none() {
                unknown.insert(service.as_str().to_owned());
            }
            // An incident may be on a service that the directory does not know.
            named.extend(known.or_else(|| spelled.first()).cloned());
        }
        let Some(stage) = stage else { return };
        let source = words::line(&told.source).unwrap_or_else(|| told.what.clone());
        let word = teller.word();
        let change = key(&[&word, &told.source, &told.id]);
        let one = |service: ServiceName| Seen {
            key: key(&[&word, &told.source, &told.id, service.as_str()]),
            service,
            what: told.what.clone(),
            who: told.who.clone(),
            person,
            told_by,
            source: source.clone(),
            link: told.link.as_deref().and_then(|link| link.parse().ok()),
            environment: told.environment.clone(),
            stage,
            at: told.at.unwrap_or_else(clock::now),
            share_used: false,
        };
        seen.extend(named.into_iter().map(|service| Part { change, seen: one(service) }));
    }

    /// Who made it, where the directory knows them, and whose token told of it. A pipeline and GitHub are believed who it
    /// was; whoever tells with a token of their own did it as far as anybody here is concerned, whomever they name.
    fn maker(&self, teller: &Teller, who: Option<&Line>) -> (Option<PersonId>, Option<PersonId>) {
        let named = || who.and_then(|who| self.gate.book.person(who.as_str()));
        match teller {
            Teller::Token(reader) if reader.scope != Scope::Gate => (Some(reader.person), Some(reader.person)),
            Teller::Token(reader) => (named(), Some(reader.person)),
            Teller::GitHub => (named(), None),
        }
    }
}

/// The same for the same change on the same word, or for that of one service, and no other.
fn key(parts: &[&str]) -> Uuid {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part);
    }
    let mut short = [0; 16];
    short.copy_from_slice(&digest.finalize()[..16]);
    Uuid::from_bytes(short)
}

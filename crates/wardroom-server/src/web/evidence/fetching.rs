//! Evidence that somebody names by a URL: this server fetches what it shows, from listed hosts, and keeps that.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;
use wardroom_core::event::Event;
use wardroom_core::evidence::Fingerprint;
use wardroom_core::id::{Entry, Number};
use wardroom_core::text::Line;

use super::{Attached, Brought};
use crate::fetch::{NotFetched, Target};
use crate::server::Server;
use crate::stored::recorded;
use crate::streams::stream_of;
use crate::web::answers;
use crate::web::parse::{self, InPath};
use crate::web::problem::Problem;
use crate::web::who::{Member, Reader, Responder};

/// `{"request_id": …}` beside what is fetched.
#[derive(ToSchema)]
#[allow(dead_code)] // Describes the body to readers of the API; `parse::asked` reads it.
pub(in crate::web) struct FetchBody {
    /// Drawn for each: the same one again gets the same answer, and nothing is fetched again.
    request_id: Uuid,
    #[serde(flatten)]
    fetch: Fetch,
}

/// What is fetched.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Fetch {
    /// Where it is. What stands behind its “?” is asked for, and neither kept nor shown.
    url: String,
    /// What it is called; its host and path unless it is said.
    name: Option<Line>,
    /// Why it is worth keeping.
    why: Option<Line>,
}

impl NotFetched {
    /// As whoever asked is told. Only a host that is not listed is forbidden; what another server did is not our failure.
    fn problem(&self) -> Problem {
        let (status, code) = match self {
            Self::Bad(_) => (StatusCode::UNPROCESSABLE_ENTITY, "not_a_url"),
            Self::TooLarge(_) => (StatusCode::FAILED_DEPENDENCY, "too_large"),
            not if not.is_forbidden() => (StatusCode::FORBIDDEN, "host_not_listed"),
            _ => (StatusCode::FAILED_DEPENDENCY, "not_fetched"),
        };
        Problem::new(status, code, self.to_string())
    }
}

/// Fetch what a URL shows, and keep it as evidence: at most 10 MiB, within 15 seconds, from hosts that whoever runs the
/// server listed (`--fetch-from`). It is judged by its bytes, like what is attached.
#[utoipa::path(
    post, path = "/api/v1/incidents/{number}/evidence/fetch",
    params(("number" = u32, Path, description = "The incident's number")),
    request_body = FetchBody,
    responses((status = 200, body = Attached),
              (status = 403, description = "`host_not_listed`, or who asks may not attach", body = answers::ProblemDocument),
              (status = 424, description = "`not_fetched` or `too_large`: what the other server did", body = answers::ProblemDocument),
              (status = "4XX", body = answers::ProblemDocument)),
)]
pub(in crate::web) async fn fetch(
    State(server): State<Server>,
    // What a listed host shows is for people of the house: a guest could read there what they cannot reach.
    _: Member,
    Responder(reader): Responder,
    InPath(number): InPath,
    parse::Body(asked): parse::Body<Fetch>,
) -> Result<Json<Attached>, Problem> {
    let (request_id, Fetch { url, name, why }) = (asked.request_id, asked.order);
    let held = server.visible(&reader, number).await?;
    let may = held.incident.may_attach(reader.person, &reader.facts, 0);
    may.map_err(|refusal| Problem::refused(&refusal, &reader.facts))?;
    if let Some(attached) = server.fetched_before(&reader, number, request_id).await? {
        return Ok(Json(attached));
    }
    let target: Target = url.parse().map_err(|bad| NotFetched::Bad(bad).problem())?;
    server.fetcher.may_fetch(&target).map_err(|not| not.problem())?;
    let _weight = server.evidence.to_fetch().await?;
    let bytes = server.fetcher.fetch(&target).await.map_err(|not| not.problem())?;
    let fingerprint = Fingerprint::new(Sha256::digest(&bytes).into());
    let brought = Brought { bytes, fingerprint, name: name.unwrap_or_else(|| target.name()), why, from: Some(url) };
    server.keep(&reader, number, request_id, brought).await.map(Json)
}

impl Server {
    /// What this request brought, when it was asked before and its answer got lost: what the URL shows by now may be
    /// something else.
    async fn fetched_before(&self, reader: &Reader, number: Number, id: Uuid) -> Result<Option<Attached>, Problem> {
        let Some(remembered) = self.log.remembered(&reader.actor().to_string(), id).await? else { return Ok(None) };
        let stream = stream_of(number);
        let Some(span) = remembered.spans.iter().find(|span| span.stream == stream) else { return Ok(None) };
        let Some(stored) = self.log.event(stream, span.last).await? else { return Ok(None) };
        let evidence = match recorded::<Event>(&stored).map(|recorded| recorded.event) {
            Ok(Event::EvidenceAttached(evidence)) => evidence,
            _ => return Ok(None),
        };
        let fingerprint = evidence.sha256.words().and_then(|sha256| sha256.parse().ok());
        Ok(fingerprint.map(|fingerprint| Attached::of(number, Entry(span.last), fingerprint, &evidence, false)))
    }
}

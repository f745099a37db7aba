//! Evidence over HTTP: bytes in, bounded while they come, and bytes out so that no browser takes them for more than they
//! are.

mod disposition;
pub(in crate::web) mod fetching;
pub(in crate::web) mod uploads;
pub mod weight;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::OwnedSemaphorePermit;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::evidence::{Evidence, Fingerprint, MediaType, Piece, WHOLE_MAX};
use wardroom_core::id::{Entry, Number};
use wardroom_core::text::{Line, Text};

use super::answers;
use super::arriving::said;
use super::parse::{InPath, Query, numbered};
use super::problem::{Problem, named};
use super::who::{Reader, Responder};
use crate::clock;
use crate::evidence::Flow;
use crate::execute::Order;
use crate::log::{LogError, Stored};
use crate::server::Server;
use crate::stored::recorded;
use crate::streams::{Held, stream_of};

pub use disposition::disposition;

/// Nothing in what is shown loads, runs or sends anything, should a browser ever take it for a page.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");
/// How much of what is too large is still taken, in bytes.
const ON_ITS_WAY: usize = 1 << 20;

/// What is beside the bytes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Attaching {
    /// What it is called, in one line.
    #[param(value_type = String)]
    name: Line,
    /// Why it is worth keeping, in one line.
    #[param(value_type = Option<String>)]
    why: Option<Line>,
    /// The command that said it, in one line, where one did: if it is worth keeping of a service what that says, it is kept
    /// by this.
    #[param(value_type = Option<String>)]
    from: Option<Line>,
    /// Drawn for each piece: the same one again gets the same answer.
    request_id: Uuid,
}

/// A piece of evidence that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Attached {
    /// In which incident.
    incident: Number,
    /// The entry that has it. It may be an earlier one: the same bytes are attached once.
    entry: Entry,
    /// Of its bytes.
    sha256: String,
    /// Where it is read.
    address: String,
    /// What its bytes are.
    media_type: MediaType,
    /// How many there are.
    bytes: u64,
    /// What it is called there.
    name: Option<String>,
    /// It was there before: this request brought nothing new.
    already: bool,
}

impl Attached {
    /// A piece, as this entry attached it.
    fn of(incident: Number, entry: Entry, fingerprint: Fingerprint, evidence: &Evidence, already: bool) -> Self {
        let (sha256, name) = (fingerprint.to_string(), evidence.name.words().map(str::to_owned));
        let &Evidence { media_type, bytes, .. } = evidence;
        Self { incident, entry, address: address(incident, &sha256), sha256, media_type, bytes, name, already }
    }
}

/// Bytes that came from wherever, with what is said of them.
struct Brought {
    bytes: Vec<u8>,
    fingerprint: Fingerprint,
    name: Line,
    why: Option<Line>,
    /// From where it comes.
    from: Option<String>,
}

/// Where a piece is read.
fn address(incident: Number, sha256: &str) -> String {
    format!("/api/v1/incidents/{}/evidence/{sha256}", incident.get())
}

fn too_large() -> Problem {
    let sentence =
        "This is too large to come at once: that may have 10 MiB. Up to 2 GiB come in parts: `wardroom evidence add`.";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", sentence)
}

fn none_such(number: Number) -> Problem {
    let sentence = format!("There is no such evidence in incident {number}. If there was, it was redacted.");
    Problem::new(StatusCode::NOT_FOUND, "no_such_evidence", sentence)
}

/// The bytes of a body, with their digest: never more than it said or may have.
async fn taken(body: Body, at_most: u64) -> Result<(Vec<u8>, Fingerprint), Problem> {
    let at_most = usize::try_from(at_most).unwrap_or(usize::MAX);
    let (mut bytes, mut digest) = (Vec::with_capacity(at_most), Sha256::new());
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Problem::malformed("its body did not arrive whole"))?;
        if bytes.len() + piece.len() > at_most {
            // Cut off at once, its sender might never read why.
            let mut more = ON_ITS_WAY;
            while let (Some(Ok(piece)), 1..) = (pieces.next().await, more) {
                more = more.saturating_sub(piece.len());
            }
            return Err(too_large());
        }
        digest.update(&piece);
        bytes.extend_from_slice(&piece);
    }
    Ok((bytes, Fingerprint::new(digest.finalize().into())))
}

/// Attach evidence to an incident: the body is the bytes, at most 10 MiB; more comes in parts (`…/evidence/uploads`). What is
/// there already is answered as it is.
#[utoipa::path(
    post, path = "/api/v1/incidents/{number}/evidence",
    params(("number" = u32, Path, description = "The incident's number"), Attaching),
    request_body(content = String, content_type = "application/octet-stream", description = "The bytes, as they are"),
    responses((status = 200, body = Attached), (status = "4XX", body = answers::ProblemDocument)),
)]
pub(super) async fn attach(
    State(server): State<Server>,
    Responder(reader): Responder,
    InPath(number): InPath,
    Query(Attaching { name, why, from, request_id }): Query<Attaching>,
    request: Request,
) -> Result<Json<Attached>, Problem> {
    let held = server.visible(&reader, number).await?;
    let size = said(request.headers()).unwrap_or(WHOLE_MAX);
    if size > WHOLE_MAX {
        return Err(too_large());
    }
    // Nobody is let send what would not be kept.
    let least = said(request.headers()).unwrap_or_default();
    held.incident
        .may_attach(reader.person, &reader.facts, least)
        .map_err(|refusal| Problem::refused(&refusal, &reader.facts))?;
    let _weight = server.evidence.to_take(size).await?;
    let (bytes, fingerprint) = taken(request.into_body(), size).await?;
    server
        .keep(
            &reader,
            number,
            request_id,
            Brought { bytes, fingerprint, name, why, from: from.map(|from| from.as_str().to_owned()) },
        )
        .await
        .map(Json)
}

/// Read which evidence an incident has, in the order in which it was attached. What was redacted is not among it.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}/evidence",
    params(("number" = u32, Path, description = "The incident's number")),
    responses((status = 200, body = answers::EvidenceList), (status = 404, body = answers::ProblemDocument)),
)]
pub(super) async fn list(
    State(server): State<Server>,
    reader: Reader,
    InPath(number): InPath,
) -> Result<Json<Value>, Problem> {
    let held = server.visible(&reader, number).await?;
    let entries: Vec<u64> = held.incident.evidence.keys().map(|entry| entry.0).collect();
    let piece = |stored: &Stored| {
        let Event::EvidenceAttached(evidence) = recorded::<Event>(stored).ok()?.event else { return None };
        // It may have been redacted a moment ago.
        let sha256 = evidence.sha256.words()?;
        Some(json!({
            "entry": stored.seq, "sha256": sha256, "address": address(number, sha256), "name": evidence.name.words(),
            "why": evidence.why.as_ref().and_then(Text::words), "media_type": evidence.media_type, "bytes": evidence.bytes,
            "by": evidence.by.map(|by| named(&reader.facts, by)), "at": stored.at,
        }))
    };
    let stored = server.log.events(stream_of(number), &entries).await?;
    Ok(Json(json!({ "incident": number, "evidence": stored.iter().filter_map(piece).collect::<Vec<_>>() })))
}

/// Read a piece of evidence: a picture is shown, everything else is a file to be saved.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}/evidence/{sha256}",
    params(("number" = u32, Path, description = "The incident's number"),
           ("sha256" = String, Path, description = "The SHA-256 of the bytes, in 64 hexadecimal digits")),
    responses((status = 200, description = "The bytes, as they are", body = String, content_type = "application/octet-stream"),
              (status = 304, description = "The reader has them already, and may still see them"),
              (status = 404, body = answers::ProblemDocument)),
)]
pub(super) async fn read(
    State(server): State<Server>,
    reader: Reader,
    Path((number, sha256)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let number = numbered(&number)?;
    let held = server.visible(&reader, number).await?;
    let fingerprint: Fingerprint = sha256.parse().map_err(|_| none_such(number))?;
    let (stored, evidence) = server.evidence_of(&reader, held, fingerprint).await?.ok_or_else(|| none_such(number))?;
    let tag = HeaderValue::from_str(&format!("\"{fingerprint}\"")).expect("it is written in hexadecimal digits");
    let mut answer = match headers.get(header::IF_NONE_MATCH) {
        Some(known) if *known == tag => StatusCode::NOT_MODIFIED.into_response(),
        _ => {
            let weight = server.evidence.to_give(evidence.bytes).await?;
            let object = server.log.object_of(stored.stream, fingerprint).await?.ok_or_else(|| none_such(number))?;
            let (size, flow) = server.keep.read(&object).await?.ok_or_else(|| none_such(number))?;
            let mut answer = Response::new(given(flow, weight));
            answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(size));
            answer
        }
    };
    let name = evidence.name.words().unwrap_or_default();
    let fields = answer.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(evidence.media_type.name()));
    fields.insert(header::CONTENT_DISPOSITION, disposition(evidence.media_type.is_picture(), name));
    fields.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    fields.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    // It may be kept by its reader's browser, who asks each time whether they may still see it.
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    fields.insert(header::ETAG, tag);
    Ok(answer)
}

/// Bytes on their way out, as the store gives them; they weigh until the last was taken, or nobody takes more.
fn given(flow: Flow, weight: OwnedSemaphorePermit) -> Body {
    Body::from_stream(flow.map(move |bytes| {
        let _on_its_way = &weight;
        bytes
    }))
}

impl Server {
    /// Keeps bytes and attaches them; what is there already is answered as it is. Room for them was made before.
    async fn keep(
        &self,
        reader: &Reader,
        number: Number,
        request: Uuid,
        brought: Brought,
    ) -> Result<Attached, Problem> {
        let Brought { bytes, fingerprint, name, why, from } = brought;
        let (media_type, length) = (MediaType::of(&bytes), u64::try_from(bytes.len()).unwrap_or(0));
        let piece = Piece { fingerprint, name, why, media_type, bytes: length, from };
        let put = async {
            match bytes.is_empty() {
                true => Ok(()), // It will be refused.
                false => self.keep.keep(stream_of(number), fingerprint, Bytes::from(bytes), clock::now()).await,
            }
        };
        self.attach(reader, number, request, piece, put).await
    }

    /// Has bytes put where they are kept, and attaches them; what is there already is answered as it is.
    async fn attach(
        &self,
        reader: &Reader,
        number: Number,
        request: Uuid,
        piece: Piece,
        put: impl Future<Output = Result<(), LogError>>,
    ) -> Result<Attached, Problem> {
        let Piece { fingerprint, media_type, bytes, .. } = piece;
        if let Some(attached) = self.attached_as(reader, number, fingerprint, Some(request)).await? {
            self.presence.saw(reader.person);
            return Ok(attached);
        }
        put.await?;
        let name = Some(piece.name.as_str().to_owned());
        match self.ask(reader, request, Order::Incident(number, Command::Attach(piece))).await {
            Ok(done) => {
                let (entry, sha256) = (self.accepted(&done).last_entry, fingerprint.to_string());
                let address = address(number, &sha256);
                Ok(Attached { incident: number, entry, sha256, address, media_type, bytes, name, already: false })
            }
            // Somebody else, or this request before its answer got lost, may have brought the same meanwhile.
            Err(problem) => self.attached_as(reader, number, fingerprint, Some(request)).await?.ok_or(problem),
        }
    }

    /// A piece that an incident has, as it was attached. Where that is the answer to a request, it was there already unless
    /// the same request brought it, before its answer got lost.
    async fn attached_as(
        &self,
        reader: &Reader,
        number: Number,
        fingerprint: Fingerprint,
        request: Option<Uuid>,
    ) -> Result<Option<Attached>, Problem> {
        let held = self.visible(reader, number).await?;
        let Some((stored, evidence)) = self.evidence_of(reader, held, fingerprint).await? else { return Ok(None) };
        let remembered = match request {
            Some(request) => self.log.remembered(&reader.actor().to_string(), request).await?,
            None => None,
        };
        let brought = remembered
            .iter()
            .flat_map(|remembered| &remembered.spans)
            .any(|span| span.stream == stored.stream && (span.first..=span.last).contains(&stored.seq));
        Ok(Some(Attached::of(number, Entry(stored.seq), fingerprint, &evidence, !brought)))
    }

    /// The entry that has some evidence. Another node may have taken it a moment ago.
    async fn evidence_of(
        &self,
        reader: &Reader,
        mut held: Held,
        fingerprint: Fingerprint,
    ) -> Result<Option<(Stored, Evidence)>, Problem> {
        let number = held.incident.number;
        let stream = stream_of(number);
        if held.incident.evidence_at(fingerprint).is_none() && self.log.tip(stream).await? != held.tip {
            self.streams.forget(number);
            held = self.visible(reader, number).await?;
        }
        let Some(entry) = held.incident.evidence_at(fingerprint) else { return Ok(None) };
        let Some(stored) = self.log.event(stream, entry.0).await? else { return Ok(None) };
        match recorded::<Event>(&stored).map(|recorded| recorded.event) {
            Ok(Event::EvidenceAttached(evidence)) => Ok(Some((stored, evidence))),
            _ => Ok(None),
        }
    }
}

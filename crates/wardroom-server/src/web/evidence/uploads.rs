//! Evidence that comes in parts: announced with its size and SHA-256, taken where it broke off, and attached once it is
//! whole and is what was announced (decision 0034). How a part is sent is the IETF's “Resumable Uploads for HTTP”.

mod refusals;

use std::time::Duration;

use axum::Json;
use axum::body::BodyDataStream;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout, timeout_at};
use utoipa::ToSchema;
use uuid::Uuid;
use wardroom_core::evidence::{Fingerprint, Piece};
use wardroom_core::id::Number;
use wardroom_core::text::Line;

use self::refusals::{no_such, too_long, too_many, wrong_sha256};
use super::Attached;
use crate::clock;
use crate::evidence::arriving::{Announced, Arrived, NotTaken, Part};
use crate::log::LogError;
use crate::server::Server;
use crate::streams::stream_of;
use crate::web::answers;
use crate::web::arriving::said;
use crate::web::parse::{InPath, Plain, numbered};
use crate::web::problem::Problem;
use crate::web::who::{Reader, Responder};

/// How many bytes have come.
const OFFSET: &str = "upload-offset";
/// Whether these are the last ones: `?1` or `?0`.
const COMPLETE: &str = "upload-complete";
/// How many there will be.
const LENGTH: &str = "upload-length";
/// How many bytes are put to the disk at once.
const CHUNK: usize = 256 << 10;
/// What a part weighs in memory at the most, in bytes, however large it is.
const WEIGHT: u64 = 1 << 20;
/// How long a part may take to come. What came of a longer one stays.
const PATIENCE: Duration = Duration::from_secs(20);
/// How much of what is refused is still taken, in bytes, and for how long.
const ON_ITS_WAY: usize = 16 << 20;
const STILL_TAKEN: Duration = Duration::from_secs(5);
/// How long whoever sent the last part waits for all of it to be checked and put away. It goes on without them.
const FINISHING: Duration = Duration::from_secs(20);

/// What is said of a piece before its bytes come.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Announcing {
    /// What it is called, in one line.
    #[schema(value_type = String)]
    name: Line,
    /// Why it is worth keeping, in one line.
    #[schema(value_type = Option<String>)]
    why: Option<Line>,
    /// How many bytes there will be: at most 2 GiB.
    bytes: u64,
    /// Their SHA-256, in 64 hexadecimal digits.
    #[schema(value_type = String)]
    sha256: Fingerprint,
}

/// A piece that may be sent now.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct Upload {
    /// Where its parts go.
    upload: String,
    /// How many bytes have come.
    offset: u64,
    /// How many there will be.
    bytes: u64,
}

/// A part that does not follow on what has come, with how much that is.
fn wrong_offset(come: u64, busy: bool) -> Response {
    let sentence = match busy {
        true => "Another part of this is being taken. Ask how far it is (HEAD), and go on from there.".to_owned(),
        false => format!("So far {come} bytes have come. Go on from there."),
    };
    at(come, Problem::new(StatusCode::CONFLICT, "wrong_offset", sentence).into_response())
}

/// The same answer, saying how many bytes have come.
fn at(come: u64, mut answer: Response) -> Response {
    answer.headers_mut().insert(OFFSET, HeaderValue::from(come));
    answer
}

fn complete(mut answer: Response, complete: bool) -> Response {
    answer.headers_mut().insert(COMPLETE, HeaderValue::from_static(if complete { "?1" } else { "?0" }));
    answer
}

impl From<NotTaken> for Problem {
    fn from(not: NotTaken) -> Self {
        match not {
            NotTaken::Gone | NotTaken::Busy => no_such(),
            NotTaken::Store(error) => error.into(),
        }
    }
}

/// Announce evidence that comes in parts, with its size and SHA-256. The same again goes on where it broke off (201), and
/// what the incident has already is answered as it is (200), without a byte.
///
/// Parts of at most 20 seconds each are sent with `PATCH` to the address that is answered.
#[utoipa::path(
    post, path = "/api/v1/incidents/{number}/evidence/uploads",
    params(("number" = u32, Path, description = "The incident's number")),
    request_body = Announcing,
    responses((status = 200, description = "It is attached already", body = Attached),
              (status = 201, description = "Send it", body = Upload),
              (status = 429, description = "`too_many_uploads`", body = answers::ProblemDocument),
              (status = "4XX", body = answers::ProblemDocument)),
)]
pub(in crate::web) async fn begin(
    State(server): State<Server>,
    Responder(reader): Responder,
    InPath(number): InPath,
    Plain(Announcing { name, why, bytes, sha256 }): Plain<Announcing>,
) -> Result<Response, Problem> {
    // The answer to its last part may have been lost: what is there is not weighed against the room that it took.
    if let Some(attached) = server.attached_as(&reader, number, sha256, None).await? {
        return Ok(Json(attached).into_response());
    }
    let held = server.visible(&reader, number).await?;
    let may = held.incident.may_attach(reader.person, &reader.facts, bytes);
    may.map_err(|refusal| Problem::refused(&refusal, &reader.facts))?;
    if bytes == 0 {
        let sentence = "There is nothing in it. Look whether it was written to its end.";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", sentence));
    }
    server.keep.ready().await?;
    let announced = Announced { by: reader.person, incident: number, name, why, bytes, sha256 };
    let (id, offset) = server.uploads.begin(announced).await?.map_err(too_many)?;
    let upload = format!("/api/v1/incidents/{}/evidence/uploads/{id}", number.get());
    let location = HeaderValue::from_str(&upload).expect("it is plain letters");
    let answer = (StatusCode::CREATED, Json(Upload { upload, offset, bytes })).into_response();
    let mut answer = complete(at(offset, answer), false);
    answer.headers_mut().insert(header::LOCATION, location);
    Ok(answer)
}

/// Ask how many bytes of an upload have come: `Upload-Offset`, of `Upload-Length`.
#[utoipa::path(
    head, path = "/api/v1/incidents/{number}/evidence/uploads/{id}",
    params(("number" = u32, Path, description = "The incident's number"), ("id" = Uuid, Path, description = "The upload's")),
    responses((status = 204, description = "How far it is, in `Upload-Offset`"), (status = 404)),
)]
pub(in crate::web) async fn how_far(
    State(server): State<Server>,
    Responder(reader): Responder,
    Path((number, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (_, _, announced, come) = server.upload(&reader, &number, &id).await?;
    let mut answer = complete(at(come, StatusCode::NO_CONTENT.into_response()), false);
    answer.headers_mut().insert(LENGTH, HeaderValue::from(announced.bytes));
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

/// Let go of an upload, and of what has come of it.
#[utoipa::path(
    delete, path = "/api/v1/incidents/{number}/evidence/uploads/{id}",
    params(("number" = u32, Path, description = "The incident's number"), ("id" = Uuid, Path, description = "The upload's")),
    responses((status = 204, description = "It is gone"),
              (status = "4XX", description = "409: a part of it is being taken", body = answers::ProblemDocument)),
)]
pub(in crate::web) async fn cancel(
    State(server): State<Server>,
    Responder(reader): Responder,
    Path((number, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (_, id, _, come) = server.upload(&reader, &number, &id).await?;
    let part = server.uploads.part(id).await;
    if matches!(part, Err(NotTaken::Busy)) {
        return Ok(wrong_offset(come, true));
    }
    part?.let_go().await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Send the next part of an upload, from `Upload-Offset` on. It is on the server's disk when it is answered (204).
///
/// With the last one, and `Upload-Complete: ?1` or no word of it, the piece is held against its SHA-256 and attached
/// (200). What has another one is refused (422, `wrong_sha256`), and nothing of it stays.
#[utoipa::path(
    patch, path = "/api/v1/incidents/{number}/evidence/uploads/{id}",
    params(("number" = u32, Path, description = "The incident's number"), ("id" = Uuid, Path, description = "The upload's"),
           ("Upload-Offset" = u64, Header, description = "How many bytes came before these"),
           ("Upload-Complete" = Option<String>, Header, description = "?1 with the last part, ?0 with others")),
    request_body(content = String, content_type = "application/partial-upload", description = "The bytes, as they are"),
    responses((status = 200, description = "That was the last part, and all of it is attached", body = Attached),
              (status = 204, description = "It is kept; `Upload-Offset` says how much there is"),
              (status = 409, description = "`wrong_offset`: go on from `Upload-Offset`", body = answers::ProblemDocument),
              (status = 422, description = "`wrong_sha256`", body = answers::ProblemDocument),
              (status = 507, description = "`no_room`: the disk is full, and nothing of it stays", body = answers::ProblemDocument),
              (status = "4XX", body = answers::ProblemDocument)),
)]
pub(in crate::web) async fn append(
    State(server): State<Server>,
    asker: Result<Responder, Problem>,
    Path((number, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let mut pieces = body.into_data_stream();
    let answer = match asker {
        Ok(Responder(reader)) => server.appended(reader, (&number, &id), &head.headers, &mut pieces).await,
        Err(problem) => Err(problem),
    };
    if !answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
        // Cut off at once, its sender might never read why.
        let mut more = ON_ITS_WAY;
        let rest = async {
            while let (Some(Ok(piece)), 1..) = (pieces.next().await, more) {
                more = more.saturating_sub(piece.len());
            }
        };
        let _ = timeout(STILL_TAKEN, rest).await;
    }
    answer
}

/// Behind how many bytes a part belongs, and whether it says that it is the last.
fn asked(fields: &HeaderMap) -> Result<(u64, Option<bool>), Problem> {
    let field = |name| fields.get(name).map(|value| value.to_str().unwrap_or_default());
    let offset = field(OFFSET).and_then(|offset| offset.parse().ok());
    let offset = offset.ok_or_else(|| Problem::malformed("“Upload-Offset” says behind how many bytes these belong"))?;
    let last = match field(COMPLETE) {
        None => None,
        Some("?0") => Some(false),
        Some("?1") => Some(true),
        Some(_) => return Err(Problem::malformed("“Upload-Complete” is ?1 with the last part, and ?0 with others")),
    };
    Ok((offset, last))
}

/// Why not all of a part was taken. What came of it is on the disk, unless that is why.
enum NotWhole {
    Store(LogError),
    Told(Problem),
}

impl From<LogError> for NotWhole {
    fn from(error: LogError) -> Self {
        Self::Store(error)
    }
}

/// Takes what comes, up to what was announced, and returns when it is on the disk.
async fn taken(part: &mut Part, pieces: &mut BodyDataStream, announced: u64) -> Result<(), NotWhole> {
    let until = Instant::now() + PATIENCE;
    let mut chunk = Vec::with_capacity(CHUNK);
    let ended = loop {
        let piece = match timeout_at(until, pieces.next()).await {
            Ok(Some(Ok(piece))) => piece,
            Ok(None) => break Ok(()),
            Ok(Some(Err(_))) => break Err(Problem::malformed("its body did not arrive whole")),
            Err(_) => {
                let sentence =
                    "This part takes too long. What came of it is kept: go on from there, with smaller ones.";
                break Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", sentence));
            }
        };
        if part.come() + (chunk.len() + piece.len()) as u64 > announced {
            break Err(too_long(announced));
        }
        chunk.extend_from_slice(&piece);
        if chunk.len() >= CHUNK {
            part.put(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK))).await?;
        }
    };
    if !chunk.is_empty() {
        part.put(chunk).await?;
    }
    part.sync().await?;
    ended.map_err(NotWhole::Told)
}

impl Server {
    /// Takes a part, and finishes with the last one.
    async fn appended(
        &self,
        mut reader: Reader,
        (number, id): (&str, &str),
        fields: &HeaderMap,
        pieces: &mut BodyDataStream,
    ) -> Result<Response, Problem> {
        let (number, id, announced, come) = self.upload(&reader, number, id).await?;
        self.may_go_on(&mut reader, number, &announced).await?;
        let (offset, last) = asked(fields)?;
        if offset.saturating_add(said(fields).unwrap_or_default()) > announced.bytes {
            return Err(too_long(announced.bytes));
        }
        let _weight = self.evidence.to_take(WEIGHT).await?;
        let mut part = match self.uploads.part(id).await {
            Err(NotTaken::Busy) => return Ok(wrong_offset(come, true)),
            part => part?,
        };
        if part.come() != offset {
            return Ok(wrong_offset(part.come(), false));
        }
        match taken(&mut part, pieces, announced.bytes).await {
            Ok(()) => {}
            Err(NotWhole::Store(LogError::Full(why))) => {
                // The log may lie on the same disk, and goes before what nobody has yet.
                part.let_go().await;
                return Err(LogError::Full(why).into());
            }
            Err(NotWhole::Store(error)) => return Err(error.into()),
            Err(NotWhole::Told(problem)) => return Ok(at(part.come(), problem.into_response())),
        }
        if part.come() < announced.bytes && last == Some(true) {
            let sentence = "this was to be the last part, and fewer bytes have come than were announced";
            return Ok(at(part.come(), Problem::malformed(sentence).into_response()));
        }
        if part.come() < announced.bytes || last == Some(false) {
            return Ok(complete(at(part.come(), StatusCode::NO_CONTENT.into_response()), false));
        }
        self.may_go_on(&mut reader, number, &announced).await?;
        // Whoever sent it may be gone before it is done: it goes on all the same.
        let server = self.clone();
        let finishing = tokio::spawn(async move { server.finish(&reader, number, id, announced, part).await });
        let finished = timeout(FINISHING, finishing).await.map_err(|_| {
            let sentence = "All of it has come, and is being put away. Ask again in a moment, with no bytes.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", sentence)
        })?;
        let attached = finished.map_err(|error| LogError::unavailable(&error))??;
        Ok(complete(at(attached.bytes, Json(attached).into_response()), true))
    }

    /// What somebody has on its way, by what stands in an address. Whose it is not is told of none.
    async fn upload(&self, reader: &Reader, number: &str, id: &str) -> Result<(Number, Uuid, Announced, u64), Problem> {
        let number = numbered(number)?;
        self.visible(reader, number).await?;
        let id = Uuid::parse_str(id).map_err(|_| no_such())?;
        let (announced, come) = self.uploads.find(id, reader.person, number).await?.ok_or_else(no_such)?;
        Ok((number, id, announced, come))
    }

    /// Whether somebody still may attach what is on its way: they may have lost that since it began.
    async fn may_go_on(&self, reader: &mut Reader, number: Number, announced: &Announced) -> Result<(), Problem> {
        if !reader.still_signed_in(&self.streams.directory().directory) {
            return Err(Problem::unauthenticated());
        }
        let held = self.visible(reader, number).await?;
        if held.incident.evidence_at(announced.sha256).is_some() {
            return Ok(());
        }
        let may = held.incident.may_attach(reader.person, &reader.facts, announced.bytes);
        may.map_err(|refusal| Problem::refused(&refusal, &reader.facts))
    }

    /// Holds what came against what was announced, puts it away and attaches it. Nothing of it stays when it is refused;
    /// when the store could not, it can be asked again.
    async fn finish(
        &self,
        reader: &Reader,
        number: Number,
        id: Uuid,
        announced: Announced,
        mut part: Part,
    ) -> Result<Attached, Problem> {
        let _turn = self.uploads.turn().await;
        let Arrived { sha256, media_type } = part.arrived().await?;
        if sha256 != announced.sha256 {
            part.let_go().await;
            return Err(wrong_sha256(announced.sha256, sha256));
        }
        let Announced { name, why, bytes, .. } = announced;
        let piece = Piece { fingerprint: sha256, name, why, media_type, bytes, from: None };
        let put = self.keep.keep_arrived(stream_of(number), &piece, clock::now(), &self.uploads, id);
        let done = self.attach(reader, number, id, piece.clone(), put).await;
        let again = done.as_ref().is_err_and(|problem| problem.status() == StatusCode::SERVICE_UNAVAILABLE);
        if !again {
            part.let_go().await;
        }
        done
    }
}

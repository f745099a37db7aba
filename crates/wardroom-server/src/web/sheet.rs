//! An incident's state document to take along: the sheet in Markdown and HTML, and what people wrote as JSON.
//!
//! What the log knows and what people wrote is read once; the timeline follows piece by piece, from its end, so that a
//! sheet of a hundred thousand entries takes no more memory than one of a hundred.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{BoxError, Json};
use bytes::Bytes;
use futures_util::{Stream, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;
use wardroom_core::document::Part;
use wardroom_core::facts::Facts;
use wardroom_core::id::Number;
use wardroom_core::telling::tell;

use super::answers;
use super::parse::{InPath, Query};
use super::problem::{Problem, named};
use super::who::Reader;
use crate::clock;
use crate::document;
use crate::log::{Log, LogError, Stored};
use crate::public_url::PublicUrl;
use crate::server::Server;
use crate::sheet::known::{self, PartRead, Writing};
use crate::sheet::{Extent, Form, Place, Sheet, TIMELINE, Timeline, Told, html};
use crate::stored::recorded;
use crate::streams::stream_of;

/// Entries that are read and sent at once. Each may weigh as much as a note.
const PIECE: u64 = 50;

/// How much of the timeline to show.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// `all`, or how many of the newest entries; 200 unless it is said.
    timeline: Option<Many>,
}

/// How many entries are wanted.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, example = "all")]
pub(super) struct Many(u64);

impl FromStr for Many {
    type Err = &'static str;
    fn from_str(given: &str) -> Result<Self, Self::Err> {
        match given {
            "all" => Ok(Self(u64::MAX)),
            number => number.parse::<u32>().map(|many| Self(many.into())).map_err(|_| "timeline is “all” or a number"),
        }
    }
}

impl TryFrom<String> for Many {
    type Error = &'static str;
    fn try_from(given: String) -> Result<Self, Self::Error> {
        given.parse()
    }
}

/// Read an incident's whole state document as Markdown.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}/document.md",
    params(("number" = u32, Path, description = "The incident's number"), Wanted),
    responses((status = 200, body = String, content_type = "text/markdown",
               description = "What the log knows, what people wrote, and the newest entries of the timeline"),
              (status = 404, body = answers::ProblemDocument)),
)]
pub(super) async fn markdown(
    State(server): State<Server>,
    reader: Reader,
    InPath(number): InPath,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    server.sheet(&reader, number, wanted, Form::Markdown).await
}

/// Read an incident's whole state document as a page of its own, to be printed or mailed.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}/document.html",
    params(("number" = u32, Path, description = "The incident's number"), Wanted),
    responses((status = 200, body = String, content_type = "text/html",
               description = "The same, in one file without scripts"),
              (status = 404, body = answers::ProblemDocument)),
)]
pub(super) async fn page(
    State(server): State<Server>,
    reader: Reader,
    InPath(number): InPath,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    server.sheet(&reader, number, wanted, Form::Html).await
}

/// Read what people wrote in an incident's state document.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}/written",
    params(("number" = u32, Path, description = "The incident's number")),
    responses((status = 200, body = answers::WrittenView), (status = 404, body = answers::ProblemDocument)),
)]
pub(super) async fn written(
    State(server): State<Server>,
    reader: Reader,
    InPath(number): InPath,
) -> Result<Json<Value>, Problem> {
    let held = server.visible(&reader, number).await?;
    let (version, Writing::Read(parts)) = writing(&server.log, number).await? else {
        return Ok(Json(json!({ "damaged": true, "version": 0, "parts": [] })));
    };
    let now = clock::now();
    let part = |(part, read): (&Part, &PartRead)| {
        let changed = read.changed;
        let standing = held.incident.part_standing(*part, changed.map(|(at, _)| at), now);
        json!({
            "part": part, "text": read.words, "changed_at": changed.map(|(at, _)| at),
            "changed_by": changed.map(|(_, by)| named(&reader.facts, by)),
            "changed_since": standing.changed_since, "late_since": standing.late_since,
        })
    };
    Ok(Json(json!({ "damaged": false, "version": version, "parts": parts.iter().map(part).collect::<Vec<_>>() })))
}

/// What people wrote, and of which version that is. A document that is damaged is no reason to hide what the log knows.
async fn writing(log: &Log, number: Number) -> Result<(u64, Writing), LogError> {
    let (written, changes) = match document::read(log, number).await {
        Ok(read) => read,
        Err(error @ LogError::Damaged { .. }) => {
            tracing::error!(%error, "a state document is damaged");
            return Ok((0, Writing::Damaged));
        }
        Err(error) => return Err(error),
    };
    let part = |(part, written): (Part, wardroom_core::document::PartWritten)| {
        let changed = changes.get(&part).map(|change| (change.at, change.by));
        (part, PartRead { words: written.words, changed })
    };
    Ok((written.version, Writing::Read(written.parts.into_iter().map(part).collect::<BTreeMap<_, _>>())))
}

impl Server {
    /// A whole sheet, with as much of the timeline as goes without saying.
    ///
    /// # Errors
    /// When its reader may not see it, or it cannot be read to its end.
    pub(super) async fn whole_sheet(&self, reader: &Reader, number: Number, form: Form) -> Result<String, BoxError> {
        let pieces = self.pieces(reader, number, Wanted { timeline: None }, form).await;
        let mut pieces = pieces.map_err(|problem| problem.detail().to_owned())?;
        let mut whole = String::new();
        while let Some(piece) = pieces.piece().await {
            whole.push_str(&piece?);
        }
        Ok(whole)
    }

    async fn pieces(&self, reader: &Reader, number: Number, wanted: Wanted, form: Form) -> Result<Pieces, Problem> {
        let position = self.watch.position();
        let held = self.visible(reader, number).await?;
        let (_, writing) = writing(&self.log, number).await?;
        let all = held.incident.last_entry.0;
        let shown = wanted.timeline.map_or(TIMELINE, |Many(many)| many).min(all);
        let origin = self.public_url.as_ref().map(|url| PublicUrl::origin(url).to_owned());
        let place = Place { number, origin, at: clock::now(), position };
        let sheet = known::sheet(&held.incident, &reader.facts, &writing, place, Extent { shown, all });
        Ok(Pieces::new(sheet, form, self.log.clone(), reader.facts.clone()))
    }

    async fn sheet(&self, reader: &Reader, number: Number, wanted: Wanted, form: Form) -> Result<Response, Problem> {
        let pieces = self.pieces(reader, number, wanted, form).await?;
        let (kind, ending) = match form {
            Form::Markdown => ("text/markdown; charset=utf-8", "md"),
            Form::Html => ("text/html; charset=utf-8", "html"),
        };
        let policy = format!("{}; frame-ancestors 'none'", html::policy(&pieces.sheet.place));
        let name = format!("inline; filename=\"incident-{}.{ending}\"", number.get());
        let mut answer = (StatusCode::OK, Body::from_stream(pieces.stream())).into_response();
        let mut says = |name: HeaderName, value: &str| {
            let value = HeaderValue::from_str(value).expect("it is written in letters that may stand there");
            answer.headers_mut().insert(name, value);
        };
        says(header::CONTENT_TYPE, kind);
        says(header::CONTENT_DISPOSITION, &name);
        says(header::CONTENT_SECURITY_POLICY, &policy);
        Ok(answer)
    }
}

/// A sheet on its way.
struct Pieces {
    sheet: Arc<Sheet>,
    form: Form,
    log: Log,
    facts: Facts,
    timeline: Timeline,
    /// The entries that are still to be shown end with this one.
    last: u64,
    /// How many those are.
    left: u64,
    next: Next,
}

enum Next {
    Head,
    Entries,
    /// What follows cannot be read: that was said, and now the answer breaks off, so that nobody takes it for the whole.
    Broken(LogError),
    Nothing,
}

impl Pieces {
    fn new(sheet: Sheet, form: Form, log: Log, facts: Facts) -> Self {
        let Extent { shown, all } = sheet.timeline;
        let timeline = Timeline::new(form);
        Self { sheet: Arc::new(sheet), form, log, facts, timeline, last: all, left: shown, next: Next::Head }
    }

    fn stream(self) -> impl Stream<Item = Result<Bytes, LogError>> {
        stream::unfold(self, |mut pieces| async move { Some((pieces.piece().await?.map(Bytes::from), pieces)) })
    }

    async fn piece(&mut self) -> Option<Result<String, LogError>> {
        match std::mem::replace(&mut self.next, Next::Nothing) {
            Next::Head => {
                self.next = Next::Entries;
                // What people wrote is read and made anew here, and nobody else should wait for that.
                let (sheet, form) = (Arc::clone(&self.sheet), self.form);
                let head = tokio::task::spawn_blocking(move || sheet.head(form)).await;
                Some(Ok(head.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))))
            }
            Next::Entries if self.left > 0 => {
                self.next = Next::Entries;
                Some(Ok(self.entries().await))
            }
            Next::Entries => Some(Ok(self.sheet.end(self.form))),
            Next::Broken(error) => Some(Err(error)),
            Next::Nothing => None,
        }
    }

    /// The next entries, from the newest on.
    async fn entries(&mut self) -> String {
        let count = self.left.min(PIECE);
        let (stream, limit) = (stream_of(self.sheet.place.number), usize::try_from(count).unwrap_or_default());
        match self.log.read_stream(stream, self.last - count, limit).await {
            Ok(read) => {
                (self.last, self.left) = (self.last - count, self.left - count);
                read.iter().rev().map(|stored| self.timeline.entry(&self.entry(stored))).collect::<Vec<_>>().concat()
            }
            Err(error) => {
                // The head is on its way already: what follows can only be said in words.
                tracing::warn!(%error, "the rest of a sheet's timeline could not be read");
                self.next = Next::Broken(error);
                self.timeline.broken()
            }
        }
    }

    fn entry(&self, stored: &Stored) -> Told {
        let (at, entry) = (stored.at, stored.seq);
        match recorded(stored) {
            Ok(recorded) => Told { at, entry, told: tell(&recorded, &self.facts), loud: recorded.event.stands_out() },
            Err(_) => {
                Told { at, entry, told: format!("“{}”, which cannot be read here", stored.kind), loud: false }
            }
        }
    }
}

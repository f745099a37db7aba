//! Incidents: declaring, the one write endpoint, and reading.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wardroom_core::command::{Command, Opening};
use wardroom_core::facts::Facts;
use wardroom_core::id::{Entry, Number, PersonId};
use wardroom_core::incident::{Incident, Kind};
use wardroom_core::next::NextIn;
use wardroom_core::prompt::Brought;
use wardroom_core::refusal::Refusal;
use wardroom_core::seal;

use super::answers;
use super::parse::{self, Body, InPath, Query};
use super::problem::{Problem, named};
use super::view;
use super::who::{Reader, Responder};
use crate::clock;
use crate::execute::{Asked, Done, NotDone, Order};
use crate::log::{LogError, Told};
use crate::server::Server;
use crate::streams::{Held, stream_of};
use crate::views::board::Summary;
use crate::watch::{cursor, render};

/// Entries on one page, at the most.
const PAGE_MAX: usize = 1_000;
/// A page of entries ends early once it weighs this much, in bytes: notes can be long.
const PAGE_BYTES: usize = 2 << 20;
/// Entries read from the log at once.
const READ: usize = 25;
/// Ended incidents on one page.
const ENDED_PAGE: usize = 100;

/// What an accepted command did.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
    /// In which incident.
    pub incident: Number,
    /// The number of its first entry there.
    pub first_entry: Entry,
    /// The number of its last entry there.
    pub last_entry: Entry,
    /// Reading after this cursor leaves all of it out.
    pub cursor: String,
}

/// `{"request_id": …}` beside the fields of an opening.
#[derive(ToSchema)]
#[allow(dead_code)] // Describes the body to readers of the API; `parse::asked` reads it.
pub(super) struct OpeningBody {
    /// Drawn for each command: the same one again gets the same answer.
    request_id: Uuid,
    #[schema(inline)]
    #[serde(flatten)]
    opening: Opening,
}

/// `{"request_id": …, "command": …}` beside the fields of the command.
#[derive(ToSchema)]
#[allow(dead_code)] // As above.
pub(super) struct CommandBody {
    /// Drawn for each command: the same one again gets the same answer.
    request_id: Uuid,
    #[serde(flatten)]
    command: Command,
}

impl Server {
    /// Has an order decided for somebody who acts, which is also being seen.
    pub(super) async fn ask(&self, reader: &Reader, request: Uuid, order: Order) -> Result<Done, Problem> {
        self.presence.saw(reader.person);
        if let Order::Directory(command) = &order {
            reader.proven_enough(&self.streams.directory().directory, command)?;
        }
        let began = std::time::Instant::now();
        let answer = match &order {
            Order::Incident(..) => self.ready_to_record().await,
            _ => Ok(()),
        };
        let answer = match answer {
            Ok(()) => self.executor.execute(Asked { request, actor: reader.actor(), order }).await,
            Err(busy) => Err(busy),
        };
        self.metrics.command_seconds.observe(began.elapsed().as_secs_f64());
        match answer {
            Ok(done) => {
                self.metrics.count("accepted");
                Ok(done)
            }
            Err(error) => {
                let refused = matches!(error, NotDone::Refused(_));
                self.metrics.count(if refused { "refused" } else { "failed" });
                Err(match error {
                    NotDone::Store(error) => self.cannot_read(reader, error).await,
                    error => Problem::not_done(&error, &self.streams.directory().directory.facts),
                })
            }
        }
    }

    /// The incident, for somebody who may know of it.
    pub(super) async fn visible(&self, reader: &Reader, number: Number) -> Result<Held, Problem> {
        let held = match self.streams.incident(number).await {
            Err(error) => return Err(self.cannot_read(reader, error).await),
            Ok(held) => held,
        };
        held.filter(|held| held.incident.visible_to(reader.person, &reader.facts))
            .ok_or_else(|| Problem::refused(&Refusal::no_such_incident(number), &reader.facts))
    }

    /// Why an incident could not be read. Damage is told to those alone who, by the board, may know of the incident.
    async fn cannot_read(&self, reader: &Reader, error: LogError) -> Problem {
        let LogError::Damaged { stream, .. } = &error else { return error.into() };
        let Some(number) = stream.incident() else { return error.into() };
        match self.board.row(number).await {
            Err(unavailable) => unavailable.into(),
            Ok(Some(summary)) if summary.visible_to(reader.person, &reader.facts) => error.into(),
            Ok(_) => Problem::refused(&Refusal::no_such_incident(number), &reader.facts),
        }
    }

    /// An incident as this reader sees it now.
    pub(super) fn seen_by(&self, reader: &Reader, incident: &Incident, cursor: &str, told: &[Told]) -> Value {
        let prompts = &self.prompted.of(reader.person);
        let (facts, now) = (&reader.facts, clock::now());
        view::incident(incident, view::Reading { facts, reader: reader.person, now, cursor, told, prompts })
    }

    pub(super) fn accepted(&self, done: &Done) -> Accepted {
        let span = done.in_incident().expect("an accepted command wrote at least one event");
        Accepted {
            incident: span.stream.incident().expect("what is done in an incident begins with its own stream"),
            first_entry: Entry(span.first),
            last_entry: Entry(span.last),
            cursor: cursor(self.watch.epoch(), done.spans.iter().map(|span| span.position).max().unwrap_or_default()),
        }
    }

    /// The answer to a command; one that was held back is told what to look at.
    async fn answer(&self, number: Number, done: Done, facts: &Facts) -> Result<Accepted, Problem> {
        let Some(refusal) = &done.held_back else { return Ok(self.accepted(&done)) };
        let unseen = self.rendered(number, &refusal.unseen, facts).await?;
        Err(Problem::refused(refusal, facts).with("unseen_entries", Value::Array(unseen)))
    }

    /// Some entries of an incident as readers get them, read in one go.
    pub(super) async fn rendered(
        &self,
        number: Number,
        entries: &[Entry],
        facts: &Facts,
    ) -> Result<Vec<Value>, Problem> {
        let seqs: Vec<u64> = entries.iter().map(|entry| entry.0).collect();
        let stored = self.log.events(stream_of(number), &seqs).await?;
        Ok(stored.iter().map(|stored| render(self.watch.epoch(), stored, facts)).collect())
    }
}

/// Declare an incident, or open an investigation.
#[utoipa::path(
    post, path = "/api/v1/incidents", request_body = OpeningBody,
    responses((status = 201, body = Accepted), (status = "4XX", body = answers::ProblemDocument)),
)]
pub(super) async fn open(
    State(server): State<Server>,
    Responder(reader): Responder,
    Body(asked): Body<Opening>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let done = server.ask(&reader, asked.request_id, Order::Open(asked.order)).await?;
    Ok((StatusCode::CREATED, Json(server.accepted(&done))))
}

/// Do something in an incident.
#[utoipa::path(
    post, path = "/api/v1/incidents/{number}/commands", request_body = CommandBody,
    params(("number" = u32, Path, description = "The incident's number")),
    responses((status = 200, body = Accepted), (status = "4XX", body = answers::ProblemDocument)),
)]
pub(super) async fn command(
    State(server): State<Server>,
    Responder(reader): Responder,
    InPath(number): InPath,
    Body(asked): Body<Command>,
) -> Result<Json<Accepted>, Problem> {
    let done = server.ask(&reader, asked.request_id, Order::Incident(number, asked.order)).await?;
    server.answer(number, done, &reader.facts).await.map(Json)
}

/// Which incidents to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    /// Also the ended ones below this number, a page of 100.
    ended_below: Option<u32>,
    /// Also drills.
    #[serde(default)]
    drills: bool,
}

/// List incidents: the open ones, the worst first; ended ones when asked for.
#[utoipa::path(
    get, path = "/api/v1/incidents", params(Listing),
    responses((status = 200, body = answers::Listed)),
)]
pub(super) async fn list(
    State(server): State<Server>,
    reader: Reader,
    Query(listing): Query<Listing>,
) -> Result<Json<Value>, Problem> {
    let mut all = server.board.active().await?;
    let shown = |summary: &Summary| {
        summary.visible_to(reader.person, &reader.facts) && (listing.drills || summary.kind != Kind::Drill)
    };
    all.retain(shown);
    let mut ended = Vec::new();
    let mut below = listing.ended_below;
    // A page is full whatever is hidden: one that is not says how much is.
    while let Some(number) = below.filter(|_| ended.len() < ENDED_PAGE) {
        let page = server.board.ended(number, ENDED_PAGE).await?;
        below = page.last().map(|last| last.number.get());
        ended.extend(page.into_iter().filter(shown));
    }
    ended.truncate(ENDED_PAGE);
    all.extend(ended);
    let mut rows = serde_json::to_value(&all).expect("summaries are plain data");
    for (row, summary) in rows.as_array_mut().into_iter().flatten().zip(&all) {
        row["commander"] = named(&reader.facts, summary.commander);
    }
    seal::reveal(&mut rows);
    Ok(Json(json!({ "incidents": rows })))
}

/// Read an incident.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}",
    params(("number" = u32, Path, description = "The incident's number")),
    responses((status = 200, body = answers::IncidentView), (status = 404, body = answers::ProblemDocument)),
)]
pub(super) async fn show(
    State(server): State<Server>,
    reader: Reader,
    InPath(number): InPath,
) -> Result<Json<Value>, Problem> {
    // The position is read first, so that reading on from the cursor can only repeat, never miss.
    let position = server.watch.position();
    let held = server.visible(&reader, number).await?;
    let at = cursor(server.watch.epoch(), position);
    server.fetched(&reader, &[&held.incident]).await;
    let told = server.told(&reader, &held.incident).await?;
    Ok(Json(server.seen_by(&reader, &held.incident, &at, &told)))
}

/// Where to read entries from.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// After this cursor, or from the beginning.
    after: Option<String>,
    /// After this entry of the incident; `after` goes before it.
    after_entry: Option<Entry>,
    /// At most so many, up to 1,000.
    limit: Option<usize>,
}

/// Read an incident's entries, oldest first.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}/events",
    params(("number" = u32, Path, description = "The incident's number"), Page),
    responses((status = 200, body = answers::EntryPage)),
)]
pub(super) async fn events(
    State(server): State<Server>,
    reader: Reader,
    InPath(number): InPath,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Problem> {
    let held = server.visible(&reader, number).await?;
    let epoch = server.watch.epoch();
    let head = server.log.head().await?.position;
    let after = parse::position(page.after.as_deref(), epoch, head)?;
    let limit = page.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let mut seq = match after {
        Some(position) => server.seq_at(number, position, held.tip.seq).await?,
        None => page.after_entry.unwrap_or_default().0,
    };
    let (mut entries, mut bytes) = (Vec::new(), 0);
    while entries.len() < limit && bytes < PAGE_BYTES {
        let read = server.log.read_stream(stream_of(number), seq, READ.min(limit - entries.len())).await?;
        let Some(last) = read.last() else { break };
        seq = last.seq;
        let words = read.iter().flat_map(|stored| &stored.texts).filter_map(|text| text.words.as_ref());
        bytes += words.map(String::len).sum::<usize>();
        entries.extend(read.iter().map(|stored| render(epoch, stored, &reader.facts)));
    }
    let more = !entries.is_empty() && seq < held.tip.seq;
    Ok(Json(json!({ "entries": entries, "more": more })))
}

impl Server {
    /// The number of a stream's last entry at or before a position: a binary search over the stream.
    async fn seq_at(&self, number: Number, position: u64, last: u64) -> Result<u64, Problem> {
        let (mut low, mut high) = (0, last);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            match self.log.event(stream_of(number), middle).await? {
                Some(stored) if stored.position <= position => low = middle,
                _ => high = middle - 1,
            }
        }
        Ok(low)
    }
}

/// What must I do next, over all incidents: the most urgent first.
#[utoipa::path(
    get, path = "/api/v1/next",
    responses((status = 200, body = answers::Steps)),
)]
pub(super) async fn next(State(server): State<Server>, reader: Reader) -> Result<Json<Value>, Problem> {
    let now = clock::now();
    let prompts = server.prompted.of(reader.person);
    let mut all: Vec<NextIn> = Vec::new();
    let mut looked_at = Vec::new();
    for summary in server.board.active().await? {
        if !summary.visible_to(reader.person, &reader.facts) {
            continue;
        }
        let held = match server.streams.incident(summary.number).await {
            Ok(Some(held)) => held,
            // One broken incident asks for nothing here; the others go on.
            Ok(None) | Err(LogError::Damaged { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let called = held.incident.calls_on(reader.person);
        let brought = held.incident.brought(reader.person, &reader.facts, now, &prompts).filter(|_| called);
        looked_at.extend(brought.is_some().then(|| std::sync::Arc::clone(&held.incident)));
        all.extend(brought.map(|Brought { next, prompt }| NextIn { incident: summary.number, next, prompt }));
    }
    server.fetched(&reader, &looked_at.iter().map(|incident| &**incident).collect::<Vec<_>>()).await;
    all.sort_by_key(|next| (next.prompt.is_put_off(), next.next.rank(now), next.incident));
    let people: serde_json::Map<String, Value> =
        people_in(&all).into_iter().map(|person| (person.to_string(), named(&reader.facts, person))).collect();
    Ok(Json(json!({ "next": all, "people": people })))
}

/// Everybody whom a list of next steps names.
fn people_in(all: &[NextIn]) -> Vec<PersonId> {
    use wardroom_core::next::Next;
    let of = |next: &NextIn| match &next.next {
        Next::Take { by, .. }
        | Next::Confirm { by, .. }
        | Next::Clear { by, .. }
        | Next::Answer { by, .. }
        | Next::SortChange { by, .. }
        | Next::ComeIn { by, .. }
        | Next::Permit { by, .. } => vec![*by],
        Next::Assume { commander, .. } => vec![*commander],
        Next::SeeSorted { operations, .. } => vec![*operations],
        Next::OfferOperations { to } => to.clone(),
        Next::StillWithUs { .. }
        | Next::ConfirmChange { .. }
        | Next::Clock { .. }
        | Next::StillTrue { .. }
        | Next::SayWayBack { .. }
        | Next::SortSighting { .. }
        | Next::Delegate { .. } => Vec::new(),
    };
    all.iter().flat_map(of).collect()
}

/// Say that somebody is active on a surface: an open tab is not enough.
#[utoipa::path(post, path = "/api/v1/presence", responses((status = 204, description = "Seen")))]
pub(super) async fn presence(State(server): State<Server>, Responder(reader): Responder) -> StatusCode {
    server.presence.saw(reader.person);
    server.saw(reader.person, server.reach.sight.there(reader.person)).await;
    StatusCode::NO_CONTENT
}

//! The briefing: what an incoming holder reads, and the state document as it was marked.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;
use wardroom_core::document::{Mark, Part};
use wardroom_core::event::{Event, Recorded};
use wardroom_core::id::{Entry, Number};
use wardroom_core::incident::Incident;

use super::answers;
use super::parse::{InPath, Query};
use super::problem::Problem;
use super::who::Reader;
use crate::server::Server;
use crate::stored::recorded;
use crate::streams::stream_of;
use crate::watch::cursor;

/// Since when to brief.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    /// The entry up to which the reader has seen everything.
    #[serde(default)]
    since: Entry,
}

/// Read the briefing: the state, what matters that happened since, and the entry to name when taking command.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}/briefing",
    params(("number" = u32, Path, description = "The incident's number"), Since),
    responses((status = 200, body = answers::BriefingView)),
)]
pub(super) async fn briefing(
    State(server): State<Server>,
    reader: Reader,
    InPath(number): InPath,
    Query(since): Query<Since>,
) -> Result<Json<Value>, Problem> {
    let position = server.watch.position();
    let held = server.visible(&reader, number).await?;
    let mattered = held.incident.matters_after(since.since);
    let matters = server.rendered(number, &mattered, &reader.facts).await?;
    let pinned: Vec<Entry> = held.incident.pinned.iter().copied().collect();
    let pinned = server.rendered(number, &pinned, &reader.facts).await?;
    let at = cursor(server.watch.epoch(), position);
    server.fetched(&reader, &[&held.incident]).await;
    let told = server.told(&reader, &held.incident).await?;
    let state = server.seen_by(&reader, &held.incident, &at, &told);
    let last_acted = held.incident.last_acted(reader.person);
    // Whoever says that they saw everything up to an entry saw the document as of it, too. That they did something later
    // says nothing: a note from a terminal is written without looking at the document.
    let seen = (since.since.0 > 0).then_some(since.since).or(last_acted);
    let document = server.marked(&held.incident, held.incident.last_entry, seen).await?;
    Ok(Json(json!({
        "briefed_to": held.incident.last_entry, "you_last_acted": last_acted,
        "matters": matters, "pinned": pinned, "document": document, "state": state,
    })))
}

/// As of which entry to show the document.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct AsOf {
    /// The entry; the newest, unless it is said.
    at: Option<Entry>,
}

/// The state document as the log kept it at an entry or before: what somebody saw who took command there.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}/mark",
    params(("number" = u32, Path, description = "The incident's number"), AsOf),
    responses((status = 200, body = answers::Marked)),
)]
pub(super) async fn mark(
    State(server): State<Server>,
    reader: Reader,
    InPath(number): InPath,
    Query(as_of): Query<AsOf>,
) -> Result<Json<Value>, Problem> {
    let held = server.visible(&reader, number).await?;
    let at = as_of.at.unwrap_or(held.incident.last_entry);
    let document = server.marked(&held.incident, at, held.incident.last_acted(reader.person)).await?;
    Ok(Json(json!({ "document": document })))
}

impl Server {
    /// The written parts as of an entry; those that were marked after what the reader saw last are new, with the words
    /// that were there before.
    async fn marked(&self, incident: &Incident, at: Entry, seen: Option<Entry>) -> Result<Option<Value>, Problem> {
        let Some(mark) = incident.document.as_of(at) else { return Ok(None) };
        let before = seen.and_then(|seen| incident.document.as_of(seen.min(at)));
        let texts = self.marked_texts(incident.number, [Some(mark), before]).await?;
        let changes = self.log.document(stream_of(incident.number), mark.version).await?.parts;
        let version = |part: &Part| mark.changed.get(part).copied().unwrap_or(0);
        let changed_since = |part: &Part| changes.get(part).is_some_and(|change| change.version > version(part));
        let words = |mark: &Mark, part: Part| {
            let event = texts.get(mark.words_in.get(&part)?)?;
            event.get(&part)?.clone()
        };
        let part = |(part, marked_in): (&Part, &Entry)| {
            let new = seen.is_none_or(|seen| *marked_in > seen);
            let before = before.filter(|_| new).and_then(|before| words(before, *part));
            json!({
                "part": part, "text": words(mark, *part), "marked_in": marked_in, "new": new, "before": before,
                "changed_since": changed_since(part),
            })
        };
        let parts: Vec<Value> = mark.words_in.iter().map(part).collect();
        Ok(Some(json!({ "entry": mark.entry, "version": mark.version, "parts": parts })))
    }

    /// The words that stand in the entries which these marks name, unless they were redacted.
    async fn marked_texts(
        &self,
        number: Number,
        marks: [Option<&Mark>; 2],
    ) -> Result<BTreeMap<Entry, BTreeMap<Part, Option<String>>>, Problem> {
        let entries: BTreeSet<u64> =
            marks.iter().flatten().flat_map(|mark| mark.words_in.values()).map(|entry| entry.0).collect();
        let entries: Vec<u64> = entries.into_iter().collect();
        let stored = self.log.events(stream_of(number), &entries).await?;
        let texts = stored.iter().filter_map(|stored| recorded::<Event>(stored).ok()).filter_map(texts);
        Ok(texts.collect())
    }
}

fn texts(recorded: Recorded) -> Option<(Entry, BTreeMap<Part, Option<String>>)> {
    let Event::DocumentMarked { parts, .. } = recorded.event else { return None };
    let words = parts.into_iter().filter_map(|(part, marked)| Some((part, marked.text?.words().map(str::to_owned))));
    Some((recorded.entry, words.collect()))
}

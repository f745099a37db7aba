//! What admins look at: the people with what concerns their access, the audit stream, the settings, and what importing
//! a roster would change. Changes themselves go to the one write endpoint, in `directory.rs`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use wardroom_core::audit::{Topic, tell};
use wardroom_core::directory::{DirectoryAsking, DirectoryEvent};
use wardroom_core::facts::Facts;
use wardroom_core::id::{Entry, PersonId, Who};
use wardroom_core::roster::Roster;
use wardroom_core::seal;

use super::answers;
use super::parse::{Plain, Query};
use super::problem::{Problem, named};
use super::who::{Administrator, Auditor};
use crate::clock;
use crate::log::Stored;
use crate::server::Server;
use crate::stored::recorded;
use crate::views::audit::{Found, Wanted};

/// Entries of one page of the audit.
const PAGE: usize = 50;
/// The most that are handed out at once.
const PAGE_MAX: usize = 200;

/// How often each of them is there.
fn counted(people: impl Iterator<Item = PersonId>) -> BTreeMap<PersonId, usize> {
    people.fold(BTreeMap::new(), |mut counts, person| {
        *counts.entry(person).or_default() += 1;
        counts
    })
}

/// Everybody, with what concerns their access.
#[utoipa::path(
    get, path = "/api/v1/people",
    responses((status = 200, body = answers::People), (status = 403, description = "`admins_only`")),
)]
pub(super) async fn people(State(server): State<Server>, Auditor(reader): Auditor) -> Json<Value> {
    let (directory, now) = (server.streams.directory().directory, clock::now());
    let facts = &directory.facts;
    let sessions =
        counted(directory.sessions.values().filter(|known| now < known.expires_at).map(|known| known.person));
    let tokens =
        counted(directory.tokens.values().filter(|token| directory.live(token, now)).map(|token| token.person));
    let row = |person: &wardroom_core::facts::Person| {
        json!({
            "id": person.id, "handle": person.handle, "name": person.name, "email": person.email,
            "admin": person.admin, "active": person.active, "guest_of": reader.facts.guest_of(person.id),
            "last_seen_at": server.presence.seen_at(person.id),
            "has_password": directory.passwords.contains(&person.id),
            "sessions": sessions.get(&person.id).copied().unwrap_or(0),
            "tokens": tokens.get(&person.id).copied().unwrap_or(0),
        })
    };
    let looked_after = facts.people.values().filter(|person| !facts.scripted(person.id));
    let mut people = json!({ "people": looked_after.map(row).collect::<Vec<_>>() });
    seal::reveal(&mut people);
    Json(people)
}

/// What of the audit to read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Looking {
    /// Only entries before this one.
    before: Option<Entry>,
    /// Only what this person did, or what was done to them: a handle or an id.
    #[param(value_type = Option<String>)]
    person: Option<Who>,
    /// Only what is about this.
    #[param(inline)]
    topic: Option<Topic>,
    /// At most so many, up to 200.
    limit: Option<usize>,
}

/// Read the directory's stream, told in sentences, the newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", params(Looking),
    responses((status = 200, body = answers::AuditPage), (status = 403, description = "`admins_only`"),
              (status = 422, description = "Nobody is called so")),
)]
pub(super) async fn audit(
    State(server): State<Server>,
    Auditor(reader): Auditor,
    Query(looking): Query<Looking>,
) -> Result<Json<Value>, Problem> {
    let held = server.streams.directory();
    let facts = &held.directory.facts;
    let person = looking.person.map(|who| facts.find(&who)).transpose();
    let person = person.map_err(|refusal| Problem::refused(&refusal, &reader.facts))?;
    let limit = looking.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let wanted = Wanted { before: looking.before, person, topic: looking.topic, limit };
    let Found { entries, more } = server.audit.page(&wanted, held.tip.seq).await?;
    let shown: Vec<Value> = entries.iter().map(|(stored, begun)| shown(stored, begun.as_ref(), facts)).collect();
    Ok(Json(json!({ "entries": shown, "more": more })))
}

/// An entry as admins read it: the sentence, and nothing of the body, which holds digests.
fn shown(stored: &Stored, begun: Option<&DirectoryEvent>, facts: &Facts) -> Value {
    let read = recorded::<DirectoryEvent>(stored).ok();
    let by = read.as_ref().and_then(|read| read.actor.person()).map(|person| named(facts, person));
    let told = read.as_ref().map(|read| tell(read, begun, facts));
    let topic = read.as_ref().map(|read| read.event.topic());
    json!({
        "entry": stored.seq, "at": stored.at, "actor": stored.actor, "by": by, "kind": stored.kind,
        "topic": topic, "told": told,
    })
}

/// How a roster is written.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    /// `[[people]]`, `[[teams]]` and `[[services]]`.
    Toml,
    /// People, with their teams.
    Csv,
}

/// A roster as it was written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RosterFile {
    format: Format,
    /// The file's text.
    file: String,
}

/// What importing this roster would change: decided as the import itself is, and not recorded.
#[utoipa::path(
    post, path = "/api/v1/directory/preview", request_body = RosterFile,
    responses((status = 200, body = answers::Preview),
              (status = 422, description = "`bad_roster`: it does not fit, and where; or what the import is refused for"),
              (status = "4XX", body = answers::ProblemDocument)),
)]
pub(super) async fn preview(
    State(server): State<Server>,
    Administrator(reader): Administrator,
    Plain(asked): Plain<RosterFile>,
) -> Result<Json<Value>, Problem> {
    let roster = match asked.format {
        Format::Toml => Roster::from_toml(&asked.file),
        Format::Csv => Roster::from_csv(&asked.file),
    };
    let roster = roster.map_err(|bad| {
        let sentence = format!("This file does not fit: {bad}");
        Problem::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, "bad_roster", sentence)
    })?;
    let held = server.streams.refresh_directory().await?;
    let ask = DirectoryAsking { actor: reader.actor(), now: clock::now() };
    let foretold = held.directory.foretell(ask, roster.clone(), &mut Uuid::now_v7);
    let changes = foretold.map_err(|refusal| Problem::refused(&refusal, &held.directory.facts))?;
    Ok(Json(json!({ "changes": changes, "roster": roster })))
}

/// What this node runs with, and where each setting comes from. Secrets are left out.
#[utoipa::path(
    get, path = "/api/v1/settings",
    responses((status = 200, body = answers::SettingsView), (status = 403, description = "`admins_only`")),
)]
pub(super) async fn settings(State(server): State<Server>, Auditor(_): Auditor) -> Json<Value> {
    Json(json!({ "version": env!("CARGO_PKG_VERSION"), "settings": server.settings }))
}

//! How one is reached: reading it, choosing it, and trying it. Keys come in and never go out.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use wardroom_core::directory::DirectoryCommand;
use wardroom_core::facts::Facts;
use wardroom_core::id::PersonId;
use wardroom_core::incident::Incident;
use wardroom_core::reach::{Channel, QuietHours, Reach};

use super::answers;
use super::parse::{Body, Plain};
use super::problem::{Problem, named};
use super::who::{Member, Reader, Responder};
use crate::clock;
use crate::execute::Order;
use crate::log::{State as Far, Told};
use crate::reach::pager::Pager;
use crate::reach::quiet;
use crate::server::Server;

/// Where a pager is, and the key by which it knows somebody.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPager {
    /// Its endpoint: PagerDuty's is `https://events.pagerduty.com/v2/enqueue`.
    url: String,
    /// Its routing key. It is never shown again.
    key: String,
}

/// How somebody wants to be reached.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    channels: BTreeSet<Channel>,
    quiet: Option<QuietHours>,
    /// Left out, the pager that is known stays for as long as its way is on.
    #[serde(default)]
    pager: Option<NewPager>,
}

/// As [`Choice`], with its request id.
#[derive(ToSchema)]
#[allow(dead_code)] // Describes the body to readers of the API; `parse::asked` reads it.
pub(super) struct ChoiceBody {
    /// Drawn for each command: the same one again gets the same answer.
    request_id: Uuid,
    #[serde(flatten)]
    choice: Choice,
}

/// Nothing to be said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

fn not_acceptable(why: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not_reachable_so", why)
}

/// How am I reached, and how could I be.
#[utoipa::path(get, path = "/api/v1/me/reach", responses((status = 200, body = answers::ReachView)))]
pub(super) async fn read(State(server): State<Server>, Member(reader): Member) -> Result<Json<Value>, Problem> {
    let reach = server.streams.directory().directory.reach_of(reader.person);
    let email = reader.facts.people.get(&reader.person).and_then(|person| person.email.as_ref()?.words());
    let pager = server.log.pager(reader.person).await?;
    // Whatever stands behind the host may be a secret too.
    let host = |pager: Pager| pager.url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    Ok(Json(json!({
        "channels": reach.channels,
        "quiet": reach.quiet,
        "mail": { "possible": server.reach.carrier.mail.is_some(), "address": email },
        "pager": { "host": pager.and_then(host) },
    })))
}

/// Choose how I am reached.
#[utoipa::path(
    post, path = "/api/v1/me/reach", request_body = ChoiceBody,
    responses((status = 204, description = "Chosen"),
              (status = 422, description = "`not_reachable_so`, or a refusal; `detail` says why")),
)]
pub(super) async fn choose(
    State(server): State<Server>,
    Responder(reader): Responder,
    Body(asked): Body<Choice>,
) -> Result<StatusCode, Problem> {
    let Choice { channels, quiet, pager } = asked.order;
    let carrier = &server.reach.carrier;
    if channels.contains(&Channel::Push) {
        return Err(not_acceptable("This server cannot reach browsers yet. Choose mail or a pager."));
    }
    if channels.contains(&Channel::Mail) && carrier.mail.is_none() {
        let sentence = "This server has no mail relay. Whoever runs it can name one: --smtp-url.";
        return Err(not_acceptable(sentence));
    }
    if let Some(quiet) = quiet.as_ref().filter(|quiet| !quiet::knows(&quiet.zone)) {
        return Err(not_acceptable(format!("There is no time zone called “{}”.", quiet.zone.as_str())));
    }
    let paged = channels.contains(&Channel::Pager);
    let pager = match pager {
        Some(NewPager { url, key }) if paged => {
            let pager = Pager::new(url, key, carrier.outward.private);
            Some(pager.map_err(|why| not_acceptable(format!("{why}.")))?)
        }
        Some(_) => return Err(not_acceptable("A pager was given and its way is off. Turn it on, or leave it out.")),
        None if paged && server.log.pager(reader.person).await?.is_none() => {
            return Err(not_acceptable("Say where your pager is: its endpoint, and your routing key."));
        }
        None => None,
    };
    let reach = Reach { channels, quiet };
    // The same choice again, perhaps with another key, is no refusal here.
    if server.streams.directory().directory.reach_of(reader.person) != reach {
        let order = Order::Directory(DirectoryCommand::SetReach { person: reader.person, reach });
        server.ask(&reader, asked.request_id, order).await?;
    }
    // Only now: of a choice that is refused, nothing is kept.
    if pager.is_some() || !paged {
        server.log.put_pager(reader.person, pager).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Send me a test by every way that is on.
#[utoipa::path(
    post, path = "/api/v1/me/reach/test", request_body = Nothing,
    responses((status = 200, body = answers::Tested),
              (status = 429, description = "`slow_down`: one test at a time")),
)]
pub(super) async fn test(
    State(server): State<Server>,
    Responder(reader): Responder,
    Plain(Nothing {}): Plain<Nothing>,
) -> Result<Json<Value>, Problem> {
    let channels = server.streams.directory().directory.reach_of(reader.person).channels;
    if !server.reach.sight.may_test(reader.person, clock::now()) {
        let sentence = "A test was sent a moment ago. Wait ten seconds for the next.";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "slow_down", sentence).after(10));
    }
    let mut results = BTreeMap::new();
    for channel in channels {
        let sent = server.reach.carrier.test(reader.person, channel).await;
        results.insert(channel.word(), json!({ "accepted": sent.is_ok(), "why": sent.err() }));
    }
    Ok(Json(json!({ "results": results })))
}

impl Server {
    /// Somebody fetched an incident: what waits there for them is seen, if they are there.
    pub(super) async fn fetched(&self, reader: &Reader, incidents: &[&Incident]) {
        let now = clock::now();
        let mine = |incident: &&Incident| incident.calls(&reader.facts, now);
        let calls = incidents.iter().flat_map(mine).filter(|call| call.person == reader.person);
        let calls: Vec<String> = calls.map(|call| call.id()).collect();
        if !calls.is_empty() {
            let there_at = self.presence.seen_at(reader.person);
            self.saw(reader.person, self.reach.sight.fetched(reader.person, calls, there_at, now)).await;
        }
    }

    /// Somebody saw these.
    pub(super) async fn saw(&self, person: PersonId, calls: Vec<String>) {
        for call in calls {
            // What cannot be kept is told once more; nothing waits for it.
            if let Err(error) = self.log.saw_call(call, person, clock::now()).await {
                tracing::warn!(%error, "that something was seen could not be kept");
            }
        }
    }

    /// What became of telling people of this incident's offers, for whoever waits for an answer.
    pub(super) async fn told(&self, reader: &Reader, incident: &Incident) -> Result<Vec<Told>, Problem> {
        let guest = reader.facts.guest_of(reader.person).is_some();
        if guest || incident.offers.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.log.told_in(incident.number).await?)
    }
}

/// What became of telling people of an offer.
pub(super) fn told_of(offer: &str, told: &[Told], facts: &Facts) -> Vec<Value> {
    let way = |row: &crate::log::DeliveryRow| {
        let state = match row.state {
            Far::Seeing => Far::Accepted,
            state => state,
        };
        let at = row.accepted_at.unwrap_or(row.at);
        json!({ "channel": row.channel, "state": state.word(), "at": at, "attempts": row.attempts, "why": row.why })
    };
    let of = told.iter().filter(|told| told.call.call == offer);
    let one = |told: &Told| {
        json!({
            "person": named(facts, told.call.person), "seen_at": told.seen_at,
            "ways": told.deliveries.iter().map(way).collect::<Vec<_>>(),
        })
    };
    of.map(one).collect()
}

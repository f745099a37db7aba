//! How one is reached: reading it, choosing it, and trying it. Keys come in and never go out.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use futures_util::future::join_all;
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
use crate::account::device::device;
use crate::clock;
use crate::execute::Order;
use crate::log::{BROWSERS_MAX, BrowserRow, DeliveryRow, State as Far, Told};
use crate::reach::pager::Pager;
use crate::reach::push::Browser;
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

/// A browser, to its owner.
fn shown(row: &BrowserRow, reader: &Reader) -> Value {
    let here = row.session.is_some() && row.session == reader.session().ok();
    json!({ "id": row.browser.id(), "device": row.device, "added_at": row.added_at, "here": here })
}

fn not_acceptable(why: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not_reachable_so", why)
}

/// A browser in which somebody turns push on, as its push service described it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBrowser {
    /// Its address there. It is never shown again.
    endpoint: String,
    /// Its public key, in base64url.
    p256dh: String,
    /// The secret that it shares with this server, in base64url.
    auth: String,
    /// The name of one that this stands in place of: the same browser, under an address that is no good any more.
    #[serde(default)]
    replaces: Option<String>,
}

/// As [`NewBrowser`], with its request id.
#[derive(ToSchema)]
#[allow(dead_code)] // Describes the body to readers of the API; `parse::asked` reads it.
pub(super) struct BrowserBody {
    /// Drawn for each command: the same one again gets the same answer.
    request_id: Uuid,
    #[serde(flatten)]
    browser: NewBrowser,
}

/// How am I reached, and how could I be.
#[utoipa::path(get, path = "/api/v1/me/reach", responses((status = 200, body = answers::ReachView)))]
pub(super) async fn read(State(server): State<Server>, Member(reader): Member) -> Result<Json<Value>, Problem> {
    let reach = server.streams.directory().directory.reach_of(reader.person);
    let email = reader.facts.people.get(&reader.person).and_then(|person| person.email.as_ref()?.words());
    let pager = server.log.pager(reader.person).await?;
    let browsers = server.log.browsers_of(reader.person).await?;
    // Whatever stands behind the host may be a secret too.
    let host = |pager: Pager| pager.url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    Ok(Json(json!({
        "channels": reach.channels,
        "quiet": reach.quiet,
        "mail": { "possible": server.reach.carrier.mail.is_some(), "address": email },
        "pager": { "host": pager.and_then(host) },
        "push": {
            "key": server.reach.carrier.push.key().await?.public(),
            "browsers": browsers.iter().map(|row| shown(row, &reader)).collect::<Vec<_>>(),
        },
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
    let pushed = channels.contains(&Channel::Push);
    if pushed && server.log.browsers_of(reader.person).await?.is_empty() {
        let sentence =
            "Push reaches the browsers in which you turned it on, and there are none. Turn it on in one first.";
        return Err(not_acceptable(sentence));
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
    if !pushed {
        server.log.drop_browsers(reader.person).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

impl Server {
    /// Forgets the browsers in which somebody is not signed in any more, after they were signed out elsewhere.
    pub(super) async fn forget_browsers_signed_out(&self, person: PersonId) -> Result<(), Problem> {
        let (directory, now) = (self.streams.refresh_directory().await?.directory, clock::now());
        let theirs = directory.sessions.values().filter(|known| known.person == person && now < known.expires_at);
        Ok(self.log.keep_browsers_of(person, theirs.map(|known| known.id).collect()).await?)
    }
}

/// Turn push on in this browser; it goes with the session that asks.
#[utoipa::path(
    post, path = "/api/v1/me/reach/browsers", request_body = BrowserBody,
    responses((status = 201, body = answers::BrowserView),
              (status = 422, description = "`not_reachable_so`, or a refusal; `detail` says why")),
)]
pub(super) async fn turn_on(
    State(server): State<Server>,
    Responder(reader): Responder,
    headers: HeaderMap,
    Body(asked): Body<NewBrowser>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let NewBrowser { endpoint, p256dh, auth, replaces } = asked.order;
    let person = reader.person;
    let browser = Browser::new(&endpoint, &p256dh, &auth, server.reach.carrier.outward.private);
    let browser = browser.map_err(|why| not_acceptable(format!("Push cannot be turned on here: {why}.")))?;
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let session = reader.session().ok();
    let row = BrowserRow { person, session, device: device(agent), browser, added_at: clock::now() };
    // Before the way is on: what is put from then on goes to the browsers that there are.
    if !server.log.put_browser(row.clone(), replaces.clone()).await? {
        let sentence = format!("You have turned push on in {BROWSERS_MAX} browsers. Remove one that you do not use.");
        return Err(not_acceptable(sentence));
    }
    // A browser goes with its session, and the session may have gone while the browser came.
    let directory = server.streams.refresh_directory().await?.directory;
    if session.is_some_and(|id| directory.session(id, clock::now()).is_none()) {
        server.log.drop_browser(person, row.browser.id()).await?;
        return Err(Problem::unauthenticated());
    }
    let mut reach = directory.reach_of(person);
    if reach.channels.insert(Channel::Push) {
        let order = Order::Directory(DirectoryCommand::SetReach { person, reach });
        let done = server.ask(&reader, asked.request_id, order).await;
        if let Err(problem) = done {
            if problem.status().is_client_error() {
                server.log.drop_browser(person, row.browser.id()).await?;
            }
            return Err(problem);
        }
    }
    // And when both are: what waited before goes to it as well.
    server.log.tell_browser(person, row.browser.id(), replaces.is_some(), clock::now()).await?;
    server.reach.wake();
    // As it was kept: the same browser again stays as old as it is.
    let kept = server.log.browsers_of(person).await?.into_iter().find(|kept| kept.browser == row.browser);
    Ok((StatusCode::CREATED, Json(shown(&kept.unwrap_or(row), &reader))))
}

/// Turn push off in a browser of mine.
#[utoipa::path(
    delete, path = "/api/v1/me/reach/browsers/{id}", params(("id" = String, Path, description = "Of the browser")),
    responses((status = 204, description = "It is told nothing any more"),
              (status = 404, description = "You have no such browser")),
)]
pub(super) async fn turn_off(
    State(server): State<Server>,
    Responder(reader): Responder,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    if server.log.drop_browser(reader.person, id).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let sentence = "Push is not on in a browser of yours by that name, or not any more.";
    Err(Problem::new(StatusCode::NOT_FOUND, "no_such_browser", sentence))
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
    // All at once: one after the other, slow ways would outlast the request, and nothing would be told of any.
    let tested = channels.into_iter().map(async |channel| {
        let sent = server.reach.carrier.test(reader.person, channel).await;
        (channel.word(), json!({ "accepted": sent.is_ok(), "why": sent.err() }))
    });
    let results: BTreeMap<_, _> = join_all(tested).await.into_iter().collect();
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

/// One delivery for each way: the one that has come furthest, where there are several. Nobody is told in how many
/// browsers somebody else is reached.
fn ways(deliveries: &[DeliveryRow]) -> Vec<&DeliveryRow> {
    let far = |row: &DeliveryRow| match row.state {
        Far::Accepted | Far::Seeing => 4,
        Far::Spared => 3,
        Far::Due | Far::Quiet => 2,
        Far::Refused => 1,
        Far::Failed | Far::Ending | Far::Ended => 0,
    };
    let mut furthest: BTreeMap<Channel, &DeliveryRow> = BTreeMap::new();
    for row in deliveries {
        let known = furthest.entry(row.channel).or_insert(row);
        if far(row) > far(known) {
            *known = row;
        }
    }
    furthest.into_values().collect()
}

/// What became of telling people of an offer.
pub(super) fn told_of(offer: &str, told: &[Told], facts: &Facts) -> Vec<Value> {
    let way = |row: &DeliveryRow| {
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
            "ways": ways(&told.deliveries).into_iter().map(way).collect::<Vec<_>>(),
        })
    };
    of.map(one).collect()
}

//! What the gate stopped: for those who decide whether it enforces, and for the incident on whose behalf it did.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;
use wardroom_core::change::Coordination;
use wardroom_core::id::{Number, ServiceName, Time};
use wardroom_core::incident::{Incident, Severity};

use super::super::answers;
use super::super::parse::InPath;
use super::super::problem::{DAMAGED, Problem, named};
use super::super::who::{Member, Reader, Responder};
use crate::clock;
use crate::gate::Stopped;
use crate::server::Server;
use crate::streams::Held;

/// Over so many days what was stopped is summed up.
const DAYS: i64 = 7;
/// So many of those are told one by one, for each service.
const LAST: usize = 5;
/// So many askings are told of one incident, the newest.
const TOLD: usize = 20;

/// What tells of a change goes by its own clock, and often by whole seconds.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// Since when what was stopped is told.
fn lately() -> Time {
    clock::now() - SignedDuration::from_hours(24 * DAYS)
}

/// One that was stopped, or would have been, and more of it.
fn told<const N: usize>(reader: &Reader, stop: &Stopped, more: [(&str, Value); N]) -> Value {
    let mut told = json!({
        "ask": stop.ask,
        "at": stop.at,
        "person": stop.person.map(|person| named(&reader.facts, person)),
        "what": stop.what,
        "times": stop.times,
    });
    for (name, value) in more {
        told[name] = value;
    }
    told
}

/// One that was stopped at a service, for the sake of however many incidents.
struct Once<'a> {
    stop: &'a Stopped,
    enforced: bool,
    times: u32,
    /// Whether that came of it; nothing where it cannot be told.
    uncoordinated: Option<bool>,
}

impl<'a> Once<'a> {
    /// As far as the first of these incidents is concerned.
    fn of(stop: &'a Stopped, uncoordinated: Option<bool>) -> Self {
        Self { stop, enforced: stop.enforced, times: stop.times, uncoordinated }
    }

    /// And for the sake of another one.
    fn and(&mut self, stop: &'a Stopped, uncoordinated: Option<bool>) {
        if stop.enforced && !self.enforced {
            (self.stop, self.enforced) = (stop, true);
        }
        self.times = self.times.max(stop.times);
        self.uncoordinated = match (self.uncoordinated, uncoordinated) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (None, _) | (_, None) => None,
            _ => Some(false),
        };
    }
}

/// What the gate of one service stopped lately.
#[derive(Default)]
struct Sum {
    stopped: u32,
    observed: u32,
    uncoordinated: u32,
    /// The newest first.
    last: Vec<Value>,
}

/// An incident that stopped somebody, as whoever reads of it may know it.
enum Known {
    /// Not at all.
    Hidden,
    /// That it is there; what came of anything in it cannot be told.
    Broken,
    Read(Held),
}

impl Server {
    async fn known(&self, reader: &Reader, number: Number) -> Result<Known, Problem> {
        match self.visible(reader, number).await {
            Ok(held) => Ok(Known::Read(held)),
            Err(problem) if problem.status() == StatusCode::NOT_FOUND => Ok(Known::Hidden),
            Err(problem) if problem.code() == DAMAGED => Ok(Known::Broken),
            Err(problem) => Err(problem),
        }
    }

    /// Each asking once for each of its services, the newest first, as far as its reader may know of what stopped it: several
    /// incidents on one service stop one deployment.
    async fn once_each<'a>(&self, reader: &Reader, stops: &'a [Stopped]) -> Result<Vec<Once<'a>>, Problem> {
        let mut known_once: BTreeMap<Number, Known> = BTreeMap::new();
        let (mut all, mut places): (Vec<Once<'a>>, BTreeMap<_, usize>) = (Vec::new(), BTreeMap::new());
        for stop in stops {
            let known = match known_once.entry(stop.incident) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.known(reader, stop.incident).await?),
            };
            let uncoordinated = match known {
                // Of what they may not know of, nothing is counted.
                Known::Hidden => continue,
                Known::Broken => None,
                Known::Read(held) => Some(came_of_it(&held.incident, stop)),
            };
            let place = *places.entry((&stop.service, stop.ask)).or_insert(all.len());
            match all.get_mut(place) {
                Some(once) => once.and(stop, uncoordinated),
                None => all.push(Once::of(stop, uncoordinated)),
            }
        }
        Ok(all)
    }
}

/// Read which services the gate holds now, at which severities it enforces that, and what it stopped in the last week or
/// would have.
#[utoipa::path(get, path = "/api/v1/gate", responses((status = 200, body = answers::GateReport)))]
pub(in crate::web) async fn report(
    State(server): State<Server>,
    Member(reader): Member,
) -> Result<Json<Value>, Problem> {
    let stops = server.gate.stops.since(lately(), None).await?;
    let mut sums: BTreeMap<ServiceName, Sum> = BTreeMap::new();
    for Once { stop, enforced, times, uncoordinated } in server.once_each(&reader, &stops).await? {
        let sum = sums.entry(stop.service.clone()).or_default();
        *(if enforced { &mut sum.stopped } else { &mut sum.observed }) += times;
        sum.uncoordinated += u32::from(uncoordinated == Some(true));
        if sum.last.len() < LAST {
            let more = [
                ("incident", json!(stop.incident)),
                ("enforced", json!(enforced)),
                ("uncoordinated", json!(uncoordinated)),
            ];
            sum.last.push(told(&reader, stop, more));
        }
    }
    let enforcing = reader.facts.services.iter().filter(|(_, known)| !known.enforced.is_empty());
    let held = server.gate.book.held().into_iter().filter(|name| !seen(&server, &reader, name).is_empty());
    let names: BTreeSet<ServiceName> =
        sums.keys().cloned().chain(enforcing.map(|(name, _)| name.clone())).chain(held).collect();
    let row = |name: ServiceName| {
        let sum = sums.remove(&name).unwrap_or_default();
        let known = reader.facts.services.get(&name);
        let enforced: BTreeSet<Severity> = known.map(|known| known.enforced.clone()).unwrap_or_default();
        json!({
            "service": name,
            "owner": known.and_then(|known| known.owner.clone()),
            "enforced": enforced,
            "held_by": seen(&server, &reader, &name),
            "stopped": sum.stopped,
            "observed": sum.observed,
            "uncoordinated": sum.uncoordinated,
            "last": sum.last,
        })
    };
    let rows: Vec<Value> = names.into_iter().map(row).collect();
    Ok(Json(json!({ "days": DAYS, "services": rows, "as_of": server.gate.book.confirmed_at() })))
}

/// The incidents that hold a service, as far as its reader may know of them.
fn seen(server: &Server, reader: &Reader, service: &ServiceName) -> Vec<Number> {
    let held = server.gate.book.holding(service);
    let seen = held.iter().filter(|incident| incident.visible_to(reader.person, &reader.facts));
    seen.map(|incident| incident.number).collect()
}

/// Whether a change there of whoever was not stopped, or went past it, was told of afterwards that was not coordinated, by
/// them or by somebody else, or one of theirs was seen that operations have not dismissed.
fn came_of_it(incident: &Incident, stop: &Stopped) -> bool {
    let told = incident.changes.iter().any(|change| {
        change.coordination != Coordination::ByOperations
            && change.service == stop.service
            && stop.person.is_some()
            && change.who_made_it() == stop.person
            && change.at >= stop.at
    });
    told || incident.sightings.iter().any(|known| {
        let seen = &known.seen;
        seen.uncoordinated
            && (known.is_unsorted() || seen.change.is_some())
            && seen.service == stop.service
            && seen.person.is_some()
            && seen.person == stop.person
            && seen.at.saturating_add(SKEW).is_ok_and(|at| at >= stop.at)
    })
}

/// Read what the gate stopped in the last week for the sake of an incident, or would have: who would have done what.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}/stops",
    params(("number" = u32, Path, description = "The incident's number")),
    responses((status = 200, body = answers::Stops), (status = 404, body = answers::ProblemDocument)),
)]
pub(in crate::web) async fn stops(
    State(server): State<Server>,
    reader: Reader,
    InPath(number): InPath,
) -> Result<Json<Value>, Problem> {
    let held = server.visible(&reader, number).await?;
    let stops = server.gate.stops.since(lately(), Some(number)).await?;
    // Who asked about several services asked once, and was stopped if one of their gates stopped them.
    let mut asked: Vec<Vec<&Stopped>> = Vec::new();
    let mut places: BTreeMap<Uuid, usize> = BTreeMap::new();
    for stop in &stops {
        let place = *places.entry(stop.ask).or_insert(asked.len());
        match asked.get_mut(place) {
            Some(all) => all.push(stop),
            None => asked.push(vec![stop]),
        }
    }
    let enforced = |all: &[&Stopped]| all.iter().any(|stop| stop.enforced);
    let row = |all: &Vec<&Stopped>| {
        let stop = all[0];
        let may = held.incident.may_take_words(reader.person, stop.person, &reader.facts).is_ok();
        let services: BTreeSet<&ServiceName> = all.iter().map(|stop| &stop.service).collect();
        let more = [
            ("services", json!(services)),
            ("enforced", json!(enforced(all))),
            ("uncoordinated", json!(all.iter().any(|stop| came_of_it(&held.incident, stop)))),
            ("may_redact", json!(may && stop.what.is_some())),
        ];
        told(&reader, stop, more)
    };
    // Each of these services was asked about as often as they asked.
    let times = |all: &[&Stopped]| all.iter().map(|stop| stop.times).max().unwrap_or_default();
    let sum = |stopped: bool| asked.iter().filter(|all| enforced(all) == stopped).map(|all| times(all)).sum::<u32>();
    Ok(Json(json!({
        "incident": number,
        "days": DAYS,
        "stopped": sum(true),
        "observed": sum(false),
        "last": asked.iter().take(TOLD).map(row).collect::<Vec<_>>(),
    })))
}

/// Which asking.
#[derive(Deserialize)]
pub(in crate::web) struct Which {
    number: Number,
    ask: Uuid,
}

/// Take out for ever what somebody asked at the gate: they themselves may, the commander, and admins.
#[utoipa::path(
    delete, path = "/api/v1/incidents/{number}/stops/{ask}",
    params(("number" = u32, Path, description = "The incident's number"), ("ask" = Uuid, Path, description = "Of the asking")),
    responses((status = 204, description = "Its words are gone"), (status = "4XX", body = answers::ProblemDocument)),
)]
pub(in crate::web) async fn take_words(
    State(server): State<Server>,
    Responder(reader): Responder,
    Path(Which { number, ask }): Path<Which>,
) -> Result<StatusCode, Problem> {
    let held = server.visible(&reader, number).await?;
    let stops = server.gate.stops.since(Time::MIN, Some(number)).await?;
    let Some(stop) = stops.iter().find(|stop| stop.ask == ask) else {
        let sentence = "The gate stopped no such thing for this incident, or it is forgotten by now.";
        return Err(Problem::new(StatusCode::NOT_FOUND, "no_such_stop", sentence));
    };
    let may = held.incident.may_take_words(reader.person, stop.person, &reader.facts);
    may.map_err(|refusal| Problem::refused(&refusal, &reader.facts))?;
    server.gate.stops.take_words(ask).await?;
    Ok(StatusCode::NO_CONTENT)
}

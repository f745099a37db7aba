//! The gate over HTTP: may somebody change these services now, and what has it stopped.

pub(super) mod ended;
pub(super) mod stopped;

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;
use wardroom_core::directory::DirectoryCommand;
use wardroom_core::facts::Facts;
use wardroom_core::gate::Stop;
use wardroom_core::id::{Actor, Number, PersonId, ServiceName};
use wardroom_core::permission::SERVICES_MAX as PERMISSION_SERVICES_MAX;
use wardroom_core::refusal::Remedy;
use wardroom_core::text::Line;
use wardroom_core::token::Scope;

use super::answers::{self, GateAnswer, PassedView, StopView};
use super::parse::{Body, Plain};
use super::problem::Problem;
use super::who::{AtGate, By, Reader};
use crate::execute::{Asked as Execute, Order};
use crate::gate::{Answer, Call, Unable, doubtful, filled};
use crate::server::Server;

/// So many services are asked about at once, at the most.
const SERVICES_MAX: usize = 50;
/// How long what somebody is called may be, in bytes: an address of mail, at the most.
const CALLED_MAX: usize = 254;

/// What somebody would change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// Which services, 1 to 50.
    services: BTreeSet<ServiceName>,
    /// What would be done, in one line.
    what: Line,
    /// On whose behalf, by their handle or their address of mail. A gate's token has to say so; everybody else asks for
    /// themselves.
    #[serde(default)]
    on_behalf_of: Option<String>,
    /// The version that this goes back to. The owners of a service may go back to its last known good one.
    #[serde(default)]
    back_to: Option<Line>,
    /// Only ask: nothing is recorded, and nothing is counted.
    #[serde(default)]
    dry_run: bool,
}

impl Unable {
    /// As whoever asked is told.
    pub(super) fn problem(self, server: &Server) -> Problem {
        let facts = &server.streams.directory().directory.facts;
        match self {
            Self::Unknown(services) => {
                let refusal = facts.no_such_service(&services[0]);
                Problem::refused(&refusal, facts)
            }
            Self::Starting => {
                let sentence = "Wardroom has just started and is still reading which incidents there are. Ask again.";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "cannot_decide", sentence)
            }
            Self::Unread(doubt) => {
                let (why, service) = (doubtful(&doubt), &doubt.service);
                let sentence = format!(
                    "{why} So Wardroom cannot decide. An admin sees more by `wardroom verify` on the machine, and lets \
                     changes through by `wardroom service gate {service} --observe`."
                );
                let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "cannot_decide", sentence);
                problem.who_could(&facts.admins(), facts).remedy(&Remedy::AskAdmin, facts)
            }
            Self::Full(full) => {
                let (why, service) = (filled(&full), &full.service);
                let sentence = format!(
                    "{why} So Wardroom cannot decide. Resolve it and go on in a new incident; an admin lets changes \
                     through by `wardroom service gate {service} --observe`."
                );
                let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "cannot_decide", sentence);
                problem.who_could(&facts.admins(), facts).remedy(&Remedy::AskAdmin, facts)
            }
            Self::NotRecorded(error) => {
                tracing::error!(%error, "what came to the gate could not be recorded");
                let sentence = "This is yours to do, and Wardroom cannot record it at this moment, so it cannot decide. \
                                Ask again, or tell the incident what you change.";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "cannot_decide", sentence)
            }
        }
    }
}

impl Server {
    /// Who it is that would change something, and by what they come.
    fn at_the_gate(&self, reader: &Reader, named: Option<&str>) -> Result<(Option<PersonId>, Line), Problem> {
        let directory = self.streams.directory().directory;
        let label = match reader.by {
            By::Token(id) => directory.tokens.get(&id).and_then(|token| token.label.words()),
            By::Session(_) => None,
        };
        let own = || label.and_then(|label| Line::try_from(format!("the gate, {label}")).ok());
        let through = own().unwrap_or_else(|| "the gate".parse().expect("it is a line"));
        if named.is_some_and(|named| named.len() > CALLED_MAX) {
            return Err(Problem::malformed("on whose behalf is said by a handle, or an address of mail"));
        }
        let known = named.and_then(|named| self.gate.book.person(named));
        match (reader.scope, named) {
            (Scope::Gate, Some(_)) => Ok((known, through)),
            (Scope::Gate, None) => {
                let sentence = "A pipeline is nobody. Say on whose behalf it asks, by handle or mail: “on_behalf_of”, in a \
                                terminal --on-behalf-of.";
                Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "on_whose_behalf", sentence))
            }
            (_, Some(_)) if known != Some(reader.person) => {
                let sentence = "With this token you ask for yourself. What asks on behalf of others has a token of its \
                                own: `wardroom token create HANDLE --scope gate`.";
                Err(Problem::new(StatusCode::FORBIDDEN, "not_on_their_behalf", sentence))
            }
            (_, _) => {
                self.presence.saw(reader.person);
                Ok((Some(reader.person), through))
            }
        }
    }

    /// Where somebody asks operations to let them: one link for every service at which an incident stops them. Whoever is
    /// stopped needs nothing for those where its gate only observes.
    pub(super) fn ask_there(&self, stop: &Stop, all: &[Stop]) -> Option<String> {
        let origin = self.public_url.as_ref().map_or("", |url| url.origin());
        let denied = all.iter().any(|stop| stop.enforced);
        if stop.restricted || (denied && !stop.enforced) {
            return None;
        }
        let there = all.iter().filter(|other| other.incident == stop.incident && (other.enforced || !denied));
        let services: Vec<&str> = there.map(|other| other.service.as_str()).take(PERMISSION_SERVICES_MAX).collect();
        Some(format!("{origin}/incidents/{}?permission={}", stop.incident.get(), services.join(",")))
    }
}

/// Ask whether somebody may change some services now. What is allowed to operations stands in the ledger of the incident
/// by that.
#[utoipa::path(
    post, path = "/api/v1/gate", request_body = Asked,
    responses((status = 200, description = "Decided: read `decision`", body = answers::GateAnswer),
              (status = 422, description = "`unknown_service`, or not on whose behalf", body = answers::ProblemDocument),
              (status = 429, description = "`asked_too_often` by one token (`--max-gate-asks-per-second`). Nothing was decided; ask again after as many seconds as `Retry-After` says", body = answers::ProblemDocument),
              (status = 503, description = "`cannot_decide`", body = answers::ProblemDocument)),
)]
pub(super) async fn ask(
    State(server): State<Server>,
    AtGate(reader): AtGate,
    Plain(asked): Plain<Asked>,
) -> Result<Json<GateAnswer>, Problem> {
    server.askers.ask(reader.by, Instant::now()).map_err(too_often)?;
    let Asked { services, what, on_behalf_of, back_to, dry_run } = asked;
    if services.is_empty() || services.len() > SERVICES_MAX {
        return Err(Problem::malformed(format!("“services” names 1 to {SERVICES_MAX} services")));
    }
    let (person, through) = server.at_the_gate(&reader, on_behalf_of.as_deref())?;
    let call = Call { person, called: on_behalf_of, services, what, back_to, through, done: false, dry_run };
    let answer = server.pass(call).await.map_err(|unable| unable.problem(&server))?;
    Ok(Json(told(&server, answer)))
}

/// Whoever asks so often goes round in a loop, and is to know that nothing was decided.
fn too_often(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + 1;
    let sentence = format!(
        "With this the gate was asked more often than anybody changes anything. Nothing was decided. Look for a loop, and \
         ask again in {seconds} s; whoever runs the server can raise the bound, --max-gate-asks-per-second."
    );
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "asked_too_often", sentence).after(seconds)
}

fn told(server: &Server, answer: Answer) -> GateAnswer {
    let observed = answer.is_observed();
    let Answer { allowed, reason, stops, changes, as_of, .. } = answer;
    let shown = |number: &Number| server.gate.book.incident(*number).is_some_and(|incident| !incident.restricted);
    let changes = changes.into_iter().filter(|(number, ..)| shown(number));
    let asks: Vec<Option<String>> = stops.iter().map(|stop| server.ask_there(stop, &stops)).collect();
    let view = |(stop, ask): (Stop, Option<String>)| StopView {
        ask,
        incident: (!stop.restricted).then_some(stop.incident),
        service: stop.service,
        enforced: stop.enforced,
        reason: stop.reason,
    };
    GateAnswer {
        decision: if allowed { "allow" } else { "deny" },
        reason,
        observed,
        stops: stops.into_iter().zip(asks).map(view).collect(),
        changes: changes.map(|(incident, service, change)| PassedView { incident, service, change }).collect(),
        as_of,
    }
}

/// Which version of a service is good.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GoodVersion {
    /// Drawn for each request: the same one again gets the same answer.
    #[allow(dead_code)] // It stands beside this when the body is read.
    #[serde(skip)]
    request_id: Uuid,
    /// As its owners call it, in one line.
    version: Line,
    /// On whose behalf, by their handle or their address of mail, as at the gate.
    #[serde(default)]
    on_behalf_of: Option<String>,
}

/// Say which version of a service is good. Its owners may go back to it during an incident that began after this; which ones
/// began before, the answer says.
#[utoipa::path(
    post, path = "/api/v1/services/{service}/good", request_body = GoodVersion,
    params(("service" = String, Path, description = "The service's name")),
    responses((status = 200, body = answers::CalledGood), (status = "4XX", body = answers::ProblemDocument)),
)]
pub(super) async fn good(
    State(server): State<Server>,
    AtGate(reader): AtGate,
    Path(service): Path<ServiceName>,
    Body(asked): Body<GoodVersion>,
) -> Result<Json<Value>, Problem> {
    let GoodVersion { version, on_behalf_of, .. } = asked.order;
    let (person, _) = server.at_the_gate(&reader, on_behalf_of.as_deref())?;
    let facts = server.streams.directory().directory.facts.clone();
    let actor = match (person, &on_behalf_of) {
        (Some(person), _) => Actor::Person(person),
        (None, named) => {
            return Err(Problem::refused(&Facts::nobody_called(named.as_deref().unwrap_or_default()), &facts));
        }
    };
    let order = Order::Directory(DirectoryCommand::SetGood { service: service.clone(), version: version.clone() });
    let done = server.executor.execute(Execute { request: asked.request_id, actor, order }).await;
    let done = done.map_err(|error| Problem::not_done(&error, &facts))?;
    let span = done.spans.first();
    let facts = server.streams.directory().directory.facts.clone();
    let held = server.gate.book.holding(&service);
    // Others read what a pipeline is told: of what only the invited know of, nothing is said there.
    let told = held.iter().filter(|incident| !incident.restricted && incident.gate_tells(person, &facts));
    let not_for = told.filter_map(|incident| {
        let good = incident.last_good(&service, &facts);
        (good != Some(version.as_str())).then(|| json!({ "incident": incident.number, "good": good }))
    });
    let not_for: Vec<Value> = not_for.collect();
    let (first, last) = (span.map(|span| span.first), span.map(|span| span.last));
    Ok(Json(json!({ "first_entry": first, "last_entry": last, "not_for": not_for })))
}

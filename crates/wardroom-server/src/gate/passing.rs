//! Somebody asks at the gate: what the book says, what is recorded of it, and what they are told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use uuid::Uuid;
use wardroom_core::facts::Facts;
use wardroom_core::gate::{Doubt, Found, Full, Passing, Stop};
use wardroom_core::id::{Actor, Number, PersonId, ServiceName, Time, Who};
use wardroom_core::permission::list;
use wardroom_core::refusal::Code;
use wardroom_core::text::Line;

use super::stops::Same;
use super::{Asking, FRESH, Look, age};
use crate::clock;
use crate::execute::{Asked, NotDone, Order};
use crate::log::LogError;
use crate::server::Server;

/// What is said is mostly no longer, in bytes.
const SAID: usize = 512;

/// What somebody would do.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who, if anybody here knows them.
    pub person: Option<PersonId>,
    /// What whoever asked calls them, where others ask for them.
    pub called: Option<String>,
    /// Which services; at least one.
    pub services: BTreeSet<ServiceName>,
    /// What they would do.
    pub what: Line,
    /// The version that they go back to, if it is a rollback.
    pub back_to: Option<Line>,
    /// By what they come.
    pub through: Line,
    /// Whether it is as good as done with this word.
    pub done: bool,
    /// Whether they only ask what would be said: nothing is recorded.
    pub dry_run: bool,
}

/// What they are told.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Whether they may.
    pub allowed: bool,
    /// Why, in words.
    pub reason: String,
    /// What they are told of what stops them, or would if the gate enforced it.
    pub stops: Vec<Stop>,
    /// All of that, as it is counted: where, and whether that was enforced. Of a dry run, nothing.
    counted: Vec<(Number, ServiceName, bool)>,
    /// Where the gate could not have decided if it enforced: it is let through, and not recorded there.
    pub doubts: Vec<Doubt>,
    /// Where a ledger takes no more while the gate only observes: it is let through, and not recorded there.
    pub full: Vec<Full>,
    /// The changes as which it stands in ledgers.
    pub changes: Vec<(Number, ServiceName, u32)>,
    /// When what was decided by was last known to be all that there is.
    pub as_of: Time,
}

/// Why nothing could be decided. Nobody was allowed anything by it.
#[derive(Debug)]
pub enum Unable {
    /// Nobody knows these services.
    Unknown(Vec<ServiceName>),
    /// This node has just started and has not read which incidents there are.
    Starting,
    /// An incident that is, or may be, on a service cannot be read, or only in part.
    Unread(Doubt),
    /// It would have to be recorded in a ledger that takes no more.
    Full(Full),
    /// It would have to be recorded, and could not.
    NotRecorded(NotDone),
}

/// What is said of what is older than it should be.
fn aged(age: Duration) -> String {
    format!(" This is as of {} s ago: the store cannot be reached.", age.as_secs())
}

impl Answer {
    /// Whether it is allowed only because a gate observes, and enforces nothing yet.
    #[must_use]
    pub fn is_observed(&self) -> bool {
        self.allowed && !(self.stops.is_empty() && self.doubts.is_empty() && self.full.is_empty())
    }
}

impl Server {
    /// Decides whether somebody may change some services, and records what comes through.
    ///
    /// # Errors
    /// [`Unable`]; whoever asks settles what that means for them.
    pub async fn pass(&self, call: Call) -> Result<Answer, Unable> {
        let mut answer = match self.decide(&call).await {
            Err(Unable::NotRecorded(error)) if self.takes_nothing_more(&error) => self.decide(&call).await,
            answer => answer,
        }?;
        self.note_stops(&call, std::mem::take(&mut answer.counted));
        Ok(answer)
    }

    /// Whether it could not be recorded because an incident takes nothing more, which the book knows by now: where its gate
    /// only observes, that keeps nobody.
    fn takes_nothing_more(&self, error: &NotDone) -> bool {
        match error {
            NotDone::Refused(refusal) => matches!(refusal.code, Code::ReadOnly | Code::TooMany),
            NotDone::Store(LogError::Damaged { stream, .. }) => {
                stream.incident().is_some_and(|number| self.gate.book.broke(number).is_some())
            }
            _ => false,
        }
    }

    async fn decide(&self, call: &Call) -> Result<Answer, Unable> {
        let (book, now) = (&self.gate.book, clock::now());
        let as_of = book.confirmed_at().ok_or(Unable::Starting)?;
        let look = book.look(Asking {
            person: call.person,
            services: &call.services,
            what: call.what.as_str(),
            back_to: call.back_to.as_ref().map(Line::as_str),
            now,
        });
        let Look { mut found, unknown, already } = look;
        if !unknown.is_empty() {
            return Err(Unable::Unknown(unknown));
        }
        // A dry run says what would be said, and that is this.
        if let Some(doubt) = found.undecided() {
            return Err(Unable::Unread(doubt.clone()));
        }
        if let Some(full) = found.unrecorded() {
            return Err(Unable::Full(full.clone()));
        }
        let mut changes = already;
        if !found.is_stopped() && !call.dry_run && !found.passes.is_empty() {
            // Apart, for it is long: whoever has nothing to record does not carry it along.
            let recorded = Box::pin(self.recorded(call, &mut found));
            changes.extend(recorded.await.map_err(Unable::NotRecorded)?);
        }
        let allowed = !found.is_stopped();
        let counted = |stop: &Stop| (stop.incident, stop.service.clone(), stop.enforced);
        let counted = if call.dry_run { Vec::new() } else { found.stops.iter().map(counted).collect() };
        let found = found.told();
        let mut reason = match allowed {
            true => self.allowed(call, &found, &changes),
            false => self.denied(call, &found),
        };
        reason.extend(age(as_of, now, FRESH).map(aged));
        // Whoever is stopped anywhere does nothing, whatever stands of it elsewhere.
        let changes = if allowed { changes } else { Vec::new() };
        let Found { stops, doubts, full, .. } = found;
        Ok(Answer { allowed, reason, stops, counted, doubts, full, changes, as_of })
    }

    /// Records what comes through. Between the book and the log somebody may have taken from them what let them through: they
    /// are stopped then as anybody is, or let through by a gate that only observes.
    async fn recorded(&self, call: &Call, found: &mut Found) -> Result<Vec<(Number, ServiceName, u32)>, NotDone> {
        match self.record(call, found).await {
            // One that takes nothing more says nothing about who may.
            Err(NotDone::Refused(refusal)) if !matches!(refusal.code, Code::ReadOnly | Code::TooMany) => {
                self.look_again(call, found).await?;
                if found.is_stopped() { Ok(Vec::new()) } else { self.record(call, found).await }
            }
            recorded => recorded,
        }
    }

    /// Looks at what would come through as the log has it by now.
    async fn look_again(&self, call: &Call, found: &mut Found) -> Result<(), NotDone> {
        let Some(person) = call.person else { return Ok(()) };
        let mut by_now = BTreeMap::new();
        for (number, _) in &found.passes {
            if let Some(held) = self.streams.incident(*number).await? {
                self.gate.book.take(&held);
                by_now.insert(*number, held);
            }
        }
        let facts = self.streams.directory().directory.facts.clone();
        let back_to = call.back_to.as_ref().map(Line::as_str);
        let of = |number: Number| by_now.get(&number).map(|held| &*held.incident);
        found.refused(person, back_to, (&facts, clock::now()), of);
        Ok(())
    }

    fn note_stops(&self, call: &Call, stops: Vec<(Number, ServiceName, bool)>) {
        if stops.is_empty() {
            return;
        }
        let of = |(incident, service, enforced): (Number, ServiceName, bool)| {
            let (person, what) = (call.person, Some(call.what.clone()));
            Same { incident, service, person, enforced, what }
        };
        self.gate.stops.note(clock::now(), stops.into_iter().map(of));
    }

    /// Records what comes through: in every incident that it has to do with, or in none. Asked again, what is recorded
    /// already is not recorded twice.
    async fn record(&self, call: &Call, found: &Found) -> Result<Vec<(Number, ServiceName, u32)>, NotDone> {
        let Some(person) = call.person.filter(|_| !found.passes.is_empty()) else { return Ok(Vec::new()) };
        self.ready_to_record().await?;
        let mut by_incident: BTreeMap<Number, BTreeSet<ServiceName>> = BTreeMap::new();
        for (number, service) in &found.passes {
            by_incident.entry(*number).or_default().insert(service.clone());
        }
        let passing = |services: &BTreeSet<ServiceName>| Passing {
            services: services.clone(),
            what: call.what.clone(),
            back_to: call.back_to.clone(),
            through: call.through.clone(),
            done: call.done,
        };
        let order = Order::Pass(by_incident.iter().map(|(number, services)| (*number, passing(services))).collect());
        let asked = Asked { request: Uuid::now_v7(), actor: Actor::Person(person), order };
        match self.executor.execute(asked).await {
            Ok(_) => self.metrics.count("accepted"),
            // Somebody who asked the same at the same moment was faster.
            Err(NotDone::Refused(refusal)) if refusal.code == Code::AlreadySo => {}
            Err(error) => return Err(error),
        }
        let (mut changes, now) = (Vec::new(), clock::now());
        for (number, services) in by_incident {
            let Some(held) = self.streams.incident(number).await? else { continue };
            let of = |service: ServiceName| {
                let change = held.incident.passed_already(person, &service, call.what.as_str(), now)?;
                Some((number, service, change))
            };
            changes.extend(services.into_iter().filter_map(of));
        }
        Ok(changes)
    }

    /// Why whoever is stopped is of no operations anywhere, if that is because nobody knows them, or knows them no more.
    fn of_no_operations(&self, call: &Call) -> Option<String> {
        let facts = &self.streams.directory().directory.facts;
        let unknown = match (call.person, &call.called) {
            (Some(person), _) => facts.find_active(&Who::Id(person)).err(),
            (None, called) => called.as_deref().map(Facts::nobody_called),
        };
        unknown.map(|refusal| refusal.sentence)
    }

    fn denied(&self, call: &Call, found: &Found) -> String {
        let mut said = String::with_capacity(SAID);
        stopped(&mut said, found.stops.iter().filter(|stop| stop.enforced));
        add(&mut said, self.of_no_operations(call));
        said
    }

    fn allowed(&self, call: &Call, found: &Found, changes: &[(Number, ServiceName, u32)]) -> String {
        let named = |(number, _, change): &(Number, ServiceName, u32)| {
            let held = self.gate.book.incident(*number)?;
            (!held.restricted).then(|| format!("change {change} of incident {number}"))
        };
        let recorded: Vec<String> = changes.iter().filter_map(named).collect();
        let stands = (!recorded.is_empty()).then(|| format!("It stands there as {}.", recorded.join(", ")));
        let Found { stops, doubts, full, .. } = found;
        let mut said = String::with_capacity(SAID);
        if !(stops.is_empty() && doubts.is_empty() && full.is_empty()) {
            // Whoever reads no further than the first word knows that they may.
            if stops.is_empty() {
                add(&mut said, ["Allowed. It could not have been decided:"]);
            } else {
                add(&mut said, ["Allowed. It would have been denied:"]);
                stopped(&mut said, stops);
                add(&mut said, self.of_no_operations(call));
            }
            add(&mut said, doubts.first().map(doubtful));
            add(&mut said, full.first().map(filled));
            let unsure = doubts.iter().map(|doubt| &doubt.service).chain(full.iter().map(|full| &full.service));
            let observing = list(stops.iter().map(|stop| &stop.service).chain(unsure));
            add(&mut said, [format!("The gate of {observing} only observes.")]);
        } else {
            let services = list(&call.services);
            // Where nothing is named, nobody who reads along learns whether anything holds it.
            let plain = match stands {
                None => format!("Allowed: no incident keeps you from changing {services}."),
                Some(_) => format!("Allowed: you may change {services}."),
            };
            add(&mut said, [plain]);
        }
        add(&mut said, stands);
        said
    }
}

/// What is said of an incident that cannot be read.
#[must_use]
pub fn doubtful(Doubt { incident, service, partly, .. }: &Doubt) -> String {
    match incident {
        Some(number) if *partly => {
            format!(
                "Incident {number} is on {service} and can be read only in part, so that nothing is recorded there."
            )
        }
        Some(number) => format!("Incident {number} is on {service} and cannot be read."),
        None => format!("Something that may be on {service} cannot be read."),
    }
}

/// What is said of a ledger that takes no more.
#[must_use]
pub fn filled(Full { incident, service, .. }: &Full) -> String {
    match incident {
        Some(number) => {
            format!("Incident {number} is on {service} and its ledger is full, so that nothing is recorded there.")
        }
        None => format!("A ledger in which changes of {service} stand is full, so that nothing is recorded there."),
    }
}

/// Each reason once: an incident that holds several services says much the same of each.
fn stopped<'a>(said: &mut String, stops: impl IntoIterator<Item = &'a Stop>) {
    let mut reasons: Vec<&str> = Vec::new();
    for stop in stops {
        if !reasons.contains(&stop.reason.as_str()) {
            reasons.push(&stop.reason);
        }
    }
    add(said, reasons);
}

/// Sentences behind what was said before.
fn add(said: &mut String, sentences: impl IntoIterator<Item = impl AsRef<str>>) {
    for sentence in sentences {
        let between = if said.is_empty() { "" } else { " " };
        said.extend([between, sentence.as_ref()]);
    }
}

//! Two incidents, each a log with two nodes that fold it in their own time, and the histories played on them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::ToSpan;
use serde_json::Value;
use uuid::Uuid;
use wardroom_core::briefing::Briefed;
use wardroom_core::command::{Command, Tick};
use wardroom_core::directory::DirectoryEvent;
use wardroom_core::event::{Event, Recorded, VERSION};
use wardroom_core::facts::{Facts, Person, Standing};
use wardroom_core::id::{Actor, Entry, PersonId, Time, Who};
use wardroom_core::incident::{Asking, Decision, Incident, Kind};
use wardroom_core::offer::Recipient;
use wardroom_core::refusal::Refusal;
use wardroom_core::role::{Role, RolePath};
use wardroom_core::said::Aspect;
use wardroom_core::seal::{self, Seal};
use wardroom_core::sighting::Seen;

use crate::document::written;
use crate::harness::ledger::Ledger;
use crate::harness::{at, facts, opened, opening, person, record, set_active};
use crate::keeping::known_to;
use crate::sightings::seen;
use crate::steps::{NEWEST, PEOPLE, Speaker, Step};

pub type Verdict = Result<(), String>;

/// One entry, between the state before and the state after.
pub struct Moment<'a> {
    pub before: &'a Incident,
    pub after: &'a Incident,
    pub recorded: &'a Recorded,
    pub facts: &'a Facts,
}

/// One answer of a node, by its own copy of the log.
pub struct Answer<'a> {
    pub incident: &'a Incident,
    pub ask: Asking<'a>,
    pub command: &'a Command,
    pub answer: &'a Result<Decision, Refusal>,
}

/// What an incident says of what another system tells.
pub struct Told<'a> {
    pub incident: &'a Incident,
    pub now: Time,
    pub seen: &'a Seen,
    pub answer: &'a Result<Decision, Refusal>,
}

/// A property looks on while a history is played.
pub trait Watch {
    fn entry(&mut self, _moment: &Moment<'_>) -> Verdict {
        Ok(())
    }
    fn answer(&mut self, _answer: &Answer<'_>) -> Verdict {
        Ok(())
    }
    fn told(&mut self, _told: &Told<'_>) -> Verdict {
        Ok(())
    }
}

/// The log of one incident as it is stored: sealed bodies, and the words beside them.
pub struct Stream {
    pub log: Vec<Recorded>,
    pub stored: Vec<(String, Value)>,
    pub words: BTreeMap<Seal, String>,
    pub head: Incident,
    nodes: [Incident; 2],
    ledger: Ledger,
}

/// Everything that a history is played on.
pub struct World {
    pub facts: Facts,
    pub now: Time,
    pub streams: [Stream; 2],
}

/// Stores an event and reads it back, as a log would.
fn through_the_log(
    event: &Event,
    words: &mut BTreeMap<Seal, String>,
    salt: u128,
) -> Result<(Event, (String, Value)), String> {
    let (kind, mut body) = event.to_stored();
    let mut salt = salt << 16;
    let taken = seal::seal(&mut body, &mut || {
        salt += 1;
        salt.to_be_bytes()
    });
    words.extend(taken.into_iter().map(|taken| (taken.seal, taken.words)));
    let stored = (kind.clone(), body.clone());
    seal::open(&mut body, &|seal| words.get(&seal).cloned());
    let event = Event::from_stored(&kind, VERSION, body).map_err(|why| why.to_string())?;
    Ok((event, stored))
}

impl Stream {
    fn new(number: u32, kind: Kind, facts: &Facts) -> Self {
        let investigate = number == 1 && kind == Kind::Incident;
        let first = opened(number, person(0), at(0), facts, opening(kind, investigate, false)).remove(0);
        let mut words = BTreeMap::new();
        let (event, stored) = through_the_log(&first.event, &mut words, u128::from(number)).unwrap();
        let first = Recorded { event, ..first };
        let head = Incident::begin(&first).unwrap();
        let mut ledger = Ledger::default();
        ledger.book(&first, &head).unwrap();
        let nodes = [head.clone(), head.clone()];
        Self { log: vec![first], stored: vec![stored], words, head, nodes, ledger }
    }

    pub fn append(&mut self, ask: (Actor, Time), events: Vec<Event>, facts: &Facts, watch: &mut dyn Watch) -> Verdict {
        for one in record(self.head.last_entry, self.head.last_at, ask, events) {
            let salt = (u128::from(self.head.number.get()) << 32) + u128::from(one.entry.0);
            let (event, stored) = through_the_log(&one.event, &mut self.words, salt)?;
            let recorded = Recorded { event, ..one };
            let before = self.head.clone();
            self.head.evolve(&recorded);
            self.ledger.book(&recorded, &self.head)?;
            watch.entry(&Moment { before: &before, after: &self.head, recorded: &recorded, facts })?;
            self.log.push(recorded);
            self.stored.push(stored);
        }
        Ok(())
    }
}

/// Makes a command mean something that is there, and says whom it concerns; left to chance it hardly ever would.
fn point(stream: &Stream, command: &mut Command) -> Option<PersonId> {
    let incident = &stream.head;
    let asked = incident.asks.iter().find_map(|(path, asks)| Some((path.clone(), *asks.keys().next()?)));
    match command {
        Command::PinNote { entry } | Command::CorrectNote { entry, .. } => {
            let note = stream.log.iter().find(|one| matches!(one.event, Event::Noted { .. }));
            *entry = note.map_or(*entry, |note| note.entry);
        }
        Command::UnpinNote { entry } => *entry = incident.pinned.first().copied().unwrap_or(*entry),
        Command::StopClock { clock } => *clock = incident.clocks.first().map_or(*clock, |known| known.id),
        Command::CloseRole { role } => {
            if let Some(deepest) = incident.roles.keys().max_by_key(|path| path.upward().count()) {
                role.clone_from(deepest);
            }
        }
        Command::ReleaseMember { role, person } => {
            let member = |(path, role): (&RolePath, &Role)| Some((path.clone(), *role.members.first()?));
            if let Some((path, member)) = incident.roles.iter().find_map(member) {
                (*role, *person) = (path, Who::Id(member));
                return Some(member);
            }
        }
        Command::DeclineAsk { role, person, .. } => {
            if let Some((path, asker)) = asked {
                (*role, *person) = (path, Who::Id(asker));
                return Some(incident.commander());
            }
        }
        Command::TakeBackAsk { role } => {
            let (path, asker) = asked?;
            *role = path;
            return Some(asker);
        }
        Command::RevokeInvite { invite } => {
            let live = incident.invites.iter().find(|(_, known)| !known.revoked);
            *invite = live.map_or(*invite, |(id, _)| *id);
        }
        Command::SendAway { person, .. } => {
            let guest = incident.guests.keys().next();
            *person = guest.map_or(person.clone(), |guest| Who::Id(*guest));
        }
        Command::Uninvite { person } => {
            let idle = incident.invited.iter().find(|who| !incident.responders.contains_key(who));
            if let Some(idle) = idle {
                *person = Who::Id(*idle);
            }
        }
        _ => {}
    }
    None
}

/// What the other node showed, which may be behind, is what whoever asks has read: they name the entry that said it.
fn read(incident: &Incident, command: &mut Command) {
    let criterion = |id: &u32| incident.criteria.iter().find(|known| known.id == *id).map(|known| &known.said);
    let todo = |id: &u32| incident.todos.iter().find(|known| known.id == *id).map(|known| &known.said);
    let change = |id: &u32| incident.changes.iter().find(|known| known.id == *id).map(|known| &known.said);
    match command {
        Command::RewordCriterion { criterion: id, replaces, .. } => {
            *replaces = criterion(id).and_then(|said| said.entry(Aspect::Text)).unwrap_or(*replaces);
        }
        Command::RewordTodo { todo: id, replaces, .. } => {
            *replaces = todo(id).and_then(|said| said.entry(Aspect::Text)).unwrap_or(*replaces);
        }
        Command::AssignCriterion { criterion: id, replaces, .. } => {
            *replaces = criterion(id).and_then(|said| said.entry(Aspect::Owner));
        }
        Command::AssignTodo { todo: id, replaces, .. } => {
            *replaces = todo(id).and_then(|said| said.entry(Aspect::Owner))
        }
        Command::LinkCriterion { criterion: id, replaces, .. } => {
            *replaces = criterion(id).and_then(|said| said.entry(Aspect::Bug));
        }
        Command::LinkTodo { todo: id, replaces, .. } => *replaces = todo(id).and_then(|said| said.entry(Aspect::Bug)),
        Command::CorrectChange { change: id, replaces, .. } => {
            *replaces = change(id).and_then(|said| said.entry(Aspect::Text)).unwrap_or(*replaces);
        }
        Command::SayWayBack { change: id, replaces, .. } => {
            *replaces = change(id).and_then(|said| said.entry(Aspect::WayBack));
        }
        _ => {}
    }
}

impl World {
    fn new(kinds: [Kind; 2]) -> Self {
        let mut facts = facts(PEOPLE);
        known_to(&mut facts);
        let streams = [Stream::new(1, kinds[0], &facts), Stream::new(2, kinds[1], &facts)];
        Self { facts, now: at(0), streams }
    }

    /// Plays a history on an incident and a planned operation; whatever `watch` or the ledgers find wrong ends it.
    pub fn play(steps: Vec<Step>, watch: &mut dyn Watch) -> Result<Self, String> {
        Self::play_on([Kind::Incident, Kind::Planned], steps, watch)
    }

    /// Plays a history on two of these kinds.
    pub fn play_on(kinds: [Kind; 2], steps: Vec<Step>, watch: &mut dyn Watch) -> Result<Self, String> {
        let mut world = Self::new(kinds);
        for step in steps {
            world.step(step, watch)?;
        }
        Ok(world)
    }

    fn step(&mut self, step: Step, watch: &mut dyn Watch) -> Verdict {
        match step {
            Step::Advance(seconds) => self.now += seconds.seconds(),
            Step::Active(who, active) => set_active(&mut self.facts, person(who), active),
            Step::Read { stream, node } => self.streams[stream].nodes[node] = self.streams[stream].head.clone(),
            Step::Deadlines { stream, node } => return self.tick(stream, node, Tick::Deadlines, watch),
            Step::Unseen { stream, minutes } => {
                let tick =
                    Tick::Unseen { person: self.streams[stream].head.commander(), since: self.now - minutes.minutes() };
                return self.tick(stream, 0, tick, watch);
            }
            Step::Seen { stream } => {
                let tick = Tick::Seen { person: self.streams[stream].head.commander() };
                return self.tick(stream, 0, tick, watch);
            }
            Step::Told { stream, nth, stage, who, minutes } => {
                let seen = seen(nth, stage, who.map(person), self.now - minutes.minutes());
                return self.told(stream, seen, watch);
            }
            Step::Kept { stream, nth, shown } => return self.kept(stream, nth, shown, watch),
            Step::WasDown { stream, minutes } => {
                let from = self.now;
                self.now += minutes.minutes();
                return self.tick(stream, 0, Tick::WasDown { from, to: self.now }, watch);
            }
            Step::Say { who, stream, node, behind, command } => {
                let now = self.now - behind.seconds();
                let (who, command) = self.meant(who, stream, command);
                return self.say(who, stream, node, now, command, watch);
            }
        }
        Ok(())
    }

    /// Who is meant, and which offer.
    fn meant(&self, who: Speaker, stream: usize, mut command: Command) -> (PersonId, Command) {
        let commander = matches!(who, Speaker::Commander);
        let incident = &self.streams[stream].head;
        let who = match who {
            Speaker::Person(n) => person(n),
            Speaker::Commander => incident.commander(),
            Speaker::Holder(n) => {
                let holders: Vec<PersonId> = incident.roles.keys().filter_map(|role| incident.holder(role)).collect();
                holders.get(n % holders.len().max(1)).copied().unwrap_or(person(1))
            }
            Speaker::Offered(n) => {
                let offer = incident.offers.iter().nth(n % incident.offers.len().max(1));
                if let (Some((path, _)), Command::TakeRole { role, .. } | Command::DeclineOffer { role, .. }) =
                    (offer, &mut command)
                {
                    role.clone_from(path);
                }
                match offer.map(|(_, offer)| &offer.to) {
                    Some(Recipient::Person(to)) => *to,
                    Some(Recipient::Team(_)) | None => person(2),
                }
            }
        };
        if let Command::RecordChange { happened_at: Some(at), .. } = &mut command {
            // Nobody tells of what is still to come.
            *at = (*at).min(self.now - 1.minutes());
        }
        if let Command::Arrive(arrival) = &mut command {
            // Nobody comes twice: the length of the log makes a new id.
            let newcomer = 10_000 * (stream + 1) + self.streams[stream].log.len();
            arrival.person = PersonId(Uuid::from_u128(newcomer as u128));
            let good = incident.invites.iter().find(|(_, known)| known.live(self.now));
            arrival.invite = good.map_or(arrival.invite, |(id, _)| *id);
            return (arrival.person, command);
        }
        if self.streams[stream].log.len().is_multiple_of(2) {
            let asker = point(&self.streams[stream], &mut command);
            return (asker.filter(|_| !commander).unwrap_or(who), command);
        }
        (who, command)
    }

    /// Every node reads the log.
    pub fn catch_up(&mut self) {
        for stream in &mut self.streams {
            stream.nodes = [stream.head.clone(), stream.head.clone()];
        }
    }

    /// A node decides by its copy. If the log has grown meanwhile it reads it and decides once more.
    pub fn say(
        &mut self,
        who: PersonId,
        stream: usize,
        node: usize,
        now: Time,
        mut command: Command,
        watch: &mut dyn Watch,
    ) -> Verdict {
        if let Command::TakeRole { briefed: Some(Briefed::To(entry)), .. } = &mut command
            && *entry == NEWEST
        {
            *entry = self.streams[stream].nodes[node].last_entry;
        }
        read(&self.streams[stream].nodes[1 - node], &mut command);
        let actor = Actor::Person(who);
        let mut answer = self.decide(actor, stream, node, now, &command, watch)?;
        let here = &self.streams[stream];
        if answer.is_ok() && here.nodes[node].last_entry != here.head.last_entry {
            self.streams[stream].nodes[node] = here.head.clone();
            answer = self.decide(actor, stream, node, now, &command, watch)?;
        }
        let Ok(decision) = answer else { return Ok(()) };
        self.account_for(decision.directory);
        self.streams[stream].append((actor, now), decision.here, &self.facts, watch)?;
        self.streams[1 - stream].append((actor, now), decision.there, &self.facts, watch)?;
        self.streams[stream].nodes[node] = self.streams[stream].head.clone();
        Ok(())
    }

    /// What a decision writes into the directory in the same append: the accounts of guests.
    fn account_for(&mut self, events: Vec<DirectoryEvent>) {
        for event in events {
            match event {
                DirectoryEvent::GuestAdded { person, handle, name, incident } => {
                    let standing = Standing::Guest(incident);
                    let guest = Person { id: person, handle, name, email: None, admin: false, active: true, standing };
                    Arc::make_mut(&mut self.facts.people).insert(person, guest);
                }
                DirectoryEvent::PersonDeactivated { person } => set_active(&mut self.facts, person, false),
                _ => {}
            }
        }
    }

    fn decide(
        &self,
        actor: Actor,
        stream: usize,
        node: usize,
        now: Time,
        command: &Command,
        watch: &mut dyn Watch,
    ) -> Result<Result<Decision, Refusal>, String> {
        let (here, there) = (&self.streams[stream], &self.streams[1 - stream]);
        let incident = &here.nodes[node];
        let known = |entry: &Entry| here.log.iter().find(|one| one.entry == *entry && *entry <= incident.last_entry);
        let cited = command.cites().and_then(|entry| known(&entry));
        let other = command.other_incident().filter(|other| *other == there.head.number).map(|_| &there.head);
        let document = command.needs_document().then(|| written(here.log.len() as u64));
        let ask = Asking { actor, now, facts: &self.facts, cited, other, document: document.as_ref() };
        let answer = incident.decide(&ask, command.clone());
        watch.answer(&Answer { incident, ask, command, answer: &answer })?;
        Ok(answer)
    }

    /// Another system tells of a change: whichever node it asks has read the log by then.
    fn told(&mut self, stream: usize, seen: Seen, watch: &mut dyn Watch) -> Verdict {
        let actor = Actor::Source;
        let ask = Asking { actor, now: self.now, facts: &self.facts, cited: None, other: None, document: None };
        let incident = &self.streams[stream].head;
        let answer = incident.see(&ask, seen.clone());
        watch.told(&Told { incident, now: self.now, seen: &seen, answer: &answer })?;
        let Ok(decision) = answer else { return Ok(()) };
        self.streams[stream].append((actor, self.now), decision.here, &self.facts, watch)
    }

    fn tick(&mut self, stream: usize, node: usize, tick: Tick, watch: &mut dyn Watch) -> Verdict {
        let ask =
            Asking { actor: Actor::Clock, now: self.now, facts: &self.facts, cited: None, other: None, document: None };
        let Ok(decision) = self.streams[stream].nodes[node].tick(&ask, tick) else { return Ok(()) };
        if decision.here.is_empty() {
            return Err("a tick was accepted and says nothing".to_owned());
        }
        let here = &self.streams[stream];
        let newest = here.nodes[node].last_entry == here.head.last_entry;
        if newest {
            self.account_for(decision.directory);
        }
        let stream = &mut self.streams[stream];
        if newest {
            stream.append((Actor::Clock, self.now), decision.here, &self.facts, watch)?;
        }
        stream.nodes[node] = stream.head.clone();
        Ok(())
    }
}

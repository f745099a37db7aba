//! Deciding one job of a batch: brings what it needs from the folded streams and the log, and asks the core.

use std::collections::hash_map::Entry::Vacant;

use uuid::Uuid;
use wardroom_core::command::Command;
use wardroom_core::directory::DirectoryAsking;
use wardroom_core::document::Written;
use wardroom_core::event::{Event, Recorded};
use wardroom_core::evidence::Fingerprint;
use wardroom_core::example;
use wardroom_core::gate::Passing;
use wardroom_core::id::{Actor, Entry, Number};
use wardroom_core::incident::{Asking, Decision, Incident, open};
use wardroom_core::preserve::Preserving;
use wardroom_core::refusal::{Code, Refusal};
use wardroom_core::sighting::NewSighting;

use super::tentative::Tentative;
use super::{Asked, Job, NotDone, Order, Worker};
use crate::document;
use crate::log::{Append, LogError, Request, Stored, Write};
use crate::sightings::Kept;
use crate::stored::recorded;
use crate::streams::stream_of;

/// What became of one job of a batch.
pub(super) enum Verdict {
    /// Goes into the append; set when its asker is held back.
    Accepted(Append, Option<Refusal>),
    Refused(Refusal),
    /// The store could not be read.
    Failed(LogError),
}

/// The changes of which other systems told, as far as an entry has their words: its own, or those that a merge brought.
fn told(recorded: &Recorded) -> &[NewSighting] {
    match &recorded.event {
        Event::ChangeSeen(seen) => std::slice::from_ref(seen),
        Event::Absorbed(absorbed) => &absorbed.sightings,
        _ => &[],
    }
}

impl Worker {
    pub(super) async fn decide(&self, tentative: &mut Tentative, job: &Job) -> Verdict {
        match self.try_decide(tentative, job).await {
            Ok((writes, held_back)) => {
                let Asked { request, actor, .. } = job.asked;
                let request = Request { actor: actor.to_string(), id: request, digest: job.digest };
                Verdict::Accepted(Append { request, writes }, held_back)
            }
            Err(NotDone::Refused(refusal)) => Verdict::Refused(refusal),
            Err(NotDone::Store(error)) => Verdict::Failed(error),
            Err(NotDone::Busy | NotDone::BrokeOff | NotDone::RequestReused) => Verdict::Failed(LogError::Conflict),
        }
    }

    async fn try_decide(&self, tentative: &mut Tentative, job: &Job) -> Result<(Vec<Write>, Option<Refusal>), NotDone> {
        let actor = job.asked.actor;
        match job.asked.order.clone() {
            Order::Open(opening) => {
                let number = self.next_number(tentative).await?;
                let facts = tentative.directory.0.directory.facts.clone();
                let ask = Asking { actor, now: tentative.now, facts: &facts, cited: None, other: None, document: None };
                let events = open(number, &ask, opening)?;
                tentative.highest = Some(number);
                Ok((vec![tentative.write_new(number, actor, &events)], None))
            }
            Order::Example => {
                let number = self.next_number(tentative).await?;
                let open = self.examples(tentative).await?;
                let facts = tentative.directory.0.directory.facts.clone();
                let ask = Asking { actor, now: tentative.now, facts: &facts, cited: None, other: None, document: None };
                let begun = example::begin(number, &ask, &open, &mut Uuid::now_v7)?;
                tentative.highest = Some(number);
                let cast = (!begun.directory.is_empty()).then(|| tentative.write_directory(actor, &begun.directory));
                let incident = tentative.write_new(number, Actor::Person(begun.by), &begun.here);
                Ok((cast.into_iter().chain([incident]).collect(), None))
            }
            Order::Incident(number, command) => self.in_incident(tentative, actor, number, command).await,
            Order::Tick(number, tick) => {
                self.of_nobody(tentative, actor, number, |incident, ask| incident.tick(ask, tick)).await
            }
            Order::See(number, seen) => {
                self.of_nobody(tentative, actor, number, |incident, ask| incident.see(ask, *seen)).await
            }
            Order::SeeGoOn(number, key, stage, at) => {
                self.of_nobody(tentative, actor, number, |incident, ask| incident.see_go_on(ask, key, stage, at)).await
            }
            Order::Preserve(number, told) => {
                if let Preserving::Kept { fingerprint, .. } = told {
                    self.has_bytes(number, fingerprint).await?;
                }
                self.of_nobody(tentative, actor, number, |incident, ask| incident.preserve(ask, told)).await
            }
            Order::Pass(passings) => self.through_gates(tentative, actor, passings).await,
            Order::Directory(command) => {
                let ask = DirectoryAsking { actor, now: tentative.now };
                let events = tentative.directory.0.directory.decide(ask, command, &mut Uuid::now_v7)?;
                Ok((vec![tentative.write_directory(actor, &events)], None))
            }
        }
    }

    /// What no person asks for in an incident.
    async fn of_nobody(
        &self,
        tentative: &mut Tentative,
        actor: Actor,
        number: Number,
        decide: impl FnOnce(&Incident, &Asking<'_>) -> Result<Decision, Refusal>,
    ) -> Result<(Vec<Write>, Option<Refusal>), NotDone> {
        self.bring(tentative, number).await?.ok_or_else(|| Refusal::no_such_incident(number))?;
        let facts = tentative.directory.0.directory.facts.clone();
        let ask = Asking { actor, now: tentative.now, facts: &facts, cited: None, other: None, document: None };
        let decision = decide(&tentative.incidents[&number].1, &ask)?;
        tentative.write_decision(actor, number, None, decision)
    }

    /// A person's command in an incident, with whatever it needs at hand.
    async fn in_incident(
        &self,
        tentative: &mut Tentative,
        actor: Actor,
        number: Number,
        command: Command,
    ) -> Result<(Vec<Write>, Option<Refusal>), NotDone> {
        let cited = self.cited(number, &command).await?;
        self.bring(tentative, number).await?.ok_or_else(|| Refusal::no_such_incident(number))?;
        let marked = tentative.incidents[&number].1.document.marks.last().map_or(0, |mark| mark.version);
        let document = self.document(number, &command, marked).await?;
        let other = match command.other_incident() {
            Some(other) if other != number => self.bring(tentative, other).await?.map(|()| other),
            _ => None,
        };
        let facts = tentative.directory.0.directory.facts.clone();
        let ask = Asking {
            actor,
            now: tentative.now,
            facts: &facts,
            cited: cited.as_ref(),
            other: other.map(|other| &tentative.incidents[&other].1),
            document: document.as_ref(),
        };
        let brings = match &command {
            Command::Attach(piece) => Some(piece.fingerprint),
            _ => None,
        };
        let redacts = matches!(command, Command::Redact { .. });
        let decision = tentative.incidents[&number].1.decide(&ask, command)?;
        if let Some(fingerprint) = brings {
            self.has_bytes(number, fingerprint).await?;
        }
        // Their words stand beside the log, too. Taken out there for nothing, they are only told to nobody new.
        for seen in cited.as_ref().filter(|_| redacts).map_or(&[][..], told) {
            self.log.silence_sighting(Kept::silenced(seen, tentative.now)).await?;
        }
        tentative.write_decision(actor, number, other, decision)
    }

    /// That the bytes of evidence wait for the event that takes them.
    async fn has_bytes(&self, number: Number, fingerprint: Fingerprint) -> Result<(), NotDone> {
        match self.log.has_bytes(stream_of(number), fingerprint).await? {
            true => Ok(()),
            false => Err(Refusal::new(Code::NotThere, "The bytes are not here any more. Send them again.").into()),
        }
    }

    /// What comes through the gates of several incidents: all of it in one append, or nothing. Where it stands already, there is
    /// nothing more to record.
    async fn through_gates(
        &self,
        tentative: &mut Tentative,
        actor: Actor,
        passings: Vec<(Number, Passing)>,
    ) -> Result<(Vec<Write>, Option<Refusal>), NotDone> {
        let facts = tentative.directory.0.directory.facts.clone();
        let (mut decisions, mut known) = (Vec::new(), None);
        for (number, passing) in passings {
            self.bring(tentative, number).await?.ok_or_else(|| Refusal::no_such_incident(number))?;
            let ask = Asking { actor, now: tentative.now, facts: &facts, cited: None, other: None, document: None };
            match tentative.incidents[&number].1.decide(&ask, Command::PassGate(passing)) {
                Ok(decision) => decisions.push((number, decision)),
                Err(refusal) if refusal.code == Code::AlreadySo => known = Some(refusal),
                Err(refusal) => return Err(refusal.into()),
            }
        }
        // Nothing stands in what is to be left behind before all are decided.
        let mut writes = Vec::new();
        for (number, decision) in decisions {
            writes.extend(tentative.write_decision(actor, number, None, decision)?.0);
        }
        match known {
            Some(refusal) if writes.is_empty() => Err(refusal.into()),
            _ => Ok((writes, None)),
        }
    }

    /// The past entry that a command cites, straight from the log: the state keeps no notes.
    async fn cited(&self, number: Number, command: &Command) -> Result<Option<Recorded>, LogError> {
        let Some(Entry(entry)) = command.cites() else { return Ok(None) };
        let stored: Option<Stored> = self.log.event(stream_of(number), entry).await?;
        Ok(stored.and_then(|stored| recorded(&stored).ok()))
    }

    /// What is written and kept, where it matters: since it was last marked, where it may be marked. Nobody is held up by
    /// a document that is damaged: then there is no mark, and nothing to have read.
    async fn document(&self, number: Number, command: &Command, marked: u64) -> Result<Option<Written>, LogError> {
        let known = command.marks_document() && self.log.document_version(stream_of(number)).await? <= marked;
        if known || !command.needs_document() {
            return Ok(None);
        }
        match document::written(&self.log, number).await {
            Err(error @ LogError::Damaged { .. }) => {
                tracing::error!(%error, incident = number.get(), "the state document cannot be read");
                Ok(None)
            }
            written => written.map(Some),
        }
    }

    /// Has an incident at hand in the tentative states.
    async fn bring(&self, tentative: &mut Tentative, number: Number) -> Result<Option<()>, LogError> {
        if let Vacant(place) = tentative.incidents.entry(number) {
            let Some(held) = self.streams.incident(number).await? else { return Ok(None) };
            let (incident, tip) = ((*held.incident).clone(), held.tip);
            place.insert((Some(held), incident, tip));
        }
        Ok(Some(()))
    }

    async fn next_number(&self, tentative: &Tentative) -> Result<Number, NotDone> {
        let highest = match tentative.highest {
            Some(number) => number.get(),
            None => self.log.highest_stream().await?.0,
        };
        highest
            .checked_add(1)
            .and_then(Number::new)
            .ok_or_else(|| Refusal::new(Code::TooMany, "There are no numbers left for another incident.").into())
    }
}

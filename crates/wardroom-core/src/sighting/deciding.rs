//! Which sightings an incident hears of, and who may do what with them.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::known::Marks;
use super::{AskedIn, BEFORE_MINUTES, NewSighting, SIGHTINGS_MAX, Seen, Sighting, SightingAct, Stage, minutes};
use crate::authority::Act;
use crate::change::{ChangeState, NewChange, SeenAs};
use crate::event::Event;
use crate::facts::Facts;
use crate::gate;
use crate::id::{PersonId, ServiceName, Time};
use crate::incident::{Asking, Decision, Incident, Kind, Phase};
use crate::next::Next;
use crate::permission::Hands;
use crate::refusal::{Code, Refusal, Remedy};
use crate::role::{Duty, RolePath};
use crate::text::{Prose, Text};

const OPERATIONS: Act = Act::Duty(Duty::Operations);
const COMMAND_TOO: Act = Act::DutyOrCommand(Duty::Operations);

/// Nobody is asked in for longer than this, in minutes.
const ASKED_MINUTES: i64 = 60;
/// So many are named where it is refused to close, at the most.
const NAMED: usize = 3;

fn nothing() -> Refusal {
    Refusal::new(Code::AlreadySo, "There is nothing to record.")
}

impl Incident {
    /// Every service of which this hears until it is closed: its own ones and what these need to work. A planned operation
    /// hears of its own alone, and practice of none.
    #[must_use]
    pub fn watched_services(&self, facts: &Facts) -> BTreeSet<ServiceName> {
        let watches = self.phase.is_open() && self.kind != Kind::Drill && self.example.is_none();
        if watches { self.services_and_needs(facts) } else { BTreeSet::new() }
    }

    /// From when on changes are heard of that were made before this was opened.
    #[must_use]
    pub fn hears_from(&self) -> Time {
        minutes(self.began_at(), -BEFORE_MINUTES)
    }

    /// Whether it hears of what was made then. What was made while it ran is told of when a pipeline has ended, which may be
    /// after its services were restored.
    #[must_use]
    pub fn hears_of_then(&self, at: Time) -> bool {
        self.hears_from() <= at && self.resolved_at.is_none_or(|resolved| at < resolved)
    }

    /// What was told last by each teller of whom no more is kept, by its name: what one system calls itself is one line.
    #[must_use]
    pub fn tellers_cut(&self) -> Vec<&NewSighting> {
        let mut cut: Vec<&NewSighting> = Vec::new();
        for seen in self.sightings.iter().map(|known| &known.seen).filter(|seen| seen.share_used) {
            let same =
                |other: &&NewSighting| (other.source.words(), other.told_by) == (seen.source.words(), seen.told_by);
            if !cut.iter().any(same) {
                cut.push(seen);
            }
        }
        cut
    }

    /// Whether it was made before impact began, and so may be what broke something.
    #[must_use]
    pub fn is_before_impact(&self, known: &Sighting) -> bool {
        known.seen.at < self.began_at()
    }

    /// Another system tells of a change.
    ///
    /// # Errors
    /// [`Code::AlreadySo`] when there is nothing to record: it is known, or not of this incident. [`Code::TooMany`] when no
    /// more fit.
    pub fn see(&self, ask: &Asking<'_>, seen: Seen) -> Result<Decision, Refusal> {
        if self.sightings.iter().any(|known| known.seen.key == seen.key) {
            return self.see_go_on(ask, seen.key, seen.stage, seen.at);
        }
        let ask = &self.at_least_last(ask);
        self.writable()?;
        let at = seen.at.min(ask.now);
        if !self.hears_of_then(at) || !self.watched_services(ask.facts).contains(&seen.service) {
            return Err(nothing());
        }
        let sighting = self.sightings_seen + 1;
        if sighting > SIGHTINGS_MAX {
            let sentence = format!("Incident {} has heard of {SIGHTINGS_MAX} changes already.", self.number);
            return Err(Refusal::new(Code::TooMany, sentence));
        }
        let change = self.known_as(Marks::of(&seen, at));
        let uncoordinated = self.is_uncoordinated(&seen, ask.now, ask.facts);
        let done = self.told_done(sighting, (change, seen.person), (seen.stage, at));
        let told = Event::ChangeSeen(Box::new(NewSighting {
            sighting,
            key: seen.key,
            service: seen.service,
            what: seen.what.into(),
            who: seen.who.map(Into::into),
            person: seen.person,
            told_by: seen.told_by,
            source: seen.source.into(),
            link: seen.link.map(Into::into),
            environment: seen.environment.map(Into::into),
            stage: seen.stage,
            at,
            uncoordinated,
            change,
            share_used: seen.share_used,
        }));
        Ok(std::iter::once(told).chain(done).collect::<Vec<_>>().into())
    }

    /// Another system tells how far a change is that was seen here. It needs no words, and so it is told of one whose words
    /// were redacted, too.
    ///
    /// # Errors
    /// [`Code::AlreadySo`] when there is nothing to record: it was not seen here, or is known to be as far.
    pub fn see_go_on(&self, ask: &Asking<'_>, key: Uuid, stage: Stage, at: Time) -> Result<Decision, Refusal> {
        let ask = &self.at_least_last(ask);
        self.writable()?;
        // Wherever the incident is by now, and whatever it is about: what is under way here came to its end.
        let goes_on = |known: &&Sighting| known.seen.stage < stage && self.phase != Phase::Merged;
        let known = self.sightings.iter().find(|known| known.seen.key == key).filter(goes_on).ok_or_else(nothing)?;
        let (at, sighting) = (at.min(ask.now), known.seen.sighting);
        let done = self.taken_in_is_over(known, stage, at);
        let done = done.or_else(|| self.told_done(sighting, (known.seen.change, known.seen.person), (stage, at)));
        let went = std::iter::once(Event::SightingWent { sighting, stage, at }).chain(done).collect();
        Ok(match known.seen.change {
            Some(change) => self.and_what_was_seen(ask, change, went).into(),
            None => went.into(),
        })
    }

    /// Whether it was made by somebody outside operations while only they change its service, and is no change that the
    /// ledger knows.
    #[must_use]
    pub fn is_uncoordinated(&self, seen: &Seen, now: Time, facts: &Facts) -> bool {
        let at = seen.at.min(now);
        self.only_operations(&seen.service, at, facts) && self.known_as(Marks::of(seen, at)).is_none() && {
            let hands = seen.person.and_then(|person| self.hands_told(person, &seen.service, at));
            hands != Some(Hands::Coordinated)
        }
    }

    /// Whether only operations were to change a service at a time. While its services were taken for restored nobody was kept
    /// from changing them, so that nothing was to be coordinated, and what is heard of it once it goes on again is only shown.
    pub(super) fn only_operations(&self, service: &ServiceName, at: Time, facts: &Facts) -> bool {
        let held = gate::holds(self.kind, Phase::Active, self.example.is_some());
        held && self.declared_at.is_some_and(|declared| declared <= at)
            && self.hears_of_then(at)
            && !self.was_restored(at)
            && self.services_and_needs(facts).contains(service)
    }

    /// What the asker may do with a sighting now.
    #[must_use]
    pub fn may_with_sighting(&self, ask: &Asking<'_>, known: &Sighting) -> Vec<SightingAct> {
        if !self.takes_changes() {
            return Vec::new();
        }
        let may = |act: &SightingAct| self.takes_act(ask, known, *act).is_ok();
        SightingAct::ALL.into_iter().filter(may).collect()
    }

    fn sighting(&self, sighting: u32) -> Result<&Sighting, Refusal> {
        let known = self.sightings.iter().find(|known| known.seen.sighting == sighting);
        known.ok_or_else(|| Refusal::new(Code::NotThere, format!("Nothing was seen here under the number {sighting}.")))
    }

    /// Who asks, if they may do this with it as it stands.
    fn takes_act(&self, ask: &Asking<'_>, known: &Sighting, act: SightingAct) -> Result<PersonId, Refusal> {
        self.require(ask, &Act::Respond)?;
        let by = self.require(ask, if act == SightingAct::AskIn { &COMMAND_TOO } else { &OPERATIONS })?;
        let number = known.seen.sighting;
        match act {
            SightingAct::TakeIn => match known.seen.change {
                Some(change) => Err(Refusal::new(
                    Code::AlreadySo,
                    format!("Sighting {number} stands in the ledger as change {change}."),
                )),
                None => Ok(by),
            },
            SightingAct::Dismiss if !known.is_unsorted() => {
                Err(Refusal::new(Code::AlreadySo, format!("Nobody has to sort sighting {number}.")))
            }
            SightingAct::Dismiss => Ok(by),
            SightingAct::AskIn => self.may_be_asked_in(ask, known, by).map(|_| by),
        }
    }

    /// Who made it, if they can be asked to come.
    fn may_be_asked_in(&self, ask: &Asking<'_>, known: &Sighting, by: PersonId) -> Result<PersonId, Refusal> {
        let who = known.seen.who.as_ref().and_then(Text::words).unwrap_or("nobody who is named");
        let person = known.seen.person.filter(|person| ask.facts.active(*person)).ok_or_else(|| {
            let sentence = format!("This was made by {who}, whom the directory does not know. Find them another way.");
            Refusal::new(Code::UnknownPerson, sentence)
        })?;
        let name = ask.facts.name(person);
        if person == by || self.responders.contains_key(&person) {
            return Err(Refusal::new(Code::AlreadySo, format!("{name} is here already.")));
        }
        if !self.visible_to(person, ask.facts) {
            let sentence = format!("{name} may not know of this incident. Invite them first.");
            return Err(Refusal::new(Code::NotYours, sentence).remedy(Remedy::Invite { person }));
        }
        let waits = |asked: &AskedIn| minutes(asked.at, ASKED_MINUTES) > ask.now;
        if known.asked_in.as_ref().is_some_and(waits) {
            return Err(Refusal::new(Code::AlreadySo, format!("{name} is asked in already, and is being told.")));
        }
        Ok(person)
    }

    /// It is one of operations from now on: as done, or as announced as long as it is under way.
    pub(crate) fn take_in_sighting(&self, ask: &Asking<'_>, sighting: u32) -> Result<Decision, Refusal> {
        let known = self.sighting(sighting)?;
        let by = self.takes_act(ask, known, SightingAct::TakeIn)?;
        let seen = &known.seen;
        let change = self.changes_recorded + 1;
        self.has_room_for_changes(change)?;
        let under_way = seen.stage == Stage::Begun;
        let recorded = NewChange {
            change,
            service: seen.service.clone(),
            unknown_service: !ask.facts.services.contains_key(&seen.service),
            // The words stand where it was told of, and are taken out there.
            what: Text::said(format!("what was seen as {sighting}")),
            why: None,
            how: None,
            back: None,
            made_by: None,
            by,
            state: if under_way { ChangeState::Announced } else { ChangeState::Done },
            happened_at: (!under_way).then_some(seen.at),
            uncoordinated: false,
            through: None,
            seen: Some(SeenAs { sighting, by: seen.person }),
        };
        let taken = Event::SightingTakenIn { sighting, change, by };
        Ok(vec![Event::ChangeRecorded(Box::new(recorded)), taken].into())
    }

    pub(crate) fn dismiss_sighting(
        &self,
        ask: &Asking<'_>,
        sighting: u32,
        reason: Option<Prose>,
    ) -> Result<Decision, Refusal> {
        let by = self.takes_act(ask, self.sighting(sighting)?, SightingAct::Dismiss)?;
        Ok(Event::SightingDismissed { sighting, by, reason: reason.map(Into::into) }.into())
    }

    /// Those of them that still are to be sorted; whoever sorted one in the meantime said what became of that.
    pub(crate) fn dismiss_sightings(
        &self,
        ask: &Asking<'_>,
        sightings: &BTreeSet<u32>,
        reason: Option<Prose>,
    ) -> Result<Decision, Refusal> {
        self.require(ask, &Act::Respond)?;
        let by = self.require(ask, &OPERATIONS)?;
        let known: Vec<&Sighting> = sightings.iter().map(|one| self.sighting(*one)).collect::<Result<_, _>>()?;
        let unsorted = known.iter().filter(|known| known.is_unsorted()).map(|known| known.seen.sighting);
        let (sightings, reason): (Vec<u32>, _) = (unsorted.collect(), reason.map(Into::into));
        match sightings[..] {
            [] => Err(Refusal::new(Code::AlreadySo, "Nobody has to sort any of these.")),
            [sighting] => Ok(Event::SightingDismissed { sighting, by, reason }.into()),
            _ => Ok(Event::SightingsDismissed { sightings, by, reason }.into()),
        }
    }

    pub(crate) fn ask_in(&self, ask: &Asking<'_>, sighting: u32) -> Result<Decision, Refusal> {
        let known = self.sighting(sighting)?;
        let by = self.takes_act(ask, known, SightingAct::AskIn)?;
        let person = self.may_be_asked_in(ask, known, by)?;
        Ok(Event::AskedIn { sighting, person, by }.into())
    }

    /// Whom operations wait for: the maker, who asked, and of which sighting.
    pub(crate) fn waited_for(&self, now: Time) -> impl Iterator<Item = (PersonId, &Sighting, AskedIn)> {
        self.sightings.iter().filter_map(move |known| {
            let asked = known.asked_in.filter(|asked| minutes(asked.at, ASKED_MINUTES) > now)?;
            let person = known.seen.person?;
            (!self.responders.contains_key(&person)).then_some((person, known, asked))
        })
    }

    /// Nothing is closed over a change that nobody has looked at.
    pub(crate) fn everything_seen_is_sorted(&self) -> Result<(), Refusal> {
        let unsorted: Vec<&Sighting> = self.sightings.iter().filter(|known| known.is_unsorted()).collect();
        if unsorted.is_empty() {
            return Ok(());
        }
        let mut names: Vec<String> = unsorted
            .iter()
            .take(NAMED)
            .map(|known| format!("{} of {}", known.seen.sighting, known.seen.service))
            .collect();
        if unsorted.len() > NAMED {
            names.push(format!("{} more", unsorted.len() - NAMED));
        }
        let sentence = format!(
            "Changes were seen that operations have not sorted: {}. They take each into the ledger, or dismiss it.",
            names.join(", ")
        );
        Err(Refusal::new(Code::Unfinished, sentence).who_could(self.who_may(&OPERATIONS)))
    }

    /// What operations still have to sort, as it goes along into another incident, numbered as there.
    pub(crate) fn unsorted_sightings(&self, other: &Incident) -> Vec<NewSighting> {
        let known = |seen: &Sighting| other.sightings.iter().any(|theirs| theirs.seen.key == seen.seen.key);
        let anew = |(sighting, seen): (u32, &Sighting)| NewSighting {
            sighting,
            what: seen.seen.what.anew(),
            who: seen.seen.who.as_ref().map(Text::anew),
            source: seen.seen.source.anew(),
            link: seen.seen.link.as_ref().map(Text::anew),
            environment: seen.seen.environment.as_ref().map(Text::anew),
            // There, its teller is counted anew.
            share_used: false,
            ..seen.seen.clone()
        };
        let unsorted = self.sightings.iter().filter(|seen| seen.is_unsorted() && !known(seen));
        (other.sightings_seen + 1..).zip(unsorted).map(anew).collect()
    }

    /// Whoever has operations sorts what was seen; whoever is asked in comes.
    pub(crate) fn next_about_sightings(&self, person: PersonId, now: Time) -> Vec<Next> {
        if self.sightings.is_empty() {
            return Vec::new();
        }
        let sorts = self.effective_holder(&RolePath::of(Duty::Operations)) == Some(person);
        let unsorted = self.sightings.iter().filter(|known| sorts && known.is_unsorted());
        let sort = |known: &Sighting| Next::SortSighting {
            sighting: known.seen.sighting,
            service: known.seen.service.clone(),
        };
        let come_in = |(_, known, asked): (PersonId, &Sighting, AskedIn)| Next::ComeIn {
            by: asked.by,
            sighting: known.seen.sighting,
            service: known.seen.service.clone(),
        };
        let waited = self.waited_for(now).filter(|(maker, ..)| *maker == person);
        unsorted.map(sort).chain(waited.map(come_in)).collect()
    }
}

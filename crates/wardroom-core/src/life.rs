//! The life of an incident: opening, declaring, phases, closing and reopening, severity, kind, and what describes it.
//!
//! Rule 1: from opening to closing the root role has exactly one holder; declaring makes the lead commander;
//! whoever reopens takes command.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::authority::Act;
use crate::command::Opening;
use crate::event::{Event, Recorded};
use crate::facts::Facts;
use crate::id::{Number, ServiceName, Time};
use crate::incident::{Asking, Decision, Incident, Kind, Phase, Post, Severity};
use crate::refusal::{Code, Refusal, Remedy};
use crate::role::RolePath;
use crate::text::{Line, Prose};
use crate::timeline::back_dated;

/// More command posts than this would hide the one that matters.
const POSTS_MAX: usize = 12;
/// Affected services of one incident.
const SERVICES_MAX: usize = 100;
/// So many times at which its services were taken for restored are known, at the most; the first go. What was made in one that is
/// not known any more counts as made while the incident went on, and is to be sorted.
const RESTORED_MAX: usize = 100;

/// A time at which the services of an incident were taken for restored, which then went on again: it held no gate.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Restored {
    /// Since when: it was resolved.
    pub since: Time,
    /// Until when; at that moment it went on.
    pub until: Time,
}

fn already(what: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::AlreadySo, format!("It is {what} already."))
}

pub(crate) fn not_too_many(services: &BTreeSet<ServiceName>) -> Result<(), Refusal> {
    if services.len() <= SERVICES_MAX {
        return Ok(());
    }
    Err(Refusal::new(Code::TooMany, format!("At most {SERVICES_MAX} services fit one incident.")))
}

/// Splits services into those the directory knows and those it does not; unknown names may be used.
fn unknown(services: &BTreeSet<ServiceName>, facts: &Facts) -> BTreeSet<ServiceName> {
    services.iter().filter(|name| !facts.services.contains_key(name)).cloned().collect()
}

/// Opens an incident: whoever opens it has joined and holds command (rule 1).
///
/// # Errors
/// [`Code::NotActive`] for anybody but an active person, [`Code::Invalid`] when impact begins in the future,
/// [`Code::WrongKind`] and [`Code::TooMany`] for what cannot be opened so.
pub fn open(number: Number, ask: &Asking<'_>, opening: Opening) -> Result<Vec<Event>, Refusal> {
    let by = ask.active_person()?;
    if ask.facts.guest_of(by).is_some() {
        let sentence = "You are a guest here. Somebody of the house declares: tell them, or raise a roadblock.";
        return Err(Refusal::new(Code::NotForGuests, sentence));
    }
    back_dated(opening.began, ask.now)?;
    not_too_many(&opening.services)?;
    if opening.investigate && opening.kind != Kind::Incident {
        return Err(Refusal::new(
            Code::WrongKind,
            "Only an incident can start as an investigation; open a planned operation or a drill directly.",
        ));
    }
    let phase = if opening.investigate { Phase::Investigating } else { Phase::Active };
    Ok(vec![Event::Opened {
        number,
        title: opening.title.into(),
        kind: opening.kind,
        phase,
        severity: opening.severity,
        unknown_services: unknown(&opening.services, ask.facts),
        services: opening.services,
        began: opening.began,
        restricted: opening.restricted,
        by,
    }])
}

impl Incident {
    /// Every signed-in person may declare a running investigation; its lead becomes the commander.
    pub(crate) fn declare(&self, ask: &Asking<'_>) -> Result<Decision, Refusal> {
        let by = ask.active_person()?;
        if self.phase != Phase::Investigating {
            return Err(already("declared"));
        }
        let mut events = self.join_unless_here(by);
        events.push(Event::Declared { by, commander: self.commander() });
        Ok(events.into())
    }

    pub(crate) fn set_phase(&self, ask: &Asking<'_>, to: Phase, reason: Option<Prose>) -> Result<Decision, Refusal> {
        self.require(ask, &Act::Command)?;
        let from = self.phase;
        if from == to {
            return Err(already(format!("“{}”", to.word())));
        }
        match (from, to) {
            (_, Phase::Closed) => self.close(from, reason),
            (_, Phase::Investigating | Phase::Merged) => Err(Refusal::new(
                Code::WrongPhase,
                format!("An incident does not become “{}” by being told so.", to.word()),
            )),
            (Phase::Investigating, _) => {
                Err(Refusal::new(Code::WrongPhase, "This is not declared yet. Declare it first.")
                    .remedy(Remedy::Declare))
            }
            _ => {
                if to == Phase::Resolved {
                    self.criteria_are_settled()?;
                }
                Ok(Event::PhaseSet { from, to, reason: reason.map(Into::into) }.into())
            }
        }
    }

    /// An investigation that found nothing closes directly; an incident is resolved first. Rule 10: not while a service
    /// differs from normal.
    fn close(&self, from: Phase, reason: Option<Prose>) -> Result<Decision, Refusal> {
        if !matches!(from, Phase::Resolved | Phase::Investigating) {
            return Err(Refusal::new(Code::WrongPhase, "Resolve it first: closing says that nothing is left to do.")
                .remedy(Remedy::Phase { phase: Phase::Resolved }));
        }
        self.criteria_are_settled()?;
        self.nothing_differs()?;
        self.everything_seen_is_sorted()?;
        Ok(Event::Closed { from, last_commander: self.commander(), reason: reason.map(Into::into) }.into())
    }

    /// Every signed-in person may reopen, and takes command by it.
    pub(crate) fn reopen(&self, ask: &Asking<'_>, reason: Option<Prose>) -> Result<Decision, Refusal> {
        let by = ask.active_person()?;
        if self.phase != Phase::Closed {
            return Err(already("open"));
        }
        let mut events = self.join_unless_here(by);
        events.push(Event::Reopened { by, reason: reason.map(Into::into) });
        Ok(events.into())
    }

    pub(crate) fn set_severity(
        &self,
        ask: &Asking<'_>,
        to: Severity,
        reason: Option<Prose>,
    ) -> Result<Decision, Refusal> {
        self.require(ask, &Act::Command)?;
        if self.severity == to {
            return Err(already("at this severity"));
        }
        Ok(Event::SeveritySet { from: self.severity, to, reason: reason.map(Into::into) }.into())
    }

    pub(crate) fn set_kind(&self, ask: &Asking<'_>, to: Kind, reason: Option<Prose>) -> Result<Decision, Refusal> {
        self.require(ask, &Act::Command)?;
        match (self.kind, to) {
            (from, to) if from == to => Err(already("of this kind")),
            (from @ Kind::Planned, Kind::Incident) => {
                Ok(Event::KindSet { from, to, reason: reason.map(Into::into) }.into())
            }
            _ => Err(Refusal::new(
                Code::WrongKind,
                "Only a planned operation can become something else, and only an incident. A drill stays a drill.",
            )),
        }
    }

    pub(crate) fn set_title(&self, ask: &Asking<'_>, title: Line) -> Result<Decision, Refusal> {
        self.require(ask, &Act::Command)?;
        if self.title.words() == Some(title.as_str()) {
            return Err(already("called that"));
        }
        Ok(Event::TitleSet { title: title.into() }.into())
    }

    pub(crate) fn set_services(&self, ask: &Asking<'_>, services: BTreeSet<ServiceName>) -> Result<Decision, Refusal> {
        self.require(ask, &Act::Command)?;
        not_too_many(&services)?;
        if self.services == services {
            return Err(already("marked as affecting just these"));
        }
        let unknown_services = unknown(&services, ask.facts);
        Ok(Event::ServicesSet { services, unknown_services }.into())
    }

    pub(crate) fn set_began(&self, ask: &Asking<'_>, began: Time) -> Result<Decision, Refusal> {
        self.require(ask, &Act::Command)?;
        back_dated(Some(began), ask.now)?;
        if self.began == Some(began) {
            return Err(already("recorded so"));
        }
        Ok(Event::BeganSet { began }.into())
    }

    pub(crate) fn add_post(&self, ask: &Asking<'_>, label: Line, link: Option<Line>) -> Result<Decision, Refusal> {
        self.require(ask, &Act::Command)?;
        if self.posts.len() >= POSTS_MAX {
            return Err(Refusal::new(
                Code::TooMany,
                format!("There are {POSTS_MAX} command posts already. Remove one first: one place to meet is best."),
            ));
        }
        if let Some(link) = &link {
            check_link(link)?;
        }
        let post = Post { id: self.posts_added + 1, label: label.into(), link: link.map(Into::into) };
        Ok(Event::PostAdded { post }.into())
    }

    pub(crate) fn remove_post(&self, ask: &Asking<'_>, post: u32) -> Result<Decision, Refusal> {
        self.require(ask, &Act::Command)?;
        if !self.posts.iter().any(|known| known.id == post) {
            return Err(Refusal::new(Code::NotThere, format!("There is no command post {post} here.")));
        }
        Ok(Event::PostRemoved { post }.into())
    }

    pub(crate) fn evolve_life(&mut self, recorded: &Recorded) {
        let mut enter = |phase: Phase| {
            self.phase = phase;
            self.phase_since = recorded.at;
        };
        match &recorded.event {
            Event::Declared { .. } => {
                enter(Phase::Active);
                self.declared_at = Some(recorded.at);
            }
            Event::PhaseSet { to, .. } => {
                enter(*to);
                match to {
                    Phase::Resolved => self.resolved_at = Some(recorded.at),
                    _ => self.goes_on_again(recorded.at),
                }
            }
            Event::Closed { last_commander, .. } => {
                enter(Phase::Closed);
                // An investigation that found nothing was never resolved.
                self.resolved_at.get_or_insert(recorded.at);
                self.end_command(Some(*last_commander), recorded.at);
            }
            Event::Reopened { by, .. } => {
                enter(Phase::Active);
                self.goes_on_again(recorded.at);
                self.declared_at.get_or_insert(recorded.at);
                self.hold(&RolePath::command(), *by, recorded);
            }
            Event::SeveritySet { to, .. } => self.severity = *to,
            Event::KindSet { to, .. } => self.kind = *to,
            Event::TitleSet { title } => self.title = title.clone(),
            Event::ServicesSet { services, unknown_services } => {
                self.services = services.clone();
                self.unknown_services = unknown_services.clone();
            }
            Event::BeganSet { began } => self.began = Some(*began),
            Event::PostAdded { post } => {
                self.posts_added = self.posts_added.max(post.id);
                self.posts.push(post.clone());
            }
            Event::PostRemoved { post } => self.posts.retain(|known| known.id != *post),
            _ => {}
        }
    }

    /// That its services are not restored after all, if they were taken for that.
    fn goes_on_again(&mut self, until: Time) {
        let Some(since) = self.resolved_at.take().filter(|since| *since < until) else { return };
        self.restored.push(Restored { since, until });
        if self.restored.len() > RESTORED_MAX {
            self.restored.remove(0);
        }
    }

    /// Whether its services were taken for restored then, as far as is known.
    pub(crate) fn was_restored(&self, at: Time) -> bool {
        self.resolved_at.is_some_and(|since| since <= at)
            || self.restored.iter().any(|known| known.since <= at && at < known.until)
    }

    /// Closing and merging end every tenure, offer, ask and clock; the record keeps who was last.
    pub(crate) fn end_command(&mut self, last_commander: Option<crate::id::PersonId>, at: Time) {
        self.last_commander = last_commander;
        self.roles.values_mut().for_each(|role| {
            role.holder = None;
            role.members.clear();
        });
        self.offers.clear();
        self.asks.clear();
        self.clocks.clear();
        self.end_permissions(at);
        self.absence = crate::absence::Absence::default();
    }
}

/// A command post's link is opened by one tired click, so it goes only where a browser or a phone can safely go.
fn check_link(link: &Line) -> Result<(), Refusal> {
    const SCHEMES: [&str; 4] = ["https://", "http://", "tel:", "mailto:"];
    let wrong = "A command post's link starts with https://, http://, tel: or mailto: and has no spaces.";
    crate::link::check(link.as_str(), &SCHEMES).map_err(|no| no.refusal(wrong))
}

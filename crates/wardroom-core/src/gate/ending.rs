//! How that went with which somebody came through the gate, as what asked for them tells.
//!
//! What comes through is announced, and a pipeline knows how it ended before anybody does: nobody has to be asked then. It
//! tells of what came through the gate in that person's name and in these words, and of nothing else.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::change::{Change, ChangeStep, broke_off};
use crate::event::Event;
use crate::id::{PersonId, ServiceName};
use crate::incident::{Asking, Decision, Incident};
use crate::refusal::{Code, Refusal};
use crate::text::{Line, Text};

/// How it went.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Ended {
    /// It was made.
    Done,
    /// It broke off ([`Outcome::BrokeOff`](crate::change::Outcome::BrokeOff)).
    Failed,
    /// It was not begun.
    Dropped,
}

/// What somebody came through with, and how it went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ending {
    /// Which services.
    pub services: BTreeSet<ServiceName>,
    /// What was done, in the words with which the gate was asked.
    pub what: Line,
    /// By what it is told.
    pub through: Line,
    /// How it went.
    pub ended: Ended,
}

impl Incident {
    /// Whether anything came through the gate of which nobody has said how it went.
    #[must_use]
    pub fn has_passes_under_way(&self) -> bool {
        self.changes.iter().any(Change::is_pass_under_way)
    }

    /// What this person came through the gate with, in these words, and nobody has said how it went.
    pub fn passes_under_way<'a>(
        &'a self,
        person: PersonId,
        services: &'a BTreeSet<ServiceName>,
        what: &'a str,
    ) -> impl Iterator<Item = &'a Change> {
        self.changes.iter().filter(move |change| {
            change.is_pass_under_way()
                && change.by == person
                && services.contains(&change.service)
                && change.what.words() == Some(what)
        })
    }

    /// Records how it went. It is heard whatever became of the account of whoever came through, and of what they may know: what
    /// asked for them tells it, and knows of nothing but their name and its own words.
    pub(crate) fn end_passing(&self, ask: &Asking<'_>, ending: &Ending) -> Result<Decision, Refusal> {
        self.still_goes_on()?;
        let by = ask.actor.person().ok_or_else(|| Refusal::new(Code::NotYours, "Nobody came through as nobody."))?;
        let Ending { services, what, ended, .. } = ending;
        let through = ending.through.as_str();
        let under_way = self.passes_under_way(by, services, what.as_str());
        let step = |change: &Change, note: String| ChangeStep {
            change: change.id,
            by,
            note: Some(Text::said(note)),
            evidence: None,
            happened_at: None,
            seen: None,
        };
        let event = |change: &Change| match ended {
            Ended::Done => Event::ChangeDone(step(change, format!("told by {through}"))),
            Ended::Failed => Event::ChangeDone(step(change, broke_off(&format!("it failed, told by {through}")))),
            Ended::Dropped => Event::ChangeDropped(step(change, format!("told by {through}"))),
        };
        let (ids, events): (Vec<u32>, Vec<Event>) = under_way.map(|change| (change.id, event(change))).unzip();
        if events.is_empty() {
            return Err(Refusal::new(Code::AlreadySo, "Nothing that came through the gate waits for this word."));
        }
        let judged = |events, change| self.and_what_was_seen(ask, change, events);
        Ok(ids.into_iter().fold(events, judged).into())
    }
}

impl Change {
    fn is_pass_under_way(&self) -> bool {
        self.through.is_some() && self.is_announced()
    }
}

//! The briefing: what whoever takes command has to have seen (rule 4).
//!
//! Taking command names the entry up to which one was briefed, or says "briefed by voice". If something of
//! the closed list of what matters ([`Event::matters`]) happened after that entry, the taking is held back
//! *once*, with exactly those entries; the next attempt on the same offer succeeds, and what was still
//! unseen is recorded and shown first.
//!
//! Being held back is recorded ([`Event::TakingHeldBack`]), the one answer "no" that is: otherwise a lost
//! reply and a retry with the same request id would count as the second attempt, and somebody would take
//! command without having been shown anything.

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::id::{Entry, PersonId};
use crate::incident::Incident;
use crate::merge::Absorbed;
use crate::offer::Offer;
use crate::refusal::{Code, Refusal, Remedy};
use crate::role::RolePath;

/// How whoever takes a role was briefed.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Briefed {
    /// Read the briefing up to this entry.
    To(Entry),
    /// Told by the outgoing holder; recorded as such.
    ByVoice,
}

/// What checking a briefing found.
pub(crate) enum Checked {
    /// Command can be taken; these are still unseen and shown first.
    Fresh { unseen: Vec<Entry> },
    /// Held back, with what to show.
    Stale(Box<Event>),
}

impl Incident {
    /// The entries of what matters that happened after `entry`.
    #[must_use]
    pub fn matters_after(&self, entry: Entry) -> Vec<Entry> {
        let first = self.matters.partition_point(|matter| *matter <= entry);
        self.matters[first..].to_vec()
    }

    /// Checks how somebody was briefed for taking command by this offer.
    pub(crate) fn check_briefing(
        &self,
        offer: &Offer,
        by: PersonId,
        briefed: Option<Briefed>,
    ) -> Result<Checked, Refusal> {
        let to = match briefed {
            None => {
                return Err(Refusal::new(
                    Code::BriefingNeeded,
                    "Command is taken briefed: read the briefing and name the entry it ends at, or say that you were briefed by voice.",
                )
                .remedy(Remedy::Brief { to: self.last_entry }));
            }
            Some(Briefed::ByVoice) => return Ok(Checked::Fresh { unseen: Vec::new() }),
            Some(Briefed::To(entry)) => entry,
        };
        let shown = offer.held_back.get(&by).copied();
        let unseen = self.matters_after(shown.map_or(to, |shown| shown.max(to)));
        if unseen.is_empty() || shown.is_some() {
            return Ok(Checked::Fresh { unseen });
        }
        let role = RolePath::command();
        let held_back = Event::TakingHeldBack { role, offer: offer.id, by, briefed_to: to, unseen };
        Ok(Checked::Stale(Box::new(held_back)))
    }
}

impl Event {
    /// Whether this is of the closed list of what matters to whoever takes command (rule 4).
    ///
    /// Phase, severity, kind, a holder of a role, a change announced, failed or done, an uncoordinated change, a
    /// roadblock, an unmet exit criterion; never notes, joins or edits.
    #[must_use]
    pub fn matters(&self) -> bool {
        match self {
            Self::Opened { .. }
            | Self::Declared { .. }
            | Self::PhaseSet { .. }
            | Self::Closed { .. }
            | Self::Reopened { .. }
            | Self::SeveritySet { .. }
            | Self::KindSet { .. }
            | Self::RoleTaken { .. }
            | Self::RoleFell { .. }
            | Self::CommandAssumed { .. }
            | Self::RoadblockRaised { .. }
            | Self::RoadblockCleared { .. }
            | Self::CriterionAdded { .. }
            | Self::CriterionReopened { .. }
            | Self::CriterionWaived { .. }
            | Self::ChangeRecorded(_)
            | Self::ChangeDone(_)
            | Self::ChangeFailed(_)
            | Self::ChangeDiffersAgain(_)
            | Self::GlassBroken { .. }
            | Self::SentBack(_) => true,
            Self::ChangeSeen(seen) => seen.uncoordinated,
            Self::SightingJudged { uncoordinated, .. } => *uncoordinated,
            Self::Absorbed(Absorbed { roadblocks, criteria, changes, sightings, .. }) => {
                !(roadblocks.is_empty() && criteria.is_empty() && changes.is_empty() && sightings.is_empty())
            }
            _ => false,
        }
    }

    /// Whether it stands out to whoever looks on: what matters, and that the commander is gone or the incident goes on
    /// with another one.
    #[must_use]
    pub fn stands_out(&self) -> bool {
        self.matters() || matches!(self, Self::CommanderAbsent { .. } | Self::MergedInto { .. } | Self::Absorbed(_))
    }

    /// The answer to whoever was held back: recorded, and nevertheless a refusal.
    #[must_use]
    pub fn as_refusal(&self, entry: Entry) -> Option<Refusal> {
        let Self::TakingHeldBack { unseen, .. } = self else { return None };
        let mut refusal = Refusal::new(
            Code::BriefingStale,
            match unseen.len() {
                1 => "One thing that matters happened since your briefing. Look at it, then take command again."
                    .to_owned(),
                n => format!(
                    "{n} things that matter happened since your briefing. Look at them, then take command again."
                ),
            },
        )
        .remedy(Remedy::Brief { to: entry });
        refusal.unseen = unseen.clone();
        Some(refusal)
    }
}

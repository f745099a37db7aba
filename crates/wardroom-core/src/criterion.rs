//! Exit criteria: what must be true, or waived by command with a reason, before the incident is resolved.
//!
//! They are planning's to keep, and command's. An open one stands in the way of resolving and of closing, and matters to
//! whoever takes command (rule 4).

use serde::{Deserialize, Serialize};

use crate::authority::Act;
use crate::event::{Event, Recorded};
use crate::id::{Entry, PersonId, Time, Who};
use crate::incident::{Asking, Decision, Incident};
use crate::refusal::{Code, Refusal, Remedy};
use crate::role::Duty;
use crate::said::{Aspect, LastSaid};
use crate::text::{Line, Prose, Text, shortened};
use crate::todo::bug_link;

/// More than this no group can hold in its head.
const CRITERIA_MAX: usize = 50;
/// So many open ones a refusal names, and how many characters of each.
const NAMED: (usize, usize) = (3, 40);

/// Something that must be true before the incident is resolved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Criterion {
    /// Its number in this incident, counted from 1.
    pub id: u32,
    /// In one line.
    pub text: Text,
    /// Who sees to it, if somebody does.
    pub owner: Option<PersonId>,
    /// Where the bug behind it is tracked: an https link.
    pub bug: Option<Text>,
    /// Who added it.
    pub by: PersonId,
    /// When.
    pub at: Time,
    /// Who said last what stands here. Events do not carry it: it follows from where they stand.
    #[serde(default, skip_serializing_if = "LastSaid::is_empty")]
    pub said: LastSaid,
    /// How it stands.
    pub state: CriterionState,
}

/// How an exit criterion stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CriterionState {
    /// Not met yet.
    Open,
    /// It is true.
    Met {
        /// Who said so.
        by: PersonId,
        /// When.
        at: Time,
    },
    /// It need not be true.
    Waived {
        /// Who commanded.
        by: PersonId,
        /// When.
        at: Time,
        /// Why.
        reason: Text,
    },
}

/// What can be done with an exit criterion, for surfaces that show what their reader may do there.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum CriterionAct {
    /// Saying it in other words.
    Reword,
    /// Giving it to somebody, or to nobody.
    Assign,
    /// Saying that it is true.
    Meet,
    /// Saying that it is open again.
    Reopen,
    /// Going on without it.
    Waive,
    /// Saying where its bug is tracked.
    Link,
}

impl CriterionAct {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Reword, Self::Assign, Self::Meet, Self::Reopen, Self::Waive, Self::Link];
}

impl Criterion {
    /// Whether it is neither met nor waived.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == CriterionState::Open
    }
}

impl Incident {
    /// What the asker may do with an exit criterion now.
    #[must_use]
    pub fn may_with_criterion(&self, ask: &Asking<'_>, criterion: u32) -> Vec<CriterionAct> {
        let may = |act: &CriterionAct| self.takes_changes() && self.criterion_for(ask, criterion, *act).is_ok();
        CriterionAct::ALL.into_iter().filter(may).collect()
    }

    /// Whether the asker may add an exit criterion now.
    #[must_use]
    pub fn may_add_criterion(&self, ask: &Asking<'_>) -> bool {
        self.takes_changes() && self.room_for_a_criterion(ask).is_ok()
    }

    fn room_for_a_criterion(&self, ask: &Asking<'_>) -> Result<PersonId, Refusal> {
        let by = self.require(ask, &Act::DutyOrCommand(Duty::Planning))?;
        if self.criteria.len() >= CRITERIA_MAX {
            let sentence = format!("There are {CRITERIA_MAX} exit criteria already. Reword one, or write a to-do.");
            return Err(Refusal::new(Code::TooMany, sentence));
        }
        Ok(by)
    }

    /// Who asks, and the criterion that they may do this with.
    fn criterion_for(
        &self,
        ask: &Asking<'_>,
        criterion: u32,
        act: CriterionAct,
    ) -> Result<(PersonId, &Criterion), Refusal> {
        let person = match act {
            CriterionAct::Waive => self.require(ask, &Act::Command)?,
            _ => self.require(ask, &Act::DutyOrCommand(Duty::Planning))?,
        };
        let known = self
            .criteria
            .iter()
            .find(|known| known.id == criterion)
            .ok_or_else(|| Refusal::new(Code::NotThere, format!("There is no exit criterion {criterion} here.")))?;
        let already = match (act, &known.state) {
            (CriterionAct::Reopen, CriterionState::Open) => "open already",
            (CriterionAct::Meet, CriterionState::Met { .. }) => "met already",
            (CriterionAct::Waive, CriterionState::Met { .. }) => "met, and needs no waiver",
            (CriterionAct::Waive, CriterionState::Waived { .. }) => "waived already",
            (CriterionAct::Reword | CriterionAct::Assign, CriterionState::Met { .. }) => "met. Reopen it first",
            (CriterionAct::Reword | CriterionAct::Assign, CriterionState::Waived { .. }) => "waived. Reopen it first",
            _ => return Ok((person, known)),
        };
        Err(Refusal::new(Code::AlreadySo, format!("Exit criterion {criterion} is {already}.")))
    }

    pub(crate) fn add_criterion(&self, ask: &Asking<'_>, text: Line) -> Result<Decision, Refusal> {
        let by = self.room_for_a_criterion(ask)?;
        Ok(Event::CriterionAdded { criterion: self.criteria_added + 1, text: text.into(), by }.into())
    }

    pub(crate) fn reword_criterion(
        &self,
        ask: &Asking<'_>,
        criterion: u32,
        text: Line,
        replaces: Entry,
    ) -> Result<Decision, Refusal> {
        let (_, known) = self.criterion_for(ask, criterion, CriterionAct::Reword)?;
        if known.text.words() == Some(text.as_str()) {
            return Err(Refusal::new(Code::AlreadySo, format!("Exit criterion {criterion} says that already.")));
        }
        known.said.words_were_read(ask, &format!("exit criterion {criterion}"), &known.text, replaces)?;
        Ok(Event::CriterionReworded { criterion, text: text.into() }.into())
    }

    pub(crate) fn assign_criterion(
        &self,
        ask: &Asking<'_>,
        criterion: u32,
        person: Option<Who>,
        replaces: Option<Entry>,
    ) -> Result<Decision, Refusal> {
        let (_, known) = self.criterion_for(ask, criterion, CriterionAct::Assign)?;
        let owner = person.map(|who| self.who_is_here(ask, &who)).transpose()?;
        if known.owner == owner {
            return Err(Refusal::new(Code::AlreadySo, format!("Exit criterion {criterion} is assigned so already.")));
        }
        known.said.owner_was_read(ask, &format!("exit criterion {criterion}"), known.owner, replaces)?;
        Ok(Event::CriterionAssigned { criterion, owner }.into())
    }

    pub(crate) fn meet_criterion(&self, ask: &Asking<'_>, criterion: u32) -> Result<Decision, Refusal> {
        let (by, _) = self.criterion_for(ask, criterion, CriterionAct::Meet)?;
        Ok(Event::CriterionMet { criterion, by }.into())
    }

    pub(crate) fn reopen_criterion(
        &self,
        ask: &Asking<'_>,
        criterion: u32,
        reason: Option<Prose>,
    ) -> Result<Decision, Refusal> {
        self.criterion_for(ask, criterion, CriterionAct::Reopen)?;
        Ok(Event::CriterionReopened { criterion, reason: reason.map(Into::into) }.into())
    }

    pub(crate) fn waive_criterion(&self, ask: &Asking<'_>, criterion: u32, reason: Prose) -> Result<Decision, Refusal> {
        let (by, _) = self.criterion_for(ask, criterion, CriterionAct::Waive)?;
        Ok(Event::CriterionWaived { criterion, by, reason: reason.into() }.into())
    }

    pub(crate) fn link_criterion(
        &self,
        ask: &Asking<'_>,
        criterion: u32,
        bug: Option<Line>,
        replaces: Option<Entry>,
    ) -> Result<Decision, Refusal> {
        let (_, known) = self.criterion_for(ask, criterion, CriterionAct::Link)?;
        let bug = bug_link(known.bug.as_ref(), bug)?;
        known.said.bug_was_read(ask, &format!("exit criterion {criterion}"), known.bug.as_ref(), replaces)?;
        Ok(Event::CriterionLinked { criterion, bug }.into())
    }

    /// Nothing is resolved or closed over an exit criterion that is open.
    pub(crate) fn criteria_are_settled(&self) -> Result<(), Refusal> {
        let open: Vec<&Criterion> = self.criteria.iter().filter(|criterion| criterion.is_open()).collect();
        if open.is_empty() {
            return Ok(());
        }
        let named =
            |criterion: &&Criterion| format!("{} “{}”", criterion.id, shortened(&criterion.text.to_string(), NAMED.1));
        let mut names: Vec<String> = open.iter().take(NAMED.0).map(named).collect();
        if open.len() > NAMED.0 {
            names.push(format!("{} more", open.len() - NAMED.0));
        }
        let sentence = format!("Not met yet: {}. Meet what is true, or waive it with a reason.", names.join(", "));
        let criteria = open.iter().map(|criterion| criterion.id).collect();
        Err(Refusal::new(Code::CriteriaOpen, sentence).remedy(Remedy::Settle { criteria }))
    }

    pub(crate) fn evolve_criteria(&mut self, recorded: &Recorded) {
        let at = recorded.at;
        if let Event::CriterionAdded { criterion, text, by } = &recorded.event {
            let (text, state) = (text.clone(), CriterionState::Open);
            let said = LastSaid::default();
            let new = Criterion { id: *criterion, text, owner: None, bug: None, by: *by, at, said, state };
            self.take_criterion(recorded, new);
            return;
        }
        let (Event::CriterionReworded { criterion, .. }
        | Event::CriterionAssigned { criterion, .. }
        | Event::CriterionMet { criterion, .. }
        | Event::CriterionReopened { criterion, .. }
        | Event::CriterionWaived { criterion, .. }
        | Event::CriterionLinked { criterion, .. }) = &recorded.event
        else {
            return;
        };
        let Some(known) = self.criteria.iter_mut().find(|known| known.id == *criterion) else { return };
        match &recorded.event {
            Event::CriterionReworded { text, .. } => {
                known.text = text.clone();
                known.said.anew(Aspect::Text, recorded, known.by);
            }
            Event::CriterionAssigned { owner, .. } => {
                known.owner = *owner;
                known.said.anew(Aspect::Owner, recorded, known.by);
            }
            Event::CriterionMet { by, .. } => known.state = CriterionState::Met { by: *by, at },
            Event::CriterionReopened { .. } => known.state = CriterionState::Open,
            Event::CriterionWaived { by, reason, .. } => {
                known.state = CriterionState::Waived { by: *by, at, reason: reason.clone() };
            }
            Event::CriterionLinked { bug, .. } => {
                known.bug = bug.clone();
                known.said.anew(Aspect::Bug, recorded, known.by);
            }
            _ => {}
        }
    }

    /// One more, of this incident or of one that it absorbs.
    pub(crate) fn take_criterion(&mut self, recorded: &Recorded, criterion: Criterion) {
        let said = LastSaid::at_first(recorded, criterion.by, criterion.owner, criterion.bug.as_ref());
        self.criteria_added = self.criteria_added.max(criterion.id);
        self.criteria.push(Criterion { said, ..criterion });
    }
}

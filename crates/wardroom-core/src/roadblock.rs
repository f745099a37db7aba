//! Roadblocks: something stops a role from working; it goes up to the commander, who clears it.

use serde::{Deserialize, Serialize};

use crate::authority::Act;
use crate::event::{Event, Recorded};
use crate::id::{PersonId, Time};
use crate::incident::{Asking, Decision, Incident};
use crate::refusal::{Code, Refusal};
use crate::role::RolePath;
use crate::text::{Prose, Text};

/// More open roadblocks than this are one roadblock.
const ROADBLOCKS_MAX: usize = 100;

/// Something that stops a role from working.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Roadblock {
    /// Its number in this incident, counted from 1.
    pub id: u32,
    /// Whose work is stopped.
    pub role: RolePath,
    /// In the words of whoever raised it.
    pub text: Text,
    /// Who raised it.
    pub by: PersonId,
    /// When.
    pub at: Time,
}

impl Incident {
    /// Every responder raises one, for the role that they work in unless they name another.
    pub(crate) fn raise_roadblock(
        &self,
        ask: &Asking<'_>,
        text: Prose,
        role: Option<RolePath>,
    ) -> Result<Decision, Refusal> {
        let by = self.require(ask, &Act::Respond)?;
        let role = role.unwrap_or_else(|| self.works_in(by));
        self.known_role(&role)?;
        if self.roadblocks.len() >= ROADBLOCKS_MAX {
            return Err(Refusal::new(
                Code::TooMany,
                format!("{ROADBLOCKS_MAX} roadblocks are open; have some cleared first."),
            ));
        }
        let roadblock = self.roadblocks_raised + 1;
        Ok(Event::RoadblockRaised { roadblock, role, text: text.into(), by }.into())
    }

    /// The role that a person holds or else works in, the one nearest to the root first.
    fn works_in(&self, person: PersonId) -> RolePath {
        let held = self.roles.keys().filter(|role| self.holder(role) == Some(person));
        let joined = self.roles.iter().filter(|(_, role)| role.members.contains(&person)).map(|(path, _)| path);
        let depth = |role: &&RolePath| role.upward().count();
        held.min_by_key(depth).or_else(|| joined.min_by_key(depth)).cloned().unwrap_or_else(RolePath::command)
    }

    pub(crate) fn clear_roadblock(
        &self,
        ask: &Asking<'_>,
        roadblock: u32,
        how: Option<Prose>,
    ) -> Result<Decision, Refusal> {
        self.require(ask, &Act::Command)?;
        if !self.roadblocks.iter().any(|known| known.id == roadblock) {
            return Err(Refusal::new(Code::NotThere, format!("There is no open roadblock {roadblock} here.")));
        }
        Ok(Event::RoadblockCleared { roadblock, how: how.map(Into::into) }.into())
    }

    pub(crate) fn evolve_roadblocks(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::RoadblockRaised { roadblock, role, text, by } => {
                self.roadblocks_raised = self.roadblocks_raised.max(*roadblock);
                self.roadblocks.push(Roadblock {
                    id: *roadblock,
                    role: role.clone(),
                    text: text.clone(),
                    by: *by,
                    at: recorded.at,
                });
            }
            Event::RoadblockCleared { roadblock, .. } => self.roadblocks.retain(|known| known.id != *roadblock),
            _ => {}
        }
    }
}

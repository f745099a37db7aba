//! A change that somebody writes down for whoever made it: planning keeps the ledger too.
//!
//! Whether it is one of operations depends on who made it. Planning, operations and command are believed who that was; what
//! anybody else says of another is shown, and for operations to sort: naming somebody must not make freelancing theirs.

use crate::authority::Act;
use crate::facts::Facts;
use crate::id::{PersonId, ServiceName, Time, Who};
use crate::incident::{Asking, Incident};
use crate::permission::Hands;
use crate::refusal::Refusal;
use crate::role::Duty;

impl Incident {
    /// Who made it, where that is somebody else than who tells of it. They need not be here, nor have an account any more.
    pub(super) fn maker(
        &self,
        ask: &Asking<'_>,
        by: PersonId,
        made_by: Option<Who>,
    ) -> Result<Option<PersonId>, Refusal> {
        let Some(who) = made_by else { return Ok(None) };
        let maker = ask.facts.find(&who)?;
        // A guest knows those who are here, and nobody else of the house.
        if ask.facts.guest_of(by).is_some() && !self.responders.contains_key(&maker) {
            return Err(Facts::nobody_called(&who.to_string()));
        }
        Ok(Some(maker).filter(|maker| *maker != by))
    }

    /// Whether what somebody writes down for another is for operations to sort.
    pub(super) fn is_made_outside(&self, by: PersonId, maker: PersonId, service: &ServiceName, at: Time) -> bool {
        let believed = [Duty::Operations, Duty::Planning].map(|duty| self.may(by, &Act::DutyOrCommand(duty)));
        !believed.contains(&true) || self.hands_told(maker, service, at) != Some(Hands::Coordinated)
    }
}

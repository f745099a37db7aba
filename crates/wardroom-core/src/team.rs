//! Teams and services of the directory.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::directory::{Directory, DirectoryEvent};
use crate::facts::{Service, Team};
use crate::id::{ServiceName, TeamName, Who};
use crate::refusal::{Code, Refusal};

impl Directory {
    pub(crate) fn set_team(&self, team: TeamName, members: &[Who]) -> Result<Vec<DirectoryEvent>, Refusal> {
        let member = |who| self.facts.find(who).and_then(|person| self.no_guest(person).map(|()| person));
        let members = members.iter().map(member).collect::<Result<BTreeSet<_>, _>>()?;
        if self.facts.teams.get(&team).is_some_and(|known| known.members == members) {
            return Ok(Vec::new());
        }
        Ok(vec![DirectoryEvent::TeamSet { team, members }])
    }

    pub(crate) fn remove_team(&self, team: TeamName) -> Result<Vec<DirectoryEvent>, Refusal> {
        self.facts.team(&team)?;
        let owned = self.facts.services.iter().find(|(_, service)| service.owner.as_ref() == Some(&team));
        if let Some((service, _)) = owned {
            return Err(Refusal::new(
                Code::Unfinished,
                format!("“{team}” owns the service “{service}”. Give its services to another team first."),
            ));
        }
        Ok(vec![DirectoryEvent::TeamRemoved { team }])
    }

    /// What a service depends on may be unknown still: the directory is filled in over time.
    pub(crate) fn set_service(
        &self,
        service: ServiceName,
        owner: Option<TeamName>,
        depends_on: BTreeSet<ServiceName>,
    ) -> Result<Vec<DirectoryEvent>, Refusal> {
        if let Some(owner) = &owner {
            self.facts.team(owner)?;
        }
        if depends_on.contains(&service) {
            return Err(Refusal::new(Code::Invalid, format!("“{service}” cannot depend on itself.")));
        }
        let new = Service { owner, depends_on };
        if self.facts.services.get(&service) == Some(&new) {
            return Ok(Vec::new());
        }
        let Service { owner, depends_on } = new;
        Ok(vec![DirectoryEvent::ServiceSet { service, owner, depends_on }])
    }

    pub(crate) fn remove_service(&self, service: ServiceName) -> Result<Vec<DirectoryEvent>, Refusal> {
        if !self.facts.services.contains_key(&service) {
            return Err(Refusal::new(Code::UnknownService, format!("There is no service called “{service}”.")));
        }
        Ok(vec![DirectoryEvent::ServiceRemoved { service }])
    }

    pub(crate) fn evolve_teams(&mut self, event: &DirectoryEvent) {
        match event {
            DirectoryEvent::TeamSet { team, members } => {
                Arc::make_mut(&mut self.facts.teams).insert(team.clone(), Team { members: members.clone() });
            }
            DirectoryEvent::TeamRemoved { team } => {
                Arc::make_mut(&mut self.facts.teams).remove(team);
            }
            _ => {}
        }
    }

    pub(crate) fn evolve_services(&mut self, event: &DirectoryEvent) {
        match event {
            DirectoryEvent::ServiceSet { service, owner, depends_on } => {
                let known = Service { owner: owner.clone(), depends_on: depends_on.clone() };
                Arc::make_mut(&mut self.facts.services).insert(service.clone(), known);
            }
            DirectoryEvent::ServiceRemoved { service } => {
                Arc::make_mut(&mut self.facts.services).remove(service);
            }
            _ => {}
        }
    }
}

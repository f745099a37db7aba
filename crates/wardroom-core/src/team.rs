//! Teams and services of the directory.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::directory::{Directory, DirectoryEvent, DirectoryRecorded};
use crate::facts::{EARLIER_KEPT, GOODS_KEPT, Good, Service, Team};
use crate::id::{PersonId, ServiceName, TeamName, Time, Who};
use crate::incident::Severity;
use crate::matching::Matching;
use crate::refusal::{Code, Refusal};
use crate::text::{Line, Text};

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
        let same = |known: &Service| known.owner == owner && known.depends_on == depends_on;
        if self.facts.services.get(&service).is_some_and(same) {
            return Ok(Vec::new());
        }
        Ok(vec![DirectoryEvent::ServiceSet { service, owner, depends_on }])
    }

    pub(crate) fn remove_service(&self, service: ServiceName) -> Result<Vec<DirectoryEvent>, Refusal> {
        self.known_service(&service)?;
        Ok(vec![DirectoryEvent::ServiceRemoved { service }])
    }

    pub(crate) fn known_service(&self, service: &ServiceName) -> Result<&Service, Refusal> {
        self.facts.services.get(service).ok_or_else(|| self.facts.no_such_service(service))
    }

    pub(crate) fn set_gate(
        &self,
        service: ServiceName,
        enforced: BTreeSet<Severity>,
    ) -> Result<Vec<DirectoryEvent>, Refusal> {
        let same = self.known_service(&service)?.enforced == enforced;
        Ok(if same { Vec::new() } else { vec![DirectoryEvent::ServiceGateSet { service, enforced }] })
    }

    pub(crate) fn match_service(
        &self,
        service: ServiceName,
        matching: Option<Matching>,
    ) -> Result<Vec<DirectoryEvent>, Refusal> {
        let same = self.known_service(&service)?.matching == matching;
        Ok(if same { Vec::new() } else { vec![DirectoryEvent::ServiceMatched { service, matching }] })
    }

    pub(crate) fn set_good(&self, service: ServiceName, version: Line) -> Result<Vec<DirectoryEvent>, Refusal> {
        let good = self.known_service(&service)?.good.first();
        let same = good.is_some_and(|good| good.version.words() == Some(version.as_str()));
        Ok(if same { Vec::new() } else { vec![DirectoryEvent::ServiceGoodSet { service, version: version.into() }] })
    }

    /// A refusal that names whoever could say something of a service: the team that owns it, and the admins.
    pub(crate) fn owners_only(&self, service: &ServiceName) -> Refusal {
        let known = match self.known_service(service) {
            Ok(known) => known,
            Err(unknown) => return unknown,
        };
        let Some(team) = &known.owner else {
            let sentence = format!("No team owns {service} that could say this of it: only an admin can.");
            return self.facts.admins_only(&sentence);
        };
        let members = self.facts.teams.get(team).into_iter().flat_map(|team| &team.members).copied();
        let owners: Vec<PersonId> = members.filter(|person| self.facts.active(*person)).collect();
        let admins = self.facts.admins().into_iter().filter(|admin| !owners.contains(admin));
        let could = owners.iter().copied().chain(admins).collect();
        let sentence = format!("Only {team}, who own {service}, can say this of it, or an admin.");
        Refusal::new(Code::NotYours, sentence).who_could(could)
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

    pub(crate) fn evolve_services(&mut self, recorded: &DirectoryRecorded) {
        match &recorded.event {
            DirectoryEvent::ServiceSet { service, owner, depends_on } => {
                let known = Arc::make_mut(&mut self.facts.services).entry(service.clone()).or_default();
                (known.owner, known.depends_on) = (owner.clone(), depends_on.clone());
            }
            DirectoryEvent::ServiceRemoved { service } => {
                Arc::make_mut(&mut self.facts.services).remove(service);
            }
            DirectoryEvent::ServiceGateSet { service, enforced } => {
                self.with_service(service, |known| known.enforced = enforced.clone());
            }
            DirectoryEvent::ServiceMatched { service, matching } => {
                self.with_service(service, |known| known.matching = matching.clone());
            }
            DirectoryEvent::ServicePreserveSet { service, worth } => {
                self.with_service(service, |known| known.name_worth(recorded.entry, worth));
            }
            DirectoryEvent::ServiceGoodSet { service, version } => {
                self.with_service(service, |known| known.call_good(version, recorded.at));
            }
            _ => {}
        }
    }

    fn with_service(&mut self, service: &ServiceName, then: impl FnOnce(&mut Service)) {
        if let Some(known) = Arc::make_mut(&mut self.facts.services).get_mut(service) {
            then(known);
        }
    }
}

impl Service {
    fn call_good(&mut self, version: &Text, since: Time) {
        let same = |good: &Good| version.words().is_some_and(|words| good.version.words() == Some(words));
        let before = self.good.iter().position(same).map(|index| self.good.remove(index));
        let times = before.into_iter().flat_map(|good| [good.since].into_iter().chain(good.earlier));
        let earlier = times.take(EARLIER_KEPT).collect();
        self.good.insert(0, Good { version: version.clone(), since, earlier });
        self.good.truncate(GOODS_KEPT);
    }
}

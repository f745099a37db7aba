//! What the gate finds where somebody would change something, and what is told of it.

use super::Doubt;
use crate::facts::Facts;
use crate::id::{Number, PersonId, ServiceName, Time};
use crate::incident::Incident;

/// An incident that stops somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stop {
    /// Which incident.
    pub incident: Number,
    /// At which service.
    pub service: ServiceName,
    /// Whether that service's gate enforces this; else it only observes.
    pub enforced: bool,
    /// Whether only the invited may know of that incident: where others read along, it is not named.
    pub restricted: bool,
    /// Why, in words.
    pub reason: String,
}

/// That what comes through cannot be recorded, because an incident's ledger takes no more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Full {
    /// Which incident; nothing where it is not to be named.
    pub incident: Option<Number>,
    /// Of which service it would be recorded.
    pub service: ServiceName,
    /// Whether that service's gate enforces; else it only observes, and lets everybody through.
    pub enforced: bool,
}

/// What the gate finds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// Which incidents stop it, or would.
    pub stops: Vec<Stop>,
    /// In which incidents it is to be recorded, of which services.
    pub passes: Vec<(Number, ServiceName)>,
    /// Where nothing can be decided, because an incident cannot be read, or only in part.
    pub doubts: Vec<Doubt>,
    /// Where what comes through cannot be recorded.
    pub full: Vec<Full>,
}

impl Found {
    /// Whether it is stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stops.iter().any(|stop| stop.enforced)
    }

    /// What keeps it from being decided, if it is not stopped anyway.
    #[must_use]
    pub fn undecided(&self) -> Option<&Doubt> {
        self.doubts.iter().find(|doubt| doubt.enforced && !self.is_stopped())
    }

    /// Moves what would come through where nothing can be recorded from what passes to what is in doubt.
    pub fn doubt(&mut self, mut of: impl FnMut(Number, &ServiceName) -> Option<Doubt>) {
        let doubts = &mut self.doubts;
        self.passes.retain(|(number, service)| {
            let doubt = of(*number, service);
            let sure = doubt.is_none();
            doubts.extend(doubt);
            sure
        });
    }

    /// What comes through and cannot be recorded, where that is not to be let through, if it is not stopped anyway.
    #[must_use]
    pub fn unrecorded(&self) -> Option<&Full> {
        self.full.iter().find(|full| full.enforced && !self.is_stopped())
    }

    /// Moves what would come through where the ledger takes no more from what passes to what is full: all of what one incident
    /// would have to record, or nothing. `of` is told of how many changes.
    pub fn fill(&mut self, mut of: impl FnMut(Number, &ServiceName, usize) -> Option<Full>) {
        let (passes, full) = (self.passes.clone(), &mut self.full);
        self.passes.retain(|(number, service)| {
            let many = passes.iter().filter(|(other, _)| other == number).count();
            let no_room = of(*number, service, many);
            let fits = no_room.is_none();
            full.extend(no_room);
            fits
        });
    }

    /// Looks again where what would come through was refused, by what the log says by now (`of` knows it): somebody may have
    /// taken from them what let them through. Where that changes nothing they are stopped all the same: nobody passes who
    /// cannot be recorded.
    pub fn refused<'a>(
        &mut self,
        person: PersonId,
        back_to: Option<&str>,
        (facts, now): (&Facts, Time),
        of: impl Fn(Number) -> Option<&'a Incident>,
    ) {
        let before = std::mem::take(&mut self.passes);
        let still = before.iter().filter_map(|(number, service)| Some((of(*number)?, service)));
        let holding: Vec<_> = still.filter(|(one, service)| one.held_services(facts).contains(*service)).collect();
        for (incident, service) in &holding {
            incident.look(Some(person), service, back_to, facts, now, self);
        }
        if self.passes == before {
            self.passes.clear();
            let stop =
                |(incident, service): &(&Incident, &ServiceName)| incident.stop(Some(person), service, back_to, facts);
            self.stops.extend(holding.iter().map(stop));
        }
    }

    /// What of it is told to whoever asked. Others read along, so that an incident which is not to be named is told of only
    /// where nothing else could stop whom it stops: what only observes says nothing of it, as if it were not there.
    #[must_use]
    pub fn told(mut self) -> Self {
        let by_named = self.stops.iter().any(|stop| stop.enforced && !stop.restricted);
        self.stops.retain(|stop| !stop.restricted || (stop.enforced && !by_named));
        self.full.retain(|full| full.enforced || full.incident.is_some());
        self
    }
}

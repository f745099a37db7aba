//! Whom there is to tell, in every history: those who can do something about it, each once, under a name that is never
//! used again for something else.

use std::cell::RefCell;
use std::collections::BTreeMap;

use wardroom_core::call::{About, Call};
use wardroom_core::incident::{Incident, Kind};
use wardroom_core::role::RolePath;

use crate::harness::person;
use crate::hold_on;
use crate::steps::{PEOPLE, histories};
use crate::world::{Moment, Verdict, Watch};

#[derive(Default)]
struct Calls {
    /// What an id was about, of everything that was told in this history.
    known: BTreeMap<String, (RolePath, u64)>,
    offers: usize,
    others: usize,
}

impl Calls {
    /// Everybody who can take an offer is told of it, and nobody else.
    fn offers_reach(&mut self, incident: &Incident, calls: &[Call], moment: &Moment<'_>) -> Verdict {
        for (role, offer) in &incident.offers {
            for who in (0..PEOPLE).map(person) {
                let told = |call: &&Call| {
                    call.person == who && matches!(&call.about, About::Offer { offer: id, .. } if *id == offer.id)
                };
                let told = calls.iter().filter(told).count();
                let can = incident.phase.is_open()
                    && !offer.lapsed(moment.recorded.at)
                    && offer.is_to(who, moment.facts)
                    && moment.facts.active(who)
                    && incident.holder(role) != Some(who)
                    && incident.visible_to(who, moment.facts)
                    && incident.calls_on(who);
                if told != usize::from(can) {
                    return Err(format!("{who} is told {told} times of the offer of {role}"));
                }
                self.offers += told;
            }
        }
        Ok(())
    }
}

impl Watch for Calls {
    fn entry(&mut self, moment: &Moment<'_>) -> Verdict {
        let incident = moment.after;
        if moment.recorded.entry.0 <= 2 {
            self.known.clear();
        }
        let calls = incident.calls(moment.facts, moment.recorded.at);
        for call in &calls {
            let (who, open) = (call.person, incident.phase.is_open());
            let may = incident.visible_to(who, moment.facts) && incident.calls_on(who) && moment.facts.active(who);
            if !open || !may {
                return Err(format!("{who} is told of {:?}", call.about));
            }
            if let About::Offer { role, offer, .. } = &call.about {
                let about = (role.clone(), offer.0);
                if *self.known.entry(call.id()).or_insert_with(|| about.clone()) != about {
                    return Err(format!("{} is two things", call.id()));
                }
            } else {
                self.others += 1;
            }
            let words = call.words(incident, moment.facts);
            if words.line.contains(char::is_control) || (incident.restricted && words.line.contains(crate::steps::WORD))
            {
                return Err(format!("it says {words:?}"));
            }
        }
        let mut named: Vec<_> = calls.iter().map(|call| (call.id(), call.person)).collect();
        named.sort();
        named.dedup();
        if named.len() != calls.len() {
            return Err(format!("two calls of one name: {calls:?}"));
        }
        self.offers_reach(incident, &calls, moment)
    }
}

#[test]
fn whoever_can_do_something_about_it_is_told_and_nobody_else() {
    for kinds in [[Kind::Incident, Kind::Planned], [Kind::Drill, Kind::Incident]] {
        let watch = RefCell::new(Calls::default());
        hold_on(kinds, histories(), &watch);
        let Calls { offers, others, .. } = watch.into_inner();
        assert!(offers > 100 && others > 100, "{offers} {others}");
    }
}

//! A restricted incident is not there for those who were not invited, and nobody at work is shut out.

use proptest::prelude::*;
use wardroom_core::command::Command;
use wardroom_core::id::{Actor, PersonId};
use wardroom_core::incident::Incident;
use wardroom_core::offer::Recipient;
use wardroom_core::refusal::Refusal;

use crate::cases;
use crate::steps::histories;
use crate::world::{Answer, Moment, Verdict, Watch, World};

struct Secrecy;

/// Everybody who takes part: responders, holders, members, and those with an offer that can still be taken.
fn takes_part(incident: &Incident) -> impl Iterator<Item = PersonId> + '_ {
    let roles = incident.roles.values();
    let working = roles.flat_map(|role| role.members.iter().copied().chain(role.holder.map(|tenure| tenure.person)));
    let offered = incident.offers.values().filter(|offer| !offer.lapsed(incident.last_at));
    let offered = offered.filter_map(|offer| match offer.to {
        Recipient::Person(person) => Some(person),
        Recipient::Team(_) => None,
    });
    incident.responders.keys().copied().chain(working).chain(offered)
}

impl Watch for Secrecy {
    fn answer(&mut self, answer: &Answer<'_>) -> Verdict {
        let incident = answer.incident;
        let Actor::Person(who) = answer.ask.actor else { return Ok(()) };
        // Who comes by a link holds its secret, or the edge had not let them ask.
        let comes = matches!(answer.command, Command::Arrive(_));
        let invited = comes || !incident.restricted || incident.invited.contains(&who);
        if invited || *answer.answer == Err(Refusal::no_such_incident(incident.number)) {
            return Ok(());
        }
        Err(format!("{who} is not invited, and is told {:?}", answer.answer))
    }

    fn entry(&mut self, moment: &Moment<'_>) -> Verdict {
        match takes_part(moment.after).find(|person| !moment.after.visible_to(*person, moment.facts)) {
            Some(person) => Err(format!("{person} takes part and cannot see it after {:?}", moment.recorded.event)),
            None => Ok(()),
        }
    }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn the_uninvited_meet_nothing_and_those_at_work_are_invited(steps in histories()) {
        World::play(steps, &mut Secrecy).map_err(TestCaseError::fail)?;
    }
}

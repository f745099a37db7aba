//! What a surface shows somebody as theirs to do with a role is what deciding accepts, in every history; and what it does
//! not show is refused.

use std::cell::RefCell;
use std::collections::BTreeMap;

use wardroom_core::authority::{Act, RoleAct};
use wardroom_core::briefing::Briefed;
use wardroom_core::command::{Command, OfferTo};
use wardroom_core::id::{Actor, PersonId};
use wardroom_core::incident::{Asking, Incident, Kind};
use wardroom_core::refusal::Code;
use wardroom_core::role::RolePath;

use crate::harness::person;
use crate::hold_on;
use crate::steps::{PEOPLE, histories};
use crate::world::{Moment, Verdict, Watch};

/// How often each act was shown and found to be accepted: a property says nothing about what never happens.
#[derive(Default)]
struct Shown(BTreeMap<RoleAct, usize>);

/// Commands that do it, naming this other person or a role that is not there where something has to be named.
fn doing(act: RoleAct, role: &RolePath, other: PersonId) -> Vec<Command> {
    let path = role.clone();
    match act {
        RoleAct::Offer => vec![Command::OfferRole { role: path, to: OfferTo::Person(other.into()), note: None }],
        RoleAct::Withdraw => vec![Command::WithdrawOffer { role: path, reason: None }],
        RoleAct::Take => vec![Command::TakeRole { role: path, briefed: Some(Briefed::ByVoice) }],
        RoleAct::Decline => vec![Command::DeclineOffer { role: path, reason: None }],
        RoleAct::Ask => vec![Command::AskRole { role: path, note: None }],
        RoleAct::TakeBackAsk => vec![Command::TakeBackAsk { role: path }],
        RoleAct::Release => vec![Command::ReleaseRole { role: path }],
        RoleAct::TakeBack => vec![Command::TakeBackRole { role: path }],
        RoleAct::OpenUnder => {
            let under = format!("{role}/never-there").parse();
            under.into_iter().map(|role| Command::OpenRole { role }).collect()
        }
        RoleAct::Staff => vec![
            Command::AddMember { role: path.clone(), person: other.into() },
            Command::ReleaseMember { role: path, person: other.into() },
        ],
        RoleAct::Close => vec![Command::CloseRole { role: path }],
    }
}

/// Refused for the person or thing that was named, and not for who asks or how it stands.
fn because_of_what_was_named(code: Code) -> bool {
    matches!(
        code,
        Code::AlreadySo
            | Code::NotThere
            | Code::Inactive
            | Code::UnknownPerson
            | Code::NotForGuests
            | Code::UnknownRole
    )
}

impl Shown {
    fn holds(&mut self, incident: &Incident, ask: &Asking<'_>, who: PersonId, other: PersonId) -> Verdict {
        for role in incident.roles.keys() {
            let may = incident.may_with(ask, role);
            for act in RoleAct::ALL {
                let shown = may.contains(&act);
                let named = matches!(act, RoleAct::Offer | RoleAct::Staff);
                for command in doing(act, role, other) {
                    let answer = incident.decide(ask, command);
                    let decides = incident.may(who, &Act::Manage(role.clone()));
                    let holds = match &answer {
                        Ok(_) if shown => true,
                        Ok(_) => act == RoleAct::Ask && decides,
                        Err(refusal) => !shown || (named && because_of_what_was_named(refusal.code)),
                    };
                    if !holds {
                        return Err(format!("{who} is shown {may:?} for {role}, and {act:?} is {answer:?}"));
                    }
                    *self.0.entry(act).or_default() += usize::from(shown && answer.is_ok());
                }
            }
        }
        Ok(())
    }
}

impl Watch for Shown {
    fn entry(&mut self, moment: &Moment<'_>) -> Verdict {
        let nth = |n: u64| person(u8::try_from(n % u64::from(PEOPLE)).expect("there are few"));
        let entry = moment.recorded.entry.0;
        // Each entry asks for two people, and names another one each time.
        for n in [entry, entry / 2] {
            let (who, other) = (nth(n), nth(n + 1 + entry % 3));
            let (actor, now) = (Actor::Person(who), moment.recorded.at);
            let ask = Asking { actor, now, facts: moment.facts, cited: None, other: None, document: None };
            if other != who {
                self.holds(moment.after, &ask, who, other)?;
            }
        }
        Ok(())
    }
}

#[test]
fn what_is_shown_as_theirs_to_do_is_accepted_and_nothing_else_is() {
    let watch = RefCell::new(Shown::default());
    hold_on([Kind::Incident, Kind::Planned], histories(), &watch);
    let Shown(met) = watch.into_inner();
    assert!(RoleAct::ALL.iter().all(|act| met.get(act).is_some_and(|count| *count > 20)), "{met:?}");
}

//! Who commands, who may decide what, and when it is too late.

use std::collections::BTreeSet;

use jiff::{SignedDuration, ToSpan};
use proptest::prelude::*;
use wardroom_core::absence::Grounds;
use wardroom_core::briefing::Briefed;
use wardroom_core::change::Outcome;
use wardroom_core::command::{Command, OfferTo, Tick};
use wardroom_core::document::Part;
use wardroom_core::event::Event;
use wardroom_core::facts::Facts;
use wardroom_core::id::{Actor, PersonId};
use wardroom_core::incident::{Asking, Incident, Kind, Severity};
use wardroom_core::next::Next;
use wardroom_core::role::RolePath;

use crate::cases;
use crate::harness::{at, facts, opened, opening, person, record, role, unseen_for, words};
use crate::steps::histories;
use crate::world::{Answer, Moment, Verdict, Watch, World};

/// Looks on for nothing: the ledgers do.
struct Ledgers;
impl Watch for Ledgers {}

/// Rule 5: whatever happens to an offer short of its being taken, everybody keeps what they hold.
struct StillYou;

fn holders(incident: &Incident) -> Vec<(RolePath, Option<PersonId>)> {
    incident.roles.keys().map(|role| (role.clone(), incident.holder(role))).collect()
}

impl Watch for StillYou {
    fn entry(&mut self, moment: &Moment<'_>) -> Verdict {
        let moves = matches!(
            moment.recorded.event,
            Event::RoleTaken { .. }
                | Event::RoleFell { .. }
                | Event::CommandAssumed { .. }
                | Event::Reopened { .. }
                | Event::SentBack(_)
                | Event::Closed { .. }
                | Event::MergedInto { .. }
                | Event::RoleOpened { .. }
                | Event::RoleClosed { .. }
        );
        if moves || holders(moment.before) == holders(moment.after) {
            return Ok(());
        }
        Err(format!("{:?} moved a role", moment.recorded.event))
    }
}

/// Rule 6: who may assume command, and with whose confirmation.
struct Assuming;

impl Assuming {
    fn rightly(before: &Incident, facts: &Facts, at: jiff::Timestamp, event: &Event) -> bool {
        let Event::CommandAssumed { by, from, grounds, proposal, confirmed_by, reason } = event else { return true };
        let responds = |person: PersonId| before.responders.contains_key(&person);
        let holds =
            |who: PersonId| before.roles.keys().any(|role| !role.is_command() && before.holder(role) == Some(who));
        if !facts.active(*by) || by == from {
            return false;
        }
        let Some(second) = *confirmed_by else {
            let gone = !facts.active(*from);
            let long = unseen_for(before, at).is_some_and(|unseen| unseen >= SignedDuration::from_mins(15));
            let entitled = responds(*by) || (*grounds == Grounds::Unfit && facts.admin(*by));
            return entitled && reason.is_some() && (gone || (*grounds == Grounds::Unseen && long));
        };
        let known = before.absence.proposal.as_ref().filter(|known| Some(known.id) == *proposal);
        let in_time = known.is_some_and(|known| at < known.lapses_at && known.by == *by && known.grounds == *grounds);
        let another = facts.active(second) && second != *by && second != *from;
        let enough = match grounds {
            Grounds::Unseen => {
                let minutes = if before.severity <= Severity::Sev2 { 5 } else { 15 };
                let unseen = unseen_for(before, at).is_some_and(|unseen| unseen >= SignedDuration::from_mins(minutes));
                unseen && responds(*by) && responds(second)
            }
            Grounds::Unfit => {
                let admin_and_responder = |admin, other| facts.admin(admin) && responds(other);
                (holds(*by) && holds(second)) || admin_and_responder(*by, second) || admin_and_responder(second, *by)
            }
        };
        in_time && another && enough
    }
}

impl Watch for Assuming {
    fn entry(&mut self, moment: &Moment<'_>) -> Verdict {
        let recorded = moment.recorded;
        if Self::rightly(moment.before, moment.facts, recorded.at, &recorded.event) {
            return Ok(());
        }
        Err(format!("{:?} over {:?} at {}", recorded.event, moment.before.absence, recorded.at))
    }
}

/// Rule 8 and the table of who may do what: authority flows down the tree and stops there.
struct Authority;

impl Authority {
    /// The role whose holder, or an ancestor's, has to be the one who asks.
    fn needed(command: &Command) -> Option<RolePath> {
        match command {
            Command::OfferRole { role, .. }
            | Command::CloseRole { role }
            | Command::AddMember { role, .. }
            | Command::DeclineAsk { role, .. } => Some(role.clone()),
            Command::OpenRole { role } | Command::TakeBackRole { role } => role.parent(),
            Command::SetPhase { .. }
            | Command::SetSeverity { .. }
            | Command::SetKind { .. }
            | Command::SetTitle { .. }
            | Command::SetBegan { .. }
            | Command::AddPost { .. }
            | Command::Unrestrict {}
            | Command::Uninvite { .. }
            | Command::ClearRoadblock { .. }
            | Command::WaiveCriterion { .. }
            | Command::SetClock { .. }
            | Command::StopClock { .. }
            | Command::Merge { .. } => Some(RolePath::command()),
            _ => None,
        }
    }
}

impl Watch for Authority {
    fn answer(&mut self, answer: &Answer<'_>) -> Verdict {
        let Actor::Person(who) = answer.ask.actor else { return Ok(()) };
        // Who comes by an invite is known from then on.
        let comes = matches!(answer.command, Command::Arrive(_));
        if answer.answer.is_ok() && !comes && !answer.ask.facts.active(who) {
            return Err(format!("{who} is not active, and did {:?}", answer.command));
        }
        let Some(needed) = Self::needed(answer.command) else { return Ok(()) };
        let entitled = needed.upward().any(|role| answer.incident.holder(&role) == Some(who));
        match answer.answer {
            Ok(_) if !entitled => Err(format!("{who} is not entitled to {:?}", answer.command)),
            Err(refusal) if entitled && refusal.code == wardroom_core::refusal::Code::NotYours => {
                // Merging takes command of both, so that the other's commander may still say no.
                let merge = matches!(answer.command, Command::Merge { .. });
                if merge { Ok(()) } else { Err(format!("{who} is entitled to {:?}", answer.command)) }
            }
            _ => Ok(()),
        }
    }
}

/// What is accepted says something; whoever asks the same again is told the same; and a clock that is behind
/// the incident decides as if it stood at its last entry.
struct Answers;

impl Watch for Answers {
    fn answer(&mut self, answer: &Answer<'_>) -> Verdict {
        if answer.answer.as_ref().is_ok_and(|decision| decision.here.is_empty()) {
            return Err(format!("{:?} was accepted and says nothing", answer.command));
        }
        let at_last = Asking { now: answer.ask.now.max(answer.incident.last_at), ..answer.ask };
        let again = answer.incident.decide(&at_last, answer.command.clone());
        if again == *answer.answer { Ok(()) } else { Err(format!("{again:?} and not {:?}", answer.answer)) }
    }
}

/// A passed deadline counts whether it was recorded or not: who records it first gets the same answer.
struct Recording;

impl Watch for Recording {
    fn answer(&mut self, answer: &Answer<'_>) -> Verdict {
        let clock = Asking { actor: Actor::Clock, ..answer.ask };
        // An entry that is named lies otherwise once something was recorded before it.
        let names_an_entry = matches!(answer.command, Command::TakeRole { briefed: Some(Briefed::To(_)), .. });
        let Ok(passed) = answer.incident.tick(&clock, Tick::Deadlines) else { return Ok(()) };
        if names_an_entry {
            return Ok(());
        }
        let mut recorded = answer.incident.clone();
        let entries = record(recorded.last_entry, recorded.last_at, (Actor::Clock, answer.ask.now), passed.here);
        entries.iter().for_each(|one| recorded.evolve(one));
        let then = recorded.decide(&answer.ask, answer.command.clone());
        if then.is_ok() == answer.answer.is_ok() {
            return Ok(());
        }
        Err(format!("{:?}: unrecorded {:?}, recorded {then:?}", answer.command, answer.answer))
    }
}

/// What `next` tells somebody to do is theirs to do: nobody is sent to a door that is shut.
struct Sent;

impl Sent {
    /// What somebody does who follows it; all of it has to be accepted.
    fn follow(next: Next) -> Vec<Command> {
        let reason = words("it burns");
        match next {
            Next::Take { role, .. } => vec![Command::TakeRole { role, briefed: Some(Briefed::ByVoice) }],
            Next::Confirm { .. } => vec![Command::ConfirmAssumption {}],
            Next::StillWithUs { .. } => vec![Command::Join {}],
            Next::Clear { roadblock, .. } => vec![Command::ClearRoadblock { roadblock, how: None }],
            Next::Assume { .. } => vec![Command::AssumeCommand { grounds: Grounds::Unseen, reason }],
            Next::Answer { role, by } => {
                let decline = Command::DeclineAsk { role: role.clone(), person: by.into(), reason: None };
                vec![decline]
            }
            Next::OfferOperations { to } => {
                let offer = |to: PersonId| Command::OfferRole {
                    role: role("operations"),
                    to: OfferTo::Person(to.into()),
                    note: None,
                };
                to.into_iter().map(offer).collect()
            }
            Next::Clock { clock, .. } => vec![Command::StopClock { clock }],
            Next::StillTrue { .. } => vec![Command::StillTrue { parts: Part::ALL.into(), version: 0 }],
            Next::ConfirmChange { change, .. } => [Outcome::Done, Outcome::BrokeOff, Outcome::Failed, Outcome::Dropped]
                .map(|outcome| Command::ConfirmChange {
                    change,
                    outcome,
                    note: None,
                    evidence: None,
                    happened_at: None,
                })
                .to_vec(),
            Next::SortChange { change, .. } => vec![
                Command::TakeInChange { change },
                Command::RevertChange { change, note: None, evidence: None, happened_at: None },
                Command::DismissChange { change, reason: None },
            ],
            Next::SortSighting { sighting, .. } => {
                vec![Command::TakeInSighting { sighting }, Command::DismissSighting { sighting, reason: None }]
            }
            Next::ComeIn { .. } => vec![Command::Join {}],
            Next::Permit { by, .. } => vec![
                Command::GrantPermission { person: by.into(), services: None, minutes: None },
                Command::DeclinePermission { person: by.into(), reason: None },
            ],
            Next::SayWayBack { change, .. } => {
                vec![Command::SayWayBack { change, back: Some(words("put it back")), replaces: None }]
            }
            Next::SeeSorted { .. } | Next::Delegate { .. } => Vec::new(),
        }
    }
}

impl Watch for Sent {
    fn answer(&mut self, answer: &Answer<'_>) -> Verdict {
        let Asking { facts, .. } = answer.ask;
        let now = answer.ask.now.max(answer.incident.last_at);
        for person in facts.people.keys().copied().filter(|person| facts.active(*person)) {
            let Some(next) = answer.incident.next(person, facts, now) else { continue };
            for command in Self::follow(next) {
                let ask = Asking { actor: Actor::Person(person), now, facts, cited: None, other: None, document: None };
                if let Err(refusal) = answer.incident.decide(&ask, command.clone()) {
                    return Err(format!("{person} was sent to {command:?}, and told: {refusal}"));
                }
            }
        }
        Ok(())
    }
}

fn held(steps: Vec<crate::steps::Step>, watch: &mut dyn Watch) -> Result<(), TestCaseError> {
    World::play(steps, watch).map(|_| ()).map_err(TestCaseError::fail)
}

proptest! {
    #![proptest_config(cases(512))]

    /// Rules 1, 2, 3 and 4, and that every offer ends in exactly one way.
    #[test]
    fn one_person_commands_and_roles_change_hands_by_the_rules(steps in histories()) {
        held(steps, &mut Ledgers)?;
    }

    #[test]
    fn until_it_is_taken_it_is_still_yours(steps in histories()) {
        held(steps, &mut StillYou)?;
    }

    #[test]
    fn command_is_assumed_only_from_the_absent_or_with_a_second_word(steps in histories()) {
        held(steps, &mut Assuming)?;
    }

    #[test]
    fn authority_flows_down_the_tree_and_stops_there(steps in histories()) {
        held(steps, &mut Authority)?;
    }

    #[test]
    fn an_answer_says_something_and_now_never_runs_behind(steps in histories()) {
        held(steps, &mut Answers)?;
    }

    #[test]
    fn a_passed_deadline_counts_whether_recorded_or_not(steps in histories()) {
        held(steps, &mut Recording)?;
    }

    #[test]
    fn whatever_next_says_can_be_done(steps in histories()) {
        held(steps, &mut Sent)?;
    }

    /// Rule 9.
    #[test]
    fn more_than_seven_reports_are_too_many(holders in 0..6_u8, members in 0..6_u8) {
        let facts = facts(12);
        let mut room = Incident::fold(&opened(1, person(0), at(0), &facts, opening(Kind::Incident, false, false))).unwrap();
        let mut events = Vec::new();
        for n in 0..holders {
            let under = role(&format!("operations/team-{n}"));
            events.push(Event::RoleOpened { role: under.clone() });
            let offer = room.last_entry;
            events.push(Event::RoleTaken { role: under, offer, by: person(n), from: None, briefed: None, unseen: Vec::new() });
        }
        let operations = role("operations");
        events.extend((0..members).map(|n| Event::MemberAdded { role: operations.clone(), person: person(6 + n) }));
        let now = at(0) + 1.minutes();
        record(room.last_entry, room.last_at, (Actor::Clock, now), events).iter().for_each(|one| room.evolve(one));
        let wide: BTreeSet<_> = room.wide_spans().into_iter().collect();
        let reports = usize::from(holders + members);
        let expected = if reports > 7 { BTreeSet::from([(operations, reports)]) } else { BTreeSet::new() };
        prop_assert_eq!(wide, expected);
    }
}

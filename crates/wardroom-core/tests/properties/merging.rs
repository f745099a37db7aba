//! Merging keeps people at work and displaces nobody, whatever both incidents went through before.

use proptest::prelude::*;
use wardroom_core::absence::Grounds;
use wardroom_core::command::Command;
use wardroom_core::event::Event;
use wardroom_core::id::{Number, PersonId};
use wardroom_core::incident::{Incident, Phase};
use wardroom_core::role::RolePath;

use crate::cases;
use crate::harness::{person, set_active, words};
use crate::steps::{PEOPLE, histories};
use crate::world::{Moment, Verdict, Watch, World};

/// Sees what a merge did, and how the absorbing incident stood before it.
#[derive(Default)]
struct Merges {
    absorbed: Option<(Incident, Incident)>,
}

impl Watch for Merges {
    fn entry(&mut self, moment: &Moment<'_>) -> Verdict {
        if matches!(moment.recorded.event, Event::Absorbed(_)) {
            self.absorbed = Some((moment.before.clone(), moment.after.clone()));
        }
        Ok(())
    }
}

/// Gives one person command of both incidents, by ordinary commands: both commanders lose their accounts.
fn command_both(world: &mut World, who: PersonId) -> Verdict {
    world.catch_up();
    for stream in 0..2 {
        let now = world.now;
        for n in 0..PEOPLE {
            set_active(&mut world.facts, person(n), person(n) == who);
        }
        let assume = Command::AssumeCommand { grounds: Grounds::Unseen, reason: words("for the merge") };
        for command in [Command::Join {}, Command::Reopen { reason: None }, Command::Declare {}, assume] {
            world.say(who, stream, 0, now, command, &mut Merges::default())?;
        }
    }
    Ok(())
}

/// Who holds or works in a role under command.
fn at_work(incident: &Incident) -> impl Iterator<Item = (&RolePath, PersonId)> {
    let under = incident.roles.iter().filter(|(path, _)| !path.is_command());
    under.flat_map(|(path, role)| {
        let people = role.members.iter().copied().chain(role.holder.map(|tenure| tenure.person));
        people.map(move |person| (path, person))
    })
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn merging_keeps_people_at_work_and_displaces_nobody(steps in histories()) {
        let mut world = World::play(steps, &mut Merges::default()).map_err(TestCaseError::fail)?;
        let who = person(PEOPLE - 1);
        command_both(&mut world, who).map_err(TestCaseError::fail)?;
        let absorbed = world.streams[0].head.clone();
        let mut merges = Merges::default();
        let (into, now) = (world.streams[1].head.number, world.now);
        world.say(who, 0, 0, now, Command::Merge { into }, &mut merges).map_err(TestCaseError::fail)?;
        let Some((before, after)) = merges.absorbed else {
            let absorbing = &world.streams[1].head;
            let ready = [&absorbed, absorbing].iter().all(|one| one.phase.is_open() && one.commander() == who);
            let secret = absorbed.restricted != absorbing.restricted;
            prop_assert!(!ready || secret, "both are open and in the same hands, and were not merged");
            return Ok(());
        };
        prop_assert_eq!(world.streams[0].head.phase, Phase::Merged);
        prop_assert_eq!(world.streams[0].head.merged_into, Number::new(2));
        for role in after.roles.keys() {
            prop_assert_eq!(before.holder(role), after.holder(role), "a holder of {} was displaced", role);
        }
        // Guests were let into one incident, and do not go along (docs/decisions/0013).
        let house = |person: PersonId| world.facts.guest_of(person).is_none();
        for responder in absorbed.responders.keys().filter(|responder| house(**responder)) {
            prop_assert!(after.responders.contains_key(responder) && after.visible_to(*responder, &world.facts));
        }
        for (path, person) in at_work(&absorbed).filter(|(_, person)| house(*person)) {
            let there = path.upward().find(|role| after.roles.contains_key(role)).unwrap();
            let works = there.is_command() || after.holder(&there) == Some(person) || after.roles[&there].members.contains(&person);
            prop_assert!(works, "{} worked in {} and has no work in {}", person, path, there);
        }
        prop_assert_eq!(after.roadblocks.len(), before.roadblocks.len() + absorbed.roadblocks.len());
        let open = absorbed.criteria.iter().filter(|criterion| criterion.is_open()).count();
        prop_assert_eq!(after.criteria.len(), before.criteria.len() + open);
        let open = absorbed.todos.iter().filter(|todo| todo.done.is_none()).count();
        prop_assert_eq!(after.todos.len(), before.todos.len() + open);
        let mut numbers: Vec<u32> = after.roadblocks.iter().map(|block| block.id).collect();
        numbers.dedup();
        prop_assert_eq!(numbers.len(), after.roadblocks.len());
    }
}

//! The example incident: whom it is for, what its cast do, and how it ends.

use std::collections::BTreeMap;

use jiff::{SignedDuration, ToSpan};
use serde_json::json;
use uuid::Uuid;
use wardroom_core::command::{Command, Tick};
use wardroom_core::directory::DirectoryEvent;
use wardroom_core::event::Event;
use wardroom_core::example::{AT_ONCE, Beginning, Part, begin};
use wardroom_core::facts::{Facts, Standing};
use wardroom_core::id::{Actor, PersonId};
use wardroom_core::incident::{Asking, Kind, Phase};
use wardroom_core::next::Next;
use wardroom_core::refusal::{Code, Refusal, Remedy};

use crate::cast::{ADA, IVAN, MARY, ROBIN, SABRINA, facts, start};
use crate::directory::{added, book, change};
use crate::given::{Given, by, given};
use crate::words::{cmd, number, offer, opened, role};

/// For whom it is played.
const PLAYER: PersonId = ROBIN;
const BEAT: SignedDuration = SignedDuration::from_secs(2);

fn beginning(facts: &Facts, player: PersonId) -> Result<Beginning, Refusal> {
    let ask = Asking { actor: Actor::Person(player), now: start(), facts, cited: None, other: None, document: None };
    let mut next = 200;
    begin(number(1), &ask, &BTreeMap::new(), &mut || {
        next += 1;
        Uuid::from_u128(next)
    })
}

/// The example with its player, and how many lines its cast have said.
struct Stage {
    given: Option<Given>,
    said: usize,
}

impl Stage {
    fn begun() -> Self {
        let Beginning { by: mary, here, directory } = beginning(&facts(), PLAYER).expect("begun");
        let given = given(here.into_iter().map(|event| by(mary, event))).knowing(directory);
        Self { given: Some(given), said: 0 }
    }

    fn given(&self) -> &Given {
        self.given.as_ref().expect("it goes on")
    }

    fn who(&self, part: Part) -> PersonId {
        self.given().state().example.expect("an example").cast[&part]
    }

    /// The cast go on until they have nothing to do, each act a beat after the one before; says how many they were.
    fn plays(&mut self) -> usize {
        let mut acts = 0;
        loop {
            let given = self.given.take().expect("it goes on").after_seconds(BEAT.as_secs());
            let state = given.state();
            let Some(cue) = state.cue(self.said, given.now, BEAT) else {
                // Whoever was offered something looks at it for two beats.
                let given = given.after_seconds(BEAT.as_secs());
                let waits = state.cue(self.said, given.now, BEAT).is_some();
                self.given = Some(given);
                if waits {
                    continue;
                }
                return acts;
            };
            acts += 1;
            assert!(acts < 100, "it never ends");
            self.said = cue.line.map_or(self.said, |line| line + 1);
            self.given = Some(given.when(cue.by, cue.command).accepted());
        }
    }

    fn player(&mut self, command: Command) {
        let given = self.given.take().expect("it goes on");
        self.given = Some(given.when(PLAYER, command).accepted());
    }

    fn takes_command(&mut self) {
        self.player(cmd("take_role", json!({ "role": "command", "briefed": "by_voice" })));
    }

    fn told_last(&self, n: usize) -> Vec<String> {
        let history = &self.given().history;
        history[history.len() - n..]
            .iter()
            .map(|recorded| wardroom_core::telling::tell(recorded, &self.given().facts))
            .collect()
    }
}

#[test]
fn it_begins_as_a_drill_that_only_its_player_and_its_cast_may_see() {
    let stage = Stage::begun();
    let state = stage.given().state();
    assert_eq!((state.kind, state.phase), (Kind::Drill, Phase::Investigating));
    assert_eq!(state.commander(), stage.who(Part::Mary));
    let sees = |person| state.visible_to(person, &stage.given().facts);
    assert!(sees(PLAYER) && Part::ALL.into_iter().all(|part| sees(stage.who(part))));
    assert!(!sees(MARY) && !sees(ADA), "somebody real is also called Mary");
    assert!(state.responders.contains_key(&PLAYER), "nobody is called into a drill that they did not join (rule 11)");
    assert_eq!(
        stage.told_last(1),
        ["This is the example. Only Robin sees it; everybody else in it is scripted".to_owned()]
    );
}

#[test]
fn one_person_plays_one_at_a_time_and_not_everybody_at_once() {
    let facts = facts();
    let ask =
        Asking { actor: Actor::Person(PLAYER), now: start(), facts: &facts, cited: None, other: None, document: None };
    let refused = |open: &[(u32, PersonId)]| {
        let open = open.iter().map(|(n, player)| (number(*n), *player)).collect();
        begin(number(99), &ask, &open, &mut Uuid::nil).err().map(|refusal| (refusal.code, refusal.remedy))
    };
    assert_eq!(refused(&[(1, SABRINA)]), None);
    let here = Some(Remedy::See { incident: number(2) });
    assert_eq!(refused(&[(1, SABRINA), (2, PLAYER)]), Some((Code::AlreadySo, here)));
    let players = (1..).map(|n| (n, PersonId(Uuid::from_u128(1_000 + u128::from(n)))));
    assert_eq!(refused(&players.clone().take(AT_ONCE - 1).collect::<Vec<_>>()), None);
    assert_eq!(refused(&players.take(AT_ONCE).collect::<Vec<_>>()), Some((Code::TooMany, None)));
}

#[test]
fn its_cast_is_made_once() {
    let first = beginning(&facts(), PLAYER).expect("begun");
    let handles: Vec<_> = first
        .directory
        .iter()
        .map(|event| match event {
            DirectoryEvent::ScriptedAdded { handle, .. } => handle.words().expect("said").to_owned(),
            _ => panic!("{event:?}"),
        })
        .collect();
    assert_eq!(handles, ["example-mary", "example-sabrina", "example-josephine", "example-robin", "example-malcolm"]);
    let known = given([opened()]).knowing(first.directory.clone()).facts;
    let second = beginning(&known, SABRINA).expect("begun");
    assert_eq!(second.directory, []);
    assert_eq!(second.by, first.by);
}

#[test]
fn it_is_for_people_of_the_house() {
    let refused = |facts: &Facts, person| beginning(facts, person).map(drop).map_err(|refusal| refusal.code);
    assert_eq!(refused(&facts(), IVAN), Err(Code::NotActive));
    let mut with_a_guest = facts();
    let people = std::sync::Arc::make_mut(&mut with_a_guest.people);
    people.get_mut(&ROBIN).expect("of the cast").standing = Standing::Guest(number(3));
    assert_eq!(refused(&with_a_guest, ROBIN), Err(Code::NotForGuests));
}

#[test]
fn within_a_minute_its_player_is_offered_command() {
    let mut stage = Stage::begun();
    let acts = stage.plays();
    assert!(acts * 2 <= 60, "{acts} acts take longer than a minute");
    let state = stage.given().state();
    assert_eq!((state.phase, state.commander()), (Phase::Active, stage.who(Part::Sabrina)));
    assert_eq!(state.holder(&role("operations")), Some(stage.who(Part::Mary)));
    assert_eq!(state.holder(&role("communications")), Some(stage.who(Part::Robin)));
    assert_eq!(state.holder(&role("operations/load")), Some(stage.who(Part::Josephine)));
    assert_eq!(state.roadblocks, []);
    let next = state.next(PLAYER, &stage.given().facts, stage.given().now);
    assert!(matches!(next, Some(Next::Take { role: offered, .. }) if offered.is_command()));
}

#[test]
fn what_was_not_taken_is_offered_again_after_a_minute() {
    let mut stage = Stage::begun();
    stage.plays();
    stage.player(cmd("decline_offer", json!({ "role": "command" })));
    assert_eq!(stage.plays(), 0, "not at once");
    stage.given = stage.given.map(|given| given.after(1));
    assert_eq!(stage.plays(), 1);
    let given = stage.given();
    assert!(given.state().pending_offer(&role("command"), given.now).is_some());
}

#[test]
fn the_cast_take_over_from_the_player_and_see_it_through() {
    let mut stage = Stage::begun();
    stage.plays();
    stage.takes_command();
    assert_eq!(stage.plays(), 2, "two things are said, and then it is the player's turn");
    stage.player(cmd("set_phase", json!({ "phase": "mitigated" })));
    assert_eq!(stage.plays(), 1);
    assert_eq!(stage.plays(), 0, "nothing is said twice");
    stage.player(offer("command", stage.who(Part::Malcolm)));
    stage.plays();
    let state = stage.given().state();
    assert_eq!((state.phase, state.last_commander), (Phase::Closed, Some(stage.who(Part::Malcolm))));
    assert_eq!(stage.told_last(1), ["Malcolm closed the incident: nothing differs from normal any more".to_owned()]);
}

#[test]
fn what_the_player_leaves_unmet_is_waived_and_holds_up_nothing() {
    let mut stage = Stage::begun();
    stage.plays();
    stage.takes_command();
    stage.plays();
    for text in ["No errors for an hour.", "Both data centres serve."] {
        stage.player(cmd("add_criterion", json!({ "text": text })));
    }
    stage.player(cmd("set_phase", json!({ "phase": "mitigated" })));
    stage.plays();
    stage.player(offer("command", stage.who(Part::Sabrina)));
    stage.plays();
    assert_eq!(stage.given().state().phase, Phase::Closed);
    let told = stage.told_last(4).join("\n");
    assert_eq!(told.matches("Sabrina waived").count(), 2, "{told}");
}

#[test]
fn what_the_player_changed_is_settled_and_holds_up_nothing() {
    let mut stage = Stage::begun();
    stage.plays();
    stage.takes_command();
    stage.plays();
    stage.player(cmd("record_change", json!({ "service": "search", "what": "rolled back to v11" })));
    stage.player(cmd("set_phase", json!({ "phase": "mitigated" })));
    stage.plays();
    stage.player(offer("command", stage.who(Part::Sabrina)));
    stage.plays();
    assert_eq!(stage.given().state().phase, Phase::Closed);
    let told = stage.told_last(2).join("\n");
    assert!(told.contains("Sabrina says that change 1 stays for good"), "{told}");
}

/// Whoever announced a change and has operations says how it went; nobody of the cast does it for them, and nobody tries to
/// close over it again and again.
#[test]
fn what_the_player_announced_is_theirs_to_tell() {
    let mut stage = Stage::begun();
    stage.plays();
    stage.player(cmd("ask_role", json!({ "role": "operations" })));
    stage.plays();
    stage.player(cmd("take_role", json!({ "role": "operations" })));
    stage.player(cmd("announce_change", json!({ "service": "search", "what": "roll back to v11" })));
    stage.takes_command();
    stage.plays();
    stage.player(cmd("set_phase", json!({ "phase": "mitigated" })));
    stage.plays();
    stage.player(offer("command", stage.who(Part::Sabrina)));
    stage.plays();
    assert_eq!(stage.given().state().phase, Phase::Resolved);
    assert_eq!(stage.plays(), 0);
    stage.player(cmd("confirm_change", json!({ "change": 1, "outcome": "failed" })));
    stage.plays();
    let over = stage.given();
    assert_eq!(over.state().phase, Phase::Closed);
    // It is over: nothing opens it again.
    let late = cmd("record_change", json!({ "service": "search", "what": "rolled back" }));
    over.clone().when(PLAYER, late).refused(Code::WrongKind, &[], None);
}

#[test]
fn whoever_of_the_cast_has_a_role_lets_the_player_have_it() {
    let mut stage = Stage::begun();
    stage.plays();
    stage.player(cmd("ask_role", json!({ "role": "operations" })));
    assert_eq!(stage.plays(), 1);
    stage.player(cmd("take_role", json!({ "role": "operations" })));
    assert_eq!(stage.given().state().holder(&role("operations")), Some(PLAYER));
    assert_eq!(stage.plays(), 0);
}

fn at_minute(minutes: i64, mut given: Given) -> Given {
    given.now = start() + minutes.minutes();
    given
}

#[test]
fn it_ends_when_its_player_has_done_nothing_in_it_for_half_an_hour() {
    let mut stage = Stage::begun();
    stage.plays();
    let given = stage.given.expect("it goes on");
    let given = at_minute(29, given).tick(Tick::Deadlines).accepted();
    let given = given.when(PLAYER, cmd("note", json!({ "text": "I am reading along" }))).accepted();
    let later = at_minute(58, given);
    let later = later.tick(Tick::Deadlines).refused(Code::AlreadySo, &[], None);
    let ended = at_minute(60, later).tick(Tick::Deadlines).accepted();
    assert_eq!(ended.state().phase, Phase::Closed);
    assert_eq!(ended.state().cue(99, ended.now, BEAT), None);
    let told = wardroom_core::telling::tell(ended.history.last().expect("an entry"), &ended.facts);
    assert_eq!(told, "The clock closed the incident: nobody went on with the example for 30 minutes");
}

#[test]
fn time_during_which_wardroom_was_down_does_not_end_it() {
    let mut stage = Stage::begun();
    stage.plays();
    let given = at_minute(20, stage.given.expect("it goes on")).tick(Tick::Deadlines).accepted();
    let (from, to) = (start() + 20.minutes(), start() + 60.minutes());
    let given = at_minute(60, given).tick(Tick::WasDown { from, to }).accepted();
    let given = given.tick(Tick::Deadlines).refused(Code::AlreadySo, &[], None);
    let ended = at_minute(71, given).tick(Tick::Deadlines).accepted();
    assert_eq!(ended.state().phase, Phase::Closed);
}

#[test]
fn nobody_else_is_let_in() {
    let mut stage = Stage::begun();
    stage.plays();
    stage.takes_command();
    let invite = Command::MakeInvite {
        invite: wardroom_core::id::InviteId(Uuid::from_u128(60)),
        digest: wardroom_core::token::Digest::new([7; 32]),
        hours: 1,
    };
    let (state, facts) = (stage.given().state(), &stage.given().facts);
    let ask = Asking {
        actor: Actor::Person(PLAYER),
        now: stage.given().now,
        facts,
        cited: None,
        other: None,
        document: None,
    };
    assert!(!state.may_invite_guests(&ask), "nor is that offered");
    for command in [cmd("unrestrict", json!({})), cmd("invite", json!({ "person": ADA })), invite] {
        let given = stage.given().clone();
        let sentence = "The example is for you alone. To practise together, declare a drill.";
        given.when(PLAYER, command).says(sentence).refused(Code::WrongKind, &[], None);
    }
}

#[test]
fn one_that_has_ended_is_not_gone_on_with() {
    let given = at_minute(31, Stage::begun().given.expect("it goes on")).tick(Tick::Deadlines).accepted();
    given
        .when(PLAYER, cmd("reopen", json!({})))
        .says("This example is over. Play it anew from your own menu.")
        .refused(Code::WrongKind, &[], None);
}

#[test]
fn command_that_the_player_asks_back_waits_for_them() {
    let mut stage = Stage::begun();
    stage.plays();
    stage.takes_command();
    stage.plays();
    stage.player(offer("command", stage.who(Part::Malcolm)));
    let given = stage.given.take().expect("it goes on").after_seconds(4);
    let cue = given.state().cue(stage.said, given.now, BEAT).expect("it is taken");
    stage.given = Some(given.when(cue.by, cue.command).accepted());
    stage.player(cmd("ask_role", json!({ "role": "command" })));
    assert_eq!(stage.plays(), 1, "the offer, and nothing beside it");
    assert_eq!(stage.given().state().phase, Phase::Active);
    stage.takes_command();
    assert_eq!(stage.given().state().commander(), PLAYER);
}

#[test]
fn nobody_is_called_into_it() {
    let mut stage = Stage::begun();
    stage.plays();
    let given = stage.given();
    assert_eq!(given.state().calls(&given.facts, given.now), []);
}

#[test]
fn a_roadblock_of_the_player_is_not_cleared_for_another() {
    let mut stage = Stage::begun();
    stage.player(cmd("raise_roadblock", json!({ "text": "Who has the key?" })));
    stage.plays();
    let left: Vec<_> = stage.given().state().roadblocks.iter().map(|roadblock| roadblock.by).collect();
    assert_eq!(left, [PLAYER]);
}

#[test]
fn what_waits_for_nobody_is_no_deadline_of_it() {
    let stage = Stage::begun();
    assert_eq!(stage.given().state().next_due(), None);
    assert_eq!(stage.given().state().next_deadline(), Some(start() + 30.minutes()));
}

#[test]
fn its_cast_are_in_nothing_else() {
    let Beginning { by: scripted, directory, .. } = beginning(&facts(), PLAYER).expect("begun");
    let elsewhere = || given([opened()]).knowing(directory.clone());
    let sentence = "Mary is scripted, and is in the example incident alone.";
    elsewhere().when(MARY, offer("operations", scripted)).says(sentence).refused(Code::UnknownPerson, &[], None);
    let book = book([added(ADA, "ada", "Ada", true)].into_iter().chain(directory));
    let sentence = "Mary is scripted: they are in the example incident alone.";
    let whom = json!({ "person": "example-mary" });
    for command in [
        change("deactivate_person", whom.clone()),
        change("forget_person", whom),
        change("change_person", json!({ "person": "example-mary", "admin": true })),
        change("set_team", json!({ "team": "search-sre", "members": ["example-mary"] })),
    ] {
        book.clone().when(ADA, command).says(sentence).refused(Code::Invalid);
    }
}

#[test]
fn it_is_never_merged() {
    let mut stage = Stage::begun();
    stage.plays();
    stage.takes_command();
    let mut other = stage.given().clone();
    for recorded in &mut other.history {
        if let Event::Opened { number: other, .. } = &mut recorded.event {
            *other = number(2);
        }
    }
    let given = stage.given.expect("it goes on").beside(&other);
    given
        .when(PLAYER, Command::Merge { into: number(2) })
        .says("The example stands for itself and is never merged.")
        .refused(Code::WrongKind, &[], None);
}

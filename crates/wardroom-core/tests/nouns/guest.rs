//! Guests: who invites them, what they may do, and how their part ends.

use serde_json::json;
use uuid::Uuid;
use wardroom_core::command::{Command, OfferTo, Tick};
use wardroom_core::directory::{DirectoryCommand, DirectoryEvent};
use wardroom_core::event::Event;
use wardroom_core::facts::Standing;
use wardroom_core::guest::{Arrival, Gone, USES_MAX};
use wardroom_core::id::{Actor, InviteId, PersonId, SessionId, Who};
use wardroom_core::incident::{Asking, Kind, Phase, open};
use wardroom_core::merge::Absorbed;
use wardroom_core::refusal::{Code, Remedy};
use wardroom_core::role::Fell;
use wardroom_core::token::Digest;

use crate::cast::{ADA, JOSEPHINE, MARY, ROBIN, SABRINA, at};
use crate::directory::book;
use crate::given::{Given, given};
use crate::words::{
    cmd, command_taken, fell, held, joined, number, offer, offered, opened, opened_as, opened_restricted, plain, taken,
    text,
};

const INVITE: InviteId = InviteId(Uuid::from_u128(60));
const GUEST: PersonId = PersonId(Uuid::from_u128(100));
const OTHER: PersonId = PersonId(Uuid::from_u128(101));
const SESSION: SessionId = SessionId(Uuid::from_u128(70));

fn digest() -> Digest {
    Digest::new([7; 32])
}

fn make(hours: u8) -> Command {
    Command::MakeInvite { invite: INVITE, digest: digest(), hours }
}

fn invited(by: PersonId) -> Event {
    Event::GuestsInvited { invite: INVITE, by, expires_at: at(12 * 60) }
}

fn arrive_as(person: PersonId, name: &str) -> Command {
    Command::Arrive(Arrival { invite: INVITE, person, name: name.parse().expect("a line"), session: SESSION })
}

fn arrived(person: PersonId) -> Event {
    Event::GuestJoined { person, invite: INVITE, invited_by: SABRINA, until: at(12 * 60) }
}

fn out(person: PersonId) -> Vec<DirectoryEvent> {
    vec![DirectoryEvent::PersonDeactivated { person }]
}

fn gone(why: Gone) -> Event {
    Event::GuestGone { person: GUEST, why, reason: None }
}

/// Sabrina is here, and let Marty in.
fn marty_is_here() -> Given {
    given([opened(), joined(SABRINA), invited(SABRINA)]).when(GUEST, arrive_as(GUEST, "Marty")).then([arrived(GUEST)])
}

/// Command was offered to Marty, who took it.
fn marty_commands() -> Given {
    let given = marty_is_here().and([offered("command", GUEST, MARY)]);
    given.and([command_taken(5, GUEST, MARY, wardroom_core::briefing::Briefed::ByVoice, &[])])
}

#[test]
fn every_responder_may_invite_guests_for_a_while() {
    let here = || given([opened(), joined(SABRINA)]);
    let after = here().when(SABRINA, make(12)).then([invited(SABRINA)]);
    let kept =
        DirectoryEvent::InviteMade { invite: INVITE, incident: number(1), digest: digest(), expires_at: at(12 * 60) };
    assert_eq!(after.directory, [kept]);
    here().when(ROBIN, make(12)).refused(Code::NotAResponder, &[], Some(Remedy::Join));
    for hours in [0, 73] {
        here().when(SABRINA, make(hours)).says("An invite lasts for 1 to 72 hours.").refused(Code::Invalid, &[], None);
    }
    let closed = given([opened(), crate::words::closed(MARY)]);
    closed.when(MARY, make(1)).refused(Code::WrongPhase, &[], Some(Remedy::Reopen));
}

/// Inviting is offered where it can be, now or after a step that the page leads to; it decides nothing of its own.
#[test]
fn inviting_guests_is_offered_to_who_can() {
    let offers = |given: &Given, person| {
        let ask = Asking {
            actor: Actor::Person(person),
            now: given.now,
            facts: &given.facts,
            cited: None,
            other: None,
            document: None,
        };
        given.state().may_invite_guests(&ask)
    };
    let given = marty_is_here();
    assert!(offers(&given, MARY) && offers(&given, SABRINA), "who is here, and who can say that they are");
    assert!(!offers(&given, GUEST), "guests let nobody in");
    let closed = given.and([Event::Closed { from: Phase::Active, last_commander: MARY, reason: None }]);
    assert!(!offers(&closed, MARY), "nobody is let in where nothing goes on");
}

#[test]
fn invites_of_one_incident_are_bounded() {
    let many =
        (1..=20).map(|n| Event::GuestsInvited { invite: InviteId(Uuid::from_u128(n)), by: MARY, expires_at: at(60) });
    let full = given([opened()]).and(many);
    full.clone().when(MARY, make(12)).refused(Code::TooMany, &[], None);
    full.after(60).when(MARY, make(11)).accepted();
}

#[test]
fn a_guest_is_known_here_and_signed_in_in_one_step() {
    let after = marty_is_here();
    let expires_at = at(12 * 60);
    assert_eq!(
        after.directory,
        [
            DirectoryEvent::GuestAdded {
                person: GUEST,
                handle: text("guest-marty"),
                name: text("Marty (guest)"),
                incident: number(1)
            },
            DirectoryEvent::SessionOpened { session: SESSION, person: GUEST, expires_at },
        ]
    );
    assert_eq!(after.facts.people[&GUEST].standing, Standing::Guest(number(1)));
    assert!(after.state().responders.contains_key(&GUEST));
    assert_eq!(after.state().invites[&INVITE].used, 1);
}

#[test]
fn nobody_comes_under_the_handle_or_the_plain_name_of_another() {
    let both =
        marty_is_here().when(OTHER, arrive_as(OTHER, "  Marty\u{a0} \u{2003}Mc \u{a0}Fly ")).then([arrived(OTHER)]);
    assert_eq!(both.facts.name(OTHER), "Marty Mc Fly (guest)");
    let twice = marty_is_here().when(OTHER, arrive_as(OTHER, "marty")).then([arrived(OTHER)]);
    assert_eq!(twice.facts.people[&OTHER].handle.words(), Some("guest-marty-2"));
    let elsewhere = marty_is_here().when(OTHER, arrive_as(OTHER, "מרטי")).then([arrived(OTHER)]);
    assert_eq!(elsewhere.facts.people[&OTHER].handle.words(), Some("guest"));
    let long = "Donaudampfschifffahrtsgesellschaftskapitän";
    marty_is_here().when(OTHER, arrive_as(OTHER, long)).refused(Code::Invalid, &[], None);
    let longest = marty_is_here().when(OTHER, arrive_as(OTHER, &long[..39])).accepted();
    assert!(longest.facts.people[&OTHER].handle.words().is_some_and(|handle| handle.len() <= 32));
}

#[test]
fn an_invite_ends_and_says_how() {
    let made = || given([opened(), joined(SABRINA), invited(SABRINA)]);
    let refused = |given: Given, says: &str| {
        let says = format!("{says} Ask whoever sent you the link for a new one.");
        given.when(GUEST, arrive_as(GUEST, "Marty")).says(&says).refused(Code::InviteEnded, &[], None);
    };
    refused(made().after(12 * 60), "This link has expired.");
    refused(made().and([Event::GuestInviteRevoked { invite: INVITE }]), "This link was taken back.");
    refused(made().deactivated(SABRINA), "This link was taken back.");
    refused(given([opened()]), "This link is not good any more.");
    refused(made().and([crate::words::closed(MARY)]), "The incident that this link led to is closed.");
    let merged = Event::MergedInto { into: number(2), commander: MARY };
    refused(made().and([merged]), "The incident that this link led to goes on as another one.");
    let used = (0..USES_MAX).map(|n| arrived(PersonId(Uuid::from_u128(200 + u128::from(n)))));
    refused(made().and(used), "This link let 50 people in, which is as many as it could.");
}

#[test]
fn an_invite_is_taken_back_by_its_maker_by_command_and_by_an_admin() {
    let made = || given([opened(), joined(SABRINA), joined(JOSEPHINE), invited(SABRINA)]);
    let revoke = || Command::RevokeInvite { invite: INVITE };
    for person in [SABRINA, MARY, ADA] {
        let after = made().when(person, revoke()).then([Event::GuestInviteRevoked { invite: INVITE }]);
        after.when(person, revoke()).refused(Code::NotThere, &[], None);
    }
    made().when(JOSEPHINE, revoke()).refused(Code::NotYours, &[MARY], crate::words::ask_for("command"));
    let after = marty_is_here().when(MARY, revoke()).accepted();
    assert!(after.facts.active(GUEST), "whoever came by it stays");
}

#[test]
fn a_guest_works_like_any_responder() {
    let here = marty_is_here;
    here().when(GUEST, cmd("note", json!({"text": "The pump is dry"}))).accepted();
    here().when(GUEST, cmd("doing", json!({"text": "looking at the pump"}))).accepted();
    here().when(GUEST, cmd("raise_roadblock", json!({"text": "no key"}))).accepted();
    here().when(GUEST, cmd("ask_role", json!({"role": "operations"}))).accepted();
    let with_role = here().when(MARY, offer("operations", GUEST)).accepted();
    let with_role = with_role.when(GUEST, crate::words::take("operations")).accepted();
    with_role.when(GUEST, offer("operations", SABRINA)).accepted();
    let commands = marty_commands();
    commands.when(GUEST, cmd("set_phase", json!({"phase": "mitigated"}))).accepted();
}

#[test]
fn a_guest_lets_nobody_in_and_declares_nothing() {
    let members = [MARY, SABRINA];
    for command in [
        make(1),
        Command::RevokeInvite { invite: INVITE },
        cmd("invite", json!({"person": "robin"})),
        plain("restrict"),
        cmd("merge", json!({"into": 2})),
        cmd("send_away", json!({"person": "guest-marty"})),
    ] {
        let sentence = "You are a guest here. Who is let in is for people of the house to say.";
        marty_commands().when(GUEST, command).says(sentence).refused(Code::NotForGuests, &members, None);
    }
    let facts = marty_is_here().facts;
    let actor = wardroom_core::id::Actor::Person(GUEST);
    let ask = Asking { actor, now: at(0), facts: &facts, cited: None, other: None, document: None };
    let opening = serde_json::from_value(json!({"title": "Mine"})).expect("an opening");
    assert_eq!(open(number(2), &ask, opening).expect_err("a guest").code, Code::NotForGuests);
    let looking = given([opened_as(1, Kind::Incident, Phase::Investigating), joined(SABRINA), invited(SABRINA)]);
    let looking = looking.when(GUEST, arrive_as(GUEST, "Marty")).accepted();
    looking.when(GUEST, plain("declare")).refused(Code::NotForGuests, &members, None);
}

/// Whether somebody is in the directory is not told to a guest, whoever they name.
#[test]
fn a_guest_learns_of_nobody_who_is_not_here() {
    let to = |who: &str| Command::OfferRole {
        role: crate::words::role("operations"),
        to: OfferTo::Person(who.parse().expect("a handle")),
        note: None,
    };
    for who in ["robin", "ivan", "nobody-at-all"] {
        let says = format!("Nobody in this incident is called “{who}”. As a guest you can name those who are here.");
        marty_commands().when(GUEST, to(who)).says(&says).refused(Code::UnknownPerson, &[], None);
    }
    marty_commands().when(GUEST, crate::words::offer_to_team("operations")).refused(Code::NotForGuests, &[], None);
    let unfit = given([opened(), joined(SABRINA), invited(SABRINA)]).when(GUEST, arrive_as(GUEST, "Marty")).accepted();
    let unfit = unfit.when(GUEST, crate::words::assume(wardroom_core::absence::Grounds::Unfit)).accepted();
    unfit.when(GUEST, plain("confirm_assumption")).refused(Code::NeedsAnother, &[], None);
}

#[test]
fn a_guest_sees_this_incident_and_no_other() {
    let here = marty_is_here();
    assert!(here.state().visible_to(GUEST, &here.facts));
    let mut other = given([opened_as(2, Kind::Incident, Phase::Active)]);
    other.facts = here.facts.clone();
    assert!(!other.state().visible_to(GUEST, &other.facts));
    assert_eq!(other.state().next(GUEST, &other.facts, at(0)), None);
    let note = cmd("note", json!({"text": "x"}));
    other.clone().when(GUEST, note).says("There is no incident #2 that you can see.").refused(
        Code::NoSuchIncident,
        &[],
        None,
    );
    let elsewhere = "Marty (guest) is not in this incident. Make an invite and send it to them.";
    other.clone().when(MARY, offer("operations", GUEST)).says(elsewhere).refused(Code::UnknownPerson, &[], None);
    other.when(MARY, cmd("invite", json!({"person": "guest-marty"}))).refused(Code::UnknownPerson, &[], None);
}

#[test]
fn who_is_invited_into_a_restricted_incident_may_invite() {
    let restricted =
        given([opened_restricted(), Event::Invited { person: SABRINA }, joined(SABRINA), invited(SABRINA)]);
    let after = restricted.when(GUEST, arrive_as(GUEST, "Marty")).then([arrived(GUEST)]);
    assert!(after.state().visible_to(GUEST, &after.facts));
    after.when(GUEST, cmd("note", json!({"text": "here"}))).accepted();
}

#[test]
fn command_or_an_admin_sends_a_guest_away() {
    let working = || marty_is_here().and(held("operations", GUEST)).and([offered("planning", GUEST, MARY)]);
    let send = || cmd("send_away", json!({"person": "guest-marty"}));
    for person in [MARY, ADA] {
        let declined = Event::OfferDeclined {
            role: crate::words::role("planning"),
            offer: wardroom_core::id::Entry(7),
            by: GUEST,
            reason: None,
        };
        let after = working().when(person, send()).then([
            declined,
            fell("operations", GUEST, MARY, Fell::Departed),
            gone(Gone::SentAway),
        ]);
        assert_eq!(after.directory, out(GUEST));
        assert!(!after.facts.active(GUEST) && !after.state().responders.contains_key(&GUEST));
        after.clone().when(GUEST, plain("join")).refused(Code::NotActive, &[], Some(Remedy::AskAdmin));
        after.when(MARY, send()).refused(Code::NotThere, &[], None);
    }
    working().when(SABRINA, send()).refused(Code::NotYours, &[MARY], crate::words::ask_for("command"));
    working().when(MARY, cmd("send_away", json!({"person": "sabrina"}))).refused(Code::NotThere, &[], None);
    marty_commands().when(ADA, send()).refused(Code::CommandMustBeHanded, &[], Some(Remedy::Assume));
}

#[test]
fn a_guests_time_is_up_whatever_they_hold() {
    let working = marty_is_here().and([taken("operations", 0, GUEST, None)]);
    working.clone().after(12 * 60 - 1).tick(Tick::Deadlines).refused(Code::AlreadySo, &[], None);
    let after = working
        .after(12 * 60)
        .tick(Tick::Deadlines)
        .then([fell("operations", GUEST, MARY, Fell::Departed), gone(Gone::TimeUp)]);
    assert_eq!(after.directory, out(GUEST));
    after.tick(Tick::Deadlines).refused(Code::AlreadySo, &[], None);
}

/// Command never falls; whoever has it and is out is absent at once, and any responder may assume alone (rule 6).
#[test]
fn a_guest_who_commands_stays_commander_until_somebody_assumes() {
    let after = marty_commands().after(12 * 60).tick(Tick::Deadlines).then([gone(Gone::TimeUp)]);
    assert_eq!(after.state().commander(), GUEST);
    assert!(!after.facts.active(GUEST));
    let after = after.when(SABRINA, crate::words::assume(wardroom_core::absence::Grounds::Unseen)).accepted();
    assert_eq!(after.state().commander(), SABRINA);
}

#[test]
fn nobody_waits_for_a_guests_end() {
    let state = marty_is_here().state();
    assert_eq!((state.next_due(), state.next_deadline()), (None, Some(at(12 * 60))));
}

#[test]
fn closing_ends_the_part_of_every_guest() {
    let two = marty_is_here().when(OTHER, arrive_as(OTHER, "Jennifer")).then([arrived(OTHER)]);
    let resolved = two.when(MARY, cmd("set_phase", json!({"phase": "resolved"}))).accepted();
    let after = resolved.when(MARY, cmd("set_phase", json!({"phase": "closed"}))).accepted();
    assert_eq!(after.directory, [out(GUEST), out(OTHER)].concat());
    assert!(after.state().guests.is_empty() && after.state().invites.is_empty());
    after.when(GUEST, plain("reopen")).refused(Code::NotForGuests, &[MARY, SABRINA], None);
}

/// Nobody of the absorbing incident let them in there.
#[test]
fn guests_do_not_go_along_in_a_merge() {
    let second = given([opened_as(2, Kind::Incident, Phase::Active)]);
    let working = marty_is_here().and([taken("operations", 0, GUEST, None)]);
    let after = working.beside(&second).when(MARY, cmd("merge", json!({"into": 2})));
    let after = after.accepted_with(|decision| {
        let [Event::Absorbed(Absorbed { responders, members, .. })] = &decision.there[..] else {
            panic!("{decision:?}")
        };
        assert_eq!((responders, members.len()), (&[MARY, SABRINA].into(), 0));
    });
    assert_eq!(after.directory, out(GUEST));
}

#[test]
fn a_guests_account_is_looked_after_by_nobody_else() {
    let (handle, name) = (text("guest-marty"), text("Marty (guest)"));
    let added = DirectoryEvent::GuestAdded { person: GUEST, handle, name, incident: number(1) };
    let book = book([
        crate::directory::added(ADA, "ada", "Ada", true),
        crate::directory::added(MARY, "mary", "Mary", false),
        added,
    ]);
    let who = || Who::from(GUEST);
    for command in [
        DirectoryCommand::ChangePerson { person: who(), handle: None, name: None, email: None, admin: Some(true) },
        DirectoryCommand::ActivatePerson { person: who() },
        DirectoryCommand::SetTeam { team: "search-sre".parse().expect("a team"), members: vec![who()] },
        DirectoryCommand::MakeLink {
            link: wardroom_core::id::LinkId(Uuid::nil()),
            person: Some(who()),
            expires_at: at(60),
        },
        DirectoryCommand::IssueToken {
            token: wardroom_core::id::TokenId(Uuid::nil()),
            person: who(),
            scope: wardroom_core::token::Scope::Respond,
            label: "x".parse().expect("a line"),
            expires_at: None,
            digest: digest(),
        },
    ] {
        book.clone().when(ADA, command).refused(Code::NotForGuests);
    }
    let book = book.when(ADA, DirectoryCommand::DeactivatePerson { person: who() }).then(out(GUEST));
    book.when(ADA, DirectoryCommand::ForgetPerson { person: who() }).accepted();
}

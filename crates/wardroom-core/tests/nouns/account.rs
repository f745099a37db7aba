//! Getting in through the page: one-time links, passwords and sessions.

use serde_json::json;
use uuid::Uuid;
use wardroom_core::account::{NewSession, Newcomer};
use wardroom_core::directory::{DirectoryCommand, DirectoryEvent};
use wardroom_core::id::{Actor, LinkId, PersonId, SessionId, Time, Who};
use wardroom_core::passkey::Proof;
use wardroom_core::refusal::Code;
use wardroom_core::token::Scope;

use crate::cast::{ADA, MARY, at};
use crate::directory::{Book, ada_and_mary, added, book, change};

const LINK: LinkId = LinkId(Uuid::from_u128(60));
const PHONE: SessionId = SessionId(Uuid::from_u128(70));
const LAPTOP: SessionId = SessionId(Uuid::from_u128(71));

fn until(id: SessionId, expires_at: Time) -> NewSession {
    NewSession { id, expires_at }
}

fn make(person: Option<PersonId>) -> DirectoryCommand {
    DirectoryCommand::MakeLink { link: LINK, person: person.map(Into::into), expires_at: at(60) }
}

fn made(person: Option<PersonId>) -> DirectoryEvent {
    DirectoryEvent::LinkMade { link: LINK, person, expires_at: at(60) }
}

fn welcome(newcomer: Option<(&str, &str)>) -> DirectoryCommand {
    let newcomer = newcomer.map(|(handle, name)| Newcomer {
        handle: handle.parse().expect("a handle"),
        name: name.parse().expect("a line"),
    });
    DirectoryCommand::Welcome { link: LINK, newcomer, session: until(PHONE, at(90)) }
}

fn opened(session: SessionId, person: PersonId) -> DirectoryEvent {
    DirectoryEvent::SessionOpened { session, person, expires_at: at(90) }
}

const USED: DirectoryEvent = DirectoryEvent::LinkUsed { link: LINK };

fn password_set(person: PersonId) -> DirectoryEvent {
    DirectoryEvent::PasswordSet { person }
}

/// Mary has a password, and is signed in on her phone.
fn mary_is_in() -> Book {
    ada_and_mary().when(ADA, make(Some(MARY))).then([made(Some(MARY))]).when(MARY, welcome(None)).then([
        USED,
        password_set(MARY),
        opened(PHONE, MARY),
    ])
}

fn sign_in(person: PersonId, session: SessionId) -> DirectoryCommand {
    DirectoryCommand::SignIn { person, session: until(session, at(90)), by: Proof::Password }
}

#[test]
fn the_first_admin_comes_through_a_link_once() {
    let first = PersonId(Uuid::from_u128(100));
    let book = book([]).when(Actor::Console, make(None)).then([made(None)]);
    book.clone().when(Actor::Console, welcome(None)).refused(Code::Invalid);
    let book = book.when(Actor::Console, welcome(Some(("ada", "Ada")))).then([
        added(first, "ada", "Ada", true),
        USED,
        password_set(first),
        opened(PHONE, first),
    ]);
    assert!(book.directory.an_admin_can_get_in(at(1)));
    assert_eq!(book.directory.scope_of_sessions(first), Scope::Admin);
    book.when(Actor::Console, welcome(Some(("mary", "Mary")))).refused(Code::NotThere);
}

#[test]
fn the_first_admin_is_the_first() {
    let other = LinkId(Uuid::from_u128(61));
    let book = book([made(None), DirectoryEvent::LinkMade { link: other, person: None, expires_at: at(60) }]);
    let mut book = book.when(Actor::Console, welcome(Some(("ada", "Ada")))).then([
        added(PersonId(Uuid::from_u128(100)), "ada", "Ada", true),
        USED,
        password_set(PersonId(Uuid::from_u128(100))),
        opened(PHONE, PersonId(Uuid::from_u128(100))),
    ]);
    book.now = at(1);
    let again = DirectoryCommand::Welcome {
        link: other,
        newcomer: Some(Newcomer { handle: "mary".parse().unwrap(), name: "Mary".parse().unwrap() }),
        session: until(LAPTOP, at(90)),
    };
    book.when(Actor::Console, again).refused(Code::NotThere);
}

#[test]
fn an_admin_without_a_way_in_is_the_first_again() {
    let book = ada_and_mary().when(Actor::Console, make(None)).then([made(None)]);
    book.clone().when(Actor::Console, welcome(Some(("mary", "Mary")))).refused(Code::Taken);
    let command = welcome(Some(("ada", "Somebody")));
    let book = book.when(Actor::Console, command).then([USED, password_set(ADA), opened(PHONE, ADA)]);
    assert_eq!(book.directory.facts.name(ADA), "Ada");
}

#[test]
fn a_link_is_for_one_person_and_for_a_while() {
    ada_and_mary().when(MARY, make(Some(MARY))).refused(Code::AdminsOnly);
    let sabrina = Who::Handle("sabrina".parse().expect("a handle"));
    let unknown = DirectoryCommand::MakeLink { link: LINK, person: Some(sabrina), expires_at: at(60) };
    ada_and_mary().when(ADA, unknown).refused(Code::UnknownPerson);
    let mut book = ada_and_mary().when(ADA, make(Some(MARY))).then([made(Some(MARY))]);
    book.clone().when(ADA, welcome(None)).refused(Code::AdminsOnly);
    book.clone().when(MARY, welcome(Some(("m", "M")))).refused(Code::Invalid);
    book.now = at(60);
    book.when(MARY, welcome(None)).refused(Code::NotThere);
}

#[test]
fn a_link_ends_what_was_open_before() {
    let again = LinkId(Uuid::from_u128(62));
    let command = DirectoryCommand::MakeLink { link: again, person: Some(MARY.into()), expires_at: at(60) };
    let book = mary_is_in().when(Actor::Console, command).then([DirectoryEvent::LinkMade {
        link: again,
        person: Some(MARY),
        expires_at: at(60),
    }]);
    let command = DirectoryCommand::Welcome { link: again, newcomer: None, session: until(LAPTOP, at(90)) };
    let book = book.when(MARY, command).then([
        DirectoryEvent::LinkUsed { link: again },
        password_set(MARY),
        DirectoryEvent::SessionEnded { session: PHONE },
        opened(LAPTOP, MARY),
    ]);
    assert!(book.directory.session(PHONE, at(1)).is_none());
    assert!(book.directory.session(LAPTOP, at(1)).is_some());
}

#[test]
fn a_session_lets_in_until_it_expires_or_is_ended() {
    let book = mary_is_in();
    assert!(book.directory.session(PHONE, at(89)).is_some());
    assert!(book.directory.session(PHONE, at(90)).is_none());
    let book = book.when(MARY, sign_in(MARY, LAPTOP)).then([opened(LAPTOP, MARY)]);
    let end = |session| DirectoryCommand::EndSession { session };
    let book = book.when(MARY, end(PHONE)).then([DirectoryEvent::SessionEnded { session: PHONE }]);
    assert!(book.directory.session(PHONE, at(1)).is_none());
    book.clone().when(MARY, end(PHONE)).refused(Code::AdminsOnly);
    book.clone().when(ADA, end(PHONE)).refused(Code::NotThere);
    book.when(ADA, end(LAPTOP)).then([DirectoryEvent::SessionEnded { session: LAPTOP }]);
}

#[test]
fn nobody_signs_in_for_another_or_without_a_password() {
    let book = mary_is_in();
    book.clone().when(ADA, sign_in(MARY, LAPTOP)).refused(Code::AdminsOnly);
    book.clone().when(ADA, sign_in(ADA, LAPTOP)).refused(Code::NotThere);
    book.when(ADA, DirectoryCommand::SetPassword { person: MARY, keep: None }).refused(Code::AdminsOnly);
}

#[test]
fn a_new_password_ends_every_other_session() {
    let book = mary_is_in().when(MARY, sign_in(MARY, LAPTOP)).then([opened(LAPTOP, MARY)]);
    let change = DirectoryCommand::SetPassword { person: MARY, keep: Some(LAPTOP) };
    let ended = DirectoryEvent::SessionEnded { session: PHONE };
    let book = book.when(MARY, change).then([password_set(MARY), ended]);
    assert!(book.directory.session(LAPTOP, at(1)).is_some());
}

#[test]
fn the_fifty_first_session_ends_the_oldest() {
    let nth = |n: u128| SessionId(Uuid::from_u128(1_000 + n));
    let mut book = mary_is_in();
    for n in 1..50 {
        book.now = at(1);
        book = book.when(MARY, sign_in(MARY, nth(n))).then([opened(nth(n), MARY)]);
    }
    let ended = DirectoryEvent::SessionEnded { session: PHONE };
    book.when(MARY, sign_in(MARY, nth(50))).then([ended, opened(nth(50), MARY)]);
}

#[test]
fn whoever_is_deactivated_is_out_and_stays_out() {
    let gone = DirectoryEvent::PersonDeactivated { person: MARY };
    let book = mary_is_in().when(ADA, change("deactivate_person", json!({ "person": "mary" }))).then([gone]);
    assert!(book.directory.session(PHONE, at(1)).is_none());
    let back = DirectoryEvent::PersonActivated { person: MARY };
    let book = book.when(ADA, change("activate_person", json!({ "person": "mary" }))).then([back]);
    assert!(book.directory.session(PHONE, at(1)).is_none());
    book.when(MARY, sign_in(MARY, LAPTOP)).refused(Code::NotThere);
}

#[test]
fn after_a_restore_nobody_is_signed_in() {
    let out = || DirectoryCommand::SignEverybodyOut {};
    let book = mary_is_in().when(Actor::Console, out()).then([DirectoryEvent::EverybodySignedOut {}]);
    assert!(
        book.directory.sessions.is_empty() && book.directory.passwords.is_empty() && book.directory.links.is_empty()
    );
    book.when(Actor::Console, out()).refused(Code::AlreadySo);
}

#[test]
fn signing_in_works_without_any_admin() {
    let gone = DirectoryEvent::PersonDeactivated { person: ADA };
    let command = change("deactivate_person", json!({ "person": "ada" }));
    let book = mary_is_in().when(Actor::Console, command).then([gone]);
    book.when(MARY, sign_in(MARY, LAPTOP)).then([opened(LAPTOP, MARY)]);
}

#[test]
fn an_admin_signs_somebody_out_everywhere() {
    let book = mary_is_in()
        .when(ADA, change("end_sessions", json!({"person": "mary"})))
        .then([DirectoryEvent::SessionEnded { session: PHONE }]);
    assert!(book.directory.session(PHONE, at(1)).is_none());
}

//! Passkeys, and which acts ask for a fresh proof of who sits there.

use serde_json::json;
use uuid::Uuid;
use wardroom_core::account::NewSession;
use wardroom_core::directory::{DirectoryCommand, DirectoryEvent};
use wardroom_core::id::{Actor, LinkId, PasskeyId, PersonId, SessionId, TokenId};
use wardroom_core::passkey::Proof;
use wardroom_core::refusal::{Code, Remedy};
use wardroom_core::token::{Digest, Scope};

use crate::cast::{ADA, MARY, at};
use crate::directory::{Book, ada_and_mary, change};
use crate::words::text;

const KEY: PasskeyId = PasskeyId(Uuid::from_u128(50));
const PHONE: SessionId = SessionId(Uuid::from_u128(70));
const DESK: SessionId = SessionId(Uuid::from_u128(71));
const LINK: LinkId = LinkId(Uuid::from_u128(60));
const TOKEN: TokenId = TokenId(Uuid::from_u128(80));

fn add(passkey: PasskeyId, person: PersonId) -> DirectoryCommand {
    DirectoryCommand::AddPasskey { passkey, person, label: "Laptop".parse().expect("a line") }
}

fn has(passkey: PasskeyId, person: PersonId) -> DirectoryEvent {
    DirectoryEvent::PasskeyAdded { passkey, person, label: text("Laptop") }
}

fn remove(passkey: PasskeyId) -> DirectoryCommand {
    DirectoryCommand::RemovePasskey { passkey }
}

fn removed(passkey: PasskeyId) -> DirectoryEvent {
    DirectoryEvent::PasskeyRemoved { passkey }
}

fn sign_in(person: PersonId, id: SessionId, by: Proof) -> DirectoryCommand {
    DirectoryCommand::SignIn { person, session: NewSession { id, expires_at: at(900) }, by }
}

fn opened(session: SessionId, person: PersonId) -> DirectoryEvent {
    DirectoryEvent::SessionOpened { session, person, expires_at: at(900) }
}

/// Mary and Ada have a passkey each, and no password.
fn with_keys() -> Book {
    let other = PasskeyId(Uuid::from_u128(51));
    ada_and_mary().when(MARY, add(KEY, MARY)).then([has(KEY, MARY)]).when(ADA, add(other, ADA)).then([has(other, ADA)])
}

#[test]
fn a_passkey_opens_a_session_of_its_owner_and_of_nobody_else() {
    let book = with_keys();
    assert!(book.directory.an_admin_can_get_in(at(1)), "Ada can, by hers");
    book.clone().when(ADA, sign_in(ADA, DESK, Proof::Passkey(KEY))).refused(Code::NotThere);
    book.clone().when(MARY, sign_in(MARY, DESK, Proof::Password)).refused(Code::NotThere);
    book.clone().when(ADA, sign_in(MARY, DESK, Proof::Passkey(KEY))).refused(Code::AdminsOnly);
    book.when(MARY, sign_in(MARY, DESK, Proof::Passkey(KEY))).then([opened(DESK, MARY)]);
}

#[test]
fn nobody_adds_a_passkey_for_another_and_an_admin_may_remove_one() {
    let book = with_keys();
    let new = PasskeyId(Uuid::from_u128(52));
    book.clone().when(ADA, add(new, MARY)).refused(Code::AdminsOnly);
    book.clone().when(MARY, remove(PasskeyId(Uuid::from_u128(51)))).refused(Code::AdminsOnly);
    book.clone().when(MARY, remove(KEY)).then([removed(KEY)]);
    let book = book.when(ADA, remove(KEY)).then([removed(KEY)]);
    book.clone().when(ADA, remove(KEY)).refused(Code::NotThere);
    book.when(MARY, sign_in(MARY, DESK, Proof::Passkey(KEY))).refused(Code::NotThere);
}

#[test]
fn one_person_has_twenty_passkeys_at_the_most() {
    let mut book = ada_and_mary();
    for n in 0..20 {
        let key = PasskeyId(Uuid::from_u128(1_000 + n));
        book = book.when(MARY, add(key, MARY)).then([has(key, MARY)]);
    }
    book.when(MARY, add(KEY, MARY)).refused(Code::TooMany);
}

#[test]
fn a_passkey_ends_with_its_owners_account_with_a_link_and_with_a_restore() {
    let gone = DirectoryEvent::PersonDeactivated { person: MARY };
    let book = with_keys().when(ADA, change("deactivate_person", json!({ "person": "mary" }))).then([gone]);
    assert!(!book.directory.passkeys.contains_key(&KEY));
    // Whoever comes through a link may have lost what held it.
    let make = DirectoryCommand::MakeLink { link: LINK, person: Some(MARY.into()), expires_at: at(60) };
    let made = DirectoryEvent::LinkMade { link: LINK, person: Some(MARY), expires_at: at(60) };
    let session = NewSession { id: DESK, expires_at: at(900) };
    let come = DirectoryCommand::Welcome { link: LINK, newcomer: None, session };
    with_keys().when(ADA, make).then([made]).when(MARY, come).then([
        DirectoryEvent::LinkUsed { link: LINK },
        DirectoryEvent::PasswordSet { person: MARY },
        removed(KEY),
        opened(DESK, MARY),
    ]);
    let out = DirectoryCommand::SignEverybodyOut {};
    let book = with_keys().when(Actor::Console, out).then([DirectoryEvent::EverybodySignedOut {}]);
    assert!(book.directory.passkeys.is_empty());
}

#[test]
fn forgetting_somebody_takes_what_they_called_their_passkeys() {
    let book = with_keys();
    let seal = book.directory.passkeys[&KEY].label.seal().expect("it is sealed");
    assert!(book.directory.seals[&MARY].contains(&seal));
}

/// What gives access, takes it from another, or outlives the session; and what does not.
fn weighty(session: SessionId) -> (Vec<DirectoryCommand>, Vec<DirectoryCommand>) {
    let label = "a script".parse().expect("a line");
    let (scope, digest) = (Scope::Admin, Digest::new([7; 32]));
    let asks = vec![
        change("add_person", json!({ "handle": "robin", "name": "Robin", "admin": true })),
        change("change_person", json!({ "person": "mary", "admin": true })),
        change("change_person", json!({ "person": "mary", "admin": false })),
        change("deactivate_person", json!({ "person": "mary" })),
        change("activate_person", json!({ "person": "mary" })),
        change("forget_person", json!({ "person": "mary" })),
        change("import", json!({ "roster": { "people": [] } })),
        change("revoke_token", json!({ "token": TOKEN })),
        DirectoryCommand::IssueToken { token: TOKEN, person: ADA.into(), scope, label, expires_at: None, digest },
        DirectoryCommand::MakeLink { link: LINK, person: Some(MARY.into()), expires_at: at(60) },
        DirectoryCommand::EndSession { session: PHONE },
        add(PasskeyId(Uuid::from_u128(52)), ADA),
        remove(KEY),
        remove(PasskeyId(Uuid::from_u128(51))),
    ];
    let does_not = vec![
        change("add_person", json!({ "handle": "robin", "name": "Robin" })),
        change("change_person", json!({ "person": "mary", "name": "Maria" })),
        change("set_team", json!({ "team": "sre", "members": [] })),
        change("remove_service", json!({ "service": "search" })),
        DirectoryCommand::EndSession { session },
    ];
    (asks, does_not)
}

#[test]
fn what_changes_who_gets_in_asks_an_old_session_for_a_proof() {
    let other = PasskeyId(Uuid::from_u128(51));
    let book = with_keys()
        .when(ADA, sign_in(ADA, DESK, Proof::Passkey(other)))
        .then([opened(DESK, ADA)])
        .when(MARY, sign_in(MARY, PHONE, Proof::Passkey(KEY)))
        .then([opened(PHONE, MARY)]);
    let (asks, does_not) = weighty(DESK);
    let refused = |book: &Book, now, command| book.directory.proven_enough(DESK, command, at(now)).err();
    for command in &asks {
        assert_eq!(refused(&book, 14, command), None, "{command:?}");
        let refusal = refused(&book, 15, command).unwrap_or_else(|| panic!("{command:?}"));
        assert_eq!((refusal.code, refusal.remedy), (Code::StepUp, Some(Remedy::StepUp)));
    }
    for command in &does_not {
        assert_eq!(refused(&book, 800, command), None, "{command:?}");
    }
    let anew = |minutes| book.directory.freshly_proven(DESK, at(minutes)).map_err(|refusal| refusal.code);
    assert_eq!((anew(14), anew(15)), (Ok(()), Err(Code::StepUp)), "of what is drawn only after it");
    // Shown once more, it is well for a while.
    let prove = |session, by| DirectoryCommand::ProveSession { session, by };
    let mut book = book;
    book.now = at(20);
    book.clone().when(MARY, prove(DESK, Proof::Passkey(KEY))).refused(Code::AdminsOnly);
    book.clone().when(ADA, prove(PHONE, Proof::Passkey(KEY))).refused(Code::AdminsOnly);
    book.clone().when(ADA, prove(DESK, Proof::Passkey(KEY))).refused(Code::NotThere);
    book.clone().when(ADA, prove(DESK, Proof::Password)).refused(Code::NotThere);
    let book =
        book.when(ADA, prove(DESK, Proof::Passkey(other))).then([DirectoryEvent::SessionProven { session: DESK }]);
    for command in &asks {
        assert_eq!(refused(&book, 34, command), None, "{command:?}");
        assert!(refused(&book, 35, command).is_some(), "{command:?}");
    }
    assert!(book.directory.proven_enough(PHONE, &asks[1], at(20)).is_err(), "each session for itself");
}

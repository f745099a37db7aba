//! People of the directory: adding, changing, deactivating, forgetting.

use serde_json::json;
use uuid::Uuid;
use wardroom_core::directory::DirectoryEvent;
use wardroom_core::id::{Handle, PersonId, Who};
use wardroom_core::person::Email;
use wardroom_core::refusal::Code;

use crate::cast::{ADA, MARY};
use crate::directory::{ada_and_mary, added, change};
use crate::words::text;

/// The first id that is drawn.
const FIRST: PersonId = PersonId(Uuid::from_u128(100));

fn changed(name: Option<&str>, email: Option<&str>) -> DirectoryEvent {
    DirectoryEvent::PersonChanged {
        person: MARY,
        handle: None,
        name: name.map(text),
        email: email.map(text),
        admin: None,
    }
}

#[test]
fn a_person_is_added_under_a_handle_of_their_own() {
    ada_and_mary()
        .when(ADA, change("add_person", json!({"handle": "robin", "name": "Robin"})))
        .then([added(FIRST, "robin", "Robin", false)])
        .when(ADA, change("add_person", json!({"handle": "mary", "name": "Another Mary"})))
        .says("The handle “mary” belongs to Mary. Choose another.")
        .refused(Code::Taken);
}

#[test]
fn only_what_differs_is_changed() {
    ada_and_mary()
        .when(ADA, change("change_person", json!({"person": "mary", "name": "Mary", "handle": "mary"})))
        .says("The directory says that already.")
        .refused(Code::AlreadySo)
        .when(ADA, change("change_person", json!({"person": "@mary", "name": "Mary", "email": "mary@example.org"})))
        .then([changed(None, Some("mary@example.org"))])
        .when(ADA, change("change_person", json!({"person": MARY, "name": "Mary M."})))
        .then([changed(Some("Mary M."), None)])
        .when(ADA, change("change_person", json!({"person": "mary", "handle": "ada"})))
        .refused(Code::Taken)
        .when(ADA, change("change_person", json!({"person": "nobody", "name": "X"})))
        .refused(Code::UnknownPerson);
}

#[test]
fn an_address_is_one_persons_and_whoever_left_keeps_nobody_from_theirs() {
    let mine = |person: &str, email: &str| change("change_person", json!({ "person": person, "email": email }));
    let theirs = || change("add_person", json!({ "handle": "robin", "name": "Robin", "email": "Mary@Example.org" }));
    let taken = |of: &str| {
        format!(
            "The address {of} belongs to Mary. Give each person one of their own: by one that two have, nobody can be told \
             apart."
        )
    };
    let book = ada_and_mary().when(ADA, mine("mary", "mary@example.org")).accepted();
    book.clone().when(ADA, theirs()).says(&taken("Mary@Example.org")).refused(Code::Taken);
    book.clone().when(ADA, mine("ada", "mary@example.org")).says(&taken("mary@example.org")).refused(Code::Taken);
    book.clone().when(ADA, mine("mary", "MARY@example.org")).accepted();
    // She comes back with what she had, and it stays with both until somebody says otherwise.
    let left = book.when(ADA, change("deactivate_person", json!({ "person": "mary" }))).accepted();
    let both = left
        .when(ADA, theirs())
        .accepted()
        .when(ADA, change("activate_person", json!({ "person": "mary" })))
        .accepted()
        .when(ADA, change("change_person", json!({ "person": "mary", "name": "M", "email": "mary@example.org" })))
        .accepted();
    assert_eq!(both.directory.facts.people[&MARY].name.words(), Some("M"));
    both.when(ADA, mine("ada", "mary@example.org")).refused(Code::Taken);
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let email = change("change_person", json!({"person": "mary", "email": "mary@example.org"}));
    let name = change("change_person", json!({"person": "mary", "name": "M"}));
    let book = ada_and_mary().when(ADA, email).accepted().when(ADA, name).accepted();
    let mary = &book.directory.facts.people[&MARY];
    assert_eq!(mary.email.as_ref().and_then(|email| email.words()), Some("mary@example.org"));
    assert_eq!(mary.handle.words(), Some("mary"));
}

#[test]
fn a_person_is_deactivated_and_activated_once_each() {
    let set = |name: &str| change(name, json!({"person": "mary"}));
    ada_and_mary()
        .when(ADA, set("activate_person"))
        .refused(Code::AlreadySo)
        .when(ADA, set("deactivate_person"))
        .then([DirectoryEvent::PersonDeactivated { person: MARY }])
        .when(ADA, set("deactivate_person"))
        .refused(Code::AlreadySo)
        .when(ADA, set("activate_person"))
        .then([DirectoryEvent::PersonActivated { person: MARY }]);
}

#[test]
fn forgetting_takes_every_word_out_past_ones_too() {
    let rename = change("change_person", json!({"person": "mary", "name": "Maria", "email": "maria@example.org"}));
    let book = ada_and_mary().when(ADA, rename).accepted();
    let seals = book.directory.seals[&MARY].clone();
    assert_eq!(seals.len(), 4, "handle, both names, the address");
    let book = book
        .when(ADA, change("forget_person", json!({"person": "mary"})))
        .then([DirectoryEvent::PersonForgotten { person: MARY, seals }]);
    let kept = serde_json::to_string(&book.directory.facts).expect("facts");
    assert!(!kept.contains("mary") && !kept.contains("Maria"), "{kept}");
    assert_eq!(book.directory.facts.name(MARY), "a forgotten person");
    assert!(!book.directory.facts.active(MARY));
}

#[test]
fn who_was_forgotten_stays_forgotten() {
    let by_id = |name: &str| change(name, json!({"person": MARY}));
    ada_and_mary()
        .when(ADA, change("forget_person", json!({"person": "mary"})))
        .accepted()
        .when(ADA, by_id("forget_person"))
        .refused(Code::AlreadySo)
        .when(ADA, by_id("activate_person"))
        .says("This person was forgotten. Add them anew.")
        .refused(Code::Inactive)
        .when(ADA, change("change_person", json!({"person": MARY, "handle": "mary", "name": "Mary"})))
        .says("This person was forgotten. Add them anew.")
        .refused(Code::Inactive)
        .when(ADA, change("add_person", json!({"handle": "mary", "name": "Mary"})))
        .then([added(FIRST, "mary", "Mary", false)]);
}

#[test]
fn handles_addresses_and_names_are_bounded() {
    for bad in ["", "Mary", "mary jane", "-mary", "märy", "mary\n", &"m".repeat(33)] {
        let error = bad.parse::<Handle>().expect_err(bad).to_string();
        assert!(error.starts_with("a handle is 1 to 32") && !error.contains('\n'), "{error}");
    }
    for good in ["mary@example.org", "m+x@a.b", "mary.o'neill@example.org"] {
        assert!(good.parse::<Email>().is_ok(), "{good}");
    }
    let long = format!("{}@example.org", "m".repeat(250));
    for bad in
        ["", "mary", "@example.org", "mary@example", "mary@.org", "mary@org.", "a@b@c.d", "a b@c.d", "<a@b.c>", &long]
    {
        assert!(bad.parse::<Email>().is_err(), "{bad}");
    }
}

#[test]
fn a_person_is_named_by_handle_mention_or_id() {
    assert_eq!("mary".parse::<Who>(), "@mary".parse::<Who>());
    assert_eq!(MARY.to_string().parse::<Who>(), Ok(Who::Id(MARY)));
    assert!("@@mary".parse::<Who>().is_err());
}

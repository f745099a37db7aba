//! Passkeys: made, used and removed, by an authenticator in software; and all that must not let anybody in.

use serde_json::{Value, json};

use crate::authenticator::{Authenticator, SITE};
use crate::browser::{Browser, Told};
use crate::house::{House, Server};
use crate::on_both;

on_both!(
    a_passkey_is_added_signs_in_and_is_removed,
    what_is_not_quite_right_lets_nobody_in,
    a_passkey_goes_with_its_owners_access,
    a_passkey_that_counts_backwards_is_refused,
    passkeys_are_the_houses_own_and_in_no_backup,
);

pub const SIGN_IN: &str = "/api/v1/session/passkey";

pub fn serve(house: &House) -> Server {
    house.serve_in(&[("WARDROOM_PUBLIC_URL", SITE)])
}

/// Has somebody who is signed in add a passkey.
pub fn add(browser: &mut Browser, key: &mut Authenticator) -> Told {
    let options = browser.post("/api/v1/passkeys/challenge", json!({}));
    assert_eq!(options.status, 200, "{}", options.body);
    browser.post("/api/v1/passkeys", key.make(&options.body))
}

/// Signs in, in a browser that knows nothing yet.
pub fn sign_in(browser: &mut Browser, key: &mut Authenticator) -> Told {
    let options = browser.post("/api/v1/session/passkey/challenge", json!({}));
    assert_eq!(options.status, 200, "{}", options.body);
    browser.post(SIGN_IN, key.sign(&options.body))
}

fn list(browser: &mut Browser) -> Vec<Value> {
    browser.get("/api/v1/passkeys").body["passkeys"].as_array().unwrap().clone()
}

fn a_passkey_is_added_signs_in_and_is_removed(house: House) {
    let server = serve(&house);
    let mut desk = Browser::of(&house, &server, "mary");
    let mut key = Authenticator::new();
    let options = desk.post("/api/v1/passkeys/challenge", json!({})).body;
    assert_eq!((&options["host"], &options["algorithms"]), (&json!("wardroom.example.org"), &json!([-7, -8, -257])));
    assert_eq!((&options["user"]["handle"], &options["known"]), (&json!("mary"), &json!([])), "{options}");
    let mut made = key.make(&options);
    made["label"] = json!("The red key");
    let added = desk.post("/api/v1/passkeys", made.clone());
    assert_eq!((added.status, &added.body["label"]), (201, &json!("The red key")), "{}", added.body);
    assert_eq!(desk.post("/api/v1/passkeys", made).said(), (401, "passkey_not_accepted"), "its challenge is used up");
    assert_eq!(add(&mut desk, &mut key).said(), (409, "taken"));
    assert_eq!(list(&mut desk).iter().map(|key| &key["used_at"]).collect::<Vec<_>>(), [&Value::Null]);
    let mut phone = Browser::new(&server);
    let options = phone.post("/api/v1/session/passkey/challenge", json!({})).body;
    assert_eq!(options["passkeys"], json!([]), "it is not said who has one");
    let signature = key.sign(&options);
    let told = phone.post(SIGN_IN, signature.clone());
    assert_eq!(told.status, 204, "{}", told.body);
    assert_eq!(phone.get("/api/v1/me").body["person"]["handle"], "mary");
    assert_eq!(Browser::new(&server).post(SIGN_IN, signature).said(), (401, "passkey_not_accepted"), "once");
    let listed = list(&mut desk);
    assert!(listed[0]["used_at"].is_string() && listed[0]["added_at"].is_string(), "{listed:?}");
    let mine = format!("/api/v1/passkeys/{}", listed[0]["id"].as_str().unwrap());
    let mut robin = Browser::of(&house, &server, "robin");
    assert_eq!(robin.delete(&mine).said(), (404, "no_such_passkey"));
    assert_eq!(list(&mut robin), [Value::Null; 0]);
    assert_eq!(phone.delete(&mine).status, 204);
    assert_eq!(phone.delete(&mine).said(), (404, "no_such_passkey"));
    assert_eq!(house.ask("SELECT count(*) FROM passkeys"), "0", "its key went with it");
    assert_eq!(sign_in(&mut Browser::new(&server), &mut key).said(), (401, "passkey_not_accepted"));
    assert!(phone.is_in(), "what it opened before goes on");
    assert_eq!(house.verify()["holds"], true);
}

fn what_is_not_quite_right_lets_nobody_in(house: House) {
    let server = serve(&house);
    let mut mary = Browser::of(&house, &server, "mary");
    let mut key = Authenticator::new();
    assert_eq!(add(&mut mary, &mut key).status, 201);
    let mut nobody = Browser::new(&server);
    let mut refused = |change: &dyn Fn(&mut Authenticator), why: &str| {
        let (verifies, origin, host) = (key.verifies, key.origin.clone(), key.host.clone());
        change(&mut key);
        let told = sign_in(&mut nobody, &mut key);
        (key.verifies, key.origin, key.host) = (verifies, origin, host);
        assert_eq!(told.said(), (401, "passkey_not_accepted"), "{}", told.body);
        assert!(told.body["detail"].as_str().unwrap().contains(why), "{why}: {}", told.body);
    };
    refused(&|key| key.verifies = false, "did not make sure who you are");
    refused(&|key| key.origin = "https://wardroom.example.com".to_owned(), "another page");
    refused(&|key| key.host = "example.org".to_owned(), "another host");
    // A challenge of another purpose, of nobody's, and another key under the same name.
    let adding = mary.post("/api/v1/passkeys/challenge", json!({})).body;
    let proving = mary.post("/api/v1/session/proof/challenge", json!({})).body;
    for options in [adding, proving, json!({ "challenge": "A".repeat(75) }), json!({ "challenge": "" })] {
        assert_eq!(nobody.post(SIGN_IN, key.sign(&options)).said(), (401, "passkey_not_accepted"), "{options}");
    }
    let mut forged = Authenticator::new();
    forged.credential = key.credential.clone();
    assert_eq!(sign_in(&mut nobody, &mut forged).said(), (401, "passkey_not_accepted"));
    assert_eq!(sign_in(&mut nobody, &mut Authenticator::new()).said(), (401, "passkey_not_accepted"), "an unknown one");
    let options = nobody.post("/api/v1/session/passkey/challenge", json!({})).body;
    let mut signature = key.sign(&options);
    signature["user"] = json!("AAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(nobody.post(SIGN_IN, signature).said(), (401, "passkey_not_accepted"), "somebody else's");
    for bad in [json!({}), json!({ "id": "§", "client_data": "", "authenticator_data": "", "signature": "" })] {
        assert_eq!(nobody.post(SIGN_IN, bad).said(), (400, "malformed"));
    }
    let foreign = key.sign(&options);
    let mut elsewhere = Browser::new(&server).on(Some("https://elsewhere.example"));
    assert_eq!(elsewhere.post(SIGN_IN, foreign.clone()).said(), (403, "foreign_origin"));
    assert!(!nobody.is_in());
    assert_eq!(nobody.post(SIGN_IN, foreign).status, 204, "none of that used it up");
    // Whoever is signed in by another session brings a challenge of theirs.
    let mut other = Browser::new(&server);
    assert_eq!(sign_in(&mut other, &mut key).status, 204);
    let options = mary.post("/api/v1/passkeys/challenge", json!({})).body;
    let made = Authenticator::new().make(&options);
    assert_eq!(other.post("/api/v1/passkeys", made.clone()).said(), (401, "passkey_not_accepted"));
    assert_eq!(mary.post("/api/v1/passkeys", made).status, 201);
}

fn a_passkey_goes_with_its_owners_access(house: House) {
    let server = serve(&house);
    let mut key = Authenticator::new();
    let mut mary = Browser::of(&house, &server, "mary");
    assert_eq!(add(&mut mary, &mut key).status, 201);
    house.run(&["person", "deactivate", "mary"]);
    assert_eq!(sign_in(&mut Browser::new(&server), &mut key).said(), (401, "passkey_not_accepted"));
    house.run(&["person", "activate", "mary"]);
    assert_eq!(sign_in(&mut Browser::new(&server), &mut key).said(), (401, "passkey_not_accepted"));
    assert_eq!(house.ask("SELECT count(*) FROM passkeys"), "0");
    // Whoever comes by a new link may have lost what held it.
    let mut mary = Browser::new(&server);
    assert_eq!(mary.come_in(&crate::browser::link(&house, "mary"), json!({})).status, 204);
    let mut key = Authenticator::new();
    assert_eq!(add(&mut mary, &mut key).status, 201);
    assert_eq!(sign_in(&mut Browser::new(&server), &mut key).status, 204);
    assert_eq!(mary.come_in(&crate::browser::link(&house, "mary"), json!({})).status, 204);
    assert_eq!(sign_in(&mut Browser::new(&server), &mut key).said(), (401, "passkey_not_accepted"));
}

fn a_passkey_that_counts_backwards_is_refused(house: House) {
    let server = serve(&house);
    let mut mary = Browser::of(&house, &server, "mary");
    let mut key = Authenticator::new();
    key.count = 7;
    assert_eq!(add(&mut mary, &mut key).status, 201);
    for (count, status) in [(8, 204), (8, 401), (7, 401), (0, 401), (9, 204), (u32::MAX, 204), (1, 401)] {
        key.count = count;
        let told = sign_in(&mut Browser::new(&server), &mut key);
        assert_eq!(told.status, status, "{count}: {}", told.body);
        assert!(status == 204 || told.body["detail"].as_str().unwrap().contains("two of it"), "{}", told.body);
    }
    // One that does not count says 0 each time.
    let mut plain = Authenticator::new();
    assert_eq!(add(&mut mary, &mut plain).status, 201);
    for _ in 0..2 {
        assert_eq!(sign_in(&mut Browser::new(&server), &mut plain).status, 204);
    }
}

fn passkeys_are_the_houses_own_and_in_no_backup(house: House) {
    let mut server = serve(&house);
    let said = server.said_to_begin_with();
    assert!(said.contains(&format!("{SITE}/welcome#")), "it is told where it is found: {said}");
    let mut ada = Browser::of(&house, &server, "ada");
    assert_eq!(add(&mut ada, &mut Authenticator::new()).status, 201);
    let mary = house.person("mary");
    let (status, problem) = server.post(&mary, "/api/v1/passkeys/challenge", json!({}));
    assert_eq!((status, &problem["code"]), (403, &json!("sessions_only")));
    let file = house.folder().join("passkeys.backup");
    house.run(&["backup", file.to_str().unwrap()]);
    for table in ["passkeys", "challenge_key", "used_challenges"] {
        let left = crate::house::ask_file(&file, &format!("SELECT count(*) FROM sqlite_master WHERE name = '{table}'"));
        let rows = || crate::house::ask_file(&file, &format!("SELECT count(*) FROM {table}"));
        assert!(left == "0" || rows() == "0", "{table}");
    }
    // Without a setting it is where the browser is; a bare address is no name.
    drop(server);
    let server = house.serve();
    let mut nobody = Browser::new(&server);
    assert_eq!(nobody.post("/api/v1/session/passkey/challenge", json!({})).said(), (409, "no_name"));
    let (name, page) = ("wardroom.example.net:8443", "https://wardroom.example.net:8443");
    let headers = [("host", name), ("content-type", "application/json")];
    let told = nobody.on(Some(page)).ask("POST", "/api/v1/session/passkey/challenge", &headers, "{}");
    assert_eq!((told.status, &told.body["host"]), (200, &json!("wardroom.example.net")));
}

/// What one node gave out another one takes, and the first knows that it was used.
#[test]
fn a_challenge_is_good_once_on_all_nodes_together() {
    let house = House::on_postgres();
    let (one, two) = (serve(&house), serve(&house));
    let mut key = Authenticator::new();
    let mut mary = Browser::of(&house, &one, "mary");
    assert_eq!(add(&mut mary, &mut key).status, 201);
    let options = Browser::new(&one).post("/api/v1/session/passkey/challenge", json!({})).body;
    let signature = key.sign(&options);
    assert_eq!(Browser::new(&two).post(SIGN_IN, signature.clone()).status, 204);
    for node in [&one, &two] {
        assert_eq!(Browser::new(node).post(SIGN_IN, signature.clone()).said(), (401, "passkey_not_accepted"));
    }
}

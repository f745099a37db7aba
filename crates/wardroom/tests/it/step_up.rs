//! Who signed in a while ago shows once more who they are before they change who gets in.

use serde_json::json;
use uuid::Uuid;

use crate::authenticator::{Authenticator, SITE};
use crate::browser::{Browser, PASSWORD};
use crate::house::{House, Server};
use crate::on_both;
use crate::passkeys::{add, serve, sign_in};

on_both!(an_old_session_is_asked_once_more, a_token_is_asked_nothing);

const PROVE: &str = "/api/v1/session/proof";

/// A server whose clock is ahead: a session from before is as old.
fn serve_later(house: &House, ahead: &str) -> Server {
    let library =
        std::env::var("WARDROOM_TEST_FAKETIME").expect("run the tests with `make test`: it finds libfaketime");
    let alone = ("FAKETIME_DISABLE_SHM", "1");
    house.serve_in(&[("LD_PRELOAD", library.as_str()), ("FAKETIME", ahead), alone, ("WARDROOM_PUBLIC_URL", SITE)])
}

fn directory(browser: &mut Browser, mut command: serde_json::Value) -> (u16, String) {
    command["request_id"] = json!(Uuid::now_v7());
    let told = browser.post("/api/v1/directory/commands", command);
    (told.status, told.body["code"].as_str().unwrap_or_default().to_owned())
}

fn an_old_session_is_asked_once_more(house: House) {
    let server = serve(&house);
    let mut ada = Browser::of(&house, &server, "ada");
    house.run(&["person", "change", "ada", "--admin", "true"]);
    house.run(&["person", "add", "mary", "--name", "Mary"]);
    let mut key = Authenticator::new();
    assert_eq!(add(&mut ada, &mut key).status, 201);
    let mut other = Browser::new(&server);
    assert_eq!(sign_in(&mut other, &mut key).status, 204);
    let cookies = [ada.cookie.clone(), other.cookie.clone()];
    let promote = || json!({ "command": "change_person", "person": "mary", "admin": true });
    let demote = || json!({ "command": "change_person", "person": "mary", "admin": false });
    assert_eq!(directory(&mut ada, promote()).0, 200, "fresh, nobody asks");
    server.kill();
    let server = serve_later(&house, "+20m");
    let [mut ada, mut other] = cookies.map(|cookie| Browser::new(&server).holding(&cookie));
    let told = ada.post("/api/v1/people/mary/link", json!({}));
    assert_eq!((told.said(), &told.body["remedy"]["do"]), ((403, "step_up"), &json!("step_up")), "{}", told.body);
    assert_eq!(directory(&mut ada, demote()), (403, "step_up".to_owned()));
    assert_eq!(ada.post("/api/v1/passkeys/challenge", json!({})).said(), (403, "step_up"));
    let sessions = ada.get("/api/v1/sessions").body["sessions"].clone();
    let not_this = sessions.as_array().unwrap().iter().find(|session| session["current"] == false).unwrap().clone();
    // What takes nothing from anybody else goes on.
    assert_eq!(directory(&mut ada, json!({ "command": "set_team", "team": "sre", "members": ["mary"] })).0, 200);
    // By a password, and not by a wrong one or nothing.
    assert_eq!(ada.post(PROVE, json!({ "password": "not the one at all" })).said(), (401, "wrong_password"));
    assert_eq!(ada.post(PROVE, json!({})).said(), (400, "malformed"));
    assert_eq!(ada.post("/api/v1/people/mary/link", json!({})).said(), (403, "step_up"));
    assert_eq!(ada.post(PROVE, json!({ "password": PASSWORD })).status, 204);
    assert_eq!(ada.post("/api/v1/people/mary/link", json!({})).status, 201);
    assert_eq!(directory(&mut ada, demote()).0, 200);
    // Each session for itself; this one by a passkey of theirs, and by no other's.
    assert_eq!(directory(&mut other, promote()), (403, "step_up".to_owned()));
    let options = other.post("/api/v1/session/proof/challenge", json!({})).body;
    assert_eq!(options["passkeys"].as_array().unwrap().len(), 1, "{options}");
    let mut robin = Browser::of(&house, &server, "robin");
    let mut robins = Authenticator::new();
    assert_eq!(add(&mut robin, &mut robins).status, 201);
    assert_eq!(other.post(PROVE, json!({ "passkey": robins.sign(&options) })).said(), (401, "passkey_not_accepted"));
    let options = other.post("/api/v1/session/proof/challenge", json!({})).body;
    let shown = json!({ "passkey": key.sign(&options) });
    assert_eq!(ada.post(PROVE, shown.clone()).said(), (401, "passkey_not_accepted"), "made for another session");
    assert_eq!(other.post(PROVE, shown).status, 204);
    assert_eq!(directory(&mut other, promote()).0, 200);
    // One's own session may be ended at any time.
    let path = format!("/api/v1/sessions/{}", not_this["id"].as_str().unwrap());
    let cookie = ada.cookie.clone();
    server.kill();
    let server = serve_later(&house, "+90m");
    let mut ada = Browser::new(&server).holding(&cookie);
    assert_eq!(ada.post("/api/v1/people/mary/link", json!({})).said(), (403, "step_up"), "it wears off");
    assert_eq!(ada.delete(&path).status, 204);
    assert_eq!(house.verify()["holds"], true);
}

/// Whoever made it settled what it may do, and nobody sits at it who could be asked.
fn a_token_is_asked_nothing(house: House) {
    let ada = house.admin("ada");
    house.run(&["person", "add", "mary", "--name", "Mary"]);
    let server = serve_later(&house, "+20m");
    assert_eq!(server.post(&ada, "/api/v1/people/mary/link", json!({})).0, 201);
    let shown = json!({ "password": PASSWORD }).to_string();
    let (status, problem) = server.send(&ada, PROVE, shown.as_bytes()).unwrap();
    assert_eq!((status, &problem["code"]), (403, &json!("sessions_only")));
}

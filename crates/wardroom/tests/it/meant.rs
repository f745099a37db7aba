//! Whom a request means, and what it was said on: nothing goes out as somebody else's, and nobody vouches for words that
//! they have not seen.

use serde_json::{Value, json};
use wardroom_core::document::Part;

use crate::browser::{Browser, PASSWORD};
use crate::house::{House, Server};
use crate::on_both;
use crate::peer::{Peer, connect_at};

on_both!(
    what_one_person_wrote_is_not_sent_as_another_who_signed_in_since,
    a_token_is_held_to_whom_it_means,
    words_of_a_document_are_not_sent_as_anothers,
    nobody_says_that_words_are_still_true_which_they_have_not_seen,
);

/// Everything that was ever recorded in an incident.
fn recorded(server: &Server, token: &str, n: u64) -> u64 {
    server.get(token, &format!("/api/v1/incidents/{n}")).1["last_entry"].as_u64().unwrap()
}

fn id_of(server: &Server, token: &str) -> String {
    server.get(token, "/api/v1/me").1["person"]["id"].as_str().unwrap().to_owned()
}

fn note(id: &str) -> String {
    json!({ "request_id": id, "command": "note", "text": "said by Marty" }).to_string()
}

fn what_one_person_wrote_is_not_sent_as_another_who_signed_in_since(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let mut browser = Browser::of(&house, &server, "marty");
    let me = |browser: &mut Browser<'_>| browser.get("/api/v1/me").body["person"]["id"].as_str().unwrap().to_owned();
    let marty = me(&mut browser);
    Browser::of(&house, &server, "robin");
    assert_eq!(browser.sign_in("robin", PASSWORD).status, 204);
    let robin = me(&mut browser);

    let before = recorded(&server, &mary, n);
    let request = uuid::Uuid::now_v7().to_string();
    let commands = format!("/api/v1/incidents/{n}/commands");
    let json = ("content-type", "application/json");
    let told = browser.ask("POST", &commands, &[json, ("wardroom-as", &marty)], &note(&request));
    assert_eq!(told.said(), (409, "somebody_else"));
    let evidence = format!("/api/v1/incidents/{n}/evidence?name=pods.txt&request_id={}", uuid::Uuid::now_v7());
    let told = browser.ask("POST", &evidence, &[("content-type", "text/plain"), ("wardroom-as", &marty)], "pods");
    assert_eq!(told.said(), (409, "somebody_else"));
    let told = browser.ask("POST", &commands, &[json, ("wardroom-as", "marty")], &note(&request));
    assert_eq!(told.said(), (400, "malformed"));
    assert_eq!(recorded(&server, &mary, n), before, "nothing came of it");

    // Marty signs in again, and what waited is sent as his. Robin's page means Robin.
    let told =
        browser.ask("POST", &commands, &[json, ("wardroom-as", &robin)], &note(&uuid::Uuid::now_v7().to_string()));
    assert_eq!(told.status, 200, "{}", told.body);
    assert_eq!(browser.sign_in("marty", PASSWORD).status, 204);
    let told = browser.ask("POST", &commands, &[json, ("wardroom-as", &marty)], &note(&request));
    assert_eq!(told.status, 200, "{}", told.body);
}

fn a_token_is_held_to_whom_it_means(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let robin = id_of(&server, &robin);
    let mut script = Browser::new(&server).on(None);
    let bearer = format!("Bearer {mary}");
    let mut ask = |headers: &[(&str, &str)]| {
        let mut all = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        all.extend(headers);
        let id = uuid::Uuid::now_v7().to_string();
        script.ask("POST", &format!("/api/v1/incidents/{n}/commands"), &all, &note(&id)).status
    };
    assert_eq!(ask(&[]), 200, "nobody has to say it");
    assert_eq!(ask(&[("wardroom-as", &id_of(&server, &mary))]), 200);
    assert_eq!(ask(&[("wardroom-as", &robin)]), 409);
}

fn words_of_a_document_are_not_sent_as_anothers(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let meant = |token: &str, person: &str| {
        Peer::over(connect_at(&server, token, &format!("{n}/document?epoch=anything&as={person}")))
    };
    let (code, reason) = meant(&robin, &id_of(&server, &mary)).closed();
    assert_eq!(code, 4412, "{reason}");
    // Whose words they are comes before which log they are of.
    assert_eq!(meant(&mary, &id_of(&server, &mary)).closed().0, 4410);
    let address = format!("{n}/document?as={}", id_of(&server, &mary));
    let mut peer = Peer::over(connect_at(&server, &mary, &address));
    peer.until("it has the text", Peer::is_in_step);
}

fn nobody_says_that_words_are_still_true_which_they_have_not_seen(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&robin, n, json!({ "command": "join" }));
    let mut peer = Peer::join(&server, &robin, n);
    peer.until("it has the text", Peer::is_in_step);
    peer.write_in(Part::Status, "db3 is out");
    peer.until("it is saved", Peer::is_saved);

    let still =
        |version: &Value| json!({ "command": "still_true", "parts": ["summary", "status"], "version": version });
    let (status, no) = server.command(&mary, n, still(&json!(0)));
    assert_eq!((status, &no["code"]), (409, &json!("changed_meanwhile")), "{no}");
    assert!(no["detail"].as_str().unwrap().starts_with("Robin changed the detailed status at "), "{no}");
    let read = server.get(&mary, &format!("/api/v1/incidents/{n}/written")).1["version"].clone();
    server.done(&mary, n, still(&read));
    // What one wrote oneself one has seen; communications is Robin's then.
    server.done(&mary, n, json!({ "command": "offer_role", "role": "communications", "to": { "person": "robin" } }));
    server.done(&robin, n, json!({ "command": "take_role", "role": "communications" }));
    server.done(&robin, n, still(&json!(0)));

    // The command line reads first, or says what was read.
    let late = server.verb(&mary, &["still-true", "1", "status", "--version", "0"]);
    assert_eq!(late.status.code(), Some(1));
    let said = String::from_utf8(late.stderr).unwrap();
    assert!(said.contains("Robin changed the detailed status at "), "{said}");
    assert!(server.verb(&mary, &["still-true", "1", "status"]).status.success());
}

//! Guests: let in by a link into one incident, and shown nothing of any other.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::house::{House, Server};
use crate::on_both;

on_both!(
    a_guest_comes_by_a_link_and_works_in_one_incident,
    nothing_of_another_incident_reaches_a_guest,
    a_link_that_is_no_good_says_what_to_do,
    many_come_at_once_by_one_link,
    being_sent_away_ends_the_stream_at_once,
    closing_ends_the_part_of_guests,
    a_guest_of_a_restricted_incident,
    the_terminal_invites_and_takes_back,
    a_restored_backup_lets_no_guest_in
);

const MARY: &str = "mary";

/// Mary's incident, and a link into it.
fn invited(server: &Server, mary: &str) -> (u64, String) {
    let n = server.declare(mary, "Search is failing");
    (n, invite(server, mary, n))
}

fn invite(server: &Server, token: &str, n: u64) -> String {
    let body = json!({ "request_id": uuid::Uuid::now_v7(), "hours": 1 });
    let (status, made) = server.post(token, &format!("/api/v1/incidents/{n}/invites"), body);
    assert_eq!(status, 201, "{made}");
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert_eq!(made["path"], format!("/guest#{secret}"), "the secret stands in the fragment");
    secret
}

fn come(browser: &mut Browser<'_>, secret: &str, name: &str) -> Value {
    let told = browser.post("/api/v1/guest", json!({ "secret": secret, "name": name }));
    assert_eq!(told.status, 201, "{}", told.body);
    told.body
}

fn say(browser: &mut Browser<'_>, n: u64, mut command: Value) -> (u16, Value) {
    command["request_id"] = json!(uuid::Uuid::now_v7());
    let told = browser.post(&format!("/api/v1/incidents/{n}/commands"), command);
    (told.status, told.body)
}

/// What everybody was told, in order.
fn told(server: &Server, token: &str, n: u64) -> Vec<String> {
    let (_, page) = server.get(token, &format!("/api/v1/incidents/{n}/events"));
    let entries = page["entries"].as_array().unwrap().iter();
    entries.map(|entry| entry["told"].as_str().unwrap_or_default().to_owned()).collect()
}

fn a_guest_comes_by_a_link_and_works_in_one_incident(house: House) {
    let mary = house.person(MARY);
    let server = house.serve();
    let (n, secret) = invited(&server, &mary);
    let mut marty = Browser::new(&server);
    let looked = marty.post("/api/v1/guest/look", json!({ "secret": secret }));
    assert_eq!((looked.status, &looked.body["invited_by"]["name"]), (200, &json!("Mary")));
    assert!(!looked.body.to_string().contains("failing"), "of the incident it tells nothing");
    let came = come(&mut marty, &secret, "Marty");
    assert_eq!((&came["incident"], &came["person"]["name"]), (&json!(n), &json!("Marty (guest)")));
    let me = marty.get("/api/v1/me").body;
    assert_eq!((&me["guest_of"], &me["person"]["guest"], &me["admin"]), (&json!(n), &json!(true), &json!(false)));
    assert_eq!(marty.get(&format!("/api/v1/incidents/{n}")).body["invites"], json!([]), "invites are not for guests");
    for command in [
        json!({ "command": "note", "text": "The pump is dry" }),
        json!({ "command": "doing", "text": "looking at the pump" }),
        json!({ "command": "raise_roadblock", "text": "no key" }),
        json!({ "command": "ask_role", "role": "operations" }),
    ] {
        let (status, answer) = say(&mut marty, n, command.clone());
        assert_eq!(status, 200, "{command}: {answer}");
    }
    server.done(&mary, n, json!({ "command": "offer_role", "role": "operations", "to": { "person": "guest-marty" } }));
    assert_eq!(marty.get("/api/v1/next").body["next"][0]["next"]["do"], "take");
    assert_eq!(say(&mut marty, n, json!({ "command": "take_role", "role": "operations" })).0, 200);
    let state = server.get(&mary, &format!("/api/v1/incidents/{n}")).1;
    assert_eq!((&state["invites"][0]["used"], &state["invites"][0]["by"]["handle"]), (&json!(1), &json!(MARY)));
    assert_eq!(server.get(&mary, "/api/v1/incidents").1["incidents"][0]["next_due"], Value::Null);
    let told = told(&server, &mary, n);
    assert!(told[1].starts_with("Mary made an invite for guests, until "), "{told:?}");
    assert_eq!(told[2], "Marty (guest) is here, by an invite of Mary");
    assert_eq!(told.last().unwrap(), "Marty (guest) took operations");
    let row = |directory: &Value| {
        directory["people"].as_array().unwrap().iter().find(|person| person["handle"] == "guest-marty").cloned()
    };
    assert_eq!(row(&server.get(&mary, "/api/v1/directory").1).unwrap()["guest_of"], n);
    assert_eq!(house.verify()["holds"], true);
}

/// Every way to read, and the live stream.
fn nothing_of_another_incident_reaches_a_guest(house: House) {
    let [mary, robin] = [MARY, "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let (n, secret) = invited(&server, &mary);
    let other = server.declare(&robin, "A leaked secret");
    let mut marty = Browser::new(&server);
    come(&mut marty, &secret, "Marty");
    let watching = marty.follow();
    for path in ["", "/events", "/briefing", "/evidence"] {
        let told = marty.get(&format!("/api/v1/incidents/{other}{path}"));
        assert_eq!(told.said(), (404, "no_such_incident"), "{path}");
        let none = marty.get(&format!("/api/v1/incidents/{}{path}", other + 40));
        let same = |body: &Value, number: u64| body.to_string().replace(&format!("#{number} "), "#N ");
        assert_eq!(same(&told.body, other), same(&none.body, other + 40));
        assert_eq!(marty.get(&format!("/api/v1/incidents/{n}{path}")).status, 200, "{path}");
    }
    assert_eq!(marty.get(&format!("/api/v1/events?incident={other}")).said(), (404, "no_such_incident"));
    for drills in ["", "?drills=true&ended_below=1000"] {
        let listed = marty.get(&format!("/api/v1/incidents{drills}")).body;
        let numbers: Vec<&Value> = listed["incidents"].as_array().unwrap().iter().map(|row| &row["number"]).collect();
        assert_eq!(numbers, [&json!(n)]);
    }
    server.done(&robin, other, json!({ "command": "note", "text": "not for guests" }));
    assert_eq!(
        server
            .command(
                &robin,
                other,
                json!({ "command": "offer_role", "role": "command",
        "to": { "person": "guest-marty" } })
            )
            .1["code"],
        "unknown_person"
    );
    assert_eq!(marty.get("/api/v1/next").body["next"], json!([]));
    assert_eq!(marty.get("/api/v1/directory").said(), (403, "not_for_guests"));
    // The gate and what is told of changes are about every incident, and their answers about the directory.
    let asking = json!({ "services": ["search"], "what": "deploy" });
    assert_eq!(marty.post("/api/v1/gate", asking).said(), (403, "not_for_guests"));
    let id = || uuid::Uuid::now_v7();
    let told = json!({ "specversion": "1.0", "id": id(), "source": "ci", "type": "deploy",
        "data": { "services": ["search"], "what": "deploy" } });
    assert_eq!(marty.post("/api/v1/changes", told).said(), (403, "not_for_guests"));
    let add = json!({ "request_id": id(), "command": "add_person", "handle": "x", "name": "X" });
    assert_eq!(marty.post("/api/v1/directory/commands", add).status, 403);
    assert_eq!(marty.post("/api/v1/people/mary/link", json!({})).status, 403);
    let opening = json!({ "request_id": id(), "title": "Mine" });
    assert_eq!(marty.post("/api/v1/incidents", opening).said(), (403, "not_for_guests"));
    let more = json!({ "request_id": id(), "hours": 1 });
    assert_eq!(marty.post(&format!("/api/v1/incidents/{n}/invites"), more).said(), (403, "not_for_guests"));
    let more = json!({ "request_id": id(), "hours": 1 });
    assert_eq!(marty.post(&format!("/api/v1/incidents/{other}/invites"), more).said(), (404, "no_such_incident"));
    assert_eq!(say(&mut marty, other, json!({ "command": "join" })).0, 404);
    let (status, merged) = say(&mut marty, n, json!({ "command": "merge", "into": other }));
    assert_eq!((status, &merged["code"]), (403, &json!("not_for_guests")));
    // What was said elsewhere went by before this, and nothing of it is on the stream.
    server.done(&mary, n, json!({ "command": "note", "text": "for all of us" }));
    loop {
        let entry = watching.next();
        assert_eq!(entry["incident"], n, "{entry}");
        if entry["body"]["text"] == "for all of us" {
            break;
        }
    }
}

fn a_link_that_is_no_good_says_what_to_do(house: House) {
    let mary = house.person(MARY);
    let server = house.serve();
    let (n, secret) = invited(&server, &mary);
    let mut marty = Browser::new(&server);
    let wrong = format!("wg_{}", "0".repeat(64));
    let other_sort = secret.replacen("wg_", "wl_", 1);
    for no_link in ["", "wg_short", &wrong, &other_sort, &secret.to_uppercase()] {
        for path in ["/api/v1/guest/look", "/api/v1/guest"] {
            let name = if path.ends_with("look") { Value::Null } else { json!("Marty") };
            let mut body = json!({ "secret": no_link });
            if !name.is_null() {
                body["name"] = name;
            }
            assert_eq!(marty.post(path, body).said(), (404, "no_such_link"), "{path} {no_link}");
        }
    }
    assert_eq!(marty.post("/api/v1/welcome/look", json!({ "secret": secret })).said(), (404, "no_such_link"));
    for name in ["", " \u{200b}", "a\u{202e}b"] {
        assert_eq!(marty.post("/api/v1/guest", json!({ "secret": secret, "name": name })).status, 400, "{name:?}");
    }
    let long = json!({ "secret": secret, "name": "x".repeat(41) });
    assert_eq!(marty.post("/api/v1/guest", long).said(), (422, "invalid"));
    let mut foreign = Browser::new(&server).on(Some("https://outside.example"));
    let body = json!({ "secret": secret, "name": "Marty" });
    assert_eq!(foreign.post("/api/v1/guest", body.clone()).said(), (403, "foreign_origin"));
    let invite = server.get(&mary, &format!("/api/v1/incidents/{n}")).1["invites"][0]["id"].clone();
    server.done(&mary, n, json!({ "command": "revoke_invite", "invite": invite }));
    for told in [marty.post("/api/v1/guest/look", json!({ "secret": secret })), marty.post("/api/v1/guest", body)] {
        assert_eq!(told.said(), (410, "invite_ended"));
        assert_eq!(told.body["detail"], "This link was taken back. Ask whoever sent you the link for a new one.");
    }
    assert_eq!(server.get(&mary, &format!("/api/v1/incidents/{n}")).1["invites"], json!([]));
}

/// Fifty may use one link, and they do not get in each other's way.
fn many_come_at_once_by_one_link(house: House) {
    let mary = house.person(MARY);
    let server = house.serve();
    let (n, secret) = invited(&server, &mary);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let come = |_| {
            scope.spawn(|| {
                let body = json!({ "secret": secret, "name": "Marty" });
                Browser::new(&server).post("/api/v1/guest", body).status
            })
        };
        let all: Vec<_> = (0..55).map(come).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let count = |status: u16| statuses.iter().filter(|known| **known == status).count();
    assert_eq!((count(201), count(410)), (50, 5), "{statuses:?}");
    let state = server.get(&mary, &format!("/api/v1/incidents/{n}")).1;
    let guests = state["responders"].as_array().unwrap().iter().filter(|one| one["person"]["guest"] == true);
    let handles: std::collections::BTreeSet<String> = guests.map(|one| one["person"]["handle"].to_string()).collect();
    assert_eq!(handles.len(), 50, "each has a handle of their own");
    assert_eq!(state["invites"], json!([]), "it is used up");
}

fn being_sent_away_ends_the_stream_at_once(house: House) {
    let mary = house.person(MARY);
    let server = house.serve();
    let (n, secret) = invited(&server, &mary);
    let (mut marty, mut other) = (Browser::new(&server), Browser::new(&server));
    come(&mut marty, &secret, "Marty");
    come(&mut other, &secret, "Jennifer");
    let watching = marty.follow();
    assert_eq!(
        say(&mut other, n, json!({ "command": "send_away", "person": "guest-marty" })).1["code"],
        "not_for_guests"
    );
    server.done(&mary, n, json!({ "command": "send_away", "person": "guest-marty", "reason": "thank you" }));
    watching.end();
    assert!(!marty.is_in() && other.is_in());
    assert_eq!(told(&server, &mary, n).last().unwrap(), "Mary sent Marty (guest) away: thank you");
    let (status, problem) = server.command(
        &mary,
        n,
        json!({ "command": "offer_role", "role": "operations",
        "to": { "person": "guest-marty" } }),
    );
    assert_eq!((status, &problem["code"]), (422, &json!("inactive")));
}

fn closing_ends_the_part_of_guests(house: House) {
    let mary = house.person(MARY);
    let server = house.serve();
    let (n, secret) = invited(&server, &mary);
    let mut marty = Browser::new(&server);
    come(&mut marty, &secret, "Marty");
    let watching = marty.follow();
    for phase in ["resolved", "closed"] {
        server.done(&mary, n, json!({ "command": "set_phase", "phase": phase }));
    }
    watching.end();
    assert!(!marty.is_in());
    let told = marty.post("/api/v1/guest/look", json!({ "secret": secret }));
    assert_eq!(told.said(), (410, "invite_ended"));
    server.done(&mary, n, json!({ "command": "reopen" }));
    assert!(!marty.is_in(), "reopening lets nobody in again");
    assert_eq!(marty.post("/api/v1/guest/look", json!({ "secret": secret })).said(), (410, "invite_ended"));
    assert_eq!(house.verify()["holds"], true);
}

fn a_guest_of_a_restricted_incident(house: House) {
    let [mary, robin] = [MARY, "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let (_, answer) = server.post(&mary, "/api/v1/incidents", json!({ "title": "A leaked key", "restricted": true }));
    let n = answer["incident"].as_u64().unwrap();
    let body = json!({ "request_id": uuid::Uuid::now_v7(), "hours": 1 });
    assert_eq!(server.post(&robin, &format!("/api/v1/incidents/{n}/invites"), body).0, 404);
    let secret = invite(&server, &mary, n);
    let mut marty = Browser::new(&server);
    come(&mut marty, &secret, "Marty");
    assert_eq!(marty.get(&format!("/api/v1/incidents/{n}")).body["title"], "A leaked key");
    assert_eq!(server.get(&robin, &format!("/api/v1/incidents/{n}")).0, 404);
}

fn the_terminal_invites_and_takes_back(house: House) {
    let mary = house.person(MARY);
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing").to_string();
    let said = server.say(&mary, &["invite", &n, "--hours", "1"]);
    let link = said.trim().lines().last().unwrap();
    let (base, secret) = link.split_once("/guest#").unwrap();
    assert_eq!(base, server.url);
    come(&mut Browser::new(&server), secret, "Marty");
    let shown = server.say(&mary, &["show", &n]);
    assert!(shown.contains("INVITES FOR GUESTS") && shown.contains("Marty (guest)"), "{shown}");
    let id = said.split_once("--link ").unwrap().1.split_whitespace().next().unwrap();
    assert!(shown.contains(id), "{shown}");
    assert!(server.say(&mary, &["uninvite", &n, "--link", id]).contains("took an invite for guests back"));
    assert!(server.say(&mary, &["send-away", &n, "guest-marty"]).contains("sent Marty (guest) away"));
    assert!(!house.run(&["person", "list"]).is_empty());
}

fn a_restored_backup_lets_no_guest_in(house: House) {
    let mary = house.person(MARY);
    let server = house.serve();
    let (_, secret) = invited(&server, &mary);
    let mut marty = Browser::new(&server);
    come(&mut marty, &secret, "Marty");
    let file = house.folder().join("guests.backup");
    house.run(&["backup", &file.display().to_string()]);
    let restored = House::on_sqlite();
    restored.run(&["restore", &file.display().to_string(), "--keep-tokens"]);
    let server = restored.serve();
    let mut again = Browser::new(&server).holding(&marty.cookie);
    assert!(!again.is_in());
    assert_eq!(again.post("/api/v1/guest/look", json!({ "secret": secret })).said(), (404, "no_such_link"));
}

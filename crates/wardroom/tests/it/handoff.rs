//! Handing command over through the API: held back once, exactly once, also when replies get lost.

use serde_json::{Value, json};

use crate::house::House;
use crate::on_both;

on_both!(a_stale_briefing_is_refused_once, a_request_is_accepted_once, roles_are_given_and_fall_upward);

fn offer(role: &str, to: &str) -> Value {
    json!({ "command": "offer_role", "role": role, "to": { "person": to } })
}

fn a_stale_briefing_is_refused_once(house: House) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&mary, n, offer("command", "sabrina"));
    let (_, briefing) = server.get(&sabrina, &format!("/api/v1/incidents/{n}/briefing"));
    server.done(&mary, n, json!({ "command": "set_severity", "severity": "sev1" }));
    let id = uuid::Uuid::now_v7();
    let take = json!({ "request_id": id, "command": "take_role", "role": "command", "briefed": { "to": briefing["briefed_to"] } });
    let first = server.command(&sabrina, n, take.clone());
    assert_eq!((first.0, &first.1["code"]), (409, &json!("briefing_stale")), "{}", first.1);
    assert_eq!(first.1["unseen"], json!([3]));
    assert_eq!(first.1["unseen_entries"][0]["kind"], "severity_set");
    // The reply got lost and the client tries again with the same id: that is not the second attempt.
    assert_eq!(server.command(&sabrina, n, take), first);
    assert_eq!(server.commander(&mary, n), "mary");
    let (_, problem) = first;
    let again = json!({ "command": "take_role", "role": "command", "briefed": { "to": problem["remedy"]["to"] } });
    server.done(&sabrina, n, again);
    assert_eq!(server.commander(&mary, n), "sabrina");
    assert_eq!(server.kinds(&mary, n).iter().filter(|kind| *kind == "taking_held_back").count(), 1);
}

fn a_request_is_accepted_once(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let note = json!({ "request_id": uuid::Uuid::now_v7(), "command": "note", "text": "seen" });
    let first = server.command(&mary, n, note.clone());
    assert_eq!(first.0, 200);
    assert_eq!(server.command(&mary, n, note.clone()), first, "the same id gets the same answer");
    let mut other = note;
    other["text"] = json!("something else");
    let (status, problem) = server.command(&mary, n, other.clone());
    assert_eq!((status, &problem["code"]), (422, &json!("request_reused")));
    assert_eq!(server.kinds(&mary, n), ["opened", "noted"]);
    // Another person's same id is another request.
    let robin = house.person("robin");
    crate::wait::until("the server knows Robin", || (server.get(&robin, "/api/v1/me").0 == 200).then_some(()));
    assert_eq!(server.command(&robin, n, other).0, 200);
}

fn roles_are_given_and_fall_upward(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    house.run(&["team", "set", "comms", "robin"]);
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&mary, n, json!({ "command": "offer_role", "role": "communications", "to": { "team": "comms" } }));
    server.done(&robin, n, json!({ "command": "take_role", "role": "communications" }));
    let (status, problem) = server.command(&mary, n, json!({ "command": "leave" }));
    assert_eq!((status, &problem["code"]), (409, &json!("command_must_be_handed")));
    server.done(&robin, n, json!({ "command": "leave" }));
    let (_, state) = server.get(&mary, &format!("/api/v1/incidents/{n}"));
    let communications =
        state["roles"].as_array().unwrap().iter().find(|role| role["role"] == "communications").unwrap();
    assert_eq!(communications["effective_holder"]["handle"], "mary");
    assert_eq!(server.kinds(&mary, n), ["opened", "role_offered", "joined", "role_taken", "role_fell", "left"]);
}

//! A restricted incident shows nowhere to the uninvited: not by number, list, stream, cursor or refusal.

use serde_json::json;

use crate::house::House;
use crate::on_both;

on_both!(
    the_uninvited_find_nothing,
    a_repeated_request_says_nothing_to_whoever_may_not_know_any_more,
    a_page_is_as_full_as_if_nothing_were_hidden
);

fn the_uninvited_find_nothing(house: House) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    let watching = server.follow(&sabrina, "");
    let (_, answer) = server.post(&mary, "/api/v1/incidents", json!({ "title": "A leaked key", "restricted": true }));
    let n = answer["incident"].as_u64().unwrap();
    let missing = n + 41;
    for path in
        ["", "/events", "/briefing", "/written", "/document.md", "/document.html?timeline=all", "/evidence", "/export"]
    {
        let (hidden, none) = (
            server.get(&sabrina, &format!("/api/v1/incidents/{n}{path}")),
            server.get(&sabrina, &format!("/api/v1/incidents/{missing}{path}")),
        );
        assert_eq!(hidden.0, 404);
        assert_eq!(
            hidden.1.to_string().replace(&format!("#{n} "), "#N "),
            none.1.to_string().replace(&format!("#{missing} "), "#N ")
        );
    }
    assert_eq!(server.command(&sabrina, n, json!({ "command": "join" })).0, 404);
    assert_eq!(server.get(&sabrina, "/api/v1/incidents").1["incidents"], json!([]));
    assert_eq!(server.get(&sabrina, &format!("/api/v1/events?incident={n}")).0, 404);
    let open = server.declare(&mary, "Search is failing");
    let (status, problem) = server.command(&sabrina, open, json!({ "command": "merge", "into": n }));
    assert_ne!(status, 200);
    assert!(!problem.to_string().contains("leaked"));
    assert_eq!(watching.next()["body"]["title"], "Search is failing", "the stream says nothing of the other");
    server.done(&mary, n, json!({ "command": "invite", "person": "sabrina" }));
    assert_eq!(server.get(&sabrina, &format!("/api/v1/incidents/{n}")).1["title"], "A leaked key");
    assert_eq!(watching.next()["kind"], "invited");
}

/// What had held her back was rendered again, long after her invitation was taken back.
fn a_repeated_request_says_nothing_to_whoever_may_not_know_any_more(house: House) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    let (_, answer) = server.post(&mary, "/api/v1/incidents", json!({ "title": "A leaked key", "restricted": true }));
    let n = answer["incident"].as_u64().unwrap();
    server.done(&mary, n, json!({ "command": "invite", "person": "sabrina" }));
    server.done(&mary, n, json!({ "command": "offer_role", "role": "command", "to": { "person": "sabrina" } }));
    let (_, briefing) = server.get(&sabrina, &format!("/api/v1/incidents/{n}/briefing"));
    server.done(&mary, n, json!({ "command": "set_severity", "severity": "sev1" }));
    let take = json!({ "request_id": uuid::Uuid::now_v7(), "command": "take_role", "role": "command",
        "briefed": { "to": briefing["briefed_to"] } });
    let (status, problem) = server.command(&sabrina, n, take.clone());
    assert_eq!((status, &problem["code"]), (409, &json!("briefing_stale")), "{problem}");
    server.done(&mary, n, json!({ "command": "withdraw_offer", "role": "command" }));
    server.done(&mary, n, json!({ "command": "uninvite", "person": "sabrina" }));
    let (status, hidden) = server.command(&sabrina, n, take.clone());
    let (_, none) = server.command(&sabrina, n + 41, json!({ "command": "join" }));
    assert_eq!(status, 404);
    assert_eq!(
        hidden.to_string().replace(&format!("#{n} "), "#N "),
        none.to_string().replace(&format!("#{} ", n + 41), "#N ")
    );
    server.done(&mary, n, json!({ "command": "invite", "person": "sabrina" }));
    assert_eq!(server.command(&sabrina, n, take).1["unseen"], problem["unseen"], "it is remembered all the same");
}

fn a_page_is_as_full_as_if_nothing_were_hidden(house: House) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve();
    for number in 0..105 {
        let opening = json!({ "title": "A false alarm", "investigate": true, "restricted": number % 25 == 0 });
        let (_, answer) = server.post(&mary, "/api/v1/incidents", opening);
        let n = answer["incident"].as_u64().unwrap();
        server.done(&mary, n, json!({ "command": "set_phase", "phase": "closed" }));
    }
    let listed =
        |token| server.get(token, "/api/v1/incidents?ended_below=1000").1["incidents"].as_array().unwrap().len();
    assert_eq!((listed(&mary), listed(&sabrina)), (100, 100));
    let rest = server.get(&sabrina, "/api/v1/incidents?ended_below=3").1;
    assert_eq!(rest["incidents"].as_array().unwrap().len(), 1);
}

/// Restricted while it runs: from then on the uninvited find nothing of it on any node, not even what they could read
/// a moment ago, and streams that are open say nothing more of it.
#[test]
fn a_running_incident_can_be_restricted_under_the_eyes_of_others() {
    let house = House::on_postgres();
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let (one, two) = (house.serve(), house.serve());
    let n = one.declare(&mary, "A leaked key");
    let streams = [one.follow(&sabrina, ""), two.follow(&sabrina, "")];
    one.done(&mary, n, json!({ "command": "note", "text": "in the open" }));
    for stream in &streams {
        assert_eq!(stream.next_note()["body"]["text"], "in the open");
    }
    assert_eq!(two.get(&sabrina, &format!("/api/v1/incidents/{n}")).0, 200, "the second node holds it folded");
    one.done(&mary, n, json!({ "command": "restrict" }));
    one.done(&mary, n, json!({ "command": "note", "text": "among us" }));
    let open = one.declare(&mary, "Search is failing");
    one.done(&mary, open, json!({ "command": "note", "text": "for all" }));
    for (node, stream) in [&one, &two].into_iter().zip(&streams) {
        let seen: Vec<_> =
            std::iter::repeat_with(|| stream.next()).take_while(|e| e["body"]["text"] != "for all").collect();
        assert!(seen.iter().all(|entry| entry["incident"] == open), "{seen:?}");
        for path in [
            "",
            "/events",
            "/briefing",
            "/written",
            "/document.md",
            "/document.html?timeline=all",
            "/evidence",
            "/export",
        ] {
            assert_eq!(node.get(&sabrina, &format!("/api/v1/incidents/{n}{path}")).0, 404, "{path}");
        }
        let listed = node.get(&sabrina, "/api/v1/incidents").1;
        assert!(!listed.to_string().contains("leaked") && listed["incidents"][0]["number"] == open, "{listed}");
        assert_eq!(node.get(&mary, &format!("/api/v1/incidents/{n}")).1["title"], "A leaked key");
    }
}

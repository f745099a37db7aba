//! The ledger of changes: whoever tells of a change is heard, nothing is closed while a service differs, and a late record
//! sends a closed incident back.

use serde_json::{Value, json};

use crate::house::{House, Server};
use crate::on_both;
use crate::sightings::{event, heard, tell};
use crate::staffed::{Scene, scene};

on_both!(
    what_differs_is_told_and_stands_in_the_way_of_closing,
    a_late_record_sends_a_closed_incident_back_to_its_last_commander,
    of_two_who_announce_at_once_each_has_a_number_of_its_own,
    what_is_told_late_stands_at_the_time_at_which_it_was,
    the_sheet_says_who_made_a_change_and_who_wrote_it_down_or_took_it_in,
);

fn view(server: &Server, token: &str, n: u64) -> Value {
    let (status, view) = server.get(token, &format!("/api/v1/incidents/{n}"));
    assert_eq!(status, 200, "{view}");
    view
}

fn ledger(server: &Server, token: &str, n: u64) -> Value {
    let (status, ledger) = server.get(token, &format!("/api/v1/incidents/{n}/changes"));
    assert_eq!(status, 200, "{ledger}");
    ledger
}

fn record(what: &str) -> Value {
    json!({ "command": "record_change", "what": what })
}

fn phase(phase: &str) -> Value {
    json!({ "command": "set_phase", "phase": phase })
}

fn what_differs_is_told_and_stands_in_the_way_of_closing(house: House) {
    let [mary, sabrina, robin] = ["mary", "sabrina", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&sabrina, n, json!({ "command": "join" }));
    server.done(&mary, n, json!({ "command": "offer_role", "role": "operations", "to": { "person": "sabrina" } }));
    server.done(&sabrina, n, json!({ "command": "take_role", "role": "operations" }));
    // Whoever is not of operations announces nothing, and is told who could; what happened is heard from anybody.
    let (status, no) = server.command(&mary, n, json!({ "command": "announce_change", "what": "search: v11" }));
    assert_eq!(
        (status, &no["code"], &no["who_could"][0]["name"]),
        (403, &json!("not_yours"), &json!("Sabrina")),
        "{no}"
    );
    server.done(&sabrina, n, record("search: rolled back to v11"));
    server.done(&robin, n, record("search: I flushed the cache"));
    let seen = view(&server, &mary, n);
    assert_eq!(seen["differing"], json!([{ "service": "search", "unknown": true, "changes": [2, 1] }]));
    assert_eq!((&seen["changes"][1]["coordination"], &seen["changes_recorded"]), (&json!("uncoordinated"), &json!(2)));
    assert_eq!((&seen["may_announce"], &view(&server, &sabrina, n)["may_announce"]), (&json!(false), &json!(true)));
    let told: Vec<Value> = ledger(&server, &robin, n)["changes"].as_array().unwrap().clone();
    assert_eq!(
        (told.len(), &told[1]["by"]["name"], &told[1]["may"]),
        (2, &json!("Robin"), &json!(["correct", "say_way_back"]))
    );

    server.done(&mary, n, phase("resolved"));
    let (status, no) = server.command(&mary, n, phase("closed"));
    assert_eq!((status, &no["code"]), (409, &json!("differs_from_normal")), "{no}");
    assert_eq!(no["remedy"], json!({ "do": "settle_changes", "changes": [1, 2] }));
    server.done(&sabrina, n, json!({ "command": "dismiss_change", "change": 2 }));
    server.done(&mary, n, json!({ "command": "hand_on_change", "change": 1, "bug": "https://bugs.example.org/7" }));
    server.done(&mary, n, phase("closed"));
    let (_, sheet) = server.get(&mary, &format!("/api/v1/incidents/{n}/document.md"));
    let sheet = sheet.as_str().unwrap_or_default().to_owned();
    assert!(sheet.contains("Nothing differs from normal."), "{sheet}");
    assert!(sheet.contains("handed to a bug, says Mary, "), "{sheet}");
}

fn a_late_record_sends_a_closed_incident_back_to_its_last_commander(house: House) {
    let [mary, robin] = ["mary", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&mary, n, phase("resolved"));
    server.done(&mary, n, phase("closed"));
    server.done(&robin, n, record("search: rolled back to v11"));
    let seen = view(&server, &mary, n);
    assert_eq!((&seen["phase"], &seen["commander"]["name"]), (&json!("resolved"), &json!("Mary")));
    assert_eq!(server.kinds(&mary, n).split_off(3), ["joined", "change_recorded", "sent_back"]);
    assert_eq!(
        seen["next"],
        json!({ "do": "sort_change", "change": 1, "by": view(&server, &robin, n)["changes"][0]["by"]["id"] })
    );
    // Restarted, it is still so: what was acknowledged is folded the same.
    server.kill();
    let server = house.serve();
    assert_eq!(view(&server, &mary, n)["differing"][0]["changes"], json!([1]));
}

/// Everything that was accepted is there, under a number of its own.
fn of_two_who_announce_at_once_each_has_a_number_of_its_own(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let announce = |service: &str| {
        let command = json!({ "command": "announce_change", "service": service, "what": "restart" });
        assert_eq!(server.command(&mary, n, command).0, 200, "{service}");
    };
    let services = ["a", "b", "c", "d", "e", "f", "g", "h"];
    std::thread::scope(|scope| services.iter().for_each(|service| drop(scope.spawn(|| announce(service)))));
    let ledger = ledger(&server, &mary, n);
    let changes = ledger["changes"].as_array().unwrap();
    let ids: Vec<u64> = changes.iter().map(|change| change["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (1..=8).collect::<Vec<u64>>());
    let mut told: Vec<&str> = changes.iter().map(|change| change["service"].as_str().unwrap()).collect();
    told.sort_unstable();
    assert_eq!((told, &ledger["differing"]), (services.to_vec(), &json!([])));
}

fn what_is_told_late_stands_at_the_time_at_which_it_was(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&mary, n, json!({ "command": "announce_change", "what": "search: roll back to v11" }));
    let announced = ledger(&server, &mary, n)["changes"][0]["at"].clone();
    // Between the two, the clock has gone on.
    server.done(&mary, n, json!({ "command": "note", "text": "it takes its time" }));
    let step = |command: &str, at: &Value| json!({ "command": command, "change": 1, "happened_at": at });
    let done = |at: &Value| {
        let mut done = step("confirm_change", at);
        done["outcome"] = json!("done");
        done
    };
    let (status, no) = server.command(&mary, n, done(&json!("2026-01-05T03:00:00Z")));
    assert_eq!((status, &no["code"]), (422, &json!("invalid")), "{no}");
    assert!(no["detail"].as_str().unwrap().contains("change 1 was announced at "), "{no}");
    let number = n.to_string();
    server.say(&mary, &["change", &number, "done", "1", "--at", announced.as_str().unwrap()]);
    assert_eq!(ledger(&server, &mary, n)["changes"][0]["done_at"], announced);
    server.done(&mary, n, step("revert_change", &announced));
    let reverted = &ledger(&server, &mary, n)["changes"][0];
    assert_eq!((&reverted["state"], &reverted["state_at"]), (&json!("reverted"), &announced), "{reverted}");
}

fn the_sheet_says_who_made_a_change_and_who_wrote_it_down_or_took_it_in(house: House) {
    let Scene { house, server, mary, sabrina, n, .. } = scene(house);
    let pipeline = house.token("mary", "gate");
    for (sighting, who) in [(1, "robin"), (2, "argo*bot")] {
        tell(&server, &pipeline, &event(&format!("v{sighting}"), "search", who));
        heard(&server, &mary, n, sighting);
        server.say(&sabrina, &["sighting", "1", "take-in", &sighting.to_string()]);
    }
    server.say(&mary, &["change", "1", "record", "--by", "sabrina", "search: rolled back to v11"]);
    let of = |form: &str| {
        let (status, sheet) = server.get(&mary, &format!("/api/v1/incidents/{n}/document.{form}"));
        assert_eq!(status, 200, "{sheet}");
        sheet.as_str().unwrap_or_default().to_owned()
    };
    let (markdown, html) = (of("md"), of("html"));
    for (what, whose) in [
        ("rolled back to v11", "made by Sabrina, written down by Mary"),
        ("deploy v1", "made by Robin, taken in by Sabrina"),
        ("deploy v2", "made by “argo*bot” (nobody here is called that), taken in by Sabrina"),
    ] {
        // Once where it differs from normal, and once in the ledger.
        let line = format!("{what} ({whose}, ");
        assert_eq!(html.matches(&line).count(), 2, "{line} in\n{html}");
        assert_eq!(markdown.matches(&line.replace('*', "\\*")).count(), 2, "{line} in\n{markdown}");
    }
}

//! The gate where something cannot be recorded or cannot be read: all of it or nothing, and nothing is passed over.

use serde_json::{Value, json};

use crate::house::{House, Server};
use crate::staffed::{Scene, ask, changes, decided, declare, knowing, scene, staffed};
use crate::{admission, on_both, wait};

on_both!(
    in_several_incidents_it_stands_in_all_of_them_or_in_none,
    an_incident_that_cannot_be_read_is_not_passed_over,
    a_restricted_one_that_cannot_be_read_is_told_to_the_invited_and_not_named,
    one_that_even_the_board_has_lost_may_be_on_any_service,
    what_came_after_the_boards_row_is_not_passed_over,
    a_full_ledger_stops_nobody_and_lets_nobody_through_unseen,
    one_that_can_be_read_in_part_keeps_only_those_from_passing_where_it_is_enforced,
    what_an_entry_that_cannot_be_read_may_have_added_is_not_passed_over,
);

fn asked(server: &Server, token: &str, service: &str, what: &str) -> (u16, Value) {
    ask(server, token, json!({ "services": [service], "what": what }))
}

fn in_several_incidents_it_stands_in_all_of_them_or_in_none(house: House) {
    let Scene { house, server, mary, sabrina, robin, n } = scene(house);
    let other = staffed(&server, &mary, &sabrina, &json!({}));
    let passed = decided(&server, &sabrina, "back to v11");
    assert_eq!((&passed["decision"], passed["changes"].as_array().unwrap().len()), (&json!("allow"), 2), "{passed}");
    assert_eq!((changes(&server, &mary, n).len(), changes(&server, &mary, other).len()), (1, 1));
    // Once more in the one of them that does not have it yet.
    let third = staffed(&server, &mary, &sabrina, &json!({}));
    assert_eq!(decided(&server, &sabrina, "back to v11")["changes"].as_array().unwrap().len(), 3);
    assert_eq!((changes(&server, &mary, n).len(), changes(&server, &mary, third).len()), (1, 1));
    // The log takes nothing more for the last: what would stand in the others is done by nobody.
    house.tamper(&format!("UPDATE tips SET seq = seq + 1 WHERE stream = {third}"));
    for _ in 0..2 {
        let (status, unsure) = asked(&server, &sabrina, "search", "drain eu-1");
        assert_eq!((status, &unsure["code"]), (503, &json!("cannot_decide")), "{unsure}");
        assert_eq!((changes(&server, &mary, n).len(), changes(&server, &mary, other).len()), (1, 1));
    }
    assert_eq!(decided(&server, &robin, "deploy v12")["decision"], "deny", "who is outside is stopped as ever");
}

fn a_full_ledger_stops_nobody_and_lets_nobody_through_unseen(house: House) {
    let (house, [mary, sabrina, robin]) = knowing(house);
    house.admin("ada");
    house.run(&["service", "gate", "search", "--enforce"]);
    let server = house.serve();
    let many: Vec<String> = (0..49).map(|k| format!("shard-{k}")).collect();
    let all: Vec<&str> = many.iter().map(String::as_str).chain(["search"]).collect();
    let n = staffed(&server, &mary, &sabrina, &json!({ "services": all }));
    for turn in 0..40 {
        let (status, answer) = ask(&server, &sabrina, json!({ "services": all, "what": format!("turn {turn}") }));
        assert_eq!((status, answer["changes"].as_array().unwrap().len()), (200, 50), "{answer}");
    }
    for dry_run in [true, false] {
        let asked = json!({ "services": ["search"], "what": "back to v11", "dry_run": dry_run });
        let (status, unsure) = ask(&server, &sabrina, asked);
        assert_eq!((status, &unsure["code"]), (503, &json!("cannot_decide")), "{unsure}");
        let why = unsure["detail"].as_str().unwrap();
        assert!(why.contains(&format!("Incident #{n} is on search and its ledger is full")), "{why}");
        assert!(why.contains("go on in a new incident") && why.chars().count() < 240, "{why}");
        assert_eq!(unsure["who_could"][0]["handle"], "ada", "{unsure}");
    }
    assert_eq!(decided(&server, &robin, "deploy v12")["decision"], "deny", "who is outside is stopped as ever");
    // What only observes lets them through, and tells them.
    let (_, told) = asked(&server, &sabrina, "shard-7", "restart it");
    assert_eq!((&told["decision"], &told["observed"], &told["changes"]), (&json!("allow"), &json!(true), &json!([])));
    assert!(
        told["reason"].as_str().unwrap().contains("its ledger is full, so that nothing is recorded there"),
        "{told}"
    );
    // The same as a moment ago stands there.
    assert_eq!(decided(&server, &sabrina, "turn 39")["decision"], "allow");
    assert_eq!(changes(&server, &mary, n).len(), 2_000);
}

/// What the gate says once it has read what there is.
fn once_read(server: &Server, token: &str, service: &str, what: &str) -> (u16, Value) {
    wait::until("the gate has read what there is", || {
        let (status, answer) = asked(server, token, service, what);
        let starting = answer["detail"].as_str().is_some_and(|detail| detail.contains("just started"));
        (!starting).then_some((status, answer))
    })
}

fn an_incident_that_cannot_be_read_is_not_passed_over(house: House) {
    let (house, [mary, sabrina, robin]) = knowing(house);
    house.admin("ada");
    let cluster = house.token("mary", "gate");
    house.run(&["service", "set", "disks"]);
    house.run(&["service", "set", "mail", "--depends-on", "disks"]);
    house.run(&["service", "match", "mail", "--namespace", "production", "--name", "search-*"]);
    for service in ["search", "mail", "disks"] {
        house.run(&["service", "gate", service, "--enforce"]);
    }
    let server = house.serve();
    let [on_search, on_mail, over] =
        ["search", "mail", "search"].map(|on| staffed(&server, &mary, &sabrina, &json!({ "services": [on] })));
    server.done(&mary, over, json!({ "command": "set_phase", "phase": "resolved" }));
    for service in ["search", "mail"] {
        assert_eq!(asked(&server, &robin, service, "deploy v11").1["decision"], "deny");
    }
    let counted = |server: &Server| server.get(&robin, "/api/v1/gate").1["services"].as_array().cloned();
    wait::until("both are counted", || {
        let stopped = counted(&server)?.iter().filter_map(|row| row["stopped"].as_u64()).sum::<u64>();
        (stopped == 2).then_some(())
    });
    wait::until("the board knows of all", || {
        let listed = server.get(&mary, "/api/v1/incidents").1["incidents"].as_array().cloned()?;
        let resolved = listed.iter().any(|row| row["number"] == over && row["phase"] == "resolved");
        (listed.len() == 3 && resolved).then_some(())
    });
    server.kill();
    for broken in [on_mail, over] {
        house.tamper(&format!("UPDATE events SET body = 'null' WHERE stream = {broken} AND seq = 1"));
    }
    house.tamper("DELETE FROM snapshots");
    let server = house.serve();
    // On the others it is as ever, and what is known to be over holds nothing.
    assert_eq!(once_read(&server, &robin, "search", "deploy v12").1["decision"], "deny");
    assert_eq!(asked(&server, &sabrina, "search", "back to v11").1["decision"], "allow");
    assert_eq!(changes(&server, &mary, on_search).len(), 1);
    // On its own, and what that needs, nobody is let through, and nobody is told no.
    for (token, service) in [(&robin, "mail"), (&sabrina, "mail"), (&robin, "disks")] {
        let (status, unsure) = asked(&server, token, service, "deploy v12");
        assert_eq!((status, &unsure["code"]), (503, &json!("cannot_decide")), "{unsure}");
        let detail = unsure["detail"].as_str().unwrap();
        assert!(detail.starts_with(&format!("Incident #2 is on {service} and cannot be read")), "{detail}");
    }
    let (status, both) = ask(&server, &sabrina, json!({ "services": ["mail", "search"], "what": "both" }));
    assert_eq!((status, changes(&server, &mary, on_search).len()), (503, 1), "all of it or nothing: {both}");
    let (status, unsure) = admission::asked(&server, &cluster, &admission::recorded("update.json"));
    assert_eq!((status, &unsure["code"]), (503, &json!("cannot_decide")), "its failurePolicy settles it: {unsure}");
    let typed = ["gate", "--service", "mail", "--action", "deploy v12"];
    let said = server.verb(&robin, &typed);
    assert_eq!(said.status.code(), Some(4));
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("who could: ada") && said.contains("try: ask an admin"), "{said}");
    // What is known of gates is told all the same: on mail somebody was stopped before, and what came of it cannot be said.
    let (status, report) = server.get(&robin, "/api/v1/gate");
    let of = |name: &str| report["services"].as_array().unwrap().iter().find(|row| row["service"] == name).unwrap();
    assert_eq!((status, &of("mail")["stopped"]), (200, &json!(1)), "{report}");
    assert_eq!(of("mail")["last"][0]["uncoordinated"], Value::Null, "{report}");
    assert_eq!(of("search")["last"][0]["uncoordinated"], json!(false), "{report}");
    // It must not be shut for ever: whose gate only observes is let through.
    house.run(&["service", "gate", "mail", "--observe"]);
    let lets = || Some(asked(&server, &robin, "mail", "deploy")).filter(|answer| answer.0 == 200);
    let let_through = wait::until("it observes", lets).1;
    assert_eq!(let_through["decision"], "allow");
    assert_eq!(
        let_through["reason"],
        "Allowed. It could not have been decided: Incident #2 is on mail and cannot be read. The gate of mail only observes."
    );
}

/// Breaks the beginning of incidents, and what was folded of them.
fn break_them<const N: usize>(house: &House, broken: [u64; N]) {
    for number in broken {
        house.tamper(&format!("UPDATE events SET body = 'null' WHERE stream = {number} AND seq = 1"));
    }
    house.tamper("DELETE FROM snapshots");
}

fn cannot_decide(answer: &(u16, Value)) -> String {
    assert_eq!((answer.0, &answer.1["code"]), (503, &json!("cannot_decide")), "{}", answer.1);
    answer.1["detail"].as_str().unwrap().to_owned()
}

fn a_restricted_one_that_cannot_be_read_is_told_to_the_invited_and_not_named(house: House) {
    let (house, [mary, sabrina, robin]) = knowing(house);
    house.run(&["service", "gate", "search", "--enforce"]);
    let server = house.serve();
    let secret = declare(&server, &mary, &json!({ "restricted": true }));
    server.done(&mary, secret, json!({ "command": "invite", "person": "sabrina" }));
    wait::until("the board knows who is invited", || {
        let (_, listed) = server.get(&sabrina, "/api/v1/incidents");
        listed["incidents"].as_array()?.iter().any(|row| row["number"] == secret).then_some(())
    });
    server.kill();
    break_them(&house, [secret]);
    let server = house.serve();
    let free = once_read(&server, &robin, "search", "deploy v12");
    assert_eq!((free.0, &free.1["reason"]), (200, &json!("Allowed: no incident keeps you from changing search.")));
    let detail = cannot_decide(&asked(&server, &sabrina, "search", "deploy v12"));
    assert!(detail.starts_with("Something that may be on search cannot be read.") && !detail.contains('#'), "{detail}");
}

fn one_that_even_the_board_has_lost_may_be_on_any_service(house: House) {
    let (house, [mary, sabrina, robin]) = knowing(house);
    house.run(&["service", "set", "mail"]);
    for service in ["search", "mail"] {
        house.run(&["service", "gate", service, "--enforce"]);
    }
    let server = house.serve();
    let [lost, over] = ["search", "mail"].map(|on| staffed(&server, &mary, &sabrina, &json!({ "services": [on] })));
    server.done(&mary, over, json!({ "command": "set_phase", "phase": "resolved" }));
    server.kill();
    break_them(&house, [over]);
    house.tamper("DELETE FROM board");
    // What can still be read of one says that it is over.
    let server = house.serve();
    assert_eq!(once_read(&server, &robin, "mail", "deploy v12").1["decision"], "allow");
    assert_eq!(asked(&server, &robin, "search", "deploy v12").1["decision"], "deny", "the other is read from the log");
    server.kill();
    break_them(&house, [lost]);
    house.tamper("DELETE FROM board");
    let server = house.serve();
    // What can still be read of this one does not say where it is.
    for (token, service) in [(&robin, "search"), (&sabrina, "search"), (&robin, "mail")] {
        let detail = cannot_decide(&once_read(&server, token, service, "deploy v13"));
        assert!(detail.starts_with(&format!("Something that may be on {service} cannot be read.")), "{detail}");
    }
    house.run(&["service", "gate", "mail", "--observe"]);
    let lets = || Some(asked(&server, &robin, "mail", "deploy v13")).filter(|answer| answer.0 == 200);
    assert_eq!(wait::until("it observes", lets).1["decision"], "allow");
}

fn what_came_after_the_boards_row_is_not_passed_over(house: House) {
    let (house, [mary, sabrina, robin]) = knowing(house);
    for service in ["disks", "mail", "web"] {
        house.run(&["service", "set", service]);
        house.run(&["service", "gate", service, "--enforce"]);
    }
    let server = house.serve();
    let [grown, back, lost] =
        ["search", "mail", "search"].map(|on| staffed(&server, &mary, &sabrina, &json!({ "services": [on] })));
    server.done(&mary, back, json!({ "command": "set_phase", "phase": "resolved" }));
    server.done(&mary, back, json!({ "command": "set_phase", "phase": "closed" }));
    // Whoever reads the board catches it up.
    assert_eq!(server.get(&mary, "/api/v1/incidents").0, 200);
    house.tamper("CREATE TABLE older AS SELECT * FROM board");
    server.done(&mary, grown, json!({ "command": "set_services", "services": ["search", "disks"] }));
    server.done(&mary, back, json!({ "command": "reopen", "reason": "it is back" }));
    server.done(&mary, lost, json!({ "command": "note", "text": "it is on the web, too" }));
    server.kill();
    // Another node, which could not read them, kept the board: its rows are from before.
    let cold = |broken: &[u64]| {
        house.tamper("DELETE FROM board");
        house.tamper("INSERT INTO board SELECT * FROM older");
        for number in broken {
            house.tamper(&format!("UPDATE events SET body = 'null' WHERE stream = {number} AND seq = 1"));
        }
        house.tamper("DELETE FROM snapshots");
        house.serve()
    };
    let server = cold(&[grown, back]);
    for (number, service) in [(grown, "disks"), (back, "mail")] {
        let detail = cannot_decide(&once_read(&server, &robin, service, "deploy v12"));
        assert!(detail.starts_with(&format!("Incident #{number} is on {service} and cannot be read.")), "{detail}");
    }
    assert_eq!(asked(&server, &robin, "web", "deploy v12").1["decision"], "allow", "nothing was said of it since");
    server.kill();
    // What was said since cannot be read either: it may be on anything.
    house.tamper(&format!("UPDATE events SET body = 'null', kind = 'unheard_of' WHERE stream = {lost}"));
    let server = cold(&[lost]);
    wait::until("the gate has read of it", || (asked(&server, &robin, "web", "deploy").0 == 503).then_some(()));
    house.run(&["service", "gate", "web", "--observe"]);
    let lets = || Some(asked(&server, &robin, "web", "deploy")).filter(|answer| answer.0 == 200);
    let said = wait::until("it observes", lets).1;
    let may_be = "Allowed. It could not have been decided: Something that may be on web cannot be read. The gate of web only observes.";
    assert_eq!((&said["decision"], &said["reason"]), (&json!("allow"), &json!(may_be)));
}

/// What is asked by somebody, for good and as a dry run.
fn both(server: &Server, token: &str) -> [(u16, Value); 2] {
    [false, true].map(|dry| ask(server, token, json!({ "services": ["search"], "what": "deploy v12", "dry_run": dry })))
}

fn one_that_can_be_read_in_part_keeps_only_those_from_passing_where_it_is_enforced(house: House) {
    let Scene { house, server, mary, sabrina, robin, n } = scene(house);
    let noted = server.done(&mary, n, json!({ "command": "note", "text": "it is slow" }));
    let whole = staffed(&server, &mary, &sabrina, &json!({}));
    server.kill();
    house.tamper(&format!("UPDATE events SET body = 'null' WHERE stream = {n} AND seq = {}", noted["last_entry"]));
    house.tamper("DELETE FROM snapshots");
    let server = house.serve();
    once_read(&server, &robin, "search", "deploy v12");
    for answer in both(&server, &sabrina) {
        let detail = cannot_decide(&answer);
        assert!(detail.starts_with("Incident #1 is on search and can be read only in part"), "{detail}");
    }
    for (status, answer) in both(&server, &robin) {
        assert_eq!((status, &answer["decision"]), (200, &json!("deny")), "{answer}");
    }
    assert!(changes(&server, &mary, whole).is_empty(), "nothing is half recorded");
    house.run(&["service", "gate", "search", "--observe"]);
    let lets = || {
        let (status, answer) = ask(&server, &sabrina, json!({ "services": ["search"], "what": "a", "dry_run": true }));
        (status == 200).then_some(answer)
    };
    assert_eq!(wait::until("it observes", lets)["decision"], "allow");
    for answer in both(&server, &sabrina).into_iter().chain(both(&server, &robin)) {
        assert_eq!((answer.0, &answer.1["decision"], &answer.1["observed"]), (200, &json!("allow"), &json!(true)));
    }
    let in_part = "Incident #1 is on search and can be read only in part, so that nothing is recorded there.";
    let (_, said) = asked(&server, &sabrina, "search", "deploy v12");
    let stands = "It stands there as change 1 of incident #2.";
    let observes = "The gate of search only observes.";
    assert_eq!(said["reason"], format!("Allowed. It could not have been decided: {in_part} {observes} {stands}"));
    assert_eq!((changes(&server, &mary, n).len(), changes(&server, &mary, whole).len()), (0, 1));
}

fn what_an_entry_that_cannot_be_read_may_have_added_is_not_passed_over(house: House) {
    let Scene { house, mut server, mary, sabrina, robin, n } = scene(house);
    for (service, enforces) in [("web", "sev2"), ("mail", "sev1")] {
        house.run(&["service", "set", service]);
        house.run(&["service", "gate", service, "--enforce", enforces]);
    }
    let last = |answer: Value| answer["last_entry"].as_u64().unwrap();
    let sets =
        |services: Value| last(server.done(&mary, n, json!({ "command": "set_services", "services": services })));
    let noted = last(server.done(&mary, n, json!({ "command": "note", "text": "it is slow" })));
    let [added, taken_back] = [json!(["search", "web"]), json!(["search"])].map(sets);
    // A note says nothing of services, and what was set before is not what holds now.
    for (entries, unsure) in [(vec![noted, added], false), (vec![taken_back], true)] {
        server.kill();
        for entry in entries {
            house.tamper(&format!("UPDATE events SET body = 'null' WHERE stream = {n} AND seq = {entry}"));
        }
        house.tamper("DELETE FROM snapshots");
        server = house.serve();
        for (token, nobody) in [(&robin, "robin"), (&sabrina, "sabrina")] {
            let answer = once_read(&server, token, "web", "deploy v12");
            if unsure {
                let detail = cannot_decide(&answer);
                assert!(detail.starts_with("Something that may be on web cannot be read."), "{nobody}: {detail}");
            } else {
                assert_eq!(answer.1["reason"], "Allowed: no incident keeps you from changing web.", "{nobody}");
            }
        }
        // Where it is known to be, it is as it was: who is outside is stopped, and who would pass cannot be recorded.
        assert_eq!(asked(&server, &robin, "search", "deploy v12").1["decision"], "deny");
        let detail = cannot_decide(&asked(&server, &sabrina, "search", "deploy v12"));
        assert!(detail.starts_with("Incident #1 is on search and can be read only in part"), "{detail}");
        assert_eq!(asked(&server, &robin, "mail", "deploy v12").1["decision"], "allow", "it does not enforce this");
    }
}

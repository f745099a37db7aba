//! Stories that go on from the demo's incident: the same people, tokens, roles and timeline everywhere.

use serde_json::{Value, json};

use crate::house::House;
use crate::on_both;

on_both!(
    the_demo_leaves_a_record_to_look_around_in,
    command_goes_on_from_hand_to_hand,
    its_words_can_be_taken_out,
    it_comes_back_from_a_backup,
    it_takes_in_another_incident,
    it_plays_only_where_there_is_no_record
);

fn the_demo_leaves_a_record_to_look_around_in(house: House) {
    house.with_demo();
    let mary = house.token("mary", "respond");
    let server = house.serve();
    let shown = server.say(&mary, &["show", "1"]);
    for part in ["sev2 #1 A data centre stopped serving", "closed for", "affects frontend, shakespeare", "Malcolm"] {
        assert!(shown.contains(part), "“{part}” is missing in:\n{shown}");
    }
    let kinds = server.kinds(&mary, 1);
    for kind in ["opened", "declared", "role_taken", "roadblock_cleared", "taking_held_back", "closed"] {
        assert!(kinds.iter().any(|had| had == kind), "{kind} is missing in {kinds:?}");
    }
    let timeline = server.say(&mary, &["timeline", "1"]);
    let entries = timeline.lines().filter(|line| !line.ends_with(", times in UTC"));
    assert_eq!(entries.count(), kinds.len(), "an entry is a line:\n{timeline}");
    let (_, page) = server.get(&mary, "/api/v1/incidents/1/events");
    let entries: Vec<u64> =
        page["entries"].as_array().unwrap().iter().map(|entry| entry["entry"].as_u64().unwrap()).collect();
    assert_eq!(entries, (1..=kinds.len() as u64).collect::<Vec<_>>());
    assert_eq!(server.say(&mary, &["next"]).trim(), "Nothing waits for you.");
    assert_eq!(house.verify()["holds"], true);
}

fn command_goes_on_from_hand_to_hand(house: House) {
    house.with_demo();
    let [robin, you] = ["robin", "you"].map(|handle| house.token(handle, "respond"));
    let server = house.serve();
    server.say(&robin, &["reopen", "1", "--reason", "the second data centre is down again"]);
    assert_eq!(server.commander(&robin, 1), "robin", "whoever reopens takes command");
    server.say(&robin, &["offer", "1", "command", "you"]);
    let said = server.say(&you, &["take", "1", "command", "--yes"]);
    for part in
        ["Robin reopened the incident", "Mary has command from Jennifer", "Jennifer (you) has command from Robin"]
    {
        assert!(said.contains(part), "“{part}” is missing in:\n{said}");
    }
    for (phase, told) in [("mitigated", "this is mitigated"), ("resolved", "this is resolved"), ("closed", "closed")] {
        assert!(server.say(&you, &["phase", "1", phase]).contains(told));
    }
    assert_eq!(house.verify()["holds"], true);
}

fn its_words_can_be_taken_out(house: House) {
    house.with_demo();
    let mary = house.token("mary", "respond");
    let server = house.serve();
    let words = "One change at a time.";
    let entry = server
        .say(&mary, &["timeline", "1", "--json"])
        .lines()
        .find(|line| line.contains(words))
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["entry"].to_string());
    server.say(&mary, &["redact", "1", &entry.unwrap(), "--reason", "too curt"]);
    let timeline = server.say(&mary, &["timeline", "1"]);
    assert!(!timeline.contains(words) && timeline.contains("Mary: (redacted)"), "{timeline}");
    house.run(&["person", "forget", "malcolm"]);
    crate::wait::until("Malcolm is forgotten", || {
        let timeline = server.say(&mary, &["timeline", "1"]);
        (timeline.contains("a forgotten person is here") && !timeline.contains("Malcolm")).then_some(())
    });
    assert_eq!(house.verify()["holds"], true);
}

fn it_comes_back_from_a_backup(house: House) {
    house.with_demo();
    let backup = house.folder().join("demo.backup");
    house.run(&["backup", backup.to_str().unwrap()]);
    let other = House::on_sqlite();
    other.run(&["restore", backup.to_str().unwrap()]);
    let told = |house: &House| {
        let mary = house.token("mary", "respond");
        let server = house.serve();
        server.say(&mary, &["timeline", "1"])
    };
    assert_eq!(told(&house), told(&other), "word for word, and at the same times");
    assert_eq!(other.verify()["holds"], true);
    assert_eq!(other.verify()["broken"], json!([]));
}

fn it_takes_in_another_incident(house: House) {
    house.with_demo();
    let mary = house.token("mary", "respond");
    let server = house.serve();
    server.say(&mary, &["declare", "The capacity desk is paged again", "--service", "quota"]);
    let refused = server.verb(&mary, &["merge", "2", "1"]);
    assert_eq!(refused.status.code(), Some(1), "an incident that is closed takes nothing in");
    server.say(&mary, &["reopen", "1"]);
    assert!(server.say(&mary, &["merge", "2", "1"]).contains("Mary merged this incident into #1"));
    assert!(server.say(&mary, &["show", "1"]).contains("affects frontend, quota, shakespeare"));
    assert!(server.say(&mary, &["show", "2"]).contains("merged"));
    assert_eq!(house.verify()["holds"], true);
}

fn it_plays_only_where_there_is_no_record(house: House) {
    house.person("mary");
    let before = house.verify();
    let refused = house.console(&["demo", "--json"]);
    assert_eq!(refused.status.code(), Some(1));
    let problem: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert!(problem["detail"].as_str().unwrap().contains("holds a record already"), "{problem}");
    assert_eq!(house.verify(), before);
}

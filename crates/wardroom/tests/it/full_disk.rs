//! A disk that is full, or on which fsync fails: writes are put off, reads go on, nothing acknowledged is lost and
//! nothing else is ever shown.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::disk::{self, Disk};
use crate::house::{House, Server};
use crate::{on_both, wait};

on_both!(what_is_derived_and_cannot_be_kept_can_still_be_read);

fn note(text: &str) -> Value {
    json!({ "request_id": Uuid::now_v7(), "command": "note", "text": text })
}

/// What the disk's trouble does not touch.
fn reads_go_on(server: &Server, token: &str, n: u64, notes: &[&str]) {
    let (status, state) = server.get(token, &format!("/api/v1/incidents/{n}"));
    assert_eq!((status, &state["severity"]), (200, &json!("sev1")));
    let (status, listed) = server.get(token, "/api/v1/incidents");
    assert_eq!((status, &listed["incidents"][0]["severity"]), (200, &json!("sev1")), "{listed}");
    assert_eq!(server.get(token, "/api/v1/next").0, 200);
    assert_eq!(server.notes(token, n), notes, "only what was acknowledged is shown");
    let entries = server.kinds(token, n).len();
    assert_eq!(state["last_entry"], entries, "and the state has no more than that either");
}

#[test]
fn a_full_disk_puts_writes_off_until_there_is_room() {
    let house = House::on_sqlite();
    let (mary, disk) = (house.person("mary"), Disk::of(&house));
    let server = disk.serve(&house);
    let n = server.declare(&mary, "Search is failing");
    let (path, stream) = (format!("/api/v1/incidents/{n}/commands"), server.follow(&mary, ""));
    let mut notes = vec!["before"];
    server.done(&mary, n, json!({ "command": "note", "text": "before" }));
    server.done(&mary, n, json!({ "command": "set_severity", "severity": "sev1" }));
    for text in ["one", "two"] {
        disk::fill(&server);
        let body = note(text);
        for _ in 0..3 {
            assert_eq!(server.put_off(&mary, &path, &body)["code"], "store_unavailable");
            reads_go_on(&server, &mary, n, &notes);
        }
        let opening = json!({ "request_id": Uuid::now_v7(), "title": "Another" });
        server.put_off(&mary, "/api/v1/incidents", &opening);
        assert_eq!(house.verify()["holds"], true, "nothing is half-written");
        disk::make_room(&server);
        server.insist(&mary, &path, &body);
        server.insist(&mary, &path, &body);
        notes.push(text);
        // Right before the disk is full again, so that the lists have not kept it yet.
        server.done(&mary, n, json!({ "command": "set_severity", "severity": "sev2" }));
        server.done(&mary, n, json!({ "command": "set_severity", "severity": "sev1" }));
    }
    assert_eq!(stream.notes(3), notes);
    assert_eq!(server.notes(&mary, n), notes);
    assert_eq!(house.verify()["holds"], true);
}

#[test]
fn after_a_failed_fsync_nothing_is_reported_as_saved_and_nothing_saved_is_lost() {
    let house = House::on_sqlite();
    let (mary, disk) = (house.person("mary"), Disk::of(&house));
    let server = disk.serve(&house);
    let n = server.declare(&mary, "Search is failing");
    let (path, stream) = (format!("/api/v1/incidents/{n}/commands"), server.follow(&mary, ""));
    server.done(&mary, n, json!({ "command": "note", "text": "before" }));
    server.done(&mary, n, json!({ "command": "set_severity", "severity": "sev1" }));
    let (one, three) = (note("one"), note("three"));
    disk.breaks();
    for _ in 0..3 {
        let problem = server.put_off(&mary, &path, &one);
        assert_eq!(problem["code"], "store_unavailable");
        reads_go_on(&server, &mary, n, &["before"]);
    }
    disk.mended();
    server.insist(&mary, &path, &one);
    server.done(&mary, n, json!({ "command": "note", "text": "two" }));
    assert_eq!(stream.notes(3), ["before", "one", "two"]);
    disk.breaks();
    server.put_off(&mary, &path, &three);
    server.kill();
    disk.mended();
    let server = disk.serve(&house);
    let notes = server.notes(&mary, n);
    // What was in doubt may be there or not; its writer was told so.
    let expected = ["before", "one", "two", "three"];
    assert!(notes == expected || notes == expected[..3], "{notes:?}");
    server.insist(&mary, &path, &three);
    assert_eq!(server.notes(&mary, n), expected);
    assert_eq!(house.verify()["holds"], true);
}

/// Snapshots and the board are disposable: whoever reads must not depend on their being written.
fn what_is_derived_and_cannot_be_kept_can_still_be_read(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    if house.is_postgres() {
        house.tamper(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql
             AS 'BEGIN RAISE EXCEPTION ''no space left on device''; END'",
        );
    }
    for table in ["snapshots", "board"] {
        for act in ["INSERT", "UPDATE"] {
            let (each, refuse) = match house.is_postgres() {
                true => ("FOR EACH ROW", "EXECUTE FUNCTION full_disk()"),
                false => ("", "BEGIN SELECT RAISE(ABORT, 'disk full'); END"),
            };
            house.tamper(&format!("CREATE TRIGGER {table}_{act} BEFORE {act} ON {table} {each} {refuse}"));
        }
    }
    for number in 0..300 {
        server.done(&mary, n, json!({ "command": "note", "text": format!("note {number}") }));
    }
    server.done(&mary, n, json!({ "command": "set_severity", "severity": "sev1" }));
    let (status, listed) = server.get(&mary, "/api/v1/incidents");
    assert_eq!((status, &listed["incidents"][0]["severity"]), (200, &json!("sev1")), "{listed}");
    server.kill();
    let server = house.serve();
    let (status, state) = server.get(&mary, &format!("/api/v1/incidents/{n}"));
    assert_eq!((status, &state["severity"]), (200, &json!("sev1")), "{state}");
    let listed = wait::until("the list is there", || {
        let (status, listed) = server.get(&mary, "/api/v1/incidents");
        (status == 200).then_some(listed)
    });
    assert_eq!(listed["incidents"][0]["severity"], "sev1");
    assert_eq!(house.verify()["holds"], true);
}

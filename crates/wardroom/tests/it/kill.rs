//! Nothing acknowledged is ever lost: kill -9 in the middle of it, a backup beside it, a stop that drains.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;

use crate::house::{House, WARDROOM};
use crate::{on_both, wait};

on_both!(
    what_was_acknowledged_survives_kill_9,
    a_backup_has_everything_acknowledged_before_it,
    a_restore_that_is_cut_off_leaves_no_live_tokens,
    a_restore_that_is_killed_leaves_all_of_it_or_nothing,
    a_stop_drains
);

/// Notes that are written by several people until they are told to stop, or the server is gone. Returns how
/// many were acknowledged to each writer, who numbers them in order.
fn write_notes(
    server: &crate::house::Server,
    token: &str,
    n: u64,
    stop: &AtomicBool,
    enough: &AtomicUsize,
) -> Vec<usize> {
    let path = format!("/api/v1/incidents/{n}/commands");
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let path = &path;
                scope.spawn(move || {
                    let mut acknowledged = 0;
                    while !stop.load(Ordering::Relaxed) {
                        let body = json!({ "request_id": uuid::Uuid::now_v7(), "command": "note",
                            "text": format!("writer {writer} note {}", acknowledged + 1) });
                        match server.send(token, path, body.to_string().as_bytes()) {
                            Some((200, _)) => acknowledged += 1,
                            _ => return acknowledged,
                        }
                        enough.fetch_add(1, Ordering::Relaxed);
                    }
                    acknowledged
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    })
}

/// Tells the writers to stop when a story ends, also when it fails.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How many of each writer's notes the record has, checking that none is missing in between.
fn notes_of_each(server: &crate::house::Server, token: &str, n: u64) -> Vec<usize> {
    let mut counts = vec![0; 4];
    let mut after = String::new();
    loop {
        let (_, page) = server.get(token, &format!("/api/v1/incidents/{n}/events{after}"));
        for entry in page["entries"].as_array().unwrap() {
            after = format!("?after={}", entry["cursor"].as_str().unwrap());
            let Some(text) = entry["body"]["text"].as_str() else { continue };
            let numbers: Vec<usize> = text.split(' ').filter_map(|word| word.parse().ok()).collect();
            counts[numbers[0]] += 1;
            assert_eq!(counts[numbers[0]], numbers[1], "a note is missing or twice");
        }
        if page["more"] != true {
            return counts;
        }
    }
}

fn what_was_acknowledged_survives_kill_9(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let (stop, enough) = (AtomicBool::new(false), AtomicUsize::new(0));
    let acknowledged = std::thread::scope(|scope| {
        let writing = scope.spawn(|| write_notes(&server, &mary, n, &stop, &enough));
        wait::until("some notes were acknowledged", || (enough.load(Ordering::Relaxed) > 100).then_some(()));
        server.signal("-KILL");
        writing.join().unwrap()
    });
    drop(server);
    let server = house.serve();
    let kept = notes_of_each(&server, &mary, n);
    // The one note under way when the server died may be there too; its writer was never told.
    for (kept, acknowledged) in kept.iter().zip(&acknowledged) {
        assert!(*kept == *acknowledged || *kept == acknowledged + 1, "{kept} of {acknowledged} acknowledged");
    }
    assert_eq!(server.commander(&mary, n), "mary");
    assert_eq!(house.verify()["holds"], true);
}

/// One of two nodes is killed while people write on both: what it acknowledged is in the record, and those at the
/// other are not disturbed.
#[test]
fn either_node_may_be_killed_while_people_write() {
    let house = House::on_postgres();
    let mary = house.person("mary");
    let (one, two) = (house.serve(), house.serve());
    let numbers = [one.declare(&mary, "Search is failing"), two.declare(&mary, "Checkout is slow")];
    let (stop, written) = (AtomicBool::new(false), [AtomicUsize::new(0), AtomicUsize::new(0)]);
    let acknowledged = std::thread::scope(|scope| {
        let _stops = Stops(&stop);
        let both = [(&one, 0), (&two, 1)].map(|(node, at)| {
            let (mary, stop, written) = (&mary, &stop, &written[at]);
            scope.spawn(move || write_notes(node, mary, numbers[at], stop, written))
        });
        let reached = |at: usize, count: usize| {
            wait::until("they write", || (written[at].load(Ordering::Relaxed) >= count).then_some(()));
        };
        reached(0, 50);
        reached(1, 50);
        one.signal("-KILL");
        reached(1, written[1].load(Ordering::Relaxed) + 50);
        stop.store(true, Ordering::Relaxed);
        both.map(|writers| writers.join().unwrap())
    });
    for (n, acknowledged) in numbers.into_iter().zip(&acknowledged) {
        let recorded = notes_of_each(&two, &mary, n);
        for (acknowledged, recorded) in acknowledged.iter().zip(&recorded) {
            // The last one may have been recorded without its answer getting through.
            assert!((*acknowledged..=acknowledged + 1).contains(recorded), "{acknowledged} of {recorded}");
        }
    }
    assert_eq!(house.verify()["holds"], true);
}

fn a_backup_has_everything_acknowledged_before_it(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let (stop, enough) = (AtomicBool::new(false), AtomicUsize::new(0));
    let file = house.folder().join("monday.backup");
    let before = std::thread::scope(|scope| {
        scope.spawn(|| write_notes(&server, &mary, n, &stop, &enough));
        let _stops = Stops(&stop);
        wait::until("some notes were acknowledged", || (enough.load(Ordering::Relaxed) > 50).then_some(()));
        let before = enough.load(Ordering::Relaxed);
        house.run(&["backup", file.to_str().unwrap()]);
        stop.store(true, Ordering::Relaxed);
        before
    });
    let (_, page) = server.get(&mary, &format!("/api/v1/incidents/{n}/events?limit=1"));
    let foreign = page["entries"][0]["cursor"].as_str().unwrap().to_owned();
    let other = House::on_sqlite();
    other.run(&["restore", file.to_str().unwrap()]);
    assert_eq!(other.verify()["holds"], true);
    let restored = other.serve();
    assert_eq!(restored.get(&mary, "/api/v1/me").0, 401, "tokens from before are revoked");
    let mary = other.token("mary", "respond");
    wait::until("the server knows the token", || (restored.get(&mary, "/api/v1/me").0 == 200).then_some(()));
    let kept: usize = notes_of_each(&restored, &mary, n).iter().sum();
    assert!(kept >= before, "{kept} notes are in the backup, and {before} were acknowledged before it");
    let (status, problem) = restored.get(&mary, &format!("/api/v1/incidents/{n}/events?after={foreign}"));
    assert_eq!((status, &problem["code"]), (410, &json!("cursor_gone")), "a cursor of another history is told so");
    let again = house.console(&["restore", file.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(1), "restoring never overwrites a log");
}

/// Cut off between filling the store and revoking, the log was there and its tokens were live.
fn a_restore_that_is_cut_off_leaves_no_live_tokens(house: House) {
    let mary = house.person("mary");
    let file = house.folder().join("monday.backup");
    house.run(&["backup", file.to_str().unwrap()]);
    let other = if house.is_postgres() { House::on_postgres() } else { House::on_sqlite() };
    other.make_tables();
    other.tamper(if house.is_postgres() {
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''cut off''; END';
         CREATE TRIGGER cut BEFORE INSERT ON events FOR EACH ROW WHEN (new.kind = 'all_tokens_revoked')
         EXECUTE FUNCTION cut()"
    } else {
        "CREATE TRIGGER cut BEFORE INSERT ON events WHEN new.kind = 'all_tokens_revoked'
         BEGIN SELECT RAISE(ABORT, 'cut off'); END"
    });
    let cut_off = other.console(&["restore", file.to_str().unwrap()]);
    assert!(!cut_off.status.success(), "{}", String::from_utf8_lossy(&cut_off.stdout));
    assert_eq!(
        (other.ask("SELECT count(*) FROM events"), other.run(&["token", "list"])),
        ("0".to_owned(), String::new())
    );
    other.tamper(if house.is_postgres() { "DROP TRIGGER cut ON events" } else { "DROP TRIGGER cut" });
    other.run(&["restore", file.to_str().unwrap()]);
    assert_eq!(other.run(&["token", "list"]), "");
    assert_eq!(other.serve().get(&mary, "/api/v1/me").0, 401);
    assert_eq!(other.verify()["holds"], true);
    assert_eq!(other.console(&["restore", file.to_str().unwrap()]).status.code(), Some(1), "there is a log now");
}

/// Killed at any moment, wherever that is.
fn a_restore_that_is_killed_leaves_all_of_it_or_nothing(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    for _ in 0..300 {
        server.done(&mary, n, json!({ "command": "note", "text": "something to copy" }));
    }
    let file = house.folder().join("monday.backup");
    house.run(&["backup", file.to_str().unwrap()]);
    for round in 0..6 {
        let other = if house.is_postgres() { House::on_postgres() } else { House::on_sqlite() };
        other.make_tables();
        let mut restoring = Command::new(WARDROOM);
        restoring.arg("restore").arg(&file).args(other.place()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut restoring = restoring.spawn().unwrap();
        // Further on each time; how far depends on the machine.
        let looks = std::iter::repeat_with(|| other.ask("SELECT count(*) FROM tips")).take(round);
        drop(looks.collect::<Vec<_>>());
        restoring.kill().unwrap();
        restoring.wait().unwrap();
        assert_eq!(other.run(&["token", "list"]), "", "whatever is there lets nobody in");
        let events: usize = other.ask("SELECT count(*) FROM events").parse().unwrap();
        assert!(events == 0 || other.ask("SELECT count(*) FROM events WHERE kind = 'all_tokens_revoked'") == "1");
        assert_eq!(other.verify()["holds"], true);
    }
}

fn a_stop_drains(house: House) {
    let mary = house.person("mary");
    let mut server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let (_, page) = server.get(&mary, &format!("/api/v1/incidents/{n}/events"));
    let cursor = page["entries"][0]["cursor"].as_str().unwrap();
    server.done(&mary, n, json!({ "command": "note", "text": "before" }));
    let stream = server.follow(&mary, &format!("?after={cursor}"));
    assert_eq!(stream.next()["kind"], "noted");
    // A note that is half sent when the server is told to stop.
    let note = json!({ "request_id": uuid::Uuid::now_v7(), "command": "note", "text": "under way" }).to_string();
    let head = format!(
        "POST /api/v1/incidents/{n}/commands HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {mary}\r\ncontent-type: \
         application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        note.len()
    );
    let mut under_way = TcpStream::connect(server.address()).unwrap();
    under_way.write_all(head.as_bytes()).unwrap();
    let mut going_on = [0; 25];
    under_way.read_exact(&mut going_on).unwrap();
    assert_eq!(&going_on, b"HTTP/1.1 100 Continue\r\n\r\n", "it waits for the body");
    server.signal("-TERM");
    stream.end();
    under_way.write_all(note.as_bytes()).unwrap();
    let mut answer = String::new();
    under_way.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(server.ended(), 0);
    assert_eq!(house.serve().notes(&mary, n), ["before", "under way"]);
}

//! The database goes away and comes back under a running server: gone, silent, or gone in the middle of an answer.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::browser::{Browser, PASSWORD, Told, link};
use crate::gate::Gate;
use crate::house::{House, Server, Stream, WARDROOM};
use crate::wait;

/// Whoever asked is told by then, with what is left to spare for a loaded machine.
const TOLD_WITHIN: Duration = Duration::from_secs(50);

/// Mary's incident on a server whose database is behind a gate.
struct Scene {
    house: House,
    gate: Gate,
    mary: String,
    server: Server,
    path: String,
    n: u64,
    stream: Stream,
}

fn scene() -> Scene {
    let house = House::on_postgres();
    let mary = house.person("mary");
    let gate = Gate::before(&house);
    let server = house.start(Command::new(WARDROOM).args(["serve", "--database", &gate.url]));
    let n = server.declare(&mary, "Search is failing");
    let stream = server.follow(&mary, "");
    server.done(&mary, n, json!({ "command": "note", "text": "before" }));
    assert_eq!(stream.notes(1), ["before"]);
    Scene { house, gate, mary, server, path: format!("/api/v1/incidents/{n}/commands"), n, stream }
}

fn note(text: &str) -> Value {
    json!({ "request_id": Uuid::now_v7(), "command": "note", "text": text })
}

fn sorted(mut notes: Vec<String>) -> Vec<String> {
    notes.sort();
    notes
}

impl Scene {
    /// What goes on without a database, and what does not.
    fn reads_go_on(&self) {
        let (mary, n) = (&self.mary, self.n);
        let (status, state) = self.server.get(mary, &format!("/api/v1/incidents/{n}"));
        assert_eq!((status, &state["title"]), (200, &json!("Search is failing")), "this node holds it");
        assert_eq!(self.server.get(mary, "/api/v1/me").0, 200);
        assert_eq!(self.server.get(mary, "/api/v1/directory").0, 200);
        assert_eq!(self.server.status("/healthz"), Some(200), "the process is well");
        assert_eq!(self.server.status("/readyz"), Some(503), "but cannot serve everything");
        for path in ["/api/v1/incidents", &format!("/api/v1/incidents/{n}/events"), "/api/v1/next"] {
            let (status, problem) = self.server.get(mary, path);
            assert_eq!((status, &problem["code"]), (503, &json!("store_unavailable")), "{path}");
        }
    }

    /// After the database came back: everything put off is accepted once, and the stream goes on without a gap.
    fn goes_on(&self, put_off: &[Value]) {
        let Self { house, gate, mary, server, path, n, stream } = self;
        gate.open();
        let mut expected = vec!["before".to_owned()];
        for body in put_off {
            let accepted = server.insist(mary, path, body);
            assert_eq!(server.insist(mary, path, body), accepted, "the same id again gets the same answer");
            expected.push(body["text"].as_str().unwrap().to_owned());
        }
        server.insist(mary, path, &note("after"));
        expected.push("after".to_owned());
        let recorded = server.notes(mary, *n);
        assert_eq!(stream.notes(expected.len() - 1), recorded[1..], "the stream has no gap and nothing twice");
        // What was in doubt may have been recorded as soon as the database did what it had been asked, in any order.
        expected.sort();
        assert_eq!(sorted(recorded), expected);
        wait::until("it is ready", || server.status("/readyz").filter(|status| *status == 200));
        assert_eq!(house.verify()["holds"], true);
    }
}

#[test]
fn a_database_that_is_gone_puts_writes_off_and_comes_back() {
    let scene = scene();
    scene.gate.shut();
    let bodies = [note("one"), note("two")];
    for body in bodies.iter().chain(&bodies) {
        let began = Instant::now();
        let problem = scene.server.put_off(&scene.mary, &scene.path, body);
        assert_eq!(problem["code"], "store_unavailable");
        assert!(began.elapsed() < TOLD_WITHIN);
    }
    scene.reads_go_on();
    scene.goes_on(&bodies);
}

/// Such a database acknowledges every packet, so no setting of TCP notices.
#[test]
fn a_database_that_falls_silent_puts_writes_off_and_comes_back() {
    let scene = scene();
    scene.gate.fall_silent();
    let bodies = [note("one"), note("two")];
    let Scene { server, mary, path, .. } = &scene;
    std::thread::scope(|scope| {
        for body in &bodies {
            scope.spawn(move || {
                let began = Instant::now();
                let problem = server.put_off(mary, path, body);
                assert_eq!(problem["code"], "store_unavailable");
                assert!(began.elapsed() < TOLD_WITHIN, "{:?}", began.elapsed());
            });
        }
        scene.reads_go_on();
    });
    // Now it also does what it was asked meanwhile; that was in doubt.
    scene.goes_on(&bodies);
}

/// What lets people in was read without a bound: whoever came waited for as long as their connection was left open.
#[test]
fn a_database_that_falls_silent_keeps_nobody_waiting_at_the_door() {
    let Scene { house, gate, mary, server, .. } = scene();
    let other = house.serve();
    let cookie = Browser::of(&house, &other, "sabrina").cookie;
    let invitation = link(&house, "sabrina");
    wait::until("the node knows Sabrina", || {
        let (_, directory) = server.get(&mary, "/api/v1/directory");
        directory["people"].as_array()?.iter().any(|person| person["handle"] == "sabrina").then_some(())
    });
    gate.fall_silent();
    let waits_not = |how: &str, cookie: &str, comes: &dyn Fn(&mut Browser<'_>) -> Told| {
        let began = Instant::now();
        let told = comes(&mut Browser::new(&server).holding(cookie));
        assert_eq!(told.said(), (503, "store_unavailable"), "{how}: {}", told.body);
        assert!(!told.header("retry-after").is_empty(), "{how}");
        assert!(began.elapsed() < TOLD_WITHIN, "{how}: {:?}", began.elapsed());
    };
    std::thread::scope(|scope| {
        scope.spawn(|| waits_not("by a cookie that this node does not know", &cookie, &|who| who.get("/api/v1/me")));
        scope.spawn(|| waits_not("by a password", "", &|who| who.sign_in("sabrina", PASSWORD)));
        scope.spawn(|| waits_not("by a link", "", &|who| who.come_in(&invitation, json!({}))));
    });
    gate.open();
    wait::until("they come in", || Browser::new(&server).holding(&cookie).is_in().then_some(()));
}

#[test]
fn an_answer_cut_off_in_its_middle_leaves_it_in_doubt_and_recorded_once() {
    let scene = scene();
    for round in ["round one", "round two"] {
        scene.gate.cut_the_answer_to(round);
        let body = note(round);
        let problem = scene.server.put_off(&scene.mary, &scene.path, &body);
        scene.gate.has_cut();
        assert!(problem["detail"].as_str().unwrap().contains("recorded or not"), "{problem}");
        scene.server.insist(&scene.mary, &scene.path, &body);
        assert_eq!(scene.stream.notes(1), [round]);
    }
    assert_eq!(scene.server.notes(&scene.mary, scene.n), ["before", "round one", "round two"]);
    assert_eq!(scene.house.verify()["holds"], true);
}

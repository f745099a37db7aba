//! Several nodes, a database that goes away, and much at once, while what is worth keeping is kept.

use std::path::PathBuf;

use jiff::SignedDuration;
use serde_json::json;

use super::{Graphs, declare, kept, left, pieces, script, serve, serve_at, told, worth};
use crate::evidence::files;
use crate::gate::Gate;
use crate::house::{House, Server, WARDROOM};
use crate::wait;

/// Notes that are written while a node stands still: more than whoever follows the log looks at together.
const NOTES: usize = 600;
/// How long one is, in bytes. All that is read from the log at once is then more than is handed on at once.
const LONG: usize = 2_000;

/// Each asks, because neither knows of the other; what came first is kept, and what could not be is told once.
#[test]
fn two_nodes_keep_each_thing_once() {
    let house = House::on_postgres();
    let mary = house.person("mary");
    let [graphs, gone] = [Graphs::new(), Graphs::new()];
    let things = [format!("graphs={}", graphs.at("/held")), format!("queue={}", gone.at("/held/nothing"))];
    worth(&house, "search", &things.each_ref().map(String::as_str));
    let [one, two] = [(); 2].map(|()| serve(&house, &[&graphs, &gone], &[]));
    let n = declare(&one, &mary, "incident", "search");
    let asked = || (graphs.asked("/held") == 2 && gone.asked("/held/nothing") == 2).then_some(());
    wait::until("both have asked for both", asked);
    graphs.release();
    // The other's picture came, too, and is no second one.
    wait::until("both pictures came", || (files(&house, "").len() == 2).then_some(()));
    gone.release();
    wait::until("it is told", || (told(&two, &mary, n, "not_kept").0 > 0).then_some(()));
    one.done(&mary, n, json!({ "command": "note", "text": "on it" }));
    two.done(&mary, n, json!({ "command": "note", "text": "me too" }));
    assert_eq!(one.kinds(&mary, n), ["opened", "evidence_attached", "not_kept", "noted", "noted"]);
    assert_eq!(left(&one, &mary, n).len(), 1);
    assert_eq!(house.verify()["holds"], true);
}

/// A server whose database is behind a gate.
fn behind(gate: &Gate, house: &House, from: &[&Graphs], captures: &[String]) -> Server {
    let evidence = format!("--evidence={}/evidence", house.folder().display());
    serve_at(house, &["--database".to_owned(), gate.url.clone(), evidence], from, captures)
}

#[test]
fn what_comes_while_the_database_is_away_is_kept_once_when_it_is_back() {
    let house = House::on_postgres();
    let mary = house.person("mary");
    let [graphs, gone] = [Graphs::new(), Graphs::new()];
    let things = [
        format!("graphs={}", graphs.at("/held")),
        format!("queue={}", gone.at("/held/nothing")),
        "pods=capture:pods".to_owned(),
    ];
    worth(&house, "search", &things.each_ref().map(String::as_str));
    let begun = house.folder().join("begun");
    let pods = format!("echo x >> {0}; until [ -e {0}.go ]; do sleep 0.1; done; echo pods $$", begun.display());
    let pods = script(&house, "pods", &pods);
    let gate = Gate::before(&house);
    let server = behind(&gate, &house, &[&graphs, &gone], &[pods]);
    let n = declare(&server, &mary, "incident", "search");
    let runs = || std::fs::read_to_string(&begun).unwrap_or_default().lines().count();
    let asked = |times: usize| {
        let all = [graphs.asked("/held"), gone.asked("/held/nothing"), runs()];
        all.iter().all(|asked| *asked >= times).then_some(())
    };
    wait::until("all is asked for", || asked(1));
    gate.shut();
    graphs.release();
    gone.release();
    std::fs::write(begun.with_extension("go"), "").unwrap();
    // What it showed could not be kept, so it is asked for anew.
    wait::until("it is asked for again", || asked(2));
    gate.open();
    kept(&server, &mary, n, 2);
    wait::until("it is told", || (told(&server, &mary, n, "not_kept").0 > 0).then_some(()));
    server.done(&mary, n, json!({ "command": "note", "text": "back" }));
    let many = |kind| told(&server, &mary, n, kind).0;
    assert_eq!((many("evidence_attached"), many("not_kept")), (2, 1));
    assert_eq!(left(&server, &mary, n).len(), 1);
    assert_eq!(house.verify()["holds"], true);
}

/// Writes many long notes, by several people at once.
fn write(server: &Server, token: &str, n: u64) {
    const WRITERS: usize = 8;
    let text = "x".repeat(LONG);
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                for _ in 0..NOTES / WRITERS {
                    server.done(token, n, json!({ "command": "note", "text": text }));
                }
            });
        }
    });
}

/// It stood still for as long as that took, and reads all of it at once.
#[test]
fn nothing_is_missed_where_much_came_at_once() {
    let house = House::on_postgres();
    let mary = house.person("mary");
    let graphs = Graphs::new();
    for (service, path) in [("search", "/held"), ("indexing", "/indexing"), ("mail", "/mail")] {
        worth(&house, service, &[&format!("graph={}", graphs.at(path))]);
    }
    let keeps = serve(&house, &[&graphs], &[]);
    // It has nowhere to keep anything, and leaves that to the other.
    let writes = house.start(std::process::Command::new(WARDROOM).args(["serve", "--database", &house.url()]));
    keeps.signal("-STOP");
    let search = declare(&writes, &mary, "incident", "search");
    write(&writes, &mary, search);
    writes.done(&mary, search, json!({ "command": "set_services", "services": ["search", "indexing"] }));
    let mail = declare(&writes, &mary, "incident", "mail");
    keeps.signal("-CONT");
    wait::until("the first is asked for", || (graphs.asked("/held") == 1).then_some(()));
    graphs.release();
    for (n, many) in [(mail, 1), (search, 2)] {
        assert_eq!(kept(&keeps, &mary, n, many).len(), many);
    }
    assert_eq!(["/held", "/indexing", "/mail"].map(|path| graphs.asked(path)), [1; 3]);
}

/// What is being written into the store of evidence, and has no name of its own yet.
fn half_written(house: &House) -> Option<PathBuf> {
    let half = |path: &PathBuf| path.to_string_lossy().contains('#');
    files(house, "").into_iter().find(half)
}

/// Whether every thread of a process stands still.
fn stands_still(server: &Server) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
    threads
        .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("status")).ok())
        .all(|status| status.lines().any(|line| line.starts_with("State:\tT")))
}

/// What a capture showed lies half in the store then, or whole, and nobody was told of it.
#[test]
fn what_kill_9_left_of_what_captures_showed_is_swept() {
    let house = House::on_sqlite();
    let mary = house.person("mary");
    let picture = r"printf '\211PNG\r\n\032\n'; head -c 4000000 /dev/urandom";
    let captures: Vec<String> = (0..8).map(|n| script(&house, &format!("picture{n}"), picture)).collect();
    let things: Vec<String> = (0..8).map(|n| format!("picture {n}=capture:picture{n}")).collect();
    worth(&house, "search", &things.iter().map(String::as_str).collect::<Vec<_>>());
    let server = serve(&house, &[], &captures);
    let mut n = declare(&server, &mary, "incident", "search");
    let half = wait::until("it is killed while it writes", || {
        if (0..1_000).all(|_| half_written(&house).is_none()) {
            if pieces(&server, &mary, n).len() == things.len() {
                n = declare(&server, &mary, "incident", "search");
            }
            return None;
        }
        server.signal("-STOP");
        wait::until("it stands still", || stands_still(&server).then_some(()));
        let half = half_written(&house);
        if half.is_none() {
            server.signal("-CONT");
        }
        half
    });
    server.kill();
    assert!(half.exists());
    // Somebody may be writing it until it is an hour old.
    let server = house.serve_fast(SignedDuration::from_hours(2));
    wait::until("it is swept", || (!half.exists()).then_some(()));
    let told: usize = (1..=n).map(|n| pieces(&server, &mary, n).len()).sum();
    wait::until("nothing else lies there", || (files(&house, "").len() == told).then_some(()));
    assert_eq!(house.verify()["holds"], true);
}

//! What comes through the gate is on the disk before it is allowed, and where it cannot be, nothing is decided.

use std::sync::Mutex;

use serde_json::{Value, json};

use crate::disk::{self, Disk};
use crate::house::{House, Server};
use crate::staffed::{Scene, ask, changes, decided, knowing, scene, staffed};
use crate::{admission, on_both, wait};

on_both!(
    what_was_allowed_stands_in_the_ledger_after_kill_9,
    where_nothing_can_be_recorded_nothing_is_decided_and_nothing_half_recorded,
);

/// What somebody asks to do, one thing after the other, until the server is gone; and as which change each was allowed.
fn allowed_until_it_is_gone(server: &Server, token: &str, nth: usize, seen: &Mutex<usize>) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for turn in 0.. {
        let what = format!("turn {turn} of {nth}");
        let asked = json!({ "services": ["search"], "what": what }).to_string();
        match server.send(token, "/api/v1/gate", asked.as_bytes()) {
            Some((200, answer)) => {
                assert_eq!(answer["decision"], "allow", "{answer}");
                all.push((what, answer["changes"][0]["change"].clone()));
                *seen.lock().unwrap() += 1;
            }
            _ => break,
        }
    }
    all
}

fn what_was_allowed_stands_in_the_ledger_after_kill_9(house: House) {
    let Scene { house, mut server, mary, sabrina, n, .. } = scene(house);
    let mut all = Vec::new();
    for round in 0..3 {
        decided(&server, &sabrina, &format!("round {round}"));
        let seen = Mutex::new(0);
        let allowed: Vec<(String, Value)> = std::thread::scope(|scope| {
            let (server, sabrina, seen) = (&server, sabrina.as_str(), &seen);
            let askers: Vec<_> = (0..4)
                .map(|nth| scope.spawn(move || allowed_until_it_is_gone(server, sabrina, 10 * round + nth, seen)))
                .collect();
            wait::until("some came through", || (*seen.lock().unwrap() > 20).then_some(()));
            // Right after an answer, whichever it is.
            server.signal("-KILL");
            askers.into_iter().flat_map(|asker| asker.join().unwrap()).collect()
        });
        all.extend(allowed);
        drop(server);
        server = house.serve();
        let ledger = changes(&server, &mary, n);
        for (what, number) in &all {
            let stands = ledger.iter().find(|change| change["what"] == *what).unwrap_or_else(|| panic!("lost: {what}"));
            assert_eq!(stands["id"], *number, "{stands}");
        }
    }
    assert_eq!(house.verify()["holds"], true);
}

/// From now on the log takes nothing more.
fn fill(house: &House, server: &Server) {
    if !house.is_postgres() {
        return disk::fill(server);
    }
    house.tamper(
        "CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql
         AS 'BEGIN RAISE EXCEPTION ''no space left on device'' USING ERRCODE = ''disk_full''; END';
         CREATE TRIGGER full_disk BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION full_disk()",
    );
}

fn make_room(house: &House, server: &Server) {
    match house.is_postgres() {
        true => house.tamper("DROP TRIGGER full_disk ON events"),
        false => disk::make_room(server),
    }
}

fn where_nothing_can_be_recorded_nothing_is_decided_and_nothing_half_recorded(house: House) {
    let (house, [mary, sabrina, robin]) = knowing(house);
    house.run(&["service", "gate", "search", "--enforce"]);
    house.run(&["service", "set", "mail"]);
    house.run(&["service", "match", "search", "--namespace", "production", "--name", "search-*"]);
    let cluster = house.token("mary", "gate");
    let disk = Disk::of(&house);
    let server = disk.serve(&house);
    let both = [0, 1].map(|_| staffed(&server, &mary, &sabrina, &json!({})));
    let asked = |what: &str, dry_run: bool| {
        ask(&server, &sabrina, json!({ "services": ["search"], "what": what, "dry_run": dry_run }))
    };
    assert_eq!(asked("back to v11", false).1["changes"].as_array().unwrap().len(), 2);
    let mut review: Value = serde_json::from_slice(&admission::recorded("update.json")).unwrap();
    review["request"]["userInfo"]["username"] = json!("sabrina");
    let review = review.to_string();
    let entries = || both.map(|n| server.kinds(&mary, n).len());
    let before = entries();
    fill(&house, &server);
    for _ in 0..3 {
        let body = json!({ "services": ["search"], "what": "drain eu-1" });
        let unsure = server.put_off(&sabrina, "/api/v1/gate", &body);
        assert_eq!(unsure["code"], "cannot_decide", "{unsure}");
        let (status, unsure) = admission::asked(&server, &cluster, review.as_bytes());
        assert_eq!((status, &unsure["code"]), (503, &json!("cannot_decide")), "its failurePolicy settles it: {unsure}");
    }
    let typed = server.verb(&sabrina, &["gate", "--service", "search", "--action", "drain eu-1"]);
    assert_eq!(typed.status.code(), Some(4), "{}", String::from_utf8_lossy(&typed.stderr));
    // Whoever is outside is stopped as ever, and what has not to be recorded is allowed: what stands there already too.
    assert_eq!(decided(&server, &robin, "deploy v12")["decision"], "deny");
    assert_eq!(asked("drain eu-1", true).1["decision"], "allow");
    assert_eq!(asked("back to v11", false).1["changes"].as_array().unwrap().len(), 2);
    let (_, free) = ask(&server, &robin, json!({ "services": ["mail"], "what": "deploy v12" }));
    assert_eq!(free["decision"], "allow", "{free}");
    assert_eq!((entries(), house.verify()["holds"].clone()), (before, json!(true)), "nothing is half recorded");
    make_room(&house, &server);
    let body = json!({ "services": ["search"], "what": "drain eu-1" });
    let allowed = wait::until("there is room", || {
        let (status, answer) = ask(&server, &sabrina, body.clone());
        assert!(matches!(status, 200 | 503), "{answer}");
        (status == 200).then_some(answer)
    });
    assert_eq!(allowed["changes"].as_array().unwrap().len(), 2, "{allowed}");
    for n in both {
        let whats: Vec<Value> = changes(&server, &mary, n).iter().map(|change| change["what"].clone()).collect();
        assert_eq!(whats, [json!("back to v11"), json!("drain eu-1")]);
    }
    assert_eq!(house.verify()["holds"], true);
}

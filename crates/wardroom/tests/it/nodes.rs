//! Two nodes on one PostgreSQL act as one; either may be killed or stopped at any moment.

use std::time::Instant;

use serde_json::json;

use crate::house::House;
use crate::wait;

#[test]
fn a_command_on_either_node_reaches_watchers_of_both() {
    let house = House::on_postgres();
    let mary = house.person("mary");
    let (one, two) = (house.serve(), house.serve());
    let n = one.declare(&mary, "Search is failing");
    let streams = [one.follow(&mary, ""), two.follow(&mary, "")];
    wait::until("the second node knows it", || {
        (two.get(&mary, &format!("/api/v1/incidents/{n}")).0 == 200).then_some(())
    });
    for (round, node) in [&one, &two, &two, &one].into_iter().enumerate() {
        node.done(&mary, n, json!({ "command": "note", "text": format!("round {round}") }));
        let acknowledged = Instant::now();
        for stream in &streams {
            assert_eq!(stream.next_note()["body"]["text"], format!("round {round}"));
        }
        wait::came_soon("the note", acknowledged);
    }
    one.kill();
    two.done(&mary, n, json!({ "command": "note", "text": "alone" }));
    assert_eq!(streams[1].next()["body"]["text"], "alone");
    assert_eq!(house.verify()["holds"], true);
}

/// Of the sessions that listen, by their process.
fn listeners(house: &House) -> Vec<String> {
    let found = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN wardroom%'";
    house.ask(found).lines().map(str::to_owned).collect()
}

#[test]
fn a_node_that_is_no_longer_notified_finds_what_happens_and_listens_again() {
    let house = House::on_postgres();
    let mary = house.person("mary");
    let (one, two) = (house.serve(), house.serve());
    let n = one.declare(&mary, "Search is failing");
    let stream =
        two.follow(&mary, &format!("?after={}", one.get(&mary, "/api/v1/incidents/1").1["cursor"].as_str().unwrap()));
    let before = wait::until("both nodes listen", || Some(listeners(&house)).filter(|pids| pids.len() == 2));
    for round in 0..3 {
        for pid in listeners(&house) {
            house.ask(&format!("SELECT pg_terminate_backend({pid})"));
        }
        one.done(&mary, n, json!({ "command": "note", "text": format!("unheard {round}") }));
        assert_eq!(stream.notes(1), [format!("unheard {round}")]);
    }
    wait::until("both nodes listen again", || {
        let now = listeners(&house);
        (now.len() == 2 && now.iter().all(|pid| !before.contains(pid))).then_some(())
    });
    one.done(&mary, n, json!({ "command": "note", "text": "heard" }));
    assert_eq!(stream.notes(1), ["heard"]);
}

#[test]
fn a_stopped_node_does_not_stop_the_other() {
    let house = House::on_postgres();
    let mary = house.person("mary");
    let (one, two) = (house.serve(), house.serve());
    let n = one.declare(&mary, "Search is failing");
    let path = format!("/api/v1/incidents/{n}/commands");
    // Stopped in the middle of writing, wherever that is: several times, to hit several places.
    for round in 0..5 {
        // Looked at before anything is sent: what comes first may have come whole before a later look.
        let before = two.kinds(&mary, n).len();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..40 {
                    let body = json!({ "request_id": uuid::Uuid::now_v7(), "command": "note", "text": "busy" });
                    let _ = one.send(&mary, &path, body.to_string().as_bytes());
                }
            });
            wait::until("the first node writes", || (two.kinds(&mary, n).len() > before).then_some(()));
            one.signal("-STOP");
            for note in 0..10 {
                two.done(&mary, n, json!({ "command": "note", "text": format!("{round}.{note} goes on") }));
            }
            one.signal("-CONT");
        });
    }
    assert_eq!(house.verify()["holds"], true);
}

#[test]
fn two_nodes_never_give_command_twice() {
    let house = House::on_postgres();
    let people = ["mary", "sabrina", "robin"].map(|handle| house.person(handle));
    house.run(&["team", "set", "sre", "sabrina", "robin"]);
    let nodes = [house.serve(), house.serve()];
    for _ in 0..10 {
        let n = nodes[0].declare(&people[0], "Search is failing");
        nodes[0].done(&people[0], n, json!({ "command": "offer_role", "role": "command", "to": { "team": "sre" } }));
        let take = json!({ "command": "take_role", "role": "command", "briefed": "by_voice" });
        let answers: Vec<u16> = std::thread::scope(|scope| {
            let takers: Vec<_> = [(&nodes[0], &people[1]), (&nodes[1], &people[2])]
                .into_iter()
                .map(|(node, person)| scope.spawn(|| node.command(person, n, take.clone()).0))
                .collect();
            takers.into_iter().map(|taker| taker.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
        assert_eq!(nodes[0].kinds(&people[0], n).iter().filter(|kind| *kind == "role_taken").count(), 1);
    }
}

/// What another node had begun was known within half a minute, and until then one person could begin a second.
#[test]
fn two_nodes_never_begin_two_examples_of_one_person() {
    let house = House::on_postgres();
    let people = ["mary", "sabrina", "robin", "ada"].map(|handle| house.person(handle));
    let nodes = [house.serve(), house.serve()];
    let play = |node: &crate::house::Server, person: &str| {
        let body = json!({ "request_id": uuid::Uuid::now_v7() });
        node.post(person, "/api/v1/example", body)
    };
    for person in &people {
        let answers: Vec<_> = std::thread::scope(|scope| {
            let all: Vec<_> = nodes.iter().map(|node| scope.spawn(|| play(node, person))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let mut told: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
        told.sort_unstable();
        assert_eq!(told, [201, 409], "{answers:?}");
        let of = |wanted: u16| &answers.iter().find(|(status, _)| *status == wanted).unwrap().1;
        assert_eq!(of(201)["incident"], of(409)["remedy"]["incident"], "{answers:?}");
    }
}

#[test]
fn a_list_on_either_node_shows_what_was_acknowledged_on_the_other() {
    let house = House::on_postgres();
    let mary = house.person("mary");
    let (one, two) = (house.serve(), house.serve());
    let n = one.declare(&mary, "Search is failing");
    for severity in ["sev1", "sev3", "sev4", "sev2", "sev1", "sev4"] {
        one.done(&mary, n, json!({ "command": "set_severity", "severity": severity }));
        let (_, listed) = two.get(&mary, "/api/v1/incidents");
        assert_eq!(listed["incidents"][0]["severity"], severity, "{listed}");
    }
}

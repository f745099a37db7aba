//! What the gate stopped is counted: once for the same that is asked again and again, and with what came of it.

use serde_json::{Value, json};

use crate::freelancing::row;
use crate::house::House;
use crate::sightings::{event, heard, tell};
use crate::staffed::{Scene, ask, decided, scene, staffed};
use crate::{on_both, wait};

on_both!(
    the_same_asked_again_is_counted_with_the_first,
    what_several_incidents_stop_is_counted_once,
    whoever_is_seen_to_go_on_all_the_same_is_counted_as_uncoordinated,
    what_was_dismissed_came_of_nothing,
    what_somebody_else_wrote_down_came_of_whoever_made_it,
);

fn the_same_asked_again_is_counted_with_the_first(house: House) {
    let Scene { house, server, mary, sabrina, robin, n } = scene(house);
    for _ in 0..14 {
        assert_eq!(decided(&server, &robin, "deploy v12")["decision"], "deny");
    }
    decided(&server, &robin, "deploy v13");
    // Asked at once about something else, it is another row, and the same asking.
    for _ in 0..2 {
        ask(&server, &robin, json!({ "services": ["search", "indexing"], "what": "deploy both" }));
    }
    let seen =
        wait::until("all are counted", || Some(row(&server, &mary, "search")).filter(|row| row["stopped"] == 17));
    let last: Vec<_> =
        seen["last"].as_array().unwrap().iter().map(|stop| json!([stop["what"], stop["times"]])).collect();
    assert_eq!(last, [json!(["deploy both", 2]), json!(["deploy v13", 1]), json!(["deploy v12", 14])]);
    assert_eq!(house.ask("SELECT count(*) FROM gate_stops").trim(), "4");
    let told = server.get(&sabrina, &format!("/api/v1/incidents/{n}/stops")).1;
    assert_eq!((&told["stopped"], &told["last"][0]["times"]), (&json!(17), &json!(2)), "{told}");
    // What was longer ago is another time.
    house.tamper("UPDATE gate_stops SET at = at - 601000000");
    decided(&server, &robin, "deploy v12");
    wait::until("it is counted", || (house.ask("SELECT count(*) FROM gate_stops").trim() == "5").then_some(()));
}

/// With three incidents on a service, one deployment was three.
fn what_several_incidents_stop_is_counted_once(house: House) {
    let Scene { house: _house, server, mary, sabrina, robin, n } = scene(house);
    let second = staffed(&server, &mary, &sabrina, &json!({ "title": "Search is slow too" }));
    for what in ["deploy v12", "deploy v12", "deploy v13"] {
        assert_eq!(decided(&server, &robin, what)["decision"], "deny");
    }
    server.say(&robin, &["change", &second.to_string(), "record", "search: deployed v12"]);
    let seen = wait::until("all are counted", || Some(row(&server, &mary, "search")).filter(|row| row["stopped"] == 3));
    assert_eq!(seen["uncoordinated"], json!(2), "each of the two deployments may be what came of it: {seen}");
    let last: Vec<_> =
        seen["last"].as_array().unwrap().iter().map(|stop| json!([stop["what"], stop["times"]])).collect();
    assert_eq!(last, [json!(["deploy v13", 1]), json!(["deploy v12", 2])]);
    let told = server.get(&sabrina, &format!("/api/v1/incidents/{n}/stops")).1;
    assert_eq!(told["stopped"], json!(3), "{told}");
}

fn whoever_is_seen_to_go_on_all_the_same_is_counted_as_uncoordinated(house: House) {
    let Scene { house, server, mary, sabrina, robin, n } = scene(house);
    let pipeline = house.token("mary", "gate");
    decided(&server, &robin, "deploy v12");
    let of = |uncoordinated: u64| {
        wait::until("it is told what came of it", || {
            let row = row(&server, &mary, "search");
            (row["stopped"] == 1 && row["uncoordinated"] == uncoordinated).then_some(row)
        })
    };
    of(0);
    tell(&server, &pipeline, &event("v11", "search", "somebody else"));
    heard(&server, &mary, n, 1);
    of(0);
    tell(&server, &pipeline, &event("v12", "search", "robin"));
    heard(&server, &mary, n, 2);
    assert_eq!(of(1)["last"][0]["uncoordinated"], json!(true));
    // Operations know of it by now, and it was uncoordinated all the same.
    server.say(&sabrina, &["sighting", "1", "take-in", "2"]);
    of(1);
}

fn what_was_dismissed_came_of_nothing(house: House) {
    let Scene { house, server, mary, sabrina, robin, n } = scene(house);
    let pipeline = house.token("mary", "gate");
    decided(&server, &robin, "deploy v12");
    tell(&server, &pipeline, &event("v12", "search", "robin"));
    heard(&server, &mary, n, 1);
    server.say(&sabrina, &["sighting", "1", "dismiss", "1", "--reason", "another region"]);
    let seen = wait::until("it is counted", || Some(row(&server, &mary, "search")).filter(|row| row["stopped"] == 1));
    assert_eq!(seen["uncoordinated"], json!(0), "{seen}");
}

/// Whoever writes it down has been stopped herself, and changed nothing.
fn what_somebody_else_wrote_down_came_of_whoever_made_it(house: House) {
    let Scene { house: _house, server, mary, robin, n, .. } = scene(house);
    decided(&server, &mary, "restart it");
    decided(&server, &robin, "deploy v12");
    server.say(&mary, &["change", "1", "record", "--by", "robin", "search: deployed v12"]);
    let seen =
        wait::until("both are counted", || Some(row(&server, &mary, "search")).filter(|row| row["stopped"] == 2));
    let came = |told: &Value| {
        let one = |stop: &Value| (stop["person"]["name"].clone(), stop["uncoordinated"].clone());
        told["last"].as_array().unwrap().iter().map(one).collect::<Vec<_>>()
    };
    let theirs = [(json!("Robin"), json!(true)), (json!("Mary"), json!(false))];
    assert_eq!((came(&seen), &seen["uncoordinated"]), (theirs.to_vec(), &json!(1)), "{seen}");
    assert_eq!(came(&server.get(&mary, &format!("/api/v1/incidents/{n}/stops")).1), theirs);
}

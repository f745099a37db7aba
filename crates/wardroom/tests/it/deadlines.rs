//! Deadlines pass: offers lapse, clocks ring, and each is recorded once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::faster::{between, minutes, time};
use crate::house::{House, Server};

/// A deadline is recorded after it passed, and marked late after more than a minute: as its own times say.
fn on_time(entry: &Value, due_at: &Value) {
    let late = between(due_at, &entry["at"]);
    assert!(!late.is_negative(), "recorded before it was due: {entry}");
    assert_eq!(entry["body"]["late"], late > minutes(1), "{entry}");
}

/// Ten minutes; until then, and after, the outgoing commander stays (rule 5).
pub fn an_offer_that_nobody_takes_lapses(house: &House, server: &Server) {
    let [olga, tom, uma] = ["olga", "tom", "uma"].map(|handle| house.person(handle));
    // Minor, so that Olga is not absent meanwhile.
    let n = server.declare_as(&olga, "Search is slow", "sev3");
    for token in [&tom, &uma] {
        server.done(token, n, json!({ "command": "join" }));
    }
    assert_eq!(server.next(&olga, n), "offer_operations", "she does both");
    let stream = server.follow(&olga, &format!("?incident={n}"));
    let mut lapses_at = BTreeMap::new();
    for (role, to) in [("command", "tom"), ("operations", "uma")] {
        server.done(&olga, n, json!({ "command": "offer_role", "role": role, "to": { "person": to } }));
        let offered = stream.next_of("role_offered");
        assert_eq!(between(&offered["at"], &offered["body"]["lapses_at"]), minutes(10));
        lapses_at.insert(offered["entry"].as_u64().unwrap(), offered["body"]["lapses_at"].clone());
    }
    assert!(server.say(&tom, &["next"]).contains("olga offers you command"));
    assert_eq!([server.next(&olga, n), server.next(&uma, n)], ["", "take"], "she waits for them");
    for _ in 0..2 {
        let lapsed = stream.next_of("offer_lapsed");
        let due_at = lapses_at.remove(&lapsed["body"]["offer"].as_u64().unwrap()).expect("each lapses once");
        // An outage gives an offer more time, and never less.
        assert!(time(&lapsed["at"]) >= time(&due_at), "{lapsed}");
        assert!(lapsed["told"].as_str().unwrap().contains("lapsed"), "{lapsed}");
    }
    assert_eq!(server.commander(&tom, n), "olga");
    assert_eq!([&olga, &tom, &uma].map(|token| server.next(token, n)), ["offer_operations", "", ""]);
    let take = json!({ "command": "take_role", "role": "command", "briefed": "by_voice" });
    let (status, problem) = server.command(&tom, n, take);
    assert_eq!((status, &problem["code"]), (409, &json!("not_there")), "{problem}");
    let lapsed = server.kinds(&olga, n).iter().filter(|kind| *kind == "offer_lapsed").count();
    assert_eq!(lapsed, 2, "each is recorded once");
}

/// A clock rings once, a repeating one again and again until it is stopped.
pub fn clocks_ring(house: &House, server: &Server) {
    let carla = house.person("carla");
    let n = server.declare_as(&carla, "Search is slow", "sev3");
    let number = n.to_string();
    let stream = server.follow(&carla, &format!("?incident={n}"));
    server.say(&carla, &["clock", &number, "Call the provider", "--in", "1"]);
    let once = stream.next_of("clock_set");
    server.say(&carla, &["clock", &number, "Consider alternatives", "--in", "1", "--repeat"]);
    let again = stream.next_of("clock_set");
    assert_eq!(server.next(&carla, n), "clock");
    let mut rings = BTreeMap::from([(once["entry"].as_u64(), 0), (again["entry"].as_u64(), 0)]);
    let mut due_at = again["body"]["due_at"].clone();
    while rings[&again["entry"].as_u64()] < 4 {
        let rang = stream.next_of("clock_rang");
        let body = &rang["body"];
        on_time(&rang, &body["due_at"]);
        *rings.get_mut(&body["clock"].as_u64()).expect("only these two ring") += 1;
        if body["clock"] == again["entry"] {
            assert_eq!(body["due_at"], due_at, "it rings when it said it would");
            due_at = body["next_due_at"].clone();
            assert!(time(&due_at) > time(&rang["at"]), "{rang}");
            let after = between(&body["due_at"], &due_at);
            assert_eq!(after.as_secs() % 60, 0, "in step with its first ring");
        } else {
            assert_eq!(body["due_at"], once["body"]["due_at"]);
            assert_eq!(body["next_due_at"], Value::Null);
        }
    }
    assert_eq!(rings[&once["entry"].as_u64()], 1);
    for clock in [&once, &again] {
        server.say(&carla, &["stop-clock", &number, &clock["entry"].to_string()]);
    }
    assert_eq!(server.next(&carla, n), "");
}

//! The commander goes unseen (rule 6): everybody is told, and command goes on without them. Or they come back.

use serde_json::{Value, json};

use crate::faster::{between, minutes};
use crate::house::{House, Server, Stream};
use crate::{on_both, wait};

on_both!(a_deactivated_commander_is_succeeded_at_once);

fn assume(reason: &str) -> Value {
    json!({ "command": "assume_command", "grounds": "unseen", "reason": reason })
}

fn follow(server: &Server, token: &str, n: u64) -> Stream {
    server.follow(token, &format!("?incident={n}"))
}

/// Waits until the commander's absence is recorded, which never is too early.
fn gone(stream: &Stream, after: i64) -> Value {
    let absent = stream.next_of("commander_absent");
    let unseen = between(&absent["body"]["unseen_since"], &absent["at"]);
    assert!(unseen >= minutes(after), "absent after {unseen:#}");
    absent
}

/// Five minutes on a sev1: a reason, and a second responder's word.
pub fn an_absent_commander_is_succeeded(house: &House, server: &Server) {
    let [mary, sabrina, robin] = ["mary", "sabrina", "robin"].map(|handle| house.person(handle));
    let n = server.declare_as(&mary, "Search is failing", "sev1");
    let number = n.to_string();
    let stream = follow(server, &robin, n);
    server.say(&sabrina, &["join", &number]);
    server.say(&robin, &["join", &number]);
    // Mary's own stream is open all the time: an open tab is not being seen.
    let _tab = follow(server, &mary, n);
    let absent = gone(&stream, 5);
    let told = absent["told"].as_str().unwrap();
    assert!(told.contains("Mary, who commands, has not been seen since"), "{told}");
    assert!(server.say(&robin, &["timeline", &number]).contains(told), "the timeline says the same");
    assert!(server.say(&robin, &["show", &number]).contains("has not been seen for"));
    assert!(server.say(&mary, &["next"]).contains("still with us?"));
    assert!(server.say(&sabrina, &["next"]).contains(&format!("wardroom assume {number}")));
    server.say(&sabrina, &["assume", &number, "--reason", "Nobody answers"]);
    let proposed = stream.next_of("assumption_proposed");
    assert!(proposed["told"].as_str().unwrap().contains("Sabrina proposes to assume command"), "{proposed}");
    assert_eq!(server.commander(&robin, n), "mary", "until it is confirmed she stays responsible");
    let (status, problem) = server.command(&sabrina, n, json!({ "command": "confirm_assumption" }));
    assert_eq!((status, &problem["code"]), (403, &json!("needs_another")), "{problem}");
    assert!(server.say(&robin, &["next"]).contains(&format!("wardroom confirm {number}")));
    server.say(&robin, &["confirm", &number]);
    let assumed = stream.next_of("command_assumed");
    let told = assumed["told"].as_str().unwrap();
    assert!(told.contains("Sabrina ASSUMED COMMAND from Mary, confirmed by Robin"), "{told}");
    assert_eq!(server.commander(&robin, n), "sabrina");
    assert_ne!(server.next(&mary, n), "still_with_us", "she has nothing to answer for any more");
}

/// Being seen before it is confirmed keeps command, whether by a surface or by a command.
pub fn a_commander_who_returns_keeps_command(house: &House, server: &Server) {
    let handles = ["malcolm", "colette", "joe", "paul", "petra"];
    let [malcolm, colette, joe, paul, petra] = handles.map(|handle| house.person(handle));
    let all = [&malcolm, &colette, &joe].map(|commander| {
        let n = server.declare_as(commander, "Mail is late", "sev1");
        let stream = follow(server, &paul, n);
        server.done(&paul, n, json!({ "command": "join" }));
        server.done(&petra, n, json!({ "command": "join" }));
        (n, stream)
    });
    for (n, stream) in &all {
        gone(stream, 5);
        server.done(&paul, *n, assume("Nobody answers"));
    }
    assert_eq!(server.post(&malcolm, "/api/v1/presence", json!({})).0, 204);
    server.done(&colette, all[1].0, json!({ "command": "note", "text": "I was in the lift" }));
    // The answer that "still with us?" proposes.
    let number = all[2].0.to_string();
    assert!(server.say(&joe, &["next"]).contains(&format!("wardroom join {number}")));
    assert!(server.say(&joe, &["join", &number]).contains("Joe, who commands, is back"));
    for ((n, stream), handle) in all.iter().zip(handles) {
        let returned = stream.next_of("commander_returned");
        assert!(returned["told"].as_str().unwrap().contains("is back"), "{returned}");
        let (status, problem) = server.command(&petra, *n, json!({ "command": "confirm_assumption" }));
        assert_eq!((status, &problem["code"]), (409, &json!("not_there")), "the proposal is void: {problem}");
        assert_eq!(server.commander(&petra, *n), handle);
        assert_ne!(server.next(&petra, *n), "confirm");
    }
    let kinds = server.kinds(&petra, all[1].0);
    let last = kinds.iter().rposition(|kind| kind == "commander_returned").unwrap();
    assert_eq!(kinds[last + 1], "noted", "the return is recorded with, and before, what they did");
}

/// Below sev2 it takes a quarter of an hour to be absent; after that, one responder's reason is enough.
pub fn a_quarter_of_an_hour_makes_a_reason_enough(house: &House, server: &Server) {
    let [grave, minor, otto] = ["grave", "minor", "otto"].map(|handle| house.person(handle));
    let worse = server.declare_as(&grave, "Payments fail", "sev1");
    let milder = server.declare_as(&minor, "A chart is empty", "sev3");
    let stream = follow(server, &otto, milder);
    for n in [worse, milder] {
        server.done(&otto, n, json!({ "command": "join" }));
    }
    gone(&stream, 15);
    // Whoever commands the worse one has been away for longer still.
    for (n, who) in [(worse, &grave), (milder, &minor)] {
        assert_eq!(server.next(&otto, n), "assume");
        assert_eq!(server.next(who, n), "still_with_us");
        server.done(&otto, n, assume("Nobody answers"));
        assert_eq!(server.commander(&otto, n), "otto");
        let kinds = server.kinds(&otto, n);
        assert!(!kinds.iter().any(|kind| kind == "assumption_proposed"), "nobody has to confirm it: {kinds:?}");
    }
}

fn a_deactivated_commander_is_succeeded_at_once(house: House) {
    let [mary, sabrina, robin] = ["mary", "sabrina", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    server.done(&sabrina, n, json!({ "command": "join" }));
    let (status, problem) = server.command(&sabrina, n, assume("I would rather"));
    assert_eq!((status, &problem["code"]), (409, &json!("commander_is_here")), "{problem}");
    house.run(&["person", "deactivate", "mary"]);
    wait::until("the server knows that Mary is gone", || (server.get(&mary, "/api/v1/me").0 == 401).then_some(()));
    assert_eq!(server.commander(&sabrina, n), "mary", "an account that ends is no end of a tenure");
    assert_eq!(server.next(&sabrina, n), "assume");
    let (status, problem) = server.command(&robin, n, assume("Her account is gone"));
    assert_eq!((status, &problem["code"]), (403, &json!("not_a_responder")), "{problem}");
    // Everybody is told, and not only whoever looks for what to do next.
    wait::until("it is said that she is absent", || {
        server.kinds(&sabrina, n).contains(&"commander_absent".to_owned()).then_some(())
    });
    server.done(&sabrina, n, assume("Her account is gone"));
    assert_eq!(server.commander(&sabrina, n), "sabrina");
    assert_eq!(server.kinds(&sabrina, n), ["opened", "joined", "commander_absent", "command_assumed"]);
    let timeline = server.say(&sabrina, &["timeline", &n.to_string()]);
    assert!(timeline.contains("The account of Mary, who commands, was deactivated."), "{timeline}");
}

//! The gate where something cannot be recorded or cannot be read: all of it or nothing, and nothing is passed over.

use serde_json::{Value, json};

use crate::house::{House, Server};
use crate::staffed::{Scene, ask, changes, decided, knowing, scene, staffed};
use crate::{admission, on_both, wait};

on_both!(in_several_incidents_it_stands_in_all_of_them_or_in_none, an_incident_that_cannot_be_read_is_not_passed_over,);

fn asked(server: &Server, token: &str, service: &str, what: &str) -> (u16, Value) {
    ask(server, token, json!({ "services": [service], "what": what }))
}

fn in_several_incidents_it_stands_in_all_of_them_or_in_none(house: House) {
    let Scene { house, server, mary, sabrina, robin, n } = scene(house);
    let other = staffed(&server, &mary, &sabrina, &json!({}));
    let passed = decided(&server, &sabrina, "back to v11");
    assert_eq!((&passed["decision"], passed["changes"].as_array().unwrap().len()), (&json!("allow"), 2), "{passed}");
    assert_eq!((changes(&server, &mary, n).len(), changes(&server, &mary, other).len()), (1, 1));
    // Once more in the one of them that does not have it yet.
    let third = staffed(&server, &mary, &sabrina, &json!({}));
    assert_eq!(decided(&server, &sabrina, "back to v11")["changes"].as_array().unwrap().len(), 3);
    assert_eq!((changes(&server, &mary, n).len(), changes(&server, &mary, third).len()), (1, 1));
    // The log takes nothing more for the last: what would stand in the others is done by nobody.
    house.tamper(&format!("UPDATE tips SET seq = seq + 1 WHERE stream = {third}"));
    for _ in 0..2 {
        let (status, unsure) = asked(&server, &sabrina, "search", "drain eu-1");
        assert_eq!((status, &unsure["code"]), (503, &json!("cannot_decide")), "{unsure}");
        assert_eq!((changes(&server, &mary, n).len(), changes(&server, &mary, other).len()), (1, 1));
    }
    assert_eq!(decided(&server, &robin, "deploy v12")["decision"], "deny", "who is outside is stopped as ever");
}

/// What the gate says once it has read what there is.
fn once_read(server: &Server, token: &str, service: &str, what: &str) -> (u16, Value) {
    wait::until("the gate has read what there is", || {
        let (status, answer) = asked(server, token, service, what);
        let starting = answer["detail"].as_str().is_some_and(|detail| detail.contains("just started"));
        (!starting).then_some((status, answer))
    })
}

fn an_incident_that_cannot_be_read_is_not_passed_over(house: House) {
    let (house, [mary, sabrina, robin]) = knowing(house);
    let cluster = house.token("mary", "gate");
    house.run(&["service", "set", "disks"]);
    house.run(&["service", "set", "mail", "--depends-on", "disks"]);
    house.run(&["service", "match", "mail", "--namespace", "production", "--name", "search-*"]);
    for service in ["search", "mail", "disks"] {
        house.run(&["service", "gate", service, "--enforce"]);
    }
    let server = house.serve();
    let [on_search, on_mail, over] =
        ["search", "mail", "search"].map(|on| staffed(&server, &mary, &sabrina, &json!({ "services": [on] })));
    server.done(&mary, over, json!({ "command": "set_phase", "phase": "resolved" }));
    wait::until("the board knows of all", || {
        let listed = server.get(&mary, "/api/v1/incidents").1["incidents"].as_array().cloned()?;
        let resolved = listed.iter().any(|row| row["number"] == over && row["phase"] == "resolved");
        (listed.len() == 3 && resolved).then_some(())
    });
    server.kill();
    for broken in [on_mail, over] {
        house.tamper(&format!("UPDATE events SET body = 'null' WHERE stream = {broken} AND seq = 1"));
    }
    house.tamper("DELETE FROM snapshots");
    let server = house.serve();
    // On the others it is as ever, and what is known to be over holds nothing.
    assert_eq!(once_read(&server, &robin, "search", "deploy v12").1["decision"], "deny");
    assert_eq!(asked(&server, &sabrina, "search", "back to v11").1["decision"], "allow");
    assert_eq!(changes(&server, &mary, on_search).len(), 1);
    // On its own, and what that needs, nobody is let through, and nobody is told no.
    for (token, service) in [(&robin, "mail"), (&sabrina, "mail"), (&robin, "disks")] {
        let (status, unsure) = asked(&server, token, service, "deploy v12");
        assert_eq!((status, &unsure["code"]), (503, &json!("cannot_decide")), "{unsure}");
        let detail = unsure["detail"].as_str().unwrap();
        assert!(detail.starts_with(&format!("Incident #2 is on {service} and cannot be read")), "{detail}");
    }
    let (status, both) = ask(&server, &sabrina, json!({ "services": ["mail", "search"], "what": "both" }));
    assert_eq!((status, changes(&server, &mary, on_search).len()), (503, 1), "all of it or nothing: {both}");
    let (status, unsure) = admission::asked(&server, &cluster, &admission::recorded("update.json"));
    assert_eq!((status, &unsure["code"]), (503, &json!("cannot_decide")), "its failurePolicy settles it: {unsure}");
    let typed = ["gate", "--service", "mail", "--action", "deploy v12"];
    assert_eq!(server.verb(&robin, &typed).status.code(), Some(4));
    // It must not be shut for ever: whose gate only observes is let through.
    house.run(&["service", "gate", "mail", "--observe"]);
    let lets = || Some(asked(&server, &robin, "mail", "deploy")).filter(|answer| answer.0 == 200);
    assert_eq!(wait::until("it observes", lets).1["decision"], "allow");
}

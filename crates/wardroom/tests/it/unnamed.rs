//! Others read along at the gate: no answer tells them that an incident is there which is not to be named.

use serde_json::{Value, json};

use crate::house::House;
use crate::on_both;
use crate::staffed::{ask, changes, declare, knowing};

on_both!(no_answer_tells_of_what_only_the_invited_know_of);

fn no_answer_tells_of_what_only_the_invited_know_of(house: House) {
    let (house, [mary, _, _]) = knowing(house);
    let pipeline = house.token("mary", "gate");
    for service in ["vault", "web"] {
        house.run(&["service", "set", service]);
    }
    let server = house.serve();
    let secret = declare(&server, &mary, &json!({ "restricted": true, "services": ["vault"] }));
    server.done(&mary, secret, json!({ "command": "invite", "person": "sabrina" }));
    let told = |service: &str, person: &str, dry_run: bool| {
        let (services, what) = (json!([service]), json!("rotate the keys"));
        let asked = json!({ "services": services, "what": what, "on_behalf_of": person, "dry_run": dry_run });
        let (status, mut answer) = ask(&server, &pipeline, asked);
        assert_eq!((status, &answer["decision"]), (200, &json!("allow")), "{answer}");
        // Of each it is said when it was last looked at.
        answer.as_object_mut().unwrap().remove("as_of");
        answer.to_string().replace(service, "it")
    };
    // Mary has operations there, Sabrina would be stopped if its gate did not only observe, and Robin knows nothing of it.
    for person in ["mary", "sabrina", "robin"] {
        for dry_run in [true, false, false] {
            assert_eq!(told("vault", person, dry_run), told("web", person, dry_run), "{person}, {dry_run}");
        }
    }
    let made = changes(&server, &mary, secret);
    assert_eq!((made.len(), &made[0]["by"]["name"]), (1, &json!("Mary")), "it stands there all the same: {made:?}");
    let ended = |service: &str| -> Value {
        let told = json!({ "services": [service], "what": "rotate the keys", "on_behalf_of": "mary", "ended": "done" });
        server.send(&pipeline, "/api/v1/gate/ended", told.to_string().as_bytes()).unwrap().1
    };
    assert_eq!(ended("vault"), ended("web"));
    assert_eq!(changes(&server, &mary, secret)[0]["state"], "done");
}

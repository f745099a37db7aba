//! What is told of late: a change is judged, and heard of, as of when it was made.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::house::{House, Server};
use crate::on_both;
use crate::sightings::{declare, event, heard, knowing, tell};

on_both!(
    what_was_made_before_it_was_resolved_is_heard_until_it_is_closed,
    who_had_operations_then_made_it_as_operations,
);

/// Mary commands, and Sabrina has operations.
struct Scene {
    _house: House,
    server: Server,
    mary: String,
    sabrina: String,
    robin: String,
    pipeline: String,
    n: u64,
}

fn scene(house: House) -> Scene {
    let (house, [mary, sabrina, robin, pipeline]) = knowing(house);
    let server = house.serve();
    let n = declare(&server, &mary, false);
    let scene = Scene { _house: house, server, mary, sabrina, robin, pipeline, n };
    scene.gets_operations("sabrina", &scene.sabrina);
    scene
}

impl Scene {
    fn gets_operations(&self, handle: &str, token: &str) {
        let Self { server, mary, n, .. } = self;
        server.post(token, &format!("/api/v1/incidents/{n}/commands"), json!({ "command": "join" }));
        server.done(mary, *n, json!({ "command": "offer_role", "role": "operations", "to": { "person": handle } }));
        server.done(token, *n, json!({ "command": "take_role", "role": "operations" }));
    }

    fn to(&self, phase: &str) -> (u16, Value) {
        let command = json!({ "command": "set_phase", "phase": phase });
        self.server.post(&self.mary, &format!("/api/v1/incidents/{}/commands", self.n), command)
    }
}

fn made_at(id: &str, who: &str, at: Timestamp) -> Value {
    let mut event = event(id, "search", who);
    event["time"] = json!(at.to_string());
    event
}

/// A pipeline tells of a rollout when that has ended.
fn what_was_made_before_it_was_resolved_is_heard_until_it_is_closed(house: House) {
    let scene = scene(house);
    let Scene { server, mary, sabrina, pipeline, n, .. } = &scene;
    let before = Timestamp::now();
    assert_eq!(scene.to("resolved").0, 200);
    // Told in this order: once the second is heard of, the first would be.
    tell(server, pipeline, &made_at("v13", "robin", Timestamp::now()));
    tell(server, pipeline, &made_at("v12", "robin", before));
    let seen = heard(server, mary, *n, 1).remove(0);
    assert_eq!((&seen["what"], &seen["unsorted"]), (&json!("deploy v12"), &json!(true)), "{seen}");
    let (status, refusal) = scene.to("closed");
    assert_eq!((status, &refusal["code"]), (409, &json!("unfinished")), "{refusal}");
    server.say(sabrina, &["sighting", "1", "dismiss", "1"]);
    assert_eq!(scene.to("closed").0, 200);
}

/// Sabrina hands operations over; what she made before is told of after that, and so is what Robin made before he had them.
fn who_had_operations_then_made_it_as_operations(house: House) {
    let scene = scene(house);
    let Scene { server, mary, sabrina, robin, pipeline, n, .. } = &scene;
    let before = Timestamp::now();
    scene.gets_operations("robin", robin);
    tell(server, pipeline, &made_at("v12", "sabrina", before));
    tell(server, pipeline, &made_at("v13", "robin", before));
    let all = heard(server, mary, *n, 2);
    let unsorted = |what: &str| all.iter().find(|one| one["what"] == what).map(|one| one["unsorted"] == true);
    assert_eq!((unsorted("deploy v12"), unsorted("deploy v13")), (Some(false), Some(true)), "{all:?}");
    let at = before.to_string();
    for (who, coordination) in [(sabrina, "by_operations"), (robin, "uncoordinated")] {
        let told = json!({ "command": "record_change", "what": "search: cache off", "happened_at": at });
        server.done(who, *n, told);
        let (_, ledger) = server.get(mary, &format!("/api/v1/incidents/{n}/changes"));
        let last = ledger["changes"].as_array().and_then(|all| all.last()).unwrap();
        assert_eq!(last["coordination"], coordination, "{last}");
    }
}

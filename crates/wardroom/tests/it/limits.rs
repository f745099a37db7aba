//! What grows is bounded: the last one that fits is accepted, and the next is refused with a sentence that says how many
//! there may be.

use serde_json::{Value, json};

use crate::house::House;
use crate::on_both;

on_both!(what_grows_is_bounded, what_is_long_is_bounded);

fn what_grows_is_bounded(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    for (most, one) in [
        (12, json!({ "command": "add_post", "label": "the small room" })),
        (20, json!({ "command": "set_clock", "label": "Look again", "in_minutes": 60 })),
        (50, json!({ "command": "note", "text": "kept at the top", "pin": true })),
        (100, json!({ "command": "raise_roadblock", "text": "The quota is used up" })),
    ] {
        (0..most).for_each(|_| drop(server.done(&mary, n, one.clone())));
        let (status, problem) = server.command(&mary, n, one.clone());
        assert_eq!((status, &problem["code"]), (422, &json!("too_many")), "{one}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(&most.to_string()), "{problem}");
    }
    let services = |number: usize| (0..number).map(|one| format!("service-{one}")).collect::<Vec<_>>();
    let command = |number| json!({ "command": "set_services", "services": services(number) });
    server.done(&mary, n, command(100));
    let (status, problem) = server.command(&mary, n, command(101));
    assert_eq!((status, &problem["code"]), (422, &json!("too_many")), "{problem}");
    let opening = json!({ "title": "Everything is failing", "services": services(101) });
    assert_eq!(server.post(&mary, "/api/v1/incidents", opening).1["code"], "too_many");
}

fn what_is_long_is_bounded(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let long = |letters: usize| "🚒".repeat(letters);
    for (fits, beyond) in [
        (json!({ "command": "set_title", "title": long(200) }), json!({ "command": "set_title", "title": long(201) })),
        (json!({ "command": "note", "text": long(20_000) }), json!({ "command": "note", "text": long(20_001) })),
        (
            json!({ "command": "set_services", "services": ["s".repeat(100)] }),
            json!({ "command": "set_services", "services": ["s".repeat(101)] }),
        ),
        (
            json!({ "command": "open_role", "role": format!("operations/{}", "r".repeat(40)) }),
            json!({ "command": "open_role", "role": format!("operations/{}", "r".repeat(41)) }),
        ),
        (
            json!({ "command": "set_clock", "label": "Next week", "in_minutes": 7 * 24 * 60 }),
            json!({ "command": "set_clock", "label": "Later", "in_minutes": 7 * 24 * 60 + 1 }),
        ),
    ] {
        server.done(&mary, n, fits);
        let (status, problem): (u16, Value) = server.command(&mary, n, beyond);
        assert!(status == 400 || status == 422, "{status}: {problem}");
        assert!(problem["detail"].as_str().unwrap().len() < 2_000, "what is too long is not repeated");
    }
}

//! A node's clock ran ahead and was set right: the gate goes by what the incident's events say, as they are decided by.

use serde_json::json;

use crate::house::House;
use crate::on_both;
use crate::staffed::{changes, decided, knowing, staffed};

on_both!(what_was_permitted_by_a_clock_that_ran_ahead_holds);

fn what_was_permitted_by_a_clock_that_ran_ahead_holds(house: House) {
    let (house, [mary, sabrina, robin]) = knowing(house);
    house.run(&["service", "gate", "search", "--enforce"]);
    let library =
        std::env::var("WARDROOM_TEST_FAKETIME").expect("run the tests with `make test`: it finds libfaketime");
    let alone = ("FAKETIME_DISABLE_SHM", "1");
    let server = house.serve_in(&[("LD_PRELOAD", library.as_str()), ("FAKETIME", "+1h"), alone]);
    let n = staffed(&server, &mary, &sabrina, &json!({}));
    server.done(&robin, n, json!({ "command": "ask_permission", "services": ["search"], "what": "deploy v12" }));
    server.done(&sabrina, n, json!({ "command": "grant_permission", "person": "robin" }));
    server.kill();
    let server = house.serve();
    for _ in 0..2 {
        let passed = decided(&server, &robin, "deploy v12");
        assert_eq!((&passed["decision"], &passed["changes"][0]["change"]), (&json!("allow"), &json!(1)), "{passed}");
    }
    assert_eq!(changes(&server, &mary, n).len(), 1);
}

//! What the gate stopped is counted, and with what came of it.

use serde_json::json;

use crate::freelancing::row;
use crate::house::House;
use crate::sightings::{event, heard, tell};
use crate::staffed::{Scene, decided, scene};
use crate::{on_both, wait};

on_both!(
    whoever_is_seen_to_go_on_all_the_same_is_counted_as_uncoordinated,
    what_was_dismissed_came_of_nothing,
);

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

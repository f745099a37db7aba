//! The budget of prompts: one for each person, whatever they sit at, on every node, across a restart.

use std::sync::Barrier;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::faster::{between, minutes};
use crate::house::{Answer, House, Server};
use crate::{on_both, wait};

on_both!(two_windows_of_one_person_share_one_budget, the_budget_outlives_a_restart_and_comes_back);

fn both() -> Value {
    json!({ "of": "doing_both" })
}

/// Does something about a nudge.
fn about(server: &Server, token: &str, n: u64, act: &str, nudge: &Value) -> Answer {
    let body = json!({ "act": act, "nudge": nudge });
    server.send(token, &format!("/api/v1/incidents/{n}/prompts"), body.to_string().as_bytes()).expect("an answer")
}

/// How the next step comes before somebody's eyes.
fn prompt(server: &Server, token: &str, n: u64) -> Value {
    server.get(token, &format!("/api/v1/incidents/{n}")).1["prompt"].clone()
}

/// An incident whose commander does operations too, while two others are there.
fn doing_both(server: &Server, commander: &str, others: [&str; 2]) -> u64 {
    let n = server.declare(commander, "Search is failing");
    for other in others {
        server.done(other, n, json!({ "command": "join" }));
    }
    n
}

fn two_windows_of_one_person_share_one_budget(house: House) {
    let [sabrina, robin] = ["sabrina", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let mut desk = Browser::of(&house, &server, "mary");
    let mut phone = Browser::new(&server);
    assert_eq!(phone.sign_in("mary", crate::browser::PASSWORD).status, 204);
    let mary = house.token("mary", "respond");
    let n = doing_both(&server, &mary, [&sabrina, &robin]);
    let other = doing_both(&server, &mary, [&sabrina, &robin]);
    let free = json!({ "how": "when_free", "nudge": both() });
    assert_eq!(prompt(&server, &mary, n), free);

    // Both would prompt at the same moment; one of them does.
    let start = Barrier::new(2);
    let ask = json!({ "act": "prompt", "nudge": both() });
    let path = format!("/api/v1/incidents/{n}/prompts");
    let answers = std::thread::scope(|scope| {
        let both = [&mut desk, &mut phone].map(|window| {
            scope.spawn(|| {
                start.wait();
                window.post(&path, ask.clone())
            })
        });
        both.map(|one| one.join().unwrap())
    });
    let prompted: Vec<_> = answers.iter().map(|told| (told.status, told.body["prompted"].as_bool())).collect();
    assert!(prompted.contains(&(200, Some(true))) && prompted.contains(&(200, Some(false))), "{prompted:?}");
    assert_eq!(answers[0].body["until"], answers[1].body["until"]);

    // For ten minutes it stands there quietly in both, and so does whatever else could be said, elsewhere too.
    for window in [&mut desk, &mut phone] {
        for number in [n, other] {
            let view = window.get(&format!("/api/v1/incidents/{number}")).body;
            assert_eq!(view["next"]["do"], "offer_operations");
            assert_eq!((&view["prompt"]["how"], &view["prompt"]["put_off"]), (&json!("quietly"), &json!(false)));
            assert_eq!(view["prompt"]["until"], answers[0].body["until"]);
        }
    }
    assert_eq!(about(&server, &mary, other, "prompt", &both()).1["prompted"], false);

    // Put off at the phone, it goes behind everything else at the desk.
    let told = phone.post(&path, json!({ "act": "put_off", "nudge": both() }));
    assert_eq!((told.status, &told.body["prompted"]), (200, &json!(false)), "{}", told.body);
    let view = desk.get(&format!("/api/v1/incidents/{n}")).body;
    assert_eq!((&view["next"]["do"], &view["prompt"]["put_off"]), (&json!("offer_operations"), &json!(true)));
    assert_eq!(view["prompt"]["until"], told.body["until"]);
    let steps = desk.get("/api/v1/next").body["next"].clone();
    let order: Vec<_> = steps.as_array().unwrap().iter().map(|step| step["incident"].as_u64().unwrap()).collect();
    assert_eq!(order, [other, n]);

    // What somebody waits for waits for no budget.
    server.done(&sabrina, n, json!({ "command": "raise_roadblock", "text": "The quota is used up" }));
    wait::until("it is seen", || {
        let view = desk.get(&format!("/api/v1/incidents/{n}")).body;
        (view["next"]["do"] == "clear").then(|| assert_eq!(view["prompt"], json!({ "how": "at_once" })))
    });
    assert_eq!(house.verify()["holds"], true);
}

fn the_budget_outlives_a_restart_and_comes_back(house: House) {
    let [mary, sabrina, robin] = ["mary", "sabrina", "robin"].map(|handle| house.person(handle));
    let server = house.serve();
    let n = doing_both(&server, &mary, [&sabrina, &robin]);
    let (_, told) = about(&server, &mary, n, "prompt", &both());
    assert_eq!(told["prompted"], true, "{told}");
    // Whose it is not, and what is not there: nothing is said, and nothing remembered.
    let gone = json!({ "prompted": false, "until": null });
    assert_eq!(about(&server, &sabrina, n, "prompt", &both()), (200, gone.clone()));
    let clock = json!({ "of": "clock", "clock": 9, "due_at": "2026-01-01T00:00:00Z" });
    assert_eq!(about(&server, &mary, n, "put_off", &clock), (200, gone));
    assert_eq!(house.ask("SELECT count(*) FROM prompts"), "1");
    assert_eq!(about(&server, &mary, 99, "prompt", &both()).0, 404);
    assert_eq!(about(&server, &mary, n, "shout", &both()).0, 400);
    assert_eq!(about(&server, &mary, n, "prompt", &json!({ "of": "doing_both", "loud": true })).0, 400);

    server.kill();
    let server = house.serve();
    let quiet =
        wait::until("it is remembered", || Some(prompt(&server, &mary, n)).filter(|how| how["until"].is_string()));
    assert_eq!(quiet["until"], told["until"]);
    assert_eq!(about(&server, &mary, n, "prompt", &both()).1["prompted"], false);

    // Ten minutes after it was said it may be said again: once.
    server.kill();
    let library = std::env::var("WARDROOM_TEST_FAKETIME").expect("`make test` finds libfaketime");
    let later = [("LD_PRELOAD", library.as_str()), ("FAKETIME", "+11m"), ("FAKETIME_DISABLE_SHM", "1")];
    let server = house.serve_in(&later);
    // She has been away for all of that time as far as rule 6 is concerned, and is back.
    assert_eq!(server.post(&mary, "/api/v1/presence", json!({})).0, 204);
    wait::until("it is her own again", || (prompt(&server, &mary, n)["how"] == "when_free").then_some(()));
    let said = [0; 2].map(|_| about(&server, &mary, n, "prompt", &both()).1);
    assert_eq!([&said[0]["prompted"], &said[1]["prompted"]], [true, false]);
    assert!(between(&told["until"], &said[1]["until"]) > minutes(9), "{said:?}");
}

/// Each person at both nodes at once.
#[test]
fn two_nodes_share_the_budget() {
    let house = House::on_postgres();
    let [sabrina, robin] = ["sabrina", "robin"].map(|handle| house.person(handle));
    let (one, two) = (house.serve(), house.serve());
    for handle in ["mary", "malcolm", "ada", "ivan"] {
        let token = house.person(handle);
        let n = doing_both(&one, &token, [&sabrina, &robin]);
        wait::until("the other node knows it", || (two.next(&token, n) == "offer_operations").then_some(()));
        let start = Barrier::new(2);
        let prompted = std::thread::scope(|scope| {
            let both = [&one, &two].map(|node| {
                let (start, token) = (&start, &token);
                scope.spawn(move || {
                    start.wait();
                    about(node, token, n, "prompt", &both())
                })
            });
            both.map(|one| one.join().unwrap())
        });
        let count = prompted.iter().filter(|(_, told)| told["prompted"] == true).count();
        assert_eq!((count, prompted[0].0, prompted[1].0), (1, 200, 200), "{prompted:?}");
        let put_off = about(&one, &token, n, "put_off", &both());
        assert_eq!(put_off.0, 200);
        wait::until("the other node knows it", || (prompt(&two, &token, n)["put_off"] == true).then_some(()));
    }
}

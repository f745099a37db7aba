//! The browsers in which people turned push on: what waits comes to them too, they move, and end with their session.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::house::{House, Server, agent};
use crate::push::{BROWSERS, Cast, browsers, lines, turn_on};
use crate::push_service::PushService;
use crate::{on_both, wait};

on_both!(
    a_browser_that_is_turned_on_is_shown_what_waits,
    a_browser_that_moved_takes_over_what_it_was_told,
    nobody_has_more_browsers_than_they_may_though_they_come_at_once,
    whoever_signs_out_is_shown_nothing_more,
    a_browser_belongs_to_whoever_sits_there,
    a_browser_that_cannot_be_told_is_not_taken,
);

/// How many deliveries a browser still has to come.
fn open_for(service: &PushService, n: usize) -> String {
    let name = service.name(n);
    format!("SELECT count(*) FROM deliveries WHERE browser = '{name}' AND state IN ('due', 'refused')")
}

fn turn_off(server: &Server, token: &str, name: &str) {
    let asked = agent().delete(format!("http://{}{BROWSERS}/{name}", server.address()));
    let answer = asked.header("authorization", format!("Bearer {token}")).call().unwrap();
    assert_eq!(answer.status().as_u16(), 204);
}

fn a_browser_that_is_turned_on_is_shown_what_waits(house: House) {
    let (cast, service) = (Cast::of(&house), PushService::start(house.folder(), 3));
    let server = house.serve_in(&service.settings());
    let n = server.declare(&cast.mary, "Search is failing");
    cast.offer(&server, n, "operations");
    // The first, and one more: what was seen, or is over, waits no more.
    turn_on(&server, &cast.sabrina, service.browser(0));
    service.shows(0, 1);
    cast.take(&server, n, "operations");
    service.shows(0, 2);
    cast.offer(&server, n, "planning");
    service.shows(0, 3);
    cast.sees(&server, n, "planning");
    cast.offer(&server, n, "communications");
    service.shows(0, 4);
    turn_on(&server, &cast.sabrina, service.browser(1));
    let shown = service.shows(1, 1);
    assert!(shown[0]["said"]["line"].as_str().unwrap().contains("communications"), "{shown:?}");
    // The same again is nothing new.
    turn_on(&server, &cast.sabrina, service.browser(1));
    // Turned off and on again while it waits, it is shown again.
    service.answers(0, 503);
    cast.offer(&server, n, "command");
    wait::until("one is tried", || (service.asked(0).len() > 4).then_some(()));
    service.shows(1, 2);
    assert_eq!((service.shown(0).len(), service.shown(1).len()), (4, 2), "and once each");
    turn_off(&server, &cast.sabrina, &service.name(0));
    wait::until("it is told no more", || house.ask(&open_for(&service, 0)).eq("0").then_some(()));
    service.answers(0, 201);
    turn_on(&server, &cast.sabrina, service.browser(0));
    assert!(lines(&service.shows(0, 5))[4].contains("command"));
}

fn a_browser_that_moved_takes_over_what_it_was_told(house: House) {
    let (cast, service) = (Cast::of(&house), PushService::start(house.folder(), 3));
    let server = house.serve_in(&service.settings());
    turn_on(&server, &cast.sabrina, service.browser(0));
    service.answers(0, 503);
    let n = server.declare(&cast.mary, "Search is failing");
    cast.offer(&server, n, "operations");
    cast.way_is(&server, n, "operations", "refused");
    let moved = |from: usize, to: usize| {
        let mut moved = service.browser(to);
        moved["replaces"] = json!(service.name(from));
        turn_on(&server, &cast.sabrina, moved);
    };
    // What was refused at the address before is told at this one at once.
    moved(0, 1);
    service.shows(1, 1);
    cast.sees(&server, n, "operations");
    // What was taken there and nobody saw may not have come.
    cast.offer(&server, n, "planning");
    service.shows(1, 2);
    cast.way_is(&server, n, "planning", "accepted");
    moved(1, 2);
    assert!(lines(&service.shows(2, 1))[0].contains("planning"));
    // What it shows is put away where it is now, seen or not.
    let before = service.shown(1);
    for (told, role) in ["operations", "planning"].into_iter().enumerate() {
        cast.take(&server, n, role);
        let shown = service.shows(2, told + 2).pop().unwrap();
        assert_eq!((&shown["said"]["done"], &shown["said"]["id"]), (&json!(true), &before[told]["said"]["id"]));
    }
    assert_eq!([service.shown(0).len(), service.shown(1).len()], [0, 2]);
}

fn nobody_has_more_browsers_than_they_may_though_they_come_at_once(house: House) {
    let (cast, service) = (Cast::of(&house), PushService::start(house.folder(), 1));
    let server = house.serve();
    let browser = |n: usize| {
        let mut browser = service.browser(0);
        browser["endpoint"] = json!(format!("https://push.example.org/{n}"));
        browser
    };
    turn_on(&server, &cast.sabrina, browser(0));
    let taken: usize = std::thread::scope(|scope| {
        let come = |n| server.post(&cast.sabrina, BROWSERS, browser(n)).0;
        let all: Vec<_> = (1..32).map(|n| scope.spawn(move || come(n))).collect();
        let statuses: Vec<u16> = all.into_iter().map(|one| one.join().unwrap()).collect();
        assert!(statuses.iter().all(|status| [201, 422].contains(status)), "{statuses:?}");
        statuses.into_iter().filter(|status| *status == 201).count()
    });
    assert_eq!((taken, browsers(&server, &cast.sabrina).len()), (19, 20));
}

fn whoever_signs_out_is_shown_nothing_more(house: House) {
    let (mary, service) = (house.person("mary"), PushService::start(house.folder(), 3));
    let server = house.serve_in(&service.settings());
    let mut phone = Browser::of(&house, &server, "sabrina");
    let turn_on = |browser: &mut Browser<'_>, n| {
        let mut body = service.browser(n);
        body["request_id"] = json!(uuid::Uuid::now_v7());
        let told = browser.post(BROWSERS, body);
        assert_eq!(told.status, 201, "{}", told.body);
        assert_eq!(told.body["device"], "Firefox on Linux");
    };
    let mut desk = Browser::new(&server);
    assert_eq!(desk.sign_in("sabrina", crate::browser::PASSWORD).status, 204);
    turn_on(&mut phone, 0);
    turn_on(&mut desk, 1);
    assert_eq!(phone.delete("/api/v1/session").status, 204);
    let left = |browser: &mut Browser<'_>| browser.get("/api/v1/me/reach").body["push"]["browsers"].clone();
    assert_eq!(left(&mut desk).as_array().unwrap().len(), 1);
    let n = server.declare(&mary, "Search is failing");
    let to = json!({ "person": "sabrina" });
    server.done(&mary, n, json!({ "command": "offer_role", "role": "operations", "to": to }));
    service.shows(1, 1);
    assert_eq!(service.asked(0), [Value::Null; 0]);
    // Or one by one, from wherever one is; what is not one's own is not there.
    turn_on(&mut desk, 2);
    let path = format!("{BROWSERS}/{}", service.name(1));
    let mut other = Browser::of(&house, &server, "marty");
    assert_eq!(other.delete(&path).said(), (404, "no_such_browser"));
    assert_eq!(desk.delete(&path).status, 204);
    assert_eq!(desk.delete(&path).said(), (404, "no_such_browser"));
    assert_eq!(left(&mut desk)[0]["id"], service.name(2));
}

fn a_browser_belongs_to_whoever_sits_there(house: House) {
    let (cast, service) = (Cast::of(&house), PushService::start(house.folder(), 2));
    let server = house.serve_in(&service.settings());
    turn_on(&server, &cast.mary, service.browser(0));
    let first = turn_on(&server, &cast.sabrina, service.browser(0));
    assert_eq!(browsers(&server, &cast.mary), [""; 0], "Mary's words are not shown to Sabrina");
    assert_eq!(turn_on(&server, &cast.sabrina, service.browser(0)), first, "the same again");
    // Its push service gave it another address.
    let mut moved = service.browser(1);
    moved["replaces"] = json!(service.name(0));
    turn_on(&server, &cast.sabrina, moved.clone());
    assert_eq!(browsers(&server, &cast.sabrina), [service.name(1)]);
    // Nobody replaces another's.
    let mut stolen = service.browser(0);
    stolen["replaces"] = json!(service.name(1));
    turn_on(&server, &cast.mary, stolen);
    assert_eq!(browsers(&server, &cast.sabrina), [service.name(1)]);
}

fn a_browser_that_cannot_be_told_is_not_taken(house: House) {
    let (cast, service) = (Cast::of(&house), PushService::start(house.folder(), 1));
    let server = house.serve();
    let refused = |browser: Value, sentence: &str| {
        let (status, answer) = server.post(&cast.sabrina, BROWSERS, browser);
        assert_eq!(status, 422, "{answer}");
        assert!(answer["detail"].as_str().unwrap().contains(sentence), "{answer}");
    };
    let with = |what: &str, value: &str| {
        let mut browser = service.browser(0);
        browser["endpoint"] = json!("https://push.example.org/abc");
        browser[what] = json!(value);
        browser
    };
    for inside in ["http://push.example.org/abc", "https://169.254.169.254/", "https://[::1]/", "push", ""] {
        refused(with("endpoint", inside), "is none that can be asked");
    }
    refused(with("endpoint", &format!("https://push.example.org/{}", "x".repeat(1_000))), "is none that can be asked");
    refused(with("auth", "short"), "keys of this browser");
    refused(with("p256dh", service.browser(0)["auth"].as_str().unwrap()), "keys of this browser");
    let off_the_curve = format!("B{}", "A".repeat(86));
    refused(with("p256dh", &off_the_curve), "keys of this browser");
    assert_eq!(server.post(&cast.sabrina, BROWSERS, json!({ "endpoint": "https://x" })).0, 400);
    assert_eq!(server.get(&cast.sabrina, "/api/v1/me/reach").1["channels"], json!([]));
    for n in 0..20 {
        turn_on(&server, &cast.sabrina, with("endpoint", &format!("https://push.example.org/{n}")));
    }
    refused(with("endpoint", "https://push.example.org/20"), "in 20 browsers");
    turn_on(&server, &cast.sabrina, with("endpoint", "https://push.example.org/7"));
    turn_on(&server, &cast.mary, with("endpoint", "https://push.example.org/20"));
}

//! People are told in the browsers in which they turned push on, sealed for each, and what is done is withdrawn.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::house::{House, Server, ask_file};
use crate::push_service::PushService;
use crate::{on_both, wait};

on_both!(
    an_offer_is_shown_in_each_browser_and_withdrawn,
    a_browser_that_is_gone_is_forgotten,
    a_push_service_that_is_busy_is_asked_again_for_its_browser_alone,
    what_was_committed_before_a_kill_is_shown_after_it,
    addresses_and_keys_come_in_and_never_go_out,
    whoever_signs_out_is_shown_nothing_more,
    a_browser_belongs_to_whoever_sits_there,
    a_browser_that_cannot_be_told_is_not_taken,
);

const BROWSERS: &str = "/api/v1/me/reach/browsers";

/// Mary, who declares, and Sabrina, who has browsers.
struct Cast {
    mary: String,
    sabrina: String,
}

impl Cast {
    fn of(house: &House) -> Self {
        Self { mary: house.person("mary"), sabrina: house.person("sabrina") }
    }

    fn offer(&self, server: &Server, n: u64, role: &str) {
        let to = json!({ "person": "sabrina" });
        server.done(&self.mary, n, json!({ "command": "offer_role", "role": role, "to": to }));
    }

    fn take(&self, server: &Server, n: u64, role: &str) {
        let take = json!({ "command": "take_role", "role": role, "briefed": "by_voice" });
        server.done(&self.sabrina, n, take);
    }

    /// What Mary is shown of telling Sabrina of an offer.
    fn ways(&self, server: &Server, n: u64, role: &str) -> Value {
        let (_, state) = server.get(&self.mary, &format!("/api/v1/incidents/{n}"));
        let of = state["roles"].as_array().unwrap().iter().find(|one| one["role"] == role).unwrap();
        of["offer"]["told"][0]["ways"].clone()
    }

    /// Waits until the one way is so far.
    fn way_is(&self, server: &Server, n: u64, role: &str, state: &str) -> Value {
        wait::until(state, || {
            let ways = self.ways(server, n, role);
            (ways[0]["state"] == state).then(|| {
                assert_eq!(ways.as_array().unwrap().len(), 1, "however many browsers there are: {ways}");
                ways[0].clone()
            })
        })
    }
}

fn turn_on(server: &Server, token: &str, browser: Value) -> Value {
    let (status, answer) = server.post(token, BROWSERS, browser);
    assert_eq!(status, 201, "{answer}");
    answer
}

/// The names of somebody's browsers.
fn browsers(server: &Server, token: &str) -> Vec<String> {
    let (_, reach) = server.get(token, "/api/v1/me/reach");
    let all = reach["push"]["browsers"].as_array().unwrap();
    all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

fn an_offer_is_shown_in_each_browser_and_withdrawn(house: House) {
    let (cast, service) = (Cast::of(&house), PushService::start(house.folder(), 2));
    let server = house.serve_in(&service.settings());
    for n in 0..2 {
        let made = turn_on(&server, &cast.sabrina, service.browser(n));
        assert_eq!(made["id"], service.name(n));
    }
    let (_, reach) = server.get(&cast.sabrina, "/api/v1/me/reach");
    assert_eq!((&reach["channels"], browsers(&server, &cast.sabrina).len()), (&json!(["push"]), 2), "{reach}");
    let n = server.declare(&cast.mary, "Search is \"failing\" <b>\u{1F525}</b>");
    cast.offer(&server, n, "command");
    let line = "Mary offers you command in incident #1 “Search is \"failing\" <b>\u{1F525}</b>” (sev2)";
    for n in 0..2 {
        let shown = service.shows(n, 1).remove(0);
        let (said, heads) = (&shown["said"], &shown["heads"]);
        assert_eq!((&said["line"], &said["path"]), (&json!(line), &json!("/incidents/1")));
        assert!(said["help"].as_str().unwrap().starts_with("Take it or decline it by "), "{said}");
        assert_eq!((&said["done"], &heads["urgency"], &heads["ttl"]), (&json!(false), &json!("high"), &json!("86400")));
        assert_eq!(heads["content-encoding"], "aes128gcm");
        assert_eq!(
            (&shown["claims"]["aud"], &shown["claims"]["sub"]),
            (&json!(service.origin), &json!("https://wardroom.example.org"))
        );
        let good_for = shown["claims"]["exp"].as_i64().unwrap() - jiff::Timestamp::now().as_second();
        assert!((60..=86_400).contains(&good_for), "{good_for}");
        // It is the key that browsers are bound to.
        let key = reach["push"]["key"].as_str().unwrap();
        assert!(heads["authorization"].as_str().unwrap().ends_with(&format!(",k={key}")), "{heads}");
    }
    cast.way_is(&server, n, "command", "accepted");
    let told = server.say(&cast.mary, &["show", "1"]);
    assert!(told.contains("push: accepted") && told.contains("not seen yet"), "{told}");
    cast.take(&server, n, "command");
    for n in 0..2 {
        let shown = service.shows(n, 2);
        let (before, after) = (&shown[0], &shown[1]);
        assert_eq!((&after["said"]["done"], &after["said"]["id"]), (&json!(true), &before["said"]["id"]));
        assert!(after["said"]["line"].as_str().unwrap().starts_with("Done: "), "{after}");
        assert_eq!(
            (&after["heads"]["topic"], &after["heads"]["urgency"]),
            (&before["heads"]["topic"], &json!("normal"))
        );
    }
    // Once each: what follows comes after all that came before.
    let (status, tested) = server.send(&cast.sabrina, "/api/v1/me/reach/test", b"{}").unwrap();
    assert_eq!((status, &tested["results"]["push"]["accepted"]), (200, &json!(true)), "{tested}");
    for n in 0..2 {
        assert_eq!(service.shows(n, 3).len(), 3);
    }
}

fn a_browser_that_is_gone_is_forgotten(house: House) {
    let (cast, service) = (Cast::of(&house), PushService::start(house.folder(), 2));
    let server = house.serve_in(&service.settings());
    for n in 0..2 {
        turn_on(&server, &cast.sabrina, service.browser(n));
    }
    service.answers(0, 410);
    let n = server.declare(&cast.mary, "Search is failing");
    cast.offer(&server, n, "operations");
    service.shows(1, 1);
    wait::until("it is forgotten", || (browsers(&server, &cast.sabrina) == [service.name(1)]).then_some(()));
    cast.way_is(&server, n, "operations", "accepted");
    service.answers(1, 404);
    cast.offer(&server, n, "planning");
    wait::until("and the other", || browsers(&server, &cast.sabrina).is_empty().then_some(()));
    assert_eq!((service.asked(0).len(), service.asked(1).len()), (1, 2), "each was asked once for each");
    // Push is on in no browser: choosing it again takes one.
    let (status, answer) =
        server.post(&cast.sabrina, "/api/v1/me/reach", json!({ "channels": ["push"], "quiet": null }));
    assert_eq!(status, 422);
    assert!(answer["detail"].as_str().unwrap().contains("Turn it on in one first"), "{answer}");
}

fn a_push_service_that_is_busy_is_asked_again_for_its_browser_alone(house: House) {
    let (cast, service) = (Cast::of(&house), PushService::start(house.folder(), 2));
    let server = house.serve_in(&service.settings());
    service.answers(0, 429);
    turn_on(&server, &cast.sabrina, service.browser(0));
    let n = server.declare(&cast.mary, "Search is failing");
    cast.offer(&server, n, "operations");
    let way = cast.way_is(&server, n, "operations", "refused");
    assert_eq!(way["why"], "their browser's push service answered 429");
    let told = server.say(&cast.mary, &["show", "1"]);
    assert!(told.contains("push: their browser's push service answered 429"), "{told}");
    // One that takes it is told once, however often the other is tried; and it is said to be taken.
    turn_on(&server, &cast.sabrina, service.browser(1));
    cast.offer(&server, n, "planning");
    cast.way_is(&server, n, "planning", "accepted");
    wait::until("it is tried again", || (service.asked(0).len() > 3).then_some(()));
    service.answers(0, 201);
    let shown = service.shows(0, 2);
    assert_eq!(service.shown(1).len(), 1);
    let lines: Vec<&str> = shown.iter().map(|one| one["said"]["line"].as_str().unwrap()).collect();
    assert!(["operations", "planning"].iter().all(|role| lines.iter().any(|line| line.contains(role))), "{lines:?}");
}

fn what_was_committed_before_a_kill_is_shown_after_it(house: House) {
    let (cast, service) = (Cast::of(&house), PushService::start(house.folder(), 1));
    let server = house.serve_in(&service.settings());
    turn_on(&server, &cast.sabrina, service.browser(0));
    let (_, before) = server.get(&cast.sabrina, "/api/v1/me/reach");
    service.answers(0, 503);
    let n = server.declare(&cast.mary, "Search is failing");
    cast.offer(&server, n, "command");
    cast.way_is(&server, n, "command", "refused");
    server.kill();
    service.answers(0, 201);
    let server = house.serve_in(&service.settings());
    let shown = service.shows(0, 1).remove(0);
    assert!(shown["said"]["line"].as_str().unwrap().contains("offers you command"), "{shown}");
    cast.way_is(&server, n, "command", "accepted");
    // Browsers stay bound to it: the key outlives the server.
    let (_, after) = server.get(&cast.sabrina, "/api/v1/me/reach");
    assert_eq!(after["push"], before["push"]);
    if house.is_postgres() {
        let other = house.serve_in(&service.settings());
        assert_eq!(other.get(&cast.sabrina, "/api/v1/me/reach").1["push"], before["push"]);
    }
}

fn addresses_and_keys_come_in_and_never_go_out(house: House) {
    let (cast, service) = (Cast::of(&house), PushService::start(house.folder(), 1));
    let ada = house.admin("ada");
    let server = house.serve_in(&service.settings());
    let browser = service.browser(0);
    let made = turn_on(&server, &cast.sabrina, browser.clone());
    let n = server.declare(&cast.mary, "Search is failing");
    cast.offer(&server, n, "operations");
    cast.way_is(&server, n, "operations", "accepted");
    let seen = [
        made.to_string(),
        server.get(&cast.sabrina, "/api/v1/me/reach").1.to_string(),
        server.get(&cast.mary, &format!("/api/v1/incidents/{n}")).1.to_string(),
        server.get(&ada, "/api/v1/directory").1.to_string(),
        server.get(&ada, "/api/v1/people").1.to_string(),
        server.get(&ada, "/api/v1/audit?limit=200").1.to_string(),
        house.ask("SELECT body FROM events"),
        house.ask("SELECT spans FROM requests"),
    ];
    for secret in [&browser["endpoint"], &browser["p256dh"], &browser["auth"]] {
        assert!(seen.iter().all(|text| !text.contains(secret.as_str().unwrap())), "{seen:?}");
    }
    // Others do not even learn in how many browsers.
    assert!(seen[2..].iter().all(|text| !text.contains(&service.name(0))), "{seen:?}");
    let (status, answer) = server.get(&cast.mary, "/api/v1/me/reach");
    assert_eq!((status, &answer["push"]["browsers"]), (200, &json!([])));
    let backup = house.folder().join("backup.db");
    house.run(&["backup", &backup.display().to_string()]);
    for table in ["browsers", "push_key"] {
        assert_eq!(house.ask(&format!("SELECT count(*) FROM {table}")), "1");
        assert_eq!(ask_file(&backup, &format!("SELECT count(*) FROM {table}")), "0");
    }
    // It goes with its way, and with the account.
    let kept = || house.ask("SELECT count(*) FROM browsers");
    assert_eq!(server.post(&cast.sabrina, "/api/v1/me/reach", json!({ "channels": [], "quiet": null })).0, 204);
    assert_eq!(kept(), "0");
    // Signed out everywhere, also where there is no session to end: it was turned on by a token.
    turn_on(&server, &cast.sabrina, browser.clone());
    let out = json!({ "command": "end_sessions", "person": "sabrina" });
    let (status, _) = server.post(&cast.mary, "/api/v1/directory/commands", out.clone());
    assert_eq!((status, kept().as_str()), (403, "1"), "not by anybody");
    let (status, answer) = server.post(&ada, "/api/v1/directory/commands", out);
    assert_eq!((status, &answer["code"], kept().as_str()), (409, &json!("already_so"), "0"));
    turn_on(&server, &cast.sabrina, browser);
    house.run(&["person", "deactivate", "sabrina"]);
    assert_eq!(kept(), "0");
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

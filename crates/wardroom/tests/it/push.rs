//! People are told in the browsers in which they turned push on, sealed for each, and what is done is withdrawn.

use serde_json::{Value, json};

use crate::house::{House, Server, ask_file};
use crate::push_service::PushService;
use crate::{on_both, wait};

on_both!(
    an_offer_is_shown_in_each_browser_and_withdrawn,
    a_browser_that_is_gone_is_forgotten,
    a_push_service_that_is_busy_is_asked_again_for_its_browser_alone,
    a_push_service_is_left_alone_for_as_long_as_it_asks,
    what_a_push_service_will_never_take_is_not_tried_again,
    whoever_tests_a_browser_that_is_gone_is_told_so,
    what_was_committed_before_a_kill_is_shown_after_it,
    addresses_and_keys_come_in_and_never_go_out,
);

pub const BROWSERS: &str = "/api/v1/me/reach/browsers";

/// Mary, who declares, and Sabrina, who has browsers.
pub struct Cast {
    pub mary: String,
    pub sabrina: String,
}

impl Cast {
    pub fn of(house: &House) -> Self {
        Self { mary: house.person("mary"), sabrina: house.person("sabrina") }
    }

    pub fn offer(&self, server: &Server, n: u64, role: &str) {
        let to = json!({ "person": "sabrina" });
        server.done(&self.mary, n, json!({ "command": "offer_role", "role": role, "to": to }));
    }

    pub fn take(&self, server: &Server, n: u64, role: &str) {
        let take = json!({ "command": "take_role", "role": role, "briefed": "by_voice" });
        server.done(&self.sabrina, n, take);
    }

    /// Sabrina has what waits for her before her eyes.
    pub fn sees(&self, server: &Server, n: u64, role: &str) {
        server.get(&self.sabrina, &format!("/api/v1/incidents/{n}/briefing"));
        server.post(&self.sabrina, "/api/v1/presence", json!({}));
        wait::until("it is seen", || self.told(server, n, role)["seen_at"].is_string().then_some(()));
    }

    /// What Mary is shown of telling Sabrina of an offer.
    pub fn told(&self, server: &Server, n: u64, role: &str) -> Value {
        let (_, state) = server.get(&self.mary, &format!("/api/v1/incidents/{n}"));
        let of = state["roles"].as_array().unwrap().iter().find(|one| one["role"] == role).unwrap();
        of["offer"]["told"][0].clone()
    }

    /// Waits until the one way is so far.
    pub fn way_is(&self, server: &Server, n: u64, role: &str, state: &str) -> Value {
        wait::until(state, || {
            let ways = self.told(server, n, role)["ways"].clone();
            (ways[0]["state"] == state).then(|| {
                assert_eq!(ways.as_array().unwrap().len(), 1, "however many browsers there are: {ways}");
                ways[0].clone()
            })
        })
    }
}

/// What a browser was shown, in a line each.
pub fn lines(shown: &[Value]) -> Vec<String> {
    shown.iter().map(|one| one["said"]["line"].as_str().unwrap().to_owned()).collect()
}

pub fn turn_on(server: &Server, token: &str, browser: Value) -> Value {
    let (status, answer) = server.post(token, BROWSERS, browser);
    assert_eq!(status, 201, "{answer}");
    answer
}

/// The names of somebody's browsers.
pub fn browsers(server: &Server, token: &str) -> Vec<String> {
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
    service.shows(1, 1);
    cast.way_is(&server, n, "operations", "accepted");
    cast.offer(&server, n, "planning");
    cast.way_is(&server, n, "planning", "accepted");
    wait::until("it is tried again", || (service.asked(0).len() > 3).then_some(()));
    service.answers(0, 201);
    for browser in 0..2 {
        let lines = lines(&service.shows(browser, 2));
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(["operations", "planning"].iter().all(|role| lines.iter().any(|it| it.contains(role))), "{lines:?}");
    }
}

fn a_push_service_is_left_alone_for_as_long_as_it_asks(house: House) {
    let (cast, service) = (Cast::of(&house), PushService::start(house.folder(), 1));
    let server = house.serve_in(&service.settings());
    turn_on(&server, &cast.sabrina, service.browser(0));
    let n = server.declare(&cast.mary, "Search is failing");
    let in_an_hour = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let date = in_an_hour.strftime("503 %a, %d %b %Y %H:%M:%S GMT").to_string();
    // A hundred seconds; a date, and seconds, which are more than anybody is left alone for.
    for (role, answer, least, most) in
        [("operations", "429 100", 95, 105), ("planning", &date, 115, 121), ("communications", "503 86400", 115, 121)]
    {
        service.answers_with(0, answer);
        cast.offer(&server, n, role);
        cast.way_is(&server, n, role, "refused");
        let newest = "(SELECT max(at) FROM deliveries WHERE state = 'refused')";
        let wait = house.ask(&format!("SELECT (next_at - at) / 1000000 FROM deliveries WHERE at = {newest}"));
        assert!((least..=most).contains(&wait.parse::<i64>().unwrap()), "{answer}: {wait}");
    }
    assert_eq!(service.asked(0).len(), 3);
}

fn what_a_push_service_will_never_take_is_not_tried_again(house: House) {
    let (cast, service) = (Cast::of(&house), PushService::start(house.folder(), 2));
    let server = house.serve_in(&[("WARDROOM_PRIVATE_ENDPOINTS", "true")]);
    turn_on(&server, &cast.sabrina, service.browser(0));
    service.answers(0, 403);
    let n = server.declare(&cast.mary, "Search is failing");
    cast.offer(&server, n, "operations");
    let way = cast.way_is(&server, n, "operations", "failed");
    let why = "their browser's push service answered 403: it may want to know whom to ask about this server \
               (--public-url)";
    assert_eq!((&way["why"], &way["attempts"]), (&json!(why), &json!(3)));
    let told = server.say(&cast.mary, &["show", "1"]);
    assert!(told.contains(&format!("push: {why}; it is not tried again; not seen yet")), "{told}");
    assert_eq!(house.ask("SELECT count(*) FROM deliveries WHERE next_at IS NOT NULL"), "0");
    assert_eq!(service.asked(0)[0]["claims"]["sub"], Value::Null, "nobody said whom");
    // Another browser is told, and that counts. What nobody was shown is not put away.
    turn_on(&server, &cast.sabrina, service.browser(1));
    service.shows(1, 1);
    cast.way_is(&server, n, "operations", "accepted");
    cast.take(&server, n, "operations");
    service.shows(1, 2);
    assert_eq!(service.asked(0).len(), 3);
    // It stays turned on, and is told of what comes next.
    service.answers(0, 201);
    cast.offer(&server, n, "planning");
    service.shows(0, 1);
}

fn whoever_tests_a_browser_that_is_gone_is_told_so(house: House) {
    let (cast, service) = (Cast::of(&house), PushService::start(house.folder(), 1));
    let server = house.serve_in(&service.settings());
    turn_on(&server, &cast.sabrina, service.browser(0));
    service.answers(0, 410);
    let (status, tested) = server.send(&cast.sabrina, "/api/v1/me/reach/test", b"{}").unwrap();
    assert_eq!((status, &tested["results"]["push"]["accepted"]), (200, &json!(false)));
    let why = tested["results"]["push"]["why"].as_str().unwrap();
    assert!(why.contains("does not know it any more") && why.contains("turn it on there again"), "{why}");
    assert_eq!(browsers(&server, &cast.sabrina), [""; 0]);
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

//! Whoever tells of changes: nobody's words crowd out others', and nothing of a webhook is read that cannot be signed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::house::{House, Server, raw};
use crate::on_both;
use crate::sightings::{EVENT, declare, deployment, event, heard, knowing, signed, tell, webhook, with_token};

on_both!(
    nothing_of_a_webhook_is_read_that_cannot_be_signed,
    whoever_sends_slowly_keeps_no_webhook_out,
    whoever_sends_slowly_with_a_token_keeps_nobody_out,
    whoever_goes_round_in_a_loop_is_told_and_crowds_out_nobody,
    a_change_of_many_services_counts_once,
    what_is_kept_is_bounded_and_the_noisiest_go_first,
);

fn nothing_of_a_webhook_is_read_that_cannot_be_signed(house: House) {
    let ask = |server: &Server, signature: &str| {
        let request = format!(
            "POST /api/v1/changes HTTP/1.1\r\nhost: x\r\nx-github-event: ping\r\ncontent-type: application/json\r\n\
             content-length: 1000000\r\nconnection: close\r\n{signature}\r\n"
        );
        raw(&server.url, &request)
    };
    let signature = format!("x-hub-signature-256: sha256={}\r\n", "0".repeat(64));
    let server = house.serve();
    // Nothing of the body ever comes, and nobody waits for it.
    let told = ask(&server, &signature);
    assert!(told.starts_with("HTTP/1.1 401"), "without a secret nobody is heard: {told}");
    server.kill();
    let server = house.serve_in(&[("WARDROOM_GITHUB_SECRET", "a-secret-that-both-sides-share")]);
    for signature in ["", "x-hub-signature-256: sha256=00\r\n"] {
        let told = ask(&server, signature);
        assert!(told.starts_with("HTTP/1.1 401") && told.contains("bad_signature"), "{told}");
    }
}

/// The head of a webhook that may be signed.
fn may_be_signed() -> String {
    let signature = format!("x-hub-signature-256: sha256={}\r\n", "0".repeat(64));
    format!("x-github-event: deployment_status\r\ncontent-type: application/json\r\n{signature}")
}

/// Begins to tell with this head, sends so much of it, and no more.
fn slow(server: &Server, head: &str, sent: usize) -> TcpStream {
    let begun = " ".repeat(sent);
    let request = format!(
        "POST /api/v1/changes HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{head}content-length: 1000000\r\n\r\n{begun}"
    );
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    // Shorter than what the server allows any body.
    stream.set_read_timeout(Some(Duration::from_secs(25))).unwrap();
    stream
}

/// Eight turns of ten seconds were all that there were, and anybody could take them.
fn whoever_sends_slowly_keeps_no_webhook_out(house: House) {
    let (house, [mary, _, _, _]) = knowing(house);
    let secret = "a-secret-that-both-sides-share";
    let server = house.serve_in(&[("WARDROOM_GITHUB_SECRET", secret)]);
    let n = declare(&server, &mary, false);
    let tells = |body: &str| webhook(&server, "deployment_status", body, Some(&signed(body, secret)));
    for (sent, body) in [(1, deployment("in_progress")), (200_000, large(&deployment("success")))] {
        let slow: Vec<TcpStream> = (0..24).map(|_| slow(&server, &may_be_signed(), sent)).collect();
        if sent == 1 {
            let (status, answer) = tells(&body);
            assert_eq!((status, &answer["news"]), (200, &json!(1)), "{answer}");
        }
        for mut stream in slow {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("too_slow"), "{answer}");
        }
        // What is large needs a turn, and those are there again.
        if sent > 1 {
            let (status, answer) = tells(&body);
            assert_eq!((status, &answer["news"]), (200, &json!(1)), "{answer}");
        }
    }
    assert_eq!(heard(&server, &mary, n, 1).len(), 1);
}

/// Eight of them took all the room that tokens have together, for as long as a body may take.
fn whoever_sends_slowly_with_a_token_keeps_nobody_out(house: House) {
    let (house, [mary, _, robin, pipeline]) = knowing(house);
    let server = house.serve();
    let n = declare(&server, &mary, false);
    let head = format!("authorization: Bearer {pipeline}\r\ncontent-type: {EVENT}\r\n");
    for (round, sent) in [1, 200_000].into_iter().enumerate() {
        let slow: Vec<TcpStream> = (0..24).map(|_| slow(&server, &head, sent)).collect();
        if sent == 1 {
            tell(&server, &pipeline, &event("small", "search", "robin"));
        }
        // Whoever has another token is heard with what is large, too.
        let mut large = event(&format!("v{round}"), "search", "robin");
        large["notes"] = json!("x".repeat(200_000));
        assert_eq!(tell(&server, &robin, &large), 1);
        for mut stream in slow {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            let late = answer.starts_with("HTTP/1.1 408") && answer.contains("too_slow");
            assert!(late || (sent > 1 && answer.starts_with("HTTP/1.1 503")), "{answer}");
        }
    }
    assert_eq!(heard(&server, &mary, n, 3).len(), 3);
}

/// The same deployment, with a payload.
fn large(deployment: &str) -> String {
    let mut deployment: Value = serde_json::from_str(deployment).unwrap();
    deployment["deployment"]["payload"] = json!({ "notes": "x".repeat(200_000) });
    deployment.to_string()
}

/// Many changes of one service, as one teller goes round in a loop.
fn loops(round: u32, service: &str) -> Value {
    (0..100).map(|n| event(&format!("loop-{round}-{n}"), service, "a robot")).collect()
}

fn counted(server: &Server, what: &str) -> u64 {
    let (_, metrics) = server.get("", "/metrics");
    let line = metrics.as_str().unwrap().lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(' '));
    line.unwrap().parse().unwrap()
}

pub const BATCH: &str = "application/cloudevents-batch+json";

fn whoever_goes_round_in_a_loop_is_told_and_crowds_out_nobody(house: House) {
    let (house, [mary, _, robin, pipeline]) = knowing(house);
    let ada = house.admin("ada");
    let server = house.serve();
    for round in 0..10 {
        let (status, answer) = with_token(&server, &pipeline, BATCH, &loops(round, "search"));
        assert_eq!((status, &answer["news"]), (200, &json!(100)), "{answer}");
    }
    let (status, refused) = with_token(&server, &pipeline, BATCH, &loops(10, "search"));
    assert_eq!((status, &refused["code"]), (429, &json!("told_too_much")), "{refused}");
    assert_eq!(house.ask("SELECT count(*) FROM sightings"), "1000", "all or nothing");
    // Nobody reads what a pipeline is answered, so it stands where others look.
    let refused_at = |token: &Value| token["refused_at"].is_string();
    let (_, all) = server.get(&ada, "/api/v1/tokens?all=true");
    let refused: Vec<&Value> = all["tokens"].as_array().unwrap().iter().filter(|token| refused_at(token)).collect();
    assert_eq!((refused.len(), &refused[0]["scope"]), (1, &json!("gate")), "{all}");
    let (_, own) = server.get(&mary, "/api/v1/tokens");
    assert!(own["tokens"].as_array().unwrap().iter().any(refused_at) && own["told"].is_null(), "{own}");
    assert_eq!(counted(&server, "wardroom_changes_refused_total"), 1);
    let (status, _) = with_token(&server, &pipeline, BATCH, &loops(9, "search"));
    assert_eq!(status, 200, "what is known is heard again");
    // Somebody else is heard, by an incident that is opened in the middle of it too.
    tell(&server, &robin, &event("v12", "search", "robin"));
    let n = declare(&server, &mary, false);
    let all = heard(&server, &mary, n, 251);
    assert!(all.iter().any(|one| one["what"] == "deploy v12"));
    tell(&server, &robin, &event("v13", "search", "robin"));
    assert_eq!(heard(&server, &mary, n, 252)[251]["what"], json!("deploy v13"));
}

/// A batch as large as one may be was more than a teller had for an hour, however long they waited.
fn a_change_of_many_services_counts_once(house: House) {
    let (house, [mary, _, _, pipeline]) = knowing(house);
    let server = house.serve();
    let services: Vec<String> = (1..20).map(|n| format!("service-{n}")).chain(["search".to_owned()]).collect();
    let wide = |round: u32| -> Value {
        let one = |n: u32| {
            let mut event = event(&format!("wide-{round}-{n}"), "search", "a robot");
            event["data"]["services"] = json!(services);
            event["data"].as_object_mut().unwrap().remove("service");
            event
        };
        (0..100).map(one).collect()
    };
    for round in 0..10 {
        let (status, answer) = with_token(&server, &pipeline, BATCH, &wide(round));
        assert_eq!((status, &answer["heard"], &answer["news"]), (200, &json!(100), &json!(2_000)), "{answer}");
    }
    // Whatever it is of, one more is one too many; and what is known is not counted twice.
    let (status, refused) = with_token(&server, &pipeline, EVENT, &event("v12", "search", "robin"));
    assert_eq!((status, &refused["code"]), (429, &json!("told_too_much")), "{refused}");
    assert_eq!(with_token(&server, &pipeline, BATCH, &wide(0)).0, 200);
    let another = house.token("mary", "gate");
    tell(&server, &another, &event("v12", "search", "robin"));
    let n = declare(&server, &mary, false);
    assert_eq!(heard(&server, &mary, n, 251).len(), 251);
}

fn what_is_kept_is_bounded_and_the_noisiest_go_first(house: House) {
    let (house, [mary, _, _, pipeline]) = knowing(house);
    let ada = house.admin("ada");
    let server = house.serve();
    tell(&server, &pipeline, &event("v11", "search", "robin"));
    let at = (Timestamp::now() - jiff::SignedDuration::from_hours(24)).as_microsecond();
    let rows = match house.is_postgres() {
        true => "SELECT md5(n::text)::uuid, 'noise', 3, {at}, {at}, '{}', 'loop' FROM generate_series(1, 50000) AS n",
        false => {
            "WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 50000)
             SELECT printf('00000000-0000-0000-0000-%012x', n), 'noise', 3, {at}, {at}, '{}', 'loop' FROM many"
        }
    };
    let rows = rows.replace("{at}", &at.to_string());
    house.tamper(&format!("INSERT INTO sightings (key, service, stage, at, received, body, teller) {rows}"));
    tell(&server, &pipeline, &event("v12", "search", "robin"));
    assert_eq!(house.ask("SELECT count(*) FROM sightings"), "50000");
    assert_eq!(counted(&server, "wardroom_changes_forgotten_total"), 2);
    let (_, all) = server.get(&ada, "/api/v1/tokens?all=true");
    assert!(all["told"]["forgotten_at"].is_string(), "{all}");
    assert_eq!(house.ask("SELECT count(*) FROM sightings WHERE service = 'search'"), "2");
    let n = declare(&server, &mary, false);
    heard(&server, &mary, n, 2);
}

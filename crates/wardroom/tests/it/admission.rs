//! A Kubernetes cluster asks at the gate, with the reviews that clusters have sent.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as STANDARD;
use serde_json::{Value, json};
use ureq::Agent;

use crate::house::{House, Server, agent};
use crate::tls::{Authority, Secure, furnished};
use crate::{on_both, wait};

on_both!(
    a_cluster_is_told_who_may_change_what_belongs_to_a_service,
    what_is_no_review_or_brings_no_gates_token_is_told_so,
    over_tls_a_cluster_trusts_what_its_manifest_says_and_nothing_else,
    an_object_belongs_to_a_service_by_the_labels_that_it_gets_loses_and_selects,
    no_change_escapes_by_other_labels,
    slow_uploads_keep_no_cluster_waiting,
    slow_reviews_keep_no_cluster_waiting,
);

pub fn recorded(name: &str) -> Vec<u8> {
    let reviews = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wardroom-server/src/admission/reviews");
    std::fs::read(reviews.join(name)).unwrap()
}

/// As a cluster asks, whose configuration can carry an address and nothing beside it.
pub fn asked(server: &Server, token: &str, review: &[u8]) -> (u16, Value) {
    let mut answer = agent()
        .post(format!("{}/api/v1/admission/{token}?timeout=5s", server.url))
        .header("content-type", "application/json")
        .send(review)
        .unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

fn allowed(server: &Server, token: &str, name: &str) -> (bool, Value) {
    let review = recorded(name);
    let (status, answer) = asked(server, token, &review);
    assert_eq!(status, 200, "{name}: {answer}");
    let sent: Value = serde_json::from_slice(&review).unwrap();
    assert_eq!(answer["response"]["uid"], sent["request"]["uid"], "{name}");
    assert_eq!((&answer["apiVersion"], &answer["kind"]), (&json!("admission.k8s.io/v1"), &json!("AdmissionReview")));
    (answer["response"]["allowed"].as_bool().unwrap(), answer["response"].clone())
}

fn a_cluster_is_told_who_may_change_what_belongs_to_a_service(house: House) {
    let mary = house.person("mary");
    house.run(&["person", "add", "sabrina", "--name", "Sabrina", "--email", "sabrina@example.org"]);
    let sabrina = house.token("sabrina", "respond");
    house.run(&["service", "set", "search"]);
    house.run(&["service", "match", "search", "--namespace", "production", "--name", "search-*"]);
    let cluster = house.token("mary", "gate");
    let server = house.serve_in(&[("WARDROOM_PUBLIC_URL", "https://wardroom.example.org")]);
    assert!(allowed(&server, &cluster, "update.json").0, "no incident is active");
    let declared = json!({ "title": "Search is failing", "services": ["search"] });
    let n = server.post(&mary, "/api/v1/incidents", declared).1["incident"].as_u64().unwrap();
    // A new gate observes: it is let through, and whoever did it is told what would have been said.
    let (lets, said) = allowed(&server, &cluster, "update.json");
    let warned: Vec<&str> = said["warnings"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let words = warned.join(" ");
    assert!(
        lets && words.starts_with("Allowed. It would have been denied: Incident #1 is active on search."),
        "{said}"
    );
    assert!(words.contains("the operations lead is Mary. Ask in"), "{said}");
    assert!(warned.iter().all(|piece| piece.chars().count() <= 120), "{said}");
    house.run(&["service", "gate", "search", "--enforce", "sev2"]);
    wait::until("the server knows that it enforces", || (!allowed(&server, &cluster, "dry-run.json").0).then_some(()));
    for name in ["create.json", "update.json", "delete.json", "dry-run.json", "scale.json", "exec.json"] {
        let (lets, said) = allowed(&server, &cluster, name);
        assert!(!lets, "{name}: {said}");
        assert_eq!((&said["status"]["code"], &said["status"]["reason"]), (&json!(403), &json!("Forbidden")), "{name}");
        let message = said["status"]["message"].as_str().unwrap();
        assert!(
            message.starts_with("Incident #1 is active on search.") && message.contains("the operations lead is Mary")
        );
        assert!(message.ends_with("https://wardroom.example.org/incidents/1?permission=search"), "{message}");
    }
    assert!(!allowed(&server, &cluster, "namespace.json").0, "with a namespace goes what is in it");
    assert!(allowed(&server, &cluster, "controller.json").0, "the cluster's own are not held up");
    // Operations come through, and stand in the ledger as what was done; a dry run leaves no trace.
    server.done(&sabrina, n, json!({ "command": "join" }));
    server.done(&mary, n, json!({ "command": "add_member", "role": "operations", "person": "sabrina" }));
    let changes =
        || server.get(&mary, &format!("/api/v1/incidents/{n}/changes")).1["changes"].as_array().unwrap().clone();
    assert!(allowed(&server, &cluster, "dry-run.json").0);
    assert_eq!(changes(), [] as [Value; 0]);
    assert!(allowed(&server, &cluster, "update.json").0 && allowed(&server, &cluster, "update.json").0);
    let all = changes();
    assert_eq!(
        (all.len(), &all[0]["what"], &all[0]["state"], &all[0]["through"], &all[0]["by"]["name"]),
        (
            1,
            &json!("update Deployment production/search-api"),
            &json!("done"),
            &json!("the cluster"),
            &json!("Sabrina")
        )
    );
}

/// A recorded review with something else in it.
fn changed(name: &str, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut review: Value = serde_json::from_slice(&recorded(name)).unwrap();
    change(&mut review["request"]);
    review.to_string().into_bytes()
}

fn an_object_belongs_to_a_service_by_the_labels_that_it_gets_loses_and_selects(house: House) {
    let mary = house.person("mary");
    house.run(&["service", "set", "search"]);
    house.run(&["service", "match", "search", "--label", "tier=backend"]);
    house.run(&["service", "gate", "search", "--enforce"]);
    let cluster = house.token("mary", "gate");
    let server = house.serve();
    server.post(&mary, "/api/v1/incidents", json!({ "title": "Search is failing", "services": ["search"] }));
    let lets = |review: &[u8]| {
        let (status, answer) = asked(&server, &cluster, review);
        assert_eq!(status, 200, "{answer}");
        answer["response"]["allowed"].as_bool().unwrap()
    };
    // Each of these names is taken from where it stands in what a cluster sends.
    let label = |object: &'static str, value: &'static str| {
        move |request: &mut Value| {
            for each in ["object", "oldObject"] {
                request[each]["metadata"]["labels"] = json!({ "tier": if each == object { value } else { "other" } });
            }
        }
    };
    assert!(lets(&changed("update.json", label("object", "other"))), "it never was of search");
    assert!(!lets(&changed("update.json", label("object", "backend"))), "it becomes one of search's");
    assert!(!lets(&changed("update.json", label("oldObject", "backend"))), "it was one of search's");
    // A scale has no labels; it says what it makes more or fewer of.
    let selects = |selector: &'static str| {
        move |request: &mut Value| {
            for each in ["object", "oldObject"] {
                request[each]["status"]["selector"] = json!(selector);
            }
        }
    };
    assert!(!lets(&changed("scale.json", selects("app=search,tier=backend"))), "by what it selects");
    assert!(lets(&changed("scale.json", selects("app=search,tier=frontend"))));
}

/// What an object carried counts beside what it is to carry, when it is changed and when it is removed.
fn no_change_escapes_by_other_labels(house: House) {
    let mary = house.person("mary");
    for (service, label) in [("search", "tier=backend"), ("web", "tier=frontend")] {
        house.run(&["service", "set", service]);
        house.run(&["service", "match", service, "--name", "search-*", "--label", "app=search", "--label", label]);
    }
    house.run(&["service", "gate", "search", "--enforce"]);
    let cluster = house.token("mary", "gate");
    let server = house.serve();
    server.post(&mary, "/api/v1/incidents", json!({ "title": "Search is failing", "services": ["search"] }));
    let lets = |name: &str, now: Value, before: Value| {
        let review = changed(name, |request| {
            for (each, labels) in [("object", now), ("oldObject", before)] {
                if request[each].is_object() {
                    request[each]["metadata"]["labels"] = labels;
                }
            }
        });
        let (status, answer) = asked(&server, &cluster, &review);
        assert_eq!(status, 200, "{answer}");
        answer["response"]["allowed"].as_bool().unwrap()
    };
    let (search, web) = (json!({ "app": "search", "tier": "backend" }), json!({ "app": "search", "tier": "frontend" }));
    let rest = [json!({ "app": "search" }), json!({ "tier": "backend" }), json!({}), Value::Null, web.clone()];
    for left in rest {
        assert!(!lets("update.json", left.clone(), search.clone()), "it was search's before it carried {left}");
        assert!(!lets("update.json", search.clone(), left.clone()), "it becomes search's after it carried {left}");
    }
    assert!(lets("update.json", web.clone(), web.clone()), "it was and is the web's");
    // Half of what is asked before and the other half after is never all of it.
    assert!(lets("update.json", json!({ "app": "search" }), json!({ "tier": "backend" })));
    assert!(!lets("delete.json", Value::Null, search), "it is removed as what it was");
    assert!(lets("delete.json", Value::Null, web));
}

/// Begins to send so many bytes, and sends no more of them.
fn begun(server: &Server, token: &str, path: &str, bytes: usize) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: wardroom\r\nauthorization: Bearer {token}\r\n\
         content-type: application/octet-stream\r\ncontent-length: {bytes}\r\n\r\nslowly"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

fn slow_uploads_keep_no_cluster_waiting(house: House) {
    let mary = house.person("mary");
    let cluster = house.token("mary", "gate");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let path = |k: usize| {
        let request = uuid::Uuid::from_u128(k as u128 + 1);
        format!("/api/v1/incidents/{n}/evidence?name=slow&request_id={request}")
    };
    // Six have room, and from the seventh on they wait for it, and so does whoever comes after with however little.
    let slow: Vec<TcpStream> = (0..7).map(|k| begun(&server, &mary, &path(k), 10 << 20)).collect();
    let small = || {
        let upload = within(Duration::from_millis(500))
            .post(format!("{}{}", server.url, path(7)))
            .header("authorization", format!("Bearer {mary}"));
        upload.send(&b"small"[..])
    };
    wait::until("what is small waits behind them", || small().is_err().then_some(()));
    answered_in_time(&server, &cluster);
    drop(slow);
}

/// What a cluster waits for no longer than this is let through unseen.
fn answered_in_time(server: &Server, cluster: &str) {
    let answered = within(Duration::from_secs(5))
        .post(format!("{}/api/v1/admission/{cluster}", server.url))
        .header("content-type", "application/json")
        .send(recorded("create.json"))
        .expect("a cluster waits for no longer");
    assert_eq!(answered.status().as_u16(), 200);
}

fn within(patience: Duration) -> Agent {
    Agent::config_builder().http_status_as_error(false).timeout_global(Some(patience)).build().new_agent()
}

/// By the same token: it can be read by many who see the cluster's configuration.
fn slow_reviews_keep_no_cluster_waiting(house: House) {
    house.person("mary");
    let cluster = house.token("mary", "gate");
    let server = house.serve();
    let slow: Vec<TcpStream> = (0..40).map(|_| begun(&server, &cluster, "/api/v1/admission", 3 << 20)).collect();
    (0..3).for_each(|_| answered_in_time(&server, &cluster));
    for mut stream in slow {
        // Shorter than the server's patience with a body, which would end it too.
        stream.set_read_timeout(Some(Duration::from_secs(25))).unwrap();
        let mut begins = [0; 12];
        stream.read_exact(&mut begins).expect("who is too slow is told so");
        assert_eq!(&begins, b"HTTP/1.1 408");
    }
}

fn what_is_no_review_or_brings_no_gates_token_is_told_so(house: House) {
    let mary = house.person("mary");
    let cluster = house.token("mary", "gate");
    let server = house.serve();
    let review = recorded("create.json");
    for (token, status, code) in [("wr_0", 401, "not_signed_in"), (mary.as_str(), 403, "token_scope")] {
        let (got, no) = asked(&server, token, &review);
        assert_eq!((got, &no["code"]), (status, &json!(code)), "{no}");
    }
    let (status, no) = asked(&server, &cluster, &recorded("older-version.json"));
    assert_eq!((status, &no["code"]), (400, &json!("malformed")));
    assert!(no["detail"].as_str().unwrap().contains("AdmissionReview of admission.k8s.io/v1"), "{no}");
    for broken in [&b"{"[..], b"[]", b"", &review[..review.len() / 2]] {
        assert_eq!(asked(&server, &cluster, broken).0, 400);
    }
    // Two objects, each as large as a cluster stores them.
    let filled = changed("update.json", |request| {
        for each in ["object", "oldObject"] {
            request[each]["data"] = json!({ "filled": "x".repeat(3 << 19) });
        }
    });
    assert_eq!(asked(&server, &cluster, &filled).0, 200);
    let large = [review, vec![b' '; 8 << 20]].concat();
    assert_eq!(asked(&server, &cluster, &large).0, 413);
    // In the header, too, where a cluster can be told to send one.
    let (status, answer) = server.send(&cluster, "/api/v1/admission", &recorded("create.json")).unwrap();
    assert_eq!((status, &answer["response"]["allowed"]), (200, &json!(true)), "nothing belongs to a service here");
}

/// What a cluster's API server sends over TLS, by a curl that knows one authority: the version of HTTP, the status, and the
/// answer.
fn sent(server: &Secure, ca: &Path, way: &str, token: &str, review: &[u8]) -> Result<(String, Value), String> {
    let path = format!("/api/v1/admission/{token}?timeout=5s");
    let mut curl = server.command(
        ca,
        &[
            way,
            "--no-fail",
            "--header",
            "content-type: application/json",
            "--data-binary",
            "@-",
            "-w",
            "\n%{http_version} %{http_code}",
            &path,
        ],
    );
    let mut curl = curl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Whoever is refused early may stop reading.
    let _ = curl.stdin.take().unwrap().write_all(review);
    let output = curl.wait_with_output().unwrap();
    let [out, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if !output.status.success() {
        return Err(errors);
    }
    let (body, ended) = out.rsplit_once('\n').unwrap();
    Ok((ended.to_owned(), serde_json::from_str(body).unwrap_or(Value::String(body.to_owned()))))
}

fn over_tls_a_cluster_trusts_what_its_manifest_says_and_nothing_else(house: House) {
    let (_authority, ca, mary) = furnished(&house);
    house.run(&["service", "set", "search"]);
    house.run(&["service", "match", "search", "--namespace", "production", "--name", "search-*"]);
    house.run(&["service", "gate", "search", "--enforce"]);
    let cluster = house.token("mary", "gate");
    let server = Secure::serve(&house, &ca);
    server.post(&ca, &mary, "/api/v1/incidents", json!({ "title": "Search is failing", "services": ["search"] }));
    // The manifest carries the authority as its caBundle: what is decoded from it is all that the cluster trusts.
    let bundle = STANDARD.encode(std::fs::read(&ca).unwrap());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/gate/kubernetes.yaml");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    let filled = manifest.replace("# caBundle: the PEM of its authority, in Base64", &format!("caBundle: {bundle}"));
    let said = filled.lines().find_map(|line| line.trim().strip_prefix("caBundle: ")).expect("it has a place for it");
    let trusted = house.folder().join("bundle.pem");
    std::fs::write(&trusted, STANDARD.decode(said).unwrap()).unwrap();
    let review = recorded("update.json");
    for (way, version) in [("--http2", "2"), ("--http1.1", "1.1")] {
        let (ended, denied) = sent(&server, &trusted, way, &cluster, &review).unwrap();
        assert_eq!(ended, format!("{version} 200"), "{denied}");
        assert_eq!(
            (&denied["response"]["allowed"], &denied["response"]["status"]["code"]),
            (&json!(false), &json!(403)),
            "{denied}"
        );
        let (_, exempt) = sent(&server, &trusted, way, &cluster, &recorded("controller.json")).unwrap();
        assert_eq!(exempt["response"]["allowed"], json!(true), "{exempt}");
        let (ended, no) = sent(&server, &trusted, way, &cluster, &recorded("older-version.json")).unwrap();
        assert_eq!((ended, &no["code"]), (format!("{version} 400"), &json!("malformed")), "{no}");
        let large = [&review[..], &vec![b' '; 8 << 20]].concat();
        let (ended, no) = sent(&server, &trusted, way, &cluster, &large).unwrap();
        assert_eq!(ended, format!("{version} 413"), "{no}");
        assert!(no["detail"].as_str().unwrap().contains("too large"), "{no}");
        let (ended, no) = sent(&server, &trusted, way, "wr_0", &review).unwrap();
        assert_eq!((ended, &no["code"]), (format!("{version} 401"), &json!("not_signed_in")));
    }
    // By another authority's word it is nobody: nothing is sent, and the webhook's failurePolicy settles it.
    let other = Authority::new().file(house.folder().join("other.pem"));
    assert!(sent(&server, &other, "--http2", &cluster, &review).is_err());
}

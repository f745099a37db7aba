//! A Kubernetes cluster asks at the gate, with the reviews that clusters have sent.

use std::path::Path;

use serde_json::{Value, json};

use crate::house::{House, Server, agent};
use crate::{on_both, wait};

on_both!(
    a_cluster_is_told_who_may_change_what_belongs_to_a_service,
    what_is_no_review_or_brings_no_gates_token_is_told_so,
);

fn recorded(name: &str) -> Vec<u8> {
    let reviews = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wardroom-server/src/admission/reviews");
    std::fs::read(reviews.join(name)).unwrap()
}

/// As a cluster asks, whose configuration can carry an address and nothing beside it.
fn asked(server: &Server, token: &str, review: &[u8]) -> (u16, Value) {
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
    assert!(
        lets && said["warnings"][0].as_str().unwrap().starts_with("Allowed: the gate of search only observes."),
        "{said}"
    );
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
    assert!(allowed(&server, &cluster, "controller.json").0, "the cluster's own are not held up");
    assert!(allowed(&server, &cluster, "namespace.json").0, "it belongs to no service");
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
    let large = [review, vec![b' '; 4 << 20]].concat();
    assert_eq!(asked(&server, &cluster, &large).0, 413);
    // In the header, too, where a cluster can be told to send one.
    let (status, answer) = server.send(&cluster, "/api/v1/admission", &recorded("create.json")).unwrap();
    assert_eq!((status, &answer["response"]["allowed"]), (200, &json!(true)), "nothing belongs to a service here");
}

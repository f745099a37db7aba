//! What a Kubernetes cluster asks, and what it is answered.

use serde_json::{Value, json};
use wardroom_server::admission::answer::{MESSAGE_MAX, Verdict, WARNING_MAX, WARNINGS_MAX, write};
use wardroom_server::admission::exempt::Exempt;
use wardroom_server::admission::{MANY_MAX, NAME_MAX, Review, USER_MAX, read};

use super::{Breaks, bounded, can_be_shown};

/// The longest line and the longest refusal, in characters.
const LINE_MAX: usize = 200;
const REFUSAL_MAX: usize = 240;

/// A review: bounded, and the same when no more is sent than what was read of it; whatever it says, its answer repeats its
/// uid and fits into what a cluster passes on.
pub fn review(bytes: &[u8]) {
    let review = match read(bytes) {
        Ok(review) => review,
        Err(why) => {
            let sentence = why.to_string();
            can_be_shown(&sentence);
            return bounded(&sentence, REFUSAL_MAX, Breaks::Refused);
        }
    };
    let tree: Value = serde_json::from_slice(bytes).unwrap_or_default();
    assert!(tree.is_null() || tree["apiVersion"] == "admission.k8s.io/v1", "another version was read");
    bounded(review.what().as_str(), LINE_MAX, Breaks::Refused);
    let Review { uid, user, namespace, kind, name, sub_resource, labels, old_labels, selected, .. } = &review;
    let names = [uid, name, &kind.group, &kind.version, &kind.kind];
    assert!(names.into_iter().chain(namespace).chain(sub_resource).all(|name| name.len() <= NAME_MAX));
    assert!(user.groups.iter().chain([&user.name]).all(|name| name.len() <= USER_MAX));
    assert!(user.groups.len() <= MANY_MAX && !user.name.is_empty() && !uid.is_empty());
    for labels in [labels, old_labels, selected] {
        assert!(labels.len() <= MANY_MAX && labels.iter().all(|(name, value)| name.len().max(value.len()) <= NAME_MAX));
    }
    assert_eq!(read(written(&review).to_string().as_bytes()).as_ref(), Ok(&review));
    if Exempt::default().covers(user) {
        assert!(user.name.starts_with("system:") || user.groups.iter().any(|group| group == "system:nodes"));
    }
    is_answered(&review);
}

/// The review with nothing in it but what was read.
fn written(review: &Review) -> Value {
    let Review { uid, dry_run, user, namespace, kind, name, sub_resource, labels, old_labels, selected, .. } = review;
    let operation = match review.operation.word() {
        "connect to" => "CONNECT".to_owned(),
        word => word.to_uppercase(),
    };
    let selector: Vec<String> = selected.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let status = json!({"selector": selector.join(",")});
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": uid, "operation": operation, "dryRun": dry_run, "namespace": namespace, "name": name,
            "userInfo": {"username": user.name, "groups": user.groups}, "subResource": sub_resource,
            "kind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
            "object": {"metadata": {"labels": labels}, "status": status},
            "oldObject": {"metadata": {"labels": old_labels}},
        },
    })
}

fn is_answered(review: &Review) {
    let verdicts = [Verdict::Allowed, Verdict::Denied(&review.name), Verdict::Undecided(&review.user.name)];
    for verdict in verdicts {
        let warnings: Vec<&str> = review.labels.values().map(String::as_str).collect();
        let answer: Value = serde_json::from_slice(&write(&review.uid, verdict, &warnings)).expect("an answer is JSON");
        let response = &answer["response"];
        assert_eq!(response["uid"], json!(review.uid));
        assert_eq!(response["allowed"], json!(verdict == Verdict::Allowed));
        assert_eq!(response["status"].is_object(), verdict != Verdict::Allowed);
        if let Some(message) = response["status"]["message"].as_str() {
            bounded(message, MESSAGE_MAX, Breaks::Refused);
        }
        let warnings = response["warnings"].as_array().map(Vec::as_slice).unwrap_or_default();
        assert!(warnings.len() <= WARNINGS_MAX);
        warnings.iter().for_each(|line| bounded(line.as_str().expect("a text"), WARNING_MAX, Breaks::Refused));
    }
}

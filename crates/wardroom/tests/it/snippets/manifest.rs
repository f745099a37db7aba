//! The manifest by which a cluster asks: what it asks about, and that it lets the cluster live.

use std::path::Path;

use serde_json::Value;

use super::{read, words};
use crate::admission::recorded;

/// Whether a cluster with this manifest asks about it.
fn asks(manifest: &Value, (group, resource, operation): (&str, &str, &str)) -> bool {
    let rules = manifest["webhooks"][0]["rules"].as_array().unwrap();
    let scope = if resource.starts_with("namespaces") { "Cluster" } else { "Namespaced" };
    rules.iter().any(|rule| {
        let has = |field: &str, what: &str| words(&rule[field]).iter().any(|one| one == what);
        has("apiGroups", group) && has("resources", resource) && has("operations", operation) && rule["scope"] == scope
    })
}

#[test]
fn a_cluster_asks_about_each_way_to_change_a_service() {
    let manifest = read("kubernetes.yaml");
    let reviews = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wardroom-server/src/admission/reviews");
    for entry in std::fs::read_dir(reviews).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let review: Value = serde_json::from_slice(&recorded(&name)).unwrap();
        let (request, of) = (&review["request"], &review["request"]["resource"]);
        let part = request["subResource"].as_str().map(|part| format!("/{part}")).unwrap_or_default();
        let resource = format!("{}{part}", of["resource"].as_str().unwrap());
        let asked = (of["group"].as_str().unwrap(), resource.as_str(), request["operation"].as_str().unwrap());
        assert!(asks(&manifest, asked), "{name}: {asked:?}");
    }
    for asked in [
        ("", "pods", "CREATE"),
        ("", "pods", "DELETE"),
        ("", "pods/attach", "CONNECT"),
        ("", "pods/ephemeralcontainers", "UPDATE"),
        ("", "pods/eviction", "CREATE"),
        ("", "persistentvolumeclaims", "DELETE"),
        ("apps", "replicasets", "UPDATE"),
        ("apps", "replicasets/scale", "UPDATE"),
        ("policy", "poddisruptionbudgets", "DELETE"),
    ] {
        assert!(asks(&manifest, asked), "{asked:?}");
    }
    // What is asked about is sent whole, and what changes all the time is no change of anybody's.
    for not in [
        ("", "secrets", "UPDATE"),
        ("", "pods/status", "UPDATE"),
        ("", "namespaces", "CREATE"),
        ("", "events", "CREATE"),
    ] {
        assert!(!asks(&manifest, not), "{not:?}");
    }
}

/// A gate that is away must not take the cluster with it.
#[test]
fn the_clusters_manifest_lets_the_cluster_live() {
    let manifest = read("kubernetes.yaml");
    assert_eq!(manifest["kind"], "ValidatingWebhookConfiguration");
    let webhook = &manifest["webhooks"][0];
    for (field, value) in [("failurePolicy", "Ignore"), ("sideEffects", "NoneOnDryRun"), ("matchPolicy", "Equivalent")]
    {
        assert_eq!(webhook[field], value);
    }
    assert_eq!(webhook["timeoutSeconds"], 5);
    assert_eq!(webhook["admissionReviewVersions"], serde_json::json!(["v1"]));
    let spaces = words(&webhook["namespaceSelector"]["matchExpressions"][0]["values"]);
    assert!(spaces.contains(&"kube-system".to_owned()) && spaces.contains(&"wardroom".to_owned()));
    // Whom the server lets through unasked, the cluster does not even ask about: pods are made while Wardroom is away.
    let conditions = webhook["matchConditions"].as_array().unwrap().iter();
    let conditions: String = conditions.map(|one| one["expression"].as_str().unwrap()).collect();
    for unasked in [
        "system:node:",
        "system:nodes",
        "system:serviceaccount:kube-system:",
        "system:kube-controller-manager",
        "system:kube-scheduler",
        "system:apiserver",
    ] {
        assert!(conditions.contains(&format!("\"{unasked}\"")), "{unasked}");
    }
    assert_eq!(conditions.matches("\"system:").count(), 6, "and nobody else: {conditions}");
}

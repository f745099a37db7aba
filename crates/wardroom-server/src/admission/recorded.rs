//! Reviews as clusters send them, read; and what is none, refused.

use serde_json::{Value, json};
use wardroom_core::matching::Matching;

use super::exempt::Exempt;
use super::*;

macro_rules! recorded {
    ($name:literal) => {
        include_str!(concat!("reviews/", $name, ".json"))
    };
}

fn review(recorded: &str) -> Review {
    read(recorded.as_bytes()).unwrap_or_else(|why| panic!("{why}"))
}

fn labels(given: &[(&str, &str)]) -> BTreeMap<String, String> {
    given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The review of a created deployment, with something else in it.
fn changed(change: impl FnOnce(&mut Value)) -> Result<Review, Unread> {
    let mut tree: Value = serde_json::from_str(recorded!("create")).unwrap();
    change(&mut tree);
    read(tree.to_string().as_bytes())
}

#[test]
fn a_deployment_that_is_made() {
    let read = review(recorded!("create"));
    let expected = Review {
        uid: "705ab4f5-6393-11e8-b7cc-42010a800002".to_owned(),
        operation: Operation::Create,
        dry_run: false,
        user: User {
            name: "sabrina@example.org".to_owned(),
            groups: vec!["search-sre".to_owned(), "system:authenticated".to_owned()],
        },
        namespace: Some("production".to_owned()),
        kind: Kind { group: "apps".to_owned(), version: "v1".to_owned(), kind: "Deployment".to_owned() },
        name: "search-api".to_owned(),
        sub_resource: None,
        labels: labels(&[("app", "search"), ("app.kubernetes.io/name", "search"), ("tier", "backend")]),
        old_labels: BTreeMap::new(),
        selected: BTreeMap::new(),
    };
    assert_eq!(read, expected);
    assert_eq!(read.what().as_str(), "create Deployment production/search-api");
    assert!(!Exempt::default().covers(&read.user));
}

/// Whoever takes a label off a deployment changes the one that carried it.
#[test]
fn a_deployment_that_is_changed_is_known_by_what_it_was_and_by_what_it_will_be() {
    let read = review(recorded!("update"));
    assert_eq!(read.operation, Operation::Update);
    assert!(!read.labels.contains_key("app") && read.old_labels.contains_key("app"));
    let rules: Matching = serde_json::from_value(json!({"labels": ["app=search"]})).unwrap();
    assert!(read.seen().iter().any(|object| rules.fits(object)));
    let other: Matching = serde_json::from_value(json!({"labels": ["app=web"]})).unwrap();
    assert!(!read.seen().iter().any(|object| other.fits(object)));
}

#[test]
fn a_dry_run_says_that_it_is_one() {
    assert!(review(recorded!("dry-run")).dry_run);
    assert!(!review(recorded!("update")).dry_run);
    assert_eq!(changed(|tree| tree["request"]["dryRun"] = Value::Null).map(|review| review.dry_run), Ok(false));
}

#[test]
fn a_deployment_that_is_removed_is_known_by_what_it_was() {
    let read = review(recorded!("delete"));
    assert_eq!((read.operation, read.name.as_str()), (Operation::Delete, "search-api"));
    assert!(read.labels.is_empty() && read.old_labels["app"] == "search");
    let mut tree: Value = serde_json::from_str(recorded!("delete")).unwrap();
    tree["request"]["name"] = json!("");
    let many = super::read(tree.to_string().as_bytes()).unwrap();
    assert_eq!(many.name, "search-api", "one of many that are removed at once has its name in what it was");
    tree["request"]["oldObject"] = Value::Null;
    let all = super::read(tree.to_string().as_bytes()).unwrap();
    assert_eq!(all.what().as_str(), "delete Deployment production/(all)");
}

#[test]
fn a_scale_is_known_by_what_it_selects() {
    let read = review(recorded!("scale"));
    assert_eq!((read.sub_resource.as_deref(), read.name.as_str()), (Some("scale"), "search-api"));
    assert_eq!(read.selected, labels(&[("app", "search"), ("tier", "backend")]));
    assert_eq!(read.what().as_str(), "update Scale production/search-api (scale)");
    let rules: Matching = serde_json::from_value(json!({"labels": ["app=search"]})).unwrap();
    assert!(read.seen().iter().any(|object| rules.fits(object)));
}

#[test]
fn of_a_selector_plain_values_are_kept_and_what_is_no_selector_is_nobodys() {
    let with = |status: Value| {
        let mut tree: Value = serde_json::from_str(recorded!("scale")).unwrap();
        tree["request"]["object"]["status"] = status;
        tree["request"]["oldObject"] = Value::Null;
        super::read(tree.to_string().as_bytes()).expect("it is a review").selected
    };
    let mixed = json!({"selector": " app = search ,a==b,tier!=web,env in (prod,test),x,=,y=z w,empty="});
    assert_eq!(with(mixed), labels(&[("app", "search"), ("a", "b"), ("empty", "")]));
    for none in [json!({"selector": {"app": "search"}}), json!({}), json!(7), Value::Null] {
        assert!(with(none).is_empty());
    }
}

#[test]
fn the_clusters_own_controller_is_exempt() {
    let read = review(recorded!("controller"));
    assert_eq!(read.what().as_str(), "update ReplicaSet production/search-api-6d8f9c7b5d");
    assert!(Exempt::default().covers(&read.user));
    for asked in [recorded!("create"), recorded!("generated-name"), recorded!("exec"), recorded!("namespace")] {
        assert!(!Exempt::default().covers(&review(asked).user));
    }
}

#[test]
fn what_the_cluster_will_name_is_known_by_how_its_name_begins() {
    let read = review(recorded!("generated-name"));
    assert_eq!(read.name, "search-reindex-");
    let rules: Matching = serde_json::from_value(json!({"names": ["search-*"]})).unwrap();
    assert!(read.seen().iter().any(|object| rules.fits(object)));
}

#[test]
fn a_shell_in_a_pod_and_a_whole_namespace_are_asked_about_too() {
    let shell = review(recorded!("exec"));
    assert_eq!(shell.operation, Operation::Connect);
    assert_eq!(shell.what().as_str(), "connect to PodExecOptions production/search-api-6d8f9c7b5d-x7k2p (exec)");
    let space = review(recorded!("namespace"));
    assert_eq!(space.what().as_str(), "delete Namespace production");
    assert_eq!((space.gone(), shell.gone()), (Some("production"), None));
    let rules: Matching = serde_json::from_value(json!({"namespaces": ["production"]})).unwrap();
    assert!(space.seen().iter().any(|object| rules.fits(object)));
}

#[test]
fn another_version_is_said_to_be_one() {
    for other in [
        read(recorded!("older-version").as_bytes()),
        changed(|tree| tree["apiVersion"] = json!("admission.k8s.io/v2")),
        changed(|tree| tree["apiVersion"] = json!("admission.k8s.io/V1")),
        changed(|tree| tree["apiVersion"] = Value::Null),
        changed(|tree| tree["kind"] = json!("ConversionReview")),
        changed(|tree| *tree = json!({})),
        // A later form need not look like this one.
        changed(|tree| *tree = json!({"apiVersion": "admission.k8s.io/v2", "kind": "AdmissionReview", "request": 7})),
    ] {
        assert!(matches!(other, Err(Unread::OtherVersion(_))), "{other:?}");
    }
    let why = read(recorded!("older-version").as_bytes()).expect_err("it is older").to_string();
    assert!(why.starts_with("This is AdmissionReview of admission.k8s.io/v1beta1."), "{why}");
    let long = changed(|tree| tree["apiVersion"] = json!("\u{202E}é".repeat(10_000))).expect_err("it is no version");
    assert!(long.to_string().chars().count() < 240, "{long}");
}

#[test]
fn a_review_that_does_not_fit_is_refused() {
    let long = |max: usize| json!("x".repeat(max + 1));
    let refused =
        |change: &dyn Fn(&mut Value)| changed(|tree| change(&mut tree["request"])).expect_err("it does not fit");
    for (field, value) in [
        ("uid", json!("")),
        ("uid", long(NAME_MAX)),
        ("uid", Value::Null),
        ("operation", json!("PATCH")),
        ("operation", json!("create")),
        ("name", long(NAME_MAX)),
        ("namespace", long(NAME_MAX)),
        ("subResource", long(NAME_MAX)),
        ("userInfo", json!({"groups": []})),
        ("userInfo", json!({"username": ""})),
        ("userInfo", json!({"username": "x".repeat(USER_MAX + 1)})),
        ("userInfo", json!({"username": "x", "groups": ["x".repeat(USER_MAX + 1)]})),
        ("userInfo", json!({"username": "x", "groups": vec!["x"; MANY_MAX + 1]})),
        ("kind", json!({"group": "", "version": "v1", "kind": ""})),
        ("object", json!({"metadata": {"labels": {"a": 7}}})),
        ("object", json!({"metadata": {"labels": {"a": "x".repeat(NAME_MAX + 1)}}})),
    ] {
        let why = refused(&|request| request[field] = value.clone());
        assert!(matches!(why, Unread::Unfit(_) | Unread::Malformed(_)), "{field}: {why}");
        assert!(why.to_string().chars().count() < 240, "{why}");
    }
    assert!(matches!(changed(|tree| tree["request"] = Value::Null), Err(Unread::Unfit(_))));
    let many: BTreeMap<String, String> = (0..=MANY_MAX).map(|at| (at.to_string(), String::new())).collect();
    assert!(matches!(refused(&|request| request["object"]["metadata"]["labels"] = json!(many)), Unread::Malformed(_)));
}

/// Which of the two the cluster goes by is its own affair.
#[test]
fn a_review_says_each_thing_once() {
    for (once, twice) in [
        (r#""app": "search""#, r#""app": "web", "app": "search""#),
        (r#""operation": "CREATE""#, r#""operation": "CONNECT", "operation": "CREATE""#),
        (r#""apiVersion": "admission.k8s.io/v1""#, r#""apiVersion": "admission.k8s.io/v1", "apiVersion": "v2""#),
    ] {
        let text = recorded!("create").replacen(once, twice, 1);
        assert_ne!(text, recorded!("create"));
        assert!(matches!(read(text.as_bytes()), Err(Unread::Malformed(_))), "{twice}");
    }
}

#[test]
fn two_objects_as_large_as_a_cluster_takes_them_are_read() {
    let mut tree: Value = serde_json::from_str(recorded!("update")).unwrap();
    for each in ["object", "oldObject"] {
        let object = &mut tree["request"][each];
        object["data"] = json!({ "filled": "" });
        let left = OBJECT_MAX - object.to_string().len();
        object["data"]["filled"] = json!("x".repeat(left));
        assert_eq!(object.to_string().len(), OBJECT_MAX);
    }
    let review = read(tree.to_string().as_bytes()).unwrap();
    assert_eq!(review.what(), read(recorded!("update").as_bytes()).unwrap().what());
}

#[test]
fn a_review_is_bounded_in_size_and_depth() {
    let padded = |len: usize| format!("{}{}", recorded!("create"), " ".repeat(len - recorded!("create").len()));
    assert!(read(padded(REVIEW_MAX).as_bytes()).is_ok());
    assert_eq!(read(padded(REVIEW_MAX + 1).as_bytes()), Err(Unread::TooLarge));
    let nested = |levels: usize| {
        let nested = format!(r#""spec": {}{}, "status": {{"#, "[".repeat(levels), "]".repeat(levels));
        let text =
            recorded!("create").replacen(r#""status": {"#, &nested, 1).replacen(r#""spec": {"#, r#""was": {"#, 1);
        read(text.as_bytes())
    };
    // A review, its request, and its object.
    assert!(nested(DEPTH_MAX - 3).is_ok());
    assert_eq!(nested(DEPTH_MAX - 2), Err(Unread::TooDeep));
    assert_eq!(read("[".repeat(REVIEW_MAX).as_bytes()), Err(Unread::TooDeep));
    let brackets = changed(|tree| tree["request"]["object"]["x"] = json!("[{\\\"".repeat(1_000)));
    assert!(brackets.is_ok(), "brackets within a text are letters");
}

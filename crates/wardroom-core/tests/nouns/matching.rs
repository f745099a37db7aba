//! Which objects of a cluster belong to a service.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;
use wardroom_core::matching::{BadMatching, Label, Matching, Object, PATTERN_MAX, PATTERNS_MAX, Pattern};

fn pattern(given: &str) -> Pattern {
    given.parse().expect(given)
}

fn labels(given: &[(&str, &str)]) -> BTreeMap<String, String> {
    given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn matching(given: serde_json::Value) -> Result<Matching, serde_json::Error> {
    serde_json::from_value(given)
}

#[test]
fn a_pattern_stands_for_itself_or_for_many() {
    for (given, fits, does_not) in [
        ("search", &["search"][..], &["", "searc", "search-api", "Search"][..]),
        ("search-*", &["search-", "search-api"], &["search", "research-api"]),
        ("*-api", &["-api", "search-api"], &["search-apis", "api"]),
        ("*", &["", "anything"], &[]),
        ("**", &["", "anything"], &[]),
        ("a*a", &["aa", "aba", "a-a-a"], &["a", "ab", "ba"]),
        ("a*b*c", &["abc", "a-b-b-c", "axbxc"], &["acb", "ab", "bc", "ac"]),
        ("*a*b*", &["ab", "xaxbx", "bab"], &["ba", "a", "b"]),
        ("*ab*ab", &["abab", "ab-ab", "xababab"], &["ab", "xab"]),
    ] {
        let pattern = pattern(given);
        assert!(fits.iter().all(|text| pattern.fits(text)), "{given} fits {fits:?}");
        assert!(does_not.iter().all(|text| !pattern.fits(text)), "{given} does not fit {does_not:?}");
    }
}

#[test]
fn an_object_belongs_to_a_service_when_everything_that_is_asked_is_so() {
    let rules = json!({"names": ["search-*", "indexer"], "namespaces": ["prod*"], "labels": ["app=search*", "tier=*"]});
    let rules = matching(rules).expect("these are rules");
    let right = labels(&[("app", "search-api"), ("tier", ""), ("other", "x")]);
    let fits = |name, namespace, labels: &_| rules.fits(&Object { name, namespace, labels });
    assert!(fits("search-api", Some("production"), &right));
    assert!(fits("indexer", Some("prod"), &right));
    assert!(!fits("indexer-2", Some("prod"), &right), "another name");
    assert!(!fits("indexer", Some("staging"), &right), "another namespace");
    assert!(!fits("indexer", None, &right), "in no namespace");
    assert!(!fits("indexer", Some("prod"), &labels(&[("app", "search")])), "a label is not there");
    assert!(!fits("indexer", Some("prod"), &labels(&[("app", "x"), ("tier", "")])), "another value");
}

#[test]
fn what_is_not_asked_may_be_anything() {
    let none = BTreeMap::new();
    let names = matching(json!({"names": ["search"]})).unwrap();
    assert!(names.fits(&Object { name: "search", namespace: None, labels: &none }));
    let spaces = matching(json!({"namespaces": ["search"]})).unwrap();
    assert!(spaces.fits(&Object { name: "x", namespace: Some("search"), labels: &none }));
    let one_of_two = matching(json!({"labels": ["app=search", "app=indexer"]})).unwrap();
    assert!(one_of_two.fits(&Object { name: "x", namespace: None, labels: &labels(&[("app", "indexer")]) }));
    assert!(!one_of_two.fits(&Object { name: "x", namespace: None, labels: &labels(&[("app", "web")]) }));
}

/// Rules that ask nothing would make every object of the cluster one of the service's.
#[test]
fn rules_that_ask_nothing_or_too_much_are_none() {
    let refused = |given: serde_json::Value| matching(given).expect_err("these are no rules").to_string();
    assert_eq!(refused(json!({})), BadMatching::AsksNothing.to_string());
    assert_eq!(refused(json!({"names": [], "namespaces": [], "labels": []})), BadMatching::AsksNothing.to_string());
    let many = vec!["x"; PATTERNS_MAX + 1];
    assert_eq!(refused(json!({"names": many})), BadMatching::TooMany(PATTERNS_MAX + 1).to_string());
    assert!(matching(json!({"names": vec!["x"; PATTERNS_MAX]})).is_ok());
    assert!(refused(json!({"names": ["x"], "regex": [".*"]})).contains("unknown field `regex`"));
}

#[test]
fn a_pattern_is_short_and_plain() {
    assert_eq!("".parse::<Pattern>(), Err(BadMatching::Empty));
    assert_eq!("x".repeat(PATTERN_MAX + 1).parse::<Pattern>(), Err(BadMatching::TooLong(PATTERN_MAX + 1)));
    for given in ["a b", "a\n", "é", "\u{202E}"] {
        assert_eq!(given.parse::<Pattern>(), Err(BadMatching::Letters), "{given:?}");
    }
    for given in ["app", "=search", "app=", "a*=search", "*"] {
        assert_eq!(given.parse::<Label>(), Err(BadMatching::Label), "{given:?}");
    }
    let label: Label = "app.kubernetes.io/name=search=*".parse().unwrap();
    assert_eq!((label.name(), label.value().as_str()), ("app.kubernetes.io/name", "search=*"));
}

/// What stands in the log as it is has to be a plain text that never grows into words, however the label is called.
#[test]
fn rules_are_written_as_they_are_read() {
    let given = json!({"names": ["a*"], "labels": ["said=x", "seal=*"]});
    let rules = matching(given.clone()).unwrap();
    assert_eq!(serde_json::to_value(&rules).unwrap(), given);
    assert!(!wardroom_core::seal::holds_words(&given));
}

/// The meaning of a pattern, written down as plainly as can be and with no care for how long it takes.
fn means(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), None) => means(rest, text),
        (Some((b'*', rest)), Some((_, shorter))) => means(rest, text) || means(pattern, shorter),
        (Some((one, rest)), Some((other, shorter))) => one == other && means(rest, shorter),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pattern_means_what_it_says(given in "[ab*]{1,8}", text in "[ab]{0,8}") {
        prop_assert_eq!(pattern(&given).fits(&text), means(given.as_bytes(), text.as_bytes()));
    }
}

/// A pattern that is tried again from every place would be looked at for as long as the cluster waits.
#[test]
fn many_stars_take_no_more_time_than_one() {
    let given = pattern(&format!("{}b*", "a*".repeat(PATTERN_MAX / 2 - 1)));
    let text = "a".repeat(1_000_000);
    assert!(!given.fits(&text));
    assert!(given.fits(&format!("{text}b")));
}

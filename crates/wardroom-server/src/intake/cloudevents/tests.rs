//! CloudEvents, heard and not heard.

use serde_json::json;
use wardroom_core::text::Line;

use super::*;
use crate::intake::{Stage, Told};

const STRUCTURED: &str = "application/cloudevents+json";
const BATCHED: &str = "application/cloudevents-batch+json; charset=UTF-8";

fn event() -> Value {
    json!({
        "specversion": "1.0", "id": "build-812", "source": "https://ci.example.org/search", "type": "org.example.deployed",
        "time": "2026-11-28T02:58:00Z",
        "data": {"service": "search", "what": "deploy v12", "who": "sabrina@example.org", "link": "https://ci.example.org/812"},
    })
}

fn with(changed: &Value) -> Value {
    let mut event = event();
    for (name, value) in changed.as_object().expect("an object") {
        event[name] = value.clone();
    }
    event
}

fn posted(sort: &str, body: &Value) -> Result<Vec<Heard>, Unheard> {
    heard(&Posted { content_type: Some(sort), headers: &[], body: body.to_string().as_bytes() })
}

fn one(body: &Value) -> Result<Told, Unheard> {
    posted(STRUCTURED, body).map(|heard| match <[Heard; 1]>::try_from(heard) {
        Ok([Heard::Change(told)]) => *told,
        other => panic!("{other:?} is not one change"),
    })
}

fn in_headers(sort: Option<&str>, headers: &[(&str, &str)], body: &str) -> Result<Vec<Heard>, Unheard> {
    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    heard(&Posted { content_type: sort, headers: &headers, body: body.as_bytes() })
}

const HEADERS: [(&str, &str); 5] = [
    ("ce-specversion", "1.0"),
    ("CE-Id", "build%20812"),
    ("ce-source", "/ci/%E2%82%AC"),
    ("ce-type", "org.example.deployed"),
    ("content-length", "7"),
];
const DATA: &str = r#"{"service":"search","what":"deploy v12"}"#;

#[test]
fn an_event_in_the_body_is_told() {
    let told = one(&event()).expect("it is an event");
    assert_eq!(
        told,
        Told {
            source: "https://ci.example.org/search".to_owned(),
            id: "build-812".to_owned(),
            stage: Stage::Done,
            services: vec!["search".parse().unwrap()],
            what: "deploy v12".parse().unwrap(),
            who: Some("sabrina@example.org".parse().unwrap()),
            at: Some("2026-11-28T02:58:00Z".parse().unwrap()),
            link: Some("https://ci.example.org/812".to_owned()),
            environment: None,
        }
    );
    for sort in ["Application/CloudEvents+JSON; charset=utf-8", "application/cloudevents+json;charset=\"UTF-8\""] {
        assert_eq!(posted(sort, &event()), posted(STRUCTURED, &event()), "{sort}");
    }
}

#[test]
fn an_event_in_the_headers_is_the_same_event() {
    let heard = in_headers(Some("application/json; charset=utf-8"), &HEADERS, DATA).expect("it is an event");
    let id = json!({"id": "build 812", "source": "/ci/€", "time": null, "data": serde_json::from_str::<Value>(DATA).unwrap()});
    assert_eq!(heard, posted(STRUCTURED, &with(&id)).unwrap());
}

/// The specification has whoever reads an event leave alone what others have added to it.
#[test]
fn extensions_and_attributes_that_are_null_are_as_if_they_were_not_there() {
    let more =
        json!({"traceparent": "00-ab", "sequence": 7, "subject": null, "dataschema": null, "datacontenttype": null});
    assert_eq!(one(&with(&more)), one(&event()));
    let mut headers = HEADERS.to_vec();
    headers.extend([("ce-traceparent", "%zz"), ("ce-subject", "search")]);
    assert_eq!(
        in_headers(Some("application/json"), &headers, DATA),
        in_headers(Some("application/json"), &HEADERS, DATA)
    );
}

#[test]
fn what_an_event_has_to_have_is_asked_for_by_name() {
    for (attribute, wrong) in [
        ("specversion", json!("0.3")),
        ("specversion", json!(1.0)),
        ("id", json!("")),
        ("id", json!("x".repeat(ID_MAX + 1))),
        ("source", json!("a\u{202E}b")),
        ("type", json!(7)),
        ("time", json!("yesterday")),
    ] {
        let why = one(&with(&json!({attribute: wrong}))).expect_err(attribute);
        assert!(matches!(&why, Unheard::Unfit(said) if said.contains(attribute)), "{attribute}: {why}");
    }
    for attribute in ["specversion", "id", "source", "type"] {
        let why = one(&with(&json!({attribute: null}))).expect_err(attribute);
        assert!(why.to_string().contains(attribute), "{attribute}: {why}");
    }
    for missing in 0..4 {
        let mut headers = HEADERS.to_vec();
        headers.remove(missing);
        assert!(matches!(in_headers(Some("application/json"), &headers, DATA), Err(Unheard::Unfit(_))));
    }
}

#[test]
fn a_header_says_one_thing_once() {
    for (more, says) in [
        (("ce-id", "another"), "twice"),
        (("ce-datacontenttype", "application/json"), "Content-Type"),
        (("ce-time", "%E2%82"), "ce-time"),
    ] {
        let mut headers = HEADERS.to_vec();
        headers.push(more);
        let why = in_headers(Some("application/json"), &headers, DATA).expect_err(says).to_string();
        assert!(why.contains(says), "{why}");
    }
}

#[test]
fn data_may_be_base64_that_says_that_it_is_json() {
    let encoded = STANDARD.encode(event()["data"].to_string());
    let mut in_base64 = with(&json!({"data_base64": encoded, "datacontenttype": "application/vnd.example+json"}));
    assert!(one(&in_base64).expect_err("twice").to_string().contains("twice"));
    in_base64.as_object_mut().unwrap().remove("data");
    assert_eq!(one(&in_base64), one(&event()));
    for (changed, sort) in [
        (json!({"datacontenttype": null}), true),
        (json!({"datacontenttype": "text/plain"}), true),
        (json!({"data_base64": "%%%"}), false),
        (json!({"data_base64": STANDARD.encode("{")}), false),
    ] {
        let mut wrong = in_base64.clone();
        for (name, value) in changed.as_object().unwrap() {
            wrong[name] = value.clone();
        }
        assert_eq!(matches!(one(&wrong), Err(Unheard::Sort(_))), sort, "{changed}");
        assert!(one(&wrong).is_err(), "{changed}");
    }
    // A document inside a text is a text (JSON format, 3.1.2).
    assert!(one(&with(&json!({"data": DATA}))).is_err());
}

#[test]
fn what_is_no_event_or_no_json_is_told_what_to_send() {
    let sort = |sort: &str, body: &Value| matches!(posted(sort, body), Err(Unheard::Sort(_)));
    for other in ["application/cloudevents+avro", "application/cloudevents", "application/cloudevents-batch+protobuf"] {
        assert!(sort(other, &event()), "{other}");
    }
    for other in ["application/json", "text/plain", ""] {
        assert!(sort(other, &event()), "without attributes {other} is no event");
    }
    assert!(sort("application/cloudevents+json; charset=utf-16", &event()));
    assert!(matches!(in_headers(Some("text/xml"), &HEADERS, "<x/>"), Err(Unheard::Sort(_))));
    assert!(matches!(in_headers(None, &HEADERS, DATA), Err(Unheard::Sort(_))), "nothing says that it is JSON");
    assert!(matches!(posted(STRUCTURED, &json!([event()])), Err(Unheard::Malformed(_))));
    let twice = br#"{"id":"a","id":"b"}"#;
    let twice = heard(&Posted { content_type: Some(STRUCTURED), headers: &[], body: twice });
    assert!(twice.expect_err("it says two things").to_string().contains("twice"));
    let large = vec![b' '; BODY_MAX + 1];
    let large = Posted { content_type: Some(STRUCTURED), headers: &[], body: &large };
    assert_eq!(heard(&large), Err(Unheard::TooLarge));
}

#[test]
fn a_batch_is_taken_as_a_whole_or_not_at_all() {
    assert_eq!(posted(BATCHED, &json!([])), Ok(vec![]));
    let two = posted(BATCHED, &json!([event(), with(&json!({"id": "b"}))])).expect("these are events");
    assert_eq!(two.len(), 2);
    let why = posted(BATCHED, &json!([event(), with(&json!({"id": ""})), event()])).expect_err("one has no id");
    assert!(why.to_string().starts_with("Event 2 of the batch, and so none of it"), "{why}");
    assert!(matches!(why.cause(), Unheard::Unfit(_)));
    assert_eq!(posted(BATCHED, &json!(vec![event(); BATCH_MAX])).map(|all| all.len()), Ok(BATCH_MAX));
    assert_eq!(posted(BATCHED, &json!(vec![event(); BATCH_MAX + 1])), Err(Unheard::TooMany(BATCH_MAX + 1)));
    assert!(matches!(posted(BATCHED, &event()), Err(Unheard::Malformed(_))));
}

#[test]
fn our_own_form_is_asked_for_field_by_field() {
    let data = |data: Value| one(&with(&json!({"data": data})));
    let services =
        data(json!({"services": ["search", "Acme/Web", "search"], "what": "x", "environment": "prod"})).unwrap();
    assert_eq!(services.services.iter().map(Line::as_str).collect::<Vec<_>>(), ["search", "Acme/Web"]);
    assert_eq!(services.environment.as_ref().map(Line::as_str), Some("prod"));
    let lines = data(json!({"service": "a", "what": "one\ntwo\n", "at": "2026-11-28T01:00:00+01:00"})).unwrap();
    assert_eq!((lines.what.as_str(), lines.at), ("one two", Some("2026-11-28T00:00:00Z".parse().unwrap())));
    for (wrong, says) in [
        (json!({"what": "x"}), "no service"),
        (json!({"services": [], "what": "x"}), "no service"),
        (json!({"services": vec!["a"; 21], "what": "x"}), "at most 20"),
        (json!({"service": "a", "services": ["b"], "what": "x"}), "both"),
        (json!({"service": "a\u{7}", "what": "x"}), "control character"),
        (json!({"service": "a"}), "missing field `what`"),
        (json!({"service": "a", "what": " \n"}), "“what”"),
        (json!({"service": "a", "what": "x", "at": "noon"}), "“at”"),
        (json!({"service": "a", "what": "x", "link": "http://x"}), "“link”"),
        (json!({"service": "a", "what": "x", "sevice": "b"}), "unknown field `sevice`"),
        (json!([]), "no JSON object"),
        (json!(null), "no JSON object"),
    ] {
        let why = data(wrong.clone()).expect_err(says);
        assert!(matches!(&why, Unheard::Unfit(said) if said.contains(says)), "{wrong}: {why}");
        assert!(why.to_string().chars().count() < 240, "{why}");
    }
}

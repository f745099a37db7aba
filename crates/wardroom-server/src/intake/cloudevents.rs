//! CloudEvents 1.0 over HTTP, in all its modes: in the headers (binary), in the body (structured), and many in one body
//! (batched). What an event is about stands in its data: CDEvents have their own form, every other event ours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use wardroom_core::id::Time;

use super::attribute::decoded;
use super::unheard::Unheard;
use super::words::name;
use super::{BATCH_MAX, BODY_MAX, Heard, ID_MAX, SOURCE_MAX, cdevents, ours};
use crate::web::json;

/// The longest type of an event, in characters.
const TYPE_MAX: usize = 200;
/// Stands before every attribute that is sent as a header.
const BEFORE_ATTRIBUTES: &str = "ce-";

/// What was posted, as far as it matters here.
#[derive(Copy, Clone, Debug)]
pub struct Posted<'a> {
    /// What the body is said to be.
    pub content_type: Option<&'a str>,
    /// Headers, in any order; those that are no attributes may be among them.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body, whole.
    pub body: &'a [u8],
}

/// An event without its data's meaning.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) id: String,
    pub(super) source: String,
    /// Its attribute `type`.
    pub(super) sort: String,
    pub(super) time: Option<Time>,
    pub(super) data: Option<Value>,
}

/// Reads what was posted: one event, or those of a batch, all or none.
///
/// # Errors
/// [`Unheard`], with a sentence for whoever sent it. Nothing that was posted is taken then.
pub fn heard(posted: &Posted<'_>) -> Result<Vec<Heard>, Unheard> {
    if posted.body.len() > BODY_MAX {
        return Err(Unheard::TooLarge);
    }
    let sort = MediaType::read(posted.content_type.unwrap_or_default())?;
    match sort.essence.as_str() {
        "application/cloudevents+json" => {
            let event = json::read(posted.body).map_err(Unheard::malformed)?;
            structured(event).and_then(meaning).map(|heard| vec![heard])
        }
        "application/cloudevents-batch+json" => batch(posted.body),
        other if other.starts_with("application/cloudevents") => {
            Err(Unheard::Sort("Of CloudEvents' formats JSON is read: application/cloudevents+json, or -batch+json."))
        }
        _ => binary(posted, &sort).and_then(meaning).map(|heard| vec![heard]),
    }
}

fn meaning(event: Envelope) -> Result<Heard, Unheard> {
    if event.sort.starts_with(cdevents::BEFORE_TYPES) {
        cdevents::heard(event)
    } else if event.sort.starts_with(cdevents::BEFORE_CUSTOM_TYPES) {
        Ok(Heard::other(&event.sort))
    } else {
        ours::told(event).map(|told| Heard::Change(Box::new(told)))
    }
}

fn batch(body: &[u8]) -> Result<Vec<Heard>, Unheard> {
    let Value::Array(events) = json::read(body).map_err(Unheard::malformed)? else {
        return Err(Unheard::malformed("a batch is a JSON array of CloudEvents"));
    };
    if events.len() > BATCH_MAX {
        return Err(Unheard::TooMany(events.len()));
    }
    let read = |(at, event)| {
        structured(event).and_then(meaning).map_err(|why| Unheard::InBatch { nth: at + 1, why: Box::new(why) })
    };
    events.into_iter().enumerate().map(read).collect()
}

/// The attributes that are looked at. Extensions may stand beside them, and are nobody's business here.
#[derive(Default)]
struct Attributes {
    version: Option<String>,
    id: Option<String>,
    source: Option<String>,
    sort: Option<String>,
    time: Option<String>,
}

impl Attributes {
    fn place(&mut self, attribute: &str) -> Option<&mut Option<String>> {
        match attribute {
            "specversion" => Some(&mut self.version),
            "id" => Some(&mut self.id),
            "source" => Some(&mut self.source),
            "type" => Some(&mut self.sort),
            "time" => Some(&mut self.time),
            _ => None,
        }
    }

    fn around(self, data: Option<Value>) -> Result<Envelope, Unheard> {
        match self.version.as_deref() {
            Some("1.0") => {}
            Some(_) => return Err(Unheard::unfit("“specversion” is not 1.0, the version of CloudEvents that is read")),
            None => return Err(Unheard::unfit("“specversion” is missing; that of a CloudEvent is 1.0")),
        }
        let time = self.time.map(|time| time.parse());
        let time = time.transpose().map_err(|_| Unheard::unfit("“time” is not a time such as 2026-11-28T03:00:00Z"))?;
        Ok(Envelope {
            id: name("id", &self.id.unwrap_or_default(), ID_MAX)?,
            source: name("source", &self.source.unwrap_or_default(), SOURCE_MAX)?,
            sort: name("type", &self.sort.unwrap_or_default(), TYPE_MAX)?,
            time,
            data,
        })
    }
}

/// An event whose attributes and data are one JSON object.
fn structured(event: Value) -> Result<Envelope, Unheard> {
    let Value::Object(mut object) = event else { return Err(Unheard::malformed("a CloudEvent is a JSON object")) };
    let mut attributes = Attributes::default();
    for attribute in ["specversion", "id", "source", "type", "time"] {
        if let Some(place) = attributes.place(attribute) {
            *place = text(&mut object, attribute)?;
        }
    }
    let said = text(&mut object, "datacontenttype")?;
    let data = match (object.remove("data"), text(&mut object, "data_base64")?) {
        (Some(_), Some(_)) => return Err(Unheard::unfit("its data stands there twice, as “data” and “data_base64”")),
        (Some(data), None) => {
            MediaType::read(said.as_deref().unwrap_or("application/json"))?.is_json()?;
            Some(data)
        }
        (None, Some(encoded)) => {
            // What bytes are that do not say so is not to be guessed (JSON format, 3.1.2).
            MediaType::read(said.as_deref().unwrap_or_default())?.is_json()?;
            let bytes = STANDARD.decode(encoded).map_err(|_| Unheard::unfit("“data_base64” is not Base64"))?;
            Some(json::read(&bytes).map_err(Unheard::malformed)?)
        }
        (None, None) => None,
    };
    attributes.around(data)
}

/// A text of an object. `null` is the same as not being there.
fn text(object: &mut Map<String, Value>, attribute: &str) -> Result<Option<String>, Unheard> {
    match object.remove(attribute) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Unheard::unfit(format!("“{attribute}” is not a text"))),
    }
}

/// An event whose attributes are headers, and whose data is the body.
fn binary(posted: &Posted<'_>, sort: &MediaType) -> Result<Envelope, Unheard> {
    let mut attributes = Attributes::default();
    let mut any = false;
    for (header, value) in posted.headers {
        let begins = header.get(..BEFORE_ATTRIBUTES.len());
        if !begins.is_some_and(|begins| begins.eq_ignore_ascii_case(BEFORE_ATTRIBUTES)) {
            continue;
        }
        any = true;
        let attribute = header[BEFORE_ATTRIBUTES.len()..].to_ascii_lowercase();
        if attribute == "datacontenttype" {
            return Err(Unheard::unfit("“ce-datacontenttype” stands beside Content-Type, which says it already"));
        }
        let Some(place) = attributes.place(&attribute) else { continue };
        let value = decoded(value).map_err(|why| Unheard::unfit(format!("“ce-{attribute}” {why}")))?;
        if place.replace(value).is_some() {
            return Err(Unheard::unfit(format!("“ce-{attribute}” stands there twice")));
        }
    }
    if !any {
        return Err(Unheard::Sort(
            "This is no CloudEvent. Send one as application/cloudevents+json, or its attributes as headers that begin with “ce-”.",
        ));
    }
    let data = if posted.body.is_empty() {
        None
    } else {
        sort.is_json()?;
        Some(json::read(posted.body).map_err(Unheard::malformed)?)
    };
    attributes.around(data)
}

/// What bytes are said to be.
pub(super) struct MediaType {
    /// In small letters, without parameters.
    essence: String,
}

impl MediaType {
    /// # Errors
    /// For another encoding of letters than UTF-8, which JSON always has.
    pub(super) fn read(said: &str) -> Result<Self, Unheard> {
        let mut parts = said.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let utf8 = ["utf-8", "utf8", "us-ascii"]
                .iter()
                .any(|utf8| value.trim().trim_matches('"').eq_ignore_ascii_case(utf8));
            if name.trim().eq_ignore_ascii_case("charset") && !utf8 {
                return Err(Unheard::Sort("Send it in UTF-8: what stands behind “charset=” is another encoding."));
            }
        }
        Ok(Self { essence })
    }

    /// # Errors
    /// For what is not JSON (`*/json`, or `*/*+json`).
    pub(super) fn is_json(&self) -> Result<(), Unheard> {
        match self.essence.split_once('/') {
            Some((_, sort)) if sort == "json" || sort.ends_with("+json") => Ok(()),
            _ => Err(Unheard::Sort("Its data is not said to be JSON. Send JSON, with the type application/json.")),
        }
    }
}

#[cfg(test)]
mod tests {
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
        let more = json!({"traceparent": "00-ab", "sequence": 7, "subject": null, "dataschema": null, "datacontenttype": null});
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
        for other in
            ["application/cloudevents+avro", "application/cloudevents", "application/cloudevents-batch+protobuf"]
        {
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
}

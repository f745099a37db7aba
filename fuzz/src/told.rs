//! What other systems tell of changes.

use ring::hmac;
use serde_json::json;
use wardroom_server::intake::cloudevents::{Posted, heard};
use wardroom_server::intake::github::{self, Delivery};
use wardroom_server::intake::{
    BATCH_MAX, Heard, ID_MAX, LINK_MAX, SERVICES_MAX, SOURCE_MAX, Stage, Told, Unheard, spellings,
};

use super::{Breaks, bounded, can_be_shown};

/// The longest line and the longest refusal, in characters.
const LINE_MAX: usize = 200;
const REFUSAL_MAX: usize = 240;
const STRUCTURED: &str = "application/cloudevents+json";

/// A CloudEvent as it is posted: what its body is said to be, headers one a line, an empty line, and the body.
pub fn cloudevent(bytes: &[u8]) {
    let mut rest = bytes;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let (line, after) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
        rest = after;
        line
    };
    let content_type = str::from_utf8(line()).ok();
    let mut headers = Vec::new();
    loop {
        let line = line();
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { break };
        let Ok(name) = str::from_utf8(&line[..colon]) else { break };
        headers.push((name, line[colon + 1..].trim_ascii()));
    }
    match heard(&Posted { content_type, headers: &headers, body: rest }) {
        Ok(all) => {
            assert!(all.len() <= BATCH_MAX);
            all.iter().for_each(is_bounded);
            all.iter().for_each(reads_back);
        }
        Err(why) => is_a_refusal(&why),
    }
}

fn is_a_refusal(why: &Unheard) {
    let sentence = why.to_string();
    can_be_shown(&sentence);
    bounded(&sentence, REFUSAL_MAX, Breaks::Refused);
    assert!(!matches!(why.cause(), Unheard::InBatch { .. }));
}

fn is_bounded(heard: &Heard) {
    let Heard::Change(told) = heard else {
        return if let Heard::Other(sort) = heard {
            bounded(sort.as_str(), LINE_MAX, Breaks::Refused)
        };
    };
    bounded(&told.id, ID_MAX, Breaks::Refused);
    bounded(&told.source, SOURCE_MAX, Breaks::Refused);
    assert!(!told.id.trim().is_empty() && !told.source.trim().is_empty());
    assert!(told.services.len() <= SERVICES_MAX);
    assert!(!told.services.is_empty() || told.environment.is_some(), "{told:?} changed nothing");
    let lines = told.services.iter().chain([&told.what]).chain(&told.who).chain(&told.environment);
    lines.for_each(|line| bounded(line.as_str(), LINE_MAX, Breaks::Refused));
    for name in told.services.iter().flat_map(|name| spellings(name.as_str())) {
        assert_eq!(spellings(name.as_str()).first(), Some(&name));
    }
    if let Some(link) = &told.link {
        assert!(link.starts_with("https://") && link.len() <= LINK_MAX);
        assert!(link.bytes().all(|byte| byte.is_ascii_graphic()), "{link:?} would break out of its line");
    }
}

/// What was heard, written in our own form, is heard as the same: in the body and in headers.
fn reads_back(heard_once: &Heard) {
    let Heard::Change(told) = heard_once else { return };
    if told.services.is_empty() || told.stage != Stage::Done {
        return;
    }
    let Told { source, id, services, what, who, at, link, environment, .. } = &**told;
    let data = json!({
        "services": services, "what": what, "who": who, "at": at, "link": link, "environment": environment,
    });
    let event = json!({"specversion": "1.0", "id": id, "source": source, "type": "org.example.again", "data": data});
    let body = event.to_string();
    let again = heard(&Posted { content_type: Some(STRUCTURED), headers: &[], body: body.as_bytes() });
    assert_eq!(again.as_deref(), Ok(std::slice::from_ref(heard_once)));

    let (id, source) = (percent_encoded(id), percent_encoded(source));
    let headers = [("ce-specversion", "1.0"), ("ce-id", &id), ("ce-source", &source), ("ce-type", "org.example.again")];
    let headers = headers.map(|(name, value)| (name, value.as_bytes()));
    let body = data.to_string();
    let again = heard(&Posted { content_type: Some("application/json"), headers: &headers, body: body.as_bytes() });
    assert_eq!(again.as_deref(), Ok(std::slice::from_ref(heard_once)));
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'"' | b'%' | b' ' | 0x7F.. => format!("%{byte:02X}"),
        byte => char::from(byte).to_string(),
    };
    text.bytes().map(encode).collect()
}

/// A webhook of GitHub: of which sort, on the first line, and its body. Signed it is read, and the same when it comes a
/// second time; signed by anybody else, nothing of it is.
pub fn webhook(bytes: &[u8]) {
    const SECRET: &[u8] = b"the one that both sides share";
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (event, body) = (str::from_utf8(&bytes[..end]).ok(), bytes.get(end + 1..).unwrap_or_default());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), body);
    let signature = tag.as_ref().iter().fold("sha256=".to_owned(), |digits, byte| format!("{digits}{byte:02x}"));
    let delivery = Delivery { content_type: Some("application/json"), event, signature: Some(&signature) };
    let heard = github::heard(&[b"the one before", SECRET], &delivery, body);
    match &heard {
        Ok(heard) => {
            is_bounded(heard);
            reads_back(heard);
        }
        Err(why) => {
            is_a_refusal(why);
            assert!(*why != Unheard::BadSignature && *why != Unheard::Unsigned);
        }
    }
    assert_eq!(github::heard(&[SECRET], &delivery, body), heard);
    assert_eq!(github::heard(&[b"another"], &delivery, body), Err(Unheard::BadSignature));
    // The same bytes as a signature.
    let forged = Delivery { signature: event, ..delivery };
    assert!(matches!(github::heard(&[SECRET], &forged, body), Err(Unheard::BadSignature | Unheard::Unsigned)));
}

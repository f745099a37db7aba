//! What stands around a request's body: its address, and its headers.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use serde::Deserialize;
use wardroom_core::evidence::{Fingerprint, MediaType};
use wardroom_core::id::{Entry, Number};
use wardroom_server::account::device::device;
use wardroom_server::account::secret::Sort;
use wardroom_server::web::account::origin::{self, Asks};
use wardroom_server::web::account::{cookie, forwarded_for};
use wardroom_server::web::evidence::disposition;
use wardroom_server::web::{parse, who};

use super::can_be_shown;

/// The longest device that the list of sessions shows, in characters.
const DEVICE_MAX: usize = 40;

/// Headers, one a line: `name: value`. What HTTP does not allow never arrives.
pub fn headers(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let value = line[colon + 1..].trim_ascii();
        Some((HeaderName::from_bytes(&line[..colon]).ok()?, HeaderValue::from_bytes(value).ok()?))
    });
    let mut headers = HeaderMap::new();
    for (name, value) in lines.take(100) {
        headers.append(name, value);
    }

    let fits = |sort: Sort, secret: &str| assert!(sort.fits(secret) && secret.len() == 67 && secret.is_ascii());
    who::bearer(&headers).into_iter().for_each(|secret| fits(Sort::Token, secret));
    cookie::secret(&headers).into_iter().for_each(|secret| {
        fits(Sort::Session, secret);
        // What was found in one browser's cookie is found again in the cookie that is set for it.
        for secure in [true, false] {
            let set = cookie::set(secret, secure);
            let pair = set.to_str().expect("a cookie is text").split(';').next().unwrap_or_default();
            let back = HeaderMap::from_iter([(HeaderName::from_static("cookie"), pair.parse().expect("a header"))]);
            assert_eq!(cookie::secret(&back), Some(secret));
        }
    });
    let _ = cookie::came_through_tls(&headers);

    if origin::asks(&headers) == Asks::Ours {
        let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let by_browser = said("sec-fetch-site") == Some("same-origin");
        let ends_with_host = |origin: &str| {
            said("host").is_some_and(|host| origin.to_ascii_lowercase().contains(&host.to_ascii_lowercase()))
        };
        assert!(by_browser || said("origin").is_some_and(ends_with_host), "{headers:?} is not our page");
    }
    let agent = headers.get("user-agent").and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let device = device(agent);
    can_be_shown(&device);
    assert!(device.chars().count() <= DEVICE_MAX);
    if let Some(address) = forwarded_for(&headers) {
        assert_eq!(address.to_string().parse(), Ok(address));
    }
}

/// Evidence: what it is called, on the first line, and its bytes.
pub fn evidence(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (name, bytes) = (String::from_utf8_lossy(&bytes[..end]), bytes.get(end + 1..).unwrap_or_default());
    for (inline, way) in [(true, "inline"), (false, "attachment")] {
        let value = disposition(inline, &name);
        let value = value.to_str().expect("it is plain letters");
        let parts: Vec<&str> = value.split("; ").collect();
        let [said, letters, encoded] = parts[..] else { panic!("{value} has other than three parts") };
        assert_eq!(said, way);
        let letters =
            letters.strip_prefix("filename=\"").and_then(|rest| rest.strip_suffix('"')).expect("it is quoted");
        let encoded = encoded.strip_prefix("filename*=UTF-8''").expect("it is encoded");
        assert!(!letters.is_empty() && !letters.starts_with('.') && !letters.contains(['"', '/', '\\']), "{value}");
        assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-%".contains(&byte)), "{value}");
        assert!(value.len() < 4_096);
    }
    let kind = MediaType::of(bytes);
    assert_eq!(kind.is_picture(), kind.name().starts_with("image/"));
    if kind.is_picture() {
        assert!(matches!(bytes[0], 0x89 | 0xFF | b'G' | b'R'), "it begins as no page does");
    }
    let small = bytes.len() < MediaType::LOOKED_AT;
    assert!(kind != MediaType::Text || !small || str::from_utf8(bytes).is_ok());
    if let Ok(fingerprint) = name.parse::<Fingerprint>() {
        assert_eq!(fingerprint.to_string(), name);
    }
}

/// Every sort of value that stands behind the question mark of some address.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    after: Option<String>,
    after_entry: Option<Entry>,
    limit: Option<usize>,
    ended_below: Option<u32>,
    incident: Option<Number>,
    #[serde(default)]
    drills: bool,
}

/// An address: the number of an incident in its path, and what stands behind its question mark.
pub fn address(bytes: &[u8]) {
    let Ok(given) = str::from_utf8(bytes) else { return };
    let named = given.split(['?', '/']).next().unwrap_or_default();
    if let Ok(number) = parse::numbered(named) {
        assert!(number.get() > 0, "stream 0 is the directory");
        assert_eq!(number.get().to_string().parse(), Ok(number));
    }
    let Ok(address) = given.parse::<Uri>() else { return };
    match parse::query::<Asked>(&address) {
        Ok(Asked { after, after_entry, limit, ended_below, incident, drills }) => {
            let query = address.query().unwrap_or_default();
            let named = |name: &str| query.contains(name) || query.contains('%') || query.contains('+');
            assert!(after.is_none() || named("after"));
            assert!(after_entry.is_none() || named("after_entry"));
            assert!(limit.is_none() || named("limit"));
            assert!(ended_below.is_none() || named("ended_below"));
            assert!(!drills || named("drills"));
            assert!(incident.is_none_or(|number| number.get() > 0));
        }
        Err(problem) => can_be_shown(problem.detail()),
    }
}

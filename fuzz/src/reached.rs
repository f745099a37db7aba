//! What people say of where they are reached, and what is written to them there.

use std::net::IpAddr;
use std::sync::LazyLock;

use wardroom_core::call::Words;
use wardroom_core::text::LINE_MAX as NAME_MAX;
use wardroom_server::fetch::{Listed, Target};
use wardroom_server::reach::mail::{Letter, compose};
use wardroom_server::reach::outward;
use wardroom_server::reach::push::vapid::VapidKey;
use wardroom_server::reach::push::{Browser, Message, post};
use wardroom_server::reach::retry_after::{LONGEST, retry_after};

use super::can_be_shown;

/// The longest line of a letter, in bytes (RFC 5322, 2.1.1).
const LINE_MAX: usize = 998;
/// What a push service takes at least, in bytes (RFC 8030, 7.2).
const PUSHED_MAX: usize = 4_096;

/// `FROM|TO|LINE|HELP|LINK|ID`, and perhaps `|FOLLOWS`: whatever people wrote, a letter has the heads that it should
/// have, each once, and nobody else gets it.
pub fn letter(bytes: &[u8]) {
    let Ok(given) = str::from_utf8(bytes) else { return };
    let mut parts = given.split('|');
    let mut next = || parts.next().unwrap_or_default();
    let (from, to, line, help, link, id) = (next(), next(), next(), next(), next(), next());
    let follows = parts.next();
    let letter = Letter { from, to, line, help, link, id, follows };
    let written = match compose(&letter) {
        Ok(message) => message.formatted(),
        Err(why) => return can_be_shown(&why),
    };
    let written = str::from_utf8(&written).expect("a letter is text");
    // Addresses in other letters are written as they are: the library asks the relay first whether it takes them.
    let plain = from.is_ascii() && to.is_ascii();
    assert!((written.is_ascii() || !plain) && !written.contains('\0'), "{written:?}");
    assert_eq!(written.matches("\r\n").count(), written.matches(['\r', '\n']).count() / 2, "{written:?}");
    assert!(!written.replace("\r\n", "").contains(['\r', '\n']), "a line is broken by half: {written:?}");
    assert!(written.split("\r\n").all(|line| line.len() <= LINE_MAX), "{written:?}");
    let (head, _) = written.split_once("\r\n\r\n").expect("a letter has heads");
    let heads = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
    let mut named: Vec<&str> = heads.map(|head| head.split_once(':').expect("a head has a name").0).collect();
    named.sort_unstable();
    let mut expected = vec!["From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Date"];
    expected.push("Content-Type");
    if follows.is_some() {
        expected.extend(["In-Reply-To", "References"]);
    }
    expected.sort_unstable();
    assert_eq!(named, expected);
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let to_whom = unfolded.split("\r\n").find_map(|head| head.strip_prefix("To:")).expect("it is to somebody");
    assert_eq!(to_whom.trim().trim_matches(['<', '>']), to.trim(), "it is to nobody else");
}

/// `LIST|URL`: what is listed reads back as it was written, and what would be fetched has one reading, is on a host that
/// is listed, and shows nothing of what stands behind its path.
pub fn fetched(bytes: &[u8]) {
    let Ok(given) = str::from_utf8(bytes) else { return };
    let (list, url) = given.split_once('|').unwrap_or((given, ""));
    let listed = match list.parse::<Listed>() {
        Ok(listed) => listed,
        Err(why) => return can_be_shown(&why.to_string()),
    };
    assert_eq!(listed.as_written().parse::<Listed>().as_ref(), Ok(&listed));
    let target = match url.parse::<Target>() {
        Ok(target) => target,
        Err(why) => return can_be_shown(&why.to_string()),
    };
    let name = String::from(target.name());
    assert!(name.is_ascii() && !name.contains(['?', '#', '@', ' ']), "{name}");
    assert!(name.starts_with(target.place()) || name.len() == NAME_MAX, "{name} is not at {}", target.place());
    assert!(!Listed::default().names(&target));
    // Whoever lists just what is named there lists it, and nothing that an address inside leads to comes by itself.
    let port = target.port();
    let exact: Listed = format!("{}:{port}", target.host()).parse().expect("a host that was read can be listed");
    assert!(exact.names(&target));
    if listed.names(&target) {
        assert!(!listed.is_empty());
    }
}

/// An address that somebody gave and this server would ask: of the public internet as far as that can be seen, and the
/// same however it is written down.
pub fn endpoint(bytes: &[u8]) {
    let Ok(given) = str::from_utf8(bytes) else { return };
    let uri = match outward::endpoint(given, false) {
        Ok(uri) => uri,
        Err(why) => return can_be_shown(why),
    };
    assert_eq!(uri.scheme_str(), Some("https"));
    let authority = uri.authority().expect("it is somewhere");
    assert!(!authority.as_str().contains('@') && !authority.host().is_empty(), "{given}");
    if let Ok(address) = authority.host().trim_matches(['[', ']']).parse::<IpAddr>() {
        assert!(outward::public(address), "{given} is inside");
    }
    let written = uri.to_string();
    assert!(written.bytes().all(|byte| byte.is_ascii_graphic()), "{written:?} would break out of its line");
    if written.len() <= given.len() {
        assert_eq!(outward::endpoint(&written, false).as_ref(), Ok(&uri));
    }
    assert_eq!(outward::endpoint(given, true), Ok(uri), "an address outside is one for a house that asks inside too");
}

/// A `Retry-After` of whatever was asked: nobody waits for longer than the longest, nor into the past.
pub fn wait(bytes: &[u8]) {
    let Ok(given) = str::from_utf8(bytes) else { return };
    for now in ["1994-11-06T08:49:00Z", "2026-11-26T03:00:00Z"] {
        let wait = retry_after(given, now.parse().expect("it is a time"));
        assert!(wait.is_none_or(|wait| !wait.is_negative() && wait <= LONGEST), "{given:?}");
    }
}

static KEY: LazyLock<VapidKey> = LazyLock::new(|| VapidKey::read(&VapidKey::draw()).expect("it was just drawn"));

/// `ENDPOINT|KEY|SECRET`, as a browser describes itself: whichever is taken can be told something, and is not printed.
pub fn browser(bytes: &[u8]) {
    let Ok(given) = str::from_utf8(bytes) else { return };
    let mut parts = given.splitn(3, '|');
    let mut next = || parts.next().unwrap_or_default();
    let (address, key, secret) = (next(), next(), next());
    let browser = match Browser::new(address, key, secret, false) {
        Ok(browser) => browser,
        Err(why) => return can_be_shown(why),
    };
    assert_eq!(format!("{browser:?}"), "Browser(…)");
    assert!(browser.id().len() == 64 && browser.id().bytes().all(|byte| byte.is_ascii_hexdigit()));
    let kept = Browser::kept(browser.endpoint.clone(), &browser.key, &browser.secret);
    assert_eq!(kept.as_ref(), Some(&browser));
    let uri = outward::endpoint(&browser.endpoint, false).expect("it was taken");
    let words = Words { line: given.to_owned(), help: given.to_owned() };
    let message = Message { id: "1.offer.2", words: &words, path: "/incidents/1", done: false };
    let post = post(&KEY, None, &browser, &message, uri).expect("what is taken can be told");
    assert!(post.body.len() <= PUSHED_MAX);
    let plain = |value: &str| value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    assert!(post.fields.iter().all(|(_, value)| plain(value)), "{:?}", post.fields);
}

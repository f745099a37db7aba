//! Web push: what waits for somebody, shown by their browsers although no page is open. Sealed for each browser
//! ([`seal`]), signed by a key of this store ([`vapid`]), and left with the push service that the browser named.
//!
//! That service is an address which a person gave: it is asked as a pager is ([`super::outward`]).

pub mod seal;
pub mod vapid;

use std::sync::Arc;

use axum::http::Uri;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;
use wardroom_core::call::Words;

use super::one_line;
use super::outward::{Answer, Outward, Post, Refused, endpoint};
use crate::clock;
use crate::log::{Log, LogError};
use vapid::VapidKey;

/// How long a browser's public key is, in bytes: an uncompressed point.
pub const KEY_LEN: usize = 65;
/// How long the secret that it shares with us is, in bytes.
pub const SECRET_LEN: usize = 16;
/// The longest line, and the longest help, in characters: with both at four bytes each it fits into one record.
const LINE_MAX: usize = 300;
/// For how long a push service keeps what a browser has not fetched, in seconds: a day. What is over by then was
/// replaced there by the word that it is, under the same topic.
const KEPT: u32 = 24 * 60 * 60;

/// A browser in which somebody turned push on: where it is told, and for whom words are sealed. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Browser {
    /// Its address at its push service.
    pub endpoint: String,
    /// Its public key.
    pub key: [u8; KEY_LEN],
    /// What it shares with us alone.
    pub secret: [u8; SECRET_LEN],
}

impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Browser(…)")
    }
}

/// The name of a browser with this address: its SHA-256, in hexadecimal digits. Whoever has the address can tell the
/// name, and nobody can tell the address from it.
fn name_of(endpoint: &str) -> String {
    Sha256::digest(endpoint).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Browser {
    /// A browser as it describes itself, if it can be told anything.
    ///
    /// # Errors
    /// A sentence; it repeats nothing.
    pub fn new(address: &str, key: &str, secret: &str, private: bool) -> Result<Self, &'static str> {
        endpoint(address, private)
            .map_err(|_| "the address of this browser's push service is none that can be asked")?;
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        let kept =
            bytes(key).zip(bytes(secret)).and_then(|(key, secret)| Self::kept(address.to_owned(), &key, &secret));
        kept.filter(|browser| seal::is_point(&browser.key))
            .ok_or("the keys of this browser are none that words can be sealed for")
    }

    /// A browser as it was kept; nothing for what Wardroom never wrote.
    #[must_use]
    pub fn kept(endpoint: String, key: &[u8], secret: &[u8]) -> Option<Self> {
        Some(Self { endpoint, key: key.try_into().ok()?, secret: secret.try_into().ok()? })
    }

    /// Its name, by which its owner and their page know it.
    #[must_use]
    pub fn id(&self) -> String {
        name_of(&self.endpoint)
    }
}

/// What a browser is told.
#[derive(Copy, Clone, Debug)]
pub struct Message<'a> {
    /// The stable id: what comes later under it stands in its place.
    pub id: &'a str,
    /// What it is, and what to do.
    pub words: &'a Words,
    /// The page on which it is done.
    pub path: &'a str,
    /// Whether there is nothing left to do: what was shown is withdrawn.
    pub done: bool,
}

impl Message<'_> {
    /// As the page's worker reads it.
    fn body(&self) -> Vec<u8> {
        let [line, help] = [&self.words.line, &self.words.help].map(|words| one_line(words, LINE_MAX));
        json!({ "id": self.id, "line": line, "help": help, "path": self.path, "done": self.done })
            .to_string()
            .into_bytes()
    }

    /// Its name for a push service, which keeps the newest of each alone: at most 32 characters (RFC 8030, 5.4).
    fn topic(&self) -> String {
        URL_SAFE_NO_PAD.encode(&Sha256::digest(self.id)[..24])
    }
}

/// Why a browser was not told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Untold {
    /// Its push service does not know it any more, and will not.
    Gone,
    /// It was not taken this time.
    Refused(Refused),
    /// It will not be taken, however often it is tried: why, in a few words.
    Never(String),
}

/// What came of leaving a message, by what the push service answered; `named` says whether it was told whom to ask.
fn taken(answer: Answer, named: bool) -> Result<(), Untold> {
    let why = format!("their browser's push service answered {}", answer.status);
    match answer.status {
        200..=299 => Ok(()),
        404 | 410 => Err(Untold::Gone),
        // RFC 8292 lets a server leave that out, and some push services do not.
        400 | 401 | 403 if !named => {
            Err(Untold::Never(format!("{why}: it may want to know whom to ask about this server (--public-url)")))
        }
        400 | 401 | 403 | 413 => Err(Untold::Never(why)),
        _ => Err(Untold::Refused(Refused { why, again_in: answer.again_in })),
    }
}

/// A message on its way to a browser.
///
/// # Errors
/// What cannot be sent, in a few words.
pub fn post(
    key: &VapidKey,
    contact: Option<&str>,
    browser: &Browser,
    message: &Message<'_>,
    uri: Uri,
) -> Result<Post, String> {
    let body =
        seal::seal(&message.body(), &browser.key, &browser.secret).map_err(|why| format!("their browser {why}"))?;
    let origin = format!("{}://{}", uri.scheme_str().unwrap_or("https"), uri.authority().map_or("", |it| it.as_str()));
    // Somebody is woken by what they have to do, and not by what is done.
    let urgency = if message.done { "normal" } else { "high" };
    let fields = vec![
        ("authorization", key.authorization(&origin, contact, clock::now())),
        ("content-encoding", "aes128gcm".to_owned()),
        ("content-type", "application/octet-stream".to_owned()),
        ("ttl", KEPT.to_string()),
        ("urgency", urgency.to_owned()),
        ("topic", message.topic()),
    ];
    Ok(Post { uri, fields, body })
}

/// What telling browsers needs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Push {
    log: Log,
    /// Whom a push service can ask about this server.
    contact: Option<String>,
    key: Arc<OnceCell<VapidKey>>,
}

impl Push {
    /// Tells browsers by the key of this store.
    #[must_use]
    pub fn new(log: Log, contact: Option<String>) -> Self {
        Self { log, contact, key: Arc::default() }
    }

    /// The key of this store: made once, the same on every node.
    ///
    /// # Errors
    /// Whatever kept the store from being read.
    pub async fn key(&self) -> Result<&VapidKey, LogError> {
        let kept = || async {
            let kept = self.log.push_key(VapidKey::draw()).await?;
            VapidKey::read(&kept).ok_or_else(|| LogError::unavailable("the key of push services is damaged"))
        };
        self.key.get_or_try_init(kept).await
    }

    /// Leaves a message with a browser's push service; returns when that has it.
    ///
    /// # Errors
    /// Why it has not.
    pub async fn send(&self, outward: &Outward, browser: &Browser, message: &Message<'_>) -> Result<(), Untold> {
        let refused = |why: &str| Untold::Refused(why.into());
        let uri = endpoint(&browser.endpoint, outward.private).map_err(refused)?;
        let key = self.key().await.map_err(|_| refused("Wardroom cannot read its key for push services"))?;
        let post = post(key, self.contact.as_deref(), browser, message, uri).map_err(Untold::Never)?;
        match outward.post(post).await {
            Ok(answer) => taken(answer, self.contact.is_some()),
            Err(why) => Err(refused(&format!("their browser's push service {why}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of RFC 8291's example.
    const KEY: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const SECRET: &str = "BTBZMqHH6r4Tts7J_aSIgg";
    const ENDPOINT: &str = "https://push.example.org/send/abc";

    #[test]
    fn a_browser_has_an_address_outside_and_keys() {
        let browser = Browser::new(ENDPOINT, KEY, SECRET, false).unwrap();
        assert_eq!(Browser::new(ENDPOINT, KEY, "BTBZMqHH6r4Tts7J_aSIgg==", false), Ok(browser.clone()));
        assert_eq!(browser.id().len(), 64);
        assert_eq!(format!("{browser:?}"), "Browser(…)");
        for (endpoint, key, secret) in [
            ("http://push.example.org/send/abc", KEY, SECRET),
            ("https://10.0.0.1/send/abc", KEY, SECRET),
            (ENDPOINT, SECRET, SECRET),
            (ENDPOINT, KEY, KEY),
            (ENDPOINT, "", ""),
            (ENDPOINT, &KEY.replace("iw4", "iw8"), SECRET),
            (ENDPOINT, &KEY.replace('B', "!"), SECRET),
        ] {
            assert!(Browser::new(endpoint, key, secret, false).is_err(), "{endpoint} {key} {secret}");
        }
    }

    #[test]
    fn a_message_fits_whatever_people_wrote() {
        let browser = Browser::new(ENDPOINT, KEY, SECRET, false).unwrap();
        let key = VapidKey::read(&VapidKey::draw()).unwrap();
        for odd in ["\u{1F525}", "\"", "\\", "\u{202E}\n\0", "é"] {
            let words = Words { line: odd.repeat(5_000), help: odd.repeat(5_000) };
            let id = "4294967295.clock.18446744073709551615.1800000000".to_owned() + &".0123456789abcdef".repeat(4);
            let message = Message { id: &id, words: &words, path: "/incidents/4294967295", done: false };
            let post = post(&key, None, &browser, &message, ENDPOINT.parse().unwrap()).unwrap();
            assert!(post.body.len() <= 4_096);
            let topic = &post.fields.iter().find(|(name, _)| *name == "topic").unwrap().1;
            assert_eq!(topic.len(), 32);
        }
    }

    #[test]
    fn what_is_over_stands_under_the_same_topic_and_wakes_nobody() {
        let browser = Browser::new(ENDPOINT, KEY, SECRET, false).unwrap();
        let key = VapidKey::read(&VapidKey::draw()).unwrap();
        let words = Words { line: "Mary offers you command".to_owned(), help: "Take it".to_owned() };
        let fields = |done| {
            let message = Message { id: "1.offer.2.x", words: &words, path: "/incidents/1", done };
            let post = post(&key, None, &browser, &message, ENDPOINT.parse().unwrap()).unwrap();
            let field = |name| post.fields.iter().find(|(is, _)| *is == name).unwrap().1.clone();
            (field("topic"), field("urgency"))
        };
        assert_eq!(fields(false).0, fields(true).0);
        assert_eq!((fields(false).1.as_str(), fields(true).1.as_str()), ("high", "normal"));
    }

    #[test]
    fn what_a_push_service_will_never_take_is_told_from_what_it_does_not_take_now() {
        let again_in = Some(jiff::SignedDuration::from_secs(7));
        let of = |status, named| taken(Answer { status, again_in }, named);
        assert_eq!((of(201, true), of(204, false)), (Ok(()), Ok(())));
        assert_eq!((of(404, true), of(410, true)), (Err(Untold::Gone), Err(Untold::Gone)));
        for status in [429, 500, 502, 503, 418] {
            let why = format!("their browser's push service answered {status}");
            assert_eq!(of(status, true), Err(Untold::Refused(Refused { why, again_in })));
        }
        for status in [400, 401, 403, 413] {
            assert_eq!(of(status, true), Err(Untold::Never(format!("their browser's push service answered {status}"))));
        }
        let Err(Untold::Never(why)) = of(403, false) else { panic!("it would be tried again") };
        assert!(why.ends_with("answered 403: it may want to know whom to ask about this server (--public-url)"));
    }
}

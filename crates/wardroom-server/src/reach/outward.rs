//! What this server asks of addresses that people gave it: bounded, and never of this house's own networks.
//!
//! Whoever may choose an address that a server then asks can have it ask what only the server can reach: the machine
//! itself, its neighbours, a cloud's metadata. So: https alone, no redirect, a name is looked up once and only public
//! addresses are connected to, little is read and nothing of it is shown. An operator whose pager is inside can say so
//! (`--private-endpoints`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};
use jiff::SignedDuration;
use tokio::sync::Semaphore;
use ureq::Agent;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::retry_after::retry_after;
use crate::clock;

/// How long one question may take, from looking the name up to the end of the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Questions at once, of one way.
pub(super) const AT_ONCE: usize = 16;
/// What of an answer is read, in bytes.
const ANSWER_MAX: u64 = 64 << 10;
/// The longest address that may be given.
const URL_MAX: usize = 1_000;

/// An address that somebody gave, if it may be asked at all. Where its name leads is looked at when it is.
///
/// # Errors
/// A sentence that says what an address looks like.
pub fn endpoint(given: &str, private: bool) -> Result<Uri, &'static str> {
    const WRONG: &str = "an endpoint looks like https://events.pagerduty.com/v2/enqueue";
    if given.len() > URL_MAX || !given.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(WRONG);
    }
    let uri: Uri = given.parse().map_err(|_| WRONG)?;
    let scheme = uri.scheme_str().ok_or(WRONG)?;
    let authority = uri.authority().ok_or(WRONG)?;
    let address = host(authority).ok_or(WRONG)?;
    match scheme {
        "https" => {}
        "http" if private => {}
        "http" => return Err("an endpoint begins with https://"),
        _ => return Err(WRONG),
    }
    match address {
        Some(address) if !private && !public(address) => Err("an endpoint is not inside this house's own networks"),
        _ => Ok(uri),
    }
}

/// The address that an authority names, or nothing where it is a name; `None` for what is neither, or more than that and
/// a port. The library that reads addresses lets pass what is nowhere one.
fn host(authority: &Authority) -> Option<Option<IpAddr>> {
    let host = authority.host();
    let rest = authority.as_str().strip_prefix(host)?;
    if !rest.is_empty() {
        rest.strip_prefix(':')?.parse::<u16>().ok()?;
    }
    if let Some(six) = host.strip_prefix('[') {
        return Some(Some(IpAddr::V6(six.strip_suffix(']')?.parse().ok()?)));
    }
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    (!host.is_empty() && host.bytes().all(fits)).then(|| host.parse().ok())
}

/// Whether an address is one of the public internet.
#[must_use]
pub fn public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => public_v4(v4),
        IpAddr::V6(v6) => public_v6(v6),
    }
}

fn public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let of_ours = v4.is_loopback() || v4.is_private() || v4.is_link_local();
    let of_nobody = v4.is_unspecified() || v4.is_broadcast() || v4.is_multicast() || v4.is_documentation();
    let reserved = matches!((a, b, c), (0, ..) | (100, 64..=127, _) | (192, 0, 0) | (198, 18..=19, _) | (240.., ..));
    // Where a cloud tells its own machines about themselves.
    let reserved = reserved || v4 == Ipv4Addr::new(168, 63, 129, 16);
    !(of_ours || of_nobody || reserved)
}

fn public_v6(v6: Ipv6Addr) -> bool {
    let [a, b, c, d, .., y, z] = v6.segments();
    let v4 = |high: u16, low: u16| {
        let [[p, q], [r, s]] = [high.to_be_bytes(), low.to_be_bytes()];
        public_v4(Ipv4Addr::new(p, q, r, s))
    };
    match (a, b) {
        (0x0064, 0xff9b) => c == 0 && d == 0 && v4(y, z), // NAT64: an address of version 4 behind it.
        (0x2002, high) => v4(high, c),                    // 6to4, likewise.
        (0x2001, 0x0000..=0x01ff | 0x0db8) => false,      // Protocols, tunnels, documentation.
        _ => (0x2000..=0x3fff).contains(&a),              // What is global stands here.
    }
}

/// Looks names up, and passes on only what may be connected to.
#[derive(Debug)]
struct Outside {
    private: bool,
}

impl Resolver for Outside {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        if self.private {
            return Ok(found);
        }
        let mut outside = self.empty();
        found.iter().filter(|address| public(address.ip())).for_each(|address| outside.push(*address));
        if outside.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(outside) }
    }
}

/// Asks addresses that people gave.
#[derive(Clone, Debug)]
pub struct Outward {
    agent: Agent,
    /// Whether addresses inside may be asked.
    pub private: bool,
    permits: Arc<Semaphore>,
}

/// What to send.
pub struct Post {
    /// Where to.
    pub uri: Uri,
    /// Header fields.
    pub fields: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// For how long it asks to be left alone, where it is too busy.
    pub again_in: Option<SignedDuration>,
}

impl Answer {
    fn of(status: u16, fields: &HeaderMap) -> Self {
        let said = fields.get(header::RETRY_AFTER).filter(|_| matches!(status, 429 | 503));
        let again_in = said.and_then(|said| retry_after(said.to_str().ok()?, clock::now()));
        Self { status, again_in }
    }
}

/// Not taken, this time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// What stood in the way, in a few words of ours.
    pub why: String,
    /// For how long whoever was asked wants to be left alone, if they said so.
    pub again_in: Option<SignedDuration>,
}

impl From<String> for Refused {
    fn from(why: String) -> Self {
        Self { why, again_in: None }
    }
}

impl From<&str> for Refused {
    fn from(why: &str) -> Self {
        why.to_owned().into()
    }
}

impl Outward {
    /// Asks outside, or also inside.
    #[must_use]
    pub fn new(private: bool) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .max_response_header_size(16 << 10)
            .max_idle_connections(0)
            .user_agent("wardroom")
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::new(), Outside { private });
        Self { agent, private, permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The same, with a bound of its own: what waits for answers here keeps nothing there from being asked.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_ONCE)), ..self.clone() }
    }

    /// Posts it; returns what of the answer counts, or what kept it from coming in a few words.
    ///
    /// # Errors
    /// Words of ours: nothing that an answer said is repeated.
    pub async fn post(&self, post: Post) -> Result<Answer, &'static str> {
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return Err("is not asked any more") };
        let agent = self.agent.clone();
        let asked = tokio::task::spawn_blocking(move || {
            // Held for as long as it is under way, also when nobody waits for it any more.
            let _permit = permit;
            let mut request = agent.post(post.uri);
            for (name, value) in post.fields {
                request = request.header(name, value);
            }
            let answer = request.send(&post.body[..]);
            answer.map(|mut answer| {
                let _ = answer.body_mut().with_config().limit(ANSWER_MAX).read_to_vec();
                Answer::of(answer.status().as_u16(), answer.headers())
            })
        });
        match asked.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(ureq::Error::HostNotFound)) => Err("is nowhere outside this house"),
            Ok(Err(ureq::Error::Timeout(_))) => Err("does not answer"),
            Ok(Err(ureq::Error::Tls(_) | ureq::Error::Rustls(_))) => Err("has no certificate that can be trusted"),
            Ok(Err(_)) | Err(_) => Err("cannot be reached"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_is_not_asked() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "172.16.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "168.63.129.16",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "::7f00:1",
        ] {
            assert!(!public(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["8.8.8.8", "2600::1", "64:ff9b::808:808", "2002:808:808::1"] {
            assert!(public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn an_endpoint_is_an_https_address_outside() {
        for fine in ["https://events.pagerduty.com/v2/enqueue", "https://8.8.8.8:8443/x?y=z", "https://[2600::1]:8443"]
        {
            assert!(endpoint(fine, false).is_ok(), "{fine}");
        }
        let long = format!("https://example.org/{}", "x".repeat(URL_MAX));
        for wrong in [
            "http://events.pagerduty.com",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://ada:pw@example.org/",
            "ftp://x",
            "events.pagerduty.com",
            "https://",
            "",
            "https://example.org/\r\nx",
            "https://exa mple.org",
            "https://127.0.0.1[::1]/",
            "https://8.8.@8.8:8443/",
            "https://[::1",
            "https://[2600::1]x/",
            "https://[127.0.0.1]/",
            "https://example.org:/",
            "https://example.org:99999/",
            "https://exa%6dple.org/",
            &long,
        ] {
            assert!(endpoint(wrong, false).is_err(), "{wrong}");
        }
        assert!(endpoint("http://127.0.0.1:9/", true).is_ok());
    }

    /// `localhost` is a name like any other until it is looked up.
    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_followed() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let uri: Uri = format!("https://localhost:{}/", listener.local_addr().unwrap().port()).parse().unwrap();
        let post = Post { uri, fields: Vec::new(), body: Vec::new() };
        assert_eq!(Outward::new(false).post(post).await, Err("is nowhere outside this house"));
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "nobody came");
    }
}

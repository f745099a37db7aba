//! What is to be fetched: a URL that somebody gave, read once and strictly. Pure.
//!
//! It is read by the rules of browsers, so that a number or a name in other letters is the address that it leads to, and
//! what is checked is written out anew for whoever connects: nobody reads it in two ways.

use std::fmt;
use std::str::FromStr;

use url::{Host, Position, Url};
use wardroom_core::text::{LINE_MAX, Line};

use super::listed::host;

/// The longest URL that is fetched, in bytes.
pub const URL_MAX: usize = 2_000;

/// Why a URL is not one to fetch, in a sentence.
#[derive(Copy, Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadUrl {
    /// Nothing that could be read, or far too long.
    #[error(
        "A URL to fetch looks like https://graphs.example.org/render/search.png, and has at most 2,000 characters."
    )]
    Wrong,
    /// Neither of the two schemes.
    #[error("Only what begins with https:// or http:// is fetched.")]
    Scheme,
    /// A name or a password before the host.
    #[error("A URL with a name or password in it is not fetched: what it has would be sent on. Leave them out.")]
    Credentials,
}

/// A URL that may be fetched, if its host is listed. What stands behind its “?” may be a secret: it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    url: Url,
    host: Host,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.place())
    }
}

impl Target {
    fn of(url: Url) -> Result<Self, BadUrl> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BadUrl::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadUrl::Credentials);
        }
        let host = url.host_str().and_then(host).ok_or(BadUrl::Wrong)?;
        let mut url = url;
        url.set_fragment(None);
        url.set_host(Some(&host.to_string())).map_err(|_| BadUrl::Wrong)?;
        if url.as_str().len() > URL_MAX {
            return Err(BadUrl::Wrong);
        }
        Ok(Self { url, host })
    }

    /// Where a redirect leads, written as the answer has it. One from TLS into the clear leads nowhere.
    ///
    /// # Errors
    /// [`BadUrl`] for what is not to be fetched.
    pub fn redirected(&self, location: &str) -> Result<Self, BadUrl> {
        if location.len() > URL_MAX {
            return Err(BadUrl::Wrong);
        }
        let next = Self::of(self.url.join(location).map_err(|_| BadUrl::Wrong)?)?;
        if self.url.scheme() == "https" && next.url.scheme() != "https" {
            return Err(BadUrl::Scheme);
        }
        Ok(next)
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }

    /// Whether it is at this port, or, where none is said, at that of its scheme.
    #[must_use]
    pub fn is_at(&self, port: Option<u16>) -> bool {
        port.map_or_else(|| self.url.port().is_none(), |port| port == self.port())
    }

    /// All of it, for whoever connects.
    pub(super) fn whole(&self) -> &str {
        self.url.as_str()
    }

    /// Its host, and its port if it is not the usual one: as it would be listed.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }

    /// What it is called as evidence: its host and path. What stands behind is nowhere.
    #[must_use]
    pub fn name(&self) -> Line {
        let shown = &self.url[Position::BeforeHost..Position::AfterPath];
        let name: String = shown.trim_end_matches('/').chars().take(LINE_MAX).collect();
        name.parse().expect("a host and a path are some letters in one line")
    }
}

impl FromStr for Target {
    type Err = BadUrl;
    fn from_str(given: &str) -> Result<Self, BadUrl> {
        let given = given.trim();
        if given.len() > URL_MAX || given.chars().any(|c| c.is_control() || c == '\\') {
            return Err(BadUrl::Wrong);
        }
        let spelt = given.get(..16).unwrap_or(given).to_ascii_lowercase();
        if !spelt.contains("://") {
            return Err(BadUrl::Wrong);
        }
        Self::of(Url::parse(given).map_err(|_| BadUrl::Wrong)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &str) -> Target {
        given.parse().unwrap_or_else(|why| panic!("{given}: {why}"))
    }

    #[test]
    fn a_url_is_read_once_and_written_out_anew() {
        for (given, whole) in [
            ("https://Example.ORG", "https://example.org/"),
            ("https://example.org.:443/a/../b#c", "https://example.org/b"),
            ("http://0x7f.1/", "http://127.0.0.1/"),
            ("http://2130706433/", "http://127.0.0.1/"),
            ("http://0177.0.0.1:80/", "http://127.0.0.1/"),
            ("http://127.1/", "http://127.0.0.1/"),
            ("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
            ("http://１２７.0.0.1/", "http://127.0.0.1/"),
            ("http://127。0。0。1/", "http://127.0.0.1/"),
            ("https://bücher.example:8443/ü?x=ü", "https://xn--bcher-kva.example:8443/%C3%BC?x=%C3%BC"),
        ] {
            assert_eq!(read(given).whole(), whole, "{given}");
            assert_eq!(read(whole), read(given), "{given}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        let long = format!("https://example.org/{}", "x".repeat(URL_MAX));
        for (given, why) in [
            ("", BadUrl::Wrong),
            ("example.org/graph.png", BadUrl::Wrong),
            ("https:example.org", BadUrl::Wrong),
            ("https://", BadUrl::Wrong),
            ("https://exa mple.org/", BadUrl::Wrong),
            ("https://*.example.org/", BadUrl::Wrong),
            ("https://example.org:99999/", BadUrl::Wrong),
            ("https://256.1.1.1/", BadUrl::Wrong),
            ("https://exa%00mple.org/", BadUrl::Wrong),
            ("https://a..b/", BadUrl::Wrong),
            ("https://example.org\\@evil.example/", BadUrl::Wrong),
            ("https://example.org/\r\nx", BadUrl::Wrong),
            ("https://example\t.org/", BadUrl::Wrong),
            (&long, BadUrl::Wrong),
            ("ftp://example.org/", BadUrl::Scheme),
            ("file:///etc/passwd", BadUrl::Scheme),
            ("gopher://x/", BadUrl::Scheme),
            ("https://ada@example.org/", BadUrl::Credentials),
            ("https://ada:pw@example.org/", BadUrl::Credentials),
            ("https://:pw@example.org/", BadUrl::Credentials),
        ] {
            assert_eq!(given.parse::<Target>(), Err(why), "{given}");
        }
    }

    #[test]
    fn what_stands_behind_the_question_mark_is_never_shown() {
        let target = read("https://example.org:3000/render/d-solo/x.png?panel=2&token=hunter2#hunter2");
        assert_eq!(target.name().as_str(), "example.org:3000/render/d-solo/x.png");
        assert_eq!(format!("{} {target:?}", target.place()), "example.org:3000 Target(example.org:3000)");
        assert!(target.whole().ends_with("?panel=2&token=hunter2"), "but it is asked for");
        let deep = read(&format!("https://example.org/{}", "ü".repeat(150)));
        assert_eq!(deep.name().as_str().chars().count(), LINE_MAX);
        assert_eq!(read("https://example.org").name().as_str(), "example.org");
    }

    #[test]
    fn a_redirect_is_read_as_strictly_and_never_leads_out_of_tls() {
        let from = read("https://example.org/a/b?token=x");
        let leads = |to: &str| from.redirected(to).map(|target| target.whole().to_owned());
        assert_eq!(leads("c").as_deref(), Ok("https://example.org/a/c"));
        assert_eq!(leads("/c?d").as_deref(), Ok("https://example.org/c?d"));
        assert_eq!(leads("//evil.example/x").as_deref(), Ok("https://evil.example/x"));
        assert_eq!(leads("http://example.org/"), Err(BadUrl::Scheme));
        assert_eq!(leads("file:///etc/passwd"), Err(BadUrl::Scheme));
        assert_eq!(leads("https://ada:pw@example.org/"), Err(BadUrl::Credentials));
        assert_eq!(leads(&"x".repeat(URL_MAX + 1)), Err(BadUrl::Wrong));
        let clear = read("http://example.org/").redirected("https://example.org/");
        assert_eq!(clear.map(|target| target.port()), Ok(443));
    }
}

//! Where people find a server: a scheme, a name and perhaps a port. Pure.

use std::net::IpAddr;
use std::str::FromStr;

use axum::http::Uri;
use serde::{Deserialize, Serialize};

/// Such as `https://wardroom.example.org`, without a path.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicUrl {
    origin: String,
    host: String,
}

impl PublicUrl {
    /// As a browser names it as an origin: without a slash at the end, and without a port that goes without saying.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The name alone.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether it has a name that passkeys can be bound to, and is no bare address.
    #[must_use]
    pub fn is_named(&self) -> bool {
        !self.host.starts_with('[') && self.host.parse::<IpAddr>().is_err()
    }
}

impl FromStr for PublicUrl {
    type Err = &'static str;
    fn from_str(given: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "it begins with http:// or https:// and ends with the name and perhaps a port, such as \
                             https://wardroom.example.org";
        let uri: Uri = given.trim().parse().map_err(|_| WRONG)?;
        let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https")).ok_or(WRONG)?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or(WRONG)?;
        let plain = uri.path_and_query().is_none_or(|rest| rest.as_str() == "/");
        let host = authority.host().to_ascii_lowercase();
        if !plain || host.is_empty() {
            return Err(WRONG);
        }
        let usual = if scheme == "https" { 443 } else { 80 };
        let port = authority.port_u16().filter(|port| *port != usual);
        let origin = match port {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        Ok(Self { origin, host })
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = &'static str;
    fn try_from(given: String) -> Result<Self, Self::Error> {
        given.parse()
    }
}

impl From<PublicUrl> for String {
    fn from(url: PublicUrl) -> Self {
        url.origin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_origin() {
        for (given, origin, host) in [
            ("https://Wardroom.example.org/", "https://wardroom.example.org", "wardroom.example.org"),
            ("https://wardroom.example.org:443", "https://wardroom.example.org", "wardroom.example.org"),
            ("http://localhost:8080", "http://localhost:8080", "localhost"),
            ("http://[::1]:8080", "http://[::1]:8080", "[::1]"),
        ] {
            let url: PublicUrl = given.parse().unwrap();
            assert_eq!((url.origin(), url.host()), (origin, host));
        }
        for bad in ["", "wardroom.example.org", "ftp://a", "https://", "https://a/b", "https://a?b", "https://u:p@a"] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
        let named = |given: &str| given.parse::<PublicUrl>().unwrap().is_named();
        assert!(named("http://localhost:1") && !named("http://127.0.0.1:1") && !named("http://[::1]"));
    }
}

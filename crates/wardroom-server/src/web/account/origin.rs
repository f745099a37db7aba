//! Whether a request comes from Wardroom's own page: what a browser says about that, no other page can forge. Pure.

use axum::http::{HeaderMap, StatusCode, Uri, header};

use crate::web::problem::Problem;

/// What a browser says about the page that asks.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Asks {
    /// Ours.
    Ours,
    /// Somebody else's.
    Foreign,
    /// Nothing: it is no browser, or a very old one.
    Untold,
}

fn told<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Which page asks.
pub fn asks(headers: &HeaderMap) -> Asks {
    match told(headers, "sec-fetch-site") {
        Some("same-origin") => return Asks::Ours,
        Some(_) => return Asks::Foreign,
        None => {}
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Asks::Untold };
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let ours = origin.as_ref().and_then(Uri::authority).is_some_and(|authority| {
        told(headers, "host").is_some_and(|host| host.eq_ignore_ascii_case(authority.as_str()))
    });
    if ours { Asks::Ours } else { Asks::Foreign }
}

/// How a page that is not ours is refused.
pub fn refused() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "foreign_origin",
        "This came from another page than Wardroom's own, so nothing was done. If Wardroom stands behind a proxy, \
         the proxy has to pass on the Host header as it came.",
    )
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn only_our_own_page_is_ours() {
        let host = ("host", "wardroom.example.net:8080");
        for (more, expected) in [
            (&[("origin", "http://wardroom.example.net:8080")][..], Asks::Ours),
            (&[("origin", "https://Wardroom.example.net:8080")], Asks::Ours),
            (&[("origin", "http://wardroom.example.net")], Asks::Foreign),
            (&[("origin", "http://wardroom.example.net:8080.evil.example")], Asks::Foreign),
            (&[("origin", "null")], Asks::Foreign),
            (&[("origin", "")], Asks::Foreign),
            (&[("sec-fetch-site", "same-origin")], Asks::Ours),
            (&[("sec-fetch-site", "same-origin"), ("origin", "https://outside.example")], Asks::Ours),
            (&[("sec-fetch-site", "same-site"), ("origin", "http://wardroom.example.net:8080")], Asks::Foreign),
            (&[("sec-fetch-site", "cross-site")], Asks::Foreign),
            (&[("sec-fetch-site", "none")], Asks::Foreign),
            (&[], Asks::Untold),
        ] {
            let lines = more.iter().chain([&host]);
            let headers: HeaderMap =
                lines.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect();
            assert_eq!(asks(&headers), expected, "{more:?}");
        }
    }
}

//! The session's cookie: how it is set, taken away and found again. Pure.
//!
//! Where the browser came through TLS it is `__Host-wardroom`: no other host and no plain connection can set or
//! see it. On plain HTTP no such cookie can be set, and it is `wardroom`.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::account::{SESSION_LASTS, secret::Sort};

const SECURE: &str = "__Host-wardroom";
const PLAIN: &str = "wardroom";
/// Cookies of a request that are looked at.
const LOOKED_AT: usize = 50;

/// The secret of a session's cookie: bounded, and never echoed.
pub fn secret(headers: &HeaderMap) -> Option<&str> {
    let cookies = || {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('=')).take(LOOKED_AT)
    };
    let named = |wanted: &str| cookies().find(|(name, _)| *name == wanted).map(|(_, value)| value);
    named(SECURE).or_else(|| named(PLAIN)).filter(|value| Sort::Session.fits(value))
}

/// Whether the browser came through TLS, here or at a proxy: its own `Origin` says so, which no page can forge.
pub fn came_through_tls(headers: &HeaderMap) -> bool {
    let starts = |name: &str, with: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.starts_with(with))
    };
    starts("origin", "https://") || starts("x-forwarded-proto", "https")
}

/// Sets the cookie.
pub fn set(secret: &str, secure: bool) -> HeaderValue {
    let (name, more) = if secure { (SECURE, "; Secure") } else { (PLAIN, "") };
    let lasts = SESSION_LASTS.as_secs();
    let cookie = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={lasts}{more}");
    HeaderValue::from_str(&cookie).expect("a secret is written in hexadecimal digits")
}

/// Takes both cookies away.
pub fn taken_away() -> [HeaderValue; 2] {
    [
        HeaderValue::from_static("__Host-wardroom=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0; Secure"),
        HeaderValue::from_static("wardroom=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &str)| {
            (header::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn the_cookie_is_found_among_others_and_bounded() {
        let (mine, other) = (format!("ws_{}", "a".repeat(64)), format!("ws_{}", "b".repeat(64)));
        let found = |line: &str| secret(&headers(&[("cookie", line)])).map(str::to_owned);
        assert_eq!(found(&format!("a=b; wardroom={mine}")), Some(mine.clone()));
        assert_eq!(found(&format!("wardroom={other}; __Host-wardroom={mine}")), Some(mine.clone()));
        for bad in ["", "wardroom", "wardroom=", "wardroom=ws_short", &format!("wardroom=wr_{}", "a".repeat(64))] {
            assert_eq!(found(bad), None, "{bad}");
        }
        assert_eq!(found(&format!("{}wardroom={mine}", "a=b;".repeat(10_000))), None);
    }

    #[test]
    fn a_cookie_is_bound_to_the_host_where_there_is_tls() {
        let said = |secure| set("ws_1", secure).to_str().unwrap().to_owned();
        assert_eq!(said(true), "__Host-wardroom=ws_1; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000; Secure");
        assert_eq!(said(false), "wardroom=ws_1; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000");
        assert!(came_through_tls(&headers(&[("origin", "https://wardroom.example.net")])));
        assert!(came_through_tls(&headers(&[("x-forwarded-proto", "https")])));
        assert!(!came_through_tls(&headers(&[("origin", "http://localhost:8080")])));
    }
}

//! Handing out the page: the files that Vite built, embedded in the program and compressed once.
//!
//! Every place of the page has an address of its own and gets the same `index.html`, which is asked for anew each time
//! and names the other files by their content, so those can be kept for ever.

use std::collections::HashMap;
use std::io::Write;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use rust_embed::RustEmbed;

use super::problem::Problem;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Dist;

/// What the page may load and do: its own files and this server, and nothing written into it by anybody.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src \
                      'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      form-action 'none'";
/// What the page's service worker may do: it speaks to this server.
const WORKER_POLICY: &str = "default-src 'none'; connect-src 'self'; img-src 'self'";
/// The page's service worker, at the root so that it may be that of every place.
const WORKER: &str = "/worker.js";
/// What stands at `/` when the server was built without the page.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Wardroom</title>\
    <p>Wardroom runs, but was built without its page. Stop it, type <code>make build</code>, and start it again.\
    <p>The terminal works meanwhile: <code>wardroom list</code>, <code>wardroom --help</code>.</html>";
/// Smaller files are not worth compressing.
const COMPRESSED_FROM: usize = 512;

/// A file as it is sent.
struct File {
    kind: &'static str,
    /// Of the content, as an entity tag.
    tag: HeaderValue,
    plain: Bytes,
    gzip: Option<Bytes>,
    /// Its name says its content: it never changes.
    for_ever: bool,
}

static FILES: LazyLock<HashMap<String, File>> = LazyLock::new(|| {
    let files = Dist::iter().filter_map(|name| {
        let file = Dist::get(&name)?;
        let plain = Bytes::from(file.data.into_owned());
        let tag: String = file.metadata.sha256_hash()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let kind = kind(&name);
        let gzip = compressible(kind).then(|| gzip(&plain)).filter(|gzip| gzip.len() < plain.len());
        let tag = HeaderValue::from_str(&format!("\"{tag}\"")).expect("it is written in hexadecimal digits");
        Some((format!("/{name}"), File { kind, tag, plain, gzip, for_ever: name.starts_with("assets/") }))
    });
    files.collect()
});

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn compressible(kind: &str) -> bool {
    kind.starts_with("text/") || kind.ends_with("json") || kind.ends_with("+xml")
}

fn gzip(plain: &[u8]) -> Bytes {
    if plain.len() < COMPRESSED_FROM {
        return Bytes::copy_from_slice(plain);
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(plain).and_then(|()| gzip.finish()).expect("memory takes what is written").into()
}

/// Whatever no other route takes: a file of the page, a place of the page, or nothing.
pub(super) async fn page(request: Request) -> Response {
    let path = request.uri().path();
    if !matches!(*request.method(), Method::GET | Method::HEAD) || path.starts_with("/api/") {
        return nothing_here();
    }
    if let Some(file) = FILES.get(path).filter(|_| path != "/index.html") {
        let sent = send(file, request.headers());
        return if path == WORKER { with_policy(sent, WORKER_POLICY) } else { sent };
    }
    if !is_place(path, request.headers()) {
        return nothing_here();
    }
    match FILES.get("/index.html") {
        Some(index) => with_policy(send(index, request.headers()), POLICY),
        None => with_policy(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], NOT_BUILT).into_response(), POLICY),
    }
}

/// Whether an address is one of the page's places. The page itself says so where there is nothing at it.
fn is_place(path: &str, headers: &HeaderMap) -> bool {
    let wants = |header| headers.get(header).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    let asset = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
    path == "/" || (!asset && wants(header::ACCEPT).contains("text/html"))
}

fn nothing_here() -> Response {
    Problem::new(StatusCode::NOT_FOUND, "no_such_page", "There is nothing at this address.").into_response()
}

fn with_policy(mut response: Response, policy: &'static str) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn send(file: &File, asked: &HeaderMap) -> Response {
    let told = |name| asked.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    let lasts = if file.for_ever { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut headers = HeaderMap::new();
    headers.insert(header::ETAG, file.tag.clone());
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(lasts));
    let tag = file.tag.to_str().unwrap_or_default();
    if told(header::IF_NONE_MATCH).split(',').any(|known| known.trim().trim_start_matches("W/") == tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
    let body = match &file.gzip {
        Some(gzip) if takes_gzip(told(header::ACCEPT_ENCODING)) => {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            gzip
        }
        _ => &file.plain,
    };
    (headers, Body::from(body.clone())).into_response()
}

fn takes_gzip(encodings: &str) -> bool {
    encodings.split(',').any(|encoding| {
        let (name, quality) = encoding.split_once(';').unwrap_or((encoding, ""));
        name.trim() == "gzip" && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_from_files() {
        let browser = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("text/html,*/*;q=0.8"))]);
        let other = HeaderMap::new();
        assert!(is_place("/", &browser) && is_place("/", &other));
        assert!(is_place("/incidents/7", &browser) && !is_place("/incidents/7", &other));
        assert!(!is_place("/assets/gone.js", &browser) && !is_place("/favicon.ico", &browser));
    }

    #[test]
    fn gzip_is_for_those_who_take_it() {
        assert!(takes_gzip("gzip") && takes_gzip("br, gzip;q=0.8"));
        assert!(!takes_gzip("") && !takes_gzip("br") && !takes_gzip("gzip;q=0, br"));
    }
}

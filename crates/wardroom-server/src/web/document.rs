//! Where a state document's socket is asked for: y-websocket over an upgraded connection.

mod socket;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use wardroom_core::id::Number;

use super::account::origin;
use super::parse::InPath;
use super::problem::Problem;
use super::who::{By, Reader};
use crate::document::close::Close;
use crate::document::wire::SUBPROTOCOL;
use crate::server::Server;

/// Write in the incident's state document, together with others.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}/document",
    params(("number" = Number, Path, description = "The incident"),
           ("epoch" = Option<String>, Query, description = "For which log the client keeps words: what stands before the first dot of a cursor. Another one is closed with 4410"),
           ("as" = Option<String>, Query, description = "Whom the client means, by their id. Whoever is somebody else is closed with 4412")),
    responses((status = 101, description = "A WebSocket that speaks the y-websocket protocol: the parts are the Y.Texts `summary`, `status` and `notes`. Its messages, limits and close codes stand in docs/document-protocol.md"),
              (status = 403, description = "A browser's page that is not Wardroom's own asks"),
              (status = 404, description = "There is no such incident"),
              (status = 426, description = "This is no request for a WebSocket")),
)]
pub(super) async fn join(
    State(server): State<Server>,
    reader: Reader,
    InPath(number): InPath,
    mut request: Request,
) -> Result<Response, Problem> {
    // A browser sends its cookie whoever's page asks, and lets any page read what a socket says.
    if matches!(reader.by, By::Session(_)) && origin::asks(request.headers()) != origin::Asks::Ours {
        return Err(origin::refused());
    }
    server.visible(&reader, number).await?;
    let upgrade = request.extensions_mut().remove::<OnUpgrade>();
    let key = key(request.headers()).zip(upgrade);
    let Some((key, upgrade)) = key else { return Ok(no_websocket()) };
    let ours = offers(request.headers(), SUBPROTOCOL);
    let refused = {
        let query = request.uri().query().unwrap_or_default();
        let meant = field(query, "as").map(|meant| reader.is_meant_by(meant)).transpose()?;
        let epoch = server.watch.epoch().simple().to_string();
        // Whose words they are comes first: of whoever is here now nothing is told to somebody else's page.
        match field(query, "epoch") {
            _ if meant == Some(false) => Some(Close::somebody_else()),
            Some(other) if other != epoch => Some(Close::restored()),
            _ => None,
        }
    };
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, key);
    if ours {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    let busy = server.documents.busy();
    tokio::spawn(async move {
        let _busy = busy;
        match upgrade.await {
            Ok(upgraded) => socket::hold(server, reader, number, Asked { ours, refused }, upgraded).await,
            Err(error) => tracing::debug!(%error, "no WebSocket came about"),
        }
    });
    Ok(answer)
}

/// What a request says of its client.
struct Asked {
    /// It is a page that understands more than y-websocket.
    ours: bool,
    /// Why it is closed before anything is said. A browser tells its page nothing of an upgrade that is refused.
    refused: Option<Close>,
}

/// What a field of a query says: ids, which need no unfolding.
fn field<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
}

fn no_websocket() -> Response {
    let sentence = "This address is for WebSockets of version 13, over HTTP/1.1: a state document is written there. Read \
                    it with a client that speaks y-websocket.";
    let mut answer = Problem::new(StatusCode::UPGRADE_REQUIRED, "websockets_only", sentence).into_response();
    answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    answer
}

/// Whether one of the names in a field's lists is this one.
fn offers(headers: &HeaderMap, name: &str) -> bool {
    listed(headers, header::SEC_WEBSOCKET_PROTOCOL, |offered| offered == name)
}

fn listed(headers: &HeaderMap, field: header::HeaderName, is: impl Fn(&str) -> bool) -> bool {
    let lists = headers.get_all(field).into_iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|name| is(name.trim()))
}

/// The answer to the key of a request that asks for a WebSocket; `None` for one that does not.
fn key(headers: &HeaderMap) -> Option<HeaderValue> {
    let asks = listed(headers, header::CONNECTION, |name| name.eq_ignore_ascii_case("upgrade"))
        && listed(headers, header::UPGRADE, |name| name.eq_ignore_ascii_case("websocket"))
        && headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| asks)?;
    HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok()
}

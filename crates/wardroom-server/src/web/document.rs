//! The state document's socket: y-websocket over an upgraded connection.
//!
//! Whoever holds one is looked at again with every entry of the log and once a second: a socket whose reader is signed
//! out, or may not see the incident any more, is closed, however much waits to be sent to it. What it says goes to the
//! document's room, which answers through a bounded queue.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::sync::watch as signal;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use wardroom_core::id::Number;
use wardroom_core::token::Scope;

use super::account::origin;
use super::parse::InPath;
use super::problem::Problem;
use super::who::{By, Reader};
use crate::document::Place;
use crate::document::close::Close;
use crate::document::limits::MESSAGE_MAX;
use crate::document::seat::{Guest, Outbox, boxes};
use crate::document::wire::{self, SUBPROTOCOL};
use crate::server::Server;

/// How often a socket looks whether its reader is still signed in, and may still see the incident.
const LOOK: Duration = Duration::from_secs(1);
/// Looks between two signs of life: clients give up on a server of which they hear nothing for half a minute.
const LOOKS_SILENT: u32 = 10;
/// What a message may have beside its update, in bytes.
const AROUND: usize = 64;
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(3);
/// How much of what is still on its way is taken while saying goodbye, in bytes: closed before, its sender might never
/// read why.
const ON_ITS_WAY: u64 = 256 << 20;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Write in the incident's state document, together with others.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}/document", params(("number" = Number, Path, description = "The incident")),
    responses((status = 101, description = "A WebSocket that speaks the y-websocket protocol: the parts are the Y.Texts `summary`, `status` and `notes`"),
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
            Ok(upgraded) => hold(server, reader, number, ours, upgraded).await,
            Err(error) => tracing::debug!(%error, "no WebSocket came about"),
        }
    });
    Ok(answer)
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

/// One socket that is open.
struct Held {
    server: Server,
    reader: Reader,
    number: Number,
    place: Place,
    outbox: Outbox,
    news: signal::Receiver<u64>,
    stopping: signal::Receiver<bool>,
}

async fn hold(server: Server, reader: Reader, number: Number, ours: bool, upgraded: Upgraded) {
    let most = MESSAGE_MAX + AROUND;
    let config = WebSocketConfig::default().max_message_size(Some(most)).max_frame_size(Some(most));
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let (mut sink, mut stream) = socket.split();
    let (inbox, outbox) = boxes();
    let guest = Guest { person: reader.person, acts: reader.scope >= Scope::Respond, ours };
    let why = match server.documents.join(number, guest, inbox).await {
        None => Some(Close::too_many()),
        Some(place) => {
            let (news, stopping) = (server.watch.subscribe(), server.stopping.clone());
            let held = Held { server, reader, number, place, outbox, news, stopping };
            held.talk(&mut sink, &mut stream).await
        }
    };
    if let Some(why) = why
        && let Ok(socket) = sink.reunite(stream)
    {
        let _ = timeout(GOODBYE, goodbye(socket, &why)).await;
    }
}

/// Says why, and takes what was on its way until the other side closes as well.
async fn goodbye(mut socket: Socket, why: &Close) -> Result<(), Error> {
    let reason = why.reason.as_str().into();
    socket.send(Message::Close(Some(CloseFrame { code: CloseCode::from(why.code), reason }))).await?;
    tokio::io::copy(&mut socket.get_mut().take(ON_ITS_WAY), &mut tokio::io::sink()).await?;
    Ok(())
}

impl Held {
    /// Passes on what is said until one side ends it; why, if it is this one.
    async fn talk(mut self, sink: &mut SplitSink<Socket, Message>, stream: &mut SplitStream<Socket>) -> Option<Close> {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut silent, mut unsent, mut said) = (0, false, None::<Bytes>);
        let (mut closing, mut stopping) = (self.outbox.closing.clone(), self.stopping.clone());
        loop {
            tokio::select! {
                biased;
                why = async { closing.wait_for(Option::is_some).await.ok().and_then(|why| why.clone()) } => return why,
                () = async { drop(stopping.wait_for(|stop| *stop).await) } => return Some(Close::stopping()),
                _ = self.news.changed() => if let Some(why) = self.look().await { return Some(why) },
                _ = look.tick() => {
                    if let Some(why) = self.look().await {
                        return Some(why);
                    }
                    silent += 1;
                    if silent >= LOOKS_SILENT && !unsent {
                        silent = 0;
                        sink.feed(Message::Binary(wire::present([].iter()).into())).await.ok()?;
                        unsent = true;
                    }
                }
                sent = sink.flush(), if unsent => {
                    sent.ok()?;
                    unsent = false;
                }
                message = self.outbox.next(), if !unsent => {
                    // What waits together goes in one write.
                    let mut next = Some(message?);
                    while let Some(message) = next {
                        sink.feed(Message::Binary(message)).await.ok()?;
                        next = self.outbox.ready();
                    }
                    (silent, unsent) = (0, true);
                }
                taken = self.place.say(said.clone().unwrap_or_default()), if said.is_some() => {
                    if !taken {
                        return Some(Close::stopping());
                    }
                    said = None;
                }
                heard = stream.next(), if said.is_none() => match heard? {
                    Ok(Message::Binary(message)) => said = Some(message),
                    Ok(Message::Text(_)) => return Some(Close::malformed("it is text, and they are binary")),
                    Ok(Message::Ping(_)) => unsent = true, // Its answer waits.
                    Ok(Message::Pong(_) | Message::Frame(_)) => {}
                    Ok(Message::Close(_)) => {
                        let _ = timeout(GOODBYE, sink.flush()).await;
                        return None;
                    }
                    Err(Error::Capacity(_)) => return Some(Close::too_large("This message is larger than 1 MiB.")),
                    Err(Error::Protocol(_) | Error::Utf8(_)) => return Some(Close::malformed("it is no WebSocket's")),
                    Err(_) => return None,
                },
            }
        }
    }

    /// Whether they may still be here.
    async fn look(&mut self) -> Option<Close> {
        if !self.reader.still_signed_in(&self.server.streams.directory().directory) {
            return Some(Close::signed_out());
        }
        match self.server.streams.incident(self.number).await {
            Ok(Some(held)) if held.incident.visible_to(self.reader.person, &self.reader.facts) => None,
            Ok(_) => Some(Close::not_yours()),
            Err(_) => None, // It cannot be found out at the moment; what is seen here was seen before.
        }
    }
}

//! Conversations: each connection is served to its end, over HTTP/1 or, with TLS, HTTP/2; and all of them end when the
//! server is told to stop.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, Response, Version, header};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch as signal};
use tower_service::Service;

use super::connection::{Connection, Connections, Peer, STUCK};
use super::taken::Waiting;
use super::tls::Tls;

/// Requests at once on one connection of HTTP/2.
const STREAMS: u32 = 100;
/// What the fields of a header may weigh together before the library refuses it without a word; the router refuses less
/// than that, with one.
const HEADER_MAX: u32 = 64 << 10;
/// How long a browser shall ask this host in TLS only, in seconds: a year.
const IN_TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// One connection's side of the table.
#[derive(Clone)]
struct Conversation {
    router: Router,
    peer: SocketAddr,
    tls: bool,
    stopping: signal::Receiver<bool>,
}

/// Serves whoever connects until the server is told to stop, and then whoever is connected until what they asked is
/// answered.
pub async fn serve(
    mut connections: Connections,
    router: Router,
    tls: Option<Tls>,
    mut stopping: signal::Receiver<bool>,
) {
    let (open, mut closed) = mpsc::channel::<()>(1);
    loop {
        let (connection, peer) = tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => break,
            accepted = connections.accept() => accepted,
        };
        let (router, stopping) = (router.clone(), stopping.clone());
        let conversation = Conversation { router, peer, tls: tls.is_some(), stopping };
        let (tls, open) = (tls.clone(), open.clone());
        tokio::spawn(async move {
            conversation.hold(connection, tls).await;
            drop(open);
        });
    }
    drop((connections, open));
    closed.recv().await; // Nothing is ever sent: it ends when the last conversation has.
}

impl Conversation {
    async fn hold(mut self, connection: Connection, tls: Option<Tls>) {
        let peer = self.peer;
        let ended = match tls {
            None => self.over_http1(connection).await,
            Some(tls) => {
                let greeted = tokio::select! {
                    _ = self.stopping.wait_for(|stop| *stop) => return,
                    greeted = tls.greet(connection) => greeted,
                };
                match greeted {
                    Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => self.over_http2(stream).await,
                    Ok(stream) => self.over_http1(stream).await,
                    Err(error) => return tracing::debug!(%peer, %error, "no TLS came about"),
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "a connection broke");
        }
    }

    async fn over_http1(mut self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> hyper::Result<()> {
        let this = self.clone();
        let answers = service_fn(move |request| this.answer(request));
        let mut talk = pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), answers).with_upgrades());
        tokio::select! {
            ended = talk.as_mut() => return ended,
            _ = self.stopping.wait_for(|stop| *stop) => talk.as_mut().graceful_shutdown(),
        }
        talk.await
    }

    async fn over_http2(mut self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> hyper::Result<()> {
        let (this, waiting) = (self.clone(), Waiting::default());
        let watched = waiting.clone();
        let answers = service_fn(move |request| {
            let (answer, watched) = (this.answer(request), watched.clone());
            async move { Ok::<_, Infallible>(answer.await?.map(|body| watched.watch(body))) }
        });
        let mut settings = http2::Builder::new(TokioExecutor::new());
        settings.max_concurrent_streams(STREAMS).max_header_list_size(HEADER_MAX);
        let mut talk = pin!(settings.serve_connection(TokioIo::new(stream), answers));
        let stopped = async { drop(self.stopping.wait_for(|stop| *stop).await) };
        let mut stuck = pin!(waiting.too_long(STUCK));
        // Whoever takes one answer no more is cut off, as over HTTP/1, and resumes with a cursor.
        tokio::select! {
            ended = talk.as_mut() => return ended,
            () = stuck.as_mut() => return Ok(()),
            () = stopped => talk.as_mut().graceful_shutdown(),
        }
        tokio::select! {
            ended = talk => ended,
            () = stuck => Ok(()),
        }
    }

    /// One request's answer, from the table of routes. Which way it came by is told in the words that a proxy would tell
    /// it in.
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Result<Response<Body>, Infallible>> + use<> {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(Peer(self.peer)));
        if request.version() == Version::HTTP_2 {
            // There it is a part of the address.
            let host = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
            if let Some(host) = host {
                request.headers_mut().insert(header::HOST, host);
            }
        }
        let remembers = self.tls && may_be_remembered(&request);
        if self.tls {
            request.headers_mut().insert("x-forwarded-proto", HeaderValue::from_static("https"));
        }
        let answer = self.router.clone().call(request);
        async move {
            let mut answer = answer.await?;
            if remembers {
                answer.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, IN_TLS_ONLY);
            }
            Ok(answer)
        }
    }
}

/// Whether a browser may be asked to come to this host in TLS only. Not to this machine itself: what else listens here
/// would become out of reach.
fn may_be_remembered(request: &Request<Body>) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name);
    !name.is_empty() && !name.starts_with('[') && name != "localhost" && name.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::routing::get;
    use tokio::sync::Notify;
    use tokio::time::Instant;

    use super::*;

    fn conversation(router: Router) -> (signal::Sender<bool>, Conversation) {
        let (stop, stopping) = signal::channel(false);
        (stop, Conversation { router, peer: SocketAddr::from(([127, 0, 0, 1], 1)), tls: true, stopping })
    }

    async fn asked(host: &str, path: &str) -> (h2::client::SendRequest<bytes::Bytes>, h2::client::ResponseFuture) {
        let router = Router::new()
            .route("/long", get(|| async { vec![7_u8; 1 << 20] }))
            .route("/host", get(|headers: axum::http::HeaderMap| async move { format!("{:?}", headers.get("host")) }));
        let (near, far) = tokio::io::duplex(1 << 22);
        let (stop, conversation) = conversation(router);
        let (mut ask, connection) = h2::client::handshake(far).await.unwrap();
        tokio::spawn(connection);
        tokio::spawn(async move {
            let _stop = stop;
            conversation.over_http2(near).await
        });
        let request = Request::get(format!("https://{host}{path}")).body(()).unwrap();
        let (answer, _) = ask.send_request(request, true).unwrap();
        (ask, answer)
    }

    /// Its socket takes everything, and its window is shut: nobody noticed.
    #[tokio::test(start_paused = true)]
    async fn a_reader_who_takes_one_answer_no_more_is_cut_off() {
        let began = Instant::now();
        let (_ask, answer) = asked("wardroom.example.net", "/long").await;
        let mut body = answer.await.unwrap().into_body();
        let mut taken = 0;
        // It is read, and no more room is made.
        let end = loop {
            match body.data().await {
                Some(Ok(bytes)) => taken += bytes.len(),
                end => break end,
            }
        };
        assert!(matches!(end, Some(Err(_))) && taken < 1 << 17, "{taken} {end:?}");
        assert!(began.elapsed() >= STUCK && began.elapsed() < STUCK * 2, "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn the_host_is_known_over_http2_and_remembered_where_it_has_a_name() {
        for (host, remembered) in [
            ("wardroom.example.net:8443", true),
            ("localhost:8443", false),
            ("127.0.0.1", false),
            ("[::1]:8443", false),
        ] {
            let (_ask, answer) = asked(host, "/host").await;
            let answer = answer.await.unwrap();
            assert_eq!(answer.headers().contains_key(header::STRICT_TRANSPORT_SECURITY), remembered, "{host}");
            let said = answer.into_body().data().await.unwrap().unwrap();
            assert_eq!(said, format!("Some(\"{host}\")"));
        }
    }

    #[tokio::test]
    async fn whoever_is_told_to_stop_finishes_what_was_asked() {
        let (begun, end) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (in_it, ends) = (Arc::clone(&begun), Arc::clone(&end));
        let slow = get(|| async move {
            in_it.notify_one();
            ends.notified().await;
            "done"
        });
        let (stop, conversation) = conversation(Router::new().route("/", slow));
        let (near, far) = tokio::io::duplex(1 << 16);
        let talk = tokio::spawn(conversation.over_http2(near));
        let (mut ask, connection) = h2::client::handshake(far).await.unwrap();
        tokio::spawn(connection);
        let (answer, _) = ask.send_request(Request::get("https://a/").body(()).unwrap(), true).unwrap();
        begun.notified().await;
        stop.send(true).unwrap();
        end.notify_one();
        let mut body = answer.await.unwrap().into_body();
        assert_eq!(body.data().await.unwrap().unwrap(), "done");
        drop((body, ask));
        talk.await.unwrap().unwrap();
    }
}

//! Connections: how many at once, and for how long one may refuse to take what is sent to it, or take to ask.
//!
//! A reader that is stuck is cut off here, where it is noticed without asking anybody: its socket takes
//! nothing for half a minute. It resumes with its cursor; the others never wait for it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use super::callers::{Call, Callers};
use crate::config::Limits;

/// How long a socket, or one stream on it, may take nothing of what is waiting for it.
pub(super) const STUCK: Duration = Duration::from_secs(30);
/// How long a connection may say nothing and be told nothing: whoever only holds one keeps others out.
/// Live streams say that they are alive more often.
const IDLE: Duration = Duration::from_secs(90);
/// How long a request may take from its first byte until something of its answer goes: whoever sends a header byte
/// by byte is never silent. From the end of the header on, the router's shorter patience counts.
const ASKING: Duration = Duration::from_secs(60);
/// How long to wait after accepting failed, for instance for want of file descriptors.
const AGAIN: Duration = Duration::from_millis(100);

/// How long turning somebody away may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// What somebody is told whose address has too many connections: nothing of what they ask is read.
const TURNED_AWAY: &str = concat!(
    "HTTP/1.1 429 Too Many Requests\r\n",
    "content-type: application/problem+json\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n",
    "retry-after: 10\r\nconnection: close\r\n\r\n",
    r#"{"type":"urn:wardroom:problem:too_many_connections","title":"Too Many Requests","status":429,"#,
    r#""code":"too_many_connections","detail":"Your address holds as many connections as one may. Close some, or "#,
    r#"wait until they end; on the server, max_connections_per_address allows more."}"#,
);

/// Accepts so many connections at once; further ones wait in the kernel's queue. One address gets only so many of
/// them: a further one is answered that, and closed.
#[derive(Debug)]
pub struct Connections {
    listener: TcpListener,
    permits: Arc<Semaphore>,
    callers: Callers,
    /// In which words somebody is turned away; in none where they would have to be enciphered first.
    turned_away: &'static str,
}

impl Connections {
    /// Accepts at most so many connections at once, which speak TLS or not.
    #[must_use]
    pub fn new(listener: TcpListener, limits: Limits, tls: bool) -> Self {
        let permits = Arc::new(Semaphore::new(limits.connections.get()));
        let callers = Callers::new(limits.connections_per_address.get());
        Self { listener, permits, callers, turned_away: if tls { "" } else { TURNED_AWAY } }
    }

    /// The next one that there is room for.
    pub async fn accept(&mut self) -> (Connection, SocketAddr) {
        let mut permit = self.permit().await;
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => match self.callers.call(address.ip()) {
                    Some(call) => {
                        // Small live entries leave at once; what piles up is merged before it gets here.
                        let _ = stream.set_nodelay(true);
                        return (Connection::new(stream, IDLE, ASKING, Some((permit, call))), address);
                    }
                    None => {
                        tokio::spawn(turn_away(stream, self.turned_away, permit));
                        permit = self.permit().await;
                    }
                },
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(AGAIN).await;
                }
            }
        }
    }

    async fn permit(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed")
    }
}

/// Says to somebody whose address has too many connections why this one is closed. It counts until it is.
async fn turn_away(mut stream: TcpStream, words: &str, _permit: OwnedSemaphorePermit) {
    let said = async {
        stream.write_all(words.as_bytes()).await?;
        stream.shutdown().await?;
        // What was asked is taken, so that closing does not take the answer away again.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    let _ = tokio::time::timeout(GOODBYE, said).await;
}

/// Who is at the other end of a connection.
#[derive(Copy, Clone, Debug)]
pub struct Peer(pub SocketAddr);

/// One connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// Runs while the socket takes nothing.
    stuck: Option<Pin<Box<Sleep>>>,
    /// Runs while nothing comes. It is never put off, so that a request costs none of its own: it ends soon enough for whatever
    /// may be late by then, and is set anew.
    late: Option<Pin<Box<Sleep>>>,
    idle_after: Duration,
    /// When the first byte of a request came of whose answer nothing has gone.
    asking: Option<Instant>,
    ask_within: Duration,
    /// When something last came or went.
    moved: Instant,
    _counted: Option<(OwnedSemaphorePermit, Call)>,
}

impl Connection {
    fn new(
        stream: TcpStream,
        idle_after: Duration,
        ask_within: Duration,
        counted: Option<(OwnedSemaphorePermit, Call)>,
    ) -> Self {
        let moved = Instant::now();
        Self { stream, stuck: None, late: None, idle_after, asking: None, ask_within, moved, _counted: counted }
    }

    /// What comes first, left where it is.
    pub(super) async fn first_byte(&self) -> io::Result<u8> {
        let mut byte = [0];
        match self.stream.peek(&mut byte).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(byte[0]),
        }
    }

    /// Until when what is under way may take, and what is said of it then: a request that does not come to its end, or a
    /// connection on which nothing comes or goes.
    fn until(&self) -> (Instant, &'static str) {
        let idle = (self.moved + self.idle_after, "nothing came or went");
        let asking = self.asking.map(|since| (since + self.ask_within, "the request does not end"));
        asking.into_iter().chain([idle]).min_by_key(|(until, _)| *until).unwrap_or(idle)
    }

    /// Gives up on what takes too long.
    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let (until, why) = self.until();
            let late = self.late.get_or_insert_with(|| Box::pin(sleep(self.ask_within.min(self.idle_after))));
            if late.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            if until <= now {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, why)));
            }
            // What is asked from now on has longer than that.
            late.as_mut().reset(until.min(now + self.ask_within));
        }
    }

    /// Passes on what a write came to, and gives up on a socket that has taken nothing for too long.
    fn watched<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            (self.stuck, self.asking) = (None, None);
            self.moved = Instant::now();
            return written;
        }
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + STUCK)));
        match stuck.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the reader is stuck"))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(context, into) {
            Poll::Pending => self.poll_late(context),
            read => {
                let now = Instant::now();
                self.moved = now;
                self.asking.get_or_insert(now);
                read
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, from);
        self.watched(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, from);
        self.watched(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    /// Each byte comes long before the connection would count as idle.
    #[tokio::test]
    async fn a_request_that_comes_byte_by_byte_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut near = Connection::new(listener.accept().await.unwrap().0, LONG, Duration::from_millis(200), None);
        let drip = tokio::spawn(async move {
            let mut beat = tokio::time::interval(Duration::from_millis(5));
            while far.write_all(b"x").await.is_ok() {
                beat.tick().await;
            }
        });
        // An answer begins the time anew.
        let began = Instant::now();
        assert_ne!(near.read(&mut [0; 8]).await.unwrap(), 0);
        near.write_all(b"answered").await.unwrap();
        let answered = Instant::now();
        let error = loop {
            match near.read(&mut [0; 8]).await {
                Ok(read) => assert_ne!(read, 0),
                Err(error) => break error,
            }
            assert!(began.elapsed() < LONG / 10, "it is never given up");
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(answered.elapsed() >= Duration::from_millis(200), "what is asked next has all of its time");
        drop(near);
        drip.await.unwrap();
    }

    #[tokio::test]
    async fn a_connection_on_which_nothing_moves_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut near = Connection::new(listener.accept().await.unwrap().0, Duration::from_millis(200), LONG, None);
        far.write_all(b"x").await.unwrap();
        assert_eq!(near.read(&mut [0; 8]).await.unwrap(), 1);
        let began = Instant::now();
        // What is sent keeps it, as a live stream does.
        let (mut reading, mut writing) = tokio::io::split(near);
        let sent = tokio::spawn(async move {
            let mut beat = tokio::time::interval(Duration::from_millis(100));
            for _ in 0..5 {
                beat.tick().await;
                writing.write_all(b"y").await.unwrap();
            }
        });
        let error = reading.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= Duration::from_millis(550), "{:?}", began.elapsed());
        sent.await.unwrap();
    }

    #[tokio::test]
    async fn whoever_is_turned_away_is_told_why() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        far.write_all(b"GET / HTTP/1.1\r\nhost: wardroom\r\n\r\n").await.unwrap();
        let (permits, mut answer) = (Arc::new(Semaphore::new(1)), String::new());
        let permit = Arc::clone(&permits).acquire_owned().await.unwrap();
        let turned_away = tokio::spawn(turn_away(listener.accept().await.unwrap().0, TURNED_AWAY, permit));
        far.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 429") && head.contains("application/problem+json"), "{head}");
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["code"], "too_many_connections");
        drop(far);
        turned_away.await.unwrap();
        assert_eq!(permits.available_permits(), 1, "and then it does not count any more");
    }
}

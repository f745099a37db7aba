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

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// How long a socket may take nothing of what is waiting for it.
const STUCK: Duration = Duration::from_secs(30);
/// How long a connection may say nothing and be told nothing: whoever only holds one keeps others out.
/// Live streams say that they are alive more often.
const IDLE: Duration = Duration::from_secs(90);
/// How long a request may take from its first byte until something of its answer goes: whoever sends a header byte
/// by byte is never silent. From the end of the header on, the router's shorter patience counts.
const ASKING: Duration = Duration::from_secs(60);
/// How long to wait after accepting failed, for instance for want of file descriptors.
const AGAIN: Duration = Duration::from_millis(100);

/// Accepts so many connections at once; further ones wait in the kernel's queue.
#[derive(Debug)]
pub struct Connections {
    listener: TcpListener,
    permits: Arc<Semaphore>,
}

impl Connections {
    /// Accepts at most `max` connections at once.
    #[must_use]
    pub fn new(listener: TcpListener, max: usize) -> Self {
        Self { listener, permits: Arc::new(Semaphore::new(max)) }
    }
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    // Small live entries leave at once; what piles up is merged before it gets here.
                    let _ = stream.set_nodelay(true);
                    return (Connection::new(stream, IDLE, ASKING, Some(permit)), address);
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(AGAIN).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Who is at the other end of a connection.
#[derive(Copy, Clone, Debug)]
pub struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, Connections>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// Runs while the socket takes nothing.
    stuck: Option<Pin<Box<Sleep>>>,
    /// Runs while nothing comes; put off when it was because something went.
    idle: Option<Pin<Box<Sleep>>>,
    idle_after: Duration,
    /// Runs from the first byte of a request until something goes.
    asking: Option<Pin<Box<Sleep>>>,
    ask_within: Duration,
    /// When something last came or went.
    moved: Instant,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Connection {
    fn new(
        stream: TcpStream,
        idle_after: Duration,
        ask_within: Duration,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let moved = Instant::now();
        Self { stream, stuck: None, idle: None, idle_after, asking: None, ask_within, moved, _permit: permit }
    }

    /// Gives up on a request that does not come to its end.
    fn poll_asking(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(asking) = &mut self.asking else { return Poll::Pending };
        asking.as_mut().poll(context).map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the request does not end")))
    }

    /// Gives up on a connection on which nothing has come or gone for too long.
    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let until = self.moved + self.idle_after;
            let idle = self.idle.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
            match idle.as_mut().poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) if until > Instant::now() => idle.as_mut().reset(until),
                Poll::Ready(()) => {
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "nothing came or went")));
                }
            }
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
            Poll::Pending => match self.poll_asking(context) {
                Poll::Pending => self.poll_idle(context),
                late => late,
            },
            read => {
                self.moved = Instant::now();
                let until = self.moved + self.ask_within;
                self.asking.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
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
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

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
        let error = loop {
            match near.read(&mut [0; 8]).await {
                Ok(read) => assert_ne!(read, 0),
                Err(error) => break error,
            }
            assert!(began.elapsed() < LONG / 10, "it is never given up");
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
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
}

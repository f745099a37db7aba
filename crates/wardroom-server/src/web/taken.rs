//! Answers over HTTP/2, in pieces, and whether they are taken.
//!
//! Over HTTP/1 a reader that is stuck is known by its socket. Over HTTP/2 the socket may be as lively as one likes, and
//! one stream's window shut: then its next piece is not asked for, and that is what is watched here.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

/// The largest piece, in bytes: so much may lie outside of what is watched, for each stream.
const PIECE: usize = 16 << 10;

/// The answers of one connection that wait to be taken, and since when. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Waiting(Arc<Mutex<HashMap<u64, Instant>>>, Arc<AtomicU64>);

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer, watched from now on.
    pub fn watch(&self, body: Body) -> Pieces {
        let number = self.1.fetch_add(1, Ordering::Relaxed);
        Pieces { body, rest: Bytes::new(), waiting: self.clone(), number }
    }

    /// Resolves when one of them has waited for so long.
    pub async fn too_long(&self, patience: Duration) {
        loop {
            tokio::time::sleep(patience / 8).await;
            if self.lock().values().any(|since| since.elapsed() >= patience) {
                return;
            }
        }
    }
}

/// An answer in pieces.
#[derive(Debug)]
pub struct Pieces {
    body: Body,
    rest: Bytes,
    waiting: Waiting,
    number: u64,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // Asked for another one, it has room for it.
        let number = self.number;
        self.waiting.lock().remove(&number);
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                end => return Poll::Ready(end),
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(other) => return Poll::Ready(Some(Ok(other))),
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        if !self.is_end_stream() {
            self.waiting.lock().insert(number, Instant::now());
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (of_body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(of_body.lower() + rest);
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        self.waiting.lock().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{FutureExt, future::poll_fn, stream};
    use http_body::Body as _;

    use super::*;

    async fn piece(of: &mut Pieces) -> Option<Bytes> {
        let frame = poll_fn(|context| Pin::new(&mut *of).poll_frame(context)).await?;
        frame.unwrap().into_data().ok()
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_taken_is_told_from_one_that_has_nothing_to_say() {
        let patience = Duration::from_secs(30);
        let waiting = Waiting::default();
        // A live stream: it said something, and was asked for more, which there is not.
        let said = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b": connected\n\n"))]);
        let live = futures_util::StreamExt::chain(said, stream::pending());
        let mut live = waiting.watch(Body::from_stream(live));
        assert!(piece(&mut live).await.is_some() && piece(&mut live).now_or_never().is_none());
        // A long answer that somebody stopped to take.
        let mut long = waiting.watch(Body::from(vec![7; PIECE * 2 + 1]));
        assert_eq!(long.size_hint().exact(), Some(PIECE as u64 * 2 + 1));
        let began = Instant::now();
        assert!(tokio::time::timeout(patience * 4, waiting.too_long(patience)).await.is_err(), "nobody is stuck");
        assert_eq!(piece(&mut long).await.map(|piece| piece.len()), Some(PIECE));
        assert_eq!(long.size_hint().exact(), Some(PIECE as u64 + 1));
        waiting.too_long(patience).await;
        assert!(began.elapsed() >= patience * 5);
        // Taken to its end, it is forgotten.
        assert_eq!(piece(&mut long).await.map(|piece| piece.len()), Some(PIECE));
        assert_eq!(piece(&mut long).await.map(|piece| piece.len()), Some(1));
        assert!(long.is_end_stream() && waiting.lock().is_empty());
        drop(waiting.watch(Body::from("x")));
        assert!(waiting.lock().is_empty());
    }
}

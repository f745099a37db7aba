//! A body that arrives whole, or is said to be too large once most of it has come.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use futures_util::StreamExt;

/// There is more of it than is read.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct TooLarge;

/// How many bytes a body says that it has. One that does not say may have as many as it likes, up to the bound.
pub(super) fn said(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The bytes of a body, at most so many. What is too large is taken for a while and thrown away: cut off at once, its
/// sender might never read why.
///
/// # Errors
/// [`TooLarge`].
pub(super) async fn whole(said: Option<u64>, body: Body, most: usize) -> Result<Bytes, TooLarge> {
    if said.is_some_and(|said| usize::try_from(said).is_ok_and(|said| said > most)) {
        let mut pieces = body.into_data_stream();
        let mut left = 2 * most;
        while let (Some(Ok(piece)), 1..) = (pieces.next().await, left) {
            left = left.saturating_sub(piece.len());
        }
        return Err(TooLarge);
    }
    to_bytes(body, most).await.map_err(|_| TooLarge)
}

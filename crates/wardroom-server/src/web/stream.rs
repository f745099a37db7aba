//! The live stream: server-sent events with cursors to resume from.
//!
//! A reader is woken and then reads after its own cursor; what has piled up goes out in one write. It ends when
//! its token or session ends, when the server stops, or when its socket is stuck (`connection.rs`).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::watch as signal;
use utoipa::IntoParams;
use wardroom_core::id::Number;

use super::followers::Following;
use super::parse::{self, Query};
use super::problem::Problem;
use super::who::Reader;
use crate::log::LogError;
use crate::server::Server;
use crate::watch::{After, Sight, Viewer, frame};

/// Entries merged into one write, at the most.
const CHUNK: usize = 512;
/// Entries that a reader who is far behind reads from the log at once: they may be long, and readers many.
const FROM_LOG: usize = 64;
/// How often a silent stream says that it is alive, so that proxies keep it and clients notice a loss.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often a silent stream looks whether its reader is still signed in; revocation itself wakes it at once.
const LOOK: Duration = Duration::from_secs(1);

/// Seconds after which somebody who follows too often may look whether it is still so.
const FOLLOW_AGAIN: u64 = 10;

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct From {
    /// After this cursor; left out, from now on. `Last-Event-ID` means the same.
    after: Option<String>,
    /// Only this incident.
    incident: Option<Number>,
    /// Also drills.
    #[serde(default)]
    drills: bool,
}

/// One open stream.
struct Open {
    server: Server,
    reader: Reader,
    viewer: Viewer,
    position: u64,
    news: signal::Receiver<u64>,
    stopping: signal::Receiver<bool>,
    silent_since: tokio::time::Instant,
    hello: bool,
    _following: Following,
}

fn too_many(most: usize) -> Problem {
    let sentence = format!(
        "You follow {most} live streams already, which is as many as one person may. Close a page, or stop a program \
         that follows."
    );
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", sentence).after(FOLLOW_AGAIN)
}

impl Drop for Open {
    fn drop(&mut self) {
        self.server.metrics.readers.dec();
    }
}

/// Follow everything that happens, live.
#[utoipa::path(
    get, path = "/api/v1/events", params(From),
    responses((status = 200, description = "Server-sent events of the type `entry`: the data of each is one entry, and its id a cursor", body = super::answers::Happened, content_type = "text/event-stream"),
              (status = 410, description = "The cursor belongs to another history"),
              (status = 429, description = "This person follows as often as one may")),
)]
pub(super) async fn follow(
    State(server): State<Server>,
    reader: Reader,
    headers: HeaderMap,
    Query(from): Query<From>,
) -> Result<Response, Problem> {
    let last = headers.get("last-event-id").map(|id| id.to_str()).transpose();
    // Whoever brings what is none shall not silently go on from now: they would miss what they came back for.
    let last = last.map_err(|_| Problem::malformed("its Last-Event-ID is none that Wardroom gave out"))?;
    let given = from.after.as_deref().or(last).filter(|cursor| !cursor.is_empty());
    let head = server.watch.position().max(server.log.head().await?.position);
    let position = parse::position(given, server.watch.epoch(), head)?.unwrap_or_else(|| server.watch.position());
    let only = from.incident;
    if let Some(number) = only {
        server.visible(&reader, number).await?;
    }
    let following = server.followers.follow(reader.person).ok_or_else(|| too_many(server.followers.most()))?;
    let viewer = Viewer { person: reader.person, admin: reader.audits(), drills: from.drills, only };
    server.metrics.readers.inc();
    let open = Open {
        news: server.watch.subscribe(),
        stopping: server.stopping.clone(),
        server,
        reader,
        viewer,
        position,
        silent_since: tokio::time::Instant::now(),
        hello: true,
        _following: following,
    };
    let chunks = stream::unfold(open, |mut open| async move {
        let chunk = open.next_chunk().await?;
        Some((Ok::<Bytes, Infallible>(chunk), open))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((StatusCode::OK, headers, Body::from_stream(chunks)).into_response())
}

impl Open {
    /// The next bytes to send; `None` ends the stream.
    async fn next_chunk(&mut self) -> Option<Bytes> {
        if std::mem::take(&mut self.hello) {
            return Some(Bytes::from_static(b": connected\nretry: 1000\n\n"));
        }
        loop {
            if *self.stopping.borrow() || !self.still_signed_in() {
                return None;
            }
            self.news.borrow_and_update();
            let read = self.read().await;
            // Asked again: the directory is read before the entries that follow on it, so whoever is let in no more
            // is shown nothing that was recorded after that.
            if !self.still_signed_in() {
                return None;
            }
            match read {
                Ok(chunk) if !chunk.is_empty() => {
                    self.silent_since = tokio::time::Instant::now();
                    return Some(chunk);
                }
                Ok(_) => {}
                Err(error) => {
                    // The client comes back with its cursor and finds everything.
                    tracing::warn!(%error, "a live stream ended because the log could not be read");
                    return None;
                }
            }
            if self.silent_since.elapsed() >= HEARTBEAT {
                self.silent_since = tokio::time::Instant::now();
                return Some(Bytes::from_static(b": still here\n\n"));
            }
            tokio::select! {
                _ = self.news.changed() => {}
                _ = self.stopping.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Whether the token or the session that opened this stream still lets them in.
    fn still_signed_in(&mut self) -> bool {
        let signed_in = self.reader.still_signed_in(&self.server.streams.directory().directory);
        self.viewer.admin = self.reader.audits();
        signed_in
    }

    /// What there is after the cursor, as far as this reader may see it, in one piece.
    async fn read(&mut self) -> Result<Bytes, LogError> {
        let mut chunk = BytesMut::new();
        let mut sight = Sight::default();
        loop {
            let frames = match self.server.watch.after(self.position, CHUNK) {
                After::Entries(entries) => {
                    entries.into_iter().map(|shown| (shown.position, shown.stream, Frame::Shown(shown))).collect()
                }
                After::Behind => self.read_log().await?,
            };
            if frames.is_empty() {
                return Ok(chunk.freeze());
            }
            for (position, stream, frame) in frames {
                if sight.of(&self.server.streams, self.viewer, stream).await? {
                    chunk.extend_from_slice(frame.bytes());
                }
                self.position = position;
            }
            if !chunk.is_empty() {
                return Ok(chunk.freeze());
            }
        }
    }

    async fn read_log(&self) -> Result<Vec<(u64, crate::log::Stream, Frame)>, LogError> {
        // Never beyond what this node has folded in: whoever is told of an entry finds the state it led to.
        let newest = self.server.watch.position();
        let epoch = self.server.watch.epoch();
        let page = self.server.log.read_all(self.position, FROM_LOG).await?;
        let page = page.into_iter().take_while(|stored| stored.position <= newest);
        Ok(page
            .map(|stored| (stored.position, stored.stream, Frame::Own(frame(epoch, &stored, &self.reader.facts))))
            .collect())
    }
}

/// A rendered entry: shared by all readers, or this reader's own from the log.
enum Frame {
    Shown(Arc<crate::watch::Shown>),
    Own(Bytes),
}

impl Frame {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Shown(shown) => &shown.frame,
            Self::Own(bytes) => bytes,
        }
    }
}

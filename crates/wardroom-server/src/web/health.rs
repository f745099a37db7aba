//! Is it well: liveness, readiness, metrics, and verification in the background.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;

use crate::evidence::Keep;
use crate::log::{Log, LogError, Report, Stream, Verification};
use crate::server::Server;

/// How long readiness waits for the store.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long verification pauses after the store could not be read.
const AGAIN: Duration = Duration::from_secs(10);

/// The process is alive.
#[utoipa::path(get, path = "/healthz", responses((status = 200, description = "It lives", body = String, content_type = "text/plain")))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Requests can be served, commands too: the store answers, and no outage waits to be told.
#[utoipa::path(get, path = "/readyz", responses((status = 200, body = super::answers::Readiness), (status = 503, description = "The store does not answer, or incidents are still being told of an outage")))]
pub(super) async fn readyz(State(server): State<Server>) -> impl IntoResponse {
    let head = tokio::time::timeout(PATIENCE, server.log.head()).await;
    let ready = matches!(head, Ok(Ok(_))) && *server.told.borrow() && !*server.stopping.borrow();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    // How many, not which: this page asks nobody who they are.
    let (quarantined, damaged) = (server.metrics.quarantined.get(), server.metrics.documents_damaged.get());
    let told = json!({ "ready": ready, "streams_quarantined": quarantined, "documents_damaged": damaged });
    (status, axum::Json(told))
}

/// Counters for Prometheus.
#[utoipa::path(get, path = "/metrics", responses((status = 200, description = "OpenMetrics", body = String, content_type = "application/openmetrics-text")))]
pub(super) async fn metrics(State(server): State<Server>) -> impl IntoResponse {
    let position = i64::try_from(server.watch.position()).unwrap_or(i64::MAX);
    server.metrics.position.set(position);
    server.metrics.waiting.set(i64::try_from(server.executor.waiting()).unwrap_or(i64::MAX));
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], server.metrics.text())
}

/// Walks the whole log once after the start; a stream that fails is set aside read-only and named.
pub async fn verify_in_background(server: Server) {
    let report = verified(&server.log, server.keep.is_somewhere().then_some(&server.keep), |error| {
        tracing::warn!(%error, "the record could not be read to verify it; going on in a while");
    })
    .await;
    let mut broken: BTreeMap<Stream, String> = BTreeMap::new();
    for wrong in &report.broken {
        tracing::error!(%wrong, "the record was tampered with or damaged");
        broken.entry(wrong.stream).or_insert_with(|| format!("its record is damaged: {wrong}"));
    }
    server.metrics.quarantined.set(i64::try_from(broken.len()).unwrap_or(i64::MAX));
    tracing::info!(events = report.events, streams = report.streams, broken = broken.len(), "verified the record");
    server.streams.quarantine(broken);
}

/// What verification found, however often the store could not be read on the way: then it pauses, and goes on
/// where it was.
async fn verified(log: &Log, keep: Option<&Keep>, mut failed: impl FnMut(&LogError)) -> Report {
    let mut under_way = Verification::default();
    loop {
        match log.verify_on(&mut under_way, keep, |_| ()).await {
            Ok(report) => return report,
            Err(error) => failed(&error),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use wardroom_core::directory::DirectoryCommand;
    use wardroom_core::id::Actor;

    use super::*;
    use crate::execute::{Asked, Executor, Order};
    use crate::log::{Place, What};
    use crate::streams::{DIRECTORY, Streams};

    /// A database that was away for a moment ended it, and what was damaged was never set aside.
    #[tokio::test]
    async fn verification_outlives_an_outage() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(&Place::Folder(folder.path().to_owned())).await.unwrap();
        let executor = Executor::start(log.clone(), Streams::new(log.clone()));
        let [handle, name] = ["mary", "Mary"];
        let (handle, name) = (handle.parse().unwrap(), name.parse().unwrap());
        let mary = DirectoryCommand::AddPerson { handle, name, email: None, admin: false };
        let asked = Asked { request: uuid::Uuid::now_v7(), actor: Actor::Console, order: Order::Directory(mary) };
        executor.execute(asked).await.unwrap();
        let raw = rusqlite::Connection::open(folder.path().join("wardroom.db")).unwrap();
        raw.execute_batch("UPDATE events SET at = at + 1; ALTER TABLE events RENAME TO away").unwrap();
        let mut outages = 0;
        let report = verified(&log, None, |error| {
            assert!(matches!(error, LogError::Unavailable(_)), "{error}");
            outages += 1;
            raw.execute_batch("ALTER TABLE away RENAME TO events").unwrap();
            tokio::time::pause(); // From here on, waiting takes no time.
        })
        .await;
        assert_eq!(outages, 1);
        let found: Vec<_> = report.broken.iter().map(|wrong| (wrong.stream, wrong.what)).collect();
        assert_eq!(found, [(DIRECTORY, What::Altered)]);
    }
}

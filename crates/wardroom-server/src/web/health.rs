//! Is it well: liveness, readiness, metrics, and verification in the background.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;

use crate::log::Stream;
use crate::server::Server;

/// How long readiness waits for the store.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process is alive.
#[utoipa::path(get, path = "/healthz", responses((status = 200, description = "ok")))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Requests can be served: the store answers.
#[utoipa::path(get, path = "/readyz", responses((status = 200, description = "Ready"), (status = 503, description = "The store does not answer")))]
pub(super) async fn readyz(State(server): State<Server>) -> impl IntoResponse {
    let head = tokio::time::timeout(PATIENCE, server.log.head()).await;
    let ready = matches!(head, Ok(Ok(_))) && !*server.stopping.borrow();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    // How many, not which: this page asks nobody who they are.
    let quarantined = server.metrics.quarantined.get();
    (status, axum::Json(json!({ "ready": ready, "streams_quarantined": quarantined })))
}

/// Counters for Prometheus.
#[utoipa::path(get, path = "/metrics", responses((status = 200, description = "OpenMetrics text")))]
pub(super) async fn metrics(State(server): State<Server>) -> impl IntoResponse {
    let position = i64::try_from(server.watch.position()).unwrap_or(i64::MAX);
    server.metrics.position.set(position);
    server.metrics.waiting.set(i64::try_from(server.executor.waiting()).unwrap_or(i64::MAX));
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], server.metrics.text())
}

/// Walks the whole log once after the start; a stream that fails is set aside read-only and named.
pub async fn verify_in_background(server: Server) {
    match server.log.verify(|_| ()).await {
        Ok(report) => {
            let mut broken: BTreeMap<Stream, String> = BTreeMap::new();
            for wrong in &report.broken {
                tracing::error!(%wrong, "the record was tampered with or damaged");
                broken.entry(wrong.stream).or_insert_with(|| format!("its record is damaged: {wrong}"));
            }
            server.metrics.quarantined.set(i64::try_from(broken.len()).unwrap_or(i64::MAX));
            tracing::info!(
                events = report.events,
                streams = report.streams,
                broken = broken.len(),
                "verified the record"
            );
            server.streams.quarantine(broken);
        }
        Err(error) => tracing::warn!(%error, "the record could not be verified"),
    }
}

//! NOTIFY as a hint: wakes whoever waits, and may get lost without harm.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::poll_fn;
use futures_util::stream;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Config, NoTls};

use super::CONNECT;
use crate::log::{LogError, Stream};

/// How long to wait before connecting again after the connection was lost.
const AGAIN: Duration = Duration::from_secs(1);

/// A connection of its own that listens, and connects again when it is lost.
pub(super) struct Listener(JoinHandle<()>);

impl Listener {
    /// Starts listening; `heard` counts what is heard of the log, and `documents` is told what is heard of documents.
    pub(super) fn start(
        config: Config,
        heard: Arc<watch::Sender<u64>>,
        documents: broadcast::Sender<(Stream, u64)>,
    ) -> Self {
        Self(tokio::spawn(async move {
            loop {
                if let Err(error) = listen(&config, &heard, &documents).await {
                    tracing::debug!(%error, "the listening connection was lost; appends are found by looking");
                }
                tokio::time::sleep(AGAIN).await;
            }
        }))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a document's notification says; nothing depends on its being true.
fn document(payload: &str) -> Option<(Stream, u64)> {
    let (stream, version) = payload.split_once(' ')?;
    Some((Stream(stream.parse().ok()?), version.parse().ok()?))
}

async fn listen(
    config: &Config,
    heard: &watch::Sender<u64>,
    documents: &broadcast::Sender<(Stream, u64)>,
) -> Result<(), LogError> {
    // Longer than the setting of the same length, which ends where the server has accepted and says nothing.
    let connected = tokio::time::timeout(CONNECT, config.connect(NoTls)).await;
    let (client, mut connection) = connected.map_err(LogError::unavailable)??;
    let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
    // The connection works only while it is polled, so asking and hearing run side by side.
    let mut ask = std::pin::pin!(client.batch_execute("LISTEN wardroom; LISTEN wardroom_documents"));
    let mut asked = false;
    loop {
        tokio::select! {
            done = poll_fn(|context| ask.as_mut().poll(context)), if !asked => {
                done?;
                asked = true;
            }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(of))) if of.channel() == "wardroom_documents" => {
                    // An error means that no document is open.
                    document(of.payload()).map(|news| documents.send(news));
                }
                // What it says is not looked at: anybody who may connect may notify, and a position that does not
                // exist would keep every waiting reader awake for ever.
                Some(Ok(AsyncMessage::Notification(_))) => heard.send_modify(|times| *times = times.wrapping_add(1)),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(()),
            }
        }
    }
}

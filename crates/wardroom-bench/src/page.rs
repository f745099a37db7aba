//! A page of a document, as far as it is measured: it writes at the end of its own words, a letter at a time, and notes
//! when it saw whose letters.

use std::time::Duration;

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use wardroom_core::document::Part;
use wardroom_server::document::wire::{self, Bytes, Clocks};
use yrs::updates::decoder::Decode;
use yrs::{Doc, Text, TextRef, Transact, Update};

/// A socket of a document, joined.
pub type Socket = WebSocketStream<TcpStream>;

/// Connects to `ws://address/path`, with a token if there is one, and has everything that is there.
pub async fn join(address: &str, path: &str, token: Option<&str>) -> anyhow::Result<Socket> {
    join_as(address, path, token, None).await
}

/// The same, speaking a protocol of some name.
pub async fn join_as(address: &str, path: &str, token: Option<&str>, protocol: Option<&str>) -> anyhow::Result<Socket> {
    let mut request = format!("ws://{address}{path}").into_client_request()?;
    if let Some(protocol) = protocol {
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse()?);
    }
    if let Some(token) = token {
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
    }
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    // All of what is read at once is cleared before: a client's own work must not be what is measured.
    let config = WebSocketConfig::default().read_buffer_size(8 << 10);
    let (mut socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
    socket.send(Message::binary(wire::has(&Clocks::new()))).await?;
    loop {
        let message = next(&mut socket).await?;
        match message[..] {
            [0, 0, ..] => socket.send(Message::binary(wire::answers(&[0, 0]))).await?,
            [0, 1, ..] => return Ok(socket),
            _ => {}
        }
    }
}

/// The next message.
pub async fn next(socket: &mut Socket) -> anyhow::Result<bytes::Bytes> {
    loop {
        match socket.next().await.context("the server closed the socket")?? {
            Message::Binary(message) => return Ok(message),
            Message::Close(why) => anyhow::bail!("the server closed the socket: {why:?}"),
            _ => {}
        }
    }
}

/// Somebody's own words.
pub struct Words {
    doc: Doc,
    text: TextRef,
}

impl Words {
    /// None yet.
    pub fn of(client: u64) -> Self {
        let doc = Doc::with_client_id(client);
        let text = doc.get_or_insert_text(Part::Notes.name());
        Self { doc, text }
    }

    /// One more letter at their end, as a message.
    pub fn letter(&self) -> Vec<u8> {
        let mut text = self.doc.transact_mut();
        self.text.push(&mut text, "e");
        wire::writes(&text.encode_update_v1())
    }
}

/// What a page saw: that all letters of a client up to this one were there, and when.
pub struct Sight {
    pub client: u64,
    pub up_to: u32,
    pub at: Duration,
}

/// What a page did and saw, timed from the same moment for all.
pub struct Seen {
    pub client: u64,
    /// When each letter was written.
    pub written: Vec<Duration>,
    pub sights: Vec<Sight>,
    /// Messages that it got.
    pub messages: usize,
}

/// When to write.
#[derive(Copy, Clone)]
pub struct Pace {
    /// What times are counted from.
    pub begun: Instant,
    /// The first letter.
    pub first: Instant,
    /// From one letter to the next.
    pub step: Duration,
    pub letters: usize,
}

/// Writes at a pace and watches, until it is told to stop.
pub async fn write(
    mut socket: Socket,
    client: u64,
    pace: Pace,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<Seen> {
    let words = Words::of(client);
    let mut seen = Seen { client, written: Vec::with_capacity(pace.letters), sights: Vec::new(), messages: 0 };
    let mut every = interval_at(pace.first, pace.step);
    every.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        tokio::select! {
            _ = every.tick(), if seen.written.len() < pace.letters => {
                let letter = words.letter();
                seen.written.push(pace.begun.elapsed());
                socket.send(Message::binary(letter)).await?;
            }
            message = next(&mut socket) => {
                let (message, at) = (message?, pace.begun.elapsed());
                seen.messages += 1;
                seen.sights.extend(sights(&message)?.into_iter().map(|(client, up_to)| Sight { client, up_to, at }));
            }
            _ = stop.changed() => return Ok(seen),
        }
    }
}

/// Up to which letter of whom a message brings.
fn sights(message: &[u8]) -> anyhow::Result<Vec<(u64, u32)>> {
    let [0, 2, ..] = message else { return Ok(Vec::new()) };
    let update = Bytes::new(&message[2..]).bytes().ok().context("an update is as long as it says")?;
    let inserted = Update::decode_v1(update)?.insertions(true);
    let last = inserted.iter().filter_map(|(client, letters)| Some((client.get(), letters.iter().next_back()?.end)));
    Ok(last.collect())
}

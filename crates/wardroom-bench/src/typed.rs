//! A document that has been written for long: how soon it is there after a start.

use std::time::Instant;

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;
use wardroom_core::document::Part;
use wardroom_server::document::wire::{self, Bytes, SUBPROTOCOL};
use yrs::block::ClientID;
use yrs::updates::decoder::Decode;
use yrs::{Doc, OffsetKind, Options, Text, TextRef, Transact, Update};

use crate::house::{House, Server};
use crate::page::{join, join_as};
use crate::settings::Settings;
use crate::table::{Rounds, heading, line};

/// Pages that took turns.
const PAGES: u64 = 8;
/// Letters that one of them writes before the next does.
const TURN: usize = 20;
/// One letter in so many is taken back at once.
const TAKEN_BACK: usize = 4;

/// One of the pages.
struct Hand {
    doc: Doc,
    parts: [TextRef; 3],
}

impl Hand {
    fn new(client: u64) -> Self {
        let options = Options { offset_kind: OffsetKind::Utf16, ..Options::with_client_id(ClientID::new(client)) };
        let doc = Doc::with_options(options);
        let parts = [Part::Summary, Part::Status, Part::Notes].map(|part| doc.get_or_insert_text(part.name()));
        Self { doc, parts }
    }

    /// A turn at some place: so many edits, each of its own.
    fn turn(&self, turn: usize, edits: usize) -> anyhow::Result<Vec<Vec<u8>>> {
        let part = &self.parts[turn % self.parts.len()];
        let mut updates = Vec::with_capacity(edits);
        // A place that looks random and is the same in every run.
        let length = part.len(&self.doc.transact());
        let mut at = (turn as u32).wrapping_mul(2_654_435_761) % (length + 1);
        for edit in 0..edits {
            let mut text = self.doc.transact_mut();
            if edit % TAKEN_BACK == TAKEN_BACK - 1 {
                at -= 1;
                part.remove_range(&mut text, at, 1);
            } else {
                part.insert(&mut text, at, "e");
                at += 1;
            }
            updates.push(text.encode_update_v1());
        }
        Ok(updates)
    }

    fn take(&self, updates: &[Vec<u8>]) -> anyhow::Result<()> {
        let mut text = self.doc.transact_mut();
        for update in updates {
            text.apply_update(Update::decode_v1(update)?)?;
        }
        Ok(())
    }
}

/// Writes so many edits through a page's socket, and waits until all of them are said to be kept.
async fn typed(server: &Server, token: &str, path: &str, edits: usize) -> anyhow::Result<()> {
    let socket = join_as(&server.address, path, Some(token), Some(SUBPROTOCOL)).await?;
    let (mut says, mut hears) = socket.split();
    let hands: Vec<Hand> = (1..=PAGES).map(Hand::new).collect();
    let writing = async {
        for turn in 0..edits / TURN {
            let writer = turn % hands.len();
            let updates = hands[writer].turn(turn, TURN)?;
            for (_, hand) in hands.iter().enumerate().filter(|(hand, _)| *hand != writer) {
                hand.take(&updates)?;
            }
            for update in updates {
                says.feed(Message::binary(wire::writes(&update))).await?;
            }
            says.flush().await?;
        }
        anyhow::Ok(())
    };
    // The answer at the joining is a message to keep, too.
    let all = edits as u64 / TURN as u64 * TURN as u64 + 1;
    let hearing = async {
        loop {
            match hears.next().await.context("the server closed the socket")?? {
                Message::Binary(message) if message.first() == Some(&100) => {
                    let saved = Bytes::new(&message[1..]).number().ok().context("it says how many")?;
                    if saved == all {
                        return anyhow::Ok(());
                    }
                }
                Message::Close(why) => anyhow::bail!("the server closed the socket: {why:?}"),
                _ => {}
            }
        }
    };
    tokio::try_join!(writing, hearing)?;
    Ok(())
}

/// Measures and prints the table.
pub async fn measure(settings: &Settings) -> anyhow::Result<()> {
    let house = House::on_sqlite()?;
    let mut server = house.serve().await?;
    let mut rounds = Rounds::default();
    let mut paths = Vec::new();
    for (name, edits) in [("short", TURN), ("long", settings.edits)] {
        let path = format!("/api/v1/incidents/{}/document", server.client().await?.declare().await?);
        eprintln!("writing a document with {edits} edits");
        typed(&server, &house.token, &path, edits).await?;
        paths.push((name, path));
    }
    for _ in 0..settings.rounds {
        for (name, path) in &paths {
            drop(server);
            server = house.serve().await?;
            // A start has other things to do; they are no part of this.
            server.client().await?.get("/api/v1/incidents").await?;
            let begun = Instant::now();
            join(&server.address, path, Some(&house.token)).await?;
            rounds.add(*name, begun.elapsed().as_secs_f64() * 1_000.0);
        }
    }
    heading("A document with a long history, on SQLite");
    let what = format!("opened after a start, {} edits, ms", settings.edits);
    line(&what, rounds.median("long"), Some(rounds.median("short")), &format!("the same with {TURN} edits; < 100"));
    Ok(())
}

//! A page in a random history, and the network between it and a server.

use std::collections::{BTreeMap, VecDeque};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use tungstenite::{Error, Message, WebSocket};
use wardroom_core::document::Part;
use wardroom_server::document::wire::{self, Bytes, Clocks};
use yrs::block::ClientID;
use yrs::updates::decoder::Decode;
use yrs::{Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, Text, TextRef, Transact, Update};

use super::dice::Dice;
use super::ground::Ground;
use crate::peer;

/// The parts, in order.
pub type Words = [String; 3];
const PARTS: [Part; 3] = [Part::Summary, Part::Status, Part::Notes];
/// By which numbers a page may be closed that does as it should: its connection broke, the server stopped, it missed a
/// message twice, or the server has not noticed yet how many of its connections broke.
const CLOSED_BY: [u16; 5] = [1000, 1001, 1006, 4524, 4529];

/// Somebody's page.
pub struct Page {
    /// Whose, as an index.
    pub person: usize,
    pub authors: BTreeMap<u64, String>,
    doc: Doc,
    parts: [TextRef; 3],
    line: Option<Line>,
}

/// A connection, from its opening to its end.
struct Line {
    socket: WebSocket<TcpStream>,
    /// What the page has sent and the network still has.
    under_way: VecDeque<Vec<u8>>,
    /// Messages with something to keep that came through, and how many of them are said to be kept.
    came: u64,
    saved: u64,
    /// Whether it was asked for what it has, and was answered what it had not.
    asked: bool,
    answered: bool,
    /// Whether the network lost, doubled or reordered anything.
    disturbed: bool,
}

impl Page {
    pub fn new(person: usize, client: u64) -> Self {
        let options = Options { offset_kind: OffsetKind::Utf16, ..Options::with_client_id(ClientID::new(client)) };
        let doc = Doc::with_options(options);
        let parts = PARTS.map(|part| doc.get_or_insert_text(part.name()));
        Self { person, authors: BTreeMap::new(), doc, parts, line: None }
    }

    pub fn client(&self) -> u64 {
        self.doc.client_id().get()
    }

    pub fn words(&self) -> Words {
        let text = self.doc.transact();
        self.parts.each_ref().map(|part| part.get_string(&text))
    }

    /// What a browser keeps of it.
    pub fn everything(&self) -> Vec<u8> {
        self.doc.transact().encode_diff_v1(&StateVector::default())
    }

    pub fn take(&self, update: &[u8]) {
        self.doc.transact_mut().apply_update(Update::decode_v1(update).unwrap()).unwrap();
    }

    /// Writes somewhere.
    pub fn write(&mut self, dice: &mut Dice, words: &str) {
        let part = dice.index(PARTS.len());
        let there = self.words()[part].clone();
        let before = there.chars().take(dice.index(there.chars().count() + 1));
        let at = before.map(|letter| letter.len_utf16() as u32).sum();
        let update = {
            let mut text = self.doc.transact_mut();
            self.parts[part].insert(&mut text, at, words);
            text.encode_update_v1()
        };
        self.send(wire::writes(&update));
    }

    /// Deletes up to three letters somewhere; returns them.
    pub fn delete(&mut self, dice: &mut Dice) -> String {
        let part = dice.index(PARTS.len());
        let there: Vec<char> = self.words()[part].chars().collect();
        let from = dice.index(there.len() + 1);
        let gone = &there[from..there.len().min(from + 1 + dice.index(3))];
        let units = |letters: &[char]| letters.iter().map(|letter| letter.len_utf16() as u32).sum();
        let update = {
            let mut text = self.doc.transact_mut();
            self.parts[part].remove_range(&mut text, units(&there[..from]), units(gone));
            text.encode_update_v1()
        };
        self.send(wire::writes(&update));
        gone.iter().collect()
    }

    fn send(&mut self, message: Vec<u8>) {
        if let Some(line) = &mut self.line {
            line.under_way.push_back(message);
        }
    }

    /// Connects, unless it is connected.
    pub fn join(&mut self, ground: &Ground, node: usize, number: u64) {
        if self.line.is_some() {
            return;
        }
        let socket = ground.ask(node, |server| peer::connect(server, &ground.tokens[self.person], number));
        let wait = Some(Duration::from_millis(1));
        socket.get_ref().set_read_timeout(wait).unwrap();
        let has = self.doc.transact().state_vector();
        let has: Clocks = has.iter().map(|(client, clock)| (client.get(), *clock)).collect();
        self.line = Some(Line {
            socket,
            under_way: VecDeque::from([wire::has(&has)]),
            came: 0,
            saved: 0,
            asked: false,
            answered: false,
            disturbed: false,
        });
    }

    /// The connection breaks, with what was under way.
    pub fn break_off(&mut self) {
        self.line = None;
    }

    /// Whether what it asked for when it joined came.
    pub fn is_in_step(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.answered)
    }

    /// Whether all that was ever written here is said to be kept.
    pub fn is_saved(&self) -> bool {
        let all = |line: &Line| line.asked && line.under_way.is_empty() && line.saved == line.came;
        self.line.as_ref().is_some_and(|line| !line.disturbed && all(line))
    }

    /// What is under way comes through.
    pub fn deliver(&mut self) {
        let Some(line) = &mut self.line else { return };
        while let Some(message) = line.under_way.pop_front() {
            line.deliver(message);
        }
    }

    /// What is under way comes through: not all of it now, some of it twice, some before what was sent earlier, and some
    /// never.
    pub fn deliver_somehow(&mut self, dice: &mut Dice) {
        let Some(line) = &mut self.line else { return };
        let waiting = line.under_way.len();
        if waiting > 1 && dice.once_in(4) {
            line.under_way.swap(dice.index(waiting), waiting - 1);
            line.disturbed = true;
        }
        for _ in 0..dice.index(waiting + 1) {
            let message = line.under_way.pop_front().unwrap();
            if dice.once_in(8) {
                line.disturbed = true;
                continue;
            }
            if dice.once_in(6) {
                line.deliver(message.clone());
            }
            line.deliver(message);
        }
    }

    /// Hears what is there, and answers what it is asked.
    pub fn hear(&mut self) {
        while let Some(line) = &mut self.line {
            match line.socket.read() {
                Ok(Message::Binary(message)) => self.hear_one(&message),
                Ok(Message::Close(why)) => {
                    let closed_by = why.as_ref().map_or(1006, |why| why.code.into());
                    assert!(CLOSED_BY.contains(&closed_by), "a page was closed: {why:?}");
                    self.line = None;
                }
                Ok(_) => {}
                Err(Error::Io(error)) if is_quiet(&error) => return,
                Err(_) => self.line = None,
            }
        }
    }

    fn hear_one(&mut self, message: &[u8]) {
        let Some(line) = &mut self.line else { return };
        let mut bytes = Bytes::new(message);
        match bytes.number().unwrap() {
            0 => match (bytes.number().unwrap(), bytes.bytes().unwrap()) {
                (0, has) => {
                    let has = wire::clocks(has).unwrap().into_iter();
                    let has = has.map(|(client, clock)| (ClientID::new(client), clock));
                    let update = self.doc.transact().encode_diff_v1(&StateVector::new(has.collect()));
                    line.asked = true;
                    line.under_way.push_back(wire::answers(&update));
                }
                (step, update) => {
                    line.answered |= step == 1;
                    self.take(update);
                }
            },
            100 => {
                line.saved = bytes.number().unwrap();
                assert!(line.saved <= line.came, "more is said to be kept than came");
            }
            102 => {
                let authors: BTreeMap<String, Value> = serde_json::from_str(bytes.text().unwrap()).unwrap();
                let handle = |author: &Value| author["handle"].as_str().unwrap().to_owned();
                self.authors.extend(authors.iter().map(|(client, who)| (client.parse().unwrap(), handle(who))));
            }
            _ => {}
        }
    }
}

fn is_quiet(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

impl Line {
    /// A message comes to the server, unless the connection has broken: then the page notices when it listens.
    fn deliver(&mut self, message: Vec<u8>) {
        self.came += u64::from(matches!(message[..], [0, 1 | 2, ..]));
        let _ = self.socket.send(Message::Binary(message.into()));
    }
}

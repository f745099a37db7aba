//! A peer of a state document as stories play it: Yjs's Rust twin at the other end of a real socket.

use std::io::Write;
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, HandshakeError, Message, WebSocket};
use wardroom_core::document::Part;
use wardroom_server::document::wire::{self, Bytes, Clocks, SUBPROTOCOL};
use yrs::updates::decoder::Decode;
use yrs::{Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, Text, TextRef, Transact, Update};

use crate::house::Server;
use crate::wait::{self, PATIENCE};

/// So many writes of 60 kB make a flood: far more than the kernel holds.
const FLOOD: usize = 500;

/// What came.
#[derive(PartialEq, Eq, Debug)]
pub enum Heard {
    /// Nothing, in the time that was given.
    Nothing,
    /// A message.
    Message,
    /// The socket's end.
    End,
}

/// Somebody's page.
pub struct Peer {
    doc: Doc,
    text: TextRef,
    pub client: u64,
    socket: WebSocket<TcpStream>,
    /// Messages with something to keep that were sent over this socket, and how many are said to be kept.
    pub sent: u64,
    pub saved: u64,
    /// How often it was asked for everything.
    pub asked: u32,
    /// Whether it may write, as it was told.
    pub may: Option<bool>,
    /// Whether it was told that there is no room for what it wrote.
    pub full: bool,
    answered: bool,
    closed: Option<(u16, String)>,
}

/// Opens a socket with these headers; by which status it is refused, if it is.
pub fn try_connect(server: &Server, headers: &[(&'static str, &str)], n: u64) -> Result<WebSocket<TcpStream>, u16> {
    open(server, headers, &format!("{n}/document"))
}

/// A socket at this address below the incidents.
pub fn connect_at(server: &Server, token: &str, path: &str) -> WebSocket<TcpStream> {
    open(server, &[("authorization", &format!("Bearer {token}"))], path).unwrap()
}

fn open(server: &Server, headers: &[(&'static str, &str)], path: &str) -> Result<WebSocket<TcpStream>, u16> {
    let address = format!("ws://{}/api/v1/incidents/{path}", server.address());
    let mut request = address.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    request.headers_mut().insert("sec-websocket-protocol", SUBPROTOCOL.parse().unwrap());
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_nodelay(true).unwrap();
    let config = WebSocketConfig::default().max_write_buffer_size(usize::MAX);
    match tungstenite::client::client_with_config(request, stream, Some(config)) {
        Ok((socket, _)) => Ok(socket),
        Err(HandshakeError::Failure(Error::Http(answer))) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

/// The socket of an incident's document, as our own page opens it.
pub fn connect(server: &Server, token: &str, n: u64) -> WebSocket<TcpStream> {
    try_connect(server, &[("authorization", &format!("Bearer {token}"))], n).unwrap()
}

impl Peer {
    /// Joins with an empty page.
    pub fn join(server: &Server, token: &str, n: u64) -> Self {
        Self::over(connect(server, token, n))
    }

    /// Joins with an empty page over a socket that is open.
    pub fn over(socket: WebSocket<TcpStream>) -> Self {
        let doc = Doc::with_options(Options { offset_kind: OffsetKind::Utf16, ..Options::default() });
        let (text, client) = (doc.get_or_insert_text(Part::Notes.name()), doc.client_id().get());
        let mut peer = Self {
            doc,
            text,
            client,
            socket,
            sent: 0,
            saved: 0,
            asked: 0,
            may: None,
            full: false,
            answered: false,
            closed: None,
        };
        peer.ask();
        peer
    }

    /// Comes back with what it has.
    pub fn rejoin(&mut self, server: &Server, token: &str, n: u64) {
        self.socket = connect(server, token, n);
        (self.sent, self.saved, self.answered, self.closed) = (0, 0, false, None);
        self.asked = 0;
        self.ask();
    }

    fn ask(&mut self) {
        let has = self.doc.transact().state_vector();
        let has: Clocks = has.iter().map(|(client, clock)| (client.get(), *clock)).collect();
        self.send(&wire::has(&has));
    }

    /// Sends a message as it is; a socket that is closed takes none.
    pub fn send(&mut self, message: &[u8]) {
        let _ = self.socket.send(Message::Binary(message.to_vec().into()));
    }

    /// Writes at the end of the notes.
    pub fn write_at_end(&mut self, words: &str) {
        let update = {
            let mut text = self.doc.transact_mut();
            let end = self.text.len(&text);
            self.text.insert(&mut text, end, words);
            text.encode_update_v1()
        };
        self.sent += 1;
        self.send(&wire::writes(&update));
    }

    /// Takes so much away, from the beginning of the notes on.
    pub fn take_out(&mut self, units: u32) {
        let update = {
            let mut text = self.doc.transact_mut();
            self.text.remove_range(&mut text, 0, units);
            text.encode_update_v1()
        };
        self.sent += 1;
        self.send(&wire::writes(&update));
    }

    /// Sends one frame after the other without end, as fast as they are taken, until the connection is gone. It is under
    /// way by the time this returns.
    pub fn flood_with(&self, opcode: u8) -> JoinHandle<()> {
        // Empty, and masked by nothing.
        let frames = [0x80 | opcode, 0x80, 0, 0, 0, 0].repeat(10_000);
        let mut stream = self.socket.get_ref().try_clone().unwrap();
        let (sent, under_way) = mpsc::channel();
        let flood = thread::spawn(move || while stream.write_all(&frames).is_ok() && sent.send(()).is_ok() {});
        (0..FLOOD).for_each(|_| under_way.recv().unwrap());
        thread::spawn(move || {
            under_way.iter().for_each(drop);
            flood.join().unwrap();
        })
    }

    /// Waits until the connection is gone, and takes nothing of what came over it.
    pub fn cut_off(&mut self) {
        wait::until("the connection is gone", || self.socket.send(Message::Binary(vec![3].into())).err());
    }

    /// Writes at the beginning of a part.
    pub fn write_in(&mut self, part: Part, words: &str) {
        let text = self.doc.get_or_insert_text(part.name());
        let update = {
            let mut transaction = self.doc.transact_mut();
            text.insert(&mut transaction, 0, words);
            transaction.encode_update_v1()
        };
        self.sent += 1;
        self.send(&wire::writes(&update));
    }

    /// The notes as this page shows them.
    pub fn notes(&self) -> String {
        self.text.get_string(&self.doc.transact())
    }

    /// Whether everything that it wrote is said to be kept.
    pub fn is_saved(&self) -> bool {
        self.asked > 0 && self.saved == self.sent
    }

    /// Whether what it asked for came.
    pub fn is_in_step(&self) -> bool {
        self.answered
    }

    /// Listens until something holds.
    pub fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(began.elapsed() < PATIENCE, "waited in vain: {what}; it has {:?}", self.notes());
            assert_ne!(self.hear(Duration::from_millis(100)), Heard::End, "{what}: it was closed: {:?}", self.closed);
        }
    }

    /// Listens until the socket is closed: by which number, and why.
    pub fn closed(&mut self) -> (u16, String) {
        let began = Instant::now();
        while self.hear(Duration::from_millis(100)) != Heard::End {
            assert!(began.elapsed() < PATIENCE, "it is not closed");
        }
        self.closed.clone().unwrap_or((1006, "without a word".to_owned()))
    }

    /// Hears what comes within some time.
    pub fn hear(&mut self, within: Duration) -> Heard {
        let timeout = within.max(Duration::from_millis(1));
        self.socket.get_ref().set_read_timeout(Some(timeout)).unwrap();
        match self.socket.read() {
            Ok(Message::Binary(message)) => self.take(&message),
            Ok(Message::Close(why)) => {
                self.closed = self.closed.take().or(why.map(|why| (why.code.into(), why.reason.to_string())));
            }
            Ok(_) => {}
            Err(Error::Io(error))
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
            {
                return Heard::Nothing;
            }
            Err(_) => return Heard::End,
        }
        Heard::Message
    }

    fn take(&mut self, message: &[u8]) {
        let mut bytes = Bytes::new(message);
        match (bytes.number().unwrap(), message.get(1)) {
            (0, Some(0)) => {
                let (_, has) = (bytes.number(), wire::clocks(bytes.bytes().unwrap()).unwrap());
                let has = has.into_iter().map(|(client, clock)| (yrs::block::ClientID::new(client), clock));
                let update = self.doc.transact().encode_diff_v1(&StateVector::new(has.collect()));
                (self.asked, self.sent) = (self.asked + 1, self.sent + 1);
                self.send(&wire::answers(&update));
            }
            (0, Some(step)) => {
                self.answered |= *step == 1;
                let (_, update) = (bytes.number(), bytes.bytes().unwrap());
                self.doc.transact_mut().apply_update(Update::decode_v1(update).unwrap()).unwrap();
            }
            (100, _) => self.saved = bytes.number().unwrap(),
            (104, _) => self.full = true,
            (101, _) => self.may = Some(bytes.number().unwrap() == 1),
            _ => {}
        }
    }

    /// What a client of which five units are known would write next.
    pub fn goes_on_as(client: u64, words: &str) -> Vec<u8> {
        let mut update = Vec::new();
        [1, 1, client, 5, 0x84, client, 4].into_iter().for_each(|number| match number {
            0x84 => update.push(0x84),
            number => wire::put_number(&mut update, number),
        });
        wire::put_bytes(&mut update, words.as_bytes());
        update.push(0);
        wire::writes(&update)
    }

    /// An update that follows on what nobody has.
    pub fn missing_something() -> Vec<u8> {
        wire::writes(&[1, 1, 9, 3, 0x84, 9, 2, 1, b'x', 0])
    }
}

//! The log in an archive: read line by line, and held against its chain, its seals and its evidence.

use std::collections::BTreeMap;

use serde_json::Value;
use wardroom_core::evidence::{Fingerprint, PIECES_MAX};
use wardroom_core::id::Number;
use wardroom_core::seal::{self, Seal};

use super::Findings;
use crate::archive::line::{self, LINE_MAX};
use crate::archive::{End, piece};
use crate::log::proof::{self, Walked, Words};
use crate::log::{Broken, Hash, Stream, Tip, What};

/// What is found wrong of events is kept up to here, each.
const BROKEN_MAX: usize = 1_000;

/// A piece of evidence that an event names.
struct Piece {
    entry: u64,
    sha256: Fingerprint,
    /// Whether it is there.
    there: bool,
}

/// How far reading the log is.
#[derive(Default, PartialEq, Eq)]
enum Reading {
    #[default]
    Begun,
    /// It was read to its end.
    Read,
    /// A line of it could not be, and so what follows proves nothing.
    GivenUp,
}

/// The log, as far as it was read.
#[derive(Default)]
pub(super) struct Record {
    /// The hash that somebody wrote down, and which event has it.
    known: Option<Seal>,
    known_at: Option<u64>,
    reading: Reading,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    lines: u64,
    tip: Tip,
    position: u64,
    events: u64,
    words: Words,
    /// Whose words are there, by their seal: what is wrong if a redaction names it.
    kept: BTreeMap<Hash, Broken>,
    /// Which seals redactions name.
    taken: Vec<Hash>,
    pieces: BTreeMap<String, Piece>,
    broken: Vec<Broken>,
}

impl Record {
    pub fn new(known: Option<Seal>) -> Self {
        Self { known, ..Self::default() }
    }

    pub fn tip(&self) -> End {
        self.tip.into()
    }

    pub fn events(&self) -> u64 {
        self.events
    }

    /// How many pieces of evidence are there.
    pub fn pieces(&self) -> usize {
        self.pieces.values().filter(|piece| piece.there).count()
    }

    /// Whether all of it could be read.
    pub fn is_read(&self) -> bool {
        self.reading == Reading::Read
    }

    /// Whether an event names evidence that is kept under this name.
    pub fn names(&self, name: &str) -> bool {
        self.pieces.contains_key(name)
    }

    /// Evidence is there, with these bytes.
    pub fn has(&mut self, name: &str, sha256: Fingerprint, wrong: &mut Findings) {
        let Some(piece) = self.pieces.get_mut(name) else { return };
        piece.there = true;
        if piece.sha256 != sha256 {
            wrong.find(format!("{name} was altered: it is not what was attached with entry {}", piece.entry));
        }
    }

    /// Reads on.
    pub fn read(&mut self, incident: Number, mut bytes: &[u8], wrong: &mut Findings) {
        while self.reading == Reading::Begun && !bytes.is_empty() {
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let (more, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            self.line.extend_from_slice(more);
            if self.line.len() > LINE_MAX {
                self.give_up("is longer than any event", wrong);
            } else if end.is_some() {
                bytes = &rest[1..];
                self.one_line(incident, wrong);
            } else {
                bytes = rest;
            }
        }
    }

    fn give_up(&mut self, why: &str, wrong: &mut Findings) {
        self.reading = Reading::GivenUp;
        self.line = Vec::new();
        wrong.find(format!("the events, line {}: it {why}", self.lines + 1));
    }

    fn one_line(&mut self, incident: Number, wrong: &mut Findings) {
        let line = std::mem::take(&mut self.line);
        match line::read(&line, Stream(incident.get())) {
            Ok(event) => {
                self.event(incident, &event);
                self.lines += 1;
            }
            Err(why) => self.give_up(&format!("cannot be read ({why})"), wrong),
        }
        if self.pieces.len() > PIECES_MAX {
            self.give_up("is of more evidence than an incident may have", wrong);
        }
    }

    /// That was all of it.
    pub fn end(&mut self, wrong: &mut Findings) {
        if self.reading == Reading::Begun && !self.line.is_empty() {
            self.give_up("has no end", wrong);
        } else if self.reading == Reading::Begun && self.events == 0 {
            self.give_up("is not there, and every incident has a first event", wrong);
        } else if self.reading == Reading::Begun {
            self.reading = Reading::Read;
        }
    }

    fn wrong(&mut self, broken: Broken) {
        if self.broken.len() < BROKEN_MAX {
            self.broken.push(broken);
        }
    }

    fn event(&mut self, incident: Number, event: &Walked) {
        self.events += 1;
        match proof::follows(&self.tip, event) {
            Ok(()) if event.position > self.position => {}
            Ok(()) => self.wrong(Broken::of(event, What::Reordered)),
            Err(What::Removed) => {
                let (seq, position) = (self.tip.seq + 1, self.position + 1);
                self.wrong(Broken { seq, position, ..Broken::of(event, What::Removed) });
            }
            Err(what) => {
                // It was missed already, and is there after all.
                self.broken.retain(|broken| (broken.seq, broken.what) != (event.seq, What::Removed));
                self.wrong(Broken::of(event, what));
            }
        }
        if event.seq > self.tip.seq {
            self.tip = Tip { seq: event.seq, hash: event.hash };
            self.position = event.position;
        }
        if self.known == Some(Seal(event.hash)) {
            self.known_at = Some(event.seq);
        }
        self.words(event);
        self.evidence(incident, event);
    }

    fn words(&mut self, event: &Walked) {
        for what in self.words.look(event) {
            self.wrong(Broken::of(event, what));
        }
        let mut body: Value = serde_json::from_str(&event.body).unwrap_or_default();
        let seals = seal::seals(&mut body);
        for text in &event.texts {
            // What no seal stands for was never said.
            if !seals.contains(&Seal(text.commitment)) {
                self.wrong(Broken::of(event, What::WordsAltered));
            }
            if text.kept.is_some() {
                self.kept.insert(text.commitment, Broken::of(event, What::WordsRestored));
            }
        }
        if event.kind == "redacted" {
            let taken = body["seals"].as_array().into_iter().flatten();
            self.taken.extend(taken.filter_map(|seal| seal.as_str()?.parse().ok()).map(|Seal(hash)| hash));
        }
    }

    fn evidence(&mut self, incident: Number, event: &Walked) {
        let Some(digest) = proof::digest_said(event) else { return };
        let Ok(sha256) = digest.parse::<Fingerprint>() else {
            return self.wrong(Broken::of(event, What::EvidenceAltered));
        };
        let name = piece(incident, digest, proof::said(event, "name").unwrap_or_default());
        self.pieces.insert(name, Piece { entry: event.seq, sha256, there: false });
    }

    /// Says what is wrong, once everything was seen; if it was not, what is not there may have been behind it.
    pub fn finish(mut self, whole: bool, wrong: &mut Findings) {
        let read = self.is_read();
        if read {
            let unfounded = self.words.unfounded();
            self.broken.extend(unfounded);
        }
        let restored = self.taken.iter().filter_map(|taken| self.kept.remove(taken));
        self.broken.extend(restored);
        self.broken.sort_by_key(|broken| (broken.seq, broken.position));
        for broken in &self.broken {
            wrong.find(broken.to_string());
        }
        for (name, piece) in self.pieces.iter().filter(|(_, piece)| whole && read && !piece.there) {
            wrong.find(format!("{name} is missing, which was attached with entry {}", piece.entry));
        }
        if let Some(known) = self.known.filter(|known| read && known.0 != self.tip.hash) {
            let of = match self.known_at {
                Some(entry) => format!("that is the hash of entry {entry}"),
                None => "no entry here has that hash".to_owned(),
            };
            wrong.find(format!("its events end with entry {}, and not with the head {known}: {of}", self.tip.seq));
        }
    }
}

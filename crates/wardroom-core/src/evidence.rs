//! Evidence: a file, the output of a command or a snapshot, kept for root-causing and addressed by its SHA-256.
//!
//! The bytes lie beside the log; an event says what they are, who brought them and when. Their digest is sealed like
//! words, because whoever has it could try whether they guess the bytes: redacting the entry takes the name, the reason,
//! the digest and the bytes. The state holds digests and sizes, so that the same bytes are attached once and the budget is kept.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::authority::Act;
use crate::event::{Event, Recorded};
use crate::facts::Facts;
use crate::id::{Actor, Entry, PersonId};
use crate::incident::{Asking, Decision, Incident};
use crate::preserve::Shows;
use crate::refusal::{Code, Refusal, Remedy};
use crate::seal::Seal;
use crate::text::{Line, Text};

/// What one piece may weigh, in bytes.
pub const PIECE_MAX: u64 = 2 << 30;
/// What may come as one whole, in bytes; more comes in parts.
pub const WHOLE_MAX: u64 = 10 << 20;
/// What all evidence of one incident may weigh together, in bytes, unless whoever runs the server says otherwise.
pub const INCIDENT_MAX: u64 = 10 << 30;
/// How many pieces one incident may have: the state holds a digest of each.
pub const PIECES_MAX: usize = 1_000;

/// What all evidence of one incident may weigh together, in bytes: a setting of whoever runs the server.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Room(pub u64);

impl Default for Room {
    fn default() -> Self {
        Self(INCIDENT_MAX)
    }
}

/// SHA-256 of the bytes, as which they are addressed.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(Seal);

impl Fingerprint {
    /// Wraps a digest that was computed at the edge.
    #[must_use]
    pub fn new(sha256: [u8; 32]) -> Self {
        Self(Seal(sha256))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Fingerprint {
    type Err = &'static str;
    fn from_str(given: &str) -> Result<Self, Self::Err> {
        given.parse().map(Self).map_err(|_| "evidence is addressed by its SHA-256: 64 digits of 0-9 and a-f")
    }
}

/// What bytes are by themselves, whatever their name says. A browser may show pictures; everything else is a file.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum MediaType {
    /// A picture.
    #[serde(rename = "image/png")]
    Png,
    /// A picture.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// A picture.
    #[serde(rename = "image/gif")]
    Gif,
    /// A picture.
    #[serde(rename = "image/webp")]
    Webp,
    /// Text in UTF-8, of whatever language: also SVG and HTML, which are never shown as what they are.
    #[serde(rename = "text/plain")]
    Text,
    /// Anything else.
    #[serde(rename = "application/octet-stream")]
    Other,
}

impl MediaType {
    /// How many bytes are looked at: what is larger is what it begins with.
    pub const LOOKED_AT: usize = 64 << 10;

    /// What bytes are that begin so: a picture by its first few, text if all of the first 64 KiB is text.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let begin = &bytes[..bytes.len().min(Self::LOOKED_AT)];
        match begin {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Self::Png,
            [0xFF, 0xD8, 0xFF, ..] => Self::Jpeg,
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Self::Gif,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Self::Webp,
            _ => {
                let plain = |text: &str| !text.chars().any(|c| c.is_control() && !c.is_whitespace() && c != '\u{1B}');
                let text = match std::str::from_utf8(begin) {
                    // The cut may go through a letter.
                    Err(error) if begin.len() == Self::LOOKED_AT && error.error_len().is_none() => {
                        std::str::from_utf8(&begin[..error.valid_up_to()])
                    }
                    read => read,
                };
                if text.is_ok_and(plain) { Self::Text } else { Self::Other }
            }
        }
    }

    /// Whether a browser may show it in a page.
    #[must_use]
    pub fn is_picture(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Gif | Self::Webp)
    }

    /// As it stands in the header of an answer.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Text => "text/plain",
            Self::Other => "application/octet-stream",
        }
    }
}

/// Bytes that somebody brings, as the edge has looked at them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Piece {
    /// Of the bytes.
    pub fingerprint: Fingerprint,
    /// What its owner calls it.
    pub name: Line,
    /// Why it is worth keeping, if somebody says so.
    pub why: Option<Line>,
    /// What the bytes are.
    pub media_type: MediaType,
    /// How many.
    pub bytes: u64,
    /// From where somebody had them, a URL or a command, if that is known: as what is worth keeping of a service names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// A piece of evidence, as the log has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Of the bytes, in hexadecimal digits.
    pub sha256: Text,
    /// What its owner calls it.
    pub name: Text,
    /// Why it is worth keeping, if somebody said so. Entries from before that could be said have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Text>,
    /// What the bytes are.
    pub media_type: MediaType,
    /// How many.
    pub bytes: u64,
    /// Who brought it; nobody, where it was kept by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// Which thing that was worth keeping it shows, where it was kept by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shows: Option<Shows>,
}

/// What the state knows of a piece.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// Of the bytes.
    pub sha256: Text,
    /// How many.
    pub bytes: u64,
}

/// A number of bytes for people: "34 KB".
#[must_use]
pub fn size(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KB", bytes.div_ceil(1024)),
        _ => {
            let (unit, called) = if bytes < 1 << 30 { (1 << 20, "MB") } else { (1 << 30, "GB") };
            let tenths = bytes.saturating_mul(10).div_ceil(unit);
            format!("{}.{} {called}", tenths / 10, tenths % 10)
        }
    }
}

impl Incident {
    /// The entry with which these bytes were attached, if they are here.
    #[must_use]
    pub fn evidence_at(&self, fingerprint: Fingerprint) -> Option<Entry> {
        let wanted = fingerprint.to_string();
        let mut all = self.evidence.iter();
        all.find(|(_, kept)| kept.sha256.words() == Some(&*wanted)).map(|(entry, _)| *entry)
    }

    /// Whether this person may attach so many bytes now; for whoever would have to take them first.
    ///
    /// # Errors
    /// A [`Refusal`] that says why not: as for writing in the document, or because there is no room.
    pub fn may_attach(&self, person: PersonId, facts: &Facts, bytes: u64) -> Result<(), Refusal> {
        let ask =
            Asking { actor: Actor::Person(person), now: self.last_at, facts, cited: None, other: None, document: None };
        self.visible_to_asker(&ask)?;
        self.writable()?;
        self.still_goes_on()?;
        self.require(&ask, &Act::Respond)?;
        self.room_for_evidence(bytes, facts.room)
    }

    pub(crate) fn room_for_evidence(&self, bytes: u64, Room(most): Room) -> Result<(), Refusal> {
        if bytes > PIECE_MAX {
            let sentence =
                format!("One piece of evidence has at most {}, and this has {}.", size(PIECE_MAX), size(bytes));
            return Err(Refusal::new(Code::Invalid, sentence));
        }
        let there: u64 = self.evidence.values().map(|kept| kept.bytes).sum();
        if there.saturating_add(bytes) > most {
            let sentence = format!(
                "This incident has {} of evidence, and {} more do not fit: at most {} do. Keep it elsewhere, and link to \
                 it from a note.",
                size(there),
                size(bytes),
                size(most)
            );
            return Err(Refusal::new(Code::TooMany, sentence).remedy(Remedy::Note));
        }
        if self.evidence.len() >= PIECES_MAX {
            let sentence =
                format!("There are {PIECES_MAX} pieces of evidence here already. Put several into one file.");
            return Err(Refusal::new(Code::TooMany, sentence));
        }
        Ok(())
    }

    pub(crate) fn attach(&self, ask: &Asking<'_>, piece: Piece) -> Result<Decision, Refusal> {
        let by = self.require(ask, &Act::Respond)?;
        let Piece { fingerprint, name, why, media_type, bytes, from } = piece;
        if bytes == 0 {
            return Err(Refusal::new(Code::Invalid, "There is nothing in it. Look whether it was written to its end."));
        }
        if let Some(entry) = self.evidence_at(fingerprint) {
            return Err(Refusal::new(Code::AlreadySo, format!("The same is attached already, with entry {entry}.")));
        }
        self.room_for_evidence(bytes, ask.facts.room)?;
        let sha256 = Text::said(fingerprint.to_string());
        let (name, why) = (name.into(), why.map(Text::from));
        let (by, shows) = (Some(by), from.and_then(|from| self.shown_from(&from, ask.facts)));
        Ok(Event::EvidenceAttached(Evidence { sha256, name, why, media_type, bytes, by, shows }).into())
    }

    pub(crate) fn evolve_evidence(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::EvidenceAttached(Evidence { sha256, bytes, .. }) => {
                self.evidence.insert(recorded.entry, Kept { sha256: sha256.clone(), bytes: *bytes });
            }
            // Its bytes are gone, and count no more.
            Event::Redacted { entry, .. } => {
                self.evidence.remove(entry);
            }
            _ => {}
        }
    }
}

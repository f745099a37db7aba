//! An event as a line of an archive: everything that the chain covers, byte for byte, and the words beside it. Pure.

use serde::{Deserialize, Serialize};
use wardroom_core::id::{Entry, Time};
use wardroom_core::seal::Seal;

use crate::log::Stream;
use crate::log::proof::{Walked, WalkedText};

/// The longest line, in bytes.
pub const LINE_MAX: usize = 16 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    entry: Entry,
    position: u64,
    at: Time,
    actor: String,
    kind: String,
    version: u16,
    /// JSON, as a text: its bytes are what is hashed.
    body: String,
    texts: Vec<TextLine>,
    hash: Seal,
}

/// Words, or the position of the event that took them away.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextLine {
    seal: Seal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<Salt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    words: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redacted_by: Option<u64>,
}

/// 16 bytes, as 32 hexadecimal digits.
#[derive(Copy, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Salt([u8; 16]);

impl From<Salt> for String {
    fn from(salt: Salt) -> Self {
        format!("{:032x}", u128::from_be_bytes(salt.0))
    }
}

impl TryFrom<String> for Salt {
    type Error = &'static str;
    fn try_from(given: String) -> Result<Self, Self::Error> {
        let digits = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let read = (given.len() == 32 && given.bytes().all(digits)).then(|| u128::from_str_radix(&given, 16).ok());
        let salt = read.flatten().ok_or("a salt is 32 lower-case hexadecimal digits")?;
        Ok(Self(salt.to_be_bytes()))
    }
}

/// The line of an event, with its end.
///
/// # Errors
/// What of it cannot be written: its row holds what Wardroom never writes.
pub(crate) fn written(event: &Walked) -> Result<String, &'static str> {
    let text = |text: &WalkedText| {
        let (salt, words) = text.kept.clone().map(|(salt, words)| (Salt(salt), words)).unzip();
        TextLine { seal: Seal(text.commitment), salt, words, redacted_by: text.erased_by }
    };
    let line = Line {
        entry: Entry(event.seq),
        position: event.position,
        at: Time::from_microsecond(event.at_us).map_err(|_| "its time is none")?,
        actor: event.actor.clone(),
        kind: event.kind.clone(),
        version: event.version,
        body: event.body.clone(),
        texts: event.texts.iter().map(text).collect(),
        hash: Seal(event.hash),
    };
    let mut line = serde_json::to_string(&line).expect("a line is plain data");
    line.push('\n');
    if line.len() > LINE_MAX { Err("it is too long") } else { Ok(line) }
}

/// An event from its line, without the line's end.
///
/// # Errors
/// What cannot be read of it.
pub(crate) fn read(line: &[u8], stream: Stream) -> Result<Walked, String> {
    let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let text = |text: TextLine| match (text.salt, text.words) {
        (Some(salt), Some(words)) => {
            Ok(WalkedText { commitment: text.seal.0, kept: Some((salt.0, words)), erased_by: text.redacted_by })
        }
        (None, None) => Ok(WalkedText { commitment: text.seal.0, kept: None, erased_by: text.redacted_by }),
        _ => Err("a text has words and a salt, or neither".to_owned()),
    };
    Ok(Walked {
        position: line.position,
        stream,
        seq: line.entry.0,
        kind: line.kind,
        version: line.version,
        at_us: line.at.as_microsecond(),
        actor: line.actor,
        body: line.body,
        hash: line.hash.0,
        link: None,
        texts: line.texts.into_iter().map(text).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_comes_back_as_it_was() {
        let event = Walked {
            position: 7,
            stream: Stream(1),
            seq: 3,
            kind: "noted".to_owned(),
            version: 1,
            at_us: 1_763_900_000_123_456,
            actor: "clock".to_owned(),
            body: r#"{"text": {"seal":"…"} }"#.to_owned(),
            hash: [9; 32],
            link: None,
            texts: vec![
                WalkedText {
                    commitment: [1; 32],
                    kept: Some(([0; 16], "a \"b\"\n\u{2028}".to_owned())),
                    erased_by: None,
                },
                WalkedText { commitment: [2; 32], kept: None, erased_by: Some(9) },
            ],
        };
        let line = written(&event).unwrap();
        assert_eq!(line.lines().count(), 1, "{line}");
        assert_eq!(read(line.trim_end().as_bytes(), Stream(1)), Ok(event));
        for odd in [
            line.replace("\"salt\":", "\"pepper\":"),
            line.replace(",\"words\":\"a \\\"b\\\"\\n\u{2028}\"", ""),
            line.replace("\"salt\":\"0", "\"salt\":\"+"),
        ] {
            assert_ne!(odd, line);
            assert!(read(odd.trim_end().as_bytes(), Stream(1)).is_err(), "{odd}");
        }
        let timeless = Walked { at_us: i64::MAX, ..read(line.trim_end().as_bytes(), Stream(1)).unwrap() };
        assert_eq!(written(&timeless), Err("its time is none"));
    }
}

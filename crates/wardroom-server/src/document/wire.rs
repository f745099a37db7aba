//! What stands in a message of the y-websocket protocol, in lib0's encoding: read to a bound, and written. Pure.
//!
//! A message is a kind and a payload. Kind 0 brings the text: a question what is missing (step 1, with what one has),
//! its answer (step 2) and updates. Kind 1 brings presences: cursors and names, which nobody keeps. From 100 on are
//! Wardroom's own, which only a page that asks for [`SUBPROTOCOL`] gets.

use std::collections::BTreeMap;

use super::limits::{PRESENCE_MAX, PRESENCES_MAX};

/// What our own page asks for, and understands more with.
pub const SUBPROTOCOL: &str = "wardroom.document.1";

/// The greatest whole number of JavaScript, which is what clients count in.
const NUMBER_MAX: u64 = (1 << 53) - 1;

/// Something that is not of this protocol: what, for whoever sent it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Malformed(pub &'static str);

/// Which operations of which client somebody has: all below this number.
pub type Clocks = BTreeMap<u64, u32>;

/// Somebody's presence: what their client says of them, as JSON, or that they are gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Presence {
    /// Of which client.
    pub client: u64,
    /// The later one counts.
    pub clock: u64,
    /// An object, or `null` for whoever is gone.
    pub state: String,
}

/// What a peer says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said<'a> {
    /// What it has, and so what it asks for.
    Has(Clocks),
    /// Everything that it has and the one who asked has not.
    Answers(&'a [u8]),
    /// What somebody has just written.
    Writes(&'a [u8]),
    /// Who is there.
    Present(Vec<Presence>),
    /// Asks who is there.
    WhoIsThere,
    /// Something of the protocol that says nothing here.
    Nothing,
}

/// Bytes that are read from front to back.
#[derive(Clone, Debug)]
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// From the first one on.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What has not been read.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// One byte.
    ///
    /// # Errors
    /// When there is none.
    pub fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.0.split_first().ok_or(Malformed("it ends too early"))?;
        self.0 = rest;
        Ok(*first)
    }

    /// A whole number in groups of seven bits, the lowest first.
    ///
    /// # Errors
    /// When it does not end, or is greater than JavaScript counts.
    pub fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for shift in (0..56).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return if number <= NUMBER_MAX { Ok(number) } else { Err(Malformed("a number in it is too great")) };
            }
        }
        Err(Malformed("a number in it does not end"))
    }

    /// A number of operations.
    ///
    /// # Errors
    /// When it is greater than a document can have.
    pub fn clock(&mut self) -> Result<u32, Malformed> {
        let number = self.number()?;
        u32::try_from(number).ok().filter(|number| *number <= i32::MAX as u32).ok_or(Malformed("it counts too far"))
    }

    /// As many bytes as the number before them says.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed("a length in it is not true"))?;
        self.0 = rest;
        Ok(bytes)
    }

    /// A text.
    ///
    /// # Errors
    /// When it is none.
    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        str::from_utf8(self.bytes()?).map_err(|_| Malformed("a text in it is not UTF-8"))
    }

    /// Makes sure that everything was read.
    ///
    /// # Errors
    /// When there is more.
    pub fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed("there is more in it than it says")) }
    }
}

/// Reads one message.
///
/// # Errors
/// What about it is not of this protocol.
pub fn read(message: &[u8]) -> Result<Said<'_>, Malformed> {
    let mut bytes = Bytes::new(message);
    let said = match bytes.number()? {
        0 => {
            let step = bytes.number()?;
            let payload = bytes.bytes()?;
            match step {
                0 => Said::Has(clocks(payload)?),
                1 => Said::Answers(payload),
                2 => Said::Writes(payload),
                _ => return Err(Malformed("its step is none of 0, 1 and 2")),
            }
        }
        1 => Said::Present(presences(bytes.bytes()?)?),
        2 => return Ok(Said::Nothing), // Authentication, which is over before the socket opens.
        3 => Said::WhoIsThere,
        _ => return Err(Malformed("its kind is none that a client sends")),
    };
    bytes.end().map(|()| said)
}

/// Whether a message asks for the text.
#[must_use]
pub fn asks(message: &[u8]) -> bool {
    matches!(message, [0, 0, ..])
}

/// Reads a state vector.
///
/// # Errors
/// When it is none.
pub fn clocks(bytes: &[u8]) -> Result<Clocks, Malformed> {
    let mut bytes = Bytes::new(bytes);
    let mut clocks = Clocks::new();
    for _ in 0..bytes.number()? {
        let (client, clock) = (bytes.number()?, bytes.clock()?);
        clocks.insert(client, clock);
    }
    bytes.end().map(|()| clocks)
}

fn presences(bytes: &[u8]) -> Result<Vec<Presence>, Malformed> {
    let mut bytes = Bytes::new(bytes);
    let count = bytes.number()?;
    if count > PRESENCES_MAX as u64 {
        return Err(Malformed("it speaks of too many people"));
    }
    let mut presences = Vec::new();
    for _ in 0..count {
        let (client, clock, state) = (bytes.number()?, bytes.number()?, bytes.text()?);
        if state.len() > PRESENCE_MAX {
            return Err(Malformed("a presence in it is longer than 4 KiB"));
        }
        match serde_json::from_str(state) {
            Ok(serde_json::Value::Object(_) | serde_json::Value::Null) => {}
            _ => return Err(Malformed("a presence in it is no JSON object")),
        }
        presences.push(Presence { client, clock, state: state.to_owned() });
    }
    bytes.end().map(|()| presences)
}

/// Writes a whole number.
pub fn put_number(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// Writes bytes behind their length.
pub fn put_bytes(into: &mut Vec<u8>, bytes: &[u8]) {
    put_number(into, bytes.len() as u64);
    into.extend_from_slice(bytes);
}

/// A state vector's bytes.
#[must_use]
pub fn clocks_to_bytes(clocks: &Clocks) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + clocks.len() * 10);
    put_number(&mut bytes, clocks.len() as u64);
    for (client, clock) in clocks.iter().rev() {
        put_number(&mut bytes, *client);
        put_number(&mut bytes, u64::from(*clock));
    }
    bytes
}

fn message(head: &[u64], payload: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(payload.len() + 8);
    head.iter().for_each(|number| put_number(&mut message, *number));
    put_bytes(&mut message, payload);
    message
}

/// Asks a peer for what it has beyond these.
#[must_use]
pub fn has(clocks: &Clocks) -> Vec<u8> {
    message(&[0, 0], &clocks_to_bytes(clocks))
}

/// Answers what a peer asked for.
#[must_use]
pub fn answers(update: &[u8]) -> Vec<u8> {
    message(&[0, 1], update)
}

/// What somebody wrote.
#[must_use]
pub fn writes(update: &[u8]) -> Vec<u8> {
    message(&[0, 2], update)
}

/// Who is there; nobody, as a sign of life.
#[must_use]
pub fn present<'a>(presences: impl ExactSizeIterator<Item = &'a Presence>) -> Vec<u8> {
    let mut payload = Vec::new();
    put_number(&mut payload, presences.len() as u64);
    for presence in presences {
        put_number(&mut payload, presence.client);
        put_number(&mut payload, presence.clock);
        put_bytes(&mut payload, presence.state.as_bytes());
    }
    message(&[1], &payload)
}

/// Tells a page how many of its messages that carried something to keep are kept.
#[must_use]
pub fn saved(messages: u64) -> Vec<u8> {
    let mut said = Vec::new();
    put_number(&mut said, 100);
    put_number(&mut said, messages);
    said
}

/// Tells a page whether its reader may write, and if not, why.
#[must_use]
pub fn may(write: bool, why_not: &str) -> Vec<u8> {
    message(&[101, u64::from(write)], why_not.as_bytes())
}

/// Tells a page which client is whose, as JSON.
#[must_use]
pub fn authors(json: &str) -> Vec<u8> {
    message(&[102], json.as_bytes())
}

/// Tells a page how far what is kept goes, and when each part last changed, as JSON.
#[must_use]
pub fn clock(version: u64, json: &str) -> Vec<u8> {
    message(&[103, version], json.as_bytes())
}

/// Tells a page that there is no room for what it wrote, and why.
#[must_use]
pub fn full(why: &str) -> Vec<u8> {
    message(&[104], why.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let clocks = Clocks::from([(7, 3), (1 << 52, 12)]);
        assert_eq!(read(&has(&clocks)), Ok(Said::Has(clocks)));
        assert_eq!(read(&answers(&[0, 0])), Ok(Said::Answers(&[0, 0])));
        assert_eq!(read(&writes(&[0, 0])), Ok(Said::Writes(&[0, 0])));
        let mary = Presence { client: 300, clock: 2, state: r#"{"user":{"name":"Mary"}}"#.to_owned() };
        assert_eq!(read(&present([&mary].into_iter())), Ok(Said::Present(vec![mary])));
        assert_eq!(read(&[3]), Ok(Said::WhoIsThere));
    }

    #[test]
    fn lengths_that_lie_and_numbers_without_end_are_malformed() {
        for (message, why) in [
            (&[][..], "it ends too early"),
            (&[0, 2, 0xff, 0xff, 0xff, 0xff, 0x0f], "a length in it is not true"),
            (&[0xff; 12], "a number in it does not end"),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], "a number in it is too great"),
            (&[0, 3, 0], "its step is none of 0, 1 and 2"),
            (&[0, 2, 1, 0, 0], "there is more in it than it says"),
            (&[0, 0, 3, 1, 7], "a length in it is not true"),
            (&[0, 0, 7, 1, 7, 0xff, 0xff, 0xff, 0xff, 0x0f], "it counts too far"),
            (&[1, 5, 1, 7, 1, 1, b'7'], "a presence in it is no JSON object"),
            (&[1, 2, 0xff, 0x7f], "it speaks of too many people"),
            (&[100, 1], "its kind is none that a client sends"),
        ] {
            assert_eq!(read(message), Err(Malformed(why)), "{message:?}");
        }
    }

    /// A count that lies costs no memory: what it counts is not there.
    #[test]
    fn a_count_that_lies_ends_with_the_bytes() {
        let mut many = Vec::new();
        put_number(&mut many, u64::from(u32::MAX));
        assert_eq!(clocks(&many), Err(Malformed("it ends too early")));
    }
}

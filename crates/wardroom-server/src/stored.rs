//! Between the core's events and the log's rows: sealing on the way in, opening on the way out.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use wardroom_core::directory::DirectoryEvent;
use wardroom_core::event::{Event, Recorded, Unreadable, VERSION};
use wardroom_core::id::{Actor, Entry, Time};
use wardroom_core::seal::{self, Seal};

use crate::log::{Draft, LogError, Stored, Stream, Words};

/// Draws fresh random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system always has randomness once it has booted");
    bytes
}

/// An event kind of either sort of stream.
pub(crate) trait Kept: Sized {
    /// Its stored kind and body, unsealed.
    fn to_stored(&self) -> (String, Value);
    /// Back from the stored kind and opened body.
    fn from_stored(kind: &str, version: u16, body: Value) -> Result<Self, Unreadable>;
    /// The seals whose words this event takes out for ever.
    fn erases(&self) -> &[Seal];
}

/// An incident's events and the directory's are laid out alike; they differ in which of them takes words out.
macro_rules! kept {
    ($event:ident, by $erasing:ident) => {
        impl Kept for $event {
            fn to_stored(&self) -> (String, Value) {
                Self::to_stored(self)
            }
            fn from_stored(kind: &str, version: u16, body: Value) -> Result<Self, Unreadable> {
                Self::from_stored(kind, version, body)
            }
            fn erases(&self) -> &[Seal] {
                match self {
                    Self::$erasing { seals, .. } => seals,
                    _ => &[],
                }
            }
        }
    };
}
kept!(Event, by Redacted);
kept!(DirectoryEvent, by PersonForgotten);

/// Seals an event for the log and returns it as it will read back, so that what is folded now is exactly
/// what will be folded after a restart.
pub(crate) fn draft<E: Kept>(event: &E, at: Time, actor: Actor) -> (Draft, E) {
    let (kind, mut body) = event.to_stored();
    let taken = seal::seal(&mut body, &mut random);
    let stored = body.to_string();
    seal::open(&mut body, &|seal| taken.iter().find(|words| words.seal == seal).map(|words| words.words.clone()));
    let read_back = E::from_stored(&kind, VERSION, body).expect("what was just written can be read");
    let texts = taken
        .into_iter()
        .map(|words| Words { commitment: words.seal.0, salt: words.salt, words: words.words })
        .collect();
    let draft = Draft { kind: kind.into(), version: VERSION, at, actor: actor.to_string(), body: stored, texts };
    (draft, read_back)
}

/// A folded state, or what is summed up of it, for a table beside the log: with seals, and without words.
///
/// # Errors
/// [`LogError::Damaged`] when it holds words that no seal stands for, which cannot have come out of the log.
pub(crate) fn sealed(state: &impl Serialize, stream: Stream) -> Result<String, LogError> {
    let mut tree = serde_json::to_value(state).expect("a state is plain data");
    match seal::seal(&mut tree, &mut random).as_slice() {
        [] => Ok(tree.to_string()),
        _ => Err(LogError::damaged(stream, "what is folded of it holds a text that is not sealed")),
    }
}

/// The body of a stored event with its words put back.
///
/// # Errors
/// [`Unreadable::Malformed`] when the body is no JSON, or holds words by itself.
pub(crate) fn opened(stored: &Stored) -> Result<Value, Unreadable> {
    let malformed = |why: String| Unreadable::Malformed { kind: stored.kind.clone(), why };
    let mut body: Value = serde_json::from_str(&stored.body).map_err(|error| malformed(error.to_string()))?;
    if seal::holds_words(&body) {
        return Err(malformed("it holds a text that is not sealed".to_owned()));
    }
    let words: HashMap<[u8; 32], &str> =
        stored.texts.iter().filter_map(|text| Some((text.commitment, text.words.as_deref()?))).collect();
    if !words.is_empty() {
        seal::open(&mut body, &|seal| words.get(&seal.0).map(|words| (*words).to_owned()));
    }
    Ok(body)
}

fn actor(stored: &Stored) -> Result<Actor, Unreadable> {
    stored.actor.parse().map_err(|bad| Unreadable::Malformed { kind: stored.kind.clone(), why: format!("{bad}") })
}

/// Reads an event back.
///
/// # Errors
/// [`Unreadable`] for what a newer Wardroom wrote, or for what was damaged.
pub(crate) fn recorded<E: Kept>(stored: &Stored) -> Result<Recorded<E>, Unreadable> {
    if let Some(column) = stored.odd {
        let why = format!("its {column} cannot be read");
        return Err(Unreadable::Malformed { kind: stored.kind.clone(), why });
    }
    let event = E::from_stored(&stored.kind, stored.version, opened(stored)?)?;
    Ok(Recorded { entry: Entry(stored.seq), at: stored.at, actor: actor(stored)?, event })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardroom_core::text::Text;

    /// Somebody who wrote such a body into the database brought the whole server down: what was folded of it could
    /// not be summed up.
    #[test]
    fn a_stored_body_with_words_in_it_is_not_read() {
        let seal = "00".repeat(32);
        let texts = [
            r#"{"said":"forged"}"#.to_owned(),
            r#"{"said":"forged","seal":1}"#.to_owned(),
            format!(r#"{{"seal":"{seal}","words":"forged"}}"#),
        ];
        for text in texts {
            let body = format!(r#"{{"text":{text},"happened_at":null,"pinned":false}}"#);
            let (kind, actor) = ("noted".to_owned(), "clock".to_owned());
            let (stream, at, hash) = (crate::log::Stream(1), Time::UNIX_EPOCH, [0; 32]);
            let stored = Stored {
                position: 2,
                stream,
                seq: 2,
                kind,
                version: VERSION,
                at,
                actor,
                body,
                hash,
                texts: vec![],
                odd: None,
            };
            let read = recorded::<Event>(&stored);
            assert!(matches!(read, Err(Unreadable::Malformed { .. })), "{read:?}");
        }
    }

    #[test]
    fn words_stand_beside_the_chain_and_never_in_it() {
        let event = Event::Noted { text: Text::said("hunter2"), happened_at: None, pinned: false };
        let at = Time::UNIX_EPOCH;
        let (draft, read_back) = draft(&event, at, Actor::Clock);
        assert!(!draft.body.contains("hunter2"), "{}", draft.body);
        assert_eq!(draft.texts.len(), 1);
        assert_eq!(draft.texts[0].words, "hunter2");
        let Event::Noted { text, .. } = read_back else { panic!("the same event comes back") };
        assert_eq!((text.words(), text.seal().is_some()), (Some("hunter2"), true));
    }
}

//! Sealing: how free text enters the chain as a salted commitment, with the words beside it.
//!
//! An event is sealed as a JSON tree: every [`Text`](crate::text::Text) in it is recognised by its form,
//! so no kind of event can forget to seal its words. In memory a text that was just said is the JSON
//! object `{"said": …}`; in the log it is `{"seal": "<hex>"}`; opened again it is
//! `{"seal": "<hex>", "words": …}`, or stays `{"seal": …}` once the words were redacted.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The commitment to one text: SHA-256 over a domain, 16 random bytes and the words.
///
/// The salt keeps short texts from being guessed from the chain after they were redacted.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct Seal(pub [u8; 32]);

/// 16 random bytes, drawn outside the core.
pub type Salt = [u8; 16];

/// The commitment that stands in the chain for `words`.
#[must_use]
pub fn commit(salt: &Salt, words: &str) -> Seal {
    let mut hash = Sha256::new();
    hash.update(b"wardroom text 1\0");
    hash.update(salt);
    hash.update(words.as_bytes());
    Seal(hash.finalize().into())
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Seal> for String {
    fn from(seal: Seal) -> String {
        seal.to_string()
    }
}

impl TryFrom<String> for Seal {
    type Error = &'static str;
    fn try_from(hex: String) -> Result<Self, Self::Error> {
        hex.parse()
    }
}

impl FromStr for Seal {
    type Err = &'static str;
    fn from_str(hex: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a SHA-256 is 64 lower-case hexadecimal digits";
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(WRONG),
        };
        let digits = hex.as_bytes();
        if digits.len() != 64 {
            return Err(WRONG);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? * 16 + digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

/// Words that were taken out of an event, to be kept beside the chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedWords {
    /// What stands for them in the chain.
    pub seal: Seal,
    /// What keeps them from being guessed.
    pub salt: Salt,
    /// The words.
    pub words: String,
}

/// Replaces every text in `tree` by its seal and returns the words of those that were just said.
///
/// Texts that were sealed before lose their words here and are not returned: theirs are kept already.
/// `salt` draws 16 fresh random bytes for each text.
pub fn seal(tree: &mut Value, salt: &mut impl FnMut() -> Salt) -> Vec<SealedWords> {
    let mut taken = Vec::new();
    walk(tree, &mut |object| {
        if object.len() == 1
            && let Some(Value::String(said)) = object.get("said")
        {
            let (salt, words) = (salt(), said.clone());
            let seal = commit(&salt, &words);
            *object = sealed(seal);
            taken.push(SealedWords { seal, salt, words });
        } else if is_kept(object) {
            object.remove("words");
        }
    });
    taken
}

/// Puts the words back beside their seals, as `words` knows them; a text whose words are gone stays sealed.
pub fn open(tree: &mut Value, words: &impl Fn(Seal) -> Option<String>) {
    walk(tree, &mut |object| {
        if let Some(seal) = lone_seal(object)
            && let Some(words) = words(seal)
        {
            object.insert("words".to_owned(), Value::String(words));
        }
    });
}

/// Takes the words of these seals out of `tree`; the seals stay.
pub fn forget(tree: &mut Value, gone: &[Seal]) {
    walk(tree, &mut |object| {
        if any_seal(object).is_some_and(|seal| gone.contains(&seal)) {
            object.remove("words");
        }
    });
}

/// Rewrites every text for a reader: the plain words, or null where they were redacted.
pub fn reveal(tree: &mut Value) {
    let shown = match tree {
        Value::Object(object) if is_kept(object) => object.get("words").cloned(),
        Value::Object(object) if object.len() == 1 => match (object.get("seal"), object.get("said")) {
            (Some(Value::String(_)), _) => Some(Value::Null),
            (_, Some(said @ Value::String(_))) => Some(said.clone()),
            _ => None,
        },
        _ => None,
    };
    match (shown, tree) {
        (Some(shown), tree) => *tree = shown,
        (None, Value::Object(object)) => object.values_mut().for_each(reveal),
        (None, Value::Array(items)) => items.iter_mut().for_each(reveal),
        _ => {}
    }
}

/// Every seal in `tree`, in the order they stand there.
#[must_use]
pub fn seals(tree: &mut Value) -> Vec<Seal> {
    let mut found = Vec::new();
    walk(tree, &mut |object| found.extend(any_seal(object)));
    found
}

/// Whether words stand in `tree`. They never do in the log: a text that was forged into it is no seal's, so that
/// nothing could redact it.
#[must_use]
pub fn holds_words(tree: &Value) -> bool {
    match tree {
        Value::Object(object) => {
            let text = |part: &str| object.get(part).is_some_and(Value::is_string);
            text("said") || (text("seal") && text("words")) || object.values().any(holds_words)
        }
        Value::Array(items) => items.iter().any(holds_words),
        _ => false,
    }
}

/// Only strings make a text: a team or a service may be called `seal`, and what is known of it is an object.
fn is_kept(object: &Map<String, Value>) -> bool {
    object.len() == 2 && ["seal", "words"].iter().all(|part| object.get(*part).is_some_and(Value::is_string))
}

fn any_seal(object: &Map<String, Value>) -> Option<Seal> {
    object.get("seal")?.as_str()?.parse().ok()
}

fn lone_seal(object: &Map<String, Value>) -> Option<Seal> {
    (object.len() == 1).then(|| any_seal(object))?
}

fn sealed(seal: Seal) -> Map<String, Value> {
    Map::from_iter([("seal".to_owned(), Value::String(seal.to_string()))])
}

/// Visits every object of the tree, outermost first. Depth is bounded by the JSON parser (128) on the way in.
fn walk(tree: &mut Value, visit: &mut impl FnMut(&mut Map<String, Value>)) {
    match tree {
        Value::Object(object) => {
            visit(object);
            object.values_mut().for_each(|value| walk(value, visit));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| walk(value, visit)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_leave_and_come_back() {
        let mut tree = json!({"text": {"said": "hello"}, "list": [{"said": "you"}], "n": 1});
        let taken = seal(&mut tree, &mut || [7; 16]);
        assert_eq!(taken.len(), 2);
        assert_eq!(tree["text"], json!({"seal": commit(&[7; 16], "hello").to_string()}));
        let stored = tree.clone();
        open(&mut tree, &|seal| taken.iter().find(|t| t.seal == seal).map(|t| t.words.clone()));
        assert_eq!(tree["text"]["words"], "hello");
        assert!(seal(&mut tree, &mut || [8; 16]).is_empty(), "kept words are not sealed twice");
        assert_eq!(tree, stored);
    }

    #[test]
    fn a_reader_sees_words_or_a_tombstone() {
        let mut tree = json!({"a": {"seal": "00", "words": "x"}, "b": {"seal": "00"}, "c": [{"said": "y"}]});
        reveal(&mut tree);
        assert_eq!(tree, json!({"a": "x", "b": null, "c": ["y"]}));
    }

    /// [`Text`](crate::text::Text) is read from an object that has more in it, too.
    #[test]
    fn words_are_found_wherever_they_would_be_read() {
        for text in [json!({"said": "x"}), json!({"said": "x", "n": 1}), json!({"seal": "00", "words": "x", "n": 1})] {
            assert!(holds_words(&json!({"list": [{"text": text}]})), "{text}");
        }
        for text in [json!({"seal": "00"}), json!({"said": {}}), json!({"words": "x"}), json!("said")] {
            assert!(!holds_words(&json!({"list": [{"text": text}]})), "{text}");
        }
    }

    /// A directory whose only team was called “seal” was shown as having none.
    #[test]
    fn a_team_that_is_called_like_a_part_of_a_text_is_no_text() {
        for teams in [json!({"seal": {"members": []}}), json!({"said": {}}), json!({"seal": {}, "words": {}})] {
            let mut tree = json!({ "teams": teams });
            let taken = seal(&mut tree, &mut || [7; 16]);
            reveal(&mut tree);
            assert_eq!((taken, tree), (vec![], json!({ "teams": teams })));
        }
    }

    #[test]
    fn the_commitment_is_pinned() {
        assert_eq!(
            commit(&[1; 16], "sonnet").to_string(),
            "83ba2bfe0f15b0a2affa9f0ed1edbfb9ab81c3d3238cd9b4c3b122590c355c01"
        );
    }
}

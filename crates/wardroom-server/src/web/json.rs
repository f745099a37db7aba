//! JSON that says each thing once. A key that stands twice in an object says two things, and which of them a program
//! believes is its own affair: what was checked elsewhere need not be what is recorded here. Pure.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Reads a document in which no object has a key twice, however deep it lies.
///
/// # Errors
/// A sentence that says what does not fit, and where.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let read = serde_json::from_slice(bytes).and_then(|Unambiguous| serde_json::from_slice(bytes));
    read.map_err(|error| error.to_string())
}

/// That a document says each thing once.
struct Unambiguous;

/// A key, where it stands if it stands there as it is.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(given: D) -> Result<Self, D::Error> {
        given.deserialize_any(Reading)
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(given: D) -> Result<Self, D::Error> {
        given.deserialize_str(ReadingKey)
    }
}

struct Reading;
struct ReadingKey;

impl<'de> Visitor<'de> for Reading {
    type Value = Unambiguous;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut given: A) -> Result<Unambiguous, A::Error> {
        while let Some(Unambiguous) = given.next_element()? {}
        Ok(Unambiguous)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut given: A) -> Result<Unambiguous, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(Key(key)) = given.next_key()? {
            if keys.contains(&key) {
                return Err(A::Error::custom(format!("“{key}” stands there twice")));
            }
            let Unambiguous = given.next_value()?;
            keys.insert(key);
        }
        Ok(Unambiguous)
    }
}

impl<'de> Visitor<'de> for ReadingKey {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, given: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(given.to_owned())))
    }

    fn visit_borrowed_str<E>(self, given: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(given)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_stands_there_once_is_read_as_ever() {
        let text = r#"{"a":[1,-2,2.5,true,null,"x"],"b":{"a":{"a":18446744073709551615}}}"#;
        assert_eq!(read::<Value>(text.as_bytes()), Ok(serde_json::from_str(text).unwrap()));
    }

    #[test]
    fn what_stands_there_twice_is_refused_however_deep() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"c":2,"a":3}}]"#, r#"{"a":1,"\u0061":2}"#] {
            let error = read::<Value>(text.as_bytes()).expect_err(text);
            assert!(error.starts_with("“a” stands there twice"), "{error}");
        }
    }
}

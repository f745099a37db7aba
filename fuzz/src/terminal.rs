//! What the command reads from whatever answers at an address: the same files as the command's own.

use std::io::{BufReader, ErrorKind};

use serde_json::Value;

use super::{Breaks, bounded, every_string};

#[path = "../../crates/wardroom/src/live.rs"]
mod live;
#[path = "../../crates/wardroom/src/plain.rs"]
mod plain;

/// The live stream gives the same entries however its bytes arrive, and ends.
pub fn live_stream(bytes: &[u8]) {
    let whole = entries(bytes, bytes.len().max(1));
    assert_eq!(entries(bytes, 1), whole);
    assert_eq!(entries(bytes, 7), whole);
    let (read, _) = whole;
    assert!(read.len() <= bytes.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"data: ")).count());
    for mut entry in read {
        plain::plain(&mut entry);
        safe(&entry);
    }
}

/// The entries up to the stream's end, or to what no Wardroom sends.
fn entries(bytes: &[u8], at_once: usize) -> (Vec<Value>, bool) {
    let mut stream = BufReader::with_capacity(at_once, bytes);
    let mut read = Vec::new();
    loop {
        match live::next_entry(&mut stream) {
            Ok(Some(entry)) => read.push(entry),
            Ok(None) => return (read, true),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidData);
                return (read, false);
            }
        }
    }
}

/// An answer, as it is shown: nothing in it moves the cursor or disguises what stands around it.
pub fn answer(bytes: &[u8]) {
    let Ok(mut answer) = serde_json::from_slice::<Value>(bytes) else { return };
    plain::plain(&mut answer);
    safe(&answer);
    let once = answer.clone();
    plain::plain(&mut answer);
    assert_eq!(answer, once);
}

fn safe(answer: &Value) {
    match answer {
        Value::String(text) => bounded(text, usize::MAX, Breaks::Allowed),
        Value::Array(items) => items.iter().for_each(safe),
        // Names of fields are never shown.
        Value::Object(object) => object.values().for_each(safe),
        Value::Null | Value::Bool(_) | Value::Number(_) => every_string(answer, &mut |_| ()),
    }
}

//! What another machine answered, made safe to be shown in a terminal. Pure.

use serde_json::Value;
use wardroom_core::text::misleads;

/// Puts a mark in the place of every character that would move the cursor, or hide or disguise what stands around it.
/// Wardroom lets nobody say such a character; what is at this address may be something else.
pub fn plain(answer: &mut Value) {
    match answer {
        Value::String(text) if text.contains(moves) => *text = text.replace("\r\n", "\n").replace(moves, "\u{FFFD}"),
        Value::Array(items) => items.iter_mut().for_each(plain),
        Value::Object(object) => object.values_mut().for_each(plain),
        _ => {}
    }
}

/// A text of several lines is one; what is shown in one line is shown so by whoever shows it. A return that ends no line would
/// have what follows it written over what stands before.
fn moves(c: char) -> bool {
    c == '\r' || misleads(c) && !matches!(c, '\n' | '\t')
}

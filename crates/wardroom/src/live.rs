//! Reads the live stream: one entry after the other, however the bytes arrive, and none without a bound. Pure, apart
//! from the reader that it is given.

use std::io::{self, BufRead, ErrorKind, Read};

use serde_json::Value;

/// The longest line that is read, in bytes: a note of 20,000 characters, each escaped, and room for what is around it.
pub const LINE_MAX: u64 = 1 << 20;

/// The next entry; `None` when the stream has ended, be it in the middle of a line.
///
/// # Errors
/// [`ErrorKind::InvalidData`] for what no Wardroom sends: a line over [`LINE_MAX`], or data that is no JSON. Any other
/// error is the connection's.
pub fn next_entry(stream: &mut impl BufRead) -> io::Result<Option<Value>> {
    let mut line = Vec::new();
    loop {
        line.clear();
        stream.by_ref().take(LINE_MAX + 1).read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            if line.len() as u64 > LINE_MAX {
                return Err(io::Error::new(ErrorKind::InvalidData, "a line of it does not end"));
            }
            return Ok(None);
        }
        if let Some(data) = line.strip_prefix(b"data: ") {
            let entry = serde_json::from_slice(data).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            return Ok(Some(entry));
        }
    }
}

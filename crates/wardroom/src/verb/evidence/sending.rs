//! Sending a large file in parts: from where it broke off, again and again, and with how far it is on a terminal.

use std::fs::File;
use std::io::{IsTerminal, Read, Seek, SeekFrom, Write};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardroom_core::evidence::{Fingerprint, size};
use wardroom_core::id::Number;
use wardroom_core::text::Line;

use crate::client::{Client, Sent};
use crate::exit::Failure;

/// What is larger goes in parts, in bytes.
pub const LARGE: u64 = 4 << 20;
/// The largest part, in bytes, and the smallest: each has to arrive within 20 seconds.
const PARTS: (usize, usize) = (8 << 20, 256 << 10);
/// How often it is gone on without a byte having come, and how long is waited the first time.
const TRIES: u32 = 8;
const AGAIN: Duration = Duration::from_millis(250);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(10);
/// How often is waited so long for all of it to be put away, once it has come: into a bucket that takes a while.
const PUT_AWAY: u32 = 30;
/// How often one is begun anew that the server does not know any more.
const BEGINNINGS: u32 = 3;

/// Attaches a large file.
pub fn send(
    client: &Client,
    number: Number,
    mut file: File,
    (name, why): (&Line, Option<&Line>),
) -> anyhow::Result<Value> {
    let unreadable = |error: std::io::Error| Failure::misused(format!("{} cannot be read: {error}", name.as_str()));
    let (bytes, sha256) = digest(&mut file).map_err(unreadable)?;
    let said = json!({ "name": name, "why": why, "bytes": bytes, "sha256": sha256 });
    let shown = Shown { on: std::io::stderr().is_terminal(), name: name.as_str().to_owned(), bytes };
    let mut begun = 0;
    loop {
        let answer = client.begin_upload(number, &said)?;
        let Some(upload) = answer["upload"].as_str() else { return Ok(answer) };
        let from = answer["offset"].as_u64().unwrap_or_default();
        match parts(client, number, &mut file, upload, (from, bytes), &shown)? {
            Some(attached) => return Ok(attached),
            // It arrived and the answer got lost, or it was swept: beginning says which.
            None if begun < BEGINNINGS => begun += 1,
            None => {
                return Err(Failure::unreachable("what is sent does not stay at the server. Try again later.").into());
            }
        }
    }
}

fn digest(file: &mut File) -> std::io::Result<(u64, Fingerprint)> {
    file.seek(SeekFrom::Start(0))?;
    let (mut digest, mut bytes, mut chunk) = (Sha256::new(), 0, vec![0; 1 << 20]);
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok((bytes, Fingerprint::new(digest.finalize().into()))),
            read => {
                digest.update(&chunk[..read]);
                bytes += read as u64;
            }
        }
    }
}

/// Sends what has not come yet; nothing when the server does not know of it any more.
fn parts(
    client: &Client,
    number: Number,
    file: &mut File,
    upload: &str,
    (mut at, bytes): (u64, u64),
    shown: &Shown,
) -> anyhow::Result<Option<Value>> {
    let (mut tried, mut waited, mut length) = (0, 0, PARTS.0);
    loop {
        shown.far(at);
        file.seek(SeekFrom::Start(at))?;
        let mut part = Vec::with_capacity(length);
        Read::by_ref(file).take(length as u64).read_to_end(&mut part)?;
        if part.is_empty() && at < bytes {
            return Err(Failure::misused("it became shorter while it was sent. Send it again once it is done.").into());
        }
        let sent = client.send_part(number, upload, at, &part);
        let went_wrong = match sent {
            Ok(Sent::Attached(answer)) => {
                shown.far(bytes);
                return Ok(Some(answer));
            }
            Ok(Sent::Gone) => return Ok(None),
            Ok(Sent::Came(come)) if come > at => {
                (at, tried) = (come, 0);
                continue;
            }
            // All of it has come: that is being looked at and put away.
            Ok(Sent::Came(_)) if at == bytes && waited < PUT_AWAY => {
                waited += 1;
                std::thread::sleep(LONGEST);
                continue;
            }
            Ok(Sent::Came(_)) => None,
            Err(error) if matches!(error.downcast_ref(), Some(Failure::Unreachable(_))) => Some(error),
            Err(error) => return Err(error),
        };
        // It broke off, or the line is slow: less at once, and from where it is.
        length = (length / 2).max(PARTS.1);
        tried += 1;
        if tried > TRIES {
            return Err(
                went_wrong.unwrap_or_else(|| Failure::unreachable("no part of it arrives. Try again later.").into())
            );
        }
        std::thread::sleep((AGAIN * 2_u32.pow(tried - 1)).min(LONGEST));
        match client.how_far(upload) {
            Ok(Some(come)) => {
                if come > at {
                    tried = 0;
                }
                at = come;
            }
            Ok(None) => return Ok(None),
            Err(error) if !matches!(error.downcast_ref(), Some(Failure::Unreachable(_))) => return Err(error),
            Err(_) => {} // It is not there yet.
        }
    }
}

/// How far it is, in one line of a terminal that is written over.
struct Shown {
    on: bool,
    name: String,
    bytes: u64,
}

impl Shown {
    fn far(&self, come: u64) {
        if !self.on {
            return;
        }
        let percent = come.saturating_mul(100) / self.bytes.max(1);
        let line = format!("{}: {percent} % of {}", self.name, size(self.bytes));
        let _ = write!(std::io::stderr(), "\r{line}{}", if come == self.bytes { "\n" } else { "\u{1B}[K" });
    }
}

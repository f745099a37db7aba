//! What is read back from an archive that left a server.

use wardroom_core::seal::Seal;
use wardroom_server::archive::check::{Checked, check};
use wardroom_server::archive::{Manifest, sha256, tar};

use super::can_be_shown;

/// An archive as a server made it.
const GOOD: &[u8] = include_bytes!("../corpus/archive/good");
/// Bytes of a tar's head.
const HEAD: usize = 512;

/// An archive that somebody has written into. Bytes that begin as one does are taken as they are; what begins as a line of
/// the log is put in the place of a good one's log, with a manifest that fits; of anything else four bytes replace one of a
/// good one: where, in three, and with what.
///
/// It is read to its end or said why not, and what differs from a good one in a byte is not good.
pub fn archive(bytes: &[u8]) {
    if bytes.starts_with(b"incident-") {
        if holds(bytes).wrong.is_empty() {
            assert!(!holds(&bytes[..bytes.len() - 1]).wrong.is_empty(), "it is shorter than it is");
            let mut altered = bytes.to_vec();
            altered[bytes.len() / 2] ^= 1;
            assert!(!holds(&altered).wrong.is_empty(), "a byte of it is free");
        }
    } else if bytes.starts_with(b"{") {
        let checked = holds(&with_log(bytes));
        assert!(checked.whole, "{:?}", checked.wrong);
        if checked.wrong.is_empty() {
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
            assert_eq!((checked.events, bytes.ends_with(b"\n")), (lines as u64, true));
        }
    } else {
        let mut altered = GOOD.to_vec();
        for patch in bytes.chunks_exact(4) {
            let at = usize::from(patch[0]) << 16 | usize::from(patch[1]) << 8 | usize::from(patch[2]);
            altered[at % GOOD.len()] = patch[3];
        }
        assert_eq!(holds(&altered).wrong.is_empty(), altered == GOOD);
    }
}

/// What is found can be shown, is bounded, and is the same for whoever knows how the log ends.
fn holds(archive: &[u8]) -> Checked {
    let checked = check(archive, None).expect("bytes in memory can be read");
    assert!(checked.wrong.len() <= 51 && (checked.whole || !checked.wrong.is_empty()));
    checked.wrong.iter().for_each(|wrong| can_be_shown(wrong));
    let Seal(head) = checked.tip.hash;
    let known = check(archive, Some(Seal(head))).expect("bytes in memory can be read");
    assert_eq!(known, checked);
    checked
}

/// The good archive with another log, and a manifest that says so.
fn with_log(log: &[u8]) -> Vec<u8> {
    let (mut archive, mut at, mut manifest) = (Vec::new(), 0, None::<Manifest>);
    let mut members = Vec::new();
    while GOOD[at] != 0 {
        let text = |from: usize, to: usize| {
            let field = GOOD[at + from..at + to].split(|byte| *byte == 0).next().unwrap_or_default();
            String::from_utf8_lossy(field).into_owned()
        };
        let size = usize::from_str_radix(&text(124, 136), 8).expect("a good archive");
        let name = [text(345, 500), text(0, 100)].iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>();
        let (name, bytes) = (name.join("/"), &GOOD[at + HEAD..at + HEAD + size]);
        if name.ends_with("/manifest.json") {
            manifest = Some(Manifest::read(bytes).expect("a good manifest"));
        }
        let bytes = if name.ends_with("/events.jsonl") { log } else { bytes };
        members.push((name, bytes.to_vec()));
        at += HEAD + size + tar::padding(size as u64);
    }
    let mut manifest = manifest.expect("a good archive has a manifest");
    for (said, (_, bytes)) in manifest.members.iter_mut().zip(&members) {
        (said.size, said.sha256) = (bytes.len() as u64, sha256(bytes));
    }
    let made_at = manifest.made_at.as_second().unsigned_abs();
    if let Some((_, last)) = members.last_mut() {
        *last = manifest.text().into_bytes();
    }
    for (name, bytes) in members {
        let size = bytes.len() as u64;
        let head = tar::Head { name, size, at: made_at }.block().expect("a good name");
        archive.extend(head);
        archive.extend(bytes);
        archive.resize(archive.len() + tar::padding(size), 0);
    }
    archive.extend(tar::END);
    archive
}

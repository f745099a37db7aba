//! An archive that a story takes apart, and puts together again.

use wardroom_server::archive::tar::{END, Head, padding};
use wardroom_server::archive::{Manifest, sha256};

/// A member: where its head begins, its name and its bytes.
#[derive(Clone)]
pub struct Member {
    pub at: usize,
    pub name: String,
    pub bytes: Vec<u8>,
}

pub fn members(tar: &[u8]) -> Vec<Member> {
    let (mut at, mut members) = (0, Vec::new());
    let text = |field: &[u8]| String::from_utf8(field.split(|byte| *byte == 0).next().unwrap().to_vec()).unwrap();
    while tar[at] != 0 {
        let (last, prefix) = (text(&tar[at..at + 100]), text(&tar[at + 345..at + 500]));
        let size = usize::from_str_radix(&text(&tar[at + 124..at + 136]), 8).unwrap();
        let name = if prefix.is_empty() { last } else { format!("{prefix}/{last}") };
        members.push(Member { at, name, bytes: tar[at + 512..at + 512 + size].to_vec() });
        at += 512 + size + padding(size as u64);
    }
    members
}

fn manifest(tar: &[u8]) -> Manifest {
    Manifest::read(&members(tar).last().unwrap().bytes).unwrap()
}

/// The same again, of other members; with a manifest that fits, if it is to be hidden.
pub fn packed(tar: &[u8], mut members: Vec<Member>, hidden: bool) -> Vec<u8> {
    let mut manifest = manifest(tar);
    if hidden {
        let last = members.last_mut().unwrap();
        assert!(last.name.ends_with("manifest.json"));
        let kept = members.len() - 1;
        for (said, member) in manifest.members.iter_mut().zip(&members[..kept]) {
            (said.size, said.sha256) = (member.bytes.len() as u64, sha256(&member.bytes));
        }
        members.last_mut().unwrap().bytes = manifest.text().into_bytes();
    }
    let at = u64::try_from(manifest.made_at.as_second()).unwrap();
    let mut packed = Vec::new();
    for Member { name, bytes, .. } in members {
        let size = bytes.len() as u64;
        packed.extend(Head { name, size, at }.block().unwrap());
        packed.extend(bytes);
        packed.resize(packed.len() + padding(size), 0);
    }
    packed.extend(END);
    packed
}

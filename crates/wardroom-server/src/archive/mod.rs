//! An incident's archive: everything of it in one file that proves itself, with nothing else at hand.
//!
//! It is a tar ([`tar`]) of members in an order that never changes: what this is, the log as one event a line
//! ([`line`]), the state document on paper, the names of the people in it, the evidence, and last a manifest with the size
//! and the SHA-256 of each. [`check`] reads one from front to back. Everything here is pure but for reading bytes; what
//! makes an archive stands in `web/export.rs`.

pub mod check;
pub(crate) mod line;
pub mod tar;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wardroom_core::evidence::{Fingerprint, PIECES_MAX};
use wardroom_core::id::{Entry, Number, PersonId, Time};
use wardroom_core::seal::Seal;

use crate::log::Tip;

/// The form of what is written today.
pub const FORMAT: u32 = 1;
/// The largest manifest that is read, in bytes: twice what one of all evidence that an incident may have needs.
const MANIFEST_MAX: u64 = 1 << 20;
/// How many members an archive may have.
const MEMBERS_MAX: usize = PIECES_MAX + FIXED.len() + 1;
/// The longest name of a piece behind its digest, in bytes: with it, the last part of a name is as long as it may be.
const NAME_MAX: usize = tar::LAST_MAX - 64 - 1;
/// The longest ending of a name that is kept when the name is cut, in bytes, with its dot.
const ENDING_MAX: usize = 8;

/// What this is, for people.
pub const README: &str = "README.txt";
/// The log.
pub const EVENTS: &str = "events.jsonl";
/// The state document in Markdown.
pub const MARKDOWN: &str = "document.md";
/// The same as a page.
pub const HTML: &str = "document.html";
/// Who is meant by the ids.
pub const DIRECTORY: &str = "directory.json";
/// What there is to be, and what proves it.
pub const MANIFEST: &str = "manifest.json";

/// What every archive has, in this order. Behind it comes the evidence, and then the manifest.
pub const FIXED: [&str; 5] = [README, EVENTS, MARKDOWN, HTML, DIRECTORY];

/// A member's whole name.
#[must_use]
pub fn member(incident: Number, name: &str) -> String {
    format!("incident-{}/{name}", incident.get())
}

/// The name of a piece of evidence: its digest, and what its owner called it as far as every machine can call a file so.
#[must_use]
pub fn piece(incident: Number, sha256: &str, name: &str) -> String {
    member(incident, &format!("evidence/{sha256}-{}", safe(name)))
}

/// A name that leads nowhere, hides nothing and fits: letters, digits, dots, underscores and hyphens.
fn safe(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let plain: String = name.trim().chars().map(plain).collect();
    let plain = plain.trim_start_matches(['.', '-']).trim_end_matches('.');
    let cut = match plain.rfind('.').map(|dot| plain.split_at(dot)) {
        Some((stem, ending)) if plain.len() > NAME_MAX && ending.len() <= ENDING_MAX => {
            format!("{}{ending}", &stem[..NAME_MAX - ending.len()])
        }
        _ => plain.chars().take(NAME_MAX).collect(),
    };
    if cut.is_empty() { "evidence".to_owned() } else { cut }
}

/// SHA-256 of some bytes, as it is written here.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Fingerprint {
    Fingerprint::new(Sha256::digest(bytes).into())
}

/// What proves the rest of an archive: its last member.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The form of the archive.
    pub format: u32,
    /// Whose it is.
    pub incident: Number,
    /// When it was made.
    pub made_at: Time,
    /// By whom.
    pub made_by: PersonId,
    /// Where the stream of its events ends.
    pub tip: End,
    /// Every member before this one, in their order.
    pub members: Vec<Member>,
}

/// Where a stream ends.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// The number of its last event.
    pub entry: Entry,
    /// That event's hash, which stands for all before it.
    pub hash: Seal,
}

impl From<Tip> for End {
    fn from(tip: Tip) -> Self {
        Self { entry: Entry(tip.seq), hash: Seal(tip.hash) }
    }
}

/// A member, as the manifest has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its whole name.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// Of its bytes.
    pub sha256: Fingerprint,
}

/// A manifest, and what shows that nothing of it was altered by accident.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    manifest: Manifest,
    /// Of the manifest, as JSON without blanks.
    sha256: Fingerprint,
}

impl Manifest {
    /// As it is written.
    #[must_use]
    pub fn text(&self) -> String {
        let plain = serde_json::to_string(self).expect("a manifest is plain data");
        let sealed = Sealed { manifest: self.clone(), sha256: sha256(plain.as_bytes()) };
        serde_json::to_string_pretty(&sealed).expect("a manifest is plain data") + "\n"
    }

    /// From what is written, in the one way in which it is.
    ///
    /// # Errors
    /// What is wrong with it: the sentence goes on “the manifest …”.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Form {
            manifest: FormNumber,
        }
        #[derive(Deserialize)]
        struct FormNumber {
            format: u32,
        }
        if let Ok(Form { manifest: FormNumber { format } }) = serde_json::from_slice(text)
            && format > FORMAT
        {
            return Err(format!("is of form {format}, which a newer Wardroom wrote: check it with that one"));
        }
        let sealed: Sealed = serde_json::from_slice(text).map_err(|error| format!("cannot be read: {error}"))?;
        if sealed.manifest.format != FORMAT || sealed.manifest.text().as_bytes() != text {
            return Err("was altered: it is not as Wardroom wrote it".to_owned());
        }
        Ok(sealed.manifest)
    }
}

/// What stands in an archive for whoever finds it and knows nothing of it.
#[must_use]
pub fn readme(incident: Number, made_at: Time) -> String {
    let n = incident.get();
    format!(
        "This is all that Wardroom kept of incident {n}, as it was on {made_at}.

  {EVENTS}    what happened: one event a line, with what proves it
  {MARKDOWN}     the state document and the newest entries of the timeline, to be read
  {HTML}   the same as a page, which loads nothing
  {DIRECTORY}  who is meant by the ids of people
  evidence/       what was kept as evidence, each piece under the SHA-256 of its bytes
  {MANIFEST}   the size and the SHA-256 of each of these files

To check it, with no server and no network:

  wardroom verify incident-{n}.tar

It checks that nothing was altered, added or taken away since. Whoever could rewrite all of it can make another archive
that agrees with itself; write down the hash of the last event, and hold it against that:

  wardroom verify incident-{n}.tar --head HASH

The chain, for whoever checks it by other means: the hash of an event is SHA-256 over the bytes of \"wardroom event 1\", a
zero byte, the hash of the event before it (32 zero bytes before the first), the incident's number (4 bytes), the entry (8),
the time in microseconds since 1970 (8), the version (2), and then kind, actor and body, each after its length in bytes
(8). Numbers have their highest byte first. Words stand beside their event; in its body stands a seal, SHA-256 over
\"wardroom text 1\", a zero byte, the salt (16 bytes) and the words. Words without salt were redacted: the position of the
event that did so stands beside them.
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_and_fits_everywhere() {
        for (given, name) in [
            ("pods.txt", "pods.txt"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("..", "evidence"),
            (" .hidden", "hidden"),
            ("-rf", "rf"),
            ("graph für eu.png", "graph_f_r_eu.png"),
            ("a\0b\nc\\d:e", "a_b_c_d_e"),
            ("ends.", "ends"),
            ("日本語", "___"),
        ] {
            assert_eq!(safe(given), name, "{given:?}");
        }
        assert_eq!(safe(&format!("{}.tar.gz", "x".repeat(100))), format!("{}.gz", "x".repeat(NAME_MAX - 3)));
        let long = safe(&format!("{}.{}", "x".repeat(100), "y".repeat(20)));
        assert_eq!(long, "x".repeat(NAME_MAX));
        let whole = piece(Number::new(u32::MAX).unwrap(), &"ab".repeat(32), &"é".repeat(200));
        assert!(tar::Head { name: whole, size: 0, at: 0 }.block().is_some());
    }

    #[test]
    fn a_manifest_has_one_form_and_no_byte_of_it_is_free() {
        let manifest = Manifest {
            format: FORMAT,
            incident: Number::FIRST,
            made_at: Time::UNIX_EPOCH,
            made_by: PersonId(uuid::Uuid::nil()),
            tip: Tip { seq: 2, hash: [7; 32] }.into(),
            members: vec![Member { name: "incident-1/README.txt".to_owned(), size: 5, sha256: sha256(b"hello") }],
        };
        let text = manifest.text();
        assert_eq!(Manifest::read(text.as_bytes()), Ok(manifest.clone()));
        for at in 0..text.len() {
            let mut altered = text.clone().into_bytes();
            altered[at] ^= 1;
            assert!(Manifest::read(&altered).is_err(), "byte {at}");
        }
        let newer = Manifest { format: 2, ..manifest }.text();
        assert!(Manifest::read(newer.as_bytes()).unwrap_err().contains("newer Wardroom"));
    }
}

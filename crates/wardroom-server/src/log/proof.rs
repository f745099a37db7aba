//! What proves a stream: its chain, and the words beside it. Pure, and the same for a store and for an archive that left
//! it.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use wardroom_core::seal::{self, Seal};

use super::chain;
use super::{Hash, Stream, Tip};

/// One event as verification needs it: more than a reader is given, and nothing that was made up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Walked {
    pub position: u64,
    pub stream: Stream,
    pub seq: u64,
    pub kind: String,
    pub version: u16,
    pub at_us: i64,
    pub actor: String,
    pub body: String,
    pub hash: Hash,
    pub link: Option<Hash>,
    pub texts: Vec<WalkedText>,
}

/// The words beside an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct WalkedText {
    pub commitment: Hash,
    pub kept: Option<([u8; 16], String)>,
    pub erased_by: Option<u64>,
}

/// One thing that is wrong.
///
/// Where an event is gone, its stream and number are known from the events around it, and its position is the
/// first that it can have had. With nothing left to tell whose it was, `stream` and `seq` are 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// Whose event.
    pub stream: Stream,
    /// Its number there.
    pub seq: u64,
    /// Its position in the whole log.
    pub position: u64,
    /// What is wrong with it.
    pub what: What,
}

/// What can be wrong with an event.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// It does not have the hash that its content has, or its stream does not end with it as it should.
    Altered,
    /// It is not there.
    Removed,
    /// It is there, and not in its place; or the link after it does not fit what comes before.
    Reordered,
    /// It and everything after it are gone.
    Truncated,
    /// Its words are not the ones that were said.
    WordsAltered,
    /// Its words are gone, and no redaction on record says so.
    WordsRemoved,
    /// Its words are there, and a redaction on record took them out. Only of an archive, whose words are all read.
    WordsRestored,
    /// The bytes of its evidence are not the ones that were attached.
    EvidenceAltered,
    /// The bytes of its evidence are gone, and no redaction on record says so.
    EvidenceRemoved,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            What::Altered => "was altered",
            What::Removed => "was removed",
            What::Reordered => "was reordered",
            What::Truncated => "and what followed it were cut off",
            What::WordsAltered => "has words that were altered",
            What::WordsRemoved => "has words that were removed without a redaction on record",
            What::WordsRestored => "has words that a redaction on record took out",
            What::EvidenceAltered => "has evidence whose bytes were altered",
            What::EvidenceRemoved => "has evidence whose bytes were removed without a redaction on record",
        };
        match self.seq {
            // Nothing is left that says whose it was.
            0 => write!(f, "the entry at position {} {what}", self.position),
            seq => write!(f, "{}, entry {seq} (position {}), {what}", self.stream, self.position),
        }
    }
}

impl Broken {
    pub(crate) fn of(event: &Walked, what: What) -> Self {
        Self { stream: event.stream, seq: event.seq, position: event.position, what }
    }
}

/// Whether an event follows on the one before it in its stream; otherwise what is wrong. [`What::Removed`] is said of
/// whatever should stand in between.
pub(crate) fn follows(tip: &Tip, event: &Walked) -> Result<(), What> {
    let Walked { stream, seq, at_us, kind, version, actor, body, hash, .. } = event;
    if *seq > tip.seq + 1 {
        Err(What::Removed)
    } else if *seq <= tip.seq {
        Err(What::Reordered)
    } else if chain::event_hash(tip, *stream, *at_us, kind, *version, actor, body) != *hash {
        Err(What::Altered)
    } else {
        Ok(())
    }
}

/// The words of a text of an event, by its name in the body: if they are kept, and are those that were said.
pub(crate) fn said<'a>(event: &'a Walked, text: &str) -> Option<&'a str> {
    let body: Value = serde_json::from_str(&event.body).ok()?;
    let sealed: Seal = body[text]["seal"].as_str()?.parse().ok()?;
    let text = event.texts.iter().find(|text| text.commitment == sealed.0)?;
    let (salt, words) = text.kept.as_ref()?;
    (seal::commit(salt, words) == sealed).then_some(words)
}

/// The digest that an event has of its evidence, unless it has none or it was redacted.
pub(crate) fn digest_said(event: &Walked) -> Option<&str> {
    if event.kind != "evidence_attached" || event.stream.incident().is_none() {
        return None;
    }
    said(event, "sha256")
}

/// The words beside events, and which redactions on record took some of them away.
#[derive(Default)]
pub(crate) struct Words {
    /// Seals named by erasing events, by position: only they may take words away.
    erasures: BTreeMap<u64, String>,
    /// Words that are said to be gone, with the erasing event that is said to have taken them.
    claimed: Vec<(Broken, u64, Hash)>,
}

impl Words {
    /// Looks at the words of the next event; what is wrong with them.
    pub fn look(&mut self, event: &Walked) -> Vec<What> {
        self.erasure(event);
        let mut tree = serde_json::from_str(&event.body).unwrap_or_default();
        let mut wrong = Vec::new();
        for sealed in seal::seals(&mut tree) {
            let Some(text) = event.texts.iter().find(|text| text.commitment == sealed.0) else {
                // A text that was redacted before a merge came along as a mere seal.
                if event.kind != "absorbed" {
                    wrong.push(What::WordsRemoved);
                }
                continue;
            };
            match (&text.kept, text.erased_by) {
                (Some((salt, words)), None) if seal::commit(salt, words) == sealed => {}
                (None, Some(by)) => {
                    self.claimed.push((Broken::of(event, What::WordsRemoved), by, text.commitment));
                }
                (Some(_), _) => wrong.push(What::WordsAltered),
                (None, None) => wrong.push(What::WordsRemoved),
            }
        }
        wrong
    }

    /// Remembers which words an event takes away, if it takes any.
    pub fn erasure(&mut self, event: &Walked) {
        if matches!(event.kind.as_str(), "redacted" | "person_forgotten") {
            self.erasures.insert(event.position, event.body.clone());
        }
    }

    /// Erasures that words claim and that stand behind where somebody looked.
    pub fn erased_after(&self, end: u64) -> Vec<u64> {
        let mut erasures: Vec<u64> = self.claimed.iter().map(|(_, by, _)| *by).collect();
        erasures.retain(|by| *by > end && !self.erasures.contains_key(by));
        erasures.sort_unstable();
        erasures.dedup();
        erasures
    }

    /// Words that are gone, and that the redaction which they name did not take: once all events were looked at.
    pub fn unfounded(&mut self) -> Vec<Broken> {
        let mut broken = Vec::new();
        for (claim, by, commitment) in std::mem::take(&mut self.claimed) {
            let named = Seal(commitment).to_string();
            if !self.erasures.get(&by).is_some_and(|body| body.contains(&named)) {
                broken.push(claim);
            }
        }
        broken
    }
}

//! Verification: walks everything and names what was altered, removed, reordered or truncated.

use std::collections::BTreeMap;
use std::fmt;

use wardroom_core::seal;

use crate::log::{Hash, Head, Log, LogError, Stream, Tip, chain};

/// Events read at once.
const PAGE: usize = 5_000;

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Events walked.
    pub events: u64,
    /// Streams among them.
    pub streams: usize,
    /// Where the log says that it ends.
    pub head: Head,
    /// Everything that is wrong, in order of position; the first is where the trouble begins.
    pub broken: Vec<Broken>,
}

/// One thing that is wrong.
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
    /// It does not have the hash that its content has.
    Altered,
    /// It is not there.
    Removed,
    /// It is there, and not in its place.
    Reordered,
    /// It and everything after it are gone.
    Truncated,
    /// Its words are not the ones that were said.
    WordsAltered,
    /// Its words are gone, and no redaction on record says so.
    WordsRemoved,
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
        };
        write!(f, "{}, entry {} (position {}), {what}", self.stream, self.seq, self.position)
    }
}

/// One event's row as verification needs it: more than a reader is given, and nothing that was made up.
pub(super) struct Walked {
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
pub(super) struct WalkedText {
    pub commitment: Hash,
    pub kept: Option<([u8; 16], String)>,
    pub erased_by: Option<u64>,
}

/// How far the walk is.
#[derive(Default)]
struct Walk {
    position: u64,
    tips: BTreeMap<Stream, Tip>,
    link: Hash,
    batch: chain::Batch,
    batch_from: u64,
    /// Seals named by erasing events, by position: only they may take words away.
    erasures: BTreeMap<u64, String>,
    broken: Vec<Broken>,
    claimed_erasures: Vec<(Broken, u64, Hash)>,
}

impl Walk {
    fn wrong(&mut self, event: &Walked, what: What) {
        self.broken.push(Broken { stream: event.stream, seq: event.seq, position: event.position, what });
    }

    fn step(&mut self, event: &Walked) {
        for position in self.position + 1..event.position {
            // Whose it was is found below, by the gap in its stream; the position itself is missing here.
            tracing::debug!(position, "there is no event at this position");
        }
        let gap = event.position != self.position + 1;
        let tip = self.tips.get(&event.stream).copied().unwrap_or_default();
        let expected =
            chain::event_hash(&tip, event.stream, event.at_us, &event.kind, event.version, &event.actor, &event.body);
        if event.seq > tip.seq + 1 {
            let what = if gap { What::Removed } else { What::Reordered };
            let position = if gap { self.position + 1 } else { event.position };
            self.broken.push(Broken { stream: event.stream, seq: tip.seq + 1, position, what });
        } else if event.seq <= tip.seq {
            self.wrong(event, What::Reordered);
        } else if expected != event.hash {
            self.wrong(event, What::Altered);
        }
        self.tips.insert(event.stream, Tip { seq: event.seq, hash: event.hash });
        self.position = event.position;
        self.link_step(event);
        self.words(event);
    }

    fn link_step(&mut self, event: &Walked) {
        if self.batch_from == 0 {
            self.batch_from = event.position;
        }
        self.batch.add(&event.hash);
        if let Some(link) = event.link {
            let right = chain::link(&self.link, self.batch_from, &self.batch.digest());
            if right != link && self.broken.is_empty() {
                self.wrong(event, What::Reordered);
            }
            self.link = link;
            self.batch = chain::Batch::default();
            self.batch_from = 0;
        }
    }

    fn words(&mut self, event: &Walked) {
        if matches!(event.kind.as_str(), "redacted" | "person_forgotten") {
            self.erasures.insert(event.position, event.body.clone());
        }
        let mut tree = serde_json::from_str(&event.body).unwrap_or_default();
        let erasing = self.erasures.contains_key(&event.position);
        let seals = if erasing { Vec::new() } else { seal::seals(&mut tree) };
        for sealed in seals {
            let Some(text) = event.texts.iter().find(|text| text.commitment == sealed.0) else {
                // A text that was redacted before a merge came along as a mere seal.
                if event.kind != "absorbed" {
                    self.wrong(event, What::WordsRemoved);
                }
                continue;
            };
            match (&text.kept, text.erased_by) {
                (Some((salt, words)), None) if seal::commit(salt, words) == sealed => {}
                (None, Some(by)) => {
                    let broken = Broken {
                        stream: event.stream,
                        seq: event.seq,
                        position: event.position,
                        what: What::WordsRemoved,
                    };
                    self.claimed_erasures.push((broken, by, text.commitment));
                }
                (Some(_), _) => self.wrong(event, What::WordsAltered),
                (None, None) => self.wrong(event, What::WordsRemoved),
            }
        }
    }

    fn finish(mut self, head: Head, tips: &BTreeMap<Stream, Tip>) -> Report {
        for (broken, by, commitment) in std::mem::take(&mut self.claimed_erasures) {
            let named = seal::Seal(commitment).to_string();
            if !self.erasures.get(&by).is_some_and(|body| body.contains(&named)) {
                self.broken.push(broken);
            }
        }
        for (stream, tip) in tips {
            let walked = self.tips.get(stream).copied().unwrap_or_default();
            if walked.seq < tip.seq {
                let (seq, position) = (walked.seq + 1, self.position + 1);
                self.broken.push(Broken { stream: *stream, seq, position, what: What::Truncated });
            } else if walked != *tip {
                let (seq, position) = (walked.seq, self.position);
                self.broken.push(Broken { stream: *stream, seq, position, what: What::Altered });
            }
        }
        if self.broken.is_empty() && (self.position != head.position || self.link != head.link) {
            let (seq, position) = (0, self.position + 1);
            self.broken.push(Broken { stream: Stream(0), seq, position, what: What::Truncated });
        }
        self.broken.sort_by_key(|broken| broken.position);
        Report { events: self.position, streams: self.tips.len(), head, broken: self.broken }
    }
}

impl Log {
    /// Walks the whole log and says what is wrong with it. `progress` is told the position reached.
    ///
    /// What is appended while it walks is not looked at. A log whose every table was rewritten consistently
    /// cannot be told from a true one without a head that left the machine.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when it cannot be read.
    pub async fn verify(&self, mut progress: impl FnMut(u64)) -> Result<Report, LogError> {
        let (head, tips) = self.ends().await?;
        let mut walk = Walk::default();
        loop {
            let page = self.walk(walk.position, PAGE).await?;
            let last = page.len() < PAGE;
            for event in page.iter().filter(|event| event.position <= head.position) {
                walk.step(event);
            }
            progress(walk.position);
            if last || walk.position >= head.position {
                return Ok(walk.finish(head, &tips));
            }
        }
    }

    /// The head and every tip, as of one moment.
    async fn ends(&self) -> Result<(Head, BTreeMap<Stream, Tip>), LogError> {
        match self {
            Self::Sqlite(store) => store.ends().await,
            Self::Postgres(store) => store.ends().await,
        }
    }

    async fn walk(&self, after: u64, limit: usize) -> Result<Vec<Walked>, LogError> {
        match self {
            Self::Sqlite(store) => store.walk(after, limit).await,
            Self::Postgres(store) => store.walk(after, limit).await,
        }
    }
}

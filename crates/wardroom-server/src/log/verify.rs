//! Verification: walks everything and names what was altered, removed, reordered or truncated.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::proof::{self, Broken, Walked, What, Words};
use crate::evidence::Keep;
use crate::log::{Hash, Head, Log, LogError, Stream, Tip, chain};

/// Events read at once.
const PAGE: usize = 250;
/// Events looked at before others get their turn: a walk in the background must not keep a request waiting.
const AT_A_TIME: usize = 20;

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

/// Where a stream's events were up to now, and at which position the last of them stood.
#[derive(Copy, Clone, Default)]
struct Known {
    tip: Tip,
    position: u64,
}

/// A verification that is under way. When the store could not be read, it can go on where it was.
#[derive(Default)]
pub struct Verification {
    /// Where the log and its streams said that they end, once they were asked.
    ends: Option<(Head, BTreeMap<Stream, Tip>)>,
    walk: Walk,
}

/// How far the walk is.
#[derive(Default)]
struct Walk {
    events: u64,
    position: u64,
    known: BTreeMap<Stream, Known>,
    /// Positions at which there is no event, in order.
    gaps: Vec<RangeInclusive<u64>>,
    link: Hash,
    batch: chain::Batch,
    batch_from: u64,
    /// The first event whose link is wrong. It explains nothing that an event's own trouble explains already.
    unlinked: Option<Broken>,
    words: Words,
    broken: Vec<Broken>,
}

impl Walk {
    fn wrong(&mut self, event: &Walked, what: What) {
        self.broken.push(Broken::of(event, what));
    }

    /// The first position without an event after another one.
    fn missing_after(&self, position: u64) -> Option<u64> {
        let gap = self.gaps.iter().find(|gap| *gap.end() > position)?;
        Some((*gap.start()).max(position + 1))
    }

    fn step(&mut self, event: &Walked) {
        self.events += 1;
        if event.position > self.position + 1 {
            self.gaps.push(self.position + 1..=event.position - 1);
        }
        let Known { tip, position } = self.known.get(&event.stream).copied().unwrap_or_default();
        match proof::follows(&tip, event) {
            Ok(()) => {}
            Err(What::Removed) => {
                let broken = match self.missing_after(position) {
                    Some(position) => Broken { stream: event.stream, seq: tip.seq + 1, position, what: What::Removed },
                    None => Broken { seq: tip.seq + 1, ..Broken::of(event, What::Reordered) },
                };
                self.broken.push(broken);
            }
            Err(what) => self.wrong(event, what),
        }
        let tip = Tip { seq: event.seq, hash: event.hash };
        self.known.insert(event.stream, Known { tip, position: event.position });
        self.position = event.position;
        self.link_step(event);
        let wrong = self.words.look(event);
        self.broken.extend(wrong.into_iter().map(|what| Broken::of(event, what)));
    }

    fn link_step(&mut self, event: &Walked) {
        if self.batch_from == 0 {
            self.batch_from = event.position;
        }
        self.batch.add(&event.hash);
        if let Some(link) = event.link {
            let right = chain::link(&self.link, self.batch_from, &self.batch.digest());
            if right != link && self.unlinked.is_none() {
                self.unlinked = Some(Broken::of(event, What::Reordered));
            }
            self.link = link;
            self.batch = chain::Batch::default();
            self.batch_from = 0;
        }
    }

    fn finish(mut self, head: Head, tips: &BTreeMap<Stream, Tip>) -> Report {
        self.broken.extend(self.words.unfounded());
        self.ends(&head, tips);
        for gap in std::mem::take(&mut self.gaps) {
            if !self.broken.iter().any(|broken| gap.contains(&broken.position)) {
                let what = if *gap.end() == head.position { What::Truncated } else { What::Removed };
                self.broken.push(Broken { stream: Stream(0), seq: 0, position: *gap.start(), what });
            }
        }
        if let Some(unlinked) = self.unlinked.take()
            && !self.broken.iter().any(|broken| broken.position <= unlinked.position)
        {
            self.broken.push(unlinked);
        }
        if self.broken.is_empty() && self.link != head.link {
            // The counter was set back to hide it, but the last link belongs to an event that is not there.
            let position = self.position + 1;
            self.broken.push(Broken { stream: Stream(0), seq: 0, position, what: What::Truncated });
        }
        self.broken.sort_by_key(|broken| broken.position);
        Report { events: self.events, streams: self.known.len(), head, broken: self.broken }
    }

    /// Holds what was walked against where the log and its streams say that they end.
    fn ends(&mut self, head: &Head, tips: &BTreeMap<Stream, Tip>) {
        let walked = self.position;
        if walked < head.position {
            self.gaps.push(walked + 1..=head.position);
        }
        for (stream, tip) in tips {
            let Known { tip: last, position } = self.known.get(stream).copied().unwrap_or_default();
            if last.seq < tip.seq {
                let position = self.missing_after(position).unwrap_or(walked + 1);
                let what = if position < walked { What::Removed } else { What::Truncated };
                self.broken.push(Broken { stream: *stream, seq: last.seq + 1, position, what });
            } else if last != *tip {
                self.broken.push(Broken { stream: *stream, seq: last.seq, position, what: What::Altered });
            }
        }
        for (stream, known) in &self.known {
            if !tips.contains_key(stream) {
                let (seq, position) = (known.tip.seq, known.position);
                self.broken.push(Broken { stream: *stream, seq, position, what: What::Altered });
            }
        }
    }
}

impl Log {
    /// Walks the whole log and says what is wrong with it. `progress` is told the position reached. The bytes of evidence
    /// are read where it is said where they are kept, and not looked for otherwise.
    ///
    /// What is appended while it walks is not looked at. A log whose every table was rewritten consistently
    /// cannot be told from a true one without a head that left the machine.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when it cannot be read; as [`Keep::read`].
    pub async fn verify(&self, keep: Option<&Keep>, progress: impl FnMut(u64)) -> Result<Report, LogError> {
        self.verify_on(&mut Verification::default(), keep, progress).await
    }

    /// As [`Log::verify`], from where a verification is to its end.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the log cannot be read: call it again.
    pub async fn verify_on(
        &self,
        under_way: &mut Verification,
        keep: Option<&Keep>,
        mut progress: impl FnMut(u64),
    ) -> Result<Report, LogError> {
        let Verification { ends, walk } = under_way;
        let (head, tips) = match ends {
            Some(ends) => ends,
            None => ends.insert(self.ends().await?),
        };
        loop {
            let page = self.walk(walk.position, PAGE).await?;
            let last = page.len() < PAGE;
            // First: should the store fail here, the walk goes on with this page.
            let mut wrong = Vec::new();
            for event in page.iter().filter(|event| event.position <= head.position) {
                if let Some(keep) = keep {
                    wrong.extend(self.wrong_evidence(event, keep).await?.map(|what| Broken::of(event, what)));
                }
            }
            walk.broken.extend(wrong);
            for few in page.chunks(AT_A_TIME) {
                few.iter().filter(|event| event.position <= head.position).for_each(|event| walk.step(event));
                tokio::task::yield_now().await;
            }
            progress(walk.position);
            if last || walk.position >= head.position {
                break;
            }
        }
        for by in walk.words.erased_after(head.position) {
            self.walk(by - 1, 1).await?.iter().for_each(|event| walk.words.erasure(event));
        }
        Ok(std::mem::take(walk).finish(*head, tips))
    }

    /// The head and every tip, as of one moment.
    async fn ends(&self) -> Result<(Head, BTreeMap<Stream, Tip>), LogError> {
        match self {
            Self::Sqlite(store) => store.ends().await,
            Self::Postgres(store) => store.answered(store.ends()).await,
        }
    }

    async fn walk(&self, after: u64, limit: usize) -> Result<Vec<Walked>, LogError> {
        match self {
            Self::Sqlite(store) => store.walk(after, limit).await,
            Self::Postgres(store) => store.answered(store.walk(after, limit)).await,
        }
    }

    /// At most `limit` events of a stream after `seq`, as they are, with everything that proves them.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub(crate) async fn walk_stream(&self, stream: Stream, after: u64, limit: usize) -> Result<Vec<Walked>, LogError> {
        on_either!(self, store => store.walk_stream(stream, after, limit))
    }
}

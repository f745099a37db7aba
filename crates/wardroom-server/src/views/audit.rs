//! Where in the directory's stream to look for whom and for what: entries by person and topic, and what began the
//! tokens, sessions and links that later entries only name. It holds numbers and no words, is made from the stream when
//! somebody first asks, and can be thrown away.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::Mutex;
use uuid::Uuid;
use wardroom_core::audit::Topic;
use wardroom_core::directory::{DirectoryEvent, DirectoryRecorded};
use wardroom_core::id::{Entry, PersonId};

use crate::log::{Log, LogError, Stored};
use crate::stored::recorded;
use crate::streams::DIRECTORY;

/// Entries read at once while the index is made.
const PAGE: usize = 500;

/// What somebody looks for.
#[derive(Copy, Clone, Debug)]
pub struct Wanted {
    /// Only entries before this one.
    pub before: Option<Entry>,
    /// Only what this person did, or what was done to them.
    pub person: Option<PersonId>,
    /// Only what is about this.
    pub topic: Option<Topic>,
    /// At most so many.
    pub limit: usize,
}

/// What was found, the newest first.
#[derive(Debug)]
pub struct Found {
    /// Each with what it refers to.
    pub entries: Vec<(Stored, Option<DirectoryEvent>)>,
    /// Whether there are older ones.
    pub more: bool,
}

/// The index of one node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Audit {
    log: Log,
    index: Arc<Mutex<Index>>,
}

#[derive(Debug, Default)]
struct Index {
    /// Of each entry; nothing for one that cannot be read.
    topics: Vec<Option<Topic>>,
    people: BTreeMap<PersonId, Vec<u64>>,
    begun: BTreeMap<Uuid, (u64, Option<PersonId>)>,
}

impl Index {
    fn take_in(&mut self, stored: &Stored) {
        let Ok(recorded) = recorded::<DirectoryEvent>(stored) else {
            self.topics.push(None);
            return;
        };
        let DirectoryRecorded { actor, event, .. } = recorded;
        let mut people: BTreeSet<PersonId> = event.about();
        if let Some(begun) = event.begins() {
            self.begun.insert(begun, (stored.seq, people.first().copied()));
        }
        people.extend(event.refers_to().and_then(|begun| self.begun.get(&begun)?.1));
        people.extend(actor.person());
        for person in people {
            self.people.entry(person).or_default().push(stored.seq);
        }
        self.topics.push(Some(event.topic()));
    }

    /// One more than is wanted, if there is one.
    fn find(&self, wanted: &Wanted) -> Vec<u64> {
        let before = wanted.before.map_or(u64::MAX, |before| before.0);
        let fits = |seq: &u64| {
            let at = usize::try_from(*seq).unwrap_or(usize::MAX).saturating_sub(1);
            let topic = self.topics.get(at).copied().flatten();
            *seq < before && (wanted.topic.is_none() || topic == wanted.topic)
        };
        let all = 1..=u64::try_from(self.topics.len()).unwrap_or_default();
        match wanted.person {
            None => all.rev().filter(fits).take(wanted.limit + 1).collect(),
            Some(person) => {
                let theirs = self.people.get(&person).map(Vec::as_slice).unwrap_or_default();
                theirs.iter().rev().copied().filter(fits).take(wanted.limit + 1).collect()
            }
        }
    }
}

impl Audit {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(log: Log) -> Self {
        Self { log, index: Arc::default() }
    }

    /// A page of the stream, as far as up to this entry of it.
    ///
    /// # Errors
    /// Whatever kept the log from being read.
    pub async fn page(&self, wanted: &Wanted, up_to: u64) -> Result<Found, LogError> {
        let mut index = self.index.lock().await;
        loop {
            let known = u64::try_from(index.topics.len()).unwrap_or_default();
            if known >= up_to {
                break;
            }
            let page = self.log.read_stream(DIRECTORY, known, PAGE).await?;
            let page: Vec<Stored> = page.into_iter().take_while(|stored| stored.seq <= up_to).collect();
            if page.is_empty() {
                break;
            }
            page.iter().for_each(|stored| index.take_in(stored));
        }
        let mut seqs = index.find(wanted);
        let more = seqs.len() > wanted.limit;
        seqs.truncate(wanted.limit);
        let mut entries = self.read(&seqs).await?;
        entries.sort_by_key(|stored| std::cmp::Reverse(stored.seq));
        let began = |stored: &Stored| {
            let refers_to = recorded::<DirectoryEvent>(stored).ok()?.event.refers_to()?;
            index.begun.get(&refers_to).map(|(seq, _)| *seq)
        };
        let began: Vec<Option<u64>> = entries.iter().map(began).collect();
        let wanted: BTreeSet<u64> = began.iter().copied().flatten().collect();
        let begun = self.read(&wanted.into_iter().collect::<Vec<_>>()).await?;
        let begun: BTreeMap<u64, DirectoryEvent> =
            begun.iter().filter_map(|stored| Some((stored.seq, recorded(stored).ok()?.event))).collect();
        let with = |(stored, began): (Stored, Option<u64>)| (stored, began.and_then(|seq| begun.get(&seq).cloned()));
        Ok(Found { entries: entries.into_iter().zip(began).map(with).collect(), more })
    }

    async fn read(&self, seqs: &[u64]) -> Result<Vec<Stored>, LogError> {
        if seqs.is_empty() { Ok(Vec::new()) } else { self.log.events(DIRECTORY, seqs).await }
    }
}

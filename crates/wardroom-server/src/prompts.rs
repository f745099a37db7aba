//! What people were prompted of and what they put off: remembered per person, for all their tabs and on every node.
//!
//! It lies beside the log and is volatile: whoever was prompted ten minutes ago is owed nothing. Nodes learn of it from
//! the store every few seconds, so that what they show costs no reading; a prompt itself is spent in the store, where two
//! surfaces that ask at once find each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use wardroom_core::id::{PersonId, Time};
use wardroom_core::prompt::Prompts;

use crate::clock;
use crate::log::{Log, LogError};

/// How often somebody who came in second decides again. Two people hardly ever are one.
const TRIES: usize = 8;

/// What this node knows of what people were prompted of.
#[derive(Clone, Debug, Default)]
pub struct Prompted(Arc<Mutex<HashMap<PersonId, Prompts>>>);

impl Prompted {
    /// What a person was prompted of and put off, as far as this node knows: a few seconds old at the most.
    #[must_use]
    pub fn of(&self, person: PersonId) -> Prompts {
        self.lock().get(&person).cloned().unwrap_or_default()
    }

    /// Learns what the other nodes kept. What is long over is forgotten.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn learn(&self, log: &Log) -> Result<(), LogError> {
        let kept = log.prompts(clock::now()).await?;
        let read = kept.into_iter().filter_map(|(person, kept)| Some((person, read(&kept)?)));
        *self.lock() = read.collect();
        Ok(())
    }

    /// Decides something about a person's prompts by what is kept of them, and keeps what came of it.
    ///
    /// # Errors
    /// [`LogError::Unavailable`]; nothing was changed then, as far as anybody is told.
    pub async fn change<T>(
        &self,
        log: &Log,
        person: PersonId,
        decide: impl Fn(&mut Prompts, Time) -> T,
    ) -> Result<T, LogError> {
        for _ in 0..TRIES {
            let kept = log.prompts_of(person).await?;
            let before = kept.as_deref().and_then(read).unwrap_or_default();
            let (mut after, now) = (before.clone(), clock::now());
            let decided = decide(&mut after, now);
            let words = serde_json::to_string(&after).expect("prompts are plain data");
            if after == before || log.put_prompts(person, kept, words, now).await? {
                self.lock().insert(person, after);
                return Ok(decided);
            }
        }
        Err(LogError::unavailable("somebody's prompts changed faster than they could be read"))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PersonId, Prompts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a row holds; a newer Wardroom's is forgotten, which costs a prompt too many.
fn read(kept: &str) -> Option<Prompts> {
    serde_json::from_str(kept).ok()
}

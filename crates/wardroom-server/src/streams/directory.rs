//! The folded directory: always held, and brought up to the log where it is asked for.

use std::slice;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use wardroom_core::directory::Directory;
use wardroom_core::id::Entry;

use super::{DIRECTORY, PAGE, Streams, takes_words};
use crate::log::{LogError, Stored, Tip};
use crate::stored::recorded;

/// How far apart looks at the directory for somebody unknown are.
const LOOKS_APART: Duration = Duration::from_millis(100);

/// When the directory was last looked at for somebody unknown, and what kept it from being read, if anything did.
pub(super) type Looks = tokio::sync::Mutex<Option<(Instant, Option<LogError>)>>;

/// The folded directory and how far it is folded.
#[derive(Clone, Debug, Default)]
pub struct HeldDirectory {
    /// The state.
    pub directory: Arc<Directory>,
    /// The stream's tip that it stands for.
    pub tip: Tip,
}

impl Streams {
    /// The directory as folded so far; [`Streams::refresh_directory`] brings it up to the log.
    #[must_use]
    pub fn directory(&self) -> HeldDirectory {
        self.directory.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Folds whatever the log has of the directory beyond what is folded.
    ///
    /// # Errors
    /// Whatever kept the log from being read.
    pub async fn refresh_directory(&self) -> Result<HeldDirectory, LogError> {
        let mut held = self.directory();
        // What an event up to here took away was gone before anything of this state was read.
        let mut gone = if held.tip.seq > 0 { held.tip.seq } else { self.log.tip(DIRECTORY).await?.seq };
        loop {
            let page = self.log.read_stream(DIRECTORY, held.tip.seq, PAGE).await?;
            if held.tip.seq > 0 && page.iter().any(|stored| stored.seq > gone && takes_words(slice::from_ref(stored))) {
                gone = page.last().map_or(gone, |last| last.seq).max(self.log.tip(DIRECTORY).await?.seq);
                held = HeldDirectory::default(); // Fold anew, without the words that are gone.
                continue;
            }
            for stored in &page {
                evolve_directory(&mut held, stored);
            }
            if page.len() < PAGE {
                break;
            }
        }
        self.set_directory_aside(&mut held);
        self.hold_directory(held.clone());
        Ok(held)
    }

    /// The directory as the log has it at this moment or later, for whoever brings a name that this node does not know.
    /// Anybody can bring one, signed in or not: however many do, the log is looked at a few times a second, and each
    /// look is for all who waited for it.
    ///
    /// # Errors
    /// Whatever kept the log from being read.
    pub async fn look_again(&self) -> Result<HeldDirectory, LogError> {
        let asked = Instant::now();
        let mut last = self.look.lock().await;
        if let Some((began, failed)) = &*last {
            if *began >= asked {
                return failed.clone().map_or_else(|| Ok(self.directory()), Err);
            }
            tokio::time::sleep_until(*began + LOOKS_APART).await;
        }
        let began = Instant::now();
        let looked = self.refresh_directory().await;
        *last = Some((began, looked.as_ref().err().cloned()));
        looked
    }

    /// Holds a directory unless a newer one is held.
    pub fn hold_directory(&self, mut held: HeldDirectory) {
        let mut known = self.directory.write().unwrap_or_else(PoisonError::into_inner);
        if known.tip.seq <= held.tip.seq {
            // Under the lock, as for incidents: what was begun before it was set aside knows nothing of it.
            self.set_directory_aside(&mut held);
            self.book.directory(&held.directory.facts);
            *known = held;
        }
    }

    /// Adds to the directory what no event of it says: that it is set aside, and what the settings allow.
    pub(super) fn set_directory_aside(&self, held: &mut HeldDirectory) {
        let quarantined = self.quarantined.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = quarantined.get(&DIRECTORY) {
            Arc::make_mut(&mut held.directory).unreadable.get_or_insert_with(|| why.clone());
        }
        if held.directory.facts.room != self.room {
            Arc::make_mut(&mut held.directory).facts.room = self.room;
        }
        if held.directory.facts.captures != self.captures {
            Arc::make_mut(&mut held.directory).facts.captures.clone_from(&self.captures);
        }
    }
}

/// Folds one more stored event of the directory in.
pub(crate) fn evolve_directory(held: &mut HeldDirectory, stored: &Stored) {
    let directory = Arc::make_mut(&mut held.directory);
    match recorded(stored) {
        Ok(recorded) => directory.evolve(&recorded),
        Err(why) => directory.evolve_unreadable(Entry(stored.seq), &why),
    }
    held.tip = Tip { seq: stored.seq, hash: stored.hash };
}

//! Presence: when people were last seen doing something. Volatile; only "absent" and "returned" are events.
//!
//! Seen means human activity on any surface: a command, or a surface saying that somebody is active there.
//! An open tab or a polling script is not. Time during which Wardroom itself was down never counts: whoever
//! was not seen since counts from the moment it was up again.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use wardroom_core::id::{PersonId, Time};

use crate::clock;
use crate::log::{Log, LogError};

/// When people were last seen, on this node and, as far as they told, on the others.
#[derive(Clone, Debug)]
pub struct Presence {
    /// From when on absence counts at all.
    up_since: Arc<Mutex<Time>>,
    seen: Arc<Mutex<HashMap<PersonId, Time>>>,
    /// Whom this node saw since it last told the others.
    untold: Arc<Mutex<HashSet<PersonId>>>,
}

impl Presence {
    /// Nobody was seen yet; absence counts from `up_since`.
    #[must_use]
    pub fn new(up_since: Time) -> Self {
        Self { up_since: Arc::new(Mutex::new(up_since)), seen: Arc::default(), untold: Arc::default() }
    }

    /// Wardroom was down until now: nobody could be seen.
    pub fn up_again(&self, now: Time) {
        *self.up_since.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// This person just did something.
    pub fn saw(&self, person: PersonId) {
        self.lock().insert(person, clock::now());
        self.untold.lock().unwrap_or_else(PoisonError::into_inner).insert(person);
    }

    /// Since when this person has not been seen, outages not counted.
    #[must_use]
    pub fn unseen_since(&self, person: PersonId) -> Time {
        let up_since = *self.up_since.lock().unwrap_or_else(PoisonError::into_inner);
        self.seen_at(person).map_or(up_since, |seen| seen.max(up_since))
    }

    /// When this person really was last seen: a start of the server is no sign of life of anybody.
    #[must_use]
    pub fn seen_at(&self, person: PersonId) -> Option<Time> {
        self.lock().get(&person).copied()
    }

    /// Tells the other nodes whom this one saw, and learns whom they saw.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn exchange(&self, log: &Log) -> Result<(), LogError> {
        let untold = std::mem::take(&mut *self.untold.lock().unwrap_or_else(PoisonError::into_inner));
        let mine: Vec<(String, Time)> =
            untold.iter().filter_map(|person| Some((person.to_string(), self.seen_at(*person)?))).collect();
        if !mine.is_empty()
            && let Err(error) = log.put_seen(mine).await
        {
            self.untold.lock().unwrap_or_else(PoisonError::into_inner).extend(untold);
            return Err(error);
        }
        for (person, at) in log.seen().await? {
            if let Ok(id) = person.parse() {
                let mut seen = self.lock();
                let known = seen.entry(PersonId(id)).or_insert(at);
                *known = at.max(*known);
            }
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PersonId, Time>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

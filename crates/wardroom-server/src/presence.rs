//! Presence: when people were last seen doing something. Volatile; only "absent" and "returned" are events.
//!
//! Seen means human activity on any surface: a command, or a surface saying that somebody is active there.
//! An open tab or a polling script is not. Time during which Wardroom itself was down never counts: whoever
//! was not seen since counts from the moment it was up again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use wardroom_core::id::{PersonId, Time};

use crate::clock;
use crate::log::{Log, LogError};

/// When people were last seen, on this node and, as far as they told, on the others.
#[derive(Clone, Debug)]
pub struct Presence {
    /// From when on absence counts at all.
    up_since: Arc<Mutex<Time>>,
    seen: Arc<Mutex<HashMap<PersonId, Seen>>>,
}

/// When somebody was last seen.
#[derive(Copy, Clone, Debug)]
struct Seen {
    at: Time,
    /// Whether this node saw them since it last told the others.
    untold: bool,
}

impl Presence {
    /// Nobody was seen yet; absence counts from `up_since`.
    #[must_use]
    pub fn new(up_since: Time) -> Self {
        Self { up_since: Arc::new(Mutex::new(up_since)), seen: Arc::default() }
    }

    /// Wardroom was down until now: nobody could be seen.
    pub fn up_again(&self, now: Time) {
        *self.up_since.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// This person just did something.
    pub fn saw(&self, person: PersonId) {
        self.lock().insert(person, Seen { at: clock::now(), untold: true });
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
        self.lock().get(&person).map(|seen| seen.at)
    }

    /// Tells the other nodes whom this one saw, and learns whom they saw.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn exchange(&self, log: &Log) -> Result<(), LogError> {
        let now = clock::now();
        self.no_later_than(now);
        let untold = self.untold();
        let mine = untold.iter().map(|(person, at)| (person.to_string(), *at)).collect::<Vec<_>>();
        if !mine.is_empty()
            && let Err(error) = log.put_seen(mine, now).await
        {
            let mut all = self.lock();
            for (person, _) in untold {
                if let Some(seen) = all.get_mut(&person) {
                    seen.untold = true;
                }
            }
            return Err(error);
        }
        for (person, at) in log.seen(now).await? {
            if let Ok(id) = person.parse() {
                let mut seen = self.lock();
                let known = seen.entry(PersonId(id)).or_insert(Seen { at, untold: false });
                known.at = at.max(known.at);
            }
        }
        Ok(())
    }

    /// Whom this node saw since it was last asked this, and when.
    fn untold(&self) -> Vec<(PersonId, Time)> {
        let mut all = self.lock();
        let told =
            |(person, seen): (&PersonId, &mut Seen)| std::mem::take(&mut seen.untold).then_some((*person, seen.at));
        all.iter_mut().filter_map(told).collect()
    }

    /// Nobody was seen at a time that has not come yet: this node's clock once stood wrong, and whoever was seen then
    /// would never be absent again.
    fn no_later_than(&self, now: Time) {
        let mut up_since = self.up_since.lock().unwrap_or_else(PoisonError::into_inner);
        *up_since = now.min(*up_since);
        drop(up_since);
        self.lock().values_mut().for_each(|seen| seen.at = now.min(seen.at));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PersonId, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use uuid::Uuid;

    use super::*;
    use crate::log::Place;

    /// One wrong reading of a clock kept whoever was seen then from ever being absent, on every node.
    #[tokio::test]
    async fn nobody_was_seen_in_the_future() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(&Place::Folder(folder.path().to_owned())).await.unwrap();
        let (mary, robin) = (PersonId(Uuid::now_v7()), PersonId(Uuid::now_v7()));
        let now = clock::now();
        let future = now + SignedDuration::from_hours(24 * 365);
        // As the node with that clock left it behind for this one.
        log.put_seen(vec![(mary.to_string(), future)], future).await.unwrap();
        let presence = Presence::new(future);
        presence.lock().insert(robin, Seen { at: future, untold: false });
        presence.exchange(&log).await.unwrap();
        assert_eq!(presence.seen_at(mary), None);
        for person in [mary, robin] {
            let since = presence.unseen_since(person);
            assert!(since >= now && since <= clock::now(), "{since}");
        }
        presence.saw(mary);
        presence.exchange(&log).await.unwrap();
        let known = log.seen(clock::now()).await.unwrap();
        assert_eq!(known, [(mary.to_string(), presence.seen_at(mary).unwrap())], "the wrong time is overwritten");
    }
}

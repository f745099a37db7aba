//! Who follows live, and how often: one person's programs shall not hold every connection that there is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wardroom_core::id::PersonId;

/// How many live streams each person holds open on this node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Followers {
    most: usize,
    open: Arc<Mutex<HashMap<PersonId, usize>>>,
}

/// One open stream of a person's; it counts until it is dropped.
#[derive(Debug)]
pub struct Following {
    followers: Followers,
    person: PersonId,
}

impl Followers {
    /// At most so many streams for each person.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, open: Arc::default() }
    }

    /// How many streams a person may hold open.
    #[must_use]
    pub fn most(&self) -> usize {
        self.most
    }

    /// Counts one more; `None` when the person holds as many as they may.
    #[must_use]
    pub fn follow(&self, person: PersonId) -> Option<Following> {
        let mut open = self.lock();
        let held = open.entry(person).or_default();
        if *held >= self.most {
            return None;
        }
        *held += 1;
        Some(Following { followers: self.clone(), person })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PersonId, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut open = self.followers.lock();
        if let Some(held) = open.get_mut(&self.person) {
            *held -= 1;
            if *held == 0 {
                open.remove(&self.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_stream_counts_for_its_person_until_it_ends() {
        let followers = Followers::new(2);
        let [mary, robin] = [1, 2].map(|n| PersonId(Uuid::from_u128(n)));
        let (first, second) = (followers.follow(mary), followers.follow(mary));
        assert!(first.is_some() && second.is_some() && followers.follow(mary).is_none());
        assert!(followers.follow(robin).is_some(), "the others are not asked to wait");
        drop(second);
        let again = followers.follow(mary);
        assert!(again.is_some() && followers.follow(mary).is_none());
        drop((first, again));
        assert!(followers.lock().is_empty(), "nobody is remembered who follows nothing");
    }
}

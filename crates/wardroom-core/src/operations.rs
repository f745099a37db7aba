//! Who was of operations, and when: a change is told of after it was made, by a pipeline or by whoever comes to it late.
//!
//! Whether it was one of operations is asked of the time at which it was made. Who takes operations over does not make theirs
//! what they changed before, and whoever handed operations over leaves nothing behind that is to be sorted now.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::authority::Act;
use crate::event::{Event, Recorded};
use crate::id::{PersonId, ServiceName, Time};
use crate::incident::Incident;
use crate::permission::Hands;
use crate::role::{Duty, Role, RolePath};

const OPERATIONS: Act = Act::Duty(Duty::Operations);

/// So many times in operations that are over are known, at the most; the first go. What was made in one that is not known any
/// more is to be sorted.
const OVER_MAX: usize = 500;

/// A time that somebody was of operations, without a break.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stint {
    /// Who.
    pub person: PersonId,
    /// Since when.
    pub since: Time,
    /// Until when; at that moment it is over. `None` while it goes on.
    pub until: Option<Time>,
}

impl Stint {
    fn holds(&self, at: Time) -> bool {
        self.since <= at && self.until.is_none_or(|until| at < until)
    }
}

impl Incident {
    /// Whether somebody was of operations at a time. Before this was opened there were none: of what was made then those speak
    /// who have operations now.
    #[must_use]
    pub fn was_of_operations(&self, person: PersonId, at: Time) -> bool {
        if at < self.opened_at {
            return self.may(person, &OPERATIONS);
        }
        self.stints.iter().any(|known| known.person == person && known.holds(at))
    }

    /// By what a person changed a service at a time that is told of now.
    pub(crate) fn hands_told(&self, person: PersonId, service: &ServiceName, at: Time) -> Option<Hands> {
        match self.was_of_operations(person, at) {
            true => Some(Hands::Coordinated),
            false => self.permitted(person, service, at),
        }
    }

    /// Whoever holds operations or works in it or under it, and who has it because nobody else does.
    fn of_operations(&self) -> BTreeSet<PersonId> {
        let at_work = self.roles.iter().filter(|(path, _)| path.duty() == Duty::Operations).flat_map(|(_, role)| {
            let Role { holder, members } = role;
            members.iter().copied().chain(holder.map(|tenure| tenure.person))
        });
        self.effective_holder(&RolePath::of(Duty::Operations)).into_iter().chain(at_work).collect()
    }

    /// After everything else was folded: roles change hands by many kinds of events, and fall by more.
    pub(crate) fn evolve_operations(&mut self, recorded: &Recorded) {
        let (at, mut news) = (recorded.at, self.of_operations());
        for known in self.stints.iter_mut().filter(|known| known.until.is_none()) {
            if !news.remove(&known.person) {
                known.until = Some(at);
            }
        }
        // Who came along with another incident was of operations there.
        let since = if matches!(recorded.event, Event::Absorbed(_)) { self.opened_at } else { at };
        for person in news {
            let goes_on = |known: &&mut Stint| known.person == person && known.until == Some(since);
            match self.stints.iter_mut().find(goes_on) {
                Some(known) => known.until = None,
                None => self.stints.push(Stint { person, since, until: None }),
            }
        }
        self.stints.retain(|known| known.until != Some(known.since));
        let over = self.stints.iter().filter(|known| known.until.is_some()).count();
        if over > OVER_MAX
            && let Some(first) = self.stints.iter().position(|known| known.until.is_some())
        {
            self.stints.remove(first);
        }
    }
}

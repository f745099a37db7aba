//! Going back: the owners of a service may return to the version that they called good before an incident began.
//!
//! What is called good later proves nothing, and whoever comes with it is told so, with the version that counts.

use super::Incident;
use crate::facts::{Facts, Good, Service};
use crate::id::{PersonId, ServiceName, Time};

impl Service {
    /// The last known good version when something began.
    fn last_good(&self, began: Time) -> Option<&Good> {
        let called = self.good.iter().rev().filter_map(|good| Some((good.called_by(began)?, good)));
        called.max_by_key(|(at, _)| *at).map(|(_, good)| good)
    }
}

impl Incident {
    /// The version of a service to which its owners may go back here: the last that they called good before this began.
    #[must_use]
    pub fn last_good<'a>(&self, service: &ServiceName, facts: &'a Facts) -> Option<&'a str> {
        facts.services.get(service)?.last_good(self.began_at())?.version.words()
    }

    /// Whether somebody owns a service, and this is the version to which they may go back.
    pub(super) fn goes_back(&self, person: PersonId, service: &ServiceName, to: Option<&str>, facts: &Facts) -> bool {
        to.is_some_and(|to| self.last_good(service, facts) == Some(to)) && facts.owns(service, person)
    }

    /// Why whoever is stopped does not come through by going back.
    pub(super) fn why_not_back(
        &self,
        person: PersonId,
        service: &ServiceName,
        to: &str,
        facts: &Facts,
    ) -> Option<String> {
        let known = facts.services.get(service)?;
        if !facts.owns(service, person) {
            return Some(match &known.owner {
                Some(team) => format!("Only {team}, who own {service}, may go back to “{to}” without them."),
                None => format!("Nobody owns {service}, so that nobody may go back without them."),
            });
        }
        let number = self.number;
        let last = match self.last_good(service, facts) {
            Some(last) => format!("the last known good version is “{last}”"),
            None => format!("no version of {service} was called good before"),
        };
        let called = known.good.iter().find(|good| good.version.words() == Some(to));
        Some(match called {
            Some(good) if good.called_by(self.began_at()).is_none() => {
                format!("“{to}” was called good only after {number} began; {last}.")
            }
            // Another one was called good after it.
            Some(_) => format!("“{to}” was good before that; {last}."),
            None => format!("Nobody called “{to}” good; {last}."),
        })
    }
}

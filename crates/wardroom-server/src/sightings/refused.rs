//! Who told of too much. Nobody hears of what they tell, so whoever looks after this server is to know of them: by a line of
//! its log, a figure, and beside the tokens. Each node knows whom it refused itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::SignedDuration;
use wardroom_core::id::Time;

use super::{HOURLY_MAX, KEPT_MAX};
use crate::metrics::{Counter, Metrics};

/// For how long somebody is shown after they were refused; and how often it is said of one of them, which they may be told
/// many times.
const WINDOW: SignedDuration = SignedDuration::from_hours(1);
/// So many tellers are remembered, those who were refused last.
const TELLERS_MAX: usize = 100;

/// Takes notes. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Notes {
    refused: Counter,
    forgotten: Counter,
    taken: Arc<Mutex<Taken>>,
}

/// What came of too much, within the last hour and as far as this node knows.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct TooMuch {
    /// Who was refused, and when last.
    pub refused: BTreeMap<String, Time>,
    /// When something was last forgotten before its time, because more than [`KEPT_MAX`] were kept.
    pub forgotten_at: Option<Time>,
}

#[derive(Default, Debug)]
struct Taken {
    refused: BTreeMap<String, Happened>,
    forgotten: Option<Happened>,
}

#[derive(Copy, Clone, Debug)]
struct Happened {
    said: Time,
    last: Time,
}

impl Happened {
    /// It happened again; whether that is to be said.
    fn again(known: Option<Self>, now: Time) -> (Self, bool) {
        match known.filter(|known| now.duration_since(known.said) < WINDOW) {
            Some(known) => (Self { last: now, ..known }, false),
            None => (Self { said: now, last: now }, true),
        }
    }

    fn is_recent(&self, now: Time) -> bool {
        now.duration_since(self.last) < WINDOW
    }
}

impl Taken {
    /// Somebody is refused; whether that is to be said.
    fn refuse(&mut self, teller: &str, now: Time) -> bool {
        let (happened, say) = Happened::again(self.refused.get(teller).copied(), now);
        self.refused.insert(teller.to_owned(), happened);
        self.refused.retain(|_, known| known.is_recent(now));
        if self.refused.len() > TELLERS_MAX {
            let longest_ago = self.refused.iter().min_by_key(|(_, known)| known.last).map(|(teller, _)| teller.clone());
            longest_ago.and_then(|teller| self.refused.remove(&teller));
        }
        say
    }

    fn forget(&mut self, now: Time) -> bool {
        let (happened, say) = Happened::again(self.forgotten, now);
        self.forgotten = Some(happened);
        say
    }

    fn shown(&self, now: Time) -> TooMuch {
        let recent = |(teller, known): (&String, &Happened)| known.is_recent(now).then(|| (teller.clone(), known.last));
        TooMuch {
            refused: self.refused.iter().filter_map(recent).collect(),
            forgotten_at: self.forgotten.filter(|known| known.is_recent(now)).map(|known| known.last),
        }
    }
}

impl Notes {
    pub fn new(metrics: &Metrics) -> Self {
        let (refused, forgotten) = (metrics.changes_refused.clone(), metrics.changes_forgotten.clone());
        Self { refused, forgotten, taken: Arc::default() }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing of what somebody told is kept.
    pub fn refuse(&self, teller: &str, now: Time) {
        self.refused.inc();
        if self.taken().refuse(teller, now) {
            tracing::warn!(
                teller,
                "somebody told of more than {HOURLY_MAX} changes within an hour, and is not heard: look for a loop"
            );
        }
    }

    /// So many were forgotten before their time.
    pub fn forget(&self, many: u64, now: Time) {
        self.forgotten.inc_by(many);
        if many > 0 && self.taken().forget(now) {
            tracing::warn!(
                many,
                "others told of more changes than the {KEPT_MAX} that are kept: the oldest of the most are forgotten"
            );
        }
    }

    /// What there is to show.
    pub fn shown(&self, now: Time) -> TooMuch {
        self.taken().shown(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Time {
        Time::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    #[test]
    fn that_somebody_is_refused_is_said_once_an_hour_and_shown_for_an_hour() {
        let mut taken = Taken::default();
        let said = [0, 1, 59, 60, 61, 130].map(|minute| taken.refuse("token 1", at(minute)));
        assert_eq!(said, [true, false, false, true, false, true]);
        assert!(taken.refuse("token 2", at(131)), "of each by itself");
        let shown = BTreeMap::from([("token 1".to_owned(), at(130)), ("token 2".to_owned(), at(131))]);
        assert_eq!(taken.shown(at(132)), TooMuch { refused: shown, forgotten_at: None });
        assert_eq!(taken.shown(at(200)), TooMuch::default());
        assert_eq!([0, 5, 60].map(|minute| taken.forget(at(minute))), [true, false, true]);
        assert_eq!(taken.shown(at(61)).forgotten_at, Some(at(60)));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let mut taken = Taken::default();
        for n in 0..=TELLERS_MAX {
            taken.refuse(&format!("token {n:03}"), at(0) + SignedDuration::from_secs(i64::try_from(n).unwrap()));
        }
        assert_eq!(taken.refused.len(), TELLERS_MAX);
        assert!(!taken.refused.contains_key("token 000"));
    }
}

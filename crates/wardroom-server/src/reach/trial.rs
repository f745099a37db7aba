//! A test that somebody sends themselves, by the ways that they chose. It goes beside what people have to be told, and
//! keeps nothing of that waiting, whatever becomes of it.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;
use wardroom_core::call::Words;
use wardroom_core::id::PersonId;
use wardroom_core::reach::Channel;

use super::carry::{Carrier, Sent, Telling};
use super::outward::Refused;
use super::pager::Action;

/// Browsers of one person that are shown a test at once.
const AT_ONCE: usize = 4;
/// How long whoever sent a test waits for what comes of it.
const PATIENCE: Duration = Duration::from_secs(20);

impl Carrier {
    /// Sends somebody a test by one way.
    ///
    /// # Errors
    /// What stood in the way.
    pub async fn test(&self, person: PersonId, channel: Channel) -> Result<(), String> {
        let words = Words {
            line: "A test: this is how Wardroom reaches you".to_owned(),
            help: "Nothing happened, and there is nothing to do.".to_owned(),
        };
        let call = format!("test.{}", Uuid::now_v7().simple());
        let telling = Telling { person, call: &call, words: &words, path: "/", severity: "info" };
        let by = Instant::now() + PATIENCE;
        let sent = match channel {
            Channel::Push => self.show_test(&telling, by).await,
            Channel::Mail => timeout_at(by, self.mail(&telling)).await.map_or_else(|_| late(), Sent::from),
            Channel::Pager => timeout_at(by, self.page_test(&telling)).await.unwrap_or_else(|_| late()),
        };
        match sent {
            Sent::Accepted => Ok(()),
            Sent::Refused(Refused { why, .. }) | Sent::Never(why) => Err(yours(&why)),
            Sent::Gone => Err(
                "your browser's push service does not know it any more, so push is off in it: turn it on there again"
                    .to_owned(),
            ),
            Sent::Nothing => Err("nothing is set up for this way".to_owned()),
        }
    }

    async fn page_test(&self, telling: &Telling<'_>) -> Sent {
        let sent = self.trigger(&self.tests, telling).await;
        if matches!(sent, Sent::Accepted) {
            // Nobody has to put it away.
            let _ = self.page(&self.tests, telling.person, telling.call, Action::Resolve, None).await;
        }
        sent
    }

    /// Shows a test in each of somebody's browsers; one that takes it is enough.
    async fn show_test(&self, telling: &Telling<'_>, by: Instant) -> Sent {
        let Ok(browsers) = self.log.browsers_of(telling.person).await else {
            return Sent::Refused("Wardroom cannot read which browsers are told".into());
        };
        let show = |browser| async move { self.show_in(&self.tests, &browser, telling, false).await };
        let mut shown = stream::iter(browsers).map(show).buffer_unordered(AT_ONCE);
        let mut all = Sent::Nothing;
        loop {
            all = match (all, timeout_at(by, shown.next()).await) {
                (all, Ok(None)) | (all @ Sent::Accepted, Err(_)) => return all,
                (_, Err(_)) => return late(),
                (Sent::Accepted, _) | (_, Ok(Some(Sent::Accepted))) => Sent::Accepted,
                (before @ (Sent::Refused(_) | Sent::Never(_)), Ok(Some(Sent::Gone))) => before,
                (_, Ok(Some(refused))) => refused,
            };
        }
    }
}

/// What is said of somebody to others, said to them.
fn yours(why: &str) -> String {
    why.strip_prefix("their ").map_or_else(|| why.to_owned(), |rest| format!("your {rest}"))
}

fn late() -> Sent {
    Sent::Refused("there was no answer in time".into())
}

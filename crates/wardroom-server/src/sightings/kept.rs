//! A change of which another system told, as it is kept beside the log.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wardroom_core::id::{PersonId, ServiceName, Time};
use wardroom_core::sighting::{NewSighting, Seen, Stage};
use wardroom_core::text::{Line, Prose};

use super::Part;

/// A row of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// The same for as long as it is the same change of the same service.
    pub key: Uuid,
    /// The same for all services of one change; `None` where that is not known.
    pub change: Option<Uuid>,
    /// What was changed.
    pub service: ServiceName,
    /// How far it is: 1 begun, 2 failed, 3 done.
    pub stage: i16,
    /// When it was made.
    pub at: Time,
    /// When it was told of.
    pub received: Time,
    /// Who told of it: whose telling is bounded together.
    pub teller: String,
    /// Everything else, as JSON; empty when the words were redacted.
    pub body: String,
}

/// What there is to tell of a change that was kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    /// Everything, and who told of it.
    Whole {
        /// Whose telling is bounded together.
        teller: String,
        /// What was told.
        seen: Box<Seen>,
    },
    /// Its words were redacted: nobody hears of it who does not know it, and who does hears how far it is.
    Silenced {
        /// By which it is known.
        key: Uuid,
        /// How far it is.
        stage: Stage,
        /// When it was made.
        at: Time,
    },
}

#[derive(Serialize, Deserialize)]
struct Body {
    what: Line,
    who: Option<Line>,
    person: Option<PersonId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told_by: Option<PersonId>,
    source: Line,
    link: Option<Prose>,
    environment: Option<Line>,
}

impl Kept {
    pub(super) fn of(part: &Part, received: Time, teller: &str) -> Self {
        let Part { change, seen } = part.clone();
        let body = Body {
            what: seen.what,
            who: seen.who,
            person: seen.person,
            told_by: seen.told_by,
            source: seen.source,
            link: seen.link,
            environment: seen.environment,
        };
        let stage = stored(seen.stage);
        let body = serde_json::to_string(&body).expect("words are plain data");
        Self {
            key: seen.key,
            change: Some(change),
            service: seen.service,
            stage,
            at: seen.at.min(received),
            received,
            teller: teller.to_owned(),
            body,
        }
    }

    /// What is left of what an incident heard of, when its words were redacted: that it was told.
    #[must_use]
    pub fn silenced(seen: &NewSighting, received: Time) -> Self {
        let (key, service, stage) = (seen.key, seen.service.clone(), stored(seen.stage));
        let (teller, body) = (String::new(), String::new());
        Self { key, change: None, service, stage, at: seen.at, received, teller, body }
    }

    /// What there is to tell of it; `None` for a row that Wardroom never wrote.
    #[must_use]
    pub fn told(self) -> Option<Told> {
        let stage = match self.stage {
            1 => Stage::Begun,
            2 => Stage::Failed,
            3 => Stage::Done,
            _ => return None,
        };
        if self.body.is_empty() {
            return Some(Told::Silenced { key: self.key, stage, at: self.at });
        }
        let Body { what, who, person, told_by, source, link, environment } = serde_json::from_str(&self.body).ok()?;
        let Self { key, service, at, teller, .. } = self;
        let share_used = false; // Each incident counts for itself.
        let seen = Seen { key, service, what, who, person, told_by, source, link, environment, stage, at, share_used };
        Some(Told::Whole { teller, seen: Box::new(seen) })
    }
}

fn stored(stage: Stage) -> i16 {
    match stage {
        Stage::Begun => 1,
        Stage::Failed => 2,
        Stage::Done => 3,
    }
}

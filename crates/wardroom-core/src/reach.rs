//! How somebody is told of what waits for them: which ways, and when they are left alone.
//!
//! Chosen by each person for themselves. Addresses, keys and subscriptions are secrets of the edge, beside the log:
//! here stands only which ways are on. What has to be told is in [`crate::call`].

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::directory::{Directory, DirectoryEvent};
use crate::id::PersonId;
use crate::refusal::{Code, Refusal};

/// A way to tell somebody who is not looking.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Channel {
    /// The browsers in which they turned it on.
    Push,
    /// Their mail address in the directory.
    Mail,
    /// Their own pager's endpoint.
    Pager,
}

impl Channel {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Push, Self::Mail, Self::Pager];

    /// As it is stored.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Mail => "mail",
            Self::Pager => "pager",
        }
    }
}

/// A time of day: hours and minutes, as a clock on the wall shows them.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, example = "22:30"))]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// This many minutes after midnight, if a day has so many.
    #[must_use]
    pub fn after_midnight(minutes: u16) -> Option<Self> {
        (minutes < 24 * 60).then_some(Self(minutes))
    }

    /// How many minutes after midnight.
    #[must_use]
    pub fn minutes(self) -> u16 {
        self.0
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = &'static str;
    fn try_from(given: String) -> Result<Self, Self::Error> {
        const WRONG: &str = "a time of day looks like 22:30";
        let two = |part: &str| match part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()) {
            true => part.parse::<u16>().map_err(|_| WRONG),
            false => Err(WRONG),
        };
        let (hours, minutes) = given.split_once(':').ok_or(WRONG)?;
        let (hours, minutes) = (two(hours)?, two(minutes)?);
        if hours < 24 && minutes < 60 { Ok(Self(hours * 60 + minutes)) } else { Err(WRONG) }
    }
}

impl From<TimeOfDay> for String {
    fn from(TimeOfDay(minutes): TimeOfDay) -> String {
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// The longest name of a time zone; the longest of IANA's has 32 characters.
const ZONE_MAX: usize = 64;

/// The name of a time zone, as IANA has it. Whether there is such a zone is known at the edge.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, example = "Europe/Berlin"))]
pub struct ZoneName(String);

impl ZoneName {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ZoneName {
    type Error = &'static str;
    fn try_from(given: String) -> Result<Self, Self::Error> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"/_+-".contains(&b);
        if (1..=ZONE_MAX).contains(&given.len()) && given.bytes().all(fits) && !given.starts_with('/') {
            return Ok(Self(given));
        }
        Err("a time zone looks like Europe/Berlin")
    }
}

impl From<ZoneName> for String {
    fn from(zone: ZoneName) -> String {
        zone.0
    }
}

/// When somebody is left alone: from one time of day to another, past midnight if the second comes first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct QuietHours {
    /// From then on.
    pub from: TimeOfDay,
    /// Until then.
    pub to: TimeOfDay,
    /// Where these times are those of the clock on the wall.
    pub zone: ZoneName,
}

impl QuietHours {
    /// Whether a time of day there lies in them.
    #[must_use]
    pub fn hold(&self, local: TimeOfDay) -> bool {
        if self.from <= self.to { (self.from..self.to).contains(&local) } else { local >= self.from || local < self.to }
    }

    /// How many minutes after this time of day they end, at the latest.
    #[must_use]
    pub fn left(&self, local: TimeOfDay) -> u16 {
        (self.to.0 + 24 * 60 - local.0) % (24 * 60)
    }
}

/// How somebody has chosen to be told.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Reach {
    /// The ways that are on.
    pub channels: BTreeSet<Channel>,
    /// When they are left alone, but for being offered command and being asked whether they still have it.
    pub quiet: Option<QuietHours>,
}

impl Directory {
    /// How somebody has chosen to be told; nobody who is not active is told anything.
    #[must_use]
    pub fn reach_of(&self, person: PersonId) -> Reach {
        if self.facts.active(person) { self.reach.get(&person).cloned().unwrap_or_default() } else { Reach::default() }
    }

    pub(crate) fn set_reach(&self, person: PersonId, reach: Reach) -> Result<Vec<DirectoryEvent>, Refusal> {
        let person = self.find_member(&person.into())?;
        if reach.channels.contains(&Channel::Mail) && self.facts.people[&person].email.is_none() {
            let sentence = "The directory has no mail address of yours. Ask an admin to add it first.";
            return Err(Refusal::new(Code::Invalid, sentence));
        }
        if reach.quiet.as_ref().is_some_and(|quiet| quiet.from == quiet.to) {
            return Err(Refusal::new(Code::Invalid, "Quiet hours begin and end at different times."));
        }
        if self.reach.get(&person).cloned().unwrap_or_default() == reach {
            return Ok(Vec::new());
        }
        let Reach { channels, quiet } = reach;
        Ok(vec![DirectoryEvent::ReachSet { person, channels, quiet }])
    }

    pub(crate) fn evolve_reach(&mut self, event: &DirectoryEvent) {
        match event {
            DirectoryEvent::ReachSet { person, channels, quiet } => {
                let reach = Reach { channels: channels.clone(), quiet: quiet.clone() };
                Arc::make_mut(&mut self.reach).insert(*person, reach);
            }
            // Their pager's key and their browsers' subscriptions go with the account.
            DirectoryEvent::PersonDeactivated { person } | DirectoryEvent::PersonForgotten { person, .. } => {
                Arc::make_mut(&mut self.reach).remove(person);
            }
            _ => {}
        }
    }
}

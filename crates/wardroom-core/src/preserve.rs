//! What is worth keeping when something is wrong with a service: thought of beforehand. What Wardroom can reach by itself,
//! it keeps by itself (`keeping.rs`); the rest is put before operations, who have no time to think of it then. That is a
//! hint: nobody is called for it, and nothing waits.

mod keeping;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::directory::{Directory, DirectoryEvent};
use crate::facts::Service;
use crate::id::{Entry, ServiceName};
use crate::refusal::{Code, Refusal};
use crate::text::{Line, Text};

pub use keeping::{NotKept, Preserving, Shows, Stands, Tried, Why, WorthKeeping};

/// How many things a service may name.
pub const WORTH_MAX: usize = 10;
/// So many things that a service named and does not name any more are remembered, so that what is said again is the same.
pub const WORTH_BEFORE_KEPT: usize = 50;

/// Something worth keeping, as somebody says it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Template {
    /// What it shows: "graphs of search".
    pub what: Line,
    /// Where or how: a URL; `capture:NAME`, for a capture that the server's settings name; or a command that changes
    /// nothing, which nobody but a person runs.
    pub how: Line,
}

/// `WHAT=HOW`.
impl FromStr for Template {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let (what, how) = given.split_once('=').ok_or(
            "what is worth keeping is written WHAT=HOW, such as \"graphs=https://graphs.example.org/search.png\" or \
             \"pods=kubectl get pods\"",
        )?;
        let line = |words: &str| words.parse::<Line>().map_err(|why| why.to_string());
        Ok(Self { what: line(what)?, how: line(how)? })
    }
}

/// Something worth keeping, as the directory knows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Worth {
    /// What it shows.
    pub what: Text,
    /// A URL, a capture, or a command that changes nothing.
    pub how: Text,
}

/// By which a thing of a template is known, whatever is called how: the entry of the directory that first said it, and its
/// place there.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct WorthId {
    /// The entry.
    pub said: Entry,
    /// Its place, counted from 0.
    pub place: u8,
}

/// Something worth keeping, with what it is known by.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Thing {
    /// By which it is known.
    pub id: WorthId,
    /// What it shows.
    pub what: Text,
    /// A URL, a capture, or a command that changes nothing.
    pub how: Text,
}

/// What a capture is called in the server's settings.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaptureName(String);

/// How long the name of a capture is at the most.
pub const CAPTURE_NAME_MAX: usize = 40;

impl FromStr for CaptureName {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if given.is_empty() || given.len() > CAPTURE_NAME_MAX || !given.chars().all(fits) {
            return Err(format!("a capture's name has 1 to {CAPTURE_NAME_MAX} characters of a-z, 0-9 and -"));
        }
        Ok(Self(given.to_owned()))
    }
}

impl TryFrom<String> for CaptureName {
    type Error = String;
    fn try_from(given: String) -> Result<Self, String> {
        given.parse()
    }
}

impl From<CaptureName> for String {
    fn from(name: CaptureName) -> String {
        name.0
    }
}

impl fmt::Display for CaptureName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How something is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way<'a> {
    /// By asking a URL.
    Url(&'a str),
    /// By a capture that the server's settings name.
    Capture(CaptureName),
    /// By somebody's hand.
    ByHand,
}

/// What stands before the name of a capture.
const CAPTURE: &str = "capture:";

impl<'a> Way<'a> {
    /// How something is kept by what is said of it.
    ///
    /// # Errors
    /// A sentence, for what is to be a capture and has no name that one can have.
    pub fn of(how: &'a str) -> Result<Self, String> {
        match how.strip_prefix(CAPTURE) {
            Some(name) => name.trim().parse().map(Self::Capture),
            None if how.starts_with("https://") || how.starts_with("http://") => Ok(Self::Url(how)),
            None => Ok(Self::ByHand),
        }
    }
}

impl Thing {
    /// What an entry names, in its order. What was said before keeps what it is known by, so that it is not kept twice.
    fn named(said: Entry, worth: &[Worth], before: &[Self]) -> Vec<Self> {
        let thing = |(place, Worth { what, how }): (u8, &Worth)| {
            let same = |known: &&Self| {
                what.words().is_some() && known.what.words() == what.words() && known.how.words() == how.words()
            };
            let id = before.iter().find(same).map_or(WorthId { said, place }, |known| known.id);
            Self { id, what: what.clone(), how: how.clone() }
        };
        (0..).zip(worth).map(thing).collect()
    }

    /// How it is kept.
    #[must_use]
    pub fn way(&self) -> Way<'_> {
        self.how.words().and_then(|how| Way::of(how).ok()).unwrap_or(Way::ByHand)
    }

    fn says(&self, template: &Template) -> bool {
        self.what.words() == Some(template.what.as_str()) && self.how.words() == Some(template.how.as_str())
    }
}

impl Service {
    /// Names what is worth keeping from an entry on. What was named before, also with something else in between, is what it
    /// was then.
    pub(crate) fn name_worth(&mut self, said: Entry, worth: &[Worth]) {
        let before: Vec<Thing> = self.worth.drain(..).chain(self.worth_before.drain(..)).collect();
        self.worth = Thing::named(said, worth, &before);
        let named: BTreeSet<WorthId> = self.worth.iter().map(|thing| thing.id).collect();
        let not_any_more = before.into_iter().filter(|thing| !named.contains(&thing.id));
        self.worth_before = not_any_more.take(WORTH_BEFORE_KEPT).collect();
    }
}

impl From<Template> for Worth {
    fn from(Template { what, how }: Template) -> Self {
        Self { what: what.into(), how: how.into() }
    }
}

impl Directory {
    /// What nothing runs is found out now, and not while something is wrong with the service.
    fn names_a_capture(&self, template: &Template) -> Result<(), Refusal> {
        let (Ok(Way::Capture(name)), Some(known)) = (Way::of(template.how.as_str()), &self.facts.captures) else {
            return Ok(());
        };
        if known.contains(&name) {
            return Ok(());
        }
        let all: Vec<String> = known.iter().map(ToString::to_string).collect();
        let there = match all.as_slice() {
            [] => "it has none".to_owned(),
            all => format!("it has {}", all.join(", ")),
        };
        let sentence = format!(
            "This server has no capture “{name}”: {there}. Whoever runs the server can add one (--capture {name}=PROGRAM)."
        );
        Err(Refusal::new(Code::Invalid, sentence))
    }

    pub(crate) fn preserve_service(
        &self,
        service: ServiceName,
        keep: Vec<Template>,
    ) -> Result<Vec<DirectoryEvent>, Refusal> {
        let known = &self.known_service(&service)?.worth;
        if keep.len() > WORTH_MAX {
            let sentence = format!("A service names at most {WORTH_MAX} things that are worth keeping.");
            return Err(Refusal::new(Code::TooMany, sentence));
        }
        if let Some(why) = keep.iter().find_map(|template| Way::of(template.how.as_str()).err()) {
            return Err(Refusal::new(Code::Invalid, format!("“capture:” is followed by a name: {why}.")));
        }
        keep.iter().try_for_each(|template| self.names_a_capture(template))?;
        let named: BTreeSet<&str> = keep.iter().map(|template| template.what.as_str()).collect();
        if named.len() < keep.len() {
            let sentence = "Two things have the same name here. Name each so that it can be told from the others.";
            return Err(Refusal::new(Code::Invalid, sentence));
        }
        if known.len() == keep.len() && known.iter().zip(&keep).all(|(known, template)| known.says(template)) {
            return Ok(Vec::new());
        }
        let worth = keep.into_iter().map(Worth::from).collect();
        Ok(vec![DirectoryEvent::ServicePreserveSet { service, worth }])
    }
}

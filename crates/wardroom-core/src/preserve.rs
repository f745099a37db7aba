//! What is worth keeping when something is wrong with a service: thought of beforehand, and put before operations, who have
//! no time to think of it then. It is a hint: nobody is called for it, and nothing waits.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::directory::{Directory, DirectoryEvent};
use crate::facts::Facts;
use crate::id::{PersonId, ServiceName, Time};
use crate::incident::{Incident, Phase};
use crate::refusal::{Code, Refusal};
use crate::text::{Line, Text};

/// How many things a service may name.
pub const WORTH_MAX: usize = 10;

/// Something worth keeping, as somebody says it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Template {
    /// What it shows: "graphs of search".
    pub what: Line,
    /// Where or how: a URL, or a command that changes nothing. Nobody but a person runs it.
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
    /// A URL, or a command that changes nothing.
    pub how: Text,
}

impl Worth {
    fn says(&self, template: &Template) -> bool {
        self.what.words() == Some(template.what.as_str()) && self.how.words() == Some(template.how.as_str())
    }
}

impl From<Template> for Worth {
    fn from(Template { what, how }: Template) -> Self {
        Self { what: what.into(), how: how.into() }
    }
}

impl Directory {
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

impl Incident {
    /// What is worth keeping of the services that are affected, for whoever may change services here: before they are
    /// changed, so until the bleeding is stopped. For everybody else there is nothing.
    #[must_use]
    pub fn worth_keeping<'a>(
        &'a self,
        person: PersonId,
        facts: &'a Facts,
        now: Time,
    ) -> Vec<(&'a ServiceName, &'a Worth)> {
        let begins = matches!(self.phase, Phase::Investigating | Phase::Active);
        if !begins || facts.guest_of(person).is_some() || !self.may_change_services(person, now) {
            return Vec::new();
        }
        let known = self.services.iter().filter_map(|name| Some((name, facts.services.get(name)?)));
        known.flat_map(|(name, service)| service.worth.iter().map(move |worth| (name, worth))).collect()
    }
}

//! What an incident keeps by itself of what is worth keeping, once each, and what it puts before operations instead.
//!
//! The incident's state knows what was tried, whatever became of it: what is tried again after a restart, or by another node,
//! is refused as known. Practice, planned operations and the example only show what would be kept.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Thing, Way, WorthId};
use crate::event::{Event, Recorded};
use crate::evidence::{Evidence, Fingerprint, MediaType};
use crate::facts::Facts;
use crate::id::{Entry, PersonId, ServiceName, Time};
use crate::incident::{Asking, Decision, Incident, Kind, Phase};
use crate::refusal::{Code, Refusal};
use crate::text::Text;

/// Why something was not kept by itself. What another system said is in none of these.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Why {
    /// Somebody attached the same before.
    Here,
    /// Nobody listed its host.
    NotListed,
    /// Its host was not reached.
    Unreachable,
    /// It did not come in time.
    TooSlow,
    /// It answered something else than what was asked for.
    Answered,
    /// More than a piece of evidence may have.
    TooLarge,
    /// There was nothing in it.
    Empty,
    /// The settings name no such capture.
    NoSuchCapture,
    /// The capture could not be run, or ended with an error and without a word.
    Failed,
    /// There is no room for more evidence here.
    NoRoom,
    /// The store of evidence could not.
    NotStored,
}

impl Why {
    /// In words, to stand in brackets.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Here => "it is here already",
            Self::NotListed => "its host is not listed, --fetch-from",
            Self::Unreachable => "its host was not reached",
            Self::TooSlow => "it took too long",
            Self::Answered => "its host answered something else",
            Self::TooLarge => "it is too large",
            Self::Empty => "there was nothing in it",
            Self::NoSuchCapture => "the settings name no such capture",
            Self::Failed => "its capture failed",
            Self::NoRoom => "there is no room for more evidence",
            Self::NotStored => "it could not be stored",
        }
    }
}

/// Which thing a piece of evidence shows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shows {
    /// Of which service.
    pub service: ServiceName,
    /// By which it is known.
    pub thing: WorthId,
}

/// Something that was not kept by itself, as an event tells of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NotKept {
    /// Of which service.
    pub service: ServiceName,
    /// By which it is known.
    pub thing: WorthId,
    /// What it shows.
    pub what: Text,
    /// Why not.
    pub why: Why,
}

/// Something that was tried once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tried {
    /// By which it is known.
    pub thing: WorthId,
    /// Why it was not kept; nothing where it was.
    pub not: Option<Why>,
    /// The entry that says so.
    pub entry: Entry,
}

/// What Wardroom has to tell an incident of what it tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Preserving {
    /// The bytes of a thing are kept.
    Kept {
        /// Which thing.
        shows: Shows,
        /// Of the bytes.
        fingerprint: Fingerprint,
        /// What they are.
        media_type: MediaType,
        /// How many.
        bytes: u64,
    },
    /// These could not be kept.
    NotKept(Vec<(Shows, Why)>),
}

/// How something that is worth keeping stands.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Stands {
    /// Somebody has to keep it.
    ByHand,
    /// It is kept by itself once the incident is declared.
    WhenDeclared,
    /// It is being kept by itself.
    UnderWay,
    /// It would be kept by itself in an incident; this is none.
    OnlyShown,
    /// It was tried, and could not be kept.
    NotKept,
}

/// Something that is worth keeping of an affected service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorthKeeping<'a> {
    /// The service.
    pub service: &'a ServiceName,
    /// The thing.
    pub thing: &'a Thing,
    /// How it stands.
    pub stands: Stands,
    /// Why it was not kept.
    pub why: Option<Why>,
}

/// How long after something, for people.
fn after(span: SignedDuration) -> String {
    match span.as_secs() {
        ..=0 => "right".to_owned(),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    }
}

impl Incident {
    /// Whether this keeps by itself what is worth keeping: something broke, and it is not over.
    fn keeps_by_itself(&self) -> bool {
        let in_earnest = self.kind == Kind::Incident && self.example.is_none();
        in_earnest && matches!(self.phase, Phase::Active | Phase::Mitigated) && self.unreadable.is_none()
    }

    fn tried(&self, thing: WorthId) -> Option<&Tried> {
        // Somebody may have kept since what could not be kept by itself.
        self.tried.iter().rev().find(|tried| tried.thing == thing)
    }

    fn things<'a>(&'a self, facts: &'a Facts) -> impl Iterator<Item = (&'a ServiceName, &'a Thing)> {
        let known = self.services.iter().filter_map(|name| Some((name, facts.services.get(name)?)));
        known.flat_map(|(name, service)| service.worth.iter().map(move |thing| (name, thing)))
    }

    fn is_kept(&self, thing: WorthId) -> bool {
        matches!(self.tried(thing), Some(Tried { not: None | Some(Why::Here), .. }))
    }

    /// The thing that is worth keeping, and not kept yet, of which bytes are that somebody had from there: from the URL, or by
    /// the command, that it names.
    pub(crate) fn shown_from(&self, from: &str, facts: &Facts) -> Option<Shows> {
        let shown = |(_, thing): &(_, &Thing)| thing.how.words() == Some(from) && !self.is_kept(thing.id);
        let (service, thing) = self.things(facts).find(shown)?;
        Some(Shows { service: service.clone(), thing: thing.id })
    }

    /// What is to be kept by itself and was not tried yet.
    #[must_use]
    pub fn to_keep<'a>(&'a self, facts: &'a Facts) -> Vec<(&'a ServiceName, &'a Thing)> {
        if !self.keeps_by_itself() {
            return Vec::new();
        }
        let due = |(_, thing): &(_, &Thing)| thing.way() != Way::ByHand && self.tried(thing.id).is_none();
        self.things(facts).filter(due).collect()
    }

    /// What is worth keeping of the services that are affected and is not kept, for whoever may change services here: before
    /// they are changed, so until the bleeding is stopped. For everybody else there is nothing.
    #[must_use]
    pub fn worth_keeping<'a>(&'a self, person: PersonId, facts: &'a Facts, now: Time) -> Vec<WorthKeeping<'a>> {
        let begins = matches!(self.phase, Phase::Investigating | Phase::Active);
        if !begins || facts.guest_of(person).is_some() || !self.may_change_services(person, now) {
            return Vec::new();
        }
        let stand = |(service, thing): (&'a ServiceName, &'a Thing)| {
            let (stands, why) = match self.tried(thing.id) {
                _ if self.is_kept(thing.id) => return None,
                Some(Tried { not: why, .. }) => (Stands::NotKept, *why),
                None if thing.way() == Way::ByHand => (Stands::ByHand, None),
                None if self.keeps_by_itself() => (Stands::UnderWay, None),
                None if self.kind == Kind::Incident && self.example.is_none() => (Stands::WhenDeclared, None),
                None => (Stands::OnlyShown, None),
            };
            Some(WorthKeeping { service, thing, stands, why })
        };
        self.things(facts).filter_map(stand).collect()
    }

    /// Records what was kept by itself, or could not be: each thing once, whoever tried it, and however often.
    ///
    /// # Errors
    /// [`Code::AlreadySo`] when there is nothing to record: it was tried, or nobody names it any more. As for evidence when
    /// there is no room, or nothing is recorded here any more.
    pub fn preserve(&self, ask: &Asking<'_>, preserving: Preserving) -> Result<Decision, Refusal> {
        let ask = &self.at_least_last(ask);
        self.writable()?;
        self.still_goes_on()?;
        let nothing = || Refusal::new(Code::AlreadySo, "There is nothing to record.");
        let thing = |shows: &Shows| {
            let known = ask.facts.services.get(&shows.service)?.worth.iter().find(|thing| thing.id == shows.thing)?;
            self.tried(known.id).is_none().then_some(known)
        };
        let not_kept = |all: Vec<(Shows, Why)>| {
            let one = |(shows, why): (Shows, Why)| {
                let what = thing(&shows)?.what.anew();
                Some(NotKept { service: shows.service, thing: shows.thing, what, why })
            };
            all.into_iter().filter_map(one).collect::<Vec<_>>()
        };
        let things = match preserving {
            Preserving::NotKept(all) => not_kept(all),
            Preserving::Kept { shows, fingerprint, media_type, bytes } => {
                let known = thing(&shows).ok_or_else(nothing)?;
                if self.evidence_at(fingerprint).is_none() {
                    self.room_for_evidence(bytes, ask.facts.room)?;
                    let what = known.what.words().unwrap_or("something");
                    let name = Text::said(format!("{what} of {}", shows.service));
                    let (sha256, why) =
                        (Text::said(fingerprint.to_string()), Some(Text::said(self.kept_when(ask.now))));
                    let shows = Some(shows);
                    let kept = Evidence { sha256, name, why, media_type, bytes, by: None, shows };
                    return Ok(Event::EvidenceAttached(kept).into());
                }
                not_kept(vec![(shows, Why::Here)])
            }
        };
        if things.is_empty() { Err(nothing()) } else { Ok(Event::NotKept { things }.into()) }
    }

    fn kept_when(&self, now: Time) -> String {
        match self.declared_at {
            Some(declared) => format!("kept by itself {} after the declaration", after(now.duration_since(declared))),
            None => "kept by itself".to_owned(),
        }
    }

    pub(crate) fn evolve_preserving(&mut self, recorded: &Recorded) {
        let entry = recorded.entry;
        match &recorded.event {
            Event::EvidenceAttached(Evidence { shows: Some(shows), .. }) => {
                self.tried.push(Tried { thing: shows.thing, not: None, entry });
            }
            Event::NotKept { things } => {
                self.tried.extend(things.iter().map(|one| Tried { thing: one.thing, not: Some(one.why), entry }));
            }
            _ => {}
        }
    }
}

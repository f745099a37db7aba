//! The state document, as far as it is decided about: who may write, what is still true, and its marks in the log.
//!
//! What people write together lies beside the log and has no position there. So that anybody can see later what somebody
//! saw when they took command, the log keeps *marks*: at every offer and taking of command and every change of phase, the
//! words of each part that changed since the mark before. "The document as of entry N" is the newest mark at or before N.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, ToSpan};
use serde::{Deserialize, Serialize};

use crate::authority::Act;
use crate::command::Command;
use crate::event::{Event, Recorded};
use crate::facts::Facts;
use crate::id::{Actor, Entry, PersonId, Time};
use crate::incident::{Asking, Decision, Incident, Phase, Severity};
use crate::next::Next;
use crate::refusal::{Code, Refusal};
use crate::role::{Duty, RolePath};
use crate::text::Text;

/// How long after communications the commander is asked, too.
const COMMAND_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// A part of the document that people write.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Part {
    /// What it is about, for whoever has a minute.
    Summary,
    /// What is known in detail.
    Status,
    /// Whatever somebody wants to keep while working.
    Notes,
}

impl Part {
    /// All of them, in the order in which they stand.
    pub const ALL: [Self; 3] = [Self::Summary, Self::Status, Self::Notes];

    /// What its text is called in the document.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Status => "status",
            Self::Notes => "notes",
        }
    }

    /// The part of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    /// As people say it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Status => "detailed status",
            Self::Notes => "working notes",
        }
    }

    /// Whether anybody is asked if it is still true: working notes are for working.
    fn is_asked_about(self) -> bool {
        self != Self::Notes
    }
}

/// What people have written, when deciding needs it ([`Command::needs_document`]).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Written {
    /// The number of the document's last durable update; 0 when nothing was written.
    pub version: u64,
    /// Its parts.
    pub parts: BTreeMap<Part, PartWritten>,
}

/// A part as it is written now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartWritten {
    /// At which version it last changed.
    pub changed: u64,
    /// Who changed it then, and when.
    pub by: Option<(PersonId, Time)>,
    /// Its words.
    pub words: String,
}

/// A part in a mark, as the log keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PartMarked {
    /// At which version of the document it last changed.
    pub changed: u64,
    /// Its words, unless the mark before has them already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
}

/// What the state knows of the document.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Document {
    /// Who said last that a part is still true, and when.
    pub stamps: BTreeMap<Part, Stamp>,
    /// Its marks, the oldest first.
    pub marks: Vec<Mark>,
}

/// That a part was still true then.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stamp {
    /// Who said so.
    pub by: PersonId,
    /// When.
    pub at: Time,
}

/// How far one may rely on a part, beside what is written there.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Who said last that it is still true, and when.
    pub stamp: Option<Stamp>,
    /// Whether its words have changed since somebody said so.
    pub changed_since: bool,
    /// Since when somebody should have said so again.
    pub late_since: Option<Time>,
}

/// The document as of an entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// The entry that made it.
    pub entry: Entry,
    /// Of which version it is.
    pub version: u64,
    /// At which version each part had last changed.
    pub changed: BTreeMap<Part, u64>,
    /// In which entry the words of each part stand: its own, or an earlier mark.
    pub words_in: BTreeMap<Part, Entry>,
}

impl Event {
    /// Whether the document is marked with it: a change of phase, and an offer and a taking of command.
    #[must_use]
    pub fn marks_document(&self) -> bool {
        match self {
            Self::Declared { .. }
            | Self::PhaseSet { .. }
            | Self::Closed { .. }
            | Self::Reopened { .. }
            | Self::MergedInto { .. }
            | Self::CommandAssumed { .. } => true,
            Self::RoleOffered { role, .. } | Self::RoleTaken { role, .. } => role.is_command(),
            _ => false,
        }
    }
}

impl Command {
    /// Whether what is written must be at hand ([`Asking::document`]): it may be marked with this, or this is about it.
    #[must_use]
    pub fn needs_document(&self) -> bool {
        matches!(self, Self::StillTrue { .. }) || self.marks_document()
    }

    /// Whether the document may be marked with this.
    #[must_use]
    pub fn marks_document(&self) -> bool {
        match self {
            Self::Declare {}
            | Self::SetPhase { .. }
            | Self::Reopen { .. }
            | Self::Merge { .. }
            | Self::AssumeCommand { .. }
            | Self::ConfirmAssumption {} => true,
            Self::OfferRole { role, .. } | Self::TakeRole { role, .. } => role.is_command(),
            _ => false,
        }
    }
}

impl Document {
    /// The newest mark at or before an entry.
    #[must_use]
    pub fn as_of(&self, entry: Entry) -> Option<&Mark> {
        let after = self.marks.partition_point(|mark| mark.entry <= entry);
        self.marks[..after].last()
    }
}

impl Incident {
    /// Whether this person may write in the document now. Every responder may, while it is open.
    ///
    /// # Errors
    /// A [`Refusal`] that says why not: a closed incident, one that they may not know of, or have not joined.
    pub fn may_write(&self, person: PersonId, facts: &Facts) -> Result<(), Refusal> {
        let ask =
            Asking { actor: Actor::Person(person), now: self.last_at, facts, cited: None, other: None, document: None };
        self.visible_to_asker(&ask)?;
        self.writable()?;
        self.still_goes_on()?;
        self.require(&ask, &Act::Respond).map(|_| ())
    }

    /// Whether the asker may say of a part that it is still true.
    #[must_use]
    pub fn may_stamp(&self, person: PersonId) -> bool {
        self.takes_changes() && self.may(person, &Act::DutyOrCommand(Duty::Communications))
    }

    pub(crate) fn still_true(
        &self,
        ask: &Asking<'_>,
        parts: BTreeSet<Part>,
        version: u64,
    ) -> Result<Decision, Refusal> {
        let by = self.require(ask, &Act::DutyOrCommand(Duty::Communications))?;
        if parts.is_empty() {
            return Err(Refusal::new(Code::Invalid, "Say which parts are still true."));
        }
        parts.iter().try_for_each(|part| Self::was_read(ask, *part, by, version))?;
        Ok(Event::StillTrue { parts, by }.into())
    }

    /// Nobody says that words are still true which they have not seen. One knows what one wrote oneself.
    fn was_read(ask: &Asking<'_>, part: Part, reader: PersonId, version: u64) -> Result<(), Refusal> {
        let Some(written) = ask.document.and_then(|written| written.parts.get(&part)) else { return Ok(()) };
        let Some((by, at)) = written.by.filter(|(by, _)| written.changed > version && *by != reader) else {
            return Ok(());
        };
        let (who, part, when) = (ask.facts.name(by), part.word(), at.strftime("%H:%M"));
        let sentence =
            format!("{who} changed the {part} at {when} UTC, after what you have read. Read it, and say it again.");
        Err(Refusal::new(Code::ChangedMeanwhile, sentence))
    }

    /// Marks the document with what was decided, if that asks for it and something was written since the mark before.
    pub(crate) fn with_mark(&self, ask: &Asking<'_>, mut decision: Decision) -> Decision {
        let last = self.document.marks.last();
        let newer = |written: &&Written| written.version > last.map_or(0, |mark| mark.version);
        let Some(written) = ask.document.filter(newer) else { return decision };
        if decision.here.iter().any(Event::marks_document) {
            let part = |(part, written): (&Part, &PartWritten)| {
                let known = last.and_then(|mark| mark.changed.get(part)).copied().unwrap_or(0);
                let text = (written.changed > known).then(|| Text::said(&*written.words));
                (*part, PartMarked { changed: written.changed, text })
            };
            let parts = written.parts.iter().map(part).collect();
            decision.here.push(Event::DocumentMarked { version: written.version, parts });
        }
        decision
    }

    /// When communications is asked whether the document is still true: when the first of its parts is due.
    #[must_use]
    pub fn document_due(&self) -> Option<Time> {
        self.parts_due().into_values().min()
    }

    /// When it is asked of which part whether it is still true: so long after its stamp, or after the declaration. Nobody
    /// is asked before the declaration and once it is resolved, nor ever about working notes.
    #[must_use]
    pub fn parts_due(&self) -> BTreeMap<Part, Time> {
        if !matches!(self.phase, Phase::Active | Phase::Mitigated) {
            return BTreeMap::new();
        }
        let minutes = match self.severity {
            Severity::Sev1 => 20,
            Severity::Sev2 => 30,
            Severity::Sev3 => 60,
            Severity::Sev4 => 120,
        };
        let declared = self.declared_at.unwrap_or(self.opened_at);
        let stamped = |part: Part| self.document.stamps.get(&part).map_or(declared, |stamp| stamp.at);
        // A log can tell of times at the very end of what a time can be.
        let due = |part: Part| Some((part, stamped(part).checked_add(minutes.minutes()).ok()?));
        Part::ALL.into_iter().filter(|part| part.is_asked_about()).filter_map(due).collect()
    }

    /// How far one may rely on a part now, whose words last changed then.
    #[must_use]
    pub fn part_standing(&self, part: Part, changed: Option<Time>, now: Time) -> Standing {
        let stamp = self.document.stamps.get(&part).copied();
        let changed_since = stamp.is_some_and(|stamp| changed.is_some_and(|changed| changed > stamp.at));
        let late_since = self.parts_due().get(&part).copied().filter(|due| *due <= now);
        Standing { stamp, changed_since, late_since }
    }

    /// "Still true?" for communications, and a little later for the commander, too.
    pub(crate) fn next_about_document(&self, person: PersonId, now: Time) -> Option<Next> {
        let due_at = self.document_due()?;
        let since = now.duration_since(due_at);
        let asked = |duty: Duty| self.effective_holder(&RolePath::of(duty)) == Some(person);
        let communications = asked(Duty::Communications) && since >= SignedDuration::ZERO;
        let command = asked(Duty::Command) && since >= COMMAND_AFTER;
        (communications || command).then_some(Next::StillTrue { due_at })
    }

    pub(crate) fn evolve_document(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::StillTrue { parts, by } => {
                let stamp = Stamp { by: *by, at: recorded.at };
                self.document.stamps.extend(parts.iter().map(|part| (*part, stamp)));
            }
            Event::DocumentMarked { version, parts } => {
                let before = self.document.marks.last();
                let mut words_in = before.map(|mark| mark.words_in.clone()).unwrap_or_default();
                let new = parts.iter().filter(|(_, marked)| marked.text.is_some());
                words_in.extend(new.map(|(part, _)| (*part, recorded.entry)));
                let changed = parts.iter().map(|(part, marked)| (*part, marked.changed)).collect();
                self.document.marks.push(Mark { entry: recorded.entry, version: *version, changed, words_in });
            }
            _ => {}
        }
    }
}

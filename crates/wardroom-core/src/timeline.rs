//! What people said: notes with pin, correction and back-dating; and redaction.
//!
//! The timeline is the log, told to a person; the state keeps no notes. A command about a past entry brings
//! that entry along ([`Asking::cited`]).

use jiff::SignedDuration;

use crate::authority::Act;
use crate::event::{Event, Recorded};
use crate::facts::Facts;
use crate::id::{Actor, Entry, PersonId, Time};
use crate::incident::{Asking, Decision, Incident};
use crate::refusal::{Code, Refusal, Remedy};
use crate::seal::{self, Seal};
use crate::text::Prose;

/// More pinned notes than this would hide each other.
const PINS_MAX: usize = 50;

/// How far back something may be dated: what lies before was mistyped.
const BACK_DATED_MAX: SignedDuration = SignedDuration::from_hours(10 * 366 * 24);

/// Impact and notes may be back-dated, by ten years at most, and never forward-dated.
pub(crate) fn back_dated(at: Option<Time>, now: Time) -> Result<(), Refusal> {
    let invalid = |sentence| Err(Refusal::new(Code::Invalid, sentence));
    match at {
        Some(at) if at > now => invalid(format!("{at} lies in the future; it is {now} now.")),
        Some(at) if now.duration_since(at) > BACK_DATED_MAX => {
            invalid(format!("{at} is more than ten years ago. Look at the year again."))
        }
        _ => Ok(()),
    }
}

impl Incident {
    /// A note joins its writer. It may be back-dated: "happened at" stands beside "recorded at".
    pub(crate) fn note(
        &self,
        ask: &Asking<'_>,
        text: Prose,
        happened_at: Option<Time>,
        pin: bool,
    ) -> Result<Decision, Refusal> {
        let person = ask.active_person()?;
        back_dated(happened_at, ask.now)?;
        if pin {
            self.room_for_a_pin()?;
        }
        let mut events = self.join_unless_here(person);
        events.push(Event::Noted { text: text.into(), happened_at, pinned: pin });
        Ok(events.into())
    }

    fn room_for_a_pin(&self) -> Result<(), Refusal> {
        if self.pinned.len() < PINS_MAX {
            return Ok(());
        }
        Err(Refusal::new(Code::TooMany, format!("{PINS_MAX} notes are pinned already; unpin one first.")))
    }

    pub(crate) fn pin_note(&self, ask: &Asking<'_>, entry: Entry) -> Result<Decision, Refusal> {
        self.require(ask, &Act::Respond)?;
        cited_note(ask, entry)?;
        if self.pinned.contains(&entry) {
            return Err(Refusal::new(Code::AlreadySo, "This note is pinned already."));
        }
        self.room_for_a_pin()?;
        Ok(Event::NotePinned { entry }.into())
    }

    pub(crate) fn unpin_note(&self, ask: &Asking<'_>, entry: Entry) -> Result<Decision, Refusal> {
        self.require(ask, &Act::Respond)?;
        if !self.pinned.contains(&entry) {
            return Err(Refusal::new(Code::NotThere, format!("Entry {entry} is not pinned.")));
        }
        Ok(Event::NoteUnpinned { entry }.into())
    }

    /// The writer corrects their own note; the first words stay readable beside the correction.
    pub(crate) fn correct_note(&self, ask: &Asking<'_>, entry: Entry, text: Prose) -> Result<Decision, Refusal> {
        let person = ask.active_person()?;
        let note = cited_note(ask, entry)?;
        if note.actor != Actor::Person(person) {
            return Err(Refusal::new(
                Code::NotYours,
                "Only its writer corrects a note. Write a note of your own beside it.",
            )
            .who_could(note.actor.person().into_iter().collect())
            .remedy(Remedy::Note));
        }
        Ok(Event::NoteCorrected { entry, text: text.into() }.into())
    }

    /// Takes the words of an entry out for ever: its writer may, command, an admin, and the console.
    pub(crate) fn redact(&self, ask: &Asking<'_>, entry: Entry, reason: Option<Prose>) -> Result<Decision, Refusal> {
        let cited = cited(ask, entry)?;
        self.may_redact(ask, cited)?;
        self.words_stand_there(cited)?;
        let (_, mut body) = cited.event.to_stored();
        let seals = seal::seals(&mut body);
        if seals.is_empty() {
            return Err(Refusal::new(Code::Invalid, format!("Entry {entry} has no words that could be redacted.")));
        }
        let mut without = body.clone();
        seal::forget(&mut without, &seals);
        if without == body {
            return Err(Refusal::new(Code::AlreadySo, format!("The words of entry {entry} are gone already.")));
        }
        let also_in = self.has_what_was_seen(&cited.event);
        Ok(Event::Redacted { entry, seals, reason: reason.map(Into::into), also_in }.into())
    }

    fn may_redact(&self, ask: &Asking<'_>, cited: &Recorded) -> Result<(), Refusal> {
        if ask.actor == Actor::Console {
            return Ok(());
        }
        self.may_take_words(ask.active_person()?, cited.actor.person(), ask.facts)
    }

    /// Whether somebody may take out for ever what a person said here.
    ///
    /// # Errors
    /// [`Code::NotYours`], with who could.
    pub fn may_take_words(&self, person: PersonId, writer: Option<PersonId>, facts: &Facts) -> Result<(), Refusal> {
        let commander: PersonId = self.commander();
        if writer == Some(person) || commander == person || facts.admin(person) {
            return Ok(());
        }
        let writer = writer.filter(|writer| *writer != commander);
        Err(Refusal::new(Code::NotYours, "Its writer, the commander or an admin can redact this.")
            .who_could(writer.into_iter().chain([commander]).collect())
            .remedy(Remedy::AskAdmin))
    }

    pub(crate) fn evolve_timeline(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::Noted { pinned: true, .. } => {
                self.pinned.insert(recorded.entry);
            }
            Event::NotePinned { entry } => {
                self.pinned.insert(*entry);
            }
            Event::NoteUnpinned { entry } => {
                self.pinned.remove(entry);
            }
            Event::Redacted { seals, .. } => self.forget_words(seals),
            _ => {}
        }
    }

    /// The title, what somebody is doing, a roadblock: whatever the state still shows of these words goes too.
    ///
    /// As a JSON tree, like sealing itself, so that no noun can forget to forget.
    fn forget_words(&mut self, seals: &[Seal]) {
        let mut tree = serde_json::to_value(&*self).expect("a state is plain data, which always serialises");
        seal::forget(&mut tree, seals);
        *self = serde_json::from_value(tree).expect("a state reads back, as its snapshots do");
    }
}

fn cited<'a>(ask: &Asking<'a>, entry: Entry) -> Result<&'a Recorded, Refusal> {
    ask.cited
        .filter(|cited| cited.entry == entry)
        .ok_or_else(|| Refusal::new(Code::NotThere, format!("There is no entry {entry} here.")))
}

fn cited_note<'a>(ask: &Asking<'a>, entry: Entry) -> Result<&'a Recorded, Refusal> {
    let cited = cited(ask, entry)?;
    if matches!(cited.event, Event::Noted { .. }) {
        return Ok(cited);
    }
    Err(Refusal::new(Code::Invalid, format!("Entry {entry} is not a note.")))
}

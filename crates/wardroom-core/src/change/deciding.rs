//! Who may tell of a change, and do what with it.

use super::{
    Change, ChangeAct, ChangeCorrected, ChangeHandedOn, ChangeState, ChangeStep, NewChange, Outcome, SentBack,
};
use super::{Coordination, WayBack};
use crate::authority::Act;
use crate::event::Event;
use crate::facts::Facts;
use crate::id::{Entry, PersonId, ServiceName, Time, Who};
use crate::incident::{Asking, Decision, Incident, Phase};
use crate::permission::Hands;
use crate::refusal::{Code, Refusal, Remedy};
use crate::role::Duty;
use crate::text::{Line, Prose, Text};
use crate::timeline::back_dated;
use crate::todo::bug_link;

/// So many changes one incident holds. Who makes more than this by hand has lost the overview long before.
const CHANGES_MAX: u32 = 2_000;
/// So many it holds at the very most, of what has happened: the truth is not refused because there is much of it, and is
/// bounded at all because the state holds every change.
const HAPPENED_MAX: u32 = 20_000;

/// So long is a name that nobody knows, in bytes, before a colon at the most: what is longer is something else.
const PLAIN_MAX: usize = 30;

const OPERATIONS: Act = Act::Duty(Duty::Operations);
const PLANNING: Act = Act::DutyOrCommand(Duty::Planning);

/// What somebody says of a change as they announce or record it.
pub(crate) struct Made {
    pub service: Option<ServiceName>,
    pub what: Line,
    pub why: Option<Prose>,
    pub how: Option<Line>,
    pub back: Option<Prose>,
}

/// What is said beside how a change stands.
#[derive(Default)]
pub(crate) struct Beside {
    pub note: Option<Prose>,
    /// The entry that attached what shows it.
    pub evidence: Option<Entry>,
    /// When that was, if not now.
    pub happened_at: Option<Time>,
}

/// What somebody says anew of a change; what is not named stays.
pub(crate) struct Reworded {
    pub what: Option<Line>,
    pub why: Option<Prose>,
    pub how: Option<Line>,
}

impl Incident {
    /// What the asker may do with a change now.
    #[must_use]
    pub fn may_with_change(&self, ask: &Asking<'_>, known: &Change) -> Vec<ChangeAct> {
        if !self.takes_changes() {
            return Vec::new();
        }
        // Whether it can be said as it stands costs less to find out than whether they may say it.
        let may = |act: &ChangeAct| known.takes(*act).is_ok() && self.may_step(ask, known, *act).is_ok();
        ChangeAct::ALL.into_iter().filter(may).collect()
    }

    /// Who asks, and the change that they may do this with.
    fn change_for(&self, ask: &Asking<'_>, change: u32, act: ChangeAct) -> Result<(PersonId, &Change), Refusal> {
        self.require(ask, &Act::Respond)?;
        let known = self
            .changes
            .iter()
            .find(|known| known.id == change)
            .ok_or_else(|| Refusal::new(Code::NotThere, format!("There is no change {change} here.")))?;
        let person = self.may_step(ask, known, act)?;
        known.takes(act).map(|()| (person, known))
    }

    /// Whoever announced a change says how it went, and so do operations; once it is done, operations alone say that it
    /// changed nothing, undo it, and sort it. What it is, and how to undo it, planning keeps too, and decides what stays.
    fn may_step(&self, ask: &Asking<'_>, known: &Change, act: ChangeAct) -> Result<PersonId, Refusal> {
        let person = self.require(ask, &Act::Respond)?;
        let theirs = known.by == person;
        let (enough, least) = match act {
            ChangeAct::Done | ChangeAct::Failed | ChangeAct::Drop => (theirs && !known.differs(), OPERATIONS),
            ChangeAct::Correct | ChangeAct::SayWayBack => (theirs || self.may(person, &PLANNING), OPERATIONS),
            ChangeAct::DiffersAgain => (self.may(person, &OPERATIONS), PLANNING),
            ChangeAct::Adopt | ChangeAct::HandOn => (false, PLANNING),
            ChangeAct::Revert | ChangeAct::TakeIn | ChangeAct::Dismiss => (false, OPERATIONS),
        };
        if enough { Ok(person) } else { self.require(ask, &least) }
    }

    /// Which service a line is about, and the line without its name: as it is given, as the line begins before a colon, or
    /// the only one that is affected. A name that nobody knows is taken as well and marked so: it is seen and corrected,
    /// where a change of another service than was meant might not be. But names of services are not sealed, and what
    /// stands before a colon may be anything: what does not read like a plain name stays with the words.
    fn service_of(
        &self,
        facts: &Facts,
        given: Option<ServiceName>,
        what: Line,
    ) -> Result<(ServiceName, Line), Refusal> {
        if let Some(service) = given {
            return Ok((service, what));
        }
        let before_colon = what.as_str().split_once(": ").and_then(|(name, rest)| {
            Some((name.trim().to_lowercase().parse::<ServiceName>().ok()?, rest.parse::<Line>().ok()?))
        });
        let known = |name: &ServiceName| self.services.contains(name) || facts.services.contains_key(name);
        let before_colon = match before_colon {
            Some((name, rest)) if known(&name) || is_plain(&name) => return Ok((name, rest)),
            unknown => unknown.map(|(name, _)| name),
        };
        let mut affected = self.services.iter();
        match (affected.next(), affected.next(), before_colon) {
            (Some(only), None, _) => Ok((only.clone(), what)),
            (_, _, Some(service)) => {
                let sentence =
                    format!("Nobody here knows a service “{service}”. If it is one, say so: name it as the service.");
                Err(Refusal::new(Code::UnknownService, sentence).remedy(Remedy::NameService { service }))
            }
            _ => {
                let sentence = "Which service? Name it before a colon: “search: rolled back to v11”.";
                Err(Refusal::new(Code::Invalid, sentence))
            }
        }
    }

    /// Whether so many changes still fit.
    pub(crate) fn has_room_for_changes(&self, changes: u32) -> Result<(), Refusal> {
        if changes <= CHANGES_MAX {
            return Ok(());
        }
        let sentence = format!("There are {CHANGES_MAX} changes here already. Open another incident for what goes on.");
        Err(Refusal::new(Code::TooMany, sentence))
    }

    /// The numbers of further changes that have happened, as many as fit.
    pub(crate) fn numbers_left(&self) -> std::ops::RangeInclusive<u32> {
        self.changes_recorded + 1..=HAPPENED_MAX
    }

    fn new_change(
        &self,
        ask: &Asking<'_>,
        by: PersonId,
        made: Made,
        state: ChangeState,
        happened_at: Option<Time>,
    ) -> Result<NewChange, Refusal> {
        let (service, what) = self.service_of(ask.facts, made.service, made.what)?;
        // Also of what was made while its services were taken for restored, and the gate kept nobody: whoever tells of it here says
        // that it is of this incident, which differs by it from then on, and operations have not seen it. What another system
        // tells says nothing of the kind (`sighting`).
        let hands = self.hands_told(by, &service, happened_at.unwrap_or(ask.now));
        Ok(NewChange {
            change: self.changes_recorded + 1,
            unknown_service: !ask.facts.services.contains_key(&service),
            service,
            what: what.into(),
            why: made.why.map(Into::into),
            how: made.how.map(Into::into),
            back: made.back.map(Into::into),
            made_by: None,
            by,
            state,
            happened_at,
            uncoordinated: hands != Some(Hands::Coordinated),
            through: None,
            seen: None,
        })
    }

    /// Operations, whoever has their permission, and whoever broke the glass.
    pub(crate) fn announce_change(&self, ask: &Asking<'_>, made: Made) -> Result<Decision, Refusal> {
        let by = ask.active_person()?;
        let new = self.new_change(ask, by, made, ChangeState::Announced, None);
        if !self.may_change_services(by, ask.now) {
            // Nobody is asked which service they mean who may change none.
            let service = new.as_ref().map(|new| &new.service).ok().or(self.services.first());
            return Err(self.not_their_hands(ask, service));
        }
        let new = new?;
        self.require_hands(ask, &new.service)?;
        self.has_room_for_changes(new.change)?;
        Ok(Event::ChangeRecorded(Box::new(new)).into())
    }

    /// Whoever tells of a change joins by it, and is heard after closing too. What was made outside operations stays that,
    /// whoever tells of it.
    pub(crate) fn record_change(
        &self,
        ask: &Asking<'_>,
        made: Made,
        happened_at: Option<Time>,
        (made_by, outside): (Option<Who>, bool),
    ) -> Result<Decision, Refusal> {
        let by = ask.active_person()?;
        let made_by = self.maker(ask, by, made_by)?;
        back_dated(happened_at, ask.now)?;
        if self.changes_recorded >= HAPPENED_MAX {
            let sentence =
                format!("There are {HAPPENED_MAX} changes here already. Open another incident and record it there.");
            return Err(Refusal::new(Code::TooMany, sentence));
        }
        let mut new = self.new_change(ask, by, made, ChangeState::Done, happened_at)?;
        if let Some(maker) = made_by {
            let at = happened_at.unwrap_or(ask.now);
            new.uncoordinated = self.is_made_outside(by, maker, &new.service, at);
        }
        new.made_by = made_by;
        new.uncoordinated |= outside;
        let mut events = self.join_unless_here(by);
        events.push(Event::ChangeRecorded(Box::new(new)));
        if self.phase == Phase::Closed {
            // A guest who had command is gone with it, and whose account is not active cannot have it again.
            let can = |last: &PersonId| self.responders.contains_key(last) && ask.facts.active(*last);
            let last = self.last_commander.filter(can);
            let commander = last.unwrap_or(by);
            events.push(Event::SentBack(SentBack { commander, change: self.changes_recorded + 1 }));
        }
        Ok(events.into())
    }

    fn step(
        &self,
        ask: &Asking<'_>,
        (change, act): (u32, ChangeAct),
        Beside { note, evidence, happened_at }: Beside,
    ) -> Result<ChangeStep, Refusal> {
        let (by, known) = self.change_for(ask, change, act)?;
        back_dated(happened_at, ask.now)?;
        known.is_not_before(happened_at)?;
        if let Some(evidence) = evidence.filter(|entry| !self.evidence.contains_key(entry)) {
            let sentence = format!("Entry {evidence} attached no evidence. Attach it first.");
            return Err(Refusal::new(Code::NotThere, sentence));
        }
        Ok(ChangeStep { change, by, note: note.map(Into::into), evidence, happened_at, seen: None })
    }

    pub(crate) fn confirm_change(
        &self,
        ask: &Asking<'_>,
        change: u32,
        outcome: Outcome,
        beside: Beside,
    ) -> Result<Decision, Refusal> {
        let (_, known) = self.change_for(ask, change, outcome.into())?;
        if outcome == Outcome::BrokeOff {
            // Whoever said by now how it went has looked; this says that nobody has.
            known.takes(ChangeAct::Drop)?;
        }
        let step = self.step(ask, (change, outcome.into()), beside)?;
        let mut events = vec![match outcome {
            Outcome::Done => Event::ChangeDone(step),
            Outcome::BrokeOff => Event::ChangeDone(step.broke_off()),
            Outcome::Failed => Event::ChangeFailed(step),
            Outcome::Dropped => Event::ChangeDropped(step),
        }];
        if matches!(outcome, Outcome::Failed | Outcome::Dropped) {
            events.extend(self.left_by(known));
        }
        Ok(self.and_what_was_seen(ask, change, events).into())
    }

    pub(crate) fn revert_change(&self, ask: &Asking<'_>, change: u32, beside: Beside) -> Result<Decision, Refusal> {
        let reverted = Event::ChangeReverted(self.step(ask, (change, ChangeAct::Revert), beside)?);
        Ok(self.and_what_was_seen(ask, change, vec![reverted]).into())
    }

    pub(crate) fn adopt_change(&self, ask: &Asking<'_>, change: u32, reason: Prose) -> Result<Decision, Refusal> {
        Ok(Event::ChangeAdopted(self.step(ask, (change, ChangeAct::Adopt), Beside::note(Some(reason)))?).into())
    }

    pub(crate) fn hand_on_change(&self, ask: &Asking<'_>, change: u32, bug: Line) -> Result<Decision, Refusal> {
        let (by, _) = self.change_for(ask, change, ChangeAct::HandOn)?;
        let bug = bug_link(None, Some(bug))?.ok_or_else(|| Refusal::new(Code::Invalid, "Name the bug by its link."))?;
        Ok(Event::ChangeHandedOn(ChangeHandedOn { change, by, bug }).into())
    }

    pub(crate) fn differs_again(
        &self,
        ask: &Asking<'_>,
        change: u32,
        reason: Option<Prose>,
    ) -> Result<Decision, Refusal> {
        Ok(Event::ChangeDiffersAgain(self.step(ask, (change, ChangeAct::DiffersAgain), Beside::note(reason))?).into())
    }

    pub(crate) fn take_in_change(&self, ask: &Asking<'_>, change: u32) -> Result<Decision, Refusal> {
        Ok(Event::ChangeTakenIn(self.step(ask, (change, ChangeAct::TakeIn), Beside::default())?).into())
    }

    /// What was seen of it is sorted by that as well. What was only announced over broken glass was not made by that word, and
    /// leaves what a cluster let through as one that was dropped does.
    pub(crate) fn dismiss_change(
        &self,
        ask: &Asking<'_>,
        change: u32,
        reason: Option<Prose>,
    ) -> Result<Decision, Refusal> {
        let (_, known) = self.change_for(ask, change, ChangeAct::Dismiss)?;
        let left = if known.is_announced() { self.left_by(known) } else { Vec::new() };
        let dismissed = Event::ChangeDismissed(self.step(ask, (change, ChangeAct::Dismiss), Beside::note(reason))?);
        Ok(std::iter::once(dismissed).chain(left).collect::<Vec<_>>().into())
    }

    pub(crate) fn correct_change(
        &self,
        ask: &Asking<'_>,
        change: u32,
        service: Option<ServiceName>,
        words: Reworded,
        replaces: Entry,
    ) -> Result<Decision, Refusal> {
        let (_, known) = self.change_for(ask, change, ChangeAct::Correct)?;
        let service = service.unwrap_or_else(|| known.service.clone());
        let what = match (words.what, known.what.words()) {
            (Some(what), _) => what.into(),
            // Each entry is read with its own words alone.
            (None, Some(words)) => Text::said(words),
            (None, None) => {
                let sentence = format!("The words of change {change} were redacted. Say anew what was done.");
                return Err(Refusal::new(Code::Invalid, sentence));
            }
        };
        let (why, how) = (words.why.map(Text::from), words.how.map(Text::from));
        let same = |new: &Option<Text>, old: &Option<Text>| {
            new.as_ref().is_none_or(|new| old.as_ref().and_then(Text::words) == new.words())
        };
        let says_so = what.words() == known.what.words() && same(&why, &known.why) && same(&how, &known.how);
        if service == known.service && says_so {
            return Err(Refusal::new(Code::AlreadySo, format!("Change {change} says that already.")));
        }
        known.said.words_were_read(ask, &format!("change {change}"), &known.what, replaces)?;
        let unknown_service = !ask.facts.services.contains_key(&service);
        let corrected = Event::ChangeCorrected(ChangeCorrected { change, service, unknown_service, what, why, how });
        Ok(self.and_what_was_seen(ask, change, vec![corrected]).into())
    }

    pub(crate) fn say_way_back(
        &self,
        ask: &Asking<'_>,
        change: u32,
        back: Option<Prose>,
        replaces: Option<Entry>,
    ) -> Result<Decision, Refusal> {
        let (_, known) = self.change_for(ask, change, ChangeAct::SayWayBack)?;
        if known.back.as_ref().and_then(crate::text::Text::words) == back.as_ref().map(Prose::as_str) {
            return Err(Refusal::new(Code::AlreadySo, format!("Change {change} has this way back already.")));
        }
        known.said.way_back_was_read(ask, &format!("change {change}"), known.back.as_ref(), replaces)?;
        Ok(Event::WayBackSaid(WayBack { change, back: back.map(Into::into) }).into())
    }
}

/// Whether a name is one that somebody would give a service, and no key, token or password: letters and what parts them.
fn is_plain(name: &ServiceName) -> bool {
    let name = name.as_str();
    name.len() <= PLAIN_MAX && name.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '_' | '.' | '/'))
}

impl Beside {
    fn note(note: Option<Prose>) -> Self {
        Self { note, ..Self::default() }
    }
}

impl Change {
    /// Nothing comes of a change before it was made, or announced.
    fn is_not_before(&self, at: Option<Time>) -> Result<(), Refusal> {
        let (since, was) = match self.done_at {
            Some(done_at) => (done_at, "done"),
            None => (self.at, "announced"),
        };
        let Some(at) = at.filter(|at| *at < since) else { return Ok(()) };
        let (change, since) = (self.id, since.strftime("%Y-%m-%d %H:%M:%S UTC"));
        let sentence = format!(
            "{at} is too early: change {change} was {was} at {since}. Name a later time, or none if it was just now."
        );
        Err(Refusal::new(Code::Invalid, sentence))
    }

    /// Whether this can be said of it as it stands.
    ///
    /// # Errors
    /// [`Code::AlreadySo`], with how it stands; [`Code::Unfinished`] while operations have to sort it.
    fn takes(&self, act: ChangeAct) -> Result<(), Refusal> {
        use ChangeState::{Adopted, Announced, Dismissed, Done, Dropped, Failed, HandedOn, Reverted};
        let state = self.stands.state;
        let fits = match act {
            // What was taken for failed or dropped may turn out to be done, and what was taken for done to have failed.
            ChangeAct::Done => matches!(state, Announced | Failed | Dropped),
            ChangeAct::Failed => matches!(state, Announced | Done),
            ChangeAct::Drop => state == Announced,
            ChangeAct::Correct | ChangeAct::SayWayBack => true,
            ChangeAct::Revert => matches!(state, Done | Adopted | HandedOn),
            ChangeAct::Adopt => matches!(state, Done | HandedOn) && !self.is_unsorted(),
            ChangeAct::HandOn => state == Done && !self.is_unsorted(),
            ChangeAct::DiffersAgain => matches!(state, Reverted | Adopted | HandedOn | Dismissed),
            ChangeAct::TakeIn | ChangeAct::Dismiss => self.is_unsorted(),
        };
        if fits {
            return Ok(());
        }
        let number = self.id;
        if matches!(act, ChangeAct::Adopt | ChangeAct::HandOn) && self.is_unsorted() {
            let sentence =
                format!("Change {number} is uncoordinated. Operations sort it first: they take it in, or not.");
            return Err(Refusal::new(Code::Unfinished, sentence));
        }
        let sentence = match act {
            ChangeAct::TakeIn | ChangeAct::Dismiss if self.coordination == Coordination::ByOperations => {
                format!("Change {number} is one of operations: there is nothing to sort.")
            }
            ChangeAct::TakeIn | ChangeAct::Dismiss => format!("Change {number} is sorted already."),
            ChangeAct::Revert | ChangeAct::Adopt | ChangeAct::HandOn if state == Announced => {
                format!("Change {number} is only announced. Say first whether it was done.")
            }
            ChangeAct::DiffersAgain => format!("Change {number} is {}: say how it went instead.", state.word()),
            _ => format!("Change {number} is {} already.", state.word()),
        };
        Err(Refusal::new(Code::AlreadySo, sentence))
    }
}

//! Deciding: what holds for every command, and the dispatch to the nouns.

use super::{Asking, Decision, Incident, Phase};
use crate::change::{Beside, Made, Outcome, Reworded};
use crate::command::{Command, Tick};
use crate::event::Event;
use crate::id::Time;
use crate::refusal::{Code, Refusal, Remedy};

impl Incident {
    /// Decides a person's command. `Ok` is never empty.
    ///
    /// # Errors
    /// A [`Refusal`] that says who could, and what to do instead. Nothing is recorded then.
    pub fn decide(&self, ask: &Asking<'_>, command: Command) -> Result<Decision, Refusal> {
        let ask = &self.at_least_last(ask);
        // Who comes by an invite is not known yet: the link itself says that they may. And what asked for somebody at the gate
        // speaks in their name: neither need they be let, nor have they come back by it.
        if matches!(command, Command::Arrive(_) | Command::EndPassing(_)) {
            self.writable()?;
            return self.dispatch(ask, command);
        }
        self.visible_to_asker(ask)?;
        self.writable()?;
        self.phase_allows(&command)?;
        self.guests_may(ask, &command)?;
        self.example_allows(&command)?;
        let decided = self.dispatch(ask, command).map_err(|refusal| self.for_guests(ask, refusal))?;
        let mut decision = self.with_mark(ask, self.with_accounts(ask.facts, decided));
        if let Some(person) = self.returns(ask) {
            decision.here.insert(0, Event::CommanderReturned { person });
        }
        Ok(decision)
    }

    /// Decides what the clock has to say. `Ok` is never empty.
    ///
    /// # Errors
    /// [`Code::AlreadySo`] when there is nothing to record.
    pub fn tick(&self, ask: &Asking<'_>, tick: Tick) -> Result<Decision, Refusal> {
        let ask = &self.at_least_last(ask);
        self.writable()?;
        let events = match tick {
            Tick::Deadlines => self.pass_deadlines(ask),
            Tick::Unseen { person, since } => self.mark_absent(ask, person, since),
            Tick::Seen { person } => self.mark_returned(person),
            Tick::WasDown { from, to } => self.forgive_outage(ask, from, to),
        };
        if events.is_empty() {
            return Err(Refusal::new(Code::AlreadySo, "There is nothing to record."));
        }
        Ok(self.with_accounts(ask.facts, events.into()))
    }

    /// `now` never runs behind the incident's last event, whatever a node's clock says.
    pub(crate) fn at_least_last<'a>(&self, ask: &Asking<'a>) -> Asking<'a> {
        Asking { now: self.not_before_last(ask.now), ..*ask }
    }

    /// The time by which this goes, where a node's clock may be behind the one that wrote its last event.
    pub(crate) fn not_before_last(&self, now: Time) -> Time {
        now.max(self.last_at)
    }

    pub(crate) fn writable(&self) -> Result<(), Refusal> {
        match &self.unreadable {
            None => Ok(()),
            Some(why) => Err(Refusal::new(
                Code::ReadOnly,
                format!("Incident {} can be read but not changed here: {why}.", self.number),
            )),
        }
    }

    /// Whether it is open, and can be changed on this node.
    pub(crate) fn takes_changes(&self) -> bool {
        self.phase.is_open() && self.unreadable.is_none()
    }

    /// After closing only reopening, looking back, a late record of a change and redacting are left; after a merge only redacting.
    fn phase_allows(&self, command: &Command) -> Result<(), Refusal> {
        let redaction = matches!(command, Command::Redact { .. });
        let looking_back = matches!(
            command,
            Command::Join {}
                | Command::Note { .. }
                | Command::RecordChange { .. }
                | Command::CorrectNote { .. }
                | Command::PinNote { .. }
                | Command::UnpinNote { .. }
                | Command::Reopen { .. }
                | Command::Restrict {}
                | Command::Invite { .. }
        );
        if redaction || (looking_back && self.phase == Phase::Closed) {
            return Ok(());
        }
        // What turns out to have been done after all is told as any other late record is.
        let done_after_all =
            matches!(command, Command::ConfirmChange { outcome: Outcome::Done, .. } | Command::DiffersAgain { .. });
        self.still_goes_on().map_err(|refusal| match self.phase {
            Phase::Closed if done_after_all => {
                let number = self.number;
                let sentence = format!(
                    "Incident {number} is closed. Record the change anew: that has it open again, as resolved."
                );
                Refusal { sentence, remedy: Some(Remedy::RecordChange), ..refusal }
            }
            _ => refusal,
        })
    }

    /// Nothing is changed any more after closing, and after a merge.
    pub(crate) fn still_goes_on(&self) -> Result<(), Refusal> {
        match self.phase {
            Phase::Merged => {
                let into = self.merged_into.unwrap_or(self.number);
                Err(Refusal::new(Code::WrongPhase, format!("Incident {} goes on as {into}. Go there.", self.number))
                    .remedy(Remedy::See { incident: into }))
            }
            Phase::Closed => Err(Refusal::new(
                Code::WrongPhase,
                format!("Incident {} is closed. Whoever reopens it takes command.", self.number),
            )
            .remedy(Remedy::Reopen)),
            _ => Ok(()),
        }
    }

    #[rustfmt::skip] // One line per command reads as the table that it is.
    fn dispatch(&self, ask: &Asking<'_>, command: Command) -> Result<Decision, Refusal> {
        match command {
            Command::Join {} => self.join(ask),
            Command::Leave {} => self.leave(ask),
            Command::Doing { text } => self.set_doing(ask, text),
            Command::Declare {} => self.declare(ask),
            Command::SetPhase { phase, reason } => self.set_phase(ask, phase, reason),
            Command::Reopen { reason } => self.reopen(ask, reason),
            Command::SetSeverity { severity, reason } => self.set_severity(ask, severity, reason),
            Command::SetKind { kind, reason } => self.set_kind(ask, kind, reason),
            Command::SetTitle { title } => self.set_title(ask, title),
            Command::SetServices { services } => self.set_services(ask, services),
            Command::SetBegan { began } => self.set_began(ask, began),
            Command::AddPost { label, link } => self.add_post(ask, label, link),
            Command::RemovePost { post } => self.remove_post(ask, post),
            Command::Restrict {} => self.restrict(ask),
            Command::Unrestrict {} => self.unrestrict(ask),
            Command::Invite { person } => self.invite(ask, &person),
            Command::Uninvite { person } => self.uninvite(ask, &person),
            Command::MakeInvite { invite, digest, hours } => self.make_invite(ask, invite, digest, hours),
            Command::RevokeInvite { invite } => self.revoke_invite(ask, invite),
            Command::Arrive(arrival) => self.arrive(ask, arrival),
            Command::SendAway { person, reason } => self.send_away(ask, &person, reason),
            Command::OpenRole { role } => self.open_role(ask, role),
            Command::CloseRole { role } => self.close_role(ask, role),
            Command::OfferRole { role, to, note } => self.offer_role(ask, role, to, note),
            Command::WithdrawOffer { role, reason } => self.withdraw_offer(ask, role, reason),
            Command::DeclineOffer { role, reason } => self.decline_offer(ask, role, reason),
            Command::TakeRole { role, briefed } => self.take_role(ask, role, briefed),
            Command::ReleaseRole { role } => self.release_role(ask, role),
            Command::TakeBackRole { role } => self.take_back_role(ask, role),
            Command::AskRole { role, note } => self.ask_role(ask, role, note),
            Command::DeclineAsk { role, person, reason } => self.decline_ask(ask, role, &person, reason),
            Command::TakeBackAsk { role } => self.take_back_ask(ask, role),
            Command::AddMember { role, person } => self.add_member(ask, role, &person),
            Command::ReleaseMember { role, person } => self.release_member(ask, role, &person),
            Command::AssumeCommand { grounds, reason } => self.assume_command(ask, grounds, reason),
            Command::ConfirmAssumption {} => self.confirm_assumption(ask),
            Command::DropAssumption {} => self.drop_assumption(ask),
            Command::Note { text, happened_at, pin } => self.note(ask, text, happened_at, pin),
            Command::PinNote { entry } => self.pin_note(ask, entry),
            Command::UnpinNote { entry } => self.unpin_note(ask, entry),
            Command::CorrectNote { entry, text } => self.correct_note(ask, entry, text),
            Command::Redact { entry, reason } => self.redact(ask, entry, reason),
            Command::RaiseRoadblock { text, role } => self.raise_roadblock(ask, text, role),
            Command::ClearRoadblock { roadblock, how } => self.clear_roadblock(ask, roadblock, how),
            Command::AddCriterion { text } => self.add_criterion(ask, text),
            Command::RewordCriterion { criterion, text, replaces } => self.reword_criterion(ask, criterion, text, replaces),
            Command::AssignCriterion { criterion, person, replaces } => self.assign_criterion(ask, criterion, person, replaces),
            Command::MeetCriterion { criterion } => self.meet_criterion(ask, criterion),
            Command::ReopenCriterion { criterion, reason } => self.reopen_criterion(ask, criterion, reason),
            Command::WaiveCriterion { criterion, reason } => self.waive_criterion(ask, criterion, reason),
            Command::LinkCriterion { criterion, bug, replaces } => self.link_criterion(ask, criterion, bug, replaces),
            Command::AddTodo { text, person, bug } => self.add_todo(ask, text, person, bug),
            Command::RewordTodo { todo, text, replaces } => self.reword_todo(ask, todo, text, replaces),
            Command::AssignTodo { todo, person, replaces } => self.assign_todo(ask, todo, person, replaces),
            Command::FinishTodo { todo } => self.finish_todo(ask, todo),
            Command::ReopenTodo { todo } => self.reopen_todo(ask, todo),
            Command::LinkTodo { todo, bug, replaces } => self.link_todo(ask, todo, bug, replaces),
            Command::AnnounceChange { service, what, why, how, back } => self.announce_change(ask, Made { service, what, why, how, back }),
            Command::RecordChange { service, what, why, how, back, happened_at, made_by, outside } => self.record_change(ask, Made { service, what, why, how, back }, happened_at, (made_by, outside)),
            Command::ConfirmChange { change, outcome, note, evidence, happened_at } => self.confirm_change(ask, change, outcome, Beside { note, evidence, happened_at }),
            Command::CorrectChange { change, service, what, why, how, replaces } => self.correct_change(ask, change, service, Reworded { what, why, how }, replaces),
            Command::SayWayBack { change, back, replaces } => self.say_way_back(ask, change, back, replaces),
            Command::RevertChange { change, note, evidence, happened_at } => self.revert_change(ask, change, Beside { note, evidence, happened_at }),
            Command::AdoptChange { change, reason } => self.adopt_change(ask, change, reason),
            Command::HandOnChange { change, bug } => self.hand_on_change(ask, change, bug),
            Command::DiffersAgain { change, reason } => self.differs_again(ask, change, reason),
            Command::TakeInChange { change } => self.take_in_change(ask, change),
            Command::DismissChange { change, reason } => self.dismiss_change(ask, change, reason),
            Command::TakeInSighting { sighting } => self.take_in_sighting(ask, sighting),
            Command::DismissSighting { sighting, reason } => self.dismiss_sighting(ask, sighting, reason),
            Command::DismissSightings { sightings, reason } => self.dismiss_sightings(ask, &sightings, reason),
            Command::AskIn { sighting } => self.ask_in(ask, sighting),
            Command::AskPermission { services, what } => self.ask_permission(ask, services, what),
            Command::GrantPermission { person, services, minutes } => self.grant_permission(ask, &person, services, minutes),
            Command::DeclinePermission { person, reason } => self.decline_permission(ask, &person, reason),
            Command::EndPermission { permission } => self.end_permission(ask, permission),
            Command::BreakGlass { services, reason } => self.break_glass(ask, services, reason),
            Command::PassGate(passing) => self.pass_gate(ask, passing),
            Command::EndPassing(ending) => self.end_passing(ask, &ending),
            Command::StillTrue { parts, version } => self.still_true(ask, parts, version),
            Command::Attach(piece) => self.attach(ask, piece),
            Command::SetClock { label, in_minutes, repeat } => self.set_clock(ask, label, in_minutes, repeat),
            Command::StopClock { clock } => self.stop_clock(ask, clock),
            Command::Merge { into } => self.merge(ask, into),
        }
    }
}

//! The incident: its state, its life from opening to closing, and the dispatch to the nouns.
//!
//! [`Incident::decide`] is pure and may refuse; [`Incident::evolve`] is pure and total, because history
//! cannot be refused. The state holds what deciding needs and no more: no notes, no past tenures.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::absence::Absence;
pub use crate::asking::{Asking, Decision};
use crate::command::{Command, Tick};
use crate::deadline::Clock;
use crate::event::{Event, Recorded, Unreadable};
use crate::example::Example;
use crate::guest::Invite;
use crate::id::{Entry, InviteId, Number, PersonId, ServiceName, Time};
pub use crate::life::open;
use crate::offer::Offer;
use crate::refusal::{Code, Refusal, Remedy};
use crate::responder::Responder;
use crate::roadblock::Roadblock;
use crate::role::{Role, RolePath};
use crate::text::Text;

/// What sort of managed event this is. `drill` is fixed at birth; only planned → incident is allowed.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Kind {
    /// Something broke.
    #[default]
    Incident,
    /// An operation run under the same framework.
    Planned,
    /// Practice.
    Drill,
}

/// How far the incident is.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Phase {
    /// Not declared: someone is looking, the clock runs.
    Investigating,
    /// Declared.
    Active,
    /// The bleeding stopped.
    Mitigated,
    /// Service is restored.
    Resolved,
    /// Nothing differs from normal any more.
    Closed,
    /// Absorbed by another incident.
    Merged,
}

/// How bad it is; 1 is the worst.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Severity {
    /// Everybody is affected.
    Sev1,
    /// The default: declare early, lower it when you know.
    #[default]
    Sev2,
    /// Some are affected.
    Sev3,
    /// Hardly anybody is affected.
    Sev4,
}

/// Where to find the commander: the chat channel, a room, a call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Post {
    /// Its number in this incident, counted from 1.
    pub id: u32,
    /// What it is called.
    pub label: Text,
    /// Where it is, as an https, http, tel or mailto link.
    pub link: Option<Text>,
}

/// Everything that deciding about one incident needs, folded from its events.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Incident {
    /// What people call it by.
    pub number: Number,
    /// One line.
    pub title: Text,
    /// Incident, planned or drill.
    pub kind: Kind,
    /// How far it is.
    pub phase: Phase,
    /// How bad it is.
    pub severity: Severity,
    /// What is affected.
    pub services: BTreeSet<ServiceName>,
    /// Those of the affected that the directory did not know.
    pub unknown_services: BTreeSet<ServiceName>,
    /// When impact began, if somebody said so.
    pub began: Option<Time>,
    /// When it was opened.
    pub opened_at: Time,
    /// When it was declared.
    pub declared_at: Option<Time>,
    /// When the current phase was entered.
    pub phase_since: Time,
    /// Command posts.
    pub posts: Vec<Post>,
    /// Whether only the invited may know of it.
    pub restricted: bool,
    /// Who may know of a restricted incident.
    pub invited: BTreeSet<PersonId>,
    /// Who joined and has not left.
    pub responders: BTreeMap<PersonId, Responder>,
    /// Guests who are in it, and until when.
    #[serde(default)]
    pub guests: BTreeMap<PersonId, Time>,
    /// Links that let guests in.
    #[serde(default)]
    pub invites: BTreeMap<InviteId, Invite>,
    /// Who plays it for whom, if it is the example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<Example>,
    /// The command tree; `command` is its root.
    pub roles: BTreeMap<RolePath, Role>,
    /// At most one pending offer per role.
    pub offers: BTreeMap<RolePath, Offer>,
    /// Who asks for which role.
    pub asks: BTreeMap<RolePath, BTreeMap<PersonId, Entry>>,
    /// How many roadblocks were ever raised here; the next one gets the next number.
    pub roadblocks_raised: u32,
    /// How many command posts were ever added here.
    pub posts_added: u32,
    /// What stops somebody, until it is cleared.
    pub roadblocks: Vec<Roadblock>,
    /// The commander's clocks.
    pub clocks: Vec<Clock>,
    /// Whether the commander is gone, and who proposes to assume command.
    pub absence: Absence,
    /// Who held command when it was closed or merged.
    pub last_commander: Option<PersonId>,
    /// Into which incident it was merged.
    pub merged_into: Option<Number>,
    /// The entries of the closed list of what matters (rule 4), in order.
    pub matters: Vec<Entry>,
    /// Pinned notes.
    pub pinned: BTreeSet<Entry>,
    /// The newest entry folded in.
    pub last_entry: Entry,
    /// When it was recorded. `now` never runs behind it.
    pub last_at: Time,
    /// The first event that this Wardroom cannot read: from there on the incident is read-only here.
    pub unreadable: Option<String>,
}

/// Version of the fold: raise it whenever the state or its meaning changes, and old snapshots are ignored.
pub const FOLD_VERSION: u32 = 4;

impl Phase {
    /// Whether the incident still has a commander or a lead: from opening to closing.
    #[must_use]
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Closed | Self::Merged)
    }

    /// The phase as people say it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Investigating => "not declared",
            Self::Active => "active",
            Self::Mitigated => "mitigated",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
            Self::Merged => "merged",
        }
    }
}

impl Incident {
    /// Decides a person's command. `Ok` is never empty.
    ///
    /// # Errors
    /// A [`Refusal`] that says who could, and what to do instead. Nothing is recorded then.
    pub fn decide(&self, ask: &Asking<'_>, command: Command) -> Result<Decision, Refusal> {
        let ask = &self.at_least_last(ask);
        // Who comes by an invite is not known yet: the link itself says that they may.
        if let Command::Arrive(arrival) = command {
            self.writable()?;
            return self.arrive(ask, arrival);
        }
        self.visible_to_asker(ask)?;
        self.writable()?;
        self.phase_allows(&command)?;
        self.guests_may(ask, &command)?;
        self.example_allows(&command)?;
        let decided = self.dispatch(ask, command).map_err(|refusal| self.for_guests(ask, refusal))?;
        let mut decision = self.with_accounts(ask.facts, decided);
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
        Asking { now: ask.now.max(self.last_at), ..*ask }
    }

    fn writable(&self) -> Result<(), Refusal> {
        match &self.unreadable {
            None => Ok(()),
            Some(why) => Err(Refusal::new(
                Code::ReadOnly,
                format!("Incident {} can be read but not changed here: {why}.", self.number),
            )),
        }
    }

    /// After closing only reopening, looking back and redacting are left; after a merge only redacting.
    fn phase_allows(&self, command: &Command) -> Result<(), Refusal> {
        let redaction = matches!(command, Command::Redact { .. });
        let looking_back = matches!(
            command,
            Command::Join {}
                | Command::Note { .. }
                | Command::CorrectNote { .. }
                | Command::PinNote { .. }
                | Command::UnpinNote { .. }
                | Command::Reopen { .. }
                | Command::Restrict {}
                | Command::Invite { .. }
        );
        match self.phase {
            Phase::Merged if !redaction => {
                let into = self.merged_into.unwrap_or(self.number);
                Err(Refusal::new(Code::WrongPhase, format!("Incident {} goes on as {into}. Go there.", self.number))
                    .remedy(Remedy::See { incident: into }))
            }
            Phase::Closed if !redaction && !looking_back => Err(Refusal::new(
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
            Command::SetClock { label, in_minutes, repeat } => self.set_clock(ask, label, in_minutes, repeat),
            Command::StopClock { clock } => self.stop_clock(ask, clock),
            Command::Merge { into } => self.merge(ask, into),
        }
    }

    /// Folds the stored events of one incident, from the first on; `None` for no events.
    #[must_use]
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a Recorded>) -> Option<Self> {
        let mut events = events.into_iter();
        let mut incident = Self::begin(events.next()?)?;
        events.for_each(|recorded| incident.evolve(recorded));
        Some(incident)
    }

    /// The state after the first event; `None` if that is not an opening.
    #[must_use]
    pub fn begin(first: &Recorded) -> Option<Self> {
        let Event::Opened { number, title, kind, phase, severity, services, unknown_services, began, restricted, by } =
            &first.event
        else {
            return None;
        };
        let mut incident = Self {
            number: *number,
            title: title.clone(),
            kind: *kind,
            phase: *phase,
            severity: *severity,
            services: services.clone(),
            unknown_services: unknown_services.clone(),
            began: *began,
            opened_at: first.at,
            declared_at: (*phase != Phase::Investigating).then_some(first.at),
            phase_since: first.at,
            posts: Vec::new(),
            restricted: *restricted,
            invited: BTreeSet::from([*by]),
            responders: BTreeMap::from([(
                *by,
                Responder { last_acted: Some(first.entry), ..Responder::new(first.at) },
            )]),
            guests: BTreeMap::new(),
            invites: BTreeMap::new(),
            example: None,
            roles: crate::role::standard_roles(),
            offers: BTreeMap::new(),
            asks: BTreeMap::new(),
            roadblocks_raised: 0,
            posts_added: 0,
            roadblocks: Vec::new(),
            clocks: Vec::new(),
            absence: Absence::default(),
            last_commander: None,
            merged_into: None,
            matters: vec![first.entry],
            pinned: BTreeSet::new(),
            last_entry: first.entry,
            last_at: first.at,
            unreadable: None,
        };
        incident.hold(&RolePath::command(), *by, first);
        Some(incident)
    }

    /// Folds one more event in. Total: whatever stands in the log has happened.
    pub fn evolve(&mut self, recorded: &Recorded) {
        if recorded.event.matters() {
            self.matters.push(recorded.entry);
        }
        self.evolve_life(recorded);
        self.evolve_guests(recorded);
        self.evolve_example(recorded);
        self.evolve_restriction(&recorded.event);
        self.evolve_responders(recorded);
        self.evolve_roles(recorded);
        self.evolve_offers(recorded);
        self.evolve_absence(recorded);
        self.evolve_timeline(recorded);
        self.evolve_roadblocks(recorded);
        self.evolve_clocks(recorded);
        self.evolve_merge(recorded);
        self.last_entry = recorded.entry;
        self.last_at = self.last_at.max(recorded.at);
    }

    /// Notes that an event could not be read: the incident goes on being shown, and is read-only here.
    pub fn evolve_unreadable(&mut self, entry: Entry, at: Time, why: &Unreadable) {
        self.unreadable.get_or_insert_with(|| format!("entry {entry}: {why}"));
        self.last_entry = entry;
        self.last_at = self.last_at.max(at);
    }
}

//! When the commander is gone, or here and unfit: absence, and assuming command (rule 6).
//!
//! Presence itself is volatile and lives outside; only "absent" and "returned" are events. Seen means human
//! activity on any surface. A commander whose account is deactivated counts as absent at once.

use jiff::{SignedDuration, ToSpan};
use serde::{Deserialize, Serialize};

use crate::event::{Event, Recorded};
use crate::facts::Facts;
use crate::id::{Entry, PersonId, Time};
use crate::incident::{Asking, Decision, Incident, Severity};
use crate::next::Next;
use crate::offer::LAPSES_AFTER_MINUTES;
use crate::refusal::{Code, Refusal, Remedy};
use crate::role::RolePath;
use crate::text::{Prose, Text};

/// Why command is assumed.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Grounds {
    /// The commander has not been seen.
    Unseen,
    /// The commander is here and should not command now.
    Unfit,
}

/// How a proposal to assume command ended without command changing hands.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The commander was seen again.
    Returned,
    /// Nobody confirmed in time.
    Lapsed,
    /// The proposer took it back.
    Dropped,
    /// Command changed hands otherwise, or a proposal that reaches further took its place.
    Overtaken,
}

/// The commander's absence, and the proposal to assume command, if there is one.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Absence {
    /// Since when the commander has not been seen, once that was recorded.
    pub unseen_since: Option<Time>,
    /// Who proposes to assume command and waits for a second person.
    pub proposal: Option<Proposal>,
}

/// A proposal to assume command that needs a second person's confirmation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Proposal {
    /// The entry that made it.
    pub id: Entry,
    /// Who would take command.
    pub by: PersonId,
    /// Why it is proposed.
    pub grounds: Grounds,
    /// In the proposer's words.
    pub reason: Text,
    /// From then on it cannot be confirmed, recorded or not.
    pub lapses_at: Time,
}

/// Unseen for this long, the commander is asked "Still with us?" and two responders may act.
#[must_use]
pub fn absent_after(severity: Severity) -> SignedDuration {
    let minutes = if severity <= Severity::Sev2 { 5 } else { 15 };
    SignedDuration::from_mins(minutes)
}

/// Unseen for this long, one responder may act alone.
pub const ALONE_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// What assuming command takes now.
enum Way {
    /// A reason is enough.
    Alone,
    /// A second person has to confirm.
    Confirmed,
}

impl Incident {
    /// The clock says since when nobody has seen the commander. One whose account was deactivated is absent at once.
    pub(crate) fn mark_absent(&self, ask: &Asking<'_>, person: PersonId, since: Time) -> Vec<Event> {
        let tenure = self.roles.get(&RolePath::command()).and_then(|role| role.holder);
        let Some(tenure) = tenure.filter(|tenure| tenure.person == person) else { return Vec::new() };
        // Taking command is being seen, whatever a node still believes.
        let since = since.max(tenure.since);
        if self.absence.unseen_since.is_some() {
            return Vec::new();
        }
        let deactivated = !ask.facts.active(person);
        if deactivated || ask.now.duration_since(since) >= absent_after(self.severity) {
            return vec![Event::CommanderAbsent { person, unseen_since: since, deactivated }];
        }
        Vec::new()
    }

    pub(crate) fn mark_returned(&self, person: PersonId) -> Vec<Event> {
        let commands = self.holder(&RolePath::command()) == Some(person);
        if commands && self.absence.unseen_since.is_some() {
            return vec![Event::CommanderReturned { person }];
        }
        Vec::new()
    }

    /// An absent commander who acts here has returned by it.
    pub(crate) fn returns(&self, ask: &Asking<'_>) -> Option<PersonId> {
        let person = ask.actor.person()?;
        (!self.mark_returned(person).is_empty()).then_some(person)
    }

    pub(crate) fn assume_command(
        &self,
        ask: &Asking<'_>,
        grounds: Grounds,
        reason: Prose,
    ) -> Result<Decision, Refusal> {
        let by = self.responder_or_admin(ask, grounds)?;
        let from = self.commander();
        if by == from {
            return Err(Refusal::new(Code::AlreadySo, "You are in command already."));
        }
        let way = self.way_to_assume(ask.facts, ask.now, grounds)?;
        if let Some(proposal) = self.standing_proposal(ask.facts, ask.now)
            && matches!(way, Way::Confirmed)
            && self.weight(ask.facts, proposal.by, proposal.grounds) >= self.weight(ask.facts, by, grounds)
        {
            return Err(self.proposed_already(ask, proposal, by));
        }
        let mut events = self.overtake_proposal(ask.now);
        match way {
            Way::Confirmed => events.push(Event::AssumptionProposed {
                by,
                grounds,
                reason: reason.into(),
                lapses_at: ask.now + LAPSES_AFTER_MINUTES.minutes(),
            }),
            Way::Alone => events.extend(self.assumed(ask, by, grounds, Some(reason.into()), None)),
        }
        Ok(events.into())
    }

    fn proposed_already(&self, ask: &Asking<'_>, proposal: &Proposal, by: PersonId) -> Refusal {
        let name = ask.facts.name(proposal.by);
        let already = |help: &str| {
            Refusal::new(Code::AlreadySo, format!("{name} proposes to assume command already. {help}"))
                .who_could(vec![proposal.by])
        };
        if by == proposal.by {
            return Refusal::new(Code::AlreadySo, "You propose this already. Somebody else has to confirm it.")
                .who_could(self.could_confirm(ask.facts, proposal));
        }
        if self.confirms(ask.facts, proposal, by) {
            return already("Confirm that, or wait until it lapses.").remedy(Remedy::Confirm);
        }
        already("Others can confirm that; otherwise it lapses.")
    }

    /// How far a proposal reaches with its proposer's own word. One that reaches further takes the place of one that
    /// does not, so that nobody holds up those whom the rule entitles by proposing first.
    fn weight(&self, facts: &Facts, by: PersonId, grounds: Grounds) -> u8 {
        match grounds {
            Grounds::Unseen => 2, // Any responder may confirm it.
            Grounds::Unfit => u8::from(self.holds_another_role(by) || facts.admin(by)),
        }
    }

    fn holds_another_role(&self, person: PersonId) -> bool {
        self.roles.keys().any(|role| !role.is_command() && self.holder(role) == Some(person))
    }

    /// Any responder may propose; an admin may for an unfit commander without having joined,
    /// because there it takes a responder as well.
    fn responder_or_admin(&self, ask: &Asking<'_>, grounds: Grounds) -> Result<PersonId, Refusal> {
        let person = ask.active_person()?;
        if grounds == Grounds::Unfit && ask.facts.admin(person) && ask.facts.active(self.commander()) {
            return Ok(person);
        }
        self.require(ask, &crate::authority::Act::Respond)
    }

    fn way_to_assume(&self, facts: &Facts, now: Time, grounds: Grounds) -> Result<Way, Refusal> {
        let commander = self.commander();
        if !facts.active(commander) {
            return Ok(Way::Alone);
        }
        if grounds == Grounds::Unfit {
            return Ok(Way::Confirmed);
        }
        let name = facts.name(commander);
        let Some(since) = self.absence.unseen_since else {
            return Err(Refusal::new(
                Code::CommanderIsHere,
                format!(
                    "{name} was seen within the last minutes. Ask for command; or, if {name} cannot go on, say “unfit”."
                ),
            )
            .who_could(vec![commander])
            .remedy(Remedy::Ask { role: RolePath::command() }));
        };
        let unseen = now.duration_since(since);
        if unseen >= ALONE_AFTER {
            return Ok(Way::Alone);
        }
        // Raising the bar afterwards counts too: a severity lowered meanwhile makes 15 minutes of the 5.
        if unseen >= absent_after(self.severity) {
            return Ok(Way::Confirmed);
        }
        let sentence = format!("{name} has not been away for long enough yet. Ask for command, or wait.");
        Err(Refusal::new(Code::CommanderIsHere, sentence)
            .who_could(vec![commander])
            .remedy(Remedy::Ask { role: RolePath::command() }))
    }

    pub(crate) fn confirm_assumption(&self, ask: &Asking<'_>) -> Result<Decision, Refusal> {
        let person = ask.active_person()?;
        let Some(proposal) = self.pending_proposal(ask.now) else {
            return Err(Refusal::new(Code::NotThere, "Nobody proposes to assume command.").remedy(Remedy::Assume));
        };
        if person == proposal.by || person == self.commander() {
            return Err(Refusal::new(Code::NeedsAnother, "Somebody else than the two of you has to confirm this.")
                .who_could(self.could_confirm(ask.facts, proposal)));
        }
        if !ask.facts.active(proposal.by) {
            let sentence = "The account of whoever proposed this is not active any more. Propose it yourself.";
            return Err(Refusal::new(Code::Inactive, sentence).remedy(Remedy::Assume));
        }
        if !self.confirms(ask.facts, proposal, person) {
            // Joining helps where any responder may confirm, and nobody who is here already.
            let any_responder = proposal.grounds == Grounds::Unseen || ask.facts.admin(proposal.by);
            let remedy = if any_responder { Remedy::Join } else { Remedy::AskAdmin };
            let sentence = match proposal.grounds {
                Grounds::Unseen => "A second responder confirms this. Say “I'm here” first.",
                Grounds::Unfit => {
                    "For a commander who is here it takes two other holders of roles, or an admin and a responder."
                }
            };
            return Err(Refusal::new(Code::NotYours, sentence)
                .who_could(self.could_confirm(ask.facts, proposal))
                .remedy(remedy));
        }
        Ok(self.assumed(ask, proposal.by, proposal.grounds, None, Some((proposal.id, person))).into())
    }

    /// Whether this person's word is the second one that the rule asks for.
    fn confirms(&self, facts: &Facts, proposal: &Proposal, person: PersonId) -> bool {
        if person == proposal.by || person == self.commander() {
            return false;
        }
        let responds = |person| self.responders.contains_key(&person);
        match proposal.grounds {
            Grounds::Unseen => responds(person),
            Grounds::Unfit => {
                (self.holds_another_role(person) && self.holds_another_role(proposal.by))
                    || (facts.admin(proposal.by) && responds(person))
                    || (facts.admin(person) && responds(proposal.by))
            }
        }
    }

    /// Who could confirm a proposal, those who are here first: for a refusal.
    fn could_confirm(&self, facts: &Facts, proposal: &Proposal) -> Vec<PersonId> {
        let admins = facts.admins().into_iter().filter(|person| self.visible_to(*person, facts));
        let absent = admins.filter(|p| !self.responders.contains_key(p));
        let all = self.responders.keys().copied().chain(absent);
        all.filter(|person| facts.active(*person) && self.confirms(facts, proposal, *person)).collect()
    }

    /// What there is to do for this person about a commander who is gone, or called unfit.
    pub(crate) fn next_about_absence(&self, person: PersonId, facts: &Facts, now: Time) -> Option<Next> {
        let commander = self.commander();
        if person == commander {
            return self.absence.unseen_since.map(|unseen_since| Next::StillWithUs { unseen_since });
        }
        let here = |person: &PersonId| self.responders.contains_key(person);
        let way = self.way_to_assume(facts, now, Grounds::Unseen).ok();
        if let Some(proposal) = self.standing_proposal(facts, now)
            && !matches!(way, Some(Way::Alone))
        {
            // An admin elsewhere is called only where nobody who is here can confirm it.
            let could = self.could_confirm(facts, proposal);
            let asked = could.contains(&person) && (here(&person) || !could.iter().any(here));
            if asked || proposal.grounds == Grounds::Unseen {
                return asked.then_some(Next::Confirm { proposal: proposal.id, by: proposal.by });
            }
        }
        // A deactivated commander is not waited for, whenever they were seen last.
        let unseen_since = self.absence.unseen_since.filter(|_| facts.active(commander));
        (way.is_some() && here(&person)).then_some(Next::Assume { commander, unseen_since })
    }

    pub(crate) fn drop_assumption(&self, ask: &Asking<'_>) -> Result<Decision, Refusal> {
        let person = ask.active_person()?;
        let Some(proposal) = self.pending_proposal(ask.now) else {
            return Err(Refusal::new(Code::NotThere, "Nobody proposes to assume command."));
        };
        // A commander who acts has been seen, which ends a proposal made because they were not.
        let refuted = proposal.grounds == Grounds::Unseen && person == self.commander();
        if person != proposal.by && !refuted {
            return Err(Refusal::new(
                Code::NotYours,
                "Only whoever proposed it takes it back; unconfirmed, it lapses.",
            )
            .who_could(vec![proposal.by]));
        }
        let why = if refuted { Ended::Returned } else { Ended::Dropped };
        Ok(Event::AssumptionEnded { proposal: proposal.id, why }.into())
    }

    /// Command goes to `by`; a pending offer of command is void, for its maker does not hold it any more.
    fn assumed(
        &self,
        ask: &Asking<'_>,
        by: PersonId,
        grounds: Grounds,
        reason: Option<Text>,
        confirmed: Option<(Entry, PersonId)>,
    ) -> Vec<Event> {
        let role = RolePath::command();
        let mut events = self.join_unless_here(by);
        match self.pending_offer(&role, ask.now) {
            Some(offer) => events.push(Event::OfferSuperseded { role, offer: offer.id }),
            None => events.extend(self.lapse_offer(&role, ask.now)),
        }
        let (proposal, confirmed_by) = confirmed.unzip();
        events.push(Event::CommandAssumed { by, from: self.commander(), grounds, reason, proposal, confirmed_by });
        events
    }

    /// The proposal that can still be confirmed.
    #[must_use]
    pub fn pending_proposal(&self, now: Time) -> Option<&Proposal> {
        self.absence.proposal.as_ref().filter(|proposal| now < proposal.lapses_at)
    }

    /// The proposal that still means something: whoever made it can act.
    fn standing_proposal(&self, facts: &Facts, now: Time) -> Option<&Proposal> {
        self.pending_proposal(now).filter(|proposal| facts.active(proposal.by))
    }

    pub(crate) fn lapse_proposal(&self, now: Time) -> Vec<Event> {
        let lapsed = self.absence.proposal.as_ref().is_some_and(|proposal| now >= proposal.lapses_at);
        if lapsed { self.end_proposal(Ended::Lapsed) } else { Vec::new() }
    }

    /// Command changes hands otherwise: a proposal to assume it is over, and says so.
    pub(crate) fn overtake_proposal(&self, now: Time) -> Vec<Event> {
        let lapsed = self.lapse_proposal(now);
        if lapsed.is_empty() { self.end_proposal(Ended::Overtaken) } else { lapsed }
    }

    pub(crate) fn end_proposal(&self, why: Ended) -> Vec<Event> {
        let end = |proposal: &Proposal| Event::AssumptionEnded { proposal: proposal.id, why };
        self.absence.proposal.iter().map(end).collect()
    }

    pub(crate) fn evolve_absence(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::CommanderAbsent { unseen_since, .. } => self.absence.unseen_since = Some(*unseen_since),
            Event::CommanderReturned { .. } => {
                self.absence.unseen_since = None;
                // A proposal about an unseen commander has lost its ground with the return.
                self.absence.proposal.take_if(|proposal| proposal.grounds == Grounds::Unseen);
            }
            Event::AssumptionProposed { by, grounds, reason, lapses_at } => {
                self.absence.proposal = Some(Proposal {
                    id: recorded.entry,
                    by: *by,
                    grounds: *grounds,
                    reason: reason.clone(),
                    lapses_at: *lapses_at,
                });
            }
            Event::AssumptionEnded { .. } => self.absence.proposal = None,
            Event::CommandAssumed { .. } => self.absence = Absence::default(),
            Event::RoleTaken { role, .. } if role.is_command() => self.absence = Absence::default(),
            _ => {}
        }
    }
}

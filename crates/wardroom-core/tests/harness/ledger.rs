//! A second bookkeeping of who holds what and what is on offer, kept from the events alone.
//!
//! It knows rules 1 to 4 and nothing else, shares no code with the core, and is compared with the core's
//! state after every entry of the log.

use std::collections::BTreeMap;

use wardroom_core::briefing::Briefed;
use wardroom_core::change::SentBack;
use wardroom_core::event::{Event, Recorded};
use wardroom_core::id::{Entry, PersonId, Time};
use wardroom_core::incident::Incident;
use wardroom_core::merge::Absorbed;
use wardroom_core::offer::Recipient;
use wardroom_core::role::RolePath;

/// An offer that has not ended yet.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Pending {
    id: Entry,
    to: Recipient,
    lapses_at: Time,
}

/// Who holds what and what is on offer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ledger {
    holders: BTreeMap<RolePath, PersonId>,
    offers: BTreeMap<RolePath, Pending>,
    /// Offers that ended, and how many times.
    ended: BTreeMap<Entry, u32>,
    /// Who was held back on which offer, and the entry that says so.
    held_back: BTreeMap<(Entry, PersonId), Entry>,
    /// The closed list of rule 4.
    matters: Vec<Entry>,
    open: bool,
}

/// Says what is wrong unless it holds.
fn must(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

/// Rule 4's closed list, as far as its nouns exist: phase, severity, kind, a holder of a role, a roadblock, an
/// exit criterion that is not met, a change, broken glass.
fn matters(event: &Event) -> bool {
    const KINDS: [&str; 21] = [
        "opened",
        "declared",
        "phase_set",
        "closed",
        "reopened",
        "severity_set",
        "kind_set",
        "role_taken",
        "role_fell",
        "command_assumed",
        "roadblock_raised",
        "roadblock_cleared",
        "criterion_added",
        "criterion_reopened",
        "criterion_waived",
        "change_recorded",
        "change_done",
        "change_failed",
        "change_differs_again",
        "glass_broken",
        "sent_back",
    ];
    let brings_what_matters = match event {
        Event::Absorbed(Absorbed { roadblocks, criteria, changes, sightings, .. }) => {
            !roadblocks.is_empty() || !criteria.is_empty() || !changes.is_empty() || !sightings.is_empty()
        }
        // A change that was seen matters as one that somebody tells of.
        Event::ChangeSeen(seen) => seen.uncoordinated,
        _ => false,
    };
    brings_what_matters || KINDS.contains(&event.to_stored().0.as_str())
}

impl Ledger {
    /// Books one more entry, and says which rule it breaks.
    pub fn book(&mut self, recorded: &Recorded, after: &Incident) -> Result<(), String> {
        let said = self.book_event(recorded).and_then(|()| self.compare(after));
        if matters(&recorded.event) {
            self.matters.push(recorded.entry);
        }
        said.map_err(|why| format!("entry {}: {why}: {:?}", recorded.entry, recorded.event))
    }

    fn book_event(&mut self, recorded: &Recorded) -> Result<(), String> {
        let command = RolePath::command();
        match &recorded.event {
            Event::Opened { by, .. } | Event::Reopened { by, .. } | Event::SentBack(SentBack { commander: by, .. }) => {
                must(!self.open && self.holders.is_empty(), || "it is open already".to_owned())?;
                self.open = true;
                self.holders.insert(command, *by);
                Ok(())
            }
            Event::Closed { last_commander, .. } | Event::MergedInto { commander: last_commander, .. } => {
                must(self.holders.get(&command) == Some(last_commander), || "somebody else commanded last".to_owned())?;
                self.open = false;
                self.holders.clear();
                self.end_all();
                Ok(())
            }
            Event::Declared { commander, .. } => {
                must(self.holders.get(&command) == Some(commander), || "the lead becomes the commander".to_owned())
            }
            Event::RoleTaken { role, offer, by, from, briefed, unseen } => {
                self.briefed(role, (*offer, *by), *briefed, unseen)?;
                self.taken(recorded.at, role, *offer, *by, *from)
            }
            Event::RoleFell { role, from, to, .. } => {
                must(!role.is_command(), || "command never falls".to_owned())?;
                must(self.holders.remove(role).as_ref() == Some(from), || "it fell from somebody else".to_owned())?;
                must(self.effective(role) == Some(*to), || "it fell to somebody else".to_owned())
            }
            Event::CommandAssumed { by, from, .. } => {
                let had = self.holders.insert(command, *by);
                must(had.as_ref() == Some(from) && by != from, || "assumed from somebody else".to_owned())
            }
            Event::RoleOffered { role, to, lapses_at, .. } => {
                let offer = Pending { id: recorded.entry, to: to.clone(), lapses_at: *lapses_at };
                must(self.offers.insert(role.clone(), offer).is_none(), || "two offers of one role".to_owned())
            }
            Event::OfferDeclined { role, offer, by, .. } => {
                let ended = self.end_in_time(recorded.at, role, *offer)?;
                must(ended.to == Recipient::Person(*by), || "declined by somebody else".to_owned())
            }
            Event::OfferWithdrawn { role, offer, .. } | Event::OfferSuperseded { role, offer } => {
                self.end_in_time(recorded.at, role, *offer).map(|_| ())
            }
            Event::OfferLapsed { role, offer, late } => {
                let ended = self.end(role, *offer)?;
                must(recorded.at >= ended.lapses_at, || "lapsed before its time".to_owned())?;
                let overdue = recorded.at.duration_since(ended.lapses_at).as_secs_f64();
                must(*late == (overdue > 60.0), || "late is later than a minute".to_owned())
            }
            Event::TakingHeldBack { role, offer, by, briefed_to, unseen } => {
                let pending = self.offers.get(role).is_some_and(|p| p.id == *offer && recorded.at < p.lapses_at);
                must(pending && role.is_command(), || "held back from what is not on offer".to_owned())?;
                self.held_back((*offer, *by), recorded.entry, *briefed_to, unseen)
            }
            Event::OutageEnded { offers, .. } => self.forgive(offers),
            Event::RoleClosed { role } => {
                must(!self.offers.contains_key(role), || "closed while on offer".to_owned())?;
                must(!self.holders.contains_key(role), || "closed while held".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn forgive(&mut self, offers: &BTreeMap<RolePath, Time>) -> Result<(), String> {
        for (role, until) in offers {
            let pending = self.offers.get_mut(role).ok_or("grace for no offer")?;
            must(*until > pending.lapses_at, || "an outage shortened an offer".to_owned())?;
            pending.lapses_at = *until;
        }
        Ok(())
    }

    /// Rule 4: command is taken briefed, or by voice; what was unseen was shown once before, or is shown first.
    fn briefed(
        &self,
        role: &RolePath,
        taking: (Entry, PersonId),
        briefed: Option<Briefed>,
        unseen: &[Entry],
    ) -> Result<(), String> {
        let (expected, shown) = match (briefed, self.held_back.get(&taking)) {
            _ if !role.is_command() => (Vec::new(), true),
            (None, _) => return Err("command was taken without a briefing".to_owned()),
            (Some(Briefed::ByVoice), _) => (Vec::new(), true),
            (Some(Briefed::To(entry)), Some(shown)) => (self.after(entry.max(*shown)), true),
            (Some(Briefed::To(entry)), None) => (self.after(entry), false),
        };
        must(shown || expected.is_empty(), || "command was taken over what was never shown".to_owned())?;
        must(unseen == expected, || format!("unseen was {expected:?}"))
    }

    /// Held back once, with exactly what happened since.
    fn held_back(
        &mut self,
        taking: (Entry, PersonId),
        entry: Entry,
        briefed_to: Entry,
        unseen: &[Entry],
    ) -> Result<(), String> {
        must(!unseen.is_empty() && unseen == self.after(briefed_to), || "held back by others".to_owned())?;
        must(self.held_back.insert(taking, entry).is_none(), || "held back twice".to_owned())
    }

    fn after(&self, entry: Entry) -> Vec<Entry> {
        self.matters.iter().copied().filter(|matter| *matter > entry).collect()
    }

    fn taken(
        &mut self,
        at: Time,
        role: &RolePath,
        offer: Entry,
        by: PersonId,
        from: Option<PersonId>,
    ) -> Result<(), String> {
        let ended = self.end_in_time(at, role, offer)?;
        must(!matches!(ended.to, Recipient::Person(to) if to != by), || "offered to somebody else".to_owned())?;
        must(from != Some(by), || "taken from oneself".to_owned())?;
        must(self.holders.insert(role.clone(), by) == from, || "taken from somebody else".to_owned())
    }

    /// Ends an offer in any way but lapsing, which has to happen before it lapses.
    fn end_in_time(&mut self, at: Time, role: &RolePath, id: Entry) -> Result<Pending, String> {
        let ended = self.end(role, id)?;
        must(at < ended.lapses_at, || format!("the offer had lapsed at {}", ended.lapses_at))?;
        Ok(ended)
    }

    fn end(&mut self, role: &RolePath, id: Entry) -> Result<Pending, String> {
        let ended = self.offers.remove(role).filter(|pending| pending.id == id);
        *self.ended.entry(id).or_default() += 1;
        ended.ok_or_else(|| "that offer is not pending".to_owned())
    }

    fn end_all(&mut self) {
        for (_, pending) in std::mem::take(&mut self.offers) {
            *self.ended.entry(pending.id).or_default() += 1;
        }
    }

    fn effective(&self, role: &RolePath) -> Option<PersonId> {
        role.upward().find_map(|role| self.holders.get(&role)).copied()
    }

    /// What the core folded has to be what was booked, and both have to obey rules 1 and 2.
    fn compare(&self, after: &Incident) -> Result<(), String> {
        must(self.holders.contains_key(&RolePath::command()) == self.open, || "rule 1: no commander".to_owned())?;
        must(self.open == after.phase.is_open(), || "open or not".to_owned())?;
        for role in after.roles.keys().chain(self.holders.keys()) {
            must(self.holders.get(role).copied() == after.holder(role), || format!("{role} is held otherwise"))?;
            must(self.effective(role) == after.effective_holder(role), || format!("{role} resolves otherwise"))?;
            must(self.effective(role).is_some() == self.open, || format!("rule 2: nobody answers for {role}"))?;
        }
        let booked = self.offers.iter().map(|(role, offer)| (role, offer.id, offer.lapses_at));
        let folded = after.offers.iter().map(|(role, offer)| (role, offer.id, offer.lapses_at));
        must(booked.eq(folded), || "other offers are pending".to_owned())?;
        must(self.ended.values().all(|times| *times == 1), || "an offer ended twice".to_owned())
    }
}

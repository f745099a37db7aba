//! An incident as readers get it: the folded state with names, what is inherited, and what is next.

mod attaching;
mod changes;
mod lists;
mod permissions;
mod sightings;
mod worth;

use serde_json::{Value, json};
use wardroom_core::call::Call;
use wardroom_core::facts::Facts;
use wardroom_core::guest::USES_MAX;
use wardroom_core::id::{Actor, Number, PersonId, Time};
use wardroom_core::incident::{Asking, Incident};
use wardroom_core::offer::{Offer, Recipient};
use wardroom_core::prompt::Prompts;
use wardroom_core::roadblock::Roadblock;
use wardroom_core::role::{Role, RolePath};
use wardroom_core::seal;

pub use self::changes::{all as all_changes, differing};
pub use self::sightings::{all as all_sightings, cut as sightings_cut, is_full as has_all_sightings};
use super::problem::named;
use super::reach::told_of;
use crate::log::Told;

/// Who reads an incident, when, and what belongs to that beside its state.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// The directory.
    pub facts: &'a Facts,
    /// For whom.
    pub reader: PersonId,
    /// When.
    pub now: Time,
    /// Where reading goes on from.
    pub cursor: &'a str,
    /// What became of telling people of its offers.
    pub told: &'a [Told],
    /// What the reader was prompted of.
    pub prompts: &'a Prompts,
}

/// The incident for one reader, at one moment.
#[must_use]
pub fn incident(incident: &Incident, reading: Reading<'_>) -> Value {
    let Reading { facts, reader, now, cursor, told, prompts } = reading;
    let person = |id: PersonId| named(facts, id);
    let brought = incident.brought(reader, facts, now, prompts);
    let ask = Asking { actor: Actor::Person(reader), now, facts, cited: None, other: None, document: None };
    let role = |(path, role): (&RolePath, &Role)| {
        json!({
            "role": path,
            "holder": role.holder.map(|tenure| person(tenure.person)),
            "since": role.holder.map(|tenure| tenure.since),
            "effective_holder": incident.effective_holder(path).map(person),
            "held_through": incident.held_through(path),
            "may": incident.may_with(&ask, path),
            "members": role.members.iter().copied().map(person).collect::<Vec<_>>(),
            "offer": incident.pending_offer(path, now).map(|pending| offer(incident.number, pending, facts, told)),
            "asked_by": incident.asks.get(path).into_iter().flatten().map(|(who, _)| person(*who)).collect::<Vec<_>>(),
        })
    };
    let responder = |(id, responder): (&PersonId, &wardroom_core::responder::Responder)| {
        json!({
            "person": person(*id),
            "active": facts.active(*id),
            "joined_at": responder.joined_at,
            "doing": responder.doing,
            "roles": incident.roles.keys().filter(|role| incident.holder(role) == Some(*id)).collect::<Vec<_>>(),
        })
    };
    let roadblock = |block: &Roadblock| roadblock(block, facts);
    let mut view = json!({
        "number": incident.number,
        "title": incident.title,
        "kind": incident.kind,
        "phase": incident.phase,
        "severity": incident.severity,
        "services": incident.services,
        "unknown_services": incident.unknown_services,
        "began": incident.began,
        "opened_at": incident.opened_at,
        "declared_at": incident.declared_at,
        "phase_since": incident.phase_since,
        "restricted": incident.restricted,
        "posts": incident.posts,
        "commander": person(incident.commander()),
        "commander_unseen_since": incident.absence.unseen_since,
        "assumption": incident.pending_proposal(now).map(|proposal| json!({
            "by": person(proposal.by), "grounds": proposal.grounds,
            "reason": proposal.reason, "lapses_at": proposal.lapses_at,
        })),
        "roles": incident.roles.iter().map(role).collect::<Vec<_>>(),
        "responders": incident.responders.iter().map(responder).collect::<Vec<_>>(),
        "invites": invites(incident, facts, reader, now),
        "may_invite_guests": incident.may_invite_guests(&ask),
        "roadblocks": incident.roadblocks.iter().map(roadblock).collect::<Vec<_>>(),
        "criteria": lists::criteria(incident, &ask),
        "todos": lists::todos(incident, &ask),
        "may_add": lists::may_add(incident, &ask),
        "document": lists::document(incident, reader, facts),
        "clocks": incident.clocks, "pinned": incident.pinned, "worth_keeping": worth::keeping(incident, &ask),
        "merged_into": incident.merged_into, "read_only": incident.unreadable,
        "next": brought.as_ref().map(|brought| &brought.next),
        "prompt": brought.as_ref().map(|brought| &brought.prompt),
        "last_entry": incident.last_entry, "last_at": incident.last_at,
        "cursor": cursor,
    });
    changes::put_into(&mut view, incident, &ask, reader);
    permissions::put_into(&mut view, incident, &ask, reader);
    attaching::put_into(&mut view, incident, facts, reader);
    seal::reveal(&mut view);
    view
}

fn roadblock(block: &Roadblock, facts: &Facts) -> Value {
    json!({
        "id": block.id, "role": block.role, "text": block.text, "by": named(facts, block.by), "at": block.at,
    })
}

fn offer(incident: Number, offer: &Offer, facts: &Facts, told: &[Told]) -> Value {
    let to = match &offer.to {
        Recipient::Person(person) => json!({ "person": named(facts, *person) }),
        Recipient::Team(team) => json!({ "team": team }),
    };
    json!({
        "id": offer.id, "to": to, "by": named(facts, offer.by),
        "at": offer.at, "lapses_at": offer.lapses_at, "note": offer.note,
        "told": told_of(&Call::of_offer(incident, offer.id), told, facts),
    })
}

/// The live invites, for responders of the house: they see who else could come in.
fn invites(incident: &Incident, facts: &Facts, reader: PersonId, now: Time) -> Vec<Value> {
    if facts.guest_of(reader).is_some() || !incident.responders.contains_key(&reader) {
        return Vec::new();
    }
    let live = incident.invites.iter().filter(|(_, invite)| invite.live(now) && facts.active(invite.by));
    let shown = live.map(|(id, invite)| {
        json!({ "id": id, "by": named(facts, invite.by), "made_at": invite.at, "expires_at": invite.expires_at,
            "used": invite.used, "uses_max": USES_MAX })
    });
    shown.collect()
}

//! What is said of a call: a line, and what to do about it.

use super::{About, Call, Words};
use crate::facts::Facts;
use crate::id::{Entry, PersonId, ServiceName, Time};
use crate::incident::Incident;
use crate::telling::severity;

impl Call {
    /// What to tell them. What leaves the house about a restricted incident does not say what that is about.
    #[must_use]
    pub fn words(&self, incident: &Incident, facts: &Facts) -> Words {
        let place = place(incident);
        let name = |person: PersonId| facts.name(person);
        let of = |service: &ServiceName| match incident.restricted {
            true => String::new(),
            false => format!(" of {service}"),
        };
        let (line, help) = match &self.about {
            About::Offer { role, by, lapses_at, .. } => (
                format!("{} offers you {role} in {place}", name(*by)),
                format!(
                    "Take it or decline it by {}. Until you take it, nothing has moved; then the offer lapses.",
                    clock(*lapses_at)
                ),
            ),
            About::StillWithUs { unseen_since } => (
                format!("Still with us? You command {place}"),
                format!(
                    "Nobody has seen you since {}. Open the incident, or hand command over: others may assume it soon.",
                    clock(*unseen_since)
                ),
            ),
            About::Absent { commander, since } => (
                format!("{}, who commands {place}, is not there", name(*commander)),
                format!("Not seen since {}. You are here: assume command, or confirm whoever does.", clock(*since)),
            ),
            About::Confirm { by, .. } => (
                format!("{} wants to assume command of {place}", name(*by)),
                "It takes a second person's word, and yours would do. Open the incident and confirm it, or not.".into(),
            ),
            About::Uncoordinated { change, service, by } => {
                let of = of(service);
                (
                    format!("{} tells of a change{of} that was not coordinated, in {place}", name(*by)),
                    format!(
                        "Operations take change {change} into the ledger, revert it, or dismiss it. Or ask them in."
                    ),
                )
            }
            About::Seen { sighting, service, by, more, .. } => {
                seen((*sighting, *more), &of(service), by.map(name), &place)
            }
            About::AskedIn { by, service, .. } => asked_in(name(*by), &of(service), &place),
            About::Permit { by, .. } => (
                format!("{} asks you for permission to change something, in {place}", name(*by)),
                "You have operations: let them for a while, or say no. Until then the gate stops them.".into(),
            ),
            About::Glass { by, until, .. } => (
                format!("{} broke the glass in {place}", name(*by)),
                format!(
                    "They change services on their own until {}. Speak to them; operations sort what they change.",
                    clock(*until)
                ),
            ),
            About::InCommand { since, .. } => (
                format!("You have command of {place}"),
                format!("It came to you at {}. Open the incident: until you hand it over, it is yours.", clock(*since)),
            ),
            About::Clock { clock: id, rang_at } => (
                format!("A clock of yours rang in {place}{}", self.label(*id, incident)),
                format!("It rang at {}. Do what it reminds of, then stop it or set it anew.", clock(*rang_at)),
            ),
        };
        Words { line, help }
    }

    /// How it ended, once it is none any more: what somebody is told who was told of it before.
    #[must_use]
    pub fn done(id: &str, incident: &Incident, facts: &Facts) -> Words {
        let place = place(incident);
        let commander = facts.name(incident.commander());
        let mut parts = id.split('.').skip(1);
        let (about, of) = (parts.next(), parts.next().unwrap_or_default());
        let line = match about {
            _ if !incident.phase.is_open() => format!("Done: {place} is {}", incident.phase.word()),
            Some("offer") => format!("Done: what was offered to you in {place} is no longer on offer"),
            // Who only had the role until now is not told that it is settled.
            Some("change")
                if incident.changes.iter().any(|change| change.is_unsorted() && change.id.to_string() == of) =>
            {
                format!("Done: the change in {place} is for somebody else to sort now")
            }
            Some("change") => format!("Done: the change in {place} is sorted"),
            Some("seen") if incident.unsorted_since.is_some_and(|since| since.to_string() == of) => {
                format!("Done: what was seen in {place} is for somebody else to sort now")
            }
            Some("seen") => format!("Done: what was seen in {place} is sorted"),
            Some("in") => format!("Done: nobody waits for you in {place} any more"),
            Some("permit") if incident.permission_asks.values().any(|asked| asked.entry.to_string() == of) => {
                format!("Done: who asks for permission in {place} is for somebody else to answer now")
            }
            Some("permit") => format!("Done: who asked for permission in {place} has their answer"),
            Some("glass")
                if incident
                    .permissions
                    .iter()
                    .any(|known| known.id.to_string() == of && known.until > incident.last_at) =>
            {
                format!("Done: the glass that was broken in {place} is for somebody else to see to now")
            }
            Some("glass") => format!("Done: the glass that was broken in {place} is whole again"),
            Some("clock") => format!("Done: the clock in {place} was seen to"),
            _ => format!("Done: {commander} has command of {place}"),
        };
        Words { line, help: format!("Nothing is left to do about it. {commander} has command.") }
    }

    fn label(&self, id: Entry, incident: &Incident) -> String {
        let label = incident.clocks.iter().find(|clock| clock.id == id).map(|clock| &clock.label);
        match label {
            Some(label) if !incident.restricted => format!(": {label}"),
            _ => String::new(),
        }
    }
}

fn clock(at: Time) -> String {
    at.strftime("%H:%M UTC").to_string()
}

/// The incident, as somebody is told of it who does not have it before them.
fn place(incident: &Incident) -> String {
    let severity = severity(incident.severity);
    if incident.restricted {
        return format!("incident {} ({severity}, restricted)", incident.number);
    }
    format!("incident {} “{}” ({severity})", incident.number, incident.title)
}

/// Of the sighting that waits the longest, and of how many more.
fn seen((sighting, more): (u32, usize), of: &str, by: Option<&str>, place: &str) -> (String, String) {
    let by = by.unwrap_or("somebody outside operations");
    if more > 0 {
        return (
            format!("A change{of} by {by} was seen that was not coordinated, and {more} more, in {place}"),
            "Operations take each into the ledger, or dismiss it, several at once too. Or ask whoever made it in."
                .into(),
        );
    }
    (
        format!("A change{of} by {by} was seen that was not coordinated, in {place}"),
        format!("Operations take sighting {sighting} into the ledger, or dismiss it. Or ask whoever made it in."),
    )
}

fn asked_in(by: &str, of: &str, place: &str) -> (String, String) {
    (
        format!("{by} asks you into {place}"),
        format!("A change{of} by you was seen there. Open the incident, join, and say what you did."),
    )
}

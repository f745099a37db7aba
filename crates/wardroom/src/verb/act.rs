//! Verbs that are one command in an incident.

use wardroom_core::absence::Grounds;
use wardroom_core::command::{Command, OfferTo, Opening};
use wardroom_core::document::Part;
use wardroom_core::id::{InviteId, Number};

use super::print_json;
use crate::args::{Act, Declare, Permission, Remote};
use crate::client::Client;

/// Declares, or opens an investigation.
pub fn open(client: &Client, remote: &Remote, declare: Declare, investigate: bool) -> anyhow::Result<()> {
    let opening = Opening {
        title: declare.title,
        investigate,
        kind: declare.kind,
        severity: declare.severity,
        services: declare.services.into_iter().collect(),
        began: declare.began,
        restricted: declare.restricted,
    };
    let answer = client.open(&opening)?;
    if remote.json {
        print_json(&answer);
        return Ok(());
    }
    let number = &answer["incident"];
    if investigate {
        println!(
            "Investigation #{number} is open and you lead it. To declare it: wardroom declare-investigation {number}"
        );
    } else {
        println!("Incident #{number} is declared and you have command. Next: wardroom next");
    }
    Ok(())
}

/// Makes a link for guests, and prints it as the last line.
pub fn invite(client: &Client, remote: &Remote, number: u32, hours: u8) -> anyhow::Result<()> {
    let answer = client.invite(number, hours)?;
    if remote.json {
        print_json(&answer);
        return Ok(());
    }
    let path = answer["path"].as_str().unwrap_or_default();
    println!(
        "Whoever opens this gives a name and is in incident #{number} as a guest, up to 50 people, until {}. To take it \
         back: wardroom uninvite {number} --link {}",
        answer["expires_at"].as_str().unwrap_or_default(),
        answer["id"].as_str().unwrap_or_default(),
    );
    println!("{}{path}", remote.url.as_str());
    Ok(())
}

/// Does one thing and shows its line of the timeline.
pub fn act(client: &Client, remote: &Remote, act: Act) -> anyhow::Result<()> {
    let (number, command) = command(act)?;
    let answer = client.command(number, &command)?;
    told(client, remote, number, &answer)?;
    if matches!(command, Command::AssumeCommand { .. }) && !remote.json {
        // Shown and not required (rule 6): whoever assumes command reads while the other confirms, or from now on.
        let briefing = client.get(&format!("/api/v1/incidents/{n}/briefing", n = number.get()))?;
        println!("\n{}", crate::show::briefing(&briefing));
    }
    Ok(())
}

/// Says that these parts are still true, or all of them, as they are written now or as somebody has read them.
pub fn still_true(
    client: &Client,
    remote: &Remote,
    number: Number,
    parts: Vec<Part>,
    version: Option<u64>,
) -> anyhow::Result<()> {
    let version = match version {
        Some(version) => version,
        None => client.get(&format!("/api/v1/incidents/{}/written", number.get()))?["version"].as_u64().unwrap_or(0),
    };
    let parts = if parts.is_empty() { Part::ALL.into() } else { parts.into_iter().collect() };
    let answer = client.command(number, &Command::StillTrue { parts, version })?;
    told(client, remote, number, &answer)
}

/// Shows what an accepted command wrote.
pub fn told(client: &Client, remote: &Remote, number: Number, answer: &serde_json::Value) -> anyhow::Result<()> {
    if remote.json {
        print_json(answer);
        return Ok(());
    }
    let (first, last) = (answer["first_entry"].as_u64().unwrap_or(0), answer["last_entry"].as_u64().unwrap_or(0));
    let entries = crate::show::entries(client, number, first, last)?;
    for entry in &entries {
        println!("{}", crate::show::line(entry));
    }
    let unseen: Vec<u64> = entries
        .iter()
        .filter(|entry| entry["kind"] == "role_taken")
        .flat_map(|entry| {
            entry["body"]["unseen"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_u64)
        })
        .collect();
    if !unseen.is_empty() {
        // Rule 4: what was still unseen when command was taken is shown first.
        println!("\n{}", crate::show::FIRST);
    }
    for entry in unseen {
        for entry in crate::show::entries(client, number, entry, entry)? {
            println!("{}", crate::show::line(&entry));
        }
    }
    Ok(())
}

#[rustfmt::skip] // One line per verb reads as the table that it is.
fn command(act: Act) -> anyhow::Result<(Number, Command)> {
    Ok(match act {
        Act::Join { number } => (number, Command::Join {}),
        Act::Leave { number } => (number, Command::Leave {}),
        Act::Doing { number, text } => (number, Command::Doing { text }),
        Act::Note { number, text, at, pin } => (number, Command::Note { text, happened_at: at, pin }),
        Act::Pin { number, entry } => (number, Command::PinNote { entry }),
        Act::Unpin { number, entry } => (number, Command::UnpinNote { entry }),
        Act::Correct { number, entry, text } => (number, Command::CorrectNote { entry, text }),
        Act::Redact { number, entry, reason } => (number, Command::Redact { entry, reason }),
        Act::DeclareInvestigation { number } => (number, Command::Declare {}),
        Act::Offer { number, role, person, team, note } => (number, Command::OfferRole { role, to: recipient(person, team)?, note }),
        Act::Ask { number, role, note } => (number, Command::AskRole { role, note }),
        Act::Take { number, role, .. } => (number, Command::TakeRole { role, briefed: None }),
        Act::Decline { number, role, reason } => (number, Command::DeclineOffer { role, reason }),
        Act::Withdraw { number, role, reason } => (number, Command::WithdrawOffer { role, reason }),
        Act::DeclineAsk { number, role, person, reason } => (number, Command::DeclineAsk { role, person, reason }),
        Act::Release { number, role } => (number, Command::ReleaseRole { role }),
        Act::TakeBack { number, role } => (number, Command::TakeBackRole { role }),
        Act::OpenRole { number, role } => (number, Command::OpenRole { role }),
        Act::CloseRole { number, role } => (number, Command::CloseRole { role }),
        Act::Member { number, role, person, release: false } => (number, Command::AddMember { role, person }),
        Act::Member { number, role, person, release: true } => (number, Command::ReleaseMember { role, person }),
        Act::Assume { number, reason, unfit } => (number, Command::AssumeCommand { grounds: if unfit { Grounds::Unfit } else { Grounds::Unseen }, reason }),
        Act::Confirm { number } => (number, Command::ConfirmAssumption {}),
        Act::Drop { number } => (number, Command::DropAssumption {}),
        Act::TakeBackAsk { number, role } => (number, Command::TakeBackAsk { role }),
        Act::Roadblock { number, text, role } => (number, Command::RaiseRoadblock { text, role }),
        Act::Clear { number, roadblock, how } => (number, Command::ClearRoadblock { roadblock, how }),
        Act::Severity { number, severity, reason } => (number, Command::SetSeverity { severity, reason }),
        Act::Phase { number, phase, reason } => (number, Command::SetPhase { phase, reason }),
        Act::Reopen { number, reason } => (number, Command::Reopen { reason }),
        Act::Kind { number, kind, reason } => (number, Command::SetKind { kind, reason }),
        Act::Title { number, title } => (number, Command::SetTitle { title }),
        Act::Services { number, services } => (number, Command::SetServices { services: services.into_iter().collect() }),
        Act::Began { number, at } => (number, Command::SetBegan { began: at }),
        Act::Post { number, label, link } => (number, Command::AddPost { label, link }),
        Act::RemovePost { number, post } => (number, Command::RemovePost { post }),
        Act::Restrict { number } => (number, Command::Restrict {}),
        Act::Unrestrict { number } => (number, Command::Unrestrict {}),
        Act::Invite { number, person, .. } => (number, Command::Invite { person: person.ok_or_else(|| anyhow::anyhow!("name a person"))? }),
        Act::Uninvite { number, link: Some(link), .. } => (number, Command::RevokeInvite { invite: InviteId(link) }),
        Act::Uninvite { number, person, .. } => (number, Command::Uninvite { person: person.ok_or_else(|| anyhow::anyhow!("name a person"))? }),
        Act::SendAway { number, person, reason } => (number, Command::SendAway { person, reason }),
        Act::Criterion { .. } | Act::Todo { .. } | Act::Change { .. } | Act::StillTrue { .. } => anyhow::bail!("what is said anew is read first"),
        Act::Permission { number, verb } => (number, permission(verb)),
        Act::Sighting { number, verb } => (number, verb.into()),
        Act::BreakGlass { number, reason, services } => (number, Command::BreakGlass { services: services.into_iter().collect(), reason }),
        Act::Clock { number, label, in_minutes, repeat } => (number, Command::SetClock { label, in_minutes, repeat }),
        Act::StopClock { number, clock } => (number, Command::StopClock { clock }),
        Act::Merge { number, into } => (number, Command::Merge { into }),
    })
}

fn permission(verb: Permission) -> Command {
    match verb {
        Permission::Ask { what, services } => Command::AskPermission { services: services.into_iter().collect(), what },
        Permission::Grant { person, services, minutes } => {
            let services = (!services.is_empty()).then(|| services.into_iter().collect());
            Command::GrantPermission { person, services, minutes }
        }
        Permission::Decline { person, reason } => Command::DeclinePermission { person, reason },
        Permission::End { permission } => Command::EndPermission { permission },
    }
}

fn recipient(
    person: Option<wardroom_core::id::Who>,
    team: Option<wardroom_core::id::TeamName>,
) -> anyhow::Result<OfferTo> {
    match (person, team) {
        (Some(person), None) => Ok(OfferTo::Person(person)),
        (None, Some(team)) => Ok(OfferTo::Team(team)),
        _ => anyhow::bail!("name either a person or a team"),
    }
}

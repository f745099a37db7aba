//! `wardroom take`: taking command shows the briefing first, and asks.

use std::io::{BufRead, IsTerminal, Write};

use serde_json::json;
use wardroom_core::briefing::Briefed;
use wardroom_core::command::Command;
use wardroom_core::id::{Entry, Number};
use wardroom_core::role::RolePath;

use super::act::told;
use super::print_json;
use crate::args::Remote;
use crate::client::Client;
use crate::exit::Failure;
use crate::show;

/// Takes a role. What happened while the briefing was read is shown before command is taken.
pub fn take(
    client: &Client,
    remote: &Remote,
    number: Number,
    role: RolePath,
    by_voice: bool,
    yes: bool,
) -> anyhow::Result<()> {
    if !role.is_command() || by_voice {
        let briefed = by_voice.then_some(Briefed::ByVoice);
        let answer = client.command(number, &Command::TakeRole { role, briefed })?;
        return told(client, remote, number, &answer);
    }
    client.present();
    let briefing = client.get(&format!("/api/v1/incidents/{n}/briefing", n = number.get()))?;
    if !remote.json {
        println!("{}", show::briefing(&briefing));
    }
    let to = Entry(briefing["briefed_to"].as_u64().unwrap_or(0));
    let mut question = "Say “I have command” to take it (anything else leaves it where it is): ";
    loop {
        if !yes && !acknowledged(question)? {
            if remote.json {
                print_json(&json!({ "taken": false }));
            } else {
                println!(
                    "Command stays where it is. Decline the offer with: wardroom decline {} command",
                    number.get()
                );
            }
            return Ok(());
        }
        let command = Command::TakeRole { role: role.clone(), briefed: Some(Briefed::To(to)) };
        match client.command(number, &command) {
            Ok(answer) => return told(client, remote, number, &answer),
            Err(error) => match error.downcast_ref::<Failure>() {
                // Held back once: these things happened while the briefing was read.
                Some(Failure::Refused(problem)) if problem["code"] == "briefing_stale" => {
                    // With `--json` only the answer is on stdout.
                    if remote.json {
                        eprintln!("{error}")
                    } else {
                        println!("{}", show::held_back(problem))
                    }
                    question = "Now you have seen it. Say “I have command” to take it: ";
                }
                _ => return Err(error),
            },
        }
    }
}

/// The acknowledgement itself, typed by a person.
fn acknowledged(question: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        anyhow::bail!("taking command asks for your acknowledgement in a terminal; use --yes or --briefed-by-voice");
    }
    // Not on stdout, which may go somewhere else than to the person who is asked.
    eprint!("{question}");
    std::io::stderr().flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let said = line.trim().trim_matches(['"', '“', '”', '.', '!']).to_lowercase();
    Ok(matches!(said.as_str(), "i have command" | "y" | "yes"))
}

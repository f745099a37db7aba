//! `wardroom gate`: may this be changed now, for a pipeline; and what the gate has stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::print_json;
use crate::args::{Ended, Gate, OnFailure, Remote};
use crate::client::Client;
use crate::exit::Failure;

/// Somebody is stopped. As any refusal is told.
const DENIED: u8 = 1;
/// What is said where the gate could not be told how it went.
const UNTOLD: &str = "how it went could not be told";
/// It could not be decided. As what cannot be reached is told.
const UNDECIDED: u8 = 4;

/// Asks the gate, and ends as it says: 0 allowed, 1 denied, 4 not decided; 2 and 3 for what is wrong with what was asked.
pub fn ask(client: &Client, remote: &Remote, gate: &Gate) -> anyhow::Result<ExitCode> {
    if let Some(ended) = gate.ended {
        return tell(client, remote, gate, ended);
    }
    let asked = json!({
        "services": gate.services,
        "what": gate.action,
        "on_behalf_of": gate.on_behalf_of,
        "back_to": gate.back_to,
        "dry_run": gate.dry_run,
    });
    let answer = match client.gate(&asked) {
        Ok(answer) => answer,
        Err(error) => return unanswered(remote, gate, error),
    };
    if remote.json {
        print_json(&answer);
    }
    let reason = answer["reason"].as_str().unwrap_or("The gate gave no reason.");
    if answer["decision"] == "allow" {
        if !remote.json {
            println!("{reason}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("wardroom: denied. {reason}");
    // An incident that stops it at several services has one link for all of them.
    let links: BTreeSet<&str> =
        answer["stops"].as_array().into_iter().flatten().filter_map(|stop| stop["ask"].as_str()).collect();
    for link in links {
        // A server that was not told its address names its pages without it; it was reached by this one.
        let at = if link.starts_with('/') { remote.url.as_str().trim_end_matches('/') } else { "" };
        eprintln!("  to ask for permission: {at}{link}");
    }
    for (number, services) in stopped(&answer) {
        let of = services.iter().map(|name| format!(" --service {name}")).collect::<String>();
        eprintln!("  in a terminal: wardroom permission {number} ask \"…\"{of}");
        eprintln!("  if it cannot wait: wardroom break-glass {number} \"why\"{of}");
    }
    Ok(ExitCode::from(DENIED))
}

/// The services at which each incident stops it that may be named.
fn stopped(answer: &Value) -> BTreeMap<u64, Vec<&str>> {
    let mut all: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for stop in answer["stops"].as_array().into_iter().flatten().filter(|stop| stop["enforced"] == true) {
        if let (Some(number), Some(service)) = (stop["incident"].as_u64(), stop["service"].as_str()) {
            all.entry(number).or_default().push(service);
        }
    }
    all
}

/// Tells how that went with which somebody came through. It went as it did: where that fails open, nothing that keeps it from
/// being told fails what went well.
fn tell(client: &Client, remote: &Remote, gate: &Gate, ended: Ended) -> anyhow::Result<ExitCode> {
    let told = json!({
        "services": gate.services,
        "what": gate.action,
        "on_behalf_of": gate.on_behalf_of,
        "ended": ended.word(),
    });
    match client.gate_ended(&told) {
        Ok(answer) if remote.json => print_json(&answer),
        Ok(answer) => println!("{}", answer["reason"].as_str().unwrap_or("The gate gave no reason.")),
        Err(error) if gate.on_failure == OnFailure::Open => return undecided(remote, gate, &error),
        Err(error) => return unanswered(remote, gate, error),
    }
    Ok(ExitCode::SUCCESS)
}

/// What is wrong with what was asked is a mistake to be mended, and no failure of the gate: a misspelt service, or a token that
/// ended, would otherwise pass for ever where the gate may fail open.
fn unanswered(remote: &Remote, gate: &Gate, error: anyhow::Error) -> anyhow::Result<ExitCode> {
    let itself = |error: Failure| match gate.ended {
        None => anyhow::Error::from(error),
        Some(_) => untold(error).into(),
    };
    match error.downcast::<Failure>() {
        Ok(Failure::Refused(problem)) if !is_of_the_moment(&problem) => Err(itself(Failure::Misused(problem))),
        Ok(error @ Failure::NotSignedIn(_)) => Err(itself(error)),
        Ok(error) => undecided(remote, gate, &error.into()),
        Err(error) => undecided(remote, gate, &error),
    }
}

/// The same, of what was to be told.
fn untold(error: Failure) -> Failure {
    let said = |mut problem: Value| {
        let why = problem["detail"].as_str().unwrap_or("the server does not say why").to_owned();
        problem["detail"] = json!(format!("{UNTOLD}: {why}"));
        problem
    };
    match error {
        Failure::NotSignedIn(problem) => Failure::NotSignedIn(said(problem)),
        Failure::Misused(problem) => Failure::Misused(said(problem)),
        error => error,
    }
}

/// Whether the same question may get an answer later: the server made a mistake, or has too much to do.
fn is_of_the_moment(problem: &Value) -> bool {
    problem["status"].as_u64().is_none_or(|status| status >= 500 || matches!(status, 408 | 429))
}

/// Nobody has said yes: whoever typed it has said what that means.
fn undecided(remote: &Remote, gate: &Gate, error: &anyhow::Error) -> anyhow::Result<ExitCode> {
    let open = gate.on_failure == OnFailure::Open;
    if remote.json {
        let problem = error.downcast_ref::<Failure>().map_or(Value::Null, |failure| failure.document().clone());
        print_json(
            &json!({ "decision": "undecided", "reason": format!("{error:#}"), "problem": problem, "open": open }),
        );
    }
    let (what, then) = match gate.ended {
        None => ("the gate cannot decide", "it goes on all the same"),
        Some(_) => (UNTOLD, "whoever it was for is asked how it went"),
    };
    eprintln!("wardroom: {what}: {error:#}");
    if open {
        eprintln!("  {then} (--on-failure open)");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::from(UNDECIDED))
}

/// Says that a version of a service is good: its owners may go back to it during an incident.
pub fn good(
    client: &Client,
    remote: &Remote,
    service: &str,
    version: &str,
    behalf: Option<&str>,
) -> anyhow::Result<()> {
    let answer = client
        .post(&format!("/api/v1/services/{service}/good"), json!({ "version": version, "on_behalf_of": behalf }))?;
    if remote.json {
        print_json(&answer);
    } else {
        println!("{version} is the last known good version of {service}.");
        for known in answer["not_for"].as_array().into_iter().flatten() {
            println!("{}", not_for(known, service));
        }
    }
    Ok(())
}

/// Of an incident that began before its owners said so, and in which they may not go back to it.
fn not_for(known: &Value, service: &str) -> String {
    let incident = &known["incident"];
    match known["good"].as_str() {
        Some(good) => format!("  It does not count for #{incident}, which began before: there it is {good}."),
        None => format!("  It does not count for #{incident}, which began before: there no version of {service} is."),
    }
}

/// Shows what the gate holds, and what it stopped: how often, and what was asked last if that is wished for.
pub fn report(client: &Client, remote: &Remote, stops: bool) -> anyhow::Result<()> {
    let report = client.get("/api/v1/gate")?;
    if remote.json {
        print_json(&report);
    } else {
        println!("{}", crate::show::gates(&report, stops));
    }
    Ok(())
}

//! How failures are told: a sentence on stderr and an exit code that scripts can rely on. With `--json` the problem
//! document is on stdout, where the answer would have been.

use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::{Value, json};
use wardroom_server::log::LogError;

/// A failure with an exit code of its own, as a problem document.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server said no. Exit code 1.
    #[error("{}", sentence(.0))]
    Refused(Value),
    /// What was typed cannot be meant. Exit code 2, as for what the parser of the command line refuses.
    #[error("{}", sentence(.0))]
    Misused(Value),
    /// The token is missing or not good. Exit code 3.
    #[error("{}", sentence(.0))]
    NotSignedIn(Value),
    /// The server or the store could not be reached. Exit code 4.
    #[error("{}", sentence(.0))]
    Unreachable(Value),
    /// The record does not verify. Exit code 5.
    #[error("{}", sentence(.0))]
    Broken(Value),
}

impl Failure {
    /// Something could not be reached from here, so that nobody there could say anything.
    pub fn unreachable(sentence: impl std::fmt::Display) -> Self {
        Self::Unreachable(json!({ "code": "unreachable", "detail": sentence.to_string() }))
    }

    /// What was typed cannot be meant.
    pub fn misused(sentence: impl std::fmt::Display) -> Self {
        Self::Misused(json!({ "code": "wrong_usage", "detail": sentence.to_string() }))
    }

    /// What kept the store from something, with an exit code of its own for what it means.
    pub fn of_the_store(error: LogError) -> Self {
        let problem = |code: &str| json!({ "code": code, "detail": error.to_string() });
        match error {
            LogError::Occupied(_) => Self::Refused(problem("there_already")),
            LogError::NoStore(_) => Self::Refused(problem("no_store")),
            LogError::Damaged { .. } | LogError::DoesNotHold(_) => Self::Broken(problem("broken")),
            _ => Self::unreachable(&error),
        }
    }

    /// As a problem document.
    pub fn document(&self) -> &Value {
        match self {
            Self::Refused(problem)
            | Self::Misused(problem)
            | Self::NotSignedIn(problem)
            | Self::Unreachable(problem)
            | Self::Broken(problem) => problem,
        }
    }
}

/// The problem's sentence, who could, and what to do instead.
fn sentence(problem: &Value) -> String {
    let mut told = problem["detail"].as_str().unwrap_or("The server refused without saying why.").to_owned();
    let names: Vec<&str> =
        problem["who_could"].as_array().into_iter().flatten().filter_map(|person| person["handle"].as_str()).collect();
    if !names.is_empty() {
        told.push_str(&format!("\n  who could: {}", names.join(", ")));
    }
    for entry in problem["unseen_entries"].as_array().into_iter().flatten() {
        told.push_str(&format!("\n  {}  {}", entry["entry"], entry["told"].as_str().unwrap_or_default()));
    }
    if let Some(remedy) = remedy(&problem["remedy"], &problem["incident"]) {
        told.push_str(&format!("\n  try: {remedy}"));
    }
    told
}

/// The verb that a remedy stands for.
fn remedy(remedy: &Value, incident: &Value) -> Option<String> {
    let n = incident.as_u64().map_or("N".to_owned(), |number| number.to_string());
    let role = remedy["role"].as_str().unwrap_or("ROLE");
    let handle = remedy["handle"].as_str().unwrap_or("PERSON");
    Some(match remedy["do"].as_str()? {
        "join" => format!("wardroom join {n}"),
        "ask" => format!("wardroom ask {n} {role}"),
        "offer" => format!("wardroom offer {n} {role} PERSON"),
        "take" => format!("wardroom take {n} {role}"),
        "withdraw" => format!("wardroom withdraw {n} {role}"),
        "declare" => format!("wardroom declare-investigation {n}"),
        "reopen" => format!("wardroom reopen {n}"),
        "phase" => format!("wardroom phase {n} {}", remedy["phase"].as_str().unwrap_or_default()),
        "see" => format!("wardroom show {}", remedy["incident"]),
        "brief" => format!("wardroom take {n} command (it shows the briefing)"),
        "assume" => format!("wardroom assume {n} --reason \"why\""),
        "confirm" => format!("wardroom confirm {n}"),
        "invite" => format!("wardroom invite {n} {handle}"),
        "restrict" => format!("wardroom restrict {n}"),
        "release" => format!("wardroom take-back {n} {role}"),
        "release_member" => format!("wardroom member {n} {role} {handle} --release"),
        "close" => format!("wardroom close-role {n} {role}"),
        "settle_changes" => format!("wardroom changes {n}"),
        "ask_permission" => {
            let service = remedy["services"][0].as_str().unwrap_or("NAME");
            format!(
                "wardroom permission {n} ask \"what\" --service {service}\n       or run it with --ask, or, if it cannot \
                 wait, with --break-glass \"why\""
            )
        }
        "name_service" => format!("the same with --service {}", remedy["service"].as_str().unwrap_or("NAME")),
        "record_change" => format!("wardroom change {n} record \"service: what was done\""),
        "replace" => format!("the same with --replaces {}", remedy["entry"]),
        "note" => format!("wardroom note {n} \"…\""),
        "ask_admin" => "ask an admin".to_owned(),
        _ => return None,
    })
}

/// Tells a failure and names its exit code, which is the same where nobody hears of it any more.
pub fn told(error: &anyhow::Error, json: bool) -> ExitCode {
    let _ = writeln!(io::stderr(), "wardroom: {error:#}");
    let failure = error.downcast_ref::<Failure>();
    if json {
        let unnamed = || json!({ "code": "failed", "detail": format!("{error:#}") });
        let _ = writeln!(io::stdout(), "{}", failure.map_or_else(unnamed, |failure| failure.document().clone()));
    }
    ExitCode::from(match failure {
        Some(Failure::Refused(_)) => 1,
        None => match error.downcast_ref::<LogError>() {
            Some(LogError::Damaged { .. } | LogError::DoesNotHold(_)) => 5,
            Some(LogError::NoStore(_) | LogError::Occupied(_)) => 1,
            Some(_) => 4,
            None => 1,
        },
        Some(Failure::Misused(_)) => 2,
        Some(Failure::NotSignedIn(_)) => 3,
        Some(Failure::Unreachable(_)) => 4,
        Some(Failure::Broken(_)) => 5,
    })
}

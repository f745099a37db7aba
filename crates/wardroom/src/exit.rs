//! How failures are told: a sentence on stderr and an exit code that scripts can rely on.

use std::process::ExitCode;

use serde_json::Value;

/// A failure with an exit code of its own.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server said no, with a problem document. Exit code 1.
    #[error("{}", sentence(.0))]
    Refused(Value),
    /// The token is missing or not good. Exit code 3.
    #[error("{0}")]
    NotSignedIn(String),
    /// The server or the store could not be reached. Exit code 4.
    #[error("{0}")]
    Unreachable(String),
    /// The record does not verify. Exit code 5.
    #[error("{0}")]
    Broken(String),
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
        "ask_admin" => "ask an admin".to_owned(),
        _ => return None,
    })
}

/// Tells a failure and names its exit code.
pub fn told(error: &anyhow::Error) -> ExitCode {
    eprintln!("wardroom: {error:#}");
    ExitCode::from(match error.downcast_ref::<Failure>() {
        Some(Failure::Refused(_)) | None => 1,
        Some(Failure::NotSignedIn(_)) => 3,
        Some(Failure::Unreachable(_)) => 4,
        Some(Failure::Broken(_)) => 5,
    })
}

//! What stands in the state document, in a terminal.

use std::fmt::Write;

use serde_json::Value;

use super::{ago, name, soft, text};

/// Who it is with, and where its bug is tracked.
fn beside(item: &Value) -> String {
    let owner = (!item["owner"].is_null()).then(|| name(&item["owner"]).to_owned());
    let bug = item["bug"].as_str().map(str::to_owned);
    let all: Vec<String> = [owner, bug].into_iter().flatten().collect();
    if all.is_empty() { String::new() } else { format!(" {}", soft(&all.join(", "))) }
}

/// Exit criteria: open, met or waived.
pub fn criteria(out: &mut String, state: &Value) {
    let all = state["criteria"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !all.is_empty() {
        let _ = writeln!(out, "\n{}", soft("EXIT CRITERIA"));
    }
    for criterion in all {
        let who = || format!("{}, {} ago", name(&criterion["settled_by"]), ago(&criterion["settled_at"]));
        let stands = match criterion["state"].as_str() {
            Some("met") => format!("met  {}", soft(&who())),
            Some("waived") => format!("waived: {} {}", text(&criterion["reason"]), soft(&who())),
            _ => "open".to_owned(),
        };
        let _ = writeln!(out, "  {}. {}{}  {stands}", criterion["id"], text(&criterion["text"]), beside(criterion));
    }
}

/// To-dos and bugs filed.
pub fn todos(out: &mut String, state: &Value) {
    let all = state["todos"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !all.is_empty() {
        let _ = writeln!(out, "\n{}", soft("TO DO"));
    }
    for todo in all {
        let done = if todo["done_at"].is_null() { "" } else { "  done" };
        let _ = writeln!(out, "  {}. {}{}{done}", todo["id"], text(&todo["text"]), beside(todo));
    }
}

/// The written parts as they were marked last, and which of them the reader has not seen.
pub fn marked(out: &mut String, document: &Value) {
    for part in document["parts"].as_array().into_iter().flatten() {
        let heading = match part["part"].as_str().unwrap_or_default() {
            "summary" => "SUMMARY",
            "status" => "DETAILED STATUS",
            _ => "WORKING NOTES",
        };
        let new = if part["new"] == true { ", new to you" } else { "" };
        let _ = writeln!(out, "\n{}", soft(&format!("{heading}, as of entry {}{new}", document["entry"])));
        for line in text(&part["text"]).lines() {
            let _ = writeln!(out, "  {line}");
        }
    }
}

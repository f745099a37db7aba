//! `wardroom criterion` and `wardroom todo`, and lists like these: what is said anew replaces what stands there, so that is read first.

use serde_json::Value;
use wardroom_core::command::Command;
use wardroom_core::id::{Entry, Number};

use super::act::told;
use crate::args::{Criterion, Remote, Todo};
use crate::client::Client;

/// The entry that said what stands there, and what it said.
pub(super) struct Standing {
    pub(super) entry: Option<Entry>,
    pub(super) words: Option<String>,
}

impl Standing {
    /// What somebody says that they have read, or else what stands there now.
    pub(super) fn read(list: &List<'_>, id: u32, aspect: &str, replaces: Option<Entry>) -> anyhow::Result<Self> {
        if replaces.is_some() {
            return Ok(Self { entry: replaces, words: None });
        }
        let view = list.client.get(&format!("/api/v1/incidents/{}", list.number.get()))?;
        let item = view[list.name].as_array().into_iter().flatten().find(|item| item["id"] == id);
        let there = item.map_or(&Value::Null, |item| &item[aspect]);
        Ok(Self {
            entry: item.and_then(|item| item[format!("{aspect}_entry")].as_u64()).map(Entry),
            words: there.as_str().or(there["name"].as_str()).map(str::to_owned),
        })
    }

    /// Words always have an entry that said them, unless there is nothing of this number: the server says so then.
    pub(super) fn said(&self) -> Entry {
        self.entry.unwrap_or(Entry(0))
    }
}

/// A list of an incident.
pub(super) struct List<'a> {
    pub(super) client: &'a Client,
    pub(super) number: Number,
    pub(super) name: &'static str,
}

/// Does something with an exit criterion.
pub fn criterion(client: &Client, remote: &Remote, number: Number, verb: Criterion) -> anyhow::Result<()> {
    let list = List { client, number, name: "criteria" };
    let read = |id, aspect, replaces| Standing::read(&list, id, aspect, replaces);
    let (command, before) = match verb {
        Criterion::Add { text } => (Command::AddCriterion { text }, None),
        Criterion::Reword { criterion, text, replaces } => {
            let before = read(criterion, "text", replaces)?;
            (Command::RewordCriterion { criterion, text, replaces: before.said() }, before.words)
        }
        Criterion::Assign { criterion, person, replaces } => {
            let before = read(criterion, "owner", replaces)?;
            (Command::AssignCriterion { criterion, person, replaces: before.entry }, before.words)
        }
        Criterion::Meet { criterion } => (Command::MeetCriterion { criterion }, None),
        Criterion::Reopen { criterion, reason } => (Command::ReopenCriterion { criterion, reason }, None),
        Criterion::Waive { criterion, reason } => (Command::WaiveCriterion { criterion, reason }, None),
        Criterion::Link { criterion, bug, replaces } => {
            let before = read(criterion, "bug", replaces)?;
            (Command::LinkCriterion { criterion, bug, replaces: before.entry }, before.words)
        }
    };
    list.done(remote, &command, before)
}

/// Does something with a to-do.
pub fn todo(client: &Client, remote: &Remote, number: Number, verb: Todo) -> anyhow::Result<()> {
    let list = List { client, number, name: "todos" };
    let read = |id, aspect, replaces| Standing::read(&list, id, aspect, replaces);
    let (command, before) = match verb {
        Todo::Add { text, person, bug } => (Command::AddTodo { text, person, bug }, None),
        Todo::Reword { todo, text, replaces } => {
            let before = read(todo, "text", replaces)?;
            (Command::RewordTodo { todo, text, replaces: before.said() }, before.words)
        }
        Todo::Assign { todo, person, replaces } => {
            let before = read(todo, "owner", replaces)?;
            (Command::AssignTodo { todo, person, replaces: before.entry }, before.words)
        }
        Todo::Finish { todo } => (Command::FinishTodo { todo }, None),
        Todo::Reopen { todo } => (Command::ReopenTodo { todo }, None),
        Todo::Link { todo, bug, replaces } => {
            let before = read(todo, "bug", replaces)?;
            (Command::LinkTodo { todo, bug, replaces: before.entry }, before.words)
        }
    };
    list.done(remote, &command, before)
}

impl List<'_> {
    pub(super) fn done(&self, remote: &Remote, command: &Command, before: Option<String>) -> anyhow::Result<()> {
        let answer = self.client.command(self.number, command)?;
        told(self.client, remote, self.number, &answer)?;
        if let Some(before) = before.filter(|_| !remote.json) {
            // Nothing is replaced without a word, even where nobody else was there.
            println!("  before: {before}");
        }
        Ok(())
    }
}

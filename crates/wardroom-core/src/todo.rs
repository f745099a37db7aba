//! To-dos, and the bugs filed for them: who does what besides the incident's own work.
//!
//! Every responder adds to-dos, takes one that nobody has, and looks after their own: those that they added or have.
//! Those of others are planning's to look after, and command's.

use serde::{Deserialize, Serialize};

use crate::authority::Act;
use crate::event::{Event, Recorded};
use crate::id::{Entry, PersonId, Time, Who};
use crate::incident::{Asking, Decision, Incident};
use crate::link::{self, NoLink};
use crate::refusal::{Code, Refusal};
use crate::role::Duty;
use crate::said::{Aspect, LastSaid};
use crate::text::{Line, Text};

/// More than this belong into the tracker.
const TODOS_MAX: usize = 300;

/// Something to do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Todo {
    /// Its number in this incident, counted from 1.
    pub id: u32,
    /// In one line.
    pub text: Text,
    /// Who does it, if somebody does.
    pub owner: Option<PersonId>,
    /// Where it is tracked: an https link.
    pub bug: Option<Text>,
    /// Who added it.
    pub by: PersonId,
    /// When.
    pub at: Time,
    /// Who said last what stands here. Events do not carry it: it follows from where they stand.
    #[serde(default, skip_serializing_if = "LastSaid::is_empty")]
    pub said: LastSaid,
    /// Who said that it is done, and when.
    pub done: Option<Done>,
}

/// That a to-do is done.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Done {
    /// Who said so.
    pub by: PersonId,
    /// When.
    pub at: Time,
}

/// What can be done with a to-do, for surfaces that show what their reader may do there.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum TodoAct {
    /// Saying it in other words.
    Reword,
    /// Doing it oneself.
    Take,
    /// Giving it to somebody, or to nobody.
    Assign,
    /// Saying that it is done.
    Finish,
    /// Saying that it is open again.
    Reopen,
    /// Saying where it is tracked.
    Link,
}

impl TodoAct {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Reword, Self::Take, Self::Assign, Self::Finish, Self::Reopen, Self::Link];
}

/// How a link to a bug begins.
const SCHEMES: [&str; 1] = ["https://"];

/// What a line says, and where it is tracked, if it ends with a link to that: whoever types one line names both with it.
/// What is no link because of the password in it was meant as one, and is told so.
fn with_its_bug(line: Line, bug: Option<Line>) -> (Line, Option<Line>) {
    let words = line.as_str();
    let meant = |link: &str| link::check(link, &SCHEMES) != Err(NoLink::Wrong);
    let last = words.rsplit_once(char::is_whitespace).filter(|(_, link)| bug.is_none() && meant(link));
    let both = last.and_then(|(text, link)| Some((text.parse().ok()?, link.parse().ok()?)));
    both.map_or((line, bug), |(text, link)| (text, Some(link)))
}

/// A link to a bug as an event carries it. It is opened by one click, so it goes only where a browser can safely go.
///
/// # Errors
/// [`Code::Invalid`] for another link than https or one with a password in it, [`Code::AlreadySo`] for the one that is there.
pub(crate) fn bug_link(known: Option<&Text>, bug: Option<Line>) -> Result<Option<Text>, Refusal> {
    if let Some(bug) = &bug {
        let wrong = "A link to a bug starts with https:// and a host, and has no spaces.";
        link::check(bug.as_str(), &SCHEMES).map_err(|no| no.refusal(wrong))?;
    }
    if known.is_none() && bug.is_none() {
        return Err(Refusal::new(Code::AlreadySo, "No bug is linked there."));
    }
    if known.and_then(Text::words).is_some_and(|known| bug.as_ref().is_some_and(|bug| bug.as_str() == known)) {
        return Err(Refusal::new(Code::AlreadySo, "This bug is linked there already."));
    }
    Ok(bug.map(Into::into))
}

impl Incident {
    /// What the asker may do with a to-do now.
    #[must_use]
    pub fn may_with_todo(&self, ask: &Asking<'_>, todo: u32) -> Vec<TodoAct> {
        let may = |act: &TodoAct| self.takes_changes() && self.todo_for(ask, todo, *act).is_ok();
        TodoAct::ALL.into_iter().filter(may).collect()
    }

    /// Whether the asker may add a to-do now.
    #[must_use]
    pub fn may_add_todo(&self, ask: &Asking<'_>) -> bool {
        self.takes_changes() && self.room_for_a_todo(ask).is_ok()
    }

    fn room_for_a_todo(&self, ask: &Asking<'_>) -> Result<PersonId, Refusal> {
        let by = self.require(ask, &Act::Respond)?;
        if self.todos.len() >= TODOS_MAX {
            let sentence = format!("There are {TODOS_MAX} to-dos here already. Put further ones into your tracker.");
            return Err(Refusal::new(Code::TooMany, sentence));
        }
        Ok(by)
    }

    /// Who asks, and the to-do that they may do this with.
    fn todo_for(&self, ask: &Asking<'_>, todo: u32, act: TodoAct) -> Result<(PersonId, &Todo), Refusal> {
        let person = self.require(ask, &Act::Respond)?;
        let known = self
            .todos
            .iter()
            .find(|known| known.id == todo)
            .ok_or_else(|| Refusal::new(Code::NotThere, format!("There is no to-do {todo} here.")))?;
        let theirs = known.by == person || known.owner == Some(person);
        let nobodys = act == TodoAct::Take && known.owner.is_none();
        if !theirs && !nobodys {
            self.require(ask, &Act::DutyOrCommand(Duty::Planning))?;
        }
        let already = match (act, &known.done) {
            (TodoAct::Reopen, None) => "open already",
            (TodoAct::Finish, Some(_)) => "done already",
            (TodoAct::Reword | TodoAct::Take | TodoAct::Assign, Some(_)) => "done. Reopen it first",
            (TodoAct::Take, None) if known.owner == Some(person) => "yours already",
            _ => return Ok((person, known)),
        };
        Err(Refusal::new(Code::AlreadySo, format!("To-do {todo} is {already}.")))
    }

    pub(crate) fn add_todo(
        &self,
        ask: &Asking<'_>,
        text: Line,
        person: Option<Who>,
        bug: Option<Line>,
    ) -> Result<Decision, Refusal> {
        let by = self.room_for_a_todo(ask)?;
        let owner = person.map(|who| self.who_is_here(ask, &who)).transpose()?;
        let (text, bug) = with_its_bug(text, bug);
        let bug = bug.map(|bug| bug_link(None, Some(bug))).transpose()?.flatten();
        Ok(Event::TodoAdded { todo: self.todos_added + 1, text: text.into(), owner, bug, by }.into())
    }

    pub(crate) fn reword_todo(
        &self,
        ask: &Asking<'_>,
        todo: u32,
        text: Line,
        replaces: Entry,
    ) -> Result<Decision, Refusal> {
        let (_, known) = self.todo_for(ask, todo, TodoAct::Reword)?;
        if known.text.words() == Some(text.as_str()) {
            return Err(Refusal::new(Code::AlreadySo, format!("To-do {todo} says that already.")));
        }
        known.said.words_were_read(ask, &format!("to-do {todo}"), &known.text, replaces)?;
        Ok(Event::TodoReworded { todo, text: text.into() }.into())
    }

    pub(crate) fn assign_todo(
        &self,
        ask: &Asking<'_>,
        todo: u32,
        person: Option<Who>,
        replaces: Option<Entry>,
    ) -> Result<Decision, Refusal> {
        let asker = ask.active_person()?;
        let owner = person.map(|who| self.who_is_here(ask, &who)).transpose()?;
        let act = if owner == Some(asker) { TodoAct::Take } else { TodoAct::Assign };
        let (_, known) = self.todo_for(ask, todo, act)?;
        if known.owner == owner {
            return Err(Refusal::new(Code::AlreadySo, format!("To-do {todo} is assigned so already.")));
        }
        known.said.owner_was_read(ask, &format!("to-do {todo}"), known.owner, replaces)?;
        Ok(Event::TodoAssigned { todo, owner }.into())
    }

    pub(crate) fn finish_todo(&self, ask: &Asking<'_>, todo: u32) -> Result<Decision, Refusal> {
        let (by, _) = self.todo_for(ask, todo, TodoAct::Finish)?;
        Ok(Event::TodoFinished { todo, by }.into())
    }

    pub(crate) fn reopen_todo(&self, ask: &Asking<'_>, todo: u32) -> Result<Decision, Refusal> {
        self.todo_for(ask, todo, TodoAct::Reopen)?;
        Ok(Event::TodoReopened { todo }.into())
    }

    pub(crate) fn link_todo(
        &self,
        ask: &Asking<'_>,
        todo: u32,
        bug: Option<Line>,
        replaces: Option<Entry>,
    ) -> Result<Decision, Refusal> {
        let (_, known) = self.todo_for(ask, todo, TodoAct::Link)?;
        let bug = bug_link(known.bug.as_ref(), bug)?;
        known.said.bug_was_read(ask, &format!("to-do {todo}"), known.bug.as_ref(), replaces)?;
        Ok(Event::TodoLinked { todo, bug }.into())
    }

    pub(crate) fn evolve_todos(&mut self, recorded: &Recorded) {
        let at = recorded.at;
        if let Event::TodoAdded { todo, text, owner, bug, by } = &recorded.event {
            let (text, bug) = (text.clone(), bug.clone());
            let said = LastSaid::default();
            self.take_todo(recorded, Todo { id: *todo, text, owner: *owner, bug, by: *by, at, said, done: None });
            return;
        }
        let (Event::TodoReworded { todo, .. }
        | Event::TodoAssigned { todo, .. }
        | Event::TodoFinished { todo, .. }
        | Event::TodoReopened { todo }
        | Event::TodoLinked { todo, .. }) = &recorded.event
        else {
            return;
        };
        let Some(known) = self.todos.iter_mut().find(|known| known.id == *todo) else { return };
        match &recorded.event {
            Event::TodoReworded { text, .. } => {
                known.text = text.clone();
                known.said.anew(Aspect::Text, recorded, known.by);
            }
            Event::TodoAssigned { owner, .. } => {
                known.owner = *owner;
                known.said.anew(Aspect::Owner, recorded, known.by);
            }
            Event::TodoFinished { by, .. } => known.done = Some(Done { by: *by, at }),
            Event::TodoReopened { .. } => known.done = None,
            Event::TodoLinked { bug, .. } => {
                known.bug = bug.clone();
                known.said.anew(Aspect::Bug, recorded, known.by);
            }
            _ => {}
        }
    }

    /// One more, of this incident or of one that it absorbs.
    pub(crate) fn take_todo(&mut self, recorded: &Recorded, todo: Todo) {
        let said = LastSaid::at_first(recorded, todo.by, todo.owner, todo.bug.as_ref());
        self.todos_added = self.todos_added.max(todo.id);
        self.todos.push(Todo { said, ..todo });
    }
}

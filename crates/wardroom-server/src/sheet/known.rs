//! What a sheet says: the folded state, and what people wrote. Pure.

mod changes;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use wardroom_core::criterion::{Criterion, CriterionState};
use wardroom_core::document::Part;
use wardroom_core::facts::Facts;
use wardroom_core::id::{PersonId, Time};
use wardroom_core::incident::{Incident, Kind, Phase};
use wardroom_core::offer::Recipient;
use wardroom_core::role::RolePath;
use wardroom_core::text::Text;
use wardroom_core::todo::Todo;

use super::{Block, Extent, Item, Line, Place, Section, Sheet, Span, one_line};

/// What people wrote in a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Writing {
    /// Each part; one in which nothing was ever written may be missing.
    Read(BTreeMap<Part, PartRead>),
    /// It cannot be read: its record is damaged.
    Damaged,
}

/// A part as it is written now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartRead {
    /// Its words.
    pub words: String,
    /// When it last changed, and by whom.
    pub changed: Option<(Time, PersonId)>,
}

/// An incident's sheet.
#[must_use]
pub fn sheet(incident: &Incident, facts: &Facts, writing: &Writing, place: Place, timeline: Extent) -> Sheet {
    let teller = Teller { incident, facts, writing, place: &place };
    let mut sections = vec![
        teller.part(Part::Summary),
        teller.posts(),
        teller.hierarchy(),
        teller.next_commander(),
        teller.part(Part::Status),
        teller.differing(),
        teller.criteria(),
        teller.todos(),
        teller.part(Part::Notes),
    ];
    sections.extend(teller.changes());
    sections.extend(teller.roadblocks());
    let (title, stands) = (one_line(&incident.title.to_string()), teller.stands());
    Sheet { place, title, stands, sections, timeline }
}

struct Teller<'a> {
    incident: &'a Incident,
    facts: &'a Facts,
    writing: &'a Writing,
    place: &'a Place,
}

fn said(words: impl Into<String>) -> Span {
    Span::Plain(words.into())
}

fn strong(words: impl Into<String>) -> Span {
    Span::Strong(words.into())
}

fn moment(at: Time) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A duration in its largest unit that says enough.
fn span(long: SignedDuration) -> String {
    match long.as_secs() {
        ..60 => "less than a minute".to_owned(),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds @ 3_600..172_800 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        seconds => format!("{} days", seconds / 86_400),
    }
}

fn item(line: Line) -> Item {
    Item { depth: 0, done: None, line }
}

fn first_large(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

impl Teller<'_> {
    fn name(&self, person: PersonId) -> String {
        one_line(self.facts.name(person))
    }

    fn ago(&self, at: Time) -> String {
        format!("{} before this sheet", span(self.place.at.duration_since(at)))
    }

    /// In which phase it is, who commands, what is affected, and as of when all this is so.
    fn stands(&self) -> Vec<Line> {
        let incident = self.incident;
        let kind = match incident.kind {
            Kind::Incident => "incident",
            Kind::Planned => "planned operation",
            Kind::Drill => "drill",
        };
        let phase = first_large(incident.phase.word());
        let severity = format!("{:?}", incident.severity).to_lowercase();
        let since = format!(
            ", {severity}, {kind} {}, for {} (since {})",
            incident.number,
            span(self.place.at.duration_since(incident.phase_since)),
            moment(incident.phase_since)
        );
        let over = matches!(incident.phase, Phase::Closed | Phase::Merged);
        let lead = match (incident.declared_at, over) {
            (None, _) => "Lead",
            (Some(_), false) => "Incident commander",
            (Some(_), true) => "Last incident commander",
        };
        let mut stands: Vec<Line> = vec![vec![strong(phase), said(since)]];
        if let Some(into) = incident.merged_into {
            stands.push(vec![said(format!("It is part of {into} now. Go on there."))]);
        }
        let mut commander = vec![said(format!("{lead}: ")), strong(self.name(incident.commander()))];
        if let Some(unseen) = incident.absence.unseen_since {
            commander.push(said(format!(", not seen since {}", moment(unseen))));
        }
        stands.push(commander);
        if !incident.services.is_empty() {
            let services: Vec<&str> = incident.services.iter().map(|service| service.as_str()).collect();
            stands.push(vec![said(format!("Affects {}", services.join(", ")))]);
        }
        if let Some(began) = incident.began {
            stands.push(vec![said(format!("Impact began {}", moment(began)))]);
        }
        if incident.restricted {
            stands.push(vec![strong("Restricted: only the invited know of it. Mind who sees this sheet.")]);
        }
        if let Some(why) = &incident.unreadable {
            stands.push(vec![said(format!("Not all of its record could be read: {}", one_line(why)))]);
        }
        stands.push(self.made());
        stands
    }

    /// As of when a sheet is, and where what is newer stands.
    fn made(&self) -> Line {
        let mut made = vec![said(format!(
            "As of {}, entry {} of its log (position {}).",
            moment(self.place.at),
            self.incident.last_entry,
            self.place.position
        ))];
        if self.place.origin.is_some() {
            made.push(said(" What is newer stands at "));
            made.push(Span::Link(self.place.address(), self.place.address()));
        }
        made
    }

    /// What people wrote, with its age.
    fn part(&self, part: Part) -> Section {
        let title = match part {
            Part::Summary => "Summary",
            Part::Status => "Detailed status",
            Part::Notes => "Working notes",
        };
        let Writing::Read(parts) = self.writing else {
            let sentence = "This part cannot be read: its record on the server is damaged. Everything else on this sheet \
                            is from the log. Ask whoever runs the server to type: wardroom verify";
            return Section { title, blocks: vec![Block::Line(vec![strong(sentence)])] };
        };
        let read = parts.get(&part);
        let changed = read.and_then(|read| read.changed);
        let mut ages = Vec::new();
        if let Some((at, by)) = changed {
            ages.push(format!("last updated at {} by {}, {}", moment(at), self.name(by), self.ago(at)));
        }
        let standing = self.incident.part_standing(part, changed.map(|(at, _)| at), self.place.at);
        if let Some(stamp) = standing.stamp {
            let (at, by) = (stamp.at, self.name(stamp.by));
            ages.push(format!("still true as of {}, says {by}, {}", moment(at), self.ago(at)));
        }
        if standing.changed_since {
            ages.push("changed since".to_owned());
        }
        if let Some(since) = standing.late_since {
            ages.push(format!("to be confirmed since {}", moment(since)));
        }
        let words = read.map(|read| read.words.as_str()).filter(|words| !words.trim().is_empty());
        let mut blocks = Vec::new();
        if !ages.is_empty() {
            blocks.push(Block::Age(vec![said(first_large(&ages.join("; ")))]));
        }
        blocks.push(match words {
            Some(words) => Block::Written(words.to_owned()),
            None => Block::Line(vec![said("Nothing is written here.")]),
        });
        Section { title, blocks }
    }

    fn posts(&self) -> Section {
        let mut items: Vec<Item> = Vec::new();
        for post in &self.incident.posts {
            let label = one_line(&post.label.to_string());
            items.push(item(vec![match post.link.as_ref().and_then(Text::words) {
                Some(link) => Span::Link(label, one_line(link)),
                None => said(label),
            }]));
        }
        if self.place.origin.is_some() {
            items.push(item(vec![Span::Link(self.place.address(), self.place.address())]));
        }
        Section { title: "Command posts", blocks: vec![listed(items, "None is named.")] }
    }

    fn hierarchy(&self) -> Section {
        let incident = self.incident;
        let mut items: Vec<Item> = Vec::new();
        for (path, role) in &incident.roles {
            let duty = path.as_str().rsplit('/').next().unwrap_or_default();
            let depth = if path.is_command() { 0 } else { 1 + path.as_str().matches('/').count() };
            let label = match path.is_command() {
                true if incident.declared_at.is_none() => "Lead".to_owned(),
                true => "Incident command".to_owned(),
                false => first_large(duty),
            };
            let mut line = vec![said(format!("{label}: "))];
            match (incident.holder(path), incident.effective_holder(path)) {
                (Some(holder), _) => line.push(strong(self.name(holder))),
                (None, Some(above)) => line.push(said(format!("with {}", self.name(above)))),
                (None, None) => {
                    line.push(said(format!("nobody any more; {} was last", self.name(incident.commander()))))
                }
            }
            if !role.members.is_empty() {
                let members: Vec<String> = role.members.iter().map(|member| self.name(*member)).collect();
                line.push(said(format!("; with them: {}", members.join(", "))));
            }
            items.push(Item { depth, done: None, line });
        }
        let busy = |person: &PersonId| {
            incident
                .roles
                .iter()
                .any(|(path, role)| incident.holder(path) == Some(*person) || role.members.contains(person))
        };
        let here = incident.responders.keys().filter(|person| self.facts.active(**person) && !busy(person));
        let others: Vec<String> = here.map(|person| self.name(*person)).collect();
        if !others.is_empty() {
            items.push(item(vec![said(format!("Also here: {}", others.join(", ")))]));
        }
        Section { title: "Command hierarchy", blocks: vec![Block::Items(items)] }
    }

    fn next_commander(&self) -> Section {
        let line = match self.incident.pending_offer(&RolePath::command(), self.place.at).map(|offer| &offer.to) {
            None => vec![said("To be determined.")],
            Some(Recipient::Person(person)) => vec![strong(self.name(*person)), said(", once they take it.")],
            Some(Recipient::Team(team)) => {
                vec![said(format!("Somebody of the team {}, once they take it.", team.as_str()))]
            }
        };
        Section { title: "Next incident commander", blocks: vec![Block::Line(line)] }
    }

    fn criteria(&self) -> Section {
        let criterion = |criterion: &Criterion| {
            let mut line = vec![said(one_line(&criterion.text.to_string()))];
            let stands = match &criterion.state {
                CriterionState::Open => " — open".to_owned(),
                CriterionState::Met { by, at } => format!(" — met, says {}, {}", self.name(*by), moment(*at)),
                CriterionState::Waived { by, at, reason } => {
                    let reason = one_line(&reason.to_string());
                    format!(" — waived by {}, {}: {reason}", self.name(*by), moment(*at))
                }
            };
            line.push(said(stands));
            line.extend(self.beside(criterion.owner, criterion.bug.as_ref()));
            // What was waived is neither met nor left to be done.
            let done = match &criterion.state {
                CriterionState::Open => Some(false),
                CriterionState::Met { .. } => Some(true),
                CriterionState::Waived { .. } => None,
            };
            Item { depth: 0, done, line }
        };
        let items = self.incident.criteria.iter().map(criterion).collect();
        Section { title: "Exit criteria", blocks: vec![listed(items, "None is written down.")] }
    }

    fn todos(&self) -> Section {
        let todo = |todo: &Todo| {
            let mut line = vec![said(one_line(&todo.text.to_string()))];
            if let Some(done) = todo.done {
                line.push(said(format!(" — done, says {}, {}", self.name(done.by), moment(done.at))));
            }
            line.extend(self.beside(todo.owner, todo.bug.as_ref()));
            Item { depth: 0, done: Some(todo.done.is_some()), line }
        };
        let items = self.incident.todos.iter().map(todo).collect();
        Section { title: "To-do list and bugs filed", blocks: vec![listed(items, "Nothing is on it.")] }
    }

    /// Who has it, and where its bug is tracked.
    fn beside(&self, owner: Option<PersonId>, bug: Option<&Text>) -> Line {
        let mut line = Vec::new();
        if let Some(owner) = owner {
            line.push(said(format!(" ({})", self.name(owner))));
        }
        if let Some(bug) = bug.and_then(Text::words).map(one_line) {
            line.push(said(" "));
            line.push(Span::Link(bug.clone(), bug));
        }
        line
    }

    /// What stops somebody, if anything does.
    fn roadblocks(&self) -> Option<Section> {
        let block = |block: &wardroom_core::roadblock::Roadblock| {
            let (text, by) = (one_line(&block.text.to_string()), self.name(block.by));
            item(vec![said(format!("{text} ({by}, {}, {})", block.role, moment(block.at)))])
        };
        let items: Vec<Item> = self.incident.roadblocks.iter().map(block).collect();
        (!items.is_empty()).then(|| Section { title: "Roadblocks", blocks: vec![Block::Items(items)] })
    }
}

/// A list, or that there is nothing in it.
fn listed(items: Vec<Item>, nothing: &str) -> Block {
    if items.is_empty() { Block::Line(vec![said(nothing)]) } else { Block::Items(items) }
}

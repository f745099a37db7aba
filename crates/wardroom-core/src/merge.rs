//! Merging: one incident is absorbed by another, in one atomic append to both streams.
//!
//! It takes command of both, so that nobody's incident ends without their handing it over. The absorbed
//! incident's people stay at work: its responders join, and whoever held or worked in a role becomes a
//! member of the same role (or the nearest above it that exists) in the other. No holder of the absorbing
//! incident is displaced (rule 3). Open roadblocks, exit criteria, to-dos and changes, what was seen and is not sorted, and command posts go along; pending offers, asks and
//! clocks of the absorbed incident end with it, and so does the part of its guests: nobody of the other
//! incident let them in there.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::authority::Act;
use crate::change::Change;
use crate::criterion::Criterion;
use crate::event::{Event, Recorded};
use crate::id::{Number, PersonId, ServiceName, Time};
use crate::incident::{Asking, Decision, Incident, Kind, Phase, Post};
use crate::refusal::{Code, Refusal, Remedy};
use crate::responder::Responder;
use crate::roadblock::Roadblock;
use crate::role::RolePath;
use crate::said::LastSaid;
use crate::sighting::NewSighting;
use crate::text::Text;
use crate::todo::Todo;

/// What came along from an incident that was absorbed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Absorbed {
    /// From which incident.
    pub from: Number,
    /// When impact began there, if somebody said so.
    pub began: Option<Time>,
    /// Who joined there.
    pub responders: BTreeSet<PersonId>,
    /// Who held or worked in a role there, by the role that they work in here.
    pub members: BTreeMap<RolePath, BTreeSet<PersonId>>,
    /// Those that nobody cleared, numbered as here.
    pub roadblocks: Vec<Roadblock>,
    /// What was affected there.
    pub services: BTreeSet<ServiceName>,
    /// Those of them that the directory did not know.
    pub unknown_services: BTreeSet<ServiceName>,
    /// Command posts that were not known here, numbered as here.
    pub posts: Vec<Post>,
    /// The open exit criteria, numbered as here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<Criterion>,
    /// The open to-dos, numbered as here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub todos: Vec<Todo>,
    /// The changes that differ from normal or are only announced, numbered as here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Changes that were seen and that operations have not sorted, numbered as here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sightings: Vec<NewSighting>,
}

impl Incident {
    pub(crate) fn merge(&self, ask: &Asking<'_>, into: Number) -> Result<Decision, Refusal> {
        let person = self.require(ask, &Act::Command)?;
        if into == self.number {
            return Err(Refusal::new(Code::Invalid, "An incident cannot be merged into itself."));
        }
        let other = ask
            .other
            .filter(|other| other.number == into && other.visible_to(person, ask.facts))
            .ok_or_else(|| Refusal::no_such_incident(into))?;
        let ask = &Asking { now: ask.now.max(other.last_at), ..*ask };
        self.can_merge_into(ask, other)?;
        let here = vec![Event::MergedInto { into, commander: self.commander() }];
        let brought = self.brought_to(other);
        let parts = other.are_lines_of(&brought.changes, person);
        let there = std::iter::once(Event::Absorbed(brought)).chain(parts).collect();
        Ok(Decision { here, there, ..Decision::default() })
    }

    fn can_merge_into(&self, ask: &Asking<'_>, other: &Incident) -> Result<(), Refusal> {
        if let Some(why) = &other.unreadable {
            return Err(Refusal::new(Code::ReadOnly, format!("Incident {} is read-only here: {why}.", other.number)));
        }
        if !other.phase.is_open() || other.phase == Phase::Investigating {
            return Err(Refusal::new(
                Code::WrongPhase,
                format!(
                    "Incident {} is {}; merge into one that is declared and open.",
                    other.number,
                    other.phase.word()
                ),
            ));
        }
        if (self.kind == Kind::Drill) != (other.kind == Kind::Drill) {
            return Err(Refusal::new(Code::WrongKind, "A drill and a real incident are never merged."));
        }
        if self.example.is_some() || other.example.is_some() {
            return Err(Refusal::new(Code::WrongKind, "The example stands for itself and is never merged."));
        }
        if self.restricted && !other.restricted {
            return Err(Refusal::new(
                Code::Invalid,
                format!("This incident is restricted and {} is not; merging would tell everybody of it.", other.number),
            ));
        }
        if other.restricted && !self.restricted {
            return Err(Refusal::new(
                Code::Invalid,
                format!(
                    "Incident {} is restricted and this one is not; merging would tell everybody of it. Restrict this one first.",
                    other.number
                ),
            )
            .remedy(Remedy::Restrict));
        }
        other.require(ask, &Act::Command).map_err(|refusal| {
            let sentence = format!(
                "Merging takes command of both. {} commands {}: offer them command of this one, or ask for theirs.",
                ask.facts.name(other.commander()),
                other.number
            );
            Refusal { sentence, remedy: Some(Remedy::Offer { role: RolePath::command() }), ..refusal }
        })?;
        Ok(())
    }

    fn brought_to(&self, other: &Incident) -> Absorbed {
        let nearest = |path: &RolePath| {
            path.upward().find(|path| other.roles.contains_key(path)).unwrap_or_else(RolePath::command)
        };
        // By their words: the same words have another seal in another stream.
        let words = |post: &Post| {
            (post.label.words().map(str::to_owned), post.link.as_ref().and_then(Text::words).map(str::to_owned))
        };
        let known = |post: &Post| other.posts.iter().any(|theirs| words(theirs) == words(post));
        let mut members: BTreeMap<RolePath, BTreeSet<PersonId>> = BTreeMap::new();
        for (path, role) in &self.roles {
            let there = nearest(path);
            if there.is_command() {
                continue; // Working under command itself carries no authority; those people simply join.
            }
            let holder = role.holder.map(|tenure| tenure.person);
            let people = role.members.iter().copied().chain(holder).filter(|person| !self.guests.contains_key(person));
            let new = people.filter(|person| other.holder(&there) != Some(*person));
            members.entry(there.clone()).or_default().extend(new);
        }
        members.retain(|_, people| !people.is_empty());
        Absorbed {
            from: self.number,
            began: self.began,
            responders: self.responders.keys().copied().filter(|person| !self.guests.contains_key(person)).collect(),
            members,
            roadblocks: (other.roadblocks_raised + 1..)
                .zip(&self.roadblocks)
                .map(|(id, block)| Roadblock {
                    id,
                    role: nearest(&block.role),
                    text: block.text.anew(),
                    ..block.clone()
                })
                .collect(),
            services: self.services.clone(),
            unknown_services: self.unknown_services.clone(),
            posts: (other.posts_added + 1..)
                .zip(self.posts.iter().filter(|post| !known(post)))
                .map(|(id, post)| Post { id, label: post.label.anew(), link: post.link.as_ref().map(Text::anew) })
                .collect(),
            criteria: self.open_criteria(other.criteria_added),
            todos: self.open_todos(other.todos_added),
            changes: self.open_changes(other),
            sightings: self.unsorted_sightings(other),
        }
    }

    fn open_criteria(&self, before: u32) -> Vec<Criterion> {
        let open = self.criteria.iter().filter(|criterion| criterion.is_open());
        let anew = |(id, criterion): (u32, &Criterion)| Criterion {
            id,
            text: criterion.text.anew(),
            bug: criterion.bug.as_ref().map(Text::anew),
            owner: self.goes_along(criterion.owner),
            said: LastSaid::default(),
            ..criterion.clone()
        };
        (before + 1..).zip(open).map(anew).collect()
    }

    fn open_todos(&self, before: u32) -> Vec<Todo> {
        let open = self.todos.iter().filter(|todo| todo.done.is_none());
        let anew = |(id, todo): (u32, &Todo)| Todo {
            id,
            text: todo.text.anew(),
            bug: todo.bug.as_ref().map(Text::anew),
            owner: self.goes_along(todo.owner),
            said: LastSaid::default(),
            ..todo.clone()
        };
        (before + 1..).zip(open).map(anew).collect()
    }

    /// An owner, unless they are a guest: those stay behind.
    fn goes_along(&self, owner: Option<PersonId>) -> Option<PersonId> {
        owner.filter(|person| !self.guests.contains_key(person))
    }

    pub(crate) fn evolve_merge(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::MergedInto { into, commander } => {
                self.phase = Phase::Merged;
                self.phase_since = recorded.at;
                self.merged_into = Some(*into);
                self.end_command(Some(*commander), recorded.at);
                self.roadblocks.clear();
                self.criteria.retain(|criterion| !criterion.is_open());
                self.todos.retain(|todo| todo.done.is_some());
                self.changes.retain(|change| !change.is_open());
                self.sightings.retain(|known| !known.is_unsorted());
            }
            Event::Absorbed(Absorbed {
                began,
                responders,
                members,
                roadblocks,
                services,
                unknown_services,
                posts,
                criteria,
                todos,
                ..
            }) => {
                criteria.iter().for_each(|criterion| self.take_criterion(recorded, criterion.clone()));
                todos.iter().for_each(|todo| self.take_todo(recorded, todo.clone()));
                self.began = [self.began, *began].into_iter().flatten().min();
                for person in responders {
                    self.responders.entry(*person).or_insert_with(|| Responder::new(recorded.at));
                    self.invited.insert(*person);
                }
                for (path, people) in members {
                    self.roles.entry(path.clone()).or_default().members.extend(people);
                }
                self.services.extend(services.iter().cloned());
                self.unknown_services.extend(unknown_services.iter().cloned());
                for block in roadblocks {
                    self.roadblocks_raised = self.roadblocks_raised.max(block.id);
                    self.roadblocks.push(block.clone());
                }
                for post in posts {
                    self.posts_added = self.posts_added.max(post.id);
                    self.posts.push(post.clone());
                }
            }
            _ => {}
        }
    }
}

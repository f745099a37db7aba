//! The example incident: the book's managed incident (Site Reliability Engineering, chapter 14), played by people who
//! are scripted, for one person who wants to know what commanding is like.
//!
//! It is a drill that only its player and its cast may see. The cast act through the same commands as anybody; what
//! they do next follows from the state ([`Incident::cue`]) and from how many lines of the script were said, which the
//! edge knows by their request ids. So any node can go on with it at any time, and two that do so say nothing twice.
//! It ends when its player has done nothing in it for a while.

mod settling;

use std::collections::BTreeMap;

use jiff::{SignedDuration, ToSpan};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::briefing::Briefed;
use crate::change::Change;
use crate::command::{Command, OfferTo};
use crate::directory::{Directory, DirectoryEvent};
use crate::event::{Event, Recorded};
use crate::facts::{Facts, Standing};
use crate::id::{Actor, Handle, Number, PersonId, Time, Who};
use crate::incident::{Asking, Incident, Kind, Phase, Severity};
use crate::offer::Recipient;
use crate::refusal::{Code, Refusal, Remedy};
use crate::role::RolePath;
use crate::text::Text;

/// What it is about.
pub const TITLE: &str = "A data centre stopped serving; a second one is struggling";
/// What it affects.
pub const SERVICES: [&str; 2] = ["shakespeare", "frontend"];
/// For how long its player may do nothing in it before it ends.
pub const IDLE_MINUTES: i64 = 30;
/// Examples that are played at once. Each is a few commands a minute.
pub const AT_ONCE: usize = 10;
/// How long after it was not taken command is offered again.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// Somebody of the cast.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Notices it, declares it, and then has operations.
    Mary,
    /// Commands it until her day ends.
    Sabrina,
    /// Balances the load, under operations.
    Josephine,
    /// Has communications.
    Robin,
    /// Would like to help, and asks first.
    Malcolm,
}

impl Part {
    /// Everybody, in the order in which they come in.
    pub const ALL: [Self; 5] = [Self::Mary, Self::Sabrina, Self::Josephine, Self::Robin, Self::Malcolm];

    /// What they are called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mary => "Mary",
            Self::Sabrina => "Sabrina",
            Self::Josephine => "Josephine",
            Self::Robin => "Robin",
            Self::Malcolm => "Malcolm",
        }
    }

    /// The same, as the command line has it where everybody is of the cast.
    #[must_use]
    pub fn handle(self) -> &'static str {
        match self {
            Self::Mary => "mary",
            Self::Sabrina => "sabrina",
            Self::Josephine => "josephine",
            Self::Robin => "robin",
            Self::Malcolm => "malcolm",
        }
    }
}

/// What makes an incident the example.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Example {
    /// For whom it is played.
    pub player: PersonId,
    /// Who plays whom.
    pub cast: BTreeMap<Part, PersonId>,
    /// When the player last did something in it.
    pub played_at: Time,
    /// Whether the player was offered command.
    pub offered: bool,
    /// Whether the player has had command.
    pub commanded: bool,
}

/// What somebody of the cast does next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cue {
    /// Who.
    pub by: PersonId,
    /// What.
    pub command: Command,
    /// Which line of the script it is; of none when it answers what the player did.
    pub line: Option<usize>,
}

/// What an example begins with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Beginning {
    /// Who opens it: Mary.
    pub by: PersonId,
    /// In the incident.
    pub here: Vec<Event>,
    /// In the directory: those of the cast whom it does not know yet.
    pub directory: Vec<DirectoryEvent>,
}

/// Begins one for whoever asks, who is in it from the start: nobody is called into a drill that they did not join
/// (rule 11). `open` are all examples that are not over, with whoever plays them.
///
/// # Errors
/// [`Code::NotActive`], [`Code::NotForGuests`]; [`Code::AlreadySo`] with the one that they are in, [`Code::TooMany`].
pub fn begin(
    number: Number,
    ask: &Asking<'_>,
    open: &BTreeMap<Number, PersonId>,
    fresh: &mut dyn FnMut() -> Uuid,
) -> Result<Beginning, Refusal> {
    let player = ask.active_person()?;
    if ask.facts.guest_of(player).is_some() {
        let sentence = "You are a guest here, in one incident. The example is for people of the house.";
        return Err(Refusal::new(Code::NotForGuests, sentence));
    }
    if let Some((incident, _)) = open.iter().find(|(_, by)| **by == player) {
        let sentence = format!("You are in the example already: it is incident {incident}. Go on there.");
        return Err(Refusal::new(Code::AlreadySo, sentence).remedy(Remedy::See { incident: *incident }));
    }
    if open.len() >= AT_ONCE {
        return Err(Refusal::new(Code::TooMany, "Too many people play right now. Try again in some minutes."));
    }
    let mut directory = Vec::new();
    let cast: BTreeMap<Part, PersonId> = Part::ALL
        .into_iter()
        .map(|part| {
            let known = ask.facts.people.values().find(|person| person.standing == Standing::Scripted(part));
            let person = known.map_or_else(|| PersonId(fresh()), |person| person.id);
            if known.is_none() {
                let handle = Text::said(ask.facts.free_handle(&format!("example-{}", part.handle())));
                directory.push(DirectoryEvent::ScriptedAdded { person, handle, name: Text::said(part.name()), part });
            }
            (part, person)
        })
        .collect();
    let services: std::collections::BTreeSet<_> = SERVICES.into_iter().map(words).collect();
    let by = cast[&Part::Mary];
    let opened = Event::Opened {
        number,
        title: Text::said(format!("Example: {TITLE}")),
        kind: Kind::Drill,
        phase: Phase::Investigating,
        severity: Severity::Sev2,
        unknown_services: services.iter().filter(|name| !ask.facts.services.contains_key(name)).cloned().collect(),
        services,
        began: None,
        restricted: true,
        by,
    };
    Ok(Beginning { by, here: vec![opened, Event::ExampleBegan { player, cast }], directory })
}

/// A line of the script that stands here. That each is well formed is tested.
fn words<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("the script's lines are well formed")
}

fn offer(path: &str, to: Who) -> Command {
    Command::OfferRole { role: words(path), to: OfferTo::Person(to), note: None }
}

fn take(path: &str, briefed: Option<Briefed>) -> Command {
    Command::TakeRole { role: words(path), briefed }
}

fn note(text: &str) -> Command {
    Command::Note { text: words(text), happened_at: None, pin: false }
}

/// From the opening until command is offered to the player: declared early, command handed over, roles separated.
#[must_use]
pub fn first_act(who: impl Fn(Part) -> Who) -> Vec<(Part, Command)> {
    use Part::{Josephine, Malcolm, Mary, Robin, Sabrina};
    let reason = Some(words("users see errors, and a second team is needed"));
    let quota = words("The load balancer's quota needs the capacity desk");
    let raised = Some(words("the capacity desk raised it by a third"));
    vec![
        (Sabrina, Command::Join {}),
        (Mary, Command::Declare {}),
        (Mary, Command::SetSeverity { severity: Severity::Sev1, reason }),
        (Mary, offer("command", who(Sabrina))),
        (Sabrina, take("command", Some(Briefed::ByVoice))),
        (Josephine, Command::Join {}),
        (Sabrina, offer("operations", who(Mary))),
        (Mary, take("operations", None)),
        (Mary, Command::Doing { text: Some(words("draining traffic from the third data centre")) }),
        (Robin, Command::Join {}),
        (Sabrina, offer("communications", who(Robin))),
        (Robin, take("communications", None)),
        (Mary, Command::OpenRole { role: words("operations/load") }),
        (Mary, offer("operations/load", who(Josephine))),
        (Josephine, take("operations/load", None)),
        (Josephine, Command::RaiseRoadblock { text: quota, role: None }),
        (Sabrina, Command::ClearRoadblock { roadblock: 1, how: raised }),
        (Malcolm, Command::Join {}),
        (Malcolm, note("I have a fix for the frontend that I could deploy. Asking first: does operations want it?")),
        (Mary, note("Not now, thank you. One change at a time.")),
    ]
}

/// What is said while the player commands, each in its phase.
fn second_act() -> [(Part, Phase, Command); 3] {
    [
        (Part::Josephine, Phase::Active, note("Load is balanced again; both data centres serve.")),
        (
            Part::Mary,
            Phase::Active,
            note("The error rate is back to normal. Say that it is mitigated, if you see it so too."),
        ),
        (
            Part::Sabrina,
            Phase::Mitigated,
            note("It is late for you too. Offer command to one of us when you like: we see it through."),
        ),
    ]
}

/// How many lines the script has.
#[must_use]
pub fn lines() -> usize {
    first_act(|_| Who::Id(PersonId(Uuid::nil()))).len() + second_act().len()
}

impl Example {
    /// Whether this person is of the cast.
    #[must_use]
    pub fn plays(&self, person: PersonId) -> bool {
        self.cast.values().any(|known| *known == person)
    }
}

impl Incident {
    /// What the cast do next, if there is something to do now. `said` says how many lines of the script were said,
    /// `beat` how long they leave between two acts, the player's among them: one has to be able to read along.
    #[must_use]
    pub fn cue(&self, said: usize, now: Time, beat: SignedDuration) -> Option<Cue> {
        let example = self.example.as_ref()?;
        if !self.phase.is_open() || self.unreadable.is_some() || now < self.last_at + beat {
            return None;
        }
        let first = first_act(|part| Who::Id(example.cast[&part]));
        if let Some((part, mut command)) = first.get(said).cloned() {
            if let Command::ClearRoadblock { roadblock, .. } = &mut command {
                // The player may have raised one too.
                let raised = self.roadblocks.iter().find(|known| example.plays(known.by));
                *roadblock = raised.map_or(*roadblock, |known| known.id);
            }
            return Some(Cue { by: example.cast[&part], command, line: Some(said) });
        }
        let answer = |(by, command)| Cue { by, command, line: None };
        self.takes_what_is_offered(example, now, beat)
            .or_else(|| self.gives_what_is_asked_for(example, now))
            .or_else(|| self.commands(example, now))
            .map(answer)
            .or_else(|| self.says_while_the_player_commands(example, said, first.len()))
    }

    /// An offer to one of the cast is looked at for a moment and taken.
    fn takes_what_is_offered(&self, example: &Example, now: Time, beat: SignedDuration) -> Option<(PersonId, Command)> {
        self.offers.iter().filter(|(_, offer)| !offer.lapsed(now) && now >= offer.at + beat * 2).find_map(
            |(role, offer)| match offer.to {
                Recipient::Person(to) if example.plays(to) => {
                    let briefed = role.is_command().then_some(Briefed::To(self.last_entry));
                    Some((to, Command::TakeRole { role: role.clone(), briefed }))
                }
                _ => None,
            },
        )
    }

    /// Whoever of the cast has a role lets the player have it.
    fn gives_what_is_asked_for(&self, example: &Example, now: Time) -> Option<(PersonId, Command)> {
        self.asks.iter().find_map(|(role, asks)| {
            let by = self.effective_holder(role).filter(|holder| example.plays(*holder))?;
            let asks = asks.contains_key(&example.player) && self.pending_offer(role, now).is_none();
            let to = OfferTo::Person(Who::Id(example.player));
            asks.then(|| (by, Command::OfferRole { role: role.clone(), to, note: None }))
        })
    }

    /// Whoever of the cast commands offers command to the player; had they had it, the incident is seen through.
    fn commands(&self, example: &Example, now: Time) -> Option<(PersonId, Command)> {
        let by = self.holder(&RolePath::command()).filter(|holder| example.plays(*holder))?;
        if self.pending_offer(&RolePath::command(), now).is_some() {
            return None;
        }
        if !example.commanded {
            let waits = example.offered && now < self.last_at + AGAIN_AFTER;
            return (!waits).then(|| (by, offer("command", Who::Id(example.player))));
        }
        // The player may have added some, and the incident must not hang on what nobody of the cast can know.
        let open = self.criteria.iter().find(|criterion| criterion.is_open());
        if let Some(criterion) = open.filter(|_| self.phase != Phase::Active) {
            let reason = words("the example ends here; in an incident of yours, meet it first");
            return Some((by, Command::WaiveCriterion { criterion: criterion.id, reason }));
        }
        if self.phase == Phase::Resolved && self.changes.iter().any(Change::is_open) {
            return self.settles_changes(example, by);
        }
        let (phase, reason) = match self.phase {
            Phase::Active => (Phase::Mitigated, Some(words("the error rate is back to normal"))),
            Phase::Mitigated => (Phase::Resolved, None),
            Phase::Resolved => (Phase::Closed, Some(words("nothing differs from normal any more"))),
            Phase::Investigating | Phase::Closed | Phase::Merged => return None,
        };
        Some((by, Command::SetPhase { phase, reason }))
    }

    fn says_while_the_player_commands(&self, example: &Example, said: usize, first: usize) -> Option<Cue> {
        let (part, phase, command) = second_act().into_iter().nth(said.checked_sub(first)?)?;
        let now = self.commander() == example.player && self.phase == phase;
        now.then(|| Cue { by: example.cast[&part], command, line: Some(said) })
    }

    /// What nobody does in the example: let somebody else in, or go on with one that has ended. It is for one person.
    pub(crate) fn example_allows(&self, command: &Command) -> Result<(), Refusal> {
        if self.example.is_none() {
            return Ok(());
        }
        let over = || {
            let sentence = "This example is over. Play it anew from your own menu.";
            Err(Refusal::new(Code::WrongKind, sentence))
        };
        match command {
            Command::Unrestrict {} | Command::Invite { .. } | Command::MakeInvite { .. } => Err(Refusal::new(
                Code::WrongKind,
                "The example is for you alone. To practise together, declare a drill.",
            )),
            Command::Reopen { .. } => over(),
            Command::RecordChange { .. } if !self.phase.is_open() => over(),
            _ => Ok(()),
        }
    }

    /// When it ends by itself.
    pub(crate) fn example_ends_at(&self) -> Option<Time> {
        let example = self.example.as_ref().filter(|_| self.phase.is_open())?;
        Some(example.played_at + IDLE_MINUTES.minutes())
    }

    pub(crate) fn end_example(&self) -> Vec<Event> {
        let reason = Text::said(format!("nobody went on with the example for {IDLE_MINUTES} minutes"));
        vec![Event::Closed { from: self.phase, last_commander: self.commander(), reason: Some(reason) }]
    }

    pub(crate) fn evolve_example(&mut self, recorded: &Recorded) {
        if let Event::ExampleBegan { player, cast } = &recorded.event {
            let (player, cast) = (*player, cast.clone());
            self.invited.extend(cast.values().chain([&player]));
            self.responders.entry(player).or_insert_with(|| crate::responder::Responder::new(recorded.at));
            self.example = Some(Example { player, cast, played_at: recorded.at, offered: false, commanded: false });
        }
        let Some(example) = &mut self.example else { return };
        let player = example.player;
        if recorded.actor == Actor::Person(player) {
            example.played_at = recorded.at;
        }
        if let Event::OutageEnded { from, to, .. } = &recorded.event {
            example.played_at += to.duration_since((*from).max(example.played_at));
        }
        match &recorded.event {
            Event::RoleOffered { role, to: Recipient::Person(to), .. } if role.is_command() && *to == player => {
                example.offered = true;
            }
            Event::RoleTaken { role, by, .. } if role.is_command() && *by == player => example.commanded = true,
            Event::CommandAssumed { by, .. } if *by == player => example.commanded = true,
            _ => {}
        }
    }
}

impl Facts {
    /// Whether this person is of the example's cast.
    #[must_use]
    pub fn scripted(&self, person: PersonId) -> bool {
        self.people.get(&person).is_some_and(|person| matches!(person.standing, Standing::Scripted(_)))
    }

    /// A handle that nobody has: this one, or with a number behind it.
    ///
    /// # Panics
    /// When the base is none, or leaves no room for a number.
    #[must_use]
    pub fn free_handle(&self, base: &str) -> Handle {
        let taken = |handle: &Handle| self.by_handle(handle).is_some();
        let numbered = (2_u32..).map(|n| format!("{base}-{n}"));
        let mut all = std::iter::once(base.to_owned()).chain(numbered).map(|handle| words::<Handle>(&handle));
        all.find(|handle| !taken(handle)).expect("there is always another number")
    }
}

impl Directory {
    /// The cast is made by the example and looked after by nobody else.
    pub(crate) fn no_cast(&self, person: PersonId) -> Result<(), Refusal> {
        if !self.facts.scripted(person) {
            return Ok(());
        }
        let name = self.facts.name(person);
        Err(Refusal::new(Code::Invalid, format!("{name} is scripted: they are in the example incident alone.")))
    }
}

//! Rules 1 to 4 checked exhaustively: two nodes, three people, lost replies, retries and crashes.
//!
//! Each node has its own, possibly stale copy of one log, and a clock of its own (the second one's is
//! slow). A node decides against its copy and appends in a second step, so that the other node, a crash or
//! the passing of time can come between. An append names the length of the log that was decided against.
//!
//! Any request that was ever sent may be delivered again, to either node and at any time: that is what a
//! lost reply, an impatient client and a delayed packet look like to a node. It answers what its copy
//! remembers, and otherwise decides.

#![allow(clippy::unwrap_used)] // A broken fixture should stop the test right there.

#[allow(dead_code)] // Each test binary needs its part of what they share.
mod harness;

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use harness::ledger::Ledger;
use harness::{asking, at, facts, opened, opening, person, record, role, words};
use stateright::{Checker, Model, Property};
use wardroom_core::absence::Grounds;
use wardroom_core::briefing::Briefed;
use wardroom_core::command::{Command, OfferTo, Tick};
use wardroom_core::event::{Event, Recorded};
use wardroom_core::facts::Facts;
use wardroom_core::id::{Actor, Entry, Time, Who};
use wardroom_core::incident::{Incident, Kind, Phase};

/// What a person wants; an entry is named relative to the log.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Want {
    Offer(&'static str, u8),
    /// Briefed to the first entry, which is stale as soon as anything else mattered.
    TakeStale,
    /// Briefed to the newest entry that the node knows.
    TakeBriefed,
    TakeByVoice,
    Take(&'static str),
    Withdraw(&'static str),
    Decline(&'static str),
    Release(&'static str),
    TakeBack(&'static str),
    Assume,
    Close,
    Reopen,
}

/// A request, by its place in [`State::sent`], or what the clock has to say.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
enum Cause {
    Request(usize),
    Unseen,
    Deadlines,
}

/// What somebody, or the clock, wants decided.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Question {
    Person(u8, Want),
    Unseen,
    Deadlines,
}

/// The log up to some append, folded. It follows from the log, so histories with the same beginning share
/// it, and every question about it is decided once.
struct Copied {
    incident: Incident,
    ledger: Ledger,
    broken: Option<String>,
    handed_over: bool,
    /// What is accepted here, in time and late.
    accepted: [OnceLock<BTreeMap<Question, Accepted>>; 2],
}

struct Accepted {
    events: Vec<Event>,
    then: OnceLock<Arc<Copied>>,
}

#[derive(Clone, Debug)]
struct Appended {
    cause: Cause,
    late: bool,
    copied: Arc<Copied>,
}

/// A counterexample is read for its steps; of a fold it needs only what is wrong with it.
impl std::fmt::Debug for Copied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "up to {}, broken: {:?}", self.incident.last_entry, self.broken)
    }
}

#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
struct Decided {
    cause: Cause,
    late: bool,
}

/// A node: how much of the log it has folded, and what it decided and has not appended yet.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Node {
    folded: usize,
    decided: Option<Decided>,
}

#[derive(Clone, Debug)]
struct State {
    log: Vec<Appended>,
    sent: Vec<(u8, Want)>,
    nodes: [Node; 2],
    /// Twenty minutes have passed: offers made before have lapsed, and the commander may be missed.
    late: bool,
}

impl State {
    /// What tells states apart; folds and decided events follow from it.
    fn identity(&self) -> impl Hash + PartialEq + use<'_> {
        let log: Vec<(Cause, bool)> = self.log.iter().map(|appended| (appended.cause, appended.late)).collect();
        (log, self.nodes, &self.sent, self.late)
    }
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.identity().hash(hasher);
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Step {
    /// A person sends something new to a node, which decides on it.
    Send(usize, u8, Want),
    /// A request arrives again.
    Again(usize, usize),
    /// The clock speaks at a node.
    Clock(usize, Cause),
    /// A node appends what it decided, or finds that it was too late and reads the log.
    Append(usize),
    /// A node reads the log.
    Read(usize),
    /// A node forgets everything and folds the log from the first entry on.
    Crash(usize),
    TimePasses,
}

/// The world to explore, and how far.
struct World {
    facts: Facts,
    nodes: usize,
    /// How many different requests people send in one history.
    requests: usize,
    /// How many of them may be under way, or lost, before they are accepted.
    unanswered: usize,
    /// How many times something is appended in one history, the clock's entries included.
    appends: usize,
    /// Whether an append is refused when the log has grown since it was decided.
    checks_position: bool,
}

/// Everything that the three people can want.
fn wants() -> Vec<(u8, Want)> {
    let mut wants = Vec::new();
    for who in 0..3 {
        for path in ["command", "operations"] {
            wants.extend((0..3).filter(|to| *to != who).map(|to| (who, Want::Offer(path, to))));
            let about = [Want::Withdraw(path), Want::Decline(path), Want::Release(path)];
            wants.extend(about.map(|want| (who, want)));
        }
        let others = [
            Want::TakeStale,
            Want::TakeBriefed,
            Want::TakeByVoice,
            Want::Take("operations"),
            Want::TakeBack("operations"),
            Want::Assume,
            Want::Close,
            Want::Reopen,
        ];
        wants.extend(others.map(|want| (who, want)));
    }
    wants
}

fn command(want: Want, newest: Entry) -> Command {
    let take = |path, briefed| Command::TakeRole { role: role(path), briefed };
    match want {
        Want::Offer(path, to) => {
            Command::OfferRole { role: role(path), to: OfferTo::Person(Who::Id(person(to))), note: None }
        }
        Want::TakeStale => take("command", Some(Briefed::To(Entry(1)))),
        Want::TakeBriefed => take("command", Some(Briefed::To(newest))),
        Want::TakeByVoice => take("command", Some(Briefed::ByVoice)),
        Want::Take(path) => take(path, None),
        Want::Withdraw(path) => Command::WithdrawOffer { role: role(path), reason: None },
        Want::Decline(path) => Command::DeclineOffer { role: role(path), reason: None },
        Want::Release(path) => Command::ReleaseRole { role: role(path) },
        Want::TakeBack(path) => Command::TakeBackRole { role: role(path) },
        Want::Assume => Command::AssumeCommand { grounds: Grounds::Unseen, reason: words("nobody answers") },
        Want::Close => Command::SetPhase { phase: Phase::Closed, reason: None },
        Want::Reopen => Command::Reopen { reason: None },
    }
}

impl Copied {
    fn new(incident: Incident, ledger: Ledger, broken: Option<String>, handed_over: bool) -> Self {
        Self { incident, ledger, broken, handed_over, accepted: Default::default() }
    }

    /// Folds one append more, and books every entry of it.
    fn then(&self, recorded: &[Recorded]) -> Self {
        let (mut incident, mut ledger) = (self.incident.clone(), self.ledger.clone());
        let (mut broken, mut handed_over) = (self.broken.clone(), self.handed_over);
        for one in recorded {
            incident.evolve(one);
            broken = broken.or_else(|| ledger.book(one, &incident).err());
            handed_over |= matches!(&one.event, Event::RoleTaken { role, .. } if role.is_command());
        }
        Self::new(incident, ledger, broken, handed_over)
    }
}

impl State {
    /// The second node's clock is slow.
    fn node_is_late(&self, node: usize) -> bool {
        self.late && node == 0
    }

    fn known(&self, node: usize) -> &Copied {
        &self.log[self.nodes[node].folded].copied
    }

    /// Whether the node's copy of the log remembers that this request was accepted.
    fn remembers(&self, node: usize, request: usize) -> bool {
        self.log[..=self.nodes[node].folded].iter().any(|appended| appended.cause == Cause::Request(request))
    }

    fn unanswered(&self) -> usize {
        let accepted = self.log.iter().filter(|appended| matches!(appended.cause, Cause::Request(_)));
        self.sent.len().saturating_sub(accepted.count())
    }

    fn newest(&self) -> usize {
        self.log.len() - 1
    }

    fn question(&self, cause: Cause) -> Question {
        match cause {
            Cause::Request(request) => Question::Person(self.sent[request].0, self.sent[request].1),
            Cause::Unseen => Question::Unseen,
            Cause::Deadlines => Question::Deadlines,
        }
    }
}

fn now(late: bool) -> Time {
    at(if late { 21 } else { 1 })
}

fn actor(question: Question) -> Actor {
    match question {
        Question::Person(who, _) => Actor::Person(person(who)),
        Question::Unseen | Question::Deadlines => Actor::Clock,
    }
}

impl World {
    /// Everything that is accepted by a node with this copy of the log; the rest is refused.
    fn accepted<'a>(&self, copied: &'a Copied, late: bool) -> &'a BTreeMap<Question, Accepted> {
        copied.accepted[usize::from(late)].get_or_init(|| {
            let people = wants().into_iter().map(|(who, want)| Question::Person(who, want));
            let questions = people.chain([Question::Unseen, Question::Deadlines]);
            let decided = questions.filter_map(|question| {
                let events = self.decide(&copied.incident, late, question)?;
                assert!(!events.is_empty(), "what is accepted is never empty");
                Some((question, Accepted { events, then: OnceLock::new() }))
            });
            decided.collect()
        })
    }

    fn decide(&self, incident: &Incident, late: bool, question: Question) -> Option<Vec<Event>> {
        let ask = asking(actor(question), now(late), &self.facts);
        let decision = match question {
            Question::Person(_, want) => incident.decide(&ask, command(want, incident.last_entry)),
            Question::Deadlines => incident.tick(&ask, Tick::Deadlines),
            Question::Unseen => incident.tick(&ask, Tick::Unseen { person: incident.commander(), since: at(0) }),
        };
        decision.ok().map(|decision| decision.here)
    }

    /// The node decides; a refusal changes nothing and is no step.
    fn decides(&self, mut state: State, node: usize, cause: Cause) -> Option<State> {
        let late = state.node_is_late(node);
        let question = state.question(cause);
        self.accepted(state.known(node), late).get(&question)?;
        state.nodes[node].decided = Some(Decided { cause, late });
        Some(state)
    }

    /// The log takes it only if nothing was appended since the node's copy was read.
    fn appends(&self, mut state: State, node: usize) -> State {
        let Decided { cause, late } = state.nodes[node].decided.take().expect("only what was decided");
        let question = state.question(cause);
        let accepted = &self.accepted(state.known(node), late)[&question];
        let newest = &state.log[state.newest()].copied;
        let append = || {
            let (entry, time) = (newest.incident.last_entry, newest.incident.last_at);
            Arc::new(newest.then(&record(entry, time, (actor(question), now(late)), accepted.events.clone())))
        };
        let copied = if state.nodes[node].folded == state.newest() {
            Some(Arc::clone(accepted.then.get_or_init(append)))
        } else {
            (!self.checks_position).then(append)
        };
        state.log.extend(copied.map(|copied| Appended { cause, late, copied }));
        state.nodes[node].folded = state.newest();
        state
    }
}

impl Model for World {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let first = opened(1, person(0), at(0), &self.facts, opening(Kind::Incident, true, false));
        let incident = Incident::fold(&first).unwrap();
        let mut ledger = Ledger::default();
        let broken = ledger.book(&first[0], &incident).err();
        let copied = Arc::new(Copied::new(incident, ledger, broken, false));
        // Everybody else joins by what they do; the opening is the clock's here, so that no request is it.
        let log = vec![Appended { cause: Cause::Deadlines, late: false, copied }];
        vec![State { log, sent: Vec::new(), nodes: Default::default(), late: false }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        let room = state.log.len() <= self.appends;
        for node in 0..self.nodes {
            if state.nodes[node].decided.is_some() {
                steps.push(Step::Append(node));
            } else if room {
                steps.extend([Cause::Unseen, Cause::Deadlines].map(|cause| Step::Clock(node, cause)));
                steps.extend((0..state.sent.len()).map(|request| Step::Again(node, request)));
                if state.sent.len() < self.requests && state.unanswered() < self.unanswered {
                    let accepted = self.accepted(state.known(node), state.node_is_late(node)).keys();
                    steps.extend(accepted.filter_map(|question| match question {
                        Question::Person(who, want) => Some(Step::Send(node, *who, *want)),
                        Question::Unseen | Question::Deadlines => None,
                    }));
                }
            }
            steps.extend([Step::Read(node), Step::Crash(node)]);
        }
        if !state.late {
            steps.push(Step::TimePasses);
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        match step {
            Step::Send(node, who, want) => {
                state.sent.push((who, want));
                let request = Cause::Request(state.sent.len() - 1);
                self.decides(state, node, request)
            }
            Step::Again(node, request) if last.remembers(node, request) => None,
            Step::Again(node, request) => self.decides(state, node, Cause::Request(request)),
            Step::Clock(node, cause) => self.decides(state, node, cause),
            Step::Append(node) => Some(self.appends(state, node)),
            Step::Read(node) => {
                // Whoever appends does not read in between: its next append would go by what it never saw.
                let node = &mut state.nodes[node];
                let behind = node.decided.is_none() && node.folded + 1 < last.log.len();
                node.folded = last.newest();
                behind.then_some(state)
            }
            Step::Crash(node) => {
                let lost = state.nodes[node].decided.take().is_some();
                state.nodes[node].folded = last.newest();
                lost.then_some(state)
            }
            Step::TimePasses => {
                state.late = true;
                Some(state)
            }
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("rules 1 to 4 hold at every entry of the log", |_, state: &State| {
                state.log.iter().all(|appended| appended.copied.broken.is_none())
            }),
            Property::always("a request is never accepted twice", |_, state: &State| {
                let times = |request| state.log.iter().filter(|one| one.cause == Cause::Request(request)).count();
                (0..state.sent.len()).all(|request| times(request) <= 1)
            }),
            Property::sometimes("command is handed over", |_, state: &State| {
                state.log.last().is_some_and(|appended| appended.copied.handed_over)
            }),
        ]
    }
}

/// Explores everything, and says how much that was.
#[allow(clippy::print_stdout)]
fn explore(world: World) -> impl Checker<World> {
    let checker = world.checker().threads(2).spawn_bfs().join();
    eprintln!("{} states, {} of them different", checker.state_count(), checker.unique_state_count());
    checker
}

#[test]
fn no_interleaving_of_two_nodes_breaks_command() {
    explore(World { facts: facts(3), nodes: 2, requests: 3, unanswered: 2, appends: 3, checks_position: true })
        .assert_properties();
}

/// One node alone has fewer interleavings, and so can be followed further: command goes there and back again.
#[test]
fn no_longer_history_of_one_node_breaks_command() {
    explore(World { facts: facts(3), nodes: 1, requests: 4, unanswered: 1, appends: 5, checks_position: true })
        .assert_properties();
}

/// The model would notice: a log that takes whatever it is given breaks both promises at once.
#[test]
fn without_the_position_check_the_model_finds_the_break() {
    let checker =
        explore(World { facts: facts(3), nodes: 2, requests: 2, unanswered: 2, appends: 3, checks_position: false });
    checker.assert_any_discovery("rules 1 to 4 hold at every entry of the log");
    checker.assert_any_discovery("a request is never accepted twice");
}

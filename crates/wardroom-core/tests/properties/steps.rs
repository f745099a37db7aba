//! What can happen in a random history, weighted so that offers are taken and rules are reached.

mod changing;

use std::collections::BTreeSet;

use proptest::prelude::*;
use uuid::Uuid;
use wardroom_core::absence::Grounds;
use wardroom_core::briefing::Briefed;
use wardroom_core::change::Outcome;
use wardroom_core::command::{Command, OfferTo};
use wardroom_core::document::Part;
use wardroom_core::evidence::{Fingerprint, MediaType, Piece};
use wardroom_core::gate::Passing;
use wardroom_core::guest::Arrival;
use wardroom_core::id::{Entry, InviteId, Number, SessionId, Who};
use wardroom_core::incident::{Kind, Phase, Severity};
use wardroom_core::role::RolePath;
use wardroom_core::sighting::Stage;
use wardroom_core::text::Line;
use wardroom_core::token::Digest;

use crate::harness::{at, person, role, team, words};

pub use changing::changed;

/// How many people the directory has.
pub const PEOPLE: u8 = 6;
/// Stands for the newest entry that the node knows.
pub const NEWEST: Entry = Entry(u64::MAX);
/// Stands in every text of a history, so that it can be looked for where no words may be.
pub const WORD: &str = "zebra";

/// Who speaks.
#[derive(Copy, Clone, Debug)]
pub enum Speaker {
    Person(u8),
    Commander,
    /// Whoever holds the n-th role that somebody holds.
    Holder(usize),
    /// To whom the n-th pending offer is made; taking and declining then mean that offer.
    Offered(usize),
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Step {
    /// Somebody asks a node whose clock may be behind by so many seconds.
    Say { who: Speaker, stream: usize, node: usize, behind: i64, command: Command },
    /// Seconds pass.
    Advance(i64),
    /// An account is activated or deactivated.
    Active(u8, bool),
    /// A node reads the log.
    Read { stream: usize, node: usize },
    /// Deadlines are recorded.
    Deadlines { stream: usize, node: usize },
    /// The commander has not been seen for so many minutes.
    Unseen { stream: usize, minutes: i64 },
    /// The commander was seen.
    Seen { stream: usize },
    /// Another system tells of the n-th change of one of two services, made so many minutes ago.
    Told { stream: usize, nth: u8, stage: Stage, who: Option<u8>, minutes: i64 },
    /// A node tells what the n-th thing that is worth keeping shows, or that it shows nothing.
    Kept { stream: usize, nth: u8, shown: Option<u8> },
    /// Wardroom was down for so many minutes.
    WasDown { stream: usize, minutes: i64 },
}

fn roles() -> impl Strategy<Value = RolePath> {
    let paths = ["command", "command", "operations", "communications", "operations/database", "operations/database/eu"];
    prop::sample::select(paths.to_vec()).prop_map(role)
}

fn who() -> impl Strategy<Value = Who> {
    (0..PEOPLE).prop_map(|n| Who::Id(person(n)))
}

fn entries() -> impl Strategy<Value = Entry> {
    (1..30_u64).prop_map(Entry)
}

fn briefings() -> impl Strategy<Value = Option<Briefed>> {
    prop_oneof![
        1 => Just(None),
        2 => Just(Some(Briefed::ByVoice)),
        3 => Just(Some(Briefed::To(NEWEST))),
        5 => entries().prop_map(|entry| Some(Briefed::To(entry))),
    ]
}

fn offer() -> impl Strategy<Value = Command> {
    let to = prop_oneof![4 => who().prop_map(OfferTo::Person), 1 => Just(OfferTo::Team(team()))];
    (roles(), to).prop_map(|(role, to)| Command::OfferRole { role, to, note: Some(words(WORD)) })
}

/// What an offer is answered with.
fn answers() -> impl Strategy<Value = Command> {
    prop_oneof![
        6 => (roles(), briefings()).prop_map(|(role, briefed)| Command::TakeRole { role, briefed }),
        1 => roles().prop_map(|role| Command::DeclineOffer { role, reason: None }),
    ]
}

fn line() -> Line {
    format!("a {WORD}").parse().expect("a good line")
}

fn invites() -> impl Strategy<Value = InviteId> {
    (1..40_u128).prop_map(|n| InviteId(Uuid::from_u128(n)))
}

/// What has to do with guests. Who comes, and by which invite, is settled when it happens.
fn guests() -> impl Strategy<Value = Command> {
    let arrival = |invite| Arrival { invite, person: person(0), name: line(), session: SessionId(Uuid::nil()) };
    prop_oneof![
        3 => (invites(), 1..3_u8).prop_map(|(invite, hours)| Command::MakeInvite {
            invite,
            digest: Digest::new([7; 32]),
            hours,
        }),
        1 => invites().prop_map(|invite| Command::RevokeInvite { invite }),
        4 => invites().prop_map(move |invite| Command::Arrive(arrival(invite))),
        1 => who().prop_map(|person| Command::SendAway { person, reason: None }),
    ]
}

fn bug() -> Line {
    format!("https://bugs.example.org/{WORD}").parse().expect("a good line")
}

/// What is done with an exit criterion.
fn criteria() -> impl Strategy<Value = Command> {
    let criterion = || 1..3_u32;
    prop_oneof![
        1 => criterion().prop_map(|criterion| Command::RewordCriterion {
            criterion,
            text: bug(),
            replaces: NEWEST,
        }),
        1 => (criterion(), prop::option::of(who())).prop_map(|(criterion, person)| Command::AssignCriterion {
            criterion,
            person,
            replaces: Some(NEWEST),
        }),
        3 => criterion().prop_map(|criterion| Command::MeetCriterion { criterion }),
        2 => criterion().prop_map(|criterion| Command::ReopenCriterion { criterion, reason: None }),
        3 => criterion().prop_map(|criterion| Command::WaiveCriterion { criterion, reason: words(WORD) }),
        1 => (criterion(), any::<bool>()).prop_map(|(criterion, linked)| Command::LinkCriterion {
            criterion,
            bug: linked.then(bug),
            replaces: Some(NEWEST),
        }),
    ]
}

/// What is done with a to-do.
fn todos() -> impl Strategy<Value = Command> {
    let todo = || 1..3_u32;
    prop_oneof![
        1 => todo().prop_map(|todo| Command::RewordTodo { todo, text: bug(), replaces: NEWEST }),
        2 => (todo(), prop::option::of(who())).prop_map(|(todo, person)| Command::AssignTodo {
            todo,
            person,
            replaces: Some(NEWEST),
        }),
        2 => todo().prop_map(|todo| Command::FinishTodo { todo }),
        2 => todo().prop_map(|todo| Command::ReopenTodo { todo }),
        1 => (todo(), any::<bool>()).prop_map(|(todo, linked)| Command::LinkTodo {
            todo,
            bug: linked.then(bug),
            replaces: Some(NEWEST),
        }),
    ]
}

/// What is done with the lists of the state document.
fn lists() -> impl Strategy<Value = Command> {
    let add = (prop::option::of(who()), any::<bool>());
    prop_oneof![
        3 => Just(Command::AddCriterion { text: line() }),
        6 => criteria(),
        4 => add.prop_map(|(person, filed)| Command::AddTodo { text: line(), person, bug: filed.then(bug) }),
        6 => todos(),
        2 => (prop::sample::subsequence(Part::ALL.to_vec(), 1..3), any::<bool>()).prop_map(|(parts, read)| {
            let version = if read { u64::MAX } else { 0 };
            Command::StillTrue { parts: parts.into_iter().collect(), version }
        }),
    ]
}

/// What is told of changes to services, most of it by whoever was sent to do them.
pub fn changes() -> impl Strategy<Value = Command> {
    let change = || 1..4_u32;
    let outcomes = prop::sample::select(vec![Outcome::Done, Outcome::BrokeOff, Outcome::Failed, Outcome::Dropped]);
    let what = || format!("search: a {WORD}").parse::<Line>().expect("a good line");
    let confirm =
        |(change, outcome)| Command::ConfirmChange { change, outcome, note: None, evidence: None, happened_at: None };
    prop_oneof![
        4 => any::<bool>().prop_map(move |back| Command::AnnounceChange {
            service: None,
            what: what(),
            why: None,
            how: Some(line()),
            back: back.then(|| words(WORD)),
        }),
        4 => (any::<bool>(), prop::option::of(0..120_i64), prop::option::of(who())).prop_map(move |(why, minute, made_by)| Command::RecordChange {
            service: None,
            what: what(),
            why: why.then(|| words(WORD)),
            how: None,
            back: None,
            happened_at: minute.map(at),
            made_by,
            outside: false,
        }),
        6 => (change(), outcomes).prop_map(confirm),
        1 => change().prop_map(|change| Command::CorrectChange {
            change,
            service: None,
            what: Some(bug()),
            why: Some(words(WORD)),
            how: None,
            replaces: NEWEST,
        }),
        1 => change().prop_map(|change| Command::SayWayBack {
            change,
            back: Some(words(WORD)),
            replaces: Some(NEWEST),
        }),
        3 => change().prop_map(|change| Command::RevertChange { change, note: None, evidence: None, happened_at: None }),
        2 => change().prop_map(|change| Command::AdoptChange { change, reason: words(WORD) }),
        2 => change().prop_map(|change| Command::HandOnChange { change, bug: bug() }),
        2 => change().prop_map(|change| Command::DiffersAgain { change, reason: None }),
        8 => permissions(),
        2 => change().prop_map(|change| Command::TakeInChange { change }),
        2 => change().prop_map(|change| Command::DismissChange { change, reason: None }),
    ]
}

/// Who else changes services: asked for, given, ended, taken, and what comes through the gate.
fn permissions() -> impl Strategy<Value = Command> {
    let services = || BTreeSet::from(["search".parse().expect("a good name")]);
    let passing = move |done| Passing { services: services(), what: line(), back_to: None, through: line(), done };
    prop_oneof![
        3 => Just(Command::AskPermission { services: services(), what: line() }),
        4 => (who(), 1..40_u16).prop_map(move |(person, minutes)| Command::GrantPermission {
            person,
            services: Some(services()),
            minutes: Some(minutes),
        }),
        1 => who().prop_map(|person| Command::DeclinePermission { person, reason: None }),
        1 => (1..4_u32).prop_map(|permission| Command::EndPermission { permission }),
        2 => Just(Command::BreakGlass { services: services(), reason: words(WORD) }),
        3 => any::<bool>().prop_map(move |done| Command::PassGate(passing(done))),
    ]
}

/// What mostly a commander does.
fn commanding() -> impl Strategy<Value = Command> {
    let phases = prop::sample::select(vec![Phase::Active, Phase::Mitigated, Phase::Resolved, Phase::Closed]);
    let severities = prop::sample::select(vec![Severity::Sev1, Severity::Sev2, Severity::Sev3]);
    prop_oneof![
        8 => offer(),
        3 => roles().prop_map(|role| Command::OpenRole { role }),
        1 => roles().prop_map(|role| Command::CloseRole { role }),
        1 => roles().prop_map(|role| Command::WithdrawOffer { role, reason: None }),
        2 => roles().prop_map(|role| Command::TakeBackRole { role }),
        4 => (roles(), who()).prop_map(|(role, person)| Command::AddMember { role, person }),
        2 => (roles(), who()).prop_map(|(role, person)| Command::ReleaseMember { role, person }),
        2 => phases.prop_map(|phase| Command::SetPhase { phase, reason: None }),
        1 => severities.prop_map(|severity| Command::SetSeverity { severity, reason: None }),
        1 => Just(Command::SetKind { kind: Kind::Incident, reason: None }),
        1 => Just(Command::SetTitle { title: line() }),
        1 => Just(Command::AddPost { label: line(), link: None }),
        1 => (1..4_u32).prop_map(|post| Command::RemovePost { post }),
        1 => Just(Command::SetServices { services: BTreeSet::from(["search".parse().expect("a good name")]) }),
        1 => Just(Command::SetBegan { began: at(-5) }),
        2 => Just(Command::Restrict {}),
        1 => Just(Command::Unrestrict {}),
        4 => who().prop_map(|person| Command::Invite { person }),
        4 => who().prop_map(|person| Command::Uninvite { person }),
        1 => (1..4_u32).prop_map(|roadblock| Command::ClearRoadblock { roadblock, how: None }),
        1 => (any::<bool>(), 1..20_u32).prop_map(|(repeat, in_minutes)| Command::SetClock {
            label: line(),
            in_minutes,
            repeat,
        }),
        1 => entries().prop_map(|clock| Command::StopClock { clock }),
        1 => (1..3_u32).prop_filter_map("there is no incident 0", |into| Some(Command::Merge { into: Number::new(into)? })),
    ]
}

/// What any responder does.
fn responding() -> impl Strategy<Value = Command> {
    let grounds = prop::sample::select(vec![Grounds::Unseen, Grounds::Unfit]);
    prop_oneof![
        5 => Just(Command::Join {}),
        2 => Just(Command::Leave {}),
        1 => Just(Command::Declare {}),
        2 => Just(Command::Reopen { reason: None }),
        1 => roles().prop_map(|role| Command::ReleaseRole { role }),
        3 => roles().prop_map(|role| Command::AskRole { role, note: None }),
        1 => (roles(), who()).prop_map(|(role, person)| Command::DeclineAsk { role, person, reason: None }),
        1 => roles().prop_map(|role| Command::TakeBackAsk { role }),
        4 => grounds.prop_map(|grounds| Command::AssumeCommand { grounds, reason: words(WORD) }),
        3 => Just(Command::ConfirmAssumption {}),
        1 => Just(Command::DropAssumption {}),
        2 => any::<bool>().prop_map(|pin| Command::Note { text: words(WORD), happened_at: None, pin }),
        1 => entries().prop_map(|entry| Command::PinNote { entry }),
        1 => entries().prop_map(|entry| Command::UnpinNote { entry }),
        1 => entries().prop_map(|entry| Command::CorrectNote { entry, text: words(WORD) }),
        1 => entries().prop_map(|entry| Command::Redact { entry, reason: None }),
        2 => Just(Command::RaiseRoadblock { text: words(WORD), role: None }),
        1 => any::<bool>().prop_map(|busy| Command::Doing { text: busy.then(line) }),
    ]
}

/// What somebody brings to be kept: few different pieces, so that some come twice.
fn evidence() -> impl Strategy<Value = Command> {
    (0..3_u8, 1..80_u64).prop_map(|(n, mebibytes)| {
        Command::Attach(Piece {
            fingerprint: Fingerprint::new([n; 32]),
            name: line(),
            why: (n == 0).then(line),
            media_type: MediaType::Png,
            bytes: mebibytes.min(10) << 20,
            from: (n == 1).then(|| "https://graphs.example.org/".to_owned()),
        })
    })
}

fn said() -> impl Strategy<Value = (Speaker, Command)> {
    let anybody = || (0..PEOPLE).prop_map(Speaker::Person);
    prop_oneof![
        12 => (Just(Speaker::Commander), commanding()),
        8 => ((0..4_usize).prop_map(Speaker::Holder), commanding()),
        12 => ((0..3_usize).prop_map(Speaker::Offered), answers()),
        12 => (anybody(), responding()),
        2 => (Just(Speaker::Commander), guests()),
        2 => (anybody(), guests()),
        2 => (Just(Speaker::Commander), lists()),
        2 => (anybody(), lists()),
        1 => (Just(Speaker::Commander), changes()),
        1 => (anybody(), changes()),
        2 => (anybody(), evidence()),
        4 => (anybody(), commanding()),
        2 => (anybody(), answers()),
        2 => (Just(Speaker::Commander), responding()),
    ]
}

/// Anything at all.
pub fn step() -> impl Strategy<Value = Step> {
    // Mostly the first incident; the second is there to be merged with.
    let stream = || prop_oneof![4 => Just(0_usize), 1 => Just(1_usize)];
    let behind = prop_oneof![4 => Just(0_i64), 1 => 0..900_i64];
    let say = (said(), stream(), 0..2_usize, behind);
    prop_oneof![
        30 => say.prop_map(|((who, command), stream, node, behind)| Step::Say { who, stream, node, behind, command }),
        4 => (1..400_i64).prop_map(Step::Advance),
        2 => (0..PEOPLE, prop::bool::weighted(0.6)).prop_map(|(who, active)| Step::Active(who, active)),
        4 => (stream(), 0..2_usize).prop_map(|(stream, node)| Step::Read { stream, node }),
        2 => (stream(), 0..2_usize).prop_map(|(stream, node)| Step::Deadlines { stream, node }),
        2 => (stream(), 0..20_i64).prop_map(|(stream, minutes)| Step::Unseen { stream, minutes }),
        1 => stream().prop_map(|stream| Step::Seen { stream }),
        1 => (stream(), 1..30_i64).prop_map(|(stream, minutes)| Step::WasDown { stream, minutes }),
    ]
}

/// A history of up to 120 steps.
pub fn histories() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..120)
}

/// A history in which the lists of the state document are what most is done with.
pub fn listed() -> impl Strategy<Value = Vec<Step>> {
    let who = prop_oneof![3 => Just(Speaker::Commander), 1 => (0..PEOPLE).prop_map(Speaker::Person)];
    let say = (who, lists()).prop_map(|(who, command)| Step::Say { who, stream: 0, node: 0, behind: 0, command });
    prop::collection::vec(prop_oneof![4 => say, 1 => step()], 20..100)
}

/// The n-th of four roles under operations.
fn under_operations(n: u8) -> RolePath {
    role(&format!("operations/team-{n}"))
}

/// What crowds one role: people who work in operations, and roles under it that are opened, offered and taken, by
/// whoever holds operations or commands.
fn crowding() -> impl Strategy<Value = (Speaker, Command)> {
    let above = || prop_oneof![3 => Just(Speaker::Commander), 1 => (0..4_usize).prop_map(Speaker::Holder)];
    let part = || prop_oneof![1 => Just(role("operations")), 2 => (0..4_u8).prop_map(under_operations)];
    let to = || who().prop_map(OfferTo::Person);
    let voice = || Just(Some(Briefed::ByVoice));
    prop_oneof![
        6 => (above(), who()).prop_map(|(by, person)| (by, Command::AddMember { role: role("operations"), person })),
        3 => (above(), 0..4_u8).prop_map(|(by, n)| (by, Command::OpenRole { role: under_operations(n) })),
        4 => (above(), part(), to()).prop_map(|(by, role, to)| (by, Command::OfferRole { role, to, note: None })),
        6 => ((0..4_usize).prop_map(Speaker::Offered), part(), voice())
            .prop_map(|(by, role, briefed)| (by, Command::TakeRole { role, briefed })),
    ]
}

/// A history in which everybody joins and many work in one role, and anything happens between.
pub fn crowded() -> impl Strategy<Value = Vec<Step>> {
    let say = |(who, command)| Step::Say { who, stream: 0, node: 0, behind: 0, command };
    let steps = prop::collection::vec(prop_oneof![5 => crowding().prop_map(say), 1 => step()], 40..160);
    steps.prop_map(move |steps| {
        let all = (0..PEOPLE).map(|n| say((Speaker::Person(n), Command::Join {})));
        all.chain(steps).collect()
    })
}

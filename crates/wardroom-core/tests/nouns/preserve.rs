//! What of a service is worth keeping: who says so, and who is told.

use std::sync::Arc;

use serde_json::json;
use wardroom_core::command::Command;
use wardroom_core::directory::{DirectoryCommand, DirectoryEvent};
use wardroom_core::event::Event;
use wardroom_core::evidence::{Evidence, Fingerprint, MediaType, PIECE_MAX, Piece};
use wardroom_core::id::PersonId;
use wardroom_core::incident::{Kind, Phase};
use wardroom_core::preserve::{NotKept, Preserving, Shows, Stands, Template, WORTH_BEFORE_KEPT, WORTH_MAX, Why, Worth};
use wardroom_core::refusal::Code;

use crate::cast::{ADA, JOSEPHINE, MARY, ROBIN, SABRINA, service};
use crate::directory::{Book, ada_and_mary, change};
use crate::given::{Given, given};
use crate::words::{cmd, joined, opened, opened_as, taken, text};

fn preserve(keep: &[(&str, &str)]) -> DirectoryCommand {
    let keep: Vec<_> = keep.iter().map(|(what, how)| json!({ "what": what, "how": how })).collect();
    change("preserve_service", json!({ "service": "search", "keep": keep }))
}

fn preserved(name: &str, keep: &[(&str, &str)]) -> DirectoryEvent {
    let worth = keep.iter().map(|(what, how)| Worth { what: text(what), how: text(how) }).collect();
    DirectoryEvent::ServicePreserveSet { service: service(name), worth }
}

const GRAPHS: (&str, &str) = ("graphs", "https://graphs.example.org/search.png");
const PODS: (&str, &str) = ("pods", "kubectl get pods -n search");

#[test]
fn an_admin_says_what_of_a_service_is_worth_keeping() {
    let set = change("set_service", json!({ "service": "search", "owner": null, "depends_on": [] }));
    let names: Vec<String> = (0..=WORTH_MAX).map(|n| format!("graph {n}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), GRAPHS.1)).collect();
    ada_and_mary()
        .when(ADA, preserve(&[GRAPHS]))
        .refused(Code::UnknownService)
        .when(ADA, set)
        .accepted()
        .when(MARY, preserve(&[GRAPHS]))
        .refused(Code::AdminsOnly)
        .when(ADA, preserve(&[("pods", "capture:../bin/sh")]))
        .refused(Code::Invalid)
        .when(ADA, preserve(&[GRAPHS, PODS]))
        .then([preserved("search", &[GRAPHS, PODS])])
        .when(ADA, preserve(&[GRAPHS, PODS]))
        .refused(Code::AlreadySo)
        .when(ADA, preserve(&[PODS, PODS]))
        .refused(Code::Invalid)
        .when(ADA, preserve(&many))
        .refused(Code::TooMany)
        .when(ADA, preserve(&many[1..]))
        .then([preserved("search", &many[1..])])
        .when(ADA, preserve(&[]))
        .then([preserved("search", &[])]);
}

/// The program is missed now, and not at three in the morning.
#[test]
fn a_capture_that_the_settings_do_not_name_is_refused_with_those_that_they_do() {
    let set = change("set_service", json!({ "service": "search", "owner": null, "depends_on": [] }));
    let mut book = ada_and_mary().when(ADA, set).accepted();
    let says = |book: &Book, how: &str| book.clone().when(ADA, preserve(&[("pods", how)]));
    // Beside a server, nobody knows which there are.
    says(&book, "capture:nope").accepted();
    let captures = |names: &[&str]| Some(Arc::new(names.iter().map(|name| name.parse().expect("a name")).collect()));
    book.directory.facts.captures = captures(&["pods", "logs"]);
    says(&book, "capture:nope")
        .says(
            "This server has no capture “nope”: it has logs, pods. Whoever runs the server can add one \
             (--capture nope=PROGRAM).",
        )
        .refused(Code::Invalid);
    says(&book, "capture:pods").decided();
    says(&book, "kubectl get pods").decided();
    book.directory.facts.captures = captures(&[]);
    says(&book, "capture:pods").refused(Code::Invalid);
}

fn told(given: &Given, person: PersonId) -> Vec<String> {
    let state = given.state();
    let all = state.worth_keeping(person, &given.facts, given.now);
    all.into_iter().map(|one| format!("{}: {} by {}", one.service, one.thing.what, one.thing.how)).collect()
}

#[test]
fn operations_are_told_what_is_worth_keeping_until_the_bleeding_is_stopped() {
    let given = given([opened(), joined(SABRINA), joined(JOSEPHINE)]);
    let given = given.and([taken("operations", 2, JOSEPHINE, None)]);
    let given = given.knowing(vec![preserved("search", &[GRAPHS, PODS]), preserved("indexing", &[PODS])]);
    let both =
        ["search: graphs by https://graphs.example.org/search.png", "search: pods by kubectl get pods -n search"];
    assert_eq!(told(&given, JOSEPHINE), both, "indexing is not affected");
    let given = given.when(MARY, cmd("set_services", json!({ "services": ["nobody-knows"] }))).accepted();
    assert_eq!(told(&given, JOSEPHINE), [""; 0]);
    let given = given.when(MARY, cmd("set_services", json!({ "services": ["search", "nobody-knows"] }))).accepted();
    assert_eq!(told(&given, JOSEPHINE), both);
    for other in [SABRINA, ROBIN] {
        assert_eq!(told(&given, other), [""; 0], "it is for operations");
    }
    let given = given.when(MARY, cmd("set_phase", json!({ "phase": "mitigated" }))).accepted();
    assert_eq!(told(&given, JOSEPHINE), [""; 0]);
}

#[test]
fn it_is_written_as_a_name_and_how() {
    let read = |given: &str| given.parse::<Template>().map(|read| (String::from(read.what), String::from(read.how)));
    let own = |(what, how): (&str, &str)| Ok((what.to_owned(), how.to_owned()));
    assert_eq!(read("graphs=https://graphs.example.org/?a=b"), own(("graphs", "https://graphs.example.org/?a=b")));
    assert_eq!(read(" pods = kubectl get pods "), own(("pods", "kubectl get pods")));
    for wrong in ["", "pods", "=x", "pods=", "pods=a\u{7}b", &format!("pods={}", "x".repeat(201))] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_team_that_owns_a_service_says_it_too() {
    let team = |name: &str, who: &[&str]| change("set_team", json!({ "team": name, "members": who }));
    let set = |service: &str, owner: &str| {
        change("set_service", json!({ "service": service, "owner": owner, "depends_on": [] }))
    };
    ada_and_mary()
        .when(ADA, team("searchers", &["mary"]))
        .accepted()
        .when(ADA, team("indexers", &["ada"]))
        .accepted()
        .when(ADA, set("search", "indexers"))
        .accepted()
        .when(MARY, preserve(&[GRAPHS]))
        .refused(Code::NotYours)
        .when(ADA, set("search", "searchers"))
        .accepted()
        .when(MARY, preserve(&[GRAPHS]))
        .then([preserved("search", &[GRAPHS])])
        .when(MARY, set("search", "indexers"))
        .refused(Code::AdminsOnly);
}

const SHELL: (&str, &str) = ("shell", "capture:shell");

/// Things of search as the directory knows them, in their order.
fn shows(given: &Given) -> Vec<Shows> {
    let search = service("search");
    let things = given.facts.services[&search].worth.iter().map(|thing| thing.id);
    things.map(|thing| Shows { service: search.clone(), thing }).collect()
}

/// An incident on search, with operations Josephine's.
fn with_operations(opening: Event) -> Given {
    let given = given([opening, joined(JOSEPHINE)]).and([taken("operations", 2, JOSEPHINE, None)]);
    given.knowing(vec![preserved("search", &[GRAPHS, PODS, SHELL])])
}

fn print(n: u8) -> Fingerprint {
    Fingerprint::new([n; 32])
}

fn kept(shows: &Shows, n: u8, bytes: u64) -> Preserving {
    Preserving::Kept { shows: shows.clone(), fingerprint: print(n), media_type: MediaType::Png, bytes }
}

fn due(given: &Given) -> Vec<String> {
    given.state().to_keep(&given.facts).into_iter().map(|(_, thing)| thing.what.to_string()).collect()
}

#[test]
fn what_can_be_kept_by_itself_is_tried_once_whatever_becomes_of_it() {
    let given = with_operations(opened());
    assert_eq!(due(&given), ["graphs", "shell"], "pods are kept by hand");
    let all = shows(&given);
    let [graphs, _, shell] = all.as_slice() else { panic!("{all:?}") };
    let why = |why: &str| Some(text(why));
    let given = given.after_seconds(4).kept(kept(graphs, 1, 9)).then([Event::EvidenceAttached(Evidence {
        sha256: text(&print(1).to_string()),
        name: text("graphs of search"),
        why: why("kept by itself 4 s after the declaration"),
        media_type: MediaType::Png,
        bytes: 9,
        by: None,
        shows: Some(graphs.clone()),
    })]);
    assert_eq!(
        (due(&given), stands(&given)),
        (vec!["shell".to_owned()], vec![("pods".to_owned(), Stands::ByHand), ("shell".to_owned(), Stands::UnderWay)])
    );
    // Another node, or this one after a restart, has another picture by now.
    let given = given.kept(kept(graphs, 2, 9)).refused(Code::AlreadySo, &[], None);
    let missed = Preserving::NotKept(vec![(graphs.clone(), Why::TooSlow), (shell.clone(), Why::NoSuchCapture)]);
    let not = NotKept { service: service("search"), thing: shell.thing, what: text("shell"), why: Why::NoSuchCapture };
    let given = given.kept(missed.clone()).then([Event::NotKept { things: vec![not] }]);
    let given = given.kept(missed).refused(Code::AlreadySo, &[], None);
    assert_eq!((due(&given).len(), stands(&given)[1].1), (0, Stands::NotKept));
    // It is redacted, and not kept anew.
    let given = given.when(MARY, cmd("redact", json!({ "entry": 4 }))).accepted();
    assert_eq!(due(&given).len(), 0);
    // What is said anew is what it was; what is new is tried.
    let given = given.knowing(vec![preserved("search", &[SHELL, ("logs", "capture:logs"), GRAPHS])]);
    assert_eq!(due(&given), ["logs"]);
}

#[test]
fn what_is_named_again_with_something_else_in_between_is_the_same_thing() {
    let given = with_operations(opened());
    let [graphs, ..] = &*shows(&given) else { panic!("there are three") };
    let given = given.kept(kept(graphs, 1, 9)).accepted();
    let (first, other) = ([GRAPHS, PODS, SHELL], [("graphs", "https://graphs.example.org/new.png")]);
    let given = given.knowing(vec![preserved("search", &first), preserved("search", &other)]);
    assert_eq!(due(&given), ["graphs"], "another place is another thing");
    let back = [&other[..], &[], &first].map(|keep| preserved("search", keep));
    let given = given.knowing(back.into());
    assert_eq!(due(&given), ["shell"], "the first is kept once");
    let url = |n: usize| format!("https://graphs.example.org/{n}.png");
    let many = (0..2 * WORTH_BEFORE_KEPT).map(|n| preserved("search", &[("graphs", &url(n))]));
    let given = given.knowing(many.collect());
    assert_eq!(given.facts.services[&service("search")].worth_before.len(), WORTH_BEFORE_KEPT);
}

fn stands(given: &Given) -> Vec<(String, Stands)> {
    let state = given.state();
    let all = state.worth_keeping(JOSEPHINE, &given.facts, given.now);
    all.into_iter().map(|one| (one.thing.what.to_string(), one.stands)).collect()
}

#[test]
fn what_is_here_already_is_not_attached_twice_and_counts_as_tried() {
    let given = with_operations(opened());
    let [graphs, ..] = &*shows(&given) else { panic!("there are three") };
    let name = "graph.png".parse().expect("a line");
    let piece = Piece { fingerprint: print(1), name, why: None, media_type: MediaType::Png, bytes: 9, from: None };
    let given = given.when(MARY, Command::Attach(piece)).accepted();
    let not = NotKept { service: service("search"), thing: graphs.thing, what: text("graphs"), why: Why::Here };
    let given = given.kept(kept(graphs, 1, 9)).then([Event::NotKept { things: vec![not] }]);
    assert_eq!(stands(&given)[0].0, "pods", "nobody is told to keep it");
}

#[test]
fn what_somebody_keeps_by_hand_is_kept_for_everybody() {
    let given = with_operations(opened());
    let [graphs, pods, _] = &*shows(&given) else { panic!("there are three") };
    let missed = Preserving::NotKept(vec![(graphs.clone(), Why::Unreachable)]);
    let given = given.kept(missed).accepted();
    let by_hand = |n: u8, from: &str| {
        let (name, from) = ("look.txt".parse().expect("a line"), Some(from.to_owned()));
        Command::Attach(Piece { fingerprint: print(n), name, why: None, media_type: MediaType::Text, bytes: 9, from })
    };
    let attached = |n: u8, shows: Option<&Shows>| {
        Event::EvidenceAttached(Evidence {
            sha256: text(&print(n).to_string()),
            name: text("look.txt"),
            why: None,
            media_type: MediaType::Text,
            bytes: 9,
            by: Some(JOSEPHINE),
            shows: shows.cloned(),
        })
    };
    assert_eq!(stands(&given).len(), 3);
    let given = given.when(JOSEPHINE, by_hand(1, GRAPHS.1)).then([attached(1, Some(graphs))]);
    let given = given.when(JOSEPHINE, by_hand(2, PODS.1)).then([attached(2, Some(pods))]);
    assert_eq!(stands(&given), [("shell".to_owned(), Stands::UnderWay)]);
    let given = given.when(JOSEPHINE, by_hand(3, PODS.1)).then([attached(3, None)]);
    given.kept(kept(pods, 4, 9)).refused(Code::AlreadySo, &[], None);
}

#[test]
fn only_an_incident_that_is_declared_and_not_over_keeps_anything() {
    for (opening, shown) in [
        (opened_as(7, Kind::Drill, Phase::Active), Stands::OnlyShown),
        (opened_as(7, Kind::Planned, Phase::Active), Stands::OnlyShown),
        (opened_as(7, Kind::Incident, Phase::Investigating), Stands::WhenDeclared),
    ] {
        let given = with_operations(opening);
        assert_eq!((due(&given).len(), stands(&given)[0].1), (0, shown));
    }
    let given = with_operations(opened());
    let given = given.when(MARY, cmd("set_phase", json!({ "phase": "mitigated" }))).accepted();
    assert_eq!(due(&given).len(), 2, "what the restart of a node kept waiting");
    let given = given.when(MARY, cmd("set_phase", json!({ "phase": "resolved" }))).accepted();
    assert_eq!(due(&given).len(), 0);
}

#[test]
fn what_finds_no_room_is_not_attached() {
    let given = with_operations(opened());
    let [graphs, ..] = &*shows(&given) else { panic!("there are three") };
    given.kept(kept(graphs, 1, PIECE_MAX + 1)).refused(Code::Invalid, &[], None);
}

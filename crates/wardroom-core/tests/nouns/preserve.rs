//! What of a service is worth keeping: who says so, and who is told.

use serde_json::json;
use wardroom_core::directory::{DirectoryCommand, DirectoryEvent};
use wardroom_core::id::PersonId;
use wardroom_core::preserve::{Template, WORTH_MAX, Worth};
use wardroom_core::refusal::Code;

use crate::cast::{ADA, JOSEPHINE, MARY, ROBIN, SABRINA, service};
use crate::directory::{ada_and_mary, change};
use crate::given::{Given, given};
use crate::words::{cmd, joined, opened, taken, text};

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

fn told(given: &Given, person: PersonId) -> Vec<String> {
    let state = given.state();
    let all = state.worth_keeping(person, &given.facts, given.now);
    all.into_iter().map(|(service, worth)| format!("{service}: {} by {}", worth.what, worth.how)).collect()
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

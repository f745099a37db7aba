//! Teams and services of the directory.

use serde_json::json;
use wardroom_core::directory::DirectoryEvent;
use wardroom_core::refusal::Code;

use crate::cast::{ADA, MARY, service, services};
use crate::directory::{ada_and_mary, change};

fn set_team(members: &[&str]) -> wardroom_core::directory::DirectoryCommand {
    change("set_team", json!({"team": "search-sre", "members": members}))
}

fn team_set(members: &[wardroom_core::id::PersonId]) -> DirectoryEvent {
    let team = "search-sre".parse().expect("a team's name");
    DirectoryEvent::TeamSet { team, members: members.iter().copied().collect() }
}

#[test]
fn a_team_is_the_people_it_was_given_last() {
    ada_and_mary()
        .when(ADA, set_team(&["mary", "ada", "mary"]))
        .then([team_set(&[MARY, ADA])])
        .when(ADA, set_team(&["ada", "mary"]))
        .refused(Code::AlreadySo)
        .when(ADA, set_team(&["mary", "nobody"]))
        .says("Nobody here is called “nobody”. An admin can add people to the directory.")
        .refused(Code::UnknownPerson)
        .when(ADA, set_team(&["mary"]))
        .then([team_set(&[MARY])]);
}

#[test]
fn a_service_has_an_owner_that_exists_and_depends_on_others() {
    let set = |owner: Option<&str>, needs: &[&str]| {
        change("set_service", json!({"service": "search", "owner": owner, "depends_on": needs}))
    };
    let owner = Some("search-sre".parse().expect("a team's name"));
    ada_and_mary()
        .when(ADA, set(Some("search-sre"), &[]))
        .says("There is no team called “search-sre”. An admin can add it to the directory.")
        .refused(Code::UnknownTeam)
        .when(ADA, set(None, &["search"]))
        .refused(Code::Invalid)
        .when(ADA, set_team(&["mary"]))
        .accepted()
        .when(ADA, set(Some("search-sre"), &["not-known-yet"]))
        .then([DirectoryEvent::ServiceSet {
            service: service("search"),
            owner,
            depends_on: services(&["not-known-yet"]),
        }])
        .when(ADA, set(Some("search-sre"), &["not-known-yet"]))
        .refused(Code::AlreadySo);
}

/// Whoever was of no team that owns the service was sent to the admins alone.
#[test]
fn whoever_does_not_own_a_service_is_told_who_does() {
    let good = || change("set_good", json!({"service": "search", "version": "v11"}));
    let set = |owner: Option<&str>| change("set_service", json!({"service": "search", "owner": owner}));
    let known = ada_and_mary().when(ADA, set_team(&["ada"])).accepted().when(ADA, set(None)).accepted();
    known
        .when(MARY, good())
        .says("No team owns search that could say this of it: only an admin can.")
        .refused(Code::AdminsOnly)
        .when(ADA, set(Some("search-sre")))
        .accepted()
        .when(MARY, good())
        .says("Only search-sre, who own search, can say this of it, or an admin.")
        .refused(Code::NotYours)
        .when(MARY, change("set_good", json!({"service": "serach", "version": "v11"})))
        .refused(Code::UnknownService)
        .when(ADA, set_team(&["mary"]))
        .accepted()
        .when(MARY, good())
        .accepted();
}

#[test]
fn what_owns_services_is_not_removed() {
    let remove_team = || change("remove_team", json!({"team": "search-sre"}));
    let remove_service = || change("remove_service", json!({"service": "search"}));
    ada_and_mary()
        .when(ADA, remove_team())
        .refused(Code::UnknownTeam)
        .when(ADA, remove_service())
        .refused(Code::UnknownService)
        .when(ADA, set_team(&["mary"]))
        .accepted()
        .when(ADA, change("set_service", json!({"service": "search", "owner": "search-sre"})))
        .accepted()
        .when(ADA, remove_team())
        .says("“search-sre” owns the service “search”. Give its services to another team first.")
        .refused(Code::Unfinished)
        .when(ADA, remove_service())
        .then([DirectoryEvent::ServiceRemoved { service: service("search") }])
        .when(ADA, remove_team())
        .accepted();
}

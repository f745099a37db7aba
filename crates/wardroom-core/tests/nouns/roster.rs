//! Importing people, teams and services from a TOML or CSV file; and files that are bad.

use serde_json::json;
use uuid::Uuid;
use wardroom_core::directory::{DirectoryAsking, DirectoryCommand, DirectoryEvent};
use wardroom_core::id::{Actor, PersonId};
use wardroom_core::refusal::Code;
use wardroom_core::roster::{ROSTER_BYTES_MAX, Roster};

use crate::cast::{ADA, MARY, service, services, start};
use crate::directory::{ada_and_mary, added, change};
use crate::words::text;

const TOML: &str = r#"
[[people]]
handle = "mary"
name = "Mary M."

[[people]]
handle = "robin"
name = "Robin"
email = "robin@example.org"

[[teams]]
name = "search-sre"
members = ["mary", "robin"]

[[services]]
name = "search"
owner = "search-sre"
depends_on = ["indexing"]
"#;

const CSV: &str = "\
handle, name,    teams,              email,             admin
mary,   Mary M., search-sre,         ,
robin,  Robin,   search-sre on-call, robin@example.org, true
";

fn nth(n: u128) -> PersonId {
    PersonId(Uuid::from_u128(n))
}

fn import(roster: Roster) -> DirectoryCommand {
    roster.into()
}

fn renamed() -> DirectoryEvent {
    DirectoryEvent::PersonChanged { person: MARY, handle: None, name: Some(text("Mary M.")), email: None, admin: None }
}

fn robin(admin: bool) -> DirectoryEvent {
    let email = Some(text("robin@example.org"));
    DirectoryEvent::PersonAdded { person: nth(100), handle: text("robin"), name: text("Robin"), email, admin }
}

fn team(name: &str, members: &[PersonId]) -> DirectoryEvent {
    let team = name.parse().expect("a team's name");
    DirectoryEvent::TeamSet { team, members: members.iter().copied().collect() }
}

#[test]
fn a_toml_file_brings_people_teams_and_services() {
    let roster = || Roster::from_toml(TOML).expect("a roster");
    let owner = Some("search-sre".parse().expect("a team's name"));
    let search = DirectoryEvent::ServiceSet { service: service("search"), owner, depends_on: services(&["indexing"]) };
    ada_and_mary()
        .when(ADA, import(roster()))
        .then([renamed(), robin(false), team("search-sre", &[MARY, nth(100)]), search])
        .when(ADA, import(roster()))
        .says("The directory says that already.")
        .refused(Code::AlreadySo);
}

#[test]
fn a_csv_file_brings_people_and_their_teams() {
    let roster = Roster::from_csv(CSV).expect("a roster");
    let both = team("search-sre", &[MARY, nth(100)]);
    ada_and_mary().when(ADA, import(roster)).then([renamed(), robin(true), both, team("on-call", &[nth(100)])]);
}

#[test]
fn spreadsheets_may_put_their_mark_in_front_and_leave_columns_out() {
    let roster = Roster::from_csv("\u{feff}name,handle\r\nRobin,robin\r\n").expect("a roster");
    ada_and_mary().when(ADA, import(roster)).then([added(nth(100), "robin", "Robin", false)]);
}

#[test]
fn what_a_roster_does_not_name_stays() {
    let roster = Roster::from_csv("handle,name\nada,Ada L.\n").expect("a roster");
    let book = ada_and_mary().when(ADA, import(roster)).accepted();
    assert!(book.directory.facts.admin(ADA), "the column is not there");
    assert!(book.directory.facts.active(MARY));
}

/// The rota's address goes from one to the next in one file.
#[test]
fn an_address_that_somebody_gives_up_is_for_whoever_comes_after_them() {
    let on_call = change("change_person", json!({ "person": "ada", "email": "oncall@example.org" }));
    let book = ada_and_mary().when(ADA, on_call).accepted();
    let file =
        |rows: [&str; 2]| Roster::from_csv(&format!("handle,name,email\n{}\n", rows.join("\n"))).expect("a roster");
    let [ada, mary] = ["ada,Ada,ada@example.org", "mary,Mary,OnCall@example.org"];
    let moved = book.clone().when(ADA, import(file([ada, mary]))).accepted();
    let address = |person| moved.directory.facts.people[&person].email.as_ref().and_then(|email| email.words());
    assert_eq!([address(ADA), address(MARY)], [Some("ada@example.org"), Some("OnCall@example.org")]);
    // Nobody has given it up yet.
    let sentence = "The address OnCall@example.org belongs to Ada. Give each person one of their own: by one that two have, \
                    nobody can be told apart.";
    book.clone().when(ADA, import(file([mary, ada]))).says(sentence).refused(Code::Taken);
    // Given up and taken back is still hers.
    let back = ["ada,Ada,oncall@example.org", mary];
    let three = Roster::from_csv(&format!("handle,name,email\n{ada}\n{}\n", back.join("\n"))).expect("a roster");
    book.clone().when(ADA, import(three)).says(sentence).refused(Code::Taken);
}

#[test]
fn an_address_that_two_had_from_before_is_free_once_both_gave_it_up() {
    let mine = |person: &str, email: &str| change("change_person", json!({ "person": person, "email": email }));
    let active = |name: &str| change(name, json!({ "person": "mary" }));
    let both = ada_and_mary()
        .when(ADA, mine("mary", "oncall@example.org"))
        .accepted()
        .when(ADA, active("deactivate_person"))
        .accepted()
        .when(ADA, mine("ada", "oncall@example.org"))
        .accepted()
        .when(ADA, active("activate_person"))
        .accepted();
    let file =
        |rows: &[&str]| Roster::from_csv(&format!("handle,name,email\n{}\n", rows.join("\n"))).expect("a roster");
    let [ada, mary, robin] =
        ["ada,Ada,ada@example.org", "mary,Mary,mary@example.org", "robin,Robin,oncall@example.org"];
    for (one, other) in [(ada, "Mary"), (mary, "Ada")] {
        let sentence = format!("The address oncall@example.org belongs to {other}.");
        let refused = both.clone().when(ADA, import(file(&[one, robin])));
        assert!(refused.refusal().sentence.starts_with(&sentence));
    }
    both.when(ADA, import(file(&[ada, mary, robin]))).accepted();
}

#[test]
fn it_is_all_or_nothing() {
    let roster = Roster::from_toml(&TOML.replace("[\"mary\", \"robin\"]", "[\"mary\", \"rob\"]")).expect("a roster");
    let book = ada_and_mary()
        .when(ADA, import(roster))
        .says("Nobody here is called “rob”. An admin can add people to the directory.")
        .refused(Code::UnknownPerson);
    assert_eq!(book.directory, ada_and_mary().directory);
    let last_admin = Roster::from_csv("handle,name,admin\nada,Ada,false\n").expect("a roster");
    ada_and_mary().when(ADA, import(last_admin)).refused(Code::Unfinished);
    ada_and_mary().when(MARY, import(Roster::default())).refused(Code::AdminsOnly);
}

#[test]
fn it_comes_over_the_wire_too() {
    let people = json!([{"handle": "robin", "name": "Robin"}]);
    ada_and_mary().when(ADA, change("import", json!({"roster": {"people": people}}))).then([added(
        nth(100),
        "robin",
        "Robin",
        false,
    )]);
}

#[test]
fn a_bad_toml_file_is_refused_with_the_place() {
    for (bad, place) in [
        ("[[people]\n", "line 1"),
        ("[[people]]\nhandle = \"Mary\"\nname = \"Mary\"\n", "a handle is"),
        ("[[people]]\nhandle = \"mary\"\n", "name"),
        ("[[people]]\nhandle = \"mary\"\nname = \"Mary\"\nshoe_size = 39\n", "shoe_size"),
        ("[[persons]]\nhandle = \"mary\"\n", "persons"),
        ("[[people]]\nhandle = \"mary\"\nname = \"Mary\"\nemail = \"mary\"\n", "name@example.org"),
        ("[[services]]\nname = \"search\"\ndepends_on = \"all\"\n", "line 3"),
    ] {
        let error = Roster::from_toml(bad).expect_err(bad).to_string();
        assert!(error.contains(place), "{bad}: {error}");
    }
}

#[test]
fn a_bad_csv_file_is_refused_with_the_place() {
    for (bad, place) in [
        ("handle,name\nMary,Mary\n", "line: 2"),
        ("handle,name\nmary,Mary,extra\n", "line: 2"),
        ("handle,name\nmary,\n", "line: 2"),
        ("handle,name,admin\nmary,Mary,perhaps\n", "line: 2"),
        ("handle,name,teams\nrobin,Robin,Search SRE\n", "robin: a team's name is"),
        ("handle\nmary\n", "name"),
        ("handle;name\nmary;Mary\n", "handle"),
        ("handle,name,shoe_size\nmary,Mary,39\n", "shoe_size"),
    ] {
        let error = Roster::from_csv(bad).expect_err(bad).to_string();
        assert!(error.contains(place), "{bad}: {error}");
    }
}

/// What a parser repeats of a file reached the terminal as it was, and an address could be
/// written backwards.
#[test]
fn nothing_that_misleads_survives_a_file_or_its_refusal() {
    let backwards = "handle,name,email\neve,Eve,eve@\u{202E}gro.elpmaxe.mx\n";
    assert!(Roster::from_csv(backwards).expect_err("backwards").to_string().contains("mail address"));
    let toml = format!("x = 1 # \u{1b}[2J{}\n", "y".repeat(10_000));
    for refused in [Roster::from_csv("handle,name,\u{1b}[2J\nx,X,\n"), Roster::from_toml(&toml)] {
        let error = refused.expect_err("unknown").to_string();
        assert!(!error.contains('\u{1b}') && error.chars().count() < 2_000, "{error:?}");
    }
}

#[test]
fn a_file_is_bounded() {
    let long = "#".repeat(ROSTER_BYTES_MAX + 1);
    for error in [Roster::from_toml(&long), Roster::from_csv(&long)] {
        let error = error.expect_err("too long").to_string();
        assert_eq!(error, "the file has 4194305 bytes; at most 4194304 are read");
    }
    let of = |people: u32, team: &str| {
        let rows: String = (0..people).map(|n| format!("p{n},Person,{team}\n")).collect();
        Roster::from_csv(&format!("handle,name,teams\n{rows}")).expect("a roster")
    };
    ada_and_mary().when(ADA, import(of(20_001, ""))).refused(Code::TooMany);
    // As many as fit are all there afterwards, in their team. Each was compared with all others once.
    let ask = DirectoryAsking { actor: Actor::Console, now: start() };
    let mut fresh = (100..).map(Uuid::from_u128);
    let mut draw = || fresh.next().expect("there is always another");
    let events = ada_and_mary().directory.decide(ask, import(of(19_999, "everybody")), &mut draw).expect("it fits");
    let Some(DirectoryEvent::TeamSet { members, .. }) = events.last() else { panic!("the team comes last") };
    assert_eq!((events.len(), members.len()), (20_000, 19_999));
}

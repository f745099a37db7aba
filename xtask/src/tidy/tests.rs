//! Small sources that must be refused, each beside its nearest neighbour that must not.

use super::{FILE_LINES, FUNCTION_LINES, check};

/// The lines and first words of what tidy says about a source.
#[track_caller]
fn says(path: &str, source: &str, expected: &[(usize, &str)]) {
    let problems = check(path, source);
    let same = problems.len() == expected.len()
        && problems.iter().zip(expected).all(|(got, (line, word))| got.line == *line && got.what.contains(word));
    assert!(same, "expected {expected:?}, tidy says {problems:#?} of\n{source}");
}

const ANY: &str = "crates/wardroom-server/src/log.rs";
const CORE: &str = "crates/wardroom-core/src/role.rs";
const STORY: &str = "crates/wardroom-server/tests/it/handoff.rs";

/// A function that is `lines` long, from its signature to its brace.
fn function(lines: usize) -> String {
    format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
}

#[test]
fn a_file_says_first_what_lives_there() {
    says(ANY, "//! The log.\n", &[]);
    says(ANY, "\n//! The log.\n", &[(1, "does not open")]);
    says(ANY, "// The log.\nfn f() {}\n", &[(1, "does not open")]);
}

#[test]
fn a_name_says_something() {
    says("crates/wardroom-core/src/utils.rs", "//! x\n", &[(1, "`utils`")]);
    says("crates/wardroom-server/tests/common/mod.rs", "//! x\n", &[(1, "`common`")]);
    says("crates/wardroom-core/src/uncommon.rs", "//! x\n", &[]);
}

#[test]
fn nothing_is_left_for_later() {
    let mark = concat!("TO", "DO");
    says(ANY, &format!("//! x\n\n// {mark}: later\n"), &[(3, mark)]);
    says(ANY, &format!("//! x\n// the {mark}S of others\n"), &[]);
    says(ANY, "//! x\nfn f() { let x = vec![todo!()]; }\n", &[(2, "`todo!`")]);
    says(ANY, "//! x\nfn f() {\n    unimplemented!(\"x\")\n}\n", &[(3, "`unimplemented!`")]);
    says(ANY, "//! x\nfn f() { let todo = \"todo!()\"; } // todo!\n", &[]);
}

#[test]
fn a_file_can_be_read_in_one_go() {
    let code = |lines: usize| format!("//! x\n{}", "const A: u8 = 1;\n".repeat(lines - 1));
    says(ANY, &code(FILE_LINES), &[]);
    says(ANY, &code(FILE_LINES + 1), &[(1, "lines of code and comment")]);
    says(ANY, &format!("{}\n\n\n", code(FILE_LINES)), &[]);
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "const A: u8 = 1;\n".repeat(FILE_LINES));
    says(ANY, &format!("{}{tests}", code(FILE_LINES)), &[]);
    let not_tests = tests.replace("cfg(test)", "cfg(not(test))");
    says(ANY, &format!("{}{not_tests}", code(FILE_LINES)), &[(1, "lines of code and comment")]);
}

#[test]
fn a_function_can_be_read_in_one_go() {
    says(ANY, &format!("//! x\n/// Docs do not count.\n{}", function(FUNCTION_LINES)), &[]);
    says(ANY, &format!("//! x\n{}", function(FUNCTION_LINES + 1)), &[(2, "`long`")]);
    says(ANY, &format!("//! x\nimpl A {{\n{}}}\n", function(FUNCTION_LINES + 1)), &[(3, "`long`")]);
    says(ANY, &format!("//! x\ntrait A {{\n{}}}\n", function(FUNCTION_LINES + 1)), &[(3, "`long`")]);
    says(ANY, &format!("//! x\nmod m {{\n{}}}\n", function(FUNCTION_LINES + 1)), &[(3, "`long`")]);
    let braces_in_text = "    let a = \"}}}\"; // }}}\n";
    let source = format!("//! x\nfn f() {{\n{}}}\n", braces_in_text.repeat(FUNCTION_LINES));
    says(ANY, &source, &[(2, "`f`")]);
}

/// One line per case is looked up, not read in one go.
#[test]
fn a_table_is_as_long_as_what_it_lists() {
    let table = |arm: &str| format!("//! x\nfn t() {{\n    match x {{\n{}    }}\n}}\n", arm.repeat(FUNCTION_LINES));
    says(ANY, &table("        A => b(),\n"), &[]);
    says(ANY, &table("        A => {\n            b()\n        }\n"), &[(2, "`t`")]);
    says(ANY, &table("        A => b(),\n").replace("    match", "    step();\n    match"), &[(2, "`t`")]);
}

#[test]
fn a_test_does_not_sleep() {
    let sleeping = "//! x\nfn f() {\n    std::thread::sleep(PAUSE);\n}\n";
    says(STORY, sleeping, &[(3, "sleeps")]);
    says("crates/wardroom-server/tests/it/wait.rs", sleeping, &[]);
    says(ANY, sleeping, &[]);
    says(ANY, "//! x\n#[cfg(test)]\nmod tests {\n    fn f() { sleep(PAUSE) }\n}\n", &[(4, "sleeps")]);
    says(STORY, "//! x\nfn f() { sql(\"select pg_sleep(1), sleep(1)\") } // sleep(1)\n", &[]);
}

#[test]
fn the_core_reaches_for_nothing() {
    for outside in [
        "use std::fs;",
        "use std::fs::File;",
        "use std::{collections::BTreeMap, net::TcpStream};",
        "use std::time::{Duration, Instant};",
        "use std::{sync::Arc, time::{self, SystemTime}};",
        "use std::time::*;",
        "use ::std::fs;",
        "fn f() { let now = std::time::Instant::now(); }",
        "fn f(at: std::time::SystemTime) {}",
        "fn f() { vec![rand::random::<u8>()]; }",
        "#[tokio::test]\nasync fn f() {}",
        "fn f(a: [u8; 4]) { getrandom::fill(&mut a); }",
    ] {
        says(CORE, &format!("//! x\n{outside}\n"), &[(2, "the core reaches")]);
        says(ANY, &format!("//! x\n{outside}\n"), &[]);
    }
    for inside in [
        "use std::time::Duration;",
        "use std::{collections::BTreeMap, time::Duration};",
        "use crate::{rand, net::std as fs};",
        "fn f() { let rand = a::tokio::b; rand.next() }",
        "// std::fs\nconst A: &str = \"std::fs::read\";",
        "fn f() { match a { A::B { fs } => fs, A::C => net } }",
    ] {
        says(CORE, &format!("//! x\n{inside}\n"), &[]);
    }
}

#[test]
fn what_is_not_rust_is_said_so() {
    says(ANY, "//! x\nfn f( {}\n", &[(2, "not Rust")]);
    says(ANY, "//! x\nfn f() { let }\n", &[(2, "not Rust")]);
}

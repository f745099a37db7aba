//! The demo plays from end to end, without a terminal, and its record holds.

use std::process::{Command, Stdio};

#[test]
fn the_demo_plays_to_its_end() {
    let output = Command::new(env!("CARGO_BIN_EXE_wardroom")).arg("demo").stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for line in [
        "Mary declared the incident; Mary is the commander",
        "Sabrina has command from Mary, briefed by voice",
        "Mary took operations",
        "Sabrina offers command to Jennifer (you)",
        "sabrina offers you command",
        "Jennifer (you) has command from Sabrina, briefed up to entry",
        "mary is held back once",
        "Mary has command from Jennifer (you)",
        "Mary closed the incident",
        "The record holds",
    ] {
        assert!(said.contains(line), "“{line}” is missing in:\n{said}");
    }
}

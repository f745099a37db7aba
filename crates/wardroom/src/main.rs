//! The `wardroom` command: serve, run an incident from the terminal, verify the record.
//!
//! Exit codes: 0 done, 1 refused, 2 wrong usage, 3 not signed in, 4 not reachable or not available,
//! 5 the record does not verify.

mod args;
mod client;
mod exit;
mod show;
mod verb;

use clap::Parser;

fn main() -> std::process::ExitCode {
    let arguments = args::Arguments::parse();
    match verb::run(arguments) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => exit::told(&error),
    }
}

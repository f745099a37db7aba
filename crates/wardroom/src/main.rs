//! The `wardroom` command: serve, run an incident from the terminal, verify the record.
//!
//! Exit codes: 0 done, 1 refused, 2 wrong usage, 3 not signed in, 4 not reachable or not available,
//! 5 the record does not verify.

mod args;
mod client;
mod exit;
mod live;
mod plain;
mod show;
mod verb;

/// Of threads that answer side by side, each has its own: none waits for another to be given memory.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Whoever reads what is printed (`| head`) may stop before its end, which is nothing to complain about.
fn end_quietly_when_nobody_reads() {
    let complain = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload().downcast_ref::<String>().map(String::as_str).unwrap_or_default();
        if said.starts_with("failed printing to stdout") && said.contains("Broken pipe") {
            std::process::exit(0);
        }
        complain(panic);
    }));
}

fn main() -> std::process::ExitCode {
    end_quietly_when_nobody_reads();
    let arguments = args::Arguments::typed();
    let json = arguments.remote.json;
    match verb::run(arguments) {
        Ok(code) => code,
        Err(error) => exit::told(&error, json),
    }
}

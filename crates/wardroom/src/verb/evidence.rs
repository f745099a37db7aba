//! Evidence: attaching a file or what a command printed, and reading it back.

use std::io::{IsTerminal, Read, Write};
use std::path::Path;

use anyhow::Context;
use wardroom_core::evidence::{Fingerprint, PIECE_MAX, size};
use wardroom_core::id::Number;
use wardroom_core::text::Line;

use super::print_json;
use crate::args::Remote;
use crate::client::Client;
use crate::exit::Failure;

/// What stands for the standard input.
const STDIN: &str = "-";

/// Attaches a file, and prints the address of its bytes as the last word.
pub fn attach(client: &Client, remote: &Remote, number: Number, file: &Path, name: Option<Line>) -> anyhow::Result<()> {
    let stdin = file == Path::new(STDIN);
    let name = match name {
        Some(name) => name,
        None if stdin => "output.txt".parse()?,
        None => file.file_name().unwrap_or_default().to_string_lossy().parse().map_err(|why| {
            Failure::misused(format!("{} cannot be called so here ({why}). Name it: --name NAME", file.display()))
        })?,
    };
    let mut bytes = Vec::new();
    let read = if stdin {
        std::io::stdin().lock().take(PIECE_MAX + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(PIECE_MAX + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::misused(format!("{} cannot be read: {error}", file.display())))?;
    if bytes.len() as u64 > PIECE_MAX {
        let most = size(PIECE_MAX);
        return Err(Failure::misused(format!(
            "{name} is larger than {most}. Cut it, or pack it.",
            name = name.as_str()
        ))
        .into());
    }
    let answer = client.attach(number, &name, &bytes)?;
    if remote.json {
        print_json(&answer);
        return Ok(());
    }
    println!(
        "{} is kept as evidence, with entry {}: {}",
        name.as_str(),
        answer["entry"],
        answer["address"].as_str().unwrap_or_default()
    );
    Ok(())
}

/// Writes the bytes of a piece of evidence into a file, or as they are to whoever reads on.
pub fn read(client: &Client, number: Number, sha256: Fingerprint, output: Option<&Path>) -> anyhow::Result<()> {
    if output.is_none() && std::io::stdout().is_terminal() {
        let sentence = "What is evidence may not be for a terminal. Name a file: -o FILE, or pipe it on.";
        return Err(Failure::misused(sentence).into());
    }
    let bytes = client.evidence(number, sha256)?;
    match output {
        Some(file) => std::fs::write(file, bytes).with_context(|| format!("{} cannot be written", file.display())),
        None => std::io::stdout().lock().write_all(&bytes).context("it cannot be written"),
    }
}

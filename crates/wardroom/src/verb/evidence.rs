//! Evidence: attaching a file or what a command printed, listing what is there, reading it back, and holding it against
//! its SHA-256.

mod sending;

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, IsTerminal, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardroom_core::evidence::{Fingerprint, PIECE_MAX, size};
use wardroom_core::id::{Number, ServiceName};
use wardroom_core::preserve::Template;
use wardroom_core::text::Line;

use super::archive::there_already;
use super::print_json;
use crate::args::{Beginning, Evidence, Remote};
use crate::client::Client;
use crate::exit::Failure;
use crate::show;

/// What stands for the standard input.
const STDIN: &str = "-";

/// `wardroom evidence …`
pub fn evidence(client: &Client, remote: &Remote, verb: Evidence) -> anyhow::Result<()> {
    match verb {
        Evidence::Add { number, file, name, why } => add(client, remote, number, &file, (name, why)),
        Evidence::Fetch { number, from, name, why } => {
            let answer = client.fetch(number, json!({ "url": from, "name": name, "why": why }))?;
            tell_kept(remote, "It", &answer);
            Ok(())
        }
        Evidence::List { number } => {
            let answer = client.evidence_list(number)?;
            if remote.json {
                print_json(&answer);
            } else {
                println!("{}", show::evidence(&answer));
            }
            Ok(())
        }
        Evidence::Get { number, sha256, output, force } => get(client, number, &sha256, (output.as_deref(), force)),
        Evidence::Verify { number, sha256 } => verify(client, remote, number, sha256.as_ref()),
    }
}

/// Says what of a service is worth keeping.
pub fn preserve(client: &Client, remote: &Remote, service: &ServiceName, keep: &[Template]) -> anyhow::Result<()> {
    let answer = client.post(&format!("/api/v1/services/{service}/preserve"), json!({ "keep": keep }))?;
    if remote.json {
        print_json(&answer);
    } else {
        println!("The directory knows what of {service} is worth keeping.");
    }
    Ok(())
}

/// Attaches a file, and prints the address of its bytes as the last word.
fn add(
    client: &Client,
    remote: &Remote,
    number: Number,
    file: &Path,
    (name, why): (Option<Line>, Option<Line>),
) -> anyhow::Result<()> {
    let stdin = file == Path::new(STDIN);
    let name = match name {
        Some(name) => name,
        None if stdin => "output.txt".parse()?,
        None => file.file_name().unwrap_or_default().to_string_lossy().parse().map_err(|why| {
            Failure::misused(format!("{} cannot be called so here ({why}). Name it: --name NAME", file.display()))
        })?,
    };
    let unreadable = |error| Failure::misused(format!("{} cannot be read: {error}", file.display()));
    let brought = match stdin {
        true => brought(std::io::stdin().lock(), name.as_str())?,
        false => {
            let open = File::open(file).map_err(unreadable)?;
            let about = open.metadata().map_err(unreadable)?;
            match about.is_file() && about.len() > sending::LARGE {
                true => Brought::Large(open),
                false => brought(open, name.as_str())?,
            }
        }
    };
    let answer = match brought {
        Brought::Small(bytes) => client.attach(number, &name, why.as_ref(), &bytes)?,
        Brought::Large(file) => sending::send(client, number, file, (&name, why.as_ref()))?,
    };
    tell_kept(remote, name.as_str(), &answer);
    Ok(())
}

/// What somebody attaches.
enum Brought {
    /// It goes as one whole.
    Small(Vec<u8>),
    /// It goes in parts, so that it has to lie somewhere: it is read again from where it broke off.
    Large(File),
}

/// Takes what comes. What is large lies in a file meanwhile that nobody else can read and that has no name, so that
/// nothing of it stays, however this ends.
fn brought(mut from: impl Read, name: &str) -> Result<Brought, Failure> {
    let unreadable = |error| Failure::misused(format!("{name} cannot be read: {error}"));
    let mut chunk = Vec::new();
    from.by_ref().take(sending::LARGE + 1).read_to_end(&mut chunk).map_err(unreadable)?;
    if chunk.len() as u64 <= sending::LARGE {
        return Ok(Brought::Small(chunk));
    }
    let no_room = |error: std::io::Error| {
        let folder = std::env::temp_dir();
        let sentence =
            format!("{name} cannot lie in {} meanwhile: {error}. Name another folder: TMPDIR=FOLDER", folder.display());
        Failure::misused(sentence)
    };
    let mut file = tempfile::tempfile().map_err(no_room)?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(no_room)?;
    let mut bytes = 0;
    while !chunk.is_empty() {
        bytes += chunk.len() as u64;
        if bytes > PIECE_MAX {
            let most = size(PIECE_MAX);
            return Err(Failure::misused(format!("{name} is larger than {most}, which is the most. Split it.")));
        }
        file.write_all(&chunk).map_err(no_room)?;
        chunk.clear();
        from.by_ref().take(1 << 20).read_to_end(&mut chunk).map_err(unreadable)?;
    }
    Ok(Brought::Large(file))
}

/// Says where it is kept, with the address of its bytes as the last word.
fn tell_kept(remote: &Remote, what: &str, answer: &Value) {
    if remote.json {
        return print_json(answer);
    }
    let address = answer["address"].as_str().unwrap_or_default();
    let (entry, name) = (&answer["entry"], answer["name"].as_str().unwrap_or_default());
    // Sent again under its own name, it is what was meant.
    match answer["already"] == true && name != what {
        true => println!("{what} was kept already, as entry {entry} ({name}): {address}"),
        false => println!("{what} is kept as evidence, with entry {entry}: {address}"),
    }
}

/// Writes the bytes of a piece of evidence into a file, or as they are to whoever reads on.
fn get(
    client: &Client,
    number: Number,
    meant: &Beginning,
    (output, force): (Option<&Path>, bool),
) -> anyhow::Result<()> {
    if output.is_none() && std::io::stdout().is_terminal() {
        let sentence = "What is evidence may not be for a terminal. Name a file: -o FILE, or pipe it on.";
        return Err(Failure::misused(sentence).into());
    }
    if let Some(file) = output.filter(|file| file.is_file() && !force) {
        return Err(there_already(file).into());
    }
    let fingerprint = match meant.whole() {
        Some(whole) => whole,
        None => the_only_one(&client.evidence_list(number)?, meant)?,
    };
    let held = |read: Fingerprint| match read == fingerprint {
        true => Ok(()),
        false => Err(altered(number, vec![format!("what arrived as {fingerprint} has another SHA-256")])),
    };
    let Some(file) = output else {
        // Whoever reads on has it by then, and the exit code says that it is not what it should be.
        return Ok(held(copied(client, number, fingerprint, std::io::stdout().lock())?)?);
    };
    let unwritable = || format!("{} cannot be written", file.display());
    if file.exists() && !file.is_file() {
        let device = OpenOptions::new().write(true).open(file).with_context(unwritable)?;
        return Ok(held(copied(client, number, fingerprint, device)?)?);
    }
    // It has its name once it is whole, and the rights that any new file has.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside =
        tempfile::Builder::new().make_in(folder, |path| OpenOptions::new().write(true).create_new(true).open(path));
    let new = beside.with_context(unwritable)?;
    held(copied(client, number, fingerprint, new.as_file())?)?;
    if force {
        return new.persist(file).map(drop).with_context(unwritable);
    }
    new.persist_noclobber(file).map(drop).map_err(|error| match error.error.kind() {
        ErrorKind::AlreadyExists => there_already(file).into(),
        _ => anyhow::Error::from(error).context(unwritable()),
    })
}

/// Hashes what goes through it.
struct Hashing<W> {
    digest: Sha256,
    into: W,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.into.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.into.flush()
    }
}

/// Reads a piece into something, and answers with the SHA-256 of what came.
fn copied(client: &Client, number: Number, piece: Fingerprint, into: impl Write) -> anyhow::Result<Fingerprint> {
    let mut into = Hashing { digest: Sha256::new(), into };
    client.evidence(number, piece, &mut into)?;
    into.flush()?;
    Ok(Fingerprint::new(into.digest.finalize().into()))
}

/// The digests of the pieces of an incident.
fn digests(answer: &Value) -> Vec<Fingerprint> {
    let pieces = answer["evidence"].as_array().into_iter().flatten();
    pieces.filter_map(|piece| piece["sha256"].as_str()?.parse().ok()).collect()
}

/// The piece whose digest begins so.
fn the_only_one(answer: &Value, meant: &Beginning) -> Result<Fingerprint, Failure> {
    let begin: Vec<Fingerprint> =
        digests(answer).into_iter().filter(|sha256| meant.begins(&sha256.to_string())).collect();
    match begin.as_slice() {
        [only] => Ok(*only),
        [] => Err(Failure::Refused(json!({
            "code": "no_such_evidence",
            "detail": format!("No evidence here begins with {}. If it did, it was redacted.", meant.as_str()),
        }))),
        several => {
            Err(Failure::misused(format!("{} pieces begin with {}: write more of it.", several.len(), meant.as_str())))
        }
    }
}

fn altered(number: Number, broken: Vec<String>) -> Failure {
    let detail = format!("the evidence of incident {} does not hold: {}", number.get(), broken.join("; "));
    Failure::Broken(json!({ "code": "broken", "detail": detail, "incident": number, "broken": broken }))
}

/// Reads pieces one after the other, and holds each against its digest.
fn verify(client: &Client, remote: &Remote, number: Number, meant: Option<&Beginning>) -> anyhow::Result<()> {
    let list = client.evidence_list(number)?;
    let pieces = match meant {
        Some(meant) => vec![the_only_one(&list, meant)?],
        None => digests(&list),
    };
    let mut broken = Vec::new();
    for piece in &pieces {
        match copied(client, number, *piece, std::io::sink()) {
            Ok(read) if read == *piece => {}
            Ok(_) => broken.push(format!("{piece} was altered")),
            Err(error) => match error.downcast_ref() {
                Some(Failure::Refused(_)) => broken.push(format!("{piece} is not there")),
                _ => return Err(error),
            },
        }
    }
    if !broken.is_empty() {
        return Err(altered(number, broken).into());
    }
    if remote.json {
        print_json(&json!({ "incident": number, "pieces": pieces.len(), "holds": true, "broken": [] }));
        return Ok(());
    }
    let many = pieces.len();
    println!("The evidence holds: {many} {} of incident {}.", if many == 1 { "piece" } else { "pieces" }, number.get());
    Ok(())
}

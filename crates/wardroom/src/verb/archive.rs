//! An incident's archive: taking one along, and checking one with nothing else at hand.

use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::NamedTempFile;
use wardroom_core::id::Number;
use wardroom_core::seal::Seal;
use wardroom_server::archive::check::{Checked, check};

use super::print_json;
use crate::args::{Export, Remote};
use crate::client::Client;
use crate::exit::Failure;

/// How much is read at once, in bytes.
const AT_ONCE: usize = 1 << 20;

/// `wardroom export N`: what arrived is checked before it has its name.
pub fn export(client: &Client, remote: &Remote, export: Export) -> anyhow::Result<()> {
    let Export { number, output, force } = export;
    let file = output.unwrap_or_else(|| PathBuf::from(format!("incident-{}.tar", number.get())));
    if file.exists() && !force {
        return Err(there_already(&file).into());
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unwritable = |error: &dyn std::fmt::Display| Failure::misused(format!("{}: {error}", file.display()));
    let mut new = NamedTempFile::new_in(folder).map_err(|error| unwritable(&error))?;
    let copied = client.copy(&format!("/api/v1/incidents/{}/export", number.get()), &mut new);
    copied.map_err(|error| match error.is::<Failure>() {
        true => error,
        false => Failure::unreachable(format!("{error:#}. Nothing of it was kept; try again.")).into(),
    })?;
    new.as_file_mut().seek(SeekFrom::Start(0))?;
    let checked = check(BufReader::with_capacity(AT_ONCE, new.as_file()), None)?;
    if !checked.whole || checked.incident != Some(number) {
        let why = checked.wrong.last().map(String::as_str).unwrap_or("it is that of another incident");
        return Err(
            Failure::unreachable(format!("what arrived is not whole: {why}. Nothing was kept; try again.")).into()
        );
    }
    let bytes = new.as_file().metadata()?.len();
    new.as_file().sync_all().map_err(|error| unwritable(&error))?;
    if force {
        new.persist(&file).map_err(|error| unwritable(&error.error))?;
    } else {
        new.persist_noclobber(&file).map_err(|error| match error.error.kind() {
            std::io::ErrorKind::AlreadyExists => there_already(&file),
            _ => unwritable(&error.error),
        })?;
    }
    // The name is on disk only with its folder.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| unwritable(&error))?;
    let mut told = told(&file, &checked);
    told["bytes"] = json!(bytes);
    let kept = format!("Incident {} is in {}. ", number.get(), file.display());
    say(remote, told, &checked, &kept)
}

/// Nothing is written over what is there, unless somebody says so.
pub fn there_already(file: &Path) -> Failure {
    let detail = format!("{} is there already. Name another file with -o, or add --force.", file.display());
    Failure::Refused(json!({ "code": "there_already", "detail": detail }))
}

/// `wardroom verify ARCHIVE`
pub fn verify(remote: &Remote, file: &Path, head: Option<Seal>) -> anyhow::Result<()> {
    let unreadable = |error: std::io::Error| Failure::misused(format!("{} cannot be read: {error}", file.display()));
    let open = File::open(file).map_err(unreadable)?;
    let checked = check(BufReader::with_capacity(AT_ONCE, open), head).map_err(unreadable)?;
    say(remote, told(file, &checked), &checked, "")
}

/// What was found, for a script.
fn told(file: &Path, checked: &Checked) -> Value {
    json!({
        "file": file, "incident": checked.incident,
        "made_at": checked.made.map(|(at, _)| at), "made_by": checked.made.map(|(_, by)| by),
        "tip": checked.tip, "events": checked.events, "pieces": checked.pieces,
        "holds": checked.wrong.is_empty(), "broken": checked.wrong,
    })
}

/// Says what was found: that it holds in one line, or everything that is wrong with it.
fn say(remote: &Remote, mut told: Value, checked: &Checked, kept: &str) -> anyhow::Result<()> {
    if checked.wrong.is_empty() {
        if remote.json {
            print_json(&told);
            return Ok(());
        }
        let number = checked.incident.map_or(0, Number::get);
        let (events, pieces, hash) = (checked.events, checked.pieces, checked.tip.hash);
        let pieces = if pieces == 1 { "1 piece".to_owned() } else { format!("{pieces} pieces") };
        println!("{kept}The archive of incident {number} holds: {events} events, {pieces} of evidence, head {hash}");
        return Ok(());
    }
    let mut detail = format!("{kept}It does not hold: {}", checked.wrong.join("\n  "));
    if checked.more > 0 {
        detail.push_str(&format!("\n  and {} findings more", checked.more));
    }
    told["code"] = json!("broken");
    told["detail"] = json!(detail);
    Err(Failure::Broken(told).into())
}

//! What ran without the server, as it is kept on this machine until the server has it: a folder for each run.
//!
//! The record is on disk before the command begins. Whoever runs it holds its lock until it has ended, so that a run that
//! goes on is told from one that was killed. What is read back is bounded, and a folder that cannot be read harms no other.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use uuid::Uuid;
use wardroom_core::command::Command;
use wardroom_core::evidence::{Fingerprint, WHOLE_MAX};
use wardroom_core::id::{Entry, Number, ServiceName, Time};
use wardroom_core::text::{Line, Prose};
use wardroom_server::file;

/// The largest record that is read, in bytes. What is written is less than half of it.
const RECORD_MAX: u64 = 1 << 20;
/// So many runs wait at the most.
const RUNS_MAX: usize = 1_000;
/// What this form of a record is called. Another one is for another version to read.
const FORM: u32 = 1;

const RECORD: &str = "record.json";
const OUTPUT: &str = "output.txt";
const LOCK: &str = "lock";
const DELIVERING: &str = "deliver.lock";

/// Where lies what commands said that is kept nowhere else, beside the runs.
const OUTPUTS: &str = "outputs";

/// A change, as whoever made it tells of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    pub service: Option<ServiceName>,
    pub what: Line,
    pub why: Option<Prose>,
    pub how: Option<Line>,
    pub back: Option<Prose>,
}

impl Made {
    /// What this command announces.
    pub fn of(announced: Command) -> anyhow::Result<Self> {
        match announced {
            Command::AnnounceChange { service, what, why, how, back } => Ok(Self { service, what, why, how, back }),
            other => anyhow::bail!("{other:?} announces no change"),
        }
    }

    /// The command that announces it.
    pub fn announced(self) -> Command {
        let Self { service, what, why, how, back } = self;
        Command::AnnounceChange { service, what, why, how, back }
    }
}

/// How a command ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    pub at: Time,
    /// As a shell would give it.
    pub code: u8,
    /// For a person.
    pub how: String,
}

/// The request ids under which it is told: each is drawn once, so that what is told again is recorded once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requests {
    pub change: Uuid,
    pub evidence: Uuid,
    pub outcome: Uuid,
}

/// What the server has acknowledged of it.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The number of the change.
    pub change: Option<u32>,
    /// It was announced before it ran.
    pub announced: bool,
    /// When it ran is not said, because the server took the time for a wrong one.
    pub undated: bool,
    /// The entry that has what the command said.
    pub evidence: Option<Entry>,
    /// What the command said is not kept as evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unkept: Option<Unkept>,
    /// How the change went is told, as far as that is for whoever made it to tell.
    pub outcome: bool,
}

/// Why what a command said is not kept as evidence, and where it is instead.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unkept {
    /// In the server's words.
    pub why: String,
    /// The file on this machine that has it, if it could be written.
    pub here: Option<PathBuf>,
}

/// Why the server would not have it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct No {
    /// In the server's words.
    pub said: String,
    /// Where its incident goes on.
    pub goes_on: Option<Number>,
}

/// Where a run was told of before its incident was merged into another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Left {
    pub number: Number,
    /// As which change of it.
    pub change: Option<u32>,
}

/// A run that is to be recorded later.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub form: u32,
    /// The server that it is for. Never with a token.
    pub url: String,
    /// A digest of the token of whoever ran it ([`asker`]): nobody else tells of it unasked.
    pub asker: String,
    pub number: Number,
    /// The first one that it was told of in, where that was merged since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Left>,
    /// It began with the server: a change was announced, and the server was asked first whether one may look.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_server: bool,
    /// The change that it is; nothing for a look.
    pub change: Option<Made>,
    /// Why the glass was to be broken, where it was.
    pub glass: Option<Prose>,
    /// The command as it was typed, without secrets.
    pub typed: String,
    pub began: Time,
    /// Nothing while it runs, and for ever where its end was not seen.
    pub ended: Option<End>,
    pub requests: Requests,
    pub told: Told,
    pub refused: Option<No>,
}

impl Record {
    /// The form that is written here.
    pub const FORM: u32 = FORM;
}

/// What says in a record whose token it was, without the token: salted with the run's id, so that it tells nothing else.
pub fn asker(id: Uuid, token: &str) -> String {
    let digest = Sha256::new().chain_update(id.as_bytes()).chain_update(token).finalize();
    Fingerprint::new(digest.into()).to_string()
}

/// A run whose folder is held by this process.
#[derive(Debug)]
pub struct Pending {
    pub id: Uuid,
    pub folder: PathBuf,
    pub record: Record,
    _lock: File,
}

/// What is found in a folder.
#[derive(Debug)]
pub enum Found {
    Waiting(Box<Pending>),
    /// It runs still.
    Running,
    /// Whoever made the folder has not written yet, or was killed before: then nothing was run.
    Nothing,
    /// Why it cannot be read.
    Broken(String),
}

/// Where runs are kept that are to be recorded later.
#[derive(Clone, Debug)]
pub struct Store {
    state: PathBuf,
}

impl Store {
    /// The folder that the variables name; nothing where they name none.
    pub fn find() -> Option<Self> {
        let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let state = named("WARDROOM_STATE")
            .or_else(|| Some(named("XDG_STATE_HOME").filter(|home| home.is_absolute())?.join("wardroom")))
            .or_else(|| Some(named("HOME")?.join(".local/state/wardroom")))?;
        Some(Self { state })
    }

    fn runs(&self) -> PathBuf {
        self.state.join("runs")
    }

    /// Keeps what a command said for its owner alone: nobody else has it.
    ///
    /// # Errors
    /// What kept it from being written, or that too much lies there already.
    pub fn lay_aside(&self, id: Uuid, said: &[u8]) -> io::Result<PathBuf> {
        let outputs = self.state.join(OUTPUTS);
        DirBuilder::new().recursive(true).mode(0o700).create(&outputs)?;
        fs::set_permissions(&outputs, Permissions::from_mode(0o700))?;
        if fs::read_dir(&outputs)?.count() >= RUNS_MAX {
            return Err(io::Error::new(ErrorKind::QuotaExceeded, format!("{RUNS_MAX} lie in {}", outputs.display())));
        }
        let file = outputs.join(format!("{id}.txt"));
        write(&outputs, &file, said).map(|()| file)
    }

    /// Keeps the record of what is about to run. It is on disk when this returns.
    ///
    /// # Errors
    /// What kept it from being written, or that too many wait already.
    pub fn begin(&self, id: Uuid, record: Record) -> io::Result<Pending> {
        let runs = self.runs();
        DirBuilder::new().recursive(true).mode(0o700).create(&runs)?;
        // What it is in may be open to others; this is not.
        fs::set_permissions(&runs, Permissions::from_mode(0o700))?;
        if fs::read_dir(&runs)?.count() >= RUNS_MAX {
            let why = format!("{RUNS_MAX} runs wait there already; wardroom run --deliver");
            return Err(io::Error::new(ErrorKind::QuotaExceeded, why));
        }
        let folder = runs.join(id.to_string());
        DirBuilder::new().mode(0o700).create(&folder)?;
        let lock = locked(&folder.join(LOCK))?;
        let pending = Pending { id, folder, record, _lock: lock };
        pending.save()?;
        for made in [&*runs, &self.state] {
            synced(made)?;
        }
        // Whether it was made just now is not known, and others' folders need not be open to us.
        let _ = self.state.parent().map(synced);
        Ok(pending)
    }

    /// The folders of runs, the oldest first, and whatever else lies there.
    ///
    /// # Errors
    /// What kept the folder from being read. That there is none is no error.
    pub fn waiting(&self) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(self.runs()) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let paths = entries.take(2 * RUNS_MAX).map(|entry| entry.map(|entry| entry.path()));
        let mut paths = paths.collect::<io::Result<Vec<_>>>()?;
        paths.sort(); // Ids are in the order of time.
        Ok(paths)
    }

    /// Held by whoever delivers; nothing while another does.
    ///
    /// # Errors
    /// What kept it from being written.
    pub fn delivering(&self) -> io::Result<Option<File>> {
        match locked(&self.state.join(DELIVERING)) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            lock => lock.map(Some),
        }
    }
}

/// Opens one of the folders that wait.
pub fn open(folder: &Path) -> Found {
    match read(folder) {
        Ok(found) => found,
        Err(why) => Found::Broken(why.to_string()),
    }
}

fn read(folder: &Path) -> io::Result<Found> {
    let odd = |why: &str| io::Error::new(ErrorKind::InvalidData, why.to_owned());
    let name = folder.file_name().and_then(|name| name.to_str());
    let id = name.and_then(|name| name.parse::<Uuid>().ok()).ok_or_else(|| odd("it is no run of Wardroom's"))?;
    if !fs::symlink_metadata(folder)?.is_dir() {
        return Err(odd("it is no folder"));
    }
    let path = folder.join(RECORD);
    if !is_file(&path)? {
        return Ok(Found::Nothing);
    }
    is_file(&folder.join(LOCK))?;
    let lock = match locked(&folder.join(LOCK)) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Found::Running),
        lock => lock?,
    };
    let record = match serde_json::from_str::<Record>(&file::read(&path, RECORD_MAX)?) {
        Ok(record) if record.form == FORM => record,
        Ok(record) => return Err(odd(&format!("its form {} is for another version of Wardroom", record.form))),
        Err(error) => return Err(odd(&format!("its record cannot be read: {error}"))),
    };
    Ok(Found::Waiting(Box::new(Pending { id, folder: folder.to_owned(), record, _lock: lock })))
}

/// Whether there is a file. What is something else is said to be: a pipe, opened, would be waited for.
fn is_file(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::new(ErrorKind::InvalidData, format!("{} is no file", path.display()))),
    }
}

impl Pending {
    /// Writes the record as it is now: all of it, or what was there before stays.
    ///
    /// # Errors
    /// What kept it from being written.
    pub fn save(&self) -> io::Result<()> {
        self.write(RECORD, &serde_json::to_vec_pretty(&self.record)?)
    }

    /// Keeps how it ended and what it said.
    ///
    /// # Errors
    /// What kept it from being written.
    pub fn ended(&mut self, end: End, output: &[u8]) -> io::Result<()> {
        self.write(OUTPUT, output)?;
        self.record.ended = Some(end);
        self.save()
    }

    /// What it said, as far as it is here.
    ///
    /// # Errors
    /// What kept it from being read, or that it is larger than can be evidence.
    pub fn output(&self) -> io::Result<Option<Vec<u8>>> {
        let path = self.folder.join(OUTPUT);
        if !is_file(&path)? {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(WHOLE_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > WHOLE_MAX {
            return Err(io::Error::new(ErrorKind::FileTooLarge, "what it said is larger than evidence may be"));
        }
        Ok(Some(bytes))
    }

    /// Takes it away: the server has all of it, or nothing was done. The record goes last, as it knows what was told.
    ///
    /// # Errors
    /// What kept it from being taken away.
    pub fn forget(self) -> io::Result<()> {
        for name in [OUTPUT, RECORD] {
            match fs::remove_file(self.folder.join(name)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => synced(&self.folder)?,
            }
        }
        fs::remove_dir_all(&self.folder)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        write(&self.folder, &self.folder.join(name), bytes)
    }
}

/// Writes a file of a folder: all of it, or what was there before stays.
fn write(folder: &Path, file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = NamedTempFile::new_in(folder)?; // For its owner alone.
    new.write_all(bytes)?;
    new.as_file().sync_all()?;
    new.persist(file)?;
    synced(folder)
}

fn synced(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// A file that this process alone holds, until it is closed.
fn locked(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests;

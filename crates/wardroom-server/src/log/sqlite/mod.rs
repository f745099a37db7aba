//! The log on an embedded SQLite database: one writer thread, a few readers.

mod browsers;
mod calls;
mod credentials;
mod documents;
mod erase;
mod evidence;
mod gate;
mod passkeys;
pub(super) mod read;
pub(super) mod schema;
mod sightings;
mod views;
mod walk;
pub(super) mod write;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, oneshot, watch};

use crate::log::{Append, LogError, Span, WAIT_MAX};

/// Before it, SQLite could lose a WAL frame under a rare race of checkpoint and reset.
const OLDEST_SQLITE: i32 = 3_051_003;
/// The database's file in the data folder.
pub(in crate::log) const FILE: &str = "wardroom.db";
/// Readers at once; further ones wait.
const READERS: usize = 4;
/// How often another process's appends are looked for.
const POLL: Duration = Duration::from_millis(50);
/// How long a write waits for another process's.
const BUSY: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The log on SQLite. Cheap to clone; the last one dropped ends the writer.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

/// What may be done with a file.
#[derive(Copy, Clone)]
enum Access {
    Whole,
    Look,
}

struct Inner {
    file: PathBuf,
    access: Access,
    writer: std::sync::mpsc::Sender<Job>,
    readers: Mutex<Vec<Connection>>,
    permits: Semaphore,
    /// The salts of erased words that may still stand somewhere in the files.
    erased: Mutex<Vec<erase::Salt>>,
    /// Bumped after each commit of this process.
    committed: watch::Sender<u64>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SQLite at {}", self.file.display())
    }
}

/// Opens a connection with the settings that durability rests on.
///
/// `synchronous=FULL` because NORMAL was measured to lose nearly half of the acknowledged commits in a power cut.
pub(super) fn connect(file: &Path) -> Result<Connection, LogError> {
    let connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Erased words are overwritten, not just unlinked.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Opens a connection that only reads, and leaves the file as it is.
fn connect_to_look(file: &Path) -> Result<Connection, LogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(file, flags)?)
}

/// Makes an empty file, unless there is one, that nobody but its owner may read: SQLite would go by the umask. What it
/// puts beside the file goes by the file.
pub(in crate::log) fn make_file(file: &Path) -> Result<(), LogError> {
    use std::os::unix::fs::OpenOptionsExt;
    let made = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(file);
    made.map(drop).map_err(|error| LogError::unavailable(format!("{} cannot be made: {error}", file.display())))
}

pub(crate) fn make_folder(folder: &Path) -> Result<(), LogError> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| LogError::unavailable(format!("the data folder {} cannot be made: {error}", folder.display())))
}

impl Store {
    /// Makes sure that a folder holds a log.
    pub(super) fn look_for(folder: &Path) -> Result<(), LogError> {
        let file = folder.join(FILE);
        match std::fs::metadata(&file) {
            Ok(there) if there.is_file() && there.len() > 0 => Ok(()),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(LogError::unavailable(format!("{} cannot be looked at: {error}", file.display())))
            }
            _ => Err(LogError::NoStore(format!(
                "there is no Wardroom store in {} yet; `wardroom serve` or `wardroom person add` makes one",
                folder.display()
            ))),
        }
    }

    /// Opens the database in a folder, making both if they are not there.
    pub(super) async fn open(folder: &Path) -> Result<Self, LogError> {
        let folder = folder.to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            make_folder(&folder)?;
            Self::open_file(folder.join(FILE))
        });
        opened.await.map_err(LogError::unavailable)?
    }

    /// Opens one database file.
    pub(super) fn open_file(file: PathBuf) -> Result<Self, LogError> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(LogError::unavailable(format!("SQLite {} is too old", rusqlite::version())));
        }
        make_file(&file)?;
        let mut connection = connect(&file)?;
        schema::migrate(&mut connection)?;
        Self::with(file, Access::Whole, connection)
    }

    /// Opens a backup to look at it: nothing is made, migrated or written.
    pub(super) fn open_backup(file: PathBuf) -> Result<Self, LogError> {
        let connection = connect_to_look(&file)?;
        schema::check(&connection)?;
        Self::with(file, Access::Look, connection)
    }

    fn with(file: PathBuf, access: Access, mut connection: Connection) -> Result<Self, LogError> {
        let (writer, jobs) = std::sync::mpsc::channel::<Job>();
        std::thread::Builder::new()
            .name("wardroom-writer".to_owned())
            .spawn(move || jobs.into_iter().for_each(|job| job(&mut connection)))
            .map_err(LogError::unavailable)?;
        Ok(Self {
            inner: Arc::new(Inner {
                file,
                access,
                writer,
                readers: Mutex::default(),
                permits: Semaphore::new(READERS),
                erased: Mutex::default(),
                committed: watch::Sender::new(0),
            }),
        })
    }

    /// Runs a job on the writer thread, one after the other.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Whoever asked may have gone away; the commit stands all the same.
            let _ = answer.send(job(connection));
        });
        self.inner.writer.send(job).map_err(|_| LogError::unavailable("the writer has stopped"))?;
        answered.await.map_err(|_| LogError::InDoubt("the writer stopped at it".to_owned()))?
    }

    /// Runs a job on one of the readers.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let permit = self.inner.permits.acquire().await.map_err(LogError::unavailable)?;
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || {
            let idle = inner.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match idle {
                Some(connection) => connection,
                None => match inner.access {
                    Access::Whole => connect(&inner.file)?,
                    Access::Look => connect_to_look(&inner.file)?,
                },
            };
            let result = job(&connection);
            inner.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            result
        });
        let result = done.await.map_err(LogError::unavailable)?;
        drop(permit);
        result
    }

    /// Closes the readers that are idle.
    pub(super) fn close_readers(&self) {
        self.inner.readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) async fn append(&self, appends: Vec<Append>) -> Result<Vec<Vec<Span>>, LogError> {
        let inner = Arc::clone(&self.inner);
        let spans = self
            .write(move |connection| {
                let salts = erase::salts(connection, &appends)?;
                let spans = write::append(connection, &appends)?;
                if !salts.is_empty() {
                    lock(&inner.erased).extend(salts);
                    erase::finish(connection, &inner.file, &mut lock(&inner.erased));
                }
                Ok(spans)
            })
            .await?;
        if let Some(last) = spans.iter().flatten().map(|span| span.position).max() {
            self.inner.committed.send_modify(|position| *position = last.max(*position));
        }
        Ok(spans)
    }

    pub(super) async fn wait_after(&self, position: u64) -> Result<(), LogError> {
        let mut committed = self.inner.committed.subscribe();
        let news = async {
            loop {
                if *committed.borrow_and_update() > position || self.head().await?.position > position {
                    return Ok(());
                }
                // Another process's append is noticed by looking; this process's wakes at once.
                let _ = tokio::time::timeout(POLL, committed.changed()).await;
            }
        };
        tokio::time::timeout(WAIT_MAX, news).await.unwrap_or(Ok(()))
    }

    /// The database's file.
    pub(super) fn file(&self) -> &Path {
        &self.inner.file
    }
}

//! Evidence that comes in parts, until it is whole (decision 0034): what was said of it and what has come of it, two files
//! for each in a folder beside where evidence is kept. They are the only truth about it, so a node that starts again, or
//! another one that sees the same folder, goes on where it was.

mod bounds;
mod part;
mod sweep;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use uuid::Uuid;
use wardroom_core::evidence::Fingerprint;
use wardroom_core::id::{Number, PersonId};
use wardroom_core::text::Line;

pub use bounds::TooMany;
pub use part::{Arrived, Part};
pub(crate) use sweep::start;

use super::{FOLDER, KeptAt};
use crate::log::{LogError, Place, make_folder};

/// The folder of what is on its way, in that of evidence.
pub(super) const ARRIVING: &str = "arriving";
/// The largest file that says what is on its way, in bytes.
const SAID_MAX: u64 = 16 << 10;
/// How many are put away at once: into a bucket, each takes some 24 MiB of memory meanwhile.
const FINISHING: usize = 2;

/// What is said of a piece before its bytes come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Announced {
    /// Who brings it: nobody else sees it.
    pub by: PersonId,
    /// Into which incident.
    pub incident: Number,
    /// What it is called.
    pub name: Line,
    /// Why it is worth keeping.
    pub why: Option<Line>,
    /// How many bytes there will be.
    pub bytes: u64,
    /// What their SHA-256 will be.
    pub sha256: Fingerprint,
}

/// Pieces on their way. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Uploads(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    /// The folder of evidence, if what is on its way lies in there.
    kept: Option<PathBuf>,
    /// Whether it is in a folder in which everybody of this machine may make files.
    among_others: bool,
    /// Beginning one is done one after the other, so that the bounds hold. Whoever waits for it keeps no thread waiting.
    beginning: Arc<tokio::sync::Mutex<()>>,
    /// So many are held against their SHA-256 and put away at once.
    finishing: Arc<Semaphore>,
    /// How far each was hashed while it came to this node. What is not here is read again once it is whole.
    hashed: Mutex<BTreeMap<Uuid, (u64, Sha256)>>,
}

/// Why a part is not taken.
#[derive(Debug)]
pub enum NotTaken {
    /// It is not, or not any more, on its way.
    Gone,
    /// Another part of it is being taken.
    Busy,
    /// The disk.
    Store(LogError),
}

impl From<io::Error> for NotTaken {
    fn from(error: io::Error) -> Self {
        Self::Store(trouble(&error))
    }
}

/// What an error of the disk means.
fn trouble(error: &io::Error) -> LogError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            LogError::Full(error.to_string())
        }
        _ => LogError::unavailable(error),
    }
}

/// Runs what waits for the disk where it keeps nobody else waiting.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, LogError> {
    spawn_blocking(work).await.map_err(LogError::unavailable)
}

impl Uploads {
    /// Where pieces on their way lie: with a folder of evidence in there, so that all nodes that share it go on with each
    /// other's. With a bucket each node has its own, in the data folder or the system's folder for what is temporary.
    #[must_use]
    pub fn beside(place: &Place, kept: &KeptAt) -> Self {
        let (folder, kept) = match (kept, place) {
            (KeptAt::Folder(folder), _) => (folder.join(ARRIVING), Some(folder.clone())),
            (_, Place::Folder(data)) => (data.join(format!("{FOLDER}-{ARRIVING}")), None),
            (_, Place::Postgres(_)) => (std::env::temp_dir().join("wardroom-evidence-arriving"), None),
        };
        let among_others = kept.is_none() && matches!(place, Place::Postgres(_));
        let finishing = Arc::new(Semaphore::new(FINISHING));
        let (beginning, hashed) = (Arc::default(), Mutex::default());
        Self(Arc::new(Inner { folder, kept, among_others, beginning, finishing, hashed }))
    }

    /// Where what has come of one lies.
    #[must_use]
    pub fn bytes_of(&self, id: Uuid) -> PathBuf {
        self.0.folder.join(format!("{id}.part"))
    }

    fn said_of(&self, id: Uuid) -> PathBuf {
        self.0.folder.join(format!("{id}.json"))
    }

    /// Makes sure that the folder, if it is there, is nobody else's: in one for all of a machine, somebody may have made it
    /// before, with files in it that lead elsewhere.
    fn look(&self) -> io::Result<()> {
        if !self.0.among_others {
            return Ok(());
        }
        let about = match fs::symlink_metadata(&self.0.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            about => about?,
        };
        if about.is_dir() && about.uid() == rustix::process::geteuid().as_raw() && about.mode() & 0o077 == 0 {
            return Ok(());
        }
        let why = "is somebody else's, so no evidence comes in parts: name another place with TMPDIR";
        Err(io::Error::other(format!("{} {why}", self.0.folder.display())))
    }

    /// What is on its way, as far as it can be read.
    fn all(&self) -> io::Result<Vec<(Uuid, Announced)>> {
        let files = match fs::read_dir(&self.0.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            files => files?,
        };
        let id = |file: io::Result<fs::DirEntry>| {
            let name = file.ok()?.file_name();
            Uuid::parse_str(name.to_str()?.strip_suffix(".json")?).ok()
        };
        Ok(files.filter_map(id).filter_map(|id| Some((id, self.read(id).ok()??))).collect())
    }

    /// What was said of one. Nothing is there only where no file is: what cannot be read now may be read later.
    fn read(&self, id: Uuid) -> io::Result<Option<Announced>> {
        match crate::file::read(&self.said_of(id), SAID_MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            text => Ok(Some(serde_json::from_str(&text?)?)),
        }
    }

    /// How many bytes have come.
    fn come(&self, id: Uuid) -> io::Result<u64> {
        match File::open(self.bytes_of(id)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
            // A server that was killed may have taken them without waiting for the disk.
            file => file.and_then(|file| file.sync_all().and_then(|()| file.metadata()).map(|about| about.len())),
        }
    }

    /// Begins one, or finds the one that the same person began for the same bytes; answers how many have come.
    ///
    /// # Errors
    /// [`TooMany`] when there are too many on their way; [`LogError::Full`] and [`LogError::Unavailable`].
    pub async fn begin(&self, said: Announced) -> Result<Result<(Uuid, u64), TooMany>, LogError> {
        let (this, one_by_one) = (self.clone(), Arc::clone(&self.0.beginning).lock_owned().await);
        beside(move || {
            let _one_by_one = one_by_one;
            this.begun(&said).map_err(|error| trouble(&error))
        })
        .await?
    }

    fn begun(&self, said: &Announced) -> io::Result<Result<(Uuid, u64), TooMany>> {
        make_folder(&self.0.folder).map_err(io::Error::other)?;
        self.look()?;
        let there = self.all()?;
        let same = |known: &Announced| {
            (known.by, known.incident, known.sha256, known.bytes) == (said.by, said.incident, said.sha256, said.bytes)
        };
        let id = match there.iter().find(|(_, known)| same(known)) {
            Some((id, _)) => *id,
            None => match self.room_for(said, there) {
                Ok(()) => Uuid::now_v7(),
                Err(too_many) => return Ok(Err(too_many)),
            },
        };
        self.write(id, said)?;
        Ok(Ok((id, self.come(id)?)))
    }

    fn write(&self, id: Uuid, said: &Announced) -> io::Result<()> {
        let new = self.0.folder.join(format!("{id}.new"));
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(&serde_json::to_vec(said)?)?;
            file.sync_all()?;
            fs::rename(&new, self.said_of(id))?;
            File::open(&self.0.folder)?.sync_all()
        });
        written.inspect_err(|_| drop(fs::remove_file(&new)))
    }

    /// What this person has on its way here under this id, and how many bytes of it have come, all of them on the disk.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn find(&self, id: Uuid, by: PersonId, incident: Number) -> Result<Option<(Announced, u64)>, LogError> {
        let this = self.clone();
        let found = move || {
            this.look()?;
            let Some(said) = this.read(id)?.filter(|said| said.by == by && said.incident == incident) else {
                return Ok(None);
            };
            Ok(Some((said, this.come(id)?)))
        };
        beside(move || found().map_err(|error| trouble(&error))).await?
    }

    /// Waits for a turn to put one away.
    pub async fn turn(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.0.finishing).acquire_owned().await.expect("it is never closed")
    }

    /// Lets go of one that rests; whether it did. One of which a part is being taken stays, and what does not go is swept
    /// later.
    fn removed(&self, id: Uuid) -> bool {
        self.opened(id).is_ok_and(|_held| {
            self.gone(id);
            true
        })
    }

    /// Takes the files of one away. Its lock is held: else somebody would go on writing what has no name any more, while
    /// others begin the same name anew.
    fn gone(&self, id: Uuid) {
        self.hashed().remove(&id);
        // What says what it is goes first: without it the bytes are nobody's.
        let _ = fs::remove_file(self.said_of(id));
        let _ = fs::remove_file(self.bytes_of(id));
    }

    fn hashed(&self) -> std::sync::MutexGuard<'_, BTreeMap<Uuid, (u64, Sha256)>> {
        self.0.hashed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name of what has come of one, among the objects of the folder of evidence, if it lies in there.
    pub(super) fn among_objects(&self, id: Uuid) -> Option<object_store::path::Path> {
        self.0.kept.as_ref().map(|_| object_store::path::Path::from_iter([ARRIVING, &format!("{id}.part")]))
    }

    /// The folder of evidence, if what is on its way lies in there.
    fn kept(&self) -> Option<&Path> {
        self.0.kept.as_deref()
    }
}

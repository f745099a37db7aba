//! The bytes of evidence: objects in a store beside the log (decision 0029), a folder or a bucket.
//!
//! The log knows which object has which bytes, and what it does not know is not there. Bytes are whole and durable in the
//! store before the log hears of them, and they leave the store after it has let go of them. What reads them holds no more
//! than a few hundred KiB of each at once.

pub mod arriving;
mod going;
mod place;

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{GetResultPayload, ObjectStore, ObjectStoreExt, PutMode, PutPayload, WriteMultipart};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use uuid::Uuid;
use wardroom_core::evidence::{Fingerprint, Piece};
use wardroom_core::id::Time;

use arriving::Uploads;
pub(crate) use going::start;
pub(crate) use place::FOLDER;
pub use place::KeptAt;

use crate::log::{Claim, Log, LogError, Stream};

/// Bytes of a folder's object that are read at once.
const CHUNK: usize = 256 << 10;
/// Bytes of a part that is written at once; S3 takes no smaller ones than 5 MiB.
const PART: usize = 8 << 20;
/// How many parts are on their way into the store at once.
const PARTS: usize = 2;
/// The object by which a store is known to be that of a log.
const HOME: &str = "home";

/// Bytes of an object, as they come.
pub type Flow = BoxStream<'static, Result<Bytes, LogError>>;

/// Where bytes are kept. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Keep(Kept);

#[derive(Clone, Debug)]
enum Kept {
    Nowhere,
    In(Arc<Home>),
    /// In a backup, to be looked at.
    Backup(Log),
}

/// A store, and the log whose evidence it has. It is opened by whoever needs it first: without it everything else goes on.
#[derive(Debug)]
struct Home {
    at: KeptAt,
    log: Log,
    store: OnceCell<Arc<dyn ObjectStore>>,
}

impl Home {
    /// Opens the store, making what is not there yet. One that is another log's is not touched: each would take out what
    /// the other has. Nor is one that is empty where there was one: a disk that is not mounted is not a place where
    /// everything was lost.
    async fn open(&self) -> Result<Arc<dyn ObjectStore>, LogError> {
        let (at, home) = (&self.at, Path::from(HOME));
        let (id, known) = self.log.evidence_home(Uuid::now_v7()).await?;
        let store = at.open()?;
        let closed = |error: object_store::Error| match trouble(&error) {
            full @ LogError::Full(_) => full,
            _ => LogError::NoStore(format!("evidence cannot be kept at {at}: {}", why(&error))),
        };
        if !known {
            match store.put_opts(&home, PutPayload::from(id.to_string()), PutMode::Create.into()).await {
                Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => {}
                Err(error) => return Err(closed(error)),
            }
        }
        let said = match store.get(&home).await {
            Ok(said) => said.bytes().await.map_err(closed)?,
            Err(object_store::Error::NotFound { .. }) => {
                return Err(LogError::NoStore(format!(
                    "the evidence of this store is not at {at}: nothing is there. Is it mounted? Name where it lies with \
                     --evidence."
                )));
            }
            Err(error) => return Err(closed(error)),
        };
        if *said != *id.to_string().as_bytes() {
            return Err(LogError::NoStore(format!(
                "the evidence of another store is at {at}. Name a folder or a prefix of its own with --evidence."
            )));
        }
        if !known {
            self.log.evidence_is_at_home().await?;
        }
        Ok(store)
    }
}

/// What is told of an error, with what it comes from: the store's own words begin with no more than that something went
/// wrong.
fn why(error: &object_store::Error) -> String {
    let mut told = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        let more = error.to_string();
        if !told.contains(&more) {
            told = format!("{told}: {more}");
        }
        source = error.source();
    }
    place::in_short(&told)
}

/// Whether an error means that there is no room.
fn is_full(error: &object_store::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| matches!(io.kind(), StorageFull | QuotaExceeded | FileTooLarge)) {
            return true;
        }
        source = error.source();
    }
    false
}

fn trouble(error: &object_store::Error) -> LogError {
    use object_store::Error::{PermissionDenied, Unauthenticated};
    match error {
        _ if is_full(error) => LogError::Full(why(error)),
        // Asking again does not help.
        PermissionDenied { .. } | Unauthenticated { .. } => LogError::NoStore(why(error)),
        _ => LogError::unavailable(why(error)),
    }
}

/// Where an object lies: its name begins with the SHA-256 of its bytes.
fn path(object: &str) -> Path {
    Path::from_iter(["evidence", object.get(..2).unwrap_or("00"), object])
}

/// A name that no object has had: what goes is never what came again.
fn fresh(fingerprint: Fingerprint) -> String {
    let drawn = Uuid::now_v7().simple().to_string();
    format!("{fingerprint}-{}", &drawn[20..])
}

impl Keep {
    /// Where the evidence of a log is kept.
    #[must_use]
    pub fn of(log: &Log, at: &KeptAt) -> Self {
        match at {
            KeptAt::Nowhere => Self(Kept::Nowhere),
            at => Self(Kept::In(Arc::new(Home { at: at.clone(), log: log.clone(), store: OnceCell::new() }))),
        }
    }

    /// The bytes in a backup, which is only looked at.
    pub(crate) fn in_backup(backup: Log) -> Self {
        Self(Kept::Backup(backup))
    }

    /// Whether somebody has said where evidence is kept.
    #[must_use]
    pub fn is_somewhere(&self) -> bool {
        !matches!(self.0, Kept::Nowhere)
    }

    fn home(&self) -> Result<&Home, LogError> {
        match &self.0 {
            Kept::In(home) => Ok(home),
            _ => Err(LogError::NoStore(
                "nobody has said where evidence is kept: name a folder that all nodes share, or a bucket, with \
                 --evidence"
                    .to_owned(),
            )),
        }
    }

    async fn store(&self) -> Result<&Arc<dyn ObjectStore>, LogError> {
        let home = self.home()?;
        home.store.get_or_try_init(|| home.open()).await
    }

    /// Keeps bytes until an event takes them, or they are swept; returns when they would outlive a power cut.
    ///
    /// # Errors
    /// [`LogError::Full`] and [`LogError::Unavailable`] when they were not kept, [`LogError::InDoubt`] when that is not
    /// known. Keeping them again does no harm then.
    pub async fn keep(&self, stream: Stream, fingerprint: Fingerprint, bytes: Bytes, at: Time) -> Result<(), LogError> {
        let size = bytes.len() as u64;
        self.keep_by(stream, fingerprint, size, at, async |object| {
            let put = self.store().await?.put(&path(object), PutPayload::from_bytes(bytes)).await;
            put.map(drop).map_err(|error| trouble(&error))
        })
        .await
    }

    /// The same, for what came in parts and lies in a file.
    ///
    /// # Errors
    /// As [`Keep::keep`].
    pub async fn keep_arrived(
        &self,
        stream: Stream,
        piece: &Piece,
        at: Time,
        uploads: &Uploads,
        id: Uuid,
    ) -> Result<(), LogError> {
        self.keep_by(stream, piece.fingerprint, piece.bytes, at, async |object| {
            // In the same folder it gets another name, and no byte of it is copied where the file system can do that.
            if let Some(from) = uploads.among_objects(id)
                && self.store().await?.copy(&from, &path(object)).await.is_ok()
            {
                return Ok(());
            }
            let file = tokio::fs::File::open(uploads.bytes_of(id)).await.map_err(LogError::unavailable)?;
            self.put(object, of_file(file.into_std().await)).await
        })
        .await
    }

    /// Makes sure that bytes can be kept.
    ///
    /// # Errors
    /// [`LogError::NoStore`] and [`LogError::Unavailable`].
    pub async fn ready(&self) -> Result<(), LogError> {
        self.store().await.map(drop)
    }

    /// Has bytes put into the object that is to have them, unless it has them.
    async fn keep_by(
        &self,
        stream: Stream,
        fingerprint: Fingerprint,
        size: u64,
        at: Time,
        put: impl AsyncFnOnce(&str) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        self.store().await?;
        let log = &self.home()?.log;
        let Claim { object, here } = log.claim_bytes(stream, fingerprint, fresh(fingerprint), at).await?;
        // One that somebody took away, or cut short, is made whole by whoever brings the same again.
        if !here || self.size(&object).await? != Some(size) {
            put(&object).await?;
        }
        match log.bytes_arrived(stream, fingerprint, &object).await? {
            true => Ok(()),
            false => Err(LogError::unavailable("the bytes took so long that they were swept meanwhile")),
        }
    }

    /// How many bytes an object has, if it is there.
    async fn size(&self, object: &str) -> Result<Option<u64>, LogError> {
        match self.store().await?.head(&path(object)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(trouble(&error)),
        }
    }

    /// Reads an object: how many bytes it has, and these, as they come. Nothing when it is not there.
    ///
    /// # Errors
    /// [`LogError::Unavailable`], here and where it breaks off; [`LogError::NoStore`] when nobody has said where
    /// evidence is kept.
    pub async fn read(&self, object: &str) -> Result<Option<(u64, Flow)>, LogError> {
        if let Kept::Backup(backup) = &self.0 {
            return backup.backed_up(object).await;
        }
        let result = match self.store().await?.get(&path(object)).await {
            Ok(result) => result,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(trouble(&error)),
        };
        let size = result.meta.size;
        Ok(Some(match result.payload {
            GetResultPayload::File(file, _) => (size, of_file(file)),
            GetResultPayload::Stream(stream) => {
                (size, stream.map(|bytes| bytes.map_err(|error| trouble(&error))).boxed())
            }
        }))
    }

    /// The SHA-256 of what an object has, if it is there.
    ///
    /// # Errors
    /// As [`Keep::read`].
    pub(crate) async fn digest(&self, object: &str) -> Result<Option<Fingerprint>, LogError> {
        let Some((_, mut flow)) = self.read(object).await? else { return Ok(None) };
        let mut digest = Sha256::new();
        while let Some(bytes) = flow.next().await {
            digest.update(&bytes?);
        }
        Ok(Some(Fingerprint::new(digest.finalize().into())))
    }

    /// Puts an object of another store under the same name.
    pub(crate) async fn put(&self, object: &str, mut flow: Flow) -> Result<(), LogError> {
        let upload = self.store().await?.put_multipart(&path(object)).await.map_err(|error| trouble(&error))?;
        let mut parts = WriteMultipart::new_with_chunk_size(upload, PART);
        while let Some(bytes) = flow.next().await {
            let bytes = match bytes {
                Ok(bytes) => bytes,
                Err(error) => {
                    let _ = parts.abort().await;
                    return Err(error);
                }
            };
            if let Err(error) = parts.wait_for_capacity(PARTS).await {
                let _ = parts.abort().await;
                return Err(trouble(&error));
            }
            parts.put(bytes);
        }
        parts.finish().await.map(drop).map_err(|error| trouble(&error))
    }

    /// Takes an object out of the store; one that is not there is no error.
    async fn take_out(&self, object: &str) -> Result<(), LogError> {
        match self.store().await?.delete(&path(object)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(trouble(&error)),
        }
    }
}

/// The bytes of a file. The library reads 8 KiB at a time, each with a turn of its own.
fn of_file(file: std::fs::File) -> Flow {
    let chunks = stream::unfold(Some(file), |file| async {
        let mut file = file?;
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::with_capacity(CHUNK);
            file.by_ref().take(CHUNK as u64).read_to_end(&mut bytes).map(|_| (Bytes::from(bytes), file))
        });
        match read.await.map_err(LogError::unavailable).and_then(|read| read.map_err(LogError::unavailable)) {
            Ok((bytes, _)) if bytes.is_empty() => None,
            Ok((bytes, file)) => Some((Ok(bytes), Some(file))),
            Err(error) => Some((Err(error), None)),
        }
    });
    chunks.boxed()
}

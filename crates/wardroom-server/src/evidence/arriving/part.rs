//! One part of what is on its way: taken by one at a time, hashed while it comes, and on the disk before it is answered.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;

use sha2::{Digest, Sha256};
use uuid::Uuid;
use wardroom_core::evidence::{Fingerprint, MediaType};

use super::{NotTaken, Uploads, beside, trouble};
use crate::evidence::CHUNK;
use crate::log::LogError;

/// What came, once it is whole.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Arrived {
    /// Its SHA-256.
    pub sha256: Fingerprint,
    /// What it is.
    pub media_type: MediaType,
}

/// A part that is being taken. For as long as it lives nobody else takes one of the same piece, on whatever node.
#[derive(Debug)]
pub struct Part {
    uploads: Uploads,
    id: Uuid,
    /// Nothing after the disk's work was cut off.
    open: Option<Open>,
}

#[derive(Debug)]
pub(super) struct Open {
    file: File,
    /// How many bytes have come.
    come: u64,
    /// Of all that has come, unless some of it came elsewhere or before this node was started.
    digest: Option<Sha256>,
}

impl Uploads {
    /// Takes a part of one, behind what has come.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub async fn part(&self, id: Uuid) -> Result<Part, NotTaken> {
        let this = self.clone();
        let opened = beside(move || this.opened(id)).await.map_err(NotTaken::Store)??;
        Ok(Part { uploads: self.clone(), id, open: Some(opened) })
    }

    pub(super) fn opened(&self, id: Uuid) -> Result<Open, NotTaken> {
        self.look()?;
        let path = self.bytes_of(id);
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(NotTaken::Busy),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // Until it was locked, another one may have been given its name.
        let named = std::fs::metadata(&path).ok().map(|about| (about.dev(), about.ino()));
        let about = file.metadata()?;
        if named != Some((about.dev(), about.ino())) {
            return Err(NotTaken::Gone);
        }
        if self.read(id)?.is_none() {
            let _ = std::fs::remove_file(&path);
            return Err(NotTaken::Gone);
        }
        let come = file.seek(SeekFrom::End(0))?;
        if come == 0 {
            // Its name is on the disk with the first part.
            File::open(&self.0.folder)?.sync_all()?;
        }
        let hashed = self.hashed().remove(&id).filter(|(so_far, _)| *so_far == come).map(|(_, digest)| digest);
        Ok(Open { file, come, digest: hashed.or_else(|| (come == 0).then(Sha256::new)) })
    }
}

impl Open {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(bytes) {
            // Some of it may have been written.
            self.file.set_len(self.come)?;
            self.file.seek(SeekFrom::End(0))?;
            return Err(error);
        }
        self.come += bytes.len() as u64;
        if let Some(digest) = &mut self.digest {
            digest.update(bytes);
        }
        Ok(())
    }

    fn arrived(&mut self) -> io::Result<Arrived> {
        let mut begin = Vec::with_capacity(MediaType::LOOKED_AT);
        self.file.seek(SeekFrom::Start(0))?;
        Read::by_ref(&mut self.file).take(MediaType::LOOKED_AT as u64).read_to_end(&mut begin)?;
        let digest = match &self.digest {
            Some(digest) => digest.clone(),
            None => {
                self.file.seek(SeekFrom::Start(0))?;
                let (mut digest, mut chunk) = (Sha256::new(), vec![0; CHUNK]);
                loop {
                    match self.file.read(&mut chunk)? {
                        0 => break digest,
                        read => digest.update(&chunk[..read]),
                    }
                }
            }
        };
        let sha256 = Fingerprint::new(digest.finalize().into());
        Ok(Arrived { sha256, media_type: MediaType::of(&begin) })
    }
}

impl Part {
    /// How many bytes have come.
    #[must_use]
    pub fn come(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.come)
    }

    async fn work<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Open) -> io::Result<T> + Send + 'static,
    ) -> Result<T, LogError> {
        let mut open = self.open.take().ok_or_else(|| LogError::unavailable("an earlier part was cut off"))?;
        let (open, done) = beside(move || {
            let done = work(&mut open);
            if done.is_err() {
                // What the disk has now is read again before it is believed.
                open.digest = None;
            }
            (open, done)
        })
        .await?;
        self.open = Some(open);
        done.map_err(|error| trouble(&error))
    }

    /// Puts bytes behind what has come.
    ///
    /// # Errors
    /// [`LogError::Full`] and [`LogError::Unavailable`]; nothing of them has come then.
    pub async fn put(&mut self, bytes: Vec<u8>) -> Result<(), LogError> {
        self.work(move |open| open.put(&bytes)).await
    }

    /// Returns when all that has come would outlive a power cut.
    ///
    /// # Errors
    /// [`LogError::Full`] and [`LogError::Unavailable`].
    pub async fn sync(&mut self) -> Result<(), LogError> {
        self.work(|open| open.file.sync_all()).await
    }

    /// Lets go of all of it. What does not go is swept later.
    pub async fn let_go(mut self) {
        let (uploads, id, held) = (self.uploads.clone(), self.id, self.open.take());
        let _ = beside(move || {
            let _held = held;
            uploads.gone(id);
        })
        .await;
    }

    /// What came, taken as the whole of it.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn arrived(&mut self) -> Result<Arrived, LogError> {
        self.work(Open::arrived).await
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Who comes next goes on hashing from here.
        if let Some(Open { come, digest: Some(digest), .. }) = self.open.take()
            && self.uploads.said_of(self.id).exists()
        {
            self.uploads.hashed().insert(self.id, (come, digest));
        }
    }
}

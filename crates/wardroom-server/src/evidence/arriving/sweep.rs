//! What nobody goes on with is taken away, and so is what a server left that was killed while it wrote.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use uuid::Uuid;
use wardroom_core::id::Time;

use super::{Uploads, beside};
use crate::clock;
use crate::evidence::Keep;

/// How long a piece on its way waits for its next part.
const WAITS: Duration = Duration::from_secs(24 * 60 * 60);
/// How old what belongs to nothing has to be: until then somebody may be writing it, here or on another node.
const LEFT: Duration = Duration::from_secs(60 * 60);
/// How often is looked.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Sweeps now, and again every hour.
pub(crate) fn start(uploads: Uploads, keep: Keep) {
    tokio::spawn(async move {
        loop {
            // A folder that is not this store's is not touched, and one that is not there yet need not be made.
            let there = uploads.kept().is_none_or(Path::exists);
            if there && (uploads.kept().is_none() || keep.ready().await.is_ok()) {
                let uploads = uploads.clone();
                if let Ok(Err(error)) = beside(move || uploads.sweep(clock::now())).await {
                    tracing::warn!(%error, "evidence that never arrived could not be swept; trying again in an hour");
                }
            }
            tokio::time::sleep(EVERY).await;
        }
    });
}

/// A time as a file system has it.
pub(super) fn as_files_have_it(at: Time) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(at.as_microsecond().unsigned_abs())
}

/// For how long nothing was written to a file; nothing for one that is not there.
fn untouched(path: &Path, now: Time) -> Option<Duration> {
    let modified = fs::metadata(path).and_then(|about| about.modified()).ok()?;
    Some(as_files_have_it(now).duration_since(modified).unwrap_or_default())
}

/// The files in a folder, and nothing for one that is not there.
fn files(folder: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    match fs::read_dir(folder) {
        Ok(files) => files.map(|file| file.map(|file| file.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

impl Uploads {
    /// For how long nothing has come of one.
    pub(super) fn rests(&self, id: Uuid, now: Time) -> Option<Duration> {
        let said = untouched(&self.said_of(id), now)?;
        Some(untouched(&self.bytes_of(id), now).map_or(said, |part| part.min(said)))
    }

    fn sweep(&self, now: Time) -> io::Result<()> {
        self.look()?;
        for path in files(&self.0.folder)? {
            let id = path.file_stem().and_then(|stem| Uuid::parse_str(stem.to_str()?).ok());
            // What cannot be read now is no reason to take it for nobody's.
            match id.filter(|id| !matches!(self.read(*id), Ok(None))) {
                Some(id) if self.rests(id, now).is_some_and(|rests| rests >= WAITS) && self.removed(id) => {
                    tracing::info!(%id, "evidence that did not arrive within a day of its last part was let go");
                }
                Some(_) => {}
                None => remove_if_left(&path, now)?,
            }
        }
        let Some(kept) = self.kept() else { return Ok(()) };
        for folder in files(&kept.join("evidence"))? {
            // As the library calls what it writes before it has its name.
            let staged = |path: &std::path::PathBuf| {
                path.file_name().is_some_and(|name| name.as_encoded_bytes().contains(&b'#'))
            };
            for path in files(&folder)?.into_iter().filter(staged) {
                remove_if_left(&path, now)?;
            }
        }
        Ok(())
    }
}

fn remove_if_left(path: &Path, now: Time) -> io::Result<()> {
    match untouched(path, now) {
        Some(untouched) if untouched >= LEFT => match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use wardroom_core::evidence::Fingerprint;
    use wardroom_core::id::{Number, PersonId};

    use super::super::Announced;
    use super::*;
    use crate::evidence::KeptAt;
    use crate::log::Place;

    #[tokio::test]
    async fn what_nobody_goes_on_with_is_swept_after_a_day_and_what_a_kill_left_after_an_hour() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::beside(&Place::Folder("unused".into()), &KeptAt::Folder(folder.path().to_owned()));
        let announced = Announced {
            by: PersonId(Uuid::from_u128(1)),
            incident: Number::FIRST,
            name: "x".parse().unwrap(),
            why: None,
            bytes: 9,
            sha256: Fingerprint::new([0; 32]),
        };
        let (id, _) = uploads.begin(announced).await.unwrap().unwrap();
        let mut part = uploads.part(id).await.unwrap();
        part.put(b"x".to_vec()).await.unwrap();
        drop(part);
        let objects = folder.path().join("evidence/ab");
        fs::create_dir_all(&objects).unwrap();
        let left = [objects.join("abc#1"), uploads.0.folder.join(format!("{}.part", Uuid::from_u128(7)))];
        for left in &left {
            fs::write(left, "x").unwrap();
        }
        fs::write(objects.join("abc"), "x").unwrap();
        let after = |minutes: i64| clock::now() + jiff::SignedDuration::from_mins(minutes);
        uploads.sweep(after(58)).unwrap();
        assert!(left.iter().all(|left| left.exists()), "somebody may be writing them");
        uploads.sweep(after(61)).unwrap();
        assert!(!left.iter().any(|left| left.exists()));
        uploads.sweep(after(24 * 60 - 2)).unwrap();
        assert_eq!(uploads.come(id).unwrap(), 1, "it waits for its next part");
        uploads.sweep(after(24 * 60 + 1)).unwrap();
        assert!(uploads.read(id).unwrap().is_none() && !uploads.bytes_of(id).exists());
        assert!(objects.join("abc").exists(), "what is kept stays");
    }
}

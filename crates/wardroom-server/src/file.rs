//! Files that somebody names: read to a bound. What was meant to be a list of people may be a film, or a device that
//! never ends.

use std::io::{self, Read};
use std::path::Path;

/// The whole text of a file.
///
/// # Errors
/// A file that is not there or cannot be read, weighs more than `most` bytes, or is no text.
pub fn read(path: &Path, most: u64) -> io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(most + 1).read_to_string(&mut text)?;
    if text.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {} KiB", most >> 10)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.csv");
        std::fs::write(&path, "x".repeat(2_048)).unwrap();
        assert_eq!(read(&path, 2_048).unwrap().len(), 2_048);
        assert_eq!(read(&path, 2_047).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        // It never ends.
        assert!(read(Path::new("/dev/zero"), 1 << 10).is_err());
    }
}

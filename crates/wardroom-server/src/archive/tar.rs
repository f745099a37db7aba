//! The form of an archive: a POSIX tar of plain files, written one way alone, and read only if it was written so. Pure.
//!
//! There are many ways to write the same tar, and programs disagree about some of them. Whatever differs in one byte from
//! what would be written here for the same names, sizes and times is refused, so that nothing can hide in between.

use std::io::{ErrorKind, Read};

/// Bytes of a header, and what everything is padded to.
const BLOCK: usize = 512;
/// The largest member, in bytes: what eleven octal digits say.
const SIZE_MAX: u64 = 0o777_7777_7777;
/// The longest last part of a name, in bytes.
pub const LAST_MAX: usize = 100;
/// The longest part of a name in front of its last slash, in bytes, where the whole is longer than [`LAST_MAX`].
const PREFIX_MAX: usize = 155;

/// What stands at the end: two blocks of nothing.
pub const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// A file of an archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// Its name, with slashes between folders.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// When it was written, in seconds since 1970.
    pub at: u64,
}

/// A number in a field: octal digits with zeros in front, and a zero byte behind.
fn octal(field: &mut [u8], number: u64) {
    let digits = format!("{number:0width$o}\0", width = field.len() - 1);
    field.copy_from_slice(digits.as_bytes());
}

impl Head {
    /// The block in front of the file's bytes; nothing if the name or the size does not fit into one.
    #[must_use]
    pub fn block(&self) -> Option<[u8; BLOCK]> {
        let Self { name, size, at } = self;
        let (prefix, last) = if name.len() <= LAST_MAX { ("", name.as_str()) } else { name.rsplit_once('/')? };
        let plain = name.bytes().all(|byte| byte.is_ascii_graphic());
        if last.is_empty() || last.ends_with('/') || last.len() > LAST_MAX || prefix.len() > PREFIX_MAX || !plain {
            return None;
        }
        if *size > SIZE_MAX || *at > SIZE_MAX {
            return None;
        }
        let mut block = [0; BLOCK];
        block[..last.len()].copy_from_slice(last.as_bytes());
        octal(&mut block[100..108], 0o600);
        octal(&mut block[108..116], 0);
        octal(&mut block[116..124], 0);
        octal(&mut block[124..136], *size);
        octal(&mut block[136..148], *at);
        block[148..156].fill(b' ');
        block[156] = b'0';
        block[257..265].copy_from_slice(b"ustar\x0000");
        block[345..345 + prefix.len()].copy_from_slice(prefix.as_bytes());
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        octal(&mut block[148..155], sum);
        Some(block)
    }

    /// What a block says, if it is written as [`Head::block`] writes it.
    fn read(block: &[u8; BLOCK]) -> Option<Self> {
        let text = |from: usize, to: usize| {
            let field = &block[from..to];
            let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
            std::str::from_utf8(&field[..end]).ok()
        };
        let number = |from, to| u64::from_str_radix(text(from, to)?, 8).ok();
        let (last, prefix) = (text(0, 100)?, text(345, 500)?);
        let name = if prefix.is_empty() { last.to_owned() } else { format!("{prefix}/{last}") };
        let head = Self { name, size: number(124, 136)?, at: number(136, 148)? };
        (head.block()? == *block).then_some(head)
    }
}

/// How many bytes of nothing follow on so many bytes of a file.
#[must_use]
pub fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
    if over == 0 { 0 } else { BLOCK - over }
}

/// Why an archive cannot be read on.
#[derive(Debug)]
pub enum Unreadable {
    /// It is no archive, or not written as such: the sentence goes on “the archive …”.
    Archive(String),
    /// Whoever has the bytes does not give them.
    Device(std::io::Error),
}

/// An archive that is being read, from front to back.
#[derive(Debug)]
pub struct Reader<R> {
    bytes: R,
    /// How many were read.
    read: u64,
}

impl<R: Read> Reader<R> {
    /// From its first byte on.
    pub fn new(bytes: R) -> Self {
        Self { bytes, read: 0 }
    }

    /// The next file's head; nothing at the end, behind which there is nothing more. All bytes of the file before it have
    /// to be taken first.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn next_head(&mut self) -> Result<Option<Head>, Unreadable> {
        let at = self.read;
        let mut block = [0; BLOCK];
        self.exactly(&mut block)?;
        if block == [0; BLOCK] {
            self.exactly(&mut block)?;
            let mut more = [0];
            if block != [0; BLOCK] || self.some(&mut more)? > 0 {
                return Err(Unreadable::Archive(format!("has something behind its end, at byte {at}")));
            }
            return Ok(None);
        }
        let odd = || format!("has no head at byte {at} such as Wardroom writes: it is damaged there, or no export");
        Head::read(&block).map(Some).ok_or_else(|| Unreadable::Archive(odd()))
    }

    /// Passes a file's bytes on, piece by piece, and looks that nothing stands in what fills its last block.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn take(&mut self, head: &Head, mut each: impl FnMut(&[u8])) -> Result<(), Unreadable> {
        let mut piece = vec![0; 64 << 10];
        let mut left = head.size;
        while left > 0 {
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
            self.exactly(&mut piece[..length])?;
            each(&piece[..length]);
            left -= length as u64;
        }
        let filled = &mut piece[..padding(head.size)];
        self.exactly(filled)?;
        if filled.iter().any(|byte| *byte != 0) {
            return Err(Unreadable::Archive(format!("has something behind the end of {}", head.name)));
        }
        Ok(())
    }

    fn exactly(&mut self, into: &mut [u8]) -> Result<(), Unreadable> {
        let mut had = 0;
        while had < into.len() {
            match self.some(&mut into[had..])? {
                0 => return Err(Unreadable::Archive(format!("breaks off at byte {}", self.read))),
                more => had += more,
            }
        }
        Ok(())
    }

    fn some(&mut self, into: &mut [u8]) -> Result<usize, Unreadable> {
        loop {
            match self.bytes.read(into) {
                Ok(had) => {
                    self.read += had as u64;
                    return Ok(had);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Unreadable::Device(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(name: &str, size: u64) -> Head {
        Head { name: name.to_owned(), size, at: 1_763_900_000 }
    }

    /// The whole of an archive with these files.
    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = Vec::new();
        for (name, bytes) in files {
            tar.extend(head(name, bytes.len() as u64).block().unwrap());
            tar.extend(*bytes);
            tar.resize(tar.len() + padding(bytes.len() as u64), 0);
        }
        tar.extend(END);
        tar
    }

    fn read(tar: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
        let (mut reader, mut files) = (Reader::new(tar), Vec::new());
        let told = |unreadable| match unreadable {
            Unreadable::Archive(why) => why,
            Unreadable::Device(error) => error.to_string(),
        };
        while let Some(head) = reader.next_head().map_err(told)? {
            let mut bytes = Vec::new();
            reader.take(&head, |piece| bytes.extend(piece)).map_err(told)?;
            files.push((head.name, bytes));
        }
        Ok(files)
    }

    #[test]
    fn what_is_written_is_read_back_and_no_byte_of_it_is_free() {
        let long = format!("incident-4294967295/evidence/{}-graph.png", "ab".repeat(32));
        let files = [("one", &b"1"[..]), ("two/of/them", &[7; 1024]), (long.as_str(), b"")];
        let whole = tar(&files);
        let same = files.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
        assert_eq!(read(&whole), Ok(same.to_vec()));
        for at in 0..whole.len() {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            assert_ne!(read(&altered), Ok(same.to_vec()), "byte {at}");
            assert!(read(&whole[..at]).unwrap_err().contains("breaks off"), "{at}");
        }
        assert!(read(&[&whole[..], &[0]].concat()).unwrap_err().contains("behind its end"));
    }

    #[test]
    fn what_no_head_can_say_is_not_written() {
        for name in ["", "a b", "é", "a/", &"x".repeat(101), &format!("{}/x", "y".repeat(156))] {
            assert_eq!(head(name, 1).block(), None, "{name}");
        }
        assert_eq!(head("x", SIZE_MAX + 1).block(), None);
        assert!(head("x", SIZE_MAX).block().is_some());
    }

    /// Other programs read it, too.
    #[test]
    fn tar_lists_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), tar(&[("incident-1/README.txt", b"hello"), ("incident-1/x", b"")])).unwrap();
        let listed = std::process::Command::new("tar").arg("-tf").arg(file.path()).output().unwrap();
        let told = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert_eq!((listed.status.success(), told.as_str()), (true, "incident-1/README.txt\nincident-1/x\n"));
    }
}

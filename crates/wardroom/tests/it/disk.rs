//! A disk that fails one server when a story says so: it is full, or its fsync fails.
//!
//! Full, by the kernel's own limit on the size of a process's files. For fsync there is no such thing, so a few lines
//! of C stand before the C library's.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use crate::house::{House, Server, WARDROOM};

/// While a file exists, nothing reaches the disk for certain. And what meets the limit of a file's size fails, as
/// on a full disk, instead of ending the process.
const SHIM: &str = r#"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static int fails(void) {
    const char *flag = getenv("WARDROOM_TEST_FSYNC_FAILS");
    return flag && access(flag, F_OK) == 0 && (errno = EIO);
}
int fsync(int file) { return fails() ? -1 : (int)syscall(SYS_fsync, file); }
int fdatasync(int file) { return fails() ? -1 : (int)syscall(SYS_fdatasync, file); }
__attribute__((constructor)) static void ignore(void) { signal(SIGXFSZ, SIG_IGN); }
"#;

/// A page of SQLite's. No transaction is that small.
const PAGE: usize = 4_096;

pub struct Disk {
    shim: PathBuf,
    flag: PathBuf,
}

impl Disk {
    pub fn of(house: &House) -> Self {
        let (source, shim) = (house.folder().join("shim.c"), house.folder().join("shim.so"));
        std::fs::write(&source, SHIM).unwrap();
        // SQLite is compiled in, so there is a C compiler wherever this was built.
        let built = Command::new("cc")
            .args(["-D_GNU_SOURCE", "-shared", "-fPIC", "-o"])
            .args([&shim, &source])
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Self { shim, flag: house.folder().join("fsync-fails") }
    }

    /// A server on this disk.
    pub fn serve(&self, house: &House) -> Server {
        self.start(house, Command::new(WARDROOM).arg("serve").args(house.place()))
    }

    /// A server on this disk, by a `wardroom serve` of the story's own.
    pub fn start(&self, house: &House, wardroom: &mut Command) -> Server {
        // What it says about it goes to a file on the same disk, as it would to a log file on a full disk.
        let said = house.folder().join("said");
        std::fs::write(&said, [b' '; PAGE]).unwrap();
        let said = File::options().append(true).open(said).unwrap();
        wardroom.env("LD_PRELOAD", &self.shim).env("WARDROOM_TEST_FSYNC_FAILS", &self.flag);
        house.start(wardroom.stderr(said))
    }

    /// From now on every fsync fails.
    pub fn breaks(&self) {
        std::fs::write(&self.flag, "").unwrap();
    }

    pub fn mended(&self) {
        std::fs::remove_file(&self.flag).unwrap();
    }
}

fn limit(server: &Server, bytes: &str) {
    let id = server.id().to_string();
    // The hard limit stays as it is: it could not be raised again.
    let limited = Command::new("prlimit").args(["--pid", &id, &format!("--fsize={bytes}:")]).status().unwrap();
    assert!(limited.success());
}

/// From now on the server can write nothing beyond a file's first page.
pub fn fill(server: &Server) {
    limit(server, &PAGE.to_string());
}

/// From now on the server can write no file beyond so many bytes.
pub fn fill_beyond(server: &Server, bytes: usize) {
    limit(server, &bytes.to_string());
}

pub fn make_room(server: &Server) {
    limit(server, "unlimited");
}

//! Running a command: what it says is seen at once, and kept.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::Pid;
use tokio::process::Command;

use super::steadfast::{Place, Steadfast};
use crate::exit::Failure;

/// So much is kept of the beginning of what is said over one of its two channels, in bytes,
const HEAD: usize = 1 << 20;
/// and so much of its end, where errors stand.
const TAIL: usize = 3 << 20;
/// What is read at once, in bytes.
const READ: usize = 16 << 10;
/// For so long after a command has ended it is waited for the end of what it says: it may have left something running that
/// holds its channels open.
const REST: Duration = Duration::from_secs(2);

/// What came of a command.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    /// Somebody interrupted it meanwhile: what it answered to that is its own affair.
    pub interrupted: bool,
    pub took: Duration,
    pub out: Vec<u8>,
    pub errors: Vec<u8>,
}

impl Ended {
    /// Its exit code as a shell would give it.
    pub fn code(&self) -> u8 {
        let code = self.status.code().unwrap_or_else(|| 128 + self.status.signal().unwrap_or_default());
        u8::try_from(code).unwrap_or(u8::MAX)
    }

    /// How it ended and how long it took, for a person. What catches the signal and ends badly with a code, as shells and
    /// make do, was interrupted all the same.
    pub fn how(&self) -> String {
        let took = format!("{:.1} s", self.took.as_secs_f64());
        match self.status.signal() {
            Some(signal) => format!("ended by signal {signal} after {took}"),
            None if self.interrupted && self.code() != 0 => {
                format!("was interrupted: exit code {} after {took}", self.code())
            }
            None => format!("exit code {} after {took}", self.code()),
        }
    }
}

/// What is kept of what is said: its beginning and its end, in whole lines where it had to be cut.
#[derive(Debug, Default)]
struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: usize,
}

impl Kept {
    fn take(&mut self, said: &[u8]) {
        let (first, rest) = said.split_at(said.len().min(HEAD - self.head.len()));
        self.head.extend_from_slice(first);
        self.tail.extend(rest);
        let over = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..over);
        self.left_out += over;
    }

    fn whole(&self) -> Vec<u8> {
        let Self { head, tail, left_out } = self;
        let (mut head, tail, left_out) = (head.clone(), tail.iter().copied().collect::<Vec<u8>>(), *left_out);
        if left_out == 0 {
            return [head, tail].concat();
        }
        // Half a line may be half a secret, which is not known for one.
        let whole = head.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let begins = tail.iter().position(|byte| *byte == b'\n').map_or(tail.len(), |at| at + 1);
        let left_out = left_out + head.len() - whole + begins;
        head.truncate(whole);
        let cut = format!("[{left_out} bytes are left out here]\n");
        [head, cut.into_bytes(), tail[begins..].to_vec()].concat()
    }
}

/// Passes on what is said, and keeps it. A terminal that takes nothing any more ends the passing on alone.
fn pass_on(mut from: impl Read, mut to: impl Write, kept: &Mutex<Kept>) {
    let (mut piece, mut shown) = (vec![0; READ], true);
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => return,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        kept.lock().unwrap_or_else(PoisonError::into_inner).take(&piece[..read]);
        shown = shown && to.write_all(&piece[..read]).and_then(|()| to.flush()).is_ok();
    }
}

/// What is said over one channel, as far as it was said.
struct Channel {
    kept: Arc<Mutex<Kept>>,
    ended: mpsc::Receiver<()>,
}

impl Channel {
    fn of(from: OwnedFd, to: impl Write + Send + 'static) -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let (tell, ended) = mpsc::channel();
        let keeps = Arc::clone(&kept);
        thread::spawn(move || {
            pass_on(File::from(from), to, &keeps);
            drop(tell);
        });
        Self { kept, ended }
    }

    /// Everything, or what there is by now where something that was left running could go on for ever.
    fn said(self) -> Vec<u8> {
        let open = matches!(self.ended.recv_timeout(REST), Err(mpsc::RecvTimeoutError::Timeout));
        let mut said = self.kept.lock().unwrap_or_else(PoisonError::into_inner).whole();
        if open {
            said.extend_from_slice(b"[something that it left running may say more]\n");
        }
        said
    }
}

/// Runs a command until it ends. What it prints goes on to the terminal, or all of it to the errors, where an answer for a
/// script is to be alone on the output. Each signal that comes meanwhile is the command's, and `told_to_end` is said then.
pub fn run(
    steadfast: &mut Steadfast,
    command: &[OsString],
    all_to_errors: bool,
    mut told_to_end: impl FnMut(),
) -> anyhow::Result<Ended> {
    let (program, arguments) = command.split_first().context("there is no command")?;
    let (place, began) = (Place::here(), Instant::now());
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    if place.is_apart() {
        command.process_group(0);
    }
    let inside = steadfast.inside();
    let mut child = command
        .spawn()
        .map_err(|error| Failure::misused(format!("{} cannot be run: {error}", program.to_string_lossy())))?;
    let out = child.stdout.take().context("no output")?.into_owned_fd()?;
    let errors = child.stderr.take().context("no errors")?.into_owned_fd()?;
    drop(inside);
    let out = if all_to_errors { Channel::of(out, io::stderr()) } else { Channel::of(out, io::stdout()) };
    let errors = Channel::of(errors, io::stderr());
    let pid = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    let mut interrupted = false;
    let status = steadfast.until(child.wait(), |signal| {
        // It is not waited for yet, so that nobody else can have its number.
        if let Some(pid) = pid {
            place.pass_on(signal, pid);
        }
        interrupted = true;
        told_to_end();
    });
    let (status, took) = (status.context("how it ended is not known")?, began.elapsed());
    let interrupted = steadfast.saw_one() || interrupted;
    Ok(Ended { status, interrupted, took, out: out.said(), errors: errors.said() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept_of(said: &[u8], to: impl Write) -> Vec<u8> {
        let kept = Mutex::default();
        pass_on(said, to, &kept);
        kept.into_inner().unwrap().whole()
    }

    #[test]
    fn of_much_that_is_said_the_beginning_and_the_end_are_kept_in_whole_lines() {
        let line = |n: usize| format!("line {n:>10}\n");
        let said: String = (0..400_000).map(line).collect();
        let mut shown = Vec::new();
        let kept = kept_of(said.as_bytes(), &mut shown);
        assert_eq!(shown, said.as_bytes(), "all of it is seen");
        assert!(kept.len() <= HEAD + TAIL + 100, "{}", kept.len());
        let kept = String::from_utf8(kept).unwrap();
        assert!(kept.starts_with(&line(0)) && kept.ends_with(&line(399_999)));
        let odd: Vec<&str> = kept.lines().filter(|line| !line.starts_with("line ") || line.len() != 15).collect();
        let [cut] = odd.as_slice() else { panic!("{odd:?}") };
        let left_out: usize = cut.strip_prefix('[').and_then(|cut| cut.split(' ').next()?.parse().ok()).unwrap();
        assert_eq!(kept.len() - cut.len() - 1 + left_out, said.len());
    }

    #[test]
    fn little_is_kept_as_it_is() {
        for said in [&b""[..], b"no end of line", b"\xFF\x00"] {
            assert_eq!(kept_of(said, io::sink()), said);
        }
    }

    /// Whoever pipes it on and stops reading does not end the command.
    #[test]
    fn nobody_has_to_look() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert_eq!(kept_of(b"words", Gone), b"words");
    }
}

//! Signals while a command runs: they are the command's to answer, and whoever watches it stays to tell how it went.
//!
//! With a terminal the command stays in the terminal's foreground, so that it can ask for a password there; Ctrl+C is
//! everybody's in it, and not told twice. Without one the command leads a group of its own, and whatever comes is told to
//! all of that group: a shell would keep it to itself.

use std::fs::File;
use std::future::{Future, poll_fn};
use std::io;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpgrp, kill_process, kill_process_group};
use rustix::termios::tcgetpgrp;
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::oneshot;

use crate::exit::Failure;

/// So long signals that came already are listened for.
const LISTENS: Duration = Duration::from_millis(20);
/// The terminal of whoever has one.
const TERMINAL: &str = "/dev/tty";

/// Where a command runs, as far as signals go.
pub struct Place {
    terminal: Option<File>,
}

impl Place {
    /// Where whoever watches is.
    pub fn here() -> Self {
        Self { terminal: File::open(TERMINAL).ok() }
    }

    /// Whether the command is to lead a group of its own.
    pub fn is_apart(&self) -> bool {
        self.terminal.is_none()
    }

    /// Tells the command of a signal that came here, unless it had it from the terminal as well.
    pub fn pass_on(&self, signal: Signal, to: Pid) {
        // It may have ended meanwhile, which is heard of next.
        let _ = match &self.terminal {
            None => kill_process_group(to, signal),
            Some(terminal) if is_typed(signal) && in_front(terminal) => Ok(()),
            Some(_) => kill_process(to, signal),
        };
    }
}

/// Whether keys bring this signal.
fn is_typed(signal: Signal) -> bool {
    [Signal::INT, Signal::QUIT].contains(&signal)
}

/// Whether keys bring signals to the group that this is in.
fn in_front(terminal: &File) -> bool {
    tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp())
}

/// The signals that are ignored from the start, a bit for each, as far as this system tells: hang-ups after `nohup`, and what
/// keys bring in what a shell without job control starts with `&`.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    ignored.unwrap_or_default()
}

/// For as long as this is held, no signal that asks for an end ends whoever watches: it is heard.
pub struct Steadfast {
    runtime: tokio::runtime::Runtime,
    signals: Vec<(Signal, unix::Signal)>,
}

impl Steadfast {
    /// # Errors
    /// What kept signals from being taken: nothing is run then.
    pub fn new() -> anyhow::Result<Self> {
        let taken = Self::take();
        taken.map_err(|why| Failure::misused(format!("Signals cannot be taken ({why}). Nothing was run.")).into())
    }

    fn take() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let inside = runtime.enter();
        let kinds = [
            (Signal::INT, SignalKind::interrupt()),
            (Signal::TERM, SignalKind::terminate()),
            (Signal::HUP, SignalKind::hangup()),
            (Signal::QUIT, SignalKind::quit()),
        ];
        // Neither it nor the command ends of what whoever started them had them ignore: what is taken here, the command would
        // not ignore any more.
        let ignored = ignored();
        let taken = kinds.into_iter().filter(|(signal, _)| ignored >> (signal.as_raw() - 1) & 1 == 0);
        let signals = taken.map(|(signal, kind)| Ok((signal, unix::signal(kind)?))).collect::<io::Result<Vec<_>>>()?;
        drop(inside);
        Ok(Self { runtime, signals })
    }

    /// Where futures can be made that are waited for here.
    pub fn inside(&self) -> tokio::runtime::EnterGuard<'_> {
        self.runtime.enter()
    }

    /// Waits for something, and says of each signal that comes meanwhile, or just came, as `heard`. `done` is asked first:
    /// no signal is heard of any more once it is known.
    pub fn until<T>(&mut self, done: impl Future<Output = T>, mut heard: impl FnMut(Signal)) -> T {
        let signals = &mut self.signals;
        self.runtime.block_on(async {
            let mut done = std::pin::pin!(done);
            loop {
                tokio::select! {
                    biased;
                    done = &mut done => return done,
                    signal = next(signals) => heard(signal),
                }
            }
        })
    }

    /// Whether any came until now of which nobody heard.
    pub fn saw_one(&mut self) -> bool {
        let signals = &mut self.signals;
        // What came is heard of as soon as somebody listens, which takes a moment.
        self.runtime.block_on(async { tokio::time::timeout(LISTENS, next(signals)).await.is_ok() })
    }

    /// Does something that may take long; nothing if a signal comes before it is done, and then it is left where it is.
    pub fn unless_ended<T: Send + 'static>(&mut self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (tell, done) = oneshot::channel();
        let working = thread::spawn(move || drop(tell.send(work())));
        let signals = &mut self.signals;
        let done = self.runtime.block_on(async {
            tokio::select! {
                biased;
                done = done => Some(done),
                _ = next(signals) => None,
            }
        })?;
        // It says nothing only where it fell over, and then so does this.
        done.ok().or_else(|| working.join().err().map(|why| std::panic::resume_unwind(why)))
    }
}

/// The next signal that comes.
async fn next(signals: &mut [(Signal, unix::Signal)]) -> Signal {
    poll_fn(|context| {
        let mut come =
            signals.iter_mut().filter_map(|(kind, signal)| signal.poll_recv(context).is_ready().then_some(*kind));
        come.next().map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

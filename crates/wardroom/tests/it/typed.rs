//! What a person types: in a real terminal, and what a program that stays says line by line.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::house::{House, Server};
use crate::wait;

const WARDROOM: &str = env!("CARGO_BIN_EXE_wardroom");

/// Gives a program a terminal of 100 columns, and carries what is typed and shown. What is typed ends with Ctrl-D.
const TERMINAL: &str = r#"
import fcntl, os, pty, select, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 100, 0, 0))
    os.execvp(sys.argv[1], sys.argv[1:])
sources = [terminal, 0]
while True:
    ready = select.select(sources, [], [])[0]
    if terminal in ready:
        try:
            shown = os.read(terminal, 65536)
        except OSError:
            shown = b""
        if not shown:
            break
        sys.stdout.buffer.write(shown)
        sys.stdout.buffer.flush()
    if 0 in ready:
        typed = os.read(0, 65536)
        if not typed:
            sources = [terminal]
        os.write(terminal, typed or b"\x04")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

/// A terminal in which `wardroom` runs.
pub struct Terminal {
    child: Child,
    keys: ChildStdin,
    shown: Arc<Mutex<Vec<u8>>>,
    /// Up to here it has been looked at.
    seen: usize,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Terminal {
    /// Runs a verb in it. Of the variables that matter only those given are set.
    pub fn open(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new("python3")
            .args(["-c", TERMINAL, WARDROOM])
            .args(arguments)
            .env_remove("NO_COLOR")
            .env("TERM", "xterm")
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let shown = Arc::new(Mutex::new(Vec::new()));
        let kept = shown.clone();
        std::thread::spawn(move || {
            let mut piece = [0; 4_096];
            while let Ok(count @ 1..) = screen.read(&mut piece) {
                kept.lock().unwrap().extend_from_slice(&piece[..count]);
            }
        });
        Self { child, keys, shown, seen: 0 }
    }

    /// Everything that was shown so far, as lines end everywhere else.
    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).replace("\r\n", "\n")
    }

    /// Waits until this is shown; returns what came since the last look, up to its end.
    pub fn see(&mut self, text: &str) -> String {
        let (begin, end) = wait::until(&format!("“{text}” is shown"), || {
            let ended = self.child.try_wait().unwrap().is_some();
            let screen = self.screen();
            let found = screen[self.seen..].find(text).map(|at| (self.seen, self.seen + at + text.len()));
            // What was shown last may still be on its way when the program has ended.
            assert!(found.is_some() || !ended || !self.drained(), "“{text}” was never shown in:\n{screen}");
            found
        });
        self.seen = end;
        self.screen()[begin..end].to_owned()
    }

    /// Whether all that was ever shown has been read: the reading thread is gone.
    fn drained(&self) -> bool {
        Arc::strong_count(&self.shown) == 1
    }

    /// Presses these keys.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Types a line and presses Enter.
    pub fn line(&mut self, words: &str) {
        self.press(&format!("{words}\n"));
    }

    /// Waits until the program has ended; its exit code, and what was shown since the last look.
    pub fn end(mut self) -> (i32, String) {
        let code = wait::until("the program ended", || self.child.try_wait().unwrap()).code().unwrap_or(-1);
        wait::until("all of it was read", || self.drained().then_some(()));
        (code, self.screen()[self.seen..].to_owned())
    }
}

/// A verb that stays, and what it prints.
pub struct Following {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Following {
    /// The next line.
    pub fn next(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(60)).expect("a line comes")
    }
}

impl Server {
    /// Runs a verb of this server in a terminal.
    pub fn terminal(&self, token: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Terminal {
        let mut all = vec![("WARDROOM_URL", self.url.as_str()), ("WARDROOM_TOKEN", token)];
        all.extend(variables);
        Terminal::open(arguments, &all)
    }

    /// Runs a verb of this server that stays.
    pub fn following(&self, token: &str, arguments: &[&str]) -> Following {
        let mut child = Command::new(WARDROOM)
            .args(arguments)
            .env("WARDROOM_URL", &self.url)
            .env("WARDROOM_TOKEN", token)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let read = BufReader::new(child.stdout.take().unwrap()).lines();
        let (line, lines) = mpsc::channel();
        std::thread::spawn(move || read.map_while(Result::ok).try_for_each(|read| line.send(read)));
        Following { child, lines }
    }
}

impl House {
    /// Runs `wardroom` without a store of this house, without a terminal and without variables but these.
    pub fn wardroom(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(WARDROOM);
        command.args(arguments).env_remove("NO_COLOR").envs(variables.iter().copied());
        command.stdin(Stdio::null()).output().unwrap()
    }
}

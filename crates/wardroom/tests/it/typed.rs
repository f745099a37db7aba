//! What a person types beside a house, and what a program that stays says line by line.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::house::{House, Server};

const WARDROOM: &str = env!("CARGO_BIN_EXE_wardroom");

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

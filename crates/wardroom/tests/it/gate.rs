//! A gate between servers and their database, or people and their server, which a story can shut, or keep silent behind.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use crate::house::{House, Server};
use crate::wait;

/// What the gate does with what comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Open,
    /// Everything is cut, and whoever knocks is sent away.
    Shut,
    /// Everything is taken and acknowledged, and nothing comes of it before the gate opens: a server that was stopped.
    Silent,
    /// Open; the answer to a question with these words is cut off in its middle, once.
    Cutting(&'static str),
    /// Open; the answer to a question with these words is lost, and everything is cut from then on.
    Losing(&'static str),
    /// Open until a question with these words is answered: the answer is kept back, and all is silent from then on.
    Holding(&'static str),
}

struct Inner {
    state: Mutex<State>,
    turned: Condvar,
}

struct State {
    mode: Mode,
    connections: Vec<TcpStream>,
}

impl State {
    fn cut(&mut self) {
        self.connections.drain(..).for_each(|connection| drop(connection.shutdown(Shutdown::Both)));
    }
}

impl Inner {
    /// The state, as soon as the gate is not silent.
    fn speaking(&self) -> MutexGuard<'_, State> {
        self.turned.wait_while(self.state.lock().unwrap(), |state| state.mode == Mode::Silent).unwrap()
    }
}

/// Listens on a port of this machine until the tests end.
pub struct Gate {
    /// The same database or server, by way of the gate.
    pub url: String,
    inner: Arc<Inner>,
}

impl Gate {
    pub fn before(house: &House) -> Self {
        let url = house.url();
        let (head, name) = url.rsplit_once('/').unwrap();
        let (user, server) = head.rsplit_once('@').unwrap_or((head, "127.0.0.1:5432"));
        let (address, inner) = Self::listen(server.to_owned());
        Self { url: format!("{user}@{address}/{name}"), inner }
    }

    pub fn before_server(server: &Server) -> Self {
        let (address, inner) = Self::listen(server.address().to_owned());
        Self { url: format!("http://{address}"), inner }
    }

    fn listen(to: String) -> (SocketAddr, Arc<Inner>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            state: Mutex::new(State { mode: Mode::Open, connections: Vec::new() }),
            turned: Condvar::new(),
        });
        let known = Arc::clone(&inner);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(database) = TcpStream::connect(&to) else { return };
                admit(&known, client, database);
            }
        });
        (address, inner)
    }

    fn turn(&self, mode: Mode) {
        let mut state = self.inner.state.lock().unwrap();
        state.mode = mode;
        self.inner.turned.notify_all();
        if mode == Mode::Shut {
            state.cut();
        }
    }

    pub fn open(&self) {
        self.turn(Mode::Open);
    }

    pub fn shut(&self) {
        self.turn(Mode::Shut);
    }

    pub fn fall_silent(&self) {
        self.turn(Mode::Silent);
    }

    pub fn cut_the_answer_to(&self, words: &'static str) {
        self.turn(Mode::Cutting(words));
    }

    pub fn lose_the_answer_to(&self, words: &'static str) {
        self.turn(Mode::Losing(words));
    }

    pub fn hold_back_the_answer_to(&self, words: &'static str) {
        self.turn(Mode::Holding(words));
    }

    /// Waits until that answer is kept back.
    pub fn holds_back(&self) {
        wait::until("it is answered", || (self.inner.state.lock().unwrap().mode == Mode::Silent).then_some(()));
    }

    /// Waits until that answer was cut.
    pub fn has_cut(&self) {
        wait::until("the answer is cut", || (self.inner.state.lock().unwrap().mode == Mode::Open).then_some(()));
    }
}

fn admit(inner: &Arc<Inner>, client: TcpStream, database: TcpStream) {
    let mut state = inner.state.lock().unwrap();
    if state.mode == Mode::Shut {
        return; // Dropped, both.
    }
    let ends = [&client, &database].map(|end| end.try_clone().unwrap());
    state.connections.extend(ends);
    drop(state);
    let ends = [&client, &database].map(|end| end.try_clone().unwrap());
    let cutting = Arc::new(Mutex::new(false));
    let (asking, answering) = ((Arc::clone(inner), Arc::clone(&cutting)), (Arc::clone(inner), cutting));
    std::thread::spawn(move || {
        let [mut client, mut database] = ends;
        pass(&mut client, &mut database, |bytes| {
            let said = |words: &str| bytes.windows(words.len()).any(|part| part == words.as_bytes());
            if let Mode::Cutting(words) | Mode::Losing(words) | Mode::Holding(words) = asking.0.speaking().mode
                && said(words)
            {
                *asking.1.lock().unwrap() = true;
            }
            bytes.len()
        });
    });
    std::thread::spawn(move || {
        let (mut client, mut database) = (client, database);
        pass(&mut database, &mut client, |bytes| {
            let mut state = answering.0.speaking();
            if !*answering.1.lock().unwrap() {
                return bytes.len();
            }
            match state.mode {
                Mode::Losing(_) => {
                    state.mode = Mode::Shut;
                    state.cut();
                    0
                }
                Mode::Holding(_) => {
                    state.mode = Mode::Silent;
                    drop(state);
                    drop(answering.0.speaking());
                    *answering.1.lock().unwrap() = false;
                    bytes.len()
                }
                _ => {
                    state.mode = Mode::Open;
                    bytes.len() / 2
                }
            }
        });
    });
}

/// Passes on what comes, as much of each piece as `look` says, and ends when that is not all.
fn pass(from: &mut TcpStream, to: &mut TcpStream, mut look: impl FnMut(&[u8]) -> usize) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(read) = from.read(&mut bytes) {
        let passed = look(&bytes[..read]);
        if read == 0 || to.write_all(&bytes[..passed]).is_err() || passed < read {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

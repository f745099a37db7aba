//! Where histories are played: a store, the servers on it, and the people who write.

use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::house::{House, Server};

/// Who writes.
pub const PEOPLE: [&str; 3] = ["mary", "robin", "jan"];

/// A server that is killed and started again while histories go on. Whoever asks it something holds it meanwhile.
type Node = RwLock<Option<Server>>;

pub struct Ground {
    // Before the house: servers end before their store is thrown away.
    nodes: Vec<Node>,
    pub house: House,
    pub tokens: Vec<String>,
    killed: AtomicUsize,
}

impl Ground {
    pub fn new(house: House, nodes: usize) -> Self {
        let tokens = PEOPLE.iter().map(|handle| house.person(handle)).collect();
        let nodes = (0..nodes).map(|_| RwLock::new(Some(house.serve()))).collect();
        Self { nodes, house, tokens, killed: AtomicUsize::new(0) }
    }

    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Asks a node something, while it runs.
    pub fn ask<T>(&self, node: usize, asks: impl FnOnce(&Server) -> T) -> T {
        asks(self.nodes[node].read().unwrap().as_ref().unwrap())
    }

    /// An incident in which everybody responds.
    pub fn incident(&self) -> u64 {
        let [first, others @ ..] = &self.tokens[..] else { unreachable!("there are people") };
        self.ask(0, |server| {
            let number = server.declare(first, "Search is failing");
            for token in others {
                server.done(token, number, json!({ "command": "join" }));
            }
            number
        })
    }

    /// kill -9, and a new one.
    pub fn kill(&self, node: usize) {
        let mut server = self.nodes[node].write().unwrap();
        server.take().unwrap().kill();
        *server = Some(self.house.serve());
        self.killed.fetch_add(1, Ordering::Relaxed);
    }

    pub fn kill_all(&self) {
        (0..self.nodes.len()).for_each(|node| self.kill(node));
    }

    pub fn killed(&self) -> usize {
        self.killed.load(Ordering::Relaxed)
    }
}

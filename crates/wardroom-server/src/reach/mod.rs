//! Telling people what waits for them: what the core says that there is to tell ([`wardroom_core::call`]), by the ways
//! that they chose, at least once, until it is done.
//!
//! [`matters`] keeps what there is to tell beside the log, behind a durable cursor. [`carry`] takes deliveries up and
//! sends them: [`mail`], [`pager`] and [`push`]; a [`trial`] goes beside. [`outward`] bounds what this server asks of addresses that people gave it.
//! [`sight`] knows what somebody has before their eyes.

pub mod carry;
pub mod mail;
mod matters;
pub mod outward;
pub mod pager;
pub mod push;
pub mod quiet;
pub mod retry_after;
pub mod settings;
pub mod sight;
mod trial;

use std::sync::Arc;

use tokio::sync::Notify;
use wardroom_core::text::misleads;

use crate::log::Log;
use crate::streams::Streams;
use crate::views::board::Board;
use crate::watch::Watch;
use carry::Carrier;
pub use settings::Outside;
use sight::Sight;

/// These words as one line of at most so many characters, with nothing that moves or hides what stands around it.
fn one_line(words: &str, max: usize) -> String {
    words.chars().map(|c| if misleads(c) { ' ' } else { c }).take(max).collect()
}

/// What telling people needs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Sends.
    pub carrier: Carrier,
    /// What people have before their eyes.
    pub sight: Arc<Sight>,
    put: Arc<Notify>,
}

impl Reach {
    /// Starts telling people.
    ///
    /// # Errors
    /// When the settings name a mail relay that cannot be one.
    pub fn start(outside: Outside, log: &Log, streams: &Streams, watch: &Watch, board: &Board) -> anyhow::Result<Self> {
        let carrier = Carrier::new(outside, log.clone(), streams.clone(), watch.epoch())?;
        let put = Arc::new(Notify::new());
        matters::Matters::start(log.clone(), streams.clone(), watch.clone(), board.clone(), Arc::clone(&put));
        tokio::spawn(carrier.clone().run(Arc::clone(&put)));
        Ok(Self { carrier, sight: Arc::default(), put })
    }

    /// Something was put on its way: it is taken up now.
    pub fn wake(&self) {
        self.put.notify_one();
    }
}

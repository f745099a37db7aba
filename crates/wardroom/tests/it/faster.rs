//! Time that passes faster: a server that lives half a minute in each of our seconds.
//!
//! `libfaketime`, preloaded into the server's process alone, runs all of its clocks and its waiting at the same
//! pace, so that timers, signs of life and the time of day stay in step, as they do in a real server.

use std::ffi::OsString;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use ureq::Agent;

use crate::house::{House, Server};

/// How much faster. A server that gives no sign of life for 15 of its seconds has been down; here that is half a
/// second of ours, which a loaded machine still keeps. Should it not, the rules forgive that time: a story then
/// takes longer, and ends the same.
const FASTER: u32 = 30;

impl House {
    /// Starts a server whose clock is this far ahead of ours, and from then on runs faster.
    pub fn serve_fast(&self, ahead: SignedDuration) -> Server {
        let library = std::env::var_os("WARDROOM_TEST_FAKETIME")
            .expect("run the tests with `make test`, or under scripts/with-faketime: it finds libfaketime");
        let pace = format!("+{}s x{FASTER}", ahead.as_secs());
        // Nobody else shares this clock: what is meant for sharing it would outlive a kill -9.
        let alone = OsString::from("1");
        self.serve_in(&[("LD_PRELOAD", library), ("FAKETIME", pace.into()), ("FAKETIME_DISABLE_SHM", alone)])
    }

    /// Starts a server whose clock shows this time, and from then on runs faster.
    pub fn serve_fast_from(&self, time: Timestamp) -> Server {
        self.serve_fast(time.duration_since(Timestamp::now()))
    }
}

impl Server {
    /// What time this server has, to the second.
    pub fn time(&self) -> Timestamp {
        let agent: Agent = Agent::config_builder().build().into();
        let answer = agent.get(format!("{}/healthz", self.url)).call().unwrap();
        let date = answer.headers()["date"].to_str().unwrap();
        jiff::fmt::rfc2822::parse(date).unwrap().timestamp()
    }
}

/// A time as the API writes it.
pub fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap_or_else(|| panic!("{value} is no time")).parse().unwrap()
}

/// How long after `from` something happened, both as the API writes them.
pub fn between(from: &Value, to: &Value) -> SignedDuration {
    time(to).duration_since(time(from))
}

pub fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

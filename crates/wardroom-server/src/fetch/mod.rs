//! Fetching what a URL shows, to be kept: a graph's picture, a status page. From listed hosts alone.
//!
//! Whoever may choose a URL that a server then asks can have it ask what only the server can reach. So: nothing is
//! fetched from a host that nobody listed, nor from this house's own networks unless their addresses are listed as well;
//! a name is looked up once, every address that it has is looked at, and one of just those is connected to; a redirect
//! is a new question in every respect. Nothing is sent that could say who asks, and of an answer its bytes count.

mod listed;
mod target;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::{Uri, header};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use url::Host;
use wardroom_core::evidence::{WHOLE_MAX, size};

pub use listed::{BadListing, LISTED_MAX, Listed};
pub use target::{BadUrl, Target, URL_MAX};

/// How long it may take in all, from waiting for a turn to the last byte, redirects included.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many are under way at once. Each holds a thread and what came of it.
pub(crate) const AT_ONCE: usize = 4;
/// How many redirects are followed.
const REDIRECTS_MAX: usize = 3;
/// How many addresses of a name are tried.
const ADDRESSES_MAX: usize = 16;

/// Why nothing came, in a sentence of ours: nothing that an answer said is repeated.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotFetched {
    /// Nobody listed the host.
    #[error(
        "Wardroom may not fetch from {0}. Whoever runs it can list that host (--fetch-from). Until then, save what it shows \
         and attach the file."
    )]
    NotListed(String),
    /// The host is listed, and is inside.
    #[error(
        "{0} is inside this house's own networks. Whoever runs Wardroom can list its address or network beside it \
         (--fetch-from). Until then, save what it shows and attach the file."
    )]
    Inside(String),
    /// It leads to where nothing is fetched from.
    #[error("{0} leads on to an address that is not fetched: {1}")]
    LeadsAstray(String, Box<NotFetched>),
    /// What is no URL to fetch.
    #[error("{0}")]
    Bad(#[from] BadUrl),
    /// One redirect after the other.
    #[error("{0} leads on and on. Look where it ends, and fetch from there.")]
    OnAndOn(String),
    /// Nothing is known by that name.
    #[error("{0} cannot be found. Look whether its name is right.")]
    NoSuchHost(String),
    /// Not in time.
    #[error("{0} did not answer in time. Try again, or save what it shows and attach the file.")]
    TooSlow(String),
    /// No connection, or it broke off.
    #[error("{0} cannot be reached. Try again, or save what it shows and attach the file.")]
    Unreachable(String),
    /// Its certificate is not one that is trusted.
    #[error("{0} has no certificate that can be trusted. Save what it shows, and attach the file.")]
    Untrusted(String),
    /// It answered something else than what was asked for.
    #[error("{0} answered {1}. Look whether it can be seen without signing in.")]
    Answered(String, u16),
    /// More than one piece may have.
    #[error("What {0} sends is too large: what is fetched has at most {most}. Link to it from a note.", most = size(WHOLE_MAX))]
    TooLarge(String),
}

impl NotFetched {
    /// Whether somebody would have to list something first.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        match self {
            Self::NotListed(_) | Self::Inside(_) => true,
            Self::LeadsAstray(_, why) => why.is_forbidden(),
            _ => false,
        }
    }
}

/// What one question came to.
enum Asked {
    Bytes(Vec<u8>),
    LeadsOn(String),
}

/// Fetches from listed hosts.
#[derive(Clone, Debug)]
pub struct Fetcher {
    listed: Listed,
    turns: Arc<Semaphore>,
}

impl Fetcher {
    /// From these, and nowhere else.
    #[must_use]
    pub fn new(listed: Listed) -> Self {
        Self::taking_turns(listed, AT_ONCE)
    }

    /// The same, so many at once.
    pub(crate) fn taking_turns(listed: Listed, at_once: usize) -> Self {
        Self { listed, turns: Arc::new(Semaphore::new(at_once)) }
    }

    /// Whether it may be asked for at all, as far as can be seen before its name is looked up.
    ///
    /// # Errors
    /// [`NotFetched::NotListed`].
    pub fn may_fetch(&self, target: &Target) -> Result<(), NotFetched> {
        self.listed.names(target).then_some(()).ok_or_else(|| NotFetched::NotListed(target.place().to_owned()))
    }

    /// What the URL shows: at most [`WHOLE_MAX`] bytes, within fifteen seconds.
    ///
    /// # Errors
    /// [`NotFetched`].
    pub async fn fetch(&self, target: &Target) -> Result<Vec<u8>, NotFetched> {
        self.within(PATIENCE, target).await
    }

    async fn within(&self, patience: Duration, target: &Target) -> Result<Vec<u8>, NotFetched> {
        let until = Instant::now() + patience;
        let late = |_| NotFetched::TooSlow(target.place().to_owned());
        tokio::time::timeout_at(until, self.follow(target, until)).await.map_err(late)?
    }

    async fn follow(&self, target: &Target, until: Instant) -> Result<Vec<u8>, NotFetched> {
        let from = || target.place().to_owned();
        let mut at = target.clone();
        for _ in 0..=REDIRECTS_MAX {
            let asked = self.ask(&at, until).await;
            let astray = |why: NotFetched| match (why.is_forbidden(), at == *target) {
                (true, false) => NotFetched::LeadsAstray(from(), Box::new(why)),
                _ => why,
            };
            match asked.map_err(astray)? {
                Asked::Bytes(bytes) => return Ok(bytes),
                Asked::LeadsOn(to) => {
                    let astray = |why: BadUrl| NotFetched::LeadsAstray(from(), Box::new(why.into()));
                    at = at.redirected(&to).map_err(astray)?;
                }
            }
        }
        Err(NotFetched::OnAndOn(from()))
    }

    /// One question, to one of the addresses that were looked at for it.
    async fn ask(&self, target: &Target, until: Instant) -> Result<Asked, NotFetched> {
        self.may_fetch(target)?;
        let place = || target.place().to_owned();
        let addresses = looked_up(target).await.ok_or_else(|| NotFetched::NoSuchHost(place()))?;
        if !addresses.iter().all(|address| self.listed.reaches(*address)) {
            return Err(NotFetched::Inside(place()));
        }
        let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await else {
            return Err(NotFetched::Unreachable(place()));
        };
        let target = target.clone();
        let asking = tokio::task::spawn_blocking(move || {
            // Held for as long as it is under way, also when nobody waits for it any more.
            let _turn = turn;
            get(&target, &addresses, until.saturating_duration_since(Instant::now()))
        });
        asking.await.unwrap_or_else(|_| Err(NotFetched::Unreachable(place())))
    }
}

/// Every address that the host has; nothing for a name that nobody knows, or one with more than anybody has.
async fn looked_up(target: &Target) -> Option<Vec<IpAddr>> {
    let name = match target.host() {
        Host::Ipv4(address) => return Some(vec![(*address).into()]),
        Host::Ipv6(address) => return Some(vec![(*address).into()]),
        Host::Domain(name) => name.as_str(),
    };
    let found = tokio::net::lookup_host((name, target.port())).await.ok()?;
    let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    addresses.dedup();
    (1..=ADDRESSES_MAX).contains(&addresses.len()).then_some(addresses)
}

/// Knows the addresses that were looked at, and no others: a name is not looked up again.
#[derive(Debug)]
struct Pinned {
    addresses: Vec<SocketAddr>,
}

impl Resolver for Pinned {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut pinned = self.empty();
        self.addresses.iter().for_each(|address| pinned.push(*address));
        Ok(pinned)
    }
}

/// Asks one of these addresses for what the URL shows; redirects are told and not followed.
fn get(target: &Target, addresses: &[IpAddr], within: Duration) -> Result<Asked, NotFetched> {
    let place = || target.place().to_owned();
    let not = |error: ureq::Error| match error {
        ureq::Error::Timeout(_) => NotFetched::TooSlow(place()),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => NotFetched::Untrusted(place()),
        ureq::Error::BodyExceedsLimit(_) => NotFetched::TooLarge(place()),
        _ => NotFetched::Unreachable(place()),
    };
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(within))
        .max_response_header_size(16 << 10)
        .max_idle_connections(0)
        .user_agent("wardroom")
        .accept_encoding("identity")
        .build();
    let addresses = addresses.iter().map(|address| SocketAddr::new(*address, target.port())).collect();
    let agent = Agent::with_parts(config, DefaultConnector::new(), Pinned { addresses });
    let mut answer = agent.get(target.whole()).call().map_err(not)?;
    let status = answer.status();
    if status.is_redirection() {
        let to = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
        return to.map(|to| Asked::LeadsOn(to.to_owned())).ok_or(NotFetched::Answered(place(), status.as_u16()));
    }
    if !status.is_success() {
        return Err(NotFetched::Answered(place(), status.as_u16()));
    }
    let bytes = answer.body_mut().with_config().limit(WHOLE_MAX + 1).read_to_vec().map_err(not)?;
    if bytes.len() as u64 > WHOLE_MAX {
        return Err(NotFetched::TooLarge(place()));
    }
    Ok(Asked::Bytes(bytes))
}

#[cfg(test)]
mod tests;

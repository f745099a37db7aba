//! Who calls: how many connections each address holds, so that one stranger cannot hold all that there are.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many connections each address holds. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Callers {
    most: usize,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection of an address; it counts until it is dropped. One of this machine's counts for nobody: behind a proxy
/// here stand all the others.
#[derive(Debug)]
pub(super) struct Call(Option<(Callers, IpAddr)>);

impl Callers {
    /// At most so many connections for each address.
    pub fn new(most: usize) -> Self {
        Self { most, held: Arc::default() }
    }

    /// Counts one more; `None` when the address holds as many as it may.
    pub fn call(&self, address: IpAddr) -> Option<Call> {
        let Some(caller) = caller(address) else { return Some(Call(None)) };
        let mut all = self.lock();
        let held = all.entry(caller).or_default();
        if *held >= self.most {
            return None;
        }
        *held += 1;
        Some(Call(Some((self.clone(), caller))))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whom an address stands for, if it is not this machine. Whoever has one address of IPv6 has all that share its first
/// half.
fn caller(address: IpAddr) -> Option<IpAddr> {
    let caller = match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) if address.is_loopback() => IpAddr::V6(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    };
    (!caller.is_loopback()).then_some(caller)
}

impl Drop for Call {
    fn drop(&mut self) {
        let Some((callers, caller)) = &self.0 else { return };
        let mut all = callers.lock();
        if let Some(held) = all.get_mut(caller) {
            *held -= 1;
            if *held == 0 {
                all.remove(caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_holds_only_so_many_and_the_others_are_not_asked_to_wait() {
        let callers = Callers::new(2);
        for (one, same, other) in [
            ("203.0.113.7", "::ffff:203.0.113.7", "203.0.113.8"),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"),
        ] {
            let held = [callers.call(address(one)), callers.call(address(same))];
            assert!(held.iter().all(Option::is_some), "{one}");
            assert!(callers.call(address(one)).is_none() && callers.call(address(same)).is_none(), "{one}");
            assert!(callers.call(address(other)).is_some(), "{other}");
            drop(held);
            assert!(callers.lock().is_empty(), "nobody is remembered who holds nothing");
        }
    }

    #[test]
    fn a_proxy_on_this_machine_may_hold_any_number() {
        let callers = Callers::new(1);
        let held: Vec<_> = ["127.0.0.1", "127.0.0.1", "::1", "::1", "::ffff:127.0.0.1"]
            .map(|local| callers.call(address(local)))
            .into();
        assert!(held.iter().all(Option::is_some));
    }
}

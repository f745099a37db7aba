//! From where this server may fetch: hosts, addresses and networks, as whoever runs it listed them. Pure.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Host;
use wardroom_core::text::repeated;

use super::target::Target;
use crate::reach::outward::public;

/// How many places may be listed.
pub const LISTED_MAX: usize = 100;
/// The longest name of a host, in bytes (RFC 1035, 2.3.4).
const NAME_MAX: usize = 253;

/// Why something cannot be listed, in a sentence.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadListing {
    /// Neither a host nor an address nor a network.
    #[error(
        "“{0}” is no host, address or network; write graphs.example.org, graphs.example.org:3000, 10.1.2.3 or 10.0.0.0/8"
    )]
    Place(String),
    /// More than [`LISTED_MAX`].
    #[error("at most {LISTED_MAX} hosts, addresses and networks can be listed")]
    TooMany,
}

/// A part of all addresses: those whose first bits are these.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    fn has(self, address: IpAddr) -> bool {
        // An address of version 4 that is written as one of version 6 is in no network of version 4.
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.checked_shr(32 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.checked_shr(128 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ();
    fn from_str(given: &str) -> Result<Self, ()> {
        let (address, prefix) = given.split_once('/').ok_or(())?;
        let address: IpAddr = address.parse().map_err(|_| ())?;
        let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix: u8 = prefix.parse().map_err(|_| ())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        (digits && prefix <= most).then_some(Self { address, prefix }).ok_or(())
    }
}

/// Something that is listed.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    /// A host by its name or address, and its port; without one, that of the scheme.
    Host(Host, Option<u16>),
    /// Where names may lead, although it is inside this house.
    Network(Network),
}

/// Everything that is listed. Nothing is, unless somebody says so.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Listed {
    places: Vec<Place>,
    written: String,
}

impl Listed {
    /// Whether nothing at all may be fetched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.places.iter().any(|place| matches!(place, Place::Host(..)))
    }

    /// As it was written.
    #[must_use]
    pub fn as_written(&self) -> &str {
        &self.written
    }

    /// Whether what is wanted is on a host that is listed, with its port.
    #[must_use]
    pub fn names(&self, target: &Target) -> bool {
        self.places.iter().any(|place| match place {
            Place::Host(host, port) => *host == *target.host() && target.is_at(*port),
            Place::Network(_) => false,
        })
    }

    /// Whether an address may be connected to: it is of the public internet, or listed itself.
    #[must_use]
    pub fn reaches(&self, address: IpAddr) -> bool {
        let listed = |place: &Place| match (place, address) {
            (Place::Network(network), _) => network.has(address),
            (Place::Host(Host::Ipv4(host), _), IpAddr::V4(address)) => *host == address,
            (Place::Host(Host::Ipv6(host), _), IpAddr::V6(address)) => *host == address,
            _ => false,
        };
        public(address) || self.places.iter().any(listed)
    }
}

/// A host, however it is spelt: names in other letters as the name service has them, addresses as numbers.
pub(super) fn host(given: &str) -> Option<Host> {
    let host = Host::parse(given).ok()?;
    let Host::Domain(name) = &host else { return Some(host) };
    // Whoever ends a name with a dot means the same host.
    let name = name.strip_suffix('.').unwrap_or(name);
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
    let whole = name.split('.').all(|part| (1..=63).contains(&part.len()));
    (whole && name.len() <= NAME_MAX && name.bytes().all(fits)).then(|| Host::Domain(name.to_owned()))
}

fn place(given: &str) -> Option<Place> {
    if given.contains('/') {
        return given.parse().ok().map(Place::Network);
    }
    if let Ok(IpAddr::V6(address)) = given.parse() {
        return Some(Place::Host(Host::Ipv6(address), None));
    }
    let colon = given.rfind(':').filter(|colon| given.rfind(']').is_none_or(|end| end < *colon));
    let Some(colon) = colon else { return Some(Place::Host(host(given)?, None)) };
    let port = &given[colon + 1..];
    let port = port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok()).flatten()?;
    Some(Place::Host(host(&given[..colon])?, Some(port)))
}

impl FromStr for Listed {
    type Err = BadListing;
    fn from_str(given: &str) -> Result<Self, BadListing> {
        let all = given.split(',').map(str::trim).filter(|listed| !listed.is_empty());
        let mut places = Vec::new();
        for given in all {
            if places.len() == LISTED_MAX {
                return Err(BadListing::TooMany);
            }
            let shown = || repeated(&given.chars().take(NAME_MAX).collect::<String>()).replace('\n', " ");
            places.push(place(given).ok_or_else(|| BadListing::Place(shown()))?);
        }
        Ok(Self { places, written: given.trim().to_owned() })
    }
}

impl TryFrom<String> for Listed {
    type Error = BadListing;
    fn try_from(given: String) -> Result<Self, BadListing> {
        given.parse()
    }
}

impl From<Listed> for String {
    fn from(listed: Listed) -> Self {
        listed.written
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(given: &str) -> Listed {
        given.parse().unwrap_or_else(|why| panic!("{given}: {why}"))
    }

    #[test]
    fn nothing_is_fetched_unless_it_is_listed() {
        let none = Listed::default();
        assert!(none.is_empty() && !none.names(&"https://example.org/".parse().unwrap()));
        assert_eq!(listed(" , "), Listed { written: ",".to_owned(), ..none });
        assert!(listed("10.0.0.0/8").is_empty(), "a network says where names may lead, and names none");
    }

    #[test]
    fn a_host_is_listed_however_it_is_spelt_and_with_its_port() {
        for (list, url, named) in [
            ("example.org", "https://example.org/", true),
            ("example.org", "http://example.org/", true),
            ("Example.ORG.", "https://eXample.org/x?y", true),
            ("example.org", "https://example.org./", true),
            ("example.org", "https://example.org:443/", true),
            ("example.org", "https://example.org:80/", false),
            ("example.org", "https://example.org:3000/", false),
            ("example.org:3000", "http://example.org:3000/", true),
            ("example.org:3000", "http://example.org/", false),
            ("example.org", "https://graphs.example.org/", false),
            ("example.org", "https://example.org.evil.example/", false),
            ("example.org", "https://evil-example.org/", false),
            ("other.example, example.org", "https://example.org/", true),
            ("bücher.example", "https://xn--bcher-kva.example/", true),
            ("xn--bcher-kva.example", "https://BÜCHER.example/", true),
            ("example.org", "https://ехample.org/", false),
            ("10.1.2.3", "http://10.1.2.3/", true),
            ("10.1.2.3", "http://0x0a.0x01.0x02.0x03/", true),
            ("10.1.2.3", "http://167838211/", true),
            ("10.1.2.3", "http://10.1.2.3:9090/", false),
            ("10.1.2.3:9090", "http://10.1.2.3:9090/", true),
            ("10.1.2.0/24", "http://10.1.2.3/", false),
            ("10.1.2.3", "http://[::ffff:10.1.2.3]/", false),
            ("fd00::1", "http://[fd00::1]/", true),
            ("[fd00::1]", "http://[fd00:0::1]/", true),
            ("[fd00::1]:3000", "http://[fd00::1]:3000/", true),
            ("[fd00::1]:3000", "http://[fd00::1]/", false),
        ] {
            let target: Target = url.parse().unwrap_or_else(|why| panic!("{url}: {why}"));
            assert_eq!(listed(list).names(&target), named, "{list} and {url}");
        }
    }

    #[test]
    fn an_address_inside_this_house_is_connected_to_only_if_it_is_listed() {
        for (list, address, reached) in [
            ("example.org", "8.8.8.8", true),
            ("example.org", "2600::1", true),
            ("example.org", "127.0.0.1", false),
            ("example.org", "10.1.2.3", false),
            ("example.org", "169.254.169.254", false),
            ("example.org", "168.63.129.16", false),
            ("example.org", "100.100.100.200", false),
            ("example.org", "0.0.0.0", false),
            ("example.org", "224.0.0.1", false),
            ("example.org", "::1", false),
            ("example.org", "::", false),
            ("example.org", "fe80::1", false),
            ("example.org", "fd00:ec2::254", false),
            ("example.org", "ff02::1", false),
            ("example.org", "::ffff:127.0.0.1", false),
            ("example.org", "::ffff:8.8.8.8", false),
            ("example.org", "64:ff9b::a01:203", false),
            ("example.org", "2002:a01:203::", false),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", true),
            ("10.0.0.0/8", "192.168.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", false),
            ("10.1.2.0/23", "10.1.3.255", true),
            ("10.1.2.0/23", "10.1.4.0", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("10.1.2.3/32", "10.1.2.4", false),
            ("0.0.0.0/0", "127.0.0.1", true),
            ("0.0.0.0/0", "::1", false),
            ("127.0.0.1:8080", "127.0.0.1", true),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "fe80::1", false),
            ("::1/128", "::1", true),
            ("::/0", "::1", true),
        ] {
            assert_eq!(listed(list).reaches(address.parse().unwrap()), reached, "{list} and {address}");
        }
    }

    #[test]
    fn what_is_no_place_is_not_listed() {
        for wrong in [
            "*",
            "*.example.org",
            "https://example.org",
            "example.org/graphs",
            "example.org:",
            "example.org:x",
            "example.org:+80",
            "example.org:99999",
            "ada@example.org",
            "ada:pw@example.org",
            "exa mple.org",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0/8",
            "fd00::/129",
            "[fd00::1",
            "[10.1.2.3]",
            "256.1.1.1",
            "a..b",
            "-\u{7f}",
            &"a".repeat(64),
        ] {
            assert!(wrong.parse::<Listed>().is_err(), "{wrong}");
        }
        let many = vec!["example.org"; LISTED_MAX + 1].join(",");
        assert_eq!(many.parse::<Listed>(), Err(BadListing::TooMany));
    }
}

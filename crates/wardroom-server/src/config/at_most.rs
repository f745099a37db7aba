//! A bound that can be set.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How many of something there may be: at least one, and not more than any machine holds.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "i64")]
pub struct AtMost(pub(super) u32);

impl AtMost {
    /// The most that can be set.
    const MOST: u32 = 1_000_000;

    /// As a plain number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

impl TryFrom<i64> for AtMost {
    type Error = String;
    fn try_from(given: i64) -> Result<Self, String> {
        let fits = u32::try_from(given).ok().filter(|given| (1..=Self::MOST).contains(given));
        fits.map(Self).ok_or_else(|| format!("it is a number from 1 to {}", Self::MOST))
    }
}

impl FromStr for AtMost {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        Self::try_from(given.parse().unwrap_or(0_i64))
    }
}

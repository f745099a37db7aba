//! When something was, told to a person.

use super::Teller;
use crate::id::Time;

pub(super) fn clock(at: Time) -> String {
    at.strftime("%H:%M UTC").to_string()
}

impl Teller<'_> {
    /// When that was which is told now: with its day, where that was another one.
    pub(super) fn moment(&self, at: Time) -> String {
        let day = |at: Time| at.strftime("%F").to_string();
        if day(at) == day(self.at) { clock(at) } else { format!("{} {}", day(at), clock(at)) }
    }
}

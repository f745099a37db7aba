//! The one place that asks for the time.

use wardroom_core::id::Time;

/// Now, in UTC, cut to microseconds: what both databases store, so that a time reads back as it was.
#[must_use]
pub fn now() -> Time {
    let now = jiff::Timestamp::now();
    Time::from_microsecond(now.as_microsecond()).expect("a clock's time stays in range when it is cut")
}

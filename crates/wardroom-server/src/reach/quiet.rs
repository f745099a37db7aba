//! Quiet hours, by the clock on the wall where somebody is.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use wardroom_core::id::Time;
use wardroom_core::reach::{QuietHours, TimeOfDay, ZoneName};

/// The zone of this name, if there is one.
fn zone(name: &ZoneName) -> Option<TimeZone> {
    TimeZone::get(name.as_str()).ok()
}

/// Whether there is a zone of this name.
#[must_use]
pub fn knows(name: &ZoneName) -> bool {
    zone(name).is_some()
}

/// Until when somebody is left alone, if they are now. Where the zone is not known any more, nobody is.
#[must_use]
pub fn until(quiet: &QuietHours, now: Time) -> Option<Time> {
    let there = zone(&quiet.zone)?.to_datetime(now);
    let minutes = u16::try_from(i32::from(there.hour()) * 60 + i32::from(there.minute())).ok()?;
    let local = TimeOfDay::after_midnight(minutes)?;
    // Where the clock on the wall is set forward or back meanwhile, it is looked at again then.
    let left =
        SignedDuration::from_mins(i64::from(quiet.left(local))) - SignedDuration::from_secs(there.second().into());
    quiet.hold(local).then(|| now + left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(at: &str) -> Time {
        at.parse().unwrap()
    }

    #[test]
    fn the_clock_on_their_wall_counts() {
        let night = |zone| QuietHours {
            from: TimeOfDay::after_midnight(22 * 60).unwrap(),
            to: TimeOfDay::after_midnight(7 * 60).unwrap(),
            zone: ZoneName::try_from(String::from(zone)).unwrap(),
        };
        let three = time("2026-01-05T03:00:20Z");
        assert_eq!(until(&night("UTC"), three), Some(time("2026-01-05T07:00:00Z")));
        assert_eq!(until(&night("Europe/Berlin"), three), Some(time("2026-01-05T06:00:00Z")));
        assert_eq!(until(&night("America/New_York"), three), Some(time("2026-01-05T12:00:00Z")));
        assert_eq!(until(&night("Asia/Tokyo"), three), None, "it is noon there");
        assert_eq!(until(&night("Nowhere/Atall"), three), None);
        assert!(knows(&night("Asia/Kolkata").zone) && !knows(&night("Nowhere/Atall").zone));
    }
}

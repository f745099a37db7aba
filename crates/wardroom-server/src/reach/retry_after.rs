//! For how long somebody who was asked wants to be left alone: `Retry-After` (RFC 9110, 10.2.3), as a pure function of
//! what it says and of the time.

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use wardroom_core::id::Time;

/// The longest that anybody is left alone for. An offer of command lapses after ten minutes: told to stay away for
/// longer than that, Wardroom would never ask again while it matters.
pub const LONGEST: SignedDuration = SignedDuration::from_mins(2);
/// The longest field that can be one, in bytes: "Wednesday, 09-Nov-94 08:49:37 GMT" and some room.
const FIELD_MAX: usize = 40;
/// A date as it is written, and as it was written before (RFC 9110, 5.6.7).
const DATES: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// How long to wait by this field, at most [`LONGEST`]; nothing for one that says nothing.
#[must_use]
pub fn retry_after(field: &str, now: Time) -> Option<SignedDuration> {
    let field = field.trim_matches([' ', '\t']);
    if field.is_empty() || field.len() > FIELD_MAX {
        return None;
    }
    if field.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are more than the longest too.
        let seconds = field.parse().unwrap_or(i64::MAX);
        return Some(SignedDuration::from_secs(seconds).min(LONGEST));
    }
    let date = DATES.iter().find_map(|form| DateTime::strptime(form, field).ok())?;
    let then = TimeZone::UTC.to_timestamp(date).ok()?;
    Some(then.duration_since(now).clamp(SignedDuration::ZERO, LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(now: &str) -> impl Fn(&str) -> Option<i64> {
        let now: Time = now.parse().unwrap();
        move |field| retry_after(field, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_dates_say_how_long() {
        let wait = at("1994-11-06T08:49:00Z");
        assert_eq!([wait("0"), wait("120"), wait(" 7\t")], [Some(0), Some(120), Some(7)]);
        for date in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(wait(date), Some(37), "{date}");
        }
        assert_eq!(wait("Sat, 05 Nov 1994 08:49:37 GMT"), Some(0), "it is over");
    }

    #[test]
    fn nobody_is_left_alone_for_longer_than_two_minutes() {
        let wait = at("1994-11-06T08:49:00Z");
        for long in ["120", "121", "86400", "99999999999999999999999999999999999999", "Mon, 07 Nov 1994 08:49:37 GMT"] {
            assert_eq!(wait(long), Some(120), "{long}");
        }
    }

    #[test]
    fn what_is_neither_says_nothing() {
        let wait = at("1994-11-06T08:49:00Z");
        let long = "1".repeat(FIELD_MAX + 1);
        for nothing in [
            "",
            " ",
            "-1",
            "+1",
            "1.5",
            "1 2",
            "soon",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 25:49:37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "1994-11-06T08:49:37Z",
            "\u{661}\u{662}",
            &long,
        ] {
            assert_eq!(wait(nothing), None, "{nothing:?}");
        }
    }
}

//! The budget of prompts: what counts against it, what it spares people, and what can be put off.

use jiff::ToSpan;
use wardroom_core::event::Event;
use wardroom_core::id::{Entry, Number, PersonId, Time};
use wardroom_core::incident::{Kind, Phase};
use wardroom_core::next::Next;
use wardroom_core::prompt::{Bring, Nudge, Prompts};

use crate::cast::{JOSEPHINE, MARY, ROBIN, SABRINA, at, start};
use crate::given::{Given, given};
use crate::words::{absent, joined, number, offered, opened, opened_as, role, text};

fn both() -> Next {
    Next::OfferOperations { to: vec![SABRINA, JOSEPHINE] }
}

fn clock(entry: u64, minutes: i64) -> Next {
    Next::Clock { clock: Entry(entry), due_at: at(minutes) }
}

fn span() -> Next {
    Next::Delegate { role: role("operations"), reports: 8 }
}

/// Mary commands and does operations too, with two others here, and these clocks run for so many minutes.
fn busy(clocks: &[i64]) -> Given {
    let set = clocks.iter().map(|minutes| Event::ClockSet {
        label: text("alternatives?"),
        due_at: at(*minutes),
        every_minutes: None,
    });
    given([opened(), joined(SABRINA), joined(JOSEPHINE)]).and(set.collect::<Vec<_>>())
}

fn nudge(next: &Next) -> Nudge {
    next.nudge().expect("a nudge")
}

fn quietly(next: &Next, until: Time, put_off: bool) -> Bring {
    Bring::Quietly { nudge: nudge(next), until, put_off }
}

/// What the person has before their eyes, and how it came there.
#[track_caller]
fn brings(given: &Given, prompts: &Prompts, person: PersonId, next: Next, prompt: Bring) {
    let brought = given.state().brought(person, &given.facts, given.now, prompts).expect("something is to be done");
    assert_eq!((brought.next, brought.prompt), (next, prompt));
}

#[test]
fn what_somebody_waits_for_is_no_nudge() {
    let waited_for = [
        Next::Take { role: role("planning"), offer: Entry(2), by: MARY, lapses_at: at(10) },
        Next::Confirm { proposal: Entry(2), by: SABRINA },
        Next::StillWithUs { unseen_since: start() },
        Next::Clear { roadblock: 1, by: ROBIN },
        Next::Assume { commander: MARY, unseen_since: None },
        Next::Answer { role: role("planning"), by: ROBIN },
    ];
    let mut prompts = Prompts::default();
    assert!(prompts.prompt(Number::FIRST, &both(), start()), "the budget is spent");
    for next in waited_for {
        assert_eq!(prompts.bring(Number::FIRST, &next, start()), Bring::AtOnce {}, "{next:?}");
        assert!(!prompts.clone().prompt(Number::FIRST, &next, start()), "nor is it counted");
    }
}

#[test]
fn a_second_nudge_waits_for_ten_minutes_whichever_it_is() {
    let mut prompts = Prompts::default();
    assert!(prompts.prompt(Number::FIRST, &both(), start()));
    for (incident, next) in [(1, both()), (1, span()), (2, both())] {
        assert_eq!(prompts.bring(number(incident), &next, at(9)), quietly(&next, at(10), false));
        assert!(!prompts.clone().prompt(number(incident), &next, at(9)));
        assert_eq!(prompts.bring(number(incident), &next, at(10)), Bring::WhenFree { nudge: nudge(&next) });
    }
    assert!(prompts.prompt(number(2), &span(), at(10)));
    assert!(!prompts.prompt(Number::FIRST, &both(), at(19)));
}

#[test]
fn a_clock_is_no_prompt_before_it_runs_out() {
    let mut prompts = Prompts::default();
    let running = clock(3, 15);
    assert_eq!(prompts.bring(Number::FIRST, &running, at(14)), quietly(&running, at(15), false));
    assert!(!prompts.prompt(Number::FIRST, &running, at(14)));
    assert!(prompts.prompt(Number::FIRST, &running, at(15)));
}

/// Whoever put off a clock for ten minutes read the time at which it rings.
#[test]
fn what_is_put_off_is_so_for_as_long_as_was_said() {
    let mut prompts = Prompts::default();
    let running = clock(3, 15);
    let until = prompts.put_off(Number::FIRST, nudge(&running), start());
    assert_eq!(until, at(10));
    assert_eq!(prompts.bring(Number::FIRST, &running, at(1)), quietly(&running, until, true));
    // From then on it stands in its place again, and is no prompt before it rings.
    assert_eq!(prompts.bring(Number::FIRST, &running, at(10)), quietly(&running, at(15), false));
    // Nor does the rest after another prompt make it longer.
    let (mut prompts, rang) = (Prompts::default(), clock(3, 0));
    prompts.put_off(Number::FIRST, nudge(&rang), start());
    assert!(prompts.prompt(Number::FIRST, &both(), at(5)));
    assert_eq!(prompts.bring(Number::FIRST, &rang, at(6)), quietly(&rang, at(10), true));
    assert_eq!(prompts.bring(Number::FIRST, &rang, at(10)), quietly(&rang, at(15), false));
}

#[test]
fn what_is_put_off_goes_behind_everything_else_and_comes_back() {
    let given = busy(&[5]);
    let mut prompts = Prompts::default();
    let when_free = |next: &Next| Bring::WhenFree { nudge: nudge(next) };
    brings(&given, &prompts, MARY, both(), when_free(&both()));
    assert_eq!(prompts.put_off(Number::FIRST, nudge(&both()), given.now), at(10));
    brings(&given, &prompts, MARY, clock(4, 5), quietly(&clock(4, 5), at(5), false));
    let given = given.after(5);
    brings(&given, &prompts, MARY, clock(4, 5), when_free(&clock(4, 5)));
    assert_eq!(prompts.put_off(Number::FIRST, nudge(&clock(4, 5)), given.now), at(15));
    // Nothing else is there: it stands there and says nothing.
    brings(&given, &prompts, MARY, both(), quietly(&both(), at(10), true));
    brings(&given.clone().after(5), &prompts, MARY, both(), when_free(&both()));
    // What somebody waits for goes before all of it.
    let given = given.and([absent(MARY, start())]);
    brings(&given, &prompts, MARY, Next::StillWithUs { unseen_since: start() }, Bring::AtOnce {});
}

/// Of two clocks that ran out only the first was ever told of, however often it was put off.
#[test]
fn behind_a_clock_that_is_put_off_stands_the_next_one() {
    let given = given([opened()]).and([5, 6].map(|minutes| Event::ClockSet {
        label: text("x"),
        due_at: at(minutes),
        every_minutes: None,
    }));
    let given = given.after(7);
    let mut prompts = Prompts::default();
    brings(&given, &prompts, MARY, clock(2, 5), Bring::WhenFree { nudge: nudge(&clock(2, 5)) });
    prompts.put_off(Number::FIRST, nudge(&clock(2, 5)), given.now);
    brings(&given, &prompts, MARY, clock(3, 6), Bring::WhenFree { nudge: nudge(&clock(3, 6)) });
}

#[test]
fn putting_off_holds_for_that_nudge_in_that_incident() {
    let mut prompts = Prompts::default();
    prompts.put_off(Number::FIRST, nudge(&clock(3, 0)), start());
    assert!(prompts.bring(Number::FIRST, &clock(3, 0), at(1)).is_put_off());
    for (incident, next) in [(1, clock(4, 0)), (1, clock(3, 1)), (2, clock(3, 0)), (1, both())] {
        assert!(!prompts.bring(number(incident), &next, at(1)).is_put_off(), "{next:?} in {incident}");
    }
}

#[test]
fn only_what_is_to_be_done_can_be_prompted_of_or_put_off() {
    let given = busy(&[]);
    let nudged = |person, nudge: &Nudge| given.state().nudged(person, &given.facts, given.now, nudge);
    assert_eq!(nudged(MARY, &Nudge::DoingBoth {}), Some(both()));
    assert_eq!(nudged(SABRINA, &Nudge::DoingBoth {}), None);
    assert_eq!(nudged(MARY, &nudge(&clock(9, 5))), None);
    let offered = given.clone().and([offered("operations", SABRINA, MARY)]);
    assert_eq!(offered.state().nudged(MARY, &given.facts, given.now, &Nudge::DoingBoth {}), None);
    let investigated = crate::given::given([opened_as(1, Kind::Incident, Phase::Investigating)]);
    assert!(investigated.state().brought(MARY, &given.facts, given.now, &Prompts::default()).is_none());
}

/// A node whose clock once stood wrong would have silenced a person for as long as it was ahead.
#[test]
fn what_is_dated_ahead_counts_for_nothing() {
    let mut prompts = Prompts::default();
    let ahead = at(0) + 60.minutes();
    assert!(prompts.prompt(Number::FIRST, &both(), ahead));
    prompts.put_off(Number::FIRST, nudge(&span()), ahead);
    assert_eq!(prompts.bring(Number::FIRST, &both(), start()), Bring::WhenFree { nudge: nudge(&both()) });
    assert_eq!(prompts.bring(Number::FIRST, &span(), start()), Bring::WhenFree { nudge: nudge(&span()) });
    // Clocks that agree are seconds apart, and count.
    let mut prompts = Prompts::default();
    assert!(prompts.prompt(Number::FIRST, &both(), start() + 2.seconds()));
    assert!(!prompts.prompt(Number::FIRST, &both(), start()));
}

#[test]
fn what_is_remembered_stays_small_and_can_be_kept() {
    let mut prompts = Prompts::default();
    for entry in 1..=500 {
        prompts.put_off(Number::FIRST, nudge(&clock(entry, 0)), start());
    }
    assert!(prompts.bring(Number::FIRST, &clock(500, 0), at(1)).is_put_off(), "the newest holds");
    assert!(!prompts.bring(Number::FIRST, &clock(1, 0), at(1)).is_put_off());
    let kept = serde_json::to_string(&prompts).expect("plain data");
    assert!(kept.len() < 8_000, "{} bytes", kept.len());
    assert_eq!(serde_json::from_str::<Prompts>(&kept).expect("what was written"), prompts);
    prompts.put_off(Number::FIRST, nudge(&both()), at(20));
    assert!(serde_json::to_string(&prompts).expect("plain data").len() < 300, "what is over is forgotten");
}

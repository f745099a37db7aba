//! Waiting for conditions, the only place that sleeps.

use std::time::{Duration, Instant};

/// Long enough for a loaded machine; a condition that holds is noticed at once.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until `look` finds something.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

//! Waiting for conditions, the only place that sleeps.

use std::time::{Duration, Instant};

/// Long enough for a loaded machine; a condition that holds is noticed at once.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What is promised within a second may take so long on a loaded machine, and no longer.
pub const SOON: Duration = Duration::from_secs(10);

/// That something which is promised within a second was there soon enough.
pub fn came_soon(what: &str, since: Instant) {
    assert!(since.elapsed() < SOON, "{what} took {:?}", since.elapsed());
}

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

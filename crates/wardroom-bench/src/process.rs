//! What the kernel tells about a running server.

use std::path::Path;
use std::process::Child;
use std::time::Duration;

use anyhow::Context;

fn told(child: &Child, what: &str) -> anyhow::Result<String> {
    Ok(std::fs::read_to_string(Path::new("/proc").join(child.id().to_string()).join(what))?)
}

/// How long it has kept the processor busy so far.
pub fn busy(child: &Child) -> anyhow::Result<Duration> {
    let stat = told(child, "stat")?;
    // The name in the middle may hold anything; after it, the fields are numbers.
    let (_, fields) = stat.rsplit_once(')').context("the kernel tells")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks = ticks.sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10)) // A tick is a hundredth of a second on every Linux.
}

/// Memory in megabytes by its name in `/proc`: `VmRSS` now, `VmHWM` at the most.
pub fn memory(child: &Child, name: &str) -> anyhow::Result<f64> {
    let status = told(child, "status")?;
    let line = status.lines().find(|line| line.starts_with(name)).context("the kernel tells")?;
    let kilobytes: f64 = line.split_whitespace().nth(1).context("in kB")?.parse()?;
    Ok(kilobytes / 1024.0)
}

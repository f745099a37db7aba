//! Running a capture: without a shell, with next to nothing in its environment, for a while, and all that it started ends
//! with it.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::task::{JoinSet, spawn_blocking};
use wardroom_core::evidence::MediaType;
use wardroom_core::id::{Number, ServiceName};
use wardroom_core::preserve::Why;

use super::captures::Capture;
use super::locked;
use crate::mask::Mask;

/// How long a capture may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// So long is waited for what was said, once everything that could say more was ended.
const REST: Duration = Duration::from_secs(2);
/// So much is kept of what it says, in bytes,
const OUT_MAX: usize = 4 << 20;
/// and of its errors.
const ERRORS_MAX: usize = 256 << 10;
/// Where programs are looked for by a capture that is a script.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Everything that a capture started, which ends when this does.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // There may be nobody left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// What was said over one channel so far, how much more, and whether that was all.
#[derive(Debug, Default)]
struct Said {
    kept: Vec<u8>,
    left_out: usize,
    ended: bool,
}

impl Said {
    /// Reads to the end, and keeps no more than its beginning.
    async fn hear(said: Arc<Mutex<Self>>, channel: impl AsyncRead + Unpin, most: usize) {
        let (mut channel, mut piece) = (channel, vec![0; 16 << 10]);
        while let Ok(read @ 1..) = channel.read(&mut piece).await {
            let mut said = locked(&said);
            let kept = read.min(most - said.kept.len());
            said.kept.extend_from_slice(&piece[..kept]);
            said.left_out += read - kept;
        }
        locked(&said).ended = true;
    }

    fn is_whole(&self) -> bool {
        self.ended && self.left_out == 0
    }

    /// In whole lines, where it was cut: half a line may be half a secret, which is not known for one.
    fn whole(mut self) -> Vec<u8> {
        if !self.is_whole() {
            let whole = self.kept.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let left_out = self.left_out + self.kept.len() - whole;
            self.kept.truncate(whole);
            let cut = match self.ended {
                true => format!("[{left_out} bytes are left out here]\n"),
                false => "[what was said after this is left out]\n".to_owned(),
            };
            self.kept.extend_from_slice(cut.as_bytes());
        }
        self.kept
    }
}

/// What the capture shows of a service.
///
/// # Errors
/// Why there is nothing to keep.
pub(super) async fn run(
    capture: &Capture,
    service: &ServiceName,
    number: Number,
    mask: &Arc<Mask>,
) -> Result<Vec<u8>, Why> {
    within(PATIENCE, capture, service, number, mask).await
}

async fn within(
    patience: Duration,
    capture: &Capture,
    service: &ServiceName,
    number: Number,
    mask: &Arc<Mask>,
) -> Result<Vec<u8>, Why> {
    let began = Instant::now();
    let failed = |error: std::io::Error| {
        tracing::warn!(capture = %capture.name(), %error, "a capture cannot be run");
        Why::Failed
    };
    let mut child = Command::new(capture.program())
        .args(capture.arguments())
        .env_clear()
        .envs([("PATH", PATH), ("LANG", "C.UTF-8"), ("SERVICE", service.as_str())])
        .env("INCIDENT", number.get().to_string())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let group = Group(pid);
    let (Some(out), Some(errors)) = (child.stdout.take(), child.stderr.take()) else { return Err(Why::Failed) };
    let said = [(); 2].map(|()| Arc::new(Mutex::new(Said::default())));
    let [said_out, said_errors] = said.each_ref().map(Arc::clone);
    // Nobody listens any longer than this goes on.
    let mut listening = JoinSet::new();
    listening.spawn(Said::hear(said_out, out, OUT_MAX));
    listening.spawn(Said::hear(said_errors, errors, ERRORS_MAX));
    let status = tokio::time::timeout(patience, child.wait()).await;
    // What it left running says no more.
    drop(group);
    let status = status.map_err(|_| Why::TooSlow)?.map_err(failed)?;
    // What left the group may hold on to a channel. What came until then is kept.
    let all = async { while listening.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(REST, all).await;
    drop(listening);
    let ([out, errors], took) = (said.map(|said| std::mem::take(&mut *locked(&said))), began.elapsed());
    let (capture, service, mask) = (capture.clone(), service.clone(), Arc::clone(mask));
    let kept = spawn_blocking(move || kept(&capture, &service, (status, took), (out, errors), &mask));
    kept.await.map_err(|_| Why::Failed)?
}

/// What is kept of what it said: a picture as it is, and words with how they came about and without secrets.
fn kept(
    capture: &Capture,
    service: &ServiceName,
    (status, took): (ExitStatus, Duration),
    (out, errors): (Said, Said),
    mask: &Mask,
) -> Result<Vec<u8>, Why> {
    match (out.kept.is_empty(), status.success()) {
        (true, false) => return Err(Why::Failed),
        (true, true) if errors.kept.is_empty() => {
            return Err(if out.ended && errors.ended { Why::Empty } else { Why::TooSlow });
        }
        _ => {}
    }
    if out.is_whole() && status.success() && MediaType::of(&out.kept).is_picture() {
        return Ok(out.kept);
    }
    let code = status.code().map_or_else(|| "ended by a signal".to_owned(), |code| format!("exit code {code}"));
    let mut whole =
        format!("capture {} of {service}: {code} after {:.1} s\n", capture.name(), took.as_secs_f64()).into_bytes();
    for (channel, said) in [("output", out.whole()), ("errors", errors.whole())] {
        if !said.is_empty() {
            whole.extend_from_slice(format!("\n--- {channel} ---\n").as_bytes());
            whole.extend_from_slice(&mask.bytes(&said));
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a script shows.
    async fn shown(script: &str, patience: Duration) -> Result<String, Why> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture");
        std::fs::write(&path, script).unwrap();
        let capture: Capture = format!("it=/bin/sh {} $HOME", path.display()).parse().unwrap();
        let mask = Arc::new(Mask::new(&[], "").unwrap());
        let bytes = within(patience, &capture, &"search".parse().unwrap(), Number::FIRST, &mask).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    #[tokio::test]
    async fn its_words_are_kept_with_how_they_came_about_and_without_secrets() {
        let said = shown("echo $1 of $SERVICE in $INCIDENT; echo password=sesame >&2; exit 3", PATIENCE).await.unwrap();
        assert!(said.starts_with("capture it of search: exit code 3 after "), "{said}");
        let end = "\n--- output ---\n$HOME of search in 1\n\n--- errors ---\npassword=[masked]\n";
        assert!(said.ends_with(end), "{said}");
        let environment = shown("env | sort", PATIENCE).await.unwrap();
        for line in environment.lines().skip(3) {
            let known = ["INCIDENT=", "LANG=", "PATH=", "PWD=", "SERVICE=", "SHLVL=", "_=", "OLDPWD="];
            assert!(known.iter().any(|known| line.starts_with(known)), "{line}");
        }
    }

    #[tokio::test]
    async fn what_says_nothing_shows_nothing() {
        assert_eq!(shown("true", PATIENCE).await, Err(Why::Empty));
        assert_eq!(shown("echo no >&2; exit 1", PATIENCE).await, Err(Why::Failed));
        let capture: Capture = "it=/nowhere/at/all".parse().unwrap();
        let mask = Arc::new(Mask::new(&[], "").unwrap());
        let none = run(&capture, &"search".parse().unwrap(), Number::FIRST, &mask).await;
        assert_eq!(none, Err(Why::Failed));
    }

    #[tokio::test]
    async fn a_picture_is_kept_as_it_is() {
        let picture = shown(r"printf '\211PNG\r\n\032\nrest'", PATIENCE).await.unwrap();
        assert!(picture.ends_with("PNG\r\n\u{1A}\nrest") && !picture.contains("capture"), "{picture:?}");
    }

    #[tokio::test]
    async fn one_that_hangs_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        // Both hold it open for writing: its end is read when both are gone.
        let script = format!("exec 9>{}; sleep 1000 & echo begun; wait", pipe.display());
        let end = tokio::task::spawn_blocking(move || std::fs::read(pipe).unwrap());
        assert_eq!(shown(&script, Duration::from_millis(300)).await, Err(Why::TooSlow));
        tokio::time::timeout(Duration::from_secs(10), end).await.expect("nobody holds it").unwrap();
        // What is left running by one that ended is ended, too, and keeps nobody waiting.
        let said = shown("sleep 1000 & echo done", PATIENCE).await.unwrap();
        assert!(said.ends_with("done\n"), "{said}");
    }

    #[tokio::test]
    async fn what_left_the_group_keeps_nobody_waiting_and_what_was_said_is_kept() {
        // It says itself that it has left, before the rest of the group is ended.
        let leaves = r#"setsid sh -c ': > "$0.left"; exec sleep 20' "$0" & until [ -e "$0.left" ]; do :; done;"#;
        let said = shown(&format!("{leaves} echo done; printf half"), PATIENCE).await.unwrap();
        assert!(said.contains("done\n[what was said after this is left out]\n"), "{said}");
        assert_eq!(shown(leaves, PATIENCE).await, Err(Why::TooSlow));
    }

    #[tokio::test]
    async fn of_much_that_is_said_the_beginning_is_kept_in_whole_lines() {
        let said = shown("yes 0123456789abcde | head -c 9000000", PATIENCE).await.unwrap();
        let cut = said.lines().last().unwrap();
        assert!(said.len() < OUT_MAX + 200 && cut.ends_with(" bytes are left out here]"), "{cut}");
        assert!(said.lines().skip(3).all(|line| line.len() == 15 || line == cut));
    }
}

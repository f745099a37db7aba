//! Delivering what ran without the server: when it is asked for, and a few by themselves after another verb.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wardroom_core::id::Number;
use wardroom_core::text::repeated;

use super::super::say;
use super::kept::{Found, Pending, Record, Store, asker, open};
use super::nowhere;
use super::telling::{Token, deliver_one, no, no_room, shown};
use crate::args::Remote;
use crate::client::Client;
use crate::exit::Failure;
use crate::verb::print_json;

/// So many are delivered by themselves after another verb,
const BY_ITSELF: usize = 5;
/// each request within so long, and no run is begun after so long: whoever reads the verb's answer waits for its end.
const SHORT: Duration = Duration::from_secs(10);

/// What came of a delivery that was asked for.
#[derive(Default)]
struct Came {
    delivered: Vec<(String, Value)>,
    left: Vec<(String, Value)>,
    /// Something is left for whoever asked to see to.
    to_see_to: bool,
}

impl Came {
    fn left(&mut self, folder: &Path, record: Option<&Record>, why: &str) {
        let what = record.map(|record| format!("incident {}: {}: ", record.number, shown(record))).unwrap_or_default();
        let why = repeated(why);
        let told = json!({
            "folder": folder, "incident": record.map(|record| record.number), "url": record.map(|record| &record.url),
            "why": why,
        });
        let mut sentence = what + &why.lines().map(str::trim).collect::<Vec<&str>>().join("\n    ");
        if !why.contains(&*folder.to_string_lossy()) {
            sentence.push_str(&format!("\n    kept in {}", folder.display()));
        }
        self.left.push((sentence, told));
    }

    fn say(&self, remote: &Remote) {
        if remote.json {
            let values = |all: &[(String, Value)]| all.iter().map(|(_, value)| value.clone()).collect::<Vec<Value>>();
            print_json(&json!({ "delivered": values(&self.delivered), "left": values(&self.left) }));
            return;
        }
        for (sentence, _) in &self.delivered {
            println!("{sentence}");
        }
        match self.left.len() {
            0 if self.delivered.is_empty() => println!("Nothing waits to be recorded."),
            0 => {}
            left => println!("Left: {left}"),
        }
        for (sentence, _) in &self.left {
            println!("  {sentence}");
        }
    }
}

/// What to do about a run that the server would not have.
fn advice(error: &anyhow::Error, record: &Record, folder: &Path) -> String {
    let again = match record.refused.as_ref().and_then(|no| no.goes_on) {
        Some(into) => {
            format!("To tell it there: wardroom run {} --deliver", into.get())
        }
        _ => "See to that, and deliver it again: wardroom run --deliver".to_owned(),
    };
    format!("{error}\n{again}. Of no use any more? rm -r {}", folder.display())
}

/// What an incident would not have that goes on as `into` is for that one, if whoever asks says so. What the server knew of
/// before went along already, and is told there unasked.
fn redirect(pending: &mut Pending, into: Option<Number>) {
    let record = &mut pending.record;
    let goes_on = record.refused.as_ref().and_then(|no| no.goes_on);
    if let Some(into) = into.filter(|into| goes_on == Some(*into) && record.told.change.is_none()) {
        record.number = into;
        record.refused = None;
    }
}

/// `wardroom run --deliver`: everything that is for this server, told by whoever asks, and then what is left.
///
/// # Errors
/// When the server cannot be reached, or nothing can be read or written here. What a server says no to is left, and told.
pub fn deliver(client: &Client, remote: &Remote, into: Option<Number>) -> anyhow::Result<ExitCode> {
    let token = remote.token.token().map_err(Failure::misused)?;
    let store = Store::find().ok_or_else(nowhere)?;
    let waiting = store.waiting()?;
    let (mut came, mut lost) = (Came::default(), None);
    let _lock = match waiting.as_slice() {
        [] => None,
        _ => Some(store.delivering()?.ok_or_else(|| {
            Failure::unreachable("Another delivery is under way on this machine. Try again in a moment.")
        })?),
    };
    for folder in waiting {
        match open(&folder) {
            Found::Nothing => {}
            Found::Running => came.left(&folder, None, "it runs still"),
            Found::Broken(why) => {
                came.left(&folder, None, &format!("{why}. Look at it; of no use? rm -r {}", folder.display()));
                came.to_see_to = true;
            }
            Found::Waiting(pending) if pending.record.url != remote.url.as_str() => {
                let why = format!("it is for {url}: wardroom run --deliver --url {url}", url = pending.record.url);
                came.left(&folder, Some(&pending.record), &why);
            }
            Found::Waiting(pending) if lost.is_some() => came.left(&folder, Some(&pending.record), "it waits"),
            Found::Waiting(pending) => lost = one(client, token, *pending, into, &mut came).err(),
        }
    }
    // With an error, the answer for a script is the error.
    if lost.is_none() || !remote.json {
        came.say(remote);
    }
    if let Some(error) = lost {
        return Err(error);
    }
    Ok(if came.to_see_to { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Whether it is this run alone that could not be told: the server says no to it, or something of it cannot be read here.
fn is_its_own(error: &anyhow::Error) -> bool {
    no(error).is_some() || no_room(error).is_some() || error.is::<std::io::Error>()
}

fn one(
    client: &Client,
    token: &str,
    mut pending: Pending,
    into: Option<Number>,
    came: &mut Came,
) -> anyhow::Result<()> {
    redirect(&mut pending, into);
    let token = if pending.record.asker == asker(pending.id, token) { Token::Same } else { Token::Another };
    let id = pending.id;
    match deliver_one(client, &mut pending, token) {
        Ok(told) => {
            pending.forget()?;
            let value = json!({ "id": id, "incident": told.number, "change": told.change, "evidence": told.evidence });
            came.delivered.push((told.sentence, value));
            Ok(())
        }
        Err(error) if is_its_own(&error) => {
            came.left(&pending.folder, Some(&pending.record), &advice(&error, &pending.record, &pending.folder));
            came.to_see_to = true;
            Ok(())
        }
        Err(error) => {
            came.left(&pending.folder, Some(&pending.record), "it waits");
            Err(error)
        }
    }
}

/// After another verb has reached the server and said what it had to say: a few of those that were run with this token,
/// and in one line each what came of it.
pub fn by_itself(client: &Client, remote: &Remote) {
    let told = some(client, remote).unwrap_or_else(|error| Some(format!("{error:#}")));
    if let Some(why) = told {
        say(&format!("what ran without the server is not recorded yet: {}", why.replace('\n', " ")));
    }
}

/// What keeps the rest from being recorded, if there is a rest.
fn some(client: &Client, remote: &Remote) -> anyhow::Result<Option<String>> {
    let token = remote.token.token().map_err(Failure::misused)?;
    let Some(store) = Store::find().filter(|_| !token.is_empty()) else { return Ok(None) };
    let waiting = store.waiting()?;
    if waiting.is_empty() {
        return Ok(None);
    }
    // Whoever delivers now says what comes of it.
    let Some(_lock) = store.delivering()? else { return Ok(None) };
    let (client, began) = (client.within(SHORT), Instant::now());
    let (mut tried, mut left, mut rest) = (0, 0, 0);
    for folder in waiting {
        let Found::Waiting(mut pending) = open(&folder) else { continue };
        let record = &pending.record;
        if record.url != remote.url.as_str() || record.asker != asker(pending.id, token) {
            continue;
        }
        if record.refused.is_some() {
            left += 1;
        } else if tried == BY_ITSELF || began.elapsed() > SHORT {
            rest += 1;
        } else {
            tried += 1;
            match deliver_one(&client, &mut pending, Token::Same) {
                Ok(told) => {
                    pending.forget()?;
                    say(&told.sentence);
                }
                Err(error) if is_its_own(&error) => left += 1,
                Err(error) => return Err(error),
            }
        }
    }
    Ok(match (left, rest) {
        (0, 0) => None,
        (0, rest) => Some(format!("{rest} more wait. wardroom run --deliver")),
        (left, _) => Some(format!("to be seen to, {left}: wardroom run --deliver")),
    })
}

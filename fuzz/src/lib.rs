//! What holds of every parser of outside bytes, whatever the bytes: one function for each fuzz target.
//!
//! `fuzz_targets/` runs them under libFuzzer. `crates/wardroom-server/tests/corpus.rs` reads this file as a
//! module and plays every file of `corpus/` through them, so that `make test` needs no fuzzer.

pub mod archive;
pub mod cluster;
pub mod document;
pub mod kept;
pub mod reached;
pub mod requests;
pub mod sheet;
pub mod terminal;
pub mod told;

use std::fmt::{Debug, Display};
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use wardroom_core::command::{Command, Opening};
use wardroom_core::directory::{DirectoryCommand, DirectoryEvent};
use wardroom_core::event::{Event, Unreadable, VERSION};
use wardroom_core::id::{Actor, Handle, ServiceName, TeamName, Who};
use wardroom_core::matching::{Label, PATTERN_MAX, Pattern};
use wardroom_core::person::Email;
use wardroom_core::role::RolePath;
use wardroom_core::roster::{BadRoster, ROSTER_BYTES_MAX, Roster};
use wardroom_core::seal::{Salt, Seal, SealedWords};
use wardroom_core::text::{LINE_MAX, Line, PROSE_MAX, Prose};
use wardroom_server::account::passkey::cbor;
use wardroom_server::account::passkey::ceremony::{self, Act};
use wardroom_server::account::passkey::key::Key;
use wardroom_server::watch;
use wardroom_server::web::parse::{self, Cursor};

/// A property of one parser: it returns when it holds for these bytes, and panics otherwise.
pub type Property = fn(&[u8]);

/// Every target, by the name of its file in `fuzz_targets/` and of its folder in `corpus/`.
pub const TARGETS: &[(&str, Property)] = &[
    ("command", command),
    ("opening", opening),
    ("directory_command", directory_command),
    ("cursor", cursor),
    ("passkey", passkey),
    ("roster_toml", roster_toml),
    ("roster_csv", roster_csv),
    ("names", names),
    ("stored_event", stored_event),
    ("stored_directory_event", stored_directory_event),
    ("seal", seal),
    ("headers", requests::headers),
    ("address", requests::address),
    ("evidence", requests::evidence),
    ("live_stream", terminal::live_stream),
    ("answer", terminal::answer),
    ("settings", kept::settings),
    ("state", kept::state),
    ("board_row", kept::board_row),
    ("remembered", kept::remembered),
    ("backup", kept::backup),
    ("archive", archive::archive),
    ("letter", reached::letter),
    ("document", document::document),
    ("endpoint", reached::endpoint),
    ("fetched", reached::fetched),
    ("browser", reached::browser),
    ("wait", reached::wait),
    ("sheet", sheet::sheet),
    ("cloudevent", told::cloudevent),
    ("webhook", told::webhook),
    ("review", cluster::review),
];

/// The longest sentence that says why something was not read, in characters.
const SENTENCE_MAX: usize = 2_000;
/// The longest text of a command about the directory, in characters: a mail address.
const DIRECTORY_TEXT_MAX: usize = 254;
/// The longest string of a sealed event, in bytes: a role's path.
const SEALED_STRING_MAX: usize = 200;
/// Stands for words, and for nothing that is not words.
const MARK: &str = "⟦words that must not be found in the chain⟧";

/// Whose passkeys are read: the host of the standard's test vectors.
const HOST: &str = "example.org";
const PAGE: &str = "https://example.org";

/// Which control characters a text may have.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Breaks {
    Allowed,
    Refused,
}

/// A command about an incident.
pub fn command(bytes: &[u8]) {
    order::<Command>(bytes, PROSE_MAX, Breaks::Allowed);
}

/// The command that opens an incident.
pub fn opening(bytes: &[u8]) {
    order::<Opening>(bytes, LINE_MAX, Breaks::Refused);
}

/// A command about the directory.
pub fn directory_command(bytes: &[u8]) {
    order::<DirectoryCommand>(bytes, DIRECTORY_TEXT_MAX, Breaks::Refused);
}

/// What is asked is bounded and the same when it is asked again; what is not understood is refused in a
/// sentence that can be shown.
fn order<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8], max: usize, breaks: Breaks) {
    match parse::asked::<T>(bytes) {
        Ok(asked) => {
            let mut tree = serde_json::to_value(&asked.order).expect("a command is plain data");
            every_string(&tree, &mut |text| bounded(text, max, breaks));
            tree["request_id"] = json!(asked.request_id);
            assert_eq!(parse::asked::<T>(tree.to_string().as_bytes()), Ok(asked));
        }
        Err(sentence) => can_be_shown(&sentence),
    }
}

/// A cursor reads back as itself, and leads nowhere in another history or ahead of the log.
pub fn cursor(bytes: &[u8]) {
    let Ok(given) = str::from_utf8(bytes) else { return };
    let Ok(cursor) = given.parse::<Cursor>() else { return };
    let Cursor { epoch, position } = cursor;
    assert_eq!(watch::cursor(epoch, position).parse(), Ok(cursor));
    assert!(parse::position(Some(given), epoch, u64::MAX).is_ok_and(|found| found == Some(position)));
    let other = uuid::Uuid::from_u128(!epoch.as_u128());
    assert!(parse::position(Some(given), other, u64::MAX).is_err());
    if let Some(head) = position.checked_sub(1) {
        assert!(parse::position(Some(given), epoch, head).is_err());
    }
}

/// What a browser and its authenticator say of a passkey. A passkey that was made has a key that can be read again and a
/// name within bounds; what they are cut off of is none; and nothing that is made up here is signed by anybody.
pub fn passkey(bytes: &[u8]) {
    for act in [Act::Create, Act::Get] {
        if let Ok(challenge) = ceremony::challenge(bytes, act, PAGE) {
            assert!(challenge.len() <= bytes.len());
            assert!(ceremony::challenge(bytes, act, "https://elsewhere.example").is_err());
        }
    }
    if let Some((item, rest)) = cbor::read(bytes) {
        let read = &bytes[..bytes.len() - rest.len()];
        assert_eq!(cbor::whole(read), Some(item));
        assert_eq!(cbor::whole(&read[..read.len() - 1]), None, "it is shorter than it is");
    }
    if let Ok((_, made)) = ceremony::made(bytes, HOST) {
        assert!((1..=ceremony::CREDENTIAL_MAX).contains(&made.credential.len()));
        assert!(Key::read(made.key).is_some_and(|key| !key.signed(b"", &[])));
        assert!(ceremony::made(bytes, "elsewhere.example").is_err());
    }
    // The same bytes as an authenticator's data under a signature.
    assert!(ceremony::signed(bytes, bytes, bytes, bytes, HOST).is_err());
}

/// A roster in TOML.
pub fn roster_toml(bytes: &[u8]) {
    let Ok(file) = str::from_utf8(bytes) else { return };
    roster(Roster::from_toml(file));
}

/// A roster in CSV, which names nobody in a team who is not among its people.
pub fn roster_csv(bytes: &[u8]) {
    let Ok(file) = str::from_utf8(bytes) else { return };
    let read = Roster::from_csv(file);
    if let Ok(Roster { people, teams, .. }) = &read {
        let mut members = teams.iter().flat_map(|team| &team.members);
        assert!(members.all(|member| people.iter().any(|person| person.handle == *member)));
    }
    roster(read);
}

/// A roster is bounded, and the same when it is written down as TOML or sent as a command.
fn roster(read: Result<Roster, BadRoster>) {
    let roster = match read {
        Ok(roster) => roster,
        Err(bad) => return can_be_shown(&bad.to_string()),
    };
    let tree = serde_json::to_value(&roster).expect("a roster is plain data");
    every_string(&tree, &mut |text| bounded(text, DIRECTORY_TEXT_MAX, Breaks::Refused));
    let written = toml::to_string(&roster).expect("a roster is plain data");
    if written.len() <= ROSTER_BYTES_MAX {
        assert_eq!(Roster::from_toml(&written), Ok(roster.clone()));
    }
    let sent = json!({"request_id": uuid::Uuid::nil(), "command": "import", "roster": tree});
    let asked = parse::asked::<DirectoryCommand>(sent.to_string().as_bytes()).expect("a roster can be sent");
    assert_eq!(asked.order, DirectoryCommand::Import { roster });
}

/// Everything that is read from one piece of text.
pub fn names(bytes: &[u8]) {
    let Ok(given) = str::from_utf8(bytes) else { return };
    name::<Line>(given, LINE_MAX, Breaks::Refused);
    name::<Prose>(given, PROSE_MAX, Breaks::Allowed);
    name::<Handle>(given, 32, Breaks::Refused);
    name::<TeamName>(given, 64, Breaks::Refused);
    name::<ServiceName>(given, 100, Breaks::Refused);
    name::<Who>(given, 36, Breaks::Refused);
    name::<Email>(given, DIRECTORY_TEXT_MAX, Breaks::Refused);
    name::<Actor>(given, 36, Breaks::Refused);
    name::<Seal>(given, 64, Breaks::Refused);
    name::<RolePath>(given, 200, Breaks::Refused);
    name::<Pattern>(given, PATTERN_MAX, Breaks::Refused);
    name::<Label>(given, PATTERN_MAX, Breaks::Refused);
    if let Ok(role) = given.parse::<RolePath>() {
        let upward: Vec<RolePath> = role.upward().collect();
        assert_eq!(upward.last(), Some(&RolePath::command()), "{role} does not fall to command");
        assert!(upward.iter().all(|above| above.as_str().parse().as_ref() == Ok(above)));
    }
}

/// A name is bounded, reads back as itself, and is read from JSON as it is from plain text.
fn name<T>(given: &str, max: usize, breaks: Breaks)
where
    T: FromStr<Err: Display> + Into<String> + Clone + DeserializeOwned + PartialEq + Debug,
{
    let from_json = serde_json::from_value::<T>(json!(given)).ok();
    let read = match given.parse::<T>() {
        Ok(read) => read,
        Err(why) => {
            can_be_shown(&why.to_string());
            return assert_eq!(from_json, None);
        }
    };
    let written: String = read.clone().into();
    assert!(!written.trim().is_empty());
    bounded(&written, max, breaks);
    assert_eq!(written.parse().ok().as_ref(), Some(&read));
    assert_eq!(from_json, Some(read));
}

/// An incident's event: `KIND VERSION BODY`.
pub fn stored_event(bytes: &[u8]) {
    stored(bytes, Event::from_stored, Event::to_stored);
}

/// A directory's event: `KIND VERSION BODY`.
pub fn stored_directory_event(bytes: &[u8]) {
    stored(bytes, DirectoryEvent::from_stored, DirectoryEvent::to_stored);
}

/// A stored event reads back as itself, and none of its words enters the chain.
fn stored<E: PartialEq + Debug>(
    bytes: &[u8],
    read: fn(&str, u16, Value) -> Result<E, Unreadable>,
    write: fn(&E) -> (String, Value),
) {
    let Some((kind, version, body)) = row(bytes) else { return };
    let Ok(event) = read(kind, version, body) else { return };
    let (kind, mut body) = write(&event);
    assert_eq!(read(&kind, VERSION, body.clone()), Ok(event));

    let said = mark(&mut body);
    let taken = wardroom_core::seal::seal(&mut body, &mut salts());
    assert_eq!(taken.len(), said, "every text that was just said is sealed");
    assert!(taken.iter().all(|words| words.words == MARK));
    let sealed = body.to_string();
    assert!(!sealed.contains(MARK) && !wardroom_core::seal::holds_words(&body), "{sealed}");
    every_string(&body, &mut |text| {
        let plain = text.len() <= SEALED_STRING_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
        assert!(plain, "{text:?} stands in the chain, and is no name, id, time or seal");
    });
    let in_the_log = read(&kind, VERSION, body.clone()).expect("what was sealed can be read");
    assert_eq!(write(&in_the_log).1.to_string(), sealed);

    wardroom_core::seal::open(&mut body, &known(&taken));
    wardroom_core::seal::reveal(&mut body);
    assert_eq!(body.to_string().matches(MARK).count(), said, "every word comes back to a reader");
    let revealed = body.clone();
    wardroom_core::seal::reveal(&mut body);
    assert_eq!(body, revealed);
}

fn row(bytes: &[u8]) -> Option<(&str, u16, Value)> {
    let mut parts = str::from_utf8(bytes).ok()?.splitn(3, ' ');
    let (kind, version, body) = (parts.next()?, parts.next()?, parts.next()?);
    Some((kind, version.parse().ok()?, serde_json::from_str(body).ok()?))
}

/// Puts [`MARK`] in the place of all words, and counts the texts that were just said.
fn mark(tree: &mut Value) -> usize {
    match tree {
        Value::Object(object) if is_said(object) => {
            object.insert("said".to_owned(), json!(MARK));
            1
        }
        Value::Object(object) if is_kept(object) => {
            object.insert("words".to_owned(), json!(MARK));
            0
        }
        Value::Object(object) => object.values_mut().map(mark).sum(),
        Value::Array(items) => items.iter_mut().map(mark).sum(),
        _ => 0,
    }
}

fn is_said(object: &Map<String, Value>) -> bool {
    object.len() == 1 && object.get("said").is_some_and(Value::is_string)
}

fn is_kept(object: &Map<String, Value>) -> bool {
    object.len() == 2 && ["seal", "words"].iter().all(|part| object.get(*part).is_some_and(Value::is_string))
}

/// Sealing, opening, forgetting and revealing, on any tree.
pub fn seal(bytes: &[u8]) {
    use wardroom_core::seal::{forget, open, reveal, seal, seals};

    let Ok(given) = serde_json::from_slice::<Value>(bytes) else { return };
    let mut tree = given.clone();
    let taken = seal(&mut tree, &mut salts());
    let sealed = tree.clone();
    every_object(&sealed, &mut |object| assert!(!is_said(object) && !is_kept(object), "words stand in {object:?}"));
    assert!(seal(&mut tree, &mut salts()).is_empty(), "nothing is sealed twice");
    assert_eq!(tree, sealed);
    let found = seals(&mut tree);
    assert!(taken.iter().all(|words| found.contains(&words.seal)));

    open(&mut tree, &known(&taken));
    let opened = tree.clone();
    open(&mut tree, &known(&taken));
    assert_eq!(tree, opened, "opening twice is opening once");
    assert!(seal(&mut tree, &mut salts()).is_empty(), "kept words are not sealed again");
    assert_eq!(tree, sealed);

    let mut forgotten = opened.clone();
    forget(&mut forgotten, &found);
    every_object(&forgotten, &mut |object| {
        let seal = object.get("seal").and_then(Value::as_str).and_then(|seal| seal.parse::<Seal>().ok());
        assert!(seal.is_none() || !object.contains_key("words"), "words stand in {object:?}");
    });

    let mut shown = opened;
    reveal(&mut shown);
    if only_texts_are_called_so(&given) {
        let mut again = shown.clone();
        let taken = seal(&mut again, &mut salts());
        open(&mut again, &known(&taken));
        reveal(&mut again);
        assert_eq!(again, shown, "what a reader sees holds no texts any more");
    }
    let mut names = given;
    if name_things(&mut names) {
        let before = names.clone();
        seal(&mut names, &mut salts());
        reveal(&mut names);
        assert_eq!(names, before, "things that are called like the parts of a text are no texts");
    }
}

/// Whether the parts of a text (`said`, `seal`, `words`) hold nothing but strings here.
fn only_texts_are_called_so(tree: &Value) -> bool {
    let mut so = true;
    every_object(tree, &mut |object| {
        so &= ["said", "seal", "words"].iter().all(|part| object.get(*part).is_none_or(Value::is_string));
    });
    so
}

/// Makes of everything that is called like a part of a text a thing of that name, as a team or a service may be.
/// Says whether there was any.
fn name_things(tree: &mut Value) -> bool {
    let mut any = false;
    match tree {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                if ["said", "seal", "words"].contains(&key.as_str()) {
                    *value = json!({"members": []});
                    any = true;
                } else {
                    any |= name_things(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| any |= name_things(item)),
        _ => {}
    }
    any
}

/// Salts that differ from one another, and are the same in every run.
fn salts() -> impl FnMut() -> Salt {
    let mut drawn = 0_u128;
    move || {
        drawn += 1;
        drawn.to_be_bytes()
    }
}

fn known(taken: &[SealedWords]) -> impl Fn(Seal) -> Option<String> {
    move |seal| taken.iter().find(|words| words.seal == seal).map(|words| words.words.clone())
}

/// A sentence for a person, who may have to read it in a terminal.
fn can_be_shown(sentence: &str) {
    assert!(!sentence.trim().is_empty());
    bounded(sentence, SENTENCE_MAX, Breaks::Allowed);
}

/// Short enough, and without characters that cannot be shown or that disguise the others.
fn bounded(text: &str, max: usize, breaks: Breaks) {
    let len = text.chars().count();
    assert!(len <= max, "{len} characters, over {max}: {text:?}");
    let disguised = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let breaks_lines = |c: char| matches!(c, '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}');
    let control = |c: char| c.is_control() && !breaks_lines(c);
    assert!(!text.contains(|c| disguised(c) || control(c)), "{text:?} cannot be shown as it is");
    assert!(breaks == Breaks::Allowed || !text.contains(breaks_lines), "{text:?} is not one line");
}

/// Visits every string of a tree, keys included.
fn every_string(tree: &Value, visit: &mut impl FnMut(&str)) {
    match tree {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter().for_each(|item| every_string(item, visit)),
        Value::Object(object) => object.iter().for_each(|(key, value)| {
            visit(key);
            every_string(value, visit);
        }),
        _ => {}
    }
}

fn every_object(tree: &Value, visit: &mut impl FnMut(&Map<String, Value>)) {
    match tree {
        Value::Array(items) => items.iter().for_each(|item| every_object(item, visit)),
        Value::Object(object) => {
            visit(object);
            object.values().for_each(|value| every_object(value, visit));
        }
        _ => {}
    }
}

//! Events and requests to try the store with. What they say means nothing: the log knows bytes and numbers.

use uuid::Uuid;
use wardroom_core::id::Time;
use wardroom_core::seal::{Seal, commit};
use wardroom_server::log::{Append, Draft, Hash, Log, LogError, Request, Span, Stream, Tip, Words, Write, chain};

/// An event without words.
pub fn draft(body: &str) -> Draft {
    Draft {
        kind: "noted".into(),
        version: 1,
        at: Time::from_microsecond(1_763_900_000_000_001).unwrap(),
        actor: "somebody".to_owned(),
        body: body.to_owned(),
        texts: Vec::new(),
    }
}

/// An event that says something, and what stands for the words in the chain.
pub fn saying(words: &str) -> (Draft, Hash) {
    let salt = *Uuid::now_v7().as_bytes();
    let seal = commit(&salt, words);
    let text = Words { commitment: seal.0, salt, words: words.to_owned() };
    (Draft { texts: vec![text], ..draft(&format!(r#"{{"text":{{"seal":"{seal}"}}}}"#)) }, seal.0)
}

/// An event that says whose words are erased, and why.
pub fn redacting(commitment: Hash) -> Draft {
    let (saying, why) = saying("a password");
    let body = format!(r#"{{"seals":["{}"],"reason":{{"seal":"{}"}}}}"#, Seal(commitment), Seal(why));
    Draft { kind: "redacted".into(), body, ..saying }
}

/// Events for one stream, after a tip.
pub fn write(stream: u32, expected: Tip, drafts: Vec<Draft>) -> Write {
    Write { stream: Stream(stream), expected, drafts, erase: Vec::new() }
}

/// Where a stream ends after a write.
pub fn after(write: &Write) -> Tip {
    write.drafts.iter().fold(write.expected, |tip, draft| chain::after(&tip, write.stream, draft))
}

/// A command that nobody asked for before.
pub fn append(writes: Vec<Write>) -> Append {
    Append { request: request(), writes }
}

pub fn request() -> Request {
    Request { actor: "somebody".to_owned(), id: Uuid::now_v7(), digest: [7; 32] }
}

/// Appends events to the end of a stream, as one command.
pub async fn put(log: &Log, stream: u32, drafts: Vec<Draft>) -> Span {
    let expected = log.tip(Stream(stream)).await.unwrap();
    log.append(vec![append(vec![write(stream, expected, drafts)])]).await.unwrap()[0][0]
}

/// Says that a log is sound from end to end.
pub async fn assert_sound(log: &Log) {
    log.check_heads().await.unwrap();
    let report = log.verify(None, |_| {}).await.unwrap();
    assert_eq!(report.broken, [], "{}", report.broken.first().map(ToString::to_string).unwrap_or_default());
    assert_eq!(report.events, report.head.position);
}

/// Whether asking again may help: the store was busy or gone, and the tests made it so.
pub fn may_pass(error: &LogError) -> bool {
    !matches!(error, LogError::Damaged { .. })
}

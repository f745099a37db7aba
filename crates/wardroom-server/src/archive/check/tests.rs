//! Every byte of an archive is looked at, and what is wrong is named.

use uuid::Uuid;
use wardroom_core::id::Entry;

use super::*;
use crate::archive::{FORMAT, README, line, piece, sha256, tar};
use crate::log::proof::{Walked, WalkedText};
use crate::log::{Stream, Tip, chain};

const AT: i64 = 1_763_900_000;
const N: Number = Number::FIRST;

/// An archive as it is put together, before it is written.
#[derive(Clone)]
struct Draft {
    events: Vec<Walked>,
    files: Vec<(String, Vec<u8>)>,
}

fn event(tip: &mut Tip, kind: &str, body: &str, texts: Vec<WalkedText>) -> Walked {
    let stream = Stream(N.get());
    let at_us = AT * 1_000_000;
    let hash = chain::event_hash(tip, stream, at_us, kind, 1, "clock", body);
    *tip = Tip { seq: tip.seq + 1, hash };
    let (kind, actor, body) = (kind.to_owned(), "clock".to_owned(), body.to_owned());
    Walked {
        position: tip.seq * 2,
        stream,
        seq: tip.seq,
        kind,
        version: 1,
        at_us,
        actor,
        body,
        hash,
        link: None,
        texts,
    }
}

fn text(words: &str) -> (Seal, WalkedText) {
    let seal = wardroom_core::seal::commit(&[7; 16], words);
    (seal, WalkedText { commitment: seal.0, kept: Some(([7; 16], words.to_owned())), erased_by: None })
}

/// Four events: an opening, a note whose words were redacted, evidence, and that redaction.
fn draft() -> Draft {
    let mut tip = Tip::default();
    let (secret, mut gone) = text("hunter2");
    (gone.kept, gone.erased_by) = (None, Some(8));
    let (digest, name) = (sha256(b"NAME READY").to_string(), text("pods.txt"));
    let (sealed, digest_text) = text(&digest);
    let attached = format!(r#"{{"sha256":{{"seal":"{sealed}"}},"name":{{"seal":"{}"}}}}"#, name.0);
    let events = vec![
        event(&mut tip, "opened", "{}", vec![]),
        event(&mut tip, "noted", &format!(r#"{{"text":{{"seal":"{secret}"}}}}"#), vec![gone]),
        event(&mut tip, "evidence_attached", &attached, vec![digest_text, name.1]),
        event(&mut tip, "redacted", &format!(r#"{{"entry":2,"seals":["{secret}"],"reason":null}}"#), vec![]),
    ];
    let mut files: Vec<(String, Vec<u8>)> =
        FIXED.iter().map(|name| (member(N, name), format!("this is {name}").into_bytes())).collect();
    files.push((piece(N, &digest, "pods.txt"), b"NAME READY".to_vec()));
    Draft { events, files }
}

impl Draft {
    fn tip(&self) -> Tip {
        self.events.last().map_or(Tip::default(), |last| Tip { seq: last.seq, hash: last.hash })
    }

    /// All of it, with a manifest that fits.
    fn written(mut self) -> Vec<u8> {
        let lines: String = self.events.iter().map(|event| line::written(event).unwrap()).collect();
        for (name, bytes) in &mut self.files {
            if *name == member(N, EVENTS) {
                *bytes = lines.clone().into_bytes();
            }
        }
        let members = self.files.iter().map(|(name, bytes)| Member {
            name: name.clone(),
            size: bytes.len() as u64,
            sha256: sha256(bytes),
        });
        let manifest = Manifest {
            format: FORMAT,
            incident: N,
            made_at: Time::from_second(AT).unwrap(),
            made_by: PersonId(Uuid::nil()),
            tip: self.tip().into(),
            members: members.collect(),
        };
        self.files.push((member(N, MANIFEST), manifest.text().into_bytes()));
        packed(&self.files)
    }
}

fn packed(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut packed = Vec::new();
    for (name, bytes) in files {
        let head = Head { name: name.clone(), size: bytes.len() as u64, at: AT.unsigned_abs() };
        packed.extend(head.block().unwrap_or_else(|| panic!("{name}")));
        packed.extend(bytes);
        packed.resize(packed.len() + tar::padding(bytes.len() as u64), 0);
    }
    packed.extend(tar::END);
    packed
}

fn wrong(archive: &[u8]) -> Vec<String> {
    check(archive, None).unwrap().wrong
}

#[test]
fn a_good_archive_is_good_and_no_byte_of_it_is_free() {
    let whole = draft().written();
    let good = check(&*whole, Some(Seal(draft().tip().hash))).unwrap();
    let tip = End { entry: Entry(4), hash: Seal(draft().tip().hash) };
    let made = Some((Time::from_second(AT).unwrap(), PersonId(Uuid::nil())));
    let said = (good.incident, good.made, good.tip, good.events, good.pieces, good.whole, good.wrong, good.more);
    assert_eq!(said, (Some(N), made, tip, 4, 1, true, vec![], 0));
    for at in 0..whole.len() {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        assert_ne!(wrong(&altered), [""; 0], "byte {at}");
        let cut = check(&whole[..at], None).unwrap();
        assert!(!cut.whole && cut.wrong.iter().any(|wrong| wrong.contains("breaks off")), "{at}: {:?}", cut.wrong);
    }
}

/// Somebody alters it and makes a manifest that fits: the chain, the seals and the events tell.
#[test]
fn what_the_manifest_hides_the_record_tells() {
    let told = |alter: fn(&mut Draft), what: &[&str]| {
        let mut altered = draft();
        alter(&mut altered);
        let wrong = wrong(&altered.written());
        assert_eq!(wrong.len(), what.len(), "{wrong:#?}");
        for (wrong, what) in wrong.iter().zip(what) {
            assert!(wrong.contains(what), "“{what}” is not in {wrong}");
        }
    };
    told(|draft| draft.events[0].body = "{} ".to_owned(), &["incident 1, entry 1 (position 2), was altered"]);
    told(|draft| draft.events[2].at_us += 1, &["entry 3 (position 6), was altered"]);
    told(|draft| draft.events[2].position = 3, &["entry 3 (position 3), was reordered"]);
    told(|draft| drop(draft.events.remove(0)), &["entry 1 (position 1), was removed"]);
    told(|draft| draft.events.swap(0, 1), &["entry 1 (position 2), was reordered"]);
    told(|draft| draft.events.insert(1, draft.events[0].clone()), &["entry 1 (position 2), was reordered"]);
    told(
        |draft| draft.events[2].texts[0].kept = Some(([7; 16], "x".to_owned())),
        &["-pods.txt is evidence that no event names", "entry 3 (position 6), has words that were altered"],
    );
    told(
        |draft| draft.events[2].texts[1].kept = None,
        &[
            "-pods.txt is evidence that no event names",
            "entry 3 (position 6), has words that were removed",
            "-evidence is missing, which was attached with entry 3",
        ],
    );
    told(|draft| drop(draft.events.remove(3)), &["entry 2 (position 4), has words that were removed without"]);
    told(|draft| draft.events[0].texts.push(text("never said").1), &["entry 1 (position 2), has words that were alt"]);
    // A word that was redacted, put back: wrongly, and as it was.
    told(
        |draft| draft.events[1].texts[0].kept = Some(([7; 16], "hunter3".to_owned())),
        &[
            "entry 2 (position 4), has words that were altered",
            "entry 2 (position 4), has words that a redaction on record took out",
        ],
    );
    told(|draft| draft.events[1].texts[0] = text("hunter2").1, &["has words that a redaction on record took out"]);
    told(|draft| draft.files[5].1[0] ^= 1, &["-pods.txt was altered: it is not what was attached with entry 3"]);
    told(|draft| drop(draft.files.pop()), &["-pods.txt is missing, which was attached with entry 3"]);
    told(|draft| draft.events.clear(), &["the events, line 1: it is not there", "is evidence that no event names"]);
}

#[test]
fn members_are_those_that_belong_there_and_each_once() {
    let told = |alter: fn(&mut Draft), what: &str| {
        let mut altered = draft();
        alter(&mut altered);
        let wrong = wrong(&altered.written());
        assert!(wrong.iter().any(|wrong| wrong.contains(what)), "“{what}” is not in {wrong:#?}");
    };
    let named = |name: &str| (name.to_owned(), b"x".to_vec());
    for (name, what) in [
        ("incident-1/../../etc/passwd", "incident-1/../../etc/passwd leads out of the archive"),
        ("../x", "../x leads out of the archive"),
        ("/etc/passwd", "/etc/passwd leads out of the archive"),
        ("incident-1/x", "incident-1/x does not belong into this archive"),
        ("incident-2/README.txt", "incident-2/README.txt does not belong into this archive"),
        ("incident-1/evidence/x", "incident-1/evidence/x is evidence that no event names"),
        ("incident-1/README.txt", "incident-1/README.txt is there twice"),
        ("incident-1/events.jsonl", "incident-1/events.jsonl is there twice"),
    ] {
        let mut altered = draft();
        altered.files.push(named(name));
        let wrong = wrong(&altered.written());
        assert!(wrong.iter().any(|wrong| wrong == what), "“{what}” is not in {wrong:#?}");
    }
    told(|draft| drop(draft.files.remove(2)), "incident-1/document.md is missing");
    told(|draft| drop(draft.files.remove(1)), "incident-1/events.jsonl is missing");
    told(|draft| draft.files.swap(2, 3), "incident-1/document.md is not in its place");
    told(|draft| draft.files[0].0 = "README.txt".to_owned(), "is no export of an incident: it begins with README.txt");
    told(|draft| draft.files[0].0 = "incident-01/README.txt".to_owned(), "is no export of an incident");
    let bare = |files: &[(String, Vec<u8>)], what: &str| {
        let wrong = wrong(&packed(files));
        assert!(wrong.iter().any(|wrong| wrong.contains(what)), "“{what}” is not in {wrong:#?}");
    };
    bare(&[], "has nothing in it");
    bare(&draft().files, "incident-1/manifest.json is missing");
    let manifest = (member(N, MANIFEST), b"{}".to_vec());
    bare(&[&draft().files[..], &[manifest.clone(), manifest]].concat(), "incident-1/manifest.json is there twice");
    bare(&vec![(member(N, README), vec![]); MEMBERS_MAX + 1], "has more than");
}

#[test]
fn a_head_that_somebody_wrote_down_is_held_against_the_end() {
    let whole = draft().written();
    let (other, earlier) = (Seal([5; 32]), Seal(draft().events[1].hash));
    let said = |known| check(&*whole, Some(known)).unwrap().wrong;
    assert!(said(other)[0].contains("end with entry 4, and not with the head 0505"), "{:?}", said(other));
    assert!(said(earlier)[0].ends_with("that is the hash of entry 2"), "{:?}", said(earlier));
}

//! What is kept is read back as it was, and what is broken is said to be.

#![allow(clippy::unwrap_used)] // A test that cannot go on says where.

use super::*;

fn record() -> Record {
    let uuid = Uuid::from_u128;
    Record {
        form: FORM,
        url: "https://wardroom.example.org".to_owned(),
        asker: asker(uuid(7), "wr_0"),
        number: Number::FIRST,
        left: None,
        with_server: false,
        change: Some(Made {
            service: Some("search".parse().unwrap()),
            what: "rolled back".parse().unwrap(),
            why: None,
            how: Some("./rollback search".parse().unwrap()),
            back: Some("deploy v12".parse().unwrap()),
        }),
        glass: None,
        typed: "./rollback search".to_owned(),
        began: Time::UNIX_EPOCH,
        ended: None,
        requests: Requests { change: uuid(1), evidence: uuid(2), outcome: uuid(3) },
        told: Told::default(),
        refused: None,
    }
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("some").join("state");
    (folder, Store { state })
}

fn waiting(found: Found) -> Pending {
    match found {
        Found::Waiting(pending) => *pending,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_run_is_kept_for_its_owner_alone_and_read_back() {
    let (_folder, store) = store();
    assert_eq!(store.waiting().unwrap(), Vec::<PathBuf>::new());
    let mut pending = store.begin(Uuid::now_v7(), record()).unwrap();
    let folder = pending.folder.clone();
    assert_eq!(store.waiting().unwrap(), std::slice::from_ref(&folder));
    // Whoever runs it holds it.
    assert!(matches!(open(&folder), Found::Running));
    let end = End { at: Time::UNIX_EPOCH, code: 7, how: "exit code 7".to_owned() };
    pending.ended(end.clone(), b"\xFFsaid").unwrap();
    for (path, mode) in [(&store.state, 0o700), (&store.runs(), 0o700), (&folder, 0o700)] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
    for name in [RECORD, OUTPUT, LOCK] {
        assert_eq!(fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    drop(pending);
    let read = waiting(open(&folder));
    assert_eq!(read.record, Record { ended: Some(end), ..record() });
    assert_eq!(read.output().unwrap().unwrap(), b"\xFFsaid");
    read.forget().unwrap();
    assert_eq!(store.waiting().unwrap(), Vec::<PathBuf>::new());
}

/// The longest of everything that can be said is still read back.
#[test]
fn whatever_is_written_is_within_the_bound() {
    let (_folder, store) = store();
    let longest = "\u{1F525}".repeat(20_000);
    let mut long = record();
    let made = long.change.as_mut().unwrap();
    (made.why, made.back) = (longest.parse().ok(), longest.parse().ok());
    // The parser of the file writes such a character as six.
    long.typed = "\u{1}".repeat(16_000);
    long.refused = Some(No { said: "\u{1}".repeat(1_000), goes_on: None });
    assert!(made.why.is_some() && made.back.is_some());
    long.glass = made.why.clone();
    let folder = store.begin(Uuid::now_v7(), long.clone()).unwrap().folder;
    assert!(fs::metadata(folder.join(RECORD)).unwrap().len() < RECORD_MAX / 2);
    assert_eq!(waiting(open(&folder)).record, long);
}

#[test]
fn what_is_broken_is_said_to_be_and_harms_nothing() {
    let (_folder, store) = store();
    let folder = store.begin(Uuid::now_v7(), record()).unwrap().folder;
    let path = folder.join(RECORD);
    let whole = fs::read(&path).unwrap();
    let broken = |bytes: &[u8], why: &str| {
        fs::write(&path, bytes).unwrap();
        match open(&folder) {
            Found::Broken(said) => assert!(said.contains(why), "{said}"),
            other => panic!("{other:?}"),
        }
    };
    for end in 0..whole.len() {
        broken(&whole[..end], "cannot be read");
    }
    broken(&vec![b' '; usize::try_from(RECORD_MAX).unwrap() + 1], "is larger than 1024 KiB");
    broken(b"\xFF", "UTF-8");
    let text = String::from_utf8(whole.clone()).unwrap();
    broken(text.replace("\"form\": 1", "\"form\": 2").as_bytes(), "another version");
    broken(text.replace("\"form\"", "\"from\"").as_bytes(), "unknown field `from`");
    broken(text.replace("./rollback search\"", "./rollback \\u0007 search\"").as_bytes(), "control character");
    // Whatever else becomes of it by chance.
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut odd = whole.clone();
            odd[at] ^= 1 << bit;
            fs::write(&path, odd).unwrap();
            drop(open(&folder));
        }
    }
    fs::write(&path, &whole).unwrap();
    let output = File::create(folder.join(OUTPUT)).unwrap();
    output.set_len(WHOLE_MAX + 1).unwrap();
    assert_eq!(waiting(open(&folder)).output().unwrap_err().kind(), ErrorKind::FileTooLarge);
    fs::remove_file(&path).unwrap();
    assert!(matches!(open(&folder), Found::Nothing), "nothing was run");
    fs::create_dir(&path).unwrap();
    assert!(matches!(open(&folder), Found::Broken(why) if why.contains("is no file")));
    for odd in ["notes.txt", "0", "018f0000-0000-7000-8000-000000000000"] {
        let path = store.runs().join(odd);
        fs::write(&path, "").unwrap();
        assert!(matches!(open(&path), Found::Broken(_)), "{odd}");
    }
    assert_eq!(store.waiting().unwrap().len(), 4);
}

#[test]
fn one_alone_delivers() {
    let (_folder, store) = store();
    drop(store.begin(Uuid::now_v7(), record()).unwrap());
    let first = store.delivering().unwrap();
    assert!(first.is_some() && store.delivering().unwrap().is_none());
    drop(first);
    assert!(store.delivering().unwrap().is_some());
}

#[test]
fn a_token_is_known_again_and_stands_nowhere() {
    let [one, other] = [1, 2].map(Uuid::from_u128);
    assert_eq!(asker(one, "wr_0"), asker(one, "wr_0"));
    assert_ne!(asker(one, "wr_0"), asker(one, "wr_1"));
    assert_ne!(asker(one, "wr_0"), asker(other, "wr_0"), "nobody sees that two were run by one");
    assert!(!serde_json::to_string(&record()).unwrap().contains("wr_0"));
}

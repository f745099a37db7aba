//! What settings come to, from flags, variables and the file.

use super::*;

fn file(text: &str) -> (tempfile::TempDir, ServeArgs) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wardroom.toml");
    std::fs::write(&path, text).unwrap();
    (folder, ServeArgs { given: Given { config: Some(path), ..Given::default() }, typed: BTreeSet::new() })
}

#[test]
fn a_flag_goes_before_the_file_and_the_file_before_what_is_usual() {
    let (_folder, mut arguments) =
        file("data = \"/srv/wardroom\"\nlisten = \"127.0.0.1:9000\"\nlog_format = \"json\"\n");
    arguments.given.listen = Some(SocketAddr::from(([127, 0, 0, 1], 9001)));
    let config = arguments.settle().unwrap();
    assert_eq!(config.place, Place::Folder(PathBuf::from("/srv/wardroom")));
    assert_eq!(config.listen.port(), 9001);
    assert_eq!(config.log_format, LogFormat::Json);
    assert_eq!(config.limits, Limits::default());
}

#[test]
fn a_file_with_an_unknown_key_or_two_stores_is_refused() {
    for text in [
        "colour = \"blue\"",
        "data = \"a\"\ndatabase = \"postgres://b\"",
        "listen = 7",
        "max_connections = 0",
        "max_connections = -1",
        "max_connections = 1000001",
        "max_streams_per_person = 99999999999999999999",
    ] {
        assert!(file(text).1.settle().is_err(), "{text}");
    }
}

/// The parser's own message shows the whole line.
#[test]
fn a_file_that_does_not_fit_names_the_line_and_repeats_no_password() {
    for text in [
        "listen = \"127.0.0.1:9000\"\ndatabase = \"postgres://ada:hunter2@host/wardroom\n",
        "listen = \"127.0.0.1:9000\"\ndatabase = \"postgres://ada:hunter2@host/wardroom\" data = \"\"",
        "database = \"x\"\ndatabase = \"postgres://ada:hunter2@host/wardroom\"",
        "\nmax_connections = \"hunter2, expected \"",
        "\nlog_format = \"hunter2\"",
    ] {
        let why = Settings::from_toml(text).unwrap_err();
        assert!(why.starts_with("line 2: ") && !why.contains("hunter2"), "{why}");
    }
    let read = Settings::from_toml("database = \"postgres://ada:hunter2@host/wardroom\"").unwrap();
    assert!(!format!("{read:?}").contains("hunter2"));
}

#[test]
fn a_settings_file_is_bounded() {
    let comment = "#".repeat(SETTINGS_BYTES_MAX);
    assert!(file(&comment).1.settle().is_ok());
    let why = file(&format!("{comment}#")).1.settle().unwrap_err().to_string();
    assert!(why.contains("larger than 64 KiB"), "{why}");
}

#[test]
fn a_database_url_is_never_printed() {
    let place = Place::Postgres("postgres://ada:hunter2@host/wardroom".to_owned());
    assert!(!format!("{place:?}").contains("hunter2"));
}

#[test]
fn captures_are_named_in_the_file_and_shown_by_their_names() {
    let (_folder, arguments) = file("capture = ['pods=/usr/bin/pods --token hunter2', 'logs=/usr/bin/logs']");
    let config = arguments.settle().unwrap();
    assert_eq!(config.captures.all().len(), 2);
    let shown = config.shown.iter().find(|setting| setting.name == "capture").unwrap();
    assert_eq!(shown.value.as_deref(), Some("logs, pods"), "its arguments may hold anything");
    for wrong in ["['pods=pods']", "['pods=/x', 'pods=/y']", "'pods=/x'"] {
        assert!(file(&format!("capture = {wrong}")).1.settle().is_err(), "{wrong}");
    }
}

#[test]
fn an_empty_list_is_not_set_in_a_variable_and_means_nothing_where_it_is_typed() {
    let lists = ["gate_exempt", "github_secret", "fetch_from", "capture"];
    let from = |typed: &[&str]| {
        let (_folder, mut arguments) = file(
            "gate_exempt = 'group:robots'\ngithub_secret = 'sixteen-characters'\nfetch_from = 'graphs.example.org'\n\
             capture = ['pods=/x']",
        );
        arguments.given.gate_exempt = Some(" ".to_owned());
        arguments.given.github_secret = Some(String::new());
        arguments.given.fetch_from = Some("".parse().unwrap());
        arguments.given.capture = Some(vec!["".parse().unwrap()]);
        arguments.typed = typed.iter().map(|name| (*name).to_owned()).collect();
        let config = arguments.settle().unwrap();
        let kept = [
            config.exempt != Exempt::default(),
            !config.github_secrets.is_empty(),
            !config.fetch_from.is_empty(),
            !config.captures.all().is_empty(),
        ];
        let from = lists.map(|name| config.shown.iter().find(|setting| setting.name == name).unwrap().from);
        (kept, from)
    };
    assert_eq!(from(&[]), ([true; 4], [Source::File; 4]));
    assert_eq!(from(&lists).0, [false; 4]);
}

//! What is fetched, from servers of the test's own on this machine.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Answers every question by what this says to its path, and counts them. Nothing said leaves the asker waiting.
struct Ground {
    port: u16,
    asked: Arc<AtomicUsize>,
}

impl Ground {
    fn new(answer: impl Fn(&str, u16) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = [0; 4_096];
                let read = stream.read(&mut head).unwrap_or_default();
                count.fetch_add(1, Ordering::SeqCst);
                let head = String::from_utf8_lossy(&head[..read]).into_owned();
                let lower = head.to_ascii_lowercase();
                assert!(!lower.contains("cookie:") && !lower.contains("authorization:"), "{head}");
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                match answer(&path, port) {
                    // Whoever asked may have enough before the end.
                    Some(answer) => drop(stream.write_all(&answer)),
                    None => open.push(stream),
                }
            }
        });
        Self { port, asked }
    }

    fn listed(&self) -> Fetcher {
        fetcher(&format!("localhost:{0},127.0.0.1:{0},::1", self.port))
    }

    async fn fetch(&self, path: &str) -> Result<Vec<u8>, NotFetched> {
        self.listed().fetch(&self.at("localhost", path)).await
    }

    fn at(&self, host: &str, path: &str) -> Target {
        format!("http://{host}:{}{path}", self.port).parse().unwrap()
    }
}

fn fetcher(listed: &str) -> Fetcher {
    Fetcher::new(listed.parse().unwrap())
}

fn said(head: &str, body: &[u8]) -> Option<Vec<u8>> {
    Some([format!("HTTP/1.1 {head}\r\n\r\n").as_bytes(), body].concat())
}

fn leads(to: &str) -> Option<Vec<u8>> {
    said(&format!("302 Found\r\nlocation: {to}\r\nset-cookie: a=b\r\ncontent-length: 0"), b"")
}

#[tokio::test]
async fn what_a_listed_host_shows_is_fetched_as_it_is() {
    let ground = Ground::new(|path, _| {
        assert_eq!(path, "/render?token=x");
        said("200 OK\r\ncontent-type: text/html\r\ncontent-length: 4", b"\x89PNG")
    });
    assert_eq!(ground.fetch("/render?token=x").await.as_deref(), Ok(&b"\x89PNG"[..]));
}

#[tokio::test]
async fn what_is_not_listed_or_inside_is_not_even_asked() {
    let ground = Ground::new(|_, _| said("200 OK\r\ncontent-length: 1", b"x"));
    let (port, localhost) = (ground.port, ground.at("localhost", "/"));
    let not_listed = Err(NotFetched::NotListed(format!("localhost:{port}")));
    assert_eq!(fetcher("").fetch(&localhost).await, not_listed);
    assert_eq!(fetcher("localhost,127.0.0.0/8").fetch(&localhost).await, not_listed);
    let inside = Err(NotFetched::Inside(format!("localhost:{port}")));
    assert_eq!(fetcher(&format!("localhost:{port}")).fetch(&localhost).await, inside);
    assert_eq!(fetcher(&format!("localhost:{port},10.0.0.0/8")).fetch(&localhost).await, inside);
    for spelt in ["127.1", "0x7f.0.0.1", "2130706433", "[::ffff:127.0.0.1]"] {
        let not = fetcher(&format!("localhost:{port},127.0.0.0/8")).fetch(&ground.at(spelt, "/")).await;
        assert!(matches!(not, Err(NotFetched::NotListed(_))), "{spelt}: {not:?}");
    }
    assert_eq!(ground.asked.load(Ordering::SeqCst), 0, "nobody came");
    let network = fetcher(&format!("localhost:{port},127.0.0.0/8,::1"));
    assert_eq!(network.fetch(&localhost).await.as_deref(), Ok(&b"x"[..]));
}

#[tokio::test]
async fn a_redirect_is_followed_on_the_list_and_not_off_it() {
    let elsewhere = Ground::new(|_, _| said("200 OK\r\ncontent-length: 6", b"secret"));
    let other = elsewhere.port;
    let ground = Ground::new(move |path, port| match path {
        "/here" => leads("/there"),
        "/there" => leads(&format!("http://127.0.0.1:{port}/end")),
        "/end" => said("200 OK\r\ncontent-length: 3", b"end"),
        "/off" => leads(&format!("http://localhost:{other}/")),
        "/metadata" => leads("http://169.254.169.254/latest/meta-data/"),
        "/file" => leads("file:///etc/passwd"),
        "/known" => leads(&format!("http://ada:pw@localhost:{port}/end")),
        "/nowhere" => said("302 Found\r\ncontent-length: 0", b""),
        _ => leads("/on"),
    });
    assert_eq!(ground.fetch("/here").await.as_deref(), Ok(&b"end"[..]));
    for path in ["/off", "/metadata"] {
        let not = ground.fetch(path).await.unwrap_err();
        assert!(matches!(not, NotFetched::LeadsAstray(..)) && not.is_forbidden(), "{path}: {not:?}");
    }
    for path in ["/file", "/known"] {
        let not = ground.fetch(path).await.unwrap_err();
        assert!(matches!(not, NotFetched::LeadsAstray(..)) && !not.is_forbidden(), "{path}: {not:?}");
    }
    assert_eq!(elsewhere.asked.load(Ordering::SeqCst), 0, "nobody went there");
    assert!(matches!(ground.fetch("/on").await, Err(NotFetched::OnAndOn(_))));
    assert!(matches!(ground.fetch("/nowhere").await, Err(NotFetched::Answered(_, 302))));
}

#[tokio::test]
async fn what_has_no_end_is_cut_off_and_what_does_not_come_is_not_waited_for() {
    let endless = vec![b'x'; usize::try_from(WHOLE_MAX).unwrap() + 100];
    let ground = Ground::new(move |path, _| match path {
        "/endless" => said("200 OK", &endless),
        "/large" => said("200 OK\r\ncontent-length: 99999999999", &endless),
        "/half" => said("200 OK\r\ncontent-length: 10", b"half"),
        "/none" => said("404 Not Found\r\ncontent-length: 0", b""),
        _ => None,
    });
    let place = format!("localhost:{}", ground.port);
    for path in ["/endless", "/large"] {
        assert_eq!(ground.fetch(path).await, Err(NotFetched::TooLarge(place.clone())), "{path}");
    }
    assert_eq!(ground.fetch("/half").await, Err(NotFetched::Unreachable(place.clone())));
    assert_eq!(ground.fetch("/none").await, Err(NotFetched::Answered(place.clone(), 404)));
    let soon = Duration::from_millis(200);
    let silent = ground.listed().within(soon, &ground.at("localhost", "/silent")).await;
    assert_eq!(silent, Err(NotFetched::TooSlow(place)));
    let nobody: Target = "http://nobody.invalid/".parse().unwrap();
    assert!(matches!(fetcher("nobody.invalid").fetch(&nobody).await, Err(NotFetched::NoSuchHost(_))));
}

#[tokio::test]
async fn few_are_under_way_at_once() {
    let ground = Ground::new(|_, _| None);
    let fetcher = ground.listed();
    // An address is not looked up, so turns are taken in order; those who wait give up before the others do.
    let silent = ground.at("127.0.0.1", "/");
    let patience = |n| Duration::from_millis(if n < AT_ONCE { 1_000 } else { 300 });
    let all = (0..AT_ONCE * 2).map(|n| fetcher.within(patience(n), &silent));
    let all = futures_util::future::join_all(all).await;
    assert!(all.iter().all(|not| matches!(not, Err(NotFetched::TooSlow(_)))), "{all:?}");
    assert!((1..=AT_ONCE).contains(&ground.asked.load(Ordering::SeqCst)));
}

#[test]
fn refusals_are_short() {
    let far = "a".repeat(60);
    for not in [NotFetched::NotListed(far.clone()), NotFetched::Inside(far.clone()), NotFetched::TooLarge(far)] {
        assert!(not.to_string().chars().count() < 240, "{not}");
    }
}

//! TLS: the same table over HTTP/2 and HTTP/1.1, spoken to by curl; certificates that change while people work.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::{Value, json};

use crate::house::{House, WARDROOM};
use crate::{on_both, wait};

on_both!(
    the_same_is_answered_over_http2_and_http1,
    a_live_stream_goes_on_while_the_certificate_is_renewed,
    a_server_that_is_stopped_ends_its_streams_over_http2_too,
);

const NAME: &str = "wardroom.example.net";

/// An authority that nobody else trusts.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "The house's own authority");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its own certificate, in a file.
    pub fn file(&self, path: PathBuf) -> PathBuf {
        std::fs::write(&path, self.0.pem()).unwrap();
        path
    }

    /// Puts a certificate of the server and its key where it looks for them.
    fn issue(&self, folder: &Path) {
        let names = ["localhost", "127.0.0.1", NAME].map(str::to_owned);
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.0).unwrap();
        std::fs::write(folder.join("server.crt"), certificate.pem()).unwrap();
        std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
    }
}

/// A server that speaks TLS.
pub struct Secure {
    child: Child,
    /// By the name in its certificate.
    url: String,
    port: String,
    logged: PathBuf,
}

impl Drop for Secure {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Secure {
    pub fn serve(house: &House, ca: &Path) -> Self {
        let logged = house.folder().join("log");
        let mut child = Command::new(WARDROOM)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(house.place())
            .arg("--tls-cert")
            .arg(house.folder().join("server.crt"))
            .env("WARDROOM_TLS_KEY", house.folder().join("server.key"))
            .stdout(Stdio::piped())
            .stderr(File::create(&logged).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        assert!(line.contains("https://127.0.0.1:"), "{line}");
        let port = line.trim().rsplit(':').next().unwrap().to_owned();
        let server = Self { child, url: format!("https://{NAME}:{port}"), port, logged };
        wait::until("it is ready", || match server.curl(ca, &["/readyz"]) {
            Err(error) if error.contains("certificate") => panic!("{error}"),
            answer => answer.ok(),
        });
        server
    }

    /// A curl that trusts one authority, and asks for what stands last.
    pub fn command(&self, ca: &Path, arguments: &[&str]) -> Command {
        let (path, options) = arguments.split_last().unwrap();
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--no-buffer", "--noproxy", "*", "--resolve"]);
        curl.arg(format!("{NAME}:{}:127.0.0.1", self.port)).arg("--cacert").arg(ca).args(options);
        curl.arg(format!("{}{path}", self.url));
        curl
    }

    /// What it answered, or what curl said.
    pub fn curl(&self, ca: &Path, arguments: &[&str]) -> Result<String, String> {
        let output = self.command(ca, arguments).output().expect("curl is one of the programs that README asks for");
        let [out, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        if output.status.success() { Ok(out) } else { Err(errors) }
    }

    pub fn post(&self, ca: &Path, token: &str, path: &str, mut body: Value) -> Value {
        body["request_id"] = json!(uuid::Uuid::now_v7());
        let (bearer, body) = (format!("authorization: Bearer {token}"), body.to_string());
        let words = ["--header", &bearer, "--header", "content-type: application/json", "--data", &body, path];
        serde_json::from_str(&self.curl(ca, &words).unwrap()).unwrap()
    }

    fn note(&self, ca: &Path, token: &str, text: &str) {
        self.post(ca, token, "/api/v1/incidents/1/commands", json!({ "command": "note", "text": text }));
    }

    /// A live stream over HTTP/2: what its entries say, and the curl that reads it.
    fn follow(&self, ca: &Path, token: &str) -> (Child, mpsc::Receiver<Value>) {
        let bearer = format!("authorization: Bearer {token}");
        let mut curl = self.command(ca, &["--http2", "--header", &bearer, "/api/v1/events"]);
        let mut child = curl.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), ": connected");
        let (entries, received) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(data) = line.strip_prefix("data: ")
                    && entries.send(serde_json::from_str(data).unwrap()).is_err()
                {
                    return;
                }
            }
        });
        (child, received)
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }
}

/// The next note that comes.
fn note(received: &mpsc::Receiver<Value>) -> String {
    loop {
        let entry = received.recv_timeout(wait::PATIENCE).expect("an entry comes");
        if entry["kind"] == "noted" {
            return entry["body"]["text"].as_str().unwrap().to_owned();
        }
    }
}

/// A house with a certificate, its authority's file, and Mary's token.
pub fn furnished(house: &House) -> (Authority, PathBuf, String) {
    let authority = Authority::new();
    authority.issue(house.folder());
    let ca = authority.file(house.folder().join("ca.pem"));
    (authority, ca, house.person("mary"))
}

fn the_same_is_answered_over_http2_and_http1(house: House) {
    let (_, ca, mary) = furnished(&house);
    let link = house.run(&["person", "link", "mary"]);
    let secret = link.split('#').nth(1).unwrap().split_whitespace().next().unwrap();
    let server = Secure::serve(&house, &ca);
    server.post(&ca, &mary, "/api/v1/incidents", json!({ "title": "Search is failing" }));
    for (way, version) in [("--http2", "2"), ("--http1.1", "1.1")] {
        let bearer = format!("authorization: Bearer {mary}");
        let told = server.curl(&ca, &[way, "--header", &bearer, "-w", " HTTP/%{http_version}", "/api/v1/incidents"]);
        let told = told.unwrap();
        assert!(told.contains("Search is failing") && told.ends_with(&format!(" HTTP/{version}")), "{told}");
        let head = server.curl(&ca, &[way, "--head", "/"]).unwrap().to_lowercase();
        assert!(head.contains("strict-transport-security: max-age=31536000"), "{head}");
    }
    // A browser's own words: where the page came from is held against the host that was asked.
    let welcome = json!({ "secret": secret, "password": "a long enough password" }).to_string();
    let from = |origin: &str| format!("origin: {origin}");
    let json = "content-type: application/json";
    let come = |origin: &str| {
        let words = ["-i", "--header", &from(origin), "--header", json, "--data", &welcome, "/api/v1/welcome"];
        server.curl(&ca, &words)
    };
    assert!(come("https://elsewhere.example.net").unwrap_err().contains("403"));
    let let_in = come(&server.url).unwrap();
    assert!(let_in.contains("HTTP/2 204") && let_in.contains("set-cookie: __Host-wardroom=ws_"), "{let_in}");
    assert!(let_in.contains("; Secure"), "{let_in}");
    // Over plain HTTP it says what to do, and gives nothing away.
    let plain =
        Command::new("curl").args(["--silent", &format!("http://127.0.0.1:{}/", server.port)]).output().unwrap();
    assert!(String::from_utf8_lossy(&plain.stdout).contains("https_only"), "{plain:?}");
    // The terminal, too.
    let list = |more: &[(&str, &str)]| {
        let url = format!("https://localhost:{}", server.port);
        let variables = [&[("WARDROOM_URL", url.as_str()), ("WARDROOM_TOKEN", &mary)], more].concat();
        House::wardroom(&["list"], &variables)
    };
    let trusting = list(&[("WARDROOM_CA", ca.to_str().unwrap())]);
    assert!(String::from_utf8_lossy(&trusting.stdout).contains("Search is failing"), "{trusting:?}");
    let doubting = list(&[]);
    assert_eq!(doubting.status.code(), Some(4));
    let said = String::from_utf8_lossy(&doubting.stderr).into_owned();
    assert!(said.contains("is not trusted here") && said.contains("--ca FILE"), "{said}");
    let empty = house.folder().join("log");
    let misled = list(&[("WARDROOM_CA", empty.to_str().unwrap())]);
    assert_eq!(misled.status.code(), Some(2), "{misled:?}");
}

fn a_live_stream_goes_on_while_the_certificate_is_renewed(house: House) {
    let (_, ca, mary) = furnished(&house);
    let server = Secure::serve(&house, &ca);
    server.post(&ca, &mary, "/api/v1/incidents", json!({ "title": "Search is failing" }));
    let (mut curl, received) = server.follow(&ca, &mary);
    server.note(&ca, &mary, "before");
    assert_eq!(note(&received), "before");
    // Another authority's: only whoever trusts that one is let in by it.
    let other = Authority::new();
    let new_ca = other.file(house.folder().join("other.pem"));
    other.issue(house.folder());
    wait::until("the new one is shown", || server.curl(&new_ca, &["/readyz"]).ok());
    assert!(server.curl(&ca, &["/readyz"]).is_err(), "the old one is not");
    server.note(&new_ca, &mary, "after");
    assert_eq!(note(&received), "after");
    // A renewal that went wrong: the one before is kept, and that is said.
    let refused = |is: &str| {
        let metrics = server.curl(&new_ca, &["/metrics"]).unwrap();
        metrics.contains(&format!("wardroom_certificate_refused {is}\n")).then_some(())
    };
    std::fs::write(house.folder().join("server.key"), "hunter2").unwrap();
    server.signal("-HUP");
    wait::until("it is noticed", || refused("1"));
    let logged = std::fs::read_to_string(&server.logged).unwrap();
    assert!(logged.contains("holds no private key") && !logged.contains("hunter2"), "{logged}");
    server.note(&new_ca, &mary, "meanwhile");
    assert_eq!(note(&received), "meanwhile");
    other.issue(house.folder());
    wait::until("it is mended", || refused("0"));
    assert!(curl.try_wait().unwrap().is_none(), "it has been one stream");
    curl.kill().unwrap();
    curl.wait().unwrap();
}

fn a_server_that_is_stopped_ends_its_streams_over_http2_too(house: House) {
    let (_, ca, mary) = furnished(&house);
    let mut server = Secure::serve(&house, &ca);
    server.post(&ca, &mary, "/api/v1/incidents", json!({ "title": "Search is failing" }));
    let (mut curl, _received) = server.follow(&ca, &mary);
    server.signal("-TERM");
    let ended = wait::until("the stream ended", || curl.try_wait().unwrap());
    assert!(ended.success(), "it came to its end, and was not cut off: {ended}");
    let ended = wait::until("the server ended", || server.child.try_wait().unwrap());
    assert!(ended.success(), "{}", std::fs::read_to_string(&server.logged).unwrap());
}

#[test]
fn a_certificate_that_is_not_there_or_not_whole_is_named_at_the_start() {
    let house = House::on_sqlite();
    let serve = |flags: &[&str]| {
        let flags = [&["serve", "--listen", "127.0.0.1:0"], flags].concat();
        let refused = house.console(&flags);
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        String::from_utf8(refused.stderr).unwrap()
    };
    assert!(serve(&["--tls-cert", "a.pem"]).contains("name both, or neither"));
    let missing = serve(&["--tls-cert", "/nowhere/a.pem", "--tls-key", "/nowhere/a.key"]);
    assert!(missing.contains("/nowhere/a.pem cannot be read"), "{missing}");
}

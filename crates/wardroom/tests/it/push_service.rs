//! Browsers that are told by push and the service between, for stories: it opens what comes with the browser's own key
//! (`http_ece`) and verifies who asks (`py_vapid`), both written by others.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::wait;

/// Writes one line of JSON for each message into `asked`, with how it was answered: by the status in the file
/// `answer-N` of the browser and the `Retry-After` behind it, else 201. Describes its browsers in `browsers`.
const SERVICE: &str = r#"
import base64, http.server, json, os, sys, threading
import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
folder, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
lock = threading.Lock()
b64 = lambda plain: base64.urlsafe_b64encode(plain).rstrip(b'=').decode()
keys = [(ec.generate_private_key(ec.SECP256R1()), os.urandom(16)) for _ in range(count)]
def keep(what):
    with lock, open(os.path.join(folder, 'asked'), 'a') as file:
        file.write(json.dumps(what) + '\n'); file.flush(); os.fsync(file.fileno())
def answer(n):
    try:
        status, *again = open(os.path.join(folder, f'answer-{n}')).read().split(' ', 1)
        return int(status), again
    except FileNotFoundError:
        return 201, []
class Service(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('content-length', 0)))
        n, heads = int(self.path.rsplit('/', 1)[1]), {k.lower(): v for k, v in self.headers.items()}
        key, secret = keys[n]
        said = http_ece.decrypt(body, private_key=key, auth_secret=secret, version='aes128gcm')
        token = heads['authorization'].split('t=', 1)[1].split(',', 1)[0].split('.')[1]
        claims = json.loads(base64.urlsafe_b64decode(token + '=' * (-len(token) % 4)))
        status, again = answer(n)
        keep({'browser': n, 'status': status, 'heads': heads, 'said': json.loads(said), 'claims': claims,
            'verified': Vapid02.verify(heads['authorization'])})
        self.send_response(status); [self.send_header('retry-after', it) for it in again]; self.send_header('content-length', '0'); self.end_headers()
    def log_message(self, *_): pass
service = http.server.ThreadingHTTPServer(('127.0.0.1', port), Service)
with open(os.path.join(folder, 'making'), 'w') as file:
    public = lambda key: key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    json.dump([{'endpoint': f'http://127.0.0.1:{port}/push/{n}', 'p256dh': b64(public(key)), 'auth': b64(secret)}
        for n, (key, secret) in enumerate(keys)], file)
os.rename(os.path.join(folder, 'making'), os.path.join(folder, 'browsers'))
service.serve_forever()
"#;

/// A push service with so many browsers behind it, until the story ends.
pub struct PushService {
    child: Child,
    folder: PathBuf,
    browsers: Vec<Value>,
    pub origin: String,
}

impl Drop for PushService {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl PushService {
    pub fn start(folder: &Path, browsers: usize) -> Self {
        let folder = folder.join("push-service");
        std::fs::create_dir_all(&folder).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut python = Command::new("python3");
        python.args(["-c", SERVICE]).arg(&folder).args([port.to_string(), browsers.to_string()]);
        let child = python.stdin(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
        let made = folder.join("browsers");
        let described = wait::until("the push service is there", || std::fs::read_to_string(&made).ok());
        let browsers = serde_json::from_str(&described).unwrap();
        Self { child, folder, browsers, origin: format!("http://127.0.0.1:{port}") }
    }

    /// The variables by which a server may ask it.
    pub fn settings(&self) -> Vec<(&'static str, &'static str)> {
        vec![("WARDROOM_PUBLIC_URL", "https://wardroom.example.org"), ("WARDROOM_PRIVATE_ENDPOINTS", "true")]
    }

    /// A browser as its page describes it.
    pub fn browser(&self, n: usize) -> Value {
        self.browsers[n].clone()
    }

    /// The name by which its owner knows it.
    pub fn name(&self, n: usize) -> String {
        use sha2::{Digest as _, Sha256};
        let digest = Sha256::digest(self.browsers[n]["endpoint"].as_str().unwrap());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// From now on, what is for this browser is answered so.
    pub fn answers(&self, n: usize, status: u16) {
        self.answers_with(n, &status.to_string());
    }

    /// And with this status and this `Retry-After`: `429 7`.
    pub fn answers_with(&self, n: usize, answer: &str) {
        // At once: whoever reads it meanwhile reads one or the other.
        let making = self.folder.join("answering");
        std::fs::write(&making, answer).unwrap();
        std::fs::rename(making, self.folder.join(format!("answer-{n}"))).unwrap();
    }

    /// Everything that came for a browser, in order, taken or not. All of it is by the same key and has opened.
    pub fn asked(&self, n: usize) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.join("asked")).unwrap_or_default();
        let all = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let of_it: Vec<Value> = all.filter(|asked| asked["browser"] == json!(n)).collect();
        assert!(of_it.iter().all(|asked| asked["verified"] == true), "{of_it:?}");
        of_it
    }

    /// What this browser was shown.
    pub fn shown(&self, n: usize) -> Vec<Value> {
        self.asked(n).into_iter().filter(|asked| asked["status"] == 201).collect()
    }

    /// Waits until it was shown so many.
    pub fn shows(&self, n: usize, number: usize) -> Vec<Value> {
        wait::until("something is shown", || Some(self.shown(n)).filter(|shown| shown.len() >= number))
    }
}

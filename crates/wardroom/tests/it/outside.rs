//! The world outside, for stories in which people are reached: a real mail server (aiosmtpd) that keeps what it gets,
//! and an endpoint of a pager that PagerDuty's own client (pdpyras) speaks to as well.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::wait;

/// Writes one line of JSON per letter or event into the file that it is given; refuses for as long as a file
/// `refusing` lies beside it. Prints the port of each.
const OUTSIDE: &str = r#"
import asyncio, email, email.policy, http.server, json, os, sys, threading
from aiosmtpd.controller import Controller
folder = sys.argv[1]
lock = threading.Lock()
def keep(kind, what):
    with lock, open(os.path.join(folder, kind), 'a') as file:
        file.write(json.dumps(what) + '\n'); file.flush(); os.fsync(file.fileno())
def refusing():
    return os.path.exists(os.path.join(folder, 'refusing'))
class Mail:
    async def handle_DATA(self, server, session, envelope):
        if refusing():
            return '451 4.3.0 come back later'
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        keep('mail', {'to': envelope.rcpt_tos, 'from': envelope.mail_from, 'heads': {k.lower(): str(v) for k, v in letter.items()},
            'text': letter.get_body(('plain',)).get_content(), 'html': letter.get_body(('html',)).get_content()})
        return '250 taken'
class Pager(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('content-length', 0)))
        status = 503 if refusing() else 202
        if status == 202:
            keep('pager', {'path': self.path, 'type': self.headers.get('content-type'), 'event': json.loads(body)})
        answer = json.dumps({'status': 'success', 'message': 'Event processed', 'dedup_key': json.loads(body).get('dedup_key', 'theirs')}).encode()
        self.send_response(status); self.send_header('content-length', str(len(answer))); self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *_): pass
controller = Controller(Mail(), hostname='127.0.0.1', port=int(sys.argv[2]))
controller.start()
pager = http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[3])), Pager)
open(os.path.join(folder, 'ready'), 'w').write('yes')
pager.serve_forever()
"#;

/// The mail server and the pager, until the story ends.
pub struct Outside {
    child: Child,
    folder: PathBuf,
    mail: u16,
    pager: u16,
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Outside {
    /// Starts both, with what they keep in a folder of the story's.
    pub fn start(folder: &Path) -> Self {
        let folder = folder.join("outside");
        std::fs::create_dir_all(&folder).unwrap();
        let (mail, pager) = (free_port(), free_port());
        let mut python = Command::new("python3");
        python.args(["-c", OUTSIDE]).arg(&folder).args([mail.to_string(), pager.to_string()]);
        let child = python.stdin(Stdio::null()).spawn().unwrap();
        let outside = Self { child, folder, mail, pager };
        wait::until("the world outside is there", || outside.folder.join("ready").exists().then_some(()));
        outside
    }

    /// The variables by which a server finds them.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("WARDROOM_PUBLIC_URL", "https://wardroom.example.org".to_owned()),
            ("WARDROOM_SMTP_URL", format!("smtp://127.0.0.1:{}", self.mail)),
            ("WARDROOM_MAIL_FROM", "wardroom@example.org".to_owned()),
            ("WARDROOM_PRIVATE_ENDPOINTS", "true".to_owned()),
        ]
    }

    pub fn pager_url(&self) -> String {
        format!("http://127.0.0.1:{}/v2/enqueue", self.pager)
    }

    /// Nothing is taken any more, or again.
    pub fn refuse(&self, refuse: bool) {
        let file = self.folder.join("refusing");
        if refuse {
            std::fs::write(file, "").unwrap();
        } else {
            std::fs::remove_file(file).unwrap();
        }
    }

    fn kept(&self, kind: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.join(kind)).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The letters that came, in order.
    pub fn letters(&self) -> Vec<Value> {
        self.kept("mail")
    }

    /// The events that the pager got, in order.
    pub fn paged(&self) -> Vec<Value> {
        self.kept("pager")
    }

    /// Waits for so many letters.
    pub fn letters_come(&self, number: usize) -> Vec<Value> {
        wait::until("letters come", || Some(self.letters()).filter(|letters| letters.len() >= number))
    }

    /// Waits for so many events.
    pub fn pages_come(&self, number: usize) -> Vec<Value> {
        wait::until("the pager is told", || Some(self.paged()).filter(|events| events.len() >= number))
    }

    /// What PagerDuty's own client sends for these: triggers it, acknowledges it, resolves it.
    pub fn as_pagerduty_does(&self, key: &str) {
        let client = "import pdpyras, sys\nc = pdpyras.EventsAPISession(sys.argv[2])\nc.url = sys.argv[1]\n\
                      k = c.trigger('a line', 'wardroom', severity='error', links=[{'href': 'https://x', 'text': 'y'}], \
                      custom_details={'what to do': 'x'}, payload={})\nc.acknowledge(k)\nc.resolve(k)\n";
        let base = format!("http://127.0.0.1:{}", self.pager);
        let said = Command::new("python3").args(["-c", client, &base, key]).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    }
}

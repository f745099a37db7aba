//! A server of S3 for stories, written by others (moto): it verifies who asks, as S3 does, and has one bucket, `kept`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// Says its keys in one line, and from then on answers each line that it is told with one of JSON: `list` with the names of
/// the objects, `alter NAME` with nothing, `stop` and `start` when it does not serve any more, or again.
const SERVICE: &str = r#"
import json, sys
import boto3
from moto import settings
from moto.server import ThreadedMotoServer
port, at = int(sys.argv[1]), f'http://127.0.0.1:{sys.argv[1]}'
def serve():
    service = ThreadedMotoServer(ip_address='127.0.0.1', port=port, verbose=False); service.start(); return service
def client(name, id='nobody', secret='nobody'):
    return boto3.client(name, endpoint_url=at, region_name='eu-central-1', aws_access_key_id=id, aws_secret_access_key=secret)
def tell(what): print(json.dumps(what), file=answers, flush=True)
answers, sys.stdout = sys.stdout, sys.stderr
service, iam = serve(), client('iam')
iam.create_user(UserName='wardroom')
key = iam.create_access_key(UserName='wardroom')['AccessKey']
allowed = {'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}
document = json.dumps({'Version': '2012-10-17', 'Statement': [allowed]})
iam.put_user_policy(UserName='wardroom', PolicyName='all', PolicyDocument=document)
client('s3').create_bucket(Bucket='kept', CreateBucketConfiguration={'LocationConstraint': 'eu-central-1'})
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0 # From now on everybody shows who they are.
s3 = client('s3', key['AccessKeyId'], key['SecretAccessKey'])
tell([key['AccessKeyId'], key['SecretAccessKey']])
for line in sys.stdin:
    word, *rest = line.split()
    if word == 'list': tell([it['Key'] for it in s3.list_objects_v2(Bucket='kept').get('Contents', [])])
    if word == 'alter': s3.put_object(Bucket='kept', Key=rest[0], Body=b'no'); tell(None)
    if word == 'stop': service.stop(); tell(None)
    if word == 'start': service = serve(); tell(None)
"#;

/// The bucket, until the story ends.
pub struct BucketService {
    child: Child,
    asking: ChildStdin,
    answers: BufReader<ChildStdout>,
    port: u16,
    /// Of whoever may do anything with it.
    pub key: String,
    pub secret: String,
}

impl Drop for BucketService {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl BucketService {
    pub fn start(folder: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = std::fs::File::create(folder.join("bucket.log")).unwrap();
        let mut python = Command::new("python3");
        python.args(["-c", SERVICE, &port.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = python.spawn().unwrap();
        let (asking, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut service = Self { child, asking, answers, port, key: String::new(), secret: String::new() };
        let [key, secret]: [String; 2] = serde_json::from_value(service.answer()).unwrap();
        (service.key, service.secret) = (key, secret);
        service
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("the bucket answers: its log is beside the store")
    }

    fn ask(&mut self, line: &str) -> Value {
        writeln!(self.asking, "{line}").unwrap();
        self.answer()
    }

    /// Where evidence lies in it, as a setting says it.
    pub fn place(&self, within: &str) -> String {
        format!("s3://{within}?endpoint=http://127.0.0.1:{}&region=eu-central-1", self.port)
    }

    /// The names of its objects that have this in them.
    pub fn objects(&mut self, with: &str) -> Vec<String> {
        let all: Vec<String> = serde_json::from_value(self.ask("list")).unwrap();
        all.into_iter().filter(|name| name.contains(with)).collect()
    }

    /// Puts other bytes into an object.
    pub fn alter(&mut self, object: &str) {
        self.ask(&format!("alter {object}"));
    }

    pub fn stop(&mut self) {
        self.ask("stop");
    }

    pub fn go_on(&mut self) {
        self.ask("start");
    }
}

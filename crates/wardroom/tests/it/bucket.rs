//! Evidence in a bucket: kept, read and let go as in a folder; and what is said where the bucket does not take it.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::bucket_service::BucketService;
use crate::house::{House, Server, WARDROOM, agent};
use crate::uploads::{MIB, attached, begin, content, far, part, sha256};
use crate::{on_both, wait};

on_both!(evidence_in_a_bucket_is_kept_read_and_let_go, what_comes_in_parts_is_whole_in_the_bucket);

/// A house whose evidence lies in a bucket, and what its servers say.
struct Kept {
    house: House,
    at: String,
    keys: [(&'static str, String); 2],
}

impl Kept {
    fn new(house: House, at: String, key: &str, secret: &str) -> Self {
        let keys = [("AWS_ACCESS_KEY_ID", key.to_owned()), ("AWS_SECRET_ACCESS_KEY", secret.to_owned())];
        Self { house, at, keys }
    }

    fn wardroom(&self, verb: &[&str]) -> Command {
        let place = self.house.place().into_iter().filter(|word| !word.starts_with("--evidence"));
        let mut wardroom = Command::new(WARDROOM);
        wardroom.args(verb).args(place).args(["--evidence", &self.at]).envs(self.keys.clone());
        // Where parts lie on their way to the bucket, with PostgreSQL.
        wardroom.env("TMPDIR", self.house.folder());
        wardroom
    }

    fn run(&self, verb: &[&str]) -> Output {
        self.wardroom(verb).output().unwrap()
    }

    fn log(&self) -> PathBuf {
        self.house.folder().join("server.log")
    }

    fn serve(&self) -> Server {
        let log = std::fs::File::options().create(true).append(true).open(self.log()).unwrap();
        self.house.start(self.wardroom(&["serve"]).stderr(log).env("WARDROOM_LOG", "debug"))
    }

    /// What its servers logged; none of it is a key.
    fn said(&self, service: &BucketService) -> String {
        let said = std::fs::read_to_string(self.log()).unwrap();
        for secret in [&service.key, &service.secret, &self.keys[0].1, &self.keys[1].1] {
            assert!(!said.contains(secret.as_str()), "a key is in the log");
        }
        said
    }
}

fn attach(server: &Server, token: &str, n: u64, bytes: &[u8]) -> (u16, Value) {
    let path = format!("/api/v1/incidents/{n}/evidence?name=x&request_id={}", Uuid::now_v7());
    server.send(token, &path, bytes).expect("it answers")
}

fn read(server: &Server, token: &str, attached: &Value) -> Vec<u8> {
    let address = format!("{}{}", server.url, attached["address"].as_str().unwrap());
    let mut answer = agent().get(address).header("authorization", format!("Bearer {token}")).call().unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    answer.body_mut().with_config().limit(u64::MAX).read_to_vec().unwrap()
}

fn evidence_in_a_bucket_is_kept_read_and_let_go(house: House) {
    let mut service = BucketService::start(house.folder());
    let mary = house.person("mary");
    let kept = Kept::new(house, service.place("kept/ward/room"), &service.key, &service.secret);
    let server = kept.serve();
    let [n, other] = ["Search is failing", "Mail is slow"].map(|title| server.declare(&mary, title));
    let bytes: Vec<u8> = (0..2_400_000_u32).flat_map(u32::to_be_bytes).collect();
    let (status, heap) = attach(&server, &mary, n, &bytes);
    assert_eq!(status, 200, "{heap}");
    assert!(read(&server, &mary, &heap) == bytes);
    let (_, pods) = attach(&server, &mary, n, b"NAME READY");
    let (_, again) = attach(&server, &mary, other, &bytes);
    assert_eq!(again["sha256"], heap["sha256"]);
    let digest = heap["sha256"].as_str().unwrap();
    let objects = service.objects(digest);
    assert!(objects.len() == 1 && objects[0].starts_with("ward/room/evidence/"), "the same bytes lie there once");
    let (_, list) = server.get(&mary, &format!("/api/v1/incidents/{n}/evidence"));
    assert_eq!(list["evidence"].as_array().unwrap().len(), 2, "{list}");
    assert_eq!(server.say(&mary, &["evidence", "verify", "1"]), "The evidence holds: 2 pieces of incident 1.\n");
    // An export has it, and so does a backup, which is put back beside it under another name.
    let archive = kept.house.folder().join("one.tar");
    let archive = archive.to_str().unwrap();
    server.say(&mary, &["export", "1", "-o", archive]);
    let verified = Command::new(WARDROOM).args(["verify", archive]).output().unwrap();
    assert!(verified.status.success(), "{verified:?}");
    let backup = kept.house.folder().join("one.backup");
    let backup = backup.to_str().unwrap();
    assert!(kept.run(&["backup", backup]).status.success());
    let copy = Kept::new(House::on_sqlite(), service.place("kept/copy"), &service.key, &service.secret);
    let restored = copy.run(&["restore", backup, "--keep-tokens"]);
    assert!(restored.status.success(), "{restored:?}");
    assert!(copy.run(&["verify"]).status.success());
    let restoring = copy.serve();
    assert!(read(&restoring, &mary, &heap) == bytes && read(&restoring, &mary, &pods) == b"NAME READY");
    // With the last entry that has it redacted, it is gone, from here and not from there.
    server.done(&mary, n, json!({ "command": "redact", "entry": heap["entry"] }));
    assert!(read(&server, &mary, &again) == bytes);
    assert_eq!(service.objects(&format!("ward/room/evidence/{}/{digest}", &digest[..2])).len(), 1);
    server.done(&mary, other, json!({ "command": "redact", "entry": again["entry"] }));
    wait::until("its bytes are gone", || {
        service.objects(digest).iter().all(|name| name.contains("copy")).then_some(())
    });
    assert!(read(&restoring, &mary, &heap) == bytes);
    // What somebody altered there is found.
    let altered = service.objects(pods["sha256"].as_str().unwrap());
    altered.iter().filter(|name| !name.contains("copy")).for_each(|name| service.alter(name));
    assert_eq!(server.verb(&mary, &["evidence", "verify", "1"]).status.code(), Some(5));
    let verified = kept.run(&["verify", "--json"]);
    assert_eq!(verified.status.code(), Some(5), "{verified:?}");
    kept.said(&service);
    copy.said(&service);
}

/// What lies on this node, on its way to the bucket.
fn on_their_way(house: &House) -> usize {
    let folders = [house.data().join("evidence-arriving"), house.folder().join("wardroom-evidence-arriving")];
    folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().count()
}

fn what_comes_in_parts_is_whole_in_the_bucket(house: House) {
    let mut service = BucketService::start(house.folder());
    let mary = house.person("mary");
    let kept = Kept::new(house, service.place("kept/ward"), &service.key, &service.secret);
    let server = kept.serve();
    let n = server.declare(&mary, "Search is failing");
    let bytes = content(21 * MIB);
    let digest = sha256(&bytes);
    let upload = begin(&server, &mary, n, &bytes);
    assert_eq!(part(&server, &mary, &upload, 0, &bytes[..8 * MIB]).0, 204);
    assert_eq!(
        (on_their_way(&kept.house), service.objects("evidence/").len()),
        (2, 0),
        "nothing of it is in the bucket"
    );
    server.kill();
    let server = kept.serve();
    assert_eq!(far(&server, &mary, &upload), Some(8 * MIB));
    assert_eq!(part(&server, &mary, &upload, 8 * MIB, &bytes[8 * MIB..16 * MIB]).0, 204);
    // The bucket is away when the last part comes. All of it stays on this node, and nothing need come again.
    service.stop();
    let (status, _, problem) = part(&server, &mary, &upload, 16 * MIB, &bytes[16 * MIB..]);
    assert_eq!((status, attached(&server, &mary, n)), (503, 0), "{problem}");
    assert_eq!(far(&server, &mary, &upload), Some(bytes.len()));
    service.go_on();
    let (status, _, heap) = part(&server, &mary, &upload, bytes.len(), b"");
    assert_eq!((status, heap["sha256"].as_str()), (200, Some(&*digest)), "{heap}");
    assert_eq!(
        (on_their_way(&kept.house), service.objects(&digest).len()),
        (0, 1),
        "it lies there once, and only there"
    );
    assert!(read(&server, &mary, &heap) == bytes);
    assert_eq!(server.say(&mary, &["evidence", "verify", "1"]), "The evidence holds: 1 piece of incident 1.\n");
    let archive = kept.house.folder().join("one.tar");
    server.say(&mary, &["export", "1", "-o", archive.to_str().unwrap()]);
    assert!(std::fs::metadata(&archive).unwrap().len() > bytes.len() as u64);
    let verified = Command::new(WARDROOM).arg("verify").arg(&archive).output().unwrap();
    assert!(verified.status.success(), "{verified:?}");
    // What somebody altered there is found.
    let object = service.objects(&digest).remove(0);
    service.alter(&object);
    assert_eq!(server.verb(&mary, &["evidence", "verify", "1"]).status.code(), Some(5));
    kept.said(&service);
}

/// Nothing of it is recorded, everything else goes on, and whoever runs the server knew it before an incident needed it.
fn refused(kept: &Kept, service: &BucketService, mary: &str, why: &str) -> Server {
    let server = kept.serve();
    wait::until("it is said at the start", || {
        let told = |line: &str| line.contains("no evidence can be kept or read") && line.contains(why);
        kept.said(service).lines().any(told).then_some(())
    });
    let n = server.declare(mary, "Search is failing");
    let (status, problem) = attach(&server, mary, n, b"NAME READY");
    assert_eq!((status, &problem["code"]), (503, &json!("no_store")), "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("does not let Wardroom in. Everything else goes on."), "{detail}");
    assert_eq!(server.kinds(mary, n), ["opened"]);
    assert_eq!(server.get(mary, &format!("/api/v1/incidents/{n}/evidence")).1["evidence"], json!([]));
    kept.said(service);
    server
}

#[test]
fn a_bucket_that_does_not_take_it_is_told_of_before_it_is_needed() {
    let house = House::on_sqlite();
    let mut service = BucketService::start(house.folder());
    let mary = house.person("mary");
    let (key, secret) = (service.key.clone(), service.secret.clone());
    let mut kept = Kept::new(house, service.place("kept/ward"), &key, "kept-by-nobody");
    drop(refused(&kept, &service, &mary, "SignatureDoesNotMatch"));
    kept.keys[0].1 = "AKIAKNOWNTONOBODY".to_owned();
    drop(refused(&kept, &service, &mary, "InvalidAccessKeyId"));
    kept = Kept::new(kept.house, service.place("lost/ward"), &key, &secret);
    drop(refused(&kept, &service, &mary, "NoSuchBucket"));
    kept.at = service.place("kept/ward");
    service.stop();
    let server = refused(&kept, &service, &mary, "Connection refused");
    // It is there again, is lost in the middle, and is there again: what was not taken was not recorded.
    service.go_on();
    let n = server.declare(&mary, "Mail is slow");
    let (status, first) = attach(&server, &mary, n, b"NAME READY");
    assert_eq!(status, 200, "{first}");
    service.stop();
    let (status, problem) = attach(&server, &mary, n, b"NAME READY 2");
    assert_eq!(status, 503, "{problem}");
    assert_eq!(server.kinds(&mary, n), ["opened", "evidence_attached"]);
    service.go_on();
    assert_eq!(attach(&server, &mary, n, b"NAME READY 2").0, 200);
    assert_eq!((service.objects("evidence/").len(), read(&server, &mary, &first)), (2, b"NAME READY".to_vec()));
    // A place that another house has is not touched.
    let other = Kept::new(House::on_sqlite(), service.place("kept/ward"), &key, &secret);
    let robin = other.house.person("robin");
    drop(refused(&other, &service, &robin, "the evidence of another store is at s3://kept/ward"));
    assert_eq!(service.objects("evidence/").len(), 2);
    kept.said(&service);
}

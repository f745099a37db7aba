//! What people copy from `docs/gate/`: each is read as what runs it reads it, and the command in it is run as it stands there,
//! with the variables that the file itself names, against a server that allows, one that denies, and none.
//! What it runs in (GitHub, GitLab, Argo CD, Terraform, Ansible, a cluster) is not here, so this is how far it goes.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::house::{House, Server, WARDROOM};
use crate::staffed::{Scene, changes, scene};

mod manifest;

/// Reads every document in a file of the folder, as JSON.
const READING: &str = "import json, sys, yaml\nprint(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))\n";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/gate").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

fn documents(name: &str) -> Vec<Value> {
    let said = Command::new("python3").args(["-c", READING]).arg(file(name)).output().unwrap();
    assert!(said.status.success(), "{name}: {}", String::from_utf8_lossy(&said.stderr));
    serde_json::from_slice(&said.stdout).unwrap()
}

fn read(name: &str) -> Value {
    let mut documents = documents(name);
    assert_eq!(documents.len(), 1, "{name}");
    documents.remove(0)
}

fn words(list: &Value) -> Vec<String> {
    let words = list.as_array().into_iter().flatten();
    words.map(|word| word.as_str().expect("a word is a text").to_owned()).collect()
}

/// Words as one line of a shell that takes each as it stands.
fn quoted(words: &[String]) -> String {
    words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ")
}

/// Every variable of ours that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.filter(|word| word.starts_with("WARDROOM_")).map(str::to_owned).collect()
}

/// What a file says of how it is run.
struct Snippet {
    name: &'static str,
    /// Variables that it sets, as they stand there.
    sets: BTreeMap<String, String>,
    program: String,
    arguments: Vec<String>,
}

impl Snippet {
    fn of(name: &'static str, sets: &Value, program: &str, arguments: Vec<String>) -> Self {
        let sets = sets.as_object().into_iter().flatten();
        let sets = sets.map(|(name, value)| (name.clone(), value.as_str().expect("a text").to_owned())).collect();
        Self { name, sets, program: program.to_owned(), arguments }
    }

    /// As its surrounding runs these three: it asks, and goes no further where that fails; it changes something; and it tells
    /// how that went, by the `outcome` that it has then. It ends as what failed, and as telling does where nothing did.
    fn in_turn(name: &'static str, sets: &Value, [ask, change, tell]: [&str; 3]) -> Self {
        let script = format!(
            "set -e\n{ask}\nended=0\n( {change} ) || ended=$?\n\
             if [ $ended = 0 ]; then outcome=success; else outcome=failure; fi\n\
             {tell}\nexit $ended\n"
        );
        Self::of(name, sets, "bash", vec!["-c".to_owned(), script])
    }
}

fn github_actions() -> Snippet {
    let actions = read("github-actions.yml");
    let [ask, deploy, tell] = actions["jobs"]["deploy"]["steps"].as_array().unwrap().as_slice() else { panic!() };
    let run = |step: &Value| step["run"].as_str().unwrap().to_owned();
    assert_eq!((&ask["id"], &deploy["id"]), (&"gate".into(), &"deploy".into()));
    assert_eq!(tell["if"], "${{ always() && steps.gate.outcome == 'success' }}");
    let told = run(tell).replace("${{ steps.deploy.outcome }}", "$outcome");
    assert!(!told.contains("${{"), "{told}");
    let open = with_its_own(&ask["env"], &tell["env"]);
    let lines = [run(ask), run(deploy), format!("{open} {told}")];
    Snippet::in_turn("github-actions.yml", &ask["env"], [&lines[0], &lines[1], &lines[2]])
}

/// What a telling sets otherwise than the asking before it: only what becomes of it without an answer, which must be nothing.
fn with_its_own(asking: &Value, telling: &Value) -> &'static str {
    let mut otherwise = asking.clone();
    otherwise["WARDROOM_ON_FAILURE"] = "open".into();
    assert_eq!(telling, &otherwise);
    "WARDROOM_ON_FAILURE=open"
}

fn gitlab_ci() -> Snippet {
    let gitlab = read("gitlab-ci.yml");
    let (lines, after) = (words(&gitlab["deploy"]["script"]), words(&gitlab["deploy"]["after_script"]));
    let ([ask, deploy], [tell]) = (lines.as_slice(), after.as_slice()) else { panic!("{lines:?}, {after:?}") };
    assert!(ask.starts_with("wardroom gate "), "whoever runs the job again asks again: {ask}");
    // What runs afterwards changes nothing in how the job ended.
    let tell = format!("CI_JOB_STATUS=${{outcome/failure/failed}}\n{tell} || :");
    Snippet::in_turn("gitlab-ci.yml", &gitlab["deploy"]["variables"], [ask, deploy, &tell])
}

fn argo_cd() -> Snippet {
    let jobs = documents("argo-cd.yaml");
    let [ask, done, failed] = jobs.as_slice() else { panic!("{} jobs", jobs.len()) };
    for (job, hook) in [(ask, "PreSync"), (done, "PostSync"), (failed, "SyncFail")] {
        assert_eq!(job["metadata"]["annotations"]["argocd.argoproj.io/hook"], hook);
    }
    assert_eq!(ask["spec"]["backoffLimit"], 0, "a denial does not become an allow by asking again");
    let container = |job: &Value| job["spec"]["template"]["spec"]["containers"][0].clone();
    let value = |one: &Value| match &one["valueFrom"]["secretKeyRef"] {
        Value::Null => one["value"].clone(),
        secret => format!("SECRET {} {}", secret["name"].as_str().unwrap(), secret["key"].as_str().unwrap()).into(),
    };
    let sets = |job: &Value| -> Value {
        let all = container(job)["env"].as_array().unwrap().clone();
        all.iter().map(|one| (one["name"].as_str().unwrap().to_owned(), value(one))).collect()
    };
    let line = |job: &Value| {
        let container = container(job);
        quoted(&[words(&container["command"]), words(&container["args"])].concat())
    };
    let open = with_its_own(&sets(ask), &sets(done));
    assert_eq!(sets(failed), sets(done));
    let tell = format!("export {open}\nif [ $ended = 0 ]; then {}; else {}; fi", line(done), line(failed));
    Snippet::in_turn("argo-cd.yaml", &sets(ask), [&line(ask), "./deploy", &tell])
}

fn ansible() -> Snippet {
    let ansible = read("ansible.yml");
    let play = &ansible[0];
    let (ask, deploy, done) = (&play["pre_tasks"][0], &play["tasks"][0], &play["post_tasks"][0]);
    let failed = &deploy["rescue"][0];
    let line = |task: &Value| quoted(&words(&task["ansible.builtin.command"]["argv"]));
    assert_eq!((&play["any_errors_fatal"], &ask["run_once"]), (&true.into(), &true.into()));
    assert_eq!(words(&ask["tags"]), ["always"], "whoever picks tasks by their tags asks all the same");
    let open = with_its_own(&ask["environment"], &done["environment"]);
    for task in [ask, done, failed] {
        assert_eq!((&task["delegate_to"], &task["run_once"]), (&"localhost".into(), &true.into()));
    }
    assert_eq!(failed["environment"], done["environment"]);
    assert!(deploy["rescue"][1]["ansible.builtin.fail"].is_object(), "what was told is a failure all the same");
    let tell = format!("export {open}\nif [ $ended = 0 ]; then {}; else {}; fi", line(done), line(failed));
    Snippet::in_turn("ansible.yml", &ask["environment"], [&line(ask), &line(&deploy["block"][0]), &tell])
}

fn terraform(arguments: &[&str]) -> Snippet {
    let script = file("terraform.sh").display().to_string();
    let rest = arguments.iter().copied().map(str::to_owned);
    Snippet::of("terraform.sh", &Value::Null, "sh", [script].into_iter().chain(rest).collect())
}

/// Where snippets are run: a house with an incident on search, whose gate enforces.
struct Ground {
    scene: Scene,
    token: String,
    folder: PathBuf,
}

/// Who asks, and of whom.
struct Run<'a> {
    url: &'a str,
    behalf: &'a str,
    on_failure: &'a str,
    /// What would change something ends with this.
    ends: u8,
}

impl Ground {
    fn new() -> Self {
        let scene = scene(House::on_sqlite());
        let token = scene.house.token("mary", "gate");
        let folder = scene.house.folder().join("work");
        std::fs::create_dir(&folder).unwrap();
        // What would change something leaves a trace of that.
        for name in ["deploy", "terraform"] {
            let program = folder.join(name);
            std::fs::write(&program, "#!/bin/sh\necho \"$@\" >> done\nexit $ENDS\n").unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { scene, token, folder }
    }

    /// The variables as its surrounding would have them: those that the file sets, with what stands there translated, and those
    /// that it says, in its remarks, come from outside.
    fn environment(&self, snippet: &Snippet, run: &Run<'_>) -> BTreeMap<String, String> {
        let outside = |name: &str| match name {
            "WARDROOM_URL" => run.url.to_owned(),
            "WARDROOM_TOKEN" => self.token.clone(),
            "WARDROOM_ON_BEHALF_OF" => run.behalf.to_owned(),
            "WARDROOM_ON_FAILURE" => run.on_failure.to_owned(),
            name => panic!("{}: nobody has {name}", snippet.name),
        };
        let remarks = text(snippet.name);
        let remarks = remarks.lines().filter(|line| line.trim_start().starts_with('#')).collect::<String>();
        let mut all: BTreeMap<String, String> =
            named(&remarks).into_iter().map(|name| (name.clone(), outside(&name))).collect();
        for (name, value) in &snippet.sets {
            let value = match value.as_str() {
                "https://wardroom.example.org" => run.url,
                "${{ secrets.WARDROOM_TOKEN }}" | "SECRET wardroom-gate token" => &self.token,
                "${{ github.triggering_actor }}" | "$GITLAB_USER_EMAIL" | "sabrina@example.org" => run.behalf,
                "closed" => run.on_failure,
                other => other,
            };
            all.insert(name.clone(), value.to_owned());
        }
        all
    }

    /// The number that it ends with, what it says, and whether anything was changed.
    fn run(&self, snippet: &Snippet, run: &Run<'_>) -> (Option<i32>, String, bool) {
        let done = self.folder.join("done");
        let _ = std::fs::remove_file(&done);
        let programs = Path::new(WARDROOM).parent().unwrap().display();
        let path = format!("{}:{programs}:{}", self.folder.display(), std::env::var("PATH").unwrap());
        let output = Command::new(&snippet.program)
            .args(&snippet.arguments)
            .current_dir(&self.folder)
            .env("PATH", path)
            .env("GITHUB_SHA", "f95f852bd8fca8fcc58a9a2d6c842781e32a215e")
            .env("CI_COMMIT_SHORT_SHA", "f95f852b")
            .env("ENDS", run.ends.to_string())
            .envs(self.environment(snippet, run))
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned(), done.exists())
    }

    /// It asks for whom and of whom the file says, and stops where that is denied or, as somebody said, not decided. Telling
    /// how it went keeps nobody.
    fn holds(&self, snippet: &Snippet) {
        let name = snippet.name;
        let server: &Server = &self.scene.server;
        // Nobody listens on the discard port.
        let nobody = "http://127.0.0.1:9";
        for (url, behalf, on_failure, ends) in [
            (server.url.as_str(), "sabrina", "closed", 0),
            (server.url.as_str(), "robin", "open", 1),
            (nobody, "sabrina", "closed", 4),
            (nobody, "sabrina", "open", 0),
        ] {
            let (code, said, changed) = self.run(snippet, &Run { url, behalf, on_failure, ends: 0 });
            assert_eq!(code, Some(ends), "{name} for {behalf} at {url}: {said}");
            assert_eq!(changed, ends == 0, "{name} for {behalf} at {url}: {said}");
            assert!(ends != 1 || said.contains("the operations lead is Sabrina"), "{name}: {said}");
        }
    }

    /// It tells how what it asked for ended, and ends as that did.
    fn tells(&self, snippet: &Snippet, ends: u8, note: &str) {
        let (name, url) = (snippet.name, self.scene.server.url.as_str());
        let (code, said, _) = self.run(snippet, &Run { url, behalf: "sabrina", on_failure: "closed", ends });
        assert_eq!(code, Some(ends.into()), "{name}: {said}");
        let Scene { server, sabrina, n, .. } = &self.scene;
        let stands: Vec<_> = changes(server, sabrina, *n).iter().map(|change| change["state"].clone()).collect();
        assert_eq!(stands, ["done"], "{name}: {said}");
        let (_, page) = server.get(sabrina, &format!("/api/v1/incidents/{n}/events"));
        let last = page["entries"].as_array().unwrap().last().unwrap().clone();
        assert!(
            last["kind"] == "change_done" && last["body"]["note"].as_str().unwrap().contains(note),
            "{name}: {last}"
        );
    }
}

#[test]
fn what_is_copied_goes_on_where_the_gate_allows_and_stops_where_it_denies() {
    let ground = Ground::new();
    for snippet in [github_actions(), gitlab_ci(), argo_cd(), ansible()] {
        ground.holds(&snippet);
    }
    for changes in [&["apply"][..], &["-chdir=infra", "destroy", "-auto-approve"]] {
        ground.holds(&terraform(changes));
    }
}

#[test]
fn what_is_copied_tells_how_it_went() {
    for snippet in [github_actions(), gitlab_ci(), argo_cd(), ansible(), terraform(&["apply"])] {
        Ground::new().tells(&snippet, 0, "told by the gate");
        Ground::new().tells(&snippet, 3, "and may have changed something");
    }
}

#[test]
fn terraform_looks_without_asking() {
    let ground = Ground::new();
    let outside = Run { url: &ground.scene.server.url, behalf: "robin", on_failure: "closed", ends: 0 };
    let (code, said, ran) = ground.run(&terraform(&["-chdir=infra", "plan", "-destroy"]), &outside);
    assert_eq!((code, ran), (Some(0), true), "{said}");
    assert_eq!(std::fs::read_to_string(ground.folder.join("done")).unwrap(), "-chdir=infra plan -destroy\n");
}

/// A misspelt one would be none at all, and nobody would be told.
#[test]
fn every_variable_in_them_is_one_that_the_command_reads() {
    let help = Command::new(WARDROOM).args(["gate", "--help"]).output().unwrap();
    let known = named(&String::from_utf8_lossy(&help.stdout));
    for name in ["github-actions.yml", "gitlab-ci.yml", "argo-cd.yaml", "ansible.yml", "terraform.sh"] {
        let named = named(&text(name));
        assert!(named.len() == 4 && named.is_subset(&known), "{name}: {named:?}");
    }
}

#[test]
fn the_page_names_every_file_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/gate");
    let page = std::fs::read_to_string(folder.join("README.md")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "README.md" || page.contains(&format!("]({name})")), "{name} is not named");
    }
}

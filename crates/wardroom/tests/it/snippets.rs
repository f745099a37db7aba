//! What people copy from `docs/gate/`: each is read as what runs it reads it, and the command in it is run as it stands there,
//! with the variables that the file itself names, against a server that allows, one that denies, and none.
//! What it runs in (GitHub, GitLab, Argo CD, Terraform, Ansible, a cluster) is not here, so this is how far it goes.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::admission::recorded;
use crate::house::{House, Server, WARDROOM};
use crate::staffed::{Scene, scene};

/// Reads a file of the folder, as JSON.
const READING: &str = "import json, sys, yaml\nprint(json.dumps(yaml.safe_load(open(sys.argv[1]))))\n";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/gate").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

fn read(name: &str) -> Value {
    let said = Command::new("python3").args(["-c", READING]).arg(file(name)).output().unwrap();
    assert!(said.status.success(), "{name}: {}", String::from_utf8_lossy(&said.stderr));
    serde_json::from_slice(&said.stdout).unwrap()
}

fn words(list: &Value) -> Vec<String> {
    let words = list.as_array().into_iter().flatten();
    words.map(|word| word.as_str().expect("a word is a text").to_owned()).collect()
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

    /// As a shell runs these lines that the surrounding has: until one fails.
    fn in_a_shell(name: &'static str, sets: &Value, lines: &[String]) -> Self {
        Self::of(name, sets, "bash", vec!["-e".to_owned(), "-c".to_owned(), lines.join("\n")])
    }
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
            std::fs::write(&program, "#!/bin/sh\necho \"$@\" >> done\n").unwrap();
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
            .envs(self.environment(snippet, run))
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned(), done.exists())
    }

    /// It asks for whom and of whom the file says, and stops where that is denied or, as somebody said, not decided.
    fn holds(&self, snippet: &Snippet, changes: bool) {
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
            let (code, said, changed) = self.run(snippet, &Run { url, behalf, on_failure });
            assert_eq!(code, Some(ends), "{name} for {behalf} at {url}: {said}");
            assert_eq!(changed, changes && ends == 0, "{name} for {behalf} at {url}: {said}");
            assert!(ends != 1 || said.contains("the operations lead is Sabrina"), "{name}: {said}");
        }
    }
}

#[test]
fn what_is_copied_goes_on_where_the_gate_allows_and_stops_where_it_denies() {
    let ground = Ground::new();
    let actions = read("github-actions.yml");
    let steps = actions["jobs"]["deploy"]["steps"].as_array().unwrap();
    let lines: Vec<String> = steps.iter().map(|step| step["run"].as_str().unwrap().to_owned()).collect();
    ground.holds(&Snippet::in_a_shell("github-actions.yml", &steps[0]["env"], &lines), true);

    let gitlab = read("gitlab-ci.yml");
    let lines = words(&gitlab["deploy"]["script"]);
    assert!(lines[0].starts_with("wardroom gate "), "whoever runs the job again asks again: {lines:?}");
    ground.holds(&Snippet::in_a_shell("gitlab-ci.yml", &gitlab["deploy"]["variables"], &lines), true);

    let argo = read("argo-cd.yaml");
    assert_eq!(argo["metadata"]["annotations"]["argocd.argoproj.io/hook"], "PreSync");
    assert_eq!(argo["spec"]["backoffLimit"], 0);
    let container = &argo["spec"]["template"]["spec"]["containers"][0];
    let asked = [words(&container["command"]), words(&container["args"])].concat();
    let value = |one: &Value| match &one["valueFrom"]["secretKeyRef"] {
        Value::Null => one["value"].clone(),
        secret => format!("SECRET {} {}", secret["name"].as_str().unwrap(), secret["key"].as_str().unwrap()).into(),
    };
    let sets = container["env"].as_array().unwrap().iter();
    let sets =
        sets.map(|one| (one["name"].as_str().unwrap().to_owned(), value(one))).collect::<serde_json::Map<_, _>>();
    ground.holds(&Snippet::of("argo-cd.yaml", &sets.into(), &asked[0], asked[1..].to_vec()), false);

    let ansible = read("ansible.yml");
    let first = &ansible[0]["pre_tasks"][0];
    let asked = words(&first["ansible.builtin.command"]["argv"]);
    ground.holds(&Snippet::of("ansible.yml", &first["environment"], &asked[0], asked[1..].to_vec()), false);
    assert_eq!((&ansible[0]["any_errors_fatal"], &first["run_once"]), (&true.into(), &true.into()));
    assert_eq!(words(&first["tags"]), ["always"], "whoever picks tasks by their tags asks all the same");
}

#[test]
fn terraform_starts_where_the_gate_allows_and_looks_without_asking() {
    let ground = Ground::new();
    let script = |arguments: &[&str]| {
        let script = file("terraform.sh").display().to_string();
        let rest = arguments.iter().copied().map(str::to_owned);
        Snippet::of("terraform.sh", &Value::Null, "sh", [script].into_iter().chain(rest).collect())
    };
    for changes in [&["apply"][..], &["-chdir=infra", "destroy", "-auto-approve"]] {
        ground.holds(&script(changes), true);
    }
    let outside = Run { url: &ground.scene.server.url, behalf: "robin", on_failure: "closed" };
    let (code, said, ran) = ground.run(&script(&["-chdir=infra", "plan", "-destroy"]), &outside);
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

/// Whether a cluster with this manifest asks about it.
fn asks(manifest: &Value, (group, resource, operation): (&str, &str, &str)) -> bool {
    let rules = manifest["webhooks"][0]["rules"].as_array().unwrap();
    let scope = if resource.starts_with("namespaces") { "Cluster" } else { "Namespaced" };
    rules.iter().any(|rule| {
        let has = |field: &str, what: &str| words(&rule[field]).iter().any(|one| one == what);
        has("apiGroups", group) && has("resources", resource) && has("operations", operation) && rule["scope"] == scope
    })
}

#[test]
fn a_cluster_asks_about_each_way_to_change_a_service() {
    let manifest = read("kubernetes.yaml");
    let reviews = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wardroom-server/src/admission/reviews");
    for entry in std::fs::read_dir(reviews).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let review: Value = serde_json::from_slice(&recorded(&name)).unwrap();
        let (request, of) = (&review["request"], &review["request"]["resource"]);
        let part = request["subResource"].as_str().map(|part| format!("/{part}")).unwrap_or_default();
        let resource = format!("{}{part}", of["resource"].as_str().unwrap());
        let asked = (of["group"].as_str().unwrap(), resource.as_str(), request["operation"].as_str().unwrap());
        assert!(asks(&manifest, asked), "{name}: {asked:?}");
    }
    for asked in [
        ("", "pods", "CREATE"),
        ("", "pods", "DELETE"),
        ("", "pods/attach", "CONNECT"),
        ("", "pods/ephemeralcontainers", "UPDATE"),
        ("", "pods/eviction", "CREATE"),
        ("", "persistentvolumeclaims", "DELETE"),
        ("apps", "replicasets", "UPDATE"),
        ("apps", "replicasets/scale", "UPDATE"),
        ("policy", "poddisruptionbudgets", "DELETE"),
    ] {
        assert!(asks(&manifest, asked), "{asked:?}");
    }
    // What is asked about is sent whole, and what changes all the time is no change of anybody's.
    for not in [
        ("", "secrets", "UPDATE"),
        ("", "pods/status", "UPDATE"),
        ("", "namespaces", "CREATE"),
        ("", "events", "CREATE"),
    ] {
        assert!(!asks(&manifest, not), "{not:?}");
    }
}

/// A gate that is away must not take the cluster with it.
#[test]
fn the_clusters_manifest_lets_the_cluster_live() {
    let manifest = read("kubernetes.yaml");
    assert_eq!(manifest["kind"], "ValidatingWebhookConfiguration");
    let webhook = &manifest["webhooks"][0];
    for (field, value) in [("failurePolicy", "Ignore"), ("sideEffects", "NoneOnDryRun"), ("matchPolicy", "Equivalent")]
    {
        assert_eq!(webhook[field], value);
    }
    assert_eq!(webhook["timeoutSeconds"], 5);
    assert_eq!(webhook["admissionReviewVersions"], serde_json::json!(["v1"]));
    let spaces = words(&webhook["namespaceSelector"]["matchExpressions"][0]["values"]);
    assert!(spaces.contains(&"kube-system".to_owned()) && spaces.contains(&"wardroom".to_owned()));
    // Whom the server lets through unasked, the cluster does not even ask about: pods are made while Wardroom is away.
    let conditions = webhook["matchConditions"].as_array().unwrap().iter();
    let conditions: String = conditions.map(|one| one["expression"].as_str().unwrap()).collect();
    for unasked in [
        "system:node:",
        "system:nodes",
        "system:serviceaccount:kube-system:",
        "system:kube-controller-manager",
        "system:kube-scheduler",
        "system:apiserver",
    ] {
        assert!(conditions.contains(&format!("\"{unasked}\"")), "{unasked}");
    }
    assert_eq!(conditions.matches("\"system:").count(), 6, "and nobody else: {conditions}");
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

//! What people copy from `docs/gate/`: each is read as what runs it reads it, and the command in it is run as it stands there.
//! What it runs in (GitHub, GitLab, Argo CD, Terraform, Ansible, a cluster) is not here, so this is how far it goes.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::house::WARDROOM;

/// Reads a file of the folder, as JSON; of Terraform's own language, texts keep their quotation marks.
const READING: &str = "import json, sys\n\
    name = sys.argv[1]\n\
    if name.endswith('.tf'):\n\
    \x20   import hcl2\n\
    \x20   read = hcl2.load(open(name))\n\
    else:\n\
    \x20   import yaml\n\
    \x20   read = yaml.safe_load(open(name))\n\
    print(json.dumps(read))\n";

fn read(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/gate").join(name);
    let said = Command::new("python3").args(["-c", READING]).arg(&file).output().unwrap();
    assert!(said.status.success(), "{name}: {}", String::from_utf8_lossy(&said.stderr));
    serde_json::from_slice(&said.stdout).unwrap()
}

fn words(list: &Value) -> Vec<String> {
    let words = list.as_array().into_iter().flatten();
    words.map(|word| word.as_str().expect("a word is a text").to_owned()).collect()
}

/// A text in Terraform's own language, without its quotation marks.
fn unquoted(text: &Value) -> String {
    serde_json::from_str(text.as_str().expect("a text")).expect("it is quoted")
}

/// Runs a command as the snippet has it where nothing answers, and gives the number that it ends with.
fn run(program: &str, arguments: &[String], on_failure: &str) -> Option<i32> {
    let programs = Path::new(WARDROOM).parent().unwrap().display();
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap()));
    for (name, value) in [
        // Nobody listens on the discard port.
        ("WARDROOM_URL", "http://127.0.0.1:9"),
        ("WARDROOM_TOKEN", "wr_nobody"),
        ("WARDROOM_ON_BEHALF_OF", "sabrina@example.org"),
        ("WARDROOM_ON_FAILURE", on_failure),
        ("GITHUB_SHA", "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"),
        ("CI_COMMIT_SHORT_SHA", "f95f852b"),
        ("ACTION", "terraform apply in default"),
    ] {
        command.env(name, value);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("cannot decide"), "{program} {arguments:?}: {said}");
    output.status.code()
}

/// The command understands every flag, and where the gate is away it ends as the page says.
fn stops(program: &str, arguments: &[String]) {
    assert_eq!(run(program, arguments, "closed"), Some(4), "{program} {arguments:?}");
}

/// A line as the shell reads it that the surrounding has.
fn in_a_shell(line: &str) -> Vec<String> {
    assert!(line.starts_with("wardroom gate "), "{line}");
    vec!["-e".to_owned(), "-c".to_owned(), line.to_owned()]
}

#[test]
fn the_step_and_the_job_of_a_pipeline_ask_and_stop_it() {
    let actions = read("github-actions.yml");
    let steps = actions["jobs"]["deploy"]["steps"].as_array().unwrap();
    let asked = in_a_shell(steps[0]["run"].as_str().unwrap());
    assert_eq!(steps[0]["env"]["WARDROOM_ON_FAILURE"], "closed");
    stops("bash", &asked);
    assert_eq!(run("bash", &asked, "open"), Some(0), "somebody said that it should go on");

    let gitlab = read("gitlab-ci.yml");
    let lines = words(&gitlab["wardroom gate"]["script"]);
    lines.iter().for_each(|line| stops("bash", &in_a_shell(line)));
    assert_eq!(gitlab["deploy"]["needs"], serde_json::json!(["wardroom gate"]));
}

#[test]
fn what_runs_before_a_sync_an_apply_and_a_playbook_asks_and_stops_it() {
    let argo = read("argo-cd.yaml");
    assert_eq!(argo["metadata"]["annotations"]["argocd.argoproj.io/hook"], "PreSync");
    let container = &argo["spec"]["template"]["spec"]["containers"][0];
    let mut asked = words(&container["command"]);
    asked.extend(words(&container["args"]));
    stops(&asked[0], &asked[1..]);

    let terraform = read("terraform.tf");
    let gate = &terraform["resource"][0]["\"terraform_data\""]["\"gate\""];
    stops("sh", &in_a_shell(&unquoted(&gate["provisioner"][0]["\"local-exec\""]["command"])));
    assert_eq!(terraform["module"][0]["\"search\""]["depends_on"], serde_json::json!(["${terraform_data.gate}"]));

    let ansible = read("ansible.yml");
    let asked = words(&ansible[0]["pre_tasks"][0]["ansible.builtin.command"]["argv"]);
    stops(&asked[0], &asked[1..]);
    assert_eq!(ansible[0]["any_errors_fatal"], true);
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
    let rules = webhook["rules"].as_array().unwrap();
    let resources: Vec<String> = rules.iter().flat_map(|rule| words(&rule["resources"])).collect();
    assert!(resources.contains(&"deployments/scale".to_owned()));
    assert!(!resources.iter().any(|resource| resource.starts_with("secrets")), "what is asked about is sent whole");
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

//! The description of the API, held against what the server really answers: what is sent is described, and what is
//! described is sent.

mod everything;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use self::everything::{some_of_everything, stopped, told_of};
use crate::house::{House, Server};
use crate::on_both;

on_both!(what_is_answered_is_what_is_described, every_route_is_described_with_its_answer_and_who_may_ask);

/// A description that answers are held against.
struct Description {
    api: Value,
    /// Members of objects that some answer had, by the schema that describes them.
    seen: BTreeSet<(String, String)>,
}

impl Description {
    fn of(server: &Server) -> Self {
        Self { api: server.get("", "/api/v1/openapi.json").1, seen: BTreeSet::new() }
    }

    /// The schema of an answer.
    fn answer(&self, method: &str, path: &str, status: u16) -> Value {
        let responses = &self.api["paths"][path][method]["responses"];
        let told = [status.to_string(), "4XX".to_owned()];
        let described = told.iter().map(|status| &responses[status]).find(|described| described.is_object());
        let described = described.unwrap_or_else(|| panic!("{method} {path} {status} is not described: {responses}"));
        let content =
            described["content"].as_object().unwrap_or_else(|| panic!("{method} {path} {status} has no body"));
        content.values().next().unwrap()["schema"].clone()
    }

    /// Says where a value does not fit a schema. Stricter than JSON Schema: what is not described does not fit.
    fn fits(&mut self, schema: &Value, value: &Value, named: &str, at: &str) -> Result<(), String> {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.strip_prefix("#/components/schemas/").unwrap();
            let schema = self.api["components"]["schemas"][name].clone();
            assert!(schema.is_object(), "{name} is nowhere described");
            return self.fits(&schema, value, name, at);
        }
        for together in ["oneOf", "anyOf"] {
            if let Some(all) = schema[together].as_array() {
                let tried: Vec<_> = all.iter().map(|one| self.fits(one, value, named, at)).collect();
                if tried.iter().any(Result::is_ok) {
                    return Ok(());
                }
                return Err(tried.into_iter().filter_map(Result::err).collect::<Vec<_>>().join("; or "));
            }
        }
        if let Some(all) = schema["allOf"].as_array() {
            return all.iter().try_for_each(|one| self.fits(one, value, named, at));
        }
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            return Err(format!("{at}: {value} is none of {allowed:?}"));
        }
        self.fits_type(schema, value, named, at)
    }

    fn fits_type(&mut self, schema: &Value, value: &Value, named: &str, at: &str) -> Result<(), String> {
        let types: Vec<&str> = match &schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => return Ok(()), // Anything.
        };
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let fits = types.contains(&kind) || (kind == "integer" && types.contains(&"number"));
        if !fits {
            return Err(format!("{at}: {value} is no {types:?}"));
        }
        match value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .try_for_each(|(n, item)| self.fits(&schema["items"], item, named, &format!("{at}[{n}]"))),
            Value::Object(members) => self.fits_members(schema, members, named, at),
            _ => Ok(()),
        }
    }

    fn fits_members(
        &mut self,
        schema: &Value,
        members: &serde_json::Map<String, Value>,
        named: &str,
        at: &str,
    ) -> Result<(), String> {
        for required in schema["required"].as_array().into_iter().flatten() {
            if !members.contains_key(required.as_str().unwrap()) {
                return Err(format!("{at}: {required} is missing"));
            }
        }
        for (name, value) in members {
            let at = format!("{at}.{name}");
            let (described, more) = (&schema["properties"][name], &schema["additionalProperties"]);
            if described.is_null() && more.is_null() {
                return Err(format!("{at} is not described"));
            }
            self.fits(if described.is_null() { more } else { described }, value, named, &at)?;
            self.seen.insert((named.to_owned(), name.clone()));
        }
        Ok(())
    }

    /// Members of a described schema that no answer had.
    fn never_seen(&self, name: &str) -> Vec<String> {
        let described = self.api["components"]["schemas"][name]["properties"].as_object().cloned().unwrap_or_default();
        described
            .into_iter()
            .map(|(member, _)| member)
            .filter(|member| !self.seen.contains(&(name.to_owned(), member.clone())))
            .collect()
    }
}

/// A browser in which push could be turned on, with the keys of RFC 8291's example.
fn a_browser(name: &str) -> Value {
    json!({
        "endpoint": format!("https://push.example.org/{name}"),
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    })
}

/// Who reads what: its place in the description, and where it really is.
fn reads<'a>([mary, sabrina, ada]: [&'a str; 3], n: u64, secret: &Value) -> Vec<(&'a str, &'static str, String)> {
    vec![
        (mary, "/api/v1/incidents", "/api/v1/incidents?ended_below=9".to_owned()),
        (mary, "/api/v1/incidents/{number}", format!("/api/v1/incidents/{n}")),
        (mary, "/api/v1/incidents/{number}", format!("/api/v1/incidents/{}", secret)),
        (sabrina, "/api/v1/incidents/{number}", format!("/api/v1/incidents/{n}")),
        (mary, "/api/v1/incidents/{number}/events", format!("/api/v1/incidents/{n}/events")),
        (sabrina, "/api/v1/incidents/{number}/briefing", format!("/api/v1/incidents/{n}/briefing?since=1")),
        (mary, "/api/v1/incidents/{number}/mark", format!("/api/v1/incidents/{n}/mark?at=3")),
        (mary, "/api/v1/incidents/{number}/written", format!("/api/v1/incidents/{n}/written")),
        (mary, "/api/v1/incidents/{number}/changes", format!("/api/v1/incidents/{n}/changes")),
        (mary, "/api/v1/incidents/{number}/sightings", format!("/api/v1/incidents/{n}/sightings")),
        (mary, "/api/v1/gate", "/api/v1/gate".to_owned()),
        (mary, "/api/v1/incidents/{number}/stops", format!("/api/v1/incidents/{n}/stops")),
        (mary, "/api/v1/incidents/{number}/evidence", format!("/api/v1/incidents/{n}/evidence")),
        (mary, "/api/v1/incidents/{number}/document.md", format!("/api/v1/incidents/{n}/document.md")),
        (mary, "/api/v1/incidents/{number}/document.html", format!("/api/v1/incidents/{n}/document.html?timeline=1")),
        (mary, "/api/v1/next", "/api/v1/next".to_owned()),
        (sabrina, "/api/v1/next", "/api/v1/next".to_owned()),
        (mary, "/api/v1/me", "/api/v1/me".to_owned()),
        (mary, "/api/v1/directory", "/api/v1/directory".to_owned()),
        (ada, "/api/v1/directory", "/api/v1/directory".to_owned()),
        (ada, "/api/v1/people", "/api/v1/people".to_owned()),
        (ada, "/api/v1/audit", "/api/v1/audit?limit=200".to_owned()),
        (ada, "/api/v1/settings", "/api/v1/settings".to_owned()),
        (mary, "/api/v1/tokens", "/api/v1/tokens".to_owned()),
        (ada, "/api/v1/tokens", "/api/v1/tokens?all=true".to_owned()),
        (mary, "/api/v1/sessions", "/api/v1/sessions".to_owned()),
        (mary, "/api/v1/passkeys", "/api/v1/passkeys".to_owned()),
        (mary, "/api/v1/me/reach", "/api/v1/me/reach".to_owned()),
        (mary, "/readyz", "/readyz".to_owned()),
        (mary, "/api/v1/incidents/{number}", "/api/v1/incidents/99".to_owned()),
    ]
}

/// Who writes what, and where.
fn writes([mary, sabrina, ada]: [&str; 3], n: u64) -> Vec<(&str, &'static str, String, Value)> {
    vec![
        (mary, "/api/v1/incidents", "/api/v1/incidents".to_owned(), json!({ "title": "Again" })),
        (
            mary,
            "/api/v1/incidents/{number}/commands",
            format!("/api/v1/incidents/{n}/commands"),
            json!({ "command": "note", "text": "x" }),
        ),
        (
            mary,
            "/api/v1/incidents/{number}/evidence/fetch",
            format!("/api/v1/incidents/{n}/evidence/fetch"),
            json!({ "url": "https://graphs.example.org/search.png" }),
        ),
        (
            sabrina,
            "/api/v1/incidents/{number}/commands",
            format!("/api/v1/incidents/{n}/commands"),
            json!({ "command": "set_severity", "severity": "sev1" }),
        ),
        (
            ada,
            "/api/v1/directory/commands",
            "/api/v1/directory/commands".to_owned(),
            json!({ "command": "add_person", "handle": "ivan", "name": "Ivan" }),
        ),
        (
            ada,
            "/api/v1/directory/preview",
            "/api/v1/directory/preview".to_owned(),
            json!({ "format": "csv", "file": "handle,name,teams\nemma,Emma,sre\n" }),
        ),
        (mary, "/api/v1/incidents/{number}/invites", format!("/api/v1/incidents/{n}/invites"), json!({ "hours": 1 })),
        (mary, "/api/v1/me/reach/browsers", "/api/v1/me/reach/browsers".to_owned(), a_browser("another")),
        (ada, "/api/v1/people/{handle}/link", "/api/v1/people/mary/link".to_owned(), json!({})),
        (
            mary,
            "/api/v1/gate",
            "/api/v1/gate".to_owned(),
            json!({ "services": ["search"], "what": "deploy v12", "dry_run": true }),
        ),
        (ada, "/api/v1/gate", "/api/v1/gate".to_owned(), json!({ "services": ["search"], "what": "deploy v12" })),
        (
            ada,
            "/api/v1/gate/ended",
            "/api/v1/gate/ended".to_owned(),
            json!({ "services": ["search"], "what": "deploy v12", "ended": "done" }),
        ),
        (
            sabrina,
            "/api/v1/services/{service}/good",
            "/api/v1/services/search/good".to_owned(),
            json!({ "version": "v11" }),
        ),
        (
            sabrina,
            "/api/v1/services/{service}/preserve",
            "/api/v1/services/search/preserve".to_owned(),
            json!({ "keep": [{ "what": "pods", "how": "kubectl get pods" }] }),
        ),
        (
            mary,
            "/api/v1/incidents/{number}/prompts",
            format!("/api/v1/incidents/{n}/prompts"),
            json!({ "act": "prompt", "nudge": { "of": "doing_both" } }),
        ),
    ]
}

/// What is described here is sent in every member, somewhere in the story below.
const WHOLE: &[&str] = &[
    "IncidentView",
    "Row",
    "Happened",
    "RoleView",
    "SightingView",
    "Sightings",
    "ToldAnswer",
    "PermissionView",
    "PermissionAskView",
    "GateAnswer",
    "GateEnded",
    "StopView",
    "GateReport",
    "GatedView",
    "StoppedView",
    "Stops",
    "StoppedHereView",
    "OfferView",
    "ResponderView",
    "RoadblockView",
    "CriterionView",
    "TodoView",
    "EvidenceView",
    "WorthView",
    "WorthKeepingView",
    "MayAdd",
    "DocumentView",
    "StampView",
    "WrittenView",
    "WrittenPartView",
    "InviteView",
    "ClockView",
    "PostView",
    "PersonView",
    "AccessView",
    "AuditPage",
    "AuditEntry",
    "Preview",
    "SettingsView",
    "SettingView",
    "TokenList",
    "TokenView",
    "TooMuchView",
    "TeamView",
    "ServiceView",
    "Named",
    "Me",
    "Steps",
    "PromptAnswer",
    "Changed",
    "NewLink",
    "Readiness",
    "PushView",
    "BrowserView",
];

fn what_is_answered_is_what_is_described(house: House) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let ada = house.admin("ada");
    let server = house.serve();
    let n = some_of_everything(&house, &server, &mary, &sabrina);
    let (_, secret) = server.post(&mary, "/api/v1/incidents", json!({ "title": "A leaked key", "restricted": true }));
    server.done(&mary, n, json!({ "command": "add_member", "role": "operations", "person": "sabrina" }));
    let mut description = Description::of(&server);
    let told = told_of(&house, &server, &mary, n);
    let asking = json!({ "command": "ask_permission", "services": ["search"], "what": "restart it once more" });
    server.done(&ada, n, asking);
    stopped(&server, &ada);
    let schema = description.answer("post", "/api/v1/changes", 200);
    description.fits(&schema, &told, "/api/v1/changes", "telling").unwrap();
    for (token, path, real) in reads([&mary, &sabrina, &ada], n, &secret["incident"]) {
        let (status, answer) = server.get(token, &real);
        let schema = description.answer("get", path, status);
        description.fits(&schema, &answer, path, &real).unwrap_or_else(|why| panic!("{why}\n{answer:#}"));
    }
    for (token, path, real, body) in writes([&mary, &sabrina, &ada], n) {
        let (status, answer) = match path {
            "/api/v1/directory/preview"
            | "/api/v1/incidents/{number}/prompts"
            | "/api/v1/gate"
            | "/api/v1/gate/ended" => server.send(token, &real, body.to_string().as_bytes()).unwrap(),
            _ => server.post(token, &real, body),
        };
        let schema = description.answer("post", path, status);
        description.fits(&schema, &answer, path, &real).unwrap_or_else(|why| panic!("{why}\n{answer:#}"));
    }
    let stream = server.follow(&mary, "");
    server.done(&mary, n, json!({ "command": "note", "text": "live" }));
    let schema = description.answer("get", "/api/v1/events", 200);
    description.fits(&schema, &stream.next_note(), "/api/v1/events", "the stream").unwrap();
    for name in WHOLE {
        assert_eq!(description.never_seen(name), [""; 0], "{name} describes what is never sent");
    }
}

fn every_route_is_described_with_its_answer_and_who_may_ask(house: House) {
    let server = house.serve();
    let Description { api, .. } = Description::of(&server);
    let ways = api["components"]["securitySchemes"].as_object().unwrap();
    assert_eq!((&ways["token"]["type"], &ways["token"]["scheme"]), (&json!("http"), &json!("bearer")));
    let mut open = Vec::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            for (status, response) in responses.iter().filter(|(status, _)| status.starts_with('2')) {
                let told = response["content"].is_object();
                assert!(told != (status == "204"), "{method} {path} {status}: {response}");
            }
            match operation["security"].as_array() {
                None => open.push(format!("{method} {path}")),
                Some(by) => {
                    let named = |way: &Value| way.as_object().unwrap().keys().all(|name| ways.contains_key(name));
                    assert!(!by.is_empty() && by.iter().all(named), "{method} {path}: {by:?}");
                    // Whoever is not signed in is told so, whatever else they send.
                    let real = path
                        .replace("{number}", "1")
                        .replace("{id}", "019ac1f0-8a4e-7c63-9d5b-3a1f0c2e4b77")
                        .replace("{handle}", "mary");
                    let ask = format!(
                        "{} {real} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
                        method.to_uppercase()
                    );
                    let answer = crate::house::raw(&server.url, &ask);
                    assert!(answer.starts_with("HTTP/1.1 401"), "{method} {path}: {answer}");
                }
            }
        }
    }
    open.sort();
    assert_eq!(
        open,
        [
            "delete /api/v1/session",
            "get /healthz",
            "get /metrics",
            "get /readyz",
            "post /api/v1/admission/{token}",
            "post /api/v1/guest",
            "post /api/v1/guest/look",
            "post /api/v1/session",
            "post /api/v1/session/passkey",
            "post /api/v1/session/passkey/challenge",
            "post /api/v1/welcome",
            "post /api/v1/welcome/look"
        ]
    );
}

//! The settings as an admin may read them: each with its value and where that comes from, and no secret.

use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;

use super::Settings;

/// Where a setting's value comes from.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Typed at the start.
    Flag,
    /// A `WARDROOM_*` variable.
    Variable,
    /// The settings file.
    File,
    /// Nobody said otherwise.
    Default,
}

/// A setting, as it is shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Setting {
    /// Its key in the file; the flag and the variable are called likewise.
    pub name: String,
    /// What is in force; nothing where it is not used.
    pub value: Option<String>,
    /// Where that comes from.
    pub from: Source,
}

/// Every setting there is: what is in force, with where each comes from. `typed` says which flags were typed.
pub(super) fn shown(
    in_force: &Settings,
    given: &Settings,
    file: &Settings,
    typed: impl Fn(&str) -> bool,
) -> Vec<Setting> {
    let [in_force, given, file] =
        [in_force, given, file].map(|settings| serde_json::to_value(settings).expect("settings are plain data"));
    let Value::Object(all) = in_force else { unreachable!("settings are an object") };
    let setting = |(name, value): (String, Value)| {
        let from = match (given[&name].is_null(), file[&name].is_null()) {
            (false, _) if typed(&name) => Source::Flag,
            (false, _) => Source::Variable,
            (true, false) => Source::File,
            (true, true) => Source::Default,
        };
        // What one place names goes before what another does: the file's folder, where a database is named.
        let from = if value.is_null() { Source::Default } else { from };
        Setting { value: without_secrets(&name, &value), name, from }
    };
    all.into_iter().map(setting).collect()
}

/// A value without the passwords that it may hold.
fn without_secrets(name: &str, value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if name == "database" {
        return Some(database(&text));
    }
    if let ("capture", Value::Array(all)) = (name, value) {
        // Its arguments may hold anything.
        let name = |one: &Value| one.as_str().and_then(|one| one.split('=').next()).unwrap_or_default().to_owned();
        return Some(all.iter().map(name).collect::<Vec<_>>().join(", "));
    }
    if ["password", "secret", "token"].iter().any(|word| name.contains(word)) {
        return Some("set, and not shown".to_owned());
    }
    // An address may have a password before its “@”, or one behind its “?”.
    let Some((scheme, rest)) = text.split_once("://") else { return Some(text) };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    Some(format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host)))
}

/// Where a database is, and as whom; not by which password.
fn database(url: &str) -> String {
    let Ok(config) = tokio_postgres::Config::from_str(url) else { return "set, and not shown".to_owned() };
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            tokio_postgres::config::Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
        })
        .collect();
    let ports: Vec<String> = config.get_ports().iter().map(|port| format!(":{port}")).collect();
    let user = config.get_user().map(|user| format!("{user}@")).unwrap_or_default();
    let (hosts, ports) = (hosts.join(","), ports.join(","));
    format!("postgres://{user}{hosts}{ports}/{}", config.get_dbname().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        Settings::from_toml(text).unwrap()
    }

    #[test]
    fn every_setting_is_shown_with_where_it_comes_from() {
        let given = settings("listen = '127.0.0.1:1'\nlog = 'warn'");
        let file = settings("log = 'info'\nlog_format = 'json'\ndata = '/srv'");
        let in_force = settings("listen = '127.0.0.1:1'\nlog = 'warn'\nlog_format = 'json'\ndata = '/srv'");
        let all = shown(&in_force, &given, &file, |name| name == "listen");
        let names = serde_json::to_value(Settings::default()).unwrap();
        assert_eq!(all.len(), names.as_object().unwrap().len());
        let from = |name: &str| all.iter().find(|setting| setting.name == name).unwrap().from;
        assert_eq!(from("listen"), Source::Flag);
        assert_eq!(from("log"), Source::Variable);
        assert_eq!(from("log_format"), Source::File);
        assert_eq!(from("max_connections"), Source::Default);
    }

    #[test]
    fn no_password_is_shown_wherever_it_stands() {
        for (name, value) in [
            ("database", "postgres://ada:hunter2@db.example.org:5433/wardroom"),
            ("database", "host=db.example.org user=ada password=hunter2 dbname=wardroom"),
            ("database", "postgres://db.example.org/wardroom?user=ada&password=hunter2"),
            ("database", "postgres://ada:hunter2@[nonsense"),
            ("smtp_url", "smtps://ada:hunter2@mail.example.org"),
            ("relay", "smtps://mail.example.org?password=hunter2"),
            ("relay_password", "hunter2"),
        ] {
            let shown = without_secrets(name, &Value::from(value)).unwrap();
            assert!(!shown.contains("hunter2") && !shown.is_empty(), "{shown}");
        }
        let shown = without_secrets("database", &Value::from("postgres://ada:x@db.example.org:5433/wardroom"));
        assert_eq!(shown.as_deref(), Some("postgres://ada@db.example.org:5433/wardroom"));
    }
}

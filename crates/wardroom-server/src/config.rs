//! Settings: every one as a flag, a `WARDROOM_*` variable or a TOML key, in this order of precedence.

mod at_most;
mod github;
mod limits;
mod lists;
mod shown;
mod store;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches};
use serde::{Deserialize, Serialize};
use wardroom_core::text::repeated;

pub use self::at_most::AtMost;
pub use self::limits::Limits;
pub use self::shown::{Setting, Source};
pub use self::store::StoreArgs;
use crate::admission::exempt::Exempt;
use crate::evidence::KeptAt;
use crate::fetch::Listed;
use crate::file;
use crate::log::Place;
use crate::preserving::{Capture, Captures, Several};
use crate::public_url::PublicUrl;
use crate::reach::Outside;

/// How log lines are written.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// For machines: one JSON object per line.
    Json,
}

/// What `wardroom serve` can be told, and which of it was typed rather than found in a variable.
#[derive(Clone, Debug, Default)]
pub struct ServeArgs {
    given: Given,
    typed: BTreeSet<String>,
}

impl FromArgMatches for ServeArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = Given::from_arg_matches(matches)?;
        let typed = |id: &&clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
        let ids: Vec<clap::Id> = matches.ids().cloned().collect();
        Ok(Self { given, typed: ids.iter().filter(typed).map(ToString::to_string).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for ServeArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        Given::augment_args(command)
    }
    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Given::augment_args_for_update(command)
    }
}

/// The flags and variables of `wardroom serve`.
#[derive(Clone, Debug, Default, clap::Args)]
struct Given {
    #[command(flatten)]
    store: StoreArgs,
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "WARDROOM_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Log lines for people or for machines [default: human]
    #[arg(long, env = "WARDROOM_LOG_FORMAT", value_enum)]
    log_format: Option<LogFormat>,
    /// Which log lines, as in `info` or `warn,wardroom_server=debug` [default: what a person on call wants]
    #[arg(long, env = "WARDROOM_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// Connections at once; further ones wait to be accepted [default: 4096]
    #[arg(long, env = "WARDROOM_MAX_CONNECTIONS", value_name = "N")]
    max_connections: Option<AtMost>,
    /// Connections at once of one address; those of this machine, such as a proxy's, are not counted [default: 1024]
    #[arg(long, env = "WARDROOM_MAX_CONNECTIONS_PER_ADDRESS", value_name = "N")]
    max_connections_per_address: Option<AtMost>,
    /// Live streams at once of one person [default: 1000]
    #[arg(long, env = "WARDROOM_MAX_STREAMS_PER_PERSON", value_name = "N")]
    max_streams_per_person: Option<AtMost>,
    /// What all evidence of one incident may weigh together, in MiB [default: 10240]
    #[arg(long, env = "WARDROOM_MAX_EVIDENCE_PER_INCIDENT", value_name = "MIB")]
    max_evidence_per_incident: Option<AtMost>,
    /// How often one token may ask the gate, a second, over a minute [default: 100]
    #[arg(long, env = "WARDROOM_MAX_GATE_ASKS_PER_SECOND", value_name = "N")]
    max_gate_asks_per_second: Option<AtMost>,
    /// Where people find this server, such as https://wardroom.example.org; passkeys are bound to its name [default: where
    /// the browser found it]
    #[arg(long, env = "WARDROOM_PUBLIC_URL", value_name = "URL")]
    public_url: Option<PublicUrl>,
    /// Certificate chain for TLS, in PEM; read anew when it changes [default: no TLS]
    #[arg(long, env = "WARDROOM_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM
    #[arg(long, env = "WARDROOM_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Relay for mail: smtps://user:password@host, or smtp://host:25 [default: no mail]
    #[arg(long, env = "WARDROOM_SMTP_URL", value_name = "URL", hide_env_values = true)]
    smtp_url: Option<String>,
    /// Address that mail is from
    #[arg(long, env = "WARDROOM_MAIL_FROM", value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// Let people's pagers and push services be on this machine or in its private networks, and without TLS
    #[arg(long, env = "WARDROOM_PRIVATE_ENDPOINTS")]
    private_endpoints: bool,
    /// Whom of a cluster the gate does not ask, beside what runs the cluster itself, such as
    /// system:serviceaccount:argo:*,group:robots [default: nobody else]
    #[arg(long, env = "WARDROOM_GATE_EXEMPT", value_name = "NAMES")]
    gate_exempt: Option<String>,
    /// What GitHub signs the webhooks with that tell of deployments; two, parted by a space, while one takes the other's
    /// place [default: none are heard]
    #[arg(long, env = "WARDROOM_GITHUB_SECRET", value_name = "SECRET", hide_env_values = true)]
    github_secret: Option<String>,
    /// Hosts from which evidence is fetched by its URL, and addresses or networks of this house that they may lead to, such
    /// as graphs.example.org,prometheus:9090,10.0.0.0/8 [default: nothing is fetched]
    #[arg(long, env = "WARDROOM_FETCH_FROM", value_name = "HOSTS")]
    fetch_from: Option<Listed>,
    /// A program that keeps what is worth keeping, where `wardroom service preserve` names it as capture:NAME: an absolute path and
    /// its arguments, parted by spaces, such as pods=/usr/local/bin/pods --wide; can be repeated, or parted by semicolons.
    /// It has SERVICE and INCIDENT in its environment, and 30 seconds [default: none]
    #[arg(long, env = "WARDROOM_CAPTURE", value_name = "NAME=PROGRAM")]
    capture: Option<Vec<Several>>,
    /// File with these settings as TOML keys: data, database, evidence, listen, log_format, log, max_connections,
    /// max_connections_per_address, max_streams_per_person, max_evidence_per_incident, max_gate_asks_per_second,
    /// public_url, tls_cert, tls_key, smtp_url, mail_from, private_endpoints, gate_exempt, github_secret, fetch_from, capture
    #[arg(long, env = "WARDROOM_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The largest settings file that is read, in bytes.
pub const SETTINGS_BYTES_MAX: usize = 64 << 10;

/// What the settings file says: its keys are those of the flags.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    data: Option<PathBuf>,
    database: Option<String>,
    evidence: Option<String>,
    listen: Option<SocketAddr>,
    log_format: Option<LogFormat>,
    log: Option<String>,
    max_connections: Option<AtMost>,
    max_connections_per_address: Option<AtMost>,
    max_streams_per_person: Option<AtMost>,
    max_evidence_per_incident: Option<AtMost>,
    max_gate_asks_per_second: Option<AtMost>,
    public_url: Option<PublicUrl>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    smtp_url: Option<String>,
    mail_from: Option<String>,
    private_endpoints: Option<bool>,
    gate_exempt: Option<String>,
    github_secret: Option<String>,
    fetch_from: Option<Listed>,
    capture: Option<Vec<Capture>>,
}

/// The URLs of the database and of the mail relay may hold a password.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Settings(…)")
    }
}

impl Settings {
    /// Reads the file's text, of at most [`SETTINGS_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// A sentence that names the line. It repeats nothing of the line but names: the database's URL may hold a
    /// password, and what a start complains of ends in a log.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        if text.len() > SETTINGS_BYTES_MAX {
            return Err(format!("the file has more than {SETTINGS_BYTES_MAX} bytes"));
        }
        toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map(|before| format!("line {}: ", before.matches('\n').count() + 1));
            repeated(&format!("{}{}", line.unwrap_or_default(), without_value(error.message())))
        })
    }

    fn read(path: &Path) -> anyhow::Result<Self> {
        let text = file::read(path, SETTINGS_BYTES_MAX as u64)
            .map_err(|error| anyhow::anyhow!("the settings in {} cannot be read: {error}", path.display()))?;
        Self::from_toml(&text).map_err(|why| anyhow::anyhow!("the settings in {} do not fit: {why}", path.display()))
    }
}

/// What the parser says, without the value that it says it of.
fn without_value(message: &str) -> String {
    let of_a_value = ["invalid type", "invalid value", "invalid length", "unknown variant"];
    match message.rsplit_once(", expected ") {
        Some((why, expected)) if of_a_value.iter().any(|begins| why.starts_with(begins)) => {
            format!("its value does not fit; expected is {expected}")
        }
        _ => message.to_owned(),
    }
}

/// Wardroom's own news, and what other libraries warn of.
const LOG: &str = "warn,wardroom=info,wardroom_server=info";

/// The settings of a server, settled.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the log is kept.
    pub place: Place,
    /// Where evidence is kept.
    pub evidence: KeptAt,
    /// Where to listen.
    pub listen: SocketAddr,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// Which log lines.
    pub log: String,
    /// What one server, address or person may hold at once.
    pub limits: Limits,
    /// Where people find this server, if that is settled.
    pub public_url: Option<PublicUrl>,
    /// What TLS is spoken with, if it is.
    pub tls: Option<TlsFiles>,
    /// Whom of a cluster's own the gate does not ask.
    pub exempt: Exempt,
    /// The same, as it was written.
    pub gate_exempt: Option<String>,
    /// With what GitHub signs what it tells.
    pub github_secrets: Vec<String>,
    /// From where evidence is fetched.
    pub fetch_from: Listed,
    /// What may be run to keep something.
    pub captures: Captures,
    /// All of it as an admin may read it: with where each comes from, and without secrets.
    pub shown: Vec<Setting>,
    /// How people outside are reached.
    pub outside: Outside,
}

/// Where a certificate and its key lie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl ServeArgs {
    /// Settles the flags and variables with the file, if one is named.
    ///
    /// # Errors
    /// A file that cannot be read, or that has keys or values that are none.
    pub fn settle(self) -> anyhow::Result<Config> {
        let Self { given, typed } = self;
        let file = given.config.as_deref().map(Settings::read).transpose()?.unwrap_or_default();
        let given = given.settings().without_unset_lists(|name| typed.contains(name));
        let store = if given.data.is_some() || given.database.is_some() { &given } else { &file };
        let evidence = given.evidence.clone().or(file.evidence.clone());
        let store = StoreArgs { data: store.data.clone(), database: store.database.clone(), evidence };
        if store.data.is_some() && store.database.is_some() {
            anyhow::bail!("name either a data folder or a database, not both");
        }
        let both = given.clone().or(file.clone());
        let tls = match (both.tls_cert, both.tls_key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
            _ => anyhow::bail!(
                "TLS takes both a certificate (--tls-cert) and its key (--tls-key); name both, or neither"
            ),
        };
        let private = both.private_endpoints.unwrap_or_default();
        let outside = Outside::settle(both.public_url.as_ref(), both.smtp_url, both.mail_from, private)?;
        let names = both.gate_exempt.as_deref().unwrap_or_default();
        let exempt = Exempt::also(names).map_err(|why| anyhow::anyhow!("--gate-exempt does not fit: {why}"))?;
        let github_secrets = github::secrets(both.github_secret.as_deref().unwrap_or_default())?;
        let usual = Limits::default();
        let mut config = Config {
            tls,
            outside,
            public_url: both.public_url,
            place: store.place(),
            evidence: store.kept_at()?,
            listen: both.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            log_format: both.log_format.unwrap_or_default(),
            log: both.log.unwrap_or_else(|| LOG.to_owned()),
            limits: Limits {
                connections: both.max_connections.unwrap_or(usual.connections),
                connections_per_address: both.max_connections_per_address.unwrap_or(usual.connections_per_address),
                streams_per_person: both.max_streams_per_person.unwrap_or(usual.streams_per_person),
                evidence_per_incident: both.max_evidence_per_incident.unwrap_or(usual.evidence_per_incident),
                gate_asks_per_second: both.max_gate_asks_per_second.unwrap_or(usual.gate_asks_per_second),
            },
            exempt,
            gate_exempt: both.gate_exempt,
            github_secrets,
            fetch_from: both.fetch_from.unwrap_or_default(),
            captures: Captures::of(both.capture.unwrap_or_default()).map_err(|why| anyhow::anyhow!("{why}"))?,
            shown: Vec::new(),
        };
        config.shown = shown::shown(&config.settings(), &given, &file, |name| typed.contains(name));
        Ok(config)
    }
}

impl Given {
    /// What was given, as the file would say it.
    fn settings(self) -> Settings {
        Settings {
            data: self.store.data,
            database: self.store.database,
            evidence: self.store.evidence,
            listen: self.listen,
            log_format: self.log_format,
            log: self.log,
            max_connections: self.max_connections,
            max_connections_per_address: self.max_connections_per_address,
            max_streams_per_person: self.max_streams_per_person,
            max_evidence_per_incident: self.max_evidence_per_incident,
            max_gate_asks_per_second: self.max_gate_asks_per_second,
            public_url: self.public_url,
            tls_cert: self.tls_cert,
            tls_key: self.tls_key,
            smtp_url: self.smtp_url,
            mail_from: self.mail_from,
            private_endpoints: self.private_endpoints.then_some(true),
            gate_exempt: self.gate_exempt,
            github_secret: self.github_secret,
            fetch_from: self.fetch_from,
            capture: self.capture.map(|each| each.into_iter().flat_map(|Several(all)| all).collect()),
        }
    }
}

impl Settings {
    /// These, and what they leave out as others say it.
    fn or(self, others: Self) -> Self {
        Self {
            data: self.data.or(others.data),
            database: self.database.or(others.database),
            evidence: self.evidence.or(others.evidence),
            listen: self.listen.or(others.listen),
            log_format: self.log_format.or(others.log_format),
            log: self.log.or(others.log),
            max_connections: self.max_connections.or(others.max_connections),
            max_connections_per_address: self.max_connections_per_address.or(others.max_connections_per_address),
            max_streams_per_person: self.max_streams_per_person.or(others.max_streams_per_person),
            max_evidence_per_incident: self.max_evidence_per_incident.or(others.max_evidence_per_incident),
            max_gate_asks_per_second: self.max_gate_asks_per_second.or(others.max_gate_asks_per_second),
            public_url: self.public_url.or(others.public_url),
            tls_cert: self.tls_cert.or(others.tls_cert),
            tls_key: self.tls_key.or(others.tls_key),
            smtp_url: self.smtp_url.or(others.smtp_url),
            mail_from: self.mail_from.or(others.mail_from),
            private_endpoints: self.private_endpoints.or(others.private_endpoints),
            gate_exempt: self.gate_exempt.or(others.gate_exempt),
            github_secret: self.github_secret.or(others.github_secret),
            fetch_from: self.fetch_from.or(others.fetch_from),
            capture: self.capture.or(others.capture),
        }
    }
}

impl Config {
    /// What is in force, as a file would say it.
    fn settings(&self) -> Settings {
        let (data, database) = match &self.place {
            Place::Folder(folder) => (Some(folder.clone()), None),
            Place::Postgres(url) => (None, Some(url.clone())),
        };
        Settings {
            data,
            database,
            evidence: (self.evidence != KeptAt::Nowhere).then(|| self.evidence.to_string()),
            listen: Some(self.listen),
            log_format: Some(self.log_format),
            log: Some(self.log.clone()),
            max_connections: Some(self.limits.connections),
            max_connections_per_address: Some(self.limits.connections_per_address),
            max_streams_per_person: Some(self.limits.streams_per_person),
            max_evidence_per_incident: Some(self.limits.evidence_per_incident),
            max_gate_asks_per_second: Some(self.limits.gate_asks_per_second),
            public_url: self.public_url.clone(),
            tls_cert: self.tls.as_ref().map(|tls| tls.certificate.clone()),
            tls_key: self.tls.as_ref().map(|tls| tls.key.clone()),
            smtp_url: self.outside.mail.as_ref().map(|relay| relay.url.clone()),
            mail_from: self.outside.mail.as_ref().map(|relay| relay.from.clone().into()),
            private_endpoints: Some(self.outside.private_endpoints),
            gate_exempt: self.gate_exempt.clone(),
            github_secret: (!self.github_secrets.is_empty()).then(|| self.github_secrets.join(" ")),
            fetch_from: Some(self.fetch_from.clone()).filter(|listed| !listed.as_written().is_empty()),
            capture: Some(self.captures.all()).filter(|all| !all.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests;

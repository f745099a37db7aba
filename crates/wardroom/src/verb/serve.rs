//! `wardroom serve`.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use wardroom_server::account::link::MadeLink;
use wardroom_server::config::{Config, LogFormat, ServeArgs};
use wardroom_server::log::Place;
use wardroom_server::server;

/// Serves until it is told to stop.
pub fn serve(arguments: ServeArgs, json: bool) -> anyhow::Result<()> {
    let config = arguments.settle()?;
    start_logging(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before anybody is told that it is there: whoever has it stopped at once would have cut it off.
        let stop = told_to_stop()?;
        let listener = tokio::net::TcpListener::bind(config.listen)
            .await
            .map_err(|error| anyhow::anyhow!("cannot listen on {}: {error}", config.listen))?;
        let address = listener.local_addr()?;
        let place = config.place.clone();
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        // Where it is found, it is known by its name: a certificate holds for that.
        let found = config.public_url.as_ref().map_or_else(|| url(scheme, address), |url| url.origin().to_owned());
        let config = config.claim()?;
        if !json {
            println!("Wardroom listens on {scheme}://{address}");
        }
        let ready = move |link: Option<MadeLink>| {
            if json {
                let welcome = link.map(|link| format!("{found}{}", link.path));
                super::print_json(&json!({ "url": format!("{scheme}://{address}"), "welcome": welcome }));
            } else {
                say_what_to_do_next(&place, &found, link);
            }
        };
        server::run(config, listener, ready, stop).await
    })
}

/// What is logged, as the settings have it; of libraries that write secrets into the log at most what they have to say
/// to everybody: parameters of statements, addresses that are secrets themselves.
fn filter(log: &str) -> anyhow::Result<EnvFilter> {
    let filter =
        EnvFilter::try_new(log).map_err(|error| anyhow::anyhow!("the log filter “{log}” cannot be read: {error}"))?;
    let bounds = ["tokio_postgres=info", "postgres_protocol=info", "ureq=info", "ureq_proto=info"];
    Ok(bounds
        .into_iter()
        .fold(filter, |filter, bound| filter.add_directive(bound.parse().expect("a directive that stands here"))))
}

fn start_logging(config: &Config) -> anyhow::Result<()> {
    let filter = filter(&config.log)?;
    let colours = crate::show::colours(&std::io::stderr());
    // Where log lines go may be full too. Saying so there would be a panic in the middle of whatever was under way.
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .log_internal_errors(false);
    match config.log_format {
        LogFormat::Human => lines.with_target(false).init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}

/// From now on these signals end the server and no longer the process; resolves at the first of them.
fn told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Where a browser on this machine finds a server that listens there.
fn url(scheme: &str, mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::from([127, 0, 0, 1]));
    }
    format!("{scheme}://{address}")
}

fn say_what_to_do_next(place: &Place, url: &str, link: Option<MadeLink>) {
    let store = match place {
        Place::Folder(folder) => format!("--data {}", folder.display()),
        Place::Postgres(_) => "--database …".to_owned(),
    };
    let come_in = match link {
        Some(MadeLink { path, .. }) => format!(
            "There is no admin yet. Open this link in a browser and become the first; it is good once, and for an hour:

    {url}{path}"
        ),
        None => format!("Open {url} in a browser and sign in."),
    };
    let said = format!(
        "
{come_in}

In another terminal (`wardroom` is target/debug/wardroom after `make run`):
  Let somebody in         wardroom person add mary --name \"Mary\" {store}
                          wardroom person link mary {store}
  Act from a terminal     export WARDROOM_TOKEN=$(wardroom token create mary {store} | awk '{{print $NF}}')
                          wardroom declare \"What is wrong\" --severity sev2

Or see a whole incident first, and take command in it: wardroom demo

"
    );
    // Whoever started it may have read the first line and gone; the server goes on.
    let _ = std::io::stdout().write_all(said.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At debug the database's client writes the parameters of every statement.
    #[test]
    fn libraries_that_write_secrets_are_kept_short() {
        for asked in ["debug", "tokio_postgres=trace,ureq=debug"] {
            let kept = filter(asked).unwrap().to_string();
            assert!(kept.contains("tokio_postgres=info") && kept.contains("ureq=info"), "{kept}");
            assert!(!kept.contains("tokio_postgres=trace") && !kept.contains("ureq=debug"), "{kept}");
        }
        assert!(filter("wardroom=loud").is_err());
    }
}

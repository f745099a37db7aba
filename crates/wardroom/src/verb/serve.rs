//! `wardroom serve`.

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
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
        if json {
            super::print_json(&json!({ "url": format!("http://{address}") }));
        } else {
            say_what_to_do_next(&config, address);
        }
        server::run(config, listener, stop).await
    })
}

fn start_logging(config: &Config) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log)
        .map_err(|error| anyhow::anyhow!("the log filter “{}” cannot be read: {error}", config.log))?;
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

fn say_what_to_do_next(config: &Config, address: std::net::SocketAddr) {
    let store = match &config.place {
        Place::Folder(folder) => format!("--data {}", folder.display()),
        Place::Postgres(_) => "--database …".to_owned(),
    };
    println!(
        "Wardroom listens on http://{address}

In another terminal (`wardroom` is target/debug/wardroom after `make run`):
  1. Add yourself         wardroom person add you --name \"Your name\" --admin {store}
  2. Get a token          export WARDROOM_TOKEN=$(wardroom token create you --scope admin {store} | awk '{{print $NF}}')
  3. Declare              wardroom declare \"What is wrong\" --severity sev2
  4. See what is next     wardroom next

Or see a whole incident first, and take command in it: wardroom demo
"
    );
}

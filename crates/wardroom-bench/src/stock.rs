//! The stock y-websocket server from npm: what else a document may be shared through. It keeps nothing on disk.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// How long it may take until it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running one.
pub struct Stock {
    /// The process.
    pub child: Child,
    /// Where it listens.
    pub address: String,
}

impl Drop for Stock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Stock {
    /// Starts it, as `make bench` has installed it.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = PathBuf::from(std::env::var("WARDROOM_BENCH_PEER").context("run `make bench`: it installs it")?);
        // It cannot be asked to choose a port and say which.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new("node")
            .arg(folder.join("node_modules/@y/websocket-server/src/server.js"))
            .env("HOST", "127.0.0.1")
            .env("PORT", port.to_string())
            .env("NODE_ENV", "production")
            .stdout(Stdio::null())
            .spawn()
            .context("node is needed for the table “document”")?;
        let server = Self { child, address: format!("127.0.0.1:{port}") };
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(&server.address).await.is_err() {
            anyhow::ensure!(Instant::now() < until, "the stock server does not listen");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(server)
    }
}

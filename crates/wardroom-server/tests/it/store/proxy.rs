//! A way to PostgreSQL that can lose an answer: the request arrives and is done, its answer never comes back.

use std::str::FromStr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::Config;
use tokio_postgres::config::Host;
use wardroom_server::log::Place;

use super::ground::dsn;

/// A request that has these words in it never gets its answer.
pub const LOSE: &str = "lose the answer";

/// Listens on a port of this machine until the test's runtime ends.
pub struct Proxy {
    /// The same database, by way of the proxy.
    pub place: Place,
}

impl Proxy {
    pub async fn to(place: &Place) -> Self {
        let Place::Postgres(url) = place else { panic!("a file needs no proxy") };
        let config = Config::from_str(url).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = Place::Postgres(dsn(&config, Some(listener.local_addr().unwrap().port())));
        let Host::Tcp(host) = config.get_hosts()[0].clone() else { panic!("the tests' server has to listen on TCP") };
        let server = (host, config.get_ports().first().copied().unwrap_or(5432));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(server.clone()).await.unwrap();
                tokio::spawn(forward(client, server));
            }
        });
        Self { place }
    }
}

async fn forward(mut client: TcpStream, mut server: TcpStream) {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Some(length) = read.ok().filter(|length| *length > 0) else { return };
                let losing = asked[..length].windows(LOSE.len()).any(|words| words == LOSE.as_bytes());
                server.write_all(&asked[..length]).await.unwrap();
                if losing {
                    // The answer has come, so it is done; nobody is told.
                    let _ = server.read(&mut answered).await;
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Some(length) = read.ok().filter(|length| *length > 0) else { return };
                if client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

//! The machine's own limit for live streams: a process that writes bare frames to every socket and does
//! nothing else. It is this same program under another name, so that it has a process of its own as the
//! server has.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

use crate::readers::now;

/// The word that makes this program the bare server.
pub const WORD: &str = "bare-fan-out";
/// Frames that a socket may be behind.
const BEHIND: usize = 1_024;

/// A running bare server.
pub struct FanOut {
    child: Child,
    address: String,
}

impl Drop for FanOut {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl FanOut {
    /// Starts one that sends frames of so many bytes, so many a second once so many readers have come.
    pub fn start(readers: usize, bytes: usize, rate: f64) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([WORD, &readers.to_string(), &bytes.to_string(), &rate.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().context("its words are piped")?).read_line(&mut address)?;
        Ok(Self { child, address: address.trim().to_owned() })
    }

    /// Connects a reader.
    pub async fn follow(&self) -> anyhow::Result<TcpStream> {
        Ok(TcpStream::connect(&self.address).await?)
    }
}

/// What the process does: each frame bears the microsecond of its making where a cursor has its position.
pub async fn run(words: &[String]) -> anyhow::Result<()> {
    let [readers, bytes, rate] = words else { anyhow::bail!("{WORD} READERS BYTES RATE") };
    let (readers, bytes, rate): (usize, usize, f64) = (readers.parse()?, bytes.parse()?, rate.parse()?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let (frames, _) = broadcast::channel::<std::sync::Arc<Vec<u8>>>(BEHIND);
    for _ in 0..readers {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let mut due = frames.subscribe();
        tokio::spawn(async move {
            // A reader that falls behind goes on with what is newer: this measures the machine, not a log.
            loop {
                match due.recv().await {
                    Ok(frame) => stream.write_all(&frame).await?,
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return anyhow::Ok(()),
                }
            }
        });
    }
    let mut every = tokio::time::interval(Duration::from_secs_f64(1.0 / rate));
    loop {
        every.tick().await;
        let mut frame = format!("id: bare.{}\ndata: ", now()).into_bytes();
        frame.resize(bytes.max(frame.len() + 2) - 2, b'x');
        frame.extend_from_slice(b"\n\n");
        let _ = frames.send(std::sync::Arc::new(frame));
    }
}

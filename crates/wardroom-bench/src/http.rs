//! The load client: HTTP/1.1 over one kept-alive connection, with as little of its own as can be.

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One connection to a server, and who uses it.
pub struct Client {
    stream: TcpStream,
    token: String,
    received: Vec<u8>,
}

/// An answer: its status and its body.
pub struct Answer {
    /// 200 and so on.
    pub status: u16,
    /// As it came.
    pub body: Vec<u8>,
}

impl Client {
    /// Connects to `127.0.0.1:port`.
    pub async fn connect(address: &str, token: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, token: token.to_owned(), received: Vec::with_capacity(4096) })
    }

    /// Asks for a page.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.send("GET", path, "").await
    }

    /// Writes a note in an incident; it has to be accepted. Returns its position in the whole log.
    pub async fn note(&mut self, incident: u64, text: &str) -> anyhow::Result<u64> {
        let request = uuid::Uuid::now_v7();
        let body = format!(r#"{{"request_id":"{request}","command":"note","text":"{text}"}}"#);
        let answer = self.send("POST", &format!("/api/v1/incidents/{incident}/commands"), &body).await?;
        let told = String::from_utf8_lossy(&answer.body);
        anyhow::ensure!(answer.status == 200, "a note was answered {}: {told}", answer.status);
        let cursor = told.split("\"cursor\":\"").nth(1).and_then(|rest| rest.split('"').next());
        let position = cursor.and_then(|cursor| cursor.rsplit('.').next()?.parse().ok());
        position.with_context(|| format!("no cursor in {told}"))
    }

    /// Declares an incident.
    pub async fn declare(&mut self) -> anyhow::Result<u64> {
        let request = uuid::Uuid::now_v7();
        let body = format!(r#"{{"request_id":"{request}","title":"A measured incident"}}"#);
        let answer = self.send("POST", "/api/v1/incidents", &body).await?;
        let told: serde_json::Value = serde_json::from_slice(&answer.body)?;
        told["incident"].as_u64().with_context(|| format!("no incident was declared: {told}"))
    }

    /// Declares an incident on a service.
    pub async fn declare_on(&mut self, service: &str) -> anyhow::Result<()> {
        let request = uuid::Uuid::now_v7();
        let body = format!(r#"{{"request_id":"{request}","title":"A measured incident","services":["{service}"]}}"#);
        let answer = self.send("POST", "/api/v1/incidents", &body).await?;
        anyhow::ensure!(answer.status == 201, "declaring was answered {}", answer.status);
        Ok(())
    }

    /// Sends a request with a body, and reads its answer.
    pub async fn send(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<Answer> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: wardroom\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await?;
        self.received.clear();
        let head = loop {
            if let Some(end) = find(&self.received, b"\r\n\r\n") {
                break end;
            }
            self.more().await?;
        };
        let text = String::from_utf8_lossy(&self.received[..head]).to_ascii_lowercase();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).context("an answer has a status")?;
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let length: usize = length.unwrap_or("0").trim().parse()?;
        while self.received.len() < head + 4 + length {
            self.more().await?;
        }
        Ok(Answer { status, body: self.received[head + 4..head + 4 + length].to_vec() })
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        let read = self.stream.read_buf(&mut self.received).await?;
        anyhow::ensure!(read > 0, "the server closed the connection");
        Ok(())
    }

    /// Turns the connection into an open live stream.
    pub async fn follow(mut self) -> anyhow::Result<TcpStream> {
        let request =
            format!("GET /api/v1/events HTTP/1.1\r\nhost: wardroom\r\nauthorization: Bearer {}\r\n\r\n", self.token);
        self.stream.write_all(request.as_bytes()).await?;
        self.received.clear();
        while find(&self.received, b": connected").is_none() {
            self.more().await?;
        }
        Ok(self.stream)
    }
}

/// Where a needle begins.
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}

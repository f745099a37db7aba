//! TLS: the certificate and its key, read anew when their files change, and the greeting of a connection.
//!
//! A renewal writes two files, one after the other, and may write them wrongly. What does not fit is complained of, and
//! the pair before goes on.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use tokio::io::AsyncWriteExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::connection::Connection;
use crate::config::TlsFiles;
use crate::file;
use crate::metrics::Metrics;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(3);
/// How long a greeting may take.
const GREETING: Duration = Duration::from_secs(10);
/// The largest file that is read, in bytes: a chain of a few certificates.
const PEM_BYTES_MAX: u64 = 256 << 10;
/// The first byte of every TLS connection.
const HANDSHAKE: u8 = 0x16;
/// What somebody is told who speaks plain HTTP here.
const SPEAK_TLS: &str = concat!(
    "HTTP/1.1 400 Bad Request\r\n",
    "content-type: application/problem+json\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n",
    "connection: close\r\n\r\n",
    r#"{"type":"urn:wardroom:problem:https_only","title":"Bad Request","status":400,"code":"https_only","#,
    r#""detail":"Wardroom speaks TLS here. Ask again with https:// in place of http://."}"#,
);

/// The texts of both files.
#[derive(Clone, PartialEq, Eq)]
struct Pair {
    certificate: String,
    key: String,
}

impl Pair {
    fn read(files: &TlsFiles) -> Result<Self, String> {
        let read = |path: &Path| {
            file::read(path, PEM_BYTES_MAX).map_err(|error| format!("{} cannot be read: {error}", path.display()))
        };
        Ok(Self { certificate: read(&files.certificate)?, key: read(&files.key)? })
    }

    /// The pair that they hold. What is wrong with it is told without a word of what stands in them.
    fn parse(&self, files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, String> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(self.certificate.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| format!("{} holds no certificates in PEM", files.certificate.display()))?;
        if chain.is_empty() {
            return Err(format!("{} holds no certificate", files.certificate.display()));
        }
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes())
            .map_err(|_| format!("{} holds no private key in PEM", files.key.display()))?;
        CertifiedKey::from_der(chain, key, provider).map_err(|error| {
            let (certificate, key) = (files.certificate.display(), files.key.display());
            format!("{certificate} and {key} do not fit together: {error}")
        })
    }
}

/// The certificate that is shown now.
struct Shown(RwLock<Arc<CertifiedKey>>);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown(…)")
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// A certificate, and the files that it is read from.
pub struct Certificate {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    shown: Arc<Shown>,
    /// What was read last, whether it fitted or not; `None` when it could not be read.
    read: Option<Pair>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificate").field(&self.files).finish()
    }
}

impl Certificate {
    /// Reads the files.
    ///
    /// # Errors
    /// A sentence that names the file that does not fit.
    pub fn read(files: TlsFiles) -> anyhow::Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let read = Pair::read(&files).map_err(anyhow::Error::msg)?;
        let shown = read.parse(&files, &provider).map_err(anyhow::Error::msg)?;
        let shown = Arc::new(Shown(RwLock::new(Arc::new(shown))));
        Ok(Self { files, provider, shown, read: Some(read) })
    }

    /// What speaks TLS with those who connect, by this certificate as it is at each time.
    ///
    /// # Errors
    /// None that a certificate could cause.
    pub fn tls(&self) -> anyhow::Result<Tls> {
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(&self.shown) as _;
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Tls(TlsAcceptor::from(Arc::new(config))))
    }

    /// Looks at the files again; `None` when nothing changed since the last look.
    fn look(&mut self) -> Option<Result<(), String>> {
        let read = match Pair::read(&self.files) {
            Ok(read) if Some(&read) == self.read.as_ref() => return None,
            Ok(read) => read,
            Err(why) => {
                self.read = None;
                return Some(Err(why));
            }
        };
        let parsed = read.parse(&self.files, &self.provider);
        self.read = Some(read);
        Some(parsed.map(|pair| *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair)))
    }

    /// Reads the files anew whenever they change, or SIGHUP says so, for as long as the server lives.
    pub async fn keep_up(mut self, metrics: impl AsRef<Metrics>) {
        let mut told = signal(SignalKind::hangup()).ok();
        let mut said = None;
        loop {
            let hangup = async {
                match &mut told {
                    Some(told) => drop(told.recv().await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = hangup => {}
            }
            match self.look() {
                None => {}
                Some(Ok(())) => {
                    tracing::info!("the certificate was read anew");
                    metrics.as_ref().certificate_refused.set(0);
                    said = None;
                }
                Some(Err(why)) => {
                    metrics.as_ref().certificate_refused.set(1);
                    if said.as_ref() != Some(&why) {
                        tracing::error!(why, "the certificate's files do not fit: the certificate before is kept");
                        said = Some(why);
                    }
                }
            }
        }
    }
}

/// Speaks TLS with those who connect. Cheap to clone: every connection does, and has nothing of the key's file.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(…)")
    }
}

impl Tls {
    /// Greets whoever connected, in bounded time.
    ///
    /// # Errors
    /// Whoever says nothing, speaks no TLS, or speaks it wrongly.
    pub async fn greet(&self, mut connection: Connection) -> io::Result<TlsStream<Connection>> {
        let greeting = async {
            if connection.first_byte().await? != HANDSHAKE {
                connection.write_all(SPEAK_TLS.as_bytes()).await?;
                connection.shutdown().await?;
                return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no TLS"));
            }
            self.0.accept(connection).await
        };
        tokio::time::timeout(GREETING, greeting).await.unwrap_or_else(|late| Err(late.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(files: &TlsFiles, certificate: &str, key: &str) {
        std::fs::write(&files.certificate, certificate).unwrap();
        std::fs::write(&files.key, key).unwrap();
    }

    #[test]
    fn a_pair_that_does_not_fit_leaves_the_one_before_and_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let [certificate, key] = ["server.crt", "server.key"].map(|name| folder.path().join(name));
        let files = TlsFiles { certificate, key };
        let made = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (one, other) = (made(), made());
        assert!(Certificate::read(files.clone()).unwrap_err().to_string().contains("server.crt cannot be read"));
        write(&files, &one.cert.pem(), &one.signing_key.serialize_pem());
        let mut read = Certificate::read(files.clone()).unwrap();
        let shown = |read: &Certificate| read.shown.0.read().unwrap().cert[0].clone();
        assert!(read.look().is_none() && shown(&read) == *one.cert.der(), "nothing changed");
        for (certificate, key, why) in [
            (other.cert.pem(), one.signing_key.serialize_pem(), "do not fit together"),
            (other.cert.pem(), "hunter2".to_owned(), "server.key holds no private key"),
            ("hunter2".to_owned(), other.signing_key.serialize_pem(), "server.crt holds no certificate"),
            (String::new(), String::new(), "server.crt holds no certificate"),
        ] {
            write(&files, &certificate, &key);
            let told = read.look().unwrap().unwrap_err();
            assert!(told.contains(why) && !told.contains("hunter2"), "{told}");
            assert!(read.look().is_none(), "it is said once");
            assert_eq!(shown(&read), *one.cert.der());
        }
        write(&files, &one.cert.pem(), &one.signing_key.serialize_pem());
        assert_eq!(read.look(), Some(Ok(())));
        std::fs::remove_file(&files.key).unwrap();
        assert!(read.look().unwrap().unwrap_err().contains("server.key cannot be read"));
        write(&files, &one.cert.pem(), &one.signing_key.serialize_pem());
        assert_eq!(read.look(), Some(Ok(())), "back again, it is well");
        write(&files, &other.cert.pem(), &other.signing_key.serialize_pem());
        assert_eq!(read.look(), Some(Ok(())));
        assert_eq!(shown(&read), *other.cert.der());
    }

    fn spoken() -> (tempfile::TempDir, Tls) {
        let folder = tempfile::tempdir().unwrap();
        let [certificate, key] = ["server.crt", "server.key"].map(|name| folder.path().join(name));
        let files = TlsFiles { certificate, key };
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        write(&files, &made.cert.pem(), &made.signing_key.serialize_pem());
        (folder, Certificate::read(files).unwrap().tls().unwrap())
    }

    async fn connected() -> (Connection, tokio::net::TcpStream) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let far = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut connections = super::super::connection::Connections::new(listener, Default::default(), true);
        (connections.accept().await.0, far)
    }

    /// Each byte comes soon enough for a connection that is alive.
    #[tokio::test(start_paused = true)]
    async fn a_greeting_that_does_not_come_to_its_end_is_given_up() {
        let (_folder, tls) = spoken();
        for said in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
            let (near, mut far) = connected().await;
            far.write_all(said).await.unwrap();
            let began = tokio::time::Instant::now();
            let error = tls.greet(near).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
            assert!(began.elapsed() >= GREETING && began.elapsed() < GREETING * 2);
        }
    }

    #[tokio::test]
    async fn whoever_speaks_plain_http_is_told_to_speak_tls() {
        let (_folder, tls) = spoken();
        let (near, mut far) = connected().await;
        far.write_all(b"GET / HTTP/1.1\r\nhost: wardroom\r\n\r\n").await.unwrap();
        let greeted = tokio::spawn(async move { tls.greet(near).await.map(drop) });
        let mut answer = vec![0; SPEAK_TLS.len()];
        tokio::io::AsyncReadExt::read_exact(&mut far, &mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert!(head.starts_with("HTTP/1.1 400") && problem["code"] == "https_only", "{answer}");
        assert!(greeted.await.unwrap().is_err());
    }
}

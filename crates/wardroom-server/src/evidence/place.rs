//! Where evidence lies: a folder, or a bucket of what speaks S3. Pure, apart from opening it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, Checksum};
use object_store::local::LocalFileSystem;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, ObjectStore, RetryConfig};

use crate::log::{LogError, make_folder};

/// How long a store on the other side of a network may bring nothing.
const SILENCE: Duration = Duration::from_secs(30);
/// How long it is asked again, after it could not.
const AGAIN: Duration = Duration::from_secs(15);
/// The folder beside an embedded store.
pub(crate) const FOLDER: &str = "evidence";

/// Where evidence lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeptAt {
    /// Nobody has said it: no evidence is taken.
    Nowhere,
    /// A folder, which several nodes share if there are several.
    Folder(PathBuf),
    /// A bucket. Its credentials come from the environment: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    Bucket(Bucket),
}

/// Of a bucket, what is no secret.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bucket {
    name: String,
    /// What the names of all objects begin with.
    prefix: String,
    endpoint: Option<String>,
    region: Option<String>,
}

impl FromStr for KeptAt {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        let Some(rest) = given.strip_prefix("s3://") else {
            return match given.split_once("://") {
                Some((scheme, _)) => Err(format!(
                    "evidence lies in a folder or in a bucket, s3://BUCKET/PREFIX, and not at {scheme}://…"
                )),
                None if given.is_empty() => Err("it names a folder, or a bucket as s3://BUCKET/PREFIX".to_owned()),
                None => Ok(Self::Folder(given.into())),
            };
        };
        let (place, more) = rest.split_once('?').unwrap_or((rest, ""));
        let (name, prefix) = place.split_once('/').unwrap_or((place, ""));
        if name.is_empty() || name.contains('@') {
            return Err("the bucket is named as s3://BUCKET/PREFIX, and its keys are in AWS_ACCESS_KEY_ID and \
                        AWS_SECRET_ACCESS_KEY"
                .to_owned());
        }
        let prefix = prefix.trim_matches('/').to_owned();
        let mut bucket = Bucket { name: name.to_owned(), prefix, ..Bucket::default() };
        for (key, value) in more.split('&').filter_map(|more| more.split_once('=')) {
            match key {
                "endpoint" if value.contains('@') => {
                    return Err("an endpoint is named without keys: these are in AWS_ACCESS_KEY_ID and \
                                AWS_SECRET_ACCESS_KEY"
                        .to_owned());
                }
                "endpoint" => bucket.endpoint = Some(value.to_owned()),
                "region" => bucket.region = Some(value.to_owned()),
                _ => {
                    return Err("behind a bucket's “?” stand endpoint=URL and region=NAME, and nothing else".to_owned());
                }
            }
        }
        Ok(Self::Bucket(bucket))
    }
}

impl fmt::Display for KeptAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => f.write_str("nowhere"),
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Bucket(Bucket { name, prefix, .. }) if prefix.is_empty() => write!(f, "s3://{name}"),
            Self::Bucket(Bucket { name, prefix, .. }) => write!(f, "s3://{name}/{prefix}"),
        }
    }
}

impl KeptAt {
    /// Opens it; a folder is made if it is not there.
    pub(super) fn open(&self) -> Result<Arc<dyn ObjectStore>, LogError> {
        let no_store = |error: object_store::Error| {
            LogError::NoStore(format!("evidence cannot be kept at {self}: {}", super::why(&error)))
        };
        Ok(match self {
            Self::Nowhere => return Err(LogError::NoStore("evidence is kept nowhere".to_owned())),
            Self::Folder(folder) => {
                make_folder(folder)?;
                // Nothing is acknowledged before it would outlive a power cut.
                let store = LocalFileSystem::new_with_prefix(folder).map_err(no_store)?.with_fsync(true);
                Arc::new(store)
            }
            Self::Bucket(bucket) => bucket.open().map_err(no_store)?,
        })
    }
}

impl Bucket {
    fn open(&self) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
        // Somebody may have said so before: it is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // However long a large piece takes: it goes on as long as something comes.
        let options = ClientOptions::new().with_timeout_disabled().with_read_timeout(SILENCE);
        let http = self.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
        let retry = RetryConfig { max_retries: 5, retry_timeout: AGAIN, ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(&self.name)
            .with_client_options(options.with_allow_http(http))
            .with_checksum_algorithm(Checksum::SHA256)
            .with_retry(retry);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        let store = builder.build()?;
        Ok(match self.prefix.as_str() {
            "" => Arc::new(store),
            prefix => Arc::new(PrefixStore::new(store, prefix)),
        })
    }
}

/// The longest that is told of what went wrong, in characters.
const TOLD_MAX: usize = 600;

/// What went wrong, in one line of a log. What speaks S3 answers with a document, of which only what it says in words is
/// told: in the rest may be how it was asked, and by which key.
pub(super) fn in_short(told: &str) -> String {
    let (words, document) = told.split_at(told.find("<?xml").or_else(|| told.find("<Error>")).unwrap_or(told.len()));
    let part = |name: &str| {
        let (_, rest) = document.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(part, _)| part)
    };
    let said: Vec<&str> = [Some(words.trim_end()), part("Code"), part("Message")].into_iter().flatten().collect();
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    said.join(" ").chars().take(TOLD_MAX).map(plain).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_a_bucket_answers_only_its_words_are_told() {
        let asked = "<StringToSign>AWS4-HMAC-SHA256 20261128</StringToSign><AWSAccessKeyId>AKIDKEPT</AWSAccessKeyId>";
        let answer = format!(
            "Server returned 403 Forbidden: <?xml version=\"1.0\"?>\n<Error><Code>SignatureDoesNotMatch</Code>\
             <Message>Check your key.</Message>{asked}</Error>"
        );
        assert_eq!(in_short(&answer), "Server returned 403 Forbidden: SignatureDoesNotMatch Check your key.");
        assert_eq!(in_short("no\nroute <to> it"), "no route <to> it");
        assert_eq!(in_short(&"é".repeat(2_000)).chars().count(), TOLD_MAX);
    }

    #[test]
    fn a_place_is_a_folder_or_a_bucket() {
        assert_eq!("./evidence".parse(), Ok(KeptAt::Folder("./evidence".into())));
        let bucket = Bucket { name: "kept".to_owned(), ..Bucket::default() };
        assert_eq!("s3://kept".parse(), Ok(KeptAt::Bucket(bucket.clone())));
        let region = Some("eu-central-1".to_owned());
        let whole =
            Bucket { prefix: "ward/room".to_owned(), endpoint: Some("http://minio:9000".to_owned()), region, ..bucket };
        let said = "s3://kept/ward/room/?endpoint=http://minio:9000&region=eu-central-1";
        let read: KeptAt = said.parse().unwrap();
        assert_eq!((&read, read.to_string().as_str()), (&KeptAt::Bucket(whole), "s3://kept/ward/room"));
        let keys = ["s3://key:secret@kept", "s3://kept?endpoint=https://key:secret@minio:9000"];
        let wrong = ["", "s3://", "s3://?endpoint=x", "s3://kept?colour=blue", "gs://kept"];
        for wrong in wrong.into_iter().chain(keys) {
            let why = wrong.parse::<KeptAt>().unwrap_err();
            assert!(!why.contains("secret@"), "{why}");
        }
    }
}

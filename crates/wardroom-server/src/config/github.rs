//! With what GitHub signs the webhooks that tell of deployments.

/// How long a secret is that others sign with, in bytes.
const SECRET_MIN: usize = 16;
const SECRET_MAX: usize = 256;

/// The secrets that GitHub may sign with. Whoever guesses one could tell of anything.
pub(super) fn secrets(given: &str) -> anyhow::Result<Vec<String>> {
    let secrets: Vec<String> = given.split_whitespace().map(str::to_owned).collect();
    let fits = |secret: &String| (SECRET_MIN..=SECRET_MAX).contains(&secret.len());
    anyhow::ensure!(
        secrets.len() <= 2 && secrets.iter().all(fits),
        "--github-secret is one secret of {SECRET_MIN} to {SECRET_MAX} characters, or two while one takes the other's place"
    );
    Ok(secrets)
}

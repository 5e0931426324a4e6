//! What an instance says of itself: whether it is well, and which version and artifact it runs.

use std::time::Duration;

use countersign_core::act::{Artifact, Segment};
use countersign_core::hash::Digest;
use serde::Deserialize;

/// The longest time one question may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// What was found when all instances of some segments were asked once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// How many instances were asked.
    pub instances: usize,
    /// What was wrong, instance by instance; empty when all is well.
    pub wrong: Vec<String>,
}

impl Sample {
    /// Returns whether every instance is well and runs what it should.
    pub fn well(&self) -> bool {
        self.wrong.is_empty() && self.instances > 0
    }
}

/// What an instance answers when asked for its version; other members are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Running {
    /// The version.
    pub version: String,
    /// SHA-256 of the artifact it was started from.
    pub artifact: Digest,
}

/// Asks instances for health and version.
#[derive(Debug, Clone)]
pub struct Probe {
    client: reqwest::Client,
}

impl Probe {
    /// Prepares a probe; nothing is sent.
    ///
    /// # Errors
    /// TLS cannot be set up on this machine.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { client })
    }

    /// Asks every instance of the segments whether it is well and runs this version from this artifact.
    pub async fn sample(&self, segments: &[&Segment], version: &str, artifact: &Artifact) -> Sample {
        let mut sample = Sample { instances: 0, wrong: Vec::new() };
        for segment in segments {
            for url in &segment.health {
                if let Err(why) = self.get(url.as_str()).await {
                    sample.wrong.push(format!("{}: {url}: {why}", segment.name));
                }
            }
            for url in &segment.version {
                sample.instances += 1;
                match self.running(url.as_str()).await {
                    Ok(running) if running.version != version => {
                        sample.wrong.push(format!(
                            "{}: {url}: runs version {}, not {version}",
                            segment.name,
                            shown(&running.version)
                        ));
                    }
                    Ok(running) if running.artifact != artifact.sha256 => {
                        sample.wrong.push(format!(
                            "{}: {url}: runs artifact {}, not {}",
                            segment.name, running.artifact, artifact.sha256
                        ));
                    }
                    Ok(_) => {}
                    Err(why) => sample.wrong.push(format!("{}: {url}: {why}", segment.name)),
                }
            }
        }
        sample
    }

    /// Asks one instance what it runs.
    ///
    /// # Errors
    /// It does not answer, or not so.
    pub async fn running(&self, url: &str) -> Result<Running, String> {
        let body = self.get(url).await?;
        serde_json::from_slice(&body).map_err(|error| format!("the answer does not name version and artifact: {error}"))
    }

    async fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        let mut response = self.client.get(url).send().await.map_err(|error| cause(&error))?;
        if !response.status().is_success() {
            return Err(format!("answered {}", response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| cause(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(format!("answered more than {ANSWER_BYTES_MAX} bytes"));
            }
        }
        Ok(body)
    }
}

/// Returns the innermost reason of a failed request, without the URL.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", TIMEOUT.as_secs());
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Returns a stranger's text, short and without control characters.
fn shown(text: &str) -> String {
    text.chars()
        .take(80)
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}

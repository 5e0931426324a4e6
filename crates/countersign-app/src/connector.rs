//! Ways to have a release deployed: one module for each kind of system, one contract for all of them.
//!
//! A trigger is not idempotent anywhere that matters. So [`Connector::trigger`] makes exactly one attempt, and each
//! [`Failure`] has a [`Fate`] that says what is known of it: only [`Fate::NotSent`] and [`Fate::Refused`] allow
//! another attempt. After [`Fate::Unknown`] the run is looked for by the request id it carries ([`Connector::find`]).
//!
//! | what happened to a request that changes something | fate |
//! |---|---|
//! | no address, no connection, TLS refused, our own check before sending | not sent |
//! | answered 400, 401, 403, 404, 409, 422, 429 | refused |
//! | any other answer but a readable success: 408, 5xx, a redirect, another 4xx, 2xx that cannot be read | unknown |
//! | reset, cut or timed out once connected | unknown |
//!
//! What a system says is kept as it said it (`raw`); words this code does not know become
//! [`RunConclusion::Unknown`], never success.
//!
//! Absent: retries, polling loops, the dispatch journal, and any judgment whether a release is live. Those are the
//! caller's.

pub mod buildbot;
pub mod local_command;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use countersign_core::act;
use countersign_core::hash::Digest;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A system that can run a deployment for us.
///
/// Reading methods may be repeated at will; they log in again when a session ran out. [`Connector::trigger`] and
/// [`Connector::stop`] send once and never again.
#[async_trait]
pub trait Connector: Send + Sync + fmt::Debug {
    /// Fetches what is at the other end and who it takes us for.
    async fn probe(&self) -> Result<ServerInfo, Failure>;

    /// Checks that the job is there and can be started, and lists the inputs it declares.
    async fn preflight(&self, job: &str) -> Result<Preflight, Failure>;

    /// Starts the job, in exactly one attempt. The fate of a failure says whether it may have started.
    async fn trigger(&self, request: &TriggerRequest) -> Result<Accepted, Failure>;

    /// Finds everything that carries the request id and was submitted at `since` or later, oldest first.
    ///
    /// `since` is in the server's own time. An empty answer means that nothing was found in a complete search.
    async fn find(&self, request_id: &RequestId, since: Option<DateTime<Utc>>) -> Result<Vec<Found>, Failure>;

    /// Fetches what became of something that was queued.
    async fn resolve(&self, ticket: &Ticket) -> Result<Resolved, Failure>;

    /// Fetches how a run stands.
    async fn observe(&self, run: &RunRef) -> Result<Observation, Failure>;

    /// Fetches what the step logged from `from` on; 0 is the beginning, afterwards [`LogChunk::next`].
    async fn log(&self, run: &RunRef, step: &str, from: u64) -> Result<LogChunk, Failure>;

    /// Fetches a whole file that the step left, byte for byte.
    async fn file(&self, run: &RunRef, step: &str, name: &str) -> Result<FetchedFile, Failure>;

    /// Asks for a stop. That it stopped is known only from [`Connector::observe`] or [`Connector::resolve`].
    async fn stop(&self, target: &Handle, reason: &str) -> Result<StopAck, Failure>;
}

/// The id of one attempt to dispatch: 1 to 64 characters of `A-Z a-z 0-9 . _ -`, beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestId(String);

impl RequestId {
    /// Makes a new id (a UUID version 7, RFC 9562 §5.7).
    #[must_use]
    pub fn generate() -> Self {
        Self(uuid::Uuid::now_v7().to_string())
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a request id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a request id: it takes 1 to 64 letters, digits, dots, underscores and dashes")]
pub struct RequestIdError(String);

impl FromStr for RequestId {
    type Err = RequestIdError;

    fn from_str(text: &str) -> Result<Self, RequestIdError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RequestIdError(excerpt(text)))
        }
    }
}

impl TryFrom<String> for RequestId {
    type Error = RequestIdError;

    fn try_from(text: String) -> Result<Self, RequestIdError> {
        text.parse()
    }
}

impl From<RequestId> for String {
    fn from(id: RequestId) -> Self {
        id.0
    }
}

/// One start of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerRequest {
    /// Carried by the run as the input `request_id`, so that it can be found again.
    pub request_id: RequestId,
    /// The job, in the vendor's own words.
    pub job: String,
    /// The other inputs, all of which the job must declare. They may be shown publicly: no secrets.
    pub inputs: BTreeMap<String, String>,
    /// Why, for whoever reads the other system.
    pub reason: String,
}

/// Something waiting to become a run, in the vendor's own words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticket(pub String);

/// One attempt at running a job. Another attempt is another fact to decide on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunRef {
    /// The run, in the vendor's own words.
    pub id: String,
    /// 1 for the first attempt at what was triggered.
    pub attempt: u32,
}

/// What can be stopped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handle {
    /// Still queued, as far as is known.
    Ticket(Ticket),
    /// A run.
    Run(RunRef),
}

/// The other end took the trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// What to follow.
    pub handle: Handle,
    /// The server's time with its answer.
    pub server_time: Option<DateTime<Utc>>,
}

/// Something that carries the request id looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What was queued.
    pub ticket: Ticket,
    /// What became of it.
    pub resolved: Resolved,
    /// When it was submitted, by the server's clock.
    pub submitted: Option<DateTime<Utc>>,
}

/// What became of something queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// It still waits.
    Queued,
    /// It became a run; of several attempts, the last.
    Run(RunRef),
    /// It is gone and never ran.
    Dropped {
        /// How it ended.
        conclusion: RunConclusion,
        /// What the system said.
        raw: String,
    },
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", content = "conclusion", rename_all = "snake_case")]
pub enum RunStatus {
    /// It has not begun.
    Queued,
    /// It runs.
    InProgress,
    /// It waits for somebody.
    Waiting,
    /// It is over.
    Completed(RunConclusion),
}

/// How a run, or a step of it, ended. Only [`RunConclusion::Success`] is success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunConclusion {
    /// All of it succeeded.
    Success,
    /// It ended with warnings: parts of it did not succeed.
    Partial,
    /// It failed.
    Failure,
    /// The system itself broke.
    Error,
    /// Somebody stopped it.
    Cancelled,
    /// It did not run.
    Skipped,
    /// Something else queued took its place.
    Superseded,
    /// It was cut short and the system makes another attempt.
    Retried,
    /// The system used a word that is not known here, or nobody can say.
    Unknown(String),
}

impl From<&RunStatus> for act::RunStatus {
    fn from(status: &RunStatus) -> Self {
        match status {
            RunStatus::Queued => Self::Queued,
            RunStatus::InProgress => Self::InProgress,
            RunStatus::Waiting => Self::Waiting,
            RunStatus::Completed(_) => Self::Completed,
        }
    }
}

impl From<&RunConclusion> for act::RunConclusion {
    fn from(conclusion: &RunConclusion) -> Self {
        match conclusion {
            RunConclusion::Success => Self::Success,
            RunConclusion::Partial | RunConclusion::Failure | RunConclusion::Error => Self::Failure,
            RunConclusion::Cancelled => Self::Cancelled,
            RunConclusion::Skipped | RunConclusion::Superseded => Self::Skipped,
            // What a run that was cut short did until then, nobody can say.
            RunConclusion::Retried | RunConclusion::Unknown(_) => Self::Unknown,
        }
    }
}

/// How a run stood when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The run.
    pub run: RunRef,
    /// How far it is.
    pub status: RunStatus,
    /// What the system said of it, word for word.
    pub raw: String,
    /// A later attempt at the same request, where there is one.
    pub replaced_by: Option<RunRef>,
    /// Its steps in order.
    pub steps: Vec<Step>,
    /// What the run was given and what it set itself.
    pub properties: BTreeMap<String, Property>,
    /// Where a person can look at it.
    pub url: String,
    /// When it began, by the server's clock.
    pub started: Option<DateTime<Utc>>,
    /// When it ended, by the server's clock.
    pub completed: Option<DateTime<Utc>>,
    /// The server's time with its answer.
    pub server_time: Option<DateTime<Utc>>,
    /// How long to wait before looking again.
    pub poll_after: Duration,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name, unique in the run.
    pub name: String,
    /// How far it is.
    pub status: RunStatus,
    /// What the system said of it, word for word.
    pub raw: String,
}

/// One property of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Its value; what is not a string is JSON.
    pub value: String,
    /// Who set it, in the vendor's own words.
    pub source: String,
}

/// A piece of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChunk {
    /// Whole lines.
    pub text: String,
    /// Where to go on. Lines or bytes: the connector's choice.
    pub next: u64,
    /// Nothing will follow.
    pub complete: bool,
}

/// A file as it was observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedFile {
    /// The file.
    pub bytes: Vec<u8>,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// SHA-256 of the reply that carried it.
    pub raw_reply: Digest,
    /// Where it was.
    pub url: String,
    /// The server's time with its answer.
    pub server_time: Option<DateTime<Utc>>,
}

/// What the other end said to a request to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopAck {
    /// It took the request.
    Requested,
    /// It was over already.
    AlreadyOver,
}

/// What is at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo {
    /// The product.
    pub product: String,
    /// Its version, where it says one.
    pub version: Option<String>,
    /// Who it takes us for.
    pub user: Option<String>,
    /// The server's time with its answer.
    pub server_time: Option<DateTime<Utc>>,
}

/// A job that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preflight {
    /// The job, in the vendor's own words.
    pub job: String,
    /// The inputs it declares, or none where it takes any.
    pub inputs: Option<Vec<String>>,
}

/// Whether something may have happened although it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Nothing was sent.
    NotSent,
    /// It was sent and turned down.
    Refused,
    /// Nobody can say.
    Unknown,
}

/// Why something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// No connection.
    Connect,
    /// The other end's certificate or the TLS handshake is not acceptable.
    Tls,
    /// It took too long.
    Timeout,
    /// The connection broke, or the program was interrupted.
    Interrupted,
    /// The credential is wrong, missing or not allowed to do this.
    Auth,
    /// It is not there, or is hidden from us.
    HiddenOrMissing,
    /// It cannot be done as things stand.
    Conflict,
    /// Too many requests; seconds to wait, where it says so.
    RateLimited {
        /// Seconds to wait.
        retry_after_seconds: Option<u64>,
    },
    /// The request itself is not acceptable.
    Invalid,
    /// The other end failed with this HTTP status.
    Server {
        /// The HTTP status.
        status: u16,
    },
    /// It sent us elsewhere, and we do not follow.
    Redirected,
    /// The answer cannot be read.
    Unreadable,
    /// The answer is larger than it may be.
    TooLarge,
    /// This desk has not allowed it, or what is here is not what was allowed.
    NotAllowed,
    /// It cannot be done with this system.
    Unsupported,
    /// The disk or the operating system failed.
    Io,
}

/// Something failed, with what is known of its fate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Whether it may have happened all the same.
    pub fate: Fate,
    /// Why.
    pub kind: FailureKind,
    /// What happened, without any credential.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(fate: Fate, kind: FailureKind, message: impl Into<String>) -> Self {
        Self { fate, kind, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The failure of a step that came before sending: whatever its own fate, nothing was sent.
    pub(crate) fn before_sending(mut self) -> Self {
        self.fate = Fate::NotSent;
        self
    }
}

/// A credential: never printed, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a credential.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Returns the credential, to be sent.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Text from elsewhere, cut short and without control characters, for use in a message.
fn excerpt(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() > 200 { format!("{clean}…") } else { clean }
}

/// How long to wait before looking at a run of this age again.
fn poll_after(age_seconds: i64) -> Duration {
    const STEPS: [(i64, u64); 4] = [(15, 1), (60, 2), (300, 5), (1800, 10)];
    let seconds =
        STEPS.iter().find(|(younger_than, _)| age_seconds < *younger_than).map_or(20, |(_, seconds)| *seconds);
    Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_a_plain_word() {
        for good in ["0197-a.b_c", "x", &"7".repeat(64)] {
            assert_eq!(good.parse::<RequestId>().unwrap().as_str(), good);
        }
        for bad in ["", ".", "../x", "-a", "a/b", "a b", "a\n", "é", &"7".repeat(65)] {
            assert!(bad.parse::<RequestId>().is_err(), "{bad:?}");
        }
        assert!(serde_json::from_str::<RequestId>("\"a/b\"").is_err());
        assert!(RequestId::generate().as_str().parse::<RequestId>().is_ok());
    }

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("correct horse");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "[redacted] Some([redacted])");
    }

    #[test]
    fn an_excerpt_is_short_and_plain() {
        assert_eq!(excerpt("a\u{1b}[31m\r\n b"), "a [31m b");
        assert_eq!(excerpt(&"x".repeat(999)).chars().count(), 201);
    }

    #[test]
    fn polling_slows_down_with_age() {
        let delays: Vec<u64> = [-5, 0, 15, 60, 300, 1800, 99_999].map(|age| poll_after(age).as_secs()).to_vec();
        assert_eq!(delays, [1, 1, 2, 5, 10, 20, 20]);
    }
}

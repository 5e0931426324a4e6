//! A command on this machine.
//!
//! The ledger names a command by an id and its script by a digest; where that script is, each desk has to allow for
//! itself, in its [`AllowList`]. A run executes a private copy of exactly the bytes that were digested, as a list of
//! arguments and never through a shell's eyes, in an environment that holds nothing but what is listed below.
//!
//! ```text
//! RUNS/REQUEST_ID/      made complete under another name and then renamed: the id can be used once
//!   request.json        what was asked
//!   script              the bytes that run, 0500
//!   supervisor          process id, boot and start time of the supervisor; linked into place before the command starts
//!   log                 standard output and error
//!   files/, result      what the command leaves: files (COUNTERSIGN_FILES), `name=value` lines (COUNTERSIGN_RESULT)
//!   stop, killed        a stop was asked for; the whole process group was killed
//!   exit                exit code and time, renamed into place by the supervisor
//! ```
//!
//! The supervisor is a few lines of POSIX shell in a process group of its own. It outlives this program, so an outcome
//! is known whatever happens to us. Whoever links `supervisor` first decides: the supervisor, that the command starts,
//! or a later observer, that it never will. A supervisor that is gone without an `exit`, after a reboot for instance,
//! means [`RunConclusion::Unknown`]: nobody can say.
//!
//! The command sees `COUNTERSIGN_<INPUT>` for each input, `COUNTERSIGN_REQUEST_ID`, `COUNTERSIGN_REASON`,
//! `COUNTERSIGN_FILES`, `COUNTERSIGN_RESULT`, `COUNTERSIGN_SCRIPT_DIR` (where its original lies, also its working
//! directory) and what the allow list sets. `/usr/bin:/bin` ends its `PATH`.
//!
//! Absent: Windows (there is no process group to supervise; [`FailureKind::Unsupported`]), time limits, and any lock
//! between runs, which is the ledger's business.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use countersign_core::hash::Digest;
use serde::{Deserialize, Serialize};

use super::{
    Accepted, Connector, Failure, FailureKind, Fate, FetchedFile, Found, Handle, LogChunk, Observation, Preflight,
    Property, RequestId, Resolved, RunConclusion, RunRef, RunStatus, ServerInfo, Step, StopAck, Ticket, TriggerRequest,
    excerpt, poll_after,
};
use crate::durable::{self, FileError};

const ALLOW_LIST_BYTES_MAX: u64 = 1 << 20;
const RECORD_BYTES_MAX: u64 = 4 << 20;
const SCRIPT_BYTES_MAX: u64 = 4 << 20;
/// What one environment variable may hold; Linux allows 128 KiB with its name.
const INPUT_BYTES_MAX: usize = 120 << 10;
const LOG_CHUNK_BYTES: u64 = 256 << 10;
const NOTE_BYTES_MAX: u64 = 64 << 10;
const FILE_BYTES_MAX: u64 = 64 << 20;
/// How long a supervisor may take to say that it is there.
const START_SECONDS: i64 = 10;
/// Names that inputs must not take, because the connector sets them.
const RESERVED: [&str; 5] = ["request_id", "reason", "files", "result", "script_dir"];

/// A command that this desk allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowedCommand {
    /// The script, by its absolute path.
    pub script: PathBuf,
    /// The digest of the script when it was allowed.
    pub sha256: Digest,
    /// Arguments for the script.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// A program, by its absolute path, and its arguments, to run the script with; without it the script runs itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interpreter: Vec<String>,
    /// Variables for the command.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}

/// The commands that this desk allows, by their ids: a TOML file that only its owner may write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowList {
    /// The commands.
    #[serde(default)]
    pub command: BTreeMap<String, AllowedCommand>,
}

/// The allow list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AllowListError {
    /// It cannot be read or written, or others could read or write it.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is not such a list.
    #[error("the list of allowed commands {} cannot be understood: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

impl AllowList {
    /// Reads the list. A file that is not there allows nothing.
    ///
    /// # Errors
    /// [`AllowListError`], one variant for each reason.
    pub fn read(path: &Path) -> Result<Self, AllowListError> {
        let syntax = |message| AllowListError::Syntax { path: path.to_owned(), message };
        let bytes = match durable::read_private(path, ALLOW_LIST_BYTES_MAX) {
            Err(error) if error.is_not_found() => return Ok(Self::default()),
            read => read?,
        };
        let text = String::from_utf8(bytes).map_err(|error| syntax(error.to_string()))?;
        toml::from_str(&text).map_err(|error| syntax(error.to_string()))
    }

    /// Writes the list, atomically and for its owner alone.
    ///
    /// # Errors
    /// [`AllowListError::File`], and [`AllowListError::Syntax`] for what TOML cannot hold.
    pub fn write(&self, path: &Path) -> Result<(), AllowListError> {
        let text = toml::to_string(self)
            .map_err(|error| AllowListError::Syntax { path: path.to_owned(), message: error.to_string() })?;
        Ok(durable::replace(path, text.as_bytes())?)
    }
}

/// One command of this desk, as a signed target names it.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where runs are kept.
    pub runs: PathBuf,
    /// This desk's allow list.
    pub allow_list: PathBuf,
    /// The id of the command, from the ledger.
    pub command: String,
    /// The digest of its script, from the ledger.
    pub script: Digest,
    /// How long a stopped command may take to end before it is killed.
    pub stop_grace: Duration,
}

impl Config {
    /// Takes where things are and what the ledger says, with ten seconds to end after a stop.
    #[must_use]
    pub fn new(runs: PathBuf, allow_list: PathBuf, command: impl Into<String>, script: Digest) -> Self {
        Self { runs, allow_list, command: command.into(), script, stop_grace: Duration::from_secs(10) }
    }
}

/// Runs one command of this desk.
#[derive(Debug)]
pub struct LocalCommand {
    config: Config,
}

/// `request.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    command: String,
    script: Digest,
    submitted: DateTime<Utc>,
    reason: String,
    inputs: BTreeMap<String, String>,
}

/// `supervisor`: who runs the command.
#[derive(Debug, PartialEq, Eq)]
enum Supervisor {
    /// Nobody has said anything yet.
    Absent,
    /// An observer decided that the command never starts.
    Never,
    /// This process.
    Process(os::Process),
}

/// How a run stands.
struct State {
    status: RunStatus,
    raw: String,
    completed: Option<DateTime<Utc>>,
}

impl State {
    fn over(conclusion: RunConclusion, raw: &str) -> Self {
        Self { status: RunStatus::Completed(conclusion), raw: raw.to_owned(), completed: None }
    }
}

impl LocalCommand {
    /// Prepares the connector; nothing is read or run.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    /// Finds the command in the allow list and reads its script, which must be what the ledger and this desk say.
    fn allowed(&self, job: &str) -> Result<(AllowedCommand, Vec<u8>), Failure> {
        let refused = |message: String| Failure::new(Fate::NotSent, FailureKind::NotAllowed, message);
        if job != self.config.command {
            return Err(refused(format!(
                "the target names the command '{}', not '{}'",
                self.config.command,
                excerpt(job)
            )));
        }
        let list = AllowList::read(&self.config.allow_list).map_err(|error| refused(error.to_string()))?;
        let allowed = list.command.get(job).cloned().ok_or_else(|| {
            refused(format!("this desk does not allow the command '{}'", excerpt(job)))
                .hint("look at the script, then allow the command on this desk")
        })?;
        let program = allowed.interpreter.first().map(Path::new);
        if !allowed.script.is_absolute() || program.is_some_and(|program| !program.is_absolute()) {
            return Err(refused(format!("the command '{job}' is not allowed by an absolute path")));
        }
        let script = durable::read(&allowed.script, SCRIPT_BYTES_MAX).map_err(|error| refused(error.to_string()))?;
        let found = Digest::of(&script);
        for (whose, digest) in [("the ledger names", self.config.script), ("this desk allowed", allowed.sha256)] {
            if found != digest {
                return Err(refused(format!(
                    "the script {} is not the one {whose}: it is {found}, it must be {digest}",
                    allowed.script.display()
                ))
                .hint("find out who changed it; a new script needs a new signed target and must be allowed again"));
            }
        }
        Ok((allowed, script))
    }

    fn run_directory(&self, id: &str) -> Result<PathBuf, Failure> {
        let id: RequestId = id.parse().map_err(|error: super::RequestIdError| {
            Failure::new(Fate::NotSent, FailureKind::Invalid, error.to_string())
        })?;
        Ok(self.config.runs.join(id.as_str()))
    }

    /// Makes the run directory whole, then gives it its name; a name is given once.
    fn prepare(&self, request: &TriggerRequest, script: &[u8]) -> Result<PathBuf, Failure> {
        let failed = |error: FileError| Failure::new(Fate::NotSent, FailureKind::Io, error.to_string());
        durable::create_private_dir(&self.config.runs).map_err(failed)?;
        let run = self.run_directory(request.request_id.as_str())?;
        let draft = tempfile::Builder::new()
            .prefix(durable::TEMPORARY_PREFIX)
            .tempdir_in(&self.config.runs)
            .map_err(FileError::io("create a directory in", &self.config.runs))
            .map_err(failed)?;
        durable::restrict_dir(draft.path()).map_err(failed)?;
        let record = Request {
            command: request.job.clone(),
            script: Digest::of(script),
            submitted: Utc::now(),
            reason: request.reason.clone(),
            inputs: request.inputs.clone(),
        };
        let json = serde_json::to_vec(&record).expect("a record of strings is JSON");
        durable::write_new(&draft.path().join("request.json"), &json).map_err(failed)?;
        let copy = draft.path().join("script");
        durable::write_new(&copy, script).map_err(failed)?;
        os::make_executable(&copy).map_err(failed)?;
        durable::create_private_dir(&draft.path().join("files")).map_err(failed)?;
        let used = || {
            Failure::new(
                Fate::Refused,
                FailureKind::Conflict,
                format!("the request id {} was used before", request.request_id),
            )
            .hint("look at the run that it has; sending again takes a new request id")
        };
        if run.exists() {
            return Err(used());
        }
        // A directory that is not empty cannot be replaced, so of two that come this far one is refused.
        match fs::rename(draft.path(), &run) {
            Ok(()) => {
                let _ = draft.keep();
            }
            Err(_) if run.exists() => return Err(used()),
            Err(error) => return Err(failed(FileError::io("create", &run)(error))),
        }
        durable::sync_dir(&self.config.runs).map_err(failed)?;
        Ok(run)
    }

    fn environment(
        request: &TriggerRequest,
        allowed: &AllowedCommand,
        run: &Path,
    ) -> BTreeMap<String, std::ffi::OsString> {
        let mut variables: BTreeMap<String, std::ffi::OsString> =
            allowed.environment.iter().map(|(name, value)| (name.clone(), value.into())).collect();
        let path = allowed
            .environment
            .get("PATH")
            .map_or_else(|| "/usr/bin:/bin".to_owned(), |path| format!("{path}:/usr/bin:/bin"));
        variables.insert("PATH".to_owned(), path.into());
        for (name, value) in &request.inputs {
            variables.insert(variable(name), value.into());
        }
        let original = allowed.script.parent().unwrap_or(Path::new("/"));
        let own: [(&str, std::ffi::OsString); 5] = [
            ("request_id", request.request_id.as_str().into()),
            ("reason", request.reason.replace('\0', " ").into()),
            ("files", run.join("files").into()),
            ("result", run.join("result").into()),
            ("script_dir", original.into()),
        ];
        for (name, value) in own {
            variables.insert(variable(name), value);
        }
        variables
    }

    /// How the run stands.
    fn state(&self, run: &Path, request: &Request) -> Result<State, FileError> {
        let never = || match run.join("stop").exists() {
            true => State::over(RunConclusion::Cancelled, "stopped before it started"),
            false => State::over(RunConclusion::Skipped, "never started"),
        };
        let starting = || State { status: RunStatus::Queued, raw: "starting".to_owned(), completed: None };
        if let Some(state) = exited(run)? {
            return Ok(state);
        }
        let process = match read_supervisor(run)? {
            Supervisor::Process(process) => process,
            Supervisor::Never => return Ok(never()),
            Supervisor::Absent if (Utc::now() - request.submitted).num_seconds() < START_SECONDS => {
                return Ok(starting());
            }
            Supervisor::Absent => return Ok(if fence(run)? { never() } else { starting() }),
        };
        if process.is_alive() {
            return Ok(State { status: RunStatus::InProgress, raw: "running".to_owned(), completed: None });
        }
        // It may have ended between the first look and now.
        if let Some(state) = exited(run)? {
            return Ok(state);
        }
        Ok(if run.join("killed").exists() {
            State::over(RunConclusion::Cancelled, "killed")
        } else {
            State::over(RunConclusion::Unknown("lost".to_owned()), "the supervisor is gone and left no exit code")
        })
    }

    /// What became of a run that was prepared: until its supervisor is there it waits.
    fn resolution(&self, id: &str, run: &Path, request: &Request) -> Result<Resolved, FileError> {
        let State { status, raw, .. } = self.state(run, request)?;
        Ok(match (status, read_supervisor(run)?) {
            (_, Supervisor::Process(_)) => Resolved::Run(RunRef { id: id.to_owned(), attempt: 1 }),
            (RunStatus::Completed(conclusion), _) => Resolved::Dropped { conclusion, raw },
            _ => Resolved::Queued,
        })
    }

    fn is_over(&self, run: &Path, request: &Request) -> Result<bool, Failure> {
        Ok(matches!(self.state(run, request)?.status, RunStatus::Completed(_)))
    }

    fn load(&self, id: &str) -> Result<(PathBuf, Request), Failure> {
        let run = self.run_directory(id)?;
        let bytes = durable::read(&run.join("request.json"), RECORD_BYTES_MAX).map_err(|error| {
            if !error.is_not_found() {
                return error.into();
            }
            Failure::new(Fate::Refused, FailureKind::HiddenOrMissing, format!("there is no run {id} on this desk"))
                .hint("a local command is known only on the desk that ran it")
        })?;
        let request = serde_json::from_slice(&bytes).map_err(|error| {
            Failure::new(
                Fate::Unknown,
                FailureKind::Unreadable,
                format!("the record of run {id} cannot be read: {error}"),
            )
        })?;
        Ok((run, request))
    }
}

#[async_trait]
impl Connector for LocalCommand {
    async fn probe(&self) -> Result<ServerInfo, Failure> {
        Ok(ServerInfo { product: "local command".to_owned(), version: None, user: None, server_time: None })
    }

    async fn preflight(&self, job: &str) -> Result<Preflight, Failure> {
        self.allowed(job)?;
        Ok(Preflight { job: job.to_owned(), inputs: None })
    }

    async fn trigger(&self, request: &TriggerRequest) -> Result<Accepted, Failure> {
        check_inputs(&request.inputs)?;
        let (allowed, script) = self.allowed(&request.job)?;
        let run = self.prepare(request, &script)?;
        let copy = run.join("script");
        let mut arguments: Vec<std::ffi::OsString> = allowed.interpreter.iter().map(Into::into).collect();
        arguments.push(copy.into());
        arguments.extend(allowed.arguments.iter().map(Into::into));
        let home = allowed.script.parent().unwrap_or(Path::new("/"));
        if let Err(failure) = os::supervise(&run, home, &Self::environment(request, &allowed, &run), &arguments) {
            // Should the supervisor be there all the same, it has linked its file first and this has no effect.
            return Err(match fence(&run) {
                Ok(true) => failure,
                _ => Failure { fate: Fate::Unknown, ..failure },
            });
        }
        Ok(Accepted {
            handle: Handle::Run(RunRef { id: request.request_id.to_string(), attempt: 1 }),
            server_time: None,
        })
    }

    async fn find(&self, request_id: &RequestId, since: Option<DateTime<Utc>>) -> Result<Vec<Found>, Failure> {
        let id = request_id.to_string();
        match self.load(&id) {
            Ok((_, request)) if since.is_some_and(|since| request.submitted < since) => Ok(Vec::new()),
            Ok((run, request)) => Ok(vec![Found {
                resolved: self.resolution(&id, &run, &request)?,
                ticket: Ticket(id),
                submitted: Some(request.submitted),
            }]),
            Err(failure) if failure.kind == FailureKind::HiddenOrMissing => Ok(Vec::new()),
            Err(failure) => Err(failure),
        }
    }

    async fn resolve(&self, ticket: &Ticket) -> Result<Resolved, Failure> {
        let (run, request) = self.load(&ticket.0)?;
        Ok(self.resolution(&ticket.0, &run, &request)?)
    }

    async fn observe(&self, run: &RunRef) -> Result<Observation, Failure> {
        let (directory, request) = self.load(&run.id)?;
        let State { status, raw, completed } = self.state(&directory, &request)?;
        let mut properties: BTreeMap<String, Property> = results(&directory)?
            .into_iter()
            .map(|(name, value)| (name, Property { value, source: "command".to_owned() }))
            .collect();
        // What was asked for cannot be overwritten by what came back.
        let asked = [("request_id".to_owned(), run.id.clone())];
        for (name, value) in request.inputs.into_iter().chain(asked) {
            properties.insert(name, Property { value, source: "input".to_owned() });
        }
        Ok(Observation {
            run: run.clone(),
            steps: vec![Step { name: request.command, status: status.clone(), raw: raw.clone() }],
            status,
            raw,
            replaced_by: None,
            properties,
            url: directory.display().to_string(),
            started: Some(request.submitted),
            completed,
            server_time: None,
            poll_after: poll_after((Utc::now() - request.submitted).num_seconds()).min(Duration::from_secs(5)),
        })
    }

    async fn log(&self, run: &RunRef, step: &str, from: u64) -> Result<LogChunk, Failure> {
        let (directory, request) = self.load(&run.id)?;
        check_step(&request, step)?;
        let path = directory.join("log");
        let failed = |error: io::Error| Failure::from(FileError::io("read", &path)(error));
        // Looked at before the log is read: what was written until then is all there is.
        let over = self.is_over(&directory, &request)?;
        let mut file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(LogChunk { text: String::new(), next: from, complete: over });
            }
            Err(error) => return Err(failed(error)),
        };
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        file.take(LOG_CHUNK_BYTES).read_to_end(&mut bytes).map_err(failed)?;
        let full = bytes.len() as u64 == LOG_CHUNK_BYTES;
        if !over || full {
            match bytes.iter().rposition(|byte| *byte == b'\n') {
                Some(end) => bytes.truncate(end + 1),
                // A line longer than a chunk is given in pieces; a line not yet finished waits.
                None if full => {}
                None => bytes.clear(),
            }
        }
        Ok(LogChunk {
            next: from + bytes.len() as u64,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            complete: over && !full,
        })
    }

    async fn file(&self, run: &RunRef, step: &str, name: &str) -> Result<FetchedFile, Failure> {
        let (directory, request) = self.load(&run.id)?;
        check_step(&request, step)?;
        let refused = |kind, message: String| Failure::new(Fate::Refused, kind, message);
        // The same plain words as request ids: no way out of the directory.
        if name.parse::<RequestId>().is_err() {
            return Err(refused(FailureKind::Invalid, format!("'{}' is not the name of a file", excerpt(name))));
        }
        if !self.is_over(&directory, &request)? {
            return Err(refused(FailureKind::Conflict, "the command is still running".to_owned())
                .hint("fetch its files when it is over"));
        }
        let path = directory.join("files").join(name);
        let plain_file = fs::symlink_metadata(&path).is_ok_and(|found| found.is_file());
        if !plain_file {
            return Err(refused(FailureKind::HiddenOrMissing, format!("the command left no file '{name}'")));
        }
        let bytes = durable::read(&path, FILE_BYTES_MAX)?;
        let digest = Digest::of(&bytes);
        Ok(FetchedFile { bytes, digest, raw_reply: digest, url: path.display().to_string(), server_time: None })
    }

    async fn stop(&self, target: &Handle, reason: &str) -> Result<StopAck, Failure> {
        let id = match target {
            Handle::Run(run) => &run.id,
            Handle::Ticket(ticket) => &ticket.0,
        };
        let (directory, request) = self.load(id)?;
        if self.is_over(&directory, &request)? {
            return Ok(StopAck::AlreadyOver);
        }
        durable::replace(&directory.join("stop"), reason.as_bytes())?;
        if fence(&directory)? {
            return Ok(StopAck::Requested);
        }
        let Supervisor::Process(process) = read_supervisor(&directory)? else {
            return Ok(StopAck::Requested);
        };
        let failed = |error: io::Error| Failure::from(FileError::io("stop the command of", &directory)(error));
        process.signal_group(os::Signal::Term).map_err(failed)?;
        let deadline = tokio::time::Instant::now() + self.config.stop_grace;
        while tokio::time::Instant::now() < deadline {
            if !process.is_alive() {
                return Ok(StopAck::Requested);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        if process.signal_group(os::Signal::Kill).map_err(failed)? {
            durable::replace(&directory.join("killed"), b"")?;
        }
        Ok(StopAck::Requested)
    }
}

fn variable(input: &str) -> String {
    format!("COUNTERSIGN_{}", input.to_ascii_uppercase())
}

fn check_inputs(inputs: &BTreeMap<String, String>) -> Result<(), Failure> {
    let invalid = |message: String| Failure::new(Fate::NotSent, FailureKind::Invalid, message);
    for (name, value) in inputs {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !name.starts_with(|c: char| c.is_ascii_lowercase())
            || name.len() > 64
            || !name.chars().all(plain)
            || RESERVED.contains(&name.as_str())
        {
            return Err(invalid(format!("an input must not be named '{}'", excerpt(name))));
        }
        if value.len() > INPUT_BYTES_MAX || value.contains('\0') {
            return Err(invalid(format!("the input `{name}` is too long or holds a zero byte")));
        }
    }
    Ok(())
}

fn check_step(request: &Request, step: &str) -> Result<(), Failure> {
    if step == request.command {
        return Ok(());
    }
    Err(Failure::new(
        Fate::Refused,
        FailureKind::HiddenOrMissing,
        format!("the run has one step, '{}', and none named '{}'", request.command, excerpt(step)),
    ))
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::new(Fate::Unknown, FailureKind::Io, error.to_string())
    }
}

/// Decides that the command never starts, unless its supervisor was first.
fn fence(run: &Path) -> Result<bool, FileError> {
    let place = run.join("supervisor");
    let draft = tempfile::Builder::new()
        .prefix(durable::TEMPORARY_PREFIX)
        .tempfile_in(run)
        .map_err(FileError::io("create a file in", run))?;
    match fs::hard_link(draft.path(), &place) {
        Ok(()) => {
            durable::sync_dir(run)?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(read_supervisor(run)? == Supervisor::Never),
        Err(error) => Err(FileError::io("link", &place)(error)),
    }
}

/// Reads a small file of the run directory, or none where it is not there.
fn read_note(path: &Path) -> Result<Option<String>, FileError> {
    match durable::read(path, NOTE_BYTES_MAX) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn read_supervisor(run: &Path) -> Result<Supervisor, FileError> {
    let path = run.join("supervisor");
    match read_note(&path)? {
        None => Ok(Supervisor::Absent),
        Some(text) if text.is_empty() => Ok(Supervisor::Never),
        Some(text) => os::Process::parse(&text)
            .map(Supervisor::Process)
            .ok_or_else(|| FileError::io("understand", &path)(io::ErrorKind::InvalidData.into())),
    }
}

/// What `exit` says, where it is there.
fn exited(run: &Path) -> Result<Option<State>, FileError> {
    let Some(text) = read_note(&run.join("exit"))? else {
        return Ok(None);
    };
    let mut words = text.split_whitespace();
    let code = words.next().and_then(|word| word.parse::<u8>().ok());
    let conclusion = match code {
        Some(0) => RunConclusion::Success,
        Some(_) if run.join("stop").exists() => RunConclusion::Cancelled,
        Some(_) => RunConclusion::Failure,
        None => RunConclusion::Unknown(excerpt(&text)),
    };
    let completed =
        words.next().and_then(|word| word.parse().ok()).and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let raw = code.map_or_else(|| excerpt(&text), |code| format!("exit {code}"));
    Ok(Some(State { completed, ..State::over(conclusion, &raw) }))
}

/// The `name=value` lines the command left; what is not such a line is left out.
fn results(run: &Path) -> Result<BTreeMap<String, String>, FileError> {
    let text = read_note(&run.join("result"))?.unwrap_or_default();
    Ok(text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

#[cfg(unix)]
mod os {
    //! Process groups, permissions and durable directories, the POSIX way.

    use std::collections::BTreeMap;
    use std::ffi::OsString;
    use std::fs;
    use std::io;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;
    use std::process::Stdio;

    use rustix::io::Errno;
    use rustix::process::{Pid, kill_process_group};

    use super::super::{Failure, FailureKind, Fate};
    use crate::durable::FileError;

    /// Says who it is, starts the command if it is the first to say so, and leaves the exit code. Signals are for the
    /// command: the supervisor lives on until it has written down how the command ended.
    const SUPERVISOR: &str = r#"
run=$1; shift
trap '' HUP
trap : INT TERM
{
  printf '%s\n' "$$"
  cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo -
  if [ -r /proc/self/stat ]; then cat "/proc/$$/stat"; else ps -o lstart= -p "$$"; fi
} >"$run/supervisor.$$"
ln "$run/supervisor.$$" "$run/supervisor" || exit 125
"$@" </dev/null >>"$run/log" 2>&1 &
child=$!
wait "$child"; code=$?
while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
printf '%s %s\n' "$code" "$(date +%s)" >"$run/exit.$$"
sync
mv "$run/exit.$$" "$run/exit"
"#;

    /// What is sent to a process group.
    #[derive(Clone, Copy)]
    pub(super) enum Signal {
        Term,
        Kill,
    }

    /// A process, told from others that had or will have its id.
    #[derive(Debug, PartialEq, Eq)]
    pub(super) struct Process {
        id: i32,
        boot: String,
        start: String,
    }

    impl Process {
        /// Parses what the supervisor wrote: its id, the boot, and its line of `stat` or of `ps`.
        pub(super) fn parse(text: &str) -> Option<Self> {
            let mut lines = text.lines();
            let id = lines.next()?.parse().ok().filter(|id| *id > 1)?;
            let boot = lines.next()?.to_owned();
            let line = lines.next()?;
            let start = if boot == "-" { line.trim().to_owned() } else { stat_fields(line)?.1 };
            Some(Self { id, boot, start })
        }

        /// Whether this very process still runs.
        pub(super) fn is_alive(&self) -> bool {
            if self.boot == "-" {
                return started_by_ps(self.id).is_some_and(|start| start == self.start);
            }
            let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
            boot.trim() == self.boot
                && fs::read_to_string(format!("/proc/{}/stat", self.id))
                    .ok()
                    .and_then(|line| stat_fields(&line))
                    .is_some_and(|(state, start)| !matches!(state.as_str(), "Z" | "X") && start == self.start)
        }

        /// Signals the group that this process leads; says whether there was one. A group whose leader is gone is
        /// left alone: its id may be somebody else's by now.
        pub(super) fn signal_group(&self, signal: Signal) -> io::Result<bool> {
            if !self.is_alive() {
                return Ok(false);
            }
            let signal = match signal {
                Signal::Term => rustix::process::Signal::TERM,
                Signal::Kill => rustix::process::Signal::KILL,
            };
            let Some(group) = Pid::from_raw(self.id) else {
                return Ok(false);
            };
            match kill_process_group(group, signal) {
                Ok(()) => Ok(true),
                Err(Errno::SRCH) => Ok(false),
                Err(error) => Err(error.into()),
            }
        }
    }

    /// State and start time from a line of `/proc/PID/stat`; the name before them may hold anything but its own end.
    fn stat_fields(line: &str) -> Option<(String, String)> {
        let (_, rest) = line.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        Some(((*fields.first()?).to_owned(), (*fields.get(19)?).to_owned()))
    }

    fn started_by_ps(id: i32) -> Option<String> {
        let output =
            std::process::Command::new("/bin/ps").args(["-o", "lstart=", "-p", &id.to_string()]).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    pub(super) fn supervise(
        run: &Path,
        home: &Path,
        environment: &BTreeMap<String, OsString>,
        arguments: &[OsString],
    ) -> Result<(), Failure> {
        let child = tokio::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(SUPERVISOR)
            .arg("countersign-supervisor")
            .arg(run)
            .args(arguments)
            .env_clear()
            .envs(environment)
            .current_dir(home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(false)
            .spawn();
        // Dropped, it is reaped when it ends while we live, and by the system when we do not.
        child.map(drop).map_err(|error| {
            Failure::new(Fate::NotSent, FailureKind::Io, format!("the command could not be started: {error}"))
        })
    }

    pub(super) fn make_executable(path: &Path) -> Result<(), FileError> {
        fs::set_permissions(path, fs::Permissions::from_mode(0o500)).map_err(FileError::io("make executable", path))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_process_is_told_by_its_boot_and_start() {
            let me = std::process::id();
            let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id");
            let (Ok(boot), Ok(stat)) = (boot, fs::read_to_string("/proc/self/stat")) else {
                return; // No procfs: `ps` is asked, which the tests of whole runs cover.
            };
            let process = Process::parse(&format!("{me}\n{boot}{stat}")).unwrap();
            assert!(process.is_alive());
            let later = Process { start: "1".into(), ..Process::parse(&format!("{me}\n{boot}{stat}")).unwrap() };
            assert!(!later.is_alive());
            let other_boot = Process { boot: "x".into(), ..process };
            assert!(!other_boot.is_alive());
            assert!(!other_boot.signal_group(Signal::Kill).unwrap());
        }

        #[test]
        fn a_name_in_stat_may_hold_anything() {
            let line = format!("7 (a) S) 1 b)) Z {}", (0..40).map(|n| n.to_string()).collect::<Vec<_>>().join(" "));
            assert_eq!(stat_fields(&line), Some(("Z".to_owned(), "18".to_owned())));
            for bad in ["", "7 (a) S 1", "7"] {
                assert_eq!(stat_fields(bad), None);
            }
            for bad in ["", "1\nb\nc", "-5\nb\nc", "x\nb\nc", "7\nb"] {
                assert_eq!(Process::parse(bad), None, "{bad:?}");
            }
        }
    }
}

#[cfg(not(unix))]
mod os {
    //! What there is without POSIX: nothing runs, so nothing is alive.

    use std::collections::BTreeMap;
    use std::ffi::OsString;
    use std::io;
    use std::path::Path;

    use super::super::{Failure, FailureKind, Fate};
    use crate::durable::FileError;

    #[derive(Clone, Copy)]
    pub(super) enum Signal {
        Term,
        Kill,
    }

    #[derive(Debug, PartialEq, Eq)]
    pub(super) struct Process;

    impl Process {
        pub(super) fn parse(_text: &str) -> Option<Self> {
            None
        }

        pub(super) fn is_alive(&self) -> bool {
            false
        }

        pub(super) fn signal_group(&self, _signal: Signal) -> io::Result<bool> {
            Ok(false)
        }
    }

    pub(super) fn supervise(
        _run: &Path,
        _home: &Path,
        _environment: &BTreeMap<String, OsString>,
        _arguments: &[OsString],
    ) -> Result<(), Failure> {
        Err(Failure::new(Fate::NotSent, FailureKind::Unsupported, "local commands do not run on this system yet")
            .hint("use a CI system as the target, or a desk with Linux or macOS"))
    }

    pub(super) fn make_executable(_path: &Path) -> Result<(), FileError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allow_list_is_written_for_its_owner_and_read_back() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("allowed.toml");
        assert_eq!(AllowList::read(&path).unwrap(), AllowList::default());
        let mut list = AllowList::default();
        list.command.insert(
            "deploy".into(),
            AllowedCommand {
                script: "/srv/deploy.sh".into(),
                sha256: Digest::of(b"x"),
                arguments: vec!["a b".into()],
                interpreter: Vec::new(),
                environment: BTreeMap::from([("PATH".into(), "/opt/bin".into())]),
            },
        );
        list.write(&path).unwrap();
        assert_eq!(AllowList::read(&path).unwrap(), list);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).unwrap();
            assert!(matches!(AllowList::read(&path), Err(AllowListError::File(FileError::Exposed { .. }))));
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        durable::replace(&path, b"[command.deploy]\nscript = '/x'\nsha256 = 'no'").unwrap();
        assert!(matches!(AllowList::read(&path), Err(AllowListError::Syntax { .. })));
    }

    #[test]
    fn inputs_are_plain_names_and_never_ours() {
        let check =
            |name: &str, value: &str| check_inputs(&BTreeMap::from([(name.to_owned(), value.to_owned())])).is_ok();
        assert!(check("version", "1.0.0\n$(rm -rf /)"));
        for bad in ["", "PATH", "request_id", "result", "a-b", "a=b", "_a", "1a", "é", &"a".repeat(65)] {
            assert!(!check(bad, "x"), "{bad:?}");
        }
        assert!(!check("version", "a\0b"));
        assert!(!check("version", &"x".repeat(INPUT_BYTES_MAX + 1)));
    }

    #[test]
    fn the_first_to_link_decides_whether_the_command_starts() {
        let run = tempfile::tempdir().unwrap();
        assert_eq!(read_supervisor(run.path()).unwrap(), Supervisor::Absent);
        assert!(fence(run.path()).unwrap());
        assert!(fence(run.path()).unwrap(), "a decision stands");
        assert_eq!(read_supervisor(run.path()).unwrap(), Supervisor::Never);

        let run = tempfile::tempdir().unwrap();
        fs::write(run.path().join("supervisor"), "garbage").unwrap();
        assert!(fence(run.path()).is_err());
    }

    #[test]
    fn an_exit_is_judged_by_its_code() {
        let run = tempfile::tempdir().unwrap();
        let conclude = |text: &str| {
            fs::write(run.path().join("exit"), text).unwrap();
            match exited(run.path()).unwrap().unwrap().status {
                RunStatus::Completed(conclusion) => conclusion,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(conclude("0 1700000000\n"), RunConclusion::Success);
        assert_eq!(conclude("3 1700000000\n"), RunConclusion::Failure);
        for unknown in ["", "zero", "256 1", "-1"] {
            assert_eq!(conclude(unknown), RunConclusion::Unknown(unknown.to_owned()));
        }
        fs::write(run.path().join("stop"), "").unwrap();
        fs::write(run.path().join("exit"), "143 1\n").unwrap();
        let state = exited(run.path()).unwrap().unwrap();
        assert_eq!(state.status, RunStatus::Completed(RunConclusion::Cancelled));
        assert_eq!(state.raw, "exit 143");
        assert_eq!(state.completed.unwrap().timestamp(), 1);
    }
}

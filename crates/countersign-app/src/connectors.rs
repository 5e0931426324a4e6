//! The connectors of this desk: where CI systems are, who we are there, and which local commands may run.
//!
//! None of it is in the ledger. A signed target says what must be reached (a base URL and the digest of the certificate
//! authority, or a command id and the digest of its script); this module finds what the desk has that fits, and nothing
//! else is used.
//!
//! ```text
//! <desk>/credentials/NAME.toml    one Buildbot: address, user, password, certificate authority; 0600
//! <desk>/commands.toml            the commands that may run here, each allowed with a passphrase
//! ```
//!
//! Deliberately absent: what is sent to a CI system and when.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use countersign_core::act::{ConnectorConfig, Target};
use countersign_core::hash::Digest;
use countersign_core::words::{Line, Principal, ReleaseId, Slug, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::Zeroizing;

use crate::clock;
use crate::connector::buildbot::{self, Buildbot};
use crate::connector::local_command::{self, AllowList, AllowedCommand, LocalCommand};
use crate::connector::{Connector, Secret};
use crate::desk::DeskDir;
use crate::durable::{self, FileError};
use crate::error::{Error, ErrorKind};
use crate::ledger::Ledger;
use crate::rollout;

const SETTING_BYTES_MAX: u64 = 1024 * 1024;
const SCRIPT_BYTES_MAX: u64 = 4 << 20;

/// One Buildbot as the desk keeps it.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Setting {
    Buildbot {
        base_url: Url,
        user: String,
        password: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca_pem: Option<String>,
    },
}

/// A connector as a list shows it; never its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ConnectorRow {
    /// A Buildbot master.
    Buildbot {
        /// Its name on this desk.
        name: Slug,
        /// The base URL.
        base_url: String,
        /// Who we are there.
        user: String,
        /// The digest of the certificate authority, as a target names it.
        ca_sha256: Digest,
        /// Whether the system's certificate authorities are trusted for want of one of its own.
        system_authorities: bool,
    },
    /// A command that may run here.
    LocalCommand {
        /// Its id.
        name: String,
        /// The script.
        script: PathBuf,
        /// The digest it was allowed with.
        script_sha256: Digest,
        /// Why it would not run now; none where it would.
        refused: Option<String>,
    },
}

fn setting_path(desk: &DeskDir, name: &Slug) -> PathBuf {
    desk.credentials().join(format!("{name}.toml"))
}

/// The digest a target names where no certificate authority of its own is given: that of no bytes.
fn ca_digest(pem: Option<&str>) -> Digest {
    Digest::of(pem.unwrap_or_default().as_bytes())
}

/// Reads the address of a CI system, written one way: with a slash at its end.
fn base_url(text: &str) -> Result<Url, Error> {
    let mut url = Url::parse(text)
        .map_err(|error| Error::usage(format!("`{text}` is not a URL: {error}")).hint("write https://HOST/PATH/"))?;
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// Keeps the address of a Buildbot and who we are there, in place of what was kept under that name.
///
/// # Errors
/// The address or the certificate authority cannot be used, or the file cannot be written.
pub fn add_buildbot(
    desk: &DeskDir,
    name: &Slug,
    address: &str,
    user: &str,
    password: &Zeroizing<String>,
    ca_file: Option<&Path>,
) -> Result<ConnectorRow, Error> {
    let setting = Setting::Buildbot {
        base_url: base_url(address)?,
        user: user.to_owned(),
        password: password.to_string(),
        ca_pem: ca_file.map(read_pem).transpose()?,
    };
    // Refused now rather than at the first dispatch.
    open(&setting)?;
    let text = toml::to_string(&setting)
        .map_err(|error| Error::usage(format!("this cannot be kept: {error}")))
        .map(Zeroizing::new)?;
    durable::create_private_dir(&desk.credentials())?;
    durable::restrict_dir(&desk.credentials())?;
    durable::replace(&setting_path(desk, name), text.as_bytes())?;
    Ok(row(name, &setting))
}

fn read_pem(path: &Path) -> Result<String, Error> {
    let bytes = durable::read(path, SETTING_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(|_| Error::usage(format!("{} is not a PEM file", path.display())))
}

/// Forgets a Buildbot.
///
/// # Errors
/// There is none of that name.
pub fn remove_buildbot(desk: &DeskDir, name: &Slug) -> Result<(), Error> {
    let path = setting_path(desk, name);
    match std::fs::remove_file(&path) {
        Ok(()) => Ok(durable::sync_parent(&path)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(unknown(name.as_str())),
        Err(error) => Err(FileError::io("remove", &path)(error).into()),
    }
}

fn unknown(name: &str) -> Error {
    Error::not_found(format!("this desk has no connector {name}")).hint("`countersign connector list` shows them")
}

fn load(path: &Path) -> Result<Setting, Error> {
    let bytes = Zeroizing::new(durable::read_private(path, SETTING_BYTES_MAX)?);
    let damaged = |why: String| {
        Error::new(ErrorKind::Cannot, "connector", format!("{} cannot be understood: {why}", path.display()))
            .hint("set it anew with `countersign connector add buildbot`")
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| damaged(error.to_string()))?;
    // The parser's own message would quote the line with the password.
    toml::from_str(text).map_err(|error| damaged(error.message().to_owned()))
}

fn settings(desk: &DeskDir) -> Result<BTreeMap<Slug, Setting>, Error> {
    let dir = desk.credentials();
    let entries = match std::fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(FileError::io("list", &dir)(error).into()),
    };
    let mut found = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(FileError::io("list", &dir))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".toml"));
        if let Some(name) = name.and_then(|name| name.parse::<Slug>().ok()) {
            found.insert(name, load(&path)?);
        }
    }
    Ok(found)
}

fn row(name: &Slug, setting: &Setting) -> ConnectorRow {
    let Setting::Buildbot { base_url, user, ca_pem, .. } = setting;
    ConnectorRow::Buildbot {
        name: name.clone(),
        base_url: base_url.to_string(),
        user: user.clone(),
        ca_sha256: ca_digest(ca_pem.as_deref()),
        system_authorities: ca_pem.is_none(),
    }
}

fn open(setting: &Setting) -> Result<Box<dyn Connector>, Error> {
    let Setting::Buildbot { base_url, user, password, ca_pem } = setting;
    let mut config = buildbot::Config::new(base_url.clone(), user.clone(), Secret::new(password.clone()));
    config.ca_pem = ca_pem.as_ref().map(|pem| pem.as_bytes().to_vec());
    Ok(Box::new(Buildbot::new(config)?))
}

/// Returns every connector of this desk.
///
/// # Errors
/// A file of the desk cannot be read.
pub fn list(desk: &DeskDir) -> Result<Vec<ConnectorRow>, Error> {
    let mut rows: Vec<ConnectorRow> = settings(desk)?.iter().map(|(name, setting)| row(name, setting)).collect();
    for (name, command) in &allowed(desk)?.command {
        let refused = match durable::read(&command.script, SCRIPT_BYTES_MAX) {
            Ok(bytes) if Digest::of(&bytes) == command.sha256 => None,
            Ok(_) => Some("the script has changed since it was allowed".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        rows.push(ConnectorRow::LocalCommand {
            name: name.clone(),
            script: command.script.clone(),
            script_sha256: command.sha256,
            refused,
        });
    }
    Ok(rows)
}

fn allowed(desk: &DeskDir) -> Result<AllowList, Error> {
    AllowList::read(&desk.commands()).map_err(|error| Error::new(ErrorKind::Cannot, "commands", error.to_string()))
}

/// What is to be allowed on this desk.
#[derive(Debug, Clone)]
pub struct NewCommand {
    /// The id by which targets name it.
    pub id: Slug,
    /// The script.
    pub script: PathBuf,
    /// Arguments for the script.
    pub arguments: Vec<String>,
    /// A program and its arguments to run the script with.
    pub interpreter: Vec<String>,
    /// Variables for the command.
    pub environment: BTreeMap<String, String>,
}

/// Allows a command on this desk, once somebody with a key here has given their passphrase for it.
///
/// `ask` is told what is allowed, and by whom.
///
/// # Errors
/// The script cannot be read, the passphrase is wrong, or the list cannot be written.
pub fn allow_command(
    ledger: &mut Ledger,
    by: &Principal,
    command: NewCommand,
    ask: &mut dyn FnMut(&str) -> Result<Zeroizing<String>, Error>,
) -> Result<ConnectorRow, Error> {
    let script = std::fs::canonicalize(&command.script).map_err(FileError::io("open", &command.script))?;
    let sha256 = Digest::of(&durable::read(&script, SCRIPT_BYTES_MAX)?);
    if let Some(program) = command.interpreter.first().filter(|program| !Path::new(program).is_absolute()) {
        return Err(Error::usage(format!("`{program}` is not a full path"))
            .hint("name the interpreter in full, as --interpreter /bin/bash"));
    }
    if let Some(name) = command.environment.keys().find(|name| !is_variable(name)) {
        return Err(Error::usage(format!("`{name}` is not the name of a variable"))
            .hint("use letters, digits and _; names that begin with COUNTERSIGN_ are set by Countersign"));
    }
    let about = format!("allow the command {} on this desk: {} ({sha256})", command.id, script.display());
    ledger.prove_presence(by, &mut || ask(&about))?;
    let mut list = allowed(ledger.desk())?;
    let entry = AllowedCommand {
        script: script.clone(),
        sha256,
        arguments: command.arguments,
        interpreter: command.interpreter,
        environment: command.environment,
    };
    list.command.insert(command.id.to_string(), entry);
    list.write(&ledger.desk().commands())
        .map_err(|error| Error::new(ErrorKind::Cannot, "commands", error.to_string()))?;
    Ok(ConnectorRow::LocalCommand { name: command.id.to_string(), script, script_sha256: sha256, refused: None })
}

fn is_variable(name: &str) -> bool {
    !name.starts_with("COUNTERSIGN_")
        && !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Takes a command off the list of what may run here.
///
/// # Errors
/// It is not on the list, or the list cannot be written.
pub fn disallow_command(desk: &DeskDir, id: &Slug) -> Result<(), Error> {
    let mut list = allowed(desk)?;
    if list.command.remove(id.as_str()).is_none() {
        return Err(unknown(id.as_str()));
    }
    list.write(&desk.commands()).map_err(|error| Error::new(ErrorKind::Cannot, "commands", error.to_string()))
}

// ------------------------------------------------------------------------------------------------- targets

/// Returns how a target names a Buildbot: by what is given, else by the only one this desk knows.
pub(crate) fn buildbot_config(
    desk: &DeskDir,
    address: Option<Line>,
    ca_file: Option<&Path>,
    ca_sha256: Option<Digest>,
) -> Result<ConnectorConfig, Error> {
    let given_ca = match (ca_file, ca_sha256) {
        (Some(file), None) => Some(Digest::of(&durable::read(file, SETTING_BYTES_MAX)?)),
        (None, digest) => digest,
        (Some(_), Some(_)) => return Err(Error::usage("give the certificate authority once: its file or its digest")),
    };
    let given = address.map(|address| base_url(address.as_str())).transpose()?;
    let known = settings(desk)?;
    let mut fitting = known
        .values()
        .map(|Setting::Buildbot { base_url, ca_pem, .. }| (base_url.clone(), ca_digest(ca_pem.as_deref())));
    let (url, ca) = match (given, given_ca) {
        (Some(url), Some(ca)) => (url, ca),
        (Some(url), None) => {
            let ca = fitting.find(|(base, _)| *base == url).map(|(_, ca)| ca);
            let ca = ca.ok_or_else(|| {
                Error::usage(format!("this desk does not know which certificate authority {url} has"))
                    .hint("give --ca-file, or add the connector first with `countersign connector add buildbot`")
            })?;
            (url, ca)
        }
        (None, given_ca) => match (fitting.next(), fitting.next()) {
            (Some((url, ca)), None) => (url, given_ca.unwrap_or(ca)),
            _ => {
                return Err(Error::usage("which Buildbot is meant is not said")
                    .hint("give --url, or add it to this desk with `countersign connector add buildbot`"));
            }
        },
    };
    let line: Result<Line, _> = url.as_str().parse();
    let line = line.map_err(|error| Error::usage(error.to_string()))?;
    Ok(ConnectorConfig::Buildbot { base_url: line, ca_sha256: ca })
}

/// Returns how a target names a local command: with the digest of the script given, else of the one allowed here.
pub(crate) fn command_config(
    desk: &DeskDir,
    command: Slug,
    script: Option<&Path>,
    script_sha256: Option<Digest>,
) -> Result<ConnectorConfig, Error> {
    let script_sha256 = match (script, script_sha256) {
        (Some(script), None) => Digest::of(&durable::read(script, SCRIPT_BYTES_MAX)?),
        (None, Some(digest)) => digest,
        (Some(_), Some(_)) => return Err(Error::usage("give the script once: its file or its digest")),
        (None, None) => {
            let list = allowed(desk)?;
            list.command.get(command.as_str()).map(|allowed| allowed.sha256).ok_or_else(|| {
                Error::usage(format!("which script the command {command} runs is not said"))
                    .hint("give --script, or allow it on this desk first with `countersign connector allow-command`")
            })?
        }
    };
    Ok(ConnectorConfig::LocalCommand { command, script_sha256 })
}

/// Builds the connector of a signed target from what this desk has that fits it exactly.
///
/// # Errors
/// The desk has nothing that fits.
pub fn for_target(desk: &DeskDir, target: &Target) -> Result<Box<dyn Connector>, Error> {
    match &target.connector {
        ConnectorConfig::Buildbot { base_url: address, ca_sha256 } => {
            let url = base_url(address.as_str())?;
            let known = settings(desk)?;
            let at_address: Vec<&Setting> =
                known.values().filter(|Setting::Buildbot { base_url, .. }| *base_url == url).collect();
            let fits = |setting: &&Setting| {
                let Setting::Buildbot { ca_pem, .. } = setting;
                ca_digest(ca_pem.as_deref()) == *ca_sha256
            };
            let found = at_address.iter().copied().find(fits).ok_or_else(|| {
                let message = if at_address.is_empty() {
                    format!("this desk has no credentials for {url}")
                } else {
                    format!("the target of {url} names another certificate authority than this desk has")
                };
                Error::new(ErrorKind::No, "connector", message)
                    .hint("add it with `countersign connector add buildbot`, with the very CA file the target was signed with")
            })?;
            open(found)
        }
        ConnectorConfig::LocalCommand { command, script_sha256 } => {
            let list = allowed(desk)?;
            let allowed = list.command.get(command.as_str()).ok_or_else(|| {
                Error::new(ErrorKind::No, "connector", format!("this desk does not allow the command {command}"))
                    .hint("look at the script, then `countersign connector allow-command`")
            })?;
            if allowed.sha256 != *script_sha256 {
                return Err(Error::new(
                    ErrorKind::No,
                    "connector",
                    format!("the command {command} was allowed here with another script than the target names"),
                )
                .hint("look at the script, then allow it again, or sign a new target"));
            }
            Ok(local(desk, command.as_str(), *script_sha256))
        }
    }
}

fn local(desk: &DeskDir, command: &str, script: Digest) -> Box<dyn Connector> {
    Box::new(LocalCommand::new(local_command::Config::new(desk.runs(), desk.commands(), command, script)))
}

/// Builds the connector of a release's target in an environment.
///
/// # Errors
/// There is no such target, or the desk has nothing that fits it.
pub fn connect(ledger: &Ledger, release: &ReleaseId, environment: &Slug) -> Result<Box<dyn Connector>, Error> {
    for_target(ledger.desk(), rollout::target_of(ledger.state(), release, environment)?)
}

/// Builds a connector by its name on this desk, with the words by which entries name it.
///
/// # Errors
/// There is none of that name.
pub fn named(desk: &DeskDir, name: &str) -> Result<(Box<dyn Connector>, Line), Error> {
    let line = |text: String| text.parse::<Line>().map_err(|error| Error::usage(error.to_string()));
    let setting = name.parse::<Slug>().ok().map(|name| setting_path(desk, &name)).filter(|path| path.exists());
    if let Some(path) = setting {
        let setting = load(&path)?;
        let Setting::Buildbot { base_url, .. } = &setting;
        return Ok((open(&setting)?, line(format!("buildbot {base_url}"))?));
    }
    let list = allowed(desk)?;
    let command = list.command.get(name).ok_or_else(|| unknown(name))?;
    Ok((local(desk, name, command.sha256), line(format!("local-command {name}"))?))
}

/// What a connector answered when it was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// The product at the other end.
    pub product: String,
    /// Its version, where it says one.
    pub version: Option<String>,
    /// Who it takes us for.
    pub user: Option<String>,
    /// The other end's time.
    pub server_time: Option<Timestamp>,
    /// How many seconds its clock is ahead of ours.
    pub clock_ahead_seconds: Option<i64>,
    /// The jobs that were asked for, with the inputs each declares.
    pub jobs: Vec<TriedJob>,
}

/// A job that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TriedJob {
    /// The job.
    pub job: String,
    /// The inputs it declares; none where it takes any.
    pub inputs: Option<Vec<String>>,
    /// What a dispatch needs and the job does not declare.
    pub missing: Vec<String>,
}

/// What a dispatch hands over and a job must declare, lest it be dropped silently.
const INPUTS: [&str; 6] = ["artifact", "attestation", "environment", "kind", "version", "wave"];

/// Asks the other end who it is, and whether the jobs are there and take what a dispatch hands over.
///
/// # Errors
/// It cannot be reached, refuses us, or has no such job.
pub async fn try_out(connector: &dyn Connector, jobs: &[String]) -> Result<Tried, Error> {
    let server = connector.probe().await?;
    let server_time = server.server_time.and_then(clock::of_server);
    let mut tried = Tried {
        product: server.product,
        version: server.version,
        user: server.user,
        server_time,
        clock_ahead_seconds: server_time.map(|time| time.seconds_since(clock::now())),
        jobs: Vec::new(),
    };
    for job in jobs {
        let found = connector.preflight(job).await?;
        let declares = |name: &str| found.inputs.as_ref().is_none_or(|inputs| inputs.iter().any(|input| input == name));
        let missing = INPUTS.iter().filter(|name| !declares(name)).map(|name| (*name).to_owned()).collect();
        tried.jobs.push(TriedJob { job: found.job, inputs: found.inputs, missing });
    }
    Ok(tried)
}

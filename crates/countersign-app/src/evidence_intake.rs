//! Evidence on its way into the ledger: read, stored, then named by an entry.
//!
//! A file is read by [`crate::evidence`] first; one that is refused is never stored. Then the rules are asked, then the
//! file is flushed to the disk, and only then an entry names it. Which commit it is about is read from the file where that
//! says so; else it is the run's claim or the attacher's, and the entry says whose.
//!
//! Deliberately absent: judging a release by its evidence (the core does), and removing evidence.

use std::path::{Path, PathBuf};

use countersign_core::act::{CommitSource, Evidence, EvidenceOrigin};
use countersign_core::decide::Command;
use countersign_core::evidence::{Conclusion, Counts, EvidenceKind};
use countersign_core::hash::Digest;
use countersign_core::state::{EvidenceRecord, Release, State};
use countersign_core::words::{CommitId, EntryRef, Line, ReleaseId, Slug, Text};

use crate::connector::{RunRef, RunStatus};
use crate::connectors;
use crate::durable::{self, FileError};
use crate::error::{Error, ErrorKind};
use crate::evidence::{self, CommitClaim, Item, Limits, ReadError, Report};
use crate::ledger::Ledger;
use crate::people::{self, Signing};
use crate::releases;

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        let code = match &error {
            ReadError::Empty => "evidence_empty",
            ReadError::TooLarge { .. } => "evidence_too_large",
            ReadError::Hostile { .. } | ReadError::TooDeep { .. } | ReadError::TooMany { .. } => "evidence_hostile",
            ReadError::DuplicateKey { .. } => "evidence_ambiguous",
            ReadError::Unsupported { .. } | ReadError::NotThisKind { .. } => "evidence_other_kind",
            ReadError::Encoding { .. } | ReadError::Malformed { .. } => "evidence_malformed",
        };
        Self::new(ErrorKind::No, code, error.to_string())
    }
}

/// What a file is worth as evidence.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// The format it was read as.
    pub kind: EvidenceKind,
    /// What it concludes.
    pub conclusion: Conclusion,
    /// The figures.
    pub counts: Counts,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// The commit the file itself says it was made from.
    pub commit: Option<CommitClaim>,
    /// The cases or findings worth a look.
    pub items: Vec<Item>,
    /// What a reader of the figures should know.
    pub notes: Vec<String>,
}

/// Reads a file and says what it is worth as evidence; stores nothing.
///
/// A file without content is told as missing evidence; it has no format to be wrong in.
///
/// # Errors
/// The file cannot be read, or what it holds is refused.
pub fn inspect(path: &Path, kind: Option<EvidenceKind>) -> Result<Inspected, Error> {
    let bytes = read_file(path)?;
    if bytes.is_empty() {
        return Ok(Inspected {
            kind: kind.unwrap_or(EvidenceKind::Manual),
            conclusion: Conclusion::Missing,
            counts: Counts::File { bytes: 0 },
            digest: Digest::of(&bytes),
            commit: None,
            items: Vec::new(),
            notes: vec!["the file is empty".to_owned()],
        });
    }
    let Report { kind, conclusion, counts, digest, commit, items, notes, .. } = report(&bytes, &file_name(path), kind)?;
    Ok(Inspected { kind, conclusion, counts, digest, commit, items, notes })
}

fn report(bytes: &[u8], name: &str, kind: Option<EvidenceKind>) -> Result<Report, ReadError> {
    match kind {
        Some(kind) => evidence::read_as(kind, bytes, Limits::default()),
        None => evidence::read(bytes, name),
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    durable::read(path, Limits::default().file_bytes).map_err(|error| match error {
        FileError::TooLarge { limit_bytes, .. } => Error::new(
            ErrorKind::No,
            "evidence_too_large",
            format!("{} has more than {limit_bytes} bytes, and at most as many are read", path.display()),
        ),
        error => error.into(),
    })
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A file that a person attaches to a release.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// The release.
    pub release: ReleaseId,
    /// The file.
    pub file: PathBuf,
    /// The name it goes by; the file's own when `None`.
    pub name: Option<Line>,
    /// The format; told from the content when `None`.
    pub kind: Option<EvidenceKind>,
    /// The commit the attacher says it is about; the release's own when `None` and the file does not say.
    pub commit: Option<CommitId>,
    /// What a file of no known format concludes, as the attacher says.
    pub conclusion: Option<Conclusion>,
    /// The entry of the evidence it stands in for.
    pub replaces: Option<u64>,
}

/// What was recorded.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The entry.
    pub entry: EntryRef,
    /// What the file says.
    pub report: Report,
    /// What it concludes, by the entry.
    pub conclusion: Conclusion,
    /// The commit it is about.
    pub commit: CommitId,
    /// Who says so.
    pub commit_source: CommitSource,
}

/// A file that was read, and what would be recorded of it.
#[derive(Debug)]
pub struct ComposedAttachment {
    /// What would be recorded.
    pub act: Evidence,
    /// The file.
    pub bytes: Vec<u8>,
    report: Report,
}

/// Reads a file and composes what attaches it; stores nothing.
///
/// # Errors
/// The file is refused as evidence, or is about another commit.
pub fn compose_attachment(state: &State, attachment: &Attachment) -> Result<ComposedAttachment, Error> {
    let release = releases::find(state, &attachment.release)?;
    let bytes = read_file(&attachment.file)?;
    let own_name = file_name(&attachment.file);
    let report = report(&bytes, &own_name, attachment.kind)?;
    let conclusion = match (report.kind, attachment.conclusion) {
        (EvidenceKind::Manual, Some(said @ (Conclusion::Pass | Conclusion::Fail | Conclusion::Inconclusive))) => said,
        (EvidenceKind::Manual, None) => {
            return Err(Error::usage(format!("{own_name} is of no format that concludes anything by itself"))
                .hint("say what it shows with --conclusion pass or fail, or its format with --kind"));
        }
        (_, None) => report.conclusion,
        (kind, Some(_)) => {
            return Err(Error::usage(format!(
                "{own_name} is read as {kind} and concludes {} itself",
                report.conclusion
            ))
            .hint("leave --conclusion away"));
        }
    };
    refuse_missing(conclusion)?;
    let (commit, commit_source) = match commit_of_file(&report, release)? {
        Some(commit) => (commit, CommitSource::File),
        None => (release.candidate.commit.clone(), CommitSource::Attacher),
    };
    if let Some(said) = attachment.commit.as_ref().filter(|said| **said != commit) {
        return Err(other_commit(said.as_str(), release));
    }
    let name = match &attachment.name {
        Some(name) => name.clone(),
        None => own_name.parse().map_err(|error: countersign_core::words::WordError| {
            Error::usage(error.to_string()).hint("give it another name with --name")
        })?,
    };
    let act = Evidence {
        commit,
        commit_source,
        conclusion,
        counts: report.counts,
        digest: report.digest,
        kind: report.kind,
        name,
        origin: EvidenceOrigin::Attached {},
        release: attachment.release.clone(),
        replaces: replaced(state, release, attachment.replaces)?,
        size: bytes.len() as u64,
    };
    Ok(ComposedAttachment { act, bytes, report })
}

/// Stores a file and has a person attach it to a release.
///
/// # Errors
/// The file is refused as evidence, is about another commit, or a rule refuses.
pub fn attach(ledger: &mut Ledger, signing: &mut Signing<'_>, attachment: &Attachment) -> Result<Recorded, Error> {
    ledger.refresh()?;
    let ComposedAttachment { act, bytes, report } = compose_attachment(ledger.state(), attachment)?;
    let (commit, commit_source, conclusion) = (act.commit.clone(), act.commit_source, act.conclusion);
    signing.rehearse(ledger, act.clone())?;
    ledger.blobs().write(&bytes)?;
    let entry = signing.record(ledger, act)?;
    Ok(Recorded { entry, report, conclusion, commit, commit_source })
}

fn refuse_missing(conclusion: Conclusion) -> Result<(), Error> {
    if conclusion == Conclusion::Missing {
        return Err(Error::new(ErrorKind::No, "evidence_empty", "the file holds no result, and that is no evidence")
            .hint("find out why nothing ran; nothing was stored"));
    }
    Ok(())
}

fn replaced(state: &State, release: &Release, index: Option<u64>) -> Result<Option<EntryRef>, Error> {
    let Some(index) = index else { return Ok(None) };
    let known = release.evidence.iter().find(|record| record.entry.index == index).map(|record| record.entry);
    match known {
        Some(entry) => Ok(Some(entry)),
        None if index < state.tree.size() => {
            Err(Error::not_found(format!("entry {index} is not evidence of {}", release.id)))
        }
        None => Err(Error::not_found(format!("there is no entry {index}"))),
    }
}

/// Returns the release's commit where the file says that it is about it; none where it names none that can be compared.
fn commit_of_file(report: &Report, release: &Release) -> Result<Option<CommitId>, Error> {
    let comparable = |claim: &&CommitClaim| {
        (7..=64).contains(&claim.value.len()) && claim.value.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    match report.commit.as_ref().filter(comparable) {
        None => Ok(None),
        Some(claim) if claim.agrees_with(&release.candidate.commit) => Ok(Some(release.candidate.commit.clone())),
        Some(claim) => Err(other_commit(&claim.value, release)),
    }
}

fn other_commit(found: &str, release: &Release) -> Error {
    Error::new(
        ErrorKind::No,
        "other_commit",
        format!("it is about commit {found}, and {} is commit {}", release.id, release.candidate.commit),
    )
    .hint("attach what was made from the release's own commit; nothing was stored")
}

/// A file that a run of a CI system left.
#[derive(Debug, Clone)]
pub struct Observation {
    /// The release.
    pub release: ReleaseId,
    /// The connector, by its name on this desk.
    pub connector: String,
    /// The run, in the CI system's words.
    pub run: Line,
    /// The step that left it.
    pub step: String,
    /// The file or log.
    pub log: String,
    /// The name it goes by; that of the log when `None`.
    pub name: Option<Line>,
    /// The format; told from the content when `None`.
    pub kind: Option<EvidenceKind>,
    /// The entry of the evidence it stands in for.
    pub replaces: Option<u64>,
    /// Why, where there is something to say; a re-run must.
    pub reason: Option<Text>,
}

/// The properties of a run that say which commit it was made from, the most telling first.
const RUN_COMMITS: [&str; 3] = ["got_revision", "revision", "commit"];

/// Fetches a file from a CI system, stores it, and has this desk's device record it as observed.
///
/// # Errors
/// The CI system cannot be asked, the run has not got so far, the file is refused as evidence or is about another commit,
/// or a rule refuses.
pub async fn observe(ledger: &mut Ledger, wanted: &Observation) -> Result<Recorded, Error> {
    ledger.refresh()?;
    releases::find(ledger.state(), &wanted.release)?;
    let (connector, described) = connectors::named(ledger.desk(), &wanted.connector)?;
    let run = RunRef { id: wanted.run.to_string(), attempt: 1 };
    let seen = connector.observe(&run).await?;
    let step = seen.steps.iter().find(|step| step.name == wanted.step).ok_or_else(|| {
        let names: Vec<&str> = seen.steps.iter().map(|step| step.name.as_str()).collect();
        Error::not_found(format!("run {} has no step {}", wanted.run, wanted.step))
            .hint(format!("its steps are: {}", names.join(", ")))
    })?;
    if !matches!(step.status, RunStatus::Completed(_)) {
        return Err(Error::new(
            ErrorKind::Cannot,
            "not_finished",
            format!("step {} of run {} has not ended yet", wanted.step, wanted.run),
        )
        .hint("try again when it has"));
    }
    let file = connector.file(&run, &wanted.step, &wanted.log).await?;
    let report = report(&file.bytes, &wanted.log, wanted.kind)?;
    refuse_missing(report.conclusion)?;

    // The CI system took its time; what the release is now decides.
    ledger.refresh()?;
    let release = releases::find(ledger.state(), &wanted.release)?;
    let (commit, commit_source) = match commit_of_file(&report, release)? {
        Some(commit) => (commit, CommitSource::File),
        None => {
            // A CI system may have a property of that name for every run, and leave it empty.
            let mut values =
                RUN_COMMITS.iter().filter_map(|name| seen.properties.get(*name)).map(|property| &property.value);
            let said = values.find(|value| !value.is_empty()).ok_or_else(|| {
                Error::new(
                    ErrorKind::No,
                    "commit_unknown",
                    "neither the file nor its run says which commit it is about",
                )
                .hint("have the run set got_revision, or attach the file as a person")
            })?;
            let commit = said.parse::<CommitId>().map_err(|error| {
                Error::new(ErrorKind::No, "commit_unknown", format!("the run names its commit as {error}"))
            })?;
            if commit != release.candidate.commit {
                return Err(other_commit(commit.as_str(), release));
            }
            (commit, CommitSource::Run)
        }
    };
    let name = match &wanted.name {
        Some(name) => name.clone(),
        None => {
            wanted.log.parse().map_err(|error: countersign_core::words::WordError| Error::usage(error.to_string()))?
        }
    };
    let body = Evidence {
        commit: commit.clone(),
        commit_source,
        conclusion: report.conclusion,
        counts: report.counts,
        digest: report.digest,
        kind: report.kind,
        name,
        origin: EvidenceOrigin::Observed { connector: described, raw_sha256: file.raw_reply, run: wanted.run.clone() },
        release: wanted.release.clone(),
        replaces: replaced(ledger.state(), release, wanted.replaces)?,
        size: file.bytes.len() as u64,
    };
    ledger.blobs().write(&file.bytes)?;
    let conclusion = report.conclusion;
    let entry = ledger.as_desk(&Command::Record(body.into()), wanted.reason.clone())?;
    Ok(Recorded { entry, report, conclusion, commit, commit_source })
}

/// Returns a piece of evidence by its entry.
///
/// # Errors
/// There is none.
pub fn find(state: &State, index: u64) -> Result<(&Release, &EvidenceRecord), Error> {
    let found = state.releases.values().find_map(|release| {
        release.evidence.iter().find(|record| record.entry.index == index).map(|record| (release, record))
    });
    found.ok_or_else(|| Error::not_found(format!("entry {index} is not evidence")))
}

/// Confirms, as a second person, what somebody attached.
///
/// # Errors
/// A rule refuses, or the entry is no attached evidence.
pub fn confirm(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    index: u64,
    role: Option<Slug>,
) -> Result<EntryRef, Error> {
    ledger.refresh()?;
    let (release, record) = find(ledger.state(), index)?;
    if !record.attached() {
        return Err(Error::new(
            ErrorKind::No,
            "already_done",
            format!("entry {index} was read from the CI system and needs nobody's word"),
        ));
    }
    let (request, product) = (record.entry, release.candidate.product.clone());
    people::confirm(ledger, signing, request, role, Some(&product))
}

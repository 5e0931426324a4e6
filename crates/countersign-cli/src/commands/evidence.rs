//! `evidence`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_app::error::Error;
use countersign_app::evidence_intake::{self as intake, Attachment, Inspected, Observation, Recorded};
use countersign_core::evidence::{Conclusion, Counts, EvidenceKind};
use countersign_core::hash::Digest;
use countersign_core::policy::counts_by_name;
use countersign_core::words::{CommitId, Line, ReleaseId, Slug};
use serde::Serialize;
use serde_json::{Value, json};

use super::wait;
use crate::output::{self, Answer};
use crate::session::Session;

/// What speaks for or against a release.
#[derive(Debug, Subcommand)]
pub(crate) enum Evidence {
    /// Read a file and say what it is worth; needs no ledger and stores nothing
    #[command(after_help = "Examples:
  countersign evidence inspect TEST-pump.xml
  countersign evidence inspect scan.sarif --json
  countersign evidence inspect results.xml --kind junit --json")]
    Inspect {
        /// The file
        file: PathBuf,
        /// junit, sarif, cyclonedx or manual; told from the content when not said
        #[arg(long, value_name = "KIND")]
        kind: Option<EvidenceKind>,
    },
    /// Attach a file to a release, or have this desk read it from a CI system
    Attach(Attach),
    /// Confirm as a second person what somebody attached
    #[command(after_help = "Examples:
  countersign --ledger ./ledger evidence confirm 31 --as quinn@acme.example \\
      --reason 'compared with the lab book'")]
    Confirm {
        /// The entry of the evidence
        entry: u64,
        /// As which of your roles; any you hold when not said
        #[arg(long, value_name = "ROLE")]
        role: Option<Slug>,
    },
}

/// Attach a file to a release.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger evidence attach pump-4.2.0 --connector buildbot --run 17 \\
      --step 'unit tests' --log unit.xml
  countersign --ledger ./ledger evidence attach pump-4.2.0 --file lab-protocol.pdf \\
      --conclusion pass --reason 'signed by the lab'
  countersign --ledger ./ledger evidence attach pump-4.2.0 --file unit.xml --replaces 31 \\
      --reason 'the runner had lost its network'")]
pub(crate) struct Attach {
    /// The release
    release: ReleaseId,
    /// A file that you attach
    #[arg(long, value_name = "FILE", conflicts_with_all = ["connector", "run", "step", "log"], required_unless_present = "connector")]
    file: Option<PathBuf>,
    /// The commit you say it is about; the release's when not said and the file does not say
    #[arg(long, value_name = "COMMIT", conflicts_with = "connector")]
    commit: Option<CommitId>,
    /// pass or fail: what a file of no known format shows
    #[arg(long, value_name = "CONCLUSION", conflicts_with = "connector")]
    conclusion: Option<Conclusion>,
    /// Read it from this connector of the desk; the device signs, nobody else
    #[arg(long, value_name = "NAME", requires_all = ["run", "step", "log"])]
    connector: Option<String>,
    /// The run that left it
    #[arg(long, value_name = "ID", requires = "connector")]
    run: Option<Line>,
    /// The step of the run
    #[arg(long, value_name = "STEP", requires = "connector")]
    step: Option<String>,
    /// The log or file of the step
    #[arg(long, value_name = "NAME", requires = "connector")]
    log: Option<String>,
    /// junit, sarif, cyclonedx or manual; told from the content when not said
    #[arg(long, value_name = "KIND")]
    kind: Option<EvidenceKind>,
    /// The name it goes by; a policy may ask for one
    #[arg(long, value_name = "NAME")]
    name: Option<Line>,
    /// The entry of the evidence it stands in for; both stay on the record
    #[arg(long, value_name = "ENTRY")]
    replaces: Option<u64>,
}

/// What scripts read of a file: no more and no less.
#[derive(Serialize)]
struct Brief<'a> {
    kind: EvidenceKind,
    conclusion: Conclusion,
    counts: Counts,
    digest: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
}

fn brief(found: &Inspected) -> Brief<'_> {
    Brief {
        kind: found.kind,
        conclusion: found.conclusion,
        counts: found.counts,
        digest: found.digest,
        commit: found.commit.as_ref().map(|claim| claim.value.as_str()),
    }
}

fn counted(counts: &Counts) -> String {
    let list: Vec<String> = match counts {
        Counts::Tests { total, passed, failed, errors, skipped, flaky } => {
            let mut list = vec![
                output::count(*total, "test"),
                format!("{passed} passed"),
                format!("{failed} failed"),
                format!("{errors} errors"),
                format!("{skipped} skipped"),
            ];
            list.extend((*flaky > 0).then(|| format!("{flaky} flaky")));
            list
        }
        other => counts_by_name(other).into_iter().map(|(name, count)| format!("{count} {name}")).collect(),
    };
    list.join(", ")
}

fn report_in_words(report: &Inspected) -> String {
    let mut text =
        format!("{}: {}\n{}\nsha256:{}", report.kind, report.conclusion, counted(&report.counts), report.digest);
    if let Some(claim) = &report.commit {
        text.push_str(&format!("\ncommit {} (says {})", claim.value, claim.source));
    }
    for note in &report.notes {
        text.push_str(&format!("\nnote: {note}"));
    }
    for item in report.items.iter().take(20) {
        let place = item.location.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
        let level = serde_json::to_value(item.level).ok();
        let level = level.as_ref().and_then(Value::as_str).unwrap_or_default();
        text.push_str(&format!("\n  {level}: {}{place}", item.name));
        if let Some(line) =
            item.message.as_ref().and_then(|message| message.lines().find(|line| !line.trim().is_empty()))
        {
            text.push_str(&format!(": {}", line.trim()));
        }
    }
    if report.items.len() > 20 {
        text.push_str(&format!("\n  and {} more", report.items.len() - 20));
    }
    text
}

fn recorded(recorded: &Recorded, release: &ReleaseId, how: &str) -> Answer {
    let text = format!(
        "{} for {release}: {} ({how})\n{}\nabout commit {} ({} says so)",
        recorded.report.kind,
        recorded.conclusion,
        counted(&recorded.report.counts),
        recorded.commit,
        match recorded.commit_source {
            countersign_core::act::CommitSource::File => "the file itself",
            countersign_core::act::CommitSource::Run => "the run",
            countersign_core::act::CommitSource::Attacher => "who attached it",
        }
    );
    let more = json!({
        "release": release,
        "kind": recorded.report.kind,
        "conclusion": recorded.conclusion,
        "counts": recorded.report.counts,
        "digest": recorded.report.digest,
        "commit": recorded.commit,
        "commit_source": recorded.commit_source,
    });
    Answer::recorded(recorded.entry, text, more)
}

impl Evidence {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        match self {
            Self::Inspect { file, kind } => {
                let report = intake::inspect(&file, kind)?;
                // A file that says nothing by itself is no "no": somebody has to look at it.
                let no = matches!(report.conclusion, Conclusion::Fail | Conclusion::Missing);
                Ok(Answer::new(brief(&report), report_in_words(&report)).code(u8::from(no)))
            }
            Self::Attach(command) => command.run(session),
            Self::Confirm { entry: index, role } => {
                let mut ledger = session.open()?;
                let about = {
                    let (release, record) = intake::find(ledger.state(), index)?;
                    format!(
                        "{} attached {} ({}) to {}: {}, sha256:{}",
                        record.by,
                        record.body.name,
                        record.body.kind,
                        release.id,
                        record.body.conclusion,
                        record.body.digest
                    )
                };
                let entry = session
                    .sign(&mut ledger, &about, |ledger, signing| intake::confirm(ledger, signing, index, role))?;
                Ok(Answer::recorded(
                    entry,
                    format!("the evidence of entry {index} is confirmed"),
                    json!({"evidence": index}),
                ))
            }
        }
    }
}

impl Attach {
    fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        let release = self.release;
        match (self.file, self.connector, self.run, self.step, self.log) {
            (Some(file), ..) => {
                let attachment = Attachment {
                    release: release.clone(),
                    file,
                    name: self.name,
                    kind: self.kind,
                    commit: self.commit,
                    conclusion: self.conclusion,
                    replaces: self.replaces,
                };
                let done =
                    session.sign(&mut ledger, "", |ledger, signing| intake::attach(ledger, signing, &attachment))?;
                Ok(recorded(&done, &release, "attached"))
            }
            (None, Some(connector), Some(run), Some(step), Some(log)) => {
                let wanted = Observation {
                    release: release.clone(),
                    connector,
                    run,
                    step,
                    log,
                    name: self.name,
                    kind: self.kind,
                    replaces: self.replaces,
                    reason: session.globals.reason.clone(),
                };
                let done = wait(intake::observe(&mut ledger, &wanted))?;
                Ok(recorded(&done, &release, "observed"))
            }
            _ => Err(Error::usage("what is attached is not said")
                .hint("give --file FILE, or --connector NAME --run ID --step STEP --log NAME")),
        }
    }
}

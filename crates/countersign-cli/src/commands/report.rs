//! `report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use countersign_app::durable;
use countersign_app::error::{Error, ErrorKind};
use countersign_app::releases;
use countersign_core::bundle::Report as Form;
use countersign_core::words::ReleaseId;
use countersign_report::model::VerificationVerdict;

use crate::output::Answer;
use crate::session::{Session, new_file};

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For print and for keeping
    Pdf,
    /// For the browser
    Html,
    /// For the spreadsheet
    Csv,
    /// For programs
    Json,
}

/// Write the audit report; all four forms have equal figures.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger report --format pdf --out report.pdf
  countersign --ledger ./ledger report --format json --out pump-4.2.0.json --release pump-4.2.0")]
pub(crate) struct Report {
    /// The form
    #[arg(long, value_name = "FORMAT")]
    format: Format,
    /// The file to write; it must not exist
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Only this release
    #[arg(long, value_name = "RELEASE")]
    release: Option<ReleaseId>,
}

impl Report {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        new_file(&self.out)?;
        let ledger = session.open()?;
        if let Some(release) = &self.release {
            releases::find(ledger.state(), release)?;
        }
        let report = crate::audit::report(&ledger, self.release.as_ref())?;
        let form = match self.format {
            Format::Pdf => Form::Pdf,
            Format::Html => Form::Html,
            Format::Csv => Form::Csv,
            Format::Json => Form::Json,
        };
        let bytes = crate::audit::render(&report, form)?;
        durable::replace(&self.out, &bytes)?;
        let verdict = report.verification.verdict;
        let json = serde_json::json!({"report": self.out, "bytes": bytes.len(), "verdict": verdict});
        let (word, code) = match verdict {
            VerificationVerdict::Valid => ("valid", 0),
            VerificationVerdict::Incomplete => ("incomplete", ErrorKind::No.exit_code()),
            VerificationVerdict::Invalid => ("invalid", ErrorKind::Integrity.exit_code()),
        };
        let text = format!("{} ({} bytes); the ledger it is about is {word}", self.out.display(), bytes.len());
        Ok(Answer::new(json, text).code(code))
    }
}

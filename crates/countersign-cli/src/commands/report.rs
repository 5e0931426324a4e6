//! `report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use countersign_app::error::{Error, ErrorKind};
use countersign_core::words::ReleaseId;

use crate::output::Answer;
use crate::session::Session;

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
        let _ = (session.open()?, self.out, self.release, self.format);
        Err(Error::new(ErrorKind::Cannot, "unavailable", "this build cannot write reports yet"))
    }
}

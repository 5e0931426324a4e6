//! `demo`.

use std::path::PathBuf;

use clap::Args;
use countersign_app::error::{Error, ErrorKind};
use serde_json::json;

use super::wait;
use crate::output::{self, Answer};
use crate::session::Session;

/// Walk the whole job once on this machine: a service built, tested, signed, deployed, reported and verified.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign demo --dir ~/countersign-demo")]
pub(crate) struct Demo {
    /// A new or empty directory for everything it leaves behind
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
}

impl Demo {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let quiet = session.globals.json;
        let io = &mut *session.io;
        let stream = &mut *io.stderr;
        let mut say = |text: &str| {
            if !quiet {
                let text = countersign_app::evidence::visible_lines(text).into_owned();
                // What cannot be shown here is in the ledger all the same.
                let _ = writeln!(stream, "{text}");
            }
        };
        let walked = wait(crate::demo::walk(&self.dir, &mut say))?;
        let fingerprint = walked.ledger.fingerprint();
        let path = self.dir.join("fingerprint.txt");
        std::fs::write(&path, format!("{fingerprint}\n")).map_err(|error| {
            Error::new(ErrorKind::Cannot, "file", format!("could not write {}: {error}", path.display()))
        })?;
        let report = crate::audit::report(&walked.ledger, None)?;
        let pdf = crate::audit::render(&report, countersign_core::bundle::Report::Pdf)?;
        let path = self.dir.join("report.pdf");
        std::fs::write(&path, pdf).map_err(|error| {
            Error::new(ErrorKind::Cannot, "file", format!("could not write {}: {error}", path.display()))
        })?;
        let exported = crate::audit::bundle(&walked.ledger, None, &self.dir.join("bundle.zip"))?;
        let verdict = exported.verification.verdict;
        let entries = walked.ledger.state().tree.size();
        let text = format!(
            "signed       {} signatures of people\nlive         {}\nentries      {entries}\nbundle       {verdict}\nfingerprint  {fingerprint}",
            walked.signatures, walked.live
        );
        let json = json!({
            "signatures": walked.signatures,
            "live": walked.live,
            "entries": entries,
            "verdict": verdict,
            "fingerprint": fingerprint,
            "dir": self.dir,
        });
        Ok(Answer::new(json, output::indented(&text)))
    }
}

//! `export`.

use std::path::PathBuf;

use clap::Args;
use countersign_app::error::{Error, ErrorKind};
use countersign_core::verify::Verdict;
use countersign_core::words::ReleaseId;

use crate::output::Answer;
use crate::session::{Session, new_file};

/// Write a bundle that an auditor verifies without us: entries, proofs, evidence, report, and a script.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger export --out bundle.zip
  countersign --ledger ./ledger export --out pump-4.2.0.zip --release pump-4.2.0")]
pub(crate) struct Export {
    /// The file to write; it must not exist
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Only this release: such a copy proves what is in it, never what is absent
    #[arg(long, value_name = "RELEASE")]
    release: Option<ReleaseId>,
}

impl Export {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        new_file(&self.out)?;
        let ledger = session.open()?;
        let exported = crate::audit::bundle(&ledger, self.release.as_ref(), &self.out)?;
        let verdict = exported.verification.verdict;
        let mut text = format!(
            "{}\n  sha256       {}\n  entries      {}\n  verdict      {verdict}\n  fingerprint  {} (hand it over by another way)",
            self.out.display(),
            exported.digest,
            exported.verification.tree_size,
            ledger.fingerprint()
        );
        for (digest, why) in &exported.left_out {
            text.push_str(&format!("\n  left out     {digest}: {why}"));
        }
        let json = serde_json::json!({
            "bundle": self.out,
            "sha256": exported.digest,
            "verdict": verdict,
            "tree_size": exported.verification.tree_size,
            "fingerprint": ledger.fingerprint(),
            "left_out": exported.left_out.iter().map(|(digest, _)| digest).collect::<Vec<_>>(),
        });
        // One release alone is always incomplete; what should be in a copy and is not is another matter.
        let code = match verdict {
            Verdict::Invalid => ErrorKind::Integrity.exit_code(),
            _ if !exported.left_out.is_empty() => ErrorKind::No.exit_code(),
            _ => 0,
        };
        Ok(Answer::new(json, text).code(code))
    }
}

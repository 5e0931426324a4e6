//! `verify`.

use std::path::PathBuf;

use clap::Args;
use countersign_app::error::Error;
use countersign_app::verification::{self, Verified};
use countersign_core::hash::Digest;
use countersign_core::verify::Verdict;

use crate::output::{Answer, count};
use crate::session::Session;

/// Check a ledger in full, or a bundle without any ledger.
///
/// valid (exit 0): all is there and sound, and it is the ledger that was meant. incomplete (exit 1): all that is there is
/// sound, and something needed is not there. invalid (exit 4): something there is not sound.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger verify
  countersign verify bundle.zip \\
      --fingerprint 3f0c5a1de24b1c0a9f7d8e6b5c4a39281706f5e4d3c2b1a09f8e7d6c5b4a3928
  countersign verify bundle.zip --json")]
pub(crate) struct Verify {
    /// A bundle; the ledger of --ledger when not given
    bundle: Option<PathBuf>,
    /// SHA-256 of entry 0, as the ledger's people told you; never taken from the ledger or bundle itself
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<Digest>,
}

impl Verify {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let verified = match &self.bundle {
            Some(path) => verification::bundle(path, self.fingerprint)?,
            None => verification::ledger(&session.home()?, &session.ledger_dir()?, self.fingerprint)?,
        };
        let (text, code) = (in_words(&verified), verified.exit_code());
        Ok(Answer::new(verified, text).code(code))
    }
}

fn in_words(verified: &Verified) -> String {
    let meaning = match verified.verdict {
        Verdict::Valid => "everything is there and sound",
        Verdict::Incomplete => "all that is there is sound; something needed is not there",
        Verdict::Invalid => "something there is not sound",
    };
    let mut text = format!(
        "{}: {meaning}\n{}, root {}",
        verified.verdict.to_string().to_uppercase(),
        count(verified.tree_size, "entry"),
        verified.root
    );
    for finding in &verified.findings {
        let place = finding.index.map_or(String::new(), |index| format!("entry {index}: "));
        text.push_str(&format!("\n  {place}{} ({})", finding.message, finding.code));
    }
    text
}

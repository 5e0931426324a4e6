//! `record`.

use std::path::PathBuf;

use clap::Subcommand;
use countersign_app::error::Error;
use countersign_app::records;
use countersign_core::hash::Digest;
use countersign_core::words::{Line, Slug, Text, Timestamp};
use serde_json::json;

use crate::moments::moment;
use crate::output::Answer;
use crate::session::Session;

/// What is put on record afterwards: corrections, paper records, files that must not stay.
#[derive(Debug, Subcommand)]
pub(crate) enum Record {
    /// Correct what an earlier entry says; the old value stays readable
    #[command(after_help = "Examples:
  countersign --ledger ./ledger record correct 42 --field ticket --old PUMP-17 --new PUMP-71 \\
      --reason 'two digits were swapped'")]
    Correct {
        /// The entry
        entry: u64,
        /// The field
        #[arg(long, value_name = "NAME")]
        field: Line,
        /// What it says
        #[arg(long, value_name = "TEXT")]
        old: Text,
        /// What it should say
        #[arg(long, value_name = "TEXT")]
        new: Text,
    },
    /// Bring a paper record in, with the time it happened and the time it came in
    #[command(after_help = "Examples:
  countersign --ledger ./ledger record late --happened 2026-11-22T10:31:07Z --paper scan.pdf \\
      --record 'GO of the night shift, signed on paper' --reason 'the network was down'")]
    Late {
        /// When it happened, by the paper
        #[arg(long, value_name = "MOMENT", value_parser = moment)]
        happened: Timestamp,
        /// The scan
        #[arg(long, value_name = "FILE")]
        paper: PathBuf,
        /// What it records
        #[arg(long, value_name = "TEXT")]
        record: Text,
    },
    /// Ask for a file to be removed that must not stay, as one with personal data; a second person confirms
    #[command(after_help = "Examples:
  countersign --ledger ./ledger record remove 42 --reason 'the log shows a token' \\
      --sha256 3f0c5a1de24b1c0a9f7d8e6b5c4a39281706f5e4d3c2b1a09f8e7d6c5b4a3928")]
    Remove {
        /// The entry that names the file
        entry: u64,
        /// SHA-256 of the file
        #[arg(long, value_name = "HEX")]
        sha256: Digest,
    },
    /// Confirm as a second person that a file must not stay; its bytes go, its digest stays
    #[command(after_help = "Examples:
  countersign --ledger ./ledger record confirm-removal 97 --as otto@acme.example \\
      --reason 'I have seen the token in it'")]
    ConfirmRemoval {
        /// The entry that asks for it
        entry: u64,
        /// As which of your roles; any you hold in the whole ledger when not said
        #[arg(long, value_name = "ROLE")]
        role: Option<Slug>,
    },
}

impl Record {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        match self {
            Self::Correct { entry: index, field, old, new } => {
                let text = format!("{field} of entry {index} should say: {new}\nThe old value stays beside it: {old}");
                let entry = session.sign(&mut ledger, "", |ledger, signing| {
                    records::correct(ledger, signing, index, field, old, new)
                })?;
                Ok(Answer::recorded(entry, text, json!({"corrected": index})))
            }
            Self::Late { happened, paper, record } => {
                let entry = session.sign(&mut ledger, "", |ledger, signing| {
                    records::late(ledger, signing, happened, &paper, record)
                })?;
                let text = format!("the paper record of {happened} is in the ledger");
                Ok(Answer::recorded(entry, text, json!({"happened": happened})))
            }
            Self::Remove { entry: index, sha256 } => {
                let entry =
                    session.sign(&mut ledger, "", |ledger, signing| records::remove(ledger, signing, index, sha256))?;
                let text = format!(
                    "the file {sha256} is to be removed\nIt stays until a second person confirms: countersign record confirm-removal {}",
                    entry.index
                );
                Ok(Answer::recorded(entry, text, json!({"sha256": sha256})))
            }
            Self::ConfirmRemoval { entry: index, role } => {
                let (entry, sha256) = session
                    .sign(&mut ledger, "", |ledger, signing| records::confirm_removal(ledger, signing, index, role))?;
                let text = format!(
                    "the file {sha256} is removed on this desk\nIts digest stays, and every verification says that it was removed. Copies elsewhere are yours to find: backups, exports, the CI system."
                );
                Ok(Answer::recorded(entry, text, json!({"sha256": sha256})))
            }
        }
    }
}

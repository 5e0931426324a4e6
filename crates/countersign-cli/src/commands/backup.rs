//! `backup`, `restore`, `rebuild`.

use std::path::PathBuf;

use clap::Args;
use countersign_app::backup;
use countersign_app::clock;
use countersign_app::error::Error;
use countersign_app::ledger::Ledger;
use countersign_app::status;
use countersign_core::hash::Digest;
use serde_json::json;

use crate::output::{Answer, count, words};
use crate::session::{Session, full};

/// Copy the ledger and the files its entries name into a new directory, verified.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger backup --out /mnt/backup/ledger-2026-11-22")]
pub(crate) struct Backup {
    /// The new directory; keys are never in it
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Bring a backup back into a new directory, and verify it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./restored restore --from /mnt/backup/ledger-2026-11-22")]
pub(crate) struct Restore {
    /// The backup
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
}

/// Delete what is derived from the ledger and derive it again; the ledger itself is not touched.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger rebuild")]
pub(crate) struct Rebuild {}

fn described(backup: &backup::Backup, ledger: &Ledger) -> serde_json::Value {
    json!({
        "fingerprint": ledger.fingerprint(),
        "tree_size": backup.head.size,
        "root": backup.head.root.to_base64(),
        "blobs": backup.blobs,
        "damaged": backup.damaged,
    })
}

fn left_out(damaged: &[Digest]) -> String {
    if damaged.is_empty() {
        String::new()
    } else {
        format!("\n{} files were damaged in the ledger and are not in it: {}", damaged.len(), words(damaged))
    }
}

impl Backup {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let ledger = session.open()?;
        let out = full(&self.out)?;
        let made = backup::back_up(ledger.store(), ledger.blobs(), &out)?;
        let mut json = described(&made, &ledger);
        json["out"] = json!(out);
        let text = format!(
            "{} holds {} and {}, verified{}\nKeys are not in it: keep the desk's directory apart, {}",
            out.display(),
            count(made.head.size, "entry"),
            count(made.blobs as u64, "file"),
            left_out(&made.damaged),
            ledger.desk().path().display()
        );
        Ok(Answer::new(json, text).code(u8::from(!made.damaged.is_empty())))
    }
}

impl Restore {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let dir = session.ledger_dir()?;
        let made = backup::restore(&full(&self.from)?, &dir)?;
        // The pin speaks here: a backup that is older than what this desk has seen is told at once.
        let opened = Ledger::open(&session.home()?, &dir).map_err(|error| {
            let message = format!("{} is restored, and {}", dir.path().display(), error.message);
            Error { message, ..error }
        })?;
        let mut json = described(&made, &opened);
        json["ledger"] = json!(dir.path());
        let text = format!(
            "{} holds {} and {} again, verified{}\nfingerprint {}",
            dir.path().display(),
            count(opened.state().tree.size(), "entry"),
            count(made.blobs as u64, "file"),
            left_out(&made.damaged),
            opened.fingerprint()
        );
        Ok(Answer::new(json, text).code(u8::from(!made.damaged.is_empty())))
    }
}

impl Rebuild {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        let rebuilt = status::rebuild(&mut ledger, clock::now())?;
        let text = format!(
            "{} was derived again from {}: {}",
            rebuilt.file.display(),
            count(rebuilt.entries, "entry"),
            count(rebuilt.releases as u64, "release")
        );
        Ok(Answer::new(rebuilt, text))
    }
}

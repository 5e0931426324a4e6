//! `hold`.

use clap::Args;
use countersign_app::error::Error;
use countersign_app::releases::{self, Stop};
use countersign_core::words::{ReleaseId, Text};
use serde_json::json;

use crate::output::Answer;
use crate::session::Session;

/// Stop a release, or let it go on.
///
/// Stopping takes no passphrase: without --as this desk signs at once. Letting it go on takes a release manager.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger hold pump-4.2.0 --question 'is the night shift told?' \\
      --reason 'asked by the ward'
  countersign --ledger ./ledger hold pump-4.2.0 --halt --reason 'alarms at the first instance'
  countersign --ledger ./ledger hold pump-4.2.0 --resume 61 --answer 'told at 14:00' \\
      --as rita@acme.example --reason 'the question is answered'")]
pub(crate) struct Hold {
    /// The release
    release: ReleaseId,
    /// An open question that must be answered before it goes on
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["halt", "resume"])]
    question: Option<Text>,
    /// Stop a running rollout; it is rolled back or decided anew, and does not go on
    #[arg(long, conflicts_with = "resume")]
    halt: bool,
    /// Let it go on after the stop of that entry
    #[arg(long, value_name = "ENTRY")]
    resume: Option<u64>,
    /// The answer to the open question
    #[arg(long, value_name = "TEXT", requires = "resume")]
    answer: Option<Text>,
}

impl Hold {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        let Self { release, question, halt, resume, answer } = self;
        let (stop, text) = match (resume, halt) {
            (Some(index), _) => (Stop::Resume(index, answer), format!("{release} goes on")),
            (None, true) => (Stop::Halt, format!("the rollout of {release} is halted")),
            (None, false) => (Stop::Hold(question), format!("{release} is on hold")),
        };
        let stopped = resume.is_none();
        let reason = session.reason()?;
        let entry = if stopped && session.globals.signer.is_none() {
            releases::hold(&mut ledger, None, Some(reason), &release, stop)?
        } else {
            session
                .sign(&mut ledger, "", |ledger, signing| releases::hold(ledger, Some(signing), None, &release, stop))?
        };
        let mut text = text;
        if stopped {
            text.push_str(&format!(
                "\nIt goes on with: countersign hold {release} --resume {} --reason TEXT",
                entry.index
            ));
            if halt {
                text = format!("the rollout of {release} is halted\nTake it back with: countersign rollback {release}");
            }
        }
        Ok(Answer::recorded(entry, text, json!({"release": release})))
    }
}

//! `request`.

use clap::Args;
use countersign_app::clock;
use countersign_app::error::Error;
use countersign_app::releases::{self, Proposer};
use countersign_app::status;
use countersign_core::act::Window;
use countersign_core::words::ReleaseId;
use serde_json::json;

use crate::commands::status as status_command;
use crate::moments::window;
use crate::output::{Answer, indented};
use crate::session::Session;

/// Freeze the decision sheet and ask for signatures.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger request pump-4.2.0 --reason 'everything is there'
  countersign --ledger ./ledger request pump-4.2.0 \\
      --window 2026-11-24T20:00:00Z/2026-11-24T23:00:00Z --reason 'tomorrow night'
  countersign --ledger ./ledger request pump-4.2.1 --authorization 41")]
pub(crate) struct Request {
    /// The release
    release: ReleaseId,
    /// When dispatch is allowed, as FROM/UNTIL; as long as the sheet is valid when not said
    #[arg(long, value_name = "SPAN", value_parser = window)]
    window: Option<Window>,
    /// The standing authorization that is to sign; without --as this machine's dispatcher freezes it
    #[arg(long, value_name = "ENTRY")]
    authorization: Option<u64>,
}

impl Request {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        let Self { release, window, authorization } = self;
        let entry = match authorization.filter(|_| session.globals.signer.is_none()) {
            Some(index) => {
                let proposer = Proposer::Dispatcher(index, session.globals.reason.clone());
                releases::request(&mut ledger, proposer, &release, authorization, window)?
            }
            None => session.sign(&mut ledger, "", |ledger, signing| {
                releases::request(ledger, Proposer::Person(signing), &release, authorization, window)
            })?,
        };
        let view = status::release(ledger.state(), &release, clock::now())?;
        let mut text = format!("the decision sheet of {release} is frozen\nsheet sha256:{}\n", entry.leaf);
        if let Some(sheet) = &view.sheet {
            text.push_str(&indented(&status_command::facts(sheet)));
            text.push('\n');
            text.push_str(&status_command::quorum(sheet));
        }
        Ok(Answer::recorded(entry, text, json!({"release": release, "sheet": view.sheet})))
    }
}

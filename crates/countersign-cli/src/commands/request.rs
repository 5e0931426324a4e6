//! `request`.

use clap::Args;
use countersign_app::clock;
use countersign_app::error::Error;
use countersign_app::releases::{self, Ask, Proposer};
use countersign_app::status;
use countersign_core::act::{Asked, Window};
use countersign_core::words::{ReleaseId, Timestamp};
use serde_json::json;

use crate::commands::status as status_command;
use crate::moments::{moment, window};
use crate::output::{Answer, indented};
use crate::session::Session;

/// Freeze the decision sheet and ask for signatures.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger request pump-4.2.0 --ask qa=quinn@acme.example --ask security \\
      --due 2026-11-24T17:00:00Z --reason 'everything is there'
  countersign --ledger ./ledger request pump-4.2.0 --scheduled \\
      --window 2026-11-24T20:00:00Z/2026-11-24T23:00:00Z --reason 'signed by day, out at night'
  countersign --ledger ./ledger request pump-4.2.1 --authorization 41")]
pub(crate) struct Request {
    /// The release
    release: ReleaseId,
    /// When dispatch is allowed, as FROM/UNTIL; as long as the sheet is valid when not said
    #[arg(long, value_name = "SPAN", value_parser = window)]
    window: Option<Window>,
    /// The standing authorization, or the template of standard changes, that is to sign; without --as this machine's
    /// dispatcher freezes it
    #[arg(long, value_name = "ENTRY")]
    authorization: Option<u64>,
    /// Who is asked to answer: a role, or a person as that role (repeatable); the whole quorum when not said
    #[arg(long, value_name = "ROLE[=PRINCIPAL]", value_parser = asked)]
    ask: Vec<Asked>,
    /// By when answers are asked for; nothing ends at it
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    due: Option<Timestamp>,
    /// Let the worker start it by itself once the window is open; what then stands in the way puts it on hold
    #[arg(long, requires = "window")]
    scheduled: bool,
}

pub(crate) fn asked(text: &str) -> Result<Asked, String> {
    let (role, person) = match text.split_once('=') {
        Some((role, person)) => (role, Some(person)),
        None => (text, None),
    };
    let word = |error: countersign_core::words::WordError| error.to_string();
    Ok(Asked { person: person.map(str::parse).transpose().map_err(word)?, role: role.parse().map_err(word)? })
}

impl Request {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        let Self { release, window, authorization, ask: asked, due, scheduled } = self;
        let ask = Ask { authorization, window, asked, due, scheduled };
        let entry = match authorization.filter(|_| session.globals.signer.is_none()) {
            Some(index) => {
                let proposer = Proposer::Dispatcher(index, session.globals.reason.clone());
                releases::request(&mut ledger, proposer, &release, ask)?
            }
            None => session.sign(&mut ledger, "", |ledger, signing| {
                releases::request(ledger, Proposer::Person(signing), &release, ask)
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

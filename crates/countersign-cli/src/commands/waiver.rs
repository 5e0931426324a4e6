//! `waiver`.

use clap::Args;
use countersign_app::error::Error;
use countersign_app::releases;
use countersign_core::words::{Line, Principal, ReleaseId, Timestamp};
use serde_json::json;

use crate::moments::moment;
use crate::output::Answer;
use crate::session::Session;

/// Let a release pass one gate all the same.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger waiver pump-4.2.0 --gate 'static analysis' --expires +14d \\
      --owner paul@acme.example --as sam@acme.example \\
      --reason 'a false positive, ticket PUMP-812'")]
pub(crate) struct Waiver {
    /// The release
    release: ReleaseId,
    /// The gate, as `status` names it
    #[arg(long, value_name = "GATE")]
    gate: Line,
    /// The waiver ends after this moment
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    expires: Timestamp,
    /// Who follows it up
    #[arg(long, value_name = "PRINCIPAL")]
    owner: Principal,
}

impl Waiver {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        let Self { release, gate, expires, owner } = self;
        let text = format!("{release} may pass the gate {gate} until {expires}");
        let body = countersign_core::act::Waiver { expires, gate, owner, release: release.clone() };
        let entry = session.sign(&mut ledger, "", |ledger, signing| releases::waive(ledger, signing, body))?;
        Ok(Answer::recorded(entry, text, json!({"release": release})))
    }
}

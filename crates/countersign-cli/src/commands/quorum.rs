//! `quorum`.

use std::collections::BTreeSet;

use clap::Args;
use countersign_app::error::Error;
use countersign_app::{authority, clock};
use countersign_core::judge::{Feasibility, Missing};
use countersign_core::words::{Principal, ReleaseId, Slug};

use crate::output::{Answer, words};
use crate::session::Session;

/// Who can still complete the sign-off of a release, and what one more signature would leave missing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger quorum pump-4.2.0
  countersign --ledger ./ledger quorum pump-4.2.0 --without quinn@acme.example
  countersign --ledger ./ledger quorum pump-4.2.0 --with ana@acme.example --role qa")]
pub(crate) struct Quorum {
    /// The release
    release: ReleaseId,
    /// Somebody who is absent (repeatable)
    #[arg(long, value_name = "PRINCIPAL", conflicts_with = "with")]
    without: Vec<Principal>,
    /// What would be missing after this person's GO
    #[arg(long, value_name = "PRINCIPAL", requires = "role")]
    with: Option<Principal>,
    /// As which role they would sign
    #[arg(long, value_name = "ROLE", requires = "with")]
    role: Option<Slug>,
}

impl Quorum {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let ledger = session.open()?;
        let (state, now) = (ledger.state(), clock::now());
        let (found, before) = match self.with.zip(self.role) {
            Some((who, role)) => (
                authority::after_signature(state, &self.release, &who, &role, now)?,
                format!("after a GO of {who} as {role}: "),
            ),
            None => {
                let absent: BTreeSet<Principal> = self.without.into_iter().collect();
                if let Some(unknown) = absent.iter().find(|who| !state.people.contains_key(*who)) {
                    return Err(Error::not_found(format!("there is no person {unknown}"))
                        .hint("`countersign person list` shows everybody"));
                }
                (authority::feasibility(state, &self.release, &absent, now)?, String::new())
            }
        };
        let text = format!("{before}{}", told(&found));
        Ok(Answer::new(found, text))
    }
}

fn told(found: &Feasibility) -> String {
    let roles = |list: &[Missing]| words(list.iter().map(|missing| format!("{} × {}", missing.count, missing.role)));
    if found.missing.is_empty() {
        return "the quorum is complete".to_owned();
    }
    let mut text = format!("still missing: {}", roles(&found.missing));
    let seats = words(found.people.iter().map(|seat| format!("{} as {}", seat.person, seat.role)));
    if found.possible() {
        text.push_str(&format!("\nthe fewest who complete it: {seats}"));
        if !found.indispensable.is_empty() {
            text.push_str(&format!("\nnot without: {}", words(&found.indispensable)));
        }
    } else {
        text.push_str(&format!("\nnobody is left for: {}", roles(&found.impossible)));
        if !found.people.is_empty() {
            text.push_str(&format!("\nwho could sign: {seats}"));
        }
        text.push_str("\nAppoint somebody, or let an absent holder delegate: countersign person role --help");
    }
    text
}

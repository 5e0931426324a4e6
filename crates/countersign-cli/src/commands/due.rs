//! `due`.

use clap::Args;
use countersign_app::clock;
use countersign_app::error::Error;
use countersign_core::judge::{self, Deadline};
use serde_json::json;

use crate::output::{Answer, table};
use crate::session::Session;

/// What ends, or is to be done, by a certain day
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger due
  countersign --ledger ./ledger due --within 90 --json")]
pub(crate) struct Due {
    /// How many days to look ahead; what is overdue is always shown
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=3660))]
    within: u32,
}

impl Due {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let ledger = session.open()?;
        let now = clock::now();
        let until = now.plus_seconds(i64::from(self.within) * 86_400);
        let list = judge::deadlines(ledger.state(), now, until);
        let overdue = list.iter().filter(|deadline| deadline.overdue(now)).count();
        let text = if list.is_empty() {
            format!("nothing is due within {} days", self.within)
        } else {
            let line = |deadline: &Deadline| {
                [
                    if deadline.overdue(now) { "overdue" } else { "" }.to_owned(),
                    deadline.when.to_string(),
                    deadline.kind.to_string(),
                    deadline.what.clone(),
                    deadline.entry.map(|entry| entry.to_string()).unwrap_or_default(),
                ]
            };
            let lines: Vec<_> = list.iter().map(line).collect();
            table(["", "WHEN", "KIND", "WHAT", "ENTRY"], &lines)
        };
        Ok(Answer::new(json!({"overdue": overdue, "due": list}), text))
    }
}

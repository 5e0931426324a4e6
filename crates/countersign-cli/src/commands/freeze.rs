//! `freeze`.

use clap::Subcommand;
use countersign_app::clock;
use countersign_app::error::Error;
use countersign_app::products;
use countersign_core::act::Window;
use countersign_core::words::Slug;
use serde_json::json;

use crate::moments::window;
use crate::output::{Answer, or_dash, table};
use crate::session::Session;

/// Times in which nothing is dispatched.
#[derive(Debug, Subcommand)]
pub(crate) enum Freeze {
    /// Forbid dispatches for a while
    #[command(after_help = "Examples:
  countersign --ledger ./ledger freeze declare --span 2026-12-20T00:00:00Z/2027-01-04T06:00:00Z \\
      --reason 'the holidays'
  countersign --ledger ./ledger freeze declare --product pump --environment production \\
      --span now/+4h --reason 'an inspection is under way'")]
    Declare {
        /// Only this product
        #[arg(long, value_name = "PRODUCT")]
        product: Option<Slug>,
        /// Only this environment
        #[arg(long, value_name = "ENVIRONMENT")]
        environment: Option<Slug>,
        /// When, as FROM/UNTIL
        #[arg(long, value_name = "SPAN", value_parser = window)]
        span: Window,
    },
    /// End a freeze before its time
    #[command(after_help = "Examples:
  countersign --ledger ./ledger freeze lift 52 --reason 'the inspection is over'")]
    Lift {
        /// The entry of its declaration
        freeze: u64,
    },
    /// Show every freeze
    #[command(after_help = "Examples:
  countersign --ledger ./ledger freeze list")]
    List,
}

impl Freeze {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        match self {
            Self::Declare { product, environment, span } => {
                let entry = session.sign(&mut ledger, "", |ledger, signing| {
                    products::declare_freeze(ledger, signing, product, environment, span)
                })?;
                let text = format!("nothing is dispatched from {} to {}", span.from, span.until);
                Ok(Answer::recorded(entry, text, json!({"freeze": entry.index})))
            }
            Self::Lift { freeze } => {
                let entry =
                    session.sign(&mut ledger, "", |ledger, signing| products::lift_freeze(ledger, signing, freeze))?;
                Ok(Answer::recorded(entry, format!("the freeze of entry {freeze} is over"), json!({"freeze": freeze})))
            }
            Self::List => {
                let rows = products::freezes(ledger.state(), clock::now());
                let lines: Vec<[String; 6]> = rows
                    .iter()
                    .map(|row| {
                        [
                            row.entry.to_string(),
                            row.status.to_owned(),
                            or_dash(row.product.as_ref()),
                            or_dash(row.environment.as_ref()),
                            format!("{} to {}", row.span.from, row.span.until),
                            format!("{}: {}", row.by, row.reason),
                        ]
                    })
                    .collect();
                Ok(Answer::new(rows, table(["ENTRY", "STATUS", "PRODUCT", "ENVIRONMENT", "WHEN", "WHY"], &lines)))
            }
        }
    }
}

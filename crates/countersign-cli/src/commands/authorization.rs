//! `authorization`.

use clap::{Args, Subcommand};
use countersign_app::clock;
use countersign_app::error::Error;
use countersign_app::products::{self, Answer as Said, Bounds};
use countersign_core::act::{ChangeType, Verdict, Window};
use countersign_core::words::{Line, Slug};
use serde_json::json;

use crate::moments::window;
use crate::output::{Answer, indented, pairs, said, words};
use crate::session::Session;

/// Standing authorizations: who signs in Continuous Deployment.
#[derive(Debug, Subcommand)]
pub(crate) enum Authorization {
    /// Propose one, with its bounds, to the quorum it is to stand in for
    Grant(Grant),
    /// Answer a proposed one; it signs once its quorum has said GO
    #[command(after_help = "Examples:
  countersign --ledger ./ledger authorization adopt 41 --verdict go --as quinn@acme.example \\
      --reason 'small standard changes on observed evidence'")]
    Adopt {
        /// The entry of its grant
        authorization: u64,
        /// go or no-go
        #[arg(long, value_name = "VERDICT")]
        verdict: Verdict,
        /// As which role; the one you hold of those asked when not said
        #[arg(long, value_name = "ROLE")]
        role: Option<Slug>,
    },
    /// Suspend one: it signs no more until a process owner resumes it
    #[command(after_help = "Examples:
  countersign --ledger ./ledger authorization suspend 41 --reason 'two rollbacks this week'")]
    Suspend {
        /// The entry of its grant
        authorization: u64,
    },
    /// Let a suspended one sign again
    #[command(after_help = "Examples:
  countersign --ledger ./ledger authorization resume 41 --reason 'the cause is found and mended'")]
    Resume {
        /// The entry of its grant
        authorization: u64,
    },
    /// Show every one and what it is worth now
    #[command(after_help = "Examples:
  countersign --ledger ./ledger authorization list")]
    List,
}

/// Propose a standing authorization.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger authorization grant pump --change-type standard --max-commits 5 \\
      --per-day 2 --valid now/+90d --reason 'twenty releases in a row without a failure'
  countersign --ledger ./ledger authorization grant pump --template 'alarm texts' \\
      --change-type standard --max-commits 5 --per-day 2 --valid now/+180d \\
      --reason 'eleven of these without an incident'")]
pub(crate) struct Grant {
    /// The product
    product: Slug,
    /// The types of change it may sign for, with commas between: standard, normal
    #[arg(long, value_name = "TYPES", value_delimiter = ',', required = true)]
    change_type: Vec<ChangeType>,
    /// How many commits a release may bring at most
    #[arg(long, value_name = "N")]
    max_commits: u64,
    /// How many releases it may sign for on one UTC day
    #[arg(long, value_name = "N")]
    per_day: u64,
    /// Make it a template of standard changes, by this name: people dispatch what it signs, it ends after 180 days at
    /// most, and with the second release of it that fails
    #[arg(long, value_name = "NAME")]
    template: Option<Line>,
    /// When it may sign, as FROM/UNTIL
    #[arg(long, value_name = "SPAN", value_parser = window)]
    valid: Window,
}

impl Authorization {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        match self {
            Self::Grant(Grant { product, change_type, max_commits, per_day, template, valid }) => {
                let name = product.clone();
                let what = if template.is_some() { "template of standard changes" } else { "standing authorization" };
                let bounds = Bounds { product, change_types: change_type, max_commits, per_day, template, valid };
                let entry =
                    session.sign(&mut ledger, "", |ledger, signing| products::grant(ledger, signing, bounds))?;
                let text = format!(
                    "a {what} for {name} is proposed\nIt signs nothing until its quorum adopts it: countersign authorization adopt {} --verdict go",
                    entry.index
                );
                Ok(Answer::recorded(entry, text, json!({"authorization": entry.index})))
            }
            Self::Adopt { authorization, verdict, role } => {
                let entry = session.sign(&mut ledger, "", |ledger, signing| {
                    products::answer_authorization(ledger, signing, authorization, Said { role, verdict })
                })?;
                let rows = products::authorizations(ledger.state(), clock::now());
                let row = rows.into_iter().find(|row| row.entry == authorization);
                let worth = row.as_ref().map_or("-".to_owned(), |row| match &row.cause {
                    Some(cause) => format!("{}: {cause}", row.state),
                    None => row.state.to_string(),
                });
                let text =
                    format!("{} to the standing authorization of entry {authorization}; it is {worth}", said(verdict));
                Ok(Answer::recorded(entry, text, json!({"authorization": row})))
            }
            Self::Suspend { authorization } => {
                let entry = session.sign(&mut ledger, "", |ledger, signing| {
                    products::suspend(ledger, signing, authorization, false)
                })?;
                let text = format!("the standing authorization of entry {authorization} signs no more");
                Ok(Answer::recorded(entry, text, json!({"authorization": authorization})))
            }
            Self::Resume { authorization } => {
                let entry = session
                    .sign(&mut ledger, "", |ledger, signing| products::suspend(ledger, signing, authorization, true))?;
                let text = format!("the standing authorization of entry {authorization} may sign again");
                Ok(Answer::recorded(entry, text, json!({"authorization": authorization})))
            }
            Self::List => {
                let rows = products::authorizations(ledger.state(), clock::now());
                let blocks: Vec<String> = rows
                    .iter()
                    .map(|row| {
                        let worth = match &row.cause {
                            Some(cause) => format!("{}: {cause}", row.state),
                            None => row.state.to_string(),
                        };
                        let answers = row
                            .answers
                            .iter()
                            .map(|answer| format!("{} {} as {}", answer.principal, said(answer.verdict), answer.role));
                        let list = [
                            ("template", row.template.as_ref().map_or("-".to_owned(), ToString::to_string)),
                            ("worth", worth),
                            (
                                "signs",
                                format!("{} changes of at most {} commits", words(&row.change_types), row.max_commits),
                            ),
                            ("at most", format!("{} a day; {} so far in all", row.per_day, row.uses)),
                            ("failed", if row.failures.is_empty() { "-".to_owned() } else { words(&row.failures) }),
                            ("valid", format!("{} to {}", row.valid.from, row.valid.until)),
                            ("proposed by", row.by.to_string()),
                            ("answers", words(answers)),
                        ];
                        format!(
                            "entry {}: {} in {}\n{}",
                            row.entry,
                            row.product,
                            row.environment,
                            indented(&pairs(list))
                        )
                    })
                    .collect();
                let text = if blocks.is_empty() { "There is none.".to_owned() } else { blocks.join("\n") };
                Ok(Answer::new(rows, text))
            }
        }
    }
}

//! `freeze`.

use std::path::PathBuf;

use clap::Subcommand;
use countersign_app::calendar;
use countersign_app::clock;
use countersign_app::durable;
use countersign_app::error::Error;
use countersign_app::products;
use countersign_core::act::Window;
use countersign_core::recurrence::Recurs;
use countersign_core::words::{Line, Slug, Zone};
use serde_json::json;

use crate::moments::window;
use crate::output::{Answer, or_dash, table};
use crate::session::{Session, new_file};

/// The largest calendar that is read.
const ICS_BYTES_MAX: u64 = 1024 * 1024;

/// Times in which nothing is dispatched.
#[derive(Debug, Subcommand)]
pub(crate) enum Freeze {
    /// Forbid dispatches for a while
    #[command(after_help = "Examples:
  countersign --ledger ./ledger freeze declare --span 2026-12-20T00:00:00Z/2027-01-04T06:00:00Z \\
      --reason 'the holidays'
  countersign --ledger ./ledger freeze declare --product pump --environment production \\
      --span now/+4h --reason 'an inspection is under way'
  countersign --ledger ./ledger freeze declare --product pump \\
      --span 2026-12-04T17:00:00Z/2026-12-07T05:00:00Z --rule 'FREQ=WEEKLY;BYDAY=FR' \\
      --zone Europe/Paris --reason 'nobody is on call at weekends'")]
    Declare {
        /// Only this product
        #[arg(long, value_name = "PRODUCT")]
        product: Option<Slug>,
        /// Only this environment
        #[arg(long, value_name = "ENVIRONMENT")]
        environment: Option<Slug>,
        /// When, as FROM/UNTIL
        #[arg(long, value_name = "SPAN", value_parser = window, required_unless_present = "ics")]
        span: Option<Window>,
        /// Read the freezes from a calendar file (.ics) in place of it: one for each event
        #[arg(long, value_name = "FILE", conflicts_with_all = ["span", "rule"])]
        ics: Option<PathBuf>,
        /// How the span comes again, as RFC 5545 writes it; the span is then its first coming
        #[arg(long, value_name = "RRULE", requires = "zone")]
        rule: Option<Line>,
        /// The zone whose wall clock it goes by, as Europe/Paris
        #[arg(long, value_name = "ZONE")]
        zone: Option<Zone>,
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
  countersign --ledger ./ledger freeze list
  countersign --ledger ./ledger freeze list --ics releases.ics")]
    List {
        /// Also write freezes, windows of policies and windows of sheets as a calendar file; it must not exist
        #[arg(long, value_name = "FILE")]
        ics: Option<PathBuf>,
    },
}

impl Freeze {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        match self {
            Self::Declare { product, environment, ics: Some(file), zone, .. } => {
                let bytes = durable::read(&file, ICS_BYTES_MAX)?;
                let text =
                    String::from_utf8(bytes).map_err(|_| Error::usage(format!("{} is not text", file.display())))?;
                let mut declared = Vec::new();
                let events = calendar::read(&text, zone)?;
                for event in &events {
                    let about = format!("Event \u{201c}{}\u{201d} of {}", event.summary, file.display());
                    let (span, recurs) = (event.span, event.recurs.clone());
                    let (product, environment) = (product.clone(), environment.clone());
                    declared.push(session.sign(&mut ledger, &about, |ledger, signing| {
                        products::declare_freeze(ledger, signing, product, environment, span, recurs)
                    })?);
                }
                let lines: Vec<String> = declared
                    .iter()
                    .zip(&events)
                    .map(|(entry, event)| {
                        format!(
                            "{} to {}, {} (entry {})",
                            event.span.from, event.span.until, event.summary, entry.index
                        )
                    })
                    .collect();
                let freezes: Vec<u64> = declared.iter().map(|entry| entry.index).collect();
                Ok(Answer::new(json!({"freezes": freezes}), lines.join("\n")))
            }
            Self::Declare { product, environment, span, rule, zone, ics: None } => {
                let span = span.ok_or_else(|| Error::usage("the span is missing").hint("give --span or --ics"))?;
                if rule.is_none() && zone.is_some() {
                    return Err(Error::usage("a zone goes with a rule").hint("give --rule, too"));
                }
                let recurs = rule.zip(zone).map(|(rule, zone)| Recurs { rule, zone });
                let again = recurs.as_ref().map(|recurs| format!(", and again by {} in {}", recurs.rule, recurs.zone));
                let entry = session.sign(&mut ledger, "", |ledger, signing| {
                    products::declare_freeze(ledger, signing, product, environment, span, recurs)
                })?;
                let again = again.unwrap_or_default();
                let text = format!("nothing is dispatched from {} to {}{again}", span.from, span.until);
                Ok(Answer::recorded(entry, text, json!({"freeze": entry.index})))
            }
            Self::Lift { freeze } => {
                let entry =
                    session.sign(&mut ledger, "", |ledger, signing| products::lift_freeze(ledger, signing, freeze))?;
                Ok(Answer::recorded(entry, format!("the freeze of entry {freeze} is over"), json!({"freeze": freeze})))
            }
            Self::List { ics } => {
                if let Some(file) = &ics {
                    new_file(file)?;
                    durable::write_new(file, calendar::write(ledger.state(), clock::now()).as_bytes())?;
                }
                let rows = products::freezes(ledger.state(), clock::now());
                let lines: Vec<[String; 6]> = rows
                    .iter()
                    .map(|row| {
                        [
                            row.entry.to_string(),
                            row.status.to_owned(),
                            or_dash(row.product.as_ref()),
                            or_dash(row.environment.as_ref()),
                            match &row.recurs {
                                Some(recurs) => {
                                    format!("{} to {}, {} {}", row.span.from, row.span.until, recurs.rule, recurs.zone)
                                }
                                None => format!("{} to {}", row.span.from, row.span.until),
                            },
                            format!("{}: {}", row.by, row.reason),
                        ]
                    })
                    .collect();
                Ok(Answer::new(rows, table(["ENTRY", "STATUS", "PRODUCT", "ENVIRONMENT", "WHEN", "WHY"], &lines)))
            }
        }
    }
}

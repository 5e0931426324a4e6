//! `policy`.

use std::path::PathBuf;

use clap::Subcommand;
use countersign_app::clock;
use countersign_app::error::Error;
use countersign_app::products::{self, Answer as Said, PolicyCheck, PolicyRow};
use countersign_core::act::Verdict;
use countersign_core::judge::Replayed;
use countersign_core::words::Slug;
use serde_json::json;

use crate::output::{self, Answer, table, words};
use crate::session::Session;

/// What a product asks of a release.
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Read a policy file and say what it means; with --ledger also what its people and targets make of it
    #[command(after_help = "Examples:
  countersign policy check policy.toml
  countersign --ledger ./ledger policy check policy.toml --json")]
    Check {
        /// The file
        file: PathBuf,
    },
    /// Sign a policy: in force at once where it is the first, else proposed to the quorum of the one it replaces
    #[command(after_help = "Examples:
  countersign --ledger ./ledger policy set policy.toml \\
      --reason 'two people sign, one instance first'")]
    Set {
        /// The file; it is kept byte for byte
        file: PathBuf,
    },
    /// Show a policy, byte for byte as it was signed
    #[command(after_help = "Examples:
  countersign --ledger ./ledger policy show pump
  countersign --ledger ./ledger policy show pump --version 1 > policy-1.toml")]
    Show {
        /// The product
        product: Slug,
        /// Which version; the one in force when not said
        #[arg(long, value_name = "N")]
        version: Option<u64>,
    },
    /// Show every version and who has answered it
    #[command(after_help = "Examples:
  countersign --ledger ./ledger policy list
  countersign --ledger ./ledger policy list --product pump")]
    List {
        /// Only this product
        #[arg(long, value_name = "PRODUCT")]
        product: Option<Slug>,
    },
    /// Answer a policy that would replace the one in force
    #[command(after_help = "Examples:
  countersign --ledger ./ledger policy approve pump --verdict go --as quinn@acme.example \\
      --reason 'narrower than before'")]
    Approve {
        /// The product
        product: Slug,
        /// Which version; the newest that waits when not said
        #[arg(long, value_name = "N")]
        version: Option<u64>,
        /// go or no-go
        #[arg(long, value_name = "VERDICT")]
        verdict: Verdict,
        /// As which role; the one you hold of those asked when not said
        #[arg(long, value_name = "ROLE")]
        role: Option<Slug>,
    },
    /// Compare two versions, or a version with a file
    #[command(after_help = "Examples:
  countersign --ledger ./ledger policy diff pump --from 1 --to 2
  countersign --ledger ./ledger policy diff pump --file policy.toml")]
    Diff {
        /// The product
        product: Slug,
        /// The older version; the one in force when not said
        #[arg(long, value_name = "N")]
        from: Option<u64>,
        /// The newer version; the newest when not said
        #[arg(long, value_name = "N", conflicts_with = "file")]
        to: Option<u64>,
        /// A file in place of the newer version
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Say what a policy would have decided of the last releases, and why where it is something else
    ///
    /// Each release is judged as it stood at the last word on its last sheet: its evidence, its signatures, its people.
    #[command(after_help = "Examples:
  countersign --ledger ./ledger policy replay pump --file policy.toml
  countersign --ledger ./ledger policy replay pump --version 2 --last 10 --json")]
    Replay {
        /// The product
        product: Slug,
        /// The file
        #[arg(long, value_name = "FILE", required_unless_present = "version")]
        file: Option<PathBuf>,
        /// A version that was signed, in place of a file
        #[arg(long, value_name = "N", conflicts_with = "file")]
        version: Option<u64>,
        /// How many releases, the latest first
        #[arg(long, value_name = "N", default_value_t = 50)]
        last: usize,
    },
}

fn meaning(check: &PolicyCheck) -> String {
    let mut text = format!("This is a policy of {}. It means:\n", check.product);
    for sentence in &check.means {
        text.push_str(&format!("  - {sentence}\n"));
    }
    if !check.warnings.is_empty() {
        text.push_str("As things stand it could not be met:\n");
        for warning in &check.warnings {
            text.push_str(&format!("  ! {warning}\n"));
        }
    }
    text
}

fn line(row: &PolicyRow) -> [String; 6] {
    let answers = row
        .answers
        .iter()
        .map(|answer| format!("{} {} as {}", answer.principal, output::said(answer.verdict), answer.role));
    [
        row.product.to_string(),
        row.version.to_string(),
        row.status.to_owned(),
        format!("{} {}", row.by, row.time),
        row.entry.to_string(),
        words(answers),
    ]
}

impl Policy {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let now = clock::now();
        if let Self::Check { file } = self {
            let ledger = session.open_if_named()?;
            let text = products::read_policy(&file)?;
            let check = products::check_policy(&text, ledger.as_ref().map(|ledger| ledger.state()), now)?;
            let text = meaning(&check);
            return Ok(Answer::new(check, text));
        }
        let mut ledger = session.open()?;
        match self {
            Self::Check { .. } => unreachable!("it was answered above"),
            Self::Set { file } => {
                let text = products::read_policy(&file)?;
                let check = products::check_policy(&text, Some(ledger.state()), now)?;
                let about = meaning(&check);
                let (entry, row) =
                    session.sign(&mut ledger, &about, |ledger, signing| products::set_policy(ledger, signing, text))?;
                let mut said = format!("version {} of the policy of {} is {}", row.version, row.product, row.status);
                if row.status == "proposed" {
                    said.push_str(&format!(
                        "\nIt waits for the quorum of the one in force: countersign policy approve {} --verdict go",
                        row.product
                    ));
                }
                for warning in &check.warnings {
                    said.push_str(&format!("\nAs things stand it could not be met: {warning}"));
                }
                Ok(Answer::recorded(entry, said, json!({"policy": row, "warnings": check.warnings})))
            }
            Self::Show { product, version } => {
                let record = products::policy(ledger.state(), &product, version)?;
                let json = json!({
                    "product": product,
                    "version": record.version,
                    "entry": record.entry,
                    "in_force": record.in_force,
                    "toml": record.toml,
                });
                let mut answer = Answer::new(json, record.toml.clone());
                answer.verbatim = true;
                Ok(answer)
            }
            Self::List { product } => {
                let rows = products::policies(ledger.state(), product.as_ref());
                let lines: Vec<_> = rows.iter().map(line).collect();
                let headings = ["PRODUCT", "VERSION", "STATUS", "PROPOSED BY", "ENTRY", "ANSWERS"];
                Ok(Answer::new(rows, table(headings, &lines)))
            }
            Self::Approve { product, version, verdict, role } => {
                let about = proposal(&ledger, &product, version)?;
                let (entry, row) = session.sign(&mut ledger, &about, |ledger, signing| {
                    products::answer_policy(ledger, signing, &product, version, Said { role, verdict })
                })?;
                let said = format!(
                    "{} to version {} of the policy of {product}; it is {}",
                    output::said(verdict),
                    row.version,
                    row.status
                );
                Ok(Answer::recorded(entry, said, json!({"policy": row})))
            }
            Self::Diff { product, from, to, file } => {
                let old = products::policy(ledger.state(), &product, from)?;
                let (name, new) = match &file {
                    Some(file) => (file.display().to_string(), products::read_policy(file)?),
                    None => {
                        let newest = ledger.state().policies.get(&product).map(|all| all.len() as u64);
                        let record = products::policy(ledger.state(), &product, to.or(newest))?;
                        (format!("version {}", record.version), record.toml.clone())
                    }
                };
                let lines = products::diff(&old.toml, &new);
                let equal = lines.iter().all(|line| line.sign == ' ');
                let mut text = format!("--- version {}\n+++ {name}\n", old.version);
                for line in &lines {
                    text.push_str(&format!("{} {}\n", line.sign, line.text));
                }
                let (gone, come) = products::meaning_diff(&old.toml, &new)?;
                if !(gone.is_empty() && come.is_empty()) {
                    text.push_str("\nIn words:\n");
                    gone.iter().for_each(|sentence| text.push_str(&format!("- {sentence}\n")));
                    come.iter().for_each(|sentence| text.push_str(&format!("+ {sentence}\n")));
                }
                let json = json!({
                    "from": old.version,
                    "to": name,
                    "equal": equal,
                    "lines": lines,
                    "no_longer": gone,
                    "now": come,
                });
                Ok(Answer::new(json, text))
            }
            Self::Replay { product, file, version, last } => {
                let text = match &file {
                    Some(file) => products::read_policy(file)?,
                    None => products::policy(ledger.state(), &product, version)?.toml.clone(),
                };
                let replayed = products::replay(ledger.state(), &product, &text, last)?;
                let text = replay_text(&product, &replayed);
                Ok(Answer::new(replayed, text))
            }
        }
    }
}

fn replay_text(product: &Slug, replayed: &[Replayed]) -> String {
    let differs = replayed.iter().filter(|one| one.differs()).count();
    let mut text = match (replayed.len(), differs) {
        (0, _) => {
            return format!("no release of {product} has a decision sheet yet: there is nothing to judge again\n");
        }
        (all, 0) => format!("Of the last {all} releases it would have decided each as it was decided.\n"),
        (all, some) => format!("Of the last {all} releases it would have decided {some} otherwise.\n"),
    };
    let line = |one: &Replayed| {
        let mark = if one.differs() { "!" } else { " " };
        [
            format!("{mark} {}", one.release),
            one.change_type.to_string(),
            one.at.to_string(),
            one.was.to_string(),
            one.would.to_string(),
            one.reasons.join("; "),
        ]
    };
    let lines: Vec<_> = replayed.iter().map(line).collect();
    text.push_str(&table(["  RELEASE", "CHANGE", "AT", "WAS", "WOULD BE", "BECAUSE"], &lines));
    text
}

/// What somebody who answers a proposed policy is shown: how it differs from the one in force.
fn proposal(ledger: &countersign_app::ledger::Ledger, product: &Slug, version: Option<u64>) -> Result<String, Error> {
    let state = ledger.state();
    let current = products::policy(state, product, None)?;
    let newest = state.policies.get(product).and_then(|all| all.iter().rev().find(|record| record.in_force.is_none()));
    let proposed = match version {
        Some(version) => Some(products::policy(state, product, Some(version))?),
        None => newest,
    };
    let Some(proposed) = proposed else { return Ok(String::new()) };
    let mut text = format!("Version {} would replace version {}:\n", proposed.version, current.version);
    for line in products::diff(&current.toml, &proposed.toml).iter().filter(|line| line.sign != ' ') {
        text.push_str(&format!("  {} {}\n", line.sign, line.text));
    }
    Ok(text)
}

//! `sign`.

use clap::Args;
use countersign_app::clock;
use countersign_app::error::Error;
use countersign_app::ledger::Ledger;
use countersign_app::releases::{self, Answer as Said};
use countersign_app::status;
use countersign_core::act::{Meaning, Verdict};
use countersign_core::policy::DispatchRule;
use countersign_core::words::{Principal, ReleaseId, Slug, Text};
use serde_json::json;

use crate::commands::status as status_command;
use crate::output::{self, Answer, indented};
use crate::session::Session;

/// Answer a decision sheet.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger sign pump-4.2.0 --role qa --verdict go --as quinn@acme.example \\
      --reason 'all unit and alarm tests pass'
  countersign --ledger ./ledger sign pump-4.2.0 --verdict conditional-go \\
      --condition 'the night shift is told' --reason 'good but for the handover'
  countersign --ledger ./ledger sign pump-4.2.0 --withdraw --reason 'read on the wrong bench'")]
pub(crate) struct Sign {
    /// The release
    release: ReleaseId,
    /// As which role; the one you hold of those asked when not said
    #[arg(long, value_name = "ROLE")]
    role: Option<Slug>,
    /// go, no-go, hold or conditional-go
    #[arg(long, value_name = "VERDICT", value_parser = answer, required_unless_present_any = ["condition_met", "withdraw"])]
    verdict: Option<Verdict>,
    /// Take your answer back, as long as nothing was dispatched on it; nothing is said in its place
    #[arg(long, conflicts_with_all = ["verdict", "meaning", "condition", "condition_met"])]
    withdraw: bool,
    /// What your signature means: approval, review, authorship, responsibility, certification or confirmation
    #[arg(long, value_name = "MEANING")]
    meaning: Option<Meaning>,
    /// A condition of a conditional GO (repeatable)
    #[arg(long, value_name = "TEXT")]
    condition: Vec<Text>,
    /// Settle a condition: the entry of the conditional GO, a dot, and its number from 1
    #[arg(long, value_name = "ENTRY.NUMBER", value_parser = condition, conflicts_with_all = ["verdict", "role", "meaning", "condition"])]
    condition_met: Option<(u64, u64)>,
}

/// What one answers by; what was answered is taken back by its own flag.
fn answer(text: &str) -> Result<Verdict, String> {
    match text.parse() {
        Ok(Verdict::Withdrawn) => Err("to take an answer back, give --withdraw".to_owned()),
        parsed => parsed,
    }
}

fn condition(text: &str) -> Result<(u64, u64), String> {
    let (entry, place) = text.split_once('.').ok_or("write ENTRY.NUMBER, as 58.1")?;
    match (entry.parse(), place.parse()) {
        (Ok(entry), Ok(place)) => Ok((entry, place)),
        _ => Err("write ENTRY.NUMBER, as 58.1".to_owned()),
    }
}

impl Sign {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        let release = self.release;
        if let Some((approval, place)) = self.condition_met {
            let entry = session.sign(&mut ledger, "", |ledger, signing| {
                releases::meet_condition(ledger, signing, &release, approval, place)
            })?;
            return answered(&ledger, &release, entry, format!("condition {place} of entry {approval} is settled"));
        }
        let verdict = self.verdict.or(self.withdraw.then_some(Verdict::Withdrawn));
        let verdict = verdict.ok_or_else(|| Error::usage("the answer is missing").hint("give --verdict"))?;
        let by = session.signer(&ledger)?;
        let said = Said { role: self.role, verdict, meaning: self.meaning, conditions: self.condition };
        let answer = releases::compose_answer(ledger.state(), &release, &by, said)?;
        let about = shown(&ledger, &release, &by)?;
        let text = format!("{by} signed {} as {} on {release}", output::said(verdict), answer.role);
        let entry = session.sign(&mut ledger, &about, |ledger, signing| releases::sign(ledger, signing, answer))?;
        answered(&ledger, &release, entry, text)
    }
}

/// What the signer is shown before the passphrase is asked: the whole sheet, what moved since they last answered, the gates,
/// and who has answered so far.
fn shown(ledger: &Ledger, id: &ReleaseId, by: &Principal) -> Result<String, Error> {
    let state = ledger.state();
    let release = releases::find(state, id)?;
    let sheet = releases::current_sheet(release)?;
    let view = status::sheet_view(state, release, sheet, clock::now());
    let mut text = format!("Decision sheet of {id} (entry {}, sha256:{})\n", view.entry, view.digest);
    text.push_str(&indented(&status_command::facts(&view)));
    if let Some(earlier) = releases::answered_before(release, sheet.entry, by) {
        let changes = releases::sheet_changes(state, release, &earlier.body, &sheet.body);
        text.push_str(&format!("\n\nChanged since the sheet of {} that you answered\n", earlier.entry));
        text.push_str(&indented(&if changes.is_empty() { "nothing it lists".to_owned() } else { changes.join("\n") }));
    }
    if !view.conflicts.is_empty() {
        text.push_str(&format!("\n\nIn the way of its window\n{}", indented(&status_command::conflicts(&view))));
    }
    text.push_str(&format!("\n\nAnswers so far\n{}", indented(&status_command::quorum(&view))));
    if !view.sign_offs.is_empty() {
        text.push('\n');
        text.push_str(&indented(&status_command::sign_offs(&view)));
    }
    Ok(text)
}

fn answered(
    ledger: &Ledger,
    id: &ReleaseId,
    entry: countersign_core::words::EntryRef,
    text: String,
) -> Result<Answer, Error> {
    let view = status::release(ledger.state(), id, clock::now())?;
    let mut text = text;
    if let Some(sheet) = &view.sheet {
        text.push('\n');
        text.push_str(&status_command::quorum(sheet));
        if sheet.outcome == "go" {
            let rule = ledger.state().policy(&view.candidate.product).map(|record| record.policy.dispatch);
            text.push_str(match rule {
                Some(DispatchRule::OnQuorum) => {
                    "\nThe quorum is complete: a worker starts the rollout as soon as it looks."
                }
                _ => "\nThe quorum is complete: nothing is deployed until a release manager dispatches it.",
            });
        }
    }
    let text = text.trim_end().to_owned();
    let more = json!({"release": id, "state": view.state, "sheet": view.sheet, "blockers": view.blockers});
    Ok(Answer::recorded(entry, output::indented(&text).trim_start().to_owned(), more))
}

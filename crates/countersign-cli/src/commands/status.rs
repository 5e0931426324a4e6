//! `status`, and the words for releases and sheets that other commands share.

use clap::Args;
use countersign_app::clock;
use countersign_app::error::Error;
use countersign_app::products::duration;
use countersign_app::status::{self, Overview, ReleaseView, SheetView};
use countersign_core::judge::SignOffState;
use countersign_core::words::ReleaseId;

use crate::output::{Answer, count, indented, or_dash, pairs, said, table, words};
use crate::session::Session;

/// Where things stand, what blocks and who can clear it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger status
  countersign --ledger ./ledger status pump-4.2.0
  countersign --ledger ./ledger status pump-4.2.0 --json")]
pub(crate) struct Status {
    /// A release; without one all releases, and what waits for you
    release: Option<ReleaseId>,
}

impl Status {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let ledger = session.open()?;
        let now = clock::now();
        match self.release {
            Some(id) => {
                let view = status::release(ledger.state(), &id, now)?;
                let text = in_words(&view);
                Ok(Answer::new(view, text))
            }
            None => {
                let person = session.reader(&ledger);
                let overview = status::overview(ledger.state(), person.as_ref(), now);
                let text = overview_in_words(&overview);
                Ok(Answer::new(overview, text))
            }
        }
    }
}

fn overview_in_words(overview: &Overview) -> String {
    let mut text = format!("{}, {}", overview.title, count(overview.entries, "entry"));
    if overview.sample {
        text.push_str("  SAMPLE: nothing in it is a real approval");
    }
    if overview.findings > 0 {
        text.push_str(&format!(
            "\n{} entries were not admitted and have no effect; `countersign verify` names them",
            overview.findings
        ));
    }
    text.push_str("\n\n");
    if overview.releases.is_empty() {
        text.push_str("There are no releases yet.");
    } else {
        let rows: Vec<[String; 4]> = overview
            .releases
            .iter()
            .map(|row| {
                [row.release.to_string(), row.version.to_string(), row.state.to_string(), or_dash(row.next.as_ref())]
            })
            .collect();
        text.push_str(&table(["RELEASE", "VERSION", "STATE", "NEXT"], &rows));
    }
    match &overview.person {
        None => text.push_str("\n\nSay whose inbox to show with --as PRINCIPAL."),
        Some(person) if overview.inbox.is_empty() => text.push_str(&format!("\n\nNothing waits for {person}.")),
        Some(person) => {
            text.push_str(&format!("\n\nWaiting for {person}"));
            for item in &overview.inbox {
                let release = item.release.as_ref().map(|release| format!("{release}: ")).unwrap_or_default();
                text.push_str(&format!("\n  {release}{}\n    {}", item.what, item.act));
            }
        }
    }
    text
}

/// Where a release stands, as lines.
pub(crate) fn in_words(view: &ReleaseView) -> String {
    let mut text = format!("{} is {}", view.release, view.state.to_string().to_uppercase().replace('_', " "));
    if view.sample {
        text.push_str("  SAMPLE: nothing in it is a real approval");
    }
    if let Some((entry, by)) = &view.given_up {
        let by = by.as_ref().map(|by| format!("; {by} takes its place")).unwrap_or_default();
        text.push_str(&format!("\ngiven up by entry {entry}{by}"));
    }
    section(&mut text, "Gates", &gates(view));
    section(&mut text, "Evidence", &evidence(view));
    if let Some(sheet) = &view.sheet {
        let detail = sheet.outcome_detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
        let head = format!(
            "Decision sheet of entry {} is {}{detail}\n  sha256:{}\n  frozen by {} {}",
            sheet.entry,
            sheet.outcome.to_uppercase(),
            sheet.digest,
            sheet.requester,
            sheet.time
        );
        text.push_str("\n\n");
        text.push_str(&head);
        section(&mut text, "Quorum", &quorum(sheet));
        let title = if sheet.judged == "now" { "Sign-offs" } else { "Sign-offs, as they counted when wave 1 was sent" };
        section(&mut text, title, &sign_offs(sheet));
    }
    section(&mut text, "Stops", &holds(view));
    section(&mut text, "Rollout", &rollout(view));
    section(&mut text, "Dispatches", &dispatches(view));
    if !view.blockers.is_empty() {
        let lines: Vec<String> = view
            .blockers
            .iter()
            .map(|blocker| format!("{}\n  who: {}\n  do:  {}", blocker.what, words(&blocker.who), blocker.act))
            .collect();
        section(&mut text, "What blocks", &lines.join("\n"));
    } else if let Some(next) = &view.next {
        section(&mut text, "Next", next);
    }
    text
}

fn section(text: &mut String, title: &str, body: &str) {
    if !body.is_empty() {
        text.push_str(&format!("\n\n{title}\n{}", indented(body)));
    }
}

fn gates(view: &ReleaseView) -> String {
    let rows = view.gates.iter().map(|gate| {
        let waived = gate.waived.map(|entry| format!(" (waived by entry {entry})")).unwrap_or_default();
        (gate.gate.as_str(), format!("{}{waived}  {}", gate.conclusion.to_string().to_uppercase(), gate.detail))
    });
    pairs(rows)
}

fn evidence(view: &ReleaseView) -> String {
    let lines: Vec<String> = view
        .evidence
        .iter()
        .map(|row| {
            let whose = match &row.origin {
                countersign_core::act::EvidenceOrigin::Observed { connector, run, .. } => {
                    format!("observed at {connector}, run {run}")
                }
                countersign_core::act::EvidenceOrigin::Attached {} if row.confirmed_by.is_empty() => {
                    format!("attached by {}, not confirmed", row.by)
                }
                countersign_core::act::EvidenceOrigin::Attached {} => {
                    format!("attached by {}, confirmed by {}", row.by, words(&row.confirmed_by))
                }
            };
            let late = if row.on_sheet == Some(false) { "; after freeze, unsigned" } else { "" };
            let replaces = row.replaces.map(|entry| format!("; in place of entry {entry}")).unwrap_or_default();
            format!("entry {}: {} {} {}: {whose}{replaces}{late}", row.entry, row.kind, row.name, row.conclusion)
        })
        .collect();
    lines.join("\n")
}

/// What a sheet lists.
pub(crate) fn facts(sheet: &SheetView) -> String {
    pairs(sheet.facts.iter().map(|fact| (fact.name, fact.value.clone())))
}

/// What overlaps the window of a sheet.
pub(crate) fn conflicts(sheet: &SheetView) -> String {
    let lines: Vec<String> = sheet.conflicts.iter().map(|found| format!("{}: {}", found.kind, found.what)).collect();
    lines.join("\n")
}

/// Which roles are asked, and who has signed or could.
pub(crate) fn quorum(sheet: &SheetView) -> String {
    let standing = sheet.sign_offs.iter().find(|row| row.state == SignOffState::Valid && row.authorization.is_some());
    if let Some(entry) = standing.and_then(|row| row.authorization) {
        return format!("the standing authorization of entry {entry}, adopted by the quorum it stands in for");
    }
    let lines: Vec<String> = sheet
        .quorum
        .iter()
        .map(|slot| {
            let mark = if slot.full() { "full" } else { "open" };
            let mut line = format!(
                "{}: {} of {} ({mark}), signed: {}",
                slot.role,
                slot.signed.len(),
                slot.needed,
                words(&slot.signed)
            );
            if !slot.full() {
                line.push_str(&format!("; could sign: {}", words(&slot.eligible)));
                for barred in &slot.barred {
                    line.push_str(&format!("\n  not {}: {}", barred.principal, barred.why));
                }
            }
            line
        })
        .collect();
    lines.join("\n")
}

/// Every answer and what it is worth.
pub(crate) fn sign_offs(sheet: &SheetView) -> String {
    let lines: Vec<String> = sheet
        .sign_offs
        .iter()
        .map(|row| {
            let cause = row.cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
            let replaced = if row.replaced { "; a later answer took its place" } else { "" };
            let by = match row.authorization {
                Some(entry) => format!("standing authorization of entry {entry}, by {}", row.principal),
                None => format!("{} <{}> as {}", row.name, row.principal, row.role),
            };
            let reason = if row.reason.is_empty() { String::new() } else { format!("; {}", row.reason) };
            let mut line = format!(
                "{} {} ({}{cause}{replaced})\n  {}{reason}\n  {} {}",
                said(row.verdict),
                by,
                row.state,
                row.meaning,
                row.zone.wall_clock(row.time),
                row.zone
            );
            for (place, condition) in row.conditions.iter().enumerate() {
                let met = condition.met.map_or("open".to_owned(), |entry| format!("settled by entry {entry}"));
                line.push_str(&format!("\n  condition {}.{}: {} ({met})", row.entry, place + 1, condition.condition));
            }
            line
        })
        .collect();
    lines.join("\n")
}

fn holds(view: &ReleaseView) -> String {
    let lines: Vec<String> = view
        .holds
        .iter()
        .map(|hold| {
            let question = hold.question.as_ref().map(|question| format!(" asks: {question}")).unwrap_or_default();
            let ended = hold.resumed.map(|entry| format!(" (ended by entry {entry})")).unwrap_or_default();
            format!("entry {}: {} by {}{question}: {}{ended}", hold.entry, hold.kind, hold.by, hold.reason)
        })
        .collect();
    lines.join("\n")
}

fn rollout(view: &ReleaseView) -> String {
    let environment = view.sheet.as_ref().map(|sheet| &sheet.environment);
    if !view.dispatches.iter().any(|row| Some(&row.environment) == environment) {
        return String::new();
    }
    let lines: Vec<String> = view
        .rollout
        .iter()
        .map(|wave| {
            let verdict =
                wave.verdict.map_or("no verdict yet".to_owned(), |verdict| verdict.to_string().to_uppercase());
            let detail = wave.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
            format!("wave {} {} (bakes {}): {verdict}{detail}", wave.wave, wave.segment, duration(wave.bake_seconds))
        })
        .collect();
    lines.join("\n")
}

fn dispatches(view: &ReleaseView) -> String {
    let lines: Vec<String> = view
        .dispatches
        .iter()
        .map(|row| {
            let conclusion = row.conclusion.map(|conclusion| format!(" {conclusion}")).unwrap_or_default();
            let detail = row.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
            let by = row.by.as_ref().map_or("by the dispatcher".to_owned(), |by| format!("by {by}"));
            let run = row.run.as_ref().map(|run| format!(", run {}", run.id)).unwrap_or_default();
            format!(
                "{} to {} wave {} {by}: {}{conclusion}{run}{detail}\n  request {}",
                row.kind, row.environment, row.wave, row.state, row.request_id
            )
        })
        .collect();
    lines.join("\n")
}

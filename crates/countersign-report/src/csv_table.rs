//! The CSV rendering: the population, one row for each entry of the trail.
//!
//! One flat table that loads as it is: RFC 4180, UTF-8 without a byte order mark, CRLF, one header
//! line. A row is an entry; the columns of a sign-off and of evidence are filled where the entry
//! is one, so the manifestation of a signature (printed name, time, meaning) stands in the row of
//! that signature. The columns about the ledger repeat in every row, so that a row that was copied
//! elsewhere still says which ledger, which head and which verdict it came from.
//!
//! A cell that a spreadsheet could take for a formula (`=`, `+`, `-`, `@`, tab or line break in
//! front, also in their full-width forms) gets a leading apostrophe. The exact strings are in the JSON.

use crate::RenderError;
use crate::model::{Admission, Evidence, EvidenceOrigin, Report, SignOff, TrailEntry};
use crate::moment::tell;
use crate::visible::visible;
use ::csv::{Terminator, WriterBuilder};
use std::collections::BTreeMap;

/// What a row is made from.
struct Row<'a> {
    report: &'a Report,
    entry: Option<&'a TrailEntry>,
    sign_off: Option<&'a SignOff>,
    evidence: Option<(&'a str, &'a Evidence)>,
}

type Cell = fn(&Row<'_>) -> String;

/// The columns, in order. Absent is the empty cell; `no` and `0` are written out.
const COLUMNS: [(&str, Cell); 46] = [
    ("ledger_origin", |row| row.report.ledger.origin.clone()),
    ("ledger_sample", |row| yes_no(row.report.ledger.sample)),
    ("ledger_tree_size", |row| row.report.ledger.tree_size.to_string()),
    ("ledger_root", |row| row.report.ledger.root.clone()),
    ("ledger_fingerprint", |row| row.report.ledger.fingerprint.clone()),
    ("ledger_verdict", |row| row.report.verification.verdict.word().to_owned()),
    ("report_made_utc", |row| row.report.made.at.utc.clone()),
    ("entry", |row| row.entry(|it| it.index.to_string())),
    ("time_utc", |row| row.entry(|it| it.at.utc.clone())),
    ("time_local", |row| row.entry(|it| tell(&it.at).machine)),
    ("zone", |row| row.entry(|it| it.at.zone.clone())),
    ("clock_suspect", |row| row.entry(|it| yes_no(it.clock_suspect))),
    ("act", |row| row.entry(|it| it.act.clone())),
    ("signer_name", |row| row.entry(|it| it.by.name.clone())),
    ("signer_principal", |row| row.entry(|it| it.by.principal.clone())),
    ("device", |row| row.entry(|it| it.device.clone())),
    ("release", |row| row.entry(|it| it.release.clone().unwrap_or_default())),
    ("summary", |row| row.entry(|it| it.summary.clone())),
    ("reason", |row| row.entry(|it| it.reason.clone().unwrap_or_default())),
    ("changes_json", |row| row.entry(changes)),
    ("superseded_by", |row| row.entry(|it| it.superseded_by.map(|it| it.to_string()).unwrap_or_default())),
    ("admitted", |row| row.entry(|it| yes_no(it.admission == Admission::Admitted))),
    ("finding", |row| row.entry(finding)),
    ("leaf_sha256", |row| row.entry(|it| it.leaf_sha256.clone())),
    ("sign_off_name", |row| row.sign_off(|it| it.by.name.clone())),
    ("sign_off_role", |row| row.sign_off(|it| it.role.clone())),
    ("sign_off_verdict", |row| row.sign_off(|it| it.verdict.word().to_owned())),
    ("sign_off_meaning", |row| row.sign_off(|it| it.meaning.text().to_owned())),
    ("sign_off_reason", |row| row.sign_off(|it| it.reason.clone())),
    ("sign_off_time_utc", |row| row.sign_off(|it| it.at.utc.clone())),
    ("sign_off_time_local", |row| row.sign_off(|it| tell(&it.at).machine)),
    ("sign_off_zone", |row| row.sign_off(|it| it.at.zone.clone())),
    ("sign_off_key", |row| row.sign_off(|it| it.key_fingerprint.clone())),
    ("sign_off_key_origin", |row| row.sign_off(|it| it.key_origin.text().to_owned())),
    ("sign_off_presence", |row| row.sign_off(|it| it.reauth.text().to_owned())),
    ("sign_off_seen", |row| row.sign_off(|it| format!("size {}, {}", it.seen.size, it.seen.basis.text()))),
    ("sign_off_state", |row| row.sign_off(|it| it.state.word().to_owned())),
    ("sign_off_cause", |row| row.sign_off(|it| it.cause.as_ref().map(|it| it.text.clone()).unwrap_or_default())),
    ("evidence_release", |row| row.evidence.map(|(release, _)| release.to_owned()).unwrap_or_default()),
    ("evidence_name", |row| row.evidence(|it| it.name.clone())),
    ("evidence_kind", |row| row.evidence(|it| it.kind.word().to_owned())),
    ("evidence_origin", |row| row.evidence(origin)),
    ("evidence_counts", |row| row.evidence(|it| it.counts.text())),
    ("evidence_conclusion", |row| row.evidence(|it| it.conclusion.word().to_owned())),
    ("evidence_sha256", |row| row.evidence(|it| it.sha256.clone())),
    ("evidence_state", |row| row.evidence(|it| format!("{}; {}", it.availability.text(), it.freeze.text()))),
];

impl Row<'_> {
    fn entry(&self, cell: impl Fn(&TrailEntry) -> String) -> String {
        self.entry.map(cell).unwrap_or_default()
    }

    fn sign_off(&self, cell: impl Fn(&SignOff) -> String) -> String {
        self.sign_off.map(cell).unwrap_or_default()
    }

    fn evidence(&self, cell: impl Fn(&Evidence) -> String) -> String {
        self.evidence.map(|(_, it)| cell(it)).unwrap_or_default()
    }
}

fn yes_no(it: bool) -> String {
    if it { "yes" } else { "no" }.to_owned()
}

fn changes(it: &TrailEntry) -> String {
    match it.changes.is_empty() {
        true => String::new(),
        false => serde_json::to_string(&it.changes).unwrap_or_default(),
    }
}

fn finding(it: &TrailEntry) -> String {
    match &it.admission {
        Admission::Admitted => String::new(),
        Admission::NotAdmitted { code, message } => format!("{code}: {message}"),
    }
}

fn origin(it: &Evidence) -> String {
    match &it.origin {
        EvidenceOrigin::Observed { connector, target, .. } => format!("observed by {connector} from {target}"),
        EvidenceOrigin::Attached { by, confirmed_by: None } => format!("attached by {}, confirmed by nobody", by.name),
        EvidenceOrigin::Attached { by, confirmed_by: Some(second) } => {
            format!("attached by {}, confirmed by {}", by.name, second.name)
        }
    }
}

/// Puts an apostrophe before what a spreadsheet would calculate.
fn guarded(cell: &str) -> String {
    let shown = visible(cell);
    let formula = shown.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if formula { format!("'{shown}") } else { shown.into_owned() }
}

/// Renders the trail as a table, see the columns in the documentation of the CSV rendering.
///
/// A sign-off or evidence whose entry the trail does not list gets a row of its own at the end, with no entry.
pub fn csv(report: &Report) -> Result<String, RenderError> {
    let mut sign_offs: BTreeMap<u64, Vec<&SignOff>> = BTreeMap::new();
    for it in report.sign_offs() {
        sign_offs.entry(it.entry).or_default().push(it);
    }
    let mut evidence: BTreeMap<u64, Vec<(&str, &Evidence)>> = BTreeMap::new();
    for release in &report.releases {
        for it in &release.evidence {
            evidence.entry(it.recorded.entry).or_default().push((&release.id, it));
        }
    }
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(COLUMNS.map(|(name, _)| name))?;
    let mut write = |row: Row<'_>| writer.write_record(COLUMNS.map(|(_, cell)| guarded(&cell(&row))));
    for entry in &report.trail {
        // The first of each joins its entry; an entry that is listed twice in the model is not lost either.
        let mut signed = sign_offs.remove(&entry.index).unwrap_or_default().into_iter();
        let mut proven = evidence.remove(&entry.index).unwrap_or_default().into_iter();
        write(Row { report, entry: Some(entry), sign_off: signed.next(), evidence: proven.next() })?;
        for it in signed {
            write(Row { report, entry: None, sign_off: Some(it), evidence: None })?;
        }
        for it in proven {
            write(Row { report, entry: None, sign_off: None, evidence: Some(it) })?;
        }
    }
    for it in sign_offs.into_values().flatten() {
        write(Row { report, entry: None, sign_off: Some(it), evidence: None })?;
    }
    for it in evidence.into_values().flatten() {
        write(Row { report, entry: None, sign_off: None, evidence: Some(it) })?;
    }
    let bytes = writer.into_inner().map_err(|error| ::csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8(bytes).expect("the writer was given strings only"))
}

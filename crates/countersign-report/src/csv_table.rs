//! The CSV rendering: the population, one row for each entry of the trail.

use crate::RenderError;
use crate::model::{
    Admission, AutomaticGo, Cause, Condition, Evidence, EvidenceOrigin, Moment, Report, SignOff, TrailEntry, Verdict,
};
use crate::moment::tell;
use crate::visible::visible;
use crate::words::{counts, key_origin, meaning, presence, seen, verdict};
use ::csv::{Terminator, WriterBuilder};
use std::collections::BTreeMap;

/// What a row is made from.
#[derive(Clone, Copy)]
struct Row<'a> {
    report: &'a Report,
    entry: Option<&'a TrailEntry>,
    act: Option<Act<'a>>,
}

/// What an entry is beside an entry.
#[derive(Clone, Copy)]
enum Act<'a> {
    SignOff(&'a SignOff),
    AutomaticGo(&'a AutomaticGo),
    Evidence(&'a str, &'a Evidence),
}

type Cell = fn(&Row<'_>) -> String;

/// The columns, in order. Absent is the empty cell; `no` and `0` are written out.
const COLUMNS: [(&str, Cell); 50] = [
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
    ("superseded_by", |row| row.entry(|it| optional(it.superseded_by))),
    ("admitted", |row| row.entry(|it| yes_no(it.admission == Admission::Admitted))),
    ("finding", |row| row.entry(finding)),
    ("leaf_sha256", |row| row.entry(|it| it.leaf_sha256.clone())),
    ("sign_off_name", |row| row.signed(|it| it.by.name.clone(), |go| go.used.by.name.clone())),
    ("sign_off_role", |row| row.sign_off(|it| it.role.clone())),
    ("sign_off_verdict", |row| row.signed(|it| verdict(it.verdict).to_owned(), |_| verdict(Verdict::Go).to_owned())),
    ("sign_off_meaning", |row| row.sign_off(|it| meaning(it.meaning).to_owned())),
    ("sign_off_reason", |row| row.sign_off(|it| it.reason.clone())),
    ("sign_off_conditions", |row| row.sign_off(conditions)),
    ("sign_off_time_utc", |row| row.signed_at(|at| at.utc.clone())),
    ("sign_off_time_local", |row| row.signed_at(|at| tell(at).machine)),
    ("sign_off_zone", |row| row.signed_at(|at| at.zone.clone())),
    ("sign_off_key", |row| row.sign_off(|it| it.key_fingerprint.clone())),
    ("sign_off_key_origin", |row| row.sign_off(|it| key_origin(it.key_origin).to_owned())),
    ("sign_off_presence", |row| row.sign_off(|it| presence(it.reauth).to_owned())),
    ("sign_off_seen", |row| row.sign_off(|it| seen(&it.seen))),
    ("sign_off_state", |row| row.signed(|it| it.state.to_string(), |go| go.state.to_string())),
    ("sign_off_state_at_dispatch", |row| row.sign_off(|it| optional(it.state_at_dispatch))),
    ("sign_off_cause", |row| row.signed(|it| cause(&it.cause), |go| cause(&go.cause))),
    ("sign_off_replaced_by", |row| row.sign_off(|it| optional(it.replaced_by))),
    ("sign_off_authorization", |row| row.signed(|_| String::new(), |go| go.authorization.to_string())),
    ("evidence_release", |row| row.evidence(|release, _| release.to_owned())),
    ("evidence_name", |row| row.evidence(|_, it| it.name.clone())),
    ("evidence_kind", |row| row.evidence(|_, it| it.kind.to_string())),
    ("evidence_origin", |row| row.evidence(|_, it| origin(it))),
    ("evidence_counts", |row| row.evidence(|_, it| counts(&it.counts))),
    ("evidence_conclusion", |row| row.evidence(|_, it| it.conclusion.to_string())),
    ("evidence_sha256", |row| row.evidence(|_, it| it.sha256.clone())),
    ("evidence_state", |row| row.evidence(|_, it| format!("{}; {}", it.availability.text(), it.freeze.text()))),
];

impl<'a> Row<'a> {
    fn entry(&self, cell: impl Fn(&TrailEntry) -> String) -> String {
        self.entry.map(cell).unwrap_or_default()
    }

    fn sign_off(&self, cell: impl Fn(&SignOff) -> String) -> String {
        self.signed(cell, |_| String::new())
    }

    fn signed<T: Default>(&self, person: impl Fn(&'a SignOff) -> T, authorization: impl Fn(&'a AutomaticGo) -> T) -> T {
        match self.act {
            Some(Act::SignOff(it)) => person(it),
            Some(Act::AutomaticGo(it)) => authorization(it),
            Some(Act::Evidence(..)) | None => T::default(),
        }
    }

    fn signed_at(&self, cell: impl Fn(&Moment) -> String) -> String {
        self.signed(|it| cell(&it.at), |go| cell(&go.used.at))
    }

    fn evidence(&self, cell: impl Fn(&str, &Evidence) -> String) -> String {
        match self.act {
            Some(Act::Evidence(release, it)) => cell(release, it),
            _ => String::new(),
        }
    }
}

fn optional(it: Option<impl ToString>) -> String {
    it.map(|it| it.to_string()).unwrap_or_default()
}

fn cause(it: &Option<Cause>) -> String {
    it.as_ref().map(|it| it.text.clone()).unwrap_or_default()
}

fn conditions(it: &SignOff) -> String {
    let one = |it: &Condition| match it.settled {
        Some(by) => format!("{} (settled by entry {by})", it.text),
        None => format!("{} (open)", it.text),
    };
    it.conditions.iter().map(one).collect::<Vec<_>>().join("\n")
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

/// Renders the trail as one flat table: RFC 4180, UTF-8 without a byte order mark, CRLF, one header line.
///
/// A row is an entry of the trail, so the rows are the population. The columns `sign_off_…` and `evidence_…` are filled
/// where the entry is one: the manifestation of a signature (printed name, time, meaning) stands in the row of that
/// signature. The columns `ledger_…` repeat in every row, so that a row that was copied elsewhere still says of which
/// ledger, head and verdict it is. A sign-off or evidence whose entry the trail does not list gets a row with an empty
/// `entry` at the end.
///
/// A cell that a spreadsheet could take for a formula (`=`, `+`, `-`, `@`, tab or line break in front, also full-width)
/// gets a leading apostrophe, and control and direction characters are shown as code points; the JSON has the exact string.
///
/// # Errors
/// [`RenderError::Csv`] if the table cannot be written, which memory alone could cause.
pub fn csv(report: &Report) -> Result<String, RenderError> {
    let mut acts: BTreeMap<u64, Vec<Act<'_>>> = BTreeMap::new();
    let mut note = |entry: u64, act| acts.entry(entry).or_default().push(act);
    for release in &report.releases {
        for it in release.sheets.iter().flat_map(|sheet| &sheet.sign_offs) {
            note(it.entry, Act::SignOff(it));
        }
        for it in release.sheets.iter().filter_map(|sheet| sheet.automatic_go.as_ref()) {
            note(it.used.entry, Act::AutomaticGo(it));
        }
        for it in &release.evidence {
            note(it.recorded.entry, Act::Evidence(&release.id, it));
        }
    }
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(COLUMNS.map(|(name, _)| name))?;
    let mut write = |row: Row<'_>| writer.write_record(COLUMNS.map(|(_, cell)| guarded(&cell(&row))));
    let alone = |act| Row { report, entry: None, act: Some(act) };
    for entry in &report.trail {
        // One joins its entry; should the model name an entry twice, the others are not lost.
        let mut acts = acts.remove(&entry.index).unwrap_or_default().into_iter();
        write(Row { report, entry: Some(entry), act: acts.next() })?;
        acts.try_for_each(|act| write(alone(act)))?;
    }
    acts.into_values().flatten().try_for_each(|act| write(alone(act)))?;
    let bytes = writer.into_inner().map_err(|error| ::csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8(bytes).expect("the writer was given strings only"))
}

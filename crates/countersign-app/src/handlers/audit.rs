//! The audit trail: entries and what proves them, verification, and what leaves the ledger.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use countersign_core::act::Act;
use countersign_core::admit::Statement;
use countersign_core::bundle::{self, Files, Report as Form};
use countersign_core::entry::Entry;
use countersign_core::hash::Digest;
use countersign_core::judge;
use countersign_core::merkle::leaf_hash;
use countersign_core::note::Note;
use countersign_core::proof::Proof;
use countersign_core::state::State;
use countersign_core::words::{Principal, ReleaseId, Slug, Timestamp};

use super::events;
use super::host::{Host, Open, held};
use super::jobs::Work;
use super::overview::PAGE_MAX;
use super::show::{app_error, count, length, moment, optional, word};
use crate::error::Error;
use crate::export::{self, Exported, Source};
use crate::keyfile::DeviceKeyFile;
use crate::ledger::{EntryMeta, log_keys};
use crate::wire as w;
use crate::{backup, clock, durable, releases, verification};

// ------------------------------------------------------------------------------------------------- the list

/// A filter, read.
struct Filter {
    actors: Vec<Principal>,
    acts: Vec<String>,
    release: Option<ReleaseId>,
    product: Option<Slug>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
    text: String,
    only_findings: bool,
}

impl Filter {
    fn read(filter: &w::AuditFilter) -> Result<Self, Error> {
        let time = |text: &Option<String>, field| {
            text.as_deref().filter(|text| !text.is_empty()).map(|text| moment(text, field)).transpose()
        };
        Ok(Self {
            actors: filter.actors.iter().map(|actor| word(actor, "actors")).collect::<Result<_, _>>()?,
            acts: filter.acts.clone(),
            release: optional(filter.release.as_deref(), "release")?,
            product: optional(filter.product.as_deref(), "product")?,
            after: time(&filter.after, "after")?,
            before: time(&filter.before, "before")?,
            text: filter.text.trim().to_lowercase(),
            only_findings: filter.only_findings,
        })
    }

    fn within(&self, meta: &EntryMeta) -> bool {
        !self.only_findings
            && self.release.as_ref().is_none_or(|only| meta.release.as_deref() == Some(only))
            && self.product.as_ref().is_none_or(|only| meta.product.as_deref() == Some(only))
            && self.after.is_none_or(|after| meta.time >= after)
            && self.before.is_none_or(|before| meta.time <= before)
    }

    fn of_actor(&self, meta: &EntryMeta) -> bool {
        self.actors.is_empty() || self.actors.contains(&meta.actor)
    }

    fn of_act(&self, meta: &EntryMeta) -> bool {
        self.acts.is_empty() || self.acts.iter().any(|act| act == meta.act)
    }

    /// What was not admitted is about nothing that could be filtered by.
    fn takes_findings(&self) -> bool {
        self.actors.is_empty() && self.acts.is_empty() && self.release.is_none() && self.product.is_none()
    }
}

/// What a filter leaves: the entries, and the counts of each facet under the other filters.
struct Selected {
    entries: Vec<u64>,
    acts: BTreeMap<&'static str, u32>,
    actors: BTreeMap<Principal, u32>,
}

fn select(open: &Open, filter: &Filter) -> Result<Selected, Error> {
    let mut selected = Selected { entries: Vec::new(), acts: BTreeMap::new(), actors: BTreeMap::new() };
    for (index, meta) in (0_u64..).zip(open.ledger.index().entries()) {
        let Some(meta) = meta else {
            if filter.takes_findings() && fits(open, index, &filter.text)? {
                selected.entries.push(index);
            }
            continue;
        };
        let (of_actor, of_act) = (filter.of_actor(meta), filter.of_act(meta));
        if !(of_actor || of_act) || !filter.within(meta) || !fits(open, index, &filter.text)? {
            continue;
        }
        if of_actor {
            *selected.acts.entry(meta.act).or_default() += 1;
        }
        if of_act {
            match selected.actors.get_mut(meta.actor.as_ref()) {
                Some(known) => *known += 1,
                None => {
                    selected.actors.insert(meta.actor.as_ref().clone(), 1);
                }
            }
        }
        if of_actor && of_act {
            selected.entries.push(index);
        }
    }
    Ok(selected)
}

fn fits(open: &Open, index: u64, text: &str) -> Result<bool, Error> {
    if text.is_empty() {
        return Ok(true);
    }
    Ok(String::from_utf8_lossy(&open.ledger.leaf(index)?).to_lowercase().contains(text))
}

/// Returns a page of entries, with the facets under the filter.
///
/// # Errors
/// The filter makes no sense, or the ledger cannot be read.
pub fn audit(host: &Host, request: w::AuditRequest) -> Result<w::AuditPage, w::AppError> {
    host.read(|open| {
        let filter = Filter::read(&request.filter)?;
        let Selected { mut entries, acts, actors } = select(open, &filter)?;
        if request.newest_first {
            entries.reverse();
        }
        let state = open.ledger.state();
        let (offset, limit) = (request.page.offset as usize, request.page.limit.min(PAGE_MAX) as usize);
        let rows = entries.iter().skip(offset).take(limit).map(|entry| events::row(&open.ledger, *entry));
        let facet = |value: String, label: String, count| w::FacetCount { value, label, count };
        let mut page = w::AuditPage {
            total: length(entries.len()),
            all: count(state.tree.size()),
            rows: rows.collect::<Result<_, _>>()?,
            acts: acts.into_iter().map(|(act, n)| facet(act.to_owned(), act.to_owned(), n)).collect(),
            actors: actors.iter().map(|(who, n)| facet(who.to_string(), state.printed_name(who), *n)).collect(),
        };
        page.acts.sort_by_key(|facet| std::cmp::Reverse(facet.count));
        page.actors.sort_by_key(|facet| std::cmp::Reverse(facet.count));
        Ok(page)
    })
}

// ------------------------------------------------------------------------------------------------- one entry

/// Returns one entry with all that proves it.
///
/// # Errors
/// There is none, or its bytes are no entry.
pub fn entry(host: &Host, request: w::EntryIndex) -> Result<w::EntryView, w::AppError> {
    host.read(|open| {
        let index = u64::from(request.index);
        let leaf = open.ledger.leaf(index)?;
        view(open, index, leaf)
    })
}

fn view(open: &Open, index: u64, leaf: Vec<u8>) -> Result<w::EntryView, Error> {
    let state = open.ledger.state();
    let head = state.head();
    let hash = leaf_hash(&leaf);
    let row = events::row_of(state, index, leaf.clone());
    let included = state.tree.leaf_hash_at(index) == Some(hash);
    let path = state.tree.inclusion_proof(index, head.size).unwrap_or_default();
    let keys = log_keys(state).unwrap_or_default();
    let proof =
        Note::parse(open.ledger.checkpoint()).map(|checkpoint| Proof { index, hashes: path.clone(), checkpoint });
    let proves = match &proof {
        Ok(proof) => proof.verify(&leaf, &keys).map(|_| ()).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let bytes = length(leaf.len());
    let finding = state.findings.iter().find(|finding| finding.index == index);
    let read = events::read(leaf.clone(), index);
    let named_by = named_by(open, index);
    let mut checks = Vec::new();
    let mut check = |name, passed: bool, message: Option<String>| {
        checks.push(w::EntryCheck { check: name, passed, message });
    };
    let unreadable = read.as_ref().err().map(|error| error.message.clone());
    check(w::EntryCheckName::Canonical, read.is_ok(), unreadable.clone());
    check(w::EntryCheckName::Signature, read.is_ok(), unreadable);
    let told = finding.map(|finding| finding.message.clone());
    let code = finding.map(|finding| finding.code);
    use countersign_core::rejection::Code;
    let enrolled = !matches!(code, Some(Code::UnknownSigner | Code::WrongKey | Code::KeyRevoked | Code::KeyExpired));
    check(w::EntryCheckName::SignerEnrolled, read.is_ok() && enrolled, told.clone().filter(|_| !enrolled));
    let seen = !matches!(code, Some(Code::SeenMismatch));
    check(w::EntryCheckName::HeadSeen, read.is_ok() && seen, told.clone().filter(|_| !seen));
    check(w::EntryCheckName::Inclusion, included && proves.is_ok(), proves.err());
    let clock_ok = !matches!(code, Some(Code::ClockSuspect));
    check(w::EntryCheckName::Clock, clock_ok, told.clone().filter(|_| !clock_ok));
    check(w::EntryCheckName::Rules, finding.is_none(), told);
    let (payload, pretty, payload_hash, armor, key, statement) = match &read {
        Ok((entry, statement)) => shown(entry, statement),
        Err(_) => {
            (String::from_utf8_lossy(&leaf).into_owned(), String::new(), None, String::new(), String::new(), None)
        }
    };
    Ok(w::EntryView {
        act: open.ledger.index().get(index).map_or("malformed", |meta| meta.act).to_owned(),
        row,
        payload,
        pretty,
        payload_sha256: payload_hash.map(|hash| hash.to_string()).unwrap_or_default(),
        armor,
        signer_key: key,
        leaf_hash: hash.to_string(),
        leaf_bytes: bytes,
        checks,
        proof: path.iter().map(ToString::to_string).collect(),
        proof_text: proof.map(|proof| proof.to_string()).unwrap_or_default(),
        tree_size: count(head.size),
        root: head.root.to_base64(),
        seen_size: statement.as_ref().map_or(0, |statement| count(statement.common.seen.size)),
        seen_root: statement.as_ref().map(|statement| statement.common.seen.root.clone()).unwrap_or_default(),
        previous: index.checked_sub(1).map(count),
        next: (index + 1 < head.size).then(|| count(index + 1)),
        names: statement.as_ref().map(|statement| names(&statement.act.to_json())).unwrap_or_default(),
        named_by,
        finding: finding.map(|finding| w::VerifyFinding {
            index: Some(count(finding.index)),
            code: finding.code.to_string(),
            message: finding.message.clone(),
            worst: w::VerifyVerdict::Invalid,
        }),
    })
}

type Shown = (String, String, Option<Digest>, String, String, Option<Statement>);

fn shown(entry: &Entry, statement: &Statement) -> Shown {
    let pretty = serde_json::to_string_pretty(entry.payload()).unwrap_or_default();
    (
        entry.payload_line().to_owned(),
        pretty,
        Some(entry.payload_hash()),
        entry.armor().to_owned(),
        entry.signer_key().fingerprint(),
        Some(statement.clone()),
    )
}

/// Returns the entries a payload names: objects of index and leaf, with the field they stand in.
fn names(value: &serde_json::Value) -> Vec<w::NamedEntry> {
    fn walk(field: &str, value: &serde_json::Value, found: &mut Vec<w::NamedEntry>) {
        match value {
            serde_json::Value::Object(map) => {
                let index = map.get("index").and_then(serde_json::Value::as_u64);
                if let (Some(index), 2, true) = (index, map.len(), map.contains_key("leaf")) {
                    found.push(w::NamedEntry { field: field.to_owned(), index: count(index) });
                } else {
                    for (name, value) in map {
                        walk(name, value, found);
                    }
                }
            }
            serde_json::Value::Array(list) => list.iter().for_each(|value| walk(field, value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk("", value, &mut found);
    found
}

/// Returns the entries that name this one; those about the same release are looked at, or about none where it is about none.
fn named_by(open: &Open, index: u64) -> Vec<u32> {
    let entries = open.ledger.index();
    let Some(meta) = entries.get(index) else { return Vec::new() };
    let later: Vec<u64> = match &meta.release {
        Some(release) => entries.about(release).iter().copied().filter(|later| *later > index).collect(),
        None => {
            let all =
                (index + 1..).zip(entries.entries().iter().skip(usize::try_from(index + 1).unwrap_or(usize::MAX)));
            let same = |other: &EntryMeta| {
                matches!(other.act, "approval" | "authorization" | "freeze" | "correction" | "request" | "propose")
            };
            all.filter(|(_, other)| other.as_ref().is_some_and(same)).map(|(later, _)| later).take(5000).collect()
        }
    };
    let this = open.ledger.state().tree.leaf_hash_at(index).map(|leaf| leaf.to_string()).unwrap_or_default();
    later
        .into_iter()
        .filter(|later| {
            // A cheap look first: the digest stands in the line as text.
            open.ledger.leaf(*later).is_ok_and(|leaf| String::from_utf8_lossy(&leaf).contains(&this))
        })
        .map(count)
        .take(200)
        .collect()
}

// ------------------------------------------------------------------------------------------------- long acts

/// Verifies the whole ledger and its files.
///
/// # Errors
/// The fingerprint makes no sense.
pub fn verify(host: &Host, request: w::VerifyRequest) -> Result<w::JobRef, w::AppError> {
    let fingerprint = match request.fingerprint.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => Some(
            text.parse::<Digest>()
                .map_err(|_| app_error(Error::usage("a fingerprint is 64 lower hex digits").in_field("fingerprint")))?,
        ),
        None => None,
    };
    let (home, dir) = host.read(|open| {
        open.verified = w::VerifiedState::Verifying;
        Ok((open.ledger.home().clone(), open.ledger.dir().clone()))
    })?;
    let work = Work { kind: w::JobKind::Verify, release: None, cancellable: true };
    Ok(host.start(work, move |job| {
        let began = Instant::now();
        let mut progress = |done: u64, of: u64| {
            job.at(w::JobStep::Checking, done, of);
            !job.cancelled()
        };
        let verified = verification::ledger_watched(&home, &dir, fingerprint, &mut progress);
        let stopped = job.cancelled();
        let mut open = held(&job.host().0.open);
        if let Some(open) = open.as_mut().filter(|open| open.ledger.dir() == &dir) {
            let clean =
                matches!(&verified, Ok(verified) if verified.verdict != countersign_core::verify::Verdict::Invalid);
            open.verified = match (stopped, clean) {
                (true, _) => w::VerifiedState::Entries,
                (false, true) => w::VerifiedState::Everything,
                (false, false) => w::VerifiedState::Findings,
            };
            open.verified_at = (!stopped).then(|| job.host().now());
        }
        drop(open);
        job.go_on()?;
        Ok(w::JobOutcome::Verified { result: super::desk::verify_result(verified?, began) })
    }))
}

/// Writes an evidence bundle, with the report in all forms.
///
/// # Errors
/// The path was not picked, or there is no such release.
pub fn export_bundle(host: &Host, request: w::ExportBundle) -> Result<w::JobRef, w::AppError> {
    let path = host.path_of(&request.path)?;
    let (ledger, release) = for_export(host, request.release.as_deref())?;
    let work = Work { kind: w::JobKind::ExportBundle, release: request.release.clone(), cancellable: true };
    Ok(host.start(work, move |job| {
        let host = job.host();
        let forms = [Form::Html, Form::Pdf, Form::Csv, Form::Json];
        let mut reports = Vec::new();
        for (place, form) in forms.into_iter().enumerate() {
            job.at(w::JobStep::Writing, place as u64, forms.len() as u64 + 1);
            job.go_on()?;
            reports.push((form, host.0.options.reports.render(&ledger, release.as_ref(), form)?));
        }
        job.at(w::JobStep::Checking, forms.len() as u64, forms.len() as u64 + 1);
        let key = DeviceKeyFile::load(&ledger.desk().device_key())?;
        let source = Source {
            leaves: ledger.leaves()?,
            checkpoint: ledger.checkpoint(),
            release: release.as_ref(),
            blob: &mut |digest| ledger.blobs().read(digest),
            reports,
        };
        let written = export::export(source, key.key().signing_key(), &path)?;
        Ok(exported(host, written))
    }))
}

/// Returns what a copy that was written comes to.
pub(super) fn exported(host: &Host, written: Exported) -> w::JobOutcome {
    w::JobOutcome::Written {
        size: written.size.to_string(),
        sha256: written.digest.to_string(),
        missing: written.left_out.iter().map(|(digest, _)| digest.to_string()).collect(),
        path: host.register_path(written.path),
    }
}

fn for_export(host: &Host, release: Option<&str>) -> Result<(crate::ledger::Ledger, Option<ReleaseId>), w::AppError> {
    host.read(|open| {
        let release: Option<ReleaseId> = optional(release, "release")?;
        if let Some(release) = &release {
            releases::find(open.ledger.state(), release)?;
        }
        Ok((open.ledger.another()?, release))
    })
}

fn write(host: &Host, path: PathBuf, bytes: &[u8]) -> Result<w::JobOutcome, Error> {
    durable::replace(&path, bytes)?;
    Ok(w::JobOutcome::Written {
        path: host.register_path(path),
        size: bytes.len().to_string(),
        sha256: Digest::of(bytes).to_string(),
        missing: Vec::new(),
    })
}

/// Writes the report in one form.
///
/// # Errors
/// The path was not picked, or there is no such release.
pub fn export_report(host: &Host, request: w::ExportReport) -> Result<w::JobRef, w::AppError> {
    let path = host.path_of(&request.path)?;
    let (ledger, release) = for_export(host, request.release.as_deref())?;
    let form = match request.format {
        w::ReportFormat::Pdf => Form::Pdf,
        w::ReportFormat::Html => Form::Html,
        w::ReportFormat::Csv => Form::Csv,
        w::ReportFormat::Json => Form::Json,
    };
    let work = Work { kind: w::JobKind::Report, release: request.release.clone(), cancellable: false };
    Ok(host.start(work, move |job| {
        job.at(w::JobStep::Writing, 0, 0);
        let bytes = job.host().0.options.reports.render(&ledger, release.as_ref(), form)?;
        write(job.host(), path, &bytes)
    }))
}

/// Writes the entries under a filter as a table, the filter and the head in its first lines.
///
/// # Errors
/// The path was not picked, or the filter makes no sense.
pub fn save_audit(host: &Host, request: w::SaveAudit) -> Result<w::JobRef, w::AppError> {
    let path = host.path_of(&request.path)?;
    let (ledger, entries) = host.read(|open| {
        let filter = Filter::read(&request.filter)?;
        Ok((open.ledger.another()?, select(open, &filter)?.entries))
    })?;
    let told = serde_json::to_string(&request.filter).unwrap_or_default();
    let work = Work { kind: w::JobKind::Report, release: None, cancellable: true };
    Ok(host.start(work, move |job| {
        let state = ledger.state();
        let head = state.head();
        let mut text = String::new();
        for (name, value) in [
            ("ledger", ledger.fingerprint().to_string()),
            ("entries", head.size.to_string()),
            ("root", head.root.to_base64()),
            ("filter", told),
            ("written", clock::now().to_string()),
        ] {
            text.push_str(&format!("# {name},{}\r\n", cell(&value)));
        }
        text.push_str("index,time,zone,actor,principal,act,release,reason,leaf,admitted\r\n");
        for (place, index) in entries.iter().enumerate() {
            if place % 500 == 0 {
                job.at(w::JobStep::Writing, place as u64, entries.len() as u64);
                job.go_on()?;
            }
            let row = events::row(&ledger, *index)?;
            let act = ledger.index().get(*index).map_or("malformed", |meta| meta.act);
            let leaf = state.tree.leaf_hash_at(*index).map(|leaf| leaf.to_string()).unwrap_or_default();
            let cells = [
                index.to_string(),
                row.time,
                row.zone,
                row.actor.name,
                row.actor.principal,
                act.to_owned(),
                row.release.unwrap_or_default(),
                row.reason.unwrap_or_default(),
                leaf,
                row.admitted.to_string(),
            ];
            let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
            text.push_str(&cells.join(","));
            text.push_str("\r\n");
        }
        write(job.host(), path, text.as_bytes())
    }))
}

/// Returns a cell of a table: quoted where it must be, and never a formula of a spreadsheet.
fn cell(text: &str) -> String {
    let guarded = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if guarded.contains([',', '"', '\n', '\r']) { format!("\"{}\"", guarded.replace('"', "\"\"")) } else { guarded }
}

/// Copies the ledger into a new directory.
///
/// # Errors
/// The path was not picked.
pub fn back_up(host: &Host, request: w::BackUp) -> Result<w::JobRef, w::AppError> {
    let path = host.path_of(&request.path)?;
    let ledger = host.read(|open| open.ledger.another())?;
    let work = Work { kind: w::JobKind::BackUp, release: None, cancellable: false };
    Ok(host.start(work, move |job| {
        job.at(w::JobStep::Writing, 0, 0);
        let made = backup::back_up(ledger.store(), ledger.blobs(), &path)?;
        let host = job.host();
        super::places::note_backup(host, &ledger.fingerprint().to_string())?;
        host.tell_change();
        Ok(w::JobOutcome::BackedUp {
            path: host.register_path(path),
            entries: count(made.head.size),
            files: length(made.blobs),
            damaged: made.damaged.iter().map(ToString::to_string).collect(),
        })
    }))
}

// ------------------------------------------------------------------------------------------------- bundles

/// What a bundle's entries tell, judged or not.
pub(super) struct Told {
    pub(super) title: String,
    pub(super) fingerprint: String,
    pub(super) sample: bool,
    pub(super) releases: Vec<w::BundleRelease>,
    pub(super) reports: Vec<String>,
}

pub(super) fn told_by(bytes: &[u8]) -> Told {
    let mut told = Told {
        title: String::new(),
        fingerprint: String::new(),
        sample: false,
        releases: Vec::new(),
        reports: Vec::new(),
    };
    let Ok(files) = Files::read(bytes) else { return told };
    let mut state = State::default();
    let mut whole = true;
    for (name, bytes) in files.iter() {
        if name.parse::<bundle::Report>().is_ok() {
            told.reports.push(name.to_owned());
        }
        let Some(index) = name.strip_prefix("leaves/").and_then(|name| name.strip_suffix(".leaf")) else { continue };
        let index: u64 = index.parse().unwrap_or(u64::MAX);
        if index == 0 {
            told.fingerprint = Digest::of(bytes).to_string();
            if let Ok((_, Statement { act: Act::Genesis(body), .. })) = events::read(bytes.to_vec(), 0) {
                told.title = body.title.to_string();
                told.sample = body.sample;
            }
        }
        // Names are sorted, so that entries come in order; one release alone leaves gaps and is told by verification only.
        whole = whole && index == state.tree.size();
        if whole {
            let _ = state.take(bytes.to_vec());
        }
    }
    if whole {
        let at = clock::now();
        told.releases = state
            .releases
            .values()
            .map(|release| w::BundleRelease {
                release: release.id.to_string(),
                product: release.candidate.product.to_string(),
                version: release.candidate.version.to_string(),
                state: judge::release_state(&state, release, at).into(),
                sign_offs: length(release.sheets.iter().map(|sheet| sheet.answers.len()).sum()),
            })
            .collect();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        for (text, expected) in [
            ("plain", "plain"),
            ("=SUM(A1)", "'=SUM(A1)"),
            ("a,b", "\"a,b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("@x\ny", "\"'@x\ny\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}

//! The evidence of a release: gates, files, and what is in a file.

use std::path::Path;

use countersign_core::act::EvidenceOrigin;
use countersign_core::evidence::Counts;
use countersign_core::judge;
use countersign_core::state::{EvidenceRecord, Release, State};
use countersign_core::words::{Principal, Timestamp};

use super::host::Host;
use super::jobs::Work;
use super::overview::PAGE_MAX;
use super::release::find;
use super::show::{app_error, count, gate, length, optional, people, person, word};
use crate::error::Error;
use crate::evidence::{Item, Limits, read_as};
use crate::evidence_intake::{self, Observation};
use crate::wire as w;
use crate::{clock, rollout};

/// Returns the gates and the files of a release.
///
/// # Errors
/// There is none of that id.
pub fn evidence(host: &Host, request: w::ReleaseRef) -> Result<w::EvidenceView, w::AppError> {
    host.read(|open| {
        let at = clock::now();
        let state = open.ledger.state();
        let release = find(state, &request.release)?;
        let checks = judge::checks_to_show(state, release, at);
        let listed = release.sheet().map(|sheet| sheet.body.evidence.count);
        let files = release.evidence.iter().enumerate();
        Ok(w::EvidenceView {
            files: files
                .map(|(place, record)| file(state, release, place, record, &checks, open.me.as_ref(), at))
                .collect(),
            gates: checks.iter().map(|check| gate(check, at)).collect(),
            summary: super::sheet::summary(release, listed, at),
        })
    })
}

pub(super) fn counts(counts: &Counts) -> w::Counts {
    match *counts {
        Counts::Tests { total, passed, failed, errors, skipped, flaky } => w::Counts::Tests {
            total: count(total),
            passed: count(passed),
            failed: count(failed),
            errors: count(errors),
            skipped: count(skipped),
            flaky: count(flaky),
        },
        Counts::Findings { error, warning, note, none, suppressed } => w::Counts::Findings {
            error: count(error),
            warning: count(warning),
            note: count(note),
            none: count(none),
            suppressed: count(suppressed),
        },
        Counts::Components { components, vulnerabilities } => {
            w::Counts::Components { components: count(components), vulnerabilities: count(vulnerabilities) }
        }
        Counts::File { bytes } => w::Counts::File { bytes: bytes.to_string() },
    }
}

fn file(
    state: &State,
    release: &Release,
    place: usize,
    record: &EvidenceRecord,
    checks: &[judge::Check],
    me: Option<&Principal>,
    at: Timestamp,
) -> w::EvidenceFile {
    let body = &record.body;
    let listed = release.sheet().map(|sheet| usize::try_from(sheet.body.evidence.count).unwrap_or(usize::MAX));
    let later = release.evidence.iter().find(|later| later.body.replaces == Some(record.entry));
    let unconfirmed = record.attached() && record.confirmed_by.is_empty() && release.ended.is_none();
    w::EvidenceFile {
        entry: count(record.entry.index),
        name: body.name.to_string(),
        kind: body.kind.into(),
        conclusion: body.conclusion.into(),
        counts: counts(&body.counts),
        digest: body.digest.to_string(),
        size: body.size.to_string(),
        commit: body.commit.to_string(),
        commit_matches: body.commit == release.candidate.commit,
        commit_source: body.commit_source.into(),
        origin: match &body.origin {
            EvidenceOrigin::Observed { connector, raw_sha256, run } => w::EvidenceOrigin::Observed {
                connector: connector.to_string(),
                run: run.to_string(),
                raw_sha256: raw_sha256.to_string(),
            },
            EvidenceOrigin::Attached {} => {
                w::EvidenceOrigin::Attached { confirmed_by: people(state, &record.confirmed_by) }
            }
        },
        by: person(state, &record.by),
        time: record.time.to_string(),
        reason: record.reason.clone(),
        replaces: body.replaces.map(|entry| count(entry.index)),
        replaced_by: later.map(|later| count(later.entry.index)),
        on_sheet: match listed {
            None => w::OnSheet::NoSheet,
            Some(listed) if place < listed => w::OnSheet::Listed,
            Some(_) => w::OnSheet::AfterFreeze,
        },
        gates: checks
            .iter()
            .filter(|check| check.evidence.contains(&record.entry.index))
            .map(|check| check.gate.clone())
            .collect(),
        may_confirm: unconfirmed
            && me.is_some_and(|me| *me != record.by && state.people.get(me).is_some_and(|person| person.holds_any(at))),
    }
}

fn item(item: &Item) -> w::EvidenceItem {
    w::EvidenceItem {
        name: item.name.clone(),
        location: item.location.clone(),
        level: item.level.into(),
        message: item.message.clone(),
    }
}

/// Returns what one file says, read again from the bytes that its entry names.
///
/// # Errors
/// The entry is not evidence, or its file is missing or damaged.
pub fn evidence_items(host: &Host, request: w::EvidenceItemsRequest) -> Result<w::EvidenceItems, w::AppError> {
    let (kind, digest, blobs) = host.read(|open| {
        let (_, record) = evidence_intake::find(open.ledger.state(), u64::from(request.entry))?;
        Ok((record.body.kind, record.body.digest, open.ledger.blobs().clone()))
    })?;
    // Read without holding the ledger: a file may be large.
    let read = || -> Result<_, Error> { Ok(read_as(kind, &blobs.read(&digest)?, Limits::default())?) };
    let report = read().map_err(app_error)?;
    let text = request.text.to_lowercase();
    let fits = |item: &&Item| {
        let said = [Some(&item.name), item.location.as_ref(), item.message.as_ref()];
        text.is_empty() || said.into_iter().flatten().any(|said| said.to_lowercase().contains(&text))
    };
    let mut levels: Vec<w::LevelCount> = Vec::new();
    let mut found: Vec<&Item> = Vec::new();
    for item in report.items.iter().filter(fits) {
        let level: w::ItemLevel = item.level.into();
        match levels.iter_mut().find(|known| known.level == level) {
            Some(known) => known.count += 1,
            None => levels.push(w::LevelCount { level, count: 1 }),
        }
        if request.levels.is_empty() || request.levels.contains(&level) {
            found.push(item);
        }
    }
    levels.sort_by_key(|known| known.level);
    found.sort_by_key(|item| item.level);
    let (offset, limit) = (request.page.offset as usize, request.page.limit.min(PAGE_MAX) as usize);
    Ok(w::EvidenceItems {
        entry: request.entry,
        total: length(found.len()),
        rows: found.into_iter().skip(offset).take(limit).map(item).collect(),
        levels,
        notes: report.notes.clone(),
        doubtful: report.doubtful,
    })
}

/// Returns what a picked file would be worth; stores nothing.
///
/// # Errors
/// The file is refused as evidence.
pub fn inspect_evidence(host: &Host, request: w::InspectEvidence) -> Result<w::InspectedEvidence, w::AppError> {
    let path = host.path_of(&request.file)?;
    let found = evidence_intake::inspect(&path, request.evidence.map(Into::into)).map_err(app_error)?;
    Ok(w::InspectedEvidence {
        name: name_of(&path),
        kind: found.kind.into(),
        conclusion: found.conclusion.into(),
        counts: counts(&found.counts),
        digest: found.digest.to_string(),
        commit: found.commit.map(|claim| claim.value),
        items: found.items.iter().take(PAGE_MAX as usize).map(item).collect(),
        notes: found.notes,
    })
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Fetches a file from a run of a CI system; this desk's device records it as observed.
///
/// # Errors
/// A word of the form makes no sense.
pub fn observe_evidence(host: &Host, request: w::ObserveForm) -> Result<w::JobRef, w::AppError> {
    let read = || -> Result<Observation, Error> {
        Ok(Observation {
            release: word(&request.release, "release")?,
            connector: request.connector.clone(),
            run: word(&request.run, "run")?,
            step: request.step.clone(),
            log: request.log.clone(),
            name: optional(request.name.as_deref(), "name")?,
            kind: request.evidence.map(Into::into),
            replaces: request.replaces.map(u64::from),
            reason: optional(request.reason.as_deref(), "reason")?,
        })
    };
    let wanted = read().map_err(app_error)?;
    let ledger = host.read(|open| open.ledger.another())?;
    let work = Work { kind: w::JobKind::ObserveEvidence, release: Some(request.release.clone()), cancellable: true };
    Ok(host.start(work, move |job| {
        let mut ledger = ledger;
        job.at(w::JobStep::Reading, 0, 0);
        let recorded = rollout::block_on(evidence_intake::observe(&mut ledger, &wanted))?;
        let entry = count(recorded.entry.index);
        job.host().tell_change();
        Ok(w::JobOutcome::Observed { entry, conclusion: recorded.conclusion.into() })
    }))
}

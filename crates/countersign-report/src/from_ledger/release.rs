//! One release from proposal to outcome.

use super::{Source, by_entry, decision, moment, standing};
use crate::model::{
    self, Adverse, AdverseKind, Amendment, Artifact, Availability, Change, ChangeList, Commit, CommitSource,
    Conclusion, Dispatch, DispatchKind, DispatchState, Evidence, EvidenceOrigin, ExternalRecord, Freeze, Gate,
    JournalLine, Observation, Outcome, Parameter, Release, RunConclusion, SignOffState, Staging, Verdict, Waiver, Wave,
    WaveVerdict,
};
use crate::words;
use countersign_core::act::{self, Act, HoldChange, ProposeChange, RunRef};
use countersign_core::judge;
use countersign_core::state;
use countersign_core::words::{EntryRef, Text, Timestamp};
use serde_json::Value;

/// The release with everything that was recorded about it, for and against.
pub(super) fn release(source: &Source<'_>, it: &state::Release) -> Release {
    let candidate = &it.candidate;
    let sheets: Vec<_> = it.sheets.iter().map(|sheet| decision::sheet(source, it, sheet)).collect();
    let first = source.first_entry(&it.id);
    let text = |text: &Option<Text>| text.as_ref().map(ToString::to_string).unwrap_or_default();
    let evidence = evidence(source, it);
    let (change_list, changes) = changes(source, it);
    let now = judge::release_state(source.state, it, source.now);
    Release {
        id: it.id.to_string(),
        product: candidate.product.to_string(),
        version: candidate.version.to_string(),
        commit: Commit {
            id: candidate.commit.to_string(),
            source: if source.state.people.contains_key(&it.proposer) {
                CommitSource::Attacher
            } else {
                CommitSource::Run
            },
        },
        state: now,
        state_reason: state_reason(source, it, now),
        proposed: source.stamp(first),
        artifacts: candidate
            .artifacts
            .iter()
            .map(|it| Artifact { name: it.name.to_string(), sha256: it.sha256.to_string() })
            .collect(),
        change_type: candidate.change_type,
        risk: text(&candidate.risk),
        reason: it.reason.clone(),
        security_impact: text(&candidate.security_impact),
        rollout_plan: text(&candidate.rollout_plan),
        back_out_plan: text(&candidate.backout_plan),
        external: candidate.external.as_ref().map(|it| ExternalRecord {
            system: it.system.to_string(),
            id: it.id.to_string(),
            url: it.url.to_string(),
            state: it.state.to_string(),
        }),
        incident: candidate.incident.as_ref().map(ToString::to_string),
        change_list,
        changes,
        amendments: amendments(source, it),
        gates: match it.sheet() {
            Some(sheet) if it.rollout_began(sheet.entry) => Vec::new(),
            _ => gates(&judge::checks(source.state, it, source.now)),
        },
        waivers: it
            .waivers
            .iter()
            .map(|it| Waiver {
                requirement: it.body.gate.to_string(),
                reason: it.reason.clone(),
                owner: Some(source.party(&it.body.owner)),
                signed: source.stamp(it.entry.index),
                valid_until: Some(moment(it.body.expires, source.zone_of(it.entry.index))),
            })
            .collect(),
        staging: it.stages.iter().map(|stage| staging(source, it, stage)).collect(),
        dispatches: it.dispatches.iter().map(|order| dispatch(source, it, order)).collect(),
        waves: waves(source, it),
        outcome: outcome(source, it),
        adverse: adverse(source, it, &evidence, &sheets),
        evidence,
        sheets,
    }
}

/// Why it stands there; how a closed release ended is said here, because its state no longer tells.
fn state_reason(source: &Source<'_>, it: &state::Release, now: judge::ReleaseState) -> String {
    use judge::ReleaseState as Now;
    let ended = || match &it.ended {
        Some((entry, Some(by))) => format!("Given up for {by} by {entry}."),
        Some((entry, None)) => format!("Withdrawn by {entry}: {}", source.reason(entry.index)),
        None => format!("It is {now}."),
    };
    match now {
        Now::Reviewed | Now::Live | Now::RolledBack | Now::RolloutHalted => rollout_reason(it),
        Now::Superseded | Now::Withdrawn => ended(),
        Now::Authorized => match it.sheet() {
            Some(sheet) => format!("The sheet of {} is signed and not yet dispatched.", sheet.entry),
            None => format!("It is {now}."),
        },
        _ => {
            let open: Vec<String> =
                judge::blockers(source.state, it, source.now).into_iter().map(|blocker| blocker.what).collect();
            if open.is_empty() {
                format!("It is {}.", now.as_str().replace('_', " "))
            } else {
                format!("{}.", open.join("; "))
            }
        }
    }
}

/// How the rollout of a release ended or stopped.
fn rollout_reason(it: &state::Release) -> String {
    if let Some(back) = taken_back(it) {
        let slot = it.sheet_at(back.body.sheet).and_then(|sheet| sheet.body.rollback.as_ref());
        let to = slot.map_or_else(|| "what was live before".to_owned(), decision::named);
        return format!("Taken back to {to} by {}.", back.last);
    }
    let Some(sheet) = it.sheets.iter().rfind(|sheet| it.rollout_began(sheet.entry)) else {
        return "No wave was sent out.".to_owned();
    };
    let waves = sheet.body.rollout.len();
    let Some(next) = judge::next_wave(it, sheet) else {
        let last = it.waves.iter().rfind(|(_, wave)| wave.sheet == sheet.entry).map(|(entry, _)| *entry);
        return match last {
            Some(entry) => format!("Live: all {waves} waves passed, the last by {entry}."),
            None => format!("Live: all {waves} waves passed."),
        };
    };
    if let Some((entry, wave)) = it.waves.iter().rfind(|(_, wave)| wave.sheet == sheet.entry && wave.wave == next)
        && wave.verdict != WaveVerdict::Pass
    {
        return format!("Stopped in wave {next} of {waves} by {entry}: {}", wave.detail);
    }
    if let Some(halt) = it.active_holds().find(|hold| matches!(hold.change, HoldChange::Halt {})) {
        return format!("Halted in wave {next} of {waves} by {}: {}", halt.entry, halt.reason);
    }
    match it.dispatches.iter().rfind(|order| order.body.sheet == sheet.entry) {
        Some(order) => format!(
            "Stopped in wave {next} of {waves}: {} is {} ({}).",
            order.body.request_id, order.body.state, order.last
        ),
        None => format!("Stopped in wave {next} of {waves}."),
    }
}

/// What gates say, in the words of the report.
pub(super) fn gates(checks: &[judge::Check]) -> Vec<Gate> {
    checks
        .iter()
        .map(|it| Gate {
            name: it.gate.clone(),
            conclusion: it.conclusion,
            detail: it.detail.clone(),
            evidence: it.evidence.clone(),
            waived_by: it.waived,
        })
        .collect()
}

/// The change list and its commits, read from the blob the candidate names as far as it can be read.
fn changes(source: &Source<'_>, it: &state::Release) -> (ChangeList, Vec<Change>) {
    let said = &it.candidate.changes;
    let words = |list: &[countersign_core::words::Line]| list.iter().map(ToString::to_string).collect();
    let (availability, commits) = match source.bytes(&said.digest) {
        None => (Availability::Missing, Vec::new()),
        Some(bytes) => match commits(&bytes) {
            Some(commits) => (Availability::Available, commits),
            None => (Availability::Unreadable, Vec::new()),
        },
    };
    let list = ChangeList {
        sha256: said.digest.to_string(),
        availability,
        base: said.base.as_ref().map(ToString::to_string),
        commits: said.commits,
        authors: words(&said.authors),
        tickets: words(&said.tickets),
    };
    (list, commits)
}

/// Reads the commits of a change list; `None` where one of them has no id.
pub(super) fn commits(bytes: &[u8]) -> Option<Vec<Change>> {
    let list: Value = serde_json::from_slice(bytes).ok()?;
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let person = |name: &Value, email: &Value| match (word(name), word(email)) {
        (name, email) if email.is_empty() => name,
        (name, email) => format!("{name} <{email}>"),
    };
    let change = |it: &Value| {
        let mut authors = vec![person(&it["author_name"], &it["author_email"])];
        let others = it["co_authors"].as_array().into_iter().flatten();
        authors.extend(others.map(|other| person(&other["name"], &other["email"])));
        Some(Change {
            commit: it["id"].as_str()?.to_owned(),
            author: authors.join(", with "),
            subject: word(&it["subject"]),
            tickets: it["tickets"].as_array().into_iter().flatten().map(word).collect(),
        })
    };
    list["commits"].as_array()?.iter().map(change).collect()
}

fn amendments(source: &Source<'_>, it: &state::Release) -> Vec<Amendment> {
    let amends = |leaf: &&super::Leaf| {
        leaf.release.as_ref() == Some(&it.id)
            && matches!(leaf.admitted().map(|it| &it.act), Some(Act::Propose(body)) if matches!(body.change, ProposeChange::Amend { .. }))
    };
    source
        .history
        .leaves
        .iter()
        .filter(amends)
        .map(|leaf| Amendment {
            made: source.stamp(leaf.index),
            changed: leaf.changes.clone(),
            reason: source.reason(leaf.index),
        })
        .collect()
}

fn evidence(source: &Source<'_>, release: &state::Release) -> Vec<Evidence> {
    let listed = release.sheet().map(|sheet| sheet.body.evidence.count);
    release
        .evidence
        .iter()
        .zip(0_u64..)
        .map(|(it, place)| Evidence {
            name: it.body.name.to_string(),
            kind: it.body.kind,
            origin: match &it.body.origin {
                act::EvidenceOrigin::Observed { connector, raw_sha256, run } => EvidenceOrigin::Observed {
                    connector: connector.to_string(),
                    target: run.to_string(),
                    reply_sha256: raw_sha256.to_string(),
                },
                act::EvidenceOrigin::Attached {} => EvidenceOrigin::Attached {
                    by: source.by(it.entry.index),
                    confirmed_by: it.confirmed_by.first().map(|who| source.party(who)),
                },
            },
            counts: it.body.counts,
            conclusion: it.body.conclusion,
            sha256: it.body.digest.to_string(),
            commit: Some(Commit { id: it.body.commit.to_string(), source: it.body.commit_source }),
            availability: source.availability(&it.body.digest),
            freeze: match listed {
                None => Freeze::Open,
                Some(listed) if place < listed => Freeze::Before,
                Some(_) => Freeze::After,
            },
            recorded: source.stamp(it.entry.index),
            superseded_by: release
                .evidence
                .iter()
                .find(|later| later.body.replaces == Some(it.entry))
                .map(|later| later.entry.index),
        })
        .collect()
}

fn staging(source: &Source<'_>, release: &state::Release, stage: &(EntryRef, act::Stage, Timestamp)) -> Staging {
    let (entry, body, since) = stage;
    let product = &release.candidate.product;
    let sheet = release.sheets.iter().find(|sheet| sheet.body.stage == Some(*entry));
    let redeployed = source
        .state
        .releases
        .values()
        .filter(|other| other.candidate.product == *product)
        .flat_map(|other| &other.dispatches)
        .filter(|it| it.body.environment == body.environment && it.entry.index > entry.index)
        .filter(|it| it.body.state != DispatchState::Refused)
        .filter_map(|it| it.steps.first().map(|(_, _, time)| *time))
        .min();
    let ends = [Some(source.now), sheet.map(|sheet| sheet.time), redeployed];
    let end = ends.into_iter().flatten().min().unwrap_or(source.now);
    let policy = match sheet {
        Some(sheet) => decision::policy_of(source, sheet),
        None => source.state.policy(product),
    };
    let required = policy.map_or(0, |it| it.for_change(release.candidate.change_type).soak_seconds);
    // Bounded from outside: a CI system's clock at the start, and one at an order that came after the soak.
    let anchored = body.server_time.is_some_and(|start| {
        let later = source.history.leaves.iter().skip_while(|leaf| leaf.index <= entry.index);
        later.filter_map(|leaf| leaf.admitted()).any(|said| match &said.act {
            Act::Dispatch(order) => {
                sheet.is_some_and(|sheet| order.sheet == sheet.entry)
                    && order.server_time.is_some_and(|end| {
                        u64::try_from(end.seconds_since(start)).is_ok_and(|soaked| soaked >= required)
                    })
            }
            _ => false,
        })
    });
    Staging {
        environment: body.environment.to_string(),
        observed_version: body.version.to_string(),
        observed_sha256: body.artifact.to_string(),
        same_digest: release.artifact().sha256 == body.artifact,
        soak_seconds: u64::try_from(end.seconds_since(*since)).unwrap_or(0),
        soak_required_seconds: required,
        soak_anchored: anchored,
        recorded: source.stamp(entry.index),
    }
}

fn run_named(run: &RunRef) -> String {
    format!("{} attempt {}", run.id, run.attempt)
}

/// Where people open a run; of a local command that is a folder of the desk alone, and nobody's page.
fn page_of(run: &RunRef) -> Option<String> {
    run.url.as_ref().map(ToString::to_string).filter(|url| url.starts_with("https:") || url.starts_with("http:"))
}

fn dispatch(source: &Source<'_>, release: &state::Release, it: &state::DispatchRecord) -> Dispatch {
    let run = it.body.run.as_ref();
    let seen = release.runs.iter().filter(|(_, run)| run.request_id == it.body.request_id);
    Dispatch {
        kind: it.body.kind,
        sheet: it.body.sheet.index,
        artifact_sha256: it.body.artifact.to_string(),
        environment: it.body.environment.to_string(),
        wave: it.body.wave,
        request_id: it.body.request_id.to_string(),
        resends: it.body.resends.as_ref().map(ToString::to_string),
        by: source.party(it.body.by.as_ref().unwrap_or(&it.device)),
        device: source.party(&it.device),
        run: run.map(run_named),
        url: run.and_then(page_of),
        journal: it.steps.iter().map(|(state, entry, _)| journal_line(source, *state, entry.index)).collect(),
        observations: seen.map(|(entry, run)| observation(source, entry.index, run)).collect(),
    }
}

fn observation(source: &Source<'_>, entry: u64, it: &act::Run) -> Observation {
    Observation {
        seen: source.stamp(entry),
        run: run_named(&it.run),
        url: page_of(&it.run),
        status: it.status,
        raw: it.raw.to_string(),
        jobs: it.jobs.iter().map(|(name, said)| Parameter { name: name.clone(), value: said.to_string() }).collect(),
        log_sha256: it.log.map(|log| log.to_string()),
        log: it.log.map(|log| source.availability(&log)),
    }
}

fn journal_line(source: &Source<'_>, state: DispatchState, entry: u64) -> JournalLine {
    let body = match source.leaf(entry).and_then(|leaf| leaf.admitted()).map(|it| &it.act) {
        Some(Act::Dispatch(body)) => Some(body),
        _ => None,
    };
    let detail = body.and_then(|it| it.detail.as_ref()).map(ToString::to_string);
    let bound = body.and_then(|it| it.run.as_ref()).filter(|_| state == DispatchState::Bound).map(run_named);
    JournalLine {
        state,
        conclusion: body.and_then(|it| it.conclusion),
        detail: match (bound, detail) {
            (Some(run), Some(detail)) => Some(format!("run {run}: {detail}")),
            (Some(run), None) => Some(format!("run {run}")),
            (None, detail) => detail,
        },
        at: source.at(entry),
        entry,
    }
}

/// The verdicts over waves, and the waves that were sent and wait for one.
fn waves(source: &Source<'_>, release: &state::Release) -> Vec<Wave> {
    let seconds = |it: &act::Window| u64::try_from(it.until.seconds_since(it.from)).unwrap_or(0);
    let planned = |sheet: EntryRef, wave: u64| {
        let plan = &release.sheet_at(sheet)?.body.rollout;
        plan.get(usize::try_from(wave).ok()?.checked_sub(1)?)
    };
    let judged = release.waves.iter().map(|(entry, it)| {
        let plan = planned(it.sheet, it.wave);
        Wave {
            number: it.wave,
            audience: plan.map(|it| it.segment.to_string()).unwrap_or_default(),
            bake_seconds: seconds(&it.span),
            bake_required_seconds: plan.map_or(0, |it| it.bake_seconds),
            samples: it.samples,
            bad_samples: it.failed,
            coverage_percent: it.coverage_percent,
            observed_version: None,
            verdict: Some(it.verdict),
            reason: it.detail.to_string(),
            judged: Some(source.stamp(entry.index)),
        }
    });
    let sent = release.dispatches.iter().filter(|it| it.body.kind == DispatchKind::Deploy && it.succeeded());
    let waiting = sent.filter(|it| release.wave_of(it.body.sheet, it.body.wave).is_none()).filter_map(|it| {
        let plan = planned(it.body.sheet, it.body.wave)?;
        let back = taken_back(release).is_some_and(|back| back.body.sheet == it.body.sheet);
        Some(Wave {
            number: it.body.wave,
            audience: plan.segment.to_string(),
            bake_seconds: 0,
            bake_required_seconds: plan.bake_seconds,
            samples: 0,
            bad_samples: 0,
            coverage_percent: 0,
            observed_version: None,
            verdict: None,
            reason: if back { "taken back before a verdict" } else { "no verdict yet" }.to_owned(),
            judged: None,
        })
    });
    judged.chain(waiting).collect()
}

/// The order that took a release back, if one did.
fn taken_back(it: &state::Release) -> Option<&state::DispatchRecord> {
    it.dispatches.iter().rfind(|it| it.body.kind == DispatchKind::Rollback && it.succeeded())
}

fn outcome(source: &Source<'_>, it: &state::Release) -> Option<Outcome> {
    let (entry, body) = it.outcome.as_ref()?;
    let back =
        taken_back(it).and_then(|back| it.sheet_at(back.body.sheet)).and_then(|sheet| sheet.body.rollback.as_ref());
    let live = source.history.live.get(&entry.index);
    Some(Outcome {
        what: body.result.to_string(),
        live_now: live.map_or_else(|| "nothing".to_owned(), decision::named),
        rolled_back_to: back.map(decision::named),
        closed: source.stamp(entry.index),
    })
}

/// Everything that stands against a release.
fn adverse(source: &Source<'_>, it: &state::Release, evidence: &[Evidence], sheets: &[model::Sheet]) -> Vec<Adverse> {
    let mut list = standing::adverse(source, Some(&it.id));
    let mut add = |kind, entry, what: String| list.push(standing::against(source, kind, entry, what));
    for halt in source.history.halts.iter().filter(|halt| halt.release == it.id) {
        add(AdverseKind::Halted, halt.entry, format!("gate “{}” became red: {}", halt.check.gate, halt.check.detail));
    }
    for it in evidence {
        let entry = it.recorded.entry;
        match (it.conclusion, it.superseded_by) {
            (Conclusion::Fail, Some(by)) => {
                let what = format!("{} was red ({}) and was run again: entry {by}", it.name, words::counts(&it.counts));
                add(AdverseKind::RedRerun, entry, what);
            }
            (Conclusion::Fail, None) => {
                add(AdverseKind::RedEvidence, entry, format!("{} is red: {}", it.name, words::counts(&it.counts)))
            }
            _ => {}
        }
        if it.availability != Availability::Available {
            add(
                AdverseKind::EvidenceMissing,
                entry,
                format!("the bytes of {} are not there, or are not its bytes", it.name),
            );
        }
    }
    for it in &it.waivers {
        let what = format!("gate “{}” waived until {}: {}", it.body.gate, it.body.expires, it.reason);
        add(AdverseKind::Waived, it.entry.index, what);
    }
    for it in &it.holds {
        let (kind, what) = match &it.change {
            HoldChange::Halt {} => (AdverseKind::RolloutHalted, "the rollout was halted".to_owned()),
            HoldChange::Cancel { request_id } => {
                (AdverseKind::Cancelled, format!("the dispatch {request_id} was to be cancelled"))
            }
            HoldChange::Hold { question: Some(question) } => {
                (AdverseKind::Held, format!("put on hold, asking “{question}”"))
            }
            HoldChange::Hold { question: None } | HoldChange::Resume { .. } => {
                (AdverseKind::Held, "put on hold".to_owned())
            }
        };
        let ended = it.resumed.map(|by| format!("; ended by {by}")).unwrap_or_default();
        add(kind, it.entry.index, format!("{what}: {}{ended}", it.reason));
    }
    for it in sheets.iter().flat_map(|sheet| &sheet.sign_offs) {
        let says = format!("{} as {}", words::verdict(it.verdict), it.role);
        match it.verdict {
            Verdict::NoGo => add(AdverseKind::NoGo, it.entry, format!("{says}: {}", it.reason)),
            Verdict::Hold => add(AdverseKind::Held, it.entry, format!("{says}: {}", it.reason)),
            Verdict::ConditionalGo if it.conditions.iter().any(|one| one.settled.is_none()) => {
                add(AdverseKind::Held, it.entry, format!("{says}, with open conditions: {}", it.reason));
            }
            Verdict::ConditionalGo | Verdict::Go | Verdict::Withdrawn => {}
        }
        // What counted when it was used is not undone by what moved later.
        if it.state_at_dispatch.unwrap_or(it.state) != SignOffState::Valid {
            let cause = it.cause.as_ref().map(|it| it.text.as_str()).unwrap_or_default();
            add(AdverseKind::SignOffVoid, it.entry, format!("{says} is {}: {cause}", it.state));
        }
    }
    for go in sheets.iter().filter_map(|sheet| sheet.automatic_go.as_ref()).filter(|go| go.state != SignOffState::Valid)
    {
        let cause = go.cause.as_ref().map(|it| it.text.as_str()).unwrap_or_default();
        let what =
            format!("the GO of the standing authorization of entry {} is {}: {cause}", go.authorization, go.state);
        add(AdverseKind::SignOffVoid, go.used.entry, what);
    }
    for it in &it.dispatches {
        let order =
            format!("{} of wave {} to {} as {}", it.body.kind, it.body.wave, it.body.environment, it.body.request_id);
        for (state, entry, _) in &it.steps {
            let line = journal_line(source, *state, entry.index);
            let kind = match (line.state, line.conclusion, it.body.kind) {
                (DispatchState::FateUnknown, ..) => AdverseKind::FateUnknown,
                (DispatchState::Refused, ..) => AdverseKind::RunFailed,
                (DispatchState::Finished, Some(RunConclusion::Success), DispatchKind::Rollback) => {
                    AdverseKind::RolledBack
                }
                (DispatchState::Finished, Some(RunConclusion::Success), DispatchKind::Deploy) => continue,
                (DispatchState::Finished, ..) => AdverseKind::RunFailed,
                _ => continue,
            };
            let (state, more) = words::journal(&line);
            add(kind, entry.index, format!("{order}: {state}{more}"));
        }
    }
    for (entry, it) in it.waves.iter().filter(|(_, it)| it.verdict != WaveVerdict::Pass) {
        let kind = if it.verdict == WaveVerdict::Fail { AdverseKind::RolloutHalted } else { AdverseKind::Held };
        let what = format!("wave {}: {} of {} samples failed: {}", it.wave, it.failed, it.samples, it.detail);
        add(kind, entry.index, what);
    }
    by_entry(list)
}

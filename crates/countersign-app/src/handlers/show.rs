//! Values of the ledger as windows are told them.

use std::fmt::Display;
use std::str::FromStr;

use countersign_core::act::{self, Window};
use countersign_core::judge::{self, Cause, Check, CheckReason};
use countersign_core::state::{Release, SignOff, State};
use countersign_core::words::{Principal, Timestamp};

use crate::error::{Error, ErrorKind};
use crate::wire as w;

/// Returns a count as windows take it.
pub(super) fn count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Returns a length as windows take it.
pub(super) fn length(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

pub(super) fn seconds(number: i64) -> u32 {
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}

pub(super) fn span(window: &Window) -> w::Span {
    w::Span { from: window.from.to_string(), until: window.until.to_string() }
}

/// Reads a span a window gave.
pub(super) fn window(span: &w::Span) -> Result<Window, Error> {
    Ok(Window { from: moment(&span.from, "span")?, until: moment(&span.until, "span")? })
}

/// Reads a moment a window gave.
pub(super) fn moment(text: &str, field: &'static str) -> Result<Timestamp, Error> {
    word(text, field)
}

/// Reads a word a window gave; the error names the field it stands in.
pub(super) fn word<T: FromStr<Err: Display>>(text: &str, field: &'static str) -> Result<T, Error> {
    text.parse().map_err(|error: T::Err| Error::usage(error.to_string()).in_field(field))
}

/// Reads a word that may be left out; blank is left out.
pub(super) fn optional<T: FromStr<Err: Display>>(text: Option<&str>, field: &'static str) -> Result<Option<T>, Error> {
    text.filter(|text| !text.trim().is_empty()).map(|text| word(text, field)).transpose()
}

/// Returns a person or device with the printed name.
pub(super) fn person(state: &State, principal: &Principal) -> w::PersonRef {
    w::PersonRef { principal: principal.to_string(), name: state.printed_name(principal) }
}

pub(super) fn people<'a>(state: &State, principals: impl IntoIterator<Item = &'a Principal>) -> Vec<w::PersonRef> {
    principals.into_iter().map(|principal| person(state, principal)).collect()
}

pub(super) fn artifact(artifact: &act::Artifact) -> w::ArtifactRef {
    w::ArtifactRef { name: artifact.name.to_string(), sha256: artifact.sha256.to_string() }
}

/// Returns an error of a use case as windows are told it.
pub fn app_error(error: Error) -> w::AppError {
    let kind = match error.kind {
        ErrorKind::No => w::ErrorKind::No,
        ErrorKind::Usage => w::ErrorKind::Usage,
        ErrorKind::Cannot => w::ErrorKind::Cannot,
        ErrorKind::Integrity => w::ErrorKind::Integrity,
    };
    let safe = match (error.code.as_str(), error.kind) {
        ("fate_unknown" | "under_way", _) => w::Safe::Unknown,
        ("deploy_failed" | "not_seen_running" | "not_dispatched", _) => w::Safe::Recorded,
        (_, ErrorKind::Integrity) => w::Safe::ReadOnly,
        ("append" | "store" | "pin_file" | "connector", _) => w::Safe::LedgerUnchanged,
        _ => w::Safe::NothingHappened,
    };
    let correlation_id = uuid::Uuid::now_v7().simple().to_string()[20..].to_owned();
    tracing::debug!(code = error.code, correlation_id, message = error.message, "refused");
    w::AppError {
        kind,
        safe,
        retryable: matches!(error.kind, ErrorKind::Cannot)
            || matches!(error.code.as_str(), "busy" | "wrong_passphrase"),
        code: error.code,
        message: error.message,
        hint: error.hint,
        detail: None,
        field: error.field.map(str::to_owned),
        retry_at: None,
        correlation_id,
    }
}

/// Returns a refusal of the host itself.
pub(super) fn refusal(kind: ErrorKind, code: &str, message: &str, hint: &str) -> w::AppError {
    app_error(Error::new(kind, code, message).hint(hint))
}

// ------------------------------------------------------------------------------------------------- gates, blockers

/// Returns why a gate says what it says.
fn reason(check: &Check, at: Timestamp) -> w::GateReason {
    let text = |names: &[countersign_core::words::Line]| names.iter().map(ToString::to_string).collect();
    match &check.reason {
        CheckReason::Complete => w::GateReason::Complete {},
        CheckReason::NotGiven(fields) => {
            w::GateReason::NotGiven { fields: fields.iter().map(|field| (*field).to_owned()).collect() }
        }
        CheckReason::Green(names) => w::GateReason::Green { names: text(names) },
        CheckReason::Bad { name, entry, rule } => {
            w::GateReason::Bad { name: name.to_string(), entry: count(entry.index), rule: rule.clone() }
        }
        CheckReason::NoEvidence => w::GateReason::NoEvidence {},
        CheckReason::OtherCommit => w::GateReason::OtherCommit {},
        CheckReason::NeedsObserved => w::GateReason::NeedsObserved {},
        CheckReason::AttachedRefused => w::GateReason::AttachedRefused {},
        CheckReason::NeedsConfirmation => w::GateReason::NeedsConfirmation {},
        CheckReason::NotStaged(environment) => w::GateReason::NotStaged { environment: environment.to_string() },
        CheckReason::Staged { environment, since, needed_seconds } => {
            let environment = environment.to_string();
            if check.conclusion == countersign_core::evidence::Conclusion::Pass {
                w::GateReason::Soaked {
                    environment,
                    soaked_seconds: seconds(at.seconds_since(*since)),
                    needed_seconds: seconds(*needed_seconds),
                }
            } else {
                let until = since.plus_seconds(*needed_seconds).to_string();
                w::GateReason::Soaking { environment, since: since.to_string(), until }
            }
        }
    }
}

pub(super) fn gate(check: &Check, at: Timestamp) -> w::Gate {
    w::Gate {
        gate: check.gate.clone(),
        conclusion: check.conclusion.into(),
        reason: reason(check, at),
        evidence: check.evidence.iter().map(|entry| count(*entry)).collect(),
        waived: check.waived.map(count),
    }
}

/// Returns what a person answered last, to whichever sheet of the release.
pub(super) fn last_answer<'a>(release: &'a Release, who: &Principal) -> Option<&'a SignOff> {
    release.sheets.iter().flat_map(|sheet| &sheet.answers).rev().find(|answer| answer.principal == *who)
}

/// Returns what keeps a release from its next step, with the acts that clear it and who can.
pub(super) fn blocker(
    state: &State,
    release: &Release,
    blocker: &judge::Blocker,
    me: Option<&Principal>,
    at: Timestamp,
) -> w::Blocker {
    use w::{BlockerCause as Is, ClearingAct as Do};
    let hold = |entry: &countersign_core::words::EntryRef| release.holds.iter().find(|hold| hold.entry == *entry);
    let answer_of = |who| last_answer(release, who).map(|answer| answer.reason.clone()).unwrap_or_default();
    let role_of = |who| last_answer(release, who).map(|answer| answer.role.to_string()).unwrap_or_default();
    let (cause, acts) = match &blocker.cause {
        Cause::Stop(entry) => match hold(entry) {
            Some(hold) => {
                let by = person(state, &hold.by);
                let reason = hold.reason.clone();
                let (entry, question) = (count(entry.index), question(&hold.change));
                let resume = vec![Do::Resume { hold: entry, question: question.is_some() }];
                match hold.change {
                    act::HoldChange::Halt {} => (Is::Halt { entry, by, reason }, resume),
                    _ => (Is::Hold { entry, by, question, reason }, resume),
                }
            }
            None => (Is::RolloutHalted { quote: None }, vec![]),
        },
        Cause::LateInconclusive(name) => (Is::LateInconclusive { evidence: name.to_string() }, vec![Do::Request {}]),
        Cause::RolloutHalted => (Is::RolloutHalted { quote: trouble(release) }, vec![Do::Rollback {}]),
        Cause::NoPolicy => (Is::NoPolicy {}, vec![Do::SetPolicy {}]),
        Cause::Gate(check) => {
            let why = reason(check, at);
            let acts = clearing(state, release, check, &why);
            (Is::Gate { gate: check.gate.clone(), conclusion: check.conclusion.into(), reason: why }, acts)
        }
        Cause::NotFrozen => (Is::NotFrozen {}, vec![Do::Request {}]),
        Cause::Quorum(slot) => (
            Is::Quorum { role: slot.role.to_string(), signed: length(slot.signed.len()), needed: count(slot.needed) },
            vec![Do::Sign { role: slot.role.to_string() }],
        ),
        Cause::NoGo(who) => (Is::NoGo { by: person(state, who), quote: answer_of(who) }, vec![Do::Amend {}]),
        Cause::AsksToWait(who) => {
            let asks = release.sheet().and_then(|sheet| judge::unanswered(state, release, sheet, who));
            let clears = match asks {
                Some(asks) => Do::AnswerHold { approval: count(asks.entry.index) },
                None => Do::Sign { role: role_of(who) },
            };
            (Is::AsksToWait { by: person(state, who), quote: answer_of(who) }, vec![clears])
        }
        Cause::Stale(moved) => {
            (Is::Stale { moved: moved.iter().copied().map(Into::into).collect() }, vec![Do::Request {}])
        }
        Cause::SheetExpired(at) => (Is::SheetExpired { at: at.to_string() }, vec![Do::Request {}]),
        Cause::Condition(entry, place) => {
            let mut answers = release.sheets.iter().flat_map(|sheet| &sheet.answers);
            let answer = answers.find(|answer| answer.entry == *entry);
            let text = answer.and_then(|answer| answer.conditions.get(usize::try_from(*place).ok()?));
            let text = text.map(|(text, _)| text.to_string()).unwrap_or_default();
            let by = answer.map(|answer| &answer.principal);
            let by = person(state, by.unwrap_or(&release.proposer));
            let (approval, number) = (count(entry.index), count(*place + 1));
            (Is::Condition { by, text, approval, number }, vec![Do::MeetCondition { approval, number }])
        }
        Cause::Frozen(entry, span) => {
            let freeze = state.freezes.get(&entry.index);
            let by = person(state, freeze.map_or(&release.proposer, |freeze| &freeze.by));
            let reason = freeze.map(|freeze| freeze.reason.clone()).unwrap_or_default();
            let until = span.until.to_string();
            (Is::Frozen { by, until: until.clone(), reason }, vec![Do::Wait { until: Some(until) }])
        }
        Cause::ReviewOverdue(other, due) => {
            let acts = vec![Do::Review { release: other.to_string() }];
            (Is::ReviewOverdue { release: other.to_string(), due: due.to_string() }, acts)
        }
    };
    let who: Vec<w::PersonRef> = blocker
        .who
        .iter()
        .filter_map(|who| who.parse::<Principal>().ok())
        .map(|principal| person(state, &principal))
        .collect();
    let me = me.is_some_and(|me| blocker.who.iter().any(|who| who == me.as_str()));
    w::Blocker { cause, acts, who, me }
}

/// The acts that clear a gate, the usual one first.
fn clearing(state: &State, release: &Release, check: &Check, why: &w::GateReason) -> Vec<w::ClearingAct> {
    use w::ClearingAct as Do;
    let mut acts = match why {
        w::GateReason::NotGiven { .. } => return vec![Do::Amend {}],
        w::GateReason::NotStaged { .. } => return vec![Do::Stage {}],
        w::GateReason::Soaking { until, .. } => return vec![Do::Wait { until: Some(until.clone()) }],
        w::GateReason::NeedsObserved {} | w::GateReason::AttachedRefused {} => vec![Do::Observe {}],
        w::GateReason::NeedsConfirmation {} => {
            let waiting = release.evidence.iter().filter(|record| record.attached() && record.confirmed_by.is_empty());
            waiting.map(|record| Do::Confirm { entry: count(record.entry.index) }).collect()
        }
        w::GateReason::Bad { .. } => vec![Do::Amend {}],
        _ => {
            let rule = state
                .policy_of(release)
                .and_then(|policy| policy.evidence.iter().find(|rule| rule.gate.as_str() == check.gate));
            if rule.is_some_and(|rule| rule.observed) {
                vec![Do::Observe {}]
            } else {
                vec![Do::Attach {}, Do::Observe {}]
            }
        }
    };
    if matches!(why, w::GateReason::Bad { .. } | w::GateReason::NoEvidence {}) {
        acts.push(Do::Waive { gate: check.gate.clone() });
    }
    acts
}

pub(super) fn question(change: &act::HoldChange) -> Option<String> {
    match change {
        act::HoldChange::Hold { question } => question.as_ref().map(ToString::to_string),
        _ => None,
    }
}

/// Returns what stopped a rollout, in the words of the record.
pub(super) fn trouble(release: &Release) -> Option<String> {
    let sheet = release.sheet()?;
    let next = judge::next_wave(release, sheet)?;
    let verdict = release.wave_of(sheet.entry, next).map(|wave| wave.detail.to_string());
    let halted = || release.active_holds().next().map(|hold| hold.reason.clone());
    let sent = || release.wave_dispatch(sheet.entry, next)?.body.detail.as_ref().map(ToString::to_string);
    verdict.or_else(halted).or_else(sent)
}

//! What is due by itself, read from the ledger: after a crash, after an unknown fate, after refusals, after a signature.

use std::fmt;

use crate::act::{DispatchKind, DispatchState, Verdict, WaveVerdict};
use crate::judge::{self, Check, Outcome};
use crate::policy::{DispatchRule, Mode, RollbackRule, STAGING_GATE};
use crate::state::{DispatchRecord, Release, Sheet, State};
use crate::words::{EntryRef, Line, Principal, Timestamp};

/// How long the worker waits after the second refusal in a row; each one more doubles it. An attempt is an entry that stays.
const REFUSED_WAIT_SECONDS: i64 = 10;
const REFUSED_WAIT_SECONDS_MAX: i64 = 3600;

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// A dispatch of this device was left behind.
    Settle(Line),
    /// A delivery has ended well and nobody has looked yet.
    RecordStage(Line),
    /// A wave is out and has no verdict.
    Bake(Line),
    /// A wave failed and the policy takes it back.
    Rollback,
    /// The next wave may go.
    Wave(u64),
    /// A candidate of a product in Continuous Deployment may go to the environment before the last.
    Stage,
    /// A standing authorization may sign; the sheet is to be frozen first.
    Freeze(EntryRef),
    /// A standing authorization may sign the frozen sheet.
    AutomaticGo(EntryRef),
    /// What was approved to run later is blocked now that it is to run: it waits for a person, and this is why.
    Hold(String),
}

impl Task {
    /// The word for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Settle(_) => "settle",
            Self::RecordStage(_) => "record-stage",
            Self::Bake(_) => "bake",
            Self::Rollback => "rollback",
            Self::Wave(_) => "wave",
            Self::Stage => "stage",
            Self::Freeze(_) => "freeze",
            Self::AutomaticGo(_) => "automatic-go",
            Self::Hold(_) => "hold",
        }
    }
}

/// What it was, once it is done.
impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settle(request) => write!(f, "request {request} was followed to its end"),
            Self::RecordStage(request) => write!(f, "what request {request} delivered was looked at"),
            Self::Bake(request) => write!(f, "the wave of request {request} has its verdict"),
            Self::Rollback => f.write_str("it was taken back"),
            Self::Wave(wave) => write!(f, "wave {wave} was sent"),
            Self::Stage => f.write_str("it was delivered to staging"),
            Self::Freeze(by) => write!(f, "the decision sheet was frozen for the standing authorization of {by}"),
            Self::AutomaticGo(by) => write!(f, "the standing authorization of {by} signed GO"),
            Self::Hold(cause) => write!(f, "it was put on hold when it was to run: {cause}"),
        }
    }
}

/// Returns what is due for a release, if anything is.
pub fn next_task(state: &State, release: &Release, device: &Principal, at: Timestamp) -> Option<Task> {
    if let Some(open) = judge::under_way(release).find(|dispatch| dispatch.device == *device) {
        let given_up = open.body.state == DispatchState::FateUnknown
            && open.steps.last().is_some_and(|(_, _, time)| at.seconds_since(*time) > 3600);
        return (!given_up).then(|| Task::Settle(open.body.request_id.clone()));
    }
    let product = &release.candidate.product;
    let policy = &state.policy(product)?.policy;
    if let Some(sheet) = release.sheet().filter(|sheet| release.rollout_began(sheet.entry)) {
        return rollout_task(release, sheet, policy.rollback == RollbackRule::Auto, at)
            .or_else(|| wave_task(state, release, policy.dispatch, at));
    }
    if release.ended.is_some() {
        return None;
    }
    if let Some(task) = unrecorded_stage(state, release) {
        return Some(task);
    }
    if let Some(task) = wave_task(state, release, policy.dispatch, at) {
        return Some(task);
    }
    if release.active_holds().next().is_some() {
        return None;
    }
    if policy.mode == Mode::Deployment {
        deployment_task(state, release, at)
    } else {
        template_task(state, release, at)
    }
}

/// A standard change: a person has frozen its sheet for a template, which signs it.
fn template_task(state: &State, release: &Release, at: Timestamp) -> Option<Task> {
    let sheet = release.sheet()?;
    let used = sheet.body.authorization?;
    judge::within_bounds(state, release, &sheet.body.environment, used, at).ok()?;
    let waits = matches!(judge::decision(state, release, sheet, at).outcome, Outcome::Incomplete);
    waits.then_some(Task::AutomaticGo(used))
}

fn rollout_task(release: &Release, sheet: &Sheet, auto: bool, at: Timestamp) -> Option<Task> {
    let next = judge::next_wave(release, sheet)?;
    // One that was not sent, as when the desk stopped before, has taken nothing back.
    let mut taken_back = release.dispatches_of(sheet.entry, DispatchKind::Rollback);
    if taken_back.any(|dispatch| dispatch.body.state != DispatchState::Refused) {
        return None;
    }
    let verdict = release.wave_of(sheet.entry, next).map(|wave| wave.verdict);
    if verdict == Some(WaveVerdict::Fail) {
        let may =
            auto && sheet.body.rollback.is_some() && !refused_lately(release, sheet.entry, DispatchKind::Rollback, at);
        return may.then_some(Task::Rollback);
    }
    if verdict.is_some() {
        return None;
    }
    // Of a wave that was sent twice the one that succeeded bakes, not the one that found it claimed.
    release
        .wave_dispatch(sheet.entry, next)
        .filter(|dispatch| dispatch.body.state == DispatchState::Finished)
        .map(|dispatch| Task::Bake(dispatch.body.request_id.clone()))
}

fn wave_task(state: &State, release: &Release, rule: DispatchRule, at: Timestamp) -> Option<Task> {
    let sheet = release.sheet()?;
    let wave = judge::next_wave(release, sheet)?;
    let authorized = sheet.answers.iter().any(|answer| answer.authorization.is_some());
    let mine = wave > 1 || authorized || rule == DispatchRule::OnQuorum;
    if !mine || refused_lately(release, sheet.entry, DispatchKind::Deploy, at) {
        return None;
    }
    match judge::may_dispatch(state, release, sheet, wave, None, at) {
        Ok(()) => Some(Task::Wave(wave)),
        Err(blocked) => {
            let missed = wave == 1 && scheduled_for_now(sheet, at) && release.active_holds().next().is_none();
            (missed && was_go(state, release, sheet)).then_some(Task::Hold(blocked.message))
        }
    }
}

/// Returns whether the sheet was frozen for a later window, which has begun: approved then, to run now.
fn scheduled_for_now(sheet: &Sheet, at: Timestamp) -> bool {
    sheet.time < sheet.body.window.from && sheet.body.window.from <= at && at <= sheet.body.not_after
}

/// Returns whether its last answers said GO as often as the quorum asks, whatever they are worth by now.
fn was_go(state: &State, release: &Release, sheet: &Sheet) -> bool {
    let said = judge::last_answers(&sheet.answers);
    let stopped = said.iter().any(|answer| matches!(answer.verdict, Verdict::NoGo | Verdict::Hold));
    let go = || said.iter().filter(|answer| matches!(answer.verdict, Verdict::Go | Verdict::ConditionalGo));
    let Some(record) = state.policy(&release.candidate.product) else { return false };
    let mut rules = record.policy.quorum_for(release.candidate.change_type).iter();
    let full = rules.all(|rule| go().filter(|answer| answer.role == rule.role).count() as u64 >= rule.count);
    !stopped && (full || go().any(|answer| answer.authorization.is_some()))
}

/// Returns whether the CI system has refused it several times in a row, the last time not long ago.
fn refused_lately(release: &Release, sheet: EntryRef, kind: DispatchKind, at: Timestamp) -> bool {
    let refused = |dispatch: &&DispatchRecord| dispatch.body.state == DispatchState::Refused;
    let sent = |dispatch: &&DispatchRecord| dispatch.steps.iter().any(|(state, ..)| *state == DispatchState::Sending);
    let mut times = release.dispatches_of(sheet, kind).rev().take_while(refused).filter(sent);
    let last = times.next().and_then(|dispatch| dispatch.steps.last()).map(|(_, _, time)| *time);
    let (Some(last), before @ 1..) = (last, times.count()) else { return false };
    let wait = REFUSED_WAIT_SECONDS << (before - 1).min(16);
    at.seconds_since(last) < wait.min(REFUSED_WAIT_SECONDS_MAX)
}

fn unrecorded_stage(state: &State, release: &Release) -> Option<Task> {
    let environment = state.staging_environment(&release.candidate.product)?;
    let last = release.dispatches.iter().rfind(|dispatch| dispatch.body.environment == *environment)?;
    let recorded = release.stages.iter().any(|(_, stage, _)| stage.dispatch == last.last);
    let current = last.body.sheet == release.candidate_entry;
    (last.succeeded() && !recorded && current).then(|| Task::RecordStage(last.body.request_id.clone()))
}

fn deployment_task(state: &State, release: &Release, at: Timestamp) -> Option<Task> {
    let product = &release.candidate.product;
    let open: Vec<Check> = judge::checks(state, release, at).into_iter().filter(Check::open).collect();
    if let [only] = open.as_slice() {
        let undelivered = only.gate == STAGING_GATE && only.conclusion == crate::evidence::Conclusion::Missing;
        let tried = release.dispatches.iter().any(|dispatch| {
            dispatch.body.sheet == release.candidate_entry && dispatch.body.state != DispatchState::Refused
        });
        let tried = tried || refused_lately(release, release.candidate_entry, DispatchKind::Deploy, at);
        return (undelivered && !tried).then_some(Task::Stage);
    }
    if !open.is_empty() {
        return None;
    }
    let environment = state.last_environment(product)?;
    let used = state
        .authorizations
        .values()
        .map(|record| record.entry)
        .find(|entry| judge::within_bounds(state, release, environment, *entry, at).is_ok())?;
    match release.sheet().map(|sheet| (sheet, judge::decision(state, release, sheet, at).outcome)) {
        Some((sheet, Outcome::Incomplete)) if sheet.body.authorization == Some(used) => Some(Task::AutomaticGo(used)),
        // A sheet that people are asked to sign is theirs.
        Some((_, Outcome::Incomplete | Outcome::NoGo(_) | Outcome::Hold(_) | Outcome::Go { .. })) => None,
        // Another release has the segment: it is frozen once that one has come to its end.
        _ if judge::active_decision(state, release, at).is_some() => None,
        Some((_, Outcome::Stale(_) | Outcome::Expired)) | None => Some(Task::Freeze(used)),
    }
}

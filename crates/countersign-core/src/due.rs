//! What is due by itself, read from the ledger: after a crash, after an unknown fate, after refusals, after a signature.

use std::fmt;

use crate::act::{DispatchKind, DispatchState, WaveVerdict};
use crate::judge::{self, Check, Outcome};
use crate::policy::{DispatchRule, Mode, RollbackRule, STAGING_GATE};
use crate::state::{DispatchRecord, Release, Sheet, State};
use crate::words::{EntryRef, Line, Principal, Text, Timestamp};

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
    /// A run that should have started by itself is blocked, by that: it is put on hold.
    Hold(Text),
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
            Self::Hold(cause) => write!(f, "it is on hold: {cause}"),
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
    if let Some(sheet) = release.rollout() {
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
    if let Some(cause) = blocked_run(state, release, at) {
        return Some(Task::Hold(cause));
    }
    if release.active_holds().next().is_some() {
        return None;
    }
    if let Some(task) = template_task(state, release, at) {
        return Some(task);
    }
    if policy.mode != Mode::Deployment { None } else { deployment_task(state, release, at) }
}

/// Returns what blocks a run that should start by itself now, where something does that nobody has stopped it for.
fn blocked_run(state: &State, release: &Release, at: Timestamp) -> Option<Text> {
    let sheet = release.sheet().filter(|sheet| sheet.body.candidate == release.candidate_entry)?;
    let due = sheet.body.scheduled && sheet.body.window.from <= at && at <= sheet.body.not_after;
    if !due || release.active_holds().next().is_some() {
        return None;
    }
    let blocked = judge::may_dispatch(state, release, sheet, 1, None, at).err()?;
    // It may quote a reason that is as long as a text can be.
    let what: String = blocked.message.chars().take(3500).collect();
    let cause = format!("the run scheduled for {} is blocked: {what} ({})", sheet.body.window.from, blocked.code);
    Some(cause.parse().expect("a message is a lawful text"))
}

/// Returns the GO of a template for a sheet that was frozen for it.
fn template_task(state: &State, release: &Release, at: Timestamp) -> Option<Task> {
    let sheet = release.sheet()?;
    let used = sheet.body.authorization.filter(|used| !judge::deploys(state, *used))?;
    let waits = judge::decision(state, release, sheet, at).outcome == Outcome::Incomplete;
    let may = waits && judge::within_bounds(state, release, &sheet.body.environment, used, at).is_ok();
    may.then_some(Task::AutomaticGo(used))
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
    let signs = sheet.answers.iter().filter_map(|answer| answer.authorization);
    let authorized = signs.into_iter().any(|used| judge::deploys(state, used));
    let mine = wave > 1 || authorized || sheet.body.scheduled || rule == DispatchRule::OnQuorum;
    let mine = mine && !refused_lately(release, sheet.entry, DispatchKind::Deploy, at);
    (mine && judge::may_dispatch(state, release, sheet, wave, None, at).is_ok()).then_some(Task::Wave(wave))
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
        .filter(|record| record.template.is_none())
        .map(|record| record.entry)
        .find(|entry| judge::within_bounds(state, release, environment, *entry, at).is_ok())?;
    match release.sheet().map(|sheet| (sheet, judge::decision(state, release, sheet, at).outcome)) {
        Some((sheet, Outcome::Incomplete)) if sheet.body.authorization == Some(used) => Some(Task::AutomaticGo(used)),
        // A sheet that people are asked to sign is theirs.
        Some((_, Outcome::Incomplete | Outcome::NoGo(_) | Outcome::Hold(_) | Outcome::Go { .. })) => None,
        Some((_, Outcome::Stale(_) | Outcome::Expired)) | None => {
            judge::open_decision(state, release, at).is_none().then_some(Task::Freeze(used))
        }
    }
}

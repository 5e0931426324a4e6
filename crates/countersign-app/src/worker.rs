//! The worker: does what the ledger already allows and nobody has to start.
//!
//! It goes on with what a crash left behind, bakes waves, sends the next one, signs for a standing authorization within its
//! bounds, and takes back what failed where the policy says so. It decides nothing itself: [`next_task`] reads from the
//! ledger what is due, and every entry it writes passes the same rules as a person's. A lease in the ledger keeps it single
//! among devices; on one desk it shares the work with whoever dispatches there (see [`crate::rollout`]).

use std::time::Duration;

use countersign_core::act::{DispatchKind, DispatchState, Lease, WaveVerdict};
use countersign_core::decide::Command;
use countersign_core::judge::{self, Check, Outcome};
use countersign_core::policy::{DispatchRule, Mode, RollbackRule, STAGING_GATE};
use countersign_core::state::{DispatchRecord, Release, Sheet, State};
use countersign_core::words::{EntryRef, Line, Principal, ReleaseId, Slug, Timestamp};

use crate::clock;
use crate::connector::Connector;
use crate::error::{Error, ErrorKind};
use crate::ledger::Ledger;
use crate::rollout::{self, Dispatched, Event, Pace, Watch};

/// How long a lease is taken for, and how early it is renewed.
const LEASE_SECONDS: i64 = 900;
const LEASE_RENEW_SECONDS: i64 = 120;

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
    if policy.mode != Mode::Deployment || release.active_holds().next().is_some() {
        return None;
    }
    deployment_task(state, release, at)
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
        let undelivered =
            only.gate == STAGING_GATE && only.conclusion == countersign_core::evidence::Conclusion::Missing;
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
        Some((_, Outcome::Stale(_) | Outcome::Expired)) | None => Some(Task::Freeze(used)),
    }
}

/// Builds the connector of a signed target with this desk's credentials.
pub type Connect<'a> = &'a (dyn Fn(&Ledger, &ReleaseId, &Slug) -> Result<Box<dyn Connector>, Error> + Sync);

/// Does all that is due, once, and returns what was done; what fails is told and left for the next time.
///
/// # Errors
/// The ledger cannot be read or written, this machine is no dispatcher, or another worker has the lease.
pub async fn work(
    ledger: &mut Ledger,
    connect: Connect<'_>,
    pace: Pace,
    watch: Watch<'_>,
) -> Result<Vec<(ReleaseId, Task)>, Error> {
    let mut done = Vec::new();
    let mut failed: Vec<(ReleaseId, Task)> = Vec::new();
    loop {
        ledger.refresh()?;
        let device = device_of(ledger)?;
        let now = clock::now();
        let due = ledger.state().releases.values().find_map(|release| {
            let task = next_task(ledger.state(), release, &device, now)?;
            let due = (release.id.clone(), task);
            (!failed.contains(&due)).then_some(due)
        });
        let Some((id, task)) = due else { return Ok(done) };
        hold_lease(ledger, &device)?;
        match perform(ledger, connect, &id, &task, pace, watch).await {
            Ok(()) => done.push((id.clone(), task.clone())),
            Err(error) if error.kind == ErrorKind::Integrity => return Err(error),
            // Somebody at this desk is at it: no news, and looked at again the next time.
            Err(error) if error.code == rollout::UNDER_WAY => failed.push((id.clone(), task.clone())),
            Err(error) => {
                watch(Event::Note(format!("{id}: {error}")));
                failed.push((id.clone(), task.clone()));
            }
        }
        // What was done and is due again would be done for ever.
        if done.iter().filter(|entry| **entry == (id.clone(), task.clone())).count() > 1 {
            failed.push((id, task));
        }
    }
}

fn device_of(ledger: &Ledger) -> Result<Principal, Error> {
    let key = ledger.dispatcher_key()?.public_key();
    let device = ledger.state().devices.values().find(|device| device.card.key == key);
    let device = device.ok_or_else(|| {
        Error::new(ErrorKind::No, "not_a_dispatcher", "this machine's dispatcher key is not enrolled")
    })?;
    if !judge::is_dispatcher(ledger.state(), &device.card.principal) {
        return Err(Error::new(
            ErrorKind::No,
            "not_a_dispatcher",
            "this machine's dispatcher waits for a second person, or was revoked",
        ));
    }
    Ok(device.card.principal.clone())
}

fn hold_lease(ledger: &mut Ledger, device: &Principal) -> Result<(), Error> {
    let now = clock::now();
    let mine = ledger
        .state()
        .lease
        .as_ref()
        .is_some_and(|(holder, until)| holder == device && until.seconds_since(now) > LEASE_RENEW_SECONDS);
    if !mine {
        let lease = Lease { until: now.plus_seconds(LEASE_SECONDS) };
        ledger.as_dispatcher(&Command::Record(lease.into()), None)?;
    }
    Ok(())
}

async fn perform(
    ledger: &mut Ledger,
    connect: Connect<'_>,
    id: &ReleaseId,
    task: &Task,
    pace: Pace,
    watch: Watch<'_>,
) -> Result<(), Error> {
    let product = ledger.state().releases[id].candidate.product.clone();
    let environment = |last: bool| {
        let state = ledger.state();
        let place = if last { state.last_environment(&product) } else { state.staging_environment(&product) };
        place.cloned().ok_or_else(|| Error::not_found(format!("{product} has no such environment")))
    };
    match task {
        Task::Settle(request_id) => {
            let (dispatched, environment) = dispatched(ledger, id, request_id)?;
            let connector = connect(ledger, id, &environment)?;
            // What was looked for in vain gets one look each time: others have work too.
            let known = dispatched.state == DispatchState::FateUnknown;
            let pace = if known { Pace { settle: Duration::ZERO, ..pace } } else { pace };
            rollout::settle(ledger, connector.as_ref(), id, request_id, pace, watch).await?;
        }
        Task::RecordStage(request_id) => {
            let (dispatched, environment) = dispatched(ledger, id, request_id)?;
            rollout::record_stage(ledger, id, &environment, &dispatched).await?;
        }
        Task::Bake(request_id) => {
            let (dispatched, environment) = dispatched(ledger, id, request_id)?;
            let connector = connect(ledger, id, &environment)?;
            rollout::after_dispatch(ledger, connector.as_ref(), id, None, &dispatched, pace, watch).await?;
        }
        Task::Rollback => {
            let connector = connect(ledger, id, &environment(true)?)?;
            rollout::rollback(ledger, connector.as_ref(), id, None, None, pace, watch).await?;
        }
        Task::Wave(_) => {
            let connector = connect(ledger, id, &environment(true)?)?;
            rollout::next_wave(ledger, connector.as_ref(), id, None, None, pace, watch).await?;
        }
        Task::Stage => {
            let connector = connect(ledger, id, &environment(false)?)?;
            rollout::stage(ledger, connector.as_ref(), id, None, None, pace, watch).await?;
        }
        Task::Freeze(authorization) => {
            let command = Command::Freeze {
                release: id.clone(),
                authorization: Some(*authorization),
                window: None,
                asked: Vec::new(),
                due: None,
            };
            ledger.as_dispatcher(&command, None)?;
        }
        Task::AutomaticGo(authorization) => {
            let command = Command::AutomaticGo { release: id.clone(), authorization: *authorization };
            ledger.as_dispatcher(&command, None)?;
        }
    }
    Ok(())
}

/// Returns how a dispatch of the journal ended, and where it went.
fn dispatched(ledger: &Ledger, id: &ReleaseId, request_id: &Line) -> Result<(Dispatched, Slug), Error> {
    let record = ledger.state().releases[id].dispatches.iter().find(|dispatch| dispatch.body.request_id == *request_id);
    let record = record.ok_or_else(|| Error::not_found(format!("{request_id} is not a dispatch of {id}")))?;
    Ok((rollout::dispatched(record), record.body.environment.clone()))
}

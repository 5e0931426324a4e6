//! Rollouts: waves, the journal of dispatches, baking, logs, and the long acts that drive them.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_core::act::{DispatchKind, DispatchState, WaveVerdict};
use countersign_core::due;
use countersign_core::judge::{self, ReleaseState};
use countersign_core::state::{DispatchRecord, Release, State};
use countersign_core::words::{Line, Principal, ReleaseId, Slug, Timestamp};

use super::host::{Host, LiveRun, Open, held};
use super::jobs::{Job, Work};
use super::release::{acts, find};
use super::show::{app_error, count, length, person, span, trouble, word};
use crate::error::{CANCELLED, Error, ErrorKind};
use crate::evidence::visible;
use crate::rollout::{Event, Rolled};
use crate::wire as w;
use crate::{clock, connectors, rollout, worker};

/// The longest log that is kept for windows.
const LINES_MAX: usize = 10_000;
const SAMPLES_MAX: usize = 240;
/// Rollouts that ended so long ago are no longer recent.
const RECENT_SECONDS: i64 = 14 * 86_400;

// ------------------------------------------------------------------------------------------------- showing

fn is_running(now: ReleaseState) -> bool {
    matches!(now, ReleaseState::Dispatching | ReleaseState::RollingOut | ReleaseState::RolloutHalted)
}

/// Returns how many rollouts of this desk are under way.
#[must_use]
pub fn running(host: &Host) -> u32 {
    length(host.0.jobs.running().iter().filter(|job| job.kind == w::JobKind::Dispatch).count())
}

/// Returns the rollouts that run, and those that ended lately.
///
/// # Errors
/// No ledger is open, or the desk is locked.
pub fn rollouts(host: &Host) -> Result<w::Rollouts, w::AppError> {
    host.read(|open| {
        let at = clock::now();
        open.settled.follow(&open.ledger, at);
        let state = open.ledger.state();
        let (mut running, mut recent) = (Vec::new(), Vec::new());
        for release in state.releases.values() {
            let Some(last) = release.dispatches.last().and_then(|dispatch| dispatch.steps.last()) else { continue };
            let is_recent = at.seconds_since(last.2) < RECENT_SECONDS;
            if open.settled.is_settled(release) && !is_recent {
                continue;
            }
            let now = open.settled.state_of(state, release, at);
            let Some(shown) = row(host, release, now) else { continue };
            if is_running(now) {
                running.push(shown);
            } else if is_recent {
                recent.push(shown);
            }
        }
        // What is in trouble stands first.
        running.sort_by(|a, b| (b.trouble.is_some(), &b.began).cmp(&(a.trouble.is_some(), &a.began)));
        recent.sort_by(|a, b| b.ended.cmp(&a.ended));
        Ok(w::Rollouts { at: at.to_string(), running, recent })
    })
}

fn row(host: &Host, release: &Release, now: ReleaseState) -> Option<w::RolloutRow> {
    let sheet = release.rollout()?;
    let next = judge::next_wave(release, sheet);
    let waves = sheet.body.rollout.len();
    let wave = next.map_or(waves, |next| usize::try_from(next).unwrap_or(waves));
    let mut dispatches = release.dispatches_of(sheet.entry, DispatchKind::Deploy);
    let began = dispatches.next().and_then(|dispatch| dispatch.steps.first()).map(|(_, _, time)| time.to_string());
    let last = release.dispatches.last().and_then(|dispatch| dispatch.steps.last()).map(|(_, _, time)| *time);
    let judged = release.waves.last().map(|(_, wave)| wave.span.until);
    let ended = (!is_running(now)).then(|| last.max(judged)).flatten();
    Some(w::RolloutRow {
        release: release.id.to_string(),
        product: release.candidate.product.to_string(),
        version: release.candidate.version.to_string(),
        environment: sheet.body.environment.to_string(),
        state: now.into(),
        wave: length(wave),
        waves: length(waves),
        segment: sheet.body.rollout.get(wave.saturating_sub(1)).map(|wave| wave.segment.to_string()),
        baking: baking(host, release),
        trouble: (now == ReleaseState::RolloutHalted).then(|| trouble(release)).flatten(),
        began,
        ended: ended.map(|ended| ended.to_string()),
    })
}

/// Returns the wave that bakes: as this desk samples it, else as the journal says.
fn baking(host: &Host, release: &Release) -> Option<w::Baking> {
    let sheet = release.sheet()?;
    let next = judge::next_wave(release, sheet)?;
    if release.wave_of(sheet.entry, next).is_some() {
        return None;
    }
    let dispatch = release.wave_dispatch(sheet.entry, next).filter(|dispatch| dispatch.succeeded())?;
    let live = held(&host.0.live).get(dispatch.body.request_id.as_str()).and_then(|run| run.baking.clone());
    live.or_else(|| {
        let since = dispatch.steps.last()?.2;
        let planned = sheet.body.rollout.get(usize::try_from(next - 1).ok()?)?;
        let until = since.plus_seconds(i64::try_from(planned.bake_seconds).ok()?);
        Some(w::Baking { since: since.to_string(), until: until.to_string(), samples: 0, failed: 0 })
    })
}

/// Returns the waves of a release's sheet, or those the policy plans where none is frozen.
pub(super) fn wave_rows(open: &Open, release: &Release) -> Vec<w::WaveRow> {
    let state = open.ledger.state();
    let product = &release.candidate.product;
    let planned: Vec<(Slug, u64)> = match release.sheet() {
        Some(sheet) => sheet.body.rollout.iter().map(|wave| (wave.segment.clone(), wave.bake_seconds)).collect(),
        None => state
            .policy(product)
            .map(|policy| policy.policy.waves.iter().map(|wave| (wave.segment.clone(), wave.bake_seconds)).collect())
            .unwrap_or_default(),
    };
    let target = state
        .last_environment(product)
        .and_then(|environment| state.targets.get(&(product.clone(), environment.clone())));
    let instances = |segment: &Slug| {
        let found = target.and_then(|(_, target)| target.segments.iter().find(|known| known.name == *segment));
        length(found.map_or(0, |segment| segment.version.len()))
    };
    let all: u32 = planned.iter().map(|(segment, _)| instances(segment)).sum();
    let taken_back = release
        .sheet()
        .is_some_and(|sheet| release.dispatches_of(sheet.entry, DispatchKind::Rollback).any(DispatchRecord::succeeded));
    let mut reached = 0;
    let waves = length(planned.len()).max(1);
    planned
        .into_iter()
        .zip(1_u32..)
        .map(|((segment, bake), wave)| {
            let instances = instances(&segment);
            reached += instances;
            let sheet = release.sheet();
            let dispatch = sheet.and_then(|sheet| release.wave_dispatch(sheet.entry, u64::from(wave)));
            let verdict = sheet.and_then(|sheet| {
                release.waves.iter().rev().find(|(_, body)| body.sheet == sheet.entry && body.wave == u64::from(wave))
            });
            let body = verdict.map(|(_, body)| body);
            w::WaveRow {
                wave,
                segment: segment.to_string(),
                instances,
                share_percent: (reached * 100).checked_div(all).unwrap_or(wave * 100 / waves),
                bake_seconds: count(bake),
                state: wave_state(dispatch, body.map(|body| body.verdict), taken_back),
                verdict: body.map(|body| body.verdict.into()),
                detail: body.map(|body| body.detail.to_string()),
                samples: body.map(|body| count(body.samples)),
                failed: body.map(|body| count(body.failed)),
                coverage_percent: body.map(|body| count(body.coverage_percent)),
                span: body.map(|body| span(&body.span)),
                entry: verdict.map(|(entry, _)| count(entry.index)),
            }
        })
        .collect()
}

fn wave_state(dispatch: Option<&DispatchRecord>, verdict: Option<WaveVerdict>, taken_back: bool) -> w::WaveState {
    use w::WaveState as S;
    let Some(dispatch) = dispatch else { return S::Planned };
    match (taken_back, verdict) {
        (true, _) => return S::TakenBack,
        (false, Some(WaveVerdict::Pass)) => return S::Passed,
        (false, Some(WaveVerdict::Fail)) => return S::Failed,
        (false, Some(WaveVerdict::Inconclusive)) => return S::Inconclusive,
        (false, None) => {}
    }
    match dispatch.body.state {
        DispatchState::Prepared | DispatchState::Sending => S::Sending,
        DispatchState::Accepted | DispatchState::Bound => S::Running,
        DispatchState::FateUnknown => S::FateUnknown,
        DispatchState::Finished if dispatch.succeeded() => S::Baking,
        DispatchState::Finished | DispatchState::Refused => S::Failed,
    }
}

/// Returns the rollout of a release.
///
/// # Errors
/// There is none of that id.
pub fn rollout(host: &Host, request: w::ReleaseRef) -> Result<w::RolloutView, w::AppError> {
    let jobs = host.0.jobs.running();
    host.read(|open| {
        let at = clock::now();
        open.settled.follow(&open.ledger, at);
        let state = open.ledger.state();
        let release = find(state, &request.release)?;
        let product = &release.candidate.product;
        let now = open.settled.state_of(state, release, at);
        let policy = state.policy(product).map(|policy| &policy.policy);
        let environment = state.last_environment(product);
        let sheet = release.sheet();
        let target = environment.and_then(|environment| state.targets.get(&(product.clone(), environment.clone())));
        let live = held(&host.0.live);
        let samples = release
            .dispatches
            .iter()
            .rev()
            .find_map(|dispatch| live.get(dispatch.body.request_id.as_str()).filter(|run| !run.samples.is_empty()));
        let samples = samples.map(|run| run.samples.iter().cloned().collect()).unwrap_or_default();
        drop(live);
        Ok(w::RolloutView {
            at: at.to_string(),
            release: release.id.to_string(),
            state: now.into(),
            environment: environment.map(ToString::to_string),
            window: sheet.map(|sheet| span(&sheet.body.window)),
            waves: wave_rows(open, release),
            dispatches: release
                .dispatches
                .iter()
                .map(|dispatch| dispatch_row(host, state, release, dispatch))
                .collect(),
            baking: baking(host, release),
            samples,
            way_back: sheet
                .and_then(|sheet| sheet.body.rollback.as_ref())
                .map(|slot| super::release::shown_live(Some(slot), false, false)),
            rollback_rule: policy.map(|policy| policy.rollback.into()),
            dispatch_rule: policy.map(|policy| policy.dispatch.into()),
            enforcement: target.map(|(entry, target)| super::connectors::enforcement(&open.ledger, entry.leaf, target)),
            job: jobs.iter().find(|job| job.release.as_deref() == Some(release.id.as_str())).cloned(),
            acts: acts(open, release, now, at),
        })
    })
}

fn dispatch_row(host: &Host, state: &State, release: &Release, dispatch: &DispatchRecord) -> w::DispatchRow {
    let body = &dispatch.body;
    let kept = release.runs.iter().any(|(_, run)| run.request_id == body.request_id && run.log.is_some());
    w::DispatchRow {
        entry: count(dispatch.entry.index),
        request_id: body.request_id.to_string(),
        kind: body.kind.into(),
        environment: body.environment.to_string(),
        wave: count(body.wave),
        state: body.state.into(),
        steps: dispatch
            .steps
            .iter()
            .map(|(state, entry, time)| w::DispatchStep {
                state: (*state).into(),
                entry: count(entry.index),
                time: time.to_string(),
            })
            .collect(),
        conclusion: body.conclusion.map(Into::into),
        detail: body.detail.as_ref().map(ToString::to_string),
        run: body
            .run
            .as_ref()
            .map(|run| w::RunLink { id: run.id.to_string(), url: run.url.as_ref().map(ToString::to_string) }),
        by: body.by.as_ref().map(|by| person(state, by)),
        device: state.printed_name(&dispatch.device),
        resends: body.resends.as_ref().map(ToString::to_string),
        has_log: kept || held(&host.0.live).contains_key(body.request_id.as_str()),
    }
}

/// Returns lines of a run's log, from a line on: as it comes while this desk follows it, else as it was kept.
///
/// # Errors
/// There is no such release or run, or its log is missing or damaged.
pub fn rollout_log(host: &Host, request: w::LogRequest) -> Result<w::LogPage, w::AppError> {
    let limit = request.limit.min(2000) as usize;
    if let Some(run) = held(&host.0.live).get(&request.request_id) {
        let dropped = run.total - length(run.lines.len());
        let from = request.from_line.max(dropped);
        let lines: Vec<w::LogLine> = run.lines.iter().skip((from - dropped) as usize).take(limit).cloned().collect();
        return Ok(w::LogPage { from_line: from, total: run.total, dropped, lines, live: !run.ended });
    }
    let text = host.read(|open| {
        let release = find(open.ledger.state(), &request.release)?;
        let run = release.runs.iter().rev().find(|(_, run)| run.request_id.as_str() == request.request_id);
        match run.and_then(|(_, run)| run.log) {
            Some(digest) => Ok(String::from_utf8_lossy(&open.ledger.blobs().read(&digest)?).into_owned()),
            None => Ok(String::new()),
        }
    })?;
    let total = length(text.lines().count());
    let lines = text.lines().zip(0_u32..).skip(request.from_line as usize).take(limit);
    let lines = lines.map(|(line, number)| w::LogLine { number, step: String::new(), text: visible(line).into() });
    Ok(w::LogPage { from_line: request.from_line.min(total), total, dropped: 0, lines: lines.collect(), live: false })
}

/// Returns the address of a run, where a connector of this desk leads to it.
///
/// # Errors
/// There is no such run, or its address is none of a system this desk is set up for.
pub fn link_of(host: &Host, request: &w::OpenLink) -> Result<String, w::AppError> {
    host.read(|open| {
        let release = find(open.ledger.state(), &request.release)?;
        let dispatch =
            release.dispatches.iter().find(|dispatch| dispatch.body.request_id.as_str() == request.request_id);
        let url = dispatch.and_then(|dispatch| dispatch.body.run.as_ref()).and_then(|run| run.url.as_ref());
        let url = url.ok_or_else(|| Error::not_found("this run has no address"))?.to_string();
        let known = connectors::list(open.ledger.desk())?.into_iter().any(|known| match known {
            connectors::ConnectorRow::Buildbot { base_url, .. } => url.starts_with(&base_url),
            connectors::ConnectorRow::LocalCommand { .. } => false,
        });
        let web = url.starts_with("https://") || url.starts_with("http://");
        if known && web {
            return Ok(url);
        }
        Err(Error::new(
            ErrorKind::No,
            "foreign_address",
            format!("{url} is not an address of a connector of this desk"),
        )
        .hint("add the connector first, or open the address yourself"))
    })
}

// ------------------------------------------------------------------------------------------------- driving

/// What a person has started with their presence.
#[derive(Debug, Clone)]
pub(super) enum Drive {
    /// Deliver to the environment before the go/no-go.
    Stage,
    /// Send the next wave and bake it. The one after it is another act of a person, who is shown which it is.
    Wave,
    /// Take it back.
    Back,
    /// Look again for a dispatch; send nothing.
    Look(Line),
}

/// Looks again for a dispatch of unknown fate; sends nothing.
///
/// # Errors
/// There is no such release or request.
pub fn reconcile(host: &Host, request: w::ReconcileForm) -> Result<w::JobRef, w::AppError> {
    let read = || -> Result<(ReleaseId, Line), Error> {
        Ok((word(&request.release, "release")?, word(&request.request_id, "requestId")?))
    };
    let (release, id) = read().map_err(app_error)?;
    drive(host, release, None, None, Drive::Look(id))
}

/// Starts a dispatch on a thread of its own.
pub(super) fn drive(
    host: &Host,
    id: ReleaseId,
    by: Option<Principal>,
    resend: Option<Line>,
    what: Drive,
) -> Result<w::JobRef, w::AppError> {
    let (ledger, environment) = host.read(|open| {
        let state = open.ledger.state();
        let release = find(state, id.as_str())?;
        let product = &release.candidate.product;
        let environment = match &what {
            Drive::Stage => state.staging_environment(product).cloned(),
            Drive::Wave | Drive::Back => state.last_environment(product).cloned(),
            Drive::Look(request) => {
                let found = release.dispatches.iter().find(|dispatch| dispatch.body.request_id == *request);
                found.map(|dispatch| dispatch.body.environment.clone())
            }
        };
        let environment =
            environment.ok_or_else(|| Error::not_found(format!("{} has no such environment or dispatch", id)))?;
        Ok((open.ledger.another()?, environment))
    })?;
    let kind = if matches!(what, Drive::Look(_)) { w::JobKind::Reconcile } else { w::JobKind::Dispatch };
    let work = Work { kind, release: Some(id.to_string()), cancellable: true };
    Ok(host.start(work, move |job| {
        let mut ledger = ledger;
        let connector = connectors::connect(&ledger, &id, &environment)?;
        let host = job.host().clone();
        let safe = AtomicBool::new(false);
        let mut followed = Followed::new(job, &safe);
        let mut watch = |event: Event| followed.take(event);
        let pace = host.0.options.pace;
        let ended = match what {
            Drive::Stage => {
                let run = rollout::stage(&mut ledger, connector.as_ref(), &id, by, resend, pace, &mut watch);
                until_stopped(job, &safe, run).map(|_| (w::RolloutResult::Staged, None))
            }
            Drive::Wave => {
                let run = rollout::next_wave(&mut ledger, connector.as_ref(), &id, by, resend, pace, &mut watch);
                until_stopped(job, &safe, run).map(|rolled| {
                    let detail = ledger.state().releases.get(&id).and_then(trouble);
                    (rolled_to(rolled), detail)
                })
            }
            Drive::Back => {
                let run = rollout::rollback(&mut ledger, connector.as_ref(), &id, by, resend, pace, &mut watch);
                until_stopped(job, &safe, run).map(|dispatched| (w::RolloutResult::RolledBack, dispatched.detail))
            }
            Drive::Look(request) => {
                let pace = crate::rollout::Pace { settle: Duration::from_secs(5).min(pace.settle), ..pace };
                let run = rollout::settle(&mut ledger, connector.as_ref(), &id, &request, pace, &mut watch);
                until_stopped(job, &safe, run).map(|dispatched| (result_of(&dispatched), dispatched.detail))
            }
        };
        followed.end();
        host.tell_change();
        let (result, detail) = ended?;
        Ok(w::JobOutcome::Dispatched { result, detail })
    }))
}

fn result_of(dispatched: &rollout::Dispatched) -> w::RolloutResult {
    match dispatched.state {
        DispatchState::FateUnknown => w::RolloutResult::FateUnknown,
        DispatchState::Refused => w::RolloutResult::Refused,
        _ if dispatched.succeeded() => w::RolloutResult::Passed,
        _ => w::RolloutResult::Failed,
    }
}

fn rolled_to(rolled: Rolled) -> w::RolloutResult {
    match rolled {
        Rolled::Passed => w::RolloutResult::Passed,
        Rolled::Live => w::RolloutResult::Live,
        Rolled::Halted => w::RolloutResult::Halted,
        Rolled::RolledBack => w::RolloutResult::RolledBack,
    }
}

/// Runs a dispatch until it ends, or until somebody stops looking at it where nothing is lost by that: what was sent goes on
/// by itself, and the journal says how far it was.
fn until_stopped<T>(job: &Job, safe: &AtomicBool, run: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    rollout::block_on(async {
        let stopped = async {
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                if job.cancelled() && safe.load(Ordering::Relaxed) {
                    return;
                }
            }
        };
        tokio::select! {
            ended = run => ended,
            () = stopped => Err(Error::new(ErrorKind::No, CANCELLED, "nobody looks at it from here any more; what was sent goes on")),
        }
    })
}

/// Passes on what a rollout tells: to the job, and to the log that windows read.
struct Followed<'a> {
    job: &'a Job,
    safe: &'a AtomicBool,
    request: Option<String>,
}

impl<'a> Followed<'a> {
    fn new(job: &'a Job, safe: &'a AtomicBool) -> Self {
        Self { job, safe, request: None }
    }

    fn take(&mut self, event: Event) {
        let host = self.job.host().clone();
        match event {
            Event::Step { request_id, state, .. } => {
                self.safe.store(!matches!(state, DispatchState::Prepared | DispatchState::Sending), Ordering::Relaxed);
                let step = match state {
                    DispatchState::Prepared | DispatchState::Sending => w::JobStep::Sending,
                    _ => w::JobStep::Watching,
                };
                self.job.at(step, 0, 0);
                held(&host.0.live).entry(request_id.clone()).or_default();
                self.request = Some(request_id);
                host.tell_change();
            }
            Event::Log { step, text } => {
                self.safe.store(true, Ordering::Relaxed);
                self.with(&host, |run| run.log(&step, &text));
                self.job.at(w::JobStep::Watching, 0, 0);
            }
            Event::Sampled { baked_seconds, of_seconds, sample, .. } => {
                self.safe.store(true, Ordering::Relaxed);
                let now = clock::now();
                self.with(&host, |run| run.sampled(now, baked_seconds, of_seconds, &sample));
                self.job.at(w::JobStep::Baking, baked_seconds, of_seconds);
            }
            Event::Wave { verdict, .. } => {
                self.with(&host, |run| run.baking = None);
                if verdict == WaveVerdict::Fail {
                    self.job.at(w::JobStep::TakingBack, 0, 0);
                }
                host.tell_change();
            }
            Event::Note(text) => self.with(&host, |run| run.log("", &format!("{text}\n"))),
        }
    }

    fn with(&self, host: &Host, change: impl FnOnce(&mut LiveRun)) {
        if let Some(request) = &self.request {
            change(held(&host.0.live).entry(request.clone()).or_default());
        }
    }

    fn end(&mut self) {
        let host = self.job.host().clone();
        self.with(&host, |run| {
            run.flush();
            run.ended = true;
            run.baking = None;
        });
    }
}

impl LiveRun {
    fn log(&mut self, step: &str, text: &str) {
        for part in text.split_inclusive('\n') {
            self.open_line.push_str(part);
            if part.ends_with('\n') {
                self.close_line(step);
            }
        }
        // A line that does not end is shown as far as it goes once it is long.
        if self.open_line.len() > 4096 {
            self.close_line(step);
        }
    }

    fn close_line(&mut self, step: &str) {
        let line = std::mem::take(&mut self.open_line);
        let text = visible(line.trim_end_matches(['\n', '\r'])).into_owned();
        self.lines.push_back(w::LogLine { number: self.total, step: step.to_owned(), text });
        self.total += 1;
        if self.lines.len() > LINES_MAX {
            self.lines.pop_front();
        }
    }

    fn flush(&mut self) {
        if !self.open_line.is_empty() {
            self.close_line("");
        }
    }

    fn sampled(&mut self, now: Timestamp, baked_seconds: u64, of_seconds: u64, sample: &crate::probe::Sample) {
        let baked = i64::try_from(baked_seconds).unwrap_or(i64::MAX / 2);
        let left = i64::try_from(of_seconds.saturating_sub(baked_seconds)).unwrap_or(i64::MAX / 2);
        let before = self.baking.take();
        let failed = u32::from(!sample.well());
        self.baking = Some(w::Baking {
            since: before.as_ref().map_or_else(|| now.plus_seconds(-baked).to_string(), |before| before.since.clone()),
            until: now.plus_seconds(left).to_string(),
            samples: before.as_ref().map_or(0, |before| before.samples) + 1,
            failed: before.map_or(0, |before| before.failed) + failed,
        });
        let sample =
            w::HealthSample { time: now.to_string(), asked: length(sample.instances), wrong: sample.wrong.clone() };
        self.samples.push_back(sample);
        if self.samples.len() > SAMPLES_MAX {
            self.samples.pop_front();
        }
    }
}

/// Does what is due and nobody has to start, where this machine is a dispatcher: bakes, next waves, ways back. Returns how
/// much was done. To be called now and then from a thread that may wait.
///
/// # Errors
/// The ledger cannot be read or written, or another worker has the lease.
pub fn work(host: &Host) -> Result<u32, w::AppError> {
    let due = host.read_locked(|open| {
        let state = open.ledger.state();
        // A sample deploys nothing by itself.
        if state.sample() || open.ledger.damage().is_some() {
            return Ok(None);
        }
        let Ok(key) = open.ledger.dispatcher_key() else { return Ok(None) };
        let key = key.public_key();
        let device = state.devices.values().find(|device| device.card.key == key);
        let ready = device.filter(|device| judge::is_dispatcher(state, &device.card.principal));
        let at = clock::now();
        open.settled.follow(&open.ledger, at);
        let due = ready.is_some_and(|device| {
            let unsettled = state.releases.values().filter(|release| !open.settled.is_settled(release));
            unsettled.into_iter().any(|release| due::next_task(state, release, &device.card.principal, at).is_some())
        });
        if due { Ok(Some(open.ledger.another()?)) } else { Ok(None) }
    })?;
    let Some(mut ledger) = due else { return Ok(0) };
    let mut request: Option<String> = None;
    let mut watch = |event: Event| {
        let mut live = held(&host.0.live);
        match event {
            Event::Step { request_id, .. } => {
                live.entry(request_id.clone()).or_default();
                request = Some(request_id);
            }
            Event::Log { step, text } => {
                if let Some(request) = &request {
                    live.entry(request.clone()).or_default().log(&step, &text);
                }
            }
            Event::Sampled { baked_seconds, of_seconds, sample, .. } => {
                if let Some(request) = &request {
                    live.entry(request.clone()).or_default().sampled(clock::now(), baked_seconds, of_seconds, &sample);
                }
            }
            Event::Wave { .. } | Event::Note(_) => {}
        }
    };
    let done = rollout::block_on(worker::work(&mut ledger, &connectors::connect, host.0.options.pace, &mut watch));
    host.poll();
    done.map(|done| length(done.len())).map_err(app_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_keeps_its_last_lines_and_counts_all() {
        let mut run = LiveRun::default();
        run.log("build", "one\ntwo");
        assert_eq!(run.total, 1, "a line that has not ended is not shown yet");
        run.log("build", " goes on\n");
        assert_eq!(run.lines.back().map(|line| line.text.as_str()), Some("two goes on"));
        for number in 0..LINES_MAX {
            run.log("deploy", &format!("line {number}\n"));
        }
        assert_eq!((run.total as usize, run.lines.len()), (LINES_MAX + 2, LINES_MAX));
        assert_eq!(run.lines.front().map(|line| line.number), Some(2));
    }
}

//! What a story tells of dispatches: the journal of each, the waves, and the way back.

use countersign_core::act::{
    Dispatch, DispatchKind, DispatchState, Lease, Run, RunConclusion, RunRef, RunStatus, Stage, Wave, WaveVerdict,
    Window,
};
use countersign_core::decide::Command;
use countersign_core::judge;
use countersign_core::words::{Line, ReleaseId, Timestamp};

use super::files;
use super::maker::{Maker, digest, word};
use super::service;
use super::story::{Story, bug, by_person};
use crate::error::Error;

/// How a dispatch goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Course {
    /// As it should, in so many minutes.
    Good(i64),
    /// The run fails after so many minutes.
    Failed(i64, &'static str),
    /// The reply is lost; the run is found by its request id and ends well after so many minutes.
    LostAndFound(i64),
    /// It has got as far as running.
    Running,
    /// The CI system takes it not.
    Refused(&'static str),
}

impl Story<'_> {
    /// Delivers to an environment before the go/no-go, where the version is then seen running.
    pub(super) fn deliver(&mut self, environment: &'static str) -> &mut Self {
        let by = if self.automatic { None } else { Some(self.goods.manager) };
        let minutes = 3 + i64::from(self.version.len() as u8 % 4);
        self.send(environment, DispatchKind::Deploy, by, Course::Good(minutes));
        self.at = self.at.plus_seconds(25);
        let version = self.version;
        self.step(move |maker, id| {
            let release = maker.release(id)?;
            let dispatch = release.dispatches.last().ok_or_else(|| bug("nothing was delivered"))?.last;
            let artifact = release.artifact().sha256;
            let body = Stage {
                artifact,
                dispatch,
                environment: word(environment),
                release: id.clone(),
                server_time: None,
                version: word(version),
            };
            let device = maker.dispatcher();
            maker.observe(&device, body).map(|_| ())
        });
        self
    }

    /// Waits until the soak is over.
    pub(super) fn soak(&mut self) -> &mut Self {
        let minutes = i64::try_from(self.policy.soak_seconds / 60).unwrap_or(i64::MAX) + 4;
        self.later(minutes)
    }

    /// Sends the next wave.
    pub(super) fn wave(&mut self, course: Course) -> &mut Self {
        let by = if self.automatic { None } else { Some(self.goods.manager) };
        let last = self.goods.path[self.goods.path.len() - 1];
        self.began = true;
        self.send(last, DispatchKind::Deploy, by, course)
    }

    /// Takes back what went out.
    pub(super) fn roll_back(&mut self) -> &mut Self {
        let by = if self.automatic { None } else { Some(self.goods.manager) };
        let last = self.goods.path[self.goods.path.len() - 1];
        self.send(last, DispatchKind::Rollback, by, Course::Good(4))
    }

    /// Lets the wave bake that is out, and passes it.
    pub(super) fn bake(&mut self, wave: usize) -> &mut Self {
        let seconds = self.policy.waves[wave].bake_seconds;
        self.at = self.at.plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX) + 20);
        self.judge_wave(
            WaveVerdict::Pass,
            0,
            "every instance answered with the signed version, error rate within its band",
        )
    }

    /// Gives the verdict over the wave that is out.
    pub(super) fn judge_wave(&mut self, verdict: WaveVerdict, failed: u64, detail: &'static str) -> &mut Self {
        self.step(move |maker, id| {
            let release = maker.release(id)?;
            let sheet = release.sheet().ok_or_else(|| bug("there is no sheet"))?;
            let wave = judge::next_wave(release, sheet).ok_or_else(|| bug("all waves have passed"))?;
            let dispatch = release.wave_dispatch(sheet.entry, wave).ok_or_else(|| bug("the wave is not out"))?;
            let since = dispatch.steps.last().map_or(maker.now, |(_, _, time)| *time);
            let baked = u64::try_from(maker.now.seconds_since(since)).unwrap_or_default();
            let body = Wave {
                coverage_percent: if verdict == WaveVerdict::Inconclusive { 61 } else { 100 - baked % 4 },
                detail: word(detail),
                environment: sheet.body.environment.clone(),
                failed,
                release: id.clone(),
                samples: (baked / 15).max(1),
                sheet: sheet.entry,
                span: Window { from: since, until: maker.now },
                verdict,
                wave,
            };
            let device = maker.dispatcher();
            maker.observe(&device, body).map(|_| ())
        });
        self
    }

    /// Sends all waves, each after the one before has baked; people start them while they are at work.
    pub(super) fn roll_out(&mut self) -> &mut Self {
        for wave in 0..self.policy.waves.len() {
            if !self.automatic {
                self.start();
            }
            self.wave(Course::Good(5 + 2 * wave as i64)).bake(wave);
        }
        self
    }

    /// Tells a dispatch step by step.
    pub(super) fn send(
        &mut self,
        environment: &'static str,
        kind: DispatchKind,
        by: Option<&'static str>,
        course: Course,
    ) -> &mut Self {
        self.sent += 1;
        let request_id = request_id(&format!("{} {environment} {kind} {}", self.id, self.sent));
        if by.is_none() {
            self.step(|maker, _| {
                let until = maker.now.plus_seconds(900);
                let device = maker.dispatcher();
                maker.observe(&device, Lease { until }).map(|_| ())
            });
        }
        let (place, wanted) = (word(environment), request_id.clone());
        self.step(move |maker, id| {
            let command = Command::Dispatch {
                release: id.clone(),
                environment: place,
                kind,
                request_id: wanted,
                by: by_person(by),
                resends: None,
            };
            let device = maker.dispatcher();
            maker.command(&device, command, None).map(|_| ())
        });
        let began = self.at;
        self.journal(began.plus_seconds(1), &request_id, DispatchState::Sending, None);
        match course {
            Course::Refused(why) => {
                self.journal(began.plus_seconds(3), &request_id, DispatchState::Refused, Some(why));
                return self;
            }
            Course::LostAndFound(_) => {
                let why = "the connection was closed before a reply came";
                self.journal(began.plus_seconds(31), &request_id, DispatchState::FateUnknown, Some(why));
                self.journal(began.plus_seconds(38), &request_id, DispatchState::Bound, None);
            }
            _ => {
                self.journal(began.plus_seconds(3), &request_id, DispatchState::Accepted, Some("queued as 1"));
                self.journal(began.plus_seconds(9), &request_id, DispatchState::Bound, None);
            }
        }
        let (minutes, failed) = match course {
            Course::Good(minutes) | Course::LostAndFound(minutes) => (minutes, None),
            Course::Failed(minutes, why) => (minutes, Some(why)),
            Course::Running | Course::Refused(_) => {
                self.at = began.plus_seconds(9);
                return self;
            }
        };
        self.at = began.plus_seconds(60 * minutes);
        let (goods, version, request) = (self.goods, self.version, request_id.clone());
        self.step(move |maker, id| ended(maker, id, &request, goods, version, failed));
        self
    }

    fn journal(&mut self, at: Timestamp, request_id: &Line, to: DispatchState, detail: Option<&'static str>) {
        let (id, request_id) = (self.id.clone(), request_id.clone());
        self.schedule.at(at, move |maker| {
            let run = (to == DispatchState::Bound).then(|| run_of(&request_id));
            advance(maker, &id, &request_id, to, None, detail, run)
        });
    }
}

fn run_of(request_id: &Line) -> RunRef {
    RunRef { attempt: 1, id: request_id.clone(), url: None }
}

/// Writes one more step of a dispatch.
fn advance(
    maker: &mut Maker,
    id: &ReleaseId,
    request_id: &Line,
    to: DispatchState,
    conclusion: Option<RunConclusion>,
    detail: Option<&str>,
    run: Option<RunRef>,
) -> Result<(), Error> {
    let known = maker.release(id)?.dispatches.iter().find(|dispatch| dispatch.body.request_id == *request_id);
    let before = known.ok_or_else(|| bug("it was not prepared"))?.body.clone();
    let run = run.or_else(|| before.run.clone());
    let body = Dispatch { conclusion, detail: detail.map(word), run, server_time: None, state: to, ..before };
    let device = maker.dispatcher();
    maker.observe(&device, body).map(|_| ())
}

/// Writes how a run ended: what was seen of it, then the last step of its journal.
fn ended(
    maker: &mut Maker,
    id: &ReleaseId,
    request_id: &Line,
    goods: &super::goods::Goods,
    version: &str,
    failed: Option<&str>,
) -> Result<(), Error> {
    let release = maker.release(id)?;
    let dispatch = release.dispatches.iter().find(|dispatch| dispatch.body.request_id == *request_id);
    let body = &dispatch.ok_or_else(|| bug("it was not prepared"))?.body;
    let segment = match (body.kind, usize::try_from(body.wave)) {
        (DispatchKind::Deploy, Ok(wave)) if release.sheet_at(body.sheet).is_some() => {
            goods.segments[(wave - 1).min(goods.segments.len() - 1)]
        }
        (DispatchKind::Rollback, _) => "way-back",
        _ => "staging",
    };
    let brought = match (body.kind, release.sheet_at(body.sheet).and_then(|sheet| sheet.body.rollback.as_ref())) {
        (DispatchKind::Rollback, Some(slot)) => slot.version.to_string(),
        _ => version.to_owned(),
    };
    let lines = if segment == "everyone" { 240 } else { 24 };
    let log = maker.blob(files::deploy_log(goods, &brought, segment, lines, failed));
    let raw: Line = word(if failed.is_some() { "exit 1" } else { "exit 0" });
    let run = Run {
        jobs: [(service::command(goods), raw.clone())].into(),
        log: Some(log),
        raw,
        release: id.clone(),
        request_id: request_id.clone(),
        run: run_of(request_id),
        status: RunStatus::Completed,
    };
    let device = maker.dispatcher();
    maker.observe(&device, run)?;
    let (conclusion, detail) = match failed {
        Some(why) => (RunConclusion::Failure, format!("{0}: step {0} exit 1 · {why}", service::command(goods))),
        None => (RunConclusion::Success, format!("{}: exit 0", service::command(goods))),
    };
    advance(maker, id, request_id, DispatchState::Finished, Some(conclusion), Some(&detail), None)
}

/// Returns a request id that stands for a name, in the shape of a real one.
pub(super) fn request_id(name: &str) -> Line {
    let hex = digest(&format!("request {name}")).to_string();
    word(&format!("{}-{}-7{}-8{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..30]))
}

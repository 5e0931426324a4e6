//! Long acts: each on a thread of its own, told of as it goes on, asked to stop where it can.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::host::{Host, HostEvent, held};
use super::show::{app_error, count};
use crate::error::{CANCELLED, Error, ErrorKind};
use crate::wire as w;

/// Between two tellings of one job.
const TELL_EVERY: Duration = Duration::from_millis(100);
/// Ended jobs are remembered, so that a window that comes late still learns how they ended.
const ENDED_MAX: usize = 50;

/// The long acts of a host.
#[derive(Default)]
pub(super) struct Jobs(Mutex<BTreeMap<String, Arc<Job>>>);

/// One long act, as its own thread sees it.
pub(super) struct Job {
    state: Mutex<w::JobState>,
    cancelled: AtomicBool,
    told: Mutex<Instant>,
    host: Host,
}

impl Job {
    /// Says how far it is.
    pub(super) fn at(&self, step: w::JobStep, done: u64, of: u64) {
        let changed = {
            let mut state = held(&self.state);
            let changed = state.step != step;
            (state.step, state.done, state.of) = (step, count(done), count(of));
            changed
        };
        let mut told = held(&self.told);
        if changed || told.elapsed() >= TELL_EVERY {
            *told = Instant::now();
            drop(told);
            self.tell();
        }
    }

    fn tell(&self) {
        let state = held(&self.state).clone();
        self.host.tell(HostEvent::Job(state));
    }

    /// Returns what tells how far the reading of a ledger is, and whether it is to go on.
    pub(super) fn read(&self) -> impl FnMut(u64, u64) -> bool {
        |done, of| {
            self.at(w::JobStep::Reading, done, of);
            !self.cancelled()
        }
    }

    /// Returns whether it is asked to stop.
    pub(super) fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Refuses to go on where it is asked to stop.
    pub(super) fn go_on(&self) -> Result<(), Error> {
        if self.cancelled() {
            return Err(Error::new(ErrorKind::No, CANCELLED, "it was stopped"));
        }
        Ok(())
    }

    pub(super) fn host(&self) -> &Host {
        &self.host
    }
}

/// What is known of a job before it begins.
pub(super) struct Work {
    pub(super) kind: w::JobKind,
    pub(super) release: Option<String>,
    pub(super) cancellable: bool,
}

impl Host {
    /// Starts a long act.
    pub(super) fn start(
        &self,
        work: Work,
        act: impl FnOnce(&Job) -> Result<w::JobOutcome, Error> + Send + 'static,
    ) -> w::JobRef {
        let job_id = uuid::Uuid::now_v7().to_string();
        let Work { kind, release, cancellable } = work;
        let state = w::JobState {
            job_id: job_id.clone(),
            kind,
            phase: w::JobPhase::Running,
            release,
            step: w::JobStep::Starting,
            done: 0,
            of: 0,
            cancellable,
            started: self.now(),
            outcome: None,
            error: None,
        };
        let job = Arc::new(Job {
            state: Mutex::new(state),
            cancelled: AtomicBool::new(false),
            told: Mutex::new(Instant::now()),
            host: self.clone(),
        });
        self.0.jobs.add(job_id.clone(), job.clone());
        job.tell();
        std::thread::spawn(move || {
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| act(&job))).unwrap_or_else(|_| {
                Err(Error::new(ErrorKind::Cannot, "internal", "the program made a mistake; what is recorded stays"))
            });
            // Whoever is told that it ended sees what it has recorded.
            job.host.poll();
            {
                let mut state = held(&job.state);
                state.step = w::JobStep::Finished;
                match ended {
                    Ok(outcome) => {
                        state.phase = w::JobPhase::Done;
                        state.outcome = Some(outcome);
                    }
                    Err(error) if error.code == CANCELLED => state.phase = w::JobPhase::Cancelled,
                    Err(error) => {
                        state.phase = w::JobPhase::Failed;
                        state.error = Some(app_error(error));
                    }
                }
            }
            job.tell();
        });
        w::JobRef { job_id }
    }
}

impl Jobs {
    fn add(&self, id: String, job: Arc<Job>) {
        let mut jobs = held(&self.0);
        let ended: Vec<String> =
            jobs.iter().filter(|(_, job)| !running(&held(&job.state))).map(|(id, _)| id.clone()).collect();
        // Ids grow with time, so the first ones are the oldest.
        for old in ended.iter().take((ended.len() + 1).saturating_sub(ENDED_MAX)) {
            jobs.remove(old);
        }
        jobs.insert(id, job);
    }

    fn find(&self, id: &str) -> Result<Arc<Job>, Error> {
        held(&self.0)
            .get(id)
            .cloned()
            .ok_or_else(|| Error::not_found("there is no such long act, or it ended long ago"))
    }

    /// Returns how one stands.
    pub(super) fn state(&self, id: &str) -> Result<w::JobState, Error> {
        Ok(held(&self.find(id)?.state).clone())
    }

    /// Asks one to stop.
    pub(super) fn cancel(&self, id: &str) -> Result<w::JobState, Error> {
        let job = self.find(id)?;
        {
            let mut state = held(&job.state);
            if running(&state) {
                if !state.cancellable {
                    return Err(Error::new(ErrorKind::No, "not_cancellable", "this cannot be stopped half way"));
                }
                state.phase = w::JobPhase::Cancelling;
                job.cancelled.store(true, Ordering::Relaxed);
            }
        }
        job.tell();
        self.state(id)
    }

    /// Returns those that run.
    pub(super) fn running(&self) -> Vec<w::JobState> {
        let all: Vec<Arc<Job>> = held(&self.0).values().cloned().collect();
        all.iter().map(|job| held(&job.state).clone()).filter(running).collect()
    }
}

fn running(state: &w::JobState) -> bool {
    matches!(state.phase, w::JobPhase::Running | w::JobPhase::Cancelling)
}

//! From a signed sheet to what runs: dispatch, follow, check, bake, take back.
//!
//! Each step of a dispatch is an entry that is durable before the next one begins. What a crash leaves behind is told by
//! the last entry alone, and [`settle`] goes on from there:
//!
//! | last entry | what may have happened | what follows |
//! |---|---|---|
//! | `prepared` | nothing was sent | `refused`: never sent |
//! | `sending` | anything | `fate-unknown`, then looked for by its request id |
//! | `accepted` | the CI system has it | found again and followed |
//! | `fate-unknown` | anything | looked for by its request id |
//! | `bound` | it runs, or has ended | followed |
//!
//! A trigger is tried once. What cannot be found stays of unknown fate until a person sends again, naming it; the pipeline
//! claims the wave, so that two requests for it never deploy twice.
//!
//! One process of a desk is at the deploys of a release, and one at its rollbacks: a lock that ends with the process says
//! so. Starting again what was killed ([`stage`], [`next_wave`], [`rollback`], the worker) goes on where it stopped.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_core::act::{
    Act, Artifact, Dispatch, DispatchKind, DispatchState, HoldChange, Run, RunConclusion, RunRef, RunStatus, Segment,
    Stage, Target, Wave, WaveVerdict, Window,
};
use countersign_core::decide::Command;
use countersign_core::entry::Entry;
use countersign_core::hash::Digest;
use countersign_core::judge;
use countersign_core::policy::RollbackRule;
use countersign_core::state::{DispatchRecord, Release, Sheet, State};
use countersign_core::words::{CommitId, EntryRef, Line, Principal, ReleaseId, Slug, Text, Timestamp};
use tokio::time::{Instant, sleep};

use crate::attestation::{Attestation, Header};
use crate::clock;
use crate::connector::{
    self, Accepted, Connector, Failure, Fate, Handle, Observation, RequestId, Resolved, Ticket, TriggerRequest,
};
use crate::durable::{self, FileLock};
use crate::error::{Error, ErrorKind};
use crate::ledger::Ledger;
use crate::probe::{Probe, Sample};
use crate::store::Store as _;

/// How patient a rollout is.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long a request of unknown fate is looked for.
    pub settle: Duration,
    /// The longest time between two looks at a run.
    pub poll_max: Duration,
    /// How long a run may take.
    pub run_max: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            settle: Duration::from_secs(300),
            poll_max: Duration::from_secs(20),
            run_max: Duration::from_secs(6 * 3600),
        }
    }
}

/// The waits between two looks for a request of unknown fate, in seconds; the last one repeats.
const SETTLE_WAITS_SECONDS: [u64; 6] = [1, 2, 5, 10, 20, 40];
/// An attestation opens the gate for this long.
const ATTESTATION_SECONDS: i64 = 3600;

/// What a rollout tells while it goes on.
#[derive(Debug, Clone)]
pub enum Event {
    /// A step of the journal is durable.
    Step {
        /// The request id.
        request_id: String,
        /// The step.
        state: DispatchState,
        /// What there is to say.
        detail: Option<String>,
    },
    /// Lines of the run's log.
    Log {
        /// The step of the run.
        step: String,
        /// The text.
        text: String,
    },
    /// All instances were asked.
    Sampled {
        /// Which wave.
        wave: u64,
        /// How long it has baked.
        baked_seconds: u64,
        /// How long it must bake.
        of_seconds: u64,
        /// What was found.
        sample: Sample,
    },
    /// A wave has its verdict.
    Wave {
        /// Which wave.
        wave: u64,
        /// The verdict.
        verdict: WaveVerdict,
        /// Why.
        detail: String,
    },
    /// Something a person should know.
    Note(String),
}

/// Takes events.
pub type Watch<'a> = &'a mut (dyn FnMut(Event) + Send);

/// What is to be dispatched, and who asked.
struct Order {
    release: ReleaseId,
    environment: Slug,
    kind: DispatchKind,
    /// The person at the desk; `None` for the worker.
    by: Option<Principal>,
    /// The request id of unknown fate it is sent again for.
    resends: Option<Line>,
}

/// How a dispatch ended, or where it got stuck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatched {
    /// The request id.
    pub request_id: Line,
    /// The last step.
    pub state: DispatchState,
    /// How the run ended, once it has.
    pub conclusion: Option<RunConclusion>,
    /// Why, in the CI system's words or ours.
    pub detail: Option<String>,
    /// The last entry.
    pub entry: EntryRef,
}

impl Dispatched {
    /// Returns whether it did what was signed.
    pub fn succeeded(&self) -> bool {
        self.conclusion == Some(RunConclusion::Success)
    }
}

/// What runs in the environment once a whole rollout, or the part of it that was asked for, is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rolled {
    /// Everyone has it.
    Live,
    /// A wave passed; the next may go.
    Passed,
    /// It stopped; a person decides.
    Halted,
    /// It stopped and was taken back.
    RolledBack,
}

fn release<'a>(state: &'a State, id: &ReleaseId) -> Result<&'a Release, Error> {
    state.releases.get(id).ok_or_else(|| Error::not_found(format!("there is no release {id}")))
}

/// Returns the target of a release in an environment.
///
/// # Errors
/// There is no such release or target.
pub fn target_of<'a>(state: &'a State, id: &ReleaseId, environment: &Slug) -> Result<&'a Target, Error> {
    let product = &release(state, id)?.candidate.product;
    state.targets.get(&(product.clone(), environment.clone())).map(|(_, target)| target).ok_or_else(|| {
        Error::not_found(format!("{product} has no target {environment}"))
            .hint("sign one with `countersign target set`")
    })
}

/// Takes the deploys, or the rollbacks, of a release on this desk for this process, until the lock is dropped.
///
/// What a crash left is gone on with only by who holds it: whoever drives it now is certainly not alive any more. The two
/// kinds have a lock each, so that a person can take back what a worker still bakes.
fn take(ledger: &Ledger, id: &ReleaseId, kind: DispatchKind) -> Result<FileLock, Error> {
    let dir = ledger.desk().rollouts();
    durable::create_private_dir(&dir)?;
    // Not by the id itself, which a file system that ignores case would take for another's.
    let name = format!("{}.{kind}", Digest::of(id.as_str().as_bytes()));
    durable::try_lock(&dir.join(name))?.ok_or_else(|| {
        Error::new(ErrorKind::Cannot, UNDER_WAY, format!("another process of this desk is at the {kind} of {id}"))
            .hint(format!("`countersign status {id}` shows how far it is; `countersign cancel {id}` stops it"))
    })
}

/// The code of the error that another process of this desk is at the rollout.
pub(crate) const UNDER_WAY: &str = "under_way";

/// Returns the dispatch of this desk that is meant and has not ended.
fn left_behind(ledger: &Ledger, order: &Order) -> Result<Option<Line>, Error> {
    let key = ledger.dispatcher_key()?.public_key();
    let state = ledger.state();
    let release = release(state, &order.release)?;
    let sheet = match release.sheet() {
        Some(sheet) if sheet.body.environment == order.environment => sheet.entry,
        _ => release.candidate_entry,
    };
    let mine = |device: &Principal| state.devices.get(device).is_some_and(|device| device.card.key == key);
    let open = judge::under_way(release).find(|dispatch| {
        dispatch.body.sheet == sheet
            && dispatch.body.environment == order.environment
            && dispatch.body.kind == order.kind
            && mine(&dispatch.device)
    });
    Ok(open.map(|dispatch| dispatch.body.request_id.clone()))
}

/// Prepares a dispatch, sends it once, and follows it to its end; goes on first with one that a crash left behind.
async fn dispatch(
    ledger: &mut Ledger,
    connector: &dyn Connector,
    mut order: Order,
    pace: Pace,
    watch: Watch<'_>,
) -> Result<Dispatched, Error> {
    ledger.refresh()?;
    if let Some(left) = left_behind(ledger, &order)? {
        let again = order.resends.as_ref() == Some(&left);
        // Who sends again has looked; one more look costs nothing.
        let patience = if again { Pace { settle: Duration::ZERO, ..pace } } else { pace };
        let ended = go_on(ledger, connector, &order.release, &left, patience, watch).await?;
        match ended.state {
            // It was not sent: so it is now, and there is nothing of unknown fate any more.
            DispatchState::Refused => order.resends = order.resends.filter(|_| !again),
            DispatchState::FateUnknown if again => {}
            _ => return Ok(ended),
        }
    }
    let target = target_of(ledger.state(), &order.release, &order.environment)?.clone();
    let request_id: Line = RequestId::generate().as_str().parse().expect("a request id is a lawful line");
    let command = Command::Dispatch {
        release: order.release.clone(),
        environment: order.environment,
        kind: order.kind,
        request_id: request_id.clone(),
        by: order.by,
        resends: order.resends,
    };
    // What a rule refuses is refused whether or not the CI system answers.
    ledger.may_as_dispatcher(&command)?;
    let preflight = connector.preflight(target.job.as_str()).await?;
    ledger.as_dispatcher(&command, None)?;
    watch(Event::Step { request_id: request_id.to_string(), state: DispatchState::Prepared, detail: None });

    let mut journal = Journal { ledger, release: order.release, request_id, watch };
    let request = match journal.trigger_request(&target, preflight.inputs.as_deref()) {
        Ok(request) => request,
        Err(error) => {
            journal.step(DispatchState::Refused, Facts::detail(&format!("nothing was sent: {error}")))?;
            return Err(error);
        }
    };
    journal.step(DispatchState::Sending, Facts::default())?;
    match connector.trigger(&request).await {
        Ok(accepted) => {
            journal.accepted(&accepted)?;
            journal.follow(connector, &target, accepted.handle, pace).await
        }
        Err(failure) => journal.failed(connector, &target, &failure, pace).await,
    }
}

/// Goes on with a dispatch whose process ended before it did.
///
/// # Errors
/// Another process of this desk is at it, the ledger cannot be written, or the CI system cannot be asked.
pub async fn settle(
    ledger: &mut Ledger,
    connector: &dyn Connector,
    id: &ReleaseId,
    request_id: &Line,
    pace: Pace,
    watch: Watch<'_>,
) -> Result<Dispatched, Error> {
    ledger.refresh()?;
    let kind = record(ledger.state(), id, request_id)?.body.kind;
    let _taken = take(ledger, id, kind)?;
    go_on(ledger, connector, id, request_id, pace, watch).await
}

async fn go_on(
    ledger: &mut Ledger,
    connector: &dyn Connector,
    id: &ReleaseId,
    request_id: &Line,
    pace: Pace,
    watch: Watch<'_>,
) -> Result<Dispatched, Error> {
    ledger.refresh()?;
    let record = record(ledger.state(), id, request_id)?.body.clone();
    let target = target_of(ledger.state(), id, &record.environment)?.clone();
    let mut journal = Journal { ledger, release: id.clone(), request_id: request_id.clone(), watch };
    match record.state {
        DispatchState::Prepared => {
            journal.step(DispatchState::Refused, Facts::detail("nothing was sent: the desk stopped before"))
        }
        DispatchState::Sending => {
            journal.step(DispatchState::FateUnknown, Facts::detail("the desk stopped while sending"))?;
            journal.reconcile(connector, &target, pace).await
        }
        DispatchState::FateUnknown | DispatchState::Accepted => journal.reconcile(connector, &target, pace).await,
        DispatchState::Bound => {
            let run = record
                .run
                .ok_or_else(|| Error::new(ErrorKind::Integrity, "journal", "a bound dispatch names no run"))?;
            journal.follow(connector, &target, Handle::Run(as_run(&run)), pace).await
        }
        DispatchState::Refused | DispatchState::Finished => journal.outcome(),
    }
}

fn record<'a>(state: &'a State, id: &ReleaseId, request_id: &Line) -> Result<&'a DispatchRecord, Error> {
    release(state, id)?
        .dispatches
        .iter()
        .find(|dispatch| dispatch.body.request_id == *request_id)
        .ok_or_else(|| Error::not_found(format!("{request_id} is not a dispatch of {id}")))
}

fn as_run(run: &RunRef) -> connector::RunRef {
    connector::RunRef { id: run.id.to_string(), attempt: u32::try_from(run.attempt).unwrap_or(u32::MAX) }
}

fn request_id(id: &Line) -> Result<RequestId, Error> {
    id.as_str()
        .parse()
        .map_err(|error: connector::RequestIdError| Error::new(ErrorKind::Integrity, "journal", error.to_string()))
}

/// Returns what others said as a text of the ledger: short, one blank where they said nothing.
fn told(text: &str) -> Option<Text> {
    let clean: String = text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).take(2000).collect();
    clean.trim().parse().ok()
}

fn line(text: &str) -> Line {
    let clean: String = text.chars().filter(|c| !c.is_control()).take(180).collect();
    clean.trim().parse().unwrap_or_else(|_| "(nothing)".parse().expect("a lawful line"))
}

/// What a step of the journal has to tell.
#[derive(Debug, Default)]
struct Facts {
    conclusion: Option<RunConclusion>,
    detail: Option<Text>,
    run: Option<RunRef>,
    server_time: Option<Timestamp>,
}

impl Facts {
    fn detail(text: &str) -> Self {
        Self { detail: told(text), ..Self::default() }
    }
}

/// One dispatch and the ledger its steps go to.
struct Journal<'a> {
    ledger: &'a mut Ledger,
    release: ReleaseId,
    request_id: Line,
    watch: Watch<'a>,
}

impl Journal<'_> {
    fn record(&self) -> Result<&DispatchRecord, Error> {
        record(self.ledger.state(), &self.release, &self.request_id)
    }

    fn outcome(&self) -> Result<Dispatched, Error> {
        self.record().map(dispatched)
    }

    /// Makes a step durable.
    fn step(&mut self, state: DispatchState, facts: Facts) -> Result<Dispatched, Error> {
        let prepared = self.record()?.body.clone();
        let detail = facts.detail.as_ref().map(Text::to_string);
        let body = Dispatch {
            conclusion: facts.conclusion,
            detail: facts.detail,
            run: facts.run.or(prepared.run),
            server_time: facts.server_time,
            state,
            ..prepared
        };
        self.ledger.as_dispatcher(&Command::Record(Act::from(body)), None)?;
        (self.watch)(Event::Step { request_id: self.request_id.to_string(), state, detail });
        self.outcome()
    }

    /// Composes what the pipeline is given: what to deploy, where, and the signatures that say so.
    fn trigger_request(&self, target: &Target, declared: Option<&[String]>) -> Result<TriggerRequest, Error> {
        let state = self.ledger.state();
        let release = release(state, &self.release)?;
        let dispatch = self.record()?.body.clone();
        let what = deployed(release, &dispatch)?;
        let attestation = attest(self.ledger, release, &dispatch, &what)?;
        let segments: Vec<&str> =
            segments_of(release, &dispatch, target).iter().map(|segment| segment.name.as_str()).collect();
        let mut inputs = BTreeMap::from([
            ("artifact".to_owned(), what.artifact.sha256.to_string()),
            ("attestation".to_owned(), attestation),
            ("commit".to_owned(), what.commit.to_string()),
            ("environment".to_owned(), dispatch.environment.to_string()),
            ("kind".to_owned(), dispatch.kind.to_string()),
            ("segments".to_owned(), segments.join(",")),
            ("version".to_owned(), what.version.to_string()),
            ("wave".to_owned(), segments.last().copied().unwrap_or_default().to_owned()),
        ]);
        let request_id = request_id(&self.request_id)?;
        if let Some(declared) = declared {
            // A pipeline may do without these two; one that drops any other could not tell what it was asked.
            inputs.retain(|name, _| !matches!(name.as_str(), "commit" | "segments") || declared.contains(name));
            if let Some(missing) = inputs.keys().find(|name| !declared.contains(name)) {
                let message = format!("the job {} does not declare the input {missing}", target.job);
                return Err(Error::new(ErrorKind::No, "input_missing", message)
                    .hint("declare it in the pipeline; it would be dropped silently"));
            }
        }
        let reason = format!("{} {} to {}, wave {}", dispatch.kind, release.id, dispatch.environment, dispatch.wave);
        Ok(TriggerRequest { request_id, job: target.job.to_string(), inputs, reason })
    }

    fn accepted(&mut self, accepted: &Accepted) -> Result<Dispatched, Error> {
        let detail = match &accepted.handle {
            Handle::Ticket(Ticket(ticket)) => format!("queued as {ticket}"),
            Handle::Run(run) => format!("runs as {}", run.id),
        };
        let server_time = accepted.server_time.and_then(clock::of_server);
        self.step(DispatchState::Accepted, Facts { server_time, ..Facts::detail(&detail) })
    }

    async fn failed(
        &mut self,
        connector: &dyn Connector,
        target: &Target,
        failure: &Failure,
        pace: Pace,
    ) -> Result<Dispatched, Error> {
        match failure.fate {
            Fate::NotSent => self.step(DispatchState::Refused, Facts::detail(&format!("not sent: {failure}"))),
            Fate::Refused => self.step(DispatchState::Refused, Facts::detail(&format!("refused: {failure}"))),
            Fate::Unknown => {
                self.step(DispatchState::FateUnknown, Facts::detail(&failure.to_string()))?;
                self.reconcile(connector, target, pace).await
            }
        }
    }

    /// Looks for the run that carries the request id, until it is found or patience ends.
    async fn reconcile(&mut self, connector: &dyn Connector, target: &Target, pace: Pace) -> Result<Dispatched, Error> {
        let request_id = request_id(&self.request_id)?;
        // The desk's clock and the server's may differ; an hour is more than any that still passes TLS.
        let since = self.record()?.steps.first().map(|(_, _, time)| time.plus_seconds(-3600).to_chrono());
        let until = Instant::now() + pace.settle;
        let mut waits = SETTLE_WAITS_SECONDS.iter().copied();
        let mut wait = SETTLE_WAITS_SECONDS[0];
        loop {
            let why = match connector.find(&request_id, since).await {
                Ok(found) if found.len() > 1 => {
                    let why = format!("{} runs carry the request id {request_id}: stop the extra ones", found.len());
                    (self.watch)(Event::Note(why.clone()));
                    return self.stuck(&why);
                }
                Ok(found) => {
                    if let Some(found) = found.into_iter().next() {
                        let handle = match found.resolved {
                            Resolved::Run(run) => Handle::Run(run),
                            Resolved::Queued => Handle::Ticket(found.ticket),
                            Resolved::Dropped { raw, conclusion } => return self.never_ran(&conclusion, &raw),
                        };
                        return self.follow(connector, target, handle, pace).await;
                    }
                    "no run carries this request id".to_owned()
                }
                Err(failure) => {
                    let why = format!("it cannot be looked for: {failure}");
                    (self.watch)(Event::Note(why.clone()));
                    why
                }
            };
            if Instant::now() + Duration::from_secs(wait) > until {
                return self.stuck(&why);
            }
            sleep(Duration::from_secs(wait)).await;
            wait = waits.next().unwrap_or(SETTLE_WAITS_SECONDS[SETTLE_WAITS_SECONDS.len() - 1]);
        }
    }

    /// Leaves the dispatch of unknown fate: only a person may send again, naming it.
    fn stuck(&mut self, why: &str) -> Result<Dispatched, Error> {
        if self.record()?.body.state != DispatchState::FateUnknown {
            self.step(DispatchState::FateUnknown, Facts::detail(why))?;
        }
        self.outcome()
    }

    /// Records that the CI system had it and certainly never ran it.
    ///
    /// Where nobody meant that, as when this desk was killed before the command began, it counts as not sent.
    fn never_ran(&mut self, ended: &connector::RunConclusion, raw: &str) -> Result<Dispatched, Error> {
        let detail = format!("it never ran: {raw}");
        let unmeant = *ended == connector::RunConclusion::Skipped;
        if unmeant && self.record()?.body.state == DispatchState::FateUnknown {
            return self.step(DispatchState::Refused, Facts::detail(&detail));
        }
        let conclusion = match conclude(ended) {
            RunConclusion::Success => RunConclusion::Unknown,
            other => other,
        };
        self.step(DispatchState::Finished, Facts { conclusion: Some(conclusion), ..Facts::detail(&detail) })
    }

    /// Follows the run to its end and judges it.
    async fn follow(
        &mut self,
        connector: &dyn Connector,
        target: &Target,
        handle: Handle,
        pace: Pace,
    ) -> Result<Dispatched, Error> {
        let until = Instant::now() + pace.run_max;
        let mut stopping = false;
        let run = match handle {
            Handle::Run(run) => run,
            Handle::Ticket(ticket) => loop {
                match connector.resolve(&ticket).await {
                    Ok(Resolved::Run(run)) => break run,
                    Ok(Resolved::Dropped { raw, conclusion }) => return self.never_ran(&conclusion, &raw),
                    Ok(Resolved::Queued) => {}
                    Err(failure) => (self.watch)(Event::Note(format!("cannot see the queue: {failure}"))),
                }
                if Instant::now() > until {
                    return self.stuck("it still waits, longer than a run may take");
                }
                self.stop_if_asked(connector, &Handle::Ticket(ticket.clone()), &mut stopping).await?;
                sleep(Duration::from_secs(1)).await;
            },
        };
        let url = connector.observe(&run).await.ok().map(|seen| line(&seen.url));
        let reference = RunRef { attempt: u64::from(run.attempt), id: line(&run.id), url };
        if self.record()?.body.state != DispatchState::Bound {
            self.step(DispatchState::Bound, Facts { run: Some(reference.clone()), ..Facts::default() })?;
        }
        let mut log = LiveLog::default();
        let seen = loop {
            match connector.observe(&run).await {
                Ok(seen) => {
                    log.read(connector, &run, &seen, self.watch).await;
                    if matches!(seen.status, connector::RunStatus::Completed(_)) {
                        break seen;
                    }
                    self.stop_if_asked(connector, &Handle::Run(run.clone()), &mut stopping).await?;
                    sleep(seen.poll_after.min(pace.poll_max)).await;
                }
                Err(failure) => {
                    (self.watch)(Event::Note(format!("the run cannot be seen: {failure}")));
                    sleep(Duration::from_secs(2).min(pace.poll_max)).await;
                }
            }
            if Instant::now() > until {
                return self
                    .step(DispatchState::FateUnknown, Facts::detail("the run has not ended in the time it may take"));
            }
        };
        self.conclude(target, &seen, reference, &log.text)
    }

    /// Passes on a cancellation or a halt that somebody recorded meanwhile, on this desk or another.
    async fn stop_if_asked(
        &mut self,
        connector: &dyn Connector,
        handle: &Handle,
        stopping: &mut bool,
    ) -> Result<(), Error> {
        self.ledger.refresh()?;
        if *stopping {
            return Ok(());
        }
        let since = self.record()?.entry.index;
        let release = release(self.ledger.state(), &self.release)?;
        let asked = release.holds.iter().find(|hold| match &hold.change {
            HoldChange::Cancel { request_id } => *request_id == self.request_id,
            HoldChange::Halt {} => hold.resumed.is_none() && hold.entry.index > since,
            _ => false,
        });
        let Some(hold) = asked else { return Ok(()) };
        let reason = format!("{} ({})", hold.reason, hold.by);
        match connector.stop(handle, &reason).await {
            Ok(_) => {
                *stopping = true;
                (self.watch)(Event::Note(format!("asked the CI system to stop it: {reason}")));
            }
            Err(failure) => (self.watch)(Event::Note(format!("cannot stop it: {failure}"))),
        }
        Ok(())
    }

    /// Deployed means: the run succeeded, its deploy step succeeded, and it says nothing else than what was signed.
    fn conclude(&mut self, target: &Target, seen: &Observation, run: RunRef, log: &str) -> Result<Dispatched, Error> {
        let dispatch = self.record()?.body.clone();
        let connector::RunStatus::Completed(ended) = &seen.status else {
            return Err(Error::new(ErrorKind::Integrity, "journal", "a run that goes on was taken for an ended one"));
        };
        let mut conclusion = conclude(ended);
        let mut detail = format!("{}: {}", target.job, seen.raw);
        if conclusion == RunConclusion::Success {
            let step = seen.steps.iter().find(|step| step.name == target.deploy_step.as_str());
            let done = step
                .is_some_and(|step| step.status == connector::RunStatus::Completed(connector::RunConclusion::Success));
            let other = seen
                .properties
                .get("artifact_sha256")
                .filter(|property| property.value != dispatch.artifact.to_string())
                .map(|property| property.value.clone());
            if !done {
                conclusion = RunConclusion::Failure;
                detail = format!("the run succeeded, but its step {} did not", target.deploy_step);
            } else if let Some(other) = other {
                conclusion = RunConclusion::Failure;
                detail = format!("the run deployed artifact {other}, not the signed one");
            }
        } else if let Some(failed) = seen.steps.iter().find(|step| is_bad(&step.status)) {
            detail = format!("{}: step {} {}", target.job, failed.name, failed.raw);
        }
        if conclusion != RunConclusion::Success
            && let Some(last) = log.lines().rev().find(|line| !line.trim().is_empty())
        {
            detail.push_str(" · ");
            detail.push_str(last.trim());
        }
        let digest = if log.is_empty() { None } else { Some(self.ledger.blobs().write(log.as_bytes())?) };
        let jobs = seen.steps.iter().take(100).map(|step| (line(&step.name).to_string(), line(&step.raw))).collect();
        let body = Run {
            jobs,
            log: digest,
            raw: line(&seen.raw),
            release: self.release.clone(),
            request_id: self.request_id.clone(),
            run: run.clone(),
            status: RunStatus::Completed,
        };
        self.ledger.as_dispatcher(&Command::Record(body.into()), None)?;
        let server_time = seen.server_time.and_then(clock::of_server);
        let facts = Facts { conclusion: Some(conclusion), detail: told(&detail), run: Some(run), server_time };
        self.step(DispatchState::Finished, facts)
    }
}

fn is_bad(status: &connector::RunStatus) -> bool {
    use connector::RunConclusion::{Skipped, Success};
    matches!(status, connector::RunStatus::Completed(ended) if !matches!(ended, Success | Skipped))
}

/// Returns what the ledger calls the end of a run. Only a plain success is one.
fn conclude(ended: &connector::RunConclusion) -> RunConclusion {
    use connector::RunConclusion as Ended;
    match ended {
        Ended::Success => RunConclusion::Success,
        Ended::Partial | Ended::Failure | Ended::Error => RunConclusion::Failure,
        Ended::Cancelled => RunConclusion::Cancelled,
        Ended::Skipped | Ended::Superseded => RunConclusion::Skipped,
        Ended::Retried | Ended::Unknown(_) => RunConclusion::Unknown,
    }
}

/// The log of a run as far as it was read.
#[derive(Default)]
struct LiveLog {
    /// For each step where to read on; `None` once it is complete.
    next: BTreeMap<String, Option<u64>>,
    text: String,
}

/// The longest log that is kept; the rest stays with the CI system.
const LOG_BYTES_MAX: usize = 4 << 20;

impl LiveLog {
    async fn read(&mut self, connector: &dyn Connector, run: &connector::RunRef, seen: &Observation, watch: Watch<'_>) {
        for step in seen.steps.iter().filter(|step| step.status != connector::RunStatus::Queued) {
            while let Some(from) = *self.next.entry(step.name.clone()).or_insert(Some(0)) {
                let Ok(chunk) = connector.log(run, &step.name, from).await else { break };
                let advanced = chunk.next > from;
                if !chunk.text.is_empty() {
                    if self.text.len() + chunk.text.len() <= LOG_BYTES_MAX {
                        self.text.push_str(&chunk.text);
                    }
                    watch(Event::Log { step: step.name.clone(), text: chunk.text });
                }
                self.next.insert(step.name.clone(), (!chunk.complete).then_some(chunk.next));
                if !advanced {
                    break;
                }
            }
        }
    }
}

/// What a dispatch brings: the candidate's own artifact, or the one of the rollback slot.
struct Brought {
    artifact: Artifact,
    version: Line,
    commit: CommitId,
}

fn deployed(release: &Release, dispatch: &Dispatch) -> Result<Brought, Error> {
    if dispatch.kind == DispatchKind::Deploy {
        return Ok(Brought {
            artifact: release.artifact().clone(),
            version: release.candidate.version.clone(),
            commit: release.candidate.commit.clone(),
        });
    }
    let slot = release.sheet_at(dispatch.sheet).and_then(|sheet| sheet.body.rollback.as_ref());
    let slot = slot.ok_or_else(|| Error::new(ErrorKind::No, "no_way_back", "the sheet has no way back"))?;
    Ok(Brought { artifact: slot.artifacts[0].clone(), version: slot.version.clone(), commit: slot.commit.clone() })
}

/// Returns the segments a dispatch reaches: all of them before the go/no-go, the wave's own for a wave, and every one that
/// was reached for a rollback.
fn segments_of<'a>(release: &Release, dispatch: &Dispatch, target: &'a Target) -> Vec<&'a Segment> {
    let Some(sheet) = release.sheet_at(dispatch.sheet) else { return target.segments.iter().collect() };
    let reached = usize::try_from(dispatch.wave).unwrap_or(usize::MAX);
    let first = if dispatch.kind == DispatchKind::Rollback { 0 } else { reached.saturating_sub(1) };
    let waves = sheet.body.rollout.iter().take(reached).skip(first);
    waves.filter_map(|wave| target.segments.iter().find(|segment| segment.name == wave.segment)).collect()
}

/// Composes and signs the attestation the pipeline checks before it deploys.
fn attest(ledger: &Ledger, release: &Release, dispatch: &Dispatch, what: &Brought) -> Result<String, Error> {
    let state = ledger.state();
    let entry_of = |entry: EntryRef| -> Result<Entry, Error> {
        let leaf = ledger.store().read(entry.index..entry.index + 1)?.pop().unwrap_or_default();
        Entry::parse(leaf)
            .map_err(|error| Error::new(ErrorKind::Integrity, "ledger_damaged", format!("{entry}: {error}")))
    };
    let sheet = release.sheet_at(dispatch.sheet);
    let now = clock::now();
    let limit = sheet.map_or(now.plus_seconds(ATTESTATION_SECONDS), |sheet| {
        // The sheet's own end holds for its first wave; later waves and the way back were approved with it.
        let own = now.plus_seconds(ATTESTATION_SECONDS);
        if dispatch.wave == 1 && dispatch.kind == DispatchKind::Deploy { own.min(sheet.body.not_after) } else { own }
    });
    let target = target_of(state, &release.id, &dispatch.environment)?;
    let wave = segments_of(release, dispatch, target)
        .last()
        .map(|segment| segment.name.clone())
        .ok_or_else(|| Error::new(ErrorKind::No, "no_segment", "the target has no segment for this wave"))?;
    let header = Header {
        artifact: what.artifact.sha256,
        commit: what.commit.clone(),
        environment: dispatch.environment.clone(),
        kind: dispatch.kind,
        ledger: state.origin.clone().expect("an open ledger has a genesis"),
        not_after: limit,
        release: release.id.clone(),
        request_id: request_id(&dispatch.request_id)?,
        sheet: dispatch.sheet.leaf,
        version: what.version.clone(),
        wave,
    };
    let (mut approvals, mut conditions) = (Vec::new(), Vec::new());
    let mut authorization = None;
    let mut adoptions = Vec::new();
    // The answers that carried the GO when wave 1 was prepared: what somebody took back before is not theirs any more.
    let carried = sheet.and_then(|sheet| sheet.decided.as_deref()).unwrap_or_default();
    for answer in carried.iter().filter(|judged| judged.carries_go()).map(|judged| &judged.answer) {
        approvals.push(entry_of(answer.entry)?);
        for settled in answer.conditions.iter().filter_map(|(_, settled)| *settled) {
            conditions.push(entry_of(settled)?);
        }
        let Some(record) = answer.authorization.and_then(|used| state.authorizations.get(&used.index)) else {
            continue;
        };
        if authorization.is_none() {
            authorization = Some(entry_of(record.entry)?);
            for adoption in &record.answers {
                adoptions.push(entry_of(adoption.entry)?);
            }
        }
    }
    let request = Some(entry_of(dispatch.sheet)?);
    let attestation = Attestation { header, request, approvals, conditions, authorization, adoptions };
    let key = ledger.dispatcher_key()?;
    attestation
        .encode(key.key().signing_key())
        .map_err(|error| Error::new(ErrorKind::No, "attestation", error.to_string()))
}

// ------------------------------------------------------------------------------------------------- staging

/// Delivers a candidate to the environment before the go/no-go and records what is seen running there.
///
/// # Errors
/// A rule refuses, the delivery fails, or another version runs there afterwards.
pub async fn stage(
    ledger: &mut Ledger,
    connector: &dyn Connector,
    id: &ReleaseId,
    by: Option<Principal>,
    resends: Option<Line>,
    pace: Pace,
    watch: Watch<'_>,
) -> Result<EntryRef, Error> {
    let product = release(ledger.state(), id)?.candidate.product.clone();
    let environment = ledger.state().staging_environment(&product).cloned().ok_or_else(|| {
        Error::new(ErrorKind::No, "no_staging", format!("{product} has no environment before the go/no-go"))
    })?;
    let _taken = take(ledger, id, DispatchKind::Deploy)?;
    let order =
        Order { release: id.clone(), environment: environment.clone(), kind: DispatchKind::Deploy, by, resends };
    let dispatched = dispatch(ledger, connector, order, pace, watch).await?;
    record_stage(ledger, id, &environment, &dispatched).await
}

/// Records what runs in the environment after a finished delivery.
///
/// # Errors
/// The delivery did not succeed, or another version runs there.
pub async fn record_stage(
    ledger: &mut Ledger,
    id: &ReleaseId,
    environment: &Slug,
    dispatched: &Dispatched,
) -> Result<EntryRef, Error> {
    if !dispatched.succeeded() {
        return Err(not_deployed(dispatched));
    }
    let target = target_of(ledger.state(), id, environment)?.clone();
    let candidate = release(ledger.state(), id)?.candidate.clone();
    let probe = Probe::new().map_err(|error| Error::new(ErrorKind::Cannot, "tls", error.to_string()))?;
    let segments: Vec<&Segment> = target.segments.iter().collect();
    let sample = probe.sample(&segments, candidate.version.as_str(), &candidate.artifacts[0]).await;
    if !sample.well() {
        let wrong = if sample.wrong.is_empty() {
            "the target names no version URL".to_owned()
        } else {
            sample.wrong.join("; ")
        };
        return Err(Error::new(
            ErrorKind::No,
            "not_seen_running",
            format!("the run succeeded, but {environment} does not show it: {wrong}"),
        ));
    }
    let stage = Stage {
        artifact: candidate.artifacts[0].sha256,
        dispatch: dispatched.entry,
        environment: environment.clone(),
        release: id.clone(),
        server_time: None,
        version: candidate.version,
    };
    ledger.as_dispatcher(&Command::Record(stage.into()), None)
}

fn not_deployed(dispatched: &Dispatched) -> Error {
    let why = dispatched.detail.clone().unwrap_or_default();
    match dispatched.state {
        DispatchState::FateUnknown => Error::new(
            ErrorKind::Cannot,
            "fate_unknown",
            format!("nobody knows whether {} runs: {why}", dispatched.request_id),
        )
        .hint(format!(
            "look in the CI system; `countersign worker --once` looks again; send again with --resend {}",
            dispatched.request_id
        )),
        DispatchState::Refused => {
            Error::new(ErrorKind::Cannot, "not_dispatched", format!("nothing was deployed: {why}"))
        }
        _ => Error::new(ErrorKind::No, "deploy_failed", format!("the deployment did not succeed: {why}")),
    }
}

// ------------------------------------------------------------------------------------------------- waves

/// Sends the next wave out, bakes it, and takes everything back when the policy says so and the wave fails.
///
/// # Errors
/// A rule refuses, or nothing could be sent. A wave that fails its checks is no error: see [`Rolled`].
pub async fn next_wave(
    ledger: &mut Ledger,
    connector: &dyn Connector,
    id: &ReleaseId,
    by: Option<Principal>,
    resends: Option<Line>,
    pace: Pace,
    watch: Watch<'_>,
) -> Result<Rolled, Error> {
    let _taken = take(ledger, id, DispatchKind::Deploy)?;
    ledger.refresh()?;
    if way_back_due(ledger.state(), id)? {
        rollback(ledger, connector, id, by, resends, pace, watch).await?;
        return Ok(Rolled::RolledBack);
    }
    let dispatched = match unjudged(ledger.state(), id)? {
        Some(out) => out,
        None => {
            let environment = sheet_of(ledger.state(), id)?.body.environment.clone();
            let order = Order { release: id.clone(), environment, kind: DispatchKind::Deploy, by: by.clone(), resends };
            dispatch(ledger, connector, order, pace, watch).await?
        }
    };
    match dispatched.state {
        DispatchState::Finished => judge_wave(ledger, connector, id, by, dispatched, pace, watch).await,
        _ => Err(not_deployed(&dispatched)),
    }
}

/// Returns the dispatch of a wave that is out and has no verdict yet, or one that does not say: it bakes again.
fn unjudged(state: &State, id: &ReleaseId) -> Result<Option<Dispatched>, Error> {
    let release = release(state, id)?;
    let sheet = sheet_of(state, id)?;
    let Some(next) = judge::next_wave(release, sheet) else { return Ok(None) };
    if release.wave_of(sheet.entry, next).is_some_and(|wave| wave.verdict == WaveVerdict::Fail) {
        return Ok(None);
    }
    let out = release.wave_dispatch(sheet.entry, next);
    Ok(out.filter(|dispatch| dispatch.body.state == DispatchState::Finished).map(dispatched))
}

/// Returns the dispatches of unknown fate that this one was sent again for, the latest first.
fn unknown_before(ledger: &Ledger, id: &ReleaseId, request_id: &Line) -> Result<Vec<Line>, Error> {
    let mut found = Vec::new();
    let mut next = record(ledger.state(), id, request_id)?.body.resends.clone();
    while let Some(earlier) = next {
        let earlier = record(ledger.state(), id, &earlier)?;
        if earlier.body.state == DispatchState::FateUnknown {
            found.push(earlier.body.request_id.clone());
        }
        next = earlier.body.resends.clone();
    }
    Ok(found)
}

/// Returns how a dispatch stands by the journal.
pub fn dispatched(record: &DispatchRecord) -> Dispatched {
    Dispatched {
        request_id: record.body.request_id.clone(),
        state: record.body.state,
        conclusion: record.body.conclusion,
        detail: record.body.detail.as_ref().map(Text::to_string),
        entry: record.last,
    }
}

/// Bakes the wave a finished dispatch brought out, and rolls back when the policy says so and the wave fails.
///
/// # Errors
/// Another process of this desk is at it, the ledger cannot be written, or the rollback refuses.
pub async fn after_dispatch(
    ledger: &mut Ledger,
    connector: &dyn Connector,
    id: &ReleaseId,
    by: Option<Principal>,
    dispatched: &Dispatched,
    pace: Pace,
    watch: Watch<'_>,
) -> Result<Rolled, Error> {
    let _taken = take(ledger, id, DispatchKind::Deploy)?;
    judge_wave(ledger, connector, id, by, dispatched.clone(), pace, watch).await
}

async fn judge_wave(
    ledger: &mut Ledger,
    connector: &dyn Connector,
    id: &ReleaseId,
    by: Option<Principal>,
    mut dispatched: Dispatched,
    pace: Pace,
    watch: Watch<'_>,
) -> Result<Rolled, Error> {
    // What was sent again and failed may have arrived the first time: the pipeline lets only one of them through.
    if !dispatched.succeeded() {
        let once = Pace { settle: Duration::ZERO, ..pace };
        for earlier in unknown_before(ledger, id, &dispatched.request_id)? {
            let found = go_on(ledger, connector, id, &earlier, once, watch).await?;
            if found.succeeded() {
                dispatched = found;
                break;
            }
        }
    }
    let verdict = bake(ledger, id, &dispatched, watch).await?;
    let state = ledger.state();
    if verdict == WaveVerdict::Pass {
        let live = judge::next_wave(release(state, id)?, sheet_of(state, id)?).is_none();
        return Ok(if live { Rolled::Live } else { Rolled::Passed });
    }
    if way_back_due(state, id)? {
        rollback(ledger, connector, id, by, None, pace, watch).await?;
        return Ok(Rolled::RolledBack);
    }
    Ok(Rolled::Halted)
}

/// Returns whether the wave failed, the policy takes it back, and that has not been done, or not to its end.
fn way_back_due(state: &State, id: &ReleaseId) -> Result<bool, Error> {
    let release = release(state, id)?;
    let sheet = sheet_of(state, id)?;
    let auto = state.policy(&sheet.body.product).is_some_and(|record| record.policy.rollback == RollbackRule::Auto);
    let failed = judge::next_wave(release, sheet)
        .and_then(|next| release.wave_of(sheet.entry, next))
        .is_some_and(|wave| wave.verdict == WaveVerdict::Fail);
    let ended = release
        .dispatches_of(sheet.entry, DispatchKind::Rollback)
        .any(|dispatch| dispatch.body.state == DispatchState::Finished);
    Ok(auto && failed && sheet.body.rollback.is_some() && !ended)
}

fn sheet_of<'a>(state: &'a State, id: &ReleaseId) -> Result<&'a Sheet, Error> {
    release(state, id)?.sheet().ok_or_else(|| {
        Error::new(ErrorKind::No, "wrong_state", format!("{id} has no decision sheet"))
            .hint(format!("freeze it with `countersign request {id}`"))
    })
}

/// Watches the wave for its bake time and records the verdict.
///
/// The first failed check ends it: nobody has to wait for a second one to be told. Too few samples hold it.
///
/// # Errors
/// The ledger cannot be written.
pub async fn bake(
    ledger: &mut Ledger,
    id: &ReleaseId,
    dispatched: &Dispatched,
    watch: Watch<'_>,
) -> Result<WaveVerdict, Error> {
    ledger.refresh()?;
    let dispatch = record(ledger.state(), id, &dispatched.request_id)?.body.clone();
    let sheet = sheet_of(ledger.state(), id)?.body.clone();
    let target = target_of(ledger.state(), id, &dispatch.environment)?.clone();
    let wave = usize::try_from(dispatch.wave).unwrap_or(usize::MAX);
    let of_seconds = sheet.rollout.get(wave.saturating_sub(1)).map_or(0, |planned| planned.bake_seconds);
    let reached: Vec<&Segment> = sheet
        .rollout
        .iter()
        .take(wave)
        .filter_map(|planned| target.segments.iter().find(|segment| segment.name == planned.segment))
        .collect();
    let from = clock::now();
    let mut measured = Measured::default();
    if dispatched.succeeded() {
        let probe = Probe::new().map_err(|error| Error::new(ErrorKind::Cannot, "tls", error.to_string()))?;
        let began = Instant::now();
        let interval = Duration::from_millis((of_seconds * 1000 / 20).clamp(500, 30_000));
        loop {
            let sample = probe.sample(&reached, sheet.version.as_str(), &sheet.artifacts[0]).await;
            let baked_seconds = began.elapsed().as_secs();
            watch(Event::Sampled { wave: dispatch.wave, baked_seconds, of_seconds, sample: sample.clone() });
            measured.take(began.elapsed(), interval, sample);
            ledger.refresh()?;
            let halted = release(ledger.state(), id)?.active_holds().next().map(|hold| hold.reason.clone());
            if let Some(reason) = halted {
                measured.stopped = Some(reason);
            }
            // By both clocks: the span is told in whole seconds of the one, of which the first may be nearly over.
            let over = began.elapsed() >= Duration::from_secs(of_seconds)
                && clock::now().seconds_since(from) >= i64::try_from(of_seconds).unwrap_or(i64::MAX);
            if measured.failed > 0 || measured.stopped.is_some() || over {
                break;
            }
            sleep(
                interval
                    .min(Duration::from_secs(of_seconds).saturating_sub(began.elapsed()) + Duration::from_millis(200)),
            )
            .await;
        }
    } else {
        measured.failed = 1;
        measured.first_wrong = Some(dispatched.detail.clone().unwrap_or_else(|| "the deployment failed".into()));
    }
    let until = clock::now();
    let verdict = measured.verdict();
    let detail = measured.detail(until.seconds_since(from), of_seconds);
    let body = Wave {
        coverage_percent: measured.coverage_percent(),
        detail: told(&detail).expect("the detail is never blank"),
        environment: dispatch.environment,
        failed: measured.failed,
        release: id.clone(),
        samples: measured.samples,
        sheet: dispatch.sheet,
        span: Window { from, until },
        verdict,
        wave: dispatch.wave,
    };
    ledger.as_dispatcher(&Command::Record(body.into()), None)?;
    watch(Event::Wave { wave: dispatch.wave, verdict, detail });
    Ok(verdict)
}

/// What the samples of one wave come to.
#[derive(Debug, Default)]
struct Measured {
    samples: u64,
    failed: u64,
    first_wrong: Option<String>,
    stopped: Option<String>,
    last: Duration,
    covered: Duration,
    elapsed: Duration,
}

impl Measured {
    fn take(&mut self, at: Duration, interval: Duration, sample: Sample) {
        self.samples += 1;
        if !sample.well() {
            self.failed += 1;
            self.first_wrong = sample.wrong.into_iter().next().or(Some("the target names no version URL".into()));
        }
        // A sample speaks for the time since the one before, but not for longer than three intervals: a gap is a gap.
        let gap = at.saturating_sub(self.last);
        self.covered += gap.min(interval * 3 + Duration::from_secs(1));
        self.elapsed = at;
        self.last = at;
    }

    fn coverage_percent(&self) -> u64 {
        if self.samples == 0 {
            return 0;
        }
        let elapsed = self.elapsed.as_nanos().max(1);
        u64::try_from((self.covered.as_nanos() * 100 / elapsed).min(100))
            .unwrap_or(100)
            .max(u64::from(self.elapsed.is_zero()) * 100)
    }

    fn verdict(&self) -> WaveVerdict {
        if self.failed > 0 {
            WaveVerdict::Fail
        } else if self.stopped.is_some() || self.samples == 0 || self.coverage_percent() < 90 {
            WaveVerdict::Inconclusive
        } else {
            WaveVerdict::Pass
        }
    }

    fn detail(&self, baked_seconds: i64, of_seconds: u64) -> String {
        let seen = format!("{} samples over {baked_seconds} s of {of_seconds} s", self.samples);
        match (&self.first_wrong, &self.stopped) {
            (Some(wrong), _) => format!("{wrong} ({seen})"),
            (None, Some(reason)) => format!("stopped: {reason} ({seen})"),
            (None, None) => format!("all well: {seen}"),
        }
    }
}

/// Takes the rollout back by the sheet's slot, and checks that what was live before runs again.
///
/// # Errors
/// A rule refuses, or the way back did not succeed.
pub async fn rollback(
    ledger: &mut Ledger,
    connector: &dyn Connector,
    id: &ReleaseId,
    by: Option<Principal>,
    resends: Option<Line>,
    pace: Pace,
    watch: Watch<'_>,
) -> Result<Dispatched, Error> {
    let _taken = take(ledger, id, DispatchKind::Rollback)?;
    ledger.refresh()?;
    let sheet = sheet_of(ledger.state(), id)?.body.clone();
    let environment = sheet.environment.clone();
    let order = Order { release: id.clone(), environment, kind: DispatchKind::Rollback, by, resends };
    let dispatched = dispatch(ledger, connector, order, pace, watch).await?;
    if !dispatched.succeeded() {
        return Err(not_deployed(&dispatched));
    }
    let target = target_of(ledger.state(), id, &sheet.environment)?.clone();
    let record = record(ledger.state(), id, &dispatched.request_id)?.body.clone();
    if let Some(slot) = sheet.rollback {
        let probe = Probe::new().map_err(|error| Error::new(ErrorKind::Cannot, "tls", error.to_string()))?;
        let segments = segments_of(release(ledger.state(), id)?, &record, &target);
        let sample = probe.sample(&segments, slot.version.as_str(), &slot.artifacts[0]).await;
        if !sample.well() {
            watch(Event::Note(format!("the way back succeeded, but: {}", sample.wrong.join("; "))));
        }
    }
    Ok(dispatched)
}

/// Waits for what talks to other machines, on a thread that has nothing else to do.
///
/// # Errors
/// What the future refuses, or no thread can be had.
pub fn block_on<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Error::new(ErrorKind::Cannot, "runtime", error.to_string()))?;
    runtime.block_on(future)
}

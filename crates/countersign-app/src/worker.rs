//! The worker: does what the ledger already allows and nobody has to start.
//!
//! It goes on with what a crash left behind, bakes waves, sends the next one, starts what is scheduled or puts it on hold
//! where something stands in the way, signs for a standing authorization within its bounds, and takes back what failed where
//! the policy says so. It decides nothing itself: [`next_task`](countersign_core::due::next_task) reads from the
//! ledger what is due, and every entry it writes passes the same rules as a person's. A lease in the ledger keeps it single
//! among devices; on one desk it shares the work with whoever dispatches there (see [`crate::rollout`]).

use std::time::Duration;

use countersign_core::act::{DispatchState, Hold, HoldChange, Lease};
use countersign_core::decide::Command;
use countersign_core::due::{Task, next_task};
use countersign_core::judge;
use countersign_core::words::{Line, Principal, ReleaseId, Slug};

use crate::clock;
use crate::connector::Connector;
use crate::error::{Error, ErrorKind};
use crate::ledger::Ledger;
use crate::rollout::{self, Dispatched, Event, Pace, Watch};

/// How long a lease is taken for, and how early it is renewed.
const LEASE_SECONDS: i64 = 900;
const LEASE_RENEW_SECONDS: i64 = 120;

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
                scheduled: false,
            };
            ledger.as_dispatcher(&command, None)?;
        }
        Task::AutomaticGo(authorization) => {
            let command = Command::AutomaticGo { release: id.clone(), authorization: *authorization };
            ledger.as_dispatcher(&command, None)?;
        }
        Task::Hold(cause) => {
            let hold = Hold { change: HoldChange::Hold { question: None }, release: id.clone() };
            ledger.as_dispatcher(&Command::Record(hold.into()), Some(cause.clone()))?;
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

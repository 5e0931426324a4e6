//! The rules over what is sent out, by whom, and what came of it.

use super::*;
use crate::act;

/// The longest time a worker may take the work for.
const LEASE_SECONDS_MAX: i64 = 3600;

pub(super) fn dispatch(case: &Case<'_>, body: &Dispatch) -> Result<(), Rejection> {
    let (state, at) = (case.state, case.at);
    let device = &case.statement.common.signer.principal;
    ensure(is_dispatcher(state, device), Code::WrongSigner, || format!("{device} is not an enrolled dispatcher"))?;
    let release = case.release(&body.release)?;
    ensure(body.conclusion.is_some() == (body.state == DispatchState::Finished), Code::Field, || {
        "a conclusion stands with `finished`, and only there".into()
    })?;
    if body.state == DispatchState::Prepared {
        ensure(!state.request_ids.contains_key(&body.request_id), Code::Reused, || {
            format!("{} was used before", body.request_id)
        })?;
        return check_prepared(state, release, body, device, at);
    }
    let Some(record) = release.dispatches.iter().find(|record| record.body.request_id == body.request_id) else {
        return Err(Rejection::new(Code::NotFound, format!("{} was not prepared", body.request_id)));
    };
    use DispatchState::{Accepted, Bound, FateUnknown, Finished, Prepared, Refused, Sending};
    let follows = match (record.body.state, body.state) {
        (Prepared, Sending | Refused) => true,
        (Sending, Accepted | Refused | FateUnknown) => true,
        (Accepted, Bound | FateUnknown | Finished) => true,
        // Reconciled: the run was found by its request id, or the CI system says for certain that it never came.
        (FateUnknown, Bound | Refused | Finished) => true,
        (Bound, Finished | FateUnknown) => true,
        _ => false,
    };
    ensure(follows, Code::WrongState, || format!("{} does not follow {}", body.state, record.body.state))?;
    let needs_run = body.state == Bound || body.conclusion == Some(RunConclusion::Success);
    ensure(!needs_run || body.run.is_some() || record.body.run.is_some(), Code::Field, || "no run is named".into())?;
    let same = record.body.sheet == body.sheet
        && record.body.wave == body.wave
        && record.body.environment == body.environment
        && record.body.kind == body.kind
        && record.body.artifact == body.artifact;
    ensure(same, Code::Field, || "it is not the dispatch that was prepared".into())
}

fn check_prepared(
    state: &State,
    release: &Release,
    body: &Dispatch,
    device: &Principal,
    at: Timestamp,
) -> Result<(), Rejection> {
    let product = &release.candidate.product;
    let place = (product.clone(), body.environment.clone());
    let on_path = state.products.get(product).is_some_and(|(_, product)| product.path.contains(&body.environment));
    ensure(on_path, Code::NotFound, || format!("{} is not on the promotion path of {product}", body.environment))?;
    ensure(state.targets.contains_key(&place), Code::NotFound, || {
        format!("{product} has no target {}", body.environment)
    })?;
    if state.last_environment(product) != Some(&body.environment) {
        return check_staging(state, release, body, at);
    }
    let sheet = sheet::current_sheet(release, body.sheet)?;
    sheet::ensure_after(Some(sheet), at)?;
    ensure(sheet.body.environment == body.environment, Code::Field, || "the sheet is for another environment".into())?;
    match body.kind {
        DispatchKind::Deploy => {
            ensure(body.artifact == sheet.body.artifacts[0].sha256, Code::Stale, || {
                "it brings another artifact than the sheet".into()
            })?;
            judge::may_dispatch(state, release, sheet, body.wave, body.resends.as_ref(), at)?;
            check_starter(state, release, sheet, body, device, at)
        }
        DispatchKind::Rollback => {
            let slot = sheet.body.rollback.as_ref().ok_or_else(|| {
                Rejection::new(Code::WrongState, "the sheet has no way back: this was the first release")
            })?;
            ensure(body.artifact == slot.artifacts[0].sha256, Code::Stale, || {
                "it brings another artifact than the rollback slot".into()
            })?;
            check_rollback(state, release, sheet, body, at)?;
            match &body.by {
                Some(who) => ensure_manager(state, who, product, at),
                None => {
                    let auto = state
                        .policy(product)
                        .is_some_and(|record| record.policy.rollback == crate::policy::RollbackRule::Auto);
                    ensure(auto, Code::WrongSigner, || "the policy asks a person to roll back".into())?;
                    let now = judge::release_state(state, release, at);
                    ensure(now == judge::ReleaseState::RolloutHalted, Code::WrongState, || {
                        format!("{} is {now}: a rollout that has not halted is rolled back by a person", release.id)
                    })?;
                    ensure_lease(state, device, at)
                }
            }
        }
    }
}

fn check_rollback(
    state: &State,
    release: &Release,
    sheet: &Sheet,
    body: &Dispatch,
    at: Timestamp,
) -> Result<(), Rejection> {
    let deploys = || release.dispatches_of(sheet.entry, DispatchKind::Deploy);
    let highest = deploys()
        .filter(|dispatch| dispatch.body.state != DispatchState::Refused)
        .map(|dispatch| dispatch.body.wave)
        .max();
    ensure(highest.is_some(), Code::WrongState, || "nothing was deployed that could be taken back".into())?;
    ensure(highest == Some(body.wave), Code::WaveOrder, || {
        format!("waves up to {} went out", highest.unwrap_or_default())
    })?;
    judge::may_send(release, sheet.entry, DispatchKind::Rollback, None, body.resends.as_ref())?;
    judge::ensure_rollback_not_frozen(state, &release.candidate.product, &body.environment, at)?;
    // What takes the place of another release's artifact would be a downgrade nobody decided on.
    let place = (release.candidate.product.clone(), body.environment.clone());
    match judge::rollout_in(state, &place.0, &place.1, at) {
        Some(other) if other != release.id => {
            let message = format!("the rollout of {other} has {}", body.environment);
            return Err(Rejection::new(Code::EnvironmentBusy, message));
        }
        Some(_) => {}
        None => {
            ensure(state.live.get(&place).is_some_and(|live| live.release == release.id), Code::WrongState, || {
                format!("{} is not what {} runs", release.id, body.environment)
            })?
        }
    }
    let running = deploys().find(|dispatch| dispatch.open() && dispatch.body.state != DispatchState::FateUnknown);
    if let Some(running) = running {
        return Err(Rejection::new(
            Code::EnvironmentBusy,
            format!("{} is still on its way to {}", running.body.request_id, body.environment),
        )
        .hint("cancel it, or wait for its end"));
    }
    Ok(())
}

/// Delivery to an environment before the go/no-go: nobody signs, but a red gate halts the pipeline.
fn check_staging(state: &State, release: &Release, body: &Dispatch, at: Timestamp) -> Result<(), Rejection> {
    ensure(release.ended.is_none(), Code::WrongState, || format!("{} was given up", release.id))?;
    ensure(body.kind == DispatchKind::Deploy && body.wave == 1, Code::Field, || "a delivery has one wave".into())?;
    ensure(body.sheet == release.candidate_entry, Code::Stale, || "the candidate was amended".into())?;
    ensure(body.artifact == release.artifact().sha256, Code::Stale, || {
        "it brings another artifact than the candidate".into()
    })?;
    if let Some(red) = judge::checks(state, release, at).into_iter().find(judge::Check::red) {
        return Err(Rejection::new(Code::Halted, format!("gate {} is red: {}", red.gate, red.detail))
            .hint("propose a new candidate, or have a waiver for this gate signed"));
    }
    // A halt is about the rollout; a hold is about the release.
    if let Some(hold) = release.active_holds().find(|hold| !matches!(hold.change, HoldChange::Halt {})) {
        return Err(Rejection::new(
            Code::OnHold,
            format!("{} stopped it: {}", state.printed_name(&hold.by), hold.reason),
        ));
    }
    judge::ensure_not_frozen(state, release, &body.environment, at)?;
    judge::ensure_may_enter(state, release, &body.environment, at)?;
    if let Some(who) = &body.by {
        let person = state.people.get(who);
        let person = person.ok_or_else(|| Rejection::new(Code::RoleMissing, format!("{who} has no role")))?;
        permission::ensure(person, Deed::Deliver, None, at)?;
    }
    let busy: Vec<_> = state
        .open_releases(&release.candidate.product)
        .flat_map(judge::under_way)
        .filter(|dispatch| dispatch.body.environment == body.environment)
        .collect();
    let resent = |dispatch: &DispatchRecord| {
        dispatch.body.state == DispatchState::FateUnknown
            && body.resends.as_ref() == Some(&dispatch.body.request_id)
            && dispatch.body.sheet == body.sheet
    };
    if let Some(dispatch) = busy.iter().find(|dispatch| !resent(dispatch)) {
        return Err(Rejection::new(
            Code::EnvironmentBusy,
            format!("{} is still on its way to {}", dispatch.body.request_id, body.environment),
        ));
    }
    ensure(body.resends.is_none() || !busy.is_empty(), Code::NotFound, || {
        "no dispatch of unknown fate is sent again".into()
    })
}

fn ensure_manager(state: &State, who: &Principal, product: &Slug, at: Timestamp) -> Result<(), Rejection> {
    let person =
        state.people.get(who).ok_or_else(|| Rejection::new(Code::NotFound, format!("there is no person {who}")))?;
    permission::ensure(person, Deed::Dispatch, Some(product), at)
}

/// Who may start a wave: the release manager, or the worker where the policy or an authorization says so.
fn check_starter(
    state: &State,
    release: &Release,
    sheet: &Sheet,
    body: &Dispatch,
    device: &Principal,
    at: Timestamp,
) -> Result<(), Rejection> {
    let product = &release.candidate.product;
    let policy = &state.policy(product).expect("may_dispatch has asked it").policy;
    match &body.by {
        Some(who) => {
            ensure_manager(state, who, product, at)?;
            let approved = sheet.answers.iter().any(|answer| answer.principal == *who || answer.eyes() == who);
            ensure(!(approved && policy.distinct.contains(&Distinct::Dispatcher)), Code::SegregationFailed, || {
                format!("{who} signed this sheet and may not dispatch it")
            })
        }
        None => {
            let outcome = judge::decision(state, release, sheet, at).outcome;
            let by_itself =
                matches!(outcome, judge::Outcome::Go { authorization: Some(used) } if judge::deploys(state, used));
            let may = by_itself || sheet.body.scheduled || policy.dispatch == DispatchRule::OnQuorum || body.wave > 1;
            ensure(may, Code::WrongSigner, || "the policy asks the release manager to dispatch".into())?;
            ensure_lease(state, device, at)
        }
    }
}

pub(super) fn wave(case: &Case<'_>, body: &act::Wave) -> Result<(), Rejection> {
    let (state, at) = (case.state, case.at);
    let release = case.release(&body.release)?;
    match case.by {
        SignedBy::Person(person) => {
            permission::ensure(person, Deed::Wave, Some(&release.candidate.product), at)?;
            ensure(body.verdict != WaveVerdict::Pass, Code::WrongSigner, || {
                "only what a device has measured passes a wave".into()
            })?;
        }
        SignedBy::Device(device) => {
            ensure(is_dispatcher(state, device), Code::WrongSigner, || {
                format!("{device} is not an enrolled dispatcher")
            })?;
        }
    }
    let sheet = sheet::current_sheet(release, body.sheet)?;
    ensure(sheet.body.environment == body.environment, Code::Field, || "the sheet is for another environment".into())?;
    let planned = usize::try_from(body.wave)
        .ok()
        .and_then(|wave| wave.checked_sub(1))
        .and_then(|place| sheet.body.rollout.get(place));
    let Some(planned) = planned else {
        return Err(Rejection::new(Code::WaveOrder, format!("the sheet has no wave {}", body.wave)));
    };
    ensure(release.outcome.is_none(), Code::WrongState, || "the release was reviewed already".into())?;
    let taken_back = release
        .dispatches_of(sheet.entry, DispatchKind::Rollback)
        .any(|dispatch| dispatch.body.state != DispatchState::Refused);
    ensure(!taken_back, Code::WrongState, || "this rollout is being taken back".into())?;
    let Some(dispatch) = release.wave_dispatch(sheet.entry, body.wave).filter(|dispatch| !dispatch.open()) else {
        return Err(Rejection::new(Code::WrongState, "the wave's dispatch has not finished"));
    };
    ensure(judge::next_wave(release, sheet) == Some(body.wave), Code::AlreadyDone, || {
        "the wave has passed already".into()
    })?;
    let failed_before =
        release.wave_of(sheet.entry, body.wave).is_some_and(|verdict| verdict.verdict == WaveVerdict::Fail);
    ensure(!failed_before, Code::AlreadyDone, || "the wave has failed; a new sheet decides anew".into())?;
    if body.verdict == WaveVerdict::Pass {
        let baked = body.span.until.seconds_since(body.span.from);
        let needed = i64::try_from(planned.bake_seconds).unwrap_or(i64::MAX);
        ensure(dispatch.succeeded(), Code::WrongState, || "the wave's dispatch did not succeed".into())?;
        ensure(body.failed == 0 && body.samples > 0, Code::Field, || {
            "a wave with failed samples, or none, does not pass".into()
        })?;
        ensure(baked >= needed && (90..=100).contains(&body.coverage_percent), Code::Field, || {
            format!("baked {baked} s of {needed} s with samples over {} %; 90 % are needed", body.coverage_percent)
        })?;
        let finished = dispatch.steps.last().map(|(_, _, time)| *time);
        let within = finished.is_some_and(|finished| finished <= body.span.from) && body.span.until <= at;
        ensure(within, Code::Field, || {
            format!(
                "it baked from {} to {}, which is not after the deploy and before now",
                body.span.from, body.span.until
            )
        })?;
    }
    Ok(())
}

pub(super) fn run(case: &Case<'_>, body: &act::Run) -> Result<(), Rejection> {
    let release = case.release(&body.release)?;
    let known = release.dispatches.iter().any(|dispatch| dispatch.body.request_id == body.request_id);
    ensure(known, Code::NotFound, || format!("{} is not a dispatch of this release", body.request_id))
}

pub(super) fn lease(case: &Case<'_>, body: &act::Lease) -> Result<(), Rejection> {
    let device = &case.statement.common.signer.principal;
    ensure(is_dispatcher(case.state, device), Code::WrongSigner, || format!("{device} is not an enrolled dispatcher"))?;
    // A lease that runs for longer than one may was taken by a clock far ahead; it keeps nobody out.
    let runs = |until: Timestamp| {
        case.at <= until && until.seconds_since(case.at) <= LEASE_SECONDS_MAX + CLOCK_TOLERANCE_SECONDS
    };
    let taken = case.state.lease.as_ref().filter(|(holder, until)| holder != device && runs(*until));
    if let Some((holder, until)) = taken.filter(|(holder, _)| is_dispatcher(case.state, holder)) {
        return Err(Rejection::new(Code::AlreadyDone, format!("{holder} has the work until {until}")));
    }
    let seconds = body.until.seconds_since(case.at);
    ensure((1..=LEASE_SECONDS_MAX).contains(&seconds), Code::Field, || "a lease lasts up to an hour".into())
}

/// Refuses unless the device holds the worker's lease: what nobody at a desk started, only one worker may start.
fn ensure_lease(state: &State, device: &Principal, at: Timestamp) -> Result<(), Rejection> {
    let holds = state.lease.as_ref().is_some_and(|(holder, until)| holder == device && at <= *until);
    ensure(holds, Code::WrongSigner, || format!("{device} does not hold the worker's lease"))
}

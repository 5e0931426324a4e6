//! What may be sent out now, and where a release stands.

use super::*;

/// Returns whether nothing more happens to the release unless somebody decides on it anew: it is given up or its rollout
/// came to an end, nothing of it is under way, and no review of it is missing.
pub(crate) fn at_rest(release: &Release) -> bool {
    let over = match release.sheet().and_then(|sheet| rollout_state(release, sheet)) {
        Some(rollout) => matches!(rollout, ReleaseState::Live | ReleaseState::RolledBack),
        None => release.ended.is_some(),
    };
    let reviewed = release.candidate.change_type != ChangeType::Emergency || release.emergency_review.is_some();
    over && reviewed && under_way(release).next().is_none()
}

/// Returns the release whose rollout has the environment, if one has.
pub fn rollout_in(state: &State, product: &Slug, environment: &Slug, at: Timestamp) -> Option<ReleaseId> {
    state
        .open_releases(product)
        .find(|release| {
            release.sheet().is_some_and(|sheet| {
                sheet.body.environment == *environment
                    && release.rollout_began(sheet.entry)
                    && matches!(
                        release_state(state, release, at),
                        ReleaseState::Dispatching | ReleaseState::RollingOut | ReleaseState::RolloutHalted
                    )
            })
        })
        .map(|release| release.id.clone())
}

/// Returns the dispatches that may still change what runs. One of unknown fate is none of them once it was sent again, or
/// once its wave was executed by another: the pipeline has no claim left for it.
pub fn under_way(release: &Release) -> impl Iterator<Item = &DispatchRecord> {
    let executed = |dispatch: &DispatchRecord| {
        let body = &dispatch.body;
        body.state == DispatchState::FateUnknown
            && body.kind == DispatchKind::Deploy
            && release.wave_dispatch(body.sheet, body.wave).is_some_and(DispatchRecord::succeeded)
    };
    let over = move |dispatch: &DispatchRecord| sent_again(release, dispatch) || executed(dispatch);
    release.dispatches.iter().filter(move |dispatch| dispatch.open() && !over(dispatch))
}

/// Returns whether another dispatch that was not refused has been sent in this one's place.
pub(crate) fn sent_again(release: &Release, dispatch: &DispatchRecord) -> bool {
    release.dispatches.iter().any(|later| {
        later.body.resends.as_ref() == Some(&dispatch.body.request_id) && later.body.state != DispatchState::Refused
    })
}

/// Refuses a dispatch of a sheet (of one wave, for a deploy) that another dispatch already stands for.
///
/// What was refused may be sent again; so may what ended in unknown fate, by naming it; and a rollback that failed. Where
/// another rollback turned out to have succeeded, one of unknown fate may still be sent again: it comes to the same, and
/// nothing else closes it.
pub(crate) fn may_send(
    release: &Release,
    sheet: EntryRef,
    kind: DispatchKind,
    wave: Option<u64>,
    resends: Option<&Line>,
) -> Result<(), Rejection> {
    let mut named = resends.is_none();
    let earlier =
        release.dispatches_of(sheet, kind).filter(|dispatch| wave.is_none_or(|wave| dispatch.body.wave == wave));
    for earlier in earlier {
        let id = &earlier.body.request_id;
        match earlier.body.state {
            DispatchState::Refused => {}
            DispatchState::Finished
                if kind == DispatchKind::Rollback && (!earlier.succeeded() || resends.is_some()) => {}
            DispatchState::FateUnknown if sent_again(release, earlier) => {}
            DispatchState::FateUnknown => {
                ensure(resends == Some(id), Code::AlreadyDispatched, || {
                    format!("the fate of {id} is not known; reconcile it, or send again naming it")
                })?;
                named = true;
            }
            _ => {
                let what = match wave {
                    Some(wave) => format!("wave {wave} of this sheet was dispatched as {id}"),
                    None => format!("it is taken back by {id}"),
                };
                return Err(Rejection::new(Code::AlreadyDispatched, what)
                    .hint("a signed sheet deploys each wave once; freeze a new sheet to deploy again"));
            }
        }
    }
    ensure(named, Code::NotFound, || "no dispatch of unknown fate is sent again".into())
}

/// Returns the first wave of the sheet that has no passing verdict; `None` when all have.
pub fn next_wave(release: &Release, sheet: &Sheet) -> Option<u64> {
    (1..=sheet.body.rollout.len() as u64)
        .find(|wave| release.wave_of(sheet.entry, *wave).is_none_or(|verdict| verdict.verdict != WaveVerdict::Pass))
}

/// Returns where a release stands at that moment.
pub fn release_state(state: &State, release: &Release, at: Timestamp) -> ReleaseState {
    // Taken back after its review, it is a rollout again, has the environment, and is reviewed anew.
    let taken_back_since = |reviewed: EntryRef| {
        release.dispatches.iter().any(|dispatch| {
            dispatch.body.kind == DispatchKind::Rollback
                && dispatch.body.state != DispatchState::Refused
                && dispatch.entry > reviewed
        })
    };
    if release.outcome.as_ref().is_some_and(|(entry, _)| !taken_back_since(*entry)) {
        return ReleaseState::Reviewed;
    }
    let current = release.sheet();
    if let Some((sheet, rollout)) = current.and_then(|sheet| Some((sheet, rollout_state(release, sheet)?))) {
        let running = matches!(rollout, ReleaseState::Dispatching | ReleaseState::RollingOut);
        let stopped = || {
            checks(state, release, at).iter().any(Check::red)
                || matches!(decision(state, release, sheet, at).outcome, Outcome::NoGo(_))
        };
        return if running && stopped() { ReleaseState::RolloutHalted } else { rollout };
    }
    match &release.ended {
        Some((_, Some(_))) => return ReleaseState::Superseded,
        Some((_, None)) => return ReleaseState::Withdrawn,
        None => {}
    }
    let checks = checks(state, release, at);
    if checks.iter().any(Check::red) {
        return ReleaseState::Halted;
    }
    // What was said about a candidate ends with it.
    let current = current.filter(|sheet| sheet.body.candidate == release.candidate_entry);
    let decision = current.map(|sheet| decision(state, release, sheet, at).outcome);
    if matches!(decision, Some(Outcome::NoGo(_))) {
        return ReleaseState::NoGo;
    }
    let unclear = current.is_some_and(|sheet| late_inconclusive(release, sheet).is_some());
    if release.active_holds().next().is_some() || unclear || matches!(decision, Some(Outcome::Hold(_))) {
        return ReleaseState::OnHold;
    }
    match decision {
        // A freeze that came after the GO holds it, whoever declared it; nobody has to notice first.
        Some(Outcome::Go { .. }) if stopped_by_freeze(state, release, at) => return ReleaseState::OnHold,
        Some(Outcome::Go { .. }) => return ReleaseState::Authorized,
        Some(Outcome::Incomplete) => return ReleaseState::Ready,
        Some(Outcome::Expired) => return ReleaseState::Expired,
        Some(Outcome::Stale(_) | Outcome::NoGo(_) | Outcome::Hold(_)) | None => {}
    }
    if staged(state, release).is_some() {
        ReleaseState::Staged
    } else if release.evidence.is_empty() {
        ReleaseState::Draft
    } else {
        ReleaseState::Collecting
    }
}

/// Returns where the rollout of a sheet stands, once a wave of it was dispatched.
pub(super) fn rollout_state(release: &Release, sheet: &Sheet) -> Option<ReleaseState> {
    if !release.rollout_began(sheet.entry) {
        return None;
    }
    let back = |dispatch: &&DispatchRecord| {
        dispatch.body.kind == DispatchKind::Rollback
            && dispatch.body.sheet == sheet.entry
            && dispatch.body.state != DispatchState::Refused
    };
    if release.dispatches.iter().any(|dispatch| back(&dispatch)) {
        // While one of them may still arrive, the environment is nobody else's.
        let over = !under_way(release).any(|dispatch| back(&dispatch));
        let taken_back = over && release.dispatches.iter().filter(back).any(DispatchRecord::succeeded);
        return Some(if taken_back { ReleaseState::RolledBack } else { ReleaseState::RolloutHalted });
    }
    let Some(next) = next_wave(release, sheet) else {
        return Some(ReleaseState::Live);
    };
    let halted = release.active_holds().any(|hold| matches!(hold.change, HoldChange::Halt {}));
    let bad_wave = release.wave_of(sheet.entry, next).is_some_and(|verdict| verdict.verdict != WaveVerdict::Pass);
    let dispatch = release.wave_dispatch(sheet.entry, next);
    let failed = dispatch.is_some_and(|dispatch| {
        !dispatch.open() && !dispatch.succeeded() || dispatch.body.state == DispatchState::FateUnknown
    });
    if halted || bad_wave || failed {
        Some(ReleaseState::RolloutHalted)
    } else if next == 1 && dispatch.is_some_and(DispatchRecord::open) {
        Some(ReleaseState::Dispatching)
    } else {
        Some(ReleaseState::RollingOut)
    }
}

/// Returns whether a wave of the sheet may be sent out at that moment.
///
/// This is the last gate: admission asks it for the entry that must be durable before the first byte leaves, and the
/// verifier asks it again.
///
/// # Errors
/// The first rule that refuses.
pub fn may_dispatch(
    state: &State,
    release: &Release,
    sheet: &Sheet,
    wave: u64,
    resends: Option<&Line>,
    at: Timestamp,
) -> Result<(), Rejection> {
    let body = &sheet.body;
    ensure(release.ended.is_none(), Code::WrongState, || format!("{} was given up", release.id))?;
    let planned =
        usize::try_from(wave).ok().and_then(|wave| wave.checked_sub(1)).and_then(|place| body.rollout.get(place));
    ensure(planned.is_some(), Code::WaveOrder, || format!("the sheet has no wave {wave}"))?;

    ensure(release.outcome.is_none(), Code::WrongState, || format!("{} was reviewed already", release.id))?;
    ensure(release.dispatches_of(sheet.entry, DispatchKind::Rollback).next().is_none(), Code::WrongState, || {
        "this rollout is being taken back".into()
    })?;
    may_send(release, sheet.entry, DispatchKind::Deploy, Some(wave), resends)?;
    let expected = next_wave(release, sheet);
    ensure(expected == Some(wave), Code::WaveOrder, || match expected {
        Some(next) => format!("wave {next} comes next and has no passing verdict yet"),
        None => "all waves have passed".into(),
    })?;

    if let Some(hold) = release.active_holds().next() {
        return Err(Rejection::new(
            Code::OnHold,
            format!("{} stopped it ({}): {}", state.printed_name(&hold.by), hold.entry, hold.reason),
        )
        .hint("a release manager resumes it with `countersign hold --resume`"));
    }
    ensure_not_frozen(state, release, &body.environment, at)?;
    ensure_open(state, release, at)?;
    let place = (body.product.clone(), body.environment.clone());
    let target = state.targets.get(&place).map(|(entry, _)| *entry);
    ensure(target == Some(body.target), Code::Stale, || "the target's configuration has moved since".into())?;
    if let Some(red) = checks(state, release, at).into_iter().find(Check::red) {
        return Err(Rejection::new(Code::Halted, format!("gate {} is red: {}", red.gate, red.detail))
            .hint("propose a new candidate, or sign a waiver for this gate"));
    }
    if let Some(late) = late_inconclusive(release, sheet) {
        return Err(Rejection::new(
            Code::OnHold,
            format!("evidence after the freeze is inconclusive: {}", late.body.name),
        ));
    }
    if let Some(busy) = rollout_in(state, &body.product, &body.environment, at).filter(|busy| *busy != release.id) {
        return Err(Rejection::new(Code::EnvironmentBusy, format!("the rollout of {busy} has {}", body.environment))
            .hint("finish it or roll it back first"));
    }
    let decision = decision(state, release, sheet, at);
    if wave == 1 {
        ensure_reviewed(state, release, at)?;
        if let Some(open) = checks(state, release, at).into_iter().find(Check::open) {
            return Err(Rejection::new(Code::GateOpen, format!("gate {}: {}", open.gate, open.detail)));
        }
        ensure(body.window.contains(at), Code::OutsideWindow, || {
            format!("the window is {} to {}", body.window.from, body.window.until)
        })?;
        return go(&decision);
    }
    // Validity was judged at wave 1 and is on record; from then on only what was withdrawn since can stop a wave.
    match &decision.outcome {
        Outcome::NoGo(_) | Outcome::Hold(_) => return go(&decision),
        _ => {}
    }
    let used = decision.answers.iter().filter(|judged| !judged.replaced).find_map(|judged| judged.answer.authorization);
    if let Some(entry) = used.and_then(|used| state.authorizations.get(&used.index)?.suspended) {
        return Err(Rejection::new(
            Code::OutsideBounds,
            format!("the standing authorization was suspended by {entry}"),
        )
        .hint("roll back, or freeze a new sheet and ask people"));
    }
    let withdrawn = decision.answers.iter().find(|judged| !judged.replaced && judged.state == SignOffState::KeyRevoked);
    if let Some(judged) = withdrawn {
        return Err(Rejection::new(
            Code::KeyRevoked,
            format!("the GO of {} no longer stands: {}", judged.answer.name, judged.cause.clone().unwrap_or_default()),
        ));
    }
    Ok(())
}

/// Returns the evidence that came after the freeze and does not say.
pub(super) fn late_inconclusive<'a>(release: &'a Release, sheet: &Sheet) -> Option<&'a EvidenceRecord> {
    let listed = usize::try_from(sheet.body.evidence.count).unwrap_or(usize::MAX);
    release
        .evidence
        .iter()
        .skip(listed)
        .find(|record| record.body.conclusion == Conclusion::Inconclusive && !record.attached())
}

pub(super) fn go(decision: &Decision) -> Result<(), Rejection> {
    match &decision.outcome {
        Outcome::Go { .. } => Ok(()),
        Outcome::NoGo(who) => Err(Rejection::new(Code::NoGo, format!("{who} said NO-GO"))
            .hint("only their own later answer, or a new candidate, ends it")),
        Outcome::Hold(who) => Err(Rejection::new(Code::OnHold, format!("{who} asks to wait"))
            .hint("answer the question; then they sign again")),
        Outcome::Stale(moved) => {
            Err(Rejection::new(Code::Stale, format!("the sheet is stale; moved since: {}", moved_since(moved)))
                .hint("freeze a new sheet with `countersign request`; every signature is asked again"))
        }
        Outcome::Expired => Err(Rejection::new(Code::Expired, "the decision sheet is past its time")
            .hint("freeze a new sheet with `countersign request`")),
        Outcome::Incomplete => {
            let missing: Vec<String> = decision
                .slots
                .iter()
                .filter(|slot| !slot.full())
                .map(|slot| format!("{} {} of {}", slot.role, slot.signed.len(), slot.needed))
                .collect();
            Err(Rejection::new(Code::QuorumMissing, format!("signatures are missing: {}", missing.join(", "))))
        }
    }
}

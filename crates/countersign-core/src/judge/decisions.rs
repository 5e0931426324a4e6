//! Which decisions are open beside each other, and how long a pre-authorization stands.

use super::*;

/// For how many days a template of standard changes stands at most.
pub const TEMPLATE_DAYS: i64 = 180;
/// With how many failed releases a template ends.
pub const TEMPLATE_FAILURES: usize = 2;

/// Returns the other release of the product whose decision is open for a segment that this one's would reach.
///
/// A decision is open from the freezing of its sheet until it was dispatched, was refused, ran out or is no longer about what
/// the ledger says. An emergency waits for no other change.
pub fn open_decision<'a>(state: &'a State, release: &Release, at: Timestamp) -> Option<&'a Release> {
    let product = &release.candidate.product;
    let environment = state.last_environment(product)?;
    let policy = &state.policy(product)?.policy;
    let reaches = |segment: &Slug| policy.waves.iter().any(|wave| wave.segment == *segment);
    state.open_releases(product).find(|other| {
        other.id != release.id
            && other.ended.is_none()
            && (release.candidate.change_type != ChangeType::Emergency
                || other.candidate.change_type == ChangeType::Emergency)
            && other.sheet().is_some_and(|sheet| {
                let body = &sheet.body;
                body.environment == *environment
                    && body.candidate == other.candidate_entry
                    && at <= body.not_after
                    && body.rollout.iter().any(|wave| reaches(&wave.segment))
                    && !other.rollout_began(sheet.entry)
                    && drift(state, other, sheet).is_empty()
                    && matches!(
                        decision(state, other, sheet, at).outcome,
                        Outcome::Go { .. } | Outcome::Incomplete | Outcome::Hold(_)
                    )
            })
    })
}

/// Refuses a second open decision for one environment and segment: whichever goes out first makes the other stale.
pub(crate) fn ensure_sole_decision(state: &State, release: &Release, at: Timestamp) -> Result<(), Rejection> {
    let Some(other) = open_decision(state, release, at) else { return Ok(()) };
    let environment = state.last_environment(&release.candidate.product).map(Slug::as_str).unwrap_or_default();
    Err(Rejection::new(
        Code::DecisionOpen,
        format!("the decision on {} is open for {environment}; there is one at a time", other.id),
    )
    .hint(format!(
        "let it go out first, or end it: `countersign release withdraw {} --superseded-by {}`",
        other.id, release.id
    )))
}

/// Returns whether the standing authorization also starts what it signs; people start what a template signs.
pub fn deploys(state: &State, used: EntryRef) -> bool {
    state.authorizations.get(&used.index).is_some_and(|record| record.template.is_none())
}

/// Returns the releases a standing authorization signed for whose rollout failed: a wave failed or did not run through, or it
/// was taken back.
pub fn failures<'a>(state: &'a State, record: &AuthorizationRecord) -> Vec<&'a ReleaseId> {
    let failed = |release: &Release| {
        let signed = |sheet: &&Sheet| sheet.answers.iter().any(|answer| answer.authorization == Some(record.entry));
        release.sheets.iter().filter(signed).any(|sheet| {
            let waves = release.waves.iter().filter(|(_, wave)| wave.sheet == sheet.entry);
            waves.into_iter().any(|(_, wave)| wave.verdict == WaveVerdict::Fail)
                || release
                    .dispatches_of(sheet.entry, DispatchKind::Rollback)
                    .any(|back| back.body.state != DispatchState::Refused)
                || (1..=sheet.body.rollout.len() as u64)
                    .filter_map(|wave| release.wave_dispatch(sheet.entry, wave))
                    .any(|sent| !sent.open() && !sent.succeeded())
        })
    };
    state.releases.values().filter(|release| failed(release)).map(|release| &release.id).collect()
}

/// Returns why a template has ended, where too many releases of it have failed.
pub(super) fn failed_too_often(state: &State, record: &AuthorizationRecord) -> Option<String> {
    record.template.as_ref()?;
    let failed = failures(state, record);
    (failed.len() >= TEMPLATE_FAILURES).then(|| {
        let named: Vec<&str> = failed.iter().map(|id| id.as_str()).collect();
        format!("it ended with its second failure: {}", named.join(", "))
    })
}

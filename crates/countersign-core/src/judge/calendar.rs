//! What the calendar says: freezes, the windows of a policy, what overlaps a decision, and reviews that are due.

use chrono::{Datelike, Days, Weekday};

use super::*;
use crate::act::{ChangeType, Window};
use crate::policy::Exempt;
use crate::state::Freeze;

/// Returns the freeze that forbids dispatches to the environment at that moment, if one does, and the occurrence of it.
pub fn frozen<'a>(state: &'a State, product: &Slug, environment: &Slug, at: Timestamp) -> Option<(&'a Freeze, Window)> {
    freezes_over(state, product, environment, Window { from: at, until: at }).next()
}

/// Returns the freezes in force that share a moment with the window, each with the first occurrence that does.
pub fn freezes_over<'a>(
    state: &'a State,
    product: &Slug,
    environment: &Slug,
    window: Window,
) -> impl Iterator<Item = (&'a Freeze, Window)> {
    let (product, environment) = (product.clone(), environment.clone());
    state
        .freezes
        .values()
        .filter(move |freeze| {
            freeze.lifted.is_none()
                && freeze.product.as_ref().is_none_or(|only| *only == product)
                && freeze.environment.as_ref().is_none_or(|only| *only == environment)
        })
        .filter_map(move |freeze| Some((freeze, freeze.when.overlapping(window).next()?)))
}

/// Refuses while a freeze forbids dispatches to the environment, unless the signed policy exempts the change.
pub(crate) fn ensure_not_frozen(
    state: &State,
    release: &Release,
    environment: &Slug,
    at: Timestamp,
) -> Result<(), Rejection> {
    let product = &release.candidate.product;
    if exempt(state, release) {
        return Ok(());
    }
    match frozen(state, product, environment, at) {
        Some((freeze, span)) => Err(refused_by(state, freeze, span)),
        None => Ok(()),
    }
}

/// Returns whether a freeze keeps the release from its environment at that moment.
pub(crate) fn stopped_by_freeze(state: &State, release: &Release, at: Timestamp) -> bool {
    let environment = state.last_environment(&release.candidate.product);
    environment.is_some_and(|environment| ensure_not_frozen(state, release, environment, at).is_err())
}

/// Returns the refusal that a freeze is.
pub(crate) fn refused_by(state: &State, freeze: &Freeze, span: Window) -> Rejection {
    Rejection::new(
        Code::Frozen,
        format!("{} froze it until {}: {}", state.printed_name(&freeze.by), span.until, freeze.reason),
    )
}

/// Returns whether the calendar does not stop the change itself.
fn exempt(state: &State, release: &Release) -> bool {
    let policy = state.policy(&release.candidate.product).map(|record| &record.policy);
    release.candidate.change_type == ChangeType::Emergency
        && policy.is_some_and(|policy| policy.exempts(Exempt::Emergency))
}

/// Returns whether a freeze stops the way back, too.
pub(crate) fn ensure_rollback_not_frozen(
    state: &State,
    product: &Slug,
    environment: &Slug,
    at: Timestamp,
) -> Result<(), Rejection> {
    let policy = state.policy(product).map(|record| &record.policy);
    if policy.is_none_or(|policy| policy.exempts(Exempt::Rollback)) {
        return Ok(());
    }
    match frozen(state, product, environment, at) {
        Some((freeze, span)) => Err(refused_by(state, freeze, span)
            .hint("the policy exempts no rollback; whoever declared the freeze lifts it")),
        None => Ok(()),
    }
}

/// Refuses outside the windows that the policy opens.
pub(crate) fn ensure_open(state: &State, release: &Release, at: Timestamp) -> Result<(), Rejection> {
    let Some(policy) = state.policy_of(release) else { return Ok(()) };
    let spans: Vec<_> = policy.windows.iter().filter_map(|window| window.span().ok()).collect();
    if spans.is_empty() || exempt(state, release) || spans.iter().any(|span| span.at(at).is_some()) {
        return Ok(());
    }
    let year = Window { from: at, until: at.plus_seconds(366 * 86_400) };
    let next = spans.iter().filter_map(|span| span.overlapping(year).next()).map(|window| window.from).min();
    let next = next.map_or_else(|| "within the year at no time".to_owned(), |next| format!("next at {next}"));
    Err(Rejection::new(Code::OutsideWindow, format!("the policy lets nothing out at this hour; it does {next}"))
        .hint("dispatch it then: everything is judged again at that moment"))
}

/// Something that stands in the way of a window a release asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// `freeze`, `window`, `release` or `person`.
    pub kind: &'static str,
    /// What it is, in words.
    pub what: String,
    /// The entry it comes from.
    pub entry: u64,
    /// When it is in the way.
    pub span: Window,
}

/// Returns what overlaps the window of the sheet: freezes, hours in which the policy is shut, other releases of the product
/// that wait for the same hours, and people who are asked for both.
pub fn conflicts(state: &State, release: &Release, sheet: &Sheet, at: Timestamp) -> Vec<Conflict> {
    let body = &sheet.body;
    let window = Window { from: body.window.from.max(at), until: body.window.until };
    if window.from > window.until {
        return Vec::new();
    }
    let mut list = Vec::new();
    if !exempt(state, release) {
        for (freeze, span) in freezes_over(state, &body.product, &body.environment, window) {
            let by = state.printed_name(&freeze.by);
            let what = format!("{by} froze it from {} to {}: {}", span.from, span.until, freeze.reason);
            list.push(Conflict { kind: "freeze", what, entry: freeze.entry.index, span });
        }
        let policy = state.policy_of(release).filter(|policy| !policy.windows.is_empty());
        if let (Some(record), Some(policy)) = (state.policy(&body.product), policy) {
            let mut spans = policy.windows.iter().filter_map(|rule| rule.span().ok());
            if !spans.any(|span| span.overlapping(window).next().is_some()) {
                let what = "the policy lets nothing out in the whole window".to_owned();
                list.push(Conflict { kind: "window", what, entry: record.entry.index, span: window });
            }
        }
    }
    let open = state.releases.values().filter(|other| other.id != release.id && other.ended.is_none());
    for other in open {
        let Some(theirs) = other.sheet().filter(|sheet| !other.rollout_began(sheet.entry)) else { continue };
        let span = Window {
            from: theirs.body.window.from.max(window.from),
            until: theirs.body.window.until.min(window.until),
        };
        let waits = matches!(
            decision(state, other, theirs, at).outcome,
            Outcome::Go { .. } | Outcome::Incomplete | Outcome::Hold(_)
        );
        if span.from > span.until || !waits {
            continue;
        }
        if theirs.body.product == body.product && theirs.body.environment == body.environment {
            let what = format!("{} waits for {} in the same hours", other.id, body.environment);
            list.push(Conflict { kind: "release", what, entry: theirs.entry.index, span });
        } else {
            let both = body.asked.iter().filter_map(|asked| asked.person.as_ref());
            for who in both.filter(|who| theirs.body.asked.iter().any(|asked| asked.person.as_ref() == Some(who))) {
                let what = format!("{} is asked for {} in the same hours", state.printed_name(who), other.id);
                list.push(Conflict { kind: "person", what, entry: theirs.entry.index, span });
            }
        }
    }
    list
}

// ------------------------------------------------------------------------------------------------- emergency reviews

/// Returns when the review of an emergency change is due: so many working days after its first wave was prepared, at the
/// end of the day in UTC; `None` where it is no such change, was not sent out, or the policy asks for none.
pub fn review_due(state: &State, release: &Release) -> Option<Timestamp> {
    let emergency = state.policy(&release.candidate.product)?.policy.emergency.as_ref()?;
    if release.candidate.change_type != ChangeType::Emergency {
        return None;
    }
    let sent = release.sheets.iter().flat_map(|sheet| release.dispatches_of(sheet.entry, DispatchKind::Deploy));
    let (_, _, went_out) = sent
        .filter(|dispatch| dispatch.body.state != DispatchState::Refused)
        .filter_map(|dispatch| dispatch.steps.first())
        .min_by_key(|(_, entry, _)| entry.index)?;
    let mut day = went_out.to_chrono().date_naive();
    let mut left = emergency.review_working_days;
    while left > 0 {
        day = day.checked_add_days(Days::new(1))?;
        if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
            left -= 1;
        }
    }
    debug_assert!(day.year() < 10_000);
    let end = day.and_hms_opt(23, 59, 59)?.and_utc();
    Timestamp::from_epoch_seconds(end.timestamp())
}

/// Returns the emergency change of the product whose review is overdue the longest, and since when.
pub fn overdue_review<'a>(state: &'a State, product: &Slug, at: Timestamp) -> Option<(&'a Release, Timestamp)> {
    let own = state.open_releases(product).filter(|release| release.emergency_review.is_none());
    own.filter_map(|release| Some((release, review_due(state, release)?)))
        .filter(|(_, due)| at > *due)
        .min_by_key(|(_, due)| *due)
}

/// Refuses what is no emergency itself while the review of one is overdue.
pub(crate) fn ensure_reviewed(state: &State, release: &Release, at: Timestamp) -> Result<(), Rejection> {
    if release.candidate.change_type == ChangeType::Emergency {
        return Ok(());
    }
    match overdue_review(state, &release.candidate.product, at) {
        Some((other, due)) => Err(Rejection::new(
            Code::ReviewOverdue,
            format!("the emergency change {} was to be reviewed by {due}", other.id),
        )
        .hint(format!(
            "a process owner or auditor who had no part in it: `countersign person review --scope emergency --release {}`",
            other.id
        ))),
        None => Ok(()),
    }
}

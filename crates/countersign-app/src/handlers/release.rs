//! One release: its header, its decision, its timeline, and stopping it.

use countersign_core::act::HoldChange;
use countersign_core::judge::{self, Cause, ReleaseState};
use countersign_core::policy::DispatchRule;
use countersign_core::state::{Release, State};
use countersign_core::words::{ReleaseId, Text, Timestamp, role};

use super::events;
use super::host::{Host, Open};
use super::overview::PAGE_MAX;
use super::sheet;
use super::show::{artifact, blocker, count, gate, length, person, question, word};
use crate::clock;
use crate::error::{Error, ErrorKind};
use crate::releases::{self, Stop};
use crate::status::dispatch_waits;
use crate::wire as w;

pub use super::changes::changes;
pub use super::evidence::{evidence, evidence_items, inspect_evidence, observe_evidence};

/// Of today so many entries are shown beside the decision.
const TODAY_MAX: usize = 20;

pub(super) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Release, Error> {
    releases::find(state, &word::<ReleaseId>(id, "release")?)
}

/// Returns the header and the decision of a release.
///
/// # Errors
/// There is none of that id.
pub fn release(host: &Host, request: w::ReleaseRef) -> Result<w::ReleaseView, w::AppError> {
    host.read(|open| {
        let at = clock::now();
        open.settled.follow(&open.ledger, at);
        let release = find(open.ledger.state(), &request.release)?;
        view(open, release, at)
    })
}

fn view(open: &Open, release: &Release, at: Timestamp) -> Result<w::ReleaseView, Error> {
    let state = open.ledger.state();
    let index = open.ledger.index();
    let me = open.me.as_ref();
    let candidate = &release.candidate;
    let product = &candidate.product;
    let policy = state.policy(product);
    let blockers = judge::blockers(state, release, at);
    let now = open.settled.state_of(state, release, at);
    let entries = index.about(&release.id);
    let acts = acts(open, release, now, at);
    let environment = state.last_environment(product);
    Ok(w::ReleaseView {
        at: at.to_string(),
        sample: state.sample(),
        release: release.id.to_string(),
        product: product.to_string(),
        product_title: state.products.get(product).map(|(_, product)| product.title.to_string()).unwrap_or_default(),
        version: candidate.version.to_string(),
        environment: environment.map(ToString::to_string),
        state: now.into(),
        candidate: candidate_view(release),
        reason: release.reason.clone(),
        proposer: person(state, &release.proposer),
        proposed: release.proposed.to_string(),
        supersedes: superseded(state, release),
        given_up: release
            .ended
            .as_ref()
            .map(|(entry, by)| w::GivenUp { entry: count(entry.index), by: by.as_ref().map(ToString::to_string) }),
        mode: policy.map(|policy| policy.policy.mode.into()),
        policy: policy.map(|policy| w::PolicyRef {
            product: product.to_string(),
            version: count(policy.version),
            entry: count(policy.entry.index),
            by: person(state, &policy.by),
        }),
        live: live_view(state, release),
        gates: judge::checks_to_show(state, release, at).iter().map(|check| gate(check, at)).collect(),
        holds: holds(open, release)?,
        sheet: release.sheet().map(|frozen| sheet::view(state, index, release, frozen, me, at)),
        earlier_sheets: release.sheets[..release.sheets.len().saturating_sub(1)]
            .iter()
            .map(|earlier| w::EarlierSheet {
                entry: count(earlier.entry.index),
                time: earlier.time.to_string(),
                answers: length(earlier.answers.len()),
            })
            .collect(),
        waivers: waivers(state, release, at),
        blockers: blockers.iter().map(|found| blocker(state, release, found, me, at)).collect(),
        freezes: environment
            .and_then(|environment| judge::frozen(state, product, environment, at))
            .map(|(freeze, _)| vec![super::products::freeze_row(state, freeze, at)])
            .unwrap_or_default(),
        primary: primary(open, release, now, &blockers, at),
        acts,
        rollout: super::rollout::wave_rows(open, release),
        today: today(open, entries, at)?,
        counts: w::TabCounts {
            evidence: length(release.evidence.len()),
            changes: count(candidate.changes.commits),
            timeline: length(entries.len()),
            dispatches: length(release.dispatches.len()),
        },
        outcome: outcome(open, release)?,
        review: judge::review_due(state, release).map(|due| w::ReviewDue {
            due: due.to_string(),
            overdue: release.emergency_review.is_none() && due < at,
            reviewed: release.emergency_review.map(|entry| count(entry.index)),
        }),
    })
}

fn outcome(open: &Open, release: &Release) -> Result<Option<w::OutcomeView>, Error> {
    let Some((entry, outcome)) = &release.outcome else { return Ok(None) };
    let row = events::row(&open.ledger, entry.index)?;
    Ok(Some(w::OutcomeView {
        entry: count(entry.index),
        result: outcome.result.to_string(),
        by: row.actor,
        time: row.time,
    }))
}

/// Returns the release this one took the place of.
fn superseded(state: &State, release: &Release) -> Option<String> {
    let of_product = state.releases.values().filter(|other| other.candidate.product == release.candidate.product);
    let replaced = |other: &&Release| other.ended.as_ref().is_some_and(|(_, by)| by.as_ref() == Some(&release.id));
    of_product.into_iter().find(replaced).map(|other| other.id.to_string())
}

pub(super) fn candidate_view(release: &Release) -> w::CandidateView {
    candidate_of(count(release.candidate_entry.index), &release.candidate)
}

pub(super) fn candidate_of(entry: u32, candidate: &countersign_core::act::Candidate) -> w::CandidateView {
    let text = |said: &Option<Text>| said.as_ref().map(ToString::to_string);
    w::CandidateView {
        entry,
        artifacts: candidate.artifacts.iter().map(artifact).collect(),
        commit: candidate.commit.to_string(),
        base: candidate.changes.base.as_ref().map(ToString::to_string),
        commits: count(candidate.changes.commits),
        tickets: candidate.changes.tickets.iter().map(ToString::to_string).collect(),
        change_type: candidate.change_type.into(),
        risk: text(&candidate.risk),
        security_impact: text(&candidate.security_impact),
        rollout_plan: text(&candidate.rollout_plan),
        backout_plan: text(&candidate.backout_plan),
        incident: candidate.incident.as_ref().map(ToString::to_string),
        external: candidate.external.as_ref().map(|record| w::ExternalRecord {
            system: record.system.to_string(),
            id: record.id.to_string(),
            state: record.state.to_string(),
            url: record.url.to_string(),
        }),
    }
}

fn live_view(state: &State, release: &Release) -> w::LiveView {
    let live = releases::live(state, &release.candidate.product);
    let begins = release.candidate.changes.base.as_ref() == live.map(|live| &live.commit);
    shown_live(live, live.is_some_and(|live| live.release == release.id), begins)
}

pub(super) fn shown_live(
    live: Option<&countersign_core::act::LiveRelease>,
    this_release: bool,
    list_begins_at_live: bool,
) -> w::LiveView {
    w::LiveView {
        release: live.map(|live| live.release.to_string()),
        version: live.map(|live| live.version.to_string()),
        commit: live.map(|live| live.commit.to_string()),
        artifacts: live.map(|live| live.artifacts.iter().map(artifact).collect()).unwrap_or_default(),
        this_release,
        list_begins_at_live,
    }
}

fn holds(open: &Open, release: &Release) -> Result<Vec<w::HoldRow>, Error> {
    let state = open.ledger.state();
    let row = |hold: &countersign_core::state::HoldRecord| -> Result<w::HoldRow, Error> {
        // The answer to a question stands in the entry that let the release go on.
        let answer = match hold.resumed {
            Some(entry) => match events::row(&open.ledger, entry.index)?.event {
                w::TimelineEvent::Resumed { answer, .. } => answer,
                _ => None,
            },
            None => None,
        };
        Ok(w::HoldRow {
            entry: count(hold.entry.index),
            kind: match hold.change {
                HoldChange::Halt {} => w::HoldKind::Halt,
                HoldChange::Cancel { .. } => w::HoldKind::Cancel,
                _ => w::HoldKind::Hold,
            },
            question: question(&hold.change),
            by: person(state, &hold.by),
            time: open.ledger.index().time(hold.entry.index).map(|time| time.to_string()).unwrap_or_default(),
            reason: hold.reason.clone(),
            resumed: hold.resumed.map(|entry| count(entry.index)),
            answer,
        })
    };
    release.holds.iter().map(row).collect()
}

fn waivers(state: &State, release: &Release, at: Timestamp) -> Vec<w::WaiverRow> {
    let in_force: Vec<_> = judge::waivers(release, at).map(|waiver| waiver.entry).collect();
    let row = |waiver: &countersign_core::state::WaiverRecord| w::WaiverRow {
        entry: count(waiver.entry.index),
        gate: waiver.body.gate.to_string(),
        by: person(state, &waiver.by),
        owner: person(state, &waiver.body.owner),
        expires: waiver.body.expires.to_string(),
        reason: waiver.reason.clone(),
        in_force: in_force.contains(&waiver.entry),
    };
    release.waivers.iter().map(row).collect()
}

fn today(open: &Open, entries: &[u64], at: Timestamp) -> Result<Vec<w::TimelineRow>, Error> {
    let zone = clock::zone();
    let day = |time: Timestamp| zone.wall_clock(time).chars().take(10).collect::<String>();
    let today = day(at);
    let recent = entries
        .iter()
        .rev()
        .take_while(|entry| open.ledger.index().time(**entry).is_some_and(|time| day(time) == today));
    recent.take(TODAY_MAX).map(|entry| events::row(&open.ledger, *entry)).collect()
}

// ------------------------------------------------------------------------------------------------- what may be done

/// Returns what may be started on a release, each with the rule that would refuse it; the rules are asked again at each act.
pub(super) fn acts(open: &Open, release: &Release, now: ReleaseState, at: Timestamp) -> Vec<w::ReleaseAct> {
    use w::ReleaseActName as A;
    let state = open.ledger.state();
    let product = &release.candidate.product;
    let me = open.me.as_ref().and_then(|me| state.people.get(me));
    let holds = |wanted: &[&str]| me.is_some_and(|me| wanted.iter().any(|role| me.holds(role, Some(product), at)));
    let manager = holds(&[role::RELEASE_MANAGER]);
    let any = me.is_some_and(|me| me.holds_any(at));
    let began = release.rollout().is_some();
    let ended = release.ended.is_some() || now == ReleaseState::Reviewed;
    let mut acts = Vec::new();
    let mut act = |act: A, refused: Option<(&str, String)>| {
        let (refused, message) = refused.map_or((None, None), |(code, message)| (Some(code.to_owned()), Some(message)));
        acts.push(w::ReleaseAct { act, allowed: refused.is_none(), refused, message });
    };
    let need = |allowed: bool, role: &str| (!allowed).then(|| ("role_missing", format!("this takes the role {role}")));
    let blockers = judge::blockers(state, release, at);
    if !began && !ended {
        let signing = signing_role(open, release, at);
        if release.sheet().is_some() {
            act(A::Sign, signing.err());
        }
        let asks = open_gate(state, release, at);
        act(A::Request, need(manager, role::RELEASE_MANAGER).or(asks));
        act(A::Amend, need(holds(&[role::RELEASE_MANAGER, role::PRACTITIONER]), role::RELEASE_MANAGER));
        act(A::Withdraw, need(holds(&[role::RELEASE_MANAGER, role::PRACTITIONER]), role::RELEASE_MANAGER));
        act(A::AttachEvidence, need(any, "of any kind"));
        act(A::ObserveEvidence, None);
        if state.staging_environment(product).is_some() {
            act(A::Stage, need(manager, role::RELEASE_MANAGER));
        }
        if blockers.iter().any(|found| matches!(&found.cause, Cause::Gate(check) if check.open())) {
            act(A::Waive, need(any, "the policy asks to sign"));
        }
    }
    if !ended && !matches!(now, ReleaseState::Live | ReleaseState::RolledBack) {
        act(A::Hold, need(any || me.is_none(), "of any kind"));
    }
    if matches!(now, ReleaseState::Dispatching | ReleaseState::RollingOut) {
        act(A::Halt, None);
    }
    if release.active_holds().next().is_some() {
        act(A::Resume, need(manager, role::RELEASE_MANAGER));
    }
    if let Some(frozen) = release.sheet().filter(|_| !ended) {
        if let Some(wave) = judge::next_wave(release, frozen) {
            let refused = judge::may_dispatch(state, release, frozen, wave, None, at).err();
            let refused = refused.map(|refused| (refused.code.as_str(), refused.message));
            if (began && now != ReleaseState::RolledBack) || now == ReleaseState::Authorized {
                act(A::Dispatch, need(manager, role::RELEASE_MANAGER).or(refused));
            }
        }
        if began && frozen.body.rollback.is_some() && now != ReleaseState::RolledBack {
            act(A::Rollback, need(manager, role::RELEASE_MANAGER));
        }
        let inconclusive = judge::next_wave(release, frozen)
            .and_then(|wave| release.wave_of(frozen.entry, wave))
            .is_some_and(|wave| wave.verdict == countersign_core::act::WaveVerdict::Inconclusive);
        if inconclusive {
            act(A::WaveVerdict, need(manager, role::RELEASE_MANAGER));
        }
    }
    let unknown = judge::under_way(release)
        .any(|dispatch| dispatch.body.state == countersign_core::act::DispatchState::FateUnknown);
    if unknown {
        act(A::Reconcile, None);
        act(A::ResendUnknown, need(manager, role::RELEASE_MANAGER));
    }
    if matches!(now, ReleaseState::Live | ReleaseState::RolledBack) {
        let allowed = manager || holds(&[role::PROCESS_OWNER]);
        act(A::Close, need(allowed, role::RELEASE_MANAGER));
    }
    acts
}

fn open_gate(state: &State, release: &Release, at: Timestamp) -> Option<(&'static str, String)> {
    let open = judge::checks(state, release, at).into_iter().find(judge::Check::open)?;
    let code = if open.red() { "halted" } else { "gate_open" };
    Some((code, format!("{}: {}", open.gate, open.detail)))
}

/// Returns the role the person at the desk could answer the current sheet as.
pub(super) fn signing_role(
    open: &Open,
    release: &Release,
    at: Timestamp,
) -> Result<Vec<countersign_core::words::Slug>, (&'static str, String)> {
    let state = open.ledger.state();
    let me = open.me.as_ref().ok_or_else(|| ("nobody_here", "no person's key is on this desk".to_owned()))?;
    let product = &release.candidate.product;
    let roles: Vec<_> = state
        .policy_of(release)
        .map(|policy| policy.quorum.iter().map(|rule| rule.role.clone()).collect::<Vec<_>>())
        .unwrap_or_default()
        .into_iter()
        .filter(|role| state.people.get(me).is_some_and(|person| person.holds(role.as_str(), Some(product), at)))
        .collect();
    if roles.is_empty() {
        return Err(("role_missing", "you hold none of the roles that are asked".to_owned()));
    }
    if let Some(part) = judge::barred(state, release, me) {
        return Err(("segregation_failed", part.to_owned()));
    }
    Ok(roles)
}

/// Returns the one act that fits the state for the person at the desk.
fn primary(
    open: &Open,
    release: &Release,
    now: ReleaseState,
    blockers: &[judge::Blocker],
    at: Timestamp,
) -> Option<w::PrimaryAct> {
    use w::ReleaseActName as A;
    let state = open.ledger.state();
    let me = open.me.as_ref()?;
    let act = |act, role: Option<String>, wave| Some(w::PrimaryAct { act, role, wave });
    let manages =
        state.people.get(me).is_some_and(|me| me.holds(role::RELEASE_MANAGER, Some(&release.candidate.product), at));
    let next = release.sheet().and_then(|sheet| judge::next_wave(release, sheet)).map(count);
    if dispatch_waits(state, release, at) && manages {
        return act(A::Dispatch, None, next);
    }
    let by_hand = state
        .policy(&release.candidate.product)
        .is_some_and(|policy| policy.policy.dispatch == DispatchRule::ByReleaseManager);
    if now == ReleaseState::RollingOut && manages && by_hand && judge::under_way(release).next().is_none() {
        return act(A::Dispatch, None, next);
    }
    if matches!(now, ReleaseState::Live | ReleaseState::RolledBack) && release.outcome.is_none() && manages {
        return act(A::Close, None, None);
    }
    let mine = blockers.iter().find(|found| found.who.iter().any(|who| who == me.as_str()))?;
    match &mine.cause {
        Cause::Quorum(slot) => act(A::Sign, Some(slot.role.to_string()), None),
        Cause::AsksToWait(_) => act(A::Sign, None, None),
        Cause::Stop(_) => act(A::Resume, None, None),
        Cause::RolloutHalted => act(A::Rollback, None, None),
        Cause::NotFrozen | Cause::Stale(_) | Cause::SheetExpired(_) | Cause::LateInconclusive(_) => {
            act(A::Request, None, None)
        }
        Cause::Gate(check) => match &check.reason {
            judge::CheckReason::NotStaged(_) => act(A::Stage, None, None),
            judge::CheckReason::NotGiven(_) | judge::CheckReason::Bad { .. } => act(A::Amend, None, None),
            judge::CheckReason::Staged { .. } | judge::CheckReason::NeedsConfirmation => None,
            _ => act(A::AttachEvidence, None, None),
        },
        Cause::NoPolicy | Cause::NoGo(_) | Cause::Condition(..) | Cause::Frozen(..) | Cause::ReviewOverdue(..) => None,
    }
}

// ------------------------------------------------------------------------------------------------- timeline

/// Returns a page of what was said about a release, the newest first.
///
/// # Errors
/// There is none of that id.
pub fn timeline(host: &Host, request: w::TimelineRequest) -> Result<w::TimelinePage, w::AppError> {
    host.read(|open| {
        let release = find(open.ledger.state(), &request.release)?;
        let entries = open.ledger.index().about(&release.id);
        let (offset, limit) = (request.page.offset as usize, request.page.limit.min(PAGE_MAX) as usize);
        let shown = entries.iter().rev().skip(offset).take(limit);
        Ok(w::TimelinePage {
            total: length(entries.len()),
            rows: shown.map(|entry| events::row(&open.ledger, *entry)).collect::<Result<_, _>>()?,
        })
    })
}

// ------------------------------------------------------------------------------------------------- stopping

/// Stops a release, or leaves a question open; this desk signs, so that nobody has to type anything to stop.
///
/// # Errors
/// A rule refuses.
pub fn hold(host: &Host, request: w::HoldForm) -> Result<w::Recorded, w::AppError> {
    let question = request.question.clone();
    stop(host, &request, move || Ok(Stop::Hold(super::show::optional(question.as_deref(), "question")?)))
}

/// Halts a running rollout; this desk signs.
///
/// # Errors
/// A rule refuses.
pub fn halt(host: &Host, request: w::HoldForm) -> Result<w::Recorded, w::AppError> {
    stop(host, &request, || Ok(Stop::Halt))
}

fn stop(
    host: &Host,
    request: &w::HoldForm,
    what: impl FnOnce() -> Result<Stop, Error>,
) -> Result<w::Recorded, w::AppError> {
    let recorded = host.read(|open| {
        if let Some(damage) = open.ledger.damage() {
            return Err(damage.clone());
        }
        let id: ReleaseId = word(&request.release, "release")?;
        let reason: Text = word(&named(open, &request.reason)?, "reason")?;
        let entry = releases::hold(&mut open.ledger, None, Some(reason), &id, what()?)?;
        recorded(open, entry)
    })?;
    host.tell_change();
    Ok(recorded)
}

/// A desk signs what a person at it says, so the reason names the person.
fn named(open: &Open, reason: &str) -> Result<String, Error> {
    if reason.trim().is_empty() {
        return Err(Error::new(ErrorKind::Usage, "field", "say why").in_field("reason"));
    }
    Ok(match &open.me {
        Some(me) => format!("{} ({})", reason.trim(), open.ledger.state().printed_name(me)),
        None => reason.trim().to_owned(),
    })
}

pub(super) fn recorded(open: &Open, entry: countersign_core::words::EntryRef) -> Result<w::Recorded, Error> {
    Ok(w::Recorded {
        entry: count(entry.index),
        leaf: entry.leaf.to_string(),
        time: open.ledger.index().time(entry.index).map(|time| time.to_string()).unwrap_or_default(),
    })
}

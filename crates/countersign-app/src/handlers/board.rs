//! The board: products by place, problems first.

use std::collections::BTreeMap;

use countersign_core::act::{DispatchState, PlannedWave};
use countersign_core::judge::{self, Cause, ReleaseState};
use countersign_core::policy::Mode;
use countersign_core::state::{Release, State};
use countersign_core::words::{Slug, Timestamp};

use super::host::Open;
use super::overview::signatures;
use super::show::{count, last_answer, length, person, question, seconds, trouble};
use crate::wire as w;

/// What is known of one product's releases.
#[derive(Default)]
struct Known<'a> {
    /// The newest that was not given up.
    head: Option<&'a Release>,
    /// The one seen last in the environment before the go/no-go.
    staged: Option<&'a Release>,
    /// The one whose rollout has the environment, or the one that waits for a decision.
    deciding: Option<&'a Release>,
    /// How many are newer than what is live.
    behind: u32,
}

pub(super) fn board(open: &Open, at: Timestamp) -> w::Board {
    let state = open.ledger.state();
    let mut of_product: BTreeMap<&Slug, Vec<&Release>> = BTreeMap::new();
    for release in state.releases.values() {
        of_product.entry(&release.candidate.product).or_default().push(release);
    }
    let mut products: Vec<w::BoardProduct> = state
        .products
        .values()
        .map(|(_, product)| {
            let releases = of_product.remove(&product.product).unwrap_or_default();
            row(open, product, &releases, at)
        })
        .collect();
    products
        .sort_by(|a, b| (std::cmp::Reverse(a.problem), &a.product).cmp(&(std::cmp::Reverse(b.problem), &b.product)));
    let freezes = super::products::freeze_rows(state, at)
        .into_iter()
        .filter(|freeze| matches!(freeze.status, w::FreezeStatus::InForce | w::FreezeStatus::ToCome))
        .collect();
    w::Board { at: at.to_string(), products, freezes }
}

fn known<'a>(open: &Open, product: &Slug, releases: &[&'a Release], at: Timestamp) -> Known<'a> {
    let state = open.ledger.state();
    let live = crate::releases::live(state, product);
    let live_since = live.and_then(|live| state.releases.get(&live.release)).map(|release| release.proposed);
    let mut known = Known::default();
    let newest = |a: Option<&'a Release>, b: &'a Release| match a {
        Some(a) if (a.proposed, a.candidate_entry.index) >= (b.proposed, b.candidate_entry.index) => Some(a),
        _ => Some(b),
    };
    let last_stage = |release: &Release| release.stages.last().map(|(entry, ..)| entry.index);
    for release in releases {
        if release.stages.last().is_some() && known.staged.is_none_or(|staged| last_stage(staged) < last_stage(release))
        {
            known.staged = Some(release);
        }
        if release.ended.is_some() {
            continue;
        }
        known.head = newest(known.head, release);
        if live_since.is_some_and(|since| release.proposed > since) {
            known.behind += 1;
        }
        if open.settled.is_settled(release) || release.sheet().is_none() {
            continue;
        }
        let now = judge::release_state(state, release, at);
        let rolling = matches!(now, ReleaseState::Dispatching | ReleaseState::RollingOut | ReleaseState::RolloutHalted);
        // A rollout has the environment; before one, the newest that waits for a decision is shown there.
        known.deciding = match known.deciding {
            Some(other) if !rolling && rollout(state, other, at) => Some(other),
            Some(other) if !rolling => newest(Some(other), release),
            _ => Some(release),
        };
    }
    known
}

fn rollout(state: &State, release: &Release, at: Timestamp) -> bool {
    matches!(
        judge::release_state(state, release, at),
        ReleaseState::Dispatching | ReleaseState::RollingOut | ReleaseState::RolloutHalted
    )
}

fn row(open: &Open, product: &countersign_core::act::Product, releases: &[&Release], at: Timestamp) -> w::BoardProduct {
    let state = open.ledger.state();
    let name = &product.product;
    let known = known(open, name, releases, at);
    let policy = state.policy(name);
    let mut cells = vec![head_cell(open, name, known.head, at)];
    let environment = state.last_environment(name);
    if let Some(staging) = state.staging_environment(name) {
        cells.push(staging_cell(open, name, staging, known.staged, at));
    }
    if let Some(environment) = environment {
        let waves = known.deciding.and_then(Release::sheet).map(|sheet| sheet.body.rollout.clone());
        let waves = waves.or_else(|| policy.map(|policy| planned(&policy.policy))).unwrap_or_default();
        cells.extend(segment_cell(open, name, environment, &waves, &known, at));
        cells.push(production_cell(open, name, environment, &waves, &known, at));
    }
    let problem = cells.iter().map(|cell| weight(&cell.note)).max().unwrap_or(0);
    let live = crate::releases::live(state, name).and_then(|live| state.releases.get(&live.release));
    let before = live.and_then(Release::sheet).and_then(|sheet| sheet.body.rollback.as_ref());
    w::BoardProduct {
        product: name.to_string(),
        title: product.title.to_string(),
        mode: policy.map(|policy| policy.policy.mode.into()),
        level: level(state, name, at),
        problem,
        cells,
        policy_version: policy.map(|policy| count(policy.version)),
        way_back: before.map(|live| live.version.to_string()),
    }
}

fn planned(policy: &countersign_core::policy::Policy) -> Vec<PlannedWave> {
    let wave = |wave: &countersign_core::policy::WaveRule| PlannedWave {
        bake_seconds: wave.bake_seconds,
        segment: wave.segment.clone(),
    };
    policy.waves.iter().map(wave).collect()
}

/// How far a product has earned its way, told by what its policy asks for and what has happened: 0 without a policy; 1 with
/// one; 2 with a staging it soaks in; 3 with waves that bake; 4 in Continuous Deployment; 5 where an authorization has signed.
pub(super) fn level(state: &State, product: &Slug, at: Timestamp) -> u32 {
    let Some(policy) = state.policy(product).map(|record| &record.policy) else { return 0 };
    if state.staging_environment(product).is_none() || policy.soak_seconds == 0 {
        return 1;
    }
    if !policy.waves.iter().any(|wave| wave.bake_seconds > 0) || policy.waves.len() < 2 {
        return 2;
    }
    if policy.mode != Mode::Deployment {
        return 3;
    }
    let stands = state.authorizations.values().any(|record| {
        record.product == *product
            && !record.uses.is_empty()
            && judge::authorization_worth(state, record, at).0 == judge::SignOffState::Valid
    });
    if stands { 5 } else { 4 }
}

fn empty(place: w::BoardPlace, note: w::CellNote, frozen: bool) -> w::BoardCell {
    w::BoardCell { place, release: None, version: None, state: None, since: None, note, frozen, share: None }
}

fn head_cell(open: &Open, product: &Slug, head: Option<&Release>, at: Timestamp) -> w::BoardCell {
    let state = open.ledger.state();
    let place = w::BoardPlace::Head {};
    let Some(release) = head else { return empty(place, w::CellNote::NotYet {}, false) };
    let now = open.settled.state_of(state, release, at);
    let checks = if open.settled.is_settled(release) { Vec::new() } else { judge::checks_to_show(state, release, at) };
    let red: Vec<String> = checks.iter().filter(|check| check.red()).map(|check| check.gate.clone()).collect();
    // Whether main is releasable is told by its evidence alone: delivery and soak have a place of their own.
    let open_gates = checks.iter().any(|check| check.open() && check.gate != countersign_core::policy::STAGING_GATE);
    let note = if !red.is_empty() {
        w::CellNote::Red { gates: red }
    } else if state.policy(product).is_none() || open_gates {
        w::CellNote::Collecting {}
    } else {
        w::CellNote::Releasable {}
    };
    w::BoardCell {
        release: Some(release.id.to_string()),
        version: Some(release.candidate.version.to_string()),
        state: Some(now.into()),
        since: Some(release.proposed.to_string()),
        ..empty(place, note, false)
    }
}

fn staging_cell(
    open: &Open,
    product: &Slug,
    environment: &Slug,
    staged: Option<&Release>,
    at: Timestamp,
) -> w::BoardCell {
    let state = open.ledger.state();
    let place = w::BoardPlace::Staging { environment: environment.to_string() };
    let frozen = judge::frozen(state, product, environment, at).is_some();
    let Some(release) = staged else { return empty(place, w::CellNote::NotYet {}, frozen) };
    let seen = release.stages.last().map(|(_, _, time)| *time).unwrap_or(release.proposed);
    let since = judge::staged(state, release).map_or(seen, |(_, _, since)| since);
    let soak = state.policy_of(release).map_or(0, |policy| policy.soak_seconds);
    let until = since.plus_seconds(i64::try_from(soak).unwrap_or(i64::MAX / 2));
    let note = if !open.settled.is_settled(release) && at < until {
        w::CellNote::Soaking { since: since.to_string(), until: until.to_string() }
    } else {
        w::CellNote::Proven { since: since.to_string() }
    };
    w::BoardCell {
        release: Some(release.id.to_string()),
        version: Some(release.candidate.version.to_string()),
        state: Some(open.settled.state_of(state, release, at).into()),
        since: Some(since.to_string()),
        ..empty(place, note, frozen)
    }
}

/// The segment a rollout reaches, or that the next one will reach first.
fn segment_cell(
    open: &Open,
    product: &Slug,
    environment: &Slug,
    waves: &[PlannedWave],
    known: &Known<'_>,
    at: Timestamp,
) -> Option<w::BoardCell> {
    let state = open.ledger.state();
    if waves.len() < 2 {
        return None;
    }
    let frozen = judge::frozen(state, product, environment, at);
    let rolling = known.deciding.filter(|release| rollout(state, release, at));
    let next = rolling
        .and_then(|release| Some((release.sheet()?, release)))
        .and_then(|(sheet, release)| judge::next_wave(release, sheet))
        .unwrap_or(1);
    let at_wave = usize::try_from(next - 1).unwrap_or(0).min(waves.len() - 1);
    let place = w::BoardPlace::Segment {
        environment: environment.to_string(),
        segment: waves[at_wave].segment.to_string(),
        wave: length(at_wave + 1),
        waves: length(waves.len()),
    };
    let note = match (rolling, known.deciding, frozen) {
        (Some(release), ..) => rolling_note(open, release, at),
        (None, _, Some((_, freeze))) => w::CellNote::Frozen { until: freeze.until.to_string() },
        (None, Some(release), None) => deciding_note(open, release, at),
        (None, None, None) => w::CellNote::Nothing {},
    };
    let shown = rolling;
    Some(w::BoardCell {
        release: shown.or(known.deciding).map(|release| release.id.to_string()),
        version: shown.map(|release| release.candidate.version.to_string()),
        state: shown.or(known.deciding).map(|release| open.settled.state_of(state, release, at).into()),
        since: shown.and_then(|release| release.dispatches.last()?.steps.first().map(|(_, _, time)| time.to_string())),
        share: shown.map(share),
        ..empty(place, note, frozen.is_some())
    })
}

/// How much of a rollout has passed, in percent of its waves.
pub(super) fn share(release: &Release) -> u32 {
    let Some(sheet) = release.sheet() else { return 0 };
    let all = sheet.body.rollout.len().max(1);
    let passed = judge::next_wave(release, sheet).map_or(all, |next| usize::try_from(next - 1).unwrap_or(0));
    length(passed * 100 / all)
}

/// What a rollout that has the environment is doing.
fn rolling_note(open: &Open, release: &Release, at: Timestamp) -> w::CellNote {
    let Some(sheet) = release.sheet() else { return w::CellNote::Nothing {} };
    let Some(next) = judge::next_wave(release, sheet) else { return w::CellNote::Nothing {} };
    let dispatch = release.wave_dispatch(sheet.entry, next);
    let wave = release.wave_of(sheet.entry, next);
    if judge::under_way(release).any(|dispatch| dispatch.body.state == DispatchState::FateUnknown) {
        return w::CellNote::FateUnknown {};
    }
    if let Some(hold) = release.active_holds().next() {
        return match question(&hold.change) {
            Some(quote) => w::CellNote::Held { by: person(open.ledger.state(), &hold.by), quote },
            None => w::CellNote::Halted { quote: hold.reason.clone() },
        };
    }
    if let Some(wave) = wave.filter(|wave| wave.verdict == countersign_core::act::WaveVerdict::Inconclusive) {
        return w::CellNote::Inconclusive { quote: wave.detail.to_string() };
    }
    if judge::release_state(open.ledger.state(), release, at) == ReleaseState::RolloutHalted {
        return w::CellNote::Halted { quote: trouble(release).unwrap_or_default() };
    }
    match dispatch {
        Some(dispatch) if dispatch.open() => w::CellNote::Dispatching { wave: count(next) },
        Some(dispatch) if dispatch.succeeded() => {
            let since = dispatch.steps.last().map_or(release.proposed, |(_, _, time)| *time);
            let bake = usize::try_from(next - 1).ok().and_then(|place| sheet.body.rollout.get(place));
            let bake = bake.map_or(0, |wave| i64::try_from(wave.bake_seconds).unwrap_or(0));
            w::CellNote::Baking { since: since.to_string(), until: since.plus_seconds(bake).to_string() }
        }
        _ => {
            let last = release.waves.iter().rev().find(|(_, wave)| wave.sheet == sheet.entry);
            let took = last.map_or(0, |(_, wave)| seconds(wave.span.until.seconds_since(wave.span.from)));
            w::CellNote::Passed { took_seconds: took }
        }
    }
}

/// What a release that has a sheet and is not out waits for.
fn deciding_note(open: &Open, release: &Release, at: Timestamp) -> w::CellNote {
    let state = open.ledger.state();
    let found = judge::blockers(state, release, at);
    let Some(first) = found.first() else { return w::CellNote::Signed {} };
    match &first.cause {
        Cause::Stop(entry) => {
            let hold = release.holds.iter().find(|hold| hold.entry == *entry);
            hold.map_or(w::CellNote::Nothing {}, |hold| w::CellNote::Held {
                by: person(state, &hold.by),
                quote: question(&hold.change).unwrap_or_else(|| hold.reason.clone()),
            })
        }
        Cause::NoGo(who) => w::CellNote::NoGo { by: person(state, who) },
        Cause::AsksToWait(who) => {
            let quote = last_answer(release, who).map(|answer| answer.reason.clone());
            w::CellNote::Held { by: person(state, who), quote: quote.unwrap_or_default() }
        }
        Cause::Stale(_) | Cause::SheetExpired(_) => w::CellNote::Stale {},
        Cause::Gate(check) if check.red() => w::CellNote::Red { gates: vec![check.gate.clone()] },
        Cause::Quorum(_) => {
            let (signed, needed) = signatures(state, release, at);
            let due = release.sheet().and_then(|sheet| sheet.body.due);
            w::CellNote::Waits { signed, needed, due: due.map(|due| due.to_string()) }
        }
        _ => w::CellNote::Collecting {},
    }
}

fn production_cell(
    open: &Open,
    product: &Slug,
    environment: &Slug,
    waves: &[PlannedWave],
    known: &Known<'_>,
    at: Timestamp,
) -> w::BoardCell {
    let state = open.ledger.state();
    let place = w::BoardPlace::Production { environment: environment.to_string() };
    let frozen = judge::frozen(state, product, environment, at);
    let rolling = known.deciding.filter(|release| rollout(state, release, at));
    let Some(live) = crate::releases::live(state, product) else {
        // With one wave there is no segment of its own: what happens is told here.
        let note = match rolling {
            Some(release) if waves.len() < 2 => rolling_note(open, release, at),
            _ => w::CellNote::NotYet {},
        };
        return w::BoardCell { share: rolling.map(share), ..empty(place, note, frozen.is_some()) };
    };
    let release = state.releases.get(&live.release);
    let since = release
        .and_then(|release| release.waves.last())
        .and_then(|(entry, _)| open.ledger.index().time(entry.index))
        .map(|time| time.to_string())
        .unwrap_or_default();
    let used = release.and_then(Release::sheet).and_then(|sheet| {
        let answers = sheet.decided.as_ref()?.iter();
        answers.filter(|judged| !judged.replaced).find_map(|judged| judged.answer.authorization)
    });
    let note = match rolling {
        Some(release) if waves.len() < 2 => rolling_note(open, release, at),
        _ => w::CellNote::Live {
            since: since.clone(),
            behind: known.behind,
            authorization: used.map(|entry| count(entry.index)),
        },
    };
    w::BoardCell {
        release: Some(live.release.to_string()),
        version: Some(live.version.to_string()),
        state: release.map(|release| open.settled.state_of(state, release, at).into()),
        since: Some(since),
        share: rolling.map(share),
        ..empty(place, note, frozen.is_some())
    }
}

/// How bad what a cell says is; the worst product stands first.
fn weight(note: &w::CellNote) -> u32 {
    use w::CellNote as N;
    match note {
        N::FateUnknown {} => 100,
        N::Halted { .. } => 90,
        N::Inconclusive { .. } => 80,
        N::Held { .. } => 70,
        N::NoGo { .. } => 65,
        N::Red { .. } => 60,
        N::Stale {} => 50,
        N::Waits { .. } => 40,
        N::Signed {} => 35,
        N::Dispatching { .. } | N::Baking { .. } => 20,
        N::Frozen { .. } => 15,
        N::Soaking { .. } | N::Collecting {} => 5,
        _ => 0,
    }
}

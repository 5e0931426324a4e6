//! Inbox, board, and the list of releases.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use countersign_core::judge::{self, ReleaseState};
use countersign_core::state::{Release, State};
use countersign_core::words::{ReleaseId, Timestamp};

use super::host::{Host, Open};
use super::show::{blocker, count, length, person};
use crate::clock;
use crate::ledger::Ledger;
use crate::wire as w;

pub use super::notices::due_notices;

/// At most so many rows of a list are given at once.
pub(super) const PAGE_MAX: u32 = 200;

/// The releases that stand where they stand until another entry is about them: most of a long-lived ledger.
#[derive(Debug, Default)]
pub(super) struct Settled {
    size: u64,
    states: BTreeMap<ReleaseId, ReleaseState>,
}

/// No passing of time changes these.
fn is_settled(state: ReleaseState) -> bool {
    matches!(
        state,
        ReleaseState::Reviewed
            | ReleaseState::Superseded
            | ReleaseState::Withdrawn
            | ReleaseState::Live
            | ReleaseState::RolledBack
    )
}

impl Settled {
    /// Takes in what has been appended since.
    pub(super) fn follow(&mut self, ledger: &Ledger, at: Timestamp) {
        let state = ledger.state();
        let size = state.tree.size();
        if size == self.size {
            return;
        }
        let new = usize::try_from(self.size).unwrap_or(usize::MAX);
        let entries = ledger.index().entries();
        let moved: Vec<_> = entries.get(new..).unwrap_or_default().iter().flatten().collect();
        // A proposal may take another release's place; a first look takes all.
        if self.size == 0 || size < self.size || moved.iter().any(|meta| meta.act == "propose") {
            self.states.clear();
            for release in state.releases.values() {
                self.settle(state, release, at);
            }
        } else {
            for meta in moved {
                if let Some(release) = meta.release.as_ref().and_then(|id| state.releases.get(id.as_ref())) {
                    self.states.remove(&release.id);
                    self.settle(state, release, at);
                }
            }
        }
        self.size = size;
    }

    fn settle(&mut self, state: &State, release: &Release, at: Timestamp) {
        // Only what has ended in some way is asked: the rest is judged at each look anyway.
        if release.ended.is_none() && release.waves.is_empty() && release.dispatches.is_empty() {
            return;
        }
        let now = judge::release_state(state, release, at);
        if is_settled(now) {
            self.states.insert(release.id.clone(), now);
        }
    }

    /// Returns where a release stands.
    pub(super) fn state_of(&self, state: &State, release: &Release, at: Timestamp) -> ReleaseState {
        self.states.get(&release.id).copied().unwrap_or_else(|| judge::release_state(state, release, at))
    }

    /// Returns whether nothing is to be done about it but to say what came of it.
    pub(super) fn is_settled(&self, release: &Release) -> bool {
        self.states.contains_key(&release.id)
    }
}

/// Returns how much waits for the person at this desk, and how many rollouts run.
pub(super) fn counts(open: &mut Open, at: Timestamp) -> (u32, u32) {
    open.settled.follow(&open.ledger, at);
    let state = open.ledger.state();
    let running = state.releases.values().filter(|release| {
        !open.settled.is_settled(release)
            && matches!(
                judge::release_state(state, release, at),
                ReleaseState::Dispatching | ReleaseState::RollingOut | ReleaseState::RolloutHalted
            )
    });
    let running = length(running.count());
    (length(super::inbox::items(open, at).len()), running)
}

/// Returns what waits for the person at this desk.
///
/// # Errors
/// No ledger is open, or the desk is locked.
pub fn inbox(host: &Host) -> Result<w::Inbox, w::AppError> {
    host.read(|open| {
        let at = clock::now();
        open.settled.follow(&open.ledger, at);
        Ok(w::Inbox {
            at: at.to_string(),
            items: super::inbox::items(open, at),
            waiting_for_others: super::inbox::asked_of_others(open, at),
        })
    })
}

/// Returns the products by place, problems first.
///
/// # Errors
/// No ledger is open, or the desk is locked.
pub fn board(host: &Host) -> Result<w::Board, w::AppError> {
    host.read(|open| {
        let at = clock::now();
        open.settled.follow(&open.ledger, at);
        Ok(super::board::board(open, at))
    })
}

/// Returns a page of releases.
///
/// # Errors
/// No ledger is open, or the desk is locked.
pub fn releases(host: &Host, request: w::ReleasesRequest) -> Result<w::ReleasePage, w::AppError> {
    host.read(|open| {
        let at = clock::now();
        open.settled.follow(&open.ledger, at);
        Ok(page(open, &request, at))
    })
}

fn page(open: &Open, request: &w::ReleasesRequest, at: Timestamp) -> w::ReleasePage {
    let state = open.ledger.state();
    let words: Vec<String> = request.text.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let fits = |release: &Release| {
        let candidate = &release.candidate;
        let tickets = candidate.changes.tickets.iter().map(|ticket| ticket.as_str());
        let said: Vec<String> = [release.id.as_str(), candidate.product.as_str(), candidate.version.as_str()]
            .into_iter()
            .chain([candidate.commit.as_str(), release.proposer.as_str()])
            .chain(tickets)
            .map(str::to_lowercase)
            .collect();
        words.iter().all(|word| said.iter().any(|said| said.contains(word)))
    };
    let mine = open.me.as_ref().filter(|_| request.mine);
    let mut states: BTreeMap<w::ReleaseState, u32> = BTreeMap::new();
    let mut products: BTreeMap<&str, u32> = BTreeMap::new();
    let mut rows: Vec<(&Release, ReleaseState)> = Vec::new();
    for release in state.releases.values().filter(|release| words.is_empty() || fits(release)) {
        let now = open.settled.state_of(state, release, at);
        let product = release.candidate.product.as_str();
        let of_product = request.products.is_empty() || request.products.iter().any(|wanted| wanted == product);
        let of_state = request.states.is_empty() || request.states.contains(&now.into());
        if mine.is_some_and(|me| !super::inbox::waits_for(open, release, me, at)) {
            continue;
        }
        // Each facet counts what the other filters leave.
        if of_product {
            *states.entry(now.into()).or_default() += 1;
        }
        if of_state {
            *products.entry(product).or_default() += 1;
        }
        if of_product && of_state {
            rows.push((release, now));
        }
    }
    rows.sort_by(|a, b| order(request.sort, a, b));
    if request.descending {
        rows.reverse();
    }
    let total = length(rows.len());
    let (offset, limit) = (request.page.offset as usize, request.page.limit.min(PAGE_MAX) as usize);
    let shown = rows.into_iter().skip(offset).take(limit);
    w::ReleasePage {
        at: at.to_string(),
        total,
        all: length(state.releases.len()),
        rows: shown.map(|(release, now)| row(open, release, now, at)).collect(),
        states: states.into_iter().map(|(state, count)| w::StateCount { state, count }).collect(),
        products: products
            .into_iter()
            .map(|(product, count)| w::ProductCount { product: product.to_owned(), count })
            .collect(),
    }
}

fn order(sort: w::ReleaseSort, a: &(&Release, ReleaseState), b: &(&Release, ReleaseState)) -> Ordering {
    let by_time = || (a.0.proposed, &a.0.id).cmp(&(b.0.proposed, &b.0.id));
    let due = |release: &Release| release.sheet().and_then(|sheet| sheet.body.due);
    match sort {
        w::ReleaseSort::Proposed => by_time(),
        w::ReleaseSort::Product => a.0.candidate.product.cmp(&b.0.candidate.product).then_with(by_time),
        w::ReleaseSort::Version => {
            natural(a.0.candidate.version.as_str(), b.0.candidate.version.as_str()).then_with(by_time)
        }
        w::ReleaseSort::State => a.1.cmp(&b.1).then_with(by_time),
        // What is not due comes last.
        w::ReleaseSort::Due => {
            let (a_due, b_due) = (due(a.0), due(b.0));
            a_due.is_none().cmp(&b_due.is_none()).then(a_due.cmp(&b_due)).then_with(by_time)
        }
    }
}

/// Compares texts with numbers in them as people do: 4.10 comes after 4.9.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.chars().peekable(), b.chars().peekable());
    loop {
        let (Some(x), Some(y)) = (a.peek().copied(), b.peek().copied()) else {
            return a.peek().is_some().cmp(&b.peek().is_some());
        };
        let ordering = if x.is_ascii_digit() && y.is_ascii_digit() {
            let number = |of: &mut std::iter::Peekable<std::str::Chars<'_>>| {
                let mut digits = String::new();
                while let Some(digit) = of.next_if(char::is_ascii_digit) {
                    digits.push(digit);
                }
                let digits = digits.trim_start_matches('0').to_owned();
                (digits.len(), digits)
            };
            number(&mut a).cmp(&number(&mut b))
        } else {
            (a.next(), b.next()).0.cmp(&Some(y))
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
}

fn row(open: &Open, release: &Release, now: ReleaseState, at: Timestamp) -> w::ReleaseRow {
    let (state, me) = (open.ledger.state(), open.me.as_ref());
    let blockers = judge::blockers(state, release, at);
    let waits = me.is_some_and(|me| super::inbox::waits_for(open, release, me, at));
    let (signed, needed) = signatures(state, release, at);
    let candidate = &release.candidate;
    let due = release.sheet().and_then(|sheet| sheet.body.due);
    w::ReleaseRow {
        release: release.id.to_string(),
        product: candidate.product.to_string(),
        version: candidate.version.to_string(),
        environment: state.last_environment(&candidate.product).map(ToString::to_string),
        state: now.into(),
        change_type: candidate.change_type.into(),
        proposed: release.proposed.to_string(),
        proposer: person(state, &release.proposer),
        signed,
        needed,
        due: due.map(|due| due.to_string()),
        blocker: blockers.first().map(|found| blocker(state, release, found, me, at)),
        waits_for_me: waits,
    }
}

/// Returns how many have signed of how many that are asked.
pub(super) fn signatures(state: &State, release: &Release, at: Timestamp) -> (u32, u32) {
    let needed: u64 = state.policy_of(release).map_or(0, |policy| policy.quorum.iter().map(|rule| rule.count).sum());
    let Some(sheet) = release.sheet() else { return (0, count(needed)) };
    if let Some(decided) = &sheet.decided {
        let signed = decided.iter().filter(|judged| judged.carries_go()).count();
        return (length(signed), count(needed));
    }
    let decision = judge::decision(state, release, sheet, at);
    let signed: u64 = decision.slots.iter().map(|slot| (slot.signed.len() as u64).min(slot.needed)).sum();
    (count(signed), count(needed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_the_order_people_expect() {
        let mut versions = ["4.10.0", "4.9.3", "4.9.12", "4.9", "10.0", "4.9.3-rc1"];
        versions.sort_by(|a, b| natural(a, b));
        assert_eq!(versions, ["4.9", "4.9.3", "4.9.3-rc1", "4.9.12", "4.10.0", "10.0"]);
    }
}

//! Random ledgers against a small model.
//!
//! The model knows nothing of the state the core folds: it keeps the admitted statements in a list and answers every
//! question by reading the list from the start, in the plainest words the rules allow. After each step the core and the
//! model must agree on what every sheet comes to and on whether a first wave may go out; what the core has let through
//! must be what the model allows; and a ledger replayed from its leaves must say the same.
//!
//! `COUNTERSIGN_MODEL_SEQUENCES` sets how many sequences are run, `COUNTERSIGN_MODEL_SEED` where they begin.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use countersign_core::act::{
    Act, DispatchKind, DispatchState, EvidenceOrigin, FreezeChange, Grant, HoldChange, KeyChange, ProposeChange, Request,
    RunConclusion, Verdict, WaveVerdict,
};
use countersign_core::admit::Statement;
use countersign_core::decide::{Command, decide};
use countersign_core::entry::Entry;
use countersign_core::evidence::{Conclusion, EvidenceKind};
use countersign_core::judge::{self, Outcome, ReleaseState};
use countersign_core::state::State;
use countersign_core::words::{EntryRef, ReleaseId, Timestamp};

use crate::domain::*;

const IDS: [&str; 3] = ["r1", "r2", "r3"];
const PERSONS: [&str; 11] = [OLGA, OTTO, RITA, ROLF, QUINN, QUENTIN, SAM, BOTH, DANA, PAUL, ADA];
const ROLES: [&str; 3] = ["qa", "security", "release-manager"];
const GATES: [&str; 3] = ["unit tests", "static analysis", "staging"];
const SOAK_SECONDS: i64 = 3600;

/// SplitMix64: small, seeded, the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// Once in `n`.
    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

// ------------------------------------------------------------------------------------------------------- the model

/// One admitted statement.
struct Fact {
    entry: EntryRef,
    time: Timestamp,
    seen: u64,
    who: String,
    act: Act,
}

impl Fact {
    fn index(&self) -> u64 {
        self.entry.index
    }
}

/// All admitted statements, in order.
#[derive(Default)]
struct Model(Vec<Fact>);

/// A dispatch as its journal leaves it.
struct Sent<'a> {
    prepared: u64,
    body: &'a countersign_core::act::Dispatch,
    state: DispatchState,
    conclusion: Option<RunConclusion>,
}

impl Sent<'_> {
    fn open(&self) -> bool {
        !matches!(self.state, DispatchState::Refused | DispatchState::Finished)
    }

    fn succeeded(&self) -> bool {
        self.conclusion == Some(RunConclusion::Success)
    }

    fn production(&self) -> bool {
        self.body.environment.as_str() == "production"
    }
}

impl Model {
    fn note(&mut self, entry: EntryRef, statement: Statement) {
        let Statement { common, act, .. } = statement;
        let who = common.signer.principal.to_string();
        self.0.push(Fact { entry, time: common.time, seen: common.seen.size, who, act });
    }

    fn of(world: &World) -> Self {
        let mut model = Self::default();
        for (index, leaf) in world.leaves.iter().enumerate() {
            let entry = Entry::parse(leaf.clone()).unwrap();
            let statement = Statement::read(&entry).unwrap();
            model.note(EntryRef { index: index as u64, leaf: entry.leaf_hash() }, statement);
        }
        model
    }

    // People.

    fn holds(&self, who: &str, role: &str, at: Timestamp) -> bool {
        let mut held = role == "process-owner" && who == OLGA;
        for fact in &self.0 {
            if let Act::Role(body) = &fact.act {
                if body.principal.as_str() == who && body.role.as_str() == role {
                    held = body.change == Grant::Grant && body.until.is_none_or(|until| at <= until);
                }
            }
        }
        held
    }

    fn revoked(&self, who: &str) -> bool {
        self.0.iter().any(|fact| match &fact.act {
            Act::Key(body) => body.principal.as_str() == who && !matches!(body.change, KeyChange::Rotate { .. }),
            _ => false,
        })
    }

    // Releases.

    fn candidate(&self, id: &str) -> Option<(&Fact, &countersign_core::act::Candidate)> {
        self.0.iter().rev().find_map(|fact| match &fact.act {
            Act::Propose(body) if body.release.as_str() == id => match &body.change {
                ProposeChange::Candidate { candidate, .. } | ProposeChange::Amend { candidate } => {
                    Some((fact, candidate))
                }
                _ => None,
            },
            _ => None,
        })
    }

    fn given_up(&self, id: &str) -> bool {
        self.0.iter().any(|fact| match &fact.act {
            Act::Propose(body) => match &body.change {
                ProposeChange::Withdraw {} | ProposeChange::Supersede { .. } => body.release.as_str() == id,
                ProposeChange::Candidate { supersedes, .. } => supersedes.as_ref().is_some_and(|old| old.as_str() == id),
                ProposeChange::Amend { .. } => false,
            },
            _ => false,
        })
    }

    fn sheets(&self, id: &str) -> Vec<(&Fact, &Request)> {
        self.0
            .iter()
            .filter_map(|fact| match &fact.act {
                Act::Request(body) if body.release.as_str() == id => Some((fact, &**body)),
                _ => None,
            })
            .collect()
    }

    fn reviewed(&self, id: &str) -> bool {
        self.0.iter().any(|fact| matches!(&fact.act, Act::Outcome(body) if body.release.as_str() == id))
    }

    fn dispatches(&self, id: Option<&str>) -> Vec<Sent<'_>> {
        let mut all: Vec<Sent<'_>> = Vec::new();
        for fact in &self.0 {
            let Act::Dispatch(body) = &fact.act else { continue };
            if id.is_some_and(|id| body.release.as_str() != id) {
                continue;
            }
            match all.iter_mut().find(|sent| sent.body.request_id == body.request_id) {
                Some(sent) => (sent.state, sent.conclusion) = (body.state, body.conclusion),
                None => all.push(Sent { prepared: fact.index(), body, state: body.state, conclusion: None }),
            }
        }
        all
    }

    /// Everybody with a part in the release that keeps them from deciding on it.
    fn barred(&self, id: &str) -> BTreeSet<String> {
        let mut barred: BTreeSet<String> = [DANA.to_owned()].into();
        barred.extend(self.sheets(id).last().map(|(fact, _)| fact.who.clone()));
        for fact in &self.0 {
            match &fact.act {
                Act::Propose(body) if body.release.as_str() == id => {
                    if matches!(body.change, ProposeChange::Candidate { .. } | ProposeChange::Amend { .. }) {
                        barred.insert(fact.who.clone());
                    }
                }
                Act::Evidence(body) if body.release.as_str() == id => {
                    if matches!(body.origin, EvidenceOrigin::Attached {}) {
                        barred.insert(fact.who.clone());
                    }
                }
                Act::Dispatch(body) if body.release.as_str() == id => {
                    barred.extend(body.by.as_ref().map(ToString::to_string));
                }
                _ => {}
            }
        }
        barred
    }

    fn waived(&self, id: &str, gate: &str, at: Timestamp) -> bool {
        let Some((candidate, _)) = self.candidate(id) else { return false };
        let barred = self.barred(id);
        self.0.iter().any(|fact| match &fact.act {
            Act::Waiver(body) => {
                body.release.as_str() == id
                    && body.gate.as_str() == gate
                    && fact.index() > candidate.index()
                    && at <= body.expires
                    && (self.holds(&fact.who, "qa", at) || self.holds(&fact.who, "security", at))
                    && !self.revoked(&fact.who)
                    && !barred.contains(&fact.who)
            }
            _ => false,
        })
    }

    fn evidence_says(&self, id: &str, kind: EvidenceKind, name: Option<&str>) -> Conclusion {
        let Some((_, candidate)) = self.candidate(id) else { return Conclusion::Missing };
        let mut says = Conclusion::Missing;
        for fact in &self.0 {
            let Act::Evidence(body) = &fact.act else { continue };
            let answers = body.release.as_str() == id
                && body.kind == kind
                && name.is_none_or(|name| body.name.as_str() == name)
                && body.commit == candidate.commit;
            if !answers {
                continue;
            }
            let confirmed = self.0.iter().any(|other| match &other.act {
                Act::Approval(answer) => answer.request == fact.entry && other.who != fact.who,
                _ => false,
            });
            let counts = matches!(body.origin, EvidenceOrigin::Observed { .. }) || confirmed;
            says = match (body.conclusion, says) {
                (Conclusion::Fail, _) | (_, Conclusion::Fail) => Conclusion::Fail,
                (_, says) if !counts => says,
                (Conclusion::Inconclusive, _) | (_, Conclusion::Inconclusive) => Conclusion::Inconclusive,
                (Conclusion::Pass, _) => Conclusion::Pass,
                (Conclusion::Missing, says) => says,
            };
        }
        says
    }

    /// The entry by which the candidate was seen in staging, unless something was delivered there since.
    fn staged(&self, id: &str) -> Option<&Fact> {
        let (_, candidate) = self.candidate(id)?;
        let seen = self.0.iter().rev().find_map(|fact| match &fact.act {
            Act::Stage(body) if body.release.as_str() == id => Some((fact, body)),
            _ => None,
        });
        let (fact, body) = seen?;
        let same = body.artifact == candidate.artifacts[0].sha256 && body.version == candidate.version;
        let since = self.dispatches(None).into_iter().any(|sent| {
            sent.body.environment.as_str() == "staging"
                && sent.prepared > fact.index()
                && sent.state != DispatchState::Refused
        });
        (same && !since).then_some(fact)
    }

    /// What each gate says, waivers aside.
    fn gates(&self, id: &str, at: Timestamp) -> [(&'static str, Conclusion); 3] {
        let staging = match self.staged(id) {
            None => Conclusion::Missing,
            Some(fact) if at.seconds_since(fact.time) < SOAK_SECONDS => Conclusion::Inconclusive,
            Some(_) => Conclusion::Pass,
        };
        [
            (GATES[0], self.evidence_says(id, EvidenceKind::Junit, Some("unit.xml"))),
            (GATES[1], self.evidence_says(id, EvidenceKind::Sarif, None)),
            (GATES[2], staging),
        ]
    }

    fn red(&self, id: &str, at: Timestamp) -> bool {
        self.gates(id, at).iter().any(|(gate, says)| *says == Conclusion::Fail && !self.waived(id, gate, at))
    }

    fn gate_open(&self, id: &str, at: Timestamp) -> bool {
        self.gates(id, at).iter().any(|(gate, says)| *says != Conclusion::Pass && !self.waived(id, gate, at))
    }

    // The decision.

    /// Whether the fact is about the release, its policy or target, or the authority of `who`.
    fn concerns(&self, fact: &Fact, id: &str, who: &str) -> bool {
        let is = |release: &ReleaseId| release.as_str() == id;
        match &fact.act {
            Act::Propose(body) => {
                let supersedes = matches!(&body.change, ProposeChange::Candidate { supersedes: Some(old), .. } if is(old));
                is(&body.release) || supersedes
            }
            Act::Evidence(body) => is(&body.release),
            Act::Waiver(body) => is(&body.release),
            Act::Stage(body) => is(&body.release),
            Act::Request(body) => is(&body.release),
            Act::Hold(body) => is(&body.release),
            Act::Dispatch(body) => is(&body.release),
            Act::Wave(body) => is(&body.release),
            Act::Outcome(body) => is(&body.release),
            Act::Approval(body) => {
                self.0.iter().find(|asked| asked.entry == body.request).is_some_and(|asked| match &asked.act {
                    Act::Request(sheet) => is(&sheet.release) && body.verdict != Verdict::Go,
                    Act::Evidence(evidence) => is(&evidence.release),
                    _ => false,
                })
            }
            Act::Condition(body) => {
                let answer = self.0.iter().find(|answer| answer.entry == body.approval);
                let request = answer.and_then(|answer| match &answer.act {
                    Act::Approval(body) => self.0.iter().find(|asked| asked.entry == body.request),
                    _ => None,
                });
                request.is_some_and(|asked| matches!(&asked.act, Act::Request(sheet) if is(&sheet.release)))
            }
            Act::Target(body) => body.environment.as_str() == "production",
            Act::Policy(_) => true,
            Act::Role(body) => body.principal.as_str() == who,
            Act::Key(body) => body.principal.as_str() == who,
            Act::Enrol(body) => body.person.principal.as_str() == who,
            Act::EnrolAccept(_) => fact.who == who,
            _ => false,
        }
    }

    fn missed_something(&self, answer: &Fact, id: &str) -> bool {
        let between = answer.seen..answer.index();
        self.0.iter().any(|fact| between.contains(&fact.index()) && self.concerns(fact, id, &answer.who))
    }

    fn live(&self) -> Option<String> {
        let mut live = None;
        for fact in &self.0 {
            match &fact.act {
                Act::Wave(body) if body.verdict == WaveVerdict::Pass && body.wave == 2 => {
                    live = Some(body.release.to_string());
                }
                Act::Dispatch(body) => {
                    let back = body.kind == DispatchKind::Rollback && body.conclusion == Some(RunConclusion::Success);
                    if back {
                        live = self.0.iter().find(|sheet| sheet.entry == body.sheet).and_then(|sheet| match &sheet.act {
                            Act::Request(sheet) => sheet.rollback.as_ref().map(|slot| slot.release.to_string()),
                            _ => None,
                        });
                    }
                }
                _ => {}
            }
        }
        live
    }

    fn began(&self, id: &str, sheet: EntryRef) -> bool {
        self.dispatches(Some(id)).iter().any(|sent| {
            sent.body.sheet == sheet && sent.body.kind == DispatchKind::Deploy && sent.state != DispatchState::Refused
        })
    }

    fn moved(&self, id: &str) -> bool {
        let sheets = self.sheets(id);
        let Some((fact, sheet)) = sheets.last() else { return false };
        let since = |of: &dyn Fn(&Act) -> bool| self.0.iter().any(|later| later.index() > fact.index() && of(&later.act));
        let listed: Vec<EntryRef> = self
            .0
            .iter()
            .filter(|evidence| matches!(&evidence.act, Act::Evidence(body) if body.release.as_str() == id))
            .take(sheet.evidence.count as usize)
            .map(|evidence| evidence.entry)
            .collect();
        self.candidate(id).is_some_and(|(candidate, _)| candidate.entry != sheet.candidate)
            || since(&|act| matches!(act, Act::Target(body) if body.environment.as_str() == "production"))
            || since(&|act| matches!(act, Act::Waiver(body) if body.release.as_str() == id))
            || since(&|act| match act {
                Act::Evidence(body) => body.replaces.is_some_and(|old| listed.contains(&old)),
                _ => false,
            })
            || self.staged(id).is_some_and(|staged| Some(staged.entry) != sheet.stage)
            || (self.live() != sheet.live.as_ref().map(|live| live.release.to_string())
                && !self.began(id, fact.entry))
    }

    /// The last answer of each person to any of the sheets.
    fn last_answers(&self, sheets: &[EntryRef]) -> BTreeMap<&str, (&Fact, &countersign_core::act::Approval)> {
        let mut last = BTreeMap::new();
        for fact in &self.0 {
            if let Act::Approval(body) = &fact.act {
                if sheets.contains(&body.request) {
                    last.insert(fact.who.as_str(), (fact, &**body));
                }
            }
        }
        last
    }

    fn stopped_by_an_answer(&self, id: &str, verdicts: &[Verdict]) -> bool {
        let sheets = self.sheets(id);
        let Some((_, current)) = sheets.last() else { return false };
        let same = sheets.iter().filter(|(_, sheet)| sheet.candidate == current.candidate);
        let same: Vec<EntryRef> = same.map(|(fact, _)| fact.entry).collect();
        self.last_answers(&same).values().any(|(_, body)| verdicts.contains(&body.verdict))
    }

    fn authorization_stands(&self, answer: &Fact) -> bool {
        let Some(grant) = self.0.iter().find(|fact| matches!(fact.act, Act::Authorization(_))) else { return false };
        let mut suspended = false;
        for fact in &self.0 {
            match &fact.act {
                Act::Authorization(body) => match body.change {
                    countersign_core::act::AuthorizationChange::Suspend { .. } => suspended = true,
                    countersign_core::act::AuthorizationChange::Resume { .. } => suspended = false,
                    countersign_core::act::AuthorizationChange::Grant { .. } => {}
                },
                Act::Target(body) if body.environment.as_str() == "production" && fact.index() > grant.index() => {
                    return false;
                }
                _ => {}
            }
        }
        let stands = |who: &str, role: &str| self.holds(who, role, answer.time) && !self.revoked(who);
        !suspended && stands(QUINN, "qa") && stands(SAM, "security")
    }

    fn go(&self, id: &str, at: Timestamp) -> bool {
        let sheets = self.sheets(id);
        let Some((fact, sheet)) = sheets.last() else { return false };
        if self.stopped_by_an_answer(id, &[Verdict::NoGo, Verdict::Hold]) || self.moved(id) || at > sheet.not_after {
            return false;
        }
        let barred = self.barred(id);
        let mut by_role: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (who, (answer, body)) in self.last_answers(&[fact.entry]) {
            let met = |condition: u64| {
                self.0.iter().any(|fact| {
                    matches!(&fact.act, Act::Condition(met) if met.approval == answer.entry && met.condition == condition)
                })
            };
            let says_go = match body.verdict {
                Verdict::Go => true,
                Verdict::ConditionalGo => (0..body.conditions.len() as u64).all(met),
                Verdict::NoGo | Verdict::Hold => false,
            };
            if !says_go || self.missed_something(answer, id) {
                continue;
            }
            if body.authorization.is_some() {
                if self.authorization_stands(answer) {
                    return true;
                }
            } else if self.holds(who, body.role.as_str(), at) && !self.revoked(who) && !barred.contains(who) {
                by_role.entry(body.role.as_str()).or_default().insert(who);
            }
        }
        ["qa", "security"].iter().all(|role| by_role.contains_key(role))
    }

    // The rollout.

    fn stopped(&self, id: &str) -> bool {
        let sheet = self.sheets(id).last().map(|(fact, _)| fact.index());
        self.0.iter().any(|fact| match &fact.act {
            Act::Hold(body) if body.release.as_str() == id => match body.change {
                HoldChange::Halt {} => sheet < Some(fact.index()),
                HoldChange::Hold { .. } => !self.0.iter().any(|later| match &later.act {
                    Act::Hold(later) => matches!(later.change, HoldChange::Resume { hold, .. } if hold == fact.entry),
                    _ => false,
                }),
                _ => false,
            },
            _ => false,
        })
    }

    fn frozen(&self, environment: &str, at: Timestamp) -> bool {
        self.0.iter().any(|fact| match &fact.act {
            Act::Freeze(body) => match &body.change {
                FreezeChange::Declare { environment: only, span, .. } => {
                    let lifted = self.0.iter().any(|later| match &later.act {
                        Act::Freeze(later) => matches!(later.change, FreezeChange::Lift { freeze } if freeze == fact.entry),
                        _ => false,
                    });
                    !lifted && span.contains(at) && only.as_ref().is_none_or(|only| only.as_str() == environment)
                }
                FreezeChange::Lift { .. } => false,
            },
            _ => false,
        })
    }

    fn wave_says(&self, sheet: EntryRef, wave: u64) -> Option<WaveVerdict> {
        self.0.iter().rev().find_map(|fact| match &fact.act {
            Act::Wave(body) if body.sheet == sheet && body.wave == wave => Some(body.verdict),
            _ => None,
        })
    }

    fn rolling(&self, id: &str) -> bool {
        let sheets = self.sheets(id);
        let Some((fact, _)) = sheets.last() else { return false };
        let dispatches = self.dispatches(Some(id));
        let back = || {
            dispatches.iter().filter(|sent| {
                sent.body.sheet == fact.entry
                    && sent.body.kind == DispatchKind::Rollback
                    && sent.state != DispatchState::Refused
            })
        };
        let all_passed = (1..=2).all(|wave| self.wave_says(fact.entry, wave) == Some(WaveVerdict::Pass));
        self.began(id, fact.entry)
            && !self.reviewed(id)
            && !back().any(Sent::succeeded)
            && (back().next().is_some() || !all_passed)
    }

    fn may_dispatch_first_wave(&self, id: &str, resends: Option<&str>, at: Timestamp) -> bool {
        let sheets = self.sheets(id);
        let Some((fact, sheet)) = sheets.last() else { return false };
        let dispatches = self.dispatches(Some(id));
        let on_sheet = |kind: DispatchKind| dispatches.iter().filter(move |sent| sent.body.sheet == fact.entry && sent.body.kind == kind);
        let mut named = resends.is_none();
        for earlier in on_sheet(DispatchKind::Deploy) {
            let again = on_sheet(DispatchKind::Deploy).any(|later| {
                later.body.resends.as_ref() == Some(&earlier.body.request_id) && later.state != DispatchState::Refused
            });
            let id = earlier.body.request_id.as_str();
            match earlier.state {
                DispatchState::Refused => {}
                DispatchState::FateUnknown if again => {}
                DispatchState::FateUnknown if resends == Some(id) => named = true,
                _ => return false,
            }
        }
        let target_moved = self.0.iter().any(|later| {
            later.index() > fact.index()
                && matches!(&later.act, Act::Target(body) if body.environment.as_str() == "production")
        });
        let unclear = self.0.iter().any(|later| {
            matches!(&later.act, Act::Evidence(body) if body.release.as_str() == id
                && later.index() > fact.index()
                && body.conclusion == Conclusion::Inconclusive
                && matches!(body.origin, EvidenceOrigin::Observed { .. }))
        });
        named
            && !self.given_up(id)
            && !self.reviewed(id)
            && self.wave_says(fact.entry, 1) != Some(WaveVerdict::Pass)
            && on_sheet(DispatchKind::Rollback).next().is_none()
            && !self.stopped(id)
            && !self.frozen("production", at)
            && !target_moved
            && !unclear
            && !self.gate_open(id, at)
            && !IDS.iter().any(|other| *other != id && self.rolling(other))
            && sheet.window.contains(at)
            && self.go(id, at)
            // Started by Rolf.
            && self.holds(ROLF, "release-manager", at)
            && !self.last_answers(&[fact.entry]).contains_key(ROLF)
    }
}

// --------------------------------------------------------------------------------------------------- the generator

/// What happened in one sequence.
#[derive(Default)]
struct Tally {
    steps: u64,
    admitted: u64,
    refused: u64,
    insider: u64,
    reached: BTreeMap<&'static str, u64>,
}

impl Tally {
    fn reach(&mut self, what: &'static str) {
        *self.reached.entry(what).or_default() += 1;
    }
}

/// What would bring the release further, as far as one can tell; sometimes the wrong person tries.
fn useful(world: &World, id: &'static str, dice: &mut Dice, deployment: Option<u64>) -> Option<Step> {
    let state = &world.state;
    let Some(release) = state.releases.get(&word::<ReleaseId>(id)) else { return Some(propose(id)) };
    let has = |name: &str| release.evidence.iter().any(|record| record.body.name.as_str() == name && record.body.commit == release.candidate.commit);
    if !has("unit.xml") {
        return Some(observe(id, "unit.xml", Conclusion::Pass));
    }
    if !has("scan.sarif") {
        return Some(observe(id, "scan.sarif", Conclusion::Pass));
    }
    if let Some(open) = release.dispatches.iter().find(|sent| sent.open()) {
        let request = open.body.request_id.to_string();
        return Some(journal(id, &request, next_step(open.body.state, dice)).forging_conclusion_if_finished(dice));
    }
    if judge::staged(state, release).is_none() && release.sheets.is_empty() {
        let delivered = release.dispatches.iter().rfind(|sent| sent.body.environment.as_str() == "staging");
        return Some(match delivered {
            Some(sent) if sent.succeeded() && !dice.one_in(4) => stage(id),
            _ => deliver(id, &format!("{id}/{}", state.tree.size())),
        });
    }
    let freeze = || deployment.map_or_else(|| freeze(id), |index| freeze_for(id, index));
    let Some(sheet) = release.sheet() else { return Some(freeze()) };
    match judge::release_state(state, release, world.now) {
        ReleaseState::Ready => Some(match deployment {
            Some(index) if dice.one_in(2) => automatic_go(id, index),
            _ => match dice.below(3) {
                0 => go(dice.pick(&[QUINN, QUENTIN, BOTH, DANA]), id, "qa"),
                1 => go(dice.pick(&[SAM, BOTH]), id, "security"),
                _ => go(dice.pick(&[QUINN, SAM]), id, dice.pick(&["qa", "security"])),
            },
        }),
        ReleaseState::Staged | ReleaseState::Expired | ReleaseState::RolledBack => Some(freeze()),
        ReleaseState::Authorized => Some(dispatch(id, 1, &format!("{id}/{}", state.tree.size()))),
        ReleaseState::RollingOut => {
            let wave = judge::next_wave(release, sheet)?;
            let sent = release.wave_dispatch(sheet.entry, wave).is_some();
            Some(if sent {
                wave_verdict(id, wave, if dice.one_in(6) { WaveVerdict::Fail } else { WaveVerdict::Pass })
            } else {
                dispatch(id, wave, &format!("{id}/{}", state.tree.size()))
            })
        }
        ReleaseState::RolloutHalted if sheet.body.rollback.is_some() => {
            let wave = judge::next_wave(release, sheet).unwrap_or(2);
            Some(roll_back(id, wave, &format!("{id}/{}", state.tree.size())))
        }
        ReleaseState::RolloutHalted => Some(outcome(id)),
        ReleaseState::OnHold => Some(match release.holds.last() {
            Some(_) if dice.one_in(2) => resume(ROLF, id, Some("settled")),
            _ => freeze(),
        }),
        ReleaseState::NoGo | ReleaseState::Halted => Some(match dice.below(3) {
            0 => amend(id, |candidate| candidate.risk = None),
            1 => waive(dice.pick(&[QUINN, QUENTIN, SAM]), id, dice.pick(&GATES), 86_400),
            _ => go(dice.pick(&[QUINN, QUENTIN, SAM]), id, "qa"),
        }),
        _ => None,
    }
}

fn next_step(state: DispatchState, dice: &mut Dice) -> DispatchState {
    use DispatchState::{Accepted, Bound, FateUnknown, Finished, Prepared, Refused, Sending};
    match state {
        Prepared => if dice.one_in(12) { Refused } else { Sending },
        Sending => if dice.one_in(8) { FateUnknown } else { Accepted },
        Accepted => Bound,
        Bound => Finished,
        FateUnknown => dice.pick(&[Bound, Refused, Finished]),
        Finished | Refused => Sending,
    }
}

impl Step {
    fn forging_conclusion_if_finished(self, dice: &mut Dice) -> Self {
        let conclusion = if dice.one_in(8) { RunConclusion::Failure } else { RunConclusion::Success };
        with_dispatch(self, move |_, body| {
            body.conclusion = (body.state == DispatchState::Finished).then_some(conclusion);
        })
    }
}

/// Anything, by anybody.
fn anything(world: &World, id: &'static str, dice: &mut Dice, deployment: Option<u64>) -> Option<Step> {
    let state = &world.state;
    let who = dice.pick(&PERSONS);
    let release = state.releases.get(&word::<ReleaseId>(id));
    let request = format!("{id}/{}", state.tree.size());
    let Some(release) = release else {
        return Some(match dice.below(3) {
            0 => declare_freeze(dice.pick(&[None, Some("production"), Some("staging")]), 1800).by(who),
            1 => role_change(dice.pick(&[Grant::Grant, Grant::Lapse]), dice.pick(&PERSONS), dice.pick(&ROLES)).by(dice.pick(&[OLGA, OTTO, who])),
            _ => propose(id).by(who),
        });
    };
    let sheet = release.sheet();
    let some_request = release.dispatches.last().map(|sent| sent.body.request_id.to_string());
    Some(match dice.below(34) {
        0 => observe(id, dice.pick(&["unit.xml", "scan.sarif"]), Conclusion::Fail),
        1 => observe(id, dice.pick(&["unit.xml", "scan.sarif", "bill.cdx"]), Conclusion::Inconclusive),
        2 | 3 => observe(id, dice.pick(&["unit.xml", "scan.sarif", "bill.cdx"]), Conclusion::Pass),
        4 => attach(who, id, dice.pick(&["unit.xml", "notes.txt"]), dice.pick(&[Conclusion::Pass, Conclusion::Fail])),
        5 if release.evidence.iter().any(|record| record.attached()) => confirm_evidence(who, id, dice.pick(&ROLES)),
        6 | 7 => waive(who, id, dice.pick(&GATES), dice.pick(&[60, 86_400])),
        8 => hold(dice.pick(&[who, DESK]), id, None),
        9 => halt(dice.pick(&[who, DESK]), id),
        10 | 11 if !release.holds.is_empty() => resume(dice.pick(&[ROLF, who]), id, Some("settled")),
        12..=16 if sheet.is_some() => {
            let verdict = dice.pick(&[Verdict::Go, Verdict::Go, Verdict::NoGo, Verdict::Hold, Verdict::ConditionalGo]);
            let step = answer(who, id, dice.pick(&ROLES), verdict);
            let behind = dice.below(4);
            if dice.one_in(3) { step.having_seen(state.tree.size().saturating_sub(behind)) } else { step }
        }
        17 if sheet.is_some_and(|sheet| !sheet.answers.is_empty()) => {
            let answers = &sheet.expect("just asked").answers;
            let whose = dice.pick(&PERSONS);
            if !answers.iter().any(|answer| answer.principal.as_str() == whose) {
                return None;
            }
            settle(who, id, whose)
        }
        18 => amend(id, |candidate| candidate.risk = None).by(dice.pick(&[RITA, PAUL, who])),
        19 if dice.one_in(4) => withdraw(id),
        20 | 21 => freeze(id).by(dice.pick(&[RITA, ROLF, who])),
        22 => role_change(dice.pick(&[Grant::Grant, Grant::Lapse]), dice.pick(&PERSONS), dice.pick(&ROLES)).by(dice.pick(&[OLGA, OTTO, who])),
        23 if dice.one_in(4) => key_change(KeyChange::Lost {}, dice.pick(&[QUINN, QUENTIN, SAM, BOTH])),
        24 if dice.one_in(3) => target(dice.pick(&["production", "staging"]), &["canary", "everyone"]).by(dice.pick(&[OLGA, RITA])),
        25 => declare_freeze(dice.pick(&[None, Some("production"), Some("staging")]), 1800).by(who),
        26 if !state.freezes.is_empty() => lift_freeze(*state.freezes.keys().next_back().expect("just asked")).by(who),
        27 | 28 if sheet.is_some() => {
            let step = dispatch(id, 1 + dice.below(2), &request);
            match some_request.filter(|_| dice.one_in(3)) {
                Some(lost) => with_dispatch(step, move |_, body| body.resends = Some(word(&lost))),
                None => step,
            }
        }
        29 if sheet.is_some() => roll_back(id, 1 + dice.below(2), &request),
        30 if sheet.is_some() => wave_verdict(id, 1 + dice.below(2), dice.pick(&[WaveVerdict::Pass, WaveVerdict::Fail, WaveVerdict::Inconclusive])).by(dice.pick(&[WORKER, who])),
        31 if some_request.is_some() => journal(id, &some_request.expect("just asked"), dice.pick(&DispatchState::ALL[1..])),
        32 => match deployment {
            Some(index) if sheet.is_some() => match dice.below(4) {
                0 => suspend(index).by(who),
                1 => resume_authorization(index).by(dice.pick(&[OLGA, who])),
                _ => automatic_go(id, index),
            },
            _ => deliver(id, &request),
        },
        _ => outcome(id).by(who),
    })
}

/// Runs one sequence; panics where the core and the model part.
fn run(seed: u64, length: u64, base: &(World, Option<u64>), tally: &mut Tally) {
    let mut dice = Dice(seed);
    let (mut world, deployment) = (base.0.clone(), base.1);
    let mut model = Model::of(&world);
    let mut halted: BTreeSet<&str> = BTreeSet::new();
    for at_step in 0..length {
        tally.steps += 1;
        if dice.one_in(4) {
            let seconds = dice.pick(&[1, 60, 600, 3600, 3600, 20_000]);
            world = world.later(seconds);
        }
        let id = if dice.one_in(3) { dice.pick(&IDS) } else { "r1" };
        let step = if dice.one_in(3) { anything(&world, id, &mut dice, deployment) } else { useful(&world, id, &mut dice, deployment) };
        let Some(step) = step else { continue };
        let context = || format!("seed {seed}, step {at_step}");

        let statement = world.statement(&step);
        let composed = statement.common.seen.size == world.state.tree.size();
        let decided = composed.then(|| decide(&world.state, Command::Record(statement.act.clone()), &context_of(&statement)));
        let allowed = first_wave_of(&statement).map(|(id, resends)| {
            model.may_dispatch_first_wave(&id, resends.as_deref(), world.now)
        });
        if let (Some(Err(rejection)), true) = (&decided, dice.one_in(4)) {
            // What is refused before signing is refused in the ledger too, for the same reason.
            tally.insider += 1;
            let taken = world.write(&step, &statement);
            let finding = taken.expect_err(&context());
            assert_eq!(finding.code, rejection.code, "{}: {finding}", context());
            assert_ne!(allowed, Some(true), "{}: {finding}", context());
            continue;
        }
        if let Some(Err(rejection)) = decided {
            tally.refused += 1;
            assert_ne!(allowed, Some(true), "{}: the model lets out what is refused: {rejection}", context());
            continue;
        }
        match world.write(&step, &statement) {
            Err(finding) => {
                assert!(!composed, "{}: decided, and then {finding}", context());
                continue;
            }
            Ok(entry) => {
                tally.admitted += 1;
                assert_ne!(allowed, Some(false), "{}: let out against the model", context());
                check_admitted(&model, &statement, world.now, tally, &context());
                model.note(entry, statement);
            }
        }
        check_state(&world, &model, &mut halted, tally, &context());
    }
    check_replay(&world, seed);
}

/// The release and the dispatch it is sent again for, where the statement would begin a rollout.
fn first_wave_of(statement: &Statement) -> Option<(String, Option<String>)> {
    match &statement.act {
        Act::Dispatch(body)
            if body.state == DispatchState::Prepared
                && body.kind == DispatchKind::Deploy
                && body.wave == 1
                && body.environment.as_str() == "production" =>
        {
            Some((body.release.to_string(), body.resends.as_ref().map(ToString::to_string)))
        }
        _ => None,
    }
}

/// What was just admitted is what the model allows, as far as it is dangerous.
fn check_admitted(model: &Model, statement: &Statement, at: Timestamp, tally: &mut Tally, context: &str) {
    let Act::Dispatch(body) = &statement.act else { return };
    if body.state != DispatchState::Prepared || body.environment.as_str() != "production" {
        return;
    }
    let id = body.release.as_str();
    let same: Vec<Sent<'_>> = model.dispatches(Some(id)).into_iter().filter(|sent| {
        sent.body.sheet == body.sheet && sent.body.wave == body.wave && sent.body.kind == body.kind && sent.state != DispatchState::Refused
    }).collect();
    match body.kind {
        DispatchKind::Deploy => {
            tally.reach(if body.wave == 1 { "first wave" } else { "second wave" });
            for earlier in &same {
                let resent = body.resends.as_ref() == Some(&earlier.body.request_id);
                let replaced = same.iter().any(|other| other.body.resends.as_ref() == Some(&earlier.body.request_id));
                assert!(earlier.state == DispatchState::FateUnknown && (resent || replaced), "{context}: a wave went out twice");
                tally.reach("sent again");
            }
            assert!(!model.red(id, at) && !model.stopped(id) && !model.frozen("production", at), "{context}");
            assert!(!model.stopped_by_an_answer(id, &[Verdict::NoGo]), "{context}");
            if body.wave > 1 {
                assert_eq!(model.wave_says(body.sheet, body.wave - 1), Some(WaveVerdict::Pass), "{context}");
                let signed = model.last_answers(&[body.sheet]);
                assert!(signed.keys().all(|who| !model.revoked(who)), "{context}: a revoked key carries a wave");
            }
        }
        DispatchKind::Rollback => {
            tally.reach("rollback");
            assert!(!IDS.iter().any(|other| *other != id && model.rolling(other)), "{context}");
            assert!(model.rolling(id) || model.live().as_deref() == Some(id), "{context}: it takes another's place");
            assert!(same.iter().all(|earlier| !earlier.succeeded()), "{context}: taken back twice");
        }
    }
    let busy = model.dispatches(Some(id)).into_iter().filter(|sent| sent.production() && sent.open()).count();
    if busy > 0 {
        tally.reach("dispatched over an unknown fate");
    }
}

/// What the core concludes is what the model concludes.
fn check_state(world: &World, model: &Model, halted: &mut BTreeSet<&'static str>, tally: &mut Tally, context: &str) {
    let now = world.now;
    let mut rolling = 0;
    for id in IDS {
        let Some(release) = world.state.releases.get(&word::<ReleaseId>(id)) else { continue };
        let state = judge::release_state(&world.state, release, now);
        tally.reach(state.as_str());
        rolling += usize::from(matches!(
            state,
            ReleaseState::Dispatching | ReleaseState::RollingOut | ReleaseState::RolloutHalted
        ));
        let checks = judge::checks(&world.state, release, now);
        assert_eq!(checks.iter().any(judge::Check::red), model.red(id, now), "{context}: {id} red");
        assert_eq!(checks.iter().any(judge::Check::open), model.gate_open(id, now), "{context}: {id} open {checks:?}");
        if let Some(sheet) = release.sheet() {
            let decision = judge::decision(&world.state, release, sheet, now);
            let go = matches!(decision.outcome, Outcome::Go { .. });
            assert_eq!(go, model.go(id, now), "{context}: {id} {:?}", decision.outcome);
            let signed: Vec<_> = decision.slots.iter().flat_map(|slot| &slot.signed).collect();
            let people: BTreeSet<_> = signed.iter().collect();
            assert_eq!(signed.len(), people.len(), "{context}: one person fills two places");
        }
        // From halted, only a waiver or another candidate leads on.
        match state {
            ReleaseState::Halted => {
                halted.insert(id);
            }
            ReleaseState::Dispatching => assert!(!halted.contains(id), "{context}: {id} went from halted to dispatching"),
            _ => {}
        }
        let cleared = model.0.last().is_some_and(|fact| match &fact.act {
            Act::Waiver(body) => body.release.as_str() == id,
            Act::Propose(body) => body.release.as_str() == id,
            _ => false,
        });
        // A waiver's signer may come to count again: that is the waiver's doing.
        let waived = model.0.iter().any(|fact| matches!(&fact.act, Act::Waiver(body) if body.release.as_str() == id));
        if cleared || waived {
            halted.remove(id);
        }
    }
    assert!(rolling <= 1, "{context}: two rollouts have the environment");
    let place = (word(PRODUCT), word("production"));
    let live = world.state.live.get(&place).map(|live| live.release.to_string());
    assert_eq!(live, model.live(), "{context}");
}

/// A ledger read again says the same.
fn check_replay(world: &World, seed: u64) {
    let mut replayed = State::default();
    for leaf in &world.leaves {
        // Findings are kept by the state.
        let _ = replayed.take(leaf.clone());
    }
    assert_eq!(replayed.findings, world.state.findings, "seed {seed}");
    assert_eq!(replayed.head(), world.state.head(), "seed {seed}");
    assert_eq!(replayed.live, world.state.live, "seed {seed}");
    assert!(replayed.releases.keys().eq(world.state.releases.keys()), "seed {seed}");
    for (old, new) in world.state.releases.values().zip(replayed.releases.values()) {
        assert_eq!(
            judge::release_state(&world.state, old, world.now),
            judge::release_state(&replayed, new, world.now),
            "seed {seed}"
        );
        assert_eq!(
            judge::blockers(&world.state, old, world.now),
            judge::blockers(&replayed, new, world.now),
            "seed {seed}"
        );
        let answers = |state: &State, release| -> Vec<_> {
            let judged = |sheet| judge::sign_offs(state, release, sheet, world.now);
            let release: &countersign_core::state::Release = release;
            release.sheets.iter().flat_map(judged).map(|judged| (judged.answer.entry, judged.state, judged.cause)).collect()
        };
        assert_eq!(answers(&world.state, old), answers(&replayed, new), "seed {seed}");
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn random_ledgers_and_the_model_never_part() {
    let sequences = setting("COUNTERSIGN_MODEL_SEQUENCES", 300);
    let first = setting("COUNTERSIGN_MODEL_SEED", 1);
    let delivery = (given(), None);
    let deployment = {
        let world = given_policy_with(&[("continuous-delivery", "continuous-deployment")]).when(authorize());
        let index = world.last_entry().index;
        let world = world
            .when(answer_entry(QUINN, index, "qa", Verdict::Go))
            .when(answer_entry(SAM, index, "security", Verdict::Go));
        (world, Some(index))
    };
    let started = Instant::now();
    let mut tally = Tally::default();
    for seed in first..first + sequences {
        let base = if seed % 3 == 0 { &deployment } else { &delivery };
        run(seed, 120, base, &mut tally);
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{sequences} sequences of 120 steps in {seconds:.1} s ({:.1} a second): {} admitted, {} refused, {} written by an insider",
        sequences as f64 / seconds, tally.admitted, tally.refused, tally.insider
    );
    println!("{:?}", tally.reached);
    // A test that never gets anywhere proves nothing.
    if sequences >= 100 {
        for what in [
            "first wave", "second wave", "rollback", "sent again", "halted", "no_go", "on_hold", "authorized", "live",
            "rolled_back", "rollout_halted", "reviewed", "expired", "withdrawn",
        ] {
            assert!(tally.reached.contains_key(what), "no sequence reached {what}: {:?}", tally.reached);
        }
    }
}

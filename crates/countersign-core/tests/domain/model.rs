//! Random ledgers against a small model.
//!
//! The model knows nothing of the state the core folds: it keeps the admitted statements in a list and answers every
//! question by reading the list from the start, in the plainest words the rules allow. After each step the core and the
//! model must agree on what every sheet comes to and on whether a first wave may go out; what the core has let through
//! must be what the model allows; and a ledger replayed from its leaves must say the same. Behind the ledger stands a
//! pipeline with its claims and a network that loses and delays: what runs there is counted.
//!
//! Many short sequences begin at ledgers that have come different ways; a few long ones walk on from there to the end.
//! `COUNTERSIGN_MODEL_SEQUENCES` and `COUNTERSIGN_MODEL_LONG_SEQUENCES` set how many are run, `COUNTERSIGN_MODEL_SEED` where
//! they begin, and `COUNTERSIGN_MODEL_TRACE` prints each step of them.
#![allow(clippy::print_stdout, reason = "figures are for whoever asks with --nocapture")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use countersign_core::act::{
    Act, Approval, AuthorizationChange, Candidate, DevicePurpose, Dispatch, DispatchKind, DispatchState,
    EvidenceOrigin, FreezeChange, Grant, HoldChange, KeyChange, ProposeChange, Request, RunConclusion, Verdict,
    WaveVerdict,
};
use countersign_core::admit::{ParsedLeaf, Statement};
use countersign_core::decide::{Command, decide};
use countersign_core::entry::Entry;
use countersign_core::evidence::{Conclusion, EvidenceKind};
use countersign_core::judge::{self, Outcome, ReleaseState};
use countersign_core::state::State;
use countersign_core::words::{EntryRef, ReleaseId, Timestamp};

use super::*;

const IDS: [&str; 3] = ["r1", "r2", "r3"];
const PERSONS: [&str; 11] = [OLGA, OTTO, RITA, ROLF, QUINN, QUENTIN, SAM, BOTH, DANA, PAUL, ADA];
const ROLES: [&str; 3] = ["qa", "security", "release-manager"];
const GATES: [&str; 3] = ["unit tests", "static analysis", "staging"];
const SOAK_SECONDS: i64 = 3600;
const WORKER_2: &str = "worker-2@acme.example";

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
#[derive(Clone)]
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

/// What the policy asks beyond the usual.
#[derive(Clone, Copy, Default)]
struct Rules {
    /// How many sign as qa.
    qa: usize,
    /// The worker dispatches by itself once the quorum is complete.
    on_quorum: bool,
    /// The worker rolls back by itself what has halted.
    auto_rollback: bool,
    /// The entry of the standing authorization that Quinn and Sam have adopted.
    authorization: Option<u64>,
}

/// All admitted statements, in order.
#[derive(Clone)]
struct Model {
    facts: Vec<Fact>,
    rules: Rules,
}

/// A dispatch as its journal leaves it.
struct Sent<'a> {
    prepared: u64,
    body: &'a Dispatch,
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

/// Who says GO.
enum Go<'a> {
    Authorization,
    People(BTreeMap<&'a str, BTreeSet<&'a str>>),
}

impl Model {
    fn note(&mut self, entry: EntryRef, statement: Statement) {
        let Statement { common, act, .. } = statement;
        let who = common.signer.principal.to_string();
        self.facts.push(Fact { entry, time: common.time, seen: common.seen.size, who, act });
    }

    fn of(world: &World, rules: Rules) -> Self {
        let mut model = Self { facts: Vec::new(), rules };
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
        for fact in &self.facts {
            if let Act::Role(body) = &fact.act
                && body.principal.as_str() == who
                && body.role.as_str() == role
            {
                held = body.change == Grant::Grant && body.until.is_none_or(|until| at <= until);
            }
        }
        held
    }

    fn revoked(&self, who: &str) -> bool {
        self.facts.iter().any(|fact| match &fact.act {
            Act::Key(body) => body.principal.as_str() == who && !matches!(body.change, KeyChange::Rotate { .. }),
            _ => false,
        })
    }

    /// Whether the device has the work.
    fn leased(&self, device: &str, at: Timestamp) -> bool {
        let last = self.facts.iter().rev().find_map(|fact| match &fact.act {
            Act::Lease(body) => Some(fact.who == device && at <= body.until),
            _ => None,
        });
        last.unwrap_or(false)
    }

    // Releases.

    fn candidate(&self, id: &str) -> Option<(&Fact, &Candidate)> {
        self.facts.iter().rev().find_map(|fact| match &fact.act {
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
        self.facts.iter().any(|fact| match &fact.act {
            Act::Propose(body) => match &body.change {
                ProposeChange::Withdraw {} | ProposeChange::Supersede { .. } => body.release.as_str() == id,
                ProposeChange::Candidate { supersedes, .. } => {
                    supersedes.as_ref().is_some_and(|old| old.as_str() == id)
                }
                ProposeChange::Amend { .. } => false,
            },
            _ => false,
        })
    }

    fn sheets(&self, id: &str) -> Vec<(&Fact, &Request)> {
        self.facts
            .iter()
            .filter_map(|fact| match &fact.act {
                Act::Request(body) if body.release.as_str() == id => Some((fact, &**body)),
                _ => None,
            })
            .collect()
    }

    fn reviewed(&self, id: &str) -> bool {
        self.facts.iter().any(|fact| matches!(&fact.act, Act::Outcome(body) if body.release.as_str() == id))
    }

    fn dispatches(&self, id: Option<&str>) -> Vec<Sent<'_>> {
        let mut all: Vec<Sent<'_>> = Vec::new();
        for fact in &self.facts {
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
        for fact in &self.facts {
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
        self.facts.iter().any(|fact| match &fact.act {
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
        for fact in &self.facts {
            let Act::Evidence(body) = &fact.act else { continue };
            let answers = body.release.as_str() == id
                && body.kind == kind
                && name.is_none_or(|name| body.name.as_str() == name)
                && body.commit == candidate.commit;
            if !answers {
                continue;
            }
            let confirmed = self.facts.iter().any(|other| match &other.act {
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
        let seen = self.facts.iter().rev().find_map(|fact| match &fact.act {
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
                let supersedes =
                    matches!(&body.change, ProposeChange::Candidate { supersedes: Some(old), .. } if is(old));
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
                self.facts.iter().find(|asked| asked.entry == body.request).is_some_and(|asked| match &asked.act {
                    Act::Request(sheet) => is(&sheet.release) && body.verdict != Verdict::Go,
                    Act::Evidence(evidence) => is(&evidence.release),
                    _ => false,
                })
            }
            Act::Condition(body) => {
                let answer = self.facts.iter().find(|answer| answer.entry == body.approval);
                let request = answer.and_then(|answer| match &answer.act {
                    Act::Approval(body) => self.facts.iter().find(|asked| asked.entry == body.request),
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
        self.facts.iter().any(|fact| between.contains(&fact.index()) && self.concerns(fact, id, &answer.who))
    }

    fn live(&self) -> Option<String> {
        let mut live = None;
        for fact in &self.facts {
            match &fact.act {
                Act::Wave(body) if body.verdict == WaveVerdict::Pass && body.wave == 2 => {
                    live = Some(body.release.to_string());
                }
                Act::Dispatch(body) => {
                    let back = body.kind == DispatchKind::Rollback && body.conclusion == Some(RunConclusion::Success);
                    if back {
                        live = self.facts.iter().find(|sheet| sheet.entry == body.sheet).and_then(|sheet| match &sheet
                            .act
                        {
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
        let since =
            |of: &dyn Fn(&Act) -> bool| self.facts.iter().any(|later| later.index() > fact.index() && of(&later.act));
        let listed: Vec<EntryRef> = self
            .facts
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
            || (self.live() != sheet.live.as_ref().map(|live| live.release.to_string()) && !self.began(id, fact.entry))
    }

    /// The last answer of each person to any of the sheets.
    fn last_answers(&self, sheets: &[EntryRef]) -> BTreeMap<&str, (&Fact, &Approval)> {
        let mut last = BTreeMap::new();
        for fact in &self.facts {
            if let Act::Approval(body) = &fact.act
                && sheets.contains(&body.request)
            {
                last.insert(fact.who.as_str(), (fact, &**body));
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

    /// Whether people are asked to decide on it, or have decided and nothing has gone out yet.
    fn open(&self, id: &str, at: Timestamp) -> bool {
        let sheets = self.sheets(id);
        let Some((fact, sheet)) = sheets.last() else { return false };
        let refused = self.stopped_by_an_answer(id, &[Verdict::NoGo]);
        at <= sheet.not_after && !refused && !self.given_up(id) && !self.began(id, fact.entry) && !self.moved(id)
    }

    fn authorization_stands(&self, answer: &Fact) -> bool {
        let Some(grant) = self.rules.authorization else { return false };
        let mut suspended = false;
        for fact in &self.facts {
            match &fact.act {
                Act::Authorization(body) => match body.change {
                    AuthorizationChange::Suspend { .. } => suspended = true,
                    AuthorizationChange::Resume { .. } => suspended = false,
                    AuthorizationChange::Grant { .. } => {}
                },
                Act::Target(body) if body.environment.as_str() == "production" && fact.index() > grant => {
                    return false;
                }
                _ => {}
            }
        }
        let stands = |who: &str, role: &str| self.holds(who, role, answer.time) && !self.revoked(who);
        !suspended && stands(QUINN, "qa") && stands(SAM, "security")
    }

    /// Whether the standing authorization signs, or who counts in which role; nothing where it is no GO.
    fn go(&self, id: &str, at: Timestamp) -> Option<Go<'_>> {
        let sheets = self.sheets(id);
        let (fact, sheet) = sheets.last()?;
        if self.stopped_by_an_answer(id, &[Verdict::NoGo, Verdict::Hold]) || self.moved(id) || at > sheet.not_after {
            return None;
        }
        let barred = self.barred(id);
        let mut by_role: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (who, (answer, body)) in self.last_answers(&[fact.entry]) {
            let met = |condition: u64| {
                self.facts.iter().any(|fact| {
                    matches!(&fact.act, Act::Condition(met) if met.approval == answer.entry && met.condition == condition)
                })
            };
            let says_go = match body.verdict {
                Verdict::Go => true,
                Verdict::ConditionalGo => (0..body.conditions.len() as u64).all(met),
                Verdict::NoGo | Verdict::Hold | Verdict::Withdrawn => false,
            };
            if !says_go || self.missed_something(answer, id) {
                continue;
            }
            if body.authorization.is_some() {
                if self.authorization_stands(answer) {
                    return Some(Go::Authorization);
                }
            } else if self.holds(who, body.role.as_str(), at) && !self.revoked(who) && !barred.contains(who) {
                by_role.entry(body.role.as_str()).or_default().insert(who);
            }
        }
        let enough = [("qa", self.rules.qa), ("security", 1)]
            .iter()
            .all(|(role, needed)| by_role.get(role).is_some_and(|people| people.len() >= *needed));
        enough.then_some(Go::People(by_role))
    }

    // The rollout.

    fn stopped(&self, id: &str) -> bool {
        let sheet = self.sheets(id).last().map(|(fact, _)| fact.index());
        self.facts.iter().any(|fact| match &fact.act {
            Act::Hold(body) if body.release.as_str() == id => match body.change {
                HoldChange::Halt {} => sheet < Some(fact.index()),
                HoldChange::Hold { .. } => !self.facts.iter().any(|later| match &later.act {
                    Act::Hold(later) => matches!(later.change, HoldChange::Resume { hold, .. } if hold == fact.entry),
                    _ => false,
                }),
                _ => false,
            },
            _ => false,
        })
    }

    fn frozen(&self, environment: &str, at: Timestamp) -> bool {
        self.facts.iter().any(|fact| match &fact.act {
            Act::Freeze(body) => match &body.change {
                FreezeChange::Declare { environment: only, span, .. } => {
                    let lifted = self.facts.iter().any(|later| match &later.act {
                        Act::Freeze(later) => {
                            matches!(later.change, FreezeChange::Lift { freeze } if freeze == fact.entry)
                        }
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
        self.facts.iter().rev().find_map(|fact| match &fact.act {
            Act::Wave(body) if body.sheet == sheet && body.wave == wave => Some(body.verdict),
            _ => None,
        })
    }

    fn rolling(&self, id: &str) -> bool {
        let sheets = self.sheets(id);
        let Some((fact, _)) = sheets.last() else { return false };
        let dispatches = self.dispatches(Some(id));
        let again = |sent: &Sent<'_>| {
            dispatches.iter().any(|later| {
                later.body.resends.as_ref() == Some(&sent.body.request_id) && later.state != DispatchState::Refused
            })
        };
        let back = || {
            dispatches.iter().filter(|sent| {
                sent.body.sheet == fact.entry
                    && sent.body.kind == DispatchKind::Rollback
                    && sent.state != DispatchState::Refused
            })
        };
        let all_passed = (1..=2).all(|wave| self.wave_says(fact.entry, wave) == Some(WaveVerdict::Pass));
        let over = match back().next() {
            Some(_) => back().any(Sent::succeeded) && !back().any(|sent| sent.open() && !again(sent)),
            None => all_passed,
        };
        // Only a review after the last way back ends it.
        let last = back().map(|sent| sent.prepared).max();
        let reviewed = self.facts.iter().any(|fact| {
            matches!(&fact.act, Act::Outcome(body) if body.release.as_str() == id) && Some(fact.index()) > last
        });
        self.began(id, fact.entry) && !reviewed && !over
    }

    /// Whether the device may begin the rollout of the release's last sheet with that dispatch.
    fn may_dispatch_first_wave(&self, body: &Dispatch, device: &str, at: Timestamp) -> bool {
        let id = body.release.as_str();
        let resends = body.resends.as_ref().map(|line| line.as_str());
        let sheets = self.sheets(id);
        let Some((fact, sheet)) = sheets.last() else { return false };
        let Some(go) = self.go(id, at) else { return false };
        let starter = match &body.by {
            Some(who) => {
                self.holds(who.as_str(), "release-manager", at)
                    && !self.last_answers(&[fact.entry]).contains_key(who.as_str())
            }
            None => (matches!(go, Go::Authorization) || self.rules.on_quorum) && self.leased(device, at),
        };
        let dispatches = self.dispatches(Some(id));
        let on_sheet = |kind: DispatchKind| {
            dispatches.iter().filter(move |sent| sent.body.sheet == fact.entry && sent.body.kind == kind)
        };
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
        let target_moved = self.facts.iter().any(|later| {
            later.index() > fact.index()
                && matches!(&later.act, Act::Target(body) if body.environment.as_str() == "production")
        });
        let unclear = self.facts.iter().any(|later| {
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
            && starter
    }
}

// ---------------------------------------------------------------------------------------------------- the pipeline

/// Where a request is that the dispatcher has sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Journey {
    /// On its way: it may still arrive, however late.
    Delayed { slow: bool },
    /// It never arrives.
    Lost,
    /// It arrived; whether the gate let it through, and whether the run then went well.
    Arrived { ran: bool, well: bool },
}

/// The pipeline as `templates/gate.sh` guards it, and the network before it.
#[derive(Default)]
struct Pipeline {
    requests: BTreeMap<String, (Dispatch, Journey)>,
    claims: BTreeSet<(EntryRef, u64)>,
    /// By sheet, the last rollback that was let through, in the order they were sent.
    taken_back: BTreeMap<EntryRef, usize>,
    sent: Vec<String>,
    /// How often each wave of a sheet arrived, and how often it ran.
    arrivals: BTreeMap<(EntryRef, u64), u64>,
    runs: BTreeMap<(EntryRef, u64), u64>,
}

impl Pipeline {
    /// The dispatcher sends what it has prepared.
    fn send(&mut self, body: &Dispatch, dice: &mut Dice) {
        let journey = if dice.one_in(8) { Journey::Lost } else { Journey::Delayed { slow: dice.one_in(6) } };
        self.requests.insert(body.request_id.to_string(), (body.clone(), journey));
        self.sent.push(body.request_id.to_string());
    }

    /// A request arrives: the gate looks for its claim, and it runs or does not.
    fn receive(&mut self, request: &str, dice: &mut Dice, tally: &mut Tally) -> Option<Dispatch> {
        let (body, journey) = self.requests.get_mut(request)?;
        let place = (body.sheet, body.wave);
        let ran = match body.kind {
            _ if body.environment.as_str() != "production" => true,
            DispatchKind::Deploy => {
                *self.arrivals.entry(place).or_default() += 1;
                let earlier = (1..body.wave).all(|wave| self.claims.contains(&(body.sheet, wave)));
                let ran = earlier && !self.taken_back.contains_key(&body.sheet) && self.claims.insert(place);
                if ran {
                    *self.runs.entry(place).or_default() += 1;
                } else {
                    tally.reach("stopped by the gate");
                }
                ran
            }
            DispatchKind::Rollback => {
                let sent = self.sent.iter().position(|sent| sent == request);
                let last = self.taken_back.get(&body.sheet).copied();
                let ran = self.claims.contains(&(body.sheet, 1)) && sent > last;
                if ran {
                    self.taken_back.insert(body.sheet, sent.expect("it was sent"));
                } else {
                    tally.reach("a rollback stopped by the gate");
                }
                ran
            }
        };
        *journey = Journey::Arrived { ran, well: ran && !dice.one_in(8) };
        ran.then(|| body.clone())
    }

    /// Whether an honest dispatcher may journal that: it reads the CI system, which does not lie.
    fn bears_out(&self, body: &Dispatch) -> bool {
        let journey = self.requests.get(body.request_id.as_str()).map(|(_, journey)| *journey);
        match body.state {
            DispatchState::Prepared | DispatchState::Sending | DispatchState::FateUnknown => true,
            // Nothing was sent, or the CI system says for certain that it never came.
            DispatchState::Refused => matches!(journey, None | Some(Journey::Lost)),
            DispatchState::Accepted | DispatchState::Bound => matches!(journey, Some(Journey::Arrived { .. })),
            DispatchState::Finished => match journey {
                Some(Journey::Arrived { well, .. }) => well == (body.conclusion == Some(RunConclusion::Success)),
                _ => false,
            },
        }
    }

    /// The requests that arrive now.
    fn arriving(&self, dice: &mut Dice) -> Vec<String> {
        let mut arriving = Vec::new();
        for (request, (_, journey)) in &self.requests {
            if let Journey::Delayed { slow } = journey
                && dice.one_in(if *slow { 30 } else { 2 })
            {
                arriving.push(request.clone());
            }
        }
        arriving
    }

    /// What an honest dispatcher journals next, where there is anything to say.
    fn next_step(&self, request: &str, state: DispatchState, dice: &mut Dice) -> Option<DispatchState> {
        use DispatchState::{Accepted, Bound, FateUnknown, Finished, Prepared, Refused, Sending};
        let journey = self.requests.get(request).map(|(_, journey)| *journey);
        Some(match (state, journey) {
            (Prepared, _) if dice.one_in(12) => Refused,
            (Prepared, _) => Sending,
            (Sending, Some(Journey::Arrived { .. })) if !dice.one_in(8) => Accepted,
            (Sending, Some(Journey::Lost)) if dice.one_in(2) => Refused,
            (Sending, _) if dice.one_in(2) => FateUnknown,
            (Accepted, _) => Bound,
            (Bound, _) if dice.one_in(12) => FateUnknown,
            (Bound, _) => Finished,
            (FateUnknown, Some(Journey::Lost)) => Refused,
            (FateUnknown, Some(Journey::Arrived { .. })) => dice.pick(&[Bound, Finished]),
            _ => return None,
        })
    }

    /// The step, with what the run came to.
    fn told(&self, step: Step, request: &str) -> Step {
        let well = matches!(self.requests.get(request), Some((_, Journey::Arrived { well: true, .. })));
        let conclusion = if well { RunConclusion::Success } else { RunConclusion::Failure };
        with_dispatch(step, move |_, body| {
            body.conclusion = (body.state == DispatchState::Finished).then_some(conclusion);
        })
    }
}

// --------------------------------------------------------------------------------------------------- the generator

/// What happened in all sequences.
#[derive(Default)]
struct Tally {
    admitted: u64,
    refused: u64,
    insider: u64,
    reached: BTreeMap<&'static str, u64>,
}

impl Tally {
    fn reach(&mut self, what: &'static str) {
        *self.reached.entry(what).or_default() += 1;
    }

    fn add(&mut self, other: Self) {
        self.admitted += other.admitted;
        self.refused += other.refused;
        self.insider += other.insider;
        for (what, times) in other.reached {
            *self.reached.entry(what).or_default() += times;
        }
    }
}

/// What would bring the release further, as far as one can tell; sometimes the wrong person tries.
fn useful(world: &World, id: &'static str, dice: &mut Dice, rules: Rules, pipeline: &Pipeline) -> Option<Step> {
    let state = &world.state;
    let deployment = rules.authorization;
    let Some(release) = state.releases.get(&word::<ReleaseId>(id)) else { return Some(propose(id)) };
    let has = |name: &str| {
        release
            .evidence
            .iter()
            .any(|record| record.body.name.as_str() == name && record.body.commit == release.candidate.commit)
    };
    if !has("unit.xml") {
        return Some(observe(id, "unit.xml", Conclusion::Pass));
    }
    if !has("scan.sarif") {
        return Some(observe(id, "scan.sarif", Conclusion::Pass));
    }
    let open: Vec<_> = release.dispatches.iter().filter(|sent| sent.open()).collect();
    if !open.is_empty() {
        let open = open[dice.below(open.len() as u64) as usize];
        let request = open.body.request_id.to_string();
        if open.body.state == DispatchState::FateUnknown
            && open.body.environment.as_str() == "production"
            && dice.one_in(3)
        {
            let again = format!("{id}/{}", state.tree.size());
            let step = match open.body.kind {
                DispatchKind::Deploy => dispatch(id, open.body.wave, &again),
                DispatchKind::Rollback => roll_back(id, open.body.wave, &again),
            };
            return Some(with_dispatch(step, move |_, body| body.resends = Some(word(&request))));
        }
        let next = pipeline.next_step(&request, open.body.state, dice)?;
        return Some(pipeline.told(journal(id, &request, next), &request));
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
        ReleaseState::Authorized => {
            Some(started(world, dispatch(id, 1, &format!("{id}/{}", state.tree.size())), rules.on_quorum, dice))
        }
        ReleaseState::RollingOut => {
            let wave = judge::next_wave(release, sheet)?;
            let sent = release.wave_dispatch(sheet.entry, wave).is_some();
            Some(if sent {
                wave_verdict(id, wave, if dice.one_in(6) { WaveVerdict::Fail } else { WaveVerdict::Pass })
            } else {
                started(world, dispatch(id, wave, &format!("{id}/{}", state.tree.size())), true, dice)
            })
        }
        ReleaseState::RolloutHalted if sheet.body.rollback.is_some() => {
            let wave = judge::next_wave(release, sheet).unwrap_or(2);
            let step = roll_back(id, wave, &format!("{id}/{}", state.tree.size()));
            Some(started(world, step, rules.auto_rollback, dice))
        }
        ReleaseState::RolloutHalted => Some(outcome(id)),
        ReleaseState::OnHold => Some(match release.holds.last() {
            Some(_) if dice.one_in(2) => resume(ROLF, id, Some("settled")),
            _ => freeze(),
        }),
        ReleaseState::NoGo | ReleaseState::Halted => Some(match dice.below(3) {
            0 => amended(world, id, dice),
            1 => waive(dice.pick(&[QUINN, QUENTIN, SAM]), id, dice.pick(&GATES), 86_400),
            _ => go(dice.pick(&[QUINN, QUENTIN, SAM]), id, "qa"),
        }),
        _ => None,
    }
}

/// A dispatch started by Rolf or, where it may be, by the worker that has the work; it takes the work where nobody has it.
fn started(world: &World, step: Step, by_worker: bool, dice: &mut Dice) -> Step {
    if !by_worker || dice.one_in(3) {
        return step;
    }
    match &world.state.lease {
        Some((holder, until)) if world.now <= *until => {
            let holder = if holder.as_str() == WORKER { WORKER } else { WORKER_2 };
            with_dispatch(step, |_, body| body.by = None).by(holder)
        }
        _ => lease_for(dice.pick(&[60, 3600])).by(dice.pick(&[WORKER, WORKER_2])),
    }
}

/// The candidate with another field or, mostly, another commit.
fn amended(world: &World, id: &'static str, dice: &mut Dice) -> Step {
    if dice.one_in(4) {
        return amend(id, |candidate| candidate.risk = None);
    }
    let commit = commit_of(&format!("{id} {}", world.made));
    amend(id, move |candidate| candidate.commit = word(&commit))
}

/// Anything, by anybody.
fn anything(world: &World, id: &'static str, dice: &mut Dice, rules: Rules, pipeline: &Pipeline) -> Option<Step> {
    let state = &world.state;
    let deployment = rules.authorization;
    let who = dice.pick(&PERSONS);
    let release = state.releases.get(&word::<ReleaseId>(id));
    let request = format!("{id}/{}", state.tree.size());
    let Some(release) = release else {
        return Some(match dice.below(3) {
            0 => declare_freeze(dice.pick(&[None, Some("production"), Some("staging")]), 1800).by(who),
            1 => role_change(dice.pick(&[Grant::Grant, Grant::Lapse]), dice.pick(&PERSONS), dice.pick(&ROLES))
                .by(dice.pick(&[OLGA, OTTO, who])),
            _ => propose(id).by(who),
        });
    };
    let sheet = release.sheet();
    let some_request = release.dispatches.last().map(|sent| sent.body.request_id.to_string());
    Some(match dice.below(36) {
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
            let verdict = dice.pick(&[
                Verdict::Go,
                Verdict::Go,
                Verdict::NoGo,
                Verdict::Hold,
                Verdict::ConditionalGo,
                Verdict::Withdrawn,
            ]);
            let asked = [(QUINN, "qa"), (QUENTIN, "qa"), (BOTH, "qa"), (BOTH, "security"), (SAM, "security")];
            let (who, role) = if dice.one_in(2) { dice.pick(&asked) } else { (who, dice.pick(&ROLES)) };
            let step = answer(who, id, role, verdict);
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
        18 => amended(world, id, dice).by(dice.pick(&[RITA, PAUL, who])),
        19 if dice.one_in(4) => withdraw(id),
        20 | 21 => freeze(id).by(dice.pick(&[RITA, ROLF, who])),
        22 => role_change(dice.pick(&[Grant::Grant, Grant::Lapse]), dice.pick(&PERSONS), dice.pick(&ROLES))
            .by(dice.pick(&[OLGA, OTTO, who])),
        23 if dice.one_in(4) => key_change(KeyChange::Lost {}, dice.pick(&[QUINN, QUENTIN, SAM, BOTH])),
        24 if dice.one_in(3) => {
            target(dice.pick(&["production", "staging"]), &["canary", "everyone"]).by(dice.pick(&[OLGA, RITA]))
        }
        25 => declare_freeze(dice.pick(&[None, Some("production"), Some("staging")]), 1800).by(who),
        26 if !state.freezes.is_empty() => lift_freeze(*state.freezes.keys().next_back().expect("just asked")).by(who),
        27 | 28 if sheet.is_some() => {
            let step = dispatch(id, 1 + dice.below(2), &request);
            let step = match some_request.filter(|_| dice.one_in(3)) {
                Some(lost) => with_dispatch(step, move |_, body| body.resends = Some(word(&lost))),
                None => step,
            };
            started_by(step, who, dice)
        }
        29 if sheet.is_some() => started_by(roll_back(id, 1 + dice.below(2), &request), who, dice),
        30 if sheet.is_some() => wave_verdict(
            id,
            1 + dice.below(2),
            dice.pick(&[WaveVerdict::Pass, WaveVerdict::Fail, WaveVerdict::Inconclusive]),
        )
        .by(dice.pick(&[WORKER, who])),
        31 if some_request.is_some() => {
            let request = some_request.expect("just asked");
            pipeline.told(journal(id, &request, dice.pick(&DispatchState::ALL[1..])), &request)
        }
        32 => match deployment {
            Some(index) if sheet.is_some() => match dice.below(4) {
                0 => suspend(index).by(who),
                1 => resume_authorization(index).by(dice.pick(&[OLGA, who])),
                _ => automatic_go(id, index),
            },
            _ => deliver(id, &request),
        },
        33 => lease_for(dice.pick(&[60, 3600, 3601])).by(dice.pick(&[WORKER, WORKER_2])),
        _ => outcome(id).by(who),
    })
}

/// The dispatch, started by anybody or nobody.
fn started_by(step: Step, who: &'static str, dice: &mut Dice) -> Step {
    let by = dice.pick(&[None, Some(ROLF), Some(who)]);
    with_dispatch(step, move |_, body| body.by = by.map(word)).by(dice.pick(&[WORKER, WORKER_2]))
}

/// Where a sequence begins.
struct Base {
    world: World,
    model: Model,
    parsed: Vec<ParsedLeaf>,
    /// The release that most of what happens is about.
    focus: &'static str,
}

impl Base {
    fn new(world: World, rules: Rules, focus: &'static str) -> Self {
        let model = Model::of(&world, rules);
        let parsed = world.leaves.iter().cloned().map(ParsedLeaf::new).collect();
        Self { world, model, parsed, focus }
    }
}

/// Three policies; under each a company where nothing has happened, one whose first release waits for signatures, and
/// one whose first release is live and whose second waits.
fn bases() -> Vec<Base> {
    let staffed = |edits: &[(&str, &str)]| {
        given_policy_with(edits).when(enrol_device(WORKER_2, DevicePurpose::Dispatcher)).when(confirm_device(WORKER_2))
    };
    let usual = Rules { qa: 1, ..Rules::default() };
    let (deployment, index) = staffed(&[("continuous-delivery", "continuous-deployment")]).when(authorize()).agreed();
    let automatic = staffed(&[
        ("soak_seconds", "dispatch = \"on-quorum\"\nrollback = \"auto\"\nsoak_seconds"),
        ("role = \"qa\"", "role = \"qa\"\ncount = 2"),
    ]);
    let mut bases = Vec::new();
    for (world, rules) in [
        (staffed(&[]), usual),
        (deployment, Rules { authorization: Some(index), ..usual }),
        (automatic, Rules { qa: 2, on_quorum: true, auto_rollback: true, ..usual }),
    ] {
        let frozen = |world: World, id: &'static str| {
            let world = world.proven(id).staged(id).later(SOAK_SECONDS);
            world.when(rules.authorization.map_or_else(|| freeze(id), |index| freeze_for(id, index)))
        };
        let first = frozen(world.clone(), "r1");
        let live = first
            .clone()
            .when(go(QUINN, "r1", "qa"))
            .when(go(QUENTIN, "r1", "qa"))
            .when(go(SAM, "r1", "security"))
            .sent("r1", 1)
            .passed("r1", 1)
            .sent("r1", 2)
            .passed("r1", 2);
        bases.push(Base::new(world, rules, "r1"));
        bases.push(Base::new(first, rules, "r1"));
        bases.push(Base::new(frozen(live, "r2"), rules, "r2"));
    }
    bases
}

/// Runs one sequence; panics where the core and the model part.
fn run(seed: u64, length: u64, base: &Base, tally: &mut Tally) {
    let trace = std::env::var_os("COUNTERSIGN_MODEL_TRACE").is_some();
    let mut dice = Dice(seed);
    let (mut world, mut model, rules) = (base.world.clone(), base.model.clone(), base.model.rules);
    let mut pipeline = Pipeline::default();
    let mut halted: BTreeSet<&str> = BTreeSet::new();
    for at_step in 0..length {
        let context = || format!("seed {seed}, step {at_step}");
        if dice.one_in(4) {
            let seconds = dice.pick(&[1, 60, 600, 3600, 3600, 20_000]);
            world = world.later(seconds);
        }
        for request in pipeline.arriving(&mut dice) {
            if let Some(ran) = pipeline.receive(&request, &mut dice, tally) {
                check_ran(&world, &ran, tally, &context());
            }
        }
        let id = if dice.one_in(4) { dice.pick(&IDS) } else { base.focus };
        let step = if dice.one_in(4) {
            anything(&world, id, &mut dice, rules, &pipeline)
        } else {
            useful(&world, id, &mut dice, rules, &pipeline)
        };
        let Some(step) = step else { continue };

        let statement = world.statement(&step);
        if matches!(&statement.act, Act::Dispatch(body) if !pipeline.bears_out(body)) {
            continue;
        }
        let composed = statement.common.seen.size == world.state.tree.size();
        let decided =
            composed.then(|| decide(&world.state, Command::Record(statement.act.clone()), &context_of(&statement)));
        let device = statement.common.signer.principal.as_str();
        let allowed = first_wave_of(&statement).map(|body| model.may_dispatch_first_wave(body, device, world.now));
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
                if trace {
                    println!("{} at {}: {entry} {device} {:?}", context(), world.now, statement.act);
                }
                tally.admitted += 1;
                assert_ne!(allowed, Some(false), "{}: let out against the model", context());
                check_admitted(&model, &statement, world.now, &halted, tally, &context());
                if let Act::Dispatch(body) = &statement.act
                    && body.state == DispatchState::Sending
                {
                    pipeline.send(body, &mut dice);
                }
                model.note(entry, statement);
            }
        }
        check_state(&world, &model, &mut halted, tally, &context());
    }
    check_runs(&world, &model, &pipeline, &format!("seed {seed}"));
    if seed.is_multiple_of(4) {
        check_replay(&world, &base.parsed, seed);
    }
}

/// The dispatch, where the statement would begin a rollout.
fn first_wave_of(statement: &Statement) -> Option<&Dispatch> {
    match &statement.act {
        Act::Dispatch(body)
            if body.state == DispatchState::Prepared
                && body.kind == DispatchKind::Deploy
                && body.wave == 1
                && body.environment.as_str() == "production" =>
        {
            Some(body)
        }
        _ => None,
    }
}

/// What runs in production is under way by the ledger, however late it arrives.
fn check_ran(world: &World, body: &Dispatch, tally: &mut Tally, context: &str) {
    if body.environment.as_str() != "production" {
        return;
    }
    let has = judge::rollout_in(&world.state, &word(PRODUCT), &word("production"), world.now);
    assert_eq!(has.as_ref(), Some(&body.release), "{context}: {} runs behind the ledger's back", body.request_id);
    let release = &world.state.releases[&body.release];
    assert_eq!(release.sheet().map(|sheet| sheet.entry), Some(body.sheet), "{context}: an old sheet runs");
    tally.reach("ran");
}

/// No wave of a sheet has run twice; and without the gate's claims, only what a person sent again could have.
fn check_runs(world: &World, model: &Model, pipeline: &Pipeline, context: &str) {
    let dispatches = model.dispatches(None);
    for (place, runs) in &pipeline.runs {
        assert!(*runs <= 1, "{context}: {place:?} ran {runs} times");
    }
    for ((sheet, wave), arrivals) in &pipeline.arrivals {
        let again = dispatches.iter().filter(|sent| {
            sent.body.sheet == *sheet
                && sent.body.wave == *wave
                && sent.body.kind == DispatchKind::Deploy
                && sent.body.resends.is_some()
        });
        assert!(*arrivals <= 1 + again.count() as u64, "{context}: wave {wave} of {sheet} was sent twice");
    }
    for release in world.state.releases.values() {
        for sheet in &release.sheets {
            for wave in 1..=2 {
                let good = release
                    .dispatches_of(sheet.entry, DispatchKind::Deploy)
                    .filter(|sent| sent.body.wave == wave && sent.succeeded());
                assert!(good.count() <= 1, "{context}: wave {wave} of {} succeeded twice", sheet.entry);
            }
        }
    }
}

/// Nothing is asked for, or supported, beside another decision that is open; and who withdraws has said something.
fn check_sole(model: &Model, statement: &Statement, at: Timestamp, tally: &mut Tally, context: &str) {
    let sheet_of = |request: EntryRef| {
        model.facts.iter().find(|fact| fact.entry == request).and_then(|fact| match &fact.act {
            Act::Request(sheet) => Some((fact.entry, sheet.release.to_string())),
            _ => None,
        })
    };
    let id = match &statement.act {
        Act::Request(body) => body.release.to_string(),
        Act::Approval(body) => {
            let Some((sheet, id)) = sheet_of(body.request) else { return };
            if body.verdict == Verdict::Withdrawn {
                let who = statement.common.signer.principal.as_str();
                let sheets = model.sheets(&id);
                let candidate = sheets.iter().find(|(fact, _)| fact.entry == sheet).map(|(_, body)| body.candidate);
                let same = sheets.iter().filter(|(_, body)| Some(body.candidate) == candidate);
                let same: Vec<EntryRef> = same.map(|(fact, _)| fact.entry).collect();
                let said = model.last_answers(&same).get(who).map(|(_, said)| said.verdict);
                let something = said.is_some_and(|said| said != Verdict::Withdrawn);
                assert!(something && !model.began(&id, sheet), "{context}: withdrawn from nothing, or too late");
                tally.reach("withdrawn answer");
                // Only a NO-GO that is withdrawn opens a decision again.
                if said != Some(Verdict::NoGo) {
                    return;
                }
            } else if !matches!(body.verdict, Verdict::Go | Verdict::ConditionalGo) {
                return;
            }
            id
        }
        _ => return,
    };
    let other = IDS.iter().find(|other| **other != id && model.open(other, at));
    assert_eq!(other, None, "{context}: {id} is decided on beside it");
}

/// What was just admitted is what the model allows, as far as it is dangerous.
fn check_admitted(
    model: &Model,
    statement: &Statement,
    at: Timestamp,
    halted: &BTreeSet<&str>,
    tally: &mut Tally,
    context: &str,
) {
    check_sole(model, statement, at, tally, context);
    let Act::Dispatch(body) = &statement.act else { return };
    if body.state != DispatchState::Prepared || body.environment.as_str() != "production" {
        return;
    }
    let id = body.release.as_str();
    let same: Vec<Sent<'_>> = model
        .dispatches(Some(id))
        .into_iter()
        .filter(|sent| {
            sent.body.sheet == body.sheet
                && sent.body.wave == body.wave
                && sent.body.kind == body.kind
                && sent.state != DispatchState::Refused
        })
        .collect();
    match body.kind {
        DispatchKind::Deploy => {
            tally.reach(if body.wave == 1 { "first wave" } else { "second wave" });
            if body.by.is_none() {
                tally.reach("started by the worker");
                assert!(model.leased(statement.common.signer.principal.as_str(), at), "{context}: nobody has the work");
            }
            if halted.contains(id) {
                // The same candidate was halted before: each red gate must be waived now.
                let gates = model.gates(id, at);
                let red = || gates.iter().filter(|(_, says)| *says == Conclusion::Fail);
                assert!(red().next().is_some(), "{context}: what halted {id} is gone");
                assert!(red().all(|(gate, _)| model.waived(id, gate, at)), "{context}: from halted to dispatched");
                tally.reach("from halted on by a waiver");
            }
            for earlier in &same {
                let resent = body.resends.as_ref() == Some(&earlier.body.request_id);
                let replaced = same.iter().any(|other| other.body.resends.as_ref() == Some(&earlier.body.request_id));
                assert!(
                    earlier.state == DispatchState::FateUnknown && (resent || replaced),
                    "{context}: a wave went out twice"
                );
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
            tally.reach(if body.by.is_some() { "rollback" } else { "rollback by the worker" });
            assert!(!IDS.iter().any(|other| *other != id && model.rolling(other)), "{context}");
            assert!(model.rolling(id) || model.live().as_deref() == Some(id), "{context}: it takes another's place");
            let lost = |sent: &Sent<'_>| body.resends.as_ref() == Some(&sent.body.request_id) && sent.open();
            let done = same.iter().any(Sent::succeeded);
            assert!(!done || same.iter().any(lost), "{context}: taken back twice");
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
    let mut rolling = Vec::new();
    for id in IDS {
        let Some(release) = world.state.releases.get(&word::<ReleaseId>(id)) else { continue };
        let state = judge::release_state(&world.state, release, now);
        tally.reach(state.as_str());
        if matches!(state, ReleaseState::Dispatching | ReleaseState::RollingOut | ReleaseState::RolloutHalted) {
            rolling.push(&release.id);
        }
        // What is not among the open releases is history: nothing of it is under way.
        let open = world.state.open_releases(&word(PRODUCT)).any(|open| open.id == release.id);
        assert!(open || judge::under_way(release).next().is_none(), "{context}: {id} is under way, and not open");
        let checks = judge::checks(&world.state, release, now);
        assert_eq!(checks.iter().any(judge::Check::red), model.red(id, now), "{context}: {id} red");
        assert_eq!(checks.iter().any(judge::Check::open), model.gate_open(id, now), "{context}: {id} open {checks:?}");
        if let Some(sheet) = release.sheet() {
            let decision = judge::decision(&world.state, release, sheet, now);
            let go = matches!(decision.outcome, Outcome::Go { .. });
            let expected = model.go(id, now);
            assert_eq!(go, expected.is_some(), "{context}: {id} {:?}", decision.outcome);
            let signed: Vec<_> = decision.slots.iter().flat_map(|slot| &slot.signed).collect();
            let people: BTreeSet<_> = signed.iter().collect();
            assert_eq!(signed.len(), people.len(), "{context}: one person fills two places");
            if let Some(Go::People(by_role)) = expected {
                assert!(people.len() > model.rules.qa, "{context}: {people:?} are too few");
                for slot in &decision.slots {
                    let counted: Vec<&str> = slot.signed.iter().map(|who| who.as_str()).collect();
                    let expected: Vec<&str> = by_role[slot.role.as_str()].iter().copied().collect();
                    assert_eq!(counted, expected, "{context}: {id} {}", slot.role);
                }
            }
        }
        // Another candidate begins anew; nothing else does.
        let renewed = model
            .facts
            .last()
            .is_some_and(|fact| matches!(&fact.act, Act::Propose(body) if body.release.as_str() == id));
        if renewed {
            halted.remove(id);
        }
        if state == ReleaseState::Halted {
            halted.insert(id);
        }
    }
    assert!(rolling.len() <= 1, "{context}: two rollouts have the environment");
    let place = (word(PRODUCT), word("production"));
    let has = judge::rollout_in(&world.state, &place.0, &place.1, now);
    assert_eq!(has.as_ref(), rolling.first().copied(), "{context}: who has the environment");
    let live = world.state.live.get(&place).map(|live| live.release.to_string());
    assert_eq!(live, model.live(), "{context}");
}

/// A ledger read again says the same.
fn check_replay(world: &World, parsed: &[ParsedLeaf], seed: u64) {
    let mut replayed = State::default();
    let new = world.leaves[parsed.len()..].iter().cloned().map(ParsedLeaf::new);
    for leaf in parsed.iter().cloned().chain(new) {
        // Findings are kept by the state.
        let _ = replayed.take_parsed(leaf);
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
            release
                .sheets
                .iter()
                .flat_map(judged)
                .map(|judged| (judged.answer.entry, judged.state, judged.cause))
                .collect()
        };
        assert_eq!(answers(&world.state, old), answers(&replayed, new), "seed {seed}");
    }
}

/// What the long sequences come past.
const REACHED: [&str; 20] = [
    "first wave",
    "second wave",
    "started by the worker",
    "rollback",
    "rollback by the worker",
    "sent again",
    "stopped by the gate",
    "from halted on by a waiver",
    "ran",
    "halted",
    "no_go",
    "on_hold",
    "authorized",
    "live",
    "rolled_back",
    "rollout_halted",
    "reviewed",
    "expired",
    "withdrawn",
    "withdrawn answer",
];

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn random_ledgers_and_the_model_never_part() {
    let tally = walks(setting("COUNTERSIGN_MODEL_SEQUENCES", 100_000), 8);
    // A test that never gets anywhere proves nothing.
    for what in ["first wave", "withdrawn answer", "halted", "authorized", "no_go", "on_hold", "ran", "live"] {
        assert!(tally.reached.contains_key(what), "no sequence reached {what}: {:?}", tally.reached);
    }
}

#[test]
fn long_ledgers_and_the_model_never_part() {
    let sequences = setting("COUNTERSIGN_MODEL_LONG_SEQUENCES", 180);
    let tally = walks(sequences, 120);
    if sequences >= 100 {
        for what in REACHED {
            assert!(tally.reached.contains_key(what), "no sequence reached {what}: {:?}", tally.reached);
        }
    }
}

/// Runs sequences of so many steps, on every core there is, and says what they reached.
fn walks(sequences: u64, steps: u64) -> Tally {
    let first = setting("COUNTERSIGN_MODEL_SEED", 1);
    let bases = bases();
    let started = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let mut tally = Tally::default();
    let share = |thread: u64| {
        let mut tally = Tally::default();
        for seed in (first..first + sequences).skip(thread as usize).step_by(threads as usize) {
            run(seed, steps, &bases[(seed % bases.len() as u64) as usize], &mut tally);
        }
        tally
    };
    std::thread::scope(|scope| {
        let share = &share;
        let shares: Vec<_> = (0..threads).map(|thread| scope.spawn(move || share(thread))).collect();
        for share in shares {
            tally.add(share.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
    });
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{sequences} sequences of {steps} steps in {seconds:.1} s ({:.1} a second): {} admitted, {} refused, {} written by \
         an insider",
        sequences as f64 / seconds,
        tally.admitted,
        tally.refused,
        tally.insider
    );
    println!("{:?}", tally.reached);
    tally
}

//! Decision sheets, the sign-offs on them and what they amount to.

use super::{Source, moment, release, standing};
use crate::model::{
    AutomaticGo, Cause, Condition, Decision, KeyOrigin, PlannedWave, QuorumRule, RollbackSlot, Seen, Sheet, SignOff,
    SignOffState, Span, TargetDigest, Verdict,
};
use countersign_core::act::{Act, DispatchKind, LiveRelease};
use countersign_core::hash::Digest;
use countersign_core::judge::{self, JudgedSignOff, Outcome};
use countersign_core::state;
use countersign_core::words::EntryRef;
use std::collections::BTreeSet;

/// The answers to a sheet, now and when it was used, and what they come to.
///
/// A sheet that was dispatched was judged then: that snapshot is on record, and what moved later does not undo it. Any
/// other is judged at the time of the report.
struct Judged {
    /// Every answer as it is worth now.
    now: Vec<JudgedSignOff>,
    /// What each was worth when wave 1 was dispatched; `None` where it did not come to that.
    used: Option<Vec<JudgedSignOff>>,
    /// What they come to.
    outcome: Outcome,
}

impl Judged {
    fn of(source: &Source<'_>, release: &state::Release, sheet: &state::Sheet) -> Self {
        let now = judge::decision(source.state, release, sheet, source.now);
        // What the pipeline refused never ran, and the sheet could be answered anew afterwards.
        let used = sheet.decided.clone().filter(|_| release.rollout_began(sheet.entry));
        let outcome = match &used {
            // The core prepares wave 1 of a GO alone.
            Some(used) => {
                let authorization = used.iter().filter(|it| counts(it)).find_map(|it| it.answer.authorization);
                Outcome::Go { authorization }
            }
            None => now.outcome,
        };
        Self { now: now.answers, used, outcome }
    }

    /// The answers that decide.
    fn deciding(&self) -> &[JudgedSignOff] {
        self.used.as_deref().unwrap_or(&self.now)
    }

    fn at_dispatch(&self, entry: EntryRef) -> Option<SignOffState> {
        self.used.iter().flatten().find(|it| it.answer.entry == entry).map(|it| it.state)
    }
}

/// Whether an answer is a GO that counts.
fn counts(it: &JudgedSignOff) -> bool {
    let go = match it.answer.verdict {
        Verdict::Go => true,
        Verdict::ConditionalGo => it.answer.conditions.iter().all(|(_, met)| met.is_some()),
        Verdict::NoGo | Verdict::Hold | Verdict::Withdrawn => false,
    };
    go && it.state == SignOffState::Valid && !it.replaced
}

/// One sheet.
pub(super) fn sheet(source: &Source<'_>, release: &state::Release, it: &state::Sheet) -> Sheet {
    let judged = Judged::of(source, release, it);
    let (answers, outcome) = (&judged.now, &judged.outcome);
    let body = &it.body;
    let zone = source.zone_of(it.entry.index);
    let policy = policy_of(source, it);
    let place = release.sheets.iter().position(|sheet| sheet.entry == it.entry);
    let next = place.and_then(|place| release.sheets.get(place + 1));
    let automatic = judged.deciding().iter().filter(|it| it.answer.authorization.is_some());
    Sheet {
        digest: it.entry.leaf.to_string(),
        frozen: source.stamp(it.entry.index),
        environment: body.environment.to_string(),
        valid_until: Some(moment(body.not_after, zone)),
        window: Some(Span { from: moment(body.window.from, zone), until: moment(body.window.until, zone) }),
        policy_version: policy.map_or(0, |record| record.version),
        policy_digest: policy.map(|record| Digest::of(record.toml.as_bytes()).to_string()).unwrap_or_default(),
        evidence_manifest: body.evidence.digest.to_string(),
        evidence_count: body.evidence.count,
        gates: release::gates(source.history.gates.get(&it.entry.index).map(Vec::as_slice).unwrap_or_default()),
        waivers: body.waivers.iter().map(|entry| entry.index).collect(),
        staging: body.stage.map(|entry| entry.index),
        rollout: body
            .rollout
            .iter()
            .map(|wave| PlannedWave { audience: wave.segment.to_string(), bake_seconds: wave.bake_seconds })
            .collect(),
        change_list: body.changes.to_string(),
        targets: vec![TargetDigest {
            environment: body.environment.to_string(),
            name: match source.leaf(body.target.index).and_then(|leaf| leaf.admitted()).map(|it| &it.act) {
                Some(Act::Target(target)) => target.job.to_string(),
                _ => String::new(),
            },
            sha256: body.target.leaf.to_string(),
        }],
        live_before: body.live.as_ref().map(named),
        rollback: match &body.rollback {
            None => RollbackSlot::NoWayBack,
            Some(slot) => RollbackSlot::To {
                version: named(slot),
                sha256: slot.artifacts.first().map(|it| it.sha256.to_string()).unwrap_or_default(),
            },
        },
        quorum: policy.map(|record| quorum(&record.policy, judged.deciding())).unwrap_or_default(),
        decision: decision(outcome),
        decision_reason: decision_reason(source, release, it, outcome),
        superseded_by: next.map(|sheet| sheet.entry.index),
        sign_offs: answers
            .iter()
            .zip(1..)
            .filter(|(it, _)| it.answer.authorization.is_none())
            .map(|(it, next)| sign_off(source, &judged, it, &answers[next..]))
            .collect(),
        automatic_go: automatic.max_by_key(|it| counts(it)).and_then(|it| automatic_go(source, it)),
    }
}

/// The policy a sheet was frozen under.
pub(super) fn policy_of<'a>(source: &Source<'a>, sheet: &state::Sheet) -> Option<&'a state::PolicyRecord> {
    source.state.policies.get(&sheet.body.product)?.iter().find(|record| record.entry == sheet.body.policy)
}

/// A release that is live, in a word.
pub(super) fn named(it: &LiveRelease) -> String {
    format!("{} ({})", it.version, it.release)
}

fn quorum(policy: &countersign_core::policy::Policy, answers: &[JudgedSignOff]) -> Vec<QuorumRule> {
    policy
        .quorum
        .iter()
        .map(|rule| {
            let signed: BTreeSet<_> = answers
                .iter()
                .filter(|it| counts(it) && it.answer.authorization.is_none() && it.answer.role == rule.role)
                .map(|it| &it.answer.principal)
                .collect();
            QuorumRule { role: rule.role.to_string(), needed: rule.count, counted: signed.len() as u64 }
        })
        .collect()
}

fn decision(outcome: &Outcome) -> Decision {
    match outcome {
        Outcome::Go { .. } => Decision::Go,
        Outcome::NoGo(_) => Decision::NoGo,
        Outcome::Hold(_) => Decision::Hold,
        Outcome::Stale(_) => Decision::Stale,
        Outcome::Expired => Decision::Expired,
        Outcome::Incomplete => Decision::Awaiting,
    }
}

fn decision_reason(source: &Source<'_>, release: &state::Release, sheet: &state::Sheet, outcome: &Outcome) -> String {
    let name = |who| source.state.printed_name(who);
    let what = match outcome {
        Outcome::Go { authorization: Some(used) } => format!("The standing authorization of {used} signed."),
        Outcome::Go { authorization: None } => "The quorum is complete.".to_owned(),
        Outcome::NoGo(who) => format!("{} said NO-GO.", name(who)),
        Outcome::Hold(who) => format!("{} asks to wait.", name(who)),
        Outcome::Stale(moved) => format!(
            "Moved since it was frozen: {}.",
            moved.iter().map(|moved| moved.as_str()).collect::<Vec<_>>().join(", ")
        ),
        Outcome::Expired => format!("The sheet ran out at {} before it was used.", sheet.body.not_after),
        Outcome::Incomplete => "Signatures are missing.".to_owned(),
    };
    let first = release.dispatches_of(sheet.entry, DispatchKind::Deploy).find(|it| it.body.wave == 1);
    match first.filter(|_| sheet.decided.is_some() && release.rollout_began(sheet.entry)) {
        Some(first) => format!("{what} Judged when wave 1 was dispatched ({}).", first.entry),
        None => format!("{what} Judged at the time of this report."),
    }
}

fn sign_off(source: &Source<'_>, judged: &Judged, it: &JudgedSignOff, later: &[JudgedSignOff]) -> SignOff {
    let answer = &it.answer;
    let person = source.state.people.get(&answer.principal);
    let key = person.and_then(|person| person.keys.iter().find(|record| record.key == answer.key));
    SignOff {
        by: crate::model::Party {
            name: match &answer.delegated_by {
                Some(of) => format!("{}, in the place of {}", answer.name, source.state.printed_name(of)),
                None => answer.name.to_string(),
            },
            principal: answer.principal.to_string(),
        },
        role: answer.role.to_string(),
        verdict: answer.verdict,
        meaning: answer.meaning,
        reason: answer.reason.clone(),
        conditions: answer
            .conditions
            .iter()
            .map(|(text, settled)| Condition { text: text.to_string(), settled: settled.map(|entry| entry.index) })
            .collect(),
        at: moment(answer.time, answer.zone),
        key_fingerprint: answer.key.fingerprint(),
        key_origin: key.map_or(KeyOrigin::Imported, |record| record.origin),
        reauth: answer.reauth,
        seen: Seen { size: answer.seen_size, basis: answer.seen_basis },
        entry: answer.entry.index,
        state: it.state,
        state_at_dispatch: judged.at_dispatch(answer.entry),
        cause: cause(it),
        replaced_by: later.iter().find(|it| it.answer.replaces(answer)).map(|it| it.answer.entry.index),
    }
}

/// Why an answer does not count, with the entry the core names.
fn cause(it: &JudgedSignOff) -> Option<Cause> {
    let text = it.cause.clone()?;
    let mut words = text.split_whitespace();
    let entry = words.find(|word| *word == "entry").and_then(|_| words.next()).and_then(|word| word.parse().ok());
    Some(Cause { text, entry })
}

fn automatic_go(source: &Source<'_>, it: &JudgedSignOff) -> Option<AutomaticGo> {
    let used = it.answer.authorization?;
    let record = source.state.authorizations.get(&used.index)?;
    Some(AutomaticGo {
        authorization: used.index,
        adopted_by: standing::adoptions(source, record),
        bounds: standing::bounds(record),
        used: source.stamp(it.answer.entry.index),
        state: it.state,
        cause: cause(it),
    })
}

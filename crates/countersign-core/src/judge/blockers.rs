//! What keeps a release from its next step, and who clears it how.

use super::*;

/// What keeps a release from its next step, and who can clear it how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocker {
    /// The kind of thing, as a rule code or a gate.
    pub code: String,
    /// What it is.
    pub what: String,
    /// Who can clear it; principals, or a role.
    pub who: Vec<String>,
    /// The command that clears it.
    pub act: String,
    /// What it is, as data.
    #[serde(skip)]
    pub cause: Cause,
}

/// What keeps a release from its next step, as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The stop of that entry.
    Stop(EntryRef),
    /// Evidence after the freeze that does not say.
    LateInconclusive(Line),
    /// The rollout stopped.
    RolloutHalted,
    /// The product has no policy.
    NoPolicy,
    /// A gate that is not passed.
    Gate(Check),
    /// No sheet is frozen.
    NotFrozen,
    /// Signatures of a role are missing.
    Quorum(Slot),
    /// Somebody said NO-GO.
    NoGo(Principal),
    /// Somebody asks to wait.
    AsksToWait(Principal),
    /// The sheet no longer says what the ledger says.
    Stale(Vec<Moved>),
    /// The sheet is past its time.
    SheetExpired(Timestamp),
    /// A condition of a conditional GO is open: its entry, and which, from 0.
    Condition(EntryRef, u64),
    /// A freeze keeps it, in that occurrence.
    Frozen(EntryRef, crate::act::Window),
    /// The review of that emergency change was due then.
    ReviewOverdue(ReleaseId, Timestamp),
}

/// Returns what keeps the release from going live, the most pressing first.
pub fn blockers(state: &State, release: &Release, at: Timestamp) -> Vec<Blocker> {
    let mut list = Vec::new();
    let id = &release.id;
    let product = &release.candidate.product;
    let holders = |role: &str| -> Vec<String> {
        state
            .people
            .values()
            .filter(|person| person.holds(role, Some(product), at))
            .map(|person| person.card.principal.to_string())
            .collect()
    };
    let mut add = |code: &str, what: String, who: Vec<String>, act: String, cause: Cause| {
        list.push(Blocker { code: code.to_owned(), what, who, act, cause });
    };
    let now = release_state(state, release, at);
    match now {
        ReleaseState::Live
        | ReleaseState::Reviewed
        | ReleaseState::RolledBack
        | ReleaseState::Superseded
        | ReleaseState::Withdrawn => {
            return list;
        }
        _ => {}
    }
    let managers = holders(role::RELEASE_MANAGER);
    for hold in release.active_holds() {
        let what = match &hold.change {
            HoldChange::Hold { question: Some(question) } => {
                format!("{} asks: {question}", state.printed_name(&hold.by))
            }
            HoldChange::Halt {} => format!("{} halted the rollout: {}", state.printed_name(&hold.by), hold.reason),
            _ => format!("{} holds: {}", state.printed_name(&hold.by), hold.reason),
        };
        let act = format!("countersign hold {id} --resume {}", hold.entry.index);
        add("on_hold", what, managers.clone(), act, Cause::Stop(hold.entry));
    }
    if let Some(late) = release.sheet().and_then(|sheet| late_inconclusive(release, sheet)) {
        let what = format!("evidence after the freeze is inconclusive: {}", late.body.name);
        let act = format!("countersign request {id} (the new sheet lists it)");
        add("on_hold", what, managers.clone(), act, Cause::LateInconclusive(late.body.name.clone()));
    }
    if now == ReleaseState::RolloutHalted {
        let act = format!("countersign rollback {id}");
        add("rollout_halted", "the rollout stopped".into(), managers.clone(), act, Cause::RolloutHalted);
        return list;
    }
    if state.policy(product).is_none() {
        add(
            "policy",
            format!("{product} has no policy"),
            holders(role::PROCESS_OWNER),
            "countersign policy set FILE".into(),
            Cause::NoPolicy,
        );
        return list;
    }
    // Gates are asked at the first wave; what turns red later halts the rollout.
    let began = release.rollout().is_some();
    for check in checks(state, release, at).into_iter().filter(|check| check.open() && !began) {
        let act = match check.gate.as_str() {
            STAGING_GATE if check.conclusion == Conclusion::Missing => {
                format!("countersign stage {id}")
            }
            STAGING_GATE => "wait for the soak to end".into(),
            FIELDS_GATE => format!("countersign release amend {id}"),
            gate if check.conclusion == Conclusion::Fail => {
                format!(
                    "countersign release amend {id} (a new candidate), or countersign waiver {id} --gate '{gate}' --expires MOMENT --owner PRINCIPAL"
                )
            }
            gate => match unconfirmed(state, release, gate) {
                Some(record) => format!("countersign evidence confirm {}", record.entry.index),
                None if read_from_ci(state, release, gate) => {
                    format!("countersign evidence attach {id} --connector NAME --run ID --step STEP --log NAME")
                }
                None => format!("countersign evidence attach {id} --file FILE"),
            },
        };
        let who = match unconfirmed(state, release, check.gate.as_str()) {
            Some(record) if check.reason == CheckReason::NeedsConfirmation => confirmers(state, record, at),
            _ => managers.clone(),
        };
        let (code, what) = (format!("gate:{}", check.gate), format!("{}: {}", check.gate, check.detail));
        add(&code, what, who, act, Cause::Gate(check));
    }
    if !began && let Err(overdue) = ensure_reviewed(state, release, at) {
        let who = holders(role::PROCESS_OWNER).into_iter().chain(holders(role::AUDITOR)).collect();
        let act = overdue.hint.clone().unwrap_or_default();
        if let Some((other, due)) = overdue_review(state, product, at) {
            let cause = Cause::ReviewOverdue(other.id.clone(), due);
            add(overdue.code.as_str(), overdue.message, who, act, cause);
        }
    }
    let frozen = release.sheet().and_then(|sheet| {
        ensure_not_frozen(state, release, &sheet.body.environment, at).err()?;
        frozen(state, product, &sheet.body.environment, at)
    });
    if let Some((freeze, span)) = frozen {
        let refused = refused_by(state, freeze, span);
        let act = format!("countersign freeze lift {}", freeze.entry.index);
        let cause = Cause::Frozen(freeze.entry, span);
        add(refused.code.as_str(), refused.message, managers.clone(), act, cause);
    }
    match release.sheet() {
        None => {
            if list.is_empty() {
                list.push(Blocker {
                    code: "request".into(),
                    what: "the decision sheet is not frozen".into(),
                    who: managers,
                    act: format!("countersign request {id}"),
                    cause: Cause::NotFrozen,
                });
            }
        }
        Some(sheet) => list.extend(decision_blockers(state, release, sheet, at, managers)),
    }
    list
}

/// Returns who may confirm attached evidence: whoever has a role and did not attach it.
fn confirmers(state: &State, record: &EvidenceRecord, at: Timestamp) -> Vec<String> {
    let able = state.people.values().filter(|person| person.holds_any(at) && person.card.principal != record.by);
    able.map(|person| person.card.principal.to_string()).collect()
}

/// Returns what the policy says of a gate.
pub(super) fn rule_of<'a>(state: &'a State, release: &Release, gate: &str) -> Option<(&'a Policy, &'a EvidenceRule)> {
    let policy = state.policy_of(release)?;
    Some((policy, policy.evidence.iter().find(|rule| rule.gate.as_str() == gate)?))
}

/// Returns whether only a CI system can fill the gate.
pub(super) fn read_from_ci(state: &State, release: &Release, gate: &str) -> bool {
    rule_of(state, release, gate)
        .is_some_and(|(policy, rule)| rule.observed || policy.attached_evidence == AttachedRule::Refused)
}

/// Returns the attached evidence that would answer to the gate once a second person has confirmed it.
pub(super) fn unconfirmed<'a>(state: &State, release: &'a Release, gate: &str) -> Option<&'a EvidenceRecord> {
    let (policy, rule) = rule_of(state, release, gate)?;
    if rule.observed || policy.attached_evidence != AttachedRule::Confirmed {
        return None;
    }
    release.evidence.iter().find(|record| {
        record.attached()
            && record.confirmed_by.is_empty()
            && record.body.kind == rule.kind
            && rule.name.as_ref().is_none_or(|name| *name == record.body.name)
            && record.body.commit == release.candidate.commit
    })
}

/// Returns what keeps the next wave of a rollout that has begun, beside what `blockers` has said: not what is under way.
fn stopped_wave(
    state: &State,
    release: &Release,
    sheet: &Sheet,
    at: Timestamp,
    managers: Vec<String>,
) -> Option<Blocker> {
    const STOPS: [Code; 5] =
        [Code::KeyRevoked, Code::OutsideBounds, Code::OutsideWindow, Code::Stale, Code::EnvironmentBusy];
    let refused = may_dispatch(state, release, sheet, next_wave(release, sheet)?, None, at).err()?;
    STOPS.contains(&refused.code).then(|| Blocker {
        code: refused.code.to_string(),
        what: refused.message,
        who: managers,
        act: format!("countersign rollback {}", release.id),
        cause: Cause::RolloutHalted,
    })
}

pub(super) fn decision_blockers(
    state: &State,
    release: &Release,
    sheet: &Sheet,
    at: Timestamp,
    managers: Vec<String>,
) -> Vec<Blocker> {
    let id = &release.id;
    let decision = decision(state, release, sheet, at);
    let blocker = |code: Code, what: String, who: Vec<String>, act: String, cause: Cause| Blocker {
        code: code.to_string(),
        what,
        who,
        act,
        cause,
    };
    let mut list = Vec::new();
    let missing = || -> Vec<Blocker> {
        let open = decision.slots.iter().filter(|slot| !slot.full());
        open.map(|slot| {
            let who = slot.eligible.iter().map(Principal::to_string).collect();
            let what = format!("{} has signed {} of {}", slot.role, slot.signed.len(), slot.needed);
            let act = format!("countersign sign {id} --role {} --verdict VERDICT", slot.role);
            blocker(Code::QuorumMissing, what, who, act, Cause::Quorum(slot.clone()))
        })
        .collect()
    };
    // What was tied to a GO is a task of its own until it is settled.
    for judged in decision.answers.iter().filter(|judged| !judged.replaced) {
        for (place, (text, _)) in judged.answer.conditions.iter().enumerate().filter(|(_, (_, met))| met.is_none()) {
            let holds = |person: &&crate::state::Person| {
                person.holds(judged.answer.role.as_str(), Some(&release.candidate.product), at)
                    && barred(state, release, &person.card.principal).is_none()
            };
            let who = state.people.values().filter(holds).map(|person| person.card.principal.to_string()).collect();
            let entry = judged.answer.entry;
            let what = format!("{} goes on the condition: {text}", judged.answer.name);
            let act = format!("countersign sign {id} --condition-met {}.{}", entry.index, place + 1);
            list.push(Blocker {
                code: "condition".into(),
                what,
                who,
                act,
                cause: Cause::Condition(entry, place as u64),
            });
        }
    }
    // What the answers were worth was judged at the first wave; later ones are stopped by what `may_dispatch` asks again.
    let began = release.rollout_began(sheet.entry);
    match &decision.outcome {
        Outcome::Go { .. } | Outcome::Incomplete | Outcome::Expired | Outcome::Stale(_) if began => {
            list.extend(stopped_wave(state, release, sheet, at, managers));
        }
        Outcome::Go { .. } => {}
        Outcome::Incomplete => list.extend(missing()),
        Outcome::NoGo(who) => {
            let what = format!("{} said NO-GO", state.printed_name(who));
            list.push(blocker(
                Code::NoGo,
                what,
                vec![who.to_string()],
                format!("countersign release amend {id} (a new candidate)"),
                Cause::NoGo(who.clone()),
            ));
        }
        Outcome::Hold(who) => {
            let what = format!("{} asks to wait", state.printed_name(who));
            let (whom, act) = match unanswered(state, release, sheet, who) {
                Some(hold) => (managers, format!("countersign hold {id} --resume {} --answer TEXT", hold.entry.index)),
                None => (vec![who.to_string()], format!("countersign sign {id} --verdict VERDICT (their new answer)")),
            };
            list.push(blocker(Code::OnHold, what, whom, act, Cause::AsksToWait(who.clone())));
            // Those who have not answered need not wait for the question: their seats are open beside it.
            if !began {
                list.extend(missing());
            }
        }
        Outcome::Stale(moved) => {
            let what = format!("the sheet is stale; moved since: {}", moved_since(moved));
            let cause = Cause::Stale(moved.clone());
            list.push(blocker(Code::Stale, what, managers, format!("countersign request {id}"), cause));
        }
        Outcome::Expired => {
            let what = format!("the sheet ran out at {}", sheet.body.not_after);
            let cause = Cause::SheetExpired(sheet.body.not_after);
            list.push(blocker(Code::Expired, what, managers, format!("countersign request {id}"), cause));
        }
    }
    list
}

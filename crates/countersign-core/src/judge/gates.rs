//! What each gate of the policy says of a release.

use super::*;

/// What a gate says of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The gate.
    pub gate: String,
    /// What it says.
    pub conclusion: Conclusion,
    /// Why.
    pub detail: String,
    /// The evidence it rests on, as entry indices.
    pub evidence: Vec<u64>,
    /// The entry of the waiver that lets the release pass all the same.
    pub waived: Option<u64>,
    /// Why, as data.
    #[serde(skip)]
    pub reason: CheckReason,
}

/// Why a gate says what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckReason {
    /// All required fields are there.
    Complete,
    /// These required fields are not.
    NotGiven(Vec<&'static str>),
    /// All that counts is green.
    Green(Vec<Line>),
    /// This one is not, by this rule.
    Bad {
        /// Its name.
        name: Line,
        /// Its entry.
        entry: EntryRef,
        /// The policy's rule, or what the file itself says.
        rule: Option<String>,
    },
    /// There is none.
    NoEvidence,
    /// What is there is about another commit.
    OtherCommit,
    /// What is there was attached, and this gate asks for what was read from CI.
    NeedsObserved,
    /// What is there was attached, and the policy accepts none of that.
    AttachedRefused,
    /// What is there waits for a second person.
    NeedsConfirmation,
    /// Not yet seen running there.
    NotStaged(Slug),
    /// Seen running there, since when, for how many seconds it must be.
    Staged {
        /// The environment.
        environment: Slug,
        /// Since when.
        since: Timestamp,
        /// How long it must have been there.
        needed_seconds: i64,
    },
}

impl Check {
    /// Returns whether the release may go on past this gate.
    pub fn open(&self) -> bool {
        self.conclusion != Conclusion::Pass && self.waived.is_none()
    }

    /// Returns whether this gate halts the release.
    pub fn red(&self) -> bool {
        self.conclusion == Conclusion::Fail && self.waived.is_none()
    }
}

/// Returns what each gate of the product's policy says of the release at that moment, built-in gates first.
pub fn checks(state: &State, release: &Release, at: Timestamp) -> Vec<Check> {
    let Some(policy) = state.policy_of(release) else {
        return Vec::new();
    };
    let mut checks = vec![fields_check(&policy.required, release)];
    checks.extend(policy.evidence.iter().map(|rule| evidence_check(policy, rule, release)));
    checks.extend(staging_check(state, policy, release, staged(state, release), at));
    // A change may be asked for less than others; what is red is never left out.
    checks.retain(|check| check.conclusion == Conclusion::Fail || policy.asks_gate(&check.gate));
    for check in &mut checks {
        check.waived = waiver_of(state, release, &check.gate, at);
    }
    checks
}

/// Returns what the gates are to be shown as: as `checks`, but of a release that has gone out with the staging it was
/// signed on, since staging has moved on. It decides nothing.
pub fn checks_to_show(state: &State, release: &Release, at: Timestamp) -> Vec<Check> {
    let mut shown = checks(state, release, at);
    let signed_on = state.policy_of(release).zip(went_out_on(release));
    let signed_on = signed_on.and_then(|(policy, (stage, went))| staging_check(state, policy, release, stage, went));
    if let (Some(signed_on), Some(check)) = (signed_on, shown.iter_mut().find(|check| check.gate == STAGING_GATE)) {
        *check = Check { waived: check.waived, ..signed_on };
    }
    shown
}

/// Refuses a delivery to an environment before the last while what the policy asks before it is not shown.
pub(crate) fn ensure_may_enter(
    state: &State,
    release: &Release,
    environment: &Slug,
    at: Timestamp,
) -> Result<(), Rejection> {
    let product = &release.candidate.product;
    let (Some(record), Some((_, described))) = (state.policy(product), state.products.get(product)) else {
        return Ok(());
    };
    let so_far = described.path.iter().position(|name| name == environment).map_or(0, |place| place + 1);
    let (gates, required) = record.policy.asked_on_the_way(release.candidate.change_type, &described.path[..so_far]);
    let mut open: Vec<Check> = checks(state, release, at)
        .into_iter()
        .filter(|check| check.open() && gates.iter().any(|gate| gate.as_str() == check.gate))
        .collect();
    let fields = fields_check(&required, release);
    if fields.conclusion != Conclusion::Pass && waiver_of(state, release, FIELDS_GATE, at).is_none() {
        open.push(fields);
    }
    match open.first() {
        Some(open) => Err(Rejection::new(
            Code::GateOpen,
            format!("the policy asks for it before {environment}: gate {}: {}", open.gate, open.detail),
        )),
        None => Ok(()),
    }
}

pub(super) fn check(gate: &str, conclusion: Conclusion, detail: impl Into<String>, reason: CheckReason) -> Check {
    Check { gate: gate.to_owned(), conclusion, detail: detail.into(), evidence: Vec::new(), waived: None, reason }
}

pub(super) fn fields_check(required: &BTreeSet<RequiredField>, release: &Release) -> Check {
    let candidate = &release.candidate;
    let missing: Vec<&str> = required
        .iter()
        .filter(|field| match field {
            RequiredField::Risk => candidate.risk.is_none(),
            RequiredField::SecurityImpact => candidate.security_impact.is_none(),
            RequiredField::RolloutPlan => candidate.rollout_plan.is_none(),
            RequiredField::BackoutPlan => candidate.backout_plan.is_none(),
            RequiredField::ExternalRecord => candidate.external.is_none(),
        })
        .map(|field| field.as_str())
        .collect();
    if missing.is_empty() {
        check(FIELDS_GATE, Conclusion::Pass, "all required fields are there", CheckReason::Complete)
    } else {
        let detail = format!("not given: {}", missing.join(", "));
        check(FIELDS_GATE, Conclusion::Missing, detail, CheckReason::NotGiven(missing))
    }
}

pub(super) fn evidence_check(policy: &Policy, asked: &EvidenceRule, release: &Release) -> Check {
    let answering: Vec<&EvidenceRecord> = release
        .evidence
        .iter()
        .filter(|record| record.body.kind == asked.kind)
        .filter(|record| asked.name.as_ref().is_none_or(|name| *name == record.body.name))
        .collect();
    let about_commit: Vec<&EvidenceRecord> =
        answering.iter().copied().filter(|record| record.body.commit == release.candidate.commit).collect();
    let counted: Vec<&EvidenceRecord> =
        about_commit.iter().copied().filter(|record| counts_as_evidence(policy, asked, record)).collect();
    let gate = asked.gate.as_str();
    if counted.is_empty() {
        let (reason, why) = if !about_commit.is_empty() {
            match (asked.observed, policy.attached_evidence) {
                (true, _) => (
                    CheckReason::NeedsObserved,
                    "what is there was attached by a person; this gate asks for evidence read from CI",
                ),
                (_, AttachedRule::Refused) => (
                    CheckReason::AttachedRefused,
                    "what is there was attached by a person; the policy does not accept that",
                ),
                _ => (CheckReason::NeedsConfirmation, "what is there waits for a second person to confirm it"),
            }
        } else if !answering.is_empty() {
            (CheckReason::OtherCommit, "what is there is about another commit")
        } else {
            (CheckReason::NoEvidence, "no evidence yet")
        };
        return check(gate, Conclusion::Missing, why, reason);
    }
    let mut worst = (Conclusion::Pass, String::new(), None);
    for record in &counted {
        let (conclusion, rule) = asked.judge(record.body.conclusion, &record.body.counts);
        if conclusion == Conclusion::Fail && rerun_clears(policy, asked, &counted, record) {
            continue;
        }
        if severity(conclusion) > severity(worst.0) {
            let (name, entry) = (record.body.name.clone(), record.entry);
            let detail = rule.as_ref().map(|rule| format!("{name} (entry {}): {rule}", entry.index));
            worst = (conclusion, detail.unwrap_or_default(), Some(CheckReason::Bad { name, entry, rule }));
        }
    }
    let (conclusion, detail, bad) = worst;
    let names: Vec<Line> = counted.iter().map(|record| record.body.name.clone()).collect();
    let (detail, reason) = match bad {
        Some(bad) => (detail, bad),
        None => {
            let listed: Vec<&str> = names.iter().map(Line::as_str).collect();
            (format!("green: {}", listed.join(", ")), CheckReason::Green(names))
        }
    };
    Check {
        evidence: counted.iter().map(|record| record.entry.index).collect(),
        ..check(gate, conclusion, detail, reason)
    }
}

pub(super) fn severity(conclusion: Conclusion) -> u8 {
    match conclusion {
        Conclusion::Pass => 0,
        Conclusion::Missing => 1,
        Conclusion::Inconclusive => 2,
        Conclusion::Fail => 3,
    }
}

pub(super) fn counts_as_evidence(policy: &Policy, rule: &EvidenceRule, record: &EvidenceRecord) -> bool {
    // A red result always counts: nobody makes it go away by leaving it unconfirmed.
    if record.body.conclusion == Conclusion::Fail || !record.attached() {
        return true;
    }
    !rule.observed
        && match policy.attached_evidence {
            AttachedRule::Refused => false,
            AttachedRule::Confirmed => !record.confirmed_by.is_empty(),
            AttachedRule::Accepted => true,
        }
}

/// Returns whether later green re-runs of the same commit, within the policy's number, stand in for the red one.
pub(super) fn rerun_clears(
    policy: &Policy,
    rule: &EvidenceRule,
    counted: &[&EvidenceRecord],
    red: &EvidenceRecord,
) -> bool {
    if policy.rerun.rule != RerunRule::UpTo {
        return false;
    }
    let mut current = red.entry;
    for _ in 0..policy.rerun.up_to {
        let Some(next) = counted.iter().find(|record| record.body.replaces == Some(current)) else {
            return false;
        };
        if next.reason.is_none() || next.body.name != red.body.name {
            return false;
        }
        if rule.judge(next.body.conclusion, &next.body.counts).0 == Conclusion::Pass {
            return true;
        }
        current = next.entry;
    }
    false
}

pub(super) fn staging_check(
    state: &State,
    policy: &Policy,
    release: &Release,
    staged: Option<Staged>,
    at: Timestamp,
) -> Option<Check> {
    let environment = state.staging_environment(&release.candidate.product)?;
    let Some((entry, _, since)) = staged else {
        let detail = format!("not yet seen running in {environment}");
        return Some(check(STAGING_GATE, Conclusion::Missing, detail, CheckReason::NotStaged(environment.clone())));
    };
    let soaked = at.seconds_since(since);
    let needed = i64::try_from(policy.soak_seconds).unwrap_or(i64::MAX);
    let reason = CheckReason::Staged { environment: environment.clone(), since, needed_seconds: needed };
    let mut result = if soaked >= needed {
        let detail = format!("seen in {environment}, soaked {soaked} s of {needed} s");
        check(STAGING_GATE, Conclusion::Pass, detail, reason)
    } else {
        let until = since.plus_seconds(needed);
        check(STAGING_GATE, Conclusion::Inconclusive, format!("soaks in {environment} until {until}"), reason)
    };
    result.evidence = vec![entry.index];
    Some(result)
}

/// Returns the staging that a release which has gone out was signed on, and when it went.
fn went_out_on(release: &Release) -> Option<(Option<Staged>, Timestamp)> {
    let sheet = release.rollout()?;
    let (_, _, went) = release.dispatches_of(sheet.entry, DispatchKind::Deploy).find_map(|one| one.steps.first())?;
    let signed_on = release.stages.iter().find(|(entry, ..)| Some(*entry) == sheet.body.stage);
    Some((signed_on.map(|(entry, stage, time)| (*entry, stage.dispatch, *time)), *went))
}

/// A staging on record: its entry, its dispatch, and since when it soaks.
pub type Staged = (EntryRef, EntryRef, Timestamp);

/// Returns the record of the staging that counts for the candidate as it now is: its entry, its dispatch, and since when
/// it soaks. A redeploy, of this release or another, ends it.
pub fn staged(state: &State, release: &Release) -> Option<Staged> {
    let product = &release.candidate.product;
    let environment = state.staging_environment(product)?;
    let (entry, stage, time) = release.stages.iter().rev().find(|(_, stage, _)| stage.environment == *environment)?;
    let artifact = release.artifact().sha256;
    if stage.artifact != artifact || stage.version != release.candidate.version {
        return None;
    }
    let redeployed = delivered_since(state, release, environment, entry.index).is_some();
    (!redeployed).then_some((*entry, stage.dispatch, *time))
}

/// Returns a dispatch to the environment, of any release of the product, prepared after that entry and not refused.
pub(crate) fn delivered_since<'a>(
    state: &'a State,
    release: &Release,
    environment: &Slug,
    index: u64,
) -> Option<&'a DispatchRecord> {
    let mut sent = state.sent_since(&release.candidate.product, environment, index);
    sent.find(|dispatch| dispatch.body.state != DispatchState::Refused)
}

pub(super) fn waiver_of(state: &State, release: &Release, gate: &str, at: Timestamp) -> Option<u64> {
    waivers(release, at)
        .find(|waiver| {
            waiver.body.gate.as_str() == gate
                && may_waive(state, release, &waiver.by, at)
                && may_not_waive(state, release, &waiver.by).is_none()
        })
        .map(|waiver| waiver.entry.index)
}

/// Returns the waivers of the candidate as it now is that have not ended; one signed for the candidate before counts for
/// nothing.
pub fn waivers(release: &Release, at: Timestamp) -> impl Iterator<Item = &WaiverRecord> {
    let since = release.candidate_entry.index;
    release.waivers.iter().filter(move |waiver| at <= waiver.body.expires && waiver.entry.index > since)
}

/// Returns why the person may not waive a gate of the release, if so: who asked for it never may, whatever the policy.
pub(crate) fn may_not_waive(state: &State, release: &Release, who: &Principal) -> Option<&'static str> {
    if asked_for(release, who) { Some(ASKED_FOR) } else { barred(state, release, who) }
}

/// Returns whether the person holds a role the policy asks to sign such a change.
pub(crate) fn may_waive(state: &State, release: &Release, who: &Principal, at: Timestamp) -> bool {
    let product = &release.candidate.product;
    state.policy_of(release).zip(state.people.get(who)).is_some_and(|(policy, person)| {
        // Who signs in another's place waives nothing: the waiver would be that person's, and they may have asked for it.
        policy.quorum.iter().any(|rule| {
            let held = person.role_held(rule.role.as_str(), Some(product), at);
            held.is_some_and(|held| held.delegated_by().is_none())
        }) && person.keys.iter().all(|key| !matches!(key.ended, Some((_, KeyEnd::Revoked))))
    })
}

/// Returns the manifest of the first `count` pieces of evidence of a release (all when `None`), and its text.
pub fn manifest(release: &Release, count: Option<u64>) -> (EvidenceManifest, String) {
    let take = count.and_then(|count| usize::try_from(count).ok()).unwrap_or(release.evidence.len());
    let list: Vec<_> = release
        .evidence
        .iter()
        .take(take)
        .map(|record| {
            json!({
                "conclusion": record.body.conclusion,
                "digest": record.body.digest,
                "entry": record.entry,
                "kind": record.body.kind,
                "name": record.body.name,
            })
        })
        .collect();
    let count = list.len() as u64;
    let text = jcs::encode(&json!(list)).expect("a manifest holds only strings, integers and lists");
    (EvidenceManifest { count, digest: Digest::of(text.as_bytes()) }, text)
}

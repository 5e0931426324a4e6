//! What follows from the ledger: gates, sign-off states, decisions, release states, and what blocks.
//!
//! Every conclusion here is a pure function of the state and a moment. Nothing is stored, so nothing can disagree with
//! the entries. Admission ([`crate::admit`]), the shells and the auditor's verifier all ask these same functions.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::json;

use crate::act::{
    Act, Approval, ChangeType, DevicePurpose, DispatchKind, DispatchState, EvidenceManifest, HoldChange, Verdict,
    WaveVerdict, closed_words,
};
use crate::evidence::Conclusion;
use crate::hash::Digest;
use crate::jcs;
use crate::policy::{
    AttachedRule, Distinct, EvidenceRule, FIELDS_GATE, Mode, Policy, RequiredField, RerunRule, STAGING_GATE,
};
use crate::rejection::{Code, Rejection, ensure};
use crate::state::{
    Answerable, AuthorizationRecord, DispatchRecord, EvidenceRecord, KeyEnd, Release, Sheet, SignOff, State, Topic,
    WaiverRecord,
};
use crate::words::{EntryRef, Line, Principal, ReleaseId, Slug, Timestamp, role};

closed_words!(
    /// What a signed answer is worth now. The eight are kept apart because they mean different things to an auditor.
    SignOffState {
        /// It counts.
        Valid = "VALID",
        /// Something it rests on is absent, so it cannot be judged.
        Incomplete = "INCOMPLETE",
        /// What was signed has moved since.
        Stale = "STALE",
        /// The sheet is past its time.
        Expired = "EXPIRED",
        /// The signer no longer holds the role.
        SignerLostRole = "SIGNER_LOST_ROLE",
        /// The signer's key was revoked.
        KeyRevoked = "KEY_REVOKED",
        /// The signer had another part in the release.
        SegregationFailed = "SEGREGATION_FAILED",
        /// It was never admitted: forged, altered or against the rules.
        Invalid = "INVALID",
    }
);

closed_words!(
    /// Where a release stands.
    ReleaseState {
        /// Proposed, no evidence yet.
        Draft = "draft",
        /// Evidence comes in.
        Collecting = "collecting",
        /// A gate is red.
        Halted = "halted",
        /// Delivered to the environment before the last.
        Staged = "staged",
        /// The sheet is frozen and waits for signatures.
        Ready = "ready",
        /// Somebody asked to wait.
        OnHold = "on_hold",
        /// Somebody said NO-GO.
        NoGo = "no_go",
        /// The quorum is complete.
        Authorized = "authorized",
        /// The first wave is on its way.
        Dispatching = "dispatching",
        /// Waves go out.
        RollingOut = "rolling_out",
        /// The rollout stopped.
        RolloutHalted = "rollout_halted",
        /// Everyone has it.
        Live = "live",
        /// It was taken back.
        RolledBack = "rolled_back",
        /// It was looked at afterwards.
        Reviewed = "reviewed",
        /// Another took its place.
        Superseded = "superseded",
        /// The sheet ran out unsigned or undispatched.
        Expired = "expired",
        /// It was given up.
        Withdrawn = "withdrawn",
    }
);

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

/// A signed answer and what it is worth.
#[derive(Debug, Clone)]
pub struct JudgedSignOff {
    /// The answer.
    pub answer: SignOff,
    /// What it is worth.
    pub state: SignOffState,
    /// Why, when it is not valid.
    pub cause: Option<String>,
    /// Whether a later answer of the same signer took its place.
    pub replaced: bool,
}

impl JudgedSignOff {
    /// Returns whether it counts and says GO without an open condition.
    pub fn carries_go(&self) -> bool {
        self.counts() && self.go()
    }

    fn counts(&self) -> bool {
        self.state == SignOffState::Valid && !self.replaced
    }

    /// Returns whether it says GO without an open condition.
    fn go(&self) -> bool {
        match self.answer.verdict {
            Verdict::Go => true,
            Verdict::ConditionalGo => self.answer.conditions.iter().all(|(_, met)| met.is_some()),
            Verdict::NoGo | Verdict::Hold => false,
        }
    }
}

/// One role the policy asks for, and who has signed as it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Slot {
    /// The role.
    pub role: Slug,
    /// How many are asked for.
    pub needed: u64,
    /// Who counts.
    pub signed: Vec<Principal>,
    /// Who could still sign as it.
    pub eligible: Vec<Principal>,
}

impl Slot {
    /// Returns whether enough have signed.
    pub fn full(&self) -> bool {
        self.signed.len() as u64 >= self.needed
    }
}

/// What the answers to a sheet come to.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Every answer, judged.
    pub answers: Vec<JudgedSignOff>,
    /// The quorum.
    pub slots: Vec<Slot>,
    /// What it comes to.
    pub outcome: Outcome,
}

/// What a decision comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// GO: the quorum is complete, or a standing authorization signs.
    Go {
        /// The standing authorization, where one signs.
        authorization: Option<EntryRef>,
    },
    /// Somebody with a veto said NO-GO.
    NoGo(Principal),
    /// Somebody asks to wait.
    Hold(Principal),
    /// The sheet no longer says what the ledger says; each input that moved.
    Stale(Vec<String>),
    /// The sheet is past its time.
    Expired,
    /// Signatures are missing.
    Incomplete,
}

// ---------------------------------------------------------------------------------------------------- gates

/// Returns what each gate of the product's policy says of the release at that moment, built-in gates first.
pub fn checks(state: &State, release: &Release, at: Timestamp) -> Vec<Check> {
    let Some(record) = state.policy(&release.candidate.product) else {
        return Vec::new();
    };
    let policy = &record.policy;
    let mut checks = vec![fields_check(policy, release)];
    checks.extend(policy.evidence.iter().map(|rule| evidence_check(policy, rule, release)));
    checks.extend(staging_check(state, policy, release, at));
    for check in &mut checks {
        check.waived = waiver_of(state, release, &check.gate, at);
    }
    checks
}

fn check(gate: &str, conclusion: Conclusion, detail: impl Into<String>, reason: CheckReason) -> Check {
    Check { gate: gate.to_owned(), conclusion, detail: detail.into(), evidence: Vec::new(), waived: None, reason }
}

fn fields_check(policy: &Policy, release: &Release) -> Check {
    let candidate = &release.candidate;
    let missing: Vec<&str> = policy
        .required
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

fn evidence_check(policy: &Policy, asked: &EvidenceRule, release: &Release) -> Check {
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

fn severity(conclusion: Conclusion) -> u8 {
    match conclusion {
        Conclusion::Pass => 0,
        Conclusion::Missing => 1,
        Conclusion::Inconclusive => 2,
        Conclusion::Fail => 3,
    }
}

fn counts_as_evidence(policy: &Policy, rule: &EvidenceRule, record: &EvidenceRecord) -> bool {
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
fn rerun_clears(policy: &Policy, rule: &EvidenceRule, counted: &[&EvidenceRecord], red: &EvidenceRecord) -> bool {
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

fn staging_check(state: &State, policy: &Policy, release: &Release, at: Timestamp) -> Option<Check> {
    let environment = state.staging_environment(&release.candidate.product)?;
    let Some((entry, _, since)) = staged(state, release) else {
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

/// Returns the record of the staging that counts for the candidate as it now is: its entry, its dispatch, and since when
/// it soaks. A redeploy, of this release or another, ends it.
pub fn staged(state: &State, release: &Release) -> Option<(EntryRef, EntryRef, Timestamp)> {
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

/// Returns the first dispatch to the environment, of any release of the product, prepared after that entry.
pub(crate) fn delivered_since<'a>(
    state: &'a State,
    release: &Release,
    environment: &Slug,
    index: u64,
) -> Option<&'a DispatchRecord> {
    state
        .releases
        .values()
        .filter(|other| other.candidate.product == release.candidate.product)
        .flat_map(|other| &other.dispatches)
        .find(|dispatch| {
            dispatch.body.environment == *environment
                && dispatch.body.state != DispatchState::Refused
                && dispatch.entry.index > index
        })
}

fn waiver_of(state: &State, release: &Release, gate: &str, at: Timestamp) -> Option<u64> {
    let product = &release.candidate.product;
    let policy = &state.policy(product)?.policy;
    waivers(release, at)
        .find(|waiver| {
            waiver.body.gate.as_str() == gate
                && may_waive(state, policy, product, &waiver.by, at)
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

/// Returns whether the person holds a role the policy asks to sign.
pub(crate) fn may_waive(state: &State, policy: &Policy, product: &Slug, who: &Principal, at: Timestamp) -> bool {
    state.people.get(who).is_some_and(|person| {
        policy.quorum.iter().any(|rule| person.holds(rule.role.as_str(), Some(product), at))
            && person.keys.iter().all(|key| !matches!(key.ended, Some((_, KeyEnd::Revoked))))
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

// ------------------------------------------------------------------------------------------------- sign-offs

/// Returns the topics a signature over the subject must have seen to the end.
pub(crate) fn topics_of(state: &State, subject: &Answerable, signer: &Principal) -> Vec<Topic> {
    let mut topics = vec![Topic::Authority(signer.clone())];
    match subject {
        Answerable::Sheet(id) => {
            topics.push(Topic::Release(id.clone()));
            if let Some(release) = state.releases.get(id) {
                let product = &release.candidate.product;
                topics.push(Topic::Policy(product.clone()));
                if let Some(environment) = state.last_environment(product) {
                    topics.push(Topic::Target(product.clone(), environment.clone()));
                }
            }
        }
        Answerable::Policy(product) | Answerable::Authorization(product) => topics.push(Topic::Policy(product.clone())),
        Answerable::Evidence(id) => topics.push(Topic::Release(id.clone())),
        Answerable::Device(_) => {}
    }
    topics
}

/// Returns each listed input of the sheet that the ledger now says otherwise, in words.
pub fn drift(state: &State, release: &Release, sheet: &Sheet) -> Vec<String> {
    let body = &sheet.body;
    let candidate = &release.candidate;
    let mut moved = Vec::new();
    let mut compare = |same: bool, what: &str| {
        if !same {
            moved.push(what.to_owned());
        }
    };
    compare(body.candidate == release.candidate_entry, "the candidate was amended");
    compare(body.artifacts == candidate.artifacts, "the artifacts");
    compare(body.commit == candidate.commit, "the commit");
    compare(body.changes == candidate.changes.digest, "the change list");
    compare(state.policy(&body.product).map(|policy| policy.entry) == Some(body.policy), "the policy");
    let place = (body.product.clone(), body.environment.clone());
    compare(state.targets.get(&place).map(|(entry, _)| *entry) == Some(body.target), "the target's configuration");
    compare(manifest(release, Some(body.evidence.count)).0 == body.evidence, "the evidence listed");
    let listed = usize::try_from(body.evidence.count).unwrap_or(usize::MAX);
    let replaced = release.evidence.iter().skip(listed).any(|late| {
        late.body.replaces.is_some_and(|old| release.evidence.iter().take(listed).any(|record| record.entry == old))
    });
    compare(!replaced, "evidence listed was replaced");
    // Where another delivery has taken staging over, the gate says so; where this one was seen again, the sheet moved.
    compare(staged(state, release).is_none_or(|(entry, ..)| Some(entry) == body.stage), "the staging");
    let waived_since = release.waivers.iter().any(|waiver| waiver.entry.index > sheet.entry.index);
    compare(!waived_since, "a gate was waived");
    compare(state.live.get(&place) == body.live.as_ref() || release.rollout_began(sheet.entry), "what is live");
    compare(release.sheet().is_some_and(|last| last.entry == sheet.entry), "a newer sheet was frozen");
    moved
}

const ASKED_FOR: &str = "they asked for this release";

/// Returns whether the person proposed the release, changed its candidate, or froze its sheet.
fn asked_for(release: &Release, who: &Principal) -> bool {
    release.proposer == *who
        || release.amended_by.contains(who)
        || release.sheet().is_some_and(|sheet| sheet.requester == *who)
}

/// The other part in a release that keeps somebody from approving it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// They proposed, amended or requested it.
    AskedFor,
    /// They wrote a commit of it.
    Author,
    /// They attached evidence to it.
    Attacher,
    /// They dispatched it.
    Dispatcher,
}

impl Bar {
    /// Returns it in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AskedFor => ASKED_FOR,
            Self::Author => "they wrote a commit of this release",
            Self::Attacher => "they attached evidence to this release",
            Self::Dispatcher => "they dispatched this release",
        }
    }
}

/// Returns why the person may not approve the release, if so.
pub fn bar(state: &State, release: &Release, who: &Principal) -> Option<Bar> {
    let distinct = &state.policy(&release.candidate.product)?.policy.distinct;
    let person = state.people.get(who)?;
    let author = || release.candidate.changes.authors.iter().any(|author| person.commits_as(author.as_str()));
    let attacher = || release.evidence.iter().any(|record| record.attached() && record.by == *who);
    let dispatcher = || release.dispatches.iter().any(|dispatch| dispatch.body.by.as_ref() == Some(who));
    if distinct.contains(&Distinct::Requester) && asked_for(release, who) {
        Some(Bar::AskedFor)
    } else if distinct.contains(&Distinct::CommitAuthor) && author() {
        Some(Bar::Author)
    } else if distinct.contains(&Distinct::EvidenceAttacher) && attacher() {
        Some(Bar::Attacher)
    } else if distinct.contains(&Distinct::Dispatcher) && dispatcher() {
        Some(Bar::Dispatcher)
    } else {
        None
    }
}

/// Returns why the person may not approve the release, in words, if so.
pub fn barred(state: &State, release: &Release, who: &Principal) -> Option<&'static str> {
    bar(state, release, who).map(Bar::as_str)
}

/// Returns the first entry from `since` on that is about what the act answers, or about its signer's authority: a signature
/// that has not seen it would not be worth what it was meant to.
pub fn unseen(state: &State, act: &Act, signer: &Principal, since: u64) -> Option<u64> {
    let topics = match act {
        Act::Approval(body) => match state.answerable(body.request) {
            Some(subject) => topics_of(state, subject, signer),
            None => vec![Topic::Authority(signer.clone())],
        },
        act => match release_of(state, act) {
            Some(id) => topics_of(state, &Answerable::Sheet(id.clone()), signer),
            None => vec![Topic::Authority(signer.clone())],
        },
    };
    topics.iter().filter_map(|topic| state.touched_since(topic, since)).min()
}

/// Returns every answer to the sheet with what it is worth at that moment.
pub fn sign_offs(state: &State, release: &Release, sheet: &Sheet, at: Timestamp) -> Vec<JudgedSignOff> {
    let moved = drift(state, release, sheet);
    judge_answers(&sheet.answers, |answer| {
        let segregation = barred(state, release, &answer.principal);
        let (worth, cause) = worth_of(state, answer, Some(&release.candidate.product), at, segregation);
        if worth != SignOffState::Valid {
            (worth, cause)
        } else if let Some(input) = moved.first() {
            (SignOffState::Stale, Some(format!("moved since: {input}")))
        } else if at > sheet.body.not_after {
            (SignOffState::Expired, Some(format!("the sheet ran out at {}", sheet.body.not_after)))
        } else if let Some((open, _)) = answer.conditions.iter().find(|(_, met)| met.is_none()) {
            (SignOffState::Incomplete, Some(format!("a condition is not met: {open}")))
        } else {
            (SignOffState::Valid, None)
        }
    })
}

fn judge_answers(
    answers: &[SignOff],
    worth: impl Fn(&SignOff) -> (SignOffState, Option<String>),
) -> Vec<JudgedSignOff> {
    answers
        .iter()
        .enumerate()
        .map(|(place, answer)| {
            let (state, cause) = worth(answer);
            let replaced = answers[place + 1..].iter().any(|later| later.principal == answer.principal);
            JudgedSignOff { answer: answer.clone(), state, cause, replaced }
        })
        .collect()
}

/// Returns what an answer is worth, leaving aside what it answers.
fn worth_of(
    state: &State,
    answer: &SignOff,
    product: Option<&Slug>,
    at: Timestamp,
    segregation: Option<&'static str>,
) -> (SignOffState, Option<String>) {
    let revoked = match (state.people.get(&answer.principal), state.devices.get(&answer.principal)) {
        (Some(person), _) => person
            .keys
            .iter()
            .find(|key| key.key == answer.key)
            .and_then(|key| key.ended.filter(|(_, end)| *end == KeyEnd::Revoked))
            .map(|(entry, _)| entry),
        (None, Some(device)) => device.revoked,
        (None, None) => None,
    };
    if let Some(entry) = revoked {
        return (SignOffState::KeyRevoked, Some(format!("the key was revoked by {entry}")));
    }
    if let Some(used) = answer.authorization {
        if let Some(record) = state.authorizations.get(&used.index) {
            let (worth, cause) = authorization_worth(state, record, answer.time);
            if worth != SignOffState::Valid {
                return (worth, cause);
            }
        }
    } else if !state.people.get(&answer.principal).is_some_and(|person| person.holds(answer.role.as_str(), product, at))
    {
        return (SignOffState::SignerLostRole, Some(format!("{} is no longer {}", answer.name, answer.role)));
    }
    if let Some(part) = segregation {
        return (SignOffState::SegregationFailed, Some(part.to_owned()));
    }
    if let Some(index) = answer.unseen {
        return (SignOffState::Stale, Some(format!("entry {index} came before it unseen")));
    }
    (SignOffState::Valid, None)
}

/// Returns what a standing authorization is worth at that moment: it must be adopted, not suspended, within its time, and
/// those who adopted it must still stand for the policy in force.
pub fn authorization_worth(
    state: &State,
    record: &AuthorizationRecord,
    at: Timestamp,
) -> (SignOffState, Option<String>) {
    if record.adopted.is_none() {
        return (SignOffState::Incomplete, Some("it was not adopted by its quorum".into()));
    }
    if let Some(entry) = record.suspended {
        return (SignOffState::Stale, Some(format!("it was suspended by {entry}")));
    }
    if let Some(moved) = authorization_drift(state, record) {
        return (SignOffState::Stale, Some(format!("{moved} since it was proposed")));
    }
    if !record.valid.contains(at) {
        return (
            SignOffState::Expired,
            Some(format!("it is valid from {} to {}", record.valid.from, record.valid.until)),
        );
    }
    let answers = answers_worth(state, &record.product, &record.answers, at);
    let policy =
        &state.policies[&record.product].iter().find(|policy| policy.entry == record.policy).expect("in force").policy;
    if quorum_full(&slots(state, policy, &record.product, &answers, at, |_| false)) {
        return (SignOffState::Valid, None);
    }
    let lost = answers.iter().find(|answer| answer.state != SignOffState::Valid && !answer.replaced);
    match lost {
        Some(answer) => (answer.state, answer.cause.clone()),
        None => (SignOffState::Incomplete, Some("its quorum is no longer complete".into())),
    }
}

/// Returns what its adopters signed for that the ledger now says otherwise, in words.
pub(crate) fn authorization_drift(state: &State, record: &AuthorizationRecord) -> Option<&'static str> {
    let place = (record.product.clone(), record.environment.clone());
    if state.policy(&record.product).map(|policy| policy.entry) != Some(record.policy) {
        Some("the policy has changed")
    } else if state.targets.get(&place).map(|(entry, _)| *entry) != record.target {
        Some("the target's configuration has changed")
    } else {
        None
    }
}

fn answers_worth(state: &State, product: &Slug, answers: &[SignOff], at: Timestamp) -> Vec<JudgedSignOff> {
    judge_answers(answers, |answer| worth_of(state, answer, Some(product), at, None))
}

/// Returns whether the answers complete the quorum of the policy in force for the product, with no NO-GO or HOLD among
/// them; as on a sheet, those do not wear off by age.
pub(crate) fn adopted(state: &State, product: &Slug, answers: &[SignOff], at: Timestamp) -> bool {
    let Some(record) = state.policy(product) else {
        return false;
    };
    let judged = answers_worth(state, product, answers, at);
    let refused = judged.iter().filter(|answer| !answer.replaced).any(|answer| match answer.answer.verdict {
        Verdict::NoGo => record.policy.has_veto(&answer.answer.role),
        Verdict::Hold => true,
        Verdict::Go | Verdict::ConditionalGo => false,
    });
    !refused && quorum_full(&slots(state, &record.policy, product, &judged, at, |_| false))
}

fn slots(
    state: &State,
    policy: &Policy,
    product: &Slug,
    answers: &[JudgedSignOff],
    at: Timestamp,
    barred: impl Fn(&Principal) -> bool,
) -> Vec<Slot> {
    policy
        .quorum
        .iter()
        .map(|rule| {
            let signed: BTreeSet<Principal> = answers
                .iter()
                .filter(|judged| judged.counts() && judged.go() && judged.answer.authorization.is_none())
                .filter(|judged| judged.answer.role == rule.role)
                .map(|judged| judged.answer.principal.clone())
                .collect();
            let answered = |who: &Principal| {
                answers.iter().any(|judged| judged.counts() && judged.go() && judged.answer.principal == *who)
            };
            let eligible = state
                .people
                .values()
                .filter(|person| {
                    person.accepted.is_some() && person.current_key().is_some_and(|key| at <= key.valid_until)
                })
                .filter(|person| person.holds(rule.role.as_str(), Some(product), at))
                .map(|person| person.card.principal.clone())
                .filter(|who| !barred(who) && !answered(who))
                .collect();
            Slot { role: rule.role.clone(), needed: rule.count, signed: signed.into_iter().collect(), eligible }
        })
        .collect()
}

fn quorum_full(slots: &[Slot]) -> bool {
    !slots.is_empty() && slots.iter().all(Slot::full)
}

/// Returns the last answer of each person to any sheet of the same candidate.
fn standing_answers<'a>(release: &'a Release, sheet: &Sheet) -> Vec<&'a SignOff> {
    let same = |other: &&Sheet| other.body.candidate == sheet.body.candidate;
    let answers: Vec<&SignOff> = release.sheets.iter().filter(same).flat_map(|sheet| &sheet.answers).collect();
    let last = |place: usize| answers[place + 1..].iter().all(|later| later.principal != answers[place].principal);
    (0..answers.len()).filter(|place| last(*place)).map(|place| answers[place]).collect()
}

/// Returns what the answers to the sheet come to at that moment.
pub fn decision(state: &State, release: &Release, sheet: &Sheet, at: Timestamp) -> Decision {
    let answers = sign_offs(state, release, sheet, at);
    let product = &release.candidate.product;
    let policy = state.policy(product).map(|record| &record.policy);
    let slots = policy
        .map(|policy| slots(state, policy, product, &answers, at, |who| barred(state, release, who).is_some()))
        .unwrap_or_default();
    // A NO-GO or HOLD does not wear off by age, nor by a new sheet for the same candidate: only its signer's own later
    // answer, or a new candidate, ends it.
    let standing = standing_answers(release, sheet);
    let signer = |verdict: Verdict| {
        standing
            .iter()
            .filter(|answer| answer.verdict == verdict)
            .find(|answer| verdict != Verdict::NoGo || policy.is_none_or(|policy| policy.has_veto(&answer.role)))
            .map(|answer| answer.principal.clone())
    };
    let moved = drift(state, release, sheet);
    let authorization =
        answers.iter().filter(|judged| judged.counts() && judged.go()).find_map(|judged| judged.answer.authorization);
    let outcome = if let Some(who) = signer(Verdict::NoGo) {
        Outcome::NoGo(who)
    } else if let Some(who) = signer(Verdict::Hold) {
        Outcome::Hold(who)
    } else if !moved.is_empty() {
        Outcome::Stale(moved)
    } else if at > sheet.body.not_after {
        Outcome::Expired
    } else if authorization.is_some() || quorum_full(&slots) {
        Outcome::Go { authorization }
    } else {
        Outcome::Incomplete
    };
    Decision { answers, slots, outcome }
}

/// Returns the release an act is about, where it is about one.
pub fn release_of<'a>(state: &'a State, act: &'a Act) -> Option<&'a ReleaseId> {
    match act {
        Act::Propose(body) => Some(&body.release),
        Act::Evidence(body) => Some(&body.release),
        Act::Waiver(body) => Some(&body.release),
        Act::Stage(body) => Some(&body.release),
        Act::Request(body) => Some(&body.release),
        Act::Hold(body) => Some(&body.release),
        Act::Dispatch(body) => Some(&body.release),
        Act::Run(body) => Some(&body.release),
        Act::Wave(body) => Some(&body.release),
        Act::Outcome(body) => Some(&body.release),
        Act::Announce(body) => Some(&body.release),
        Act::Refusal(body) => body.release.as_ref(),
        Act::Export(body) => body.release.as_ref(),
        Act::Approval(body) => match state.answerable(body.request)? {
            Answerable::Sheet(id) | Answerable::Evidence(id) => Some(id),
            Answerable::Policy(_) | Answerable::Authorization(_) | Answerable::Device(_) => None,
        },
        Act::Condition(body) => release_of_approval(state, body.approval).map(|(release, _)| &release.id),
        Act::Genesis(_)
        | Act::Enrol(_)
        | Act::EnrolAccept(_)
        | Act::Device(_)
        | Act::Key(_)
        | Act::Role(_)
        | Act::Product(_)
        | Act::Target(_)
        | Act::Policy(_)
        | Act::Authorization(_)
        | Act::Freeze(_)
        | Act::Lease(_)
        | Act::Attempt(_)
        | Act::Correction(_)
        | Act::Late(_)
        | Act::Review(_) => None,
    }
}

/// Returns the release and the sheet an approval entry answers.
pub fn release_of_approval(state: &State, approval: EntryRef) -> Option<(&Release, &SignOff)> {
    state.releases.values().find_map(|release| {
        let answer = release.sheets.iter().flat_map(|sheet| &sheet.answers).find(|answer| answer.entry == approval)?;
        Some((release, answer))
    })
}

// ---------------------------------------------------------------------------------------------- authorization

/// Returns whether the standing authorization may sign the sheet at that moment.
///
/// # Errors
/// The bound it would overstep; people decide then.
pub fn within_bounds(
    state: &State,
    release: &Release,
    environment: &Slug,
    used: EntryRef,
    at: Timestamp,
) -> Result<(), Rejection> {
    let outside =
        |message: String| Rejection::new(Code::OutsideBounds, message).hint("people sign this release: ask the quorum");
    let record = state
        .authorizations
        .get(&used.index)
        .filter(|record| record.entry == used)
        .ok_or_else(|| Rejection::new(Code::NotFound, format!("{used} is not a standing authorization")))?;
    let (worth, cause) = authorization_worth(state, record, at);
    if worth != SignOffState::Valid {
        return Err(outside(format!("the standing authorization is {worth}: {}", cause.unwrap_or_default())));
    }
    let candidate = &release.candidate;
    let policy = state.policy(&candidate.product).ok_or_else(|| outside("the product has no policy".into()))?;
    let bound = |holds: bool, message: &dyn Fn() -> String| {
        if holds { Ok(()) } else { Err(outside(message())) }
    };
    bound(policy.policy.mode == Mode::Deployment, &|| "the policy's mode is continuous-delivery".into())?;
    bound(record.product == candidate.product && record.environment == *environment, &|| {
        format!("it is for {} in {}", record.product, record.environment)
    })?;
    bound(record.change_types.contains(&candidate.change_type), &|| {
        format!("it does not sign {} changes", candidate.change_type)
    })?;
    bound(candidate.changes.commits <= record.max_commits, &|| {
        format!("{} commits, at most {} allowed", candidate.changes.commits, record.max_commits)
    })?;
    let today = record.uses.iter().filter(|time| time.utc_day() == at.utc_day()).count() as u64;
    bound(today < record.per_day, &|| {
        format!("it has signed {today} times today, at most {} allowed", record.per_day)
    })?;
    for check in checks(state, release, at) {
        bound(check.conclusion == Conclusion::Pass, &|| format!("gate {}: {}", check.gate, check.detail))?;
        let attached =
            release.evidence.iter().any(|record| record.attached() && check.evidence.contains(&record.entry.index));
        bound(!attached, &|| format!("gate {} rests on evidence a person attached", check.gate))?;
    }
    Ok(())
}

/// Refuses where the sheet can no longer be decided on: given up, dispatched, run out, or not what the ledger says.
pub(crate) fn ensure_signable(state: &State, release: &Release, sheet: &Sheet, at: Timestamp) -> Result<(), Rejection> {
    ensure(release.ended.is_none(), Code::WrongState, || format!("{} was given up", release.id))?;
    ensure(!release.rollout_began(sheet.entry), Code::WrongState, || "the sheet has been dispatched".into())?;
    ensure(at <= sheet.body.not_after, Code::Expired, || format!("the sheet ran out at {}", sheet.body.not_after))?;
    let moved = drift(state, release, sheet);
    ensure(moved.is_empty(), Code::Stale, || format!("the sheet is stale; moved since: {}", moved.join(", ")))
}

/// Returns whether the rollout of the sheet has begun and has waves left.
pub(crate) fn between_waves(release: &Release, sheet: &Sheet) -> bool {
    release.rollout_began(sheet.entry) && next_wave(release, sheet).is_some()
}

/// Returns whether the approval may be given by that dispatcher, or the refusal.
pub(crate) fn automatic_go(
    state: &State,
    release: &Release,
    sheet: &Sheet,
    body: &Approval,
    used: EntryRef,
    at: Timestamp,
) -> Result<(), Rejection> {
    ensure(body.verdict == Verdict::Go, Code::OutsideBounds, || "a standing authorization only says GO".into())?;
    ensure(sheet.body.authorization == Some(used), Code::OutsideBounds, || {
        "the sheet was not frozen for this standing authorization".into()
    })?;
    ensure(sheet.answers.iter().all(|answer| answer.authorization.is_none()), Code::AlreadyDone, || {
        "it has signed this sheet already".into()
    })?;
    ensure_signable(state, release, sheet, at)?;
    within_bounds(state, release, &sheet.body.environment, used, at)
}

// ------------------------------------------------------------------------------------------------- rollout

/// Returns the release whose rollout has the environment, if one has.
pub fn rollout_in(state: &State, product: &Slug, environment: &Slug, at: Timestamp) -> Option<ReleaseId> {
    state
        .releases
        .values()
        .filter(|release| release.candidate.product == *product)
        .find(|release| {
            release.sheet().is_some_and(|sheet| {
                sheet.body.environment == *environment
                    && release.rollout_began(sheet.entry)
                    && matches!(
                        release_state(state, release, at),
                        ReleaseState::Dispatching | ReleaseState::RollingOut | ReleaseState::RolloutHalted
                    )
            })
        })
        .map(|release| release.id.clone())
}

/// Returns the freeze that forbids dispatches to the environment at that moment, if one does.
pub fn frozen<'a>(
    state: &'a State,
    product: &Slug,
    environment: &Slug,
    at: Timestamp,
) -> Option<&'a crate::state::Freeze> {
    state.freezes.values().find(|freeze| {
        freeze.lifted.is_none()
            && freeze.span.contains(at)
            && freeze.product.as_ref().is_none_or(|only| only == product)
            && freeze.environment.as_ref().is_none_or(|only| only == environment)
    })
}

/// Refuses while a freeze forbids dispatches to the environment.
pub(crate) fn ensure_not_frozen(
    state: &State,
    product: &Slug,
    environment: &Slug,
    at: Timestamp,
) -> Result<(), Rejection> {
    match frozen(state, product, environment, at) {
        Some(freeze) => Err(Rejection::new(
            Code::Frozen,
            format!("{} froze it until {}: {}", state.printed_name(&freeze.by), freeze.span.until, freeze.reason),
        )),
        None => Ok(()),
    }
}

/// Returns the dispatches that may still change what runs. One of unknown fate is none of them once it was sent again, or
/// once its wave was executed by another: the pipeline has no claim left for it.
pub fn under_way(release: &Release) -> impl Iterator<Item = &DispatchRecord> {
    let executed = |dispatch: &DispatchRecord| {
        let body = &dispatch.body;
        body.state == DispatchState::FateUnknown
            && body.kind == DispatchKind::Deploy
            && release.wave_dispatch(body.sheet, body.wave).is_some_and(DispatchRecord::succeeded)
    };
    let over = move |dispatch: &DispatchRecord| sent_again(release, dispatch) || executed(dispatch);
    release.dispatches.iter().filter(move |dispatch| dispatch.open() && !over(dispatch))
}

/// Returns whether another dispatch that was not refused has been sent in this one's place.
pub(crate) fn sent_again(release: &Release, dispatch: &DispatchRecord) -> bool {
    release.dispatches.iter().any(|later| {
        later.body.resends.as_ref() == Some(&dispatch.body.request_id) && later.body.state != DispatchState::Refused
    })
}

/// Refuses a dispatch of a sheet (of one wave, for a deploy) that another dispatch already stands for.
///
/// What was refused may be sent again; so may what ended in unknown fate, by naming it; and a rollback that failed. Where
/// another rollback turned out to have succeeded, one of unknown fate may still be sent again: it comes to the same, and
/// nothing else closes it.
pub(crate) fn may_send(
    release: &Release,
    sheet: EntryRef,
    kind: DispatchKind,
    wave: Option<u64>,
    resends: Option<&Line>,
) -> Result<(), Rejection> {
    let mut named = resends.is_none();
    let earlier =
        release.dispatches_of(sheet, kind).filter(|dispatch| wave.is_none_or(|wave| dispatch.body.wave == wave));
    for earlier in earlier {
        let id = &earlier.body.request_id;
        match earlier.body.state {
            DispatchState::Refused => {}
            DispatchState::Finished
                if kind == DispatchKind::Rollback && (!earlier.succeeded() || resends.is_some()) => {}
            DispatchState::FateUnknown if sent_again(release, earlier) => {}
            DispatchState::FateUnknown => {
                ensure(resends == Some(id), Code::AlreadyDispatched, || {
                    format!("the fate of {id} is not known; reconcile it, or send again naming it")
                })?;
                named = true;
            }
            _ => {
                let what = match wave {
                    Some(wave) => format!("wave {wave} of this sheet was dispatched as {id}"),
                    None => format!("it is taken back by {id}"),
                };
                return Err(Rejection::new(Code::AlreadyDispatched, what)
                    .hint("a signed sheet deploys each wave once; freeze a new sheet to deploy again"));
            }
        }
    }
    ensure(named, Code::NotFound, || "no dispatch of unknown fate is sent again".into())
}

/// Returns the first wave of the sheet that has no passing verdict; `None` when all have.
pub fn next_wave(release: &Release, sheet: &Sheet) -> Option<u64> {
    (1..=sheet.body.rollout.len() as u64)
        .find(|wave| release.wave_of(sheet.entry, *wave).is_none_or(|verdict| verdict.verdict != WaveVerdict::Pass))
}

/// Returns where a release stands at that moment.
pub fn release_state(state: &State, release: &Release, at: Timestamp) -> ReleaseState {
    // Taken back after its review, it is a rollout again, has the environment, and is reviewed anew.
    let taken_back_since = |reviewed: EntryRef| {
        release.dispatches.iter().any(|dispatch| {
            dispatch.body.kind == DispatchKind::Rollback
                && dispatch.body.state != DispatchState::Refused
                && dispatch.entry > reviewed
        })
    };
    if release.outcome.as_ref().is_some_and(|(entry, _)| !taken_back_since(*entry)) {
        return ReleaseState::Reviewed;
    }
    let current = release.sheet();
    if let Some((sheet, rollout)) = current.and_then(|sheet| Some((sheet, rollout_state(release, sheet)?))) {
        let running = matches!(rollout, ReleaseState::Dispatching | ReleaseState::RollingOut);
        let stopped = || {
            checks(state, release, at).iter().any(Check::red)
                || matches!(decision(state, release, sheet, at).outcome, Outcome::NoGo(_))
        };
        return if running && stopped() { ReleaseState::RolloutHalted } else { rollout };
    }
    match &release.ended {
        Some((_, Some(_))) => return ReleaseState::Superseded,
        Some((_, None)) => return ReleaseState::Withdrawn,
        None => {}
    }
    let checks = checks(state, release, at);
    if checks.iter().any(Check::red) {
        return ReleaseState::Halted;
    }
    // What was said about a candidate ends with it.
    let current = current.filter(|sheet| sheet.body.candidate == release.candidate_entry);
    let decision = current.map(|sheet| decision(state, release, sheet, at).outcome);
    if matches!(decision, Some(Outcome::NoGo(_))) {
        return ReleaseState::NoGo;
    }
    let unclear = current.is_some_and(|sheet| late_inconclusive(release, sheet).is_some());
    if release.active_holds().next().is_some() || unclear || matches!(decision, Some(Outcome::Hold(_))) {
        return ReleaseState::OnHold;
    }
    match decision {
        Some(Outcome::Go { .. }) => return ReleaseState::Authorized,
        Some(Outcome::Incomplete) => return ReleaseState::Ready,
        Some(Outcome::Expired) => return ReleaseState::Expired,
        Some(Outcome::Stale(_) | Outcome::NoGo(_) | Outcome::Hold(_)) | None => {}
    }
    if staged(state, release).is_some() {
        ReleaseState::Staged
    } else if release.evidence.is_empty() {
        ReleaseState::Draft
    } else {
        ReleaseState::Collecting
    }
}

/// Returns where the rollout of a sheet stands, once a wave of it was dispatched.
fn rollout_state(release: &Release, sheet: &Sheet) -> Option<ReleaseState> {
    if !release.rollout_began(sheet.entry) {
        return None;
    }
    let back = |dispatch: &&DispatchRecord| {
        dispatch.body.kind == DispatchKind::Rollback
            && dispatch.body.sheet == sheet.entry
            && dispatch.body.state != DispatchState::Refused
    };
    if release.dispatches.iter().any(|dispatch| back(&dispatch)) {
        // While one of them may still arrive, the environment is nobody else's.
        let over = !under_way(release).any(|dispatch| back(&dispatch));
        let taken_back = over && release.dispatches.iter().filter(back).any(DispatchRecord::succeeded);
        return Some(if taken_back { ReleaseState::RolledBack } else { ReleaseState::RolloutHalted });
    }
    let Some(next) = next_wave(release, sheet) else {
        return Some(ReleaseState::Live);
    };
    let halted = release.active_holds().any(|hold| matches!(hold.change, HoldChange::Halt {}));
    let bad_wave = release.wave_of(sheet.entry, next).is_some_and(|verdict| verdict.verdict != WaveVerdict::Pass);
    let dispatch = release.wave_dispatch(sheet.entry, next);
    let failed = dispatch.is_some_and(|dispatch| {
        !dispatch.open() && !dispatch.succeeded() || dispatch.body.state == DispatchState::FateUnknown
    });
    if halted || bad_wave || failed {
        Some(ReleaseState::RolloutHalted)
    } else if next == 1 && dispatch.is_some_and(DispatchRecord::open) {
        Some(ReleaseState::Dispatching)
    } else {
        Some(ReleaseState::RollingOut)
    }
}

/// Returns whether a wave of the sheet may be sent out at that moment.
///
/// This is the last gate: admission asks it for the entry that must be durable before the first byte leaves, and the
/// verifier asks it again.
///
/// # Errors
/// The first rule that refuses.
pub fn may_dispatch(
    state: &State,
    release: &Release,
    sheet: &Sheet,
    wave: u64,
    resends: Option<&Line>,
    at: Timestamp,
) -> Result<(), Rejection> {
    let body = &sheet.body;
    ensure(release.ended.is_none(), Code::WrongState, || format!("{} was given up", release.id))?;
    let planned =
        usize::try_from(wave).ok().and_then(|wave| wave.checked_sub(1)).and_then(|place| body.rollout.get(place));
    ensure(planned.is_some(), Code::WaveOrder, || format!("the sheet has no wave {wave}"))?;

    ensure(release.outcome.is_none(), Code::WrongState, || format!("{} was reviewed already", release.id))?;
    ensure(release.dispatches_of(sheet.entry, DispatchKind::Rollback).next().is_none(), Code::WrongState, || {
        "this rollout is being taken back".into()
    })?;
    may_send(release, sheet.entry, DispatchKind::Deploy, Some(wave), resends)?;
    let expected = next_wave(release, sheet);
    ensure(expected == Some(wave), Code::WaveOrder, || match expected {
        Some(next) => format!("wave {next} comes next and has no passing verdict yet"),
        None => "all waves have passed".into(),
    })?;

    if let Some(hold) = release.active_holds().next() {
        return Err(Rejection::new(
            Code::OnHold,
            format!("{} stopped it ({}): {}", state.printed_name(&hold.by), hold.entry, hold.reason),
        )
        .hint("a release manager resumes it with `countersign hold --resume`"));
    }
    ensure_not_frozen(state, &body.product, &body.environment, at)?;
    let place = (body.product.clone(), body.environment.clone());
    let target = state.targets.get(&place).map(|(entry, _)| *entry);
    ensure(target == Some(body.target), Code::Stale, || "the target's configuration has moved since".into())?;
    if let Some(red) = checks(state, release, at).into_iter().find(Check::red) {
        return Err(Rejection::new(Code::Halted, format!("gate {} is red: {}", red.gate, red.detail))
            .hint("propose a new candidate, or sign a waiver for this gate"));
    }
    if let Some(late) = late_inconclusive(release, sheet) {
        return Err(Rejection::new(
            Code::OnHold,
            format!("evidence after the freeze is inconclusive: {}", late.body.name),
        ));
    }
    if let Some(busy) = rollout_in(state, &body.product, &body.environment, at).filter(|busy| *busy != release.id) {
        return Err(Rejection::new(Code::EnvironmentBusy, format!("the rollout of {busy} has {}", body.environment))
            .hint("finish it or roll it back first"));
    }
    let decision = decision(state, release, sheet, at);
    if wave == 1 {
        if let Some(open) = checks(state, release, at).into_iter().find(Check::open) {
            return Err(Rejection::new(Code::GateOpen, format!("gate {}: {}", open.gate, open.detail)));
        }
        ensure(body.window.contains(at), Code::OutsideWindow, || {
            format!("the window is {} to {}", body.window.from, body.window.until)
        })?;
        return go(&decision);
    }
    // Validity was judged at wave 1 and is on record; from then on only what was withdrawn since can stop a wave.
    match &decision.outcome {
        Outcome::NoGo(_) | Outcome::Hold(_) => return go(&decision),
        _ => {}
    }
    let used = decision.answers.iter().filter(|judged| !judged.replaced).find_map(|judged| judged.answer.authorization);
    if let Some(entry) = used.and_then(|used| state.authorizations.get(&used.index)?.suspended) {
        return Err(Rejection::new(
            Code::OutsideBounds,
            format!("the standing authorization was suspended by {entry}"),
        )
        .hint("roll back, or freeze a new sheet and ask people"));
    }
    let withdrawn = decision.answers.iter().find(|judged| !judged.replaced && judged.state == SignOffState::KeyRevoked);
    if let Some(judged) = withdrawn {
        return Err(Rejection::new(
            Code::KeyRevoked,
            format!("the GO of {} no longer stands: {}", judged.answer.name, judged.cause.clone().unwrap_or_default()),
        ));
    }
    Ok(())
}

/// Returns the evidence that came after the freeze and does not say.
fn late_inconclusive<'a>(release: &'a Release, sheet: &Sheet) -> Option<&'a EvidenceRecord> {
    let listed = usize::try_from(sheet.body.evidence.count).unwrap_or(usize::MAX);
    release
        .evidence
        .iter()
        .skip(listed)
        .find(|record| record.body.conclusion == Conclusion::Inconclusive && !record.attached())
}

fn go(decision: &Decision) -> Result<(), Rejection> {
    match &decision.outcome {
        Outcome::Go { .. } => Ok(()),
        Outcome::NoGo(who) => Err(Rejection::new(Code::NoGo, format!("{who} said NO-GO"))
            .hint("only their own later answer, or a new candidate, ends it")),
        Outcome::Hold(who) => Err(Rejection::new(Code::OnHold, format!("{who} asks to wait"))
            .hint("answer the question; then they sign again")),
        Outcome::Stale(moved) => {
            Err(Rejection::new(Code::Stale, format!("the sheet is stale; moved since: {}", moved.join(", ")))
                .hint("freeze a new sheet with `countersign request`; every signature is asked again"))
        }
        Outcome::Expired => Err(Rejection::new(Code::Expired, "the decision sheet is past its time")
            .hint("freeze a new sheet with `countersign request`")),
        Outcome::Incomplete => {
            let missing: Vec<String> = decision
                .slots
                .iter()
                .filter(|slot| !slot.full())
                .map(|slot| format!("{} {} of {}", slot.role, slot.signed.len(), slot.needed))
                .collect();
            Err(Rejection::new(Code::QuorumMissing, format!("signatures are missing: {}", missing.join(", "))))
        }
    }
}

// ------------------------------------------------------------------------------------------------- blockers

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
    Stale(Vec<String>),
    /// The sheet is past its time.
    SheetExpired(Timestamp),
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
    for check in checks(state, release, at).into_iter().filter(Check::open) {
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
        let (code, what) = (format!("gate:{}", check.gate), format!("{}: {}", check.gate, check.detail));
        add(&code, what, managers.clone(), act, Cause::Gate(check));
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

/// Returns what the policy says of a gate.
fn rule_of<'a>(state: &'a State, release: &Release, gate: &str) -> Option<(&'a Policy, &'a EvidenceRule)> {
    let policy = &state.policy(&release.candidate.product)?.policy;
    Some((policy, policy.evidence.iter().find(|rule| rule.gate.as_str() == gate)?))
}

/// Returns whether only a CI system can fill the gate.
fn read_from_ci(state: &State, release: &Release, gate: &str) -> bool {
    rule_of(state, release, gate)
        .is_some_and(|(policy, rule)| rule.observed || policy.attached_evidence == AttachedRule::Refused)
}

/// Returns the attached evidence that would answer to the gate once a second person has confirmed it.
fn unconfirmed<'a>(state: &State, release: &'a Release, gate: &str) -> Option<&'a EvidenceRecord> {
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

fn decision_blockers(
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
    match &decision.outcome {
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
            list.push(blocker(
                Code::OnHold,
                what,
                vec![who.to_string()],
                format!("countersign sign {id} --verdict VERDICT (their new answer)"),
                Cause::AsksToWait(who.clone()),
            ));
            // Those who have not answered need not wait for the question: their seats are open beside it.
            list.extend(missing());
        }
        Outcome::Stale(moved) => {
            let what = format!("the sheet is stale; moved since: {}", moved.join(", "));
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

/// Returns whether the device may sign dispatches.
pub fn is_dispatcher(state: &State, principal: &Principal) -> bool {
    state.devices.get(principal).is_some_and(|device| {
        device.card.purpose == DevicePurpose::Dispatcher && device.confirmed.is_some() && device.revoked.is_none()
    })
}

/// Returns whether a change of that type needs an incident named.
pub(crate) fn needs_incident(change_type: ChangeType) -> bool {
    change_type == ChangeType::Emergency
}

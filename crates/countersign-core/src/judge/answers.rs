//! What signed answers are worth, and what they come to.

use super::*;

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
            Verdict::NoGo | Verdict::Hold | Verdict::Withdrawn => false,
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
    Stale(Vec<Moved>),
    /// The sheet is past its time.
    Expired,
    /// Signatures are missing.
    Incomplete,
}

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
        Answerable::Role(who) | Answerable::Person(who) => topics.push(Topic::Authority(who.clone())),
        Answerable::Device(_) | Answerable::Removal(_) => {}
    }
    topics
}

closed_words!(
    /// What a sheet lists and what is no longer as it was.
    Moved {
        /// The candidate.
        CandidateAmended = "the candidate was amended",
        /// Its artifacts.
        Artifacts = "the artifacts",
        /// Its commit.
        Commit = "the commit",
        /// Its change list.
        ChangeList = "the change list",
        /// The policy in force.
        Policy = "the policy",
        /// The target.
        Target = "the target's configuration",
        /// The evidence listed on the sheet.
        Evidence = "the evidence listed",
        /// A later result took the place of one that is listed.
        EvidenceReplaced = "evidence listed was replaced",
        /// Where and when it was delivered before.
        Staging = "the staging",
        /// A waiver came later.
        Waived = "a gate was waived",
        /// What it would take the place of.
        Live = "what is live",
        /// The sheet itself.
        NewerSheet = "a newer sheet was frozen",
    }
);

/// What is no longer as it was, one after the other.
pub(crate) fn moved_since(moved: &[Moved]) -> String {
    moved.iter().map(|moved| moved.as_str()).collect::<Vec<_>>().join(", ")
}

/// Returns each listed input of the sheet that the ledger now says otherwise, in words.
pub fn drift(state: &State, release: &Release, sheet: &Sheet) -> Vec<Moved> {
    let body = &sheet.body;
    let candidate = &release.candidate;
    let mut moved = Vec::new();
    let mut compare = |same: bool, what: Moved| {
        if !same {
            moved.push(what);
        }
    };
    compare(body.candidate == release.candidate_entry, Moved::CandidateAmended);
    compare(body.artifacts == candidate.artifacts, Moved::Artifacts);
    compare(body.commit == candidate.commit, Moved::Commit);
    compare(body.changes == candidate.changes.digest, Moved::ChangeList);
    compare(state.policy(&body.product).map(|policy| policy.entry) == Some(body.policy), Moved::Policy);
    let place = (body.product.clone(), body.environment.clone());
    compare(state.targets.get(&place).map(|(entry, _)| *entry) == Some(body.target), Moved::Target);
    compare(manifest(release, Some(body.evidence.count)).0 == body.evidence, Moved::Evidence);
    let listed = usize::try_from(body.evidence.count).unwrap_or(usize::MAX);
    let replaced = release.evidence.iter().skip(listed).any(|late| {
        late.body.replaces.is_some_and(|old| release.evidence.iter().take(listed).any(|record| record.entry == old))
    });
    compare(!replaced, Moved::EvidenceReplaced);
    // Where another delivery has taken staging over, the gate says so; where this one was seen again, the sheet moved.
    compare(staged(state, release).is_none_or(|(entry, ..)| Some(entry) == body.stage), Moved::Staging);
    let waived_since = release.waivers.iter().any(|waiver| waiver.entry.index > sheet.entry.index);
    compare(!waived_since, Moved::Waived);
    compare(state.live.get(&place) == body.live.as_ref() || release.rollout_began(sheet.entry), Moved::Live);
    compare(release.sheet().is_some_and(|last| last.entry == sheet.entry), Moved::NewerSheet);
    moved
}

pub(super) const ASKED_FOR: &str = "they asked for this release";

/// Returns whether the person proposed the release, changed its candidate, or froze its sheet.
pub(super) fn asked_for(release: &Release, who: &Principal) -> bool {
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

/// Returns why the person may not approve the release as that role, if so: for their own part in it, or for that of the
/// person in whose place they would sign.
pub fn barred_as(
    state: &State,
    release: &Release,
    who: &Principal,
    role: &Slug,
    at: Timestamp,
) -> Option<&'static str> {
    let of = || signs_for(state, who, role.as_str(), Some(&release.candidate.product), at);
    barred(state, release, who).or_else(|| of().and_then(|of| barred(state, release, of)))
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
    let mut judged = judge_answers(&sheet.answers, |answer| {
        let segregation = barred(state, release, &answer.principal)
            .or_else(|| answer.delegated_by.as_ref().and_then(|of| barred(state, release, of)));
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
    });
    if let Some(policy) = state.policy_of(release) {
        hold_to_order(policy, &mut judged);
    }
    judged
}

pub(super) fn judge_answers(
    answers: &[SignOff],
    worth: impl Fn(&SignOff) -> (SignOffState, Option<String>),
) -> Vec<JudgedSignOff> {
    answers
        .iter()
        .enumerate()
        .map(|(place, answer)| {
            let (state, cause) = worth(answer);
            let replaced = answers[place + 1..].iter().any(|later| later.replaces(answer));
            JudgedSignOff { answer: answer.clone(), state, cause, replaced }
        })
        .collect()
}

/// Returns what an answer is worth, leaving aside what it answers.
pub(super) fn worth_of(
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
    if let Some(cause) = failed_too_often(state, record) {
        return (SignOffState::Expired, Some(cause));
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

pub(super) fn answers_worth(state: &State, product: &Slug, answers: &[SignOff], at: Timestamp) -> Vec<JudgedSignOff> {
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
        Verdict::Go | Verdict::ConditionalGo | Verdict::Withdrawn => false,
    });
    !refused && quorum_full(&slots(state, &record.policy, product, &judged, at, |_| false))
}

pub(super) fn slots(
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
            let counted = || answers.iter().filter(|judged| judged.counts() && judged.go());
            let mut eyes = BTreeSet::new();
            let signed: BTreeSet<Principal> = counted()
                .filter(|judged| judged.answer.authorization.is_none() && judged.answer.role == rule.role)
                .filter(|judged| eyes.insert(judged.answer.eyes()))
                .map(|judged| judged.answer.principal.clone())
                .collect();
            let answered = |who: &Principal| {
                counted().any(|judged| judged.answer.principal == *who || judged.answer.eyes() == who)
            };
            let eligible = state
                .people
                .values()
                .filter(|person| person.can_sign(at))
                .filter(|person| {
                    let held = person.role_held(rule.role.as_str(), Some(product), at);
                    held.is_some_and(|held| {
                        let trained = held.qualification.as_ref().is_none_or(|trained| at <= trained.until);
                        trained && held.delegated_by().is_none_or(|of| !barred(of) && !answered(of))
                    })
                })
                .map(|person| person.card.principal.clone())
                .filter(|who| !barred(who) && !answered(who))
                .collect();
            Slot { role: rule.role.clone(), needed: rule.count, signed: signed.into_iter().collect(), eligible }
        })
        .collect()
}

pub(super) fn quorum_full(slots: &[Slot]) -> bool {
    !slots.is_empty() && slots.iter().all(Slot::full)
}

/// Returns every answer to any sheet of the same candidate, in their order.
fn answers_about<'a>(release: &'a Release, sheet: &Sheet) -> Vec<&'a SignOff> {
    let same = |other: &&Sheet| other.body.candidate == sheet.body.candidate;
    release.sheets.iter().filter(same).flat_map(|sheet| &sheet.answers).collect()
}

/// Returns the last answer of each person to any sheet of the same candidate.
pub(super) fn standing_answers<'a>(release: &'a Release, sheet: &Sheet) -> Vec<&'a SignOff> {
    let answers = answers_about(release, sheet);
    let last = |place: usize| answers[place + 1..].iter().all(|later| !later.replaces(answers[place]));
    (0..answers.len()).filter(|place| last(*place)).map(|place| answers[place]).collect()
}

/// Returns what the person has said about the candidate of the sheet and not withdrawn.
pub fn standing_answer<'a>(release: &'a Release, sheet: &Sheet, who: &Principal) -> Option<&'a SignOff> {
    let own = standing_answers(release, sheet).into_iter().find(|answer| answer.principal == *who);
    own.filter(|answer| answer.verdict != Verdict::Withdrawn)
}

/// Returns the HOLDs on the candidate of the sheet whose question nobody has answered. Its signer's NO-GO leaves the question
/// open; any other answer of theirs that was accepted since ends it.
fn open_questions<'a>(release: &'a Release, sheet: &Sheet) -> impl Iterator<Item = &'a SignOff> {
    let answers = answers_about(release, sheet);
    let ended = |place: usize| {
        answers[place + 1..].iter().any(|later| later.verdict != Verdict::NoGo && later.replaces(answers[place]))
    };
    let open: Vec<&SignOff> = (0..answers.len()).filter(|place| !ended(*place)).map(|place| answers[place]).collect();
    open.into_iter().filter(|answer| answer.verdict == Verdict::Hold && answer.answered.is_none())
}

/// Returns the person's HOLD on the candidate whose question still waits for an answer, where the policy asks for one.
pub fn unanswered<'a>(state: &State, release: &'a Release, sheet: &Sheet, who: &Principal) -> Option<&'a SignOff> {
    let asked = state.policy(&release.candidate.product).is_some_and(|record| record.policy.hold_answered);
    open_questions(release, sheet).find(|answer| asked && answer.principal == *who)
}

/// Returns the HOLD of that entry that nobody has answered.
pub(crate) fn waiting_hold(release: &Release, entry: EntryRef) -> Option<&SignOff> {
    open_questions(release, release.sheet()?).find(|answer| answer.entry == entry)
}

/// Returns whether the entry names a file of that digest which may be removed: evidence, a log, or a paper record. What a
/// decision needs to be derived again, as a change list, is none of them.
pub(crate) fn names_file(state: &State, entry: EntryRef, digest: Digest) -> bool {
    let papers = state.papers.iter().any(|(own, late)| *own == entry && late.paper == digest);
    papers
        || state.releases.values().any(|release| {
            release.evidence.iter().any(|record| record.entry == entry && record.body.digest == digest)
                || release.runs.iter().any(|(own, run)| *own == entry && run.log == Some(digest))
        })
}

/// Returns the part the person had in the release, in words, if any: who had one does not review it.
pub(crate) fn part_in(release: &Release, who: &Principal) -> Option<&'static str> {
    let signed = || release.sheets.iter().flat_map(|sheet| &sheet.answers).any(|answer| answer.principal == *who);
    let sent = || release.dispatches.iter().any(|dispatch| dispatch.body.by.as_ref() == Some(who));
    if asked_for(release, who) {
        Some(ASKED_FOR)
    } else if signed() {
        Some("they signed this release")
    } else if sent() {
        Some("they dispatched this release")
    } else {
        None
    }
}

/// Returns what the answers to the sheet come to at that moment.
pub fn decision(state: &State, release: &Release, sheet: &Sheet, at: Timestamp) -> Decision {
    let answers = sign_offs(state, release, sheet, at);
    let product = &release.candidate.product;
    let policy = state.policy_of(release);
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
    // Without a veto among them, enough of those who are asked end it together.
    let refusing = || {
        let asked = |answer: &&&SignOff| policy.is_some_and(|policy| policy.asks(&answer.role));
        let all = || standing.iter().filter(|answer| answer.verdict == Verdict::NoGo).filter(asked);
        let eyes: BTreeSet<&Principal> = all().map(|answer| answer.eyes()).collect();
        let enough = eyes.len() as u64 >= policy?.no_go_count?;
        all().next_back().filter(|_| enough).map(|answer| answer.principal.clone())
    };
    let moved = drift(state, release, sheet);
    let authorization =
        answers.iter().filter(|judged| judged.counts() && judged.go()).find_map(|judged| judged.answer.authorization);
    let outcome = if let Some(who) = signer(Verdict::NoGo).or_else(refusing) {
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
        Act::Meeting(body) => Some(&body.release),
        Act::Outcome(body) => Some(&body.release),
        Act::Announce(body) => Some(&body.release),
        Act::Refusal(body) => body.release.as_ref(),
        Act::Export(body) => body.release.as_ref(),
        Act::Approval(body) => match state.answerable(body.request)? {
            Answerable::Sheet(id) | Answerable::Evidence(id) => Some(id),
            Answerable::Policy(_)
            | Answerable::Authorization(_)
            | Answerable::Device(_)
            | Answerable::Person(_)
            | Answerable::Role(_)
            | Answerable::Removal(_) => None,
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
    bound(record.template.is_some() || policy.policy.mode == Mode::Deployment, &|| {
        "the policy's mode is continuous-delivery".into()
    })?;
    let own = policy.for_change(candidate.change_type);
    let adopters = answers_worth(state, &record.product, &record.answers, at);
    bound(quorum_full(&slots(state, own, &record.product, &adopters, at, |_| false)), &|| {
        format!("those who adopted it are not all who sign a {} change", candidate.change_type)
    })?;
    // It signs on evidence alone.
    let asked = own.evidence.is_empty() || own.evidence.iter().any(|rule| own.asks_gate(rule.gate.as_str()));
    bound(asked, &|| format!("the policy asks no evidence of a {} change", candidate.change_type))?;
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
    ensure(moved.is_empty(), Code::Stale, || format!("the sheet is stale; moved since: {}", moved_since(&moved)))
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

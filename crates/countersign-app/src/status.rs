//! Where things stand: a release with all that blocks it, every release at a glance, and what waits for a person.
//!
//! Plain data for every shell. Nothing here decides: each figure comes from [`countersign_core::judge`] at one moment.

use std::collections::BTreeSet;

use countersign_core::act::{
    DispatchKind, DispatchState, HoldChange, LiveRelease, Meaning, RunConclusion, Verdict, Window,
};
use countersign_core::evidence::Conclusion;
use countersign_core::hash::Digest;
use countersign_core::judge::{self, Blocker, Check, JudgedSignOff, Outcome, ReleaseState, SignOffState, Slot};
use countersign_core::policy::DispatchRule;
use countersign_core::state::{Release, Sheet, State};
use countersign_core::words::{CommitId, EntryRef, Line, Principal, ReleaseId, Slug, Text, Timestamp, Zone};
use serde::Serialize;

use crate::error::{Error, ErrorKind};
use crate::ledger::Ledger;
use crate::projection::{ProjectionFile, Row};
use crate::releases::{self, Fact};

/// A release at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseRow {
    /// The release.
    pub release: ReleaseId,
    /// The product.
    pub product: Slug,
    /// The version.
    pub version: Line,
    /// Where it stands.
    pub state: ReleaseState,
    /// When it was proposed.
    pub proposed: Timestamp,
    /// What blocks it most.
    pub next: Option<String>,
}

/// Something that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The kind of thing, as a word.
    pub kind: &'static str,
    /// The release, where it is about one.
    pub release: Option<ReleaseId>,
    /// What waits.
    pub what: String,
    /// The command that does it.
    pub act: String,
}

/// All releases, and what waits for one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// The name people give the ledger.
    pub title: Line,
    /// Whether it is a sample, in which nothing is a real approval.
    pub sample: bool,
    /// How many entries it has.
    pub entries: u64,
    /// Entries that were not admitted.
    pub findings: usize,
    /// The moment it is told for.
    pub at: Timestamp,
    /// Every release, the newest first.
    pub releases: Vec<ReleaseRow>,
    /// Whose inbox it is.
    pub person: Option<Principal>,
    /// What waits for them.
    pub inbox: Vec<Waiting>,
}

/// Returns every release at a glance, the newest first.
pub fn releases(state: &State, product: Option<&Slug>, at: Timestamp) -> Vec<ReleaseRow> {
    let mut all: Vec<&Release> = state
        .releases
        .values()
        .filter(|release| product.is_none_or(|only| *only == release.candidate.product))
        .collect();
    all.sort_by(|a, b| (b.proposed, &b.id).cmp(&(a.proposed, &a.id)));
    all.into_iter()
        .map(|release| ReleaseRow {
            release: release.id.clone(),
            product: release.candidate.product.clone(),
            version: release.candidate.version.clone(),
            state: judge::release_state(state, release, at),
            proposed: release.proposed,
            next: judge::blockers(state, release, at).into_iter().next().map(|blocker| blocker.what),
        })
        .collect()
}

/// Returns all releases, and what waits for a person where one is named.
pub fn overview(state: &State, person: Option<&Principal>, at: Timestamp) -> Overview {
    let title = state.genesis.as_ref().map(|genesis| genesis.title.clone());
    Overview {
        title: title.unwrap_or_else(|| "(no genesis)".parse().expect("a lawful line")),
        sample: state.sample(),
        entries: state.tree.size(),
        findings: state.findings.len(),
        at,
        releases: releases(state, None, at),
        person: person.cloned(),
        inbox: person.map(|person| inbox(state, person, at)).unwrap_or_default(),
    }
}

/// Returns what waits for a person.
pub fn inbox(state: &State, who: &Principal, at: Timestamp) -> Vec<Waiting> {
    let mut list = Vec::new();
    let Some(person) = state.people.get(who) else { return list };
    let waiting = |kind: &'static str, what: String, act: String| Waiting { kind, release: None, what, act };
    if person.accepted.is_none() {
        list.push(waiting(
            "accept",
            "your enrolment waits for you to accept it".into(),
            format!("countersign person accept --as {who}"),
        ));
        return list;
    }
    if let Some(key) = person.current_key() {
        let days = key.valid_until.seconds_since(at).div_euclid(86_400);
        if days < 30 {
            list.push(waiting(
                "key",
                format!("your key can sign until {}", key.valid_until),
                format!("countersign person rotate --as {who}"),
            ));
        }
    }
    for release in state.releases.values() {
        for blocker in judge::blockers(state, release, at) {
            if blocker.who.iter().any(|one| one == who.as_str()) {
                list.push(Waiting {
                    kind: "release",
                    release: Some(release.id.clone()),
                    what: blocker.what,
                    act: blocker.act,
                });
            }
        }
        if dispatch_waits(state, release, at) && person.holds("release-manager", Some(&release.candidate.product), at) {
            list.push(Waiting {
                kind: "dispatch",
                release: Some(release.id.clone()),
                what: "the sheet is signed; the next wave may go".into(),
                act: format!("countersign dispatch {}", release.id),
            });
        }
        for record in release.evidence.iter().filter(|record| record.attached() && record.confirmed_by.is_empty()) {
            let open = release.ended.is_none() && release.sheet().is_none() && record.by != *who;
            if open && person.holds_any(at) {
                list.push(Waiting {
                    kind: "evidence",
                    release: Some(release.id.clone()),
                    what: format!("{} was attached by {} and waits for a second person", record.body.name, record.by),
                    act: format!("countersign evidence confirm {}", record.entry.index),
                });
            }
        }
    }
    for (product, records) in &state.policies {
        let asked = state.policy(product).map(|record| &record.policy.quorum);
        let holds =
            asked.is_some_and(|quorum| quorum.iter().any(|rule| person.holds(rule.role.as_str(), Some(product), at)));
        let newest = records.last().filter(|record| record.in_force.is_none());
        if let Some(record) = newest.filter(|record| holds && !answered(&record.answers, who)) {
            list.push(waiting(
                "policy",
                format!("version {} of the policy of {product} is proposed", record.version),
                format!("countersign policy approve {product} --version {} --verdict go", record.version),
            ));
        }
    }
    for record in state.authorizations.values() {
        let quorum = state.policy(&record.product).map(|policy| &policy.policy.quorum);
        let holds = quorum.is_some_and(|quorum| {
            quorum.iter().any(|rule| person.holds(rule.role.as_str(), Some(&record.product), at))
        });
        if record.adopted.is_none() && at <= record.valid.until && holds && !answered(&record.answers, who) {
            list.push(waiting(
                "authorization",
                format!("a standing authorization for {} is proposed", record.product),
                format!("countersign authorization adopt {} --verdict go", record.entry.index),
            ));
        }
    }
    for device in state.devices.values() {
        let waits = device.confirmed.is_none()
            && device.revoked.is_none()
            && device.card.purpose == countersign_core::act::DevicePurpose::Dispatcher;
        if waits && device.enrolled_by != *who && person.holds_any(at) {
            list.push(waiting(
                "device",
                format!("the dispatcher {} waits for a second person", device.card.principal),
                format!("countersign device confirm {}", device.card.principal),
            ));
        }
    }
    list
}

fn answered(answers: &[countersign_core::state::SignOff], who: &Principal) -> bool {
    answers.iter().any(|answer| answer.principal == *who)
}

/// Returns whether only the release manager's word is missing for the next wave to go.
pub(crate) fn dispatch_waits(state: &State, release: &Release, at: Timestamp) -> bool {
    let Some(sheet) = release.sheet() else { return false };
    let Some(policy) = state.policy(&release.candidate.product) else { return false };
    let first = judge::next_wave(release, sheet) == Some(1);
    first
        && policy.policy.dispatch == DispatchRule::ByReleaseManager
        && judge::may_dispatch(state, release, sheet, 1, None, at).is_ok()
}

/// An answer to a decision sheet and what it is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignOffRow {
    /// The entry.
    pub entry: u64,
    /// The printed name.
    pub name: Line,
    /// Who.
    pub principal: Principal,
    /// As which role.
    pub role: Slug,
    /// The answer.
    pub verdict: Verdict,
    /// What the signature means.
    pub meaning: Meaning,
    /// Why.
    pub reason: String,
    /// When.
    pub time: Timestamp,
    /// In which time zone.
    pub zone: Zone,
    /// What it is worth.
    pub state: SignOffState,
    /// Why it is not valid.
    pub cause: Option<String>,
    /// Whether a later answer of the same signer took its place.
    pub replaced: bool,
    /// The conditions of a conditional GO.
    pub conditions: Vec<ConditionRow>,
    /// The standing authorization that signs here.
    pub authorization: Option<u64>,
    /// The fingerprint of the key.
    pub key: String,
    /// How presence was proved.
    pub reauth: Option<countersign_core::act::Reauth>,
    /// How many entries the signer had seen.
    pub seen: u64,
    /// How much of them was verified.
    pub seen_basis: Option<countersign_core::act::SeenBasis>,
}

/// One role the policy asks for: who has signed as it, who could, and who holds it and may not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuorumRow {
    /// The role.
    pub role: Slug,
    /// How many are asked for.
    pub needed: u64,
    /// Who counts.
    pub signed: Vec<Principal>,
    /// Who could still sign as it.
    pub eligible: Vec<Principal>,
    /// Who holds it and may not sign this release.
    pub barred: Vec<Barred>,
}

impl QuorumRow {
    /// Returns whether enough have signed.
    #[must_use]
    pub fn full(&self) -> bool {
        self.signed.len() as u64 >= self.needed
    }
}

/// Somebody who may not sign a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Barred {
    /// Who.
    pub principal: Principal,
    /// Why: the other part they had.
    pub why: &'static str,
}

/// A condition of a conditional GO.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConditionRow {
    /// What was asked.
    pub condition: Text,
    /// The entry that settled it.
    pub met: Option<u64>,
}

/// A decision sheet and its answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SheetView {
    /// The entry that people sign.
    pub entry: u64,
    /// Its leaf hash: what each signature names.
    pub digest: Digest,
    /// Who froze it.
    pub requester: Principal,
    /// When.
    pub time: Timestamp,
    /// The environment behind the go/no-go.
    pub environment: Slug,
    /// What it lists, in words.
    pub facts: Vec<Fact>,
    /// What overlaps its window: freezes, shut hours, other releases, people asked twice; none once it is out.
    pub conflicts: Vec<judge::Conflict>,
    /// What the answers come to: `go`, `no-go`, `hold`, `stale`, `expired` or `incomplete`.
    pub outcome: &'static str,
    /// Why, where there is something to say.
    pub outcome_detail: Option<String>,
    /// `now`, or `at dispatch` where they were used.
    pub judged: &'static str,
    /// The quorum.
    pub quorum: Vec<QuorumRow>,
    /// Every answer.
    pub sign_offs: Vec<SignOffRow>,
}

/// A piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EvidenceRow {
    /// The entry.
    pub entry: u64,
    /// The file's name.
    pub name: Line,
    /// The format.
    pub kind: countersign_core::evidence::EvidenceKind,
    /// What follows from it.
    pub conclusion: Conclusion,
    /// What was counted.
    pub counts: countersign_core::evidence::Counts,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// The commit it is about.
    pub commit: CommitId,
    /// Who says so.
    pub commit_source: countersign_core::act::CommitSource,
    /// Where it comes from.
    pub origin: countersign_core::act::EvidenceOrigin,
    /// Who brought it.
    pub by: Principal,
    /// When.
    pub time: Timestamp,
    /// Those who confirmed it.
    pub confirmed_by: Vec<Principal>,
    /// The entry it stands in for.
    pub replaces: Option<u64>,
    /// Whether the current sheet lists it.
    pub on_sheet: Option<bool>,
}

/// A stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HoldRow {
    /// The entry.
    pub entry: u64,
    /// `hold`, `halt` or `cancel`.
    pub kind: &'static str,
    /// The open question.
    pub question: Option<Text>,
    /// Who.
    pub by: Principal,
    /// Why.
    pub reason: String,
    /// The entry that ended it.
    pub resumed: Option<u64>,
}

/// A dispatch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DispatchRow {
    /// The first entry of its journal.
    pub entry: u64,
    /// Carried by the run.
    pub request_id: Line,
    /// Deploy or roll back.
    pub kind: DispatchKind,
    /// The environment.
    pub environment: Slug,
    /// Which wave.
    pub wave: u64,
    /// How far it has come.
    pub state: DispatchState,
    /// How the run ended.
    pub conclusion: Option<RunConclusion>,
    /// What the CI system said.
    pub detail: Option<Text>,
    /// The run.
    pub run: Option<countersign_core::act::RunRef>,
    /// Who started it; none for the worker.
    pub by: Option<Principal>,
}

/// A wave of the rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaveRow {
    /// Its number, from 1.
    pub wave: u64,
    /// The segment it reaches.
    pub segment: Slug,
    /// How long it must stay well.
    pub bake_seconds: u64,
    /// The verdict, once there is one.
    pub verdict: Option<countersign_core::act::WaveVerdict>,
    /// Why.
    pub detail: Option<Text>,
    /// Samples taken.
    pub samples: Option<u64>,
    /// How much of the bake time has samples.
    pub coverage_percent: Option<u64>,
}

/// What is live, and what the release would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LiveView {
    /// What runs behind the go/no-go now.
    pub now: Option<LiveRelease>,
    /// Whether that is this release.
    pub this_release: bool,
    /// Whether the change list begins at what is live.
    pub list_begins_at_live: bool,
}

/// A release and all that is known of where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseView {
    /// Whether the ledger is a sample, in which nothing is a real approval.
    pub sample: bool,
    /// The moment it is told for.
    pub at: Timestamp,
    /// The release.
    pub release: ReleaseId,
    /// Where it stands.
    pub state: ReleaseState,
    /// The candidate as it now is.
    pub candidate: countersign_core::act::Candidate,
    /// The entry that says so.
    pub candidate_entry: u64,
    /// Why it was proposed.
    pub reason: String,
    /// Who proposed it.
    pub proposer: Principal,
    /// When.
    pub proposed: Timestamp,
    /// The release in its place, and the entry that gave it up.
    pub given_up: Option<(u64, Option<ReleaseId>)>,
    /// What is live now.
    pub live: LiveView,
    /// What each gate says.
    pub gates: Vec<Check>,
    /// The evidence.
    pub evidence: Vec<EvidenceRow>,
    /// The stops.
    pub holds: Vec<HoldRow>,
    /// The sheet that can be decided on.
    pub sheet: Option<SheetView>,
    /// How many sheets were frozen before it.
    pub earlier_sheets: usize,
    /// The waves the sheet plans.
    pub rollout: Vec<WaveRow>,
    /// The dispatches.
    pub dispatches: Vec<DispatchRow>,
    /// What keeps it from going live.
    pub blockers: Vec<Blocker>,
    /// Where nothing blocks: what comes next.
    pub next: Option<String>,
    /// What came of it.
    pub outcome: Option<Text>,
}

/// Returns where a release stands and all that blocks it.
///
/// # Errors
/// There is none of that id.
pub fn release(state: &State, id: &ReleaseId, at: Timestamp) -> Result<ReleaseView, Error> {
    let release = releases::find(state, id)?;
    let candidate = &release.candidate;
    let live = releases::live(state, &candidate.product);
    let blockers = judge::blockers(state, release, at);
    let now = judge::release_state(state, release, at);
    let sheet = release.sheet();
    let listed = sheet.map(|sheet| usize::try_from(sheet.body.evidence.count).unwrap_or(usize::MAX));
    let evidence = release.evidence.iter().enumerate().map(|(place, record)| EvidenceRow {
        entry: record.entry.index,
        name: record.body.name.clone(),
        kind: record.body.kind,
        conclusion: record.body.conclusion,
        counts: record.body.counts,
        digest: record.body.digest,
        size: record.body.size,
        commit: record.body.commit.clone(),
        commit_source: record.body.commit_source,
        origin: record.body.origin.clone(),
        by: record.by.clone(),
        time: record.time,
        confirmed_by: record.confirmed_by.clone(),
        replaces: record.body.replaces.map(|entry| entry.index),
        on_sheet: listed.map(|listed| place < listed),
    });
    Ok(ReleaseView {
        sample: state.sample(),
        at,
        release: id.clone(),
        state: now,
        candidate: candidate.clone(),
        candidate_entry: release.candidate_entry.index,
        reason: release.reason.clone(),
        proposer: release.proposer.clone(),
        proposed: release.proposed,
        given_up: release.ended.as_ref().map(|(entry, by)| (entry.index, by.clone())),
        live: LiveView {
            now: live.cloned(),
            this_release: live.is_some_and(|live| live.release == *id),
            list_begins_at_live: candidate.changes.base.as_ref() == live.map(|live| &live.commit),
        },
        gates: judge::checks_to_show(state, release, at),
        evidence: evidence.collect(),
        holds: release.holds.iter().map(hold_row).collect(),
        sheet: sheet.map(|sheet| sheet_view(state, release, sheet, at)),
        earlier_sheets: release.sheets.len().saturating_sub(1),
        rollout: sheet.map(|sheet| waves(release, sheet)).unwrap_or_default(),
        dispatches: release.dispatches.iter().map(dispatch_row).collect(),
        next: blockers.is_empty().then(|| next(state, release, now)).flatten(),
        blockers,
        outcome: release.outcome.as_ref().map(|(_, outcome)| outcome.result.clone()),
    })
}

fn next(state: &State, release: &Release, now: ReleaseState) -> Option<String> {
    let by_hand = state
        .policy(&release.candidate.product)
        .is_some_and(|policy| policy.policy.dispatch == DispatchRule::ByReleaseManager);
    let authorized =
        release.sheet().is_some_and(|sheet| sheet.answers.iter().any(|answer| answer.authorization.is_some()));
    match now {
        ReleaseState::Authorized if by_hand && !authorized => {
            Some(format!("a release manager starts the rollout: countersign dispatch {}", release.id))
        }
        ReleaseState::Authorized | ReleaseState::Dispatching | ReleaseState::RollingOut => {
            Some("the worker goes on: countersign worker".into())
        }
        ReleaseState::Live | ReleaseState::RolledBack => {
            Some(format!("say what came of it: countersign release close {} --result TEXT", release.id))
        }
        _ => None,
    }
}

fn hold_row(hold: &countersign_core::state::HoldRecord) -> HoldRow {
    let (kind, question) = match &hold.change {
        HoldChange::Hold { question } => ("hold", question.clone()),
        HoldChange::Halt {} => ("halt", None),
        HoldChange::Cancel { .. } => ("cancel", None),
        HoldChange::Resume { .. } => ("resume", None),
    };
    HoldRow {
        entry: hold.entry.index,
        kind,
        question,
        by: hold.by.clone(),
        reason: hold.reason.clone(),
        resumed: hold.resumed.map(|entry| entry.index),
    }
}

fn dispatch_row(dispatch: &countersign_core::state::DispatchRecord) -> DispatchRow {
    let body = &dispatch.body;
    DispatchRow {
        entry: dispatch.entry.index,
        request_id: body.request_id.clone(),
        kind: body.kind,
        environment: body.environment.clone(),
        wave: body.wave,
        state: body.state,
        conclusion: body.conclusion,
        detail: body.detail.clone(),
        run: body.run.clone(),
        by: body.by.clone(),
    }
}

fn waves(release: &Release, sheet: &Sheet) -> Vec<WaveRow> {
    let planned = sheet.body.rollout.iter().zip(1_u64..);
    planned
        .map(|(planned, wave)| {
            let verdict = release.wave_of(sheet.entry, wave);
            WaveRow {
                wave,
                segment: planned.segment.clone(),
                bake_seconds: planned.bake_seconds,
                verdict: verdict.map(|verdict| verdict.verdict),
                detail: verdict.map(|verdict| verdict.detail.clone()),
                samples: verdict.map(|verdict| verdict.samples),
                coverage_percent: verdict.map(|verdict| verdict.coverage_percent),
            }
        })
        .collect()
}

/// Returns a decision sheet with its answers: as they were used where it was dispatched, else as they are worth now.
pub fn sheet_view(state: &State, release: &Release, sheet: &Sheet, at: Timestamp) -> SheetView {
    let decision = judge::decision(state, release, sheet, at);
    let (judged, answers) = match &sheet.decided {
        Some(decided) => ("at dispatch", merged(decided, &decision.answers)),
        None => ("now", decision.answers),
    };
    let (outcome, outcome_detail) = match (&decision.outcome, &sheet.decided) {
        (Outcome::NoGo(who), _) => ("no-go", Some(format!("{} said NO-GO", state.printed_name(who)))),
        (Outcome::Hold(who), _) => ("hold", Some(format!("{} asks to wait", state.printed_name(who)))),
        // What was dispatched was a GO then, or no wave could have been sent.
        (_, Some(_)) => ("go", Some("it was dispatched".to_owned())),
        (Outcome::Go { authorization: Some(used) }, _) => {
            ("go", Some(format!("the standing authorization of {used} signs")))
        }
        (Outcome::Go { authorization: None }, _) => ("go", None),
        (Outcome::Stale(moved), _) => (
            "stale",
            Some(format!("moved since: {}", moved.iter().map(|moved| moved.as_str()).collect::<Vec<_>>().join(", "))),
        ),
        (Outcome::Expired, _) => ("expired", Some(format!("it ran out at {}", sheet.body.not_after))),
        (Outcome::Incomplete, _) => ("incomplete", None),
    };
    SheetView {
        entry: sheet.entry.index,
        digest: sheet.entry.leaf,
        requester: sheet.requester.clone(),
        time: sheet.time,
        environment: sheet.body.environment.clone(),
        facts: releases::sheet_facts(state, release, &sheet.body),
        conflicts: if sheet.decided.is_some() { Vec::new() } else { judge::conflicts(state, release, sheet, at) },
        outcome,
        outcome_detail,
        judged,
        quorum: decision.slots.into_iter().map(|slot| quorum_row(state, release, slot, at)).collect(),
        sign_offs: answers.iter().map(sign_off_row).collect(),
    }
}

fn quorum_row(state: &State, release: &Release, slot: Slot, at: Timestamp) -> QuorumRow {
    let Slot { role, needed, signed, eligible } = slot;
    let holders = state
        .people
        .values()
        .filter(|person| person.holds(role.as_str(), Some(&release.candidate.product), at))
        .map(|person| &person.card.principal);
    let barred = holders
        .filter_map(|who| judge::barred(state, release, who).map(|why| Barred { principal: who.clone(), why }))
        .collect();
    QuorumRow { role, needed, signed, eligible, barred }
}

/// The answers as judged at dispatch, with those that came later as they are worth now.
pub(crate) fn merged(decided: &[JudgedSignOff], now: &[JudgedSignOff]) -> Vec<JudgedSignOff> {
    let known: BTreeSet<EntryRef> = decided.iter().map(|judged| judged.answer.entry).collect();
    let later = now.iter().filter(|judged| !known.contains(&judged.answer.entry));
    decided.iter().chain(later).cloned().collect()
}

fn sign_off_row(judged: &JudgedSignOff) -> SignOffRow {
    let answer = &judged.answer;
    SignOffRow {
        entry: answer.entry.index,
        name: answer.name.clone(),
        principal: answer.principal.clone(),
        role: answer.role.clone(),
        verdict: answer.verdict,
        meaning: answer.meaning,
        reason: answer.reason.clone(),
        time: answer.time,
        zone: answer.zone,
        state: judged.state,
        cause: judged.cause.clone(),
        replaced: judged.replaced,
        conditions: answer
            .conditions
            .iter()
            .map(|(condition, met)| ConditionRow { condition: condition.clone(), met: met.map(|entry| entry.index) })
            .collect(),
        authorization: answer.authorization.map(|entry| entry.index),
        key: answer.key.fingerprint(),
        reauth: answer.reauth,
        seen: answer.seen_size,
        seen_basis: answer.seen_basis,
    }
}

/// Returns a window in words.
#[must_use]
pub fn window_in_words(window: &Window) -> String {
    format!("{} to {}", window.from, window.until)
}

// ------------------------------------------------------------------------------------------------- projection

/// The list of releases in the projection file: each row a [`ReleaseRow`] as JSON, the newest release first.
pub const RELEASE_LIST: &str = "releases";

/// What was derived again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// How many entries it was derived from.
    pub entries: u64,
    /// Their root, as in the checkpoint.
    pub root: String,
    /// How many releases are listed.
    pub releases: usize,
    /// The file.
    pub file: std::path::PathBuf,
}

/// Deletes what is derived from the ledger and derives it again.
///
/// # Errors
/// The file can neither be deleted nor be made anew.
pub fn rebuild(ledger: &mut Ledger, at: Timestamp) -> Result<Rebuilt, Error> {
    ledger.refresh()?;
    let file = ledger.dir().projection();
    let cannot = |error: &dyn std::fmt::Display| Error::new(ErrorKind::Cannot, "projection", error.to_string());
    ProjectionFile::remove(&file).map_err(|error| cannot(&error))?;
    let app = crate::ledger::app();
    let version = format!("{} {}", app.version, app.build);
    let (projection, _) =
        ProjectionFile::open_or_recreate(&file, &ledger.fingerprint(), &version).map_err(|error| cannot(&error))?;
    let head = ledger.state().head();
    let rows: Vec<Row> = releases(ledger.state(), None, at)
        .iter()
        .map(|row| {
            let newest_first = i64::MAX - row.proposed.epoch_seconds();
            let bytes = serde_json::to_vec(row).expect("a row holds only strings, numbers, lists and maps");
            Row { key: row.release.to_string(), place: format!("{newest_first:020}"), bytes }
        })
        .collect();
    projection.store_rows(RELEASE_LIST, None, head, &rows, &[]).map_err(|error| cannot(&error))?;
    Ok(Rebuilt { entries: head.size, root: head.root.to_base64(), releases: rows.len(), file })
}

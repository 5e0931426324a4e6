//! A decision sheet as windows are told it: what it lists, who is asked, who has answered and what that is worth.

use std::collections::BTreeMap;

use countersign_core::act::{Request, Verdict};
use countersign_core::evidence::Counts;
use countersign_core::judge::{self, Bar, JudgedSignOff, Outcome, SignOffState};
use countersign_core::state::{EvidenceRecord, Release, Sheet, State};
use countersign_core::words::{Principal, Slug, Timestamp};

use super::show::{count, length, people, person, span};
use crate::ledger::Index;
use crate::releases::{self, Fact};
use crate::status::merged;
use crate::wire as w;

/// Returns a line of a sheet.
fn fact_name(name: &str) -> w::FactName {
    use w::FactName as N;
    match name {
        "release" => N::Release,
        "change type" => N::ChangeType,
        "artifact" => N::Artifact,
        "commit" => N::Commit,
        "changes" => N::Changes,
        "evidence" => N::Evidence,
        "evidence manifest" => N::EvidenceManifest,
        "waiver" => N::Waiver,
        "policy" => N::Policy,
        "environment" => N::Environment,
        "staging" => N::Staging,
        "live now" => N::LiveNow,
        "rollout" => N::Rollout,
        "way back" => N::WayBack,
        "change record" => N::ChangeRecord,
        "authorization" => N::Authorization,
        "asked" => N::Asked,
        "due" => N::Due,
        "window" => N::Window,
        _ => N::ValidUntil,
    }
}

/// Returns the digest a line names, and the entry.
fn named(value: &str) -> (Option<String>, Option<u32>) {
    let digest = value.rfind("sha256:").and_then(|at| value.get(at + 7..at + 71)).map(str::to_owned);
    let entry = value.find("entry ").and_then(|at| {
        let digits: String = value[at + 6..].chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    (digest, entry)
}

pub(super) fn fact_lines(facts: Vec<Fact>) -> Vec<w::FactLine> {
    let line = |fact: Fact| {
        let (digest, entry) = named(&fact.value);
        w::FactLine { name: fact_name(fact.name), value: fact.value, digest, entry }
    };
    facts.into_iter().map(line).collect()
}

/// Returns the lines in which two sheets differ; those of one name stand side by side.
pub(super) fn changed_facts(before: Vec<Fact>, after: Vec<Fact>) -> Vec<w::FactChange> {
    let mut sides: BTreeMap<w::FactName, (Vec<String>, Vec<String>)> = BTreeMap::new();
    for fact in before {
        sides.entry(fact_name(fact.name)).or_default().0.push(fact.value);
    }
    for fact in after {
        sides.entry(fact_name(fact.name)).or_default().1.push(fact.value);
    }
    let mut changes = Vec::new();
    for (name, (before, after)) in sides {
        let mut gone = before.iter().filter(|value| !after.contains(value));
        let mut come = after.iter().filter(|value| !before.contains(value));
        loop {
            let (before, after) = (gone.next().cloned(), come.next().cloned());
            if before.is_none() && after.is_none() {
                break;
            }
            changes.push(w::FactChange { name, before, after });
        }
    }
    changes
}

/// Returns what has changed since the sheet of this release that the person answered last.
pub(super) fn changed_since(state: &State, release: &Release, sheet: &Sheet, who: &Principal) -> Vec<w::FactChange> {
    match releases::answered_before(release, sheet.entry, who) {
        None => Vec::new(),
        Some(earlier) => changed_facts(
            releases::sheet_facts(state, release, &earlier.body),
            releases::sheet_facts(state, release, &sheet.body),
        ),
    }
}

/// Returns the figures people decide on. What another file stands in for does not count; `listed` is how many a sheet lists.
pub(super) fn summary(release: &Release, listed: Option<u64>, at: Timestamp) -> w::EvidenceSummary {
    let mut sum = w::EvidenceSummary {
        files: 0,
        tests_passed: 0,
        tests_failed: 0,
        tests_skipped: 0,
        tests_rerun: 0,
        findings_open: 0,
        findings_suppressed: 0,
        components: 0,
        vulnerabilities: 0,
        waived: length(judge::waivers(release, at).count()),
        attached: 0,
        observed: 0,
        after_freeze: 0,
    };
    let listed = listed.map(|listed| usize::try_from(listed).unwrap_or(usize::MAX));
    let replaced =
        |record: &EvidenceRecord| release.evidence.iter().any(|later| later.body.replaces == Some(record.entry));
    for (place, record) in release.evidence.iter().enumerate() {
        if listed.is_some_and(|listed| place >= listed) {
            sum.after_freeze += 1;
            continue;
        }
        if replaced(record) {
            continue;
        }
        sum.files += 1;
        if record.attached() {
            sum.attached += 1
        } else {
            sum.observed += 1
        }
        match record.body.counts {
            Counts::Tests { passed, failed, errors, skipped, flaky, .. } => {
                sum.tests_passed = sum.tests_passed.saturating_add(count(passed));
                sum.tests_failed = sum.tests_failed.saturating_add(count(failed + errors));
                sum.tests_skipped = sum.tests_skipped.saturating_add(count(skipped));
                sum.tests_rerun = sum.tests_rerun.saturating_add(count(flaky));
            }
            Counts::Findings { error, warning, suppressed, .. } => {
                sum.findings_open = sum.findings_open.saturating_add(count(error + warning));
                sum.findings_suppressed = sum.findings_suppressed.saturating_add(count(suppressed));
            }
            Counts::Components { components, vulnerabilities } => {
                sum.components = sum.components.saturating_add(count(components));
                sum.vulnerabilities = sum.vulnerabilities.saturating_add(count(vulnerabilities));
            }
            Counts::File { .. } => {}
        }
    }
    sum
}

pub(super) fn bar_reason(bar: Bar) -> w::BarReason {
    match bar {
        Bar::AskedFor => w::BarReason::AskedFor,
        Bar::Author => w::BarReason::Author,
        Bar::Attacher => w::BarReason::Attacher,
        Bar::Dispatcher => w::BarReason::Dispatcher,
    }
}

/// Returns who holds a role and may not sign the release.
pub(super) fn barred(state: &State, release: &Release, role: &Slug, at: Timestamp) -> Vec<w::Barred> {
    let product = &release.candidate.product;
    let holders = state.people.values().filter(|person| person.holds(role.as_str(), Some(product), at));
    holders
        .filter_map(|holder| {
            let bar = judge::bar(state, release, &holder.card.principal)?;
            Some(w::Barred {
                person: person(state, &holder.card.principal),
                reason: bar_reason(bar),
                text: bar.as_str().to_owned(),
            })
        })
        .collect()
}

/// Returns the seats of a release's quorum before anybody was asked.
pub(super) fn seats(state: &State, release: &Release, at: Timestamp) -> Vec<w::QuorumSeat> {
    let product = &release.candidate.product;
    let Some(policy) = state.policy(product) else { return Vec::new() };
    let seat = |rule: &countersign_core::policy::QuorumRule| {
        let able = state.people.values().filter(|holder| {
            holder.accepted.is_some()
                && holder.current_key().is_some_and(|key| at <= key.valid_until)
                && holder.holds(rule.role.as_str(), Some(product), at)
                && judge::bar(state, release, &holder.card.principal).is_none()
        });
        w::QuorumSeat {
            role: rule.role.to_string(),
            needed: count(rule.count),
            eligible: people(state, able.map(|holder| &holder.card.principal)),
            barred: barred(state, release, &rule.role, at),
        }
    };
    policy.for_change(release.candidate.change_type).quorum.iter().map(seat).collect()
}

pub(super) fn sign_off(state: &State, judged: &JudgedSignOff) -> w::SignOffRow {
    let answer = &judged.answer;
    w::SignOffRow {
        entry: count(answer.entry.index),
        // The printed name of that day stands in the record.
        person: w::PersonRef { principal: answer.principal.to_string(), name: answer.name.to_string() },
        role: answer.role.to_string(),
        verdict: answer.verdict.into(),
        meaning: answer.meaning.into(),
        reason: answer.reason.clone(),
        time: answer.time.to_string(),
        zone: answer.zone.to_string(),
        state: judged.state.into(),
        cause: judged.cause.clone(),
        cause_entry: cause_entry(state, judged),
        replaced: judged.replaced,
        conditions: answer
            .conditions
            .iter()
            .enumerate()
            .map(|(place, (condition, met))| w::ConditionRow {
                number: length(place + 1),
                condition: condition.to_string(),
                met: met.map(|entry| count(entry.index)),
            })
            .collect(),
        authorization: answer.authorization.map(|entry| count(entry.index)),
        key: answer.key.fingerprint(),
        reauth: answer.reauth.map(Into::into),
        seen: count(answer.seen_size),
        seen_basis: answer.seen_basis.map(Into::into),
    }
}

fn cause_entry(state: &State, judged: &JudgedSignOff) -> Option<u32> {
    match judged.state {
        SignOffState::Stale => judged.answer.unseen.map(count),
        SignOffState::KeyRevoked => {
            let person = state.people.get(&judged.answer.principal)?;
            let key = person.keys.iter().find(|key| key.key == judged.answer.key)?;
            key.ended.map(|(entry, _)| count(entry.index))
        }
        SignOffState::SignerLostRole => {
            let person = state.people.get(&judged.answer.principal)?;
            let record = person.roles.iter().rev().find(|record| record.role == judged.answer.role)?;
            record.lapsed.map(|entry| count(entry.index))
        }
        _ => None,
    }
}

fn station_state(judged: &JudgedSignOff) -> w::StationState {
    use w::StationState as S;
    match judged.state {
        SignOffState::Valid | SignOffState::Incomplete => match judged.answer.verdict {
            Verdict::Go => S::Go,
            Verdict::NoGo => S::NoGo,
            Verdict::Hold => S::Hold,
            Verdict::ConditionalGo => {
                let open = judged.answer.conditions.iter().any(|(_, met)| met.is_none());
                if open { S::Conditional } else { S::Go }
            }
            Verdict::Withdrawn => S::Waiting,
        },
        // A NO-GO or HOLD does not wear off, so it is not shown as if it had.
        _ if judged.answer.verdict == Verdict::NoGo => S::NoGo,
        _ if judged.answer.verdict == Verdict::Hold => S::Hold,
        SignOffState::Stale => S::Stale,
        SignOffState::Expired => S::Expired,
        SignOffState::SignerLostRole => S::LostRole,
        SignOffState::KeyRevoked => S::KeyRevoked,
        SignOffState::SegregationFailed => S::Segregation,
        SignOffState::Invalid => S::Invalid,
    }
}

/// One view of a sheet, for its moment and its reader.
pub(super) fn view(
    state: &State,
    index: &Index,
    release: &Release,
    sheet: &Sheet,
    me: Option<&Principal>,
    at: Timestamp,
) -> w::SheetView {
    let decision = judge::decision(state, release, sheet, at);
    let answers = match &sheet.decided {
        Some(decided) => merged(decided, &decision.answers),
        None => decision.answers.clone(),
    };
    let (outcome, by, moved) = match (&decision.outcome, &sheet.decided) {
        (Outcome::NoGo(who), _) => (w::SheetOutcome::NoGo, Some(person(state, who)), vec![]),
        (Outcome::Hold(who), _) => (w::SheetOutcome::Hold, Some(person(state, who)), vec![]),
        // What was dispatched was a GO then, or no wave could have been sent.
        (_, Some(_)) | (Outcome::Go { .. }, None) => (w::SheetOutcome::Go, None, vec![]),
        (Outcome::Stale(moved), None) => {
            (w::SheetOutcome::Stale, None, moved.iter().copied().map(Into::into).collect())
        }
        (Outcome::Expired, None) => (w::SheetOutcome::Expired, None, vec![]),
        (Outcome::Incomplete, None) => (w::SheetOutcome::Incomplete, None, vec![]),
    };
    let authorization = answers.iter().filter(|judged| !judged.replaced).find_map(|judged| judged.answer.authorization);
    let stations = stations(state, release, sheet, &answers, &decision.slots, me, at);
    let needed = decision.slots.iter().map(|slot| slot.needed).sum();
    let signed = stations.iter().filter(|station| station.state == w::StationState::Go).count();
    let body = &sheet.body;
    w::SheetView {
        entry: count(sheet.entry.index),
        digest: sheet.entry.leaf.to_string(),
        requester: person(state, &sheet.requester),
        time: index.time(sheet.entry.index).unwrap_or(sheet.time).to_string(),
        environment: body.environment.to_string(),
        facts: fact_lines(releases::sheet_facts(state, release, body)),
        evidence: summary(release, Some(body.evidence.count), at),
        window: span(&body.window),
        not_after: body.not_after.to_string(),
        due: body.due.map(|due| due.to_string()),
        asked: asked(state, body),
        outcome,
        outcome_by: by,
        moved,
        authorization: authorization.map(|entry| count(entry.index)),
        at_dispatch: sheet.decided.is_some(),
        stations,
        sign_offs: answers.iter().map(|judged| sign_off(state, judged)).collect(),
        signed: length(signed),
        needed: count(needed),
        rollback: body.rollback.as_ref().map(|live| live.version.to_string()),
    }
}

pub(super) fn asked(state: &State, body: &Request) -> Vec<w::Asked> {
    let row = |asked: &countersign_core::act::Asked| w::Asked {
        role: asked.role.to_string(),
        person: asked.person.as_ref().map(|who| person(state, who)),
    };
    body.asked.iter().map(row).collect()
}

/// Returns the seats of the poll in the policy's order: for each role its answers first, then the empty seats.
fn stations(
    state: &State,
    release: &Release,
    sheet: &Sheet,
    answers: &[JudgedSignOff],
    slots: &[judge::Slot],
    me: Option<&Principal>,
    at: Timestamp,
) -> Vec<w::Station> {
    let open = !release.rollout_began(sheet.entry) && release.ended.is_none();
    let due = sheet.body.due;
    let mut stations = Vec::new();
    for slot in slots {
        // Whose answer was withdrawn has left the seat.
        let says = |judged: &&JudgedSignOff| !judged.replaced && judged.answer.verdict != Verdict::Withdrawn;
        let current = answers.iter().filter(|judged| judged.answer.role == slot.role).filter(says);
        let mut seats: Vec<&JudgedSignOff> = current.collect();
        // GOs that count come first, so that a full role shows its full seats.
        seats.sort_by_key(|judged| (!judged.carries_go(), judged.answer.entry.index));
        let go = seats.iter().filter(|judged| judged.carries_go()).count();
        let missing = usize::try_from(slot.needed).unwrap_or(usize::MAX).saturating_sub(go);
        let others = seats.len() - go;
        let empty = if open { missing.saturating_sub(others) } else { 0 };
        let named = sheet.body.asked.iter().filter(|asked| asked.role == slot.role);
        let unanswered = named
            .filter_map(|asked| asked.person.as_ref())
            .filter(|who| !seats.iter().any(|judged| judged.answer.principal == **who));
        let mut asked = people(state, unanswered).into_iter();
        let barred = barred(state, release, &slot.role, at);
        let can = me.is_some_and(|me| slot.eligible.contains(me));
        let mine = |judged: &JudgedSignOff| me.is_some_and(|me| judged.answer.principal == *me);
        let mut seat = 0;
        let mut station = |state_of, sign_off, asked, me| {
            seat += 1;
            stations.push(w::Station {
                role: slot.role.to_string(),
                seat,
                state: state_of,
                sign_off,
                asked,
                eligible: people(state, &slot.eligible),
                barred: barred.clone(),
                me,
                due: due.filter(|_| open).map(|due| due.to_string()),
                overdue: open && state_of == w::StationState::Waiting && due.is_some_and(|due| due < at),
            });
        };
        for judged in seats {
            // Who has answered and is not counted answers anew in the own seat.
            let again = open && mine(judged) && !judged.carries_go() && can;
            station(station_state(judged), Some(sign_off(state, judged)), None, again);
        }
        for _ in 0..empty {
            let state_of = if slot.eligible.is_empty() { w::StationState::Nobody } else { w::StationState::Waiting };
            station(state_of, None, asked.next(), open && can);
        }
    }
    stations
}

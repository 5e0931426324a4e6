//! What waits for a person, and for whom a person waits. Each item follows from the ledger at one moment.

use countersign_core::act::{ChangeType, DevicePurpose, DispatchState, HoldChange, WaveVerdict};
use countersign_core::judge::{self, Cause, CheckReason, ReleaseState, Slot};
use countersign_core::policy::DispatchRule;
use countersign_core::state::{Person, Release, Sheet, SignOff, State};
use countersign_core::words::{Principal, Timestamp, role};

use super::host::Open;
use super::show::{blocker, count, last_answer, person, question};
use crate::status::dispatch_waits;
use crate::wire as w;

/// A key that ends within so many days is told.
const KEY_ENDS_DAYS: i64 = 30;
/// For how many days before it is due a review stands in the inbox.
const REVIEW_DUE_DAYS: i64 = 14;
/// A release that was taken back so long ago is not asked about any more.
const CLOSE_DAYS: i64 = 30;

fn item(id: String, kind: w::InboxKind) -> w::InboxItem {
    w::InboxItem {
        id,
        kind,
        product: None,
        release: None,
        version: None,
        environment: None,
        entry: None,
        role: None,
        asked_by: None,
        asked_at: None,
        by_name: false,
        due: None,
        overdue: false,
        last_signature: false,
        stale: false,
        consequence: w::Consequence::None,
        then: None,
        blocker: None,
        quote: None,
        moved: Vec::new(),
        changed: Vec::new(),
        since: None,
    }
}

fn about(release: &Release, state: &State, kind: w::InboxKind, what: &str) -> w::InboxItem {
    let candidate = &release.candidate;
    w::InboxItem {
        product: Some(candidate.product.to_string()),
        release: Some(release.id.to_string()),
        version: Some(candidate.version.to_string()),
        environment: state.last_environment(&candidate.product).map(ToString::to_string),
        consequence: w::Consequence::BlocksRelease,
        ..item(format!("{}/{what}", release.id), kind)
    }
}

/// Returns what waits for the person at the desk, the most pressing first.
pub(super) fn items(open: &Open, at: Timestamp) -> Vec<w::InboxItem> {
    let state = open.ledger.state();
    let Some((who, known)) = open.me.as_ref().and_then(|me| Some((me, state.people.get(me)?))) else {
        return Vec::new();
    };
    let mut items = Vec::new();
    if known.accepted.is_none() {
        return vec![w::InboxItem {
            asked_by: Some(person(state, &known.enrolled_by)),
            entry: Some(count(known.enrolled.index)),
            consequence: w::Consequence::CannotSign,
            ..item(format!("accept/{who}"), w::InboxKind::Accept)
        }];
    }
    for release in state.releases.values() {
        if open.settled.is_settled(release) {
            items.extend(to_close(open, release, known, at));
        } else {
            items.extend(of_release(open, release, who, known, at));
        }
    }
    items.extend(of_the_ledger(state, who, known, at));
    items.sort_by(|a, b| rank(a).cmp(&rank(b)));
    items
}

/// Sorts what is overdue before what is due, that before the rest, and the rest by how much it holds up.
fn rank(item: &w::InboxItem) -> (bool, bool, Option<&String>, w::InboxKind, &String) {
    (!item.overdue, item.due.is_none(), item.due.as_ref(), item.kind, &item.id)
}

/// Returns whether somebody could do something about the release now.
pub(super) fn waits_for(open: &Open, release: &Release, who: &Principal, at: Timestamp) -> bool {
    let state = open.ledger.state();
    let Some(known) = state.people.get(who).filter(|known| known.accepted.is_some()) else { return false };
    !open.settled.is_settled(release) && !of_release(open, release, who, known, at).is_empty()
}

fn of_release(open: &Open, release: &Release, who: &Principal, known: &Person, at: Timestamp) -> Vec<w::InboxItem> {
    let state = open.ledger.state();
    let product = &release.candidate.product;
    let mut items = Vec::new();
    for found in judge::blockers(state, release, at) {
        if !found.who.iter().any(|able| able == who.as_str()) {
            continue;
        }
        let shown = blocker(state, release, &found, Some(who), at);
        let mut with = |item: Option<w::InboxItem>| {
            items.extend(item.map(|item| w::InboxItem { blocker: Some(shown.clone()), ..item }));
        };
        match &found.cause {
            Cause::Stop(entry) => {
                let hold = release.holds.iter().find(|hold| hold.entry == *entry);
                with(hold.map(|hold| {
                    let halted = matches!(hold.change, HoldChange::Halt {});
                    let kind = if halted { w::InboxKind::Rollout } else { w::InboxKind::Answer };
                    w::InboxItem {
                        entry: Some(count(entry.index)),
                        asked_by: Some(person(state, &hold.by)),
                        asked_at: open.ledger.index().time(entry.index).map(|time| time.to_string()),
                        quote: question(&hold.change).or_else(|| Some(hold.reason.clone())),
                        consequence: if halted { w::Consequence::RolloutStands } else { w::Consequence::BlocksRelease },
                        ..about(release, state, kind, &format!("stop/{}", entry.index))
                    }
                }));
            }
            Cause::RolloutHalted => with(Some(halted(state, release))),
            Cause::NoPolicy => with(Some(about(release, state, w::InboxKind::Policy, "policy"))),
            Cause::Gate(check) => with(match &check.reason {
                CheckReason::NotStaged(environment) => Some(w::InboxItem {
                    environment: Some(environment.to_string()),
                    ..about(release, state, w::InboxKind::Stage, "stage")
                }),
                // Nobody does anything about a soak, and a second person is asked for a confirmation below.
                CheckReason::Staged { .. } | CheckReason::NeedsConfirmation => None,
                _ => Some(about(release, state, w::InboxKind::Gate, &format!("gate/{}", check.gate))),
            }),
            Cause::Quorum(slot) => with(to_sign(open, release, who, slot, at)),
            Cause::AsksToWait(_) | Cause::NoGo(_) => {
                let own = last_answer(release, who);
                with(Some(w::InboxItem {
                    entry: own.map(|answer| count(answer.entry.index)),
                    role: own.map(|answer| answer.role.to_string()),
                    quote: own.map(|answer| answer.reason.clone()),
                    ..about(release, state, w::InboxKind::Answer, "answer")
                }));
            }
            Cause::NotFrozen | Cause::LateInconclusive(_) | Cause::SheetExpired(_) => {
                with(Some(about(release, state, w::InboxKind::Request, "request")));
            }
            // Shown where the release is; whoever froze it, or is to review, is told there.
            Cause::Frozen(..) | Cause::ReviewOverdue(..) => {}
            Cause::Condition(entry, place) => with(Some(w::InboxItem {
                entry: Some(count(entry.index)),
                ..about(release, state, w::InboxKind::Answer, &format!("condition/{}/{place}", entry.index))
            })),
            Cause::Stale(moved) => with(Some(w::InboxItem {
                stale: true,
                moved: moved.iter().copied().map(Into::into).collect(),
                ..about(release, state, w::InboxKind::Request, "request")
            })),
        }
    }
    if dispatch_waits(state, release, at) && known.holds(role::RELEASE_MANAGER, Some(product), at) {
        items.push(w::InboxItem {
            consequence: w::Consequence::NextWave,
            since: release.sheet().and_then(|sheet| sheet.answers.last()).map(|answer| answer.time.to_string()),
            ..about(release, state, w::InboxKind::Dispatch, "dispatch")
        });
    }
    for record in release.evidence.iter().filter(|record| record.attached() && record.confirmed_by.is_empty()) {
        let waits = release.ended.is_none() && release.sheet().is_none() && record.by != *who;
        let asked = state
            .policy_of(release)
            .is_some_and(|policy| policy.attached_evidence == countersign_core::policy::AttachedRule::Confirmed);
        if waits && asked && known.holds_any(at) {
            items.push(w::InboxItem {
                entry: Some(count(record.entry.index)),
                asked_by: Some(person(state, &record.by)),
                asked_at: Some(record.time.to_string()),
                quote: Some(record.body.name.to_string()),
                ..about(release, state, w::InboxKind::ConfirmEvidence, &format!("evidence/{}", record.entry.index))
            });
        }
    }
    items.extend(conditions(state, release, who));
    items
}

fn conditions<'a>(
    state: &'a State,
    release: &'a Release,
    who: &'a Principal,
) -> impl Iterator<Item = w::InboxItem> + 'a {
    let answers = release.sheet().map(|sheet| sheet.answers.as_slice()).unwrap_or_default();
    let own = answers.iter().filter(move |answer| answer.principal == *who);
    own.flat_map(move |answer| {
        let open = answer.conditions.iter().zip(1_u32..).filter(|((_, met), _)| met.is_none());
        open.map(move |((condition, _), number)| w::InboxItem {
            entry: Some(count(answer.entry.index)),
            role: Some(answer.role.to_string()),
            quote: Some(condition.to_string()),
            since: Some(answer.time.to_string()),
            ..about(release, state, w::InboxKind::Condition, &format!("condition/{}.{number}", answer.entry.index))
        })
    })
}

/// Returns a rollout that stopped as what a person is to do about it.
fn halted(state: &State, release: &Release) -> w::InboxItem {
    let unknown = judge::under_way(release).find(|dispatch| dispatch.body.state == DispatchState::FateUnknown);
    let verdict = release
        .sheet()
        .and_then(|sheet| release.wave_of(sheet.entry, judge::next_wave(release, sheet)?))
        .map(|wave| wave.verdict);
    let kind = match (unknown.is_some(), verdict) {
        (true, _) => w::InboxKind::FateUnknown,
        (false, Some(WaveVerdict::Inconclusive)) => w::InboxKind::WaveVerdict,
        _ => w::InboxKind::Rollout,
    };
    w::InboxItem {
        quote: super::show::trouble(release),
        consequence: w::Consequence::RolloutStands,
        since: unknown.and_then(|dispatch| dispatch.steps.last()).map(|(_, _, time)| time.to_string()),
        ..about(release, state, kind, "rollout")
    }
}

/// Returns the sheet as what the person is asked to sign, if they are.
fn to_sign(open: &Open, release: &Release, who: &Principal, slot: &Slot, at: Timestamp) -> Option<w::InboxItem> {
    let state = open.ledger.state();
    let sheet = release.sheet()?;
    let asked = &sheet.body.asked;
    let by_name = asked.iter().any(|asked| asked.role == slot.role && asked.person.as_ref() == Some(who));
    let by_role = asked.iter().any(|asked| asked.role == slot.role && asked.person.is_none());
    if !asked.is_empty() && !by_name && !by_role {
        return None;
    }
    let decision = judge::decision(state, release, sheet, at);
    let last = decision.slots.iter().map(missing).sum::<u64>() == 1;
    let own = decision.answers.iter().rfind(|judged| judged.answer.principal == *who);
    // Whoever signed an earlier sheet of it is asked again, and told what is another.
    let again = own.is_some() || crate::releases::answered_before(release, sheet.entry, who).is_some();
    let rule = state.policy(&release.candidate.product).map(|policy| policy.policy.dispatch);
    let (consequence, then) = match (last, rule) {
        (false, _) => (w::Consequence::OthersStillToSign, None),
        (true, Some(DispatchRule::OnQuorum)) => (w::Consequence::LastSignatureWorkerStarts, None),
        (true, _) => (w::Consequence::LastSignatureManagerStarts, manager(state, release, who, at)),
    };
    let kind = if again { w::InboxKind::SignAgain } else { w::InboxKind::Sign };
    Some(w::InboxItem {
        entry: Some(count(sheet.entry.index)),
        role: Some(slot.role.to_string()),
        asked_by: Some(person(state, &sheet.requester)),
        asked_at: Some(sheet.time.to_string()),
        by_name,
        due: sheet.body.due.map(|due| due.to_string()),
        overdue: sheet.body.due.is_some_and(|due| due < at),
        last_signature: last,
        stale: again,
        consequence,
        then,
        changed: super::sheet::changed_since(state, release, sheet, who),
        ..about(release, state, kind, &format!("sign/{}", sheet.entry.index))
    })
}

fn missing(slot: &Slot) -> u64 {
    slot.needed.saturating_sub(slot.signed.len() as u64)
}

/// Returns the release manager who acts next: the one who asked where that is one, else any.
pub(super) fn manager(state: &State, release: &Release, but: &Principal, at: Timestamp) -> Option<w::PersonRef> {
    let product = &release.candidate.product;
    let manages =
        |known: &&Person| known.card.principal != *but && known.holds(role::RELEASE_MANAGER, Some(product), at);
    let asked = release.sheet().and_then(|sheet| state.people.get(&sheet.requester)).filter(manages);
    let found = asked.or_else(|| state.people.values().find(manages))?;
    Some(person(state, &found.card.principal))
}

/// Returns a release nobody has said anything about since it came out, if the person could.
fn to_close(open: &Open, release: &Release, known: &Person, at: Timestamp) -> Option<w::InboxItem> {
    let state = open.ledger.state();
    let product = &release.candidate.product;
    let may =
        known.holds(role::RELEASE_MANAGER, Some(product), at) || known.holds(role::PROCESS_OWNER, Some(product), at);
    if release.outcome.is_some() || release.ended.is_some() || !may {
        return None;
    }
    let now = open.settled.state_of(state, release, at);
    let last = release.dispatches.last().and_then(|dispatch| dispatch.steps.last()).map(|(_, _, time)| *time);
    let recent = last.is_some_and(|last| at.seconds_since(last) < CLOSE_DAYS * 86_400);
    let is_live = crate::releases::live(state, product).is_some_and(|live| live.release == release.id);
    let due = match now {
        ReleaseState::Live => is_live && recent,
        ReleaseState::RolledBack => recent,
        _ => false,
    };
    due.then(|| w::InboxItem {
        since: last.map(|last| last.to_string()),
        consequence: w::Consequence::None,
        ..about(release, state, w::InboxKind::Close, "close")
    })
}

fn of_the_ledger(state: &State, who: &Principal, known: &Person, at: Timestamp) -> Vec<w::InboxItem> {
    let mut items = Vec::new();
    if let Some(key) = known.current_key()
        && key.valid_until.seconds_since(at) < KEY_ENDS_DAYS * 86_400
    {
        items.push(w::InboxItem {
            due: Some(key.valid_until.to_string()),
            overdue: key.valid_until < at,
            consequence: w::Consequence::KeyEnds,
            ..item(format!("key/{who}"), w::InboxKind::Key)
        });
    }
    let answered = |answers: &[SignOff]| answers.iter().any(|answer| answer.principal == *who);
    let asked_as = |product: &countersign_core::words::Slug| {
        let policy = state.policy(product)?;
        let rule = policy.policy.quorum.iter().find(|rule| known.holds(rule.role.as_str(), Some(product), at))?;
        Some(rule.role.to_string())
    };
    for (product, records) in &state.policies {
        let Some(record) = records.last().filter(|record| record.in_force.is_none()) else { continue };
        if let Some(role) = asked_as(product).filter(|_| !answered(&record.answers)) {
            items.push(w::InboxItem {
                product: Some(product.to_string()),
                version: Some(record.version.to_string()),
                entry: Some(count(record.entry.index)),
                role: Some(role),
                asked_by: Some(person(state, &record.by)),
                asked_at: Some(record.time.to_string()),
                consequence: w::Consequence::TakesEffect,
                ..item(format!("policy/{product}/{}", record.version), w::InboxKind::Policy)
            });
        }
    }
    for record in state.authorizations.values() {
        let waits = record.adopted.is_none() && at <= record.valid.until && !answered(&record.answers);
        if let Some(role) = asked_as(&record.product).filter(|_| waits) {
            items.push(w::InboxItem {
                product: Some(record.product.to_string()),
                environment: Some(record.environment.to_string()),
                entry: Some(count(record.entry.index)),
                role: Some(role),
                asked_by: Some(person(state, &record.by)),
                consequence: w::Consequence::TakesEffect,
                ..item(format!("authorization/{}", record.entry.index), w::InboxKind::Authorization)
            });
        }
    }
    items.extend(people_to_confirm(state, who, at));
    items.extend(reviews(state, known, at));
    for device in state.devices.values() {
        let waits = device.confirmed.is_none()
            && device.revoked.is_none()
            && device.card.purpose == DevicePurpose::Dispatcher
            && device.enrolled_by != *who
            && known.holds_any(at);
        if waits {
            items.push(w::InboxItem {
                entry: Some(count(device.enrolled.index)),
                asked_by: Some(person(state, &device.enrolled_by)),
                quote: Some(device.card.name.to_string()),
                consequence: w::Consequence::TakesEffect,
                ..item(format!("device/{}", device.card.principal), w::InboxKind::Device)
            });
        }
    }
    items
}

fn people_to_confirm(state: &State, who: &Principal, at: Timestamp) -> Vec<w::InboxItem> {
    let waiting = judge::waiting_for_second(state);
    let mine = waiting.iter().filter(|waiting| judge::may_confirm(state, waiting, who, at));
    mine.map(|waiting| w::InboxItem {
        entry: Some(count(waiting.entry.index)),
        role: waiting.role.map(|record| record.role.to_string()),
        product: waiting.role.and_then(|record| record.product.as_ref()).map(ToString::to_string),
        asked_by: waiting.by.first().map(|by| person(state, by)),
        quote: Some(state.printed_name(waiting.person)),
        consequence: w::Consequence::TakesEffect,
        ..item(format!("people/{}", waiting.entry.index), w::InboxKind::ConfirmPeople)
    })
    .collect()
}

/// Returns what somebody is to look back at, if the person is one who may: emergency changes, who may do what, the trail.
fn reviews(state: &State, known: &Person, at: Timestamp) -> Vec<w::InboxItem> {
    let due = |release: &Release| {
        if release.candidate.change_type != ChangeType::Emergency {
            return None;
        }
        let product = Some(&release.candidate.product);
        let may = known.holds(role::PROCESS_OWNER, product, at) || known.holds(role::AUDITOR, product, at);
        let due = judge::review_due(state, release).filter(|_| may && release.emergency_review.is_none())?;
        Some(w::InboxItem {
            due: Some(due.to_string()),
            overdue: due < at,
            ..about(release, state, w::InboxKind::Review, "review")
        })
    };
    let mut items: Vec<_> = state.releases.values().filter_map(due).collect();
    if known.holds(role::PROCESS_OWNER, None, at) || known.holds(role::AUDITOR, None, at) {
        let soon = judge::reviews_due(state).filter(|(_, due)| due.seconds_since(at) < REVIEW_DUE_DAYS * 86_400);
        items.extend(soon.map(|(scope, due)| w::InboxItem {
            due: Some(due.to_string()),
            overdue: due < at,
            quote: Some(scope.to_string()),
            ..item(format!("review/{scope}"), w::InboxKind::Review)
        }));
    }
    items
}

/// Returns what the person has asked of others and is not answered yet, the first due first.
pub(super) fn asked_of_others(open: &Open, at: Timestamp) -> Vec<w::InboxItem> {
    let state = open.ledger.state();
    let Some(me) = &open.me else { return Vec::new() };
    let mut items = Vec::new();
    for release in state.releases.values().filter(|release| !open.settled.is_settled(release)) {
        let Some(sheet) = release.sheet().filter(|sheet| sheet.requester == *me) else { continue };
        let waits = judge::release_state(state, release, at) == ReleaseState::Ready;
        for slot in judge::decision(state, release, sheet, at).slots.iter().filter(|slot| waits && !slot.full()) {
            items.push(asked_of(state, release, sheet, slot, at));
        }
    }
    items.sort_by(|a, b| rank(a).cmp(&rank(b)));
    items
}

fn asked_of(state: &State, release: &Release, sheet: &Sheet, slot: &Slot, at: Timestamp) -> w::InboxItem {
    let named = sheet.body.asked.iter().find(|asked| asked.role == slot.role).and_then(|asked| asked.person.as_ref());
    let only = (slot.eligible.len() == 1).then(|| &slot.eligible[0]);
    w::InboxItem {
        entry: Some(count(sheet.entry.index)),
        role: Some(slot.role.to_string()),
        asked_by: Some(person(state, &sheet.requester)),
        asked_at: Some(sheet.time.to_string()),
        by_name: named.is_some(),
        due: sheet.body.due.map(|due| due.to_string()),
        overdue: sheet.body.due.is_some_and(|due| due < at),
        then: named.or(only).map(|who| person(state, who)),
        ..about(release, state, w::InboxKind::Sign, &format!("asked/{}/{}", sheet.entry.index, slot.role))
    }
}

//! What another policy would have decided of releases that were decided on.
//!
//! Each release is put back to where it stood at the last word on its last sheet: its evidence, waivers and staging as they
//! were, the people with the roles and keys they had, and the other policy in the place of the one then in force. What is
//! asked of it then are the same gates and the same decision as for any release.

use super::*;
use crate::state::PolicyRecord;

closed_words!(
    /// What a decision came to, or would have come to.
    ReplayedOutcome {
        /// GO.
        Go = "go",
        /// Somebody's NO-GO ends it.
        NoGo = "no-go",
        /// Somebody asks to wait.
        Hold = "hold",
        /// The sheet ran out, or would have.
        Expired = "expired",
        /// What the sheet lists had moved.
        Stale = "stale",
        /// Signatures are missing.
        Incomplete = "incomplete",
        /// A gate is open: no sheet could have been frozen.
        GateOpen = "gate-open",
    }
);

impl From<&Outcome> for ReplayedOutcome {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Go { .. } => Self::Go,
            Outcome::NoGo(_) => Self::NoGo,
            Outcome::Hold(_) => Self::Hold,
            Outcome::Stale(_) => Self::Stale,
            Outcome::Expired => Self::Expired,
            Outcome::Incomplete => Self::Incomplete,
        }
    }
}

/// A release that was decided on, and what the other policy would have made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// The release.
    pub release: ReleaseId,
    /// Its version.
    pub version: Line,
    /// Its type of change.
    pub change_type: ChangeType,
    /// The moment it is judged at: the last word on its last sheet.
    pub at: Timestamp,
    /// What it came to under the policy it was decided under.
    pub was: ReplayedOutcome,
    /// What it would have come to.
    pub would: ReplayedOutcome,
    /// Why, where that is another outcome.
    pub reasons: Vec<String>,
}

impl Replayed {
    /// Returns whether it would have come to something else.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.was != self.would
    }
}

/// Returns what the policy would have made of the last `count` releases of its product that have a sheet, the latest first.
pub fn replay(state: &State, policy: &Policy, count: usize) -> Vec<Replayed> {
    let own = state.releases.values().filter(|release| release.candidate.product == policy.product);
    let mut decided: Vec<(&Release, &Sheet)> = own.filter_map(|release| Some((release, release.sheet()?))).collect();
    decided.sort_by_key(|(_, sheet)| std::cmp::Reverse(sheet.entry.index));
    decided.truncate(count);
    decided.into_iter().map(|(release, sheet)| replayed(state, release, sheet, policy)).collect()
}

fn replayed(state: &State, release: &Release, sheet: &Sheet, policy: &Policy) -> Replayed {
    let moment = Moment::of(release, sheet);
    let then = state.policies.get(&policy.product).into_iter().flatten().find(|known| known.entry == sheet.body.policy);
    let past = moment.put_back(state, release);
    let judged = |policy: &Policy| {
        let scene = under(&past, sheet, policy);
        conclude(&scene, &scene.releases[&release.id], &moment)
    };
    let (was, _) = then.map_or((ReplayedOutcome::Stale, Vec::new()), |then| judged(&then.policy));
    let (would, reasons) = judged(policy);
    Replayed {
        release: release.id.clone(),
        version: release.candidate.version.clone(),
        change_type: release.candidate.change_type,
        at: moment.at,
        reasons: if was == would { Vec::new() } else { reasons },
        was,
        would,
    }
}

/// When the sheet was frozen, and when the last word on it was said.
struct Moment {
    frozen: u64,
    frozen_at: Timestamp,
    last: u64,
    at: Timestamp,
}

impl Moment {
    /// What follows the first dispatch is no part of the decision.
    fn of(release: &Release, sheet: &Sheet) -> Self {
        let frozen = (sheet.entry.index, sheet.time);
        let sent = release
            .dispatches_of(sheet.entry, DispatchKind::Deploy)
            .filter_map(|dispatch| dispatch.steps.first().map(|(_, entry, time)| (entry.index, *time)))
            .min();
        let said = sheet.answers.iter().map(|answer| (answer.entry.index, answer.time)).max();
        let (last, at) = sent.or(said).unwrap_or(frozen);
        // One clock may lag behind another: nothing is judged before the sheet was there.
        Self { frozen: frozen.0, frozen_at: frozen.1, last, at: at.max(frozen.1) }
    }

    /// Returns the ledger as it stood for this release, with no other release in it.
    fn put_back(&self, state: &State, release: &Release) -> State {
        let mut past = State {
            origin: state.origin.clone(),
            genesis: state.genesis.clone(),
            people: state.people.clone(),
            devices: state.devices.clone(),
            products: state.products.clone(),
            targets: state.targets.clone(),
            authorizations: state.authorizations.clone(),
            policies: state.policies.clone(),
            live: state.live.clone(),
            ..State::default()
        };
        let later = |entry: &EntryRef| entry.index > self.last;
        for person in past.people.values_mut() {
            person.roles.retain(|record| !later(&record.granted));
            for record in &mut person.roles {
                record.lapsed = record.lapsed.filter(|entry| !later(entry));
                record.confirmed = record.confirmed.filter(|entry| !later(entry));
            }
            person.keys.retain(|key| !later(&key.since));
            for key in &mut person.keys {
                key.ended = key.ended.filter(|(entry, _)| !later(entry));
            }
        }
        for device in past.devices.values_mut() {
            device.revoked = device.revoked.filter(|entry| !later(entry));
        }
        for authorization in past.authorizations.values_mut() {
            authorization.suspended = authorization.suspended.filter(|entry| !later(entry));
        }
        let mut release = release.clone();
        // What was amended since was not what was decided on.
        let body = &release.sheet().expect("only what has a sheet is judged again").body.clone();
        release.candidate_entry = body.candidate;
        release.candidate.artifacts.clone_from(&body.artifacts);
        release.candidate.change_type = body.change_type;
        release.candidate.changes.digest = body.changes;
        release.candidate.commit.clone_from(&body.commit);
        release.candidate.version.clone_from(&body.version);
        release.evidence.retain(|record| record.entry.index < self.frozen);
        release.waivers.retain(|waiver| waiver.entry.index < self.frozen);
        release.stages.retain(|(entry, ..)| entry.index < self.frozen);
        release.dispatches.retain(|dispatch| dispatch.entry.index < self.frozen);
        release.waves.clear();
        release.runs.clear();
        release.holds.clear();
        release.outcome = None;
        release.ended = None;
        for sheet in &mut release.sheets {
            sheet.answers.retain(|answer| answer.entry.index <= self.last);
            for answer in &mut sheet.answers {
                answer.answered = answer.answered.filter(|entry| !later(entry));
                for (_, met) in &mut answer.conditions {
                    *met = met.filter(|entry| !later(entry));
                }
            }
        }
        past.releases.insert(release.id.clone(), release);
        past
    }
}

/// Returns the same ledger with that policy in force, and everything else as the sheet names it.
fn under(past: &State, sheet: &Sheet, policy: &Policy) -> State {
    let mut scene = past.clone();
    let body = &sheet.body;
    let place = (body.product.clone(), body.environment.clone());
    if let Some((entry, _)) = scene.targets.get_mut(&place) {
        *entry = body.target;
    }
    match body.live.clone() {
        Some(live) => scene.live.insert(place, live),
        None => scene.live.remove(&place),
    };
    let record = PolicyRecord {
        entry: body.policy,
        toml: String::new(),
        by_change: policy.by_change(Some(&body.environment)),
        policy: policy.clone(),
        version: 0,
        by: sheet.requester.clone(),
        time: sheet.time,
        answers: Vec::new(),
        in_force: Some(body.policy),
    };
    scene.policies.insert(policy.product.clone(), vec![record]);
    scene
}

fn conclude(scene: &State, release: &Release, moment: &Moment) -> (ReplayedOutcome, Vec<String>) {
    let sheet = release.sheet().expect("only what has a sheet is judged again");
    let open: Vec<String> = checks(scene, release, moment.frozen_at)
        .into_iter()
        .filter(Check::open)
        .map(|check| format!("gate {}: {}", check.gate, check.detail))
        .collect();
    if !open.is_empty() {
        return (ReplayedOutcome::GateOpen, open);
    }
    let minutes = scene.policy_of(release).map_or(0, |policy| policy.sheet_valid_minutes);
    let stands = i64::try_from(minutes).unwrap_or(i64::MAX / 60).saturating_mul(60);
    if moment.at.seconds_since(moment.frozen_at) > stands {
        return (ReplayedOutcome::Expired, vec![format!("the sheet would have stood for {minutes} minutes")]);
    }
    let decision = decision(scene, release, sheet, moment.at);
    let people_sign = scene.policy_of(release).is_none_or(|policy| policy.mode != Mode::Deployment);
    if let Outcome::Go { authorization: Some(used) } = decision.outcome
        && people_sign
        && deploys(scene, used)
    {
        let reason = "a standing authorization signed it, and the policy has people sign";
        return (ReplayedOutcome::Incomplete, vec![reason.to_owned()]);
    }
    let outcome = ReplayedOutcome::from(&decision.outcome);
    let reasons = match &decision.outcome {
        Outcome::Go { .. } => vec!["what was asked for had been signed".to_owned()],
        Outcome::NoGo(who) => vec![format!("{} said NO-GO", scene.printed_name(who))],
        Outcome::Hold(who) => vec![format!("{} asked to wait", scene.printed_name(who))],
        Outcome::Expired => vec![format!("the sheet ran out at {}", sheet.body.not_after)],
        Outcome::Stale(moved) => vec![format!("moved since: {}", moved_since(moved))],
        Outcome::Incomplete => {
            let missing = decision.slots.iter().filter(|slot| !slot.full());
            let missing =
                missing.map(|slot| format!("{} had signed {} of {}", slot.role, slot.signed.len(), slot.needed));
            let worthless = decision.answers.iter().filter(|judged| !judged.replaced);
            let worthless = worthless.filter_map(|judged| {
                let cause = judged.cause.as_ref().filter(|_| judged.state != SignOffState::Valid)?;
                Some(format!("the answer of {} is {}: {cause}", judged.answer.name, judged.state))
            });
            missing.chain(worthless).collect()
        }
    };
    (outcome, reasons)
}

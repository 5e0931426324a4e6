//! What a policy asks for otherwise where a release is of a certain type of change, or bound for a certain environment.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{
    AttachedRule, EvidenceRule, Policy, PolicyError, QuorumRule, RESERVED_GATES, RequiredField, WindowRule, changes,
};
use crate::act::ChangeType;
use crate::words::{Line, Slug};

/// What is asked for otherwise, and where. What it does not say stays as the rest of the policy has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refinement {
    /// Only for changes of these types.
    pub change: Option<BTreeSet<ChangeType>>,
    /// Only before this environment; before the one behind the go/no-go when absent. What is asked before an environment
    /// stays asked before those after it.
    pub environment: Option<Slug>,
    /// Further gates; one of a known name takes that gate's place.
    #[serde(default)]
    pub evidence: Vec<EvidenceRule>,
    /// Further fields that must not be empty.
    #[serde(default)]
    pub required: BTreeSet<RequiredField>,
    /// The gates that are still asked for. A red one halts whether it is asked for or not.
    pub gates: Option<BTreeSet<Line>>,
    /// Who signs.
    pub quorum: Option<Vec<QuorumRule>>,
    /// In which order.
    pub order: Option<Vec<Slug>>,
    /// Whose NO-GO ends it.
    pub veto: Option<BTreeSet<Slug>>,
    /// How many NO-GO end it without a veto.
    pub no_go_count: Option<u64>,
    /// How long it must have run in the environment before the last, in seconds.
    pub soak_seconds: Option<u64>,
    /// How long a decision sheet may be acted on, in minutes.
    pub sheet_valid_minutes: Option<u64>,
    /// Whether attached evidence counts.
    pub attached_evidence: Option<AttachedRule>,
    /// When dispatch is allowed.
    #[serde(rename = "window")]
    pub windows: Option<Vec<WindowRule>>,
}

fn put<T: Clone>(place: &mut T, said: Option<&T>) {
    if let Some(said) = said {
        place.clone_from(said);
    }
}

impl Refinement {
    fn concerns(&self, change: ChangeType) -> bool {
        self.change.as_ref().is_none_or(|types| types.contains(&change))
    }

    /// Returns whether it says anything that only the go/no-go can ask.
    pub(crate) fn decides(&self) -> bool {
        self.gates.is_some()
            || self.quorum.is_some()
            || self.order.is_some()
            || self.veto.is_some()
            || self.no_go_count.is_some()
            || self.soak_seconds.is_some()
            || self.sheet_valid_minutes.is_some()
            || self.attached_evidence.is_some()
            || self.windows.is_some()
    }

    fn empty(&self) -> bool {
        !self.decides() && self.evidence.is_empty() && self.required.is_empty()
    }

    /// Writes what it says over the policy; of an earlier environment, what must be shown before it.
    fn write_over(&self, policy: &mut Policy, earlier: bool) {
        for rule in &self.evidence {
            match policy.evidence.iter_mut().find(|known| known.gate == rule.gate) {
                Some(known) => *known = rule.clone(),
                None => policy.evidence.push(rule.clone()),
            }
        }
        policy.required.extend(&self.required);
        if earlier {
            return;
        }
        put(&mut policy.quorum, self.quorum.as_ref());
        put(&mut policy.order, self.order.as_ref());
        put(&mut policy.soak_seconds, self.soak_seconds.as_ref());
        put(&mut policy.sheet_valid_minutes, self.sheet_valid_minutes.as_ref());
        put(&mut policy.attached_evidence, self.attached_evidence.as_ref());
        put(&mut policy.windows, self.windows.as_ref());
        policy.veto = self.veto.clone().or(policy.veto.take());
        policy.no_go_count = self.no_go_count.or(policy.no_go_count);
        policy.asked_gates = self.gates.clone().or(policy.asked_gates.take());
    }
}

impl Policy {
    /// Returns the policy as it is for a change of that type that is bound for the environment behind the go/no-go.
    pub fn refined(&self, change: ChangeType, last: Option<&Slug>) -> Self {
        let mut policy = self.clone();
        policy.refinements.clear();
        for refinement in self.refinements.iter().filter(|refinement| refinement.concerns(change)) {
            let earlier = refinement.environment.as_ref().is_some_and(|environment| Some(environment) != last);
            refinement.write_over(&mut policy, earlier);
        }
        if let Some(emergency) = self.emergency.as_ref().filter(|_| change == ChangeType::Emergency) {
            policy.quorum.clone_from(&emergency.quorum);
            policy.asked_gates = emergency.gates.clone().or(policy.asked_gates);
        }
        // Of roles that no longer sign, neither order nor veto is asked.
        let asked: BTreeSet<Slug> = policy.quorum.iter().map(|rule| rule.role.clone()).collect();
        policy.order.retain(|role| asked.contains(role));
        if policy.order.len() < 2 {
            policy.order.clear();
        }
        if let Some(veto) = &mut policy.veto {
            veto.retain(|role| asked.contains(role));
        }
        policy
    }

    /// Returns the policy for each type of change, where it is not the same for all.
    pub(crate) fn by_change(&self, last: Option<&Slug>) -> BTreeMap<ChangeType, Self> {
        if self.refinements.is_empty() && self.emergency.is_none() {
            return BTreeMap::new();
        }
        ChangeType::ALL.iter().map(|change| (*change, self.refined(*change, last))).collect()
    }

    /// Returns the gates and fields a change of that type must show before it is delivered to the last environment of the
    /// path so far.
    pub fn asked_on_the_way(&self, change: ChangeType, path: &[Slug]) -> (BTreeSet<&Line>, BTreeSet<RequiredField>) {
        let before = |refinement: &&Refinement| {
            refinement.concerns(change) && refinement.environment.as_ref().is_some_and(|name| path.contains(name))
        };
        let asked = || self.refinements.iter().filter(before);
        (
            asked().flat_map(|refinement| refinement.evidence.iter().map(|rule| &rule.gate)).collect(),
            asked().flat_map(|refinement| refinement.required.iter().copied()).collect(),
        )
    }

    /// Returns whether a gate is asked for.
    pub fn asks_gate(&self, gate: &str) -> bool {
        self.asked_gates.as_ref().is_none_or(|gates| gates.iter().any(|asked| asked.as_str() == gate))
    }
}

/// Checks the refinements of a policy: each says something, and what they come to can be met for every type of change and
/// every environment they name.
pub(super) fn check(policy: &Policy) -> Result<(), PolicyError> {
    check_order(policy)?;
    let refuse = |message: String| Err(PolicyError::Unsatisfiable(message));
    for (place, refinement) in policy.refinements.iter().enumerate() {
        let place = place + 1;
        if refinement.empty() {
            return refuse(format!("refinement {place} asks for nothing"));
        }
        if refinement.change.as_ref().is_some_and(BTreeSet::is_empty) {
            return refuse(format!("refinement {place} is for no type of change"));
        }
        let emergency = refinement.change.as_ref().is_some_and(|types| types.contains(&ChangeType::Emergency));
        if emergency && refinement.quorum.is_some() && policy.emergency.is_some() {
            return refuse(format!("refinement {place} says who signs an emergency change, and [emergency] does, too"));
        }
        let mut own = BTreeSet::new();
        if let Some(twice) = refinement.evidence.iter().map(|rule| &rule.gate).find(|gate| !own.insert(*gate)) {
            return refuse(format!("refinement {place}: gate {twice} is named twice"));
        }
        let asked = refinement.quorum.as_ref().unwrap_or(&policy.quorum);
        let unasked = refinement.veto.iter().flatten().find(|role| !asked.iter().any(|rule| rule.role == **role));
        if let Some(unknown) = unasked {
            return refuse(format!("refinement {place}: veto role {unknown} is not asked to sign"));
        }
    }
    if policy.refinements.is_empty() {
        return Ok(());
    }
    let named: BTreeSet<Option<&Slug>> =
        policy.refinements.iter().map(|refinement| refinement.environment.as_ref()).chain([None]).collect();
    for last in named {
        for change in ChangeType::ALL {
            let effective = policy.refined(*change, last);
            let known = |gate: &Line| {
                RESERVED_GATES.contains(&gate.as_str()) || effective.evidence.iter().any(|rule| rule.gate == *gate)
            };
            let place = last.map(|last| format!(" in {last}")).unwrap_or_default();
            let about = |message: String| PolicyError::Unsatisfiable(format!("for {change} changes{place}: {message}"));
            if let Some(unknown) = effective.asked_gates.iter().flatten().find(|gate| !known(gate)) {
                return Err(about(format!("gate {unknown} is none of this policy")));
            }
            if *change == ChangeType::Emergency && effective.quorum.iter().map(|rule| rule.count).sum::<u64>() < 2 {
                let refined = policy.refinements.iter().any(|one| one.concerns(*change) && one.quorum.is_some());
                if refined {
                    return Err(about("an emergency change is signed by two people at least".into()));
                }
            }
            effective.check().map_err(|error| about(error.to_string()))?;
        }
    }
    Ok(())
}

fn check_order(policy: &Policy) -> Result<(), PolicyError> {
    let refuse = |message: String| Err(PolicyError::Unsatisfiable(message));
    let orders = policy.refinements.iter().filter_map(|refinement| refinement.order.as_ref()).chain([&policy.order]);
    for order in orders {
        let mut named = BTreeSet::new();
        if let Some(twice) = order.iter().find(|role| !named.insert(*role)) {
            return refuse(format!("role {twice} is named twice in the order of signing"));
        }
        if order.len() == 1 {
            return refuse("an order of signing names two roles at least".into());
        }
        let known = |role: &Slug| {
            let refined = policy.refinements.iter().filter_map(|refinement| refinement.quorum.as_ref()).flatten();
            let emergency = policy.emergency.iter().flat_map(|emergency| &emergency.quorum);
            policy.quorum.iter().chain(refined).chain(emergency).any(|rule| rule.role == *role)
        };
        if let Some(unknown) = order.iter().find(|role| !known(role)) {
            return refuse(format!("role {unknown} of the order of signing is not asked to sign"));
        }
    }
    Ok(())
}

/// Returns whether the policy has parts that rules before 2 do not know.
pub(super) fn newer(policy: &Policy) -> bool {
    !policy.refinements.is_empty() || !policy.order.is_empty() || changes::newer(policy)
}

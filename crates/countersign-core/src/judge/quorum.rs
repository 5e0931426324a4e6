//! Whether a quorum can be completed, by whom, and what is missing after the next signature.

use std::collections::BTreeSet;

use serde::Serialize;

use super::*;
use crate::matching::{Bench, seat, unfilled};

/// A role and how many signatures of it are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The role.
    pub role: Slug,
    /// How many.
    pub count: u64,
}

/// Who could sign in which role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seat {
    /// Who.
    pub person: Principal,
    /// As which role.
    pub role: Slug,
}

/// Whether the signatures that are missing can still come together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feasibility {
    /// What is asked for and not signed yet.
    pub missing: Vec<Missing>,
    /// The fewest people who can complete it, each in one role; as many as can be seated where it cannot be completed.
    pub people: Vec<Seat>,
    /// The signatures nobody is left for.
    pub impossible: Vec<Missing>,
    /// Those without whom it cannot be completed.
    pub indispensable: Vec<Principal>,
}

impl Feasibility {
    /// Returns whether the quorum is complete, or can be.
    pub fn possible(&self) -> bool {
        self.impossible.is_empty()
    }
}

/// Returns whether the quorum of the release can be completed at that moment while those people are absent; none where its
/// product has no policy.
///
/// Before a sheet is frozen it is asked as if nobody had signed.
pub fn feasibility(
    state: &State,
    release: &Release,
    absent: &BTreeSet<Principal>,
    at: Timestamp,
) -> Option<Feasibility> {
    let product = &release.candidate.product;
    let policy = state.policy_of(release)?;
    let answers = release.sheet().map(|sheet| sign_offs(state, release, sheet, at)).unwrap_or_default();
    let open = slots(state, policy, product, &answers, at, |who| barred(state, release, who).is_some());
    Some(judged(state, product, &open, absent, at))
}

/// Returns whether the people who are there could complete the quorum of the policy, for a release none of them had a part in.
pub fn policy_feasibility(state: &State, policy: &Policy, at: Timestamp) -> Feasibility {
    let open = slots(state, policy, &policy.product, &[], at, |_| false);
    judged(state, &policy.product, &open, &BTreeSet::new(), at)
}

/// Returns what is still missing once this person has signed GO as that role, beside everybody who has.
///
/// # Errors
/// They may not sign as that role: not asked for, not held, barred, or not its turn.
pub fn after_signature(
    state: &State,
    release: &Release,
    who: &Principal,
    role: &Slug,
    at: Timestamp,
) -> Result<Feasibility, Rejection> {
    let product = &release.candidate.product;
    let not_found = |what: String| Rejection::new(Code::NotFound, what);
    let policy = state.policy_of(release).ok_or_else(|| not_found(format!("{product} has no policy")))?;
    ensure(policy.asks(role), Code::RoleMissing, || format!("the policy asks nobody to sign as {role}"))?;
    let person = state.people.get(who).ok_or_else(|| not_found(format!("there is no person {who}")))?;
    ensure(person.can_sign(at), Code::WrongState, || format!("{who} cannot sign"))?;
    ensure(person.holds(role.as_str(), Some(product), at), Code::RoleMissing, || format!("{who} is not {role}"))?;
    if let Some(part) = barred_as(state, release, who, role, at) {
        return Err(Rejection::new(Code::SegregationFailed, format!("{who} may not sign: {part}")));
    }
    if let Some(sheet) = release.sheet() {
        ensure_in_turn(state, release, sheet, role, at)?;
    }
    let answers = release.sheet().map(|sheet| sign_offs(state, release, sheet, at)).unwrap_or_default();
    let mut open = slots(state, policy, product, &answers, at, |who| barred(state, release, who).is_some());
    for slot in &mut open {
        // Who answers anew gives the seat of the answer before up.
        slot.signed.retain(|signed| signed != who);
        slot.eligible.retain(|able| able != who);
        if slot.role == *role {
            slot.signed.push(who.clone());
        }
    }
    Ok(judged(state, product, &open, &BTreeSet::new(), at))
}

fn judged(state: &State, product: &Slug, open: &[Slot], absent: &BTreeSet<Principal>, at: Timestamp) -> Feasibility {
    let benches: Vec<Bench> = open.iter().map(|slot| bench(state, product, slot, absent, at)).collect();
    let seated = seat(&benches, absent);
    let counted = |list: Vec<(Slug, usize)>| -> Vec<Missing> {
        list.into_iter().map(|(role, count)| Missing { role, count: count as u64 }).collect()
    };
    let impossible = counted(unfilled(&benches, &seated));
    // Without somebody, as many others must sit; where they do not, that person is needed.
    let needed = |who: &&Principal| {
        let without = absent.iter().chain([*who]).cloned().collect();
        seat(&benches, &without).len() < seated.len()
    };
    let indispensable =
        if impossible.is_empty() { seated.keys().filter(needed).cloned().collect() } else { Vec::new() };
    let free = benches.iter().filter(|bench| bench.free > 0).map(|bench| (bench.role.clone(), bench.free));
    Feasibility {
        missing: counted(free.collect()),
        people: seated.into_iter().map(|(person, role)| Seat { person, role }).collect(),
        impossible,
        indispensable,
    }
}

/// Returns the free seats of a slot. Who signs in another's place takes one only while that person is absent, and one of them
/// at most: they are one pair of eyes.
fn bench(state: &State, product: &Slug, slot: &Slot, absent: &BTreeSet<Principal>, at: Timestamp) -> Bench {
    let mut lent = BTreeSet::new();
    let able = slot.eligible.iter().filter(|who| {
        !absent.contains(*who)
            && match signs_for(state, who, slot.role.as_str(), Some(product), at) {
                None => true,
                Some(of) => absent.contains(of) && lent.insert(of.clone()),
            }
    });
    let needed = usize::try_from(slot.needed).unwrap_or(usize::MAX);
    Bench { role: slot.role.clone(), free: needed.saturating_sub(slot.signed.len()), able: able.cloned().collect() }
}

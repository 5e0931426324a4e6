//! The order in which the policy has roles sign.

use super::*;

/// Where the policy has roles sign one after the other: a GO that was given before the role before it was complete is not
/// the answer that was asked for.
pub(super) fn hold_to_order(policy: &Policy, answers: &mut [JudgedSignOff]) {
    // The role before, and the entry that made it complete.
    let mut before: Option<(&Slug, Option<EntryRef>)> = None;
    for role in &policy.order {
        let Some(rule) = policy.quorum.iter().find(|rule| rule.role == *role) else { continue };
        let mut eyes = BTreeSet::new();
        let mut complete = None;
        for judged in answers.iter_mut().filter(|judged| judged.carries_go() && judged.answer.role == *role) {
            if let Some((earlier, since)) = before
                && since.is_none_or(|since| judged.answer.entry < since)
            {
                judged.state = SignOffState::Stale;
                judged.cause = Some(format!("{earlier} signs before {role}, and had not when this was signed"));
                continue;
            }
            eyes.insert(judged.answer.eyes().clone());
            if complete.is_none() && eyes.len() as u64 >= rule.count {
                complete = Some(judged.answer.entry);
            }
        }
        before = Some((role, complete));
    }
}

/// Refuses a GO as a role whose turn has not come.
pub(crate) fn ensure_in_turn(
    state: &State,
    release: &Release,
    sheet: &Sheet,
    role: &Slug,
    at: Timestamp,
) -> Result<(), Rejection> {
    let Some(policy) = state.policy_of(release) else { return Ok(()) };
    let Some(place) = policy.order.iter().position(|named| named == role).filter(|place| *place > 0) else {
        return Ok(());
    };
    let slots = decision(state, release, sheet, at).slots;
    let open = |named: &&Slug| slots.iter().any(|slot| slot.role == **named && !slot.full());
    match policy.order[..place].iter().find(open) {
        Some(first) => Err(Rejection::new(Code::OutOfTurn, format!("the policy has {first} sign before {role}"))
            .hint(format!("sign once {first} has; a NO-GO or HOLD waits for nobody"))),
        None => Ok(()),
    }
}

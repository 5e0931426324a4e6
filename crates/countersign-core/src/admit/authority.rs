//! The rules over roles: who gives them, who confirms them, who signs in whose place, and how a ledger is recovered.

use super::*;
use crate::act;
use crate::judge::{DELEGATION_DAYS_MAX, RECOVERY};
use crate::state::RoleOrigin;

fn person<'a>(case: &Case<'a>, who: &Principal) -> Result<&'a Person, Rejection> {
    case.state.people.get(who).ok_or_else(|| not_found(format!("there is no person {who}")))
}

/// Returns the grants of this role for this product that no entry has ended.
fn given<'a>(person: &'a Person, body: &act::Role) -> impl Iterator<Item = &'a RoleRecord> {
    let (role, product) = (body.role.clone(), body.product.clone());
    let same = move |record: &&RoleRecord| record.role == role && record.product == product;
    person.roles.iter().filter(same).filter(|record| record.lapsed.is_none())
}

/// Refuses what rules before 2 had no word for.
pub(super) fn since_rules_2(case: &Case<'_>, what: &str) -> Result<(), Rejection> {
    ensure(case.rules(2), Code::Malformed, || format!("rules before 2 know no {what}"))
}

pub(super) fn grant(case: &Case<'_>, body: &act::Role) -> Result<(), Rejection> {
    case.may(Deed::GrantRole, None)?;
    let person = person(case, &body.principal)?;
    let owner = body.role.as_str() == role::PROCESS_OWNER;
    if let (true, Some(product)) = (owner, &body.product)
        && case.rules(2)
    {
        let other = judge::appointed_owner(case.state, product, case.at).map(|person| &person.card.principal);
        ensure(other.is_none_or(|other| *other == body.principal), Code::AlreadyDone, || {
            format!("{} is the process owner of {product}, and a product has one", other.expect("there is one"))
        })
        .map_err(|rejection| rejection.hint("let that role lapse first"))?;
    }
    if let Some(qualification) = &body.qualification {
        since_rules_2(case, "qualification")?;
        ensure(qualification.until > case.at, Code::Expired, || "the qualification ran out before it counts".into())?;
    }
    // A renewed qualification is a new grant beside the old one.
    let renews = |record: &RoleRecord| match (&record.qualification, &body.qualification) {
        (Some(old), Some(new)) => new.until > old.until,
        (None, Some(_)) => true,
        _ => false,
    };
    let held = given(person, body)
        .filter(|record| record.origin == RoleOrigin::Granted)
        .any(|record| record.until.is_none_or(|until| case.at <= until) && !renews(record));
    ensure(!held, Code::AlreadyDone, || match given(person, body).any(RoleRecord::waits) {
        true => format!("{} as {} waits for a second person already", body.principal, body.role),
        false => format!("{} is {} already", body.principal, body.role),
    })?;
    ensure(body.until.is_none_or(|until| until > case.at), Code::Expired, || "the role would end at once".into())
}

pub(super) fn lapse(case: &Case<'_>, body: &act::Role) -> Result<(), Rejection> {
    let signer = case.by.person().expect("a person signs this act");
    let lent = |record: &RoleRecord| record.delegated_by() == Some(&signer.card.principal);
    let own = judge::lapses_only_delegated(case.state, &signer.card.principal, body, case.at)
        && case.state.people.get(&body.principal).is_some_and(|person| given(person, body).any(lent));
    if own {
        return Ok(());
    }
    case.may(Deed::LapseRole, None)?;
    ensure(body.qualification.is_none(), Code::Field, || "a role that ends needs no qualification".into())?;
    let person = person(case, &body.principal)?;
    ensure(given(person, body).next().is_some(), Code::NotFound, || {
        format!("{} is not {}", body.principal, body.role)
    })?;
    // What is not in force yet (a recovery somebody objects to) leaves no place empty.
    let owner = body.role.as_str() == role::PROCESS_OWNER
        && body.product.is_none()
        && (!case.rules(2) || given(person, body).any(|record| record.in_force(case.at)));
    let another = || {
        case.state.people.values().any(|other| {
            other.card.principal != body.principal
                && other.can_sign(case.at)
                && other.holds(role::PROCESS_OWNER, None, case.at)
        })
    };
    ensure(!owner || another(), Code::WrongState, || "the last process owner cannot go".into())
}

/// Lets another person sign in the signer's place: for a while, for what the signer holds themselves, never onwards.
pub(super) fn delegate(case: &Case<'_>, body: &act::Role) -> Result<(), Rejection> {
    since_rules_2(case, "delegation")?;
    let signer = case.by.person().expect("a person signs this act");
    let (who, role) = (&signer.card.principal, &body.role);
    let own = signer.roles.iter().find(|record| {
        record.role == *role
            && record.in_force(case.at)
            && record.reaches(body.product.as_ref())
            && record.delegated_by().is_none()
    });
    let Some(own) = own else {
        return Err(Rejection::new(Code::RoleMissing, format!("{who} does not hold {role} themselves"))
            .hint("only who holds a role for as much lets somebody sign in their place"));
    };
    ensure(!role::FIXED.contains(&role.as_str()), Code::WrongState, || {
        format!("{role} is appointed by a process owner, for a while where need be; it is not lent")
    })?;
    let person = person(case, &body.principal)?;
    ensure(body.principal != *who, Code::SegregationFailed, || "nobody signs in their own place".into())?;
    let Some(until) = body.until else {
        return Err(Rejection::new(Code::Field, "a delegation names the moment it ends at"));
    };
    let longest = case.at.plus_seconds(DELEGATION_DAYS_MAX * 86_400);
    ensure(until > case.at, Code::Expired, || "the delegation would end at once".into())?;
    ensure(until <= longest && own.until.is_none_or(|end| until <= end), Code::Field, || {
        format!("it would last until {until}; at most until {}", own.until.map_or(longest, |end| end.min(longest)))
    })?;
    ensure(!person.holds(role.as_str(), body.product.as_ref(), case.at), Code::AlreadyDone, || {
        format!("{} may sign as {role} already", body.principal)
    })
}

/// Makes a new process owner where the others are gone: by those genesis names, after everybody was told for a while.
pub(super) fn recover(case: &Case<'_>, body: &act::Role) -> Result<(), Rejection> {
    since_rules_2(case, "recovery")?;
    let signer = case.by.person().expect("a person signs this act");
    ensure_recovers(case, &signer.card.principal)?;
    let person = person(case, &body.principal)?;
    let whole = body.role.as_str() == role::PROCESS_OWNER && body.product.is_none() && body.until.is_none();
    ensure(whole && body.qualification.is_none(), Code::Field, || {
        "a recovery makes a process owner of the whole ledger, and nothing else".into()
    })?;
    ensure(person.accepted.is_some() && person.current_key().is_some(), Code::WrongState, || {
        format!("{} cannot sign, and so cannot own the ledger", body.principal)
    })?;
    ensure(given(person, body).next().is_none(), Code::AlreadyDone, || {
        format!("{} is process owner already, or a recovery for them is under way", body.principal)
    })
}

fn ensure_recovers(case: &Case<'_>, who: &Principal) -> Result<(), Rejection> {
    let recovery = &case.state.genesis.as_ref().expect("there is a genesis").recovery;
    ensure(recovery.needed > 0 && recovery.people.contains(who), Code::RoleMissing, || {
        format!("{who} is not among those genesis names to recover this ledger")
    })
    .map_err(|rejection| rejection.hint("where nobody can recover it, a successor ledger names its final head"))
}

/// The rules over the confirmation of a role.
pub(super) fn confirm_role(case: &Case<'_>, body: &act::Approval, whose: &Principal) -> Result<(), Rejection> {
    let signer = case.by.person().expect("a person confirms a role");
    let who = &signer.card.principal;
    let person = &case.state.people[whose];
    let record = person.roles.iter().find(|record| record.granted == body.request).expect("answerable");
    ensure(body.verdict == Verdict::Go, Code::Field, || "a confirmation says GO, or nothing".into())?;
    ensure(record.waits(), Code::AlreadyDone, || "it waits for nobody".into())?;
    if let RoleOrigin::Recovered { by, .. } = &record.origin {
        ensure(body.role.as_str() == RECOVERY, Code::RoleMissing, || format!("a recovery is signed as {RECOVERY}"))?;
        ensure_recovers(case, who)?;
        return ensure(!by.contains(who), Code::AlreadyDone, || "they have signed it already".into());
    }
    own_role(signer, &body.role, record.product.as_ref(), case.at)?;
    ensure(record.by != *who, Code::SegregationFailed, || "a second person confirms it".into())?;
    ensure(whose != who, Code::SegregationFailed, || "nobody confirms their own role".into())
}

/// The rules over a second person's word on who a newcomer is.
pub(super) fn confirm_person(case: &Case<'_>, body: &act::Approval, whose: &Principal) -> Result<(), Rejection> {
    let signer = case.by.person().expect("a person confirms an identity");
    let who = &signer.card.principal;
    let person = &case.state.people[whose];
    ensure(body.verdict == Verdict::Go, Code::Field, || "a confirmation says GO, or nothing".into())?;
    ensure(!person.known() && person.current_key().is_some(), Code::AlreadyDone, || "it waits for nobody".into())?;
    own_role(signer, &body.role, None, case.at)?;
    ensure(person.enrolled_by != *who, Code::SegregationFailed, || "a second person confirms it".into())
}

/// Refuses who does not hold the role themselves: who signs in another's place is no further pair of eyes.
pub(super) fn own_role(signer: &Person, role: &Slug, product: Option<&Slug>, at: Timestamp) -> Result<(), Rejection> {
    ensure_role(signer, &[role.as_str()], product, at)?;
    let lent = signer.role_held(role.as_str(), product, at).and_then(RoleRecord::delegated_by);
    ensure(lent.is_none(), Code::SegregationFailed, || {
        format!("{} holds {role} in another's place only", signer.card.principal)
    })
}

/// Refuses who is not trained for the role any more.
pub(super) fn ensure_qualified(person: &Person, role: &Slug, product: &Slug, at: Timestamp) -> Result<(), Rejection> {
    let held = person.role_held(role.as_str(), Some(product), at);
    let Some(qualification) = held.and_then(|held| held.qualification.as_ref()) else { return Ok(()) };
    ensure(at <= qualification.until, Code::Unqualified, || {
        let (who, reference) = (&person.card.principal, &qualification.reference);
        format!("the qualification of {who} as {role} ({reference}) ran out at {}", qualification.until)
    })
    .map_err(|rejection| {
        rejection.hint("a process owner grants the role anew with the new record: `countersign person role grant`")
    })
}

/// Refuses a second answer by the same pair of eyes: of who signs in another's place, once that person, or somebody else in
/// their place, has answered about the same candidate.
pub(super) fn ensure_own_eyes(
    state: &State,
    release: &Release,
    sheet: &Sheet,
    who: &Principal,
    role: &Slug,
    at: Timestamp,
) -> Result<(), Rejection> {
    let same = release.sheets.iter().filter(|other| other.body.candidate == sheet.body.candidate);
    ensure_eyes_of(same.flat_map(|sheet| &sheet.answers), state, &release.candidate.product, who, role, at)
}

/// Refuses a second answer by the same pair of eyes among these.
pub(super) fn ensure_eyes_of<'a>(
    answers: impl IntoIterator<Item = &'a SignOff>,
    state: &State,
    product: &Slug,
    who: &Principal,
    role: &Slug,
    at: Timestamp,
) -> Result<(), Rejection> {
    let Some(of) = judge::signs_for(state, who, role.as_str(), Some(product), at) else { return Ok(()) };
    let answers: Vec<_> = answers.into_iter().collect();
    let withdrawn = |place: usize| {
        answers[place..].iter().any(|later| later.verdict == Verdict::Withdrawn && later.replaces(answers[place]))
    };
    let spoken = (0..answers.len())
        .filter(|place| !withdrawn(*place))
        .map(|place| answers[place])
        .find(|answer| answer.eyes() == of && answer.principal != *who);
    ensure(spoken.is_none(), Code::SegregationFailed, || {
        let by = spoken.map(|answer| answer.name.to_string()).unwrap_or_default();
        format!(
            "{by} has answered already, and {who} signs in the place of {of}: that would be the same pair of eyes twice"
        )
    })
}

/// Refuses a change of what the product is bound by from anybody but the one person who answers for it.
pub(super) fn ensure_process_owner(case: &Case<'_>, product: &Slug) -> Result<(), Rejection> {
    if !case.rules(2) {
        return Ok(());
    }
    let who = &case.statement.common.signer.principal;
    match judge::process_owner(case.state, product, case.at) {
        Some(owner) => ensure(owner.card.principal == *who, Code::RoleMissing, || {
            format!("{} is the process owner of {product}, and {who} is not", owner.card.principal)
        }),
        None => Err(Rejection::new(Code::Vacant, format!("{product} has no process owner: nobody answers for it"))
            .hint(format!("appoint one: `countersign person role grant PRINCIPAL process-owner --product {product}`"))),
    }
}

/// Refuses a key that would be valid for longer than the charter lets keys be.
pub(super) fn ensure_key_term(state: &State, from: Timestamp, until: Timestamp) -> Result<(), Rejection> {
    let Some(charter) = state.genesis.as_ref().and_then(|genesis| genesis.charter) else { return Ok(()) };
    ensure_days(charter.key_days, from, until)
}

pub(super) fn ensure_days(days: u64, from: Timestamp, until: Timestamp) -> Result<(), Rejection> {
    let allowed = i64::try_from(days).unwrap_or(i64::MAX / 86_400).saturating_mul(86_400);
    ensure(until.seconds_since(from) <= allowed, Code::Field, || {
        format!("the key would be valid until {until}; this ledger's charter allows {days} days")
    })
}

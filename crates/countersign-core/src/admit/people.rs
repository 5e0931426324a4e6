//! The rules over people, devices, keys and roles.

use super::*;
use crate::act;

pub(super) fn genesis(state: &State, statement: &Statement, genesis: &act::Genesis) -> Result<(), Rejection> {
    let common = &statement.common;
    let refuse = |holds: bool, message: &str| ensure(holds, Code::Genesis, || message.to_owned());
    refuse(state.tree.size() == 0, "only entry 0 may be a genesis")?;
    refuse(
        common.signer.principal == genesis.owner.principal && common.signer.name == genesis.owner.name,
        "the signer is not the owner it names",
    )?;
    refuse(common.device == genesis.desk.principal, "the desk is not the one it names")?;
    refuse(genesis.desk.purpose == DevicePurpose::Desk, "the first device is a desk")?;
    refuse(genesis.owner.principal != genesis.desk.principal, "owner and desk share a principal")?;
    refuse(genesis.accountability == accountability(), "the accountability text is another one")?;
    refuse(
        KeyName::new(common.seen.origin.as_str()).is_ok(),
        "the origin cannot name a log: it holds a space or a plus sign",
    )?;
    refuse(
        genesis.recovery.needed <= genesis.recovery.people.len() as u64,
        "recovery needs more people than it names",
    )?;
    refuse(
        genesis.owner.key != genesis.desk.key
            && Some(&genesis.owner.key) != genesis.desk.log_key.as_ref()
            && Some(&genesis.desk.key) != genesis.desk.log_key.as_ref(),
        "one key in two jobs",
    )?;
    if let Some(charter) = genesis.charter {
        ensure(common.rules >= 2, Code::Malformed, || "rules before 2 know no charter".into())?;
        refuse(
            (1..=3660).contains(&charter.key_days),
            "the charter lets no key be valid, or one for longer than ten years",
        )?;
        ensure(charter.review_days.is_none_or(|days| (1..=3660).contains(&days)), Code::Genesis, || {
            "the charter asks for a review every day, or within ten years: 1 to 3660 days".into()
        })?;
        authority::ensure_days(charter.key_days, common.time, genesis.owner.valid_until)?;
    }
    ensure(common.time <= genesis.owner.valid_until, Code::KeyExpired, || "the owner's key has expired".into())?;
    check_person_fields(common)?;
    refuse(statement.subject == [ledger_subject(&common.seen.origin)], "the subject is not the ledger")
}

pub(super) fn enrol(case: &Case<'_>, body: &act::Enrol) -> Result<(), Rejection> {
    case.may(Deed::Enrol, None)?;
    case.unused_principal(&body.person.principal)?;
    case.unused_key(&body.person.key)?;
    ensure(body.person.valid_until > case.at, Code::KeyExpired, || "the key would be expired at once".into())?;
    authority::ensure_key_term(case.state, case.at, body.person.valid_until)
}

pub(super) fn enrol_accept(case: &Case<'_>, body: &act::EnrolAccept) -> Result<(), Rejection> {
    let person = case.by.person().expect("a person signs this act");
    ensure(person.accepted.is_none(), Code::AlreadyDone, || "they have accepted already".into())?;
    ensure(body.accountability == accountability(), Code::Field, || "it accepts another text".into())
}

pub(super) fn device(case: &Case<'_>, body: &act::Device) -> Result<(), Rejection> {
    match &body.change {
        DeviceChange::Enrol { device } => {
            case.may(Deed::EnrolDevice, None)?;
            case.unused_principal(&device.principal)?;
            case.unused_key(&device.key)?;
            if let Some(log_key) = &device.log_key {
                case.unused_key(log_key)?;
                ensure(*log_key != device.key, Code::Reused, || "one key in two jobs".into())?;
            }
            Ok(())
        }
        DeviceChange::Revoke { principal } => {
            case.may(Deed::RevokeDevice, None)?;
            let device = case
                .state
                .devices
                .get(principal)
                .ok_or_else(|| not_found(format!("there is no device {principal}")))?;
            ensure(device.revoked.is_none(), Code::AlreadyDone, || format!("{principal} was revoked already"))?;
            ensure(*principal != case.statement.common.device, Code::WrongState, || {
                "a desk cannot revoke itself".into()
            })
        }
    }
}

pub(super) fn key(case: &Case<'_>, body: &act::Key) -> Result<(), Rejection> {
    let person = case
        .state
        .people
        .get(&body.principal)
        .ok_or_else(|| not_found(format!("there is no person {}", body.principal)))?;
    let signer = case.by.person().expect("a person signs this act");
    ensure(person.current_key().is_some(), Code::AlreadyDone, || format!("{} has no key in use", body.principal))?;
    match &body.change {
        KeyChange::Rotate { key, valid_until, .. } => {
            ensure(signer.card.principal == body.principal, Code::RoleMissing, || {
                "only its owner renews a key".into()
            })?;
            case.unused_key(key)?;
            ensure(*valid_until > case.at, Code::KeyExpired, || "the key would be expired at once".into())?;
            authority::ensure_key_term(case.state, case.at, *valid_until)
        }
        KeyChange::Revoke {} | KeyChange::Lost {} if signer.card.principal == body.principal => Ok(()),
        KeyChange::Revoke {} | KeyChange::Lost {} => case.may(Deed::EndKey, None),
    }
}

pub(super) fn role(case: &Case<'_>, body: &act::Role) -> Result<(), Rejection> {
    match body.change {
        Grant::Grant => authority::grant(case, body),
        Grant::Lapse => authority::lapse(case, body),
        Grant::Delegate => authority::delegate(case, body),
        Grant::Recover => authority::recover(case, body),
    }
}

pub(super) fn review(case: &Case<'_>, body: &act::Review) -> Result<(), Rejection> {
    case.may(Deed::Review, None)?;
    ensure(body.from <= body.until && body.until <= case.state.tree.size(), Code::Field, || {
        "the span is not in the ledger".into()
    })?;
    let Some(id) = &body.release else { return Ok(()) };
    case.since(2, false, "the release of a review")?;
    ensure(body.scope == act::ReviewScope::Emergency, Code::Field, || {
        format!("a {} review is not of one release", body.scope)
    })?;
    let release = case.release(id)?;
    ensure(judge::review_due(case.state, release).is_some(), Code::NotFound, || {
        format!("{id} is no emergency change that went out and waits for a review")
    })?;
    ensure(release.emergency_review.is_none(), Code::AlreadyDone, || format!("{id} was reviewed already"))?;
    let who = &case.by.person().expect("a person signs this act").card.principal;
    match judge::part_in(release, who) {
        Some(part) => Err(Rejection::new(Code::SegregationFailed, format!("{who} may not review it: {part}"))),
        None => Ok(()),
    }
}

pub(super) fn attempt(case: &Case<'_>, body: &act::Attempt) -> Result<(), Rejection> {
    ensure(case.state.people.contains_key(&body.principal), Code::NotFound, || {
        format!("there is no person {}", body.principal)
    })?;
    record::coalesced(case.state.last_attempt.get(&body.principal), case.at)
}

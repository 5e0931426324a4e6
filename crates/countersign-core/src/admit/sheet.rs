//! The rules over the decision sheet and the answers to it.

use super::*;
use crate::act;

pub(super) fn request(case: &Case<'_>, body: &Request) -> Result<(), Rejection> {
    let (state, at) = (case.state, case.at);
    let release = case.release(&body.release)?;
    if let Some(person) = case.by.person() {
        permission::ensure(person, Deed::Request, Some(&release.candidate.product), at)?;
        let waived = judge::waivers(release, at).any(|waiver| waiver.by == person.card.principal);
        ensure(!waived, Code::SegregationFailed, || "who waived a gate of it does not ask for its approval".into())?;
    }
    ensure(release.ended.is_none(), Code::WrongState, || format!("{} was given up", release.id))?;
    case.since(2, !body.scheduled, "a run that starts by itself")?;
    if let Some(used) = body.authorization {
        configuration::ensure_stands(state, used, &release.candidate.product, at)?;
    }
    if let Some(sheet) = release.sheet() {
        ensure(!release.rollout_began(sheet.entry) || sheet_is_spent(release, sheet), Code::WrongState, || {
            "the sheet before has been dispatched".into()
        })?;
    }
    if let Some(red) = judge::checks(state, release, at).into_iter().find(judge::Check::red) {
        return Err(Rejection::new(Code::Halted, format!("gate {} is red: {}", red.gate, red.detail))
            .hint("propose a new candidate, or have a waiver for this gate signed"));
    }
    if let Some(open) = judge::checks(state, release, at).into_iter().find(judge::Check::open) {
        return Err(Rejection::new(Code::GateOpen, format!("gate {}: {}", open.gate, open.detail)));
    }
    let (from, until) = (body.window.from, body.window.until);
    ensure(until > at, Code::Field, || format!("the window ended at {until}; it would open nothing"))?;
    ensure(from <= body.not_after, Code::Field, || {
        format!("the window begins at {from}, and the policy lets the sheet stand until {} only", body.not_after)
    })
    .map_err(|rejection| {
        rejection.hint("freeze the sheet nearer to the window, or let sheets stand longer by policy")
    })?;
    ensure(
        body.window.from <= body.window.until && body.window.until <= body.not_after && body.not_after > at,
        Code::Field,
        || "the window ends before it begins, or after the sheet".into(),
    )?;
    let product = &release.candidate.product;
    let policy =
        state.policy_of(release).ok_or_else(|| Rejection::new(Code::NotFound, format!("{product} has no policy")))?;
    let longest = policy.sheet_valid_minutes * 60;
    let valid = body.not_after.seconds_since(at);
    ensure(u64::try_from(valid).is_ok_and(|valid| valid <= longest), Code::Field, || {
        format!("the sheet would be valid for {valid} s, the policy allows {longest} s")
    })?;
    let expected = crate::decide::sheet(state, release, body.authorization, body.window, body.not_after, at)?;
    let said = Request { asked: body.asked.clone(), due: body.due, scheduled: body.scheduled, ..expected };
    ensure(*body == said, Code::Stale, || "the sheet does not say what the ledger says".into())?;
    judge::ensure_reviewed(state, release, at)?;
    if case.rules(2) {
        judge::ensure_sole_decision(state, release, at)?;
    }
    check_asked(state, release, policy, body, at)
}

/// The rules over who is asked to answer a sheet, and by when.
fn check_asked(
    state: &State,
    release: &Release,
    policy: &Policy,
    body: &Request,
    at: Timestamp,
) -> Result<(), Rejection> {
    ensure(body.due.is_none_or(|due| due > at && due <= body.not_after), Code::Field, || {
        format!("answers are due before the sheet ends at {}, and after now", body.not_after)
    })?;
    for (place, asked) in body.asked.iter().enumerate() {
        ensure(!body.asked[..place].contains(asked), Code::Field, || format!("{} is asked twice", asked.role))?;
        ensure(policy.asks(&asked.role), Code::NotFound, || format!("the policy does not ask {} to sign", asked.role))?;
        let Some(who) = &asked.person else { continue };
        let person = state.people.get(who);
        let person =
            person.ok_or_else(|| Rejection::new(Code::NotFound, format!("there is no person {who} to be asked")))?;
        ensure_role(person, &[asked.role.as_str()], Some(&release.candidate.product), at)?;
        if let Some(part) = judge::barred_as(state, release, who, &asked.role, at) {
            return Err(Rejection::new(Code::SegregationFailed, format!("{who} cannot be asked: {part}"))
                .hint("ask somebody else who holds the role"));
        }
    }
    Ok(())
}

/// Returns whether a dispatched sheet has come to its end, so that a new one may follow.
fn sheet_is_spent(release: &Release, sheet: &Sheet) -> bool {
    let nothing_open = !judge::under_way(release).any(|dispatch| dispatch.body.sheet == sheet.entry);
    let taken_back = release.dispatches_of(sheet.entry, DispatchKind::Rollback).any(DispatchRecord::succeeded);
    let nothing_ran = release
        .dispatches_of(sheet.entry, DispatchKind::Deploy)
        .all(|dispatch| dispatch.body.state == DispatchState::Refused || !dispatch.open() && !dispatch.succeeded());
    nothing_open && (taken_back || nothing_ran)
}

pub(super) fn approval(case: &Case<'_>, body: &act::Approval) -> Result<(), Rejection> {
    let (state, at) = (case.state, case.at);
    let common = &case.statement.common;
    let Some(subject) = state.answerable(body.request) else {
        return Err(Rejection::new(Code::NotFound, format!("{} waits for no answer", body.request)));
    };
    ensure(common.seen.size > body.request.index, Code::SeenMismatch, || {
        "the signer had not seen what it answers".into()
    })?;
    let conditional = body.verdict == Verdict::ConditionalGo;
    ensure(conditional != body.conditions.is_empty(), Code::Field, || {
        "a conditional GO, and only that, names conditions".into()
    })?;

    case.since(2, body.verdict != Verdict::Withdrawn, "the withdrawal of an answer")?;
    if let Answerable::Sheet(id) = subject {
        ensure_after(case.release(id)?.sheet_at(body.request), at)?;
    } else {
        ensure(body.verdict != Verdict::Withdrawn, Code::Field, || {
            "only an answer to a decision sheet is withdrawn".into()
        })?;
    }
    if let SignedBy::Device(_) = case.by {
        let Answerable::Sheet(id) = subject else {
            return Err(Rejection::new(Code::WrongSigner, "a standing authorization signs only decision sheets"));
        };
        let used = body.authorization.expect("a device signs an approval only under an authorization");
        let release = case.release(id)?;
        let sheet = current_sheet(release, body.request)?;
        judge::automatic_go(state, release, sheet, body, used, at)?;
        return if case.rules(2) { judge::ensure_sole_decision(state, release, at) } else { Ok(()) };
    }
    let person = case.by.person().expect("persons and devices are all there is");
    ensure(body.authorization.is_none(), Code::Field, || "a person signs for themselves".into())?;
    let who = &person.card.principal;
    let as_role = |product: Option<&Slug>| ensure_role(person, &[body.role.as_str()], product, at);
    let asked = |product: &Slug| {
        let policy = state.policy(product);
        ensure(policy.is_some_and(|record| record.policy.asks(&body.role)), Code::RoleMissing, || {
            format!("the policy asks nobody to sign as {}", body.role)
        })
    };
    match subject {
        Answerable::Sheet(id) => {
            let release = case.release(id)?;
            let sheet = current_sheet(release, body.request)?;
            let product = &release.candidate.product;
            as_role(Some(product))?;
            case.presence(product)?;
            ensure(state.policy_of(release).is_some_and(|policy| policy.asks(&body.role)), Code::RoleMissing, || {
                format!("the policy asks nobody to sign as {}", body.role)
            })?;
            if body.verdict == Verdict::Withdrawn {
                return check_withdrawal(state, release, sheet, who, at);
            }
            if let Some(part) = judge::barred_as(state, release, who, &body.role, at) {
                return Err(Rejection::new(Code::SegregationFailed, format!("{who} may not sign: {part}")));
            }
            authority::ensure_qualified(person, &body.role, product, at)?;
            authority::ensure_own_eyes(state, release, sheet, who, &body.role, at)?;
            // Between two waves a NO-GO is still heard, whatever has moved; nothing else is.
            if body.verdict == Verdict::NoGo && judge::between_waves(release, sheet) {
                return Ok(());
            }
            judge::ensure_signable(state, release, sheet, at)?;
            if !matches!(body.verdict, Verdict::Go | Verdict::ConditionalGo) {
                return Ok(());
            }
            judge::ensure_in_turn(state, release, sheet, &body.role, at)?;
            ensure_answered(state, release, sheet, who)?;
            if case.rules(2) {
                judge::ensure_sole_decision(state, release, at)?;
            }
            Ok(())
        }
        Answerable::Policy(product) => {
            let record =
                state.policies[product].iter().find(|record| record.entry == body.request).expect("answerable");
            // First, for the policy that is in force now may ask other people.
            ensure(record.in_force.is_none(), Code::AlreadyDone, || "it is in force already".into())?;
            as_role(Some(product))?;
            case.presence(product)?;
            asked(product)?;
            let overtaken = state.policy(product).is_some_and(|now| now.in_force > Some(record.entry));
            ensure(!overtaken, Code::Stale, || {
                "another policy came into force since it was proposed; propose it again".into()
            })?;
            authority::ensure_qualified(person, &body.role, product, at)?;
            authority::ensure_eyes_of(&record.answers, state, product, who, &body.role, at)?;
            check_not_proposer(state, product, &record.by, who, &body.role, at)
        }
        Answerable::Authorization(product) => {
            as_role(Some(product))?;
            case.presence(product)?;
            asked(product)?;
            let record = &state.authorizations[&body.request.index];
            ensure(record.adopted.is_none(), Code::AlreadyDone, || "it is adopted already".into())?;
            if let Some(moved) = judge::authorization_drift(state, record) {
                return Err(Rejection::new(Code::Stale, format!("{moved} since it was proposed; propose it again")));
            }
            authority::ensure_qualified(person, &body.role, product, at)?;
            authority::ensure_eyes_of(&record.answers, state, product, who, &body.role, at)?;
            check_not_proposer(state, product, &record.by, who, &body.role, at)
        }
        Answerable::Device(device) => {
            authority::own_role(person, &body.role, None, at)?;
            let device = &state.devices[device];
            ensure(device.confirmed.is_none() && device.revoked.is_none(), Code::AlreadyDone, || {
                "it waits for nobody".into()
            })?;
            ensure(body.verdict == Verdict::Go, Code::Field, || "a confirmation says GO, or nothing".into())?;
            ensure(device.enrolled_by != *who, Code::SegregationFailed, || "a second person confirms it".into())
        }
        Answerable::Role(whose) => authority::confirm_role(case, body, whose),
        Answerable::Person(whose) => authority::confirm_person(case, body, whose),
        Answerable::Removal(digest) => {
            authority::own_role(person, &body.role, None, at)?;
            let removal = &state.removals[digest];
            ensure(removal.confirmed.is_none(), Code::AlreadyDone, || "it was removed already".into())?;
            ensure(body.verdict == Verdict::Go, Code::Field, || "a confirmation says GO, or nothing".into())?;
            ensure(removal.by != *who, Code::SegregationFailed, || "a second person confirms it".into())
        }
        Answerable::Evidence(id) => {
            let release = case.release(id)?;
            authority::own_role(person, &body.role, Some(&release.candidate.product), at)?;
            case.presence(&release.candidate.product)?;
            let record = release.evidence.iter().find(|record| record.entry == body.request).expect("answerable");
            ensure(body.verdict == Verdict::Go, Code::Field, || "a confirmation says GO, or nothing".into())?;
            ensure(!record.confirmed_by.contains(who), Code::AlreadyDone, || "they have confirmed it already".into())?;
            ensure(record.by != *who, Code::SegregationFailed, || "a second person confirms it".into())
        }
    }
}

/// Refuses while a question of theirs waits for its answer, where the policy asks for one.
fn ensure_answered(state: &State, release: &Release, sheet: &Sheet, who: &Principal) -> Result<(), Rejection> {
    let Some(hold) = judge::unanswered(state, release, sheet, who) else { return Ok(()) };
    let message = format!("their question waits for an answer: {}", hold.reason);
    Err(Rejection::new(Code::OnHold, message).hint(format!(
        "a release manager answers it: `countersign hold {} --resume {} --answer TEXT`",
        release.id, hold.entry.index
    )))
}

/// The rules over taking one's own answer back: there is one, its question is answered, and nothing was dispatched on it.
fn check_withdrawal(
    state: &State,
    release: &Release,
    sheet: &Sheet,
    who: &Principal,
    at: Timestamp,
) -> Result<(), Rejection> {
    judge::ensure_signable(state, release, sheet, at)?;
    let said = judge::standing_answer(release, sheet, who)
        .ok_or_else(|| not_found(format!("{who} has said nothing about {} that could be withdrawn", release.id)))?;
    ensure_answered(state, release, sheet, who)?;
    // Only a NO-GO that is withdrawn opens a decision again.
    if said.verdict == Verdict::NoGo { judge::ensure_sole_decision(state, release, at) } else { Ok(()) }
}

pub(super) fn current_sheet(release: &Release, request: EntryRef) -> Result<&Sheet, Rejection> {
    release.sheet().filter(|sheet| sheet.entry == request).ok_or_else(|| {
        Rejection::new(Code::Stale, "a newer sheet was frozen; this one can no longer be signed".to_owned())
    })
}

fn check_not_proposer(
    state: &State,
    product: &Slug,
    proposer: &Principal,
    who: &Principal,
    role: &Slug,
    at: Timestamp,
) -> Result<(), Rejection> {
    let distinct = state.policy(product).is_some_and(|record| record.policy.distinct.contains(&Distinct::Requester));
    let signs_for = judge::signs_for(state, who, role.as_str(), Some(product), at);
    let theirs = proposer == who || signs_for == Some(proposer);
    ensure(!(distinct && theirs), Code::SegregationFailed, || match signs_for {
        Some(of) => format!("{who} may not sign in the place of {of}: they proposed it"),
        None => format!("{who} may not sign: they proposed it"),
    })
}

/// Refuses a clock that stood before the sheet was frozen: an order of entries that no honest clocks make.
pub(super) fn ensure_after(sheet: Option<&Sheet>, at: Timestamp) -> Result<(), Rejection> {
    let Some(sheet) = sheet else {
        return Ok(());
    };
    ensure(sheet.time.seconds_since(at) <= CLOCK_TOLERANCE_SECONDS, Code::ClockSuspect, || {
        format!("its clock says {at}, yet the sheet was frozen at {}", sheet.time)
    })
    .map_err(|rejection| rejection.hint("set this desk's clock"))
}

//! The rules over candidates, and over what speaks for or against them.

use super::*;
use crate::act;

pub(super) fn propose(case: &Case<'_>, body: &act::Propose) -> Result<(), Rejection> {
    let (state, at) = (case.state, case.at);
    let may_propose = |product: &Slug| case.may(Deed::Propose, Some(product));
    match &body.change {
        ProposeChange::Candidate { candidate, supersedes, authorization } => {
            may_propose(&candidate.product)?;
            ensure(!state.releases.contains_key(&body.release), Code::Reused, || {
                format!("the release id {} was used before", body.release)
            })?;
            check_candidate(state, candidate)?;
            if let Some(used) = authorization {
                configuration::ensure_stands(state, *used, &candidate.product, at)?;
            }
            if let Some(old) = supersedes {
                let old = case.release(old)?;
                ensure(old.candidate.product == candidate.product, Code::WrongState, || {
                    format!("{} is another product", old.id)
                })?;
                may_end(old)?;
            }
            Ok(())
        }
        ProposeChange::Amend { candidate } => {
            let release = case.release(&body.release)?;
            may_propose(&candidate.product)?;
            ensure(release.candidate.product == candidate.product, Code::WrongState, || {
                "the product cannot change".into()
            })?;
            may_end(release)?;
            check_candidate(state, candidate)
        }
        ProposeChange::Supersede { by: successor } => {
            let old = case.release(&body.release)?;
            may_propose(&old.candidate.product)?;
            ensure(state.releases.contains_key(successor), Code::NotFound, || {
                format!("there is no release {successor}")
            })?;
            if case.statement.common.rules >= 2 {
                let new = case.release(successor)?;
                ensure(new.id != old.id, Code::WrongState, || "a release does not take its own place".into())?;
                ensure(new.candidate.product == old.candidate.product, Code::WrongState, || {
                    format!("{} is another product", new.id)
                })?;
                ensure(new.ended.is_none(), Code::WrongState, || format!("{} was given up itself", new.id))?;
            }
            may_end(old)
        }
        ProposeChange::Withdraw {} => {
            let release = case.release(&body.release)?;
            may_propose(&release.candidate.product)?;
            may_end(release)
        }
    }
}

fn check_candidate(state: &State, candidate: &Candidate) -> Result<(), Rejection> {
    ensure(state.products.contains_key(&candidate.product), Code::NotFound, || {
        format!("there is no product {}", candidate.product)
    })?;
    ensure(!candidate.artifacts.is_empty(), Code::Field, || "a candidate names at least one artifact".into())?;
    let authors = &candidate.changes.authors;
    let in_order = authors.windows(2).all(|pair| pair[0] < pair[1]);
    ensure(
        in_order && authors.iter().all(|author| author.as_str() == author.as_str().to_lowercase()),
        Code::Field,
        || "the authors are not in lower case, sorted, each once".into(),
    )?;
    ensure(candidate.changes.commits == 0 || !authors.is_empty(), Code::Field, || {
        "commits without an author: nobody could tell who may not approve".into()
    })?;
    ensure(!judge::needs_incident(candidate.change_type) || candidate.incident.is_some(), Code::Field, || {
        "an emergency change names its incident".into()
    })
}

/// Refuses where a release is out, or given up: nothing about it can be taken back then.
fn may_end(release: &Release) -> Result<(), Rejection> {
    ensure(release.ended.is_none(), Code::AlreadyDone, || format!("{} was given up already", release.id))?;
    let out = release.sheets.iter().any(|sheet| release.rollout_began(sheet.entry));
    ensure(!out, Code::WrongState, || format!("{} has been dispatched", release.id))
}

pub(super) fn evidence(case: &Case<'_>, body: &act::Evidence) -> Result<(), Rejection> {
    case.may(Deed::Attach, None)?;
    let release = case.release(&body.release)?;
    let observed = matches!(body.origin, EvidenceOrigin::Observed { .. });
    ensure(observed == case.by.person().is_none(), Code::WrongSigner, || {
        "a device observes, a person attaches".into()
    })?;
    let empty = body.conclusion == Conclusion::Missing || body.size == 0;
    ensure(!empty, Code::Field, || "an empty file is no evidence".into())?;
    ensure(body.counts.kind() == body.kind, Code::Field, || format!("these counts are not those of {}", body.kind))?;
    ensure(body.conclusion != Conclusion::Pass || body.counts.may_pass(), Code::Field, || {
        "what was counted is no pass".into()
    })?;
    let claimed = if observed { CommitSource::Attacher } else { CommitSource::Run };
    ensure(body.commit_source != claimed, Code::Field, || format!("{claimed} cannot say the commit of this evidence"))?;
    if let Some(old) = body.replaces {
        let known = release.evidence.iter().find(|record| record.entry == old);
        ensure(
            known.is_some_and(|old| old.body.kind == body.kind && old.body.commit == body.commit),
            Code::NotFound,
            || format!("{old} is not evidence of this kind about this commit"),
        )?;
        ensure(case.statement.common.reason.is_some(), Code::Field, || "a re-run gives its reason".into())?;
    }
    Ok(())
}

pub(super) fn waiver(case: &Case<'_>, body: &act::Waiver) -> Result<(), Rejection> {
    let release = case.release(&body.release)?;
    let person = case.by.person().expect("a person signs this act");
    let product = &release.candidate.product;
    ensure(case.state.policy(product).is_some(), Code::NotFound, || format!("{product} has no policy"))?;
    ensure(judge::may_waive(case.state, release, &person.card.principal, case.at), Code::RoleMissing, || {
        format!("{} holds no role this policy asks to sign such a change", person.card.principal)
    })?;
    case.presence(product)?;
    if let Some(part) = judge::may_not_waive(case.state, release, &person.card.principal) {
        let message = format!("{} may not waive its gates: {part}", person.card.principal);
        return Err(Rejection::new(Code::SegregationFailed, message));
    }
    ensure(body.expires > case.at, Code::Expired, || "it would end at once".into())?;
    ensure(case.state.people.contains_key(&body.owner), Code::NotFound, || {
        format!("there is no person {}", body.owner)
    })?;
    let known = judge::checks(case.state, release, case.at).iter().any(|check| check.gate == body.gate.as_str());
    ensure(known, Code::NotFound, || format!("there is no gate {}", body.gate))
}

pub(super) fn stage(case: &Case<'_>, body: &act::Stage) -> Result<(), Rejection> {
    let release = case.release(&body.release)?;
    let dispatch = release.dispatches.iter().find(|dispatch| dispatch.last == body.dispatch);
    ensure(
        dispatch.is_some_and(|dispatch| {
            dispatch.succeeded()
                && dispatch.body.environment == body.environment
                && dispatch.body.sheet == release.candidate_entry
        }),
        Code::WrongState,
        || {
            format!(
                "{} is not a finished, successful delivery of this candidate to {}",
                body.dispatch, body.environment
            )
        },
    )?;
    let since = dispatch.map_or(0, |dispatch| dispatch.entry.index);
    ensure(judge::delivered_since(case.state, release, &body.environment, since).is_none(), Code::WrongState, || {
        format!("something else was delivered to {} since", body.environment)
    })?;
    ensure(
        body.artifact == release.artifact().sha256 && body.version == release.candidate.version,
        Code::WrongState,
        || format!("{} runs {} {}, not the candidate", body.environment, body.version, body.artifact),
    )
}

pub(super) fn hold(case: &Case<'_>, body: &act::Hold) -> Result<(), Rejection> {
    let release = case.release(&body.release)?;
    match &body.change {
        HoldChange::Resume { hold, answer } => {
            let person = case.by.person().ok_or_else(|| Rejection::new(Code::WrongSigner, "a person lets it go on"))?;
            permission::ensure(person, Deed::Resume, Some(&release.candidate.product), case.at)?;
            let asks = judge::waiting_hold(release, *hold).filter(|_| case.statement.common.rules >= 2);
            if asks.is_some() {
                return ensure(answer.is_some(), Code::Field, || "the question is not answered".into());
            }
            let record = release.active_holds().find(|record| record.entry == *hold);
            let Some(record) = record else {
                return Err(not_found(format!("{hold} does not stop this release")));
            };
            ensure(!matches!(record.change, HoldChange::Halt {}), Code::WrongState, || {
                "a halted rollout is rolled back, or decided anew; it does not go on".into()
            })?;
            let question = matches!(record.change, HoldChange::Hold { question: Some(_) });
            ensure(!question || answer.is_some(), Code::Field, || "the question is not answered".into())
        }
        HoldChange::Cancel { request_id } => {
            let open =
                release.dispatches.iter().any(|dispatch| dispatch.body.request_id == *request_id && dispatch.open());
            case.may(Deed::Stop, None)?;
            ensure(open, Code::NotFound, || format!("{request_id} is not under way"))
        }
        HoldChange::Hold { .. } | HoldChange::Halt {} => case.may(Deed::Stop, None),
    }
}

pub(super) fn condition(case: &Case<'_>, body: &act::Condition) -> Result<(), Rejection> {
    let Some((release, answer)) = judge::release_of_approval(case.state, body.approval) else {
        return Err(not_found(format!("{} is not an answer to a sheet", body.approval)));
    };
    let person = case.by.person().expect("a person signs this act");
    ensure_role(person, &[answer.role.as_str()], Some(&release.candidate.product), case.at)?;
    case.presence(&release.candidate.product)?;
    if let Some(part) = judge::barred_as(case.state, release, &person.card.principal, &answer.role, case.at) {
        let message = format!("{} may not settle it: {part}", person.card.principal);
        return Err(Rejection::new(Code::SegregationFailed, message));
    }
    let open = usize::try_from(body.condition).ok().and_then(|place| answer.conditions.get(place));
    ensure(open.is_some_and(|(_, met)| met.is_none()), Code::NotFound, || "there is no such open condition".into())
}

pub(super) fn outcome(case: &Case<'_>, body: &act::Outcome) -> Result<(), Rejection> {
    let release = case.release(&body.release)?;
    case.may(Deed::Outcome, Some(&release.candidate.product))?;
    use judge::ReleaseState::{Live, RolledBack, RolloutHalted};
    let now = judge::release_state(case.state, release, case.at);
    ensure(matches!(now, Live | RolledBack | RolloutHalted), Code::WrongState, || format!("{} is {now}", release.id))?;
    let open = judge::under_way(release).next().is_some();
    ensure(!open, Code::WrongState, || "a dispatch is still under way".into())
}

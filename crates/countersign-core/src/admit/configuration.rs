//! The rules over products, targets, policies, standing authorizations and freezes.

use super::*;
use crate::act;
use crate::recurrence::Span;

pub(super) fn product(case: &Case<'_>, body: &act::Product) -> Result<(), Rejection> {
    case.may(Deed::Product, None)?;
    let mut path = body.path.clone();
    path.sort();
    path.dedup();
    ensure(!path.is_empty() && path.len() == body.path.len(), Code::Field, || {
        "the promotion path names at least one environment, none twice".into()
    })?;
    // The path says which environment the quorum guards: nobody moves the gate alone once it stands.
    let guarded = case.state.policy(&body.product).and_then(|_| case.state.products.get(&body.product));
    ensure(guarded.is_none_or(|(_, known)| known.path == body.path), Code::WrongState, || {
        format!("the promotion path of {} is fixed since it has a policy", body.product)
    })
}

pub(super) fn target(case: &Case<'_>, body: &act::Target) -> Result<(), Rejection> {
    case.may(Deed::Target, Some(&body.product))?;
    let product = &case
        .state
        .products
        .get(&body.product)
        .ok_or_else(|| not_found(format!("there is no product {}", body.product)))?
        .1;
    ensure(product.path.contains(&body.environment), Code::NotFound, || {
        format!("{} is not on the promotion path of {}", body.environment, body.product)
    })?;
    let mut names: Vec<_> = body.segments.iter().map(|segment| &segment.name).collect();
    names.sort();
    names.dedup();
    ensure(!names.is_empty() && names.len() == body.segments.len(), Code::Field, || {
        "a target has at least one segment, none twice".into()
    })
}

pub(super) fn policy(case: &Case<'_>, body: &act::Policy) -> Result<(), Rejection> {
    case.may(Deed::Policy, Some(&body.product))?;
    ensure(case.state.products.contains_key(&body.product), Code::NotFound, || {
        format!("there is no product {}", body.product)
    })?;
    authority::ensure_process_owner(case, &body.product)?;
    let policy = Policy::parse(&body.toml).map_err(|error| Rejection::new(Code::Policy, error.to_string()))?;
    ensure(policy.product == body.product, Code::Policy, || format!("the text is a policy of {}", policy.product))?;
    case.since(policy.needs_rules(), false, "a part of this policy")?;
    let path = &case.state.products[&body.product].1.path;
    for refinement in &policy.refinements {
        let Some(environment) = &refinement.environment else { continue };
        ensure(path.contains(environment), Code::Policy, || {
            format!("{environment} of a refinement is not on the promotion path of {}", body.product)
        })?;
        ensure(path.last() == Some(environment) || !refinement.decides(), Code::Policy, || {
            format!("nobody signs before {environment}: a refinement for it asks for evidence and fields alone")
        })?;
    }
    ensure_can_be_met(case, &policy)?;
    let versions = case.state.policies.get(&body.product).map_or(0, Vec::len) as u64;
    ensure(body.version == versions + 1, Code::Policy, || format!("the next version is {}", versions + 1))
}

/// Refuses a policy in place of another that those who are there could not sign under.
///
/// A product's first policy may come before its people: it replaces none that could be met.
fn ensure_can_be_met(case: &Case<'_>, policy: &Policy) -> Result<(), Rejection> {
    if !case.rules(2) || case.state.policy(&policy.product).is_none() {
        return Ok(());
    }
    let last = case.state.last_environment(&policy.product);
    for change in act::ChangeType::ALL {
        let found = judge::policy_feasibility(case.state, &policy.refined(*change, last), case.at);
        let nobody = found.impossible.first();
        ensure(nobody.is_none(), Code::Policy, || {
            let lacking = nobody.map(|missing| format!("{} more as {}", missing.count, missing.role));
            format!("those who are there could not sign a {change} change: it takes {}", lacking.unwrap_or_default())
        })
        .map_err(|rejection| rejection.hint("grant the role first: `countersign person role grant PRINCIPAL ROLE`"))?;
    }
    Ok(())
}

pub(super) fn authorization(case: &Case<'_>, body: &act::Authorization) -> Result<(), Rejection> {
    match &body.change {
        AuthorizationChange::Grant { change_types, environment, product, valid, per_day, template, .. } => {
            case.since(2, template.is_none(), "a template of standard changes")?;
            case.may(Deed::GrantAuthorization, Some(product))?;
            authority::ensure_process_owner(case, product)?;
            ensure(case.state.policy(product).is_some(), Code::NotFound, || {
                format!("{product} has no policy in force")
            })?;
            ensure(case.state.last_environment(product) == Some(environment), Code::Field, || {
                format!("{environment} is not behind the go/no-go of {product}")
            })?;
            ensure(case.state.targets.contains_key(&(product.clone(), environment.clone())), Code::NotFound, || {
                format!("{product} has no target {environment}")
            })?;
            ensure(valid.from < valid.until && valid.until > case.at, Code::Field, || {
                "it would never be valid".into()
            })?;
            ensure(*per_day > 0 && !change_types.is_empty(), Code::Field, || "it could never sign".into())?;
            ensure(!change_types.contains(&act::ChangeType::Emergency), Code::Field, || {
                "people sign emergency changes, always".into()
            })?;
            if template.is_none() {
                return Ok(());
            }
            ensure(*change_types == [act::ChangeType::Standard], Code::Field, || {
                "a template is for standard changes and for nothing else".into()
            })?;
            let days = judge::TEMPLATE_DAYS;
            ensure(valid.until.seconds_since(valid.from.max(case.at)) <= days * 86_400, Code::Field, || {
                format!("a template stands for {days} days at most; it would until {}", valid.until)
            })
            .map_err(|rejection| rejection.hint("propose it again before it ends; the quorum looks at it anew"))
        }
        AuthorizationChange::Suspend { authorization } | AuthorizationChange::Resume { authorization } => {
            let record = case
                .state
                .authorizations
                .get(&authorization.index)
                .filter(|record| record.entry == *authorization)
                .ok_or_else(|| not_found(format!("{authorization} is not a standing authorization")))?;
            let suspend = matches!(body.change, AuthorizationChange::Suspend { .. });
            ensure(record.suspended.is_some() != suspend, Code::AlreadyDone, || "it is so already".into())?;
            if suspend {
                return case.may(Deed::Suspend, Some(&record.product));
            }
            case.may(Deed::ResumeAuthorization, Some(&record.product))?;
            authority::ensure_process_owner(case, &record.product)
        }
    }
}

pub(super) fn freeze(case: &Case<'_>, body: &act::Freeze) -> Result<(), Rejection> {
    match &body.change {
        FreezeChange::Declare { product, recurs, span, .. } => {
            case.may(Deed::DeclareFreeze, product.as_ref())?;
            ensure(span.from <= span.until, Code::Field, || "it ends before it begins".into())?;
            case.since(2, recurs.is_none(), "a freeze that comes again")?;
            Span::new(*span, recurs.as_ref())
                .map(|_| ())
                .map_err(|error| Rejection::new(Code::Field, error.to_string()))
        }
        FreezeChange::Lift { freeze } => {
            let record = case
                .state
                .freezes
                .get(&freeze.index)
                .filter(|record| record.entry == *freeze)
                .ok_or_else(|| not_found(format!("{freeze} is not a freeze")))?;
            case.may(Deed::LiftFreeze, record.product.as_ref())?;
            ensure(record.lifted.is_none(), Code::AlreadyDone, || "it was lifted already".into())
        }
    }
}

/// Refuses a standing authorization that is not of the product, or that cannot sign now.
pub(super) fn ensure_stands(state: &State, used: EntryRef, product: &Slug, at: Timestamp) -> Result<(), Rejection> {
    let record = state.authorizations.get(&used.index).filter(|record| record.entry == used);
    let worth = record.filter(|record| record.product == *product).map(|record| {
        let (worth, cause) = judge::authorization_worth(state, record, at);
        (worth == judge::SignOffState::Valid, cause.unwrap_or_default())
    });
    match worth {
        Some((true, _)) => Ok(()),
        Some((false, cause)) => Err(Rejection::new(Code::OutsideBounds, format!("{used} does not stand: {cause}"))),
        None => Err(Rejection::new(Code::NotFound, format!("{used} is not a standing authorization for {product}"))),
    }
}

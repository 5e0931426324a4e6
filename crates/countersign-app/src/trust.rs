//! What a pipeline is told to trust, read from the ledger.
//!
//! The files go into the pipeline's protected configuration by a person's hand: a ledger that could change them by itself
//! would be judge in its own case.

use std::collections::{BTreeMap, BTreeSet};

use countersign_core::act::{ChangeType, DevicePurpose};
use countersign_core::judge::{self, SignOffState};
use countersign_core::policy::{Distinct as PolicyDistinct, Policy};
use countersign_core::state::State;
use countersign_core::words::{Slug, Timestamp};

use crate::attestation::{Distinct, Quorum, Trust, TrustedKey, TrustedPerson};
use crate::error::Error;

/// Returns what the pipeline of one environment of a product is to trust at that moment.
///
/// # Errors
/// There is no such product, or it has no policy.
pub fn of(state: &State, product: &Slug, environment: &Slug, at: Timestamp) -> Result<Trust, Error> {
    if !state.products.get(product).is_some_and(|(_, body)| body.path.contains(environment)) {
        return Err(Error::not_found(format!("{product} has no environment {environment}")));
    }
    let dispatchers = state
        .devices
        .values()
        .filter(|device| device.card.purpose == DevicePurpose::Dispatcher)
        .filter(|device| judge::is_dispatcher(state, &device.card.principal))
        .map(|device| TrustedKey { principal: device.card.principal.clone(), key: device.card.key, valid_before: None })
        .collect();
    let quorum = if state.last_environment(product) == Some(environment) {
        Some(quorum(state, product, environment, at)?)
    } else {
        None
    };
    Ok(Trust {
        environment: environment.clone(),
        product: Some(product.clone()),
        ledger: state.origin.clone(),
        dispatchers,
        quorum,
    })
}

fn quorum(state: &State, product: &Slug, environment: &Slug, at: Timestamp) -> Result<Quorum, Error> {
    let record = state.policy(product).ok_or_else(|| Error::not_found(format!("{product} has no policy")))?;
    let policy = &record.policy;
    let asked = |policy: &Policy| -> BTreeMap<Slug, u32> {
        policy.quorum.iter().map(|rule| (rule.role.clone(), u32::try_from(rule.count).unwrap_or(u32::MAX))).collect()
    };
    let roles = asked(policy);
    let mut by_change: BTreeMap<_, _> =
        ChangeType::ALL.iter().map(|change| (*change, asked(record.for_change(*change)))).collect();
    by_change.retain(|_, own| *own != roles);
    let all: BTreeSet<&Slug> = by_change.values().chain([&roles]).flat_map(BTreeMap::keys).collect();
    let people = state
        .people
        .values()
        .filter(|person| person.accepted.is_some())
        .filter_map(|person| {
            let key = person.current_key()?;
            let held = all
                .iter()
                .filter(|role| person.holds(role.as_str(), Some(product), at))
                .map(|role| (*role).clone())
                .collect();
            let key = TrustedKey {
                principal: person.card.principal.clone(),
                key: key.key,
                valid_before: Some(key.valid_until),
            };
            Some(TrustedPerson { key, roles: held })
        })
        .collect();
    let distinct = if policy.distinct.contains(&PolicyDistinct::Requester) {
        Distinct::SignersAndRequester
    } else {
        Distinct::Signers
    };
    let authorizations = state
        .authorizations
        .values()
        .filter(|record| record.product == *product && record.environment == *environment)
        .filter(|record| judge::authorization_worth(state, record, at).0 == SignOffState::Valid)
        .map(|record| record.entry.leaf)
        .collect();
    Ok(Quorum { roles, by_change, people, distinct, authorizations })
}

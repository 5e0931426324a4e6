//! Roles that need two people, roles lent for a while, recovery, and who can complete a quorum.
//!
//! Deliberately absent: what any of it takes. The rules are the core's.

use std::collections::BTreeSet;

use countersign_core::act::{Act, Approval, Grant, Key, KeyChange, Meaning, Qualification, Role, Verdict};
use countersign_core::judge::{self, Feasibility};
use countersign_core::state::{RoleOrigin, State};
use countersign_core::words::{EntryRef, Principal, ReleaseId, Slug, Timestamp};
use serde::Serialize;

use crate::clock;
use crate::error::{Error, ErrorKind};
use crate::ledger::Ledger;
use crate::people::{self, Signing};

/// A role somebody is to have.
#[derive(Debug, Clone)]
pub struct Appointment {
    /// Who.
    pub principal: Principal,
    /// The role.
    pub role: Slug,
    /// Only for this product.
    pub product: Option<Slug>,
    /// The role ends after this moment.
    pub until: Option<Timestamp>,
    /// What shows that they are trained for it.
    pub qualification: Option<Qualification>,
}

/// Gives a role, ends it, lends it, or makes a new process owner where the others are gone.
///
/// # Errors
/// A rule refuses, or there is no such product.
pub fn appoint(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    change: Grant,
    appointment: Appointment,
) -> Result<EntryRef, Error> {
    let Appointment { principal, role, product, until, qualification } = appointment;
    if let Some(product) = &product {
        crate::products::known(ledger.state(), product)?;
    }
    signing.record(ledger, Role { change, principal, product, qualification, role, until })
}

/// What waits for a second person, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaitingRow {
    /// Whose role, or who.
    pub principal: Principal,
    /// The role; none where their identity waits.
    pub role: Option<Slug>,
    /// Only for this product.
    pub product: Option<Slug>,
    /// Whether it is the recovery of the ledger.
    pub recovery: bool,
    /// The entry that is to be confirmed.
    pub entry: u64,
    /// Who asked for it, and so cannot confirm it.
    pub by: Vec<Principal>,
    /// Who can confirm it now.
    pub can_confirm: Vec<Principal>,
}

/// Returns everything about people that waits for a second person.
pub fn waiting(state: &State, at: Timestamp) -> Vec<WaitingRow> {
    judge::waiting_for_second(state)
        .into_iter()
        .map(|waiting| WaitingRow {
            principal: waiting.person.clone(),
            role: waiting.role.map(|record| record.role.clone()),
            product: waiting.role.and_then(|record| record.product.clone()),
            recovery: waiting.role.is_some_and(|record| matches!(record.origin, RoleOrigin::Recovered { .. })),
            entry: waiting.entry.index,
            by: waiting.by.iter().map(|who| (*who).clone()).collect(),
            can_confirm: state
                .people
                .keys()
                .filter(|who| judge::may_confirm(state, &waiting, who, at))
                .cloned()
                .collect(),
        })
        .collect()
}

/// Confirms as a second person a role of somebody (their identity where no role is named), or signs a recovery.
///
/// # Errors
/// Nothing of it waits, or a rule refuses.
pub fn confirm(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    principal: &Principal,
    role: Option<&Slug>,
    as_role: Option<Slug>,
) -> Result<EntryRef, Error> {
    ledger.refresh()?;
    let state = ledger.state();
    let waiting = judge::waiting_for_second(state);
    let found =
        waiting.iter().find(|waiting| waiting.person == principal && waiting.role.map(|record| &record.role) == role);
    let Some(found) = found else {
        let what = role.map_or_else(|| "identity".to_owned(), ToString::to_string);
        return Err(Error::new(ErrorKind::No, "already_done", format!("{what} of {principal} waits for nobody"))
            .hint("`countersign person waiting` shows what waits"));
    };
    let act = confirmation(state, &signing.by, found.entry.index, as_role, clock::now())?;
    signing.record(ledger, act)
}

/// Returns a second person's word for whatever of people waits at that entry.
///
/// # Errors
/// Nothing waits there, or they hold no role to say so in.
pub(crate) fn confirmation(
    state: &State,
    by: &Principal,
    entry: u64,
    as_role: Option<Slug>,
    at: Timestamp,
) -> Result<Approval, Error> {
    let waiting = judge::waiting_for_second(state).into_iter().find(|waiting| waiting.entry.index == entry);
    let found = waiting.ok_or_else(|| {
        Error::new(ErrorKind::No, "already_done", format!("what entry {entry} says waits for nobody"))
    })?;
    let product = found.role.and_then(|record| record.product.as_ref());
    let recovery = found.role.is_some_and(|record| matches!(record.origin, RoleOrigin::Recovered { .. }));
    let role = match as_role {
        Some(role) => role,
        None if recovery => judge::RECOVERY.parse().expect("a lawful name"),
        None => people::any_role(state, by, product, at)?,
    };
    Ok(Approval {
        authorization: None,
        conditions: Vec::new(),
        meaning: Meaning::Confirmation,
        request: found.entry,
        role,
        verdict: Verdict::Go,
    })
}

/// Returns what ends whatever a person can do: every role they hold, then their key.
///
/// # Errors
/// There is no such person.
pub(crate) fn leaving(state: &State, principal: &Principal) -> Result<Vec<Act>, Error> {
    let person = state.people.get(principal).ok_or_else(|| {
        Error::not_found(format!("there is no person {principal}")).hint("`countersign person list` shows everybody")
    })?;
    let held: BTreeSet<(Slug, Option<Slug>)> = person
        .roles
        .iter()
        .filter(|record| record.lapsed.is_none())
        .map(|record| (record.role.clone(), record.product.clone()))
        .collect();
    let lapse = |(role, product)| -> Act {
        let principal = principal.clone();
        Role { change: Grant::Lapse, principal, product, qualification: None, role, until: None }.into()
    };
    let mut acts: Vec<Act> = held.into_iter().map(lapse).collect();
    if person.current_key().is_some() {
        acts.push(Key { change: KeyChange::Revoke {}, principal: principal.clone() }.into());
    }
    Ok(acts)
}

/// Ends whatever a person can do: every role they hold, then their key.
///
/// Each is an entry of its own; what a refusal in between leaves is ended by asking again.
///
/// # Errors
/// A rule refuses.
pub fn leave(ledger: &mut Ledger, signing: &mut Signing<'_>, principal: &Principal) -> Result<Vec<EntryRef>, Error> {
    ledger.refresh()?;
    let acts = leaving(ledger.state(), principal)?;
    acts.into_iter().map(|act| signing.record(ledger, act)).collect()
}

/// Returns who can complete the quorum of a release while those people are absent.
///
/// # Errors
/// There is no such release, or its product has no policy.
pub fn feasibility(
    state: &State,
    release: &ReleaseId,
    absent: &BTreeSet<Principal>,
    at: Timestamp,
) -> Result<Feasibility, Error> {
    let release = known(state, release)?;
    judge::feasibility(state, release, absent, at)
        .ok_or_else(|| Error::not_found(format!("{} has no policy", release.candidate.product)))
}

/// Returns what is missing once this person has signed GO as that role.
///
/// # Errors
/// They may not sign as that role, or there is no such release.
pub fn after_signature(
    state: &State,
    release: &ReleaseId,
    who: &Principal,
    role: &Slug,
    at: Timestamp,
) -> Result<Feasibility, Error> {
    Ok(judge::after_signature(state, known(state, release)?, who, role, at)?)
}

fn known<'a>(state: &'a State, id: &ReleaseId) -> Result<&'a countersign_core::state::Release, Error> {
    state.releases.get(id).ok_or_else(|| {
        Error::not_found(format!("there is no release {id}")).hint("`countersign release list` shows them")
    })
}

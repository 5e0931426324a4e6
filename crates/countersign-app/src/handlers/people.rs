//! People, their keys and roles, devices, and who has looked over what.

use std::collections::BTreeMap;

use countersign_core::act::{Act, DevicePurpose};
use countersign_core::judge;
use countersign_core::permission::Deed;
use countersign_core::state::{KeyEnd, RoleOrigin, RoleRecord, State};
use countersign_core::words::{Principal, Timestamp, role};

use super::events;
use super::host::{Host, Open};
use super::show::{count, person};
use crate::clock;
use crate::error::Error;
use crate::lockout::Lockout;
use crate::wire as w;
use crate::{authority, people};

/// Returns people, devices, roles and reviews.
///
/// # Errors
/// No ledger is open, or the desk is locked.
pub fn people(host: &Host) -> Result<w::People, w::AppError> {
    host.read(|open| {
        let at = clock::now();
        let state = open.ledger.state();
        let here = people::keys_here(&open.ledger)?;
        let rows = people::list(state, &here, at);
        let recovery = state.genesis.as_ref().map(|genesis| &genesis.recovery);
        Ok(w::People {
            at: at.to_string(),
            people: rows.into_iter().map(|row| person_row(open, row, at)).collect::<Result<_, _>>()?,
            devices: devices(open, at),
            roles: roles(state, at),
            reviews: state
                .reviews
                .iter()
                .rev()
                .map(|review| w::ReviewRow {
                    entry: count(review.entry.index),
                    scope: review.body.scope.into(),
                    from: count(review.body.from),
                    until: count(review.body.until),
                    findings: review.body.findings.to_string(),
                })
                .collect(),
            reviews_due: judge::reviews_due(state)
                .map(|(scope, due)| w::ReviewRound { scope: scope.into(), due: due.to_string(), overdue: due < at })
                .collect(),
            recovery: w::RecoveryView {
                needed: recovery.map_or(0, |recovery| count(recovery.needed)),
                people: recovery.map(|recovery| super::show::people(state, &recovery.people)).unwrap_or_default(),
                wait_hours: recovery.map_or(0, |recovery| count(recovery.wait_hours)),
                under_way: recoveries(state),
            },
            waiting: waiting(open, at),
            vacancies: judge::vacancies(state, at).into_iter().map(ToString::to_string).collect(),
            charter: state.genesis.as_ref().and_then(|genesis| genesis.charter).map(|charter| w::CharterView {
                identity_by_two: charter.co_signed_identity,
                roles_by_two: charter.co_signed_roles,
                key_days: count(charter.key_days),
                review_days: charter.review_days.map(count),
            }),
            permissions: permissions(),
        })
    })
}

/// Returns the table of permissions, row by row, as the rules have it.
fn permissions() -> Vec<w::PermissionRow> {
    let row = |deed: &Deed| w::PermissionRow {
        deed: (*deed).into(),
        roles: role::FIXED.iter().filter(|role| deed.may().with(role, false)).map(ToString::to_string).collect(),
        asked: deed.may().with("", true),
    };
    Deed::ALL.iter().map(row).collect()
}

/// Returns what waits for a second person, and whether the one at the desk could be it.
pub(super) fn waiting(open: &Open, at: Timestamp) -> Vec<w::WaitingRow> {
    let state = open.ledger.state();
    let row = |row: authority::WaitingRow| {
        let key = state.people.get(&row.principal).and_then(|person| person.current_key());
        w::WaitingRow {
            entry: count(row.entry),
            kind: match row.role {
                None => w::WaitingKind::Identity,
                Some(_) if row.recovery => w::WaitingKind::Recovery,
                Some(_) => w::WaitingKind::Role,
            },
            person: person(state, &row.principal),
            key: key.filter(|_| row.role.is_none()).map(|key| key.key.fingerprint()),
            role: row.role.as_ref().map(ToString::to_string),
            product: row.product.as_ref().map(ToString::to_string),
            by: super::show::people(state, &row.by),
            me: open.me.as_ref().is_some_and(|me| row.can_confirm.contains(me)),
            can_confirm: super::show::people(state, &row.can_confirm),
        }
    };
    authority::waiting(state, at).into_iter().map(row).collect()
}

fn recoveries(state: &State) -> Vec<w::RecoveryUnderWay> {
    let of = |who: &Principal, record: &RoleRecord| match &record.origin {
        RoleOrigin::Recovered { by, from } if record.lapsed.is_none() => Some(w::RecoveryUnderWay {
            entry: count(record.granted.index),
            person: person(state, who),
            by: super::show::people(state, by),
            from: from.map(|from| from.to_string()),
        }),
        _ => None,
    };
    state.people.iter().flat_map(|(who, known)| known.roles.iter().filter_map(move |record| of(who, record))).collect()
}

fn person_row(open: &Open, row: people::PersonRow, at: Timestamp) -> Result<w::PersonRow, Error> {
    let state = open.ledger.state();
    let known = &state.people[&row.principal];
    let key = known.keys.last();
    let ended = key.is_some_and(|key| matches!(key.ended, Some((_, KeyEnd::Revoked))));
    let expired = known.current_key().is_some_and(|key| at > key.valid_until);
    let (wrong, until) = match known.current_key().filter(|_| row.key_here) {
        Some(key) => Lockout::new(open.ledger.desk().lockout()).status(&key.key.fingerprint(), at.to_chrono())?,
        None => (0, None),
    };
    let (_, statement) = events::read(open.ledger.leaf(row.enrolled)?, row.enrolled)?;
    let identity = match statement.act {
        Act::Enrol(body) => Some(body.identity.to_string()),
        _ => None,
    };
    Ok(w::PersonRow {
        state: if row.accepted.is_none() {
            w::PersonState::WaitsToAccept
        } else if ended {
            w::PersonState::KeyEnded
        } else if expired {
            w::PersonState::KeyExpired
        } else if row.roles.is_empty() {
            w::PersonState::NoRole
        } else {
            w::PersonState::Active
        },
        me: open.me.as_ref() == Some(&row.principal),
        name: row.name.to_string(),
        emails: row.emails.iter().map(ToString::to_string).collect(),
        enrolled: count(row.enrolled),
        enrolled_by: person(state, &row.enrolled_by),
        enrolled_at: open.ledger.index().time(row.enrolled).map(|time| time.to_string()),
        identity,
        accepted: row.accepted.map(count),
        roles: row.roles.iter().map(|held| super::desk::role_held(state, held)).collect(),
        keys: row
            .keys
            .iter()
            .map(|key| w::KeyRow {
                fingerprint: key.fingerprint.clone(),
                origin: key.origin.into(),
                valid_until: key.valid_until.to_string(),
                since: count(key.since),
                state: match key.status {
                    "rotated" => w::KeyState::Rotated,
                    "revoked" => w::KeyState::Revoked,
                    "expired" => w::KeyState::Expired,
                    _ => w::KeyState::InUse,
                },
                ended: key.ended.map(count),
            })
            .collect(),
        key_here: row.key_here,
        wrong,
        locked_until: until.and_then(clock::of_server).map(|until| until.to_string()),
        principal: row.principal.to_string(),
    })
}

fn devices(open: &Open, at: Timestamp) -> Vec<w::DeviceRow> {
    let state = open.ledger.state();
    let may = |row: &people::DeviceRow| {
        open.me
            .as_ref()
            .is_some_and(|me| *me != row.enrolled_by && state.people.get(me).is_some_and(|known| known.holds_any(at)))
    };
    let row = |row: people::DeviceRow| {
        let waits = row.revoked.is_none() && row.purpose == DevicePurpose::Dispatcher && row.confirmed.is_none();
        w::DeviceRow {
            may_confirm: waits && may(&row),
            principal: row.principal.to_string(),
            name: row.name.to_string(),
            purpose: row.purpose.into(),
            fingerprint: row.fingerprint,
            enrolled: count(row.enrolled),
            enrolled_by: person(state, &row.enrolled_by),
            confirmed: row.confirmed.map(count),
            revoked: row.revoked.map(count),
            state: if row.revoked.is_some() {
                w::DeviceState::Revoked
            } else if waits {
                w::DeviceState::WaitsForSecond
            } else {
                w::DeviceState::InUse
            },
            this_machine: row.this_machine,
        }
    };
    people::devices(&open.ledger).into_iter().map(row).collect()
}

/// Returns every role: the fixed ones, those a policy asks for, those somebody holds.
fn roles(state: &State, at: Timestamp) -> Vec<w::RoleUse> {
    let mut roles: BTreeMap<String, w::RoleUse> = BTreeMap::new();
    let fresh = |name: &str| w::RoleUse {
        role: name.to_owned(),
        fixed: role::FIXED.contains(&name),
        holders: 0,
        asked_by: Vec::new(),
    };
    for fixed in role::FIXED {
        roles.insert(fixed.to_owned(), fresh(fixed));
    }
    for product in state.products.keys() {
        let Some(policy) = state.policy(product) else { continue };
        for role in policy.roles_asked() {
            let used = roles.entry(role.to_string()).or_insert_with(|| fresh(role.as_str()));
            used.asked_by.push(product.to_string());
        }
    }
    let held: Vec<(&Principal, String)> = state
        .people
        .values()
        .flat_map(|known| known.roles.iter().map(move |record| (&known.card.principal, record)))
        .filter(|(_, record)| record.in_force(at))
        .map(|(who, record)| (who, record.role.to_string()))
        .collect();
    for (place, (who, name)) in held.iter().enumerate() {
        let used = roles.entry(name.clone()).or_insert_with(|| fresh(name));
        // Who holds a role for several products is one holder.
        if !held[..place].iter().any(|(other, role)| other == who && role == name) {
            used.holders += 1;
        }
    }
    let mut roles: Vec<w::RoleUse> = roles.into_values().collect();
    roles.sort_by_key(|used| (!used.fixed, used.role.clone()));
    roles
}

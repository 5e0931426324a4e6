//! People, keys and devices.

use super::{Source, moment};
use crate::model::{Device, DeviceKeyStore, Key, KeyStatus, Person, RoleSpan};
use countersign_core::act::{Act, KeyChange};
use countersign_core::state::{self, KeyEnd, KeyRecord};

/// So many days before its end a key is said to be due.
const DUE_DAYS: i64 = 30;
const DAY_SECONDS: i64 = 86_400;

/// Everybody, in the order of their enrolment.
pub(super) fn people(source: &Source<'_>) -> Vec<Person> {
    let mut all: Vec<&state::Person> = source.state.people.values().collect();
    all.sort_by_key(|it| it.enrolled);
    all.into_iter().map(|it| person(source, it)).collect()
}

fn person(source: &Source<'_>, it: &state::Person) -> Person {
    Person {
        name: it.card.name.to_string(),
        principal: it.card.principal.to_string(),
        identity: match source.leaf(it.enrolled.index).and_then(|leaf| leaf.admitted()).map(|it| &it.act) {
            Some(Act::Enrol(body)) => Some(body.identity.to_string()),
            _ => None,
        },
        roles: it
            .roles
            .iter()
            .map(|span| RoleSpan {
                role: match span.delegated_by() {
                    Some(of) => format!("{}, in the place of {}", span.role, source.state.printed_name(of)),
                    None if span.waits() => format!("{}, which waits for a second person", span.role),
                    None => span.role.to_string(),
                },
                product: span.product.as_ref().map(ToString::to_string),
                expires: span.until.map(|until| moment(until, source.zone_of(span.granted.index))),
                from: span.granted.index,
                until: span.lapsed.map(|entry| entry.index),
            })
            .collect(),
        keys: it.keys.iter().map(|record| key(source, record)).collect(),
        enrolled: source.stamp(it.enrolled.index),
        accepted: it.accepted.map(|entry| entry.index),
        qualification: qualification(it),
    }
}

/// What they are trained for, by which record and until when.
fn qualification(it: &state::Person) -> Option<String> {
    let trained: Vec<String> = it
        .roles
        .iter()
        .filter(|span| span.lapsed.is_none())
        .filter_map(|span| {
            let trained = span.qualification.as_ref()?;
            Some(format!("{}: {} until {}", span.role, trained.reference, trained.until))
        })
        .collect();
    (!trained.is_empty()).then(|| trained.join("; "))
}

fn key(source: &Source<'_>, it: &KeyRecord) -> Key {
    let zone = source.zone_of(it.since.index);
    Key {
        fingerprint: it.key.fingerprint(),
        origin: it.origin,
        enrolled: source.stamp(it.since.index),
        identity_stated_by: None,
        valid_until: Some(moment(it.valid_until, zone)),
        status: status(source, it),
    }
}

fn status(source: &Source<'_>, it: &KeyRecord) -> KeyStatus {
    match it.ended {
        Some((entry, KeyEnd::Rotated)) => KeyStatus::Rotated { entry: entry.index },
        Some((entry, KeyEnd::Revoked)) => {
            let act = source.leaf(entry.index).and_then(|leaf| leaf.statement.as_ref()).map(|it| &it.act);
            let lost = matches!(act, Some(Act::Key(body)) if matches!(body.change, KeyChange::Lost {}));
            let reason = source.reason(entry.index);
            let reason = if lost { format!("reported lost: {reason}") } else { reason };
            KeyStatus::Revoked { entry: entry.index, reason }
        }
        None if source.now > it.valid_until => KeyStatus::Expired,
        None => match it.valid_until.seconds_since(source.now) / DAY_SECONDS {
            days @ 0..=DUE_DAYS => KeyStatus::DueSoon { days: days.unsigned_abs() },
            _ => KeyStatus::InForce,
        },
    }
}

/// Every device, in the order of their enrolment.
pub(super) fn devices(source: &Source<'_>) -> Vec<Device> {
    let mut all: Vec<&state::Device> = source.state.devices.values().collect();
    all.sort_by_key(|it| (it.enrolled, it.card.principal.clone()));
    all.into_iter()
        .map(|it| Device {
            name: it.card.name.to_string(),
            id: it.card.principal.to_string(),
            purpose: it.card.purpose,
            key_store: DeviceKeyStore::Unknown,
            key_fingerprint: it.card.key.fingerprint(),
            log_key_fingerprint: it.card.log_key.map(|key| key.fingerprint()),
            enrolled: source.stamp(it.enrolled.index),
            confirmed: it.confirmed.map(|entry| entry.index),
            revoked: it.revoked.map(|entry| entry.index),
        })
        .collect()
}

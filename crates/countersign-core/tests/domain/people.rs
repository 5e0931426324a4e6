//! People, roles, keys and devices: who may come in, who may act, and from which entry on.

use countersign_core::act::{
    Act, Attempt, DevicePurpose, Grant, Key, KeyChange, KeyOrigin, Refusal, Review, ReviewScope, Role,
};
use countersign_core::judge::{self, SignOffState};
use countersign_core::rejection::Code;
use countersign_core::sshsig::PublicKey;

use super::*;

const NINA: &str = "nina@acme.example";
const DESK_2: &str = "desk-2@acme.example";
const WORKER_2: &str = "worker-2@acme.example";

#[test]
fn a_process_owner_brings_people_in_and_nobody_else_does() {
    given()
        .refuses(Code::RoleMissing, enrol(NINA, &[]).by(RITA))
        .refuses(Code::WrongSigner, enrol(NINA, &[]).by(DESK))
        .refuses(
            Code::KeyExpired,
            enrol(NINA, &[]).forging(|statement| {
                if let Act::Enrol(body) = &mut statement.act {
                    body.person.valid_until = statement.common.time;
                }
            }),
        )
        .when(enrol(NINA, &[]));
}

#[test]
fn keys_and_principals_are_used_once_for_ever() {
    let key = |name: &'static str| {
        move |statement: &mut countersign_core::admit::Statement| {
            if let Act::Enrol(body) = &mut statement.act {
                body.person.key = PublicKey::of(&key_of(name));
            }
        }
    };
    given()
        .refuses_saying(Code::Reused, "never given again", enrol(QUINN, &[]).forging(key("new")))
        .refuses_saying(Code::Reused, "never given again", enrol(DESK, &[]).forging(key("new")))
        .refuses_saying(Code::Reused, "key", enrol(NINA, &[]).forging(key(QUINN)))
        .refuses_saying(Code::Reused, "key", enrol(NINA, &[]).forging(key(DESK)))
        .refuses_saying(Code::Reused, "key", enrol(NINA, &[]).forging(key("desk-1@acme.example log")))
        .refuses(Code::Reused, enrol_device(QUINN, DevicePurpose::Desk))
        .refuses_saying(
            Code::Reused,
            "two jobs",
            enrol_device(DESK_2, DevicePurpose::Desk).forging(|statement| {
                if let Act::Device(body) = &mut statement.act
                    && let countersign_core::act::DeviceChange::Enrol { device } = &mut body.change
                {
                    device.log_key = Some(device.key);
                }
            }),
        )
        // Leaving frees neither.
        .when(key_change(KeyChange::Revoke {}, QUINN))
        .refuses(Code::Reused, enrol(QUINN, &[]).forging(key("new")))
        .refuses(Code::Reused, enrol(NINA, &[]).forging(key(QUINN)))
        .refuses(Code::AlreadyDone, key_change(KeyChange::Revoke {}, QUINN))
        .when(revoke_device(WORKER))
        .refuses(Code::Reused, enrol_device(WORKER, DevicePurpose::Dispatcher))
        .refuses(Code::AlreadyDone, revoke_device(WORKER))
        // Nor does a rotation free the key before it.
        .when(rotate(RITA, "rita 2"))
        .signing_with(RITA, "rita 2")
        .refuses(Code::Reused, rotate(RITA, RITA))
        .refuses(Code::Reused, rotate(RITA, "rita 2"));
}

#[test]
fn roles_count_from_their_grant_to_their_lapse_or_end() {
    let until = |seconds: i64| {
        step(OLGA, move |world| {
            Role {
                change: Grant::Grant,
                principal: word(PAUL),
                product: None,
                qualification: None,
                role: word("release-manager"),
                until: Some(world.now.plus_seconds(seconds)),
            }
            .into()
        })
    };
    given()
        .refuses(Code::RoleMissing, role_change(Grant::Grant, PAUL, "qa").by(RITA))
        .refuses(Code::NotFound, role_change(Grant::Grant, NINA, "qa"))
        .refuses(Code::AlreadyDone, role_change(Grant::Grant, QUINN, "qa"))
        .refuses(Code::NotFound, role_change(Grant::Lapse, PAUL, "qa"))
        .refuses(Code::Expired, until(0))
        .refuses(Code::RoleMissing, declare_freeze(None, 60).by(PAUL))
        .when(until(60))
        .refuses(Code::AlreadyDone, until(120))
        .when(declare_freeze(None, 60).by(PAUL))
        .later(60)
        .when(declare_freeze(None, 60).by(PAUL))
        .later(1)
        .refuses(Code::RoleMissing, declare_freeze(None, 60).by(PAUL))
        // A role that ended by itself can be given again.
        .when(until(60))
        .when(declare_freeze(None, 60).by(PAUL))
        .when(role_change(Grant::Lapse, PAUL, "release-manager"))
        .refuses(Code::RoleMissing, declare_freeze(None, 60).by(PAUL));
}

#[test]
fn a_role_for_one_product_is_none_for_another() {
    let for_product = |change: Grant, role: &'static str, product: &'static str| {
        step(OLGA, move |_| {
            Role {
                change,
                principal: word(PAUL),
                product: Some(word(product)),
                qualification: None,
                role: word(role),
                until: None,
            }
            .into()
        })
    };
    given()
        .when(for_product(Grant::Grant, "release-manager", "valve"))
        .refuses(Code::RoleMissing, declare_freeze(None, 60).by(PAUL))
        .when(for_product(Grant::Grant, "release-manager", PRODUCT))
        .when(declare_freeze(None, 60).by(PAUL))
        // Owner of one product is not owner of the ledger, and may go even when the ledger has one owner.
        .when(for_product(Grant::Grant, "process-owner", PRODUCT))
        .refuses(Code::RoleMissing, role_change(Grant::Grant, NINA, "qa").by(PAUL))
        .when(role_change(Grant::Lapse, OTTO, "process-owner"))
        .when(for_product(Grant::Lapse, "process-owner", PRODUCT));
}

#[test]
fn the_last_process_owner_who_can_act_stays() {
    given()
        .when(role_change(Grant::Lapse, OTTO, "process-owner"))
        .refuses_saying(Code::WrongState, "last process owner", role_change(Grant::Lapse, OLGA, "process-owner"))
        .when(role_change(Grant::Grant, OTTO, "process-owner"))
        // An owner without a key is none.
        .when(key_change(KeyChange::Lost {}, OTTO))
        .refuses_saying(Code::WrongState, "last process owner", role_change(Grant::Lapse, OLGA, "process-owner"))
        .when(role_change(Grant::Grant, SAM, "process-owner"))
        .when(role_change(Grant::Lapse, OLGA, "process-owner"))
        .refuses(Code::RoleMissing, role_change(Grant::Grant, OLGA, "process-owner"));
    // Nor is one who never accepted.
    given()
        .when(role_change(Grant::Lapse, OTTO, "process-owner"))
        .when(enrol(NINA, &[]))
        .when(role_change(Grant::Grant, NINA, "process-owner"))
        .refuses(Code::WrongState, role_change(Grant::Lapse, OLGA, "process-owner"))
        .when(accept_by(NINA))
        .when(role_change(Grant::Lapse, OLGA, "process-owner"));
}

#[test]
fn a_key_ends_exactly_at_its_entry() {
    for change in [KeyChange::Revoke {}, KeyChange::Lost {}] {
        given()
            .ready("r1")
            .when(go(QUINN, "r1", "qa"))
            .when(key_change(change.clone(), QUINN))
            .refuses(Code::KeyRevoked, go(QUINN, "r1", "qa"))
            // Whatever time the entry claims.
            .refuses(Code::KeyRevoked, go(QUINN, "r1", "qa").at(word("2026-11-22T09:00:01Z")))
            .worth("r1", QUINN, SignOffState::KeyRevoked, "revoked by entry");
    }
    given()
        .refuses(Code::RoleMissing, key_change(KeyChange::Revoke {}, QUINN).by(RITA))
        .refuses(Code::NotFound, key_change(KeyChange::Revoke {}, NINA))
        .when(key_change(KeyChange::Lost {}, QUINN).by(QUINN))
        .refuses(Code::KeyRevoked, rotate(QUINN, "quinn 2"));
}

#[test]
fn a_rotated_key_keeps_its_person_and_its_signatures() {
    given()
        .ready("r1")
        .when(go(QUINN, "r1", "qa"))
        .refuses_saying(Code::RoleMissing, "owner renews", rotate(QUINN, "quinn 2").by(OLGA))
        .refuses(
            Code::KeyExpired,
            step(QUINN, |world| {
                let key = PublicKey::of(&key_of("quinn 2"));
                let change = KeyChange::Rotate { key, key_origin: KeyOrigin::Imported, valid_until: world.now };
                Key { change, principal: word(QUINN) }.into()
            }),
        )
        .when(rotate(QUINN, "quinn 2"))
        .worth("r1", QUINN, SignOffState::Valid, "")
        .refuses_saying(Code::KeyRevoked, "replaced", go(QUINN, "r1", "qa").with_key(QUINN))
        .signing_with(QUINN, "quinn 2")
        .when(go(QUINN, "r1", "qa"))
        .worth("r1", QUINN, SignOffState::Valid, "");
}

#[test]
fn an_expired_key_signs_nothing_and_unsigns_nothing() {
    let end = given().state.people[&word::<countersign_core::words::Principal>(QUINN)].keys[0].valid_until;
    let start = given().now;
    given_policy_with(&[("soak_seconds = 3600", "soak_seconds = 0")])
        .later(end.seconds_since(start) - 3600)
        .ready("r1")
        .then(|world| assert_eq!(world.now, end))
        .when(go(QUINN, "r1", "qa"))
        .later(1)
        .refuses(Code::KeyExpired, go(QUINN, "r1", "qa"))
        .worth("r1", QUINN, SignOffState::Valid, "");
}

#[test]
fn a_dispatcher_counts_once_a_second_person_has_confirmed_it() {
    let world = given().proven("r1").when(enrol_device(WORKER_2, DevicePurpose::Dispatcher));
    let waiting = |world: &World| judge::is_dispatcher(&world.state, &word(WORKER_2));
    world
        .then(|world| assert!(!waiting(world)))
        .refuses_saying(Code::WrongSigner, "dispatcher", deliver("r1", "one").by(WORKER_2))
        .refuses_saying(Code::SegregationFailed, "second person", confirm_device(WORKER_2).by(OLGA))
        .refuses(Code::RoleMissing, confirm_device(WORKER_2).by(PAUL))
        .refuses(Code::WrongSigner, confirm_device(WORKER_2).by(WORKER))
        .when(confirm_device(WORKER_2))
        .then(|world| assert!(waiting(world)))
        .refuses(Code::AlreadyDone, confirm_device(WORKER_2))
        .when(deliver("r1", "one").by(WORKER_2))
        .when(revoke_device(WORKER_2))
        .then(|world| assert!(!waiting(world)))
        .refuses(Code::KeyRevoked, deliver("r1", "two").by(WORKER_2));
    // A desk never becomes one, and a dispatcher that went before anybody confirmed it never does.
    given()
        .proven("r1")
        .when(enrol_device(DESK_2, DevicePurpose::Desk))
        .refuses(Code::NotFound, confirm_device(DESK_2))
        .refuses(
            Code::WrongSigner,
            deliver("r1", "one")
                .by(WORKER)
                .with_key(WORKER)
                .forging(|statement| {
                    statement.common.signer.principal = word(DESK);
                    statement.common.signer.name = word("desk-1");
                })
                .with_key(DESK),
        )
        .when(enrol_device(WORKER_2, DevicePurpose::Dispatcher))
        .when(revoke_device(WORKER_2))
        .refuses(Code::AlreadyDone, confirm_device(WORKER_2));
}

#[test]
fn on_a_sample_one_person_brings_a_dispatcher_in() {
    given_sample()
        .then(|world| assert!(world.state.sample()))
        .proven("r1")
        .when(enrol_device(WORKER_2, DevicePurpose::Dispatcher))
        .when(deliver("r1", "one").by(WORKER_2));
}

#[test]
fn a_desk_that_was_revoked_is_no_desk() {
    let elsewhere = |statement: &mut countersign_core::admit::Statement| statement.common.device = word(DESK_2);
    given()
        .refuses_saying(Code::WrongState, "itself", revoke_device(DESK))
        .when(enrol_device(DESK_2, DevicePurpose::Desk))
        .when(propose("r1").forging(elsewhere))
        .when(revoke_device(DESK_2))
        .refuses(Code::UnknownDevice, propose("r2").forging(elsewhere));
}

#[test]
fn attempts_and_refusals_come_at_most_once_a_minute() {
    let attempt = || step(DESK, |_| Attempt { count: 3, principal: word(QUINN) }.into());
    let refused = |code: &'static str, who: &'static str, release: Option<&'static str>| {
        step(DESK, move |_| {
            Refusal {
                act: word("approval"),
                code: word(code),
                message: word("refused"),
                principal: Some(word(who)),
                release: release.map(word),
            }
            .into()
        })
    };
    let refusal = |code: &'static str| refused(code, QUINN, None);
    let far = given().now.plus_seconds(86_400 * 365);
    given()
        .when(attempt())
        .refuses(Code::AlreadyDone, attempt())
        .later(59)
        .refuses(Code::AlreadyDone, attempt())
        .later(1)
        .when(attempt())
        .when(refusal("on_hold"))
        .refuses(Code::AlreadyDone, refusal("on_hold"))
        .when(refusal("stale"))
        // What one person was refused keeps silent neither what another was, nor what they are refused elsewhere.
        .when(refused("on_hold", SAM, None))
        .when(refused("on_hold", QUINN, Some("r1")))
        .refuses(Code::AlreadyDone, refused("on_hold", QUINN, Some("r1")))
        .later(60)
        .when(refusal("on_hold"))
        // A desk whose clock ran ahead by a year does not silence the others.
        .when(attempt().at(far))
        .when(attempt());
    given().refuses(Code::NotFound, step(DESK, |_| Attempt { count: 1, principal: word(NINA) }.into()));
}

#[test]
fn reviews_are_made_by_owners_and_auditors_over_what_is_there() {
    let review = |from: u64, beyond: u64| {
        step(ADA, move |world| {
            let until = world.state.tree.size() + beyond;
            Review { findings: word("none"), from, release: None, scope: ReviewScope::Trail, until }.into()
        })
    };
    given()
        .refuses(Code::RoleMissing, review(0, 0).by(QUINN))
        .refuses(Code::Field, review(0, 1))
        .refuses(Code::Field, review(u64::from(u32::MAX), 0))
        .when(review(0, 0))
        .then(|world| assert_eq!(world.state.reviews.len(), 1));
}

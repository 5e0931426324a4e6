//! Everything with a date, in one list.

use countersign_core::act::{Charter, Grant, Qualification, Review, ReviewScope, Role};
use countersign_core::judge::{self, Deadline, DeadlineKind};
use countersign_core::rejection::Code;
use countersign_core::words::Principal;

use super::*;

fn due(world: &World, days: i64) -> Vec<Deadline> {
    judge::deadlines(&world.state, world.now, world.now.plus_seconds(days * 86_400))
}

fn of(world: &World, days: i64, kind: DeadlineKind) -> Vec<String> {
    due(world, days).into_iter().filter(|one| one.kind == kind).map(|one| one.what).collect()
}

#[test]
fn keys_are_due_by_their_end_and_overdue_behind_it() {
    let world = given();
    assert_eq!(of(&world, 30, DeadlineKind::Key), [""; 0]);
    let all = of(&world, 3660, DeadlineKind::Key);
    assert_eq!(all.len(), world.state.people.len(), "{all:?}");
    let end = world.state.people[&word::<Principal>(QUINN)].current_key().unwrap().valid_until;
    let late = world.clone().later(end.seconds_since(world.now) + 1);
    let found = due(&late, 0);
    assert!(found.iter().any(|one| one.who == Some(word(QUINN)) && one.overdue(late.now)), "{found:?}");
    // A key that was ended is nobody's to renew.
    let gone = world.when(key_change(countersign_core::act::KeyChange::Lost {}, QUINN));
    assert!(of(&gone, 3660, DeadlineKind::Key).iter().all(|what| !what.contains("quinn")));
}

#[test]
fn training_is_due_until_it_is_renewed() {
    let trained = |days: i64| {
        step(OLGA, move |world| {
            Role {
                change: Grant::Grant,
                principal: word(PAUL),
                product: None,
                qualification: Some(Qualification {
                    reference: word("LMS-7"),
                    until: world.now.plus_seconds(days * 86_400),
                }),
                role: word("safety"),
                until: None,
            }
            .into()
        })
    };
    let world = given().when(trained(20));
    assert_eq!(of(&world, 30, DeadlineKind::Qualification).len(), 1);
    assert_eq!(of(&world, 10, DeadlineKind::Qualification).len(), 0);
    let renewed = world.when(trained(200));
    assert_eq!(of(&renewed, 30, DeadlineKind::Qualification).len(), 0);
    assert_eq!(of(&renewed, 300, DeadlineKind::Qualification).len(), 1);
}

#[test]
fn a_sheet_is_due_while_signatures_are_missing_and_a_waiver_while_it_is_needed() {
    let world = given()
        .when(propose("r1"))
        .when(observe("r1", "unit.xml", countersign_core::evidence::Conclusion::Pass))
        .when(waive(SAM, "r1", "static analysis", 86_400 * 2));
    assert_eq!(of(&world, 3, DeadlineKind::Waiver).len(), 1);
    assert_eq!(of(&world, 1, DeadlineKind::Waiver).len(), 0);
    let ready = given().ready("r1");
    assert_eq!(of(&ready, 30, DeadlineKind::Sheet), ["r1 waits for signatures"]);
    assert_eq!(
        of(&ready.when(go(QUINN, "r1", "qa")).when(go(SAM, "r1", "security")), 30, DeadlineKind::Sheet),
        [""; 0]
    );
}

#[test]
fn access_and_trail_are_looked_at_again_as_the_charter_asks() {
    let charter = |days| Charter { co_signed_identity: false, co_signed_roles: true, key_days: 365, review_days: days };
    let review = |scope| {
        step(OLGA, move |world| {
            let until = world.state.tree.size();
            Review { findings: word("no finding"), from: 0, release: None, scope, until }.into()
        })
    };
    let world = unborn().when(genesis_under(charter(Some(90))));
    assert_eq!(of(&world, 89, DeadlineKind::Review), [""; 0]);
    assert_eq!(of(&world, 90, DeadlineKind::Review), ["the access review", "the trail review"]);
    let world = world.later(80 * 86_400).when(review(ReviewScope::Access)).when(review(ReviewScope::Periodic));
    assert_eq!(of(&world, 30, DeadlineKind::Review), ["the trail review"]);
    assert!(due(&world.clone().later(11 * 86_400), 0).iter().any(|one| one.kind == DeadlineKind::Review));
    assert_eq!(of(&unborn().when(genesis_under(charter(None))), 3000, DeadlineKind::Review), [""; 0]);
    for days in [0, 3661] {
        unborn().refuses_saying(Code::Genesis, "1 to 3660", genesis_under(charter(Some(days))));
    }
}

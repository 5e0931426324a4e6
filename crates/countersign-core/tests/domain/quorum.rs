//! Who can still complete a quorum, asked before anybody signs and after each signature.

use std::collections::BTreeSet;

use countersign_core::act::{Grant, KeyChange};
use countersign_core::judge::{self, Feasibility};
use countersign_core::rejection::Code;
use countersign_core::words::Principal;

use super::*;

fn feasible(world: &World, absent: &[&str]) -> Feasibility {
    let absent: BTreeSet<Principal> = absent.iter().map(|who| word(who)).collect();
    judge::feasibility(&world.state, world.release("r1"), &absent, world.now).expect("there is a policy")
}

fn seats(found: &Feasibility) -> Vec<String> {
    found
        .people
        .iter()
        .map(|seat| format!("{} {}", seat.person.as_str().split('@').next().unwrap(), seat.role))
        .collect()
}

fn lacking(found: &Feasibility) -> Vec<String> {
    found.impossible.iter().map(|missing| format!("{} {}", missing.role, missing.count)).collect()
}

#[test]
fn who_can_complete_it_is_known_before_anybody_signs() {
    given()
        .when(propose("r1"))
        .then(|world| {
            let found = feasible(world, &[]);
            assert!(found.possible());
            assert_eq!(found.people.len(), 2, "the fewest people: one for each seat");
            assert_eq!(found.indispensable, [], "others could take either seat");
        })
        // Bo alone is left for security: they are needed there, and qa is for another.
        .when(key_change(KeyChange::Lost {}, SAM))
        .then(|world| {
            let found = feasible(world, &[]);
            assert!(seats(&found).contains(&"bo security".to_owned()), "{:?}", seats(&found));
            assert_eq!(found.indispensable, [word(BOTH)]);
            assert!(!feasible(world, &[BOTH]).possible());
            assert_eq!(lacking(&feasible(world, &[BOTH])), ["security 1"]);
        })
        // Bo comes before Quinn and Quentin: taking the first who can would leave security empty.
        .when(key_change(KeyChange::Lost {}, QUENTIN))
        .then(|world| assert_eq!(seats(&feasible(world, &[])), ["bo security", "quinn qa"]))
        .when(key_change(KeyChange::Lost {}, QUINN))
        // Dana holds qa, and wrote the commits.
        .then(|world| {
            let found = feasible(world, &[]);
            assert!(!found.possible());
            assert_eq!(found.people.len(), 1);
        });
}

#[test]
fn what_a_signature_leaves_missing_is_said_before_it_is_given() {
    let after = |world: &World, who: &str, role: &str| {
        judge::after_signature(&world.state, world.release("r1"), &word(who), &word(role), world.now)
    };
    given()
        .ready("r1")
        .then(|world| {
            let left = after(world, QUINN, "qa").unwrap();
            assert_eq!(left.missing.iter().map(|missing| missing.role.as_str()).collect::<Vec<_>>(), ["security"]);
            assert!(left.possible());
            // With Bo as qa, Sam alone is left for security.
            let left = after(world, BOTH, "qa").unwrap();
            assert_eq!(left.indispensable, [word(SAM)]);
            assert_eq!(after(world, DANA, "qa").unwrap_err().code, Code::SegregationFailed);
            assert_eq!(after(world, QUINN, "security").unwrap_err().code, Code::RoleMissing);
            assert_eq!(after(world, QUINN, "safety").unwrap_err().code, Code::RoleMissing);
        })
        .when(go(QUINN, "r1", "qa"))
        .then(|world| {
            let left = after(world, SAM, "security").unwrap();
            assert!(left.missing.is_empty() && left.possible(), "this is the last signature");
        });
    // The same signature can make it impossible for the others.
    given().when(key_change(KeyChange::Lost {}, SAM)).ready("r1").then(|world| {
        let left = after(world, BOTH, "qa").unwrap();
        assert_eq!(lacking(&left), ["security 1"]);
        assert!(after(world, QUINN, "qa").unwrap().possible());
    });
}

#[test]
fn a_stand_in_is_counted_while_the_other_is_absent() {
    let lend = step(SAM, |world| {
        countersign_core::act::Role {
            change: Grant::Delegate,
            principal: word(PAUL),
            product: None,
            qualification: None,
            role: word("security"),
            until: Some(world.now.plus_seconds(86_400)),
        }
        .into()
    });
    given_policy_with(&[("role = \"security\"", "role = \"security\"\ncount = 2")])
        .when(propose("r1"))
        .then(|world| assert_eq!(feasible(world, &[]).people.len(), 3))
        .when(key_change(KeyChange::Lost {}, BOTH))
        .when(lend)
        // Sam and Paul are one pair of eyes.
        .then(|world| assert_eq!(lacking(&feasible(world, &[])), ["security 1"]))
        .then(|world| assert_eq!(lacking(&feasible(world, &[SAM])), ["security 1"]))
        .then(|world| assert!(seats(&feasible(world, &[SAM])).contains(&"paul security".to_owned())));
}

#[test]
fn a_policy_nobody_can_meet_today_is_told() {
    given().then(|world| {
        let text = policy_with(&[("role = \"security\"", "role = \"security\"\ncount = 3")]);
        let policy = countersign_core::policy::Policy::parse(&text).unwrap();
        let found = judge::policy_feasibility(&world.state, &policy, world.now);
        assert_eq!(lacking(&found), ["security 1"]);
        let policy = countersign_core::policy::Policy::parse(POLICY).unwrap();
        assert!(judge::policy_feasibility(&world.state, &policy, world.now).possible());
    });
}

#[test]
fn an_emergency_asks_for_its_own_quorum() {
    let text = format!(
        "{POLICY}\n[emergency]\n[[emergency.quorum]]\nrole = \"emergency-authority\"\n[[emergency.quorum]]\nrole = \"qa\"\n"
    );
    given_policy(&text)
        .when(role_change(Grant::Grant, ROLF, "emergency-authority"))
        .when(propose_as("r1", |candidate| {
            candidate.change_type = countersign_core::act::ChangeType::Emergency;
            candidate.incident = Some(word("INC-7"));
        }))
        .then(|world| {
            let found = feasible(world, &[]);
            assert!(found.possible());
            assert!(seats(&found).contains(&"rolf emergency-authority".to_owned()), "{:?}", seats(&found));
            assert_eq!(found.indispensable, [word(ROLF)]);
        });
}

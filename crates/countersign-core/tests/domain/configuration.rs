//! Products, targets, policies and freezes: what the gates are made of, and who may move them.

use countersign_core::act::{Act, Grant, Reauth, Verdict};
use countersign_core::judge::ReleaseState;
use countersign_core::rejection::Code;

use super::*;

#[test]
fn a_product_is_described_by_its_owner_and_its_path_is_fixed_once_a_policy_guards_it() {
    without_policy()
        .refuses(Code::RoleMissing, product(&["staging", "production"]).by(RITA))
        .refuses(Code::Field, product(&[]))
        .refuses(Code::Field, product(&["staging", "staging"]))
        .when(product(&["production"]))
        .when(product(&["staging", "production"]))
        .when(policy(POLICY))
        // One person could else put production before the go/no-go, or the soak out of the way.
        .refuses_saying(Code::WrongState, "fixed", product(&["production", "sandbox"]))
        .refuses_saying(Code::WrongState, "fixed", product(&["production"]))
        .when(product(&["staging", "production"]).forging(|statement| {
            if let Act::Product(body) = &mut statement.act {
                body.title = word("Pump, mark 2");
            }
        }));
}

#[test]
fn an_environment_that_left_the_path_receives_nothing() {
    without_policy()
        .when(product(&["staging", "preview", "production"]))
        .when(target("preview", &["all"]))
        .when(product(&["staging", "production"]))
        .when(policy(POLICY))
        .proven("r1")
        .refuses_saying(
            Code::NotFound,
            "path",
            with_dispatch(deliver("r1", "one"), |_, body| {
                body.environment = word("preview");
            }),
        );
}

#[test]
fn a_target_is_for_an_environment_on_the_path() {
    without_policy()
        .refuses(Code::RoleMissing, target("staging", &["all"]).by(PAUL))
        .when(target("staging", &["all"]).by(RITA))
        .refuses(Code::NotFound, target("preview", &["all"]))
        .refuses(Code::Field, target("staging", &[]))
        .refuses(Code::Field, target("staging", &["all", "all"]))
        .refuses(
            Code::NotFound,
            target("staging", &["all"]).forging(|statement| {
                if let Act::Target(body) = &mut statement.act {
                    body.product = word("valve");
                }
            }),
        );
}

#[test]
fn the_first_policy_stands_at_once_and_says_what_it_is_for() {
    let version = |version: u64| {
        policy(POLICY).forging(move |statement| {
            if let Act::Policy(body) = &mut statement.act {
                body.version = version;
            }
        })
    };
    without_policy()
        .refuses(Code::RoleMissing, policy(POLICY).by(RITA))
        .refuses_saying(Code::Policy, "policy of valve", policy(&POLICY.replace("\"pump\"", "\"valve\"")))
        .refuses_saying(Code::Policy, "yolo", policy(&POLICY.replace("continuous-delivery", "yolo")))
        .refuses_saying(Code::Policy, "next version is 1", version(2))
        .when(policy(POLICY))
        .refuses_saying(Code::Policy, "next version is 2", version(1))
        .then(|world| assert_eq!(world.state.policy(&word(PRODUCT)).unwrap().version, 1));
}

/// The index of the last entry.
fn last(world: &World) -> u64 {
    world.last_entry().index
}

fn version_in_force(world: &World) -> u64 {
    world.state.policy(&word(PRODUCT)).unwrap().version
}

#[test]
fn a_policy_is_replaced_only_under_the_quorum_it_replaces() {
    let weaker = policy_with(&[("[[quorum]]\nrole = \"security\"\n", "")]);
    let world = given().when(policy(&weaker));
    let asked = last(&world);
    world
        .then(|world| assert_eq!(version_in_force(world), 1))
        .refuses(Code::RoleMissing, answer_entry(PAUL, asked, "practitioner", Verdict::Go))
        .refuses_saying(Code::RoleMissing, "asks nobody", answer_entry(PAUL, asked, "practitioner", Verdict::NoGo))
        .refuses(Code::RoleMissing, answer_entry(QUINN, asked, "security", Verdict::Go))
        .refuses(Code::ReauthRefused, answer_entry(QUINN, asked, "qa", Verdict::Go).reauth(Reauth::File))
        .refuses_saying(
            Code::Field,
            "signs for themselves",
            with_approval(answer_entry(QUINN, asked, "qa", Verdict::Go), |_, body| {
                body.authorization = Some(body.request)
            }),
        )
        .when(answer_entry(QUINN, asked, "qa", Verdict::Go))
        .then(|world| assert_eq!(version_in_force(world), 1))
        // A second qa is not security, and the same person twice is one person.
        .when(answer_entry(QUENTIN, asked, "qa", Verdict::Go))
        .when(answer_entry(BOTH, asked, "qa", Verdict::Go))
        .then(|world| assert_eq!(version_in_force(world), 1))
        .when(answer_entry(BOTH, asked, "security", Verdict::Go))
        .then(|world| assert_eq!(version_in_force(world), 2))
        .refuses(Code::AlreadyDone, answer_entry(SAM, asked, "security", Verdict::Go));
}

#[test]
fn who_proposed_a_policy_does_not_sign_it() {
    let world = given().when(role_change(Grant::Grant, OLGA, "qa")).when(policy(POLICY));
    let asked = last(&world);
    world
        .refuses_saying(Code::SegregationFailed, "proposed", answer_entry(OLGA, asked, "qa", Verdict::Go))
        .when(answer_entry(QUINN, asked, "qa", Verdict::Go))
        .when(answer_entry(SAM, asked, "security", Verdict::Go))
        .then(|world| assert_eq!(version_in_force(world), 2));
}

#[test]
fn a_no_go_or_a_hold_keeps_a_policy_out_until_its_signer_answers_again() {
    for stop in [Verdict::NoGo, Verdict::Hold] {
        let world = given().when(policy(POLICY));
        let asked = last(&world);
        world
            .when(answer_entry(QUENTIN, asked, "qa", stop))
            .when(answer_entry(QUINN, asked, "qa", Verdict::Go))
            .when(answer_entry(SAM, asked, "security", Verdict::Go))
            .then(|world| assert_eq!(version_in_force(world), 1))
            .when(answer_entry(QUENTIN, asked, "qa", Verdict::Go))
            .then(|world| assert_eq!(version_in_force(world), 2));
    }
}

#[test]
fn a_policy_overtaken_by_another_is_proposed_again() {
    let world = given().when(policy(POLICY));
    let second = last(&world);
    let world = world.when(answer_entry(QUINN, second, "qa", Verdict::Go)).when(policy(POLICY));
    let third = last(&world);
    world
        .when(answer_entry(QUINN, third, "qa", Verdict::Go))
        .when(answer_entry(SAM, third, "security", Verdict::Go))
        .then(|world| assert_eq!(version_in_force(world), 3))
        // Quinn said GO to the second when the first was in force: that GO replaces nothing else.
        .refuses_saying(Code::Stale, "came into force", answer_entry(SAM, second, "security", Verdict::Go));
}

#[test]
fn an_answer_to_a_policy_has_seen_all_of_its_matter() {
    let world = given().when(policy(POLICY));
    let asked = last(&world);
    let seen = world.state.tree.size();
    world
        .refuses_saying(
            Code::SeenMismatch,
            "had not seen",
            answer_entry(QUINN, asked, "qa", Verdict::Go).having_seen(seen - 1),
        )
        .when(policy(POLICY))
        .when(answer_entry(QUINN, asked, "qa", Verdict::Go).having_seen(seen))
        .when(answer_entry(SAM, asked, "security", Verdict::Go))
        .then(|world| assert_eq!(version_in_force(world), 1))
        .when(answer_entry(QUINN, asked, "qa", Verdict::Go))
        .then(|world| assert_eq!(version_in_force(world), 2));
}

#[test]
fn a_freeze_forbids_dispatches_of_its_span_and_place_until_lifted() {
    let world = given().signed("r1");
    world
        .clone()
        .refuses(Code::RoleMissing, declare_freeze(None, 60).by(QUINN))
        .refuses(Code::Field, declare_freeze(None, -1))
        .when(declare_freeze(Some("production"), 600))
        .is("r1", ReleaseState::OnHold)
        .refuses(Code::Frozen, dispatch("r1", 1, "one"))
        .later(600)
        .refuses(Code::Frozen, dispatch("r1", 1, "one"))
        .later(1)
        .when(dispatch("r1", 1, "one"));
    let frozen = world.clone().when(declare_freeze(None, 600));
    let index = last(&frozen);
    frozen
        .refuses(Code::Frozen, dispatch("r1", 1, "one"))
        .refuses(Code::Frozen, deliver("r1", "two"))
        .refuses(Code::RoleMissing, lift_freeze(index).by(QUINN))
        .when(lift_freeze(index).by(OTTO))
        .refuses(Code::AlreadyDone, lift_freeze(index))
        .when(dispatch("r1", 1, "one"));
    world
        .when(declare_freeze(Some("staging"), 600))
        .refuses(Code::Frozen, deliver("r1", "two"))
        .when(dispatch("r1", 1, "one"));
}

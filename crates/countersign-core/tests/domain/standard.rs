//! Standard changes: a template the quorum has signed stands in for it, within its bounds, for a while, until it has failed twice.

use countersign_core::act::{ChangeType, RunConclusion};
use countersign_core::due::{Task, next_task};
use countersign_core::judge::{self, Outcome, ReleaseState, SignOffState};
use countersign_core::rejection::Code;

use super::*;

const DAY: i64 = 86_400;

fn template_until(seconds: i64) -> Step {
    with_grant(authorize_until(seconds), |template| *template = Some(word("alarm texts")))
}

fn with_grant(step: Step, edit: impl Fn(&mut Option<countersign_core::words::Line>) + 'static) -> Step {
    with_authorization(step, move |_, body| {
        if let countersign_core::act::AuthorizationChange::Grant { template, .. } = &mut body.change {
            edit(template);
        }
    })
}

/// A company under the usual policy, in which people sign, with a template that its quorum has adopted.
fn adopted() -> (World, u64) {
    let world = given().when(template_until(180 * DAY));
    let index = world.last_entry().index;
    let answer = |who, role| answer_entry(who, index, role, countersign_core::act::Verdict::Go);
    (world.when(answer(QUINN, "qa")).when(answer(SAM, "security")), index)
}

/// A release that a release manager has frozen for the template.
fn frozen_for(world: World, id: &'static str, index: u64) -> World {
    world.proven(id).staged(id).later(3600).when(freeze_for(id, index).by(RITA))
}

#[test]
fn a_template_signs_for_its_quorum_and_people_dispatch() {
    let (world, index) = adopted();
    let world = frozen_for(world, "r1", index).comes_to("r1", &Outcome::Incomplete).then(|world| {
        let release = world.release("r1");
        let entry = world.state.authorizations[&index].entry;
        assert_eq!(release.sheet().expect("frozen").body.change_type, ChangeType::Standard);
        let due = next_task(&world.state, release, &word(WORKER), world.now);
        assert_eq!(due, Some(Task::AutomaticGo(entry)));
    });
    world
        .clone()
        .when(automatic_go("r1", index))
        .is("r1", ReleaseState::Authorized)
        .then(|world| assert_eq!(next_task(&world.state, world.release("r1"), &word(WORKER), world.now), None))
        .when(lease())
        .refuses_saying(
            Code::WrongSigner,
            "release manager",
            with_dispatch(dispatch("r1", 1, "q0"), |_, body| body.by = None),
        )
        .when(dispatch("r1", 1, "q1"));
    // People may sign it all the same.
    world.when(go(QUINN, "r1", "qa")).when(go(SAM, "r1", "security")).is("r1", ReleaseState::Authorized);
}

#[test]
fn a_template_signs_nothing_but_standard_changes_on_observed_evidence() {
    let (world, index) = adopted();
    let normal = propose_as("r1", |candidate| candidate.change_type = ChangeType::Normal);
    let pass = countersign_core::evidence::Conclusion::Pass;
    world
        .clone()
        .when(normal)
        .when(observe("r1", "unit.xml", pass))
        .when(observe("r1", "scan.sarif", pass))
        .staged("r1")
        .later(3600)
        .when(freeze_for("r1", index).by(RITA))
        .refuses_saying(Code::OutsideBounds, "normal", automatic_go("r1", index));
    // Without a template, a policy in which people sign lets no authorization sign.
    let world = given().when(authorize());
    let plain = world.last_entry().index;
    let answer = |who, role| answer_entry(who, plain, role, countersign_core::act::Verdict::Go);
    frozen_for(world.when(answer(QUINN, "qa")).when(answer(SAM, "security")), "r1", plain).refuses_saying(
        Code::OutsideBounds,
        "continuous-delivery",
        automatic_go("r1", plain),
    );
}

#[test]
fn a_template_stands_for_180_days_at_most() {
    given().refuses_saying(Code::Field, "180 days", template_until(180 * DAY + 1)).refuses_saying(
        Code::Field,
        "nothing else",
        with_authorization(template_until(DAY), |_, body| {
            if let countersign_core::act::AuthorizationChange::Grant { change_types, .. } = &mut body.change {
                change_types.push(ChangeType::Normal);
            }
        }),
    );
    let (world, index) = adopted();
    let record =
        |world: &World| judge::authorization_worth(&world.state, &world.state.authorizations[&index], world.now).0;
    assert_eq!(record(&world), SignOffState::Valid);
    let ends = world.state.authorizations[&index].valid.until;
    let left = ends.seconds_since(world.now);
    assert_eq!(record(&world.clone().later(left)), SignOffState::Valid);
    assert_eq!(record(&world.later(left + 1)), SignOffState::Expired);
}

#[test]
fn a_template_ends_with_its_second_failure() {
    let (world, index) = adopted();
    let live = frozen_for(world, "r1", index).when(automatic_go("r1", index));
    let live = live.sent("r1", 1).passed("r1", 1).sent("r1", 2).passed("r1", 2).later(DAY);
    let failed = |world: World, id: &'static str, request: &'static str| {
        let world = frozen_for(world, id, index).when(automatic_go(id, index)).when(dispatch(id, 1, request));
        let world = world.ran(id, request, RunConclusion::Failure);
        let back = format!("{request}/back");
        world.when(roll_back(id, 1, &back)).ran(id, &back, RunConclusion::Success).later(DAY)
    };
    let once = failed(live, "r2", "q2");
    let worth =
        |world: &World| judge::authorization_worth(&world.state, &world.state.authorizations[&index], world.now);
    assert_eq!(worth(&once).0, SignOffState::Valid);
    let twice = failed(once, "r3", "q3");
    let (state, cause) = worth(&twice);
    assert_eq!(state, SignOffState::Expired);
    assert!(cause.expect("it says why").contains("second failure: r2, r3"));
    // The next change of its kind is people's again.
    twice
        .proven("r4")
        .staged("r4")
        .later(3600)
        .refuses_saying(Code::OutsideBounds, "second failure", freeze_for("r4", index).by(RITA))
        .when(freeze("r4"))
        .when(go(QUINN, "r4", "qa"))
        .when(go(SAM, "r4", "security"))
        .is("r4", ReleaseState::Authorized);
}

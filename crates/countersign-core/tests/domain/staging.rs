//! Delivery to staging and what was seen there: the same artifact, then the soak.

use countersign_core::act::{Act, DispatchState, RunConclusion, Stage};
use countersign_core::evidence::Conclusion;
use countersign_core::hash::Digest;
use countersign_core::judge::{self, ReleaseState};
use countersign_core::rejection::Code;

use super::*;

fn staging_is(world: &World, id: &str, conclusion: Conclusion) {
    let checks = judge::checks(&world.state, world.release(id), world.now);
    assert_eq!(checks.iter().find(|check| check.gate == "staging").unwrap().conclusion, conclusion);
}

fn stage_as(id: &'static str, edit: impl Fn(&mut Stage) + 'static) -> Step {
    stage(id).forging(move |statement| {
        if let Act::Stage(body) = &mut statement.act {
            edit(body);
        }
    })
}

#[test]
fn what_is_staged_is_the_candidate_itself() {
    given()
        .proven("r1")
        .refuses(Code::Stale, with_dispatch(deliver("r1", "one"), |_, body| body.artifact = Digest::of(b"another")))
        .refuses(Code::Stale, with_dispatch(deliver("r1", "one"), |world, body| body.sheet = world.last_entry()))
        .refuses(Code::Field, with_dispatch(deliver("r1", "one"), |_, body| body.wave = 2))
        .refuses(
            Code::Field,
            with_dispatch(deliver("r1", "one"), |_, body| {
                body.kind = countersign_core::act::DispatchKind::Rollback;
            }),
        )
        .refuses(
            Code::RoleMissing,
            with_dispatch(deliver("r1", "one"), |_, body| body.by = Some(word("ghost@acme.example"))),
        )
        .refuses(Code::NotFound, with_dispatch(deliver("r1", "one"), |_, body| body.environment = word("nowhere")))
        .delivered("r1")
        .refuses_saying(
            Code::WrongState,
            "not the candidate",
            stage_as("r1", |body| body.artifact = Digest::of(b"another")),
        )
        .refuses_saying(Code::WrongState, "not the candidate", stage_as("r1", |body| body.version = word("0.0.1")))
        .refuses(Code::WrongState, stage_as("r1", |body| body.environment = word("production")))
        .refuses(Code::WrongSigner, stage("r1").by(RITA))
        .when(stage("r1"));
}

#[test]
fn only_a_finished_successful_delivery_is_staged() {
    let world = given().proven("r1").when(deliver("r1", "one"));
    world.clone().refuses(Code::WrongState, stage("r1"));
    world.clone().ran("r1", "one", RunConclusion::Failure).refuses(Code::WrongState, stage("r1"));
    world.clone().ran("r1", "one", RunConclusion::Unknown).refuses(Code::WrongState, stage("r1"));
    world
        .ran("r1", "one", RunConclusion::Success)
        // Amended meanwhile: it is another candidate's delivery now.
        .when(amend("r1", |candidate| candidate.risk = None))
        .refuses(Code::WrongState, stage("r1"));
}

#[test]
fn a_redeploy_restarts_the_soak() {
    let world = given().proven("r1").staged("r1").later(3600);
    world.clone().then(|world| staging_is(world, "r1", Conclusion::Pass));
    // Seen again: it soaks from then on.
    world.clone().when(stage("r1")).then(|world| staging_is(world, "r1", Conclusion::Inconclusive));
    // Of this release: it counts no longer, and once seen again it soaks anew.
    world
        .clone()
        .delivered("r1")
        .then(|world| staging_is(world, "r1", Conclusion::Missing))
        .when(stage("r1"))
        .then(|world| staging_is(world, "r1", Conclusion::Inconclusive))
        .later(3600)
        .then(|world| staging_is(world, "r1", Conclusion::Pass));
    // Of another release: what was seen is gone, and is not to be seen again without another delivery.
    world
        .clone()
        .proven("r2")
        .when(deliver("r2", "two"))
        .then(|world| staging_is(world, "r1", Conclusion::Missing))
        .ran("r2", "two", RunConclusion::Success)
        .refuses_saying(Code::WrongState, "delivered to staging since", stage("r1"))
        .when(stage("r2"))
        .then(|world| staging_is(world, "r1", Conclusion::Missing));
    // One that the CI system refused changed nothing there.
    world
        .proven("r2")
        .when(deliver("r2", "two"))
        .when(journal("r2", "two", DispatchState::Refused))
        .then(|world| staging_is(world, "r1", Conclusion::Pass));
}

#[test]
fn another_artifact_or_version_is_another_candidate() {
    let world = given().proven("r1").staged("r1").later(3600);
    world
        .clone()
        .when(amend("r1", |candidate| candidate.artifacts[0].sha256 = Digest::of(b"rebuilt")))
        .then(|world| staging_is(world, "r1", Conclusion::Missing));
    world
        .clone()
        .when(amend("r1", |candidate| candidate.version = word("r1-fixed")))
        .then(|world| staging_is(world, "r1", Conclusion::Missing));
    world
        .when(amend("r1", |candidate| candidate.risk = Some(word("a word changed"))))
        .then(|world| staging_is(world, "r1", Conclusion::Pass));
}

#[test]
fn one_delivery_at_a_time_has_staging() {
    let world = given().proven("r1").proven("r2").when(deliver("r1", "one"));
    world
        .clone()
        .refuses(Code::EnvironmentBusy, deliver("r1", "two"))
        .refuses(Code::EnvironmentBusy, deliver("r2", "two"))
        // Naming a dispatch as of unknown fate while it is not does not help.
        .refuses(Code::EnvironmentBusy, resending(deliver("r1", "two"), "one"))
        .ran("r1", "one", RunConclusion::Failure)
        .refuses(Code::NotFound, resending(deliver("r1", "two"), "one"))
        .when(deliver("r2", "two"));
    let lost =
        world.when(journal("r1", "one", DispatchState::Sending)).when(journal("r1", "one", DispatchState::FateUnknown));
    lost.clone()
        .refuses(Code::EnvironmentBusy, deliver("r1", "two"))
        .refuses(Code::EnvironmentBusy, resending(deliver("r2", "two"), "one"))
        .when(resending(deliver("r1", "two"), "one"))
        .refuses(Code::EnvironmentBusy, resending(deliver("r1", "three"), "one"))
        .ran("r1", "two", RunConclusion::Success)
        .when(stage("r1"))
        .when(deliver("r2", "four"));
    lost.when(journal("r1", "one", DispatchState::Refused)).when(deliver("r2", "two"));
}

/// The same dispatch, sent again for one of unknown fate.
pub(super) fn resending(step: Step, request: &'static str) -> Step {
    with_dispatch(step, move |_, body| body.resends = Some(word(request)))
}

#[test]
fn a_hold_stops_a_delivery_and_a_halted_rollout_does_not() {
    given()
        .proven("r1")
        .when(halt(PAUL, "r1"))
        .is("r1", ReleaseState::OnHold)
        .when(deliver("r1", "one"))
        .ran("r1", "one", RunConclusion::Success)
        .when(hold(PAUL, "r1", None))
        .refuses(Code::OnHold, deliver("r1", "two"));
}

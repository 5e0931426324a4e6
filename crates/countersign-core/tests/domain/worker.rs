//! What is due by itself: after a crash, after an unknown fate, after refusals.

use countersign_core::act::{DispatchState, RunConclusion, WaveVerdict};
use countersign_core::due::{Task, next_task};

use super::staging::resending;
use super::*;

fn due(world: &World, id: &str) -> Option<Task> {
    next_task(&world.state, world.release(id), &word(WORKER), world.now)
}

fn owed(world: World, id: &str, task: Option<Task>) -> World {
    assert_eq!(due(&world, id), task, "{:?}", world.release(id).dispatches.last());
    world
}

fn refused_by_the_ci(world: World, id: &'static str, request: &str) -> World {
    world.when(journal(id, request, DispatchState::Sending)).when(journal(id, request, DispatchState::Refused))
}

const AUTO: &[(&str, &str)] = &[("soak_seconds", "rollback = \"auto\"\ndispatch = \"on-quorum\"\nsoak_seconds")];

#[test]
fn a_way_back_that_was_not_sent_is_still_due() {
    let failed =
        given_policy_with(AUTO).live("r1").signed("r2").sent("r2", 1).when(wave_verdict("r2", 1, WaveVerdict::Fail));
    let failed = owed(failed, "r2", Some(Task::Rollback));
    // The desk was killed before it was sent: nothing was taken back.
    let back = |world: World, request| world.when(roll_back("r2", 1, request));
    let world = owed(back(failed, "one"), "r2", Some(Task::Settle(word("one"))));
    let world = world.when(journal("r2", "one", DispatchState::Refused));
    let world = owed(world, "r2", Some(Task::Rollback));
    // Once it is sent it is the only one.
    let world = back(world, "two").ran("r2", "two", RunConclusion::Failure);
    owed(world, "r2", None);
}

#[test]
fn what_was_sent_again_no_longer_asks_to_be_looked_for() {
    let lost = given_policy_with(AUTO)
        .signed("r1")
        .when(dispatch("r1", 1, "one"))
        .when(journal("r1", "one", DispatchState::Sending))
        .when(journal("r1", "one", DispatchState::FateUnknown));
    let lost = owed(lost, "r1", Some(Task::Settle(word("one"))));
    let again = lost.clone().when(resending(dispatch("r1", 1, "two"), "one"));
    let again = owed(again, "r1", Some(Task::Settle(word("two"))));
    let out = owed(again.ran("r1", "two", RunConclusion::Success), "r1", Some(Task::Bake(word("two"))));
    let passed = owed(out.passed("r1", 1), "r1", Some(Task::Wave(2)));
    // Not even after the time for which it would have been looked for.
    owed(passed.later(7200), "r1", Some(Task::Wave(2)));
    owed(lost.later(7200), "r1", None);
}

#[test]
fn a_wave_is_baked_by_the_dispatch_that_succeeded() {
    let world = given_policy_with(AUTO)
        .signed("r1")
        .when(dispatch("r1", 1, "one"))
        .when(journal("r1", "one", DispatchState::Sending))
        .when(journal("r1", "one", DispatchState::FateUnknown))
        .when(resending(dispatch("r1", 1, "two"), "one"))
        .ran("r1", "two", RunConclusion::Failure);
    let world = owed(world, "r1", Some(Task::Bake(word("two"))));
    let world =
        world.when(journal("r1", "one", DispatchState::Bound)).when(journal("r1", "one", DispatchState::Finished));
    owed(world, "r1", Some(Task::Bake(word("one"))));
}

#[test]
fn refusals_in_a_row_are_followed_by_ever_longer_waits() {
    let mut world = given_policy_with(AUTO).signed("r1");
    // What the desk never sent is no refusal of theirs.
    for request in ["never-1", "never-2", "never-3"] {
        world = owed(world, "r1", Some(Task::Wave(1))).when(dispatch("r1", 1, request)).when(journal(
            "r1",
            request,
            DispatchState::Refused,
        ));
    }
    for (request, wait) in [("one", 0), ("two", 10), ("three", 20), ("four", 40)] {
        world = owed(world, "r1", Some(Task::Wave(1)));
        world = refused_by_the_ci(world.when(dispatch("r1", 1, request)), "r1", request);
        if wait > 0 {
            let last = world.release("r1").dispatches.last().unwrap().steps.last().unwrap().2;
            world.now = last.plus_seconds(wait - 1);
            world = owed(world, "r1", None);
            world.now = last.plus_seconds(wait);
        }
    }
}

#[test]
fn a_delivery_that_nobody_looked_at_is_looked_at() {
    let delivered = given_policy_with(AUTO).proven("r1").delivered("r1");
    let request = delivered.release("r1").dispatches[0].body.request_id.clone();
    let delivered = owed(delivered, "r1", Some(Task::RecordStage(request)));
    owed(delivered.when(stage("r1")), "r1", None);
}

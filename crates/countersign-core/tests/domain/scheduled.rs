//! Approve now, run later: the worker starts a scheduled run in its window, and everything is judged again then.

use countersign_core::act::{Hold, HoldChange};
use countersign_core::due::{Task, next_task};
use countersign_core::evidence::Conclusion;
use countersign_core::judge::ReleaseState;
use countersign_core::rejection::Code;

use super::*;

/// A release that is signed, whose window opens in two hours, for one hour.
fn scheduled() -> World {
    let freeze = with_request(freeze("r1"), |world, body| {
        body.scheduled = true;
        body.window = window(world.now.plus_seconds(7200), 3600);
    });
    let world = given().proven("r1").staged("r1").later(3600).when(freeze);
    world.when(go(QUINN, "r1", "qa")).when(go(SAM, "r1", "security")).is("r1", ReleaseState::Authorized)
}

fn due(world: &World) -> Option<Task> {
    next_task(&world.state, world.release("r1"), &word(WORKER), world.now)
}

/// The worker does what is due: it puts the run on hold, and says why.
fn held(world: World, says: &str) -> World {
    let Some(Task::Hold(cause)) = due(&world) else { panic!("{:?} is due", due(&world)) };
    assert!(cause.as_str().contains("scheduled") && cause.as_str().contains(says), "{cause}");
    let cause: &'static str = cause.to_string().leak();
    let hold = step(WORKER, |_| Hold { change: HoldChange::Hold { question: None }, release: word("r1") }.into());
    let world = world.when(hold.saying(cause));
    assert_eq!(world.release("r1").holds.last().expect("just put").reason, cause);
    assert_eq!(due(&world), None, "it is held once");
    world
}

fn by_the_worker() -> Step {
    with_dispatch(dispatch("r1", 1, "q1"), |_, body| body.by = None)
}

#[test]
fn a_scheduled_run_starts_by_itself_in_its_window_and_not_before() {
    let world = scheduled();
    assert_eq!(due(&world), None);
    let early = world.clone().later(7199).when(lease());
    assert_eq!(due(&early), None);
    let open = early.refuses(Code::OutsideWindow, by_the_worker()).later(1);
    assert_eq!(due(&open), Some(Task::Wave(1)));
    open.when(by_the_worker()).is("r1", ReleaseState::Dispatching);
    // What is not scheduled is started by people.
    given()
        .signed("r1")
        .when(lease())
        .then(|world| assert_eq!(due(world), None))
        .refuses(Code::WrongSigner, by_the_worker());
}

#[test]
fn what_stands_in_its_way_then_puts_it_on_hold_by_name() {
    let opens = |world: World| world.later(7200);
    held(opens(scheduled().when(declare_freeze(None, 86_400))), "rita froze it").is("r1", ReleaseState::OnHold);
    held(opens(scheduled().when(observe("r1", "unit.xml", Conclusion::Fail))), "halted");
    held(opens(scheduled().when(observe("r1", "bill.cdx", Conclusion::Inconclusive))), "inconclusive");
    held(opens(scheduled().when(target("production", &["canary", "everyone"]))), "stale");
    held(opens(scheduled().when(key_change(countersign_core::act::KeyChange::Lost {}, QUINN))), "quorum_missing");
    // The window has shut while no worker ran.
    held(opens(scheduled()).later(3601), "outside_window");
}

#[test]
fn a_release_manager_lets_it_go_on_and_it_is_judged_again() {
    let world = scheduled().when(declare_freeze(None, 86_400));
    let freeze = world.last_entry().index;
    let world = held(world.later(7200), "frozen");
    let again = world.clone().when(resume(ROLF, "r1", None));
    held(again, "frozen");
    let free = world.when(lift_freeze(freeze)).when(resume(ROLF, "r1", None)).when(lease());
    assert_eq!(due(&free), Some(Task::Wave(1)));
    free.when(by_the_worker());
}

#[test]
fn a_hold_of_somebody_is_cause_enough() {
    let world = scheduled().when(hold(SAM, "r1", Some("is the night shift told?"))).later(7200);
    assert_eq!(due(&world), None);
}

#[test]
fn a_cause_that_quotes_the_longest_reason_is_shortened() {
    let longest: &'static str = "x".repeat(4000).leak();
    held(scheduled().when(declare_freeze(None, 86_400).saying(longest)).later(7200), "frozen");
}

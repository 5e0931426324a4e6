//! Clocks: order is by entry; a clock that lies is refused or has no say, and poisons nothing.

use countersign_core::act::{DispatchState, RunConclusion};
use countersign_core::rejection::Code;

use super::*;

/// A journal step in which the CI system told its own clock, so many seconds from the desk's.
fn told(request: &str, state: DispatchState, ahead_seconds: i64) -> Step {
    with_dispatch(journal("r1", request, state), move |world, body| {
        body.server_time = Some(world.now.plus_seconds(ahead_seconds));
    })
}

#[test]
fn a_clock_behind_what_the_ledger_knows_is_suspect() {
    let world = given().later(3600).when(propose("r1"));
    let now = world.now;
    world
        .refuses_saying(
            Code::ClockSuspect,
            "already knows 2026-11-22T09:00:00Z",
            propose("r2").at(now.plus_seconds(-301)),
        )
        .refuses(Code::ClockSuspect, propose("r2").at(word("1970-01-01T00:00:00Z")))
        .when(propose("r2").at(now.plus_seconds(-300)));
}

#[test]
fn a_wild_clock_ahead_poisons_nothing() {
    let world = given();
    let near = world.now;
    let world = world
        .when(propose("r1").at(near.plus_seconds(3601)))
        .when(propose("r2").at(near.plus_seconds(86_400 * 250)))
        .when(propose("r3"))
        .refuses(Code::ClockSuspect, propose("r4").at(near.plus_seconds(-301)));
    // A step of an hour is believed.
    world.when(propose("r5").at(near.plus_seconds(3600))).refuses(Code::ClockSuspect, propose("r6"));
}

#[test]
fn a_server_that_agrees_anchors_a_time_and_one_that_does_not_has_no_say() {
    let world = given().proven("r1").when(deliver("r1", "one")).when(journal("r1", "one", DispatchState::Sending));
    // More than an hour later nothing unanchored moves the bound …
    let later = world.later(7200);
    let start = later.now.plus_seconds(-7200);
    later.clone().when(journal("r1", "one", DispatchState::Accepted)).when(propose("r2").at(start));
    // … an agreeing server does, by the earlier of the two clocks …
    later
        .clone()
        .when(told("one", DispatchState::Accepted, -60))
        .refuses(Code::ClockSuspect, propose("r2").at(start))
        .refuses(Code::ClockSuspect, propose("r2").at(later.now.plus_seconds(-361)))
        .when(propose("r2").at(later.now.plus_seconds(-360)));
    later.clone().when(told("one", DispatchState::Accepted, 300)).when(propose("r2").at(later.now.plus_seconds(-300)));
    // … and a wild one does not.
    for ahead in [301, 86_400 * 365, -301] {
        later.clone().when(told("one", DispatchState::Accepted, ahead)).when(propose("r2").at(start));
    }
    let now = later.now;
    later
        .when(told("one", DispatchState::Accepted, 0))
        .ran_from_accepted("r1", "one")
        .then(move |world| assert_eq!(world.now, now));
}

impl World {
    fn ran_from_accepted(self, id: &'static str, request: &str) -> Self {
        self.when(journal(id, request, DispatchState::Bound))
            .when(journal(id, request, DispatchState::Finished).forging_conclusion(RunConclusion::Success))
    }
}

#[test]
fn nothing_is_signed_or_sent_before_it_was_asked() {
    // After a silence the bound lies far back; a sheet is a bound of its own for its answers.
    let world = given().proven("r1").staged("r1").later(7200).when(freeze("r1"));
    let frozen = world.now;
    world
        .refuses_saying(
            Code::ClockSuspect,
            "the sheet was frozen at",
            go(QUINN, "r1", "qa").at(frozen.plus_seconds(-301)),
        )
        .when(go(QUINN, "r1", "qa").at(frozen.plus_seconds(-300)))
        .when(go(SAM, "r1", "security"))
        .refuses_saying(
            Code::ClockSuspect,
            "the sheet was frozen at",
            dispatch("r1", 1, "one").at(frozen.plus_seconds(-301)),
        )
        .when(dispatch("r1", 1, "one"));
}

#[test]
fn a_paper_record_lies_before_its_entry() {
    let late = |ahead: i64| {
        step(PAUL, move |world| {
            countersign_core::act::Late {
                happened: world.now.plus_seconds(ahead),
                paper: countersign_core::hash::Digest::of(b"scan"),
                record: word("approved on paper during the outage"),
            }
            .into()
        })
    };
    given().refuses(Code::Field, late(1)).when(late(0)).when(late(-86_400 * 30));
}

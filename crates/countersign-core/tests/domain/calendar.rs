//! The calendar: freezes that come again, the windows a policy opens, who is exempt, and what overlaps a decision.

use countersign_core::act::{ChangeType, Freeze, FreezeChange, Window};
use countersign_core::judge::{self, ReleaseState};
use countersign_core::recurrence::Recurs;
use countersign_core::rejection::Code;
use countersign_core::words::Timestamp;

use super::*;

fn time(text: &str) -> Timestamp {
    word(text)
}

fn again(rule: &str, zone: &str) -> Option<Recurs> {
    Some(Recurs { rule: word(rule), zone: word(zone) })
}

fn declare(from: &'static str, until: &'static str, recurs: Option<Recurs>) -> Step {
    step(RITA, move |_| {
        let span = Window { from: time(from), until: time(until) };
        let change =
            FreezeChange::Declare { environment: None, product: Some(word(PRODUCT)), recurs: recurs.clone(), span };
        Freeze { change }.into()
    })
}

fn given_also(more: &str) -> World {
    given_policy(&format!("{POLICY}\n{more}"))
}

#[test]
fn a_freeze_that_comes_again_stops_each_of_its_occurrences_and_says_who() {
    // Sundays from 10:00 to 11:00 in Berlin, declared for the first time a week before.
    let sundays =
        || declare("2026-11-15T09:00:00Z", "2026-11-15T09:59:59Z", again("FREQ=WEEKLY;BYDAY=SU", "Europe/Berlin"));
    let world = given().signed("r1").is("r1", ReleaseState::Authorized);
    assert_eq!(world.now, time("2026-11-22T09:00:00Z"));
    let index = world.state.tree.size();
    let world = world
        .when(sundays())
        .is("r1", ReleaseState::OnHold)
        .refuses_saying(Code::Frozen, "rita froze it until 2026-11-22T09:59:59Z", dispatch("r1", 1, "q1"))
        .then(|world| {
            let blockers = judge::blockers(&world.state, world.release("r1"), world.now);
            let frozen = blockers.iter().find(|blocker| blocker.code == "frozen").expect("the freeze is named");
            assert!(frozen.what.contains("rita"), "{}", frozen.what);
        });
    world.clone().later(3600).is("r1", ReleaseState::Authorized).when(dispatch("r1", 1, "q1"));
    world.clone().when(lift_freeze(index)).is("r1", ReleaseState::Authorized).when(dispatch("r1", 1, "q1"));
}

#[test]
fn a_freeze_is_written_so_that_it_can_be_read() {
    let from = "2026-11-22T09:00:00Z";
    let until = "2026-11-22T09:59:59Z";
    given()
        .refuses_saying(Code::Field, "does not name", declare(from, until, again("FREQ=WEEKLY;BYDAY=FR", "UTC")))
        .refuses_saying(Code::Field, "BYSETPOS", declare(from, until, again("FREQ=MONTHLY;BYSETPOS=1", "UTC")))
        .refuses_saying(Code::Field, "ends before", declare(until, from, None))
        .when(declare(from, until, again("FREQ=YEARLY", "UTC")));
}

#[test]
fn a_freeze_years_ahead_is_still_to_come() {
    let world = given().when(declare("2035-12-07T17:00:00Z", "2035-12-10T05:00:00Z", again("FREQ=WEEKLY", "UTC")));
    let next = world.state.freezes.values().next().and_then(|freeze| freeze.next_from(world.now));
    assert_eq!(next.map(|span| span.from), Some(time("2035-12-07T17:00:00Z")));
}

#[test]
fn deny_wins_and_only_the_signed_policy_exempts() {
    let freeze = || declare_freeze(None, 86_400);
    let emergency = |id| {
        propose_as(id, |candidate| {
            candidate.change_type = ChangeType::Emergency;
            candidate.incident = Some(word("INC-7"));
        })
    };
    let signed = |world: World| {
        let world = world.when(emergency("r1"));
        let world = world.when(observe("r1", "unit.xml", countersign_core::evidence::Conclusion::Pass));
        let world = world.when(observe("r1", "scan.sarif", countersign_core::evidence::Conclusion::Pass));
        let world = world.staged("r1").later(3600).when(freeze_sheet("r1"));
        world.when(go(QUINN, "r1", "qa")).when(go(SAM, "r1", "security")).when(freeze())
    };
    signed(given()).refuses(Code::Frozen, dispatch("r1", 1, "q1"));
    signed(given_also("[calendar]\nexempt = [\"rollback\"]\n")).refuses(Code::Frozen, dispatch("r1", 1, "q1"));
    signed(given_also("[calendar]\nexempt = [\"emergency\"]\n")).when(dispatch("r1", 1, "q1"));
    // Nobody else is exempt.
    given_also("[calendar]\nexempt = [\"emergency\"]\n")
        .signed("r1")
        .when(freeze())
        .refuses(Code::Frozen, dispatch("r1", 1, "q1"));
}

fn freeze_sheet(id: &'static str) -> Step {
    super::freeze(id)
}

#[test]
fn the_way_back_stays_open_in_a_freeze_unless_the_policy_says_otherwise() {
    let halted = |world: World| world.live("r1").signed("r2").sent("r2", 1).when(declare_freeze(None, 86_400));
    halted(given()).when(roll_back("r2", 1, "back"));
    halted(given_also("[calendar]\nexempt = []\n")).refuses_saying(
        Code::Frozen,
        "rita froze it",
        roll_back("r2", 1, "back"),
    );
}

#[test]
fn a_policy_lets_out_in_its_windows_and_at_no_other_hour() {
    // Mondays from 09:00 to 11:00 in Berlin.
    let monday = "[[window]]\nbegins = \"2026-11-16T08:00:00Z\"\nminutes = 120\nrule = \"FREQ=WEEKLY;BYDAY=MO\"\nzone = \"Europe/Berlin\"\n";
    let world = given_also(monday).signed("r1");
    world
        .clone()
        .refuses_saying(Code::OutsideWindow, "next at 2026-11-23T08:00:00Z", dispatch("r1", 1, "q1"))
        .later(23 * 3600)
        .when(dispatch("r1", 1, "q1"));
    // One second before it opens, and the first after it shut: the sheet stands for a day, until Monday 09:00 in UTC.
    world.clone().later(23 * 3600 - 1).refuses(Code::OutsideWindow, dispatch("r1", 1, "q1"));
    let shut = monday.replace("minutes = 120", "minutes = 30");
    let world = given_also(&shut).signed("r1").later(23 * 3600 + 1799);
    world.clone().when(dispatch("r1", 1, "q1"));
    world.later(1).refuses(Code::OutsideWindow, dispatch("r1", 1, "q1"));
    for (bad, says) in [
        ("minutes = 0\n", "minutes"),
        ("minutes = 60\nrule = \"FREQ=DAILY\"\n", "go together"),
        ("minutes = 60\nrule = \"FREQ=WEEKLY;BYDAY=TU\"\nzone = \"UTC\"\n", "does not name"),
    ] {
        let text = format!("{POLICY}\n[[window]]\nbegins = \"2026-11-16T08:00:00Z\"\n{bad}");
        without_policy().refuses_saying(Code::Policy, says, policy(&text));
    }
}

#[test]
fn what_overlaps_a_decision_is_listed_before_anybody_signs() {
    let world = given().ready("r1").when(declare("2026-11-22T20:00:00Z", "2026-11-22T21:00:00Z", None));
    let emergency = propose_as("r2", |candidate| {
        candidate.change_type = ChangeType::Emergency;
        candidate.incident = Some(word("INC-7"));
    });
    let pass = countersign_core::evidence::Conclusion::Pass;
    let world = world.when(declare("2026-11-29T20:00:00Z", "2026-11-29T21:00:00Z", None)).when(emergency);
    let world = world.when(observe("r2", "unit.xml", pass)).when(observe("r2", "scan.sarif", pass)).staged("r2");
    let world = world.later(3600).when(freeze_sheet("r2"));
    let conflicts = |id: &str| -> Vec<(&'static str, String)> {
        let release = world.release(id);
        judge::conflicts(&world.state, release, world.sheet(id), world.now)
            .into_iter()
            .map(|conflict| (conflict.kind, conflict.what))
            .collect()
    };
    let found = conflicts("r1");
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0].0, "freeze");
    assert!(found[0].1.contains("2026-11-22T20:00:00Z"), "{found:?}");
    assert_eq!(found[1].0, "release");
    assert!(found[1].1.contains("r2"), "{found:?}");
}

//! Products around it: the patients' portal, billing, and telemetry, which is deployed continuously.

use countersign_core::act::{ChangeType, Verdict, WaveVerdict};
use countersign_core::words::Timestamp;

use super::super::files::Odd;
use super::super::goods::{BILLING, PORTAL, TELEMETRY};
use super::super::maker::pick;
use super::super::rollouts::Course;
use super::super::schedule::Schedule;
use super::super::story::{PITCH, Pitch, Story};
use super::{End, SKIPPED, WELL, environments, evidence, past, told, usual};

// --------------------------------------------------------------------------------------------------- patient-portal

const FARM: &[Odd] = &[Odd::Broke(
    "books an appointment on the second attempt",
    "the browser session was lost",
    "session 7 of 12 ended while the calendar was loading; the farm was being updated\n  at browser/booking.ts:88",
)];

pub(super) fn portal(schedule: &mut Schedule) {
    past(schedule, &PORTAL, "8.6.0", 1, 84, WELL);
    past(schedule, &PORTAL, "8.7.0", 1, 78, WELL);
    let urgent = Pitch {
        change: ChangeType::Emergency,
        commits: 1,
        incident: Some("INC-5518"),
        reason: "Sign-in fails for accounts with two proxies",
        ..PITCH
    };
    let end = End::Reviewed("Emergency reviewed: the missing case is now part of the browser tests.");
    told(schedule, &PORTAL, "8.7.1", 1, 74, urgent, end);
    let why = "answers take 2.4 s at the 95th percentile, the band ends at 0.9 s";
    past(schedule, &PORTAL, "8.8.0", 1, 69, End::TakenBack(1, why, None));
    past(schedule, &PORTAL, "8.8.1", 1, 64, End::Reviewed("The slow query of 8.8.0 is gone; load test added."));
    past(schedule, &PORTAL, "8.9.0", 1, 57, WELL);
    let at = schedule.workday(50, 9, 0);
    let mut story = Story::of(schedule, &PORTAL, "8.9.1", 1, at);
    story.propose(usual(&PORTAL, "8.9.1")).later(15).tests("unit.xml", &[]).later(22).tests("browser.xml", FARM);
    story.later(50).withdraw("tomas", "The browser farm is down for the day; the change goes into 9.0.0");
    past(
        schedule,
        &PORTAL,
        "9.0.0",
        1,
        45,
        End::Reviewed("A big one; support had twice its staff and needed half of it."),
    );
    past(schedule, &PORTAL, "9.0.1", 1, 39, WELL);
    past(schedule, &PORTAL, "9.0.2", 1, 31, End::Broken(0, "two of three instances refused the artifact: disk full"));

    // A red run, run again with a reason, as its policy allows once.
    let at = schedule.workday(25, 8, 30);
    let mut story = Story::of(schedule, &PORTAL, "9.0.3", 1, at);
    story.propose(usual(&PORTAL, "9.0.3")).later(14).tests("unit.xml", &[]).later(25).tests("browser.xml", FARM);
    story.later(41).tests_again("browser.xml", &[], Some("The browser farm was being updated; same commit, run again"));
    story.later(5).scan(None).later(3).bill();
    environments(&mut story);
    story.soak().office().request("Green but for the farm; both runs are on the sheet", &[], None, None).quorum();
    story.roll_out().later(22 * 60).office().close("sofia", "The farm now says when it is being updated.");

    past(schedule, &PORTAL, "9.0.4", 1, 17, End::Live);

    // Under way: five percent have it, and it bakes.
    let at = schedule.workday(3, 8, 45);
    let mut story = Story::of(schedule, &PORTAL, "9.1.0", 1, at);
    story.propose(Pitch { commits: 8, reason: "Results explained in words, for the whole country", ..PITCH });
    evidence(&mut story, SKIPPED);
    environments(&mut story);
    let asked = story.schedule.ago(330);
    story.until(asked).request("Wards have read the texts; asking for the decision", &[], Some(240), None);
    story.later(35).go("alice", "qa").later(30).go("ben", "security").later(45).go("priya", "product-owner");
    let out = story.schedule.ago(52);
    story.until(out).wave(Course::Good(6)).announce("Operations and support", "five percent have it");

    // The next one, just delivered to staging.
    let at = schedule.ago(170);
    let mut story = Story::of(schedule, &PORTAL, "9.1.1", 1, at);
    story.propose(Pitch { commits: 3, reason: "Two texts that the wards found too long", ..PITCH });
    evidence(&mut story, &[]);
    let at = story.schedule.ago(38);
    story.until(at).deliver("staging");
}

// ------------------------------------------------------------------------------------------------------ billing-api

pub(super) fn billing(schedule: &mut Schedule) {
    past(schedule, &BILLING, "2.27.0", 1, 80, WELL);
    past(schedule, &BILLING, "2.28.0", 1, 73, WELL);
    past(schedule, &BILLING, "2.28.1", 1, 67, WELL);
    past(schedule, &BILLING, "2.29.0", 1, 60, WELL);
    past(schedule, &BILLING, "2.29.1", 1, 52, End::TakenBack(0, "3 of 900 refunds were sent twice", None));

    // Held for a day, answered, and let go on.
    let at = schedule.workday(46, 8, 15);
    let mut story = Story::of(schedule, &BILLING, "2.30.0", 1, at);
    story.propose(usual(&BILLING, "2.30.0"));
    evidence(&mut story, &[]);
    story.later(9).hold(
        "ben",
        Some("Is the old signature of webhooks still accepted by the two small insurers?"),
        "They were not on the list",
    );
    story.later(21 * 60).office().resume(
        "sofia",
        Some("Yes, until the end of next month; both have confirmed."),
        "Asked them by telephone",
    );
    environments(&mut story);
    story.soak().office().request("Question answered; asking for the decision", &[], None, None).quorum();
    story.roll_out().later(25 * 60).office().close("sofia", "Both insurers have moved since.");

    past(schedule, &BILLING, "2.30.1", 1, 33, WELL);

    // The CI system took it only the second time.
    let at = schedule.workday(26, 8, 30);
    let mut story = Story::of(schedule, &BILLING, "2.30.2", 1, at);
    story.propose(usual(&BILLING, "2.30.2"));
    evidence(&mut story, SKIPPED);
    environments(&mut story);
    story.soak().office().request("Tariffs of the new year", &[], None, None).quorum();
    story.start().wave(Course::Refused("the queue is closed for maintenance")).later(40).office();
    story.wave(Course::Good(5)).bake(0).start().wave(Course::Good(7)).bake(1);
    story.later(24 * 60).office().close("sofia", "Maintenance windows of the CI system are in the calendar now.");
    past(schedule, &BILLING, "2.30.3", 1, 18, End::Live);

    let at = schedule.workday(8, 8, 40);
    let mut story = Story::of(schedule, &BILLING, "2.31.0", 1, at);
    story.propose(usual(&BILLING, "2.31.0"));
    evidence(&mut story, &[]);
    environments(&mut story);
    story.soak().office().request("Before the month is closed", &[], None, None);
    story.later(22).go("ravi", "qa").later(35).answer(
        "ben",
        "security",
        Verdict::NoGo,
        &[],
        "The journal export writes the insurer's token into the log. It has to go before anything else goes.",
    );

    // Under way: what two people signed has moved, and production is frozen.
    let at = schedule.workday(3, 8, 50);
    let mut story = Story::of(schedule, &BILLING, "2.31.1", 1, at);
    story.propose(Pitch { commits: 6, reason: "2.31.0 without the token in the log", ..PITCH });
    evidence(&mut story, &[]);
    environments(&mut story);
    let asked = story.schedule.ago(320);
    story.until(asked).request(
        "For the hour after the books are shut",
        &[("security", Some("ben")), ("qa", None), ("operations", None)],
        Some(420),
        None,
    );
    story.later(31).go("alice", "qa").later(44).go("jo", "operations");
    let moved = story.schedule.ago(13);
    story.until(moved).tests_again(
        "contract.xml",
        SKIPPED,
        Some("The stub of one insurer was out of date; run again with the one of this week"),
    );
}

// ---------------------------------------------------------------------------------------------- telemetry-collector

/// A release that the standing authorization signs.
fn automatic<'s>(schedule: &'s mut Schedule, version: &'static str, at: Timestamp) -> Story<'s> {
    let mut story = Story::of(schedule, &TELEMETRY, version, 2, at);
    story.automatic = true;
    let commits = 1 + pick(&format!("commits {version}"), 5);
    story.propose(Pitch {
        change: ChangeType::Standard,
        commits,
        reason: "Merged to main and green; within the bounds of the standing authorization",
        ..PITCH
    });
    story.later(3).tests("unit.xml", &[]).later(2).scan(None).later(2).deliver("staging");
    story.soak().request("Within the bounds of the standing authorization", &[], None, None).quorum();
    story.later(1);
    story
}

pub(super) fn telemetry(schedule: &mut Schedule) {
    for (version, day) in [("3.5.0", 85), ("3.5.1", 83), ("3.5.2", 81), ("3.6.0", 78), ("3.6.1", 75), ("3.6.2", 72)] {
        past(schedule, &TELEMETRY, version, 1, day, WELL);
    }
    let released = [
        ("3.6.3", 64),
        ("3.6.4", 62),
        ("3.6.5", 59),
        ("3.6.6", 56),
        ("3.7.0", 53),
        ("3.7.1", 50),
        ("3.7.3", 44),
        ("3.7.4", 40),
        ("3.7.5", 38),
        ("3.7.6", 32),
        ("3.7.7", 28),
        ("3.7.8", 23),
        ("3.7.9", 17),
        ("3.7.10", 11),
        ("3.7.11", 5),
    ];
    for (version, day) in released {
        let at = schedule.workday(day, 9 + i64::from(day % 5), 7);
        let mut story = automatic(schedule, version, at);
        story.roll_out();
        if day > 12 {
            story.later(20 * 60).office().close("sofia", "Looked at in the weekly round; nothing to add.");
        }
    }
    // Taken back by the worker, within minutes.
    let at = schedule.workday(47, 13, 20);
    let mut story = automatic(schedule, "3.7.2", at);
    story.wave(Course::Good(4)).later(7).judge_wave(
        WaveVerdict::Fail,
        4,
        "no sample reached the dashboards for three minutes",
    );
    story.later(1).roll_back().announce("Operations and support", "taken back; the version before is live again");

    let at = schedule.ago(54);
    automatic(schedule, "3.7.12", at).wave(Course::Running);
}

//! Products near the patient: the pump's firmware, doses, and the laboratory.

use countersign_core::act::{Verdict, WaveVerdict};

use super::super::files::Odd;
use super::super::goods::{DOSE, Finding, LAB, PUMP};
use super::super::rollouts::Course;
use super::super::schedule::Schedule;
use super::super::story::{PITCH, Pitch, Story};
use super::{End, FLAKY, SKIPPED, WELL, environments, evidence, past, told, usual};

// ------------------------------------------------------------------------------------------------- infusion-pump-fw

const STROKE: Finding = Finding {
    rule: "buffer-bound",
    level: "error",
    file: "src/library/import.c",
    line: 302,
    text: "An index read from the drug library is used before it is compared with the length of the table.",
    accepted: None,
};

pub(super) fn pump(schedule: &mut Schedule) {
    past(schedule, &PUMP, "4.1.3", 1, 82, WELL);

    let at = schedule.workday(71, 9, 10);
    let mut story = Story::of(schedule, &PUMP, "4.1.4", 1, at);
    story.propose(usual(&PUMP, "4.1.4")).later(20).tests("unit.xml", &[]).later(9).scan(None);
    story.later(26 * 60).office().withdraw("tomas", "The new display driver is not approved yet; it comes with 4.1.5");

    // Said NO-GO to, and another put in its place.
    let at = schedule.workday(59, 8, 20);
    let mut story = Story::of(schedule, &PUMP, "4.1.5", 2, at);
    story.propose(usual(&PUMP, "4.1.5"));
    evidence(&mut story, SKIPPED);
    environments(&mut story);
    story.soak().office().request("Display driver approved; asking for the decision", &[], None, None);
    story.later(31).go("alice", "qa").later(40).go("ben", "security").later(25).answer(
        "ewa",
        "safety",
        Verdict::NoGo,
        &[],
        "The alarm text for occlusion is cut off on the small display. A nurse would read half of it.",
    );
    let replaced =
        Pitch { supersedes: Some("4.1.5"), reason: "4.1.5 with the alarm text that fits", ..usual(&PUMP, "4.1.6") };
    told(schedule, &PUMP, "4.1.6", 2, 53, replaced, End::Reviewed("Alarm texts were read on every display. Closed."));

    // Went out on a condition that was then met.
    let at = schedule.workday(42, 8, 35);
    let mut story = Story::of(schedule, &PUMP, "4.1.7", 2, at);
    story.propose(usual(&PUMP, "4.1.7"));
    evidence(&mut story, FLAKY);
    environments(&mut story);
    story.soak().office().request("Battery warnings, as agreed with the clinics", &[], None, None);
    story.later(22).go("ravi", "qa").later(28).go("ben", "security").later(16).answer(
        "ewa",
        "safety",
        Verdict::ConditionalGo,
        &["The clinics have confirmed in writing that the new battery warning is part of the morning round"],
        "The earlier warning changes what a nurse expects",
    );
    story.later(33).go("chiara", "product-owner").later(12).go("jo", "operations");
    story.later(48).meet("ewa", "All eleven clinics have answered; letters are in the risk file");
    story.roll_out().announce("Clinics", "released to everyone");

    // Ran out unsigned.
    let at = schedule.workday(21, 10, 0);
    let mut story = Story::of(schedule, &PUMP, "4.1.8", 2, at);
    story.propose(Pitch { commits: 1, reason: "A translation only; it can wait for company", ..usual(&PUMP, "4.1.8") });
    evidence(&mut story, &[]);
    environments(&mut story);
    story.soak().office().request("If there is room in the calendar", &[("qa", None)], Some(60 * 24), None);
    story.later(50).go("ben", "security");

    // Under way: two have signed, one on a condition, two are asked by name.
    let at = schedule.workday(3, 8, 12);
    let mut story = Story::of(schedule, &PUMP, "4.2.0", 2, at);
    story.propose(Pitch {
        commits: 11,
        external: Some((24_391, "approved")),
        reason: "Occlusion detection over three samples, and a day of battery history",
        ..PITCH
    });
    story.later(18).tests("unit.xml", FLAKY).later(74).tests("regression.xml", SKIPPED).later(6).scan(Some(&STROKE));
    story.later(4).bill().later(40).risk_review("dana", "risk-review.txt").later(32).confirm("ravi", "qa");
    story.later(25).waive(
        "ben",
        "static analysis",
        30,
        "dana",
        "The library is rejected by its signature before this line is reached; the check comes with 4.2.1 (PUMP-1811)",
    );
    environments(&mut story);
    let asked = story.schedule.ago(300);
    story.until(asked).request(
        "Soaked a day on the pumps of the test ward. Window of the pilot clinics is tonight",
        &[
            ("qa", Some("alice")),
            ("security", None),
            ("safety", Some("ewa")),
            ("product-owner", Some("priya")),
            ("operations", Some("jo")),
        ],
        Some(480),
        Some((60, 48 * 60)),
    );
    story.later(29).answer(
        "ben",
        "security",
        Verdict::ConditionalGo,
        &["PUMP-1811 is merged before the release reaches region-north"],
        "Scan clean but for the one finding I waived myself; it must not grow old",
    );
    story.later(37).go("priya", "product-owner").later(44).answer(
        "ewa",
        "safety",
        Verdict::Go,
        &[],
        "Three samples delay the alarm by 40 ms, against the 2 s the risk file allows. Hazard class unchanged.",
    );

    let at = schedule.ago(180);
    let mut story = Story::of(schedule, &PUMP, "4.3.0", 2, at);
    story.propose(Pitch {
        commits: 3,
        sketch: true,
        external: None,
        reason: "What comes after 4.2; to be filled in",
        ..PITCH
    });
}

// ------------------------------------------------------------------------------------------------------ lab-gateway

const RED: &[Odd] = &[
    Odd::Failed(
        "converts creatinine from mg/dl to umol/l at the upper limit",
        "expected 1149.2, got 1149.24",
        "analyte creatinine, factor 88.42, input 13.0\n  at units/convert_test.go:71\n  at units/table_test.go:19",
    ),
    Odd::Failed(
        "converts potassium with one decimal",
        "expected 4.0, got 4.04",
        "analyte potassium, factor 1.0, input 4.04\n  at units/convert_test.go:71",
    ),
    Odd::Broke(
        "resends nothing after a restart with a full queue",
        "deadline of 30 s exceeded",
        "waited for 512 acknowledgements, 511 came\n  at retransmit/restart_test.go:140",
    ),
    Odd::Skipped("reads barcodes of the old printers", "no such printer on the bench"),
];

pub(super) fn laboratory(schedule: &mut Schedule) {
    past(schedule, &LAB, "1.11.0", 1, 83, WELL);
    past(schedule, &LAB, "1.11.1", 1, 77, WELL);
    past(schedule, &LAB, "1.12.0", 1, 70, WELL);

    // A reply was lost; the run was found by its request id.
    let at = schedule.workday(62, 8, 5);
    let mut story = Story::of(schedule, &LAB, "1.12.1", 1, at);
    story.propose(usual(&LAB, "1.12.1"));
    evidence(&mut story, &[]);
    environments(&mut story);
    story.soak().office().request("Small and wanted by two laboratories", &[], None, None).quorum();
    story.start().wave(Course::LostAndFound(7)).bake(0);
    story.start().wave(Course::Good(8)).bake(1);
    story
        .later(24 * 60)
        .office()
        .close("jonas", "The lost reply was found in the log of the proxy; nothing ran twice.");

    let at = schedule.workday(55, 9, 30);
    let mut story = Story::of(schedule, &LAB, "1.12.2", 1, at);
    story.propose(usual(&LAB, "1.12.2")).later(15).tests("unit.xml", &[]).later(20).tests("regression.xml", &[]);
    let next = Pitch {
        supersedes: Some("1.12.2"),
        reason: "1.12.2 and the barcode reader in one go",
        ..usual(&LAB, "1.13.0")
    };
    told(schedule, &LAB, "1.13.0", 1, 52, next, WELL);

    // Its first candidate was red; the one it was amended to was not.
    let at = schedule.workday(45, 8, 20);
    let mut story = Story::of(schedule, &LAB, "1.13.3", 1, at);
    story.propose(usual(&LAB, "1.13.3")).later(15).tests("unit.xml", &[]).later(24).tests("regression.xml", RED);
    story
        .later(70)
        .retag("1.13.3+2")
        .amend(Pitch { reason: "The same with the missing factor for potassium", ..usual(&LAB, "1.13.3") });
    evidence(&mut story, &[]);
    environments(&mut story);
    story.soak().office().request("Amended once; asking for the decision", &[], None, None).quorum();
    story.roll_out().later(21 * 60).office().close("jonas", "The factor tables now have a test of their own.");

    past(schedule, &LAB, "1.13.4", 1, 35, WELL);
    let why = "stat orders waited 48 s in the queue, the band ends at 10 s";
    let end = End::TakenBack(0, why, Some("The queue had one lane; stat orders have their own from 1.13.6 on."));
    past(schedule, &LAB, "1.13.5", 1, 27, end);
    past(schedule, &LAB, "1.13.6", 1, 19, End::Live);

    // Under way: one laboratory has it, it went wrong, and somebody has to decide.
    let at = schedule.workday(3, 9, 5);
    let mut story = Story::of(schedule, &LAB, "1.14.0", 1, at);
    story.propose(Pitch { commits: 9, reason: "New driver for the analyzers of 2026", ..PITCH });
    evidence(&mut story, SKIPPED);
    environments(&mut story);
    let asked = story.schedule.ago(350);
    story.until(asked).request("Soaked over night on the bench", &[], None, None);
    story.later(26).go("ravi", "qa").later(41).go("jo", "operations");
    let out = story.schedule.ago(200);
    story.until(out).wave(Course::Good(5)).later(95);
    let why = "7 of 40 results came without a unit from analyzer 3; the band is none";
    story
        .judge_wave(WaveVerdict::Fail, 7, why)
        .later(4)
        .halt("jo", "Results without a unit. The laboratory telephones them until this is back.");

    let at = schedule.ago(115);
    let mut story = Story::of(schedule, &LAB, "1.14.1", 1, at);
    story.propose(Pitch { commits: 2, reason: "Units are never left out; mends 1.14.0", ..PITCH });
    story.later(16).tests("unit.xml", &[]).later(22).tests("regression.xml", RED).later(5).scan(None);

    let at = schedule.ago(75);
    let mut story = Story::of(schedule, &LAB, "1.15.0", 1, at);
    story.propose(Pitch { commits: 5, by: "jonas", reason: "Orders by message version 2.8, for the spring", ..PITCH });
    story.later(17).tests("unit.xml", FLAKY);
}

// --------------------------------------------------------------------------------------------------- dosing-service

pub(super) fn dosing(schedule: &mut Schedule) {
    past(schedule, &DOSE, "2.6.0", 1, 81, WELL);
    past(schedule, &DOSE, "2.6.1", 1, 74, WELL);
    past(schedule, &DOSE, "2.7.0", 1, 66, End::Reviewed("Renal tables of 2026 are in; pharmacists sampled 60 orders."));
    past(schedule, &DOSE, "2.7.1", 2, 54, WELL);

    let at = schedule.workday(48, 8, 25);
    let mut story = Story::of(schedule, &DOSE, "2.8.0", 2, at);
    story.propose(usual(&DOSE, "2.8.0"));
    evidence(&mut story, &[]);
    environments(&mut story);
    story.soak().office().request("Weight bands for children", &[], None, None);
    story.later(20).go("alice", "qa").later(33).answer(
        "ewa",
        "safety",
        Verdict::Hold,
        &[],
        "Which weight counts when two were taken within an hour?",
    );
    story.later(41).answer(
        "alice",
        "qa",
        Verdict::Withdrawn,
        &[],
        "My tests took the later of two weights; until the rule is written they show nothing",
    );
    story
        .later(23 * 60)
        .office()
        .withdraw("jonas", "The question has no answer yet; the rule is taken out of this release");
    past(schedule, &DOSE, "2.8.1", 2, 43, WELL);
    past(schedule, &DOSE, "2.8.2", 2, 32, WELL);
    past(schedule, &DOSE, "2.8.3", 2, 21, End::Live);

    // Under way: everybody has signed; it waits for its window.
    let at = schedule.workday(3, 8, 3);
    let mut story = Story::of(schedule, &DOSE, "2.9.0", 2, at);
    story.propose(Pitch {
        commits: 7,
        external: Some((24_377, "approved")),
        reason: "Lean weight above a body mass index of 30",
        ..PITCH
    });
    evidence(&mut story, FLAKY);
    environments(&mut story);
    let asked = story.schedule.ago(345);
    story.until(asked).request("For the quiet hours of ward seven", &[], Some(300), Some((7 * 60, 15 * 60)));
    story.later(24).go("alice", "qa").later(31).go("ben", "security").later(27).answer(
        "ewa",
        "safety",
        Verdict::ConditionalGo,
        &["The pharmacist on duty of ward seven knows that lean weight is used from tonight on"],
        "Doses for heavy patients fall by up to a fifth",
    );
    story
        .later(38)
        .go("jo", "operations")
        .later(52)
        .meet("ewa", "Spoke to the pharmacist on duty at noon; it is in the ward's book");

    let at = schedule.ago(160);
    let mut story = Story::of(schedule, &DOSE, "2.9.1", 2, at);
    story.propose(Pitch {
        by: "dana",
        commits: 4,
        external: Some((24_402, "in review")),
        reason: "Interactions of the new formulary",
        ..PITCH
    });
    story.later(17).tests("unit.xml", &[]).later(40).tests("reference-doses.xml", SKIPPED);
    story.later(21).hold(
        "ewa",
        Some("Do the interactions of the old formulary stay for patients whose therapy has begun?"),
        "Two formularies at once were never looked at",
    );
}

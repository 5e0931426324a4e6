//! Emergency changes: two people, less evidence, and a review afterwards that is not forgotten.

use countersign_core::act::{ChangeType, Grant, Review, ReviewScope};
use countersign_core::evidence::Conclusion;
use countersign_core::judge::{self, ReleaseState};
use countersign_core::rejection::Code;
use countersign_core::words::Timestamp;

use super::*;

const EMERGENCY: &str = "
[emergency]
gates = [\"unit tests\"]

[[emergency.quorum]]
role = \"emergency-authority\"

[[emergency.quorum]]
role = \"qa\"
";

fn company() -> World {
    given_policy(&format!("{POLICY}\n{EMERGENCY}")).when(role_change(Grant::Grant, SAM, "emergency-authority"))
}

fn emergency(id: &'static str) -> Step {
    propose_as(id, |candidate| {
        candidate.change_type = ChangeType::Emergency;
        candidate.incident = Some(word("INC-7"));
    })
}

/// An emergency change whose first wave is out.
fn out() -> World {
    company()
        .when(emergency("e1"))
        .when(observe("e1", "unit.xml", Conclusion::Pass))
        .when(freeze("e1"))
        .when(go(SAM, "e1", "emergency-authority"))
        .when(go(QUINN, "e1", "qa"))
        .sent("e1", 1)
}

fn review_by(who: &'static str, id: &'static str) -> Step {
    step(who, move |world| {
        let findings = word("the missing case is now tested");
        let until = world.state.tree.size();
        Review { findings, from: 0, release: Some(word(id)), scope: ReviewScope::Emergency, until }.into()
    })
}

#[test]
fn two_people_sign_on_less_evidence_and_nobody_else_is_asked() {
    let world = company().when(emergency("e1"));
    world
        .clone()
        .refuses_saying(Code::GateOpen, "unit tests", freeze("e1"))
        .when(observe("e1", "unit.xml", Conclusion::Pass))
        .when(freeze("e1"))
        .refuses(Code::RoleMissing, go(SAM, "e1", "security"))
        .when(go(SAM, "e1", "emergency-authority"))
        .refuses_saying(Code::QuorumMissing, "qa", dispatch("e1", 1, "q1"))
        .when(go(QUINN, "e1", "qa"))
        .is("e1", ReleaseState::Authorized)
        .when(dispatch("e1", 1, "q1"));
    // What is red halts, asked for or not.
    world
        .when(observe("e1", "unit.xml", Conclusion::Pass))
        .when(observe("e1", "scan.sarif", Conclusion::Fail))
        .refuses_saying(Code::Halted, "static analysis", freeze("e1"));
    // The usual change asks the usual people.
    company().ready("r1").refuses(Code::RoleMissing, go(SAM, "r1", "emergency-authority"));
}

#[test]
fn an_emergency_names_its_incident_and_its_type_is_in_what_is_signed() {
    company().refuses_saying(
        Code::Field,
        "incident",
        propose_as("e1", |candidate| candidate.change_type = ChangeType::Emergency),
    );
    let world = company()
        .when(emergency("e1"))
        .when(observe("e1", "unit.xml", Conclusion::Pass))
        .when(freeze("e1"))
        .when(go(SAM, "e1", "emergency-authority"));
    assert_eq!(world.sheet("e1").body.change_type, ChangeType::Emergency);
    // A type that changes after a signature is another candidate, and the signature is worth nothing on it.
    let amended = world.when(amend("e1", |candidate| candidate.change_type = ChangeType::Normal));
    amended.worth("e1", SAM, judge::SignOffState::Stale, "");
}

#[test]
fn a_review_that_is_overdue_blocks_the_next_normal_release_and_no_emergency() {
    // Out on Sunday the 22nd; two working days later is Tuesday.
    let world = out();
    let due: Timestamp = word("2026-11-24T23:59:59Z");
    assert_eq!(judge::review_due(&world.state, world.release("e1")), Some(due));
    let world = world.passed("e1", 1).sent("e1", 2).passed("e1", 2);
    let next = world.proven("r2").staged("r2");
    let wait = due.seconds_since(next.now);
    next.clone().later(wait).when(freeze("r2"));
    let overdue = next.clone().later(wait + 1);
    let overdue = overdue
        .refuses_saying(Code::ReviewOverdue, "e1 was to be reviewed by 2026-11-24T23:59:59Z", freeze("r2"))
        .refuses(Code::RoleMissing, review_by(QUINN, "e1"))
        .refuses_saying(Code::NotFound, "no emergency change", review_by(ADA, "r2"));
    overdue.clone().when(emergency("e2")).when(observe("e2", "unit.xml", Conclusion::Pass)).when(freeze("e2"));
    overdue.when(review_by(ADA, "e1")).refuses(Code::AlreadyDone, review_by(OLGA, "e1")).when(freeze("r2"));
    // A sheet that was signed before does not go out past the due date either.
    let signed = next.later(wait - 10).when(freeze("r2")).when(go(QUINN, "r2", "qa")).when(go(SAM, "r2", "security"));
    signed.clone().when(dispatch("r2", 1, "q2"));
    let late = signed.later(11).refuses(Code::ReviewOverdue, dispatch("r2", 1, "q2"));
    late.clone().then(|world| {
        let blockers = judge::blockers(&world.state, world.release("r2"), world.now);
        assert!(blockers.iter().any(|blocker| blocker.code == "review_overdue"), "{blockers:?}");
    });
    late.when(review_by(ADA, "e1")).when(dispatch("r2", 1, "q2"));
}

#[test]
fn who_had_a_part_in_an_emergency_does_not_review_it() {
    out()
        .when(role_change(Grant::Grant, SAM, "auditor"))
        .when(role_change(Grant::Grant, RITA, "auditor"))
        .when(role_change(Grant::Grant, ROLF, "auditor"))
        .refuses_saying(Code::SegregationFailed, "signed", review_by(SAM, "e1"))
        .refuses_saying(Code::SegregationFailed, "asked for", review_by(RITA, "e1"))
        .refuses_saying(Code::SegregationFailed, "dispatched", review_by(ROLF, "e1"))
        .when(review_by(ADA, "e1"));
}

#[test]
fn an_emergency_policy_that_one_person_could_meet_is_refused() {
    let one = EMERGENCY.replace("[[emergency.quorum]]\nrole = \"qa\"\n", "");
    for (table, says) in [
        (one.as_str(), "two people"),
        (&EMERGENCY.replace("unit tests", "no such gate"), "no such gate"),
        (&EMERGENCY.replace("role = \"qa\"", "role = \"practitioner\""), "does not approve"),
        (&EMERGENCY.replace("[emergency]", "[emergency]\nreview_working_days = 0"), "review_working_days"),
    ] {
        without_policy().refuses_saying(Code::Policy, says, policy(&format!("{POLICY}\n{table}")));
    }
}

//! Verdicts that end, hold or tie a release: by count, by question, by condition; and what takes whose place.

use countersign_core::act::{ChangeType, Grant, Hold, HoldChange, KeyChange, ProposeChange, Verdict};
use countersign_core::judge::{self, Outcome, ReleaseState, SignOffState};
use countersign_core::rejection::Code;
use countersign_core::state::SignOff;

use super::*;

fn given_also(first: &str) -> World {
    given_policy(&format!("{first}\n{POLICY}"))
}

/// A release manager answers the question of somebody's HOLD.
fn reply(who: &'static str, id: &'static str, whose: &'static str, answer: Option<&'static str>) -> Step {
    step(who, move |world| {
        let held = |answer: &&SignOff| answer.principal.as_str() == whose && answer.verdict == Verdict::Hold;
        let hold = world.sheet(id).answers.iter().rfind(held).expect("they have asked").entry;
        Hold { change: HoldChange::Resume { answer: answer.map(word), hold }, release: word(id) }.into()
    })
}

#[test]
fn enough_no_go_end_a_release_though_none_has_a_veto() {
    let lenient = given_also("veto = []\nno_go_count = 2").ready("r1");
    let once = lenient.when(answer(QUINN, "r1", "qa", Verdict::NoGo)).comes_to("r1", &Outcome::Incomplete);
    once.clone().when(go(QUENTIN, "r1", "qa")).when(go(SAM, "r1", "security")).is("r1", ReleaseState::Authorized);
    once.when(answer(SAM, "r1", "security", Verdict::NoGo))
        .is("r1", ReleaseState::NoGo)
        .when(go(QUENTIN, "r1", "qa"))
        .when(go(BOTH, "r1", "security"))
        .refuses(Code::NoGo, dispatch("r1", 1, "q1"))
        // One of the two thinks again.
        .when(go(SAM, "r1", "security"))
        .is("r1", ReleaseState::Authorized);
    without_policy().refuses_saying(Code::Policy, "no_go_count", policy(&format!("no_go_count = 0\n{POLICY}")));
}

#[test]
fn the_question_of_a_hold_is_answered_before_its_signer_says_go() {
    let asked = |world: World| world.ready("r1").when(answer(QUINN, "r1", "qa", Verdict::Hold));
    let world = asked(given_also("hold_answered = true"))
        .refuses_saying(Code::OnHold, "waits for an answer", go(QUINN, "r1", "qa"))
        .refuses(Code::RoleMissing, reply(PAUL, "r1", QUINN, Some("told at 14:00")))
        .refuses_saying(Code::Field, "not answered", reply(RITA, "r1", QUINN, None));
    world.clone().then(|world| {
        let blockers = judge::blockers(&world.state, world.release("r1"), world.now);
        let asks = blockers.iter().find(|blocker| blocker.code == "on_hold").expect("it is named");
        assert!(asks.act.contains("--answer"), "{asks:?}");
        assert!(asks.who.contains(&RITA.to_owned()), "{asks:?}");
    });
    // A NO-GO needs no answer, and is no way around the question; an answer is no GO.
    world
        .clone()
        .when(answer(QUINN, "r1", "qa", Verdict::NoGo))
        .is("r1", ReleaseState::NoGo)
        .refuses_saying(Code::OnHold, "waits for an answer", go(QUINN, "r1", "qa"))
        .refuses_saying(Code::OnHold, "waits for an answer", withdraw_answer(QUINN, "r1", "qa"))
        .when(reply(RITA, "r1", QUINN, Some("told at 14:00")))
        .is("r1", ReleaseState::NoGo)
        .when(go(QUINN, "r1", "qa"));
    world
        .when(reply(RITA, "r1", QUINN, Some("told at 14:00")))
        .is("r1", ReleaseState::OnHold)
        .refuses(Code::NotFound, reply(RITA, "r1", QUINN, Some("once more")))
        .when(go(QUINN, "r1", "qa"))
        .when(go(SAM, "r1", "security"))
        .is("r1", ReleaseState::Authorized);
    // Where the policy does not ask for it, who held may think again.
    asked(given()).when(go(QUINN, "r1", "qa"));
}

#[test]
fn an_open_condition_is_a_task_of_those_who_hold_its_role() {
    let conditional = with_approval(answer(QUINN, "r1", "qa", Verdict::ConditionalGo), |_, body| {
        body.conditions = vec![word("the night shift is told")];
    });
    let world = given().ready("r1").when(conditional).when(go(SAM, "r1", "security"));
    let task = |world: &World| {
        let blockers = judge::blockers(&world.state, world.release("r1"), world.now);
        blockers.into_iter().find(|blocker| blocker.code == "condition")
    };
    let open = task(&world).expect("the condition is a task");
    assert!(open.what.contains("the night shift is told") && open.act.contains(".1"), "{open:?}");
    assert!(open.who.contains(&QUENTIN.to_owned()) && !open.who.contains(&DANA.to_owned()), "{open:?}");
    let settled = world.refuses(Code::QuorumMissing, dispatch("r1", 1, "q1")).when(settle(QUENTIN, "r1", QUINN));
    assert_eq!(task(&settled), None);
    settled.is("r1", ReleaseState::Authorized).when(dispatch("r1", 1, "q1"));
}

#[test]
fn what_takes_a_releases_place_is_another_of_its_product_that_stands() {
    let supersede = |by: &'static str| propose_change("r1", ProposeChange::Supersede { by: word(by) });
    given()
        .when(propose("r1"))
        .when(propose("r2"))
        .when(propose("r3"))
        .when(withdraw("r3"))
        .refuses(Code::NotFound, supersede("r9"))
        .refuses_saying(Code::WrongState, "its own place", supersede("r1"))
        .refuses_saying(Code::WrongState, "given up itself", supersede("r3"))
        .when(supersede("r2"))
        .is("r1", ReleaseState::Superseded);
}

fn withdraw_answer(who: &'static str, id: &'static str, role: &'static str) -> Step {
    answer(who, id, role, Verdict::Withdrawn)
}

#[test]
fn an_answer_is_withdrawn_by_who_gave_it_until_something_is_dispatched_on_it() {
    let world = given()
        .ready("r1")
        .refuses_saying(Code::NotFound, "has said nothing", withdraw_answer(QUINN, "r1", "qa"))
        .when(go(QUINN, "r1", "qa"))
        .when(go(SAM, "r1", "security"))
        .is("r1", ReleaseState::Authorized);
    let taken_back = world
        .clone()
        .refuses_saying(Code::NotFound, "has said nothing", withdraw_answer(QUENTIN, "r1", "qa"))
        .refuses(Code::RoleMissing, withdraw_answer(PAUL, "r1", "qa"))
        .when(withdraw_answer(QUINN, "r1", "qa"))
        .is("r1", ReleaseState::Ready)
        .refuses_saying(Code::QuorumMissing, "qa 0 of 1", dispatch("r1", 1, "q1"))
        .refuses_saying(Code::NotFound, "has said nothing", withdraw_answer(QUINN, "r1", "qa"));
    // Another takes the seat, or the same person thinks again; who has not seen it has not signed what is now the case.
    taken_back.clone().when(go(QUENTIN, "r1", "qa")).is("r1", ReleaseState::Authorized);
    taken_back.clone().when(go(QUINN, "r1", "qa")).is("r1", ReleaseState::Authorized);
    let unseen = taken_back.state.tree.size() - 1;
    taken_back.when(go(QUENTIN, "r1", "qa").having_seen(unseen)).is("r1", ReleaseState::Ready);
    // What was sent is halted or taken back; an answer to it stays.
    world.when(dispatch("r1", 1, "q1")).refuses_saying(
        Code::WrongState,
        "dispatched",
        withdraw_answer(QUINN, "r1", "qa"),
    );
}

#[test]
fn a_no_go_and_a_hold_end_when_they_are_withdrawn_but_not_around_a_question() {
    let no = given().ready("r1").when(answer(QUINN, "r1", "qa", Verdict::NoGo)).is("r1", ReleaseState::NoGo);
    no.when(withdraw_answer(QUINN, "r1", "qa")).is("r1", ReleaseState::Ready);
    let asked = |world: World| world.ready("r1").when(answer(QUINN, "r1", "qa", Verdict::Hold));
    asked(given()).when(withdraw_answer(QUINN, "r1", "qa")).is("r1", ReleaseState::Ready);
    asked(given_also("hold_answered = true")).refuses_saying(
        Code::OnHold,
        "waits for an answer",
        withdraw_answer(QUINN, "r1", "qa"),
    );
}

#[test]
fn only_an_answer_to_a_sheet_is_withdrawn() {
    let world = given().when(policy(POLICY));
    let index = world.last_entry().index;
    world.when(answer_entry(QUINN, index, "qa", Verdict::Go)).refuses_saying(
        Code::Field,
        "decision sheet",
        answer_entry(QUINN, index, "qa", Verdict::Withdrawn),
    );
}

#[test]
fn one_decision_is_open_for_an_environment_at_a_time() {
    let both = |world: World| world.ready("r1").proven("r2").staged("r2").later(3600);
    let world = both(given()).refuses_saying(Code::DecisionOpen, "the decision on r1 is open", freeze("r2"));
    // Decided, it is still open until it is out.
    let signed = world.clone().when(go(QUINN, "r1", "qa")).when(go(SAM, "r1", "security"));
    signed.refuses(Code::DecisionOpen, freeze("r2"));
    // It ends where it is given up, names its successor, is refused, or runs out.
    world.clone().when(withdraw("r1")).when(freeze("r2"));
    world.clone().when(propose_change("r1", ProposeChange::Supersede { by: word("r2") })).when(freeze("r2"));
    world.clone().later(2 * 86_400).when(freeze("r2"));
    let refused = world.clone().when(answer(QUINN, "r1", "qa", Verdict::NoGo)).when(freeze("r2"));
    // What was refused does not come back beside the one that took its turn.
    refused
        .refuses_saying(Code::DecisionOpen, "r2", go(QUINN, "r1", "qa"))
        .refuses_saying(Code::DecisionOpen, "r2", withdraw_answer(QUINN, "r1", "qa"))
        .when(answer(SAM, "r1", "security", Verdict::NoGo))
        .when(go(QUINN, "r2", "qa"));
}

#[test]
fn an_emergency_waits_for_no_other_decision() {
    let emergency = propose_as("r2", |candidate| {
        candidate.change_type = ChangeType::Emergency;
        candidate.incident = Some(word("INC-7"));
    });
    let pass = countersign_core::evidence::Conclusion::Pass;
    given()
        .ready("r1")
        .when(go(QUENTIN, "r1", "qa"))
        .when(emergency)
        .when(observe("r2", "unit.xml", pass))
        .when(observe("r2", "scan.sarif", pass))
        .staged("r2")
        .later(3600)
        .when(freeze("r2"))
        .refuses_saying(Code::DecisionOpen, "r2", go(QUINN, "r1", "qa"))
        // A GO is taken back whatever is decided beside it: that opens nothing.
        .when(withdraw_answer(QUENTIN, "r1", "qa"))
        .when(go(QUINN, "r2", "qa"));
}

/// The eighth, INVALID, is what is never admitted: it is no answer of the state, and verifying names it (`insider`).
#[test]
fn every_state_of_a_sign_off_that_was_admitted_is_reached() {
    let signed = || given().ready("r1").when(go(QUINN, "r1", "qa"));
    let conditional = with_approval(answer(QUINN, "r1", "qa", Verdict::ConditionalGo), |_, body| {
        body.conditions = vec![word("the night shift is told")];
    });
    let attached = attach(QUINN, "r1", "notes.txt", countersign_core::evidence::Conclusion::Pass);
    let reached = [
        (SignOffState::Valid, signed()),
        (SignOffState::Incomplete, given().ready("r1").when(conditional)),
        (SignOffState::Stale, signed().when(amend("r1", |candidate| candidate.risk = Some(word("some"))))),
        (SignOffState::Expired, signed().later(2 * 86_400)),
        (SignOffState::SignerLostRole, signed().when(role_change(Grant::Lapse, QUINN, "qa"))),
        (SignOffState::KeyRevoked, signed().when(key_change(KeyChange::Lost {}, QUINN))),
        (SignOffState::SegregationFailed, signed().when(attached)),
    ];
    for (state, world) in &reached {
        let judged = judge::sign_offs(&world.state, world.release("r1"), world.sheet("r1"), world.now);
        assert_eq!(judged.iter().map(|judged| judged.state).collect::<Vec<_>>(), [*state]);
    }
    let mut all: Vec<SignOffState> = reached.iter().map(|(state, _)| *state).collect();
    all.push(SignOffState::Invalid);
    assert_eq!(all, SignOffState::ALL);
}

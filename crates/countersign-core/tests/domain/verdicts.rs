//! Verdicts that end, hold or tie a release: by count, by question, by condition; and what takes whose place.

use countersign_core::act::{ChangeType, Hold, HoldChange, ProposeChange, Verdict};
use countersign_core::judge::{self, Outcome, ReleaseState};
use countersign_core::rejection::Code;

use super::*;

fn given_also(first: &str) -> World {
    given_policy(&format!("{first}\n{POLICY}"))
}

/// A release manager answers the question of somebody's HOLD.
fn reply(who: &'static str, id: &'static str, whose: &'static str, answer: Option<&'static str>) -> Step {
    step(who, move |world| {
        let hold = world.sheet(id).answers.iter().rfind(|answer| answer.principal.as_str() == whose);
        let hold = hold.expect("they have answered").entry;
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
    // A NO-GO needs no answer, and an answer is no GO.
    world.clone().when(answer(QUINN, "r1", "qa", Verdict::NoGo)).is("r1", ReleaseState::NoGo);
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

#[test]
fn an_answer_is_taken_back_before_the_dispatch_and_not_after() {
    let back = |who: &'static str, role: &'static str| answer(who, "r1", role, Verdict::Withdrawn);
    let world = given()
        .ready("r1")
        .refuses_saying(Code::NotFound, "nothing that could be taken back", back(QUINN, "qa"))
        .when(go(QUINN, "r1", "qa"))
        .when(go(SAM, "r1", "security"))
        .is("r1", ReleaseState::Authorized)
        .when(back(SAM, "security"))
        .comes_to("r1", &Outcome::Incomplete)
        .refuses(Code::NotFound, back(SAM, "security"))
        .refuses(Code::QuorumMissing, dispatch("r1", 1, "q1"))
        // A NO-GO that is taken back ends nothing, and who took an answer back may give another.
        .when(answer(SAM, "r1", "security", Verdict::NoGo))
        .is("r1", ReleaseState::NoGo)
        .when(back(SAM, "security"))
        .is("r1", ReleaseState::Ready)
        .when(go(BOTH, "r1", "security"))
        .is("r1", ReleaseState::Authorized)
        .refuses_saying(Code::Field, "answered as security", back(BOTH, "qa"));
    world
        .when(dispatch("r1", 1, "q1"))
        .refuses_saying(Code::WrongState, "can no longer be taken back", back(BOTH, "security"))
        .refuses(Code::WrongState, back(QUINN, "qa"));
    // A question that must be answered is not silenced by taking the HOLD back.
    given_also("hold_answered = true")
        .ready("r1")
        .when(answer(QUINN, "r1", "qa", Verdict::Hold))
        .refuses_saying(Code::OnHold, "waits for an answer", back(QUINN, "qa"))
        .when(reply(RITA, "r1", QUINN, Some("told at 14:00")))
        .when(back(QUINN, "qa"))
        .is("r1", ReleaseState::Ready);
}

#[test]
fn what_was_said_of_a_policy_is_taken_back_until_it_is_in_force() {
    let world = given().when(policy(&policy_with(&[("soak_seconds = 3600", "soak_seconds = 60")])));
    let index = world.last_entry().index;
    let says = |who: &'static str, role: &'static str, verdict| answer_entry(who, index, role, verdict);
    world
        .refuses(Code::NotFound, says(QUINN, "qa", Verdict::Withdrawn))
        .when(says(QUINN, "qa", Verdict::Go))
        .when(says(QUINN, "qa", Verdict::Withdrawn))
        .when(says(SAM, "security", Verdict::Go))
        .then(|world| assert_eq!(world.state.policies[&word(PRODUCT)][1].in_force, None))
        .when(says(QUENTIN, "qa", Verdict::Go))
        .then(|world| assert!(world.state.policies[&word(PRODUCT)][1].in_force.is_some()))
        .refuses(Code::AlreadyDone, says(SAM, "security", Verdict::Withdrawn));
}

#[test]
fn a_segment_has_one_decision_at_a_time_where_the_policy_says_so() {
    let given = || given_policy_with(&[ONE_DECISION]);
    let second = |world: World| world.proven("r2").staged("r2").later(3600);
    let world = second(given().ready("r1"));
    let world = world.refuses_saying(Code::EnvironmentBusy, "r1 is being decided on for canary", freeze("r2"));
    // It ends with the decision: by a NO-GO, by giving it up, by time; and it holds while the rollout lasts.
    world.clone().when(answer(QUINN, "r1", "qa", Verdict::NoGo)).when(freeze("r2"));
    world.clone().when(propose_change("r1", ProposeChange::Supersede { by: word("r2") })).when(freeze("r2"));
    world.clone().later(25 * 3600).when(freeze("r2"));
    world.clone().when(hold(QUINN, "r1", None)).refuses(Code::EnvironmentBusy, freeze("r2"));
    let rolling = given().signed("r1").sent("r1", 1);
    second(rolling).refuses(Code::EnvironmentBusy, freeze("r2"));
    second(given().live("r1")).when(freeze("r2"));
    // An emergency does not wait for the usual. Where nothing is said, the first to go out makes the others stale.
    world
        .clone()
        .when(amend("r2", |candidate| {
            candidate.change_type = ChangeType::Emergency;
            candidate.incident = Some(word("INC-7"));
        }))
        .staged("r2")
        .later(3600)
        .when(freeze("r2"));
    let both = second(super::given().signed("r1")).when(freeze("r2"));
    both.when(go(QUINN, "r2", "qa")).when(go(SAM, "r2", "security")).is("r2", ReleaseState::Authorized);
}

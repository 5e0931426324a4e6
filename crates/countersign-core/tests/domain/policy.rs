//! What a policy asks otherwise by type of change and environment, in which order its roles sign, and what another policy
//! would have decided.

use countersign_core::act::{ChangeType, Verdict};
use countersign_core::evidence::Conclusion;
use countersign_core::judge::{self, Outcome, ReleaseState, SignOffState};
use countersign_core::policy::Policy as Rules;
use countersign_core::rejection::Code;

use super::*;

fn also(lines: &str) -> String {
    format!("{POLICY}\n{lines}")
}

fn first(line: &str) -> String {
    format!("{line}\n{POLICY}")
}

fn normal(id: &'static str) -> Step {
    propose_as(id, |candidate| candidate.change_type = ChangeType::Normal)
}

const NORMAL: &str = "
[[refine]]
change = [\"standard\"]
soak_seconds = 60
quorum = [{ role = \"qa\" }]

[[refine]]
change = [\"normal\"]
required = [\"external-record\"]

[[refine.evidence]]
gate = \"bill of materials\"
kind = \"cyclonedx\"
";

#[test]
fn a_type_of_change_is_asked_for_what_the_policy_says_of_it_and_no_other_is() {
    let world = given_policy(&also(NORMAL));
    let shown = |step: Step, id: &'static str| {
        let world = world.clone().when(step).when(observe(id, "unit.xml", Conclusion::Pass));
        world.when(observe(id, "scan.sarif", Conclusion::Pass)).delivered(id).when(stage(id))
    };
    // A standard change: one signature, a minute of soak.
    shown(propose("s1"), "s1")
        .refuses_saying(Code::GateOpen, "staging", freeze("s1"))
        .later(60)
        .when(freeze("s1"))
        .refuses(Code::RoleMissing, go(SAM, "s1", "security"))
        .when(go(QUINN, "s1", "qa"))
        .is("s1", ReleaseState::Authorized);
    // A normal one: a change record and a bill of materials beside everything else.
    let normal = shown(normal("n1"), "n1").later(60).refuses_saying(Code::GateOpen, "external-record", freeze("n1"));
    let gates = judge::checks(&normal.state, normal.release("n1"), normal.now);
    let open: Vec<&str> = gates.iter().filter(|check| check.open()).map(|check| check.gate.as_str()).collect();
    assert_eq!(open, ["fields", "bill of materials", "staging"]);
}

#[test]
fn what_is_asked_before_an_earlier_environment_keeps_it_from_there_and_stays_asked() {
    let text = policy_with(&[(
        "[[evidence]]\ngate = \"unit tests\"\nkind = \"junit\"\nname = \"unit.xml\"\n",
        "[[refine]]\nenvironment = \"staging\"\n[[refine.evidence]]\ngate = \"unit tests\"\nkind = \"junit\"\nname = \"unit.xml\"\n",
    )]);
    let world = given_policy(&text).when(propose("r1"));
    world.clone().when(observe("r1", "scan.sarif", Conclusion::Pass)).refuses_saying(
        Code::GateOpen,
        "before staging: gate unit tests",
        deliver("r1", "one"),
    );
    // Another file is not asked for yet.
    world.clone().when(observe("r1", "unit.xml", Conclusion::Pass)).when(deliver("r1", "one"));
    world.when(observe("r1", "unit.xml", Conclusion::Fail)).refuses_saying(
        Code::Halted,
        "unit tests",
        deliver("r1", "one"),
    );
}

#[test]
fn a_refinement_names_environments_that_are_there_and_asks_for_signatures_at_the_last_alone() {
    let refine = |lines: &str| policy(&also(&format!("[[refine]]\n{lines}\n")));
    without_policy()
        .refuses_saying(
            Code::Policy,
            "not on the promotion path",
            refine("environment = \"moon\"\nrequired = [\"risk\"]"),
        )
        .refuses_saying(
            Code::Policy,
            "nobody signs before staging",
            refine("environment = \"staging\"\nchange = [\"normal\"]\nquorum = [{ role = \"qa\" }]"),
        )
        .when(refine("environment = \"production\"\nchange = [\"normal\"]\nquorum = [{ role = \"qa\" }]"));
}

#[test]
fn a_refinement_that_cannot_be_met_is_refused_with_the_reason() {
    let table = [
        ("[[refine]]\n", "asks for nothing"),
        ("[[refine]]\nchange = []\nsoak_seconds = 1\n", "no type of change"),
        ("[[refine]]\nsoak_seconds = 99999999999\n", "for standard changes: "),
        ("[[refine]]\nchange = [\"emergency\"]\nquorum = [{ role = \"qa\" }]\n", "two people at least"),
        ("[[refine]]\ngates = [\"moon phase\"]\n", "gate moon phase is none"),
        ("[[refine]]\nveto = [\"safety\"]\n", "veto role safety"),
        ("[[refine]]\norder = [\"qa\", \"qa\"]\n", "named twice"),
        ("[[refine]]\norder = [\"qa\"]\n", "two roles"),
        ("[[refine]]\norder = [\"qa\", \"safety\"]\n", "safety of the order"),
        ("[[refine]]\nquorum = [{ role = \"auditor\" }]\n", "does not approve"),
        ("[[refine]]\nmode = \"continuous-deployment\"\n", "unknown field"),
    ];
    for (lines, says) in table {
        let error = Rules::parse(&also(lines)).unwrap_err().to_string();
        assert!(error.contains(says), "{lines}: {error}");
    }
}

#[test]
fn a_gate_left_out_for_a_type_of_change_still_halts_when_it_is_red() {
    let lines = "[[refine]]\nchange = [\"standard\"]\ngates = [\"unit tests\"]\n";
    let world = given_policy(&also(lines)).when(propose("s1")).when(observe("s1", "unit.xml", Conclusion::Pass));
    world.clone().when(freeze("s1"));
    world.when(observe("s1", "scan.sarif", Conclusion::Fail)).refuses_saying(
        Code::Halted,
        "static analysis",
        freeze("s1"),
    );
}

#[test]
fn a_gate_is_waived_by_who_would_sign_such_a_change_and_nobody_else() {
    let lines = "[[refine]]\nchange = [\"standard\"]\nquorum = [{ role = \"qa\" }]\n";
    let waived = |who| waive(who, "s1", "static analysis", 86_400);
    let world = given_policy(&also(lines)).when(propose("s1"));
    world.clone().refuses_saying(Code::RoleMissing, "such a change", waived(SAM)).when(waived(QUINN));
    // Under the same policy the others still sign a normal one.
    given_policy(&also(lines)).when(normal("n1")).when(waive(SAM, "n1", "static analysis", 86_400));
}

#[test]
fn roles_sign_in_the_order_the_policy_says_and_a_no_go_waits_for_nobody() {
    let world = given_policy(&first("order = [\"qa\", \"security\"]")).ready("r1");
    world.clone().when(answer(SAM, "r1", "security", Verdict::NoGo)).is("r1", ReleaseState::NoGo);
    let after = judge::after_signature(&world.state, world.release("r1"), &word(SAM), &word("security"), world.now);
    assert_eq!(after.unwrap_err().code, Code::OutOfTurn);
    let world = world
        .refuses_saying(Code::OutOfTurn, "qa sign before security", go(SAM, "r1", "security"))
        .when(go(QUINN, "r1", "qa"))
        .when(go(SAM, "r1", "security"));
    world.clone().is("r1", ReleaseState::Authorized);
    // The first thinks again: what was signed on their word is asked for again.
    let again = world.when(answer(QUINN, "r1", "qa", Verdict::Hold)).when(go(QUINN, "r1", "qa"));
    again
        .worth("r1", SAM, SignOffState::Stale, "qa signs before security")
        .refuses(Code::QuorumMissing, dispatch("r1", 1, "q1"))
        .when(go(SAM, "r1", "security"))
        .is("r1", ReleaseState::Authorized);
}

#[test]
fn an_order_counts_once_the_whole_role_before_has_signed() {
    let text = policy_with(&[
        ("soak_seconds", "order = [\"qa\", \"security\"]\nsoak_seconds"),
        ("role = \"qa\"", "role = \"qa\"\ncount = 2"),
    ]);
    given_policy(&text)
        .ready("r1")
        .when(go(QUINN, "r1", "qa"))
        .refuses(Code::OutOfTurn, go(SAM, "r1", "security"))
        .when(go(QUENTIN, "r1", "qa"))
        .when(go(SAM, "r1", "security"))
        .is("r1", ReleaseState::Authorized);
}

#[test]
fn a_policy_in_place_of_another_is_refused_where_nobody_could_sign_under_it() {
    let safety = policy_with(&[("role = \"security\"", "role = \"safety\"")]);
    given().refuses_saying(Code::Policy, "1 more as safety", policy(&safety));
    let five = policy_with(&[("role = \"security\"", "role = \"security\"\ncount = 3")]);
    given().refuses_saying(Code::Policy, "more as security", policy(&five));
    let only_standard = also("[[refine]]\nchange = [\"standard\"]\nquorum = [{ role = \"safety\" }]\n");
    given().refuses_saying(Code::Policy, "a standard change", policy(&only_standard));
    // The first policy of a product may come before its people.
    without_policy().when(policy(&safety));
}

#[test]
fn order_and_refinements_are_words_of_rules_2() {
    assert_eq!(Rules::parse(POLICY).unwrap().needs_rules(), 1);
    for text in [first("order = [\"qa\", \"security\"]"), also(NORMAL)] {
        assert_eq!(Rules::parse(&text).unwrap().needs_rules(), 2);
    }
}

fn replayed(world: &World, text: &str) -> Vec<judge::Replayed> {
    judge::replay(&world.state, &Rules::parse(text).unwrap(), 50)
}

#[test]
fn the_policy_in_force_decides_the_past_as_it_was_decided() {
    let world = given()
        .live("r1")
        .later(3600)
        .ready("r2")
        .when(answer(SAM, "r2", "security", Verdict::NoGo))
        .later(3600)
        .ready("r3")
        .when(go(QUINN, "r3", "qa"));
    // What came later changes nothing of what was decided before.
    let world = world.when(role_change(countersign_core::act::Grant::Lapse, SAM, "security"));
    let found = replayed(&world, POLICY);
    assert_eq!(found.iter().map(|one| one.release.as_str()).collect::<Vec<_>>(), ["r3", "r2", "r1"]);
    for one in &found {
        assert!(!one.differs() && one.reasons.is_empty(), "{one:?}");
    }
    assert_eq!(found[2].was, judge::ReplayedOutcome::Go);
    assert_eq!(found[1].was, judge::ReplayedOutcome::NoGo);
    assert_eq!(found[0].was, judge::ReplayedOutcome::Incomplete);
}

#[test]
fn another_policy_says_which_releases_it_would_have_kept_and_why() {
    let world = given().live("r1").later(3600).ready("r2").when(answer(SAM, "r2", "security", Verdict::NoGo));
    let gone = |text: &str, says: &str| {
        let found = replayed(&world, text);
        let one = found.iter().find(|one| one.release.as_str() == "r1").unwrap();
        assert_ne!(one.would, judge::ReplayedOutcome::Go, "{one:?}");
        assert!(one.differs() && one.reasons.iter().any(|reason| reason.contains(says)), "{says}: {one:?}");
    };
    gone(&policy_with(&[("role = \"security\"", "role = \"security\"\ncount = 2")]), "security");
    gone(&also("[[evidence]]\ngate = \"bill of materials\"\nkind = \"cyclonedx\"\n"), "bill of materials");
    gone(&first("required = [\"external-record\"]"), "external-record");
    gone(&policy_with(&[("soak_seconds = 3600", "soak_seconds = 360000")]), "staging");
    gone(&first("order = [\"security\", \"qa\"]"), "security signs before qa");
    // Without a veto one NO-GO no longer ends it; a signature is missing all the same.
    let found = replayed(&world, &first("veto = [\"qa\"]"));
    assert_eq!(found[0].would, judge::ReplayedOutcome::Incomplete, "{found:?}");
    // A narrower candidate asks for less than was there.
    let found = replayed(&world, &policy_with(&[("[[quorum]]\nrole = \"security\"\n", "")]));
    assert!(found.iter().all(|one| one.release.as_str() != "r1" || one.would == judge::ReplayedOutcome::Go));
    // The last so many, and only of that product.
    assert_eq!(judge::replay(&world.state, &Rules::parse(POLICY).unwrap(), 1).len(), 1);
    let other = Rules::parse(&POLICY.replace("\"pump\"", "\"valve\"")).unwrap();
    assert_eq!(judge::replay(&world.state, &other, 50), []);
}

/// Whatever happens in a ledger: judged again under the policy it was decided under, each decision comes to the same.
#[test]
fn a_replay_agrees_with_what_was_decided_at_the_time() {
    let mut world = given().ready("r1");
    let steps = [
        go(QUINN, "r1", "qa"),
        answer(SAM, "r1", "security", Verdict::Hold),
        go(SAM, "r1", "security"),
        dispatch("r1", 1, "q1"),
    ];
    for step in steps {
        world = world.when(step);
        let decided = judge::decision(&world.state, world.release("r1"), world.sheet("r1"), world.now).outcome;
        let found = replayed(&world, POLICY);
        assert_eq!(found[0].would, judge::ReplayedOutcome::from(&decided), "{decided:?}");
    }
    assert!(matches!(
        judge::decision(&world.state, world.release("r1"), world.sheet("r1"), world.now).outcome,
        Outcome::Go { .. }
    ));
}

#[test]
fn a_standing_authorization_signs_only_what_those_who_adopted_it_could_have_signed() {
    let deployment = policy_with(&[("continuous-delivery", "continuous-deployment")]);
    let signing = |refinement: &str| {
        let world =
            given_policy(&format!("{deployment}\n[[refine]]\nchange = [\"standard\"]\n{refinement}")).when(authorize());
        let (adopted, index) = world.agreed();
        (adopted.proven("r1").staged("r1").later(3600), index)
    };
    let quorum = |roles: &[&str]| -> String {
        roles.iter().map(|role| format!("[[refine.quorum]]\nrole = \"{role}\"\n")).collect()
    };
    let (more, index) = signing(&quorum(&["qa", "security", "release-manager"]));
    more.when(freeze_for("r1", index)).refuses_saying(
        Code::OutsideBounds,
        "not all who sign a standard change",
        automatic_go("r1", index),
    );
    let (blind, index) = signing("gates = [\"staging\"]\n");
    blind.when(freeze_for("r1", index)).refuses_saying(
        Code::OutsideBounds,
        "asks no evidence",
        automatic_go("r1", index),
    );
    let (fewer, index) = signing(&quorum(&["qa"]));
    fewer.when(freeze_for("r1", index)).when(automatic_go("r1", index));
}

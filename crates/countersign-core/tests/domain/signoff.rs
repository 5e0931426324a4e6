//! Answers to a sheet: who may give one, what it is worth, and when it stops being worth that.

use countersign_core::act::{Act, ChangeType, Grant, KeyChange, Meaning, Reauth, SeenBasis, Verdict};
use countersign_core::decide::{Command, decide};
use countersign_core::evidence::Conclusion;
use countersign_core::judge::{self, Outcome, ReleaseState, SignOffState};
use countersign_core::rejection::Code;

use super::*;

#[test]
fn the_composed_answer_is_the_one_that_is_admitted() {
    let world = given().ready("r1");
    let statement = world.statement(&go(QUINN, "r1", "qa"));
    let command = Command::Answer {
        release: word("r1"),
        role: word("qa"),
        verdict: Verdict::Go,
        meaning: Meaning::Approval,
        conditions: Vec::new(),
    };
    assert_eq!(decide(&world.state, command, &context_of(&statement)).unwrap(), statement);
    let none = Command::Answer {
        release: word("r9"),
        role: word("qa"),
        verdict: Verdict::Go,
        meaning: Meaning::Approval,
        conditions: Vec::new(),
    };
    assert_eq!(decide(&world.state, none, &context_of(&statement)).unwrap_err().code, Code::NotFound);
}

#[test]
fn a_signer_holds_the_role_the_policy_asks_for() {
    given()
        .when(role_change(Grant::Grant, QUINN, "safety"))
        .ready("r1")
        .refuses(Code::RoleMissing, go(QUINN, "r1", "security"))
        .refuses(Code::RoleMissing, go(PAUL, "r1", "qa"))
        .refuses_saying(Code::RoleMissing, "asks nobody", go(QUINN, "r1", "safety"))
        .refuses(Code::RoleMissing, go(OLGA, "r1", "qa"))
        .refuses_saying(Code::WrongSigner, "standing authorization", go(WORKER, "r1", "qa"))
        .refuses(Code::WrongSigner, go(DESK, "r1", "qa"))
        .when(go(QUINN, "r1", "qa"));
}

#[test]
fn a_signature_answers_what_its_signer_has_seen() {
    let world = given().ready("r1");
    let request = world.sheet("r1").entry.index;
    world
        .refuses_saying(Code::SeenMismatch, "had not seen", go(QUINN, "r1", "qa").having_seen(request))
        .refuses(Code::NotFound, answer_entry(QUINN, 0, "qa", Verdict::Go))
        .refuses(
            Code::NotFound,
            go(QUINN, "r1", "qa").forging(|statement| {
                if let Act::Approval(body) = &mut statement.act {
                    body.request.leaf = countersign_core::hash::Digest::of(b"another sheet");
                }
                statement.subject = vec![countersign_core::admit::ledger_subject(&word(ORIGIN))];
            }),
        )
        .when(go(QUINN, "r1", "qa").having_seen(request + 1))
        .worth("r1", QUINN, SignOffState::Valid, "");
}

#[test]
fn presence_is_proved_as_the_policy_accepts() {
    given()
        .ready("r1")
        .refuses_saying(Code::ReauthRefused, "file", go(QUINN, "r1", "qa").reauth(Reauth::File))
        .refuses_saying(Code::ReauthRefused, "agent", go(QUINN, "r1", "qa").reauth(Reauth::Agent))
        .when(go(QUINN, "r1", "qa").reauth(Reauth::Prompt));
    given_policy_with(&[("soak_seconds", "reauth = [\"file\"]\nsoak_seconds")])
        .ready("r1")
        .refuses(Code::ReauthRefused, go(QUINN, "r1", "qa").reauth(Reauth::Prompt))
        .when(go(QUINN, "r1", "qa").reauth(Reauth::File));
}

#[test]
fn an_agent_signs_only_what_a_policy_accepts_it_for() {
    let accepting = policy_with(&[("soak_seconds", "reauth = [\"agent\", \"prompt\"]\nsoak_seconds")]);
    let world = given_policy(&accepting).ready("r1").when(go(QUINN, "r1", "qa").reauth(Reauth::Agent));
    // No policy speaks of the people of the ledger, of freezes or of proposals.
    for step in [propose("r2"), enrol("nina@acme.example", &[]), role_change(Grant::Grant, SAM, "qa"), freeze("r1")] {
        world.clone().refuses_saying(Code::ReauthRefused, "no policy accepts", step.reauth(Reauth::Agent));
    }
    without_policy().refuses(Code::ReauthRefused, policy(&accepting).reauth(Reauth::Agent));
}

#[test]
fn the_quorum_is_of_distinct_people_in_the_roles_asked() {
    let two = [("role = \"qa\"\n", "role = \"qa\"\ncount = 2\n")];
    given_policy_with(&two)
        .ready("r1")
        .when(go(QUINN, "r1", "qa"))
        .when(go(QUINN, "r1", "qa"))
        .when(go(SAM, "r1", "security"))
        .comes_to("r1", &Outcome::Incomplete)
        .refuses_saying(Code::QuorumMissing, "qa 1 of 2", dispatch("r1", 1, "one"))
        .then(|world| {
            let blockers = judge::blockers(&world.state, world.release("r1"), world.now);
            assert_eq!(blockers.len(), 1, "{blockers:?}");
            assert_eq!(blockers[0].code, "quorum_missing");
            assert_eq!(blockers[0].who, [BOTH, QUENTIN], "dana wrote a commit; quinn has signed");
        })
        .when(go(QUENTIN, "r1", "qa"))
        .comes_to("r1", &Outcome::Go { authorization: None });
    // One person with two roles fills one place: the later answer takes the place of the earlier.
    given()
        .ready("r1")
        .when(go(BOTH, "r1", "qa"))
        .when(go(BOTH, "r1", "security"))
        .comes_to("r1", &Outcome::Incomplete)
        .refuses_saying(Code::QuorumMissing, "qa 0 of 1", dispatch("r1", 1, "one"))
        .when(go(QUINN, "r1", "qa"))
        .comes_to("r1", &Outcome::Go { authorization: None });
}

#[test]
fn a_sign_off_is_expired_once_the_sheet_has_run_out() {
    given()
        .signed("r1")
        .later(86_400)
        .worth("r1", QUINN, SignOffState::Valid, "")
        .comes_to("r1", &Outcome::Go { authorization: None })
        .later(1)
        .worth("r1", QUINN, SignOffState::Expired, "ran out at 2026-11-23T09:00:00Z")
        .comes_to("r1", &Outcome::Expired)
        .is("r1", ReleaseState::Expired)
        .refuses(Code::Expired, go(QUENTIN, "r1", "qa"))
        .refuses(Code::OutsideWindow, dispatch("r1", 1, "one"))
        .when(freeze("r1"))
        .is("r1", ReleaseState::Ready);
}

#[test]
fn a_signer_who_lost_the_role_no_longer_counts() {
    given()
        .signed("r1")
        .when(role_change(Grant::Lapse, QUINN, "qa"))
        .worth("r1", QUINN, SignOffState::SignerLostRole, "no longer qa")
        .comes_to("r1", &Outcome::Incomplete)
        .refuses(Code::QuorumMissing, dispatch("r1", 1, "one"))
        // Given again, it counts again: nothing that was signed has moved.
        .when(role_change(Grant::Grant, QUINN, "qa"))
        .worth("r1", QUINN, SignOffState::Valid, "");
}

#[test]
fn a_signature_by_a_revoked_key_no_longer_counts() {
    given()
        .signed("r1")
        .when(key_change(KeyChange::Revoke {}, SAM))
        .worth("r1", SAM, SignOffState::KeyRevoked, "revoked by entry")
        .comes_to("r1", &Outcome::Incomplete)
        .refuses(Code::QuorumMissing, dispatch("r1", 1, "one"));
}

#[test]
fn who_has_another_part_in_the_release_may_not_sign() {
    let held = |who: &'static str| given().when(role_change(Grant::Grant, who, "qa"));
    // Before signing, it is refused with the part they had …
    held(RITA).ready("r1").refuses_saying(Code::SegregationFailed, "asked for this release", go(RITA, "r1", "qa"));
    held(ROLF).ready("r1").when(freeze("r1").by(ROLF)).refuses_saying(
        Code::SegregationFailed,
        "asked for this release",
        go(ROLF, "r1", "qa"),
    );
    held(PAUL)
        .proven("r1")
        .when(amend("r1", |_| ()).by(PAUL))
        .staged("r1")
        .later(3600)
        .when(freeze("r1"))
        .refuses_saying(Code::SegregationFailed, "asked for this release", go(PAUL, "r1", "qa"));
    given().ready("r1").refuses_saying(Code::SegregationFailed, "wrote a commit", go(DANA, "r1", "qa"));
    given().ready("r1").when(attach(QUINN, "r1", "notes.txt", Conclusion::Pass)).refuses_saying(
        Code::SegregationFailed,
        "attached evidence",
        go(QUINN, "r1", "qa"),
    );
    // … and afterwards the signature is worth nothing any more.
    given()
        .signed("r1")
        .when(attach(QUINN, "r1", "notes.txt", Conclusion::Pass))
        .worth("r1", QUINN, SignOffState::SegregationFailed, "attached evidence")
        .refuses(Code::QuorumMissing, dispatch("r1", 1, "one"));
    // Who delivered it to staging has dispatched it.
    held(ROLF).ready("r1").refuses_saying(Code::SegregationFailed, "dispatched", go(ROLF, "r1", "qa"));
}

#[test]
fn a_policy_may_let_one_person_have_two_parts() {
    let open = [("soak_seconds", "distinct = [\"dispatcher\"]\nsoak_seconds")];
    given_policy_with(&open)
        .when(role_change(Grant::Grant, RITA, "qa"))
        .ready("r1")
        .when(attach(QUENTIN, "r1", "notes.txt", Conclusion::Pass))
        .when(go(RITA, "r1", "qa"))
        .when(go(DANA, "r1", "qa"))
        .when(go(QUENTIN, "r1", "qa"))
        .worth("r1", RITA, SignOffState::Valid, "");
}

#[test]
fn an_author_is_known_by_any_of_their_names() {
    for author in ["dana@acme.example", "dana.doe@home.example", "dana"] {
        given().when(propose_as("r1", move |candidate| candidate.changes.authors = vec![word(author)])).then(|world| {
            let part = judge::barred(&world.state, world.release("r1"), &word(DANA));
            assert_eq!(part, Some("they wrote a commit of this release"), "{author}");
        });
    }
    given().when(propose_as("r1", |candidate| candidate.changes.authors = vec![word("dan@acme.example")])).then(
        |world| {
            assert_eq!(judge::barred(&world.state, world.release("r1"), &word(DANA)), None);
        },
    );
}

/// Each entry that may lie between what a signer saw and their signature, and whether it makes it stale.
#[test]
fn a_signature_is_stale_when_its_signer_could_not_see_what_it_is_about() {
    type Make = fn() -> Step;
    let stale: [(&str, Make); 13] = [
        ("evidence", || observe("r1", "more.xml", Conclusion::Pass)),
        ("red evidence", || observe("r1", "bill.cdx", Conclusion::Fail)),
        ("a no-go", || answer(QUENTIN, "r1", "qa", Verdict::NoGo)),
        ("a hold", || answer(QUENTIN, "r1", "qa", Verdict::Hold)),
        ("a conditional go", || answer(QUENTIN, "r1", "qa", Verdict::ConditionalGo)),
        ("a stop", || hold(SAM, "r1", None)),
        ("a waiver", || waive(SAM, "r1", "unit tests", 60)),
        ("an amendment", || amend("r1", |candidate| candidate.risk = None)),
        ("a delivery", || deliver("r1", "again")),
        ("a proposed policy", || policy(POLICY)),
        ("the target", || target("production", &["canary", "everyone"])),
        ("the signer's own role", || role_change(Grant::Grant, QUINN, "safety")),
        ("the signer's own key", || rotate(QUINN, "quinn 2")),
    ];
    for (what, make) in stale {
        let world = given().ready("r1");
        let seen = world.state.tree.size();
        let mut world = world.when(make());
        if what == "the signer's own key" {
            world = world.signing_with(QUINN, "quinn 2");
        }
        let late = go(QUINN, "r1", "qa").having_seen(seen);
        // Where the sheet itself has moved, nobody can sign it at all.
        if matches!(what, "a waiver" | "an amendment" | "the target") {
            world.refuses(Code::Stale, late);
            continue;
        }
        let world = world.when(late).worth("r1", QUINN, SignOffState::Stale, &format!("entry {seen} came before it"));
        world.when(go(QUINN, "r1", "qa")).worth("r1", QUINN, SignOffState::Valid, "");
    }
    let valid: [(&str, Make); 6] = [
        ("another person's go", || go(SAM, "r1", "security")),
        ("another release", || propose("r2")),
        ("staging's configuration", || target("staging", &["all"])),
        ("another person's role", || role_change(Grant::Grant, SAM, "safety")),
        ("a freeze", || declare_freeze(None, 60)),
        ("an attempt", || step(DESK, |_| countersign_core::act::Attempt { count: 1, principal: word(QUINN) }.into())),
    ];
    for (what, make) in valid {
        let world = given().ready("r1");
        let seen = world.state.tree.size();
        let world = world.when(make()).when(go(QUINN, "r1", "qa").having_seen(seen));
        println!("{what}");
        world.worth("r1", QUINN, SignOffState::Valid, "");
    }
}

#[test]
fn a_go_that_missed_a_no_go_is_never_silent() {
    let world = given().ready("r1");
    let seen = world.state.tree.size();
    world
        .when(answer(QUENTIN, "r1", "qa", Verdict::NoGo))
        .when(go(QUINN, "r1", "qa").having_seen(seen))
        .when(go(SAM, "r1", "security"))
        .worth("r1", QUINN, SignOffState::Stale, "unseen")
        .when(go(QUENTIN, "r1", "qa"))
        .comes_to("r1", &Outcome::Go { authorization: None });
}

#[test]
fn a_no_go_ends_it_until_its_signer_answers_again() {
    let world = given().signed("r1").when(answer(QUENTIN, "r1", "qa", Verdict::NoGo));
    let no_go = Outcome::NoGo(word(QUENTIN));
    world
        .clone()
        .comes_to("r1", &no_go)
        .is("r1", ReleaseState::NoGo)
        .refuses_saying(Code::NoGo, QUENTIN, dispatch("r1", 1, "one"))
        .when(go(QUENTIN, "r1", "qa"))
        .is("r1", ReleaseState::Authorized);
    // It does not wear off: not by age, not by staleness, not with the role or the key of its signer …
    world.clone().later(86_401).comes_to("r1", &no_go).is("r1", ReleaseState::NoGo);
    world.clone().when(target("production", &["canary", "everyone"])).comes_to("r1", &no_go);
    world.clone().when(role_change(Grant::Lapse, QUENTIN, "qa")).comes_to("r1", &no_go);
    world.clone().when(key_change(KeyChange::Lost {}, QUENTIN)).comes_to("r1", &no_go);
    // … and nobody gets rid of it by freezing the same candidate again.
    let again = world.clone().when(freeze("r1")).when(go(QUINN, "r1", "qa")).when(go(SAM, "r1", "security"));
    again
        .comes_to("r1", &no_go)
        .is("r1", ReleaseState::NoGo)
        .refuses(Code::NoGo, dispatch("r1", 1, "one"))
        .when(go(QUENTIN, "r1", "qa"))
        .comes_to("r1", &Outcome::Go { authorization: None });
    // A new candidate is judged anew.
    world
        .when(amend("r1", |candidate| candidate.risk = Some(word("mended"))))
        .is("r1", ReleaseState::Staged)
        .when(freeze("r1"))
        .is("r1", ReleaseState::Ready)
        .when(go(QUINN, "r1", "qa"))
        .when(go(SAM, "r1", "security"))
        .is("r1", ReleaseState::Authorized);
}

#[test]
fn only_a_role_with_a_veto_ends_it_alone() {
    let veto = [("soak_seconds", "veto = [\"security\"]\nsoak_seconds")];
    given_policy_with(&veto)
        .signed("r1")
        .when(answer(QUENTIN, "r1", "qa", Verdict::NoGo))
        .comes_to("r1", &Outcome::Go { authorization: None })
        .when(answer(BOTH, "r1", "security", Verdict::NoGo))
        .comes_to("r1", &Outcome::NoGo(word(BOTH)))
        // Whose own GO turns into a NO-GO without a veto no longer counts as a GO.
        .when(go(BOTH, "r1", "security"))
        .when(answer(QUINN, "r1", "qa", Verdict::NoGo))
        .comes_to("r1", &Outcome::Incomplete);
}

#[test]
fn a_hold_waits_for_its_signer() {
    given()
        .signed("r1")
        .when(answer(QUENTIN, "r1", "qa", Verdict::Hold))
        .comes_to("r1", &Outcome::Hold(word(QUENTIN)))
        .is("r1", ReleaseState::OnHold)
        .refuses_saying(Code::OnHold, "asks to wait", dispatch("r1", 1, "one"))
        .when(freeze("r1"))
        .comes_to("r1", &Outcome::Hold(word(QUENTIN)))
        .when(go(QUENTIN, "r1", "qa"))
        .when(go(SAM, "r1", "security"))
        .comes_to("r1", &Outcome::Go { authorization: None });
}

#[test]
fn a_stop_holds_until_a_release_manager_lets_it_go_on() {
    let world = given().signed("r1");
    world
        .when(hold(ADA, "r1", Some("is the pump certified?")))
        .is("r1", ReleaseState::OnHold)
        .refuses_saying(Code::OnHold, "ada stopped it", dispatch("r1", 1, "one"))
        .refuses(Code::OnHold, deliver("r1", "two"))
        .refuses(Code::RoleMissing, resume(ADA, "r1", Some("yes")))
        .refuses(Code::WrongSigner, resume(WORKER, "r1", Some("yes")))
        .refuses_saying(Code::Field, "not answered", resume(ROLF, "r1", None))
        .when(hold(DESK, "r1", None))
        .when(resume(ROLF, "r1", None))
        .refuses(Code::NotFound, resume(ROLF, "r1", None))
        .is("r1", ReleaseState::OnHold)
        .when(step(ROLF, |world| {
            let hold = world.release("r1").holds[0].entry;
            let change = countersign_core::act::HoldChange::Resume { answer: Some(word("yes")), hold };
            countersign_core::act::Hold { change, release: word("r1") }.into()
        }))
        .is("r1", ReleaseState::Authorized)
        .when(dispatch("r1", 1, "one"));
}

#[test]
fn a_conditional_go_counts_once_its_conditions_are_met() {
    let conditional = || answer(QUINN, "r1", "qa", Verdict::ConditionalGo);
    let world = given().ready("r1").when(go(SAM, "r1", "security"));
    let edited = |verdict: Verdict, conditions: usize| {
        with_approval(answer(QUINN, "r1", "qa", verdict), move |_, body| {
            body.conditions = (0..conditions).map(|_| word("watch the canary")).collect();
        })
    };
    world
        .refuses(Code::Field, edited(Verdict::ConditionalGo, 0))
        .refuses(Code::Field, edited(Verdict::Go, 1))
        .refuses(Code::Field, edited(Verdict::NoGo, 1))
        .when(conditional())
        .worth("r1", QUINN, SignOffState::Incomplete, "watch the canary")
        .comes_to("r1", &Outcome::Incomplete)
        .refuses(Code::QuorumMissing, dispatch("r1", 1, "one"))
        .refuses(Code::RoleMissing, settle(SAM, "r1", QUINN))
        .refuses_saying(Code::SegregationFailed, "wrote a commit", settle(DANA, "r1", QUINN))
        .refuses(Code::ReauthRefused, settle(QUENTIN, "r1", QUINN).reauth(Reauth::File))
        .refuses(Code::NotFound, settle(SAM, "r1", SAM))
        .when(settle(QUENTIN, "r1", QUINN))
        .refuses(Code::NotFound, settle(QUENTIN, "r1", QUINN))
        .worth("r1", QUINN, SignOffState::Valid, "")
        .comes_to("r1", &Outcome::Go { authorization: None })
        .when(dispatch("r1", 1, "one"));
    // Every one of them.
    given()
        .ready("r1")
        .when(go(SAM, "r1", "security"))
        .when(edited(Verdict::ConditionalGo, 2))
        .when(settle(QUINN, "r1", QUINN))
        .comes_to("r1", &Outcome::Incomplete);
}

#[test]
fn only_a_desk_that_verified_all_of_it_seals_history() {
    // How much was verified is signed and kept; a carried answer counts all the same.
    given()
        .ready("r1")
        .when(go(QUINN, "r1", "qa").forging(|statement| statement.common.seen_basis = Some(SeenBasis::Proofs)))
        .worth("r1", QUINN, SignOffState::Valid, "")
        .then(|world| assert_eq!(world.sheet("r1").answers[0].seen_basis, Some(SeenBasis::Proofs)));
}

#[test]
fn an_emergency_is_signed_like_anything_else() {
    given()
        .when(propose_as("r1", |candidate| {
            candidate.change_type = ChangeType::Emergency;
            candidate.incident = Some(word("INC-7"));
        }))
        .when(observe("r1", "unit.xml", Conclusion::Pass))
        .when(observe("r1", "scan.sarif", Conclusion::Pass))
        .staged("r1")
        .later(3600)
        .when(freeze("r1"))
        .refuses(Code::QuorumMissing, dispatch("r1", 1, "one"))
        .when(go(QUINN, "r1", "qa"))
        .when(go(SAM, "r1", "security"))
        .when(dispatch("r1", 1, "one"));
}

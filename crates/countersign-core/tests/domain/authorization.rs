//! Standing authorizations: adopted by the quorum they stand in for, bounded, judged again at each use.

use countersign_core::act::{Act, ChangeType, Grant, KeyChange, Propose, ProposeChange, Reauth, Verdict};
use countersign_core::decide::{Command, decide};
use countersign_core::evidence::Conclusion;
use countersign_core::judge::{self, Outcome, ReleaseState, SignOffState};
use countersign_core::rejection::Code;
use countersign_core::words::EntryRef;

use super::*;

const DEPLOYMENT: (&str, &str) = ("continuous-delivery", "continuous-deployment");

/// A product in Continuous Deployment with an authorization that its quorum has adopted, and the entry of its grant.
fn adopted() -> (World, u64) {
    adopted_by(&[DEPLOYMENT], authorize())
}

fn adopted_by(edits: &[(&str, &str)], grant: Step) -> (World, u64) {
    given_policy_with(edits).when(grant).agreed()
}

fn worth(world: &World, index: u64) -> SignOffState {
    judge::authorization_worth(&world.state, &world.state.authorizations[&index], world.now).0
}

/// Proven, staged, soaked and frozen for the authorization, by the worker alone.
fn ready_for(world: World, id: &'static str, index: u64) -> World {
    world.proven(id).staged(id).later(3600).when(freeze_for(id, index))
}

#[test]
fn an_authorization_is_granted_within_sense() {
    let grant = |edit: fn(&mut countersign_core::act::AuthorizationChange)| {
        authorize().forging(move |statement| {
            if let Act::Authorization(body) = &mut statement.act {
                edit(&mut body.change);
            }
        })
    };
    macro_rules! granting {
        ($field:ident = $value:expr) => {
            grant(|change| {
                if let countersign_core::act::AuthorizationChange::Grant { $field, .. } = change {
                    *$field = $value;
                }
            })
        };
    }
    without_policy().refuses_saying(Code::NotFound, "no policy", authorize());
    given_policy_with(&[DEPLOYMENT])
        .refuses(Code::RoleMissing, authorize().by(RITA))
        .refuses(Code::Field, granting!(environment = word("staging")))
        .refuses(Code::Field, granting!(per_day = 0))
        .refuses(Code::Field, granting!(change_types = Vec::new()))
        .refuses_saying(Code::Field, "emergency", granting!(change_types = vec![ChangeType::Emergency]))
        .refuses(Code::Field, granting!(valid = window(word("2020-01-01T00:00:00Z"), 60)))
        .refuses(Code::Field, granting!(valid = window(word("2027-01-01T00:00:00Z"), -60)))
        .when(authorize());
}

#[test]
fn an_authorization_is_adopted_under_the_quorum_it_stands_in_for() {
    let world = given_policy_with(&[DEPLOYMENT]).when(role_change(Grant::Grant, OLGA, "qa")).when(authorize());
    let index = world.last_entry().index;
    world
        .then(|world| assert_eq!(worth(world, index), SignOffState::Incomplete))
        .refuses_saying(Code::SegregationFailed, "proposed", answer_entry(OLGA, index, "qa", Verdict::Go))
        .refuses(Code::RoleMissing, answer_entry(PAUL, index, "practitioner", Verdict::Go))
        .refuses(Code::ReauthRefused, answer_entry(QUINN, index, "qa", Verdict::Go).reauth(Reauth::File))
        .refuses_saying(
            Code::WrongSigner,
            "only decision sheets",
            with_approval(answer_entry(WORKER, index, "qa", Verdict::Go), |_, body| {
                body.authorization = Some(body.request)
            }),
        )
        .when(answer_entry(QUINN, index, "qa", Verdict::Go))
        .when(answer_entry(QUENTIN, index, "qa", Verdict::NoGo))
        .when(answer_entry(SAM, index, "security", Verdict::Go))
        .then(|world| assert_eq!(worth(world, index), SignOffState::Incomplete))
        .refuses(Code::OutsideBounds, propose_under("r1", index))
        .when(answer_entry(QUENTIN, index, "qa", Verdict::Go))
        .then(|world| assert_eq!(worth(world, index), SignOffState::Valid))
        .refuses(Code::AlreadyDone, answer_entry(SAM, index, "security", Verdict::Go))
        .when(propose_under("r1", index));
}

/// A candidate proposed by the worker itself.
fn propose_under(id: &'static str, index: u64) -> Step {
    step(WORKER, move |world| {
        let authorization = world.state.authorizations.get(&index).map(|record| record.entry);
        let change = ProposeChange::Candidate { authorization, candidate: candidate(id), supersedes: None };
        Propose { change, release: word(id) }.into()
    })
}

#[test]
fn a_release_goes_out_under_it_with_nobody_signing() {
    let (world, index) = adopted();
    let world = world
        .when(propose_under("r1", index))
        .when(observe("r1", "unit.xml", Conclusion::Pass))
        .when(observe("r1", "scan.sarif", Conclusion::Pass))
        .staged("r1")
        .later(3600)
        .when(freeze_for("r1", index));
    let statement = world.statement(&automatic_go("r1", index));
    let authorization = world.state.authorizations[&index].entry;
    let command = Command::AutomaticGo { release: word("r1"), authorization };
    assert_eq!(decide(&world.state, command, &context_of(&statement)).unwrap(), statement);
    let by_nobody = |wave: u64, request: &str| with_dispatch(dispatch("r1", wave, request), |_, body| body.by = None);
    world
        .when(automatic_go("r1", index))
        .worth("r1", WORKER, SignOffState::Valid, "")
        .comes_to("r1", &Outcome::Go { authorization: Some(authorization) })
        .is("r1", ReleaseState::Authorized)
        .refuses(Code::AlreadyDone, automatic_go("r1", index))
        // Nobody is at a desk: it takes the one worker that has the work.
        .refuses_saying(Code::WrongSigner, "does not hold the worker's lease", by_nobody(1, "one"))
        .when(lease())
        .when(by_nobody(1, "one"))
        .ran("r1", "one", countersign_core::act::RunConclusion::Success)
        .passed("r1", 1)
        .when(by_nobody(2, "two"))
        .ran("r1", "two", countersign_core::act::RunConclusion::Success)
        .passed("r1", 2)
        .is("r1", ReleaseState::Live)
        .then(|world| {
            let decided = world.sheet("r1").decided.as_ref().unwrap();
            assert_eq!(decided.len(), 1);
            assert_eq!(decided[0].answer.authorization, Some(authorization));
        });
}

#[test]
fn each_bound_holds_by_itself() {
    let outside = |world: World, index: u64, says: &str| {
        world.refuses_saying(Code::OutsideBounds, says, automatic_go("r1", index)).comes_to("r1", &Outcome::Incomplete);
    };
    // The mode: an authorization granted while people decide signs nothing.
    let (world, index) = adopted_by(&[], authorize());
    outside(ready_for(world, "r1", index), index, "mode");
    // The type of change, the number of commits.
    let (world, index) = adopted();
    let proven = |world: World, edit: fn(&mut countersign_core::act::Candidate)| {
        world
            .when(propose_as("r1", edit))
            .when(observe("r1", "unit.xml", Conclusion::Pass))
            .when(observe("r1", "scan.sarif", Conclusion::Pass))
            .staged("r1")
            .later(3600)
            .when(freeze_for("r1", index))
    };
    outside(proven(world.clone(), |candidate| candidate.change_type = ChangeType::Normal), index, "normal changes");
    outside(proven(world.clone(), |candidate| candidate.changes.commits = 21), index, "21 commits, at most 20");
    proven(world.clone(), |candidate| candidate.changes.commits = 20).when(automatic_go("r1", index));
    // Evidence a person attached, and a gate that was waived.
    let (attached, index) = adopted();
    let attached = attached
        .when(propose("r1"))
        .when(attach(PAUL, "r1", "unit.xml", Conclusion::Pass))
        .when(confirm_evidence(QUINN, "r1", "qa"))
        .when(observe("r1", "scan.sarif", Conclusion::Pass))
        .staged("r1")
        .later(3600)
        .when(freeze_for("r1", index));
    outside(attached, index, "a person attached");
    let (waived, index) = adopted();
    let waived = waived
        .when(propose("r1"))
        .when(observe("r1", "unit.xml", Conclusion::Fail))
        .when(observe("r1", "scan.sarif", Conclusion::Pass))
        .when(waive(QUENTIN, "r1", "unit tests", 86_400))
        .staged("r1")
        .later(3600)
        .when(freeze_for("r1", index));
    outside(waived, index, "gate unit tests");
    // The verdict: it says GO or nothing.
    let (world, index) = adopted();
    let saying = |verdict: Verdict| with_approval(automatic_go("r1", index), move |_, body| body.verdict = verdict);
    ready_for(world, "r1", index)
        .refuses(Code::OutsideBounds, saying(Verdict::NoGo))
        .refuses(Code::OutsideBounds, saying(Verdict::Hold));
}

#[test]
fn it_is_for_one_product_and_its_last_environment() {
    let (world, index) = adopted();
    let valve = |statement: &mut countersign_core::admit::Statement| {
        if let Act::Product(body) = &mut statement.act {
            body.product = word("valve");
        }
    };
    world.when(product(&["production"]).forging(valve)).refuses(
        Code::NotFound,
        step(WORKER, move |world| {
            let authorization = Some(world.state.authorizations[&index].entry);
            let mut candidate = candidate("v1");
            candidate.product = word("valve");
            let change = ProposeChange::Candidate { authorization, candidate, supersedes: None };
            Propose { change, release: word("v1") }.into()
        }),
    );
}

#[test]
fn it_signs_so_many_releases_a_day_and_no_more() {
    let (world, index) = adopted_by(&[DEPLOYMENT, ("soak_seconds = 3600", "soak_seconds = 0")], authorize());
    let ready = |world: World, id: &'static str| world.proven(id).staged(id).when(freeze_for(id, index));
    let world = ready(world, "r1").when(automatic_go("r1", index)).when(withdraw("r1"));
    let world = ready(world, "r2").when(automatic_go("r2", index)).when(withdraw("r2"));
    let world = ready(world, "r3");
    world
        .refuses_saying(Code::OutsideBounds, "signed 2 times today", automatic_go("r3", index))
        // 08:00 and sixteen hours: the next UTC day.
        .later(16 * 3600 - 1)
        .refuses(Code::OutsideBounds, automatic_go("r3", index))
        .later(1)
        .when(automatic_go("r3", index));
}

#[test]
fn it_signs_only_sheets_frozen_for_it_and_still_signable() {
    let (world, index) = adopted();
    let staged = world.proven("r1").staged("r1").later(3600);
    staged.clone().when(freeze("r1")).refuses_saying(
        Code::OutsideBounds,
        "not frozen for this",
        automatic_go("r1", index),
    );
    let frozen = staged.clone().when(freeze_for("r1", index));
    frozen.clone().later(86_401).refuses(Code::Expired, automatic_go("r1", index));
    frozen.clone().when(amend("r1", |candidate| candidate.risk = None)).refuses(Code::Stale, automatic_go("r1", index));
    frozen.clone().when(withdraw("r1")).refuses(Code::WrongState, automatic_go("r1", index));
    frozen.refuses(Code::WrongSigner, automatic_go("r1", index).by(DESK));
    // A sheet names an authorization that is there and stands.
    staged
        .clone()
        .refuses(
            Code::NotFound,
            with_request(freeze_for("r1", index), |_, body| {
                body.authorization = Some(EntryRef { index: 0, ..body.policy });
            }),
        )
        .refuses(Code::WrongSigner, freeze_for("r1", index).by(DESK))
        .when(suspend(index))
        .refuses_saying(Code::OutsideBounds, "suspended", freeze_for("r1", index));
}

#[test]
fn outside_its_bounds_people_sign_the_same_sheet() {
    let (world, index) = adopted();
    let frozen = world
        .when(propose_as("r1", |candidate| candidate.change_type = ChangeType::Normal))
        .when(observe("r1", "unit.xml", Conclusion::Pass))
        .when(observe("r1", "scan.sarif", Conclusion::Pass))
        .staged("r1")
        .later(3600)
        .when(freeze_for("r1", index));
    let by_nobody = || with_dispatch(dispatch("r1", 1, "one"), |_, body| body.by = None);
    frozen
        .refuses(Code::OutsideBounds, automatic_go("r1", index))
        .when(go(QUINN, "r1", "qa"))
        .when(go(SAM, "r1", "security"))
        .comes_to("r1", &Outcome::Go { authorization: None })
        .refuses_saying(Code::WrongSigner, "asks the release manager", by_nobody())
        .when(dispatch("r1", 1, "one"));
}

#[test]
fn people_may_sign_before_it_and_a_no_go_stands_above_it() {
    let (world, index) = adopted();
    let authorization = world.state.authorizations[&index].entry;
    ready_for(world, "r1", index)
        .when(go(QUINN, "r1", "qa"))
        .when(automatic_go("r1", index))
        .comes_to("r1", &Outcome::Go { authorization: Some(authorization) })
        .when(answer(QUENTIN, "r1", "qa", Verdict::NoGo))
        .comes_to("r1", &Outcome::NoGo(word(QUENTIN)))
        .refuses(Code::NoGo, dispatch("r1", 1, "one"));
}

#[test]
fn it_is_judged_again_at_each_use() {
    let signed = || {
        let (world, index) = adopted();
        (ready_for(world, "r1", index).when(automatic_go("r1", index)), index)
    };
    let fell = |world: World, index: u64, state: SignOffState, cause: &str| {
        world
            .then(|world| assert_eq!(worth(world, index), state))
            .worth("r1", WORKER, state, cause)
            .refuses(
                if state == SignOffState::Stale && cause != "suspended" { Code::Stale } else { Code::QuorumMissing },
                dispatch("r1", 1, "one"),
            )
            .proven("r2")
            .staged("r2")
            .later(3600)
            .refuses_saying(Code::OutsideBounds, cause, freeze_for("r2", index))
    };
    let (world, index) = signed();
    fell(world.when(role_change(Grant::Lapse, QUINN, "qa")), index, SignOffState::SignerLostRole, "no longer qa");
    let (world, index) = signed();
    fell(world.when(key_change(KeyChange::Lost {}, SAM)), index, SignOffState::KeyRevoked, "revoked");
    let (world, index) = signed();
    fell(world.when(target("production", &["canary", "everyone"])), index, SignOffState::Stale, "target");
    let (world, index) = signed();
    let world = world.when(policy(&policy_with(&[DEPLOYMENT])));
    let asked = world.last_entry().index;
    let world = world.when(answer_entry(QUINN, asked, "qa", Verdict::Go)).when(answer_entry(
        SAM,
        asked,
        "security",
        Verdict::Go,
    ));
    fell(world, index, SignOffState::Stale, "policy has changed");
    let (world, index) = signed();
    fell(world.when(suspend(index)), index, SignOffState::Stale, "suspended")
        .refuses(Code::AlreadyDone, suspend(index))
        .refuses(Code::RoleMissing, resume_authorization(index).by(SAM))
        .when(resume_authorization(index))
        .refuses(Code::AlreadyDone, resume_authorization(index))
        .worth("r1", WORKER, SignOffState::Valid, "");
    // The device that signed it left.
    let (world, _) = signed();
    world.when(revoke_device(WORKER)).worth("r1", WORKER, SignOffState::KeyRevoked, "revoked");
}

#[test]
fn it_signs_within_its_time_and_what_it_signed_then_stands() {
    let (world, index) = adopted_by(&[DEPLOYMENT], authorize_until(7200));
    let frozen = ready_for(world, "r1", index);
    frozen.clone().later(3601).refuses_saying(Code::OutsideBounds, "EXPIRED", automatic_go("r1", index));
    frozen
        .later(3600)
        .when(automatic_go("r1", index))
        .later(60)
        .then(|world| assert_eq!(worth(world, index), SignOffState::Expired))
        // Expiry is judged at the time of the entry it concerns.
        .worth("r1", WORKER, SignOffState::Valid, "")
        .when(dispatch("r1", 1, "one"));
}

#[test]
fn a_policy_that_moved_while_it_was_proposed_asks_for_a_new_grant() {
    let world = given_policy_with(&[DEPLOYMENT]).when(authorize());
    let index = world.last_entry().index;
    world.when(target("production", &["canary", "everyone"])).refuses_saying(
        Code::Stale,
        "target",
        answer_entry(QUINN, index, "qa", Verdict::Go),
    );
}

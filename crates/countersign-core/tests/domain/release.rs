//! Candidates: proposed, amended, superseded, withdrawn.

use countersign_core::act::{Act, ChangeType, Grant, ProposeChange};
use countersign_core::judge::{self, ReleaseState};
use countersign_core::rejection::Code;

use super::*;

#[test]
fn a_candidate_names_what_it_needs_to_be_judged() {
    given()
        .refuses(Code::RoleMissing, propose("r1").by(QUINN))
        .refuses_saying(
            Code::Field,
            "artifact",
            propose_as("r1", |candidate| candidate.artifacts.clear()).forging(|s| {
                s.subject = vec![countersign_core::admit::ledger_subject(&word(ORIGIN))];
            }),
        )
        .refuses(Code::NotFound, propose_as("r1", |candidate| candidate.product = word("valve")))
        .refuses_saying(
            Code::Field,
            "incident",
            propose_as("r1", |candidate| {
                candidate.change_type = ChangeType::Emergency;
            }),
        )
        .refuses_saying(
            Code::Field,
            "without an author",
            propose_as("r1", |candidate| {
                candidate.changes.authors.clear();
            }),
        )
        .refuses_saying(
            Code::Field,
            "lower case",
            propose_as("r1", |candidate| {
                candidate.changes.authors = vec![word("Dana.Doe@home.example")];
            }),
        )
        .refuses_saying(Code::Field, "sorted", propose_as("r1", |candidate| candidate.changes.authors.reverse()))
        .refuses_saying(
            Code::Field,
            "each once",
            propose_as("r1", |candidate| {
                candidate.changes.authors = vec![word("a@b"), word("a@b")];
            }),
        )
        .when(propose("r1").by(PAUL))
        .refuses(Code::Reused, propose("r1"));
}

#[test]
fn a_release_that_went_out_is_neither_amended_nor_withdrawn() {
    given()
        .signed("r1")
        .when(dispatch("r1", 1, "one"))
        .refuses(Code::WrongState, withdraw("r1"))
        .refuses(Code::WrongState, amend("r1", |_| ()))
        .refuses(
            Code::WrongState,
            propose("r2").forging(|statement| {
                if let Act::Propose(body) = &mut statement.act
                    && let ProposeChange::Candidate { supersedes, .. } = &mut body.change
                {
                    *supersedes = Some(word("r1"));
                }
            }),
        )
        // Refused by the CI system: nothing went out after all.
        .when(journal("r1", "one", countersign_core::act::DispatchState::Refused))
        .when(withdraw("r1"))
        .is("r1", ReleaseState::Withdrawn)
        .refuses(Code::AlreadyDone, withdraw("r1"))
        .refuses(Code::AlreadyDone, amend("r1", |_| ()))
        .refuses(Code::WrongState, freeze("r1"))
        .refuses(Code::WrongState, go(QUINN, "r1", "qa"))
        .refuses(Code::WrongState, dispatch("r1", 1, "two"))
        .refuses(Code::WrongState, deliver("r1", "three"));
}

#[test]
fn one_release_takes_the_place_of_another() {
    let supersede =
        |old: &'static str, by: &'static str| propose_change(old, ProposeChange::Supersede { by: word(by) });
    given()
        .proven("r1")
        .refuses(Code::NotFound, supersede("r1", "r2"))
        .when(propose("r2"))
        .refuses(Code::RoleMissing, supersede("r1", "r2").by(QUINN))
        .when(supersede("r1", "r2"))
        .is("r1", ReleaseState::Superseded)
        .is("r2", ReleaseState::Draft)
        .refuses(Code::AlreadyDone, supersede("r1", "r2"))
        .when(step(RITA, |_| {
            let change = ProposeChange::Candidate {
                authorization: None,
                candidate: candidate("r3"),
                supersedes: Some(word("r2")),
            };
            countersign_core::act::Propose { change, release: word("r3") }.into()
        }))
        .is("r2", ReleaseState::Superseded);
}

#[test]
fn an_amended_candidate_keeps_its_release_and_bars_who_amended_it() {
    given()
        .when(role_change(Grant::Grant, QUINN, "practitioner"))
        .proven("r1")
        .when(amend("r1", |candidate| candidate.risk = Some(word("some"))).by(QUINN))
        .refuses(Code::WrongState, amend("r1", |candidate| candidate.product = word("valve")).by(QUINN))
        .then(|world| {
            let barred = |who: &str| judge::barred(&world.state, world.release("r1"), &word(who));
            assert_eq!(barred(QUINN), Some("they asked for this release"));
            assert_eq!(barred(RITA), Some("they asked for this release"));
            assert_eq!(barred(DANA), Some("they wrote a commit of this release"));
            assert_eq!(barred(QUENTIN), None);
        });
}

//! Whoever can write into the database writes entries no rule let through: each is flagged at its exact place, has no
//! effect, and what comes after it is judged as if it were not there.

use countersign_core::act::{Act, Correction, Export, Verdict};
use countersign_core::judge::{self, Outcome, ReleaseState};
use countersign_core::rejection::Code;
use countersign_core::state::State;

use super::*;

/// What the ledger says, as far as anybody acts on it.
fn says(world: &World) -> String {
    let state = &world.state;
    let releases: Vec<String> = state
        .releases
        .values()
        .map(|release| {
            let sheet = release.sheet().map(|sheet| judge::decision(state, release, sheet, world.now).outcome);
            let blockers = judge::blockers(state, release, world.now);
            format!(
                "{} {} {sheet:?} {blockers:?} {} {} {}",
                release.id,
                judge::release_state(state, release, world.now),
                release.evidence.len(),
                release.dispatches.len(),
                release.holds.len()
            )
        })
        .collect();
    format!(
        "{releases:?} {:?} {:?} {} {} {}",
        state.people.keys().collect::<Vec<_>>(),
        state.live,
        state.policies.values().flatten().count(),
        state.authorizations.len(),
        state.freezes.len()
    )
}

#[test]
fn an_illegal_entry_is_flagged_in_its_place_and_changes_nothing() {
    type Make = fn() -> Step;
    let illegal: [(Make, Code); 12] = [
        (|| go(QUINN, "r1", "qa").with_key("mallory"), Code::WrongKey),
        (|| go("mallory@acme.example", "r1", "qa"), Code::UnknownSigner),
        (|| go(RITA, "r1", "qa"), Code::RoleMissing),
        (|| go(DANA, "r1", "qa"), Code::SegregationFailed),
        (|| dispatch("r1", 1, "one"), Code::QuorumMissing),
        (|| dispatch("r1", 1, "one").by(DESK), Code::WrongSigner),
        (|| role_change(countersign_core::act::Grant::Grant, PAUL, "security").by(PAUL), Code::RoleMissing),
        (|| policy("schema = 1"), Code::Policy),
        (|| wave_verdict("r1", 1, countersign_core::act::WaveVerdict::Pass), Code::WrongState),
        (|| outcome("r1"), Code::WrongState),
        (|| product(&["production"]), Code::WrongState),
        (|| genesis(false), Code::Genesis),
    ];
    for (make, code) in illegal {
        let clean = given().ready("r1").when(go(QUINN, "r1", "qa"));
        let mut world = clean.clone();
        let index = world.state.tree.size();
        let step = make();
        let statement = world.statement(&step);
        let leaf = world.sign(&step, &statement).into_leaf();
        let finding = world.take(leaf).expect_err("no rule lets it through");
        assert_eq!((finding.index, finding.code), (index, code), "{finding}");
        assert_eq!(world.state.findings, [finding]);
        assert_eq!(world.state.tree.size(), index + 1, "it stays in the tree");
        assert_eq!(says(&world), says(&clean));
        // The ledger goes on.
        world
            .when(go(SAM, "r1", "security"))
            .comes_to("r1", &Outcome::Go { authorization: None })
            .when(dispatch("r1", 1, "later"))
            .is("r1", ReleaseState::Dispatching)
            .then(|world| assert_eq!(world.state.findings.len(), 1));
    }
}

#[test]
fn bytes_that_are_no_entry_are_flagged_too() {
    for bytes in [&b""[..], b"\n", b"{}", b"{}\n", &[0xff; 70_000]] {
        let mut world = given();
        let index = world.state.tree.size();
        let finding = world.take(bytes.to_vec()).unwrap_err();
        assert_eq!((finding.index, finding.code), (index, Code::Malformed));
        world.when(propose("r1"));
    }
}

#[test]
fn what_nobody_admitted_is_worth_nothing_however_often_it_is_answered() {
    // A sheet frozen by nobody who may: an answer to it answers nothing.
    let mut world = given().proven("r1").staged("r1").later(3600);
    let step = freeze("r1").by(PAUL);
    let statement = world.statement(&step);
    let leaf = world.sign(&step, &statement).into_leaf();
    world.take(leaf).unwrap_err();
    let index = world.state.tree.size() - 1;
    world
        .refuses_saying(Code::NotFound, "waits for no answer", answer_entry(QUINN, index, "qa", Verdict::Go))
        .then(|world| assert!(world.release("r1").sheets.is_empty()));
}

#[test]
fn a_nonce_or_principal_of_a_refused_entry_is_not_used_up() {
    let mut world = given();
    let refused = world.statement(&enrol("nina@acme.example", &[]).by(RITA));
    let leaf = world.sign(&enrol("nina@acme.example", &[]).by(RITA), &refused).into_leaf();
    assert_eq!(world.take(leaf).unwrap_err().code, Code::RoleMissing);
    let nonce = refused.common.nonce;
    world.when(enrol("nina@acme.example", &[]).forging(move |statement| statement.common.nonce = nonce.clone()));
}

#[test]
fn replaying_all_leaves_says_the_same() {
    let mut world = given().live("r1").signed("r2");
    for _ in 0..3 {
        world.take(b"garbage".to_vec()).unwrap_err();
        let step = outcome("r2");
        let statement = world.statement(&step);
        let leaf = world.sign(&step, &statement).into_leaf();
        world.take(leaf).unwrap_err();
    }
    let world = world.sent("r2", 1);
    let mut replayed = World { state: State::default(), ..world.clone() };
    for leaf in &world.leaves {
        // Findings are kept by the state.
        let _ = replayed.state.take(leaf.clone());
    }
    assert_eq!(replayed.state.findings, world.state.findings);
    assert_eq!(replayed.state.head(), world.state.head());
    assert_eq!(says(&replayed), says(&world));
}

#[test]
fn corrections_and_exports_name_what_is_there() {
    let correct = |leaf: fn(&World) -> countersign_core::words::EntryRef| {
        step(PAUL, move |world| {
            Correction {
                entry: leaf(world),
                field: word("identity"),
                new: word("passport"),
                old: word("card"),
                removes: None,
            }
            .into()
        })
    };
    let export = |edit: fn(&mut Export)| {
        step(ADA, move |world| {
            let head = world.state.head();
            let mut body = Export { root: head.root.to_base64(), release: None, size: head.size };
            edit(&mut body);
            Act::from(body)
        })
    };
    given()
        .refuses(
            Code::NotFound,
            correct(|world| {
                let mut entry = world.last_entry();
                entry.index += 1;
                entry
            }),
        )
        .refuses(
            Code::NotFound,
            correct(|world| {
                let mut entry = world.last_entry();
                entry.index -= 1;
                entry
            }),
        )
        .when(correct(World::last_entry))
        .then(|world| assert_eq!(world.state.corrections.len(), 1))
        .refuses(Code::SeenMismatch, export(|body| body.size -= 1))
        .refuses(Code::SeenMismatch, export(|body| body.root.push('x')))
        .when(export(|_| ()))
        .when(export(|_| ()).by(DESK));
}

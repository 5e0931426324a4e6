//! The decision sheet: each listed input equals what the ledger says when it is frozen, and names what has moved since.

use countersign_core::act::{Artifact, LiveRelease, PlannedWave, Request};
use countersign_core::decide::{Command, decide};
use countersign_core::evidence::Conclusion;
use countersign_core::hash::Digest;
use countersign_core::judge::{self, Outcome, ReleaseState, SignOffState};
use countersign_core::rejection::Code;
use countersign_core::words::EntryRef;

use super::*;

fn elsewhere() -> EntryRef {
    EntryRef { index: 0, leaf: Digest::of(b"elsewhere") }
}

#[test]
fn each_listed_input_equals_what_the_ledger_says() {
    let world = given().proven("r1").staged("r1").later(3600);
    type Edit = fn(&mut Request);
    let table: [(&str, Edit); 19] = [
        ("artifacts", |body| body.artifacts[0].sha256 = Digest::of(b"another build")),
        ("artifacts", |body| body.artifacts.push(Artifact { name: word("extra"), sha256: Digest::of(b"extra") })),
        ("candidate", |body| body.candidate = elsewhere()),
        ("change_type", |body| body.change_type = countersign_core::act::ChangeType::Normal),
        ("changes", |body| body.changes = Digest::of(b"other changes")),
        ("commit", |body| body.commit = word(&commit_of("elsewhere"))),
        ("environment", |body| body.environment = word("staging")),
        ("evidence", |body| body.evidence.digest = Digest::of(b"other evidence")),
        ("evidence", |body| body.evidence.count -= 1),
        ("live", |body| {
            body.live = Some(LiveRelease {
                artifacts: Vec::new(),
                commit: word(&commit_of("r0")),
                release: word("r0"),
                version: word("r0"),
            });
        }),
        ("policy", |body| body.policy = elsewhere()),
        ("product", |body| body.product = word("valve")),
        ("rollback", |body| {
            body.rollback = Some(LiveRelease {
                artifacts: Vec::new(),
                commit: word(&commit_of("r0")),
                release: word("r0"),
                version: word("r0"),
            });
        }),
        ("rollout", |body| body.rollout[0].bake_seconds = 1),
        ("rollout", |body| {
            body.rollout.push(PlannedWave { bake_seconds: 0, segment: word("everyone-else") });
        }),
        ("stage", |body| body.stage = None),
        ("target", |body| body.target = elsewhere()),
        ("version", |body| body.version = word("other")),
        ("waivers", |body| body.waivers.push(elsewhere())),
    ];
    for (input, edit) in table {
        let step = with_request(freeze("r1"), move |_, body| edit(body));
        let mut tried = world.clone();
        // The subject follows the artifacts, so that the rule on inputs is what objects.
        let statement = tried.statement(&step);
        let leaf = tried.sign(&step, &statement).into_leaf();
        let finding = tried.take(leaf).expect_err(input);
        assert!(matches!(finding.code, Code::Stale), "{input}: {finding}");
    }
    world.when(freeze("r1"));
}

#[test]
fn the_composed_sheet_is_the_one_that_is_admitted() {
    let world = given().proven("r1").staged("r1").later(3600);
    let statement = world.statement(&freeze("r1"));
    let command = Command::Freeze {
        release: word("r1"),
        authorization: None,
        window: None,
        asked: Vec::new(),
        due: None,
        scheduled: false,
    };
    assert_eq!(decide(&world.state, command, &context_of(&statement)).unwrap(), statement);
    // A window is cut to the time the sheet is valid.
    let command = Command::Freeze {
        release: word("r1"),
        authorization: None,
        window: Some(window(world.now.plus_seconds(60), 40 * 86_400)),
        asked: Vec::new(),
        due: None,
        scheduled: false,
    };
    let composed = decide(&world.state, command, &context_of(&statement)).unwrap();
    let countersign_core::act::Act::Request(body) = composed.act else { panic!("a request") };
    assert_eq!(body.window.until, body.not_after);
    assert_eq!(body.window.from, world.now.plus_seconds(60));
}

#[test]
fn a_sheet_is_frozen_by_the_release_manager_once_every_gate_is_open() {
    given()
        .when(propose("r1"))
        .refuses_saying(Code::GateOpen, "unit tests", freeze("r1"))
        .when(observe("r1", "unit.xml", Conclusion::Pass))
        .refuses_saying(Code::GateOpen, "static analysis", freeze("r1"))
        .when(observe("r1", "scan.sarif", Conclusion::Inconclusive))
        .refuses_saying(Code::GateOpen, "static analysis", freeze("r1"))
        .when(waive(SAM, "r1", "static analysis", 86_400))
        .refuses_saying(Code::GateOpen, "staging", freeze("r1"))
        .staged("r1")
        .refuses_saying(Code::GateOpen, "soaks in staging", freeze("r1"))
        .later(3599)
        .refuses_saying(Code::GateOpen, "soaks in staging", freeze("r1"))
        .later(1)
        .refuses(Code::RoleMissing, freeze("r1").by(PAUL))
        .refuses(Code::RoleMissing, freeze("r1").by(QUINN))
        .refuses(Code::WrongSigner, freeze("r1").by(WORKER))
        .when(freeze("r1"));
    without_policy().when(propose("r1")).refuses(
        Code::NotFound,
        step(RITA, |world| {
            // Nothing to list: a sheet as it would be under the usual policy.
            let mut with = world.clone().when(policy(POLICY)).proven("r9").staged("r9").later(3600);
            with = with.when(freeze("r9"));
            let mut body = with.sheet("r9").body.clone();
            body.release = word("r1");
            body.artifacts = candidate("r1").artifacts;
            body.into()
        }),
    );
}

#[test]
fn a_sheet_is_valid_no_longer_than_the_policy_allows() {
    let span = |from: i64, until: i64, not_after: i64| {
        with_request(freeze("r1"), move |world, body| {
            body.window = window(world.now.plus_seconds(from), until - from);
            body.not_after = world.now.plus_seconds(not_after);
        })
    };
    let day = 86_400;
    given()
        .proven("r1")
        .staged("r1")
        .later(3600)
        .refuses_saying(Code::Field, "the policy allows", span(0, day, day + 1))
        .refuses(Code::Field, span(0, day, day - 1))
        .refuses(Code::Field, span(60, 0, day))
        .refuses(Code::Field, span(0, 0, 0))
        .refuses(Code::Field, span(-60, -30, -30))
        .refuses_saying(Code::Field, "the window ended at", span(-60, -30, day))
        .refuses_saying(Code::Field, "lets the sheet stand until", span(day + 60, day + 120, day))
        .when(span(600, 1200, day));
}

#[test]
fn a_sheet_names_which_listed_input_moved() {
    let signed = || given().signed("r1");
    let stale = |world: World, input: &str| {
        world
            .worth("r1", QUINN, SignOffState::Stale, input)
            .worth("r1", SAM, SignOffState::Stale, input)
            .then(|world| {
                let outcome = judge::decision(&world.state, world.release("r1"), world.sheet("r1"), world.now).outcome;
                let Outcome::Stale(moved) = outcome else { panic!("{outcome:?}") };
                assert!(moved.iter().any(|moved| moved.as_str().contains(input)), "{moved:?}");
            })
            .refuses(Code::Stale, dispatch("r1", 1, "one"))
            .refuses_saying(Code::Stale, input, go(QUENTIN, "r1", "qa"))
    };
    stale(signed().when(amend("r1", |candidate| candidate.risk = Some(word("other")))), "the candidate")
        .is("r1", ReleaseState::Staged);
    stale(signed().when(rerun("r1", "unit.xml", 0, Conclusion::Pass)), "evidence listed was replaced");
    stale(signed().when(target("production", &["canary", "everyone"])), "the target");
    stale(signed().when(waive(QUENTIN, "r1", "unit tests", 60)), "a gate was waived");
    stale(signed().staged("r1").later(3600), "the staging");
    let world = signed().when(policy(POLICY));
    let asked = world.last_entry().index;
    let world = world.when(answer_entry(QUINN, asked, "qa", countersign_core::act::Verdict::Go)).when(answer_entry(
        SAM,
        asked,
        "security",
        countersign_core::act::Verdict::Go,
    ));
    stale(world, "the policy");
    // An emergency went live in between.
    let world = signed()
        .when(propose_as("r2", |candidate| {
            candidate.change_type = countersign_core::act::ChangeType::Emergency;
            candidate.incident = Some(word("INC-7"));
        }))
        .when(observe("r2", "unit.xml", Conclusion::Pass))
        .when(observe("r2", "scan.sarif", Conclusion::Pass))
        .staged("r2")
        .later(3600)
        .when(freeze("r2"))
        .when(go(QUINN, "r2", "qa"))
        .when(go(SAM, "r2", "security"))
        .sent("r2", 1)
        .passed("r2", 1)
        .sent("r2", 2)
        .passed("r2", 2)
        .is("r2", ReleaseState::Live);
    let outcome = judge::decision(&world.state, world.release("r1"), world.sheet("r1"), world.now).outcome;
    assert_eq!(outcome, Outcome::Stale(vec![judge::Moved::Live]));
}

#[test]
fn a_newer_sheet_ends_the_signatures_on_the_one_before() {
    let world = given().signed("r1");
    let first = world.sheet("r1").entry;
    let world = world.when(freeze("r1"));
    let release = world.release("r1");
    let judged = judge::sign_offs(&world.state, release, release.sheet_at(first).unwrap(), world.now);
    assert_eq!(judged.len(), 2);
    for judged in judged {
        assert_eq!(judged.state, SignOffState::Stale);
        assert_eq!(judged.cause.as_deref(), Some("moved since: a newer sheet was frozen"));
    }
    world
        .comes_to("r1", &Outcome::Incomplete)
        .refuses_saying(
            Code::Stale,
            "newer sheet",
            answer_entry(QUINN, first.index, "qa", countersign_core::act::Verdict::Go),
        )
        .refuses_saying(
            Code::Stale,
            "newer sheet",
            with_dispatch(dispatch("r1", 1, "one"), move |_, body| body.sheet = first),
        )
        .refuses(Code::QuorumMissing, dispatch("r1", 1, "one"));
}

#[test]
fn what_arrives_after_the_freeze_is_recorded_halts_or_holds() {
    let signed = || given().signed("r1");
    // Green: nothing stale, nothing signed either.
    signed()
        .when(observe("r1", "more.xml", Conclusion::Pass))
        .when(observe("r1", "unit.xml", Conclusion::Pass))
        .worth("r1", QUINN, SignOffState::Valid, "")
        .comes_to("r1", &Outcome::Go { authorization: None })
        .then(|world| assert_eq!(world.sheet("r1").body.evidence.count, 2))
        .when(dispatch("r1", 1, "one"));
    // Red: HALTED, until a waiver is signed and the sheet frozen and signed anew.
    signed()
        .when(observe("r1", "unit.xml", Conclusion::Fail))
        .is("r1", ReleaseState::Halted)
        .refuses(Code::Halted, dispatch("r1", 1, "one"))
        .refuses(Code::Halted, freeze("r1"))
        .when(waive(QUENTIN, "r1", "unit tests", 86_400))
        .refuses_saying(Code::Stale, "a gate was waived", dispatch("r1", 1, "one"))
        .when(freeze("r1"))
        .refuses(Code::QuorumMissing, dispatch("r1", 1, "one"))
        .when(go(QUINN, "r1", "qa"))
        .when(go(SAM, "r1", "security"))
        .when(dispatch("r1", 1, "one"));
    // A red that answers to no gate of the policy halts nothing.
    signed().when(observe("r1", "bill.cdx", Conclusion::Fail)).when(dispatch("r1", 1, "one"));
    // Inconclusive: it holds, whether or not a gate asks for it, until it stands on a sheet.
    signed()
        .when(observe("r1", "bill.cdx", Conclusion::Inconclusive))
        .is("r1", ReleaseState::OnHold)
        .refuses_saying(Code::OnHold, "inconclusive", dispatch("r1", 1, "one"))
        .then(|world| {
            let blockers = judge::blockers(&world.state, world.release("r1"), world.now);
            assert!(blockers.iter().any(|blocker| blocker.code == "on_hold"), "{blockers:?}");
        })
        .when(freeze("r1"))
        .is("r1", ReleaseState::Ready);
    // What a person attaches in between does not hold; it waits for a second person like any other.
    signed().when(attach(PAUL, "r1", "notes.txt", Conclusion::Inconclusive)).when(dispatch("r1", 1, "one"));
}

#[test]
fn the_manifest_names_each_piece_of_evidence_by_entry_and_digest() {
    let world = given().proven("r1");
    let release = world.release("r1");
    let (manifest, text) = judge::manifest(release, None);
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest.count, 2);
    assert_eq!(manifest.digest, Digest::of(text.as_bytes()));
    assert_eq!(list[0]["name"], "unit.xml");
    assert_eq!(list[0]["digest"], release.evidence[0].body.digest.to_string());
    assert_eq!(list[1]["entry"]["index"], release.evidence[1].entry.index);
    assert_eq!(list[1]["conclusion"], "pass");
    let (one, _) = judge::manifest(release, Some(1));
    let later = world.clone().when(observe("r1", "unit.xml", Conclusion::Fail));
    assert_eq!(judge::manifest(later.release("r1"), Some(1)).0, one);
    assert_ne!(judge::manifest(later.release("r1"), None).0, manifest);
}

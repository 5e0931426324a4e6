//! Evidence, gates and waivers: what counts, what halts, and who may let it pass all the same.

use countersign_core::act::{Act, CommitSource, EvidenceOrigin, Reauth};
use countersign_core::evidence::{Conclusion, Counts, EvidenceKind};
use countersign_core::hash::Digest;
use countersign_core::judge::{self, ReleaseState};
use countersign_core::rejection::Code;

use super::*;

const UNIT: &str = "unit tests";
const SCAN: &str = "static analysis";

/// Asks what a gate says of the release, in words that hold `text`.
fn says(gate: &'static str, conclusion: Conclusion, text: &'static str) -> impl Fn(&World) {
    move |world: &World| {
        let checks = judge::checks(&world.state, world.release("r1"), world.now);
        let check = checks.iter().find(|check| check.gate == gate).expect("the policy has the gate");
        assert_eq!(check.conclusion, conclusion, "{check:?}");
        assert!(check.detail.contains(text), "{check:?} does not say {text:?}");
    }
}

/// Evidence of another release's commit.
fn of_another_commit(conclusion: Conclusion) -> Step {
    with_evidence(observe("r1", "unit.xml", conclusion), |_, body| body.commit = word(&commit_of("elsewhere")))
}

#[test]
fn a_device_observes_and_a_person_with_a_role_attaches() {
    let observed = || EvidenceOrigin::Observed {
        connector: word("buildbot https://ci.acme.example"),
        raw_sha256: Digest::of(b"reply"),
        run: word("builds/17"),
    };
    let origin = |who: &'static str, origin: EvidenceOrigin| {
        with_evidence(observe("r1", "unit.xml", Conclusion::Pass).by(who), move |_, body| body.origin = origin.clone())
    };
    let nobody = observe("r1", "unit.xml", Conclusion::Pass).forging(|statement| {
        if let Act::Evidence(body) = &mut statement.act {
            body.release = word("r9");
        }
    });
    given()
        .when(propose("r1"))
        .refuses(Code::NotFound, nobody)
        .refuses_saying(Code::WrongSigner, "a person attaches", origin(DESK, EvidenceOrigin::Attached {}))
        .refuses_saying(Code::WrongSigner, "a device observes", origin(QUINN, observed()))
        .when(enrol("nina@acme.example", &[]))
        .when(accept_by("nina@acme.example"))
        .refuses(Code::RoleMissing, attach("nina@acme.example", "r1", "unit.xml", Conclusion::Pass))
        .when(attach(QUINN, "r1", "unit.xml", Conclusion::Pass))
        .when(observe("r1", "unit.xml", Conclusion::Pass));
}

#[test]
fn what_was_counted_bears_what_is_concluded() {
    let tests = |passed, failed, errors| Counts::Tests { total: 9, passed, failed, errors, skipped: 0, flaky: 0 };
    let table = [
        (EvidenceKind::Junit, Conclusion::Pass, tests(9, 0, 0), true),
        (EvidenceKind::Junit, Conclusion::Pass, tests(0, 0, 0), false),
        (EvidenceKind::Junit, Conclusion::Pass, tests(8, 1, 0), false),
        (EvidenceKind::Junit, Conclusion::Pass, tests(8, 0, 1), false),
        (EvidenceKind::Junit, Conclusion::Fail, tests(8, 1, 0), true),
        // To call worse what could be called better harms nobody.
        (EvidenceKind::Junit, Conclusion::Fail, tests(9, 0, 0), true),
        (EvidenceKind::Junit, Conclusion::Inconclusive, tests(9, 0, 0), true),
        (EvidenceKind::Junit, Conclusion::Missing, tests(0, 0, 0), false),
        (EvidenceKind::Junit, Conclusion::Pass, Counts::File { bytes: 9 }, false),
        (EvidenceKind::Sarif, Conclusion::Pass, tests(9, 0, 0), false),
        (
            EvidenceKind::Sarif,
            Conclusion::Pass,
            Counts::Findings { error: 1, warning: 0, note: 0, none: 0, suppressed: 0 },
            false,
        ),
        (EvidenceKind::Cyclonedx, Conclusion::Pass, Counts::Components { components: 4, vulnerabilities: 0 }, true),
        (EvidenceKind::Cyclonedx, Conclusion::Pass, Counts::Components { components: 0, vulnerabilities: 0 }, false),
        (EvidenceKind::Cyclonedx, Conclusion::Pass, Counts::Components { components: 4, vulnerabilities: 1 }, false),
        (EvidenceKind::Manual, Conclusion::Pass, Counts::File { bytes: 9 }, true),
        (EvidenceKind::Manual, Conclusion::Pass, Counts::File { bytes: 0 }, false),
    ];
    let world = given().when(propose("r1"));
    for (kind, conclusion, counts, holds) in table {
        let step = with_evidence(observe("r1", "unit.xml", conclusion), move |_, body| {
            body.kind = kind;
            body.counts = counts;
        });
        let world = world.clone();
        if holds {
            world.when(step)
        } else {
            world.refuses(Code::Field, step)
        };
    }
    world.refuses_saying(
        Code::Field,
        "empty",
        with_evidence(observe("r1", "unit.xml", Conclusion::Pass), |_, body| {
            body.size = 0;
        }),
    );
}

#[test]
fn only_who_can_know_the_commit_says_it() {
    let source = |source: CommitSource, attached: bool| {
        let step = if attached {
            attach(QUINN, "r1", "unit.xml", Conclusion::Pass)
        } else {
            observe("r1", "unit.xml", Conclusion::Pass)
        };
        with_evidence(step, move |_, body| body.commit_source = source)
    };
    given()
        .when(propose("r1"))
        .refuses(Code::Field, source(CommitSource::Attacher, false))
        .refuses(Code::Field, source(CommitSource::Run, true))
        .when(source(CommitSource::File, false))
        .when(source(CommitSource::File, true))
        .when(source(CommitSource::Run, false))
        .when(source(CommitSource::Attacher, true));
}

#[test]
fn a_gate_is_green_only_on_evidence_about_the_commit_itself() {
    given()
        .when(propose("r1"))
        .then(says(UNIT, Conclusion::Missing, "no evidence yet"))
        .when(of_another_commit(Conclusion::Pass))
        .then(says(UNIT, Conclusion::Missing, "another commit"))
        .when(observe("r1", "other.xml", Conclusion::Pass))
        .then(says(UNIT, Conclusion::Missing, "another commit"))
        .when(observe("r1", "unit.xml", Conclusion::Inconclusive))
        .then(says(UNIT, Conclusion::Inconclusive, "does not say"))
        .when(observe("r1", "unit.xml", Conclusion::Pass))
        .then(says(UNIT, Conclusion::Inconclusive, "does not say"))
        // A gate that names no file takes any of its kind.
        .when(observe("r1", "scan.sarif", Conclusion::Pass))
        .then(says(SCAN, Conclusion::Pass, "green: scan.sarif"))
        .when(observe("r1", "other.sarif", Conclusion::Fail))
        .then(says(SCAN, Conclusion::Fail, "other.sarif"))
        .is("r1", ReleaseState::Halted)
        // A new candidate with another commit leaves the old evidence behind.
        .when(amend("r1", |candidate| candidate.commit = word(&commit_of("elsewhere"))))
        .then(says(SCAN, Conclusion::Missing, "another commit"))
        .then(says(UNIT, Conclusion::Pass, "unit.xml"));
}

#[test]
fn a_threshold_of_the_policy_judges_beyond_the_reader() {
    let stricter = [("kind = \"sarif\"", "kind = \"sarif\"\nmax = { warning = 1 }")];
    let waiting = || given_policy_with(&stricter).when(propose("r1")).when(observe("r1", "unit.xml", Conclusion::Pass));
    // The toy scan counts two warnings.
    waiting()
        .when(observe("r1", "scan.sarif", Conclusion::Pass))
        .then(says(SCAN, Conclusion::Fail, "2 warning, at most 1 allowed"))
        .is("r1", ReleaseState::Halted)
        .refuses(Code::Halted, deliver("r1", "one"));
    let least = [("name = \"unit.xml\"", "name = \"unit.xml\"\nmin = { passed = 10 }")];
    given_policy_with(&least).when(propose("r1")).when(observe("r1", "unit.xml", Conclusion::Pass)).then(says(
        UNIT,
        Conclusion::Fail,
        "9 passed, at least 10 asked",
    ));
}

#[test]
fn attached_evidence_counts_as_the_policy_says() {
    let attached = |rule: &str| {
        given_policy_with(&[("soak_seconds", &format!("attached_evidence = \"{rule}\"\nsoak_seconds"))])
            .when(propose("r1"))
            .when(attach(PAUL, "r1", "unit.xml", Conclusion::Pass))
    };
    attached("accepted").then(says(UNIT, Conclusion::Pass, "green"));
    attached("refused")
        .then(says(UNIT, Conclusion::Missing, "does not accept"))
        .when(confirm_evidence(QUINN, "r1", "qa"))
        .then(says(UNIT, Conclusion::Missing, "does not accept"));
    attached("confirmed")
        .then(says(UNIT, Conclusion::Missing, "waits for a second person"))
        .refuses_saying(Code::SegregationFailed, "second person", confirm_evidence(PAUL, "r1", "practitioner"))
        .refuses(Code::RoleMissing, confirm_evidence(QUINN, "r1", "security"))
        .refuses(Code::ReauthRefused, confirm_evidence(QUINN, "r1", "qa").reauth(Reauth::Agent))
        .refuses(Code::WrongSigner, confirm_evidence(WORKER, "r1", "qa"))
        .when(confirm_evidence(QUINN, "r1", "qa"))
        .refuses(Code::AlreadyDone, confirm_evidence(QUINN, "r1", "qa"))
        .then(says(UNIT, Conclusion::Pass, "green"));
    // A gate may ask for evidence read from CI whatever the policy accepts.
    given_policy_with(&[
        ("soak_seconds", "attached_evidence = \"accepted\"\nsoak_seconds"),
        ("name = \"unit.xml\"", "name = \"unit.xml\"\nobserved = true"),
    ])
    .when(propose("r1"))
    .when(attach(PAUL, "r1", "unit.xml", Conclusion::Pass))
    .then(says(UNIT, Conclusion::Missing, "read from CI"))
    .when(observe("r1", "unit.xml", Conclusion::Pass))
    .then(says(UNIT, Conclusion::Pass, "green"));
}

#[test]
fn a_red_result_counts_whoever_brings_it() {
    for rule in ["refused", "confirmed", "accepted"] {
        given_policy_with(&[("soak_seconds", &format!("attached_evidence = \"{rule}\"\nsoak_seconds"))])
            .proven("r1")
            .when(attach(PAUL, "r1", "unit.xml", Conclusion::Fail))
            .then(says(UNIT, Conclusion::Fail, "1 failed"))
            .is("r1", ReleaseState::Halted)
            .refuses(Code::Halted, deliver("r1", "one"))
            .refuses(Code::Halted, freeze("r1"));
    }
}

#[test]
fn a_red_result_is_cleared_by_a_rerun_only_as_the_policy_says() {
    let policy = |rule: &str| {
        given_policy_with(&[("soak_seconds", &format!("rerun = {rule}\nsoak_seconds"))])
            .when(propose("r1"))
            .when(observe("r1", "scan.sarif", Conclusion::Pass))
            .when(observe("r1", "unit.xml", Conclusion::Fail))
    };
    for rule in ["{ rule = \"forbid\" }", "{ rule = \"waiver\" }"] {
        policy(rule)
            .when(rerun("r1", "unit.xml", 1, Conclusion::Pass))
            .then(says(UNIT, Conclusion::Fail, "1 failed"))
            .when(waive(QUINN, "r1", UNIT, 86_400))
            .is("r1", ReleaseState::Collecting);
    }
    let once = policy("{ rule = \"up-to\", up_to = 1 }");
    once.clone()
        .refuses_saying(Code::Field, "reason", rerun("r1", "unit.xml", 1, Conclusion::Pass).without_reason())
        .refuses(Code::NotFound, rerun("r1", "unit.xml", 0, Conclusion::Pass))
        .refuses(
            Code::NotFound,
            with_evidence(rerun("r1", "unit.xml", 1, Conclusion::Pass), |_, body| {
                body.commit = word(&commit_of("elsewhere"));
            }),
        )
        .when(rerun("r1", "unit.xml", 1, Conclusion::Pass))
        .then(says(UNIT, Conclusion::Pass, "green"));
    // A green result that does not say what it stands in for clears nothing; nor does one under another name.
    once.clone().when(observe("r1", "unit.xml", Conclusion::Pass)).then(says(UNIT, Conclusion::Fail, ""));
    once.clone().when(rerun("r1", "other.xml", 1, Conclusion::Pass)).then(says(UNIT, Conclusion::Fail, ""));
    // The second re-run is one too many: three results stand, the first stays red.
    once.when(rerun("r1", "unit.xml", 1, Conclusion::Fail))
        .when(rerun("r1", "unit.xml", 2, Conclusion::Pass))
        .then(says(UNIT, Conclusion::Fail, "entry"));
    policy("{ rule = \"up-to\", up_to = 2 }")
        .when(rerun("r1", "unit.xml", 1, Conclusion::Fail))
        .then(says(UNIT, Conclusion::Fail, ""))
        .when(rerun("r1", "unit.xml", 2, Conclusion::Pass))
        .then(says(UNIT, Conclusion::Pass, "green"));
}

#[test]
fn a_waiver_names_one_gate_and_ends() {
    let world = given().proven("r1").when(observe("r1", "unit.xml", Conclusion::Fail));
    world
        .clone()
        .is("r1", ReleaseState::Halted)
        .refuses(Code::NotFound, waive(QUINN, "r1", "integration tests", 60))
        .refuses(Code::Expired, waive(QUINN, "r1", UNIT, 0))
        .refuses_saying(
            Code::NotFound,
            "no person",
            waive(QUINN, "r1", UNIT, 60).forging(|statement| {
                if let Act::Waiver(body) = &mut statement.act {
                    body.owner = word("nobody@acme.example");
                }
            }),
        )
        .when(waive(QUINN, "r1", SCAN, 60))
        .is("r1", ReleaseState::Halted)
        .when(waive(QUINN, "r1", UNIT, 60))
        .is("r1", ReleaseState::Collecting)
        .when(deliver("r1", "one"))
        .later(61)
        .is("r1", ReleaseState::Halted);
    // It was signed for one candidate; the next one has its own.
    world
        .when(waive(QUINN, "r1", UNIT, 86_400))
        .is("r1", ReleaseState::Collecting)
        .when(amend("r1", |candidate| candidate.risk = Some(word("higher than thought"))))
        .is("r1", ReleaseState::Halted);
}

#[test]
fn who_has_another_part_in_the_release_waives_nothing() {
    let red = |world: World| world.proven("r1").when(observe("r1", "unit.xml", Conclusion::Fail));
    red(given())
        .refuses(Code::RoleMissing, waive(PAUL, "r1", UNIT, 60))
        .refuses(Code::ReauthRefused, waive(QUINN, "r1", UNIT, 60).reauth(Reauth::File))
        .refuses_saying(Code::SegregationFailed, "wrote a commit", waive(DANA, "r1", UNIT, 60))
        .when(attach(QUENTIN, "r1", "notes.txt", Conclusion::Pass))
        .refuses_saying(Code::SegregationFailed, "attached", waive(QUENTIN, "r1", UNIT, 60));
    // Who asked for it never does, even where the policy lets everybody sign.
    let everybody = [("soak_seconds", "distinct = []\nsoak_seconds"), ("role = \"qa\"", "role = \"release-manager\"")];
    let world = red(given_policy_with(&everybody));
    world
        .clone()
        .refuses_saying(Code::SegregationFailed, "asked for", waive(RITA, "r1", UNIT, 60))
        .when(waive(ROLF, "r1", UNIT, 86_400))
        .is("r1", ReleaseState::Collecting);
    world.clone().when(amend("r1", |_| ()).by(ROLF)).refuses_saying(
        Code::SegregationFailed,
        "asked for",
        waive(ROLF, "r1", UNIT, 60),
    );
    // Nor can they waive first and ask afterwards.
    world
        .when(waive(ROLF, "r1", UNIT, 86_400))
        .staged("r1")
        .later(3600)
        .refuses_saying(Code::SegregationFailed, "waived a gate", freeze("r1").by(ROLF))
        .when(freeze("r1"));
}

#[test]
fn a_waiver_counts_while_its_signer_could_still_sign_it() {
    let waived = || {
        given().proven("r1").when(observe("r1", "unit.xml", Conclusion::Fail)).when(waive(QUINN, "r1", UNIT, 86_400))
    };
    waived().is("r1", ReleaseState::Collecting);
    waived().when(role_change(countersign_core::act::Grant::Lapse, QUINN, "qa")).is("r1", ReleaseState::Halted);
    waived().when(key_change(countersign_core::act::KeyChange::Lost {}, QUINN)).is("r1", ReleaseState::Halted);
    waived().when(attach(QUINN, "r1", "notes.txt", Conclusion::Pass)).is("r1", ReleaseState::Halted);
}

#[test]
fn the_fields_a_policy_asks_for_are_a_gate() {
    let asks = "required = [\"risk\", \"security-impact\", \"rollout-plan\", \"backout-plan\", \"external-record\"]\nsoak_seconds";
    given_policy_with(&[("soak_seconds", asks)])
        .when(propose_as("r1", |candidate| {
            candidate.risk = None;
            candidate.security_impact = None;
            candidate.rollout_plan = None;
            candidate.backout_plan = None;
        }))
        .then(says("fields", Conclusion::Missing, "risk, security-impact, rollout-plan, backout-plan, external-record"))
        .when(observe("r1", "unit.xml", Conclusion::Pass))
        .when(observe("r1", "scan.sarif", Conclusion::Pass))
        .staged("r1")
        .later(3600)
        .refuses_saying(Code::GateOpen, "fields", freeze("r1"))
        .when(amend("r1", |candidate| {
            let full = given::candidate("r1");
            candidate.external = Some(countersign_core::act::ExternalRecord {
                id: word("CHG-1"),
                state: word("approved"),
                system: word("service desk"),
                url: word("https://desk.acme.example/CHG-1"),
            });
            *candidate = countersign_core::act::Candidate { external: candidate.external.clone(), ..full };
        }))
        .then(says("fields", Conclusion::Pass, "all required"));
}

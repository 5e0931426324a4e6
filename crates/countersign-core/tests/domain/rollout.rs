//! Dispatches to production: who starts which wave when, at most once; verdicts, halts and the way back.

use countersign_core::act::{
    DevicePurpose, DispatchKind, DispatchState, Grant, KeyChange, Lease, RunConclusion, Verdict, WaveVerdict,
};
use countersign_core::decide::{Command, decide};
use countersign_core::evidence::Conclusion;
use countersign_core::hash::Digest;
use countersign_core::judge::{self, ReleaseState, SignOffState};
use countersign_core::rejection::Code;
use countersign_core::words::Slug;

use super::staging::resending;
use super::*;

/// What runs in production by the ledger.
fn live(world: &World) -> Option<String> {
    let place: (Slug, Slug) = (word(PRODUCT), word("production"));
    world.state.live.get(&place).map(|live| live.release.to_string())
}

fn by_nobody(step: Step) -> Step {
    with_dispatch(step, |_, body| body.by = None)
}

fn by_person(step: Step, who: &'static str) -> Step {
    with_dispatch(step, move |_, body| body.by = Some(word(who)))
}

fn lost(world: World, request: &str) -> World {
    world.when(journal("r1", request, DispatchState::Sending)).when(journal("r1", request, DispatchState::FateUnknown))
}

/// `r1` is live; `r2` went to the canary.
fn canary_of_the_second() -> World {
    given().live("r1").signed("r2").sent("r2", 1)
}

#[test]
fn the_composed_dispatch_is_the_one_that_is_admitted() {
    let compose = |world: &World, step: Step, kind: DispatchKind, environment: &str| {
        let statement = world.statement(&step);
        let countersign_core::act::Act::Dispatch(body) = &statement.act else { panic!("a dispatch") };
        let command = Command::Dispatch {
            release: body.release.clone(),
            environment: word(environment),
            kind,
            request_id: body.request_id.clone(),
            by: body.by.clone(),
            resends: None,
        };
        assert_eq!(decide(&world.state, command, &context_of(&statement)).unwrap(), statement);
    };
    let world = given().proven("r1");
    compose(&world, deliver("r1", "one"), DispatchKind::Deploy, "staging");
    let world = given().signed("r1");
    compose(&world, dispatch("r1", 1, "one"), DispatchKind::Deploy, "production");
    let world = world.sent("r1", 1).passed("r1", 1);
    compose(&world, dispatch("r1", 2, "two"), DispatchKind::Deploy, "production");
    let world = canary_of_the_second();
    compose(&world, roll_back("r2", 1, "back"), DispatchKind::Rollback, "production");
}

#[test]
fn the_first_wave_asks_for_the_decision() {
    let world = given().ready("r1");
    world
        .clone()
        .refuses(Code::QuorumMissing, dispatch("r1", 1, "one"))
        .when(go(QUINN, "r1", "qa"))
        .refuses_saying(Code::QuorumMissing, "security 0 of 1", dispatch("r1", 1, "one"))
        .when(go(SAM, "r1", "security"))
        .refuses(Code::WrongSigner, dispatch("r1", 1, "one").by(DESK))
        .refuses(Code::Stale, with_dispatch(dispatch("r1", 1, "one"), |_, body| body.artifact = Digest::of(b"another")))
        .refuses(Code::WaveOrder, dispatch("r1", 2, "one"))
        .refuses(Code::WaveOrder, dispatch("r1", 3, "one"))
        .refuses(Code::WaveOrder, dispatch("r1", 0, "one"))
        .refuses(Code::Stale, with_dispatch(dispatch("r1", 1, "one"), |world, body| body.sheet = world.last_entry()))
        .refuses(Code::NotFound, with_dispatch(dispatch("r1", 1, "one"), |_, body| body.environment = word("preview")))
        // A signed sheet opens production, not staging; a staging delivery never opens production.
        .refuses(Code::Stale, with_dispatch(dispatch("r1", 1, "one"), |_, body| body.environment = word("staging")))
        .refuses(Code::Stale, with_dispatch(deliver("r1", "one"), |_, body| body.environment = word("production")))
        .when(dispatch("r1", 1, "one"))
        .then(|world| {
            let decided = world.sheet("r1").decided.as_ref().unwrap();
            assert!(decided.iter().all(|judged| judged.state == SignOffState::Valid));
            assert_eq!(decided.len(), 2);
        });
    given()
        .proven("r1")
        .refuses(Code::NotFound, with_dispatch(deliver("r1", "one"), |_, body| body.release = word("r9")));
}

#[test]
fn the_window_and_the_sheets_time_bind_the_first_wave_alone() {
    let world = given()
        .proven("r1")
        .staged("r1")
        .later(3600)
        .when(with_request(freeze("r1"), |world, body| {
            body.window = window(world.now.plus_seconds(600), 600);
        }))
        .when(go(QUINN, "r1", "qa"))
        .when(go(SAM, "r1", "security"));
    world
        .clone()
        .refuses(Code::OutsideWindow, dispatch("r1", 1, "one"))
        .later(600)
        .sent("r1", 1)
        .later(86_400)
        .passed("r1", 1)
        .when(dispatch("r1", 2, "two"));
    world.later(1201).refuses(Code::OutsideWindow, dispatch("r1", 1, "one"));
}

#[test]
fn the_release_manager_dispatches_and_is_nobody_who_signed() {
    given()
        .when(role_change(Grant::Grant, QUINN, "release-manager"))
        .signed("r1")
        .refuses_saying(Code::SegregationFailed, "signed this sheet", by_person(dispatch("r1", 1, "one"), QUINN))
        .refuses(Code::RoleMissing, by_person(dispatch("r1", 1, "one"), PAUL))
        .refuses(Code::NotFound, by_person(dispatch("r1", 1, "one"), "ghost@acme.example"))
        .refuses_saying(Code::WrongSigner, "asks the release manager", by_nobody(dispatch("r1", 1, "one")))
        .when(by_person(dispatch("r1", 1, "one"), RITA))
        .ran("r1", "one", RunConclusion::Success)
        .passed("r1", 1)
        // Once a person has begun it, the worker that has the work carries it on.
        .refuses_saying(Code::WrongSigner, "lease", by_nobody(dispatch("r1", 2, "two")))
        .when(lease())
        .when(by_nobody(dispatch("r1", 2, "two")));
    given_policy_with(&[("soak_seconds", "dispatch = \"on-quorum\"\nsoak_seconds")])
        .ready("r1")
        .refuses(Code::QuorumMissing, by_nobody(dispatch("r1", 1, "one")))
        .when(go(QUINN, "r1", "qa"))
        .when(go(SAM, "r1", "security"))
        .refuses_saying(Code::WrongSigner, "lease", by_nobody(dispatch("r1", 1, "one")))
        .when(lease())
        .when(by_nobody(dispatch("r1", 1, "one")));
}

#[test]
fn the_journal_of_a_dispatch_walks_in_order() {
    use DispatchState::{Accepted, Bound, FateUnknown, Finished, Prepared, Refused, Sending};
    let follows = |from: DispatchState, to: DispatchState| {
        matches!(
            (from, to),
            (Prepared, Sending | Refused)
                | (Sending, Accepted | Refused | FateUnknown)
                | (Accepted, Bound | FateUnknown | Finished)
                | (FateUnknown, Bound | Refused | Finished)
                | (Bound, Finished | FateUnknown)
        )
    };
    let walks: [(DispatchState, &[DispatchState]); 7] = [
        (Prepared, &[]),
        (Sending, &[Sending]),
        (Accepted, &[Sending, Accepted]),
        (Refused, &[Refused]),
        (FateUnknown, &[Sending, FateUnknown]),
        (Bound, &[Sending, Accepted, Bound]),
        (Finished, &[Sending, Accepted, Finished]),
    ];
    for (from, walk) in walks {
        let mut world = given().signed("r1").when(dispatch("r1", 1, "one"));
        for state in walk {
            world = world.when(journal("r1", "one", *state));
        }
        for to in DispatchState::ALL.iter().copied().filter(|to| *to != Prepared) {
            let step = journal("r1", "one", to);
            let world = world.clone();
            if follows(from, to) {
                world.when(step)
            } else {
                world.refuses(Code::WrongState, step)
            };
        }
        world.refuses(Code::Reused, dispatch("r1", 1, "one"));
    }
}

#[test]
fn a_step_is_about_the_dispatch_that_was_prepared() {
    let world = given().signed("r1").when(dispatch("r1", 1, "one"));
    type Edit = fn(&World, &mut countersign_core::act::Dispatch);
    let edits: [Edit; 5] = [
        |_, body| body.artifact = Digest::of(b"another"),
        |_, body| body.environment = word("staging"),
        |_, body| body.kind = DispatchKind::Rollback,
        |world, body| body.sheet = world.last_entry(),
        |_, body| body.wave = 2,
    ];
    for edit in edits {
        world.clone().refuses(Code::Field, with_dispatch(journal("r1", "one", DispatchState::Sending), edit));
    }
    world
        .refuses(
            Code::NotFound,
            with_dispatch(journal("r1", "one", DispatchState::Sending), |_, body| {
                body.request_id = word("two");
            }),
        )
        .refuses_saying(
            Code::Field,
            "conclusion",
            with_dispatch(journal("r1", "one", DispatchState::Sending), |_, body| {
                body.conclusion = Some(RunConclusion::Success);
            }),
        )
        .when(journal("r1", "one", DispatchState::Sending))
        .when(journal("r1", "one", DispatchState::Accepted))
        .refuses_saying(
            Code::Field,
            "conclusion",
            with_dispatch(journal("r1", "one", DispatchState::Finished), |_, body| {
                body.conclusion = None;
            }),
        )
        .refuses_saying(
            Code::Field,
            "run",
            with_dispatch(journal("r1", "one", DispatchState::Finished), |_, body| {
                body.run = None;
            }),
        )
        .refuses_saying(
            Code::Field,
            "run",
            with_dispatch(journal("r1", "one", DispatchState::Bound), |_, body| {
                body.run = None;
            }),
        )
        .when(journal("r1", "one", DispatchState::Bound))
        // A later step may leave out what an earlier one has told.
        .when(with_dispatch(journal("r1", "one", DispatchState::Finished), |_, body| body.run = None))
        .then(|world| {
            let record = &world.release("r1").dispatches[1];
            assert!(record.succeeded());
            assert_eq!(record.steps.len(), 5);
            assert_eq!(record.body.run.as_ref().unwrap().id.as_str(), "run of one");
            assert_eq!(record.body.by, Some(word(ROLF)));
        });
}

#[test]
fn a_signed_sheet_deploys_each_wave_once() {
    let world = given().signed("r1").when(dispatch("r1", 1, "one"));
    let again = |world: World| world.refuses(Code::AlreadyDispatched, dispatch("r1", 1, "two"));
    let world = again(world).when(journal("r1", "one", DispatchState::Sending));
    let world = again(world).when(journal("r1", "one", DispatchState::Accepted));
    let world = again(world).when(journal("r1", "one", DispatchState::Bound));
    let world =
        again(world).when(journal("r1", "one", DispatchState::Finished).forging_conclusion(RunConclusion::Failure));
    // A failed run is an executed run: a new sheet decides anew.
    again(world)
        .is("r1", ReleaseState::RolloutHalted)
        .when(freeze("r1"))
        .is("r1", ReleaseState::Ready)
        .refuses(Code::QuorumMissing, dispatch("r1", 1, "two"))
        .when(go(QUINN, "r1", "qa"))
        .when(go(SAM, "r1", "security"))
        .refuses(Code::Reused, dispatch("r1", 1, "one"))
        .when(dispatch("r1", 1, "two"));
    // Refused means that nothing runs.
    given()
        .signed("r1")
        .when(dispatch("r1", 1, "one"))
        .when(journal("r1", "one", DispatchState::Refused))
        .is("r1", ReleaseState::Authorized)
        .when(dispatch("r1", 1, "two"));
    // A request id is used once, whatever it was used for.
    let world = given().signed("r1").proven("r2");
    let used = world.release("r1").dispatches[0].body.request_id.to_string();
    world.refuses(Code::Reused, deliver("r2", &used));
}

#[test]
fn what_has_an_unknown_fate_is_sent_again_only_by_name() {
    let sending = given().signed("r1").when(dispatch("r1", 1, "one"));
    let unknown = lost(sending, "one");
    unknown
        .clone()
        .is("r1", ReleaseState::RolloutHalted)
        .refuses_saying(Code::AlreadyDispatched, "fate of one", dispatch("r1", 1, "two"))
        .refuses(Code::AlreadyDispatched, resending(dispatch("r1", 1, "two"), "three"))
        .when(resending(dispatch("r1", 1, "two"), "one"))
        .refuses(Code::AlreadyDispatched, resending(dispatch("r1", 1, "three"), "one"))
        .ran("r1", "two", RunConclusion::Success)
        .is("r1", ReleaseState::RollingOut)
        .passed("r1", 1)
        .sent("r1", 2)
        .passed("r1", 2)
        .is("r1", ReleaseState::Live)
        // The first is still of unknown fate, but another stands in its place.
        .when(outcome("r1"));
    // Lost twice: the latest is named.
    let twice = lost(unknown.clone().when(resending(dispatch("r1", 1, "two"), "one")), "two");
    twice
        .refuses(Code::AlreadyDispatched, resending(dispatch("r1", 1, "three"), "one"))
        .when(resending(dispatch("r1", 1, "three"), "two"));
    // What was sent again and refused leaves the first as it was.
    unknown
        .clone()
        .when(resending(dispatch("r1", 1, "two"), "one"))
        .when(journal("r1", "two", DispatchState::Refused))
        .refuses(Code::AlreadyDispatched, dispatch("r1", 1, "three"))
        // It turns out to have run: that is the wave.
        .when(journal("r1", "one", DispatchState::Bound))
        .when(journal("r1", "one", DispatchState::Finished))
        .is("r1", ReleaseState::RollingOut)
        .passed("r1", 1);
    // Reconciled as never taken: it may be sent afresh, and naming it then is an error.
    unknown
        .when(journal("r1", "one", DispatchState::Refused))
        .refuses(Code::NotFound, resending(dispatch("r1", 1, "two"), "one"))
        .when(dispatch("r1", 1, "two"));
    given().signed("r1").refuses(Code::NotFound, resending(dispatch("r1", 1, "two"), "one"));
}

#[test]
fn a_wave_follows_the_passing_verdict_of_the_one_before() {
    let world = given().signed("r1").when(dispatch("r1", 1, "one"));
    world
        .refuses(Code::WaveOrder, dispatch("r1", 2, "two"))
        .refuses(Code::WrongState, wave_verdict("r1", 1, WaveVerdict::Pass))
        .ran("r1", "one", RunConclusion::Success)
        .refuses(Code::WaveOrder, dispatch("r1", 2, "two"))
        .later(600)
        .refuses(Code::WrongState, wave_verdict("r1", 2, WaveVerdict::Pass))
        .when(wave_verdict("r1", 1, WaveVerdict::Inconclusive))
        .is("r1", ReleaseState::RolloutHalted)
        .refuses(Code::WaveOrder, dispatch("r1", 2, "two"))
        // Too little to tell can still become a verdict.
        .when(wave_verdict("r1", 1, WaveVerdict::Pass))
        .is("r1", ReleaseState::RollingOut)
        .refuses(Code::AlreadyDone, wave_verdict("r1", 1, WaveVerdict::Fail))
        .sent("r1", 2)
        .then(|world| assert_eq!(live(world), None))
        .passed("r1", 2)
        .is("r1", ReleaseState::Live)
        .then(|world| assert_eq!(live(world).as_deref(), Some("r1")))
        .refuses(Code::AlreadyDone, wave_verdict("r1", 2, WaveVerdict::Fail))
        .refuses(Code::WaveOrder, dispatch("r1", 3, "three"))
        .refuses(Code::AlreadyDispatched, dispatch("r1", 2, "three"));
}

#[test]
fn a_wave_passes_on_what_a_dispatcher_measured_over_the_bake_time() {
    let edit = |edit: fn(&mut countersign_core::act::Wave)| {
        with_wave(wave_verdict("r1", 1, WaveVerdict::Pass), move |_, body| edit(body))
    };
    let world = given().signed("r1").sent("r1", 1).later(600);
    world
        .clone()
        .refuses(Code::WrongSigner, wave_verdict("r1", 1, WaveVerdict::Pass).by(DESK))
        .refuses_saying(Code::WrongSigner, "measured", wave_verdict("r1", 1, WaveVerdict::Pass).by(ROLF))
        .refuses(Code::RoleMissing, wave_verdict("r1", 1, WaveVerdict::Fail).by(QUINN))
        .refuses(Code::Field, edit(|body| body.failed = 1))
        .refuses(Code::Field, edit(|body| body.samples = 0))
        .refuses(Code::Field, edit(|body| body.coverage_percent = 89))
        .refuses(Code::Field, edit(|body| body.coverage_percent = 101))
        .refuses_saying(Code::Field, "baked 599 s", edit(|body| body.span.from = body.span.from.plus_seconds(1)))
        // It bakes after the deploy and before the verdict, not at some other time.
        .refuses_saying(
            Code::Field,
            "after the deploy",
            edit(|body| {
                body.span = window(body.span.from.plus_seconds(-1), 601);
            }),
        )
        .refuses_saying(Code::Field, "before now", edit(|body| body.span.until = body.span.until.plus_seconds(1)))
        .refuses(Code::Field, edit(|body| body.environment = word("staging")))
        .refuses(Code::WaveOrder, edit(|body| body.wave = 3))
        .when(edit(|body| body.coverage_percent = 90));
    // A release manager may stop it, for good.
    world
        .when(wave_verdict("r1", 1, WaveVerdict::Fail).by(ROLF))
        .is("r1", ReleaseState::RolloutHalted)
        .refuses_saying(Code::AlreadyDone, "failed", wave_verdict("r1", 1, WaveVerdict::Pass))
        .refuses(Code::WaveOrder, dispatch("r1", 2, "two"));
    // What failed to deploy has nothing to bake.
    given()
        .signed("r1")
        .when(dispatch("r1", 1, "one"))
        .ran("r1", "one", RunConclusion::Failure)
        .later(600)
        .refuses_saying(Code::WrongState, "did not succeed", wave_verdict("r1", 1, WaveVerdict::Pass));
}

#[test]
fn freeze_hold_red_no_go_and_revocation_stop_every_wave() {
    let between = || given().signed("r1").sent("r1", 1).passed("r1", 1);
    type Make = fn() -> Step;
    let stops: [(Make, Code, ReleaseState); 9] = [
        (|| declare_freeze(Some("production"), 60), Code::Frozen, ReleaseState::RollingOut),
        (|| hold(SAM, "r1", None), Code::OnHold, ReleaseState::RollingOut),
        (|| halt(ADA, "r1"), Code::OnHold, ReleaseState::RolloutHalted),
        (|| halt(DESK, "r1"), Code::OnHold, ReleaseState::RolloutHalted),
        (|| observe("r1", "unit.xml", Conclusion::Fail), Code::Halted, ReleaseState::RolloutHalted),
        (|| observe("r1", "unit.xml", Conclusion::Inconclusive), Code::OnHold, ReleaseState::RollingOut),
        (|| answer(QUENTIN, "r1", "qa", Verdict::NoGo), Code::NoGo, ReleaseState::RolloutHalted),
        (|| key_change(KeyChange::Lost {}, QUINN), Code::KeyRevoked, ReleaseState::RollingOut),
        (|| target("production", &["canary", "everyone"]), Code::Stale, ReleaseState::RollingOut),
    ];
    let blockers = |world: &World| judge::blockers(&world.state, world.release("r1"), world.now);
    for (stop, code, state) in stops {
        let world = between().when(stop()).is("r1", state);
        assert!(!blockers(&world).is_empty(), "{code:?} is said before anybody tries");
        world.refuses(code, dispatch("r1", 2, "two"));
    }
    // What only concerns the decision itself was judged at wave 1 and is on record.
    let goes_on: [Make; 3] = [
        || role_change(Grant::Lapse, QUINN, "qa"),
        || key_change(KeyChange::Revoke {}, QUENTIN),
        || observe("r1", "more.xml", Conclusion::Pass),
    ];
    for change in goes_on {
        let world = between().when(change());
        assert_eq!(blockers(&world), [], "nobody is asked for what nothing waits for");
        world.when(dispatch("r1", 2, "two"));
    }
    // The sheet has run out, and another delivery has taken staging over.
    let world = between().proven("r2").staged("r2").later(86_400);
    assert_eq!(blockers(&world), []);
    let staging = |checks: Vec<judge::Check>| {
        checks
            .into_iter()
            .find(|check| check.gate == countersign_core::policy::STAGING_GATE)
            .map(|check| check.conclusion)
    };
    let (state, release) = (&world.state, world.release("r1"));
    assert_eq!(staging(judge::checks(state, release, world.now)), Some(Conclusion::Missing));
    assert_eq!(staging(judge::checks_to_show(state, release, world.now)), Some(Conclusion::Pass), "as it was signed");
    world.when(dispatch("r1", 2, "two"));
    // A hold is resumed, a halt is not: the rollout is taken back or decided anew.
    between().when(hold(SAM, "r1", None)).when(resume(ROLF, "r1", None)).when(dispatch("r1", 2, "two"));
    between().when(halt(SAM, "r1")).refuses_saying(Code::WrongState, "does not go on", resume(ROLF, "r1", None));
    // A red result that a quorum role waives lets it go on.
    between()
        .when(observe("r1", "unit.xml", Conclusion::Fail))
        .when(waive(QUENTIN, "r1", "unit tests", 86_400))
        .when(dispatch("r1", 2, "two"));
}

#[test]
fn between_waves_only_a_no_go_is_still_heard() {
    let between = given().signed("r1").sent("r1", 1).passed("r1", 1);
    for verdict in [Verdict::Go, Verdict::Hold, Verdict::ConditionalGo] {
        between.clone().refuses(Code::WrongState, answer(QUENTIN, "r1", "qa", verdict));
    }
    between.clone().refuses(Code::RoleMissing, answer(PAUL, "r1", "qa", Verdict::NoGo));
    // Whatever has moved or run out since.
    between
        .clone()
        .later(90_000)
        .when(target("production", &["canary", "everyone"]))
        .when(answer(QUENTIN, "r1", "qa", Verdict::NoGo))
        .is("r1", ReleaseState::RolloutHalted);
    between.sent("r1", 2).passed("r1", 2).refuses(Code::WrongState, answer(QUENTIN, "r1", "qa", Verdict::NoGo));
}

#[test]
fn a_suspended_authorization_stops_the_waves_it_began() {
    let (world, index) =
        given_policy_with(&[("continuous-delivery", "continuous-deployment")]).when(authorize()).agreed();
    world
        .proven("r1")
        .staged("r1")
        .later(3600)
        .when(freeze_for("r1", index))
        .when(automatic_go("r1", index))
        .sent("r1", 1)
        .passed("r1", 1)
        .when(suspend(index))
        .refuses_saying(Code::OutsideBounds, "suspended", dispatch("r1", 2, "two"))
        .when(resume_authorization(index))
        .when(dispatch("r1", 2, "two"));
}

#[test]
fn one_rollout_at_a_time_has_the_environment() {
    let world = given().signed("r1").sent("r1", 1).signed("r2");
    world
        .clone()
        .refuses_saying(Code::EnvironmentBusy, "r1", dispatch("r2", 1, "two"))
        .passed("r1", 1)
        .refuses(Code::EnvironmentBusy, dispatch("r2", 1, "two"))
        .sent("r1", 2)
        .passed("r1", 2)
        // Live now, and so no longer what the second sheet says is live.
        .refuses(Code::Stale, dispatch("r2", 1, "two"))
        .when(freeze("r2"))
        .when(go(QUINN, "r2", "qa"))
        .when(go(SAM, "r2", "security"))
        .when(dispatch("r2", 1, "two"));
    // A first release that halts has no way back; reviewed, it lets the next one through.
    world
        .when(halt(QUINN, "r1"))
        .refuses(Code::EnvironmentBusy, dispatch("r2", 1, "two"))
        .refuses_saying(Code::WrongState, "no way back", roll_back("r1", 1, "back"))
        .when(outcome("r1"))
        .is("r1", ReleaseState::Reviewed)
        .when(dispatch("r2", 1, "two"))
        // Nothing of the first goes on under the second.
        .refuses(Code::WrongState, dispatch("r1", 2, "three"))
        .refuses_saying(Code::WrongState, "reviewed", wave_verdict("r1", 1, WaveVerdict::Fail));
}

#[test]
fn a_rollback_brings_the_slot_of_the_sheet_back() {
    let world = canary_of_the_second();
    assert_eq!(world.sheet("r2").body.rollback.as_ref().unwrap().release.as_str(), "r1");
    let world = world.later(60).when(wave_verdict("r2", 1, WaveVerdict::Fail)).is("r2", ReleaseState::RolloutHalted);
    world
        .clone()
        .refuses(
            Code::Stale,
            with_dispatch(roll_back("r2", 1, "back"), |_, body| body.artifact = Digest::of(b"another")),
        )
        .refuses(Code::WaveOrder, roll_back("r2", 2, "back"))
        .refuses(Code::RoleMissing, by_person(roll_back("r2", 1, "back"), PAUL))
        .refuses_saying(Code::WrongSigner, "asks a person", by_nobody(roll_back("r2", 1, "back")))
        // Who signed may take it back all the same: the way back was approved with the sheet.
        .when(roll_back("r2", 1, "back"))
        .refuses(Code::AlreadyDispatched, roll_back("r2", 1, "again"))
        .refuses(Code::WrongState, wave_verdict("r2", 1, WaveVerdict::Pass))
        .is("r2", ReleaseState::RolloutHalted)
        .ran("r2", "back", RunConclusion::Success)
        .is("r2", ReleaseState::RolledBack)
        .then(|world| assert_eq!(live(world).as_deref(), Some("r1")))
        .refuses(Code::AlreadyDispatched, roll_back("r2", 1, "again"))
        .refuses(Code::WrongState, dispatch("r2", 2, "two"))
        .refuses(Code::WrongState, wave_verdict("r2", 1, WaveVerdict::Pass))
        // Decided anew, it goes out again.
        .when(freeze("r2"))
        .is("r2", ReleaseState::Ready)
        .when(go(QUINN, "r2", "qa"))
        .when(go(SAM, "r2", "security"))
        .when(dispatch("r2", 1, "anew"));
    // One that failed, or was refused, is tried again; one of unknown fate by its name.
    world
        .clone()
        .when(roll_back("r2", 1, "back"))
        .ran("r2", "back", RunConclusion::Failure)
        .is("r2", ReleaseState::RolloutHalted)
        .when(roll_back("r2", 1, "again"));
    world
        .when(roll_back("r2", 1, "back"))
        .when(journal("r2", "back", DispatchState::Sending))
        .when(journal("r2", "back", DispatchState::FateUnknown))
        .refuses(Code::AlreadyDispatched, roll_back("r2", 1, "again"))
        .when(resending(roll_back("r2", 1, "again"), "back"))
        .ran("r2", "again", RunConclusion::Success)
        .is("r2", ReleaseState::RolledBack);
}

#[test]
fn a_rollback_takes_the_place_of_nothing_but_its_own_release() {
    given().signed("r1").refuses_saying(Code::WrongState, "no way back", roll_back("r1", 1, "back"));
    let second = given().live("r1").signed("r2");
    second.clone().refuses_saying(Code::WrongState, "nothing was deployed", roll_back("r2", 1, "back"));
    // Not while its own deploy is still on its way.
    second
        .clone()
        .when(dispatch("r2", 1, "one"))
        .refuses_saying(Code::EnvironmentBusy, "one is still", roll_back("r2", 1, "back"))
        .when(journal("r2", "one", DispatchState::Sending))
        .when(journal("r2", "one", DispatchState::FateUnknown))
        .when(roll_back("r2", 1, "back"));
    // A live release is taken back as long as it is what runs …
    let second = second.sent("r2", 1).passed("r2", 1).sent("r2", 2).passed("r2", 2).is("r2", ReleaseState::Live);
    second
        .clone()
        .when(roll_back("r2", 2, "back"))
        .ran("r2", "back", RunConclusion::Success)
        .then(|world| assert_eq!(live(world).as_deref(), Some("r1")));
    // … and no longer once another has taken its place, or is about to.
    let third = second.signed("r3").when(dispatch("r3", 1, "third"));
    third
        .clone()
        .refuses_saying(Code::EnvironmentBusy, "r3", roll_back("r2", 2, "back"))
        .ran("r3", "third", RunConclusion::Success)
        .passed("r3", 1)
        .sent("r3", 2)
        .passed("r3", 2)
        .refuses_saying(Code::WrongState, "not what production runs", roll_back("r2", 2, "back"));
}

#[test]
fn the_worker_rolls_back_by_itself_only_what_has_halted() {
    let auto = || {
        given_policy_with(&[("soak_seconds", "rollback = \"auto\"\nsoak_seconds")])
            .live("r1")
            .signed("r2")
            .sent("r2", 1)
            .when(lease())
    };
    auto().refuses_saying(Code::WrongState, "has not halted", by_nobody(roll_back("r2", 1, "back")));
    auto()
        .later(60)
        .when(wave_verdict("r2", 1, WaveVerdict::Fail))
        .when(by_nobody(roll_back("r2", 1, "back")))
        .ran("r2", "back", RunConclusion::Success)
        .is("r2", ReleaseState::RolledBack);
    let halted = auto().when(halt(DESK, "r2"));
    halted.clone().when(by_nobody(roll_back("r2", 1, "back")));
    // A worker whose time is over has nothing to say.
    halted.later(3601).refuses_saying(Code::WrongSigner, "lease", by_nobody(roll_back("r2", 1, "back")));
}

#[test]
fn nothing_else_goes_out_while_a_rollback_may_still_arrive() {
    use DispatchState::{FateUnknown, Finished, Sending};
    let unknown = |world: World, step: Step, request: &str| {
        world.when(step).when(journal("r2", request, Sending)).when(journal("r2", request, FateUnknown))
    };
    let world = unknown(canary_of_the_second(), roll_back("r2", 1, "back"), "back");
    let world = unknown(world, resending(roll_back("r2", 1, "again"), "back"), "again");
    // The first is found to have run; the second may still be on its way.
    let world = world.when(journal("r2", "back", Finished)).is("r2", ReleaseState::RolloutHalted).signed("r3");
    world
        .clone()
        .refuses_saying(Code::EnvironmentBusy, "r2", dispatch("r3", 1, "third"))
        .refuses_saying(Code::WrongState, "under way", outcome("r2"))
        .refuses(Code::AlreadyDispatched, roll_back("r2", 1, "once more"))
        .refuses(Code::AlreadyDispatched, resending(roll_back("r2", 1, "once more"), "back"))
        // Sent again it comes to the same, and closes what was lost.
        .when(resending(roll_back("r2", 1, "once more"), "again"))
        .refuses(Code::EnvironmentBusy, dispatch("r3", 1, "third"))
        .ran("r2", "once more", RunConclusion::Success)
        .is("r2", ReleaseState::RolledBack)
        .refuses(Code::AlreadyDispatched, roll_back("r2", 1, "and again"))
        .when(dispatch("r3", 1, "third"));
    world
        .when(journal("r2", "again", DispatchState::Refused))
        .is("r2", ReleaseState::RolledBack)
        .when(dispatch("r3", 1, "third"));
    // A wave that ran has used up its claim: the other one of unknown fate keeps nothing.
    let world = lost(given().signed("r1").when(dispatch("r1", 1, "one")), "one");
    lost(world.when(resending(dispatch("r1", 1, "two"), "one")), "two")
        .refuses(Code::WrongState, outcome("r1"))
        .when(journal("r1", "one", Finished))
        .passed("r1", 1)
        .sent("r1", 2)
        .passed("r1", 2)
        .when(outcome("r1"));
}

#[test]
fn one_worker_at_a_time_has_the_work() {
    const WORKER_2: &str = "worker-2@acme.example";
    let held_by = |world: &World| world.state.lease.as_ref().map(|(holder, _)| holder.to_string());
    let world = given()
        .when(enrol_device(WORKER_2, DevicePurpose::Dispatcher))
        .refuses_saying(Code::WrongSigner, "not an enrolled dispatcher", lease().by(WORKER_2))
        .when(confirm_device(WORKER_2))
        .refuses(Code::WrongSigner, lease().by(RITA))
        .refuses(Code::WrongSigner, lease().by(DESK))
        .refuses(Code::Field, lease_for(0))
        .refuses(Code::Field, lease_for(3601))
        .when(lease());
    world
        .clone()
        .refuses_saying(Code::AlreadyDone, "worker-1", lease().by(WORKER_2))
        .later(3600)
        .refuses(Code::AlreadyDone, lease().by(WORKER_2))
        // Its holder may take it on, or give it back early; after its end anybody may have it.
        .when(lease_for(60))
        .later(61)
        .when(lease().by(WORKER_2))
        .refuses(Code::AlreadyDone, lease())
        .then(|world| assert_eq!(held_by(world).as_deref(), Some(WORKER_2)));
    // A holder that was revoked keeps nobody out.
    world.clone().when(revoke_device(WORKER)).when(lease().by(WORKER_2));
    // Nor does a clock that ran far ahead.
    let ahead = world.now.plus_seconds(365 * 86_400);
    let wild = step(WORKER, move |_| Lease { until: ahead.plus_seconds(3600) }.into()).at(ahead);
    world.when(wild).when(lease().by(WORKER_2)).refuses(Code::AlreadyDone, lease());
}

#[test]
fn nothing_keeps_the_way_back_shut() {
    let world = canary_of_the_second()
        .when(declare_freeze(None, 86_400))
        .when(hold(SAM, "r2", Some("why?")))
        .when(observe("r2", "unit.xml", Conclusion::Fail))
        .when(answer(QUENTIN, "r2", "qa", Verdict::NoGo))
        .when(target("production", &["canary", "everyone"]))
        .when(key_change(KeyChange::Lost {}, QUINN))
        .later(90_000);
    world.when(roll_back("r2", 1, "back")).ran("r2", "back", RunConclusion::Success).is("r2", ReleaseState::RolledBack);
}

#[test]
fn an_outcome_is_recorded_once_the_rollout_has_ended() {
    given()
        .signed("r1")
        .refuses(Code::WrongState, outcome("r1"))
        .when(dispatch("r1", 1, "one"))
        .refuses(Code::WrongState, outcome("r1"))
        .ran("r1", "one", RunConclusion::Success)
        .refuses(Code::WrongState, outcome("r1"))
        .passed("r1", 1)
        .sent("r1", 2)
        .passed("r1", 2)
        .refuses(Code::RoleMissing, outcome("r1").by(QUINN))
        .when(outcome("r1").by(OLGA))
        .refuses(Code::WrongState, outcome("r1"));
    // A release that is taken back after its review has the environment again, and is reviewed anew.
    given()
        .live("r1")
        .live("r2")
        .when(outcome("r2"))
        .is("r2", ReleaseState::Reviewed)
        .signed("r3")
        .when(roll_back("r2", 2, "back"))
        .is("r2", ReleaseState::RolloutHalted)
        .refuses_saying(Code::EnvironmentBusy, "r2", dispatch("r3", 1, "third"))
        .refuses(Code::WrongState, outcome("r2"))
        .ran("r2", "back", RunConclusion::Success)
        .is("r2", ReleaseState::RolledBack)
        .when(outcome("r2"))
        .is("r2", ReleaseState::Reviewed);
    // Not while something may still change what runs.
    let unknown = lost(given().signed("r1").when(dispatch("r1", 1, "one")), "one");
    unknown.is("r1", ReleaseState::RolloutHalted).refuses_saying(Code::WrongState, "under way", outcome("r1"));
}

#[test]
fn a_cancel_names_what_is_under_way() {
    let cancel = |who: &'static str, request: &'static str| {
        step(who, move |_| {
            let change = countersign_core::act::HoldChange::Cancel { request_id: word(request) };
            countersign_core::act::Hold { change, release: word("r1") }.into()
        })
    };
    given()
        .signed("r1")
        .refuses(Code::NotFound, cancel(ROLF, "one"))
        .when(dispatch("r1", 1, "one"))
        .when(cancel(DESK, "one"))
        .is("r1", ReleaseState::Dispatching)
        .ran("r1", "one", RunConclusion::Cancelled)
        .is("r1", ReleaseState::RolloutHalted)
        .refuses(Code::NotFound, cancel(ROLF, "one"));
}

#[test]
fn runs_and_announcements_are_about_what_is_there() {
    let run = |request: &'static str| {
        step(DESK, move |_| {
            countersign_core::act::Run {
                log: None,
                jobs: [("deploy".to_owned(), word("success"))].into(),
                raw: word("success"),
                release: word("r1"),
                request_id: word(request),
                run: countersign_core::act::RunRef { attempt: 1, id: word("17"), url: None },
                status: countersign_core::act::RunStatus::Completed,
            }
            .into()
        })
    };
    let announce = |id: &'static str| {
        step(DESK, move |_| {
            countersign_core::act::Announce {
                audience: word("support"),
                digest: Digest::of(b"text"),
                event: word("live"),
                release: word(id),
            }
            .into()
        })
    };
    let world = given().signed("r1").when(dispatch("r1", 1, "one"));
    world
        .refuses(Code::NotFound, run("two"))
        .when(run("one"))
        .refuses(Code::WrongSigner, announce("r1").by(RITA))
        .when(announce("r1"))
        .then(|world| assert_eq!(world.release("r1").runs.len(), 1))
        .then(|world| assert_eq!(judge::next_wave(world.release("r1"), world.sheet("r1")), Some(1)));
}

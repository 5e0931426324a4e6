//! Roles that two people give, the one who answers for a product, who signs in whose place, and how a ledger is recovered.

use countersign_core::act::{Charter, Grant, KeyChange, Qualification, Role, Verdict};
use countersign_core::judge::{self, SignOffState};
use countersign_core::rejection::Code;
use countersign_core::words::{Principal, Timestamp};

use super::*;

const NINA: &str = "nina@acme.example";
const CHARTER: Charter = Charter { co_signed_identity: false, co_signed_roles: true, key_days: 365, review_days: None };

/// A ledger whose charter asks for two people: its founder, and others without a role.
fn founded(charter: Charter, people: &[&'static str]) -> World {
    let mut world = unborn().when(genesis_under(charter));
    for who in people {
        world = world.when(enrol(who, &[])).when(accept_by(who));
    }
    world
}

fn grant(who: &'static str, role: &'static str) -> Step {
    role_change(Grant::Grant, who, role)
}

/// Confirms the last grant of a role to that person.
fn confirm_role(by: &'static str, whose: &'static str, role: &'static str) -> Step {
    step(by, move |world| {
        let record = world.state.people[&word::<Principal>(whose)].roles.last().expect("a role was given");
        confirmation(record.granted, role)
    })
}

fn change(by: &'static str, edit: impl Fn(&World, &mut Role) + 'static) -> Step {
    step(by, move |world| {
        let mut body = Role {
            change: Grant::Grant,
            principal: word(PAUL),
            product: None,
            qualification: None,
            role: word("qa"),
            until: None,
        };
        edit(world, &mut body);
        body.into()
    })
}

fn holds(world: &World, who: &str, role: &str) -> bool {
    world.state.people[&word::<Principal>(who)].holds(role, Some(&word(PRODUCT)), world.now)
}

#[test]
fn one_owner_alone_makes_no_approver() {
    founded(CHARTER, &[RITA, QUINN, SAM])
        // Whoever the founder enrols and gives a role that policies may ask to sign: it counts for nothing yet.
        .when(grant(QUINN, "qa"))
        .then(|world| assert!(!holds(world, QUINN, "qa")))
        .refuses(Code::RoleMissing, confirm_role(OLGA, QUINN, "qa"))
        .refuses_saying(Code::SegregationFailed, "second person", confirm_role(OLGA, QUINN, "process-owner"))
        .refuses(Code::RoleMissing, confirm_role(QUINN, QUINN, "qa"))
        .refuses(Code::RoleMissing, confirm_role(RITA, QUINN, "release-manager"))
        .refuses_saying(Code::AlreadyDone, "waits for a second person", grant(QUINN, "qa"))
        // Nor to themselves.
        .when(grant(OLGA, "qa"))
        .then(|world| assert!(!holds(world, OLGA, "qa")))
        // The one exception: the first role anybody else has, and none that approves.
        .when(grant(RITA, "release-manager"))
        .then(|world| assert!(holds(world, RITA, "release-manager")))
        .when(confirm_role(RITA, QUINN, "release-manager"))
        .then(|world| assert!(holds(world, QUINN, "qa")))
        .refuses_saying(Code::AlreadyDone, "waits for nobody", confirm_role(RITA, QUINN, "release-manager"))
        .when(grant(SAM, "security"))
        .then(|world| assert!(!holds(world, SAM, "security")))
        .when(grant(PAUL_TOO, "practitioner"))
        .then(|world| assert!(!holds(world, PAUL_TOO, "practitioner"), "the exception is made once"));
}

/// Somebody else to give a role to.
const PAUL_TOO: &str = OLGA;

#[test]
fn the_founders_exception_never_comes_back() {
    founded(CHARTER, &[RITA, QUINN])
        .when(grant(RITA, "release-manager"))
        .when(role_change(Grant::Lapse, RITA, "release-manager"))
        .when(grant(RITA, "release-manager"))
        .then(|world| assert!(!holds(world, RITA, "release-manager")))
        .when(grant(QUINN, "process-owner"))
        .then(|world| assert!(!holds(world, QUINN, "process-owner")));
}

#[test]
fn nobody_confirms_what_they_gave_or_were_given() {
    let world = founded(CHARTER, &[OTTO, RITA, QUINN]).when(grant(OTTO, "process-owner"));
    world
        .when(grant(RITA, "release-manager"))
        .when(confirm_role(OTTO, RITA, "process-owner"))
        .when(grant(OTTO, "qa"))
        .refuses_saying(Code::SegregationFailed, "own role", confirm_role(OTTO, OTTO, "process-owner"))
        .refuses_saying(Code::SegregationFailed, "second person", confirm_role(OLGA, OTTO, "process-owner"))
        .refuses(
            Code::Field,
            with_approval(confirm_role(RITA, OTTO, "release-manager"), |_, body| body.verdict = Verdict::NoGo),
        )
        .when(confirm_role(RITA, OTTO, "release-manager"))
        .then(|world| assert!(holds(world, OTTO, "qa")))
        // What lapsed before anybody confirmed it is confirmed by nobody.
        .when(grant(QUINN, "qa"))
        .when(role_change(Grant::Lapse, QUINN, "qa"))
        .refuses(Code::AlreadyDone, confirm_role(RITA, QUINN, "release-manager"))
        .then(|world| assert!(judge::waiting_for_second(&world.state).is_empty()));
}

#[test]
fn an_answer_waits_for_the_confirmed_role() {
    let people = [OTTO, RITA, ROLF, QUINN, SAM, PAUL];
    let mut world = founded(CHARTER, &people).when(grant(OTTO, "process-owner"));
    for (who, role) in [(RITA, "release-manager"), (ROLF, "release-manager"), (SAM, "security")] {
        world = world.when(grant(who, role)).when(confirm_role(OTTO, who, "process-owner"));
    }
    world
        .when(enrol_device(WORKER, countersign_core::act::DevicePurpose::Dispatcher))
        .when(confirm_device(WORKER))
        .when(product(&["staging", "production"]))
        .when(target("staging", &["all"]))
        .when(target("production", &["canary", "everyone"]))
        .when(policy(POLICY))
        .when(grant(QUINN, "qa"))
        .ready("r1")
        .refuses(Code::RoleMissing, go(QUINN, "r1", "qa"))
        .when(confirm_role(OTTO, QUINN, "process-owner"))
        .when(go(QUINN, "r1", "qa"))
        .worth("r1", QUINN, SignOffState::Valid, "");
}

#[test]
fn a_second_person_states_the_identity_of_a_newcomer() {
    let identity = |by: &'static str, role: &'static str| {
        step(by, move |world| confirmation(world.state.people[&word::<Principal>(QUINN)].enrolled, role))
    };
    let charter = Charter { co_signed_identity: true, ..CHARTER };
    let first = || unborn().when(genesis_under(charter)).when(enrol(RITA, &[])).when(accept_by(RITA));
    first()
        // The first newcomer is known to the founder alone.
        .when(grant(RITA, "release-manager"))
        .when(declare_freeze_of_nothing())
        .when(enrol(QUINN, &[]))
        .when(accept_by(QUINN))
        .when(grant(QUINN, "practitioner"))
        .when(confirm_role(RITA, QUINN, "release-manager"))
        // All that two people said of the role does not say who Quinn is.
        .refuses_saying(Code::Unidentified, "identity of quinn", declare_freeze_of_nothing().by(QUINN))
        .then(|world| assert!(!world.state.people[&word::<Principal>(QUINN)].can_sign(world.now)))
        .refuses_saying(Code::SegregationFailed, "second person", identity(OLGA, "process-owner"))
        .refuses(Code::Unidentified, identity(QUINN, "practitioner"))
        .refuses(Code::RoleMissing, identity(RITA, "qa"))
        .when(identity(RITA, "release-manager"))
        .then(|world| assert!(world.state.people[&word::<Principal>(QUINN)].can_sign(world.now)))
        .refuses(Code::AlreadyDone, identity(RITA, "release-manager"))
        .refuses(Code::RoleMissing, declare_freeze_of_nothing().by(QUINN));
    // Where the charter does not ask for it, nothing waits.
    founded(CHARTER, &[RITA, QUINN])
        .when(grant(RITA, "release-manager"))
        .refuses(Code::NotFound, identity(RITA, "release-manager"));
}

/// A freeze that is over at once.
fn declare_freeze_of_nothing() -> Step {
    declare_freeze(None, 0)
}

#[test]
fn a_key_is_valid_for_as_long_as_the_charter_lets_it() {
    let long = |days: i64| {
        move |statement: &mut countersign_core::admit::Statement| {
            if let countersign_core::act::Act::Enrol(body) = &mut statement.act {
                body.person.valid_until = statement.common.time.plus_seconds(days * 86_400);
            }
        }
    };
    founded(CHARTER, &[RITA])
        .refuses_saying(Code::Field, "charter allows 365 days", enrol(NINA, &[]).forging(long(366)))
        .when(enrol(NINA, &[]).forging(long(365)))
        .refuses_saying(
            Code::Field,
            "charter",
            step(RITA, |world| {
                let change = KeyChange::Rotate {
                    key: countersign_core::sshsig::PublicKey::of(&key_of("rita 2")),
                    key_origin: countersign_core::act::KeyOrigin::MadeHere,
                    valid_until: world.now.plus_seconds(365 * 86_400 + 1),
                };
                countersign_core::act::Key { change, principal: word(RITA) }.into()
            }),
        );
    unborn().refuses(Code::Field, genesis_under(Charter { key_days: 364, ..CHARTER }));
    unborn().refuses(Code::Genesis, genesis_under(Charter { key_days: 0, ..CHARTER }));
}

#[test]
fn entries_under_the_first_rules_know_none_of_this() {
    let first = |statement: &mut countersign_core::admit::Statement| statement.common.rules = 1;
    unborn().refuses(Code::Malformed, genesis_under(CHARTER).forging(first));
}

// ------------------------------------------------------------------------------------------------- process owner

fn appoint(who: &'static str) -> Step {
    change(OLGA, move |_, body| {
        body.principal = word(who);
        body.role = word("process-owner");
        body.product = Some(word(PRODUCT));
    })
}

fn owner_of(world: &World) -> Option<String> {
    judge::process_owner(&world.state, &word(PRODUCT), world.now).map(|person| person.card.principal.to_string())
}

#[test]
fn a_product_has_one_process_owner_and_no_policy_change_while_it_has_none() {
    given()
        .then(|world| assert_eq!(owner_of(world).as_deref(), Some(OLGA), "who described it"))
        .refuses_saying(Code::RoleMissing, "is the process owner of pump", policy(POLICY).by(OTTO))
        .when(appoint(SAM))
        .then(|world| assert_eq!(owner_of(world).as_deref(), Some(SAM)))
        .refuses_saying(Code::AlreadyDone, "a product has one", appoint(OTTO))
        .refuses(Code::RoleMissing, policy(POLICY))
        .when(policy(POLICY).by(SAM))
        .refuses(Code::RoleMissing, authorize())
        // Handed over: the one lapses, then the other is appointed.
        .when(change(OLGA, |_, body| {
            body.change = Grant::Lapse;
            body.principal = word(SAM);
            body.role = word("process-owner");
            body.product = Some(word(PRODUCT));
        }))
        .then(|world| assert_eq!(owner_of(world).as_deref(), Some(OLGA)))
        .when(appoint(OTTO))
        .then(|world| assert_eq!(owner_of(world).as_deref(), Some(OTTO)));
    // Who described it is gone, and several could be meant: nobody is it until one is appointed.
    given()
        .when(role_change(Grant::Grant, SAM, "process-owner"))
        .when(role_change(Grant::Lapse, OLGA, "process-owner"))
        .then(|world| assert_eq!(owner_of(world), None))
        .then(|world| assert_eq!(judge::vacancies(&world.state, world.now), [&word(PRODUCT)]))
        .refuses_saying(Code::Vacant, "nobody answers for it", policy(POLICY).by(OTTO))
        .refuses(Code::Vacant, authorize().by(SAM))
        .when(appoint(SAM).by(OTTO))
        .then(|world| assert!(judge::vacancies(&world.state, world.now).is_empty()))
        .when(policy(POLICY).by(SAM));
    // The only one left is it.
    given()
        .when(key_change(KeyChange::Lost {}, OLGA).by(OTTO))
        .then(|world| assert_eq!(owner_of(world).as_deref(), Some(OTTO)));
}

// ------------------------------------------------------------------------------------------------- qualification

fn qualified(seconds: i64) -> Step {
    change(OLGA, move |world, body| {
        body.principal = word(PAUL);
        let until = world.now.plus_seconds(seconds);
        body.qualification = Some(Qualification { reference: word("training 17"), until });
    })
}

#[test]
fn who_is_no_longer_trained_signs_no_longer() {
    given()
        .refuses(Code::Expired, qualified(0))
        .when(qualified(7200))
        .ready("r1")
        .when(go(PAUL, "r1", "qa"))
        .later(3601)
        .refuses_saying(Code::Unqualified, "training 17", go(PAUL, "r1", "qa"))
        // What was signed while they were stands.
        .worth("r1", PAUL, SignOffState::Valid, "")
        .refuses(Code::AlreadyDone, role_change(Grant::Grant, PAUL, "qa"))
        .when(qualified(86_400))
        .worth("r1", PAUL, SignOffState::Valid, "")
        .when(go(PAUL, "r1", "qa"));
}

// ------------------------------------------------------------------------------------------------- delegation

fn lend(by: &'static str, to: &'static str, role: &'static str, seconds: i64) -> Step {
    change(by, move |world, body| {
        body.change = Grant::Delegate;
        body.principal = word(to);
        body.role = word(role);
        body.until = Some(world.now.plus_seconds(seconds));
    })
}

#[test]
fn a_role_is_lent_for_a_while_by_who_holds_it() {
    const DAY: i64 = 86_400;
    given()
        .refuses(Code::RoleMissing, lend(RITA, PAUL, "qa", DAY))
        .refuses(Code::RoleMissing, lend(OLGA, PAUL, "qa", DAY))
        .refuses_saying(Code::WrongState, "appointed", lend(RITA, PAUL, "release-manager", DAY))
        .refuses(Code::WrongState, lend(OLGA, PAUL, "process-owner", DAY))
        .refuses(Code::SegregationFailed, lend(QUINN, QUINN, "qa", DAY))
        .refuses(Code::NotFound, lend(QUINN, NINA, "qa", DAY))
        .refuses(Code::Expired, lend(QUINN, PAUL, "qa", 0))
        .refuses(Code::Field, lend(QUINN, PAUL, "qa", 93 * DAY))
        .refuses(
            Code::Field,
            change(QUINN, |_, body| {
                body.change = Grant::Delegate;
            }),
        )
        .refuses(Code::AlreadyDone, lend(QUINN, QUENTIN, "qa", DAY))
        .when(lend(QUINN, PAUL, "qa", DAY))
        // Never onwards.
        .refuses(Code::RoleMissing, lend(PAUL, SAM, "qa", DAY))
        .ready("r1")
        .when(go(PAUL, "r1", "qa"))
        .then(|world| {
            let answer = &world.sheet("r1").answers[0];
            assert_eq!(answer.delegated_by.as_ref().map(Principal::as_str), Some(QUINN));
        })
        .worth("r1", PAUL, SignOffState::Valid, "")
        .when(go(SAM, "r1", "security"))
        .comes_to("r1", &judge::Outcome::Go { authorization: None })
        // Taken back by who lent it, and by nobody else without the role for it.
        .refuses(Code::RoleMissing, role_change(Grant::Lapse, PAUL, "qa").by(QUENTIN))
        .when(role_change(Grant::Lapse, PAUL, "qa").by(QUINN))
        .worth("r1", PAUL, SignOffState::SignerLostRole, "no longer qa")
        .refuses(Code::RoleMissing, go(PAUL, "r1", "qa"));
    // It ends with its time, and with the role it was lent from.
    given()
        .when(lend(QUINN, PAUL, "qa", 3600))
        .ready("r1")
        .when(go(PAUL, "r1", "qa"))
        .later(1)
        .refuses(Code::RoleMissing, go(PAUL, "r1", "qa"));
    for end in [role_change(Grant::Lapse, QUINN, "qa"), key_change(KeyChange::Lost {}, QUINN)] {
        given()
            .when(lend(QUINN, PAUL, "qa", DAY))
            .ready("r1")
            .when(go(PAUL, "r1", "qa"))
            .when(end)
            .worth("r1", PAUL, SignOffState::SignerLostRole, "")
            .refuses(Code::RoleMissing, go(PAUL, "r1", "qa"));
    }
}

#[test]
fn two_seats_of_one_role_are_not_filled_by_one_pair_of_eyes() {
    let two =
        || given_policy_with(&[("role = \"qa\"", "role = \"qa\"\ncount = 2")]).when(lend(QUINN, PAUL, "qa", 86_400));
    // The one who lent it has signed; their stand-in adds nothing.
    two().ready("r1").when(go(QUINN, "r1", "qa")).refuses_saying(
        Code::SegregationFailed,
        "same pair of eyes",
        go(PAUL, "r1", "qa"),
    );
    // The other way round: their own word takes the place of what was said for them.
    two()
        .ready("r1")
        .when(go(PAUL, "r1", "qa"))
        .when(go(QUINN, "r1", "qa"))
        .when(go(SAM, "r1", "security"))
        .comes_to("r1", &judge::Outcome::Incomplete)
        .when(go(QUENTIN, "r1", "qa"))
        .comes_to("r1", &judge::Outcome::Go { authorization: None });
    // A NO-GO is never taken back by who signs in its signer's place, on a new sheet neither.
    given()
        .when(lend(QUINN, PAUL, "qa", 86_400))
        .ready("r1")
        .when(answer(QUINN, "r1", "qa", Verdict::NoGo))
        .refuses(Code::SegregationFailed, go(PAUL, "r1", "qa"))
        .when(freeze("r1"))
        .refuses(Code::SegregationFailed, go(PAUL, "r1", "qa"))
        .comes_to("r1", &judge::Outcome::NoGo(word(QUINN)));
}

#[test]
fn who_signs_for_somebody_barred_is_barred() {
    // Dana wrote the commits; whoever stands in for her would approve them in her place.
    given().when(lend(DANA, PAUL, "qa", 86_400)).ready("r1").refuses_saying(
        Code::SegregationFailed,
        "wrote a commit",
        go(PAUL, "r1", "qa"),
    );
    // A gate is waived by nobody in another's place.
    given()
        .when(lend(QUINN, PAUL, "qa", 86_400))
        .when(propose("r1"))
        .refuses(Code::RoleMissing, waive(PAUL, "r1", "unit tests", 3600));
    // Nor is evidence confirmed so.
    given()
        .when(lend(QUINN, PAUL, "qa", 86_400))
        .when(propose("r1"))
        .when(attach(QUINN, "r1", "unit.xml", countersign_core::evidence::Conclusion::Pass))
        .refuses_saying(Code::SegregationFailed, "another's place", confirm_evidence(PAUL, "r1", "qa"));
}

// ------------------------------------------------------------------------------------------------- recovery

fn recover(by: &'static str, whom: &'static str) -> Step {
    change(by, move |_, body| {
        body.change = Grant::Recover;
        body.principal = word(whom);
        body.role = word("process-owner");
    })
}

#[test]
fn a_ledger_is_recovered_by_k_of_n_after_everybody_was_told() {
    // Rita, Quinn and Sam may, two of them together; 72 hours.
    let world = founded(CHARTER, &[RITA, QUINN, SAM, PAUL]).when(key_change(KeyChange::Lost {}, OLGA).by(OLGA));
    let owns = |world: &World| holds(world, PAUL, "process-owner");
    let at = |world: &World, hours: i64| -> Timestamp { world.now.plus_seconds(hours * 3600) };
    world
        .refuses_saying(Code::RoleMissing, "genesis names", recover(PAUL, PAUL))
        .refuses(Code::NotFound, recover(RITA, NINA))
        .refuses(Code::Field, {
            change(RITA, |_, body| {
                body.change = Grant::Recover;
            })
        })
        .when(recover(RITA, PAUL))
        .refuses(Code::AlreadyDone, recover(QUINN, PAUL))
        .later(80 * 3600)
        .then(|world| assert!(!owns(world), "one of two is not enough, however long"))
        .refuses(Code::AlreadyDone, confirm_role(RITA, PAUL, judge::RECOVERY))
        .refuses(Code::RoleMissing, confirm_role(PAUL, PAUL, judge::RECOVERY))
        .refuses(Code::RoleMissing, confirm_role(QUINN, PAUL, "process-owner"))
        .when(confirm_role(QUINN, PAUL, judge::RECOVERY))
        .refuses(Code::AlreadyDone, confirm_role(SAM, PAUL, judge::RECOVERY))
        .then(|world| assert!(!owns(world)))
        .refuses(Code::RoleMissing, enrol(NINA, &[]).by(PAUL).at(at(&founded(CHARTER, &[]), 81)))
        .later(72 * 3600 - 1)
        .refuses(Code::RoleMissing, enrol(NINA, &[]).by(PAUL))
        .later(1)
        .then(|world| assert!(owns(world)))
        .when(enrol(NINA, &[]).by(PAUL));
}

#[test]
fn an_owner_who_is_not_gone_stops_a_recovery() {
    founded(CHARTER, &[RITA, QUINN, PAUL])
        .when(recover(RITA, PAUL))
        .when(confirm_role(QUINN, PAUL, judge::RECOVERY))
        .when(role_change(Grant::Lapse, PAUL, "process-owner"))
        .later(100 * 3600)
        .then(|world| assert!(!holds(world, PAUL, "process-owner")))
        .refuses(Code::RoleMissing, enrol(NINA, &[]).by(PAUL));
}

#[test]
fn where_genesis_names_nobody_nobody_recovers() {
    given().refuses(Code::RoleMissing, recover(RITA, RITA));
}

//! The table of who may do what, tried cell by cell: somebody who holds one role alone does each deed.

use countersign_core::act::{
    Correction, DevicePurpose, Export, Grant, KeyChange, Late, Review, ReviewScope, Role, WaveVerdict,
};
use countersign_core::evidence::Conclusion;
use countersign_core::hash::Digest;
use countersign_core::permission::Deed;
use countersign_core::rejection::Code;
use countersign_core::words::role;

use super::records::remove;
use super::*;

const NINA: &str = "nina@acme.example";
const NEWCOMER: &str = "new@acme.example";
const WORKER_2: &str = "worker-2@acme.example";

/// A world in which the deed has nothing against it but who does it, and the deed; done by whoever holds `as_role`.
fn scene(deed: Deed, as_role: &'static str) -> (World, Step) {
    let given = given();
    let by = |step: Step| step.by(NINA);
    match deed {
        Deed::Enrol => (given, by(enrol(NEWCOMER, &[]))),
        Deed::EnrolDevice => (given, by(enrol_device(WORKER_2, DevicePurpose::Dispatcher))),
        Deed::RevokeDevice => (given, by(revoke_device(WORKER))),
        Deed::EndKey => (given, by(key_change(KeyChange::Revoke {}, ADA))),
        Deed::GrantRole => (given, by(role_change(Grant::Grant, ADA, "safety"))),
        Deed::LapseRole => (given, by(role_change(Grant::Lapse, ADA, "auditor"))),
        Deed::Product => (given, by(product(&["staging", "production"]))),
        Deed::Target => (given, by(target("staging", &["all"]))),
        Deed::Policy => (given, by(policy(POLICY))),
        Deed::GrantAuthorization => (given, by(authorize())),
        Deed::Suspend => {
            let world = given.when(authorize());
            let index = world.last_entry().index;
            (world, by(suspend(index)))
        }
        Deed::ResumeAuthorization => {
            let world = given.when(authorize());
            let index = world.last_entry().index;
            (world.when(suspend(index)), by(resume_authorization(index)))
        }
        Deed::DeclareFreeze => (given, by(declare_freeze(None, 60))),
        Deed::LiftFreeze => {
            let world = given.when(declare_freeze(None, 60));
            let index = world.last_entry().index;
            (world, by(lift_freeze(index)))
        }
        Deed::Propose => (given, by(propose("r1"))),
        Deed::Attach => (given.when(propose("r1")), attach(NINA, "r1", "unit.xml", Conclusion::Pass)),
        Deed::Waive => (given.when(propose("r1")), waive(NINA, "r1", "unit tests", 60)),
        Deed::Request => (given.proven("r1").staged("r1").later(3600), by(freeze("r1"))),
        Deed::Meeting => (given.ready("r1"), by(meeting::open("r1", &[("qa", None)]))),
        Deed::Answer => (given.ready("r1"), go(NINA, "r1", as_role)),
        Deed::Confirm => {
            let world = given.when(enrol_device(WORKER_2, DevicePurpose::Dispatcher));
            let request = world.last_entry();
            (world, step(NINA, move |_| confirmation(request, as_role)))
        }
        Deed::Stop => (given.when(propose("r1")), hold(NINA, "r1", None)),
        Deed::Resume => (given.when(propose("r1")).when(hold(SAM, "r1", None)), resume(NINA, "r1", None)),
        Deed::Dispatch => {
            (given.signed("r1"), with_dispatch(dispatch("r1", 1, "one"), |_, body| body.by = Some(word(NINA))))
        }
        Deed::Deliver => {
            (given.proven("r1"), with_dispatch(deliver("r1", "one"), |_, body| body.by = Some(word(NINA))))
        }
        Deed::Wave => {
            let world = given.signed("r1").sent("r1", 1).later(600);
            (world, by(with_wave(wave_verdict("r1", 1, WaveVerdict::Inconclusive), |_, _| ())))
        }
        Deed::Outcome => (given.live("r1"), by(outcome("r1"))),
        Deed::Correct => (
            given,
            step(NINA, |world| {
                let entry = world.last_entry();
                let removes = None;
                Correction { entry, field: word("identity"), new: word("passport"), old: word("card"), removes }.into()
            }),
        ),
        Deed::Remove => (given.when(propose("r1")).when(observe("r1", "unit.xml", Conclusion::Fail)), remove(NINA)),
        Deed::Late => (
            given,
            step(NINA, |world| {
                Late { happened: world.now, paper: Digest::of(b"scan"), record: word("signed on paper") }.into()
            }),
        ),
        Deed::Review => (
            given,
            step(NINA, |world| {
                let until = world.state.tree.size();
                Review { findings: word("none"), from: 0, release: None, scope: ReviewScope::Access, until }.into()
            }),
        ),
        Deed::Export => (
            given,
            step(NINA, |world| {
                let head = world.state.head();
                Export { root: head.root.to_base64(), release: None, size: head.size }.into()
            }),
        ),
    }
}

/// Brings Nina in at the end of a world, with one role or none. Where the deed asks for the one who answers for the product,
/// she holds her role for that.
fn with_nina(world: World, deed: Deed, held: Option<&'static str>) -> World {
    let answers = matches!(deed, Deed::Policy | Deed::GrantAuthorization | Deed::ResumeAuthorization);
    let world = world.when(enrol(NINA, &[])).when(accept_by(NINA));
    let Some(held) = held else { return world };
    world.when(step(OLGA, move |_| {
        Role {
            change: Grant::Grant,
            principal: word(NINA),
            product: (answers && held == role::PROCESS_OWNER).then(|| word(PRODUCT)),
            qualification: None,
            role: word(held),
            until: None,
        }
        .into()
    }))
}

#[test]
fn each_deed_is_for_the_roles_of_the_table_and_for_no_other() {
    let mut tried = 0;
    let columns = role::FIXED.iter().map(|role| (Some(*role), false)).chain([(Some("qa"), true), (None, false)]);
    for (held, asked) in columns {
        for deed in Deed::ALL.iter().copied() {
            let (world, step) = scene(deed, held.unwrap_or("qa"));
            let mut world = with_nina(world, deed, held);
            let may = held.is_some_and(|held| deed.may().with(held, asked));
            let statement = world.statement(&step);
            match (may, world.write(&step, &statement)) {
                (true, Ok(_)) => {}
                (false, Err(finding)) if finding.code == Code::RoleMissing => {}
                (may, found) => panic!("{deed} by {held:?}: the table says {may}, the rules {found:?}"),
            }
            tried += 1;
        }
    }
    assert_eq!(tried, Deed::ALL.len() * 7);
}

#[test]
fn the_table_has_no_unused_row_and_says_what_it_says() {
    let text = countersign_core::permission::table();
    assert_eq!(text.lines().count(), Deed::ALL.len() + 2);
    assert!(text.contains("| enrol | yes | – | – | – | – | – |"), "{text}");
    assert!(text.contains("| approval | – | – | – | – | – | yes |"), "{text}");
}

//! What is put on record afterwards, and files that must not stay.

use countersign_core::act::{Correction, Late, Meaning, Verdict};
use countersign_core::evidence::Conclusion;
use countersign_core::hash::Digest;
use countersign_core::rejection::Code;
use countersign_core::verify::{Anchor, Availability, FindingCode, Flaw, Options, verify};

use super::*;

fn evidence_digest(world: &World) -> Digest {
    world.release("r1").evidence[0].body.digest
}

/// Asks for the first evidence of a release to be removed.
pub(super) fn remove(who: &'static str) -> Step {
    step(who, |world| {
        let record = &world.release("r1").evidence[0];
        let old = word(&format!("sha256:{}", record.body.digest));
        let removes = Some(record.body.digest);
        Correction { entry: record.entry, field: word("file"), new: word("removed"), old, removes }.into()
    })
}

fn confirm(who: &'static str, role: &'static str) -> Step {
    step(who, move |world| {
        let removal = &world.state.removals[&evidence_digest(world)];
        countersign_core::act::Approval {
            authorization: None,
            conditions: Vec::new(),
            meaning: Meaning::Confirmation,
            request: removal.entry,
            role: word(role),
            verdict: Verdict::Go,
        }
        .into()
    })
}

fn found(world: &World) -> Vec<FindingCode> {
    let gone = evidence_digest(world);
    let look_up = |digest: &Digest| if *digest == gone { Availability::Missing } else { Availability::Present };
    let anchor = Anchor { fingerprint: Some(Digest::of(&world.leaves[0])), pin: None };
    let verified = verify(world.leaves.clone(), &Options { anchor, checkpoint: None, blobs: &look_up });
    verified.findings.into_iter().map(|finding| finding.code).collect()
}

#[test]
fn a_file_goes_once_two_people_have_signed_that_and_its_digest_stays() {
    let world = given().when(propose("r1")).when(observe("r1", "unit.xml", Conclusion::Fail));
    assert_eq!(found(&world), [FindingCode::Flaw(Flaw::BlobMissing)]);
    let asked = world
        .refuses(Code::RoleMissing, remove(QUINN))
        .when(remove(OLGA))
        .refuses(Code::AlreadyDone, remove(OTTO))
        .refuses(Code::SegregationFailed, confirm(OLGA, "process-owner"))
        .refuses(Code::RoleMissing, confirm(QUINN, "process-owner"));
    assert_eq!(found(&asked), [FindingCode::Flaw(Flaw::BlobMissing)], "one person removes nothing");
    let gone = asked.when(confirm(OTTO, "process-owner")).refuses(Code::AlreadyDone, confirm(RITA, "release-manager"));
    assert_eq!(found(&gone), [FindingCode::Flaw(Flaw::BlobRemoved)]);
    // What was counted from it still halts the release.
    gone.is("r1", countersign_core::judge::ReleaseState::Halted);
}

#[test]
fn only_a_file_that_an_entry_names_is_removed_and_never_what_a_decision_is_derived_from() {
    let world = given().when(propose("r1")).when(observe("r1", "unit.xml", Conclusion::Pass));
    let strange = |digest: fn(&World) -> Digest, entry: fn(&World) -> countersign_core::words::EntryRef| {
        step(OLGA, move |world| {
            let removes = Some(digest(world));
            let (field, new, old) = (word("file"), word("removed"), word("there"));
            Correction { entry: entry(world), field, new, old, removes }.into()
        })
    };
    world
        .refuses(Code::NotFound, strange(|_| Digest::of(b"nothing"), |world| world.release("r1").evidence[0].entry))
        .refuses(Code::NotFound, strange(evidence_digest, |world| world.release("r1").candidate_entry))
        .refuses(
            Code::NotFound,
            strange(|world| world.release("r1").candidate.changes.digest, |world| world.release("r1").candidate_entry),
        );
}

#[test]
fn a_paper_record_has_both_times() {
    let paper = |seconds: i64| {
        step(RITA, move |world| {
            let happened = world.now.plus_seconds(seconds);
            Late { happened, paper: Digest::of(b"scan"), record: word("GO of the night shift") }.into()
        })
    };
    let world = given().refuses_saying(Code::Field, "future", paper(1)).when(paper(-3600));
    let (entry, late) = world.state.papers.last().expect("it is on record");
    assert_eq!((late.happened, entry.index), (world.now.plus_seconds(-3600), world.state.tree.size() - 1));
}

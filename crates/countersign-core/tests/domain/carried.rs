//! Sign-offs that travel: what the desk that answers is shown, what comes back, and what is refused by name.

use countersign_core::act::{Act, Approval, EnrolAccept, Meaning, SeenBasis, Verdict, accountability};
use countersign_core::admit::Statement;
use countersign_core::bundle::{Content, pack};
use countersign_core::carried::{self, Carried};
use countersign_core::checkpoint::Checkpoint;
use countersign_core::entry::Entry;
use countersign_core::hash::Digest;
use countersign_core::judge::{Outcome, SignOffState};
use countersign_core::note::KeyName;
use countersign_core::rejection::{Code, Finding};
use countersign_core::words::Principal;

use super::*;

/// The request of a release as one file.
fn request_file(world: &World, id: &str) -> Vec<u8> {
    let head = world.state.head();
    let origin = KeyName::new(ORIGIN).unwrap();
    let log = key_of(&format!("{DESK} log"));
    let checkpoint = Checkpoint { origin, size: head.size, root: head.root }.sign(&log);
    let release = word(id);
    let content = Content {
        leaves: world.leaves.clone(),
        checkpoint: &checkpoint,
        release: Some(&release),
        blob: &mut |_| None,
        reports: Vec::new(),
    };
    pack(content, &key_of(DESK)).unwrap()
}

fn fingerprint(world: &World) -> Digest {
    Digest::of(&world.leaves[0])
}

fn opened(world: &World, id: &str) -> Carried {
    carried::open(&request_file(world, id), fingerprint(world)).unwrap()
}

fn go_act(opened: &Carried) -> Act {
    Approval {
        authorization: None,
        conditions: Vec::new(),
        meaning: Meaning::Approval,
        request: opened.sheet().entry,
        role: word("qa"),
        verdict: Verdict::Go,
    }
    .into()
}

/// The answer of Quinn to the request as it lies there.
fn answered(world: &World, opened: &Carried, nonce: u64) -> Entry {
    signed_with(world, opened, nonce, QUINN)
}

fn signed_with(world: &World, opened: &Carried, nonce: u64, key: &str) -> Entry {
    let mut context = context_of(&world.statement(&go(QUINN, "r1", "qa")));
    context.nonce = word(&format!("{:016x}", 0xca00 + nonce));
    let statement = opened.compose(go_act(opened), &context).unwrap();
    Entry::sign(&statement.payload(), statement.act.name(), &key_of(key)).unwrap()
}

fn import(world: &mut World, entry: &Entry) -> Result<(), Finding> {
    world.take(entry.leaf().to_vec()).map(|_| ())
}

#[test]
fn the_other_desk_shows_the_same_sheet_and_its_answer_counts_where_it_comes_in() {
    let world = given().ready("r1").when(go(SAM, "r1", "security"));
    let opened = opened(&world, "r1");
    assert_eq!(opened.sheet().entry, world.sheet("r1").entry);
    assert_eq!(opened.sheet().body, world.sheet("r1").body);
    assert_eq!(opened.sheet().answers.len(), 1, "who has answered so far is shown");
    assert_eq!(opened.desk, word::<Principal>(DESK));
    assert!(opened.unjudged.is_empty(), "{:?}", opened.unjudged);
    let answer = answered(&world, &opened, 1);
    let back = carried::read_answer(&carried::write_answer(std::slice::from_ref(&answer))).unwrap();
    assert_eq!(back, std::slice::from_ref(&answer));

    // Another release moves meanwhile; a day later the answer comes back.
    let mut later = world.when(propose("r2")).later(7200);
    import(&mut later, &answer).unwrap();
    let later = later.worth("r1", QUINN, SignOffState::Valid, "");
    assert_eq!(later.sheet("r1").answers[1].seen_basis, Some(SeenBasis::Proofs));
    later.comes_to("r1", &Outcome::Go { authorization: None });
}

#[test]
fn an_answer_is_judged_where_it_comes_in() {
    let base = given().ready("r1");
    let opened = opened(&base, "r1");
    let answer = answered(&base, &opened, 1);

    // Twice is once.
    let mut twice = base.clone();
    import(&mut twice, &answer).unwrap();
    assert_eq!(import(&mut twice, &answer).unwrap_err().code, Code::Duplicate);

    // What came before it unseen makes it stale, as on any desk; what moved the sheet refuses it.
    let mut stale = base.clone().when(hold(RITA, "r1", None));
    import(&mut stale, &answer).unwrap();
    stale.worth("r1", QUINN, SignOffState::Stale, "came before it unseen");
    let mut moved = base.clone().when(policy(&policy_with(&[("soak_seconds = 3600", "soak_seconds = 60")])));
    let proposed = moved.last_entry().index;
    moved = moved.when(answer_entry(QUENTIN, proposed, "qa", Verdict::Go)).when(answer_entry(
        SAM,
        proposed,
        "security",
        Verdict::Go,
    ));
    assert_eq!(import(&mut moved, &answer).unwrap_err().code, Code::Stale);
    let mut replaced = base.clone().later(60).when(freeze("r1"));
    assert_eq!(import(&mut replaced, &answer).unwrap_err().code, Code::Stale);

    // A key that was revoked meanwhile signs nothing, whatever time the answer claims.
    let lost = countersign_core::act::KeyChange::Lost {};
    let mut revoked = base.clone().when(key_change(lost, QUINN).by(OLGA));
    assert_eq!(import(&mut revoked, &answer).unwrap_err().code, Code::KeyRevoked);

    // Another ledger has another history.
    let mut other = given_policy_with(&[("soak_seconds = 3600", "soak_seconds = 3599")]).ready("r1");
    assert!(import(&mut other, &answer).is_err());

    // What happens to another release meanwhile is no matter of this answer.
    let mut another = base.clone().proven("r9");
    import(&mut another, &answer).unwrap();
    assert_eq!(another.sheet("r1").answers.len(), 1);
}

#[test]
fn a_forged_or_altered_answer_is_refused_by_name() {
    let world = given().ready("r1");
    let opened = opened(&world, "r1");
    let forged = signed_with(&world, &opened, 1, SAM);
    assert_eq!(import(&mut world.clone(), &forged).unwrap_err().code, Code::WrongKey);

    let answer = answered(&world, &opened, 2);
    let text = String::from_utf8(answer.leaf().to_vec()).unwrap();
    for (from, to) in [("\"verdict\":\"go\"", "\"verdict\":\"no\""), ("\"role\":\"qa\"", "\"role\":\"qb\""), ("\n", "")]
    {
        let altered = text.replacen(from, to, 1);
        assert_ne!(altered, text);
        assert_eq!(carried::read_answer(altered.as_bytes()).unwrap_err().code, Code::Malformed, "{from}");
    }
    for bad in [Vec::new(), b"hello".to_vec(), vec![0xff; 10], [answer.leaf(), answer.leaf(), answer.leaf()].concat()] {
        assert_eq!(carried::read_answer(&bad).unwrap_err().code, Code::Malformed);
    }
    // An entry of another desk's ledger, signed there in full, is not a carried answer.
    let full = world.statement(&go(QUINN, "r1", "qa"));
    let full = world.sign(&go(QUINN, "r1", "qa"), &full);
    assert_eq!(carried::read_answer(full.leaf()).unwrap_err().code, Code::WrongState);
}

#[test]
fn an_answer_that_comes_too_late_is_refused_by_the_entries_alone() {
    // The sheet stands for a day. Entries an hour apart carry the bound of the clocks past its end.
    let world = given().ready("r1");
    let opened = opened(&world, "r1");
    let answer = answered(&world, &opened, 1);
    let mut late = world;
    for _ in 0..26 {
        late = late.later(3599).when(lease());
    }
    let refused = import(&mut late, &answer).unwrap_err();
    assert_eq!(refused.code, Code::Expired, "{refused}");
    assert!(refused.message.contains("too late"), "{refused}");
}

#[test]
fn an_answer_does_not_claim_a_time_before_what_its_request_knew() {
    let world = given().ready("r1");
    let opened = opened(&world, "r1");
    let mut context = context_of(&world.statement(&go(QUINN, "r1", "qa")));
    context.now = context.now.plus_seconds(-3600);
    assert_eq!(opened.compose(go_act(&opened), &context).unwrap_err().code, Code::ClockSuspect);
    // An insider signs it all the same.
    context.now = context.now.plus_seconds(3600);
    let mut statement = opened.compose(go_act(&opened), &context).unwrap();
    statement.common.time = statement.common.time.plus_seconds(-3600);
    let entry = Entry::sign(&statement.payload(), "approval", &key_of(QUINN)).unwrap();
    assert_eq!(import(&mut world.clone(), &entry).unwrap_err().code, Code::ClockSuspect);
}

#[test]
fn only_an_answer_to_a_sheet_rests_on_proofs() {
    let world = given().ready("r1");
    let proofs = |statement: &mut Statement| statement.common.seen_basis = Some(SeenBasis::Proofs);
    world
        .clone()
        .refuses_saying(Code::SeenMismatch, "proofs of a request", hold(RITA, "r1", None).forging(proofs))
        .refuses(Code::SeenMismatch, propose("r2").forging(proofs))
        .refuses(Code::SeenMismatch, policy(POLICY).forging(proofs))
        .when(go(QUINN, "r1", "qa").forging(proofs));
}

#[test]
fn who_came_in_by_a_public_key_accepts_and_answers_in_one_go_without_the_ledger() {
    let newcomer = "nina@acme.example";
    let world =
        given().when(enrol(newcomer, &[])).when(role_change(countersign_core::act::Grant::Grant, newcomer, "qa"));
    let world = world.ready("r1");
    let mut opened = opened(&world, "r1");
    let accept = || Act::from(EnrolAccept { accountability: accountability() });
    let context = |nonce: u64| {
        let mut context = context_of(&world.statement(&go(newcomer, "r1", "qa")));
        context.nonce = word(&format!("{nonce:016x}"));
        context
    };
    assert_eq!(opened.compose(go_act(&opened), &context(0xbeef)).unwrap_err().code, Code::NotAccepted);
    let mut entries = Vec::new();
    for (nonce, act) in [(0xbeef, accept()), (0xbef0, go_act(&opened))] {
        let statement = opened.compose(act, &context(nonce)).unwrap();
        let entry = Entry::sign(&statement.payload(), statement.act.name(), &key_of(newcomer)).unwrap();
        opened.take(&entry).unwrap();
        entries.push(entry);
    }
    let mut later = world.later(600);
    for entry in carried::read_answer(&carried::write_answer(&entries)).unwrap() {
        import(&mut later, &entry).unwrap();
    }
    later.worth("r1", newcomer, SignOffState::Valid, "");
}

#[test]
fn a_request_that_was_touched_says_where_and_is_believed_in_no_part() {
    let world = given().ready("r1");
    let file = request_file(&world, "r1");
    let code = |bytes: &[u8], fingerprint: Digest| {
        let findings = carried::open(bytes, fingerprint).unwrap_err();
        findings[0].code.as_str().to_owned()
    };
    assert_eq!(code(&file, Digest::of(b"another ledger")), "fingerprint");
    assert_eq!(code(&file[..file.len() / 2], fingerprint(&world)), "container");
    // One flipped bit of any tenth byte, wherever it lies, is found.
    for place in (0..file.len()).step_by(file.len() / 40) {
        let mut altered = file.clone();
        altered[place] ^= 1;
        assert!(carried::open(&altered, fingerprint(&world)).is_err(), "byte {place}");
    }
    // A copy of the whole ledger, or of a release without a sheet, asks for nothing.
    let unasked = given().when(propose("r1"));
    assert_eq!(code(&request_file(&unasked, "r1"), fingerprint(&unasked)), "layout");
}

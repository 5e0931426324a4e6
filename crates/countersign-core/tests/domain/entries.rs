//! What every entry owes, whatever its act: one spelling, a known head, a known signer, a nonce, a subject.

use countersign_core::act::{ACTS, COMMON_FIELDS, DevicePurpose, RULES_VERSION, Reauth, SeenBasis};
use countersign_core::admit::Statement;
use countersign_core::decide::{Command, decide};
use countersign_core::entry::{Entry, LEAF_BYTES_MAX};
use countersign_core::evidence::Conclusion;
use countersign_core::hash::Digest;
use countersign_core::rejection::Code;
use countersign_core::sshsig::SshSig;
use serde_json::{Value, json};

use super::*;

/// A step whose payload is changed after it was composed, so that only the reader of payloads can object.
#[track_caller]
fn refuses_payload(world: &World, step: &Step, says: &str, edit: impl Fn(&mut Value)) {
    let statement = world.statement(step);
    let mut payload = statement.payload();
    edit(&mut payload);
    assert_ne!(payload, statement.payload(), "nothing was changed");
    let key = key_of(statement.common.signer.principal.as_str());
    let entry = Entry::sign(&payload, statement.act.name(), &key).expect("the grammar takes it");
    let finding = world.state.clone().take(entry.into_leaf()).expect_err("it is not as the format asks");
    assert_eq!(finding.code, Code::Malformed, "{finding}");
    assert!(finding.message.contains(says), "{finding} does not say {says:?}");
}

#[test]
fn a_statement_has_one_spelling() {
    let world = given().proven("r1");
    let signing = world.clone().staged("r1").later(3600).when(freeze("r1"));
    let p = |payload: &mut Value, field: &str, value: Value| payload["predicate"][field] = value;
    refuses_payload(&signing, &go(QUINN, "r1", "qa"), "typo", |v| p(v, "typo", json!(1)));
    refuses_payload(&signing, &go(QUINN, "r1", "qa"), "authorization", |v| p(v, "authorization", Value::Null));
    refuses_payload(&signing, &go(QUINN, "r1", "qa"), "conditions", |v| p(v, "conditions", json!([])));
    refuses_payload(&signing, &go(QUINN, "r1", "qa"), "verdict", |v| p(v, "verdict", json!({"go": null})));
    refuses_payload(&signing, &go(QUINN, "r1", "qa"), "signer", |v| {
        p(v, "signer", json!(["quinn", "quinn@acme.example"]));
    });
    refuses_payload(&signing, &go(QUINN, "r1", "qa"), "GO", |v| p(v, "verdict", json!("GO")));
    refuses_payload(&signing, &go(QUINN, "r1", "qa"), "zone", |v| p(v, "zone", json!("Mars/Olympus")));
    refuses_payload(&signing, &go(QUINN, "r1", "qa"), "time", |v| p(v, "time", json!("2026-11-22T11:00:00+01:00")));
    refuses_payload(&signing, &go(QUINN, "r1", "qa"), "expected u32", |v| p(v, "rules", json!("1")));
    refuses_payload(&signing, &withdraw("r1"), "why", |v| {
        v["predicate"]["change"]["why"] = json!("x");
    });
    refuses_payload(&signing, &withdraw("r1"), "vanish", |v| p(v, "change", json!({"to": "vanish"})));
    refuses_payload(&signing, &observe("r1", "x.xml", Conclusion::Pass), "more", |v| {
        v["predicate"]["origin"]["more"] = json!("x");
    });
    refuses_payload(&signing, &observe("r1", "x.xml", Conclusion::Pass), "Counts", |v| {
        v["predicate"]["counts"] = json!({"total": 1, "bytes": 1});
    });
    refuses_payload(&signing, &observe("r1", "x.xml", Conclusion::Pass), "subject", |v| {
        let upper = v["subject"][0]["digest"]["sha256"].as_str().unwrap().to_uppercase();
        v["subject"] = json!([{"digest": {"sha256": upper.to_lowercase()}, "name": " \u{202e}"}]);
    });
}

#[test]
fn no_field_of_an_act_hides_behind_a_common_one() {
    for row in ACTS {
        for (field, _) in row.fields {
            assert!(!COMMON_FIELDS.contains(field), "{}.{field}", row.act);
        }
    }
}

#[test]
fn the_first_entry_is_a_genesis_and_no_other_is() {
    let forge = |edit: fn(&mut countersign_core::act::Genesis)| {
        genesis(false).forging(move |statement| {
            if let countersign_core::act::Act::Genesis(body) = &mut statement.act {
                edit(body);
            }
        })
    };
    let mut eager = unborn();
    assert_eq!(eager.take(b"not an entry".to_vec()).unwrap_err().code, Code::Malformed);
    unborn()
        .refuses_saying(Code::Genesis, "entry 0", product(&["production"]).with_key(OLGA))
        .refuses_saying(Code::Genesis, "signer", genesis(false).forging(|s| s.common.signer.name = word("Mallory")))
        .refuses_saying(Code::Genesis, "desk", genesis(false).forging(|s| s.common.device = word(WORKER)))
        .refuses_saying(Code::Genesis, "first device", forge(|g| g.desk.purpose = DevicePurpose::Dispatcher))
        .refuses_saying(Code::Genesis, "accountability", forge(|g| g.accountability = Digest::of(b"other")))
        .refuses_saying(Code::Genesis, "more people", forge(|g| g.recovery.needed = 2))
        .refuses_saying(Code::Genesis, "one key", forge(|g| g.desk.key = g.owner.key))
        .refuses_saying(Code::Genesis, "one key", forge(|g| g.desk.log_key = Some(g.owner.key)))
        .refuses_saying(Code::Genesis, "one key", forge(|g| g.desk.log_key = Some(g.desk.key)))
        .refuses_saying(Code::WrongKey, "", genesis(false).with_key("mallory"))
        .refuses_saying(Code::KeyExpired, "", forge(|g| g.owner.valid_until = word("2020-01-01T00:00:00Z")))
        .refuses_saying(
            Code::Genesis,
            "origin",
            genesis(false).forging(|s| {
                s.common.seen.origin = word("acme ledger");
                s.subject = vec![countersign_core::admit::ledger_subject(&s.common.seen.origin)];
            }),
        )
        .refuses_saying(Code::Genesis, "subject", genesis(false).forging(|s| s.subject[0].sha256 = Digest::of(b"x")))
        .refuses_saying(Code::Field, "reason", genesis(false).without_reason())
        .when(genesis(false))
        .refuses_saying(Code::Genesis, "only entry 0", genesis(false));
    // Nothing after a first entry that is none brings the ledger to life.
    assert_eq!(
        eager
            .state
            .clone()
            .take(eager.sign(&genesis(false), &eager.statement(&genesis(false))).into_leaf())
            .unwrap_err()
            .code,
        Code::Genesis
    );
}

#[test]
fn the_head_a_signer_names_is_a_head_of_this_ledger() {
    let world = given();
    let size = world.state.tree.size();
    world
        .refuses_saying(Code::SeenMismatch, "claims to have seen", propose("r1").having_seen(size + 1))
        .refuses_saying(Code::SeenMismatch, "claims to have seen", propose("r1").having_seen(u64::from(u32::MAX)))
        .refuses_saying(
            Code::SeenMismatch,
            "another history",
            propose("r1").forging(|s| {
                s.common.seen.root = Digest::of(b"elsewhere").to_base64();
            }),
        )
        .refuses_saying(Code::SeenMismatch, "another history", propose("r1").forging(|s| s.common.seen.size -= 1))
        .refuses_saying(
            Code::SeenMismatch,
            "names the ledger",
            propose("r1").forging(|s| {
                s.common.seen.origin = word("acme.example/ledger/2");
            }),
        )
        // An older head is a head all the same; it seals less.
        .when(propose("r1").having_seen(1));
}

#[test]
fn a_signer_is_enrolled_has_accepted_and_signs_with_their_own_key() {
    given()
        .refuses(Code::UnknownSigner, propose("r1").by("mallory@acme.example"))
        .refuses(Code::WrongKey, propose("r1").with_key("mallory"))
        .refuses(Code::WrongKey, propose("r1").with_key(OLGA))
        .refuses_saying(Code::Field, "enrolled as rita", propose("r1").forging(|s| s.common.signer.name = word("Olga")))
        .refuses(Code::UnknownDevice, propose("r1").forging(|s| s.common.device = word("desk-9@acme.example")))
        .refuses(Code::UnknownDevice, propose("r1").forging(|s| s.common.device = word(RITA)))
        .refuses(Code::RulesUnknown, propose("r1").forging(|s| s.common.rules = RULES_VERSION + 1))
        .refuses_saying(
            Code::RulesUnknown,
            "has gone on",
            propose("r1").forging(|s| s.common.rules = RULES_VERSION - 1),
        )
        .refuses_saying(Code::Field, "reason", propose("r1").without_reason())
        .refuses_saying(Code::Field, "presence", propose("r1").forging(|s| s.common.reauth = None))
        .refuses_saying(Code::Field, "history", propose("r1").forging(|s| s.common.seen_basis = None))
        .when(enrol("nina@acme.example", &[]))
        .when(role_change(countersign_core::act::Grant::Grant, "nina@acme.example", "release-manager"))
        .refuses(Code::NotAccepted, propose("r1").by("nina@acme.example"))
        .when(accept_by("nina@acme.example"))
        .refuses(Code::AlreadyDone, accept_by("nina@acme.example"))
        .when(propose("r1").by("nina@acme.example"));
}

#[test]
fn persons_and_devices_sign_each_their_own_acts() {
    given()
        .refuses(Code::WrongSigner, propose("r1").by(DESK))
        .refuses(Code::WrongSigner, propose("r1").by(WORKER))
        .refuses(Code::WrongSigner, product(&["x"]).by(WORKER))
        .proven("r1")
        .refuses(Code::WrongSigner, deliver("r1", "one").by(RITA))
        .refuses_saying(Code::WrongSigner, "dispatcher", deliver("r1", "one").by(DESK))
        .refuses_saying(
            Code::Field,
            "no presence",
            deliver("r1", "one").forging(|s| s.common.reauth = Some(Reauth::Prompt)),
        )
        .refuses_saying(
            Code::Field,
            "no presence",
            deliver("r1", "one").forging(|s| {
                s.common.seen_basis = Some(SeenBasis::Full);
            }),
        );
}

#[test]
fn nothing_is_said_twice() {
    let world = given();
    let step = propose("r1");
    let statement = world.statement(&step);
    let entry = world.sign(&step, &statement);
    let mut world = world;
    world.take(entry.leaf().to_vec()).unwrap();
    assert_eq!(world.take(entry.leaf().to_vec()).unwrap_err().code, Code::Duplicate);
    // The same nonce under another payload.
    let again = world.statement(&propose("r2").forging(move |s| s.common.nonce = statement.common.nonce.clone()));
    let leaf = world.sign(&propose("r2"), &again).into_leaf();
    assert_eq!(world.take(leaf).unwrap_err().code, Code::Duplicate);
    assert_eq!(
        decide(&world.state, Command::Record(again.act.clone()), &context_of(&again)).unwrap_err().code,
        Code::Duplicate
    );
}

#[test]
fn a_signature_spelled_anew_is_no_new_entry() {
    let mut world = given();
    let step = propose("r1");
    let entry = world.sign(&step, &world.statement(&step));
    world.take(entry.leaf().to_vec()).unwrap();
    let head = world.state.releases.len();
    let text = entry.leaf_text().to_owned();
    let armor = entry.armor();
    let mut added = SshSig::parse(armor).unwrap();
    // S + L, the malleation that plain Ed25519 verifiers let through.
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0_u16;
    for (byte, add) in added.signature[32..].iter_mut().zip(order) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    let unwrapped: String = armor.lines().filter(|line| !line.starts_with('-')).collect();
    let spellings = [
        text.replace(armor, &added.encode()),
        text.replace(armor, &format!("-----BEGIN SSH SIGNATURE-----\n{unwrapped}\n-----END SSH SIGNATURE-----\n")),
        text.trim_end().to_owned(),
        text.replace('\n', "\r\n"),
        format!("{text}\n"),
        text.replacen('{', "{ ", 1),
    ];
    for spelling in spellings {
        let finding = world.state.clone().take(spelling.clone().into_bytes()).expect_err(&spelling);
        assert!(matches!(finding.code, Code::Malformed), "{finding}");
    }
    assert_eq!(world.state.releases.len(), head);
}

#[test]
fn the_subject_is_what_the_act_is_about() {
    let other = |statement: &mut Statement| statement.subject[0].sha256 = Digest::of(b"another build");
    let extra = |statement: &mut Statement| {
        let first = statement.subject[0].clone();
        statement.subject.push(first);
    };
    given()
        .refuses(Code::SubjectMismatch, propose("r1").forging(other))
        .refuses(Code::SubjectMismatch, product(&["staging", "production"]).forging(other))
        .ready("r1")
        .refuses(Code::SubjectMismatch, go(QUINN, "r1", "qa").forging(other))
        .refuses(Code::SubjectMismatch, go(QUINN, "r1", "qa").forging(extra))
        .refuses(Code::SubjectMismatch, hold(QUINN, "r1", None).forging(other))
        .refuses(Code::SubjectMismatch, observe("r1", "x.xml", Conclusion::Pass).forging(other));
}

#[test]
fn what_cannot_become_an_entry_is_refused_before_anybody_signs() {
    let world = given();
    let many = propose_as("r1", |candidate| {
        candidate.changes.tickets = (0..5000).map(|n| word(&format!("PUMP-{n:05}"))).collect();
    });
    let huge = propose_as("r1", |candidate| candidate.changes.commits = 1 << 60);
    for step in [many, huge] {
        let statement = world.statement(&step);
        let error = decide(&world.state, Command::Record(statement.act.clone()), &context_of(&statement)).unwrap_err();
        assert_eq!(error.code, Code::Malformed, "{error}");
        assert!(Entry::sign(&statement.payload(), statement.act.name(), &key_of(RITA)).is_err());
    }
    // The largest that fits is taken, the next is not: `decide` and the grammar agree to the byte.
    let sized = |tickets: usize| {
        propose_as("r1", move |candidate| {
            candidate.changes.tickets = (0..tickets).map(|n| word(&format!("PUMP-{n:05}"))).collect();
        })
    };
    let fits = |tickets: usize| {
        let statement = world.statement(&sized(tickets));
        let decided = decide(&world.state, Command::Record(statement.act.clone()), &context_of(&statement)).is_ok();
        let signed = Entry::sign(&statement.payload(), statement.act.name(), &key_of(RITA));
        assert_eq!(decided, signed.is_ok(), "{tickets} tickets");
        signed.map_or(0, |entry| entry.leaf().len())
    };
    let (mut low, mut high) = (0, 10_000);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if fits(middle) > 0 { low = middle } else { high = middle }
    }
    assert!(LEAF_BYTES_MAX - fits(low) < "\"PUMP-00000\",".len());
}

/// Each thing that rules 2 brought is said in a field of its own, so that nobody says it in an entry of the rules before.
#[test]
fn what_older_rules_could_not_say_is_refused_under_them_and_admitted_since() {
    use countersign_core::act::{AuthorizationChange, Freeze, FreezeChange, Verdict};
    use countersign_core::recurrence::Recurs;

    let ready = |rules| given_under(rules).ready("r1").when(go(QUINN, "r1", "qa"));
    let proven = |rules| given_under(rules).proven("r1").staged("r1").later(3600);
    let recurring = || {
        step(RITA, |world| {
            let recurs = Some(Recurs { rule: word("FREQ=WEEKLY"), zone: word("UTC") });
            let span = window(world.now, 60);
            Freeze { change: FreezeChange::Declare { environment: None, product: None, recurs, span } }.into()
        })
    };
    let template = || {
        with_authorization(authorize_until(86_400), |_, body| {
            if let AuthorizationChange::Grant { template, .. } = &mut body.change {
                *template = Some(word("alarm texts"));
            }
        })
    };
    let scheduled = || with_request(freeze("r1"), |_, body| body.scheduled = true);
    let cases: [(&str, World, World, &dyn Fn() -> Step); 7] = [
        ("a freeze that comes again", given_under(1), given_under(2), &recurring),
        ("a template", given_under(1), given_under(2), &template),
        ("a part of this policy", given_under(1), given_under(2), &|| policy(&format!("no_go_count = 2\n{POLICY}"))),
        ("starts by itself", proven(1), proven(2), &scheduled),
        ("the withdrawal of an answer", ready(1), ready(2), &|| answer(QUINN, "r1", "qa", Verdict::Withdrawn)),
        ("a meeting", ready(1), ready(2), &|| meeting::open("r1", &[("qa", None)])),
        ("the removal of a file", ready(1), ready(2), &|| records::remove(OLGA)),
    ];
    for (what, old, new, say) in cases {
        old.refuses_saying(Code::Malformed, what, say());
        new.when(say());
    }
    // And what stands in no field: a second decision beside an open one was admitted, and still is where it was.
    let both = |rules| given_under(rules).ready("r1").proven("r2").staged("r2").later(3600);
    both(1).when(freeze("r2"));
    both(2).refuses(Code::DecisionOpen, freeze("r2"));
}

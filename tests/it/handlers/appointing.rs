//! Who may sign as what, through the window: a charter, two people for a role, one who leaves, one who is represented.

use countersign_app::handlers::{people, quorum};
use countersign_app::wire as w;

use super::given::{Given, host};
use super::job::{MANAGER, OWNER, QA, begin, bring_in, secret};

fn shown(given: &Given) -> w::People {
    people::people(&given.host).unwrap()
}

fn staffed() -> Given {
    let given = host();
    begin(&given);
    bring_in(&given, MANAGER, "Rita Manager", "release-manager");
    bring_in(&given, QA, "Quinn Quality", "qa");
    given.become_person(OWNER);
    given
}

fn role(principal: &str, role: &str, change: w::RoleChange, until: Option<String>) -> w::Intent {
    w::Intent::ChangeRole {
        principal: principal.to_owned(),
        role: role.to_owned(),
        product: None,
        until,
        training: None,
        change,
        reason: "as agreed".to_owned(),
    }
}

#[test]
fn a_ledger_begun_in_the_window_asks_for_two_and_shows_what_waits() {
    let given = staffed();
    let people = shown(&given);
    let charter = people.charter.as_ref().expect("a charter");
    assert!(charter.roles_by_two && !charter.identity_by_two);
    assert_eq!(charter.key_days, 366);
    assert!(people.waiting.is_empty(), "{:?}", people.waiting);

    given.act(role(QA, "security", w::RoleChange::Grant, None), &secret(OWNER));
    let waiting = shown(&given).waiting;
    assert_eq!(waiting.len(), 1);
    assert_eq!((waiting[0].kind, waiting[0].me), (w::WaitingKind::Role, false));
    assert_eq!(waiting[0].can_confirm.iter().map(|who| who.principal.as_str()).collect::<Vec<_>>(), [MANAGER]);
    given.become_person(MANAGER);
    assert!(shown(&given).waiting[0].me);
    let confirm = w::Intent::ConfirmPeople { entry: waiting[0].entry, reason: "I know her".to_owned() };
    let challenge = given.open(confirm.clone());
    assert!(
        matches!(&challenge.statement, w::Statement::ConfirmRole { person, role, .. }
            if person.principal == QA && role == "security"),
        "{:?}",
        challenge.statement
    );
    given.commit(&challenge, &secret(MANAGER)).unwrap();
    assert!(shown(&given).waiting.is_empty());
    assert_eq!(given.refused(confirm).code, "already_done");
}

#[test]
fn who_leaves_ends_by_one_signature_after_another() {
    let given = staffed();
    let leave = w::Intent::Leave { principal: QA.to_owned(), reason: "left".to_owned() };
    let first = given.open(leave.clone());
    assert_eq!(first.series, Some(w::Series { number: 1, of: 2 }));
    let w::SigningResult::Next { receipt, challenge } = given.commit(&first, &secret(OWNER)).unwrap() else {
        panic!("the key is to follow")
    };
    assert!(receipt.entry.is_some() && receipt.unfinished.is_none());
    assert_eq!(challenge.series, Some(w::Series { number: 2, of: 2 }));
    assert_ne!(challenge.payload_sha256, first.payload_sha256);
    // The first passphrase does not carry the second signature: the nonce of the first is good for nothing.
    assert_eq!(given.commit(&first, &secret(OWNER)).unwrap_err().code, "nonce");
    let again = countersign_app::handlers::signing::signing_challenge(&given.host).unwrap();
    let w::SigningResult::Signed { .. } = given.commit(&again, &secret(OWNER)).unwrap() else { panic!("the last") };
    let gone = shown(&given).people.into_iter().find(|person| person.principal == QA).unwrap();
    assert_eq!((gone.state, gone.roles.len()), (w::PersonState::KeyEnded, 0));
    assert_eq!(given.refused(leave).code, "already_done");
}

#[test]
fn closing_in_between_leaves_the_rest_as_it_is() {
    let given = staffed();
    let first = given.open(w::Intent::Leave { principal: QA.to_owned(), reason: "left".to_owned() });
    let w::SigningResult::Next { .. } = given.commit(&first, &secret(OWNER)).unwrap() else {
        panic!("the key follows")
    };
    countersign_app::handlers::signing::closed(&given.host);
    let rest = shown(&given).people.into_iter().find(|person| person.principal == QA).unwrap();
    assert_eq!((rest.state, rest.roles.len()), (w::PersonState::NoRole, 0), "the role is gone, the key is there");
}

#[test]
fn a_role_is_lent_by_its_holder_and_shown_in_whose_place() {
    let given = staffed();
    let until = countersign_app::clock::now().plus_seconds(7 * 86_400).to_string();
    let lend = role(MANAGER, "qa", w::RoleChange::Delegate, Some(until));
    assert_eq!(given.refused(lend.clone()).code, "role_missing", "the owner does not hold it");
    given.become_person(QA);
    given.act(lend, &secret(QA));
    let held = shown(&given).people.into_iter().find(|person| person.principal == MANAGER).unwrap().roles;
    let lent = held.iter().find(|held| held.role == "qa").expect("lent");
    assert_eq!(lent.lent_by.as_ref().map(|who| who.principal.as_str()), Some(QA));
    given.act(role(MANAGER, "qa", w::RoleChange::Lapse, None), &secret(QA));
    let held = shown(&given).people.into_iter().find(|person| person.principal == MANAGER).unwrap().roles;
    assert!(held.iter().all(|held| held.role != "qa"));
}

#[test]
fn a_training_record_is_shown_and_one_that_ran_out_is_refused() {
    let given = staffed();
    let grant = |until: &str| w::Intent::ChangeRole {
        principal: MANAGER.to_owned(),
        role: "security".to_owned(),
        product: None,
        until: None,
        training: Some(w::Training { reference: "GxP 7".to_owned(), until: until.to_owned() }),
        change: w::RoleChange::Grant,
        reason: "trained".to_owned(),
    };
    assert_eq!(given.refused(grant("2020-01-01T00:00:00Z")).code, "expired");
    let wrong = given.refused(grant("soon"));
    assert_eq!(wrong.field.as_deref(), Some("trainedUntil"));
    let until = countersign_app::clock::now().plus_seconds(86_400).to_string();
    given.act(grant(&until), &secret(OWNER));
    assert_eq!(shown(&given).waiting.len(), 1, "it waits for a second person all the same");
}

#[test]
fn the_table_of_permissions_is_the_one_of_the_rules() {
    let given = staffed();
    let rows = shown(&given).permissions;
    assert_eq!(rows.len(), countersign_core::permission::Deed::ALL.len());
    for (row, deed) in rows.iter().zip(countersign_core::permission::Deed::ALL) {
        assert_eq!(row.asked, deed.may().with("", true), "{deed}");
        for role in countersign_core::words::role::FIXED {
            assert_eq!(row.roles.iter().any(|may| may == role), deed.may().with(role, false), "{deed} as {role}");
        }
    }
}

#[test]
fn a_quorum_is_asked_of_a_release_there_is() {
    let given = staffed();
    let asked = w::QuorumRequest { release: "shop-1.0.0".to_owned(), absent: vec![], with: None };
    assert_eq!(quorum::quorum(&given.host, asked).unwrap_err().code, "not_found");
}

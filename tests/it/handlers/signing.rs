//! What a page cannot make Rust sign, and what it can.

use std::time::Duration;

use countersign_app::handlers::{self, HostEvent, desk, overview, signing};
use countersign_app::wire as w;
use countersign_core::hash::Digest;

use super::given::{Given, choice, sample};

/// Somebody of the sample who is asked to sign a sheet, and the release.
struct Asked {
    secret: String,
    release: String,
}

fn entries(given: &Given) -> u32 {
    desk::session(&given.host).unwrap().ledger.unwrap().entries
}

#[track_caller]
fn asked(given: &Given) -> Asked {
    for persona in desk::session(&given.host).unwrap().personas {
        given.become_person(&persona.principal);
        let items = overview::inbox(&given.host).unwrap().items;
        let sign = items.into_iter().find(|item| item.kind == w::InboxKind::Sign);
        if let Some(release) = sign.and_then(|item| item.release) {
            return Asked { secret: persona.passphrase, release };
        }
    }
    panic!("nobody is asked to sign anything")
}

fn code<T: std::fmt::Debug>(result: Result<T, w::AppError>) -> String {
    result.unwrap_err().code
}

#[test]
fn a_changed_page_cannot_make_rust_sign_other_bytes_than_it_showed() {
    let given = sample();
    let Asked { secret, release } = asked(&given);
    let before = entries(&given);
    let first = given.open(w::Intent::Answer { release: release.clone(), role: None });
    assert!(first.payload.is_none() && first.payload_sha256.is_none() && first.choice.is_none());
    assert_eq!(code(given.commit(&first, &secret)), "not_complete", "nothing is chosen yet");

    let again = signing::signing_challenge(&given.host).unwrap();
    assert_ne!(again.nonce, first.nonce, "a nonce is good for one attempt");
    assert_eq!(code(signing::signing_choose(&given.host, choice(&first, w::Verdict::Go, "an old nonce"))), "nonce");
    let again = signing::signing_challenge(&given.host).unwrap();
    let shown = signing::signing_choose(&given.host, choice(&again, w::Verdict::Go, "All of it was read")).unwrap();
    let payload = shown.payload.clone().unwrap();
    assert_eq!(
        shown.payload_sha256.as_deref(),
        Some(Digest::of(format!("{payload}\n").as_bytes()).to_string().as_str())
    );
    assert!(payload.contains("All of it was read") && payload.contains("\"verdict\":\"go\""), "{payload}");

    // A page that names another nonce, or one that was shown before another choice, signs nothing.
    for nonce in [first.nonce.clone(), again.nonce.clone(), String::new(), "0".repeat(64)] {
        let forged = w::Challenge { nonce, ..shown.clone() };
        assert_eq!(code(given.commit(&forged, &secret)), "nonce");
    }
    // Nor does one whose choice was taken back behind the person's back: another choice has another nonce and other bytes.
    let other = signing::signing_challenge(&given.host).unwrap();
    let other = signing::signing_choose(&given.host, choice(&other, w::Verdict::NoGo, "No")).unwrap();
    assert_ne!(other.payload_sha256, shown.payload_sha256);
    assert_eq!(code(given.commit(&shown, &secret)), "nonce");
    assert_eq!(entries(&given), before, "nothing was signed");

    let other = signing::signing_challenge(&given.host).unwrap();
    let shown = signing::signing_choose(&given.host, choice(&other, w::Verdict::Go, "All of it was read")).unwrap();
    if !shown.acknowledge.is_empty() {
        let silent = w::Commit { nonce: shown.nonce.clone(), secret: secret.clone(), acknowledged: vec![] };
        assert_eq!(code(signing::signing_commit(&given.host, silent)), "not_acknowledged");
    }
    let shown = signing::signing_challenge(&given.host).unwrap();
    let payload = shown.payload.clone().unwrap();
    given.events.lock().unwrap().clear();
    let w::SigningResult::Signed { receipt } = given.commit(&shown, &secret).unwrap() else { panic!("a receipt") };
    assert_eq!(receipt.payload_sha256, shown.payload_sha256);
    // The other windows learn at once that what they show is old.
    let told = given.events.lock().unwrap().iter().any(|event| {
        matches!(event, HostEvent::LedgerChanged { size } if Some(*size) == receipt.entry.map(|entry| entry + 1))
    });
    assert!(told, "nobody is told of entry {:?}", receipt.entry);
    let entry = handlers::audit::entry(&given.host, w::EntryIndex { index: receipt.entry.unwrap() }).unwrap();
    assert_eq!(entry.payload, payload, "what is in the ledger is what was shown, to the byte");
    assert_eq!(Some(entry.payload_sha256), receipt.payload_sha256, "and it is known by the digest that was shown");
    assert!(entry.checks.iter().all(|check| check.passed));
    assert_eq!(code(given.commit(&shown, &secret)), "nothing_to_sign", "and it was signed once");
    assert_eq!(entries(&given), before + 1);
}

#[test]
fn whoever_shows_something_is_told_of_what_was_signed() {
    let given = sample();
    let Asked { secret, release } = asked(&given);
    let opened = given.open(w::Intent::Answer { release: release.clone(), role: None });
    let shown = signing::signing_choose(&given.host, choice(&opened, w::Verdict::Go, "Read")).unwrap();
    let before = entries(&given);
    let told = |size: u32| given.events.lock().unwrap().contains(&HostEvent::LedgerChanged { size });
    assert!(!told(before + 1));
    given.commit(&shown, &secret).unwrap();
    assert!(told(before + 1), "the main window shows it as soon as it is signed");
    let signed = desk::session(&given.host).unwrap();
    assert_eq!(signed.ledger.map(|ledger| ledger.entries), Some(before + 1));
    // So it is after what needs no passphrase, and once for each entry.
    let stop = w::HoldForm { release, question: None, reason: "A question came up".to_owned() };
    handlers::release::hold(&given.host, stop).unwrap();
    given.host.poll();
    let events = given.events.lock().unwrap();
    let all: Vec<_> = events.iter().filter(|event| **event == HostEvent::LedgerChanged { size: before + 2 }).collect();
    assert_eq!(all.len(), 1);
}

#[test]
fn a_wrong_passphrase_keeps_everything_but_the_nonce() {
    let given = sample();
    let Asked { secret, release } = asked(&given);
    let opened = given.open(w::Intent::Answer { release, role: None });
    let shown = signing::signing_choose(&given.host, choice(&opened, w::Verdict::Go, "Read")).unwrap();
    let refused = given.commit(&shown, "not the passphrase").unwrap_err();
    assert_eq!(
        (refused.code.as_str(), refused.safe, refused.retryable),
        ("wrong_passphrase", w::Safe::NothingHappened, true)
    );
    let again = signing::signing_challenge(&given.host).unwrap();
    assert_ne!(again.nonce, shown.nonce);
    assert_eq!((again.payload_sha256.as_ref(), again.wrong), (shown.payload_sha256.as_ref(), 1));
    assert!(matches!(given.commit(&again, &secret).unwrap(), w::SigningResult::Signed { .. }));
}

#[test]
fn what_moved_meanwhile_is_shown_before_it_is_signed() {
    let given = sample();
    let Asked { secret, release } = asked(&given);
    let opened = given.open(w::Intent::Answer { release: release.clone(), role: None });
    let shown = signing::signing_choose(&given.host, choice(&opened, w::Verdict::Go, "Read")).unwrap();
    let stop = w::HoldForm { release, question: None, reason: "A question came up".to_owned() };
    handlers::release::hold(&given.host, stop).unwrap();
    let before = entries(&given);
    given.host.poll();
    let told = given.events.lock().unwrap().contains(&HostEvent::Signing(w::SigningChange::LedgerMoved));
    assert!(told, "the window is told that what it shows has moved");
    assert_eq!(code(given.commit(&shown, &secret)), "nonce", "what was shown can no longer be signed");
    assert_eq!(entries(&given), before);
    let anew = signing::signing_challenge(&given.host).unwrap();
    assert_eq!(anew.renewed, Some(w::Renewed::LedgerMoved));
    assert_ne!(anew.payload_sha256, shown.payload_sha256);
    assert!(matches!(given.commit(&anew, &secret).unwrap(), w::SigningResult::Signed { .. }));
}

#[test]
fn what_moved_and_nobody_has_told_yet_is_shown_again_and_not_signed() {
    let given = sample();
    let Asked { secret, release } = asked(&given);
    // Another process of the same desk appends; this one has not looked yet.
    let other = super::given::host_in_place(&given);
    handlers::desk::open_sample(&other).unwrap();
    let opened = given.open(w::Intent::Answer { release: release.clone(), role: None });
    let shown = signing::signing_choose(&given.host, choice(&opened, w::Verdict::Go, "Read")).unwrap();
    let stop = w::HoldForm { release, question: None, reason: "Said elsewhere".to_owned() };
    handlers::release::hold(&other, stop).unwrap();
    let w::SigningResult::ShowAgain { challenge } = given.commit(&shown, &secret).unwrap() else {
        panic!("it was signed unseen")
    };
    assert_eq!(challenge.renewed, Some(w::Renewed::LedgerMoved));
    assert!(matches!(given.commit(&challenge, &secret).unwrap(), w::SigningResult::Signed { .. }));
}

#[test]
fn a_challenge_ends_by_time_and_only_the_signing_window_signs() {
    let given = sample();
    let Asked { secret, release } = asked(&given);
    given.host.shorten_challenges(Duration::from_millis(400));
    given.host.shorten_challenges(Duration::from_secs(3600));
    let opened = given.open(w::Intent::Answer { release, role: None });
    let shown = signing::signing_choose(&given.host, choice(&opened, w::Verdict::Go, "Read")).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(code(given.commit(&shown, &secret)), "challenge_expired");
    given.host.poll();
    signing::signing_cancel(&given.host, w::Cancel { nonce: String::new() }).unwrap();
    assert_eq!(code(signing::signing_challenge(&given.host)), "nothing_to_sign");

    assert_eq!(signing::guard("sign"), Ok(()));
    for label in ["main", "board", "", "Sign", "sign2"] {
        assert_eq!(code(signing::guard(label)), "not_granted", "{label:?}");
    }
    let unknown = w::OpenSigning { draft_id: "0197b2c4-0000-7000-8000-000000000001".to_owned() };
    assert_eq!(
        code(signing::open(&given.host, &unknown)),
        "nothing_to_sign",
        "main names ids of ours, and nothing else"
    );
}

#[test]
fn a_locked_desk_shows_nothing_until_presence_is_proved() {
    let given = sample();
    let Asked { secret, .. } = asked(&given);
    let me = desk::session(&given.host).unwrap().me.unwrap().principal;
    assert_eq!(given.refused(w::Intent::Unlock { principal: me.clone() }).code, "already_done");
    assert!(desk::lock(&given.host).unwrap().locked);
    assert_eq!(code(overview::inbox(&given.host)), "desk_locked");
    assert_eq!(code(desk::search(&given.host, w::SearchRequest { text: String::new(), limit: 5 })), "desk_locked");
    let challenge = given.open(w::Intent::Unlock { principal: me });
    assert_eq!(challenge.kind, w::ChallengeKind::Presence);
    assert_eq!(code(given.commit(&challenge, "not the passphrase")), "wrong_passphrase");
    assert!(desk::session(&given.host).unwrap().locked);
    let challenge = signing::signing_challenge(&given.host).unwrap();
    given.commit(&challenge, &secret).unwrap();
    assert!(!desk::session(&given.host).unwrap().locked);
    overview::inbox(&given.host).unwrap();
}

#[test]
fn a_damaged_ledger_is_read_only_and_its_first_bad_entry_is_named() {
    let given = sample();
    let index = {
        let filter = w::AuditFilter {
            actors: vec![],
            acts: vec!["outcome".to_owned()],
            release: None,
            product: None,
            after: None,
            before: None,
            text: "no incident".to_owned(),
            only_findings: false,
        };
        let request = w::AuditRequest { filter, newest_first: false, page: super::given::page(0, 1) };
        let found = handlers::audit::audit(&given.host, request).unwrap();
        found.rows.first().map(|row| row.index)
    };
    let file = given.dir.path().join("data/sample/ledger.db");
    desk::close_ledger(&given.host).unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let (needle, index) = match index {
        Some(index) => ("no incident", Some(index)),
        None => ("\"act\"", None),
    };
    let places: Vec<usize> = bytes
        .windows(needle.len())
        .enumerate()
        .filter(|(_, part)| *part == needle.as_bytes())
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty(), "the sample says {needle}");
    for place in &places {
        bytes[*place] ^= 1;
    }
    std::fs::write(&file, bytes).unwrap();

    handlers::desk::open_path(&given.host, &given.dir.path().join("data/sample")).unwrap();
    let session = desk::session(&given.host).unwrap();
    assert_eq!(session.mode, w::SessionMode::Damaged);
    assert_eq!(
        session.trouble.as_ref().map(|trouble| (trouble.kind, trouble.safe)),
        Some((w::ErrorKind::Integrity, w::Safe::ReadOnly))
    );
    overview::board(&given.host).unwrap();
    let before = session.ledger.unwrap().entries;
    let stop = w::HoldForm { release: given_release(&given), question: None, reason: "no".to_owned() };
    assert_eq!(handlers::release::hold(&given.host, stop).unwrap_err().kind, w::ErrorKind::Integrity);
    let job = handlers::audit::verify(&given.host, w::VerifyRequest { fingerprint: None }).unwrap();
    let w::JobOutcome::Verified { result } = given.done(&job) else { panic!("a verification") };
    assert_eq!(result.verdict, w::VerifyVerdict::Invalid);
    assert!(index.is_none_or(|index| result.first_bad == Some(index)), "{:?} is not {index:?}", result.first_bad);
    assert_eq!(desk::session(&given.host).unwrap().ledger.unwrap().entries, before, "nothing was written");
}

fn given_release(given: &Given) -> String {
    let request = w::ReleasesRequest {
        text: String::new(),
        products: vec![],
        states: vec![],
        mine: false,
        sort: w::ReleaseSort::Proposed,
        descending: false,
        page: super::given::page(0, 1),
    };
    overview::releases(&given.host, request).unwrap().rows[0].release.clone()
}

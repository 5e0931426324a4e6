//! The sample is sound, and rich enough for every screen.

use std::collections::BTreeSet;

use countersign_app::handlers::{self, desk, overview};
use countersign_app::wire as w;

use super::given::{host, page, sample};

/// Asks for every release of the sample.
fn every(sort: w::ReleaseSort, descending: bool) -> w::ReleasesRequest {
    w::ReleasesRequest {
        text: String::new(),
        products: vec![],
        states: vec![],
        mine: false,
        sort,
        descending,
        page: page(0, 200),
    }
}

#[test]
fn the_sample_is_sound_under_verification_and_says_that_it_is_one() {
    let given = sample();
    let job = handlers::audit::verify(&given.host, w::VerifyRequest { fingerprint: None }).unwrap();
    let w::JobOutcome::Verified { result } = given.done(&job) else { panic!("a verification") };
    assert_eq!((result.verdict, result.findings.len()), (w::VerifyVerdict::Valid, 0), "{:?}", result.findings);
    let session = desk::session(&given.host).unwrap();
    let ledger = session.ledger.unwrap();
    assert!(ledger.sample && ledger.entries > 1000, "{ledger:?}");
    assert_eq!((ledger.verified, result.entries), (w::VerifiedState::Everything, ledger.entries));
    assert_eq!(session.personas.len(), session.here.len());
    let progress = given.events.lock().unwrap().iter().any(
        |event| matches!(event, handlers::HostEvent::Job(state) if state.kind == w::JobKind::Verify && state.of > 1000),
    );
    assert!(progress, "a verification tells how far it is");
}

#[test]
fn the_sample_has_a_release_in_nearly_every_state() {
    let given = sample();
    let request = every(w::ReleaseSort::Proposed, true);
    let all = overview::releases(&given.host, request.clone()).unwrap();
    assert!(all.total >= 60, "{} releases", all.total);
    assert_eq!(all.total as usize, all.rows.len());
    let states: BTreeSet<w::ReleaseState> = all.states.iter().map(|count| count.state).collect();
    for wanted in [
        w::ReleaseState::Staged,
        w::ReleaseState::Halted,
        w::ReleaseState::OnHold,
        w::ReleaseState::RollingOut,
        w::ReleaseState::RolloutHalted,
        w::ReleaseState::Live,
        w::ReleaseState::Reviewed,
        w::ReleaseState::Withdrawn,
    ] {
        assert!(states.contains(&wanted), "{wanted:?} is not among {states:?}");
    }
    let halted = overview::releases(
        &given.host,
        w::ReleasesRequest { states: vec![w::ReleaseState::Halted], ..request.clone() },
    );
    let halted = halted.unwrap();
    assert!(halted.rows.iter().any(|row| row.release == "lab-gateway-1.14.1"), "{:?}", halted.rows);
    let found = overview::releases(&given.host, w::ReleasesRequest { text: "pump 4.2".to_owned(), ..request });
    assert_eq!(
        found.unwrap().rows.iter().map(|row| row.release.as_str()).collect::<Vec<_>>(),
        ["infusion-pump-fw-4.2.0"]
    );
}

#[test]
fn alice_is_asked_for_the_last_signature_and_told_which_of_hers_is_stale() {
    let given = sample();
    given.become_person("alice@northbay.example");
    let inbox = overview::inbox(&given.host).unwrap();
    let pump = inbox.items.iter().find(|item| item.release.as_deref() == Some("infusion-pump-fw-4.2.0")).unwrap();
    assert_eq!((pump.kind, pump.role.as_deref(), pump.by_name), (w::InboxKind::Sign, Some("qa"), true));
    assert!(pump.due.is_some() && !pump.overdue && pump.asked_by.as_ref().is_some_and(|by| by.name == "Jonas Weber"));
    let request = every(w::ReleaseSort::Version, false);
    let stale = overview::releases(&given.host, request).unwrap().rows.into_iter().filter(|row| {
        let sheet = given.release(&row.release).sheet;
        sheet.is_some_and(|sheet| sheet.stations.iter().any(|station| station.state == w::StationState::Stale))
    });
    assert!(stale.count() > 0, "a sign-off whose matter moved is shown as stale");
}

#[test]
fn the_board_shows_six_products_with_problems_first() {
    let given = sample();
    let board = overview::board(&given.host).unwrap();
    assert_eq!(board.products.len(), 6);
    assert!(board.products.windows(2).all(|pair| pair[0].problem >= pair[1].problem));
    let notes: Vec<&w::CellNote> =
        board.products.iter().flat_map(|product| &product.cells).map(|cell| &cell.note).collect();
    let any = |is: fn(&w::CellNote) -> bool| notes.iter().any(|note| is(note));
    assert!(any(|note| matches!(note, w::CellNote::Halted { .. })), "{notes:?}");
    assert!(any(|note| matches!(note, w::CellNote::Frozen { .. })), "{notes:?}");
    assert!(any(|note| matches!(note, w::CellNote::Baking { .. })), "{notes:?}");
    assert!(any(|note| matches!(note, w::CellNote::Live { authorization: Some(_), .. })), "{notes:?}");
    assert!(any(|note| matches!(note, w::CellNote::Live { behind: 1.., .. })), "{notes:?}");
}

#[test]
fn every_screen_of_every_release_can_be_shown() {
    let given = sample();
    given.become_person("jonas@northbay.example");
    let request = every(w::ReleaseSort::Version, false);
    for row in overview::releases(&given.host, request).unwrap().rows {
        let named = || w::ReleaseRef { release: row.release.clone() };
        let view = given.release(&row.release);
        assert_eq!(view.state, row.state);
        let timeline = w::TimelineRequest { release: row.release.clone(), page: page(0, 200) };
        let timeline = handlers::release::timeline(&given.host, timeline).unwrap();
        assert_eq!(timeline.total, view.counts.timeline);
        assert!(timeline.rows.windows(2).all(|pair| pair[0].index > pair[1].index));
        let changes = w::ChangesRequest { release: row.release.clone(), text: String::new(), page: page(0, 10) };
        assert_eq!(handlers::release::changes(&given.host, changes).unwrap().total, view.counts.changes);
        let rollout = handlers::rollout::rollout(&given.host, named()).unwrap();
        for dispatch in rollout.dispatches.iter().filter(|dispatch| dispatch.has_log) {
            let request = w::LogRequest {
                release: row.release.clone(),
                request_id: dispatch.request_id.clone(),
                from_line: 2,
                limit: 5,
            };
            let log = handlers::rollout::rollout_log(&given.host, request).unwrap();
            assert_eq!((log.lines.len(), log.lines[0].number), (5, 2), "{}", row.release);
        }
        let evidence = handlers::release::evidence(&given.host, named()).unwrap();
        for file in &evidence.files {
            let request =
                w::EvidenceItemsRequest { entry: file.entry, text: String::new(), levels: vec![], page: page(0, 50) };
            let items = handlers::release::evidence_items(&given.host, request).unwrap();
            let red = file.conclusion == w::Conclusion::Fail;
            assert!(!red || items.total > 0, "{} is red and names nothing", file.name);
        }
    }
    let pump = given.release("infusion-pump-fw-4.2.0");
    let sheet = pump.sheet.unwrap();
    let states: Vec<_> = sheet.stations.iter().map(|station| (station.role.as_str(), station.state)).collect();
    use w::StationState::{Conditional, Go, Waiting};
    assert_eq!(
        states,
        [("qa", Waiting), ("security", Conditional), ("safety", Go), ("product-owner", Go), ("operations", Waiting)]
    );
    assert!(sheet.evidence.tests_passed > 1000);
}

#[test]
fn the_other_screens_of_the_sample_can_be_shown() {
    let given = sample();
    let people = handlers::people::people(&given.host).unwrap();
    assert!(people.people.len() >= 12, "{}", people.people.len());
    assert!(people.roles.iter().any(|role| role.role == "qa" && role.holders == 2));
    let products = handlers::products::products(&given.host).unwrap();
    assert_eq!(products.products.len(), 6);
    for row in &products.products {
        let view = handlers::products::product(&given.host, w::ProductRef { product: row.product.clone() }).unwrap();
        assert!(view.targets.len() >= 2);
        assert!(view.policy.is_some_and(|policy| !policy.means.is_empty()));
    }
    let request = w::PolicyRequest { product: "infusion-pump-fw".to_owned(), version: Some(3) };
    let policy = handlers::products::policy(&given.host, request).unwrap();
    assert!(policy.diff_to_in_force.iter().any(|line| line.kind != w::DiffKind::Same));
    let freezes = handlers::products::freezes(&given.host).unwrap();
    assert!(freezes.freezes.iter().any(|freeze| freeze.status == w::FreezeStatus::InForce));
    assert!(freezes.freezes.iter().any(|freeze| freeze.status == w::FreezeStatus::ToCome));
    assert!(freezes.upcoming.iter().any(|row| matches!(row, w::AgendaRow::Due { .. })));
    let authorizations = handlers::products::authorizations(&given.host).unwrap();
    assert!(authorizations.authorizations.iter().any(|row| row.state == w::SignOffState::Valid && row.uses > 0));
    let rollouts = handlers::rollout::rollouts(&given.host).unwrap();
    assert!(rollouts.running.iter().any(|row| row.baking.is_some()), "{:?}", rollouts.running);
    assert!(!rollouts.recent.is_empty());
    handlers::connectors::connectors(&given.host).unwrap();
    let found = desk::search(&given.host, w::SearchRequest { text: "pump 4.2".to_owned(), limit: 10 }).unwrap();
    assert!(matches!(&found.hits[0], w::SearchHit::Release { release, .. } if release == "infusion-pump-fw-4.2.0"));
    assert!(desk::diagnostics(&given.host).unwrap().entries.is_some_and(|entries| entries > 1000));
    let notices = overview::due_notices(&given.host);
    assert_eq!(overview::due_notices(&given.host), [], "each is told once: {notices:?}");
}

#[test]
fn the_trail_filters_pages_and_proves_each_entry() {
    let given = sample();
    let none = w::AuditFilter {
        actors: vec![],
        acts: vec![],
        release: None,
        product: None,
        after: None,
        before: None,
        text: String::new(),
        only_findings: false,
    };
    let ask = |filter: w::AuditFilter, offset: u32| {
        let request = w::AuditRequest { filter, newest_first: true, page: page(offset, 100) };
        handlers::audit::audit(&given.host, request).unwrap()
    };
    let all = ask(none.clone(), 0);
    assert_eq!((all.total, all.rows.len()), (all.all, 100));
    assert_eq!(ask(none.clone(), 100).rows[0].index + 1, all.rows[99].index);
    assert_eq!(all.acts.iter().map(|facet| facet.count).sum::<u32>(), all.all);
    let alice = w::AuditFilter {
        actors: vec!["alice@northbay.example".to_owned()],
        acts: vec!["approval".to_owned()],
        ..none.clone()
    };
    let found = ask(alice, 0);
    let answered = found.rows.iter().find(|row| matches!(row.event, w::TimelineEvent::Answered { .. }));
    let answered = answered.expect("alice has answered").index;
    let by_text = ask(w::AuditFilter { text: "laboratory telephones".to_owned(), ..none }, 0);
    assert!(by_text.total > 0 && by_text.total < all.total);
    for index in [0, answered, all.all - 1] {
        let entry = handlers::audit::entry(&given.host, w::EntryIndex { index }).unwrap();
        assert!(entry.checks.iter().all(|check| check.passed), "{:?}", entry.checks);
        assert!(entry.proof_text.starts_with("c2sp.org/tlog-proof@v1"));
    }
    let entry = handlers::audit::entry(&given.host, w::EntryIndex { index: answered }).unwrap();
    let sheet = entry.names.iter().find(|named| named.field == "request").unwrap();
    let sheet = handlers::audit::entry(&given.host, w::EntryIndex { index: sheet.index }).unwrap();
    assert!(sheet.named_by.contains(&answered));
}

#[test]
fn a_sample_can_be_made_anew_and_a_real_ledger_is_never_taken_for_one() {
    let given = host();
    let job = desk::create_sample(&given.host, w::CreateSample { fresh: false }).unwrap();
    let w::JobOutcome::SampleCreated { fingerprint } = given.done(&job) else { panic!("a sample") };
    let job = desk::create_sample(&given.host, w::CreateSample { fresh: true }).unwrap();
    let w::JobOutcome::SampleCreated { fingerprint: other } = given.done(&job) else { panic!("a sample") };
    assert_ne!(fingerprint, other);
    assert_eq!(desk::session(&given.host).unwrap().ledger.unwrap().fingerprint, other);
}

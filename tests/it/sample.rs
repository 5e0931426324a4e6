//! The samples that the desktop app opens: they are sound, they hold what there is to explore, and they are made in time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use countersign_app::desk::{Home, LedgerDir};
use countersign_app::evidence::{Limits, read_as};
use countersign_app::keyfile::{KeyError, PersonKeyFile};
use countersign_app::ledger::{Ledger, PassphraseSource};
use countersign_app::sample::{create_at, large, passphrase_of, personas, remove, serve};
use countersign_app::{changes, clock, connectors, rollout, verification};
use countersign_core::act::{Freeze, FreezeChange, HoldChange, Reauth, Verdict, Window};
use countersign_core::admit::Statement;
use countersign_core::decide::Command;
use countersign_core::evidence::EvidenceKind;
use countersign_core::judge::{self, ReleaseState, SignOffState};
use countersign_core::policy::Mode;
use countersign_core::verify;
use countersign_core::words::{Principal, Timestamp};
use zeroize::Zeroizing;

/// The passphrase a persona has on screen.
struct OnScreen;

impl OnScreen {
    fn of(&self, principal: &Principal) -> Result<Zeroizing<String>, countersign_app::error::Error> {
        Ok(Zeroizing::new(passphrase_of(principal.as_str()).expect("a persona").to_owned()))
    }
}

impl PassphraseSource for OnScreen {
    fn passphrase(
        &mut self,
        principal: &Principal,
        _: &Statement,
    ) -> Result<Zeroizing<String>, countersign_app::error::Error> {
        self.of(principal)
    }

    fn reauth(&self) -> Reauth {
        Reauth::Prompt
    }
}

fn states(ledger: &Ledger, at: Timestamp) -> BTreeMap<ReleaseState, usize> {
    let mut states = BTreeMap::new();
    for release in ledger.state().releases.values() {
        *states.entry(judge::release_state(ledger.state(), release, at)).or_default() += 1;
    }
    states
}

/// Delivers a release to staging by the sample's own command, where its own service then answers with it.
#[cfg(unix)]
fn deliver(ledger: &mut Ledger) {
    let (id, staging) = ("lab-gateway-1.15.0".parse().unwrap(), "staging".parse().unwrap());
    let target = rollout::target_of(ledger.state(), &id, &staging).unwrap().clone();
    let connector = connectors::for_target(ledger.desk(), &target).unwrap();
    let service = serve(ledger).expect("the service of the sample answers here");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let by = Some("jonas@northbay.example".parse().unwrap());
    let mut watch = |event: rollout::Event| drop(event);
    let staged = rollout::stage(ledger, connector.as_ref(), &id, by, None, rollout::Pace::default(), &mut watch);
    runtime.block_on(staged).unwrap();
    drop(service);
    let release = &ledger.state().releases[&id];
    assert_eq!(judge::release_state(ledger.state(), release, clock::now()), ReleaseState::Staged);
}

#[test]
fn the_sample_is_sound_and_holds_every_state() {
    let dir = tempfile::tempdir().unwrap();
    let (home, place) = (Home::at(dir.path().join("home")), LedgerDir::at(dir.path().join("sample")));
    let now = clock::now();
    let started = Instant::now();
    let mut told = 0;
    let mut ledger = create_at(&home, &place, now, &mut |done, of| {
        assert!(done < of);
        told += 1;
        true
    })
    .unwrap();
    let seconds = started.elapsed().as_secs_f64();
    let state = ledger.state();
    println!("{} releases, {} entries in {seconds:.1} s", state.releases.len(), state.tree.size());
    assert!(told > 500, "progress was told {told} times");
    assert!(state.sample());

    let verified = verification::ledger(&home, &place, Some(ledger.fingerprint())).unwrap();
    assert_eq!((verified.verdict, &verified.findings[..]), (verify::Verdict::Valid, &[][..]));

    let found = states(&ledger, now);
    println!("{found:?}");
    assert!(state.releases.len() >= 60);
    for wanted in ReleaseState::ALL {
        assert!(found.contains_key(wanted), "no release is {wanted}: {found:?}");
    }
    assert_eq!(state.products.len(), 6);
    for product in state.products.keys() {
        assert!(state.releases.values().any(|release| release.candidate.product == *product), "{product}");
    }

    // What there is to see of people's decisions.
    let (mut verdicts, mut worth) = (BTreeSet::new(), BTreeSet::new());
    for release in state.releases.values() {
        for sheet in &release.sheets {
            for judged in judge::sign_offs(state, release, sheet, now) {
                verdicts.insert(judged.answer.verdict);
                worth.insert(judged.state.as_str());
            }
        }
    }
    assert_eq!(verdicts.into_iter().collect::<Vec<_>>(), Verdict::ALL);
    for wanted in [
        SignOffState::Valid,
        SignOffState::Incomplete,
        SignOffState::Stale,
        SignOffState::Expired,
        SignOffState::SignerLostRole,
        SignOffState::KeyRevoked,
    ] {
        assert!(worth.contains(wanted.as_str()), "no sign-off is {wanted}: {worth:?}");
    }
    let all = || state.releases.values();
    assert!(all().any(|release| {
        release.active_holds().any(|hold| matches!(&hold.change, HoldChange::Hold { question: Some(_) }))
    }));
    assert!(all().any(|release| !release.waivers.is_empty()));
    assert!(all().filter_map(|release| release.sheet()).any(|sheet| {
        sheet.body.due.is_some_and(|due| due > now) && sheet.body.asked.iter().any(|asked| asked.person.is_some())
    }));
    let kinds: BTreeSet<EvidenceKind> =
        all().flat_map(|release| &release.evidence).map(|record| record.body.kind).collect();
    assert_eq!(kinds.len(), EvidenceKind::ALL.len());
    let (active, planned): (Vec<_>, Vec<_>) =
        state.freezes.values().filter(|freeze| freeze.lifted.is_none()).partition(|freeze| freeze.span.from <= now);
    assert_eq!((active.len(), planned.len()), (1, 1));
    assert!(state.policies.values().any(|versions| versions.len() > 2));
    assert!(state.policies.values().any(|versions| versions.last().is_some_and(|last| last.in_force.is_none())));
    let deployment: Vec<_> = state
        .products
        .keys()
        .filter(|product| state.policy(product).unwrap().policy.mode == Mode::Deployment)
        .collect();
    assert_eq!(deployment.len(), 1);
    let standing = state.authorizations.values().next().unwrap();
    assert_eq!(judge::authorization_worth(state, standing, now).0, SignOffState::Valid);

    // Every file says what its entry says, by the reader that is asked when somebody looks into it.
    for record in all().flat_map(|release| &release.evidence) {
        let bytes = ledger.blobs().read(&record.body.digest).unwrap();
        let report = read_as(record.body.kind, &bytes, Limits::default()).unwrap();
        assert_eq!(report.counts, record.body.counts, "{}", record.body.name);
        assert!(!report.doubtful, "{}: {:?}", record.body.name, report.notes);
    }
    for release in all() {
        let list =
            changes::ChangeList::parse(&ledger.blobs().read(&release.candidate.changes.digest).unwrap()).unwrap();
        assert_eq!(list.summary().unwrap(), release.candidate.changes, "{}", release.id);
    }

    // Everybody who has not left can sign with the passphrase on screen, also when it is opened again.
    let here = personas(&ledger);
    assert!(here.len() >= 12, "{here:?}");
    drop(ledger);
    ledger = Ledger::open(&home, &place).unwrap();
    assert_eq!(personas(&ledger), here);
    #[cfg(unix)]
    deliver(&mut ledger);
    let span = Window { from: now, until: now.plus_seconds(60) };
    let declare = FreezeChange::Declare { environment: None, product: None, recurs: None, span };
    let freeze = Command::Record(Freeze { change: declare }.into());
    let jonas = "jonas@northbay.example".parse().unwrap();
    ledger.as_person(&jonas, &freeze, "To see that it can be".parse().unwrap(), &mut OnScreen).unwrap();
    // A key gets its passphrase when it is used for the first time, and is no longer opened without it.
    for principal in ["alice@northbay.example", "ben@northbay.example"] {
        let principal: Principal = principal.parse().unwrap();
        let file = ledger.desk().person_key(principal.as_str()).unwrap();
        assert!(matches!(PersonKeyFile::load(&file), Err(KeyError::Unencrypted(_))));
        let wrong = ledger.prove_presence(&principal, &mut || Ok(Zeroizing::new("not the passphrase".to_owned())));
        assert_eq!(wrong.unwrap_err().code, "wrong_passphrase");
        assert!(PersonKeyFile::load(&file).is_ok());
        ledger.prove_presence(&principal, &mut || OnScreen.of(&principal)).unwrap();
    }
    for persona in &here {
        let file = ledger.desk().person_key(&persona.principal).unwrap();
        assert!(file.is_file(), "{} can sign on this desk", persona.name);
    }

    let desk = ledger.desk().path().to_owned();
    drop(ledger);
    remove(&home, &place).unwrap();
    assert!(!place.path().exists() && !desk.exists());
}

#[test]
fn a_sample_that_is_cancelled_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (home, place) = (Home::at(dir.path().join("home")), LedgerDir::at(dir.path().join("sample")));
    let error = create_at(&home, &place, clock::now(), &mut |done, _| done < 40).unwrap_err();
    assert_eq!(error.code, "cancelled");
    assert_eq!(home.list().unwrap(), []);
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["home"]);
}

#[test]
fn a_large_sample_is_sound() {
    let dir = tempfile::tempdir().unwrap();
    let (home, place) = (Home::at(dir.path().join("home")), LedgerDir::at(dir.path().join("large")));
    let now = clock::now();
    let started = Instant::now();
    let ledger = large(&home, &place, 1000, now, &mut |_, _| true).unwrap();
    let state = ledger.state();
    println!(
        "{} releases, {} entries in {:.1} s",
        state.releases.len(),
        state.tree.size(),
        started.elapsed().as_secs_f64()
    );
    assert_eq!(state.releases.len(), 1000);
    println!("{:?}", states(&ledger, now));
    assert!(states(&ledger, now)[&ReleaseState::Ready] > 0);
    let verified = verification::ledger(&home, &place, Some(ledger.fingerprint())).unwrap();
    assert_eq!((verified.verdict, &verified.findings[..]), (verify::Verdict::Valid, &[][..]));
}

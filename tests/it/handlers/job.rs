//! The whole job from an empty directory: a ledger, four people, a product, a release that goes out, one that is taken back,
//! and what leaves the ledger, all by what windows ask.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use countersign_app::handlers::{self, desk, overview, signing};
use countersign_app::wire as w;

use super::given::{Given, host, page};
use crate::harness::run;

pub(super) const OWNER: &str = "olga@acme.example";
pub(super) const MANAGER: &str = "rita@acme.example";
pub(super) const QA: &str = "quinn@acme.example";
const SECURITY: &str = "sam@acme.example";

pub(super) fn secret(who: &str) -> String {
    format!("{who} keeps this to herself")
}

const POLICY: &str = r#"schema = 1
product = "shop"
mode = "continuous-delivery"
sheet_valid_minutes = 60
soak_seconds = 1
required = ["risk"]

[[evidence]]
gate = "tests"
kind = "junit"

[[quorum]]
role = "qa"

[[quorum]]
role = "security"

[[wave]]
segment = "one"
bake_seconds = 2

[[wave]]
segment = "everyone"
bake_seconds = 1
"#;

const JUNIT: &str = r#"<testsuite name="shop" tests="2" failures="0" errors="0" skipped="0">
<testcase classname="shop" name="adds"/><testcase classname="shop" name="subtracts"/></testsuite>
"#;

/// Says what was deployed last; version 1.1.0 is not well in production.
fn serve(state: PathBuf) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut bytes = [0_u8; 4096];
            let read = stream.read(&mut bytes).unwrap_or(0);
            let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
            let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
            let environment = if path.starts_with("/staging") { "staging" } else { "production" };
            let runs = std::fs::read_to_string(state.join(environment)).unwrap_or_default();
            let ill = path.ends_with("/health") && environment == "production" && runs.contains("\"1.1.0\"");
            let status = if ill { "500 Internal Server Error" } else { "200 OK" };
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{runs}",
                runs.len()
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

fn commit(repository: &Path, version: &str) {
    let git = |arguments: &[&str]| {
        run(Command::new("git")
            .current_dir(repository)
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
            .envs([("GIT_AUTHOR_NAME", "Dev"), ("GIT_AUTHOR_EMAIL", "dev@acme.example")])
            .envs([("GIT_COMMITTER_NAME", "Dev"), ("GIT_COMMITTER_EMAIL", "dev@acme.example")])
            .args(arguments));
    };
    if !repository.exists() {
        std::fs::create_dir_all(repository).unwrap();
        git(&["init", "--quiet", "--initial-branch=main"]);
    }
    std::fs::write(repository.join("version"), version).unwrap();
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", &format!("SHOP-7: make {version}")]);
}

/// Brings a person in at the hand-over screen, has them accept, and gives them a role.
pub(super) fn bring_in(given: &Given, who: &str, name: &str, role: &str) {
    given.become_person(OWNER);
    let form = w::EnrolForm {
        principal: who.to_owned(),
        name: name.to_owned(),
        emails: vec![],
        identity: "passport seen".to_owned(),
        public_key: None,
        valid_until: None,
    };
    let opened = given.open(w::Intent::Enrol { form, reason: "joins the team".to_owned() });
    assert_eq!(opened.new_key.as_ref().map(|whose| whose.principal.as_str()), Some(who));
    let early = given.commit(&opened, &secret(OWNER)).unwrap_err();
    assert_eq!(early.code, "not_complete", "the newcomer chooses a passphrase first");
    let opened = signing::signing_challenge(&given.host).unwrap();
    let key = w::NewKey { nonce: opened.nonce, passphrase: secret(who) };
    let made = signing::signing_new_key(&given.host, key).unwrap();
    assert!(made.new_key.is_none() && made.payload.is_some());
    assert!(matches!(given.commit(&made, &secret(OWNER)).unwrap(), w::SigningResult::Signed { .. }));
    given.become_person(who);
    given.act(w::Intent::Accept { principal: who.to_owned() }, &secret(who));
    given.become_person(OWNER);
    let grant = w::Intent::ChangeRole {
        principal: who.to_owned(),
        role: role.to_owned(),
        product: None,
        until: None,
        training: None,
        change: w::RoleChange::Grant,
        reason: "the team".to_owned(),
    };
    given.act(grant, &secret(OWNER));
    // The first beside the founder is there at once; every later approver takes a second person's word.
    if let Some(waiting) = handlers_people(given).waiting.first() {
        let confirm = w::Intent::ConfirmPeople { entry: waiting.entry, reason: "I know them".to_owned() };
        assert_eq!(given.refused(confirm.clone()).code, "segregation_failed");
        given.become_person(MANAGER);
        given.act(confirm, &secret(MANAGER));
        given.become_person(OWNER);
    }
}

fn handlers_people(given: &Given) -> w::People {
    handlers::people::people(&given.host).unwrap()
}

pub(super) fn begin(given: &Given) {
    let directory = given.pick(given.dir.path().join("ledger"));
    let begun = given.open(w::Intent::CreateLedger {
        title: "Shop".to_owned(),
        directory,
        name: "Olga Owner".to_owned(),
        principal: OWNER.to_owned(),
        emails: vec![],
        reason: "we release software".to_owned(),
        recovery: vec![],
        recovery_needed: 0,
        recovery_wait_hours: 0,
        charter: w::CharterForm { roles_by_two: true, identity_by_two: false, key_days: 366, review_days: Some(90) },
    });
    assert!(begun.new_key.is_some() && begun.payload.is_none());
    let key = w::NewKey { nonce: begun.nonce, passphrase: secret(OWNER) };
    let made = signing::signing_new_key(&given.host, key).unwrap();
    assert_eq!(given.commit(&made, "a slip of the keyboard").unwrap_err().code, "wrong_passphrase");
    let made = signing::signing_challenge(&given.host).unwrap();
    let w::SigningResult::Signed { receipt } = given.commit(&made, &secret(OWNER)).unwrap() else { panic!("begun") };
    assert_eq!((receipt.entry, receipt.act), (Some(0), w::ActName::Genesis));
    let session = desk::session(&given.host).unwrap();
    assert_eq!((session.mode, session.personas.len()), (w::SessionMode::Open, 0));
}

fn set_up(given: &Given, state: &Path, port: u16) {
    begin(given);
    bring_in(given, MANAGER, "Rita Manager", "release-manager");
    bring_in(given, QA, "Quinn Quality", "qa");
    bring_in(given, SECURITY, "Sam Security", "security");
    let reason = || "as agreed".to_owned();
    given.act(w::Intent::EnrolDispatcher { name: None, reason: reason() }, &secret(OWNER));
    given.become_person(MANAGER);
    let waits = overview::inbox(&given.host).unwrap().items;
    assert!(waits.iter().any(|item| item.kind == w::InboxKind::Device), "{waits:?}");
    let devices = handlers::people::people(&given.host).unwrap().devices;
    let dispatcher = devices.iter().find(|row| row.may_confirm).unwrap().principal.clone();
    given.act(w::Intent::ConfirmDevice { principal: dispatcher, reason: reason() }, &secret(MANAGER));

    given.become_person(OWNER);
    let script = given.dir.path().join("deploy.sh");
    let text = "#!/bin/sh\nset -eu\nprintf '{\"version\":\"%s\",\"artifact\":\"%s\"}' \"$COUNTERSIGN_VERSION\" \"$COUNTERSIGN_ARTIFACT\" >\"$1/$COUNTERSIGN_ENVIRONMENT\"\necho \"deployed $COUNTERSIGN_VERSION\"\n";
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let form = w::CommandForm {
        id: "deploy".to_owned(),
        script: given.pick(script),
        arguments: vec![state.display().to_string()],
    };
    given.act(w::Intent::AllowCommand { form }, &secret(OWNER));
    let path = vec!["staging".to_owned(), "production".to_owned()];
    let product =
        w::Intent::SetProduct { product: "shop".to_owned(), title: "Shop".to_owned(), path, reason: reason() };
    given.act(product, &secret(OWNER));
    for environment in ["staging", "production"] {
        let instance = || w::InstanceForm {
            health: format!("http://127.0.0.1:{port}/{environment}/health"),
            version: format!("http://127.0.0.1:{port}/{environment}/version"),
        };
        let names: &[&str] = if environment == "staging" { &["staging"] } else { &["one", "everyone"] };
        let segments =
            names.iter().map(|name| w::SegmentForm { name: (*name).to_owned(), instances: vec![instance()] });
        let form = w::TargetForm {
            product: "shop".to_owned(),
            environment: environment.to_owned(),
            connector: w::TargetConnector::LocalCommand { command: "deploy".to_owned(), script_sha256: None },
            job: None,
            deploy_step: None,
            segments: segments.collect(),
        };
        given.act(w::Intent::SetTarget { form, reason: reason() }, &secret(OWNER));
    }
    let wrong = POLICY.replace("count", "cuont").replace("mode = \"continuous-delivery\"", "mode = \"both\"");
    let check = w::CheckPolicy { product: "shop".to_owned(), toml: wrong };
    let check = handlers::products::check_policy(&given.host, check).unwrap();
    assert_eq!((check.lawful, check.problems[0].line), (false, Some(3)));
    let set = w::Intent::SetPolicy { product: "shop".to_owned(), toml: POLICY.to_owned(), reason: reason() };
    given.act(set, &secret(OWNER));
    let test = w::TestConnector { name: "deploy".to_owned(), jobs: vec![] };
    let job = handlers::connectors::test_connector(&given.host, test).unwrap();
    let w::JobOutcome::Tested { test } = given.done(&job) else { panic!("a test") };
    assert_eq!(test.enforcement.tier, w::Tier::C, "the script asks no gate: {test:?}");
}

/// Proposes a version, brings its evidence, delivers it and asks for signatures.
fn until_asked(given: &Given, repository: &Path, version: &str) -> String {
    let file = given.dir.path().join(format!("shop-{version}.tar"));
    std::fs::write(&file, format!("the shop, {version}")).unwrap();
    commit(repository, version);
    given.become_person(MANAGER);
    let draft = handlers::forms::new_draft(&given.host, w::NewDraft { amends: None }).unwrap();
    assert_eq!(draft.form.product.as_deref(), Some("shop"), "with one product there is nothing to choose");
    let form = w::ProposalForm {
        version: Some(version.to_owned()),
        repository: Some(given.host.register_path(repository.to_owned())),
        artifacts: vec![w::ArtifactForm {
            name: format!("shop-{version}.tar"),
            file: Some(given.host.register_path(file)),
            sha256: None,
        }],
        ..draft.form.clone()
    };
    let save = |form: w::ProposalForm| {
        let save = w::SaveDraft { id: Some(draft.id.clone()), amends: None, form };
        handlers::forms::save_draft(&given.host, save).unwrap()
    };
    save(form.clone());
    let check = || handlers::forms::check_draft(&given.host, w::DraftId { id: draft.id.clone() }).unwrap();
    let preview = check();
    assert!(preview.problems.iter().any(|problem| problem.field == "reason"), "{:?}", preview.problems);
    assert_eq!(preview.required, ["risk"]);
    save(w::ProposalForm { risk: Some("little".to_owned()), reason: Some("it is time".to_owned()), ..form });
    let preview = check();
    assert!(preview.problems.is_empty() && preview.candidate.is_some(), "{:?}", preview.problems);
    given.act(w::Intent::Propose { draft: draft.id.clone() }, &secret(MANAGER));
    let drafts = handlers::forms::drafts(&given.host).unwrap();
    assert!(drafts.drafts.is_empty(), "what is proposed is no draft any more");
    let release = format!("shop-{version}");

    let report = given.dir.path().join("unit.xml");
    std::fs::write(&report, JUNIT).unwrap();
    given.become_person(OWNER);
    let attach = w::Intent::AttachEvidence {
        release: release.clone(),
        file: given.pick(report),
        name: None,
        evidence: None,
        conclusion: None,
        replaces: None,
        reason: "ran on the bench".to_owned(),
    };
    let entry = given.act(attach, &secret(OWNER)).entry.unwrap();
    let mine = |given: &Given| {
        let waits = |blocker: &&w::Blocker| blocker.acts == [w::ClearingAct::Confirm { entry }];
        given.release(&release).blockers.iter().find(waits).unwrap().me
    };
    assert!(!mine(given), "who attached it does not confirm it");
    given.become_person(MANAGER);
    assert!(mine(given));
    given.act(w::Intent::ConfirmEvidence { entry, reason: "seen".to_owned() }, &secret(MANAGER));
    let job = given.start(w::Intent::Stage { release: release.clone(), resend: None }, &secret(MANAGER));
    let ended = given.ended(&job);
    let staged = w::JobOutcome::Dispatched { result: w::RolloutResult::Staged, detail: None };
    assert_eq!(ended.outcome, Some(staged), "{ended:?}");
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let form = w::RequestForm {
        release: release.clone(),
        window: None,
        asked: vec![
            w::AskedForm { role: "qa".to_owned(), person: Some(QA.to_owned()) },
            w::AskedForm { role: "security".to_owned(), person: None },
        ],
        due: None,
        reason: "everything is there".to_owned(),
    };
    let preview = handlers::forms::preview_request(&given.host, form.clone()).unwrap();
    assert!(preview.problem.is_none() && !preview.facts.is_empty(), "{:?}", preview.problem);
    given.act(w::Intent::Request { form }, &secret(MANAGER));
    release
}

fn sign_off(given: &Given, release: &str) {
    let own = given.refused(w::Intent::Answer { release: release.to_owned(), role: None });
    assert_eq!(own.code, "role_missing", "who asks does not answer");
    given.become_person(QA);
    let asked = overview::inbox(&given.host).unwrap().items;
    let asked = asked.iter().find(|item| item.release.as_deref() == Some(release)).unwrap();
    assert_eq!((asked.kind, asked.by_name, asked.last_signature), (w::InboxKind::Sign, true, false));
    let receipt = given.answer(release, w::Verdict::Go, "tests pass", &secret(QA));
    assert_eq!(receipt.consequence, w::Consequence::OthersStillToSign);
    given.become_person(SECURITY);
    let asked = overview::inbox(&given.host).unwrap().items;
    let asked = asked.iter().find(|item| item.release.as_deref() == Some(release)).unwrap();
    assert!(asked.last_signature && !asked.by_name);
    let receipt = given.answer(release, w::Verdict::Go, "nothing open", &secret(SECURITY));
    assert_eq!(receipt.consequence, w::Consequence::LastSignatureManagerStarts);
    assert_eq!(receipt.state, Some(w::ReleaseState::Authorized));
    given.become_person(MANAGER);
    let primary = given.release(release).primary.unwrap();
    assert_eq!((primary.act, primary.wave), (w::ReleaseActName::Dispatch, Some(1)));
}

/// Starts the next wave as the release manager, and waits for what comes of it.
fn dispatch(given: &Given, release: &str) -> w::JobOutcome {
    let wave = w::Intent::Dispatch { release: release.to_owned(), resend: None };
    given.done(&given.start(wave, &secret(MANAGER)))
}

#[test]
fn the_whole_job_is_done_by_what_windows_ask() {
    let given = host();
    let state = given.dir.path().join("running");
    std::fs::create_dir_all(&state).unwrap();
    let port = serve(state.clone());
    set_up(&given, &state, port);
    let repository = given.dir.path().join("repository");

    let release = until_asked(&given, &repository, "1.0.0");
    let early = given.refused(w::Intent::Dispatch { release: release.clone(), resend: None });
    assert_eq!(early.code, "quorum_missing");
    sign_off(&given, &release);
    // Who starts a wave has said which one: nothing else goes out with it.
    let went = dispatch(&given, &release);
    assert!(matches!(went, w::JobOutcome::Dispatched { result: w::RolloutResult::Passed, .. }), "{went:?}");
    let view = given.release(&release);
    let next = view.primary.map(|primary| (primary.act, primary.wave));
    assert_eq!((view.state, next), (w::ReleaseState::RollingOut, Some((w::ReleaseActName::Dispatch, Some(2)))));
    let went = dispatch(&given, &release);
    assert!(matches!(went, w::JobOutcome::Dispatched { result: w::RolloutResult::Live, .. }), "{went:?}");
    assert_eq!(given.release(&release).state, w::ReleaseState::Live);
    let rollout = handlers::rollout::rollout(&given.host, w::ReleaseRef { release: release.clone() }).unwrap();
    assert!(rollout.waves.iter().all(|wave| wave.state == w::WaveState::Passed), "{:?}", rollout.waves);
    assert!(!rollout.samples.is_empty(), "this desk took the samples");
    let sent = &rollout.dispatches[1];
    let log = w::LogRequest { release: release.clone(), request_id: sent.request_id.clone(), from_line: 0, limit: 100 };
    let log = handlers::rollout::rollout_log(&given.host, log).unwrap();
    assert!(log.lines.iter().any(|line| line.text == "deployed 1.0.0") && !log.live, "{log:?}");

    // A release that is not well in its first segment halts there, and is taken back.
    let faulty = until_asked(&given, &repository, "1.1.0");
    sign_off(&given, &faulty);
    let went = dispatch(&given, &faulty);
    assert!(matches!(went, w::JobOutcome::Dispatched { result: w::RolloutResult::Halted, .. }), "{went:?}");
    let view = given.release(&faulty);
    assert_eq!(view.state, w::ReleaseState::RolloutHalted);
    let waits = overview::inbox(&given.host).unwrap().items;
    assert!(waits.iter().any(|item| item.kind == w::InboxKind::Rollout), "{waits:?}");
    let job = given.start(w::Intent::Rollback { release: faulty.clone(), resend: None }, &secret(MANAGER));
    let ended = given.ended(&job);
    assert!(
        matches!(ended.outcome, Some(w::JobOutcome::Dispatched { result: w::RolloutResult::RolledBack, .. })),
        "{ended:?}"
    );
    assert_eq!(given.release(&faulty).state, w::ReleaseState::RolledBack);
    assert!(std::fs::read_to_string(state.join("production")).unwrap().contains("\"1.0.0\""));
    let close = |release: &str, result: &str| w::Intent::Close {
        release: release.to_owned(),
        result: result.to_owned(),
        reason: "looked at".to_owned(),
    };
    given.act(close(&faulty, "taken back at once"), &secret(MANAGER));
    assert_eq!(given.release(&faulty).state, w::ReleaseState::Reviewed);
    leaves(&given);
}

/// What leaves the ledger: a bundle, a backup, a table of entries.
fn leaves(given: &Given) {
    let fingerprint = desk::session(&given.host).unwrap().ledger.unwrap().fingerprint;
    let bundle = given.pick(given.dir.path().join("shop.zip"));
    let job =
        handlers::audit::export_bundle(&given.host, w::ExportBundle { release: None, path: bundle.clone() }).unwrap();
    let w::JobOutcome::Written { missing, .. } = given.done(&job) else { panic!("a bundle") };
    assert!(missing.is_empty());
    let open =
        |fingerprint| desk::open_bundle(&given.host, w::OpenBundle { path: bundle.clone(), fingerprint }).unwrap();
    let view = open(Some(fingerprint.clone()));
    assert_eq!((view.verified.verdict, view.releases.len()), (w::VerifyVerdict::Valid, 2), "{:?}", view.verified);
    assert_eq!((view.fingerprint.as_str(), view.title.as_str(), view.sample), (fingerprint.as_str(), "Shop", false));
    assert_eq!(open(Some("0".repeat(64))).verified.verdict, w::VerifyVerdict::Invalid);
    assert_eq!(open(None).verified.findings[0].code, "unanchored");

    let table = given.dir.path().join("entries.csv");
    let filter = w::AuditFilter {
        actors: vec![QA.to_owned()],
        acts: vec![],
        release: None,
        product: None,
        after: None,
        before: None,
        text: String::new(),
        only_findings: false,
    };
    let saved = w::SaveAudit { filter: filter.clone(), path: given.pick(&table) };
    given.done(&handlers::audit::save_audit(&given.host, saved).unwrap());
    let text = std::fs::read_to_string(&table).unwrap();
    let request = w::AuditRequest { filter, newest_first: false, page: page(0, 1) };
    let total = handlers::audit::audit(&given.host, request).unwrap().total as usize;
    assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), total + 1);
    assert!(text.contains(QA) && text.lines().any(|line| line.starts_with("# filter,")));

    let backup = given.pick(given.dir.path().join("backup"));
    let job = handlers::audit::back_up(&given.host, w::BackUp { path: backup.clone() }).unwrap();
    let w::JobOutcome::BackedUp { entries, .. } = given.done(&job) else { panic!("a backup") };
    let info = desk::inspect_backup(&given.host, w::InspectBackup { path: backup.clone() }).unwrap();
    assert_eq!((info.entries, info.fingerprint.as_str()), (entries, fingerprint.as_str()));
    let directory = given.pick(given.dir.path().join("restored"));
    let job = desk::restore_backup(&given.host, w::RestoreBackup { path: backup, directory }).unwrap();
    given.done(&job);
    let session = desk::session(&given.host).unwrap();
    assert_eq!((session.mode, session.ledger.unwrap().entries), (w::SessionMode::Open, entries));
}

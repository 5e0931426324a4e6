//! The gate, run as a pipeline runs it: what it lets through, and what it refuses by which name.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use chrono::{DateTime, Utc};
use countersign_app::attestation::{
    Attestation, Distinct, GATE, Header, NAMESPACE, Quorum, Trust, TrustedKey, TrustedPerson,
};
use countersign_core::act::{self, Act, Artifact, Common, DispatchKind, LiveRelease, PlannedWave, Verdict, Window};
use countersign_core::admit::Statement;
use countersign_core::entry::Entry;
use countersign_core::hash::Digest;
use countersign_core::sshsig::{self, PublicKey};
use countersign_core::words::{EntryRef, Timestamp};
use ed25519_dalek::SigningKey;

/// Somebody with a key, by the first part of their principal.
type Who = &'static str;

fn key(who: Who) -> SigningKey {
    SigningKey::from_bytes(Digest::of(who.as_bytes()).as_bytes())
}

fn principal(who: Who) -> String {
    format!("{who}@acme.example")
}

fn now() -> i64 {
    Utc::now().timestamp()
}

fn time(seconds_from_now: i64) -> Timestamp {
    Timestamp::from_epoch_seconds(now() + seconds_from_now).unwrap()
}

const NEW: &[u8] = b"the artifact of 1.1.0";
const OLD: &[u8] = b"the artifact of 1.0.0";

/// When people signed. One moment for all: an entry made again must be the same entry, or a sheet would change its digest,
/// and with it its claim, whenever the clock turns to the next second.
static SIGNED_AT: LazyLock<Timestamp> = LazyLock::new(|| time(-60));

/// Signs an entry as the application composes it.
fn entry(who: Who, act: impl Into<Act>) -> Entry {
    let act = act.into();
    let name = act.name();
    let common = Common {
        app: act::App { build: "unknown".parse().unwrap(), version: "0.1.0".parse().unwrap() },
        device: principal("desk").parse().unwrap(),
        nonce: "0123456789abcdef".parse().unwrap(),
        // Whatever a person writes is text: none of it may pass for a field.
        reason: Some(r#"All green ,"verdict":"no-go" {"role":"x"} ,"environment":"staging" \ é"#.parse().unwrap()),
        reauth: Some(act::Reauth::Prompt),
        rules: act::RULES_VERSION,
        seen: act::Seen { origin: "acme".parse().unwrap(), root: Digest::of(b"root").to_base64(), size: 7 },
        seen_basis: Some(act::SeenBasis::Full),
        signer: act::Signer {
            name: format!(r#"{who} "the ,\"signer\": one""#).parse().unwrap(),
            principal: principal(who).parse().unwrap(),
        },
        time: *SIGNED_AT,
        zone: "Europe/Paris".parse().unwrap(),
    };
    let subject = vec![Artifact { name: "shop ,\"version\":\"9\"".parse().unwrap(), sha256: Digest::of(NEW) }];
    Entry::sign(&Statement { common, subject, act }.payload(), name, &key(who)).unwrap()
}

fn reference(index: u64, leaf: Digest) -> EntryRef {
    EntryRef { index, leaf }
}

fn sheet() -> act::Request {
    let some = |text: &str| Digest::of(text.as_bytes());
    let old = LiveRelease {
        artifacts: vec![Artifact { name: "shop 1.0.0".parse().unwrap(), sha256: Digest::of(OLD) }],
        commit: "a".repeat(40).parse().unwrap(),
        release: "shop-1.0.0".parse().unwrap(),
        version: "1.0.0".parse().unwrap(),
    };
    act::Request {
        artifacts: vec![
            Artifact { name: "shop ]},\"rollback\":".parse().unwrap(), sha256: Digest::of(NEW) },
            Artifact { name: "notes".parse().unwrap(), sha256: some("notes") },
        ],
        asked: vec![],
        authorization: None,
        candidate: reference(3, some("candidate")),
        change_type: act::ChangeType::Normal,
        changes: some("changes"),
        commit: "b".repeat(40).parse().unwrap(),
        due: None,
        environment: "production".parse().unwrap(),
        evidence: act::EvidenceManifest { count: 2, digest: some("manifest") },
        external: None,
        live: Some(old.clone()),
        not_after: time(3600),
        policy: reference(1, some("policy")),
        product: "shop".parse().unwrap(),
        release: "shop-1.1.0".parse().unwrap(),
        rollback: Some(old),
        rollout: ["canary", "segment", "everyone"]
            .map(|segment| PlannedWave { bake_seconds: 60, segment: segment.parse().unwrap() })
            .to_vec(),
        scheduled: false,
        stage: Some(reference(4, some("stage"))),
        target: reference(2, some("target")),
        version: "1.1.0".parse().unwrap(),
        waivers: vec![],
        window: Window { from: time(-600), until: time(1800) },
    }
}

fn verdict(who: Who, role: &str, about: Digest) -> act::Approval {
    let _ = who;
    act::Approval {
        authorization: None,
        conditions: vec![],
        meaning: act::Meaning::Approval,
        request: reference(5, about),
        role: role.parse().unwrap(),
        verdict: Verdict::Go,
    }
}

fn grant() -> act::Authorization {
    act::Authorization {
        change: act::AuthorizationChange::Grant {
            change_types: vec![act::ChangeType::Standard],
            environment: "production".parse().unwrap(),
            max_commits: 5,
            per_day: 2,
            product: "shop".parse().unwrap(),
            template: None,
            valid: Window { from: time(-600), until: time(3600) },
        },
    }
}

/// A pipeline about to deploy, and what it was handed.
struct Run {
    root: tempfile::TempDir,
    trust: Trust,
    /// What the pipeline is about to do.
    variables: BTreeMap<&'static str, String>,
    artifact: &'static [u8],
    requester: Who,
    sheet: act::Request,
    /// The verdicts on the sheet.
    votes: Vec<(Who, &'static str)>,
    header: Header,
    dispatcher: Who,
    /// The standing authorization with the verdicts that adopted it.
    standing: Option<(act::Authorization, Vec<(Who, &'static str)>)>,
    claimed: Vec<&'static str>,
    /// The last word on the parts, after they were signed.
    patch: Box<dyn Fn(&mut Vec<(String, Vec<u8>)>)>,
    /// The last word on the whole.
    garble: Box<dyn Fn(String) -> String>,
}

impl Run {
    /// A deploy of the first wave that everybody agreed on.
    fn good() -> Self {
        let root = tempfile::tempdir().unwrap();
        let trusted = |who: Who| TrustedKey {
            principal: principal(who).parse().unwrap(),
            key: PublicKey::of(&key(who)),
            valid_before: None,
        };
        let person = |who: Who, roles: &[&str]| TrustedPerson {
            key: trusted(who),
            roles: roles.iter().map(|role| role.parse().unwrap()).collect(),
        };
        let sheet = sheet();
        Self {
            trust: Trust {
                environment: "production".parse().unwrap(),
                product: Some("shop".parse().unwrap()),
                ledger: Some("acme.example/ledger".parse().unwrap()),
                dispatchers: vec![trusted("desk"), trusted("worker")],
                quorum: Some(Quorum {
                    roles: BTreeMap::from([("qa".parse().unwrap(), 1), ("owner.product".parse().unwrap(), 1)]),
                    by_change: BTreeMap::new(),
                    people: vec![
                        person("rita", &[]),
                        person("ann", &["qa", "owner.product"]),
                        person("bob", &["qa", "owner.product"]),
                        person("cyd", &["qa"]),
                    ],
                    distinct: Distinct::SignersAndRequester,
                    authorizations: vec![],
                }),
            },
            variables: BTreeMap::from([
                ("COUNTERSIGN_VERSION", "1.1.0".to_owned()),
                ("COUNTERSIGN_ENVIRONMENT", "production".to_owned()),
                ("COUNTERSIGN_WAVE", "canary".to_owned()),
                ("COUNTERSIGN_REQUEST_ID", "0197-r".to_owned()),
            ]),
            artifact: NEW,
            requester: "rita",
            votes: vec![("ann", "qa"), ("bob", "owner.product")],
            header: Header {
                artifact: Digest::of(NEW),
                commit: sheet.commit.clone(),
                environment: "production".parse().unwrap(),
                kind: DispatchKind::Deploy,
                ledger: "acme.example/ledger".parse().unwrap(),
                not_after: time(600),
                release: sheet.release.clone(),
                request_id: "0197-r".parse().unwrap(),
                sheet: Digest::of(b"filled in later"),
                version: "1.1.0".parse().unwrap(),
                wave: "canary".parse().unwrap(),
            },
            sheet,
            dispatcher: "desk",
            standing: None,
            claimed: vec![],
            patch: Box::new(|_| {}),
            garble: Box::new(|text| text),
            root,
        }
    }

    fn quorum(&mut self) -> &mut Quorum {
        self.trust.quorum.as_mut().unwrap()
    }

    fn wave(&mut self, wave: &str) {
        self.header.wave = wave.parse().unwrap();
        self.variables.insert("COUNTERSIGN_WAVE", wave.to_owned());
    }

    /// The way back after the first wave.
    fn roll_back(&mut self) {
        self.header.kind = DispatchKind::Rollback;
        self.header.artifact = Digest::of(OLD);
        self.header.version = "1.0.0".parse().unwrap();
        self.header.commit = "a".repeat(40).parse().unwrap();
        self.artifact = OLD;
        self.variables.insert("COUNTERSIGN_VERSION", "1.0.0".to_owned());
        self.variables.insert("COUNTERSIGN_KIND", "rollback".to_owned());
        self.claimed = vec!["deploy/SHEET/production/canary"];
    }

    /// Nobody signs: the worker asks and says GO under an authorization that three people adopted.
    fn continuous(&mut self) {
        let standing = (grant(), vec![("ann", "qa"), ("bob", "owner.product")]);
        let leaf = entry("rita", standing.0.clone()).leaf_hash();
        self.sheet.authorization = Some(reference(9, leaf));
        self.quorum().authorizations = vec![Digest::of(b"another"), leaf];
        self.standing = Some(standing);
        self.requester = "worker";
        self.dispatcher = "worker";
        self.votes = vec![("worker", "release-manager")];
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// The attestation as the dispatcher makes it, with the last words on it.
    fn attestation(&mut self) -> String {
        let request = entry(self.requester, self.sheet.clone());
        self.header.sheet = request.leaf_hash();
        let authorization = self.standing.as_ref().map(|(grant, _)| entry("rita", grant.clone()));
        let approvals = self.votes.iter().map(|(who, role)| {
            let mut body = verdict(who, role, request.leaf_hash());
            if ["desk", "worker"].contains(who) {
                body.authorization = authorization.as_ref().map(|entry| reference(9, entry.leaf_hash()));
            }
            entry(who, body)
        });
        let adoptions = self
            .standing
            .iter()
            .flat_map(|(_, votes)| votes)
            .map(|(who, role)| entry(who, verdict(who, role, authorization.as_ref().unwrap().leaf_hash())));
        let whole = Attestation {
            header: self.header.clone(),
            approvals: approvals.collect(),
            conditions: vec![],
            adoptions: adoptions.collect(),
            request: Some(request),
            authorization,
        };
        let text = whole.encode(&key(self.dispatcher)).unwrap();
        let lines = String::from_utf8(Base64::decode_vec(&text).unwrap()).unwrap();
        let mut parts: Vec<(String, Vec<u8>)> = lines
            .lines()
            .map(|line| line.split_once(' ').unwrap())
            .map(|(name, content)| (name.to_owned(), Base64::decode_vec(content).unwrap()))
            .collect();
        (self.patch)(&mut parts);
        let lines: String =
            parts.iter().map(|(name, content)| format!("{name} {}\n", Base64::encode_string(content))).collect();
        (self.garble)(Base64::encode_string(lines.as_bytes()))
    }

    /// The gate as the pipeline starts it, but for the attestation.
    fn command(&self) -> Command {
        let mut command = Command::new("bash");
        command
            .arg(self.path("gate.sh"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("TMPDIR", self.root.path())
            .env("COUNTERSIGN_TRUST", self.path("trust"))
            .env("COUNTERSIGN_CLAIMS", self.path("claims"))
            .env("COUNTERSIGN_ARTIFACT_FILE", self.path("artifact"))
            .envs(&self.variables)
            .stdin(Stdio::null());
        command
    }

    /// Runs the gate; the people it counted, or the code of its refusal.
    fn judge(&mut self) -> Result<String, String> {
        let attestation = self.attestation();
        self.judge_text(&attestation)
    }

    fn judge_text(&mut self, attestation: &str) -> Result<String, String> {
        self.trust.write(&self.path("trust")).unwrap();
        fs::create_dir_all(self.path("claims")).unwrap();
        for claim in &self.claimed {
            let claim = claim.replace("SHEET", &self.header.sheet.to_string());
            fs::create_dir_all(self.path("claims").join(claim)).unwrap();
        }
        fs::write(self.path("artifact"), self.artifact).unwrap();
        fs::write(self.path("attestation"), attestation).unwrap();
        fs::write(self.path("gate.sh"), GATE).unwrap();
        let output = self.command().env("COUNTERSIGN_ATTESTATION_FILE", self.path("attestation")).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            assert_eq!(stderr, "", "a gate that lets through complains of nothing");
            assert!(stdout.starts_with("gate: accepted: "), "{stdout}");
            return Ok(stdout);
        }
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert_eq!(stdout, "", "a gate that refuses says nothing else");
        let line = stderr.strip_suffix('\n').unwrap_or(&stderr);
        assert!(!line.contains('\n'), "one line says why: {stderr}");
        let code = line.strip_prefix("gate: refused: ").and_then(|rest| rest.split_once(": "));
        Err(code.unwrap_or_else(|| panic!("{stderr}")).0.to_owned())
    }
}

#[track_caller]
fn check(what: &str, expected: &str, change: impl FnOnce(&mut Run)) {
    let mut run = Run::good();
    change(&mut run);
    let found = run.judge().map_or_else(|code| code, |_| "accepted".to_owned());
    assert_eq!(found, expected, "{what}");
    let left: Vec<_> = fs::read_dir(run.root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("tmp")), "{what}: {left:?} stays behind");
}

/// Replaces the header and signs it again: what somebody with the dispatcher's key can do.
fn resign(parts: &mut [(String, Vec<u8>)], change: impl Fn(String) -> String) {
    let header = change(String::from_utf8(parts[0].1.clone()).unwrap());
    parts[1].1 = sshsig::sign(&key("desk"), NAMESPACE, header.as_bytes()).into_bytes();
    parts[0].1 = header.into_bytes();
}

#[test]
fn what_people_signed_for_is_let_through() {
    let mut run = Run::good();
    let said = run.judge().unwrap();
    assert!(said.contains("deploy of 1.1.0 ("), "{said}");
    assert!(said.contains("gate: signed: ann@acme.example as qa\n"), "{said}");
    assert!(said.contains("gate: signed: bob@acme.example as owner.product\n"), "{said}");

    check("another dispatcher", "accepted", |run| run.dispatcher = "worker");
    check("more people than needed", "accepted", |run| run.votes.push(("cyd", "qa")));
    check("the same vote twice", "accepted", |run| run.votes.push(("ann", "qa")));
    check("one person in two roles, where that is allowed", "accepted", |run| {
        run.quorum().distinct = Distinct::Nobody;
        run.votes = vec![("ann", "qa"), ("ann", "owner.product")];
    });
    check("the requester signs, where that is allowed", "accepted", |run| {
        run.quorum().distinct = Distinct::Signers;
        run.requester = "ann";
    });
    check("a first release", "accepted", |run| (run.sheet.live, run.sheet.rollback) = (None, None));
    check("a later wave after the earlier ones, the sheet run out", "accepted", |run| {
        run.wave("everyone");
        run.claimed = vec!["deploy/SHEET/production/canary", "deploy/SHEET/production/segment"];
        run.sheet.not_after = time(-60);
        run.sheet.window.until = time(-120);
    });
    check("the way back, the sheet run out", "accepted", |run| {
        run.roll_back();
        run.sheet.not_after = time(-60);
        run.sheet.window.until = time(-120);
    });
    check("nobody signs, under an adopted authorization", "accepted", Run::continuous);
    check("a person asks, the authorization signs", "accepted", |run| {
        run.continuous();
        run.requester = "rita";
        run.sheet.authorization = None;
    });
    check("nothing but what is needed is pinned", "accepted", |run| {
        (run.trust.product, run.trust.ledger) = (None, None)
    });
}

#[test]
fn what_is_about_to_happen_must_be_what_was_signed() {
    check("another file", "wrong_artifact", |run| run.artifact = b"something else");
    check("another version", "wrong_version", |run| {
        run.variables.insert("COUNTERSIGN_VERSION", "1.1".to_owned());
    });
    check("another wave", "wrong_wave", |run| {
        run.variables.insert("COUNTERSIGN_WAVE", "everyone".to_owned());
    });
    check("another request", "wrong_request_id", |run| {
        run.variables.insert("COUNTERSIGN_REQUEST_ID", "0197-s".to_owned());
    });
    check("another kind", "wrong_kind", |run| {
        run.variables.insert("COUNTERSIGN_KIND", "rollback".to_owned());
    });
    check("another ledger", "wrong_ledger", |run| run.header.ledger = "acme.example/other".parse().unwrap());
    check("the run is for another environment", "wrong_environment", |run| {
        run.variables.insert("COUNTERSIGN_ENVIRONMENT", "staging".to_owned());
    });
    check("the header is for another environment", "wrong_environment", |run| {
        run.header.environment = "testing".parse().unwrap();
    });
    check("the sheet is for another environment", "wrong_environment", |run| {
        run.sheet.environment = "testing".parse().unwrap();
    });
    check("the sheet is for another product", "wrong_product", |run| run.sheet.product = "till".parse().unwrap());
    check("the sheet is for another release", "wrong_release", |run| run.sheet.release = "shop-1.2.0".parse().unwrap());
    check("the sheet is for another version", "wrong_version", |run| run.sheet.version = "1.2.0".parse().unwrap());
    check("the sheet is for another commit", "wrong_commit", |run| run.sheet.commit = "c".repeat(40).parse().unwrap());
    check("the sheet does not list the file", "wrong_artifact", |run| {
        run.sheet.artifacts.remove(0);
    });
    check("the sheet has no such wave", "wrong_wave", |run| run.wave("elsewhere"));
    check("the way back is not the way forward", "wrong_artifact", |run| {
        run.artifact = OLD;
        run.header.artifact = Digest::of(OLD);
    });
    check("the way forward is not the way back", "wrong_artifact", |run| {
        run.roll_back();
        run.artifact = NEW;
        run.header.artifact = Digest::of(NEW);
    });
    check("there is no way back", "wrong_artifact", |run| {
        run.roll_back();
        run.sheet.rollback = None;
    });
}

#[test]
fn a_staging_attestation_never_opens_production() {
    check("a header for staging", "staging_not_production", |run| run.header.environment = "staging".parse().unwrap());
    check("a sheet for staging under a header for production", "staging_not_production", |run| {
        run.sheet.environment = "staging".parse().unwrap();
    });
    check("a header alone", "no_human_signature", |run| {
        run.patch = Box::new(|parts| parts.truncate(2));
    });
    check("a header and a sheet", "no_human_signature", |run| run.votes.clear());
}

#[test]
fn staging_needs_no_person_and_is_let_through_once_for_each_request() {
    let staging = |run: &mut Run| {
        run.trust.environment = "staging".parse().unwrap();
        run.trust.quorum = None;
        run.header.environment = "staging".parse().unwrap();
        run.variables.insert("COUNTERSIGN_ENVIRONMENT", "staging".to_owned());
        run.patch = Box::new(|parts| parts.truncate(2));
    };
    check("a delivery", "accepted", staging);
    check("a delivery of another file", "wrong_artifact", |run| {
        staging(run);
        run.artifact = OLD;
    });
    check("a production attestation", "wrong_environment", |run| {
        staging(run);
        run.header.environment = "production".parse().unwrap();
    });
    check("a candidate that the header does not name", "sheet_mismatch", |run| {
        staging(run);
        run.patch = Box::new(|parts| {
            parts.truncate(3);
            parts[2].1.push(b'\n');
        });
    });
    let mut run = Run::good();
    staging(&mut run);
    run.judge().unwrap();
    assert_eq!(run.judge().unwrap_err(), "already_claimed");
    run.header.request_id = "0197-again".parse().unwrap();
    run.header.not_after = time(900);
    run.variables.insert("COUNTERSIGN_REQUEST_ID", "0197-again".to_owned());
    run.judge().unwrap();
    run.header.request_id = "0197-late".parse().unwrap();
    run.header.not_after = time(800);
    run.variables.insert("COUNTERSIGN_REQUEST_ID", "0197-late".to_owned());
    assert_eq!(run.judge().unwrap_err(), "overtaken");
}

#[test]
fn nothing_is_let_through_too_late_or_too_early() {
    check("the header ran out", "expired", |run| run.header.not_after = time(-1));
    check("the sheet ran out", "expired", |run| run.sheet.not_after = time(-1));
    check("the window is over", "expired", |run| run.sheet.window.until = time(-1));
    check("the window is to come", "too_early", |run| run.sheet.window.from = time(600));
    check("the authorization ran out", "expired", |run| {
        run.continuous();
        let until = time(-1);
        if let Some((act::Authorization { change: act::AuthorizationChange::Grant { valid, .. } }, _)) =
            &mut run.standing
        {
            valid.until = until;
        }
        let leaf = entry("rita", run.standing.as_ref().unwrap().0.clone()).leaf_hash();
        run.sheet.authorization = Some(reference(9, leaf));
        run.quorum().authorizations = vec![leaf];
    });
    let soon = DateTime::from_timestamp(now() - 86_400, 0).unwrap();
    check("a key that is no longer accepted", "bad_human_signature", |run| {
        run.quorum().people[1].key.valid_before = Timestamp::from_epoch_seconds(soon.timestamp());
    });
}

#[test]
fn a_wave_is_let_through_once_and_in_its_turn() {
    let mut run = Run::good();
    let first = run.attestation();
    let sheet = run.header.sheet;
    run.judge_text(&first).unwrap();
    // A replay is a replay at any time, byte for byte or signed once more.
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(run.judge_text(&first).unwrap_err(), "already_claimed", "a replay");
    assert_eq!(run.judge().unwrap_err(), "already_claimed", "a replay, made again");

    // "Send again" has another request id and the same claim.
    run.header.request_id = "0197-again".parse().unwrap();
    run.variables.insert("COUNTERSIGN_REQUEST_ID", "0197-again".to_owned());
    let again = run.attestation();
    assert_ne!(again, first);
    assert_eq!(run.header.sheet, sheet);
    assert_eq!(run.judge_text(&again).unwrap_err(), "already_claimed", "the same claim under a new request id");
    run.dispatcher = "worker";
    assert_eq!(run.judge().unwrap_err(), "already_claimed", "the same claim from another dispatcher");

    run.wave("everyone");
    assert_eq!(run.judge().unwrap_err(), "wave_order");
    run.wave("segment");
    run.judge().unwrap();

    // The way back closes the way forward, and may be tried again.
    let claimed = run.claimed.clone();
    run.roll_back();
    run.claimed = claimed;
    run.judge().unwrap();
    assert_eq!(run.judge().unwrap_err(), "already_claimed", "a replay of the way back");
    let asks = |run: &mut Run, request: &'static str, seconds: i64| {
        run.header.request_id = request.parse().unwrap();
        run.header.not_after = time(seconds);
        run.variables.insert("COUNTERSIGN_REQUEST_ID", request.to_owned());
    };
    asks(&mut run, "0197-third", 900);
    run.judge().unwrap();
    // One that was held up and comes when a later one was let through: by now another release may be live.
    asks(&mut run, "0197-second", 800);
    assert_eq!(run.judge().unwrap_err(), "overtaken");
    asks(&mut run, "0197-fourth", 1000);
    run.judge().unwrap();

    let mut forward = Run::good();
    forward.wave("everyone");
    forward.claimed =
        vec!["deploy/SHEET/production/canary", "deploy/SHEET/production/segment", "rollback/SHEET/production/segment"];
    assert_eq!(forward.judge().unwrap_err(), "rolled_back");

    check("nothing to take back", "wave_order", |run| {
        run.roll_back();
        run.claimed.clear();
    });
}

#[test]
fn of_many_at_once_one_is_let_through() {
    let mut run = Run::good();
    let attestation = run.attestation();
    run.judge_text(&attestation).unwrap();
    fs::remove_dir_all(run.path("claims/deploy")).unwrap();
    let mut started: Vec<_> = (0..6)
        .map(|_| run.command().env("COUNTERSIGN_ATTESTATION", &attestation).stderr(Stdio::null()).spawn().unwrap())
        .collect();
    let accepted = started.iter_mut().filter_map(|gate| gate.wait().unwrap().success().then_some(())).count();
    assert_eq!(accepted, 1);
}

#[test]
fn only_the_right_keys_count() {
    check("a dispatcher the pipeline does not know", "bad_dispatcher_signature", |run| run.dispatcher = "mallory");
    check("a person signs the header", "bad_dispatcher_signature", |run| run.dispatcher = "ann");
    check("the header was changed", "bad_dispatcher_signature", |run| {
        run.patch = Box::new(|parts| {
            let text = String::from_utf8(parts[0].1.clone()).unwrap();
            parts[0].1 = text.replace("wave=canary", "wave=everyone").into_bytes();
        });
    });
    check("a signature made for another purpose", "bad_dispatcher_signature", |run| {
        run.patch = Box::new(|parts| {
            parts[1].1 = sshsig::sign(&key("desk"), "countersign-dispatch@v1", &parts[0].1).into_bytes();
        });
    });
    check("a stranger signs", "bad_human_signature", |run| run.votes[0] = ("mallory", "qa"));
    check("a stranger asks", "bad_human_signature", |run| run.requester = "mallory");
    check("a vote was changed", "bad_human_signature", |run| {
        run.patch = Box::new(|parts| {
            let text = String::from_utf8(parts[3].1.clone()).unwrap();
            parts[3].1 = text.replace("owner.product", "qa").replace("\"qa\"", "\"owner.product\"").into_bytes();
        });
    });
    check("a name changed hands", "bad_human_signature", |run| {
        run.patch = Box::new(|parts| {
            let text = String::from_utf8(parts[3].1.clone()).unwrap();
            parts[3].1 = text.replace("ann@acme.example", "cyd@acme.example").into_bytes();
        });
    });
    check("a vote signed as something else", "bad_human_signature", |run| {
        run.patch = Box::new(|parts| {
            let text = String::from_utf8(parts[3].1.clone()).unwrap();
            let line = &text[..=text.find('\n').unwrap()];
            let armor = sshsig::sign(&key("ann"), "countersign-export@v1", line.as_bytes());
            parts[3].1 = format!("{line}{armor}").into_bytes();
        });
    });
    check("the sheet was changed", "sheet_mismatch", |run| {
        run.patch = Box::new(|parts| {
            let text = String::from_utf8(parts[2].1.clone()).unwrap();
            parts[2].1 = text.replace("1.1.0", "1.1.1").into_bytes();
        });
    });
    check("a machine asks", "bad_human_signature", |run| run.requester = "desk");
}

#[test]
fn the_people_must_be_the_people_asked_for() {
    check("too few", "quorum_missing", |run| {
        run.votes.pop();
    });
    check("the same person twice", "quorum_missing", |run| {
        run.quorum().roles.insert("qa".parse().unwrap(), 2);
        run.votes.push(("ann", "qa"));
    });
    // Those of its own type of change are asked in place of the others.
    let asked = |change, count| {
        move |run: &mut Run| {
            assert_eq!(run.sheet.change_type, act::ChangeType::Normal);
            run.quorum().by_change.insert(change, BTreeMap::from([("qa".parse().unwrap(), count)]));
        }
    };
    check("too few for this type of change", "quorum_missing", asked(act::ChangeType::Normal, 2));
    check("what another type asks for", "accepted", asked(act::ChangeType::Emergency, 9));
    check("fewer for this type of change", "accepted", |run| {
        asked(act::ChangeType::Normal, 1)(run);
        run.votes.pop();
    });
    check("fewer for another type of change", "quorum_missing", |run| {
        asked(act::ChangeType::Emergency, 1)(run);
        run.votes.pop();
    });
    check("one person in two roles", "not_distinct", |run| {
        run.votes = vec![("ann", "qa"), ("ann", "owner.product")];
    });
    check("the requester signs", "not_distinct", |run| run.requester = "ann");
    check("a role that is not theirs", "wrong_role", |run| run.votes[1] = ("cyd", "owner.product"));
    check("somebody without a role", "wrong_role", |run| run.votes[0] = ("rita", "qa"));
    for no in [Verdict::NoGo, Verdict::Hold, Verdict::ConditionalGo] {
        check(no.as_str(), "not_go", move |run| {
            run.patch = Box::new(move |parts| {
                let sheet = Entry::parse(parts[2].1.clone()).unwrap().leaf_hash();
                let body = act::Approval { verdict: no, ..verdict("ann", "qa", sheet) };
                parts.push(("approval".to_owned(), entry("cyd", body).into_leaf()));
            });
        });
    }
    check("a vote on another sheet", "sheet_mismatch", |run| {
        run.patch = Box::new(|parts| {
            parts[3].1 = entry("ann", verdict("ann", "qa", Digest::of(b"another"))).into_leaf();
        });
    });
    check("no sheet", "sheet_mismatch", |run| {
        run.patch = Box::new(|parts| {
            parts.remove(2);
        });
    });
    // Of a revoked key nothing is good, whatever else is listed.
    let mut run = Run::good();
    run.trust.write(&run.path("trust")).unwrap();
    fs::write(run.path("trust/revoked"), format!("{}\n", PublicKey::of(&key("ann")))).unwrap();
    assert_eq!(run.judge().unwrap_err(), "bad_human_signature");
}

/// Puts a GO of ann on two conditions in the place of her plain one, and those that were settled behind the verdicts.
fn on_conditions(run: &mut Run, settled: &'static [(Who, u64)]) {
    run.patch = Box::new(move |parts| {
        let sheet = Entry::parse(parts[2].1.clone()).unwrap().leaf_hash();
        let body = act::Approval {
            verdict: Verdict::ConditionalGo,
            conditions: vec![
                r#"the night shift is told ","condition":1"#.parse().unwrap(),
                "the ward [\"7\"] agrees".parse().unwrap(),
            ],
            ..verdict("ann", "qa", sheet)
        };
        let approval = entry("ann", body);
        let leaf = approval.leaf_hash();
        parts[3].1 = approval.into_leaf();
        for (who, condition) in settled {
            let body = act::Condition { approval: reference(7, leaf), condition: *condition };
            parts.push(("condition".to_owned(), entry(who, body).into_leaf()));
        }
    });
}

#[test]
fn a_go_on_conditions_counts_once_each_is_settled_by_who_may_fill_its_role() {
    check("both settled by herself", "accepted", |run| on_conditions(run, &[("ann", 0), ("ann", 1)]));
    check("settled by two in her role", "accepted", |run| on_conditions(run, &[("cyd", 1), ("ann", 0), ("cyd", 0)]));
    check("one is open", "not_go", |run| on_conditions(run, &[("ann", 1)]));
    check("one is settled twice, one is open", "not_go", |run| on_conditions(run, &[("ann", 0), ("cyd", 0)]));
    check("none is settled", "not_go", |run| on_conditions(run, &[]));
    check("one it does not have", "not_go", |run| on_conditions(run, &[("ann", 0), ("ann", 2)]));
    check("settled by somebody of another role", "not_go", |run| {
        run.quorum().people[2].roles = vec!["owner.product".parse().unwrap()];
        on_conditions(run, &[("ann", 0), ("bob", 1)]);
    });
    check("settled by nobody who is known", "bad_human_signature", |run| {
        on_conditions(run, &[("ann", 0), ("mallory", 1)])
    });
    check("settled by a machine", "bad_human_signature", |run| on_conditions(run, &[("ann", 0), ("desk", 1)]));
    check("settled for another verdict", "not_go", |run| {
        on_conditions(run, &[("ann", 0)]);
        let before = std::mem::replace(&mut run.patch, Box::new(|_| {}));
        run.patch = Box::new(move |parts| {
            before(parts);
            let body = act::Condition { approval: reference(7, Digest::of(b"another")), condition: 1 };
            parts.push(("condition".to_owned(), entry("ann", body).into_leaf()));
        });
    });
    check("a settled condition that was changed", "bad_human_signature", |run| {
        on_conditions(run, &[("ann", 0), ("ann", 0)]);
        let before = std::mem::replace(&mut run.patch, Box::new(|_| {}));
        run.patch = Box::new(move |parts| {
            before(parts);
            let last = parts.last_mut().unwrap();
            let text = String::from_utf8(last.1.clone()).unwrap();
            last.1 = text.replace("\"condition\":0", "\"condition\":1").into_bytes();
        });
    });
}

#[test]
fn a_machine_alone_is_never_a_go() {
    check("a machine's GO, which this pipeline accepts none of", "bad_human_signature", |run| {
        run.votes = vec![("desk", "qa")];
    });
    check("a machine's GO under nothing", "no_human_signature", |run| {
        run.quorum().authorizations = vec![Digest::of(b"another")];
        run.votes = vec![("desk", "qa")];
    });
    check("a machine's GO among people's", "no_human_signature", |run| {
        run.quorum().authorizations = vec![Digest::of(b"another")];
        run.votes.push(("desk", "qa"));
    });
    check("an authorization the pipeline does not accept", "no_human_signature", |run| {
        run.continuous();
        run.quorum().authorizations = vec![Digest::of(b"another")];
    });
    check("nobody adopted it", "no_human_signature", |run| {
        run.continuous();
        run.standing.as_mut().unwrap().1.clear();
    });
    check("too few adopted it", "quorum_missing", |run| {
        run.continuous();
        run.standing.as_mut().unwrap().1.pop();
    });
    check("who granted it adopted it too", "not_distinct", |run| {
        run.continuous();
        run.quorum().people[0].roles = vec!["qa".parse().unwrap()];
        run.standing.as_mut().unwrap().1[0] = ("rita", "qa");
    });
    check("a machine adopted it", "bad_human_signature", |run| {
        run.continuous();
        run.standing.as_mut().unwrap().1[0] = ("worker", "qa");
    });
    check("people's verdicts do not fill what adoption lacks", "quorum_missing", |run| {
        run.continuous();
        run.standing.as_mut().unwrap().1.pop();
        run.votes.push(("bob", "owner.product"));
    });
    check("the authorization is missing", "no_human_signature", |run| {
        run.continuous();
        run.patch = Box::new(|parts| parts.retain(|(name, _)| name != "authorization"));
    });
    check("another authorization comes along", "sheet_mismatch", |run| {
        run.continuous();
        run.patch = Box::new(|parts| {
            let place = parts.iter().position(|(name, _)| name == "authorization").unwrap();
            parts[place].1 = entry("ann", grant()).into_leaf();
        });
    });
    for (what, expected, environment, product) in [
        ("an authorization for another environment", "wrong_environment", "testing", "shop"),
        ("an authorization for another product", "wrong_product", "production", "till"),
    ] {
        check(what, expected, |run| {
            run.continuous();
            let changed = act::Authorization {
                change: act::AuthorizationChange::Grant {
                    change_types: vec![],
                    environment: environment.parse().unwrap(),
                    max_commits: 1,
                    per_day: 1,
                    product: product.parse().unwrap(),
                    template: None,
                    valid: Window { from: time(-1), until: time(600) },
                },
            };
            let leaf = entry("rita", changed.clone()).leaf_hash();
            run.sheet.authorization = Some(reference(9, leaf));
            run.quorum().authorizations = vec![leaf];
            run.standing.as_mut().unwrap().0 = changed;
        });
    }
    check("an authorization beside people's verdicts", "malformed", |run| {
        run.standing = Some((grant(), vec![]));
    });
}

#[test]
fn what_is_not_exactly_an_attestation_is_refused() {
    let whole: [(&str, fn(String) -> String); 7] = [
        ("nothing", |_| String::new()),
        ("not base64", |_| "*".to_owned()),
        ("half a group of it", |text| text[..text.len() / 8 * 4 + 1].to_owned()),
        ("broken lines", |text| text.replacen("A", "A\n", 3)),
        ("carriage returns", |text| format!("{text}\r\n")),
        ("huge", |text| text.repeat(60)),
        ("another encoding", |text| text.replace('+', "-").replace('/', "_") + "-"),
    ];
    for (what, garble) in whole {
        check(what, "malformed", |run| run.garble = Box::new(garble));
    }

    type Parts = Vec<(String, Vec<u8>)>;
    let parts: [(&str, fn(&mut Parts)); 12] = [
        ("no header", |parts| {
            parts.remove(0);
        }),
        ("no signature", |parts| {
            parts.remove(1);
        }),
        ("two headers", |parts| parts.insert(0, parts[0].clone())),
        ("two sheets", |parts| parts.insert(2, parts[2].clone())),
        ("out of order", |parts| parts.swap(2, 3)),
        ("a part of an unknown name", |parts| parts.push(("extra".to_owned(), b"x".to_vec()))),
        ("a part that is a path", |parts| parts.push(("../../header".to_owned(), b"x".to_vec()))),
        ("an empty part", |parts| parts[3].1.clear()),
        ("an entry with carriage returns", |parts| {
            parts[3].1 = String::from_utf8(parts[3].1.clone()).unwrap().replace('\n', "\r\n").into_bytes();
        }),
        ("an entry with two signatures", |parts| {
            let armor = parts[1].1.clone();
            parts[3].1.extend(armor);
        }),
        ("an entry that is too large", |parts| {
            parts[3].1.splice(0..0, vec![b' '; 70_000]);
        }),
        ("too many parts", |parts| {
            for _ in 0..150 {
                parts.push(("approval".to_owned(), b"x".to_vec()));
            }
        }),
    ];
    for (what, patch) in parts {
        check(what, "malformed", |run| run.patch = Box::new(patch));
    }
}

#[test]
fn a_part_of_an_attestation_opens_nothing() {
    let mut run = Run::good();
    let whole = run.attestation();
    let step = whole.len() / 20 / 4 * 4;
    for cut in (step..whole.len()).step_by(step) {
        assert!(run.judge_text(&whole[..cut]).is_err(), "{cut} of {} characters", whole.len());
    }
    run.judge_text(&whole).unwrap();
}

#[test]
fn a_signed_header_has_one_form() {
    let headers: [(&str, fn(String) -> String); 12] = [
        ("a key twice", |text| text.replace("wave=canary\n", "wave=canary\nwave=everyone\n")),
        ("a key twice, the first one wrong", |text| text.replace("kind=", "kind=rollback\nkind=")),
        ("a key too many", |text| text.replace("kind=", "just=this\nkind=")),
        ("a key too few", |text| text.replace("kind=deploy\n", "")),
        ("another order", |text| text.replace("kind=deploy\n", "") + "kind=deploy\n"),
        ("no line feed at the end", |text| text.trim_end().to_owned()),
        ("a line feed too many", |text| text + "\n"),
        ("carriage returns", |text| text.replace('\n', "\r\n")),
        ("a zero byte", |text| text.replace("canary", "can\0ary")),
        ("a way out of the claims", |text| text.replace("wave=canary", "wave=../../canary")),
        ("a digest in capitals", |text| text.replace("artifact=", "artifact=A")),
        ("a time that is none", |text| text.replace("not_after=", "not_after=0x")),
    ];
    for (what, change) in headers {
        check(what, "malformed", |run| run.patch = Box::new(move |parts| resign(parts, change)));
    }
    check("signed again and unchanged", "accepted", |run| run.patch = Box::new(|parts| resign(parts, |text| text)));
}

/// An enrolled person may sign whatever bytes they like. What reads one way to the application and another way to a
/// search for text must not pass.
#[test]
fn a_signed_entry_has_one_reading() {
    fn rewrite(parts: &mut [(String, Vec<u8>)], place: usize, who: Who, act: &str, change: impl Fn(&str) -> String) {
        let text = String::from_utf8(parts[place].1.clone()).unwrap();
        let line = format!("{}\n", change(text.lines().next().unwrap()));
        let armor = sshsig::sign(&key(who), &format!("countersign-{act}@v1"), line.as_bytes());
        parts[place].1 = format!("{line}{armor}").into_bytes();
    }
    let votes: [(&str, fn(&str) -> String); 6] = [
        ("verdict twice", |line| line.replace("\"verdict\":\"go\"", "\"verdict\":\"no-go\",\"verdict\":\"go\"")),
        ("no verdict", |line| line.replace("\"verdict\":\"go\",", "")),
        ("spelled with an escape", |line| line.replace("\"verdict\":\"go\"", "\"verdict\":\"\\u0067o\"")),
        ("role twice", |line| line.replace("\"role\":\"qa\"", "\"role\":\"cook\",\"role\":\"qa\"")),
        ("signer twice", |line| {
            line.replace("\"signer\":", "\"signer\":{\"name\":\"x\",\"principal\":\"bob@acme.example\"},\"signer\":")
        }),
        ("not an object", |line| format!("[{line}]")),
    ];
    for (what, change) in votes {
        check(what, "malformed", |run| {
            run.patch = Box::new(move |parts| rewrite(parts, 3, "ann", "approval", change));
        });
    }
    let sheets: [(&str, fn(&str) -> String); 4] = [
        ("environment twice", |line| {
            line.replace("\"environment\":\"production\"", "\"environment\":\"staging\",\"environment\":\"production\"")
        }),
        ("artifacts twice", |line| line.replace("\"artifacts\":[", "\"artifacts\":[],\"artifacts\":[")),
        ("two ways back", |line| line.replace("\"rollback\":", "\"rollback\":{\"artifacts\":[]},\"rollback\":")),
        ("a sheet with blanks", |line| line.replace(':', ": ")),
    ];
    for (what, change) in sheets {
        check(what, "malformed", |run| {
            run.patch = Box::new(move |parts| {
                rewrite(parts, 2, "rita", "request", change);
                let mut leaf = vec![0];
                leaf.extend(&parts[2].1);
                let (old, new) = (Entry::parse_hash(&parts[0].1), Digest::of(&leaf).to_string());
                resign(parts, |text| text.replace(&old, &new));
                for (who, place) in [("ann", 3), ("bob", 4)] {
                    rewrite(parts, place, who, "approval", |line| line.replace(&old, &new));
                }
            });
        });
    }
}

trait SheetOf {
    fn parse_hash(header: &[u8]) -> String;
}

impl SheetOf for Entry {
    /// The `sheet` of a header.
    fn parse_hash(header: &[u8]) -> String {
        let text = String::from_utf8(header.to_vec()).unwrap();
        text.lines().find_map(|line| line.strip_prefix("sheet=")).unwrap().to_owned()
    }
}

#[test]
fn what_is_not_set_up_opens_nothing() {
    for name in ["COUNTERSIGN_VERSION", "COUNTERSIGN_ENVIRONMENT", "COUNTERSIGN_WAVE", "COUNTERSIGN_REQUEST_ID"] {
        check(name, "not_configured", |run| {
            run.variables.insert(name, String::new());
        });
    }
    for name in ["COUNTERSIGN_TRUST", "COUNTERSIGN_CLAIMS", "COUNTERSIGN_ARTIFACT_FILE"] {
        check(name, "not_configured", |run| {
            run.variables.insert(name, "/nowhere".to_owned());
        });
    }
    let good = Run::good().trust.requirement().unwrap();
    let broken = [
        ("empty", String::new()),
        ("no dispatcher", good.replace("dispatcher", "#")),
        ("no environment", good.replace("environment", "#")),
        ("nobody", good.replace("require ", "#")),
        ("a word misspelled", good.replace("distinct", "distinkt")),
        ("a count that is none", good.replace("qa 1", "qa one")),
        ("none at all", good.replace("qa 1", "qa 0")),
        ("a type of change that is none", good.clone() + "require qa 1 urgent\n"),
        ("one type of change alone", good.replace(" 1\n", " 1 normal\n")),
        ("anybody", good.replace("dispatcher desk@acme.example", "dispatcher *")),
        ("two environments", good.clone() + "environment staging\n"),
        ("people and none", good.clone() + "human no\n"),
        ("production without people", "environment production\ndispatcher desk@acme.example\nhuman no\n".to_owned()),
    ];
    for (what, requirement) in broken {
        let mut run = Run::good();
        let attestation = run.attestation();
        run.judge_text(&attestation).unwrap();
        fs::remove_dir_all(run.path("claims/deploy")).unwrap();
        let trust = run.path("elsewhere");
        fs::create_dir_all(&trust).unwrap();
        fs::copy(run.path("trust/allowed_signers"), trust.join("allowed_signers")).unwrap();
        fs::write(trust.join("requirement"), requirement).unwrap();
        run.variables.insert("COUNTERSIGN_TRUST", trust.display().to_string());
        assert_eq!(run.judge_text(&attestation).unwrap_err(), "not_configured", "{what}");
    }
    // A pattern instead of a name would take anybody's word.
    let mut run = Run::good();
    let attestation = run.attestation();
    run.trust.write(&run.path("trust")).unwrap();
    let trust = run.path("elsewhere");
    fs::create_dir_all(&trust).unwrap();
    fs::copy(run.path("trust/requirement"), trust.join("requirement")).unwrap();
    let signers = fs::read_to_string(run.path("trust/allowed_signers")).unwrap();
    fs::write(trust.join("allowed_signers"), signers.replace("ann@acme.example", "*")).unwrap();
    run.variables.insert("COUNTERSIGN_TRUST", trust.display().to_string());
    assert_eq!(run.judge_text(&attestation).unwrap_err(), "not_configured");
}

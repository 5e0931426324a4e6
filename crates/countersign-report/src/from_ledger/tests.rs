//! A real small ledger, made through the core act by act, and what its report must say.

use super::*;
use crate::model::*;
use countersign_core::act::{
    self, Act, App, Approval, Common, ConnectorConfig, DeviceCard, DeviceChange, Enrol, EnrolAccept, Genesis, Grant,
    PersonCard, ProposeChange, Recovery, RunRef, Segment, Signer, Window, accountability,
};
use countersign_core::admit::Statement;
use countersign_core::decide::{Command, Context, decide};
use countersign_core::entry::Entry;
use countersign_core::evidence;
use countersign_core::rejection::Code;
use countersign_core::sshsig::PublicKey;
use countersign_core::words::EntryRef;
use ed25519_dalek::SigningKey;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::str::FromStr;
use std::sync::LazyLock;

const OLGA: &str = "olga@acme.example";
const OTTO: &str = "otto@acme.example";
const RITA: &str = "rita@acme.example";
const ROLF: &str = "rolf@acme.example";
const ALICE: &str = "alice@acme.example";
const SAM: &str = "sam@acme.example";
const DESK: &str = "desk-1@acme.example";
const WORKER: &str = "worker-1@acme.example";

/// Everybody beside the founder: principal, printed name, role.
const PEOPLE: [(&str, &str, &str); 5] = [
    (OTTO, "Otto Berg", "process-owner"),
    (RITA, "Rita Okafor", "release-manager"),
    (ROLF, "Rolf Lindqvist", "release-manager"),
    (ALICE, "Alice Moreau", "qa"),
    (SAM, "Sam Dvořák", "security"),
];

const POLICY: &str = "\
schema = 1
product = \"pump\"
mode = \"continuous-deployment\"
soak_seconds = 600

[[evidence]]
gate = \"unit tests\"
kind = \"junit\"

[[quorum]]
role = \"qa\"

[[quorum]]
role = \"security\"

[[wave]]
segment = \"canary\"
bake_seconds = 300

[[wave]]
segment = \"everyone\"
bake_seconds = 60
";

#[track_caller]
fn word<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error:?}"))
}

fn key_of(name: &str) -> SigningKey {
    SigningKey::from_bytes(Digest::of(name.as_bytes()).as_bytes())
}

fn printed(who: &str) -> &str {
    let known = PEOPLE.iter().find(|(principal, ..)| *principal == who).map(|(_, name, _)| *name);
    known.unwrap_or(match who {
        OLGA => "Olga Haas",
        DESK => "Desk one",
        _ => "Worker one",
    })
}

/// A ledger in the making, in virtual time, under keys made from names.
struct Making {
    state: State,
    leaves: Vec<Vec<u8>>,
    blobs: BTreeMap<Digest, Vec<u8>>,
    now: Timestamp,
}

impl Making {
    fn context(&self, who: &str) -> Context {
        let person = who != DESK && who != WORKER;
        Context {
            app: App { build: word("unknown"), version: word("0.1.0") },
            device: word(DESK),
            signer: Signer { name: word(printed(who)), principal: word(who) },
            reason: person.then(|| word("as agreed in the meeting")),
            reauth: person.then_some(act::Reauth::Prompt),
            seen_basis: person.then_some(act::SeenBasis::Full),
            now: self.now,
            zone: word("Europe/Paris"),
            nonce: word(&format!("{:016x}", self.leaves.len())),
            origin: word("acme.example/ledger/1"),
        }
    }

    #[track_caller]
    fn command(&mut self, who: &str, command: Command) -> EntryRef {
        let statement = decide(&self.state, command, &self.context(who)).unwrap_or_else(|refused| panic!("{refused}"));
        self.write(who, &statement).unwrap_or_else(|finding| panic!("{finding}"))
    }

    #[track_caller]
    fn act(&mut self, who: &str, act: impl Into<Act>) -> EntryRef {
        self.command(who, Command::Record(act.into()))
    }

    /// Writes a statement into the ledger as an insider can, whatever it says.
    fn write(&mut self, who: &str, statement: &Statement) -> Result<EntryRef, countersign_core::rejection::Finding> {
        let entry = Entry::sign(&statement.payload(), statement.act.name(), &key_of(who)).unwrap();
        self.take(entry.into_leaf())
    }

    fn take(&mut self, leaf: Vec<u8>) -> Result<EntryRef, countersign_core::rejection::Finding> {
        self.leaves.push(leaf.clone());
        self.state.take(leaf)
    }

    fn later(&mut self, seconds: i64) {
        self.now = self.now.plus_seconds(seconds);
    }

    fn keep(&mut self, bytes: impl Into<Vec<u8>>) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        self.blobs.insert(digest, bytes);
        digest
    }

    fn release(&self, id: &str) -> &countersign_core::state::Release {
        &self.state.releases[&word::<ReleaseId>(id)]
    }

    fn found(&mut self) {
        let card = |who: &str, now: Timestamp| PersonCard {
            emails: Vec::new(),
            key: PublicKey::of(&key_of(who)),
            key_origin: act::KeyOrigin::MadeHere,
            name: word(printed(who)),
            principal: word(who),
            valid_until: now.plus_seconds(365 * 86_400),
        };
        let device = |who: &str, purpose| DeviceCard {
            key: PublicKey::of(&key_of(who)),
            log_key: Some(PublicKey::of(&key_of(&format!("{who} log")))),
            name: word(printed(who)),
            principal: word(who),
            purpose,
        };
        self.act(
            OLGA,
            Genesis {
                accountability: accountability(),
                charter: None,
                desk: device(DESK, act::DevicePurpose::Desk),
                owner: card(OLGA, self.now),
                recovery: Recovery { needed: 1, people: vec![word(OTTO)], wait_hours: 72 },
                sample: false,
                title: word("Acme releases"),
            },
        );
        for (who, _, role) in PEOPLE {
            let person = card(who, self.now);
            self.act(OLGA, Enrol { identity: word("passport seen"), person });
            self.act(who, EnrolAccept { accountability: accountability() });
            self.act(
                OLGA,
                act::Role {
                    change: Grant::Grant,
                    principal: word(who),
                    product: None,
                    qualification: None,
                    role: word(role),
                    until: None,
                },
            );
        }
        let change = DeviceChange::Enrol { device: device(WORKER, act::DevicePurpose::Dispatcher) };
        let request = self.act(OLGA, act::Device { change });
        self.answer(OTTO, request, "process-owner", act::Verdict::Go, act::Meaning::Confirmation);
        let path = vec![word("staging"), word("production")];
        self.act(OLGA, act::Product { path, product: word("pump"), title: word("Pump") });
        for (environment, segments) in [("staging", &["all"][..]), ("production", &["canary", "everyone"])] {
            self.target(environment, segments, "deploy-pump");
        }
        self.act(OLGA, act::Policy { product: word("pump"), toml: POLICY.to_owned(), version: 1 });
    }

    fn target(&mut self, environment: &str, segments: &[&str], job: &str) {
        let segment = |name: &&str| Segment { health: Vec::new(), name: word(name), version: Vec::new() };
        self.act(
            OLGA,
            act::Target {
                connector: ConnectorConfig::LocalCommand {
                    command: word("deploy"),
                    script_sha256: Digest::of(b"#!/bin/sh\n"),
                },
                deploy_step: word("deploy"),
                environment: word(environment),
                job: word(job),
                product: word("pump"),
                segments: segments.iter().map(segment).collect(),
            },
        );
    }

    fn answer(&mut self, who: &str, request: EntryRef, role: &str, verdict: act::Verdict, meaning: act::Meaning) {
        let conditions = match verdict {
            act::Verdict::ConditionalGo => vec![word("the canary is watched")],
            _ => Vec::new(),
        };
        self.act(who, Approval { authorization: None, conditions, meaning, request, role: word(role), verdict });
    }

    fn sign(&mut self, who: &str, id: &str, role: &str, verdict: act::Verdict) {
        let request = self.release(id).sheet().unwrap().entry;
        let meaning = if role == "security" { act::Meaning::Review } else { act::Meaning::Approval };
        self.answer(who, request, role, verdict, meaning);
    }

    fn propose(&mut self, id: &str) {
        let commits = serde_json::json!([{
            "author_email": "dana@acme.example", "author_name": "Dana Doe", "co_authors": [],
            "id": "a".repeat(40), "subject": format!("flow: correct {id}"), "tickets": ["PUMP-17"],
        }]);
        let digest = self.keep(serde_json::json!({ "commits": commits, "head": "a".repeat(40) }).to_string());
        let candidate = act::Candidate {
            artifacts: vec![act::Artifact { name: word(&format!("{id}.tar.gz")), sha256: Digest::of(id.as_bytes()) }],
            backout_plan: Some(word("redeploy what was live")),
            change_type: act::ChangeType::Standard,
            changes: act::ChangeList {
                authors: vec![word("dana@acme.example")],
                base: None,
                commits: 1,
                digest,
                tickets: vec![word("PUMP-17")],
            },
            commit: word(&"a".repeat(40)),
            external: None,
            incident: None,
            product: word("pump"),
            risk: Some(word("low")),
            rollout_plan: Some(word("canary, then everyone")),
            security_impact: None,
            version: word(id),
        };
        let change = ProposeChange::Candidate { authorization: None, candidate, supersedes: None };
        self.act(RITA, act::Propose { change, release: word(id) });
    }

    fn observe(&mut self, id: &str, failed: u64, kept: bool, replaces: Option<EntryRef>) -> EntryRef {
        let text = format!("<testsuite tests=\"9\" failures=\"{failed}\"/><!-- {} -->", self.leaves.len());
        let digest = Digest::of(text.as_bytes());
        if kept {
            self.keep(text);
        }
        let body = act::Evidence {
            commit: word(&"a".repeat(40)),
            commit_source: act::CommitSource::Run,
            conclusion: if failed > 0 { evidence::Conclusion::Fail } else { evidence::Conclusion::Pass },
            counts: evidence::Counts::Tests { total: 9, passed: 9 - failed, failed, errors: 0, skipped: 0, flaky: 0 },
            digest,
            kind: evidence::EvidenceKind::Junit,
            name: word("unit.xml"),
            origin: act::EvidenceOrigin::Observed {
                connector: word("buildbot https://ci.acme.example"),
                raw_sha256: Digest::of(b"reply"),
                run: word("builds/17"),
            },
            release: word(id),
            replaces,
            size: 512,
        };
        let mut context = self.context(DESK);
        context.reason = replaces.map(|_| word("the rig was off"));
        let statement = decide(&self.state, Command::Record(body.into()), &context).unwrap();
        self.write(DESK, &statement).unwrap()
    }

    /// Sends an order and walks its journal to the end.
    fn send(
        &mut self,
        id: &str,
        environment: &str,
        kind: DispatchKind,
        by: Option<&str>,
        conclusion: RunConclusion,
    ) -> EntryRef {
        let request_id = word(&format!("{id}/{environment}/{}", self.leaves.len()));
        let (release, environment) = (word(id), word(environment));
        let by = by.map(word);
        self.command(WORKER, Command::Dispatch { release, environment, kind, request_id, by, resends: None });
        let mut last = self.release(id).dispatches.last().unwrap().entry;
        for state in [DispatchState::Sending, DispatchState::Accepted, DispatchState::Bound, DispatchState::Finished] {
            let mut body = self.release(id).dispatches.last().unwrap().body.clone();
            body.state = state;
            if state == DispatchState::Bound {
                body.run = Some(RunRef { attempt: 1, id: word("17"), url: Some(word("https://ci.acme.example/17")) });
            }
            if state == DispatchState::Finished {
                body.conclusion = Some(conclusion);
                body.detail = Some(word("exit status told"));
            }
            last = self.act(WORKER, body);
        }
        last
    }

    fn staged(&mut self, id: &str) {
        let dispatch = self.send(id, "staging", DispatchKind::Deploy, Some(ROLF), RunConclusion::Success);
        self.act(
            WORKER,
            act::Stage {
                artifact: Digest::of(id.as_bytes()),
                dispatch,
                environment: word("staging"),
                release: word(id),
                server_time: None,
                version: word(id),
            },
        );
        self.later(700);
    }

    fn freeze(&mut self, who: &str, id: &str, authorization: Option<EntryRef>) {
        self.command(
            who,
            Command::Freeze {
                release: word(id),
                authorization,
                window: None,
                asked: Vec::new(),
                due: None,
                scheduled: false,
            },
        );
    }

    fn wave(&mut self, id: &str, wave: u64, verdict: act::WaveVerdict) {
        let sheet = self.release(id).sheet().unwrap().clone();
        let bake = i64::try_from(sheet.body.rollout[usize::try_from(wave).unwrap() - 1].bake_seconds).unwrap();
        self.later(bake);
        let failed = if verdict == act::WaveVerdict::Fail { 3 } else { 0 };
        self.act(
            WORKER,
            act::Wave {
                coverage_percent: 100,
                detail: word(if failed > 0 { "3 probes answered 500" } else { "every probe answered" }),
                environment: word("production"),
                failed,
                release: word(id),
                samples: 20,
                span: Window { from: self.now.plus_seconds(-bake), until: self.now },
                sheet: sheet.entry,
                verdict,
                wave,
            },
        );
    }

    fn report(&self) -> Report {
        self.report_of(None)
    }

    fn report_of(&self, release: Option<&ReleaseId>) -> Report {
        report(&Input {
            state: &self.state,
            leaves: &self.leaves,
            fingerprint: Digest::of(&self.leaves[0]),
            verification: Verification {
                verdict: VerificationVerdict::Invalid,
                anchor: Anchor::Fingerprint,
                witnesses: 0,
                findings: Vec::new(),
            },
            release,
            blobs: &|digest| self.blobs.get(digest).cloned(),
            generated: self.now,
            zone: word("Europe/Paris"),
            by: None,
            app_version: "0.1.0",
            app_build: None,
        })
    }
}

/// The ledger of the story; each test reads its report.
static STORY: LazyLock<Making> = LazyLock::new(|| {
    let now = word("2026-11-22T08:00:00Z");
    let mut it = Making { state: State::default(), leaves: Vec::new(), blobs: BTreeMap::new(), now };
    it.found();

    // Live: one answers twice, one under a condition that is settled.
    it.propose("pump-1");
    it.observe("pump-1", 0, true, None);
    it.staged("pump-1");
    it.freeze(RITA, "pump-1", None);
    it.sign(ALICE, "pump-1", "qa", act::Verdict::Hold);
    it.sign(ALICE, "pump-1", "qa", act::Verdict::Go);
    it.sign(SAM, "pump-1", "security", act::Verdict::Go);
    it.send("pump-1", "production", DispatchKind::Deploy, Some(ROLF), RunConclusion::Success);
    it.wave("pump-1", 1, act::WaveVerdict::Pass);
    it.send("pump-1", "production", DispatchKind::Deploy, Some(ROLF), RunConclusion::Success);
    it.wave("pump-1", 2, act::WaveVerdict::Pass);
    it.act(RITA, act::Outcome { release: word("pump-1"), result: word("as planned") });

    // Refused.
    it.propose("pump-2");
    it.observe("pump-2", 0, false, None);
    it.staged("pump-2");
    it.freeze(RITA, "pump-2", None);
    it.sign(ALICE, "pump-2", "qa", act::Verdict::NoGo);
    let request = it.release("pump-2").sheet().unwrap().entry;
    let refused = Approval {
        authorization: None,
        conditions: Vec::new(),
        meaning: act::Meaning::Approval,
        request,
        role: word("qa"),
        verdict: act::Verdict::Go,
    };
    let said = decide(&it.state, Command::Record(refused.clone().into()), &it.context(RITA)).unwrap_err();
    it.act(
        DESK,
        act::Refusal {
            act: word("approval"),
            code: word(said.code.as_str()),
            message: word(&said.message),
            principal: Some(word(RITA)),
            release: Some(word("pump-2")),
        },
    );
    it.act(DESK, act::Attempt { count: 5, principal: word(ALICE) });
    // Somebody writes the refused answer straight into the database.
    let subject = countersign_core::admit::subject(&it.state, &refused.clone().into());
    let context = it.context(RITA);
    let head = it.state.head();
    let forged = Statement {
        common: Common {
            app: context.app,
            device: context.device,
            nonce: context.nonce,
            reason: context.reason,
            reauth: context.reauth,
            rules: act::RULES_VERSION,
            seen: act::Seen { origin: context.origin, root: head.root.to_base64(), size: head.size },
            seen_basis: context.seen_basis,
            signer: context.signer,
            time: context.now,
            zone: context.zone,
        },
        subject,
        act: refused.into(),
    };
    assert_eq!(it.write(RITA, &forged).unwrap_err().code, Code::RoleMissing);
    assert_eq!(it.take(b"not an entry".to_vec()).unwrap_err().code, Code::Malformed);

    // Halted, and run again: the policy forbids that a re-run clears it.
    it.propose("pump-3");
    let red = it.observe("pump-3", 2, true, None);
    it.observe("pump-3", 0, true, Some(red));

    // Out under a standing authorization, and taken back.
    let change = act::AuthorizationChange::Grant {
        change_types: vec![act::ChangeType::Standard],
        environment: word("production"),
        max_commits: 20,
        per_day: 2,
        product: word("pump"),
        template: None,
        valid: Window { from: it.now, until: it.now.plus_seconds(30 * 86_400) },
    };
    let granted = it.act(OLGA, act::Authorization { change });
    it.answer(ALICE, granted, "qa", act::Verdict::Go, act::Meaning::Approval);
    it.answer(SAM, granted, "security", act::Verdict::Go, act::Meaning::Responsibility);
    it.propose("pump-5");
    it.observe("pump-5", 0, true, None);
    it.staged("pump-5");
    it.freeze(WORKER, "pump-5", Some(granted));
    it.command(WORKER, Command::AutomaticGo { release: word("pump-5"), authorization: granted });
    it.act(WORKER, act::Lease { until: it.now.plus_seconds(3600) });
    it.send("pump-5", "production", DispatchKind::Deploy, None, RunConclusion::Success);
    it.wave("pump-5", 1, act::WaveVerdict::Fail);
    it.send("pump-5", "production", DispatchKind::Rollback, Some(ROLF), RunConclusion::Success);

    // Waived.
    it.propose("pump-4");
    it.observe("pump-4", 1, true, None);
    let expires = it.now.plus_seconds(7 * 86_400);
    it.act(SAM, act::Waiver { expires, gate: word("unit tests"), owner: word(OTTO), release: word("pump-4") });
    it.staged("pump-4");
    it.freeze(RITA, "pump-4", None);
    it.sign(ALICE, "pump-4", "qa", act::Verdict::ConditionalGo);

    // What was written is corrected, amended, replaced.
    let first = it.release("pump-1").candidate_entry;
    let (old, new) = (word("low"), word("medium"));
    it.act(RITA, act::Correction { entry: first, field: word("risk"), new, old, removes: None });
    it.target("production", &["canary", "everyone"], "deploy-pump-2");
    let mut candidate = it.release("pump-3").candidate.clone();
    candidate.risk = Some(word("high"));
    it.act(RITA, act::Propose { change: ProposeChange::Amend { candidate }, release: word("pump-3") });
    it
});

#[track_caller]
fn release<'a>(report: &'a Report, id: &str) -> &'a Release {
    report.releases.iter().find(|it| it.id == id).unwrap()
}

/// The acts of the leaves as their own bytes name them.
fn acts_in_leaves(leaves: &[Vec<u8>]) -> BTreeMap<String, u64> {
    let mut acts = BTreeMap::new();
    for leaf in leaves {
        let line = leaf.split(|byte| *byte == b'\n').next().unwrap();
        let act = serde_json::from_slice::<serde_json::Value>(line)
            .ok()
            .and_then(|payload| payload["predicateType"].as_str()?.rsplit('/').nth(1).map(str::to_owned));
        *acts.entry(act.unwrap_or_else(|| UNREADABLE.to_owned())).or_default() += 1;
    }
    acts
}

#[test]
fn the_report_of_a_real_ledger_does_not_contradict_itself() {
    assert_eq!(STORY.report().discrepancies(), []);
}

#[test]
fn the_population_is_that_of_the_leaves() {
    let report = STORY.report();
    let size = STORY.leaves.len() as u64;
    assert_eq!(report.ledger.tree_size, size);
    assert_eq!(report.trail.len() as u64, size);
    let counted: BTreeMap<String, u64> = report.acts.iter().map(|it| (it.act.clone(), it.count)).collect();
    assert_eq!(counted, acts_in_leaves(&STORY.leaves));
    assert_eq!(counted.values().sum::<u64>(), size);
    for (entry, leaf) in report.trail.iter().zip(&STORY.leaves) {
        let hash = Digest::of(&[&[0], leaf.as_slice()].concat());
        assert_eq!(entry.leaf_sha256, hash.to_string(), "entry {}", entry.index);
        let line = leaf.split(|byte| *byte == b'\n').next().unwrap();
        let Ok(payload) = serde_json::from_slice::<serde_json::Value>(line) else { continue };
        let said = &payload["predicate"];
        assert_eq!(entry.at.utc, said["time"], "entry {}", entry.index);
        assert_eq!(entry.by.principal, said["signer"]["principal"], "entry {}", entry.index);
        assert_eq!(entry.reason.as_deref(), said["reason"].as_str(), "entry {}", entry.index);
    }
    assert_eq!(report.ledger.root, STORY.state.head().root.to_base64());
}

#[test]
fn each_figure_of_a_release_is_that_of_its_leaves() {
    let report = STORY.report();
    for it in &report.releases {
        let of = |act: &'static str| {
            STORY.leaves.iter().filter(move |leaf| {
                let line = leaf.split(|byte| *byte == b'\n').next().unwrap();
                serde_json::from_slice::<serde_json::Value>(line).is_ok_and(|payload| {
                    payload["predicateType"].as_str().is_some_and(|it| it.ends_with(&format!("/{act}/v1")))
                        && payload["predicate"]["release"] == it.id.as_str()
                })
            })
        };
        assert_eq!(it.evidence.len(), of("evidence").count(), "{}", it.id);
        assert_eq!(it.sheets.len(), of("request").count(), "{}", it.id);
        assert_eq!(it.waivers.len(), of("waiver").count(), "{}", it.id);
        assert_eq!(it.staging.len(), of("stage").count(), "{}", it.id);
        assert_eq!(it.waves.iter().filter(|it| it.judged.is_some()).count(), of("wave").count(), "{}", it.id);
        let steps: usize = it.dispatches.iter().map(|it| it.journal.len()).sum();
        assert_eq!(steps, of("dispatch").count(), "{}", it.id);
    }
    let signed = report.sign_offs().count()
        + report.releases.iter().flat_map(|it| &it.sheets).filter(|it| it.automatic_go.is_some()).count();
    let adopted: usize = report.authorizations.iter().map(|it| it.adopted_by.len()).sum();
    // One confirms the dispatcher, one was not admitted.
    assert_eq!(signed + adopted + 2, usize::try_from(acts_in_leaves(&STORY.leaves)["approval"]).unwrap());
}

#[test]
fn where_each_release_stands() {
    #[track_caller]
    fn check(id: &str, state: ReleaseState, decision: Option<Decision>, reason: &str) {
        let report = STORY.report();
        let it = release(&report, id);
        assert_eq!((it.state, it.sheets.last().map(|it| it.decision)), (state, decision), "{id}: {}", it.state_reason);
        assert!(it.state_reason.contains(reason), "{id}: {}", it.state_reason);
    }
    check("pump-1", ReleaseState::Reviewed, Some(Decision::Go), "all 2 waves passed");
    check("pump-2", ReleaseState::NoGo, Some(Decision::NoGo), "Alice Moreau said NO-GO");
    check("pump-3", ReleaseState::Halted, None, "2 failed");
    check("pump-5", ReleaseState::RolledBack, Some(Decision::Go), "Taken back to pump-1");
}

#[test]
fn nothing_that_stands_against_is_left_out() {
    let report = STORY.report();
    let kinds = |id: &str| release(&report, id).adverse.iter().map(|it| it.kind).collect::<BTreeSet<_>>();
    let has = |id: &str, wanted: &[AdverseKind]| {
        let found = kinds(id);
        assert!(wanted.iter().all(|kind| found.contains(kind)), "{id}: {found:?} lacks one of {wanted:?}");
    };
    has("pump-1", &[AdverseKind::Held]);
    has("pump-2", &[AdverseKind::NoGo, AdverseKind::Refused, AdverseKind::NotAdmitted, AdverseKind::EvidenceMissing]);
    has("pump-3", &[AdverseKind::Halted, AdverseKind::RedRerun]);
    has("pump-4", &[AdverseKind::Halted, AdverseKind::RedEvidence, AdverseKind::Waived, AdverseKind::Held]);
    has("pump-5", &[AdverseKind::RolloutHalted, AdverseKind::RolledBack]);
    let ledger: Vec<_> = report.adverse.iter().map(|it| it.kind).collect();
    assert_eq!(ledger, [AdverseKind::FailedAttempt, AdverseKind::NotAdmitted]);
    for it in report.all_adverse() {
        assert!(!it.what.is_empty() && it.entry.is_some(), "{it:?}");
    }
}

#[test]
fn an_entry_that_was_not_admitted_is_shown_with_its_finding_and_does_not_count() {
    let report = STORY.report();
    let not: Vec<_> = report.trail.iter().filter(|it| it.admission != Admission::Admitted).collect();
    assert_eq!(not.len(), 2);
    assert!(not[0].summary.starts_with("Without effect. It says: Rita Okafor signed GO as qa"), "{}", not[0].summary);
    assert!(matches!(&not[0].admission, Admission::NotAdmitted { code, .. } if code == "role_missing"));
    assert_eq!((not[1].act.as_str(), not[1].by.name.as_str()), (UNREADABLE, "unknown"));
    let found: Vec<_> = report.verification.findings.iter().map(|it| (it.index, it.code.as_str())).collect();
    assert_eq!(found, [(Some(not[0].index), "role_missing"), (Some(not[1].index), "malformed")]);
    assert!(report.sign_offs().all(|it| it.entry != not[0].index));

    let mut lenient = STORY.report_of(None);
    lenient.verification.verdict = VerificationVerdict::Valid;
    assert!(lenient.discrepancies().iter().any(|it| it.0.contains("found something")), "a false valid is told");
}

#[test]
fn each_sentence_says_who_did_what() {
    let report = STORY.report();
    let said = |text: &str| report.trail.iter().any(|it| it.summary == text);
    let sheet = |id: &str| release(&report, id).sheets[0].frozen.entry;
    for text in [
        format!("Alice Moreau signed GO as qa on the sheet of entry {} of pump pump-1 (Approval: decides on the release).", sheet("pump-1")),
        format!("Alice Moreau signed NO-GO as qa on the sheet of entry {} of pump pump-2 (Approval: decides on the release).", sheet("pump-2")),
        "Olga Haas enrolled Alice Moreau (alice@acme.example); identity: passport seen.".to_owned(),
        "Desk one counted 5 wrong passphrases for Alice Moreau.".to_owned(),
        "Otto Berg signed GO as process-owner for the device Worker one (Confirmation: confirms what another person did).".to_owned(),
    ] {
        assert!(said(&text), "{text}");
    }
    for it in report.trail.iter().filter(|it| it.admission == Admission::Admitted) {
        assert!(it.summary.starts_with(&it.by.name) && it.summary.ends_with('.'), "{}", it.summary);
    }
}

#[test]
fn an_answer_given_anew_no_longer_counts_and_stays_readable() {
    let report = STORY.report();
    let sheet = &release(&report, "pump-1").sheets[0];
    let [hold, go, review] = sheet.sign_offs.as_slice() else { panic!("{:?}", sheet.sign_offs) };
    assert_eq!((hold.verdict, hold.replaced_by), (Verdict::Hold, Some(go.entry)));
    // The target moved since: that is told, and undoes nothing that was dispatched before.
    assert_eq!((go.verdict, go.state, go.replaced_by), (Verdict::Go, SignOffState::Stale, None));
    assert_eq!(go.state_at_dispatch, Some(SignOffState::Valid));
    assert_eq!((review.meaning, review.role.as_str()), (Meaning::Review, "security"));
    assert!(sheet.quorum.iter().all(|rule| rule.counted == 1 && rule.needed == 1), "{:?}", sheet.quorum);
    assert!(sheet.decision_reason.contains("Judged when wave 1 was dispatched"), "{}", sheet.decision_reason);
    assert_eq!(sheet.decision, Decision::Go);
}

#[test]
fn a_sign_off_that_no_longer_counts_names_its_cause() {
    let report = STORY.report();
    let sheet = &release(&report, "pump-4").sheets[0];
    let it = &sheet.sign_offs[0];
    assert_eq!((it.verdict, it.state, it.carries_go()), (Verdict::ConditionalGo, SignOffState::Stale, false));
    assert!(it.cause.as_ref().unwrap().text.contains("the target's configuration"), "{:?}", it.cause);
    assert_eq!(it.conditions, [Condition { text: "the canary is watched".to_owned(), settled: None }]);
    assert_eq!(sheet.decision, Decision::Stale);
}

#[test]
fn an_automatic_go_names_who_adopted_it_and_its_bounds() {
    let report = STORY.report();
    let sheet = &release(&report, "pump-5").sheets[0];
    let go = sheet.automatic_go.as_ref().unwrap();
    assert_eq!((go.state, sheet.decision, sheet.sign_offs.len()), (SignOffState::Valid, Decision::Go, 0));
    let adopted: Vec<_> =
        go.adopted_by.iter().map(|it| (it.signed.by.name.as_str(), it.role.as_str(), it.meaning)).collect();
    assert_eq!(
        adopted,
        [("Alice Moreau", "qa", Meaning::Approval), ("Sam Dvořák", "security", Meaning::Responsibility)]
    );
    assert!(go.bounds.iter().any(|it| it.name.contains("commits") && it.value == "20"), "{:?}", go.bounds);
    assert_eq!(go.used.by.principal, WORKER);
    assert_eq!((report.authorizations.len(), report.authorizations[0].uses), (1, 1));
    // The story signs the target anew afterwards: what was adopted then no longer stands, and the report says why.
    let AuthorizationState::Void { cause } = &report.authorizations[0].state else {
        panic!("{:?}", report.authorizations[0].state)
    };
    assert!(cause.contains("STALE") && cause.contains("target"), "{cause}");
}

#[test]
fn gates_are_told_as_they_were_when_the_sheet_was_frozen() {
    let report = STORY.report();
    let gate =
        |id: &str, name: &str| release(&report, id).sheets[0].gates.iter().find(|it| it.name == name).unwrap().clone();
    let waived = gate("pump-4", "unit tests");
    assert_eq!(
        (waived.conclusion, waived.waived_by),
        (Conclusion::Fail, Some(release(&report, "pump-4").waivers[0].signed.entry))
    );
    // Staging has been redeployed since; when the sheet was frozen it ran there.
    assert_eq!(gate("pump-1", "staging").conclusion, Conclusion::Pass);
    assert_eq!(release(&report, "pump-1").staging[0].soak_seconds, 700);
}

#[test]
fn what_was_changed_shows_both_values() {
    let report = STORY.report();
    let first = release(&report, "pump-1").proposed.entry;
    let corrected = &report.corrections[0];
    assert_eq!(
        (corrected.corrects, corrected.changed.before.as_deref(), corrected.changed.after.as_deref()),
        (first, Some("low"), Some("medium"))
    );
    assert_eq!(report.trail[usize::try_from(first).unwrap()].superseded_by, Some(corrected.made.entry));
    let amended = &release(&report, "pump-3").amendments[0];
    let fields: Vec<_> =
        amended.changed.iter().map(|it| (it.field.as_str(), it.before.as_deref(), it.after.as_deref())).collect();
    assert_eq!(fields, [("risk", Some("low"), Some("high"))]);
    let target = report.trail.iter().rfind(|it| it.act == "target").unwrap();
    assert_eq!(target.changes[0].field, "job");
    assert_eq!(
        (target.changes[0].before.as_deref(), target.changes[0].after.as_deref()),
        (Some("deploy-pump"), Some("deploy-pump-2"))
    );
}

#[test]
fn a_change_list_that_is_not_there_is_not_made_up() {
    let check = |blob: Option<&[u8]>, availability: Availability, commits: usize| {
        let report = report(&Input {
            state: &STORY.state,
            leaves: &STORY.leaves,
            fingerprint: Digest::of(&STORY.leaves[0]),
            verification: STORY.report().verification,
            release: None,
            blobs: &|_| blob.map(<[u8]>::to_vec),
            generated: STORY.now,
            zone: Zone::UTC,
            by: None,
            app_version: "0.1.0",
            app_build: None,
        });
        let it = release(&report, "pump-1");
        assert_eq!((it.change_list.availability.clone(), it.changes.len()), (availability, commits));
        assert_eq!(it.change_list.commits, 1);
    };
    check(None, Availability::Missing, 0);
    check(Some(b"other bytes"), Availability::Missing, 0);
    let report = STORY.report();
    let there = release(&report, "pump-1");
    assert_eq!(there.change_list.availability, Availability::Available);
    assert_eq!(there.changes[0].author, "Dana Doe <dana@acme.example>");
    assert_eq!(release::commits(b"{\"commits\":[{}]}"), None);
    assert_eq!(release::commits(b"[]"), None);
}

#[test]
fn what_runs_is_what_was_live_before_the_rollback() {
    let report = STORY.report();
    let live: Vec<_> = report.live.iter().map(|it| (it.environment.as_str(), it.release.as_str())).collect();
    assert_eq!(live, [("production", "pump-1")]);
    let order = release(&report, "pump-5").dispatches.last().unwrap();
    assert_eq!(
        (order.kind, order.by.principal.as_str(), order.device.principal.as_str()),
        (DispatchKind::Rollback, ROLF, WORKER)
    );
    let last = order.journal.last().unwrap();
    assert_eq!((last.conclusion, last.detail.as_deref()), (Some(RunConclusion::Success), Some("exit status told")));
}

#[test]
fn one_release_lists_only_its_own_entries() {
    let id = word("pump-2");
    let report = STORY.report_of(Some(&id));
    assert_eq!(report.releases.len(), 1);
    assert!(report.trail.iter().all(|it| it.release.as_deref() == Some("pump-2")));
    assert!(report.trail.iter().any(|it| it.admission != Admission::Admitted), "also what was not admitted");
    assert_eq!(report.discrepancies(), []);
    assert_eq!(report.acts.iter().map(|it| it.count).sum::<u64>(), report.ledger.tree_size);
}

#[test]
fn an_empty_ledger_has_an_empty_report() {
    let report = report(&Input {
        state: &State::default(),
        leaves: &[],
        fingerprint: Digest::of(b""),
        verification: Verification {
            verdict: VerificationVerdict::Invalid,
            anchor: Anchor::Unanchored,
            witnesses: 0,
            findings: Vec::new(),
        },
        release: None,
        blobs: &|_| None,
        generated: word("2026-11-22T08:00:00Z"),
        zone: Zone::UTC,
        by: None,
        app_version: "0.1.0",
        app_build: None,
    });
    assert_eq!((report.ledger.tree_size, report.trail.len(), report.discrepancies()), (0, 0, Vec::new()));
}

#[test]
fn leaves_of_another_ledger_are_told_apart_from_its_state() {
    let mut fewer =
        Making { state: STORY.state.clone(), leaves: STORY.leaves.clone(), blobs: BTreeMap::new(), now: STORY.now };
    fewer.leaves.pop();
    assert!(!fewer.report().discrepancies().is_empty());
}

/// 21 CFR 11.50(b): printed name, time and meaning of each signature in every form a person reads.
#[test]
fn name_time_and_meaning_of_each_signature_are_in_all_four_forms() {
    let report = STORY.report();
    let forms = [
        ("html", crate::parity::html_text(&crate::html(&report))),
        ("csv", crate::parity::bare(&crate::csv(&report).unwrap())),
        ("json", crate::parity::bare(&crate::json(&report).unwrap())),
    ];
    let pages = crate::parity::pdf_text(&crate::pdf(&report).unwrap()).map(|text| ("pdf", text));
    let mut signatures = 0;
    for it in report.sign_offs() {
        signatures += 1;
        for (form, text) in forms.iter().chain(&pages) {
            // JSON keeps the word of the closed list, the others print it as text.
            let meaning = if *form == "json" {
                serde_json::to_string(&it.meaning).unwrap()
            } else {
                crate::words::meaning(it.meaning).to_owned()
            };
            for item in [&it.by.name, &it.at.utc, &it.at.zone, &meaning, &it.role] {
                assert!(text.contains(&crate::parity::bare(item)), "{form} lacks {item} of entry {}", it.entry);
            }
        }
    }
    assert_eq!(signatures, 5);
}

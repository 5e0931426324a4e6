//! A small ledger that is the same whenever it is built: fixed keys, fixed times, every kind of entry that leaves
//! something to verify outside itself.

use std::collections::BTreeMap;

use countersign_core::act::{
    Act, Announce, App, Approval, Artifact, Attempt, Authorization, AuthorizationChange, Candidate, ChangeList,
    ChangeType, CommitSource, Condition, ConnectorConfig, Correction, Device, DeviceCard, DeviceChange, DevicePurpose,
    DispatchKind, DispatchState, Enrol, EnrolAccept, Evidence, EvidenceOrigin, Export, Freeze, FreezeChange, Genesis,
    Grant, Hold, HoldChange, Key, KeyChange, KeyOrigin, Late, Lease, Meaning, Outcome, PersonCard, Policy, Product,
    Propose, ProposeChange, Reauth, Recovery, Refusal, Review, ReviewScope, Role, Run, RunConclusion, RunRef,
    RunStatus, SeenBasis, Segment, Signer, Stage, Target, Verdict, Waiver, Wave, WaveVerdict, Window, accountability,
};
use countersign_core::checkpoint::Checkpoint;
use countersign_core::decide::{Command, Context, decide};
use countersign_core::entry::Entry;
use countersign_core::evidence::{Conclusion, Counts, EvidenceKind};
use countersign_core::hash::Digest;
use countersign_core::merkle::{Head, Tree, leaf_hash};
use countersign_core::note::KeyName;
use countersign_core::sshsig::PublicKey;
use countersign_core::state::State;
use countersign_core::words::{EntryRef, ReleaseId, Timestamp};
use ed25519_dalek::SigningKey;

pub(crate) const ORIGIN: &str = "countersign.example/ledger/golden";
pub(crate) const RELEASE: &str = "pump-fw-4.2.0";
pub(crate) const DESK: &str = "desk-1@devices.acme.example";
pub(crate) const DISPATCHER: &str = "worker@devices.acme.example";
const START: &str = "2026-11-22T09:00:00Z";
const VALID_UNTIL: &str = "2027-11-22T00:00:00Z";

/// What somebody wrote who hopes that a reader without a JSON parser takes it for structure.
const LOOK_ALIKE: &str = "ok\",\"signer\":{\"name\":\"Mallory\",\"principal\":\"mallory@acme.example\"},\"time\":\"1999-01-01T00:00:00Z\",\
    \"zone\":\"UTC\"},\"predicateType\":\"https://countersign.example/genesis/v1\",\"seen\":{\"origin\":\"x\",\"root\":\"y\",\"size\":0} \\";

pub(crate) const JUNIT: &[u8] = b"<testsuite name=\"regression\"><testcase name=\"pumps\"/></testsuite>\n";
const POLICY_TOML: &str = "schema = 1
product = \"pump-fw\"
mode = \"continuous-delivery\"

[[evidence]]
gate = \"unit tests\"
kind = \"junit\"

[[quorum]]
role = \"qa\"

[[quorum]]
role = \"security\"

[[wave]]
segment = \"canary\"
bake_seconds = 60

[[wave]]
segment = \"everyone\"
bake_seconds = 60
";

pub(crate) fn parse<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// The key of a person, device or log: the SHA-256 of its name.
pub(crate) fn key(name: &str) -> SigningKey {
    SigningKey::from_bytes(Digest::of(name.as_bytes()).as_bytes())
}

/// A ledger while it is written.
pub(crate) struct Golden {
    pub(crate) state: State,
    pub(crate) leaves: Vec<Vec<u8>>,
    pub(crate) blobs: BTreeMap<Digest, Vec<u8>>,
    /// Who signed each leaf: a person or not.
    pub(crate) human: Vec<bool>,
    now: Timestamp,
    keys: BTreeMap<String, (String, String)>,
}

impl Golden {
    fn new() -> Self {
        let mut keys = BTreeMap::new();
        for (who, name) in [
            ("alice@acme.example", "Alice Moreau"),
            ("bob@acme.example", "Bob \"the releaser\" Okafor"),
            ("carol@acme.example", "Carol Ångström"),
            ("dora@acme.example", "Dora O'Neill \\ QA"),
            ("eve@acme.example", "Eve Lindqvist"),
            (DESK, "Desk 1"),
            (DISPATCHER, "Worker"),
            ("desk-2@devices.acme.example", "Desk 2"),
        ] {
            keys.insert(who.to_owned(), (name.to_owned(), who.to_owned()));
        }
        Self {
            state: State::default(),
            leaves: Vec::new(),
            blobs: BTreeMap::new(),
            human: Vec::new(),
            now: parse(START),
            keys,
        }
    }

    pub(crate) fn blob(&mut self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.blobs.insert(digest, bytes.to_vec());
        digest
    }

    pub(crate) fn key_of(&self, who: &str) -> SigningKey {
        key(&self.keys[who].1)
    }

    fn context(&self, who: &str, reason: Option<&str>) -> Context {
        let person = !who.contains("@devices.");
        Context {
            app: App { build: parse("unknown"), version: parse("0.1.0") },
            device: parse(DESK),
            signer: Signer { name: parse(&self.keys[who].0), principal: parse(who) },
            reason: reason.map(parse),
            reauth: person.then_some(Reauth::Prompt),
            seen_basis: person.then_some(SeenBasis::Full),
            now: self.now,
            zone: parse("Europe/Paris"),
            nonce: parse(&Digest::of(format!("nonce {}", self.leaves.len()).as_bytes()).to_string()[..16]),
            origin: parse(ORIGIN),
        }
    }

    /// Decides, signs and takes in one command, a minute after the last.
    #[track_caller]
    pub(crate) fn record(&mut self, who: &str, command: Command, reason: &str) -> EntryRef {
        self.now = self.now.plus_seconds(60);
        let person = !who.contains("@devices.");
        let context = self.context(who, (person || !reason.is_empty()).then_some(reason));
        let statement = decide(&self.state, command, &context).unwrap();
        let leaf = Entry::sign(&statement.payload(), statement.act.name(), &self.key_of(who)).unwrap().into_leaf();
        self.leaves.push(leaf.clone());
        self.human.push(person);
        self.state.take(leaf).unwrap()
    }

    #[track_caller]
    pub(crate) fn act(&mut self, who: &str, act: impl Into<Act>) -> EntryRef {
        self.record(who, Command::Record(act.into()), if who.contains("@devices.") { "" } else { "as agreed" })
    }

    pub(crate) fn checkpoint(&self) -> String {
        checkpoint(&self.leaves)
    }

    pub(crate) fn fingerprint(&self) -> Digest {
        Digest::of(&self.leaves[0])
    }

    fn person(&self, who: &str) -> PersonCard {
        PersonCard {
            emails: Vec::new(),
            key: PublicKey::of(&self.key_of(who)),
            key_origin: KeyOrigin::Imported,
            name: parse(&self.keys[who].0),
            principal: parse(who),
            valid_until: parse(VALID_UNTIL),
        }
    }

    fn device(&self, who: &str, purpose: DevicePurpose, log_key: Option<&str>) -> DeviceCard {
        DeviceCard {
            key: PublicKey::of(&self.key_of(who)),
            log_key: log_key.map(|name| PublicKey::of(&key(name))),
            name: parse(&self.keys[who].0),
            principal: parse(who),
            purpose,
        }
    }

    fn enrol(&mut self, who: &str, roles: &[&str]) {
        let person = self.person(who);
        self.act("alice@acme.example", Enrol { identity: parse("passport seen"), person });
        self.act(who, EnrolAccept { accountability: accountability() });
        for role in roles {
            let role = parse(role);
            let grant = Role {
                change: Grant::Grant,
                principal: parse(who),
                product: None,
                qualification: None,
                role,
                until: None,
            };
            self.act("alice@acme.example", grant);
        }
    }

    fn answer(&mut self, who: &str, role: &str, verdict: Verdict, release: &str, reason: &str) -> EntryRef {
        let command = Command::Answer {
            release: parse(release),
            role: parse(role),
            verdict,
            meaning: Meaning::Approval,
            conditions: Vec::new(),
        };
        self.record(who, command, reason)
    }

    /// Walks a dispatch from its preparation to its end.
    fn dispatch(&mut self, release: &str, environment: &str, request_id: &str, by: Option<&str>) -> EntryRef {
        self.send(release, environment, DispatchKind::Deploy, request_id, by)
    }

    fn send(
        &mut self,
        release: &str,
        environment: &str,
        kind: DispatchKind,
        request_id: &str,
        by: Option<&str>,
    ) -> EntryRef {
        let id: ReleaseId = parse(release);
        let command = Command::Dispatch {
            release: id.clone(),
            environment: parse(environment),
            kind,
            request_id: parse(request_id),
            by: by.map(parse),
            resends: None,
        };
        let mut last = self.record(DISPATCHER, command, "");
        let of = |state: &State| {
            let found =
                state.releases[&id].dispatches.iter().find(|record| record.body.request_id.as_str() == request_id);
            found.unwrap().body.clone()
        };
        for state in [DispatchState::Sending, DispatchState::Accepted, DispatchState::Bound, DispatchState::Finished] {
            let mut body = of(&self.state);
            body.state = state;
            if state == DispatchState::Bound {
                body.run = Some(RunRef { attempt: 1, id: parse("17"), url: Some(parse("https://ci.acme.example/17")) });
            }
            body.conclusion = (state == DispatchState::Finished).then_some(RunConclusion::Success);
            last = self.act(DISPATCHER, body);
        }
        last
    }

    /// A candidate with its evidence, delivered to staging.
    fn propose(&mut self, release: &str, version: &str, supersedes: Option<&str>) {
        let commit = &Digest::of(version.as_bytes()).to_string()[..40];
        let changes = self.blob(format!("{commit} quiet the bearing\n").as_bytes());
        let candidate = Candidate {
            artifacts: vec![artifact(version)],
            backout_plan: None,
            change_type: ChangeType::Normal,
            changes: ChangeList {
                authors: vec![parse("dev@acme.example")],
                base: None,
                commits: 1,
                digest: changes,
                tickets: vec![parse("PUMP-7")],
            },
            commit: parse(commit),
            external: None,
            incident: None,
            product: parse("pump-fw"),
            risk: Some(parse("the pump may stop")),
            rollout_plan: None,
            security_impact: None,
            version: parse(version),
        };
        let supersedes = supersedes.map(parse);
        let change = ProposeChange::Candidate { authorization: None, candidate, supersedes };
        self.act("bob@acme.example", Propose { change, release: parse(release) });
        let digest = self.blob(JUNIT);
        let observed = EvidenceOrigin::Observed {
            connector: parse("buildbot https://ci.acme.example"),
            raw_sha256: Digest::of(b"a reply that was not kept"),
            run: parse("16"),
        };
        let evidence = Evidence {
            commit: parse(commit),
            commit_source: CommitSource::Run,
            conclusion: Conclusion::Pass,
            counts: Counts::Tests { total: 1, passed: 1, failed: 0, errors: 0, skipped: 0, flaky: 0 },
            digest,
            kind: EvidenceKind::Junit,
            name: parse("regression.xml"),
            origin: observed,
            release: parse(release),
            replaces: None,
            size: JUNIT.len() as u64,
        };
        self.act(DESK, evidence);
        let dispatch = self.dispatch(release, "staging", &format!("stage-{version}"), None);
        let log = self.blob(format!("deployed {version}\n").as_bytes());
        // Names of jobs are the CI system's: they may look like fields of ours.
        let jobs = [
            ("time", "1999-01-01T00:00:00Z"),
            ("log", "x"),
            ("signer", "mallory@acme.example"),
            ("predicateType", "y"),
        ];
        let jobs = jobs.iter().map(|(name, word)| ((*name).to_owned(), parse(word))).collect();
        let run = RunRef { attempt: 1, id: parse("17"), url: None };
        let release_id: ReleaseId = parse(release);
        let request_id = parse(&format!("stage-{version}"));
        let raw = parse("SUCCESS");
        let seen = Run {
            log: Some(log),
            jobs,
            raw,
            release: release_id.clone(),
            request_id,
            run,
            status: RunStatus::Completed,
        };
        self.act(DISPATCHER, seen);
        let stage = Stage {
            artifact: artifact(version).sha256,
            dispatch,
            environment: parse("staging"),
            release: release_id.clone(),
            server_time: Some(self.now),
            version: parse(version),
        };
        self.act(DESK, stage);
        let request = Command::Freeze {
            release: release_id,
            authorization: None,
            window: None,
            asked: Vec::new(),
            due: None,
            scheduled: false,
        };
        self.record("bob@acme.example", request, "ready to decide");
    }

    fn wave(&mut self, release: &str, wave: u64) {
        let id: ReleaseId = parse(release);
        let sheet = self.state.releases[&id].sheet().unwrap().entry;
        let verdict = Wave {
            coverage_percent: 100,
            detail: parse("6 of 6 samples well"),
            environment: parse("production"),
            failed: 0,
            release: id,
            samples: 6,
            span: Window { from: self.now, until: self.now.plus_seconds(60) },
            sheet,
            verdict: WaveVerdict::Pass,
            wave,
        };
        self.act(DISPATCHER, verdict);
    }
}

fn artifact(version: &str) -> Artifact {
    Artifact {
        name: parse(&format!("pump-fw-{version}.bin")),
        sha256: Digest::of(format!("binary {version}").as_bytes()),
    }
}

/// Signs the head of the leaves with the log key of the first desk.
pub(crate) fn checkpoint(leaves: &[Vec<u8>]) -> String {
    let Head { size, root } = head(leaves);
    Checkpoint { origin: KeyName::new(ORIGIN).unwrap(), size, root }.sign(&key("log of desk 1"))
}

pub(crate) fn head(leaves: &[Vec<u8>]) -> Head {
    let mut tree = Tree::new();
    for leaf in leaves {
        tree.append(leaf_hash(leaf));
    }
    tree.head()
}

/// People, a product and its policy, nothing released yet.
pub(crate) fn founded() -> Golden {
    let mut golden = Golden::new();
    let alice = "alice@acme.example";
    let genesis = Genesis {
        accountability: accountability(),
        charter: None,
        desk: golden.device(DESK, DevicePurpose::Desk, Some("log of desk 1")),
        owner: golden.person(alice),
        recovery: Recovery { needed: 0, people: Vec::new(), wait_hours: 0 },
        sample: false,
        title: parse("Pump firmware"),
    };
    golden.record(alice, Command::Record(genesis.into()), "a ledger is founded");
    golden.enrol("bob@acme.example", &["release-manager"]);
    golden.enrol("carol@acme.example", &["qa"]);
    golden.enrol("dora@acme.example", &["security"]);
    let device = golden.device(DISPATCHER, DevicePurpose::Dispatcher, None);
    let dispatcher = golden.act(alice, Device { change: DeviceChange::Enrol { device } });
    let confirmation = Approval {
        authorization: None,
        conditions: Vec::new(),
        meaning: Meaning::Confirmation,
        request: dispatcher,
        role: parse("release-manager"),
        verdict: Verdict::Go,
    };
    golden.act("bob@acme.example", confirmation);
    let path = vec![parse("staging"), parse("production")];
    golden.act(alice, Product { path, product: parse("pump-fw"), title: parse("Pump firmware") });
    for environment in ["staging", "production"] {
        let segment = |name: &str| Segment { health: Vec::new(), name: parse(name), version: Vec::new() };
        let connector =
            ConnectorConfig::LocalCommand { command: parse("deploy"), script_sha256: Digest::of(b"#!/bin/sh\n") };
        let target = Target {
            connector,
            deploy_step: parse("deploy"),
            environment: parse(environment),
            job: parse("pump-fw"),
            product: parse("pump-fw"),
            segments: vec![segment("canary"), segment("everyone")],
        };
        golden.act(alice, target);
    }
    golden.act(alice, Policy { product: parse("pump-fw"), toml: POLICY_TOML.to_owned(), version: 1 });
    golden
}

/// A ledger with one release that was decided: its last two entries are the GOs of Carol and Dora.
pub(crate) fn decided() -> Golden {
    let mut golden = founded();
    golden.propose(RELEASE, "4.2.0", None);
    golden.answer("carol@acme.example", "qa", Verdict::Go, RELEASE, LOOK_ALIKE);
    let reason = "no open finding\nand nothing \"else\"";
    golden.answer("dora@acme.example", "security", Verdict::Go, RELEASE, reason);
    golden
}

/// A ledger with a release that went out, one that was refused, and what else leaves a trace.
pub(crate) fn ledger() -> Golden {
    let (alice, bob, carol, dora) =
        ("alice@acme.example", "bob@acme.example", "carol@acme.example", "dora@acme.example");
    let mut golden = decided();
    for wave in 1..=2 {
        golden.dispatch(RELEASE, "production", &format!("prod-{wave}"), Some(bob));
        golden.wave(RELEASE, wave);
    }
    golden.act(bob, Outcome { release: parse(RELEASE), result: parse("all pumps run") });
    let digest = golden.blob(b"Pump firmware 4.2.0 is live.\n");
    golden.act(DESK, Announce { audience: parse("customers"), digest, event: parse("live"), release: parse(RELEASE) });

    // A key that is renewed, one that is lost before it signed, a desk that comes and goes.
    let renewed = "dora@acme.example second key";
    let rotate = KeyChange::Rotate {
        key: PublicKey::of(&key(renewed)),
        key_origin: KeyOrigin::MadeHere,
        valid_until: parse(VALID_UNTIL),
    };
    golden.act(dora, Key { change: rotate, principal: parse(dora) });
    golden.keys.get_mut(dora).unwrap().1 = renewed.to_owned();
    let person = golden.person("eve@acme.example");
    golden.act(alice, Enrol { identity: parse("passport seen"), person });
    golden.act(alice, Key { change: KeyChange::Lost {}, principal: parse("eve@acme.example") });
    let device = golden.device("desk-2@devices.acme.example", DevicePurpose::Desk, Some("log of desk 2"));
    golden.act(alice, Device { change: DeviceChange::Enrol { device } });
    golden.act(DESK, Attempt { count: 2, principal: parse(carol) });
    let revoke = DeviceChange::Revoke { principal: parse("desk-2@devices.acme.example") };
    golden.act(alice, Device { change: revoke });
    let message = parse(LOOK_ALIKE);
    let code = parse("quorum_missing");
    golden.act(DESK, Refusal { act: parse("dispatch"), code, message, principal: None, release: Some(parse(RELEASE)) });
    let paper = golden.blob(b"a scan");
    golden.act(carol, Late { happened: parse("2026-11-21T08:00:00Z"), paper, record: parse("stood in for the desk") });
    let span = Window { from: parse("2026-12-24T00:00:00Z"), until: parse("2027-01-02T00:00:00Z") };
    let declare = FreezeChange::Declare { environment: None, product: None, recurs: None, span };
    let freeze = golden.act(bob, Freeze { change: declare });
    golden.act(bob, Freeze { change: FreezeChange::Lift { freeze } });

    // A second release that is refused, by the renewed key.
    golden.propose("pump-fw-4.2.1", "4.2.1", None);
    golden.answer(carol, "qa", Verdict::Go, "pump-fw-4.2.1", "as before");
    golden.answer(dora, "security", Verdict::NoGo, "pump-fw-4.2.1", "the bearing is louder");
    golden.act(bob, Hold { change: HoldChange::Hold { question: None }, release: parse("pump-fw-4.2.1") });
    let entry = EntryRef { index: 0, leaf: golden.state.tree.leaf_hash_at(0).unwrap() };
    let correction = Correction {
        entry,
        field: parse("title"),
        new: parse("Pump firmware 4"),
        old: parse("Pump firmware"),
        removes: None,
    };
    golden.act(alice, correction);
    let until = golden.state.tree.size();
    golden.act(alice, Review { findings: parse("none"), from: 0, release: None, scope: ReviewScope::Trail, until });
    let Head { size, root } = golden.state.head();
    golden.act(DESK, Export { root: root.to_base64(), release: None, size });
    golden
}

/// The ledger with everything that can be said in it, each act at least once.
pub(crate) fn every_act() -> Golden {
    let (alice, bob, carol, dora) =
        ("alice@acme.example", "bob@acme.example", "carol@acme.example", "dora@acme.example");
    let mut golden = ledger();
    let approval = |request: EntryRef, role: &str, meaning: Meaning| Approval {
        authorization: None,
        conditions: Vec::new(),
        meaning,
        request,
        role: parse(role),
        verdict: Verdict::Go,
    };

    // A standing authorization that is adopted, suspended and resumed.
    let grant = AuthorizationChange::Grant {
        change_types: vec![ChangeType::Standard],
        environment: parse("production"),
        max_commits: 3,
        per_day: 1,
        product: parse("pump-fw"),
        template: None,
        valid: Window { from: parse(START), until: parse(VALID_UNTIL) },
    };
    let authorization = golden.act(alice, Authorization { change: grant });
    golden.act(carol, approval(authorization, "qa", Meaning::Approval));
    golden.act(dora, approval(authorization, "security", Meaning::Responsibility));
    golden.act(carol, Authorization { change: AuthorizationChange::Suspend { authorization } });
    golden.act(alice, Authorization { change: AuthorizationChange::Resume { authorization } });

    // A third release takes the place of the one that was refused: evidence that a person attached, a waiver, a
    // conditional GO, a wave that fails and the way back.
    let third = "pump-fw-4.2.2";
    let id: ReleaseId = parse(third);
    golden.propose(third, "4.2.2", Some("pump-fw-4.2.1"));
    let notes = b"measured by hand\n";
    let digest = golden.blob(notes);
    let attached = Evidence {
        commit: golden.state.releases[&id].candidate.commit.clone(),
        commit_source: CommitSource::Attacher,
        conclusion: Conclusion::Inconclusive,
        counts: Counts::File { bytes: notes.len() as u64 },
        digest,
        kind: EvidenceKind::Manual,
        name: parse("bench.txt"),
        origin: EvidenceOrigin::Attached {},
        release: id.clone(),
        replaces: None,
        size: notes.len() as u64,
    };
    let attached = golden.act(bob, attached);
    golden.act(carol, approval(attached, "qa", Meaning::Confirmation));
    let waiver =
        Waiver { expires: parse(VALID_UNTIL), gate: parse("unit tests"), owner: parse(bob), release: id.clone() };
    golden.act(dora, waiver);
    let freeze = Command::Freeze {
        release: id.clone(),
        authorization: None,
        window: None,
        asked: Vec::new(),
        due: None,
        scheduled: false,
    };
    golden.record(bob, freeze, "the waiver is listed now");
    let conditional = Command::Answer {
        release: id.clone(),
        role: parse("qa"),
        verdict: Verdict::ConditionalGo,
        meaning: Meaning::Review,
        conditions: vec![parse("the bench is read again")],
    };
    let conditional = golden.record(carol, conditional, "one reading is missing");
    golden.act(carol, Condition { approval: conditional, condition: 0 });
    golden.answer(dora, "security", Verdict::Go, third, "no open finding");
    let question = HoldChange::Hold { question: Some(parse("is the bench calibrated?")) };
    let hold = golden.act(carol, Hold { change: question, release: id.clone() });
    let resume = HoldChange::Resume { answer: Some(parse("in May")), hold };
    golden.act(bob, Hold { change: resume, release: id.clone() });
    for (who, role) in [(carol, "qa"), (dora, "security")] {
        golden.answer(who, role, Verdict::Go, third, "the bench is calibrated");
    }
    golden.dispatch(third, "production", "prod-3", Some(bob));
    let until = golden.now.plus_seconds(1800);
    golden.act(DISPATCHER, Lease { until });
    golden.act(DESK, Hold { change: HoldChange::Halt {}, release: id.clone() });
    golden.send(third, "production", DispatchKind::Rollback, "back-3", Some(bob));
    golden.act(bob, Outcome { release: id, result: parse("taken back: the bearing is louder") });
    let lapse = Role {
        change: Grant::Lapse,
        principal: parse(carol),
        product: None,
        qualification: None,
        role: parse("qa"),
        until: None,
    };
    golden.act(alice, lapse);
    golden
}

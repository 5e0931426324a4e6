//! Reports made by hand for the tests: every state, every verdict, texts that mean harm.

use crate::model::*;
use crate::{csv, html, json, pdf};

fn s(text: &str) -> String {
    text.to_owned()
}

/// A digest that is different for each seed and looks like one.
pub(crate) fn digest(seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
    (0..4)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            format!("{state:016x}")
        })
        .collect()
}

fn commit_id(seed: u64) -> String {
    digest(seed)[..40].to_owned()
}

/// So many minutes after the founding.
fn at(minutes: u64) -> Moment {
    let start = chrono::DateTime::parse_from_rfc3339("2026-11-02T08:00:00Z").unwrap();
    let time = start
        + chrono::Duration::minutes(i64::try_from(minutes).unwrap())
        + chrono::Duration::seconds(i64::try_from(minutes % 53).unwrap());
    Moment { utc: time.format("%Y-%m-%dT%H:%M:%SZ").to_string(), zone: s("Europe/Paris") }
}

fn in_zone(mut moment: Moment, zone: &str) -> Moment {
    moment.zone = s(zone);
    moment
}

fn who(name: &str) -> Party {
    let local = name.to_lowercase().replace("dr. ", "").replace(' ', ".");
    Party { name: s(name), principal: format!("{local}@acme.example") }
}

fn desk() -> Party {
    Party { name: s("Release desk Lyon"), principal: s("device-01jd7q0v6y") }
}

fn stamp(name: &str, entry: u64) -> Stamp {
    Stamp { by: who(name), at: at(entry * 37), entry }
}

fn desk_stamp(entry: u64) -> Stamp {
    Stamp { by: desk(), at: at(entry * 37), entry }
}

/// Says what the entries of a whole ledger are, so that the trail and the counts follow.
struct Trail(Vec<TrailEntry>);

impl Trail {
    fn add(&mut self, act: &str, by: Party, release: Option<&str>, summary: &str, reason: Option<&str>) -> u64 {
        let index = self.0.len() as u64;
        self.0.push(TrailEntry {
            index,
            act: s(act),
            at: at(index * 37),
            clock_suspect: false,
            by,
            device: s("Release desk Lyon"),
            release: release.map(s),
            summary: s(summary),
            reason: reason.map(s),
            changes: Vec::new(),
            superseded_by: None,
            admission: Admission::Admitted,
            leaf_sha256: digest(1_000 + index),
        });
        index
    }

    fn counts(&self) -> Vec<ActCount> {
        let mut counts: Vec<ActCount> = Vec::new();
        for entry in &self.0 {
            match counts.iter_mut().find(|it| it.act == entry.act) {
                Some(it) => it.count += 1,
                None => counts.push(ActCount { act: entry.act.clone(), count: 1 }),
            }
        }
        counts
    }
}

fn key(name: &str, seed: u64, enrolled: u64, status: KeyStatus) -> Key {
    let origin = if seed.is_multiple_of(2) { KeyOrigin::MadeHere } else { KeyOrigin::Imported };
    Key {
        fingerprint: fingerprint(seed),
        origin,
        enrolled: stamp("Maëlle Duval", enrolled),
        identity_stated_by: (name != "Maëlle Duval").then(|| who("Jonas Weber")),
        valid_until: Some(Moment { utc: s("2027-11-02T08:00:00Z"), zone: s("Europe/Paris") }),
        status,
    }
}

fn fingerprint(seed: u64) -> String {
    use base64ct::{Base64Unpadded, Encoding};
    let hex = digest(seed);
    let bytes: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()).collect();
    format!("SHA256:{}", Base64Unpadded::encode_string(&bytes))
}

fn root(seed: u64) -> String {
    let unpadded = fingerprint(seed);
    format!("{}=", unpadded.trim_start_matches("SHA256:"))
}

fn person(name: &str, role: &str, seed: u64, entry: u64) -> Person {
    Person {
        name: s(name),
        principal: who(name).principal,
        identity: (entry > 0).then(|| s("passport seen")),
        roles: vec![RoleSpan { role: s(role), product: None, expires: None, from: entry, until: None }],
        keys: vec![key(name, seed, entry, KeyStatus::InForce)],
        enrolled: stamp("Maëlle Duval", entry),
        accepted: Some(entry + 1),
        qualification: (role == "QA lead").then(|| s("TR-2026-118, until 31 Mar 2027")),
    }
}

pub(crate) fn sign_off(name: &str, role: &str, verdict: Verdict, entry: u64) -> SignOff {
    SignOff {
        by: who(name),
        role: s(role),
        verdict,
        meaning: if role == "Safety" { Meaning::Certification } else { Meaning::Approval },
        reason: s("All 2418 regression tests pass on the frozen set."),
        conditions: Vec::new(),
        at: at(entry * 37),
        key_fingerprint: fingerprint(entry * 2),
        key_origin: KeyOrigin::MadeHere,
        reauth: Some(Reauth::Prompt),
        seen: Seen { size: entry, basis: Some(SeenBasis::Full) },
        entry,
        state: SignOffState::Valid,
        state_at_dispatch: None,
        cause: None,
        replaced_by: None,
    }
}

fn gates() -> Vec<Gate> {
    let gate = |name: &str, conclusion, detail: &str, evidence, waived_by| Gate {
        name: s(name),
        conclusion,
        detail: s(detail),
        evidence,
        waived_by,
    };
    vec![
        gate("fields", Conclusion::Pass, "all required fields are there", Vec::new(), None),
        gate("regression", Conclusion::Fail, "regression.xml: 1 failed, at most 0 allowed", vec![10, 11], Some(15)),
    ]
}

fn sheet(entry: u64, sign_offs: Vec<SignOff>, decision: Decision) -> Sheet {
    let counted = |role: &str| sign_offs.iter().filter(|it| it.role == role && it.carries_go()).count() as u64;
    let quorum = ["QA lead", "Safety", "Product owner"]
        .map(|role| QuorumRule { role: s(role), needed: 1, counted: counted(role) })
        .to_vec();
    Sheet {
        digest: digest(200 + entry),
        frozen: stamp("Jonas Weber", entry),
        environment: s("production"),
        valid_until: Some(at(entry * 37 + 2_880)),
        window: Some(Span { from: at(entry * 37 + 60), until: at(entry * 37 + 300) }),
        policy_version: 12,
        policy_digest: digest(71),
        evidence_manifest: digest(300 + entry),
        evidence_count: 5,
        gates: gates(),
        waivers: vec![15],
        staging: Some(16),
        change_list: digest(400 + entry),
        targets: vec![TargetDigest { environment: s("production"), name: s("pump-gateway-eu"), sha256: digest(72) }],
        rollout: vec![
            PlannedWave { audience: s("5 % of the pilot clinics"), bake_seconds: 7_200 },
            PlannedWave { audience: s("everyone"), bake_seconds: 86_400 },
        ],
        live_before: Some(s("4.1.7")),
        rollback: RollbackSlot::To { version: s("4.1.7"), sha256: digest(73) },
        quorum,
        decision,
        decision_reason: s("What the answers come to, and why."),
        superseded_by: None,
        sign_offs,
        automatic_go: None,
    }
}

fn adoption(name: &str, role: &str, entry: u64) -> Adoption {
    Adoption { signed: stamp(name, entry), role: s(role), verdict: Verdict::Go, meaning: Meaning::Approval }
}

fn step(state: DispatchState, entry: u64, detail: Option<&str>) -> JournalLine {
    JournalLine { state, conclusion: None, detail: detail.map(s), at: at(entry * 37), entry }
}

fn tests(name: &str, entry: u64, failed: u64) -> Evidence {
    Evidence {
        name: s(name),
        kind: EvidenceKind::Junit,
        origin: EvidenceOrigin::Observed {
            connector: s("buildbot"),
            target: s("ci-lyon / pump-fw"),
            reply_sha256: digest(500 + entry),
        },
        counts: Counts::Tests { total: 2_431, passed: 2_418 - failed, failed, errors: 0, skipped: 13, flaky: 3 },
        conclusion: if failed == 0 { Conclusion::Pass } else { Conclusion::Fail },
        sha256: digest(600 + entry),
        commit: Some(Commit { id: commit_id(1), source: CommitSource::Run }),
        availability: Availability::Available,
        freeze: Freeze::Before,
        recorded: desk_stamp(entry),
        superseded_by: None,
    }
}

fn release(id: &str, product: &str, version: &str, state: ReleaseState, entry: u64) -> Release {
    Release {
        id: s(id),
        product: s(product),
        version: s(version),
        commit: Commit { id: commit_id(1), source: CommitSource::File },
        state,
        state_reason: s(
            "Live for everyone since 4 Nov 2026; the segment and the last wave baked without a bad sample.",
        ),
        proposed: stamp("Jonas Weber", entry),
        artifacts: vec![Artifact { name: format!("{product}-{version}.bin"), sha256: digest(entry) }],
        change_type: ChangeType::Normal,
        risk: s("34 of 100"),
        reason: s(
            "Corrects the drift of the flow sensor below 0.5 ml/h (complaint C-2291) and adds the second language of the alarm texts.",
        ),
        security_impact: s(
            "None on authentication or transport. The update service now refuses images signed before 2024.",
        ),
        rollout_plan: s(
            "5 % of the clinics of the pilot group for 2 h, then everyone. Quality decides between the two.",
        ),
        back_out_plan: s(
            "4.1.7 is re-installed by the same pipeline; the pumps keep their settings. Tried in staging on 31 Oct.",
        ),
        external: Some(ExternalRecord {
            system: s("ServiceNow"),
            id: s("CHG0048812"),
            url: s("https://acme.example/nav_to.do?uri=change_request.do?sys_id=CHG0048812"),
            state: s("scheduled"),
        }),
        incident: None,
        change_list: ChangeList {
            sha256: digest(74),
            availability: Availability::Available,
            base: Some(commit_id(5)),
            commits: 3,
            authors: vec![s("lucia@acme.example"), s("ravi.nair@acme.example")],
            tickets: vec![s("C-2291"), s("PUMP-1182"), s("PUMP-1190")],
        },
        changes: vec![
            Change {
                commit: commit_id(2),
                author: s("Ravi Nair"),
                subject: s("flow: correct drift below 0.5 ml/h"),
                tickets: vec![s("PUMP-1182"), s("C-2291")],
            },
            Change {
                commit: commit_id(3),
                author: s("Lucía Fernández Ibáñez"),
                subject: s("alarms: add the second language of the texts"),
                tickets: vec![s("PUMP-1190")],
            },
            Change {
                commit: commit_id(4),
                author: s("Ravi Nair"),
                subject: s("update: refuse images signed before 2024"),
                tickets: Vec::new(),
            },
        ],
        amendments: Vec::new(),
        evidence: Vec::new(),
        gates: gates(),
        waivers: Vec::new(),
        staging: Vec::new(),
        sheets: Vec::new(),
        dispatches: Vec::new(),
        waves: Vec::new(),
        outcome: None,
        adverse: Vec::new(),
    }
}

/// A ledger with everybody in it and no release.
pub(crate) fn empty() -> Report {
    let mut trail = Trail(Vec::new());
    found(&mut trail);
    finish(trail, Vec::new())
}

fn found(trail: &mut Trail) {
    trail.add(
        "genesis",
        who("Maëlle Duval"),
        None,
        "Founds the ledger; recovery by 2 of Maëlle Duval, Jonas Weber, Dr. Ewa Lind after 72 h.",
        Some("Start of the validated period"),
    );
    for (name, role) in [
        ("Jonas Weber", "Release manager"),
        ("Alice Moreau", "QA lead"),
        ("Dr. Ewa Lind", "Safety"),
        ("Chiara Rossi", "Product owner"),
    ] {
        trail.add(
            "enrol",
            who("Maëlle Duval"),
            None,
            &format!("Enrols {name} as {role}."),
            Some("Joins the release team"),
        );
        trail.add(
            "enrol-accept",
            who(name),
            None,
            &format!("{name} accepts the accountability statement."),
            Some("Accepted"),
        );
    }
    trail.add("device", who("Maëlle Duval"), None, "Enrols device Release desk Lyon as desk.", Some("First desk"));
    trail.add(
        "policy",
        who("Maëlle Duval"),
        None,
        "Puts policy version 12 of infusion-pump-fw in force.",
        Some("QMS review of October"),
    );
}

fn finish(trail: Trail, releases: Vec<Release>) -> Report {
    let size = trail.0.len() as u64;
    let toml = "# infusion-pump-fw, policy 12\nmode = \"delivery\"\n\n[evidence]\nrequired = [\"junit\", \"sarif\", \"cyclonedx\"]\nrerun = \"waiver\"\n\n[quorum]\n\"QA lead\" = 1\n\"Safety\" = 1\n\"Product owner\" = 1\n\n[people]\ndistinct = [\"requester\", \"author\", \"attacher\"]\n\n[rollout]\nwaves = [{ audience = \"5 % of the pilot clinics\", bake = \"2 h\" }, { audience = \"everyone\", bake = \"24 h\" }]\nrollback = \"offer\"\n";
    let acts = trail.counts();
    Report {
        ledger: Ledger {
            origin: s("countersign.example/ledger/7f3a"),
            organization: s("Acme Medical Devices SAS"),
            title: s("Infusion systems release ledger"),
            sample: false,
            tree_size: size,
            root: root(size),
            fingerprint: digest(1_000),
            founded: stamp("Maëlle Duval", 0),
        },
        verification: Verification {
            verdict: VerificationVerdict::Valid,
            anchor: Anchor::Fingerprint,
            witnesses: 2,
            findings: Vec::new(),
        },
        scope: Scope::WholeLedger,
        made: Made {
            at: Moment { utc: s("2026-11-22T13:05:31Z"), zone: s("Europe/Paris") },
            by: Some(who("Odile Martin")),
            app_version: s("0.1.0"),
            app_build: Some(digest(42)),
            parameters: vec![
                Parameter { name: s("format"), value: s("pdf") },
                Parameter { name: s("scope"), value: s("whole ledger") },
            ],
        },
        acts,
        releases,
        adverse: Vec::new(),
        people: vec![
            person("Maëlle Duval", "Process owner", 11, 0),
            person("Jonas Weber", "Release manager", 12, 1),
            person("Alice Moreau", "QA lead", 13, 3),
            person("Dr. Ewa Lind", "Safety", 14, 5),
            person("Chiara Rossi", "Product owner", 15, 7),
        ],
        devices: vec![Device {
            name: s("Release desk Lyon"),
            id: desk().principal,
            purpose: DevicePurpose::Desk,
            key_store: DeviceKeyStore::SecretService,
            key_fingerprint: fingerprint(80),
            log_key_fingerprint: Some(fingerprint(82)),
            confirmed: None,
            enrolled: stamp("Maëlle Duval", 9),
            revoked: None,
        }],
        live: vec![Live {
            product: s("infusion-pump-fw"),
            environment: s("production"),
            release: s("r-2026-041"),
            version: s("4.2.0"),
            sha256: digest(76),
        }],
        policies: vec![Policy {
            product: s("infusion-pump-fw"),
            version: 12,
            digest: digest(71),
            toml: s(toml),
            adopted: stamp("Maëlle Duval", 10),
            answers: vec![adoption("Alice Moreau", "QA lead", 10)],
            in_force_since: Some(10),
            superseded_by: None,
        }],
        authorizations: Vec::new(),
        corrections: Vec::new(),
        checklist: vec![
            ChecklistItem {
                clause: s("21 CFR 11.100(c)"),
                what: s("letter that certifies electronic signatures as equivalent"),
                present: Some(s("evidence FDA-letter.pdf, entry 10")),
            },
            ChecklistItem {
                clause: s("21 CFR 11.10(i)"),
                what: s("qualification of everybody who signs"),
                present: None,
            },
        ],
        trail: trail.0,
    }
}

/// Everything that can happen: live, halted with NO-GO, rolled back, an automatic GO, and all eight states of a sign-off.
pub(crate) fn full() -> Report {
    let mut trail = Trail(Vec::new());
    found(&mut trail);

    // A release that goes all the way, after an earlier sheet went stale.
    let id = "r-2026-041";
    let proposed = trail.add(
        "propose",
        who("Jonas Weber"),
        Some(id),
        "Proposes infusion-pump-fw 4.2.0 at commit 9f3c1e7.",
        Some("Corrects complaint C-2291"),
    );
    let red = trail.add("evidence", desk(), Some(id), "Observes regression.xml: 1 failed of 2431.", None);
    let green = trail.add("evidence", desk(), Some(id), "Observes regression.xml: 2418 passed of 2431.", None);
    let scan = trail.add("evidence", desk(), Some(id), "Observes semgrep.sarif: 0 errors, 2 warnings.", None);
    let bill = trail.add("evidence", desk(), Some(id), "Observes bom.cdx.json: 412 components.", None);
    let manual = trail.add(
        "evidence",
        who("Ravi Nair"),
        Some(id),
        "Attaches usability-review.pdf.",
        Some("Formative study of September"),
    );
    let waived = trail.add(
        "waiver",
        who("Alice Moreau"),
        Some(id),
        "Waives the re-run rule for regression.xml.",
        Some("The red case needs the lab network; the rig was off. Passed with the rig on."),
    );
    let staged = trail.add("stage", desk(), Some(id), "Sees 4.2.0 in staging with the same digest.", None);
    let first = trail.add(
        "request",
        who("Jonas Weber"),
        Some(id),
        "Freezes the first sheet for production.",
        Some("All evidence is there"),
    );
    let stale = trail.add("approval", who("Alice Moreau"), Some(id), "Answers GO as QA lead.", Some("All tests pass"));
    let second = trail.add(
        "request",
        who("Jonas Weber"),
        Some(id),
        "Freezes the second sheet for production.",
        Some("The window moved to the evening"),
    );
    let mut signed = Vec::new();
    for (name, role) in [("Alice Moreau", "QA lead"), ("Dr. Ewa Lind", "Safety"), ("Chiara Rossi", "Product owner")] {
        let entry = trail.add(
            "approval",
            who(name),
            Some(id),
            &format!("Answers GO as {role}."),
            Some("All 2418 regression tests pass on the frozen set."),
        );
        signed.push(sign_off(name, role, Verdict::Go, entry));
    }
    signed[1].at = in_zone(signed[1].at.clone(), "America/St_Johns");
    signed[1].state = SignOffState::KeyRevoked;
    signed[1].cause = Some(Cause { text: s("the key was replaced after the release"), entry: Some(27) });
    for it in &mut signed {
        it.state_at_dispatch = Some(SignOffState::Valid);
    }
    let sent = trail.add("dispatch", desk(), Some(id), "Sends wave 1 to pump-gateway-eu.", None);
    let lost =
        trail.add("dispatch", desk(), Some(id), "The reply to wave 1 was lost; the run carries the request id.", None);
    let wave = trail.add("wave", desk(), Some(id), "Promotes wave 1.", None);
    let closed =
        trail.add("outcome", who("Jonas Weber"), Some(id), "Closes the release as live.", Some("Both waves baked"));
    trail.0[usize::try_from(red).unwrap()].superseded_by = Some(green);
    let mut live = release(id, "infusion-pump-fw", "4.2.0", ReleaseState::Live, proposed);
    let mut red_tests = tests("regression.xml", red, 1);
    red_tests.superseded_by = Some(green);
    live.evidence = vec![
        red_tests,
        tests("regression.xml", green, 0),
        Evidence {
            kind: EvidenceKind::Sarif,
            counts: Counts::Findings { error: 0, warning: 2, note: 14, none: 0, suppressed: 1 },
            commit: Some(Commit { id: commit_id(1), source: CommitSource::File }),
            ..tests("semgrep.sarif", scan, 0)
        },
        Evidence {
            kind: EvidenceKind::Cyclonedx,
            counts: Counts::Components { components: 412, vulnerabilities: 0 },
            ..tests("bom.cdx.json", bill, 0)
        },
        Evidence {
            kind: EvidenceKind::Manual,
            counts: Counts::File { bytes: 1_482_113 },
            origin: EvidenceOrigin::Attached { by: who("Ravi Nair"), confirmed_by: Some(who("Alice Moreau")) },
            commit: None,
            availability: Availability::Missing,
            freeze: Freeze::After,
            conclusion: Conclusion::Inconclusive,
            recorded: stamp("Ravi Nair", manual),
            ..tests("usability-review.pdf", manual, 0)
        },
    ];
    live.waivers = vec![Waiver {
        requirement: s("rerun: regression.xml was red once on this commit"),
        reason: s("The red case needs the lab network; the rig was off. Passed with the rig on."),
        owner: Some(who("Ravi Nair")),
        signed: stamp("Alice Moreau", waived),
        valid_until: Some(at(20_000)),
    }];
    live.staging = vec![Staging {
        environment: s("staging"),
        observed_version: s("4.2.0"),
        observed_sha256: digest(proposed),
        same_digest: true,
        soak_seconds: 93_600,
        soak_required_seconds: 86_400,
        soak_anchored: false,
        recorded: desk_stamp(staged),
    }];
    live.amendments = vec![Amendment {
        made: stamp("Jonas Weber", second),
        changed: vec![Changed {
            field: s("window"),
            before: Some(s("22 Nov 2026, 12:00 to 14:00")),
            after: Some(s("22 Nov 2026, 18:00 to 22:00")),
        }],
        reason: s("The pilot clinics asked for the evening"),
    }];
    let mut gone = sign_off("Alice Moreau", "QA lead", Verdict::Go, stale);
    gone.state = SignOffState::Stale;
    gone.cause = Some(Cause { text: s("the window moved after this signature"), entry: Some(second) });
    let mut old = sheet(first, vec![gone], Decision::Stale);
    old.superseded_by = Some(second);
    live.sheets = vec![old, sheet(second, signed, Decision::Go)];
    live.dispatches = vec![Dispatch {
        sheet: second,
        artifact_sha256: digest(proposed),
        resends: None,
        device: desk(),
        observations: vec![Observation {
            seen: desk_stamp(wave),
            run: s("pump-gateway-eu #4711"),
            url: None,
            status: RunStatus::Completed,
            raw: s("SUCCESS"),
            jobs: vec![Parameter { name: s("deploy"), value: s("success") }],
            log_sha256: Some(digest(75)),
            log: Some(Availability::Missing),
        }],
        kind: DispatchKind::Deploy,
        environment: s("production"),
        wave: 1,
        request_id: s("01938f6e-7a10-7c3e-9d55-0a4c1b2f6e01"),
        by: who("Jonas Weber"),
        run: Some(s("pump-gateway-eu #4711")),
        url: Some(s("https://ci.acme.example/builders/12/builds/4711")),
        journal: vec![
            step(DispatchState::Prepared, sent, None),
            step(DispatchState::Sending, sent, None),
            step(DispatchState::FateUnknown, lost, Some("the connection closed before a reply")),
            step(DispatchState::Bound, lost, Some("build 4711 carries the request id")),
            JournalLine { conclusion: Some(RunConclusion::Success), ..step(DispatchState::Finished, wave, None) },
        ],
    }];
    live.waves = vec![
        Wave {
            number: 1,
            audience: s("5 % of the pilot clinics"),
            bake_seconds: 7_200,
            bake_required_seconds: 7_200,
            samples: 240,
            bad_samples: 0,
            coverage_percent: 100,
            observed_version: Some(s("4.2.0")),
            verdict: Some(WaveVerdict::Pass),
            reason: s("no bad sample"),
            judged: Some(desk_stamp(wave)),
        },
        Wave {
            number: 2,
            audience: s("everyone"),
            bake_seconds: 86_400,
            bake_required_seconds: 86_400,
            samples: 2_880,
            bad_samples: 0,
            coverage_percent: 99,
            observed_version: Some(s("4.2.0")),
            verdict: Some(WaveVerdict::Pass),
            reason: s("no bad sample"),
            judged: Some(desk_stamp(closed)),
        },
    ];
    live.outcome = Some(Outcome {
        what: s("Live for everyone"),
        live_now: s("4.2.0"),
        rolled_back_to: None,
        closed: stamp("Jonas Weber", closed),
    });
    live.adverse = vec![
        Adverse {
            kind: AdverseKind::Halted,
            entry: Some(red),
            at: Some(at(red * 37)),
            by: None,
            what: s("regression.xml was red: 1 failed of 2431 (FlowDriftTest.below_half_ml)"),
        },
        Adverse {
            kind: AdverseKind::RedRerun,
            entry: Some(green),
            at: Some(at(green * 37)),
            by: Some(who("Ravi Nair")),
            what: s("regression.xml ran again on the same commit and passed"),
        },
        Adverse {
            kind: AdverseKind::Waived,
            entry: Some(waived),
            at: Some(at(waived * 37)),
            by: Some(who("Alice Moreau")),
            what: s("rerun: regression.xml was red once on this commit"),
        },
        Adverse {
            kind: AdverseKind::SignOffVoid,
            entry: Some(stale),
            at: Some(at(stale * 37)),
            by: Some(who("Alice Moreau")),
            what: s("GO as QA lead is STALE: the window moved after this signature"),
        },
        Adverse {
            kind: AdverseKind::FateUnknown,
            entry: Some(lost),
            at: Some(at(lost * 37)),
            by: None,
            what: s("the reply to wave 1 was lost; found again by its request id"),
        },
    ];

    // A release somebody refused, with every state a sign-off can have.
    let id = "r-2026-042";
    let proposed =
        trail.add("propose", who("Jonas Weber"), Some(id), "Proposes infusion-pump-fw 4.3.0-rc1.", Some("Bolus mode"));
    let frozen =
        trail.add("request", who("Jonas Weber"), Some(id), "Freezes the sheet for production.", Some("For decision"));
    let cases: [(&str, &str, Verdict, SignOffState, &str); 8] = [
        ("Dr. Ewa Lind", "Safety", Verdict::NoGo, SignOffState::Valid, ""),
        ("Alice Moreau", "QA lead", Verdict::ConditionalGo, SignOffState::Incomplete, "2 conditions are open"),
        ("Chiara Rossi", "Product owner", Verdict::Go, SignOffState::Stale, "bom.cdx.json was replaced"),
        ("Jo Park", "Operations", Verdict::Hold, SignOffState::Expired, "its sheet ended on 18 Nov 2026"),
        ("Ben Okafor", "Security", Verdict::Go, SignOffState::SignerLostRole, "the role Security lapsed"),
        ("Tomáš Dvořák", "Regulatory", Verdict::Go, SignOffState::KeyRevoked, "the key was reported lost"),
        (
            "Ravi Nair",
            "Engineering",
            Verdict::Go,
            SignOffState::SegregationFailed,
            "the signer wrote 2 commits of this release",
        ),
        ("Ștefan Ionescu", "Quality", Verdict::Go, SignOffState::Invalid, "the signature is not over these bytes"),
    ];
    let mut answers = Vec::new();
    for (name, role, verdict, state, cause) in cases {
        let entry = trail.add(
            "approval",
            who(name),
            Some(id),
            &format!("Answers {verdict} as {role}."),
            Some("See the minutes of 17 Nov"),
        );
        let mut it = sign_off(name, role, verdict, entry);
        it.reason = s("See the minutes of 17 Nov");
        it.state = state;
        it.cause = (!cause.is_empty()).then(|| Cause { text: s(cause), entry: Some(entry + 1) });
        if verdict == Verdict::ConditionalGo {
            it.conditions = vec![
                Condition { text: s("The bolus limit is tested at 40 °C."), settled: None },
                Condition { text: s("The pilot clinics confirm the training."), settled: Some(entry + 1) },
            ];
            it.meaning = Meaning::Review;
            it.reauth = Some(Reauth::File);
            it.seen.basis = Some(SeenBasis::Proofs);
        }
        if verdict == Verdict::NoGo {
            it.meaning = Meaning::Certification;
            it.reason = s("The hazard analysis does not cover bolus on battery. I do not certify this build.");
        }
        answers.push(it);
    }
    let no_go_entry = answers[0].entry;
    let forged = answers[7].entry;
    trail.0[usize::try_from(forged).unwrap()].admission = Admission::NotAdmitted {
        code: s("signature-bad"),
        message: s("the signature does not verify over the payload"),
    };
    let mut refused = release(id, "infusion-pump-fw", "4.3.0-rc1", ReleaseState::NoGo, proposed);
    refused.state_reason = s("Dr. Ewa Lind answered NO-GO as Safety.");
    refused.change_type = ChangeType::Emergency;
    refused.sheets = vec![sheet(frozen, answers, Decision::NoGo)];
    refused.adverse = vec![
        Adverse {
            kind: AdverseKind::NoGo,
            entry: Some(no_go_entry),
            at: Some(at(no_go_entry * 37)),
            by: Some(who("Dr. Ewa Lind")),
            what: s("NO-GO as Safety: the hazard analysis does not cover bolus on battery"),
        },
        Adverse {
            kind: AdverseKind::NotAdmitted,
            entry: Some(forged),
            at: Some(at(forged * 37)),
            by: None,
            what: s("signature-bad: the signature does not verify over the payload"),
        },
    ];

    // A release that a standing authorization sent out and the segment sent back.
    let id = "r-2026-043";
    let granted = trail.add(
        "authorization",
        who("Maëlle Duval"),
        None,
        "Grants a standing authorization for notify, adopted by QA lead and Product owner.",
        Some("Level 5 reached"),
    );
    let proposed = trail.add("propose", desk(), Some(id), "Proposes notify 3.7.12.", None);
    let frozen = trail.add("request", desk(), Some(id), "Freezes the sheet for production.", None);
    let used = trail.add("dispatch", desk(), Some(id), "Sends wave 1 under the standing authorization.", None);
    let halted = trail.add("wave", desk(), Some(id), "Halts wave 1: 9 of 40 samples are bad.", None);
    let back = trail.add("dispatch", desk(), Some(id), "Rolls back to 3.7.11 by the slot of the sheet.", None);
    let mut automatic = sheet(frozen, Vec::new(), Decision::Go);
    automatic.quorum = Vec::new();
    automatic.window = None;
    automatic.live_before = None;
    automatic.rollback = RollbackSlot::NoWayBack;
    let adopted =
        vec![adoption("Alice Moreau", "QA lead", granted), adoption("Chiara Rossi", "Product owner", granted)];
    let bounds = vec![
        Parameter { name: s("change"), value: s("standard") },
        Parameter { name: s("evidence"), value: s("junit, sarif and cyclonedx observed, none red") },
        Parameter { name: s("per day"), value: s("8") },
    ];
    automatic.automatic_go = Some(AutomaticGo {
        authorization: granted,
        adopted_by: adopted.clone(),
        bounds: bounds.clone(),
        used: desk_stamp(used),
        state: SignOffState::Valid,
        cause: None,
    });
    let mut rolled = release(id, "notify", "3.7.12", ReleaseState::RolledBack, proposed);
    rolled.state_reason = s("Halted in the segment after 9 of 40 bad samples and taken back to 3.7.11.");
    rolled.change_type = ChangeType::Standard;
    rolled.external = None;
    rolled.sheets = vec![automatic];
    rolled.waves = vec![Wave {
        number: 1,
        audience: s("5 %"),
        bake_seconds: 240,
        bake_required_seconds: 600,
        samples: 40,
        bad_samples: 9,
        coverage_percent: 40,
        observed_version: Some(s("3.7.12")),
        verdict: Some(WaveVerdict::Fail),
        reason: s("9 of 40 samples answered 500"),
        judged: Some(desk_stamp(halted)),
    }];
    rolled.outcome = Some(Outcome {
        what: s("Taken back in the segment"),
        live_now: s("3.7.11"),
        rolled_back_to: Some(s("3.7.11")),
        closed: desk_stamp(back),
    });
    rolled.adverse = vec![
        Adverse {
            kind: AdverseKind::RolloutHalted,
            entry: Some(halted),
            at: Some(at(halted * 37)),
            by: Some(desk()),
            what: s("9 of 40 samples of wave 1 were bad"),
        },
        Adverse {
            kind: AdverseKind::RolledBack,
            entry: Some(back),
            at: Some(at(back * 37)),
            by: Some(desk()),
            what: s("taken back to 3.7.11"),
        },
    ];

    let corrected =
        trail.add("correction", who("Jonas Weber"), None, "Corrects the risk of r-2026-041.", Some("Typing error"));
    trail.0[usize::try_from(corrected).unwrap()].changes =
        vec![Changed { field: s("risk"), before: Some(s("43 of 100")), after: Some(s("34 of 100")) }];
    let tried = trail.add(
        "attempt",
        desk(),
        None,
        "5 wrong passphrases for alice.moreau@acme.example; locked for 15 min.",
        None,
    );
    trail.0[usize::try_from(tried).unwrap()].clock_suspect = true;

    let mut report = finish(trail, vec![live, refused, rolled]);
    report.authorizations = vec![Authorization {
        entry: granted,
        product: s("notify"),
        proposed: stamp("Maëlle Duval", granted),
        adopted_by: adopted,
        bounds,
        valid_until: Some(at(200_000)),
        state: AuthorizationState::Suspended { entry: back, reason: s("a rollback suspends it") },
        uses: 1,
    }];
    report.corrections = vec![Correction {
        made: stamp("Jonas Weber", corrected),
        corrects: report.releases[0].proposed.entry,
        changed: Changed { field: s("risk"), before: Some(s("43 of 100")), after: Some(s("34 of 100")) },
        reason: s("Typing error"),
    }];
    report.adverse = vec![Adverse {
        kind: AdverseKind::FailedAttempt,
        entry: Some(tried),
        at: Some(at(tried * 37)),
        by: Some(who("Alice Moreau")),
        what: s("5 wrong passphrases; the key was locked on this desk for 15 min"),
    }];
    let mut left = person("Tomáš Dvořák", "Regulatory", 16, 5);
    left.keys[0].status = KeyStatus::Revoked { entry: 40, reason: s("reported lost") };
    left.roles[0].until = Some(40);
    left.accepted = None;
    report.people.push(left);
    report.people[2].keys[0].status = KeyStatus::DueSoon { days: 21 };
    report.people[2].keys.insert(0, key("Alice Moreau", 99, 3, KeyStatus::Rotated { entry: 30 }));
    report.devices.push(Device {
        name: s("Dispatcher cellar"),
        id: s("device-01jd7q1aaa"),
        purpose: DevicePurpose::Dispatcher,
        key_store: DeviceKeyStore::File,
        key_fingerprint: fingerprint(81),
        log_key_fingerprint: None,
        confirmed: Some(9),
        enrolled: stamp("Maëlle Duval", 9),
        revoked: Some(44),
    });
    report
}

/// The full ledger, of which an entry was edited.
pub(crate) fn invalid() -> Report {
    let mut report = full();
    report.verification = Verification {
        verdict: VerificationVerdict::Invalid,
        anchor: Anchor::Unanchored,
        witnesses: 0,
        findings: vec![
            Finding {
                index: Some(17),
                code: s("signature-bad"),
                message: s("the signature of entry 17 does not verify over its payload"),
            },
            Finding {
                index: None,
                code: s("root-mismatch"),
                message: s("the root computed from the entries is not the root of the checkpoint"),
            },
            Finding {
                index: None,
                code: s("unanchored"),
                message: s("nothing from outside was compared; give --fingerprint"),
            },
        ],
    };
    report
}

/// The full ledger as a sample.
pub(crate) fn sample() -> Report {
    let mut report = full();
    report.ledger.sample = true;
    report.ledger.title = s("Sample ledger");
    report.ledger.organization = s("Example Organization");
    report
}

/// One release alone.
pub(crate) fn one_release() -> Report {
    let mut report = full();
    let release = report.releases.remove(1);
    let id = release.id.clone();
    report.trail.retain(|it| it.release.as_ref() == Some(&id));
    report.releases = vec![release];
    report.scope = Scope::Release { id };
    report.verification.verdict = VerificationVerdict::Incomplete;
    report.verification.anchor = Anchor::Pin { size: 31 };
    report.adverse.clear();
    report
}

/// A release that forty people signed.
pub(crate) fn forty_sign_offs() -> Report {
    let mut trail = Trail(Vec::new());
    found(&mut trail);
    let id = "r-2026-050";
    let proposed =
        trail.add("propose", who("Jonas Weber"), Some(id), "Proposes infusion-pump-fw 5.0.0.", Some("Major"));
    let frozen = trail.add("request", who("Jonas Weber"), Some(id), "Freezes the sheet.", Some("For decision"));
    let mut signed = Vec::new();
    for at in 0..40_u64 {
        let name = format!("Approver {:02} of a Rather Long Family Name", at + 1);
        let role =
            ["QA lead", "Safety", "Product owner", "Site quality, Clermont-Ferrand"][usize::try_from(at % 4).unwrap()];
        let entry =
            trail.add("approval", who(&name), Some(id), &format!("Answers GO as {role}."), Some("Read and agreed"));
        signed.push(sign_off(&name, role, Verdict::Go, entry));
    }
    let mut it = release(id, "infusion-pump-fw", "5.0.0", ReleaseState::Authorized, proposed);
    it.sheets = vec![sheet(frozen, signed, Decision::Go)];
    finish(trail, vec![it])
}

/// Texts that try to be more than text.
pub(crate) const HOSTILE: [&str; 12] = [
    "#panic(\"no\") *bold* _it_ $x$ `raw` <label> @ref // comment /* */ \\ #{1+1}",
    "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;\"'",
    "GO\u{202e}OG-ON\u{202c} \u{2066}isolated\u{2069}",
    "\u{1b}[32mVALID\u{1b}[0m\u{7}\0",
    "=HYPERLINK(\"https://evil.example\",\"GO\")",
    "@SUM(1+1)|cmd",
    "山田太郎 קובי علي بن سينا Ω Ж 👩‍🚀",
    "e\u{301}\u{327}\u{33f} Z\u{334}\u{321}\u{349} \u{f8ff} \u{fffd}",
    "two\nlines, \"quoted\", and, commas;\ttabs\r\nreturn",
    "]] == = + - \u{2028}separator #let x = 1; #show: it => [GO]",
    "",
    " ",
];

/// The full report with hostile texts wherever somebody can write, and names of ten thousand characters.
pub(crate) fn hostile() -> Report {
    let mut report = full();
    let mut turn = 0;
    let mut next = || {
        turn += 1;
        s(HOSTILE[turn % HOSTILE.len()])
    };
    report.ledger.title = s(HOSTILE[0]);
    report.ledger.organization = s(HOSTILE[1]);
    for release in &mut report.releases {
        for text in [
            &mut release.product,
            &mut release.version,
            &mut release.reason,
            &mut release.risk,
            &mut release.rollout_plan,
            &mut release.state_reason,
        ] {
            *text = next();
        }
        for it in &mut release.changes {
            it.subject = next();
            it.author = next();
        }
        for it in &mut release.evidence {
            it.name = next();
        }
        for it in &mut release.adverse {
            it.what = next();
        }
    }
    report.releases[0].product = "n".repeat(10_000);
    report.releases[0].evidence[0].name = "€".repeat(10_000);
    for entry in &mut report.trail {
        entry.summary = next();
        entry.reason = Some(next());
    }
    report.policies[0].toml = HOSTILE.join("\n");
    for person in &mut report.people {
        person.name = next();
    }
    report.releases[0].sheets[1].sign_offs[0].by.name = "Æ".repeat(10_000);
    report.releases[0].sheets[1].sign_offs[1].reason = "word ".repeat(2_000);
    report.releases[0].sheets[1].sign_offs[2].at.zone = s("Mars/<b>Olympus</b>");
    report
}

/// A whole ledger of so many entries, nothing but trail.
pub(crate) fn long(entries: u64) -> Report {
    let mut trail = Trail(Vec::new());
    found(&mut trail);
    while (trail.0.len() as u64) < entries {
        let at = trail.0.len() as u64;
        trail.add(
            "evidence",
            desk(),
            Some("r-2026-041"),
            &format!("Observes regression-{at}.xml: 2418 passed of 2431, 13 skipped, on the commit of the candidate."),
            Some("Nightly run of the integrated tests"),
        );
    }
    finish(trail, Vec::new())
}

/// Every fixture by name.
pub(crate) fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("empty", empty()),
        ("full", full()),
        ("invalid", invalid()),
        ("sample", sample()),
        ("one-release", one_release()),
        ("forty", forty_sign_offs()),
        ("hostile", hostile()),
    ]
}

/// Writes every fixture in every form where `COUNTERSIGN_REPORT_OUT` says, for people to look at.
#[test]
fn every_fixture_renders_in_every_form() {
    let out = std::env::var_os("COUNTERSIGN_REPORT_OUT").map(std::path::PathBuf::from);
    for (name, report) in all() {
        let pages = pdf(&report).unwrap_or_else(|error| panic!("{name}: {error}"));
        let forms = [
            ("pdf", pages),
            ("html", html(&report).into_bytes()),
            ("csv", csv(&report).unwrap().into_bytes()),
            ("json", json(&report).unwrap().into_bytes()),
        ];
        for (form, bytes) in forms {
            assert!(!bytes.is_empty(), "{name}.{form}");
            if let Some(out) = &out {
                std::fs::create_dir_all(out).unwrap();
                std::fs::write(out.join(format!("{name}.{form}")), bytes).unwrap();
            }
        }
    }
}

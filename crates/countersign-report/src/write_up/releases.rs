//! The chapter on releases: each from proposal to outcome, with what stands against it.

use super::{
    adverse_cells, cell, digest, heading, joined, moment, none, notice, paragraph, short_moment, short_stamp, stamp,
    state_heading, words,
};
use crate::document::{
    Block, Fact, Line, Lines, Row, Run, Seat, Signature, Table, Weight, column, dim, fact, facts, facts_block, figures,
    hash, mono, quote, row, state, strong, text,
};
use crate::model::{
    Adoption, AutomaticGo, Availability, Cause, Change, Condition, Decision, Dispatch, Evidence, EvidenceOrigin, Gate,
    Moment, Observation, Parameter, Release, Report, RollbackSlot, Sheet, SignOff, SignOffState, Span, Wave,
};
use crate::moment::{duration, tell};
use crate::visible::brief;
use crate::words::{
    Badged, commit_source, count, counts, entries, journal, key_origin, meaning, presence, replaced, seen, verdict,
    wave as wave_verdict,
};

/// Writes the chapter.
pub(super) fn releases(report: &Report, blocks: &mut Vec<Block>) {
    blocks.push(heading(1, "Releases", "releases"));
    let rows = report.releases.iter().enumerate().map(|(at, release)| overview(at, release)).collect();
    blocks.push(Block::Table {
        table: Table {
            caption: "All releases in scope".to_owned(),
            columns: vec![
                column("Release", 38),
                column("Change", 16),
                column("Decision", 17),
                column("State", 19),
                figures("Against", 10),
            ],
            rows,
            narrow: false,
            empty: none(report, "release"),
        },
    });
    blocks.push(live(report));
    for (at, it) in report.releases.iter().enumerate() {
        release(report, at, it, blocks);
    }
}

/// What runs where.
fn live(report: &Report) -> Block {
    let rows = report
        .live
        .iter()
        .map(|it| {
            row(vec![
                vec![vec![strong(&it.product)], vec![text(&it.environment)]],
                vec![vec![mono(&it.version)], vec![dim("release "), mono(&it.release)]],
                vec![digest(&it.sha256)],
            ])
        })
        .collect();
    Block::Table {
        table: Table {
            caption: "What is live by the record of the ledger".to_owned(),
            columns: vec![column("Product, environment", 26), column("Version", 26), column("Artifact", 48)],
            rows,
            narrow: false,
            empty: none(report, "release that is live"),
        },
    }
}

fn anchor(at: usize) -> String {
    format!("release-{}", at + 1)
}

/// The sheet that holds now: the last one that nothing replaced.
fn current(release: &Release) -> Option<&Sheet> {
    release.sheets.iter().rev().find(|sheet| sheet.superseded_by.is_none())
}

fn overview(at: usize, release: &Release) -> Row {
    let name = format!("{} {}", release.product, release.version);
    let decision = match current(release) {
        Some(sheet) if sheet.automatic_go.is_some() => {
            vec![vec![state(sheet.decision.badge())], vec![dim("standing authorization")]]
        }
        Some(sheet) => {
            vec![vec![state(sheet.decision.badge())], vec![dim(count(sheet.sign_offs.len(), "sign-off"))]]
        }
        None => vec![vec![dim("no sheet")]],
    };
    row(vec![
        vec![vec![Run::Link { t: name, to: anchor(at) }], vec![mono(&release.id)]],
        vec![vec![text(release.change_type.as_str())], vec![dim("risk "), text(&release.risk)]],
        decision,
        vec![vec![state(release.state.badge())]],
        cell(release.adverse.len().to_string()),
    ])
}

fn release(report: &Report, at: usize, release: &Release, blocks: &mut Vec<Block>) {
    let key = anchor(at);
    let name = format!("{} {}", release.product, release.version);
    blocks.push(state_heading(name, key.clone(), release.state.badge(), &release.id));
    blocks.push(paragraph(&release.state_reason));
    if let Some(sheet) = current(release) {
        blocks.push(board(sheet, report.ledger.sample));
    }
    blocks.push(heading(3, "What was proposed", format!("{key}-proposal")));
    blocks.push(facts_block(proposal(release)));
    if !release.amendments.is_empty() {
        blocks.push(heading(3, "Changed since the proposal", format!("{key}-amendments")));
        blocks.push(amendments(release));
    }
    blocks.push(heading(
        3,
        format!("Change list, {}", count(release.change_list.commits, "commit")),
        format!("{key}-changes"),
    ));
    blocks.push(facts_block(change_list(release)));
    blocks.push(Block::Table {
        table: Table {
            caption: "Commits of this release".to_owned(),
            columns: vec![column("Commit", 36), column("Subject", 40), column("Author, tickets", 24)],
            rows: release.changes.iter().map(change).collect(),
            narrow: false,
            empty: match release.change_list.availability {
                Availability::Available => "The change list holds no commit.".to_owned(),
                _ => "Not available: the file that lists the commits is missing or cannot be read.".to_owned(),
            },
        },
    });
    blocks.push(heading(3, format!("Evidence, {}", count(release.evidence.len(), "item")), format!("{key}-evidence")));
    blocks.push(Block::Table {
        table: Table {
            caption: "Evidence, also what was replaced".to_owned(),
            columns: vec![column("Evidence", 56), column("Origin", 26), column("Conclusion", 18)],
            rows: release.evidence.iter().map(evidence).collect(),
            narrow: false,
            empty: none(report, "evidence for this release"),
        },
    });
    // Once it is out, what gates say has been used: it stands with the sheet, and what they would say now says nothing.
    if release.dispatches.is_empty() || !release.gates.is_empty() {
        blocks.push(heading(3, "Gates at the time of this report", format!("{key}-gates")));
        blocks.push(gates(&release.gates, "What each gate says now", none(report, "gate: no policy is in force")));
    }
    blocks.push(heading(3, "Waivers", format!("{key}-waivers")));
    blocks.push(Block::Table {
        table: Table {
            caption: "Requirements that were set aside".to_owned(),
            columns: vec![column("Waived", 30), column("Reason", 40), column("Signed", 30)],
            rows: release
                .waivers
                .iter()
                .map(|it| {
                    let mut what = cell(&it.requirement);
                    if let Some(until) = &it.valid_until {
                        what.push(vec![dim(format!("until {}", tell(until).short))]);
                    }
                    if let Some(owner) = &it.owner {
                        what.push(vec![dim("followed up by "), text(&owner.name)]);
                    }
                    row(vec![what, vec![words(&it.reason)], short_stamp(&it.signed)])
                })
                .collect(),
            narrow: false,
            empty: none(report, "waiver for this release"),
        },
    });
    blocks.push(heading(3, "Staging and soak", format!("{key}-staging")));
    blocks.push(staging(report, release));
    for sheet in &release.sheets {
        decision(&key, sheet, blocks);
    }
    if release.sheets.is_empty() {
        blocks.push(heading(3, "Decision", format!("{key}-decision")));
        blocks.push(paragraph("No decision sheet was frozen: nobody was asked and nobody signed."));
    }
    blocks.push(heading(3, "Dispatch and rollout", format!("{key}-rollout")));
    blocks.push(Block::Table {
        table: Table {
            caption: "Orders to the pipeline with their journal".to_owned(),
            columns: vec![column("Order", 36), column("Run", 27), column("Journal", 37)],
            rows: release.dispatches.iter().map(dispatch).collect(),
            narrow: false,
            empty: none(report, "dispatch of this release"),
        },
    });
    if release.dispatches.iter().any(|it| !it.observations.is_empty()) {
        blocks.push(Block::Table {
            table: Table {
                caption: "What was seen of runs".to_owned(),
                columns: vec![column("Run", 24), column("Said", 48), column("Seen", 28)],
                rows: release.dispatches.iter().flat_map(|it| &it.observations).map(observation).collect(),
                narrow: false,
                empty: String::new(),
            },
        });
    }
    if !release.waves.is_empty() {
        blocks.push(Block::Table {
            table: Table {
                caption: "Waves".to_owned(),
                columns: vec![column("Wave", 25), column("Bake", 20), column("Samples", 17), column("Verdict", 38)],
                rows: release.waves.iter().map(wave).collect(),
                narrow: false,
                empty: String::new(),
            },
        });
    }
    blocks.push(heading(3, "Outcome", format!("{key}-outcome")));
    match &release.outcome {
        None => blocks.push(paragraph("Not closed.")),
        Some(outcome) => {
            let mut list =
                vec![fact("Outcome", vec![text(&outcome.what)]), fact("Live now", vec![mono(&outcome.live_now)])];
            if let Some(back) = &outcome.rolled_back_to {
                list.push(fact("Rolled back to", vec![mono(back)]));
            }
            list.push(facts("Closed by", stamp(&outcome.closed)));
            blocks.push(facts_block(list));
        }
    }
    blocks.push(heading(3, "What stands against this release", format!("{key}-against")));
    blocks.push(Block::Table {
        table: Table {
            caption: "What was refused, failed, halted, waived or held".to_owned(),
            columns: super::back_matter::adverse_columns(),
            rows: release.adverse.iter().map(|it| row(adverse_cells(it))).collect(),
            narrow: false,
            empty: none(report, "entry against this release"),
        },
    });
}

/// How long a name may be on the board; the whole stands with the signature.
const SEAT_CHARS: usize = 48;

fn board(sheet: &Sheet, sample: bool) -> Block {
    let mut title: Line = vec![state(sheet.decision.badge())];
    if sample {
        title.push(strong(" SAMPLE"));
    }
    title.push(text(format!(" for {}, sheet of entry {}", sheet.environment, sheet.frozen.entry)));
    let seat_note = |it: &SignOff| -> Line {
        match (it.replaced_by, it.worth()) {
            (None, SignOffState::Valid) => vec![dim(tell(&it.at).short)],
            (None, other) => vec![state(other.badge())],
            (Some(_), _) => vec![state(replaced())],
        }
    };
    let mut seats: Vec<Seat> = sheet
        .sign_offs
        .iter()
        .map(|it| Seat {
            role: brief(&it.role, SEAT_CHARS),
            name: brief(&it.by.name, SEAT_CHARS),
            badge: it.verdict.badge(),
            note: seat_note(it),
        })
        .collect();
    if let Some(go) = &sheet.automatic_go {
        seats.push(Seat {
            role: "standing authorization".to_owned(),
            name: format!("entry {}", go.authorization),
            badge: Decision::Go.badge(),
            note: vec![state(go.state.badge())],
        });
    }
    let stood_in_for = sheet.automatic_go.is_some() && sheet.decision == Decision::Go;
    for rule in sheet.quorum.iter().filter(|rule| !stood_in_for && rule.counted < rule.needed) {
        seats.push(Seat {
            role: rule.role.clone(),
            name: format!("{} of {} signed", rule.counted, rule.needed),
            badge: Decision::Awaiting.badge(),
            note: Line::new(),
        });
    }
    Block::Board { title, seats }
}

fn proposal(release: &Release) -> Vec<Fact> {
    let artifacts = release.artifacts.iter().flat_map(|it| [vec![text(&it.name)], digest(&it.sha256)]).collect();
    let mut list = vec![
        fact("Product", vec![text(&release.product)]),
        fact("Version", vec![mono(&release.version)]),
        fact("Release id", vec![mono(&release.id)]),
        facts("Commit", vec![vec![hash(&release.commit.id)], vec![dim(commit_source(release.commit.source))]]),
        facts("Artifacts", artifacts),
        facts("Proposed by", stamp(&release.proposed)),
        fact("Change type", vec![text(release.change_type.as_str())]),
        fact("Risk", vec![text(&release.risk)]),
        fact("Reason", words(&release.reason)),
        fact("Security impact", words(&release.security_impact)),
        fact("Rollout plan", words(&release.rollout_plan)),
        fact("Back-out plan", words(&release.back_out_plan)),
    ];
    if let Some(incident) = &release.incident {
        list.push(fact("Incident", vec![text(incident)]));
    }
    list.push(match &release.external {
        None => fact("Record outside", vec![dim("none named")]),
        Some(it) => facts(
            "Record outside",
            vec![vec![text(&it.system), text(" "), mono(&it.id), dim(" state "), text(&it.state)], vec![mono(&it.url)]],
        ),
    });
    list
}

fn change_list(release: &Release) -> Vec<Fact> {
    let it = &release.change_list;
    let list = |items: &[String]| match items.is_empty() {
        true => vec![dim("none named")],
        false => joined(items.iter().map(String::as_str), ", ", text),
    };
    vec![
        facts("Change list", vec![digest(&it.sha256), vec![text(it.availability.text())]]),
        fact("After commit", it.base.as_ref().map_or_else(|| vec![dim("none: a first release")], |base| digest(base))),
        fact("Authors", list(&it.authors)),
        fact("Tickets", list(&it.tickets)),
    ]
}

/// A span of time, each end on a line of its own.
fn window(it: &Span) -> Lines {
    let end = |word: &str, at: &Moment| {
        let told = tell(at);
        vec![dim(format!("{word} ")), text(told.local), text(" "), mono(told.utc)]
    };
    vec![end("from", &it.from), end("until", &it.until)]
}

/// What the gates of a policy say.
fn gates(list: &[Gate], caption: &str, empty: String) -> Block {
    let rows = list
        .iter()
        .map(|it| {
            let mut says = vec![vec![state(it.conclusion.badge())]];
            if let Some(by) = it.waived_by {
                says.push(vec![strong(format!("waived by entry {by}"))]);
            }
            let mut why = cell(&it.detail);
            if !it.evidence.is_empty() {
                why.push(vec![dim(entries(&it.evidence))]);
            }
            row(vec![cell(&it.name), says, why])
        })
        .collect();
    Block::Table {
        table: Table {
            caption: caption.to_owned(),
            columns: vec![column("Gate", 26), column("Says", 24), column("Why", 50)],
            rows,
            narrow: false,
            empty,
        },
    }
}

fn amendments(release: &Release) -> Block {
    let rows = release
        .amendments
        .iter()
        .map(|it| {
            let what = it.changed.iter().map(changed).collect();
            row(vec![what, vec![words(&it.reason)], short_stamp(&it.made)])
        })
        .collect();
    Block::Table {
        table: Table {
            caption: "Values before and after".to_owned(),
            columns: vec![column("Old and new", 42), column("Reason", 30), column("Signed", 28)],
            rows,
            narrow: false,
            empty: String::new(),
        },
    }
}

/// `field: before → after`, both readable.
pub(super) fn changed(it: &crate::model::Changed) -> Line {
    let value = |value: &Option<String>| match value {
        Some(value) => quote(value),
        None => dim("nothing"),
    };
    vec![dim(format!("{} ", it.field)), value(&it.before), text(" → "), value(&it.after)]
}

fn change(it: &Change) -> Row {
    let mut who = cell(&it.author);
    if !it.tickets.is_empty() {
        who.push(joined(it.tickets.iter().map(String::as_str), ", ", mono));
    }
    row(vec![vec![digest(&it.commit)], cell(&it.subject), who])
}

fn evidence(it: &Evidence) -> Row {
    let mut what = vec![
        vec![strong(&it.name), dim(format!(" {}", it.kind))],
        vec![text(counts(&it.counts))],
        vec![dim("file "), hash(&it.sha256)],
    ];
    what.push(match &it.commit {
        Some(commit) => vec![dim("commit "), hash(&commit.id), dim(format!(" {}", commit_source(commit.source)))],
        None => vec![dim("commit not known")],
    });
    let mut origin = match &it.origin {
        EvidenceOrigin::Observed { connector, target, reply_sha256: _ } => {
            vec![vec![strong("observed"), text(" by "), text(connector)], vec![dim("from "), text(target)]]
        }
        EvidenceOrigin::Attached { by, confirmed_by } => {
            let second = match confirmed_by {
                Some(second) => vec![dim("confirmed by "), text(&second.name)],
                None => vec![dim("confirmed by nobody")],
            };
            vec![vec![strong("attached"), text(" by "), text(&by.name)], second]
        }
    };
    if let EvidenceOrigin::Observed { reply_sha256, .. } = &it.origin {
        what.push(vec![dim("reply "), hash(reply_sha256)]);
    }
    origin.extend(short_moment(&it.recorded.at));
    origin.push(vec![dim(format!("entry {}", it.recorded.entry))]);
    let mut end =
        vec![vec![state(it.conclusion.badge())], vec![text(it.availability.text())], vec![dim(it.freeze.text())]];
    if let Some(by) = it.superseded_by {
        end.push(vec![strong(format!("replaced by entry {by}"))]);
    }
    row(vec![what, origin, end])
}

fn staging(report: &Report, release: &Release) -> Block {
    let rows = release
        .staging
        .iter()
        .map(|it| {
            let same = match it.same_digest {
                true => vec![text("digest equals the release’s")],
                false => vec![strong("digest differs from the release’s")],
            };
            let clock = if it.soak_anchored { "bounded by times from outside" } else { "by desk clock" };
            row(vec![
                vec![vec![text(&it.environment)], vec![mono(&it.observed_version)], digest(&it.observed_sha256), same],
                vec![
                    vec![text(format!("{} of {}", duration(it.soak_seconds), duration(it.soak_required_seconds)))],
                    vec![dim(clock)],
                ],
                short_stamp(&it.recorded),
            ])
        })
        .collect();
    Block::Table {
        table: Table {
            caption: "Deliveries to staging".to_owned(),
            columns: vec![column("Seen there", 54), column("Soak", 18), column("Recorded", 28)],
            rows,
            narrow: false,
            empty: none(report, "delivery of this release to staging"),
        },
    }
}

fn decision(key: &str, sheet: &Sheet, blocks: &mut Vec<Block>) {
    let at = sheet.frozen.entry;
    blocks.push(heading(3, format!("Decision sheet of entry {at}"), format!("{key}-sheet-{at}")));
    if let Some(by) = sheet.superseded_by {
        blocks.push(notice(
            Weight::Plain,
            format!("Replaced by the sheet of entry {by}"),
            vec![vec![text("Its sign-offs open nothing.")]],
        ));
    }
    let mut list = vec![
        facts("Decision", vec![vec![state(sheet.decision.badge())], vec![text(&sheet.decision_reason)]]),
        fact("Sheet digest", digest(&sheet.digest)),
        fact("Environment", vec![text(&sheet.environment)]),
        facts("Frozen by", stamp(&sheet.frozen)),
        facts("Valid until", sheet.valid_until.as_ref().map_or_else(|| vec![vec![dim("no end set")]], moment)),
        facts("Window", sheet.window.as_ref().map_or_else(|| vec![vec![dim("none set")]], window)),
        facts("Policy", vec![vec![text(format!("version {}", sheet.policy_version))], digest(&sheet.policy_digest)]),
        facts(
            "Evidence manifest",
            vec![digest(&sheet.evidence_manifest), vec![text(count(sheet.evidence_count, "file"))]],
        ),
        fact("Staging", vec![sheet.staging.map_or_else(|| dim("none"), |at| text(format!("entry {at}")))]),
        fact(
            "Waivers",
            match sheet.waivers.is_empty() {
                true => vec![dim("none")],
                false => vec![strong(entries(&sheet.waivers))],
            },
        ),
        fact("Change list", digest(&sheet.change_list)),
    ];
    let go = sheet.automatic_go.as_ref();
    let targets: Lines = sheet
        .targets
        .iter()
        .flat_map(|it| [vec![text(&it.environment), text(" "), text(&it.name)], digest(&it.sha256)])
        .collect();
    list.push(facts("Targets", targets));
    let rollout = sheet.rollout.iter().zip(1_u64..).map(|(it, wave)| {
        vec![dim(format!("wave {wave} ")), text(&it.audience), dim(format!(", bakes {}", duration(it.bake_seconds)))]
    });
    list.push(facts("Rollout", rollout.collect()));
    list.push(fact(
        "Live before",
        sheet.live_before.as_ref().map_or_else(|| vec![dim("nothing: a first release")], |it| vec![mono(it)]),
    ));
    list.push(match &sheet.rollback {
        RollbackSlot::To { version, sha256 } => facts("Rollback slot", vec![vec![mono(version)], digest(sha256)]),
        RollbackSlot::NoWayBack => fact("Rollback slot", vec![strong("no way back")]),
    });
    let quorum = sheet.quorum.iter().map(|it| {
        vec![
            text(&it.role),
            dim(" needs "),
            text(it.needed.to_string()),
            dim(", counts "),
            text(it.counted.to_string()),
        ]
    });
    list.push(match (go, sheet.quorum.is_empty()) {
        (Some(go), _) => fact(
            "Quorum",
            vec![text(format!("stood in for by the standing authorization of entry {}", go.authorization))],
        ),
        (None, true) => fact("Quorum", vec![strong("none asked for")]),
        (None, false) => facts("Quorum", quorum.collect()),
    });
    blocks.push(facts_block(list));
    blocks.push(gates(&sheet.gates, "What each gate said when the sheet was frozen", "No gate was asked.".to_owned()));

    blocks.push(heading(3, format!("Sign-offs on the sheet of entry {at}"), format!("{key}-sign-offs-{at}")));
    if sheet.sign_offs.is_empty() && sheet.automatic_go.is_none() {
        blocks.push(paragraph("Nobody signed."));
    }
    for it in &sheet.sign_offs {
        blocks.push(Block::Signature { signature: signature(it) });
    }
    if let Some(go) = &sheet.automatic_go {
        blocks.push(Block::Signature { signature: automatic(go) });
    }
}

fn cause(cause: &Option<Cause>) -> Lines {
    let line = |it: &Cause| {
        let mut line = vec![text(&it.text)];
        if let Some(at) = it.entry {
            line.push(dim(format!(" (entry {at})")));
        }
        line
    };
    cause.iter().map(line).collect()
}

fn signature(it: &SignOff) -> Signature {
    let mut list = vec![
        fact("Meaning", vec![text(meaning(it.meaning))]),
        facts("Signed", moment(&it.at)),
        fact("Reason", words(&it.reason)),
    ];
    if !it.conditions.is_empty() {
        let condition = |it: &Condition| match it.settled {
            Some(by) => vec![quote(&it.text), dim(format!(" settled by entry {by}"))],
            None => vec![quote(&it.text), strong(" open")],
        };
        list.push(facts("Conditions", it.conditions.iter().map(condition).collect()));
    }
    list.extend([
        fact("Key", vec![hash(&it.key_fingerprint), dim(format!(" {}", key_origin(it.key_origin)))]),
        fact("Presence", vec![text(presence(it.reauth))]),
        fact("Had seen", vec![text(seen(&it.seen))]),
        fact("Entry", vec![mono(it.entry.to_string())]),
    ]);
    let mut why = Lines::new();
    if let Some(at_dispatch) = it.state_at_dispatch.filter(|then| *then != it.state || it.replaced_by.is_some()) {
        why.push(vec![text("when wave 1 was dispatched: "), strong(at_dispatch.as_str())]);
        why.push(vec![dim("now: "), text(it.state.as_str())]);
    }
    why.extend(cause(&it.cause));
    if let Some(by) = it.replaced_by {
        why.push(vec![text(format!("taken back by the answer of entry {by}"))]);
    }
    Signature {
        name: it.by.name.clone(),
        principal: it.by.principal.clone(),
        role: it.role.clone(),
        verdict: it.verdict.badge(),
        state: if it.replaced_by.is_some() { replaced() } else { it.worth().badge() },
        why,
        facts: list,
        whole: true,
    }
    .measured()
}

/// The lines about who adopted an authorization.
pub(super) fn adoptions(list: &[Adoption]) -> Lines {
    list.iter()
        .flat_map(|it| {
            let mut first = vec![strong(&it.signed.by.name), text(" "), dim(&it.signed.by.principal)];
            first.push(text(format!(" as {}", it.role)));
            let told = tell(&it.signed.at);
            let says = vec![text(verdict(it.verdict)), text(", "), text(meaning(it.meaning))];
            [first, says, vec![text(told.local)], vec![mono(told.utc), dim(format!(", entry {}", it.signed.entry))]]
        })
        .collect()
}

/// The lines about the bounds of an authorization.
pub(super) fn bounds(list: &[Parameter]) -> Lines {
    list.iter().map(|it| vec![dim(format!("{} ", it.name)), text(&it.value)]).collect()
}

fn automatic(go: &AutomaticGo) -> Signature {
    Signature {
        name: format!("Standing authorization of entry {}", go.authorization),
        principal: go.used.by.principal.clone(),
        role: "nobody signed at this gate".to_owned(),
        verdict: Decision::Go.badge(),
        state: go.state.badge(),
        why: cause(&go.cause),
        facts: vec![
            facts("Adopted by", adoptions(&go.adopted_by)),
            facts("Bounds", bounds(&go.bounds)),
            facts("Used by", stamp(&go.used)),
        ],
        whole: true,
    }
    .measured()
}

fn dispatch(it: &Dispatch) -> Row {
    let mut order = vec![
        vec![strong(format!("{} to {}, wave {}", it.kind, it.environment, it.wave))],
        vec![dim("request "), mono(&it.request_id)],
        vec![dim("by "), text(&it.by.name), dim(" from "), text(&it.device.name)],
        vec![dim(format!("for entry {}", it.sheet))],
        digest(&it.artifact_sha256),
    ];
    if let Some(before) = &it.resends {
        order.push(vec![strong("sent again for "), mono(before)]);
    }
    let run = match (&it.run, &it.url) {
        (None, _) => vec![vec![dim("no run found")]],
        (Some(run), None) => vec![vec![mono(run)]],
        (Some(run), Some(url)) => vec![vec![mono(run)], vec![dim(url)]],
    };
    let lines = it
        .journal
        .iter()
        .flat_map(|line| {
            let (state, more) = journal(line);
            [vec![strong(state), text(more)], vec![mono(&line.at.utc), dim(format!(", entry {}", line.entry))]]
        })
        .collect();
    row(vec![order, run, lines])
}

fn observation(it: &Observation) -> Row {
    let mut run = vec![vec![mono(&it.run)]];
    run.extend(it.url.as_ref().map(|url| vec![dim(url)]));
    let mut said = vec![vec![text(it.status.as_str().replace('_', " ")), text(" "), quote(&it.raw)]];
    said.extend(it.jobs.iter().map(|job| vec![dim(format!("{} ", job.name)), text(&job.value)]));
    if let (Some(log), Some(there)) = (&it.log_sha256, &it.log) {
        said.push(vec![dim("log "), hash(log), dim(format!(" {}", there.text()))]);
    }
    row(vec![run, said, short_stamp(&it.seen)])
}

fn wave(it: &Wave) -> Row {
    let mut verdict = vec![vec![state(wave_verdict(it.verdict))], vec![text(&it.reason)]];
    if let Some(judged) = &it.judged {
        verdict.push(vec![dim(format!("{}, entry {}", judged.by.name, judged.entry))]);
        verdict.push(vec![mono(&judged.at.utc)]);
    }
    let mut bake = cell(format!("{} of {}", duration(it.bake_seconds), duration(it.bake_required_seconds)));
    bake.push(vec![dim(format!("samples over {} %", it.coverage_percent))]);
    let mut who = vec![vec![strong(format!("wave {}", it.number))], vec![text(&it.audience)]];
    if let Some(version) = &it.observed_version {
        who.push(vec![dim("seen "), mono(version)]);
    }
    row(vec![
        who,
        bake,
        vec![vec![text(format!("{} taken", it.samples))], vec![text(format!("{} bad", it.bad_samples))]],
        verdict,
    ])
}

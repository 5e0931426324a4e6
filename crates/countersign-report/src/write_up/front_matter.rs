//! The cover and the chapter on verification and population.

use super::{cell, digest, entry, heading, moment, none, notice, paragraph, party, stamp};
use crate::document::{
    Block, Cover, Fact, Figure, Line, Lines, Table, Weight, column, dim, fact, facts, figures, mono, row, state,
    strong, text,
};
use crate::model::{Anchor, Report, Scope, VerificationVerdict};
use crate::words::Badged;

/// Writes the first page.
pub(super) fn cover(report: &Report) -> Cover {
    let ledger = &report.ledger;
    Cover {
        title: ledger.title.clone(),
        subtitle: ledger.organization.clone(),
        scope: scope(report),
        verdict: report.verification.verdict.badge(),
        sentence: sentence(report),
        notices: notices(report),
        figures: vec![
            figure(ledger.tree_size, "entries in the tree"),
            figure(report.releases.len() as u64, "releases"),
            figure(report.sign_offs().count() as u64, "sign-offs"),
            figure(report.all_adverse().count() as u64, "recorded against"),
        ],
        facts: identity(report),
        how_to_check: vec![
            vec![
                text("This page is a copy for reading; the ledger is the record. Its bundle is checked with "),
                mono("verify.sh"),
                text(" (bash, coreutils, ssh-keygen and openssl) or with "),
                mono("countersign verify BUNDLE.zip --fingerprint HEX"),
                text("."),
            ],
            vec![text("Take the fingerprint from its holder by voice or paper, never from the bundle under test.")],
        ],
    }
}

fn figure(count: u64, label: &str) -> Figure {
    Figure { figure: count.to_string(), label: label.to_owned() }
}

fn scope(report: &Report) -> String {
    let size = report.ledger.tree_size;
    match &report.scope {
        Scope::WholeLedger => match size.checked_sub(1) {
            Some(last) => format!("Whole ledger, entries 0 to {last}"),
            None => "Whole ledger, no entries".to_owned(),
        },
        Scope::Release { id } => format!("Release {id}, {} of {size} entries", report.trail.len()),
    }
}

fn sentence(report: &Report) -> String {
    let size = report.ledger.tree_size;
    let verification = &report.verification;
    let found = match verification.verdict {
        VerificationVerdict::Valid => format!("All {size} entries verify: bytes, order, signatures, roles and rules."),
        VerificationVerdict::Incomplete => "All that is there is sound; something that is needed is absent.".to_owned(),
        VerificationVerdict::Invalid => match verification.findings.iter().find_map(|finding| finding.index) {
            Some(first) => format!("This ledger does not verify. The first bad entry is {first}."),
            None => "This ledger does not verify.".to_owned(),
        },
    };
    let limits = match report.scope {
        Scope::WholeLedger => "",
        Scope::Release { .. } => {
            " One release alone proves what is present, never that a NO-GO or another entry is absent."
        }
    };
    let sample = if report.ledger.sample { "SAMPLE. " } else { "" };
    format!("{sample}{found}{limits}")
}

fn notices(report: &Report) -> Vec<Block> {
    let mut blocks = Vec::new();
    if report.ledger.sample {
        blocks.push(notice(
            Weight::Warn,
            "SAMPLE",
            vec![vec![text("The people of this ledger are made up and their passphrases are shown on screen. Nothing in it approves a real release.")]],
        ));
    }
    let discrepancies = report.discrepancies();
    if !discrepancies.is_empty() {
        let lines = discrepancies.into_iter().map(|it| vec![text(it.0)]).collect();
        blocks.push(notice(Weight::Alarm, "This report contradicts itself: do not rely on it", lines));
    }
    let unsound = report.verification.findings.len();
    if report.verification.verdict == VerificationVerdict::Invalid && unsound > 0 {
        const ON_COVER: usize = 6;
        let mut lines: Lines = report.verification.findings.iter().take(ON_COVER).map(finding).collect();
        if unsound > ON_COVER {
            lines.push(vec![dim(format!("and {} more in chapter Verification and population", unsound - ON_COVER))]);
        }
        blocks.push(notice(Weight::Alarm, "Findings", lines));
    }
    blocks
}

fn finding(finding: &crate::model::Finding) -> Line {
    let at = match finding.index {
        Some(index) => format!("entry {index}"),
        None => "ledger".to_owned(),
    };
    vec![strong(at), text(" "), mono(&finding.code), text(" "), text(&finding.message)]
}

fn anchor(report: &Report) -> Line {
    match report.verification.anchor {
        Anchor::Unanchored => vec![text("No: nothing from outside this ledger was compared")],
        Anchor::Fingerprint => vec![text("Yes: the fingerprint given by the reader equals that of entry 0")],
        Anchor::Pin { size } => {
            vec![text(format!("Yes: this head extends the head of size {size} pinned on this desk"))]
        }
    }
}

fn identity(report: &Report) -> Vec<Fact> {
    let (ledger, made) = (&report.ledger, &report.made);
    let build = made.app_build.as_deref().map_or_else(|| vec![dim("build digest not known")], digest);
    let mut list = vec![
        fact("Origin", vec![mono(&ledger.origin)]),
        fact("Tree size", vec![mono(ledger.tree_size.to_string())]),
        fact("Root", vec![mono(&ledger.root)]),
        fact("Fingerprint", vec![mono(&ledger.fingerprint)]),
        fact("Anchored", anchor(report)),
        fact(
            "Witnesses",
            vec![text(match report.verification.witnesses {
                0 => "none cosigned this head".to_owned(),
                count => format!("{count} cosigned this head"),
            })],
        ),
        facts("Founded", stamp(&ledger.founded)),
        facts("Report made", moment(&made.at)),
        facts("Made with", vec![vec![text(format!("Countersign {}", made.app_version))], build]),
    ];
    if let Some(by) = &made.by {
        list.push(fact("Asked for by", party(by)));
    }
    if !made.parameters.is_empty() {
        let lines = made.parameters.iter().map(|it| vec![dim(format!("{} ", it.name)), mono(&it.value)]).collect();
        list.push(facts("Parameters", lines));
    }
    list
}

/// Writes the chapter on what verification found and on the complete population.
pub(super) fn verification(report: &Report, blocks: &mut Vec<Block>) {
    blocks.push(heading(1, "Verification and population", "verification"));
    blocks.push(Block::Paragraph {
        line: vec![state(report.verification.verdict.badge()), text(" "), text(sentence(report))],
    });
    blocks.push(heading(2, "Findings", "findings"));
    blocks.push(Block::Table {
        table: Table {
            caption: "Findings of verification".to_owned(),
            columns: vec![column("Entry", 9), column("Code", 26), column("What it means", 65)],
            rows: report
                .verification
                .findings
                .iter()
                .map(|it| row(vec![entry(it.index), vec![vec![mono(&it.code)]], cell(&it.message)]))
                .collect(),
            narrow: false,
            empty: "No findings.".to_owned(),
        },
    });

    blocks.push(heading(2, "Population", "population"));
    blocks.push(paragraph(population(report)));
    let total: u64 = report.acts.iter().fold(0, |sum, act| sum.saturating_add(act.count));
    let mut rows: Vec<_> = report
        .acts
        .iter()
        .map(|it| row(vec![vec![vec![mono(&it.act)]], vec![vec![text(it.count.to_string())]]]))
        .collect();
    rows.push(row(vec![vec![vec![strong("all acts")]], vec![vec![strong(total.to_string())]]]));
    blocks.push(Block::Table {
        table: Table {
            caption: "Entries of each act".to_owned(),
            columns: vec![column("Act", 70), figures("Entries", 30)],
            rows,
            narrow: true,
            empty: String::new(),
        },
    });

    blocks.push(heading(2, "Expected beside the records", "checklist"));
    blocks.push(Block::Table {
        table: Table {
            caption: "Documents that a regulator expects beside the records".to_owned(),
            columns: vec![column("Clause", 20), column("What is expected", 45), column("Where it stands", 35)],
            rows: report
                .checklist
                .iter()
                .map(|it| {
                    row(vec![
                        cell(&it.clause),
                        cell(&it.what),
                        match &it.present {
                            Some(place) => cell(place),
                            None => vec![vec![state(crate::model::Conclusion::Missing.badge())]],
                        },
                    ])
                })
                .collect(),
            narrow: false,
            empty: none(report, "checklist"),
        },
    });
}

fn population(report: &Report) -> String {
    let size = report.ledger.tree_size;
    let listed = report.trail.len();
    let counted: u64 = report.acts.iter().fold(0, |sum, act| sum.saturating_add(act.count));
    match report.scope {
        Scope::WholeLedger
            if counted == size
                && listed as u64 == size
                && report.verification.verdict == VerificationVerdict::Invalid =>
        {
            format!(
                "The audit trail of this report lists {listed} entries; the counts below sum to {counted}; the tree holds {size}. The figures agree, but the ledger does not verify, so this population proves nothing."
            )
        }
        Scope::WholeLedger if counted == size && listed as u64 == size => {
            format!(
                "The audit trail of this report lists {listed} entries; the counts below sum to {counted}; the tree holds {size}. The population is complete."
            )
        }
        Scope::WholeLedger => {
            format!(
                "The audit trail of this report lists {listed} entries; the counts below sum to {counted}; the tree holds {size}. The population is NOT complete."
            )
        }
        Scope::Release { .. } => {
            format!(
                "The audit trail of this report lists {listed} of the {size} entries of the tree, those that concern the release. The counts below are of the whole tree. The population is not complete and is not meant to be."
            )
        }
    }
}

//! The chapters after the releases: what stands against, people, policies, corrections, the trail, how to read it all.

use super::releases::{adoptions, bounds, changed};
use super::{adverse_cells, cell, digest, entry, heading, none, notice, paragraph, short_moment, short_stamp, words};
use crate::document::{
    Block, Column, Lines, Row, Table, Weight, column, dim, fact, facts, facts_block, figures, hash, mono, quote, row,
    state, strong, text,
};
use crate::model::{
    Admission, AdverseKind, AuthorizationState, Device, DevicePurpose, Key, KeyStatus, Person, Policy, Report, Scope,
    SignOffState, TrailEntry,
};
use crate::moment::tell;
use crate::visible::brief;
use crate::words::{Badged, explained, key_origin};
use std::collections::BTreeMap;

/// The columns of a table of what stands against something.
pub(super) fn adverse_columns() -> Vec<Column> {
    vec![column("What", 17), column("What happened", 31), column("Who", 20), column("When", 25), figures("Entry", 7)]
}

/// Writes the chapter on what stands against the ledger and its releases.
pub(super) fn against(report: &Report, blocks: &mut Vec<Block>) {
    blocks.push(heading(1, "What stands against", "against"));
    blocks.push(paragraph(
        "Refusals, failed attempts, halts, NO-GOs, waivers, re-runs of red results and entries without effect: nothing of this kind is left out of the report.",
    ));
    let mut kinds = BTreeMap::<AdverseKind, u64>::new();
    for adverse in report.all_adverse() {
        *kinds.entry(adverse.kind).or_default() += 1;
    }
    blocks.push(heading(2, "How many of each kind", "against-kinds"));
    blocks.push(Block::Table {
        table: Table {
            caption: "Things against, by kind".to_owned(),
            columns: vec![column("Kind", 70), figures("Times", 30)],
            narrow: true,
            rows: kinds
                .iter()
                .map(|(kind, times)| row(vec![vec![vec![state(kind.badge())]], cell(times.to_string())]))
                .collect(),
            empty: none(report, "refusal, failure, halt, NO-GO or waiver"),
        },
    });
    blocks.push(heading(2, "About the ledger", "against-ledger"));
    blocks.push(Block::Table {
        table: Table {
            caption: "Things against that belong to no release".to_owned(),
            columns: adverse_columns(),
            rows: report.adverse.iter().map(|it| row(adverse_cells(it))).collect(),
            narrow: false,
            empty: none(report, "such entry outside of releases"),
        },
    });
    blocks.push(heading(2, "About releases", "against-releases"));
    let rows = report
        .releases
        .iter()
        .flat_map(|release| {
            release.adverse.iter().map(move |it| {
                let mut cells = adverse_cells(it);
                cells[1].insert(0, vec![strong(brief(&format!("{} {}", release.product, release.version), 60))]);
                row(cells)
            })
        })
        .collect();
    blocks.push(Block::Table {
        table: Table {
            caption: "Things against releases".to_owned(),
            columns: adverse_columns(),
            rows,
            narrow: false,
            empty: none(report, "such entry about a release"),
        },
    });
}

/// Writes the chapter on people, keys and devices.
pub(super) fn people(report: &Report, blocks: &mut Vec<Block>) {
    blocks.push(heading(1, "People and keys", "people"));
    blocks.push(heading(2, "Roster", "roster"));
    blocks.push(Block::Table {
        table: Table {
            caption: "Everybody who was ever enrolled".to_owned(),
            columns: vec![column("Person", 30), column("Roles", 34), column("Enrolled", 36)],
            rows: report.people.iter().map(person).collect(),
            narrow: false,
            empty: none(report, "person"),
        },
    });
    blocks.push(heading(2, "Keys", "keys"));
    let due = report
        .people
        .iter()
        .flat_map(|it| &it.keys)
        .filter(|key| matches!(key.status, KeyStatus::DueSoon { .. }))
        .count();
    blocks.push(paragraph(match due {
        0 => "No key ends within 30 days of this report.".to_owned(),
        1 => "1 key ends within 30 days of this report.".to_owned(),
        due => format!("{due} keys end within 30 days of this report."),
    }));
    let rows = report.people.iter().flat_map(|person| person.keys.iter().map(move |it| key(person, it))).collect();
    blocks.push(Block::Table {
        table: Table {
            caption: "Every signing key".to_owned(),
            columns: vec![column("Key", 45), column("Enrolled", 26), column("State", 29)],
            rows,
            narrow: false,
            empty: none(report, "signing key"),
        },
    });
    blocks.push(heading(2, "Devices", "devices"));
    blocks.push(Block::Table {
        table: Table {
            caption: "Every device".to_owned(),
            columns: vec![column("Device", 45), column("Enrolled", 26), column("State", 29)],
            rows: report.devices.iter().map(device).collect(),
            narrow: false,
            empty: none(report, "device"),
        },
    });
}

fn person(it: &Person) -> Row {
    let roles: Lines = it
        .roles
        .iter()
        .map(|span| {
            let mut until = match span.until {
                Some(until) => format!(" from entry {} until entry {until}", span.from),
                None => format!(" from entry {}", span.from),
            };
            if let Some(end) = &span.expires {
                until.push_str(&format!(", at most until {}", tell(end).short));
            }
            let only = span.product.as_ref().map(|it| format!(" for {it} only")).unwrap_or_default();
            vec![text(&span.role), text(only), dim(until)]
        })
        .collect();
    let roles = if roles.is_empty() { vec![vec![dim("no role")]] } else { roles };
    let mut enrolled = short_stamp(&it.enrolled);
    enrolled.push(match it.accepted {
        Some(at) => vec![dim(format!("accepted, entry {at}"))],
        None => vec![strong("never accepted: cannot sign")],
    });
    let mut who = vec![vec![strong(&it.name)], vec![mono(&it.principal)]];
    if let Some(identity) = &it.identity {
        who.push(vec![dim("identity "), quote(identity)]);
    }
    if let Some(qualification) = &it.qualification {
        who.push(vec![dim(format!("qualification {qualification}"))]);
    }
    row(vec![who, roles, enrolled])
}

fn key(person: &Person, it: &Key) -> Row {
    let mut what = vec![vec![strong(&person.name)], vec![hash(&it.fingerprint)], vec![dim(key_origin(it.origin))]];
    if let Some(second) = &it.identity_stated_by {
        what.push(vec![dim("identity stated by "), text(&second.name)]);
    }
    let mut end = vec![vec![state(it.status.badge())]];
    if let KeyStatus::Revoked { reason, .. } = &it.status {
        end.push(words(reason));
    }
    if let Some(until) = &it.valid_until {
        end.push(vec![dim(format!("until {}", tell(until).short))]);
    }
    row(vec![what, short_stamp(&it.enrolled), end])
}

fn device(it: &Device) -> Row {
    let end = match it.revoked {
        None => vec![vec![text("enrolled")], vec![dim(it.key_store.text())]],
        Some(at) => vec![vec![strong(format!("revoked by entry {at}"))], vec![dim(it.key_store.text())]],
    };
    let mut what = vec![
        vec![strong(&it.name), dim(format!(" {}", it.purpose))],
        vec![mono(&it.id)],
        vec![hash(&it.key_fingerprint)],
    ];
    what.extend(it.log_key_fingerprint.as_ref().map(|key| vec![dim("log key "), hash(key)]));
    let mut enrolled = short_stamp(&it.enrolled);
    match (it.confirmed, it.purpose) {
        (Some(at), _) => enrolled.push(vec![dim(format!("confirmed, entry {at}"))]),
        (None, DevicePurpose::Dispatcher) => enrolled.push(vec![strong("confirmed by nobody: cannot dispatch")]),
        (None, DevicePurpose::Desk) => {}
    }
    row(vec![what, enrolled, end])
}

/// Writes the chapter on policies and standing authorizations.
pub(super) fn policies(report: &Report, blocks: &mut Vec<Block>) {
    blocks.push(heading(1, "Policies and standing authorizations", "policies"));
    if report.policies.is_empty() {
        blocks.push(paragraph(none(report, "policy")));
    }
    for (at, it) in report.policies.iter().enumerate() {
        policy(at, it, blocks);
    }
    blocks.push(heading(2, "Standing authorizations", "authorizations"));
    if report.authorizations.is_empty() {
        blocks.push(paragraph(none(report, "standing authorization")));
    }
    for it in &report.authorizations {
        blocks.push(heading(3, format!("Authorization of entry {}", it.entry), format!("authorization-{}", it.entry)));
        let mut now = vec![vec![state(it.state.badge())]];
        match &it.state {
            AuthorizationState::Suspended { reason, .. } => now.push(words(reason)),
            AuthorizationState::Void { cause } => now.push(vec![text(cause)]),
            AuthorizationState::InForce | AuthorizationState::Expired => {}
        }
        let mut list = vec![
            facts("State", now),
            fact("Product", vec![text(&it.product)]),
            facts("Proposed by", super::stamp(&it.proposed)),
            facts("Adopted by", adoptions(&it.adopted_by)),
            facts("Bounds", bounds(&it.bounds)),
            fact("Releases sent out", vec![text(it.uses.to_string())]),
        ];
        if let Some(until) = &it.valid_until {
            list.push(facts("Valid until", super::moment(until)));
        }
        blocks.push(facts_block(list));
    }
}

fn policy(at: usize, it: &Policy, blocks: &mut Vec<Block>) {
    blocks.push(heading(2, format!("{}, policy version {}", it.product, it.version), format!("policy-{}", at + 1)));
    let force = match (it.in_force_since, it.superseded_by) {
        (None, _) => vec![strong("never in force")],
        (Some(since), None) => vec![strong("in force"), dim(format!(" since entry {since}"))],
        (Some(since), Some(by)) => vec![text(format!("in force from entry {since}, replaced by entry {by}"))],
    };
    let answers = match it.answers.is_empty() {
        true => vec![vec![dim("nobody was asked, or nobody has answered")]],
        false => adoptions(&it.answers),
    };
    blocks.push(facts_block(vec![
        fact("Product", vec![text(&it.product)]),
        fact("State", force),
        fact("Digest", digest(&it.digest)),
        facts("Put forward by", super::stamp(&it.adopted)),
        facts("Answered by", answers),
    ]));
    blocks.push(Block::Verbatim { text: it.toml.clone() });
}

/// Writes what was corrected after its entry.
fn corrections(report: &Report, blocks: &mut Vec<Block>) {
    blocks.push(heading(2, "Corrections", "corrections"));
    blocks.push(Block::Table {
        table: Table {
            caption: "Values changed since their entry".to_owned(),
            columns: vec![column("Entry", 8), column("Old and new", 38), column("Reason", 28), column("Corrected", 26)],
            rows: report
                .corrections
                .iter()
                .map(|it| {
                    row(vec![
                        entry(Some(it.corrects)),
                        vec![changed(&it.changed)],
                        vec![words(&it.reason)],
                        short_stamp(&it.made),
                    ])
                })
                .collect(),
            narrow: false,
            empty: none(report, "correction"),
        },
    });
}

/// Writes the audit trail.
pub(super) fn trail(report: &Report, blocks: &mut Vec<Block>) {
    blocks.push(heading(1, "Audit trail", "trail"));
    corrections(report, blocks);
    blocks.push(heading(2, "Entries", "entries"));
    blocks.push(paragraph(match report.scope {
        Scope::WholeLedger => format!(
            "Every entry of the ledger, {} in all, in the order of the tree. Each ends with its leaf hash.",
            report.trail.len()
        ),
        Scope::Release { .. } => format!(
            "The {} entries that concern the release, of {} in the tree. Each ends with its leaf hash.",
            report.trail.len(),
            report.ledger.tree_size
        ),
    }));
    if report.trail.iter().any(|it| it.admission != Admission::Admitted) {
        blocks.push(notice(
            Weight::Warn,
            "Entries without effect",
            vec![vec![text(
                "Entries marked not admitted stand in the ledger and have no effect on anything in this report.",
            )]],
        ));
    }
    blocks.push(Block::Table {
        table: Table {
            caption: "Every entry".to_owned(),
            columns: vec![column("Entry", 6), column("When", 22), column("Act, who", 23), column("What", 49)],
            rows: report.trail.iter().map(trail_row).collect(),
            narrow: false,
            empty: none(report, "entry"),
        },
    });
}

fn trail_row(it: &TrailEntry) -> Row {
    let mut when = short_moment(&it.at);
    if it.clock_suspect {
        when.push(vec![state(AdverseKind::ClockSuspect.badge())]);
    }
    let mut what = cell(&it.summary);
    if let Some(reason) = &it.reason {
        what.push(words(reason));
    }
    what.extend(it.changes.iter().map(changed));
    if let Some(by) = it.superseded_by {
        what.push(vec![strong(format!("changed since: see entry {by}"))]);
    }
    if let Admission::NotAdmitted { code, message } = &it.admission {
        what.push(vec![state(AdverseKind::NotAdmitted.badge()), text(" "), mono(code), text(" "), text(message)]);
    }
    what.push(vec![hash(&it.leaf_sha256)]);
    let mut act = vec![vec![strong(&it.act)], vec![text(&it.by.name)]];
    if it.device != it.by.name {
        act.push(vec![dim(format!("on {}", it.device))]);
    }
    if let Some(release) = &it.release {
        act.push(vec![mono(release)]);
    }
    row(vec![entry(Some(it.index)), when, act, what])
}

/// What an auditor looks for, and where it stands: clause, requirement in our words, chapter.
const WHERE: [(&str, &str, &str); 16] = [
    ("21 CFR 11.10(a)", "altered records are discerned", "Verification and population"),
    ("21 CFR 11.10(b)", "complete copies, readable and electronic", "this report and its JSON"),
    ("21 CFR 11.10(e)", "audit trail with old and new values", "Audit trail; Corrections"),
    ("21 CFR 11.10(f), (g)", "sequence and authority of each step", "Releases; Audit trail"),
    ("21 CFR 11.50", "printed name, time and meaning of each signature", "Releases, sign-offs"),
    ("21 CFR 11.70", "signatures linked to their records", "Releases, sheet digest; leaf hashes"),
    ("21 CFR 11.100, 11.300", "unique people and keys, loss and end of keys", "People and keys"),
    ("EU GMP Annex 11, 8 and 9", "printouts show what was changed since", "Corrections; Audit trail"),
    ("EU GMP Annex 11, 14", "name, meaning, date and time of a signature", "Releases, sign-offs"),
    ("SOC 2 CC8.1", "authorized, tested, approved, implemented", "Releases"),
    ("PCI DSS 6.5.1", "reason, impact, approval, testing, back-out", "Releases, what was proposed; Evidence"),
    ("PCI DSS 6.5.4", "separation of roles", "Releases, sign-offs; People and keys"),
    ("ISO/IEC 27001 A.8.32", "change management", "Releases; Policies"),
    ("NIST SP 800-53 CM-3, AU-10", "decided, documented, retained, bound to identity", "Releases; Audit trail"),
    ("SOX ITGC", "complete population, report parameters", "Verification and population; first page"),
    ("DORA Art. 9(4)(e)", "recorded, tested, assessed, approved, implemented, verified", "Releases"),
];

/// Writes the chapter that explains the words of the report and where a requirement is met.
pub(super) fn reading_aid(blocks: &mut Vec<Block>) {
    blocks.push(heading(1, "How to read this report", "reading"));
    blocks.push(heading(2, "States of a sign-off", "states"));
    blocks.push(Block::Table {
        table: Table {
            caption: "What each state means".to_owned(),
            columns: vec![column("State", 30), column("Meaning", 70)],
            rows: SignOffState::ALL
                .iter()
                .map(|it| row(vec![vec![vec![state(it.badge())]], cell(explained(*it))]))
                .collect(),
            narrow: false,
            empty: String::new(),
        },
    });
    blocks.push(heading(2, "Times", "times"));
    blocks.push(paragraph(
        "Each time is printed in the zone of whoever acted and, as it was signed, in UTC. The order of entries is that of their index, not of their times.",
    ));
    blocks.push(heading(2, "Where to look", "where"));
    blocks.push(paragraph("Software can only support compliance; the procedures stay with the organization. This table is a way in, not a claim."));
    blocks.push(Block::Table {
        table: Table {
            caption: "Requirement and chapter".to_owned(),
            columns: vec![column("Requirement", 28), column("In short", 38), column("Chapter", 34)],
            rows: WHERE
                .iter()
                .map(|(clause, what, place)| row(vec![cell(*clause), cell(*what), cell(*place)]))
                .collect(),
            narrow: false,
            empty: String::new(),
        },
    });
}

//! Files of the sample: test reports, scans, bills of materials, notes, logs and change lists, written as the tools write
//! them, so that the real readers count them.

use std::fmt::Write as _;

use countersign_core::words::{CommitId, Timestamp};
use serde_json::{Value, json};

use super::goods::Goods;
use super::maker::{digest, pick, word};
use crate::changes::{self, ChangeList, Commit, DiffStat};

/// How a case ended that is worth a look.
#[derive(Debug, Clone, Copy)]
pub(super) enum Odd {
    /// An assertion failed: name, message, trace.
    Failed(&'static str, &'static str, &'static str),
    /// It broke: name, message, trace.
    Broke(&'static str, &'static str, &'static str),
    /// It passed only when run again: name, message of the first run.
    Flaky(&'static str, &'static str),
    /// It did not run: name, why.
    Skipped(&'static str, &'static str),
}

const BEHAVIOURS: [&str; 9] = [
    "answers within its deadline",
    "keeps its limits",
    "recovers",
    "refuses what it cannot read",
    "says why",
    "leaves the record whole",
    "counts each once",
    "waits its turn",
    "gives the same answer twice",
];
const CONDITIONS: [&str; 12] = [
    "after a restart",
    "at the upper limit",
    "at the lower limit",
    "with nothing to do",
    "under two alarms at once",
    "when the clock is set back",
    "over a slow link",
    "when the link drops",
    "on the second attempt",
    "with the longest name",
    "after midnight UTC",
    "with a full disk",
];

/// Writes a test report.
pub(super) fn junit(goods: &Goods, suite: &str, commit: &CommitId, cases: usize, odd: &[Odd]) -> Vec<u8> {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let tally = |found: fn(&Odd) -> bool| odd.iter().filter(|case| found(case)).count();
    let failures = tally(|case| matches!(case, Odd::Failed(..)));
    let errors = tally(|case| matches!(case, Odd::Broke(..)));
    let skipped = tally(|case| matches!(case, Odd::Skipped(..)));
    let total = cases + odd.len();
    let _ = writeln!(
        text,
        "<testsuites name=\"{suite}\" tests=\"{total}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">"
    );
    let _ = writeln!(
        text,
        " <testsuite name=\"{suite}\" tests=\"{total}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">"
    );
    let _ = writeln!(text, "  <properties><property name=\"commit\" value=\"{commit}\"/></properties>");
    for number in 0..cases {
        let area = goods.areas[number % goods.areas.len()];
        let behaviour = BEHAVIOURS[number / goods.areas.len() % BEHAVIOURS.len()];
        let condition = CONDITIONS[number / (goods.areas.len() * BEHAVIOURS.len()) % CONDITIONS.len()];
        let round = number / (goods.areas.len() * BEHAVIOURS.len() * CONDITIONS.len());
        let again = if round == 0 { String::new() } else { format!(", variant {}", round + 1) };
        let milliseconds = 3 + (number * 37 + suite.len() * 11) % 900;
        let class = area.replace(' ', ".");
        let _ = writeln!(
            text,
            "  <testcase classname=\"{suite}.{class}\" name=\"{behaviour} {condition}{again}\" time=\"0.{milliseconds:03}\"/>"
        );
    }
    for case in odd {
        let (name, inner) = match case {
            Odd::Failed(name, message, trace) => (name, format!("<failure message=\"{message}\">{trace}</failure>")),
            Odd::Broke(name, message, trace) => (name, format!("<error message=\"{message}\">{trace}</error>")),
            Odd::Flaky(name, message) => (name, format!("<flakyFailure message=\"{message}\"/>")),
            Odd::Skipped(name, why) => (name, format!("<skipped message=\"{why}\"/>")),
        };
        let class = goods.areas[name.len() % goods.areas.len()].replace(' ', ".");
        let _ = writeln!(
            text,
            "  <testcase classname=\"{suite}.{class}\" name=\"{name}\" time=\"2.418\">{inner}</testcase>"
        );
    }
    text.push_str(" </testsuite>\n</testsuites>\n");
    text.into_bytes()
}

/// Writes a scan; `error` is a finding that is one.
pub(super) fn sarif(goods: &Goods, commit: &CommitId, error: Option<&super::goods::Finding>) -> Vec<u8> {
    let results: Vec<Value> = goods
        .findings
        .iter()
        .chain(error)
        .map(|finding| {
            let mut result = json!({
                "ruleId": finding.rule,
                "level": finding.level,
                "message": { "text": finding.text },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": finding.file },
                    "region": { "startLine": finding.line },
                } }],
            });
            if let Some(why) = finding.accepted {
                result["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": why }]);
            }
            result
        })
        .collect();
    let scan = json!({
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "static-analysis", "version": "11.4" } },
            "invocations": [{ "executionSuccessful": true }],
            "versionControlProvenance": [{
                "repositoryUri": format!("https://git.northbay.example/{}", goods.slug),
                "revisionId": commit,
            }],
            "results": results,
        }],
    });
    format!("{scan:#}\n").into_bytes()
}

/// Writes a bill of materials.
pub(super) fn cyclonedx(goods: &Goods, version: &str, commit: &CommitId) -> Vec<u8> {
    let components: Vec<Value> = goods
        .components
        .iter()
        .map(|(name, version)| {
            json!({ "type": "library", "name": name, "version": version, "bom-ref": format!("{name}@{version}") })
        })
        .collect();
    let (first, its_version) = goods.components[0];
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": { "type": "application", "name": goods.slug, "version": version },
            "properties": [{ "name": "commit", "value": commit }],
        },
        "components": components,
        "vulnerabilities": [{
            "id": format!("NBM-2026-{:04}", 100 + pick(goods.slug, 800)),
            "description": "A crafted input makes the parser read past its buffer.",
            "ratings": [{ "severity": "medium" }],
            "analysis": {
                "state": "not_affected",
                "justification": "code_not_reachable",
                "detail": "The parser is built without the option that contains it.",
            },
            "affects": [{ "ref": format!("{first}@{its_version}") }],
        }],
    });
    format!("{bill:#}\n").into_bytes()
}

/// Writes the note of a risk review.
pub(super) fn risk_review(goods: &Goods, version: &str, who: &str, on: Timestamp) -> Vec<u8> {
    let day = on.to_string();
    format!(
        "Risk review of {} {version}\nHeld {} by {who}\n\n{}\n\nHazards looked at: {}.\nNew hazards: none.\nControls \
         changed: none.\nResidual risk: acceptable, as for the version before.\n",
        goods.title,
        &day[..10],
        goods.risk,
        goods.areas.join(", "),
    )
    .into_bytes()
}

/// Writes the log of a deploy.
pub(super) fn deploy_log(goods: &Goods, version: &str, segment: &str, lines: usize, failed: Option<&str>) -> Vec<u8> {
    let mut text = format!(
        "gate: attestation read, dispatcher key known\ngate: sheet digest matches, 1 of 1 claims taken\nfetch: {}{version}{}\n\
         fetch: digest as signed\n",
        goods.artifact.0, goods.artifact.1
    );
    for number in 1..=lines {
        let milliseconds = 40 + pick(&format!("{version} {segment} {number}"), 900);
        let _ = writeln!(text, "{segment}-{number:03}: stopped, replaced, started; answers after {milliseconds} ms");
    }
    match failed {
        Some(why) => {
            let _ = writeln!(text, "deploy: {why}\ndeploy: stopped; {lines} instances have the new version");
        }
        None => {
            let _ = writeln!(text, "deploy: {lines} instances replaced, all answer with {version}\ndeploy: done");
        }
    }
    text.into_bytes()
}

/// Returns the commit that stands for a version.
pub(super) fn commit(goods: &Goods, version: &str) -> CommitId {
    word(&digest(&format!("commit {} {version}", goods.slug)).to_string()[..40])
}

/// People who commit: name and address; some of them are in the ledger, most are not.
const AUTHORS: [(&str, &str); 7] = [
    ("Dana Lindqvist", "dana@northbay.example"),
    ("Tomás Vega", "tomas@northbay.example"),
    ("Kenji Mori", "kenji@northbay.example"),
    ("Nadia Petrova", "nadia@northbay.example"),
    ("Femi Adewale", "femi@northbay.example"),
    ("Laura Stein", "laura@northbay.example"),
    ("Isak Holm", "isak@northbay.example"),
];

/// Returns what a version brings since `base`.
pub(super) fn change_list(
    goods: &Goods,
    version: &str,
    base: Option<CommitId>,
    commits: usize,
    until: Timestamp,
) -> ChangeList {
    let head = commit(goods, version);
    let id = |place: usize| match place {
        0 => head.clone(),
        _ => word(&digest(&format!("commit {} {version} {place}", goods.slug)).to_string()[..40]),
    };
    let first = pick(&format!("{} {version}", goods.slug), goods.subjects.len());
    let ticket = 1000 + pick(&format!("ticket {} {version}", goods.slug), 800);
    let list: Vec<Commit> = (0..commits)
        .map(|place| {
            let (name, email) = AUTHORS[pick(&format!("author {} {version} {place}", goods.slug), AUTHORS.len())];
            let subject = goods.subjects[(first + place) % goods.subjects.len()];
            let message = format!("{}-{}: {subject}", goods.ticket, ticket + place / 2 * 3);
            let parents = match (place + 1 < commits, &base) {
                (true, _) => vec![id(place + 1)],
                (false, Some(base)) => vec![base.clone()],
                (false, None) => Vec::new(),
            };
            Commit {
                author_email: email.to_owned(),
                author_name: name.to_owned(),
                co_authors: Vec::new(),
                committed_at: until.epoch_seconds() - 5400 - place as i64 * 16_200,
                id: id(place),
                parents,
                tickets: changes::tickets(&message),
                subject: message,
            }
        })
        .collect();
    let lines = pick(&format!("lines {} {version}", goods.slug), 60) as u64;
    ChangeList {
        base,
        diff_stat: DiffStat {
            binary_files: 0,
            deletions: commits as u64 * (7 + lines / 3),
            files: commits as u64 * 2 + lines / 9,
            insertions: commits as u64 * (19 + lines),
        },
        commits: list,
        head,
        repository: goods.slug.to_owned(),
    }
}

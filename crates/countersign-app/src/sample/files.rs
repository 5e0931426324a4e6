//! The files of a sample: reports a test run, a scan and a build would leave, commits, and logs.

use countersign_core::hash::Digest;
use countersign_core::words::{CommitId, Timestamp};
use serde_json::json;

use super::maker::Change;
use crate::changes::{Author, ChangeList, Commit, DiffStat};
use crate::error::{Error, ErrorKind};

/// Who writes the software; none of them is in the ledger, so that nobody is barred by accident.
const AUTHORS: [(&str, &str); 5] = [
    ("Lin Tran", "lin@sample.example"),
    ("Marta Kowalska", "marta@sample.example"),
    ("Idris Bello", "idris@sample.example"),
    ("Sofia Almeida", "sofia@sample.example"),
    ("Tomás Herrera", "tomas@sample.example"),
];

const SUBJECTS: [&str; 16] = [
    "Keep the alarm on while the line is primed",
    "Round the rate only where it is shown",
    "Say which sensor is missing, not only that one is",
    "Wait for the second heartbeat before failing over",
    "Log refused logins with their reason",
    "Drop the retry that could send an order twice",
    "Read the time zone from the site, not from the server",
    "Pin the cipher suites of the gateway",
    "Show the unit beside every number",
    "Move the migration out of the start-up path",
    "Refuse a dose above the limit of the ward",
    "Page the on-call once, not at every sample",
    "Close the file handle on every path",
    "Cache the price list for a minute",
    "Answer 409 where the version has moved",
    "Test the battery switch-over at low charge",
];

fn commit_id(text: &str) -> Result<CommitId, Error> {
    Digest::of(text.as_bytes()).to_string()[..40]
        .parse()
        .map_err(|_| Error::new(ErrorKind::Integrity, "sample", "a commit has 40 hex digits"))
}

/// A number that is the same for the same words.
fn pick(words: &str, of: usize) -> usize {
    let digest = Digest::of(words.as_bytes());
    usize::from(digest.as_bytes()[0]) * 256 % of.max(1) + usize::from(digest.as_bytes()[1]) % of.max(1)
}

pub(super) fn commits(
    product: &str,
    version: &str,
    base: Option<CommitId>,
    change: &Change,
    at: Timestamp,
) -> Result<ChangeList, Error> {
    let mut commits = Vec::new();
    for place in 0..change.commits {
        let words = format!("{product} {version} {place}");
        let author = AUTHORS[pick(&words, AUTHORS.len()) % AUTHORS.len()];
        let ticket = format!("{}-{}", change.prefix, 100 + pick(&format!("{words} ticket"), 600));
        let parent = if place + 1 < change.commits {
            vec![commit_id(&format!("{product} {version} {}", place + 1))?]
        } else {
            base.iter().cloned().collect()
        };
        let co_authors = if place % 7 == 3 {
            let other = AUTHORS[(pick(&words, AUTHORS.len()) + 1) % AUTHORS.len()];
            vec![Author { email: other.1.to_owned(), name: other.0.to_owned() }]
        } else {
            Vec::new()
        };
        commits.push(Commit {
            author_email: author.1.to_owned(),
            author_name: author.0.to_owned(),
            co_authors,
            committed_at: at.epoch_seconds() - 3600 - i64::try_from(place).unwrap_or(0) * 5400,
            id: commit_id(&words)?,
            parents: parent,
            subject: SUBJECTS[pick(&words, SUBJECTS.len()) % SUBJECTS.len()].to_owned(),
            tickets: vec![ticket],
        });
    }
    let files = change.commits as u64 * 3 + 2;
    Ok(ChangeList {
        base,
        head: commits.first().map_or_else(|| commit_id(product), |commit| Ok(commit.id.clone()))?,
        commits,
        diff_stat: DiffStat {
            binary_files: u64::from(change.commits > 20),
            deletions: change.commits as u64 * 11,
            files,
            insertions: change.commits as u64 * 37 + 5,
        },
        repository: product.to_owned(),
    })
}

/// A test report: so many passed, the named ones failed, so many skipped, the named ones only when run again.
pub(super) fn tests(suite: &str, passed: usize, failed: &[(&str, &str)], skipped: usize, flaky: &[&str]) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut cases = String::new();
    let total = passed + failed.len() + skipped;
    let areas = ["rate", "alarm", "battery", "library", "network", "display", "audit"];
    for number in 0..passed.saturating_sub(flaky.len()) {
        let area = areas[number % areas.len()];
        let _ = writeln!(cases, "<testcase classname=\"{suite}.{area}\" name=\"case {number}\" time=\"0.01\"/>");
    }
    for name in flaky {
        let _ = writeln!(
            cases,
            "<testcase classname=\"{suite}.network\" name=\"{name}\" time=\"1.2\"><flakyFailure message=\"timed out, passed when run again\"/></testcase>"
        );
    }
    for (name, why) in failed {
        let _ = writeln!(
            cases,
            "<testcase classname=\"{suite}.rate\" name=\"{name}\" time=\"0.4\"><failure message=\"{why}\">{why}\nexpected 12.5 ml/h, was 12.4 ml/h\n  at rate_test.c:418</failure></testcase>"
        );
    }
    for number in 0..skipped {
        let _ = writeln!(
            cases,
            "<testcase classname=\"{suite}.display\" name=\"bench only {number}\"><skipped message=\"needs the bench\"/></testcase>"
        );
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"{suite}\" tests=\"{total}\" failures=\"{}\" errors=\"0\" skipped=\"{skipped}\">\n{cases}</testsuite>\n",
        failed.len()
    )
    .into_bytes()
}

/// A scan: so many open findings, so many that somebody has answered.
pub(super) fn scan(open: &[(&str, &str, &str)], answered: usize) -> Vec<u8> {
    let finding = |rule: &str, file: &str, text: &str, suppressed: bool| {
        let mut result = json!({
            "ruleId": rule,
            "level": "error",
            "message": {"text": text},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": file}, "region": {"startLine": 42}}}],
        });
        if suppressed {
            result["suppressions"] =
                json!([{"kind": "external", "status": "accepted", "justification": "not reachable"}]);
        }
        result
    };
    let mut results: Vec<_> = open.iter().map(|(rule, file, text)| finding(rule, file, text, false)).collect();
    for number in 0..answered {
        let file = format!("src/legacy/part{number}.c");
        results.push(finding("weak-hash", &file, "A hash that is no longer recommended", true));
    }
    let report = json!({
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "sample-scan", "version": "3.2", "rules": []}},
            "invocations": [{"executionSuccessful": true}],
            "results": results,
        }],
    });
    report.to_string().into_bytes()
}

/// A bill of materials of so many components, without a known vulnerability.
pub(super) fn materials(product: &str, count: usize) -> Vec<u8> {
    let component = |number: usize| {
        json!({"type": "library", "name": format!("{product}-part-{number}"), "version": format!("1.{number}.0"),
               "purl": format!("pkg:generic/{product}-part-{number}@1.{number}.0")})
    };
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "components": (0..count).map(component).collect::<Vec<_>>(),
        "vulnerabilities": [],
    });
    bill.to_string().into_bytes()
}

/// The log a deployment leaves.
pub(super) fn log(release: &str, well: bool) -> String {
    let mut text = format!(
        "gate: attestation of {release} received\ngate: decision sheet and every signature verified\ngate: this wave was not claimed before\n"
    );
    for step in ["fetch the artifact", "check its digest", "stop the old instances", "start the new ones"] {
        text.push_str(&format!("deploy: {step}\n"));
    }
    for second in (5..=60).step_by(5) {
        text.push_str(&format!("deploy: {second} s: instances answer\n"));
    }
    text.push_str(if well { "deploy: done\n" } else { "deploy: instance 2 does not start: exit status 1\n" });
    text
}

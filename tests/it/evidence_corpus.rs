//! The evidence readers against real files of other makers, which are not part of the repository.
//!
//! Each figure is derived twice: by the reader, and here by another way from the file's own text (marks counted in the
//! raw XML, a plain walk over the JSON). A table of names makes sure that no file is left out unseen.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use countersign_app::evidence::{self, ReadError, Report};
use countersign_core::evidence::{Conclusion, Counts, EvidenceKind};
use countersign_core::hash::Digest;
use serde_json::Value;

/// Returns the folder of the corpus, or says aloud that it is not there.
fn corpus() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let data = std::env::var_os("COUNTERSIGN_CORPUS").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let folder = data.join("evidence");
    if folder.is_dir() {
        return Some(folder);
    }
    // Not through `eprintln!`, which the test harness would keep to itself.
    let _ = writeln!(std::io::stderr(), "corpus absent: skipped ({})", folder.display());
    None
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

/// Reads every file of a folder and checks it against the table of names; refused files are returned as `None`.
fn read_all(folder: &Path, kind: EvidenceKind, table: &[(&str, Option<Conclusion>)]) -> Vec<(String, String, Report)> {
    let files = files(folder);
    let found: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    let known: Vec<_> = table.iter().map(|(name, _)| *name).collect();
    assert_eq!(found, known, "a file came or went: say what it is worth");
    let mut reports = Vec::new();
    for ((name, bytes), (_, expected)) in files.into_iter().zip(table) {
        match (evidence::read(&bytes, &name), expected) {
            (Ok(report), Some(conclusion)) => {
                assert_eq!((report.kind, report.conclusion), (kind, *conclusion), "{name}: {:?}", report.notes);
                assert_eq!(report.digest, Digest::of(&bytes));
                reports.push((name, String::from_utf8(bytes).unwrap(), report));
            }
            (Err(error), None) => {
                assert!(matches!(error, ReadError::Hostile { .. }), "{name}: {error}");
                assert!(evidence::read_as(kind, &bytes, evidence::Limits::default()).is_err());
            }
            (found, _) => panic!("{name}: {found:?}"),
        }
    }
    reports
}

#[test]
fn junit_files_are_read_as_their_marks_say() {
    let Some(folder) = corpus() else { return };
    let table = [
        ("TEST-io.olamy.AlwaysFailTest.xml", Some(Conclusion::Fail)),
        ("TEST-io.olamy.FlakyTest.xml", Some(Conclusion::Pass)),
        ("junit-report-20090516.xml", Some(Conclusion::Fail)),
        ("junit-report-2874.xml", Some(Conclusion::Pass)),
        ("junit-report-bad-duration.xml", Some(Conclusion::Pass)),
        ("junit-report-empty-testcasename.xml", Some(Conclusion::Fail)),
        ("junit-report-huge.xml", Some(Conclusion::Fail)),
        ("junit-report-nested-testsuites.xml", Some(Conclusion::Fail)),
        ("junit-report-with-properties.xml", Some(Conclusion::Fail)),
        ("skippedTestResult.xml", Some(Conclusion::Inconclusive)),
        ("testXxe-oob.xml", None),
        ("testXxe-xxe.xml", None),
    ];
    for (name, text, report) in read_all(&folder.join("junit"), EvidenceKind::Junit, &table) {
        let text = without(&without(&text, "<![CDATA[", "]]>"), "<!--", "-->");
        assert_eq!(report.counts, counts_of_marks(&text), "{name}");
        let claims = differing_claims(&text, report.counts);
        let header_notes = report.notes.iter().filter(|note| note.starts_with("the header of suite")).count();
        assert_eq!(header_notes > 0, claims, "{name}: {:?}", report.notes);
        let Counts::Tests { failed, errors, skipped, flaky, .. } = report.counts else { unreachable!() };
        assert_eq!(report.items.len() as u64, failed + errors + skipped + flaky, "{name}");
    }
}

/// Takes every stretch between two marks out of a text.
fn without(text: &str, start: &str, end: &str) -> String {
    let mut rest = text;
    let mut kept = String::new();
    while let Some((before, from)) = rest.split_once(start) {
        kept.push_str(before);
        rest = from.split_once(end).expect("what opens closes").1;
    }
    kept + rest
}

/// Counts the tags of one name in raw text.
fn tags(text: &str, name: &str) -> u64 {
    let tag = format!("<{name}");
    let ends_there = |at: &usize| text[at + tag.len()..].starts_with([' ', '/', '>', '\n']);
    text.match_indices(&tag).filter(|(at, _)| ends_there(at)).count() as u64
}

/// Counts a report by cutting its text at the cases.
fn counts_of_marks(text: &str) -> Counts {
    let mut pieces = text.split("<testcase");
    let mut outside = pieces.next().unwrap().to_owned();
    let (mut total, mut passed, mut failed, mut errors, mut skipped, mut flaky) = (0, 0, 0, 0, 0, 0);
    for piece in pieces {
        let open_tag = piece.split_once('>').unwrap().0;
        let (case, after) =
            if open_tag.ends_with('/') { (open_tag, piece) } else { piece.split_once("</testcase>").unwrap() };
        outside.push_str(after);
        total += 1;
        let has = |name| tags(case, name) > 0;
        match () {
            () if has("error") => errors += 1,
            () if has("failure") || has("rerunFailure") || has("rerunError") => failed += 1,
            () if has("skipped") => skipped += 1,
            () => {
                passed += 1;
                flaky += u64::from(has("flakyFailure") || has("flakyError"));
            }
        }
    }
    // A broken suite is a case of its own.
    let (suite_errors, suite_failures) = (tags(&outside, "error"), tags(&outside, "failure"));
    total += suite_errors + suite_failures;
    Counts::Tests { total, passed, failed: failed + suite_failures, errors: errors + suite_errors, skipped, flaky }
}

/// Returns whether any header of a file with one suite, or its outermost header, differs from the figures.
fn differing_claims(text: &str, counts: Counts) -> bool {
    let Counts::Tests { total, failed, errors, skipped, .. } = counts else { unreachable!() };
    let headers: Vec<&str> = text.split("<testsuite").skip(1).map(|piece| piece.split_once('>').unwrap().0).collect();
    headers.iter().filter(|header| headers.len() < 3 || header.starts_with('s')).any(|header| {
        [("tests", total), ("failures", failed), ("errors", errors), ("skipped", skipped)].iter().any(
            |(name, count)| {
                let value = header.split_once(&format!(" {name}=\"")).map(|(_, rest)| rest.split_once('"').unwrap().0);
                value.is_some_and(|value| value != count.to_string())
            },
        )
    })
}

#[test]
fn surefire_runs_again_are_told_apart_from_cases() {
    let Some(folder) = corpus() else { return };
    let read = |name: &str| evidence::read(&fs::read(folder.join("junit").join(name)).unwrap(), name).unwrap();
    let report = read("TEST-io.olamy.FlakyTest.xml");
    let flaky = Counts::Tests { total: 1, passed: 1, failed: 0, errors: 0, skipped: 0, flaky: 1 };
    assert_eq!(report.counts, flaky);
    assert_eq!(
        report.items[0].message.as_deref().unwrap().lines().next(),
        Some("junit.framework.AssertionFailedError: obvious fail")
    );
    let report = read("TEST-io.olamy.AlwaysFailTest.xml");
    let failed = Counts::Tests { total: 1, passed: 0, failed: 1, errors: 0, skipped: 0, flaky: 0 };
    assert_eq!(report.counts, failed);
    let report = read("junit-report-nested-testsuites.xml");
    assert!(report.notes.iter().any(|note| note.contains("tests 186 (counted 3)")), "{:?}", report.notes);
}

#[test]
fn sarif_files_are_read_as_the_specification_says() {
    let Some(folder) = corpus() else { return };
    let table = [
        ("CodeFlows.sarif", Some(Conclusion::Pass)),
        ("DefaultRuleConfiguration.sarif", Some(Conclusion::Fail)),
        ("RuleMetadata.sarif", Some(Conclusion::Fail)),
        ("Suppressions.sarif", Some(Conclusion::Pass)),
        ("simple-example.sarif", Some(Conclusion::Fail)),
        ("standard-taxonomy.sarif", Some(Conclusion::Pass)),
    ];
    for (name, text, report) in read_all(&folder.join("sarif"), EvidenceKind::Sarif, &table) {
        let log: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
        assert_eq!(report.counts, counts_of_findings(&log), "{name}");
        let words = |word: &str| report.items.iter().filter(|i| i.message.as_deref().unwrap().contains(word)).count();
        if name == "Suppressions.sarif" {
            // The file says of each finding what a viewer shows; of the last one it says "hidden" though none of its
            // suppressions is accepted, and a later edition of the file says "shown".
            assert_eq!((words("is visible"), words("is hidden")), (3, 6));
            assert_eq!(report.counts, Counts::Findings { error: 0, warning: 4, note: 0, none: 0, suppressed: 5 });
        }
    }
}

/// Walks a log of plain findings: level, else the rule's default by index, else by id, else warning.
fn counts_of_findings(log: &Value) -> Counts {
    let (mut error, mut warning, mut note, mut none, mut suppressed) = (0, 0, 0, 0, 0);
    for run in log["runs"].as_array().unwrap() {
        let rules = run["tool"]["driver"]["rules"].as_array().cloned().unwrap_or_default();
        for result in run["results"].as_array().unwrap() {
            let statuses = result["suppressions"].as_array().into_iter().flatten().map(|s| s["status"].as_str());
            if statuses.into_iter().any(|status| matches!(status, None | Some("accepted"))) {
                suppressed += 1;
                continue;
            }
            let rule = match result["ruleIndex"].as_u64() {
                Some(index) => rules.get(index as usize),
                None => rules.iter().find(|rule| rule["id"] == result["ruleId"]),
            };
            let default = rule.and_then(|rule| rule["defaultConfiguration"]["level"].as_str());
            match result["level"].as_str().or(default).unwrap_or("warning") {
                "error" => error += 1,
                "warning" => warning += 1,
                "note" => note += 1,
                "none" => none += 1,
                level => panic!("{level}"),
            }
        }
    }
    Counts::Findings { error, warning, note, none, suppressed }
}

#[test]
fn bills_of_materials_are_counted_to_the_last_component() {
    let Some(folder) = corpus() else { return };
    let table = [
        ("dropwizard-1.3.15.cdx.json", Some(Conclusion::Pass)),
        ("laravel-7.12.0.cdx.json", Some(Conclusion::Pass)),
        // A statement about another bill's components: it is answered, and no inventory.
        ("vex.cdx.json", Some(Conclusion::Inconclusive)),
    ];
    for (name, text, report) in read_all(&folder.join("sbom"), EvidenceKind::Cyclonedx, &table) {
        let bom: Value = serde_json::from_str(&text).unwrap();
        let answered = ["resolved", "resolved_with_pedigree", "false_positive", "not_affected"];
        let listed: Vec<_> = bom["vulnerabilities"].as_array().into_iter().flatten().collect();
        let is_open = |v: &&&Value| !v["analysis"]["state"].as_str().is_some_and(|state| answered.contains(&state));
        let vulnerabilities = listed.iter().filter(is_open).count() as u64;
        assert_eq!(report.counts, Counts::Components { components: components(&bom), vulnerabilities }, "{name}");
        let told = report.notes.iter().any(|note| note.starts_with(&format!("{} vulnerabilities", listed.len())));
        assert_eq!(told, !listed.is_empty(), "{name}: {:?}", report.notes);
    }
}

fn components(value: &Value) -> u64 {
    let inner = value["components"].as_array().into_iter().flatten();
    inner.map(|component| 1 + components(component)).sum()
}

#[test]
fn a_real_file_cut_anywhere_is_refused() {
    let Some(folder) = corpus() else { return };
    for (part, kind) in
        [("junit", EvidenceKind::Junit), ("sarif", EvidenceKind::Sarif), ("sbom", EvidenceKind::Cyclonedx)]
    {
        for (name, bytes) in files(&folder.join(part)) {
            let content = bytes.trim_ascii_end().len();
            for step in 1..64 {
                let cut = &bytes[..content * step / 64];
                let found = evidence::read_as(kind, cut, evidence::Limits::default());
                assert!(found.is_err(), "{name} cut to {} bytes: {found:?}", cut.len());
            }
        }
    }
}

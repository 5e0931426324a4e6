//! The requirement trace: `tests/compliance.toml` names the tests behind each clause, and `docs/compliance.md` is written
//! from it. `COUNTERSIGN_WRITE_COMPLIANCE=1` writes the document anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use serde::Deserialize;

use crate::harness::tests_directory;
use crate::threat_model::tests;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trace {
    /// Issues of which nothing may be planned any more.
    delivered: Vec<String>,
    framework: Vec<Framework>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Framework {
    name: String,
    text: Text,
    note: Option<String>,
    rows: Vec<Row>,
}

/// Whether the wording of the clauses was read.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Text {
    Stored,
    Memory,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    clause: String,
    /// What it asks of the program, in our words.
    asks: String,
    #[serde(default)]
    tests: Vec<String>,
    /// What the tests do not show.
    limit: Option<String>,
    /// The issue that will bring it.
    planned: Option<String>,
    /// Why it is nothing a program does.
    outside: Option<String>,
}

fn trace() -> Trace {
    toml::from_str(&fs::read_to_string(tests_directory().join("compliance.toml")).unwrap()).unwrap()
}

/// What is wrong with a row, given the tests there are and the issues that are done.
fn wrong(row: &Row, tests: &BTreeSet<String>, delivered: &[String]) -> Option<String> {
    let ways = [!row.tests.is_empty(), row.planned.is_some(), row.outside.is_some()];
    if ways.iter().filter(|way| **way).count() != 1 {
        return Some(format!("{}: it is shown by tests, or planned, or outside, and one of them", row.clause));
    }
    if let Some(issue) = row.planned.as_ref().filter(|issue| delivered.contains(issue)) {
        return Some(format!("{}: {issue:?} is delivered, and no test shows this", row.clause));
    }
    let missing = row.tests.iter().find(|name| !tests.contains(*name))?;
    Some(format!("{}: there is no test {missing}", row.clause))
}

fn document(trace: &Trace) -> String {
    let rows = || trace.framework.iter().flat_map(|framework| &framework.rows);
    let shown = rows().filter(|row| !row.tests.is_empty()).count();
    let mut text = format!(
        "# Compliance: which clause is shown by which test\n\n\
         This page is written from `tests/compliance.toml` by a test, which fails where a named test is not there. A program can \
         only support compliance; procedures, training and the decision that it is enough stay with the company that uses it. \
         This is an engineer's reading and no legal advice.\n\n\
         {} clauses: {shown} shown by tests, {} planned, {} outside what a program does.\n",
        rows().count(),
        rows().filter(|row| row.planned.is_some()).count(),
        rows().filter(|row| row.outside.is_some()).count(),
    );
    for framework in &trace.framework {
        let read = match framework.text {
            Text::Stored => "The clauses were read in a stored copy.",
            Text::Memory => {
                "**The exact text of these clauses was not verified**: read the official text before you rely on the numbering or the wording."
            }
        };
        let note = framework.note.as_ref().map(|note| format!(" {note}")).unwrap_or_default();
        let _ =
            write!(text, "\n## {}\n\n{read}{note}\n\n| Clause | Asks | Shown by |\n|---|---|---|\n", framework.name);
        for row in &framework.rows {
            let by = match (&row.planned, &row.outside) {
                (Some(issue), _) => format!("planned: {issue}"),
                (_, Some(why)) => format!("outside: {why}"),
                _ => row.tests.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
            };
            let limit = row.limit.as_ref().map(|limit| format!(". Limit: {limit}")).unwrap_or_default();
            let _ = writeln!(text, "| {} | {} | {by}{limit} |", row.clause, row.asks);
        }
    }
    text
}

#[test]
fn every_clause_is_shown_by_tests_that_are_there_or_says_what_is_not() {
    let (trace, tests) = (trace(), tests());
    let rows: Vec<&Row> = trace.framework.iter().flat_map(|framework| &framework.rows).collect();
    let wrong: Vec<String> = rows.iter().filter_map(|row| wrong(row, &tests, &trace.delivered)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.len() >= 50, "{} rows", rows.len());
}

#[test]
fn the_document_is_written_from_the_trace() {
    let path = tests_directory().join("../docs/compliance.md");
    let written = document(&trace());
    if std::env::var_os("COUNTERSIGN_WRITE_COMPLIANCE").is_some() {
        fs::write(&path, &written).unwrap();
    }
    let stands = fs::read_to_string(path).unwrap_or_default();
    assert!(
        stands == written,
        "docs/compliance.md is not what the trace says; COUNTERSIGN_WRITE_COMPLIANCE=1 writes it"
    );
}

#[test]
fn a_clause_without_its_test_is_found() {
    let row = |rest: &str| -> Row { toml::from_str(&format!("clause = 'c'\nasks = 'a'\n{rest}")).unwrap() };
    let tests = BTreeSet::from(["m::t".to_owned()]);
    let delivered = ["done".to_owned()];
    for good in ["tests = ['m::t']", "planned = 'later'", "outside = 'paper'"] {
        assert_eq!(wrong(&row(good), &tests, &delivered), None, "{good}");
    }
    for bad in ["", "tests = ['m::u']", "planned = 'done'", "tests = ['m::t']\nplanned = 'later'"] {
        assert!(wrong(&row(bad), &tests, &delivered).is_some(), "{bad}");
    }
}

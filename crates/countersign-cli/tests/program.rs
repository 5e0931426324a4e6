//! The built program as a script meets it: what it ends with, and where it says what.
#![cfg_attr(test, allow(clippy::unwrap_used))]

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Runs the program in a directory and returns its exit code and its two streams.
fn run(dir: &Path, words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(words).current_dir(dir).stdin(Stdio::null());
    let output = command.env("COUNTERSIGN_HOME", dir.join("home")).env_remove("COUNTERSIGN_LEDGER").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// What a person sees who leaves out or mistypes something: what is wrong, and what to do.
#[test]
fn a_slip_is_answered_with_the_way_on() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(dir.join("scan.sarif"), "{\"version\": \"2.1.0\"}").unwrap();
    std::fs::write(dir.join("there.zip"), "").unwrap();
    let slips: [(i32, &[&str], &[&str]); 8] = [
        (2, &["person"], &["Usage: countersign person", "enrol", "accept"]),
        (
            2,
            &["statsu"],
            &["error: unrecognized subcommand 'statsu'", "hint: some similar subcommands exist: ", "'status'"],
        ),
        (2, &["sign", "shop-1.0.0"], &["--verdict <VERDICT>", "hint: usage: countersign sign "]),
        (2, &["status"], &["error: no ledger is named", "hint: give --ledger DIR"]),
        (1, &["evidence", "inspect", "scan.sarif", "--kind", "junit"], &["not a JUnit report: it is JSON"]),
        (1, &["export", "--out", "there.zip"], &["there.zip exists already", "hint: nothing is overwritten"]),
        (3, &["export", "--out", "no/bundle.zip"], &["there is no directory no", "hint: create it first"]),
        (3, &["report", "--format", "pdf", "--out", "no/report.pdf"], &["there is no directory no"]),
    ];
    for (code, words, parts) in slips {
        let (found, out, err) = run(dir, words);
        assert_eq!((found, out.as_str()), (code, ""), "{words:?}: {err}");
        for part in parts {
            assert!(err.contains(part), "{words:?} does not say {part}: {err}");
        }
        assert!(!err.contains("try '--help'") && !err.contains("os error"), "{words:?}: {err}");
    }
}

#[test]
fn each_end_has_its_code_and_its_stream() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(dir.join("green.xml"), "<testsuite><testcase name='a'/></testsuite>").unwrap();
    std::fs::write(dir.join("red.xml"), "<testsuite><testcase name='a'><failure/></testcase></testsuite>").unwrap();
    std::fs::write(dir.join("empty.xml"), "<testsuite/>").unwrap();
    std::fs::write(dir.join("cut.xml"), "<testsuite><testcase name='a'>").unwrap();
    std::fs::write(dir.join("bundle.zip"), "no bundle").unwrap();
    // What is answered goes to one stream, what is refused to the other.
    let answers: [(i32, &[&str]); 7] = [
        (0, &["--version"]),
        (0, &["sign", "--help"]),
        (0, &["evidence", "inspect", "green.xml"]),
        (1, &["evidence", "inspect", "red.xml"]),
        // A report without a case is read, and is no evidence.
        (1, &["evidence", "inspect", "empty.xml"]),
        (4, &["verify", "bundle.zip"]),
        (4, &["verify", "bundle.zip", "--json"]),
    ];
    for (code, words) in answers {
        let (found, out, err) = run(dir, words);
        assert_eq!((found, err.as_str(), out.is_empty()), (code, "", false), "{words:?}: {out}");
    }
    let errors: [(i32, &str, &[&str]); 6] = [
        (1, "evidence_malformed", &["evidence", "inspect", "cut.xml"]),
        (2, "usage", &["frobnicate"]),
        (2, "usage", &["status"]),
        (2, "usage", &["evidence", "inspect", "green.xml", "--frob"]),
        (3, "ledger_not_found", &["--ledger", "nowhere", "status"]),
        (3, "file", &["verify", "nothing.zip"]),
    ];
    for (code, name, words) in errors {
        let (found, out, err) = run(dir, words);
        assert_eq!((found, out.as_str()), (code, ""), "{words:?}: {err}");
        assert!(err.starts_with("error: "), "{words:?}: {err}");
        let (found, out, err) = run(dir, &[words, &["--json"]].concat());
        let error: Value = serde_json::from_str(&err).unwrap();
        assert_eq!((found, out.as_str(), &error["error"]["code"]), (code, "", &Value::from(name)), "{words:?}: {err}");
    }
}

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

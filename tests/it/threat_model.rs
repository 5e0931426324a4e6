//! The threat model names, for each attack, the tests that show what it says; here they are looked for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::tests_directory;

/// One attack of the document.
#[derive(Debug, PartialEq, Eq)]
struct Row<'a> {
    at: usize,
    attack: &'a str,
    caught: &'a str,
    not_caught: &'a str,
    shown: &'a str,
}

fn rows(document: &str) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut about_attacks = false;
    for (at, line) in document.lines().enumerate() {
        if let Some(heading) = line.strip_prefix("## ") {
            about_attacks = heading.starts_with("Attacks ");
        }
        if !about_attacks || !line.starts_with("| ") || line.starts_with("| Attack |") {
            continue;
        }
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [attack, caught, not_caught, shown] = cells[..] else { panic!("line {}: {cells:?}", at + 1) };
        rows.push(Row { at: at + 1, attack, caught, not_caught, shown });
    }
    rows
}

/// What is wrong with a row, given the tests there are.
fn wrong(row: &Row<'_>, tests: &BTreeSet<String>) -> Option<String> {
    let complain = |what: String| Some(format!("line {}: {}: {what}", row.at, row.attack));
    if row.shown == "nothing" {
        let plain = row.caught.is_empty() && !row.not_caught.is_empty();
        return if plain { None } else { complain("what no test shows is not caught, and says so".into()) };
    }
    if row.caught.is_empty() {
        return complain("tests show it, and nothing is said to catch it".into());
    }
    for name in row.shown.split(", ") {
        let Some(name) = name.strip_prefix('`').and_then(|name| name.strip_suffix('`')) else {
            return complain(format!("{name} is not the name of a test"));
        };
        if !tests.contains(name) {
            return complain(format!("there is no test {name}"));
        }
    }
    None
}

fn sources(directory: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(path);
        }
    }
}

/// The tests of a source, by the name that follows `fn` behind a mark.
fn tests_of(source: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut marked = false;
    for line in source.lines().map(str::trim_start) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            marked = true;
        } else if marked && let Some((_, rest)) = line.split_once("fn ").filter(|_| !line.starts_with("//")) {
            names.extend(rest.split(['(', '<']).next());
            marked = false;
        }
    }
    names
}

/// Every test of the workspace: the modules below its crate's sources, or below its suite in `tests`, and its name.
pub(crate) fn tests() -> BTreeSet<String> {
    let root = tests_directory().parent().unwrap();
    let inside = |directory: &Path| fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut roots: Vec<PathBuf> = inside(&root.join("crates")).map(|member| member.join("src")).collect();
    roots.extend(inside(&root.join("crates")).map(|member| member.join("tests")).filter(|suites| suites.is_dir()));
    roots.extend(inside(tests_directory()).filter(|suite| suite.join("main.rs").is_file()));
    let mut all = BTreeSet::new();
    for root in roots {
        let mut files = Vec::new();
        sources(&root, &mut files);
        for file in files {
            let module = file.strip_prefix(&root).unwrap().with_extension("");
            let module: Vec<String> = module.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            let source = fs::read_to_string(&file).unwrap();
            all.extend(tests_of(&source).into_iter().map(|name| format!("{}::{name}", module.join("::"))));
        }
    }
    all
}

#[test]
fn every_attack_names_tests_that_are_there_or_says_that_it_is_not_caught() {
    let document = fs::read_to_string(tests_directory().join("../docs/threat-model.md")).unwrap();
    let (rows, tests) = (rows(&document), tests());
    let wrong: Vec<String> = rows.iter().filter_map(|row| wrong(row, &tests)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.len() >= 30, "{} rows were read", rows.len());
    let attacks: BTreeSet<&str> = rows.iter().map(|row| row.attack).collect();
    assert_eq!(attacks.len(), rows.len(), "no attack is told twice");
}

#[test]
fn a_row_without_its_test_is_found() {
    let document =
        "## Attacks on x\n| Attack | C | N | S |\n|---|---|---|---|\n| a | S | | `m::t` |\n## Other\n| b | c |\n";
    let tests = BTreeSet::from(["m::t".to_owned()]);
    let found = rows(document);
    let [row] = &found[..] else { panic!("{found:?}") };
    assert_eq!(wrong(row, &tests), None);
    let with = |caught, not_caught, shown| Row { at: 4, attack: "a", caught, not_caught, shown };
    for (caught, not_caught, shown) in [
        ("S", "", "`m::u`"),
        ("S", "", "m::t"),
        ("S", "", ""),
        ("", "yes", "`m::t`"),
        ("", "", "nothing"),
        ("S", "yes", "nothing"),
    ] {
        assert!(wrong(&with(caught, not_caught, shown), &tests).is_some(), "{caught}|{not_caught}|{shown}");
    }
    assert_eq!(wrong(&with("", "yes", "nothing"), &tests), None);
    let source = "#[test]\n#[cfg(unix)]\nfn a() {}\nfn b() {}\n#[tokio::test(flavor = \"x\")]\nasync fn c() {}\nfn d(";
    assert_eq!(tests_of(source), ["a", "c"]);
}

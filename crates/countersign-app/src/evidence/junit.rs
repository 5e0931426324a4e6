//! JUnit XML, in the dialects of Ant, Surefire, Gradle, pytest, GoogleTest, PHPUnit and Node.
//!
//! There is no specification; what the dialects share is read so:
//!
//! | in a case | counts as |
//! |---|---|
//! | `<error>`, or a status word for it | error |
//! | `<failure>`, `<rerunFailure>`, `<rerunError>`, or a status word for it | failed |
//! | `<skipped>`, or a status word for it | skipped |
//! | `<flakyFailure>`, `<flakyError>` alone | passed, and flaky |
//! | a `status` or `result` of an unknown word | skipped, and the report is inconclusive |
//! | none of these | passed |
//!
//! The upper row wins: a case that is both failed and skipped (a failing `todo` of Node) is failed.
//! An `<error>` or `<failure>` directly in a suite (a broken set-up) counts as one case more.
//! Totals in headers are compared, never used. Where a header, or Node's closing comments, claim
//! failures that no case shows, the report is inconclusive: Node writes no element for a parent
//! test that fails while its subtests pass.

use std::collections::BTreeMap;

use countersign_core::evidence::{Conclusion, Counts, EvidenceKind};

use super::xml::{Document, Element, Node, text};
use super::{Draft, ItemLevel, MAX_TEXT_BYTES, ReadError, Report, claims};

/// How many different unknown element names are remembered.
const MAX_UNKNOWN_NAMES: usize = 20;

pub(super) fn read(bytes: &[u8]) -> Result<Report, ReadError> {
    let mut document = Document::new(text(bytes)?);
    let mut reader = JunitReader::default();
    loop {
        match document.next()? {
            Node::Open(element) => reader.open(&document, element)?,
            Node::Text(text) => reader.text(&text),
            Node::Comment(comment) => reader.comment(&comment),
            Node::Close => reader.close(),
            Node::End => return Ok(reader.report(bytes)),
        }
    }
}

/// How one case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Error,
    Failed,
    Skipped,
    /// A word nobody defined; never a success.
    Unknown,
    Flaky,
    Passed,
}

/// What the values of `status` and `result` mean; letters in lower case.
const STATUS_WORDS: &[(&str, Option<Verdict>)] = &[
    ("", None),
    ("completed", None),
    ("fixed", None),
    ("ok", None),
    ("pass", None),
    ("passed", None),
    ("run", None),
    ("success", None),
    ("successful", None),
    ("succeeded", None),
    ("aborted", Some(Verdict::Error)),
    ("broken", Some(Verdict::Error)),
    ("cancelled", Some(Verdict::Error)),
    ("error", Some(Verdict::Error)),
    ("errored", Some(Verdict::Error)),
    ("timedout", Some(Verdict::Error)),
    ("timeout", Some(Verdict::Error)),
    ("fail", Some(Verdict::Failed)),
    ("failed", Some(Verdict::Failed)),
    ("failure", Some(Verdict::Failed)),
    ("regression", Some(Verdict::Failed)),
    ("disabled", Some(Verdict::Skipped)),
    ("ignored", Some(Verdict::Skipped)),
    ("notrun", Some(Verdict::Skipped)),
    ("pending", Some(Verdict::Skipped)),
    ("skip", Some(Verdict::Skipped)),
    ("skipped", Some(Verdict::Skipped)),
    ("suppressed", Some(Verdict::Skipped)),
    ("todo", Some(Verdict::Skipped)),
    ("undefined", Some(Verdict::Skipped)),
    ("untested", Some(Verdict::Skipped)),
];

/// The elements of a case (or, for the first two, of a suite) that say how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Error,
    Failure,
    Rerun,
    Skipped,
    Flaky,
}

fn mark(name: &str) -> Option<Mark> {
    Some(match name {
        "error" => Mark::Error,
        "failure" => Mark::Failure,
        "rerunFailure" | "rerunError" => Mark::Rerun,
        "skipped" => Mark::Skipped,
        "flakyFailure" | "flakyError" => Mark::Flaky,
        _ => return None,
    })
}

#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    total: u64,
    passed: u64,
    failed: u64,
    errors: u64,
    skipped: u64,
    flaky: u64,
    /// Failed runs of a case that was run again; no cases of their own.
    reruns: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.total += other.total;
        self.passed += other.passed;
        self.failed += other.failed;
        self.errors += other.errors;
        self.skipped += other.skipped;
        self.flaky += other.flaky;
        self.reruns += other.reruns;
    }

    fn of(verdict: Verdict, reruns: u64) -> Self {
        let mut tally = Self { total: 1, reruns, ..Self::default() };
        match verdict {
            Verdict::Error => tally.errors = 1,
            Verdict::Failed => tally.failed = 1,
            Verdict::Skipped | Verdict::Unknown => tally.skipped = 1,
            Verdict::Flaky => (tally.passed, tally.flaky) = (1, 1),
            Verdict::Passed => tally.passed = 1,
        }
        tally
    }

    fn bad(self) -> u64 {
        self.failed + self.errors
    }
}

/// What one of a header's totals says: nothing, a number, or something else.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Claimed {
    Nothing,
    Number(u64),
    Odd(String),
}

impl Claimed {
    fn of(element: &Element, name: &str) -> Self {
        match element.attribute(name).map(str::trim) {
            None | Some("") => Self::Nothing,
            Some(value) => match value.replace(',', "").parse() {
                Ok(number) => Self::Number(number),
                Err(_) => Self::Odd(value.to_owned()),
            },
        }
    }
}

#[derive(Debug)]
struct Suite {
    name: String,
    /// `tests`, `failures`, `errors`, `skipped`.
    claimed: [(&'static str, Claimed); 4],
    direct: Tally,
    with_inner: Tally,
}

#[derive(Debug)]
struct Case {
    name: String,
    location: String,
    marks: Vec<Mark>,
    reruns: u64,
    status: Option<Verdict>,
    /// The worst mark's text.
    message: Option<(Mark, String)>,
}

#[derive(Debug)]
enum Frame {
    Suite(Suite),
    Case(Case),
    Mark {
        mark: Mark,
        message: String,
        body: String,
    },
    /// An element inside of a mark; its text belongs to the mark.
    InMark,
    Properties {
        are_of_suite: bool,
    },
    Property {
        name: String,
        value: Option<String>,
        body: String,
    },
    /// Output and whatever is not known; nothing in it counts.
    Quiet,
}

#[derive(Debug, Default)]
struct JunitReader {
    draft: Draft,
    frames: Vec<Frame>,
    total: Tally,
    unknown_names: BTreeMap<String, u64>,
    failed_and_skipped: u64,
    misplaced: u64,
    /// Failures that closing comments count.
    commented_failures: u64,
}

impl JunitReader {
    fn open(&mut self, document: &Document<'_>, element: Element) -> Result<(), ReadError> {
        let name = element.name.as_str();
        let wrong = |reason: &str| ReadError::NotThisKind {
            kind: "JUnit",
            reason: format!("{reason}, in line {}", document.line_now()),
        };
        let frame = match (self.frames.last(), name) {
            (None, "testsuite" | "testsuites") | (Some(Frame::Suite(_)), "testsuite" | "testsuites") => {
                Frame::Suite(Suite::of(&element))
            }
            (None, _) => return Err(wrong("the root is neither <testsuites> nor <testsuite>")),
            (Some(Frame::Suite(suite)), "testcase") => {
                let (case, unknown) = Case::of(&element, &suite.name);
                if let Some(word) = unknown {
                    self.draft.doubt(format!("case `{}` has the unknown status `{word}`", case.name));
                }
                Frame::Case(case)
            }
            (Some(_), "testcase" | "testsuite" | "testsuites") => {
                return Err(wrong(&format!("a <{name}> stands where none can")));
            }
            (Some(Frame::Suite(_) | Frame::Case(_)), "properties") => {
                Frame::Properties { are_of_suite: matches!(self.frames.last(), Some(Frame::Suite(_))) }
            }
            (Some(Frame::Properties { are_of_suite: true }), "property") => Frame::Property {
                name: element.attribute("name").unwrap_or_default().to_owned(),
                value: element.attribute("value").map(str::to_owned),
                body: String::new(),
            },
            (Some(Frame::Case(_)), _) if mark(name).is_some() => Frame::mark(&element),
            (Some(Frame::Suite(_)), "error" | "failure") => Frame::mark(&element),
            (Some(Frame::Mark { .. } | Frame::InMark), "system-out" | "system-err") => Frame::Quiet,
            (Some(Frame::Mark { .. } | Frame::InMark), _) => Frame::InMark,
            (Some(Frame::Suite(_) | Frame::Case(_)), "system-out" | "system-err") => Frame::Quiet,
            (Some(Frame::Suite(_) | Frame::Case(_)), _) => {
                self.see_unknown(name);
                Frame::Quiet
            }
            (Some(_), _) => {
                self.misplaced += u64::from(mark(name).is_some());
                Frame::Quiet
            }
        };
        self.frames.push(frame);
        Ok(())
    }

    fn see_unknown(&mut self, name: &str) {
        let is_full = self.unknown_names.len() == MAX_UNKNOWN_NAMES;
        if let Some(count) = self.unknown_names.get_mut(name) {
            *count += 1;
        } else if !is_full {
            self.unknown_names.insert(name.to_owned(), 1);
        }
    }

    fn text(&mut self, text: &str) {
        let innermost = self.frames.iter_mut().rev().find(|frame| !matches!(frame, Frame::InMark));
        if let Some(Frame::Mark { body, .. } | Frame::Property { body, .. }) = innermost {
            let room = (2 * MAX_TEXT_BYTES).saturating_sub(body.len());
            body.push_str(&text[..text.floor_char_boundary(room)]);
        }
    }

    /// Reads `<!-- fail 1 -->` and `<!-- cancelled 1 -->`, which Node writes at the end of the root.
    fn comment(&mut self, comment: &str) {
        let [Frame::Suite(_)] = self.frames.as_slice() else {
            return;
        };
        if let Some(("fail" | "cancelled", number)) = comment.trim().split_once(' ') {
            let claimed: u64 = number.parse().unwrap_or(0);
            self.commented_failures = self.commented_failures.saturating_add(claimed);
        }
    }

    fn close(&mut self) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        match (frame, self.frames.last_mut()) {
            (Frame::Suite(suite), parent) => {
                let tally = suite.with_inner;
                match parent {
                    Some(Frame::Suite(outer)) => outer.with_inner.add(tally),
                    _ => self.total = tally,
                }
                suite.compare(&mut self.draft);
            }
            (Frame::Case(case), Some(Frame::Suite(suite))) => {
                let verdict = case.verdict();
                let is_bad = matches!(verdict, Verdict::Error | Verdict::Failed);
                self.failed_and_skipped += u64::from(is_bad && case.marks.contains(&Mark::Skipped));
                suite.count(Tally::of(verdict, case.reruns));
                list(&mut self.draft, verdict, &case.name, &case.location, case.message.map(|m| m.1));
            }
            (Frame::Mark { mark, message, body }, Some(Frame::Case(case))) => {
                case.reruns += u64::from(matches!(mark, Mark::Rerun | Mark::Flaky));
                if case.message.as_ref().is_none_or(|(held, _)| mark < *held) {
                    case.message = Some((mark, joined(&message, &body)));
                }
                if !case.marks.contains(&mark) {
                    case.marks.push(mark);
                }
            }
            (Frame::Mark { mark, message, body }, Some(Frame::Suite(suite))) => {
                let verdict = if mark == Mark::Error { Verdict::Error } else { Verdict::Failed };
                suite.count(Tally::of(verdict, 0));
                let text = joined(&message, &body);
                list(&mut self.draft, verdict, &suite.name, "the suite itself", Some(text));
            }
            (Frame::Property { name, value, body }, _) if claims::is_commit_property(&name) => {
                self.draft.claims.add_property(&name, value.as_deref().unwrap_or(&body));
            }
            _ => {}
        }
    }

    fn report(mut self, bytes: &[u8]) -> Report {
        let tally = self.total;
        if self.commented_failures > 0 && tally.bad() == 0 {
            self.draft.doubt(format!(
                "the closing comments count {} failed or cancelled tests, and no case shows one",
                self.commented_failures
            ));
        }
        if self.misplaced > 0 {
            self.draft.doubt(format!("{} failure marks stand outside of any case", self.misplaced));
        }
        if self.failed_and_skipped > 0 {
            self.draft.note(format!(
                "{} cases are marked both failed and skipped; they count as failed",
                self.failed_and_skipped
            ));
        }
        if tally.reruns > 0 {
            self.draft.note(format!("{} failed runs were followed by a run again", tally.reruns));
        }
        for (name, count) in std::mem::take(&mut self.unknown_names) {
            self.draft.note(format!("{count} <{name}> elements are not known and not counted"));
        }
        let conclusion = if tally.total == 0 {
            Conclusion::Missing
        } else if tally.bad() > 0 {
            Conclusion::Fail
        } else if tally.passed == 0 {
            Conclusion::Inconclusive
        } else {
            Conclusion::Pass
        };
        let Tally { total, passed, failed, errors, skipped, flaky, .. } = tally;
        let counts = Counts::Tests { total, passed, failed, errors, skipped, flaky };
        self.draft.report(EvidenceKind::Junit, bytes, counts, conclusion)
    }
}

fn list(draft: &mut Draft, verdict: Verdict, name: &str, location: &str, message: Option<String>) {
    let level = match verdict {
        Verdict::Error => ItemLevel::Error,
        Verdict::Failed => ItemLevel::Failed,
        Verdict::Unknown => ItemLevel::Warning,
        Verdict::Skipped => ItemLevel::Skipped,
        Verdict::Flaky => ItemLevel::Flaky,
        Verdict::Passed => return,
    };
    draft.items.push(level, name, Some(location), message.as_deref());
}

/// Returns an element's `message` and text as one, without saying the same twice.
fn joined(message: &str, body: &str) -> String {
    match (message.trim(), body.trim()) {
        ("", body) => body.to_owned(),
        (message, "") => message.to_owned(),
        (message, body) if body.contains(message) => body.to_owned(),
        (message, body) => format!("{message}\n{body}"),
    }
}

impl Frame {
    fn mark(element: &Element) -> Self {
        let mark = mark(&element.name).unwrap_or(Mark::Error);
        let message = element.attribute("message").unwrap_or_default().to_owned();
        Self::Mark { mark, message, body: String::new() }
    }
}

impl Suite {
    fn of(element: &Element) -> Self {
        let claimed = |name| (name, Claimed::of(element, name));
        Self {
            name: element.attribute("name").unwrap_or_default().to_owned(),
            claimed: ["tests", "failures", "errors", "skipped"].map(claimed),
            direct: Tally::default(),
            with_inner: Tally::default(),
        }
    }

    fn count(&mut self, tally: Tally) {
        self.direct.add(tally);
        self.with_inner.add(tally);
    }

    /// Notes where the header says something else than the suite holds.
    ///
    /// A header may speak of the suite alone or of all suites in it; either is fine.
    fn compare(&self, draft: &mut Draft) {
        let held = |tally: Tally| [tally.total, tally.failed, tally.errors, tally.skipped];
        let (direct, with_inner) = (held(self.direct), held(self.with_inner));
        let mut differences = Vec::new();
        let mut claimed_bad: u64 = 0;
        for (index, (word, claimed)) in self.claimed.iter().enumerate() {
            match claimed {
                Claimed::Nothing => {}
                Claimed::Number(number) => {
                    if matches!(*word, "failures" | "errors") {
                        claimed_bad = claimed_bad.saturating_add(*number);
                    }
                    if *number != direct[index] && *number != with_inner[index] {
                        differences.push(format!("{word} {number} (counted {})", with_inner[index]));
                    }
                }
                Claimed::Odd(value) => differences.push(format!("{word} `{value}`, which is no number")),
            }
        }
        if differences.is_empty() {
            return;
        }
        let note = format!("the header of suite `{}` claims {}", self.name, differences.join(", "));
        // Surefire counts every run of a case that was run again.
        if claimed_bad > self.with_inner.bad() + self.with_inner.reruns {
            draft.doubt(note);
        } else {
            draft.note(note);
        }
    }
}

impl Case {
    /// Returns the case, and the status word when it is not known.
    fn of(element: &Element, suite: &str) -> (Self, Option<String>) {
        let attribute = |name| element.attribute(name).filter(|value| !value.is_empty());
        let file = attribute("file").map(|file| match attribute("line") {
            Some(line) => format!("{file}:{line}"),
            None => file.to_owned(),
        });
        let location = match (attribute("classname"), file) {
            (Some(class), Some(file)) => format!("{class} ({file})"),
            (Some(class), None) => class.to_owned(),
            (None, Some(file)) => file,
            (None, None) => suite.to_owned(),
        };
        let mut status = None;
        let mut unknown = None;
        for word in ["status", "result"].iter().filter_map(|name| element.attribute(name)) {
            let wanted = word.trim().to_ascii_lowercase();
            let meaning = match STATUS_WORDS.iter().find(|(known, _)| *known == wanted) {
                Some((_, meaning)) => *meaning,
                None => {
                    unknown = Some(word.to_owned());
                    Some(Verdict::Unknown)
                }
            };
            status = match (status, meaning) {
                (Some(held), Some(new)) => Some(worse(held, new)),
                (held, new) => held.or(new),
            };
        }
        let name = element.attribute("name").unwrap_or_default().to_owned();
        (Self { name, location, marks: vec![], reruns: 0, status, message: None }, unknown)
    }

    fn verdict(&self) -> Verdict {
        let marked = |mark| self.marks.contains(&mark);
        let by_marks = if marked(Mark::Error) {
            Verdict::Error
        } else if marked(Mark::Failure) || marked(Mark::Rerun) {
            Verdict::Failed
        } else if marked(Mark::Skipped) {
            Verdict::Skipped
        } else if marked(Mark::Flaky) {
            Verdict::Flaky
        } else {
            Verdict::Passed
        };
        self.status.map_or(by_marks, |status| worse(by_marks, status))
    }
}

/// Returns the verdict that stands higher in the table of this module.
fn worse(a: Verdict, b: Verdict) -> Verdict {
    if (a as u8) <= (b as u8) { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads and returns `total passed failed errors skipped flaky conclusion`.
    #[track_caller]
    fn check(xml: &str, expected: &str) -> Report {
        let report = read(xml.as_bytes()).unwrap();
        let Counts::Tests { total, passed, failed, errors, skipped, flaky } = report.counts else {
            panic!("{:?}", report.counts)
        };
        let conclusion = serde_json::to_value(report.conclusion).unwrap();
        let found = format!("{total} {passed} {failed} {errors} {skipped} {flaky} {}", conclusion.as_str().unwrap());
        assert_eq!(found, expected, "{xml}\n{:?}", report.notes);
        assert_eq!(total, passed + failed + errors + skipped, "every case has one verdict");
        report
    }

    #[track_caller]
    fn check_refused(xml: &str, part: &str) {
        let message = read(xml.as_bytes()).unwrap_err().to_string();
        assert!(message.contains(part), "{xml}: {message}");
    }

    fn case(inner: &str) -> String {
        format!("<testsuite><testcase name='a'>{inner}</testcase><testcase name='b'/></testsuite>")
    }

    #[test]
    fn each_mark_counts_as_the_table_says() {
        check(&case(""), "2 2 0 0 0 0 pass");
        check(&case("<failure/>"), "2 1 1 0 0 0 fail");
        check(&case("<error/>"), "2 1 0 1 0 0 fail");
        check(&case("<skipped/>"), "2 1 0 0 1 0 pass");
        check(&case("<flakyFailure/><flakyError/>"), "2 2 0 0 0 1 pass");
        check(&case("<rerunFailure/>"), "2 1 1 0 0 0 fail");
        check(&case("<rerunError/>"), "2 1 1 0 0 0 fail");
        check(&case("<failure/><rerunFailure/><rerunFailure/>"), "2 1 1 0 0 0 fail");
        check(&case("<failure/><flakyFailure/>"), "2 1 1 0 0 0 fail");
        check(&case("<failure/><error/>"), "2 1 0 1 0 0 fail");
        check(&case("<skipped/><failure/>"), "2 1 1 0 0 0 fail");
        check(&case("<system-out>&lt;failure/&gt;</system-out><system-err/>"), "2 2 0 0 0 0 pass");
        check(&case("<system-out><![CDATA[<failure/>]]></system-out>"), "2 2 0 0 0 0 pass");
        check(&case("<!-- <failure/> -->"), "2 2 0 0 0 0 pass");
        check(&case("<properties><property name='x'/></properties>"), "2 2 0 0 0 0 pass");
    }

    #[test]
    fn status_words_count_and_unknown_ones_are_no_success() {
        let with =
            |attributes: &str| format!("<testsuite><testcase name='a' {attributes}/><testcase name='b'/></testsuite>");
        check(&with("status='run' result='completed'"), "2 2 0 0 0 0 pass");
        check(&with("status='Passed'"), "2 2 0 0 0 0 pass");
        check(&with("status='notrun' result='suppressed'"), "2 1 0 0 1 0 pass");
        check(&with("status='run' result='skipped'"), "2 1 0 0 1 0 pass");
        check(&with("status='FAILED'"), "2 1 1 0 0 0 fail");
        check(&with("status='error'"), "2 1 0 1 0 0 fail");
        let report = check(&with("status='gr&#xFC;n'"), "2 1 0 0 1 0 inconclusive");
        assert_eq!(report.notes, ["case `a` has the unknown status `grün`"]);
        let skipped = "<testsuite><testcase name='a' status='failed'><skipped/></testcase></testsuite>";
        check(skipped, "1 0 1 0 0 0 fail");
    }

    #[test]
    fn empty_is_no_evidence_and_all_skipped_is_none_either() {
        check("<testsuite/>", "0 0 0 0 0 0 missing");
        check("<testsuites><testsuite tests='7'/><testsuite/></testsuites>", "0 0 0 0 0 0 missing");
        let skipped = "<testcase name='a'><skipped/></testcase>";
        check(&format!("<testsuite>{skipped}{skipped}</testsuite>"), "2 0 0 0 2 0 inconclusive");
    }

    #[test]
    fn suites_nest_and_a_broken_suite_counts_as_a_case() {
        check(
            "<testsuites><testcase name='top'/><testsuite name='a'><testsuite name='b'>\
             <testcase name='x'/><testcase name='y'><failure/></testcase></testsuite>\
             <testcase name='z'/></testsuite></testsuites>",
            "4 3 1 0 0 0 fail",
        );
        let report = check(
            "<testsuites><testsuite name='set-up'><error message='no database'/></testsuite>\
             <testsuite><testcase name='x'/></testsuite></testsuites>",
            "2 1 0 1 0 0 fail",
        );
        assert_eq!(report.items[0].name, "set-up");
        assert_eq!(report.items[0].message.as_deref(), Some("no database"));
        check("<testsuite><failure/></testsuite>", "1 0 1 0 0 0 fail");
    }

    #[test]
    fn a_header_is_compared_and_never_believed() {
        let report = check(
            "<testsuites tests='186' errors='0'><testsuite name='s' tests='1,000' failures='0' \
             errors='x' skipped=''><testcase name='a'/></testsuite></testsuites>",
            "1 1 0 0 0 0 pass",
        );
        assert_eq!(
            report.notes,
            [
                "the header of suite `s` claims tests 1000 (counted 1), errors `x`, which is no number",
                "the header of suite `` claims tests 186 (counted 1)",
            ]
        );
        for header in ["failures='1'", "errors='3'"] {
            let xml = format!("<testsuite {header}><testcase name='a'/></testsuite>");
            check(&xml, "1 1 0 0 0 0 inconclusive");
        }
        // Either way of counting inner suites is right.
        for tests in [1, 2] {
            let report = check(
                &format!(
                    "<testsuite name='o' tests='{tests}'><testcase name='a'/>\
                     <testsuite tests='1'><testcase name='b'/></testsuite></testsuite>"
                ),
                "2 2 0 0 0 0 pass",
            );
            assert!(report.notes.is_empty(), "{:?}", report.notes);
        }
    }

    #[test]
    fn runs_again_are_no_cases_and_explain_a_header_that_counts_them() {
        let report = check(
            "<testsuite name='s' tests='3' failures='2'><testcase name='a'>\
             <flakyFailure message='1'><stackTrace>t</stackTrace><system-out>o</system-out></flakyFailure>\
             <flakyFailure message='2'/></testcase></testsuite>",
            "1 1 0 0 0 1 pass",
        );
        assert_eq!(report.items[0].level, ItemLevel::Flaky);
        assert_eq!(report.items[0].message.as_deref(), Some("1\nt"));
        assert_eq!(
            report.notes,
            [
                "the header of suite `s` claims tests 3 (counted 1), failures 2 (counted 0)",
                "2 failed runs were followed by a run again",
            ]
        );
    }

    #[test]
    fn node_comments_keep_an_unseen_failure_from_passing() {
        let node = |comments: &str| {
            format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<testsuites>\n\
                 <testsuite name=\"parent\" tests=\"1\" failures=\"0\"><testcase name=\"sub\"/></testsuite>\n\
                 <!-- tests 2 -->\n{comments}\n<!-- skipped 0 -->\n</testsuites>\n"
            )
        };
        check(&node("<!-- pass 2 -->\n<!-- fail 0 -->\n<!-- cancelled 0 -->"), "1 1 0 0 0 0 pass");
        check(&node("<!-- pass 1 -->\n<!-- fail 1 -->"), "1 1 0 0 0 0 inconclusive");
        check(&node("<!-- fail 0 -->\n<!-- cancelled 1 -->"), "1 1 0 0 0 0 inconclusive");
    }

    #[test]
    fn odd_attributes_do_not_matter() {
        check(
            "<testsuite time='1,234.5' timestamp='yesterday'><testcase name='' classname='' \
             time='-3'/><testcase time='abc'/></testsuite>",
            "2 2 0 0 0 0 pass",
        );
    }

    #[test]
    fn the_commit_is_read_from_the_properties_of_a_suite() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let with = |inner: &str| {
            let xml = format!("<testsuites><testsuite>{inner}<testcase name='a'/></testsuite></testsuites>");
            read(xml.as_bytes()).unwrap()
        };
        let property =
            |name: &str, value: &str| format!("<properties><property name='{name}' value='{value}'/></properties>");
        let report = with(&property("git.commit", id));
        let claim = report.commit.unwrap();
        assert_eq!((claim.value.as_str(), claim.source.as_str()), (id, "property git.commit"));
        let body = format!("<properties><property name='revision'>\n {id}\n</property></properties>");
        assert_eq!(with(&body).commit.unwrap().value, id);
        assert_eq!(with(&property("revision", "1.2.3")).commit, None);
        let of_case = format!("<testcase name='b'>{}</testcase>", property("commit", id));
        assert_eq!(with(&of_case).commit, None);
        let other = id.replace('0', "f");
        let both = with(&(property("commit", id) + &property("commit", &other)));
        assert_eq!(both.commit, None);
        assert_eq!(both.conclusion, Conclusion::Inconclusive);
    }

    #[test]
    fn items_tell_name_place_and_message_safely() {
        let report = check(
            "<testsuite name='s'>\
             <testcase name='a' classname='C' file='f.rs' line='3'><failure message='m'>at\r\nx</failure></testcase>\
             <testcase name='\u{1b}[31mb\u{202e}'><error>e</error></testcase>\
             <testcase name='c' classname='K'><skipped message='later'/></testcase>\
             <testcase name='d' file='g.rs'><failure message='boom'>boom at 3</failure></testcase>\
             </testsuite>",
            "4 0 2 1 1 0 fail",
        );
        let shown: Vec<_> = report
            .items
            .iter()
            .map(|item| {
                let location = item.location.as_deref().unwrap();
                (item.name.as_str(), location, item.level, item.message.as_deref().unwrap())
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("a", "C (f.rs:3)", ItemLevel::Failed, "m\nat\nx"),
                ("\\u{1b}[31mb\\u{202e}", "s", ItemLevel::Error, "e"),
                ("c", "K", ItemLevel::Skipped, "later"),
                ("d", "g.rs", ItemLevel::Failed, "boom at 3"),
            ]
        );
    }

    #[test]
    fn a_case_or_failure_out_of_place_is_never_overlooked() {
        check_refused("<suite/>", "the root is neither");
        check_refused("<testcase name='a'/>", "the root is neither");
        check_refused(&case("<testcase name='c'/>"), "a <testcase> stands where none can");
        check_refused(&case("<testsuite/>"), "a <testsuite> stands where none can");
        let hidden = "<testsuite><group><testcase name='a'><failure/></testcase></group></testsuite>";
        check_refused(hidden, "a <testcase> stands where none can");
        check(&case("<group><failure/></group>"), "2 2 0 0 0 0 inconclusive");
        check(&case("<system-out><failure/></system-out>"), "2 2 0 0 0 0 inconclusive");
        let report = check(&case("<warning/>"), "2 2 0 0 0 0 pass");
        assert_eq!(report.notes, ["1 <warning> elements are not known and not counted"]);
    }

    #[test]
    fn a_cut_off_report_is_refused_at_every_byte() {
        let xml = case("<failure message='m'>text</failure>");
        for end in 1..xml.len() {
            assert!(read(&xml.as_bytes()[..end]).is_err(), "{}", &xml[..end]);
        }
        read(xml.as_bytes()).unwrap();
    }
}

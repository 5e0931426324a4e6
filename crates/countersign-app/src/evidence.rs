//! Evidence readers: a file's bytes in, what they say out.
//!
//! Three formats are read, each as its own specification tells: JUnit XML ([`EvidenceKind::Junit`]),
//! SARIF 2.1.0 ([`EvidenceKind::Sarif`]) and CycloneDX 1.2 to 1.7 JSON
//! ([`EvidenceKind::Cyclonedx`]). Any other file is [`EvidenceKind::Manual`]: a person says what it
//! shows, so by itself it is inconclusive.
//!
//! Rules all readers share:
//! - What the file *holds* is counted; what its header *claims* is only compared, and a claim of
//!   more failures than are shown turns a pass into inconclusive.
//! - Empty is no evidence ([`Conclusion::Missing`]); a word the format does not know is never good.
//! - A refused file ([`ReadError`]) says nothing at all, and nothing of it is stored.
//!
//! Deliberately absent: file and network access, the clock, document type definitions, external
//! entities, and any fetching of what a report only refers to.

mod claims;
mod cyclonedx;
mod json;
mod junit;
mod sarif;
mod shown;
mod xml;

use countersign_core::evidence::{Conclusion, Counts, EvidenceKind};
use countersign_core::hash::Digest;
use serde::Serialize;

pub use claims::{COMMIT_PROPERTIES, CommitClaim};
pub use shown::{visible, visible_lines};

/// Bounds what a reader accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest file, in bytes.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 64 * 1024 * 1024 }
    }
}

/// The largest number of [`Item`]s a report lists; the worst are kept.
pub const MAX_ITEMS: usize = 10_000;
/// The longest text of an item, in bytes.
pub const MAX_TEXT_BYTES: usize = 4096;
/// The deepest nesting of elements, objects and arrays.
pub const MAX_DEPTH: usize = 100;
/// The largest number of notes.
pub const MAX_NOTES: usize = 100;

/// Tells what one file of evidence says.
///
/// `Serialize` writes `{kind, conclusion, doubtful, counts, digest, commit?, commit_source?, items, notes}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The format it was read as.
    pub kind: EvidenceKind,
    /// What it concludes; only `Pass` is good.
    pub conclusion: Conclusion,
    /// Whether the figures may miss something: the tool did not finish, or a claim is not borne out.
    ///
    /// Alone it turns a pass into inconclusive. A failing report stays failing and carries this beside, so that
    /// nobody excuses the failures by their number.
    pub doubtful: bool,
    /// The figures, counted here.
    pub counts: Counts,
    /// The SHA-256 of the file's bytes.
    pub digest: Digest,
    /// The commit the file itself says it was made from; a claim of the file, not a proof.
    #[serde(flatten)]
    pub commit: Option<CommitClaim>,
    /// The cases or findings worth a look, in the file's order.
    pub items: Vec<Item>,
    /// What a reader of the figures should know: mismatches, odd words, what was left out.
    pub notes: Vec<String>,
}

/// Shows one failed, errored, skipped or flaky case, or one finding.
///
/// All texts are safe to show ([`visible`]) and at most [`MAX_TEXT_BYTES`] long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The case's name, the rule's id or the vulnerability's id; may be empty when the file says so.
    pub name: String,
    /// Class, file and line, or component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// How bad it is.
    pub level: ItemLevel,
    /// What the tool said; may span lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Ranks items, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemLevel {
    /// A case that broke, a finding of level error, an open vulnerability.
    Error,
    /// A case whose assertion failed.
    Failed,
    /// A finding of level warning, or something nobody has judged yet.
    Warning,
    /// A case that passed only when run again.
    Flaky,
    /// A case that did not run.
    Skipped,
    /// A finding of level note.
    Note,
    /// A finding of level none.
    None,
    /// A finding somebody has answered.
    Suppressed,
}

/// Says why a file is no evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The file has no content.
    #[error("the file is empty, and an empty file is no evidence")]
    Empty,
    /// The file is over the limit.
    #[error("the file has {bytes} bytes, and at most {limit} are read")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit in force.
        limit: u64,
    },
    /// The text is not UTF-8, or says that it is not.
    #[error("the text is not UTF-8 ({reason}); write the report again as UTF-8")]
    Encoding {
        /// What was seen.
        reason: String,
    },
    /// The file carries what reports never need and attacks do.
    #[error("refused as hostile: {what} in line {line}; write the report again without it")]
    Hostile {
        /// The construct.
        what: &'static str,
        /// The line, from 1.
        line: u64,
    },
    /// The text breaks the rules of its language.
    #[error("broken {language} in line {line}: {reason}; was the file cut off on its way?")]
    Malformed {
        /// `XML` or `JSON`.
        language: &'static str,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// A JSON object names one key twice, so that readers could disagree about it.
    #[error("refused as ambiguous: the key `{key}` stands twice in one object, in line {line}")]
    DuplicateKey {
        /// The key.
        key: String,
        /// The line, from 1.
        line: u64,
    },
    /// The nesting is over [`MAX_DEPTH`].
    #[error("refused: nested deeper than {limit} levels, in line {line}")]
    TooDeep {
        /// The limit in force.
        limit: usize,
        /// The line, from 1.
        line: u64,
    },
    /// There is more of one thing than a report can have.
    #[error("refused: more than {limit} {what}")]
    TooMany {
        /// The thing, in plural.
        what: &'static str,
        /// The limit in force.
        limit: usize,
    },
    /// The file is sound but breaks the rules of the kind it was read as.
    #[error("not a {kind} report: {reason}")]
    NotThisKind {
        /// `JUnit`, `SARIF` or `CycloneDX`.
        kind: &'static str,
        /// What is missing or wrong.
        reason: String,
    },
    /// A version or form of the format that is not read here.
    #[error("{what} is not read; convert it, or attach it as manual evidence")]
    Unsupported {
        /// The version or form.
        what: String,
    },
}

/// Reads a file, telling its kind from its content.
///
/// `name` is the file's own name (no folder). It decides nothing alone; it only turns a file that
/// promises a report (`.sarif`, `.cdx.json`, `TEST-*.xml`) and holds something else into an error.
///
/// # Errors
/// Every [`ReadError`]; nothing of a refused file may be stored.
pub fn read(bytes: &[u8], name: &str) -> Result<Report, ReadError> {
    read_within(bytes, name, Limits::default())
}

/// Reads a file like [`read`], within other limits.
///
/// # Errors
/// Every [`ReadError`].
pub fn read_within(bytes: &[u8], name: &str, limits: Limits) -> Result<Report, ReadError> {
    check_size(bytes, limits)?;
    read_as(detect(bytes, name)?, bytes, limits)
}

/// Reads a file as the kind somebody says it is.
///
/// # Errors
/// Every [`ReadError`]. As [`EvidenceKind::Manual`] only size and emptiness are judged.
pub fn read_as(kind: EvidenceKind, bytes: &[u8], limits: Limits) -> Result<Report, ReadError> {
    check_size(bytes, limits)?;
    match kind {
        // Said so, rather than what an XML parser finds wrong with it.
        EvidenceKind::Junit if bytes.trim_ascii_start().starts_with(b"{") => {
            Err(ReadError::NotThisKind { kind: kind_name(kind), reason: "it is JSON, not XML".to_owned() })
        }
        EvidenceKind::Junit => junit::read(bytes),
        EvidenceKind::Sarif => sarif::read(bytes),
        EvidenceKind::Cyclonedx => cyclonedx::read(bytes),
        EvidenceKind::Manual => {
            let counts = Counts::File { bytes: bytes.len() as u64 };
            Ok(Draft::default().report(kind, bytes, counts, Conclusion::Inconclusive))
        }
    }
}

fn check_size(bytes: &[u8], limits: Limits) -> Result<(), ReadError> {
    let size = bytes.len() as u64;
    if size > limits.file_bytes {
        return Err(ReadError::TooLarge { bytes: size, limit: limits.file_bytes });
    }
    if size == 0 { Err(ReadError::Empty) } else { Ok(()) }
}

/// Tells the kind of a file from its content.
fn detect(bytes: &[u8], name: &str) -> Result<EvidenceKind, ReadError> {
    let promised = promised(name);
    let found = match opening(bytes) {
        Opening::Markup => detect_xml(bytes, name, promised)?,
        Opening::Object => detect_json(bytes, name, promised)?,
        Opening::WideMarkup if promised.is_some() || has_extension(name, "xml") => {
            return Err(ReadError::Encoding { reason: "it looks like UTF-16".to_owned() });
        }
        Opening::WideMarkup | Opening::Other => EvidenceKind::Manual,
    };
    match promised {
        Some(kind) if found == EvidenceKind::Manual => Err(ReadError::NotThisKind {
            kind: kind_name(kind),
            reason: "the name says so, the content does not; read it as manual evidence if it is".to_owned(),
        }),
        _ => Ok(found),
    }
}

fn detect_xml(bytes: &[u8], name: &str, promised: Option<EvidenceKind>) -> Result<EvidenceKind, ReadError> {
    let is_xml = promised.is_some() || has_extension(name, "xml") || xml::has_declaration(bytes);
    let root =
        xml::text(bytes).and_then(|text| if xml::is_html(text) { Ok("html".to_owned()) } else { xml::root(text) });
    match root.as_deref() {
        Ok("testsuite" | "testsuites") => Ok(EvidenceKind::Junit),
        Ok("bom") => Err(ReadError::Unsupported { what: "CycloneDX in XML".to_owned() }),
        Ok(_) => Ok(EvidenceKind::Manual),
        Err(error @ ReadError::Hostile { .. }) => Err(error.clone()),
        Err(error) if is_xml => Err(error.clone()),
        Err(_) => Ok(EvidenceKind::Manual),
    }
}

fn detect_json(bytes: &[u8], name: &str, promised: Option<EvidenceKind>) -> Result<EvidenceKind, ReadError> {
    let (outline, checked) = json::outline(bytes);
    let found = match (outline.has_runs || outline.has_sarif_schema, outline.has_bom_format) {
        (true, true) => {
            return Err(ReadError::NotThisKind {
                kind: "SARIF or CycloneDX",
                reason: "it carries the marks of both".to_owned(),
            });
        }
        (true, false) => EvidenceKind::Sarif,
        (false, true) => EvidenceKind::Cyclonedx,
        (false, false) => EvidenceKind::Manual,
    };
    match checked {
        Err(error) if found != EvidenceKind::Manual || promised.is_some() || has_extension(name, "json") => Err(error),
        _ => Ok(found),
    }
}

enum Opening {
    Markup,
    WideMarkup,
    Object,
    Other,
}

/// Tells from the first character that is neither mark nor white space what a file may be.
fn opening(bytes: &[u8]) -> Opening {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let wide = bytes.strip_prefix(b"\xff\xfe").or(bytes.strip_prefix(b"\xfe\xff")).unwrap_or(bytes);
    match wide {
        [b'<' | b'{', 0, ..] | [0, b'<' | b'{', ..] => return Opening::WideMarkup,
        _ => {}
    }
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'<') => Opening::Markup,
        Some(b'{') => Opening::Object,
        _ => Opening::Other,
    }
}

/// Returns the kind a file's name promises, if it promises one.
fn promised(name: &str) -> Option<EvidenceKind> {
    let name = name.to_ascii_lowercase();
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| name.ends_with(suffix));
    if ends(&[".sarif", ".sarif.json"]) {
        Some(EvidenceKind::Sarif)
    } else if ends(&[".cdx.json", ".cdx", "bom.json"]) {
        Some(EvidenceKind::Cyclonedx)
    } else if name.starts_with("test-") && ends(&[".xml"]) || ends(&["junit.xml"]) {
        Some(EvidenceKind::Junit)
    } else {
        None
    }
}

fn has_extension(name: &str, extension: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, last)| last.eq_ignore_ascii_case(extension))
}

fn kind_name(kind: EvidenceKind) -> &'static str {
    match kind {
        EvidenceKind::Junit => "JUnit",
        EvidenceKind::Sarif => "SARIF",
        EvidenceKind::Cyclonedx => "CycloneDX",
        EvidenceKind::Manual => "manual",
    }
}

/// Gathers what a reader finds besides the figures.
#[derive(Debug, Default)]
struct Draft {
    items: shown::Items,
    claims: claims::Claims,
    notes: Vec<String>,
    notes_omitted: u64,
    doubtful: bool,
}

impl Draft {
    /// Adds a note, made safe to show.
    fn note(&mut self, note: impl AsRef<str>) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(shown::line(note.as_ref(), MAX_TEXT_BYTES));
        } else {
            self.notes_omitted += 1;
        }
    }

    /// Adds a note about something that must not pass unseen: a pass becomes inconclusive.
    fn doubt(&mut self, note: impl AsRef<str>) {
        self.doubtful = true;
        self.note(note);
    }

    fn report(mut self, kind: EvidenceKind, bytes: &[u8], counts: Counts, conclusion: Conclusion) -> Report {
        let commit = match std::mem::take(&mut self.claims).resolve() {
            claims::Resolved::None => None,
            claims::Resolved::One(claim) => Some(claim),
            claims::Resolved::Several(values) => {
                self.doubt(format!("the file names several commits: {}", values.join(", ")));
                None
            }
        };
        let (items, items_omitted) = self.items.into_list();
        let mut notes = self.notes;
        if items_omitted > 0 {
            notes.push(format!("{items_omitted} more items are counted but not listed"));
        }
        if self.notes_omitted > 0 {
            notes.push(format!("{} more notes are left out", self.notes_omitted));
        }
        let conclusion = match conclusion {
            Conclusion::Pass if self.doubtful => Conclusion::Inconclusive,
            other => other,
        };
        Report { kind, conclusion, doubtful: self.doubtful, counts, digest: Digest::of(bytes), commit, items, notes }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;

    const JUNIT: &str = "<testsuites><testsuite name='s' tests='3'><testcase name='a'/>\
        <testcase name='b'><failure message='m'>t</failure></testcase>\
        <testcase name='c'><skipped/></testcase></testsuite></testsuites>";
    const SARIF: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"t","rules":[{"id":"R",
        "defaultConfiguration":{"level":"note"}}]}},"results":[{"ruleId":"R","level":"error",
        "message":{"text":"x {0}","arguments":["y"]},"suppressions":[{"status":"rejected"}]}]}]}"#;
    const BOM: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"components":[{}]}],
        "vulnerabilities":[{"id":"V","analysis":{"state":"in_triage"}}]}"#;

    #[track_caller]
    fn check_kind(name: &str, bytes: &[u8], expected: Result<EvidenceKind, &str>) {
        let found = read(bytes, name).map(|report| report.kind).map_err(|error| error.to_string());
        match (&found, expected) {
            (Ok(kind), Ok(wanted)) => assert_eq!(*kind, wanted, "{name}"),
            (Err(message), Err(part)) => assert!(message.contains(part), "{name}: {message}"),
            _ => panic!("{name}: {found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn the_content_tells_the_kind_and_the_name_only_what_was_promised() {
        use EvidenceKind::{Cyclonedx, Junit, Manual, Sarif};
        for name in ["report.xml", "report", "TEST-a.xml", "x.pdf"] {
            check_kind(name, JUNIT.as_bytes(), Ok(Junit));
            check_kind(name, format!("\u{feff}\n {JUNIT}").as_bytes(), Ok(Junit));
        }
        for name in ["r.sarif", "r.sarif.json", "r.json", "r"] {
            check_kind(name, SARIF.as_bytes(), Ok(Sarif));
            check_kind(name, format!("\u{feff}{SARIF}").as_bytes(), Ok(Sarif));
        }
        for name in ["b.cdx.json", "bom.json", "b.json", "b"] {
            check_kind(name, BOM.as_bytes(), Ok(Cyclonedx));
        }
        for (name, content) in [
            ("notes.txt", "<3 this release"),
            ("notes.txt", "{ not json"),
            ("page.html", "<!DOCTYPE html><html><body>ok</body></html>"),
            ("page.htm", "<html><br></html>"),
            ("data.json", "{\"a\": 1}"),
            ("list.json", "[1, 2]"),
            ("coverage.xml", "<coverage line-rate='1'/>"),
            ("plan.pdf", "%PDF-1.7 \u{0}"),
        ] {
            check_kind(name, content.as_bytes(), Ok(Manual));
        }
        check_kind("photo.png", b"\x89PNG\r\n\x1a\n\xff\xfe", Ok(Manual));
        check_kind("wide.txt", b"\xff\xfeh\0i\0", Ok(Manual));

        check_kind("r.sarif", b"<html>sign in</html>", Err("the name says so, the content does not"));
        check_kind("r.sarif", b"{\"a\":1}", Err("the name says so"));
        check_kind("TEST-a.xml", b"<html/>", Err("the name says so"));
        check_kind("b.cdx.json", b"plain", Err("the name says so"));
        check_kind("b.xml", b"<bom xmlns='http://cyclonedx.org/schema/bom/1.5'/>", Err("in XML is not read"));
        check_kind("x.json", b"{\"runs\":[],\"bomFormat\":\"CycloneDX\"}", Err("the marks of both"));
        check_kind("x.json", b"{\"a\":", Err("broken JSON"));
        check_kind("x", b"{\"version\":\"2.1.0\",\"runs\":[", Err("broken JSON"));
        check_kind("x", b"{\"runs\":[],\"runs\":[]}", Err("stands twice"));
        check_kind("x.xml", b"<testsuite", Err("broken XML"));
        check_kind("x", b"<?xml version='1.0'?><testsuite", Err("broken XML"));
        check_kind("x.xml", b"<testsuite>\xff</testsuite>", Err("not UTF-8"));
        check_kind("x.xml", b"<\0t\0/\0>\0", Err("UTF-16"));
        check_kind("c.xml", b"<!DOCTYPE coverage SYSTEM 'x.dtd'><coverage/>", Err("refused as hostile"));
        check_kind("x", b"<!DOCTYPE testsuite [<!ENTITY a 'b'>]><testsuite/>", Err("refused as hostile"));
        check_kind("x", b"<!ENTITY % a 'b'>", Err("refused as hostile"));
        check_kind("x", b"", Err("the file is empty"));
    }

    #[test]
    fn a_hidden_test_report_behind_an_html_mark_is_no_test_report() {
        let page = format!("<!DOCTYPE html>{JUNIT}");
        let report = read(page.as_bytes(), "x.xml").unwrap();
        assert_eq!((report.kind, report.conclusion), (EvidenceKind::Manual, Conclusion::Inconclusive));
    }

    #[test]
    fn any_file_can_be_manual_evidence_and_says_nothing_by_itself() {
        for bytes in [&b"\0"[..], b"<!DOCTYPE x [<!ENTITY a 'b'>]><x/>", JUNIT.as_bytes()] {
            let report = read_as(EvidenceKind::Manual, bytes, Limits::default()).unwrap();
            assert_eq!(report.conclusion, Conclusion::Inconclusive);
            assert_eq!(report.counts, Counts::File { bytes: bytes.len() as u64 });
            assert_eq!(report.digest, Digest::of(bytes));
        }
    }

    #[test]
    fn a_file_over_the_limit_is_not_read() {
        let limits = Limits { file_bytes: 10 };
        assert!(read_within(b"0123456789", "a", limits).is_ok());
        let error = read_within(b"0123456789x", "a", limits).unwrap_err();
        assert_eq!(error, ReadError::TooLarge { bytes: 11, limit: 10 });
        for kind in [EvidenceKind::Junit, EvidenceKind::Manual] {
            assert_eq!(read_as(kind, b"0123456789x", limits), Err(error.clone()));
            assert_eq!(read_as(kind, b"", limits), Err(ReadError::Empty));
        }
    }

    #[test]
    fn a_report_serializes_as_the_figures_people_script_against() {
        let bom = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{}],
            "metadata":{"properties":[{"name":"git.commit","value":"abcdef1"}]}}"#;
        let value = serde_json::to_value(read(bom.as_bytes(), "bom.json").unwrap()).unwrap();
        let expected = serde_json::json!({
            "kind": "cyclonedx", "conclusion": "pass", "doubtful": false,
            "counts": {"components": 1, "vulnerabilities": 0},
            "digest": Digest::of(bom.as_bytes()).to_string(),
            "commit": "abcdef1", "commit_source": "property git.commit",
            "items": [], "notes": [],
        });
        assert_eq!(value, expected);
        let value = serde_json::to_value(read(JUNIT.as_bytes(), "r.xml").unwrap()).unwrap();
        assert_eq!(value.get("commit"), None);
        assert_eq!(value["counts"]["failed"], 1);
        assert_eq!(value["items"][0]["level"], "failed");
    }

    #[test]
    fn twenty_megabytes_are_read_within_bounds() {
        const SIZE: usize = 20_000_000;
        let mut junit = "<testsuites><testsuite name='s'>".to_owned();
        let mut sarif = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{}},"results":["#.to_owned();
        let mut bom = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":["#.to_owned();
        let (mut cases, mut findings, mut components) = (0_u64, 0_u64, 0_u64);
        while junit.len() < SIZE {
            let body = "at module.function(line)\n".repeat(8);
            write!(junit, "<testcase name='t{cases}'><failure message='m'>{body}</failure></testcase>").unwrap();
            cases += 1;
        }
        junit.push_str("</testsuite></testsuites>");
        while sarif.len() < SIZE {
            let comma = if findings == 0 { "" } else { "," };
            write!(sarif, r#"{comma}{{"ruleId":"R{findings}","level":"error","message":{{"text":"some finding"}},"locations":[{{"physicalLocation":{{"artifactLocation":{{"uri":"a.c"}}}}}}]}}"#).unwrap();
            findings += 1;
        }
        sarif.push_str("]}]}");
        while bom.len() < SIZE {
            let comma = if components == 0 { "" } else { "," };
            write!(bom, r#"{comma}{{"type":"library","name":"n{components}","version":"1","hashes":[{{"alg":"MD5","content":"0"}}]}}"#).unwrap();
            components += 1;
        }
        bom.push_str("]}");
        for (bytes, expected) in [
            (junit, Counts::Tests { total: cases, passed: 0, failed: cases, errors: 0, skipped: 0, flaky: 0 }),
            (sarif, Counts::Findings { error: findings, warning: 0, note: 0, none: 0, suppressed: 0 }),
            (bom, Counts::Components { components, vulnerabilities: 0 }),
        ] {
            let report = read_fast(bytes.as_bytes());
            assert_eq!(report.counts, expected);
            assert!(report.items.len() <= MAX_ITEMS);
        }
    }

    /// Reads a report at a MiB a second or faster, also in a debug build; a busy machine gets three tries.
    pub(super) fn read_fast(bytes: &[u8]) -> Report {
        let mut best: f64 = 0.0;
        for _ in 0..3 {
            let start = Instant::now();
            let report = read(bytes, "report").unwrap();
            best = best.max(bytes.len() as f64 / f64::from(1 << 20) / start.elapsed().as_secs_f64());
            if best >= 1.0 {
                return report;
            }
        }
        panic!("{best:.2} MiB/s");
    }

    /// Reads bytes every way there is; returns whether any reader took them for a pass.
    fn read_every_way(bytes: &[u8]) -> bool {
        use EvidenceKind::{Cyclonedx, Junit, Manual, Sarif};
        let mut passes = false;
        let ways = [Junit, Sarif, Cyclonedx, Manual]
            .map(|kind| read_as(kind, bytes, Limits::default()))
            .into_iter()
            .chain(["r", "r.xml", "r.sarif", "bom.json"].map(|name| read(bytes, name)));
        for report in ways.flatten() {
            passes |= report.conclusion == Conclusion::Pass;
            assert!(report.items.iter().all(|item| {
                let texts = [Some(&item.name), item.location.as_ref(), item.message.as_ref()];
                texts.into_iter().flatten().all(|text| text.len() <= MAX_TEXT_BYTES && *visible_lines(text) == **text)
            }));
            assert!(report.notes.iter().all(|note| *visible(note) == **note));
        }
        passes
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn random_bytes_never_panic_and_never_pass(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(!read_every_way(&bytes));
        }

        #[test]
        fn random_markup_never_panics(pieces in proptest::collection::vec(proptest::sample::select(&[
            "<testsuites>", "</testsuites>", "<testsuite>", "</testsuite>", "<testcase name='a'>", "</testcase>",
            "<testcase/>", "<failure>", "</failure>", "<skipped/>", "<error/>", "text", "&amp;", "&x;", "&#27;",
            "<![CDATA[", "]]>", "<!--", "-->", "<!DOCTYPE x>", "<?pi?>", "<?xml version='1.0'?>", "'", "\"",
            "<properties>", "</properties>", "<property name='commit' value='abcdef1'/>", "<", ">", "\u{202e}",
        ][..]), 0..24)) {
            read_every_way(pieces.concat().as_bytes());
        }

        #[test]
        fn a_mutated_report_never_panics(
            which in 0..3_usize,
            edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6),
        ) {
            let mut bytes = [JUNIT, SARIF, BOM][which].as_bytes().to_vec();
            for (at, byte, how) in edits {
                let at = at.index(bytes.len());
                match how {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    _ => bytes.truncate(at.max(1)),
                }
            }
            read_every_way(&bytes);
        }

        #[test]
        fn no_single_byte_turns_a_failing_or_cut_report_into_a_pass(
            which in 0..2_usize, at in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            let mut bytes = [FAILING_JUNIT, FAILING_SARIF][which].as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            prop_assert!(!read_every_way(&bytes), "{}", String::from_utf8_lossy(&bytes));
        }
    }

    // Two failures each, so that one broken word cannot hide both.
    const FAILING_JUNIT: &str = "<testsuite failures='2'><testcase name='b'><failure/></testcase>\
        <testcase name='c'><error>t</error></testcase></testsuite>";
    const FAILING_SARIF: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"t"}},"results":[
        {"level":"error","ruleId":"a"},{"level":"error","ruleId":"b"}]}]}"#;
}

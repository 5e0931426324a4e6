//! Words for what a test report, a scan or a bill of materials said.
//!
//! Absent: reading those files. Readers live outside the core and hand over these values.

use serde::{Deserialize, Serialize};

/// The format of a piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceKind {
    /// Test results in JUnit XML.
    Junit,
    /// Static analysis results in SARIF.
    Sarif,
    /// A bill of materials or vulnerability report in CycloneDX.
    Cyclonedx,
    /// Any other file, judged by a person.
    Manual,
}

/// What a piece of evidence says; only [`Conclusion::Pass`] is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Conclusion {
    /// It was read to the end and nothing in it fails its rule.
    Pass,
    /// It was read and something in it fails its rule.
    Fail,
    /// It is there and does not answer the question.
    Inconclusive,
    /// It is not there.
    Missing,
}

/// What was counted in a piece of evidence; the field names tell the shapes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Counts {
    /// Test cases of a JUnit report.
    Tests {
        /// All cases.
        total: u64,
        /// Cases that passed at once.
        passed: u64,
        /// Cases whose assertion failed.
        failed: u64,
        /// Cases that broke otherwise.
        errors: u64,
        /// Cases that did not run.
        skipped: u64,
        /// Cases that failed and passed in the same report.
        flaky: u64,
    },
    /// Results of a SARIF report by level.
    Findings {
        /// Results of level `error`.
        error: u64,
        /// Results of level `warning`.
        warning: u64,
        /// Results of level `note`.
        note: u64,
        /// Results of level `none`.
        none: u64,
        /// Results that the report says are suppressed, counted nowhere else.
        suppressed: u64,
    },
    /// Contents of a CycloneDX document.
    Components {
        /// Components listed.
        components: u64,
        /// Vulnerabilities listed.
        vulnerabilities: u64,
    },
    /// A file that was not read inside.
    File {
        /// Its size.
        bytes: u64,
    },
}

//! Words for what a test report, a scan or a bill of materials said.
//!
//! Absent: reading those files. Readers live outside the core and hand over these values.

use serde::{Deserialize, Serialize};

use crate::act::closed_words;

closed_words!(
    /// The format of a piece of evidence.
    EvidenceKind {
        /// Test results in JUnit XML.
        Junit = "junit",
        /// Static analysis results in SARIF.
        Sarif = "sarif",
        /// A bill of materials or vulnerability report in CycloneDX.
        Cyclonedx = "cyclonedx",
        /// Any other file, judged by a person.
        Manual = "manual",
    }
);
closed_words!(
    /// What a piece of evidence says; only [`Conclusion::Pass`] is good news.
    Conclusion {
        /// It was read to the end and nothing in it fails its rule.
        Pass = "pass",
        /// It was read and something in it fails its rule.
        Fail = "fail",
        /// It is there and does not answer the question.
        Inconclusive = "inconclusive",
        /// It is not there.
        Missing = "missing",
    }
);

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

impl Counts {
    /// Returns the kind of evidence they are counted in.
    pub fn kind(&self) -> EvidenceKind {
        match self {
            Self::Tests { .. } => EvidenceKind::Junit,
            Self::Findings { .. } => EvidenceKind::Sarif,
            Self::Components { .. } => EvidenceKind::Cyclonedx,
            Self::File { .. } => EvidenceKind::Manual,
        }
    }

    /// Returns whether a pass can be concluded from them: something was looked at, and nothing counted fails by itself.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Tests { passed, failed, errors, .. } => *passed > 0 && *failed == 0 && *errors == 0,
            Self::Findings { error, .. } => *error == 0,
            Self::Components { components, vulnerabilities } => *components > 0 && *vulnerabilities == 0,
            Self::File { bytes } => *bytes > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn words_are_lower_case_and_unknown_words_are_refused() {
        for (kind, word) in [
            (EvidenceKind::Junit, "junit"),
            (EvidenceKind::Sarif, "sarif"),
            (EvidenceKind::Cyclonedx, "cyclonedx"),
            (EvidenceKind::Manual, "manual"),
        ] {
            assert_eq!(serde_json::to_value(kind).unwrap(), json!(word));
            assert_eq!(serde_json::from_value::<EvidenceKind>(json!(word)).unwrap(), kind);
        }
        for (conclusion, word) in [
            (Conclusion::Pass, "pass"),
            (Conclusion::Fail, "fail"),
            (Conclusion::Inconclusive, "inconclusive"),
            (Conclusion::Missing, "missing"),
        ] {
            assert_eq!(serde_json::to_value(conclusion).unwrap(), json!(word));
            assert_eq!(serde_json::from_value::<Conclusion>(json!(word)).unwrap(), conclusion);
        }
        for word in ["passed", "Pass", "PASS", "success", "", "unknown"] {
            assert!(serde_json::from_value::<Conclusion>(json!(word)).is_err(), "{word:?}");
        }
    }

    #[test]
    fn the_fields_of_counts_tell_the_shapes_apart() {
        #[track_caller]
        fn check(counts: Counts, json: &Value) {
            assert_eq!(serde_json::to_value(counts).unwrap(), *json);
            assert_eq!(serde_json::from_value::<Counts>(json.clone()).unwrap(), counts);
        }
        check(
            Counts::Tests { total: 6, passed: 1, failed: 2, errors: 0, skipped: 3, flaky: 0 },
            &json!({"total": 6, "passed": 1, "failed": 2, "errors": 0, "skipped": 3, "flaky": 0}),
        );
        check(
            Counts::Findings { error: 1, warning: 2, note: 3, none: 4, suppressed: 5 },
            &json!({"error": 1, "warning": 2, "note": 3, "none": 4, "suppressed": 5}),
        );
        check(
            Counts::Components { components: 7, vulnerabilities: 0 },
            &json!({"components": 7, "vulnerabilities": 0}),
        );
        check(Counts::File { bytes: 9 }, &json!({"bytes": 9}));
        for refused in [
            json!({}),
            json!({"bytes": 9, "total": 1}),
            json!({"components": 7}),
            json!({"bytes": -1}),
            json!({"bytes": "9"}),
            json!({"error": 1, "warning": 2, "note": 3, "none": 4}),
        ] {
            assert!(serde_json::from_value::<Counts>(refused.clone()).is_err(), "{refused}");
        }
    }
}

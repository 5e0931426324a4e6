//! CycloneDX 1.2 to 1.7 in JSON (ECMA-424).
//!
//! Components are counted with all components nested in them; `metadata.component`, the thing the
//! bill is about, is none of its own parts. A vulnerability is *open* until its analysis answers it:
//!
//! | `analysis.state` | open | concludes |
//! |---|---|---|
//! | `resolved`, `resolved_with_pedigree`, `false_positive`, `not_affected` | no | – |
//! | none given, `exploitable` | yes | fail |
//! | `in_triage`, an unknown word | yes | inconclusive |
//!
//! A bill with neither components nor vulnerabilities is no evidence. One with vulnerabilities
//! alone is a VEX: a statement beside another bill, which says nothing about what a product is made
//! of. It fails on an open vulnerability and is otherwise inconclusive: a person joins the two.

use std::fmt;

use countersign_core::evidence::{Conclusion, Counts, EvidenceKind};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use super::json::{self, First, Limited};
use super::{Draft, ItemLevel, ReadError, Report, claims};

const KIND: &str = "CycloneDX";
const VERSIONS: &[&str] = &["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bom {
    bom_format: Option<String>,
    spec_version: Option<String>,
    metadata: Option<Metadata>,
    components: Option<ComponentCount>,
    external_references: Option<Vec<ExternalReference>>,
    vulnerabilities: Option<Limited<Vulnerability, 500_000>>,
    properties: Option<Vec<Property>>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    component: Option<Subject>,
    properties: Option<Vec<Property>>,
}

/// The thing a bill is about.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subject {
    components: Option<ComponentCount>,
    external_references: Option<Vec<ExternalReference>>,
    properties: Option<Vec<Property>>,
    pedigree: Option<Pedigree>,
}

#[derive(Debug, Deserialize)]
struct Pedigree {
    commits: Option<Vec<Commit>>,
}

#[derive(Debug, Deserialize)]
struct Commit {
    uid: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ExternalReference {
    #[serde(rename = "type")]
    reference_type: Option<String>,
    url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Property {
    name: Option<String>,
    value: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Vulnerability {
    id: Option<String>,
    ratings: Option<Vec<Rating>>,
    analysis: Option<Analysis>,
    affects: Option<First<Affected>>,
    description: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Rating {
    severity: Option<Severity>,
}

/// Ranks severities, the highest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    Critical,
    High,
    Medium,
    Low,
    Info,
    None,
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Deserialize)]
struct Analysis {
    state: Option<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Resolved,
    ResolvedWithPedigree,
    Exploitable,
    InTriage,
    FalsePositive,
    NotAffected,
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Deserialize)]
struct Affected {
    #[serde(rename = "ref")]
    reference: Option<String>,
}

/// How many components an array holds, with those nested in them; nothing of them is kept.
#[derive(Debug, Clone, Copy, Default)]
struct ComponentCount(u64);

impl<'de> Deserialize<'de> for ComponentCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Component {
            components: Option<ComponentCount>,
        }
        struct CountVisitor;
        impl<'de> Visitor<'de> for CountVisitor {
            type Value = ComponentCount;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of components")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut count = 0;
                while let Some(Component { components }) = seq.next_element()? {
                    count += 1 + components.unwrap_or_default().0;
                }
                Ok(ComponentCount(count))
            }
        }
        deserializer.deserialize_seq(CountVisitor)
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<Report, ReadError> {
    let bom: Bom = json::parse(bytes, KIND)?;
    let not_this = |reason: &str| ReadError::NotThisKind { kind: KIND, reason: reason.to_owned() };
    match bom.bom_format.as_deref() {
        Some("CycloneDX") => {}
        Some(_) => return Err(not_this("`bomFormat` is not `CycloneDX`")),
        None => return Err(not_this("there is no `bomFormat`")),
    }
    match bom.spec_version.as_deref() {
        Some(version) if VERSIONS.contains(&version) => {}
        Some(version) => {
            return Err(ReadError::Unsupported { what: format!("CycloneDX version `{version:.20}`") });
        }
        None => return Err(not_this("there is no `specVersion`")),
    }
    let mut draft = Draft::default();
    read_claims(&bom, &mut draft);
    let components = bom.components.unwrap_or_default().0;
    let inner = bom.metadata.as_ref().and_then(|metadata| metadata.component.as_ref()?.components);
    if let Some(ComponentCount(inner @ 1..)) = inner {
        draft.note(format!("metadata.component holds {inner} components, which are not counted"));
    }
    let vulnerabilities = bom.vulnerabilities.unwrap_or_default().0;
    let (mut open, mut undecided) = (0_u64, 0_u64);
    for vulnerability in &vulnerabilities {
        let verdict = judge(vulnerability.analysis.as_ref().and_then(|analysis| analysis.state));
        open += u64::from(verdict != ItemLevel::Suppressed);
        undecided += u64::from(verdict == ItemLevel::Warning);
        vulnerability.list(verdict, &mut draft);
    }
    let total = vulnerabilities.len();
    if total > 0 {
        draft.note(format!("{total} vulnerabilities are listed, {open} of them open"));
    }
    let conclusion = if open > undecided {
        Conclusion::Fail
    } else if undecided > 0 {
        Conclusion::Inconclusive
    } else if components > 0 {
        Conclusion::Pass
    } else if total > 0 {
        draft.note("there are vulnerabilities and no components: this is a VEX beside another bill");
        Conclusion::Inconclusive
    } else {
        Conclusion::Missing
    };
    let counts = Counts::Components { components, vulnerabilities: open };
    Ok(draft.report(EvidenceKind::Cyclonedx, bytes, counts, conclusion))
}

/// Tells what the state of an analysis makes of a vulnerability.
fn judge(state: Option<State>) -> ItemLevel {
    match state {
        Some(State::Resolved | State::ResolvedWithPedigree | State::FalsePositive | State::NotAffected) => {
            ItemLevel::Suppressed
        }
        Some(State::InTriage | State::Unknown) => ItemLevel::Warning,
        None | Some(State::Exploitable) => ItemLevel::Error,
    }
}

impl Vulnerability {
    fn list(&self, level: ItemLevel, draft: &mut Draft) {
        let severity = self.ratings.iter().flatten().filter_map(|rating| rating.severity).min();
        let state = match self.analysis.as_ref().and_then(|analysis| analysis.state) {
            None => "not analyzed",
            Some(State::Resolved | State::ResolvedWithPedigree) => "resolved",
            Some(State::Exploitable) => "exploitable",
            Some(State::InTriage) => "in triage",
            Some(State::FalsePositive) => "false positive",
            Some(State::NotAffected) => "not affected",
            Some(State::Unknown) => "in an unknown state",
        };
        let severity = match severity {
            Some(Severity::Critical) => "critical",
            Some(Severity::High) => "high",
            Some(Severity::Medium) => "medium",
            Some(Severity::Low) => "low",
            Some(Severity::Info) => "info",
            Some(Severity::None) => "none",
            Some(Severity::Unknown) | None => "unknown",
        };
        let description = self.description.as_deref().unwrap_or_default();
        let message = format!("severity {severity}, {state}\n{description}");
        let affected = self.affects.as_ref().and_then(|first| first.0.as_ref()?.reference.as_deref());
        let name = self.id.as_deref().unwrap_or_default();
        draft.items.push(level, name, affected, Some(message.trim_end()));
    }
}

/// Gathers the commit from properties, the pedigree and the version control references of the subject.
fn read_claims(bom: &Bom, draft: &mut Draft) {
    let metadata = bom.metadata.as_ref();
    let subject = metadata.and_then(|metadata| metadata.component.as_ref());
    let properties = [
        metadata.and_then(|metadata| metadata.properties.as_ref()),
        subject.and_then(|subject| subject.properties.as_ref()),
        bom.properties.as_ref(),
    ];
    for property in properties.into_iter().flatten().flatten() {
        if let (Some(name), Some(value)) = (&property.name, &property.value) {
            draft.claims.add_property(name, value);
        }
    }
    let pedigree = subject.and_then(|subject| subject.pedigree.as_ref()?.commits.as_ref());
    if let Some([Commit { uid: Some(uid) }]) = pedigree.map(Vec::as_slice) {
        draft.claims.add(uid, "metadata.component.pedigree.commits");
    }
    let references =
        [subject.and_then(|subject| subject.external_references.as_ref()), bom.external_references.as_ref()];
    for reference in references.into_iter().flatten().flatten() {
        let is_vcs = reference.reference_type.as_deref() == Some("vcs");
        let commit = reference.url.as_deref().and_then(claims::commit_of_address);
        if let (true, Some(commit)) = (is_vcs, commit) {
            draft.claims.add(commit, "externalReferences vcs");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read_value(value: &Value) -> Result<Report, ReadError> {
        read(value.to_string().as_bytes())
    }

    /// Reads a bill of version 1.6 with these fields and returns `components open conclusion`.
    #[track_caller]
    fn check(fields: Value, expected: &str) -> Report {
        let mut bom = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1});
        bom.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let report = read_value(&bom).unwrap();
        let Counts::Components { components, vulnerabilities } = report.counts else { panic!("{:?}", report.counts) };
        let conclusion = serde_json::to_value(report.conclusion).unwrap();
        let found = format!("{components} {vulnerabilities} {}", conclusion.as_str().unwrap());
        assert_eq!(found, expected, "{bom}\n{:?}", report.notes);
        report
    }

    #[test]
    fn components_are_counted_with_those_inside_and_without_the_subject() {
        check(json!({"components": [{"name": "a"}]}), "1 0 pass");
        let nested = json!([{"components": [{"components": [{}]}, {}]}, {}]);
        check(json!({ "components": nested }), "5 0 pass");
        let report =
            check(json!({"metadata": {"component": {"components": [{}, {}]}}, "components": [{}]}), "1 0 pass");
        assert_eq!(report.notes, ["metadata.component holds 2 components, which are not counted"]);
    }

    #[test]
    fn empty_is_no_evidence() {
        check(json!({}), "0 0 missing");
        check(json!({"components": [], "vulnerabilities": []}), "0 0 missing");
        check(json!({"components": null, "metadata": {"component": {"name": "x"}}}), "0 0 missing");
    }

    #[test]
    fn a_vulnerability_is_open_until_an_analysis_answers_it() {
        for (state, expected) in [
            (json!({}), "1 1 fail"),
            (json!({"analysis": {}}), "1 1 fail"),
            (json!({"analysis": {"state": "exploitable"}}), "1 1 fail"),
            (json!({"analysis": {"state": "in_triage"}}), "1 1 inconclusive"),
            (json!({"analysis": {"state": "fine"}}), "1 1 inconclusive"),
            (json!({"analysis": {"state": "resolved"}}), "1 0 pass"),
            (json!({"analysis": {"state": "resolved_with_pedigree"}}), "1 0 pass"),
            (json!({"analysis": {"state": "false_positive"}}), "1 0 pass"),
            (json!({"analysis": {"state": "not_affected"}}), "1 0 pass"),
        ] {
            check(json!({"components": [{}], "vulnerabilities": [state]}), expected);
        }
        let both = json!([{"analysis": {"state": "in_triage"}}, {}]);
        check(json!({"components": [{}], "vulnerabilities": both}), "1 2 fail");
    }

    #[test]
    fn vulnerabilities_without_components_are_a_statement_beside_another_bill() {
        let answered = json!([{"id": "CVE-1", "analysis": {"state": "not_affected"}}]);
        let report = check(json!({ "vulnerabilities": answered }), "0 0 inconclusive");
        assert!(report.notes.iter().any(|note| note.contains("VEX")), "{:?}", report.notes);
        check(json!({"vulnerabilities": [{"id": "CVE-1"}]}), "0 1 fail");
    }

    #[test]
    fn items_tell_id_component_severity_and_state() {
        let report = check(
            json!({"components": [{}], "vulnerabilities": [{
                "id": "CVE-2026-1", "description": "boom",
                "ratings": [{"severity": "low"}, {"severity": "high"}, {}],
                "affects": [{"ref": "pkg:x/y@1"}, {"ref": "other"}],
            }]}),
            "1 1 fail",
        );
        let item = &report.items[0];
        assert_eq!(item.name, "CVE-2026-1");
        assert_eq!(item.location.as_deref(), Some("pkg:x/y@1"));
        assert_eq!(item.message.as_deref(), Some("severity high, not analyzed\nboom"));
        assert_eq!(item.level, ItemLevel::Error);
    }

    #[test]
    fn the_commit_is_read_from_the_subject() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let of = |metadata: Value| check(json!({"metadata": metadata, "components": [{}]}), "1 0 pass").commit;
        let property = json!([{"name": "git.commit", "value": id}, {"name": "x"}]);
        assert_eq!(of(json!({"properties": property})).unwrap().source, "property git.commit");
        assert_eq!(of(json!({"component": {"properties": property}})).unwrap().value, id);
        let commits = json!({"commits": [{"uid": id}]});
        assert_eq!(of(json!({"component": {"pedigree": commits}})).unwrap().value, id);
        let vcs = json!([{"type": "vcs", "url": format!("https://example.org/r.git#{id}")}]);
        assert_eq!(of(json!({"component": {"externalReferences": vcs}})).unwrap().value, id);
        let website = json!([{"type": "website", "url": format!("https://example.org/commit/{id}")}]);
        assert_eq!(of(json!({"component": {"externalReferences": website}})), None);
        assert_eq!(of(json!({})), None);
    }

    #[test]
    fn other_formats_and_versions_are_refused() {
        for version in VERSIONS {
            read_value(&json!({"bomFormat": "CycloneDX", "specVersion": version})).unwrap();
        }
        for (value, part) in [
            (json!({"bomFormat": "CycloneDX", "specVersion": "1.1"}), "version `1.1` is not read"),
            (json!({"bomFormat": "CycloneDX", "specVersion": "2.0"}), "version `2.0` is not read"),
            (json!({"bomFormat": "CycloneDX", "specVersion": 1.4}), "not a CycloneDX report"),
            (json!({"bomFormat": "CycloneDX"}), "there is no `specVersion`"),
            (json!({"bomFormat": "SPDX", "specVersion": "1.4"}), "`bomFormat` is not"),
            (json!({"specVersion": "1.4"}), "there is no `bomFormat`"),
            (json!({"bomFormat": "CycloneDX", "specVersion": "1.4", "components": {}}), "not a CycloneDX"),
            (json!({"bomFormat": "CycloneDX", "specVersion": "1.4", "components": ["a"]}), "not a CycloneDX"),
        ] {
            let message = read_value(&value).unwrap_err().to_string();
            assert!(message.contains(part), "{value}: {message}");
        }
    }
}

//! SARIF 2.1.0 (OASIS Standard, with Errata 01).
//!
//! What a finding counts as:
//! - `baselineState` `absent` (§3.27.24): the finding is gone; it is not counted.
//! - At least one suppression that is accepted, or has no status (§3.27.23, §3.35): `suppressed`.
//!   Suppressions that are all under review or rejected suppress nothing.
//! - Else its level (§3.27.10): the explicit one; `none` when `kind` is not `fail`; the level an
//!   invocation configured for its rule; its rule's default; `warning`.
//!
//! The report fails on any finding of level error. It is inconclusive when a tool says that it did
//! not succeed, when results live in another file, when a run has no results beside runs that do,
//! and when a finding says that a person must decide (`kind` `open` or `review`, §3.27.9). A run
//! without a `results` array did not look (§3.14.23); an empty array is a clean pass.
//!
//! Deliberately absent: external property files (§3.15.2) and `originalUriBaseIds`.

use std::collections::BTreeMap;

use countersign_core::evidence::{Conclusion, Counts, EvidenceKind};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::json::{self, First, Limited};
use super::{Draft, ItemLevel, ReadError, Report};

const KIND: &str = "SARIF";

#[derive(Debug, Deserialize)]
struct Log {
    version: Option<String>,
    runs: Option<Limited<Run, 10_000>>,
    #[serde(rename = "inlineExternalProperties")]
    inline_external_properties: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    /// Absent or null: the tool did not look.
    results: Option<Limited<Finding, 500_000>>,
    invocations: Option<Vec<Invocation>>,
    version_control_provenance: Option<Vec<Provenance>>,
    external_property_file_references: Option<ExternalFiles>,
}

#[derive(Debug, Deserialize)]
struct Tool {
    driver: Component,
    extensions: Option<Limited<Component, 10_000>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    name: Option<String>,
    guid: Option<String>,
    rules: Option<Vec<Rule>>,
    global_message_strings: Option<Box<Messages>>,
}

type Messages = BTreeMap<String, MessageString>;

#[derive(Debug, Deserialize)]
struct MessageString {
    text: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: Option<String>,
    guid: Option<String>,
    default_configuration: Option<Configuration>,
    message_strings: Option<Box<Messages>>,
}

#[derive(Debug, Deserialize)]
struct Configuration {
    level: Option<Level>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: Option<bool>,
    rule_configuration_overrides: Option<Vec<Override>>,
}

#[derive(Debug, Deserialize)]
struct Override {
    descriptor: RuleReference,
    configuration: Option<Configuration>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Provenance {
    revision_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ExternalFiles {
    results: Option<IgnoredAny>,
    driver: Option<IgnoredAny>,
    extensions: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: Option<String>,
    rule_index: Option<i64>,
    rule: Option<Box<RuleReference>>,
    kind: Option<Kind>,
    level: Option<Level>,
    message: Option<Box<Message>>,
    locations: Option<First<Location>>,
    suppressions: Option<Vec<Suppression>>,
    baseline_state: Option<BaselineState>,
    provenance: Option<FindingProvenance>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleReference {
    id: Option<String>,
    index: Option<i64>,
    guid: Option<String>,
    tool_component: Option<ComponentReference>,
}

#[derive(Debug, Clone, Deserialize)]
struct ComponentReference {
    name: Option<String>,
    index: Option<i64>,
    guid: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Fail,
    Pass,
    Review,
    Open,
    NotApplicable,
    Informational,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Error,
    Warning,
    Note,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum BaselineState {
    New,
    Unchanged,
    Updated,
    Absent,
}

#[derive(Debug, Deserialize)]
struct Suppression {
    status: Option<SuppressionStatus>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum SuppressionStatus {
    Accepted,
    UnderReview,
    Rejected,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FindingProvenance {
    invocation_index: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Message {
    text: Option<String>,
    id: Option<String>,
    arguments: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Option<PhysicalLocation>,
    logical_locations: Option<First<LogicalLocation>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: Option<ArtifactLocation>,
    region: Option<Region>,
}

#[derive(Debug, Deserialize)]
struct ArtifactLocation {
    uri: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: Option<u64>,
    start_column: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: Option<String>,
    name: Option<String>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Report, ReadError> {
    let log: Log = json::parse(bytes, KIND)?;
    match log.version.as_deref() {
        Some("2.1.0") => {}
        Some(version) => {
            return Err(ReadError::Unsupported { what: format!("SARIF version `{version:.20}`") });
        }
        None => {
            let reason = "there is no `version`".to_owned();
            return Err(ReadError::NotThisKind { kind: KIND, reason });
        }
    }
    let mut draft = Draft::default();
    let mut tally = Tally::default();
    let (mut looked, mut missing) = (0_u64, 0_u64);
    for run in log.runs.unwrap_or_default().0 {
        if run.results.is_some() {
            looked += 1
        } else {
            missing += 1
        }
        read_run(&run, &mut tally, &mut draft);
    }
    if looked > 0 && missing > 0 {
        draft.doubt(format!("{missing} of {} runs have no results: the tool did not look", looked + missing));
    }
    if log.inline_external_properties.is_some() {
        draft.doubt("the file carries inline external properties, which are not read");
    }
    tally.note(&mut draft);
    let conclusion = match (looked, tally.error) {
        (_, 1..) => Conclusion::Fail,
        (0, _) => Conclusion::Missing,
        _ => Conclusion::Pass,
    };
    let Tally { error, warning, note, none, suppressed, .. } = tally;
    let counts = Counts::Findings { error, warning, note, none, suppressed };
    Ok(draft.report(EvidenceKind::Sarif, bytes, counts, conclusion))
}

#[derive(Debug, Default)]
struct Tally {
    error: u64,
    warning: u64,
    note: u64,
    none: u64,
    suppressed: u64,
    /// Findings that are gone since the baseline.
    absent: u64,
    /// Findings of kind `open` or `review`.
    undecided: u64,
    /// Findings whose `ruleId` is not the id of the rule they point at.
    misnamed: u64,
    /// Findings that point at a rule that is not there.
    lost: u64,
    /// Findings of another kind than `fail` that carry a level all the same.
    contradictory: u64,
}

impl Tally {
    fn note(&self, draft: &mut Draft) {
        let undecided = "findings ask a person to decide (kind `open` or `review`)";
        if self.undecided > 0 {
            draft.doubt(format!("{} {undecided}", self.undecided));
        }
        for (count, what) in [
            (self.absent, "findings are gone since the baseline and not counted"),
            (self.misnamed, "findings name another rule than the one they point at; the latter gives the level"),
            (self.lost, "findings point at a rule that is not there"),
            (self.contradictory, "findings carry a level though their kind has none; the level counts"),
        ] {
            if count > 0 {
                draft.note(format!("{count} {what}"));
            }
        }
    }
}

fn read_run(run: &Run, tally: &mut Tally, draft: &mut Draft) {
    let tool = run.tool.driver.name.as_deref().unwrap_or("unnamed");
    for invocation in run.invocations.iter().flatten() {
        match invocation.execution_successful {
            Some(true) => {}
            Some(false) => draft.doubt(format!("tool `{tool}` says that it did not succeed")),
            None => draft.doubt(format!("tool `{tool}` does not say whether it succeeded")),
        }
    }
    if let Some(ExternalFiles { results, driver, extensions }) = &run.external_property_file_references
        && (results.is_some() || driver.is_some() || extensions.is_some())
    {
        draft.doubt(format!("results or rules of tool `{tool}` are in another file, which is not read"));
    }
    for provenance in run.version_control_provenance.iter().flatten() {
        if let Some(revision) = &provenance.revision_id {
            draft.claims.add(revision, "versionControlProvenance.revisionId");
        }
    }
    for finding in run.results.iter().flat_map(|results| &results.0) {
        if finding.baseline_state == Some(BaselineState::Absent) {
            tally.absent += 1;
            continue;
        }
        let rule = run.rule_of(finding, tally);
        let level = if finding.is_suppressed() {
            tally.suppressed += 1;
            ItemLevel::Suppressed
        } else {
            tally.undecided += u64::from(matches!(finding.kind, Some(Kind::Open | Kind::Review)));
            match run.level_of(finding, rule, tally) {
                Level::Error => {
                    tally.error += 1;
                    ItemLevel::Error
                }
                Level::Warning => {
                    tally.warning += 1;
                    ItemLevel::Warning
                }
                Level::Note => {
                    tally.note += 1;
                    ItemLevel::Note
                }
                Level::None => {
                    tally.none += 1;
                    ItemLevel::None
                }
            }
        };
        let named = finding.rule_id.as_deref().or(finding.rule.as_ref().and_then(|r| r.id.as_deref()));
        let name = named.or(rule.and_then(|r| r.rule.id.as_deref())).unwrap_or_default();
        let location = finding.locations.as_ref().and_then(|first| first.0.as_ref()).and_then(place);
        let message = finding.message.as_deref().and_then(|message| run.text_of(message, rule));
        draft.items.push(level, name, location.as_deref(), message.as_deref());
    }
}

impl Finding {
    fn is_suppressed(&self) -> bool {
        let accepted = |status| matches!(status, None | Some(SuppressionStatus::Accepted));
        self.suppressions.iter().flatten().any(|suppression| accepted(suppression.status))
    }
}

/// A rule, and where it stands, so that two ways to name it can be compared.
#[derive(Debug, Clone, Copy)]
struct FoundRule<'r> {
    /// 0 is the driver, then the extensions.
    component: usize,
    index: usize,
    rule: &'r Rule,
}

impl Run {
    fn component(&self, at: usize) -> Option<&Component> {
        match at.checked_sub(1) {
            None => Some(&self.tool.driver),
            Some(extension) => self.tool.extensions.as_ref()?.0.get(extension),
        }
    }

    fn components(&self) -> impl Iterator<Item = (usize, &Component)> {
        let extensions = self.tool.extensions.iter().flat_map(|list| &list.0);
        std::iter::once(&self.tool.driver).chain(extensions).enumerate()
    }

    /// Finds the component a reference means; none named means the driver (§3.54).
    fn find_component(&self, reference: Option<&ComponentReference>) -> Option<usize> {
        let Some(ComponentReference { name, index, guid }) = reference else {
            return Some(0);
        };
        if let Some(index) = index.filter(|index| *index >= 0) {
            return usize::try_from(index).ok()?.checked_add(1);
        }
        let find = |matches: &dyn Fn(&Component) -> bool| {
            self.components().find(|(_, component)| matches(component)).map(|(at, _)| at)
        };
        match (guid, name) {
            (Some(guid), _) => find(&|c| c.guid.as_deref().is_some_and(|held| held.eq_ignore_ascii_case(guid))),
            (None, Some(name)) => find(&|c| c.name.as_ref() == Some(name)),
            (None, None) => Some(0),
        }
    }

    /// Finds the rule a reference means: by index, else by GUID, else by id (§3.52.3).
    fn find_rule(&self, reference: &RuleReference) -> Option<FoundRule<'_>> {
        let component = self.find_component(reference.tool_component.as_ref())?;
        let rules = self.component(component)?.rules.as_deref()?;
        let index = match reference.index.filter(|index| *index >= 0) {
            Some(index) => usize::try_from(index).ok()?,
            None => match (&reference.guid, &reference.id) {
                (Some(guid), _) => rules
                    .iter()
                    .position(|rule| rule.guid.as_deref().is_some_and(|held| held.eq_ignore_ascii_case(guid)))?,
                (None, Some(id)) => position_of_id(rules, id)?,
                (None, None) => return None,
            },
        };
        Some(FoundRule { component, index, rule: rules.get(index)? })
    }

    /// Finds a finding's rule (§3.27.5 to §3.27.7).
    fn rule_of(&self, finding: &Finding, tally: &mut Tally) -> Option<FoundRule<'_>> {
        let mut reference = finding.rule.as_deref().cloned().unwrap_or(RuleReference {
            id: None,
            index: None,
            guid: None,
            tool_component: None,
        });
        reference.index = reference.index.or(finding.rule_index);
        reference.id = reference.id.or_else(|| finding.rule_id.clone());
        let is_pointer = reference.index.is_some_and(|index| index >= 0) || reference.guid.is_some();
        let found = self.find_rule(&reference);
        if is_pointer && found.is_none() {
            tally.lost += 1;
        }
        let by_id = || {
            // A bare id may also be a rule of an extension.
            let id = reference.id.as_deref().filter(|_| reference.tool_component.is_none())?;
            self.components().find_map(|(component, held)| {
                let rules = held.rules.as_deref()?;
                let index = position_of_id(rules, id)?;
                Some(FoundRule { component, index, rule: &rules[index] })
            })
        };
        let found = found.or_else(by_id);
        if let (Some(found), Some(id)) = (found, &finding.rule_id)
            && found.rule.id.as_deref().is_some_and(|held| !is_id_or_part_of(id, held))
        {
            tally.misnamed += 1;
        }
        found
    }

    /// Returns the level of a finding (§3.27.10).
    fn level_of(&self, finding: &Finding, rule: Option<FoundRule<'_>>, tally: &mut Tally) -> Level {
        let is_fail = finding.kind.is_none_or(|kind| kind == Kind::Fail);
        match finding.level {
            Some(level) => {
                tally.contradictory += u64::from(!is_fail && level != Level::None);
                return level;
            }
            None if !is_fail => return Level::None,
            None => {}
        }
        let Some(rule) = rule else {
            return Level::Warning;
        };
        let configured = || {
            let index = finding.provenance.as_ref()?.invocation_index?;
            let invocation = self.invocations.as_ref()?.get(usize::try_from(index).ok()?)?;
            let overrides = invocation.rule_configuration_overrides.as_deref()?;
            let meant = |found: FoundRule<'_>| (found.component, found.index) == (rule.component, rule.index);
            let found = overrides.iter().find(|o| self.find_rule(&o.descriptor).is_some_and(meant))?;
            found.configuration.as_ref()?.level
        };
        configured().or_else(|| rule.rule.default_configuration.as_ref()?.level).unwrap_or(Level::Warning)
    }

    /// Returns the text of a message, found by its id and filled with its arguments (§3.11.7).
    fn text_of(&self, message: &Message, rule: Option<FoundRule<'_>>) -> Option<String> {
        let text = message.text.as_deref().or_else(|| {
            let id = message.id.as_deref()?;
            let of_rule = rule.and_then(|found| found.rule.message_strings.as_deref()?.get(id));
            let component = self.component(rule.map_or(0, |found| found.component))?;
            let global = || component.global_message_strings.as_deref()?.get(id);
            of_rule.or_else(global)?.text.as_deref()
        })?;
        Some(filled(text, message.arguments.as_deref().unwrap_or_default()))
    }
}

/// Finds a rule by id, or by the id's leading parts: `CA1000/1` may be rule `CA1000` (§3.27.5).
fn position_of_id(rules: &[Rule], id: &str) -> Option<usize> {
    let of = |id: &str| rules.iter().position(|rule| rule.id.as_deref() == Some(id));
    of(id).or_else(|| of(id.rsplit_once('/')?.0))
}

fn is_id_or_part_of(id: &str, rule_id: &str) -> bool {
    id.strip_prefix(rule_id).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Replaces `{0}`, `{1}`, … in a message, and `{{` and `}}` by single braces (§3.11.5).
fn filled(text: &str, arguments: &[String]) -> String {
    const MAX: usize = 2 * super::MAX_TEXT_BYTES;
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if out.len() > MAX {
            return out;
        }
        let placeholder = rest[1..].find('}').map(|end| (&rest[1..=end], end + 2));
        let argument =
            placeholder.and_then(|(number, length)| Some((arguments.get(number.parse::<usize>().ok()?)?, length)));
        if rest.starts_with("{{") || rest.starts_with("}}") {
            out.push_str(&rest[..1]);
            rest = &rest[2..];
        } else if let Some((argument, length)) = argument.filter(|_| rest.starts_with('{')) {
            out.push_str(argument);
            rest = &rest[length..];
        } else {
            out.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

/// Returns `file:line:column`, or the name of what holds the code.
fn place(location: &Location) -> Option<String> {
    let physical = location.physical_location.as_ref();
    let uri = physical.and_then(|p| p.artifact_location.as_ref()?.uri.as_deref());
    let Some(uri) = uri else {
        let logical = location.logical_locations.as_ref()?.0.as_ref()?;
        return logical.fully_qualified_name.clone().or_else(|| logical.name.clone());
    };
    let region = physical.and_then(|p| p.region.as_ref());
    Some(match region.map(|region| (region.start_line, region.start_column)) {
        Some((Some(line), Some(column))) => format!("{uri}:{line}:{column}"),
        Some((Some(line), None)) => format!("{uri}:{line}"),
        _ => uri.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read_value(value: &Value) -> Result<Report, ReadError> {
        read(value.to_string().as_bytes())
    }

    /// Reads one run and returns `error warning note none suppressed conclusion`.
    #[track_caller]
    fn check_run(run: Value, expected: &str) -> Report {
        check(&json!({"version": "2.1.0", "runs": [run]}), expected)
    }

    #[track_caller]
    fn check(log: &Value, expected: &str) -> Report {
        let report = read_value(log).unwrap();
        let Counts::Findings { error, warning, note, none, suppressed } = report.counts else {
            panic!("{:?}", report.counts)
        };
        let conclusion = serde_json::to_value(report.conclusion).unwrap();
        let found = format!("{error} {warning} {note} {none} {suppressed} {}", conclusion.as_str().unwrap());
        assert_eq!(found, expected, "{log}\n{:?}", report.notes);
        report
    }

    /// Checks findings of a tool whose rules are: E (error), N (note), D (no default), X/1 (none).
    #[track_caller]
    fn check_findings(findings: Value, expected: &str) -> Report {
        let rules = json!([
            {"id": "E", "guid": "00000000-0000-0000-0000-00000000000e", "defaultConfiguration": {"level": "error"},
             "messageStrings": {"m": {"text": "the {0} is {1}, not {{0}} {9}"}}},
            {"id": "N", "defaultConfiguration": {"level": "note"}},
            {"id": "D"},
        ]);
        let extension = json!({"name": "plug-in", "guid": "00000000-0000-0000-0000-0000000000ff",
            "rules": [{"id": "P", "defaultConfiguration": {"level": "error"}}]});
        let tool = json!({"driver": {"name": "t", "rules": rules,
            "globalMessageStrings": {"g": {"text": "global"}}}, "extensions": [extension]});
        let invocations = json!([{"executionSuccessful": true, "ruleConfigurationOverrides": [
            {"descriptor": {"id": "E"}, "configuration": {"level": "note"}},
            {"descriptor": {"index": 2}, "configuration": {"level": "error"}},
            {"descriptor": {"index": 1}, "configuration": {"enabled": true}},
        ]}]);
        check_run(json!({"tool": tool, "invocations": invocations, "results": findings}), expected)
    }

    #[test]
    fn a_level_is_explicit_or_follows_kind_configuration_rule_and_default() {
        for (finding, expected) in [
            (json!({"level": "error"}), "1 0 0 0 0 fail"),
            (json!({"level": "note"}), "0 0 1 0 0 pass"),
            (json!({"level": "none"}), "0 0 0 1 0 pass"),
            (json!({}), "0 1 0 0 0 pass"),
            (json!({"ruleId": "unheard-of"}), "0 1 0 0 0 pass"),
            (json!({"ruleId": "E"}), "1 0 0 0 0 fail"),
            (json!({"ruleId": "E", "level": "warning"}), "0 1 0 0 0 pass"),
            (json!({"ruleId": "E/part"}), "1 0 0 0 0 fail"),
            (json!({"ruleId": "Extra"}), "0 1 0 0 0 pass"),
            (json!({"ruleIndex": 0}), "1 0 0 0 0 fail"),
            (json!({"ruleIndex": 1}), "0 0 1 0 0 pass"),
            (json!({"ruleIndex": 2}), "0 1 0 0 0 pass"),
            (json!({"ruleIndex": -1, "ruleId": "E"}), "1 0 0 0 0 fail"),
            (json!({"rule": {"id": "E"}}), "1 0 0 0 0 fail"),
            (json!({"rule": {"index": 0}}), "1 0 0 0 0 fail"),
            (json!({"rule": {"guid": "00000000-0000-0000-0000-00000000000E"}}), "1 0 0 0 0 fail"),
            (json!({"ruleId": "P"}), "1 0 0 0 0 fail"),
            (json!({"rule": {"id": "P", "toolComponent": {"index": 0}}}), "1 0 0 0 0 fail"),
            (json!({"rule": {"index": 0, "toolComponent": {"name": "plug-in"}}}), "1 0 0 0 0 fail"),
            (
                json!({"rule": {"index": 0, "toolComponent": {"guid": "00000000-0000-0000-0000-0000000000FF"}}}),
                "1 0 0 0 0 fail",
            ),
            (json!({"rule": {"id": "P", "toolComponent": {"index": 7}}}), "0 1 0 0 0 pass"),
            (json!({"ruleId": "E", "provenance": {"invocationIndex": 0}}), "0 0 1 0 0 pass"),
            (json!({"ruleId": "D", "provenance": {"invocationIndex": 0}}), "1 0 0 0 0 fail"),
            (json!({"ruleId": "N", "provenance": {"invocationIndex": 0}}), "0 0 1 0 0 pass"),
            (json!({"ruleId": "E", "provenance": {"invocationIndex": -1}}), "1 0 0 0 0 fail"),
            (json!({"ruleId": "E", "kind": "fail"}), "1 0 0 0 0 fail"),
            (json!({"ruleId": "E", "kind": "pass"}), "0 0 0 1 0 pass"),
            (json!({"ruleId": "E", "kind": "notApplicable"}), "0 0 0 1 0 pass"),
            (json!({"ruleId": "E", "kind": "informational"}), "0 0 0 1 0 pass"),
            (json!({"ruleId": "E", "kind": "open"}), "0 0 0 1 0 inconclusive"),
            (json!({"ruleId": "E", "kind": "review"}), "0 0 0 1 0 inconclusive"),
            (json!({"kind": "pass", "level": "error"}), "1 0 0 0 0 fail"),
        ] {
            check_findings(json!([finding]), expected);
        }
    }

    #[test]
    fn a_pointer_and_a_name_that_differ_are_told() {
        let report = check_findings(json!([{"ruleIndex": 0, "ruleId": "N"}]), "1 0 0 0 0 fail");
        assert!(report.notes[0].starts_with("1 findings name another rule"), "{:?}", report.notes);
        let report = check_findings(json!([{"ruleIndex": 9, "ruleId": "N"}]), "0 0 1 0 0 pass");
        assert_eq!(report.notes, ["1 findings point at a rule that is not there"]);
    }

    #[test]
    fn only_an_accepted_suppression_suppresses() {
        let with = |suppressions: Value| json!([{"level": "error", "suppressions": suppressions}]);
        let (accepted, rejected, review) = (
            json!({"kind": "external", "status": "accepted"}),
            json!({"kind": "external", "status": "rejected"}),
            json!({"kind": "external", "status": "underReview"}),
        );
        let plain = json!({"kind": "inSource"});
        for suppressions in [json!([plain]), json!([accepted]), json!([accepted, rejected]), json!([rejected, plain])] {
            check_findings(with(suppressions), "0 0 0 0 1 pass");
        }
        for suppressions in [Value::Null, json!([]), json!([rejected]), json!([review]), json!([review, rejected])] {
            check_findings(with(suppressions), "1 0 0 0 0 fail");
        }
    }

    #[test]
    fn what_is_gone_since_the_baseline_does_not_count() {
        let with = |state: &str| json!([{"level": "error", "baselineState": state}]);
        for state in ["new", "unchanged", "updated"] {
            check_findings(with(state), "1 0 0 0 0 fail");
        }
        let report = check_findings(with("absent"), "0 0 0 0 0 pass");
        assert_eq!(report.notes, ["1 findings are gone since the baseline and not counted"]);
    }

    #[test]
    fn no_results_is_no_evidence_and_empty_results_pass() {
        let run = |results: Value| json!({"tool": {"driver": {"name": "t"}}, "results": results});
        let log = |runs: Value| json!({"version": "2.1.0", "runs": runs});
        check(&log(json!([])), "0 0 0 0 0 missing");
        check(&log(Value::Null), "0 0 0 0 0 missing");
        check(&json!({"version": "2.1.0"}), "0 0 0 0 0 missing");
        check(&log(json!([{"tool": {"driver": {"name": "t"}}}])), "0 0 0 0 0 missing");
        check(&log(json!([run(Value::Null)])), "0 0 0 0 0 missing");
        check(&log(json!([run(json!([]))])), "0 0 0 0 0 pass");
        check(&log(json!([run(json!([])), run(Value::Null)])), "0 0 0 0 0 inconclusive");
        check(&log(json!([run(json!([{"level": "error"}])), run(Value::Null)])), "1 0 0 0 0 fail");
    }

    #[test]
    fn a_tool_that_failed_or_hides_its_results_is_inconclusive() {
        let driver = json!({"driver": {"name": "t"}});
        for (key, value, expected) in [
            ("invocations", json!([{"executionSuccessful": true}]), "pass"),
            ("invocations", json!([{"executionSuccessful": false}]), "inconclusive"),
            ("invocations", json!([{}]), "inconclusive"),
            ("externalPropertyFileReferences", json!({"results": [{}]}), "inconclusive"),
            ("externalPropertyFileReferences", json!({"driver": {}}), "inconclusive"),
            ("externalPropertyFileReferences", json!({"artifacts": [{}]}), "pass"),
        ] {
            check_run(json!({"tool": driver, "results": [], key: value}), &format!("0 0 0 0 0 {expected}"));
        }
        let log = json!({"version": "2.1.0", "runs": [{"tool": driver, "results": []}],
            "inlineExternalProperties": [{"results": [{"level": "error"}]}]});
        check(&log, "0 0 0 0 0 inconclusive");
    }

    #[test]
    fn the_commit_is_read_from_the_provenance() {
        let with = |ids: &[&str]| {
            let provenance: Vec<_> = ids.iter().map(|id| json!({"revisionId": id})).collect();
            let log = json!({"version": "2.1.0", "runs": [{"tool": {"driver": {}}, "results": [],
                "versionControlProvenance": provenance}]});
            read_value(&log).unwrap()
        };
        assert_eq!(with(&[]).commit, None);
        assert_eq!(with(&["ABCDEF0123"]).commit.unwrap().value, "abcdef0123");
        assert_eq!(with(&["r4711"]).commit.unwrap().value, "r4711");
        let two = with(&["1234567", "7654321"]);
        assert_eq!((two.commit, two.conclusion), (None, Conclusion::Inconclusive));
    }

    #[test]
    fn items_tell_rule_place_and_message() {
        let report = check_findings(
            json!([
                {"ruleIndex": 0, "message": {"id": "m", "arguments": ["sky", "blue"]},
                 "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.c"},
                    "region": {"startLine": 3, "startColumn": 7}}}, {}]},
                {"ruleId": "N", "message": {"id": "g"}, "locations": [{"physicalLocation": {
                    "artifactLocation": {"uri": "b.c"}, "region": {"startLine": 4}}}]},
                {"ruleId": "X\u{202e}", "message": {"text": "plain"}, "locations": [
                    {"logicalLocations": [{"fullyQualifiedName": "ns::f"}]}]},
                {"ruleId": "Y", "message": {"text": "s"}, "suppressions": [{"kind": "inSource"}]},
            ]),
            "1 1 1 0 1 fail",
        );
        let shown: Vec<_> = report
            .items
            .iter()
            .map(|item| (item.name.as_str(), item.location.as_deref(), item.level, item.message.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                ("E", Some("a.c:3:7"), ItemLevel::Error, Some("the sky is blue, not {0} {9}")),
                ("N", Some("b.c:4"), ItemLevel::Note, Some("global")),
                ("X\\u{202e}", Some("ns::f"), ItemLevel::Warning, Some("plain")),
                ("Y", None, ItemLevel::Suppressed, Some("s")),
            ]
        );
    }

    #[test]
    fn what_the_specification_does_not_know_is_refused() {
        let log = |run: Value| json!({"version": "2.1.0", "runs": [run]});
        let finding = |finding: Value| log(json!({"tool": {"driver": {}}, "results": [finding]}));
        for (value, part) in [
            (json!({"version": "2.0.0", "runs": []}), "SARIF version `2.0.0` is not read"),
            (json!({"version": "2.2", "runs": []}), "is not read"),
            (json!({"runs": []}), "there is no `version`"),
            (json!({"version": 2, "runs": []}), "not a SARIF report"),
            (json!({"version": "2.1.0", "runs": {}}), "not a SARIF report"),
            (log(json!({"results": []})), "missing field `tool`"),
            (log(json!({"tool": {"driver": {}}, "results": {}})), "not a SARIF report"),
            (finding(json!({"level": "critical"})), "unknown variant `critical`"),
            (finding(json!({"level": "Error"})), "unknown variant `Error`"),
            (finding(json!({"kind": "ok"})), "unknown variant `ok`"),
            (finding(json!({"baselineState": "gone"})), "unknown variant `gone`"),
            (finding(json!({"suppressions": [{"status": "yes"}]})), "unknown variant `yes`"),
            (json!([]), "not a SARIF report"),
        ] {
            let message = read_value(&value).unwrap_err().to_string();
            assert!(message.contains(part), "{value}: {message}");
        }
    }
}

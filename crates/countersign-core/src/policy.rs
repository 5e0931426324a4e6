//! What a product asks of a release before it may go live, read from the policy's own text.
//!
//! The text (TOML) is what people sign; this module only reads it, so nothing is lost or reordered between what was
//! written and what is kept. The evaluation of a policy against a ledger is in [`crate::judge`].

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::act::{Reauth, closed_words};
use crate::evidence::{Conclusion, Counts, EvidenceKind};
use crate::words::{Line, Slug, role};

mod changes;
mod refine;

pub use changes::{CalendarRule, Emergency, Exempt, WindowRule};
pub use refine::Refinement;

/// The longest policy text, so that its entry stays within one leaf.
pub const POLICY_BYTES_MAX: usize = 48 * 1024;

closed_words!(
    /// Who signs the last gate.
    Mode {
        /// People.
        Delivery = "continuous-delivery",
        /// A standing authorization within its bounds; people outside of them.
        Deployment = "continuous-deployment",
    }
);
closed_words!(
    /// What starts the dispatch of an authorized release.
    DispatchRule {
        /// The release manager.
        ByReleaseManager = "by-release-manager",
        /// The worker, as soon as the quorum is complete.
        OnQuorum = "on-quorum",
    }
);
closed_words!(
    /// What happens when a wave fails its checks.
    RollbackRule {
        /// A person is asked.
        Offer = "offer",
        /// The worker rolls back by the sheet's slot.
        Auto = "auto",
    }
);
closed_words!(
    /// Who may not approve because of another part they had in the release.
    Distinct {
        /// Who froze the sheet or proposed the candidate.
        Requester = "requester",
        /// Who wrote one of its commits.
        CommitAuthor = "commit-author",
        /// Who attached evidence to it.
        EvidenceAttacher = "evidence-attacher",
        /// Who approved may not dispatch.
        Dispatcher = "dispatcher",
    }
);
closed_words!(
    /// Whether evidence a person attached counts.
    AttachedRule {
        /// Never.
        Refused = "refused",
        /// Once a second person has confirmed it.
        Confirmed = "confirmed",
        /// At once.
        Accepted = "accepted",
    }
);
closed_words!(
    /// Whether a green re-run clears an earlier red on the same commit.
    RerunRule {
        /// Never.
        Forbid = "forbid",
        /// With a signed waiver.
        Waiver = "waiver",
        /// Up to a number of times, each with a reason.
        UpTo = "up-to",
    }
);

/// A policy as its text says it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The version of the policy language: 1.
    pub schema: u32,
    /// The product it is for.
    pub product: Slug,
    /// Who signs the last gate.
    pub mode: Mode,
    /// What starts the dispatch.
    #[serde(default = "by_release_manager")]
    pub dispatch: DispatchRule,
    /// What happens when a wave fails.
    #[serde(default = "offer")]
    pub rollback: RollbackRule,
    /// The kinds of presence a signature may rest on.
    #[serde(default = "prompt_only")]
    pub reauth: BTreeSet<Reauth>,
    /// Who may not approve.
    #[serde(default = "all_distinct")]
    pub distinct: BTreeSet<Distinct>,
    /// How long a decision sheet may be acted on, in minutes.
    #[serde(default = "one_day_minutes")]
    pub sheet_valid_minutes: u64,
    /// How long a release must have run in the environment before the last, in seconds.
    #[serde(default)]
    pub soak_seconds: u64,
    /// Whether attached evidence counts.
    #[serde(default = "confirmed")]
    pub attached_evidence: AttachedRule,
    /// Re-runs.
    #[serde(default = "no_rerun")]
    pub rerun: Rerun,
    /// The fields of a candidate that must not be empty.
    #[serde(default)]
    pub required: BTreeSet<RequiredField>,
    /// The roles whose NO-GO ends it; all that are asked to sign when absent.
    pub veto: Option<BTreeSet<Slug>>,
    /// The evidence it asks for.
    #[serde(default)]
    pub evidence: Vec<EvidenceRule>,
    /// Who signs.
    pub quorum: Vec<QuorumRule>,
    /// The waves of the rollout.
    #[serde(rename = "wave")]
    pub waves: Vec<WaveRule>,
    /// The roles that sign one after the other, the first first; others sign whenever they like.
    #[serde(default)]
    pub order: Vec<Slug>,
    /// How many NO-GO of people who are asked end it though none of them has a veto.
    pub no_go_count: Option<u64>,
    /// Whether the question of a HOLD, which is its reason, must be answered before its signer may say GO.
    #[serde(default)]
    pub hold_answered: bool,
    /// What an emergency change asks for in place of the usual.
    pub emergency: Option<Emergency>,
    /// What freezes and windows do not stop.
    pub calendar: Option<CalendarRule>,
    /// When dispatch behind the go/no-go is allowed; at any time where none is given.
    #[serde(default, rename = "window")]
    pub windows: Vec<WindowRule>,
    /// What is asked for otherwise, by type of change and environment; a later one over an earlier one.
    #[serde(default, rename = "refine")]
    pub refinements: Vec<Refinement>,
    /// The gates that are asked for, where a refinement leaves some out; all when `None`.
    #[serde(skip)]
    pub(crate) asked_gates: Option<BTreeSet<Line>>,
}

closed_words!(
    /// A field of a candidate that a policy may ask for.
    RequiredField {
        /// What could go wrong.
        Risk = "risk",
        /// What it means for security.
        SecurityImpact = "security-impact",
        /// How it comes out.
        RolloutPlan = "rollout-plan",
        /// How to come back.
        BackoutPlan = "backout-plan",
        /// The change record in another system.
        ExternalRecord = "external-record",
    }
);

/// The rule on re-runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rerun {
    /// The rule.
    pub rule: RerunRule,
    /// How many, for `up-to`.
    #[serde(default)]
    pub up_to: u64,
}

/// One kind of evidence that must be there, and its thresholds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceRule {
    /// The name of the gate, as people and waivers name it.
    pub gate: Line,
    /// The format.
    pub kind: EvidenceKind,
    /// The file name that answers to this gate; any of that kind when absent.
    pub name: Option<Line>,
    /// The least a count may be, by the count's name.
    #[serde(default)]
    pub min: BTreeMap<String, u64>,
    /// The most a count may be, by the count's name.
    #[serde(default)]
    pub max: BTreeMap<String, u64>,
    /// Whether only evidence read from a CI system counts.
    #[serde(default)]
    pub observed: bool,
}

/// A role and how many distinct people must sign as it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuorumRule {
    /// The role.
    pub role: Slug,
    /// How many.
    #[serde(default = "one")]
    pub count: u64,
}

/// One wave of the rollout.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaveRule {
    /// The segment of the target it reaches.
    pub segment: Slug,
    /// How long it must stay well, in seconds.
    #[serde(default)]
    pub bake_seconds: u64,
}

fn by_release_manager() -> DispatchRule {
    DispatchRule::ByReleaseManager
}
fn offer() -> RollbackRule {
    RollbackRule::Offer
}
fn prompt_only() -> BTreeSet<Reauth> {
    [Reauth::Prompt].into()
}
fn all_distinct() -> BTreeSet<Distinct> {
    Distinct::ALL.iter().copied().collect()
}
fn one_day_minutes() -> u64 {
    24 * 60
}
fn confirmed() -> AttachedRule {
    AttachedRule::Confirmed
}
fn no_rerun() -> Rerun {
    Rerun { rule: RerunRule::Forbid, up_to: 0 }
}
fn one() -> u64 {
    1
}

/// Why a text is not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The text is longer than an entry can hold.
    #[error("the policy text is {0} bytes long; at most {POLICY_BYTES_MAX} fit into an entry")]
    TooLong(usize),
    /// The text is not TOML of this shape.
    #[error("{0}")]
    Syntax(String),
    /// The text contradicts itself, or could never be met.
    #[error("{0}")]
    Unsatisfiable(String),
}

/// Bounds that keep every sum and product within range; far beyond what anybody means.
const SECONDS_MAX: u64 = 366 * 86_400;

impl Policy {
    /// Reads a policy text and checks that it can be met at all.
    ///
    /// # Errors
    /// See [`PolicyError`]; the message names the line or the rule.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.len() > POLICY_BYTES_MAX {
            return Err(PolicyError::TooLong(text.len()));
        }
        let policy: Self =
            toml::from_str(text).map_err(|error| PolicyError::Syntax(error.to_string().trim().to_owned()))?;
        policy.check()?;
        Ok(policy)
    }

    fn check(&self) -> Result<(), PolicyError> {
        let refuse = |message: String| Err(PolicyError::Unsatisfiable(message));
        if self.schema != 1 {
            return refuse(format!("schema {} is not known; this version reads schema 1", self.schema));
        }
        if self.quorum.is_empty() {
            return refuse("nobody is asked to sign: give at least one [[quorum]]".into());
        }
        let mut roles = BTreeSet::new();
        for rule in &self.quorum {
            if rule.count == 0 || rule.count > 100 {
                return refuse(format!("quorum role {}: count must lie between 1 and 100", rule.role));
            }
            if rule.role.as_str() == role::PRACTITIONER || rule.role.as_str() == role::AUDITOR {
                return refuse(format!("quorum role {}: this role does not approve", rule.role));
            }
            if !roles.insert(&rule.role) {
                return refuse(format!("quorum role {} is named twice; give one rule with the sum", rule.role));
            }
        }
        if let Some(unknown) = self.veto.iter().flatten().find(|role| !roles.contains(role)) {
            return refuse(format!("veto role {unknown} is not asked to sign"));
        }
        if self.waves.is_empty() {
            return refuse("nothing is rolled out: give at least one [[wave]]".into());
        }
        let mut segments = BTreeSet::new();
        for wave in &self.waves {
            if !segments.insert(&wave.segment) {
                return refuse(format!("segment {} is in two waves", wave.segment));
            }
            if wave.bake_seconds > SECONDS_MAX {
                return refuse(format!("wave {}: bake_seconds is more than a year", wave.segment));
            }
        }
        if self.reauth.is_empty() {
            return refuse("reauth is empty: nobody could sign".into());
        }
        if self.sheet_valid_minutes == 0
            || self.sheet_valid_minutes > SECONDS_MAX / 60
            || self.soak_seconds > SECONDS_MAX
        {
            return refuse("sheet_valid_minutes must be at least 1, and no time more than a year".into());
        }
        match (self.rerun.rule, self.rerun.up_to) {
            (RerunRule::UpTo, 0) => return refuse("rerun up-to needs up_to of at least 1".into()),
            (RerunRule::Forbid | RerunRule::Waiver, 1..) => {
                return refuse("rerun up_to goes with rule = \"up-to\"".into());
            }
            _ => {}
        }
        if self.mode == Mode::Deployment && self.evidence.is_empty() {
            return refuse(
                "continuous-deployment asks for at least one [[evidence]]: an authorization signs on evidence alone"
                    .into(),
            );
        }
        changes::check(self)?;
        let mut gates = BTreeSet::new();
        for rule in &self.evidence {
            if !gates.insert(&rule.gate) {
                return refuse(format!("gate {} is named twice", rule.gate));
            }
            if RESERVED_GATES.contains(&rule.gate.as_str()) {
                return refuse(format!("gate {} is a built-in gate; choose another name", rule.gate));
            }
            let known = count_names(rule.kind);
            if let Some(unknown) = rule.min.keys().chain(rule.max.keys()).find(|name| !known.contains(&name.as_str())) {
                return refuse(format!(
                    "gate {}: `{unknown}` is not counted for {}; use one of {}",
                    rule.gate,
                    rule.kind,
                    known.join(", ")
                ));
            }
            for (name, min) in &rule.min {
                if rule.max.get(name).is_some_and(|max| max < min) {
                    return refuse(format!(
                        "gate {}: no number of {name} is at least {min} and at most {}",
                        rule.gate, rule.max[name]
                    ));
                }
            }
        }
        refine::check(self)
    }

    /// Returns whether it asks people to sign as this role.
    pub fn asks(&self, role: &Slug) -> bool {
        self.quorum.iter().any(|rule| rule.role == *role)
    }

    /// Returns whether a NO-GO signed as this role ends the release.
    pub fn has_veto(&self, role: &Slug) -> bool {
        match &self.veto {
            Some(veto) => veto.contains(role),
            None => self.asks(role),
        }
    }
}

/// The gates every release passes whatever its policy says: staging and soak.
pub const STAGING_GATE: &str = "staging";
/// The gate of the required fields.
pub const FIELDS_GATE: &str = "fields";
const RESERVED_GATES: [&str; 2] = [STAGING_GATE, FIELDS_GATE];

/// Returns the names of the counts a kind of evidence has.
pub fn count_names(kind: EvidenceKind) -> &'static [&'static str] {
    match kind {
        EvidenceKind::Junit => &["total", "passed", "failed", "errors", "skipped", "flaky"],
        EvidenceKind::Sarif => &["error", "warning", "note", "none", "suppressed"],
        EvidenceKind::Cyclonedx => &["components", "vulnerabilities"],
        EvidenceKind::Manual => &["bytes"],
    }
}

impl EvidenceRule {
    /// Returns what the rule says of one piece of evidence, with the reason when it is not a pass.
    ///
    /// A threshold for a count replaces what the reader concluded from that count, so that a policy may ask for more
    /// (`max.warning = 0`) or knowingly for less (`max.error = 3`); an inconclusive or empty reading stays what it is.
    pub fn judge(&self, conclusion: Conclusion, counts: &Counts) -> (Conclusion, Option<String>) {
        match conclusion {
            Conclusion::Missing => return (Conclusion::Missing, Some("it is empty".into())),
            Conclusion::Inconclusive => {
                return (Conclusion::Inconclusive, Some("it does not say".into()));
            }
            Conclusion::Pass | Conclusion::Fail => {}
        }
        let named: BTreeMap<String, u64> = counts_by_name(counts);
        let mut covered = false;
        for (name, max) in &self.max {
            let Some(count) = named.get(name) else {
                return (Conclusion::Inconclusive, Some(format!("{name} is not counted")));
            };
            if count > max {
                return (Conclusion::Fail, Some(format!("{count} {name}, at most {max} allowed")));
            }
            covered |= matches!(name.as_str(), "failed" | "errors" | "error");
        }
        for (name, min) in &self.min {
            let Some(count) = named.get(name) else {
                return (Conclusion::Inconclusive, Some(format!("{name} is not counted")));
            };
            if count < min {
                return (Conclusion::Fail, Some(format!("{count} {name}, at least {min} asked")));
            }
        }
        if conclusion == Conclusion::Fail && !(covered && self.covers_all_failures()) {
            return (Conclusion::Fail, Some(failures(&named)));
        }
        (Conclusion::Pass, None)
    }

    /// Returns whether every count a reader fails on has a threshold of its own.
    fn covers_all_failures(&self) -> bool {
        let failing: &[&str] = match self.kind {
            EvidenceKind::Junit => &["failed", "errors"],
            EvidenceKind::Sarif => &["error"],
            EvidenceKind::Cyclonedx | EvidenceKind::Manual => return false,
        };
        failing.iter().all(|name| self.max.contains_key(*name))
    }
}

fn failures(named: &BTreeMap<String, u64>) -> String {
    let bad: Vec<String> = ["failed", "errors", "error", "vulnerabilities"]
        .iter()
        .filter_map(|name| named.get(*name).filter(|count| **count > 0).map(|count| format!("{count} {name}")))
        .collect();
    if bad.is_empty() { "it says fail".into() } else { bad.join(", ") }
}

/// Returns the counts by their names in payloads.
pub fn counts_by_name(counts: &Counts) -> BTreeMap<String, u64> {
    match serde_json::to_value(counts) {
        Ok(serde_json::Value::Object(map)) => {
            map.into_iter().filter_map(|(name, value)| Some((name, value.as_u64()?))).collect()
        }
        _ => BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "schema = 1\nproduct = \"pump\"\nmode = \"continuous-delivery\"\n\n[[quorum]]\nrole = \"qa\"\n\n[[wave]]\nsegment = \"everyone\"\n";

    #[test]
    fn what_is_not_said_is_strict() {
        let policy = Policy::parse(SMALL).unwrap();
        assert_eq!(policy.reauth, [Reauth::Prompt].into());
        assert_eq!(policy.distinct.len(), Distinct::ALL.len());
        assert_eq!(policy.rerun.rule, RerunRule::Forbid);
        assert_eq!(policy.attached_evidence, AttachedRule::Confirmed);
        assert_eq!(policy.dispatch, DispatchRule::ByReleaseManager);
    }

    #[test]
    fn a_policy_that_cannot_be_met_is_refused_with_the_reason() {
        let table = [
            ("schema = 1", "schema = 2", "schema 2"),
            ("role = \"qa\"", "role = \"qa\"\ncount = 0", "count must lie"),
            ("role = \"qa\"", "role = \"practitioner\"", "does not approve"),
            ("[[quorum]]", "[[quorum]]\nrole = \"qa\"\n[[quorum]]", "named twice"),
            ("mode =", "veto = [\"security\"]\nmode =", "veto role security"),
            ("mode =", "reauth = []\nmode =", "nobody could sign"),
            ("mode =", "rerun = { rule = \"up-to\" }\nmode =", "up_to of at least 1"),
            ("mode =", "typo = 1\nmode =", "unknown field `typo`"),
            ("mode = \"continuous-delivery\"", "mode = \"yolo\"", "unknown variant `yolo`"),
            ("mode = \"continuous-delivery\"", "mode = \"continuous-deployment\"", "at least one [[evidence]]"),
            (
                "[[wave]]",
                "[[evidence]]\ngate=\"u\"\nkind=\"junit\"\nmin={passed=5}\nmax={passed=4}\n[[wave]]",
                "no number of passed",
            ),
            (
                "[[wave]]",
                "[[evidence]]\ngate=\"u\"\nkind=\"sarif\"\nmax={failed=4}\n[[wave]]",
                "`failed` is not counted for sarif",
            ),
            ("[[wave]]", "[[evidence]]\ngate=\"staging\"\nkind=\"sarif\"\n[[wave]]", "built-in"),
        ];
        for (from, to, message) in table {
            let text = SMALL.replacen(from, to, 1);
            let error = Policy::parse(&text).unwrap_err().to_string();
            assert!(error.contains(message), "{to}: {error}");
        }
    }

    #[test]
    fn thresholds_replace_what_they_count_and_nothing_else() {
        let rule = |min: &[(&str, u64)], max: &[(&str, u64)]| EvidenceRule {
            gate: "unit".parse().unwrap(),
            kind: EvidenceKind::Junit,
            name: None,
            min: min.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect(),
            max: max.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect(),
            observed: false,
        };
        let counts = |failed, errors| Counts::Tests {
            total: 10,
            passed: 10 - failed - errors,
            failed,
            errors,
            skipped: 0,
            flaky: 0,
        };
        let table = [
            (rule(&[], &[]), Conclusion::Pass, counts(0, 0), Conclusion::Pass),
            (rule(&[], &[]), Conclusion::Fail, counts(1, 0), Conclusion::Fail),
            (rule(&[], &[("failed", 1)]), Conclusion::Fail, counts(1, 0), Conclusion::Fail),
            (rule(&[], &[("failed", 1), ("errors", 0)]), Conclusion::Fail, counts(1, 0), Conclusion::Pass),
            (rule(&[], &[("failed", 1), ("errors", 0)]), Conclusion::Fail, counts(1, 1), Conclusion::Fail),
            (rule(&[("passed", 11)], &[]), Conclusion::Pass, counts(0, 0), Conclusion::Fail),
            (rule(&[], &[]), Conclusion::Inconclusive, counts(0, 0), Conclusion::Inconclusive),
            (rule(&[], &[]), Conclusion::Missing, counts(0, 0), Conclusion::Missing),
        ];
        for (rule, conclusion, counts, expected) in table {
            assert_eq!(rule.judge(conclusion, &counts).0, expected, "{rule:?} {counts:?}");
        }
    }
}

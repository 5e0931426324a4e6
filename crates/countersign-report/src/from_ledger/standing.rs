//! What belongs to no single release: policies, standing authorizations, corrections, what is expected, what stands against.

use super::{Source, by_entry, moment};
use crate::model::{
    Adoption, Adverse, AdverseKind, Authorization, AuthorizationState, Changed, ChecklistItem, Correction, Live,
    Parameter, Policy,
};
use countersign_core::act::{self, Act, ReviewScope};
use countersign_core::hash::Digest;
use countersign_core::judge;
use countersign_core::state::{AuthorizationRecord, SignOff};
use countersign_core::words::ReleaseId;

/// Every version of every policy.
pub(super) fn policies(source: &Source<'_>) -> Vec<Policy> {
    let records = source.state.policies.iter().flat_map(|(product, list)| list.iter().map(move |it| (product, it)));
    records
        .map(|(product, it)| Policy {
            product: product.to_string(),
            version: it.version,
            digest: Digest::of(it.toml.as_bytes()).to_string(),
            toml: it.toml.clone(),
            adopted: source.stamp(it.entry.index),
            answers: it.answers.iter().map(|answer| adoption(source, answer)).collect(),
            in_force_since: it.in_force.map(|entry| entry.index),
            superseded_by: source.leaf(it.entry.index).and_then(|leaf| leaf.superseded_by),
        })
        .collect()
}

/// Every standing authorization.
pub(super) fn authorizations(source: &Source<'_>) -> Vec<Authorization> {
    source.state.authorizations.values().map(|it| authorization(source, it)).collect()
}

fn authorization(source: &Source<'_>, it: &AuthorizationRecord) -> Authorization {
    let (worth, cause) = judge::authorization_worth(source.state, it, source.now);
    let cause = cause.unwrap_or_default();
    Authorization {
        entry: it.entry.index,
        product: it.product.to_string(),
        proposed: source.stamp(it.entry.index),
        adopted_by: adoptions(source, it),
        bounds: bounds(it),
        valid_until: Some(moment(it.valid.until, source.zone_of(it.entry.index))),
        state: match (it.suspended, worth) {
            (Some(entry), _) => {
                AuthorizationState::Suspended { entry: entry.index, reason: source.reason(entry.index) }
            }
            (None, judge::SignOffState::Valid) => AuthorizationState::InForce,
            (None, judge::SignOffState::Expired) => AuthorizationState::Expired,
            (None, worth) => AuthorizationState::Void { cause: format!("{worth}: {cause}") },
        },
        uses: it.uses.len() as u64,
    }
}

/// Who signed for an authorization, in entry order.
pub(super) fn adoptions(source: &Source<'_>, it: &AuthorizationRecord) -> Vec<Adoption> {
    it.answers
        .iter()
        .filter(|answer| answer.verdict == act::Verdict::Go)
        .map(|answer| adoption(source, answer))
        .collect()
}

fn adoption(source: &Source<'_>, it: &SignOff) -> Adoption {
    Adoption {
        signed: source.stamp(it.entry.index),
        role: it.role.to_string(),
        verdict: it.verdict,
        meaning: it.meaning,
    }
}

/// What runs where.
pub(super) fn live(source: &Source<'_>) -> Vec<Live> {
    source
        .state
        .live
        .iter()
        .map(|((product, environment), it)| Live {
            product: product.to_string(),
            environment: environment.to_string(),
            release: it.release.to_string(),
            version: it.version.to_string(),
            sha256: it.artifacts.first().map(|it| it.sha256.to_string()).unwrap_or_default(),
        })
        .collect()
}

/// The bounds of an authorization.
pub(super) fn bounds(it: &AuthorizationRecord) -> Vec<Parameter> {
    let types: Vec<&str> = it.change_types.iter().map(|it| it.as_str()).collect();
    [
        ("product", it.product.to_string()),
        ("environment", it.environment.to_string()),
        ("change types", types.join(", ")),
        ("commits of a release, at most", it.max_commits.to_string()),
        ("releases on one UTC day, at most", it.per_day.to_string()),
        ("signs from", it.valid.from.to_string()),
        ("signs until", it.valid.until.to_string()),
        ("policy of", it.policy.to_string()),
    ]
    .map(|(name, value)| Parameter { name: name.to_owned(), value })
    .to_vec()
}

/// Every value that was corrected.
pub(super) fn corrections(source: &Source<'_>) -> Vec<Correction> {
    source
        .state
        .corrections
        .iter()
        .map(|(entry, it)| Correction {
            made: source.stamp(entry.index),
            corrects: it.entry.index,
            changed: Changed {
                field: it.field.to_string(),
                before: Some(it.old.to_string()),
                after: Some(it.new.to_string()),
            },
            reason: source.reason(entry.index),
        })
        .collect()
}

/// What is expected beside the records.
pub(super) fn checklist(source: &Source<'_>) -> Vec<ChecklistItem> {
    let item = |clause: &str, what: &str, present: Option<String>| ChecklistItem {
        clause: clause.to_owned(),
        what: what.to_owned(),
        present,
    };
    let review = |scope: ReviewScope| {
        source.state.last_review(scope).map(|last| {
            let (entry, it) = (last.entry, &last.body);
            let by = source.by(entry.index).name;
            format!("{entry} by {by}, over entries {} to {}", it.from, it.until.saturating_sub(1))
        })
    };
    vec![
        item("21 CFR 11.10(i)", "qualification of everybody who signs", None),
        item("21 CFR 11.100(c)", "letter that certifies electronic signatures as equivalent", None),
        item("21 CFR 11.10(e), Annex 11 §9", "review of the audit trail", review(ReviewScope::Trail)),
        item("Annex 11 §12, ISO/IEC 27001 A.5.18", "review of who may do what", review(ReviewScope::Access)),
        item("SOC 2 CC8.1", "review of emergency changes", review(ReviewScope::Emergency)),
        item("Annex 11 §11", "periodic evaluation of the system", review(ReviewScope::Periodic)),
    ]
}

/// What went wrong or was refused: of one release, or of none.
pub(super) fn adverse(source: &Source<'_>, release: Option<&ReleaseId>) -> Vec<Adverse> {
    let known = |id: &ReleaseId| source.state.releases.contains_key(id);
    let mut list = Vec::new();
    for leaf in &source.history.leaves {
        let about = leaf.release.as_ref().filter(|id| known(id));
        if about != release {
            continue;
        }
        let mut add = |kind, what: String| list.push(against(source, kind, leaf.index, what));
        if let Some(finding) = &leaf.finding {
            let kind = if leaf.clock_suspect() { AdverseKind::ClockSuspect } else { AdverseKind::NotAdmitted };
            add(kind, format!("{} ({})", finding.message, finding.code));
            continue;
        }
        match leaf.statement.as_ref().map(|it| &it.act) {
            Some(Act::Refusal(_)) => add(AdverseKind::Refused, super::sentence::sentence(source, leaf)),
            Some(Act::Attempt(_)) => add(AdverseKind::FailedAttempt, super::sentence::sentence(source, leaf)),
            _ => {}
        }
    }
    by_entry(list)
}

/// One thing that stands against, by whoever signed its entry.
pub(super) fn against(source: &Source<'_>, kind: AdverseKind, entry: u64, what: String) -> Adverse {
    Adverse { kind, entry: Some(entry), at: Some(source.at(entry)), by: Some(source.by(entry)), what }
}

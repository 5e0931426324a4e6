//! What a policy means, and what could keep it from being met: as data, said in English here and in any language by a window.

use std::fmt;

use countersign_core::act;
use countersign_core::evidence;
use countersign_core::policy::{self, EvidenceRule, Policy};
use countersign_core::state::State;
use countersign_core::words::{Slug, Timestamp};
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::products::duration;
use crate::wire::{
    AttachedRule, ChangeType, DispatchRule, EvidenceKind, Mode, Part, QuorumAsked, Reauth, RequiredField, RerunRule,
    RollbackRule, WavePlan,
};

/// One thing a policy asks, grants or forbids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Clause {
    /// Who signs the last gate.
    LastGate { mode: Mode },
    /// How many sign in which role.
    Quorum { roles: Vec<QuorumAsked> },
    /// Whose NO-GO alone ends a release; nobody's where the list is empty.
    Veto { roles: Vec<String> },
    /// Who has this part in a release is kept from approving, or from what follows.
    Apart { part: Part },
    /// Nobody is kept from anything.
    NobodyApart,
    /// How an approver's presence may be proved.
    Presence { ways: Vec<Reauth> },
    /// What evidence counts for that a person attached.
    Attached { rule: AttachedRule },
    /// What a re-run is worth.
    Rerun { rule: RerunRule, up_to: u32 },
    /// What a candidate must say.
    Required { fields: Vec<RequiredField> },
    /// A gate.
    Gate { gate: String, evidence: EvidenceKind, name: Option<String>, bounds: Vec<Bound>, observed: bool },
    /// No gate at all.
    NoEvidence,
    /// How long it must have run in the environment before the last.
    Soak { seconds: u32 },
    /// How long a decision sheet stands.
    SheetValid { seconds: u32 },
    /// Who starts the rollout.
    Dispatch { rule: DispatchRule },
    /// A wave.
    Wave { place: u32, wave: WavePlan },
    /// Who takes a failed wave back.
    Rollback { rule: RollbackRule },
    /// How many NO-GO without a veto end a release.
    NoGoCount { count: u32 },
    /// The question of a HOLD must be answered before its signer may say GO.
    HoldAnswered,
    /// Who signs an emergency change, which gates it still passes (all where none is named), when its review is due.
    Emergency { roles: Vec<QuorumAsked>, gates: Vec<String>, all_gates: bool, working_days: u32 },
    /// A time in which dispatch is allowed, and how it comes again.
    Window { begins: String, seconds: u32, rule: Option<String>, zone: Option<String> },
    /// What freezes, and windows, do not stop.
    Exempt { rollback: bool, emergency: bool },
    /// The roles that sign one after the other.
    Order { roles: Vec<String> },
    /// What follows, up to the next of these, is asked for changes of these types alone (of any where the list is empty),
    /// before that environment alone where one is named.
    Refined { changes: Vec<ChangeType>, environment: Option<String> },
    /// The gates that are still asked for.
    GatesAsked { gates: Vec<String> },
}

/// A bound on what a report counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Bound {
    pub what: String,
    pub count: u32,
    /// At least so many; at most otherwise.
    pub least: bool,
}

/// Returns what a policy means.
#[must_use]
pub fn of(policy: &Policy) -> Vec<Clause> {
    let mut list = vec![
        Clause::LastGate { mode: policy.mode.into() },
        Clause::Quorum {
            roles: policy
                .quorum
                .iter()
                .map(|rule| QuorumAsked { role: rule.role.to_string(), count: count(rule.count) })
                .collect(),
        },
        Clause::Veto {
            roles: policy
                .quorum
                .iter()
                .map(|rule| &rule.role)
                .filter(|role| policy.has_veto(role))
                .map(Slug::to_string)
                .collect(),
        },
    ];
    list.extend(order(&policy.order));
    list.extend(policy.distinct.iter().map(|part| Clause::Apart { part: (*part).into() }));
    if policy.distinct.is_empty() {
        list.push(Clause::NobodyApart);
    }
    list.extend([
        Clause::Presence { ways: policy.reauth.iter().map(|way| (*way).into()).collect() },
        Clause::Attached { rule: policy.attached_evidence.into() },
        Clause::Rerun { rule: policy.rerun.rule.into(), up_to: count(policy.rerun.up_to) },
    ]);
    if !policy.required.is_empty() {
        list.push(Clause::Required { fields: policy.required.iter().map(|field| (*field).into()).collect() });
    }
    list.extend(policy.evidence.iter().map(gate));
    if policy.evidence.is_empty() {
        list.push(Clause::NoEvidence);
    }
    if policy.soak_seconds > 0 {
        list.push(Clause::Soak { seconds: count(policy.soak_seconds) });
    }
    list.push(Clause::SheetValid { seconds: count(policy.sheet_valid_minutes.saturating_mul(60)) });
    list.push(Clause::Dispatch { rule: policy.dispatch.into() });
    list.extend(policy.waves.iter().zip(1..).map(|(wave, place)| Clause::Wave {
        place,
        wave: WavePlan { segment: wave.segment.to_string(), bake_seconds: count(wave.bake_seconds) },
    }));
    list.push(Clause::Rollback { rule: policy.rollback.into() });
    list.extend(policy.no_go_count.map(|number| Clause::NoGoCount { count: count(number) }));
    if policy.hold_answered {
        list.push(Clause::HoldAnswered);
    }
    list.extend(policy.emergency.as_ref().map(|emergency| Clause::Emergency {
        roles: asked(&emergency.quorum),
        gates: emergency.gates.iter().flatten().map(ToString::to_string).collect(),
        all_gates: emergency.gates.is_none(),
        working_days: count(emergency.review_working_days),
    }));
    list.extend(policy.windows.iter().map(window));
    if policy.calendar.is_some() {
        let exempts = |what| policy.exempts(what);
        list.push(Clause::Exempt {
            rollback: exempts(policy::Exempt::Rollback),
            emergency: exempts(policy::Exempt::Emergency),
        });
    }
    list.extend(policy.refinements.iter().flat_map(refined));
    list
}

/// Returns what a refinement says, with its heading.
fn refined(refinement: &policy::Refinement) -> Vec<Clause> {
    let changes = refinement.change.iter().flatten().map(|change| (*change).into()).collect();
    let environment = refinement.environment.as_ref().map(Slug::to_string);
    let mut list = vec![Clause::Refined { changes, environment }];
    list.extend(refinement.quorum.as_ref().map(|quorum| Clause::Quorum { roles: asked(quorum) }));
    list.extend(refinement.order.as_ref().and_then(|roles| order(roles)));
    list.extend(
        refinement.veto.as_ref().map(|roles| Clause::Veto { roles: roles.iter().map(Slug::to_string).collect() }),
    );
    list.extend(refinement.no_go_count.map(|number| Clause::NoGoCount { count: count(number) }));
    if !refinement.required.is_empty() {
        let fields = refinement.required.iter().map(|field| (*field).into()).collect();
        list.push(Clause::Required { fields });
    }
    list.extend(
        refinement
            .gates
            .as_ref()
            .map(|gates| Clause::GatesAsked { gates: gates.iter().map(ToString::to_string).collect() }),
    );
    list.extend(refinement.evidence.iter().map(gate));
    list.extend(refinement.attached_evidence.map(|rule| Clause::Attached { rule: rule.into() }));
    list.extend(refinement.soak_seconds.map(|seconds| Clause::Soak { seconds: count(seconds) }));
    let minutes = refinement.sheet_valid_minutes;
    list.extend(minutes.map(|minutes| Clause::SheetValid { seconds: count(minutes.saturating_mul(60)) }));
    list.extend(refinement.windows.iter().flatten().map(window));
    list
}

fn order(roles: &[Slug]) -> Option<Clause> {
    (!roles.is_empty()).then(|| Clause::Order { roles: roles.iter().map(Slug::to_string).collect() })
}

fn window(window: &policy::WindowRule) -> Clause {
    Clause::Window {
        begins: window.begins.to_string(),
        seconds: count(window.minutes.saturating_mul(60)),
        rule: window.rule.as_ref().map(ToString::to_string),
        zone: window.zone.as_ref().map(ToString::to_string),
    }
}

fn asked(quorum: &[policy::QuorumRule]) -> Vec<QuorumAsked> {
    quorum.iter().map(|rule| QuorumAsked { role: rule.role.to_string(), count: count(rule.count) }).collect()
}

fn gate(rule: &EvidenceRule) -> Clause {
    let bounds = |bounds: &std::collections::BTreeMap<String, u64>, least| {
        let bound = move |(what, most): (&String, &u64)| Bound { what: what.clone(), count: count(*most), least };
        bounds.iter().map(bound).collect::<Vec<_>>()
    };
    Clause::Gate {
        gate: rule.gate.to_string(),
        evidence: rule.kind.into(),
        name: rule.name.as_ref().map(ToString::to_string),
        bounds: [bounds(&rule.min, true), bounds(&rule.max, false)].concat(),
        observed: rule.observed,
    }
}

fn count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LastGate { mode: Mode::Delivery } => f.write_str("people sign the last gate (continuous-delivery)"),
            Self::LastGate { mode: Mode::Deployment } => f.write_str(
                "a standing authorization signs the last gate within its bounds, people outside of them \
                 (continuous-deployment)",
            ),
            Self::Quorum { roles } => {
                let asked: Vec<String> =
                    roles.iter().map(|asked| format!("{} × {}", asked.count, asked.role)).collect();
                write!(f, "signatures asked for: {}", asked.join(", "))
            }
            Self::Veto { roles } if roles.is_empty() => f.write_str("nobody's NO-GO alone ends a release"),
            Self::Veto { roles } => write!(f, "a NO-GO as {} ends a release", roles.join(" or ")),
            Self::Apart { part } => f.write_str(match part {
                Part::Requester => "who proposed the release or froze its sheet may not approve",
                Part::CommitAuthor => "who wrote one of its commits may not approve",
                Part::EvidenceAttacher => "who attached evidence may not approve",
                Part::Dispatcher => "who approved may not dispatch",
            }),
            Self::NobodyApart => f.write_str("one person may take every part: nobody is kept from approving"),
            Self::Presence { ways } => {
                let said: Vec<&str> = ways
                    .iter()
                    .map(|way| match way {
                        Reauth::Prompt => "typed at each signing",
                        Reauth::File => "read from a file",
                        Reauth::Agent => "held by an agent",
                    })
                    .collect();
                write!(f, "an approver's passphrase is {}", said.join(", or "))
            }
            Self::Attached { rule } => f.write_str(match rule {
                AttachedRule::Refused => "evidence a person attached never counts",
                AttachedRule::Confirmed => "evidence a person attached counts once a second person has confirmed it",
                AttachedRule::Accepted => "evidence a person attached counts at once",
            }),
            Self::Rerun { rule: RerunRule::Forbid, .. } => f.write_str("a red result stays red whatever a re-run says"),
            Self::Rerun { rule: RerunRule::Waiver, .. } => {
                f.write_str("a red result is passed with a signed waiver only")
            }
            Self::Rerun { rule: RerunRule::UpTo, up_to } => {
                write!(f, "a green re-run of the same commit clears a red one, up to {up_to} times")
            }
            Self::Required { fields } => {
                let said: Vec<&str> = fields.iter().map(|field| policy::RequiredField::from(*field).as_str()).collect();
                write!(f, "a candidate must give: {}", said.join(", "))
            }
            Self::Gate { gate, evidence, name, bounds, observed } => {
                let what = match evidence {
                    EvidenceKind::Junit => "test results",
                    EvidenceKind::Sarif => "findings of static analysis",
                    EvidenceKind::Cyclonedx => "a bill of materials",
                    EvidenceKind::Manual => "a file",
                };
                let kind = evidence::EvidenceKind::from(*evidence);
                write!(f, "gate \"{gate}\": {what} ({kind})")?;
                if let Some(name) = name {
                    write!(f, " named {name}")?;
                }
                for bound in bounds {
                    write!(f, ", at {} {} {}", if bound.least { "least" } else { "most" }, bound.count, bound.what)?;
                }
                if *observed { f.write_str(", read from the CI system by Countersign itself") } else { Ok(()) }
            }
            Self::NoGoCount { count } => {
                write!(f, "{count} NO-GO of people who are asked end a release without a veto")
            }
            Self::HoldAnswered => f.write_str("the question of a HOLD is answered before its signer may say GO"),
            Self::Emergency { roles, gates, all_gates, working_days } => {
                let asked: Vec<String> =
                    roles.iter().map(|asked| format!("{} × {}", asked.count, asked.role)).collect();
                write!(f, "an emergency change is signed by {}; ", asked.join(", "))?;
                match (all_gates, gates.is_empty()) {
                    (true, _) => f.write_str("it passes every gate; ")?,
                    (false, true) => f.write_str("it passes no gate, but a red one halts it; ")?,
                    (false, false) => write!(f, "it passes {}, and a red gate halts it; ", gates.join(", "))?,
                }
                write!(f, "it is reviewed within {working_days} working days, or nothing but an emergency goes out")
            }
            Self::Window { begins, seconds, rule, zone } => {
                write!(f, "dispatch is allowed from {begins} for {}", duration(u64::from(*seconds)))?;
                match (rule, zone) {
                    (Some(rule), Some(zone)) => write!(f, ", and again by {rule} in {zone}"),
                    _ => Ok(()),
                }
            }
            Self::Exempt { rollback, emergency } => f.write_str(match (rollback, emergency) {
                (true, true) => "a freeze stops neither a rollback nor an emergency change",
                (true, false) => "a freeze stops everything but a rollback",
                (false, true) => "a freeze stops everything but an emergency change, rollbacks too",
                (false, false) => "a freeze stops everything, rollbacks and emergencies too",
            }),
            Self::Order { roles } => write!(f, "in this order they sign: {}", roles.join(", then ")),
            Self::Refined { changes, environment } => {
                let words = || changes.iter().map(|change| act::ChangeType::from(*change).as_str());
                let what =
                    if changes.is_empty() { "every".to_owned() } else { words().collect::<Vec<_>>().join(" and ") };
                match environment {
                    Some(environment) => write!(f, "before {environment}, for {what} change:"),
                    None => write!(f, "for {what} change:"),
                }
            }
            Self::GatesAsked { gates } if gates.is_empty() => {
                f.write_str("no gate is asked for, but a red one halts it")
            }
            Self::GatesAsked { gates } => {
                write!(f, "of the gates it passes {}, and a red one halts it", gates.join(", "))
            }
            Self::NoEvidence => f.write_str("no evidence is asked for"),
            Self::Soak { seconds } => {
                write!(f, "it must have run {} in the environment before the last", duration(u64::from(*seconds)))
            }
            Self::SheetValid { seconds } => {
                write!(f, "a decision sheet can be acted on for {}", duration(u64::from(*seconds)))
            }
            Self::Dispatch { rule: DispatchRule::ByReleaseManager } => {
                f.write_str("a release manager starts the rollout")
            }
            Self::Dispatch { rule: DispatchRule::OnQuorum } => {
                f.write_str("the worker starts the rollout as soon as the quorum is complete")
            }
            Self::Wave { place, wave } => {
                let bake = duration(u64::from(wave.bake_seconds));
                write!(f, "wave {place}: {}, which must stay well for {bake}", wave.segment)
            }
            Self::Rollback { rule: RollbackRule::Offer } => {
                f.write_str("when a wave fails, a person is asked to roll back")
            }
            Self::Rollback { rule: RollbackRule::Auto } => f.write_str("when a wave fails, the worker rolls back"),
        }
    }
}

/// What could keep a policy from being met as things stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Obstacle {
    /// Fewer people hold the role than must sign in it.
    Signers { role: String, needed: u32, holders: u32 },
    /// The product is not known.
    NoProduct { product: String },
    /// The last environment has no target.
    NoTarget { product: String, environment: String },
    /// The target has no such segment.
    NoSegment { environment: String, segment: String },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signers { role, needed, holders } => write!(f, "{needed} must sign as {role}, and {holders} can"),
            Self::NoProduct { product } => write!(f, "there is no product {product} yet"),
            Self::NoTarget { product, environment } => write!(f, "{product} has no target {environment} yet"),
            Self::NoSegment { environment, segment } => write!(f, "the target {environment} has no segment {segment}"),
        }
    }
}

/// Returns what could keep a policy from being met as things stand.
pub(crate) fn obstacles(state: &State, policy: &Policy, at: Timestamp) -> Vec<Obstacle> {
    let mut list = Vec::new();
    for rule in &policy.quorum {
        let holders = state
            .people
            .values()
            .filter(|person| person.accepted.is_some() && person.current_key().is_some())
            .filter(|person| person.holds(rule.role.as_str(), Some(&policy.product), at))
            .count() as u64;
        if holders < rule.count {
            let (needed, holders) = (count(rule.count), count(holders));
            list.push(Obstacle::Signers { role: rule.role.to_string(), needed, holders });
        }
    }
    let product = policy.product.to_string();
    let Some(last) = state.last_environment(&policy.product) else {
        list.push(Obstacle::NoProduct { product });
        return list;
    };
    let environment = last.to_string();
    let Some((_, target)) = state.targets.get(&(policy.product.clone(), last.clone())) else {
        list.push(Obstacle::NoTarget { product, environment });
        return list;
    };
    let known = |segment| target.segments.iter().any(|known| known.name == segment);
    let missing = policy.waves.iter().filter(|wave| !known(wave.segment.clone()));
    list.extend(
        missing.map(|wave| Obstacle::NoSegment { environment: environment.clone(), segment: wave.segment.to_string() }),
    );
    list
}

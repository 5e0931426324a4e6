//! Products, policies, targets; freezes and the agenda; standing authorizations.

use countersign_core::act::ConnectorConfig;
use countersign_core::hash::Digest;
use countersign_core::judge;
use countersign_core::policy::Policy;
use countersign_core::state::{Freeze, PolicyRecord, SignOff, State};
use countersign_core::words::{Principal, Slug, Timestamp};

use super::host::{Host, Open};
use super::show::{count, length, people, person, span, word};
use crate::error::Error;
use crate::ledger::Ledger;
use crate::wire as w;
use crate::{clauses, clock, products};

/// Returns all products.
///
/// # Errors
/// No ledger is open, or the desk is locked.
pub fn products(host: &Host) -> Result<w::Products, w::AppError> {
    host.read(|open| {
        let state = open.ledger.state();
        let counts = products::release_counts(state);
        let rows = products::list(state).into_iter().map(|row| w::ProductRow {
            mode: state.policy(&row.product).map(|policy| policy.policy.mode.into()),
            policy_waits: state
                .policies
                .get(&row.product)
                .and_then(|all| all.last())
                .is_some_and(|newest| newest.in_force.is_none()),
            releases: length(counts.get(&row.product).copied().unwrap_or(0)),
            product: row.product.to_string(),
            title: row.title.to_string(),
            path: row.path.iter().map(ToString::to_string).collect(),
            policy_version: row.policy_version.map(count),
            without_target: row.without_target.iter().map(ToString::to_string).collect(),
            live: row.live.map(|live| live.to_string()),
        });
        Ok(w::Products { products: rows.collect() })
    })
}

/// Returns one product: path, targets, policy and its versions.
///
/// # Errors
/// There is none of that name.
pub fn product(host: &Host, request: w::ProductRef) -> Result<w::ProductView, w::AppError> {
    host.read(|open| {
        let at = clock::now();
        let name: Slug = word(&request.product, "product")?;
        let state = open.ledger.state();
        products::known(state, &name)?;
        let (entry, product) = &state.products[&name];
        let current = state.policy(&name);
        let versions = state.policies.get(&name).map(Vec::as_slice).unwrap_or_default();
        Ok(w::ProductView {
            product: name.to_string(),
            title: product.title.to_string(),
            entry: count(entry.index),
            path: product.path.iter().map(ToString::to_string).collect(),
            policy: current.map(|record| policy_view(state, record)),
            versions: versions.iter().rev().map(|record| version(open, &name, record, at)).collect(),
            targets: targets(&open.ledger, &name),
            mode: current.map(|record| record.policy.mode.into()),
            level: super::board::level(state, &name, at),
            authorizations: authorization_rows(open, at)
                .into_iter()
                .filter(|row| row.product == name.as_str())
                .collect(),
        })
    })
}

fn answer_rows(state: &State, answers: &[SignOff]) -> Vec<w::AnswerRow> {
    let row = |answer: &SignOff| w::AnswerRow {
        person: person(state, &answer.principal),
        role: answer.role.to_string(),
        verdict: answer.verdict.into(),
        entry: count(answer.entry.index),
    };
    answers.iter().map(row).collect()
}

/// Returns who still has to say GO before something of a product is in force.
fn waits_for(state: &State, product: &Slug, answers: &[SignOff], at: Timestamp) -> Vec<w::QuorumSeat> {
    let Some(policy) = state.policy(product) else { return Vec::new() };
    policy
        .policy
        .quorum
        .iter()
        .filter_map(|rule| {
            let signed = answers.iter().filter(|answer| answer.role == rule.role).count() as u64;
            let missing = rule.count.saturating_sub(signed);
            let able = state.people.values().filter(|known| {
                known.accepted.is_some()
                    && known.holds(rule.role.as_str(), Some(product), at)
                    && !answers.iter().any(|answer| answer.principal == known.card.principal)
            });
            (missing > 0).then(|| w::QuorumSeat {
                role: rule.role.to_string(),
                needed: count(missing),
                eligible: people(state, able.map(|known| &known.card.principal)),
                barred: Vec::new(),
            })
        })
        .collect()
}

fn is_me(seats: &[w::QuorumSeat], me: Option<&Principal>) -> bool {
    let Some(me) = me else { return false };
    seats.iter().any(|seat| seat.eligible.iter().any(|able| able.principal == me.as_str()))
}

fn version(open: &Open, product: &Slug, record: &PolicyRecord, at: Timestamp) -> w::PolicyVersion {
    let state = open.ledger.state();
    let current = state.policy(product).map(|current| current.entry);
    let newest = state.policies.get(product).and_then(|all| all.last()).map(|newest| newest.entry);
    let status = match record.in_force {
        Some(_) if Some(record.entry) == current => w::PolicyStatus::InForce,
        Some(_) => w::PolicyStatus::Replaced,
        None if Some(record.entry) == newest => w::PolicyStatus::Proposed,
        // Overtaken by a later proposal before it was ever in force.
        None => w::PolicyStatus::Replaced,
    };
    let waits = match status {
        w::PolicyStatus::Proposed => waits_for(state, product, &record.answers, at),
        _ => Vec::new(),
    };
    w::PolicyVersion {
        version: count(record.version),
        entry: count(record.entry.index),
        sha256: Digest::of(record.toml.as_bytes()).to_string(),
        by: person(state, &record.by),
        time: record.time.to_string(),
        status,
        answers: answer_rows(state, &record.answers),
        me: is_me(&waits, open.me.as_ref()),
        waits_for: waits,
    }
}

fn policy_view(state: &State, record: &PolicyRecord) -> w::PolicyView {
    let policy = &record.policy;
    let current = state.policy(&policy.product).filter(|current| current.entry != record.entry);
    w::PolicyView {
        product: policy.product.to_string(),
        version: count(record.version),
        entry: count(record.entry.index),
        toml: record.toml.clone(),
        sha256: Digest::of(record.toml.as_bytes()).to_string(),
        mode: policy.mode.into(),
        dispatch: policy.dispatch.into(),
        rollback: policy.rollback.into(),
        quorum: policy
            .quorum
            .iter()
            .map(|rule| w::QuorumAsked { role: rule.role.to_string(), count: count(rule.count) })
            .collect(),
        gates: policy
            .evidence
            .iter()
            .map(|rule| w::GateRule {
                gate: rule.gate.to_string(),
                kind: rule.kind.into(),
                name: rule.name.as_ref().map(ToString::to_string),
                observed: rule.observed,
            })
            .collect(),
        soak_seconds: count(policy.soak_seconds),
        sheet_valid_minutes: count(policy.sheet_valid_minutes),
        waves: policy
            .waves
            .iter()
            .map(|wave| w::WavePlan { segment: wave.segment.to_string(), bake_seconds: count(wave.bake_seconds) })
            .collect(),
        means: clauses::of(policy),
        diff_to_in_force: current.map(|current| diff(&current.toml, &record.toml)).unwrap_or_default(),
    }
}

fn diff(old: &str, new: &str) -> Vec<w::TextDiffLine> {
    let line = |line: products::DiffLine| w::TextDiffLine {
        kind: match line.sign {
            '-' => w::DiffKind::Gone,
            '+' => w::DiffKind::Come,
            _ => w::DiffKind::Same,
        },
        text: line.text,
    };
    products::diff(old, new).into_iter().map(line).collect()
}

/// Returns one version of a policy, the one in force when none is named.
///
/// # Errors
/// There is none.
pub fn policy(host: &Host, request: w::PolicyRequest) -> Result<w::PolicyView, w::AppError> {
    host.read(|open| {
        let name: Slug = word(&request.product, "product")?;
        let state = open.ledger.state();
        Ok(policy_view(state, products::policy(state, &name, request.version.map(u64::from))?))
    })
}

/// Reads a policy text as it is typed: where it is wrong, what it means, who must sign it.
///
/// # Errors
/// There is no such product.
pub fn check_policy(host: &Host, request: w::CheckPolicy) -> Result<w::PolicyCheck, w::AppError> {
    host.read(|open| {
        let at = clock::now();
        let name: Slug = word(&request.product, "product")?;
        let state = open.ledger.state();
        products::known(state, &name)?;
        let current = state.policy(&name);
        let mut check = w::PolicyCheck {
            lawful: false,
            problems: problems(&request.toml, &name),
            means: Vec::new(),
            warnings: Vec::new(),
            diff: current.map(|current| diff(&current.toml, &request.toml)).unwrap_or_default(),
            sha256: Digest::of(request.toml.as_bytes()).to_string(),
            must_sign: if current.is_some() { waits_for(state, &name, &[], at) } else { Vec::new() },
            template: current.is_none().then(|| template(state, &name)),
        };
        if check.problems.is_empty() {
            let found = products::check_policy(&request.toml, Some(state), at)?;
            check.lawful = true;
            check.means = found.means;
            check.warnings = found.warnings;
        }
        Ok(check)
    })
}

/// Returns what is wrong with a policy text, with the place where that is known.
fn problems(text: &str, product: &Slug) -> Vec<w::PolicyProblem> {
    let at = |offset: usize| {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        (Some(length(line)), Some(length(column)))
    };
    // The syntax first, because only it knows the place.
    if let Err(error) = text.parse::<toml::Table>() {
        let (line, column) = error.span().map_or((None, None), |span| at(span.start));
        return vec![w::PolicyProblem { line, column, message: error.message().to_owned() }];
    }
    if let Err(error) = toml::from_str::<Policy>(text) {
        let (line, column) = error.span().map_or((None, None), |span| at(span.start));
        return vec![w::PolicyProblem { line, column, message: error.message().to_owned() }];
    }
    match Policy::parse(text) {
        Err(error) => vec![w::PolicyProblem { line: None, column: None, message: error.to_string() }],
        Ok(policy) if policy.product != *product => {
            let (line, column) = text.find("product").map_or((None, None), at);
            let message = format!("it is the policy of {}, not of {product}", policy.product);
            vec![w::PolicyProblem { line, column, message }]
        }
        Ok(_) => Vec::new(),
    }
}

/// A first policy to begin with: two people, tests and a scan, staging, and the segments of the target where there is one.
fn template(state: &State, product: &Slug) -> String {
    let environment = state.last_environment(product);
    let target = environment.and_then(|environment| state.targets.get(&(product.clone(), environment.clone())));
    let segments: Vec<String> = target
        .map(|(_, target)| target.segments.iter().map(|segment| segment.name.to_string()).collect())
        .filter(|segments: &Vec<String>| !segments.is_empty())
        .unwrap_or_else(|| vec!["everyone".to_owned()]);
    let mut text = format!(
        "schema = 1\nproduct = \"{product}\"\nmode = \"continuous-delivery\"\ndispatch = \"by-release-manager\"\n\
         rollback = \"offer\"\nsheet_valid_minutes = 1440\nsoak_seconds = 86400\nrequired = [\"risk\", \"backout-plan\"]\n\n\
         [[evidence]]\ngate = \"tests\"\nkind = \"junit\"\n\n[[evidence]]\ngate = \"scan\"\nkind = \"sarif\"\n\n\
         [[quorum]]\nrole = \"qa\"\n\n[[quorum]]\nrole = \"security\"\n"
    );
    for segment in segments {
        text.push_str(&format!("\n[[wave]]\nsegment = \"{segment}\"\nbake_seconds = 3600\n"));
    }
    text
}

// ------------------------------------------------------------------------------------------------- targets

fn targets(ledger: &Ledger, product: &Slug) -> Vec<w::TargetRow> {
    let row = |row: products::TargetRow| w::TargetRow {
        entry: count(row.entry),
        digest: row.digest.to_string(),
        product: row.target.product.to_string(),
        environment: row.target.environment.to_string(),
        connector: match &row.target.connector {
            ConnectorConfig::Buildbot { base_url, ca_sha256 } => w::TargetConnector::Buildbot {
                base_url: base_url.to_string(),
                certificate_sha256: Some(ca_sha256.to_string()),
            },
            ConnectorConfig::LocalCommand { command, script_sha256 } => w::TargetConnector::LocalCommand {
                command: command.to_string(),
                script_sha256: Some(script_sha256.to_string()),
            },
        },
        job: row.target.job.to_string(),
        deploy_step: row.target.deploy_step.to_string(),
        segments: row
            .target
            .segments
            .iter()
            .map(|segment| w::SegmentForm {
                name: segment.name.to_string(),
                instances: segment
                    .health
                    .iter()
                    .zip(&segment.version)
                    .map(|(health, version)| w::InstanceForm {
                        health: health.to_string(),
                        version: version.to_string(),
                    })
                    .collect(),
            })
            .collect(),
        unreachable: row.unreachable,
        enforcement: super::connectors::enforcement(ledger, row.digest, &row.target),
    };
    products::targets(ledger, Some(product)).into_iter().map(row).collect()
}

/// Reads a target of a window's form.
pub(super) fn target_draft(form: &w::TargetForm) -> Result<products::TargetDraft, Error> {
    use super::show::optional;
    let digest = |text: &Option<String>| match text.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => {
            text.parse().map(Some).map_err(|_| Error::usage("a digest is 64 lower hex digits").in_field("connector"))
        }
        None => Ok(None),
    };
    let segments = form.segments.iter().map(|segment| {
        let line = |text: &String| word(text, "segments");
        Ok(countersign_core::act::Segment {
            health: segment.instances.iter().map(|instance| line(&instance.health)).collect::<Result<_, Error>>()?,
            name: word(&segment.name, "segments")?,
            version: segment.instances.iter().map(|instance| line(&instance.version)).collect::<Result<_, Error>>()?,
        })
    });
    Ok(products::TargetDraft {
        product: Some(word(&form.product, "product")?),
        environment: Some(word(&form.environment, "environment")?),
        connector: Some(match &form.connector {
            w::TargetConnector::Buildbot { base_url, certificate_sha256 } => products::ConnectorDraft::Buildbot {
                base_url: optional(Some(base_url), "connector")?,
                ca_file: None,
                ca_sha256: digest(certificate_sha256)?,
            },
            w::TargetConnector::LocalCommand { command, script_sha256 } => products::ConnectorDraft::LocalCommand {
                command: word(command, "connector")?,
                script: None,
                script_sha256: digest(script_sha256)?,
            },
        }),
        job: optional(form.job.as_deref(), "job")?,
        deploy_step: optional(form.deploy_step.as_deref(), "deployStep")?,
        segments: segments.collect::<Result<_, Error>>()?,
    })
}

// ------------------------------------------------------------------------------------------------- freezes

pub(super) fn freeze_row(state: &State, freeze: &Freeze, at: Timestamp) -> w::FreezeRow {
    w::FreezeRow {
        entry: count(freeze.entry.index),
        product: freeze.product.as_ref().map(ToString::to_string),
        environment: freeze.environment.as_ref().map(ToString::to_string),
        span: span(&freeze.next_from(at).unwrap_or(freeze.span)),
        by: person(state, &freeze.by),
        reason: freeze.reason.clone(),
        status: match freeze.lifted {
            Some(_) => w::FreezeStatus::Lifted,
            None if freeze.when.at(at).is_some() => w::FreezeStatus::InForce,
            None if freeze.next_from(at).is_some() => w::FreezeStatus::ToCome,
            None => w::FreezeStatus::Over,
        },
        lifted: freeze.lifted.map(|entry| count(entry.index)),
    }
}

pub(super) fn freeze_rows(state: &State, at: Timestamp) -> Vec<w::FreezeRow> {
    state.freezes.values().map(|freeze| freeze_row(state, freeze, at)).collect()
}

/// Returns the freezes, and the dates that lie ahead.
///
/// # Errors
/// No ledger is open, or the desk is locked.
pub fn freezes(host: &Host) -> Result<w::Freezes, w::AppError> {
    host.read(|open| {
        let at = clock::now();
        open.settled.follow(&open.ledger, at);
        let state = open.ledger.state();
        let mut freezes = freeze_rows(state, at);
        freezes.reverse();
        Ok(w::Freezes { at: at.to_string(), freezes, upcoming: agenda(open, at) })
    })
}

fn agenda(open: &Open, at: Timestamp) -> Vec<w::AgendaRow> {
    let state = open.ledger.state();
    let mut rows: Vec<(Timestamp, w::AgendaRow)> = Vec::new();
    for release in state.releases.values().filter(|release| !open.settled.is_settled(release)) {
        if release.ended.is_some() {
            continue;
        }
        let (id, product) = (release.id.to_string(), release.candidate.product.to_string());
        let version = release.candidate.version.to_string();
        for waiver in judge::waivers(release, at) {
            let ends = waiver.body.expires;
            let gate = waiver.body.gate.to_string();
            rows.push((ends, w::AgendaRow::WaiverEnds { release: id.clone(), gate, at: ends.to_string() }));
        }
        let Some(sheet) = release.sheet().filter(|sheet| !release.rollout_began(sheet.entry)) else { continue };
        let body = &sheet.body;
        if body.window.until >= at {
            let frozen = state.freezes.values().any(|freeze| {
                freeze.lifted.is_none()
                    && freeze.product.as_ref().is_none_or(|only| *only == body.product)
                    && freeze.environment.as_ref().is_none_or(|only| *only == body.environment)
                    && freeze.when.overlapping(body.window).next().is_some()
            });
            let (release, product, version) = (id.clone(), product.clone(), version.clone());
            let row = w::AgendaRow::Window { release, product, version, span: span(&body.window), frozen };
            rows.push((body.window.from, row));
        }
        if let Some(due) = body.due.filter(|due| *due >= at) {
            let (release, product, version) = (id.clone(), product.clone(), version.clone());
            rows.push((due, w::AgendaRow::Due { release, product, version, at: due.to_string() }));
        }
        if body.not_after >= at {
            let row = w::AgendaRow::SheetEnds { release: id, product, version, at: body.not_after.to_string() };
            rows.push((body.not_after, row));
        }
    }
    for record in state.authorizations.values().filter(|record| record.valid.until >= at && record.adopted.is_some()) {
        let ends = record.valid.until;
        let (entry, product) = (count(record.entry.index), record.product.to_string());
        rows.push((ends, w::AgendaRow::AuthorizationEnds { entry, product, at: ends.to_string() }));
    }
    for known in state.people.values() {
        let Some(key) = known.current_key().filter(|key| key.valid_until >= at) else { continue };
        if key.valid_until.seconds_since(at) < 90 * 86_400 {
            let person = person(state, &known.card.principal);
            rows.push((key.valid_until, w::AgendaRow::KeyEnds { person, at: key.valid_until.to_string() }));
        }
    }
    rows.sort_by_key(|(time, _)| *time);
    rows.into_iter().map(|(_, row)| row).collect()
}

// ------------------------------------------------------------------------------------------------- authorizations

/// Returns the standing authorizations.
///
/// # Errors
/// No ledger is open, or the desk is locked.
pub fn authorizations(host: &Host) -> Result<w::Authorizations, w::AppError> {
    host.read(|open| {
        let at = clock::now();
        let mut rows = authorization_rows(open, at);
        rows.reverse();
        Ok(w::Authorizations { at: at.to_string(), authorizations: rows })
    })
}

fn authorization_rows(open: &Open, at: Timestamp) -> Vec<w::AuthorizationRow> {
    let state = open.ledger.state();
    let row = |record: &countersign_core::state::AuthorizationRecord| {
        let (worth, cause) = judge::authorization_worth(state, record, at);
        let waits = match record.adopted {
            None if at <= record.valid.until => waits_for(state, &record.product, &record.answers, at),
            _ => Vec::new(),
        };
        w::AuthorizationRow {
            entry: count(record.entry.index),
            product: record.product.to_string(),
            environment: record.environment.to_string(),
            change_types: record.change_types.iter().map(|change| (*change).into()).collect(),
            max_commits: count(record.max_commits),
            per_day: count(record.per_day),
            valid: span(&record.valid),
            by: person(state, &record.by),
            state: worth.into(),
            cause,
            adopted: record.adopted.map(|entry| count(entry.index)),
            suspended: record.suspended.map(|entry| count(entry.index)),
            answers: answer_rows(state, &record.answers),
            me: is_me(&waits, open.me.as_ref()),
            waits_for: waits,
            uses: length(record.uses.len()),
            uses_today: length(record.uses.iter().filter(|used| used.utc_day() == at.utc_day()).count()),
            last_use: record.uses.last().map(|used| used.to_string()),
        }
    };
    state.authorizations.values().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_policy_is_told_with_its_place() {
        let product: Slug = "pump".parse().unwrap();
        let place = |text: &str| {
            let found = problems(text, &product);
            (found.len(), found.first().and_then(|problem| Some((problem.line?, problem.column?))))
        };
        assert_eq!(place("schema = 1\nproduct = \n"), (1, Some((2, 11))));
        assert_eq!(place("schema = 1\nproduct = \"pump\"\nmode = \"both\"\n").1.map(|place| place.0), Some(3));
        let state = State::default();
        let good = template(&state, &product);
        assert_eq!(place(&good), (0, None), "{good}");
        assert_eq!(place(&good.replace("\"pump\"", "\"other\"")), (1, Some((2, 1))));
    }
}

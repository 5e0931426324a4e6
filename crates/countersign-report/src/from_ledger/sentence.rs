//! What an entry says, in one sentence of plain words.

use super::Source;
use super::history::Leaf;
use crate::words;
use countersign_core::act::{
    Act, AuthorizationChange, ConnectorConfig, DeviceChange, DispatchKind, EvidenceOrigin, FreezeChange, Grant,
    HoldChange, KeyChange, MeetingChange, ProposeChange, Verdict,
};
use countersign_core::state::Answerable;
use countersign_core::words::{EntryRef, Slug};

/// The sentence; a leaf that cannot be read says so itself.
pub(super) fn sentence(source: &Source<'_>, leaf: &Leaf) -> String {
    let Some(statement) = &leaf.statement else {
        let why = leaf.finding.as_ref().map(|it| it.message.as_str()).unwrap_or("it cannot be read");
        return format!("These bytes are no entry: {why}.");
    };
    let who = &statement.common.signer.name;
    let name = |principal| source.state.printed_name(principal);
    let title = |id| source.title(id);
    let only = |product: &Option<Slug>| product.as_ref().map(|it| format!(" for {it} only")).unwrap_or_default();
    let does = match &statement.act {
        Act::Genesis(body) => format!(
            "founded the ledger “{}”{}; recovery by {} of {} people after {} hours{}",
            body.title,
            if body.sample { " as a SAMPLE" } else { "" },
            body.recovery.needed,
            body.recovery.people.len(),
            body.recovery.wait_hours,
            body.charter.map(|charter| charter_said(&charter)).unwrap_or_default()
        ),
        Act::Enrol(body) => {
            format!("enrolled {} ({}); identity: {}", body.person.name, body.person.principal, body.identity)
        }
        Act::EnrolAccept(_) => "accepted to be accountable for their signatures".to_owned(),
        Act::Device(body) => match &body.change {
            DeviceChange::Enrol { device } => {
                format!("enrolled the device {} ({}) as {}", device.name, device.principal, device.purpose)
            }
            DeviceChange::Revoke { principal } => format!("revoked the device {}", name(principal)),
        },
        Act::Key(body) => {
            let whose = name(&body.principal);
            match &body.change {
                KeyChange::Rotate { key, .. } => format!("renewed the key of {whose} to {}", key.fingerprint()),
                KeyChange::Revoke {} => format!("revoked the key of {whose}"),
                KeyChange::Lost {} => format!("reported the key of {whose} lost"),
            }
        }
        Act::Role(body) => {
            let whom = name(&body.principal);
            let until = body.until.map(|it| format!(" until {it}")).unwrap_or_default();
            match body.change {
                Grant::Grant => format!("gave {whom} the role {}{}{until}", body.role, only(&body.product)),
                Grant::Lapse => format!("ended the role {} of {whom}{}", body.role, only(&body.product)),
                Grant::Delegate => {
                    format!("let {whom} sign as {}{} in their place{until}", body.role, only(&body.product))
                }
                Grant::Recover => format!("asked, to recover the ledger, that {whom} become its process owner"),
            }
        }
        Act::Product(body) => {
            let path: Vec<&str> = body.path.iter().map(Slug::as_str).collect();
            format!("described the product {} ({}): {}", body.product, body.title, path.join(" → "))
        }
        Act::Target(body) => {
            let how = match &body.connector {
                ConnectorConfig::Buildbot { base_url, .. } => format!("Buildbot at {base_url}"),
                ConnectorConfig::LocalCommand { command, .. } => format!("the local command {command}"),
            };
            let segments: Vec<&str> = body.segments.iter().map(|it| it.name.as_str()).collect();
            format!(
                "described the target {} of {}: job {} by {how}, segments {}",
                body.environment,
                body.product,
                body.job,
                segments.join(", ")
            )
        }
        Act::Policy(body) => format!("put forward policy version {} of {}", body.version, body.product),
        Act::Authorization(body) => match &body.change {
            AuthorizationChange::Grant { environment, product, template: None, .. } => {
                format!("proposed a standing authorization for {product} in {environment}")
            }
            AuthorizationChange::Grant { environment, product, template: Some(name), .. } => {
                format!("proposed “{name}”, a template of standard changes for {product} in {environment}")
            }
            AuthorizationChange::Suspend { authorization } => {
                format!("suspended the standing authorization of {authorization}")
            }
            AuthorizationChange::Resume { authorization } => {
                format!("resumed the standing authorization of {authorization}")
            }
        },
        Act::Freeze(body) => match &body.change {
            FreezeChange::Declare { environment, product, recurs, span } => format!(
                "froze {} of {} from {} to {}{}",
                environment.as_ref().map_or("every environment", Slug::as_str),
                product.as_ref().map_or("every product", Slug::as_str),
                span.from,
                span.until,
                recurs.as_ref().map(|again| format!(", again by {} in {}", again.rule, again.zone)).unwrap_or_default()
            ),
            FreezeChange::Lift { freeze } => format!("lifted the freeze of {freeze}"),
        },
        Act::Propose(body) => match &body.change {
            ProposeChange::Candidate { candidate, supersedes, authorization } => format!(
                "proposed {} {} at commit {}, {}{}{}",
                candidate.product,
                candidate.version,
                candidate.commit,
                words::count(candidate.changes.commits, "commit"),
                supersedes.as_ref().map(|old| format!(", in place of {old}")).unwrap_or_default(),
                authorization.map(|it| format!(", under the standing authorization of {it}")).unwrap_or_default()
            ),
            ProposeChange::Amend { candidate } => format!("amended {} {}", candidate.product, candidate.version),
            ProposeChange::Supersede { by } => format!("gave {} up for {by}", title(&body.release)),
            ProposeChange::Withdraw {} => format!("withdrew {}", title(&body.release)),
        },
        Act::Evidence(body) => format!(
            "{} {} ({}) for {}: {}{}",
            match &body.origin {
                EvidenceOrigin::Observed { connector, run, .. } => format!("observed by {connector} in {run}"),
                EvidenceOrigin::Attached {} => "attached".to_owned(),
            },
            body.name,
            body.kind,
            title(&body.release),
            body.conclusion,
            body.replaces.map(|it| format!(", in place of {it}")).unwrap_or_default()
        ),
        Act::Waiver(body) => format!(
            "waived the gate “{}” of {} until {}; {} follows it up",
            body.gate,
            title(&body.release),
            body.expires,
            name(&body.owner)
        ),
        Act::Stage(body) => format!(
            "saw {} running in {}, as version {} with the artifact {}",
            title(&body.release),
            body.environment,
            body.version,
            body.artifact
        ),
        Act::Request(body) => format!(
            "froze the decision sheet of {} {} for {}, over {} of evidence{}",
            body.product,
            body.version,
            body.environment,
            words::count(body.evidence.count, "file"),
            body.authorization.map(|it| format!(", for the standing authorization of {it}")).unwrap_or_default()
        ),
        Act::Approval(body) => {
            let verdict = words::verdict(body.verdict);
            let meaning = words::meaning(body.meaning);
            let conditions: Vec<String> = body.conditions.iter().map(|it| format!("“{it}”")).collect();
            format!(
                "signed {verdict} {} {}{} ({meaning})",
                match &body.authorization {
                    Some(used) => format!("under the standing authorization of {used}"),
                    None => format!("as {}", body.role),
                },
                subject(source, body.request),
                if body.verdict == Verdict::ConditionalGo {
                    format!(", provided that {}", conditions.join(" and "))
                } else {
                    String::new()
                }
            )
        }
        Act::Hold(body) => {
            let it = title(&body.release);
            match &body.change {
                HoldChange::Hold { question: None } => format!("put {it} on hold"),
                HoldChange::Hold { question: Some(question) } => format!("put {it} on hold and asked: “{question}”"),
                HoldChange::Halt {} => format!("halted the rollout of {it}"),
                HoldChange::Cancel { request_id } => format!("asked to cancel the dispatch {request_id} of {it}"),
                HoldChange::Resume { hold, answer } => format!(
                    "let {it} go on after the stop of {hold}{}",
                    answer.as_ref().map(|it| format!(", answering: “{it}”")).unwrap_or_default()
                ),
            }
        }
        Act::Condition(body) => format!("settled condition {} of the answer of {}", body.condition + 1, body.approval),
        Act::Dispatch(body) => format!(
            "recorded the {} of {} to {}, wave {}, as {}: {}{}",
            match body.kind {
                DispatchKind::Deploy => "deployment",
                DispatchKind::Rollback => "rollback",
            },
            title(&body.release),
            body.environment,
            body.wave,
            body.request_id,
            body.state,
            body.conclusion.map(|it| format!(", {it}")).unwrap_or_default()
        ),
        Act::Lease(body) => format!("took the worker's lease until {}", body.until),
        Act::Run(body) => {
            format!("saw run {} of {}: {} ({})", body.run.id, title(&body.release), body.status, body.raw)
        }
        Act::Wave(body) => format!(
            "judged wave {} of {} in {}: {}, {}, {} failed, {} % of the bake time covered",
            body.wave,
            title(&body.release),
            body.environment,
            body.verdict,
            words::count(body.samples, "sample"),
            body.failed,
            body.coverage_percent
        ),
        Act::Meeting(body) => match &body.change {
            MeetingChange::Open { roll, sheet, .. } => {
                let seats: Vec<String> =
                    roll.iter().map(|seat| seat.person.as_ref().map_or_else(|| seat.role.to_string(), name)).collect();
                format!(
                    "opened the go/no-go meeting on {} over {sheet}, calling {}",
                    title(&body.release),
                    seats.join(", ")
                )
            }
            MeetingChange::Close { absent, meeting, minutes } => {
                let absent: Vec<String> = absent.iter().map(|place| format!("seat {}", place + 1)).collect();
                let absent = if absent.is_empty() { "nobody".to_owned() } else { absent.join(", ") };
                format!(
                    "closed the meeting of {meeting} on {}; absent: {absent}; minutes: “{minutes}”",
                    title(&body.release)
                )
            }
        },
        Act::Outcome(body) => format!("closed {}: {}", title(&body.release), body.result),
        Act::Announce(body) => format!("announced {} of {} to {}", body.event, title(&body.release), body.audience),
        Act::Attempt(body) => {
            format!("counted {} for {}", words::count(body.count, "wrong passphrase"), name(&body.principal))
        }
        Act::Refusal(body) => format!(
            "refused {} to {} ({}): {}",
            body.act,
            body.principal.as_ref().map_or_else(|| "somebody".to_owned(), name),
            body.code,
            body.message
        ),
        Act::Correction(body) => match body.removes {
            Some(digest) => format!("asked for the file {digest} of {} to be removed", body.entry),
            None => format!("corrected {} of {}", body.field, body.entry),
        },
        Act::Late(body) => format!("brought in a paper record of {}: {}", body.happened, body.record),
        Act::Review(body) => format!(
            "reviewed {} over entries {} to {}: {}",
            body.scope,
            body.from,
            body.until.saturating_sub(1),
            body.findings
        ),
        Act::Export(body) => format!(
            "exported {} at size {}",
            body.release.as_ref().map_or_else(|| "the whole ledger".to_owned(), title),
            body.size
        ),
    };
    format!("{who} {does}.")
}

/// The charter a ledger begins with, in words.
fn charter_said(charter: &countersign_core::act::Charter) -> String {
    let two = match (charter.co_signed_roles, charter.co_signed_identity) {
        (true, true) => "two people give a role and state an identity",
        (true, false) => "two people give a role",
        (false, true) => "two people state an identity",
        (false, false) => "one person gives roles alone",
    };
    let review = charter.review_days.map(|days| format!("; access and trail are reviewed every {days} days"));
    format!("; {two}, and a key is valid for {} days at most{}", charter.key_days, review.unwrap_or_default())
}

/// What an approval answers, in words.
fn subject(source: &Source<'_>, request: EntryRef) -> String {
    match source.state.answerable(request) {
        Some(Answerable::Sheet(id)) => format!("on the sheet of {request} of {}", source.title(id)),
        Some(Answerable::Policy(product)) => format!("on the policy of {request} of {product}"),
        Some(Answerable::Authorization(product)) => {
            format!("on the standing authorization of {request} of {product}")
        }
        Some(Answerable::Device(device)) => format!("for the device {}", source.state.printed_name(device)),
        Some(Answerable::Person(who)) => format!("for the identity of {}", source.state.printed_name(who)),
        Some(Answerable::Role(who)) => format!("for the role of {request} of {}", source.state.printed_name(who)),
        Some(Answerable::Removal(digest)) => format!("for the removal of the file {digest}"),
        Some(Answerable::Evidence(id)) => format!("for the evidence of {request} of {}", source.title(id)),
        None => format!("on {request}, which waits for no answer"),
    }
}

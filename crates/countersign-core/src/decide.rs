//! What to write for what a person or the worker wants: commands in, statements out.
//!
//! [`decide`] only composes what [`crate::admit`] will accept: it runs the same rules over the statement before anybody
//! signs it, so a refusal comes before the passphrase is asked.

use crate::act::{
    Act, App, Approval, Asked, Common, Dispatch, DispatchKind, DispatchState, Meaning, PlannedWave, RULES_VERSION,
    Reauth, Request, Seen, SeenBasis, Signer, Verdict, Window,
};
use crate::admit::{self, Statement};
use crate::entry::{LEAF_BYTES_MAX, armor_bytes};
use crate::jcs;
use crate::judge;
use crate::merkle::Head;
use crate::rejection::{Code, Rejection};
use crate::state::{Release, State};
use crate::words::{EntryRef, Line, Nonce, Principal, ReleaseId, Slug, Text, Timestamp, Zone};

/// What is wanted.
#[derive(Debug, Clone)]
pub enum Command {
    /// An act whose fields the caller knows.
    Record(Act),
    /// Freeze the decision sheet of a release and ask for signatures.
    Freeze {
        /// The release.
        release: ReleaseId,
        /// The standing authorization that is to sign, where one is.
        authorization: Option<EntryRef>,
        /// When dispatch is allowed; as long as the sheet is valid when `None`.
        window: Option<Window>,
        /// Who is asked to answer; the whole quorum when empty.
        asked: Vec<Asked>,
        /// By when.
        due: Option<Timestamp>,
        /// Whether the worker starts it by itself once the window is open.
        scheduled: bool,
    },
    /// Answer the current sheet of a release.
    Answer {
        /// The release.
        release: ReleaseId,
        /// As which role.
        role: Slug,
        /// The answer.
        verdict: Verdict,
        /// What the signature means.
        meaning: Meaning,
        /// The conditions of a conditional GO.
        conditions: Vec<Text>,
    },
    /// Let a standing authorization sign the current sheet.
    AutomaticGo {
        /// The release.
        release: ReleaseId,
        /// The authorization.
        authorization: EntryRef,
    },
    /// Prepare a dispatch; nothing is sent yet.
    Dispatch {
        /// The release.
        release: ReleaseId,
        /// The environment.
        environment: Slug,
        /// Deploy or roll back.
        kind: DispatchKind,
        /// A request id never used before.
        request_id: Line,
        /// The person at the desk who starts it.
        by: Option<Principal>,
        /// The request id of unknown fate it is sent again for.
        resends: Option<Line>,
    },
}

/// Who acts, where and when: what the ledger cannot know.
#[derive(Debug, Clone)]
pub struct Context {
    /// The program.
    pub app: App,
    /// The desk.
    pub device: Principal,
    /// Who signs.
    pub signer: Signer,
    /// Why.
    pub reason: Option<Text>,
    /// How the person proves presence; `None` for a device.
    pub reauth: Option<Reauth>,
    /// How much history the desk verified; `None` for a device.
    pub seen_basis: Option<SeenBasis>,
    /// The moment.
    pub now: Timestamp,
    /// The signer's time zone.
    pub zone: Zone,
    /// Fresh random digits.
    pub nonce: Nonce,
    /// The ledger's origin; read from the state once there is a genesis.
    pub origin: Line,
}

/// Returns the statement that does what is wanted, ready to be signed.
///
/// # Errors
/// The first rule that refuses it.
pub fn decide(state: &State, command: Command, context: &Context) -> Result<Statement, Rejection> {
    let act = compose(state, command, context.now)?;
    let common = common(state, state.head(), context);
    let subject = match (&act, &state.origin) {
        (Act::Genesis(_), None) => vec![admit::ledger_subject(&common.seen.origin)],
        _ => admit::subject(state, &act),
    };
    let statement = Statement { common, subject, act };
    admit::check(state, &statement)?;
    fits_an_entry(&statement)?;
    Ok(statement)
}

/// Returns the statement of an act that is signed away from the ledger, over what a copy made at `head` says.
///
/// # Errors
/// The first rule that refuses it and that the copy can answer.
pub(crate) fn carried(state: &State, head: Head, act: Act, context: &Context) -> Result<Statement, Rejection> {
    let statement = Statement { common: common(state, head, context), subject: admit::subject(state, &act), act };
    admit::check_away(state, &statement)?;
    fits_an_entry(&statement)?;
    Ok(statement)
}

fn common(state: &State, head: Head, context: &Context) -> Common {
    Common {
        app: context.app.clone(),
        device: context.device.clone(),
        nonce: context.nonce.clone(),
        reason: context.reason.clone(),
        reauth: context.reauth,
        rules: RULES_VERSION,
        seen: Seen {
            origin: state.origin.clone().unwrap_or_else(|| context.origin.clone()),
            root: head.root.to_base64(),
            size: head.size,
        },
        seen_basis: context.seen_basis,
        signer: context.signer.clone(),
        time: context.now,
        zone: context.zone,
    }
}

/// Refuses what could be signed by nobody: a number JSON cannot hold exactly, or more bytes than a leaf takes.
fn fits_an_entry(statement: &Statement) -> Result<(), Rejection> {
    let malformed = |message: String| Rejection::new(Code::Malformed, message);
    let line = jcs::encode(&statement.payload()).map_err(|error| malformed(error.to_string()))?;
    let bytes = line.len() + 1 + armor_bytes(statement.act.name());
    if bytes > LEAF_BYTES_MAX {
        return Err(malformed(format!("the entry would have {bytes} bytes, at most {LEAF_BYTES_MAX} are taken"))
            .hint("name long lists by their digest"));
    }
    Ok(())
}

fn known_release<'a>(state: &'a State, id: &ReleaseId) -> Result<&'a Release, Rejection> {
    state.releases.get(id).ok_or_else(|| {
        Rejection::new(Code::NotFound, format!("there is no release {id}"))
            .hint("`countersign release list` shows them")
    })
}

fn no_sheet(id: &ReleaseId) -> Rejection {
    Rejection::new(Code::WrongState, format!("{id} has no decision sheet"))
        .hint(format!("freeze it with `countersign request {id}`"))
}

fn compose(state: &State, command: Command, now: Timestamp) -> Result<Act, Rejection> {
    match command {
        Command::Record(act) => Ok(act),
        Command::Freeze { release, authorization, window, asked, due, scheduled } => {
            let release = known_release(state, &release)?;
            let product = &release.candidate.product;
            let policy = state
                .policy_of(release)
                .ok_or_else(|| Rejection::new(Code::NotFound, format!("{product} has no policy")))?;
            let minutes = i64::try_from(policy.sheet_valid_minutes).unwrap_or(i64::MAX / 60);
            let not_after = now.plus_seconds(minutes * 60);
            let window = window.unwrap_or(Window { from: now, until: not_after });
            let window = Window { from: window.from, until: window.until.min(not_after) };
            let sheet = sheet(state, release, authorization, window, not_after, now)?;
            Ok(Request { asked, due, scheduled, ..sheet }.into())
        }
        Command::Answer { release, role, verdict, meaning, conditions } => {
            let sheet = known_release(state, &release)?.sheet().ok_or_else(|| no_sheet(&release))?;
            Ok(Approval { authorization: None, conditions, meaning, request: sheet.entry, role, verdict }.into())
        }
        Command::AutomaticGo { release, authorization } => {
            let sheet = known_release(state, &release)?.sheet().ok_or_else(|| no_sheet(&release))?;
            Ok(Approval {
                authorization: Some(authorization),
                conditions: Vec::new(),
                meaning: Meaning::Approval,
                request: sheet.entry,
                role: "standing-authorization".parse().expect("a lawful name"),
                verdict: Verdict::Go,
            }
            .into())
        }
        Command::Dispatch { release, environment, kind, request_id, by, resends } => {
            let release = known_release(state, &release)?;
            let last = state.last_environment(&release.candidate.product) == Some(&environment);
            let (sheet, wave, artifact) = if last {
                let sheet = release.sheet().ok_or_else(|| no_sheet(&release.id))?;
                match kind {
                    DispatchKind::Deploy => {
                        let wave = judge::next_wave(release, sheet).ok_or_else(|| {
                            Rejection::new(Code::AlreadyDispatched, format!("all waves of {} have passed", release.id))
                        })?;
                        (sheet.entry, wave, sheet.body.artifacts[0].sha256)
                    }
                    DispatchKind::Rollback => {
                        let slot = sheet.body.rollback.as_ref().ok_or_else(|| {
                            Rejection::new(Code::WrongState, "the sheet has no way back: this was the first release")
                                .hint("propose and decide a release that mends it")
                        })?;
                        let wave = release
                            .dispatches_of(sheet.entry, DispatchKind::Deploy)
                            .filter(|dispatch| dispatch.body.state != DispatchState::Refused)
                            .map(|dispatch| dispatch.body.wave)
                            .max()
                            .ok_or_else(|| {
                                Rejection::new(Code::WrongState, "nothing was deployed that could be taken back")
                            })?;
                        (sheet.entry, wave, slot.artifacts[0].sha256)
                    }
                }
            } else {
                (release.candidate_entry, 1, release.artifact().sha256)
            };
            Ok(Dispatch {
                artifact,
                by,
                conclusion: None,
                detail: None,
                environment,
                kind,
                release: release.id.clone(),
                request_id,
                resends,
                run: None,
                server_time: None,
                sheet,
                state: DispatchState::Prepared,
                wave,
            }
            .into())
        }
    }
}

/// Returns the decision sheet the ledger's inputs make at that moment.
///
/// # Errors
/// An input is missing.
pub(crate) fn sheet(
    state: &State,
    release: &Release,
    authorization: Option<EntryRef>,
    window: Window,
    not_after: Timestamp,
    at: Timestamp,
) -> Result<Request, Rejection> {
    let candidate = &release.candidate;
    let product = &candidate.product;
    let missing = |what: &str| Rejection::new(Code::NotFound, format!("{product} has no {what}"));
    let environment = state.last_environment(product).ok_or_else(|| missing("promotion path"))?.clone();
    let policy = state.policy(product).ok_or_else(|| missing("policy"))?;
    let place = (product.clone(), environment.clone());
    let (target, target_body) = state.targets.get(&place).ok_or_else(|| missing(&format!("target {environment}")))?;
    let rollout: Vec<PlannedWave> = policy
        .policy
        .waves
        .iter()
        .map(|wave| PlannedWave { bake_seconds: wave.bake_seconds, segment: wave.segment.clone() })
        .collect();
    if let Some(wave) =
        rollout.iter().find(|wave| !target_body.segments.iter().any(|segment| segment.name == wave.segment))
    {
        return Err(Rejection::new(
            Code::NotFound,
            format!("the target {environment} has no segment {}", wave.segment),
        ));
    }
    let live = state.live.get(&place).cloned();
    let waivers = judge::waivers(release, at).map(|waiver| waiver.entry).collect();
    Ok(Request {
        artifacts: candidate.artifacts.clone(),
        asked: Vec::new(),
        authorization,
        candidate: release.candidate_entry,
        change_type: candidate.change_type,
        changes: candidate.changes.digest,
        commit: candidate.commit.clone(),
        due: None,
        environment,
        evidence: judge::manifest(release, None).0,
        external: candidate.external.clone(),
        rollback: live.clone(),
        live,
        not_after,
        policy: policy.entry,
        product: product.clone(),
        release: release.id.clone(),
        rollout,
        scheduled: false,
        stage: judge::staged(state, release).map(|(entry, ..)| entry),
        target: *target,
        version: candidate.version.clone(),
        waivers,
        window,
    })
}

//! The desk: which ledger is open, who sits there, settings, long acts.

use std::path::{Path, PathBuf};

use countersign_core::judge;
use countersign_core::state::State;
use countersign_core::words::{Principal, role};

use super::host::{Host, HostEvent, Open, held};
use super::jobs::Work;
use super::places;
use super::show::{app_error, count, length, person};
use crate::desk::LedgerDir;
use crate::error::{Error, ErrorKind};
use crate::verification::Verified;
use crate::wire as w;
use crate::{backup, clock, export, people, sample, verification};

/// Returns the frame of every screen.
///
/// # Errors
/// The desk's files cannot be read.
pub fn session(host: &Host) -> Result<w::Session, w::AppError> {
    let locked = held(&host.0.presence).locked;
    let jobs = host.0.jobs.running();
    let mut open = held(&host.0.open);
    let trouble = held(&host.0.trouble).clone();
    let now = clock::now();
    let zone = host.0.options.zone.clone().unwrap_or_else(|| clock::zone().to_string());
    let locks_at = {
        let minutes = i64::from(held(&host.0.settings).lock_minutes);
        let idle = i64::try_from(held(&host.0.presence).seen.elapsed().as_secs()).unwrap_or(i64::MAX);
        (minutes > 0 && !locked).then(|| now.plus_seconds(minutes * 60 - idle).to_string())
    };
    let mut session = w::Session {
        mode: w::SessionMode::Start,
        ledger: None,
        me: None,
        here: Vec::new(),
        personas: Vec::new(),
        locked,
        locks_at: None,
        device: None,
        inbox_count: 0,
        rollout_count: 0,
        jobs,
        now: now.to_string(),
        zone,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        trouble,
    };
    let Some(open) = open.as_mut() else { return Ok(session) };
    let here = people::keys_here(&open.ledger).map_err(app_error)?;
    let state = open.ledger.state();
    session.mode = if open.ledger.damage().is_some() { w::SessionMode::Damaged } else { w::SessionMode::Open };
    session.here = super::show::people(state, &here);
    session.locks_at = locks_at.filter(|_| !state.sample() && open.me.is_some());
    if state.sample() {
        session.personas = sample::personas(&open.ledger);
    }
    session.ledger = Some(ledger_info(host, open));
    session.device = device(open);
    session.me = open.me.as_ref().map(|me| shown_as_me(open, me, here.contains(me)));
    if !locked {
        let counts = super::overview::counts(open, now);
        (session.inbox_count, session.rollout_count) = counts;
    }
    Ok(session)
}

fn ledger_info(host: &Host, open: &Open) -> w::LedgerInfo {
    let state = open.ledger.state();
    let head = state.head();
    let backed_up = places::remembered(&held(&host.0.recent), &open.ledger).and_then(|recent| recent.backed_up);
    w::LedgerInfo {
        fingerprint: open.ledger.fingerprint().to_string(),
        title: state.genesis.as_ref().map(|genesis| genesis.title.to_string()).unwrap_or_default(),
        origin: state.origin.as_ref().map(ToString::to_string).unwrap_or_default(),
        path: open.ledger.dir().path().display().to_string(),
        sample: state.sample(),
        entries: count(head.size),
        root: head.root.to_base64(),
        verified: open.verified,
        verified_at: open.verified_at.clone(),
        witnesses: 0,
        findings: length(state.findings.len()),
        last_backup: backed_up,
    }
}

fn device(open: &Open) -> Option<w::DeskDevice> {
    let rows = people::devices(&open.ledger);
    let here = |purpose| rows.iter().find(|row| row.this_machine && row.purpose == purpose && row.revoked.is_none());
    let desk = here(countersign_core::act::DevicePurpose::Desk)?;
    let dispatcher = here(countersign_core::act::DevicePurpose::Dispatcher);
    Some(w::DeskDevice {
        principal: desk.principal.to_string(),
        name: desk.name.to_string(),
        dispatcher: dispatcher.map(|row| row.principal.to_string()),
        dispatcher_ready: dispatcher.is_some_and(|row| judge::is_dispatcher(open.ledger.state(), &row.principal)),
    })
}

fn shown_as_me(open: &Open, me: &Principal, key_here: bool) -> w::Me {
    let now = clock::now();
    let state = open.ledger.state();
    let row = people::list(state, &[], now).into_iter().find(|row| row.principal == *me);
    let roles = row.map(|row| row.roles).unwrap_or_default();
    let known = state.people.get(me);
    let key = known.and_then(|known| known.current_key());
    let has = |wanted: &[&str]| roles.iter().any(|held| wanted.contains(&held.role.as_str()));
    let asked = |held: &people::RoleRow| {
        state
            .products
            .keys()
            .any(|product| state.policy(product).is_some_and(|policy| policy.roles_asked().contains(&held.role)))
    };
    let mut may = Vec::new();
    let mut can = |ability, allowed: bool| {
        if allowed {
            may.push(ability);
        }
    };
    can(w::Ability::Propose, has(&[role::RELEASE_MANAGER, role::PRACTITIONER]));
    can(w::Ability::Request, has(&[role::RELEASE_MANAGER]));
    can(w::Ability::Dispatch, has(&[role::RELEASE_MANAGER]));
    can(w::Ability::Sign, roles.iter().any(asked));
    can(w::Ability::Hold, !roles.is_empty());
    can(w::Ability::Administer, has(&[role::PROCESS_OWNER]));
    can(w::Ability::Configure, has(&[role::PROCESS_OWNER, role::RELEASE_MANAGER]));
    can(w::Ability::Freeze, has(&[role::PROCESS_OWNER, role::RELEASE_MANAGER]));
    can(w::Ability::Review, has(&[role::PROCESS_OWNER, role::AUDITOR]));
    w::Me {
        principal: me.to_string(),
        name: state.printed_name(me),
        roles: roles.iter().map(|row| role_held(state, row)).collect(),
        may,
        accepted: known.is_some_and(|known| known.accepted.is_some()),
        key_fingerprint: key.map(|key| key.key.fingerprint()),
        key_valid_until: key.map(|key| key.valid_until.to_string()),
        key_here,
    }
}

pub(super) fn role_held(state: &State, row: &people::RoleRow) -> w::RoleHeld {
    w::RoleHeld {
        role: row.role.to_string(),
        product: row.product.as_ref().map(ToString::to_string),
        until: row.until.map(|until| until.to_string()),
        granted: count(row.granted),
        lent_by: row.lent_by.as_ref().map(|who| super::show::person(state, who)),
        training: row.training.as_ref().map(|training| w::Training {
            reference: training.reference.to_string(),
            until: training.until.to_string(),
        }),
    }
}

/// Shows another person's inbox; proves nothing.
///
/// # Errors
/// The person's key is not on this desk.
pub fn choose_person(host: &Host, request: w::ChoosePerson) -> Result<w::Session, w::AppError> {
    host.read(|open| {
        let me: Principal = super::show::word(&request.principal, "principal")?;
        if !people::keys_here(&open.ledger)?.contains(&me) {
            return Err(Error::new(ErrorKind::No, "key_not_here", format!("the key of {me} is not on this desk")));
        }
        open.me = Some(me);
        places::remember(host, open)
    })?;
    held(&host.0.prepared).clear();
    held(&host.0.told).clear();
    session(host)
}

/// Locks the desk.
///
/// # Errors
/// As [`session`].
pub fn lock(host: &Host) -> Result<w::Session, w::AppError> {
    if held(&host.0.open).as_ref().is_some_and(|open| open.me.is_some()) {
        host.set_locked(true);
    }
    session(host)
}

/// Notes that the person is there.
///
/// # Errors
/// Never.
pub fn touch(host: &Host) -> Result<(), w::AppError> {
    if !held(&host.0.presence).locked {
        host.touch();
    }
    Ok(())
}

/// Returns what the first screen offers.
///
/// # Errors
/// Never.
pub fn start_info(host: &Host) -> Result<w::StartInfo, w::AppError> {
    let recent = held(&host.0.recent).clone();
    let rows = recent.into_iter().map(|known| w::RecentLedger {
        present: LedgerDir::at(&known.path).database().exists(),
        fingerprint: known.fingerprint,
        title: known.title,
        sample: known.sample,
        opened: known.opened,
        path: host.register_path(known.path),
    });
    let recent = rows.collect();
    let login = std::env::var("USER").or_else(|_| std::env::var("USERNAME")).unwrap_or_default().to_lowercase();
    let login: String = login.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).collect();
    let ledgers = host.0.options.sample_dir.parent().unwrap_or(&host.0.options.sample_dir).join("ledgers");
    let suggested = (1..).map(|n| ledgers.join(if n == 1 { "ledger".to_owned() } else { format!("ledger-{n}") }));
    let suggested = suggested.into_iter().find(|path| !path.exists()).unwrap_or(ledgers);
    Ok(w::StartInfo {
        recent,
        sample_there: LedgerDir::at(&host.0.options.sample_dir).database().exists(),
        suggested: host.register_path(suggested),
        suggested_name: String::new(),
        suggested_principal: if login.is_empty() { String::new() } else { format!("{login}@") },
    })
}

/// Begins to open a ledger; a damaged one opens read-only.
///
/// # Errors
/// The path is not one that was chosen.
pub fn open_ledger(host: &Host, request: w::OpenLedger) -> Result<w::JobRef, w::AppError> {
    Ok(begin_opening(host, host.path_of(&request.path)?))
}

/// Begins to open the ledger in a directory, as a command line names it.
pub fn begin_opening(host: &Host, path: PathBuf) -> w::JobRef {
    let work = Work { kind: w::JobKind::OpenLedger, release: None, cancellable: true };
    host.start(work, move |job| {
        job.host().open_dir(&path, &mut job.read())?;
        Ok(w::JobOutcome::Nothing {})
    })
}

/// Opens the ledger in a directory.
///
/// # Errors
/// There is none, or not even its first entry can be read.
pub fn open_path(host: &Host, path: &Path) -> Result<(), w::AppError> {
    host.open_dir(path, &mut |_, _| true).map_err(app_error)
}

/// Begins to open the ledger that was open last, if it is still there.
pub fn begin_opening_last(host: &Host) -> Option<w::JobRef> {
    let last = held(&host.0.recent).first().map(|known| known.path.clone());
    last.filter(|path| LedgerDir::at(path).database().exists()).map(|path| begin_opening(host, path))
}

/// Opens the sample, built first where there is none yet.
///
/// # Errors
/// It cannot be built or opened.
pub fn open_sample(host: &Host) -> Result<(), w::AppError> {
    let dir = host.0.options.sample_dir.clone();
    if !LedgerDir::at(&dir).database().exists() {
        let ledger = sample::create(&host.0.options.home, &LedgerDir::at(&dir), &mut |_, _| true).map_err(app_error)?;
        return host.adopt(ledger, None).map_err(app_error);
    }
    open_path(host, &dir)
}

/// Closes the ledger.
///
/// # Errors
/// As [`session`].
pub fn close_ledger(host: &Host) -> Result<w::Session, w::AppError> {
    super::signing::end(host, w::SigningChange::Closed);
    *held(&host.0.open) = None;
    *held(&host.0.trouble) = None;
    held(&host.0.prepared).clear();
    held(&host.0.presence).locked = false;
    host.tell(HostEvent::LedgerChanged { size: 0 });
    session(host)
}

/// Builds the sample and opens it.
///
/// # Errors
/// The old one is open and cannot be put aside.
pub fn create_sample(host: &Host, request: w::CreateSample) -> Result<w::JobRef, w::AppError> {
    let dir = LedgerDir::at(&host.0.options.sample_dir);
    let work = Work { kind: w::JobKind::CreateSample, release: None, cancellable: true };
    Ok(host.start(work, move |job| {
        let host = job.host();
        if dir.database().exists() {
            if !request.fresh {
                host.open_dir(dir.path(), &mut job.read())?;
                let fingerprint = host.read_locked(|open| Ok(open.ledger.fingerprint().to_string()));
                return Ok(w::JobOutcome::SampleCreated { fingerprint: fingerprint.unwrap_or_default() });
            }
            let open_here = held(&host.0.open).as_ref().is_some_and(|open| open.ledger.dir() == &dir);
            if open_here {
                *held(&host.0.open) = None;
            }
            sample::remove(&host.0.options.home, &dir)?;
        }
        let mut progress = |done: u64, of: u64| {
            job.at(w::JobStep::Writing, done, of);
            !job.cancelled()
        };
        let ledger = sample::create(&host.0.options.home, &dir, &mut progress)?;
        let fingerprint = ledger.fingerprint().to_string();
        host.adopt(ledger, None)?;
        Ok(w::JobOutcome::SampleCreated { fingerprint })
    }))
}

/// Verifies a backup and says what it holds.
///
/// # Errors
/// It is no backup, or a damaged one.
pub fn inspect_backup(host: &Host, request: w::InspectBackup) -> Result<w::BackupInfo, w::AppError> {
    let path = host.path_of(&request.path)?;
    let inspect = || -> Result<w::BackupInfo, Error> {
        let made = backup::verify_backup(&path)?;
        // A desk that is nobody's: a backup is looked at without pinning anything.
        let (ledger, _) = places::open(&host.0.options.home, &path, &mut |_, _| true)?;
        let state = ledger.state();
        Ok(w::BackupInfo {
            fingerprint: made.fingerprint.to_string(),
            title: state.genesis.as_ref().map(|genesis| genesis.title.to_string()).unwrap_or_default(),
            entries: count(made.head.size),
            root: made.head.root.to_base64(),
            files: length(made.blobs),
            sample: state.sample(),
        })
    };
    inspect().map_err(app_error)
}

/// Restores a backup into a new directory and opens it.
///
/// # Errors
/// A path was not picked.
pub fn restore_backup(host: &Host, request: w::RestoreBackup) -> Result<w::JobRef, w::AppError> {
    let (from, into) = (host.path_of(&request.path)?, host.path_of(&request.directory)?);
    let work = Work { kind: w::JobKind::Restore, release: None, cancellable: false };
    Ok(host.start(work, move |job| {
        job.at(w::JobStep::Writing, 0, 0);
        let restored = backup::restore(&from, &LedgerDir::at(&into))?;
        job.at(w::JobStep::Checking, 0, 0);
        job.host().open_dir(&into, &mut job.read())?;
        Ok(w::JobOutcome::Restored { fingerprint: restored.fingerprint.to_string() })
    }))
}

pub(super) fn verify_result(verified: Verified, began: std::time::Instant) -> w::VerifyResult {
    w::VerifyResult {
        verdict: verified.verdict.into(),
        entries: count(verified.tree_size),
        root: verified.root,
        first_bad: verified.findings.iter().filter_map(|found| found.index).min().map(count),
        findings: verified
            .findings
            .into_iter()
            .map(|found| w::VerifyFinding {
                index: found.index.map(count),
                worst: found.worst.into(),
                code: found.code,
                message: found.message,
            })
            .collect(),
        took_millis: u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX),
    }
}

/// Judges an exported bundle from its bytes.
///
/// # Errors
/// The file cannot be read.
pub fn open_bundle(host: &Host, request: w::OpenBundle) -> Result<w::BundleView, w::AppError> {
    let path = host.path_of(&request.path)?;
    let judge = || -> Result<w::BundleView, Error> {
        let fingerprint = match request.fingerprint.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => Some(
                text.parse()
                    .map_err(|_| Error::usage("a fingerprint is 64 lower hex digits").in_field("fingerprint"))?,
            ),
            None => None,
        };
        let began = std::time::Instant::now();
        let bytes = export::read(&path)?;
        let told = super::audit::told_by(&bytes);
        let verified = verification::bundle(&path, fingerprint)?;
        Ok(w::BundleView {
            file: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            size: bytes.len().to_string(),
            title: told.title,
            fingerprint: told.fingerprint,
            sample: told.sample,
            verified: verify_result(verified, began),
            releases: told.releases,
            reports: told.reports,
        })
    };
    judge().map_err(app_error)
}

/// Returns the settings of this user.
///
/// # Errors
/// Never.
pub fn settings(host: &Host) -> Result<w::Settings, w::AppError> {
    Ok(held(&host.0.settings).clone())
}

/// Keeps settings.
///
/// # Errors
/// One makes no sense, or the file cannot be written.
pub fn save_settings(host: &Host, request: w::Settings) -> Result<w::Settings, w::AppError> {
    let settings = places::save_settings(host, request).map_err(app_error)?;
    host.tell(HostEvent::Settings(settings.clone()));
    Ok(settings)
}

/// Returns version, build and places.
///
/// # Errors
/// Never.
pub fn diagnostics(host: &Host) -> Result<w::Diagnostics, w::AppError> {
    let open = held(&host.0.open);
    let ledger = open.as_ref().map(|open| &open.ledger);
    Ok(w::Diagnostics {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        build: host.0.options.build.clone(),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        ledger_path: ledger.map(|ledger| host.register_path(ledger.dir().path().to_owned())),
        home_path: host.register_path(host.0.options.home.path().to_owned()),
        config_path: host.register_path(host.0.options.config_dir.clone()),
        log_path: None,
        pinned_size: ledger.and_then(|ledger| ledger.pinned().ok().flatten()).map(|head| count(head.size)),
        zone: clock::zone().to_string(),
        entries: ledger.map(|ledger| count(ledger.state().tree.size())),
        memory_kib: resident_kib(),
    })
}

/// Returns how much memory the program holds, where the system tells.
fn resident_kib() -> Option<u32> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Finds releases, people and products for the palette.
///
/// # Errors
/// No ledger is open, or the desk is locked.
pub fn search(host: &Host, request: w::SearchRequest) -> Result<w::SearchResult, w::AppError> {
    host.read(|open| {
        let limit = request.limit.min(50) as usize;
        let text = request.text.trim().to_lowercase();
        let now = clock::now();
        let state = open.ledger.state();
        let mut hits = Vec::new();
        if let Some(index) = text.strip_prefix('#').unwrap_or(&text).parse::<u64>().ok()
            && let Some(Some(meta)) = open.ledger.index().entries().get(usize::try_from(index).unwrap_or(usize::MAX))
        {
            hits.push(w::SearchHit::Entry { index: count(index), act: meta.act.to_owned() });
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let fits = |said: &[&str]| words.iter().all(|word| said.iter().any(|said| said.to_lowercase().contains(word)));
        let mut found: Vec<_> = state
            .releases
            .values()
            .filter(|release| {
                let candidate = &release.candidate;
                fits(&[release.id.as_str(), candidate.product.as_str(), candidate.version.as_str()])
            })
            .collect();
        found.sort_by_key(|release| std::cmp::Reverse(release.proposed));
        hits.extend(found.into_iter().take(limit).map(|release| w::SearchHit::Release {
            release: release.id.to_string(),
            product: release.candidate.product.to_string(),
            version: release.candidate.version.to_string(),
            state: judge::release_state(state, release, now).into(),
        }));
        let products =
            state.products.values().filter(|(_, product)| fits(&[product.product.as_str(), product.title.as_str()]));
        hits.extend(products.map(|(_, product)| w::SearchHit::Product {
            product: product.product.to_string(),
            title: product.title.to_string(),
        }));
        let known = state.people.keys().filter(|who| fits(&[who.as_str(), &state.printed_name(who)]));
        hits.extend(known.map(|who| {
            let w::PersonRef { principal, name } = person(state, who);
            w::SearchHit::Person { principal, name }
        }));
        hits.truncate(limit);
        Ok(w::SearchResult { hits })
    })
}

/// Returns how a long act stands.
///
/// # Errors
/// There is none of that id.
pub fn job(host: &Host, request: w::JobId) -> Result<w::JobState, w::AppError> {
    host.0.jobs.state(&request.job_id).map_err(app_error)
}

/// Asks a long act to stop.
///
/// # Errors
/// There is none of that id, or it cannot be stopped.
pub fn cancel_job(host: &Host, request: w::JobId) -> Result<w::JobState, w::AppError> {
    host.0.jobs.cancel(&request.job_id).map_err(app_error)
}

//! What every handler works on: the open ledger, who sits at the desk, what is prepared, what runs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use countersign_core::bundle;
use countersign_core::words::{Principal, ReleaseId};

use super::jobs::Jobs;
use super::overview::Settled;
use super::places::{self, Recent};
use super::show::{app_error, refusal};
use super::signing::Prepared;
use crate::clock;
use crate::desk::Home;
use crate::error::{Error, ErrorKind};
use crate::ledger::{Ledger, Progress};
use crate::people;
use crate::rollout::Pace;
use crate::sample;
use crate::wire as w;

/// Renders a form of the report. The typesetter is slow to build, so that this crate does without it and a shell brings it.
pub trait Reports: Send + Sync {
    /// Returns the bytes of the report of a ledger, or of one release.
    ///
    /// # Errors
    /// It cannot be rendered.
    fn render(&self, ledger: &Ledger, release: Option<&ReleaseId>, form: bundle::Report) -> Result<Vec<u8>, Error>;
}

/// Renders nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoReports;

impl Reports for NoReports {
    fn render(&self, _: &Ledger, _: Option<&ReleaseId>, form: bundle::Report) -> Result<Vec<u8>, Error> {
        Err(Error::new(ErrorKind::Cannot, "report", format!("this program renders no {form:?}")))
    }
}

/// Where a host keeps what, and what it is told by its shell.
pub struct HostOptions {
    /// The desks and their keys.
    pub home: Home,
    /// Settings, drafts, recent ledgers of this user.
    pub config_dir: PathBuf,
    /// Where the sample ledger lies.
    pub sample_dir: PathBuf,
    /// The digest of the program.
    pub build: String,
    /// The language and region of the system, as `de-CH`.
    pub locale: String,
    /// The zone of the system, where it is known otherwise than by asking it.
    pub zone: Option<String>,
    /// Renders reports.
    pub reports: Box<dyn Reports>,
    /// How patient rollouts are.
    pub pace: Pace,
}

impl fmt::Debug for HostOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostOptions").field("home", &self.home).finish_non_exhaustive()
    }
}

/// What the shell passes on to its windows.
#[allow(clippy::large_enum_variant, reason = "one is made and sent on at once")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostEvent {
    /// Entries came in.
    LedgerChanged {
        /// How many there are.
        size: u32,
    },
    /// A long act went on.
    Job(w::JobState),
    /// The desk was locked, or unlocked.
    Locked(bool),
    /// What is to be signed is another.
    Signing(w::SigningChange),
    /// Settings changed.
    Settings(w::Settings),
}

/// Takes events, from any thread.
pub(super) type Events = Box<dyn Fn(HostEvent) + Send + Sync>;

/// The ledger that is open.
pub(super) struct Open {
    pub(super) ledger: Ledger,
    pub(super) me: Option<Principal>,
    pub(super) verified: w::VerifiedState,
    pub(super) verified_at: Option<String>,
    /// What can no longer change without a new entry.
    pub(super) settled: Settled,
    /// How many entries the windows were told of last: whoever takes entries in need not be who tells.
    told: u32,
    /// What the sample deploys to; it answers as long as the sample is open.
    _service: Option<sample::Service>,
}

impl Open {
    /// Returns whose desk it is, or that it is nobody's.
    pub(super) fn me(&self) -> Result<Principal, Error> {
        self.me.clone().ok_or_else(|| {
            Error::new(ErrorKind::No, "nobody_here", "no person's key is on this desk")
                .hint("sign on the desk that has your key")
        })
    }
}

/// The log and the samples of a run this desk follows.
#[derive(Debug, Default)]
pub(super) struct LiveRun {
    pub(super) lines: VecDeque<w::LogLine>,
    pub(super) total: u32,
    pub(super) open_line: String,
    pub(super) samples: VecDeque<w::HealthSample>,
    pub(super) baking: Option<w::Baking>,
    pub(super) ended: bool,
}

/// Who is there, and whether the desk is locked.
#[derive(Debug)]
pub(super) struct Presence {
    pub(super) locked: bool,
    pub(super) seen: Instant,
}

pub(super) struct Inner {
    pub(super) options: HostOptions,
    pub(super) events: Events,
    pub(super) open: Mutex<Option<Open>>,
    pub(super) trouble: Mutex<Option<w::AppError>>,
    pub(super) settings: Mutex<w::Settings>,
    pub(super) recent: Mutex<Vec<Recent>>,
    pub(super) paths: Mutex<BTreeMap<String, PathBuf>>,
    pub(super) prepared: Mutex<BTreeMap<String, Prepared>>,
    pub(super) signing: Mutex<Option<super::signing::Session>>,
    /// The request that was opened on this desk.
    pub(super) carried: Mutex<Option<super::carried::Carrying>>,
    pub(super) jobs: Jobs,
    pub(super) live: Mutex<BTreeMap<String, LiveRun>>,
    pub(super) presence: Mutex<Presence>,
    pub(super) told: Mutex<BTreeSet<String>>,
    pub(super) challenge_valid: Mutex<Duration>,
}

/// Everything handlers work on; cheap to clone, shared by all threads of a shell.
#[derive(Clone)]
pub struct Host(pub(super) Arc<Inner>);

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("options", &self.0.options).finish_non_exhaustive()
    }
}

/// Takes a lock whatever happened to its last holder: what is behind it is replaced whole, never left half done.
pub(super) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Host {
    /// Makes a host; opens no ledger.
    ///
    /// # Errors
    /// The directories cannot be made, or the settings cannot be read.
    pub fn new(options: HostOptions, events: Events) -> Result<Self, Error> {
        crate::durable::create_private_dir(&options.config_dir)?;
        let settings = places::load_settings(&options)?;
        let recent = places::load_recent(&options)?;
        Ok(Self(Arc::new(Inner {
            options,
            events,
            open: Mutex::new(None),
            trouble: Mutex::new(None),
            settings: Mutex::new(settings),
            recent: Mutex::new(recent),
            paths: Mutex::default(),
            prepared: Mutex::default(),
            signing: Mutex::new(None),
            carried: Mutex::new(None),
            jobs: Jobs::default(),
            live: Mutex::default(),
            presence: Mutex::new(Presence { locked: false, seen: Instant::now() }),
            told: Mutex::default(),
            challenge_valid: Mutex::new(super::signing::VALID),
        })))
    }

    pub(super) fn tell(&self, event: HostEvent) {
        (self.0.events)(event);
    }

    /// Works on the open ledger, unless the desk is locked.
    pub(super) fn read<T>(&self, work: impl FnOnce(&mut Open) -> Result<T, Error>) -> Result<T, w::AppError> {
        self.unlocked()?;
        self.read_locked(work)
    }

    /// Refuses while the desk is locked.
    pub(super) fn unlocked(&self) -> Result<(), w::AppError> {
        if held(&self.0.presence).locked {
            return Err(refusal(ErrorKind::No, "desk_locked", "the desk is locked", "unlock it with your passphrase"));
        }
        Ok(())
    }

    /// Works on the open ledger, also while the desk is locked.
    pub(super) fn read_locked<T>(&self, work: impl FnOnce(&mut Open) -> Result<T, Error>) -> Result<T, w::AppError> {
        let mut open = held(&self.0.open);
        let open = open.as_mut().ok_or_else(|| {
            refusal(ErrorKind::No, "no_ledger", "no ledger is open", "open one, or explore the sample")
        })?;
        work(open).map_err(app_error)
    }

    /// Opens the ledger in a directory, in place of the one that was open; a damaged one read-only.
    pub(super) fn open_dir(&self, dir: &Path, progress: Progress<'_>) -> Result<(), Error> {
        let (ledger, trouble) = places::open(&self.0.options.home, dir, progress)?;
        self.adopt(ledger, trouble)
    }

    /// Takes a ledger as the open one.
    pub(super) fn adopt(&self, ledger: Ledger, trouble: Option<Error>) -> Result<(), Error> {
        if trouble.is_none() {
            people::settle_keys(&ledger)?;
        }
        let size = super::show::count(ledger.state().tree.size());
        let here = people::keys_here(&ledger)?;
        let before = places::remembered(&held(&self.0.recent), &ledger);
        let me = before.and_then(|recent| recent.me).and_then(|me| me.parse().ok()).filter(|me| here.contains(me));
        let me = me.or_else(|| here.first().cloned());
        let findings = !ledger.state().findings.is_empty();
        *held(&self.0.trouble) = trouble.map(app_error);
        held(&self.0.prepared).clear();
        *held(&self.0.signing) = None;
        held(&self.0.told).clear();
        let verified = if findings || held(&self.0.trouble).is_some() {
            w::VerifiedState::Findings
        } else {
            w::VerifiedState::Entries
        };
        let service = sample::serve(&ledger);
        let open = Open {
            ledger,
            me,
            verified,
            verified_at: None,
            settled: Settled::default(),
            told: size,
            _service: service,
        };
        places::remember(self, &open)?;
        *held(&self.0.open) = Some(open);
        held(&self.0.presence).locked = false;
        self.touch();
        self.tell(HostEvent::LedgerChanged { size });
        Ok(())
    }

    /// Notes that the person is there.
    pub(super) fn touch(&self) {
        held(&self.0.presence).seen = Instant::now();
    }

    /// Lets what is shown in the signing window stand for a shorter time than usual; never for a longer one.
    pub fn shorten_challenges(&self, valid: Duration) {
        let mut known = held(&self.0.challenge_valid);
        *known = valid.min(*known);
    }

    /// Looks after what goes on by itself: entries of other processes, the idle lock, challenges that ran out. Cheap when
    /// nothing moved; to be called about once a second.
    pub fn poll(&self) {
        self.take_in(false);
        self.lock_when_idle();
        super::signing::expire(self);
    }

    /// Tells the windows that something is not as it was, once they would see it.
    pub(super) fn tell_change(&self) {
        self.take_in(true);
    }

    fn take_in(&self, told_anyway: bool) {
        let mut guard = held(&self.0.open);
        let Some(open) = guard.as_mut() else { return };
        let taken = match open.ledger.changed() {
            Ok(false) => Ok(false),
            Ok(true) => open.ledger.refresh().map(|()| true),
            Err(error) => Err(error),
        };
        let size = super::show::count(open.ledger.state().tree.size());
        match taken {
            Ok(changed) => {
                let healed = held(&self.0.trouble).take_if(|trouble| trouble.kind == w::ErrorKind::Cannot).is_some();
                let news = std::mem::replace(&mut open.told, size) != size;
                drop(guard);
                if changed || healed || news || told_anyway {
                    self.tell(HostEvent::LedgerChanged { size });
                }
            }
            Err(error) => {
                let integrity = error.kind == ErrorKind::Integrity;
                tracing::warn!(%error, "the ledger cannot be read");
                if integrity {
                    // From here on it is read as it was, and nothing is written to it.
                    open.ledger.condemn(error.clone());
                    open.verified = w::VerifiedState::Findings;
                }
                let mut trouble = held(&self.0.trouble);
                let told = trouble.as_ref().is_some_and(|before| before.code == error.code);
                if !told {
                    *trouble = Some(app_error(error));
                }
                drop((trouble, guard));
                if !told {
                    self.tell(HostEvent::LedgerChanged { size });
                }
            }
        }
    }

    fn lock_when_idle(&self) {
        let minutes = held(&self.0.settings).lock_minutes;
        let idle = held(&self.0.presence).seen.elapsed().as_secs();
        let due = minutes > 0 && idle >= u64::from(minutes) * 60;
        let locks =
            due && held(&self.0.open).as_ref().is_some_and(|open| open.me.is_some() && !open.ledger.state().sample());
        if locks {
            self.set_locked(true);
        }
    }

    pub(super) fn set_locked(&self, locked: bool) {
        let changed = {
            let mut presence = held(&self.0.presence);
            presence.seen = Instant::now();
            std::mem::replace(&mut presence.locked, locked) != locked
        };
        if changed {
            if locked {
                // What was prepared is not there for whoever comes next.
                held(&self.0.prepared).clear();
                super::signing::end(self, w::SigningChange::Closed);
            }
            self.tell(HostEvent::Locked(locked));
        }
    }

    /// Keeps a path and returns the token by which windows name it.
    pub fn register_path(&self, path: PathBuf) -> w::PathRef {
        let display = path.display().to_string();
        let mut paths = held(&self.0.paths);
        let known = paths.iter().find(|(_, known)| **known == path).map(|(token, _)| token.clone());
        let token = known.unwrap_or_else(|| {
            let token = uuid::Uuid::now_v7().to_string();
            paths.insert(token.clone(), path);
            token
        });
        w::PathRef { token, display }
    }

    /// Returns the path of a token.
    ///
    /// # Errors
    /// Nobody has picked it.
    pub fn path_of(&self, token: &str) -> Result<PathBuf, w::AppError> {
        self.picked(token).map_err(app_error)
    }

    pub(super) fn picked(&self, token: &str) -> Result<PathBuf, Error> {
        held(&self.0.paths).get(token).cloned().ok_or_else(|| {
            Error::new(ErrorKind::No, "not_picked", "nobody has picked that file")
                .hint("pick it in the system's dialog")
        })
    }

    /// Returns the moment, as windows are told it.
    pub(super) fn now(&self) -> String {
        clock::now().to_string()
    }
}

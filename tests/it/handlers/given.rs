//! A host with its directories, and what a page would do with it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use countersign_app::desk::Home;
use countersign_app::error::Error;
use countersign_app::handlers::{self, Host, HostEvent, HostOptions, Reports};
use countersign_app::ledger::Ledger;
use countersign_app::rollout::Pace;
use countersign_app::wire as w;
use countersign_core::bundle::Report;
use countersign_core::words::ReleaseId;
use tempfile::TempDir;

/// A host and the directories it lives in.
pub(crate) struct Given {
    pub(crate) host: Host,
    pub(crate) events: Arc<Mutex<Vec<HostEvent>>>,
    pub(crate) dir: TempDir,
}

/// Reports are made elsewhere; here they only have to travel.
struct Named;

impl Reports for Named {
    fn render(&self, _: &Ledger, _: Option<&ReleaseId>, form: Report) -> Result<Vec<u8>, Error> {
        Ok(format!("a report as {form}\n").into_bytes())
    }
}

pub(crate) fn options(dir: &Path) -> HostOptions {
    HostOptions {
        home: Home::at(dir.join("home")),
        config_dir: dir.join("config"),
        sample_dir: dir.join("data/sample"),
        build: "test".to_owned(),
        locale: "en_GB.UTF-8".to_owned(),
        zone: None,
        reports: Box::new(Named),
        pace: Pace {
            settle: Duration::from_secs(5),
            poll_max: Duration::from_millis(200),
            run_max: Duration::from_secs(120),
        },
    }
}

pub(crate) fn host_in(dir: TempDir) -> Given {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = events.clone();
    let host = Host::new(options(dir.path()), Box::new(move |event| seen.lock().unwrap().push(event))).unwrap();
    Given { host, events, dir }
}

/// Another process of the same user, at the same files.
pub(crate) fn host_in_place(given: &Given) -> Host {
    Host::new(options(given.dir.path()), Box::new(|_| {})).unwrap()
}

pub(crate) fn host() -> Given {
    host_in(tempfile::tempdir().unwrap())
}

impl Given {
    pub(crate) fn pick(&self, path: impl Into<PathBuf>) -> String {
        self.host.register_path(path.into()).token
    }

    /// Waits for a long act to end.
    #[track_caller]
    pub(crate) fn ended(&self, job: &w::JobRef) -> w::JobState {
        let began = Instant::now();
        loop {
            let state = handlers::desk::job(&self.host, w::JobId { job_id: job.job_id.clone() }).unwrap();
            if !matches!(state.phase, w::JobPhase::Running | w::JobPhase::Cancelling) {
                return state;
            }
            assert!(began.elapsed() < Duration::from_secs(180), "{state:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for a long act to end well.
    #[track_caller]
    pub(crate) fn done(&self, job: &w::JobRef) -> w::JobOutcome {
        let state = self.ended(job);
        state.outcome.clone().unwrap_or_else(|| panic!("{state:?}"))
    }

    /// Prepares an act and opens the signing window on it.
    #[track_caller]
    pub(crate) fn open(&self, intent: w::Intent) -> w::Challenge {
        let draft = handlers::forms::prepare(&self.host, intent).unwrap_or_else(|error| panic!("{error:?}"));
        handlers::signing::open(&self.host, &w::OpenSigning { draft_id: draft.draft_id }).unwrap();
        handlers::signing::signing_challenge(&self.host).unwrap()
    }

    #[track_caller]
    pub(crate) fn refused(&self, intent: w::Intent) -> w::AppError {
        handlers::forms::prepare(&self.host, intent).unwrap_err()
    }

    /// Answers a challenge as its page would.
    pub(crate) fn commit(&self, challenge: &w::Challenge, secret: &str) -> Result<w::SigningResult, w::AppError> {
        let commit = w::Commit {
            nonce: challenge.nonce.clone(),
            secret: secret.to_owned(),
            acknowledged: challenge.acknowledge.clone(),
        };
        handlers::signing::signing_commit(&self.host, commit)
    }

    /// Does an act from the main window to the receipt.
    #[track_caller]
    pub(crate) fn act(&self, intent: w::Intent, secret: &str) -> w::Receipt {
        let challenge = self.open(intent);
        match self.commit(&challenge, secret).unwrap_or_else(|error| panic!("{error:?}")) {
            w::SigningResult::Signed { receipt } => receipt,
            other => panic!("{other:?}"),
        }
    }

    /// Does what needs presence and goes on as a long act.
    #[track_caller]
    pub(crate) fn start(&self, intent: w::Intent, secret: &str) -> w::JobRef {
        let challenge = self.open(intent);
        match self.commit(&challenge, secret).unwrap_or_else(|error| panic!("{error:?}")) {
            w::SigningResult::Started { job, .. } => job,
            other => panic!("{other:?}"),
        }
    }

    /// Answers a sheet.
    #[track_caller]
    pub(crate) fn answer(&self, release: &str, verdict: w::Verdict, reason: &str, secret: &str) -> w::Receipt {
        let challenge = self.open(w::Intent::Answer { release: release.to_owned(), role: None });
        let chosen = handlers::signing::signing_choose(&self.host, choice(&challenge, verdict, reason)).unwrap();
        match self.commit(&chosen, secret).unwrap_or_else(|error| panic!("{error:?}")) {
            w::SigningResult::Signed { receipt } => receipt,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn become_person(&self, principal: &str) -> w::Session {
        handlers::desk::choose_person(&self.host, w::ChoosePerson { principal: principal.to_owned() }).unwrap()
    }

    #[track_caller]
    pub(crate) fn release(&self, release: &str) -> w::ReleaseView {
        handlers::release::release(&self.host, w::ReleaseRef { release: release.to_owned() }).unwrap()
    }
}

pub(crate) fn choice(challenge: &w::Challenge, verdict: w::Verdict, reason: &str) -> w::Choose {
    w::Choose {
        nonce: challenge.nonce.clone(),
        verdict: Some(verdict),
        role: None,
        meaning: None,
        reason: Some(reason.to_owned()),
        conditions: Vec::new(),
    }
}

pub(crate) fn page(offset: u32, limit: u32) -> w::Page {
    w::Page { offset, limit }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
}

/// A host with the sample open: built once, and copied for each test that changes it.
pub(crate) fn sample() -> Given {
    static BUILT: OnceLock<Mutex<Given>> = OnceLock::new();
    let built: MutexGuard<'_, Given> = BUILT
        .get_or_init(|| {
            let given = host();
            handlers::desk::open_sample(&given.host).unwrap_or_else(|error| panic!("{error:?}"));
            Mutex::new(given)
        })
        .lock()
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    for part in ["home", "data"] {
        copy(&built.dir.path().join(part), &dir.path().join(part));
    }
    let given = host_in(dir);
    handlers::desk::open_sample(&given.host).unwrap_or_else(|error| panic!("{error:?}"));
    given
}

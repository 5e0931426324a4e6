//! Which file lies where: the directory of a desk, which is one person's and one machine's, and that of a ledger.
//!
//! ```text
//! <home>/desks/<fingerprint>/          the desk of one ledger; secrets, 0700
//!     device.key  log.key              unencrypted, 0600
//!     keys/<principal>                 a person's key, under a passphrase
//!     pin  lockout.json                what was seen, what was tried
//!     commands.toml  credentials/      what may run here, and the secrets of connectors
//!     rollouts/                        locks: which process is at which rollout
//! <ledger>/                            no secrets; what a backup holds
//!     ledger.db  blobs/  projection.db
//! ```
//!
//! The home is `COUNTERSIGN_HOME`, or the place the platform keeps a program's state: `~/.local/state/countersign`,
//! `~/Library/Application Support/Countersign`, `%LOCALAPPDATA%\Countersign\data`.
//!
//! Deliberately absent: the content of these files.

use std::fs;
use std::path::{Path, PathBuf};

use countersign_core::hash::Digest;

use crate::durable::{self, FileError, TEMPORARY_PREFIX};

/// The environment variable that names the home, for tests and for a home on a stick.
pub const HOME_VARIABLE: &str = "COUNTERSIGN_HOME";

/// Why a desk has no place.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The platform names no directory for a program's state.
    #[error("no home directory: set {HOME_VARIABLE} to a directory that only you can read")]
    NoHome,
    /// `COUNTERSIGN_HOME` is not a full path.
    #[error("{HOME_VARIABLE} is `{0}`, which is not a full path")]
    RelativeHome(String),
    /// The name cannot be a file name on every platform.
    #[error(
        "`{0}` is not a principal: lower-case letters, digits and . _ + - before the @; letters, digits, . and - after it"
    )]
    NotAPrincipal(String),
    /// This desk has keys for the ledger already.
    #[error("this desk exists already at {}: its keys are never overwritten", .0.display())]
    AlreadyExists(PathBuf),
    /// A directory could not be used.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The directory of everything Countersign keeps for one user of one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// Finds the home: `COUNTERSIGN_HOME`, or the platform's place.
    ///
    /// # Errors
    /// [`DeskError::NoHome`] or [`DeskError::RelativeHome`].
    pub fn find() -> Result<Self, DeskError> {
        if let Some(value) = std::env::var_os(HOME_VARIABLE).filter(|value| !value.is_empty()) {
            let path = PathBuf::from(value);
            if !path.is_absolute() {
                return Err(DeskError::RelativeHome(path.display().to_string()));
            }
            return Ok(Self(path));
        }
        let dirs = directories::ProjectDirs::from("", "", "Countersign").ok_or(DeskError::NoHome)?;
        Ok(Self(dirs.state_dir().unwrap_or(dirs.data_local_dir()).to_owned()))
    }

    /// Takes a directory as home.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Returns the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Names the desk of the ledger with this fingerprint (the SHA-256 of entry 0); it may not exist yet.
    #[must_use]
    pub fn desk(&self, fingerprint: &Digest) -> DeskDir {
        DeskDir(self.0.join("desks").join(fingerprint.to_string()))
    }

    /// Lists the ledgers this user has a desk for.
    ///
    /// # Errors
    /// [`DeskError::File`].
    pub fn list(&self) -> Result<Vec<Digest>, DeskError> {
        let dir = self.0.join("desks");
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(FileError::io("list", &dir)(error).into()),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(FileError::io("list", &dir))?;
            found.extend(entry.file_name().to_str().and_then(|name| name.parse::<Digest>().ok()));
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Creates the desk of a known ledger, empty, or finds the one that is there.
    ///
    /// # Errors
    /// [`DeskError::File`].
    pub fn create_desk(&self, fingerprint: &Digest) -> Result<DeskDir, DeskError> {
        let desk = self.desk(fingerprint);
        durable::create_private_dir(&desk.keys())?;
        durable::restrict_dir(&desk.0)?;
        Ok(desk)
    }

    /// Creates a desk for a ledger that is about to begin: its keys sign entry 0, whose hash then names the desk.
    ///
    /// # Errors
    /// [`DeskError::File`].
    pub fn prepare_desk(&self) -> Result<PreparedDesk, DeskError> {
        let desks = self.0.join("desks");
        durable::create_private_dir(&desks)?;
        let dir = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .tempdir_in(&desks)
            .map_err(FileError::io("create a desk in", &desks))?;
        durable::restrict_dir(dir.path())?;
        let desk = DeskDir(dir.path().to_owned());
        durable::create_private_dir(&desk.keys())?;
        Ok(PreparedDesk { dir, desk, desks })
    }
}

/// A desk whose ledger has no entry yet; removed again unless it is [`settle`](Self::settle)d.
#[derive(Debug)]
pub struct PreparedDesk {
    dir: tempfile::TempDir,
    desk: DeskDir,
    desks: PathBuf,
}

impl PreparedDesk {
    /// Returns the files, under a name that will change.
    #[must_use]
    pub fn desk(&self) -> &DeskDir {
        &self.desk
    }

    /// Gives the desk its lasting name, flushed.
    ///
    /// Do so once entry 0 is signed and before it is appended: a crash in between leaves a desk without a ledger,
    /// which is harmless, and never a ledger without its keys.
    ///
    /// # Errors
    /// [`DeskError::AlreadyExists`] or [`DeskError::File`].
    pub fn settle(self, fingerprint: &Digest) -> Result<DeskDir, DeskError> {
        let lasting = self.desks.join(fingerprint.to_string());
        if lasting.symlink_metadata().is_ok() {
            return Err(DeskError::AlreadyExists(lasting));
        }
        durable::sync_dir(self.dir.path())?;
        fs::rename(self.dir.path(), &lasting).map_err(FileError::io("name the desk", &lasting))?;
        // The directory is no longer where `dir` would remove it, and must not be removed.
        let _ = self.dir.keep();
        durable::sync_dir(&self.desks)?;
        Ok(DeskDir(lasting))
    }
}

/// The files of one desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskDir(PathBuf);

impl DeskDir {
    /// Returns the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Says whether the desk is there.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.0.is_dir()
    }

    /// The key that signs what this machine has observed.
    #[must_use]
    pub fn device_key(&self) -> PathBuf {
        self.0.join("device.key")
    }

    /// The key that signs dispatches and attestations, where this machine is a dispatcher.
    #[must_use]
    pub fn dispatcher_key(&self) -> PathBuf {
        self.0.join("dispatcher.key")
    }

    /// The directory in which runs of local commands keep their records.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.0.join("runs")
    }

    /// The directory in which a process says that it is at a rollout of this ledger.
    #[must_use]
    pub fn rollouts(&self) -> PathBuf {
        self.0.join("rollouts")
    }

    /// The key that signs checkpoints.
    #[must_use]
    pub fn log_key(&self) -> PathBuf {
        self.0.join("log.key")
    }

    /// The directory of people's keys.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// The key of one person.
    ///
    /// # Errors
    /// [`DeskError::NotAPrincipal`] where the name is not safe as a file name everywhere.
    pub fn person_key(&self, principal: &str) -> Result<PathBuf, DeskError> {
        let refused = || DeskError::NotAPrincipal(principal.to_owned());
        let (name, host) = principal.split_once('@').ok_or_else(refused)?;
        let all = |text: &str, others: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || others.contains(c))
        };
        // Windows drops a dot at the end of a name, and a leading one would look like a leftover.
        if !all(name, "._+-") || !all(host, ".-") || principal.starts_with('.') || principal.ends_with('.') {
            return Err(refused());
        }
        Ok(self.keys().join(principal))
    }

    /// The head this desk has seen.
    #[must_use]
    pub fn pin(&self) -> PathBuf {
        self.0.join("pin")
    }

    /// The count of wrong passphrases.
    #[must_use]
    pub fn lockout(&self) -> PathBuf {
        self.0.join("lockout.json")
    }

    /// The commands this desk may run, each allowed by its holder (0600).
    #[must_use]
    pub fn commands(&self) -> PathBuf {
        self.0.join("commands.toml")
    }

    /// The directory of connectors' secrets (each 0600).
    #[must_use]
    pub fn credentials(&self) -> PathBuf {
        self.0.join("credentials")
    }
}

/// The files of one ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerDir(PathBuf);

impl LedgerDir {
    /// Names the ledger in a directory; it may not exist yet.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Creates the directory, private to this user.
    ///
    /// # Errors
    /// [`DeskError::File`].
    pub fn create(&self) -> Result<(), DeskError> {
        durable::create_private_dir(&self.0)?;
        Ok(durable::restrict_dir(&self.0)?)
    }

    /// Returns the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The entries.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.0.join("ledger.db")
    }

    /// The directory of files that entries name.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.0.join("blobs")
    }

    /// What is derived from the entries and may be deleted at any time.
    #[must_use]
    pub fn projection(&self) -> PathBuf {
        self.0.join("projection.db")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_principal_names_a_key() {
        let desk = Home::at("/home").desk(&Digest::of(b"genesis"));
        for good in ["alice@acme.example", "a.b_c+d-e@x-1.example", "1@2"] {
            assert_eq!(desk.person_key(good).unwrap(), desk.keys().join(good));
        }
        for bad in [
            "", "alice", "@", "a@", "@b", "A@b", "a@b.", ".a@b", "a@b@c", "../a@b", "a/b@c", "a@b/../c", "a\\b@c",
            "*@b", "a@b\n", "a b@c", "é@b",
        ] {
            assert!(matches!(desk.person_key(bad), Err(DeskError::NotAPrincipal(_))), "{bad:?}");
        }
    }

    #[test]
    fn a_desk_is_named_after_entry_0_once_that_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("home"));
        let fingerprint = Digest::of(b"genesis");
        assert_eq!(home.list().unwrap(), []);
        let prepared = home.prepare_desk().unwrap();
        durable::write_new(&prepared.desk().device_key(), b"key").unwrap();
        assert_eq!(home.list().unwrap(), [], "a prepared desk is nobody's");
        let desk = prepared.settle(&fingerprint).unwrap();
        assert_eq!((home.list().unwrap(), desk), (vec![fingerprint], home.desk(&fingerprint)));
        assert_eq!(fs::read(home.desk(&fingerprint).device_key()).unwrap(), b"key");
        assert_eq!(home.create_desk(&fingerprint).unwrap(), home.desk(&fingerprint));

        let again = home.prepare_desk().unwrap();
        let abandoned = again.desk().path().to_owned();
        assert!(matches!(again.settle(&fingerprint), Err(DeskError::AlreadyExists(_))));
        assert!(!abandoned.exists(), "keys that were never used do not stay");
        assert!(home.desk(&fingerprint).device_key().exists());
    }

    #[cfg(unix)]
    #[test]
    fn desks_and_ledgers_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("home"));
        let desk = home.create_desk(&Digest::of(b"genesis")).unwrap();
        let ledger = LedgerDir::at(dir.path().join("ledger"));
        fs::create_dir(ledger.path()).unwrap();
        fs::set_permissions(ledger.path(), fs::Permissions::from_mode(0o755)).unwrap();
        ledger.create().unwrap();
        for path in [home.path(), desk.path(), &desk.keys(), ledger.path()] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700, "{}", path.display());
        }
    }
}

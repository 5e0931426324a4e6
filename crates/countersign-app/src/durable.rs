//! Files that survive a crash: private to one user, whole or absent, and on the disk before anybody says so.
//!
//! A file is written beside its place, flushed, and renamed into it; then the directory is flushed. After a crash
//! the place holds the old bytes or the new bytes, never a mixture; what may stay behind is a file whose name begins
//! with [`TEMPORARY_PREFIX`], which nobody reads.
//!
//! Deliberately absent: any knowledge of what the files mean, and access lists on Windows, where a file inherits
//! those of its directory (the user's own profile).

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use countersign_core::hash::Digest;
use sha2::Digest as _;

/// The beginning of the name of a file that is still being written, or was when a crash came.
pub const TEMPORARY_PREFIX: &str = ".tmp-";

/// How long [`lock`] waits for another process: holders keep a lock for a few flushes, so longer means a stuck one.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Why a file could not be read, written or locked.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refused.
    #[error("could not {act} {}: {source}", path.display())]
    Io {
        /// What was attempted, as a verb.
        act: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The answer of the operating system.
        source: io::Error,
    },
    /// A secret lies in a file that others can read or write.
    #[error("{} is open to other users (mode {mode:03o}): run `chmod 600` on it and consider the secret known", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A directory, device or pipe stands where a file belongs.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file is larger than anything that belongs there.
    #[error("{} is larger than {limit_bytes} bytes, which is more than belongs there", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest size accepted.
        limit_bytes: u64,
    },
    /// Another process keeps the lock.
    #[error("{} has been locked by another process for {} s: close it and try again", path.display(), LOCK_WAIT.as_secs())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
}

impl FileError {
    /// Wraps an error of the operating system; `act` is a verb such as "read".
    pub fn io(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { act, path, source }
    }

    /// Says whether the file is simply not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Says whether something already stands where a new file was to be.
    #[must_use]
    pub fn is_already_there(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists)
    }
}

/// Creates a directory and its missing parents, each for this user alone (0700) and flushed; one that exists is left
/// as it is.
///
/// # Errors
/// [`FileError::Io`].
pub fn create_private_dir(path: &Path) -> Result<(), FileError> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_private_dir(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        // Another process made it meanwhile; it is flushed below all the same.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        created => created.map_err(FileError::io("create", path))?,
    }
    sync_parent(path)
}

/// Takes a directory's permissions for others away (0700).
///
/// # Errors
/// [`FileError::Io`].
pub fn restrict_dir(path: &Path) -> Result<(), FileError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map_err(FileError::io("inspect", path))?.permissions().mode();
        if mode & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(FileError::io("restrict", path))?;
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Flushes a directory, so that the names in it survive a crash; on Windows the file system does this itself.
///
/// # Errors
/// [`FileError::Io`].
pub fn sync_dir(path: &Path) -> Result<(), FileError> {
    #[cfg(unix)]
    {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        File::open(path).and_then(|dir| dir.sync_all()).map_err(FileError::io("flush", path))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Flushes the directory a path lies in.
///
/// # Errors
/// [`FileError::Io`].
pub fn sync_parent(path: &Path) -> Result<(), FileError> {
    sync_dir(parent(path))
}

/// Writes a new private file (0600) and flushes it; never overwrites.
///
/// # Errors
/// [`FileError::Io`], for which [`FileError::is_already_there`] holds where the name is taken.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let file = write_beside(path, bytes)?;
    file.persist_noclobber(path).map_err(|error| FileError::io("create", path)(error.error))?;
    sync_parent(path)
}

/// Writes a private file (0600) in place of what is there, in one step, and flushes it.
///
/// # Errors
/// [`FileError::Io`]; the old bytes are then still there, or the new ones are whole.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let file = write_beside(path, bytes)?;
    file.persist(path).map_err(|error| FileError::io("replace", path)(error.error))?;
    sync_parent(path)
}

/// Reads a whole file of at most `limit_bytes`.
///
/// # Errors
/// [`FileError::Io`], for which [`FileError::is_not_found`] holds where there is no file; [`FileError::NotAFile`],
/// [`FileError::TooLarge`].
pub fn read(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, FileError> {
    read_open(open_regular(path)?, path, limit_bytes)
}

/// Returns the SHA-256 of a file of any size, read piece by piece.
///
/// # Errors
/// [`FileError::Io`], [`FileError::NotAFile`].
pub fn digest(path: &Path) -> Result<Digest, FileError> {
    let mut file = open_regular(path)?;
    let (mut hasher, mut piece) = (sha2::Sha256::new(), vec![0; 256 << 10]);
    loop {
        match file.read(&mut piece).map_err(FileError::io("read", path))? {
            0 => return Ok(Digest::from_bytes(hasher.finalize().into())),
            count => hasher.update(&piece[..count]),
        }
    }
}

/// Reads a secret: a file as [`read`] takes it that no other user may read or write.
///
/// The permissions checked are those of the very file that is then read.
///
/// # Errors
/// Those of [`read`], and [`FileError::Exposed`].
pub fn read_private(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, FileError> {
    let file = open_regular(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().map_err(FileError::io("inspect", path))?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(FileError::Exposed { path: path.to_owned(), mode });
        }
    }
    read_open(file, path, limit_bytes)
}

/// A lock between processes, held until it is dropped; a process that dies lets go of it.
#[derive(Debug)]
#[must_use = "the lock is let go of when this is dropped"]
pub struct FileLock(#[expect(dead_code, reason = "dropping the file is what unlocks")] File);

/// Locks a file of its own beside what it guards, creating it where needed, and waits up to ten seconds.
///
/// The guarded file cannot be its own lock: it is replaced by renaming, and a lock stays with the old one.
///
/// # Errors
/// [`FileError::Locked`] or [`FileError::Io`].
pub fn lock(path: &Path) -> Result<FileLock, FileError> {
    let started = Instant::now();
    loop {
        if let Some(lock) = try_lock(path)? {
            return Ok(lock);
        }
        if started.elapsed() >= LOCK_WAIT {
            return Err(FileError::Locked { path: path.to_owned() });
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Locks a file as [`lock`] does, without waiting; none while another process, or another part of this one, has it.
///
/// # Errors
/// [`FileError::Io`].
pub fn try_lock(path: &Path) -> Result<Option<FileLock>, FileError> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(FileError::io("open", path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(FileLock(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(FileError::io("lock", path)(source)),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn write_beside(path: &Path, bytes: &[u8]) -> Result<tempfile::NamedTempFile, FileError> {
    // A temporary file is created with mode 0600, so the bytes are never visible to others, not even for a moment.
    let mut file = tempfile::Builder::new()
        .prefix(TEMPORARY_PREFIX)
        .tempfile_in(parent(path))
        .map_err(FileError::io("create a file beside", path))?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(FileError::io("write", path))?;
    Ok(file)
}

fn open_regular(path: &Path) -> Result<File, FileError> {
    let file = File::open(path).map_err(FileError::io("open", path))?;
    let metadata = file.metadata().map_err(FileError::io("inspect", path))?;
    if metadata.is_file() { Ok(file) } else { Err(FileError::NotAFile { path: path.to_owned() }) }
}

fn read_open(file: File, path: &Path, limit_bytes: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    file.take(limit_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(FileError::io("read", path))?;
    if bytes.len() as u64 > limit_bytes {
        return Err(FileError::TooLarge { path: path.to_owned(), limit_bytes });
    }
    Ok(bytes)
}

//! Copies of a whole ledger that were verified when they were made, and are verified again before they are used.
//!
//! ```text
//! <backup>/ledger.db            by SQLite's backup interface, as of one moment
//!         /blobs/sha256/…       every file entries name
//!         /checkpoint           the signed head, as text
//!         /manifest.json        fingerprint, head, and size and SHA-256 of each file above
//! ```
//!
//! The entries are copied before the blobs, and a blob is written before the entry that names it, so no entry of a
//! backup names a blob that came too late. A backup and a restored ledger appear under their names only when they are
//! complete, verified and flushed; after a crash there is at most a directory whose name begins with
//! [`TEMPORARY_PREFIX`](crate::durable::TEMPORARY_PREFIX).
//!
//! Verified here: that each file is the one in the manifest, that the leaves hash to the head and the checkpoint is
//! the one stored with it, that each blob hashes to its name. Signatures are for `verify`. Whether a restored ledger
//! is older than what a desk has seen, its pin says.
//!
//! Deliberately absent: keys, pins, and anything else of a desk: a backup holds no secret of this program.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use countersign_core::hash::Digest;
use countersign_core::merkle::{Head, Tree, leaf_hash};
use serde::{Deserialize, Serialize};

use crate::blob::{BlobError, BlobStore, LIMIT_BYTES};
use crate::desk::LedgerDir;
use crate::durable::{self, FileError, TEMPORARY_PREFIX};
use crate::store::{SqliteStore, Store, StoreError, StoredHead};

const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
const CHECKPOINT: &str = "checkpoint";
const MANIFEST_LIMIT_BYTES: u64 = 256 * 1024 * 1024;

/// How many leaves are held in memory at once, at most 64 KiB each.
const CHUNK: u64 = 512;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The SHA-256 of the bytes of entry 0.
    pub fingerprint: Digest,
    /// Its head.
    pub head: Head,
    /// How many blobs it has.
    pub blobs: usize,
    /// Blobs that were damaged in the ledger when it was copied, and are not in the backup.
    pub damaged: Vec<Digest>,
}

/// Why a backup could not be made, or is not to be used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something is there already.
    #[error("{} exists already and is not empty: name a new directory", .0.display())]
    AlreadyExists(PathBuf),
    /// A ledger without entries.
    #[error("the ledger has no entries yet: there is nothing to back up")]
    Empty,
    /// The directory is no backup.
    #[error("{} is not a backup: {why}", path.display())]
    NotABackup {
        /// The directory.
        path: PathBuf,
        /// What is missing or wrong.
        why: String,
    },
    /// The backup is not what was made.
    #[error("the backup is damaged: {0}; use another one")]
    Damaged(String),
    /// The ledger's own leaves do not hash to its head.
    #[error("the ledger's {size} entries have the root {found}, its head says {expected}: run `countersign verify`")]
    RootMismatch {
        /// How many entries there are.
        size: u64,
        /// The root in the head.
        expected: Digest,
        /// The root of the leaves.
        found: Digest,
    },
    /// A ledger could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A blob could not be read or written.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A file could not be used.
    #[error(transparent)]
    File(#[from] FileError),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    fingerprint: Digest,
    head: Head,
    damaged: Vec<Digest>,
    files: Vec<ManifestFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestFile {
    /// Relative, with `/` between its parts.
    path: String,
    bytes: u64,
    sha256: Digest,
}

/// Copies a ledger into the new directory `destination` and verifies the copy; others may read and append meanwhile.
///
/// A damaged blob does not prevent the backup; it is left out and named in the result.
///
/// # Errors
/// [`BackupError::AlreadyExists`], [`BackupError::Empty`], [`BackupError::RootMismatch`], or what reading and writing
/// refuse.
pub fn back_up(store: &SqliteStore, blobs: &BlobStore, destination: &Path) -> Result<Backup, BackupError> {
    let partial = Partial::beside(destination)?;
    let copy = LedgerDir::at(partial.dir.path());
    store.copy_to(&copy.database())?;
    let (stored, fingerprint) = load_verified(&copy.database())?;
    durable::write_new(&partial.dir.path().join(CHECKPOINT), stored.checkpoint.as_bytes())?;
    let copies = BlobStore::new(copy.blobs()).with_limit(u64::MAX);
    let blobs = blobs.clone().with_limit(u64::MAX);
    let mut damaged = Vec::new();
    for digest in blobs.list()? {
        match blobs.read(&digest) {
            Ok(bytes) => {
                copies.write(&bytes)?;
            }
            Err(BlobError::Corrupt { .. } | BlobError::Missing { .. }) => damaged.push(digest),
            Err(error) => return Err(error.into()),
        }
    }
    let files = list_files(partial.dir.path())?
        .into_iter()
        .map(|path| describe(partial.dir.path(), path))
        .collect::<Result<_, _>>()?;
    let manifest = Manifest { format: FORMAT, fingerprint, head: stored.head, damaged, files };
    let text = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| BackupError::Damaged(format!("its manifest cannot be written: {error}")))?;
    durable::write_new(&partial.dir.path().join(MANIFEST), &text)?;
    let backup = verify_backup(partial.dir.path())?;
    partial.settle(destination)?;
    Ok(backup)
}

/// Verifies a backup: every file, every leaf, every blob.
///
/// # Errors
/// [`BackupError::NotABackup`], [`BackupError::Damaged`], or what reading refuses.
pub fn verify_backup(path: &Path) -> Result<Backup, BackupError> {
    let not_a_backup = |why: String| BackupError::NotABackup { path: path.to_owned(), why };
    let text = durable::read(&path.join(MANIFEST), MANIFEST_LIMIT_BYTES).map_err(|error| match error {
        error if error.is_not_found() => not_a_backup(format!("it has no {MANIFEST}")),
        error => error.into(),
    })?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| not_a_backup(error.to_string()))?;
    if manifest.format != FORMAT {
        return Err(not_a_backup(format!("its format is {}, this version knows {FORMAT}", manifest.format)));
    }
    let mut found = list_files(path)?;
    found.retain(|file| file != MANIFEST);
    for file in &found {
        // Checked before the database is opened: a journal put beside it would change what it says.
        let Some(expected) = manifest.files.iter().find(|expected| expected.path == *file) else {
            return Err(BackupError::Damaged(format!("`{file}` was added")));
        };
        if describe(path, file.clone())? != *expected {
            return Err(BackupError::Damaged(format!("`{file}` was changed")));
        }
    }
    if let Some(missing) = manifest.files.iter().find(|file| !found.contains(&file.path)) {
        return Err(BackupError::Damaged(format!("`{}` is missing", missing.path)));
    }
    let ledger = LedgerDir::at(path);
    let (stored, fingerprint) = load_verified(&ledger.database())?;
    if stored.head != manifest.head || fingerprint != manifest.fingerprint {
        return Err(BackupError::Damaged("its entries are not those of its manifest".to_owned()));
    }
    if durable::read(&path.join(CHECKPOINT), LIMIT_BYTES)? != stored.checkpoint.as_bytes() {
        return Err(BackupError::Damaged("its checkpoint is not that of its entries".to_owned()));
    }
    let blobs = BlobStore::new(ledger.blobs()).with_limit(u64::MAX);
    let digests = blobs.list()?;
    for digest in &digests {
        blobs.read(digest)?;
    }
    // What is neither an entry, nor the checkpoint, nor a blob, has no business in a backup.
    if found.len() != digests.len() + 2 {
        return Err(BackupError::Damaged("it holds files that are neither entries nor blobs".to_owned()));
    }
    Ok(Backup {
        fingerprint: manifest.fingerprint,
        head: manifest.head,
        blobs: digests.len(),
        damaged: manifest.damaged,
    })
}

/// Restores a verified backup into a directory that is absent or empty, and verifies the result.
///
/// Check the pin afterwards: it raises its alarm where this desk has seen more than the backup holds.
///
/// # Errors
/// Those of [`verify_backup`]; [`BackupError::AlreadyExists`], or what writing refuses.
pub fn restore(backup: &Path, ledger: &LedgerDir) -> Result<Backup, BackupError> {
    let expected = verify_backup(backup)?;
    let partial = Partial::beside(ledger.path())?;
    for file in list_files(backup)? {
        copy_file(&join(backup, &file), &join(partial.dir.path(), &file))?;
    }
    // The copy is what will be used, so the copy is what is verified.
    if verify_backup(partial.dir.path())? != expected {
        return Err(BackupError::Damaged("it changed while it was restored".to_owned()));
    }
    for file in [MANIFEST, CHECKPOINT] {
        let path = partial.dir.path().join(file);
        fs::remove_file(&path).map_err(FileError::io("remove", &path))?;
    }
    durable::sync_dir(partial.dir.path())?;
    partial.settle(ledger.path())?;
    Ok(expected)
}

/// A directory that is being filled, removed again unless it settles.
struct Partial {
    dir: tempfile::TempDir,
}

impl Partial {
    /// Makes a private directory beside `destination`, which must be absent or empty.
    fn beside(destination: &Path) -> Result<Self, BackupError> {
        refuse_content(destination)?;
        let parent = destination.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        durable::create_private_dir(parent)?;
        let parent = fs::canonicalize(parent).map_err(FileError::io("open", parent))?;
        let dir = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .tempdir_in(&parent)
            .map_err(FileError::io("create a directory in", &parent))?;
        durable::restrict_dir(dir.path())?;
        Ok(Self { dir })
    }

    /// Gives the directory its name.
    fn settle(self, destination: &Path) -> Result<(), BackupError> {
        refuse_content(destination)?;
        if destination.exists() {
            fs::remove_dir(destination).map_err(FileError::io("replace the empty", destination))?;
        }
        fs::rename(self.dir.path(), destination).map_err(FileError::io("name", destination))?;
        let _ = self.dir.keep();
        Ok(durable::sync_parent(destination)?)
    }
}

fn refuse_content(destination: &Path) -> Result<(), BackupError> {
    match fs::read_dir(destination).map(|entries| entries.count()) {
        Ok(0) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => Err(BackupError::AlreadyExists(destination.to_owned())),
    }
}

/// Reads all leaves of a ledger file, checks that they hash to its head, and returns head and fingerprint.
fn load_verified(database: &Path) -> Result<(StoredHead, Digest), BackupError> {
    let store = SqliteStore::open_read_only(database)?;
    let stored = store.head()?.ok_or(BackupError::Empty)?;
    let mut fingerprint = None;
    let mut tree = Tree::new();
    while tree.size() < stored.head.size {
        let end = stored.head.size.min(tree.size() + CHUNK);
        for leaf in store.read(tree.size()..end)? {
            fingerprint.get_or_insert_with(|| Digest::of(&leaf));
            tree.append(leaf_hash(&leaf));
        }
    }
    if tree.root() != stored.head.root {
        return Err(BackupError::RootMismatch {
            size: stored.head.size,
            expected: stored.head.root,
            found: tree.root(),
        });
    }
    Ok((stored, fingerprint.ok_or(BackupError::Empty)?))
}

/// Lists the regular files below a directory, relative, sorted; anything else there is refused.
fn list_files(root: &Path) -> Result<Vec<String>, BackupError> {
    let mut files = Vec::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).map_err(FileError::io("list", &dir))? {
            let entry = entry.map_err(FileError::io("list", &dir))?;
            let kind = entry.file_type().map_err(FileError::io("inspect", &entry.path()))?;
            if kind.is_dir() {
                dirs.push(entry.path());
            } else if kind.is_file() {
                files.push(relative(root, &entry.path())?);
            } else {
                return Err(BackupError::Damaged(format!("{} is not a regular file", entry.path().display())));
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn relative(root: &Path, path: &Path) -> Result<String, BackupError> {
    let odd = || BackupError::Damaged(format!("{} has an odd name", path.display()));
    let parts: Option<Vec<&str>> = path
        .strip_prefix(root)
        .map_err(|_| odd())?
        .components()
        .map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    Ok(parts.ok_or_else(odd)?.join("/"))
}

fn join(root: &Path, relative: &str) -> PathBuf {
    relative.split('/').fold(root.to_owned(), |path, part| path.join(part))
}

fn describe(root: &Path, path: String) -> Result<ManifestFile, FileError> {
    let (bytes, sha256) = copy_hashed(&join(root, &path), &mut io::sink())?;
    Ok(ManifestFile { path, bytes, sha256 })
}

fn copy_file(from: &Path, to: &Path) -> Result<(), FileError> {
    if let Some(parent) = to.parent() {
        durable::create_private_dir(parent)?;
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(to).map_err(FileError::io("create", to))?;
    copy_hashed(from, &mut file)?;
    file.sync_all().map_err(FileError::io("flush", to))?;
    durable::sync_parent(to)
}

/// Copies a file of any size and returns its length and digest.
fn copy_hashed(from: &Path, to: &mut impl Write) -> Result<(u64, Digest), FileError> {
    use sha2::Digest as _;
    let mut file = File::open(from).map_err(FileError::io("open", from))?;
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut length = 0;
    loop {
        let count = file.read(&mut buffer).map_err(FileError::io("read", from))?;
        if count == 0 {
            return Ok((length, Digest::from_bytes(hasher.finalize().into())));
        }
        hasher.update(&buffer[..count]);
        to.write_all(&buffer[..count]).map_err(FileError::io("copy", from))?;
        length += count as u64;
    }
}

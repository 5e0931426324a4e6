//! Evidence and other bytes too long for an entry, each under the SHA-256 of its content.
//!
//! `<dir>/sha256/ab/<64 hex>`; a blob is flushed, with its name, before [`BlobStore::write`] returns, so that an
//! entry can name it afterwards. What a crash leaves behind: before the name is flushed, a blob that no entry names
//! (harmless, and adopted when it is written again) or a file beginning with [`durable::TEMPORARY_PREFIX`] that nobody reads.
//!
//! Reading always hashes again: absent, damaged and sound are three different answers.
//!
//! Deliberately absent: removing, counting references, compressing.

use std::fs;
use std::path::{Path, PathBuf};

use countersign_core::hash::Digest;

use crate::durable::{self, FileError};

/// The largest blob taken where nothing else is said.
pub const LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// A directory of blobs.
#[derive(Debug, Clone)]
pub struct BlobStore {
    dir: PathBuf,
    limit_bytes: u64,
}

/// Why a blob could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is no blob of this digest.
    #[error("the file {digest} is missing: restore it from a backup or from where it came")]
    Missing {
        /// The digest asked for.
        digest: Digest,
    },
    /// The bytes under this digest have another one.
    #[error("the file {digest} is damaged, its content is {actual}: restore it from a backup")]
    Corrupt {
        /// The digest asked for.
        digest: Digest,
        /// The digest of what is there.
        actual: Digest,
    },
    /// More bytes than a blob may have.
    #[error("{bytes} bytes are more than the {limit_bytes} a file may have")]
    TooLarge {
        /// How many there are, or as many as were looked at.
        bytes: u64,
        /// How many there may be.
        limit_bytes: u64,
    },
    /// A file or directory could not be used.
    #[error(transparent)]
    File(#[from] FileError),
}

impl BlobStore {
    /// Names the blobs in `dir`, of at most [`LIMIT_BYTES`] each; directories are made when the first is written.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), limit_bytes: LIMIT_BYTES }
    }

    /// Sets the largest blob taken.
    #[must_use]
    pub fn with_limit(self, limit_bytes: u64) -> Self {
        Self { limit_bytes, ..self }
    }

    /// Returns the directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns where the blob of this digest lies, or would lie.
    #[must_use]
    pub fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.to_string();
        self.dir.join("sha256").join(&hex[..2]).join(hex)
    }

    /// Writes a blob, flushed with its name, and returns its digest.
    ///
    /// Writing the same bytes again changes nothing; a damaged blob of this digest is replaced by the sound bytes.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`] or [`BlobError::File`].
    pub fn write(&self, bytes: &[u8]) -> Result<Digest, BlobError> {
        let length = bytes.len() as u64;
        if length > self.limit_bytes {
            return Err(BlobError::TooLarge { bytes: length, limit_bytes: self.limit_bytes });
        }
        let digest = Digest::of(bytes);
        let path = self.path(&digest);
        match self.read(&digest) {
            Ok(_) => {
                // Another process may have put it there a moment ago and not have flushed it yet.
                let file = fs::File::options().read(true).write(cfg!(windows)).open(&path);
                file.and_then(|file| file.sync_all()).map_err(FileError::io("flush", &path))?;
                durable::sync_parent(&path)?;
            }
            Err(BlobError::Missing { .. }) => {
                if let Some(parent) = path.parent() {
                    durable::create_private_dir(parent)?;
                }
                durable::replace(&path, bytes)?;
            }
            Err(BlobError::Corrupt { .. } | BlobError::TooLarge { .. }) => durable::replace(&path, bytes)?,
            Err(error) => return Err(error),
        }
        Ok(digest)
    }

    /// Reads a blob and checks that it is the one asked for.
    ///
    /// # Errors
    /// Any [`BlobError`].
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        let bytes = durable::read(&self.path(digest), self.limit_bytes).map_err(|error| match error {
            error if error.is_not_found() => BlobError::Missing { digest: *digest },
            FileError::TooLarge { limit_bytes, .. } => BlobError::TooLarge { bytes: limit_bytes + 1, limit_bytes },
            error => error.into(),
        })?;
        match Digest::of(&bytes) {
            actual if actual == *digest => Ok(bytes),
            actual => Err(BlobError::Corrupt { digest: *digest, actual }),
        }
    }

    /// Deletes the bytes of a file, flushed; says whether they were there.
    ///
    /// # Errors
    /// [`BlobError::File`].
    pub fn remove(&self, digest: &Digest) -> Result<bool, BlobError> {
        let path = self.path(digest);
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(FileError::io("remove", &path)(error).into()),
        }
        durable::sync_parent(&path)?;
        Ok(true)
    }

    /// Lists the digests of all blobs by their names, in order; says nothing about their content.
    ///
    /// # Errors
    /// [`BlobError::File`].
    pub fn list(&self) -> Result<Vec<Digest>, BlobError> {
        let mut digests = Vec::new();
        for dir in entries(&self.dir.join("sha256"))? {
            if !dir.is_dir() {
                continue;
            }
            for file in entries(&dir)? {
                let digest = file.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
                // A file in the wrong place is not found by its digest, so it is not a blob.
                digests.extend(digest.filter(|digest| self.path(digest) == file));
            }
        }
        digests.sort_unstable();
        Ok(digests)
    }
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, FileError> {
    match fs::read_dir(dir) {
        Ok(entries) => entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .map_err(FileError::io("list", dir)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(FileError::io("list", dir)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, BlobStore) {
        let dir = tempfile::tempdir().unwrap();
        let blobs = BlobStore::new(dir.path().join("blobs"));
        (dir, blobs)
    }

    #[test]
    fn what_is_written_is_read_under_its_digest_and_listed_once() {
        let (_dir, blobs) = store();
        let contents: [&[u8]; 3] = [b"", b"regression.xml", &[0; 100_000]];
        let mut digests: Vec<_> = contents.iter().map(|bytes| blobs.write(bytes).unwrap()).collect();
        assert_eq!(blobs.write(contents[1]).unwrap(), Digest::of(contents[1]));
        for (digest, bytes) in digests.iter().zip(contents) {
            assert_eq!(blobs.read(digest).unwrap(), bytes);
        }
        digests.sort_unstable();
        assert_eq!(blobs.list().unwrap(), digests);
    }

    #[test]
    fn absent_and_damaged_are_different_and_writing_again_heals() {
        let (_dir, blobs) = store();
        let digest = Digest::of(b"sound");
        assert_eq!(blobs.list().unwrap(), []);
        assert!(matches!(blobs.read(&digest), Err(BlobError::Missing { .. })));
        blobs.write(b"sound").unwrap();
        for damage in [&b"sount"[..], b"", b"sound and more"] {
            fs::write(blobs.path(&digest), damage).unwrap();
            let found = blobs.read(&digest).unwrap_err();
            assert!(matches!(found, BlobError::Corrupt { actual, .. } if actual == Digest::of(damage)));
            assert_eq!(blobs.write(b"sound").unwrap(), digest);
            assert_eq!(blobs.read(&digest).unwrap(), b"sound");
        }
        fs::remove_file(blobs.path(&digest)).unwrap();
        fs::create_dir(blobs.path(&digest)).unwrap();
        assert!(matches!(blobs.read(&digest), Err(BlobError::File(_))), "a directory is no blob");
    }

    #[test]
    fn nothing_beyond_the_limit_is_written_or_read() {
        let (_dir, blobs) = store();
        let small = blobs.clone().with_limit(4);
        assert!(matches!(small.write(b"12345"), Err(BlobError::TooLarge { bytes: 5, limit_bytes: 4 })));
        assert_eq!(blobs.list().unwrap(), []);
        let digest = blobs.write(b"12345").unwrap();
        assert!(matches!(small.read(&digest), Err(BlobError::TooLarge { .. })));
        assert_eq!(small.write(b"1234").unwrap(), Digest::of(b"1234"));
    }

    #[test]
    fn leftovers_of_a_crash_are_not_blobs() {
        let (_dir, blobs) = store();
        let digest = blobs.write(b"sound").unwrap();
        let beside = blobs.path(&digest).with_file_name(format!("{}x1", durable::TEMPORARY_PREFIX));
        fs::write(beside, b"sou").unwrap();
        let misplaced = blobs.path(&digest).with_file_name(Digest::of(b"elsewhere").to_string());
        fs::write(misplaced, b"elsewhere").unwrap();
        assert_eq!(blobs.list().unwrap(), [digest]);
    }

    #[cfg(unix)]
    #[test]
    fn blobs_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let (_dir, blobs) = store();
        let path = blobs.path(&blobs.write(b"secret of the trade").unwrap());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }
}

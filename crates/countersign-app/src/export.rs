//! Copies of a ledger that leave it, and copies that come in: bundles as files.
//!
//! What a bundle is, and what it is worth, is decided over its bytes in [`countersign_core::bundle`]; here they are
//! gathered, written and unpacked. A copy is judged before it is handed out, from the very bytes that were made, by the
//! fingerprint of the ledger it was made of; the caller is told the verdict and decides.
//!
//! The crash story: the file appears whole under its name or not at all, and what was there before stays until then.
//! Unpacking writes only into a directory it has made itself; a crash leaves that directory incomplete, which every
//! verifier says of it.
//!
//! Deliberately absent: the report (its bytes come in), the entry that records the export, and encryption.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use countersign_core::bundle::{self, BundleError, Content, Files, Report};
use countersign_core::hash::Digest;
use countersign_core::verify::{Anchor, Verification, VerifyFinding};
use countersign_core::words::ReleaseId;
use ed25519_dalek::SigningKey;

use crate::blob::BlobError;
use crate::durable::{self, FileError};
use crate::error::{Error, ErrorKind};

/// The largest bundle that is read, 1 GiB.
pub const BUNDLE_BYTES_MAX: u64 = bundle::zip::BYTES_MAX as u64;

/// What a copy is made of.
pub struct Source<'a> {
    /// Every leaf of the ledger, in order.
    pub leaves: Vec<Vec<u8>>,
    /// The signed head over them.
    pub checkpoint: &'a str,
    /// Only this release; the whole ledger when `None`.
    pub release: Option<&'a ReleaseId>,
    /// Reads a file that an entry names.
    pub blob: &'a mut dyn FnMut(&Digest) -> Result<Vec<u8>, BlobError>,
    /// The report in its forms.
    pub reports: Vec<(Report, Vec<u8>)>,
}

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { leaves, release, .. } = self;
        f.debug_struct("Source").field("leaves", &leaves.len()).field("release", release).finish_non_exhaustive()
    }
}

/// A copy that was written.
#[derive(Debug)]
pub struct Exported {
    /// Where.
    pub path: PathBuf,
    /// How many bytes.
    pub size: u64,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// The files that entries name and that could not be had, each with the reason; the copy lacks them. A file that
    /// need not be kept and was not is none of them.
    pub left_out: Vec<(Digest, String)>,
    /// What the copy is worth to whoever knows the ledger's fingerprint.
    pub verification: Verification,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The parts do not fit together, or into one bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A file that an entry names could not be looked at.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A file or directory could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The bytes are no bundle.
    #[error("{} is not a bundle: {}", path.display(), findings.first().map(ToString::to_string).unwrap_or_default())]
    NotABundle {
        /// The file.
        path: PathBuf,
        /// Everything that is wrong with it.
        findings: Vec<VerifyFinding>,
    },
}

impl From<ExportError> for Error {
    fn from(error: ExportError) -> Self {
        let message = error.to_string();
        match error {
            ExportError::Blob(error) => error.into(),
            ExportError::File(error) if error.is_already_there() => Self::new(ErrorKind::No, "already_there", message)
                .hint("nothing is ever unpacked over something else; name a directory that is not there yet"),
            ExportError::File(error) => error.into(),
            ExportError::NotABundle { .. } => Self::new(ErrorKind::Integrity, "not_a_bundle", message),
            ExportError::Bundle(BundleError::NoRelease(_)) => Self::not_found(message),
            ExportError::Bundle(BundleError::Checkpoint(_)) => Self::new(ErrorKind::Integrity, "checkpoint", message),
            ExportError::Bundle(_) => Self::new(ErrorKind::Cannot, "export", message),
        }
    }
}

/// Makes a copy, judges it and writes it to `out`, in place of what is there.
///
/// Files that are missing or damaged are left out and told; the verdict then says `incomplete`. A ledger that is itself
/// not sound is copied as it is; the verdict then says `invalid`.
///
/// # Errors
/// See [`ExportError`]; `out` is then as it was.
pub fn export(source: Source<'_>, device_key: &SigningKey, out: &Path) -> Result<Exported, ExportError> {
    let Source { leaves, checkpoint, release, blob, reports } = source;
    let fingerprint = leaves.first().map(|leaf| Digest::of(leaf));
    let mut left_out = Vec::new();
    let mut failed = None;
    let mut read = |digest: &Digest| match blob(digest) {
        Ok(bytes) => Some(bytes),
        Err(error @ (BlobError::Missing { .. } | BlobError::Corrupt { .. })) => {
            left_out.push((*digest, error));
            None
        }
        Err(error) => {
            failed.get_or_insert(error);
            None
        }
    };
    let bytes = bundle::pack(Content { leaves, checkpoint, release, blob: &mut read, reports }, device_key)?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let verification = bundle::judge(&bytes, &Anchor { fingerprint, pin: None });
    let needed = |digest: &Digest| verification.blobs.iter().any(|it| it.digest == *digest && it.kind.needed());
    left_out.retain(|(digest, error)| matches!(error, BlobError::Corrupt { .. }) || needed(digest));
    let left_out = left_out.into_iter().map(|(digest, error)| (digest, error.to_string())).collect();
    durable::replace(out, &bytes)?;
    let (size, digest) = (bytes.len() as u64, Digest::of(&bytes));
    Ok(Exported { path: out.to_owned(), size, digest, left_out, verification })
}

/// Reads the bytes of a bundle; judge them before you believe them.
///
/// # Errors
/// [`ExportError::File`], also for a file larger than [`BUNDLE_BYTES_MAX`].
pub fn read(path: &Path) -> Result<Vec<u8>, ExportError> {
    Ok(durable::read(path, BUNDLE_BYTES_MAX)?)
}

/// Unpacks the bundle at `path` into `target`, a directory that is not there yet; returns how many files there are.
///
/// Nothing is written before the container is known to be one that this program could have written, with no name in it
/// that has no place in a bundle. What it says is not judged.
///
/// # Errors
/// [`ExportError::NotABundle`], or [`ExportError::File`], among others where `target` is there.
pub fn unpack(path: &Path, target: &Path) -> Result<usize, ExportError> {
    let bytes = read(path)?;
    let files = Files::read(&bytes).map_err(|findings| ExportError::NotABundle { path: path.to_owned(), findings })?;
    fs::create_dir(target).map_err(FileError::io("create", target))?;
    let mut count = 0;
    for (name, data) in files.iter() {
        let file = target.join(name);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(FileError::io("create", folder))?;
        }
        let written = fs::File::create_new(&file).and_then(|mut file| file.write_all(data));
        written.map_err(FileError::io("write", &file))?;
        count += 1;
    }
    Ok(count)
}

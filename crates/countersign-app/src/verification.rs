//! Verification of a ledger on this machine, from the bytes its store holds now, and of a bundle without any ledger.
//!
//! A ledger that cannot even be opened is not an error but an answer: what is damaged is told as findings beside those
//! about entries, and the verdict is `invalid`.
//!
//! Deliberately absent: the rules (all of them are in the core), and any repair.

use std::path::Path;

use countersign_core::bundle;
use countersign_core::hash::Digest;
use countersign_core::merkle::{Head, leaf_hash};
use countersign_core::verify::{self, Anchor, Availability, Options, Verdict};
use serde::Serialize;

use crate::blob::{BlobError, BlobStore};
use crate::desk::{Home, LedgerDir};
use crate::durable;
use crate::error::{Error, ErrorKind};
use crate::ledger::Progress;
use crate::pin::PinFile;
use crate::store::{SqliteStore, Store, StoreError};

/// The largest bundle that is read.
const BUNDLE_BYTES_MAX: u64 = 4 << 30;
/// How many leaves are read at a time.
const BATCH: u64 = 1024;

/// What verification came to. Serde writes verdict, tree size, root in base64 and findings, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The verdict: the worst that any finding leaves.
    pub verdict: Verdict,
    /// How many entries there are.
    pub tree_size: u64,
    /// The root of their tree, as in the checkpoint.
    pub root: String,
    /// Everything that was found.
    pub findings: Vec<Found>,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The entry it is about; none where it is about the whole.
    pub index: Option<u64>,
    /// A stable word for scripts.
    pub code: String,
    /// What was found.
    pub message: String,
    /// The best verdict that is left beside it.
    #[serde(skip)]
    pub worst: Verdict,
}

impl From<verify::Verification> for Verified {
    fn from(verification: verify::Verification) -> Self {
        Self {
            verdict: verification.verdict,
            tree_size: verification.tree_size,
            root: verification.root.to_base64(),
            findings: verification
                .findings
                .into_iter()
                .map(|finding| Found {
                    index: finding.index,
                    code: finding.code.to_string(),
                    message: finding.message,
                    worst: finding.code.verdict(),
                })
                .collect(),
        }
    }
}

impl Verified {
    /// Returns how a command ends that asked: yes, no, or an integrity error.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Valid => 0,
            Verdict::Incomplete => ErrorKind::No.exit_code(),
            Verdict::Invalid => ErrorKind::Integrity.exit_code(),
        }
    }
}

/// Verifies a ledger: every entry folded again, the checkpoint, this desk's pin, and every file that entries name.
///
/// # Errors
/// There is no ledger, or the disk refuses; a damaged ledger is no error.
pub fn ledger(home: &Home, dir: &LedgerDir, fingerprint: Option<Digest>) -> Result<Verified, Error> {
    ledger_watched(home, dir, fingerprint, &mut |_, _| true)
}

/// Verifies a ledger as [`ledger`] does, telling after each entry how many of how many are done; where it is told to stop,
/// what it returns is about the entries before, and worth nothing.
///
/// # Errors
/// As [`ledger`].
pub fn ledger_watched(
    home: &Home,
    dir: &LedgerDir,
    fingerprint: Option<Digest>,
    progress: Progress<'_>,
) -> Result<Verified, Error> {
    let damaged = |error: &StoreError| Found {
        index: if let StoreError::Missing { index } = error { Some(*index) } else { None },
        code: "store".to_owned(),
        message: error.to_string(),
        worst: Verdict::Invalid,
    };
    let refused = |error: StoreError| -> Result<Found, Error> {
        let found = damaged(&error);
        let error = Error::from(error);
        if error.kind == ErrorKind::Integrity { Ok(found) } else { Err(error) }
    };
    let mut found = Vec::new();
    let mut leaves: Vec<Vec<u8>> = Vec::new();
    let mut checkpoint = None;
    let store = match SqliteStore::open_read_only(&dir.database()) {
        // A crash may have cut an append off, which has to be undone before anything can be read.
        Err(StoreError::Storage { .. }) => SqliteStore::open(&dir.database()),
        opened => opened,
    };
    match store.and_then(|store| store.head().map(|head| (store, head))) {
        Err(error) => found.push(refused(error)?),
        Ok((_, None)) => {}
        Ok((store, Some(head))) => {
            checkpoint = Some(head.checkpoint);
            let mut next = 0;
            while next < head.head.size {
                let until = (next + BATCH).min(head.head.size);
                match store.read(next..until) {
                    Ok(batch) => leaves.extend(batch),
                    Err(error) => {
                        // As far as it goes, one by one, so that the first entry that is gone is named.
                        while let Ok(mut one) = store.read(leaves.len() as u64..leaves.len() as u64 + 1) {
                            leaves.append(&mut one);
                        }
                        found.push(refused(error)?);
                        break;
                    }
                }
                next = until;
            }
        }
    }
    let pin = match leaves.first() {
        Some(first) => pinned(home, first)?,
        None => None,
    };
    let blobs = BlobStore::new(dir.blobs());
    let look_up = |digest: &Digest| match blobs.read(digest) {
        Ok(_) => Availability::Present,
        Err(BlobError::Missing { .. }) => Availability::Missing,
        Err(_) => Availability::Corrupt,
    };
    let options = Options { anchor: Anchor { fingerprint, pin }, checkpoint: checkpoint.as_deref(), blobs: &look_up };
    let all = leaves.len() as u64;
    let watched = leaves.into_iter().zip(0_u64..).map_while(|(leaf, done)| progress(done, all).then_some(leaf));
    let mut verified = Verified::from(verify::verify(watched, &options));
    if !found.is_empty() {
        verified.verdict = Verdict::Invalid;
        verified.findings.extend(found);
    }
    Ok(verified)
}

/// Returns the head this desk has seen of the ledger that begins so.
fn pinned(home: &Home, first: &[u8]) -> Result<Option<Head>, Error> {
    let desk = home.desk(&Digest::of(first));
    Ok(PinFile::new(desk.pin(), leaf_hash(first)).load()?.map(|pin| pin.head))
}

/// Verifies a bundle; needs neither a ledger nor a desk.
///
/// # Errors
/// The file cannot be read; a damaged bundle is no error.
pub fn bundle(path: &Path, fingerprint: Option<Digest>) -> Result<Verified, Error> {
    let bytes = durable::read(path, BUNDLE_BYTES_MAX)?;
    Ok(bundle::judge(&bytes, &Anchor { fingerprint, pin: None }).into())
}

//! Where the entries of a ledger lie: one short contract, and an honest implementation for each place.
//!
//! A store keeps bytes in order and moves one head forward by compare-and-swap. It is not trusted: it computes no
//! root and checks no signature, and whoever reads from it hashes the leaves again and compares with the head it
//! pinned elsewhere. What a store promises is in [`Store`]; one suite of tests holds every implementation to it.
//!
//! Deliberately absent: any way to change or remove an entry; any meaning of an entry; code shared between
//! implementations beyond the checks of arguments.

mod memory;
mod sqlite;

use std::ops::Range;

use countersign_core::hash::Digest;
use countersign_core::merkle::Head;

pub use memory::MemoryStore;
pub use sqlite::SqliteStore;

/// The largest leaf a store takes.
pub const LEAF_LIMIT_BYTES: usize = 64 * 1024;

/// The head of a store that is not empty, with the signed text that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredHead {
    /// Size and root.
    pub head: Head,
    /// The checkpoint over `head` (C2SP tlog-checkpoint), as it was handed in.
    pub checkpoint: String,
}

/// An entry to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLeaf {
    /// The leaf: payload, line feed, armor; 1 to [`LEAF_LIMIT_BYTES`] bytes.
    pub leaf: Vec<u8>,
    /// The hash of its payload, which occurs once in a ledger.
    pub payload_hash: Digest,
}

/// The entries of one ledger.
///
/// Implementations MUST be linearizable across threads, connections and processes: what one reader has seen, no
/// later reader misses. When [`append`](Self::append) returns `Ok` the entries and the head MUST survive a power
/// cut. Entries are numbered from 0 without gaps and never change.
pub trait Store: Send + Sync {
    /// Loads the head; none where the ledger has no entry yet.
    ///
    /// # Errors
    /// Any [`StoreError`].
    fn head(&self) -> Result<Option<StoredHead>, StoreError>;

    /// Loads the leaves of `range`, in order and complete.
    ///
    /// The bytes are what the storage holds now: the caller hashes them before believing them.
    ///
    /// # Errors
    /// [`StoreError::OutOfRange`] where the range does not lie below the head, [`StoreError::Missing`] where a leaf
    /// is gone, or any other.
    fn read(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Finds the entry with a payload of this hash; none where there is no such entry.
    ///
    /// # Errors
    /// Any [`StoreError`].
    fn find(&self, payload_hash: &Digest) -> Result<Option<u64>, StoreError>;

    /// Appends leaves and moves the head from `expected` to `new`, both or neither.
    ///
    /// `expected` is [`Head::EMPTY`] for the first entry. `new.size` is `expected.size` plus the number of leaves;
    /// `new.root` and `checkpoint` are the caller's to compute.
    ///
    /// # Errors
    /// After every [`AppendError`] but [`AppendError::Unknown`] nothing has been appended. After `Unknown` ask
    /// [`landed`] before anything else.
    fn append(&self, expected: Head, leaves: &[NewLeaf], new: Head, checkpoint: &str) -> Result<(), AppendError>;

    /// Says whether there are entries from `size` on; cheap enough to ask several times a second.
    ///
    /// # Errors
    /// Any [`StoreError`].
    fn changed_since(&self, size: u64) -> Result<bool, StoreError> {
        Ok(self.head()?.map_or(0, |stored| stored.head.size) != size)
    }
}

impl<S: Store + ?Sized> Store for Box<S> {
    fn head(&self) -> Result<Option<StoredHead>, StoreError> {
        (**self).head()
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, StoreError> {
        (**self).read(range)
    }

    fn find(&self, payload_hash: &Digest) -> Result<Option<u64>, StoreError> {
        (**self).find(payload_hash)
    }

    fn append(&self, expected: Head, leaves: &[NewLeaf], new: Head, checkpoint: &str) -> Result<(), AppendError> {
        (**self).append(expected, leaves, new, checkpoint)
    }
}

/// Answers, after [`AppendError::Unknown`], whether the leaves of that append stand where they were to stand.
///
/// The head moves together with the leaves, so all of them landed or none did. Where they did not land, the append
/// may be tried again from the head that is there now.
///
/// # Errors
/// Any [`StoreError`]; the outcome is then still unknown.
pub fn landed(store: &dyn Store, expected: Head, leaves: &[NewLeaf]) -> Result<bool, StoreError> {
    let Some(first) = leaves.first() else {
        return Ok(true);
    };
    if store.find(&first.payload_hash)? != Some(expected.size) {
        return Ok(false);
    }
    let stored = store.read(expected.size..expected.size + leaves.len() as u64)?;
    Ok(stored.iter().zip(leaves).all(|(stored, leaf)| *stored == leaf.leaf))
}

/// Why a store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No ledger is there, and none is started by accident.
    #[error("no ledger at {path}: check the path, or start one with `countersign init`")]
    NotFound {
        /// Where it was looked for.
        path: String,
    },
    /// A ledger is there already.
    #[error("{path} exists already: a ledger is never overwritten")]
    AlreadyExists {
        /// Where it was to be created.
        path: String,
    },
    /// The file is something else.
    #[error("{path} is not a ledger: {why}")]
    NotALedger {
        /// The file.
        path: String,
        /// What gives it away.
        why: String,
    },
    /// The ledger was written by a newer version.
    #[error("the ledger has storage format {found}, this version knows {known}: use a newer Countersign")]
    NewerFormat {
        /// The format of the file.
        found: i64,
        /// The newest format known here.
        known: i64,
    },
    /// The file is a ledger, but somebody changed its tables, guards or rows from outside.
    #[error("the ledger file was altered from outside: {what}; keep it, restore a backup and compare")]
    Altered {
        /// What is not as it was made.
        what: String,
    },
    /// Locks and flushes cannot be relied on here.
    #[error(
        "{path} lies on a network file system ({kind}), where locks and flushes cannot be relied on: use a local disk"
    )]
    NetworkFileSystem {
        /// The directory.
        path: String,
        /// The kind of file system.
        kind: String,
    },
    /// Other processes kept the ledger locked.
    #[error("other processes kept the ledger busy for {waited_seconds} s: try again")]
    Busy {
        /// How long it was waited for.
        waited_seconds: u64,
    },
    /// The storage does not hold together.
    #[error("the ledger file is damaged: {what}; keep it, restore a backup and compare")]
    Corrupt {
        /// What was found.
        what: String,
    },
    /// More was asked for than the ledger has.
    #[error("entries {start} to {end} were asked for, the ledger has {size}")]
    OutOfRange {
        /// First entry asked for.
        start: u64,
        /// One past the last.
        end: u64,
        /// The size of the ledger.
        size: u64,
    },
    /// An entry below the head is gone.
    #[error("entry {index} is missing: the ledger file was altered or damaged; keep it, restore a backup and compare")]
    Missing {
        /// The entry.
        index: u64,
    },
    /// A file or directory could not be used.
    #[error(transparent)]
    File(#[from] crate::durable::FileError),
    /// The storage refused for another reason.
    #[error("could not {act}: {source}")]
    Storage {
        /// What was attempted, as a verb.
        act: &'static str,
        /// The answer of the storage.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why an append did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else appended first: load, check the new entries, decide again.
    #[error("the ledger moved on: {} entries were expected, {} are there", expected.size, actual.size)]
    Conflict {
        /// The head the caller built on.
        expected: Head,
        /// The head that is there.
        actual: Head,
    },
    /// This payload is in the ledger already, or twice in this append.
    #[error("the payload {payload_hash} is already entry {index}")]
    DuplicatePayload {
        /// Its hash.
        payload_hash: Digest,
        /// Where it stands, or was to stand first.
        index: u64,
    },
    /// Other writers kept the ledger locked; nothing was appended.
    #[error("other processes kept the ledger busy for {waited_seconds} s, nothing was appended: try again")]
    Busy {
        /// How long it was waited for.
        waited_seconds: u64,
    },
    /// There is no room; nothing was appended.
    #[error("the disk is full, nothing was appended: make room and try again")]
    DiskFull,
    /// The arguments contradict each other; nothing was appended.
    #[error("not an append: {0}")]
    Invalid(&'static str),
    /// The step that makes the entries stay failed half way: they may be in the ledger or not. Ask [`landed`].
    #[error("it is not known whether the entries were appended ({source}): look them up before trying again")]
    Unknown {
        /// What the storage answered.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The storage failed before that step; nothing was appended.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The checks of arguments that every implementation makes before it touches anything.
fn check_append(expected: Head, leaves: &[NewLeaf], new: Head) -> Result<(), AppendError> {
    if leaves.is_empty() {
        return Err(AppendError::Invalid("there are no leaves"));
    }
    if expected.size.checked_add(leaves.len() as u64) != Some(new.size) || i64::try_from(new.size).is_err() {
        return Err(AppendError::Invalid("the new size is not the old size and the leaves"));
    }
    if leaves.iter().any(|leaf| leaf.leaf.is_empty() || leaf.leaf.len() > LEAF_LIMIT_BYTES) {
        return Err(AppendError::Invalid("a leaf has 1 to 65536 bytes"));
    }
    for (place, leaf) in leaves.iter().enumerate() {
        if let Some(first) = leaves[..place].iter().position(|earlier| earlier.payload_hash == leaf.payload_hash) {
            let index = expected.size + first as u64;
            return Err(AppendError::DuplicatePayload { payload_hash: leaf.payload_hash, index });
        }
    }
    Ok(())
}

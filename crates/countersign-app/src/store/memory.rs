//! A ledger in memory, for tests and for looking at a bundle.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_core::hash::Digest;
use countersign_core::merkle::Head;

use super::{AppendError, NewLeaf, Store, StoreError, StoredHead, check_append};

/// A store that lives as long as its last clone; clones share one ledger, as processes share a file.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Ledger>>);

#[derive(Debug, Default)]
struct Ledger {
    head: Option<StoredHead>,
    leaves: Vec<Vec<u8>>,
    by_payload: HashMap<Digest, u64>,
}

impl MemoryStore {
    /// Makes an empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Nothing below can panic between two changes of one append, so a poisoned ledger is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn head(&self) -> Result<Option<StoredHead>, StoreError> {
        Ok(self.ledger().head.clone())
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, StoreError> {
        let ledger = self.ledger();
        let size = ledger.leaves.len() as u64;
        let out_of_range = StoreError::OutOfRange { start: range.start, end: range.end, size };
        let (Ok(start), Ok(end)) = (usize::try_from(range.start), usize::try_from(range.end)) else {
            return Err(out_of_range);
        };
        ledger.leaves.get(start..end).map(<[_]>::to_vec).ok_or(out_of_range)
    }

    fn find(&self, payload_hash: &Digest) -> Result<Option<u64>, StoreError> {
        Ok(self.ledger().by_payload.get(payload_hash).copied())
    }

    fn append(&self, expected: Head, leaves: &[NewLeaf], new: Head, checkpoint: &str) -> Result<(), AppendError> {
        check_append(expected, leaves, new)?;
        let mut ledger = self.ledger();
        let actual = ledger.head.as_ref().map_or(Head::EMPTY, |stored| stored.head);
        if actual != expected {
            return Err(AppendError::Conflict { expected, actual });
        }
        for leaf in leaves {
            if let Some(&index) = ledger.by_payload.get(&leaf.payload_hash) {
                return Err(AppendError::DuplicatePayload { payload_hash: leaf.payload_hash, index });
            }
        }
        for (index, leaf) in (expected.size..).zip(leaves) {
            ledger.leaves.push(leaf.leaf.clone());
            ledger.by_payload.insert(leaf.payload_hash, index);
        }
        ledger.head = Some(StoredHead { head: new, checkpoint: checkpoint.to_owned() });
        Ok(())
    }
}
